"""Event ids cut to their first eight characters, as our screens show them, in full again."""

from __future__ import annotations

import re

from enrich.anywhere import rows_anywhere
from trail.store import Store

_SHORT = re.compile(r"[0-9a-f]{8}")
MOST = 5
"""How many of the events that a short id may be are named."""


def is_short(event_id: str) -> bool:
    return _SHORT.fullmatch(event_id) is not None


def whole_ids(event_id: str, store: Store) -> list[str]:
    """The ids that begin with it, sorted, at most `MOST` + 1 of them.

    Every day's ids are read for it: a second or two in ten million events.
    """
    found = rows_anywhere(
        store,
        "select distinct event_id from events where starts_with(event_id, $beginning)"
        f" order by event_id limit {MOST + 1}",
        {"beginning": event_id},
    )
    return [str(row["event_id"]) for row in found]


def in_full(event_id: str, store: Store) -> str:
    """The whole id where it is a short one of one event; else as it was given."""
    found = whole_ids(event_id, store) if is_short(event_id) else []
    return found[0] if len(found) == 1 else event_id


def which(event_id: str, found: list[str]) -> str:
    """Why a short id is not taken for one event: none begins with it, or several do."""
    if not found:
        return f"No event of the index has an id that begins with {event_id}."
    more = " and more" if len(found) > MOST else ""
    return (
        f"Several events of the index have ids that begin with {event_id}: "
        f"{', '.join(found[:MOST])}{more}. Give the whole id of one."
    )
