"""Sigma's counting correlations over rows that a rule found: where enough fall in one timespan."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sigma.correlations import SigmaCorrelationConditionOperator as Operator

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Stretch:
    """Rows in order of time, and the one with which there were enough for the first time."""

    rows: list[Row]
    turning: Row


HOLDS: Mapping[Operator, Callable[[float, float], bool]] = {
    Operator.GTE: lambda count, limit: count >= limit,
    Operator.GT: lambda count, limit: count > limit,
    Operator.EQ: lambda count, limit: count == limit,
}
"""Only counts that grow: "fewer than" would be true of every window with nothing in it."""


def bursts(
    rows: Iterable[Row],
    *,
    group_by: tuple[str, ...],
    distinct: str | None,
    timespan: timedelta,
    holds: Callable[[float], bool],
) -> list[Stretch]:
    """The rows of each stretch in which some window of `timespan` holds enough, by group.

    Rows are in order of `event_time`. With `distinct`, its different values are counted, events
    that lack it not; a group lacks none of its keys. Overlapping windows make one stretch.
    """
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        key = tuple(row[name] for name in group_by)
        if None not in key and (distinct is None or row[distinct] is not None):
            groups[key].append(row)
    found: list[Stretch] = []
    for members in groups.values():
        found += _bursts_of(members, distinct, timespan, holds)
    return sorted(found, key=lambda stretch: stretch.rows[0]["event_time"])


def _bursts_of(
    rows: list[Row],
    distinct: str | None,
    timespan: timedelta,
    holds: Callable[[float], bool],
) -> list[Stretch]:
    window: deque[int] = deque()
    values: dict[Any, int] = defaultdict(int)
    stretches: list[tuple[int, int, int]] = []  # first, last and turning row
    for number, row in enumerate(rows):
        window.append(number)
        if distinct is not None:
            values[row[distinct]] += 1
        while row["event_time"] - rows[window[0]]["event_time"] > timespan:
            oldest = rows[window.popleft()]
            if distinct is not None:
                values[oldest[distinct]] -= 1
                if values[oldest[distinct]] == 0:
                    del values[oldest[distinct]]
        if holds(len(window) if distinct is None else len(values)):
            first = window[0]
            if stretches and first <= stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], number, stretches[-1][2])
            else:
                stretches.append((first, number, number))
    return [Stretch(rows[first : last + 1], rows[turning]) for first, last, turning in stretches]
