"""Inside the services card: calls per service as bars, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from alerts.alert import Alert
from ui import charts, data
from ui.markup import Node, draw, el
from ui.pieces import mark, pivot, table, time_of


def show(alert: Alert, found: Mapping[str, Any], of_what: str) -> None:
    """Bars beside a table that also says what is new and what an intruder would value."""
    services: Sequence[Mapping[str, Any]] = found.get("services") or []
    if not services:
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.vega_lite_chart(
            data.kept(of_what, "service-bars", lambda: charts.service_bars(services)),
            key="service-bars",
            width="stretch",
            alt="Calls per service, failed calls apart. The table beside it has the same numbers.",
        )
    with right:
        draw("services-table", data.kept(of_what, "services", lambda: _table(services)))


def _table(services: Sequence[Mapping[str, Any]]) -> Node:
    return table(
        ("Service", "Calls", "Failed", "Alert's day", "First (UTC)", "Last (UTC)", "Notable"),
        [
            (
                pivot(row.get("event_source"), str(row.get("service") or "–")),
                row.get("count"),
                row.get("failed"),
                row.get("on_alert_day"),
                time_of(row.get("first")),
                time_of(row.get("last")),
                _notable(row),
            )
            for row in services
        ],
        caption="Calls per service",
        numbers=frozenset({"Calls", "Failed", "Alert's day"}),
    )


def _notable(row: Mapping[str, Any]) -> Node:
    valuable = row.get("valuable")
    return el(
        "span",
        "row",
        mark("Never before", "bad") if row.get("never_before") else None,
        el("span", "mute", str(valuable)) if valuable else None,
    )
