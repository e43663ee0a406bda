"""Which services the principal called in the seven days to the alert.

Window [first_seen - 7 d, last_seen], both ends and the alert's own event included; a call logged
in two accounts counts once. Beyond the contract each service carries its count per day, whether
the principal (a role as a whole) used it before the alert's day, as far back as
`looked_back_to`, and why an intruder would value it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Enrichment
from enrich.calls_sql import bounds, calls_in, counted_calls
from enrich.entity import Match, by_identity_id, entity_match
from enrich.newest import Found, Groups, newest_events, newest_of_each
from enrich.service_names import service_name
from enrich.valuable_services import why_valuable
from enrich.window import NO_ONE, ONE_DAY, Window, days_before, iso, look, why_not_looked_up
from enrich.words import counted, listed, short
from trail.store import Query, Store

NAME = "services_used"
QUESTION = "Which services were used in the 7 days to the alert?"
DAYS = 7
LOOK_BACK = timedelta(days=35)
"""How far before the window a service may last have been used and still be "used before": past
the last run of a monthly job."""
EVIDENCE = 200
OF_EACH = 3
"""How many event ids stand beside each service: the newest of its last day."""


def empty_data() -> Mapping[str, Any]:
    return {
        "from": None,
        "to": None,
        "total": None,
        "services": [],
        "failed": None,
        "scope": None,
        "alert_day": None,
        "days": [],
        "looked_back_to": None,
    }


def ask(alert: Alert, principal: Principal, store: Store) -> Answer:
    """The services used, most calls first."""
    reason = why_not_looked_up(alert)
    match = None if reason else entity_match(alert, principal)
    whole = None if reason else entity_match(alert, principal, scope="whole_role")
    if match is None or whole is None:
        return Answer(NAME, QUESTION, "not_applicable", reason or NO_ONE, empty_data())
    window = days_before(alert, DAYS)
    looked = look(alert, principal, store, window)
    match, queries = by_identity_id(match, store, window.first, window.last)

    by_day, query = _calls_by_day(match, store, window)
    queries += (query,)
    total = sum(row["calls"] for row in by_day)
    status = looked.status(total)
    data = dict(empty_data()) | {"from": iso(window.first), "to": iso(window.last)}
    if status == "not_covered":
        sentence = (
            f"No logs of {looked.whose} are indexed for the {DAYS} days to the alert:"
            " add them to see the services used."
        )
        return Answer(NAME, QUESTION, status, sentence, data, (), looked.caveats(), queries)

    assert alert.first_seen is not None
    alert_day = alert.first_seen.astimezone(UTC).date()
    before, more = _used_before(whole, store, window, alert_day)
    queries += more
    evidence, of_each, more = _event_ids(match, store, by_day)
    queries += more
    services = _services(by_day, before, alert_day, of_each)
    caveats = looked.caveats()
    if len(evidence) == EVIDENCE < total:
        caveats += (f"The evidence lists the {EVIDENCE} newest of {total:,} events.",)
    data |= {
        "total": total,
        "failed": sum(row["failed"] for row in services),
        "services": services,
        "scope": match.scope,
        "alert_day": f"{alert_day}",
        "days": [f"{day}" for day in _days(window)],
        "looked_back_to": iso(before.since),
    }
    sentence = _sentence(total, services, complete=looked.coverage.status == "covered")
    return Answer(NAME, QUESTION, status, sentence, data, evidence, caveats, queries)


class _Before:
    """Which services were used before the alert's day, if there is any history to say so from."""

    def __init__(self, since: datetime, services: Mapping[str, datetime]) -> None:
        self.since = since
        self.services = services

    def never(self, event_source: str) -> bool | None:
        return event_source not in self.services if self.services else None


def _calls_by_day(match: Match, store: Store, window: Window) -> tuple[list[dict[str, Any]], Query]:
    found = store.query(
        counted_calls(
            {"event_source": "coalesce(event_source, '')", "day": "day"},
            {"failed": "failed"},
            calls_in(match.sql),
        ),
        {**match.parameters, **bounds(match.sql, window)},
        first=window.first,
        last=window.last,
    )
    return found.rows, found.query


def _used_before(
    match: Match, store: Store, window: Window, alert_day: date
) -> tuple[_Before, tuple[Query, ...]]:
    before = Window(window.first - LOOK_BACK, datetime.combine(alert_day, time(), UTC))
    match, queries = by_identity_id(match, store, before.first, before.last, only=True)
    found = store.query(
        f"""
        select coalesce(event_source, '') as event_source, max(last_time) as last
        from {calls_in(match.sql, open_end=True)} as calls
        group by 1
        """,
        {**match.parameters, **bounds(match.sql, before)},
        first=before.first,
        last=before.last,
    )
    services = {row["event_source"]: row["last"] for row in found.rows}
    return _Before(before.first, services), (*queries, found.query)


def _event_ids(
    match: Match, store: Store, by_day: list[dict[str, Any]]
) -> tuple[tuple[str, ...], dict[str, list[str]], tuple[Query, ...]]:
    """The newest event ids of all, and those of each service's last day."""
    found = {
        (row["event_source"], row["day"]): Found(row["events"], row["first"], row["last"])
        for row in by_day
    }
    newest, queries = newest_events(
        store, match.sql, match.parameters, list(found.values()), EVIDENCE
    )
    last_days = {source: day for source, day in sorted(found)}
    of_each, more = newest_of_each(
        store,
        match.sql,
        match.parameters,
        _LAST_DAYS,
        {key: found[key] for key in last_days.items()},
        newest,
    )
    return (
        tuple(row["event_id"] for row in newest),
        {source: of_each[source, day] for source, day in last_days.items()},
        queries + more,
    )


_LAST_DAYS = Groups(
    OF_EACH,
    lambda row: (row["event_source"] or "", row["event_time"].date()),
    "event_source",
    "event_source, cast(event_time as date)",
)


def _services(
    by_day: list[dict[str, Any]],
    before: _Before,
    alert_day: date,
    event_ids: Mapping[str, list[str]],
) -> list[dict[str, Any]]:
    grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in by_day:
        grouped[row["event_source"]].append(row)
    services = [
        {
            "event_source": source or None,
            "service": service_name(source or None),
            "count": sum(row["calls"] for row in rows),
            "failed": sum(row["failed"] for row in rows),
            "first": iso(min(row["first"] for row in rows)),
            "last": iso(max(row["last"] for row in rows)),
            "on_alert_day": sum(row["calls"] for row in rows if row["day"] >= alert_day),
            "never_before": before.never(source),
            "last_before": iso(before.services.get(source)),
            "event_ids": event_ids[source],
            "valuable": why_valuable(source or None),
            "days": [
                {"day": f"{row['day']}", "count": row["calls"], "failed": row["failed"]}
                for row in sorted(rows, key=lambda row: row["day"])
            ],
        }
        for source, rows in grouped.items()
    ]
    return sorted(services, key=lambda row: (-row["count"], row["event_source"] or ""))


def _sentence(total: int, services: list[dict[str, Any]], *, complete: bool) -> str:
    span = f"the {DAYS} days to the alert"
    if not total:
        part = "" if complete else "the indexed part of "
        return f"No calls by this identity in {part}{span}."
    failed = sum(row["failed"] for row in services)
    how = ", all failed" if failed == total else f", {failed:,} failed" if failed else ""
    counts = listed(f"{short(row['service'])} {row['count']:,}" for row in services)
    sentence = (
        f"{counted(total, 'call')} to {counted(len(services), 'service')} in {span}{how}: {counts}."
    )
    new = [short(row["service"]) for row in services if row["never_before"]]
    if new:
        sentence += f" Not used before the alert's day: {listed(new)}."
    return sentence


def _days(window: Window) -> list[date]:
    first, last = window.first.astimezone(UTC).date(), window.last.astimezone(UTC).date()
    return [first + ONE_DAY * number for number in range((last - first).days + 1)]


SERVICES_USED = Enrichment(NAME, QUESTION, ask, empty_data)
