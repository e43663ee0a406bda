"""A case: one or more alerts, worked on by people, ending in a verdict with its reason.

open → investigating → closed → (reopened) investigating. Fields that people edit are saved with
the version they had open; what is only ever added (notes, alerts, evidence) needs none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack, get_args

from sqlalchemy import Connection, Text, and_, func, insert, or_, select, type_coerce, update
from sqlalchemy import case as sa_case
from sqlalchemy.sql.elements import ColumnElement

from cases import audit, lengths, tables
from cases.canonical import canonical
from cases.change import (
    REOPENED,
    apply,
    case_fields,
    case_row,
    find_conflict,
    refuse_if_closed,
    refuse_if_sealed,
)
from cases.database import Database
from cases.errors import CaseRefused
from cases.evidence import Evidence, freeze_alert, read_evidence
from cases.inbox import QueuedAlert, queued_rows
from cases.review import put_up_for_review
from cases.settings import Settings
from cases.users import may_be_given_work, require

State = Literal["open", "investigating", "closed"]
Verdict = Literal["true_positive", "benign", "false_positive", "undetermined"]
Severity = Literal["unknown", "low", "medium", "high", "critical"]
Review = Literal["none", "requested", "returned", "approved"]

STATES: tuple[State, ...] = get_args(State)
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

EDITABLE = frozenset({"title", "summary", "severity", "verdict", "reason", "tags", "owner"})


@dataclass(frozen=True)
class Case:
    """A case's own fields. Every text in it may quote a log."""

    id: int
    version: int
    title: str
    summary: str
    state: State
    owner: str | None
    severity: Severity
    verdict: Verdict | None
    reason: str
    tags: tuple[str, ...]
    opened_at: datetime
    opened_by: str
    triaged_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    reopened: int
    review: Review
    review_reasons: tuple[str, ...]
    reviewer: str | None
    review_comment: str
    reviewed_at: datetime | None
    seal: str | None


@dataclass(frozen=True)
class Note:
    """Something written into a case. Notes are never changed; a correction is another note."""

    id: int
    author: str
    written_at: datetime
    text: str


@dataclass(frozen=True)
class CaseFile:
    """A case with everything in it, as of one moment."""

    case: Case
    alerts: tuple[QueuedAlert, ...]
    notes: tuple[Note, ...]
    evidence: tuple[Evidence, ...]
    history: tuple[audit.AuditEntry, ...]
    head: audit.Head


def severity_of(score: float | None) -> Severity:
    """GuardDuty's words for its scale of 1 to 10."""
    if score is None:
        return "unknown"
    if score >= 9:
        return "critical"
    if score >= 7:
        return "high"
    return "medium" if score >= 4 else "low"


def _case(row: Any) -> Case:
    return Case(
        **{
            **row._mapping,
            "tags": tuple(row.tags),
            "review_reasons": tuple(row.review_reasons),
        }
    )


# Reading


def get_case(database: Database, case_id: int) -> Case:
    """The case's own fields."""
    with database.read() as connection:
        return _case(case_row(connection, case_id))


def case_file(database: Database, case_id: int, index_id: str | None = None) -> CaseFile:
    """The case with its alerts, notes, evidence and history. The alerts' answers are those of the
    index `index_id` where it has given any.
    """
    with database.read() as connection:
        case = _case(case_row(connection, case_id))
        alert_ids = connection.execute(
            select(tables.case_alerts.c.alert_id).where(tables.case_alerts.c.case_id == case_id)
        ).scalars()
        return CaseFile(
            case=case,
            alerts=queued_rows(connection, list(alert_ids), index_id),
            notes=tuple(
                Note(row.id, row.author, row.written_at, row.text)
                for row in connection.execute(
                    select(tables.notes)
                    .where(tables.notes.c.case_id == case_id)
                    .order_by(tables.notes.c.id)
                )
            ),
            evidence=tuple(read_evidence(connection, case_id)),
            history=tuple(audit.read_history(connection, case_id)),
            head=audit.read_head(connection),
        )


class Filters(TypedDict, total=False):
    """What cases are found by: all that is given and not empty must fit."""

    states: Collection[State]
    owner: str | None
    verdicts: Collection[Verdict]
    severities: Collection[Severity]
    reviews: Collection[Review]
    tag: str | None
    """One whole tag."""
    text: str | None
    """In title, summary or reason, whatever its case."""


Order = Literal["case", "severity", "title", "verdict", "owner", "opened"]


def find_cases(
    database: Database,
    *,
    order: Order = "case",
    up: bool = False,
    offset: int = 0,
    limit: int = 1000,
    **filters: Unpack[Filters],
) -> list[Case]:
    """`limit` of the cases that match every given filter, from number `offset` on: newest first, or
    by another column, where equal ones stand newest first.
    """
    by = _ORDERS[order]
    statement = (
        select(tables.cases)
        .where(and_(True, *_conditions(filters)))
        .order_by(by.asc() if up else by.desc(), tables.cases.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    with database.read() as connection:
        return [_case(row) for row in connection.execute(statement)]


def count_cases(database: Database, **filters: Unpack[Filters]) -> dict[State, int]:
    """How many cases match every given filter, by state; states without any are left out."""
    state = tables.cases.c.state
    statement = select(state, func.count()).where(and_(True, *_conditions(filters)))
    with database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(statement.group_by(state))}


_ORDERS: Mapping[Order, ColumnElement[Any]] = {
    "case": tables.cases.c.id,
    "severity": sa_case(
        *((tables.cases.c.severity == name, rank) for rank, name in enumerate(SEVERITIES)), else_=0
    ),
    "title": func.lower(tables.cases.c.title),
    "verdict": func.coalesce(tables.cases.c.verdict, ""),
    "owner": func.lower(func.coalesce(tables.cases.c.owner, "")),
    "opened": tables.cases.c.opened_at,
}


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    of = tables.cases.c
    wanted: list[ColumnElement[bool]] = [
        column.in_(list(values))
        for column, values in (
            (of.state, filters.get("states")),
            (of.verdict, filters.get("verdicts")),
            (of.severity, filters.get("severities")),
            (of.review, filters.get("reviews")),
        )
        if values
    ]
    if owner := filters.get("owner"):
        wanted.append(of.owner == owner)
    if (tag := filters.get("tag")) is not None:
        # A list of texts as canonical JSON: a quote within one is escaped, so that one right after
        # a bracket or a comma begins a tag. LIKE would not tell upper from lower case.
        listed = type_coerce(of.tags, Text)
        whole = [f"{before}{canonical(tag)}" for before in "[,"]
        wanted.append(or_(*(func.replace(listed, one, "") != listed for one in whole)))
    if text := filters.get("text"):
        wanted.append(
            or_(
                *(
                    func.lower(column).contains(text.lower(), autoescape=True)
                    for column in (of.title, of.summary, of.reason)
                )
            )
        )
    return wanted


# Opening, and adding to


def open_case(
    database: Database,
    actor: str,
    alert_ids: Sequence[str],
    *,
    title: str | None = None,
    take: bool = True,
) -> Case:
    """The new case, owned by the actor unless they do not `take` it."""
    if not alert_ids:
        raise CaseRefused("A case needs at least one alert.")
    with database.write() as connection:
        require(connection, actor, "work")
        alerts = {alert.id: alert for alert in queued_rows(connection, alert_ids)}
        scores = [a.severity for a in alerts.values() if a.severity is not None]
        now = database.now()
        first = alerts.get(alert_ids[0])
        fields: dict[str, Any] = {
            "version": 1,
            "title": title or (first.title if first else "") or "Untitled",
            "summary": "",
            "state": "open",
            "owner": actor if take else None,
            "severity": severity_of(max(scores, default=None)),
            "verdict": None,
            "reason": "",
            "tags": [],
            "opened_at": now,
            "opened_by": actor,
            "triaged_at": now if take else None,
            "reopened": 0,
            "review": "none",
            "review_reasons": [],
            "review_comment": "",
        }
        case_id: int = connection.execute(
            insert(tables.cases).values(**fields).returning(tables.cases.c.id)
        ).scalar_one()
        row = case_row(connection, case_id)
        audit.append(
            database,
            connection,
            actor,
            "case opened",
            case_id=case_id,
            case_version=1,
            after={"case": case_fields(row)},
        )
        for alert_id in dict.fromkeys(alert_ids):
            row = case_row(connection, case_id)
            _add_alert(database, connection, actor, row, alert_id, takes_ownership=take)
        return _case(case_row(connection, case_id))


def add_alert(database: Database, actor: str, case_id: int, alert_id: str) -> Case:
    """The case with one more alert; adding one that it has already changes nothing."""
    with database.write() as connection:
        require(connection, actor, "work")
        row = case_row(connection, case_id)
        refuse_if_closed(row)
        _add_alert(database, connection, actor, row, alert_id)
        return _case(case_row(connection, case_id))


def _add_alert(
    database: Database,
    connection: Connection,
    actor: str,
    row: Any,
    alert_id: str,
    *,
    takes_ownership: bool = True,
) -> None:
    links = tables.case_alerts
    holders = connection.execute(
        select(links.c.case_id, tables.cases.c.state)
        .join(tables.cases, tables.cases.c.id == links.c.case_id)
        .where(links.c.alert_id == alert_id)
    ).all()
    for holder in holders:
        if holder.case_id == row.id:
            return
        if holder.state != "closed":
            raise CaseRefused(
                f"Alert {alert_id} is in case {holder.case_id}, which is {holder.state}. Work"
                " there, or close it first."
            )
    frozen = freeze_alert(database, connection, actor, row.id, alert_id)
    connection.execute(
        insert(links).values(
            case_id=row.id, alert_id=alert_id, added_at=database.now(), added_by=actor
        )
    )
    connection.execute(
        update(tables.alerts).where(tables.alerts.c.id == alert_id).values(state="in_case")
    )
    apply(
        database,
        connection,
        actor,
        row,
        "alert added",
        {},
        after={"alert": {"id": alert_id}, "evidence": [frozen]},
        takes_ownership=takes_ownership,
    )


def add_note(database: Database, actor: str, case_id: int, text: str) -> Note:
    """The note, kept for good. Two people may write at once."""
    if not text.strip():
        raise CaseRefused("The note is empty.")
    lengths.refuse_longer("The note", text, lengths.TEXT)
    with database.write() as connection:
        require(connection, actor, "work")
        row = case_row(connection, case_id)
        refuse_if_sealed(row)
        now = database.now()
        note_id: int = connection.execute(
            insert(tables.notes)
            .values(case_id=case_id, author=actor, written_at=now, text=text)
            .returning(tables.notes.c.id)
        ).scalar_one()
        note = {"id": note_id, "author": actor, "written_at": now, "text": text}
        # A closed case's discussion makes nobody its owner or its analyst.
        working = row.state != "closed"
        apply(
            database,
            connection,
            actor,
            row,
            "note added",
            {"state": "investigating"} if row.state == "open" else {},
            after={"note": note},
            takes_ownership=working,
        )
    return Note(note_id, actor, now, text)


# Editing


def save_case(
    database: Database, actor: str, case_id: int, version: int, changes: Mapping[str, Any]
) -> Case:
    """The case with these fields changed, if it is still at the version the actor had open.

    Raises `CaseConflict` with both texts otherwise. `changes` may hold every field of a form:
    only those that differ are saved.
    """
    return _save(database, actor, case_id, version, changes, "case saved")


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(changes) - EDITABLE
    if unknown:
        raise CaseRefused(f"These are no fields to edit: {', '.join(sorted(unknown))}.")
    checked = dict(changes)
    if checked.get("verdict") not in (None, *VERDICTS):
        raise CaseRefused(f"{checked['verdict']!r} is no verdict: choose {', '.join(VERDICTS)}.")
    if "severity" in checked and checked["severity"] not in SEVERITIES:
        raise CaseRefused(f"{checked['severity']!r} is no severity.")
    if "title" in checked and not str(checked["title"]).strip():
        raise CaseRefused("A case needs a title.")
    if "tags" in checked:
        checked["tags"] = sorted({str(tag).strip() for tag in checked["tags"]} - {""})
    return checked


def _save(
    database: Database,
    actor: str,
    case_id: int,
    version: int,
    changes: Mapping[str, Any],
    action: str,
    state: State | None = None,
    settings: Settings | None = None,
    index_id: str | None = None,
) -> Case:
    wanted = _checked(changes)
    with database.write() as connection:
        require(connection, actor, "work")
        row = case_row(connection, case_id)
        refuse_if_sealed(row)
        _refuse_longer({n: v for n, v in wanted.items() if row._mapping[n] != v})
        conflict = find_conflict(
            database,
            connection,
            actor,
            row,
            version,
            {**wanted, "state": state} if state else wanted,
        )
        if conflict is None:
            refuse_if_closed(row)
            if wanted.get("owner") is not None:
                may_be_given_work(connection, str(wanted["owner"]))
            _save_fields(database, connection, actor, row, wanted, action, state)
            if state == "closed":
                _set_alerts(connection, case_id, "closed")
                closed = case_row(connection, case_id)
                put_up_for_review(
                    database, connection, actor, closed, settings or Settings(), index_id
                )
            case = _case(case_row(connection, case_id))
    if conflict is not None:
        raise conflict
    return case


def _refuse_longer(changes: Mapping[str, Any]) -> None:
    """Raises `CaseRefused` for what is longer than it may be. What is kept already stays."""
    for name, most in (
        ("title", lengths.LINE),
        ("summary", lengths.TEXT),
        ("reason", lengths.TEXT),
    ):
        lengths.refuse_longer(f"The {name}", str(changes.get(name) or ""), most)
    lengths.refuse_tags(changes.get("tags") or [])


def _save_fields(
    database: Database,
    connection: Connection,
    actor: str,
    row: Any,
    wanted: Mapping[str, Any],
    action: str,
    state: State | None,
) -> None:
    changes = {name: value for name, value in wanted.items() if row._mapping[name] != value}
    if state is not None:
        changes["state"] = state
    if not changes:
        return
    verdict = changes.get("verdict", row.verdict)
    if verdict is not None and not str(changes.get("reason", row.reason)).strip():
        raise CaseRefused("A verdict needs its reason: write one sentence on why.")
    now = database.now()
    if "verdict" in changes:
        changes["decided_by"] = actor if verdict is not None else None
        if verdict is not None and row.decided_at is None:
            changes["decided_at"] = now
    if state == "closed":
        if verdict is None:
            raise CaseRefused("A case is closed with a verdict. Choose one, and give its reason.")
        changes["closed_at"], changes["closed_by"] = now, actor
    elif row.state == "open":
        changes["state"] = "investigating"
    apply(database, connection, actor, row, action, changes)


def start_investigating(database: Database, actor: str, case_id: int, version: int) -> Case:
    """The case, in work. Saving, noting and freezing do this by themselves."""
    return _save(database, actor, case_id, version, {}, "investigation started", "investigating")


def close_case(
    database: Database,
    actor: str,
    case_id: int,
    version: int,
    *,
    verdict: Verdict | None = None,
    reason: str | None = None,
    settings: Settings | None = None,
    index_id: str | None = None,
) -> Case:
    """The closed case; put up for review by itself where `cases.review` says so, by the answers of
    the index `index_id` where none were saved to it.
    """
    changes: dict[str, Any] = {}
    if verdict is not None:
        changes["verdict"] = verdict
    if reason is not None:
        changes["reason"] = reason
    return _save(
        database, actor, case_id, version, changes, "case closed", "closed", settings, index_id
    )


def reopen_case(database: Database, actor: str, case_id: int, reason: str) -> Case:
    """The case, in work again; its verdict stands until it is changed. A seal needs a lead."""
    if not reason.strip():
        raise CaseRefused("Say why the case is reopened.")
    lengths.refuse_longer("The reason", reason, lengths.LINE)
    with database.write() as connection:
        row = case_row(connection, case_id)
        require(connection, actor, "work" if row.seal is None else "review")
        if row.state != "closed":
            raise CaseRefused(f"Case {case_id} is {row.state}: there is nothing to reopen.")
        for alert_id in connection.execute(
            select(tables.case_alerts.c.alert_id).where(tables.case_alerts.c.case_id == case_id)
        ).scalars():
            _refuse_if_held_elsewhere(connection, case_id, alert_id)
        apply(
            database,
            connection,
            actor,
            row,
            REOPENED,
            {
                "state": "investigating",
                "closed_at": None,
                "closed_by": None,
                "reopened": row.reopened + 1,
                "review": "none",
                "review_reasons": [],
                "reviewer": None,
                "review_comment": "",
                "reviewed_at": None,
                "seal": None,
            },
            after={"reason": reason},
        )
        _set_alerts(connection, case_id, "in_case")
        return _case(case_row(connection, case_id))


def _refuse_if_held_elsewhere(connection: Connection, case_id: int, alert_id: str) -> None:
    links = tables.case_alerts
    other = connection.execute(
        select(links.c.case_id)
        .join(tables.cases, tables.cases.c.id == links.c.case_id)
        .where(
            links.c.alert_id == alert_id,
            links.c.case_id != case_id,
            tables.cases.c.state != "closed",
        )
        .limit(1)
    ).scalar()
    if other is not None:
        raise CaseRefused(
            f"Alert {alert_id} of case {case_id} is now worked on in case {other}. Add a note"
            " there instead."
        )


def _set_alerts(connection: Connection, case_id: int, state: str) -> None:
    held = select(tables.case_alerts.c.alert_id).where(tables.case_alerts.c.case_id == case_id)
    connection.execute(
        update(tables.alerts).where(tables.alerts.c.id.in_(held)).values(state=state)
    )
