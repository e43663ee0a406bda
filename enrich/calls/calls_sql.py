"""SQL pieces for counting calls rather than rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from enrich.window import ONE_DAY, Window


def calls(condition: str | None = None) -> str:
    """The number of calls among the rows (those that meet the condition).

    Records that share a `call_id` count once, and those that are `replaced` not at all: what
    counts as one call is said in `trail.calls`.
    """
    met = COUNTED if condition is None else f"{COUNTED} and ({condition})"
    return (
        f"(count(*) filter (where call_id is null and {met})"
        f" + count(distinct call_id) filter (where {met}))"
    )


COUNTED = "replaced is null"
"""The condition that a record counts at all: no other one counts in its place."""


EVIDENCE = 200
"""How many event ids an answer names: the newest of each group of calls, newest groups first."""

_COLUMNS = (
    "identity_type",
    "invoked_by",
    "session_name",
    "session_from_console",
    "event_source",
    "event_name",
    "aws_region",
    "source_ip_address",
    "user_agent",
    "error_code",
    "error_message",
    "call_id",
    "replaced",
)


def calls_in(match: str, *, open_end: bool = False, whole_days: bool = False) -> str:
    """A relation of the calls in a window that meet a condition, as few rows as can be.

    Each row stands for `n` events alike in all columns, from `first_time` to `last_time` on one
    `day`. Whole days come from the day rollup, the window's edges event by event, so every count
    is exact. `event_ids` names the newest of the events, newest first. `hours` is the hour of the
    day (UTC) of a single event, else how many there were in each of the 24, as a JSON list.
    `bounds` binds the window's values. With `whole_days` the window is from a midnight to a
    midnight: it has no edges to read.
    """
    columns = ", ".join(_COLUMNS)
    of_events = f"""
        select {columns}, failed, cast(event_time as date) as day,
            1 as n, event_time as first_time, event_time as last_time,
            [event_id] as event_ids, cast(hour(event_time) as varchar) as hours
        from {"events" if "access_key_id" in match else "edges"}
        where event_time >= $window_first and event_time {"<" if open_end else "<="} $window_last
    """
    if "access_key_id" in match:  # the rollup does not tell keys apart: there are too many
        return f"({of_events} and {match})"
    of_days = f"""
        select {columns}, failed > 0 as failed, day,
            count as n, first as first_time, last as last_time, event_ids, hours
        from daily
        where day >= cast($whole_first as date) and day < cast($whole_last as date) and {match}
    """
    if whole_days:
        return f"({of_days})"
    return f"""({of_events}
            and (event_time < $whole_first or event_time >= $whole_last) and {match}
        union all {of_days})"""


def bounds(match: str, window: Window) -> dict[str, datetime]:
    """The window, and the whole UTC days in it, from midnight to midnight."""
    edges = {"window_first": window.first, "window_last": window.last}
    if "access_key_id" in match:
        return edges
    first = midnight(window.first)
    if first < window.first:
        first += ONE_DAY
    last = max(midnight(window.last), first)
    return edges | {"whole_first": first, "whole_last": last}


def midnight(moment: datetime) -> datetime:
    """The beginning of the moment's UTC day."""
    return datetime.combine(moment.astimezone(UTC), time(), UTC)


def counted_calls(keys: Mapping[str, str], conditions: Mapping[str, str], relation: str) -> str:
    """A statement that groups the rows of `calls_in` by the keys, and counts their events.

    `events` are all and those of each condition, by its name; `a_message` is one of theirs, and
    `event_ids` are the newest, newest first. Events with a `call_id` are groups of their own, as
    are those that are `replaced`: `each_call_once` makes calls of them. (An engine plans that for
    as long as it counts.)
    """
    told = ", ".join(f"{sql} as {name}" for name, sql in keys.items())
    numbers = ", ".join(str(number + 1) for number in range(len(keys) + 2))
    counts = "".join(
        f"cast(coalesce(sum(n) filter (where {sql}), 0) as bigint) as {name}, "
        for name, sql in conditions.items()
    )
    return f"""
        select {told}, call_id, replaced, cast(sum(n) as bigint) as events, {counts}
            bool_and(coalesce(identity_type = 'AWSAccount', false)) as is_owners_copy,
            min(first_time) as first, max(last_time) as last, max(error_message) as a_message,
            {_newest("event_ids", "last_time")} as event_ids
        from {relation} as calls
        group by {numbers}
    """


def each_call_once(
    rows: Iterable[Mapping[str, Any]], keys: Iterable[str], conditions: Iterable[str]
) -> list[dict[str, Any]]:
    """The groups that `counted_calls` counted, one for each of the keys' values.

    `calls` and the conditions' counts are of calls; `events` are events, of which a call may have
    several. One of them says what the call was (see `one_of_each_call`), and its group names them
    all in `event_ids`.
    """
    names, counts = tuple(keys), ("calls", *conditions)
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in one_of_each_call(rows):
        group = {**row, "calls": row["events"]}
        if group["call_id"] is not None:
            group |= {name: min(group[name], 1) for name in ("calls", *conditions)}
            group["events"], group["event_ids"] = row["copies"], row["copies_ids"]
        found.setdefault(tuple(row[name] for name in names), []).append(group)
    return [groups[0] if len(groups) == 1 else _joined(groups, counts) for groups in found.values()]


def one_of_each_call(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Groups of records (with `call_id`, `replaced`, `is_owners_copy`, `first`, `event_ids`), and
    of those that share a call one alone: the caller's copy, if there is one, else the earliest.

    That one has `copies`, how many events the call has, and `copies_ids`. Groups of replaced
    records are left out: another record speaks for each of them.
    """
    groups: list[Mapping[str, Any]] = []
    shared: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["replaced"] is not None:
            continue
        if row["call_id"] is None:
            groups.append(row)
        else:
            shared.setdefault(row["call_id"], []).append(row)
    for of_call in shared.values():
        of_call.sort(key=lambda copy: (copy["is_owners_copy"], copy["first"], copy["event_ids"]))
        ids = [event_id for copy in of_call for event_id in copy["event_ids"]]
        copies = sum(copy.get("events", copy.get("n", 0)) for copy in of_call)
        once = list(dict.fromkeys(ids))
        if copies == len(ids):
            copies = len(once)  # one event id on two days is one event
        groups.append({**of_call[0], "copies": copies, "copies_ids": once})
    return groups


def _joined(groups: Sequence[Mapping[str, Any]], counts: Iterable[str]) -> dict[str, Any]:
    messages = [group["a_message"] for group in groups if group["a_message"] is not None]
    return {
        **groups[0],
        **{name: sum(group[name] for group in groups) for name in (*counts, "events")},
        "first": min(group["first"] for group in groups),
        "last": max(group["last"] for group in groups),
        "a_message": max(messages, default=None),
        "event_ids": newest_ids(groups),
    }


def each_once(name: str) -> str:
    """A count of events summed over groups of one `call_id` each: as calls, so that those that
    share one count once.
    """
    once = f"case when call_id is null then {name} else least({name}, 1) end"
    return f"cast(sum({once}) as bigint)"


def _newest(event_ids: str, last: str) -> str:
    """The event ids of the newest of some rows, as one list."""
    return f"flatten(max_by({event_ids}, row({last}, {event_ids}), {EVIDENCE}))"


def grouped_calls(keys: Mapping[str, str], relation: str) -> str:
    """A statement for groups of calls: the keys by name, `n`, `first`, `last`, `event_ids`.

    Each copy of a call that is logged twice is a group of its own, with its `call_id`, as are
    records that are `replaced`: `enrich.calls.history.one_copy_each` keeps one of each call. `hours`
    lists the `hours` of `calls_in`.
    """
    told = ", ".join(f"{sql} as {name}" for name, sql in keys.items())
    numbers = ", ".join(str(number + 1) for number in range(len(keys) + 3))
    return f"""
        select {told}, call_id, replaced,
            coalesce(identity_type = 'AWSAccount', false) as is_owners_copy,
            cast(sum(n) as bigint) as n, min(first_time) as first, max(last_time) as last,
            list(hours) as hours, {_newest("event_ids", "last_time")} as event_ids
        from {relation} as calls
        group by {numbers}
    """


def newest_ids(groups: Iterable[Mapping[str, Any]], limit: int = EVIDENCE) -> list[str]:
    """The event ids of groups of calls, each once, those of the newest group first."""
    ordered = sorted(groups, key=lambda group: (group["last"], group["event_ids"]), reverse=True)
    return list(dict.fromkeys(one for group in ordered for one in group["event_ids"]))[:limit]


ORIGINAL_RULE = """(
    failed
    or not (
        (event_name like 'Get%' and event_name <> 'GetPasswordData')
        or event_name like 'List%' or event_name like 'Head%' or event_name like 'Describe%'
    )
)"""
"""The original write-up's "interesting" (§6.1): by the name's beginning, case and all."""

BY_SERVICE = "invoked_by like '%.amazonaws.com' and invoked_by <> 'signin.amazonaws.com'"
"""A call that an AWS service made on the caller's behalf; the console's sign-in is a person."""

IN_CONSOLE = """coalesce(session_from_console, false)
    or invoked_by = 'signin.amazonaws.com'
    or user_agent = 'signin.amazonaws.com'
    or user_agent like 'console.%amazonaws.com'
    or user_agent like '%S3Console/%'
    or user_agent like 'Mozilla/%'"""
"""A call that a person made in the console (§4.2), by its stronger signs."""
