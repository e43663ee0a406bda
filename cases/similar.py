"""Cases that an alert could join, or that show how the like was decided before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cases import links, tables
from cases.database import Database

WEIGHTS = {
    "same alert": 100,
    "same role session or key": 40,
    "same principal": 30,
    "linked session": 30,
    "same source address": 20,
    "same role": 15,
    "same finding type": 10,
    "same account": 1,
}
"""What each likeness counts for. An account alone is not enough to be offered."""

ENOUGH = 10
LOOKED_AT = 200


@dataclass(frozen=True)
class SimilarCase:
    """A case like the alert: in what, how much, and how it was closed if it was."""

    case_id: int
    title: str
    state: str
    owner: str | None
    verdict: str | None
    reason: str
    opened_at: datetime
    closed_at: datetime | None
    sealed: bool
    reasons: tuple[str, ...]
    score: int

    @property
    def can_be_joined(self) -> bool:
        return self.state != "closed"


def similar_cases(database: Database, alert_id: str, limit: int = 10) -> list[SimilarCase]:
    """The most similar cases first; among equals those that can be joined, then the newest."""
    with database.read() as connection:
        reasons: dict[int, set[str]] = {}
        for case_id, reason in _likenesses(connection, alert_id):
            reasons.setdefault(case_id, set()).add(reason)
        scores = {one: sum(WEIGHTS[r] for r in found) for one, found in reasons.items()}
        enough = [case_id for case_id, score in scores.items() if score >= ENOUGH]
        # Hundreds may share a role; the newest of the most similar are those that matter.
        wanted = sorted(enough, key=lambda one: (-scores[one], -one))[:LOOKED_AT]
        rows = connection.execute(select(tables.cases).where(tables.cases.c.id.in_(wanted)))
        found = [
            SimilarCase(
                case_id=row.id,
                title=row.title,
                state=row.state,
                owner=row.owner,
                verdict=row.verdict,
                reason=row.reason,
                opened_at=row.opened_at,
                closed_at=row.closed_at,
                sealed=row.seal is not None,
                reasons=tuple(r for r in WEIGHTS if r in reasons[row.id]),
                score=scores[row.id],
            )
            for row in rows
        ]
    found.sort(key=lambda one: (-one.score, not one.can_be_joined, -one.case_id))
    return found[:limit]


def _likenesses(connection: Connection, alert_id: str) -> list[tuple[int, str]]:
    held, at = tables.case_alerts.c, tables.alerts.c
    found: list[tuple[int, str]] = [
        (case_id, "same alert")
        for case_id in connection.execute(
            select(held.case_id).where(held.alert_id == alert_id)
        ).scalars()
    ]
    mine, other = tables.alert_links.alias("mine"), tables.alert_links.alias("other")
    for row in connection.execute(
        select(held.case_id, mine.c.kind.label("here"), other.c.kind.label("there"))
        .join(other, other.c.alert_id == held.alert_id)
        .join(mine, mine.c.value == other.c.value)
        .where(
            mine.c.alert_id == alert_id,
            held.alert_id != alert_id,
            mine.c.kind.in_(links.REASONS),
            other.c.kind.in_(links.REASONS),
        )
    ):
        shared = "chain" if "chain" in (row.here, row.there) else row.here
        found.append((row.case_id, links.REASONS[shared]))
    alert: Any = connection.execute(
        select(at.finding_type, at.source_ip_address, at.account_id).where(at.id == alert_id)
    ).one_or_none()
    if alert is None:
        return found
    for column, value, reason in (
        (at.finding_type, alert.finding_type, "same finding type"),
        (at.source_ip_address, alert.source_ip_address, "same source address"),
        (at.account_id, alert.account_id, "same account"),
    ):
        if value is None:
            continue
        found += [
            (case_id, reason)
            for case_id in connection.execute(
                select(held.case_id)
                .distinct()
                .join(tables.alerts, at.id == held.alert_id)
                .where(column == value, at.id != alert_id)
            ).scalars()
        ]
    return found
