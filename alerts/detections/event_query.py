"""The queries that detections run over the event table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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
    "session_name, session_created, source_identity, sign_in_session_arn, failed"
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
        return _keys(self.group_by)[0]


@dataclass(frozen=True)
class Scope:
    """Which events are looked at: between two times, of calls with these names (None: of any)."""

    first: datetime
    last: datetime
    names: tuple[str, ...] | None = None
    read_from: datetime | None = None
    """From when on the sums of the days are read, for conditions about the days before."""

    def sql(self, of: str = "name") -> str:
        """The condition; its values are `parameters`, the names apart as `of` says."""
        bounds = "event_time >= $first and event_time <= $last and replaced is null"
        if self.names is None:
            return bounds
        listed = ", ".join(f"${of}_{number}" for number in range(len(self.names)))
        return f"{bounds} and event_name in ({listed})"

    def parameters(self, of: str = "name") -> dict[str, Any]:
        named = {f"{of}_{number}": name for number, name in enumerate(self.names or ())}
        return {"first": self.first, "last": self.last, **named}


def find_events(
    store: Store, conditions: Sequence[Condition], scope: Scope, further: Iterable[str] = ()
) -> Rows:
    """The events that any of the conditions holds for, oldest first, each with `held`: whether it
    does, by condition. Up to one more than `MAX_EVENTS`. `further` columns are read beside those
    that make an alert.
    """
    parts, parameters = _apart(conditions)
    columns = ", ".join(dict.fromkeys([*_COLUMNS.split(", "), *further]))
    return store.query(
        f"""
        select {columns}, [{", ".join(parts)}] as held
        from events
        where {scope.sql()} and ({" or ".join(parts)})
        order by event_time, event_id
        limit {MAX_EVENTS + 1}
        """,
        {**parameters, **scope.parameters()},
        first=scope.read_from or scope.first,
        last=scope.last,
    ).rows


def find_calls(store: Store, first: datetime, last: datetime) -> list[tuple[str, str]]:
    """The different calls of the days: source and name. Read from the sums of each day."""
    rows = store.query(
        "select distinct event_source, event_name from daily", first=first, last=last
    ).rows
    return [(row["event_source"], row["event_name"]) for row in rows]


def find_together(
    store: Store, conditions: Sequence[tuple[Condition, Scope]], group_by: tuple[str, ...]
) -> Rows:
    """The events of groups in which each condition holds for some event of its scope, oldest first,
    with the group's keys. An event that several hold for comes once for each.
    """
    parts, parameters = _apart([condition for condition, _ in conditions])
    keys, named = _keys(group_by)
    # Each condition reads on its own: what one asks of the days before is then asked of few events.
    found = " union all ".join(
        f"""
            select {_COLUMNS}{named}, [{", ".join(str(n == number) for n in range(len(parts)))}]
                as held
            from events
            where {scope.sql(f"name_{number}")} and {part}"""
        for number, (part, (_, scope)) in enumerate(zip(parts, conditions, strict=True))
    )
    for number, (_, scope) in enumerate(conditions):
        parameters |= scope.parameters(f"name_{number}")
    all_held = " and ".join(f"bool_or(held[{number + 1}])" for number in range(len(parts)))
    together = " and ".join(f"found.{key} = complete.{key}" for key in keys) or "true"
    group = f"group by {', '.join(keys)}" if keys else ""
    return store.query(
        f"""
        with found as materialized ({found}
        ),
        complete as (
            select {", ".join(keys) or "1 as one"} from found {group} having {all_held}
        )
        select found.*
        from found join complete on {together}
        order by event_time, event_id
        limit {MAX_EVENTS + 1}
        """,
        parameters,
        first=min(scope.read_from or scope.first for _, scope in conditions),
        last=max(scope.last for _, scope in conditions),
    ).rows


def _keys(group_by: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The columns of a group's keys, and SQL that selects them."""
    keys = tuple(f"key_{number}" for number in range(len(group_by)))
    named = "".join(
        f", {text_sql(target)} as {key}" for target, key in zip(group_by, keys, strict=True)
    )
    return keys, named


def find_crowded(
    store: Store, conditions: Sequence[Condition], counting: Counting, scope: Scope
) -> Rows:
    """As `find_events`, but only where a group may have enough, with its keys and `counted`.

    Time is cut into slices as long as the correlation's timespan. Any window of that length lies
    in two neighbours: what is in no pair with enough together is left in the store.
    """
    parts, parameters = _apart(conditions)
    keys, named = _keys(counting.group_by)
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
            where {scope.sql()} and ({" or ".join(parts)})
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
            **parameters,
            **scope.parameters(),
            "seconds": counting.seconds,
            "at_least": counting.at_least,
        },
        first=scope.read_from or scope.first,
        last=scope.last,
    ).rows


def _apart(conditions: Sequence[Condition]) -> tuple[list[str], dict[str, Any]]:
    """The conditions' SQL, the names of their values kept apart, and the values."""
    parts: list[str] = []
    parameters: dict[str, Any] = {}
    for number, condition in enumerate(conditions):
        parts.append(f"({_VALUE.sub(rf'$q{number}_', condition.sql)})")
        parameters |= {f"q{number}_{name[1:]}": v for name, v in condition.parameters.items()}
    return parts, parameters


_VALUE = re.compile(r"\$p(?=\d)")
