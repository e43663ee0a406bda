"""A dashboard served on a free loopback port, and Debian's Chromium looking at it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 30_000


@contextmanager
def dashboard(folder: Path, **environment: str) -> Iterator[str]:
    """The address of a fresh server over `folder`/index; it is stopped by its own process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
             "--server.fileWatcherType", "none"],
            cwd=ROOT,
            env={
                **os.environ,
                "BACKTRAIL_INDEX": str(folder / "index"),
                "BACKTRAIL_CASES_URL": f"sqlite:///{folder / 'cases.db'}",
                "BACKTRAIL_DEMO": str(folder / "demo"),
                **environment,
            },
            stdout=out,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _wait_for(f"{address}/_stcore/health", server, log)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(5)


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *arguments]
        )
        try:
            yield browser
        finally:
            browser.close()


def settled(page: Page) -> None:
    """Waits until the page's script has ended and its elements stand."""
    for _ in range(2):
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]",
                               timeout=PATIENCE_MS)  # fmt: skip
        page.wait_for_timeout(150)  # what was just typed may be on its way to the server
    page.wait_for_selector(".bt-root > *", state="attached", timeout=PATIENCE_MS)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120  # a busy machine takes its time over the imports
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"the dashboard did not start: {log.read_text(errors='replace')[-2000:]}")
