"""`/health`: whether pages can be served now, and which part keeps them from it.

It answers 200 or 503 with `{"status", "checks": {name: "ok" or a sentence}}`. The sentences are
ours: no path, no address, no error text. The checks are run at most once in `FRESH_S` however
many ask, one at a time, and without the pages' own connections, so that a probe neither loads the
databases nor waits for what is stuck.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cases.database import database_url
from trail.errors import BacktrailError, IndexMissing
from trail.index.catalog import Catalog
from ui.shell import data

Check = Callable[[], str | None]
"""None when all is well, else the sentence that says what is not."""

FRESH_S = 5.0
"""Seconds for which an answer is given again without looking."""
PATIENCE_S = 4.0
"""Seconds that a probe waits for the checks."""
RUNS_IN_A_ROW = 5
"""So many page runs must have failed one after the other before the scripts count as broken."""

_FOLDER = Path("/proc/self/fd")
_PAGES = Path(__file__).resolve().parents[2] / "pages"
_runs: deque[bool] = deque(maxlen=RUNS_IN_A_ROW)
_seen_indexes: set[Path] = set()


@contextmanager
def watched_run() -> Iterator[None]:
    """Around one run of a page: remembers whether it failed. `st.stop` and reruns do not."""
    well = True
    try:
        yield
    except Exception:
        well = False
        raise
    finally:
        _runs.append(well)


class Health:
    """The route. One object per server."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._one = ThreadPoolExecutor(1, "health")
        self._running: Future[dict[str, str]] | None = None
        self._ended = float("-inf")

    async def answer(self, request: Request) -> Response:
        found = await self._found()
        well = all(said == "ok" for said in found.values())
        return JSONResponse(
            {"status": "ok" if well else "failing", "checks": found},
            status_code=200 if well else 503,
            headers={"Cache-Control": "no-store"},
        )

    async def _found(self) -> dict[str, str]:
        running = self._running
        if running is None or (running.done() and time.monotonic() - self._ended > FRESH_S):
            try:
                running = self._running = self._one.submit(self._look)
            except RuntimeError:  # no thread can be started
                return {"threads": "No thread can be started."}
        done, _ = await asyncio.wait([asyncio.wrap_future(running)], timeout=PATIENCE_S)
        if not done:
            return {"checks": f"They do not answer within {PATIENCE_S:.0f} seconds."}
        return running.result()

    def _look(self) -> dict[str, str]:
        try:
            return {name: check() or "ok" for name, check in self._checks.items()}
        finally:
            self._ended = time.monotonic()


def file_handles() -> str | None:
    """A page takes a dozen handles, and a server without any can not even say so."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        used = sum(1 for _ in os.scandir(_FOLDER))
    except FileNotFoundError:  # no such folder on this system
        return None
    except OSError:
        return "No file handle is left."
    kept_back = min(64, max(16, soft // 20))
    if soft != resource.RLIM_INFINITY and soft - used < kept_back:
        return f"Only {max(0, soft - used)} of {soft} file handles are left."
    return None


def index() -> str | None:
    """The catalog can be read. Before the first build there is none: the pages offer to make it."""
    folder = data.index_dir().resolve()
    try:
        with Catalog(folder) as catalog:
            catalog.check_schema()
    except IndexMissing:
        return "The index is not there any more." if folder in _seen_indexes else None
    except (BacktrailError, sqlite3.Error, OSError):
        return "The index cannot be read."
    _seen_indexes.add(folder)
    return None


def case_store() -> str | None:
    """The case database answers. A file that is not there yet is made with the first case."""
    try:
        url = make_url(database_url())
        look = "select 1"
        waits: dict[str, object] = {"timeout": 2}
        if url.get_backend_name() == "sqlite":
            file = Path(url.database or "")
            if not file.is_file():
                return None
            look = "select count(*) from sqlite_master"
            url = url.set(database=file.resolve().as_uri(), query={"mode": "ro", "uri": "true"})
        else:
            waits = {"connect_timeout": 2, "options": "-c statement_timeout=2000"}
        engine = create_engine(url, poolclass=NullPool, connect_args=waits)
        with engine.connect() as connection:
            connection.execute(text(look))
    except (SQLAlchemyError, OSError):
        return "The case database does not answer."
    return None


def pages() -> str | None:
    """The page files can be read, and not every newest run has failed."""
    try:
        if not all(os.access(file, os.R_OK) for file in [*_PAGES.glob("*.py"), _PAGES]):
            return "The page files cannot be read."
    except OSError:
        return "The page files cannot be read."
    if len(_runs) == RUNS_IN_A_ROW and not any(_runs):
        return f"The last {RUNS_IN_A_ROW} page runs failed."
    return None


def checks() -> Mapping[str, Check]:
    """What `/health` looks at, by the names that it answers with."""
    return {
        "file_handles": file_handles,
        "index": index,
        "case_store": case_store,
        "pages": pages,
    }
