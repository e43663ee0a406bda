"""What the index holds of a name that an alert gives without saying who it was: an address, a key,
a role, an instance. Asked where the five questions have nobody to ask about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from enrich.calls.calls_sql import COUNTED
from trail.store import Query, Store

Kind = Literal["address", "key", "principal", "role", "session"]
MOST_USERS = 8
"""Identities listed of each name, those with the most calls first."""

_CONDITIONS: Mapping[Kind, str] = {
    "address": "source_ip_address = $name",
    "key": "access_key_id = $name",
    "principal": "(principal_arn = $name or principal_id = $name)",
    "role": "issuer_arn = $name",
    "session": "session_name = $name",
}


@dataclass(frozen=True)
class User:
    """An identity whose calls show the name. `who` is its ARN, else its id."""

    who: str
    events: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Seen:
    """The calls that show a name, over all that is indexed, and whose they were."""

    events: int
    failed: int
    first: datetime | None
    last: datetime | None
    users: tuple[User, ...]
    """The `MOST_USERS` with the most calls."""
    users_total: int
    query: Query | None = None


NOTHING = Seen(0, 0, None, None, (), 0)


def seen_with(name: str, kind: Kind, store: Store) -> Seen:
    """Everything indexed with that name in it. Records count one by one, as the event search's.

    Only a key is not in the day rollup: its events are looked up by it, which opens few segments.
    """
    summary = store.summary()
    if summary.first is None or summary.last is None:
        return NOTHING
    of_events = kind == "key"
    counts = (
        "1 as n, case when failed then 1 else 0 end as bad, event_time as first, event_time as last"
        if of_events
        else "count as n, failed as bad, first, last"
    )
    found = store.query(
        f"""
        select coalesce(principal_arn, principal_id, identity_id, identity_type) as who,
               cast(sum(n) as bigint) as events, cast(sum(bad) as bigint) as failed,
               min(first) as first, max(last) as last
        from (
            select principal_arn, principal_id, identity_id, identity_type, {counts}
            from {"events" if of_events else "daily"}
            where {_CONDITIONS[kind]} and {COUNTED}
        )
        group by 1
        order by events desc, who
        """,
        {"name": name},
        first=summary.first,
        last=summary.last,
    )
    rows = found.rows
    users = tuple(
        User(str(row["who"]), int(row["events"]), row["first"], row["last"])
        for row in rows[:MOST_USERS]
        if row["who"] is not None
    )
    return Seen(
        sum(int(row["events"]) for row in rows),
        sum(int(row["failed"]) for row in rows),
        min((row["first"] for row in rows), default=None),
        max((row["last"] for row in rows), default=None),
        users,
        len(rows),
        found.query,
    )
