"""Builds and extends an index: only what is new or changed is read, and each round of files is
published in one transaction, so that a build killed at any point has lost nothing it published.

A round is read by up to two worker processes into segments that nobody sees yet. Then, day by
day (an event's copies carry one time, so they meet in one day), repeats are taken out, small
segments merged, and rollup, coverage and credentials made anew for the days that changed; then
the catalog names it all at once.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import duckdb
import msgspec

from trail.counted import counted
from trail.errors import IndexFull, IndexUnreadable, SourceUnreachable, SourceUnreadable
from trail.index.catalog import (
    CREDENTIAL_KINDS,
    GRACE_SECONDS,
    SEGMENTS,
    Catalog,
    DayCoverage,
    Publication,
    Reject,
    Segment,
    SourceFile,
    monday_of,
)
from trail.index.fetch import Fetching, sweep_fetched
from trail.index.ingest import DISK_FULL, Advance, FileResult, Task, TaskResult, read_task
from trail.index.lock import write_lock
from trail.index.passed_over import PassedOver
from trail.index.same_calls import find_same_calls, told_before
from trail.index.segments import (
    CALLS,
    CREDENTIAL_CALLS,
    KEYS,
    MERGE_MEMORY,
    MINTED,
    ROLLUP,
    DayInputs,
    Merger,
    sync_folders,
    tier,
)
from trail.index.workers import Workers
from trail.read.s3 import Access, Address, Reading, is_address, key_of, listed, parsed
from trail.read.sources import Listed, Unlistable, by_day, printable, walk

if TYPE_CHECKING:
    from trail.read.aws import Bucket

TASK_BYTES = 128 << 20
TASK_FILES = 10_000
_FETCHED_FILES = 2_000
"""Of a lot of objects in S3, which take longer: what was fetched for it is lost by a kill."""
_LEAST_TASK_BYTES = 16 << 20
ROUND_BYTES = 3 << 30
ROUND_SECONDS = 45.0
"""A round ends with the day that fills it, so that few days are settled twice."""

_ALONE_BYTES = 24 << 20
"""Below this (unpacked, as guessed) two more processes would cost more than they save."""


@dataclass(frozen=True)
class Progress:
    """How far a build is. `files_total` and `bytes_total` count what has to be read."""

    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    events: int
    elapsed_s: float
    file: str = ""
    """The file that was being read when this was said."""


@dataclass(frozen=True)
class BuildSummary:
    """What one build did.

    `events_added` are events that the index did not have, `duplicates` all other events that were
    read: of files that changed, too, and even where only their stamp did. `events_gone` were given
    by files that have changed, and no file holds them any more.
    """

    files_read: int
    files_unchanged: int
    skipped_files: int
    events_added: int
    duplicates: int
    rejected: int
    bytes_read: int
    elapsed_s: float
    interrupted: bool = False
    passed_over: tuple[PassedOver, ...] = ()
    """What gave no events and why, the most frequent first; at most `REASONS`."""
    events_gone: int = 0


REASONS = 8
"""Of a build: reasons that its summary names. `status` has them all."""


def add(
    paths: Iterable[str | os.PathLike[str]],
    index_dir: str | os.PathLike[str],
    *,
    progress: Callable[[Progress], None] | None = None,
    workers: int = 2,
    round_bytes: int = ROUND_BYTES,
    s3: Reading | None = None,
    known: Sequence[Listed] = (),
    all_or_none: bool = False,
) -> BuildSummary:
    """Reads every new or changed file below `paths` into the index, which is made if missing.

    A path may be an address `s3://bucket/prefix`; `s3` says by whom it is read, and what of it.
    `known` objects are read without being listed, by the ways that the catalog has for their
    buckets. With `all_or_none`, an object that cannot be had ends the build.

    Ctrl-C ends it early: what was read completely by then is kept, and the summary says so.
    Raises `IndexBusy`, `IndexFull`, `IndexUnreadable`, or `SourceUnreadable` for a path that is
    not there; `SourceUnreachable` where AWS refuses, and what was read before it is kept.
    """
    given = list(paths)
    addresses = [parsed(path) for path in given if isinstance(path, str) and is_address(path)]
    roots = [os.path.realpath(path) for path in given if not is_address(path)]
    for root in roots:
        if not os.path.lexists(root):
            raise SourceUnreadable(f"There is no file or folder at {root}. Check the path.")
    index = Path(index_dir).resolve()
    with (
        disk_errors(index),
        _few_searches_for_cycles(),
        Catalog(index, create=True) as catalog,
        write_lock(index),
    ):
        catalog.check_schema()
        sweep(catalog)
        with nothing_unpublished(catalog), _Build(catalog, progress, workers, round_bytes) as build:
            return build.run(roots, addresses, s3, known, all_or_none=all_or_none)


@contextmanager
def _few_searches_for_cycles() -> Iterator[None]:
    """Python looks for garbage cycles as often as it makes new objects; a list of a million files
    has none, and is looked through again and again. Not switched off: we may be a dashboard."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 100_000) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def disk_errors(index: Path) -> Iterator[None]:
    """Turns a full disk into `IndexFull`, and what else keeps us from writing into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise _full(index) from error
        at = f" at {error.filename}" if error.filename else ""
        raise IndexUnreadable(
            f"{index} cannot be written ({error.strerror or error}{at}). Check the folder's "
            "permissions."
        ) from error
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise _full(index) from error
        if "disk I/O" in str(error):
            raise IndexFull(
                f"The disk under {index} is full, or failed ({error}). What was published before "
                "is intact: look at the disk, then run the same command again."
            ) from error
        raise IndexUnreadable(
            f"The catalog of {index} cannot be used ({error}). Check the folder's permissions."
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise IndexUnreadable(
            f"Putting new events in order took more memory than is allowed for it, {MERGE_MEMORY}. "
            "What was published before is intact. Add the files in smaller lots, and please report "
            f"this ({str(error).strip().partition(chr(10))[0]})."
        ) from error
    except duckdb.Error as error:
        text = str(error).strip().partition("\n")[0]
        if any(sign in text for sign in ("No space left", "File too large", "Disk quota")):
            raise _full(index) from error
        raise IndexUnreadable(
            f"A segment of {index} could not be rewritten ({text}). Run `python -m trail verify "
            f"--index {index}`."
        ) from error


def _full(index: Path) -> IndexFull:
    return IndexFull(
        f"The disk under {index} is full. What was published before is intact: free some space, "
        "then run the same command again, and it goes on where it stopped."
    )


@contextmanager
def nothing_unpublished(catalog: Catalog) -> Iterator[None]:
    """After an error, be it of the disk, no segment stays that the catalog does not name."""
    try:
        yield
    except BaseException:
        with suppress(OSError, sqlite3.Error):  # the next build sweeps as well
            _remove_unpublished(catalog)
        raise


def _remove_unpublished(catalog: Catalog) -> None:
    folder = catalog.index_dir / SEGMENTS
    known = catalog.known_names()
    for path in folder.glob("*/*.parquet"):
        if f"{SEGMENTS}/{path.parent.name}/{path.name}" not in known:
            path.unlink(missing_ok=True)


def sweep(catalog: Catalog) -> None:
    """Removes segment files that a killed build left, and replaced ones past their grace."""
    _remove_unpublished(catalog)
    sweep_fetched(catalog.index_dir)
    past = catalog.replaced_before(time.time() - GRACE_SECONDS)
    for name in past:
        (catalog.index_dir / name).unlink(missing_ok=True)
    if past:
        catalog.forget_replaced(past)


class _Build:
    def __init__(
        self,
        catalog: Catalog,
        progress: Callable[[Progress], None] | None,
        workers: int,
        round_bytes: int,
    ) -> None:
        self._catalog = catalog
        self._index = catalog.index_dir
        self._progress = progress
        self._worker_count = workers
        self._round_bytes = round_bytes
        self._started = time.perf_counter()
        self._stamps: dict[str, tuple[int, int, str]] = {}
        self._dropped: dict[str, date] = {}
        self._files_total = self._files_done = 0
        self._bytes_total = self._bytes_done = 0
        self._events = self._rejected = self._skipped = 0
        self._given = self._gone = 0  # rows of events that files gave; events that went with some
        self._passed_over: dict[tuple[bool, str], tuple[int, str]] = {}
        self._running: dict[int, Advance] = {}
        self._at_work = ""
        self._workers = Workers()
        self._merger: Merger | None = None
        self._fetching: Fetching | None = None
        self._accesses: dict[str, str] = {}
        self._all_or_none = False
        self._refused = 0

    def __enter__(self) -> _Build:
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.kill()
        if self._merger is not None:
            self._merger.close()
        if self._fetching is not None:
            self._fetching.close()

    def run(
        self,
        roots: Sequence[str],
        addresses: Sequence[Address] = (),
        reading: Reading | None = None,
        known: Sequence[Listed] = (),
        *,
        all_or_none: bool = False,
    ) -> BuildSummary:
        events, _ = self._catalog.rows()
        self._stamps = self._catalog.stamps()
        self._dropped = self._catalog.dropped()
        self._all_or_none = all_or_none
        buckets = self._open_buckets(addresses, reading, known)
        bounds = (reading or Reading()).bounds
        todo, unchanged, unlistable = self._compare(
            roots,
            chain(known, *(listed(buckets[one.bucket], one.prefix, bounds) for one in addresses)),
        )
        self._keep_accesses()
        self._note_unlistable(roots, unlistable)
        self._files_total = len(todo)
        self._bytes_total = sum(file.size for file in todo)
        self._tell()
        interrupted = False
        if todo:
            interrupted = self._read(sorted((self._order(file), file) for file in todo))
        if self._fetching is not None and self._fetching.stopped is not None:
            kept = counted(self._catalog.rows()[0] - events, "event")
            read = counted(self._files_done - self._refused, "file")
            raise SourceUnreachable(
                f"{self._fetching.stopped} What was read before is kept: {kept} of {read}."
            )
        added = self._catalog.rows()[0] - events + self._gone
        return BuildSummary(
            files_read=self._files_done,
            files_unchanged=unchanged,
            skipped_files=self._skipped,
            events_added=added,
            duplicates=self._given - added,
            rejected=self._rejected,
            bytes_read=self._bytes_done,
            elapsed_s=time.perf_counter() - self._started,
            interrupted=interrupted,
            passed_over=self._reasons(),
            events_gone=self._gone,
        )

    def _open_buckets(
        self, addresses: Sequence[Address], reading: Reading | None, known: Sequence[Listed]
    ) -> dict[str, Bucket]:
        """The buckets that will be read, each by how it is reached."""
        before = self._catalog.buckets()
        names = {one.bucket for one in addresses}
        named = {one: (reading or Reading()).access for one in names}
        for file in known:
            bucket = key_of(file.path).bucket
            if bucket not in named:
                told = before.get(bucket)
                named[bucket] = msgspec.json.decode(told, type=Access) if told else Access()
        if not named:
            return {}
        from trail.read.aws import Bucket  # takes a while, and most builds need none of it

        buckets = {name: Bucket(name, access) for name, access in named.items()}
        self._fetching = Fetching(self._index, buckets)
        self._accesses = {name: msgspec.json.encode(named[name]).decode() for name in named}
        return buckets

    def _keep_accesses(self) -> None:
        """Has the catalog keep how the buckets are reached, by which they were listed."""
        before = self._catalog.buckets()
        if any(before.get(name) != access for name, access in self._accesses.items()):
            self._catalog.publish(Publication(buckets=self._accesses), time.time())

    def _order(self, file: Listed) -> tuple[str, str]:
        """What files are sorted by: their day; what could not be had before comes last, so that
        it keeps nothing else back."""
        day, path = by_day(file.path)
        again = file.etag and self._stamps.get(file.path, (0, 0, ""))[0] == -1
        return (f"~{day}" if again else day), path

    def _note(self, reason: str, count: int, where: str, *, rejected: bool) -> None:
        before, example = self._passed_over.get((rejected, reason), (0, where))
        self._passed_over[rejected, reason] = (before + count, example)

    def _reasons(self) -> tuple[PassedOver, ...]:
        noted = (
            PassedOver(reason, count, example, rejected)
            for (rejected, reason), (count, example) in self._passed_over.items()
        )
        return tuple(sorted(noted, key=lambda one: (not one.rejected, -one.count))[:REASONS])

    def _compare(
        self, roots: Sequence[str], objects: Iterable[Listed]
    ) -> tuple[list[Listed], int, list[Unlistable]]:
        """What has to be read: a file whose stamp the catalog knows is not opened."""
        todo: dict[str, Listed] = {}
        unlistable: list[Unlistable] = []
        unchanged = 0
        own = str(self._index) + os.sep
        stamps = self._stamps
        guessed = 0
        for file in chain(walk(roots), objects):
            if isinstance(file, Unlistable):
                unlistable.append(file)
            elif stamps.get(file.path) == (file.size, file.mtime_ns, file.etag):
                unchanged += 1
            elif not file.path.startswith(own):
                todo[file.path] = file
                guessed += _unpacked(file)
                if guessed >= _ALONE_BYTES and len(todo) > 1 and not self._workers.any:
                    # They start while we look for more.
                    self._workers.launch(self._worker_count)
        return list(todo.values()), unchanged, unlistable

    def _note_unlistable(self, roots: Sequence[str], found: Sequence[Unlistable]) -> None:
        """Folders without permission become rejects, until they can be read."""
        known = {
            file.path: file.error
            for file in (
                self._catalog.files() if -2 in {s for s, _, _ in self._stamps.values()} else []
            )
            if file.size == -2 and any(_below(file.path, printable(root)) for root in roots)
        }
        now = {item.path: item.reason for item in found}
        self._rejected += len(now)
        for path in now:
            self._note("could not be looked into", 1, path, rejected=True)
        if {path: f"cannot be listed: {reason}" for path, reason in now.items()} == known:
            return
        change = Publication(forget=list(known))
        for path, reason in now.items():
            said = f"cannot be listed: {reason}"
            change.files.append(SourceFile(path, -2, 0, records=1, rejected=1, error=said))
            change.rejects.append((path, Reject(path, "path", said)))
        self._catalog.publish(change, time.time())

    def _read(self, todo: Sequence[tuple[tuple[str, str], Listed]]) -> bool:
        tasks = deque(_tasks(self._index, todo, self._round_bytes, self._dropped))
        sizes = {file.path: file.size for _, file in todo}
        if self._fetching is not None:
            self._fetching.listed = {file.path: file for _, file in todo if file.etag}
        finished: list[TaskResult] = []
        round_read = 0
        round_began = time.perf_counter()
        workers = self._workers
        alone = not workers.any
        ahead: Task | None = None  # fetched while the readers are busy
        try:
            while tasks or ahead is not None or workers.busy:
                full = round_read >= self._round_bytes or (
                    time.perf_counter() - round_began > ROUND_SECONDS
                )
                if full and not workers.busy:
                    # Nothing is left to settle if Ctrl-C ends this.
                    round_of, finished = finished, []
                    self._settle(round_of)
                    round_read, round_began = 0, time.perf_counter()
                    continue
                if alone:
                    task = self._fetched(tasks, finished)
                    results: list[tuple[Task, TaskResult | None]] = [
                        (task, read_task(task, self._advance_alone))
                    ]
                else:
                    while (tasks or ahead is not None) and workers.idle and not full:
                        task = ahead or self._fetched(tasks, finished)
                        ahead = None
                        if not task.files:  # none could be had
                            continue
                        workers.start(task)
                        round_read += sum(
                            _unpacked_size(path, sizes.get(path, 0)) for path in task.files
                        )
                        full = round_read >= self._round_bytes
                    if tasks and ahead is None and self._fetching is not None:
                        ahead = self._fetched(tasks, finished)
                    if not workers.busy:
                        continue
                    if self._merger is None and not tasks:
                        self._merger = Merger(self._index)  # while the last tasks are read
                    results = workers.wait(self._advance)
                for task, result in results:
                    if result is None:
                        tasks.extendleft(reversed(self._after_crash(task, finished)))
                        continue
                    if result.error is not None:
                        self._stop(result)
                    finished.append(result)
                    if self._fetching is not None:
                        self._fetching.let_go(task)
                    if alone:
                        self._running.clear()
                        round_read += result.bytes * 10
                    self._files_done += len(result.files)
                    self._bytes_done += result.bytes
                    self._events += result.events
                    self._tell()
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
        workers.dismiss()
        self._settle(finished)
        return interrupted

    def _fetched(self, tasks: deque[Task], finished: list[TaskResult]) -> Task:
        """The next task, with its objects in S3 here. When no more can be had there is no next."""
        task = tasks.popleft()
        if self._fetching is None or task.fetched:  # a crash's: they are here
            return task

        def told(path: str) -> None:
            self._at_work = path
            self._tell()

        task, refused = self._fetching.fetch(task, told)
        if refused and self._all_or_none:
            raise SourceUnreadable(
                f"{refused[0].file.path} {refused[0].file.error}. Nothing was changed; run with"
                " --force to go on without what cannot be had."
            )
        if refused:
            finished.append(TaskResult(refused))
            self._files_done += len(refused)
            self._refused += len(refused)
        if self._fetching.stopped is not None:
            if self._all_or_none:
                raise self._fetching.stopped
            tasks.clear()
        return task

    def _after_crash(self, task: Task, finished: list[TaskResult]) -> list[Task]:
        """A worker died: find the file that does it, and read all others."""
        if len(task.files) > 1:
            half = len(task.files) // 2
            return [
                replace(task, files=task.files[:half]),
                replace(task, files=task.files[half:]),
            ]
        path = task.files[0]
        reason = "reading it ended the reading process (out of memory, or a fault in a library)"
        finished.append(
            TaskResult(
                [
                    FileResult(
                        SourceFile(path, -1, 0, records=1, rejected=1, error=reason),
                        [(path, "file", reason)],
                    )
                ]
            )
        )
        self._files_done += 1
        return []

    def _stop(self, result: TaskResult) -> None:
        if result.disk_full:
            raise _full(self._index)
        raise IndexUnreadable(
            f"A segment could not be written below {self._index} ({result.error}). Check the "
            "folder's permissions and disk."
        )

    def _advance_alone(self, far: Advance) -> None:
        self._advance(0, far)

    def _advance(self, worker: int, far: Advance) -> None:
        self._running[worker] = far
        self._at_work = far.file or self._at_work
        self._tell()

    def _tell(self) -> None:
        if self._progress is None:
            return
        ahead = self._running.values()
        self._progress(
            Progress(
                min(self._files_total, self._files_done + sum(a.files for a in ahead)),
                self._files_total,
                min(self._bytes_total, self._bytes_done + sum(a.bytes for a in ahead)),
                self._bytes_total,
                self._events + sum(a.events for a in ahead),
                time.perf_counter() - self._started,
                self._at_work,
            )
        )

    def _settle(self, results: Sequence[TaskResult]) -> None:
        """Publishes what a round of tasks made, each event once."""
        change = Publication()
        for result in results:
            change.files += [of_file.file for of_file in result.files]
            for of_file in result.files:
                if of_file.rejects or of_file.skips:
                    path = of_file.file.path
                    change.rejects += [(path, Reject(*reject)) for reject in of_file.rejects]
                    change.skips += [(path, *skip) for skip in of_file.skips]
                    self._rejected += of_file.file.rejected
                    self._skipped += sum(whole for _, _, _, whole in of_file.skips)
                    for member, _, reason in of_file.rejects:
                        self._note(reason, 1, member, rejected=True)
                    for member, reason, count, whole in of_file.skips:
                        self._note(reason, count or int(whole), member, rejected=False)
        if not change.files:
            return
        fresh = [segment for result in results for segment in result.segments]
        changed = self._catalog.files([f.path for f in change.files if f.path in self._stamps])
        gone = frozenset(file.path for file in changed if file.days)
        affected = {date.fromisoformat(day) for file in changed for day in file.days}
        catalog = self._catalog
        went = 0
        with catalog.transaction():
            if fresh or affected:
                merger, self._merger = self._merger, None
                with merger or Merger(self._index) as merger:
                    went = settle_days(
                        catalog, merger, change, fresh, gone, affected,
                        known_mints=True, meanwhile=lambda: catalog.put_files(change),
                    )  # fmt: skip
            else:
                catalog.put_files(change)
            sync_folders(catalog.index_dir, [segment.name for segment in change.add])
            catalog.put_segments(change, time.time())
        self._gone += went
        self._given += sum(file.records - file.rejected - file.passed_over for file in change.files)
        # A later round of this build must see these files as known.
        self._stamps.update((f.path, (f.size, f.mtime_ns, f.etag)) for f in change.files)


def publish(catalog: Catalog, change: Publication) -> None:
    """Makes a change durable, then visible."""
    sync_folders(catalog.index_dir, [segment.name for segment in change.add])
    catalog.publish(change, time.time())


def settle_days(
    catalog: Catalog,
    merger: Merger,
    change: Publication,
    fresh: Sequence[Segment],
    gone: frozenset[str],
    affected: set[date],
    *,
    whole: bool = False,
    known_mints: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
) -> int:
    """Works out each touched day's new segments. `affected` days lose what `gone` files gave;
    with `whole` they are merged down to one segment. `known_mints`: the fresh segments came with
    a list of what may be credentials. `meanwhile` is done while other threads count.

    Returns how many events went with the `gone` files."""
    live = catalog.segments()
    by_day_and_kind: dict[tuple[date | None, str], list[Segment]] = {}
    for segment in live:
        by_day_and_kind.setdefault((segment.day, segment.kind), []).append(segment)
    fresh_by_day: dict[date, list[Segment]] = {}
    minted = [segment for segment in fresh if segment.kind == MINTED]
    for segment in fresh:
        if segment.day is not None:
            fresh_by_day.setdefault(segment.day, []).append(segment)

    days = sorted(set(fresh_by_day) | affected)
    repeated = merger.days_with_repeats(
        {
            day: [
                *by_day_and_kind.get((day, "events"), []),
                *(segment for segment in fresh_by_day[day] if segment.kind == "events"),
            ]
            for day in days
            if day not in affected
        }
    )
    # The readings' own lists of credentials spare a scan, unless rows were taken out since, or
    # the segments did not come from a reading.
    minted_is_exact = known_mints and not affected and not repeated
    if len({monday_of(day) for day in days}) > 1 and not affected and not repeated:
        merger.use_threads(1)
    arrived: list[Segment] = []  # events segments whose credentials are not in any run yet
    live_names = frozenset(segment.name for segment in live)
    went = 0

    def settled(day: date) -> list[Segment]:
        """The day's events segments, each event in one of them."""
        nonlocal went
        events = by_day_and_kind.get((day, "events"), [])
        copies = by_day_and_kind.get((day, "copies"), [])
        new = fresh_by_day.get(day, [])
        if day in affected:
            all_of_it = [*events, *copies, *new]
            made = (
                rewritten(DayInputs(day, [], all_of_it, live_names, gone))
                if all_of_it  # nothing is left of a day that was dropped
                else []
            )
            change.remove += [segment.name for segment in (*events, *copies)]
            if gone:
                went += together.here(partial(merger.count_gone, events, made))
            events = []
        elif day in repeated:
            made = rewritten(DayInputs(day, events, new))
        else:
            made = new
        if made is not new:
            _discard(catalog.index_dir, new)
        change.add += made
        new_events = [segment for segment in made if segment.kind == "events"]
        arrived.extend(new_events)
        events = [*events, *new_events]
        if not whole and (few := tier(events)):
            made = rewritten(DayInputs(day, [], few, live_names))
            for segment in few:
                if segment.name in live_names:
                    change.remove.append(segment.name)
                else:
                    change.add.remove(segment)
            events = [s for s in events if s not in few] + made
            change.add += made
        return events

    def rewritten(inputs: DayInputs) -> list[Segment]:
        return together.here(lambda: merger.rewrite_day(inputs))

    def rolled(
        monday: date, changed: Mapping[date, Sequence[Segment]], old: Sequence[Segment]
    ) -> tuple[list[Segment], dict[date, list[DayCoverage]]]:
        with merger.beside() as other:
            return other.roll_up(monday, changed, old, calls.now.get(monday, ()))

    runs = [segment for segment in live if segment.kind in CREDENTIAL_KINDS]

    def credentials() -> tuple[list[Segment], list[Segment]]:
        """The new runs, and the segments that they replace."""
        with merger.beside() as other:
            made = other.credentials(minted if minted_is_exact else arrived)
            if gone and affected:
                days = ", ".join(f"date '{day}'" for day in sorted(affected))
                kept = f"coalesce(cast(event_time as date) not in ({days}), true)"
                merged, few = other.merge_credentials(runs, kept, made), [*runs, *made]
            else:
                few = mergeable(runs, made)
                merged = other.merge_credentials(few) if few else []
            _discard(catalog.index_dir, [segment for segment in made if segment in few])
            merged += [segment for segment in made if segment not in few]
            return merged, [segment for segment in runs if segment in few]

    # Much of each step is planning, which is one thread's work: weeks are rolled up beside.
    with _Together(merger) as together:
        minting: _Step[tuple[list[Segment], list[Segment]]] | None = None
        if minted_is_exact and not whole:
            minting = together.begin(credentials)
        weeks = []
        events = {
            day: held for (day, kind), held in by_day_and_kind.items() if kind == "events" and day
        }
        events |= {day: settled(day) for day in days}
        told = [segment for segment in live if segment.kind in (CALLS, CREDENTIAL_CALLS)]
        calls = told_before(told)
        if fresh or gone:
            calls = together.here(lambda: find_same_calls(merger, told, arrived, events, affected))
            change.add += calls.add
            change.remove += [segment.name for segment in calls.remove]
        recounted = sorted({*days, *(calls.days & events.keys())})
        for monday, of_week in groupby(recounted, monday_of):
            changed = {day: events[day] for day in of_week}
            old = [s for kind in (ROLLUP, KEYS) for s in by_day_and_kind.get((monday, kind), [])]
            if {segment.kind for segment in old} == {ROLLUP}:  # of before keys were kept
                changed |= {
                    day: segments
                    for (day, kind), segments in by_day_and_kind.items()
                    if kind == "events" and day and day not in changed and monday_of(day) == monday
                }
            change.remove += [segment.name for segment in old]
            weeks.append(together.begin(partial(rolled, monday, changed, old)))
        if minting is None and not whole:
            minting = together.begin(credentials)
        meanwhile()
        together.finish()
        if minting is not None:
            made, replaced = minting.result()
            change.add += made
            change.remove += [segment.name for segment in replaced]
        for week in weeks:
            rollup, coverage = week.result()
            change.coverage |= coverage
            change.add += rollup

    # Segments that were merged before anyone saw them, kept until their credentials were read.
    named = {segment.name for segment in change.add}
    _discard(catalog.index_dir, [s for s in arrived if s.name not in named])
    _discard(catalog.index_dir, minted)
    return went


def mergeable(runs: Sequence[Segment], made: Sequence[Segment]) -> list[Segment]:
    """The credentials segments worth merging into one run, of those there are and of new ones."""
    by_key = [s for s in (*runs, *made) if s.kind == CREDENTIAL_KINDS[0]]
    chosen = {segment.run for segment in tier(by_key)}
    in_every_order = {segment.run for segment in runs} <= {segment.run for segment in by_key}
    if not in_every_order:  # an index of before the orders of a run shared its name
        return [*runs, *made] if chosen else []
    return [segment for segment in (*runs, *made) if segment.run in chosen]


T = TypeVar("T")


class _Step(Generic[T]):
    """Work that two threads share with other work, and what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.future: Future[T]

    def result(self) -> T:
        return self.future.result()


class _Together:
    """Two threads for the steps of one settling, which share the merger's memory.

    What runs out of it is done again when nothing else is left. An error (Ctrl-C, too) ends what
    the threads are at, and is not kept waiting.
    """

    def __init__(self, merger: Merger) -> None:
        self._merger = merger
        self._threads = ThreadPoolExecutor(2)
        self._steps: list[_Step[Any]] = []

    def __enter__(self) -> _Together:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._threads.shutdown(wait=kind is None, cancel_futures=kind is not None)
        if kind is not None:
            self._merger.interrupt()
            self._threads.shutdown()

    def begin(self, work: Callable[[], T]) -> _Step[T]:
        step = _Step(work)
        step.future = self._threads.submit(work)
        self._steps.append(step)
        return step

    def here(self, work: Callable[[], T]) -> T:
        """What is done in this thread; alone, if memory is short beside the steps begun."""
        try:
            return work()
        except duckdb.OutOfMemoryException:
            wait([step.future for step in self._steps])
            return work()

    def finish(self) -> None:
        """Waits for every step; raises the first error that doing it alone does not mend."""
        short = []
        for step in self._steps:
            try:
                step.result()
            except duckdb.OutOfMemoryException:
                short.append(step)
        for step in short:
            self._merger.use_threads(1)
            step.future = self._threads.submit(step.work)
            step.result()


def _discard(index_dir: Path, segments: Iterable[Segment]) -> None:
    for segment in segments:
        (index_dir / segment.name).unlink(missing_ok=True)


def _tasks(
    index: Path,
    files: Sequence[tuple[tuple[str, str], Listed]],
    round_bytes: int,
    dropped: Mapping[str, date],
) -> Iterator[Task]:
    """The files in lots, in order, each with what they are sorted by.

    The last lots are smaller, so that all readers end at about the same time. A lot ends with a
    day, unless one day is more than a lot: each segment costs some milliseconds, however small,
    and of a day with two it has to be found out whether they share an event.
    """

    def task(lot: list[str]) -> Task:
        return Task(str(index), lot, {path: dropped[path] for path in lot if path in dropped})

    left = sum(_unpacked(file) for _, file in files)
    lot: list[str] = []
    size = 0
    most_files = _FETCHED_FILES if any(file.etag for _, file in files) else TASK_FILES
    for _, of_day in groupby(files, lambda item: item[0][0][:8]):
        day = [file for _, file in of_day]
        size_of_day = sum(map(_unpacked, day))
        most = min(TASK_BYTES, round_bytes, max(_LEAST_TASK_BYTES, left // 4))
        if lot and (size + size_of_day > most or len(lot) + len(day) > most_files):
            yield task(lot)
            left -= size
            lot, size = [], 0
        for file in day:
            if size >= most or len(lot) >= most_files:
                yield task(lot)
                left -= size
                lot, size = [], 0
                most = min(TASK_BYTES, round_bytes, max(_LEAST_TASK_BYTES, left // 4))
            lot.append(file.path)
            size += _unpacked(file)
    if lot:
        yield task(lot)


def _unpacked(file: Listed) -> int:
    return _unpacked_size(file.path, file.size)


def _unpacked_size(path: str, size: int) -> int:
    """A guess at the text in a file: CloudTrail shrinks about ten times; opening costs as well."""
    return size * (10 if path.endswith((".gz", ".zip", ".tgz")) else 1) + 4_096


def _below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
