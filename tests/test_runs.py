"""Large results are written as runs of segments with ranges: the same rows, wherever they are cut.

Limits are made tiny, so that some hundred events are cut as often as millions are.
"""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.an_event import ACCOUNT, a_user, an_assumption, an_event
from trail.errors import IndexUnreadable
from trail.index import segments
from trail.index.build import add
from trail.index.catalog import (
    CATALOG,
    CREDENTIAL_KINDS,
    SORTED_BY,
    Catalog,
    KeyRange,
    Segment,
    runs_of,
)
from trail.index.segments import Merger
from trail.index.upkeep import compact, drop_before, verify
from trail.store import open_store

Record = dict[str, Any]

FIRST_DAY = datetime(2026, 3, 8, tzinfo=UTC)
"""A Sunday: three days from here lie in two weeks."""
BUSY = "AIDABUSY"
IDENTITIES = [
    None,
    BUSY,
    "AIDAO'BRIEN",
    "AIDA'' or ''=''",
    'AIDA"QUOTED"',
    "AIDAÜnal",
    "aidalower",
    "AIDA\\back\nline",
    "AIDA\x00nul",
    "\uff5eBMP's last part",  # before the next one as code points, after it in UTF-16
    "\U0001f600beyond the BMP",
    "株式会社" * 20,
    "111122223333:saml@example.com",
]
ROLES = ["reader", "o'writer", "écrivain"]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits so small that each day is several segments."""
    make_tiny(monkeypatch)


def make_tiny(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(segments, "ROW_GROUP", 8)
    patch.setattr(segments, "_ROW_GROUPS", 2)
    patch.setattr(segments, "_SMALL_ROW_GROUP", 8)
    patch.setattr(segments, "_SMALL_ROW_GROUPS", 2)
    patch.setattr(segments, "_COUNTED_AT_ONCE", 30)
    patch.setattr(segments, "_SORTED_AT_ONCE", 32)
    patch.setattr(segments, "_AT_ONCE", 40)


def write(path: Path, records: Iterable[Record]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Records": list(records)}))
    return path


def some_records(seed: int, count: int, days: int = 3) -> list[Record]:
    """Calls of many kinds; half of them by one identity, some by nobody, some with credentials."""
    chance = random.Random(seed)  # noqa: S311 # the same each time
    return [a_record(chance, days) for _ in range(count)]


def a_record(chance: random.Random, days: int) -> Record:
    who = BUSY if chance.random() < 0.5 else chance.choice(IDENTITIES)
    keys = [None, f"AKIA{who}1"[:60], f"AKIA{who}2"[:60]]
    when = FIRST_DAY + timedelta(
        days=chance.randrange(days), seconds=chance.choice([0, 1, 43_200, 86_399])
    )
    record: Record = {
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "userIdentity": a_user(principalId=who, accessKeyId=chance.choice(keys)) if who else {},
        "recipientAccountId": chance.choice([ACCOUNT, ACCOUNT, "444455556666"]),
        "awsRegion": chance.choice(["eu-west-1", "us-east-1"]),
    }
    kind = chance.random()
    if kind < 0.15:
        role = chance.choice(ROLES)
        number = chance.randrange(10_000)
        return an_assumption(role, key=f"ASIA{role.upper()}{number:05}", **record)
    if kind < 0.2:
        return an_event(eventSource="signin.amazonaws.com", eventName="ConsoleLogin", **record)
    if kind < 0.25:
        return an_event(
            eventSource="sts.amazonaws.com", eventName="AssumeRole", errorCode="AccessDenied",
            errorMessage=chance.choice(["no", "not you"]), **record,
        )  # fmt: skip
    name = chance.choice(["DescribeInstances", "RunInstances"])
    return an_event(eventName=name, errorCode=chance.choice([None, None, "Throttled"]), **record)


class Sources:
    """Files, and what an index of them is to hold: the model that an index is measured by."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: dict[str, list[Record]] = {}
        self._dropped: dict[str, date] = {}

    def put(self, name: str, records: Iterable[Record]) -> Path:
        """A file, new or changed."""
        written = list(records)
        first = self._dropped.get(name, date.min)
        self._held[name] = [record for record in written if day_of(record) >= first]
        return write(self.folder / f"{name}.json", written)

    def drop_before(self, day: date) -> int:
        """How many events are dropped."""
        before = len(self.events())
        for name, records in self._held.items():
            if any(day_of(record) < day for record in records):
                self._dropped[name] = day
            self._held[name] = [record for record in records if day_of(record) >= day]
        return before - len(self.events())

    def events(self) -> dict[tuple[str, str], Record]:
        """Each event once."""
        return {
            (record["eventID"], record["recipientAccountId"]): record
            for records in self._held.values()
            for record in records
        }


def day_of(record: Record) -> date:
    return date.fromisoformat(record["eventTime"][:10])


def identity_of(record: Record) -> str | None:
    found = record["userIdentity"].get("principalId")
    assert found is None or isinstance(found, str)
    return found


def is_credential(record: Record) -> bool:
    return record["eventName"] in ("AssumeRole", "ConsoleLogin")


def daily_of(records: Iterable[Record]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The rollup counted in Python: of these records, no other column of it tells two apart."""
    groups: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for record in records:
        groups[
            day_of(record), identity_of(record), record["eventSource"], record["eventName"],
            record.get("errorCode"), record["recipientAccountId"], record["awsRegion"],
        ].append(record)  # fmt: skip
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for key, members in groups.items():
        members.sort(key=lambda record: (record["eventTime"], record["eventID"]))
        hours = Counter(int(record["eventTime"][11:13]) for record in members)
        found[key] = (
            len(members),
            sum("errorCode" in record for record in members),
            datetime.fromisoformat(members[0]["eventTime"]),
            datetime.fromisoformat(members[-1]["eventTime"]),
            max((record["errorMessage"] for record in members if "errorMessage" in record),
                default=None),
            [hours[hour] for hour in range(24)],
            [record["eventID"] for record in members[:-4:-1]],
        )  # fmt: skip
    return found


def ask(index: Path, sql: str, **parameters: Any) -> list[dict[str, Any]]:
    store = open_store(index)
    try:
        return store.query(sql, parameters).rows
    finally:
        store.close()


def live(index: Path, *kinds: str) -> list[Segment]:
    with Catalog(index) as catalog:
        return catalog.segments(*kinds)


def column_of(index: Path, segment: Segment, *names: str) -> list[tuple[Any, ...]]:
    table = pq.read_table(index / segment.name, columns=list(names))
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def assert_holds(index: Path, events: Mapping[tuple[str, str], Record]) -> None:
    """The index holds these events and what follows from them, and says so of itself."""
    assert verify(index).problems == ()
    rows = ask(index, "select event_id, recipient_account_id, identity_id, event_name from events")
    assert len(rows) == len(events)
    assert {
        (row["event_id"], row["recipient_account_id"]): (row["identity_id"], row["event_name"])
        for row in rows
    } == {key: (identity_of(r), r["eventName"]) for key, r in events.items()}
    daily = ask(index, "select * from daily")
    counted = {
        (
            row["day"], row["identity_id"], row["event_source"], row["event_name"],
            row["error_code"], row["recipient_account_id"], row["aws_region"],
        ): (
            row["count"], row["failed"], row["first"], row["last"], row["error_message"],
            json.loads(row["hours"]), row["event_ids"],
        )
        for row in daily
    }  # fmt: skip
    assert len(counted) == len(daily)
    assert counted == daily_of(events.values())
    expected = sorted(key for key, record in events.items() if is_credential(record))
    for kind in CREDENTIAL_KINDS:
        held = [
            key
            for segment in live(index, kind)
            for key in column_of(index, segment, "event_id", "recipient_account_id")
        ]
        assert sorted(held) == expected, kind
    used = {
        (day_of(r), r["userIdentity"].get("accessKeyId"), identity_of(r)) for r in events.values()
    }
    keys = [
        row
        for segment in live(index, "keys")
        for row in column_of(index, segment, "day", "access_key_id", "identity_id")
    ]
    assert Counter(keys) == Counter(used)
    cells = Counter((day_of(r), r["recipientAccountId"], r["awsRegion"]) for r in events.values())
    with Catalog(index) as catalog:
        assert {(c.day, c.account, c.region): c.events for c in catalog.coverage()} == cells


THEN_BY = {
    "events": ["event_time", "source_file", "source_ordinal"],
    "daily": ["first"],
    "keys": ["day"],
    "credentials_by_key": ["event_time"],
    "credentials_by_role": ["target_role_arn", "event_time"],
    "credentials_by_caller": ["event_time"],
}


def assert_in_order(index: Path) -> None:
    """Every range is that of its rows, and a run's rows go on in order from segment to segment."""
    for run in runs_of(live(index, *SORTED_BY)).values():
        by_kind: dict[str, list[Segment]] = defaultdict(list)
        for segment in run:
            by_kind[segment.kind].append(segment)
        for kind, of_kind in by_kind.items():
            rows: list[tuple[Any, ...]] = []
            for segment in sorted(of_kind, key=number_in_run):
                read = column_of(index, segment, SORTED_BY[kind], *THEN_BY[kind])
                assert len(read) == segment.rows > 0
                keys = [row[0] for row in read]
                known = [key for key in keys if key is not None]
                assert segment.range == KeyRange(
                    min(known, default=None), max(known, default=None), None in keys
                )
                rows += read
            sortable = [[(True,) if v is None else (False, v) for v in row] for row in rows]
            assert sortable == sorted(sortable), (kind, len(of_kind))


def number_in_run(segment: Segment) -> int:
    _, _, number = segment.name.removesuffix(".parquet").partition(segment.run)
    return int(number.removeprefix("-") or 0)


def longest_run(index: Path, kind: str) -> int:
    """The most segments that a run has of one kind."""
    return max(len(of_run) for of_run in runs_of(live(index, kind)).values())


Step = Callable[[Path], object]


def steps(sources: Sources) -> Iterator[Step]:
    """What is done to an index as files come and change, each to be done before the next."""

    def adding(**files: Iterable[Record]) -> Step:
        """Files that come one after the other."""
        paths = [sources.put(name, records) for name, records in files.items()]

        def do(index: Path) -> None:
            for path in paths:
                add([path], index)

        return do

    many = some_records(1, 120)
    yield adding(a=many)
    # The same days again, with events that are there already, then two days often.
    again = [*some_records(2, 40), *many[:30]]
    yield adding(b=again, **{f"c{n}": some_records(10 + n, 12, days=2) for n in range(3)})
    # Half of a file's rows of some days are gone, but those that another gave as well stay.
    yield adding(a=[r for n, r in enumerate(many) if n % 2 or day_of(r) > date(2026, 3, 9)])
    yield compact
    sources.drop_before(date(2026, 3, 10))
    yield lambda index: drop_before(index, date(2026, 3, 10))
    # What was dropped does not come back from a file that grew, but from a new one.
    yield adding(b=[*again, *some_records(20, 20)], c1=[], d=some_records(21, 40, days=1))


def everything(index: Path) -> dict[str, list[dict[str, Any]]]:
    store = open_store(index)
    relations = ("events", "daily", "credentials")
    found = {name: store.query(f"select * from {name} order by all").rows for name in relations}
    store.close()
    return found


def test_the_same_is_held_however_small_the_segments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = Sources(tmp_path / "in")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    longest: dict[str, int] = {}
    aside = 0
    for do in steps(sources):
        do(whole)
        with monkeypatch.context() as patch:
            make_tiny(patch)
            do(cut)
        assert_holds(cut, sources.events())
        assert_in_order(cut)
        for kind in ("events", *CREDENTIAL_KINDS):
            longest[kind] = max(longest.get(kind, 0), longest_run(cut, kind))
        aside = max(aside, sum(segment.rows for segment in live(cut, "copies")))
    assert_holds(whole, sources.events())
    assert everything(cut) == everything(whole)
    assert longest_run(whole, "events") == longest_run(whole, "credentials_by_key") == 1
    assert min(longest.values()) > 2, longest
    assert aside == 30


def test_each_identity_is_found_in_whichever_segment_it_is(tmp_path: Path, tiny: None) -> None:
    records = some_records(3, 150, days=1)
    add([write(tmp_path / "a.json", records)], tmp_path / "index")
    assert longest_run(tmp_path / "index", "events") > 5
    store = open_store(tmp_path / "index")
    for who, count in Counter(map(identity_of, records)).items():
        condition = "is null" if who is None else "= $who"
        bound = {} if who is None else {"who": who}
        sql = f"select count(*) as n from events where identity_id {condition}"
        assert store.query(sql, bound).rows == [{"n": count}], who
    minted = Counter(
        record["responseElements"]["credentials"]["accessKeyId"]
        for record in records
        if record.get("responseElements")
    )
    assert minted
    for key, count in minted.items():
        sql = "select count(*) as n from credentials where minted_access_key_id = $key"
        assert store.query(sql, {"key": key}).rows == [{"n": count}]
    store.close()


def test_rollup_keys_and_credentials_of_many_identities_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4,500 identities, 1,024 rows to a segment: five of them."""
    sources = Sources(tmp_path / "in")
    records = [
        an_assumption(
            "reader", f"s{number}", key=f"ASIA{number * 7919 % 10_000:05}",
            userIdentity=a_user(principalId=f"AIDA{number:05}é", accessKeyId=f"AKIA{-number}"),
            requestParameters=None,
        )
        for number in range(4_500)
    ]  # fmt: skip
    path = sources.put("a", records)
    make_tiny(monkeypatch)
    monkeypatch.setattr(segments, "_COUNTED_AT_ONCE", 2_000)
    monkeypatch.setattr(segments, "ROW_GROUP", 512)
    monkeypatch.setattr(segments, "_SMALL_ROW_GROUP", 512)
    add([path], tmp_path / "index")
    assert_holds(tmp_path / "index", sources.events())
    assert_in_order(tmp_path / "index")
    for kind in ("daily", "keys", *CREDENTIAL_KINDS):
        assert longest_run(tmp_path / "index", kind) == 5, kind
    few = ask(
        tmp_path / "index", "select count from daily where identity_id = $who", who="AIDA04499é"
    )
    assert few == [{"count": 1}]


LONG_IDS = pytest.mark.parametrize(
    "who", [f"arn:aws:iam::{ACCOUNT}:user/{'x' * 300}/alice", "é" * 300], ids=["ascii", "accented"]
)
"""A user's path may be 512 characters. DuckDB shortens what it says of a column to 256 bytes, to a
bound that no row has, and says nothing where it cannot."""


@LONG_IDS
def test_long_identities_are_found(tmp_path: Path, who: str) -> None:
    records = [an_assumption(userIdentity=a_user(principalId=who)), an_assumption()]
    add([write(tmp_path / "a.json", records)], tmp_path / "index")
    for relation in ("events", "daily", "credentials"):
        sql = f"select identity_id from {relation} where identity_id = $who"
        assert ask(tmp_path / "index", sql, who=who) == [{"identity_id": who}]


@LONG_IDS
def test_index_with_long_identities_is_sound(tmp_path: Path, who: str) -> None:
    record = an_assumption(userIdentity=a_user(principalId=who))
    add([write(tmp_path / "a.json", [record])], tmp_path / "index")
    assert verify(tmp_path / "index").problems == ()


def test_many_small_additions_keep_few_runs_of_credentials(tmp_path: Path) -> None:
    sources = Sources(tmp_path / "in")
    for number in range(11):
        records = [
            an_assumption(key=f"ASIA{number}"),
            an_assumption(responseElements=None),
            an_event(),
        ]
        add([sources.put(f"{number}", records)], tmp_path / "index")
        runs = [set(runs_of(live(tmp_path / "index", kind))) for kind in CREDENTIAL_KINDS]
        assert runs[0] == runs[1] == runs[2]
        # Four small ones wait for a fifth, beside the few larger ones that came of some before.
        assert len(runs[0]) <= 6
    assert_holds(tmp_path / "index", sources.events())
    assert_in_order(tmp_path / "index")


def as_of_before(index: Path) -> None:
    """The index as it was written before segments had ranges: there is no table of them, no
    segment of keys, and the three orders of the credentials have names of their own."""
    with sqlite3.connect(index / CATALOG) as db:
        db.execute("drop table ranges")
        db.execute("delete from meta where key = 'digests'")  # an index of before has none
        db.execute("delete from segments where kind = 'keys'")
        for segment in live(index, *CREDENTIAL_KINDS):
            name = segment.name.replace(segment.run, uuid.uuid4().hex)
            (index / segment.name).rename(index / name)
            db.execute("update segments set name = ? where name = ?", (name, segment.name))
    db.close()


def test_index_without_ranges_goes_on_and_gets_them(tmp_path: Path) -> None:
    sources = Sources(tmp_path / "in")
    index = tmp_path / "index"

    def records(number: int, days: int) -> list[Record]:
        return [*some_records(30 + number, 10, days), *(an_assumption() for _ in range(9))]

    for number in range(3):
        add([sources.put(f"{number}", records(number, 3))], index)
    as_of_before(index)
    assert {segment.range for segment in live(index)} == {None}
    for number in range(3, 6):  # two days of three: not every day of a week is looked at
        add([sources.put(f"{number}", records(number, 2))], index)
        if number != 4:
            assert_holds(index, sources.events())
    runs = [set(runs_of(live(index, kind))) for kind in CREDENTIAL_KINDS]
    assert runs[0] == runs[1] == runs[2]  # what was there before is merged, in every order
    as_of_before(index)
    add([sources.put("0", [])], index)
    assert_holds(index, sources.events())
    as_of_before(index)
    compact(index)
    assert_holds(index, sources.events())
    assert_in_order(index)
    assert len(runs_of(live(index, *CREDENTIAL_KINDS))) == 1


class ShortOfMemory:
    """Has a step of the real merger run out of memory, its work done, so many times."""

    def __init__(self, patch: pytest.MonkeyPatch, step: str, times: int) -> None:
        self.times = times
        self.beside = 0  # how many steps ran when the last one was begun
        self._running = 0
        self._lock = threading.Lock()
        for name in ("roll_up", "credentials", "rewrite_day"):
            patch.setattr(Merger, name, self._watched(getattr(Merger, name), name == step))

    def _watched(self, real: Callable[..., Any], is_short: bool) -> Callable[..., Any]:
        def step(*arguments: Any) -> Any:
            with self._lock:
                self.beside = self._running
                self._running += 1
            try:
                made = real(*arguments)
                with self._lock:
                    if is_short and self.times:
                        self.times -= 1
                        raise duckdb.OutOfMemoryException("Out of Memory Error: no more")
                return made
            finally:
                with self._lock:
                    self._running -= 1

        return step


@pytest.mark.parametrize("step", ["roll_up", "credentials"])
def test_step_short_of_memory_is_done_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    sources = Sources(tmp_path / "in")
    first = some_records(40, 60)
    add([sources.put("a", first)], tmp_path / "index")
    second = sources.put("b", [*some_records(41, 60), *first[:5]])
    short = ShortOfMemory(monkeypatch, step, 1)
    add([second], tmp_path / "index")
    assert (short.times, short.beside) == (0, 0)
    assert_holds(tmp_path / "index", sources.events())
    assert_in_order(tmp_path / "index")


def test_day_short_of_memory_is_rewritten_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ran short at the copies, when the day's events were written already."""
    sources = Sources(tmp_path / "in")
    first = some_records(40, 60)
    add([sources.put("a", first)], tmp_path / "index")
    second = sources.put("b", [*some_records(41, 60), *first[:5]])
    real = Merger._stream
    failures = iter([duckdb.OutOfMemoryException("Out of Memory Error: no more")])

    def stream(self: Merger, selects: Iterable[str], kind: str, day: date) -> list[Segment]:
        if kind == "copies" and (failure := next(failures, None)) is not None:
            raise failure
        return real(self, selects, kind, day)

    monkeypatch.setattr(Merger, "_stream", stream)
    add([second], tmp_path / "index")
    assert next(failures, None) is None
    assert_holds(tmp_path / "index", sources.events())


@pytest.mark.parametrize("step", ["roll_up", "credentials", "rewrite_day"])
def test_step_always_short_of_memory_ends_the_build_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    sources = Sources(tmp_path / "in")
    index = tmp_path / "index"
    first = some_records(40, 60)
    add([sources.put("a", first)], index)
    events, held = sources.events(), everything(index)
    version = open_store(index).version()
    second = sources.put("b", [*some_records(41, 60), *first[:5]])
    with monkeypatch.context() as patch:
        ShortOfMemory(patch, step, 1_000)
        with pytest.raises(IndexUnreadable, match="took more memory than is allowed .* is intact"):
            add([second], index)
    assert open_store(index).version() == version
    assert everything(index) == held
    assert len(held["events"]) == len(events)
    assert all("left by a killed build" in problem for problem in verify(index).problems)
    add([second], index)
    assert_holds(index, sources.events())
