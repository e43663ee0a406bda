"""Review: a lead, never one of the case's own analysts, approves a closed case or returns it.

An approved case is sealed: a hash over all of it, which the report prints and `cases.verify`
checks. Cases that deserve a second look are put up for review by themselves when they close.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, true, update

from cases import audit, lengths, tables
from cases.canonical import digest
from cases.change import (
    REFUSED,
    REOPENED,
    apply,
    case_fields,
    case_row,
    find_conflict,
    refuse_if_sealed,
)
from cases.database import Database
from cases.errors import CaseRefused, NotAllowed
from cases.settings import Settings
from cases.users import find_user, one_name, require
from cases.weighed import weighed
from trail.counted import counted

NOT_SEALED = frozenset({"seal"})
APPROVED = "case approved"
"""What the history calls an approval."""

SIGNS_SAID = 3
"""How many of the signs for a true positive a review's reason quotes; the page lists them all."""


def review_reasons(
    connection: Connection, row: Row[Any], settings: Settings, index_id: str | None = None
) -> list[str]:
    """Why this closed case deserves a lead's look; none when it does not. What was not saved to it
    is weighed as the index `index_id` answered it.
    """
    reasons: list[str] = []
    if row.severity in settings.review_severities:
        reasons.append(f"severity {row.severity}")
    if row.closed_at is not None:
        took = row.closed_at - row.opened_at
        if took > settings.slow_after:
            hours = took.total_seconds() / 3600
            limit = settings.slow_after.total_seconds() / 3600
            reasons.append(f"slow: {hours:.1f} hours, more than {limit:.1f}")
    if row.verdict == "true_positive":
        reasons.append("true positive: every one is reviewed")
    elif row.verdict in ("benign", "false_positive"):
        found = weighed(connection, row.id, index_id)
        words = str(row.verdict).replace("_", " ")
        if len(found.for_) > len(found.against):
            reasons.append(
                f"{words}, although {_signs(found.for_)} for a true positive and"
                f" {_signs(found.against)} against it: {' '.join(found.for_[:SIGNS_SAID])}"
            )
        elif found.unread:
            reasons.append(
                f"{words}, and"
                f" {counted(found.unread, 'kept answer is', 'kept answers are')} of an older"
                " version and cannot be weighed: ask again"
            )
    return reasons


def _signs(sentences: Sequence[str]) -> str:
    return f"{len(sentences) or 'nothing'} speak{'s' if len(sentences) < 2 else ''}"


def put_up_for_review(
    database: Database,
    connection: Connection,
    actor: str,
    row: Row[Any],
    settings: Settings,
    index_id: str | None = None,
) -> None:
    """Ask for a review of the case that was just closed, if it deserves one."""
    reasons = review_reasons(connection, row, settings, index_id)
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
    lengths.refuse_longer("What you ask", why, lengths.LINE)
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


def analysts_of(connection: Connection, row: Row[Any]) -> dict[str, str]:
    """Those whose own work the case is, each with what they did: none of them signs it off.

    They opened, owned, decided or closed it, now or at any time before; wrote its title, summary,
    reason, verdict, severity or tags, also where that was refused for a conflict, a note, or why it
    was reopened; added an alert to it, whose answers are evidence; or saved or pinned evidence.
    """
    did: dict[str, str] = {}
    for entry in audit.read_history(connection, row.id):
        fields = entry.after.get("case", {})
        if entry.action == "alert added":  # and with it its answers, as evidence
            did.setdefault(entry.actor, "added an alert to")
        if entry.action == REOPENED:
            did.setdefault(entry.actor, "gave the reason for reopening")
        if entry.action == REFUSED:
            # Whoever had saved first may have taken these words over.
            for name in _AUTHORED:
                if name in entry.after.get("yours", {}):
                    did.setdefault(entry.actor, f"wrote its {name}")
        for name in ("owner", "decided_by", "closed_by"):
            if fields.get(name) is not None:
                did.setdefault(fields[name], _DEEDS[name])
        for name in _AUTHORED:
            if name in fields and entry.action not in _OF_REVIEW:
                did.setdefault(entry.actor, f"wrote its {name}")
    for name, deed in (("opened_by", "opened"), *_DEEDS.items()):
        if getattr(row, name) is not None:
            did.setdefault(getattr(row, name), deed)
    for author in connection.execute(
        select(tables.notes.c.author).where(tables.notes.c.case_id == row.id)
    ).scalars():
        did.setdefault(author, "wrote a note in")
    for who, kind in connection.execute(
        select(tables.evidence.c.frozen_by, tables.evidence.c.kind).where(
            tables.evidence.c.case_id == row.id
        )
    ):
        did.setdefault(who, "pinned evidence in" if kind == "event" else "saved evidence in")
    return did


def deed_of(connection: Connection, row: Row[Any], name: str) -> str | None:
    """What makes them one of the case's analysts, or None. Names that differ in case or in how
    their letters are encoded are one person's here; and since a local name was chosen and not
    proven, it is theirs as well who sign in under that name or with that address.
    """
    did = analysts_of(connection, row)
    known, local = _known_as(connection, name)
    for author, deed in did.items():
        if one_name(author) == one_name(name):
            return deed
        theirs, is_local = _known_as(connection, author)
        if is_local != local and theirs & known:
            return deed
    return None


def _known_as(connection: Connection, name: str) -> tuple[set[str], bool]:
    """What a person may have been called before people signed in here, and whether theirs is a
    local name."""
    user = find_user(connection, name)
    if user is None or user.issuer is None:
        return {one_name(name)}, True
    # Where somebody else had the name, an address or a number was put behind it.
    plain_name = re.sub(r" \([^()]+\)$", "", name)
    return {one_name(one) for one in (name, plain_name, user.email or "") if one}, False


_DEEDS = {"owner": "owned", "decided_by": "decided", "closed_by": "closed"}
_AUTHORED = ("title", "summary", "reason", "verdict", "severity", "tags")
_OF_REVIEW = ("put up for review", "review requested", "case returned", "case approved")


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
    lengths.refuse_longer("The comment", comment, lengths.TEXT)
    with database.write() as connection:
        require(connection, actor, "review")
        row = case_row(connection, case_id)
        refuse_if_sealed(row)
        deed = deed_of(connection, row, actor)
        if deed is not None:
            raise NotAllowed(
                f"{actor} {of_case(deed, case_id)} and cannot sign it off. Ask another lead."
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


def of_case(deed: str, case_id: int) -> str:
    """ "wrote a note in case 3", "wrote the reason of case 3"."""
    if deed.startswith("wrote its "):
        return f"wrote the {deed.removeprefix('wrote its ')} of case {case_id}"
    return f"{deed} case {case_id}"


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
