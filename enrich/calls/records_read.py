"""The records of the calls that matter, read once: what they acted on and what they did by their
content is taken from the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alerts.content import CONTENT_APIS, CONTENT_COLUMNS
from enrich.data.interesting_calls import CallGroup
from enrich.entity import Match
from enrich.sql_text import bound_list, bound_values
from enrich.window import Window
from trail.store import Query, Store

ALL_OF = 500
"""Calls of one high-signal name that are all read; of more the newest few."""
ALL_CONTENT_OF = 2_000
"""The same of calls whose content may be a sign, which must not hide among others like it."""

_COLUMNS = ", ".join(("event_id", "event_time", "call_id", "replaced", *CONTENT_COLUMNS))
_WITH_A_POLICY = "(event_name <> 'AssumeRole' or request_parameters like '%\"policy%')"
"""Of the calls that assume a role, only those with a session policy have content to read."""


def read_records(
    match: Match, store: Store, window: Window, rows: Sequence[CallGroup]
) -> tuple[Sequence[Mapping[str, Any]], tuple[Query, ...]]:
    """Every record of the calls that matter and are not many, the newest few of the others."""
    names = sorted({row.event_name for row in rows if row.signal and row.count <= ALL_OF})
    content = sorted({row.event_name for row in rows if all_content_read(row)} - {*names})
    few = [row for row in rows if row.event_name not in names]
    ids = sorted({event_id for row in few for event_id in row.event_ids})
    if not names and not ids:
        return (), ()
    found = store.query(
        f"""
        select distinct {_COLUMNS}
        from events
        where event_time >= $window_first and event_time <= $window_last and {match.sql}
          and ({_one_of("event_name", "call", names)} or {_one_of("event_id", "id", ids)}
               or ({_one_of("event_name", "content", content)} and not failed
                   and {_WITH_A_POLICY}))
        """,
        {
            **match.parameters,
            **bound_values("call", names),
            **bound_values("content", content),
            **bound_values("id", ids),
            "window_first": window.first,
            "window_last": window.last,
        },
        first=window.first,
        last=window.last,
    )
    return found.rows, (found.query,)


def has_content(row: CallGroup) -> bool:
    """Whether any of its calls succeeded and may have a sign in its content."""
    return row.failed < row.count and (row.event_source, row.event_name) in CONTENT_APIS


def all_content_read(row: CallGroup) -> bool:
    return has_content(row) and row.count <= ALL_CONTENT_OF


def _one_of(column: str, name: str, values: Sequence[str]) -> str:
    return f"{column} in {bound_list(name, values)}" if values else "false"
