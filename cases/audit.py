"""The history of everything: entries that each carry the hash of the one before.

There is one chain for the whole database, so that a case cannot vanish from it. Entries are
added by the modules that make the change, in the same transaction; nothing here or elsewhere
edits or deletes one, and the database refuses it. Whoever goes around both is found out by
`cases.verify`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cases import tables
from cases.action_log import note
from cases.canonical import canonical, iso
from cases.database import Database
from cases.errors import NotAllowed

FIRST_HASH = "0" * 64


@dataclass(frozen=True)
class Head:
    """A point in the chain, as a report prints it: `12:9f86d0…`."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True)
class AuditEntry:
    """Who did what, when (UTC text), and what it was before and after."""

    seq: int
    at: str
    actor: str
    case_id: int | None
    case_version: int | None
    action: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    previous: str
    hash: str
    by: Mapping[str, Any] | None = None
    """How the actor is known (`cases.actor`); None in entries of before that was recorded."""


def entry_hash(
    seq: int,
    at: str,
    actor: str,
    case_id: int | None,
    case_version: int | None,
    action: str,
    before: str,
    after: str,
    previous: str,
    by: str | None = None,
) -> str:
    """The SHA-256 over one entry's canonical form. `before`, `after` and `by` are JSON text."""
    fields = [seq, at, actor, case_id, case_version, action, before, after, previous]
    if by is not None:  # entries from before it was recorded keep their hash
        fields.append(by)
    return hashlib.sha256(canonical(fields).encode("ascii")).hexdigest()


def append(
    database: Database,
    connection: Connection,
    actor: str,
    action: str,
    *,
    case_id: int | None = None,
    case_version: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    by: Mapping[str, Any] | None = None,
) -> Head:
    """The chain's new head. Call it inside `Database.write`, with the change it records.

    `by` is how the actor is known, where the database is in nobody's hands.
    """
    if database.actor is not None:
        if database.actor.name != actor:
            raise NotAllowed(f"{database.actor.name} cannot act in the name of {actor}.")
        by = database.actor.document()
    last = read_head(connection)
    seq, at = last.seq + 1, iso(database.now())
    before_text, after_text = canonical(before or {}), canonical(after or {})
    by_text = None if by is None else canonical(by)
    found = entry_hash(
        seq, at, actor, case_id, case_version, action, before_text, after_text, last.hash, by_text
    )
    connection.execute(
        insert(tables.audit).values(
            seq=seq,
            at=at,
            actor=actor,
            case_id=case_id,
            case_version=case_version,
            action=action,
            before=before_text,
            after=after_text,
            previous=last.hash,
            hash=found,
            by=by_text,
        )
    )
    note(connection, actor, action, case_id)
    connection.execute(
        update(tables.audit_head).where(tables.audit_head.c.id == 1).values(seq=seq, hash=found)
    )
    return Head(seq, found)


def read_head(connection: Connection) -> Head:
    """Where the chain ends now."""
    row = connection.execute(select(tables.audit_head.c.seq, tables.audit_head.c.hash)).one()
    return Head(row.seq, row.hash)


def head(database: Database) -> Head:
    """Where the chain ends now."""
    with database.read() as connection:
        return read_head(connection)


def read_history(connection: Connection, case_id: int | None = None) -> list[AuditEntry]:
    """The entries of one case, or all of them, oldest first."""
    statement = select(tables.audit).order_by(tables.audit.c.seq)
    if case_id is not None:
        statement = statement.where(tables.audit.c.case_id == case_id)
    return [
        AuditEntry(
            seq=row.seq,
            at=row.at,
            actor=row.actor,
            case_id=row.case_id,
            case_version=row.case_version,
            action=row.action,
            before=json.loads(row.before),
            after=json.loads(row.after),
            previous=row.previous,
            hash=row.hash,
            by=None if row.by is None else json.loads(row.by),
        )
        for row in connection.execute(statement)
    ]


def history(database: Database, case_id: int | None = None) -> list[AuditEntry]:
    """The entries of one case, or all of them, oldest first."""
    with database.read() as connection:
        return read_history(connection, case_id)
