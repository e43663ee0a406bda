"""Which processes load the libraries that draw: the server before it listens, no other one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = {"altair", "pandas"}


def loaded_by(script: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(ended.stdout.split()) & (LIBRARIES | {"streamlit"})


@pytest.mark.parametrize("module", ["trail.__main__", "enrich.__main__", "cases.__main__",
                                    "ui.shell.prepare", "ui.shell.read_apart"])  # fmt: skip
def test_the_command_line_and_jobs_load_nothing_that_draws(module: str) -> None:
    assert loaded_by(f"import {module}") & LIBRARIES == set()


def test_the_server_has_them_before_its_first_page() -> None:
    assert loaded_by("from ui.shell import server\nserver.draw_at_once()") >= LIBRARIES
    # What the first page waits for does not grow by what only later pages need.
    frame = "from ui.shell import frame, health, log, run, server, session"
    assert loaded_by(frame) & {"altair"} == set()
