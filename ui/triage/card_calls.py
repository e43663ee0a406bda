"""Inside the interesting-calls card: weightiest first, routine folded, console clicks grouped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ui.kit import phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, bar, event_link, mark, more, pivot, table, time_of

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


def _calls(calls: Sequence[Call], caption: str) -> Node:
    most = max((int(row["count"]) for row in calls), default=1)
    return table(
        ("Call", "Service", "Times", "", "Result", "First (UTC)", "Last (UTC)", "Why it matters",
         "Events"),
        [
            (
                pivot(row.get("event_name")),
                str(row.get("service") or phrases.service(row.get("event_source"))),
                row.get("count"),
                bar(100 * int(row["count"]) / most),
                _result(row),
                time_of(row.get("first")),
                time_of(row.get("last")),
                _why(row),
                el("span", "row", *(event_link(i) for i in (row.get("event_ids") or ())[:3])),
            )
            for row in calls
        ],
        caption=caption,
        numbers=frozenset({"Times"}),
    )  # fmt: skip


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
                    el("span", "row", *(pivot(name) for name in click.get("event_names") or ())),
                )
                for click in console.get("newest") or ()
            ],
            caption="Console clicks, newest first",
            numbers=frozenset({"Calls", "Failed"}),
        ),
    )
