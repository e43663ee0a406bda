"""Parquet segments: how they are written, merged, rolled up, and kept free of repeats.

A segment is never changed. Whatever has to change is written anew under another name, and the
catalog then names the new file instead of the old one.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trail.catalog import CREDENTIAL_KINDS, SEGMENTS, DayCoverage, Segment
from trail.columns import DICTIONARY_COLUMNS, only_used
from trail.events import (
    CREDENTIAL_EVENTS,
    DAILY_SCHEMA,
    EVENT_SCHEMA,
    ROLLUP_IDS,
    SCHEMA_VERSION,
    SIGN_IN_SOURCES,
)

ROW_GROUP = 8_192
"""An identity's rows of a day are few: a small group spares decoding its neighbours'."""
_SMALL_ROW_GROUP = 2_048
"""That of rollup and credentials, of which a look-up wants fewer rows still."""
_AT_ONCE = 32_768
_COUNTED_AT_ONCE = 500_000
"""Events whose groups are counted at once: the ids of the newest of each cannot wait on disk."""
MERGE_MEMORY = "600MB"
ROLLUP = "daily"
"""One segment per ISO week, since a query plans for as long per file as it takes to read one."""
MINTED = "minted"
"""Rows that one reading found to be credentials, perhaps; never published, only read from."""
_COLUMNS = ", ".join(EVENT_SCHEMA.names)
_JSON = (
    "user_identity",
    "request_parameters",
    "response_elements",
    "additional_event_data",
    "service_event_details",
    "resources",
)
_WEIGHTY = frozenset({*_JSON, "event_id", "request_id"})
"""Columns worth zstd. The others are numbers of dictionary entries: snappy writes a segment in a
fifth less time, and makes it 7 % larger."""
_UNSORTED = frozenset(
    {*_JSON, "event_id", "request_id", "error_message", "user_agent", "shared_event_id"}
)
"""Columns whose least and greatest value rule out no row group."""
_ACCESS_KEYS = 8_192
"""Distinct access keys of a row group that its bloom filter has room for."""


def new_name(kind: str, day: date | None) -> str:
    """A segment name that was never used, and says its kind, day and schema version."""
    folder = "all-days"
    if day is not None:
        folder = f"week-{day}" if kind == ROLLUP else f"day={day}"
    return f"{SEGMENTS}/{folder}/v{SCHEMA_VERSION}-{kind}-{uuid.uuid4().hex}.parquet"


def write_segment(index_dir: Path, kind: str, day: date | None, table: pa.Table) -> Segment:
    """A synced events (or copies, or minted) segment of rows that are in order already."""
    name = new_name(kind, day)
    path = index_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        with _events_writer(file, kind, len(table), table.schema) as writer:
            for begin in range(0, len(table), ROW_GROUP):
                writer.write_table(only_used(table.slice(begin, ROW_GROUP)), ROW_GROUP)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    times = table["event_time"]
    bounds = pa.compute.min_max(times)
    return Segment(
        name,
        kind,
        day,
        len(table),
        size,
        bounds["min"].as_py().replace(tzinfo=UTC),
        bounds["max"].as_py().replace(tzinfo=UTC),
    )


def _events_writer(file: Any, kind: str, rows: int, schema: pa.Schema) -> pq.ParquetWriter:
    """How every events and copies segment is encoded, whoever writes it.

    Event ids and access keys are looked up without knowing the identity that rows are sorted by:
    their bloom filters (about a byte an event) spare reading every row group.
    """
    ids = max(1, min(rows, ROW_GROUP))
    weighty = frozenset[str]() if kind == MINTED else _WEIGHTY  # read once, then removed
    return pq.ParquetWriter(
        file,
        schema,
        compression={name: "zstd" if name in weighty else "snappy" for name in schema.names},
        compression_level={name: 1 for name in schema.names if name in weighty},
        write_statistics=[name for name in schema.names if name not in _UNSORTED],
        use_dictionary=list(DICTIONARY_COLUMNS),
        dictionary_pagesize_limit=8 << 20,
        store_schema=False,
        bloom_filter_options={
            "event_id": {"ndv": ids, "fpp": 0.05},
            "access_key_id": {"ndv": min(ids, _ACCESS_KEYS), "fpp": 0.05},
        }
        if kind == "events"
        else None,
    )


def sync_folders(index_dir: Path, names: Iterable[str]) -> None:
    """Makes the segments' directory entries durable."""
    folders = {(index_dir / name).parent for name in names}
    for folder in folders | {index_dir / SEGMENTS, index_dir}:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def tier(segments: Sequence[Segment], most: int = 4) -> list[Segment]:
    """The segments worth merging: a run of small ones, so that rows move few times in all."""
    ordered = sorted(segments, key=lambda s: s.rows)
    chosen: list[Segment] = []
    total = 0
    for segment in ordered:
        if chosen and segment.rows > 2 * total:
            break
        chosen.append(segment)
        total += segment.rows
    return chosen if len(chosen) > most else []


@dataclass(frozen=True)
class DayInputs:
    """What a day's new segments are made of.

    `kept` stay as they are, and their rows win; `rewritten` are replaced by what comes out.
    `gone` are paths whose rows in `old` segments are not wanted any more.
    """

    day: date
    kept: Sequence[Segment]
    rewritten: Sequence[Segment]
    old: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


def rollup_of(events: str) -> str:
    """The select that makes the `daily` rows of a relation of events."""
    keys = DAILY_SCHEMA.names[1 : DAILY_SCHEMA.names.index("count")]
    hours = ", ".join(f"count_if(hour(event_time) = {hour})" for hour in range(24))
    made = {
        "count": "count(*)",
        "failed": "count_if(failed)",
        "first": "min(event_time)",
        "last": "max(event_time)",
        "error_message": "max(error_message)",
        "hours": f"cast([{hours}] as varchar)",
        "event_ids": f"max_by(event_id, row(event_time, event_id), {ROLLUP_IDS})",
    }
    columns = ", ".join(f"{made[n]} as {n}" if n in made else n for n in DAILY_SCHEMA.names[1:])
    return (
        f"select cast(event_time as date) as day, {columns} from {events} as e"
        f" group by cast(event_time as date), {', '.join(keys)}, e.failed"
    )


class Merger:
    """One DuckDB connection that rewrites segments within a fixed memory."""

    def __init__(self, index_dir: Path) -> None:
        self._index_dir = index_dir
        # Only here, since the reading processes write segments and need no DuckDB.
        import duckdb

        spill = index_dir / "tmp"
        spill.mkdir(exist_ok=True)
        self._db = duckdb.connect(
            config={
                "threads": 2,
                "memory_limit": MERGE_MEMORY,
                # Whatever is written is put in order; holding rows in the order they were read
                # in took more memory than there is, at 12 million credentials.
                "preserve_insertion_order": False,
                "temp_directory": str(spill),
            }
        )
        self._besides: list[duckdb.DuckDBPyConnection] = []
        self._db.execute("set timezone = 'UTC'")

    def use_threads(self, count: int) -> None:
        """How many each statement may use. One is best where several run `beside` each other: two
        for one statement take a third more time in all."""
        self._db.execute(f"set threads = {count}")

    @contextmanager
    def beside(self) -> Iterator[Merger]:
        """Another connection to the same database and its memory, for another thread."""
        other = copy(self)
        other._db = self._db.cursor()
        self._besides.append(other._db)
        try:
            other._db.execute("set timezone = 'UTC'")
            yield other
        finally:
            self._besides.remove(other._db)
            other._db.close()

    def interrupt(self) -> None:
        """Ends the statements that run `beside`: each raises where it was asked."""
        for db in list(self._besides):
            db.interrupt()

    def close(self) -> None:
        self._db.close()
        for left in (self._index_dir / "tmp").glob("*"):
            with suppress(OSError):
                left.unlink()

    def __enter__(self) -> Merger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def days_with_repeats(self, days: Mapping[date, Sequence[Segment]]) -> set[date]:
        """Days of which two rows seem to share a key (a hash may collide: never the reverse).

        No segment holds a key twice.
        """
        found: set[date] = set()
        for lot in _lots(of_day for of_day in days.values() if len(of_day) > 1):
            rows = self._db.execute(
                "select distinct day from ("
                "  select cast(event_time as date) as day from read_parquet($paths)"
                "  group by cast(event_time as date), hash(event_id, recipient_account_id)"
                "  having count(*) > 1)",
                {"paths": self._paths(lot)},
            ).fetchall()
            found.update(day for (day,) in rows)
        return found

    def rewrite_day(self, inputs: DayInputs) -> list[Segment]:
        """New events and copies segments in place of `inputs.rewritten`, each key once."""
        db = self._db
        db.execute("create or replace temp table gone (path varchar)")
        if inputs.gone:
            db.executemany("insert into gone values (?)", [(path,) for path in inputs.gone])
        rows = self._ranked(inputs)
        db.execute(
            "create or replace temp table losers as select source_file, source_ordinal from ("
            "  select source_file, source_ordinal, row_number() over ("
            "    partition by event_id, recipient_account_id"
            "    order by rank, source_file, source_ordinal) as nth"
            f"  from ({rows})) where nth > 1"
        )
        mine = self._ranked(inputs, rewritten_only=True)
        ordered = "order by identity_id nulls last, event_time, source_file, source_ordinal"
        with_losers = "exists (from losers l where l.source_file = r.source_file"
        with_losers += " and l.source_ordinal = r.source_ordinal)"
        made = []
        for kind, condition in (("events", f"not {with_losers}"), ("copies", with_losers)):
            segment = self._stream(
                f"select {_COLUMNS} from ({mine}) r where {condition} {ordered}",
                kind,
                inputs.day,
            )
            if segment is not None:
                made.append(segment)
        return made

    def _stream(self, select: str, kind: str, day: date) -> Segment | None:
        """The rows found, row group by row group, as an events or copies segment."""
        batches = self._db.sql(select).to_arrow_reader(ROW_GROUP)
        name = new_name(kind, day)
        path = self._index_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = 0
        with path.open("wb") as file:
            with _events_writer(file, kind, ROW_GROUP, EVENT_SCHEMA) as writer:
                group: list[pa.RecordBatch] = []
                waiting = 0
                for batch in batches:
                    group.append(batch)
                    waiting += len(batch)
                    if waiting >= ROW_GROUP:
                        writer.write_table(
                            pa.Table.from_batches(group).cast(EVENT_SCHEMA), ROW_GROUP
                        )
                        rows += waiting
                        group, waiting = [], 0
                if group:
                    writer.write_table(pa.Table.from_batches(group).cast(EVENT_SCHEMA), ROW_GROUP)
                    rows += waiting
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        if rows == 0:
            path.unlink()
            return None
        first, last = _time_bounds(path, "event_time")
        return Segment(name, kind, day, rows, size, first, last)

    def _ranked(self, inputs: DayInputs, *, rewritten_only: bool = False) -> str:
        parts = []
        lots = [inputs.rewritten] if rewritten_only else [inputs.kept, inputs.rewritten]
        for lot in lots:
            for segment in lot:
                old = segment.name in inputs.old
                rank = 0 if lot is inputs.kept else (1 if old else 3) + (segment.kind == "copies")
                unwanted = ""
                if old and inputs.gone:
                    unwanted = (
                        " where not exists (from gone g where g.path = source_file"
                        " or starts_with(source_file, g.path || '!/'))"
                    )
                parts.append(f"select *, {rank} as rank from {self._relation([segment])}{unwanted}")
        return " union all ".join(parts)

    def roll_up(
        self, monday: date, changed: Mapping[date, Sequence[Segment]], old: Sequence[Segment]
    ) -> tuple[Segment | None, dict[date, list[DayCoverage]]]:
        """The rollup of a week, and the coverage of its changed days, counted anew from all of
        their events; the other days' rows come from the `old` rollup.
        """
        self._db.register("no_rows", DAILY_SCHEMA.empty_table())
        self._db.execute("create or replace temp table rolled as from no_rows")
        for lot in _lots(changed.values()):
            for some in self._ranges(lot):
                self._db.execute(f"insert into rolled {rollup_of(self._relation(lot, some))}")
        kept = ""
        if old:
            gone = ", ".join(f"date '{day}'" for day in sorted(changed))
            kept = f" union all select * from {self._relation(old)} where day not in ({gone})"
        segment = self._copy(
            f"from (select * from rolled{kept}) order by identity_id nulls last, first",
            ROLLUP,
            monday,
        )
        cells = self._db.execute(
            "select day, coalesce(recipient_account_id, ''), coalesce(aws_region, ''),"
            " sum(count)::bigint, min(first), max(last) from rolled group by all order by all"
        ).fetchall()
        self._db.execute("drop table rolled")
        coverage: dict[date, list[DayCoverage]] = {day: [] for day in changed}
        for day, account, region, count, first, last in cells:
            coverage[day].append(DayCoverage(day, account, region, count, _utc(first), _utc(last)))
        return segment, coverage

    def credentials(
        self,
        events: Sequence[Segment],
        runs: Sequence[Segment] = (),
        without: Iterable[date] = (),
        before: date | None = None,
    ) -> list[Segment]:
        """The credential events of `events`, and of older runs but some days, in every order."""
        sources = []
        if events:
            pairs = ", ".join(
                f"('{source}', '{name}')" for source, name in sorted(CREDENTIAL_EVENTS)
            )
            names = ", ".join(sorted({f"'{name}'" for _, name in CREDENTIAL_EVENTS}))
            signing_in = ", ".join(f"'{source}'" for source in sorted(SIGN_IN_SOURCES))
            sources.append(
                f"select {_COLUMNS} from {self._relation(events)}"
                f" where minted_access_key_id is not null or event_source in ({signing_in})"
                # The name alone first: comparing pairs costs ten times as much.
                f" or (event_name in ({names}) and (event_source, event_name) in ({pairs}))"
            )
        if runs:
            days = ", ".join(f"date '{day}'" for day in sorted(without)) or "null"
            dropped = f" and event_time >= date '{before}'" if before is not None else ""
            sources.append(
                f"select {_COLUMNS} from {self._relation(runs)}"
                f" where coalesce(cast(event_time as date) not in ({days}), true){dropped}"
            )
        if not sources:
            return []
        self._db.execute("create or replace temp table minted as " + " union all ".join(sources))
        made = []
        orders = (
            "minted_access_key_id nulls last, event_time",
            "minted_principal_id nulls last, target_role_arn, event_time",
            "identity_id nulls last, event_time",
        )
        for kind, order in zip(CREDENTIAL_KINDS, orders, strict=True):
            segment = self._copy(f"from minted order by {order}", kind, None)
            if segment is not None:
                made.append(segment)
        self._db.execute("drop table minted")
        return made

    def _paths(self, segments: Sequence[Segment]) -> list[str]:
        return [str(self._index_dir / segment.name) for segment in segments]

    def _relation(self, segments: Sequence[Segment], condition: str | None = None) -> str:
        read = f"read_parquet([{', '.join(map(_quoted, self._paths(segments)))}])"
        return read if condition is None else f"(select * from {read} where {condition})"

    def _ranges(self, segments: Sequence[Segment]) -> list[str | None]:
        """Conditions on the identity, of which every event meets one, and few enough meet each.

        No group of events has two identities, and segments are sorted by them, so that each range
        is read from row groups of its own.
        """
        if sum(segment.rows for segment in segments) <= _COUNTED_AT_ONCE:
            return [None]
        cuts: list[str] = []
        waiting = 0
        for least, rows in sorted(self._least_identities(segments)):
            if waiting + rows > _COUNTED_AT_ONCE and (not cuts or least > cuts[-1]):
                cuts.append(least)
                waiting = 0
            waiting += rows
        if not cuts:
            return [None]
        at = [_quoted(cut) for cut in cuts]
        between = [f"identity_id >= {a} and identity_id < {b}" for a, b in pairwise(at)]
        return [f"identity_id < {at[0]}", *between, f"identity_id >= {at[-1]}",
                "identity_id is null"]  # fmt: skip

    def _least_identities(self, segments: Sequence[Segment]) -> Iterator[tuple[str, int]]:
        """The first identity of each row group that names any, and its rows."""
        for path in self._paths(segments):
            metadata = pq.read_metadata(path)
            column = metadata.schema.names.index("identity_id")
            for number in range(metadata.num_row_groups):
                group = metadata.row_group(number)
                known = group.column(column).statistics
                if known is not None and known.has_min_max:
                    yield known.min, group.num_rows

    def _copy(self, select: str, kind: str, day: date | None) -> Segment | None:
        name = new_name(kind, day)
        path = self._index_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        target = _quoted(str(path))
        counted = self._db.execute(
            f"copy ({select}) to {target} (format parquet, compression zstd,"
            f" compression_level 1, row_group_size {_SMALL_ROW_GROUP})"
        ).fetchone()
        rows = int(counted[0]) if counted is not None else 0
        if rows == 0:
            path.unlink()
            return None
        with path.open("rb") as file:
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        first, last = _time_bounds(path, "first" if kind == ROLLUP else "event_time")
        return Segment(name, kind, day, rows, size, first, last)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _lots(days: Iterable[Sequence[Segment]]) -> Iterator[list[Segment]]:
    """Days to go through at once: a large one alone, so that memory holds the groups of one; small
    ones together, since planning takes as long as counting some thousand events."""
    lot: list[Segment] = []
    for of_day in days:
        lot += of_day
        if sum(segment.rows for segment in lot) >= _AT_ONCE:
            yield lot
            lot = []
    if lot:
        yield lot


def _time_bounds(path: Path, column: str) -> tuple[datetime | None, datetime | None]:
    """The least and greatest time in a segment, from its footer."""
    metadata = pq.read_metadata(path)
    number = metadata.schema.names.index(column)
    found: list[Any] = [
        metadata.row_group(n).column(number).statistics for n in range(metadata.num_row_groups)
    ]
    if not found or any(s is None or not s.has_min_max for s in found):
        return None, None
    return _utc(min(s.min for s in found)), _utc(max(s.max for s in found))


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
