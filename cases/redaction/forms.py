"""What shows by its form what it is: ARNs, keys, accounts, addresses, hosts, e-mails, ids."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cases.redaction.kinds import ACCOUNT, ADDRESS, EMAIL, HOST, KEY, PHONE, RESOURCE
from cases.redaction.writings import without_padding

ARN = re.compile(
    r"arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(?:[0-9]*|aws):"
    r"[^\s\"'<>;|\\]*?[^\s\"'<>;|\\.,:)\]}](?=[.,:)\]}]*(?:$|[\s\"'<>;|\\]|,arn:))",
    re.I,
)
_WHOLE_ARN = re.compile(
    r"(arn:aws[a-z-]*):([a-z0-9-]*):([a-z0-9-]*):([0-9]*|aws):(.+)", re.I | re.DOTALL
)

_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")
_ACCOUNT_DASHED = re.compile(r"(?<![0-9-])[0-9]{4}-[0-9]{4}-[0-9]{4}(?![0-9-])")
_ACCOUNT_SPACED = re.compile(r"(?<![0-9])(?<![0-9] )[0-9]{4} [0-9]{4} [0-9]{4}(?! ?[0-9])")
_PHONE = re.compile(r"(?<![\w+])\+[1-9](?:[ ()./-]{0,2}[0-9]){6,14}(?!\w)")
_UNIQUE_ID = re.compile(
    r"(?=A)(?:AKIA|ASIA|AROA|AIDA|AIPA|AGPA|ANPA|ANVA|APKA|ABIA|ACCA|ASCA)[A-Z0-9]{12,}", re.I
)
_IPV4 = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.]*[0-9])")
_IPV6 = re.compile(
    r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?:\.[0-9]{1,3}){3})?(?![\w:])", re.I
)
# Looked for from the start of a word only, or a long word without an "@" would take minutes.
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_HOST = re.compile(
    r"(?<![\w.@-])(?:\w(?:[\w-]*[^\W_])?\.)+(?:xn--[a-z0-9-]*[a-z0-9]|[^\W\d_][\w-]*[^\W\d_])", re.I
)
_DASHED_IP_HOST = re.compile(r"\b(?:ip|ec2)(?:-[0-9]{1,3}){4}\b", re.I)
_RESOURCE_ID = re.compile(
    r"\b(?:i|mi|vpce|vpc|eni|subnet|sg|vol|snap|ami|igw|rtb|nat|eipalloc|tgw|fs|lt|r)"
    r"-[0-9a-f]{8,17}\b",
    re.I,
)

_UUID = re.compile(r"(?<![0-9a-f-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-f-])", re.I)
_LONG_HEX = re.compile(r"(?<![0-9a-z])[0-9a-f]{32,}(?![0-9a-z])", re.I)
# What is in every text that one of these fits; each begins with one sign, and is found at once.
_AT = re.compile("@")
_PLUS = re.compile(r"\+[1-9]")
_DASHED_FIGURE = re.compile("-[0-9]")
_DASHED_FIGURES = re.compile("-[0-9]{4}")
_SPACED_FIGURES = re.compile(" [0-9]{4}")
_DASHED_HEX = re.compile("-[0-9a-f]{8}", re.I)
_POINT_FIGURE = re.compile(r"\.[0-9]{1,3}\.")
_POINT_LETTER = re.compile(r"\.[^\W\d_]")
_TWO_COLONS = re.compile(":[0-9a-f]{0,4}:", re.I)

_FINDING_TYPE = re.compile(r"\b[A-Z]\w+:[A-Z]\w+/[\w.!-]+")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:Z| ?UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_MOMENT_IN_TEXT = re.compile(
    rf"(?<![\w.-]){_MOMENT.pattern}(?![\w-])|(?<![\w.:-])[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?(?![\w:])"
)

REGION = (
    r"(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov|-iso[a-z]?)?"
    r"-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-[0-9]"
)

# AWS's own hosts name a service, not the customer: ec2.amazonaws.com, s3.eu-west-1.amazonaws.com.
# A bucket's or an endpoint's host does: bucket.s3.amazonaws.com, id.execute-api.….amazonaws.com.
_AWS_HOST = re.compile(
    r"(?:[a-z0-9-]+\.(?:dualstack\.)?(?:[a-z]{2}(?:-[a-z]+)+-[0-9]\.)?)?"
    r"(?:amazonaws\.com(?:\.cn)?|api\.aws)"
    # An account's alias stands before `signin`, where a Region may.
    rf"|(?:(?:{REGION}\.)?signin\.|(?![a-z0-9.-]*\.signin\.)(?:[a-z0-9-]+\.)*)aws\.amazon\.com",
    re.I,
)
_AWS_NAME = re.compile(
    rf"{REGION}[a-z]?|(?:com|cn)\.amazonaws\.[\w.-]+|aws\.[\w.-]+|AWS::[\w:]+", re.I
)
# What a host or a URL of AWS's says of a customer. A path's first part is a bucket only behind S3's
# own host, and behind `s3://`.
_SIGNIN = re.compile(
    rf"(?<![\w.-])(?!{REGION}\.)([a-z0-9-]+)\.signin\.(?:aws\.amazon|amazonaws)\.com", re.I
)
_BUCKET_HOST = re.compile(
    r"(?<![\w.-])([a-z0-9][a-z0-9.-]+?)\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com", re.I
)
_END = r"[^\s\"'<>?#&|\\,;)\]}/]"
_S3_URL = re.compile(
    r"(?:\bs3[an]?://|\bs3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?(?::[0-9]+)?/)"
    rf"({_END}{{3,63}})(?:/({_END}(?:/|{_END})*))?",
    re.I,
)
_QUEUE_URL = re.compile(
    rf"\b(?:sqs\.[a-z0-9-]+|[a-z0-9-]+\.queue|queue)\.amazonaws\.com(?:\.cn)?/[0-9]{{12}}/({_END}+)",
    re.I,
)


@dataclass(frozen=True)
class Arn:
    """An ARN's head, its account, and the named parts of its resource with what joins them."""

    head: str  # arn:aws:iam::
    account: str
    parts: tuple[tuple[str | None, str], ...]  # (kind, or None for AWS's own words, text)


def form_of(text: str) -> str | None:
    """The kind of a text that is one thing by its form, or None."""
    if _UNIQUE_ID.fullmatch(text):
        return KEY
    if _ACCOUNT.fullmatch(text) or _ACCOUNT_DASHED.fullmatch(text):
        return ACCOUNT
    if _RESOURCE_ID.fullmatch(text):
        return RESOURCE
    if _EMAIL.fullmatch(text):
        return EMAIL
    return ADDRESS if is_address(text) else None


def is_moment(text: str) -> bool:
    """Whether the text is a date or a time, in our form or AWS's."""
    return _MOMENT.fullmatch(text) is not None


def is_event_id(text: str) -> bool:
    """Whether the text is a UUID or a hash: the id of an event, which is evidence and stays."""
    if _UUID.fullmatch(text) is None and not (
        len(text) in (32, 40, 64) and _LONG_HEX.fullmatch(text) is not None
    ):
        return False
    # Sixteen bytes at random are never all readable: such an id is a text in hex.
    return not bytes.fromhex(text.replace("-", "")).decode("latin-1").isprintable()


def event_ids_in(text: str) -> list[str]:
    """What within a text looks like the id of an event."""
    return [*_UUID.findall(text), *_LONG_HEX.findall(text)]


def is_aws_host(text: str) -> bool:
    """Whether the host is a service of AWS, and nobody's own."""
    return _AWS_HOST.fullmatch(text) is not None


def is_aws_name(text: str) -> bool:
    """Whether it is a Region, or what AWS calls an endpoint's service or a resource's type."""
    return _AWS_NAME.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Whether the text is an IP address that could be somebody's."""
    try:
        return not ipaddress.ip_address(without_padding(text)).is_unspecified
    except ValueError:
        return False


def forms_in(text: str) -> Iterator[tuple[str, str]]:
    """Everything in a text that its form gives away, as (kind, original); ARNs aside."""
    # Event ids are evidence and stay, though their last group may look like an account; finding
    # types have dots and are no hosts; one hash in eight has twelve figures in a row.
    if ":" in text:
        text = _FINDING_TYPE.sub(" ", text)
    text = _LONG_HEX.sub(" ", _UUID.sub(" ", text) if "-" in text else text)
    # Each only where that stands which it cannot do without: a megabyte takes a tenth of a second
    # for each.
    for pattern, kind, sign in (
        (_EMAIL, EMAIL, _AT),
        (_UNIQUE_ID, KEY, None),
        (_ACCOUNT, ACCOUNT, None),
        (_ACCOUNT_DASHED, ACCOUNT, _DASHED_FIGURES),
        (_ACCOUNT_SPACED, ACCOUNT, _SPACED_FIGURES),
        (_PHONE, PHONE, _PLUS),
        (_RESOURCE_ID, RESOURCE, _DASHED_HEX),
        (_DASHED_IP_HOST, HOST, _DASHED_FIGURE),
    ):
        if sign is None or sign.search(text):
            for match in pattern.finditer(text):
                yield kind, match[0]
    for pattern, sign in ((_IPV4, _POINT_FIGURE), (_IPV6, _TWO_COLONS)):
        if sign.search(text):
            for match in pattern.finditer(text):
                if is_address(match[0]):
                    yield ADDRESS, match[0]
    folded = text.casefold()
    for pattern, kinds, signs in _NAMING_URLS:
        if any(sign in folded for sign in signs):
            for match in pattern.finditer(text):
                for kind, name in zip(kinds, match.groups(), strict=True):
                    if name:
                        yield kind, name.rstrip(".:")
    if _POINT_LETTER.search(text):
        for match in _HOST.finditer(text):
            if not is_aws_host(match[0]):
                yield HOST, match[0]


_NAMING_URLS = (
    (_SIGNIN, ("alias",), (".signin.",)),
    (_BUCKET_HOST, ("bucket",), (".amazonaws.com",)),
    (_S3_URL, ("bucket", "object"), ("://", ".amazonaws.com")),
    (_QUEUE_URL, ("queue",), (".amazonaws.com",)),
)
"""Each with what is in every text that it fits."""


def aws_hosts_in(text: str) -> Iterator[re.Match[str]]:
    """The hosts within a text that are services of AWS, and nobody's own."""
    return (match for match in _HOST.finditer(text) if is_aws_host(match[0]))


def moments_in(text: str) -> Iterator[re.Match[str]]:
    """Dates and times within a text."""
    return _MOMENT_IN_TEXT.finditer(text)


_AWS_PATHS = frozenset({"service-role", "aws-service-role", "aws-reserved", "sso.amazonaws.com"})

_SECTIONS = {  # of a resource: what stands behind its first word
    "user": "user",
    "federated-user": "user",
    "role": "role",
    "assumed-role": "role",
    "group": "group",
    "policy": "policy",
    "instance-profile": "profile",
    "server-certificate": "certificate",
    "saml-provider": "provider",
    "oidc-provider": "provider",
    "secret": "secret",
    "function": "function",
    "table": "table",
    "cluster": "cluster",
    "key": "key-id",
    "alias": "alias",
    "log-group": "log-group",
    "trail": "trail",
    "parameter": "parameter",
    "repository": "repository",
    "stack": "stack",
    "session": "session",
}
_OF_SERVICE = {"sns": "topic", "sqs": "queue"}


def arn_of(text: str) -> Arn | None:
    """The parts of a text that is an ARN as a whole, or None. AWS's managed policies have none."""
    found = _WHOLE_ARN.fullmatch(text)
    if found is None:
        return None
    partition, service, region, account, resource = found.groups()
    head = f"{partition}:{service}:{region}:"
    if account.casefold() == "aws":
        return Arn(f"{head}{account}:{resource}", "", ())
    return Arn(head, account, tuple(_resource(service.casefold(), resource)))


def _resource(service: str, resource: str) -> Iterator[tuple[str | None, str]]:
    if service == "s3":
        bucket, slash, key = resource.partition("/")
        yield "bucket", bucket
        if slash:
            yield None, slash
            # One thing: its folders are words of any language, and never searched for.
            yield ("object", key) if key.strip("*/") else (None, key)
        return
    section = re.match(r"([a-z][a-z-]*)([/:])(?=.)", resource)
    if section is None:
        yield (
            (_OF_SERVICE.get(service, "name"), resource) if resource != "root" else (None, resource)
        )
        return
    yield None, section[0]
    kind = _SECTIONS.get(section[1], "name")
    rest = resource[section.end() :]
    if section[1] == "assumed-role":
        role, slash, session = rest.partition("/")
        yield "role", role
        if slash:
            yield None, slash
            yield "session", session
    elif section[1] in ("user", "role", "group", "policy", "instance-profile"):
        *path, name = rest.split("/")
        for place in path:
            yield (None if place in _AWS_PATHS else "path"), place
            yield None, "/"
        yield kind, name
    elif section[1] == "function":
        name, colon, version = rest.partition(":")
        yield kind, name
        if colon:
            yield None, colon
            yield ("version" if version != "$LATEST" and not version.isdigit() else None), version
    else:
        name = rest.removesuffix(":*")
        yield kind, name
        yield None, rest[len(name) :]
