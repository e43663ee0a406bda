"""One walk over a document that collects everything that must go, and says as what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum
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
from cases.redaction.kinds import ACCOUNT, CERTAIN, EMAIL, HOST, KEY, NAME
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
    form = form_of(text)
    return [(kind if form is None or (form == EMAIL and kind != NAME) else form, text)]


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


class Says(IntEnum):
    """What a kind rests on. Of two for one name the greater holds, wherever it was met first."""

    NOTHING = 0  # a name of something
    FORM = 1  # `kim.osterholt` looks like a host, and may be anybody's name
    FREE = 2  # what people write as they like: a tag, a path, an object's key
    LOOSE = 3  # a session bears the name of a user or a role, an owner that of anything
    FIELD = 4  # a role's name stands in `userName`, too
    ARN = 5
    ITSELF = 6  # an account, a key, an address can be nothing else


_FORMS = frozenset({HOST, EMAIL})
"""Kinds that are told by their form, which other names may have as well."""
_FREE = frozenset({"tag", "path", "version", "object"})
_USERS = re.compile(r"(?:\w*user|login)_?(?:name|id)s?", re.I)


def _says(kind: str, by: Says) -> Says:
    if kind == NAME:
        return Says.NOTHING
    if kind in _FORMS:
        return Says.FORM
    if kind in CERTAIN:
        return Says.ITSELF
    if kind in _FREE:
        return Says.FREE
    return Says.LOOSE if kind == "session" else by


class Originals:
    """What must go, as text → kind, in the order in which it was met.

    `forms` are kinds by form of what turned out to be another's name: it may be written like
    a host in any case.
    """

    def __init__(self, documents: Iterable[Any], words: Iterable[str]) -> None:
        self._kinds: dict[str, tuple[Says, str]] = {}  # case-folded: KIM is kim
        self._met: dict[str, None] = {}
        self.forms: dict[str, str] = {}
        self._seen: set[str] = set()
        self.crowded: set[str] = set()
        """Texts that are lists of so many identifiers that they go whole."""
        self.listed = frozenset(word.strip() for word in words if word.strip())
        for word in sorted(self.listed):
            self._add(word, NAME)
        for document in documents:
            self._walk(document, Place(), 0)
        self.found = {text: self._kinds[text.casefold()][1] for text in self._met}

    def _add(self, text: str, kind: str, by: Says = Says.FIELD) -> None:
        self._met.setdefault(text)
        if kind in _FORMS:
            self.forms.setdefault(text, kind)
        folded, says = text.casefold(), _says(kind, by)
        if folded not in self._kinds or self._kinds[folded][0] < says:
            self._kinds[folded] = (says, kind)

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
            kind = place.names or NAME
            is_sure = kind != "user" or _USERS.fullmatch(place.key) is not None
            self._name(text, kind, Says.FIELD if is_sure else Says.LOOSE)
        if place.is_user_agent:
            # What looks like an event's id is a client's own there, and says whose it was.
            for one in event_ids_in(text):
                self._add(one, NAME)
        self._text(text)

    def _name(self, text: str, kind: str, by: Says) -> None:
        if arn_of(text) is not None:
            by = Says.ARN
        for part_kind, part in parts_of_name(text, kind):
            if part_kind is None or is_nobody(part):
                continue
            self._add(part, part_kind, by)
            if form_of(part) == EMAIL and len(local := part.partition("@")[0]) > 2:
                self._add(local, "user", Says.LOOSE)

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
            self._name(arn, NAME, Says.ARN)
        for kind, original in forms:
            self._add(original, kind)


def _readings(text: str, depth: int = 0) -> Iterable[str]:
    """The text as it is, with encodings undone, and what it hides."""
    for form in dict.fromkeys((text, decoded(text))):
        yield form
        if depth < 3 and (hidden := hidden_in(form)[0]):
            yield from _readings(hidden, depth + 1)
