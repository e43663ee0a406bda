"""Kills builds with SIGKILL at random moments, and counts every event afterwards.

`python -m bench.crash FOLDER [KILLS] [SEED]` prints one line of JSON; "lost", "doubled" and
"unsound" must be 0. Each build runs in a forked child of a process that never started a thread.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from trail.index.build import add
from trail.index.catalog import CATALOG
from trail.index.upkeep import compact, verify
from trail.lean import without_pandas
from trail.store import open_store

KILLS_PER_INDEX = 5


class Tree:
    """Source files that grow, shrink and repeat each other's events, and what they hold."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self._folder = folder
        self._dice = dice
        self._held: dict[str, list[str]] = {}
        self._next = 0
        for number in range(24):
            self._write(f"{number:02}", 8)

    def expected(self) -> set[str]:
        return {event_id for ids in self._held.values() for event_id in ids}

    def change(self) -> None:
        """Some files grow, one loses its first events, one new one comes."""
        for name in self._dice.sample(sorted(self._held), 4):
            self._write(name, 3, self._held[name])
        name = self._dice.choice(sorted(self._held))
        self._write(name, 1, self._held[name][2:])
        self._write(f"{len(self._held):02}", 5)

    def _write(self, name: str, more: int, before: list[str] | None = None) -> None:
        ids = list(before or [])
        for _ in range(more):
            known = sorted(self.expected())
            if known and self._dice.random() < 0.2:
                ids.append(self._dice.choice(known))
            else:
                ids.append(f"event-{self._next}")
                self._next += 1
        self._held[name] = ids
        path = self._folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"Records": [_record(event_id) for event_id in ids]}))


def _record(event_id: str) -> dict[str, object]:
    number = int(event_id.removeprefix("event-"))
    return {
        "eventID": event_id,
        "eventTime": f"2026-03-{number % 5 + 1:02}T{number % 24:02}:00:00Z",
        "eventName": "AssumeRole" if number % 7 == 0 else "DescribeInstances",
        "eventSource": "sts.amazonaws.com" if number % 7 == 0 else "ec2.amazonaws.com",
        "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "principalId": f"AIDA{number % 6}"},
    }


def kill_builds(folder: Path, kills: int, seed: int) -> dict[str, object]:
    """What `kills` builds that were killed half-way left behind."""
    dice = random.Random(seed)
    lost = doubled = unsound = finished = 0
    done = 0
    while done < kills:
        shutil.rmtree(folder, ignore_errors=True)
        index = folder / "index"
        tree = Tree(folder / "in", dice)

        build = partial(_build, folder)

        began = time.perf_counter()
        _in_child(build)
        whole = time.perf_counter() - began
        for _ in range(min(KILLS_PER_INDEX, kills - done)):
            tree.change()
            work: Callable[[], None] = build
            if dice.random() < 0.2:
                work = partial(_compact, index)
            killed = _in_child(work, kill_after=dice.uniform(0.0, whole))
            finished += not killed
            done += 1
            # What readers see right after the kill is whole: no repeat, no broken segment.
            unsound += not _in_child(partial(_check, index, None))
        _in_child(build)
        answer = folder / "answer.json"
        _in_child(partial(_check, index, answer))
        if not answer.is_file():
            unsound += 1
            continue
        seen: list[str] = json.loads(answer.read_text())
        lost += len(tree.expected() - set(seen)) + len(set(seen) - tree.expected())
        doubled += len(seen) - len(set(seen))
    return {
        "bench": "crash", "kills": done, "ended_before_the_kill": finished, "seed": seed,
        "lost": lost, "doubled": doubled, "unsound": unsound,
    }  # fmt: skip


def _build(folder: Path) -> None:
    add([folder / "in"], folder / "index", workers=0, round_bytes=30_000)


def _compact(index: Path) -> None:
    compact(index)


def _in_child(work: Callable[[], None], kill_after: float | None = None) -> bool:
    """Whether the child was killed, or (without a kill) whether it did its work."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            if kill_after is None:
                sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if kill_after is None:
        return status == 0
    return os.WIFSIGNALED(status)


def _check(index: Path, answer: Path | None) -> None:
    if not (index / CATALOG).is_file():
        return
    problems = [p for p in verify(index).problems if "no catalog entry" not in p]
    assert not problems, problems
    if answer is not None:
        rows = open_store(index).query("select event_id from events").rows
        answer.write_text(json.dumps([row["event_id"] for row in rows]))


def many_kills(work: Path, full: bool) -> dict[str, object]:
    """200 builds killed at random moments."""
    # A process of its own: this one may have threads, which a fork does not survive.
    done = subprocess.run(
        [sys.executable, "-m", "bench.crash", str(work / "crash"), "200"],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main(arguments: list[str]) -> None:
    without_pandas()  # else every child would import it anew
    folder = Path(arguments[0])
    kills = int(arguments[1]) if len(arguments) > 1 else 25
    seed = int(arguments[2]) if len(arguments) > 2 else int(time.time())
    print(json.dumps(kill_builds(folder, kills, seed)))


if __name__ == "__main__":
    main(sys.argv[1:])
