"""Each answer in two or three words: what it found, and which way that points.

The way is that of the weighing (`enrich.verdict.weighing`) and of nothing else: an answer that has
a line for a true positive is an alarm, one that has lines against alone is reassuring, and any
other says what it found without a colour. A status is said only where it is news: the answer is
partial, there are no logs for it, or it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from alerts.alert import Alert, Principal
from enrich.answer import Answer
from enrich.questions.baseline import NEW_IN_SHORT
from enrich.questions.every import QUESTIONS, question_named
from enrich.verdict.weighing import weigh
from enrich.verdict.weight import Weighing, Weight
from trail.counted import counted

Way = Literal["for", "against", "neither"]
MOST = 2
"""How many signs a chip names; of more it says how many."""


@dataclass(frozen=True)
class Chip:
    """`words` may quote logs. `way`: what the weighing makes of the answer."""

    words: str
    way: Way


_NEW = {f"new_{field}": word for field, word in NEW_IN_SHORT.items()}
"""Lines that are told together: "new: IP, client"."""


def _role_signs(noun: str) -> Callable[[Weight], str]:
    """ "36 roles denied": the line's own count of roles."""
    return lambda line: f"{counted(_number(line, 'role'), 'role')} {noun}"


_SIGNS: Mapping[str, Callable[[Weight], str]] = {
    "denied_assumptions": _role_signs("denied"),
    "new_roles": lambda line: f"{counted(_number(line, 'role'), 'new role')}",
    "assumed_from_a_new_address": _role_signs("from a new IP"),
    "role_enumeration": lambda line: f"{counted(line.counts[0].number, 'role')} tried in a row",
    "role_juggling": lambda _: "role juggling",
    "left_instance": lambda _: "used off its instance",
    "used_elsewhere": lambda _: "used from another IP",
    "used_where_issued": lambda _: "used where issued",
    "content_grave": lambda _: "grave change",
    "content": lambda _: "telling change",
    "content_against": lambda _: "adds to logs or guards",
    "destruction": lambda line: f"{counted(line.counts[0].number, 'deletion')}",
    "bulk_read": lambda line: f"{line.counts[0].number:,} objects read",
    "high_signal_call": lambda line: "high-signal call",
    "permission_probing": lambda _: "permission probing",
    "secrets_read": lambda line: f"secrets read {counted(_number(line, 'time'), 'time')}",
    "secrets_read_beyond_usual": lambda _: "more secrets read than usual",
    "everyday_calls": lambda _: "everyday calls",
    "by_aws_services": lambda _: "made by AWS services",
    "new_service": lambda _: "new service",
    "new_before_dwell": lambda _: "may hide in its history",
    "usual_call": lambda line: f"usual call, {line.counts[0].number:,}×",
    "nothing_new": lambda _: "nothing new",
}
"""Kind of a line → its words. Kinds that come several times are counted."""

_SEVERAL = {
    "content_grave": "grave changes",
    "content": "telling changes",
    "high_signal_call": "high-signal calls",
    "new_service": "new services",
}

_ONLY_STATUS: Mapping[str, str] = {
    "nothing": "nothing found",
    "not_applicable": "does not apply",
    "not_covered": "no logs",
    "failed": "could not look",
}


def chips(answers: Sequence[Answer], weighing: Weighing) -> dict[str, Chip]:
    """The chip of each answer, by its name."""
    return {answer.name: _chip(answer, weighing) for answer in answers}


def chips_of(alert: Alert, principal: Principal, answers: Sequence[Answer]) -> dict[str, Chip]:
    """The chips of one principal's answers; none where they are not those of our questions."""
    if {answer.name for answer in answers} != {question.name for question in QUESTIONS}:
        return {}
    return chips(answers, weigh(alert, principal, answers))


def _chip(answer: Answer, weighing: Weighing) -> Chip:
    for_ = [line for line in weighing.for_ if line.answer == answer.name]
    against = [line for line in weighing.against if line.answer == answer.name]
    if for_:
        return Chip(_told(for_), "for")
    if against:
        return Chip(_told(against), "against")
    found = _ONLY_STATUS.get(answer.status) or question_named(answer.name).found(answer.data)
    return Chip(found or "answered", "neither")


def _told(lines: Sequence[Weight]) -> str:
    signs = dict.fromkeys(_sign(line, lines) for line in lines if line.kind not in _NEW)
    new = [_NEW[line.kind] for line in lines if line.kind in _NEW]
    told = [*signs, *([f"new: {', '.join(dict.fromkeys(new))}"] if new else [])]
    more = f", and {len(told) - MOST} more" if len(told) > MOST else ""
    return f"{', '.join(told[:MOST])}{more}"


def _sign(line: Weight, lines: Sequence[Weight]) -> str:
    alike = sum(one.kind == line.kind for one in lines)
    if alike > 1 and line.kind in _SEVERAL:
        return f"{alike} {_SEVERAL[line.kind]}"
    return _SIGNS[line.kind](line)


def _number(line: Weight, noun: str) -> int:
    """The last of the line's counts of that: of roles, those that were denied come first."""
    return next(one.number for one in line.counts if one.noun == noun)
