"""Which calls a rule can be about, told from its condition alone, before any event is read.

An index has some hundreds of different calls (service and name), and most rules name theirs. A rule
whose calls are not there need not run, and those of the others are all that is read for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
)
from sigma.rule import SigmaRule
from sigma.types import SigmaString, SpecialChars

Call = tuple[str | None, str | None]
"""An event's source and name."""


def possible_calls(rule: SigmaRule, calls: Iterable[Call]) -> frozenset[Call]:
    """Those of the calls that the rule's condition may hold for, whatever the rest of the event.

    The rule's fields are already targets (`fields`).
    """
    trees = [condition.parsed for condition in rule.detection.parsed_condition]
    return frozenset(
        call for call in calls if any(_holds(tree, call) is not False for tree in trees)
    )


def names_a_call(rule: SigmaRule) -> bool:
    """Whether the rule says of what calls it is: false for one that any call may meet."""
    unheard_of = ("unheard-of.example", "UnheardOf")
    return not possible_calls(rule, [unheard_of])


def _holds(tree: Any, call: Call) -> bool | None:
    """Whether the condition holds for the call; None where the rest of the event decides."""
    if isinstance(tree, ConditionAND):
        parts = [_holds(part, call) for part in tree.args]
        return False if False in parts else None if None in parts else True
    if isinstance(tree, ConditionOR):
        parts = [_holds(part, call) for part in tree.args]
        return True if True in parts else None if None in parts else False
    if isinstance(tree, ConditionNOT):
        inner = _holds(tree.args[0], call)
        return None if inner is None else not inner
    if isinstance(tree, ConditionFieldEqualsValueExpression) and type(tree.value) is SigmaString:
        if tree.field == "event_source":
            return _matches(tree.value, call[0])
        if tree.field == "event_name":
            return _matches(tree.value, call[1])
    return None


def _matches(value: SigmaString, text: str | None) -> bool | None:
    if value.contains_placeholder():
        return None
    if text is None:
        return False
    pattern = "".join(
        ".*"
        if part is SpecialChars.WILDCARD_MULTI
        else "."
        if part is SpecialChars.WILDCARD_SINGLE
        else re.escape(str(part))
        for part in value.s
    )
    return re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL) is not None
