"""Folders and files → the list of source files with their stamps, in the order of their days.

What lies in S3 is listed by `trail/read/s3.py`, into the same `Listed`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple


class Listed(NamedTuple):
    """One file as the walk found it, or one object in S3, whose path is `s3://bucket/key`. A
    tuple, because there may be a million.

    `etag` is "" for a file; an object's changes with its content. With size and time of change it
    is the stamp by which an unchanged one is not read again.
    """

    path: str
    size: int
    mtime_ns: int
    etag: str = ""


@dataclass(frozen=True)
class Unlistable:
    """A folder or path that could not be looked into, and why."""

    path: str
    reason: str


_IN_NAME = re.compile(r"_(\d{8}T\d{4})Z_")
_IN_FOLDERS = re.compile(r"/(\d{4})/(\d\d)/(\d\d)/")
_IN_PARTITION = re.compile(r"/eventDay=(\d{8})/")


_OWNER = re.compile(
    r"/AWSLogs/(?:o-[a-z0-9]{10,32}/)?(\d{12})/CloudTrail[\w-]*/([a-z]{2}(?:-[a-z]+)+-\d)/"
)
_OWNER_IN_LAKE = re.compile(r"/region=([a-z0-9-]+)/accountId=(\d{12})/")


@lru_cache(1_024)
def owner(path: str) -> tuple[str | None, str | None]:
    """(account, Region) that CloudTrail's own folders name in a source file's path (§1.3)."""
    if (match := _OWNER.search(path)) is not None:
        return match[1], match[2]
    if (match := _OWNER_IN_LAKE.search(path)) is not None:
        return match[2], match[1]
    return None, None


def day_of(path: str) -> date | None:
    """The day that CloudTrail's own folders and names give a source file: when it was delivered,
    which is minutes after its events; None for files that lie elsewhere."""
    if owner(path) == (None, None):
        return None
    try:
        return date.fromisoformat(by_day(path)[0][:8])
    except ValueError:
        return None


def walk(roots: Iterable[str | os.PathLike[str]]) -> Iterator[Listed | Unlistable]:
    """Every regular file below the roots, once; links are followed, loops are not."""
    seen: set[tuple[int, int]] = set()
    for root in roots:
        start = os.path.realpath(root)
        if not _is_utf8(start):
            yield Unlistable(printable(start), _NOT_UTF8)
            continue
        try:
            stat = os.stat(start)  # noqa: PTH116 # a walk of 100,000 files: no Path objects
        except OSError as error:
            yield Unlistable(start, error.strerror or str(error))
            continue
        if S_ISREG(stat.st_mode):
            yield Listed(start, stat.st_size, stat.st_mtime_ns)
            continue
        if not S_ISDIR(stat.st_mode):
            yield Unlistable(start, "neither a regular file nor a folder")
            continue
        folders = [start]
        seen_here = (stat.st_dev, stat.st_ino)
        if seen_here in seen:
            continue
        seen.add(seen_here)
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        try:
                            if not _is_utf8(entry.path):
                                yield Unlistable(printable(entry.path), _NOT_UTF8)
                            elif entry.is_dir():
                                stat = entry.stat()
                                if (stat.st_dev, stat.st_ino) not in seen:
                                    seen.add((stat.st_dev, stat.st_ino))
                                    folders.append(entry.path)
                            elif entry.is_file():
                                stat = entry.stat()
                                yield Listed(entry.path, stat.st_size, stat.st_mtime_ns)
                        except OSError as error:
                            yield Unlistable(entry.path, error.strerror or str(error))
            except OSError as error:
                yield Unlistable(folder, error.strerror or str(error))


_NOT_UTF8 = "its name is not UTF-8, so no event could name it: rename it"


def _is_utf8(path: str) -> bool:
    """Whether Python had to make no half surrogates of the name's bytes."""
    if path.isascii():
        return True
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(path: str) -> str:
    """A path as text that any engine can hold: bytes that are no UTF-8 as `\\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def by_day(path: str) -> tuple[str, str]:
    """Sorts files so that those of one day are read together, as far as names tell the day."""
    if match := _IN_NAME.search(path):
        return match[1], path
    if match := _IN_FOLDERS.search(path):
        return "".join(match.groups()), path
    if match := _IN_PARTITION.search(path):
        return match[1], path
    return "", path
