"""A principal's console calls folded per second: one click makes dozens of calls at once.

For the reader's eye only: no count of any answer rests on it.
"""

from __future__ import annotations

from enrich.calls.calls_sql import COUNTED, IN_CONSOLE, calls
from enrich.data.interesting_calls import Click, Clicks
from enrich.entity import Match
from enrich.window import Window, iso
from trail.store import Query, Store

CLICKS = 50
"""How many clicks are listed, the newest first."""
CLICK_NAMES = 8
"""At most so many call names stand for a click."""


def find_clicks(match: Match, store: Store, window: Window) -> tuple[Clicks, Query]:
    """The clicks of the window, and the newest of them."""
    found = store.query(
        f"""
        select
            event_time,
            {calls()} as calls,
            {calls("failed")} as failed,
            arg_min(event_name, event_name, {CLICK_NAMES}) as names,
            count(*) over () as seconds,
            sum({calls()}) over () as total
        from events
        where event_time >= $window_first and event_time <= $window_last and {match.sql}
          and {COUNTED}
          and ({IN_CONSOLE})
        group by event_time
        order by event_time desc
        limit {CLICKS}
        """,
        {**match.parameters, "window_first": window.first, "window_last": window.last},
        first=window.first,
        last=window.last,
    )
    rows = found.rows
    newest = (
        Click(
            time=iso(row["event_time"]),
            count=row["calls"],
            failed=row["failed"],
            event_names=tuple(sorted(set(row["names"]))),
        )
        for row in rows
    )
    calls_made = int(rows[0]["total"]) if rows else 0
    clicks = rows[0]["seconds"] if rows else 0
    return Clicks(calls=calls_made, clicks=clicks, newest=tuple(newest)), found.query
