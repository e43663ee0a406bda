"""Runs of the rules that read only what is new since the last one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from alerts.alert import Alert
from alerts.detections.detect import detect
from alerts.detections.rule_files import RuleProblem, longest_timespan, rule_paths
from trail.days_in_a_row import in_a_row
from trail.events import SCHEMA_VERSION
from trail.index.index_version import index_of
from trail.store import Store

_READING = 1
"""Goes up when the rules' meaning changes without their text: then all days are read again."""
_MANY = 6
"""Stretches of days that are read each on its own; more are read as one."""
_DAY = timedelta(days=1)


class LastRun(msgspec.Struct, frozen=True):
    """What a run read, so that the next one need not."""

    rules: str
    """A digest of the rules' text, and of how it was read."""
    index: str
    days: dict[str, str]
    """UTC day → a digest of what the index had of it."""


def detect_new(
    store: Store,
    rules: Sequence[Path],
    last: LastRun | None,
    told: Callable[[int, int], None] = lambda read, of: None,
) -> tuple[list[Alert], list[RuleProblem], LastRun]:
    """As `detect` over the whole index, without days that the last run has read as they are now.

    A day is read again when the number of its events, or the first or last of them, has changed in
    some account or Region: a file that came late, or went. So are the days after it that a
    correlation joins with it. Other rules, or another index, and all days are read. `told` hears
    how many days are read, and of how many.
    """
    now = LastRun(_digest(rules), index_of(store.version()), _days(store))
    known = last.days if last and (last.rules, last.index) == (now.rules, now.index) else {}
    changed = {date.fromisoformat(day) for day, has in now.days.items() if known.get(day) != has}
    joined = range(_days_joined(rules) + 1)
    read = {day + n * _DAY for day in changed for n in joined} & {
        date.fromisoformat(day) for day in now.days
    }
    told(len(read), len(now.days))
    alerts: dict[str, Alert] = {}
    problems: dict[RuleProblem, None] = {}
    for start, end in _stretches(read):
        first = datetime.combine(start, datetime.min.time(), UTC)
        end_of_day = datetime.combine(end + _DAY, datetime.min.time(), UTC)
        found, wrong = detect(store, first, end_of_day - timedelta(microseconds=1), rules)
        alerts |= {alert.id: alert for alert in found}
        problems |= dict.fromkeys(wrong)
    return list(alerts.values()), list(problems), now


def _days(store: Store) -> dict[str, str]:
    summary = store.summary()
    if summary.first is None or summary.last is None:
        return {}
    cells: dict[str, list[str]] = {}
    for cell in store.days_of(None, summary.first, summary.last):
        cells.setdefault(str(cell.day), []).append(repr(cell))
    return {day: _sha256(sorted(of)) for day, of in cells.items()}


def _digest(rules: Sequence[Path]) -> str:
    texts = (f"{path}\n{path.read_bytes()!r}" for path in rule_paths(rules))
    return _sha256([f"{_READING} {SCHEMA_VERSION}", *texts])


def _days_joined(rules: Sequence[Path]) -> int:
    """How many days after a day it may still be joined with, by the longest correlation."""
    return -(-longest_timespan(rules) // _DAY)


def _stretches(days: Iterable[date]) -> list[tuple[date, date]]:
    """The stretches that are read, each on its own unless they are many."""
    stretches = in_a_row(days)
    if len(stretches) > _MANY:
        return [(stretches[0][0], stretches[-1][1])]
    return stretches


def _sha256(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
