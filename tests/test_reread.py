"""A record that is read again is the one that was indexed, or is refused in words."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sqlite3
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cases import evidence
from cases.database import Database
from cases.errors import NotFound
from tests.a_case import a_case
from tests.a_page import words
from tests.an_event import a_user, an_event
from trail.errors import SourceUnreadable
from trail.index.build import add
from trail.index.catalog import Catalog
from trail.store import open_store
from trail.store.reread import RawRecord
from ui.cases.case_evidence import _only_by_columns
from ui.kit.markup import texts

pytest_plugins = ("tests.case_databases",)

EVENTS = [
    an_event(eventID=f"e{n}", tlsDetails={"tlsVersion": "TLSv1.3"}, userIdentity=a_user(f"u{n}"))
    for n in range(5)
]


def log_of(*events: dict[str, Any]) -> bytes:
    return json.dumps({"Records": list(events)}).encode()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """An indexed file of five events."""
    path = tmp_path / "logs" / "log.json"
    path.parent.mkdir()
    path.write_bytes(log_of(*EVENTS))
    add([path], tmp_path / "index")
    return path


def again(tmp_path: Path, event_id: str) -> RawRecord | SourceUnreadable:
    store = open_store(tmp_path / "index")
    try:
        return store.read_again([event_id])[event_id]
    finally:
        store.close()


def test_a_file_that_is_as_it_was_vouches_for_its_records(tmp_path: Path, log: Path) -> None:
    found = again(tmp_path, "e3")
    assert isinstance(found, RawRecord)
    assert json.loads(found.text) == EVENTS[3]
    assert found.sha256 == hashlib.sha256(log.read_bytes()).hexdigest()
    assert (found.checked, found.remark) == ("file", None)
    assert (found.source_file, found.source_ordinal) == (str(log), 3)


def test_a_record_that_moved_is_found_and_what_is_not_proven_is_said(
    tmp_path: Path, log: Path
) -> None:
    log.write_bytes(log_of(*reversed(EVENTS)))
    for number, event in enumerate(EVENTS):
        found = again(tmp_path, f"e{number}")
        assert isinstance(found, RawRecord)
        assert json.loads(found.text) == event
        assert (found.checked, found.source_ordinal) == ("columns", number)
        assert found.found_at == 4 - number
        assert found.remark is not None
        assert "has changed since it was indexed" in found.remark
        assert ("stands elsewhere" in found.remark) == (number != 2)


def test_a_change_that_no_column_shows_is_told_by_the_file(tmp_path: Path, log: Path) -> None:
    changed = [event | {"tlsDetails": {"tlsVersion": "TLSv1.2"}} for event in EVENTS]
    log.write_bytes(log_of(*changed))
    found = again(tmp_path, "e1")
    assert isinstance(found, RawRecord)
    assert found.checked == "columns"
    assert found.remark is not None
    assert found.remark.endswith("what no column holds is not proven.")


@pytest.mark.parametrize("first", ["forged", "true"])
def test_of_two_records_that_no_column_tells_apart_neither_is_shown(
    tmp_path: Path, log: Path, first: str
) -> None:
    forged = EVENTS[3] | {"tlsDetails": {"tlsVersion": "FORGED"}}
    two = [forged, EVENTS[3]] if first == "forged" else [EVENTS[3], forged]
    log.write_bytes(log_of(*EVENTS[:3], *two, EVENTS[4]))
    found = again(tmp_path, "e3")
    assert isinstance(found, SourceUnreadable)
    assert "several records of event e3 that the index cannot tell apart" in str(found)
    # The very record twice is no question.
    log.write_bytes(log_of(EVENTS[3], *EVENTS))
    assert isinstance(again(tmp_path, "e3"), RawRecord)


def test_a_link_to_a_file_that_the_catalog_does_not_name_shows_nothing_of_it(
    tmp_path: Path, log: Path, sqlite_database: Database
) -> None:
    other = tmp_path / "other.json"
    other.write_bytes(log_of(EVENTS[3] | {"tlsDetails": {"tlsVersion": "FORGED"}}))
    was = log.read_bytes()
    log.unlink()
    log.symlink_to(other)
    found = again(tmp_path, "e3")
    assert isinstance(found, SourceUnreadable)
    assert "leads to another file now" in str(found)
    with open_store(tmp_path / "index") as store, pytest.raises(NotFound, match="leads to another"):
        evidence.pin_event(sqlite_database, "ann", a_case(sqlite_database).id, "e3", store)
    # Where the bytes are those that were indexed, it does not matter where they are.
    other.write_bytes(was)
    assert isinstance(again(tmp_path, "e3"), RawRecord)


@pytest.mark.parametrize(
    "change",
    [
        {"awsRegion": "us-east-1"},
        {"requestParameters": {"a": 1}},
        {"userIdentity": a_user("mallory")},
        {"eventTime": "2026-03-10T12:00:01Z"},
        {"errorCode": "AccessDenied"},
    ],
)
def test_a_record_that_changed_is_refused(
    tmp_path: Path, log: Path, change: dict[str, Any]
) -> None:
    log.write_bytes(log_of(*EVENTS[:2], EVENTS[2] | change, *EVENTS[3:]))
    found = again(tmp_path, "e2")
    assert isinstance(found, SourceUnreadable)
    assert "has changed since it was indexed: its record of event e2 says something" in str(found)
    assert "The index keeps its columns" in str(found)
    with pytest.raises(SourceUnreadable, match="has changed since it was indexed"):
        open_store(tmp_path / "index").raw_records(["e2"])
    assert isinstance(again(tmp_path, "e1"), RawRecord)


def test_a_record_that_went_is_refused(tmp_path: Path, log: Path) -> None:
    log.write_bytes(log_of(*EVENTS[:2]))
    found = again(tmp_path, "e4")
    assert isinstance(found, SourceUnreadable)
    assert "it no longer holds event e4" in str(found)
    log.write_bytes(b"something else")
    assert "no longer holds" in str(again(tmp_path, "e4"))


def test_every_form_of_file_has_its_digest_and_gives_its_records(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.json.gz").write_bytes(gzip.compress(log_of(an_event(eventID="gz"))))
    twice = gzip.compress(log_of(an_event(eventID="1st"))) + gzip.compress(b"\n")
    (logs / "b.json.gz").write_bytes(twice)
    (logs / "c.jsonl").write_text(
        "".join(json.dumps(an_event(eventID=f"l{n}")) + "\n" for n in (1, 2))
    )
    with zipfile.ZipFile(logs / "d.zip", "w") as archive:
        archive.writestr("in/e.json", log_of(an_event(eventID="zip")))
    (logs / "f.json").write_bytes(log_of(an_event(eventID="odd", userAgent="\ud800")))
    add([logs], tmp_path / "index")
    store = open_store(tmp_path / "index")
    found = store.read_again(["gz", "1st", "l1", "l2", "zip", "odd"])
    assert {name: one.checked for name, one in found.items() if isinstance(one, RawRecord)} == (
        dict.fromkeys(["gz", "1st", "l1", "l2", "zip", "odd"], "file")
    )
    for file in store.files():
        assert file.sha256 == hashlib.sha256(Path(file.path).read_bytes()).digest(), file.path


def test_only_files_that_the_catalog_names_are_opened(tmp_path: Path, log: Path) -> None:
    """A foreign index whose rows point elsewhere; and one whose catalog does."""
    secret = tmp_path / "secret.json"
    secret.write_bytes(log.read_bytes())
    with sqlite3.connect(tmp_path / "index" / "catalog.sqlite") as db:
        db.execute("update files set path = ?", (str(secret),))
    db.close()
    found = again(tmp_path, "e0")
    assert isinstance(found, SourceUnreadable)
    assert "no file that the catalog names" in str(found)


def test_a_catalog_that_names_a_file_of_this_machine_shows_nothing_of_it(
    tmp_path: Path, log: Path
) -> None:
    log.write_text("root:$6$secret:19000:0:99999:7:::\n")
    told = hashlib.sha256(log.read_bytes()).digest()
    for sha256 in (b"\0" * 32, told):  # even where the index knows its digest
        with sqlite3.connect(tmp_path / "index" / "catalog.sqlite") as db:
            db.execute("update files set sha256 = ?", (sha256,))
        db.close()
        found = again(tmp_path, "e0")
        assert isinstance(found, SourceUnreadable)
        assert "$6$" not in str(found)
    other = an_event(eventID="e0", requestParameters={"password": "hunter2"})
    log.write_bytes(log_of(other))
    with sqlite3.connect(tmp_path / "index" / "catalog.sqlite") as db:
        db.execute("update files set sha256 = ?", (hashlib.sha256(log.read_bytes()).digest(),))
    db.close()
    found = again(tmp_path, "e0")
    assert isinstance(found, SourceUnreadable)
    assert "the index is damaged" in str(found)
    log.unlink()
    os.mkfifo(log)  # opening it would wait for ever
    assert "not there any more" in str(again(tmp_path, "e0"))


def copy_of(log: Path) -> Path:
    """A second file of the same bytes that the index knows; its events are the first's."""
    copy = log.with_name("copy.json")
    copy.write_bytes(log.read_bytes())
    add([copy], log.parent.parent / "index")
    return copy


@pytest.mark.parametrize("harm", ["gone", "changed", "reordered", "a link elsewhere"])
def test_another_file_of_the_same_bytes_is_read_instead(
    tmp_path: Path, log: Path, harm: str
) -> None:
    copy = copy_of(log)
    log.unlink()
    if harm == "changed":
        log.write_bytes(log_of(EVENTS[3] | {"awsRegion": "us-east-1"}))
    elif harm == "reordered":  # its columns would agree, but the copy's bytes prove all of it
        log.write_bytes(log_of(*reversed(EVENTS)))
    elif harm == "a link elsewhere":
        log.symlink_to("/etc/passwd")
    found = again(tmp_path, "e3")
    assert isinstance(found, RawRecord)
    assert json.loads(found.text) == EVENTS[3]
    assert (found.checked, found.read_from) == ("file", str(copy))
    assert (found.source_file, found.source_ordinal, found.found_at) == (str(log), 3, 3)
    assert found.remark is not None
    assert str(copy) in found.remark
    said = found.provenance()
    assert said["sha256"] == said["sha256_now"] == hashlib.sha256(copy.read_bytes()).hexdigest()
    assert (said["file_changed"], said["read_from"]) == (None, str(copy))


def test_a_renamed_file_that_was_added_again_gives_its_records(tmp_path: Path, log: Path) -> None:
    renamed = log.rename(log.with_name("renamed.json"))
    assert isinstance(again(tmp_path, "e3"), SourceUnreadable)  # the catalog does not name it yet
    add([renamed], tmp_path / "index")
    found = again(tmp_path, "e3")
    assert isinstance(found, RawRecord)
    assert json.loads(found.text) == EVENTS[3]


def test_a_touched_file_whose_copy_went_gives_its_records(tmp_path: Path, log: Path) -> None:
    copy = copy_of(log)
    os.utime(log, (1, 1))
    add([log], tmp_path / "index")
    copy.unlink()
    found = again(tmp_path, "e3")
    assert isinstance(found, RawRecord)
    assert json.loads(found.text) == EVENTS[3]


def test_a_renamed_archive_and_a_renamed_gzip_give_their_records(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    with zipfile.ZipFile(logs / "a.zip", "w") as archive:
        archive.writestr("in/e.json", log_of(an_event(eventID="zip")))
    (logs / "b.json.gz").write_bytes(gzip.compress(log_of(an_event(eventID="gz"))))
    add([logs], tmp_path / "index")
    (logs / "a.zip").rename(logs / "moved.zip")
    (logs / "b.json.gz").rename(logs / "moved.gz")
    add([logs], tmp_path / "index")
    for event_id in ("zip", "gz"):
        found = again(tmp_path, event_id)
        assert isinstance(found, RawRecord)
        assert json.loads(found.text)["eventID"] == event_id


def test_a_copy_is_read_only_while_it_is_one_and_the_catalog_names_it(
    tmp_path: Path, log: Path
) -> None:
    was = log.read_bytes()
    (log.parent / "unnamed.json").write_bytes(was)
    copy = copy_of(log)
    copy.write_bytes(was.replace(b"TLSv1.3", b"TLSv1.2"))  # of the same size
    log.unlink()
    assert "not there any more" in str(again(tmp_path, "e3"))
    copy.unlink()
    assert "not there any more" in str(again(tmp_path, "e3"))
    second = log.with_name("d.json")
    second.write_bytes(was)
    add([second], tmp_path / "index")
    copy.write_bytes(was + b" ")  # it changed, and the next one is tried
    found = again(tmp_path, "e3")
    assert isinstance(found, RawRecord)
    assert found.read_from == str(second)


def test_a_pin_of_a_copy_says_so(tmp_path: Path, log: Path, sqlite_database: Database) -> None:
    copy = copy_of(log)
    log.unlink()
    with open_store(tmp_path / "index") as store:
        case_id = a_case(sqlite_database).id
        pin = evidence.pin_event(sqlite_database, "ann", case_id, "e3", store)
    assert json.loads(pin.records["e3"]) == EVENTS[3]
    assert pin.document["sources"]["e3"]["read_from"] == str(copy)
    at = AppTest.from_function(_raw_page, args=(str(tmp_path / "index"), "e3")).run(timeout=60)
    assert not at.exception
    assert json.loads(at.code[0].value) == EVENTS[3]
    assert "Read from a copy." in words(at)
    said = texts(_only_by_columns(pin))
    assert said[0] == "Read from a copy."
    assert str(copy) in said[1]
    assert "Not as it was indexed" not in words(at)


def test_a_file_read_again_has_a_new_digest(tmp_path: Path, log: Path) -> None:
    log.write_bytes(log_of(*EVENTS, an_event(eventID="more")))
    add([log], tmp_path / "index")
    found = again(tmp_path, "e0")
    assert isinstance(found, RawRecord)
    assert found.checked == "file"
    with Catalog(tmp_path / "index") as catalog:
        assert catalog.without_digest() == (0, 0)


def test_a_pin_says_what_it_was_checked_by(
    tmp_path: Path, log: Path, sqlite_database: Database
) -> None:
    was = hashlib.sha256(log.read_bytes()).hexdigest()
    case_id = a_case(sqlite_database).id
    store = open_store(tmp_path / "index")

    def pinned(event_id: str) -> dict[str, Any]:
        pin = evidence.pin_event(sqlite_database, "ann", case_id, event_id, store)
        assert json.loads(pin.records[event_id])["eventID"] == event_id
        source: dict[str, Any] = pin.document["sources"][event_id]
        return source

    assert pinned("e1") == {
        "source_file": str(log),
        "source_ordinal": 1,
        "sha256": was,
        "sha256_now": was,
        "file_changed": False,
        "checked": "file",
        "read_from": None,
        "remark": None,
    }
    log.write_bytes(log_of(*reversed(EVENTS[1:]), EVENTS[0] | {"awsRegion": "us-east-1"}))
    moved = pinned("e1")
    assert (moved["checked"], moved["sha256"], moved["source_ordinal"]) == ("columns", was, 1)
    assert "has changed since it was indexed" in moved["remark"]
    assert moved["file_changed"] is True
    assert moved["sha256_now"] == hashlib.sha256(log.read_bytes()).hexdigest() != was
    with pytest.raises(NotFound, match="has changed since it was indexed"):
        pinned("e0")
    store.close()


def test_the_event_page_says_what_changed_and_what_the_index_holds(
    tmp_path: Path, log: Path
) -> None:
    log.write_bytes(log_of(*reversed(EVENTS)))
    at = AppTest.from_function(_raw_page, args=(str(tmp_path / "index"), "e1")).run(timeout=60)
    assert not at.exception
    assert json.loads(at.code[0].value) == EVENTS[1]
    assert "has changed since it was indexed" in words(at)
    log.write_bytes(log_of(EVENTS[1] | {"awsRegion": "us-east-1"}))
    at = AppTest.from_function(_raw_page, args=(str(tmp_path / "index"), "e1")).run(timeout=60)
    assert not at.exception
    assert "has changed since it was indexed" in words(at)
    assert json.loads(at.code[0].value)["aws_region"] == "eu-west-1"


def _raw_page(index: str, event_id: str) -> None:
    from trail.store import open_store
    from ui.parts.evidence import show_raw

    show_raw(open_store(index), event_id)


def test_a_file_of_far_more_bytes_is_not_read_again(tmp_path: Path, log: Path) -> None:
    had = log.stat().st_size
    with log.open("r+b") as file:
        file.truncate(8 << 30)  # sparse: nothing is written
    begun = time.process_time()
    found = again(tmp_path, "e3")
    assert isinstance(found, SourceUnreadable)
    assert f"it has 8,589,934,592 bytes now and had {had:,}, so it is not read again" in str(found)
    assert time.process_time() - begun < 5


def test_a_changed_file_is_searched_for_some_seconds_only(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trail.store.reread.SECONDS", 0.0)
    log.write_bytes(gzip.compress(log_of(*EVENTS) + b" " * 30_000_000))
    found = again(tmp_path, "e3")
    assert isinstance(found, SourceUnreadable)
    assert "to read what stands there now takes more than 0 seconds" in str(found)
    monkeypatch.undo()
    assert isinstance(again(tmp_path, "e3"), RawRecord)


def test_a_bomb_in_place_of_a_file_is_given_up_in_time(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trail.store.reread.SECONDS", 0.5)
    log.write_bytes(gzip.compress(b'{"Records":[' + b" " * 300_000_000, 1))
    begun = time.process_time()
    assert isinstance(again(tmp_path, "e3"), SourceUnreadable)
    assert time.process_time() - begun < 5
