"""The order of what an identity did, where it is that of a break-in: it looked around, was denied,
changed permissions, and then succeeded. Events alone tell it, and only where all four are there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from alerts.alert import Alert, Principal
from enrich.calls.calls_sql import COUNTED
from enrich.data.after import Course, Stage
from enrich.entity import by_identity_id, entity_match, role_name_of
from enrich.facts.error_classes import error_class
from enrich.facts.targets import targets_of
from enrich.facts.techniques import high_signal, plain_name, sensitive_read
from enrich.window import NO_ONE, has_no_window, iso
from enrich.words import short
from trail.counted import counted
from trail.store import Query, Store

AROUND = timedelta(hours=24)
"""Before and after the alert."""
MOST = 5_000
"""Calls that are read, the earliest first: what stands after them is not told."""
GAP = timedelta(hours=1)
"""So long without a call ends a stretch of looking around."""
LEAST_LOOKS = 3
"""Fewer calls that look are what everybody makes."""
SHOWN_IDS = 50
MOST_CHANGES = 100
"""Calls that change permissions that are tried as the third step, those on itself first."""
_ITSELF = "on itself"
_LOOKS = re.compile(r"(?:List|Describe|Get|Head|Search|Lookup|BatchGet|Simulate)")
_PERMISSIONS = frozenset({"AddUserToGroup", "UpdateAssumeRolePolicy"})
"""Calls that change permissions and that the table of techniques has under persistence."""
_CLEARS = frozenset({"DeleteRolePolicy"})
"""Takes rights away as well as limits."""
Row = Mapping[str, Any]


def find_course(
    alert: Alert, principal: Principal, store: Store
) -> tuple[Course, tuple[Query, ...]]:
    """The order from a day before the alert to a day after it, and the query behind it."""
    without = has_no_window(alert)
    match = None if without else entity_match(alert, principal)
    if match is None:
        return Course(sentence=without[1] if without else NO_ONE), ()
    assert alert.first_seen is not None
    seen = max(alert.last_seen or alert.first_seen, alert.first_seen)
    first, last = alert.first_seen - AROUND, seen + AROUND
    whose, queries = by_identity_id(match, store, first, last)
    found = store.query(
        f"""
        select event_id, event_time, event_source, event_name, error_code, error_message, failed,
          case when event_source = 'iam.amazonaws.com' and coalesce(read_only, false) = false
            then request_parameters end as request_parameters
        from events
        where event_time >= $window_first and event_time <= $window_last and {whose.sql}
          and {COUNTED}
        order by event_time, event_id limit {MOST}
        """,
        {**whose.parameters, "window_first": first, "window_last": last},
        first=first,
        last=last,
    )
    course = course_of(found.rows, principal)
    looked = Course(window_first=iso(first), window_last=iso(last))
    queries = (*queries, found.query)
    if course is None:
        said = "No order of looking around, being denied, changing permissions and succeeding."
        return structs.replace(looked, status="nothing", sentence=said), queries
    stages, sentence = course
    told = structs.replace(looked, status="answered", sentence=sentence, stages=stages)
    return told, queries


def course_of(rows: Sequence[Row], principal: Principal) -> tuple[tuple[Stage, ...], str] | None:
    """The four stages and the line that tells them, of rows in their order; None where one of them
    is not there or not in its place. What is of one second has no order.

    Permissions that it changed for itself are told before those of others.
    """
    places = [place for place, row in enumerate(rows) if _escalates(row)][:MOST_CHANGES]
    on_itself = [place for place in places if _on(rows[place], principal) == _ITSELF]
    for place in (*on_itself, *places):
        row = rows[place]
        at = row["event_time"]
        before = _stretch_before(rows, place)
        looks = [one for one in before if not one["failed"] and _looks(one)]
        denials = [one for one in before if _is_denied(one)]
        if len(looks) < LEAST_LOOKS or not denials:
            continue
        if looks[0]["event_time"] >= denials[-1]["event_time"]:
            continue
        later = [one for one in rows[place + 1 :] if one["event_time"] > at and not one["failed"]]
        refused = {_api(one) for one in denials}
        done = next((one for one in later if _api(one) in refused), None)
        was_denied = done is not None
        done = done or next((one for one in later if _matters(one)), None)
        if done is None:
            continue
        looks = [one for one in looks if one["event_time"] < at]
        stages = (
            _stage("looked around", looks),
            _stage("denied", denials),
            _stage("escalated", [row]),
            _stage("succeeded", [done]),
        )
        return stages, _line(looks, denials, row, done, principal, was_denied=was_denied)
    return None


def _stretch_before(rows: Sequence[Row], place: int) -> list[Row]:
    """What was called before, back to the first pause."""
    at = rows[place]["event_time"]
    start, since = place, at
    while start > 0 and since - rows[start - 1]["event_time"] <= GAP:
        start -= 1
        since = rows[start]["event_time"]
    return [one for one in rows[start:place] if one["event_time"] < at]


def _line(
    looks: Sequence[Row],
    denials: Sequence[Row],
    changed: Row,
    done: Row,
    principal: Principal,
    *,
    was_denied: bool,
) -> str:
    day = looks[0]["event_time"]
    many = len(denials)
    refused = "denied once, at" if many == 1 else f"denied {counted(many, 'time')} until"
    then = f"then {_name(done)} {_clock(done, day)}"
    then += ", which had been denied" if was_denied else ""
    return (
        f"Looked around from {day:%Y-%m-%d %H:%M:%S} ({counted(len(looks), 'call')} that only"
        f" looked), {refused} {_clock(denials[-1], day)}, {_name(changed)}"
        f" {_clock(changed, day)} {_on(changed, principal)}, {then}."
    )


def _on(row: Row, principal: Principal) -> str:
    """On whom permissions were changed: "on itself", "on user bob"."""
    targets = targets_of(row["event_source"], row["request_parameters"])
    of = next((one for one in targets if one.kind in ("user", "role", "group")), None)
    if of is None:
        return f"on {short(targets[0].name)}" if targets else "on what the record does not name"
    own = {"user": principal.user_name, "role": role_name_of(principal)}.get(of.kind)
    if own is not None and own.casefold() == of.name.casefold():
        return _ITSELF
    return f"on {of.kind} {short(of.name)}"


def _clock(row: Row, day: datetime) -> str:
    at: datetime = row["event_time"]
    return f"{at:%H:%M:%S}" if at.date() == day.date() else f"{at:%Y-%m-%d %H:%M:%S}"


def _name(row: Row) -> str:
    return short(plain_name(str(row["event_name"])))


def _stage(kind: Any, rows: Sequence[Row]) -> Stage:
    return Stage(
        kind=kind,
        count=len(rows),
        first=iso(rows[0]["event_time"]),
        last=iso(rows[-1]["event_time"]),
        event_name=plain_name(str(rows[0]["event_name"])) if len(rows) == 1 else None,
        event_ids=tuple(row["event_id"] for row in rows[:SHOWN_IDS]),
    )


def _api(row: Row) -> tuple[Any, str]:
    return row["event_source"], plain_name(str(row["event_name"]))


def _looks(row: Row) -> bool:
    return _LOOKS.match(str(row["event_name"])) is not None


def _is_denied(row: Row) -> bool:
    return bool(row["failed"]) and (
        error_class(row["error_code"], row["error_message"]) == "denied"
    )


def _escalates(row: Row) -> bool:
    name = plain_name(str(row["event_name"]))
    if row["failed"] or row["event_source"] != "iam.amazonaws.com" or name in _CLEARS:
        return False
    signal = high_signal(row["event_source"], name)
    return name in _PERMISSIONS or (signal is not None and signal.kind == "privilege escalation")


def _matters(row: Row) -> bool:
    source, name = row["event_source"], str(row["event_name"])
    if _escalates(row):
        return False
    return high_signal(source, name) is not None or sensitive_read(source, name) is not None
