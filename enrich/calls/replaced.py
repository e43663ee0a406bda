"""Records that another record stands for (`trail.calls`), and what is said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from enrich.entity import Match
from enrich.sql_text import values_in
from enrich.window import Window
from trail.calls import CORRECTED, NETWORK_TWIN
from trail.counted import counted
from trail.store import Store


def replaced_caveats(
    rows: Iterable[Mapping[str, Any]], match: Match, store: Store, window: Window
) -> tuple[str, ...]:
    """What is said of the records among these groups, of a principal's calls in a window, that
    another record stands for.
    """
    replaced = Counter[str]()
    for row in rows:
        if row["replaced"] is not None:
            replaced[row["replaced"]] += row.get("events", row.get("n", 0))
    if replaced[CORRECTED] > 1:
        replaced[CORRECTED] = _originals(match, store, window)
    said: tuple[str, ...] = ()
    if number := replaced[CORRECTED]:
        said += (
            f"{counted(number, 'record')} that AWS corrected later"
            f" {'counts' if number == 1 else 'count'} as the correction says.",
        )
    if number := replaced[NETWORK_TWIN]:
        said += (
            f"{counted(number, 'network activity record')} of VPC endpoints"
            f" {'counts' if number == 1 else 'count'} together with the record of the same call:"
            " that both share account, request id, service and API is assumed, AWS does not"
            " document it.",
        )
    return said


def _originals(match: Match, store: Store, window: Window) -> int:
    """How many of the corrected records are no corrections themselves: the last of several
    corrections of one record stands for the earlier ones as well.
    """
    sql = f"""
        select cast(count(*) as bigint) as originals from events
        where event_time >= $first and event_time <= $last and ({match.sql})
          and replaced = '{CORRECTED}' and original_event_id is null
    """
    found = store.query(
        sql,
        values_in(sql, {**match.parameters, "first": window.first, "last": window.last}),
        first=window.first,
        last=window.last,
    )
    return int(found.rows[0]["originals"])
