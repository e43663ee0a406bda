"""Whether the index covers the place and time where the event that made a session would be.

Mints are mostly in another Region than the use, so an account's logs of one Region say little:
§3.4 rule 7 names the Regions that have to be there, on both sides of the moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from enrich.mints import CLOCK_SKEW, MintReader
from enrich.window import NEAR
from enrich.words import age, listed

GLOBAL_REGION = "us-east-1"
"""Where the global endpoint of STS, and much of the sign-in, is logged (§1.4)."""


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
    needed = {GLOBAL_REGION, *_sts_regions(reader, account_id)}
    regions = sorted(needed | {region} if region else needed)
    sides = _by_days(reader, account_id, first, last)
    if not all(sides.get(name, _NEITHER).both for name in regions):
        sides = _by_events(reader, account_id, first, last)
    if not sides:
        when = "that time" if last - first <= 2 * CLOCK_SKEW else "the time between"
        gap = f"the index has no events of account {account_id} within 12 hours of {when}"
        return MintCoverage(account_id, tuple(regions), (gap,), "not_covered")
    looked = {name: sides.get(name, _NEITHER) for name in regions}
    missing = _whole_account(looked, account_id, first, last) or [
        words
        for name in regions
        if (words := _gap(looked[name], f"account {account_id} in {name}", first, last))
    ]
    status = "partial" if missing else "covered"
    return MintCoverage(account_id, tuple(regions), tuple(missing), status)


@dataclass(frozen=True)
class _Sides:
    """What is known of the logs of one account and Region around a stretch of time."""

    before: datetime | None = None
    """An event of theirs at most 12 hours before the stretch."""
    after: datetime | None = None
    """One at most 12 hours after it."""
    begin: datetime | None = None
    """The first event of theirs from 12 hours before it on, where that was looked for."""
    end: datetime | None = None
    """The last one until 12 hours after it."""

    @property
    def both(self) -> bool:
        return self.before is not None and self.after is not None


_NEITHER = _Sides()


def _whole_account(
    looked: Mapping[str, _Sides], account_id: str, first: datetime, last: datetime
) -> list[str]:
    """One gap that every Region has alike, said once."""
    every = list(looked.values())
    whose = f"account {account_id}"
    begins = [side.begin for side in every if side.begin is not None]
    ends = [side.end for side in every if side.end is not None]
    if not begins or not ends:
        return []
    whole = _Sides(begin=min(begins), end=max(ends))
    if all(side.before is None for side in every) and all(side.after is None for side in every):
        words = _gap(whole, whose, first, last)
    elif all(side.before is None for side in every):
        words = _gap(replace(whole, after=max(ends)), whose, first, last)
    elif all(side.after is None for side in every):
        words = _gap(replace(whole, before=min(begins)), whose, first, last)
    else:
        return []
    return [words] if words else []


def _gap(side: _Sides, whose: str, first: datetime, last: datetime) -> str | None:
    """What is missing of these logs: where they begin or end too late or too early."""
    if side.both:
        return None
    if side.begin is None or side.end is None:
        return f"there are no logs of {whose} within 12 hours"
    words = []
    if side.before is None:
        words.append(f"begin {_after(side.begin, first, last)}")
    if side.after is None:
        words.append(f"end {_before(side.end, first, last)}")
    return f"the logs of {whose} {' and '.join(words)}"


def _after(begin: datetime, first: datetime, last: datetime) -> str:
    """When logs begin: "2 min later" than a moment, or in a stretch of time by the clock."""
    if last - first <= 2 * CLOCK_SKEW:
        return f"{age(begin - last)} later"
    return f"only at {begin:%Y-%m-%d %H:%M} UTC"


def _before(end: datetime, first: datetime, last: datetime) -> str:
    if last - first <= 2 * CLOCK_SKEW:
        return f"{age(first - end)} before"
    return f"already at {end:%Y-%m-%d %H:%M} UTC"


def _by_days(
    reader: MintReader, account_id: str, first: datetime, last: datetime
) -> dict[str, _Sides]:
    """By Region, an event before and one after, out of what each day's rows say of their own first
    and last. A row that spans the stretch says nothing of where its events are: where one side is
    not found so, only the events tell.
    """
    begin, end = first - NEAR, last + NEAR
    rows = reader.find(
        """
        select aws_region,
          max(case when last between $begin and $first then last
            when first between $begin and $first then first end) as before,
          min(case when first between $last and $end then first
            when last between $last and $end then last end) as after
        from daily
        where recipient_account_id = $account
          and day >= cast($begin as date) and day <= cast($end as date)
        group by aws_region
        """,
        {"account": account_id, "first": first, "last": last, "begin": begin, "end": end},
        first=begin,
        last=end,
    )
    return {str(row["aws_region"]): _Sides(row["before"], row["after"]) for row in rows}


def _by_events(
    reader: MintReader, account_id: str, first: datetime, last: datetime
) -> dict[str, _Sides]:
    """The same, and where the logs begin and end, out of the events of those hours."""
    begin, end = first - NEAR, last + NEAR
    rows = reader.find(
        """
        select aws_region, min(event_time) as begin, max(event_time) as "end",
          max(event_time) filter (where event_time <= $first) as before,
          min(event_time) filter (where event_time >= $last) as after
        from events
        where recipient_account_id = $account and event_time >= $begin and event_time <= $end
        group by aws_region
        """,
        {"account": account_id, "first": first, "last": last, "begin": begin, "end": end},
        first=begin,
        last=end,
    )
    return {
        str(row["aws_region"]): _Sides(row["before"], row["after"], row["begin"], row["end"])
        for row in rows
    }


def _sts_regions(reader: MintReader, account_id: str) -> set[str]:
    """The Regions whose STS the account is known to use."""
    summary = reader.store.summary()
    if summary.first is None or summary.last is None:
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
