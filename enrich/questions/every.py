"""The questions that are asked, in the order they are shown: a new one has its line here."""

from __future__ import annotations

from enrich.answer import Enrichment
from enrich.questions.assumed_by import ASSUMED_BY
from enrich.questions.baseline import BASELINE
from enrich.questions.interesting_calls import INTERESTING_CALLS
from enrich.questions.roles_assumed import ROLES_ASSUMED
from enrich.questions.services_used import SERVICES_USED

QUESTIONS: tuple[Enrichment, ...] = (
    ASSUMED_BY,
    ROLES_ASSUMED,
    SERVICES_USED,
    INTERESTING_CALLS,
    BASELINE,
)


def question_named(name: str) -> Enrichment | None:
    """The question of that name; None of one that is not asked any more, or not yet."""
    return next((question for question in QUESTIONS if question.name == name), None)
