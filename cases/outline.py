"""The cases without what a log or a person wrote, for those who may read redacted alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from cases import tables
from cases.database import Database


@dataclass(frozen=True)
class CaseOutline:
    """A case by its number, its states and its times."""

    id: int
    severity: str
    state: str
    verdict: str | None
    review: str
    opened_at: datetime
    closed_at: datetime | None


def case_outlines(database: Database) -> list[CaseOutline]:
    """All cases, newest first."""
    of = tables.cases.c
    columns = (of.id, of.severity, of.state, of.verdict, of.review, of.opened_at, of.closed_at)
    with database.read("read_redacted") as connection:
        rows = connection.execute(select(*columns).order_by(of.id.desc()))
        return [CaseOutline(**row._mapping) for row in rows]
