"""Which alerts are one incident: those of one actor, none further than a day from the next.

An actor is what `cases.actors` tells, and a public address: many share one, so alerts that nothing
else joins have to be closer to each other in time. Alerts are joined as they come and as their
answers tell more, and stay joined.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from cases import links, tables
from cases.addresses import is_public

APART = timedelta(hours=24)
"""The longest time between two alerts of one actor that are one incident."""
APART_BY_ADDRESS = timedelta(hours=6)
"""Likewise where they share nothing but an address."""


def join_it(connection: Connection, alert_id: str) -> None:
    """Joins the alert's incident with those of the alerts of its actor; a sample has none."""
    at = tables.alerts.c
    row = connection.execute(
        select(
            at.incident, at.first_seen, at.last_seen, at.source_ip_address, at.first_arrival
        ).where(at.id == alert_id, at.sample.is_(False))
    ).one_or_none()
    if row is None:
        return
    first, last = _times(row)
    mine, other = tables.alert_links.alias("mine"), tables.alert_links.alias("other")
    of_actor = (
        select(other.c.alert_id)
        .join(mine, mine.c.value == other.c.value)
        .where(
            mine.c.alert_id == alert_id,
            mine.c.kind.in_(links.OF_AN_ACTOR),
            other.c.kind.in_(links.OF_AN_ACTOR),
        )
    )
    near = and_(at.id.in_(of_actor), *_within(first, last, APART))
    if is_public(row.source_ip_address):
        same = at.source_ip_address == row.source_ip_address
        near = or_(near, and_(same, *_within(first, last, APART_BY_ADDRESS)))
    found = set(
        connection.execute(select(at.incident).where(at.sample.is_(False), near)).scalars()
    ) - {row.incident}
    if not found:
        return
    joined = {row.incident, *found}
    # That of the alert which was here first keeps its name, so that addresses go on leading to it.
    kept = connection.execute(
        select(at.incident)
        .where(at.incident.in_(joined))
        .order_by(at.first_arrival, at.incident)
        .limit(1)
    ).scalar_one()
    connection.execute(
        update(tables.alerts).where(at.incident.in_(joined - {kept})).values(incident=kept)
    )


def _times(row: Any) -> tuple[datetime, datetime]:
    first = row.first_seen or row.last_seen or row.first_arrival
    return first, row.last_seen or first


def _within(first: datetime, last: datetime, apart: timedelta) -> list[ColumnElement[bool]]:
    at = tables.alerts.c
    begins = func.coalesce(at.first_seen, at.last_seen, at.first_arrival)
    ends = func.coalesce(at.last_seen, at.first_seen, at.first_arrival)
    return [begins <= last + apart, ends >= first - apart]
