"""What the logs cannot show, on the answers where it matters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.alert import Alert, Principal
from enrich.answer import Answer
from enrich.calls.calls_made import calls_made
from enrich.data.found import InWindow
from enrich.data.services_used import ServicesUsed
from enrich.entity import account_of, by_identity_id, entity_match
from enrich.facts.data_events import DATA_KINDS, S3_OBJECTS
from enrich.unseen.kinds import confirmed, data_firsts
from enrich.window import Window, days_before
from enrich.words import listed, short
from trail.store import Query, Store

MATTERS_TO = frozenset({"services_used", "interesting_calls", "baseline"})
"""Answers that say what was called, and so what was not."""
DAYS = 7
LATE = timedelta(minutes=10)
"""A kind whose first event is nearer than this to the first of its Region began with the logs."""


def with_unseen(answer: Answer, alert: Alert, principal: Principal, store: Store) -> Answer:
    """The answer, with a caveat for each kind of event that the logs of its window do not have.

    What is nowhere is said of services that the identity is seen to have called; that S3 object
    events begin within the window always, since reads of objects leave no other trace.
    """
    data = answer.data
    if answer.name not in MATTERS_TO or answer.status not in ("answered", "partial", "nothing"):
        return answer
    if not isinstance(data, InWindow) or data.window_first is None or data.window_last is None:
        return answer
    account = account_of(alert, principal)
    if account is None:
        return answer
    window = Window(
        datetime.fromisoformat(data.window_first), datetime.fromisoformat(data.window_last)
    )
    begins: dict[str, datetime] = {}
    for cell in store.days_of(account, store.summary().first or window.first, window.last):
        begins[cell.region] = min(cell.first, begins.get(cell.region, cell.first))
    firsts, queries = data_firsts(account, store)
    if isinstance(data, ServicesUsed):
        touched = frozenset(str(one.event_source) for one in data.services)
    else:
        touched, more = _touched(alert, principal, store)
        queries += more
    told = unseen_caveats(account, firsts, begins, window, touched)
    if not told:
        return answer
    firsts, more = confirmed(account, store, firsts, sorted(told))
    caveats = unseen_caveats(account, firsts, begins, window, touched)
    return replace(
        answer,
        caveats=(*answer.caveats, *caveats.values()),
        queries=(*answer.queries, *queries, *more),
    )


def unseen_caveats(
    account: str,
    firsts: Mapping[tuple[str, str], datetime],
    begins: Mapping[str, datetime],
    window: Window,
    touched: Collection[str],
) -> dict[str, str]:
    """By `eventSource` one sentence for each kind that is nowhere, or not from the window's
    beginning on. `begins` has when the logs of each Region begin."""
    whose = f"account {short(account)}"
    caveats = {}
    for kind in DATA_KINDS:
        there = [(region, at) for (source, region), at in firsts.items() if source == kind.source]
        is_touched = kind.source in touched
        late = [
            (region, at)
            for region, at in sorted(there, key=lambda one: (one[1], one[0]))
            if at - max(window.first, begins.get(region, window.first)) >= LATE
        ]
        if not there and is_touched:
            caveats[kind.source] = (
                f"No {kind.words}s of {whose} are indexed: {kind.unseen} cannot be seen."
            )
        elif late and (is_touched or kind is S3_OBJECTS):
            since = (f"{region or 'no Region'} of {at:%Y-%m-%d %H:%M} UTC" for region, at in late)
            caveats[kind.source] = (
                f"The first {kind.words} of {whose} indexed is in {listed(since, at_most=4)}:"
                f" {kind.unseen} before then are not in these logs."
            )
    return caveats


def _touched(
    alert: Alert, principal: Principal, store: Store
) -> tuple[frozenset[str], tuple[Query, ...]]:
    """The services that it called in the days to the alert, by what the questions ask as well."""
    match = entity_match(alert, principal)
    if match is None:
        return frozenset(), ()
    window = days_before(alert, DAYS)
    match, queries = by_identity_id(match, store, window.first, window.last)
    made, _, query = calls_made(match, store, window)
    return frozenset(str(row["event_source"]) for row in made), (*queries, query)
