"""What the calls of a principal acted on (`enrich.facts.targets`), counted per call.

Of calls that matter and are not many every record is read; of the others the newest few, and what
is said of them says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from enrich.calls.call_details import Call
from enrich.calls.records_read import ALL_OF
from enrich.data.interesting_calls import CallGroup, TargetCount
from enrich.facts.targets import Target, targets_in
from enrich.words import short

SHOWN = 10
"""Targets of one call that its row lists, the most frequent first."""


class ActedOn(NamedTuple):
    """At most `SHOWN` of the `total` things that the `looked_at` records name."""

    targets: tuple[TargetCount, ...]
    total: int
    looked_at: int


NOTHING = ActedOn((), 0, 0)


def targets_by_call(
    records: Sequence[Mapping[str, Any]], rows: Sequence[CallGroup]
) -> dict[Call, ActedOn]:
    """Per call what its records name: all of the calls that matter and are not many, else the
    newest few.
    """
    whole = {row.event_name for row in rows if row.signal and row.count <= ALL_OF}
    newest = {one for row in rows if row.event_name not in whole for one in row.event_ids}
    counts: dict[Call, Counter[Target]] = defaultdict(Counter)
    looked_at = Counter[Call]()
    for row in records:
        if row["event_name"] not in whole and row["event_id"] not in newest:
            continue  # read for its content alone
        call = (row["event_source"], row["event_name"], row["error_code"])
        looked_at[call] += 1
        counts[call].update(targets_in(row))
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
    }


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


def _most(counts: Counter[Target]) -> list[tuple[Target, int]]:
    """Whom something was shared with first, then the most frequent."""
    order = sorted(counts.items(), key=lambda one: (not one[0].shared, -one[1], one[0].name))
    return order[:SHOWN]
