"""Sigma's correlations over rows that rules found: enough of them, or one after another, in a
timespan."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    since: datetime | None = None,
) -> list[Stretch]:
    """The rows of each stretch in which some window of `timespan` holds enough, by group.

    Rows are in order of `event_time`. With `distinct`, its different values are counted, events
    that lack it not; a group lacks none of its keys. Overlapping windows that end on one UTC day
    make one stretch, so that what is found of a day does not hang on the days before. Windows that
    end before `since` are left out.
    """
    kept = (row for row in rows if distinct is None or row[distinct] is not None)
    found: list[Stretch] = []
    for members in _by_group(kept, group_by):
        found += _stretches(members, _enough(members, distinct, timespan, holds), since)
    return sorted(found, key=lambda stretch: stretch.rows[0]["event_time"])


def sequences(
    rows: Iterable[Row],
    *,
    group_by: tuple[str, ...],
    rules: int,
    ordered: bool,
    timespan: timedelta,
    since: datetime | None = None,
) -> list[Stretch]:
    """As `bursts`, of the windows in which each of so many rules found a row; with `ordered`, the
    first rule's before the second's and so on. A row's `held` says which rules found it.

    CloudTrail's times are whole seconds: calls of one second are in any order that fits.
    """
    found: list[Stretch] = []
    for members in _by_group(rows, group_by):
        members.sort(key=lambda row: (row["event_time"], row["held"].index(True)))
        found += _stretches(members, _complete(members, rules, ordered, timespan), since)
    return sorted(found, key=lambda stretch: stretch.rows[0]["event_time"])


def _by_group(rows: Iterable[Row], group_by: tuple[str, ...]) -> list[list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        key = tuple(row[name] for name in group_by)
        if None not in key:
            groups[key].append(row)
    return list(groups.values())


Windows = Iterable[tuple[int, int]]
"""The first and the last row of each window that holds."""


def _enough(
    rows: Sequence[Row],
    distinct: str | None,
    timespan: timedelta,
    holds: Callable[[float], bool],
) -> Windows:
    window: deque[int] = deque()
    values: dict[Any, int] = defaultdict(int)
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
            yield window[0], number


def _complete(rows: Sequence[Row], rules: int, ordered: bool, timespan: timedelta) -> Windows:
    # The latest row from which on the first rules of the order are complete; unordered, the latest
    # row of each rule.
    begins: list[int | None] = [None] * rules
    for number, row in enumerate(rows):
        for rule, held in enumerate(row["held"]):
            if held:
                begins[rule] = begins[rule - 1] if ordered and rule else number
        known = [begin for begin in begins if begin is not None]
        if ordered:
            begin, complete = begins[-1], bool(row["held"][-1])
        else:
            begin, complete = min(known), len(known) == rules
        if not complete or begin is None:
            continue
        if row["event_time"] - rows[begin]["event_time"] <= timespan:
            yield begin, number


def _stretches(rows: Sequence[Row], windows: Windows, since: datetime | None) -> list[Stretch]:
    stretches: list[tuple[int, int, int]] = []  # first, last and turning row
    for first, number in windows:
        if since is not None and rows[number]["event_time"] < since:
            continue
        last = stretches[-1] if stretches else None
        if last and first <= last[1] and _day(rows[number]) == _day(rows[last[1]]):
            stretches[-1] = (min(first, last[0]), number, last[2])
        else:
            stretches.append((first, number, number))
    return [
        Stretch(list(rows[first : last + 1]), rows[turning]) for first, last, turning in stretches
    ]


def _day(row: Row) -> object:
    return row["event_time"].date()
