"""Which calls of the seven days to the alert were more than looking around.

`calls`, `total` and `failed` apply the original rule to every row (§6.1): the name does not begin
with Get (except GetPasswordData), List, Head or Describe, or the call failed. Names are reported
as logged. What is known beyond that only labels rows (`reasons`, `techniques`) or stands apart
(`sensitive_reads`: successful reads that the rule leaves out). Window and counting are those of
`services_used`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Enrichment, Listing, ReportTable, verbatim
from enrich.calls.acted_on import NOTHING, targets_by_call
from enrich.calls.acted_on import in_words as targets_in_words
from enrich.calls.bulk_reads import find_bulk_reads
from enrich.calls.call_details import Call, find_details, known_details
from enrich.calls.calls_made import calls_made, earlier, evidence_caveats, made_before
from enrich.calls.calls_sql import midnight, newest_ids
from enrich.calls.console_clicks import find_clicks
from enrich.calls.content_found import found_in, harmless, unread
from enrich.calls.of_other_sessions import all_of_others
from enrich.calls.outside_accounts import find_accounts
from enrich.calls.records_read import read_records
from enrich.count import Count, Events
from enrich.data.found import Earlier
from enrich.data.interesting_calls import (
    BulkRead,
    CallGroup,
    CallsOnDay,
    ContentFound,
    Detail,
    InterestingCalls,
    OutsideAccount,
    UsualCalls,
)
from enrich.entity import Match, by_identity_id, entity_match, namesakes_caveats
from enrich.facts.error_classes import error_class
from enrich.facts.service_names import service_label, service_name
from enrich.facts.techniques import (
    KINDS,
    Signal,
    arrival,
    high_signal,
    plain_name,
    sensitive_read,
)
from enrich.kinds_logged import with_kinds
from enrich.window import NO_ONE, Looked, Window, days_before, has_no_window, iso, look
from enrich.words import listed, short
from trail.counted import counted
from trail.store import Query, Store

NAME = "interesting_calls"
QUESTION = "Which interesting API calls were made in the 7 days to the alert?"
DAYS = 7
OF_EACH = 3
"""How many event ids stand beside each row, newest first."""

_MODEL_CALLS = frozenset({"InvokeModel", "InvokeModelWithResponseStream", "Converse"})
_ROUTINE = frozenset(
    {
        "AssumeRole",
        "CreateLogStream",
        "CreateNetworkInterface",
        "Decrypt",
        "GenerateDataKey",
        "PutInventory",
        "RegisterTargets",
        "SendHeartBeat",
        "SharedSnapshotVolumeCreated",
        "UpdateInstanceInformation",
    }
)
"""Writes that services and agents make all day (§6.2): a reason to fold a row, never to drop it."""


def ask(alert: Alert, principal: Principal, store: Store) -> Answer:
    """The interesting calls: high-signal ones first, then the most frequent."""
    without = has_no_window(alert)
    match = None if without else entity_match(alert, principal)
    whole = None if without else entity_match(alert, principal, scope="whole_role")
    if match is None or whole is None:
        return Answer(NAME, QUESTION, *(without or ("not_applicable", NO_ONE)), InterestingCalls())
    window = days_before(alert, DAYS)
    looked = look(alert, principal, store, window)
    match, queries = by_identity_id(match, store, window.first, window.last)
    made, replaced, query = calls_made(match, store, window)
    groups = _groups(made)
    queries += (query,)
    # That it only read is a claim about the writes, too.
    looked = with_kinds(looked, sum(group["interesting"] for group in groups), store, window)
    status = looked.status(len(groups))
    if status == "not_covered":
        sentence = (
            f"No logs of {looked.whose} are indexed for the {DAYS} days to the alert:"
            " add them to see the calls made."
        )
        data = InterestingCalls(window_first=iso(window.first), window_last=iso(window.last))
        return Answer(NAME, QUESTION, status, sentence, data, (), looked.caveats(), queries)

    shown = [
        group
        for group in groups
        if group["interesting"] or sensitive_read(group["event_source"], group["event_name"])
    ]
    evidence = tuple(newest_ids(day for group in shown for day in group["days"]))
    rows, sensitive, read, more = _labelled(
        groups, shown, alert, principal, match, whole, store, window
    )
    queries += more
    if status == "answered" and not rows and not sensitive:
        status = "nothing"
    total = sum(row.count for row in rows)
    failures = Counter[str]()
    for row in rows:
        failures.update({row.failure: row.failed} if row.failure else {})
    clicks = None
    if by_hand := [group for group in groups if group["in_console"]]:
        clicks, query = find_clicks(match, store, _span(by_hand))
        queries += (query,)
    others, more = all_of_others(match, principal, store, window) if shown else ((), ())
    queries += more
    caveats = namesakes_caveats(match) + others + looked.caveats()
    caveats += evidence_caveats(evidence, sum(day["events"] for g in shown for day in g["days"]))
    caveats += replaced
    assert alert.first_seen is not None
    data = InterestingCalls(
        namesakes=match.namesakes,
        window_first=iso(window.first),
        window_last=iso(window.last),
        total=total,
        failed=sum(row.failed for row in rows),
        calls=rows,
        sensitive_reads=sensitive,
        scope=match.scope,
        denied=failures["denied"],
        failures=dict(failures.most_common()),
        high_signal=sum(row.count for row in rows if row.signal),
        by_service=sum(row.by_service for row in rows),
        console=clicks,
        alert_day=f"{midnight(alert.first_seen).date()}",
        content=read.content,
        content_unread=read.content_unread,
        outside_accounts=read.outside_accounts,
        bulk_reads=read.bulk_reads,
        before=read.before,
    )
    made_in = Events(match.scope, window.first, window.last)
    sentence, counts = _sentence(
        total, rows, sensitive, _by_content(read.content, (*rows, *sensitive)), made_in, looked
    )
    return Answer(NAME, QUESTION, status, sentence, data, evidence, caveats, queries, counts=counts)


def _groups(made: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every call of the window in groups, interesting or not: there are few groups."""
    grouped: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in made:
        grouped[_key(row)].append(row)
    return [
        {
            **{name: days[0][name] for name in _KEY},
            **{
                name: sum(day[name] for day in days)
                for name in ("calls", "failed", "by_service", "in_console")
            },
            "first": min(day["first"] for day in days),
            "last": max(day["last"] for day in days),
            "a_message": max((day["a_message"] for day in days if day["a_message"]), default=None),
            "event_ids": newest_ids(days, OF_EACH),
            "succeeded_ids": newest_ids((d for d in days if not d["is_failed"]), OF_EACH),
            "failed_ids": newest_ids((d for d in days if d["is_failed"]), OF_EACH),
            "days": days,
        }
        for days in grouped.values()
    ]


_KEY = ("event_name", "event_source", "error_code", "interesting")


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _span(groups: list[dict[str, Any]]) -> Window:
    """From the groups' first event to their last: no more of the events need be read."""
    return Window(min(group["first"] for group in groups), max(group["last"] for group in groups))


class _Read(NamedTuple):
    """What was read besides the rows: the content of calls, and how much is known of before."""

    content: tuple[ContentFound, ...]
    content_unread: int
    outside_accounts: tuple[OutsideAccount, ...]
    bulk_reads: tuple[BulkRead, ...]
    before: Earlier | None


def _labelled(
    groups: list[dict[str, Any]],
    shown: list[dict[str, Any]],
    alert: Alert,
    principal: Principal,
    match: Match,
    whole: Match,
    store: Store,
    window: Window,
) -> tuple[tuple[CallGroup, ...], tuple[CallGroup, ...], _Read, tuple[Query, ...]]:
    """The interesting rows and the reads, the gravest first, each with what its parameters say,
    what it acted on and whether it is a first; and what else was read with them.
    """
    interesting = [
        # The record of a role session's switch is the session's own.
        _call(group, arrival(group["event_source"], group["event_name"]) if match.is_role else None)
        for group in shown
        if group["interesting"]
    ]
    reads = [
        _call(group, sensitive_read(group["event_source"], group["event_name"]))
        for group in shown
        if not group["interesting"]
    ]
    both = [*interesting, *reads]
    queries: tuple[Query, ...] = ()
    known = None
    before: dict[tuple[str | None, str], UsualCalls] = {}
    if both:
        found, since, more = made_before(alert, whole, store, window)
        queries += more
        known = earlier(found, since, store, alert, principal)
        before = {
            (call["event_source"], plain_name(call["event_name"])): _usual(call) for call in found
        }
    assert alert.first_seen is not None
    alert_day = midnight(alert.first_seen).date()
    # The days of the week before the alert's are part of that time: they cannot disagree.
    in_the_week = {
        (group["event_source"], plain_name(group["event_name"]))
        for group in groups
        if any(day["day"] < alert_day for day in group["days"])
    }
    details: dict[Call, list[Detail]] = {}
    named = sorted({row.event_name for row in both if known_details(row.event_name)})
    if named:
        span = _span([group for group in groups if group["event_name"] in named])
        details, query = find_details(match, store, span, named)
        queries += (query,)
    records, more = read_records(match, store, window, both)
    queries += more
    acted = targets_by_call(records, both)
    bulk, more = find_bulk_reads(match, store, window, reads)
    queries += more
    content = found_in(records)
    outside, more = find_accounts(
        alert, store, [account for one in content for account in one.accounts]
    )
    queries += more
    read = _Read(content, unread(both), outside, bulk, known)

    def labelled(row: CallGroup) -> CallGroup:
        api = (row.event_source, plain_name(row.event_name))
        call = (row.event_source, row.event_name, row.error_code)
        said = tuple(details.get(call, ()))
        told = tuple(detail.told for detail in said)
        on = acted.get(call, NOTHING)
        return replace(
            row,
            reasons=row.reasons + told,
            never_before=api not in before and api not in in_the_week if before else None,
            details=told,
            targets=on.targets,
            targets_total=on.total,
            targets_of=on.looked_at,
            detail_counts=said,
            before=before.get(api),
        )

    by_content = _by_content(content, both)

    def in_order(rows: Iterable[CallGroup]) -> tuple[CallGroup, ...]:
        return tuple(sorted(map(labelled, rows), key=lambda row: _order(row, by_content)))

    return in_order(interesting), in_order(reads), read, queries


def _call(group: Mapping[str, Any], known: Signal | None = None) -> CallGroup:
    source, name, code = group["event_source"], group["event_name"], group["error_code"]
    signal = known or high_signal(source, name) or sensitive_read(source, name)
    failure = error_class(code, group["a_message"]) if group["failed"] else None
    routine = plain_name(name) in _ROUTINE and group["by_service"] == group["calls"]
    return CallGroup(
        event_source=source,
        event_name=name,
        error_code=code,
        count=group["calls"],
        first=iso(group["first"]),
        last=iso(group["last"]),
        reasons=_reasons(group, signal, failure, routine),
        techniques=signal.techniques if signal else (),
        failed=group["failed"],
        failure=failure,
        by_service=group["by_service"],
        service=service_name(source),
        signal=signal.kind if signal else None,
        why=signal.why if signal else None,
        routine=routine,
        event_ids=tuple(group["event_ids"]),
        succeeded_ids=tuple(group["succeeded_ids"]),
        failed_ids=tuple(group["failed_ids"]),
        days=_by_day(group["days"]),
    )


def _usual(call: Mapping[str, Any]) -> UsualCalls:
    return UsualCalls(
        events=call["events"],
        days=call["days"],
        most=call["most"],
        most_on=f"{call['most_on']}",
    )


def _by_day(rows: Sequence[Mapping[str, Any]]) -> tuple[CallsOnDay, ...]:
    days: dict[Any, dict[bool, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:  # a row for each day and result
        days[row["day"]][row["is_failed"]] = row
    return tuple(
        CallsOnDay(
            day=f"{day}",
            succeeded=of[False]["calls"] if False in of else 0,
            failed=of[True]["calls"] if True in of else 0,
            succeeded_ids=tuple(newest_ids([of[False]], OF_EACH)) if False in of else (),
        )
        for day, of in sorted(days.items())
    )


_FAILURE_WORDS = {
    "denied": "denied",
    "dry_run": "dry run: the caller was allowed",
    "throttled": "failed: throttled",
    "not_found": "failed: not found",
    "exists": "failed: exists already",
    "validation": "failed: invalid request",
    "sign_in": "sign-in failed",
    "other": "failed",
}


def _reasons(
    group: Mapping[str, Any], signal: Signal | None, failure: str | None, routine: bool
) -> tuple[str, ...]:
    """Why the row stands here, the weightiest first."""
    reasons = []
    if signal is not None:
        reasons.append(signal.kind)
    if failure is not None:
        reasons.append(_FAILURE_WORDS[failure])
    if (
        failure == "validation"
        and service_label(group["event_source"]) == "bedrock"
        and group["event_name"] in _MODEL_CALLS
    ):
        reasons.append("a probe: an invalid request shows at no cost that the model may be used")
    if group["interesting"] and not reasons:
        reasons.append("not a read by its name")
    if routine:
        reasons.append("routine of a service")
    elif group["by_service"] == group["calls"]:
        reasons.append("made by a service on the caller's behalf")
    return tuple(reasons)


_GRAVITY = {kind: place for place, kind in enumerate(KINDS)}


def _by_content(
    content: Sequence[ContentFound], rows: Iterable[CallGroup]
) -> dict[tuple[str | None, str], bool]:
    """Calls of which their content says more than their name: True where it is grave, False where
    all that it says speaks against.
    """
    grave = {(one.event_source, one.event_name): True for one in content if one.grave}
    return dict.fromkeys(harmless(content, rows), False) | grave


def _order(row: CallGroup, by_content: Mapping[tuple[str | None, str], bool]) -> tuple[Any, ...]:
    """What succeeded and matters, then what was tried and matters, then the rest by count.

    In each, grave content, telling parameters and calls never made before go ahead of the gravity
    of the kind. What by its content adds to logs or guards matters to no intruder.
    """
    gravity = _GRAVITY.get(row.signal or "", len(KINDS))
    content = by_content.get((row.event_source, row.event_name)) if row.succeeded_ids else None
    grave = content if content is not None else gravity < _GRAVITY["sensitive read"]
    return (
        row.routine,
        not (grave and row.failed < row.count),
        not grave,
        content is not True,
        not row.details,
        row.never_before is False,
        gravity,
        -row.count,
        row.event_source or "",
        row.event_name,
        row.error_code or "",
    )


def _sentence(
    calls: int,
    rows: Sequence[CallGroup],
    sensitive: Sequence[CallGroup],
    by_content: Mapping[tuple[str | None, str], bool],
    events: Events,
    looked: Looked,
) -> tuple[str, tuple[Count, ...]]:
    span = looked.span(f"the {DAYS} days to the alert", len(rows) + len(sensitive))
    interesting = events.where(interesting=True)
    total = Count(interesting, number=calls, noun="interesting call")
    failed = Count(interesting.where(failed=True), number=sum(row.failed for row in rows))
    reads = Count(
        events.where(interesting=False).one_of(api_of(row) for row in sensitive),
        number=sum(row.count for row in sensitive),
        noun="sensitive read",
    )
    of_names = _of_names(rows, interesting)
    of_reads = _of_names(sensitive, events.where(interesting=False))
    counts = (total, failed, reads, *of_names.values(), *of_reads.values())
    also = ""
    if reads.number:
        also = f"{reads} ({_listed(of_reads, at_most=3)})"
    if not total.number:
        if also:
            return f"Only reads in {span}, among them {also}.", counts
        return f"No interesting calls in {span}.", ()
    how = f", {failed.number:,} failed" if failed.number else ""
    how = ", all failed" if failed.number == total.number else how
    sentence = f"{total} in {span}{how}: {_listed(of_names)}."
    first = rows[0]
    is_harmless = by_content.get((first.event_source, first.event_name)) is False
    if (
        not is_harmless
        and first.failed < first.count
        and first.signal not in (None, "sensitive read")
    ):
        details = first.succeeded_details
        told = [first.signal, *(detail.told for detail in details)]
        told += ["not seen before the alert's day"] if first.never_before else []
        name = short(plain_name(first.event_name))
        sentence += f" Weightiest that succeeded: {name} ({', '.join(told)})."
        counts += details_counted(details, events.one_of([api_of(first)]).where(failed=False))
    return sentence + (f" Also {also}." if also else ""), counts


def details_counted(details: Sequence[Detail], events: Events) -> tuple[Count, ...]:
    """The numbers of the phrases about parameters of some calls."""
    return tuple(Count(events.where(detail=one.words), number=one.calls) for one in details)


def api_of(row: CallGroup) -> dict[str, tuple[str | None]]:
    """A row's call as a condition on events."""
    return {"event_source": (row.event_source,), "event_name": (row.event_name,)}


def _of_names(rows: Sequence[CallGroup], events: Events) -> dict[str, Count]:
    """The calls of each name without its version date, whatever service it is of."""
    counts = Counter[str]()
    for row in rows:
        counts[plain_name(row.event_name)] += row.count
    apis = {
        name: [api_of(row) for row in rows if plain_name(row.event_name) == name] for name in counts
    }
    return {
        name: Count(events.one_of(apis[name]), number=number) for name, number in counts.items()
    }


def _listed(of_names: Mapping[str, Count], at_most: int = 5) -> str:
    every = (f"{short(name)} {count.number:,}" for name, count in of_names.items())
    return listed(every, at_most=at_most)


def _found(data: InterestingCalls) -> str:
    calls = counted(data.total or 0, "interesting call")
    if not data.sensitive_reads:
        return calls
    return f"{calls}, {counted(len(data.sensitive_reads), 'kind')} of sensitive reads"


def _listing(data: InterestingCalls) -> Listing:
    return Listing(
        ("Call", "Service", "Error", "Count", "Acted on", "Why", "ATT&CK"),
        [
            (
                verbatim(row.event_name),
                row.service,
                verbatim(row.error_code),
                row.count,
                targets_in_words(row),
                ", ".join(row.reasons),
                " ".join(row.techniques),
            )
            for row in (*data.calls, *data.sensitive_reads)
        ],
    )


_COLUMNS = (
    ("event_source", "Source"),
    ("event_name", "Call"),
    ("targets", "Acted on"),
    ("error_code", "Error"),
    ("count", "Count"),
    ("first", "First"),
    ("last", "Last"),
    ("reasons", "Why"),
    ("techniques", "Techniques"),
)

INTERESTING_CALLS = Enrichment(
    name=NAME,
    question=QUESTION,
    about="the interesting calls",
    short="Calls",
    window="7 days, to the alert",
    ask=ask,
    empty_data=InterestingCalls,
    found=_found,
    listing=_listing,
    report=(ReportTable("calls", _COLUMNS), ReportTable("sensitive_reads", _COLUMNS)),
    milliseconds=2,
)
