"""One change of one case: checked, counted as a version, and written to the history with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select, update

from cases import audit, tables
from cases.canonical import plain
from cases.database import Database
from cases.errors import CaseConflict, CaseRefused, FieldDifference, NotFound

REFUSED = "save refused: someone else had saved"
"""What the history calls a conflict; its `after.yours` are the words that were not saved."""

REOPENED = "case reopened"
"""What the history calls a reopening; its `after.reason` is in the words of who did it."""

CASE_FIELDS = tuple(
    column.name for column in tables.cases.c if column.name not in ("id", "version")
)
"""Everything about a case that its history must account for."""


def case_row(connection: Connection, case_id: int) -> Row[Any]:
    """The case as it stands."""
    row = connection.execute(select(tables.cases).where(tables.cases.c.id == case_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no case {case_id}. List them with `python -m cases list`.")
    return row


def case_fields(row: Row[Any]) -> dict[str, Any]:
    """The case's fields as the history words them."""
    return {name: plain(row._mapping[name]) for name in CASE_FIELDS}


def refuse_if_sealed(row: Row[Any]) -> None:
    """Sealed cases change only by being reopened."""
    if row.seal is not None:
        raise CaseRefused(
            f"Case {row.id} was approved by {row.reviewer} and is sealed. A lead can reopen it."
        )


def refuse_if_closed(row: Row[Any]) -> None:
    """What a verdict rests on does not change under it."""
    refuse_if_sealed(row)
    if row.state == "closed":
        raise CaseRefused(f"Case {row.id} is closed. Reopen it first.")


def apply(
    database: Database,
    connection: Connection,
    actor: str,
    row: Row[Any],
    action: str,
    changes: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    takes_ownership: bool = True,
) -> int:
    """The case's new version. The first to act on a case without an owner becomes its owner."""
    changed = dict(changes)
    if takes_ownership:
        if row.owner is None and "owner" not in changed:
            changed["owner"] = actor
        if row.triaged_at is None:
            changed["triaged_at"] = database.now()
    version: int = row.version + 1
    connection.execute(
        update(tables.cases)
        .where(tables.cases.c.id == row.id, tables.cases.c.version == row.version)
        .values(version=version, **changed)
    )
    audit.append(
        database,
        connection,
        actor,
        action,
        case_id=row.id,
        case_version=version,
        before={"case": {name: row._mapping[name] for name in changed}, **(before or {})},
        after={"case": changed, **(after or {})},
    )
    return version


def find_conflict(
    database: Database,
    connection: Connection,
    actor: str,
    row: Row[Any],
    version: int,
    changes: Mapping[str, Any],
) -> CaseConflict | None:
    """The conflict, if the case is no longer at the version that the actor had open.

    The refused words are written to the history, so the caller lets the transaction commit and
    raises the conflict after it.
    """
    if row.version == version:
        return None
    entries = audit.read_history(connection, row.id)
    was: dict[str, Any] = {}
    saved_by: list[str] = []
    for entry in entries:
        if entry.case_version is None:
            continue
        if entry.case_version <= version:
            was.update(entry.after.get("case", {}))
        elif entry.actor not in saved_by:
            saved_by.append(entry.actor)
    now = case_fields(row)
    differences = []
    for name, wanted in changes.items():
        yours = plain(wanted)
        theirs_changed, yours_changed = now[name] != was.get(name), yours != was.get(name)
        if yours_changed and yours != now[name]:
            differences.append(
                FieldDifference(name, was.get(name), now[name], yours, theirs_changed)
            )
    conflict = CaseConflict(row.id, version, row.version, tuple(saved_by), tuple(differences))
    audit.append(
        database,
        connection,
        actor,
        REFUSED,
        case_id=row.id,
        before={"theirs": {d.field: d.theirs for d in differences}},
        after={"yours": {d.field: d.yours for d in differences}},
    )
    return conflict
