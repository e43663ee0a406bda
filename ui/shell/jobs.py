"""Long jobs outside the session: started here, followed by any page through their log file."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from trail.private import private_folder
from ui.shell import data, session
from ui.shell import log as server_log

_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Job:
    """One run of `python -m ui.shell.prepare`."""

    what: str
    log: Path
    process: subprocess.Popen[bytes]
    started: float

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def last(self) -> dict[str, Any]:
        """The newest line it has said; {"error": …} when it ended without a word."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in reversed(lines[-5:]):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict):
                if not self.running and not said.get("done") and "error" not in said:
                    return {"error": self._ended_early()}
                return said
        return {} if self.running else {"error": self._ended_early()}

    def _ended_early(self) -> str:
        """Its last words may be a traceback, with log text in it: they stay in the file."""
        return (
            f"The job ended early (exit code {self.process.returncode}). What it said last is in "
            f"{self.log}; what was published before is kept, and starting it again goes on there."
        )


@st.cache_resource(show_spinner=False)
def _jobs() -> dict[str, Job]:
    """The process-wide list: at most one job per index, whichever tab started it."""
    return {}


def current() -> Job | None:
    return _jobs().get(str(data.index_dir().resolve()))


def forget() -> None:
    _jobs().pop(str(data.index_dir().resolve()), None)


def add_folder(path: Path) -> Job:
    """Adds logs that lie on this machine. Raises `NotAllowed` for all but leads."""
    session.action("add logs of this machine")
    return _start("Adding the folder", "--", str(path))


def add_uploads(folder: Path) -> Job:
    """Adds logs that were uploaded into a folder of ours."""
    session.action("add uploaded logs")
    return _start("Adding the files", "--", str(folder))


def _start(what: str, *arguments: str) -> Job:
    """Starts a job on the current index, unless one runs already."""
    index = data.index_dir().resolve()
    running = current()
    if running is not None and running.running:
        return running
    logs = index.parent / "jobs"
    private_folder(logs)
    log = logs / f"{time.time_ns()}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own module; arguments are a list, no shell
            [sys.executable, "-m", "ui.shell.prepare", "--index", str(index), *arguments],
            cwd=_ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    job = Job(what, log, process, time.time())
    log_end(job)
    _jobs()[str(index)] = job
    return job


def log_end(job: Job) -> None:
    """Writes the job's end into the server's log, whenever that is."""

    def wait() -> None:
        code = job.process.wait()
        seconds = round(time.time() - job.started, 1)
        level = logging.INFO if code == 0 else logging.ERROR
        server_log.say("job", level, job=job.what, exit_code=code, seconds=seconds)

    threading.Thread(target=wait, name="job", daemon=True).start()


def start_demo() -> Job:
    """Writes the demo company's logs and alerts beside the index, and adds the logs to it."""
    session.action("make the demo")
    return _start("Making the demo", "--demo", str(data.demo_dir().resolve()))
