"""Days come out the same however few events are counted at a time, and whatever ran out of memory
while others worked beside it is done again alone.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import trail.segments
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.an_event import ACCOUNT, a_user, an_assumption, an_event
from trail.errors import IndexUnreadable
from trail.index.build import add
from trail.index.catalog import CREDENTIAL_KINDS, Catalog
from trail.index.segments import Merger
from trail.index.upkeep import compact, verify
from trail.store import open_store

TUESDAY = datetime(2026, 3, 10, tzinfo=UTC)
IDENTITIES = (
    None, "AIDAALICE", "AIDABOB", "AIDAbob", "A'; drop table rolled; --", "AIDA\0NUL", "AIDA",
    "Éloïse", "日本", "\U0001f600", "~",
)  # fmt: skip
FEW = {"_COUNTED_AT_ONCE": 3, "ROW_GROUP": 2, "_SMALL_ROW_GROUP": 2, "_ROW_GROUPS": 2}
"""Three events are counted at a time, and no segment of events holds more than four."""

Event = tuple[str | None, datetime, str, str | None]
"""Identity, time, API and error code."""


def records_of(events: list[Event], before: int = 0) -> list[dict[str, Any]]:
    return [
        an_event(
            eventID=f"id-{number:03}",
            eventTime=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            userIdentity={} if who is None else a_user("x", principalId=who),
            eventName=name,
            errorCode=error,
            errorMessage=None if error is None else f"{name} is denied ({number % 4})",
        )
        for number, (who, at, name, error) in enumerate(events, before)
    ]


def build(index: Path, rounds: list[list[dict[str, Any]]]) -> Path:
    """An index of one file a round, each added by a build of its own; those there are stay."""
    for number, records in enumerate(rounds):
        index.mkdir(parents=True, exist_ok=True)
        source = index.with_name(f"{index.name}-{number}.json")
        if not source.exists():
            source.write_text(json.dumps({"Records": records}))
        add([source], index)
    return index


def rows_of(index: Path, sql: str) -> list[dict[str, Any]]:
    store = open_store(index)
    try:
        return store.query(sql).rows
    finally:
        store.close()


def daily_of(index: Path) -> list[dict[str, Any]]:
    return rows_of(index, "select * from daily order by all")


def recounted(events: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Day, identity, API and error → what the rollup should say of these records."""
    groups: dict[tuple[Any, ...], list[tuple[datetime, str, str | None]]] = defaultdict(list)
    for event in {event["eventID"]: event for event in events}.values():
        at = datetime.fromisoformat(event["eventTime"])
        who = event["userIdentity"].get("principalId")
        key = (at.date(), who, event["eventName"], event.get("errorCode"))
        groups[key].append((at, event["eventID"], event.get("errorMessage")))
    return {
        key: {
            "count": len(found),
            "failed": len(found) if key[3] is not None else 0,
            "first": min(at for at, _, _ in found),
            "last": max(at for at, _, _ in found),
            "error_message": max((said for _, _, said in found if said), default=None),
            "hours": [sum(at.hour == hour for at, _, _ in found) for hour in range(24)],
            "event_ids": [number for _, number, _ in sorted(found, reverse=True)[:3]],
        }
        for key, found in groups.items()
    }


def rolled(index: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rollup as `recounted` has it; each group must be in one row."""
    found = {}
    for row in daily_of(index):
        key = (row["day"], row["identity_id"], row["event_name"], row["error_code"])
        assert key not in found
        told = ("count", "failed", "first", "last", "error_message", "hours", "event_ids")
        found[key] = {name: row[name] for name in told}
        found[key]["hours"] = json.loads(row["hours"])
    return found


def assert_sound(index: Path) -> None:
    """Segments that nobody sees may be left, as by a killed build."""
    assert [p for p in verify(index).problems if "the next build removes it" not in p] == []


@pytest.fixture
def few_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setattr(trail.index.segments, name, value)
        yield


def three_rounds() -> list[list[dict[str, Any]]]:
    """Two days of a week; more of the first, with a repeat; more of it again, and another week."""

    def of_day(day: int, count: int, *, start: int = 0) -> list[Event]:
        return [
            (
                IDENTITIES[number % len(IDENTITIES)],
                TUESDAY + timedelta(days=day, minutes=37 * number),
                ("ListUsers", "GetUser")[number % 2],
                "AccessDenied" if number % 5 == 0 else None,
            )
            for number in range(start, start + count)
        ]

    much = [("AIDABOB", TUESDAY + timedelta(seconds=n), "GetUser", None) for n in range(9)]
    first = records_of([*of_day(0, 24), *much, *of_day(1, 13)])
    second = records_of(of_day(0, 12, start=20), before=100)
    third = records_of([*of_day(0, 5, start=3), *of_day(7, 15)], before=200)
    return [first, [*second, first[0], first[30]], third]


def test_counted_in_ranges_of_identities(tmp_path: Path, few_at_once: None) -> None:
    rounds = three_rounds()
    index = build(tmp_path / "index", rounds)
    assert_sound(index)
    with Catalog(index) as catalog:
        held = [s for s in catalog.segments("events") if s.day == TUESDAY.date()]
    assert len(held) > 10
    assert max(segment.rows for segment in held) <= 4
    assert rolled(index) == recounted([record for lot in rounds for record in lot])


def test_counted_in_ranges_or_at_once(tmp_path: Path) -> None:
    rounds = three_rounds()
    at_once = build(tmp_path / "at-once", rounds)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setattr(trail.index.segments, name, value)
        ranged = build(tmp_path / "ranged", rounds)
        assert daily_of(ranged) == daily_of(at_once)
        compact(ranged)
        assert daily_of(ranged) == daily_of(at_once)
        assert_sound(ranged)


@pytest.mark.parametrize(
    "identities",
    [
        ["AIDAALICE"],  # alone more than is counted at once
        [None],
        ["AIDAALICE", None],
        ["AIDAALICE", "AIDABOB"],
        ["B", "A'", "É", "日本", "AIDA\0NUL", "A\0\0"],
    ],
    ids=["one", "none", "one and none", "two", "strange"],
)
def test_few_identities_with_many_events(
    tmp_path: Path, few_at_once: None, identities: list[str | None]
) -> None:
    events: list[Event] = [
        (who, TUESDAY + timedelta(minutes=n), "GetUser", None)
        for who in identities
        for n in range(8)
    ]
    index = build(tmp_path / "index", [records_of(events)])
    assert rolled(index) == recounted(records_of(events))
    assert_sound(index)


def test_days_of_the_week_that_stay_keep_their_rows(tmp_path: Path, few_at_once: None) -> None:
    def of(day: int, count: int) -> list[Event]:
        return [(who, TUESDAY + timedelta(days=day), "GetUser", None) for who in IDENTITIES[:count]]

    first, second = records_of([*of(0, 11), *of(1, 11)]), records_of(of(2, 7), before=50)
    index = build(tmp_path / "index", [first])
    before = daily_of(index)
    build(index, [first, second])
    after = daily_of(index)
    assert [row for row in after if row["day"] < date(2026, 3, 12)] == before
    assert rolled(index) == recounted([*first, *second])
    assert_sound(index)


one_event = st.tuples(
    st.sampled_from(IDENTITIES),
    st.tuples(st.integers(0, 2), st.integers(0, 86_399)).map(
        lambda t: TUESDAY + timedelta(days=(0, 1, 6)[t[0]], seconds=t[1])
    ),
    st.sampled_from(["GetUser", "ListUsers"]),
    st.sampled_from([None, "AccessDenied"]),
)


@given(
    st.lists(st.lists(one_event, min_size=1, max_size=16), min_size=1, max_size=2),
    st.integers(1, 5),
)
@example([[("AIDABOB", TUESDAY, "GetUser", None)] * 7], 1)
@settings(max_examples=8, deadline=None)
def test_any_events_in_any_ranges(
    tmp_path_factory: pytest.TempPathFactory, lots: list[list[Event]], at_once: int
) -> None:
    rounds = [records_of(lot, before=100 * number) for number, lot in enumerate(lots)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (FEW | {"_COUNTED_AT_ONCE": at_once}).items():
            patch.setattr(trail.index.segments, name, value)
        index = build(tmp_path_factory.mktemp("any") / "index", rounds)
    assert rolled(index) == recounted([record for lot in rounds for record in lot])
    assert_sound(index)


class Steps:
    """Watches the steps of builds, each of which may run out of memory.

    `falls` gets a step's name and how many of that name there were before.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, falls: Callable[[str, int], bool], *, late: bool = False
    ) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self.begun: list[tuple[str, int]] = []
        """Each step's name, and how many ran with it when it began."""
        self.fell = 0
        for name in ("roll_up", "credentials"):
            patch.setattr(Merger, name, self._watched(name, getattr(Merger, name), falls, late))

    def _watched(
        self, name: str, real: Callable[..., Any], falls: Callable[[str, int], bool], late: bool
    ) -> Callable[..., Any]:
        def step(*arguments: Any) -> Any:
            with self._lock:
                earlier = sum(begun == name for begun, _ in self.begun)
                self.begun.append((name, self._running))
                self._running += 1
            try:
                fails = falls(name, earlier)
                if late or not fails:
                    done = real(*arguments)
                if fails:
                    self.fell += 1
                    raise duckdb.OutOfMemoryException("Out of Memory Error: could not allocate")
                return done
            finally:
                with self._lock:
                    self._running -= 1

        return step


def some_weeks(before: int = 0, weeks: int = 3) -> list[dict[str, Any]]:
    """Events of an identity each week, and a session that it started."""
    records = []
    for week in range(weeks):
        number = before + week
        at = TUESDAY + timedelta(weeks=week)
        records += records_of([("AIDAALICE", at, "GetUser", None)] * 2, before=10 * number)
        records.append(
            an_assumption(
                eventID=f"mint-{number}",
                key=f"ASIA{number:016}",
                eventTime=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            )
        )
    return records


def assert_whole(index: Path, records: list[dict[str, Any]]) -> None:
    """Every event, credential and day of coverage is there once."""
    assert_sound(index)
    ids = sorted(record["eventID"] for record in records)
    found = rows_of(index, "select event_id from events order by 1")
    assert [row["event_id"] for row in found] == ids
    assert {key: row["count"] for key, row in rolled(index).items()} == {
        key: row["count"] for key, row in recounted(records).items()
    }
    minted = [number for number in ids if number.startswith("mint")]
    with Catalog(index) as catalog:
        for kind in CREDENTIAL_KINDS:
            paths = [str(index / segment.name) for segment in catalog.segments(kind)]
            held = duckdb.sql(f"select event_id from read_parquet({paths}) order by 1").fetchall()
            assert [number for (number,) in held] == minted
    days: dict[date, int] = defaultdict(int)
    for record in records:
        days[datetime.fromisoformat(record["eventTime"]).date()] += 1
    store = open_store(index)
    covered = [(cell.day, cell.account, cell.events) for cell in store.coverage_by_day()]
    store.close()
    assert covered == [(day, ACCOUNT, events) for day, events in sorted(days.items())]


@pytest.mark.parametrize("late", [False, True], ids=["at its beginning", "at its end"])
@pytest.mark.parametrize("fallen", ["roll_up", "credentials"])
def test_a_step_without_memory_is_done_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fallen: str, late: bool
) -> None:
    records = some_weeks()
    with monkeypatch.context() as patch:
        steps = Steps(patch, lambda name, earlier: name == fallen and earlier == 0, late=late)
        build(tmp_path / "index", [records])
    assert steps.fell == 1
    assert sorted(name for name, _ in steps.begun) == sorted(
        ["roll_up"] * 3 + ["credentials"] + [fallen]
    )
    assert steps.begun[-1] == (fallen, 0)
    assert_whole(tmp_path / "index", records)


@pytest.mark.parametrize("fallen", ["roll_up", "credentials"])
def test_what_a_step_wrote_before_it_ran_out_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fallen: str
) -> None:
    with monkeypatch.context() as patch:
        Steps(patch, lambda name, earlier: name == fallen and earlier == 0, late=True)
        build(tmp_path / "index", [some_weeks()])
    assert verify(tmp_path / "index").problems == ()


def test_every_step_may_run_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = some_weeks()
    with monkeypatch.context() as patch:
        first = {"roll_up": 3, "credentials": 1}
        steps = Steps(patch, lambda name, earlier: earlier < first[name])
        build(tmp_path / "index", [records])
    assert steps.fell == 4
    assert [running for _, running in steps.begun[4:]] == [0] * 4
    assert_whole(tmp_path / "index", records)


def test_merged_credentials_may_run_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fifth build merges the runs of those before it."""
    lots = [some_weeks(before=number, weeks=1) for number in range(5)]
    index = build(tmp_path / "index", lots[:4])
    real = Merger.merge_credentials
    calls = []

    def falls_once(merger: Merger, *arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise duckdb.OutOfMemoryException("Out of Memory Error: could not allocate")
        return real(merger, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Merger, "merge_credentials", falls_once)
        build(index, lots)
    assert len(calls) == 2
    assert_whole(index, [record for lot in lots for record in lot])


@pytest.mark.parametrize("fallen", ["roll_up", "credentials"])
def test_without_memory_even_alone_the_build_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fallen: str
) -> None:
    old, new = some_weeks(), some_weeks(before=3)
    index = build(tmp_path / "index", [old])
    shown = daily_of(index)
    with monkeypatch.context() as patch:
        steps = Steps(patch, lambda name, _: name == fallen)
        with pytest.raises(IndexUnreadable, match="more memory than is allowed .*Out of Memory"):
            build(index, [old, new])
    assert steps.fell >= 2
    assert_sound(index)
    assert daily_of(index) == shown
    found = rows_of(index, "select event_id from events order by 1")
    assert [row["event_id"] for row in found] == sorted(record["eventID"] for record in old)
    build(index, [old, new])
    assert_whole(index, [*old, *new])


def test_a_large_run_of_credentials_is_kept_beside_small_ones_that_are_merged(
    tmp_path: Path,
) -> None:
    """Five small builds, the fifth of them with 300 sessions: what is merged does not need it."""
    lots = [some_weeks(before=number, weeks=1) for number in range(5)]
    much = [
        an_assumption(eventID=f"mint-many-{number:03}", key=f"ASIAMANY{number:012}")
        for number in range(300)
    ]
    index = build(tmp_path / "index", [*lots[:4], [*lots[4], *much]])
    assert_whole(index, [record for lot in [*lots, much] for record in lot])
    fifth = some_weeks(before=7, weeks=1)
    source = tmp_path / "late.json"
    source.write_text(json.dumps({"Records": fifth}))
    add([source], index)
    last = some_weeks(before=8, weeks=1)
    source = tmp_path / "last.json"
    source.write_text(json.dumps({"Records": last}))
    add([source], index)
    assert_whole(index, [record for lot in [*lots, much, fifth, last] for record in lot])


def test_new_credentials_that_are_too_many_to_merge_are_kept(tmp_path: Path) -> None:
    """Six runs, the new one the largest: the five small ones become one, and it stays."""
    small = [some_weeks(before=number, weeks=1) for number in range(4)]
    much = [
        an_assumption(eventID=f"mint-many-{number:03}", key=f"ASIAMANY{number:012}")
        for number in range(300)
    ]
    index = tmp_path / "index"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trail.index.build.mergeable", lambda runs, made: [])
        for number, lot in enumerate([*small, some_weeks(before=4, weeks=1)]):
            source = tmp_path / f"{number}.json"
            source.write_text(json.dumps({"Records": lot}))
            add([source], index)
    source = tmp_path / "much.json"
    source.write_text(json.dumps({"Records": much}))
    add([source], index)
    records = [*(r for lot in small for r in lot), *some_weeks(before=4, weeks=1), *much]
    assert_whole(index, records)
