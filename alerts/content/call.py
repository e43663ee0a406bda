"""One call's record, opened for reading: its parameters by path, and who made it.

Services write field names in either case (`dBInstanceIdentifier`, `DBInstanceIdentifier`) and lists
either bare or as `{"items": [...]}` or `{"item": [...]}` (EC2's): paths are compared without case,
and the wrappers of a list are passed through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from trail.event_names import plain_name
from trail.quoted import short

LARGEST = 4_000_000
"""Characters of a column that are opened at all; CloudTrail cuts a record's fields far below."""
MOST = 1_000
"""Values at one path that are read."""
DEEPEST = 40
"""Levels that are gone down; records have some ten."""

_WRAPPERS = ("items", "item")
_ACCOUNT = re.compile(r"\d{12}")
_ARN_ACCOUNT = re.compile(r"arn:[\w-]+:[\w-]*:[\w-]*:(\d{12}):")


@dataclass(frozen=True)
class Call:
    """A successful call, as the event table has it."""

    row: Mapping[str, Any]

    @cached_property
    def source(self) -> str:
        return self.text_of("event_source")

    @cached_property
    def name(self) -> str:
        """The API's name without its version date."""
        return plain_name(self.text_of("event_name"))

    @cached_property
    def request(self) -> Mapping[str, Any]:
        return json_object(self.row.get("request_parameters"))

    @cached_property
    def response(self) -> Mapping[str, Any]:
        return json_object(self.row.get("response_elements"))

    @cached_property
    def additional(self) -> Mapping[str, Any]:
        return json_object(self.row.get("additional_event_data"))

    @property
    def account(self) -> str:
        """The account that the call was made in; "" where the record does not say."""
        return self.text_of("recipient_account_id")

    def text_of(self, column: str) -> str:
        """A column's text; "" where it has none."""
        value = self.row.get(column)
        return value if isinstance(value, str) else ""

    def given(self, path: str) -> str:
        """The first text at a path of the request; "" where there is none."""
        return next(texts_at(self.request, path), "")

    def answered(self, path: str) -> str:
        """The same of the response."""
        return next(texts_at(self.response, path), "")

    def all_given(self, *paths: str) -> list[str]:
        """Every text at these paths of the request, each once."""
        found = (text for path in paths for text in texts_at(self.request, path))
        return list(dict.fromkeys(found))

    def value(self, path: str) -> Any:
        """Whatever stands at a path of the request first; None where nothing does."""
        return next(values_at(self.request, path), None)

    def said(self, path: str, value: bool) -> bool:
        """Whether a flag of the request is stated so."""
        words = ("true", True) if value else ("false", False)
        return any(
            (one.casefold() if isinstance(one, str) else one) in words
            for one in values_at(self.request, path)
            if isinstance(one, str | bool)
        )

    @property
    def by_user(self) -> str:
        """The IAM user who made the call; "" where none did."""
        return self.text_of("user_name") if self.text_of("identity_type") == "IAMUser" else ""

    @property
    def by_role(self) -> str:
        """The name of the role whose session made the call; "" where none did."""
        return self.text_of("issuer_arn").rpartition("/")[2]

    def is_outside(self, account: str) -> bool:
        """Whether an account is another than the record's own; never where that is not known."""
        return bool(self.account) and bool(_ACCOUNT.fullmatch(account)) and account != self.account

    def outsiders(self, accounts: Sequence[str]) -> tuple[str, ...]:
        """Those of the accounts that are not the record's own, in order."""
        return tuple(sorted({one for one in accounts if self.is_outside(one)}))


def json_object(text: Any) -> Mapping[str, Any]:
    """The object that a column's JSON text holds; empty where it holds none."""
    value = json_value(text)
    return value if isinstance(value, dict) else {}


def json_value(text: Any) -> Any:
    """What a JSON text says; None where it is none, or too long or too deep to be read."""
    if not isinstance(text, str) or not text or len(text) > LARGEST:
        return None
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None


def values_at(value: Any, path: str) -> Iterator[Any]:
    """What stands at a dotted path, at most `MOST` values; lists on the way are gone through."""
    yield from _at(value, path.casefold().split("."), [MOST])


def texts_at(value: Any, path: str) -> Iterator[str]:
    """The texts and numbers at a path."""
    for one in values_at(value, path):
        if isinstance(one, str) and one:
            yield one
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield f"{one}"


def _at(value: Any, path: Sequence[str], left: list[int], depth: int = 0) -> Iterator[Any]:
    if left[0] <= 0 or depth > DEEPEST:
        return
    if isinstance(value, list):
        for one in value[:MOST]:
            yield from _at(one, path, left, depth + 1)
    elif path and isinstance(value, Mapping):
        for key, below in value.items():
            folded = key.casefold()
            if folded == path[0]:
                yield from _at(below, path[1:], left, depth + 1)
            elif folded in _WRAPPERS:
                yield from _at(below, path, left, depth + 1)
    elif not path:
        if isinstance(value, Mapping):
            inner = [below for key, below in value.items() if key.casefold() in _WRAPPERS]
            if len(value) == 1 and inner:
                yield from _at(inner[0], path, left, depth + 1)
                return
        left[0] -= 1
        yield value


def account_in(text: str) -> str:
    """The account that an ARN or an account id names; "" where it names none."""
    if _ACCOUNT.fullmatch(text):
        return text
    named = _ARN_ACCOUNT.match(text)
    return named[1] if named else ""


def last_part(arn: str) -> str:
    """The name at the end of an ARN or a path."""
    return arn.rpartition("/")[2] or arn


def named(kind: str, name: str) -> str:
    """ "user mallory"; the kind alone where no name is stated."""
    article = "an" if kind[:1] in "aeio" else "a"
    return f"{kind} {short(name)}" if name else f"{article} {kind}"


def listing(items: Sequence[str], at_most: int = 4) -> str:
    """ "a, b and 7 more", each cut short."""
    shown = [short(one) for one in items[:at_most]]
    left = len(items) - len(shown)
    if left > 0:
        return f"{', '.join(shown)} and {left:,} more"
    if len(shown) > 1:
        return f"{', '.join(shown[:-1])} and {shown[-1]}"
    return shown[0] if shown else ""
