"""Redaction: the same document with every account, ARN, name, key, address, e-mail and host
replaced by a stand-in, the same one wherever the original stood.

First the originals are collected: by their form anywhere in the document (also inside JSON,
percent, HTML and base64 encodings), and by the fields that name things. Then every string is
rewritten, and afterwards looked at again in all those encodings: one in which an original still
shows is dropped whole. Too much is taken away rather than too little.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cases.encodings import BASE64, HEX, as_json, decoded, texts_of, unpacked, variants

DROPPED = "[redacted]"

_ARN = re.compile(r"arn:aws[a-z-]*:[a-zA-Z0-9-]*:[a-z0-9-]*:([0-9]*|aws):([^\s\"'<>,;|]+)", re.I)
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_ACCOUNT_DASHED = re.compile(r"(?<![0-9-])[0-9]{4}-[0-9]{4}-[0-9]{4}(?![0-9-])")
_UNIQUE_ID = re.compile(
    r"(?:AKIA|ASIA|AROA|AIDA|AIPA|AGPA|ANPA|ANVA|APKA|ABIA|ACCA|ASCA)[A-Z0-9]{12,}", re.I
)
_IPV4 = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.]*[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])", re.I)
# Looked for from the start of a word only, or a long word without an "@" would take minutes.
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_HOST = re.compile(
    r"(?<![\w.@-])(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z]", re.I
)
_DASHED_IP_HOST = re.compile(r"\b(?:ip|ec2)(?:-[0-9]{1,3}){4}\b", re.I)
_RESOURCE_ID = re.compile(r"\b(?:i|vpce|vpc|eni|subnet|sg|vol|snap|ami)-[0-9a-f]{8,17}\b", re.I)

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_LONG_HEX = re.compile(r"(?<![0-9a-z])[0-9a-f]{32,}(?![0-9a-z])", re.I)
_HASH = re.compile(r"(?:[0-9]{1,12}:)?([0-9a-f]{64})")
_HASH_KEYS = frozenset({"sha256", "hash", "previous", "seal", "text"})
_FINDING_TYPE = re.compile(r"\b[A-Z]\w+:[A-Z]\w+/[\w.!-]+")

# AWS's own hosts name a service, not the customer: ec2.amazonaws.com, s3.eu-west-1.amazonaws.com.
# A bucket's or an endpoint's host does: bucket.s3.amazonaws.com, id.execute-api.….amazonaws.com.
_AWS_HOST = re.compile(
    r"(?:[a-z0-9-]+\.(?:dualstack\.)?(?:[a-z]{2}(?:-[a-z]+)+-[0-9]\.)?)?"
    r"(?:amazonaws\.com(?:\.cn)?|api\.aws)|(?:[a-z0-9-]+\.)*aws\.amazon\.com",
    re.I,
)

_NAMING_KEY = re.compile(
    r"(?:user|role|session|bucket|group|policy|profile|function|key|login|display|principal|secret"
    r"|table|topic|queue|cluster|instance|host|domain|device|person|project|stack|repository)"
    r"_?(?:name|id|identifier|identity)s?$",
    re.I,
)
_NAMING_KEYS = frozenset(
    {
        "label",
        "source_identity",
        "sourceidentity",
        "owner",
        "author",
        "actor",
        "reviewer",
        "opened_by",
        "decided_by",
        "closed_by",
        "added_by",
        "frozen_by",
        "saved_by",
        "username",
        "email",
        "hostname",
        "host",
        "bucket",
        "alias",
        "on_behalf_of",
        "onbehalfof",
        "principal",
        "subject",
        "people",
    }
)

# Words that a naming field holds without naming anyone.
_NOBODY = frozenset(
    {
        "",
        "-",
        "*",
        "root",
        "none",
        "null",
        "true",
        "false",
        "unknown",
        "anonymous",
        "hidden_due_to_security_reasons",
        "aws",
        "0",
        "1",
        DROPPED,
    }
)

_FIXED_KEYS = """
    access_key_id account_id accounts action active active_days actor after after_alert alert
    alert_id alerts all_apis answers arn at author before by calls candidates case case_id
    case_version cases caveats chain chains closed_at closed_by comment confidence count
    coverage data days decided_at decided_by detail elapsed_ms entries enumeration error_code
    event_id event_ids event_name event_source event_time events evidence evidence_id
    evidence_ids failed field finding_type first first_arrival first_seen format forward from
    frozen frozen_at frozen_by generated_at hash head heads_checked history how id index
    index_version interface kept kind label last last_arrival last_seen method
    minted_access_key_id missing name new nodes note notes ok opened_at opened_by origin origins
    owner pairs parameters pinned previous principal principal_id principals problems queries
    question raw read reason reason_class reasons records redacted region regions rejected
    reopened repeated result review review_comment review_reasons reviewed_at reviewer role
    role_arn roles rows rule same_agent same_api same_ip same_ip_and_agent sample scope seal
    sensitive_reads sentence seq service services session_created session_name severity sha256
    shape sign_in_session_arn skipped source source_identity source_ip_address
    source_ip_addresses sources state status summary tags targets_unknown techniques text
    time_distance_s timeline title to total triaged_at type user user_agent user_name verdict
    verification version what whole_role window written_at
"""
FIXED_KEYS = frozenset(_FIXED_KEYS.split())
"""The keys of our own documents, which stay as they are. Any other key is rewritten as text."""


class Redactor:
    """Rewrites documents; built from the one document (or several) whose originals it knows."""

    def __init__(self, *documents: Any, names: Iterable[str] = ()) -> None:
        self._stand_ins: dict[str, str] = {}  # original, case-folded → stand-in
        self._written: dict[str, str] = {}  # what was rewritten already
        found: dict[str, str] = {}  # original → kind
        seen: set[str] = set()
        for name in names:
            _collect_text(name, found, seen)
            _name_parts(name, found)
        for document in documents:
            _collect("", document, found, seen, 0)
        self._assign(found)
        self._pattern = _pattern_of(self._stand_ins)
        self._variants = {
            variant.casefold(): stand_in
            for original, stand_in in self._stand_ins.items()
            for variant in variants(original)
        }

    @property
    def originals(self) -> frozenset[str]:
        """What is replaced, case-folded."""
        return frozenset(self._stand_ins)

    def redact(self, value: Any) -> Any:
        """The value with every string in it, keys included, rewritten."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {
                key if key in FIXED_KEYS else self._text(str(key)): (
                    inner if key in _HASH_KEYS and self._is_hash(inner) else self.redact(inner)
                )
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.redact(inner) for inner in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._stand_ins.get(str(value), value)
        return value

    def _is_hash(self, value: Any) -> bool:
        """Whether this is a hash of ours, to be kept: not someone's text in hex."""
        found = _HASH.fullmatch(value) if isinstance(value, str) else None
        return found is not None and not any(
            self._shows(text) for text in texts_of(bytes.fromhex(found[1]))
        )

    def _assign(self, found: Mapping[str, str]) -> None:
        counters: dict[str, int] = {}
        known = frozenset(one.casefold() for one in found)
        # Short names are too common to be searched for inside other words.
        searched = [one for one in known if len(one) > 3]
        for original, kind in found.items():
            folded = original.casefold()
            if folded in self._stand_ins:
                continue
            while True:
                counters[kind] = counters.get(kind, 0) + 1
                stand_in = _STAND_INS[kind](original, counters[kind])
                if stand_in.casefold() in known:
                    continue
                if any(one in stand_in.casefold() for one in searched):
                    # The original is a word of ours ("host"): fall back on figures alone.
                    stand_in = f"x{counters[kind]:06d}"
                    if any(one in stand_in for one in known):
                        continue
                break
            self._stand_ins[folded] = stand_in

    def _text(self, text: str) -> str:
        if text not in self._written:
            self._written[text] = self._rewritten(text)
        return self._written[text]

    def _rewritten(self, text: str) -> str:
        document = as_json(text)
        if document is not None:
            return json.dumps(self.redact(document), ensure_ascii=False)
        written = self._replace(text)
        if not self._shows(written):
            return written
        # Something encoded is left: show it decoded, if it can be shown at all.
        written = self._replace(BASE64.sub(self._token, HEX.sub(self._token, text)))
        if not self._shows(written):
            return written
        written = self._replace(decoded(written))
        return DROPPED if self._shows(written) else written

    def _replace(self, text: str) -> str:
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda m: self._variants.get(m[0].casefold(), DROPPED), text)

    def _token(self, match: re.Match[str]) -> str:
        return DROPPED if any(self._shows(text) for text in unpacked(match[0])) else match[0]

    def _shows(self, text: str, depth: int = 0) -> bool:
        """Whether an original can still be read in the text, in any encoding we know of."""
        if self._pattern is None:
            return False
        for form in {text, decoded(text)}:
            if self._pattern.search(form):
                return True
            if depth < 2:
                for token in (*BASE64.findall(form), *HEX.findall(form)):
                    if any(self._shows(inner, depth + 1) for inner in unpacked(token)):
                        return True
        return False


def redact(document: Any, names: Iterable[str] = ()) -> Any:
    """The document with stand-ins for everything that identifies someone or something."""
    return Redactor(document, names=names).redact(document)


# Collecting


def _collect(key: str, value: Any, found: dict[str, str], seen: set[str], depth: int) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in FIXED_KEYS:
                _collect_text(str(name), found, seen)
            _collect(str(name), inner, found, seen, depth)
    elif isinstance(value, list | tuple):
        for inner in value:
            _collect(key, inner, found, seen, depth)
    elif isinstance(value, str):
        document = as_json(value) if depth < 4 else None
        if document is not None:
            _collect(key, document, found, seen, depth + 1)
            return
        _collect_text(value, found, seen)
        if _NAMING_KEY.search(key) or key.casefold() in _NAMING_KEYS:
            _name_parts(value, found)
    elif isinstance(value, int) and "account" in key.casefold() and len(str(value)) == 12:
        found.setdefault(str(value), "account")


def _collect_text(text: str, found: dict[str, str], seen: set[str]) -> None:
    if text in seen:  # the same sentence stands in many fields
        return
    seen.add(text)
    forms = {text, decoded(text)}
    for token in (*BASE64.findall(text), *HEX.findall(text)):
        for text_inside in unpacked(token):
            forms |= {text_inside, decoded(text_inside)}
    for form in sorted(forms):
        _collect_forms(form, found)


def _collect_forms(text: str, found: dict[str, str]) -> None:
    for match in _ARN.finditer(text):
        if match[1] == "aws":
            continue  # AWS's managed policies are everyone's
        _arn_parts(match[2], found)
    # Event ids are evidence and stay, though their last group may look like an account; finding
    # types have dots and are no hosts; one hash in eight has twelve figures in a row.
    text = _LONG_HEX.sub(" ", _UUID.sub(" ", _FINDING_TYPE.sub(" ", text)))
    for pattern, kind in (
        (_EMAIL, "email"),
        (_UNIQUE_ID, "key"),
        (_ACCOUNT, "account"),
        (_ACCOUNT_DASHED, "account"),
        (_RESOURCE_ID, "resource"),
        (_DASHED_IP_HOST, "host"),
    ):
        for match in pattern.finditer(text):
            found.setdefault(match[0], kind)
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            if _is_address(match[0]):
                found.setdefault(match[0], "ipv6" if ":" in match[0] else "ipv4")
    for match in _HOST.finditer(text):
        if not _AWS_HOST.fullmatch(match[0]):
            found.setdefault(match[0], "host")


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not address.is_unspecified


def _arn_parts(resource: str, found: dict[str, str]) -> None:
    # user/path/alice, assumed-role/reader/session, function:name, or a bucket with its key.
    parts = re.split(r"[/:]", resource)
    names = parts[1:] if len(parts) > 1 and re.fullmatch(r"[a-z-]+", parts[0]) else parts
    for name in names:
        _name_parts(name, found)


def _name_parts(name: str, found: dict[str, str]) -> None:
    """Register what a naming field holds, and the parts that name something by themselves."""
    name = name.strip()
    if name.startswith("arn:"):
        return  # its parts are found by its form
    if name.casefold() in _NOBODY or _AWS_HOST.fullmatch(name) or len(name) < 2:
        return
    identity, colon, session = name.partition(":")
    if colon and _UNIQUE_ID.fullmatch(identity):
        _name_parts(session, found)
        return
    if " " in name and (_RESOURCE_ID.search(name) or "arn:" in name or "@" in name):
        return  # a label around something that is found by its own form
    if _RESOURCE_ID.fullmatch(name):
        return
    if _UNIQUE_ID.fullmatch(name) or _ACCOUNT.fullmatch(name) or _EMAIL.fullmatch(name):
        if _EMAIL.fullmatch(name):
            local = name.partition("@")[0]
            if len(local) > 2:
                found.setdefault(local, "name")
        return
    if len(name) > 200:
        return  # no name: a text in a field of that name
    found.setdefault(name, "name")


_AS_WORD = r"(?<![^\W\d_]){}(?![^\W\d_])"


def _pattern_of(stand_ins: Mapping[str, str]) -> re.Pattern[str] | None:
    if not stand_ins:
        return None
    alternatives: dict[str, int] = {}  # pattern → how much it stands for
    for original in stand_ins:
        for variant in variants(original):
            escaped = re.escape(variant)
            # "Ann" is someone's name, but not in "planned".
            pattern = _AS_WORD.format(escaped) if len(original) < 4 else escaped
            alternatives[pattern] = len(variant)
    # The longest first: a mail address before the name in it.
    ordered = sorted(alternatives, key=lambda one: alternatives[one], reverse=True)
    return re.compile("|".join(ordered), re.IGNORECASE)


# Stand-ins


def _key_stand_in(original: str, number: int) -> str:
    return f"{original[:4].upper()}{'REDACTED':0<{max(8, len(original) - 8)}}{number:04d}"


_STAND_INS: dict[str, Callable[[str, int], str]] = {
    "account": lambda original, n: f"9999-0000-{n:04d}" if "-" in original else f"99990000{n:04d}",
    "key": _key_stand_in,
    "ipv4": lambda _, n: f"240.0.{n // 256}.{n % 256}",  # reserved: never a real address
    "ipv6": lambda _, n: f"100::{n:x}",  # the discard prefix
    "email": lambda _, n: f"person-{n}@redacted.example",
    "host": lambda _, n: f"host-{n}.redacted.example",
    "resource": lambda original, n: f"{original.partition('-')[0]}-{n:017d}",
    "name": lambda _, n: f"name-{n}",
}
