"""Whether the index covers the place and time where the event that made a session would be.

Mints are mostly in another Region than the use, so an account's logs of one Region say little:
§3.4 rule 7 names the Regions that have to be there, on both sides of the moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from enrich.mints import MintReader
from enrich.words import age, listed

NEAR = timedelta(hours=12)
"""Logs that have events this near, before and after, are taken not to have a hole between."""

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
    reader: MintReader, account_id: str | None, region: str | None, about: datetime
) -> MintCoverage:
    """The coverage of an account at a moment, in `region` (the alert's) and all others needed."""
    if account_id is None:
        return MintCoverage(None, (), ("which account's logs would hold it is not known",),
                            "partial")  # fmt: skip
    found = _around(reader, account_id, about)
    needed = {GLOBAL_REGION, *_sts_regions(reader, account_id)}
    regions = sorted(needed | {region} if region else needed)
    if not any(edges["before"] or edges["after"] for edges in found.values()):
        gap = f"the index has no events of account {account_id} within 12 hours of that time"
        return MintCoverage(account_id, tuple(regions), (gap,), "not_covered")
    sides = {name: found.get(name, {"before": None, "after": None}) for name in regions}
    missing = _whole_account(sides, account_id, about) or [
        words for name in regions if (words := _gap(name, sides[name], account_id, about))
    ]
    status = "partial" if missing else "covered"
    return MintCoverage(account_id, tuple(regions), tuple(missing), status)


def _whole_account(
    sides: Mapping[str, Mapping[str, datetime | None]], account_id: str, about: datetime
) -> list[str]:
    """One gap that every Region has alike, said once."""
    for side, other, verb, when in (
        ("before", "after", "begin", "later"),
        ("after", "before", "end", "before"),
    ):
        if all(edges[side] is None for edges in sides.values()):
            nearest = [edges[other] for edges in sides.values() if edges[other] is not None]
            times = [abs(edge - about) for edge in nearest if edge is not None]
            if times:
                return [f"the logs of account {account_id} {verb} {age(min(times))} {when}"]
    return []


def _gap(
    region: str, edges: Mapping[str, datetime | None], account_id: str, about: datetime
) -> str | None:
    before, after = edges["before"], edges["after"]
    whose = f"account {account_id} in {region}"
    if before is None and after is None:
        return f"there are no logs of {whose} within 12 hours"
    if before is None and after is not None:
        return f"the logs of {whose} begin {age(after - about)} later"
    if after is None and before is not None:
        return f"the logs of {whose} end {age(about - before)} before"
    return None


def _around(
    reader: MintReader, account_id: str, about: datetime
) -> dict[str, dict[str, datetime | None]]:
    """By Region, the account's nearest known events within 12 hours before and after."""
    first, last = about - NEAR, about + NEAR
    rows = reader.find(
        """
        select aws_region,
          max(case when last <= $about then last when first <= $about then first end) as before,
          min(case when first >= $about then first when last >= $about then last end) as after
        from daily
        where recipient_account_id = $account
          and day >= cast($first as date) and day <= cast($last as date)
        group by aws_region
        """,
        {"account": account_id, "about": about, "first": first, "last": last},
        first=first,
        last=last,
    )
    return {str(row["aws_region"]): _within(row, first, last) for row in rows}


def _within(row: Mapping[str, Any], first: datetime, last: datetime) -> dict[str, datetime | None]:
    before, after = row["before"], row["after"]
    return {
        "before": before if before is not None and before >= first else None,
        "after": after if after is not None and after <= last else None,
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
