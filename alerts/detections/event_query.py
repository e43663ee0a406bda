"""The queries that detections run over the event table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.detections.fields import text_sql
from trail.store import Store

MAX_EVENTS = 20_000
"""Events that one rule may find in one run; a rule that finds more is named among the problems."""

_COLUMNS = (
    "event_id, event_time, event_source, event_name, aws_region, recipient_account_id, "
    "source_ip_address, user_agent, error_code, identity_type, identity_id, principal_id, "
    "principal_arn, account_id, access_key_id, user_name, invoked_by, on_behalf_of, issuer_arn, "
    "session_name, session_created, source_identity, sign_in_session_arn"
)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Condition:
    """What a rule asks of one event: SQL, and the values bound in it."""

    sql: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Counting:
    """What a correlation counts: events, or different values, per group in a stretch of time."""

    group_by: tuple[str, ...]  # targets (see `fields`)
    distinct: str | None
    seconds: int
    at_least: float

    @property
    def keys(self) -> tuple[str, ...]:
        """The column of each group's key."""
        return tuple(f"key_{number}" for number in range(len(self.group_by)))


def find_events(store: Store, condition: Condition, first: datetime, last: datetime) -> Rows:
    """The events that the condition holds for, oldest first; up to one more than `MAX_EVENTS`."""
    return store.query(
        f"""
        select {_COLUMNS}
        from events
        where event_time >= $first and event_time <= $last and replaced is null
          and ({condition.sql})
        order by event_time, event_id
        limit {MAX_EVENTS + 1}
        """,
        {**condition.parameters, "first": first, "last": last},
        first=first,
        last=last,
    ).rows


def find_crowded(
    store: Store, condition: Condition, counting: Counting, first: datetime, last: datetime
) -> Rows:
    """As `find_events`, but only where a group may have enough, with its keys and `counted`.

    Time is cut into slices as long as the correlation's timespan. Any window of that length lies
    in two neighbours: what is in no pair with enough together is left in the store.
    """
    keys = counting.keys
    named = "".join(
        f", {text_sql(target)} as {key}"
        for target, key in zip(counting.group_by, keys, strict=True)
    )
    if counting.distinct is not None:
        named += f", {text_sql(counting.distinct)} as counted"
    if counting.distinct is None:
        gathered, size, none = "count(*)", "{mine} + {other}", "0"
    else:
        gathered, none = "list(distinct counted)", "[]"
        size = "len(list_distinct(list_concat({mine}, {other})))"
    with_earlier = size.format(
        mine="mine", other=f"case when after_one then earlier else {none} end"
    )
    with_later = size.format(mine="mine", other=f"case when before_one then later else {none} end")
    partition = f"partition by {', '.join(keys)} order by slice" if keys else "order by slice"
    together = " and ".join(f"found.{key} = slices.{key}" for key in (*keys, "slice"))
    group = ", ".join((*keys, "slice"))
    return store.query(
        f"""
        with found as materialized (
            select {_COLUMNS}{named}, cast(epoch(event_time) as bigint) // $seconds as slice
            from events
            where event_time >= $first and event_time <= $last and replaced is null
          and ({condition.sql})
        ),
        slices as (
            select {group}, {gathered} as mine,
                lag(slice) over ({partition}) = slice - 1 as after_one,
                lead(slice) over ({partition}) = slice + 1 as before_one,
                lag({gathered}) over ({partition}) as earlier,
                lead({gathered}) over ({partition}) as later
            from found
            group by {group}
        )
        select found.*
        from found join slices on {together}
        where {with_earlier} >= $at_least or {with_later} >= $at_least
        order by event_time, event_id
        limit {MAX_EVENTS + 1}
        """,
        {
            **condition.parameters,
            "first": first,
            "last": last,
            "seconds": counting.seconds,
            "at_least": counting.at_least,
        },
        first=first,
        last=last,
    ).rows


def either(conditions: Sequence[Condition]) -> Condition:
    """The conditions joined by "or", the names of their values kept apart."""
    if len(conditions) == 1:
        return conditions[0]
    parts: list[str] = []
    parameters: dict[str, Any] = {}
    for number, condition in enumerate(conditions):
        parts.append(f"({condition.sql.replace('$p', f'$q{number}_')})")
        parameters |= {f"q{number}_{name[1:]}": v for name, v in condition.parameters.items()}
    return Condition(" or ".join(parts), parameters)
