"""How often each value of several fields is among some events, in one pass over them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from enrich.calls.calls_sql import calls
from trail.store import Query, Store


def counted_by(
    store: Store,
    fields: Mapping[str, str],
    condition: str,
    bound: Mapping[str, Any],
    span: tuple[datetime, datetime],
    most: int,
) -> tuple[dict[str, list[dict[str, Any]]], Query]:
    """Field → its `most` values with the most events: `value`, `events`, `failed`, `first`, `last`.

    `fields` are columns or SQL of ours by name, `condition` is over the event table and has its own
    bounds of time. Events without a value are not counted.
    """
    columns = ", ".join(f"{sql} as by_{name}" for name, sql in fields.items())
    names = [f"by_{name}" for name in fields]
    found = store.query(
        f"""
        with mine as (
            select {columns}, event_time, failed, call_id, replaced from events where {condition}
        )
        select grouping_id({", ".join(names)}) as which, coalesce({", ".join(names)}) as value,
               {calls()} as events, {calls("failed")} as failed,
               min(event_time) as first, max(event_time) as last
        from mine
        group by grouping sets ({", ".join(f"({name})" for name in names)})
        qualify row_number() over (partition by which order by events desc, value) <= {most + 1}
        order by events desc, value
        """,
        bound,
        first=span[0],
        last=span[1],
    )
    width = len(names)
    field_of = {(2**width - 1) - 2 ** (width - 1 - n): name for n, name in enumerate(fields)}
    counted: dict[str, list[dict[str, Any]]] = {name: [] for name in fields}
    for row in found.rows:
        if row["value"] is not None:  # one more row than is wanted was asked for it
            counted[field_of[row["which"]]].append(row)
    return {name: rows[:most] for name, rows in counted.items()}, found.query
