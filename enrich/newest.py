"""The newest of the events that a condition holds for, without reading all of them.

Counts come from the day rollup, which has no event ids. These are read from the end backwards,
as far as it takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from enrich.calls_sql import ORIGINAL_RULE
from trail.store import Query, Store

AT_ONCE = 50_000
"""About so many events are read more quickly than a second query is asked."""

_COLUMNS = f"""event_id, event_time, event_source, event_name, error_code,
    {ORIGINAL_RULE} as interesting"""

Key = tuple[Any, ...]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """How many events were counted, and the times of the first and the last of them."""

    events: int
    first: datetime
    last: datetime

    def tail(self, events: int) -> Found:
        """The end of it that would hold so many events, were they spread evenly."""
        length = (self.last - self.first) * min(1.0, events / max(self.events, 1))
        return replace(self, first=self.last - length)


@dataclass(frozen=True)
class Groups:
    """Groups of events of which the newest ids are shown."""

    limit: int
    key: Callable[[Row], Key]
    """A row's group. It begins with the row's value in the column `named` ("" for null)."""
    named: str
    told_apart: str
    """The key as SQL, or something finer."""


def newest_events(
    store: Store,
    condition: str,
    parameters: Mapping[str, Any],
    found: Sequence[Found],
    limit: int,
) -> tuple[list[dict[str, Any]], tuple[Query, ...]]:
    """The newest events, newest first, of those that were counted, and the queries for them."""
    if not found:
        return [], ()
    whole = _sum(found)
    # Calls come in bursts, so four times what an even spread would need is read first.
    reach = 4 * limit
    queries: tuple[Query, ...] = ()
    while True:
        span = whole.tail(reach)
        result = store.query(
            f"""
            select {_COLUMNS} from events
            where event_time >= $newest_first and event_time <= $newest_last and {condition}
            order by event_time desc, event_id
            limit {limit}
            """,
            {**parameters, "newest_first": span.first, "newest_last": span.last},
            first=span.first,
            last=span.last,
        )
        queries += (result.query,)
        if len(result.rows) == limit or span.first == whole.first:
            return result.rows, queries
        reach *= 8


def newest_of_each(
    store: Store,
    condition: str,
    parameters: Mapping[str, Any],
    groups: Groups,
    wanted: Mapping[Key, Found],
    newest: Sequence[Row],
) -> tuple[dict[Key, list[str]], tuple[Query, ...]]:
    """The newest event ids of each wanted group, and the queries for them.

    `newest` are the newest rows, read already: groups that these fill are not looked for.
    """
    ids = _by_group(groups, newest)
    queries: tuple[Query, ...] = ()
    reach = max(4 * groups.limit, AT_ONCE if _events(wanted.values()) < AT_ONCE else 0)
    waiting = dict(wanted)
    while True:
        waiting = {
            key: found
            for key, found in waiting.items()
            if len(ids.get(key, ())) < min(groups.limit, found.events)
        }
        if not waiting:
            return ids, queries
        tails = {key: found.tail(reach) for key, found in waiting.items()}
        for span, members in _close_together(tails, _pace(wanted.values()) * AT_ONCE):
            names = {f"name_{n}": name for n, name in enumerate(sorted({k[0] for k in members}))}
            result = store.query(
                f"""
                select {_COLUMNS} from events
                where event_time >= $newest_first and event_time <= $newest_last and {condition}
                  and coalesce({groups.named}, '') in ({", ".join("$" + name for name in names)})
                qualify row_number() over (
                    partition by {groups.told_apart} order by event_time desc, event_id
                ) <= {groups.limit}
                order by event_time desc, event_id
                """,
                {**parameters, **names, "newest_first": span.first, "newest_last": span.last},
                first=span.first,
                last=span.last,
            )
            queries += (result.query,)
            of_members = _by_group(groups, result.rows)
            ids |= {key: of_members.get(key, []) for key in members}
        waiting = {key: found for key, found in waiting.items() if tails[key].first > found.first}
        reach *= 8


def _by_group(groups: Groups, rows: Sequence[Row]) -> dict[Key, list[str]]:
    ids: dict[Key, list[str]] = defaultdict(list)
    for row in rows:
        mine = ids[groups.key(row)]
        if len(mine) < groups.limit:
            mine.append(row["event_id"])
    return dict(ids)


def _close_together(
    spans: Mapping[Key, Found], gap: timedelta
) -> Iterator[tuple[Found, list[Key]]]:
    """The spans joined where no more than the gap lies between them, and whose they are."""
    joined: list[Key] = []
    for key in sorted(spans, key=lambda key: spans[key].first):
        if joined and spans[key].first > _sum([spans[k] for k in joined]).last + gap:
            yield _sum([spans[k] for k in joined]), joined
            joined = []
        joined.append(key)
    yield _sum([spans[k] for k in joined]), joined


def _pace(found: Iterable[Found]) -> timedelta:
    """The time from one event to the next, were they spread evenly."""
    whole = _sum(list(found))
    return (whole.last - whole.first) / max(whole.events, 1)


def _events(found: Iterable[Found]) -> int:
    return sum(one.events for one in found)


def _sum(found: Sequence[Found]) -> Found:
    return Found(_events(found), min(one.first for one in found), max(one.last for one in found))
