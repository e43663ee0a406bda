"""Inside the services card: the numbers behind its bars as a table."""

from __future__ import annotations

from enrich.data.services_used import ServicesUsed, ServiceUse
from ui.kit import phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import link, mark, pivot, table, time_of
from ui.triage.leading import Leading


def services_table(used: ServicesUsed, leading: Leading) -> Node | None:
    """The same numbers, with what is new and what an intruder would value."""
    if not used.services:
        return None
    return table(
        ("Service", "Calls", "Failed", "Alert's day", "First (UTC)", "Last (UTC)", "Notable"),
        [
            (
                pivot(row.event_source, row.service or "–"),
                _to_events(row.count, leading, row.event_source, None),
                _to_events(row.failed, leading, row.event_source, "failed"),
                row.on_alert_day,
                time_of(row.first),
                time_of(row.last),
                _notable(row),
            )
            for row in used.services
        ],
        caption="Calls per service",
        numbers=frozenset({"Calls", "Failed", "Alert's day"}),
    )


def _to_events(count: int, leading: Leading, source: str | None, result: str | None) -> Node | int:
    """The number, leading to the events that it counts."""
    address = leading("entity", service=source, result=result) if count and source else None
    return link(phrases.number(count), address) if address else count


def _notable(row: ServiceUse) -> Node:
    return el(
        "span",
        "row",
        mark("Never before", "bad") if row.never_before else None,
        el("span", "mute", row.valuable) if row.valuable else None,
    )
