"""Answers computed ahead: kept beside the alert, so that opening one is instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from alerts.alert import Alert, Principal
from cases import links, tables
from cases.database import Database
from cases.documents import answer_document, read_alert
from cases.inbox import add_links, alert_row
from trail.errors import BacktrailError

if TYPE_CHECKING:  # they bring DuckDB and pandas along, two seconds for the command line
    from enrich.answer import Answer
    from trail.store import Store

ABANDONED_AFTER = timedelta(minutes=10)
"""An enrichment that has been running for so long was interrupted: it is done again."""

Ask = Callable[[Alert, Principal, "Store"], Sequence["Answer"]]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class StoredAnswer:
    """One answer as it was computed: `document` is the answer's JSON."""

    principal: int
    name: str
    status: str
    sentence: str
    document: dict[str, Any]
    index_version: str
    asked_at: datetime


def save_answers(
    database: Database, alert_id: str, index_version: str, answers: Sequence[Sequence[Answer]]
) -> None:
    """Keep one list of answers per principal, in place of what an earlier index gave."""
    with database.write() as connection:
        alert_row(connection, alert_id)
        connection.execute(
            update(tables.alerts).where(tables.alerts.c.id == alert_id).values(enrichment="running")
        )
        _save_answers(connection, database.now(), alert_id, index_version, answers)


def _save_answers(
    connection: Connection,
    now: datetime,
    alert_id: str,
    index_version: str,
    answers: Sequence[Sequence[Answer]],
) -> None:
    connection.execute(delete(tables.answers).where(tables.answers.c.alert_id == alert_id))
    rows: list[dict[str, Any]] = [
        {
            "alert_id": alert_id,
            "principal": principal,
            "name": answer.name,
            "index_version": index_version,
            "position": position,
            "status": answer.status,
            "sentence": answer.sentence,
            "document": answer_document(answer),
            "asked_at": now,
        }
        for principal, of_principal in enumerate(answers)
        for position, answer in enumerate(of_principal)
    ]
    if rows:
        connection.execute(insert(tables.answers), rows)
    connection.execute(
        delete(tables.alert_links).where(
            tables.alert_links.c.alert_id == alert_id, tables.alert_links.c.kind == "chain"
        )
    )
    add_links(connection, alert_id, links.answer_links(row["document"] for row in rows))
    # An alert that arrived again meanwhile is `pending`, and has to stay so.
    connection.execute(
        update(tables.alerts)
        .where(tables.alerts.c.id == alert_id)
        .values(index_version=index_version, enriched_at=now)
    )
    connection.execute(
        update(tables.alerts)
        .where(tables.alerts.c.id == alert_id, tables.alerts.c.enrichment == "running")
        .values(enrichment="done", enrichment_error=None)
    )


def read_answers(connection: Connection, alert_id: str) -> list[StoredAnswer]:
    """The kept answers, by principal, in the order of the questions."""
    return [
        StoredAnswer(
            row.principal,
            row.name,
            row.status,
            row.sentence,
            row.document,
            row.index_version,
            row.asked_at,
        )
        for row in connection.execute(
            select(tables.answers)
            .where(tables.answers.c.alert_id == alert_id)
            .order_by(tables.answers.c.principal, tables.answers.c.position)
        )
    ]


def stored_answers(
    database: Database, alert_id: str, index_version: str | None = None
) -> list[StoredAnswer]:
    """The kept answers; none when they are of another index version than the one given."""
    with database.read() as connection:
        found = read_answers(connection, alert_id)
    return [one for one in found if index_version in (None, one.index_version)]


def pending_count(database: Database, index_version: str) -> int:
    """How many alerts wait for their answers from this version of the index."""
    with database.read() as connection:
        return connection.execute(
            select(func.count())
            .select_from(tables.alerts)
            .where(_waiting(index_version, database.now()))
        ).scalar_one()


def _waiting(index_version: str, now: datetime) -> ColumnElement[bool]:
    at = tables.alerts.c
    return or_(
        at.enrichment == "pending",
        and_(at.enrichment == "running", at.enriched_at < now - ABANDONED_AFTER),
        and_(
            at.enrichment.in_(("done", "failed")),
            at.index_version != index_version,
            at.state != "closed",
        ),
    )


def enrich_pending(
    database: Database,
    store: Store,
    ask: Ask,
    progress: Progress = lambda done, total, alert_id: None,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """How many alerts were enriched. Severest first; several runners share the work.

    Alerts whose answers came from another index version are asked again, unless they are closed.
    An alert whose questions fail as a whole is marked failed, with the reason.
    """
    version = store.version()
    done = 0
    while not stop():
        claimed = _claim(database, version)
        if claimed is None:
            break
        alert_id, alert = claimed
        try:
            people = alert.principals or (Principal("Unknown"),)  # so that each question says so
            answers = [list(ask(alert, principal, store)) for principal in people]
        except BacktrailError as error:
            _fail(database, alert_id, version, str(error))
        else:
            with database.write() as connection:
                if _is_kept(connection, alert_id):  # a lead may have deleted it meanwhile
                    _save_answers(connection, database.now(), alert_id, version, answers)
        done += 1
        progress(done, done + pending_count(database, version), alert_id)
    return done


def _is_kept(connection: Connection, alert_id: str) -> bool:
    found = connection.execute(select(tables.alerts.c.id).where(tables.alerts.c.id == alert_id))
    return found.one_or_none() is not None


def _claim(database: Database, index_version: str) -> tuple[str, Alert] | None:
    at = tables.alerts.c
    with database.write() as connection:
        row = connection.execute(
            select(tables.alerts)
            .where(_waiting(index_version, database.now()))
            .order_by(at.severity.desc().nulls_last(), at.first_arrival, at.id)
            .limit(1)
        ).one_or_none()
        if row is None:
            return None
        connection.execute(
            update(tables.alerts)
            .where(at.id == row.id)
            .values(enrichment="running", enriched_at=database.now())
        )
        return row.id, read_alert(row.parsed, row.raw)


def _fail(database: Database, alert_id: str, index_version: str, words: str) -> None:
    at = tables.alerts.c
    with database.write() as connection:
        connection.execute(
            update(tables.alerts)
            .where(at.id == alert_id, at.enrichment == "running")
            .values(
                enrichment="failed",
                enrichment_error=words,
                index_version=index_version,
                enriched_at=database.now(),
            )
        )
