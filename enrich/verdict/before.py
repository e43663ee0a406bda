"""How much is known of the time before the alert's day, as a count and in words."""

from __future__ import annotations

from datetime import datetime

from enrich.count import Count, Events
from enrich.data.found import Earlier
from enrich.entity import ROLE_TYPES
from enrich.verdict.weight import Answers
from trail.counted import counted


def known_before(before: Earlier | None) -> Count | None:
    """How much is known of the time before the alert's day, if it is enough to call things new."""
    if before is None or not before.sufficient:
        return None
    return Count(events_before(before), number=before.events, noun="event", distinct="event_id")


def events_before(before: Earlier) -> Events:
    first, last = map(datetime.fromisoformat, (before.window_first, before.window_last))
    return Events("whole_role", first, last, open_end=True)


def in_words(known: Answers, before: Count, told: Earlier | None) -> str:
    """How many events that is, whose and from when on there are logs: other lines count the 14 days
    alone, and some of them one session: "882 events of the whole role from 2026-03-01 on,".
    """
    is_role = known.principal.type in ROLE_TYPES
    whose = " of the whole role" if is_role else ""
    since = ""
    if told is not None and told.logs_from is not None:
        since = f" from {told.logs_from} on,"
        if told.days_missing:
            since = f" from {told.logs_from} on ({counted(told.days_missing, 'day')} without logs),"
    return f"{before}{whose}{since}"
