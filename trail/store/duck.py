"""The read contract over the embedded index: DuckDB over the catalog's live segments."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import duckdb

from trail.days_unread import ANYBODY
from trail.digests import damaged
from trail.errors import (
    IndexGone,
    IndexMissing,
    IndexUnreadable,
    QueryFailed,
    QueryTimedOut,
    SourceUnreadable,
)
from trail.events import EVENT_SCHEMA, KEYS_SCHEMA
from trail.index.catalog import (
    CATALOG,
    CREDENTIAL_KINDS,
    SORTED_BY,
    Catalog,
    DayCoverage,
    KeyRange,
    Reject,
    Segment,
    SourceFile,
    default_index,
    monday_of,
)
from trail.read.s3 import is_address
from trail.store.columns_read import Bounds
from trail.store.contract import Coverage, IndexSummary, Query, QueryResult
from trail.store.memo import Memo
from trail.store.noting import is_noting, note, told
from trail.store.relations import EMPTY_TABLES, definition, quoted, statement_of
from trail.store.reread import RawRecord, paths_on_disk, read_again, read_other
from trail.store.watchdog import Watchdog

End = TypeVar("End", str, datetime)

if TYPE_CHECKING:
    from trail.read.aws import CopiesToShow


_CALLS = {"events": "calls", "edges": "calls", "credentials": "credential_calls"}
"""Relation → the kind of segments that say which of its rows count."""

QUERY_SECONDS = 60.0
"""A query that runs longer is stopped: nobody waits a minute for one of five answers."""

QUERY_ROWS = 500_000
"""A query that finds more is refused: as Python's values, rows take a kilobyte and more each."""

ASK_AWS = "BACKTRAIL_AWS"
"""The setting ("on") that lets a raw record be fetched from S3 when somebody looks at it."""

_PARSED = 300
"""How many statements are kept as DuckDB's parser understood them: alerts of a day share theirs."""

_MEMO_VALUES = 1_000_000
"""How many values of earlier results are kept: some 100 MB. Two questions may ask the same, and a
version of the index what an older one was asked of the same segments."""


def open_store(index_dir: Path | str | None = None, *, threads: int | None = None) -> DuckStore:
    """The index at `index_dir` (default: `catalog.default_index()`), ready for questions.

    Raises `IndexMissing` or `IndexUnreadable`, each with what to do next. Cheap; keep it open:
    it follows what later builds publish.
    """
    return DuckStore(Path(index_dir) if index_dir is not None else default_index(), threads)


@dataclass(frozen=True)
class _Snapshot:
    """The live segments at one version of the index."""

    version: str
    events: Mapping[date, Sequence[Segment]]
    repeats: Mapping[date, Sequence[Segment]]
    daily: Mapping[date, Sequence[Segment]]
    keys: Mapping[date, Sequence[Segment]]
    calls: Mapping[str, Mapping[date, Sequence[Segment]]]
    credentials: Mapping[str, Sequence[Segment]]
    coverage: tuple[DayCoverage, ...]
    events_by_account: Mapping[str, Mapping[date, int]]
    cells_by_account: Mapping[str, Sequence[DayCoverage]]
    unread: Mapping[str, Collection[date]]
    summary: IndexSummary
    memo: Memo[_Held]
    """What this version was asked. It goes with it: nobody asks an older one again."""


@dataclass(frozen=True)
class _Asked:
    """A query, as it was asked and as DuckDB gets its values."""

    sql: str
    parameters: Mapping[str, Any]
    bound: Mapping[str, Any]
    first: datetime | None
    last: datetime | None
    timeout: float

    @cached_property
    def key(self) -> tuple[object, ...]:
        return (self.sql, repr(self.bound), self.first, self.last, self.timeout)


@dataclass(frozen=True)
class _Held:
    result: QueryResult

    @cached_property
    def digest(self) -> bytes:
        """The same for the same rows in the same order."""
        return hashlib.sha256(repr(self.result.rows).encode(errors="surrogatepass")).digest()


class DuckStore:
    """A `Store` on DuckDB over the Parquet segments that the catalog names.

    Readers never wait for a build: each query sees the segments of one published version.
    """

    def __init__(self, index_dir: Path, threads: int | None = None) -> None:
        self.index_dir = index_dir.resolve()
        self._lock = threading.Lock()
        self._closed = False
        self._catalog, self._inode = self._open_catalog()
        self._snapshot = self._read_snapshot()
        # Questions are asked at the same time: half of the cores each is faster than all for one,
        # and most statements are planned, by a single thread, for longer than they run.
        self._connection = duckdb.connect(
            config={"threads": threads or max(1, (os.cpu_count() or 1) // 2)}
        )
        self._idle: deque[duckdb.DuckDBPyConnection] = deque(maxlen=16)
        # Reading a statement's text is a tenth of answering it.
        self._parse = lru_cache(_PARSED)(self._connection.extract_statements)
        self._by_files: Memo[_Held] = Memo(_MEMO_VALUES, _values)
        self._watchdog = Watchdog()
        # Segments never change once written, so their footers may be kept. Global, because a
        # setting of this connection alone is not passed on to its cursors.
        self._connection.execute("set global parquet_metadata_cache = true")
        self._connection.execute("set global timezone = 'UTC'")
        for statement in EMPTY_TABLES:
            self._connection.execute(statement)
        self._connection.execute(f"set allowed_directories = [{quoted(str(self.index_dir))}]")
        self._connection.execute("set enable_external_access = false")
        self._connection.execute("set lock_configuration = true")

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        first: datetime | None = None,
        last: datetime | None = None,
        timeout: float = QUERY_SECONDS,
    ) -> QueryResult:
        """The rows found. Raises `QueryFailed` with the engine's words, or when a limit of time or
        rows is reached: part of an answer would be a wrong one."""
        bound = {name: _naive(value) for name, value in (parameters or {}).items()}
        asked = _Asked(sql, dict(parameters or {}), bound, first, last, timeout)
        note(asked.key, lambda: False)  # what fails is asked again
        found = self._held(asked)
        if is_noting():
            rows_then = found.digest
            note(asked.key, lambda: self._held(asked).digest == rows_then)
        # Each caller's own rows: some add to them.
        return replace(found.result, rows=[dict(row) for row in found.result.rows])

    def _held(self, asked: _Asked) -> _Held:
        """What was found in this version of the index, else what is found now."""
        snapshot = self._current()
        return snapshot.memo.get(asked.key, lambda: self._found(asked, snapshot))

    def _found(self, asked: _Asked, snapshot: _Snapshot) -> _Held:
        try:
            return self._read(asked, snapshot)
        except duckdb.IOException as error:
            # A segment may have been compacted away since the snapshot: look once more.
            newer = self._current()
            if newer.version == snapshot.version:
                raise QueryFailed(
                    f"A segment of the index cannot be read ({_first_line(error)}). "
                    "`python -m trail verify` says which."
                ) from error
            try:
                return self._read(asked, newer)
            except duckdb.Error as again:
                raise _failed(again, asked.timeout) from again
        except duckdb.Error as error:
            raise _failed(error, asked.timeout) from error

    def _read(self, asked: _Asked, snapshot: _Snapshot) -> _Held:
        """What the segments hold, unless the very same ones were read for it before: those of an
        older version, that is, since which nothing came that it rests on."""
        sql = self._over_segments(asked.sql, asked.bound, snapshot, asked.first, asked.last)

        return self._run_once(sql, asked)

    def _run_once(self, sql: str, asked: _Asked) -> _Held:
        """What the statement over files finds, which is kept for as long as there is room."""

        def run() -> _Held:
            started = time.perf_counter()
            rows = self._run(sql, asked.bound, asked.timeout)
            elapsed = (time.perf_counter() - started) * 1000
            return _Held(QueryResult(rows, Query(asked.sql, asked.parameters, elapsed, len(rows))))

        files = hashlib.sha256(sql.encode()).digest()
        return self._by_files.get((files, repr(asked.bound), asked.timeout), run)

    def coverage(
        self, account_ids: Collection[str] | None, first: datetime, last: datetime
    ) -> Coverage:
        """What is indexed of these accounts (None: any) in the window, by whole UTC days."""
        whose = None if account_ids is None else tuple(account_ids)
        asked = ("coverage", whose, first, last)
        return told(asked, lambda: self._coverage(whose, first, last))

    def _coverage(
        self, account_ids: Collection[str] | None, first: datetime, last: datetime
    ) -> Coverage:
        begin, end = _utc(first).date(), _utc(last).date()
        days_of = self._current().events_by_account
        accounts = list(days_of) if account_ids is None else set(account_ids)
        window = [begin + timedelta(days=n) for n in range((end - begin).days + 1)]
        held = {
            day: sum(days_of[one].get(day, 0) for one in accounts if one in days_of)
            for day in window
        }
        return Coverage(
            first,
            last,
            tuple(day for day in window if held[day]),
            tuple(day for day in window if not held[day]),
            sum(held.values()),
            self._unread(account_ids, window),
        )

    def _unread(
        self, account_ids: Collection[str] | None, window: Sequence[date]
    ) -> tuple[date, ...]:
        unread = self._current().unread
        whose = unread if account_ids is None else {*account_ids, ANYBODY}
        days = {day for one in whose for day in unread.get(one, ())}
        return tuple(day for day in window if day in days)

    def days_of(self, account_id: str | None, first: datetime, last: datetime) -> list[DayCoverage]:
        """What each day and Region has of an account (None: of any), by whole UTC days."""
        asked = ("days", account_id, first, last)
        return told(asked, lambda: self._days_of(account_id, first, last))

    def _days_of(
        self, account_id: str | None, first: datetime, last: datetime
    ) -> list[DayCoverage]:
        begin, end = _utc(first).date(), _utc(last).date()
        snapshot = self._current()
        cells = (
            snapshot.coverage if account_id is None
            else snapshot.cells_by_account.get(account_id, ())
        )  # fmt: skip
        return [cell for cell in cells if begin <= cell.day <= end]

    def coverage_by_day(self) -> list[DayCoverage]:
        """Event counts per day, account and region ("" where a record names none)."""
        self._note_version()
        return list(self._current().coverage)

    def rejects(self) -> list[Reject]:
        """Every record or file part that could not be read, with where it is and why."""
        self._note_version()
        with self._reading() as catalog:
            return catalog.rejects()

    def skips(self) -> list[tuple[str, str]]:
        """(path, reason) of every file that was recognised as holding no events."""
        self._note_version()
        with self._reading() as catalog:
            return catalog.skips()

    def skipped_records(self) -> list[tuple[str, str, int]]:
        """(path, reason, how many) of records that are no events, in files that hold others."""
        self._note_version()
        with self._lock:
            return self._live_catalog().skipped_records()

    def files(self) -> list[SourceFile]:
        """Every source file that the index was built from."""
        self._note_version()
        with self._reading() as catalog:
            return catalog.files()

    def totals(self) -> Mapping[str, int]:
        """The counts that `python -m trail status` prints."""
        self._note_version()
        with self._reading() as catalog:
            return catalog.totals()

    def summary(self) -> IndexSummary:
        """What is indexed at all."""
        found = self._current().summary
        return cast(IndexSummary, _Noted(self, found)) if is_noting() else found

    def version(self) -> str:
        """Changes whenever the index does: a cache key. Not noted: what is made of an answer says
        nothing of the version, and notes it where it does rest on it."""
        with self._reading() as catalog:
            return catalog.version()

    def _note_version(self) -> None:
        """Notes that what is being made holds for this version alone."""
        if is_noting():
            told("version", self.version)

    def raw_records(self, event_ids: Sequence[str]) -> dict[str, str]:
        """Event id → the record's JSON text, re-read from its source file.

        Ids that are not indexed are absent. Raises `SourceUnreadable` when a source has gone, or
        changed so that its record is not the one that was indexed.
        """
        texts: dict[str, str] = {}
        for event_id, found in self.read_again(event_ids).items():
            if isinstance(found, SourceUnreadable):
                raise found
            texts[event_id] = found.text
        return texts

    def read_again(self, event_ids: Sequence[str]) -> dict[str, RawRecord | SourceUnreadable]:
        """Event id → the record with how it was checked, or why it cannot be had.

        Of several records with one id the first that can be had. Ids that are not indexed are
        absent. Only files that the catalog names are opened: the source file, and where it is gone
        or has changed, one that had the same digest.
        """
        by_source: dict[str, list[dict[str, Any]]] = {}
        wanted = list(dict.fromkeys(event_ids))
        for start in range(0, len(wanted), 50):
            # Bound one by one: equality is what the event ids' bloom filters can answer.
            bound = {f"id_{n}": v for n, v in enumerate(wanted[start : start + 50])}
            names = ", ".join(f"${name}" for name in bound)
            found = self.query(
                f"select {', '.join(EVENT_SCHEMA.names)} from events where event_id in ({names})"
                " order by event_time, recipient_account_id, source_file, source_ordinal",
                bound,
            )
            for row in found.rows:
                by_source.setdefault(row["source_file"], []).append(row)
        records: dict[str, RawRecord | SourceUnreadable] = {}
        named: dict[str, tuple[SourceFile, str | None]] = {}  # source file → file, where it leads
        for source_file in by_source:
            paths = list(paths_on_disk(source_file))
            with self._lock:
                catalog = self._live_catalog()
                files = {file.path: file for file in catalog.files(paths)}
                file = next((files[path] for path in paths if path in files), None)
                if file is not None:
                    elsewhere = None
                    leads_to = file.path if is_address(file.path) else os.path.realpath(file.path)
                    if leads_to != file.path and not catalog.files([leads_to]):
                        elsewhere = leads_to
                    named[source_file] = (file, elsewhere)
            note(("files", *paths), partial(self._are_still, paths, files))
        others = _Others(self, [file.sha256 for file, _ in named.values()])
        for source_file, rows in by_source.items():
            read: Sequence[RawRecord | SourceUnreadable] = [_unnamed(source_file)] * len(rows)
            if source_file in named:
                file, elsewhere = named[source_file]
                if is_address(file.path):
                    read = _read_remote(file, source_file, rows, others)
                else:
                    read = read_again(
                        file, source_file, rows, elsewhere=elsewhere, others=others.of(file)
                    )
            for row, record in zip(rows, read, strict=True):
                known = records.get(row["event_id"])
                if known is None or isinstance(known, SourceUnreadable):
                    records[row["event_id"]] = record
        return {event_id: records[event_id] for event_id in wanted if event_id in records}

    def _are_still(self, paths: Sequence[str], files: Mapping[str, SourceFile]) -> bool:
        """Whether the catalog names these files as it did."""
        with self._lock:
            return {file.path: file for file in self._live_catalog().files(paths)} == files

    def same_bytes(self, digests: Collection[bytes]) -> dict[bytes, list[str]]:
        """Digest → the source files that had it when they were read (`Catalog.same_bytes`)."""

        def answer() -> dict[bytes, list[str]]:
            with self._reading() as catalog:
                return catalog.same_bytes(digests)

        return told(("same bytes", *sorted(digests)), answer)

    def copies_to_show(self) -> CopiesToShow:
        """Objects in S3 to look at, by the ways that the catalog has for their buckets."""
        from trail.read.aws import CopiesToShow  # noqa: PLC0415

        with self._reading() as catalog:
            return CopiesToShow(catalog.buckets())

    def close(self) -> None:
        """Lets go of the index's files."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._watchdog.end()
            # A cursor keeps the whole database open; so does a statement that was parsed by one.
            self._parse.cache_clear()
            while self._idle:
                self._idle.pop().close()
            self._connection.close()
            self._catalog.close()

    def __enter__(self) -> DuckStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_catalog(self) -> tuple[Catalog, int]:
        path = self.index_dir / CATALOG
        catalog = Catalog(self.index_dir, any_thread=True)
        catalog.check_schema()
        return catalog, path.stat().st_ino

    def _live_catalog(self) -> Catalog:
        """The catalog; opened again when the index folder was replaced under us. Lock held."""
        try:
            inode = (self.index_dir / CATALOG).stat().st_ino
        except OSError:
            inode = -1
        if self._closed:
            raise IndexUnreadable(f"The index at {self.index_dir} was closed. Open it again.")
        if inode != self._inode or self._catalog.is_outdated():
            try:
                opened = self._open_catalog()
            except (IndexMissing, OSError) as error:
                raise IndexGone(
                    f"The index at {self.index_dir} is not there any more. Put the folder back, or "
                    "build it again from its sources with `python -m trail add`; nothing has to be "
                    "restarted."
                ) from error
            self._catalog.close()
            self._catalog, self._inode = opened
        return self._catalog

    @contextmanager
    def _reading(self) -> Iterator[Catalog]:
        """The catalog as it is now, for one thread. Raises `IndexGone` or `IndexUnreadable`."""
        with self._lock:
            try:
                yield self._live_catalog()
            except sqlite3.Error as error:
                self._inode = -1  # opened again for whoever asks next
                raise IndexUnreadable(
                    f"The catalog of {self.index_dir} cannot be read ({error}). Check the disk and "
                    "the folder's permissions, then try again."
                ) from error

    def _current(self) -> _Snapshot:
        with self._reading() as catalog:
            if catalog.version() != self._snapshot.version:
                self._snapshot = self._read_snapshot()
            return self._snapshot

    def _read_snapshot(self) -> _Snapshot:
        with self._catalog.snapshot():
            version = self._catalog.version()
            segments = self._catalog.segments(
                "events", "copies", "daily", "keys", *_CALLS.values(), *CREDENTIAL_KINDS
            )
            cells = self._catalog.coverage()
            records = self._catalog.records()
            unread = self._catalog.unread_days()
        days: dict[str, dict[date, list[Segment]]] = {
            kind: {} for kind in ("events", "copies", "daily", "keys", *_CALLS.values())
        }
        credentials: dict[str, list[Segment]] = {kind: [] for kind in CREDENTIAL_KINDS}
        events_by_account: dict[str, dict[date, int]] = {}
        cells_by_account: dict[str, list[DayCoverage]] = {}
        for cell in cells:
            cells_by_account.setdefault(cell.account, []).append(cell)
            of_account = events_by_account.setdefault(cell.account, {})
            of_account[cell.day] = of_account.get(cell.day, 0) + cell.events
        for segment in segments:
            if segment.day is None:
                credentials[segment.kind].append(segment)
            else:
                days[segment.kind].setdefault(segment.day, []).append(segment)
        return _Snapshot(
            version,
            days["events"],
            days["copies"],
            days["daily"],
            days["keys"],
            {relation: days[kind] for relation, kind in _CALLS.items()},
            credentials,
            tuple(cells),
            events_by_account,
            cells_by_account,
            unread,
            replace(summary_of(cells), records=records),
            Memo(_MEMO_VALUES, _values),
        )

    def _over_segments(
        self,
        sql: str,
        bound: Mapping[str, Any],
        snapshot: _Snapshot,
        first: datetime | None,
        last: datetime | None,
    ) -> str:
        """The statement with its relations defined over the segments it needs."""
        statement = statement_of(sql)
        if not statement.columns:
            return sql
        begin = _utc(first).date() if first is not None else date.min
        end = _utc(last).date() if last is not None else date.max
        definitions = []
        for relation, columns in statement.columns.items():
            condition = ""
            if relation == "credentials":
                oldest, newest = _ends(statement.times.get(relation), bound, datetime)
                oldest, newest = (end and _utc(end) for end in (oldest, newest))
                segments: Iterable[Segment] = [
                    segment
                    for segment in snapshot.credentials[statement.credentials_kind]
                    if (segment.last is None or oldest is None or segment.last >= oldest)
                    and (segment.first is None or newest is None or segment.first <= newest)
                ]
            elif relation == "daily":
                segments = _of_days(snapshot.daily, monday_of(begin) if first else begin, end)
                if first is not None:
                    condition = f"day >= date '{begin}' and day <= date '{end}'"
            elif relation == "repeats":
                segments = _of_days(snapshot.repeats, begin, end)
            elif relation == "edges":
                segments = [s for day in {begin, end} for s in snapshot.events.get(day, ())]
            else:
                segments = _of_days(snapshot.events, begin, end)
            calls: Iterable[Segment] = ()
            by_identity = True
            if relation == "credentials":
                calls = _of_days(
                    snapshot.calls[relation],
                    monday_of(oldest.date()) if oldest is not None else date.min,
                    newest.date() if newest is not None else date.max,
                )
                by_identity = SORTED_BY[statement.credentials_kind] == "identity_id"
            elif relation in _CALLS:
                since = monday_of(begin) if first is not None else begin
                calls = _of_days(snapshot.calls[relation], since, end)
            may_hold: Callable[[KeyRange], bool] | None = None
            if (values := _values_of(statement.sought.get(relation), bound)) is not None:
                may_hold = partial(KeyRange.may_hold, values=values)
            elif any(ends := _ends(statement.between.get(relation), bound, str)):
                may_hold = partial(KeyRange.may_hold_between, low=ends[0], high=ends[1])
            if may_hold is not None:
                segments = [s for s in segments if s.range is None or may_hold(s.range)]
                if by_identity:
                    calls = [s for s in calls if s.range is None or may_hold(s.range)]
            elif used := _values_of(statement.keys.get(relation), bound):
                keys = [key for key in used if key is not None]
                if len(keys) == len(used):
                    segments = self._used_with(keys, list(segments), snapshot)
            paths = self._sound_paths(segments)
            counting = self._sound_paths(calls)
            definitions.append(definition(relation, columns, paths, condition, counting))
        return statement.over(definitions)

    def _sound_paths(self, segments: Iterable[Segment]) -> list[str]:
        """The files of the segments. A damaged one fails the query: it could give other numbers."""
        segments = list(segments)
        if (found := damaged(self.index_dir, segments)) is not None:
            raise QueryFailed(
                f"{found.name} of the index is damaged: its bytes are not those that were written."
                " `python -m trail verify` says what else is, `python -m trail migrate --force`"
                " builds the index again from its sources."
            )
        return [str(self.index_dir / segment.name) for segment in segments]

    def _used_with(
        self, access_keys: Sequence[str], segments: Sequence[Segment], snapshot: _Snapshot
    ) -> list[Segment]:
        """Those of the segments that may hold events made with one of the access keys: of days
        and identities that used them. All of them, where the index does not know who did.
        """
        days = {segment.day for segment in segments} - {None} or snapshot.events.keys()
        weeks = sorted({monday_of(day) for day in days if day is not None})
        known = [s for week in weeks for s in snapshot.keys.get(week, ())]
        asked = definition(
            "keys",
            KEYS_SCHEMA.names,
            self._sound_paths(
                segment
                for segment in known
                if segment.range is None or segment.range.may_hold(access_keys)
            ),
        )
        names = {f"key_{number}": key for number, key in enumerate(access_keys)}
        sql = (
            f"with {asked} select distinct day, identity_id from keys"
            f" where access_key_id in ({', '.join(f'${name}' for name in names)})"
        )
        # Several questions ask at once: the same is read once.
        found = self._run_once(sql, _Asked(sql, names, names, None, None, QUERY_SECONDS)).result
        users: dict[date | None, set[str | None]] = {None: set()}
        for row in found.rows:
            users.setdefault(row["day"], set()).add(row["identity_id"])
            users[None].add(row["identity_id"])
        unknown = {week for week in weeks if not snapshot.keys.get(week)}
        return [
            segment
            for segment in segments
            if (bool(unknown) if segment.day is None else monday_of(segment.day) in unknown)
            or (
                segment.range.may_hold(users.get(segment.day, ()))
                if segment.range is not None
                else segment.day in users
            )
        ]

    def _run(self, sql: str, bound: Mapping[str, Any], timeout: float) -> list[dict[str, Any]]:
        # A cursor belongs to one query at a time. Opening one costs as much as a small query, so
        # those whose query went well are kept for the next.
        try:
            cursor = self._idle.pop()
        except IndexError:
            cursor = self._connection.cursor()
        try:
            with self._watchdog.watching(cursor.interrupt, timeout):
                statements = self._parse(sql)
                cursor.execute(statements[0] if len(statements) == 1 else sql, dict(bound))
                columns = [(column[0], str(column[1])) for column in cursor.description or []]
                found = cursor.fetchmany(QUERY_ROWS + 1)
            if len(found) > QUERY_ROWS:
                raise QueryFailed(
                    f"The query found more than {QUERY_ROWS:,} rows, which is more than is read. "
                    "Narrow its time window, or ask about one identity."
                )
        except BaseException:
            cursor.close()
            raise
        if self._closed or len(self._idle) == self._idle.maxlen:
            cursor.close()
        else:
            self._idle.append(cursor)
        names = [name for name, _ in columns]
        rows = [dict(zip(names, row, strict=True)) for row in found]
        for name in (name for name, kind in columns if "TIMESTAMP" in kind):
            for row in rows:
                row[name] = _aware(row[name])
        return rows


class _Noted:
    """A summary of which is noted what is read: a version adds events, and most answers rest on
    nothing but the accounts and the first and last day."""

    def __init__(self, store: DuckStore, summary: IndexSummary) -> None:
        self._store = store
        self._summary = summary

    def __getattr__(self, name: str) -> object:
        value, store = getattr(self._summary, name), self._store
        note(("summary", name), lambda: getattr(store.summary(), name) == value)
        return value


class _Others:
    """For files that are gone or have changed: others that had the same digest. Looked for once,
    and only when somebody asks."""

    def __init__(self, store: DuckStore, digests: Collection[bytes]) -> None:
        self._store = store
        self._digests = digests

    @cached_property
    def copies(self) -> CopiesToShow:
        return self._store.copies_to_show()

    @cached_property
    def _same(self) -> Mapping[bytes, Sequence[str]]:
        return self._store.same_bytes(self._digests)

    def of(self, file: SourceFile) -> Iterator[tuple[str, str]]:
        """Each one's name in the catalog, and where its bytes lie until the next is asked for;
        those in S3 last, and only where AWS may be asked."""
        if not file.sha256:
            return
        for path in sorted(self._same.get(file.sha256, ()), key=is_address):
            if path == file.path:
                continue
            if not is_address(path):
                yield path, path
            elif os.environ.get(ASK_AWS) == "on":
                with suppress(SourceUnreadable), self.copies.copy(path) as at:
                    yield path, at


def _read_remote(
    file: SourceFile, source_file: str, rows: Sequence[dict[str, Any]], others: _Others
) -> Sequence[RawRecord | SourceUnreadable]:
    """The records of an object in S3, which is fetched once more, where AWS may be asked.

    An index that somebody sent names buckets and roles of their choice, and requests are signed as
    whoever looks at it: so nothing is asked unless this machine says so.
    """
    if os.environ.get(ASK_AWS) != "on":
        said = (
            f"{source_file} is in S3, which is asked only where {ASK_AWS}=on is set. The index"
            " keeps its columns."
        )
        refused = SourceUnreadable(said)
    else:
        try:
            with others.copies.copy(file.path) as at:
                return read_again(file, source_file, rows, at=at, others=others.of(file))
        except SourceUnreadable as error:
            refused = error
    read = read_other(file, source_file, rows, others.of(file))
    return [refused] * len(rows) if read is None else read


def _unnamed(source_file: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"{source_file} is no file that the catalog names, so it is not opened. `python -m trail"
        " verify` says whether the index is damaged."
    )


def _values(held: _Held) -> int:
    rows = held.result.rows
    return len(rows) * len(rows[0]) if rows else 0


def summary_of(cells: Sequence[DayCoverage]) -> IndexSummary:
    """The whole index in one line, from its coverage."""
    return IndexSummary(
        min((cell.first for cell in cells), default=None),
        max((cell.last for cell in cells), default=None),
        sum(cell.events for cell in cells),
        tuple(sorted({cell.account for cell in cells} - {""})),
        tuple(sorted({cell.region for cell in cells} - {""})),
    )


def _values_of(
    parameters: Collection[str | None] | None, bound: Mapping[str, Any]
) -> list[str | None] | None:
    """The values of the parameters; None where they do not tell which segments can be left out."""
    if parameters is None:
        return None
    values = [bound.get(name) if name is not None else None for name in parameters]
    named = [name is not None for name in parameters]
    known = all(isinstance(v, str) or not n for v, n in zip(values, named, strict=True))
    return values if known else None


def _ends(
    bounds: Bounds | None, bound: Mapping[str, Any], kind: type[End]
) -> tuple[End | None, End | None]:
    """The least and the greatest value of that kind that rows may have; None: without end."""
    if bounds is None:
        return None, None
    after = _of_kind(bounds.after, bound, kind)
    before = _of_kind(bounds.before, bound, kind)
    return min(after, default=None), max(before, default=None)


def _of_kind(names: Collection[str], bound: Mapping[str, Any], kind: type[End]) -> list[End]:
    """The values of the parameters; none, where some value is of another kind."""
    values = [bound.get(name) for name in names]
    known = [value for value in values if isinstance(value, kind)]
    return known if len(known) == len(values) else []


def _of_days(held: Mapping[date, Iterable[Segment]], begin: date, end: date) -> Iterator[Segment]:
    return (s for day, of_day in held.items() if begin <= day <= end for s in of_day)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _naive(value: object) -> object:
    """Bound times as the segments hold them: plain timestamps in UTC."""
    if isinstance(value, datetime):
        return _utc(value).replace(tzinfo=None)
    if isinstance(value, list | tuple | set | frozenset):
        return [_naive(member) for member in value]
    return value


def _aware(value: object) -> object:
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, list):
        return [_aware(member) for member in value]
    if isinstance(value, dict):
        return {key: _aware(member) for key, member in value.items()}
    return value


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def _failed(error: duckdb.Error, timeout: float) -> QueryFailed:
    if isinstance(error, duckdb.InterruptException):
        return QueryTimedOut(
            f"The query was stopped after {timeout:g} seconds. Narrow its time window, or ask "
            "about one identity."
        )
    return QueryFailed(f"DuckDB could not run the query: {str(error).strip()}")
