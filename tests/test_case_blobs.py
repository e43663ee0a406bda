"""Evidence is kept once and compressed; what was frozen before is moved, and still verifies."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import text

from cases import blobs, case, enrichment, evidence, inbox, review
from cases.database import Database, open_database
from cases.errors import CaseStoreUnusable
from cases.verify import verify
from tests.a_case import LiteralStore, a_case, a_closed_case, an_alert, an_answer, an_id
from tests.a_database_of_before import as_of
from tests.postgres import Server

pytest_plugins = ("tests.case_databases",)


def _bytes_kept(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("select sum(length(packed)) from blobs")).scalar_one())


def _files(database: Database) -> int:
    """The size of a SQLite database on disk, its log included."""
    file = Path(str(database.engine.url.database))
    return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*"))


def test_six_cases_that_cite_the_same_long_records_keep_them_once(
    sqlite_database: Database,
) -> None:
    """What grew to 605 MB: 20 records of 1 MB, cited by five answers in each of six cases."""
    records = {
        f"event-{number}": json.dumps({"n": number, "x": "y" * 1_000_000}) for number in range(20)
    }
    answers = [an_answer(name=f"question-{n}", evidence=tuple(records)) for n in range(5)]
    for number in range(6):
        opened = a_case(sqlite_database, an_alert(id=an_id(number + 1)))
        (alert,) = case.case_file(sqlite_database, opened.id).alerts
        kept = evidence.freeze_answers(
            sqlite_database, "ann", opened.id, alert.id, LiteralStore(records), answers=answers
        )
        assert [one.records for one in kept] == [records] * 5
    assert _bytes_kept(sqlite_database) < 1_000_000
    assert _files(sqlite_database) < 5_000_000
    assert verify(sqlite_database).ok


def test_records_that_do_not_compress_are_kept_once(database: Database) -> None:
    records = {f"event-{number}": os.urandom(200_000).hex() for number in range(4)}
    answers = [an_answer(name=f"question-{n}", evidence=tuple(records)) for n in range(5)]
    for number in range(3):
        opened = a_case(database, an_alert(id=an_id(number + 1)))
        (alert,) = case.case_file(database, opened.id).alerts
        evidence.freeze_answers(
            database, "ann", opened.id, alert.id, LiteralStore(records), answers=answers
        )
    # 800,000 random bytes have no shorter form; everything else is small.
    assert 800_000 < _bytes_kept(database) < 1_000_000


def test_the_same_bytes_are_kept_once_and_all_bytes_come_back(database: Database) -> None:
    contents = [b"", b"x", bytes(range(256)) * 4, "half \ud800".encode("utf-8", "surrogatepass")]
    for _ in range(2):
        with database.write() as connection:
            blobs.keep(connection, [*contents, *contents])
    names = [blobs.name_of(content) for content in contents]
    with database.read() as connection:
        assert blobs.read(connection, [*names, "none"]) == dict(zip(names, contents, strict=True))
        with pytest.raises(CaseStoreUnusable, match="verify"):
            blobs.one({}, "none")


HOSTILE = "nul \x00 half \ud83d mark \ue000 'quote\" \u202e"


def _worked_on(database: Database) -> None:
    opened = a_case(database, an_alert(title=HOSTILE, raw=HOSTILE))
    alert_id = inbox.queue(database).alerts[0].id
    enrichment.save_answers(database, alert_id, "v1", [[an_answer(sentence=HOSTILE)]])
    store = LiteralStore({an_answer().evidence[0]: HOSTILE})
    evidence.freeze_answers(database, "ann", opened.id, alert_id, store)
    closed = a_closed_case(database, an_alert(id=an_id(2)))
    review.approve(database, "lea", closed.id, closed.version)


def test_evidence_of_before_is_moved_and_still_verifies(
    database: Database, tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    _worked_on(database)
    cases = case.find_cases(database)
    for where in (str(tmp_path / "old.db"), postgres.create()):
        as_of(database, where, "0001", monkeypatch)
        moved = open_database(where)
        assert verify(moved) == verify(database)
        assert verify(moved).ok
        for one in cases:
            assert case.case_file(moved, one.id) == case.case_file(database, one.id)
        with moved.read() as connection:
            kept = connection.execute(text("select document from evidence")).scalars().all()
        assert {len(name) for name in kept} == {64}
        # and it is guarded as before
        for change in ("update evidence set title = 'x'", "delete from evidence"):
            with pytest.raises(Exception, match="never changed or deleted"), moved.write() as c:
                c.execute(text(change))
        moved.close()
