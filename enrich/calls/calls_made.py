"""Every call of a principal in a window, and what it had called before: two reads that questions 3
and 4 share word for word, so that the store runs each once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from alerts.alert import Alert, Principal
from enrich.calls.calls_sql import (
    BY_SERVICE,
    COUNTED,
    IN_CONSOLE,
    ORIGINAL_RULE,
    bounds,
    calls_in,
    counted_calls,
    each_call_once,
    midnight,
)
from enrich.calls.replaced import replaced_caveats
from enrich.data.found import Earlier
from enrich.entity import Match, account_of, by_identity_id
from enrich.sql_text import values_in
from enrich.window import Window, iso
from trail.counted import counted
from trail.store import Query, Store

LOOK_BACK = timedelta(days=35)
"""How far before the window a call may last have been made and still be "made before": past the
last run of a monthly job."""
LEAST_EVENTS = 10
"""With fewer calls, or calls of one day only, nothing is said to be new (§9)."""

_KEYS = {
    "event_source": "event_source",
    "event_name": "event_name",
    "error_code": "error_code",
    "interesting": ORIGINAL_RULE,
    "day": "day",
    # A failed sign-in has no error code: beside successful ones, each would cite the others.
    "is_failed": "failed",
}
_CONDITIONS = {"failed": "failed", "by_service": BY_SERVICE, "in_console": IN_CONSOLE}


def calls_made(
    match: Match, store: Store, window: Window
) -> tuple[list[dict[str, Any]], tuple[str, ...], Query]:
    """The calls by service, API, error, day and result: `calls` and how many of them `failed`, were
    made `by_service` or `in_console`; `events`, `first`, `last`, `a_message`, newest `event_ids`.
    And caveats about records that do not count by themselves.
    """
    found = store.query(
        counted_calls(_KEYS, _CONDITIONS, calls_in(match.sql)),
        {**match.parameters, **bounds(match.sql, window)},
        first=window.first,
        last=window.last,
    )
    made = each_call_once(found.rows, _KEYS, _CONDITIONS)
    return made, replaced_caveats(found.rows, match, store, window), found.query


def made_before(
    alert: Alert, whole: Match, store: Store, window: Window
) -> tuple[list[dict[str, Any]], Window, tuple[Query, ...]]:
    """Every API called before the alert's day, back to the day that was `LOOK_BACK` before the
    window, with `events`, the `first` and the `last` time, the number of `days`, and `most` on one
    of them (`most_on`); and the time looked at.
    """
    assert alert.first_seen is not None
    before = Window(midnight(window.first - LOOK_BACK), midnight(alert.first_seen))
    whole, queries = by_identity_id(whole, store, before.first, before.last)
    sql = f"""
        select event_source, event_name, cast(sum(n) as bigint) as events,
            min(first) as first, max(last) as last, count(*) as days,
            cast(max(n) as bigint) as most, max_by(day, row(n, day)) as most_on
        from (
            select event_source, event_name, day, sum(n) as n,
                min(first_time) as first, max(last_time) as last
            from {calls_in(whole.sql, open_end=True, whole_days=True)} as calls
            where {COUNTED}
            group by 1, 2, 3
        ) as by_day
        group by 1, 2
    """
    found = store.query(
        sql,
        values_in(sql, {**whole.parameters, **bounds(whole.sql, before)}),
        first=before.first,
        last=before.last,
    )
    return found.rows, before, (*queries, found.query)


def earlier(
    found: Sequence[Mapping[str, Any]],
    window: Window,
    store: Store,
    alert: Alert,
    principal: Principal,
) -> Earlier:
    """The rows of `made_before` in short, and from when on there are logs of that time at all."""
    events = sum(row["events"] for row in found)
    days = {row[end].date() for row in found for end in ("first", "last")}
    account = account_of(alert, principal)
    last = window.last - timedelta(microseconds=1)
    logs = store.coverage(None if account is None else [account], window.first, last)
    return Earlier(
        logs_from=f"{logs.days[0]}" if logs.days else None,
        days_missing=sum(day > logs.days[0] for day in logs.missing) if logs.days else 0,
        events=events,
        window_first=iso(window.first),
        window_last=iso(window.last),
        sufficient=events >= LEAST_EVENTS and len(days) > 1,
    )


def evidence_caveats(evidence: Sequence[str], events: int) -> tuple[str, ...]:
    """What is said when an answer names fewer events than it counted."""
    if len(evidence) >= events:
        return ()
    return (
        f"The evidence lists {len(evidence):,} of {counted(events, 'event')}: of each"
        " kind of call the newest few of a day.",
    )
