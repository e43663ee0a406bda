"""Damage is found: `verify` sees any flipped bit, and no answer is made of a damaged segment."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import tempfile
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich import ask_all
from tests.an_alert import an_alert
from tests.an_event import a_user, an_assumption, an_event
from trail.__main__ import main
from trail.errors import BacktrailError, IndexUnreadable, QueryFailed
from trail.index.build import add
from trail.index.catalog import Catalog, Publication, Reject, SourceFile
from trail.index.upkeep import Verification, compact, drop_before, migrate, verify
from trail.store import open_store
from trail.store.reread import RawRecord

HOURS = [(day, hour) for day in (9, 10, 11) for hour in (1, 9)]


def small_index(folder: Path) -> Path:
    """An index of three files: mints, a reject and a skipped file among what its catalog names."""
    logs = folder / "logs"
    logs.mkdir(parents=True)
    events = [
        an_event(
            eventID=f"{day}-{hour}",
            eventTime=f"2026-03-{day:02}T{hour:02}:00:00Z",
            userIdentity=a_user(("alice", "bob")[hour % 2]),
        )
        for day, hour in HOURS
    ]
    (logs / "a.json").write_text(json.dumps({"Records": [*events, an_assumption()]}))
    (logs / "b.jsonl").write_text(json.dumps(an_event(eventID="b")) + "\n{broken\n")
    (logs / "c.txt").write_text("no log")
    add([logs], folder / "index")
    return folder / "index"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return small_index(tmp_path)


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def test_any_flipped_bit_is_found(index: Path) -> None:
    """200 of 200, over the bytes of segments, rollups, catalog and its seal. Those in segments
    are made in several at once, since each is named."""
    found = verify(index)
    assert (found.problems, found.notes) == ((), ())
    catalog = [index / "catalog.sqlite", index / "catalog.sha256"]
    segments = sorted(index.rglob("*.parquet"))
    sizes = [path.stat().st_size for path in (*catalog, *segments)]
    chosen = random.Random(14)  # noqa: S311 # no secret
    rounds: list[dict[Path, int]] = []
    for path in chosen.choices([*catalog, *segments], sizes, k=200):
        bit = chosen.randrange(8 * path.stat().st_size)
        fitting = (r for r in rounds if path in segments and path not in r and {*r} <= {*segments})
        if (together := next(fitting, None)) is None:
            rounds.append(together := {})
        together[path] = bit
    assert sum(map(len, rounds)) == 200
    missed = []
    for flips in rounds:
        before = {path: path.read_bytes() for path in flips}
        for path, bit in flips.items():
            flip(path, bit)
        try:
            problems = verify(index).problems
        except BacktrailError as error:
            problems = (str(error),)
        for path in flips:
            if not (any(path.name in one for one in problems) if path in segments else problems):
                missed.append((path.name, flips[path]))
        for left in index.glob("catalog.sqlite-*"):
            left.unlink()
        for path, data in before.items():
            path.write_bytes(data)
    assert missed == []
    assert verify(index).problems == ()


def test_a_changed_value_is_found_where_the_bytes_are_not_known(index: Path) -> None:
    """What SQLite itself wrote is sound to it; and the seal is gone."""
    assert verify(index).notes == ()
    (index / "catalog.sha256").unlink()
    assert verify(index).problems == ()
    (note,) = verify(index).notes
    assert note.startswith(
        "catalog.sha256 is not there, so catalog.sqlite was verified by its rows"
    )
    for change in (
        "update files set records = records + 1 where path like '%a.json'",
        "update coverage set events = events + 1",
        "update meta set value = '9' where key = 'version'",
        "update segments set kind = 'copies' where kind = 'events'",
        "delete from rejects",
        "insert into skips values ('x', 'x', 'x', 1, 1)",
        "update ranges set low = 'A'",
    ):
        before = (index / "catalog.sqlite").read_bytes()
        with sqlite3.connect(index / "catalog.sqlite") as db:
            db.execute(change)
        db.close()
        table = re.search(r"(?:update|from|into) (\w+)", change)
        assert table is not None
        problems = verify(index).problems
        assert any(f"rows of {table[1]} are not those" in one for one in problems), change
        (index / "catalog.sqlite").write_bytes(before)


def test_verify_names_what_is_damaged(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rollup = next(index.rglob("*-daily-*.parquet"))
    flip(rollup, 8 * 100)
    assert main(["verify", "--index", str(index)]) == 1
    said = capsys.readouterr().out
    assert f"{rollup.name}: its bytes are not those that were written" in said


def test_a_damaged_segment_fails_the_query_and_gives_no_numbers(index: Path) -> None:
    store = open_store(index)
    assert store.query("select count(*) as n from events").rows == [{"n": 8}]
    segments = sorted(index.rglob("*-events-*.parquet"))
    for path in segments:
        before = path.read_bytes()
        flip(path, 8 * (len(before) // 3))
        with pytest.raises(QueryFailed, match=rf"{path.name} .*damaged.*python -m trail verify"):
            store.query("select count(*), max(error_code) from events")
        path.write_bytes(before)
    assert store.query("select count(*) as n, 1 as one from events").rows == [{"n": 8, "one": 1}]


def test_an_answer_from_a_damaged_rollup_is_failed(index: Path) -> None:
    for path in index.rglob("week-*/*.parquet"):
        flip(path, 8 * 50)
    alert = an_alert(an_event(eventID="11-1", eventTime="2026-03-11T01:00:00Z"))
    store = open_store(index)
    answers = {a.name: a for a in ask_all(alert, alert.principals[0], store)}
    assert answers["services_used"].status == "failed"
    assert "is damaged" in answers["services_used"].sentence
    assert "python -m trail verify" in answers["services_used"].sentence


def test_nothing_sound_is_made_of_a_damaged_segment(index: Path, tmp_path: Path) -> None:
    path = next(index.rglob("day=2026-03-10/*-events-*.parquet"))
    flip(path, 8 * (path.stat().st_size // 3))
    more = tmp_path / "more.json"
    more.write_text(json.dumps(an_event(eventID="more", eventTime="2026-03-10T02:00:00Z")))
    for change in (lambda: add([more], index), lambda: drop_before(index, date(2026, 3, 11))):
        with pytest.raises(IndexUnreadable, match=r"damaged.*migrate --force"):
            change()
    migrate(index, force=True)
    assert verify(index).problems == ()


def test_sums_and_seal_follow_every_kind_of_change(index: Path, tmp_path: Path) -> None:
    def is_sound() -> bool:
        with Catalog(index) as catalog:
            told = (index / "catalog.sha256").read_text().split()
            sealed = told[0] == sha256((index / "catalog.sqlite").read_bytes()).hexdigest()
            return sealed and catalog.changed_tables() == [] and catalog.wrong_bytes() is None

    assert is_sound()
    log = tmp_path / "logs" / "b.jsonl"
    log.write_text(json.dumps(an_event(eventID="other")))
    add([tmp_path / "logs"], index)
    assert is_sound()
    for number in range(2):
        (tmp_path / "logs" / f"n{number}.json").write_text(json.dumps(an_event()))
        add([tmp_path / "logs"], index)
        assert is_sound()
    compact(index)
    assert is_sound()
    drop_before(index, date(2026, 3, 10))
    assert is_sound()
    assert verify(index).problems == ()


def test_a_build_that_was_killed_leaves_no_false_alarm(index: Path) -> None:
    """It had published, and could not note the bytes any more."""
    seal = (index / "catalog.sha256").read_bytes()
    with Catalog(index) as catalog:
        catalog.publish(Publication(files=[SourceFile("/logs/x.json", 1, 1)]), 0.0)
    (index / "catalog.sha256").write_bytes(seal)
    assert verify(index).problems == ()


def test_an_index_of_before_says_that_it_has_no_digests(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (index / "catalog.sha256").unlink()
    with sqlite3.connect(index / "catalog.sqlite") as db:
        db.execute("alter table files drop column sha256")
        db.execute("alter table segments drop column sha256")
        db.execute("alter table segments drop column crc")
        db.execute("delete from meta where key = 'digests'")
    db.close()
    main(["status", "--index", str(index)])
    assert "2 source files and 8 segments have no digest" in capsys.readouterr().out
    assert main(["verify", "--index", str(index)]) == 0
    assert "have no digest, so what changed in them cannot be told" in capsys.readouterr().out
    store = open_store(index)
    found = store.read_again(["b"])["b"]
    assert isinstance(found, RawRecord)
    assert found.checked == "columns"
    assert found.remark is not None
    assert "no digest of the source file" in found.remark
    store.close()
    assert migrate(index) is not None
    assert verify(index) == Verification(8, 8, ())
    with sqlite3.connect(index / "catalog.sqlite") as db:
        db.execute("update meta set value = '3' where key = 'schema_version'")
    db.close()
    with pytest.raises(IndexUnreadable, match="schema 3, which has no digests"):
        verify(index)


paths = st.sampled_from([f"/logs/{n}.json" for n in range(6)])
files = st.builds(
    SourceFile,
    paths,
    st.integers(-2, 2**40),
    st.integers(0, 2**62),
    records=st.integers(0, 9),
    error=st.none() | st.text(st.characters(codec="utf-8"), max_size=5),
    sha256=st.sampled_from([b"", b"\0" * 32, b"\xff" * 32]),
)
changes = st.lists(
    st.tuples(
        st.lists(files, max_size=4, unique_by=lambda file: file.path),
        st.lists(paths, max_size=2, unique=True),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=10, deadline=None)
@given(changes)
def test_kept_sums_are_those_of_the_rows(published: list[Any]) -> None:
    """Whatever is published, put back after an error, or forgotten; and one row less is seen."""
    with tempfile.TemporaryDirectory() as folder, Catalog(Path(folder), create=True) as catalog:
        for number, (some, forgotten, fails) in enumerate(published):
            change = Publication(
                files=some,
                forget=forgotten,
                rejects=[(file.path, Reject(file.path, "0", "x")) for file in some[:2]],
                remove=[f"s{number}"],
                passed_over=dict.fromkeys(forgotten, 1),
            )
            try:
                with catalog.transaction():
                    catalog.put_files(change)
                    catalog.put_segments(change, float(number))
                    if fails:
                        raise KeyError
            except KeyError:
                pass
            assert catalog.changed_tables() == []
        catalog.forget_replaced(["s0"])
        assert catalog.changed_tables() == []
        some_row = catalog.files()[:1]
        other = sqlite3.connect(Path(folder) / "catalog.sqlite")
        for file in some_row:
            with other:
                other.execute(
                    "update files set mtime_ns = ? where path = ?", (1 ^ file.mtime_ns, file.path)
                )
        other.close()
        assert catalog.changed_tables() == (["files"] if some_row else [])
