"""What Athena, CloudTrail Lake and Java print of an object: `{type=IAMUser, arn=…}`.

Nothing in such text is quoted, so a name that a caller chose may look like the next entry. The
text of `userIdentity` is therefore cut only where that struct's own keys stand, each once, and
only where there is one way to do it; a value that AWS never writes with a blank (an ARN, an
account, a key, a session's name) ends at one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from trail.read.place import plain_name

_SESSION_ISSUER: dict[str, Any] = {
    "type": None, "principalid": None, "arn": None, "accountid": None, "username": None,
}  # fmt: skip
_IDENTITY: dict[str, Any] = {
    "type": None, "principalid": None, "arn": None, "accountid": None, "invokedby": None,
    "accesskeyid": None, "username": None, "credentialid": None, "identityprovider": None,
    "signinsessionarn": None,
    "onbehalfof": {"userid": None, "identitystorearn": None},
    "invokedbydelegate": {"accountid": None},
    "inscopeof": {
        "issuertype": None, "credentialsissuedto": None, "credentialsissuedtoversion": None,
        "sourcearn": None, "sourceaccount": None,
    },
    "sessioncontext": {
        "attributes": {
            "mfaauthenticated": None, "creationdate": None, "sessioncredentialfromconsole": None,
        },
        "sessionissuer": _SESSION_ISSUER,
        "ec2roledelivery": None, "sourceidentity": None, "assumedroot": None,
        "signinsessionarn": None,
        "webidfederationdata": {"federatedprovider": None, "attributes": {}},
    },
}  # fmt: skip
"""The struct's keys, from AWS's own definition of the table; an object for a struct below."""
_FREE = frozenset({"principalid", "username", "identityprovider"})
"""Values that an identity provider may have chosen, so that they may hold a blank."""
_NAMED_BY_AWS = frozenset({"AssumedRole", "IAMUser", "Root", "Role", "AWSAccount", "AWSService"})
"""Types whose names hold none: AWS allows `[\\w+=,.@-]` in them, and `/` in paths."""
_KEY = re.compile(r"\s*([A-Za-z_][\w.-]*)=")
_NEXT = re.compile(r", (?=[A-Za-z_][\w.-]*=)|, (?=[\[{])|[{}\[\]]")
_RUN = re.compile(r"[^\s{}]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: (?:UTC|Z))?(?=\}|, )")
_DATED = frozenset({"creationdate"})
"""Keys of a time, which SQL engines print with a blank inside; their value is one or nothing."""
_ENDS = re.compile(r"\}|, ([A-Za-z_][\w.-]*)=")
_MAX_DEPTH = 20
_TRIES = 2_000


class Ambiguous(ValueError):
    """The text can be cut in several ways, or in none, so nobody can say what it states."""


@lru_cache(4_096)
def identity_in(text: str) -> dict[str, Any]:
    """The `userIdentity` that a struct's print states. It is kept, so only a copy may be changed.

    Raises `Ambiguous`.
    """
    stripped = text.strip()
    left = [_TRIES]
    best: list[dict[str, Any]] = []
    for value, end in _known(stripped, 0, _IDENTITY, left):
        # A table prints all of its keys: what leaves one out has taken it for part of a name.
        if end < len(stripped) or value in best or (best and len(value) < len(best[0])):
            continue
        best = [value] if not best or len(value) > len(best[0]) else [*best, value]
    if not best and left[0] > 0:
        raise Ambiguous("its userIdentity is printed in no form that can be read for certain")
    if len(best) != 1 or left[0] <= 0:
        raise Ambiguous(
            "its userIdentity is printed so that a name in it may be taken for another field"
        )
    return best[0]


def _known(
    text: str, at: int, schema: Mapping[str, Any], left: list[int]
) -> Iterator[tuple[dict[str, Any], int]]:
    """Each way to read a struct with these keys from here on, and where it ends."""
    if text[at : at + 1] == "{":
        yield from _entries(text, at + 1, schema, {}, left)


def _entries(
    text: str, at: int, schema: Mapping[str, Any], before: dict[str, Any], left: list[int]
) -> Iterator[tuple[dict[str, Any], int]]:
    left[0] -= 1
    if left[0] <= 0:
        return
    if text[at : at + 1] == "}":
        yield before, at + 1
        return
    key = _KEY.match(text, at)
    if key is None or plain_name(key[1]) in {plain_name(name) for name in before}:
        return
    name = plain_name(key[1])
    for value, end in _values(text, key.end(), name, schema, before, left):
        known = before | {key[1]: value}
        if text[end : end + 1] == "}":
            yield known, end + 1
        elif text[end : end + 2] == ", ":
            yield from _entries(text, end + 2, schema, known, left)


def _values(
    text: str,
    at: int,
    name: str,
    schema: Mapping[str, Any],
    before: Mapping[str, Any],
    left: list[int],
) -> Iterator[tuple[Any, int]]:
    below = schema.get(name)
    if isinstance(below, dict) and text[at : at + 1] == "{":
        if below:
            yield from _known(text, at, below, left)
        else:
            value, end = _struct(text, at, 0)
            if end > 0:
                yield value, end
        return
    if name in _DATED and (date := _DATE.match(text, at)) is not None:
        yield date[0], date.end()
        return
    run = _RUN.match(text, at)
    end = at if run is None else run.end()
    if text[end : end + 1] == "}" or (text[end - 1 : end] == "," and text[end : end + 1] == " "):
        end -= text[end : end + 1] != "}"
        if end >= at:
            yield _said(text[at:end]), end
    if name not in _FREE or schema is not _IDENTITY or before.get("type") in _NAMED_BY_AWS:
        return
    used = {plain_name(known) for known in before}
    for stop in _ENDS.finditer(text, end + 1):
        if stop[1] is None or (
            (following := plain_name(stop[1])) in schema and following not in used | {name}
        ):
            left[0] -= 1
            yield _said(text[at : stop.start()]), stop.start()


def _said(text: str) -> str | None:
    stripped = text.strip()
    return None if stripped in ("null", "") else stripped


def struct_in(text: str) -> Any:
    """The value of `{a=1, b={c=2}, d=[…]}` whose keys are not known; the text itself if it is
    nothing of that kind. A key that stands twice is left out: one of them is part of a value.
    """
    stripped = text.strip()
    if stripped[:1] not in ("{", "["):
        return text
    value, end = _struct(stripped, 0, 0)
    return value if end == len(stripped) else text


def _struct(text: str, position: int, depth: int) -> tuple[Any, int]:
    """The value that starts at `position`, and where it ends; end -1 if it never does."""
    if depth > _MAX_DEPTH:
        return None, -1
    if text[position : position + 1] == "{":
        fields: dict[str, Any] = {}
        twice: set[str] = set()
        position += 1
        while position < len(text) and text[position] != "}":
            key = _KEY.match(text, position)
            if key is None:
                return None, -1
            value, position = _struct(text, key.end(), depth + 1)
            if position < 0:
                return None, -1
            if key[1] in fields:
                twice.add(key[1])
            fields[key[1]] = value
            position = _past_comma(text, position)
        for name in twice:
            del fields[name]
        return fields, (position + 1 if position < len(text) else -1)
    if text[position : position + 1] == "[":
        items: list[Any] = []
        position += 1
        while position < len(text) and text[position] != "]":
            item, after = _struct(text, position, depth + 1)
            if after <= position:
                return None, -1
            items.append(item)
            position = _past_comma(text, after)
        return items, (position + 1 if position < len(text) else -1)
    end = _NEXT.search(text, position)
    stop = end.start() if end else len(text)
    return _said(text[position:stop]), stop


def _past_comma(text: str, position: int) -> int:
    if text[position : position + 1] == ",":
        position += 1
        while text[position : position + 1] == " ":
            position += 1
    return position
