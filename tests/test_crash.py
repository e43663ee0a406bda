"""A build killed at any point has lost, doubled and half-shown nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.an_event import an_event
from trail.index.build import add
from trail.index.catalog import SEGMENTS, Catalog, Publication, SourceFile
from trail.index.upkeep import verify
from trail.store import open_store

ROOT = Path(__file__).parents[1]


def test_kill_9_at_25_random_points(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    done = subprocess.run(
        [sys.executable, "-m", "bench.crash", str(tmp_path / "c"), "25", str(seed)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print("seed", seed, found)
    assert found["kills"] == 25
    assert (found["lost"], found["doubled"], found["unsound"]) == (0, 0, 0), done.stderr
    assert found["ended_before_the_kill"] < 20  # else it was never really killed


@pytest.mark.parametrize("forked", [False, True])
def test_killed_worker_costs_no_event(tmp_path: Path, forked: bool) -> None:
    """A reading process that dies (out of memory, say) is replaced, and its files read again."""
    _write_files(
        tmp_path / "in", (f"20260310T{number // 60:02}{number % 60:02}Z" for number in range(200))
    )
    killed: list[int] = []

    def kill_one() -> None:
        give_up = time.monotonic() + 30
        while not killed and time.monotonic() < give_up:
            first = _workers_below(os.getpid())
            for worker in [w for pid in first for w in _workers_below(pid)] if forked else first:
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)
                break

    killer = threading.Thread(target=kill_one)
    killer.start()
    built = add([tmp_path / "in"], tmp_path / "index")
    killer.join()
    assert killed
    assert (built.events_added, built.files_read, built.rejected) == (2_000, 200, 0)
    assert verify(tmp_path / "index").problems == ()
    assert _workers_below(os.getpid()) == []


def _write_files(folder: Path, times: Iterable[str]) -> None:
    """A file of ten large events for each time that its name says."""
    folder.mkdir()
    padding = "x" * 20_000
    for number, time_of_file in enumerate(times):
        (folder / f"x_{time_of_file}_.json").write_text(
            json.dumps([an_event(eventID=f"{number}-{n}", userAgent=padding) for n in range(10)])
        )


def _workers_below(parent: int) -> list[int]:
    """The reading processes that are children of a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            of_entry = entry.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            command = entry.joinpath("cmdline").read_bytes()
        except OSError:
            continue
        if of_entry == str(parent) and b"trail.index.ingest" in command:
            found.append(int(entry.name))
    return found


@pytest.mark.parametrize("busy_for", [0.05, 0.4])
def test_ctrl_c_leaves_no_reading_process_and_a_whole_index(
    tmp_path: Path, busy_for: float
) -> None:
    _write_files(tmp_path / "in", (f"202603{n // 20 + 1:02}T{n % 20:02}00Z" for n in range(200)))
    script = "import sys; from trail.index.build import add; add([sys.argv[1]], sys.argv[2])"
    build = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "in"), str(tmp_path / "index")],
        cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    give_up = time.monotonic() + 30
    while not (first := _workers_below(build.pid)) and time.monotonic() < give_up:
        pass
    assert first
    time.sleep(busy_for)
    everyone = [*first, *(worker for pid in first for worker in _workers_below(pid))]
    build.send_signal(signal.SIGINT)
    build.wait(10)
    left = [pid for pid in everyone if _is_running(pid)]
    assert left == []
    # Whatever was kept, the next build adds the rest.
    add([tmp_path / "in"], tmp_path / "index")
    assert verify(tmp_path / "index").problems == ()
    with Catalog(tmp_path / "index") as catalog:
        assert catalog.totals()["events"] == 2_000


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_opening_an_index_does_not_wait_for_a_publication(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(an_event()))
    add([path], tmp_path / "index")
    with Catalog(tmp_path / "index") as publishing, publishing.transaction():
        publishing.put_files(Publication(files=[SourceFile("/b.json", 1, 1)]))
        began = time.monotonic()
        with Catalog(tmp_path / "index", create=True) as other:
            assert [Path(file.path).name for file in other.files()] == ["a.json"]
        assert time.monotonic() - began < 5


def test_a_failed_publication_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(an_event()))
    add([path], tmp_path / "index")
    with Catalog(tmp_path / "index") as catalog:
        with pytest.raises(KeyboardInterrupt):
            _interrupted_publication(catalog)
        assert [Path(file.path).name for file in catalog.files()] == ["a.json"]


def _interrupted_publication(catalog: Catalog) -> None:
    with catalog.transaction():
        catalog.put_files(Publication(files=[SourceFile("/b.json", 1, 1)]))
        raise KeyboardInterrupt


def test_orphans_are_swept_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(an_event()))
    add([path], tmp_path / "index")
    stray = tmp_path / "index" / SEGMENTS / "day=2026-03-10" / "v1-events-stray.parquet"
    stray.write_bytes(b"half a segment")
    add([path], tmp_path / "index")
    assert not stray.exists()
    assert verify(tmp_path / "index").problems == ()


def test_ctrl_c_ends_cleanly_and_the_next_run_goes_on(tmp_path: Path) -> None:
    padding = "x" * 20_000
    for number in range(300):
        name = f"x_20260310T{number // 60:02}{number % 60:02}Z_.json"
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(
            json.dumps([an_event(eventID=f"{number}-{n}", userAgent=padding) for n in range(10)])
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "trail", "add", str(tmp_path / "in"), "--index",
         str(tmp_path / "index")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    give_up = time.monotonic() + 30
    while not list((tmp_path / "index").glob(f"{SEGMENTS}/*/*.parquet")):
        assert time.monotonic() < give_up
        if process.poll() is not None:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, 130), said
    assert "Traceback" not in said
    with Catalog(tmp_path / "index") as catalog:
        kept = catalog.totals()["events"]
    if process.returncode == 130:
        assert kept < 3_000
    built = add([tmp_path / "in"], tmp_path / "index")
    assert built.events_added == 3_000 - kept
    rows = (
        open_store(tmp_path / "index")
        .query("select count(*) as n, count(distinct event_id) as ids from events")
        .rows
    )
    assert rows == [{"n": 3_000, "ids": 3_000}]
    assert verify(tmp_path / "index").problems == ()
