"""What an identity made and what became of it: a line beside the chain, and a card."""

from __future__ import annotations

from collections.abc import Sequence

from enrich.data.ledger import Ledger, LedgerEntry
from enrich.ledger.words import FOLLOWED, became_words, undoing_words
from trail.store import Query
from ui.kit import phrases, text
from ui.kit.markup import Node, el
from ui.kit.pieces import cited, event_link, link, mark, more, pivot, sifted, table, time_of

LEDGER_ID = "made-and-undone"
OPEN_ROWS = 12
"""Rows that stand open: those that no event undoes come first."""


def ledger_line(ledger: Ledger) -> Node | None:
    """How much it made and how much of that is gone, leading to the card."""
    gone = sum(entry.is_gone for entry in ledger.entries)
    if ledger.status == "failed":
        return el("p", "small mute", ledger.sentence)
    if not ledger.entries and not ledger.used:
        return None
    parts = []
    if ledger.entries:
        made = phrases.count(len(ledger.entries), "thing")
        undone = f"{gone:,} of them undone" if gone else "none undone in the logs"
        parts.append(f"{made} {FOLLOWED} made or changed, {undone}")
    if ledger.used:
        used = phrases.count(len(ledger.used), "thing")
        parts.append(f"{used} that it used {'is' if len(ledger.used) == 1 else 'are'} gone")
    return el(
        "p",
        "small",
        el("span", "mute", "Made and undone: "),
        link("; ".join(parts), f"#{LEDGER_ID}"),
    )


def role_gone(ledger: Ledger | None, role_arn: str | None) -> Node | None:
    """That a role which is listed is gone: "role deleted 2026-03-10 12:28:24"."""
    if ledger is None or not role_arn or ":role/" not in role_arn:
        return None
    undone = ledger.gone("role", role_arn.rpartition("/")[2], role_arn.split(":")[4])
    return None if undone is None else mark(f"role {undoing_words(undone)}", "mute", "✕")


def key_gone(ledger: Ledger | None, key: str | None) -> Node | None:
    """That an access key which is listed is gone."""
    undone = ledger.gone("access key", key) if ledger is not None else None
    return None if undone is None else mark(undoing_words(undone), "mute", "✕")


def ledger_card(ledger: Ledger, queries: Sequence[Query]) -> Node | None:
    """The whole ledger; nothing where nothing was made, nor anything it used is gone."""
    if ledger.status not in ("answered", "failed") and not ledger.used:
        return None
    return el(
        "section",
        "card stack",
        el(
            "div",
            "row",
            el("h2", "card-title", "Made and undone", id=LEDGER_ID),
            mark("Query failed", "bad") if ledger.status == "failed" else None,
            el("span", "mute small", phrases.window(ledger.window_first, ledger.window_last))
            if ledger.window_first
            else None,
        ),
        el("p", "sentence", ledger.sentence),
        _table(ledger.entries, "Made or changed", cut=ledger.cut) if ledger.entries else None,
        el("h3", "panel-title", "What it used and is gone") if ledger.used else None,
        _table(ledger.used, "Used and gone", cut=ledger.cut) if ledger.used else None,
        more("Query", *map(text.query_node, queries)) if queries else None,
    )


def _table(entries: Sequence[LedgerEntry], caption: str, *, cut: bool) -> Node:
    shown = table(
        ("What", "Name", "Became of it (UTC)", "Made (UTC)", "By", "Events"),
        [
            (
                entry.kind,
                pivot(entry.name, look="long"),
                _became(entry, cut=cut),
                _made(entry),
                phrases.short_arn(entry.made_by),
                cited(entry.event_ids),
            )
            for entry in entries
        ],
        caption=caption,
        sparse=frozenset({"Made (UTC)", "By", "Events"}),
        kinds=["gone" if entry.is_gone else "left" for entry in entries],
        open_rows=OPEN_ROWS,
    )
    gone = sum(entry.is_gone for entry in entries)
    left = len(entries) - gone
    offered = [("left", f"Not undone {left:,}"), ("gone", f"Undone {gone:,}")]
    every = f"Show all {len(entries):,}" if len(entries) > OPEN_ROWS else None
    return sifted(shown, offered if gone and left else [], every)


def _made(entry: LedgerEntry) -> Node | str:
    if entry.made is None:
        return "–"
    times = len(entry.event_ids)
    if entry.first_made is not None and entry.first_made != entry.made:
        return el(
            "span",
            "",
            f"{entry.word} first ",
            time_of(entry.first_made),
            ", last ",
            time_of(entry.made),
            el("span", "mute", f" ({phrases.count(times, 'time')})"),
        )
    often = f" ({phrases.count(times, 'time')})" if times > 1 else ""
    return el("span", "", f"{entry.word} ", time_of(entry.made), el("span", "mute", often))


def _became(entry: LedgerEntry, *, cut: bool) -> Node:
    undone = entry.undone
    if undone is None or not entry.is_gone:
        event_id = undone.event_id if undone is not None else entry.again_event_id
        left = mark(became_words(entry, cut=cut), "warn")
        return el("span", "row", left, event_link(event_id) if event_id else None)
    by = f"by {phrases.short_arn(undone.by)}" if undone.by_another else None
    along = f"with its {undone.along_with}" if undone.along_with else None
    return el(
        "span",
        "row",
        mark(f"{undone.word} {phrases.clock(undone.time, beside=entry.made)}", "mute", "✕"),
        el("span", "mute small", ", ".join(filter(None, (along, by)))) if along or by else None,
        event_link(undone.event_id),
    )
