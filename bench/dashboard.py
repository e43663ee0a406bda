"""The dashboard under load: websocket clients that speak Streamlit's own protocol, and Chromium.

Everything happens on the loopback interface. The gates are ratios of one run, so they hold on a
slow machine as on a fast one; the seconds beside them are for people.
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
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from demo.generate import generate
from trail.build import add

_ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
SESSIONS = 50
THINK_S = 5.0
"""Every session acts once in this time."""
ROUNDS = 3
ALONE = 30
"""Reruns of one session, from which its median and p95 are taken."""
PATIENCE_S = 30.0
_EMPTY_PAGE = "import streamlit as st\n\nst.text('An empty page')\n"


def dashboard(work: Path, full: bool) -> dict[str, Any]:
    """Triage page: warm rerun against an empty page's, 50 sessions against one, first load."""
    site = _site(work / "dashboard")
    alerts = [row["id"] for row in json.loads((site / "demo/alerts/index.json").read_text())]
    empty = work / "dashboard" / "empty"
    empty.mkdir(exist_ok=True)
    (empty / "app.py").write_text(_EMPTY_PAGE)
    with _served(empty, site) as nothing, _served(_ROOT, site) as home:
        asyncio.run(_warmed(home, alerts))
        floor = asyncio.run(_alone(nothing, [""]))
        one = asyncio.run(_alone(home, alerts))
        many = asyncio.run(_together(home, alerts))
        painted = _paste_to_painted(home, site / "demo/alerts")
    return {
        "name": "dashboard",
        "alone_p50_ms": _ms(statistics.median(one.reruns)),
        "alone_p95_ms": _ms(_p95(one.reruns)),
        "empty_p50_ms": _ms(statistics.median(floor.reruns)),
        "first_load_kb": round(max(one.first_bytes) / 1000, 1),
        "rerun_kb": round(statistics.median(one.rerun_bytes) / 1000, 1),
        "sessions": SESSIONS,
        "sessions_p50_ms": _ms(statistics.median(many.reruns)),
        "sessions_p95_ms": _ms(_p95(many.reruns)),
        "paste_to_painted_s": round(painted, 3),
        "targets": {"alone_p50_ms": 60, "first_load_kb": 400, "paste_to_painted_s": 1.0},
        "gates": {
            "warm_rerun_over_empty_page": _ratio(one.reruns, floor.reruns, statistics.median, 3.0),
            "p95_of_50_sessions_over_one": _ratio(many.reruns, one.reruns, _p95, 2.0),
        },
    }


@dataclass
class Timings:
    reruns: list[float] = field(default_factory=list)
    first_bytes: list[int] = field(default_factory=list)
    rerun_bytes: list[int] = field(default_factory=list)


class Client:
    """One browser tab, as the server sees it: it remembers messages, and asks for reruns."""

    def __init__(self, socket: ClientConnection, query: str) -> None:
        self.socket = socket
        self.query = query
        self.page_hash = ""
        self.known: set[str] = set()

    async def run(self) -> tuple[float, int]:
        """Asks for one run of the page: seconds until it had ended, bytes that came."""
        ask = BackMsg()
        state = ask.rerun_script
        state.query_string = self.query
        if self.page_hash:
            state.page_script_hash = self.page_hash
            state.cached_message_hashes.extend(self.known)
        else:
            state.page_name = "triage" if self.query else ""
        begin = time.perf_counter()
        await self.socket.send(ask.SerializeToString())
        came, ran = 0, False
        while True:
            raw = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
            came += len(raw)
            message = ForwardMsg.FromString(raw if isinstance(raw, bytes) else raw.encode())
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.page_hash, ran = message.new_session.page_script_hash, True
            elif kind == "delta" and message.metadata.cacheable and message.hash:
                self.known.add(message.hash)
            elif kind == "script_finished" and ran:
                return time.perf_counter() - begin, came


async def _opened(stack: AsyncExitStack, home: str, query: str) -> tuple[Client, int]:
    """A client whose page stands, and what its first load took in bytes."""
    address = home.replace("http://", "ws://") + "/_stcore/stream"
    joined = await stack.enter_async_context(
        connect(address, max_size=None, subprotocols=["streamlit"])  # type: ignore[list-item]
    )
    client = Client(joined, query)
    _, came = await client.run()
    return client, came


async def _warmed(home: str, alerts: Sequence[str]) -> None:
    """Every alert asked once, so that what follows measures the page and not the index."""
    async with AsyncExitStack() as stack:
        for alert in alerts:
            await _opened(stack, home, f"alert={alert}")


async def _alone(home: str, alerts: Sequence[str]) -> Timings:
    """One session at a time, on each alert in turn."""
    told = Timings()
    async with AsyncExitStack() as stack:
        for alert in alerts:
            client, came = await _opened(stack, home, f"alert={alert}" if alert else "")
            told.first_bytes.append(came)
            await client.run()
            for _ in range(max(3, ALONE // len(alerts))):
                took, came = await client.run()
                told.reruns.append(took)
                told.rerun_bytes.append(came)
                await asyncio.sleep(0.03)
    return told


async def _together(home: str, alerts: Sequence[str]) -> Timings:
    """50 sessions, each acting once in five seconds, none at the same moment as another."""
    told = Timings()
    async with AsyncExitStack() as stack:
        clients = [
            (await _opened(stack, home, f"alert={alert}"))[0]
            for alert in itertools.islice(itertools.cycle(alerts), SESSIONS)
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
    if not (folder / "demo/alerts/index.json").exists():
        generate(folder / "demo")
    add([folder / "demo/logs"], folder / "index")
    return folder


@contextmanager
def _served(folder: Path, site: Path) -> Iterator[str]:
    """The address of a fresh server of `folder`/app.py; it is stopped by its own process id."""
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
            yield home
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
