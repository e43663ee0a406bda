"""The five questions, in the order they are shown, and how all of them are asked.

To add a question: what it holds in `enrich/data`, one file with an `Enrichment`, and its line in
`QUESTIONS`.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Enrichment, Status
from enrich.forms.json_form import Result, as_json
from enrich.gaps import fill_gaps
from enrich.questions.assumed_by import ASSUMED_BY
from enrich.questions.baseline import BASELINE
from enrich.questions.interesting_calls import INTERESTING_CALLS
from enrich.questions.roles_assumed import ROLES_ASSUMED
from enrich.questions.services_used import SERVICES_USED
from enrich.time_basis import on_its_basis
from enrich.words import short
from trail.errors import BacktrailError
from trail.store import Store

__all__ = [
    "NOBODY",
    "QUESTIONS",
    "Answer",
    "Enrichment",
    "Result",
    "Status",
    "as_json",
    "ask_all",
    "ask_for_every_principal",
    "fill_gaps",
]

QUESTIONS: tuple[Enrichment, ...] = (
    ASSUMED_BY,
    ROLES_ASSUMED,
    SERVICES_USED,
    INTERESTING_CALLS,
    BASELINE,
)

_MILLISECONDS = {"assumed_by": 30, "baseline": 20, "services_used": 18, "roles_assumed": 12,
                 "interesting_calls": 2}  # fmt: skip
"""What each takes, about: on few cores, a long question that began last would be waited for."""

_asking = ThreadPoolExecutor(min(len(QUESTIONS), os.cpu_count() or 1), "question")
"""For all who ask, so that many sessions at once do not make many times as many threads."""

NOBODY = Principal("Unknown")
"""Stands for the identity of an alert that names none, so that every question says so."""


def ask(question: Enrichment, alert: Alert, principal: Principal, store: Store) -> Answer:
    """The question's answer with the time it took, a `failed` one if it could not be had."""
    started = time.perf_counter()
    try:
        answer = on_its_basis(question.ask(alert, principal, store), alert)
    except Exception as error:
        # The one place: a question that breaks must cost its own card and no other.
        answer = _failed(question, error)
    return replace(answer, elapsed_ms=(time.perf_counter() - started) * 1000)


def ask_all(alert: Alert, principal: Principal, store: Store) -> list[Answer]:
    """An answer to every question, in order. They are asked at the same time."""
    coming = {
        # In a copy of the context, so that what they ask is noted for whoever asked them.
        question.name: _asking.submit(copy_context().run, ask, question, alert, principal, store)
        for question in sorted(QUESTIONS, key=lambda one: -_MILLISECONDS.get(one.name, 50))
    }
    return [coming[question.name].result() for question in QUESTIONS]


def ask_for_every_principal(alert: Alert, store: Store) -> list[Result]:
    """The answers for each identity that the alert names; for `NOBODY` when it names none."""
    return [
        Result(principal, tuple(ask_all(alert, principal, store)))
        for principal in alert.principals or (NOBODY,)
    ]


def _failed(question: Enrichment, error: Exception) -> Answer:
    said = short(str(error), 300)
    words = said if isinstance(error, BacktrailError) else f"{type(error).__name__}: {said}"
    return Answer(
        question.name,
        question.question,
        "failed",
        f"This question could not be answered: {words}",
        question.empty_data(),
    )
