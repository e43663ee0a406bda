"""Looking after an index: verify it, drop old days, compact it, bring it to a new schema."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from trail.counted import counted
from trail.digests import of_segment
from trail.errors import BacktrailError, IndexBusy, IndexUnreadable, SourceUnreadable
from trail.events import SCHEMA_VERSION
from trail.index.build import (
    BuildSummary,
    Progress,
    add,
    disk_errors,
    nothing_unpublished,
    publish,
    settle_days,
    sweep,
)
from trail.index.catalog import (
    CATALOG,
    CREDENTIAL_KINDS,
    SEAL,
    SEGMENTS,
    Catalog,
    Publication,
    Segment,
    monday_of,
    runs_of,
)
from trail.index.lock import write_lock
from trail.index.same_calls import find_same_calls
from trail.index.segments import (
    CALLS,
    CREDENTIAL_CALLS,
    KEYS,
    ROLLUP,
    Merger,
    Told,
    is_credential,
    keys_of,
)
from trail.read.s3 import is_address
from trail.read.sources import Listed


@dataclass(frozen=True)
class Verification:
    """What `verify` looked at, and every way in which index and catalog disagree."""

    segments: int
    events: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What could not be checked, because the index is of before it could."""


def verify(index_dir: str | os.PathLike[str]) -> Verification:
    """Reads every live segment and checks it against the catalog. Changes nothing."""
    index = Path(index_dir).resolve()
    notes: list[str] = []
    try:
        with Catalog(index) as catalog:
            if (old := catalog.schema_version()) != SCHEMA_VERSION:
                raise IndexUnreadable(
                    f"The index at {index} has schema {old}, which has no digests to verify by. Run"
                    f" `python -m trail migrate --index {index}`, which reads the source files"
                    f" again for schema {SCHEMA_VERSION}."
                )
            if problems := _catalog(catalog, notes):
                # What it says of the segments may be anything.
                return Verification(0, 0, tuple(problems), tuple(notes))
            segments = catalog.segments()
            known = catalog.known_names()
            coverage = catalog.coverage()
    except (sqlite3.Error, ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
        # A damaged catalog may hold anything where a date or a number was.
        return Verification(0, 0, (f"{CATALOG}: cannot be read ({error})",), tuple(notes))
    readable: list[Segment] = []
    for segment in segments:
        problem = _wrong_with(index, segment)
        if problem is None:
            readable.append(segment)
        else:
            problems.append(f"{segment.name}: {problem}")
    for path in sorted((index / SEGMENTS).glob("*/*.parquet")):
        name = f"{SEGMENTS}/{path.parent.name}/{path.name}"
        if name not in known:
            problems.append(
                f"{name}: no catalog entry (left by a killed build; the next build removes it)"
            )
    events = [segment for segment in readable if segment.kind == "events"]
    problems += _contents(index, events, readable)
    told: dict[date, int] = {}
    for cell in coverage:
        told[cell.day] = told.get(cell.day, 0) + cell.events
    held: dict[date, int] = {}
    for segment in segments:
        if segment.kind == "events" and segment.day is not None:
            held[segment.day] = held.get(segment.day, 0) + segment.rows
    for day in sorted(told.keys() | held.keys()):
        if told.get(day, 0) != held.get(day, 0):
            problems.append(
                f"{day}: coverage says {counted(told.get(day, 0), 'event')}, segments hold "
                f"{held.get(day, 0):,}"
            )
    return Verification(len(segments), sum(s.rows for s in events), tuple(problems), tuple(notes))


def _catalog(catalog: Catalog, notes: list[str]) -> list[str]:
    """What is wrong with the catalog itself: its bytes, its rows."""
    problems = []
    if (wrong := catalog.wrong_bytes()) is not None:
        problems.append(f"{CATALOG}: {wrong}")
    changed = catalog.changed_tables()
    if changed is not None and not catalog.is_sealed:
        notes.append(
            f"{SEAL} is not there, so {CATALOG} was verified by its rows alone. The next"
            " `python -m trail add` writes it again."
        )
    if changed:
        problems.append(f"{CATALOG}: rows of {', '.join(changed)} are not those that were written")
    elif (wrong := catalog.broken_structure()) is not None:
        problems.append(f"{CATALOG}: {wrong}")
    files, segments = catalog.without_digest()
    if changed is None or files or segments:
        notes.append(
            f"{'The catalog, ' if changed is None else ''}"
            f"{counted(files, 'source file')} and {counted(segments, 'segment')}"
            " have no digest, so what changed in them cannot be told: `python -m trail"
            " migrate` makes them."
        )
    return problems


def _wrong_with(index: Path, segment: Segment) -> str | None:
    path = index / segment.name
    try:
        size = path.stat().st_size
        if size != segment.bytes:
            return f"{counted(size, 'byte')}, the catalog says {segment.bytes:,}"
        if segment.sha256 and of_segment(path) != (segment.sha256, segment.crc):
            return "its bytes are not those that were written"
        table = pq.ParquetFile(path)
        told = Told(segment.kind)
        for batch in table.iter_batches():
            told.add(pa.Table.from_batches([batch]))
    except FileNotFoundError:
        return "missing"
    except (OSError, pa.ArrowException) as error:
        return f"unreadable ({str(error).strip().partition(chr(10))[0]})"
    if told.rows != segment.rows:
        return f"{counted(told.rows, 'row')}, the catalog says {segment.rows:,}"
    keys = told.range()
    if segment.range is not None and keys is not None and not segment.range.covers(keys):
        return f"its keys are {keys}, the catalog says {segment.range}"
    if segment.schema_version != SCHEMA_VERSION:
        return f"schema {segment.schema_version}, this version reads {SCHEMA_VERSION}"
    return None


def _contents(index: Path, events: list[Segment], readable: list[Segment]) -> list[str]:
    problems = []
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as db:
        credentials = 0
        by_day: dict[date, list[Segment]] = {}
        for segment in events:
            if segment.day is not None:
                by_day.setdefault(segment.day, []).append(segment)
        for day, of_day in sorted(by_day.items()):
            paths = [str(index / segment.name) for segment in of_day]
            repeats, elsewhere, minting = db.execute(
                "select count(*) - count(distinct (event_id, recipient_account_id, event_name)),"
                " count_if(cast(event_time as date) <> $day),"
                f" count_if(coalesce({is_credential()}, false)) from read_parquet($paths)",
                {"paths": paths, "day": day},
            ).fetchone() or (0, 0, 0)
            credentials += minting
            if repeats:
                problems.append(
                    f"{day}: {counted(repeats, 'event is', 'events are')} there more than once"
                )
            if elsewhere:
                problems.append(
                    f"{day}: {counted(elsewhere, 'event belongs', 'events belong')} to another day"
                )
        rolled: dict[date, int] = {}
        rollups = [str(index / segment.name) for segment in readable if segment.kind == ROLLUP]
        if rollups:
            rolled = dict(
                db.execute(
                    "select day, sum(count)::bigint from read_parquet($paths) group by day",
                    {"paths": rollups},
                ).fetchall()
            )
        for day in sorted(by_day.keys() | rolled.keys()):
            expected = sum(s.rows for s in by_day.get(day, ()))
            if rolled.get(day, 0) != expected:
                problems.append(
                    f"{day}: its rollup counts {rolled.get(day, 0):,} of"
                    f" {counted(expected, 'event')}"
                )
        problems += _keys(db, index, by_day, readable)
        problems += _calls(db, index, by_day, readable)
        runs = [s for s in readable if s.kind in CREDENTIAL_KINDS]
        for kind in CREDENTIAL_KINDS:
            if (held := sum(s.rows for s in runs if s.kind == kind)) != credentials:
                problems.append(
                    f"{kind}: {counted(held, 'row')}, the days hold"
                    f" {counted(credentials, 'such event')}"
                )
    return problems


def _keys(
    db: duckdb.DuckDBPyConnection,
    index: Path,
    by_day: Mapping[date, Sequence[Segment]],
    readable: Sequence[Segment],
) -> list[str]:
    """Weeks whose keys say otherwise than their events who used which access key on which day."""
    problems = []
    weeks: dict[date, list[str]] = {}
    for segment in readable:
        if segment.kind == KEYS and segment.day is not None:
            weeks.setdefault(segment.day, []).append(str(index / segment.name))
    for monday, paths in sorted(weeks.items()):
        days = [of_day for day, of_day in by_day.items() if monday_of(day) == monday]
        events = [str(index / segment.name) for of_day in days for segment in of_day]
        told = "select * from read_parquet($keys)"
        used = keys_of("read_parquet($events)") if events else f"{told} where false"
        (differ,) = db.execute(
            f"select count(*) from (({told} except all {used})"
            f" union all ({used} except all {told}))",
            {"keys": paths} | ({"events": events} if events else {}),
        ).fetchone() or (0,)
        if differ:
            problems.append(f"week of {monday}: its keys differ from its events in {differ:,} uses")
    return problems


def _calls(
    db: duckdb.DuckDBPyConnection,
    index: Path,
    by_day: Mapping[date, Sequence[Segment]],
    readable: Sequence[Segment],
) -> list[str]:
    """Whether every record that is said not to count by itself is there."""
    told = [str(index / segment.name) for segment in readable if segment.kind == CALLS]
    if not told:
        return []
    paths = [str(index / segment.name) for of_day in by_day.values() for segment in of_day]
    (missing,) = db.execute(
        "select count(*) from (select distinct day, event_id, recipient_account_id"
        " from read_parquet($told)) as told anti join"
        " (select cast(event_time as date) as day, event_id, recipient_account_id"
        f" from read_parquet({'$paths' if paths else '$told'}) where {bool(paths)}) as held"
        " on held.day = told.day and held.event_id = told.event_id"
        " and held.recipient_account_id is not distinct from told.recipient_account_id",
        {"told": told} | ({"paths": paths} if paths else {}),
    ).fetchone() or (0,)
    return (
        [f"calls: {counted(missing, 'record is', 'records are')} spoken of that no day holds"]
        if missing
        else []
    )


def drop_before(index_dir: str | os.PathLike[str], day: date) -> int:
    """How many events were dropped: all of the days before `day`.

    Each file that gave some is remembered: however it is read again, by `add` because it grew or
    by `migrate`, those days do not come back from it.
    """
    index = Path(index_dir).resolve()
    with (
        disk_errors(index),
        Catalog(index) as catalog,
        write_lock(index),
        nothing_unpublished(catalog),
    ):
        catalog.check_schema()
        sweep(catalog)
        change = Publication()
        dropped = 0
        given: list[Segment] = []
        straddling: list[Segment] = []
        for segment in catalog.segments():
            if segment.day is None or segment.day >= day:
                continue
            if segment.kind in (CALLS, CREDENTIAL_CALLS):
                continue
            if segment.kind in (ROLLUP, KEYS) and segment.day == monday_of(day):
                straddling.append(segment)
                continue
            change.remove.append(segment.name)
            if segment.kind in ("events", "copies"):
                given.append(segment)
            if segment.kind == "events":
                change.coverage[segment.day] = []
                dropped += segment.rows
        if not change.coverage:
            return 0
        earlier = catalog.dropped()
        for file in catalog.files():
            if any(given < day.isoformat() for given in file.days):
                change.dropped[file.path] = max(day, earlier.get(file.path, day))
        runs = catalog.segments(*CREDENTIAL_KINDS)
        with Merger(index) as merger:
            change.passed_over = _by_file(merger.rows_by_source(given), catalog.stamps())
            change.add += merger.merge_credentials(runs, f"event_time >= date '{day}'")
            left = [s for s in catalog.segments() if s.name not in set(change.remove)]
            events: dict[date, list[Segment]] = {}
            for segment in left:
                if segment.kind == "events" and segment.day is not None:
                    events.setdefault(segment.day, []).append(segment)
            told = [segment for segment in left if segment.kind in (CALLS, CREDENTIAL_CALLS)]
            calls = find_same_calls(merger, told, [], events, set(change.coverage))
            change.add += calls.add
            change.remove += [segment.name for segment in calls.remove]
            # A week that loses some of its days, and days whose records count otherwise now.
            recounted = {one for one in change.coverage if straddling and one >= monday_of(day)}
            for monday, of_week in groupby(
                sorted(recounted | (calls.days & events.keys())), monday_of
            ):
                old = [s for s in left if s.kind in (ROLLUP, KEYS) and s.day == monday]
                changed = {one: events.get(one, []) for one in of_week}
                rollup, coverage = merger.roll_up(monday, changed, old, calls.now.get(monday, ()))
                change.add += rollup
                change.coverage |= coverage
                change.remove += [segment.name for segment in old]
        change.remove += [run.name for run in runs]
        publish(catalog, change)
        return dropped


def _by_file(rows: Mapping[str, int], files: Collection[str]) -> dict[str, int]:
    """Rows by the file on disk that they are from, of rows by file or archive member."""
    found: dict[str, int] = {}
    for source_file, count in rows.items():
        path = source_file
        while path not in files and "!/" in path:
            path = path.rpartition("!/")[0]
        found[path] = found.get(path, 0) + count
    return found


def compact(index_dir: str | os.PathLike[str]) -> tuple[int, int]:
    """(segments before, after): the events of each day merged into one run, and the credentials."""
    index = Path(index_dir).resolve()
    with (
        disk_errors(index),
        Catalog(index) as catalog,
        write_lock(index),
        nothing_unpublished(catalog),
    ):
        catalog.check_schema()
        sweep(catalog)
        before = catalog.totals()["segments"]
        by_day: dict[date, list[Segment]] = {}
        for segment in catalog.segments("events"):
            if segment.day is not None:
                by_day.setdefault(segment.day, []).append(segment)
        for day in sorted(day for day, of_day in by_day.items() if _wants_merging(of_day)):
            change = Publication()
            with Merger(index) as merger:
                settle_days(catalog, merger, change, [], frozenset(), {day}, whole=True)
            publish(catalog, change)
        runs = catalog.segments(*CREDENTIAL_KINDS)
        if _wants_merging([run for run in runs if run.kind == CREDENTIAL_KINDS[0]]):
            change = Publication(remove=[segment.name for segment in runs])
            with Merger(index) as merger:
                change.add += merger.merge_credentials(runs)
            publish(catalog, change)
        return before, catalog.totals()["segments"]


def _wants_merging(segments: Sequence[Segment]) -> bool:
    """Whether they are several runs, or of before segments had ranges and few rows."""
    return len(runs_of(segments)) > 1 or any(s.range is None for s in segments)


def migrate(
    index_dir: str | os.PathLike[str],
    *,
    progress: Callable[[Progress], None] | None = None,
    force: bool = False,
) -> BuildSummary | None:
    """The build that read every source again under this schema; None where nothing had to be.

    Objects in S3 are fetched again. The old index stays in use until the new one is whole, and is
    then kept beside it as `….schema-N`. Refuses when sources are gone, since their events would be
    too; those that were dropped entirely are neither read nor missed.
    """
    index = Path(index_dir).resolve()
    with disk_errors(index), Catalog(index) as catalog, write_lock(index):
        old = catalog.schema_version()
        if old == SCHEMA_VERSION and catalog.without_digest() == (0, 0) and not force:
            return None
        files = [file for file in catalog.files() if file.size >= 0]
        dropped = catalog.dropped()
        version = catalog.version()
        buckets = catalog.buckets()
    sources = [file.path for file in files]
    unread = {
        # All of its events were dropped, so all of it is passed over.
        file.path: msgspec.structs.replace(
            file, records=(left := file.records - file.rejected), rejected=0, passed_over=left
        )
        for file in files
        if file.path in dropped and file.days and max(file.days) < dropped[file.path].isoformat()
    }
    objects = [
        Listed(file.path, file.size, file.mtime_ns, file.etag)
        for file in files
        if is_address(file.path) and file.path not in unread
    ]
    gone = [
        path
        for path in sources
        if path not in unread and not is_address(path) and not Path(path).is_file()
    ]
    if gone and not force:
        raise SourceUnreadable(
            f"{len(gone):,} of {counted(len(sources), 'source file')} are not there any"
            f" more (first: "
            f"{gone[0]}). Put them back, or run with --force to go on without their events."
        )
    fresh = index.with_name(index.name + ".migrating")
    shutil.rmtree(fresh, ignore_errors=True)
    left_out = {*gone, *unread}
    try:
        with disk_errors(fresh), Catalog(fresh, create=True) as catalog:
            catalog.continue_from(version)
            known = Publication(files=list(unread.values()), dropped=dropped, buckets=buckets)
            catalog.publish(known, time.time())
        built = add(
            [path for path in sources if path not in left_out and not is_address(path)],
            fresh,
            progress=progress,
            known=objects,
            all_or_none=not force,
        )
    except BacktrailError:
        shutil.rmtree(fresh, ignore_errors=True)  # half an index is of no use, and takes room
        raise
    if built.interrupted:
        raise IndexUnreadable(
            f"The migration was interrupted; {index} is as it was. Run it again to start over."
        )
    kept = _free_name(f"{index}.schema-{old}-{int(time.time())}")
    with disk_errors(index), Catalog(index) as catalog, write_lock(index):
        if [file.path for file in catalog.files() if file.size >= 0] != sources:
            raise IndexBusy(f"Another build changed {index} meanwhile. Run the migration again.")
        index.rename(kept)
        fresh.rename(index)
    return built


def _free_name(wanted: str) -> Path:
    """The path, or the first of `…-2`, `…-3` where nothing stands: two may be of one second."""
    path, number = Path(wanted), 1
    while path.exists():
        number += 1
        path = Path(f"{wanted}-{number}")
    return path
