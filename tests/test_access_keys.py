"""Whoever asks for the events of an access key gets all of them, though few segments are opened."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trail.segments

from tests.an_event import a_role_session, a_user, an_assumption, an_event
from trail.index.build import add
from trail.index.catalog import CATALOG, Catalog
from trail.index.upkeep import compact, drop_before, verify
from trail.store import DuckStore, open_store

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
SHARED = "ASIASHARED"
"""A key that two identities' records show: a log may say anything."""


def an_index(folder: Path) -> Path:
    """Two weeks of five identities in segments of two events, and some events without a key."""
    lots: list[list[dict[str, Any]]] = [[], []]
    for number in range(60):
        who = a_user(f"user{number % 5}")
        if number % 12 == 5:
            who = a_user(f"user{number % 5}", accessKeyId=SHARED)
        if number % 12 == 7:
            del who["accessKeyId"]
        at = MONDAY + timedelta(days=number % 12, hours=number % 24)
        lots[number % 2].append(
            an_event(
                eventID=f"id-{number:02}", userIdentity=who, eventTime=f"{at:%Y-%m-%dT%H:%M:%SZ}"
            )
        )
    lots[1].append(an_assumption(eventID="mint", userIdentity=a_role_session(key=SHARED)))
    for number, lot in enumerate(lots):
        path = folder / f"{number}.json"
        path.write_text(json.dumps({"Records": lot}))
        add([path], folder / "index")
    return folder / "index"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(trail.index.segments, "ROW_GROUP", 1)
    monkeypatch.setattr(trail.index.segments, "_ROW_GROUPS", 2)
    return an_index(tmp_path)


KEYS = [SHARED, a_user("user0")["accessKeyId"], a_user("user3")["accessKeyId"], "ASIANOBODY"]


def assert_all_are_found(index: Path) -> None:
    store = open_store(index)
    for relation in ("events", "credentials"):
        for key in KEYS:
            for condition in ("access_key_id = $key", "access_key_id in ($key, $other)"):
                sql = f"select event_id from {relation} where {{}} order by all"
                # Joined with nothing, a key is no key: every segment is read.
                plain = condition.replace("access_key_id", "(access_key_id || '')")
                bound = {"key": key} | ({"other": KEYS[1]} if "other" in condition else {})
                expected = store.query(sql.format(plain), bound).rows
                assert store.query(sql.format(condition), bound).rows == expected
    store.close()


def test_all_events_of_a_key_are_found(index: Path) -> None:
    assert_all_are_found(index)
    assert verify(index).problems == ()
    store = open_store(index)
    of_shared = store.query(
        "select distinct identity_id from events where access_key_id = $key", {"key": SHARED}
    ).rows
    assert len(of_shared) > 2
    without = store.query("select event_id from events where access_key_id is null").rows
    assert {row["event_id"] for row in without} == {f"id-{n:02}" for n in range(60) if n % 12 == 7}
    store.close()


def test_segments_of_others_are_not_opened(index: Path) -> None:
    """Each file is moved away that the key's events are not in: nothing is missed."""
    key = a_user("user3")["accessKeyId"]
    store = open_store(index)
    expected = store.query("select event_id from events where access_key_id = $key", {"key": key})
    store.close()
    with Catalog(index) as catalog:
        held = catalog.segments("events")
    mine = a_user("user3")["principalId"]
    others = [s for s in held if s.range is not None and not s.range.may_hold([mine])]
    assert len(others) > len(held) / 2
    for segment in others:
        (index / segment.name).unlink()
    store = DuckStore(index)
    found = store.query("select event_id from events where access_key_id = $key", {"key": key})
    assert len(found.rows) == len(expected.rows) > 0
    nobody = store.query("select * from events where access_key_id = $key", {"key": "ASIANOBODY"})
    assert nobody.rows == []
    store.close()


def forget_keys(index: Path) -> None:
    """As if the index were of before keys were kept."""
    with sqlite3.connect(index / CATALOG) as db:
        db.execute("delete from segments where kind = 'keys'")
        db.execute("delete from ranges")
        db.execute("delete from meta where key = 'digests'")
        db.execute("update meta set value = cast(value as integer) + 1 where key = 'version'")


def test_an_index_of_before_answers_the_same(index: Path, tmp_path: Path) -> None:
    forget_keys(index)
    assert_all_are_found(index)
    late = an_event(eventID="late", userIdentity=a_user("user1"), eventTime="2026-03-10T01:00:00Z")
    (tmp_path / "late.json").write_text(json.dumps({"Records": [late]}))
    add([tmp_path / "late.json"], index)  # one week has keys now, all of its days
    assert_all_are_found(index)
    with Catalog(index) as catalog:
        assert len({segment.day for segment in catalog.segments("keys")}) == 1
    compact(index)
    assert_all_are_found(index)
    with Catalog(index) as catalog:
        assert len({segment.day for segment in catalog.segments("keys")}) == 2
        assert all(segment.range is not None for segment in catalog.segments("events", "keys"))
    assert [p for p in verify(index).problems if "no catalog entry" not in p] == []


def test_days_that_are_dropped_take_their_keys_along(index: Path) -> None:
    drop_before(index, (MONDAY + timedelta(days=3)).date())
    assert_all_are_found(index)
    assert verify(index).problems == ()


def test_keys_that_are_not_those_of_the_events_are_a_problem(index: Path) -> None:
    with sqlite3.connect(index / CATALOG) as db:
        (name,) = db.execute("select name from segments where kind = 'keys'").fetchone()
        db.execute("delete from segments where name = ?", (name,))
        other = db.execute("select name, day from segments where kind = 'keys'").fetchone()
        day = db.execute("select min(day) from segments where kind = 'daily'").fetchone()[0]
        second = db.execute("select max(day) from segments where kind = 'daily'").fetchone()[0]
        swapped = day if other[1] == second else second
        db.execute("update segments set day = ? where name = ?", (swapped, other[0]))
        db.execute("delete from meta where key = 'digests'")  # which would tell it first
    assert any("its keys differ from its events" in problem for problem in verify(index).problems)
