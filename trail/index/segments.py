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
from itertools import chain, count, islice, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trail.calls import CALLS_SCHEMA, with_calls
from trail.digests import damaged, of_segment
from trail.errors import IndexUnreadable
from trail.events import (
    CREDENTIAL_EVENTS,
    DAILY_SCHEMA,
    EVENT_SCHEMA,
    KEYS_SCHEMA,
    ROLLUP_IDS,
    SCHEMA_VERSION,
    SIGN_IN_SOURCES,
)
from trail.index.catalog import (
    CREDENTIAL_KINDS,
    SEGMENTS,
    SORTED_BY,
    DayCoverage,
    KeyRange,
    Segment,
    runs_of,
)
from trail.read.columns import DICTIONARY_COLUMNS, only_used

ROW_GROUP = 8_192
"""An identity's rows of a day are few: a small group spares decoding its neighbours'."""
_SMALL_ROW_GROUP = 2_048
"""That of rollup and credentials, of which a look-up wants fewer rows still."""
_ROW_GROUPS = 32
"""The most that a segment has of them: DuckDB looks at each, 20 µs long, before it reads any. What
is larger becomes several segments with a range of keys each, of which a look-up needs one."""
_SMALL_ROW_GROUPS = 8
"""The most of the small ones: the look-ups in rollup and credentials are many."""
_AT_ONCE = 32_768
_COUNTED_AT_ONCE = 500_000
"""Events whose groups are counted at once: the ids of the newest of each cannot wait on disk."""
_SORTED_AT_ONCE = 65_536
"""Events, whole as they are, that are put in order at once."""
MERGE_MEMORY = "500MB"
ROLLUP = "daily"
"""One segment per ISO week, since a query plans for as long per file as it takes to read one."""
CALLS = "calls"
"""Beside each rollup: which records do not count by themselves (`trail.calls`)."""
CREDENTIAL_CALLS = "credential_calls"
"""Those of them that are credential events, once more: look-ups among these are many."""
KEYS = "keys"
"""Beside each rollup, whose rows do not tell access keys apart: who used which, on which day."""
WEEKLY = (ROLLUP, KEYS, CALLS, CREDENTIAL_CALLS)
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
_WEIGHTY = frozenset({*_JSON, "event_id", "request_id", "source_file", "source_ordinal"})
"""Columns worth zstd: the long ones, and those of the source, which no question asks for. The
others are numbers of dictionary entries: snappy writes a segment in a fifth less time, and makes it
7 % larger."""
_UNSORTED = frozenset(
    {*_JSON, "event_id", "request_id", "error_message", "user_agent", "shared_event_id"}
    # `original_event_id` has statistics: that a row group has none at all is worth knowing.
)
"""Columns whose least and greatest value rule out no row group."""
_ACCESS_KEYS = 8_192
"""Distinct access keys of a row group that its bloom filter has room for."""


class Run:
    """Names for segments whose rows are sorted together, one after the other."""

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex
        self._numbers = count()

    def name(self, kind: str, day: date | None) -> str:
        """A name that no segment had before; it says kind, day and schema version."""
        folder = "all-days"
        if day is not None:
            folder = f"week-{day}" if kind in WEEKLY else f"day={day}"
        number = next(self._numbers)
        nth = f"-{number:05}" if number else ""
        return f"{SEGMENTS}/{folder}/v{SCHEMA_VERSION}-{kind}-{self._id}{nth}.parquet"


def _row_group(kind: str) -> int:
    return _SMALL_ROW_GROUP if _is_small(kind) else ROW_GROUP


def _row_groups(kind: str) -> int:
    return _SMALL_ROW_GROUPS if _is_small(kind) else _ROW_GROUPS


def _is_small(kind: str) -> bool:
    return kind in WEEKLY or kind in CREDENTIAL_KINDS


def write_run(
    index_dir: Path,
    kind: str,
    day: date | None,
    groups: Iterable[pa.Table],
    run: Run | None = None,
) -> list[Segment]:
    """Synced segments of rows that come in order, a row group at a time; none of no rows."""
    run = run or Run()
    made: list[Segment] = []
    name = ""
    coming = iter(groups)
    try:
        while (first := next(coming, None)) is not None:
            name = run.name(kind, day)
            made.append(_segment(index_dir, name, kind, day, chain([first], coming)))
    except BaseException:
        for left in (name, *(segment.name for segment in made)):
            if left:
                (index_dir / left).unlink(missing_ok=True)
        raise
    return made


def in_groups(table: pa.Table, kind: str) -> Iterator[pa.Table]:
    """A table's rows as row groups of a segment, each with the dictionaries that it needs."""
    rows = _row_group(kind)
    return (only_used(table.slice(begin, rows)) for begin in range(0, len(table), rows))


def _segment(
    index_dir: Path, name: str, kind: str, day: date | None, groups: Iterator[pa.Table]
) -> Segment:
    """A segment of as many of the groups as one may have."""
    path = index_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    told = Told(kind)
    first = next(groups)
    with path.open("wb") as file:
        with _writer(file, kind, len(first), first.schema) as writer:
            for group in chain([first], islice(groups, _row_groups(kind) - 1)):
                writer.write_table(group, len(group))
                told.add(group)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    sha256, crc = of_segment(path) if kind != MINTED else (b"", None)
    return Segment(
        name, kind, day, told.rows, size, told.first, told.last, range=told.range(),
        sha256=sha256, crc=crc,
    )  # fmt: skip


class Told:
    """What the catalog says of the rows of a segment."""

    def __init__(self, kind: str) -> None:
        self._key = SORTED_BY.get(kind)
        self._time = _time_column(kind)
        self.rows = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self._keys: list[str] = []
        self._nulls = False

    def add(self, group: pa.Table) -> None:
        self.rows += len(group)
        if self._time is not None:
            times = pc.min_max(group[self._time])
        if self._time is not None and times["min"].is_valid:
            first, last = _utc(times["min"].as_py()), _utc(times["max"].as_py())
            self.first = first if self.first is None else min(first, self.first)
            self.last = last if self.last is None else max(last, self.last)
        if self._key is not None:
            self._nulls = self._nulls or group[self._key].null_count > 0
            for chunk in group[self._key].chunks:
                values = chunk
                if isinstance(chunk, pa.DictionaryArray):
                    values = chunk.dictionary.take(pc.drop_null(chunk.indices.unique()))
                bounds = pc.min_max(values)
                if bounds["min"].is_valid:
                    self._keys += [bounds["min"].as_py(), bounds["max"].as_py()]

    def range(self) -> KeyRange | None:
        if self._key is None:
            return None
        return KeyRange(min(self._keys, default=None), max(self._keys, default=None), self._nulls)


def _time_column(kind: str) -> str | None:
    if kind == ROLLUP:
        return "first"
    return None if kind in WEEKLY else "event_time"


def _writer(file: Any, kind: str, rows: int, schema: pa.Schema) -> pq.ParquetWriter:
    """How a segment is encoded, whoever writes it.

    Event ids and access keys are looked up without knowing the identity that rows are sorted by:
    their bloom filters (about a byte an event) spare reading every row group.
    """
    if kind in WEEKLY:
        return pq.ParquetWriter(
            file, schema, compression="zstd", compression_level=1, store_schema=False
        )
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


def tier(segments: Iterable[Segment], most: int = 4) -> list[Segment]:
    """The segments of the runs worth merging: some small ones, so that rows move few times in all,
    and none where there are few.
    """
    runs = [(sum(s.rows for s in of_run), of_run) for of_run in runs_of(segments).values()]
    chosen: list[list[Segment]] = []
    total = 0
    for rows, of_run in sorted(runs, key=lambda run: run[0]):
        if chosen and rows > 2 * total:
            break
        chosen.append(of_run)
        total += rows
    return [segment for of_run in chosen for segment in of_run] if len(chosen) > most else []


CREDENTIAL_ORDERS = dict(
    zip(
        CREDENTIAL_KINDS,
        (
            "minted_access_key_id nulls last, event_time",
            "minted_principal_id nulls last, target_role_arn, event_time",
            "identity_id nulls last, event_time",
        ),
        strict=True,
    )
)


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
    """The select that makes the `daily` rows of a relation of events `with_calls`."""
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


def is_credential() -> str:
    """The condition that an event belongs to the credentials."""
    pairs = ", ".join(f"('{source}', '{name}')" for source, name in sorted(CREDENTIAL_EVENTS))
    names = ", ".join(sorted({f"'{name}'" for _, name in CREDENTIAL_EVENTS}))
    signing_in = ", ".join(f"'{source}'" for source in sorted(SIGN_IN_SOURCES))
    return (
        f"(minted_access_key_id is not null or event_source in ({signing_in})"
        # The name alone first: comparing pairs costs ten times as much.
        f" or (event_name in ({names}) and (event_source, event_name) in ({pairs})))"
    )


def keys_of(events: str) -> str:
    """The select that makes the `keys` rows of a relation of events."""
    return (
        "select distinct cast(event_time as date) as day, access_key_id, identity_id"
        f" from {events} as e"
    )


class Merger:
    """One DuckDB connection that rewrites segments within a fixed memory."""

    def __init__(self, index_dir: Path) -> None:
        self._index_dir = index_dir
        # Only here, since the reading processes write segments and need no DuckDB.
        import duckdb

        spill = index_dir / "tmp"
        spill.mkdir(mode=0o700, exist_ok=True)
        self.db = duckdb.connect(
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
        self._written: list[Path] = []
        self.db.execute("set timezone = 'UTC'")

    def use_threads(self, count: int) -> None:
        """How many each statement may use. One is best where several run `beside` each other: two
        for one statement take a third more time in all."""
        self.db.execute(f"set threads = {count}")

    @contextmanager
    def beside(self) -> Iterator[Merger]:
        """Another connection to the same database and its memory, for another thread."""
        other = copy(self)
        other.db = self.db.cursor()
        other._written = []
        self._besides.append(other.db)
        try:
            other.db.execute("set timezone = 'UTC'")
            yield other
        except BaseException:
            for path in other._written:
                path.unlink(missing_ok=True)
            raise
        finally:
            self._besides.remove(other.db)
            other.db.close()

    def interrupt(self) -> None:
        """Ends the statements that run `beside`: each raises where it was asked."""
        for db in list(self._besides):
            db.interrupt()

    def close(self) -> None:
        self.db.close()
        for left in (self._index_dir / "tmp").glob("*"):
            with suppress(OSError):
                left.unlink()

    def __enter__(self) -> Merger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def days_with_repeats(self, days: Mapping[date, Sequence[Segment]]) -> set[date]:
        """Days of which two rows seem to share a key (a hash may collide: never the reverse).

        No run holds a key twice.
        """
        found: set[date] = set()
        for lot in _lots(of_day for of_day in days.values() if len(runs_of(of_day)) > 1):
            rows = self.db.execute(
                "select distinct day from ("
                "  select cast(event_time as date) as day from read_parquet($paths)"
                "  group by cast(event_time as date), hash(event_id, recipient_account_id)"
                "  having count(*) > 1)",
                {"paths": self._sound_paths(lot)},
            ).fetchall()
            found.update(day for (day,) in rows)
        return found

    def rows_by_source(self, segments: Sequence[Segment]) -> dict[str, int]:
        """How many rows of events or copies segments each source file gave."""
        found: dict[str, int] = {}
        for lot in _lots([segment] for segment in segments):
            rows = self.db.execute(
                f"select source_file, count(*) from {self.relation(lot)} group by 1"
            )
            for source_file, given in rows.fetchall():
                found[source_file] = found.get(source_file, 0) + given
        return found

    def count_gone(self, before: Sequence[Segment], after: Sequence[Segment]) -> int:
        """How many events of a day are in none of its new segments."""
        was, now = (
            [segment for segment in some if segment.kind == "events"] for some in (before, after)
        )
        if not was:
            return 0
        if not now:
            return sum(segment.rows for segment in was)
        # By their hash, which takes a quarter of the time; both have each key once.
        keys = "select hash(event_id, recipient_account_id, event_name) as key"
        (stayed,) = self.db.execute(
            f"select count(*) from ({keys} from {self.relation(was)})"
            f" semi join ({keys} from {self.relation(now)}) using (key)"
        ).fetchall()[0]
        return sum(segment.rows for segment in was) - int(stayed)

    def rewrite_day(self, inputs: DayInputs) -> list[Segment]:
        """New events and copies segments in place of `inputs.rewritten`, each key once."""
        db = self.db
        db.execute("create or replace temp table gone (path varchar)")
        if inputs.gone:
            db.executemany("insert into gone values (?)", [(path,) for path in inputs.gone])
        rows = self._ranked(inputs)
        db.execute(
            "create or replace temp table losers as select source_file, source_ordinal from ("
            "  select source_file, source_ordinal, row_number() over ("
            "    partition by event_id, recipient_account_id, event_name"
            "    order by rank, source_file, source_ordinal) as nth"
            f"  from ({rows})) where nth > 1"
        )
        ranges = self._ranges(inputs.rewritten, "events", _SORTED_AT_ONCE)
        ordered = "order by identity_id nulls last, event_time, source_file, source_ordinal"
        with_losers = "exists (from losers l where l.source_file = r.source_file"
        with_losers += " and l.source_ordinal = r.source_ordinal)"
        made: list[Segment] = []
        for kind, condition in (("events", f"not {with_losers}"), ("copies", with_losers)):
            selects = (
                f"select {_COLUMNS} from ({self._ranked(inputs, rewritten_in=some)}) r"
                f" where {condition} {ordered}"
                for some in ranges
                if any(map(some.may_be_in, inputs.rewritten))
            )
            try:
                made += self._stream(selects, kind, inputs.day)
            except BaseException:
                for path in self._paths(made):
                    Path(path).unlink(missing_ok=True)
                raise
        return made

    def _stream(
        self, selects: Iterable[str], kind: str, day: date | None, run: Run | None = None
    ) -> list[Segment]:
        """The rows found, in their order, as a run of segments."""
        rows = _row_group(kind)
        schema = _WEEKLY_SCHEMAS.get(kind, EVENT_SCHEMA)
        batches = chain.from_iterable(
            self.db.sql(select).to_arrow_reader(rows) for select in selects
        )
        groups = (table.cast(schema) for table in _tables(batches, rows))
        try:
            return write_run(self._index_dir, kind, day, groups, run)
        except OSError as error:
            if "Out of Memory Error" in str(error):  # DuckDB's, by way of Arrow
                import duckdb

                raise duckdb.OutOfMemoryException(str(error)) from error
            raise

    def _ranked(self, inputs: DayInputs, *, rewritten_in: _Range | None = None) -> str:
        parts = []
        lots = [inputs.kept, inputs.rewritten] if rewritten_in is None else [inputs.rewritten]
        for lot in lots:
            for segment in lot:
                if rewritten_in is not None and not rewritten_in.may_be_in(segment):
                    continue
                old = segment.name in inputs.old
                rank = 0 if lot is inputs.kept else (1 if old else 3) + (segment.kind == "copies")
                unwanted = ""
                if old and inputs.gone:
                    unwanted = (
                        " where not exists (from gone g where g.path = source_file"
                        " or starts_with(source_file, g.path || '!/'))"
                    )
                condition = "true" if rewritten_in is None else rewritten_in.condition
                relation = self.relation([segment], condition)
                parts.append(f"select *, {rank} as rank from {relation}{unwanted}")
        return " union all ".join(parts)

    def roll_up(
        self,
        monday: date,
        changed: Mapping[date, Sequence[Segment]],
        old: Sequence[Segment],
        calls: Sequence[Segment] = (),
    ) -> tuple[list[Segment], dict[date, list[DayCoverage]]]:
        """The rollup and the keys of a week, and the coverage of its changed days, counted anew
        from all of their events, of which the `calls` say what counts; the other days' rows come
        from the `old` rollup and keys.
        """
        told = self.relation(calls) if calls else None
        self.db.register("no_rows", DAILY_SCHEMA.empty_table())
        self.db.execute("create or replace temp table rolled as from no_rows")
        self.db.register("no_keys", KEYS_SCHEMA.empty_table())
        self.db.execute("create or replace temp table used as from no_keys")
        for lot in _lots(changed.values()):
            for some in self._ranges(lot, "events", _COUNTED_AT_ONCE):
                if held := [segment for segment in lot if some.may_be_in(segment)]:
                    relation = self.relation(held, some.condition)
                    counted = rollup_of(f"({with_calls(relation, told)})")
                    self.db.execute(f"insert into rolled {counted}")
                    self.db.execute(f"insert into used {keys_of(relation)}")
        gone = ", ".join(f"date '{day}'" for day in sorted(changed))
        made: list[Segment] = []
        for kind, counted, order in (
            (ROLLUP, "rolled", "identity_id nulls last, first"),
            (KEYS, "used", "access_key_id nulls last, day"),
        ):
            kept = ""
            if of_kind := [segment for segment in old if segment.kind == kind]:
                read = self.relation(of_kind)
                kept = f" union all select * from {read} where day not in ({gone})"
            select = f"from (select * from {counted}{kept}) order by {order}"
            made += self.copy(select, kind, monday, Run(), rows=self._count(counted))
        cells = self.db.execute(
            "select day, coalesce(recipient_account_id, ''), coalesce(aws_region, ''),"
            " sum(count)::bigint, min(first), max(last) from rolled group by all order by all"
        ).fetchall()
        self.db.execute("drop table rolled")
        self.db.execute("drop table used")
        coverage: dict[date, list[DayCoverage]] = {day: [] for day in changed}
        for day, account, region, events, first, last in cells:
            cell = DayCoverage(day, account, region, events, _utc(first), _utc(last))
            coverage[day].append(cell)
        return made, coverage

    def credentials(self, events: Sequence[Segment]) -> list[Segment]:
        """The credential events of `events`, in every order: one run."""
        if not events:
            return []
        self.db.execute(
            f"create or replace temp table minted as"
            f" select {_COLUMNS} from {self.relation(events)} where {is_credential()}"
        )
        run = Run()
        made = []
        rows = self._count("minted")
        for kind, order in CREDENTIAL_ORDERS.items():
            made += self.copy(f"from minted order by {order}", kind, None, run, rows=rows)
        self.db.execute("drop table minted")
        return made

    def merge_credentials(
        self, runs: Sequence[Segment], kept: str = "true", others: Sequence[Segment] = ()
    ) -> list[Segment]:
        """One run of the credentials of `runs` that meet a condition, and of all `others`.

        Each order is merged from the segments that are in it, a range of keys at a time, so that
        no more than a segment's rows are sorted at once.
        """
        run = Run()
        made: list[Segment] = []
        for kind, order in CREDENTIAL_ORDERS.items():
            parts = [
                (condition, [segment for segment in lot if segment.kind == kind])
                for condition, lot in ((kept, runs), ("true", others))
            ]
            for range_ in self._ranges([s for _, lot in parts for s in lot], kind):
                selects = [
                    f"select {_COLUMNS} from {self.relation(some)}"
                    f" where {condition} and {range_.condition}"
                    for condition, lot in parts
                    if (some := [segment for segment in lot if range_.may_be_in(segment)])
                ]
                if selects:
                    select = f"from ({' union all '.join(selects)}) order by {order}"
                    # A range may have some more rows than were aimed at: not worth another file.
                    made += self.copy(select, kind, None, run, row_groups=2 * _row_groups(kind))
        return made

    def _paths(self, segments: Iterable[Segment]) -> list[str]:
        return [str(self._index_dir / segment.name) for segment in segments]

    def _sound_paths(self, segments: Sequence[Segment]) -> list[str]:
        """Their paths. A damaged one is never read: what is made of it would look sound."""
        if (found := damaged(self._index_dir, segments)) is not None:
            raise IndexUnreadable(
                f"{found.name} is damaged: its bytes are not those that were written. Build the "
                f"index again from its sources: `python -m trail migrate --force --index "
                f"{self._index_dir}`."
            )
        return self._paths(segments)

    def relation(self, segments: Iterable[Segment], condition: str = "true") -> str:
        read = f"read_parquet([{', '.join(map(_quoted, self._sound_paths(list(segments))))}])"
        return read if condition == "true" else f"(select * from {read} where {condition})"

    def _ranges(
        self, segments: Sequence[Segment], kind: str, most: int | None = None
    ) -> list[_Range]:
        """Ranges of the column that a kind is sorted by, of which every row is in one, and few
        enough rows in each. Each is read from row groups of its own.
        """
        column = SORTED_BY[kind]
        most = most or _row_group(kind) * _row_groups(kind)
        if sum(segment.rows for segment in segments) <= most:
            return [_Range(column, every=True)]
        cuts: list[str] = []
        waiting = 0
        for least, rows in sorted(self._least_keys(segments, column)):
            if waiting + rows > most and (not cuts or least > cuts[-1]):
                cuts.append(least)
                waiting = 0
            waiting += rows
        if not cuts:
            return [_Range(column, every=True)]
        return [
            _Range(column, None, cuts[0]),
            *(_Range(column, low, high) for low, high in pairwise(cuts)),
            _Range(column, cuts[-1], None),
            _Range(column),
        ]

    def _least_keys(self, segments: Sequence[Segment], column: str) -> Iterator[tuple[str, int]]:
        """The least key of each row group that has any, and its rows."""
        for path in self._paths(segments):
            metadata = pq.read_metadata(path)
            position = metadata.schema.names.index(column)
            for number in range(metadata.num_row_groups):
                group = metadata.row_group(number)
                known = group.column(position).statistics
                if known is not None and known.has_min_max:
                    yield known.min, group.num_rows

    def _count(self, table: str) -> int:
        # All of it is fetched: an answer that waits keeps the connection from anything else.
        ((count,),) = self.db.execute(f"select count(*) from {table}").fetchall()
        return int(count)

    def copy(
        self,
        select: str,
        kind: str,
        day: date | None,
        run: Run,
        *,
        rows: int = 0,
        row_groups: int | None = None,
    ) -> list[Segment]:
        """The ordered rows found, as segments of a run: one, unless it had more row groups. There
        are known to be so many `rows` at least; DuckDB's own files are smaller, but one that has
        to be cut up is written twice."""
        if rows > _row_group(kind) * (row_groups or _row_groups(kind)):
            made = self._stream([select], kind, day, run)
            self._written += [self._index_dir / segment.name for segment in made]
            return made
        name = run.name(kind, day)
        path = self._index_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._written.append(path)
        self.db.execute(
            f"copy ({select}) to {_quoted(str(path))} (format parquet, compression zstd,"
            f" compression_level 1, row_group_size {_row_group(kind)})"
        )
        file = pq.ParquetFile(path)
        told = file.metadata
        if told.num_rows == 0:
            path.unlink()
            return []
        if told.num_row_groups > (row_groups or _row_groups(kind)):
            made = write_run(self._index_dir, kind, day, _groups_of(file, kind), run)
            self._written += [self._index_dir / segment.name for segment in made]
            path.unlink()
            return made
        with path.open("rb") as written:
            os.fsync(written.fileno())
            size = os.fstat(written.fileno()).st_size
        sha256, crc = of_segment(path)
        time = _time_column(kind)
        first, last = (_bounds(told, time) if time is not None else None) or (None, None)
        return [
            Segment(
                name,
                kind,
                day,
                told.num_rows,
                size,
                _utc(first) if first else None,
                _utc(last) if last else None,
                range=_key_range(told, SORTED_BY[kind]),
                sha256=sha256,
                crc=crc,
            )
        ]


@dataclass(frozen=True)
class _Range:
    """Some values of a column: from `low` on, below `high`; with neither, those that are null."""

    column: str
    low: str | None = None
    high: str | None = None
    every: bool = False

    @property
    def condition(self) -> str:
        if self.every:
            return "true"
        parts = []
        if self.low is not None:
            parts.append(f"{self.column} >= {_quoted(self.low)}")
        if self.high is not None:
            parts.append(f"{self.column} < {_quoted(self.high)}")
        return " and ".join(parts) or f"{self.column} is null"

    def may_be_in(self, segment: Segment) -> bool:
        held = segment.range
        if self.every or held is None:
            return True
        if self.low is None and self.high is None:
            return held.nulls
        if held.low is None or held.high is None:
            return False
        return (self.high is None or held.low < self.high) and (
            self.low is None or held.high >= self.low
        )


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


_WEEKLY_SCHEMAS = {
    ROLLUP: DAILY_SCHEMA,
    KEYS: KEYS_SCHEMA,
    CALLS: CALLS_SCHEMA,
    CREDENTIAL_CALLS: CALLS_SCHEMA,
}


def _groups_of(file: pq.ParquetFile, kind: str) -> Iterator[pa.Table]:
    schema = _WEEKLY_SCHEMAS.get(kind, EVENT_SCHEMA)
    for number in range(file.num_row_groups):
        yield file.read_row_group(number).cast(schema)


def _tables(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """The rows of the batches, at least so many at a time."""
    lot: list[pa.RecordBatch] = []
    waiting = 0
    for batch in batches:
        lot.append(batch)
        waiting += len(batch)
        if waiting >= rows:
            yield pa.Table.from_batches(lot)
            lot, waiting = [], 0
    if waiting:
        yield pa.Table.from_batches(lot)


def _bounds(metadata: pq.FileMetaData, column: str) -> tuple[Any, Any] | None:
    """The least and greatest value of a column (None: no row has one), from a footer; None where
    that does not say.
    """
    position = metadata.schema.names.index(column)
    found: list[Any] = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        known = group.column(position).statistics
        if known is not None and known.has_min_max:
            found += [known.min, known.max]
        elif known is None or known.null_count != group.num_rows:
            return None
    return min(found, default=None), max(found, default=None)


def _key_range(metadata: pq.FileMetaData, column: str) -> KeyRange | None:
    position = metadata.schema.names.index(column)
    bounds = _bounds(metadata, column)
    if bounds is None:
        return None
    known = [metadata.row_group(n).column(position) for n in range(metadata.num_row_groups)]
    return KeyRange(*bounds, any(one.statistics.null_count for one in known))


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
