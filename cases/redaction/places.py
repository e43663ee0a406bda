"""What each place of a document holds, by the key it stands under.

Our own documents (reports, answers, alerts) have keys that we chose; records that logs and alerts
quote have AWS's, and whatever a user put into tags. A place whose key says nothing is searched as
somebody's text: too much is taken away rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cases.redaction.forms import REGION, is_event_id, is_moment
from cases.redaction.kinds import NAME, PHONE
from cases.redaction.own_words import own_words


class Holds(Enum):
    """What a text in a place is."""

    OURS = "a code, a time, an event id: stays as it is"
    NAME = "the name of one thing: replaced whole"
    SENTENCE = "our words, with values in them"
    TEXT = "what a log, an alert or a person says"


@dataclass(frozen=True)
class Place:
    """Where a value stands: under which key, in a document of ours or in a quoted record."""

    key: str = ""
    quoted: bool = False
    siblings: Collection[str] = ()
    free: bool = False
    """Whether the keys here are a user's own: below `tags` and the like of a quoted record."""

    def under(self, key: str, parent: Mapping[Any, Any]) -> Place:
        """The place of a member. A list's items stand where the list stands."""
        free = self.quoted and (self.free or _FREE_KEYS.fullmatch(str(key)) is not None)
        return Place(str(key), self.quoted, frozenset(map(str, parent)), free)

    @property
    def _is_tag(self) -> bool:
        """Whether this stands in a pair of a tag's key and value, and nothing else."""
        names = {one.casefold() for one in self.siblings}
        return names in ({"key", "value"}, {"tagkey", "tagvalue"})

    @property
    def is_account(self) -> bool:
        """Whether a number here is an account's."""
        return "account" in self.key.casefold()

    @property
    def is_user_agent(self) -> bool:
        """Whether a text here is what a client calls itself."""
        return self.key.casefold().replace("_", "").removesuffix("s").endswith("useragent")

    @property
    def names(self) -> str | None:
        """The kind of thing that this place's key says it names, or None."""
        key = self.key
        if key.casefold() == "key" and self.quoted:
            # An object's beside its bucket, or in a list of objects; a tag's has a value beside it.
            is_object = "bucketName" in self.siblings or {
                one.casefold() for one in self.siblings
            } <= {"key", "versionid"}
            return "object" if is_object else None
        if self.quoted and key.casefold() in ("value", "tagvalue") and self._is_tag:
            return "tag"
        if self.quoted and key in ("prefix", "x-amz-copy-source", "copySource"):
            return "object"
        if key == "name":
            # An answer's own name; elsewhere, somebody's or something's.
            return None if not self.quoted and "question" in self.siblings else NAME
        for pattern, kind in _NAMING:
            if pattern.fullmatch(key):
                return kind
        if self.quoted and not _OF_AWS.fullmatch(key):
            for pattern, kind in _NAMING_QUOTED:
                if pattern.fullmatch(key):
                    return kind
        return None


def key_holds(key: str, place: Place) -> Holds:
    """What a key is: ours stays whatever anybody is called. In a quoted record AWS's fields are
    letters alone, and `NAME`: replaced only where somebody is called exactly so. With other signs
    in it a key is searched like a sentence, and below `tags` like anybody's text."""
    if not place.quoted:
        return Holds.OURS if key in own_words() or is_event_id(key) else Holds.TEXT
    if place.free or _FREE_KEYS.fullmatch(place.key):
        return Holds.TEXT
    if _CAMEL.fullmatch(key):
        return Holds.OURS
    if key.isascii() and key.isalpha() and len(key) < 64:
        return Holds.NAME
    return Holds.SENTENCE if _FIELD.fullmatch(key) else Holds.TEXT


def holds(text: str, place: Place) -> Holds:
    """What this text, in this place, is."""
    key = place.key
    named = place.names
    if named is not None:
        return Holds.NAME
    if is_moment(text):
        return Holds.OURS
    form = (_QUOTED_CODES if place.quoted else _CODES).get(key)
    if form is not None and form.fullmatch(text):
        return Holds.OURS
    if key in _ID_KEYS and is_event_id(text):
        return Holds.OURS
    if place.quoted or key in _SOMEBODYS:
        # The text of a query is ours; that of a note is somebody's.
        return Holds.SENTENCE if key == "text" and "parameters" in place.siblings else Holds.TEXT
    if key in _SENTENCES or any(character.isspace() for character in text):
        return Holds.SENTENCE
    return Holds.OURS if text in own_words() else Holds.TEXT


_CAMEL = re.compile(r"[A-Z]?[a-z0-9]+(?:[A-Z]+[a-z0-9]*)+|[A-Z]{2,}[A-Za-z0-9]*|x-amz-[a-z0-9-]+")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}|x-amz-[a-z0-9-]+")
_FREE_KEYS = re.compile(r"(?:\w*tags?\w*|attributes|labels|environment|variables|metadata)", re.I)


def _n(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


_ENDING = r"_?(?:name|id|identifier|identity|login)s?"
_NAMING: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        _n(
            r"source_?identity|owner|author|actor|reviewer|person|people|subject|alias|display_?name"
            r"|on_?behalf_?of|\w+_by|user_?name|login_?name|federated_?user_?name|user_?id"
        ),
        "user",
    ),
    (_n(rf"\w*session{_ENDING}"), "session"),
    (_n(rf"\w*role{_ENDING}|permission_?set{_ENDING}"), "role"),
    (_n(rf"\w*bucket(?:{_ENDING})?"), "bucket"),
    (_n(r"object_?(?:name|key)s?"), "object"),
    (_n(rf"\w*secret{_ENDING}"), "secret"),
    (_n(rf"\w*function{_ENDING}"), "function"),
    (_n(rf"\w*table{_ENDING}"), "table"),
    (_n(rf"\w*topic{_ENDING}"), "topic"),
    (_n(rf"\w*queue{_ENDING}"), "queue"),
    (_n(rf"\w*group{_ENDING}"), "group"),
    (_n(rf"\w*policy{_ENDING}"), "policy"),
    (_n(rf"\w*profile{_ENDING}"), "profile"),
    (_n(r"\w*trail_?name"), "trail"),
    (_n(r"email|e_?mail_?address|host_?name|host"), NAME),
    (
        _n(
            rf"\w*(?:user|login|display|principal|identity|cluster|instance|host|domain|device|person|project"
            rf"|stack|repository|key|database|db|image|snapshot|alias){_ENDING}"
        ),
        NAME,
    ),
    (_n(r"label|principal|family_?name|given_?name"), NAME),
)

_NAMING_QUOTED: tuple[tuple[re.Pattern[str], str], ...] = (
    (_n(r"\w*phone(?:_?numbers?)?|\w*mobile|msisdn|fax"), PHONE),
    (_n(r"\w*alias(?:es)?"), "alias"),
    (
        _n(
            r"\w+by|assignee|requesters?|requestor|approvers?|contacts?|senders?|recipients?|b?cc"
            r"|\w*manager|surname|nickname|upn|cn|\w*subject|mail"
        ),
        "user",
    ),
    (
        _n(
            r"\w+(?:name|identifier)s?|name_?id|\w*workgroups?|\w*customer|\w*company"
            r"|\w*organi[sz]ation|\w*tenant|\w*workspace|\w*department|team|site"
        ),
        NAME,
    ),
)
"""In a quoted record any field may name somebody's: too much goes rather than too little."""
_OF_AWS = _n(
    # What AWS named itself, and what says how, not who.
    r"event_?names?|(?:\w*region|availability_?zone|metric|country|city|continent|product|threat"
    r"|threat_?list|port|protocol|attribute|action|operation|field|filter|type|\w+_?type|engine|feature|platform"
    r"|os|algorithm|runtime|dimension|unit|column|header|aws_?service|event_?source)_?names?"
    r"|(?:invoked|sort|sorted|order|ordered|group|grouped|partition|filter|start|supported|caused"
    r"|limited|blocked|standby|near)_?by"
)

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}|[0-9]{1,8}")
_API = re.compile(r"[A-Z][A-Za-z0-9]{1,127}|[a-z][a-z0-9]{1,30}(?:[A-Z][a-z0-9]+)+")
_SOURCE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)?\.amazonaws\.com")
_REGION = re.compile(rf"{REGION}|global|aws-global")
_ERROR = re.compile(r"(?:Client\.|Server\.)?[A-Z][A-Za-z]{2,60}(?:\.[A-Z][A-Za-z]+)*")
_HASH = re.compile(r"(?:[0-9]{1,12}:)?[0-9a-f]{64}")
_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?|TA[0-9]{4}")
_FINDING = re.compile(r"[A-Z]\w+:[A-Z]\w+/[\w.!-]+")

_IDENTITY = re.compile(
    r"(?:AssumedRole|IAMUser|Root|Role|FederatedUser|SAMLUser|WebIdentityUser|IdentityCenterUser"
    r"|AWSAccount|AWSService|Directory|Unknown|Anonymous|AWS::[A-Za-z0-9]+::[A-Za-z0-9]+)"
)


class _OwnCode:
    """Matches the codes that stand in our own sources, and nothing else."""

    def fullmatch(self, text: str) -> bool:
        words = own_words()
        return _CODE.fullmatch(text) is not None and (
            text in words or all(part in words for part in re.split(r"[_.-]", text.casefold()))
        )


class _Either:
    def __init__(self, *forms: Any) -> None:
        self.forms = forms

    def fullmatch(self, text: str) -> bool:
        return any(form.fullmatch(text) for form in self.forms)


_OWN = _OwnCode()

_OF_OURS = """status state verdict severity review method confidence interface kind action format
 shape source sources result reason_class scope new side answer name enrichment field matched
 verdicts cause checked"""

_CODES: Mapping[str, Any] = {
    **dict.fromkeys(_OF_OURS.split(), _OWN),
    "type": _Either(_IDENTITY, _OWN),
    "rule": _Either(re.compile(r"R[0-9][a-z]?"), _OWN),
    "rules": re.compile(r"R[0-9][a-z]?"),
    **dict.fromkeys(("event_name", "event_names"), _API),
    "what": _Either(_API, _OWN),
    **dict.fromkeys(("event_source", "event_sources"), _SOURCE),
    "service": _Either(_SOURCE, _OWN),
    **dict.fromkeys(("region", "regions", "aws_region", "aws_regions"), _REGION),
    **dict.fromkeys(("error_code", "error_codes"), _ERROR),
    **dict.fromkeys(("sha256", "hash", "previous", "seal", "text", "digest"), _HASH),
    **dict.fromkeys(("techniques", "technique", "tactic", "tactics"), _TECHNIQUE),
    "finding_type": _FINDING,
    "index_version": re.compile(
        r"[0-9a-f]{1,64}(?:-[0-9]{1,12}(?:\.[0-9a-f]{1,64})?)?|v?[0-9.:-]{1,40}"
    ),
}

_QUOTED_CODES: Mapping[str, Any] = {
    "eventName": _API,
    "eventSource": _SOURCE,
    "awsRegion": _REGION,
    "region": _REGION,
    "eventType": _API,
    "eventCategory": _API,
    "eventVersion": re.compile(r"[0-9.]{1,6}"),
    "errorCode": _ERROR,
    "type": _Either(_IDENTITY, _FINDING),
    "invokedBy": _SOURCE,
}

_IDS = """event_id event_ids evidence candidates also missing id alert_id eventID requestID
 sharedEventID request_id shared_event_id originalEventID"""
_ID_KEYS = frozenset(_IDS.split())

_OUR_WORDS = "sentence caveats question review_reasons problems what reasons words"
_SENTENCES = frozenset(_OUR_WORDS.split())

_THEIR_WORDS = """text title summary reason comment note notes review_comment tags raw detail
 description user_agent error_message source_ip_address source_ip_addresses records arn role_arn"""
_SOMEBODYS = frozenset(_THEIR_WORDS.split())
