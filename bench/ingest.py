"""How fast files become an index, beside the obvious way and the floor."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.logs import write_tree

ROOT = Path(__file__).parents[1]
ROUNDS = 5


def measure(names: list[str], tree: Path, work: Path, rounds: int = ROUNDS) -> dict[str, Any]:
    """Medians of each contestant, run in turn `rounds` times so that noise hits all alike."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    # A machine that tests may forbid Python to keep compiled modules; those of users do not.
    usual = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(rounds):
        for name in names:
            out = work / ("backtrail" if name.startswith("backtrail") else name)
            done = subprocess.run(
                [sys.executable, "-m", "bench.rivals", name, str(tree), str(out)],
                cwd=ROOT, capture_output=True, text=True, check=True, env=usual,
            )  # fmt: skip
            runs[name].append(json.loads(done.stdout))
            print(f"  {name:<16} {runs[name][-1]['wall_s']:8.2f} s", file=sys.stderr)
    return {
        name: {
            key: statistics.median(run[key] for run in of_name)
            for key in ("wall_s", "cpu_s", "events", "peak_mib", "bytes")
        }
        for name, of_name in runs.items()
    }


def tree_of(
    work: Path, events: int, per_file: int, *, own_keys: bool = False
) -> tuple[Path, int, int]:
    """A generated tree (kept between runs), its files and bytes."""
    tree = work / f"logs-{events}-{per_file}{'-own-keys' if own_keys else ''}"
    told = work / f"{tree.name}.json"
    if not told.is_file():
        print(f"  writing {events:,} events in files of {per_file} …", file=sys.stderr)
        told.parent.mkdir(parents=True, exist_ok=True)
        told.write_text(json.dumps(write_tree(tree, events, per_file, own_keys=own_keys)))
    files, size = json.loads(told.read_text())
    return tree, files, size


def large_files(work: Path, full: bool, events: int = 2_000_000) -> dict[str, Any]:
    """Files of 160 events: the usual trail of a busy organisation."""
    return _compare("large_files", work, events, 160, 1.5)


def small_files(work: Path, full: bool) -> dict[str, Any]:
    """20,000 files of 8 events: the usual trail of many quiet accounts."""
    return _compare("small_files", work, 160_000, 8, 12.0)


def own_keys(work: Path, full: bool) -> dict[str, Any]:
    """Every event with an access key of its own: console use and short sessions, 1,000 files."""
    return _compare("own_keys", work, 160_000, 160, 1.2, own_keys=True)


def _compare(
    name: str, work: Path, events: int, per_file: int, goal: float, *, own_keys: bool = False
) -> dict[str, Any]:
    tree, files, size = tree_of(work, events, per_file, own_keys=own_keys)
    found = measure(["read_json_auto", "backtrail", "gunzip"], tree, work)
    mine, rival, floor = found["backtrail"], found["read_json_auto"], found["gunzip"]
    assert mine["events"] == rival["events"] == files * per_file
    return {
        "bench": name,
        "events": mine["events"],
        "files": files,
        "events_per_s": round(mine["events"] / mine["wall_s"]),
        "rival_events_per_s": round(rival["events"] / rival["wall_s"]),
        "times_rival": round(rival["wall_s"] / mine["wall_s"], 2),
        "times_rival_cpu": round(rival["cpu_s"] / mine["cpu_s"], 2),
        "goal": goal,
        **_beside_gunzip(mine, floor),
        "peak_mib": round(mine["peak_mib"]),
        "rival_peak_mib": round(rival["peak_mib"]),
        "index_bytes_per_event": round(mine["bytes"] / mine["events"], 1),
        "gzip_bytes_per_event": round(size / mine["events"], 1),
    }


def _beside_gunzip(mine: dict[str, Any], floor: dict[str, Any]) -> dict[str, float]:
    """How far it is from the floor, in time and in the work of all processors."""
    return {
        "times_gunzip": round(mine["wall_s"] / floor["wall_s"], 2),
        "times_gunzip_cpu": round(mine["cpu_s"] / floor["cpu_s"], 2),
        "cpu_us_per_event": round(1e6 * mine["cpu_s"] / mine["events"], 2),
        "gunzip_cpu_us_per_event": round(1e6 * floor["cpu_s"] / mine["events"], 2),
    }


def real_files(work: Path, full: bool) -> dict[str, Any]:
    """The same on real files, copied under 40 names so that there is something to measure."""
    source = ROOT.parent / "shared" / "data" / "stratus-run-2023" / "CloudTrail"
    tree = work / "real"
    if not tree.is_dir():
        from isal import igzip

        for copy in range(40):
            folder = tree / f"{copy:02}"
            folder.mkdir(parents=True)
            for path in source.glob("*.json"):
                text = path.read_bytes().replace(b'"eventID":"', b'"eventID":"%02d' % copy)
                (folder / f"{path.name}.gz").write_bytes(igzip.compress(text, 3))
    found = measure(["read_json_auto", "backtrail", "gunzip"], tree, work, 5)
    mine, rival = found["backtrail"], found["read_json_auto"]
    return {
        "bench": "real_files",
        "events": mine["events"],
        "events_per_s": round(mine["events"] / mine["wall_s"]),
        "times_rival": round(rival["wall_s"] / mine["wall_s"], 2),
        "times_rival_cpu": round(rival["cpu_s"] / mine["cpu_s"], 2),
        **_beside_gunzip(mine, found["gunzip"]),
        "index_bytes_per_event": round(mine["bytes"] / mine["events"], 1),
    }


def incremental(work: Path, full: bool) -> dict[str, Any]:
    """A second run over 20,000 unchanged files, beside a bare walk that stats them."""
    tree, files, _ = tree_of(work, 160_000, 8)
    measure(["backtrail"], tree, work, 1)
    found = measure(["bare_walk", "backtrail_again"], tree, work, 9)
    assert found["backtrail_again"]["events"] == files
    return {
        "bench": "incremental",
        "files": files,
        "walk_ms": round(found["bare_walk"]["wall_s"] * 1000, 1),
        "again_ms": round(found["backtrail_again"]["wall_s"] * 1000, 1),
        "times_walk": round(found["backtrail_again"]["wall_s"] / found["bare_walk"]["wall_s"], 2),
        "goal": 3.0,
    }


def memory(work: Path, full: bool) -> dict[str, Any]:
    """The most memory a build takes, at 2 million events (20 million with --scale full)."""
    found: dict[str, Any] = {"bench": "memory", "limit_mib": 1536}
    for events in [2_000_000, 20_000_000] if full else [2_000_000]:
        tree, _, _ = tree_of(work, events, 160)
        run = measure(["backtrail"], tree, work, 1)["backtrail"]
        found[f"{events // 1_000_000}M_peak_mib"] = round(run["peak_mib"])
        found[f"{events // 1_000_000}M_events_per_s"] = round(run["events"] / run["wall_s"])
    return found
