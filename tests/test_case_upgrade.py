"""A database of any earlier schema is brought to the newest, and says what it said."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

import cases.migrations
from cases import audit, case, enrichment, evidence, inbox, review, sign_in, users
from cases.case import case_file
from cases.database import Database, open_database
from cases.migrations.upgrade import NEWEST, revision_of
from cases.report import render_report
from cases.verify import verify
from tests.a_case import LiteralStore, a_case, a_closed_case, an_alert, an_answer, an_id
from tests.a_database_of_before import as_of
from tests.a_sign_in import ROLES, claims
from tests.postgres import Server

pytest_plugins = ("tests.case_databases",)

EARLIER = ["0001", "0003", "0004", "0005", "0006"]


def test_each_migration_follows_from_one_other() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(cases.migrations.__path__[0])))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [NEWEST]
    line = [one.revision for one in scripts.walk_revisions()]
    assert line == [NEWEST, *reversed(EARLIER)]


@pytest.fixture
def worked_on(sqlite_database: Database) -> Database:
    """Frozen answers in an open case, a sealed one, and a history that says of nobody how they
    are known: that was not recorded."""
    database = sqlite_database
    opened = a_case(database, an_alert())
    alert_id = inbox.queue(database).alerts[0].id
    enrichment.save_answers(database, alert_id, "aaaaaaaaaaaa-7", [[an_answer()]])
    store = LiteralStore({an_answer().evidence[0]: "{}"})
    evidence.freeze_answers(database, "ann", opened.id, alert_id, store)
    closed = a_closed_case(database, an_alert(id=an_id(2)))
    review.approve(database, "lea", closed.id, closed.version)
    assert {one.by for one in audit.history(database)} == {None}
    return database


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("revision", EARLIER)
def test_an_earlier_database_says_what_it_said_and_lets_people_sign_in(
    worked_on: Database,
    revision: str,
    kind: str,
    tmp_path: Path,
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BACKTRAIL_ROLES", ROLES)
    where = postgres.create() if kind == "postgresql" else str(tmp_path / "old.db")
    as_of(worked_on, where, revision, monkeypatch)
    upgraded = open_database(where)
    with upgraded.read() as connection:
        assert revision_of(connection) == NEWEST
    assert verify(upgraded) == verify(worked_on)
    assert verify(upgraded).ok  # with the hashes and the seal of before
    for one in case.find_cases(worked_on):
        assert case_file(upgraded, one.id) == case_file(worked_on, one.id)
    assert users.users(upgraded) == users.users(worked_on)
    # What comes from now on says how people are known.
    monkeypatch.setattr(upgraded, "clock", worked_on.clock)
    _, found = sign_in.begin(upgraded, claims(upgraded, "Ann B", "analyst"), "default")
    hands = upgraded.acting_as(found.actor)
    case.add_note(hands, found.actor.name, 1, "Seen.")
    last = audit.history(upgraded, 1)[-1]
    assert last.by is not None
    assert last.by["names"] == "proven"
    assert b"not recorded" in render_report(hands, 1, "md")
    assert verify(upgraded).ok
    upgraded.close()
