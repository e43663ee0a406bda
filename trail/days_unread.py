"""Of which days and accounts there were records that could not be taken for events.

Such a day is not covered as a whole: what is asked about it may be among what was not read. A
reject's position says it, for people and for `unread_days`, and no other position looks like it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

ANYBODY = ""
"""In place of an account that is not known."""
LIKE = "% of ____-__-__%"
"""The positions that have a day, for SQL."""
_OF = re.compile(r" of (\d{4}-\d\d-\d\d)(?: in account (\d{12}))?$")


def unread_of(day: date, account: str | None) -> str:
    """What a position says of the event that is lost: its UTC day, and its account if known."""
    is_known = account is not None and re.fullmatch(r"\d{12}", account) is not None
    return f" of {day}" + (f" in account {account}" if is_known else "")


def told_by(position: str) -> str:
    """The part of a position that says of which day and account a record was, else ""."""
    match = _OF.search(position)
    return "" if match is None else match[0]


def unread_days(positions: Iterable[str]) -> dict[str, set[date]]:
    """Account (or `ANYBODY`) → days of which it has records that could not be read."""
    days: dict[str, set[date]] = {}
    for match in filter(None, map(_OF.search, positions)):
        days.setdefault(match[2] or ANYBODY, set()).add(date.fromisoformat(match[1]))
    return days
