"""The questions that are asked, in the order they are shown: a new one has its line here."""

from __future__ import annotations

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Enrichment
from enrich.data.found import Found
from enrich.questions.assumed_by import ASSUMED_BY
from enrich.questions.baseline import BASELINE
from enrich.questions.interesting_calls import INTERESTING_CALLS
from enrich.questions.roles_assumed import ROLES_ASSUMED
from enrich.questions.services_used import SERVICES_USED
from trail.store import Store

QUESTIONS: tuple[Enrichment, ...] = (
    ASSUMED_BY,
    ROLES_ASSUMED,
    SERVICES_USED,
    INTERESTING_CALLS,
    BASELINE,
)


def question_named(name: str) -> Enrichment:
    """The question of that name; of one that is not asked any more, or not yet, one that has its
    name and nothing else to say."""
    found = (question for question in QUESTIONS if question.name == name)
    return next(found, None) or Enrichment(name, name, _not_asked, Found, about=name, short=name)


def _not_asked(alert: Alert, principal: Principal, store: Store) -> Answer:
    raise LookupError("a question that is not asked")
