"""The server's own log: one line of JSON per page run, action, job, refusal and error.

It says who, what, how long and which error. It never carries what was in a log, what someone
searched for, an address's parameters, a secret, or the text of an error or a traceback, since
those quote all of them: an error is its kind and the line of ours that it came from.

`BACKTRAIL_LOG` names a file (made private to its owner) instead of standard error.
`BACKTRAIL_LOG_LEVEL` is `info` unless it says `warning` or `error`.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from trail.private import private_file

FILE_SETTING = "BACKTRAIL_LOG"
LEVEL_SETTING = "BACKTRAIL_LOG_LEVEL"
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_ROOT = Path(__file__).resolve().parents[2]
_log = logging.getLogger("backtrail")
_who: ContextVar[str] = ContextVar("who", default="")


def handler() -> logging.Handler:
    """Where the lines go, by the settings."""
    file = os.environ.get(FILE_SETTING)
    if file:
        private_file(Path(file))
    made = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler()
    made.setFormatter(JsonLine())
    return made


def configure(to: logging.Handler) -> None:
    """Has our lines written; before, they go nowhere."""
    _log.handlers = [to]
    _log.propagate = False
    _log.setLevel(_LEVELS.get(os.environ.get(LEVEL_SETTING, "info").lower(), logging.INFO))


class JsonLine(logging.Formatter):
    """A record as one line of JSON, in ASCII, so that no text in it can forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "what": record.getMessage() if record.name.startswith("backtrail") else record.name,
        }
        if not record.name.startswith("backtrail"):
            # A library's own words, without what it put into them: that may be anything.
            line["said"] = str(record.msg)[:200]
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0] is not None:
            line |= of_error(record.exc_info[0], record.exc_info[2])
        return json.dumps(line, default=str)


def of_error(kind: type[BaseException], trace: TracebackType | None) -> dict[str, str]:
    """An error's kind, and the innermost line of our own code on its way: nothing it says."""
    place = ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(_ROOT) and ".venv" not in file.parts:
            place = f"{file.relative_to(_ROOT)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return {"error": kind.__name__, "error_at": place}


def say(what: str, level: int = logging.INFO, **fields: object) -> None:
    """One line. Whoever calls it answers for the fields: none of them holds text of a log."""
    _log.log(level, what, extra={"fields": fields})


class Sparing:
    """Lets only so many lines through in a stretch of time: a stranger must not fill the disk."""

    def __init__(self, lines: int, seconds: float) -> None:
        self.lines, self.seconds = lines, seconds
        self._begun, self._written, self._left_out = float("-inf"), 0, 0

    def may_write(self) -> bool:
        now = time.monotonic()
        if now - self._begun > self.seconds:
            self._begun, self._written = now, 0
        self._written += 1
        if self._written > self.lines:
            self._left_out += 1
            return False
        return True

    def left_out(self) -> int:
        """How many were not written since the last time that this was asked."""
        count, self._left_out = self._left_out, 0
        return count


def run_by(name: str) -> None:
    """Names whoever asked for the page that is being run."""
    _who.set(name)


@contextmanager
def timed(what: str, **fields: object) -> Iterator[dict[str, object]]:
    """Writes the line when it is over, with how long it took and which error ended it.

    What the caller adds to the dictionary is written too.
    """
    began = time.perf_counter()
    added: dict[str, object] = {}
    level, error = logging.INFO, {}
    try:
        yield added
    except Exception as raised:
        level, error = logging.ERROR, of_error(type(raised), raised.__traceback__)
        raise
    finally:
        took = round((time.perf_counter() - began) * 1000, 1)
        say(what, level, **fields, **added, ms=took, **error)


@contextmanager
def page_run(session: str) -> Iterator[dict[str, object]]:
    """One run of a page: `page` is to be added once it is known."""
    run_by("")
    with timed("page", session=session) as line:
        try:
            yield line
        finally:
            line["who"] = _who.get()
