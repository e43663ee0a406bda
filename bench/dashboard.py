"""The dashboard under load: websocket clients that speak Streamlit's own protocol, and Chromium.

Everything happens on the loopback interface. The gates are ratios of one run, so they hold on a
slow machine as on a fast one; the seconds beside them are for people. The empty page is our own
entity page before anything is looked up: frame, style and an empty form. What a script of two
lines takes in Streamlit is printed beside it (`bare_streamlit_p50_ms`), and is no gate.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from demo.generate import generate
from tests.a_session import Client, Where, opened
from trail.index.build import add

_ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
SESSIONS = 50
THINK_S = 5.0
"""Every session acts once in this time."""
ROUNDS = 3
ALONE = 36
"""Reruns of one session, from which its median and p95 are taken."""
PAUSE_S = 0.15
"""Between them, as nobody clicks faster. Without it, TCP's delayed acknowledgement (40 ms) shows up
in every second answer of a bare Streamlit; ours does not wait for it (`ui/shell/server.py`)."""
PATIENCE_S = 30.0
_BARE_PAGE = "import streamlit as st\n\nst.text('Nothing')\n"


def dashboard(work: Path, full: bool) -> dict[str, Any]:
    """Triage page: warm rerun against an empty page's, 50 sessions against one, first load."""
    site = _site(work / "dashboard")
    alerts = [row["id"] for row in json.loads((site / "demo/alerts.json").read_text())]
    bare = site / "bare"
    (bare / ".streamlit").mkdir(parents=True, exist_ok=True)
    (bare / "app.py").write_text(_BARE_PAGE)
    (bare / ".streamlit/config.toml").write_text((_ROOT / ".streamlit/config.toml").read_text())
    with served(bare, site) as (nothing, _):
        floor = asyncio.run(_alone(nothing, [("", "")]))
    triage = [("triage", f"alert={alert}") for alert in alerts]
    with served(_ROOT, site) as (home, _):
        asyncio.run(_warmed(home, triage))
        empty = asyncio.run(_alone(home, [("entity", "")]))
        one = asyncio.run(_alone(home, triage))
        many = asyncio.run(_together(home, triage))
        painted = _paste_to_painted(home, site / "demo/alerts")
    return {
        "name": "dashboard",
        "alone_p50_ms": _ms(statistics.median(one.reruns)),
        "alone_p95_ms": _ms(_p95(one.reruns)),
        "empty_p50_ms": _ms(statistics.median(empty.reruns)),
        "bare_streamlit_p50_ms": _ms(statistics.median(floor.reruns)),
        "first_load_kb": round(max(one.first_bytes) / 1000, 1),
        "rerun_kb": round(statistics.median(one.rerun_bytes) / 1000, 1),
        "sessions": SESSIONS,
        "sessions_p50_ms": _ms(statistics.median(many.reruns)),
        "sessions_p95_ms": _ms(_p95(many.reruns)),
        "paste_to_painted_s": round(painted, 3),
        "targets": {"alone_p50_ms": 60, "first_load_kb": 400, "paste_to_painted_s": 1.0},
        "gates": {
            "warm_rerun_over_empty_page": _ratio(one.reruns, empty.reruns, statistics.median, 3.0),
            "p95_of_50_sessions_over_one": _ratio(many.reruns, one.reruns, _p95, 2.0),
        },
    }


@dataclass
class Timings:
    reruns: list[float] = field(default_factory=list)
    first_bytes: list[int] = field(default_factory=list)
    rerun_bytes: list[int] = field(default_factory=list)


async def _warmed(home: str, wheres: Sequence[Where]) -> None:
    """Every page opened once, so that what follows measures the page and not the index."""
    async with AsyncExitStack() as stack:
        for where in wheres:
            await opened(stack, home, where)


async def _alone(home: str, wheres: Sequence[Where]) -> Timings:
    """One session that acts, on each place in turn."""
    told = Timings()
    async with AsyncExitStack() as stack:
        for where in wheres:
            client, came = await opened(stack, home, where)
            told.first_bytes.append(came)
            await client.run()
            for _ in range(ALONE // len(wheres)):
                await asyncio.sleep(PAUSE_S)
                took, came = await client.run()
                told.reruns.append(took)
                told.rerun_bytes.append(came)
    return told


async def _together(home: str, wheres: Sequence[Where]) -> Timings:
    """50 sessions, each acting once in five seconds, none at the same moment as another."""
    told = Timings()
    async with AsyncExitStack() as stack:
        clients = [
            (await opened(stack, home, where))[0]
            for where in itertools.islice(itertools.cycle(wheres), SESSIONS)
        ]

        async def act(client: Client, number: int) -> None:
            begin = time.perf_counter()
            for turn in range(ROUNDS):
                due = begin + THINK_S * (turn + number / SESSIONS)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                took, came = await client.run()
                told.reruns.append(took)
                told.rerun_bytes.append(came)

        await asyncio.gather(*(act(client, number) for number, client in enumerate(clients)))
    return told


def _paste_to_painted(home: str, alerts: Path) -> float:
    """Seconds from the click to five answers on the screen, for an alert nobody asked before."""
    record = json.loads((alerts / "leaked-key-secrets.json").read_text())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(home)
            page.get_by_role("textbox", name="Alert").fill(json.dumps(record | {"bench": 1}))
            button = page.get_by_role("button", name="Answer the five questions")
            button.wait_for()
            page.wait_for_timeout(500)
            begin = time.perf_counter()
            button.click()
            page.wait_for_function("document.querySelectorAll('.bt-badge').length === 5")
            return time.perf_counter() - begin
        finally:
            browser.close()


def _site(folder: Path) -> Path:
    """The demo and its index, made once."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "demo/alerts.json").exists():
        generate(folder / "demo")
    add([folder / "demo/logs"], folder / "index")
    return folder


@contextmanager
def served(folder: Path, site: Path) -> Iterator[tuple[str, int]]:
    """The address and the process id of a fresh server of `folder`/app.py, which it is stopped
    by."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = f"http://127.0.0.1:{port}"
    with (site / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
             "--server.address", "127.0.0.1", "--server.headless", "true",
             "--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false"],
            cwd=folder,
            env={
                **os.environ,
                "BACKTRAIL_INDEX": str(site / "index"),
                "BACKTRAIL_DEMO": str(site / "demo"),
                "BACKTRAIL_CASES_URL": f"sqlite:///{site / 'cases.db'}",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            _await_health(home, server)
            yield home, server.pid
        finally:
            server.terminate()
            server.wait(10)


def _await_health(home: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{home}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise SystemExit("The dashboard did not start: see server.log in the bench's work folder.")


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _ratio(above: Sequence[float], below: Sequence[float], of: Any, limit: float) -> dict[str, Any]:
    ratio = of(above) / of(below)
    return {"ratio": round(ratio, 2), "limit": limit, "met": ratio < limit}
