"""One walk over a document that collects everything that must go, and says as what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cases.redaction.forms import (
    ARN,
    arn_of,
    event_ids_in,
    form_of,
    forms_in,
    is_aws_host,
    is_aws_name,
)
from cases.redaction.hidden import as_json, decoded, hidden_in
from cases.redaction.kinds import ACCOUNT, EMAIL, KEY, NAME
from cases.redaction.own_words import own_words
from cases.redaction.places import Holds, Place, holds, key_holds

NESTED = 8
"""JSON in JSON strings is walked this deep; what lies deeper is a text."""

MOST = 5_000
"""Different identifiers within one text; a text with more is a list of them."""

_NO_ONE = """- * root none null true false unknown anonymous hidden_due_to_security_reasons aws 0 1
 amazon guardduty"""
_NOBODY = frozenset({*_NO_ONE.split(), "[redacted]"})
"""What a field that names something holds without naming anyone."""


def is_nobody(text: str) -> bool:
    """Whether a naming field's text names no one."""
    bare = text.strip()
    return not bare or bare.casefold() in _NOBODY or is_aws_host(bare) or is_aws_name(bare)


_BY_COMMAND = " (command line)"


def parts_of_name(text: str, kind: str) -> list[tuple[str | None, str]]:
    """What a naming field holds, cut into (kind, text); None for what stays or is our words.

    The texts joined are the text. `AROA…:session` is two things, and an ARN is several.
    """
    if is_nobody(text):
        return [(None, text)]
    if kind == "user" and text.endswith(_BY_COMMAND):
        # How `cases` names whoever has no name of their own: our words behind the account's name.
        return [*parts_of_name(text.removesuffix(_BY_COMMAND), kind), (None, _BY_COMMAND)]
    arn = arn_of(text)
    if arn is not None:
        return (
            [(None, arn.head), (ACCOUNT if arn.account else None, arn.account), (None, ":")]
            + list(arn.parts)
            if arn.parts
            else [(None, text)]
        )
    head, colon, rest = text.partition(":")
    if colon and rest and (form := form_of(head)) in (KEY, ACCOUNT):
        return [
            (form, head),
            (None, colon),
            *parts_of_name(rest, "session" if form == KEY else "user"),
        ]
    return [(form_of(text) or kind, text)]


def is_account_number(value: object) -> bool:
    """Whether a number may be an account's: one that begins with zeros has fewer figures."""
    return isinstance(value, int | float) and 10**8 <= value < 10**12 and value == int(value)


def is_label(text: str, place: Place) -> bool:
    """Whether a naming field of ours holds a description ("EC2 instance i-0123…"): words of ours
    around something that is found by its own form. In a quoted record nothing is our own."""
    head = None if place.quoted else _DESCRIBED.match(text)
    if head is None:
        return False
    rest = ARN.sub(" ", text[head.end() :])
    for _, found in forms_in(rest):
        rest = rest.replace(found, " ")
    return all(word in own_words() for word in re.findall(r"[^\W_]+", rest.casefold()))


_DESCRIBED = re.compile(
    r"(?:EC2 instance|Systems Manager node|ECS task|EKS pod of session|pod|AWS service|CodeBuild"
    r"|Lambda(?: function)?|Roles Anywhere certificate|Identity Center user|someone named"
    r"|web identity|GitHub Actions:|source identity|root of|account) "
)
"""How our descriptions of who acted begin (`enrich.chain.workload`, `enrich.chain.origin`)."""


class Originals:
    """What must go, as text → kind, in the order in which it was met."""

    def __init__(self, documents: Iterable[Any], words: Iterable[str]) -> None:
        self.found: dict[str, str] = {}
        self._seen: set[str] = set()
        self.crowded: set[str] = set()
        """Texts that are lists of so many identifiers that they go whole."""
        self.listed = frozenset(word.strip() for word in words if word.strip())
        for word in sorted(self.listed):
            self._add(word, NAME)
        for document in documents:
            self._walk(document, Place(), 0)

    def _add(self, text: str, kind: str) -> None:
        if self.found.get(text, NAME) == NAME:
            self.found[text] = kind

    def _walk(self, value: Any, place: Place, depth: int) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if key_holds(str(key), place) in (Holds.TEXT, Holds.SENTENCE):
                    self._text(str(key))
                self._walk(inner, place.under(key, value), depth)
        elif isinstance(value, list | tuple):
            for inner in value:
                self._walk(inner, place, depth)
        elif isinstance(value, str):
            self._leaf(value, place, depth)
        elif place.is_account and is_account_number(value):
            self._add(f"{int(value):012d}", ACCOUNT)

    def _leaf(self, text: str, place: Place, depth: int) -> None:
        document = as_json(text) if depth < NESTED else None
        if document is not None:
            self._walk(document, Place(place.key, True), depth + 1)
            return
        what = holds(text, place)
        if what is Holds.OURS:
            return
        if what is Holds.NAME and not is_label(text, place):
            self._name(text, place.names or NAME)
        if place.is_user_agent:
            # What looks like an event's id is a client's own there, and says whose it was.
            for one in event_ids_in(text):
                self._add(one, NAME)
        self._text(text)

    def _name(self, text: str, kind: str) -> None:
        for part_kind, part in parts_of_name(text, kind):
            if part_kind is None or is_nobody(part):
                continue
            self._add(part, part_kind)
            if part_kind == EMAIL and len(local := part.partition("@")[0]) > 2:
                self._add(local, "user")

    def _text(self, text: str) -> None:
        if text in self._seen:  # the same sentence stands in many fields
            return
        self._seen.add(text)
        arns: dict[str, None] = {}
        forms: dict[tuple[str, str], None] = {}
        for form in dict.fromkeys(_readings(text)):
            for found in ARN.finditer(form):
                arns[found[0]] = None
                if len(arns) > MOST:
                    break
            for one in forms_in(form):
                forms[one] = None
                if len(forms) > MOST:
                    break
            if max(len(arns), len(forms)) > MOST:
                self.crowded.add(text)
                return
        for arn in arns:
            self._name(arn, NAME)
        for kind, original in forms:
            self._add(original, kind)


def _readings(text: str, depth: int = 0) -> Iterable[str]:
    """The text as it is, with encodings undone, and what it hides."""
    for form in dict.fromkeys((text, decoded(text))):
        yield form
        if depth < 3 and (hidden := hidden_in(form)[0]):
            yield from _readings(hidden, depth + 1)
