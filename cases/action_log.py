"""Who did what to which case, for the server's log: the words of the audit trail and no others.

The lines go to the logger `backtrail.cases`; the dashboard writes them out (`ui.shell.log`), the command
line does not. They are written once it is certain whether the change happened.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

_log = logging.getLogger("backtrail.cases")
_ACTIONS = "actions of this transaction"


@contextmanager
def log_actions(connection: Connection) -> Iterator[None]:
    """Around one transaction: writes what `note` was told inside, or that it failed."""
    began = time.perf_counter()
    noted: list[dict[str, Any]] = []
    connection.info[_ACTIONS] = noted
    failed: dict[str, Any] = {}
    try:
        yield
    except Exception as error:
        failed = {"error": type(error).__name__}
        raise
    finally:
        took = round((time.perf_counter() - began) * 1000, 1)
        for fields in noted or ([{"action": "change"}] if failed else []):
            _log.info("case", extra={"fields": {**fields, "ms": took, **failed}})


def note(connection: Connection, actor: str, action: str, case_id: int | None) -> None:
    """Remembers an action until its transaction has ended."""
    noted = connection.info.get(_ACTIONS)
    if noted is not None:
        noted.append({"who": actor, "action": action, "case": case_id})
