"""Whether the logs of a window are of the kind and place where what a question asks for would be.

"Nothing" is a claim about logs that were looked through (§3.4 rule 7): that an account has events
then says little where they are data events alone, where a trail leaves out the read events, which
each AssumeRole is one of, or where us-east-1 is missing, which has all of IAM and the global
endpoint of STS (§1.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from enrich.window import NEAR, Looked, Window
from trail.store import Store

GLOBAL_REGION = "us-east-1"
"""Where IAM and the global endpoint of STS are logged (§1.4)."""
LONG = 2 * NEAR
"""So long without an event some moment has none within 12 hours before or after it."""
NO_MANAGEMENT = "have no management events"
NO_READS = "have no read events"
_OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eusc-", "eu-isoe-")
"""Regions of the partitions whose global services are logged in another Region."""


def with_kinds(looked: Looked, found: int, store: Store, window: Window) -> Looked:
    """What was looked at, with what it lacks where nothing was `found`.

    Where something was found, or the window is not whole anyway, nothing more is asked.
    """
    if found or looked.account_id is None or not looked.is_complete:
        return looked
    kind = missing_kind(
        store, looked.account_id, window.first, max(window.first, window.last - NEAR)
    )
    place = None if kind is not None else _without_global_region(looked, store, window)
    return replace(looked, lacking=kind or place, lacks_kind=kind is not None)


def missing_kind(store: Store, account_id: str, first: datetime, last: datetime) -> str | None:
    """What kind of event the account's logs of that time do not have, as "have no read events".

    None where they have management events that only read, or have few events at all.

    A record that does not say whether it reads may be one that does.
    """
    asked = {"account": account_id, "first": first, "last": last}
    management = """
        select event_id from events
        where recipient_account_id = $account and event_time >= $first and event_time <= $last
          and coalesce(event_category, 'Management') = 'Management'"""
    reads = store.query(
        f"{management} and coalesce(read_only, true) limit 1", asked, first=first, last=last
    )
    if reads.rows:
        return None
    writes = store.query(f"{management} limit {_ENOUGH}", asked, first=first, last=last)
    if not writes.rows:
        return NO_MANAGEMENT
    return NO_READS if len(writes.rows) == _ENOUGH else None


_ENOUGH = 10
"""Of so many management events one is a read event, where those are logged."""


def _without_global_region(looked: Looked, store: Store, window: Window) -> str | None:
    """That us-east-1 is not in the logs of a window, or not for a day of it in which the account's
    other Regions are; None where it is, or the logs do not say of which Region they are.

    Little is called there by some, so a pause is told by its being twice as long as any other one.
    """
    cells = store.days_of(looked.account_id, window.first - _RHYTHM, window.last + _RHYTHM)
    if any(not cell.region or cell.region.startswith(_OTHER_PARTITIONS) for cell in cells):
        return None
    there = sorted((cell.first, cell.last) for cell in cells if cell.region == GLOBAL_REGION)
    elsewhere = [
        moment
        for cell in cells
        if cell.region != GLOBAL_REGION
        for moment in (cell.first, cell.last)
        if window.first <= moment <= window.last
    ]
    silences = _silences(there, window)
    told = [
        _in(window, silence)
        for number, silence in enumerate(silences)
        if any(silence[0] < moment < silence[1] for moment in elsewhere)
        and _length(silence)
        >= max([LONG, *(2 * _length(one) for one in silences[:number] + silences[number + 1 :])])
    ]
    if not told:
        return None
    ((sooner, later),) = told
    if (sooner, later) == (window.first, window.last):
        return f"have nothing of {GLOBAL_REGION}"
    return (
        f"have nothing of {GLOBAL_REGION} from {sooner:%Y-%m-%d %H:%M} to"
        f" {later:%Y-%m-%d %H:%M} UTC"
    )


_RHYTHM = timedelta(days=14)
"""So much of the logs before and after a window tells how long a Region is silent at times."""
_Stretch = tuple[datetime, datetime]


def _silences(there: Sequence[_Stretch], window: Window) -> list[_Stretch]:
    """The stretches between the last event of a day and the first of the next, and those to the
    ends of the window where no event is beyond them."""
    if not there:
        return [(window.first, window.last)]
    between = [(one[1], other[0]) for one, other in pairwise(there)]
    first, last = there[0][0], there[-1][1]
    before = [(window.first, first)] if first > window.first else []
    after = [(last, window.last)] if last < window.last else []
    return [*before, *between, *after]


def _in(window: Window, stretch: _Stretch) -> _Stretch:
    return max(stretch[0], window.first), min(stretch[1], window.last)


def _length(stretch: _Stretch) -> timedelta:
    return stretch[1] - stretch[0]
