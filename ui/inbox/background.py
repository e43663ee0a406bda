"""The inbox's work outside the session: started here, followed by every tab that looks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from cases.database import database_url
from trail.private import private_folder
from ui.shell import data, session
from ui.shell.jobs import Job, log_end

_ROOT = Path(__file__).resolve().parents[2]


@st.cache_resource(show_spinner=False)
def _jobs() -> dict[str, list[Job]]:
    """Process-wide, by case database: two tabs follow the same job."""
    return {}


def jobs() -> list[Job]:
    """What was started and not yet dismissed, oldest first."""
    return _jobs().setdefault(database_url(), [])


def running() -> bool:
    return any(job.running for job in jobs())


def dismiss(job: Job) -> None:
    """Forgets an ended job and its log."""
    if job in jobs():
        jobs().remove(job)
        job.log.unlink(missing_ok=True)


def answer_ahead() -> Job:
    """Works out the answers of the alerts that wait for them."""
    session.may_read()
    return _start("Answering ahead")


def take_in_folder(path: Path) -> Job:
    """Takes in the alerts of a folder or file on this machine."""
    user = session.action("bring in alerts of this machine")
    return _start("Reading the folder", "--actor", user.name, "--", str(path))


def take_in_uploads(what: str, paths: Sequence[str]) -> Job:
    """Takes in the alerts of files of ours, uploaded or pasted, and deletes these."""
    user = session.action("bring alerts in")
    return _start(what, "--actor", user.name, "--discard", "--", *paths)


def detect() -> Job:
    """Runs the detections over the index and takes in what they find."""
    user = session.action("find alerts in the logs")
    return _start("Looking through the logs", "--detect", "--actor", user.name)


def _start(what: str, *arguments: str) -> Job:
    """A run of `python -m ui.inbox.ahead`. Several share the work of answering ahead."""
    folder = work_folder()
    log = folder / f"inbox-{time.time_ns()}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own module; arguments are a list, no shell
            [sys.executable, "-m", "ui.inbox.ahead", *arguments],
            cwd=Path.cwd(),
            env=_environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    job = Job(what, log, process, time.time())
    log_end(job)
    jobs().append(job)
    return job


def work_folder() -> Path:
    """Where logs of jobs and uploaded files wait: beside the index."""
    folder = data.index_dir().resolve().parent / "jobs"
    private_folder(folder)
    return folder


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_ROOT)}
