"""Credentials of times that a statement does not ask about are not opened, and nothing is lost.

What a plain DuckDB with the whole table answers is the measure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.an_event import an_assumption
from trail.index.build import add
from trail.index.catalog import Catalog
from trail.store import DuckStore
from trail.store.columns_read import Bounds, reading

TIMES = {
    name: datetime(2026, 3, day, hour, tzinfo=UTC)
    for name, day, hour in (("a", 3, 10), ("b", 5, 10), ("c", 7, 10), ("early", 1, 0))
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four builds of two days each, in the order 7-8, 1-2, 5-6, 3-4 March."""
    folder = tmp_path_factory.mktemp("time-bounds")
    for first in (7, 1, 5, 3):
        path = folder / f"{first}.json"
        mints = [
            an_assumption(eventID=f"mint-{day}", eventTime=f"2026-03-{day:02}T10:00:00Z")
            for day in (first, first + 1)
        ]
        path.write_text(json.dumps({"Records": mints}))
        add([path], folder / "index")
    with Catalog(folder / "index") as catalog:
        assert len(catalog.segments("credentials_by_key")) > 1
    return folder / "index"


@pytest.fixture(scope="module")
def store(index: Path) -> Iterator[DuckStore]:
    with DuckStore(index) as opened:
        yield opened


@pytest.fixture(scope="module")
def plain(index: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with Catalog(index) as catalog, duckdb.connect(config={"threads": 1}) as db:
        db.execute("set timezone = 'UTC'")
        paths = [str(index / one.name) for one in catalog.segments("credentials_by_key")]
        db.execute(f"create table credentials as from read_parquet({paths})")
        yield db


CONDITIONS = {
    "from": "event_time >= $b",
    "after": "event_time > $b",
    "until": "event_time <= $b",
    "before": "event_time < $b",
    "turned round": "$b >= event_time and $a < event_time",
    "turned round, from": "$b < event_time",
    "two bounds": "event_time >= $a and event_time < $c",
    "two of a side": "event_time >= $a and event_time >= $c",
    "two of the other": "event_time <= $c and event_time <= $a",
    "within an and": "(event_time >= $a and failed is not null) and (event_time <= $b)",
    "or": "event_time <= $a or event_time >= $c",
    "or something else": "event_time <= $a or event_id = 'mint-8'",
    "not": "not (event_time <= $b)",
    "between": "event_time between $a and $b",
    "an expression": "event_time + interval 2 day >= $c",
    "against a column": "event_time >= $a and event_time <= session_created + interval 1 day",
    "a case": "case when event_time <= $a then true else event_id = 'mint-8' end",
    "equal": "event_time = $b",
    "unequal": "event_time <> $b",
    "nothing": "event_time < $early",
    "null": "event_time >= $null",
    "a constant": "event_time >= timestamp '2026-03-05'",
    "capitals": "EVENT_TIME >= $B",
}
STATEMENTS = {
    "alone": "select event_id from credentials where {} order by 1",
    "aliased": "select c.event_id from credentials c where {} order by 1",
    "misnamed": "select event_id, timestamp '2026-03-01' as event_time from credentials"
    " where {} order by 1",
    "below": "select event_id from (select * from credentials where {}) order by 1",
    "beside another stretch": "select event_id from credentials where {} union all"
    " select event_id from credentials where event_time >= $c order by 1",
    "beside all": "select event_id from credentials where {} union all"
    " select event_id from credentials order by 1",
    "joined": "select a.event_id, b.event_id as other from credentials a left join"
    " (select * from credentials where {}) b using (event_id) order by 1",
    "above": "select event_id from (select * from credentials) as credentials where {} order by 1",
    "the newest of": "select event_id from credentials where {}"
    " qualify row_number() over (order by event_time) = 1",
}


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
@pytest.mark.parametrize("sql", STATEMENTS.values(), ids=STATEMENTS)
def test_what_lies_within_the_bounds_is_found(
    store: DuckStore, plain: duckdb.DuckDBPyConnection, sql: str, condition: str
) -> None:
    statement = sql.format(condition)
    values: dict[str, Any] = {**TIMES, "null": None}
    bound = {name: values[name.lower()] for name in re.findall(r"\$(\w+)", statement)}
    naive = {name: value and value.replace(tzinfo=None) for name, value in bound.items()}
    found = plain.execute(statement, naive)
    names = [column[0] for column in found.description or ()]
    expected = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert [_event_of(row) for row in store.query(statement, bound).rows] == [
        _event_of(row) for row in expected
    ]


def _event_of(row: dict[str, Any]) -> tuple[Any, Any]:
    return row["event_id"], row.get("other")


def bounds(sql: str) -> Bounds:
    return reading(sql, ("credentials",)).bounds["credentials"].get("event_time", Bounds())


def test_bounds_are_those_that_every_reading_has() -> None:
    one = "select event_id from credentials where event_time >= $a and $z > event_time"
    assert bounds(one) == Bounds(frozenset("a"), frozenset("z"))
    other = "select event_id from credentials where event_time > $b"
    assert bounds(f"{one} union all {other}") == Bounds(frozenset("ab"), frozenset())
    assert bounds(f"{one} union all select event_id from credentials") == Bounds()
