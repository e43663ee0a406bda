"""Evidence: what a case rests on, frozen so that it still stands when the logs have gone.

Frozen are the answer as it was given, the raw records that it cites, and what the index covered
then. An alert is frozen when it joins a case. The database refuses to change or delete any of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, insert, select

from alerts.alert import Alert
from cases import tables
from cases.canonical import digest, plain
from cases.change import apply, case_row, refuse_if_sealed
from cases.database import Database
from cases.documents import alert_document, answer_document
from cases.enrichment import read_answers
from cases.errors import CaseRefused, NotFound
from cases.inbox import read_one
from cases.users import require
from trail.errors import SourceUnreadable

if TYPE_CHECKING:  # they bring DuckDB and pandas along, two seconds for the command line
    from enrich.answer import Answer
    from trail.store import Store

Kind = Literal["alert", "answer", "event"]

_HASHED = (
    "case_id",
    "alert_id",
    "principal",
    "kind",
    "title",
    "document",
    "records",
    "missing",
    "coverage",
    "index_version",
    "frozen_at",
    "frozen_by",
)


@dataclass(frozen=True)
class Evidence:
    """One frozen thing. `document` is the answer's, the alert's or the pin's JSON; `records`
    maps event ids to raw JSON text; `missing` names cited events that could not be read."""

    id: int
    case_id: int
    alert_id: str | None
    principal: int | None
    kind: Kind
    title: str
    document: Mapping[str, Any]
    records: Mapping[str, str]
    missing: tuple[str, ...]
    coverage: Mapping[str, Any]
    index_version: str
    frozen_at: datetime
    frozen_by: str
    sha256: str


def evidence_digest(values: Mapping[str, Any]) -> str:
    """The hash that names one piece of evidence, over everything in it but its id."""
    return digest({name: values[name] for name in _HASHED})


def read_evidence(connection: Connection, case_id: int) -> list[Evidence]:
    """A case's evidence, in the order in which it was frozen."""
    rows = connection.execute(
        select(tables.evidence)
        .where(tables.evidence.c.case_id == case_id)
        .order_by(tables.evidence.c.id)
    )
    return [Evidence(**{**row._mapping, "missing": tuple(row.missing)}) for row in rows]


def _freeze(connection: Connection, values: dict[str, Any]) -> dict[str, Any]:
    sha256 = evidence_digest(values)
    evidence_id = connection.execute(
        insert(tables.evidence).values(**values, sha256=sha256).returning(tables.evidence.c.id)
    ).scalar_one()
    return {
        "id": evidence_id,
        "kind": values["kind"],
        "title": values["title"],
        "sha256": sha256,
    }


def freeze_alert(
    database: Database, connection: Connection, actor: str, case_id: int, alert_id: str
) -> dict[str, Any]:
    """What the history says of the alert, frozen as it is now (called when it joins a case)."""
    alert = read_one(connection, alert_id)
    return _freeze(
        connection,
        {
            "case_id": case_id,
            "alert_id": alert_id,
            "principal": None,
            "kind": "alert",
            "title": alert.title,
            "document": {**alert_document(alert), "raw": alert.raw},
            "records": {},
            "missing": [],
            "coverage": {},
            "index_version": "",
            "frozen_at": database.now(),
            "frozen_by": actor,
        },
    )


def freeze_answers(
    database: Database,
    actor: str,
    case_id: int,
    alert_id: str,
    store: Store,
    *,
    principal: int = 0,
    names: Sequence[str] = (),
    answers: Sequence[Answer] | None = None,
) -> list[Evidence]:
    """The answers of one of the alert's principals, frozen into the case.

    Without `answers` those that the inbox keeps are taken; `names` chooses among them (all when
    empty). The raw records are read before the write, so that nobody waits for a slow source.
    """
    with database.read() as connection:
        require(connection, actor, "work")
        alert = read_one(connection, alert_id)
        version = store.version()
        if answers is not None:
            found = [(answer_document(answer), version) for answer in answers]
        else:
            found = [
                (kept.document, kept.index_version)
                for kept in read_answers(connection, alert_id)
                if kept.principal == principal
            ]
    chosen = [(d, v) for d, v in found if not names or d["name"] in names]
    if not chosen:
        raise NotFound(f"Alert {alert_id} has no answers to save yet. Ask its questions first.")
    cited = list(dict.fromkeys(event_id for d, _ in chosen for event_id in d["evidence"]))
    records, sources, missing = _read_records(store, cited)
    coverage = _coverage(store, alert)
    now = database.now()
    with database.write() as connection:
        require(connection, actor, "work")
        row = case_row(connection, case_id)
        refuse_if_sealed(row)
        _refuse_strangers(connection, case_id, alert_id)
        frozen = [
            _freeze(
                connection,
                {
                    "case_id": case_id,
                    "alert_id": alert_id,
                    "principal": principal,
                    "kind": "answer",
                    "title": document["question"],
                    "document": {
                        **document,
                        "sources": {i: sources[i] for i in document["evidence"] if i in sources},
                    },
                    "records": {i: records[i] for i in document["evidence"] if i in records},
                    "missing": [i for i in document["evidence"] if i in missing],
                    "coverage": coverage,
                    "index_version": index_version,
                    "frozen_at": now,
                    "frozen_by": actor,
                },
            )
            for document, index_version in chosen
        ]
        _record(database, connection, actor, row, "answers saved", frozen)
        ids = {one["id"] for one in frozen}
        return [one for one in read_evidence(connection, case_id) if one.id in ids]


def pin_event(
    database: Database, actor: str, case_id: int, event_id: str, store: Store, comment: str = ""
) -> Evidence:
    """One event's raw record, pinned to the case with a word on why it matters.

    The pin says where the record is from, and by what it was taken for the one that was indexed:
    its file's digest, or its row alone (`trail.reread`).
    """
    records, sources, missing = _read_records(store, [event_id])
    if missing:
        raise NotFound(
            missing[event_id]
            or f"The record of event {event_id} cannot be read from the index or its source file."
        )
    version = store.version()
    with database.write() as connection:
        require(connection, actor, "work")
        row = case_row(connection, case_id)
        refuse_if_sealed(row)
        frozen = _freeze(
            connection,
            {
                "case_id": case_id,
                "alert_id": None,
                "principal": None,
                "kind": "event",
                "title": f"Event {event_id}",
                "document": {
                    "event_id": event_id,
                    "comment": comment,
                    "evidence": [event_id],
                    "sources": sources,
                },
                "records": records,
                "missing": [],
                "coverage": {},
                "index_version": version,
                "frozen_at": database.now(),
                "frozen_by": actor,
            },
        )
        _record(database, connection, actor, row, "event pinned", [frozen])
        return next(e for e in read_evidence(connection, case_id) if e.id == frozen["id"])


def _record(
    database: Database,
    connection: Connection,
    actor: str,
    row: Any,
    action: str,
    frozen: list[dict[str, Any]],
) -> None:
    apply(
        database,
        connection,
        actor,
        row,
        action,
        {"state": "investigating"} if row.state == "open" else {},
        after={"evidence": frozen},
        takes_ownership=row.state != "closed",
    )


def _refuse_strangers(connection: Connection, case_id: int, alert_id: str) -> None:
    held = connection.execute(
        select(tables.case_alerts.c.alert_id).where(
            tables.case_alerts.c.case_id == case_id, tables.case_alerts.c.alert_id == alert_id
        )
    ).one_or_none()
    if held is None:
        raise CaseRefused(f"Alert {alert_id} is not in case {case_id}. Add it first.")


def _read_records(
    store: Store, event_ids: Sequence[str]
) -> tuple[dict[str, str], dict[str, dict[str, Any]], dict[str, str]]:
    """The records that can still be read, where each is from and how it was checked, and why the
    others cannot be ("" for those that are not indexed)."""
    records: dict[str, str] = {}
    sources: dict[str, dict[str, Any]] = {}
    missing = dict.fromkeys(event_ids, "")
    for event_id, found in store.read_again(event_ids).items():
        if isinstance(found, SourceUnreadable):
            missing[event_id] = str(found)
        else:
            records[event_id] = found.text
            sources[event_id] = found.provenance()
            del missing[event_id]
    return records, sources, missing


def _coverage(store: Store, alert: Alert) -> dict[str, Any]:
    """What the index held around the alert: the whole of it, and the widest window asked about."""
    found: dict[str, Any] = {"index": plain(store.summary())}
    if alert.first_seen is not None and alert.last_seen is not None:
        first = alert.first_seen - timedelta(days=14)
        last = alert.last_seen + timedelta(hours=24)
        window = store.coverage([alert.account_id] if alert.account_id else None, first, last)
        found["window"] = {**plain(window), "status": window.status}
    return found
