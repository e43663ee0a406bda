"""The five questions, in the order they are shown, and how all of them are asked.

To add a question: one file with an `Enrichment`, as `tests/an_example_question.py` has it, what it
holds in `enrich/data`, and its line in `enrich.questions.every`.
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
from enrich.questions.every import QUESTIONS
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
        for question in sorted(QUESTIONS, key=lambda one: -one.milliseconds)
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
