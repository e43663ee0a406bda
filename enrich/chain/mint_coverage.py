"""Whether the index covers the place and time where the event that made a session would be.

Mints are mostly in another Region than the use, so an account's logs of one Region say little:
§3.4 rule 7 names the Regions that have to be there, on both sides of the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from enrich.chain.mints import CLOCK_SKEW, MintReader
from enrich.kinds_logged import GLOBAL_REGION, NO_READS, missing_kind
from enrich.window import NEAR, days_in_words
from enrich.words import age, listed


@dataclass(frozen=True)
class MintCoverage:
    """What the index holds of one account around one moment."""

    account_id: str | None
    regions: tuple[str, ...]
    """Those that were looked at."""
    missing: tuple[str, ...]
    """What is not there, in words; nothing when all is."""
    status: str
    """`covered`, `partial` or `not_covered`."""

    @property
    def in_words(self) -> str:
        where = f"Looked at {listed(self.regions, at_most=8)}" if self.regions else "Looked nowhere"
        if not self.missing:
            return f"{where}: the index has logs of that account on both sides of that time."
        return f"{where}: {listed(self.missing, at_most=8)}."


def mint_coverage(
    reader: MintReader,
    account_id: str | None,
    region: str | None,
    first: datetime,
    last: datetime,
) -> MintCoverage:
    """The coverage of an account from one moment to another, in `region` (the alert's) and all
    others needed: its logs begin before the one and end after the other.
    """
    if account_id is None:
        return MintCoverage(None, (), ("which account's logs would hold it is not known",),
                            "partial")  # fmt: skip
    needed = {GLOBAL_REGION, region} if region else {GLOBAL_REGION}
    regions = sorted(needed | _sts_regions(reader, account_id, needed))
    sides: Mapping[str, _Sides] = {}
    if _is_moment(first, last):
        sides = _by_days(reader, account_id, first, last)
    if not all(sides.get(name, _NEITHER).whole for name in regions):
        sides = _by_events(reader, account_id, first, last)
    if not sides:
        when = "that time" if last - first <= 2 * CLOCK_SKEW else "the time between"
        gap = f"the index has no events of account {account_id} within 12 hours of {when}"
        return MintCoverage(account_id, tuple(regions), (gap,), "not_covered")
    looked = {
        name: _with_farther(sides.get(name, _NEITHER), reader, account_id, name, first, last)
        for name in regions
    }
    # Events of other Regions, or of none, are logs of the account as well.
    others = [side for name, side in sides.items() if name not in looked and side.begin is not None]
    whose = f"account {account_id}" + (f" in {listed(regions, at_most=8)}" if others else "")
    missing = _whole_account(looked, whose, first, last) or [
        words
        for name in regions
        if (words := _gap(looked[name], f"account {account_id} in {name}", first, last))
    ]
    missing = [*missing, *_unread(reader, account_id, first, last)]
    missing += [] if missing else _mute(reader, account_id, first, last)
    missing += [] if missing else _no_reads(reader, account_id, first, last)
    status = "partial" if missing else "covered"
    return MintCoverage(account_id, tuple(regions), tuple(missing), status)


def _unread(reader: MintReader, account_id: str, first: datetime, last: datetime) -> list[str]:
    """That records of those days could not be read, if so: the one sought may be of them."""
    days = reader.store.coverage([account_id], first, last).unread
    if not days:
        return []
    return [f"records of account {account_id} on {days_in_words(days)} could not be read"]


def _mute(reader: MintReader, account_id: str, first: datetime, last: datetime) -> list[str]:
    """That an AssumeRole of then shows neither what it asked for nor what it made, if so: an export
    without those columns. CloudTrail's own record of a successful one has both."""
    found = reader.find(
        """
        select event_id from credentials where recipient_account_id = $account
          and event_source = 'sts.amazonaws.com' and event_name like 'AssumeRole%' and not failed
          and request_parameters is null and response_elements is null
          and target_role_arn is null and minted_access_key_id is null
          and event_time >= $first and event_time <= $last limit 1
        """,
        {"account": account_id, "first": first - CLOCK_SKEW, "last": last + CLOCK_SKEW},
    )
    if not found:
        return []
    return [
        f"a role was assumed in account {account_id} then whose record shows neither"
        " requestParameters nor responseElements"
    ]


def _no_reads(reader: MintReader, account_id: str, first: datetime, last: datetime) -> list[str]:
    """That the logs of the week before are of a trail that leaves the read events out, if so: what
    makes a session mostly is one."""
    kind = missing_kind(reader.store, account_id, first - _WEEK, last - NEAR)
    if kind != NO_READS:
        return []
    return [f"the logs of account {account_id} {kind}, which an AssumeRole is one of"]


_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class _Sides:
    """What is known of the logs of one account and Region around a stretch of time. Of their events
    only those count that the log of management events has: no call that makes a session is in
    another.
    """

    before: datetime | None = None
    """An event of theirs at most 12 hours before the stretch."""
    after: datetime | None = None
    """One at most 12 hours after it."""
    begin: datetime | None = None
    """The first event of theirs from 12 hours before it on, where that was looked for."""
    end: datetime | None = None
    """The last one until 12 hours after it."""
    hole: tuple[datetime, datetime] | None = None
    """Two events with none between, and a moment of the stretch more than 12 hours from either."""

    earlier: datetime | None = None
    """Where none is in the 12 hours before: the last one before those."""
    later: datetime | None = None
    """Where none is in the 12 hours after: the next one after those."""
    only_data: bool = False
    """There are events, and none of them is of the log of management events."""

    @property
    def whole(self) -> bool:
        return self.before is not None and self.after is not None and self.hole is None


_NEITHER = _Sides()


def _is_moment(first: datetime, last: datetime) -> bool:
    return last - first <= 2 * CLOCK_SKEW


def _whole_account(
    looked: Mapping[str, _Sides], whose: str, first: datetime, last: datetime
) -> list[str]:
    """One gap that every Region has alike, said once."""
    every = list(looked.values())
    begins = [side.begin for side in every if side.begin is not None]
    ends = [side.end for side in every if side.end is not None]
    if not begins or not ends:
        return []
    whole = _Sides(
        begin=min(begins),
        end=max(ends),
        earlier=max((side.earlier for side in every if side.earlier is not None), default=None),
        later=min((side.later for side in every if side.later is not None), default=None),
    )
    holes = [side.hole for side in every if side.hole is not None]
    if all(side.before is None for side in every) and all(side.after is None for side in every):
        words = _gap(whole, whose, first, last)
    elif all(side.before is None for side in every):
        words = _gap(replace(whole, after=max(ends)), whose, first, last)
    elif all(side.after is None for side in every):
        words = _gap(replace(whole, before=min(begins)), whose, first, last)
    elif len(holes) == len(every) and (hole := _common(holes)) is not None:
        words = _gap(replace(whole, before=hole[0], after=hole[1], hole=hole), whose, first, last)
    else:
        return []
    return [words] if words else []


def _common(holes: Iterable[tuple[datetime, datetime]]) -> tuple[datetime, datetime] | None:
    """The time that is in all of these holes."""
    begins, ends = zip(*holes, strict=True)
    return (max(begins), min(ends)) if max(begins) < min(ends) else None


def _gap(side: _Sides, whose: str, first: datetime, last: datetime) -> str | None:
    """What is missing of these logs: where they begin or end too late or too early, or pause."""
    if side.whole:
        return None
    if side.begin is None or side.end is None:
        if side.only_data:
            return f"the logs of {whose} have data events alone, which no call to STS is among"
        if side.earlier is not None and side.later is not None:
            return f"the logs of {whose} {_pause(side.earlier, side.later)}"
        return f"there are no logs of {whose} within 12 hours"
    words = []
    if side.before is None:
        began = f"begin {_after(side.begin, first, last)}"
        words.append(_pause(side.earlier, side.begin) if side.earlier is not None else began)
    if side.after is None:
        ended = f"end {_before(side.end, first, last)}"
        words.append(_pause(side.end, side.later) if side.later is not None else ended)
    if side.hole is not None:
        words.append(_pause(*side.hole))
    return f"the logs of {whose} {' and '.join(words)}"


def _pause(sooner: datetime, later: datetime) -> str:
    return f"have nothing from {sooner:%Y-%m-%d %H:%M} to {later:%Y-%m-%d %H:%M} UTC"


def _with_farther(
    side: _Sides,
    reader: MintReader,
    account_id: str,
    region: str,
    first: datetime,
    last: datetime,
) -> _Sides:
    """The sides of a Region with the nearest events beyond the 12 hours, where none is nearer: its
    logs do not begin where they have but a pause.
    """
    edges = _edges(first, last)
    if side.before is None:
        found = _nearest(reader, account_id, region, edges["begin"], after=False)
        side = replace(side, earlier=found)
    if side.after is None:
        found = _nearest(reader, account_id, region, edges["end"], after=True)
        side = replace(side, later=found)
    return side


_DAYS_TRIED = 3
"""A day may have but data events of the Region: so many days are looked at for another one."""


def _nearest(
    reader: MintReader, account_id: str, region: str, moment: datetime, *, after: bool
) -> datetime | None:
    """The nearest management event of an account and Region after a moment, or before it."""
    summary = reader.store.summary()
    if summary.first is None or summary.last is None:
        return None
    sides = (">", "min") if after else ("<", "max")
    whose = {"account": account_id, "region": region, "moment": moment}
    first, last = (moment, summary.last) if after else (summary.first, moment)
    days = sorted(
        {
            cell.day
            for cell in reader.store.days_of(account_id, first, last)
            if cell.region == region and (cell.last > moment if after else cell.first < moment)
        },
        reverse=not after,
    )
    for day in days[:_DAYS_TRIED]:
        begin = datetime.combine(day, datetime.min.time(), UTC)
        end = begin + timedelta(days=1)
        found = reader.find(
            f"""
            select {sides[1]}(event_time) as nearest from events
            where recipient_account_id = $account and aws_region = $region
              and coalesce(event_category, 'Management') = 'Management'
              and event_time {sides[0]} $moment and event_time >= $begin and event_time < $end
            """,
            {**whose, "begin": begin, "end": end},
            first=begin,
            last=end,
        )
        if found and found[0]["nearest"] is not None:
            nearest: datetime = found[0]["nearest"]
            return nearest
    return None


def _after(begin: datetime, first: datetime, last: datetime) -> str:
    """When logs begin: "2 min later" than a moment, or in a stretch of time by the clock."""
    if _is_moment(first, last):
        return f"{age(begin - last)} later" if begin > last else f"only at {begin:%H:%M:%S} UTC"
    return f"only at {begin:%Y-%m-%d %H:%M} UTC"


def _before(end: datetime, first: datetime, last: datetime) -> str:
    if _is_moment(first, last):
        return f"{age(first - end)} before" if end < first else f"already at {end:%H:%M:%S} UTC"
    return f"already at {end:%Y-%m-%d %H:%M} UTC"


def _edges(first: datetime, last: datetime) -> dict[str, datetime]:
    """Until when an event is before a stretch of time and from when on after it; and how far back
    and ahead is looked. What made a session may be two seconds from its creation date: logs that
    begin between the two do not have it.
    """
    skew = CLOCK_SKEW if _is_moment(first, last) else timedelta(0)
    return {
        "first": first - skew,
        "last": last + skew,
        "begin": first - NEAR,
        "end": last + NEAR,
    }


def _by_days(
    reader: MintReader, account_id: str, first: datetime, last: datetime
) -> dict[str, _Sides]:
    """By Region, an event before a moment and one after, out of what each day's rows say of their
    own first and last. A row that spans the moment says nothing of where its events are: where one
    side is not found so, only the events tell. Nor do rows say which log their events are of: only
    those of services count that have no other.
    """
    edges = _edges(first, last)
    rows = reader.find(
        f"""
        select aws_region,
          max(case when last between $begin and $first then last
            when first between $begin and $first then first end) as before,
          min(case when first between $last and $end then first
            when last between $last and $end then last end) as after
        from daily
        where recipient_account_id = $account
          and event_source in ({", ".join(f"'{name}'" for name in _MANAGEMENT_ONLY)})
          and day >= cast($begin as date) and day <= cast($end as date)
        group by aws_region
        """,
        {"account": account_id, **edges},
        first=edges["begin"],
        last=edges["end"],
    )
    return {str(row["aws_region"]): _Sides(row["before"], row["after"]) for row in rows}


_MANAGEMENT_ONLY = ("sts.amazonaws.com", "iam.amazonaws.com", "signin.amazonaws.com")
"""Services without data events and network activity events (§1.1)."""


def _by_events(
    reader: MintReader, account_id: str, first: datetime, last: datetime
) -> dict[str, _Sides]:
    """The same, and where the logs begin, end and pause, out of the events of those hours; also
    for Regions that have but data events.
    """
    edges = _edges(first, last)
    rows = reader.find(
        """
        select aws_region, min(event_time) filter (is_management) as first_one,
          max(event_time) filter (is_management) as last_one,
          max(event_time) filter (is_management and event_time <= $first) as before,
          min(event_time) filter (is_management and event_time >= $last) as after
        from (
          select aws_region, event_time,
            coalesce(event_category, 'Management') = 'Management' as is_management
          from events
          where recipient_account_id = $account and event_time >= $begin and event_time <= $end
        ) as near
        group by aws_region, date_trunc('hour', event_time)
        order by aws_region, first_one
        """,
        {"account": account_id, **edges},
        first=edges["begin"],
        last=edges["end"],
    )
    hours: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        of_region = hours.setdefault(str(row["aws_region"]), [])
        if row["first_one"] is not None:
            of_region.append(row)
    return {region: _sides_of(of_region, first, last) for region, of_region in hours.items()}


def _sides_of(hours: Sequence[Mapping[str, Any]], first: datetime, last: datetime) -> _Sides:
    """What the hours of a Region that have events tell, the earliest first."""
    if not hours:
        return _Sides(only_data=True)
    holes = [
        (earlier["last_one"], later["first_one"])
        for earlier, later in pairwise(hours)
        if max(earlier["last_one"], first) < min(later["first_one"], last)
        and (
            min(later["first_one"], last) - earlier["last_one"] > NEAR
            or later["first_one"] - max(earlier["last_one"], first) > NEAR
        )
    ]
    return _Sides(
        before=max((row["before"] for row in hours if row["before"] is not None), default=None),
        after=min((row["after"] for row in hours if row["after"] is not None), default=None),
        begin=hours[0]["first_one"],
        end=hours[-1]["last_one"],
        hole=max(holes, key=lambda hole: hole[1] - hole[0], default=None),
    )


def _sts_regions(reader: MintReader, account_id: str, known: set[str]) -> set[str]:
    """The Regions beside those known whose STS the account is known to use."""
    summary = reader.store.summary()
    if summary.first is None or summary.last is None:
        return set()
    cells = reader.store.days_of(account_id, summary.first, summary.last)
    if {cell.region for cell in cells} <= {*known, ""}:
        return set()
    rows = reader.find(
        """
        select distinct aws_region from daily
        where recipient_account_id = $account and event_source = 'sts.amazonaws.com'
        """,
        {"account": account_id},
        first=summary.first.astimezone(UTC),
        last=summary.last.astimezone(UTC),
    )
    return {row["aws_region"] for row in rows if row["aws_region"]}
