"""The five questions, in the order they are shown, and how all of them are asked.

To add a question: one file with an `Enrichment`, as `tests/an_example_question.py` has it, what it
holds in `enrich/data`, and its line in `enrich.questions.every`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import TypeVar

from alerts.alert import Alert, Principal
from enrich.after.calls import find_after
from enrich.after.course import find_course
from enrich.answer import Answer, Enrichment, Status
from enrich.data.after import AfterAlert, Course
from enrich.data.beside import Beside
from enrich.data.ledger import Ledger
from enrich.data.unseen import Unseen
from enrich.entity import account_of
from enrich.forms.json_form import Result, as_json
from enrich.gaps import fill_gaps
from enrich.ledger.find import find_ledger
from enrich.questions.every import QUESTIONS
from enrich.time_basis import on_its_basis
from enrich.unseen.kinds import find_unseen
from enrich.unseen.on_answers import with_unseen
from enrich.words import short
from trail.errors import BacktrailError
from trail.store import Query, Store

__all__ = [
    "NOBODY",
    "QUESTIONS",
    "Answer",
    "Enrichment",
    "Result",
    "Status",
    "as_json",
    "ask_all",
    "ask_beside",
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
        answer = question.ask(alert, principal, store)
        answer = on_its_basis(with_unseen(answer, alert, principal, store), alert)
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
    results = []
    for principal in alert.principals or (NOBODY,):
        answers = tuple(ask_all(alert, principal, store))
        results.append(Result(principal, answers, ask_beside(alert, principal, answers, store)))
    return results


_Part = TypeVar("_Part")


PARTS = ("ledger", "after", "course", "unseen")
"""What is asked beside the answers."""


def ask_beside(
    alert: Alert,
    principal: Principal,
    answers: Sequence[Answer],
    store: Store,
    only: Collection[str] = PARTS,
) -> Beside:
    """What stands beside the answers. A part that cannot be had says so, and costs no other; one
    that is not asked is as if it did not apply.
    """
    queries: dict[str, tuple[Query, ...]] = {}

    def part(
        name: str,
        empty: _Part,
        ask: Callable[[], tuple[_Part, tuple[Query, ...]]],
        failed: Callable[[str], _Part],
    ) -> _Part:
        if name not in only:
            return empty
        try:
            found, queries[name] = ask()
        except Exception as error:
            return failed(f"This could not be looked up: {_reason(error)}")
        return found

    account = account_of(alert, principal)
    return Beside(
        part(
            "ledger",
            Ledger(),
            lambda: find_ledger(alert, principal, answers, store),
            lambda said: Ledger(status="failed", sentence=said),
        ),
        part(
            "after",
            AfterAlert(),
            lambda: find_after(alert, principal, store),
            lambda said: AfterAlert(status="failed", sentence=said),
        ),
        part(
            "course",
            Course(),
            lambda: find_course(alert, principal, store),
            lambda said: Course(status="failed", sentence=said),
        ),
        part(
            "unseen",
            Unseen(),
            lambda: (Unseen(), ()) if account is None else find_unseen(account, store),
            lambda said: Unseen(status="failed", account_id=account, lines=(said,)),
        ),
        queries,
    )


def _failed(question: Enrichment, error: Exception) -> Answer:
    return Answer(
        question.name,
        question.question,
        "failed",
        f"This question could not be answered: {_reason(error)}",
        question.empty_data(),
    )


def _reason(error: Exception) -> str:
    said = short(str(error), 300)
    return said if isinstance(error, BacktrailError) else f"{type(error).__name__}: {said}"
