"""Small pieces of the sentences: counted nouns, and strings from logs cut to a readable length."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from alerts.alert import Principal
from trail.counted import counted
from trail.quoted import short

__all__ = ["age", "called", "clock", "listed", "short"]


def called(principal: Principal) -> str:
    """What an identity of an alert goes by, the most telling first; else its kind."""
    return (
        principal.arn
        or principal.principal_id
        or principal.role_arn
        or principal.access_key_id
        or principal.user_name
        or principal.type
    )


def listed(items: Iterable[str], *, at_most: int = 5) -> str:
    """ "a, b and c", or "a, b and 7 more"."""
    every = list(items)
    if len(every) > at_most:
        every = [*every[: at_most - 1], f"{len(every) - at_most + 1} more"]
    if len(every) > 1:
        return f"{', '.join(every[:-1])} and {every[-1]}"
    return every[0] if every else ""


def age(span: timedelta) -> str:
    """A length of time in the largest unit that still tells it well: "111 s", "5 h", "572 days"."""
    seconds = int(abs(span).total_seconds())
    for limit, unit, word in ((120, 1, "s"), (7200, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds // unit} {word}"
    return counted(seconds // 86400, "day")


def clock(moment: datetime | None) -> str:
    """ "2026-03-10 06:06:00 UTC"."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment is not None else "an unknown time"
