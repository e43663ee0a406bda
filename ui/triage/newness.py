"""What is new about the alert against the baseline, one line per property of the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.alert import Alert
from enrich.answer import Answer
from enrich.calls.new_for import Levels
from ui.kit import phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import mark, notes, pivot, table

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
    if answer.status in ("not_covered", "failed", "not_applicable"):
        return el("div", "stack", title, el("p", "", answer.sentence), notes(answer.caveats))
    view = telling_view(data)
    rows: list[Node | str] = []
    for name, label in PROPERTIES.items():
        rows += [_verdict(name, alert, view), el("span", "mute", label), _value(name, alert, data)]
    for unusual in data.get("unusual") or ():
        what, value = str(unusual.get("what")), unusual.get("value")
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


def telling_view(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The half of a baseline answer that its sentence rests on."""
    if data.get("scope") == "whole_role" and (data.get("whole_role") or {}).get("events"):
        whole: Mapping[str, Any] = data["whole_role"]
        return whole
    return data


def measured_against(data: Mapping[str, Any]) -> str:
    """ "Against 1,204 events on 11 days, …": never a "new" without what it was compared with."""
    view = telling_view(data)
    events, days = view.get("events"), view.get("active_days")
    if not isinstance(events, int):
        return "Nothing to compare with."
    scope = "the whole role"
    if view is data:
        of_a_role = (data.get("whole_role") or {}).get("events") is not None
        scope = "this session name or source IP" if of_a_role else "this principal"
    over = f" on {phrases.count(days, 'day')}" if isinstance(days, int) else ""
    return (
        f"Against {phrases.count(events, 'event')}{over} by {scope}, "
        f"{phrases.window(data.get('from'), data.get('to'))}"
    )


def _verdict(name: str, alert: Alert, view: Mapping[str, Any]) -> Node:
    if _of_alert(name, alert) is None:
        return mark("Not stated", "mute", "–")
    if not view.get("events"):
        return mark("No history", "mute", "○")
    if name in (view.get("new") or ()):
        return mark("New", "bad", "▲")
    seen = (view.get("seen") or {}).get(name) or {}
    count, share = seen.get("count"), seen.get("share")
    if not count:
        return mark("Seen", "good", "●")
    times = f"{count:,}×"
    if isinstance(share, int | float) and share < RARE:
        return mark(f"Rare, {times}", "warn", "◐")
    return mark(f"Seen {times}", "good", "●")


def _value(name: str, alert: Alert, data: Mapping[str, Any]) -> Node | str:
    value = _of_alert(name, alert)
    if value is None:
        return "–"
    if name == "user_agent":
        agent = data.get("user_agent") or {}
        return el("span", "clip", str(agent.get("normal_form") or value), title=value)
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
