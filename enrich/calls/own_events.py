"""The alert's own events: those that it cites, or that are what it says, and nothing else.

What speaks for a true positive is mostly said of these. A finding without event ids is about the
events in its window that agree with everything it states; what merely happened nearby is not it.
"""

from __future__ import annotations

from alerts.alert import Alert
from enrich.calls.likeness import alike
from enrich.data.baseline import OwnEvent
from enrich.entity import Match
from enrich.sql_text import bound_list, bound_values, values_in
from enrich.window import days_before, iso
from trail.store import Query, Store

OWN_EVENTS = 20


def stated_events(alert: Alert) -> tuple[OwnEvent, ...]:
    """The one event that the alert itself is, which need not be indexed to be read."""
    if alert.event_id is None or alert.first_seen is None:
        return ()
    return (OwnEvent(event_id=alert.event_id, event_time=iso(alert.first_seen)),)


def own_events(
    alert: Alert, whose: Match, store: Store
) -> tuple[tuple[OwnEvent, ...], tuple[Query, ...]]:
    """The alert's events, the earliest first."""
    if alert.event_id is not None:
        return stated_events(alert), ()
    conditions, values = alike(alert)
    if not conditions:
        return (), ()
    wanted = list(conditions.values())
    if alert.error_code is not None:
        wanted.append("error_code = $alert_error")
        values["alert_error"] = alert.error_code
    if alert.event_ids:
        wanted.append(f"event_id in {bound_list('cited', alert.event_ids)}")
        values |= bound_values("cited", alert.event_ids)
    window = days_before(alert, 0)
    sql = f"""
        select event_id, event_time from events
        where event_time >= $window_first and event_time <= $window_last
          and {whose.sql} and {" and ".join(wanted)}
        order by event_time, event_id limit {OWN_EVENTS}
    """
    bound = {**whose.parameters, "window_first": window.first, "window_last": window.last}
    found = store.query(
        sql, values_in(sql, {**values, **bound}), first=window.first, last=window.last
    )
    own = (OwnEvent(event_id=r["event_id"], event_time=iso(r["event_time"])) for r in found.rows)
    return tuple(own), (found.query,)
