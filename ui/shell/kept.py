"""The answers that were worked out ahead, so that opening an alert of the inbox is instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alerts.alert import Alert
from cases.documents import read_answer
from cases.enrichment import stored_answers
from cases.fingerprint import fingerprint
from cases.inbox import get_alert
from enrich import QUESTIONS
from enrich.answer import Answer
from trail.errors import BacktrailError
from trail.store import Query
from ui.shell.session import cases_if_any


def answers_ahead(index_version: str, received: Alert, position: int) -> list[Answer] | None:
    """All answers about one principal of exactly this alert, as it was received, from this version
    of the index; None if not kept.

    An alert that was corrected on the page is another one than the inbox asked about.
    """
    try:
        database = cases_if_any()
        if database is None:
            return None
        alert_id = fingerprint(received)
        if get_alert(database, alert_id) != received:
            return None
        kept = stored_answers(database, alert_id, index_version)
        found = [_answer(one.document) for one in kept if one.principal == position]
    except (BacktrailError, ValueError):  # ValueError: what another version kept in another form
        return None  # the index can still be asked
    expected = [question.name for question in QUESTIONS]
    return found if [one.name for one in found] == expected else None


def _answer(document: Mapping[str, Any]) -> Answer:
    """With its queries, which a page shows as its proof."""
    queries = tuple(
        Query(one["text"], one["parameters"], one["elapsed_ms"], one["rows"])
        for one in document["queries"]
    )
    return replace(read_answer(document), queries=queries, elapsed_ms=document["elapsed_ms"])
