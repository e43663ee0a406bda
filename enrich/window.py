"""The stretch of time a question looks at, and what the index holds of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import overload

from alerts.alert import Alert, Principal
from enrich.answer import Status
from enrich.entity import account_of, has_masked_account, is_of_unnamed_account
from enrich.own_event import missing_own_event
from enrich.words import age, short
from trail.days_in_a_row import in_a_row, span_in_words
from trail.store import Coverage, Store

ONE_DAY = timedelta(days=1)
UNREAD = "some of its records could not be read"


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
    alert_at: datetime
    """The alert's last moment: what the logs' ends are told from."""
    part_days: tuple[str, ...] = ()
    """Days of which the logs are a part: "2026-03-20 before 11:00 and after 12:30"."""
    begin: datetime | None = None
    """The first event, where the logs begin within the window; None where they go back further."""
    end: datetime | None = None
    """The last event, where they end within it; None where they go on."""
    own_missing: str | None = None
    """That the alert's own event is not indexed, in words; None where it is, or the alert is no
    event."""
    is_masked: bool = False
    """The account's id was masked, in the alert and so in its logs: other accounts' are alike."""
    is_unnamed: bool = False
    """The caller is of another account than the alert's, and nothing says of which."""
    lacking: str | None = None
    """What is not in the logs where what was asked for would be: "have no read events". Looked for
    only where nothing was found (`enrich/kinds_logged.py`)."""
    lacks_kind: bool = False
    """That is a kind of event, of which these logs have none at all."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is known to be missing of the window."""
        is_known = not self.is_masked and not self.is_unnamed
        is_whole = self.coverage.status == "covered" and self.lacking is None
        return is_known and is_whole and not self.part_days

    def status(self, found: int) -> Status:
        if self.coverage.status == "not_covered" and not found:
            return "not_covered"
        if not self.is_complete:
            return "partial"
        if found:
            return "answered"
        return "partial" if self.own_missing else "nothing"

    @property
    def whose(self) -> str:
        return f"account {short(self.account_id)}" if self.account_id else "any account"

    @property
    def ends(self) -> str:
        """Where the logs begin and end in the window: "end 23 h before the alert"."""
        ends = ((word, at) for word, at in (("begin", self.begin), ("end", self.end)) if at)
        return " and ".join(f"{word} {self._from_the_alert(at)}" for word, at in ends)

    def _from_the_alert(self, moment: datetime) -> str:
        apart = self.alert_at - moment
        if not apart:
            return "with the alert"
        return f"{age(apart)} {'before' if apart > timedelta(0) else 'after'} the alert"

    def span(self, words: str, found: int) -> str:
        """The window in words, and where they are, what of it could be looked at: "the indexed
        part of the 7 days to the alert (the logs end 23 h before the alert)". Where nothing was
        `found` in it, that the alert's own event is missing as well.
        """
        if self.is_complete:
            return words if found or not self.own_missing else f"{words} ({self.own_missing})"
        missing = [f"the logs {self.ends}"] if self.ends else []
        if self.is_masked:
            missing.append("the account's id is masked")
        if self.is_unnamed:
            missing.append("the caller's account is not named")
        if self.lacking is not None:
            missing.append(f"the logs {self.lacking}")
        unread = [UNREAD] if self.coverage.unread else []
        no_more = missing or (unread and not self.coverage.missing and not self.part_days)
        if not no_more or not all(map(self._is_outside, self.coverage.missing)):
            # How many, and which, the caveats say.
            missing.append("some of its days are not indexed")
        missing += unread
        if self.own_missing and not found:
            missing.append(self.own_missing)
        return f"the indexed part of {words} ({', '.join(missing)})"

    def _is_outside(self, day: date) -> bool:
        """Whether a day is before the logs begin or after they end: that says it already."""
        return (self.begin is not None and day < self.begin.date()) or (
            self.end is not None and day > self.end.date()
        )

    def caveats(self) -> tuple[str, ...]:
        unread = self._unread()
        if self.coverage.status == "not_covered":
            none = f"The index holds no logs of {self.whose} between {in_words(self.coverage)}."
            return (none, *unread)
        own: tuple[str, ...] = ()
        if self.own_missing is not None:
            begin = self.own_missing[0].upper() + self.own_missing[1:]
            own = (f"{begin}: logs of its time are missing.",)
        if self.is_masked:
            own = (*own, "The account's id is masked: which of the index's logs are that account's,"
                   " and whether they are whole, cannot be told.")  # fmt: skip
        if self.is_unnamed:
            own = (*own, "The caller is of another account, which the alert does not name: whether"
                   " the index has that account's logs cannot be told.")  # fmt: skip
        if self.lacking is not None:
            own = (*own, f"The logs of {self.whose} {self.lacking}.")
        if self.is_complete or not (self.coverage.missing or self.part_days):
            return (*own, *unread)
        days = [days_in_words(self.coverage.missing)] if self.coverage.missing else []
        missing = ", nor on ".join([*days, *self.part_days])
        ends = f": they end {self._from_the_alert(self.end)}" if self.end is not None else ""
        lacking = f"The index holds no logs of {self.whose} on {missing} (UTC){ends}."
        return (lacking, *own, *unread)

    def _unread(self) -> tuple[str, ...]:
        if not self.coverage.unread:
            return ()
        return (
            f"Records of {self.whose} on {days_in_words(self.coverage.unread)} (UTC) could not be"
            " read, so what they tell is missing: `python -m trail status` says where and why.",
        )


def look(
    alert: Alert, principal: Principal, store: Store, window: Window, *, open_end: bool = False
) -> Looked:
    """What the index holds of the principal's account in the window.

    With `open_end` the window's last instant is not part of it, nor then a day that starts there.
    Coverage knows whole days; where logs begin and end within one, their events tell.
    """
    account = account_of(alert, principal)
    last = window.last - timedelta(microseconds=1) if open_end else window.last
    coverage = store.coverage(None if account is None else [account], window.first, last)
    logs = _Logs(store, account)
    days, part_days = _edge_days(coverage, logs, window.first, last)
    if days != coverage.days:
        missing = tuple(sorted({*coverage.days, *coverage.missing} - {*days}))
        events = coverage.events if days else 0
        coverage = replace(coverage, days=days, missing=missing, events=events)
    begin = logs.begin(coverage.days, window.first, last)
    end = logs.end(coverage.days, window.first, last)
    if begin is not None:
        part_days.setdefault(begin.date(), {})["before"] = begin
    if end is not None:
        part_days.setdefault(end.date(), {})["after"] = end
    told = tuple(
        f"{day} " + " and ".join(f"{side} {moment:%H:%M}" for side, moment in sides.items())
        for day, sides in sorted(part_days.items())
    )
    assert alert.first_seen is not None
    at = max(alert.first_seen, alert.last_seen or alert.first_seen)
    own, masked = missing_own_event(alert, store), has_masked_account(alert, principal)
    unnamed = is_of_unnamed_account(principal)
    return Looked(coverage, account, at, told, begin, end, own, masked, unnamed)


def last_event_until(
    alert: Alert, principal: Principal, store: Store, first: datetime, last: datetime
) -> datetime | None:
    """The last event of the principal's account in a stretch whose logs end there; `last` itself
    where they go on.
    """
    logs = _Logs(store, account_of(alert, principal))
    if logs.beyond(last, after=True):
        return last
    found = logs.first_and_last(first, last)
    return None if found is None else found[1]


def _edge_days(
    coverage: Coverage, logs: _Logs, first: datetime, last: datetime
) -> tuple[tuple[date, ...], dict[date, dict[str, datetime]]]:
    """The days that have events within the window, and those beside missing ones whose logs begin
    late or end early.

    Where the day beside is missing, logs that begin after the window on its last day, or end before
    it on its first, are none of the window's.
    """
    first_day, last_day = first.astimezone(UTC).date(), last.astimezone(UTC).date()
    covered = set(coverage.days)
    part_days: dict[date, dict[str, datetime]] = {}
    alone = covered <= {first_day, last_day}
    for edge, beside in ((first_day, first_day + ONE_DAY), (last_day, last_day - ONE_DAY)):
        if edge not in covered or (beside in covered and not alone):
            continue
        begin, end = _of_day(edge, first, last)
        found = logs.first_and_last(begin, end)
        if found is None:
            covered.discard(edge)
        elif first_day == last_day or beside in covered:
            continue
        elif edge == last_day and found[0] - begin >= PART_OF_A_DAY:
            part_days[edge] = {"before": found[0]}
        elif edge == first_day and end - found[1] >= PART_OF_A_DAY:
            part_days[edge] = {"after": found[1]}
    return tuple(sorted(covered)), part_days


PART_OF_A_DAY = timedelta(hours=1)
"""So much of a day without an event, next to a day without any, is told as missing as well."""
NEAR = timedelta(hours=12)
"""Logs that have events this near, before and after, are taken not to have a hole between."""
RHYTHM = timedelta(days=3)
"""So much of an account's logs tells how long it is silent at times."""


def _of_day(day: date, first: datetime, last: datetime) -> tuple[datetime, datetime]:
    """The stretch of the window that is of that day."""
    begin = datetime.combine(day, datetime.min.time(), UTC)
    return max(first, begin), min(last, begin + ONE_DAY - timedelta(microseconds=1))


@dataclass(frozen=True)
class _Logs:
    """The events of one account (None: of any), and where they begin and end."""

    store: Store
    account: str | None

    def begin(self, days: Sequence[date], first: datetime, last: datetime) -> datetime | None:
        """The first event of the window if the logs are taken to begin with it: there is none in
        the 12 hours before the window, and what is silent of it is no usual silence.
        """
        if not days or self.beyond(first, after=False):
            return None
        found = self.first_and_last(*_of_day(days[0], first, last))
        if found is None or found[0] - _of_day(days[0], first, last)[0] < PART_OF_A_DAY:
            return None
        usual = self._longest_silence(found[0], found[0] + RHYTHM)
        return None if found[0] - first <= usual else found[0]

    def end(self, days: Sequence[date], first: datetime, last: datetime) -> datetime | None:
        """The last event of the window if the logs are taken to end with it."""
        if not days or self.beyond(last, after=True):
            return None
        found = self.first_and_last(*_of_day(days[-1], first, last))
        if found is None or _of_day(days[-1], first, last)[1] - found[1] < PART_OF_A_DAY:
            return None
        usual = self._longest_silence(found[1] - RHYTHM, found[1])
        return None if last - found[1] <= usual else found[1]

    def beyond(self, moment: datetime, *, after: bool) -> bool:
        """Whether there is an event in the 12 hours after (or before) that moment."""
        first, last = (moment, moment + NEAR) if after else (moment - NEAR, moment)
        sides = (">", "<=") if after else (">=", "<")
        for cell in self.store.days_of(self.account, first, last):
            for time in (cell.first, cell.last):
                if (first < time <= last) if after else (first <= time < last):
                    return True
        # A row of a day and call says that its first and its last event are there: mostly enough.
        for relation, times in (("daily", ("first", "last")), ("events", ("event_time",))):
            there = " or ".join(
                f"({time} {sides[0]} $first and {time} {sides[1]} $last)" for time in times
            )
            found = self.store.query(
                f"select 1 as found from {relation} where ({there}) {self._whose} limit 1",
                {"first": first, "last": last} | self._parameters,
                first=first,
                last=last,
            )
            if found.rows:
                return True
        return False

    def first_and_last(self, first: datetime, last: datetime) -> tuple[datetime, datetime] | None:
        found = self.store.query(
            f"""
            select min(event_time) as first, max(event_time) as last from events
            where event_time >= $first and event_time <= $last {self._whose}
            """,
            {"first": first, "last": last} | self._parameters,
            first=first,
            last=last,
        )
        (row,) = found.rows
        begin, end = row["first"], row["last"]
        return None if begin is None or end is None else (begin, end)

    def _longest_silence(self, first: datetime, last: datetime) -> timedelta:
        """The longest time, in whole hours and of 12 at most, in which the account made no call."""
        found = self.store.query(
            f"""
            select distinct date_trunc('hour', event_time) as hour from events
            where event_time >= $first and event_time <= $last {self._whose} order by hour
            """,
            {"first": first, "last": last} | self._parameters,
            first=first,
            last=last,
        )
        hours = [row["hour"] for row in found.rows]
        silences = (later - sooner for sooner, later in itertools.pairwise(hours))
        return min(max(silences, default=timedelta(0)), NEAR)

    @property
    def _whose(self) -> str:
        return "" if self.account is None else "and recipient_account_id = $account"

    @property
    def _parameters(self) -> dict[str, str]:
        return {} if self.account is None else {"account": self.account}


def why_not_looked_up(alert: Alert) -> str | None:
    """The sentence for an alert that no question about events can be asked for, else None."""
    if alert.sample:
        return "This is a generated sample finding: its placeholders are not looked up."
    if alert.first_seen is None and alert.unread_times:
        return "The alert's time cannot be read, so there is no window to look in."
    if alert.first_seen is None:
        return "The alert states no time, so there is no window to look in."
    return None


def has_no_window(alert: Alert) -> tuple[Status, str] | None:
    """The status and sentence for an alert that no question about events can be asked for, or None.

    Without a time the question applies all the same: nothing of what it asks is covered (§3.4 rule
    7). That the index has no event of a name at all is a note of the alert's, once for all answers
    (`enrich/unknown_names.py`).
    """
    reason = why_not_looked_up(alert)
    if reason is None:
        return None
    if alert.sample:
        return "not_applicable", reason
    return "not_covered", reason


NO_ONE = "The alert names no identity whose calls could be looked up."


def days_before(alert: Alert, days: int) -> Window:
    """From so many days before the alert's first event to its last event, both included."""
    assert alert.first_seen is not None
    return Window(
        alert.first_seen - timedelta(days=days),
        max(alert.last_seen or alert.first_seen, alert.first_seen),
    )


@overload
def iso(moment: datetime) -> str: ...
@overload
def iso(moment: datetime | None) -> str | None: ...
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
    runs = [span_in_words(*run) for run in in_a_row(days)]
    if len(runs) > 1:
        return f"{', '.join(runs[:-1])} and {runs[-1]}"
    return runs[0] if runs else ""
