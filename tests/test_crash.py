"""A build killed at any point has lost, doubled and half-shown nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.an_event import an_event
from trail.build import add
from trail.catalog import SEGMENTS, Catalog
from trail.store import open_store
from trail.upkeep import verify

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


def test_killed_worker_costs_no_event(tmp_path: Path) -> None:
    """A reading process that dies (out of memory, say) is replaced, and its files read again."""
    (tmp_path / "in").mkdir()
    padding = "x" * 20_000
    for number in range(200):
        name = f"x_20260310T{number // 60:02}{number % 60:02}Z_.json"
        (tmp_path / "in" / name).write_text(
            json.dumps([an_event(eventID=f"{number}-{n}", userAgent=padding) for n in range(10)])
        )
    killed: list[int] = []

    def kill_one() -> None:
        give_up = time.monotonic() + 30
        while not killed and time.monotonic() < give_up:
            for entry in Path("/proc").iterdir():
                if not entry.name.isdigit():
                    continue
                try:
                    parent = entry.joinpath("stat").read_text().rpartition(")")[2].split()[1]
                    command = entry.joinpath("cmdline").read_bytes()
                except OSError:
                    continue
                if parent == str(os.getpid()) and b"trail.ingest" in command:
                    os.kill(int(entry.name), signal.SIGKILL)
                    killed.append(int(entry.name))
                    break

    killer = threading.Thread(target=kill_one)
    killer.start()
    built = add([tmp_path / "in"], tmp_path / "index")
    killer.join()
    assert killed
    assert (built.events_added, built.files_read, built.rejected) == (2_000, 200, 0)
    assert verify(tmp_path / "index").problems == ()


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
