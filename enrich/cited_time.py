"""The time of an alert that does not state one for sure, from the event that it cites."""

from __future__ import annotations

from dataclasses import replace

from alerts import parse_alerts
from alerts.alert import Alert
from alerts.parse import NO_TIME
from trail.errors import AlertUnrecognised, SourceUnreadable
from trail.store import Store


def with_its_events_time(alert: Alert, store: Store) -> Alert:
    """An alert whose time is not sure, at the time of the event that it cites, if it is indexed."""
    event_id = alert.event_id or next(iter(alert.event_ids), None)
    if event_id is None or alert.time_is_sure:
        return alert
    try:
        record = store.raw_records([event_id]).get(event_id)
        found = parse_alerts(record)[0] if record is not None else None
    except (SourceUnreadable, AlertUnrecognised):
        return alert
    if found is None or found.first_seen is None or found.time_is_fallback:
        return alert
    asked = alert.time_question.text if alert.time_question is not None else None
    return replace(
        alert,
        first_seen=found.first_seen,
        last_seen=found.last_seen,
        time_is_fallback=False,
        time_question=None,
        notes=(
            *(note for note in alert.notes if note not in (asked, NO_TIME)),
            f"The time is that of event {event_id} in the index.",
        ),
        origins={
            **alert.origins,
            "first_seen": f"event {event_id}",
            "last_seen": f"event {event_id}",
        },
    )
