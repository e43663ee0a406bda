"""The stretch of time a question looks at, and what the index holds of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from alerts.alert import Alert, Principal
from enrich.answer import Status
from enrich.entity import account_of
from enrich.words import short
from trail.store import Coverage, Store

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """From `first` to `last`, both included unless the question says otherwise."""

    first: datetime
    last: datetime


@dataclass(frozen=True)
class Looked:
    """How much of a window could be looked at: turns "found n" into a status and its caveats."""

    coverage: Coverage
    account_id: str | None
    part_days: tuple[str, ...] = ()
    """Days beside missing ones whose logs begin late or end early: "2026-03-20 before 11:00"."""

    def status(self, found: int) -> Status:
        if self.coverage.status == "not_covered" and not found:
            return "not_covered"
        if self.coverage.status != "covered":
            return "partial"
        return "answered" if found else "nothing"

    @property
    def whose(self) -> str:
        return f"account {short(self.account_id)}" if self.account_id else "any account"

    def caveats(self) -> tuple[str, ...]:
        if self.coverage.status == "not_covered":
            return (f"The index holds no logs of {self.whose} between {in_words(self.coverage)}.",)
        if self.coverage.status == "partial":
            missing = ", nor on ".join([days_in_words(self.coverage.missing), *self.part_days])
            return (f"The index holds no logs of {self.whose} on {missing} (UTC).",)
        return ()


def look(
    alert: Alert, principal: Principal, store: Store, window: Window, *, open_end: bool = False
) -> Looked:
    """What the index holds of the principal's account in the window.

    With `open_end` the window's last instant is not part of it, nor then a day that starts there.
    """
    account = account_of(alert, principal)
    last = window.last - timedelta(microseconds=1) if open_end else window.last
    accounts = None if account is None else [account]
    coverage = store.coverage(accounts, window.first, last)
    # Coverage knows whole days. Where the day beside is missing, logs that begin after the window
    # on its last day, or end before it on its first, are none of the window's.
    first_day, last_day = window.first.astimezone(UTC).date(), last.astimezone(UTC).date()
    covered, part_days = set(coverage.days), list[str]()
    alone = covered <= {first_day, last_day}
    for edge, beside in ((first_day, first_day + ONE_DAY), (last_day, last_day - ONE_DAY)):
        if edge not in covered or (beside in covered and not alone):
            continue
        begin, end = _of_day(edge, window.first, last)
        found = _first_and_last(store, account, begin, end)
        if found is None:
            covered.discard(edge)
        elif first_day == last_day or beside in covered:
            continue
        elif edge == last_day and found[0] - begin >= PART_OF_A_DAY:
            part_days.append(f"{edge} before {found[0]:%H:%M}")
        elif edge == first_day and end - found[1] >= PART_OF_A_DAY:
            part_days.append(f"{edge} after {found[1]:%H:%M}")
    if covered != set(coverage.days):
        missing = tuple(sorted({*coverage.days, *coverage.missing} - covered))
        coverage = replace(coverage, days=tuple(sorted(covered)), missing=missing)
        if not covered:
            coverage = replace(coverage, events=0)
    return Looked(coverage, account, tuple(part_days))


PART_OF_A_DAY = timedelta(hours=1)
"""So much of a day without an event, next to a day without any, is told as missing as well."""


def _of_day(day: date, first: datetime, last: datetime) -> tuple[datetime, datetime]:
    """The stretch of the window that is of that day."""
    begin = datetime.combine(day, datetime.min.time(), UTC)
    return max(first, begin), min(last, begin + ONE_DAY - timedelta(microseconds=1))


def _first_and_last(
    store: Store, account: str | None, first: datetime, last: datetime
) -> tuple[datetime, datetime] | None:
    whose = "" if account is None else "and recipient_account_id = $account"
    found = store.query(
        f"""
        select min(event_time) as first, max(event_time) as last from events
        where event_time >= $first and event_time <= $last {whose}
        """,
        {"first": first, "last": last} | ({} if account is None else {"account": account}),
        first=first,
        last=last,
    )
    (row,) = found.rows
    begin, end = row["first"], row["last"]
    return None if begin is None or end is None else (begin, end)


def why_not_looked_up(alert: Alert) -> str | None:
    """The sentence for an alert that no question about events can be asked for, else None."""
    if alert.sample:
        return "This is a generated sample finding: its placeholders are not looked up."
    if alert.first_seen is None and alert.unread_times:
        return "The alert's time cannot be read, so there is no window to look in."
    if alert.first_seen is None:
        return "The alert states no time, so there is no window to look in."
    return None


NO_ONE = "The alert names no identity whose calls could be looked up."


def days_before(alert: Alert, days: int) -> Window:
    """From so many days before the alert's first event to its last event, both included."""
    assert alert.first_seen is not None
    return Window(
        alert.first_seen - timedelta(days=days),
        max(alert.last_seen or alert.first_seen, alert.first_seen),
    )


def iso(moment: datetime | None) -> str | None:
    """ISO-8601 in UTC with a "Z", to the second unless the moment is finer."""
    if moment is None:
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat().replace("+00:00", "Z")


def in_words(coverage: Coverage) -> str:
    return f"{coverage.first:%Y-%m-%d %H:%M} and {coverage.last:%Y-%m-%d %H:%M} UTC"


def days_in_words(days: Sequence[date]) -> str:
    """Days as runs: "2026-03-01 to 2026-03-04 and 2026-03-07"."""
    runs: list[str] = []
    numbered = enumerate(sorted(days))
    for _, members in itertools.groupby(numbered, lambda pair: pair[1].toordinal() - pair[0]):
        run = [day for _, day in members]
        runs.append(f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]}")
    if len(runs) > 1:
        return f"{', '.join(runs[:-1])} and {runs[-1]}"
    return runs[0] if runs else ""
