"""Inside the baseline card: the alert's address, client and hour beside those seen before."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from alerts.alert import Alert
from enrich.data.baseline import Baseline, BaselineView, Pair
from ui.kit import chart_clicks, charts, phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import more, pivot, table, time_of
from ui.shell import data
from ui.triage.leading import Leading
from ui.triage.newness import telling_view


def charts_of(alert: Alert, found: Baseline, of_what: str, leading: Leading) -> None:
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


def tables(found: Baseline) -> Node:
    """The counts behind the charts."""
    view = telling_view(found)
    return el("div", "stack", _same_call(view), _pairs(_known(view)), _peers(found.peers))


def _known(view: BaselineView) -> Sequence[Pair]:
    """The pairs of IP and client that were seen."""
    return view.all_apis.pairs


def _drawn(
    alert: Alert,
    found: Baseline,
    pairs: Sequence[Pair],
    leading: Leading,
) -> list[tuple[charts.Spec, list[str | None]]]:
    """The charts of addresses, clients and hours, and where the bars of each lead."""
    agent, scope = found.user_agent, found.scope
    own_client = (agent.normal_form if agent is not None else None) or alert.user_agent
    of_role = scope == "whole_role"
    hours = {row.hour: row.whole_role if of_role else row.count for row in found.hours}
    own_hour = alert.first_seen.hour if alert.first_seen else None
    by_ip = _summed((pair.source_ip_address, pair.count) for pair in pairs)
    by_client = _summed((pair.normal_form or pair.user_agent, pair.count) for pair in pairs)
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


def _as_logged(pairs: Sequence[Pair], client: str) -> str:
    """What the user agents behind a client all begin with, which the search looks for."""
    agents = [
        pair.user_agent
        for pair in pairs
        if client in (pair.normal_form, pair.user_agent) and pair.user_agent
    ]
    return os.path.commonprefix(agents) or client


def _same_call(view: BaselineView) -> Node:
    same = view.same_api
    return el(
        "p",
        "row",
        el("span", "mute", "The same call before:"),
        *(
            el("span", "", el("strong", "", phrases.number(count)), f" {words}")
            for count, words in (
                (same.events, "in all"),
                (same.same_ip, "from this IP"),
                (same.same_agent, "with this client"),
                (same.same_ip_and_agent, "with both"),
            )
        ),
    )


def _pairs(pairs: Sequence[Pair]) -> Node | None:
    if not pairs:
        return None
    return more(
        f"{phrases.count(len(pairs), 'pair')} of IP and client as a table",
        table(
            ("IP", "Client", "As logged", "Events", "First (UTC)", "Last (UTC)"),
            [
                (
                    pivot(pair.source_ip_address),
                    phrases.text(pair.normal_form),
                    el("span", "long", phrases.text(pair.user_agent)),
                    pair.count,
                    time_of(pair.first),
                    time_of(pair.last),
                )
                for pair in pairs
            ],
            caption="IP and client pairs in the baseline",
            numbers=frozenset({"Events"}),
        ),
    )


def _peers(peers: Mapping[str, int] | None) -> Node | None:
    if not peers or not peers.get("sessions"):
        return None
    shares = [
        f"{peers[key]} had {words}"
        for key, words in (
            ("source_ip_address", "this IP"),
            ("user_agent", "this client"),
            ("event_name", "this call"),
        )
        if key in peers
    ]
    return el(
        "p",
        "",
        el("span", "mute", "Peers: "),
        f"of {phrases.count(peers['sessions'], 'session name')} of the role, {', '.join(shares)}.",
    )


def _summed(calls: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for value, count in calls:
        if value:
            sums[value] = sums.get(value, 0) + count
    return sums
