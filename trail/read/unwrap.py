"""JSON whose lines a mail client or a ticket system broke inside its strings, made whole.

Three things break lines: what cuts at a width, with nothing or with blanks of its own at the break
(format=flowed, RFC 3676; a continuation's indent); what wraps at blanks, which stay at the line's
end or are taken out; and both after each other. Which it was shows in the lines that break inside a
string, and in values that cannot hold a blank: ids, ARNs, addresses, times, names of events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LEAST_WIDTH = 40
_MANY = 3
"""So many lines do not end (or begin) with a blank, nor have one width, by chance."""
_HERE = "\x00"
_BREAK = re.compile(r"([ \t]*)\x00([ \t]*)")
_STRING = re.compile(r'"[^"\\]*+(?:\\(?:[ \t]*\x00[ \t]*)?.[^"\\]*+)*+"?', re.DOTALL)
_COLON = re.compile(r"[\s\x00]*:")
_KEY = re.compile(r"[A-Za-z@_][\w.@:/-]{0,80}")
_NO_SIGN = re.compile(r"[\W_]+")

_NEVER_BLANK = re.compile(
    r"(?:A[A-Z]{3}[A-Z0-9]{12,28}|\d{12})(?::[\w+=,.@/-]*)?"
    r"|arn:aws[a-z-]*:(?:iam|sts|guardduty|securityhub|kms|lambda|ec2|cloudtrail|organizations)"
    r":[\w:+=,.@/*${}-]+"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?:/\d\d?)?|[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*(?:/\d{1,3})?"
    r"|\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?|[0-9a-f-]{16,}|\d+(?:\.\d+)?"
    r"|[\w.-]+\.(?:amazonaws\.com(?:\.cn)?|internal)|[a-z]{2}(?:-[a-z]+){1,2}-\d"
    r"|[A-Z][A-Za-z]+:[A-Z][A-Za-z0-9]+/[\w.!-]+|https?://[^\s\"]+"
    r"|IAMUser|AssumedRole|FederatedUser|AWSAccount|AWSService|SAMLUser|WebIdentityUser"
    r"|IdentityCenterUser|AwsApiCall|AwsServiceEvent|AwsConsoleSignIn|AWS_API_CALL",
    re.ASCII,
)
_OF_ONE_WORD = frozenset(
    {
        "principalid", "accesskeyid", "eventid", "requestid", "sharedeventid", "eventname",
        "eventsource", "eventtype", "eventversion", "eventcategory", "awsregion", "accountid",
        "recipientaccountid", "errorcode", "rolesessionname", "api", "servicename", "usertype",
        "schemaversion", "partition", "detectorid", "eventtime", "creationdate", "eventfirstseen",
        "eventlastseen", "createdat", "updatedat", "mfaauthenticated",
    }
)  # fmt: skip
"""Names whose values AWS writes without a blank, letters and digits alone in small letters."""


@dataclass(frozen=True)
class Unwrapped:
    """The text, and the names of the values where it is not known whether a blank stood there."""

    text: str
    doubtful: tuple[str, ...]


@dataclass(frozen=True)
class _Broken:
    """A string that breaks: where it stands, the name that its value has, or that it is a name."""

    at: int
    end: int
    text: str
    name: str
    is_name: bool

    @property
    def bare(self) -> str:
        return _BREAK.sub("", self.text)

    @property
    def cannot_hold_a_blank(self) -> bool:
        value = self.bare[1:-1]
        if self.is_name:
            return _KEY.fullmatch(value) is not None
        if re.search(r"\s", value):
            return False
        return (
            _NO_SIGN.sub("", self.name).lower() in _OF_ONE_WORD
            or _NEVER_BLANK.fullmatch(value) is not None
        )


@dataclass(frozen=True)
class _Added:
    """How many blanks a cut put before and behind the break, and whether it was surely one."""

    before: int
    behind: int
    is_sure: bool


def unwrapped(text: str) -> Unwrapped | None:
    """The text without line breaks inside strings; None if it has none there."""
    if '"' not in text or _HERE in text:
        return None
    lines = text.replace("\r\n", "\n").split("\n")
    first = next((n for n, line in enumerate(lines) if line.lstrip()[:1] in ("{", "[")), 0)
    last = next((n for n in range(len(lines) - 1, first, -1) if _closes(lines[n])), len(lines) - 1)
    block = lines[first : last + 1]
    folded = _HERE.join(block)
    strings = list(_broken(folded))
    if not strings:
        return None
    added = _cut(block, folded, strings)
    # Lines that end where they like were wrapped at blanks; a single one does not show it.
    is_single = len(block) > 2 and _is_single_longest(strings, block)
    parts: list[str] = []
    doubtful: dict[str, None] = {}
    at = 0
    for string in strings:
        parts.append(_between(folded[at : string.at], added))
        parts.append(_joined(string, added))
        if not string.cannot_hold_a_blank and _is_doubtful(string, added, is_single):
            doubtful[_BREAK.sub("", string.name) or "a text"] = None
        at = string.end
    parts.append(_between(folded[at:], added))
    whole = "\n".join([*lines[:first], "".join(parts), *lines[last + 1 :]])
    return Unwrapped(whole, tuple(doubtful))


def _closes(line: str) -> bool:
    return line.rstrip()[-1:] in ("}", "]")


def _broken(folded: str) -> Iterator[_Broken]:
    name = ""
    for string in _STRING.finditer(folded):
        is_name = _COLON.match(folded, string.end()) is not None
        if is_name:
            name = _BREAK.sub("", string[0]).strip('"')
        if _HERE in string[0]:
            yield _Broken(string.start(), string.end(), string[0], name, is_name)


def _cut(block: list[str], folded: str, strings: list[_Broken]) -> _Added | None:
    """What a cut at one width added at each break; None where lines were wrapped at blanks."""
    broken: list[int] = []
    at = number = 0
    for string in strings:
        number += folded.count(_HERE, at, string.at)
        count = string.text.count(_HERE)
        broken += range(number, number + count)
        at, number = string.end, number + count
    before = min(_blanks_behind(block[number]) for number in broken)
    behind = min(_blanks_before(block[number + 1]) for number in broken)
    evidence = any(string.cannot_hold_a_blank for string in strings)
    # All lines of one value, or those that break in a string of a pretty-printed one.
    if not _one_width(block, block[:-1], behind) and (
        len(broken) < 2
        or not evidence
        or not _one_width(block, [block[number] for number in broken], behind)
    ):
        return None
    is_sure = evidence or len(broken) >= _MANY
    return _Added(
        before=1 if before and is_sure else 0,
        behind=behind if behind > 1 or is_sure else 0,
        is_sure=is_sure,
    )


def _one_width(block: list[str], full: list[str], indent: int) -> bool:
    """Whether these lines were filled up to one width, with the indent of all behind the first or
    without it, and none of the others is longer."""
    return any(
        len(widths := {len(line) - (left if line is not block[0] else 0) for line in full}) == 1
        and min(widths) >= _LEAST_WIDTH
        and max(map(len, block[1:])) - left <= min(widths)
        for left in {indent, 0}
    )


def _blanks_behind(line: str) -> int:
    return len(line) - len(line.rstrip(" \t"))


def _blanks_before(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _between(text: str, added: _Added | None) -> str:
    """What stands between strings: a cut may have gone through a number or a word of it."""
    if added is None:
        return text.replace(_HERE, "\n")
    return re.sub(r"(?<=[\w.+-])[ \t]*\x00[ \t]*(?=[\w.+-])", "", text).replace(_HERE, "\n")


def _joined(string: _Broken, added: _Added | None) -> str:
    if string.cannot_hold_a_blank:
        return string.bare
    if added is not None:
        return _BREAK.sub(
            lambda found: found[1][added.before :] + found[2][added.behind :], string.text
        )
    kept = any(found[1] for found in _BREAK.finditer(string.text))
    # A value without any blank is one word: it was cut in two.
    return _BREAK.sub(" " if kept or " " in string.bare else "", string.text)


def _is_doubtful(string: _Broken, added: _Added | None, is_single: bool) -> bool:
    if added is not None:
        return not added.is_sure
    return is_single or " " not in string.bare


def _is_single_longest(strings: list[_Broken], block: list[str]) -> bool:
    """Whether only one line breaks in a string, and it is the longest of all."""
    if sum(one.text.count(_HERE) for one in strings) != 1:
        return False
    start = strings[0].text.partition(_HERE)[0]
    line = next((line for line in block if line.endswith(start)), "")
    return len(line) == max(map(len, block))
