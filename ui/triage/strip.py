"""What the suspect did, line by line in its order: the calls made with the alert's address, key or
client, apart from the usual ones of the identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from enrich.calls.deeds import BY_WORDS, Deed, Strip
from ui.kit import links, phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import cited, link, mark, table

MOST_LINES = 60
"""Lines that are drawn; the search has all of the calls."""

Stretch = tuple[datetime, datetime]


def strip(found: Strip, stretch: Stretch | None = None) -> Node:
    """The lines of the window, or of the stretch of it that was chosen in the timeline."""
    deeds = found.deeds if stretch is None else _within(found.deeds, stretch)
    calls = sum(deed.count for deed in deeds)
    return el(
        "section",
        "card stack",
        el(
            "div",
            "row",
            el("h3", "panel-title", "What this identity did from ", _suspect(found))
            if found.by == "address"
            else el("h3", "panel-title", "What this identity did with ", _suspect(found)),
            el("span", "mute small", _how_many(found, stretch, calls)),
        ),
        table(
            ("When (UTC)", "What", "Result", "Calls"),
            [_line(deed, before) for deed, before in zip(deeds, (None, *deeds), strict=False)][
                :MOST_LINES
            ],
            caption="What the suspect did",
            sparse=frozenset({"Result"}),
        )
        if deeds
        else el("p", "mute", "No call of it is indexed in this time."),
        el(
            "p",
            "row mute small",
            f"The first {MOST_LINES} of {phrases.count(len(deeds), 'line')}."
            if len(deeds) > MOST_LINES
            else None,
            _all_of_it(found, stretch),
        )
        if len(deeds) > MOST_LINES or found.shown < found.calls
        else None,
    )


_FILTERS = {"address": "ip", "key": "key", "client": "client"}


def _all_of_it(found: Strip, stretch: Stretch | None) -> Node:
    """The way to all calls of the time that are known by the same, whoever made them."""
    first, last = stretch or (found.first, found.last)
    asked = {
        _FILTERS[found.by]: found.value,
        "from": phrases.iso(first) or "",
        "to": phrases.iso(last) or "",
        "sort": "time",
        "order": "up",
    }
    words = f"Every call of that time {'from' if found.by == 'address' else 'with'} it"
    return link(words, links.address("events", asked))


def _suspect(found: Strip) -> Node:
    words = BY_WORDS[found.by]
    shown = phrases.shortened(found.value, 60)
    value = (
        link(shown, links.entity(found.value)) if found.by != "client" else el("span", "", shown)
    )
    return el("span", "", f"{words} ", value)


def _how_many(found: Strip, stretch: Stretch | None, calls: int) -> str:
    if stretch is not None:
        return f"{phrases.count(calls, 'call')} in the chosen {phrases.window(*stretch)}"
    said = f"{phrases.count(found.calls, 'call')} within a day of the alert"
    if found.shown < found.calls:
        said += f", the first {found.shown:,} here"
    if found.others:
        said += f"; {phrases.count(found.others, 'other call')} of the identity left out"
    return said


def _within(deeds: Sequence[Deed], stretch: Stretch) -> list[Deed]:
    """The lines cut to the calls of the stretch."""
    cut = []
    for deed in deeds:
        rows = [row for row in deed.rows if stretch[0] <= row["event_time"] < stretch[1]]
        if rows:
            ends = rows[0]["event_time"], rows[-1]["event_time"]
            cut.append(Deed(*ends, deed.is_looking, rows))
    return cut


def _line(deed: Deed, before: Deed | None) -> tuple[Node | str | None, ...]:
    return (
        el("span", "time", _when(deed, before)),
        el("span", "strong" if deed.matters else "", deed.words),
        _result(deed),
        el(
            "span",
            "",
            cited(deed.event_ids) if deed.count == 1 else _run(deed),
        ),
    )


def _run(deed: Deed) -> Node:
    shown = f"{deed.count:,} × {deed.names[0]}" if len(deed.names) == 1 else ""
    if not shown:
        shown = phrases.count(deed.count, "call")
    return link(phrases.shortened(shown, 60), links.events(deed.event_ids), "nowrap")


def _when(deed: Deed, before: Deed | None) -> str:
    """The day where it is another than that of the line before; a run's end to the minute."""
    first, last = deed.first, deed.last
    same_day = before is not None and before.first.date() == first.date()
    start = f"{first:%H:%M:%S}" if same_day else phrases.clock(first)
    if (last - first).total_seconds() < 60:
        return start
    return f"{start} – {last:%H:%M:%S}" if first.date() == last.date() else (
        f"{start} – {phrases.clock(last)}"
    )  # fmt: skip


def _result(deed: Deed) -> Node:
    if deed.failed == deed.count:
        return mark(deed.error or "failed", "bad", "✕")
    if deed.failed:
        return mark(f"{deed.failed:,} failed", "warn", "◐")
    return mark("succeeded", "bad", "▲") if deed.matters else el("span")
