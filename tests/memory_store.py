"""A `Store` over literal records: real DuckDB and the real row rules, nothing on disk."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from trail.errors import SourceUnreadable
from trail.events import EVENT_SCHEMA, event_row, is_credential_event
from trail.index.catalog import DayCoverage
from trail.index.segments import rollup_of
from trail.store import Coverage, IndexSummary, Query, QueryResult
from trail.store.reread import RawRecord


class MemoryStore:
    """Answers like an index of exactly the given records, each (event, account, day) once."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        repeats: list[dict[str, Any]] = []
        self._raw: dict[str, str] = {}
        for ordinal, record in enumerate(records):
            row = event_row(record) | {"source_file": "literal.json", "source_ordinal": ordinal}
            day = row["event_time"].date()
            key = (row["event_id"], row["recipient_account_id"], row["event_name"], day)
            if rows.setdefault(key, row) is not row:
                repeats.append(row)
            self._raw[row["event_id"]] = json.dumps(record)
        self._rows = list(rows.values())
        say_what_counts(self._rows)
        self._connection = duckdb.connect(config={"threads": 1})
        for name, members in {
            "events": self._rows,
            "credentials": [
                row for row in self._rows if is_credential_event(row) and row["replaced"] is None
            ],
            "repeats": repeats,
        }.items():
            naive = [
                {k: v.replace(tzinfo=None) if isinstance(v, datetime) else v for k, v in r.items()}
                for r in members
            ]
            table = pa.Table.from_pylist(naive, schema=_SCHEMA)
            self._connection.register("arriving", table)
            self._connection.execute(f"create table {name} as select * from arriving")
            self._connection.unregister("arriving")
        self._connection.execute("create view edges as select * from events")
        self._connection.execute(f"create table daily as {rollup_of('events')}")

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        first: datetime | None = None,
        last: datetime | None = None,
    ) -> QueryResult:
        started = time.perf_counter()
        bound = {name: _naive(value) for name, value in (parameters or {}).items()}
        cursor = self._connection.cursor()
        cursor.execute(sql, bound)
        names = [column[0] for column in cursor.description or []]
        rows = [
            {name: _aware(value) for name, value in zip(names, row, strict=True)}
            for row in cursor.fetchall()
        ]
        elapsed = (time.perf_counter() - started) * 1000
        return QueryResult(rows, Query(sql, parameters or {}, elapsed, len(rows)))

    def coverage(
        self, account_ids: Collection[str] | None, first: datetime, last: datetime
    ) -> Coverage:
        wanted = [
            row["event_time"].date()
            for row in self._rows
            if account_ids is None or row["recipient_account_id"] in account_ids
        ]
        window = [
            first.date() + timedelta(days=n) for n in range((last.date() - first.date()).days + 1)
        ]
        days = tuple(day for day in window if day in set(wanted))
        missing = tuple(day for day in window if day not in set(wanted))
        return Coverage(first, last, days, missing, sum(day in days for day in wanted))

    def days_of(self, account_id: str | None, first: datetime, last: datetime) -> list[DayCoverage]:
        times: dict[tuple[Any, ...], list[datetime]] = {}
        for row in self._rows:
            account = row["recipient_account_id"] or ""
            day = row["event_time"].date()
            if account_id in (None, account) and first.date() <= day <= last.date():
                cell = (day, account, row["aws_region"] or "")
                times.setdefault(cell, []).append(row["event_time"])
        return [DayCoverage(*cell, len(of), min(of), max(of)) for cell, of in times.items()]

    def summary(self) -> IndexSummary:
        times = [row["event_time"] for row in self._rows]
        return IndexSummary(
            min(times, default=None),
            max(times, default=None),
            len(times),
            tuple(sorted({r["recipient_account_id"] for r in self._rows} - {None})),
            tuple(sorted({r["aws_region"] for r in self._rows} - {None})),
        )

    def version(self) -> str:
        return str(id(self))

    def raw_records(self, event_ids: Sequence[str]) -> dict[str, str]:
        return {i: self._raw[i] for i in event_ids if i in self._raw}

    def read_again(self, event_ids: Sequence[str]) -> dict[str, RawRecord | SourceUnreadable]:
        return {
            i: RawRecord(text, "memory", 0, 0, "", "columns")
            for i, text in self.raw_records(event_ids).items()
        }


_SCHEMA = pa.schema(
    [*EVENT_SCHEMA, *((name, pa.string()) for name in ("call_id", "replaced", "replaced_by"))]
)


def say_what_counts(rows: Sequence[dict[str, Any]]) -> None:
    """The three columns of `trail.calls`, by its rules as they read, and none of its code."""
    by_id: dict[Any, list[dict[str, Any]]] = {}
    by_request: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        shared = row["shared_event_id"]
        masked = shared is None or "*" in shared or shared.upper() in ("REDACTED", "MASKED", "NULL")
        row |= {"call_id": None if masked else shared, "replaced": None, "replaced_by": None}
        by_id.setdefault((row["event_id"], row["recipient_account_id"]), []).append(row)
        if row["event_category"] != "NetworkActivity":
            by_request.setdefault(_request(row), []).append(row)
    for row in rows:
        twins = [
            twin
            for twin in by_request.get(_request(row), [])
            if abs((twin["event_time"].date() - row["event_time"].date()).days) <= 1
        ]
        if row["event_category"] == "NetworkActivity" and None not in _request(row) and twins:
            row["replaced"] = "network activity"
            row["replaced_by"] = min(twin["event_id"] for twin in twins)
    corrections: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        if row["original_event_id"] not in (None, row["event_id"]):
            original = (row["original_event_id"], row["recipient_account_id"])
            corrections.setdefault(original, []).append(row)
    for original, named_by in corrections.items():
        *earlier, last = sorted(named_by, key=lambda row: (row["event_time"], row["event_id"]))
        corrected = by_id.get(original, [])
        for one in named_by:
            for row in corrected:
                one["call_id"] = one["call_id"] or row["call_id"]
        apart = [one for one in earlier if (one["event_id"], original[1]) not in corrections]
        for row in (*corrected, *(one for one in apart if one["event_id"] != last["event_id"])):
            row["replaced"], row["replaced_by"] = "corrected", last["event_id"]
    for (event_id, account), copies in by_id.items():
        named = Counter(row["event_name"] for row in copies)
        for row in copies:
            if named[row["event_name"]] > 1:
                row["call_id"] = row["call_id"] or f"{event_id} {account or ''}"


def _request(row: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("recipient_account_id", "request_id", "event_source", "event_name")
    return tuple(row[name] for name in names)


def _naive(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _aware(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return [_aware(item) for item in value] if isinstance(value, list) else value
