"""The answers that were worked out ahead, so that opening an alert of the inbox is instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alerts.alert import Alert, Principal
from cases.enrichment import stored_answers
from cases.fingerprint import fingerprint
from cases.inbox import get_alert
from enrich import QUESTIONS
from enrich.answer import Answer
from trail.errors import BacktrailError
from trail.store import Query
from ui.shell.session import cases_if_any


def answers_ahead(index_version: str, alert: Alert, principal: Principal) -> list[Answer] | None:
    """All answers for exactly this alert from this version of the index; None if not kept.

    An alert that was corrected on the page is another one than the inbox asked about.
    """
    try:
        database = cases_if_any()
        if database is None or principal not in alert.principals:
            return None
        alert_id = fingerprint(alert)
        if get_alert(database, alert_id) != alert:
            return None
        kept = stored_answers(database, alert_id, index_version)
    except BacktrailError:
        return None  # the index can still be asked
    position = alert.principals.index(principal)
    found = [_answer(one.document) for one in kept if one.principal == position]
    expected = [question.name for question in QUESTIONS]
    return found if [one.name for one in found] == expected else None


def _answer(document: Mapping[str, Any]) -> Answer:
    return Answer(
        name=document["name"],
        question=document["question"],
        status=document["status"],
        sentence=document["sentence"],
        data=document["data"],
        evidence=tuple(document["evidence"]),
        caveats=tuple(document["caveats"]),
        queries=tuple(
            Query(one["text"], one["parameters"], one["elapsed_ms"], one["rows"])
            for one in document["queries"]
        ),
        elapsed_ms=document["elapsed_ms"],
    )
