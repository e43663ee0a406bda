"""The read contract: SQL over relations, in several threads, within time, by day."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.an_event import ACCOUNT, a_user, an_assumption, an_event
from trail.errors import IndexUnreadable, QueryFailed
from trail.index.build import add
from trail.store import DuckStore, open_store

DAY = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> DuckStore:
    folder = tmp_path_factory.mktemp("store")
    records = [
        an_event(
            eventID=f"{day}-{number}",
            eventTime=f"2026-03-{day:02}T{number:02}:00:00Z",
            userIdentity=a_user(("alice", "bob")[number % 2]),
        )
        for day in (9, 10, 11)
        for number in range(20)
    ]
    (folder / "a.json").write_text(json.dumps({"Records": [*records, an_assumption()]}))
    add([folder / "a.json"], folder / "index")
    return open_store(folder / "index")


def test_values_are_bound_and_times_are_aware(store: DuckStore) -> None:
    found = store.query(
        "select event_id, event_time from events where event_time between $a and $b order by 2",
        {"a": DAY + timedelta(hours=1), "b": DAY + timedelta(hours=2)},
        first=DAY,
        last=DAY,
    )
    assert found.rows == [
        {"event_id": "10-1", "event_time": DAY + timedelta(hours=1)},
        {"event_id": "10-2", "event_time": DAY + timedelta(hours=2)},
    ]
    assert found.query.rows == 2
    assert found.query.elapsed_ms > 0
    assert "between $a and $b" in found.query.text


def test_times_of_other_zones_are_bound_as_utc(store: DuckStore) -> None:
    zone = datetime.fromisoformat("2026-03-10T03:00:00+02:00")
    sql = "select event_id from events where event_time = $t"
    assert store.query(sql, {"t": zone}).rows == [{"event_id": "10-1"}]


def test_first_and_last_choose_days(store: DuckStore) -> None:
    def days(first: datetime | None, last: datetime | None) -> list[int]:
        sql = "select distinct day(event_time)::int as d from events order by 1"
        return [row["d"] for row in store.query(sql, first=first, last=last).rows]

    assert days(None, None) == [9, 10, 11]
    assert days(DAY, DAY + timedelta(days=1)) == [10, 11]
    assert days(DAY + timedelta(hours=23), DAY + timedelta(hours=23)) == [10]
    assert days(DAY + timedelta(days=30), None) == []


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) as n from events",
        "select count(*) as n from events as e where e.event_id is not null",
        "select count(*) as n from EVENTS where events.event_id is not null",
        "with mine as (select * from events) select count(*) as n from mine",
        "with recursive r as (select 1 as x union all select x + 1 from r where x < 3)"
        " select count(*) as n from events where exists (from r)",
        "select count(*) as n from credentials c right join events e using (event_id)",
        "select sum(count)::bigint as n from daily",
        "select (select count(*) from events)::bigint as n",
    ],
)
def test_relations_are_found_however_they_are_named(store: DuckStore, sql: str) -> None:
    assert store.query(sql).rows == [{"n": 61}]


def test_lists_are_bound(store: DuckStore) -> None:
    sql = "select count(*) as n from events where list_contains($ids, event_id)"
    assert store.query(sql, {"ids": ["10-1", "10-2", "none"]}).rows == [{"n": 2}]


def test_threads_get_their_own_answers(store: DuckStore) -> None:
    wrong: list[Any] = []

    def ask(number: int) -> None:
        for _ in range(15):
            rows = store.query(
                "select event_id from events where event_id = $id", {"id": f"10-{number}"}
            ).rows
            if rows != [{"event_id": f"10-{number}"}]:
                wrong.append(rows)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_runaway_query_is_stopped(store: DuckStore) -> None:
    began = time.monotonic()
    with pytest.raises(QueryFailed, match="stopped after 0.2 seconds"):
        store.query(
            "select count(*) from range(10000000) a, range(10000000) b where a.range + b.range = 3",
            timeout=0.2,
        )
    assert time.monotonic() - began < 10
    assert store.query("select count(*) as n from events").rows == [{"n": 61}]


@pytest.mark.parametrize(
    "sql",
    [
        "select nothing from events",
        "select * from read_csv('/etc/passwd')",
        "copy (select 1) to '/tmp/backtrail-must-not-exist.csv'",
        "set enable_external_access = true",
        "this is no SQL",
    ],
)
def test_refused_queries_say_why(store: DuckStore, sql: str) -> None:
    with pytest.raises(QueryFailed, match="DuckDB could not run the query"):
        store.query(sql)


def test_raw_records_are_the_source_s_own_text(store: DuckStore) -> None:
    found = store.raw_records(["10-1", "no such event"])
    assert list(found) == ["10-1"]
    assert json.loads(found["10-1"])["userIdentity"]["userName"] == "bob"


def test_credentials_are_of_all_days(store: DuckStore) -> None:
    rows = store.query(
        "select recipient_account_id from credentials where minted_access_key_id = $key",
        {"key": "ASIAROLESESSION00001"},
        first=DAY + timedelta(days=300),
        last=DAY + timedelta(days=301),
    ).rows
    assert rows == [{"recipient_account_id": ACCOUNT}]


def test_what_was_set_aside_as_repeated_can_be_asked(tmp_path: Path) -> None:
    """Of each event id and account the first record of a day is an event; the others repeat it."""
    one = an_event(eventID="one", eventTime="2026-03-10T09:00:00Z")
    later = an_event(eventID="two", eventTime="2026-03-12T09:00:00Z")
    for number, name in enumerate(("alice", "bob", "carl")):
        text = json.dumps({"Records": [{**r, "userIdentity": a_user(name)} for r in (one, later)]})
        (tmp_path / f"{number}.json").write_text(text)
        add([tmp_path / f"{number}.json"], tmp_path / "index")
    store = open_store(tmp_path / "index")

    def users(relation: str, last: datetime = DAY) -> list[tuple[str, str]]:
        found = store.query(f"select event_id, user_name from {relation}", first=DAY, last=last)
        return sorted((row["event_id"], row["user_name"]) for row in found.rows)

    assert users("events") == [("one", "alice")]
    assert users("repeats") == [("one", "bob"), ("one", "carl")]
    assert len(users("repeats", DAY + timedelta(days=2))) == 4
    assert store.query("select count(*) as n from daily", first=DAY, last=DAY).rows == [{"n": 1}]


def test_store_follows_what_is_published(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(an_event()))
    add([tmp_path / "a.json"], tmp_path / "index")
    store = open_store(tmp_path / "index")
    before = store.version()
    (tmp_path / "b.json").write_text(json.dumps(an_event()))
    add([tmp_path / "b.json"], tmp_path / "index")
    assert store.version() != before
    assert store.query("select count(*) as n from events").rows == [{"n": 2}]
    assert store.summary().events == 2


def test_broken_catalog_is_said(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(IndexUnreadable, match="cannot be read"):
        open_store(tmp_path)
