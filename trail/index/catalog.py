"""The catalog: which source files were read and which segments are live (SQLite, WAL).

Everything a reader may see is named here. A build writes its files first, syncs them, and then
changes the catalog in one transaction; a file that no row names does not exist for anybody.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from trail import digests
from trail.counted import counted
from trail.days_unread import LIKE, unread_days
from trail.errors import IndexMissing, IndexUnreadable
from trail.events import SCHEMA_VERSION
from trail.index.index_version import index_of, number_of
from trail.private import close_all, private_file, private_folder

CATALOG = "catalog.sqlite"
SEGMENTS = "segments"
SEAL = "catalog.sha256"
"""Beside the catalog: what its bytes were when the last build had ended."""
Digest = bytes
CREDENTIAL_KINDS = ("credentials_by_key", "credentials_by_role", "credentials_by_caller")
_PAGE = 8_192
"""Bytes. A source file takes some 270, of which SQLite's usual 4,096 would waste more."""
GRACE_SECONDS = 600
"""How long a replaced segment stays on disk: longer than any query that may still be reading."""

SORTED_BY = {
    "events": "identity_id",
    "daily": "identity_id",
    "keys": "access_key_id",
    "calls": "identity_id",
    "credential_calls": "identity_id",
    "credentials_by_key": "minted_access_key_id",
    "credentials_by_role": "minted_principal_id",
    "credentials_by_caller": "identity_id",
}
"""The column by which the rows of each kind of segment are sorted first, nulls last."""

_DROPPED = """
create table if not exists dropped (path text primary key, before text not null) without rowid;
"""
_RANGES = """
create table if not exists ranges (
    name text primary key, low text, high text, nulls integer not null
) without rowid;
"""
_REMOTE = """
create table if not exists objects (path text primary key, etag text not null) without rowid;
create table if not exists buckets (name text primary key, access text not null) without rowid;
"""
"""Of source files in S3: the ETag of each, and how each bucket is reached (no secret: see
`trail.read.s3.Access`)."""
_TABLES = f"""{_DROPPED}{_RANGES}{_REMOTE}
create table if not exists meta (key text primary key, value text not null) without rowid;
create table if not exists files (
    path text primary key, size integer not null, mtime_ns integer not null,
    records integer not null, rejected integer not null,
    skipped text, error text, archive integer not null, days text not null,
    passed_over integer not null, sha256 blob
) without rowid;
create table if not exists skips (
    path text not null, member text not null, reason text not null,
    records integer not null, whole integer not null
);
create table if not exists rejects (
    path text not null, member text not null, position text not null, reason text not null
);
create index if not exists rejects_path on rejects (path);
create index if not exists skips_path on skips (path);
create table if not exists segments (
    name text primary key, kind text not null, day text, rows integer not null,
    bytes integer not null, first text, last text, schema_version integer not null,
    sha256 blob, crc integer
) without rowid;
create table if not exists replaced (name text primary key, at real not null) without rowid;
create table if not exists coverage (
    day text not null, account text not null, region text not null, events integer not null,
    first text not null, last text not null, primary key (day, account, region)
) without rowid;
"""

_DIGESTS = {"files": ("sha256 blob",), "segments": ("sha256 blob", "crc integer")}
_SUMMED = (
    "meta", "files", "skips", "rejects", "segments", "ranges", "replaced", "coverage", "dropped",
    "objects", "buckets",
)  # fmt: skip
"""The tables whose rows are summed up: all there are."""


def default_index() -> Path:
    """The index folder used when none is named: `BACKTRAIL_INDEX`, else `data/index`."""
    return Path(os.environ.get("BACKTRAIL_INDEX") or "data/index")


def monday_of(day: date) -> date:
    """The day that the rollup of a day's week is filed under."""
    return day - timedelta(days=day.weekday())


@dataclass(frozen=True)
class KeyRange:
    """What the rows of a segment have in the column that they are sorted by (`SORTED_BY`): the
    least and the greatest value, None where none has any, and whether some have none.
    """

    low: str | None
    high: str | None
    nulls: bool

    def covers(self, other: KeyRange) -> bool:
        """Whether it leaves out nothing of the other. It may be wider: DuckDB's writer shortens
        bounds of more than 256 bytes.
        """
        if other.nulls and not self.nulls:
            return False
        if other.low is None or other.high is None:
            return True
        return (
            self.low is not None
            and self.high is not None
            and self.low <= other.low
            and self.high >= other.high
        )

    def may_hold(self, values: Iterable[str | None]) -> bool:
        """Whether some row may have one of the values."""
        return any(
            self.nulls
            if value is None
            else self.low is not None and self.high is not None and self.low <= value <= self.high
            for value in values
        )

    def may_hold_between(self, low: str | None, high: str | None) -> bool:
        """Whether some row may have a value between the two, both included; None: without end."""
        return (
            self.low is not None
            and self.high is not None
            and (high is None or self.low <= high)
            and (low is None or low <= self.high)
        )


@dataclass(frozen=True)
class Segment:
    """One immutable Parquet file. `name` is its path inside the index folder.

    `day` is that of its events; of a rollup, the Monday of its week. `range` is None where it is
    not known: in an index of before there were any, and for some very long keys. `sha256` and
    `crc` are of its bytes; b"" and None in an index of before there were digests.
    """

    name: str
    kind: str
    day: date | None
    rows: int
    bytes: int
    first: datetime | None = None
    last: datetime | None = None
    schema_version: int = SCHEMA_VERSION
    range: KeyRange | None = None
    sha256: Digest = b""
    crc: int | None = None

    @property
    def run(self) -> str:
        """What the segments share whose rows were sorted together, one after the other. The
        credentials of one run have the same in each order.
        """
        return self.name.rpartition("/")[2].removesuffix(".parquet").split("-")[2]


def runs_of(segments: Iterable[Segment]) -> dict[str, list[Segment]]:
    """The segments by run."""
    runs: dict[str, list[Segment]] = {}
    for segment in segments:
        runs.setdefault(segment.run, []).append(segment)
    return runs


class SourceFile(msgspec.Struct, frozen=True, array_like=True):
    """What the index knows of one source file. A struct, as there may be a million, which each
    pass from a worker to the builder.

    `records` were read: those that `rejected` and `passed_over` count, and the rows that it gave.
    `skipped` says why it gave no events, if so.

    `sha256` is that of its bytes as stored; b"" where they could not be read, where its name alone
    said that it holds no events, and in an index of before there were digests.

    A size of -1 means that it could not be opened, -2 that it is a folder that could not be
    listed: both are tried again by every build.

    An object in S3 has an `etag`, and its path is `s3://bucket/key`.
    """

    path: str
    size: int
    mtime_ns: int
    records: int = 0
    rejected: int = 0
    skipped: str | None = None
    error: str | None = None
    archive: bool = False
    days: tuple[str, ...] = ()
    passed_over: int = 0
    sha256: bytes = b""
    etag: str = ""


@dataclass(frozen=True)
class Records:
    """What became of every record of every file: `read` is the sum of the others, always.

    `kept` are the index's events; `repeated` are further copies of one of them on the same day.
    `rejected` could not be read; `skipped` are no per-call events, or of days that were dropped. A
    file, or part of one, that was rejected unread counts as one record; a file that was skipped as
    a whole, a licence or a digest, is no record and has its own count.
    """

    read: int
    kept: int
    repeated: int
    rejected: int
    skipped: int

    @property
    def equation(self) -> str:
        return (
            f"{counted(self.read, 'record')} read = {self.kept:,} kept + {self.repeated:,} repeated"
            f" + {self.rejected:,} rejected + {self.skipped:,} skipped"
        )


@dataclass(frozen=True)
class Reject:
    """A record or file part that could not be read. `path` may be "archive.zip!/member.json"."""

    path: str
    position: str
    reason: str


@dataclass(frozen=True)
class DayCoverage:
    """How many events the index holds of one day, account and region."""

    day: date
    account: str
    region: str
    events: int
    first: datetime
    last: datetime


@dataclass
class Publication:
    """One transaction's worth of changes."""

    add: list[Segment] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    files: list[SourceFile] = field(default_factory=list)
    forget: list[str] = field(default_factory=list)
    rejects: list[tuple[str, Reject]] = field(default_factory=list)  # source file, reject
    skips: list[tuple[str, str, str, int, bool]] = field(default_factory=list)
    """Source file, member, reason, how many records, and whether the member as a whole."""
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Source file → how many of its records are skipped that were not before."""
    coverage: dict[date, list[DayCoverage]] = field(default_factory=dict)
    dropped: dict[str, date] = field(default_factory=dict)  # source file → first day it kept
    buckets: Mapping[str, str] = field(default_factory=dict)  # bucket → how it is reached, as JSON

    def __bool__(self) -> bool:
        return bool(self.add or self.remove or self.files or self.forget)


class Catalog:
    """The catalog of one index folder. One object per thread; open it where it is used."""

    def __init__(self, index_dir: Path, *, create: bool = False, any_thread: bool = False) -> None:
        self.index_dir = index_dir
        self._path = index_dir / CATALOG
        try:
            if create:
                self._make_private()
            elif not self._path.is_file():
                raise IndexMissing(
                    f"There is no index at {index_dir}. Build one with "
                    f"`python -m trail add FOLDER --index {index_dir}`."
                )
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise IndexUnreadable(
                f"The index folder {index_dir} cannot be {'made' if create else 'opened'} "
                f"({error.strerror}). Check its permissions, or name another with --index."
            ) from error
        self._frozen_at: tuple[int, int, bool] | None = None
        self._sums: digests.RowSums | None = None  # of the transaction that is open
        self._watched = self._wrote = False
        uri = "" if create else self._read_only_uri()
        try:
            self._db = sqlite3.connect(
                uri or self._path, uri=bool(uri), timeout=30, isolation_level=None,
                check_same_thread=not any_thread,
            )  # fmt: skip
            if not uri:
                self._db.execute("pragma synchronous=full")
            if create:
                self._db.execute(f"pragma page_size={_PAGE}")  # of a new file
                self._db.execute("pragma journal_mode=wal")
                before = self._layout()
                self._db.executescript(_TABLES)
                self._wrote = self._layout() != before
            self._meta = dict(self._db.execute("select key, value from meta"))
            if create and len(self._meta) < 3:  # else no write, which might have to wait for one
                with self.transaction():
                    self._db.executemany(
                        "insert or ignore into meta values (?, ?)",
                        [
                            ("schema_version", str(SCHEMA_VERSION)),
                            ("version", "0"),
                            ("identity", uuid.uuid4().hex[:12]),
                        ],
                    )
                self._meta = dict(self._db.execute("select key, value from meta"))
        except sqlite3.DatabaseError as error:
            if create and any(sign in str(error) for sign in ("full", "disk I/O")):
                raise  # to `trail.index.build.disk_errors`
            if any(sign in str(error) for sign in ("readonly", "unable to open", "locked")):
                raise IndexUnreadable(
                    f"The catalog of {index_dir} cannot be opened ({error}). Check the folder's "
                    "permissions, and whether a build is running."
                ) from error
            raise IndexUnreadable(
                f"The catalog of {index_dir} cannot be read ({error}). Move the folder away and "
                "build the index again from its sources."
            ) from error

    def _make_private(self) -> None:
        """The folder is its owner's alone, unless it holds something else beside the index."""
        ours = (
            not self.index_dir.exists() or self._path.exists() or not any(self.index_dir.iterdir())
        )
        if ours and self.index_dir.exists():
            close_all(self.index_dir)
        if ours:
            private_folder(self.index_dir)
        private_folder(self.index_dir / SEGMENTS)
        private_file(self._path)

    def _read_only_uri(self) -> str:
        """How SQLite is to open a catalog that this process may read only; "" where it may write.

        SQLite reads a write-ahead log without writing only where there is one. Otherwise it has
        to be told that the file stands still, and `is_outdated` watches whether it does.
        """
        if os.access(self._path, os.W_OK) and os.access(self.index_dir, os.W_OK):
            return ""
        at = self._stamp()
        if at[2]:
            return f"{self._path.resolve().as_uri()}?mode=ro"
        self._frozen_at = at
        return f"{self._path.resolve().as_uri()}?mode=ro&immutable=1"

    def _stamp(self) -> tuple[int, int, bool]:
        stat = self._path.stat()
        log = self._path.with_name(CATALOG + "-wal")
        return stat.st_mtime_ns, stat.st_size, log.exists() and log.stat().st_size > 0

    def is_outdated(self) -> bool:
        """Whether a catalog that was opened as standing still has changed: open it again."""
        return self._frozen_at is not None and self._frozen_at != self._stamp()

    def _layout(self) -> int:
        """SQLite's own count of how often the tables were changed."""
        return int(self._db.execute("pragma schema_version").fetchone()[0])

    def close(self) -> None:
        if self._wrote:
            with suppress(sqlite3.Error, OSError):
                self._seal()
        self._db.close()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several reads that see the same moment, whatever is published meanwhile."""
        self._db.execute("begin")
        try:
            yield
        finally:
            self._db.execute("rollback")

    def schema_version(self) -> int:
        return int(self._meta["schema_version"])

    def check_schema(self) -> None:
        """Raises `IndexUnreadable` when the index was written by another schema version."""
        if self.schema_version() != SCHEMA_VERSION:
            raise IndexUnreadable(
                f"The index at {self.index_dir} has schema {self.schema_version()}, this version "
                f"of Backtrail reads {SCHEMA_VERSION}. Run `python -m trail migrate --index "
                f"{self.index_dir}`, which reads the source files again."
            )

    def version(self) -> str:
        """Changes with every publication, and is another one's where what was published is."""
        row = self._db.execute(
            "select value, (select value from meta where key = 'content')"
            " from meta where key = 'version'"
        ).fetchone()
        content = f".{row[1][:16]}" if row[1] else ""
        return f"{self._identity()}-{row[0]}{content}"

    def _identity(self) -> str:
        """Its own random id; of an index from before they had one, what its path gives."""
        own = self._meta.get("identity")
        return own or hashlib.sha256(str(self.index_dir.resolve()).encode()).hexdigest()[:12]

    def continue_from(self, version: str) -> None:
        """Makes an empty catalog the same index as the one of that version, later than it."""
        identity, number = index_of(version), number_of(version)
        with self.transaction():
            self._db.executemany(
                "insert or replace into meta values (?, ?)",
                [("identity", identity), ("version", number)],
            )
        self._meta = dict(self._db.execute("select key, value from meta"))

    def segments(self, *kinds: str) -> list[Segment]:
        rows = self._db.execute(
            "select name, kind, day, rows, bytes, first, last, schema_version,"
            f" {'sha256, crc' if self._has_digests('segments') else 'null, null'} from segments"
            " order by day, name"
        )
        ranges = self._ranges()
        return [
            Segment(
                name,
                kind,
                date.fromisoformat(day) if day else None,
                count,
                size,
                _moment(first) if first else None,
                _moment(last) if last else None,
                version,
                ranges.get(name),
                sha256 or b"",
                crc,
            )
            for name, kind, day, count, size, first, last, version, sha256, crc in rows
            if not kinds or kind in kinds
        ]

    def _ranges(self) -> dict[str, KeyRange]:
        if not self._has("ranges"):  # an index of before there were any
            return {}
        rows = self._db.execute("select name, low, high, nulls from ranges")
        return {name: KeyRange(low, high, bool(nulls)) for name, low, high, nulls in rows}

    def _has(self, table: str) -> bool:
        known = "select 1 from sqlite_master where name = ?"
        return self._db.execute(known, (table,)).fetchone() is not None

    def _has_digests(self, table: str) -> bool:
        return any(name == "sha256" for name in self._columns(table))

    def _columns(self, table: str) -> list[str]:
        return [row[1] for row in self._db.execute(f"pragma table_info({table})")]

    def stamps(self) -> dict[str, tuple[int, int, str]]:
        """Path → (size, mtime_ns, ETag or "") of every source file: all that an unchanged file is
        asked."""
        rows = self._db.execute(f"select path, size, mtime_ns, {self._etag()} from files")
        return {path: (size, mtime_ns, etag) for path, size, mtime_ns, etag in rows}

    def _etag(self) -> str:
        """The ETag of a row of `files`, in SQL. Nothing is looked up where all are files."""
        if not self._has("objects"):  # an index of before there were any
            return "''"
        if self._db.execute("select 1 from objects limit 1").fetchone() is None:
            return "''"
        return "coalesce((select etag from objects where objects.path = files.path), '')"

    def buckets(self) -> dict[str, str]:
        """Bucket → how it is reached, as it was put."""
        if not self._has("buckets"):
            return {}
        return dict(self._db.execute("select name, access from buckets"))

    def files(self, paths: Sequence[str] | None = None) -> list[SourceFile]:
        passed_over = "passed_over" if self._counts_records() else "0"
        sql = (
            "select path, size, mtime_ns, records, rejected, skipped, error, archive, days,"
            f" {passed_over}, {'sha256' if self._has_digests('files') else 'null'}, {self._etag()}"
            " from files"
        )
        if paths is None:
            rows = self._db.execute(sql + " order by path").fetchall()
        else:
            rows = []
            for path in paths:
                rows += self._db.execute(sql + " where path = ?", (path,)).fetchall()
        return [
            SourceFile(
                path, size, mtime_ns, records, rejected, skipped, error, bool(archive),
                tuple(json.loads(days)), passed_over, sha256 or b"", etag,
            )
            for path, size, mtime_ns, records, rejected, skipped, error, archive, days, passed_over,
            sha256, etag in rows
        ]  # fmt: skip

    def same_bytes(self, digests_of: Collection[bytes]) -> dict[bytes, list[str]]:
        """Digest → the source files that had it when they were read, in the order of their paths.

        No index serves it, which would take a seventh of the catalog: a million files are looked
        through, when a source file is gone.
        """
        found: dict[bytes, list[str]] = {}
        if not self._has_digests("files"):
            return found
        wanted = sorted({one for one in digests_of if one})
        for start in range(0, len(wanted), 10_000):
            some = wanted[start : start + 10_000]
            rows = self._db.execute(
                "select sha256, path from files where size >= 0 and sha256 in"
                f" ({', '.join('?' * len(some))}) order by path",
                some,
            )
            for sha256, path in rows:
                found.setdefault(sha256, []).append(path)
        return found

    def _counts_records(self) -> bool:
        """Whether the index is of schema 4 or later, and so knows what it passed over."""
        return self.schema_version() >= 4

    def dropped(self) -> dict[str, date]:
        """Source file → the day before which its events were dropped, and are not to come back."""
        if not self._has("dropped"):  # an index of before there were any
            return {}
        rows = self._db.execute("select path, before from dropped")
        return {path: date.fromisoformat(before) for path, before in rows}

    def rejects(self) -> list[Reject]:
        rows = self._db.execute(
            "select member, position, reason from rejects order by member, rowid"
        )
        return [Reject(*row) for row in rows]

    def unread_days(self) -> dict[str, set[date]]:
        """Account (or `ANYBODY`) → days of which some of its records could not be read."""
        rows = self._db.execute("select position from rejects where position like ?", (LIKE,))
        return unread_days(position for (position,) in rows)

    def skips(self) -> list[tuple[str, str]]:
        """(path, reason) of every file, and every archive member, that holds no events."""
        whole = "where whole" if self._counts_records() else ""
        return list(self._db.execute(f"select member, reason from skips {whole} order by member"))

    def skipped_records(self) -> list[tuple[str, str, int]]:
        """(path, reason, how many) of records that are no events, in files that hold others."""
        if not self._counts_records():
            return []
        return list(
            self._db.execute(
                "select member, reason, sum(records) from skips where not whole and member not in"
                " (select member from skips where whole) group by 1, 2 order by 1, 2"
            )
        )

    def records(self) -> Records | None:
        """What became of every record; None for an index that did not count them all."""
        if not self._counts_records():
            return None
        events, copies = self.rows()
        read, rejected, skipped = self._record_sums()
        return Records(read, events, copies, rejected, skipped)

    def _record_sums(self) -> tuple[int, int, int]:
        """Records read, rejected and passed over, of all files: summed up as they change, since
        there may be a million files."""
        row = self._db.execute("select value from meta where key = 'records'").fetchone()
        return tuple(json.loads(row[0])) if row else (0, 0, 0)

    def coverage(self) -> list[DayCoverage]:
        rows = self._db.execute(
            "select day, account, region, events, first, last from coverage"
            " order by day, account, region"
        )
        return [
            DayCoverage(
                date.fromisoformat(day),
                account,
                region,
                events,
                _moment(first),
                _moment(last),
            )
            for day, account, region, events, first, last in rows
        ]

    def rows(self) -> tuple[int, int]:
        """How many events the index holds, and how many copies of them it set aside."""
        events, copies = self._db.execute(
            "select coalesce(sum(case kind when 'events' then rows end), 0),"
            " coalesce(sum(case kind when 'copies' then rows end), 0) from segments"
        ).fetchone()
        return events, copies

    def totals(self) -> Mapping[str, int]:
        """The counts that `trail status` prints."""
        one = self._db.execute
        events, copies = self.rows()
        segments, size = one("select count(*), coalesce(sum(bytes), 0) from segments").fetchone()
        files, rejected = one(
            "select count(*) filter (where size > -2), coalesce(sum(rejected), 0) from files"
            " where skipped is null"
        ).fetchone()
        skipped = len(self.skips())
        return {
            "events": events,
            "duplicates": copies,
            "rejected": rejected,
            "skipped_files": skipped,
            "files": files,
            "segments": segments,
            "bytes": size,
        }

    def replaced_before(self, moment: float) -> list[str]:
        rows = self._db.execute("select name from replaced where at < ?", (moment,))
        return [name for (name,) in rows]

    def known_names(self) -> set[str]:
        """Every segment file that must stay: live ones, and replaced ones still in their grace."""
        rows = self._db.execute("select name from segments union select name from replaced")
        return {name for (name,) in rows}

    def forget_replaced(self, names: Iterable[str]) -> None:
        with self.transaction():
            self._db.executemany("delete from replaced where name = ?", [(n,) for n in names])

    def publish(self, change: Publication, now: float) -> None:
        """Makes all of `change` visible at once, or none of it."""
        with self.transaction():
            self.put_files(change)
            self.put_segments(change, now)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is put inside becomes visible at its end, at once; none of it after an error."""
        self._db.execute("begin immediate")
        try:
            self._sums = self._watch()
            yield
            self._db.execute(
                "insert or replace into meta values ('digests', ?)", (self._sums.told(),)
            )
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:  # SQLite ends it by itself when the disk is full
                self._db.execute("rollback")
            self._watched = False  # its triggers may be gone with the rest
            raise
        finally:
            self._sums = None
        self._wrote = True

    # -- digests of its own rows and bytes

    def _watch(self) -> digests.RowSums:
        """The sums of the rows' digests, which from now on follow what this connection changes."""
        # An index of before there were any gets them here.
        for made in (_DROPPED, _RANGES, *_REMOTE.strip().splitlines()):
            self._db.execute(made)
        for table, columns in _DIGESTS.items():
            if not self._has_digests(table):  # of before there were any
                for column in columns:
                    self._db.execute(f"alter table {table} add column {column}")
        if not self._watched:
            self._db.execute("pragma recursive_triggers = on")  # else `replace` deletes unseen
            self._db.create_function("row_changed", -1, self._row_changed)
            for table in _SUMMED:
                for when, row, sign in (("insert", "new", 1), ("delete", "old", -1)):
                    self._follow(table, when, [(row, sign)])
                self._follow(table, "update", [("old", -1), ("new", 1)])
            self._watched = True
        told = self._db.execute("select value from meta where key = 'digests'").fetchone()
        return digests.RowSums(told[0]) if told else self.row_sums()

    def _follow(self, table: str, when: str, rows: Sequence[tuple[str, int]]) -> None:
        """A trigger of this connection alone: what anybody else changes is not in the sums."""
        columns = self._columns(table)
        if not columns:
            return
        calls = "".join(
            f"select row_changed('{table}', {sign}, {', '.join(f'{row}.{c}' for c in columns)});"
            for row, sign in rows
        )
        only = f" when {rows[-1][0]}.key <> 'digests'" if table == "meta" else ""
        name = f"sum_{table}_{when}"
        self._db.execute(f"drop trigger if exists temp.{name}")
        self._db.execute(
            f"create temp trigger {name} after {when} on main.{table}{only} begin {calls} end"
        )

    def _row_changed(self, table: str, sign: int, *values: Any) -> None:
        if self._sums is not None:
            self._sums.change(table, sign * digests.of_row(table, values))

    def row_sums(self) -> digests.RowSums:
        """The sums of the digests of the rows that are there now."""
        sums = digests.RowSums()
        for table in _SUMMED:
            if columns := self._columns(table):
                only = " where key <> 'digests'" if table == "meta" else ""
                rows = self._db.execute(f"select {', '.join(columns)} from {table}{only}")
                for row in rows:
                    sums.change(table, digests.of_row(table, row))
        return sums

    def changed_tables(self) -> list[str] | None:
        """The tables with rows that no build wrote; None for a catalog without digests."""
        told = self._db.execute("select value from meta where key = 'digests'").fetchone()
        if told is None:
            return None
        kept = digests.RowSums(told[0])
        if kept.told() != told[0]:  # the same numbers, written otherwise: a bit of them flipped
            return ["meta"]
        said, found = kept.of, self.row_sums().of
        return sorted(t for t in said.keys() | found.keys() if said.get(t, 0) != found.get(t, 0))

    def _seal(self) -> None:
        """Notes what the file's bytes are, now that all of the log is in it; nothing while others
        keep it from being written there, or have written since."""
        self._db.execute("pragma busy_timeout = 1000")
        self._db.execute("pragma wal_checkpoint(truncate)")
        rows = self._told_rows()
        sha256 = _sha256(self._path)
        if self._stamp()[2] or self._told_rows() != rows:
            return
        seal = self._path.with_name(SEAL)
        fresh = seal.with_name(SEAL + ".new")
        private_file(fresh)
        fresh.write_text(_sealed(sha256, rows))
        fresh.replace(seal)

    def _told_rows(self) -> str:
        told = self._db.execute("select value from meta where key = 'digests'").fetchone()
        return hashlib.sha256(told[0].encode()).hexdigest() if told else ""

    def wrong_bytes(self) -> str | None:
        """In what way the file is not as the last build left it; None if it is, or if a build has
        written since, which was stopped before it could note what it left."""
        seal = self._path.with_name(SEAL)
        try:
            told = seal.read_bytes()
        except FileNotFoundError:
            return None
        words = told.split()
        if len(words) != 3 or told != _sealed(*(w.decode("latin-1") for w in words[:2])).encode():
            return f"{SEAL} is damaged"
        if self._stamp()[2] or words[1].decode() != self._told_rows():
            return None
        if words[0].decode() != _sha256(self._path):
            return "its bytes are not those that were written"
        return None

    @property
    def is_sealed(self) -> bool:
        """Whether there is a note of what the file's bytes should be."""
        return self._path.with_name(SEAL).exists()

    def broken_structure(self) -> str | None:
        """What SQLite finds wrong with the file, in its words."""
        (said,) = self._db.execute("pragma integrity_check(1)").fetchone()
        return None if said == "ok" else str(said)

    def without_digest(self) -> tuple[int, int]:
        """How many source files that could be read, and how many segments, have no digest."""
        found = []
        for table, read in (
            ("files", "size >= 0 and (records > rejected + {passed})"),
            ("segments", "true"),
        ):
            read = read.format(passed="passed_over" if self._counts_records() else "0")
            lacks = "sha256 is null or sha256 = x''" if self._has_digests(table) else "true"
            found += self._db.execute(
                f"select count(*) from {table} where {read} and ({lacks})"
            ).fetchone()
        return found[0], found[1]

    def put_files(self, change: Publication) -> None:
        """The half of a publication that says what was read."""
        db = self._db
        # In the order of the table, which then grows at its end only.
        files = sorted(change.files, key=lambda file: file.path)
        gone = [(f.path,) for f in files] + [(path,) for path in change.forget]
        read, rejected, skipped = self._record_sums()
        if db.execute("select 1 from files limit 1").fetchone() is not None:
            for path in gone:
                old = db.execute(
                    "select records, rejected, passed_over from files where path = ?", path
                ).fetchone()
                if old is not None:
                    read, rejected, skipped = read - old[0], rejected - old[1], skipped - old[2]
        for table in ("files", "rejects", "skips", "objects"):
            if db.execute(f"select 1 from {table} limit 1").fetchone() is not None:
                db.executemany(f"delete from {table} where path = ?", gone)
        days = {days: json.dumps(days) for days in {f.days for f in files}}
        db.executemany(
            "insert into files values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    f.path, f.size, f.mtime_ns, f.records, f.rejected, f.skipped, f.error,
                    int(f.archive), days[f.days], f.passed_over, f.sha256 or None,
                )
                for f in files
            ],
        )  # fmt: skip
        db.executemany(
            "insert into objects values (?, ?)", [(f.path, f.etag) for f in files if f.etag]
        )
        db.executemany("insert or replace into buckets values (?, ?)", change.buckets.items())
        db.executemany(
            "insert into rejects values (?, ?, ?, ?)",
            [(source, r.path, r.position, r.reason) for source, r in change.rejects],
        )
        db.executemany("insert into skips values (?, ?, ?, ?, ?)", change.skips)
        db.executemany(
            "update files set passed_over = passed_over + ? where path = ?",
            [(count, path) for path, count in change.passed_over.items()],
        )
        read += sum(file.records for file in files)
        rejected += sum(file.rejected for file in files)
        skipped += sum(file.passed_over for file in files) + sum(change.passed_over.values())
        db.execute(
            "insert or replace into meta values ('records', ?)",
            (json.dumps([read, rejected, skipped]),),
        )

    def put_segments(self, change: Publication, now: float) -> None:
        """The half of a publication that says where the events are."""
        db = self._db
        db.executemany("delete from segments where name = ?", [(n,) for n in change.remove])
        db.executemany(
            "insert or replace into replaced values (?, ?)", [(n, now) for n in change.remove]
        )
        db.executemany(
            "insert into segments values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    s.name,
                    s.kind,
                    s.day.isoformat() if s.day else None,
                    s.rows,
                    s.bytes,
                    s.first.isoformat() if s.first else None,
                    s.last.isoformat() if s.last else None,
                    s.schema_version,
                    s.sha256 or None,
                    s.crc,
                )
                for s in change.add
            ],
        )
        db.execute(_RANGES)
        db.executemany("delete from ranges where name = ?", [(n,) for n in change.remove])
        db.executemany(
            "insert into ranges values (?, ?, ?, ?)",
            [
                (s.name, s.range.low, s.range.high, int(s.range.nulls))
                for s in change.add
                if s.range is not None
            ],
        )
        if change.dropped:
            db.execute(_DROPPED)
            db.executemany(
                "insert or replace into dropped values (?, ?)",
                [(path, before.isoformat()) for path, before in change.dropped.items()],
            )
        for day, cells in change.coverage.items():
            db.execute("delete from coverage where day = ?", (day.isoformat(),))
            db.executemany(
                "insert into coverage values (?, ?, ?, ?, ?, ?)",
                [
                    (
                        day.isoformat(), c.account, c.region, c.events,
                        c.first.isoformat(), c.last.isoformat(),
                    )
                    for c in cells
                ],
            )  # fmt: skip
        before = db.execute("select value from meta where key = 'content'").fetchone()
        db.execute(
            "insert or replace into meta values ('content', ?)",
            (_content(before[0] if before else "", change),),
        )
        db.execute(
            "update meta set value = cast(cast(value as integer) + 1 as text) where key = 'version'"
        )


def _content(before: str, change: Publication) -> str:
    """What the index holds after a publication, as one hash: over what it was, and what came and
    went. Names tell apart what has no digest; a segment's is random."""
    brought = hashlib.sha256(before.encode())
    for sign, names in (
        ("+", sorted(f"{one.name} {one.sha256.hex()}" for one in change.add)),
        ("-", sorted(change.remove)),
        ("f", sorted(f"{one.path} {one.size} {one.sha256.hex()}" for one in change.files)),
    ):
        brought.update("\n".join((sign, *names, "")).encode("utf-8", "surrogatepass"))
    return brought.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sealed(sha256: str, rows: str) -> str:
    """What stands in the seal: the digest of the bytes, that of the rows' sums with it, and one
    over both, since a flipped bit here must not pass for a build that was stopped."""
    return f"{sha256} {rows} {hashlib.sha256(f'{sha256} {rows}'.encode()).hexdigest()}\n"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
