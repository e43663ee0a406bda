"""A store gives back all that it took when it is closed, and stops what asks for too much."""

from __future__ import annotations

import gc
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import trail.store
from tests.an_event import an_assumption, an_event
from trail.errors import IndexUnreadable, QueryFailed
from trail.index.build import add
from trail.store import open_store


@pytest.fixture
def index(tmp_path: Path) -> Path:
    records = [an_event(eventID=f"{n}") for n in range(40)] + [an_assumption()]
    (tmp_path / "log.json").write_text(json.dumps({"Records": records}))
    add([tmp_path / "log.json"], tmp_path / "index")
    return tmp_path / "index"


def _held() -> tuple[int, int]:
    gc.collect()
    return len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208


def _use(index: Path) -> None:
    store = open_store(index)
    with ThreadPoolExecutor(4) as threads:
        for _ in threads.map(
            lambda n: store.query(
                f"select event_id, {n} as n from events where identity_id = $who", {"who": "x"}
            ),
            range(8),
        ):
            pass
    store.query("select count(*) from daily")
    store.query("select * from credentials")
    store.raw_records(["3", "4"])
    store.rejects()
    store.close()


def test_fifty_stores_opened_and_closed_leave_nothing_behind(index: Path) -> None:
    _use(index)  # what is loaded once
    files, threads = _held()
    for _ in range(50):
        _use(index)
    now_files, now_threads = _held()
    assert now_files - files <= 2
    assert now_threads - threads <= 2


def test_closing_ends_what_runs(index: Path) -> None:
    store = open_store(index)
    ended = threading.Event()

    def run() -> None:
        with pytest.raises(QueryFailed):
            store.query("select sum(a.range * b.range) from range(100000000) a, range(100000000) b")
        ended.set()

    asking = threading.Thread(target=run)
    asking.start()
    while not store._watchdog._running:
        time.sleep(0.01)
    store.close()
    assert ended.wait(60)
    asking.join()
    store.close()
    with pytest.raises(IndexUnreadable, match="was closed"):
        store.version()


def test_a_query_that_finds_too_many_rows_is_refused(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail.store, "QUERY_ROWS", 40)
    with open_store(index) as store:
        with pytest.raises(QueryFailed, match="more than 40 rows"):
            store.query("select event_id from events")
        assert len(store.query("select event_id from events limit 40").rows) == 40
        # The connection that it ran on is as good as before.
        assert store.query("select count(*) as n from events").rows == [{"n": 41}]


def test_a_query_that_takes_too_long_is_stopped_and_says_so(index: Path) -> None:
    with open_store(index) as store:
        with pytest.raises(QueryFailed, match="stopped after 0.2 seconds"):
            store.query(
                "select sum(a.range * b.range) from range(100000000) a, range(100000000) b",
                timeout=0.2,
            )
        assert store.query("select count(*) as n from events").rows == [{"n": 41}]
