"""The same statement asked twice is run once; one that takes too long is stopped, and no other."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from an_event import an_event

from trail.errors import QueryFailed
from trail.index.build import add
from trail.store import open_store
from trail.store.memo import Memo
from trail.store.watchdog import Watchdog


def write_log(path: Path, record: dict[str, object]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"Records": [record]}))


def test_those_who_ask_at_once_share_one_run() -> None:
    memo = Memo[str](100, len)
    runs: list[int] = []
    begun = threading.Event()

    def work_out() -> str:
        runs.append(1)
        begun.wait(5)
        return "found"

    given: list[str] = []
    asking = [
        threading.Thread(target=lambda: given.append(memo.get("key", work_out))) for _ in range(5)
    ]
    for thread in asking:
        thread.start()
    begun.set()
    for thread in asking:
        thread.join()
    assert given == ["found"] * 5
    assert len(runs) == 1


def test_an_error_is_not_kept() -> None:
    memo = Memo[str](100, len)

    def fails() -> str:
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        memo.get("key", fails)
    assert memo.get("key", lambda: "found") == "found"


def test_room_is_made_by_the_oldest() -> None:
    memo = Memo[str](40, len)
    runs: list[str] = []

    def ask(key: str, size: int) -> None:
        memo.get(key, lambda: (runs.append(key), "x" * size)[1])

    for key in ("a", "b", "c", "d", "e"):
        ask(key, 8)
    ask("e", 8)  # still held
    ask("a", 8)  # gone
    ask("large", 30)  # never held: it would push everything else out
    ask("large", 30)
    assert runs == ["a", "b", "c", "d", "e", "a", "large", "large"]


def test_rows_given_twice_are_each_callers_own(tmp_path: Path) -> None:
    write_log(tmp_path / "logs" / "a.json", an_event())
    add([tmp_path / "logs"], tmp_path / "index")
    store = open_store(tmp_path / "index")
    sql = "select event_name from events"
    first = store.query(sql).rows
    first[0]["event_name"] = "changed by its caller"
    assert store.query(sql).rows[0]["event_name"] != "changed by its caller"
    write_log(tmp_path / "logs" / "b.json", an_event())
    add([tmp_path / "logs"], tmp_path / "index")
    assert len(store.query(sql).rows) == 2  # asked of another index: run again


def test_only_what_takes_too_long_is_stopped(tmp_path: Path) -> None:
    write_log(tmp_path / "logs" / "a.json", an_event())
    add([tmp_path / "logs"], tmp_path / "index")
    store = open_store(tmp_path / "index", threads=1)
    endless = "select count(*) as n from range(10000000000) a"
    began = time.monotonic()
    with pytest.raises(QueryFailed, match=r"stopped after 0\.3 seconds"):
        store.query(endless, timeout=0.3)
    assert time.monotonic() - began < 10
    # The connection serves on, and queries in time are left alone.
    for number in range(20):
        assert store.query(f"select {number} as n", timeout=0.3).rows == [{"n": number}]


def test_the_nearest_deadline_is_kept() -> None:
    watchdog = Watchdog()
    stopped: list[str] = []
    both = threading.Event()

    def stop(name: str) -> None:
        stopped.append(name)
        if len(stopped) == 2:
            both.set()

    with (
        watchdog.watching(lambda: stop("late"), 0.4),
        watchdog.watching(lambda: stop("soon"), 0.1),
        watchdog.watching(lambda: stop("never"), 60),
    ):
        assert both.wait(10)
    assert stopped == ["soon", "late"]
