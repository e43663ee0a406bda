"""`s3://bucket/prefix` → the log objects below it: which folders are looked into, and which not.

CloudTrail's own folders (§1.3) say account, Region and day, so bounds prune what is listed at all.
Three layouts have them: `AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/`, an organisation's with its
id before the account, and Control Tower's with the organisation's id before `AWSLogs` as well.
Digests, Insights and other services' logs beside them are passed by, by the name of their folder.

Nothing here knows boto3 or obstore: `trail/read/aws.py` does, and is imported when a bucket is
opened.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from queue import SimpleQueue
from typing import NamedTuple, Protocol

import msgspec

from trail.errors import SourceUnreadable
from trail.read.others import kind_skipped_by_path
from trail.read.sources import Listed, by_day, owner

SCHEME = "s3://"
LISTINGS = 16
"""Folders that are listed at the same time."""

_LATE_HOUR = "0100"
"""A file holds events of up to a quarter of an hour before its name's time, and late ones of more:
those of a day are also in what the next one delivers in its first hour."""
_DEPTH = 4
_SEARCHED = 500
"""Levels and folders that are looked through for `AWSLogs`."""

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ROOT = re.compile(r"(?:^|/)AWSLogs/")
_LAYOUT = re.compile(
    r"(?:.*/)?AWSLogs/(?:o-[a-z0-9]{10,32}/)?"
    r"(?:(?P<account>\d{12})/(?:(?P<service>[^/]+)/(?:(?P<region>[^/]+)/"
    r"(?:(?P<year>\d{4})/(?:(?P<month>\d\d)/(?:(?P<day>\d\d)/)?)?)?)?)?)?"
)


class Address(NamedTuple):
    """A bucket, and the key or the start of keys in it: "" or without a slash at its end."""

    bucket: str
    prefix: str


class Access(msgspec.Struct, frozen=True, omit_defaults=True):
    """By which of the user's AWS settings a bucket is read. Holds no secret: the profile is named,
    and an external id is none (AWS shows it to whoever may see the role).
    """

    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    requester_pays: bool = False


@dataclass(frozen=True)
class Bounds:
    """What to take: whole days by delivery, both included, and these accounts and Regions alone."""

    since: date | None = None
    until: date | None = None
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()

    def allow_days(self, first: date, last: date) -> Share:
        """How much of what was delivered on these days is within the bounds."""
        ends = self.until + timedelta(1) if self.until is not None else None
        if (self.since is not None and last < self.since) or (ends is not None and first > ends):
            return Share.NONE
        begun = self.since is None or first >= self.since
        return Share.ALL if begun and (ends is None or last < ends) else Share.SOME

    def allow(self, key: str) -> bool:
        """Whether an object is within them; of what its name does not tell, it is."""
        account, region = owner("/" + key)
        if self.accounts and account is not None and account not in self.accounts:
            return False
        if self.regions and region is not None and region not in self.regions:
            return False
        moment = by_day("/" + key)[0]
        if moment and self.since is not None and moment[:8] < f"{self.since:%Y%m%d}":
            return False
        if moment and self.until is not None and moment[:8] > f"{self.until:%Y%m%d}":
            return f"{self.until + timedelta(1):%Y%m%d}T" <= moment < self._late()
        return True

    def _late(self) -> str:
        assert self.until is not None
        return f"{self.until + timedelta(1):%Y%m%d}T{_LATE_HOUR}"


@dataclass(frozen=True)
class Reading:
    """How `s3://` addresses are read: by whom, and what of them."""

    access: Access = Access()
    bounds: Bounds = Bounds()


class Share(Enum):
    """How much of a folder is wanted."""

    NONE = 0
    SOME = 1
    ALL = 2


class Lists(Protocol):
    """What is asked of a bucket to list it. Each raises `SourceUnreadable`, with a sentence."""

    name: str

    def folder(self, prefix: str) -> tuple[list[str], list[Listed]]:
        """The folders in a folder (each with a slash at its end), and the objects."""
        ...

    def everything(self, prefix: str) -> list[Listed]:
        """All objects below a folder."""
        ...

    def one(self, key: str) -> Listed | None:
        """The object of this very key."""
        ...


def is_address(path: object) -> bool:
    """Whether a path is no file's or folder's but an address in S3."""
    return isinstance(path, str) and path.startswith(SCHEME)


def parsed(address: str) -> Address:
    """The parts of an `s3://` address. Raises `SourceUnreadable` when it is none."""
    bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
    if bucket.startswith("arn:"):
        raise SourceUnreadable(
            f"{address} names an access point by its ARN. Use its alias, which ends with -s3alias:"
            " `aws s3control get-access-point` shows it."
        )
    if _BUCKET.fullmatch(bucket) is None:
        raise SourceUnreadable(
            f"{address} names no S3 bucket. Addresses are like s3://my-trail-bucket/AWSLogs/."
        )
    return Address(bucket, prefix.rstrip("/"))


def key_of(path: str) -> Address:
    """Bucket and key of an object's path, as the catalog has it."""
    bucket, _, key = path.removeprefix(SCHEME).partition("/")
    return Address(bucket, key)


def listed(bucket: Lists, prefix: str, bounds: Bounds) -> Iterator[Listed]:
    """Every log object at or below a prefix and within the bounds, in no order.

    Raises `SourceUnreadable` where nothing is there, or the bucket cannot be listed.
    """
    start = prefix + "/" if prefix else ""
    found = False
    with ThreadPoolExecutor(LISTINGS, thread_name_prefix="s3-list") as pool:
        for file in _below(pool, bucket, start, bounds):
            found = True
            key = key_of(file.path).prefix
            # An object of no bytes is a folder that somebody made in the console.
            if file.size and kind_skipped_by_path(file.path) is None and bounds.allow(key):
                yield file
    if found:
        return
    if prefix and (single := bucket.one(prefix)) is not None:
        yield single
    elif bounds == Bounds():
        raise SourceUnreadable(
            f"There is nothing below {SCHEME}{bucket.name}/{start} that could be a CloudTrail log."
            " Prefixes are whole folders: check it with `aws s3 ls`."
        )


def _below(pool: ThreadPoolExecutor, bucket: Lists, start: str, bounds: Bounds) -> Iterator[Listed]:
    if _ROOT.search(start) is not None:
        share = _share(start, bounds) if _LAYOUT.fullmatch(start) else Share.ALL
        yield from _walk(pool, bucket, [(start, share)], bounds)
        return
    roots, others, whole = _roots(pool, bucket, start)
    if roots:
        yield from _walk(pool, bucket, [(root, Share.SOME) for root in roots], bounds)
    elif whole:
        yield from others  # the search has listed all there is
    else:
        yield from bucket.everything(start)


def _roots(
    pool: ThreadPoolExecutor, bucket: Lists, start: str
) -> tuple[list[str], list[Listed], bool]:
    """The `AWSLogs` folders below, the objects met on the way, and whether these are all."""
    level, roots, others, searched = [start], list[str](), list[Listed](), 0
    for _ in range(_DEPTH):
        deeper: list[str] = []
        searched += len(level)
        for folders, files in pool.map(bucket.folder, level):
            others += files
            named = [folder for folder in folders if _ROOT.search(folder) is not None]
            roots += named
            if not named:
                deeper += folders
        level = deeper
        if not level or searched + len(level) > _SEARCHED:
            break
    return roots, others, not level


def _walk(
    pool: ThreadPoolExecutor,
    bucket: Lists,
    folders: Iterable[tuple[str, Share]],
    bounds: Bounds,
) -> Iterator[Listed]:
    def look(folder: str, share: Share) -> tuple[Sequence[str], list[Listed]]:
        if share is Share.ALL:
            return (), bucket.everything(folder)
        inside, files = bucket.folder(folder)
        # What lies in a folder of accounts or services is no log of CloudTrail's.
        return inside, files if _holds_logs(folder) else []

    done: SimpleQueue[Future[tuple[Sequence[str], list[Listed]]]] = SimpleQueue()
    left = 0

    def ask(folder: str, share: Share) -> int:
        if share is Share.NONE:
            return 0
        pool.submit(look, folder, share).add_done_callback(done.put)
        return 1

    try:
        left += sum(ask(*one) for one in folders)
        while left:
            inside, files = done.get().result()
            left += sum(ask(folder, _share(folder, bounds)) for folder in inside) - 1
            yield from files
    finally:
        if left:
            pool.shutdown(wait=False, cancel_futures=True)


def _holds_logs(folder: str) -> bool:
    place = _LAYOUT.fullmatch(folder)
    return place is None or place["region"] is not None


def _share(folder: str, bounds: Bounds) -> Share:
    """How much of a folder is wanted, by its name alone."""
    place = _LAYOUT.fullmatch(folder)
    if place is None:
        # Below a Region, folders of somebody's own: by the names of what is in them. Beside the
        # accounts, nothing of CloudTrail's.
        above = _LAYOUT.match(folder)
        return Share.ALL if above is not None and above["region"] is not None else Share.NONE
    account, service, region = place["account"], place["service"], place["region"]
    if account is not None and bounds.accounts and account not in bounds.accounts:
        return Share.NONE
    if service is not None and (
        not service.startswith("CloudTrail") or kind_skipped_by_path(f"/{folder}") is not None
    ):
        return Share.NONE
    if region is not None and bounds.regions and region not in bounds.regions:
        return Share.NONE
    if place["year"] is None:
        return Share.SOME
    days = _days(int(place["year"]), place["month"], place["day"])
    if days is None:
        return Share.ALL
    share = bounds.allow_days(*days)
    if place["day"] is not None and share is Share.SOME:
        return Share.ALL  # of the day after the last one, some objects
    if place["month"] is None and share is Share.ALL:
        return Share.SOME  # months are listed beside each other
    return share


def _days(year: int, month: str | None, day: str | None) -> tuple[date, date] | None:
    """The first and last day that a folder holds; None where its numbers are no date."""
    try:
        first = date(year, int(month or 1), int(day or 1))
    except ValueError:
        return None
    if day is not None:
        return first, first
    if month is not None:
        return first, first.replace(day=calendar.monthrange(year, first.month)[1])
    return first, date(year, 12, 31)
