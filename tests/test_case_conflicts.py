"""Two people on one case: nobody's words are lost, and the second is shown the difference."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from cases import audit, case, inbox, review
from cases.database import Database, open_database
from cases.errors import CaseConflict, CaseRefused
from cases.verify import verify
from tests.a_case import a_case, a_closed_case, an_alert, an_id

pytest_plugins = ("tests.case_databases",)

WRITERS = 20
NOTES_EACH = 2


def test_the_second_saver_gets_both_texts_and_overwrites_nothing(database: Database) -> None:
    opened = a_case(database)
    case.save_case(
        database,
        "abe",
        opened.id,
        opened.version,
        {"reason": "Abe's sentence.", "summary": "Abe's summary."},
    )

    with pytest.raises(CaseConflict) as caught:
        case.save_case(
            database,
            "ann",
            opened.id,
            opened.version,
            {"reason": "Ann's sentence.", "tags": ["phishing"], "summary": ""},
        )

    differences = {one.field: one for one in caught.value.differences}
    assert differences.keys() == {"reason", "tags"}
    reason = differences["reason"]
    assert (reason.was, reason.theirs, reason.yours) == ("", "Abe's sentence.", "Ann's sentence.")
    assert reason.overlaps
    assert not differences["tags"].overlaps
    assert caught.value.saved_by == ("abe",)
    assert case.get_case(database, opened.id).reason == "Abe's sentence."


def test_refused_words_are_in_the_history_and_can_be_saved_again(database: Database) -> None:
    opened = a_case(database)
    case.save_case(database, "abe", opened.id, opened.version, {"reason": "Abe's."})
    with pytest.raises(CaseConflict) as caught:
        case.save_case(database, "ann", opened.id, opened.version, {"reason": "Ann's."})

    refused = audit.history(database, opened.id)[-1]
    assert refused.actor == "ann"
    assert refused.after == {"yours": {"reason": "Ann's."}}
    assert refused.before == {"theirs": {"reason": "Abe's."}}

    both = case.save_case(
        database, "ann", opened.id, caught.value.current_version, {"reason": "Abe's. Ann's."}
    )
    assert both.reason == "Abe's. Ann's."
    assert verify(database).ok


def test_a_case_that_changed_is_neither_closed_nor_approved_unseen(database: Database) -> None:
    opened = a_case(database)
    case.add_note(database, "abe", opened.id, "Wait: look at this.")
    with pytest.raises(CaseConflict):
        case.close_case(
            database, "ann", opened.id, opened.version, verdict="benign", reason="Nothing there."
        )
    closed = a_closed_case(database, an_alert(id=an_id(2)))
    case.add_note(database, "ann", closed.id, "I was wrong.")
    with pytest.raises(CaseConflict):
        review.approve(database, "lea", closed.id, closed.version)
    assert case.get_case(database, closed.id).seal is None


def at_once(tasks: list[Callable[[], Any]]) -> list[Any]:
    """The results (or exceptions) of tasks that all start at the same moment."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        barrier.wait(timeout=30)
        try:
            return task()
        except CaseConflict as conflict:
            return conflict

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def test_of_twenty_savers_at_once_one_wins_and_every_text_is_kept(database: Database) -> None:
    opened = a_case(database)
    texts = [f"The words of writer {number}." for number in range(WRITERS)]

    results = at_once(
        [
            partial(case.save_case, database, "ann", opened.id, opened.version, {"reason": text})
            for text in texts
        ]
    )

    saved = [one for one in results if isinstance(one, case.Case)]
    assert len(saved) == 1
    refused = [
        entry.after["yours"]["reason"]
        for entry in audit.history(database, opened.id)
        if "yours" in entry.after
    ]
    assert sorted([saved[0].reason, *refused]) == sorted(texts)
    assert case.get_case(database, opened.id).reason == saved[0].reason
    assert verify(database).ok


def _write_notes(url: str, case_id: int, number: int) -> None:
    database = open_database(url)
    for at in range(NOTES_EACH):
        case.add_note(database, "ann" if number % 2 else "abe", case_id, f"{number}/{at}")
    database.close()


def test_twenty_writers_in_threads_and_processes_lose_nothing(
    database: Database, fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A test of a page may have left the page's script as the main one, which a new process would
    # run first.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    opened = a_case(database)
    fork = multiprocessing.get_context("spawn")
    processes = [
        fork.Process(target=_write_notes, args=(fresh_url, opened.id, number))
        for number in range(2)
    ]
    for process in processes:
        process.start()
    at_once([partial(_write_notes, fresh_url, opened.id, n) for n in range(2, WRITERS)])
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0

    file = case.case_file(database, opened.id)
    expected = {f"{number}/{at}" for number in range(WRITERS) for at in range(NOTES_EACH)}
    assert {note.text for note in file.notes} == expected
    assert len(file.notes) == WRITERS * NOTES_EACH
    assert file.case.version == opened.version + WRITERS * NOTES_EACH
    assert verify(database).ok


def test_an_alert_that_twenty_load_at_once_is_one_row_with_every_arrival_counted(
    database: Database,
) -> None:
    at_once([lambda: inbox.receive(database, "ann", [an_alert()]) for _ in range(WRITERS)])
    (row,) = inbox.queue(database).alerts
    assert row.count == WRITERS


def test_of_twenty_who_open_a_case_on_one_alert_one_succeeds(database: Database) -> None:
    (received,) = inbox.receive(database, "ann", [an_alert()])

    def attempt() -> Any:
        try:
            return case.open_case(database, "ann", [received.id])
        except CaseRefused:
            return None

    results = at_once([attempt] * WRITERS)
    assert sum(one is not None for one in results) == 1
    assert len(case.find_cases(database)) == 1
    assert verify(database).ok
