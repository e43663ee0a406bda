"""How this was worked out: the workflow of the original write-up as a picture, with the path that
this alert took lit and the others pale. A question's step opens its query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerts.alert import Alert, Principal
from enrich.answer import Answer, data_among
from enrich.data.assumed_by import AssumedBy
from enrich.data.baseline import Baseline
from enrich.entity import ROLE_TYPES
from enrich.questions.every import question_named
from ui.kit import phrases
from ui.kit.badges import STATUS_WORDS, query_id
from ui.kit.markup import Node, el


@dataclass(frozen=True)
class Step:
    """A box of the picture. `lit` on the path that was taken."""

    words: str
    lit: bool
    detail: str = ""
    href: str | None = None


def worked_out(alert: Alert, principal: Principal, answers: Sequence[Answer]) -> Node:
    """The columns from left to right, a step under the other in each."""
    chain = data_among(answers, AssumedBy) or AssumedBy()
    baseline = data_among(answers, Baseline)
    columns = (
        ("What came", _kinds(alert)),
        ("Who it names", _identities(principal)),
        ("Who assumed it", _rules(chain)),
        ("Whose calls count", _filters(alert, principal, baseline)),
        ("What is asked", [_asked(answer) for answer in answers]),
        ("What came out", [_came_out(answers)]),
    )
    return el(
        "section",
        "card stack",
        el("h2", "card-title", "How this was worked out"),
        el(
            "p",
            "mute small",
            "The path of this alert is lit; what would be done with another one is pale. A question"
            " opens its query.",
        ),
        el("div", "flow", *(_column(title, steps) for title, steps in columns)),
    )


def _column(title: str, steps: Sequence[Step]) -> Node:
    return el(
        "div",
        "flow-column",
        el("h3", "label", title),
        el("ol", "flow-steps", *(el("li", "", _box(step)) for step in steps)),
    )


def _box(step: Step) -> Node:
    look = "step step-lit" if step.lit else "step"
    said = [
        el("span", "step-words", step.words),
        el("span", "mute small", step.detail) if step.detail else None,
    ]
    taken = "this alert's path" if step.lit else "not taken"
    if step.href is not None:
        return el("a", look, *said, href=step.href, title=f"{taken}: show its query")
    return el("div", look, *said, title=taken)


_SOURCES: Mapping[str, str] = {
    "guardduty": "GuardDuty finding",
    "securityhub": "Security Hub finding",
    "cloudtrail": "CloudTrail record",
    "sigma": "Detection",
}


def _kinds(alert: Alert) -> list[Step]:
    known = [Step(words, alert.source == source) for source, words in _SOURCES.items()]
    return [*known, Step("Anything else, as text", alert.source not in _SOURCES)]


def _identities(principal: Principal) -> list[Step]:
    is_role = principal.type in ROLE_TYPES or (principal.principal_id or "").startswith("AROA")
    is_user = principal.type in ("IAMUser", "Root")
    key = "with its key" if principal.access_key_id else "without a key"
    return [
        Step("Role session", is_role, key if is_role else ""),
        Step("IAM user or root", is_user, key if is_user else ""),
        Step("Another identity", not (is_role or is_user)),
    ]


_RULES: tuple[tuple[str, frozenset[str]], ...] = (
    ("1. The access key", frozenset({"access_key", "key_created", "scoped"})),
    ("2. The creation date", frozenset({"creation_date", "switch_role", "signin_session"})),
    ("3. The most recent: a guess", frozenset({"most_recent"})),
    ("Its own fields alone", frozenset({"inferred"})),
)
"""The write-up's rules in their order, and the methods of hops that belong to each."""


def _rules(found: AssumedBy) -> list[Step]:
    hops = found.chain
    used = [str(hop.method) for hop in hops]
    steps = []
    for words, methods in _RULES:
        of_it = [hop for hop in hops if hop.method in methods]
        told = list(dict.fromkeys(str(hop.confidence) for hop in of_it))
        detail = f"{phrases.count(len(of_it), 'link')}: {', '.join(told)}" if of_it else ""
        steps.append(Step(words, bool(of_it), detail))
    return [*steps, Step("Nothing matched, or none was needed", not used)]


def _filters(alert: Alert, principal: Principal, baseline: Baseline | None) -> list[Step]:
    is_role = principal.type in ROLE_TYPES or (principal.principal_id or "").startswith("AROA")
    filtered = is_role and bool(principal.session_name or alert.source_ip_address)
    whole = baseline is not None and baseline.scope == "whole_role"
    return [
        Step("Its ARN or id", not is_role),
        Step("The role's, of the session name or the address", filtered),
        Step("The whole role's", is_role and (whole or not filtered),
             "too few others, for the baseline" if whole and filtered else ""),
    ]  # fmt: skip


def _asked(answer: Answer) -> Step:
    word = STATUS_WORDS[answer.status][0].lower()
    asked = answer.status not in ("not_covered", "not_applicable", "failed")
    window = question_named(answer.name).window
    href = f"#{query_id(answer)}" if answer.queries else None
    return Step(answer.question, asked, f"{window}; {word}" if window else word, href)


def _came_out(answers: Sequence[Answer]) -> Step:
    queries = sum(len(answer.queries) for answer in answers)
    took = f"{phrases.count(queries, 'query', 'queries')} asked" if queries else "kept answers"
    return Step(phrases.count(len(answers), "answer"), True, took)
