"""Source files → unpublished segments: the work of one task, in this process or another.

`python -m trail.index.ingest` is a worker: it takes tasks on stdin and answers on stdout until
stdin ends. It writes only files that no catalog names yet, so it may die at any moment.
"""

from __future__ import annotations

import errno
import gc
import os
import struct
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import IO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from trail.days_unread import told_by, unread_of
from trail.events import CREDENTIAL_EVENTS, SIGN_IN_SOURCES, Unreadable, event_row
from trail.index.catalog import Segment, SourceFile
from trail.index.segments import MINTED, in_groups, write_run
from trail.lean import without_pandas
from trail.read.columns import Chunk, Columns
from trail.read.formats import Bad, Loose, Skipped, read_source, take_apart
from trail.read.sources import day_of, owner

FLUSH_ROWS = 131_072
FLUSH_BYTES = 96 << 20
REJECTS_KEPT = 1_000
"""Of one file: a large file of something else must not fill the catalog. All are counted."""

_SAY_SECONDS = 0.5
_WORTH_NAMING = 1 << 20

_EPOCH = date(1970, 1, 1)
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FetchedFile(msgspec.Struct, frozen=True, array_like=True):
    """Where an object in S3 lies while it is read, and its stamp from when it was listed: should it
    have changed since, the next build sees another."""

    at: str
    size: int
    mtime_ns: int
    etag: str


@dataclass(frozen=True)
class Task:
    """Files to read into segments below the index folder."""

    index_dir: str
    files: list[str]
    dropped: dict[str, date] = field(default_factory=dict)  # file → the first day to take from it
    fetched: dict[str, FetchedFile] = field(default_factory=dict)  # of the files that are objects


class FileResult(msgspec.Struct, array_like=True):
    """What came of one file."""

    file: SourceFile
    rejects: list[tuple[str, str, str]] = []  # member, position, reason
    skips: list[tuple[str, str, int, bool]] = []  # member, reason, records, whether as a whole


@dataclass
class TaskResult:
    """What came of one task; `error` instead of all else when it could not be done."""

    files: list[FileResult] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    events: int = 0
    bytes: int = 0
    error: str | None = None
    disk_full: bool = False


@dataclass(frozen=True)
class Advance:
    """How far a running task is."""

    files: int
    bytes: int
    events: int
    file: str = ""  # the one at work


def read_task(task: Task, advance: Callable[[Advance], None] = lambda _: None) -> TaskResult:
    """Reads the files and writes their events as segments, one per day and flush."""
    return _Reading(task, advance).run(task.files)


class _Reading:
    def __init__(self, task: Task, advance: Callable[[Advance], None]) -> None:
        self._index_dir = Path(task.index_dir)
        self._first_days = {path: (day - _EPOCH).days for path, day in task.dropped.items()}
        self._fetched = task.fetched
        self._advance = advance
        self._columns = Columns(self._one_by_one)
        self._result = TaskResult()
        # Of each path, or only of those that have some: there may be many, and most are plain.
        self._records: dict[str, int] = {}
        self._digests: dict[str, bytes] = {}
        self._days: dict[str, set[int]] = {}
        self._rejects: dict[str, dict[str, _Rejects]] = {}
        self._skips: dict[str, list[Skipped]] = {}
        self._skipped_records: dict[str, Counter[tuple[str, str]]] = {}  # (member, reason)
        self._dropped_rows = Counter[str]()
        self._owner: dict[str, str] = {}  # member of an archive → path on disk
        self._with_events: set[str] = set()  # source files with at least one event
        self._archives: set[str] = set()  # paths with at least one event in a member
        self._said = time.monotonic()
        self._at_work = ""

    def run(self, paths: Sequence[str]) -> TaskResult:
        stats: list[tuple[str, os.stat_result | None]] = []
        opened: list[os.stat_result] = []
        for path in paths:
            self._records[path] = 0
            opened.clear()
            self._at_work = path

            def stamped(stat: os.stat_result) -> None:
                opened.append(stat)
                if stat.st_size > _WORTH_NAMING:  # it may be at work for long
                    self._say(len(stats))

            self._read(path, stamped)
            stat = opened[0] if opened else _stat(self._at(path))
            stats.append((path, stat))
            self._result.bytes += stat.st_size if stat else 0
            if time.monotonic() - self._said > _SAY_SECONDS:
                self._say(len(stats))
        self._flush()
        names: dict[frozenset[int], tuple[str, ...]] = {}
        for path, stat in stats:
            days = frozenset(self._days.get(path, ()))
            if days not in names:
                names[days] = tuple(
                    (_EPOCH + timedelta(days=day)).isoformat() for day in sorted(days)
                )
            self._result.files.append(self._settled(path, stat, names[days]))
        return self._result

    def _at(self, path: str) -> str:
        """Where the bytes of a source file lie."""
        fetched = self._fetched.get(path)
        return path if fetched is None else fetched.at

    def _say(self, files: int) -> None:
        self._said = time.monotonic()
        events = self._result.events + self._columns.rows
        self._advance(Advance(files, self._result.bytes, events, self._at_work))

    def _read(self, path: str, opened: Callable[[os.stat_result], None]) -> None:
        columns = self._columns

        def digested(sha256: bytes) -> None:
            self._digests[path] = sha256

        for found in read_source(path, opened, digested, at=self._at(path)):
            if found.source_file != path:
                self._owner[found.source_file] = path
            if isinstance(found, Chunk):
                self._records[path] += len(found.records)
                columns.add_chunk(found)
            elif isinstance(found, Loose):
                self._records[path] += 1
                self._add_loose(found)
            elif isinstance(found, Bad):
                self._reject(found)
            else:
                self._skip(found)
            if columns.rows >= FLUSH_ROWS or columns.bytes >= FLUSH_BYTES:
                self._flush()
                self._say(len(self._records) - 1)
            elif time.monotonic() - self._said > _SAY_SECONDS:
                self._say(len(self._records) - 1)

    def _path_of(self, source_file: str) -> str:
        return self._owner.get(source_file, source_file)

    def _one_by_one(self, chunk: Chunk) -> None:
        path = self._path_of(chunk.source_file)
        self._records[path] -= len(chunk.records)  # one of them may carry several, or none
        for found in take_apart(chunk):
            if isinstance(found, Loose):
                self._records[path] += 1
                self._add_loose(found)
            elif isinstance(found, Bad):
                self._reject(found)
            else:
                self._skip(found)

    def _add_loose(self, loose: Loose) -> None:
        try:
            row = event_row(loose.record)
        except Unreadable as error:
            self._records[self._path_of(loose.source_file)] -= 1
            self._reject(Bad(loose.source_file, f"record {loose.ordinal}", str(error)))
            return
        self._columns.add_row(row, loose.source_file, loose.ordinal)

    def _reject(self, bad: Bad) -> None:
        if not bad.foreign and not told_by(bad.position):
            # What is lost of a file is of the file's own day, as far as its name tells.
            day = day_of(bad.source_file)
            told = "" if day is None else unread_of(day, owner(bad.source_file)[0])
            bad = replace(bad, position=bad.position + told)
        of_path = self._rejects.setdefault(self._path_of(bad.source_file), {})
        of_source = of_path.setdefault(bad.source_file, _Rejects())
        of_source.count += 1 + bad.more
        of_source.only_foreign &= bad.foreign
        told = told_by(bad.position)
        if len(of_source.kept) < REJECTS_KEPT or told not in of_source.told:
            of_source.kept.append(bad)
            of_source.told.add(told)

    def _skip(self, found: Skipped) -> None:
        path = self._path_of(found.source_file)
        if found.record:
            of_path = self._skipped_records.setdefault(path, Counter())
            of_path[found.source_file, found.reason] += 1
        else:
            self._skips.setdefault(path, []).append(found)

    def _flush(self) -> None:
        self._columns.pack()
        if self._columns.rows == 0:
            return
        table = self._columns.sorted_table()
        if self._first_days:
            table = self._without_dropped(table)
        for source_file, days in self._columns.file_days.items():
            path = self._path_of(source_file)
            if path in self._days:
                self._days[path] |= days
            else:
                self._days[path] = days
            if path != source_file:
                self._archives.add(path)
        self._with_events.update(self._columns.file_days)
        self._result.events += len(table)
        if len(table) == 0:
            return
        events, copies = _without_repeats(table)
        minted = events.filter(_may_be_credentials(events))
        if len(minted):
            self._write(MINTED, None, minted)
        for kind, rows in (("events", events), ("copies", copies)):
            for day, begin, end in _days_of(rows):
                self._write(kind, day, rows.slice(begin, end - begin))

    def _write(self, kind: str, day: date | None, rows: pa.Table) -> None:
        self._result.segments += write_run(self._index_dir, kind, day, in_groups(rows, kind))

    def _without_dropped(self, table: pa.Table) -> pa.Table:
        """The rows without those of days that were dropped from the index before."""
        first_days: dict[str, int] = {}
        for source_file, days in self._columns.file_days.items():
            first = self._first_days.get(self._path_of(source_file))
            if first is not None and min(days) < first:
                first_days[source_file] = first
                self._columns.file_days[source_file] = {day for day in days if day >= first}
        if not first_days:
            return table
        names = pa.array(list(first_days), pa.string())
        firsts = pa.array(list(first_days.values()), pa.int32()).cast(pa.date32())
        place = pc.index_in(table["source_file"].cast(pa.string()), names)
        kept = pc.fill_null(
            pc.greater_equal(table["event_time"].cast(pa.date32()), firsts.take(place)), True
        )
        left_out = table["source_file"].filter(pc.invert(kept)).value_counts().to_pylist()
        for one in left_out:
            path = self._path_of(one["values"])
            self._dropped_rows[path] += one["counts"]
            self._records[path] -= one["counts"]
        return table.filter(kept)

    def _settled(self, path: str, stat: os.stat_result | None, days: tuple[str, ...]) -> FileResult:
        records = self._records[path]
        # A file that is skipped unread, a licence or a digest, is a file and no record.
        skips = [(s.source_file, s.reason, 0, True) for s in self._skips.get(path, ())]
        rejects: list[tuple[str, str, str]] = []
        rejected = 0
        cannot_open = False
        known = self._skipped_records.get(path, Counter[tuple[str, str]]())
        for source_file, of_source in self._rejects.get(path, _NONE).items():
            if of_source.only_foreign and source_file not in self._with_events:
                # Nothing in it is a CloudTrail event: some other kind of file, not a bad one.
                known[source_file, of_source.kept[0].reason] += of_source.count
                continue
            rejected += of_source.count
            rejects += [(b.source_file, b.position, b.reason) for b in of_source.kept]
            cannot_open |= any(b.reason.startswith("cannot be opened") for b in of_source.kept)
        with_rejects = {source_file for source_file, _, _ in rejects}
        whole: set[str] = set()
        for (source_file, reason), count in known.items():
            # A file is named as skipped once, by the first reason; what else it had is counted.
            partly = source_file in self._with_events or source_file in with_rejects
            skips.append((source_file, reason, count, not partly and source_file not in whole))
            whole.add(source_file)
        passed_over = sum(count for _, _, count, _ in skips) + self._dropped_rows[path]
        # No stamp for what could not be opened: it is tried again each time.
        size, mtime_ns, etag = -1, 0, ""
        if stat is not None and not cannot_open:
            size, mtime_ns = stat.st_size, stat.st_mtime_ns
            if (fetched := self._fetched.get(path)) is not None:
                size, mtime_ns, etag = fetched.size, fetched.mtime_ns, fetched.etag
        return FileResult(
            SourceFile(
                path,
                size,
                mtime_ns,
                records + rejected + passed_over,
                rejected,
                skips[0][1] if skips and not rejected and not records else None,
                rejects[0][2] if rejects and not records else None,
                path in self._archives,
                days,
                passed_over,
                self._digests.get(path, b""),
                etag,
            ),
            rejects,
            skips,
        )


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 # a Path per file is felt
    except OSError:
        return None


@dataclass
class _Rejects:
    count: int = 0
    only_foreign: bool = True
    kept: list[Bad] = field(default_factory=list)
    told: set[str] = field(default_factory=lambda: {""})
    """Days and accounts that these tell of: one of each is kept in any case."""


_NONE: dict[str, _Rejects] = {}
_CREDENTIAL_NAMES = sorted({name for _, name in CREDENTIAL_EVENTS})


def _may_be_credentials(table: pa.Table) -> pa.Array:
    """Whether each row could belong to the credentials: few more than do."""
    named = pc.is_in(table["event_name"].cast(pa.string()), pa.array(_CREDENTIAL_NAMES))
    signing_in = pc.is_in(
        table["event_source"].cast(pa.string()), pa.array(sorted(SIGN_IN_SOURCES))
    )
    return pc.or_(pc.or_(named, signing_in), pc.is_valid(table["minted_access_key_id"]))


def _days_of(table: pa.Table) -> list[tuple[date, int, int]]:
    """(day, first row, row after the last) of a table sorted by day."""
    if len(table) == 0:
        return []
    days = pc.cast(table["event_time"], pa.date32()).combine_chunks()
    ends = pc.run_end_encode(days)
    runs = zip(ends.values.to_pylist(), ends.run_ends.to_pylist(), strict=True)
    spans = []
    begin = 0
    for day, end in runs:
        spans.append((day, begin, end))
        begin = end
    return spans


def _without_repeats(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The first row of each key, and the others."""
    if len(table["event_id"].unique()) == len(table):
        return table, table.slice(0, 0)
    keys = zip(
        table["event_id"].to_pylist(),
        table["recipient_account_id"].to_pylist(),
        table["event_name"].to_pylist(),
        pc.cast(table["event_time"], pa.date32()).to_pylist(),
        strict=True,
    )
    # The earliest place wins, so that the outcome does not depend on who shares the time.
    places = list(
        zip(table["source_file"].to_pylist(), table["source_ordinal"].to_pylist(), strict=True)
    )
    best: dict[tuple[str, str | None, str, date], int] = {}
    for row, key in enumerate(keys):
        other = best.get(key)
        if other is None or places[row] < places[other]:
            best[key] = row
    first = set(best.values())
    mask = pa.array([row in first for row in range(len(table))])
    return table.filter(mask), table.filter(pc.invert(mask))


# ---- the worker process ------------------------------------------------------------------------

_task = msgspec.msgpack.Decoder(Task)
Message = tuple[Advance | None, TaskResult | None]
_message = msgspec.msgpack.Decoder(Message)


def send(pipe: IO[bytes], message: object) -> None:
    """Writes one message, with its length before it."""
    data = msgspec.msgpack.encode(message)
    pipe.write(struct.pack("<Q", len(data)) + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """One message's bytes, or None when the other side has gone."""
    head = pipe.read(8)
    if len(head) < 8:
        return None
    (size,) = struct.unpack("<Q", head)
    data = pipe.read(size)
    return data if len(data) == size else None


def receive_message(pipe: IO[bytes]) -> Message | None:
    """What a worker says: how far it is, or what came of its task."""
    data = receive(pipe)
    return None if data is None else _message.decode(data)


def failed(error: OSError | pa.ArrowException) -> TaskResult:
    """The result of a task that could not be done, because of the index's disk."""
    full = isinstance(error, OSError) and error.errno in DISK_FULL
    return TaskResult(error=str(error), disk_full=full or "No space left" in str(error))


def main(*others: int) -> None:
    """Takes tasks until stdin ends. `others` are the pipe ends of workers to fork: what each is
    to read and to write, in turn.
    """
    # Records make no reference cycles, and looking for some costs a tenth of the time.
    gc.disable()
    gc.collect()
    gc.freeze()
    forked: list[int] = []
    # Python 3.12 warns of any second thread: ours is the allocator's, which does nothing.
    warnings.simplefilter("ignore", DeprecationWarning)
    for tasks, answers in zip(others[::2], others[1::2], strict=True):
        child = os.fork()
        if child == 0:
            os.dup2(tasks, 0)
            os.dup2(answers, 1)
            forked = []
            break
        forked.append(child)
    for end in others:
        os.close(end)
    _work(sys.stdin.buffer, sys.stdout.buffer)
    for child in forked:
        os.waitpid(child, 0)  # so that its time is counted to ours
    os._exit(0)  # nothing is left to do, and taking down what was imported takes a while


def _work(tasks: IO[bytes], answers: IO[bytes]) -> None:
    while (data := receive(tasks)) is not None:
        gc.collect()
        try:
            result = read_task(_task.decode(data), lambda a: send(answers, (a, None)))
        except (OSError, pa.ArrowException) as error:
            result = failed(error)
        send(answers, (None, result))


if __name__ == "__main__":
    without_pandas()
    main(*map(int, sys.argv[1:]))
