"""What the triage page's own weighing says of a case: the review of a verdict rests on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select

from alerts.alert import Alert, Principal
from cases import tables
from cases.documents import asked_about_in, read_alert, read_answer
from cases.enrichment import answers_for
from cases.evidence import read_evidence

if TYPE_CHECKING:  # they bring DuckDB and pandas along, two seconds for the command line
    from enrich.verdict.weight import Weighing


@dataclass(frozen=True)
class Weighed:
    """The sentences on either side, over all alerts and principals of a case.

    `unread` counts answers that an older version kept, in a form that cannot be weighed any more.
    """

    for_: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    unread: int = 0


def weighed(connection: Connection, case_id: int, index_id: str | None = None) -> Weighed:
    """What speaks for and against, from the answers that the case stands on: those saved to it,
    else those kept ahead of the index `index_id`, or where that has given none of the one that
    answered last.
    """
    held = (
        select(tables.alerts)
        .join(tables.case_alerts, tables.case_alerts.c.alert_id == tables.alerts.c.id)
        .where(tables.case_alerts.c.case_id == case_id)
        .order_by(tables.alerts.c.id)
    )
    saved = {
        (one.alert_id, one.principal, str(one.document.get("name"))): one.document
        for one in read_evidence(connection, case_id)
        if one.kind == "answer"
    }
    for_: list[str] = []
    against: list[str] = []
    unread = 0
    for row in connection.execute(held).all():
        documents: dict[tuple[int, str], Mapping[str, Any]] = {
            (one.principal, one.name): one.document
            for one in answers_for(connection, row.id, index_id)
        }
        for (alert_id, number, name), document in saved.items():
            if alert_id == row.id and number is not None:
                documents[number, name] = document
        for number in sorted({number for number, _ in documents}):
            mine = [one for key, one in documents.items() if key[0] == number]
            try:
                weighing = _weigh(*_asked_about(row, number, mine), mine)
            except (AttributeError, KeyError, TypeError, ValueError):
                unread += len(mine)
                continue
            for_ += [line.sentence for line in weighing.for_]
            against += [line.sentence for line in weighing.against]
    return Weighed(tuple(dict.fromkeys(for_)), tuple(dict.fromkeys(against)), unread)


def _asked_about(
    row: Row[Any], number: int, documents: Sequence[Mapping[str, Any]]
) -> tuple[Alert, Principal]:
    """What the answers were given about. Raises `ValueError` where that was not kept, and the alert
    as it came says too little to weigh them by."""
    for document in documents:
        if (asked := asked_about_in(document)) is not None:
            return asked
    alert = read_alert(row.parsed, row.raw)
    people = alert.principals or (Principal("Unknown"),)
    if alert.first_seen is None or number >= len(people):
        raise ValueError
    return alert, people[number]


_LOOKED = ("answered", "partial", "nothing")


def _weigh(alert: Alert, principal: Principal, documents: Sequence[Mapping[str, Any]]) -> Weighing:
    from enrich.verdict.weighing import weigh

    # An answer that says it found something and holds nothing at all speaks for nobody's innocence.
    if any(one.get("status") in _LOOKED and not one.get("data") for one in documents):
        raise ValueError
    return weigh(alert, principal, [read_answer(document) for document in documents])
