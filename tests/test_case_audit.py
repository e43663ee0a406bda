"""History: complete, refused by the database to be changed, and found out if it is all the same."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from cases import audit, case, evidence, inbox, review, users
from cases.audit import FIRST_HASH, Head, entry_hash
from cases.database import Database
from cases.errors import CaseRefused, NotAllowed, NotFound
from cases.tables import FROZEN_TABLES
from cases.verify import heads_in, verify
from tests.a_case import LiteralStore, a_case, a_closed_case, an_alert, an_answer, an_id

pytest_plugins = ("tests.case_databases",)


def a_worked_case(database: Database) -> int:
    """A case with a note, frozen evidence, a verdict and a seal."""
    opened = a_case(database)
    alert_id = inbox.queue(database).alerts[0].id
    case.add_note(database, "ann", opened.id, "First look.")
    evidence.freeze_answers(
        database, "ann", opened.id, alert_id, LiteralStore(), answers=[an_answer()]
    )
    version = case.get_case(database, opened.id).version
    closed = case.close_case(
        database, "ann", opened.id, version, verdict="benign", reason="A planned change."
    )
    review.approve(database, "lea", opened.id, closed.version)
    return opened.id


def test_every_change_is_an_entry_with_who_when_before_and_after(database: Database) -> None:
    case_id = a_worked_case(database)
    entries = audit.history(database, case_id)
    assert [(one.actor, one.action) for one in entries] == [
        ("ann", "case opened"),
        ("ann", "alert added"),
        ("ann", "note added"),
        ("ann", "answers saved"),
        ("ann", "case closed"),
        ("ann", "put up for review"),  # its answers hold nothing that could be weighed
        ("lea", "case approved"),
    ]
    closing = entries[4]
    assert closing.at == "2026-03-10T12:00:00.000000Z"
    assert closing.before["case"]["state"] == "investigating"
    assert closing.after["case"]["state"] == "closed"
    assert closing.after["case"]["verdict"] == "benign"
    assert entries[2].after["note"]["text"] == "First look."
    whole = audit.history(database)
    assert [one.previous for one in whole] == [FIRST_HASH, *(one.hash for one in whole[:-1])]
    assert verify(database).problems == ()


@pytest.mark.parametrize("table", FROZEN_TABLES)
def test_the_database_refuses_to_change_or_delete_history(database: Database, table: str) -> None:
    a_worked_case(database)
    column = {"audit": "hash", "blobs": "packed", "evidence": "title", "notes": "text"}[table]
    own = {
        "sqlite": f"insert or replace into {table} select * from {table}",
        "postgresql": f"truncate {table} cascade",
    }
    for statement in (
        f"delete from {table}",
        f"update {table} set {column} = '0'",
        own[database.engine.dialect.name],
    ):
        with (
            pytest.raises(DatabaseError, match="never changed or deleted"),
            database.write() as connection,
        ):
            connection.execute(text(statement))
    assert verify(database).ok


def drop_triggers(connection: Connection) -> None:
    """What someone with the database's own rights can do."""
    if connection.dialect.name == "sqlite":
        names = connection.execute(
            text("select name from sqlite_master where type = 'trigger'")
        ).scalars()
        for name in list(names):
            connection.execute(text(f"drop trigger {name}"))
        connection.execute(text("pragma defer_foreign_keys = on"))
        return
    for table in FROZEN_TABLES:
        connection.execute(text(f"alter table {table} disable trigger user"))


def rewrite_chain(connection: Connection) -> None:
    """Every hash made anew, so that the chain agrees with itself again."""
    previous = FIRST_HASH
    rows = connection.execute(text("select * from audit order by seq")).all()
    for row in rows:
        found = entry_hash(
            row.seq,
            row.at,
            row.actor,
            row.case_id,
            row.case_version,
            row.action,
            row.before,
            row.after,
            previous,
        )
        connection.execute(
            text("update audit set previous = :p, hash = :h where seq = :s"),
            {"p": previous, "h": found, "s": row.seq},
        )
        previous = found
    connection.execute(
        text("update audit_head set seq = :s, hash = :h"), {"s": len(rows), "h": previous}
    )


def sql(*statements: str) -> Callable[[Connection], None]:
    def run(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    return run


def reorder(connection: Connection) -> None:
    for old, new in ((9, 99), (10, 9), (99, 10)):
        connection.execute(text(f"update audit set seq = {new} where seq = {old}"))


TAMPERING: dict[str, tuple[Callable[[Connection], None], str]] = {
    "an entry edited": (sql("update audit set actor = 'abe' where seq = 8"), "entry 8 was changed"),
    "an entry's time edited": (
        sql("update audit set at = '2026-01-01T00:00:00.000000Z' where seq = 8"),
        "entry 8 was changed",
    ),
    "an entry's content replaced by rubbish": (
        sql("update audit set after = '{' where seq = 8"),
        "entry 8",
    ),
    "an entry deleted": (sql("delete from audit where seq = 8"), "entry 8 is missing"),
    "the tail deleted": (sql("delete from audit where seq > 9"), "chain ends at entry 9"),
    "entries reordered": (reorder, "does not follow"),
    "all history deleted": (sql("delete from audit"), "chain ends at entry 0"),
    "a verdict edited": (
        sql("update cases set verdict = 'true_positive'"),
        "Case 1 was changed behind",
    ),
    "a time made unreadable": (sql("update cases set opened_at = 'x'"), "cases cannot be read"),
    "tags made unreadable": (sql("update cases set tags = '{'"), "cases cannot be read"),
    "a version edited": (sql("update cases set version = 99"), "another version"),
    "a seal removed": (sql("update cases set seal = null"), "seal differ"),
    "a note edited": (sql("update notes set text = 'No look.'"), "Note 1 of case 1"),
    "a note deleted": (sql("delete from notes"), "Note 1 of case 1 is gone"),
    "a note added": (
        sql(
            "insert into notes (id, case_id, author, written_at, text)"
            " values (77, 1, 'abe', '2026-03-10T12:00:00.000000Z', 'x')"
        ),
        "Note 77 of case 1",
    ),
    "evidence edited": (
        sql("update evidence set document = '{}' where kind = 'answer'"),
        "Evidence 2 of case 1",
    ),
    "a record edited": (
        sql("update blobs set packed = (select packed from blobs order by size desc limit 1)"),
        "Evidence 2 of case 1 is damaged",
    ),
    "a record deleted": (sql("delete from blobs"), "Evidence 1 of case 1 is damaged"),
    "a record made a bomb": (
        lambda c: c.execute(
            text("update blobs set packed = :bomb"), {"bomb": zlib.compress(b"0" * 50_000_000)}
        ),
        "Evidence 2 of case 1 is damaged",
    ),
    "evidence deleted": (sql("delete from evidence where id = 2"), "Evidence 2 of case 1 is gone"),
    "an alert taken out": (sql("delete from case_alerts"), "was taken out of case 1"),
    "a role given": (sql("update users set role = 'lead' where name = 'abe'"), "User 'abe'"),
    "the head moved": (sql("update audit_head set seq = 3"), "recorded end is entry 3"),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_past_program_and_triggers_is_found(database: Database, what: str) -> None:
    a_worked_case(database)
    tamper, expected = TAMPERING[what]
    with database.write() as connection:
        drop_triggers(connection)
        tamper(connection)
    problems = verify(database).problems
    assert any(expected in problem for problem in problems), problems


def test_a_case_removed_with_all_its_rows_is_missed(database: Database) -> None:
    case_id = a_worked_case(database)
    with database.write() as connection:
        drop_triggers(connection)
        for table in ("notes", "evidence", "case_alerts", "cases"):
            column = "id" if table == "cases" else "case_id"
            connection.execute(text(f"delete from {table} where {column} = {case_id}"))
    assert "Case 1 is gone." in verify(database).problems


def test_a_history_rewritten_in_full_is_found_by_a_kept_head(database: Database) -> None:
    opened = a_case(database)
    case.add_note(database, "ann", opened.id, "The key was stolen.")
    signed = audit.head(database)
    a_case(database, an_alert(id=an_id(2)))

    with database.write() as connection:
        drop_triggers(connection)
        stored = connection.execute(text("select after from audit where seq = :s"), {"s": 8}).one()
        forged = json.loads(stored.after)
        forged["note"]["text"] = "Nothing happened."
        connection.execute(
            text("update audit set after = :after where seq = 8"),
            {"after": json.dumps(forged, sort_keys=True, separators=(",", ":"))},
        )
        connection.execute(text("update notes set text = 'Nothing happened.'"))
        rewrite_chain(connection)

    assert verify(database).ok  # it agrees with itself, all of it
    (problem,) = verify(database, [signed]).problems
    assert "the history up to it was rewritten" in problem


def test_a_tail_cut_off_with_its_recorded_end_is_found_by_a_kept_head(
    database: Database,
) -> None:
    opened = a_case(database)
    case.save_case(database, "ann", opened.id, opened.version, {"summary": "x"})
    signed = audit.head(database)
    with database.write() as connection:
        drop_triggers(connection)
        last = signed.seq
        connection.execute(text(f"delete from audit where seq = {last}"))
        connection.execute(text("update cases set summary = '', state = 'open', version = 2"))
        rewrite_chain(connection)
    assert verify(database).ok
    assert "which is gone" in verify(database, [signed]).problems[0]


def test_later_work_does_not_make_a_kept_head_wrong(database: Database) -> None:
    a_worked_case(database)
    signed = audit.head(database)
    a_case(database, an_alert(id=an_id(2)))
    assert verify(database, [signed, Head(0, FIRST_HASH)]).ok


def test_heads_are_read_from_a_reports_text() -> None:
    sha = "ab" * 32
    assert heads_in(f"x {sha} head 12:{sha}, 12:{sha} and 9:{sha}0") == [Head(12, sha)]


# Users


def test_the_first_user_is_a_lead_and_only_leads_add_more(
    tmp_path: Any, sqlite_database: Database
) -> None:
    from cases.database import open_database

    empty = open_database(str(tmp_path / "empty.db"))
    with pytest.raises(NotAllowed):
        users.add_user(empty, "eve", "eve", "analyst")
    with pytest.raises(NotAllowed):
        users.add_user(empty, "eve", "mal", "lead")
    users.add_user(empty, "eve", "eve", "lead")
    empty.close()

    for who in ("ann", "vic", "nobody"):
        with pytest.raises(NotAllowed):
            users.add_user(sqlite_database, who, "new", "analyst")
    with pytest.raises(CaseRefused, match="already"):
        users.add_user(sqlite_database, "lea", "ann", "lead")
    wrong: Any = "admin"
    with pytest.raises(CaseRefused):
        users.add_user(sqlite_database, "lea", "new", wrong)


def test_a_role_that_is_taken_away_counts_at_once(database: Database) -> None:
    opened = a_case(database)
    users.change_user(database, "lea", "ann", role="viewer")
    with pytest.raises(NotAllowed):
        case.add_note(database, "ann", opened.id, "still here?")
    users.change_user(database, "lea", "ann", role="analyst", active=False)
    with pytest.raises(NotAllowed):
        users.sign_in(database, "ann")
    last = audit.history(database)[-1]
    assert last.before["user"] == {"name": "ann", "role": "viewer", "active": True}
    assert verify(database).ok


def test_a_lead_always_remains(database: Database) -> None:
    users.change_user(database, "lea", "lou", role="viewer")
    for change in ({"role": "analyst"}, {"active": False}):
        with pytest.raises(CaseRefused, match="last lead"):
            users.change_user(database, "lea", "lea", **change)
    assert users.sign_in(database, "lea").may("administer")


def test_changing_an_unknown_user_is_refused(sqlite_database: Database) -> None:
    with pytest.raises(NotFound):
        users.change_user(sqlite_database, "lea", "nobody", role="viewer")
    a_closed_case(sqlite_database)
