"""What the calls of a principal acted on (`enrich.facts.targets`), counted per call.

Of calls that matter and are not many every record is read; of the others the newest few, and what
is said of them says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from enrich.calls.call_details import Call
from enrich.data.interesting_calls import CallGroup, TargetCount
from enrich.entity import Match
from enrich.facts.targets import Target, targets_of
from enrich.sql_text import bound_list, bound_values
from enrich.window import Window
from enrich.words import short
from trail.store import Query, Store

ALL_OF = 500
"""Calls of one name that are all read; of more the newest few."""
SHOWN = 10
"""Targets of one call that its row lists, the most frequent first."""


class ActedOn(NamedTuple):
    """At most `SHOWN` of the `total` things that the `looked_at` records name."""

    targets: tuple[TargetCount, ...]
    total: int
    looked_at: int


NOTHING = ActedOn((), 0, 0)


def find_targets(
    match: Match, store: Store, window: Window, rows: Sequence[CallGroup]
) -> tuple[dict[Call, ActedOn], tuple[Query, ...]]:
    """Per call what its records name."""
    names = sorted({row.event_name for row in rows if row.signal and row.count <= ALL_OF})
    few = [row for row in rows if row.event_name not in names]
    ids = sorted({event_id for row in few for event_id in row.event_ids})
    if not names and not ids:
        return {}, ()
    found = store.query(
        f"""
        select distinct event_id, event_source, event_name, error_code, request_parameters,
               response_elements, resources
        from events
        where event_time >= $window_first and event_time <= $window_last and {match.sql}
          and ({_one_of("event_name", "call", names)} or {_one_of("event_id", "id", ids)})
        """,
        {
            **match.parameters,
            **bound_values("call", names),
            **bound_values("id", ids),
            "window_first": window.first,
            "window_last": window.last,
        },
        first=window.first,
        last=window.last,
    )
    counts: dict[Call, Counter[Target]] = defaultdict(Counter)
    looked_at = Counter[Call]()
    for row in found.rows:
        call = (row["event_source"], row["event_name"], row["error_code"])
        looked_at[call] += 1
        counts[call].update(
            targets_of(
                row["event_source"],
                row["request_parameters"],
                row["response_elements"],
                row["resources"],
            )
        )
    return {
        call: ActedOn(
            tuple(
                TargetCount(kind=one.kind, name=one.name, shared=one.shared, count=count)
                for one, count in _most(counts[call])
            ),
            len(counts[call]),
            number,
        )
        for call, number in looked_at.items()
    }, (found.query,)


def in_words(row: CallGroup, most: int = 3) -> str:
    """ "secret prod/db, secret prod/api and 4 more (of the newest 3 of 812)"; "" without any.

    Quotes log text.
    """
    targets = row.targets[:most]
    if not targets:
        return ""
    named = (f"{_kind(one)} {short(one.name)}" for one in targets)
    left = row.targets_total - len(targets)
    more = f" and {left:,} more" if left > 0 else ""
    of = row.targets_of
    part = f" (of the newest {of:,} of {row.count:,})" if of < row.count else ""
    return f"{', '.join(named)}{more}{part}"


def _kind(target: TargetCount) -> str:
    return "shared with" if target.shared else target.kind


def _one_of(column: str, name: str, values: Sequence[str]) -> str:
    return f"{column} in {bound_list(name, values)}" if values else "false"


def _most(counts: Counter[Target]) -> list[tuple[Target, int]]:
    """Whom something was shared with first, then the most frequent."""
    order = sorted(counts.items(), key=lambda one: (not one[0].shared, -one[1], one[0].name))
    return order[:SHOWN]
