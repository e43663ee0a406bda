"""Whether the events that an alert itself is, or cites, are in the index.

Where one is not, logs of that very time are missing, however well the days around are covered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from alerts.alert import Alert
from enrich.sql_text import bound_list, bound_values
from enrich.words import short
from trail.counted import counted
from trail.store import Store

MOST = 20
"""Event ids of one alert that are looked for."""
_NEAR = timedelta(days=1)
"""An exporter may have rewritten a record's time, or the alert have its day's."""


def missing_own_event(alert: Alert, store: Store) -> str | None:
    """What is missing, in words, where an event that the alert is, or cites, is not indexed.

    A data event says nothing: other trails log those.
    """
    ids = list(dict.fromkeys([alert.event_id] if alert.event_id else alert.event_ids))[:MOST]
    if not ids or alert.sample or alert.first_seen is None or _is_data_event(alert):
        return None
    first = alert.first_seen - _NEAR
    last = max(alert.first_seen, alert.last_seen or alert.first_seen) + _NEAR
    missing = ids
    # Mostly they are the principal's, whose events lie together; else they may be anybody's.
    for whose in dict.fromkeys((_filed_under(alert), ())):
        by_whom = f"and identity_id in {bound_list('whose', whose)}" if whose else ""
        found = store.query(
            f"""
            select distinct event_id from events
            where event_time >= $near_first and event_time <= $near_last
              and event_id in {bound_list("own", missing)} {by_whom}
            """,
            {
                **bound_values("own", missing), **bound_values("whose", whose),
                "near_first": first, "near_last": last,
            },
            first=first,
            last=last,
        )  # fmt: skip
        known = {row["event_id"] for row in found.rows}
        missing = [one for one in missing if one not in known]
        if not missing:
            return None
    if alert.event_id is not None:
        return f"the alert's own event ({short(missing[0])}) is not in the index"
    return (
        f"{len(missing)} of the {counted(len(ids), 'event')} that the alert cites"
        f" ({short(missing[0])}{', …' if len(missing) > 1 else ''}) are not in the index"
    )


def _filed_under(alert: Alert) -> tuple[str, ...]:
    """The identity ids that the alert's principals may have (`trail.events.identity_id`)."""
    found: dict[str, None] = {}
    for principal in alert.principals:
        whole = principal.principal_id or ""
        found |= dict.fromkeys((whole.partition(":")[0], whole, principal.arn or ""))
    return tuple(one for one in found if one)


def _is_data_event(alert: Alert) -> bool:
    try:
        record: Any = json.loads(alert.raw)
    except ValueError:
        return False
    record = record.get("detail", record) if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping):
        return False
    return record.get("managementEvent") is False or record.get("eventCategory") not in (
        None,
        "Management",
    )
