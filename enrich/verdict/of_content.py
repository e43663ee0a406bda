"""What the content of the week's successful calls says on either side.

A grave sign is told whatever the identity usually does, an ordinary one where the call is not
everyday work. What content says of a call is said instead of what the call's name says.

A sign against is weak by its nature: whoever may start a log can do so to look harmless, at no
cost. So it answers one thing alone, that the alert or the name of the call accuses it, and it is
left out where anything grave was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.content import KINDS
from enrich.calls.content_found import Api, harmless
from enrich.count import Cited, Count, Events
from enrich.data.interesting_calls import (
    BulkRead,
    CallGroup,
    ContentFound,
    InterestingCalls,
    OutsideAccount,
)
from enrich.facts.techniques import high_signal, plain_name
from enrich.verdict.before import events_before, in_words, known_before
from enrich.verdict.weight import Answers, Weight
from enrich.words import age, listed, short
from trail.counted import counted

MOST_GRAVE = 8
"""Lines for grave content, of each kind and call one."""
MOST_ORDINARY = 3
NAMED = 3
"""Accounts of one line of which it is said whether they are known."""
MANY_DELETED = 5
"""Successful calls that delete, beyond which they are told as one."""
USUAL_DAYS = 2
_CALLS = "interesting_calls"
_DELETES = frozenset(
    {"destroyed", "copies_deleted", "database_deleted", "secret_deleted", "key_deletion"}
)


@dataclass(frozen=True)
class Content:
    """The lines, and which calls they speak for."""

    lines: tuple[Weight, ...] = ()
    told: frozenset[Api] = frozenset()
    """Calls that a line for a true positive tells of."""
    harmless: frozenset[Api] = frozenset()
    """Calls all of whose successes have content that speaks against, and none that speaks for."""

    def tells(self, row: CallGroup) -> bool:
        """Whether a line here says more of the row's calls than their name does."""
        return (row.event_source, row.event_name) in self.told

    def clears(self, row: CallGroup) -> bool:
        """Whether the calls are not what their name accuses them of."""
        return (row.event_source, row.event_name) in self.harmless


def of_content(known: Answers, data: InterestingCalls, events: Events) -> Content:
    """What the content of the calls in the answer comes to."""
    events = events.where(failed=False)
    rows = {
        (row.event_source, row.event_name): row
        for row in (*data.calls, *data.sensitive_reads)
        if row.failed < row.count
    }
    speaking = [one for one in data.content if one.speaks == "for"]
    deleting = [one for one in speaking if one.kind in _DELETES and not one.grave]
    in_bulk = sum(one.count for one in deleting) >= MANY_DELETED
    news = [one for one in speaking if one.grave or not _is_usual(one, rows)]
    alone = [one for one in news if not (in_bulk and one in deleting)]
    ours = {one.account: one for one in data.outside_accounts}
    grave = [one for one in alone if one.grave and not _within(one, ours)]
    ordinary = [one for one in alone if one not in grave]
    # The alert's own call stands first, and is never among those that are told together.
    grave.sort(key=lambda one: not _is_own(known, one))
    ordinary.sort(key=lambda one: not _is_own(known, one))
    told = [*grave[:MOST_GRAVE], *ordinary[:MOST_ORDINARY]]
    lines = [
        _line(one, "content_grave" if one in grave else "content", known, data, events, rows, ours)
        for one in told
    ]
    if left := grave[MOST_GRAVE:]:
        lines.append(_and_more(left, events))
    told_apis = {_api(one) for one in (*told, *left)}
    if in_bulk and not all(_is_usual(one, rows) for one in deleting):
        lines.append(_destruction(deleting, events))
        told_apis |= {_api(one) for one in deleting}
    lines += _bulk_reads(known, data, events, rows)
    cleared = harmless(data.content, rows.values())
    if not grave:
        lines += _against(known, data, events, cleared)
    return Content(tuple(lines), frozenset(told_apis), cleared)


def _api(one: ContentFound) -> Api:
    return one.event_source, one.event_name


def _is_usual(one: ContentFound, rows: Mapping[Api, CallGroup]) -> bool:
    row = rows.get(_api(one))
    return row is not None and row.never_before is False


def _within(one: ContentFound, ours: Mapping[str, OutsideAccount]) -> bool:
    """Whether all accounts that it lets in have logs of their own here: they are the team's."""
    return bool(one.accounts) and all(
        account in ours and ours[account].logged for account in one.accounts
    )


def _rests_on(one: ContentFound, events: Events) -> Count:
    of = events.one_of(
        [{"event_source": (one.event_source,), "event_name": (one.event_name,)}]
    ).where(content=one.kind)
    return Count(of, one.event_ids, number=one.count, noun="time")


def _line(
    one: ContentFound,
    kind: str,
    known: Answers,
    data: InterestingCalls,
    events: Events,
    rows: Mapping[Api, CallGroup],
    ours: Mapping[str, OutsideAccount],
) -> Weight:
    times = _rests_on(one, events)
    asides = [*one.techniques]
    before = known_before(data.before)
    row = rows.get(_api(one))
    new = before is not None and row is not None and row.never_before is True
    if new and before is not None:
        history = in_words(known, before, data.before)
        asides.append(f"the call never made in {history} before the alert's day")
    asides += [words for account in one.accounts[:NAMED] if (words := _known(account, ours))]
    said = " ".join(one.sentences)
    name = short(plain_name(one.event_name))
    rests_on: tuple[Cited, ...] = (Cited(times.of, times.event_ids),)
    if one.count > len(one.sentences):
        rests_on = (times,)
        if one.about_total > len(one.sentences):
            left = one.about_total - len(one.about)
            things = listed([*one.about, *([f"{left:,} more"] if left > 0 else [])], at_most=6)
            said = f"{name} succeeded {times} ({things}), such as: {said}"
        else:
            said = f"{name} succeeded {times}: {said}"
    if new and before is not None:
        rests_on = (*rests_on, before)
    aside = f" ({', '.join(asides)})" if asides else ""
    return Weight(kind, "for", f"{said.removesuffix('.')}{aside}.", _CALLS, rests_on)


def _and_more(left: Sequence[ContentFound], events: Events) -> Weight:
    """Grave content beyond the lines, each in the words of its kind."""
    parts = [
        f"{short(plain_name(one.event_name))} ({KINDS.get(one.kind, one.kind).removesuffix('.')})"
        for one in left
    ]
    counts = [_rests_on(one, events) for one in left]
    rests_on = tuple(Cited(one.of, one.event_ids) for one in counts)
    said = listed(parts, at_most=12)
    return Weight("content_grave", "for", f"Grave by its content, too: {said}.", _CALLS, rests_on)


def _known(account: str, ours: Mapping[str, OutsideAccount]) -> str:
    found = ours.get(account)
    if found is None:
        return ""
    if found.logged:
        return f"logs of account {account} are indexed here"
    if found.events:
        return f"identities of account {account} called before the alert's day"
    return f"no indexed event of account {account} from {found.logs_from} to the alert's day"


def _destruction(found: Sequence[ContentFound], events: Events) -> Weight:
    """What was deleted in bulk, the most first."""
    most = sorted(found, key=lambda one: (-one.count, one.event_name))
    all_of = [_rests_on(one, events) for one in most]
    whole = Count(
        events.one_of(
            {"event_source": (one.event_source,), "event_name": (one.event_name,),
             "content": (one.kind,)}
            for one in most
        ),
        tuple(one.event_ids[0] for one in most if one.event_ids)[:5],
        number=sum(one.count for one in most),
        noun="time",
    )  # fmt: skip
    parts = []
    for one in most:
        left = one.about_total - min(2, len(one.about))
        things = listed([*one.about[:2], *([f"{left:,} more"] if left > 0 else [])])
        parts.append(f"{short(plain_name(one.event_name))} {one.count:,} ({things})")
    techniques = sorted({technique for one in most for technique in one.techniques})
    return Weight(
        "destruction",
        "for",
        f"Deleting data, copies, databases, secrets or keys succeeded {whole}: {listed(parts)}"
        f" ({', '.join(techniques)}).",
        _CALLS,
        (whole, *all_of),
    )


def _bulk_reads(
    known: Answers, data: InterestingCalls, events: Events, rows: Mapping[Api, CallGroup]
) -> Iterator[Weight]:
    """Objects read in bulk by whoever did not do so before, or did at most half of it on a day."""
    for one in data.bulk_reads:
        row = rows.get(("s3.amazonaws.com", "GetObject"))
        if row is None or not _is_unusual(row, one, known.alert_day):
            continue
        of = events.where(event_source="s3.amazonaws.com", event_name="GetObject")
        times = Count(of.where(bucket=one.bucket), one.event_ids, number=one.count, noun="time")
        asides = ["T1530"]
        before = known_before(data.before)
        rests_on: tuple[Cited, ...] = (times,)
        if before is not None and row.never_before:
            history = in_words(known, before, data.before)
            asides.append(f"the call never made in {history} before the alert's day")
            rests_on = (times, before)
        elif before is not None and data.before is not None and row.before is not None:
            busiest = events_before(data.before).where(
                event_source="s3.amazonaws.com", event_name="GetObject", day=row.before.most_on
            )
            most = Count(busiest, number=row.before.most, distinct="event_id")
            asides.append(f"at most {most.number:,} on a day before")
            rests_on = (times, most)
        size = f", {_size(one.size)}" if one.size is not None else ""
        yield Weight(
            "bulk_read",
            "for",
            f"Objects of bucket {short(one.bucket)} were read {times}{size}{_took(one)}"
            f" ({', '.join(asides)}).",
            _CALLS,
            rests_on,
        )


def _is_unusual(row: CallGroup, one: BulkRead, alert_day: str) -> bool:
    if row.never_before is not False:
        return True
    if row.before is None or row.before.days < USUAL_DAYS:
        return False
    today = max((day.succeeded for day in row.days if day.day >= alert_day), default=0)
    return today >= 2 * row.before.most and one.count >= row.before.most


def _took(one: BulkRead) -> str:
    if one.first is None or one.last is None:
        return ""
    span = datetime.fromisoformat(one.last) - datetime.fromisoformat(one.first)
    return f" in {age(span)}" if span.total_seconds() >= 1 else " within a second"


def _size(number: int) -> str:
    """ "1.9 MB": bytes in the unit that tells them well."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return counted(number, "byte")


def _against(
    known: Answers, data: InterestingCalls, events: Events, cleared: frozenset[Api]
) -> Iterator[Weight]:
    if not known.complete(_CALLS):
        return
    for one in data.content:
        if one.speaks != "against" or _api(one) not in cleared or not _accused(known, one):
            continue
        said = " ".join(one.sentences)
        times = _rests_on(one, events)
        rests_on: Cited = Cited(times.of, times.event_ids)
        if one.count > len(one.sentences):
            rests_on = times
            said = f"{short(plain_name(one.event_name))} succeeded {times}: {said}"
        yield Weight(
            "content_against",
            "against",
            f"{said} That answers what the call is accused of, and no more: whoever may make it can"
            " do so to look harmless.",
            _CALLS,
            (rests_on,),
        )


def _accused(known: Answers, one: ContentFound) -> bool:
    """Whether the alert is about the call, or its name alone counts as weighty."""
    return _is_own(known, one) or high_signal(one.event_source, one.event_name) is not None


def _is_own(known: Answers, one: ContentFound) -> bool:
    """Whether it is of the alert's own call."""
    if (known.alert.event_source, known.alert.event_name) == _api(one):
        return True
    return not {event.event_id for event in known.own}.isdisjoint(one.event_ids)
