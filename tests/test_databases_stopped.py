"""A database stopped, locked or gone: a sentence where it is needed, and all else goes on."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import cases.database
import trail.store.duck
from cases import case
from cases.database import Database, open_database
from cases.errors import CaseStoreUnusable
from cases.verify import verify
from tests.a_case import a_case, add_people
from tests.a_page import a_page, words
from tests.a_sign_in import ROLES, look_as, signed_in
from tests.an_event import an_assumption
from tests.postgres import Server, running_server
from trail.errors import IndexGone
from trail.index.build import add
from trail.store import open_store
from ui.triage.intake import pack

pytest_plugins = ("tests.case_databases",)


@pytest.fixture
def event_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of an event of the index that the pages show."""
    event = an_assumption()
    (tmp_path / "log.json").write_text(json.dumps({"Records": [event]}))
    add([tmp_path / "log.json"], tmp_path / "index")
    monkeypatch.setenv("BACKTRAIL_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("BACKTRAIL_DEMO", str(tmp_path / "demo"))
    monkeypatch.setenv("BACKTRAIL_USER", "lea")
    return str(event["eventID"])


@pytest.fixture
def own_postgres() -> Iterator[Server]:
    """A server that a test may stop."""
    with running_server() as server:
        yield server


def _in_time(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_pages_while_postgresql_is_stopped_and_after(
    own_postgres: Server, event_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = own_postgres.create()
    database = open_database(url)
    add_people(database)
    a_case(database)
    database.close()
    monkeypatch.setenv("BACKTRAIL_CASES_URL", url)
    assert "cannot be" not in words(a_page("cases"))

    own_postgres.stop()
    for name in ("inbox", "cases", "case"):
        at = a_page(name)
        assert not at.exception, name
        said = words(at)
        assert "cannot be reached" in said or "cannot be opened" in said, (name, said)
    for name, asked, seen in (
        ("triage", {"event": event_id}, "Who assumed the role?"),
        ("events", {}, "AssumeRole"),
        ("events", {"event": event_id}, event_id),
        ("entity", {"of": "arn:aws:iam::111122223333:user/alice"}, "alice"),
        ("index", {}, "Coverage"),
    ):
        at = a_page(name, asked)
        assert not at.exception, name
        assert seen in words(at), name

    own_postgres.start()
    _in_time(lambda: "cannot be" not in words(a_page("cases")))
    _in_time(lambda: "cannot be" not in words(a_page("inbox")))


def test_a_locked_case_database_is_read_and_says_so_when_it_is_to_be_written(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = a_case(sqlite_database)
    monkeypatch.setattr(cases.database, "WAIT_SECONDS", 1)
    other = sqlite3.connect(str(sqlite_database.engine.url.database), isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(CaseStoreUnusable, match="is locked: another program"):
        case.add_note(sqlite_database, "ann", opened.id, "a secret word")
    assert case.get_case(sqlite_database, opened.id) == opened
    other.execute("rollback")
    other.close()
    case.add_note(sqlite_database, "ann", opened.id, "now")
    assert verify(sqlite_database).ok


def test_pages_while_the_case_database_is_damaged_and_after(
    tmp_path: Path, event_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is overwritten while the dashboard has it open, and put right again."""
    monkeypatch.setattr(cases.database, "DOWN_SECONDS", 0.0)
    file = tmp_path / "cases.db"
    database = open_database(str(file))
    add_people(database)
    a_case(database)
    database.close()  # all of it is in the one file
    sound = file.read_bytes()
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(file))
    assert "damaged" not in words(a_page("cases"))
    with file.open("r+b") as opened:
        opened.write(b"not a database at all " * (len(sound) // 22))
    for name, asked in (("inbox", {}), ("cases", {}), ("case", {"id": "1"}), ("review", {})):
        at = a_page(name, asked)
        assert not at.exception, name
        said = words(at)
        assert "is damaged: " in said, (name, said)
        assert "python -m cases restore" in said
    for name, asked, seen in (
        ("triage", {"event": event_id}, "Who assumed the role?"),
        ("events", {}, "AssumeRole"),
        ("index", {}, "Coverage"),
    ):
        at = a_page(name, asked)
        assert not at.exception, name
        assert seen in words(at), name
    file.write_bytes(sound)
    assert "damaged" not in words(a_page("cases"))


@pytest.mark.parametrize(
    ("spoilt", "mended", "said"),
    [
        (
            "alter database {} set default_transaction_read_only = on",
            "alter database {} reset default_transaction_read_only",
            "takes no writes now",
        ),
        ("alter table notes rename to gone", "alter table gone rename to notes", "lacks a table"),
    ],
)
def test_a_postgresql_that_answers_and_cannot_be_worked_with(
    own_postgres: Server, monkeypatch: pytest.MonkeyPatch, spoilt: str, mended: str, said: str
) -> None:
    monkeypatch.setattr(cases.database, "DOWN_SECONDS", 0.0)
    database = open_database(own_postgres.create())
    add_people(database)
    opened = a_case(database)

    def by_another(statement: str) -> None:
        other = open_database(database.engine.url.render_as_string(False))
        with other.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("set default_transaction_read_only = off"))
            connection.execute(text(statement.format(database.engine.url.database)))
        other.close()

    by_another(spoilt)
    database.engine.dispose()  # a setting counts for new connections
    with pytest.raises(CaseStoreUnusable, match=said):
        case.add_note(database, "ann", opened.id, "a word")
    by_another(mended)
    case.add_note(database, "ann", opened.id, "another")
    assert verify(database).ok
    database.close()


def test_a_database_that_fails_is_not_asked_again_by_the_same_page(
    own_postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(own_postgres.create())
    own_postgres.stop()
    monkeypatch.setattr(cases.database, "DOWN_SECONDS", 3_600.0)
    with pytest.raises(CaseStoreUnusable, match="cannot be reached"):
        case.find_cases(database)
    own_postgres.start()
    with pytest.raises(CaseStoreUnusable, match="cannot be reached"):
        case.find_cases(database)
    database.close()


def test_what_is_said_of_a_database_holds_no_password_and_no_parameter() -> None:
    where = "postgresql+psycopg://me:hunter1@127.0.0.1:1/x?password=hunter2&passfile=/run/pgpass"
    with pytest.raises(CaseStoreUnusable, match="cannot be opened") as caught:
        open_database(where)
    said = str(caught.value)
    assert "me:***@127.0.0.1:1/x" in said
    assert not [one for one in ("hunter1", "hunter2", "pgpass") if one in said]


def test_a_stranger_is_not_told_where_the_sign_ins_are(
    own_postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(own_postgres.create())
    held = signed_in(database, "ann", "analyst")
    monkeypatch.setenv("BACKTRAIL_CASES_URL", database.engine.url.render_as_string(False))
    monkeypatch.setenv("BACKTRAIL_ROLES", ROLES)
    look_as(monkeypatch, held.id)
    assert "cannot be checked" not in words(a_page("cases"))
    database.close()
    own_postgres.stop()
    try:
        said = words(a_page("cases"))
    finally:
        own_postgres.start()
    assert "Your sign-in cannot be checked." in said
    assert "does not answer. Try again in a moment." in said
    assert not [one for one in ("127.0.0.1", str(own_postgres.port), "postgres") if one in said]


def test_errors_of_the_database_keep_what_was_written_to_themselves(database: Database) -> None:
    with pytest.raises((DBAPIError, CaseStoreUnusable)) as caught, database.write() as connection:
        connection.execute(text("insert into nowhere values (:word)"), {"word": "sesame"})
    assert "sesame" not in f"{caught.value} {caught.value.__cause__}"


def test_an_index_that_goes_while_it_is_open_is_not_taken_for_none(
    event_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(tmp_path / "cases.db"))
    index = tmp_path / "index"
    pages = [("triage", {"event": event_id}), ("triage", {}), ("events", {}), ("index", {}),
             ("entity", {"of": "alice"}), ("events", {"event": event_id})]  # fmt: skip
    for name, asked in pages:
        assert "not there any more" not in words(a_page(name, asked))
    shutil.move(index, tmp_path / "elsewhere")
    for name, asked in pages:
        at = a_page(name, asked)
        assert not at.exception, name
        said = words(at)
        assert f"The index at {index} is not there any more" in said, name
        assert "One AWS alert in" not in said, name
        assert "Look around in a demo company" not in said, name
    shutil.move(tmp_path / "elsewhere", index)
    for name, asked in pages:
        assert "not there any more" not in words(a_page(name, asked)), name
    said = words(a_page("triage", {"event": event_id}))
    assert "could not be answered" not in said


def test_a_store_whose_index_went_says_so_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps({"Records": [an_assumption()]}))
    add([tmp_path / "log.json"], tmp_path / "index")
    with open_store(tmp_path / "index") as store:
        count = "select count(*) as n from events"
        assert store.query(count).rows == [{"n": 1}]
        (tmp_path / "index").rename(tmp_path / "away")
        for ask in (store.version, store.summary, store.rejects, lambda: store.query(count)):
            with pytest.raises(IndexGone, match="is not there any more"):
                ask()
        (tmp_path / "away").rename(tmp_path / "index")
        assert store.query(count).rows == [{"n": 1}]


@pytest.mark.usefixtures("event_id")
def test_a_card_says_which_limit_ended_its_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(tmp_path / "cases.db"))
    alert = {"text": pack((tmp_path / "log.json").read_text())}
    with monkeypatch.context() as limited:
        limited.setattr(trail.store.duck, "QUERY_ROWS", 0)
        said = words(a_page("triage", alert))
        assert "This question could not be answered: The query found more than 0 rows" in said
    # What failed is not kept: the same page, a moment later.
    assert "could not be answered" not in words(a_page("triage", alert))
