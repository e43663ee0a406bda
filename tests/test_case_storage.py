"""The database itself: opening, migrating, surviving a kill, backup and restore, command line."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from cases import audit, case, enrichment, evidence, inbox, review, users
from cases.__main__ import main
from cases.backup import backup, restore
from cases.database import URL_SETTING, Database, open_database
from cases.errors import CaseStoreUnusable
from cases.migrations.upgrade import NEWEST
from cases.report import render_report
from cases.tables import metadata
from cases.verify import verify
from tests.a_case import Clock, LiteralStore, a_case, a_closed_case, an_alert, an_answer, an_id
from tests.postgres import Server

pytest_plugins = ("tests.case_databases",)


def test_the_migrations_leave_exactly_the_tables_that_the_code_expects(
    database: Database,
) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    assert differences == []


def test_opening_at_once_in_several_processes_migrates_once(
    tmp_path: Path, postgres: Server
) -> None:
    for where in (str(tmp_path / "new" / "cases.db"), postgres.create()):
        script = f"from cases.database import open_database; open_database({where!r}).close()"
        running = [
            subprocess.Popen([sys.executable, "-W", "error", "-c", script], cwd=_root())
            for _ in range(2)
        ]
        assert [process.wait(timeout=60) for process in running] == [0, 0]
        opened = open_database(where)
        assert verify(opened).entries == 0
        opened.close()


def _root() -> Path:
    return Path(__file__).parent.parent


def test_a_database_from_a_newer_backtrail_is_left_alone(
    database: Database, fresh_url: str
) -> None:
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(CaseStoreUnusable, match="written by a newer one"):
        open_database(fresh_url)


@pytest.mark.parametrize(
    "setting",
    ["sqlite://", "mysql://host/cases", "://", "postgresql://postgres@127.0.0.1:1/none", "{dir}"],
)
def test_a_database_that_cannot_be_opened_says_what_to_do(setting: str, tmp_path: Path) -> None:
    with pytest.raises(CaseStoreUnusable):
        open_database(setting.replace("{dir}", str(tmp_path)))


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "cases.db"
    file.write_text("My notes on the incident. " * 100)
    with pytest.raises(CaseStoreUnusable, match=r"cases\.db"):
        open_database(str(file))
    assert file.read_text().startswith("My notes")


def test_passwords_are_not_in_errors() -> None:
    with pytest.raises(CaseStoreUnusable) as caught:
        open_database("postgresql://postgres:sesame@127.0.0.1:1/none")
    assert "sesame" not in str(caught.value)


def test_readers_see_one_moment_and_are_not_blocked_by_a_writer(database: Database) -> None:
    a_case(database)
    with database.write() as writing:
        writing.execute(text("update cases set title = 'half done'"))
        assert case.find_cases(database)[0].title == an_alert().title
    assert case.find_cases(database)[0].title == "half done"


def test_a_write_that_fails_in_the_middle_leaves_nothing(database: Database) -> None:
    a_case(database)
    before = (audit.head(database), case.find_cases(database))

    def fail_halfway() -> None:
        with database.write() as connection:
            audit.append(database, connection, "ann", "half")
            connection.execute(text("update cases set title = 'half'"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert (audit.head(database), case.find_cases(database)) == before


# Killed

WRITE_FOREVER = """
import sys
from cases import case
from cases.database import open_database
database = open_database(sys.argv[1])
for number in range(100000):
    case.add_note(database, "ann", int(sys.argv[2]), f"note {number}")
    print(number, flush=True)
"""


def test_what_was_confirmed_survives_a_kill_in_the_middle_of_writing(
    database: Database, fresh_url: str
) -> None:
    opened = a_case(database)
    expected: list[str] = []
    for pause in (0.0, 0.007):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOREVER, fresh_url, str(opened.id)],
            stdout=subprocess.PIPE,
            cwd=_root(),
        )
        assert process.stdout is not None
        confirmed = [process.stdout.readline() for _ in range(10)]
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        confirmed += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        whole = [int(line) for line in confirmed if line.endswith(b"\n")]
        expected += [f"note {number}" for number in whole]

        reopened = open_database(fresh_url)
        notes = [one.text for one in case.case_file(reopened, opened.id).notes]
        # The one that was being written may or may not have been confirmed to us.
        assert notes[: len(expected)] == expected
        assert len(notes) - len(expected) <= 1
        assert verify(reopened).problems == ()
        reopened.close()
        expected = notes


# Backup and restore


def a_full_database(database: Database) -> None:
    """Two cases with everything in them, hostile text included."""
    hostile = "nul \x00 half \ud83d mark \ue000 'quote\" \u202e"
    opened = a_case(database, an_alert(title=hostile, raw=hostile, severity=None))
    alert_id = inbox.queue(database).alerts[0].id
    enrichment.save_answers(database, alert_id, "v1", [[an_answer(sentence=hostile)]])
    store = LiteralStore({an_answer().evidence[0]: hostile})
    evidence.freeze_answers(database, "ann", opened.id, alert_id, store)
    case.add_note(database, "ann", opened.id, hostile)
    closed = a_closed_case(database, an_alert(id=an_id(2)))
    review.approve(database, "lea", closed.id, closed.version)


def everything(database: Database) -> Any:
    """All that can be seen in a database."""
    return (
        [case.case_file(database, one.id) for one in case.find_cases(database)],
        inbox.queue(database),
        [inbox.get_alert(database, one.id) for one in inbox.queue(database).alerts],
        users.users(database),
        audit.history(database),
    )


def test_a_backup_restores_to_the_same_on_either_database(
    database: Database, tmp_path: Path, postgres: Server
) -> None:
    a_full_database(database)
    made = backup(database, tmp_path / "folder" / "cases.backup")
    assert made.head == audit.head(database)
    assert made.rows["cases"] == 2
    for where in (str(tmp_path / "restored.db"), postgres.create()):
        restored = open_database(where, Clock())
        found = restore(restored, made.file)
        assert found.ok
        assert found.head == made.head
        assert everything(restored) == everything(database)
        # and it can be worked on
        added = a_case(restored, an_alert(id=an_id(3)))
        case.add_note(restored, "ann", added.id, "after the restore")
        assert verify(restored, [made.head]).ok
        restored.close()


def test_the_same_database_gives_the_same_backup(sqlite_database: Database, tmp_path: Path) -> None:
    a_full_database(sqlite_database)
    one = backup(sqlite_database, tmp_path / "one").file.read_bytes()
    assert one == backup(sqlite_database, tmp_path / "two").file.read_bytes()


def test_a_restore_never_overwrites(sqlite_database: Database, tmp_path: Path) -> None:
    made = backup(sqlite_database, tmp_path / "b")
    with pytest.raises(CaseStoreUnusable, match="not empty"):
        restore(sqlite_database, made.file)


def test_a_damaged_backup_restores_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    a_full_database(sqlite_database)
    whole = backup(sqlite_database, tmp_path / "b").file.read_bytes()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    edited = [line.replace(b"benign", b"benigm") for line in lines]
    damaged = {
        "cut short": whole[: len(whole) // 2],
        "last line missing": gzip.compress(b"".join(lines[:-1])),
        "edited": gzip.compress(b"".join(edited)),
        "more behind the end": gzip.compress(b"".join(lines) + lines[1]),
        "no gzip": b"hello",
        "a gzip of something else": gzip.compress(b'{"format": "other"}\n'),
        "flipped": whole[:60] + bytes([whole[60] ^ 0xFF]) + whole[61:],
        "empty": b"",
    }
    empty = open_database(str(tmp_path / "empty.db"))
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CaseStoreUnusable):
            restore(empty, tmp_path / name)
        assert verify(empty).entries == 0, name
    with pytest.raises(CaseStoreUnusable, match="no backup"):
        restore(empty, tmp_path / "none")
    empty.close()


def test_a_backup_that_cannot_be_written_leaves_the_old_one(
    sqlite_database: Database, tmp_path: Path
) -> None:
    old = backup(sqlite_database, tmp_path / "b").file.read_bytes()
    a_case(sqlite_database)
    (tmp_path / "b.part").mkdir()
    with pytest.raises(CaseStoreUnusable, match="Choose another place"):
        backup(sqlite_database, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == old
    with pytest.raises(CaseStoreUnusable):
        backup(sqlite_database, tmp_path / "b" / "below a file")


# Command line


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_line_does_it_all(
    database: Database,
    fresh_url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(URL_SETTING, fresh_url)
    closed = a_closed_case(database, an_alert(title="Odd \x1b[31m title"))

    code, out, _ = run(capsys, "list")
    assert code == 0
    assert "Odd \\u{1B}[31m title" in out
    assert [one["id"] for one in json.loads(run(capsys, "list", "--json")[1])] == [closed.id]
    assert run(capsys, "list", "--state", "open")[1] == "No cases match.\n"

    shown = json.loads(run(capsys, "show", "1", "--json")[1])
    assert shown["case"]["verdict"] == "benign"
    assert shown["history"][0]["action"] == "case opened"
    assert "A planned change." in run(capsys, "show", "1")[1]

    for form in ("md", "html", "pdf", "json"):
        file = tmp_path / f"report.{form}"
        assert run(capsys, "report", "1", "--out", str(file))[0] == 0
        start = {"md": b"# Case 1", "html": b"<!doctype html>", "pdf": b"%PDF-", "json": b"{"}
        assert file.read_bytes().startswith(start[form])
    assert json.loads(run(capsys, "report", "1", "--json", "--redact")[1])["redacted"] is True

    code, out, _ = run(capsys, "verify", "--report", str(tmp_path / "report.md"), "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    forged = f"5:{'ab' * 32}"
    code, out, _ = run(capsys, "verify", "--head", forged)
    assert code == 1
    assert "tampered" in out

    copy = str(tmp_path / "cases.backup")
    assert run(capsys, "backup", copy)[0] == 0
    other = str(tmp_path / "other.db")
    assert run(capsys, "restore", copy, "--database", other, "--json")[0] == 0
    assert (
        run(capsys, "verify", "--database", other, "--report", str(tmp_path / "report.html"))[0]
        == 0
    )

    assert run(capsys, "user", "abe", "lead", "--by", "lea")[1] == "abe is a lead.\n"
    assert users.sign_in(database, "abe").role == "lead"


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "7"),
        ("report", "7"),
        ("report", "1", "--out", "/nowhere/at/all.md"),
        ("verify", "--report", "/nowhere/report.md"),
        ("verify", "--head", "12"),
        ("restore", "/nowhere/backup"),
        ("user", "eve", "lead", "--by", "ann"),
    ],
    ids=" ".join,
)
def test_refusals_are_one_line_on_standard_error(
    sqlite_database: Database, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    a_case(sqlite_database)
    file = str(sqlite_database.engine.url.database)
    code, out, err = run(capsys, *arguments, "--database", file)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "cases", "verify", "--json"],
        env={**os.environ, URL_SETTING: str(tmp_path / "cases.db")},
        cwd=_root(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["entries"] == 0
    assert done.stderr == ""


def test_the_newest_revision_is_the_last_migration() -> None:
    versions = sorted((_root() / "cases" / "migrations" / "versions").glob("0*.py"))
    assert versions[-1].name.startswith(NEWEST)


def test_reports_and_verification_agree_on_the_head(database: Database) -> None:
    closed = a_closed_case(database)
    head = str(audit.head(database))
    for form in ("md", "html", "json"):
        assert head in render_report(database, closed.id, form).decode()
