"""Which services the principal called in the seven days to the alert.

Window [first_seen - 7 d, last_seen], both ends and the alert's own event included; a call logged
in two accounts counts once. Beyond the contract each service carries its count per day, whether
the principal (a role as a whole) used it before the alert's day, as far back as
`looked_back_to`, and why an intruder would value it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from msgspec.structs import replace

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Bar, Enrichment, Listing, ReportTable
from enrich.calls.acted_upon import acted_upon, in_words, name_of
from enrich.calls.calls_made import calls_made, earlier, evidence_caveats, made_before
from enrich.calls.calls_sql import midnight, newest_ids
from enrich.calls.of_other_sessions import all_of_others
from enrich.count import Count, Events
from enrich.data.found import Earlier
from enrich.data.services_used import NamedInEvents, ServicesUsed, ServiceUse, UseOnDay
from enrich.entity import by_identity_id, entity_match, namesakes_caveats
from enrich.facts.service_names import service_name
from enrich.facts.valuable_services import why_valuable
from enrich.kinds_logged import with_kinds
from enrich.window import NO_ONE, ONE_DAY, Looked, Window, days_before, has_no_window, iso, look
from enrich.words import listed, short
from trail.counted import counted
from trail.store import Store

NAME = "services_used"
QUESTION = "Which services were used in the 7 days to the alert?"
DAYS = 7
OF_EACH = 3
"""How many event ids stand beside each service: the newest of its newest calls."""

OF_ALL = 20
"""How many of the events that name an identity without calls are evidence, the newest."""


FEW = 10
"""With no more calls of its own than this, what others did to it is told beside them."""


def ask(alert: Alert, principal: Principal, store: Store) -> Answer:
    """The services used, most calls first."""
    without = has_no_window(alert)
    match = None if without else entity_match(alert, principal)
    whole = None if without else entity_match(alert, principal, scope="whole_role")
    if match is None or whole is None:
        return Answer(NAME, QUESTION, *(without or ("not_applicable", NO_ONE)), ServicesUsed())
    window = days_before(alert, DAYS)
    looked = look(alert, principal, store, window)
    match, queries = by_identity_id(match, store, window.first, window.last)

    made, replaced, query = calls_made(match, store, window)
    queries += (query,)
    total = sum(row["calls"] for row in made)
    looked = with_kinds(looked, total, store, window)
    status = looked.status(total)
    if status == "not_covered":
        sentence = (
            f"No logs of {looked.whose} are indexed for the {DAYS} days to the alert:"
            " add them to see the services used."
        )
        data = ServicesUsed(window_first=iso(window.first), window_last=iso(window.last))
        return Answer(NAME, QUESTION, status, sentence, data, (), looked.caveats(), queries)

    found, since, more = made_before(alert, whole, store, window)
    queries += more
    before = _Before(earlier(found, since, store, alert, principal), found)
    assert alert.first_seen is not None
    alert_day = midnight(alert.first_seen).date()
    services = _services(made, before, alert_day)
    evidence = tuple(newest_ids(made))
    others, more = all_of_others(match, principal, store, window) if total else ((), ())
    queries += more
    caveats = namesakes_caveats(match) + others + looked.caveats()
    caveats += evidence_caveats(evidence, sum(row["events"] for row in made))
    caveats += _thin(services, before.all)
    caveats += replaced
    data = ServicesUsed(
        namesakes=match.namesakes,
        window_first=iso(window.first),
        window_last=iso(window.last),
        total=total,
        services=services,
        failed=sum(row.failed for row in services),
        scope=match.scope,
        alert_day=f"{alert_day}",
        days=tuple(f"{day}" for day in _days(window)),
        looked_back_to=before.all.window_first,
        before=before.all,
    )
    events = Events(match.scope, window.first, window.last)
    sentence, counts = _sentence(services, events, looked)
    if total <= FEW and (name := name_of(principal)) is not None:
        named = acted_upon(name, store, window.first, window.last, seconds=1, about_identities=True)
        queries += named.queries
        caveats += named.caveats
        newest = tuple(row["event_id"] for row in named.newest[:OF_ALL])
        told = NamedInEvents(
            events=named.events, event_ids=newest, looked_from=iso(named.looked_from)
        )
        data = replace(data, acted_upon=told)
        if named.events:
            sentence = f"{sentence} {in_words(named, name)}"
            evidence = newest
    return Answer(NAME, QUESTION, status, sentence, data, evidence, caveats, queries, counts=counts)


class _Before:
    """Which services were used before the alert's day, if there is any history to say so from."""

    def __init__(self, everything: Earlier, calls: Iterable[Mapping[str, Any]]) -> None:
        self.all = everything
        self.services: dict[str, datetime] = {}
        for call in calls:
            source = call["event_source"] or ""
            self.services[source] = max(call["last"], self.services.get(source, call["last"]))

    def never(self, event_source: str) -> bool | None:
        return event_source not in self.services if self.services else None


def _services(
    made: Sequence[Mapping[str, Any]], before: _Before, alert_day: date
) -> tuple[ServiceUse, ...]:
    grouped: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in made:
        grouped[row["event_source"] or ""].append(row)
    services = [
        ServiceUse(
            event_source=source or None,
            service=service_name(source or None),
            count=sum(row["calls"] for row in rows),
            failed=sum(row["failed"] for row in rows),
            first=iso(min(row["first"] for row in rows)),
            last=iso(max(row["last"] for row in rows)),
            on_alert_day=sum(row["calls"] for row in rows if row["day"] >= alert_day),
            # The days of the week before the alert's are part of that time: they cannot disagree.
            never_before=before.never(source) and all(row["day"] >= alert_day for row in rows),
            last_before=iso(before.services.get(source)),
            event_ids=tuple(newest_ids(rows, OF_EACH)),
            valuable=why_valuable(source or None),
            days=_by_day(rows),
        )
        for source, rows in grouped.items()
    ]
    return tuple(sorted(services, key=lambda row: (-row.count, row.event_source or "")))


def _by_day(rows: Sequence[Mapping[str, Any]]) -> tuple[UseOnDay, ...]:
    days: dict[date, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        days[row["day"]].append(row)
    return tuple(
        UseOnDay(
            day=f"{day}",
            count=sum(row["calls"] for row in days[day]),
            failed=sum(row["failed"] for row in days[day]),
        )
        for day in sorted(days)
    )


def _sentence(
    services: Sequence[ServiceUse], events: Events, looked: Looked
) -> tuple[str, tuple[Count, ...]]:
    span = looked.span(f"the {DAYS} days to the alert", len(services))
    total = Count(events, number=sum(row.count for row in services))
    if not services:
        return f"No calls by this identity in {span}.", ()
    kinds = Count(events, number=len(services), noun="service", distinct="event_source")
    failed = Count(events.where(failed=True), number=sum(row.failed for row in services))
    of_each = [
        Count(events.where(event_source=row.event_source), row.event_ids, number=row.count)
        for row in services
    ]
    how = f", {failed.number:,} failed" if failed.number else ""
    how = ", all failed" if failed.number == total.number else how
    named = listed(
        f"{short(row.service)} {count.number:,}"
        for row, count in zip(services, of_each, strict=True)
    )
    sentence = f"{total} to {kinds} in {span}{how}: {named}."
    new = [short(row.service) for row in services if row.never_before]
    if new:
        sentence += f" Not used before the alert's day: {listed(new)}."
    return sentence, (total, kinds, failed, *of_each)


def _thin(services: Sequence[ServiceUse], before: Earlier) -> tuple[str, ...]:
    """A service is new only against a history that says so (§9)."""
    if before.sufficient or not any(row.never_before for row in services):
        return ()
    return (
        f"Insufficient history: {counted(before.events, 'event')} before the alert's day. That a"
        " service was not used before rests on little.",
    )


def _days(window: Window) -> list[date]:
    first, last = window.first.astimezone(UTC).date(), window.last.astimezone(UTC).date()
    return [first + ONE_DAY * number for number in range((last - first).days + 1)]


def _found(data: ServicesUsed) -> str:
    return counted(len(data.services), "service")


def _listing(data: ServicesUsed) -> Listing:
    return Listing(
        ("Service", "Calls", "Failed", "First", "Last"),
        [(row.service, row.count, row.failed, row.first, row.last) for row in data.services],
    )


def _bars(data: ServicesUsed) -> list[Bar]:
    return [
        Bar(row.service or str(row.event_source), str(row.event_source), row.count, row.failed)
        for row in data.services
    ]


SERVICES_USED = Enrichment(
    name=NAME,
    question=QUESTION,
    about="the services used",
    short="Services",
    window="7 days, to the alert",
    ask=ask,
    empty_data=ServicesUsed,
    found=_found,
    listing=_listing,
    report=(
        ReportTable(
            "services",
            (
                ("service", "Service"),
                ("event_source", "Source"),
                ("count", "Calls"),
                ("failed", "Failed"),
                ("first", "First"),
                ("last", "Last"),
            ),
        ),
    ),
    bar="service",
    bars=_bars,
    milliseconds=18,
)
