"""Objects in S3 → private files that the reading processes read, and that go when they have.

The builder alone talks to AWS, so credentials stay in one process. It fetches one task's objects
while others are read: what lies here is at most a task for each reader and one ahead.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from trail.errors import SourceUnreachable, SourceUnreadable
from trail.index.catalog import SourceFile
from trail.index.ingest import FetchedFile, FileResult, Task
from trail.private import private_folder
from trail.read.s3 import is_address, key_of
from trail.read.sources import Listed

if TYPE_CHECKING:
    from trail.read.aws import Bucket

SPOOL = "fetched"
"""The folder in the index where they lie."""

DOWNLOADS = 32
"""Objects that are fetched at the same time, each through a buffer of a few MB at most."""
_LARGE = 1 << 20
"""A file of more bytes does not keep its room on disk until it is written over."""
_CALLS = 4 * DOWNLOADS
_DENIED_AT_ONCE = 50
"""So many refused one after the other, and none read: it is the policy, not the object."""


class Fetching:
    """Fetches the objects of tasks, from buckets that were opened."""

    def __init__(self, index: Path, buckets: Mapping[str, Bucket]) -> None:
        self.listed: Mapping[str, Listed] = {}
        """What was listed of each object that is to be fetched."""
        self._folder = index / SPOOL
        self._buckets = buckets
        self._pool = ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="s3-get")
        self._places = SimpleQueue[Path]()
        """Files that were read, to be written over: a new file takes longer, after many were
        removed (ext4 looks for an inode that was not used a moment ago)."""
        self._numbers = itertools.count()
        self._denied = 0
        self.stopped: SourceUnreachable | None = None
        """Why no more can be fetched; what was fetched before it is whole."""

    def fetch(
        self, task: Task, told: Callable[[str], None] = lambda _: None
    ) -> tuple[Task, list[FileResult]]:
        """The task with where its objects lie now, without those that cannot be had, and what is
        to be said of these. After `stopped`, it has those alone that came before.

        Raises `OSError` when they cannot be written.
        """
        objects = [path for path in task.files if is_address(path)]
        if not objects or self.stopped is not None:
            return task, []
        private_folder(self._folder)
        got: dict[str, FetchedFile] = {}
        refused: list[FileResult] = []
        # Several to each call: threads that hand over after every object cost more than it.
        calls = min(len(objects), _CALLS)
        asked = [self._pool.submit(self._some, objects[n::calls]) for n in range(calls)]
        try:
            for future in as_completed(asked):
                if not future.cancelled():
                    for path, found in future.result():
                        self._take(path, found, got, refused)
                told(objects[0])
                if self.stopped is not None:
                    _cancel(asked)
        except BaseException:
            _cancel(asked)
            raise
        kept = [path for path in task.files if path in got or not is_address(path)]
        return replace(task, files=kept, fetched=got), refused

    def _take(
        self,
        path: str,
        found: FetchedFile | SourceUnreadable,
        got: dict[str, FetchedFile],
        refused: list[FileResult],
    ) -> None:
        if isinstance(found, SourceUnreachable):
            self.stopped = self.stopped or found
        elif isinstance(found, SourceUnreadable):
            # Without a stamp: it is tried again each time.
            reason = f"cannot be fetched: {found}"
            file = SourceFile(path, -1, 0, records=1, rejected=1, error=reason)
            refused.append(FileResult(file, [(path, "file", reason)]))
            if getattr(found, "denied", False):
                self._denied += 1
                if self._denied == _DENIED_AT_ONCE and self.stopped is None:
                    self.stopped = SourceUnreachable(
                        f"{found}. {self._denied} objects were refused one after the other, so"
                        " nothing more was asked for."
                    )
        else:
            self._denied = 0
            got[path] = found

    def _some(self, paths: Sequence[str]) -> list[tuple[str, FetchedFile | SourceUnreadable]]:
        found = []
        for path in paths:
            if self.stopped is not None:
                break
            found.append((path, self._one(path)))
            if isinstance(found[-1][1], SourceUnreachable):
                break
        return found

    def _one(self, path: str) -> FetchedFile | SourceUnreadable:
        bucket, key = key_of(path)
        into = self._place()
        try:
            self._buckets[bucket].fetch(key, into)
        except SourceUnreadable as error:
            self._places.put(into)
            return error
        found = self.listed[path]
        return FetchedFile(str(into), found.size, found.mtime_ns, found.etag)

    def _place(self) -> Path:
        try:
            return self._places.get_nowait()
        except Empty:
            return self._folder / str(next(self._numbers))

    def let_go(self, task: Task) -> None:
        """The task was read: its files are written over by what comes next."""
        for path in task.files:
            if (file := task.fetched.get(path)) is not None:
                if file.size > _LARGE:
                    os.truncate(file.at, 0)
                self._places.put(Path(file.at))

    def close(self) -> None:
        """Removes all there are."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        sweep_fetched(self._folder.parent)


def _cancel(futures: Iterable[Future[Any]]) -> None:
    for future in futures:
        future.cancel()


def sweep_fetched(index: Path) -> None:
    """Removes what a killed build had fetched."""
    shutil.rmtree(index / SPOOL, ignore_errors=True)
