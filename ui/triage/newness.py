"""What is new about the alert against the baseline, one line per property of the call."""

from __future__ import annotations

from alerts.alert import Alert
from enrich.answer import Answer
from enrich.calls.new_for import Levels
from enrich.data.baseline import Baseline, BaselineView
from ui.kit import phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import call, mark, notes, pivot, table

PROPERTIES = {
    "source_ip_address": "IP address",
    "user_agent": "Client",
    "event_name": "API call",
    "event_source": "Service",
    "aws_region": "Region",
}
RARE = 0.05
UNUSUAL = {
    "outcome": "Outcome",
    "hour_of_day": "Hour of day",
    "network": "Network",
    "error": "Error",
    "error_code": "Error",
}


def newness(alert: Alert, answer: Answer, levels: Levels | None = None) -> Node:
    """Each property of the alert as new, rare or seen; what cannot be compared says so."""
    data = answer.data
    title = el("h3", "panel-title", "New against the baseline")
    compared = answer.status not in ("not_covered", "failed", "not_applicable")
    if not compared or not isinstance(data, Baseline):
        return el("div", "stack", title, el("p", "", answer.sentence), notes(answer.caveats))
    view = telling_view(data)
    rows: list[Node | str] = []
    for name, label in PROPERTIES.items():
        rows += [_verdict(name, alert, view), el("span", "mute", label), _value(name, alert, data)]
    for unusual in data.unusual:
        what, value = unusual.what, unusual.value
        shown = f"{value}:00 to {value}:59 UTC" if what == "hour_of_day" else phrases.text(value)
        rows += [
            mark("New", "bad", "▲"),
            el("span", "mute", UNUSUAL.get(what, what.replace("_", " ").capitalize())),
            shown,
        ]
    return el(
        "div",
        "stack",
        title,
        el("p", "mute small", measured_against(data)),
        el("div", "news", *rows),
        levels_table(alert, levels) if levels is not None and levels.of else None,
    )


def levels_table(alert: Alert, levels: Levels) -> Node:
    """New for whom: this identity, its peers, the account, everything indexed."""
    peers = f"of {phrases.count(levels.peers, 'peer')}" if levels.peers else "peers"
    return el(
        "div",
        "stack",
        el("h3", "panel-title", "New for whom?"),
        table(
            ("", "it", peers, "account", "all"),
            [
                (
                    el("span", "", PROPERTIES[name]),
                    _seen(level.own),
                    _seen(level.peers, levels.peers),
                    _seen(level.account),
                    _seen(level.everything),
                )
                for name, level in levels.of.items()
            ],
            caption="New for whom",
            sparse=frozenset({peers}),
        ),
        el(
            "p",
            "mute small",
            f"Whole days, {phrases.day(levels.first)} to {phrases.day(levels.last)}; the client as"
            " logged."
            if alert.user_agent
            else f"Whole days, {phrases.day(levels.first)} to {phrases.day(levels.last)}.",
        ),
    )


def _seen(count: int | None, of: int | None = None) -> Node | str:
    """How often, and "new" for never; nothing where there is no history to be new against."""
    if count is None:
        return ""
    if not count:
        return mark("new", "bad", "▲")
    return f"{count:,} of {of:,}" if of else phrases.number(count)


def telling_view(data: Baseline) -> BaselineView:
    """The half of a baseline answer that is shown: what its sentence rests on, if it has calls."""
    return data.telling if data.whole_role.events else data.of_entity


def measured_against(data: Baseline) -> str:
    """ "Against 1,204 events on 11 days, …": never a "new" without what it was compared with."""
    view = telling_view(data)
    if view.events is None:
        return "Nothing to compare with."
    scope = "the whole role"
    if view is not data.whole_role:
        of_a_role = data.whole_role.events is not None
        scope = "this session name or source IP" if of_a_role else "this principal"
    over = f" on {phrases.count(view.active_days, 'day')}" if view.active_days is not None else ""
    return (
        f"Against {phrases.count(view.events, 'event')}{over} by {scope}, "
        f"{phrases.window(data.window_first, data.window_last)}"
    )


def _verdict(name: str, alert: Alert, view: BaselineView) -> Node:
    if _of_alert(name, alert) is None:
        return mark("Not stated", "mute", "–")
    if not view.events:
        return mark("No history", "mute", "○")
    if name in view.new:
        return mark("New", "bad", "▲")
    seen = view.seen.get(name)
    if seen is None or not seen.count:
        return mark("Seen", "good", "●")
    times = f"{seen.count:,}×"
    if seen.share is not None and seen.share < RARE:
        return mark(f"Rare, {times}", "warn", "◐")
    return mark(f"Seen {times}", "good", "●")


def _value(name: str, alert: Alert, data: Baseline) -> Node | str:
    value = _of_alert(name, alert)
    if value is None:
        return "–"
    if name == "user_agent":
        form = data.user_agent.normal_form if data.user_agent is not None else None
        return el("span", "clip", form or value, title=value)
    if name == "event_name":
        return call(value)
    return pivot(value, phrases.service(value) if name == "event_source" else None)


def _of_alert(name: str, alert: Alert) -> str | None:
    values = {
        "source_ip_address": alert.source_ip_address,
        "user_agent": alert.user_agent,
        "event_name": alert.event_name,
        "event_source": alert.event_source,
        "aws_region": alert.region,
    }
    return values[name]
