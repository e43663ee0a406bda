"""Inside the baseline card: the alert's address, client and hour beside those seen before."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from alerts.alert import Alert
from enrich.entity import Scope
from ui.kit import chart_clicks, charts, phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import more, pivot, table, time_of
from ui.shell import data
from ui.triage.card_services import Leading
from ui.triage.newness import telling_view


def charts_of(alert: Alert, found: Mapping[str, Any], of_what: str, leading: Leading) -> None:
    """Three small charts on one scale of "seen", whose bars lead to the events they count."""
    pairs = _known(telling_view(found))
    if not pairs:
        return
    drawn = data.kept(of_what, "baseline", lambda: _drawn(alert, found, pairs, leading))
    for (name, words), (spec, leads) in zip(_ABOUT.items(), drawn, strict=True):
        chart_clicks.draw_leading(spec, f"baseline-bars-{name}", words, leads)


_ABOUT = {
    "ip": "IP addresses seen in the baseline, the alert's own marked. A table below has the "
    "numbers.",
    "client": "Clients seen in the baseline, the alert's own marked. A table below has the "
    "numbers.",
    "hour": "Events per hour of the day in the baseline, the alert's hour marked.",
}
"""What each chart shows, for those who do not see it."""


def tables(found: Mapping[str, Any]) -> Node:
    """The counts behind the charts."""
    view = telling_view(found)
    return el("div", "stack", _same_call(view), _pairs(_known(view)), _peers(found.get("peers")))


def _known(view: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The pairs of IP and client that were seen."""
    pairs: Sequence[Mapping[str, Any]] = (view.get("all_apis") or {}).get("pairs") or []
    return pairs


def _drawn(
    alert: Alert,
    found: Mapping[str, Any],
    pairs: Sequence[Mapping[str, Any]],
    leading: Leading,
) -> list[tuple[charts.Spec, list[str | None]]]:
    """The charts of addresses, clients and hours, and where the bars of each lead."""
    agent = found.get("user_agent") or {}
    own_client = agent.get("normal_form") or alert.user_agent
    scope: Scope = "whole_role" if found.get("scope") == "whole_role" else "entity"
    column = "whole_role" if scope == "whole_role" else "count"
    hours = {int(row["hour"]): int(row[column] or 0) for row in found.get("hours") or ()}
    own_hour = alert.first_seen.hour if alert.first_seen else None
    by_ip = _summed(pairs, "source_ip_address")
    by_client = _summed(pairs, "normal_form", "user_agent")
    ips = charts.seen_bars("IP addresses", by_ip, alert.source_ip_address)
    clients = charts.seen_bars("Clients", by_client, own_client)
    hourly = charts.hour_bars("Hour of day (UTC)", hours, own_hour)
    return [
        (ips.spec, [leading(scope, ip=ip) if ip in by_ip else None for ip in ips.of]),
        (
            clients.spec,
            [
                leading(scope, client=_as_logged(pairs, client)) if client in by_client else None
                for client in clients.of
            ],
        ),
        (
            hourly.spec,
            [leading(scope, hour=f"{hour}") if hours.get(hour) else None for hour in hourly.of],
        ),
    ]


def _as_logged(pairs: Sequence[Mapping[str, Any]], client: str) -> str:
    """What the user agents behind a client all begin with, which the search looks for."""
    agents = [
        str(pair["user_agent"])
        for pair in pairs
        if client in (pair.get("normal_form"), pair.get("user_agent")) and pair.get("user_agent")
    ]
    return os.path.commonprefix(agents) or client


def _same_call(view: Mapping[str, Any]) -> Node:
    same = view.get("same_api") or {}
    return el(
        "p",
        "row",
        el("span", "mute", "The same call before:"),
        *(
            el("span", "", el("strong", "", phrases.number(same.get(key))), f" {words}")
            for key, words in (
                ("events", "in all"),
                ("same_ip", "from this IP"),
                ("same_agent", "with this client"),
                ("same_ip_and_agent", "with both"),
            )
        ),
    )


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> Node | None:
    if not pairs:
        return None
    return more(
        f"{phrases.count(len(pairs), 'pair')} of IP and client as a table",
        table(
            ("IP", "Client", "As logged", "Events", "First (UTC)", "Last (UTC)"),
            [
                (
                    pivot(pair.get("source_ip_address")),
                    phrases.text(pair.get("normal_form")),
                    el("span", "long", phrases.text(pair.get("user_agent"))),
                    pair.get("count"),
                    time_of(pair.get("first")),
                    time_of(pair.get("last")),
                )
                for pair in pairs
            ],
            caption="IP and client pairs in the baseline",
            numbers=frozenset({"Events"}),
        ),
    )


def _peers(peers: Any) -> Node | None:
    if not isinstance(peers, Mapping) or not peers.get("sessions"):
        return None
    shares = [
        f"{peers[key]} had {words}"
        for key, words in (
            ("source_ip_address", "this IP"),
            ("user_agent", "this client"),
            ("event_name", "this call"),
        )
        if isinstance(peers.get(key), int)
    ]
    return el(
        "p",
        "",
        el("span", "mute", "Peers: "),
        f"of {phrases.count(peers['sessions'], 'session name')} of the role, {', '.join(shares)}.",
    )


def _summed(
    pairs: Sequence[Mapping[str, Any]], column: str, instead: str | None = None
) -> dict[str, int]:
    sums: dict[str, int] = {}
    for pair in pairs:
        value = pair.get(column) or (pair.get(instead) if instead else None)
        if value:
            sums[str(value)] = sums.get(str(value), 0) + int(pair["count"])
    return sums
