"""What was worked out of one version of an index is used for the next, as long as it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.an_event import ACCOUNT, a_user, an_assumption, an_event
from trail.errors import QueryFailed
from trail.index.build import add
from trail.index.upkeep import compact
from trail.store import DuckStore, open_store
from trail.store.noting import is_noting, note_all, noted, still_holds

DAY = datetime(2026, 3, 10, tzinfo=UTC)
ALICES = "select event_id from events where identity_id = $who order by event_id"
MINTS = (
    "select event_id from credentials where event_time >= $from and event_time <= $to"
    " and minted_principal_id = $of order by event_id"
)


def write(folder: Path, name: str, *records: dict[str, Any]) -> None:
    """Adds the records to the index, in a build of their own."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"Records": list(records)}))
    add([path], folder / "index")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path,
        "first",
        an_event(eventID="1", eventTime="2026-03-10T10:00:00Z", userIdentity=a_user("alice")),
        an_event(eventID="2", eventTime="2026-03-10T11:00:00Z", userIdentity=a_user("bob")),
        an_assumption(
            eventID="mint", eventTime="2026-03-10T09:00:00Z", userIdentity=a_user("carol")
        ),
    )
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[DuckStore]:
    with open_store(folder / "index") as opened:
        yield opened


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that DuckDB was given, as they are."""
    ran: list[str] = []
    run = DuckStore._run

    def counted(self: DuckStore, sql: str, *rest: Any) -> list[dict[str, Any]]:
        ran.append(sql)
        return run(self, sql, *rest)

    monkeypatch.setattr(DuckStore, "_run", counted)
    return ran


def alices(store: DuckStore) -> list[str]:
    window = {"first": DAY, "last": DAY + timedelta(hours=23)}
    found = store.query(ALICES, {"who": a_user("alice")["principalId"]}, **window)
    return [row["event_id"] for row in found.rows]


def other_days(*, alice_too: bool) -> list[dict[str, Any]]:
    """Events two days later, and one of the same day by alice if asked for."""
    later = an_event(eventID="3", eventTime="2026-03-12T10:00:00Z", userIdentity=a_user("alice"))
    more = an_event(eventID="4", eventTime="2026-03-10T12:00:00Z", userIdentity=a_user("alice"))
    return [later, *([more] if alice_too else [])]


def test_an_answer_holds_until_something_that_it_rests_on_changes(
    folder: Path, store: DuckStore
) -> None:
    with noted() as notes:
        assert alices(store) == ["1"]
    assert still_holds(notes)
    write(folder, "later", *other_days(alice_too=False))
    assert still_holds(notes)
    write(folder, "same-day", *other_days(alice_too=True))
    assert not still_holds(notes)
    assert alices(store) == ["1", "4"]


def test_the_same_rows_hold_wherever_they_lie(folder: Path, store: DuckStore) -> None:
    """Events of the day by others, and the day's segments merged: read again, and the same."""
    with noted() as notes:
        alices(store)
    write(folder, "bobs", an_event(eventID="5", eventTime="2026-03-10T13:00:00Z",
                                   userIdentity=a_user("bob")))  # fmt: skip
    assert still_holds(notes)
    compact(folder / "index")
    assert still_holds(notes)


def test_segments_that_were_read_for_it_are_not_read_again(
    folder: Path, store: DuckStore, ran: list[str]
) -> None:
    assert alices(store) == ["1"]
    write(folder, "later", *other_days(alice_too=False))
    assert alices(store) == ["1"]
    assert len(ran) == 1
    write(folder, "same-day", *other_days(alice_too=True))
    assert alices(store) == ["1", "4"]
    assert len(ran) == 2


def test_credentials_of_other_times_are_not_read(
    folder: Path, store: DuckStore, ran: list[str]
) -> None:
    minted = store.query("select minted_principal_id as of from credentials").rows[0]["of"]
    asked = {"from": DAY, "to": DAY + timedelta(days=1), "of": minted}
    assert [row["event_id"] for row in store.query(MINTS, asked).rows] == ["mint"]
    write(folder, "later", an_assumption(eventID="mint-2", eventTime="2026-03-12T09:00:00Z"))
    ran.clear()
    assert [row["event_id"] for row in store.query(MINTS, asked).rows] == ["mint"]
    assert ran == []
    asked["to"] = DAY + timedelta(days=3)
    assert [row["event_id"] for row in store.query(MINTS, asked).rows] == ["mint", "mint-2"]


def test_of_a_summary_only_what_was_looked_at_counts(folder: Path, store: DuckStore) -> None:
    with noted() as accounts:
        assert store.summary().accounts == (ACCOUNT,)
    with noted() as events:
        assert store.summary().events == 3
    with noted() as span:
        assert store.summary().first == DAY.replace(hour=9)
    with noted() as repeats:
        assert not store.summary().may_hold_repeats
    write(folder, "bobs", an_event(eventID="5", eventTime="2026-03-10T13:00:00Z",
                                   userIdentity=a_user("bob")))  # fmt: skip
    assert [still_holds(one) for one in (accounts, events, span, repeats)] == [
        True, False, True, True,
    ]  # fmt: skip


def test_coverage_and_whole_lists_are_noted(folder: Path, store: DuckStore) -> None:
    with noted() as coverage:
        assert store.coverage([ACCOUNT], DAY, DAY).events == 3
    with noted() as elsewhere:
        assert not store.coverage(["999999999999"], DAY, DAY).events
    with noted() as files:
        assert len(store.files()) == 1
    write(folder, "bobs", an_event(eventID="5", eventTime="2026-03-10T13:00:00Z",
                                   userIdentity=a_user("bob")))  # fmt: skip
    assert not still_holds(coverage)
    assert still_holds(elsewhere)
    assert not still_holds(files)


def test_parts_are_noted_for_the_whole_and_by_other_threads(store: DuckStore) -> None:
    with noted() as outer:
        with noted() as inner:
            alices(store)
        with noted() as beside, ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, store.summary).result()
            pool.submit(copy_context().run, alices, store).result()
    assert inner.keys() == beside.keys() == outer.keys() != set()
    with noted() as again:
        note_all(outer)
        assert still_holds(inner)
    assert again.keys() == outer.keys()
    assert not is_noting()


def test_what_cannot_be_asked_any_more_does_not_hold(folder: Path, store: DuckStore) -> None:
    with noted() as failing, pytest.raises(QueryFailed):
        store.query("select nothing from events")
    assert not still_holds(failing)
    with noted() as notes:
        alices(store)
    assert still_holds(notes)
    write(folder, "later", *other_days(alice_too=False))
    for segment in (folder / "index").glob("**/day=2026-03-10/*-events-*.parquet"):
        segment.write_bytes(b"not any more")
    with pytest.raises(QueryFailed):
        alices(store)
    assert not still_holds(notes)
