"""Kept answers belong to the index that gave them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts.alert import Alert, Principal
from cases import enrichment, inbox
from cases.actor import Actor
from cases.case import case_file
from cases.database import Database, open_database
from cases.migrations.upgrade import NEWEST, revision_of
from enrich import QUESTIONS
from enrich.answer import Answer
from tests.a_case import (
    LiteralStore,
    a_role_principal,
    a_user_principal,
    an_alert,
    an_answer,
    put_in_inbox,
)
from tests.an_event import an_event
from trail.index.build import add
from trail.index.catalog import Catalog
from trail.index.index_version import index_of, number_of
from trail.index.upkeep import migrate
from trail.store import Store
from ui.parts.queue_table import OTHER_INDEX, ahead
from ui.shell.who import User
from ui.triage import offer_case as from_triage

pytest_plugins = ("tests.case_databases",)

REAL, DEMO = "aaaaaaaaaaaa-7", "dddddddddddd-7"


def an_index(version: str) -> LiteralStore:
    store = LiteralStore()
    store.index_version = version
    return store


def says(sentence: str):  # type: ignore[no-untyped-def]
    def ask(alert: Alert, principal: Principal, store: Store) -> list[Answer]:
        return [an_answer(sentence=sentence)]

    return ask


def test_two_indexes_keep_their_answers_side_by_side(database: Database) -> None:
    (alert_id,) = put_in_inbox(database, an_alert())
    real, demo = an_index(REAL), an_index(DEMO)
    assert enrichment.enrich_pending(database, real, says("As it was.")) == 1
    assert inbox.queued_alert(database, alert_id, index_of(DEMO)).other_index is True
    assert enrichment.enrich_pending(database, demo, says("No logs for it.")) == 1
    for store, sentence in ((real, "As it was."), (demo, "No logs for it.")):
        version = store.version()
        (kept,) = enrichment.stored_answers(database, alert_id, version)
        assert kept.sentence == sentence
        row = inbox.queued_alert(database, alert_id, index_of(version))
        assert ([one.sentence for one in row.badges], row.other_index) == ([sentence], False)
        # Neither starts over because the other one was there.
        assert enrichment.pending_count(database, version) == 0
        assert enrichment.enrich_pending(database, store, says("Again.")) == 0
    # Each still follows its own index.
    newer = an_index("aaaaaaaaaaaa-8")
    assert enrichment.enrich_pending(database, newer, says("As it is now.")) == 1
    assert enrichment.pending_count(database, DEMO) == 0
    (kept,) = enrichment.stored_answers(database, alert_id, DEMO)
    assert kept.sentence == "No logs for it."


def test_an_alert_that_changed_is_asked_of_each_index_again(database: Database) -> None:
    (alert_id,) = put_in_inbox(database, an_alert())
    real, demo = an_index(REAL), an_index(DEMO)
    for store in (real, demo):
        enrichment.enrich_pending(database, store, says("Before."))
    with database.write() as connection:
        connection.execute(sa.text("update alerts set enrichment = 'pending'"))
    for store in (real, demo):
        assert enrichment.enrich_pending(database, store, says("After.")) == 1
        (kept,) = enrichment.stored_answers(database, alert_id, store.version())
        assert kept.sentence == "After."


def test_what_was_shown_is_kept_and_waits_for_nothing(database: Database) -> None:
    (alert_id,) = put_in_inbox(database, an_alert())
    enrichment.keep_shown(database, alert_id, REAL, 0, [an_answer(sentence="Shown.")])
    row = inbox.queued_alert(database, alert_id, index_of(REAL))
    assert (row.enrichment, [one.sentence for one in row.badges]) == ("done", ["Shown."])
    assert enrichment.pending_count(database, REAL) == 0


def test_the_other_principal_still_waits(database: Database) -> None:
    two = an_alert(principals=(a_user_principal(), a_role_principal()))
    (alert_id,) = put_in_inbox(database, two)
    enrichment.keep_shown(database, alert_id, REAL, 1, [an_answer(sentence="Shown.")])
    assert [one.principal for one in enrichment.stored_answers(database, alert_id, REAL)] == [1]
    assert enrichment.pending_count(database, REAL) == 1
    assert enrichment.enrich_pending(database, an_index(REAL), says("Asked.")) == 1
    # Of a newer version one principal's answers alone would hide that the other's are old.
    enrichment.keep_shown(database, alert_id, "aaaaaaaaaaaa-8", 0, [an_answer()])
    assert enrichment.pending_count(database, "aaaaaaaaaaaa-8") == 1
    assert len(enrichment.stored_answers(database, alert_id, REAL)) == 2


def test_a_case_opened_from_triage_keeps_the_answers_just_shown(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_triage, "case_database", sqlite_database.acting_as)
    alert = an_alert()
    shown = [an_answer(question.name) for question in QUESTIONS]
    user = User("ann", "analyst", Actor("ann", "chosen"))
    work = from_triage._Work(alert, alert.principals[0], shown, an_index(REAL), user)
    opened = work.into(None)
    (held,) = case_file(sqlite_database, opened.id, index_of(REAL)).alerts
    assert (held.enrichment, held.other_index) == ("done", False)
    assert [one.name for one in held.badges] == [question.name for question in QUESTIONS]
    (elsewhere,) = case_file(sqlite_database, opened.id, index_of(DEMO)).alerts
    assert elsewhere.other_index
    assert OTHER_INDEX in repr(ahead(elsewhere))
    assert OTHER_INDEX not in repr(ahead(held))


def test_answers_kept_before_are_their_indexs(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    import cases.migrations

    file = tmp_path / "old.db"
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(cases.migrations.__path__[0])))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            sa.text(
                "insert into alerts (id, alert_id, source, sources, title, state, count,"
                " first_arrival, last_arrival, sample, enrichment, raw, parsed) values"
                " ('a', 'a', 'guardduty', '[]', 't', 'new', 1, '2026-03-10T12:00:00.000000Z',"
                " '2026-03-10T12:00:00.000000Z', 0, 'done', '', '{}')"
            )
        )
        connection.execute(
            sa.text(
                "insert into answers values ('a', 0, 'services_used', :v, 0, 'answered', 'Kept.',"
                " :document, '2026-03-10T12:00:00.000000Z')"
            ),
            {"v": REAL, "document": json.dumps({"name": "services_used"})},
        )
    engine.dispose()
    database = open_database(str(file))
    with database.read() as connection:
        assert revision_of(connection) == NEWEST
        (kept,) = enrichment.read_answers(connection, "a", index_of(REAL))
        assert (kept.sentence, kept.index_version) == ("Kept.", REAL)
        assert enrichment.read_answers(connection, "a", index_of(DEMO)) == []
    database.close()


def test_a_migrated_index_is_the_same_index_at_a_later_version(tmp_path: Path) -> None:
    index = tmp_path / "index"
    with Catalog(index, create=True) as catalog:
        before = catalog.version()
    migrate(index, force=True)
    with Catalog(index) as catalog:
        after = catalog.version()
    assert index_of(after) == index_of(before) != ""
    assert int(number_of(after)) > int(number_of(before))


def test_a_copied_index_has_its_own_versions_once_they_differ(tmp_path: Path) -> None:
    def an_added(name: str, into: Path) -> str:
        log = tmp_path / f"{name}.json"
        log.write_text(json.dumps({"Records": [an_event(eventID=name)]}))
        add([log], into)
        with Catalog(into) as catalog:
            return catalog.version()

    first = an_added("one", tmp_path / "index")
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    with Catalog(tmp_path / "copy") as catalog:
        assert catalog.version() == first
    here, there = an_added("two", tmp_path / "index"), an_added("three", tmp_path / "copy")
    assert number_of(here) == number_of(there)
    assert here != there
    # What comes later does not make them one again.
    assert an_added("four", tmp_path / "index") != an_added("four", tmp_path / "copy")
    assert index_of(here) == index_of(there) == index_of(first)


def test_an_index_without_an_id_has_that_of_its_path(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        with Catalog(tmp_path / name, create=True) as catalog:
            catalog._db.execute("delete from meta where key = 'identity'")
        with Catalog(tmp_path / name) as catalog:
            found.append(index_of(catalog.version()))
    assert len(set(found)) == 2
    assert all(len(one) == 12 for one in found)
