"""The inbox: every alert that came, once each, with its answers computed ahead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, get_args

from sqlalchemy import Connection, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from alerts.alert import Alert, Principal
from cases import audit, incidents, links, tables
from cases.database import Database
from cases.documents import alert_document, read_alert
from cases.errors import CaseRefused, NotFound
from cases.fingerprint import fingerprint
from cases.users import require
from trail.index.index_version import index_of

if TYPE_CHECKING:  # they bring DuckDB and pandas along, two seconds for the command line
    from enrich.verdict.chips import Way

AlertState = Literal["new", "in_case", "closed"]
"""`closed` is an alert whose case is closed; it is `new` again when it is seen later than that."""

Enrichment = Literal["pending", "running", "done", "failed"]

Sort = Literal[
    "severity",
    "last_seen",
    "first_seen",
    "first_arrival",
    "last_arrival",
    "account_id",
    "principal",
    "state",
    "title",
    "count",
]


@dataclass(frozen=True)
class Received:
    """What became of one arriving alert: its inbox id, and whether it was new."""

    id: str
    new: bool
    count: int


@dataclass(frozen=True)
class Badge:
    """One answer in a word and a sentence, for the queue. The sentence quotes logs."""

    principal: int
    name: str
    status: str
    sentence: str
    found: str | None = None
    """What the answer found, in a word or two that may quote logs; None in older ones."""
    way: Way | None = None
    """Which way that points: "for" a true positive, "against" it, or "neither"."""


@dataclass(frozen=True)
class QueuedAlert:
    """One row of the queue. Select it by `id`, never by its place."""

    id: str
    alert_id: str
    source: str
    sources: tuple[str, ...]
    title: str
    finding_type: str | None
    severity: float | None
    account_id: str | None
    region: str | None
    principal: str | None
    source_ip_address: str | None
    first_seen: datetime | None
    last_seen: datetime | None
    state: AlertState
    count: int
    first_arrival: datetime
    last_arrival: datetime
    sample: bool
    enrichment: Enrichment
    enrichment_error: str | None
    enriched_at: datetime | None
    index_version: str | None
    badges: tuple[Badge, ...] = ()
    case_ids: tuple[int, ...] = ()
    other_index: bool = False
    """The badges are another index's than the one that was asked for, which has given none."""


@dataclass(frozen=True)
class Queue:
    """A page of the queue, and how many alerts match in all."""

    alerts: tuple[QueuedAlert, ...]
    total: int


class Filters(TypedDict, total=False):
    """What the alerts of a queue have to match, each as far as it is given.

    `principal` and `text` match anywhere in it; `text` looks into title, finding type, alert id,
    principal and address.
    """

    states: Collection[AlertState]
    severity_at_least: float | None
    account_id: str | None
    principal: str | None
    text: str | None
    seen_since: datetime | None
    seen_until: datetime | None


@dataclass(frozen=True)
class Incident:
    """Alerts of one actor, in the order in which what they tell of began (`cases.incidents`)."""

    id: str
    """Stays the same while it grows, unless it is joined with an earlier one."""
    alerts: tuple[QueuedAlert, ...]
    lead: QueuedAlert
    """The alert to read first: of the highest severity, and of these with the most signs for."""
    elsewhere: tuple[int, ...] = ()
    """The cases that hold other alerts of it, which the filters leave out."""
    left_out: int = 0
    """How many alerts of it the filters leave out."""


@dataclass(frozen=True)
class Incidents:
    """A page of the queue by incidents, how many of them match in all, and how many alerts."""

    incidents: tuple[Incident, ...]
    total: int
    alerts: int


@dataclass(frozen=True)
class RelatedAlert:
    """An alert that shares an identity or a session, and how."""

    alert: QueuedAlert
    reason: str


def principal_label(principal: Principal) -> str:
    """The one text that a principal is listed and filtered by."""
    return (
        principal.arn
        or principal.user_name
        or principal.principal_id
        or principal.access_key_id
        or principal.type
    )


# Arrival


def receive(database: Database, actor: str, arrived: Iterable[Alert]) -> list[Received]:
    """What became of each alert, in order. All of them are kept, or none."""
    with database.write() as connection:
        require(connection, actor, "work")
        return [_receive_one(connection, database.now(), alert) for alert in arrived]


def _receive_one(connection: Connection, now: datetime, alert: Alert) -> Received:
    alert_id = fingerprint(alert)
    row = connection.execute(
        select(tables.alerts).where(tables.alerts.c.id == alert_id)
    ).one_or_none()
    if row is None:
        connection.execute(
            insert(tables.alerts).values(
                id=alert_id,
                sources=[alert.source],
                state="new",
                count=1,
                first_arrival=now,
                last_arrival=now,
                enrichment="pending",
                incident=alert_id,
                **_columns(alert),
            )
        )
        add_links(connection, alert_id, links.alert_links(alert))
        incidents.join_it(connection, alert_id)
        return Received(alert_id, True, 1)

    count: int = row._mapping["count"] + 1  # a row is a tuple, whose own `count` is a method
    known = read_alert(row.parsed, row.raw)
    merged = _merge(known, alert)
    changes: dict[str, Any] = {
        "sources": sorted({*row.sources, alert.source}),
        "count": count,
        "last_arrival": now,
        **_columns(merged),
    }
    window_moved = (merged.first_seen, merged.last_seen) != (known.first_seen, known.last_seen)
    if window_moved or merged.principals != known.principals:
        changes["enrichment"] = "pending"
    seen_later = merged.last_seen is not None and (
        known.last_seen is None or merged.last_seen > known.last_seen
    )
    if row.state == "closed" and seen_later:
        changes["state"] = "new"
    connection.execute(
        update(tables.alerts).where(tables.alerts.c.id == alert_id).values(**changes)
    )
    add_links(connection, alert_id, links.alert_links(merged))
    incidents.join_it(connection, alert_id)
    return Received(alert_id, False, count)


def _merge(known: Alert, arrived: Alert) -> Alert:
    """The finding with the widest window, worded as its best source words it last."""
    older_form = known.source == "guardduty" and arrived.source != "guardduty"
    stale = (
        known.source == arrived.source
        and known.last_seen is not None
        and arrived.last_seen is not None
        and arrived.last_seen < known.last_seen
    )
    kept = known if older_form or stale else arrived
    other = arrived if kept is known else known
    # A time that the finding states counts alone, beside one that is a fall-back or in question.
    sure = [one for one in (kept, other) if one.time_is_sure]
    timed = sure or [kept, other]
    firsts = [one.first_seen for one in timed if one.first_seen is not None]
    lasts = [one.last_seen for one in timed if one.last_seen is not None]
    asked = other if kept.first_seen is None else kept
    return replace(
        kept,
        time_is_fallback=not sure and asked.time_is_fallback,
        time_question=None if sure else asked.time_question,
        unread_times=() if sure else asked.unread_times,
        first_seen=min(firsts, default=None),
        last_seen=max(lasts, default=None),
        severity=other.severity if kept.severity is None else kept.severity,
        principals=kept.principals or other.principals,
    )


def _columns(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.id,
        "source": alert.source,
        "title": alert.title,
        "finding_type": alert.finding_type,
        "severity": alert.severity,
        "account_id": alert.account_id,
        "region": alert.region,
        "principal": principal_label(alert.principals[0]) if alert.principals else None,
        "source_ip_address": alert.source_ip_address,
        "first_seen": alert.first_seen,
        "last_seen": alert.last_seen,
        "sample": alert.sample,
        "raw": alert.raw,
        "parsed": alert_document(alert),
    }


def add_links(connection: Connection, alert_id: str, found: set[links.Link]) -> None:
    """Keep the links that are not kept yet."""
    present = {
        (row.kind, row.value)
        for row in connection.execute(
            select(tables.alert_links).where(tables.alert_links.c.alert_id == alert_id)
        )
    }
    new = [
        {"alert_id": alert_id, "kind": kind, "value": value}
        for kind, value in sorted(found - present)
    ]
    if new:
        connection.execute(insert(tables.alert_links), new)


def delete_alert(database: Database, actor: str, alert_id: str) -> None:
    """Take an alert that no case holds out of the inbox (a lead's right, and audited)."""
    with database.write() as connection:
        require(connection, actor, "delete")
        row = alert_row(connection, alert_id)
        held = connection.execute(
            select(tables.case_alerts.c.case_id)
            .where(tables.case_alerts.c.alert_id == alert_id)
            .limit(1)
        ).scalar()
        if held is not None:
            raise CaseRefused(f"Alert {alert_id} belongs to case {held} and stays with it.")
        connection.execute(delete(tables.alerts).where(tables.alerts.c.id == alert_id))
        audit.append(
            database,
            connection,
            actor,
            "alert deleted",
            before={"alert": {"id": alert_id, "parsed": row.parsed, "raw": row.raw}},
        )


# Reading


def alert_row(connection: Connection, alert_id: str) -> Any:
    """The alert's whole row."""
    row = connection.execute(
        select(tables.alerts).where(tables.alerts.c.id == alert_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no alert {alert_id!r} in the inbox. Look it up in the queue.")
    return row


def read_one(connection: Connection, alert_id: str) -> Alert:
    """The alert of that inbox id."""
    row = alert_row(connection, alert_id)
    return read_alert(row.parsed, row.raw)


def get_alert(database: Database, alert_id: str) -> Alert:
    """The alert of that inbox id, as it was parsed."""
    with database.read() as connection:
        return read_one(connection, alert_id)


_QUEUE_COLUMNS = [
    column for column in tables.alerts.c if column.name not in ("raw", "parsed", "incident")
]


def queue(
    database: Database,
    *,
    sort: Sort = "severity",
    descending: bool = True,
    limit: int = 100,
    offset: int = 0,
    index_id: str | None = None,
    **filters: Unpack[Filters],
) -> Queue:
    """The alerts that match every given filter.

    Alerts without a value for the sort key come last, whichever the order. Badges are those of
    the index `index_id` where it has given any, else of the one that answered last.
    """
    if sort not in get_args(Sort):
        raise CaseRefused(f"The queue cannot be sorted by {sort!r}.")
    at = tables.alerts.c
    wanted = _wanted(filters)
    key = at[sort]
    order = (key.desc() if descending else key.asc()).nulls_last()
    with database.read() as connection:
        total = connection.execute(
            select(func.count()).select_from(tables.alerts).where(wanted)
        ).scalar_one()
        rows = connection.execute(
            select(*_QUEUE_COLUMNS)
            .where(wanted)
            .order_by(order, at.last_seen.desc().nulls_last(), at.id)
            .limit(limit)
            .offset(offset)
        ).all()
        return Queue(_queued(connection, rows, index_id), total)


def by_incident(
    database: Database,
    *,
    sort: Sort | None = None,
    descending: bool = True,
    limit: int = 25,
    offset: int = 0,
    index_id: str | None = None,
    **filters: Unpack[Filters],
) -> Incidents:
    """The alerts that match every given filter, those of one actor together.

    Without a sort key what most needs a reader comes first: the highest severity in words (critical
    from 9, high from 7, medium from 4), then the most answers that speak for a true positive.
    With one, each incident counts by its greatest value, or its least where that comes first.
    """
    at, of = tables.alerts.c, tables.answers.c
    wanted = _wanted(filters)
    signs = (
        select(of.alert_id, func.count(func.distinct(of.name)).label("signs"))
        .where(of.way == "for", of.principal == 0)
        .group_by(of.alert_id)
        .subquery()
    )
    newest = func.max(at.last_seen).desc().nulls_last()
    if sort is None:
        most = func.max(at.severity)
        band = case((most >= 9, 3), (most >= 7, 2), (most >= 4, 1), else_=0)
        in_all = func.sum(func.coalesce(signs.c.signs, 0))
        order = [band.desc(), in_all.desc(), most.desc().nulls_last()]
    elif descending:
        order = [func.max(at[sort]).desc().nulls_last()]
    else:
        order = [func.min(at[sort]).asc().nulls_last()]
    with database.read() as connection:
        total, alerts = connection.execute(
            select(func.count(func.distinct(at.incident)), func.count()).where(wanted)
        ).one()
        chosen = (
            connection.execute(
                select(at.incident)
                .select_from(tables.alerts.outerjoin(signs, signs.c.alert_id == at.id))
                .where(wanted)
                .group_by(at.incident)
                .order_by(*order, newest, at.incident)
                .limit(limit)
                .offset(offset)
            )
            .scalars()
            .all()
        )
        rows = connection.execute(
            select(*_QUEUE_COLUMNS, at.incident, wanted.label("wanted"))
            .where(at.incident.in_(chosen))
            .order_by(func.coalesce(at.first_seen, at.first_arrival), at.id)
        ).all()
        matching = [row for row in rows if row.wanted]
        shown = {alert.id: alert for alert in _queued(connection, matching, index_id)}
        held = _held(connection, [row.id for row in rows if not row.wanted])
    members: dict[str, list[Any]] = {}
    for row in rows:
        members.setdefault(row.incident, []).append(row)
    return Incidents(tuple(_incident(members[one], shown, held) for one in chosen), total, alerts)


def _incident(
    rows: Sequence[Any], shown: Mapping[str, QueuedAlert], held: Mapping[str, Sequence[int]]
) -> Incident:
    alerts = tuple(shown[row.id] for row in rows if row.wanted)
    others = [row.id for row in rows if not row.wanted]
    return Incident(
        rows[0].incident,
        alerts,
        max(alerts, key=lambda one: (one.severity or 0.0, signs_for(one))),
        tuple(sorted({number for one in others for number in held.get(one, ())})),
        len(others),
    )


def signs_for(alert: QueuedAlert) -> int:
    """How many of its answers speak for a true positive."""
    return sum(badge.way == "for" for badge in alert.badges if badge.principal == 0)


def _wanted(filters: Filters) -> ColumnElement[bool]:
    at = tables.alerts.c
    wanted: list[ColumnElement[bool]] = []
    if states := filters.get("states"):
        wanted.append(at.state.in_(list(states)))
    if (least := filters.get("severity_at_least")) is not None:
        wanted.append(at.severity >= least)
    if account_id := filters.get("account_id"):
        wanted.append(at.account_id == account_id)
    if principal := filters.get("principal"):
        wanted.append(func.lower(at.principal).contains(principal.lower(), autoescape=True))
    if (since := filters.get("seen_since")) is not None:
        wanted.append(at.last_seen >= since)
    if (until := filters.get("seen_until")) is not None:
        wanted.append(at.last_seen <= until)
    if text := filters.get("text"):
        wanted.append(
            or_(
                *(
                    func.lower(column).contains(text.lower(), autoescape=True)
                    for column in (
                        at.title,
                        at.finding_type,
                        at.alert_id,
                        at.id,
                        at.principal,
                        at.source_ip_address,
                    )
                )
            )
        )
    return and_(True, *wanted)


def queued_alert(database: Database, alert_id: str, index_id: str | None = None) -> QueuedAlert:
    """One alert as the queue shows it."""
    with database.read() as connection:
        rows = connection.execute(
            select(*_QUEUE_COLUMNS).where(tables.alerts.c.id == alert_id)
        ).all()
        if not rows:
            raise NotFound(f"There is no alert {alert_id!r} in the inbox. Look it up in the queue.")
        return _queued(connection, rows, index_id)[0]


def queued_rows(
    connection: Connection, alert_ids: Collection[str], index_id: str | None = None
) -> tuple[QueuedAlert, ...]:
    """These alerts as the queue shows them, oldest arrival first."""
    rows = connection.execute(
        select(*_QUEUE_COLUMNS)
        .where(tables.alerts.c.id.in_(list(alert_ids)))
        .order_by(tables.alerts.c.first_arrival, tables.alerts.c.id)
    ).all()
    return _queued(connection, rows, index_id)


def _queued(
    connection: Connection, rows: Sequence[Any], index_id: str | None = None
) -> tuple[QueuedAlert, ...]:
    ids = [row.id for row in rows]
    badges: dict[str, dict[str, list[Badge]]] = {}  # alert → index → badges
    for row in connection.execute(
        select(
            tables.answers.c.alert_id,
            tables.answers.c.index_id,
            tables.answers.c.principal,
            tables.answers.c.name,
            tables.answers.c.status,
            tables.answers.c.sentence,
            tables.answers.c.found,
            tables.answers.c.way,
        )
        .where(tables.answers.c.alert_id.in_(ids))
        .order_by(tables.answers.c.principal, tables.answers.c.position)
    ):
        badge = Badge(row.principal, row.name, row.status, row.sentence, row.found, row.way)
        of_alert = badges.setdefault(row.alert_id, {})
        of_alert.setdefault(row.index_id, []).append(badge)
    held = _held(connection, ids)
    return tuple(
        QueuedAlert(
            **{
                **{column.name: row._mapping[column.name] for column in _QUEUE_COLUMNS},
                "sources": tuple(row.sources),
                **_answers_shown(row, badges.get(row.id, {}), index_id),
                "case_ids": tuple(held.get(row.id, ())),
            }
        )
        for row in rows
    )


def _held(connection: Connection, ids: Collection[str]) -> dict[str, list[int]]:
    """Alert → the cases that hold it."""
    of = tables.case_alerts.c
    held: dict[str, list[int]] = {}
    for row in connection.execute(
        select(of.alert_id, of.case_id).where(of.alert_id.in_(list(ids))).order_by(of.case_id)
    ):
        held.setdefault(row.alert_id, []).append(row.case_id)
    return held


def _answers_shown(
    row: Any, badges: Mapping[str, Sequence[Badge]], index_id: str | None
) -> dict[str, Any]:
    last = index_of(row.index_version or "")
    if index_id is not None and index_id in badges:
        # What became of it when another index was asked is not this one's.
        own = {} if last == index_id or row.enrichment != "failed" else {"enrichment": "done"}
        return {"badges": tuple(badges[index_id]), **own}
    chosen = badges.get(last) or next(iter(badges.values()), ())
    return {"badges": tuple(chosen), "other_index": index_id is not None and bool(chosen)}


def related_alerts(database: Database, alert_id: str, limit: int = 50) -> list[RelatedAlert]:
    """Alerts of the same principal, the same session, or sessions linked by a chain.

    Strongest reason first, then latest seen.
    """
    mine, other = tables.alert_links.alias("mine"), tables.alert_links.alias("other")
    at = tables.alerts.c
    strength = list(links.REASONS.values())
    with database.read() as connection:
        alert_row(connection, alert_id)
        kinds: dict[str, set[str]] = {}
        seen: dict[str, datetime] = {}
        for row in connection.execute(
            select(
                other.c.alert_id,
                mine.c.kind.label("here"),
                other.c.kind.label("there"),
                at.last_seen,
                at.first_arrival,
            )
            .join(other, other.c.value == mine.c.value)
            .join(tables.alerts, at.id == other.c.alert_id)
            .where(
                mine.c.alert_id == alert_id,
                other.c.alert_id != alert_id,
                mine.c.kind.in_(links.REASONS),
                other.c.kind.in_(links.REASONS),
            )
        ):
            shared = "chain" if "chain" in (row.here, row.there) else row.here
            kinds.setdefault(row.alert_id, set()).add(shared)
            seen[row.alert_id] = row.last_seen or row.first_arrival
        reasons = {one: links.reason_of(found) for one, found in kinds.items()}
        # Latest first, then, since sorting keeps that order, the strongest reason first.
        order = sorted(reasons, key=lambda one: (seen[one], one), reverse=True)
        order.sort(key=lambda one: strength.index(reasons[one]))
        shown = {alert.id: alert for alert in queued_rows(connection, order[:limit])}
    return [RelatedAlert(shown[one], reasons[one]) for one in order[:limit]]
