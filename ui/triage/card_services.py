"""Inside the services card: calls per service as bars, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from alerts.alert import Alert
from ui.kit import charts
from ui.kit.markup import Node, el
from ui.kit.pieces import mark, pivot, table, time_of
from ui.shell import data


def charts_of(_: Alert, found: Mapping[str, Any], of_what: str) -> None:
    """Calls per service as bars."""
    services: Sequence[Mapping[str, Any]] = found.get("services") or []
    if not services:
        return
    st.vega_lite_chart(
        data.kept(of_what, "service-bars", lambda: charts.service_bars(services)),
        key="service-bars",
        width="stretch",
        alt="Calls per service, failed calls apart. The table with it has the same numbers.",
    )


def services_table(found: Mapping[str, Any]) -> Node | None:
    """The same numbers, with what is new and what an intruder would value."""
    services: Sequence[Mapping[str, Any]] = found.get("services") or []
    if not services:
        return None
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
