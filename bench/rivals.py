"""The ways that Backtrail is measured against, each the obvious one, and Backtrail's own.

`python -m bench.rivals NAME FOLDER OUT` runs one in this process and prints a line of JSON:
wall and CPU seconds (start-up excluded), events, and peak memory with its children's.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

THREADS = 2


def read_json_auto(folder: Path, out: Path) -> int:
    """The obvious way: DuckDB reads the files itself, and keeps a table with a column per key."""
    import duckdb

    db = duckdb.connect(str(out / "rival.duckdb"), config={"threads": THREADS})
    db.execute(
        "create table events as select unnest(Records, max_depth := 2)"
        f" from read_json_auto('{folder}/**/*.json.gz', maximum_object_size = 200000000)"
    )
    (events,) = db.execute("select count(*) from events").fetchone() or (0,)
    db.close()
    return int(events)


def gunzip(folder: Path, out: Path) -> int:
    """The floor: unpack every file, and do nothing with it. Two threads (isal frees the GIL)."""
    from isal import igzip

    paths = sorted(str(path) for path in folder.rglob("*.json.gz"))
    sizes = [0] * THREADS

    def unpack(number: int) -> None:
        for path in paths[number::THREADS]:
            sizes[number] += len(igzip.decompress(Path(path).read_bytes()))

    threads = [threading.Thread(target=unpack, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(sizes)


def bare_walk(folder: Path, out: Path) -> int:
    """Lists and stats every file, and does nothing else."""
    count = 0
    folders = [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    count += entry.stat().st_size >= 0
    return count


def backtrail(folder: Path, out: Path) -> int:
    """`trail.index.build.add` into a new index: repeats out, sorted, rolled up, synced, published."""
    from trail.index.build import add

    return add([folder], out / "index", workers=THREADS).events_added


def backtrail_again(folder: Path, out: Path) -> int:
    """`trail.index.build.add` over a tree that has not changed since `out` was built."""
    from trail.index.build import add

    return add([folder], out / "index").files_unchanged


NAMED: dict[str, Callable[[Path, Path], int]] = {
    "read_json_auto": read_json_auto,
    "gunzip": gunzip,
    "bare_walk": bare_walk,
    "backtrail": backtrail,
    "backtrail_again": backtrail_again,
}


def main(name: str, folder: Path, out: Path) -> None:
    if not name.endswith("again"):
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
    run = NAMED[name]
    if name.startswith("backtrail"):
        from trail.lean import without_pandas

        without_pandas()
        import trail.build  # noqa: F401 # start-up is not what is measured
    elif name == "read_json_auto":
        import duckdb  # noqa: F401 # as above
    peak = _Peak()
    began, used = time.perf_counter(), _cpu()
    events = run(folder, out)
    wall, cpu = time.perf_counter() - began, _cpu() - used
    print(
        json.dumps(
            {
                "name": name, "wall_s": wall, "cpu_s": cpu, "events": events,
                "peak_mib": peak.stop() / 2**20,
                "bytes": sum(f.stat().st_size for f in out.rglob("*") if f.is_file()),
            }
        )
    )  # fmt: skip


def _cpu() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


class _Peak:
    """The most memory that this process and its children held at one moment."""

    def __init__(self) -> None:
        self._most = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self._most = max(self._most, _resident())

    def stop(self) -> int:
        self._stop.set()
        self._thread.join()
        return max(self._most, _resident())


def _resident() -> int:
    """Resident bytes of this process and all below it, shared pages counted for each."""
    held: dict[str, int] = {}
    below: dict[str, list[str]] = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        held[entry.name] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        below.setdefault(fields[1], []).append(entry.name)
    total = 0
    family = [str(os.getpid())]
    while family:
        one = family.pop()
        total += held.get(one, 0)
        family += below.get(one, [])
    return total


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
