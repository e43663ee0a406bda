"""Inside the interesting-calls card: weightiest first, routine folded, console clicks grouped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from enrich.data.interesting_calls import (
    CallGroup,
    Clicks,
    ContentFound,
    InterestingCalls,
    TargetCount,
)
from enrich.facts.techniques import KINDS
from ui.kit import phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, bar, call, cited, mark, more, pivot, sifted, table, time_of


def calls_table(found: InterestingCalls, *, when: str = "") -> Node | None:
    """Calls, then sensitive reads, then what is routine; folding never changes a count. `when`
    tells the tables of one time from those of another, for whoever hears their names.
    """
    telling = [call for call in found.calls if not call.routine]
    routine = [call for call in found.calls if call.routine]
    sensitive = found.sensitive_reads
    parts: list[Node | None] = []
    content = found.content
    if telling:
        parts.append(_calls(telling, content, f"Interesting calls{when}"))
    if sensitive:
        reads = _calls(sensitive, content, f"Sensitive reads{when}")
        parts += [el("h3", "panel-title", "Sensitive reads"), reads]
    if routine:
        number = sum(call.count for call in routine)
        of_each = _calls(routine, content, f"Routine calls{when}")
        parts.append(more(f"{phrases.count(number, 'routine call')}", of_each))
    parts.append(_clicks(found.console))
    return el("div", "stack", *parts) if any(parts) else None


OPEN_ROWS = 12
"""Rows that stand open: they are the gravest, and there may be hundreds."""


def _calls(calls: Sequence[CallGroup], content: Sequence[ContentFound], caption: str) -> Node:
    most = max((row.count for row in calls), default=1)
    shown = table(
        ("Call", "Acted on", "Service", "Times", "", "Result", "First (UTC)", "Last (UTC)",
         "Why it matters",
         "Events"),
        [
            (
                call(row.event_name),
                acted_on(row),
                row.service or phrases.service(row.event_source),
                row.count,
                bar(100 * row.count / most),
                _result(row),
                time_of(row.first),
                time_of(row.last),
                _why(row, content),
                cited(row.event_ids),
            )
            for row in calls
        ],
        caption=caption,
        numbers=frozenset({"Times"}),
        sparse=frozenset({"Acted on", "", "Result"}),
        kinds=[" ".join(_kinds(row)) for row in calls],
        open_rows=OPEN_ROWS,
    )  # fmt: skip
    every = f"Show all {len(calls):,}" if len(calls) > OPEN_ROWS else None
    return sifted(shown, _offered(calls), every)


_SIGNALS = {kind: f"signal-{place}" for place, kind in enumerate(KINDS)}
"""Why a call matters (ATT&CK's tactic, or "sensitive read") → what its rows are known by."""


def _kinds(row: CallGroup) -> list[str]:
    """What a row can be narrowed to: its tactic, that it is new, that it failed or was denied."""
    kinds = [_SIGNALS[row.signal]] if row.signal in _SIGNALS else []
    kinds += ["new"] if row.never_before else []
    kinds += ["failed"] if row.error_code or row.failed else []
    return kinds


def _offered(calls: Sequence[CallGroup]) -> list[tuple[str, str]]:
    """The kinds that some rows have and not all of them, with how many."""
    counts = Counter(kind for row in calls for kind in _kinds(row))
    words = {"new": "New", "failed": "Failed"} | {
        name: kind.capitalize() for kind, name in _SIGNALS.items()
    }
    return [
        (kind, f"{word} {counts[kind]:,}")
        for kind, word in words.items()
        if 0 < counts[kind] < len(calls)
    ]


MOST_TARGETS = 3


def acted_on(row: CallGroup) -> Node:
    """The things that the calls name, those that something was shared with first."""
    shown = row.targets[:MOST_TARGETS]
    left = row.targets_total - len(shown)
    said = [f"and {left:,} more"] if left > 0 else []
    if row.targets and row.targets_of < row.count:
        said.append(f"of the newest {row.targets_of:,} of {row.count:,}")
    return el(
        "div",
        "targets",
        *(
            el(
                "div",
                "clip",
                el("span", "mute small", _kind(one) + " "),
                pivot(one.name),
                title=one.name,
            )
            for one in shown
        ),
        el("div", "mute small", ", ".join(said)) if said else None,
    )


def _kind(target: TargetCount) -> str:
    if not target.shared:
        return target.kind
    return "shared with" if target.name.casefold() != "all" else "shared with everyone:"


def _result(row: CallGroup) -> Node | str:
    if not row.error_code:
        return el("span")
    # Denied is an answer about rights; throttled or not found is an answer about nothing much.
    tone: Tone = "bad" if row.failure in (None, "denied") else "mute"
    return mark(row.error_code, tone, "✕")


MOST_SENTENCES = 2


def _why(row: CallGroup, content: Sequence[ContentFound]) -> Node:
    """What the calls did by their content, else why calls of that name matter."""
    reasons = [reason for reason in row.reasons if reason != row.signal]
    said = _what_they_did(row, content)
    return el(
        "span",
        "",
        el("strong", "", f"{row.signal.capitalize()}. ") if row.signal else None,
        *(el("div", "", sentence) for sentence in said),
        f"{row.why} " if row.why and not said else None,
        el("span", "mute", "; ".join(reasons)) if reasons else None,
        el("span", "mono mute", " " + ", ".join(row.techniques)) if row.techniques else None,
    )


def _what_they_did(row: CallGroup, content: Sequence[ContentFound]) -> list[str]:
    """The gravest sentences on the content of the row's calls that succeeded."""
    if row.error_code:
        return []
    mine = [
        one
        for one in content
        if (one.event_source, one.event_name) == (row.event_source, row.event_name)
    ]
    mine.sort(key=lambda one: (one.speaks != "for", not one.grave))
    told = list(dict.fromkeys(sentence for one in mine for sentence in one.sentences))
    calls = sum(one.count for one in mine)
    shown = told[:MOST_SENTENCES]
    if shown and calls > len(shown):
        shown.append(f"{calls:,} such signs in all.")
    return shown


def _clicks(console: Clicks | None) -> Node | None:
    """Console work per second: one click of a person is many calls."""
    if console is None or not console.clicks:
        return None
    return more(
        f"{phrases.count(console.calls, 'console call')} in "
        f"{phrases.count(console.clicks, 'click')}, the newest as a list",
        table(
            ("When (UTC)", "Calls", "Failed", "What"),
            [
                (
                    time_of(click.time),
                    click.count,
                    click.failed,
                    el("span", "row", *(call(name) for name in click.event_names)),
                )
                for click in console.newest
            ],
            caption="Console clicks, newest first",
            numbers=frozenset({"Calls", "Failed"}),
        ),
    )
