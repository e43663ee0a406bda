"""Inside the interesting-calls card: weightiest first, routine folded, console clicks grouped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from enrich.facts.techniques import KINDS
from ui.kit import phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, bar, call, cited, mark, more, pivot, sifted, table, time_of

Call = Mapping[str, Any]


def calls_table(data: Mapping[str, Any]) -> Node | None:
    """Calls, then sensitive reads, then what is routine; folding never changes a count."""
    calls: Sequence[Call] = data.get("calls") or ()
    telling = [call for call in calls if not call.get("routine")]
    routine = [call for call in calls if call.get("routine")]
    sensitive: Sequence[Call] = data.get("sensitive_reads") or ()
    parts: list[Node | None] = []
    if telling:
        parts.append(_calls(telling, "Interesting calls"))
    if sensitive:
        parts += [el("h3", "panel-title", "Sensitive reads"), _calls(sensitive, "Sensitive reads")]
    if routine:
        number = sum(int(call["count"]) for call in routine)
        parts.append(
            more(f"{phrases.count(number, 'routine call')}", _calls(routine, "Routine calls"))
        )
    parts.append(_clicks(data.get("console")))
    return el("div", "stack", *parts) if any(parts) else None


OPEN_ROWS = 12
"""Rows that stand open: they are the gravest, and there may be hundreds."""


def _calls(calls: Sequence[Call], caption: str) -> Node:
    most = max((int(row["count"]) for row in calls), default=1)
    shown = table(
        ("Call", "Acted on", "Service", "Times", "", "Result", "First (UTC)", "Last (UTC)",
         "Why it matters",
         "Events"),
        [
            (
                call(row.get("event_name")),
                acted_on(row),
                str(row.get("service") or phrases.service(row.get("event_source"))),
                row.get("count"),
                bar(100 * int(row["count"]) / most),
                _result(row),
                time_of(row.get("first")),
                time_of(row.get("last")),
                _why(row),
                cited(row.get("event_ids") or ()),
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


def _kinds(row: Call) -> list[str]:
    """What a row can be narrowed to: its tactic, that it is new, that it failed or was denied."""
    kinds = [_SIGNALS[row["signal"]]] if row.get("signal") in _SIGNALS else []
    kinds += ["new"] if row.get("never_before") else []
    kinds += ["failed"] if row.get("error_code") or row.get("failed") else []
    return kinds


def _offered(calls: Sequence[Call]) -> list[tuple[str, str]]:
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


def acted_on(row: Call) -> Node:
    """The things that the calls name, those that something was shared with first."""
    targets: Sequence[Mapping[str, Any]] = row.get("targets") or ()
    shown = targets[:MOST_TARGETS]
    left = int(row.get("targets_total") or 0) - len(shown)
    looked_at = int(row.get("targets_of") or 0)
    said = [f"and {left:,} more"] if left > 0 else []
    if targets and looked_at < int(row["count"]):
        said.append(f"of the newest {looked_at:,} of {int(row['count']):,}")
    return el(
        "div",
        "targets",
        *(
            el(
                "div",
                "clip",
                el("span", "mute small", _kind(one) + " "),
                pivot(str(one["name"])),
                title=str(one["name"]),
            )
            for one in shown
        ),
        el("div", "mute small", ", ".join(said)) if said else None,
    )


def _kind(target: Mapping[str, Any]) -> str:
    if not target.get("shared"):
        return str(target["kind"])
    return "shared with" if str(target["name"]).casefold() != "all" else "shared with everyone:"


def _result(row: Call) -> Node | str:
    code = row.get("error_code")
    if not code:
        return el("span")
    # Denied is an answer about rights; throttled or not found is an answer about nothing much.
    tone: Tone = "bad" if row.get("failure") in (None, "denied") else "mute"
    return mark(str(code), tone, "✕")


def _why(row: Call) -> Node:
    signal = row.get("signal")
    reasons = [str(reason) for reason in row.get("reasons") or () if reason != signal]
    techniques = [
        str(one.get("id") if isinstance(one, Mapping) else one) for one in row.get("techniques", ())
    ]
    return el(
        "span",
        "",
        el("strong", "", f"{str(signal).capitalize()}. ") if signal else None,
        f"{row['why']} " if row.get("why") else None,
        el("span", "mute", "; ".join(reasons)) if reasons else None,
        el("span", "mono mute", " " + ", ".join(techniques)) if techniques else None,
    )


def _clicks(console: Any) -> Node | None:
    """Console work per second: one click of a person is many calls."""
    if not isinstance(console, Mapping) or not console.get("clicks"):
        return None
    return more(
        f"{phrases.count(console['calls'], 'console call')} in "
        f"{phrases.count(console['clicks'], 'click')}, the newest as a list",
        table(
            ("When (UTC)", "Calls", "Failed", "What"),
            [
                (
                    time_of(click.get("time")),
                    click.get("count"),
                    click.get("failed"),
                    el("span", "row", *(call(name) for name in click.get("event_names") or ())),
                )
                for click in console.get("newest") or ()
            ],
            caption="Console clicks, newest first",
            numbers=frozenset({"Calls", "Failed"}),
        ),
    )
