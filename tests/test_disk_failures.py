"""After a full disk or a failed write nothing unpublished stays; what was published is whole."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from tests.an_event import an_assumption, an_event
from trail.errors import BacktrailError
from trail.index.build import Progress, add
from trail.index.catalog import SEGMENTS, Catalog
from trail.index.upkeep import compact, drop_before, migrate, verify
from trail.store import open_store

ROOT = Path(__file__).parents[1]


def _write(path: Path, day: int, events: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [
        (an_assumption if number % 5 == 0 else an_event)(
            eventID=f"{path.stem}-{number}",
            eventTime=f"2026-03-{day:02}T{number % 24:02}:00:00Z",
            requestParameters={"noise": os.urandom(200).hex()},
        )
        for number in range(events)
    ]
    path.write_text(json.dumps({"Records": records}))


def _published(index: Path) -> set[str]:
    rows = open_store(index).query("select event_id from events").rows
    return {row["event_id"] for row in rows}


def _assert_nothing_is_left_over(index: Path) -> None:
    with Catalog(index) as catalog:
        known = catalog.known_names()
    on_disk = {str(path.relative_to(index)) for path in (index / SEGMENTS).rglob("*.parquet")}
    assert on_disk <= known
    assert verify(index).problems == ()


# What one file may hold: a disk that is full for small segments, for large ones, for the catalog.
@pytest.mark.parametrize("room", [0, 4 << 10, 20 << 10, 60 << 10, 200 << 10])
def test_a_disk_that_fills_up_at_any_size(room: int, tmp_path: Path) -> None:
    _write(tmp_path / "in" / "old.json", 1, 50)
    add([tmp_path / "in"], tmp_path / "index")
    before = _published(tmp_path / "index")
    for day in (1, 2, 3):
        _write(tmp_path / "in" / f"new-{day}.json", day, 30 if day < 3 else 800)
    done = subprocess.run(
        [sys.executable, "-m", "trail", "add", str(tmp_path / "in"), "--index",
         str(tmp_path / "index")],
        cwd=ROOT, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),  # noqa: PLW1509
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    if room < 200 << 10:
        assert done.returncode == 1
        assert "What was published before is intact" in done.stderr
    _assert_nothing_is_left_over(tmp_path / "index")
    assert before <= _published(tmp_path / "index")
    # With room again, the same command finishes.
    add([tmp_path / "in"], tmp_path / "index")
    assert len(_published(tmp_path / "index")) == 50 + 30 + 30 + 800
    _assert_nothing_is_left_over(tmp_path / "index")


@pytest.fixture
def failing_sync(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Has the nth sync of a file from now on fail, as on a disk that is dying."""
    real = os.fsync
    left = [-1]

    def sync(handle: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(handle)

    monkeypatch.setattr(os, "fsync", sync)
    yield lambda number: left.__setitem__(0, number)
    left[0] = -1


def test_every_sync_of_a_build_may_fail(
    tmp_path: Path, failing_sync: Callable[[int], None]
) -> None:
    index = tmp_path / "index"
    _write(tmp_path / "in" / "old.json", 1, 10)
    add([tmp_path / "in"], index, workers=0)
    before = _published(index)
    for day in (1, 2):
        _write(tmp_path / "in" / f"new-{day}.json", day, 10)
    said: list[str] = []
    while True:
        failing_sync(len(said) + 1)
        try:
            add([tmp_path / "in"], index, workers=0)
            break
        except BacktrailError as error:
            said.append(str(error))
        failing_sync(-1)
        _assert_nothing_is_left_over(index)
        assert _published(index) == before
    assert len(said) >= 4
    assert all("cannot be written" in one or "could not be written" in one for one in said)
    assert len(_published(index)) == 30


@pytest.mark.parametrize("deed", ["compact", "drop", "migrate"])
def test_every_sync_of_upkeep_may_fail(
    deed: str, tmp_path: Path, failing_sync: Callable[[int], None]
) -> None:
    index = tmp_path / "index"
    for number in range(6):
        _write(tmp_path / "in" / f"{number}.json", 2 + number % 2, 6)
        add([tmp_path / "in"], index, workers=0)
    before = _published(index)
    work: Callable[[], object] = {
        "compact": lambda: compact(index),
        "drop": lambda: drop_before(index, date(2026, 3, 3)),
        "migrate": lambda: migrate(index, force=True),
    }[deed]
    for number in (1, 2, 4):
        failing_sync(number)
        with suppress(BacktrailError):
            work()
        failing_sync(-1)
        _assert_nothing_is_left_over(index)
        assert _published(index) <= before
        assert not (tmp_path / "index.migrating").exists()
    work()
    kept = 18 if deed == "drop" else 36
    assert len(_published(index)) == kept
    _assert_nothing_is_left_over(index)


def test_progress_names_the_file_at_work(tmp_path: Path) -> None:
    _write(tmp_path / "in" / "large.json", 1, 3_000)
    said: list[Progress] = []
    add([tmp_path / "in"], tmp_path / "index", progress=said.append, workers=0)
    assert str(tmp_path / "in" / "large.json") in {one.file for one in said}
