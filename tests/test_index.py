"""An index is extended, never harmed: unchanged, grown, late, repeated and vanished files."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.an_event import ACCOUNT, a_role_session, an_assumption, an_event
from trail.errors import IndexBusy, IndexMissing, IndexUnreadable, SourceUnreadable
from trail.events import SCHEMA_VERSION
from trail.index.build import Progress, add
from trail.index.catalog import SEGMENTS, Catalog
from trail.index.lock import write_lock
from trail.index.upkeep import compact, drop_before, migrate, verify
from trail.store import DuckStore, open_store

ROOT = Path(__file__).parents[1]


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Records": records}))
    return path


def events_of(index: Path) -> list[tuple[str, str]]:
    """(event id, file it is shown from), every event, in order."""
    store = open_store(index)
    rows = store.query("select event_id, source_file from events order by all").rows
    store.close()
    return [(row["event_id"], row["source_file"]) for row in rows]


def ids_of(index: Path) -> list[str]:
    return [event_id for event_id, _ in events_of(index)]


def totals(index: Path) -> dict[str, int]:
    with Catalog(index) as catalog:
        return dict(catalog.totals())


def assert_sound(index: Path) -> None:
    assert verify(index).problems == ()


def test_unchanged_files_are_not_opened(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path / "in" / f"{number}.json", an_event())
    (tmp_path / "in" / "README.md").write_text("about")
    add([tmp_path / "in"], tmp_path / "index")
    opened: list[str] = []
    watching = True

    def watch(name: str, arguments: tuple[Any, ...]) -> None:
        if watching and name == "open" and str(tmp_path / "in") + "/" in str(arguments[0]):
            opened.append(str(arguments[0]))

    sys.addaudithook(watch)  # cannot be taken away again, hence `watching`
    version = open_store(tmp_path / "index").version()
    again = add([tmp_path / "in"], tmp_path / "index")
    assert (again.files_read, again.files_unchanged, again.events_added) == (0, 6, 0)
    assert opened == []
    assert open_store(tmp_path / "index").version() == version
    write(tmp_path / "in" / "new.json", an_event())
    add([tmp_path / "in"], tmp_path / "index")
    watching = False
    assert set(opened) == {str(tmp_path / "in" / "new.json")}


def test_grown_file_replaces_what_it_gave(tmp_path: Path) -> None:
    first, second, other, fourth = (an_event(eventID=one) for one in "1234")
    path = write(tmp_path / "in" / "grows.json", first)
    write(tmp_path / "in" / "other.json", other)
    add([tmp_path / "in"], tmp_path / "index")
    write(path, first, second)
    built = add([tmp_path / "in"], tmp_path / "index")
    assert (built.files_read, built.files_unchanged, built.events_added) == (1, 1, 1)
    assert (built.duplicates, built.events_gone) == (1, 0)  # it knew the first
    assert ids_of(tmp_path / "index") == ["1", "2", "3"]
    assert totals(tmp_path / "index")["duplicates"] == 0
    write(path, second, fourth)
    built = add([tmp_path / "in"], tmp_path / "index")
    assert (built.events_added, built.duplicates, built.events_gone) == (1, 1, 1)
    assert ids_of(tmp_path / "index") == ["2", "3", "4"]
    write(path)
    built = add([tmp_path / "in"], tmp_path / "index")
    assert (built.events_added, built.duplicates, built.events_gone) == (0, 0, 2)
    assert ids_of(tmp_path / "index") == ["3"]
    assert_sound(tmp_path / "index")


def test_changed_content_of_an_event_is_taken_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", an_event(eventID="1", eventName="Before"))
    add([path], tmp_path / "index")
    write(path, an_event(eventID="1", eventName="AfterWards"))
    add([path], tmp_path / "index")
    store = open_store(tmp_path / "index")
    assert store.query("select event_name from events").rows == [{"event_name": "AfterWards"}]


def test_repeats_vanish_and_survive_their_first_file(tmp_path: Path) -> None:
    shared, own = an_event(eventID="shared"), an_event(eventID="own")
    a = write(tmp_path / "in" / "a.json", shared, own, shared)
    b = write(tmp_path / "in" / "b.json", shared)
    built = add([tmp_path / "in"], tmp_path / "index")
    assert (built.events_added, built.duplicates) == (2, 2)
    c = write(tmp_path / "later" / "c.json", shared)
    built = add([c], tmp_path / "index")
    assert (built.events_added, built.duplicates) == (0, 1)
    assert events_of(tmp_path / "index") == [("own", str(a)), ("shared", str(a))]

    write(a, own)  # what b and c also gave must stay
    add([tmp_path / "in"], tmp_path / "index")
    assert events_of(tmp_path / "index") == [("own", str(a)), ("shared", str(b))]
    write(b)
    add([tmp_path / "in"], tmp_path / "index")
    assert events_of(tmp_path / "index") == [("own", str(a)), ("shared", str(c))]
    write(c)
    add([c], tmp_path / "index")
    assert events_of(tmp_path / "index") == [("own", str(a))]
    assert totals(tmp_path / "index")["duplicates"] == 0
    assert_sound(tmp_path / "index")


def test_unlike_calls_under_one_id_are_events_each(tmp_path: Path) -> None:
    """Made-up and edited logs give many records one id: none of them hides another."""
    names = ("CreateUser", "DeleteTrail", "DeleteTrail", "StopLogging")
    calls = [an_event(eventID="shared", eventName=name) for name in names]
    later = an_event(eventID="shared", eventName="GetUser", eventTime="2026-03-12T12:00:00Z")
    a = write(tmp_path / "a.json", *calls[:3])
    built = add([a], tmp_path / "index")
    assert (built.events_added, built.duplicates) == (2, 1)
    built = add([write(tmp_path / "b.json", *calls[2:], later)], tmp_path / "index")
    assert (built.events_added, built.duplicates) == (2, 1)
    store = open_store(tmp_path / "index")
    rows = store.query("select event_name, call_id from events order by event_name").rows
    assert [row["event_name"] for row in rows] == [
        "CreateUser", "DeleteTrail", "GetUser", "StopLogging"
    ]  # fmt: skip
    assert {row["call_id"] for row in rows} == {None}
    rolled = store.query("select sum(count) as n from daily").rows
    assert rolled == [{"n": 4}]
    assert json.loads(store.raw_records(["shared"])["shared"])["eventName"] in names
    write(a, calls[0])  # what the other file also gave stays
    add([a], tmp_path / "index")
    assert len(events_of(tmp_path / "index")) == 4
    assert_sound(tmp_path / "index")


def test_both_copies_of_a_cross_account_call_are_kept(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        an_event(eventID="1", sharedEventID="s"),
        an_event(eventID="2", sharedEventID="s", recipientAccountId="999988887777"),
        an_event(eventID="1", sharedEventID="s", recipientAccountId="999988887777"),
    )
    assert add([path], tmp_path / "index").events_added == 3


def test_vanished_file_keeps_its_events(tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "a.json", an_event(eventID="1"))
    add([tmp_path / "in"], tmp_path / "index")
    path.unlink()
    add([tmp_path / "in"], tmp_path / "index")
    assert ids_of(tmp_path / "index") == ["1"]
    with pytest.raises(SourceUnreadable, match="not there any more"):
        open_store(tmp_path / "index").raw_records(["1"])


def test_late_events_land_in_their_day(tmp_path: Path) -> None:
    early = an_event(eventID="early", eventTime="2026-03-01T23:59:59Z")
    late = an_event(eventID="late", eventTime="2026-03-01T00:00:00Z")
    add([write(tmp_path / "a.json", early)], tmp_path / "index")
    add([write(tmp_path / "b.json", late, an_event(eventID="now"))], tmp_path / "index")
    day = datetime(2026, 3, 1, 12)
    store = open_store(tmp_path / "index")
    rows = store.query("select event_id from events order by 1", first=day, last=day).rows
    assert [row["event_id"] for row in rows] == ["early", "late"]
    rolled = store.query("select sum(count) as n from daily", first=day, last=day).rows
    assert rolled == [{"n": 2}]


def test_small_segments_are_merged(tmp_path: Path) -> None:
    names = []
    for number in range(12):
        names.append(f"{number:02}")
        path = write(tmp_path / f"{number}.json", an_event(eventID=names[-1]))
        add([path], tmp_path / "index")
        with Catalog(tmp_path / "index") as catalog:
            assert len(catalog.segments("events")) <= 5
    assert ids_of(tmp_path / "index") == names
    compact(tmp_path / "index")
    with Catalog(tmp_path / "index") as catalog:
        assert len(catalog.segments("events")) == 1
    assert ids_of(tmp_path / "index") == names
    assert_sound(tmp_path / "index")


def test_segments_are_sorted_named_and_versioned(tmp_path: Path) -> None:
    records = [
        an_event(eventTime=f"2026-03-10T{hour:02}:00:00Z", userIdentity=a_role_session(role))
        for hour in (3, 1, 2)
        for role in ("b", "a", "é")
    ]
    add([write(tmp_path / "a.json", *records, an_event(userIdentity={}))], tmp_path / "index")
    with Catalog(tmp_path / "index") as catalog:
        (segment,) = catalog.segments("events")
    assert segment.name.startswith(f"{SEGMENTS}/day=2026-03-10/v{SCHEMA_VERSION}-events-")
    assert segment.schema_version == SCHEMA_VERSION
    rows = pq.read_table(tmp_path / "index" / segment.name)
    keys = list(zip(rows["identity_id"].to_pylist(), rows["event_time"].to_pylist(), strict=True))
    known = [key for key in keys if key[0] is not None]
    assert known == sorted(known, key=lambda key: (key[0].encode(), key[1]))
    assert keys[-1][0] is None


def test_credentials_follow_the_events(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        an_assumption("reader", key="ASIA1"),
        an_event(),
        an_event(eventSource="signin.amazonaws.com", eventName="ConsoleLogin"),
    )
    add([path], tmp_path / "index")

    def minted(where: str) -> list[str]:
        rows = open_store(tmp_path / "index").query(
            f"select event_name from credentials where {where} order by 1"
        )
        return [row["event_name"] for row in rows.rows]

    assert minted("minted_access_key_id = 'ASIA1'") == ["AssumeRole"]
    assert minted("true") == ["AssumeRole", "ConsoleLogin"]
    for number in range(2, 9):
        more = write(tmp_path / f"{number}.json", an_assumption("reader", key=f"ASIA{number}"))
        add([more], tmp_path / "index")
    assert len(minted("true")) == 9
    with Catalog(tmp_path / "index") as catalog:
        assert len(catalog.segments("credentials_by_key")) <= 5
    write(path, an_event())
    add([path], tmp_path / "index")
    assert minted("true") == ["AssumeRole"] * 7
    assert minted("minted_access_key_id in ('ASIA1', 'ASIA2')") == ["AssumeRole"]
    assert_sound(tmp_path / "index")


def test_rollup_counts_what_a_plain_count_counts(tmp_path: Path) -> None:
    records = [
        an_event(
            eventID=str(number % 50),  # half of them repeats
            eventName=("GetObject", "PutObject")[number % 2],
            errorCode="AccessDenied" if number % 10 == 0 else None,
        )
        for number in range(100)
    ]
    add([write(tmp_path / "a.json", *records)], tmp_path / "index")
    rows = (
        open_store(tmp_path / "index")
        .query("select event_name, error_code, count, failed from daily order by all")
        .rows
    )
    assert [tuple(row.values()) for row in rows] == [
        ("GetObject", "AccessDenied", 5, 5),
        ("GetObject", None, 20, 0),
        ("PutObject", None, 25, 0),
    ]


def test_coverage_knows_days_accounts_and_gaps(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        an_event(eventTime="2026-03-01T10:00:00Z"),
        an_event(eventTime="2026-03-03T11:00:00Z"),
        an_event(eventTime="2026-03-03T12:00:00Z", recipientAccountId="999988887777",
                 awsRegion="us-east-1"),
    )  # fmt: skip
    add([path], tmp_path / "index")
    store = open_store(tmp_path / "index")
    summary = store.summary()
    assert (summary.events, summary.accounts, summary.regions) == (
        3, (ACCOUNT, "999988887777"), ("eu-west-1", "us-east-1"))  # fmt: skip
    assert summary.first is not None
    assert summary.first.isoformat() == "2026-03-01T10:00:00+00:00"
    window = (datetime(2026, 3, 1), datetime(2026, 3, 3, 23))
    mine = store.coverage([ACCOUNT], *window)
    assert (mine.status, mine.events, mine.missing) == ("partial", 2, (date(2026, 3, 2),))
    assert store.coverage(["000000000000"], *window).status == "not_covered"
    assert store.coverage(None, window[1], window[1]).status == "covered"


def test_drop_takes_whole_days(tmp_path: Path) -> None:
    for day in range(1, 5):
        when = f"2026-03-0{day}T12:00:00Z"
        write(
            tmp_path / "in" / f"{day}.json",
            an_event(eventID=f"e{day}", eventTime=when),
            an_assumption(eventID=f"k{day}", key=f"ASIA{day}", eventTime=when),
        )
    add([tmp_path / "in"], tmp_path / "index")
    assert drop_before(tmp_path / "index", date(2026, 3, 3)) == 4
    assert ids_of(tmp_path / "index") == ["e3", "e4", "k3", "k4"]
    store = open_store(tmp_path / "index")
    kept = store.query("select minted_access_key_id as k from credentials order by 1").rows
    assert [row["k"] for row in kept] == ["ASIA3", "ASIA4"]
    assert store.summary().events == 4
    # The files are known: dropped days do not come back by themselves.
    assert add([tmp_path / "in"], tmp_path / "index").files_read == 0
    assert_sound(tmp_path / "index")


def on_day(day: int, event_id: str) -> dict[str, Any]:
    return an_event(eventID=event_id, eventTime=f"2026-03-0{day}T12:00:00Z")


def test_dropped_days_do_not_come_back_from_their_files(tmp_path: Path) -> None:
    index = tmp_path / "index"
    write(tmp_path / "in" / "old.json", on_day(1, "old"))
    both = write(tmp_path / "in" / "both.json", on_day(2, "early"), on_day(4, "late"))
    write(tmp_path / "in" / "new.json", on_day(5, "new"))
    add([tmp_path / "in"], index)
    assert drop_before(index, date(2026, 3, 3)) == 2
    assert ids_of(index) == ["late", "new"]

    write(both, on_day(2, "early"), on_day(4, "late"), on_day(4, "later"))  # it has grown
    assert add([tmp_path / "in"], index).events_added == 1
    assert ids_of(index) == ["late", "later", "new"]
    assert_sound(index)

    (tmp_path / "in" / "old.json").unlink()  # nothing of it is indexed, so it is not missed
    built = migrate(index)
    assert built is None
    built = migrate(index, force=True)
    assert built is not None
    assert (built.events_added, built.files_read) == (3, 2)
    assert ids_of(index) == ["late", "later", "new"]
    assert open_store(index).summary().first == datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert_sound(index)

    # The migrated index remembers as well; a file that was never dropped from may bring any day.
    write(tmp_path / "in" / "old.json", on_day(1, "old"))
    write(both, on_day(2, "early"), on_day(4, "late"))
    write(tmp_path / "in" / "found.json", on_day(1, "found"))
    add([tmp_path / "in"], index)
    assert ids_of(index) == ["found", "late", "new"]
    assert_sound(index)


def test_dropped_sources_that_are_gone_do_not_stop_a_migration(tmp_path: Path) -> None:
    index = tmp_path / "index"
    old = write(tmp_path / "in" / "old.json", on_day(1, "old"))
    write(tmp_path / "in" / "new.json", on_day(5, "new"))
    add([tmp_path / "in"], index)
    drop_before(index, date(2026, 3, 3))
    old.unlink()
    with sqlite3.connect(index / "catalog.sqlite") as db:
        db.execute("update meta set value = '1' where key = 'schema_version'")
    db.close()
    built = migrate(index)
    assert built is not None
    assert ids_of(index) == ["new"]


def test_an_index_of_before_drops_were_remembered_is_used(tmp_path: Path) -> None:
    index = tmp_path / "index"
    write(tmp_path / "in" / "old.json", on_day(1, "old"))
    add([tmp_path / "in"], index)
    with sqlite3.connect(index / "catalog.sqlite") as db:
        db.execute("drop table dropped")
    db.close()
    assert drop_before(index, date(2026, 3, 3)) == 1
    (tmp_path / "in" / "old.json").touch()
    assert add([tmp_path / "in"], index).events_added == 0
    with Catalog(index) as catalog:
        assert catalog.changed_tables() in ([], None)


def test_verify_finds_damage(tmp_path: Path) -> None:
    add([write(tmp_path / "a.json", an_assumption())], tmp_path / "index")
    with Catalog(tmp_path / "index") as catalog:
        by_kind = {segment.kind: segment for segment in catalog.segments()}
    events = tmp_path / "index" / by_kind["events"].name
    data = bytearray(events.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    events.write_bytes(data)
    (tmp_path / "index" / by_kind["daily"].name).unlink()
    stray = events.with_name("v1-events-stray.parquet")
    stray.write_bytes(b"x")
    said = "\n".join(verify(tmp_path / "index").problems)
    assert by_kind["events"].name in said
    assert f"{by_kind['daily'].name}: missing" in said
    assert "stray.parquet: no catalog entry" in said


def test_migrate_reads_the_sources_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", an_event(eventID="1"), an_event(eventID="2"))
    add([path], tmp_path / "index")
    assert migrate(tmp_path / "index") is None
    built = migrate(tmp_path / "index", force=True)
    assert built is not None
    assert built.events_added == 2
    assert ids_of(tmp_path / "index") == ["1", "2"]
    migrate(tmp_path / "index", force=True)  # mostly within the same second
    old = list(tmp_path.glob(f"index.schema-{SCHEMA_VERSION}-*"))
    assert [ids_of(one) for one in old] == [["1", "2"]] * 2


def test_two_builds_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", an_event())
    add([path], tmp_path / "index")
    with write_lock(tmp_path / "index"):
        done = subprocess.run(
            [sys.executable, "-m", "trail", "add", str(path), "--index", str(tmp_path / "index")],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert f"Process {os.getpid()} is building" in done.stderr
        with pytest.raises(IndexBusy):
            drop_before(tmp_path / "index", date(2026, 1, 1))
        assert len(ids_of(tmp_path / "index")) == 1  # readers are not affected
    add([path], tmp_path / "index")


def test_full_disk_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    kept = write(tmp_path / "a.json", an_event(eventID="kept"))
    add([kept], tmp_path / "index")
    noise = [an_event(requestParameters={"n": os.urandom(2_000).hex()}) for _ in range(200)]
    write(tmp_path / "big.json", *noise)
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        "from trail.__main__ import main;"
        "sys.exit(main(['add', sys.argv[1], '--index', sys.argv[2]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "big.json"), str(tmp_path / "index")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "is full. What was published before is intact" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert ids_of(tmp_path / "index") == ["kept"]
    assert add([tmp_path / "big.json"], tmp_path / "index").events_added == 200
    assert_sound(tmp_path / "index")


def test_readers_see_whole_publications_only(tmp_path: Path) -> None:
    """Each add changes ten days at once; a reader must never count a part of them."""
    index = tmp_path / "index"

    def lot(number: int) -> Path:
        return write(
            tmp_path / f"{number}.json",
            *(
                an_event(eventID=f"{number}-{day}", eventTime=f"2026-03-{day:02}T00:00:00Z")
                for day in range(1, 11)
            ),
        )

    add([lot(0)], index)
    counts: list[int] = []
    failures: list[Exception] = []
    done = threading.Event()

    def read(store: DuckStore) -> None:
        while not done.is_set():
            try:
                counts.append(store.query("select count(*) as n from events").rows[0]["n"])
            except Exception as error:  # whatever it is, the test must fail with it
                failures.append(error)

    store = open_store(index)
    readers = [threading.Thread(target=read, args=(store,)) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 7):
        add([lot(number)], index)
    compact(index)
    done.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert {count % 10 for count in counts} == {0}
    assert store.query("select count(*) as n from events").rows == [{"n": 70}]


def test_replaced_segments_outlive_their_readers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", an_event())
    add([path], tmp_path / "index")
    with Catalog(tmp_path / "index") as catalog:
        (before,) = catalog.segments("events")
    write(path, an_event(), an_event())
    add([path], tmp_path / "index")
    assert (tmp_path / "index" / before.name).is_file()
    with Catalog(tmp_path / "index") as catalog:
        assert catalog.replaced_before(time.time() + 1)
        assert before.name not in {segment.name for segment in catalog.segments()}


def test_missing_paths_and_indexes_are_said(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="There is no file or folder"):
        add([tmp_path / "nothing"], tmp_path / "index")
    with pytest.raises(IndexMissing, match="python -m trail add"):
        open_store(tmp_path / "none")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own is for one user alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)
        for path in Path(name).rglob("*"):  # so that it can be removed
            if path.is_dir():
                path.chmod(0o755)


# Imports come first: nobody may not be allowed to read the interpreter's own library.
AS_NOBODY = (
    "import os, sys, trail.index.progress, trail.index.upkeep, trail.store\n"
    "from trail.__main__ import main\n"
    "os.geteuid() or os.setuid(65534)\n"
)


def as_nobody(code: str, *arguments: Path) -> list[str]:
    """What the code prints, line by line, run by a user whom permissions bind."""
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY + code, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return (done.stdout + done.stderr).splitlines()


def forbid(index: Path) -> None:
    for path in [index, *index.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_readers_need_no_permission_to_write(open_folder: Path) -> None:
    index = open_folder / "index"
    add([write(open_folder / "a.json", an_event(eventID="1"))], index)
    forbid(index)
    ask = (
        "store = trail.store.open_store(sys.argv[1]);"
        "print(store.query('select event_id from events').rows);"
        "main(['status', '--index', sys.argv[1]])"
    )
    said = as_nobody(ask, index)
    assert said[0] == "[{'event_id': '1'}]"
    assert said[1].startswith("1 event from 1 file")
    (told,) = as_nobody("main(sys.argv[1:])", Path("compact"), Path(f"--index={index}"))
    assert "cannot be written" in told
    assert "Move the folder away" not in told


def test_reader_without_permission_follows_a_build(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it runs (its log is there) and after it has ended (there is none again)."""
    monkeypatch.setenv("BACKTRAIL_READABLE_BY", "group")  # else the index is its builder's alone
    index = open_folder / "index"
    add([write(open_folder / "a.json", an_event(eventID="1"))], index)
    forbid(index)
    code = (
        "store = trail.store.open_store(sys.argv[1])\n"
        "ask = lambda: print(store.query('select count(*) as n from events').rows[0]['n'],"
        " flush=True); ask();\n"
        "for line in sys.stdin: ask()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", AS_NOBODY + code, index],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as reader:  # fmt: skip
        assert reader.stdin is not None
        assert reader.stdout is not None

        def asked_again() -> str:
            print(file=reader.stdin, flush=True)
            return reader.stdout.readline()

        seen = [reader.stdout.readline()]
        if os.geteuid() != 0:
            for path in [index, *index.rglob("*")]:
                path.chmod(0o755 if path.is_dir() else 0o644)
        add([write(open_folder / "b.json", an_event(eventID="2"))], index)
        with Catalog(index) as held:  # keeps the log where it is
            held.version()
            seen.append(asked_again())
            add([write(open_folder / "c.json", an_event(eventID="3"))], index)
            seen.append(asked_again())
        add([write(open_folder / "d.json", an_event(eventID="4"))], index)
        seen.append(asked_again())
    assert seen == ["1\n", "2\n", "3\n", "4\n"]


def test_index_folders_that_cannot_be_are_said(open_folder: Path) -> None:
    source = write(open_folder / "a.json", an_event())
    (open_folder / "file").write_text("x")
    for below in ("file", "file/deeper"):
        with pytest.raises(IndexUnreadable, match="cannot be made .* another with --index"):
            add([source], open_folder / below)
    shut = open_folder / "shut"
    shut.mkdir()
    shut.chmod(0)
    for arguments in (["add", str(source)], ["status"]):
        (said,) = as_nobody(
            "main(sys.argv[1:])", *map(Path, arguments), Path(f"--index={shut}/index")
        )
        assert "Permission denied" in said
        assert "Check its permissions" in said


def test_progress_reaches_its_end(tmp_path: Path) -> None:
    seen: list[Progress] = []
    for number in range(3):
        write(tmp_path / "in" / f"{number}.json", an_event(), an_event())
    add([tmp_path / "in"], tmp_path / "index", progress=seen.append)
    assert (seen[0].files_done, seen[0].files_total) == (0, 3)
    last = seen[-1]
    assert (last.files_done, last.bytes_done, last.events) == (3, last.bytes_total, 6)


def test_worker_processes_give_the_same_index(tmp_path: Path) -> None:
    """Enough text that two processes share it; each event is there once, from where it was."""
    start = datetime(2026, 3, 1)
    for number in range(60):
        when = start + timedelta(hours=number)
        write(
            tmp_path / "in" / f"x_{when:%Y%m%dT%H%M}Z_.json",
            *(
                an_event(
                    eventID=f"{number}-{n}",
                    eventTime=when.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    requestParameters={"padding": "x" * 20_000},
                )
                for n in range(30)
            ),
        )
    built = add([tmp_path / "in"], tmp_path / "index", workers=2, round_bytes=12 << 20)
    assert (built.events_added, built.files_read, built.rejected) == (1_800, 60, 0)
    alone = add([tmp_path / "in"], tmp_path / "alone", workers=0)
    assert alone.events_added == 1_800
    assert events_of(tmp_path / "index") == events_of(tmp_path / "alone")
    assert_sound(tmp_path / "index")


def test_rival_counts_agree(tmp_path: Path) -> None:
    """DuckDB's own JSON reader, asked about the raw file, counts what the index counts."""
    records = [an_event(eventName=f"Call{n % 7}") for n in range(70)]
    path = write(tmp_path / "a.json", *records)
    add([path], tmp_path / "index")
    raw = duckdb.sql(
        "select r.eventName as name, count(*) as n from (select unnest(Records) as r from"
        f" read_json_auto('{path}')) group by all order by all"
    ).fetchall()
    mine = (
        open_store(tmp_path / "index")
        .query("select event_name, count(*) as n from events group by all order by all")
        .rows
    )
    assert [tuple(row.values()) for row in mine] == raw
