"""The newest of the events that a condition holds for, without reading all of them.

Counts come from the day rollup, which has no event ids. These are read from the end backwards,
as far as it takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrich.calls_sql import ORIGINAL_RULE
from trail.store import Query, Store

COLUMNS = f"""event_id, event_time, event_source, event_name, error_code,
    {ORIGINAL_RULE} as interesting"""


@dataclass(frozen=True)
class Found:
    """How many events were counted, and the times of the first and the last of them."""

    events: int
    first: datetime | None
    last: datetime | None

    def __add__(self, other: Found) -> Found:
        times = [t for t in (self.first, self.last, other.first, other.last) if t is not None]
        return Found(self.events + other.events, min(times, default=None), max(times, default=None))


NONE = Found(0, None, None)


@dataclass(frozen=True)
class Groups:
    """Groups of events of which some ids are shown."""

    limit: int
    key: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    """A row's group; its member `place` is the row's value in the column `named`."""
    told_apart: str
    """As SQL, at least as fine."""
    named: str
    place: int = 0

    def name(self, key: tuple[Any, ...]) -> str:
        return key[self.place] or ""


def newest_events(
    store: Store, condition: str, parameters: Mapping[str, Any], found: Found, limit: int
) -> tuple[list[dict[str, Any]], tuple[Query, ...]]:
    """`COLUMNS` of the newest events, newest first, and the queries behind them."""
    if found.first is None or found.last is None:
        return [], ()
    # Were they spread evenly, a quarter of this stretch would do; calls come in bursts.
    stretch = (found.last - found.first) * min(1.0, 4 * limit / max(found.events, 1))
    queries: tuple[Query, ...] = ()
    while True:
        first = max(found.first, found.last - stretch)
        result = store.query(
            f"""
            select {COLUMNS} from events
            where event_time >= $newest_first and event_time <= $newest_last and {condition}
            order by event_time desc, event_id
            limit {limit}
            """,  # noqa: S608 - the condition is its callers' own, its values are bound
            {**parameters, "newest_first": first, "newest_last": found.last},
            first=first,
            last=found.last,
        )
        queries += (result.query,)
        if len(result.rows) == limit or first == found.first:
            return result.rows, queries
        stretch = max(stretch * 8, (found.last - found.first) / 64)


def newest_of_each(
    store: Store,
    condition: str,
    parameters: Mapping[str, Any],
    groups: Groups,
    wanted: Mapping[tuple[Any, ...], Found],
    newest: Sequence[Mapping[str, Any]],
) -> tuple[dict[tuple[Any, ...], list[str]], tuple[Query, ...]]:
    """The newest event ids of each wanted group, and the query for the rare groups.

    `newest` are rows read already: only groups that these do not fill are looked for.
    """
    ids = _by_group(groups, newest)
    rare = {
        key: found
        for key, found in wanted.items()
        if len(ids.get(key, ())) < min(groups.limit, found.events)
    }
    if not rare:
        return ids, ()
    span = sum(rare.values(), NONE)
    assert span.first is not None
    assert span.last is not None
    names = {f"name_{n}": name for n, name in enumerate(sorted({groups.name(key) for key in rare}))}
    named = f"coalesce({groups.named}, '') in ({', '.join('$' + name for name in names)})"
    result = store.query(
        f"""
        select {COLUMNS} from events
        where event_time >= $newest_first and event_time <= $newest_last and {condition}
          and {named}
        qualify row_number() over (
            partition by {groups.told_apart} order by event_time desc, event_id
        ) <= {groups.limit}
        order by event_time desc, event_id
        """,  # noqa: S608 - as above
        {**parameters, **names, "newest_first": span.first, "newest_last": span.last},
        first=span.first,
        last=span.last,
    )
    of_rare = _by_group(groups, result.rows)
    return ids | {key: of_rare.get(key, []) for key in rare}, (result.query,)


def _by_group(
    groups: Groups, rows: Sequence[Mapping[str, Any]]
) -> dict[tuple[Any, ...], list[str]]:
    ids: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for row in rows:
        mine = ids[groups.key(row)]
        if len(mine) < groups.limit:
            mine.append(row["event_id"])
    return dict(ids)
