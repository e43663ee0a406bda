"""`/health`: 200 while pages can be served, else 503 and the part that keeps them from it."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request

from cases.database import open_database
from tests import postgres
from tests.an_event import an_event
from trail.index.build import add
from ui.shell import health


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BACKTRAIL_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(tmp_path / "cases.db"))
    health._runs.clear()
    yield tmp_path
    health._runs.clear()


def _asked(one: health.Health) -> tuple[int, dict[str, str]]:
    answer = asyncio.run(one.answer(Request({"type": "http", "method": "GET", "headers": []})))
    body = json.loads(bytes(answer.body))
    assert body["status"] == ("ok" if answer.status_code == 200 else "failing")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, body["checks"]


def _checks() -> tuple[int, dict[str, str]]:
    return _asked(health.Health(health.checks()))


def _an_index(folder: Path) -> None:
    (folder / "one.json").write_text(json.dumps({"Records": [an_event()]}))
    add([folder / "one.json"], folder / "index")


WELL = {"file_handles": "ok", "index": "ok", "case_store": "ok", "pages": "ok"}


def test_a_fresh_install_is_well(folder: Path) -> None:
    assert _checks() == (200, WELL)
    assert list(folder.iterdir()) == []  # looking makes no file


def test_an_index_and_cases_are_well(folder: Path) -> None:
    _an_index(folder)
    open_database().close()
    assert _checks() == (200, WELL)


def test_a_damaged_index_fails_without_saying_where(folder: Path) -> None:
    _an_index(folder)
    (folder / "index" / "catalog.sqlite").write_bytes(b"not a database" * 1000)
    for companion in ("-wal", "-shm"):
        (folder / "index" / f"catalog.sqlite{companion}").unlink(missing_ok=True)
    status, found = _checks()
    assert (status, found) == (503, WELL | {"index": "The index cannot be read."})


def test_an_index_that_was_there_and_is_gone_fails(folder: Path) -> None:
    _an_index(folder)
    assert _checks()[0] == 200
    shutil.rmtree(folder / "index")
    assert _checks() == (503, WELL | {"index": "The index is not there any more."})


def test_a_damaged_case_database_fails(folder: Path) -> None:
    (folder / "cases.db").write_bytes(b"x" * 8192)
    assert _checks() == (503, WELL | {"case_store": "The case database does not answer."})


def test_a_locked_case_database_still_answers_readers(folder: Path) -> None:
    open_database().close()
    with sqlite3.connect(folder / "cases.db", isolation_level=None) as writer:
        writer.execute("begin immediate")
        assert _checks() == (200, WELL)
    writer.close()


def test_a_stopped_postgresql_fails_and_recovers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTRAIL_CASES_URL", "postgresql://nobody:secret@127.0.0.1:9/none")
    status, found = _checks()
    assert (status, found) == (503, WELL | {"case_store": "The case database does not answer."})
    with postgres.running_server() as server:
        monkeypatch.setenv("BACKTRAIL_CASES_URL", server.create())
        open_database().close()
        assert _checks() == (200, WELL)


def test_few_file_handles_fail(folder: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 14, before[1]))
        said = health.file_handles()
        assert said is not None
        assert said.startswith("Only 1")
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 100, before[1]))
        assert health.file_handles() is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def _run_of_a_page(error: BaseException | None) -> None:
    try:
        with health.watched_run():
            if error is not None:
                raise error
    except (ValueError, SystemExit):
        pass


def test_pages_that_all_fail_fail_until_one_is_well(folder: Path) -> None:
    for _ in range(4):
        _run_of_a_page(ValueError())
    assert _checks() == (200, WELL)
    _run_of_a_page(ValueError())
    assert _checks() == (503, WELL | {"pages": "The last 5 page runs failed."})
    _run_of_a_page(SystemExit())  # as st.stop and st.rerun: what is no Exception is no failure
    assert _checks() == (200, WELL)


def test_probes_share_one_look() -> None:
    looks = []
    one = health.Health({"counted": lambda: looks.append(1)})
    assert [_asked(one)[0] for _ in range(20)] == [200] * 20
    assert len(looks) == 1


def test_a_check_that_hangs_is_said_and_not_piled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE_S", 0.1)
    go_on, looks = threading.Event(), []

    def stuck() -> str | None:
        looks.append(1)
        go_on.wait(60)
        return None

    one = health.Health({"stuck": stuck})
    for _ in range(5):
        status, found = _asked(one)
        assert (status, list(found)) == (503, ["checks"])
    assert len(looks) == 1
    go_on.set()
    monkeypatch.setattr(health, "PATIENCE_S", 30)
    assert _asked(one) == (200, {"stuck": "ok"})
