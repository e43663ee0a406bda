"""The principal's activity over time, counted in SQL: what the timeline chart draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from alerts.alert import Alert, Principal
from enrich.calls.calls_sql import calls
from enrich.entity import by_identity_id, entity_match
from trail.store import Store
from ui.kit import charts
from ui.shell import data

BEFORE, AFTER = timedelta(days=14), timedelta(hours=24)


@dataclass(frozen=True)
class Activity:
    """Events per bucket between two times; `unit` is "minute", "hour" or "day"."""

    buckets: list[dict[str, Any]]
    unit: str
    first: datetime
    last: datetime

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
    return _activity(store.version(), data.fingerprint(alert, principal), store, alert, principal)


@st.cache_resource(ttl="1h", max_entries=64, show_spinner=False)
def _activity(
    version: str, of_what: str, _store: Store, _alert: Alert, _principal: Principal
) -> Activity | None:
    if _alert.first_seen is None or _alert.last_seen is None:
        return None
    first, last = _alert.first_seen - BEFORE, _alert.last_seen + AFTER
    entity = entity_match(_alert, _principal)
    whole = entity_match(_alert, _principal, scope="whole_role")
    if entity is None or whole is None:
        return None
    match, _ = by_identity_id(whole, _store, first, last)
    if entity.role_filter is None:
        return count_over_time(_store, match.sql, match.parameters, first, last)
    # A role's own events beside those of its other sessions: a lone burst shows as one.
    own = {
        name: value
        for name, value in entity.parameters.items()
        if name in ("entity_session", "entity_ip")
    }
    return count_over_time(
        _store, match.sql, {**match.parameters, **own}, first, last, own=entity.role_filter
    )


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
    return Activity(rows, unit, first, last)


def specification(found: Activity, alert: Alert | None = None) -> charts.Spec:
    """The chart of it, with the alert's time marked when there is one."""
    return charts.timeline(
        found.buckets,
        found.unit,
        alert.first_seen if alert else None,
        alert.last_seen if alert else None,
        _whole_buckets(found),
    )


def draw_activity(found: Activity, key: str, spec: charts.Spec) -> None:
    st.vega_lite_chart(
        spec,
        key=key,
        width="stretch",
        alt=f"Events per {found.unit}, failed ones apart: {found.events:,} in all.",
    )


def _whole_buckets(found: Activity) -> tuple[datetime, datetime]:
    """The span out to the edges of its first and last bucket, so that no bar is cut."""
    size = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
    step = size[found.unit]
    zero = datetime(2000, 1, 1, tzinfo=UTC)
    return (
        zero + (found.first - zero) // step * step,
        zero + ((found.last - zero) // step + 1) * step,
    )
