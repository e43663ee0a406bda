"""Answers computed ahead: kept beside the alert, so that opening one is instant.

They belong to the index that gave them. Two dashboards over two indexes and one case database each
keep their own, and neither overwrites the other's. The alert's own columns (`enrichment`,
`index_version`) say what became of it when an index was last asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from alerts.alert import Alert, Principal
from cases import incidents, links, tables
from cases.database import Database
from cases.documents import answer_document, read_alert
from cases.inbox import add_links, alert_row
from trail.errors import BacktrailError
from trail.index.index_version import index_of

if TYPE_CHECKING:  # they bring DuckDB and pandas along, two seconds for the command line
    from enrich.answer import Answer
    from enrich.verdict.chips import Chip
    from trail.store import Store

ABANDONED_AFTER = timedelta(minutes=10)
"""An enrichment that has been running for so long was interrupted: it is done again."""

Chips = Mapping[str, "Chip"]
"""Name of an answer → what it found in a word or two."""
AskedAbout = tuple[Alert, Principal]
"""The alert as it was completed from the index, and whom of it the questions were asked about."""
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
    """Keep one list of answers per principal, in place of what this index gave before."""
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
    chips: Sequence[Chips] = (),
    asked: Sequence[AskedAbout] = (),
) -> None:
    of = tables.answers.c
    index_id = index_of(index_version)
    connection.execute(
        delete(tables.answers).where(of.alert_id == alert_id, of.index_id == index_id)
    )
    kept, found, about = dict(enumerate(answers)), dict(enumerate(chips)), dict(enumerate(asked))
    _insert(connection, now, alert_id, index_version, kept, found, about)
    _links_of_answers(connection, alert_id)
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


def keep_shown(
    database: Database,
    alert_id: str,
    index_version: str,
    principal: int,
    answers: Sequence[Answer],
    chips: Chips,
    asked: AskedAbout | None = None,
) -> None:
    """Keep the answers that somebody was just shown for one of the alert's principals.

    With them the alert waits for nothing any more, unless another principal still does.
    """
    of, at = tables.answers.c, tables.alerts.c
    index_id = index_of(index_version)
    with database.write("work") as connection:
        row = alert_row(connection, alert_id)
        others = connection.execute(
            select(of.principal)
            .where(
                of.alert_id == alert_id,
                of.index_version == index_version,
                of.principal != principal,
            )
            .distinct()
        ).scalars()
        complete = len(others.all()) + 1 >= len(read_alert(row.parsed, row.raw).principals)
        if not complete and row.enrichment in ("done", "failed"):
            return  # all of them have older answers, and are asked again together
        connection.execute(
            delete(tables.answers).where(
                of.alert_id == alert_id,
                of.index_id == index_id,
                or_(of.principal == principal, of.index_version != index_version),
            )
        )
        _insert(
            connection,
            database.now(),
            alert_id,
            index_version,
            {principal: answers},
            {principal: chips},
            {} if asked is None else {principal: asked},
        )
        _links_of_answers(connection, alert_id)
        if complete:
            connection.execute(
                update(tables.alerts)
                .where(at.id == alert_id, at.enrichment != "running")
                .values(
                    enrichment="done",
                    enrichment_error=None,
                    index_version=index_version,
                    enriched_at=database.now(),
                )
            )


def _insert(
    connection: Connection,
    now: datetime,
    alert_id: str,
    index_version: str,
    answers: Mapping[int, Sequence[Answer]],
    chips: Mapping[int, Chips],
    asked: Mapping[int, AskedAbout],
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "alert_id": alert_id,
            "index_id": index_of(index_version),
            "principal": principal,
            "name": answer.name,
            "index_version": index_version,
            "position": position,
            "status": answer.status,
            "sentence": answer.sentence,
            "document": answer_document(answer, asked.get(principal)),
            "asked_at": now,
            "found": chip.words if chip is not None else None,
            "way": chip.way if chip is not None else None,
        }
        for principal, of_principal in answers.items()
        for position, answer in enumerate(of_principal)
        for chip in [chips.get(principal, {}).get(answer.name)]
    ]
    if rows:
        connection.execute(insert(tables.answers), rows)


def _links_of_answers(connection: Connection, alert_id: str) -> None:
    """What the answers of any index link the alert to."""
    documents = connection.execute(
        select(tables.answers.c.document).where(tables.answers.c.alert_id == alert_id)
    ).scalars()
    found = links.answer_links(documents.all())
    connection.execute(
        delete(tables.alert_links).where(
            tables.alert_links.c.alert_id == alert_id,
            tables.alert_links.c.kind.in_(links.OF_ANSWERS),
        )
    )
    add_links(connection, alert_id, found)
    incidents.join_it(connection, alert_id)


def read_answers(
    connection: Connection, alert_id: str, index_id: str | None = None
) -> list[StoredAnswer]:
    """The kept answers of that index, by principal, in the order of the questions; without one,
    those of the index that answered last.
    """
    of = tables.answers.c
    if index_id is None:
        latest = select(of.index_id).where(of.alert_id == alert_id)
        index_id = connection.execute(
            latest.order_by(of.asked_at.desc(), of.index_id).limit(1)
        ).scalar()
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
            .where(of.alert_id == alert_id, of.index_id == index_id)
            .order_by(tables.answers.c.principal, tables.answers.c.position)
        )
    ]


def answers_for(connection: Connection, alert_id: str, index_id: str | None) -> list[StoredAnswer]:
    """The kept answers of that index where it has given any, else of the one that answered last."""
    found = read_answers(connection, alert_id, index_id)
    return found or read_answers(connection, alert_id)


def stored_answers(
    database: Database, alert_id: str, index_version: str | None = None
) -> list[StoredAnswer]:
    """The kept answers of exactly this version of an index; without one, those that an index gave
    last.
    """
    index_id = None if index_version is None else index_of(index_version)
    with database.read() as connection:
        found = read_answers(connection, alert_id, index_id)
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
    at, of = tables.alerts.c, tables.answers.c
    # Another index may have been asked since: that is no reason to ask this one again.
    answered = exists().where(
        of.alert_id == at.id,
        of.index_id == index_of(index_version),
        of.index_version == index_version,
    )
    return or_(
        at.enrichment == "pending",
        and_(at.enrichment == "running", at.enriched_at < now - ABANDONED_AFTER),
        and_(
            at.enrichment.in_(("done", "failed")),
            at.index_version != index_version,
            at.state != "closed",
            ~answered,
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

    Alerts without answers of this version of this index are asked again, unless they are closed.
    An alert whose questions fail as a whole is marked failed, with the reason. One that says too
    little is completed from the index first, as on the page and on the command line.
    """
    # With a store open, DuckDB is here.
    from enrich.gaps import fill_gaps
    from enrich.verdict.chips import chips_of

    version = store.version()
    done = 0
    while not stop():
        claimed = _claim(database, version)
        if claimed is None:
            break
        alert_id, alert = claimed
        try:
            alert = fill_gaps(alert, store)
            people = alert.principals or (Principal("Unknown"),)  # so that each question says so
            answers = [list(ask(alert, principal, store)) for principal in people]
            found = [
                chips_of(alert, principal, each)
                for principal, each in zip(people, answers, strict=True)
            ]
        except BacktrailError as error:
            _fail(database, alert_id, version, str(error))
        else:
            with database.write() as connection:
                if _is_kept(connection, alert_id):  # a lead may have deleted it meanwhile
                    now = database.now()
                    asked = [(alert, principal) for principal in people]
                    _save_answers(connection, now, alert_id, version, answers, found, asked)
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
        if row.enrichment == "pending":
            # It is new, or has changed: what other indexes said of it before is not about it.
            of = tables.answers.c
            connection.execute(
                delete(tables.answers).where(
                    of.alert_id == row.id, of.index_id != index_of(index_version)
                )
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
