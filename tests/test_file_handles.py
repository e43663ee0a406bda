"""The dashboard's sessions give their files back: it serves on with few of them."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from streamlit.runtime import app_session

from tests.a_dashboard import ROOT, _wait_for
from tests.a_session import opened
from tests.an_event import an_assumption
from trail.index.build import add
from ui.shell import loops

FILES = 256


@contextmanager
def a_server_with_few_files(folder: Path) -> Iterator[tuple[str, int]]:
    """The address and the process id of a dashboard that may have no more than `FILES` open."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env={
                **os.environ,
                "BACKTRAIL_INDEX": str(folder / "index"),
                "BACKTRAIL_CASES_URL": f"sqlite:///{folder / 'cases.db'}",
                "BACKTRAIL_DEMO": str(folder / "demo"),
            },
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(  # noqa: PLW1509 # no thread of ours holds a lock
                resource.RLIMIT_NOFILE, (FILES, FILES)
            ),
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, log)
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        server.terminate()
        server.wait(20)


def test_500_page_loads_with_256_files(tmp_path: Path) -> None:
    event = an_assumption()
    (tmp_path / "log.json").write_text(json.dumps({"Records": [event]}))
    add([tmp_path / "log.json"], tmp_path / "index")
    pages = [("", ""), ("triage", f"event={event['eventID']}"), ("events", ""), ("inbox", ""),
             ("cases", ""), ("index", ""), ("entity", "of=alice")]  # fmt: skip

    async def load(home: str, number: int) -> None:
        async with AsyncExitStack() as stack:
            await opened(stack, home, pages[number % len(pages)])

    with a_server_with_few_files(tmp_path) as (home, process):
        held = []
        for number in range(500):
            asyncio.run(load(home, number))
            if number in (99, 499):
                time.sleep(0.5)
                held.append(len(os.listdir(f"/proc/{process}/fd")))  # noqa: PTH208
    assert held[1] - held[0] <= 10
    log = (tmp_path / "server.log").read_text(errors="replace")
    assert "Traceback" not in log
    assert "Too many open files" not in log


def test_what_is_borrowed_of_streamlit_is_still_there() -> None:
    """`ui.shell.loops` gives this module another `asyncio`: when an upgrade makes loops elsewhere, 500
    page loads run out of files, and that place has to be found."""
    source = Path(app_session.__file__).read_text(encoding="utf-8")
    assert source.count("asyncio.new_event_loop()") == 2
    assert "self._script_event_loop" in source


def test_a_loop_is_made_when_something_is_asked_of_it() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    loop = loops.LoopOnDemand()
    assert not loop.is_closed()
    assert not loop.is_running()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208

    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    assert loop.run_until_complete(answer()) == 42
    asyncio.set_event_loop(loop)
    assert asyncio.get_event_loop() is loop
    asyncio.set_event_loop(None)
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    assert loop.is_closed()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
