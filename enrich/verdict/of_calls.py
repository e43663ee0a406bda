"""What the services and the interesting calls of the week say on either side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from enrich.count import Count, Events
from enrich.data.interesting_calls import CallGroup, InterestingCalls
from enrich.data.services_used import ServicesUsed
from enrich.facts.techniques import plain_name
from enrich.questions.interesting_calls import api_of, details_counted
from enrich.verdict.before import events_before, in_words, known_before
from enrich.verdict.of_content import Content, of_content
from enrich.verdict.weight import Answers, Weight, events_in, ids
from enrich.words import listed, short

MANY_DENIALS = 10
MANY_NAMES = 5
WEIGHTY = 3
"""How many of the high-signal calls, or of the new services, get a line of their own."""
USUAL_DAYS = 2
"""On so many earlier days a high-signal call must have succeeded to be everyday work."""
MANY_READS = 3
"""Fewer reads of secrets on the alert's day are never more than usual."""
_SECRETS = "T1555.006"
_CALLS, _SERVICES = "interesting_calls", "services_used"


def from_calls(known: Answers) -> Iterator[Weight]:
    data = known.found(InterestingCalls)
    if data is None or data.scope is None:
        return
    events = events_in(data, data.scope)
    content = of_content(known, data, events)
    yield from content.lines
    yield from _high_signal(known, data, events, content)
    yield from _denials(data, events)
    yield from _secrets(known, data, events)
    yield from _by_services(known, data, events)


def from_services(known: Answers) -> Iterator[Weight]:
    used = known.found(ServicesUsed)
    if used is None or used.scope is None:
        return
    before = known_before(used.before)
    if before is None:
        return
    rows = [row for row in used.services if row.never_before and row.valuable and row.on_alert_day]
    for row in rows[:WEIGHTY]:
        that_day = [day for day in row.days if day.day >= known.alert_day]
        of = events_in(used, used.scope).where(event_source=row.event_source)
        of = of.one_of({"day": (day.day,)} for day in that_day)
        # The newest of its events, newest first: as many as there are calls are of these days.
        calls = Count(of, row.event_ids[: row.on_alert_day], number=row.on_alert_day, noun="time")
        failed = Count(of.where(failed=True), number=sum(day.failed for day in that_day))
        on = "on the alert's day"
        if any(day.day > known.alert_day for day in that_day):
            on = "from the alert's day on"
        how = ", all failed" if failed.number == calls.number else ""
        how = how or (f", {failed.number:,} of them failed" if failed.number else "")
        yield Weight(
            "new_service",
            "for",
            f"{short(row.service)} was called {calls} {on}{how}, and never in"
            f" {in_words(known, before, used.before)} before it. {row.valuable}",
            _SERVICES,
            (calls, failed, before),
        )


def _succeeded(row: CallGroup, events: Events, noun: str = "time") -> Count:
    return Count(
        events.one_of([api_of(row)]).where(error_code=row.error_code, failed=False),
        row.succeeded_ids,
        number=row.count - row.failed,
        noun=noun,
    )


def _high_signal(
    known: Answers, data: InterestingCalls, events: Events, content: Content
) -> Iterator[Weight]:
    """Calls that are weighty by their name, as far as their content has not said more, or less."""
    grave = [
        row
        for row in data.calls
        if row.signal not in (None, "sensitive read")
        and row.failed < row.count
        and not content.clears(row)
    ]
    before = known_before(data.before)
    # What the identity does every week speaks for nothing, unless its parameters do.
    telling = [row for row in grave if row.succeeded_details or row.never_before is not False]
    by_name = [row for row in telling if not content.tells(row)]
    for row in by_name[: max(1, WEIGHTY - len(content.told))]:
        done, details = _succeeded(row, events), row.succeeded_details
        first = before if row.never_before else None
        since = ""
        if first is not None:
            since = f", never in {in_words(known, first, data.before)} before the alert's day"
        about = ", ".join([row.signal or "", *row.techniques, *(one.told for one in details)])
        yield Weight(
            "high_signal_call",
            "for",
            f"{short(plain_name(row.event_name))} succeeded {done}{since} ({about}): {row.why}",
            _CALLS,
            (done, *details_counted(details, done.of), *((first,) if first else ())),
        )
    if grave and not telling and not content.told:
        yield from _everyday(known, grave, events)


def _everyday(known: Answers, grave: Sequence[CallGroup], events: Events) -> Iterator[Weight]:
    """Each high-signal call was routine on earlier days, too many for an intruder's first visit."""
    if not known.complete(_CALLS) or known.intruder_may_be_in_history:
        return
    counts: list[Count] = []
    told = []
    for row in grave:
        days = [d for d in row.days if d.day < known.alert_day and d.succeeded]
        if len(days) < USUAL_DAYS:
            return
        of = events.one_of({"day": (day.day,)} for day in days)
        of = of.one_of([api_of(row)]).where(error_code=row.error_code, failed=False)
        newest = ids(day.succeeded_ids for day in days[::-1])
        calls = Count(of, newest, number=sum(day.succeeded for day in days), noun="time")
        on = Count(of, number=len(days), noun="day", distinct="day")
        counts += [calls, on]
        told.append(f"{short(plain_name(row.event_name))} {calls} on {on}")
    yield Weight(
        "everyday_calls",
        "against",
        "Each of its high-signal calls also succeeded on earlier days of the week:"
        f" {listed(told)}.",
        _CALLS,
        tuple(counts),
    )


def _denials(data: InterestingCalls, events: Events) -> Iterator[Weight]:
    denied = [row for row in data.calls if row.failure == "denied"]
    of = events.one_of({**api_of(row), "error_code": (row.error_code,)} for row in denied)
    times = Count(
        of.where(failed=True),
        ids(row.failed_ids for row in denied),
        number=sum(row.failed for row in denied),
        noun="time",
    )
    names = {row.event_name for row in denied}
    calls = Count(of, number=len(names), noun="different call", distinct="event_name")
    if times.number >= MANY_DENIALS and calls.number >= MANY_NAMES:
        yield Weight(
            "permission_probing",
            "for",
            f"Denied {times} over {calls} in the week: looks like permission probing.",
            _CALLS,
            (times, calls),
        )


def _secrets(known: Answers, data: InterestingCalls, events: Events) -> Iterator[Weight]:
    reads = [row for row in data.sensitive_reads if _SECRETS in row.techniques]
    of_reads = events.where(failed=False)
    unknown = [row for row in reads if row.never_before is not False]
    if unknown:
        of = of_reads.one_of(api_of(row) for row in unknown)
        number = sum(row.count for row in unknown)
        times = Count(of, ids(row.succeeded_ids for row in unknown), number=number, noun="time")
        before = known_before(data.before) if all(row.never_before for row in unknown) else None
        names = listed(short(plain_name(row.event_name)) for row in unknown)
        never = "calls" if len(unknown) > 1 else "a call"
        since = ""
        if before is not None:
            history = in_words(known, before, data.before)
            since = f", {never} never made in {history} before the alert's day"
        yield Weight(
            "secrets_read",
            "for",
            f"{names} read secrets or parameters {times}{since}.",
            _CALLS,
            (times, *((before,) if before else ())),
        )
    for row in reads:
        if row.never_before is False:
            yield from _beyond_usual(known, data, row, events)


def _beyond_usual(
    known: Answers, data: InterestingCalls, row: CallGroup, events: Events
) -> Iterator[Weight]:
    """Whether secrets were read twice as often as on any day of the month before, by the whole
    role.
    """
    usual = row.before
    busy = [day for day in row.days if day.day >= known.alert_day]
    if not busy or usual is None or data.before is None or usual.days < USUAL_DAYS:
        return
    now = max(busy, key=lambda day: day.succeeded)
    if now.succeeded < MANY_READS or now.succeeded < 2 * usual.most:
        return
    of = events.one_of([api_of(row)]).where(failed=False, day=now.day)
    times = Count(of, now.succeeded_ids, number=now.succeeded, noun="time")
    before = events_before(data.before).one_of([api_of(row)])
    days = Count(before, number=usual.days, noun="earlier day", distinct="day")
    most = Count(before.where(day=usual.most_on), number=usual.most, distinct="event_id")
    yield Weight(
        "secrets_read_beyond_usual",
        "for",
        f"{short(plain_name(row.event_name))} read secrets or parameters {times} on {now.day}, at"
        f" most {most.number:,} on any of the {days} that had any.",
        _CALLS,
        (times, days, most),
    )


def _by_services(known: Answers, data: InterestingCalls, events: Events) -> Iterator[Weight]:
    """AWS itself states who made a call on whose behalf; the identity's own calls would show."""
    rows = [*data.calls, *data.sensitive_reads]
    if not known.complete(_CALLS) or not data.total:
        return
    if any(row.by_service != row.count for row in rows):
        return
    of = events.where(interesting=True, by_service=True)
    calls = Count(
        of,
        ids(row.event_ids for row in data.calls),
        number=data.total,
        noun="interesting call",
    )
    yield Weight(
        "by_aws_services",
        "against",
        f"{calls} in the week, each made by an AWS service on the identity's behalf.",
        _CALLS,
        (calls,),
    )
