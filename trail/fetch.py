"""Objects in S3 → private files that the reading processes read, and that go when they have.

The builder alone talks to AWS, so credentials stay in one process. It fetches one task's objects
while others are read: what lies here is at most a task for each reader and one ahead.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trail.catalog import SourceFile
from trail.errors import SourceUnreachable, SourceUnreadable
from trail.ingest import FetchedFile, FileResult, Task
from trail.private import private_folder
from trail.s3 import is_address, key_of

if TYPE_CHECKING:
    from trail.aws import Bucket

SPOOL = "fetched"
"""The folder in the index where they lie."""

DOWNLOADS = 32
"""Objects that are fetched at the same time, each through a buffer of a few MB at most."""
_DENIED_AT_ONCE = 50
"""So many refused one after the other, and none read: it is the policy, not the object."""


class Fetching:
    """Fetches the objects of tasks, from buckets that were opened."""

    def __init__(self, index: Path, buckets: Mapping[str, Bucket]) -> None:
        self._folder = index / SPOOL
        self._buckets = buckets
        self._pool = ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="s3-get")
        self._lock = threading.Lock()
        self._number = self._denied = 0
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
        asked = [self._pool.submit(self._one, path) for path in objects]
        try:
            for future in as_completed(asked):
                self._take(future, got, refused)
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
        future: Future[tuple[str, FetchedFile | SourceUnreadable]],
        got: dict[str, FetchedFile],
        refused: list[FileResult],
    ) -> None:
        if future.cancelled():
            return
        path, found = future.result()
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

    def _one(self, path: str) -> tuple[str, FetchedFile | SourceUnreadable]:
        bucket, key = key_of(path)
        with self._lock:
            self._number += 1
            into = self._folder / str(self._number)
        try:
            object_ = self._buckets[bucket].fetch(key, into)
        except SourceUnreadable as error:
            into.unlink(missing_ok=True)
            return path, error
        return path, FetchedFile(str(into), object_.size, object_.mtime_ns, object_.etag)

    def let_go(self, task: Task) -> None:
        """Removes the task's files: it was read."""
        for path in task.files:
            if (file := task.fetched.get(path)) is not None:
                Path(file.at).unlink(missing_ok=True)

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
