"""A `Store` over literal records: real DuckDB and the real row rules, nothing on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from trail.events import EVENT_SCHEMA, event_row, is_credential_event
from trail.segments import rollup_of
from trail.store import Coverage, IndexSummary, Query, QueryResult


class MemoryStore:
    """Answers like an index of exactly the given records, each (event, account) once."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        rows: dict[tuple[str, str | None], dict[str, Any]] = {}
        self._raw: dict[str, str] = {}
        for ordinal, record in enumerate(records):
            row = event_row(record) | {"source_file": "literal.json", "source_ordinal": ordinal}
            rows.setdefault((row["event_id"], row["recipient_account_id"]), row)
            self._raw[row["event_id"]] = json.dumps(record)
        self._rows = list(rows.values())
        self._connection = duckdb.connect(config={"threads": 1})
        for name, members in {
            "events": self._rows,
            "credentials": [row for row in self._rows if is_credential_event(row)],
        }.items():
            naive = [
                {k: v.replace(tzinfo=None) if isinstance(v, datetime) else v for k, v in r.items()}
                for r in members
            ]
            table = pa.Table.from_pylist(naive, schema=EVENT_SCHEMA)
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


def _naive(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _aware(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return [_aware(item) for item in value] if isinstance(value, list) else value
