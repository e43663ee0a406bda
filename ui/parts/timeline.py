"""The principal's activity over time, counted in SQL: what the timeline chart draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from alerts.alert import Alert, Principal
from enrich.calls.calls_sql import calls
from enrich.entity import account_of, by_identity_id, entity_match
from enrich.facts.targets import JSON_COLUMNS, with_targets
from enrich.questions.baseline import DAYS, GAP
from enrich.window import ONE_DAY
from trail.counted import counted
from trail.days_in_a_row import in_a_row
from trail.store import Store
from ui.kit import chart_clicks, charts
from ui.kit.markup import Node, el

BEFORE, AFTER = timedelta(days=DAYS), timedelta(hours=24)
MOST_LISTED = 50
"""Events of a chosen stretch that are listed; the event search has them all."""

_STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_ZERO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Activity:
    """Events per bucket between two times; `unit` is "minute", "hour" or "day".

    `condition` and `parameters` found them. `no_logs` are the days without any of the account.
    """

    buckets: list[dict[str, Any]]
    unit: str
    first: datetime
    last: datetime
    condition: str
    parameters: Mapping[str, Any]
    no_logs: tuple[date, ...] = ()

    @property
    def events(self) -> int:
        """Those of the principal itself."""
        return sum(row["events"] for row in self.buckets)

    @property
    def others(self) -> int:
        """Those of the role's other sessions."""
        return sum(row["others"] for row in self.buckets)


def activity(store: Store, alert: Alert, principal: Principal) -> Activity | None:
    """Two weeks to the alert and a day after it; None when nothing identifies the principal."""
    if alert.first_seen is None or alert.last_seen is None:
        return None
    first, last = alert.first_seen - BEFORE, alert.last_seen + AFTER
    entity = entity_match(alert, principal)
    whole = entity_match(alert, principal, scope="whole_role")
    if entity is None or whole is None:
        return None
    match, _ = by_identity_id(whole, store, first, last)
    account = account_of(alert, principal)
    missing = store.coverage(None if account is None else [account], first, last).missing
    if entity.role_filter is None:
        found = count_over_time(store, match.sql, match.parameters, first, last)
        return replace(found, no_logs=missing)
    # A role's own events beside those of its other sessions: a lone burst shows as one.
    own = {
        name: value
        for name, value in entity.parameters.items()
        if name in ("entity_session", "entity_ip")
    }
    found = count_over_time(
        store, match.sql, {**match.parameters, **own}, first, last, own=entity.role_filter
    )
    return replace(found, no_logs=missing)


def count_over_time(
    store: Store,
    condition: str,
    parameters: Any,
    first: datetime,
    last: datetime,
    *,
    own: str = "true",
) -> Activity:
    """Events that meet a condition of ours, per minute, hour or day as the span is long.

    Those that do not meet `own` as well are counted apart, as `others`.
    """
    span = last - first
    unit = (
        "minute"
        if span <= timedelta(hours=4)
        else ("hour" if span <= timedelta(days=21) else "day")
    )
    rows = store.query(
        f"""
        select date_trunc('{unit}', event_time) as at,
               {calls("own")} as events,
               {calls("own and failed")} as failed,
               {calls("not own")} as others
        from (
            select event_time, failed, call_id, replaced, coalesce({own}, false) as own
            from events
            where event_time >= $span_first and event_time <= $span_last and {condition}
        )
        group by 1
        order by 1
        """,
        {**parameters, "span_first": first, "span_last": last},
        first=first,
        last=last,
    ).rows
    return Activity(rows, unit, first, last, f"({condition}) and ({own})", parameters)


def specification(found: Activity, alert: Alert | None = None) -> charts.Spec:
    """The chart of it, with the alert's time and what it is compared with marked."""
    return charts.timeline(found.buckets, found.unit, whole_buckets(found), _marked(found, alert))


def timeline_key(found: Activity, alert: Alert | None = None) -> Node:
    """What the chart's colours and shades mean, as far as they occur in it."""
    marked = _marked(found, alert)
    kinds = {
        "worked": ("succeeded", any(row["events"] > row["failed"] for row in found.buckets)),
        "failed": ("failed", any(row["failed"] for row in found.buckets)),
        "other": (charts.OTHERS, bool(found.others)),
        "alert": ("the alert", marked.alert),
        "baseline": (f"baseline, {DAYS} days", marked.baseline),
        "skipped": (f"{GAP // timedelta(hours=1)} hours skipped: compared with neither",
                    marked.skipped),
        "gap": ("no logs", marked.no_logs),
    }  # fmt: skip
    return el(
        "div",
        "row small mute",
        *(
            el("span", f"key key-{kind}", words)
            for kind, (words, occurs) in kinds.items()
            if occurs
        ),
    )


def draw_activity(found: Activity, key: str, spec: charts.Spec) -> tuple[datetime, datetime] | None:
    """Draws the chart; the stretch that was chosen in it, out to whole buckets."""
    days = counted(len(found.no_logs), "day without logs is", "days without logs are")
    hatched = f" {days} hatched." if found.no_logs else ""
    chosen = chart_clicks.draw_brushed(
        spec,
        key,
        f"Events per {found.unit}, failed ones apart: {found.events:,} in all, "
        f"{sum(row['failed'] for row in found.buckets):,} failed.{hatched}"
        " Drag over it to list the events of a stretch.",
        whole_buckets(found),
    )
    return _to_buckets(found, *chosen) if chosen else None


def stretch_chosen(found: Activity, key: str) -> tuple[datetime, datetime] | None:
    """The stretch that was chosen in the chart, for what is drawn above it."""
    chosen = chart_clicks.chosen_stretch(st.session_state.get(key), whole_buckets(found))
    return _to_buckets(found, *chosen) if chosen else None


@dataclass(frozen=True)
class Listed:
    """The oldest events of a stretch, and how many there are."""

    rows: list[dict[str, Any]]
    events: int
    failed: int


def events_between(store: Store, found: Activity, first: datetime, last: datetime) -> Listed:
    """What the timeline counts from `first` to before `last`."""
    bound = {**found.parameters, "span_first": first, "span_last": last}
    where = f"""
        from events
        where event_time >= $span_first and event_time < $span_last and {found.condition}
    """
    counted = store.query(
        f"select {calls()} as events, {calls('failed')} as failed {where}",
        bound,
        first=first,
        last=last,
    ).rows[0]
    listed = store.query(
        f"""
        select event_id, event_time, event_source, event_name, error_code, failed, principal_arn,
               identity_id, source_ip_address, user_agent, replaced, replaced_by,
               original_event_id, {JSON_COLUMNS}
        {where}
        order by event_time, event_id limit {MOST_LISTED}
        """,
        bound,
        first=first,
        last=last,
    ).rows
    return Listed([with_targets(row) for row in listed], counted["events"], counted["failed"])


def whole_buckets(found: Activity) -> tuple[datetime, datetime]:
    """The span out to the edges of its first and last bucket, so that no bar is cut."""
    return _to_buckets(found, found.first, found.last + timedelta(microseconds=1))


def _to_buckets(found: Activity, first: datetime, last: datetime) -> tuple[datetime, datetime]:
    step = _STEPS[found.unit]
    return (
        _ZERO + (first - _ZERO) // step * step,
        _ZERO + -((_ZERO - last) // step) * step,
    )


def _marked(found: Activity, alert: Alert | None) -> charts.Marked:
    no_logs = _runs(found.no_logs, whole_buckets(found))
    if alert is None or alert.first_seen is None or alert.last_seen is None:
        return charts.Marked(no_logs=no_logs)
    compared_to = alert.first_seen - GAP
    return charts.Marked(
        alert=(alert.first_seen, alert.last_seen),
        baseline=(alert.first_seen - timedelta(days=DAYS), compared_to),
        skipped=(compared_to, alert.first_seen),
        no_logs=no_logs,
    )


def _runs(
    days: Sequence[date], span: tuple[datetime, datetime]
) -> tuple[tuple[datetime, datetime], ...]:
    """Neighbouring days as one stretch each, cut to the span."""
    runs = ((_begins(first), _begins(last + ONE_DAY)) for first, last in in_a_row(days))
    cut = ((max(start, span[0]), min(end, span[1])) for start, end in runs)
    return tuple((start, end) for start, end in cut if start < end)


def _begins(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
