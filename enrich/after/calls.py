"""The interesting calls after the alert: its own question's window ends with it (contract 3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from msgspec import structs

from alerts.alert import Alert, Principal
from enrich.calls.calls_made import calls_made, made_before
from enrich.data.after import AfterAlert
from enrich.data.interesting_calls import CallGroup, InterestingCalls
from enrich.entity import account_of, by_identity_id, entity_match
from enrich.facts.techniques import plain_name
from enrich.questions.interesting_calls import INTERESTING_CALLS
from enrich.window import NO_ONE, Window, days_before, days_in_words, has_no_window, iso
from enrich.words import age, listed, short
from trail.counted import counted
from trail.store import Query, Store

DAYS = timedelta(days=7)
"""So long after the alert is looked at, where the logs go on."""
_NEXT = timedelta(microseconds=1)


def find_after(
    alert: Alert, principal: Principal, store: Store
) -> tuple[AfterAlert, tuple[Query, ...]]:
    """The same tables as of the question about the time before, and the queries behind them."""
    without = has_no_window(alert)
    if without is not None or entity_match(alert, principal) is None:
        return AfterAlert(sentence=without[1] if without else NO_ONE), ()
    assert alert.first_seen is not None
    seen = max(alert.last_seen or alert.first_seen, alert.first_seen)
    first, last = seen + _NEXT, seen + DAYS
    account = account_of(alert, principal)
    cells = store.days_of(account, first, last)
    end = max((cell.last for cell in cells), default=None)
    whose = f"account {short(account)}" if account else "any account"
    if end is None or end < first:
        sentence = f"No logs of {whose} after the alert are indexed."
        none = AfterAlert(
            status="not_covered",
            sentence=sentence,
            window_first=iso(first),
            window_last=iso(last),
        )
        return none, ()
    # The question about the days to a moment, asked of the last moment of those after the alert.
    later = replace(
        alert, first_seen=first + DAYS, last_seen=first + DAYS, event_id=None, event_ids=()
    )
    answer = INTERESTING_CALLS.ask(later, principal, store)
    assert isinstance(answer.data, InterestingCalls)
    until = min(end, last)
    found, queries = _with_firsts(answer.data, alert, principal, store)
    found = structs.replace(found, window_first=iso(first), window_last=iso(until))
    missing = store.coverage(None if account is None else [account], first, until).missing
    caveats = (
        (f"The index holds no logs of {whose} on {days_in_words(missing)} (UTC).",)
        if missing
        else ()
    )
    is_there = bool(found.calls or found.sensitive_reads)
    ended = iso(end) if end < last else None
    return (
        AfterAlert(
            status="partial" if missing else "answered" if is_there else "nothing",
            sentence=_sentence(found, _span(seen, end, last)),
            window_first=iso(first),
            window_last=iso(until),
            logs_end=ended,
            found=found,
            evidence=answer.evidence,
            caveats=caveats,
        ),
        (*answer.queries, *queries),
    )


def _span(seen: datetime, end: datetime, last: datetime) -> str:
    if end >= last:
        return "in the 7 days after the alert"
    return f"in the {age(end - seen)} from the alert to the end of the logs"


def _with_firsts(
    found: InterestingCalls, alert: Alert, principal: Principal, store: Store
) -> tuple[InterestingCalls, tuple[Query, ...]]:
    """The calls, marked where the identity had not made them before the alert.

    The question about the time before has just asked the same.
    """
    match = entity_match(alert, principal)
    whole = entity_match(alert, principal, scope="whole_role")
    assert match is not None
    assert whole is not None
    window = days_before(alert, DAYS.days)
    match, queries = by_identity_id(match, store, window.first, window.last)
    in_the_week, _, query = calls_made(match, store, Window(window.first, window.last))
    before, _, more = made_before(alert, whole, store, window)
    known = {
        (row["event_source"], plain_name(row["event_name"])) for row in (*in_the_week, *before)
    }

    def marked(rows: Iterable[CallGroup]) -> tuple[CallGroup, ...]:
        return tuple(
            structs.replace(
                row,
                never_before=(row.event_source, plain_name(row.event_name)) not in known
                if before
                else None,
                before=None,
            )
            for row in rows
        )

    return (
        structs.replace(
            found,
            calls=marked(found.calls),
            sensitive_reads=marked(found.sensitive_reads),
            alert_day=None,
            before=None,
        ),
        (*queries, query, *more),
    )


def _sentence(found: InterestingCalls, span: str) -> str:
    reads = sum(row.count for row in found.sensitive_reads)
    also = f"{counted(reads, 'sensitive read')} ({_names(found.sensitive_reads, 3)})"
    if not found.total:
        if reads:
            return f"Only reads {span}, among them {also}."
        return f"No interesting calls {span}."
    failed = f", {found.failed:,} failed" if found.failed else ""
    failed = ", all failed" if found.failed == found.total else failed
    said = f"{counted(found.total, 'interesting call')} {span}{failed}: {_names(found.calls, 5)}."
    return f"{said} Also {also}." if reads else said


def _names(rows: Iterable[CallGroup], at_most: int) -> str:
    counts = Counter[str]()
    for row in rows:
        counts[plain_name(row.event_name)] += row.count
    return listed((f"{short(name)} {count:,}" for name, count in counts.items()), at_most=at_most)
