"""What the content of an identity's successful calls says, alike signs together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alerts.content import KINDS, ContentSign, content_signs
from enrich.calls.records_read import all_content_read, has_content
from enrich.data.interesting_calls import CallGroup, ContentFound
from enrich.window import iso

APART = 3
"""Of one kind and call, so many sentences that differ are all kept; of more, the first alone."""
OF_EACH = 5
"""Events and things that are named of each."""
MOST = 60
"""Kinds of sign, with their calls, that one answer tells."""

_PLACE = {kind: number for number, kind in enumerate(KINDS)}
_Sighting = tuple[Mapping[str, Any], ContentSign]


def found_in(records: Sequence[Mapping[str, Any]]) -> tuple[ContentFound, ...]:
    """The signs in records of events (`enrich.calls.records_read`), the grave ones first."""
    by_call: dict[tuple[Any, ...], list[_Sighting]] = defaultdict(list)
    for row in _one_of_each(records):
        for sign in content_signs(row):
            key = (sign.kind, sign.speaks, row["event_source"], row["event_name"])
            by_call[key].append((row, sign))
    return tuple(sorted(map(_told, by_call.values()), key=_order))[:MOST]


def unread(rows: Iterable[CallGroup]) -> int:
    """How many successful calls with content were not read, of which only the newest few were."""
    left = [row for row in rows if has_content(row) and not all_content_read(row)]
    return sum(row.count - row.failed - len(row.event_ids) for row in left)


def _one_of_each(records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One record of each call, newest first: of several the earliest, and none that is replaced."""
    calls: dict[str, Mapping[str, Any]] = {}
    for row in sorted(records, key=lambda row: (row["event_time"], row["event_id"])):
        if row["replaced"] is None:
            calls.setdefault(row["call_id"] or row["event_id"], row)
    return list(calls.values())[::-1]


def _told(newest_first: Sequence[_Sighting]) -> ContentFound:
    newest, _ = newest_first[0]
    oldest, _ = newest_first[-1]
    weighty = sorted(newest_first, key=lambda one: not one[1].grave)
    first = weighty[0][1]
    about = list(dict.fromkeys(one.about for _, one in weighty if one.about))
    sentences = list(dict.fromkeys(one.sentence for _, one in weighty))
    ids = dict.fromkeys(row["event_id"] for row, _ in weighty)
    return ContentFound(
        kind=first.kind,
        speaks=first.speaks,
        grave=first.grave,
        sentences=tuple(sentences if len(sentences) <= APART else sentences[:1]),
        techniques=first.techniques,
        accounts=tuple(sorted({account for _, one in weighty for account in one.accounts})),
        event_source=newest["event_source"],
        event_name=newest["event_name"],
        count=len(ids),
        first=iso(oldest["event_time"]),
        last=iso(newest["event_time"]),
        about=tuple(about[:OF_EACH]),
        about_total=len(about),
        event_ids=tuple(ids)[:OF_EACH],
    )


def _order(found: ContentFound) -> tuple[Any, ...]:
    return (
        found.speaks == "against",
        not found.grave,
        _PLACE.get(found.kind, len(_PLACE)),
        found.event_source or "",
        found.event_name,
        -found.count,
    )
