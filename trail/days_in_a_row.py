"""Days as stretches without a gap."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

_ONE_DAY = timedelta(days=1)


def in_a_row(days: Iterable[date]) -> list[tuple[date, date]]:
    """The first and the last day of each stretch, in order."""
    stretches: list[tuple[date, date]] = []
    for day in sorted(days):
        if stretches and day - stretches[-1][1] == _ONE_DAY:
            stretches[-1] = (stretches[-1][0], day)
        else:
            stretches.append((day, day))
    return stretches


def span_in_words(first: date, last: date) -> str:
    """ "2026-03-01 to 2026-03-04", or the one day."""
    return f"{first}" if first == last else f"{first} to {last}"
