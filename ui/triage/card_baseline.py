"""Inside the baseline card: the alert's address, client and hour beside those seen before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from alerts.alert import Alert
from ui.kit import charts, phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import more, pivot, table, time_of
from ui.shell import data
from ui.triage.newness import telling_view


def charts_of(alert: Alert, found: Mapping[str, Any], of_what: str) -> None:
    """Three small charts on one scale of "seen"."""
    pairs = _known(telling_view(found))
    if not pairs:
        return
    ips, clients, hours = data.kept(of_what, "baseline", lambda: _specs(alert, found, pairs))
    _seen("IP addresses", "ip", ips)
    _seen("Clients", "client", clients)
    st.vega_lite_chart(
        hours,
        key="baseline-hours",
        width="stretch",
        alt="Events per hour of the day in the baseline, the alert's hour marked.",
    )


def tables(found: Mapping[str, Any]) -> Node:
    """The counts behind the charts."""
    view = telling_view(found)
    return el("div", "stack", _same_call(view), _pairs(_known(view)), _peers(found.get("peers")))


def _known(view: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The pairs of IP and client that were seen."""
    pairs: Sequence[Mapping[str, Any]] = (view.get("all_apis") or {}).get("pairs") or []
    return pairs


def _specs(
    alert: Alert, found: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]]
) -> tuple[charts.Spec, charts.Spec, charts.Spec]:
    agent = found.get("user_agent") or {}
    own_client = agent.get("normal_form") or alert.user_agent
    column = "whole_role" if found.get("scope") == "whole_role" else "count"
    hours = {int(row["hour"]): int(row[column] or 0) for row in found.get("hours") or ()}
    return (
        charts.titled(
            "IP addresses",
            charts.seen_bars(_summed(pairs, "source_ip_address"), alert.source_ip_address),
        ),
        charts.titled(
            "Clients", charts.seen_bars(_summed(pairs, "normal_form", "user_agent"), own_client)
        ),
        charts.titled(
            "Hour of day (UTC)",
            charts.hour_bars(hours, alert.first_seen.hour if alert.first_seen else None),
        ),
    )


def _seen(title: str, name: str, spec: charts.Spec) -> None:
    st.vega_lite_chart(
        spec,
        key=f"baseline-bars-{name}",
        width="stretch",
        alt=f"{title} seen in the baseline, the alert's own marked. A table below has the numbers.",
    )


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
