"""50 sessions at work while the index is extended and compacted, every answer checked.

Each session acts every five seconds: an alert with its five answers, an entity, a search, a record,
the inbox, the index page. What its page must say was worked out before by other means: from the
generated records and from the command line's answers. The builder runs at low priority, adds days
that no question is about, and compacts; so that no answer may change.

One session alone is measured under the same building first. Gates: no error, nothing wrong, memory
that grows by less than 5 % after minute 2, and a p95 below three times one session's.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from websockets.exceptions import WebSocketException

from bench.dashboard import SESSIONS, THINK_S, served
from bench.logs import write_tree
from demo.generate import generate
from tests.a_session import FAILED, Reader, opened
from trail.index.build import add
from trail.index.upkeep import compact

MINUTES = 10.0
WARM_MINUTES = 2.0
"""After so long, memory has to stand still."""
ALONE_SECONDS = 60.0
ALONE_EVERY = 0.3
"""Seconds from one of its acts to the next, for enough of them."""
EVENTS_A_ROUND = 100_000


@dataclass(frozen=True)
class Place:
    """A page, the query of its address, and texts that its drawing has to hold, and must not."""

    page: str
    query: str
    says: tuple[str, ...]


@dataclass
class Told:
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def load(work: Path, full: bool, minutes: float = MINUTES) -> dict[str, Any]:
    """50 sessions for ten minutes (`--minutes`) while the index is extended and compacted."""
    site = work / "load"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(parents=True)
    generate(site / "demo")
    add([site / "demo/logs"], site / "index")
    places = _places(site)
    root = Path(__file__).resolve().parents[1]
    with served(root, site) as (home, process), _building(site) as rounds:
        alone, together = Told(), Told()
        alone_for = min(ALONE_SECONDS, minutes * 60)
        asyncio.run(_act(home, places, 1, alone_for, alone, every=ALONE_EVERY))
        memory: list[tuple[float, int]] = []
        asyncio.run(
            _act(home, places, SESSIONS, minutes * 60, together, process=process, memory=memory)
        )
        built = rounds()
    errors, wrong = alone.errors + together.errors, alone.wrong + together.wrong
    log = (site / "server.log").read_text(errors="replace")
    if "Traceback" in log:
        errors.append("a traceback in the server's log")
    before = [size for at, size in memory if at >= min(WARM_MINUTES, minutes / 3) * 60]
    tenth = max(1, len(before) // 10)
    grown = statistics.median(before[-tenth:]) / statistics.median(before[:tenth]) - 1
    ratio = _p95(together.seconds) / _p95(alone.seconds)
    return {
        "name": "load",
        "minutes": minutes,
        "sessions": SESSIONS,
        "answers": len(together.seconds),
        "builds_meanwhile": built,
        "errors": len(errors),
        "wrong": len(wrong),
        "examples": (errors + wrong)[:5],
        "memory_mb": [round(size / 1e6) for _, size in memory[:: max(1, len(memory) // 12)]],
        "alone_p95_ms": round(_p95(alone.seconds) * 1000, 1),
        "together_p50_ms": round(statistics.median(together.seconds) * 1000, 1),
        "together_p95_ms": round(_p95(together.seconds) * 1000, 1),
        "gates": {
            "errors": {"value": len(errors), "limit": 0, "met": not errors},
            "wrong": {"value": len(wrong), "limit": 0, "met": not wrong},
            "memory_growth": {"value": round(grown, 3), "limit": 0.05, "met": grown < 0.05},
            "p95_over_one_session": {"ratio": round(ratio, 2), "limit": 3.0, "met": ratio < 3},
        },
    }


async def _act(
    home: str,
    places: Sequence[Place],
    sessions: int,
    seconds: float,
    told: Told,
    every: float = THINK_S,
    process: int = 0,
    memory: list[tuple[float, int]] | None = None,
) -> None:
    """Sessions that each go to a page once in `every` seconds, none together with another."""
    begin = time.perf_counter()

    async def work(number: int) -> None:
        due = begin + every * number / sessions
        turns = itertools.cycle(places[number % len(places) :] + places[: number % len(places)])
        reader: Reader | None = None
        async with AsyncExitStack() as stack:
            while due < begin + seconds:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                place = next(turns)
                due = max(due + every, time.perf_counter() - every)
                try:
                    if reader is None:  # the tab is opened
                        made, _ = await opened(stack, home, (place.page, place.query), Reader)
                        assert isinstance(made, Reader)
                        reader = made
                    else:
                        reader.drawn.clear()
                        reader.go(place.page, place.query)
                        took, _ = await reader.run()
                        told.seconds.append(took)
                    _judge(place, reader, told)
                except (OSError, TimeoutError, WebSocketException) as error:
                    told.errors.append(f"{place}: {type(error).__name__}: {error}")
                    reader = None

    async def watch() -> None:
        while memory is not None and time.perf_counter() < begin + seconds:
            memory.append((time.perf_counter() - begin, _resident(process)))
            await asyncio.sleep(min(5.0, seconds / 20))

    await asyncio.gather(watch(), *(work(number) for number in range(sessions)))


def _judge(place: Place, reader: Reader, told: Told) -> None:
    drawn = "\n".join(reader.drawn)
    if FAILED in drawn or any(words in drawn for words in PROBLEMS):
        told.errors.append(f"{place.page}?{place.query}: {drawn[:300]}")
    told.wrong += [
        f"{place.page}?{place.query} does not say {text!r}"
        for text in place.says
        if text not in drawn
    ]


PROBLEMS = (
    "could not be answered",
    "cannot be asked",
    "cannot be shown",
    "cannot be read",
    "not there any more",
)
"""What our pages say when something failed."""


def _places(site: Path) -> list[Place]:
    """What each session looks at in turn, and what it has to read there."""
    places = []
    for row in json.loads((site / "demo/alerts.json").read_text()):
        said = subprocess.run(
            [sys.executable, "-m", "enrich", str(site / "demo/alerts" / Path(row["file"]).name),
             "--index", str(site / "index"), "--json"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        answers = json.loads(said.splitlines()[0])["results"][0]["answers"]
        sentences = tuple(_as_drawn(answer["sentence"]) for answer in answers)
        places.append(Place("triage", f"alert={quote(row['id'])}", sentences))
        first = next((i for answer in answers for i in answer["evidence"]), None)
        if first:
            places.append(Place("events", f"event={first}", (first,)))
    by_name: dict[str, set[tuple[str, str]]] = {}
    for record in _records(site / "demo/logs"):  # some come twice
        key = (record["eventID"], record.get("recipientAccountId", ""))
        by_name.setdefault(record["eventName"], set()).add(key)
    # Names of the demo alone: what is added meanwhile makes no such call.
    for name in ("StopLogging", "CreateAccessKey", "ConsoleLogin", "GetPasswordData"):
        if count := len(by_name.get(name, ())):
            words = "event" if count == 1 else "events"
            places.append(Place("events", f"call={name}", (f"{count:,} {words}",)))
    places.append(Place("inbox", "", ()))
    places.append(Place("index", "", ("Coverage",)))
    random.Random(7).shuffle(places)
    return places


def _as_drawn(sentence: str) -> str:
    """As the drawing's JSON holds it."""
    return json.dumps(sentence, ensure_ascii=False)[1:-1]


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    for file in folder.rglob("*.json.gz"):
        yield from json.loads(gzip.decompress(file.read_bytes())).get("Records", [])


@contextmanager
def _building(site: Path) -> Iterator[Any]:
    """Another process that extends and compacts the index, at low priority, until the end."""
    log = site / "builder.log"
    with log.open("wb") as out:
        builder = subprocess.Popen(
            [sys.executable, "-m", "bench.load", str(site)], stdout=out, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=lambda: os.nice(19),
        )  # fmt: skip
    try:
        yield lambda: len(re.findall(rb"^round", log.read_bytes(), re.MULTILINE))
        assert builder.poll() is None, log.read_text(errors="replace")[-2000:]
    finally:
        os.killpg(builder.pid, signal.SIGKILL)
        builder.wait()


def build_on(site: Path) -> None:
    """Adds days of ten years before the demo's, a few files a round, and compacts every third."""
    for number in itertools.count():
        start = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(days=2 * number)
        folder = site / "more" / f"{number:05}"
        write_tree(folder, EVENTS_A_ROUND, 160, seed=number, days=2, start=start)
        add([folder], site / "index", workers=1)
        shutil.rmtree(folder)
        if number % 3 == 2:
            compact(site / "index")
        print(f"round {number}", flush=True)


def _resident(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


if __name__ == "__main__":
    build_on(Path(sys.argv[1]))
