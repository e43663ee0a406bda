"""A policy document, whatever text it came as, into statements.

By the grammar of IAM's policy language: a statement is one object or a list of them; actions,
resources and principals are one text or a list. Keys are compared without case, since reading too
much is better here than reading too little. What is no policy is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from alerts.content.call import json_value

LONGEST = 400_000
"""Characters of a document: IAM takes 131,072 (white space included), three times as many where
they are URL-encoded."""
MOST_STATEMENTS = 2_000
MOST_VALUES = 4_000
"""Texts of one list. Documents that AWS takes hold fewer: an inline policy is 10,240 characters
without white space."""


@dataclass(frozen=True)
class Statement:
    """One statement; what it does not state is an empty set."""

    allows: bool
    actions: frozenset[str]
    not_actions: frozenset[str]
    resources: frozenset[str]
    not_resources: frozenset[str]
    principals: frozenset[tuple[str, str]]
    """("AWS", "111122223333"), ("Federated", "…"), ("*", "*")."""
    not_principals: frozenset[tuple[str, str]]
    conditions: frozenset[str]
    """The condition keys, in small letters."""
    condition_values: Mapping[str, frozenset[str]]
    """Condition key → its values, whatever the operator."""

    @property
    def on_everything(self) -> bool:
        """Whether it names every resource, or all but some."""
        return bool(self.not_resources) or bool({"*", "arn:*", "arn:aws:*"} & self.resources)

    @property
    def every_action(self) -> bool:
        return bool({"*", "*:*"} & self.actions)


@dataclass(frozen=True)
class Policy:
    """The statements of a document."""

    statements: tuple[Statement, ...]

    @property
    def allowing(self) -> list[Statement]:
        return [one for one in self.statements if one.allows]

    @property
    def denies(self) -> bool:
        """Whether it denies something as well, which may take away from what it allows."""
        return any(not one.allows for one in self.statements)


def read_policy(document: Any) -> Policy | None:
    """The policy in an object, in JSON text or in URL-encoded JSON text; None in anything else, be
    it masked, cut off or damaged.
    """
    value = document
    if isinstance(document, str):
        if len(document) > LONGEST:
            return None
        value = json_value(document)
        if value is None and "%" in document:
            value = json_value(unquote(document, errors="replace"))
    if not isinstance(value, Mapping):
        return None
    listed = [one for stated in _under(value, "statement") for one in _each(stated)]
    if not listed or len(listed) > MOST_STATEMENTS:
        return None
    if not all(isinstance(one, Mapping) for one in listed):
        return None
    statements = [_statement(one) for one in listed]
    if any(one is None for one in statements):
        return None
    return Policy(tuple(one for one in statements if one is not None))


def _statement(value: Mapping[str, Any]) -> Statement | None:
    effect = next(iter(_under(value, "effect")), None)
    if not isinstance(effect, str) or effect.casefold() not in ("allow", "deny"):
        return None
    conditions = dict(_conditions(value))
    return Statement(
        allows=effect.casefold() == "allow",
        actions=_texts(value, "action"),
        not_actions=_texts(value, "notaction"),
        resources=_texts(value, "resource"),
        not_resources=_texts(value, "notresource"),
        principals=frozenset(_principals(value, "principal")),
        not_principals=frozenset(_principals(value, "notprincipal")),
        conditions=frozenset(conditions),
        condition_values=conditions,
    )


def _under(value: Mapping[str, Any], key: str) -> list[Any]:
    return [below for name, below in value.items() if name.casefold() == key]


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Mapping[str, Any], key: str) -> frozenset[str]:
    stated = (one for below in _under(value, key) for one in _each(below)[:MOST_VALUES])
    return frozenset(one for one in stated if isinstance(one, str) and one)


def _principals(value: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    for stated in _under(value, key):
        if isinstance(stated, str):
            yield (stated if stated == "*" else "AWS", stated)
        elif isinstance(stated, Mapping):
            for kind, below in stated.items():
                for one in _each(below)[:MOST_VALUES]:
                    if isinstance(one, str):
                        yield (kind, one)


def _conditions(value: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    found: dict[str, set[str]] = {}
    for stated in _under(value, "condition"):
        for tests in stated.values() if isinstance(stated, Mapping) else ():
            for key, values in tests.items() if isinstance(tests, Mapping) else ():
                texts = (str(one) for one in _each(values)[:MOST_VALUES])
                found.setdefault(key.casefold(), set()).update(texts)
    for key, several in found.items():
        yield key, frozenset(several)
