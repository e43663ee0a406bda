"""A complete question, as an example: which Regions did it act in?

It is not asked: `asked_too` puts it into the list for a test. To add a question of your own, write
such a file in `enrich/questions` (what it holds goes to `enrich/data`), and its line in
`enrich/questions/every.py`. Command line, page, inbox, Markdown, database, reports and redaction
have all that they need from here.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Bar, Enrichment, Listing, ReportTable, verbatim
from enrich.calls.calls_sql import bounds, calls_in, counted_calls, each_call_once, newest_ids
from enrich.count import Count, Events
from enrich.data.found import Found, InWindow, Moment
from enrich.entity import by_identity_id, entity_match
from enrich.questions.every import QUESTIONS
from enrich.window import NO_ONE, days_before, has_no_window, iso, look
from enrich.words import listed, short
from trail.counted import counted
from trail.store import Store

# What the answer holds. The fields are the keys of its JSON, in this order; each says what it is,
# and has a value for "not looked up", by which what an older version kept can still be read.


class RegionUse(Found, frozen=True, kw_only=True):
    """One Region that was called in the window."""

    region: str | None = None
    """`awsRegion` as logged."""
    count: int = 0
    """Calls there."""
    failed: int = 0
    """How many of them failed."""
    first: Moment | None = None
    """`eventTime` of the first."""
    last: Moment | None = None
    """`eventTime` of the last."""


class RegionsUsed(InWindow, frozen=True, kw_only=True):
    """The Regions that the principal called, most calls first."""

    total: int | None = None
    """Calls in the window; None where no logs of it are indexed."""
    regions: tuple[RegionUse, ...] = ()
    """One row per Region."""


NAME = "regions_used"
QUESTION = "Which Regions did it act in, in the 7 days to the alert?"
DAYS = 7

# What is asked of the index. `calls_in` takes whole days from the rollup and the window's edges
# from the events; SQL names its values, and a window bounds every statement.
_KEYS = {"aws_region": "aws_region"}
_CONDITIONS = {"failed": "failed"}


def ask(alert: Alert, principal: Principal, store: Store) -> Answer:
    """The Regions, most calls first."""
    without = has_no_window(alert)
    match = None if without else entity_match(alert, principal)
    if match is None:  # no time, or nobody: said by status and sentence, the data hold nothing
        return Answer(NAME, QUESTION, *(without or ("not_applicable", NO_ONE)), RegionsUsed())
    window = days_before(alert, DAYS)
    looked = look(alert, principal, store, window)  # what of the window is indexed at all
    match, queries = by_identity_id(match, store, window.first, window.last)
    found = store.query(
        counted_calls(_KEYS, _CONDITIONS, calls_in(match.sql)),
        {**match.parameters, **bounds(match.sql, window)},
        first=window.first,
        last=window.last,
    )
    made = each_call_once(found.rows, _KEYS, _CONDITIONS)
    regions = _regions(made)
    data = RegionsUsed(
        window_first=iso(window.first),
        window_last=iso(window.last),
        total=sum(row.count for row in regions),
        regions=regions,
    )
    sentence, counts = _sentence(regions, Events(match.scope, window.first, window.last))
    return Answer(
        NAME,
        QUESTION,
        looked.status(len(regions)),  # nothing, partial and not covered are three things
        sentence,
        data,
        tuple(newest_ids(made)),
        looked.caveats(),
        (*queries, found.query),
        counts=counts,
    )


def _regions(made: Sequence[Mapping[str, Any]]) -> tuple[RegionUse, ...]:
    grouped: dict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
    for row in made:
        grouped[row["aws_region"]].append(row)
    regions = [
        RegionUse(
            region=region,
            count=sum(row["calls"] for row in rows),
            failed=sum(row["failed"] for row in rows),
            first=iso(min(row["first"] for row in rows)),
            last=iso(max(row["last"] for row in rows)),
        )
        for region, rows in grouped.items()
    ]
    return tuple(sorted(regions, key=lambda row: (-row.count, row.region or "")))


def _sentence(regions: Sequence[RegionUse], events: Events) -> tuple[str, tuple[Count, ...]]:
    """The sentence, and each number in it with the events that it counts."""
    if not regions:
        return f"No calls by this identity in the {DAYS} days to the alert.", ()
    total = Count(events, number=sum(row.count for row in regions))
    each = [f"{short(row.region or 'no Region')} {row.count:,}" for row in regions]
    return f"{total} in {counted(len(regions), 'Region')}: {listed(each)}.", (total,)


# How it is told where space is short, and as tables.


def _found(data: RegionsUsed) -> str:
    return counted(len(data.regions), "Region")


def _listing(data: RegionsUsed) -> Listing:
    return Listing(
        ("Region", "Calls", "Failed", "First", "Last"),
        [
            (verbatim(row.region), row.count, row.failed, row.first, row.last)
            for row in data.regions
        ],
    )


def _bars(data: RegionsUsed) -> list[Bar]:
    return [
        Bar(row.region or "no Region", row.region or "", row.count, row.failed)
        for row in data.regions
    ]


REGIONS_USED = Enrichment(
    name=NAME,
    question=QUESTION,
    about="the Regions it acted in",
    short="Regions",
    window="7 days, to the alert",
    ask=ask,
    empty_data=RegionsUsed,
    found=_found,
    listing=_listing,
    report=(
        ReportTable(
            "regions",
            (("region", "Region"), ("count", "Calls"), ("failed", "Failed"), ("last", "Last")),
        ),
    ),
    bar="Region",
    bars=_bars,
    milliseconds=10,
)


def asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if its line stood in the list."""
    for module in list(sys.modules.values()):
        if getattr(module, "QUESTIONS", None) is QUESTIONS:
            monkeypatch.setattr(module, "QUESTIONS", (*QUESTIONS, REGIONS_USED))
