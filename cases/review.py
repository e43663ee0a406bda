"""Review: a lead, never one of the case's own analysts, approves a closed case or returns it.

An approved case is sealed: a hash over all of it, which the report prints and `cases.verify`
checks. Cases that deserve a second look are put up for review by themselves when they close.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, true, update

from cases import audit, tables
from cases.canonical import digest
from cases.change import apply, case_fields, case_row, find_conflict, refuse_if_sealed
from cases.database import Database
from cases.errors import CaseRefused, NotAllowed
from cases.evidence import read_documents
from cases.settings import Settings
from cases.users import require

NOT_SEALED = frozenset({"seal"})
APPROVED = "case approved"
"""What the history calls an approval."""


def strong_evidence(answers: Sequence[Mapping[str, Any]]) -> list[str]:
    """What in these answers speaks for an attack, in words (answers as JSON documents)."""
    found: list[str] = []
    for answer in answers:
        data = answer.get("data")
        if not isinstance(data, Mapping):
            continue
        name = answer.get("name")
        if name == "roles_assumed" and data.get("enumeration"):
            found.append("roles were enumerated by failing")
        elif name == "baseline":
            new = data.get("new")
            if isinstance(new, list) and "source_ip_address" in new and len(new) > 1:
                others = ", ".join(str(one) for one in new if one != "source_ip_address")
                found.append(f"a new address together with new {others}")
        elif name == "interesting_calls":
            techniques = {
                str(technique)
                for call in _calls(data)
                for technique in call.get("techniques") or ()
            }
            if techniques:
                found.append(f"calls of known techniques ({', '.join(sorted(techniques))})")
    return list(dict.fromkeys(found))


def _calls(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = [*(data.get("calls") or ()), *(data.get("sensitive_reads") or ())]
    return [call for call in listed if isinstance(call, Mapping)]


def review_reasons(connection: Connection, row: Row[Any], settings: Settings) -> list[str]:
    """Why this closed case deserves a lead's look; none when it does not."""
    reasons: list[str] = []
    if row.severity in settings.review_severities:
        reasons.append(f"severity {row.severity}")
    if row.closed_at is not None:
        took = row.closed_at - row.opened_at
        if took > settings.slow_after:
            hours = took.total_seconds() / 3600
            limit = settings.slow_after.total_seconds() / 3600
            reasons.append(f"slow: {hours:.1f} hours, more than {limit:.1f}")
    if row.verdict in ("benign", "false_positive"):
        strong = strong_evidence(_answers_of(connection, row.id))
        if strong:
            words = str(row.verdict).replace("_", " ")
            reasons.append(f"{words} against strong evidence: {'; '.join(strong)}")
    return reasons


def _answers_of(connection: Connection, case_id: int) -> list[Mapping[str, Any]]:
    frozen = read_documents(connection, case_id, "answer")
    held = select(tables.case_alerts.c.alert_id).where(tables.case_alerts.c.case_id == case_id)
    kept = connection.execute(
        select(tables.answers.c.document).where(tables.answers.c.alert_id.in_(held))
    ).scalars()
    return [*frozen, *kept]


def put_up_for_review(
    database: Database, connection: Connection, actor: str, row: Row[Any], settings: Settings
) -> None:
    """Ask for a review of the case that was just closed, if it deserves one."""
    reasons = review_reasons(connection, row, settings)
    if reasons:
        apply(
            database,
            connection,
            actor,
            row,
            "put up for review",
            {"review": "requested", "review_reasons": reasons},
            takes_ownership=False,
        )


def request_review(database: Database, actor: str, case_id: int, why: str) -> None:
    """Ask a lead to look at a closed case."""
    if not why.strip():
        raise CaseRefused("Say what the lead should look at.")
    with database.write() as connection:
        require(connection, actor, "work")
        row = case_row(connection, case_id)
        refuse_if_sealed(row)
        if row.state != "closed":
            raise CaseRefused(f"Case {case_id} is {row.state}. Close it, then ask for a review.")
        apply(
            database,
            connection,
            actor,
            row,
            "review requested",
            {"review": "requested", "review_reasons": [*row.review_reasons, f"asked: {why}"]},
            takes_ownership=False,
        )


def analysts_of(connection: Connection, row: Row[Any]) -> set[str]:
    """Those whose own work the case is: its owners, and who opened, decided or closed it."""
    people = {row.owner, row.opened_by, row.decided_by, row.closed_by}
    for entry in audit.read_history(connection, row.id):
        fields = entry.after.get("case", {})
        people |= {fields.get("owner"), fields.get("decided_by"), fields.get("closed_by")}
    return {name for name in people if name is not None}


def approve(database: Database, actor: str, case_id: int, version: int, comment: str = "") -> str:
    """The seal of the approved case. `version` is the one that the lead has read."""
    conflict, seal = _decide(database, actor, case_id, version, comment, approved=True)
    if conflict is not None:
        raise conflict
    assert seal is not None
    return seal


def return_case(database: Database, actor: str, case_id: int, version: int, comment: str) -> None:
    """Send the case back to its analyst, with what is missing."""
    if not comment.strip():
        raise CaseRefused("Say what is missing, so that the analyst can do it.")
    conflict, _ = _decide(database, actor, case_id, version, comment, approved=False)
    if conflict is not None:
        raise conflict


def _decide(
    database: Database, actor: str, case_id: int, version: int, comment: str, *, approved: bool
) -> tuple[Exception | None, str | None]:
    with database.write() as connection:
        require(connection, actor, "review")
        row = case_row(connection, case_id)
        refuse_if_sealed(row)
        if actor in analysts_of(connection, row):
            raise NotAllowed(
                f"{actor} worked on case {case_id} and cannot review it. Ask another lead."
            )
        if row.state != "closed":
            raise CaseRefused(f"Case {case_id} is {row.state}: only closed cases are reviewed.")
        changes: dict[str, Any] = {
            "review": "approved" if approved else "returned",
            "reviewer": actor,
            "review_comment": comment,
            "reviewed_at": database.now(),
        }
        conflict = find_conflict(
            database, connection, actor, row, version, {"review_comment": comment}
        )
        if conflict is not None:
            return conflict, None
        if not approved:
            changes |= {"state": "investigating", "closed_at": None, "closed_by": None}
            apply(database, connection, actor, row, "case returned", changes, takes_ownership=False)
            _alerts_back_in_work(connection, case_id)
            return None, None
        connection.execute(
            update(tables.cases).where(tables.cases.c.id == case_id).values(**changes)
        )
        by = None if database.actor is None else database.actor.document()
        seal = seal_of(connection, case_id, by)
        changes["seal"] = seal
        apply(database, connection, actor, row, APPROVED, changes, takes_ownership=False)
        return None, seal


def _alerts_back_in_work(connection: Connection, case_id: int) -> None:
    held = select(tables.case_alerts.c.alert_id).where(tables.case_alerts.c.case_id == case_id)
    connection.execute(
        update(tables.alerts).where(tables.alerts.c.id.in_(held)).values(state="in_case")
    )


def seal_of(
    connection: Connection,
    case_id: int,
    by: Mapping[str, Any] | None,
    before_seq: int | None = None,
) -> str:
    """The hash over the whole case: fields, alerts, notes, evidence, and its history until then.

    `by` is how the approving lead is known: a seal tells a name that was proven from one that was
    chosen. `before_seq` is the approval's own entry, which the seal cannot cover as it holds it.
    """
    row = case_row(connection, case_id)
    alerts = connection.execute(
        select(
            tables.case_alerts.c.alert_id,
            tables.case_alerts.c.added_at,
            tables.case_alerts.c.added_by,
        )
        .where(tables.case_alerts.c.case_id == case_id)
        .order_by(tables.case_alerts.c.alert_id)
    ).all()
    notes = connection.execute(
        select(tables.notes).where(tables.notes.c.case_id == case_id).order_by(tables.notes.c.id)
    ).all()
    evidence = connection.execute(
        select(tables.evidence.c.id, tables.evidence.c.sha256)
        .where(tables.evidence.c.case_id == case_id)
        .order_by(tables.evidence.c.id)
    ).all()
    entries = tables.audit.c
    history = connection.execute(
        select(entries.hash)
        .where(
            entries.case_id == case_id,
            true() if before_seq is None else entries.seq < before_seq,
        )
        .order_by(entries.seq)
    ).scalars()
    return digest(
        {
            "case": {k: v for k, v in case_fields(row).items() if k not in NOT_SEALED},
            "id": case_id,
            "alerts": [list(one) for one in alerts],
            "notes": [list(one) for one in notes],
            "evidence": [list(one) for one in evidence],
            "history": list(history),
            **({} if by is None else {"approved_by": dict(by)}),
        }
    )
