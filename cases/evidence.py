"""Evidence: what a case rests on, frozen so that it still stands when the logs have gone.

Frozen are the answer as it was given, the raw records that it cites, and what the index covered
then. An alert is frozen when it joins a case. The database refuses to change or delete any of it.
Documents and records are kept as `cases.blobs`, each once; the hash of a piece of evidence is over
its content, however that is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Row, insert, select

from alerts.alert import Alert, Principal
from cases import blobs, tables
from cases.canonical import canonical, digest, plain
from cases.change import apply, case_row, refuse_if_sealed
from cases.database import Database
from cases.documents import alert_document, answer_document
from cases.enrichment import answers_for
from cases.errors import CaseRefused, CaseStoreUnusable, NotFound
from cases.inbox import read_one
from cases.lengths import LINE, refuse_longer
from cases.users import require
from trail.errors import SourceUnreadable
from trail.index.index_version import index_of

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

    @property
    def event_name(self) -> str | None:
        """The call of a pinned event; None for what is no event, or cannot be read."""
        record = self.records.get(str(self.document.get("event_id")))
        if self.kind != "event" or record is None:
            return None
        try:
            read = json.loads(record)
        except (ValueError, RecursionError):
            return None
        name = read.get("eventName") if isinstance(read, dict) else None
        return name if isinstance(name, str) else None


def evidence_digest(values: Mapping[str, Any]) -> str:
    """The hash that names one piece of evidence, over everything in it but its id."""
    return digest({name: values[name] for name in _HASHED})


def read_evidence(connection: Connection, case_id: int) -> list[Evidence]:
    """A case's evidence, in the order in which it was frozen."""
    rows = connection.execute(
        select(tables.evidence)
        .where(tables.evidence.c.case_id == case_id)
        .order_by(tables.evidence.c.id)
    ).all()
    contents = blobs.read(connection, (name for row in rows for name in _blobs_of(row)))
    return [Evidence(**{**unpacked(row, contents), "missing": tuple(row.missing)}) for row in rows]


def read_documents(connection: Connection, case_id: int, kind: Kind) -> list[dict[str, Any]]:
    """The documents of a case's evidence of one kind, without its records."""
    of = tables.evidence.c
    names = connection.execute(
        select(of.document).where(of.case_id == case_id, of.kind == kind).order_by(of.id)
    ).scalars()
    found = list(names)
    contents = blobs.read(connection, found)
    return [json.loads(blobs.one(contents, name)) for name in found]


def unpacked(row: Row[Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    """The row with the document and the records that it names. Raises `CaseStoreUnusable` where
    one is not among the contents."""
    records = {
        event_id: blobs.one(contents, name).decode("utf-8", "surrogatepass")
        for event_id, name in row.records.items()
    }
    document = json.loads(blobs.one(contents, row.document))
    return {**row._mapping, "document": document, "records": records}


def _blobs_of(row: Row[Any]) -> list[str]:
    return [row.document, *row.records.values()]


def evidence_rows(
    connection: Connection,
) -> Iterator[tuple[Row[Any], dict[str, Any] | None]]:
    """Every piece of evidence as its row and with its content (None: it is not there any more),
    one at a time: all of it may be more than memory holds."""
    numbers = connection.execute(select(tables.evidence.c.id).order_by(tables.evidence.c.id))
    for number in numbers.scalars().all():
        row = connection.execute(
            select(tables.evidence).where(tables.evidence.c.id == number)
        ).one()
        try:
            yield row, unpacked(row, blobs.read(connection, _blobs_of(row)))
        except (CaseStoreUnusable, ValueError, AttributeError):
            yield row, None


def _freeze(connection: Connection, values: dict[str, Any]) -> dict[str, Any]:
    sha256 = evidence_digest(values)
    document = canonical(values["document"]).encode("ascii")
    records = {i: text.encode("utf-8", "surrogatepass") for i, text in values["records"].items()}
    blobs.keep(connection, [document, *records.values()])
    stored = {
        **values,
        "document": blobs.name_of(document),
        "records": {event_id: blobs.name_of(record) for event_id, record in records.items()},
    }
    evidence_id = connection.execute(
        insert(tables.evidence).values(**stored, sha256=sha256).returning(tables.evidence.c.id)
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
    asked: tuple[Alert, Principal] | None = None,
) -> list[Evidence]:
    """The answers of one of the alert's principals, frozen into the case.

    Without `answers` those that the inbox keeps are taken; `asked` is what given ones are about.
    `names` chooses among them (all when empty). The raw records are read before the write, so that
    nobody waits for a slow source.
    """
    with database.read() as connection:
        require(connection, actor, "work")
        alert = read_one(connection, alert_id)
        version = store.version()
        if answers is not None:
            found = [(answer_document(answer, asked), version) for answer in answers]
        else:
            found = [
                (kept.document, kept.index_version)
                for kept in answers_for(connection, alert_id, index_of(version))
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
    its file's digest, or its row alone (`trail.store.reread`).
    """
    refuse_longer("What was written beside the pin", comment, LINE)
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
