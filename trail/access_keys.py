"""Which text is an access key id or a user's, and which only stands where one was.

Logs come masked (`AKIA****************`, `REDACTED`) and documentation has its own keys: two of
those that are equal are no two uses of one credential (§3.4 rule 1).
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

_KEY = re.compile(r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,124}")
"""16 to 128 characters, by IAM's API; 20 today."""
_USER_ID = re.compile(r"AIDA[A-Z0-9]{12,}")
_MASKED = re.compile(r"(.)\1{7}")
"""Eight of one character: no key of AWS's has such a run, and a mask always has."""
_DOCUMENTATION = ("IOSFODNN7", "I44QH8DHB")
"""How the keys of AWS's documentation go on after their first four letters, before `EXAMPLE`."""
STAND_INS = frozenset(
    {"", "-", "unknown", "redacted", "masked", "hidden", "null", "none", "n/a", "removed"}
    | {"anonymized", "anonymised", "hidden_due_to_security_reasons", "nil", "undefined", "n.a."}
    | {"--", "not available", "nan", "obfuscated", "pii", "_redacted_", "__redacted__"}
)
"""Words that stand where an id, a key or a name was, in lower case."""
_TELLING = (
    *("REDACTED", "ANONYMIZED", "ANONYMISED", "ANONYMOUS", "EXAMPLE", "REMOVED", "DELETED"),
    *("SANITIZED", "SANITISED", "SCRUBBED", "CENSORED", "OBFUSCAT", "PLACEHOLDER", "WITHHELD"),
    *("CONFIDENTIAL", "REPLACE", "CHANGEME", "TRUNCAT", "CLEANED", "SNIPPED", "CROPPED"),
    *(
        "COMPROMISED",
        "LOREMIPSUM",
        "YOURACCESS",
        "MYACCESS",
        "GOESHERE",
        "PSEUDONYM",
        "ACCESSKEY",
        "FAKEKEY",
        "TESTKEY",
        "DUMMYKEY",
    ),
    *("YOURKEY", "KEYHERE", "SOMEKEY", "REALKEY", "NOTREAL", "NOTAREAL", "NOTAKEY", "NOTVALID"),
    *("INVALID", "FILTERED", "STRIPPED", "DEADBEEF", "SUPPRESSED", "UNAVAILABLE"),
)
"""Words of seven letters and more that people write over a key. Names and event ids have lists of
their own, with other words: `trail.masks` says why."""
_SHORT = (
    *("MASKED", "MASK", "HIDDEN", "SAMPLE", "SECRET", "DUMMY", "FAKE", "TEST", "DEMO", "NULL"),
    *("NONE", "BLANK", "MOCK", "KEYID"),
)
"""Shorter ones, which a key may hold by chance: they count among what else makes a mask."""

_DOUBTFUL = ("REDACT", "ANONYM", "MASKED", "HIDDEN", "SAMPLE", "SECRET", "FOOBAR", "QWERTY",
             "VICTIM", "LOREM", "DUMMY")  # fmt: skip
"""Words of which one alone makes a key doubtful: by chance one is in a key of four million."""
_COMES_AGAIN, _MAY_COME_AGAIN = 6, 5
"""A piece of so many characters, three of them different, that is in a text twice: 15 in 32^6 keys
have one of six, one of a million one of five."""
_THRICE = re.compile(r"(?=(.{3,5})\1\1)")
"""Three characters or more three times over, as one in 100 million keys has by chance."""
_RUNS = re.compile(r"(?=(.)\1\1+(?!\1)(.)\2\2+(?!\2)(.)\3\3)")
"""Three runs side by side: a mask where their letters count on (`XXXXYYYYZZZZ`)."""

_UNIT = 8
"""Characters of the longest unit that, written over and over, is taken for a mask."""

_SYMBOLS = math.log2(36)
_PLAIN = math.log2(1 / 0.88) + _SYMBOLS
_NAMED = math.log2(1 / 0.04) + math.log2(len(_SHORT))
_RUN = math.log2(1 / 0.04) + _SYMBOLS + 4
_COUNTED = math.log2(1 / 0.04) + math.log2(26 + 2 * 10) + 4
"""What a piece of a text takes to write down, in bits: a character as it is, one of the words, 3 to
18 of one character, 3 to 18 that count on (`1234`, `ABCD`, `4321`). The shares of the four kinds
add up to one: so at most 2^n texts of one length take n bits or less."""
_LONGEST = 18
_SPARED = 30
"""A key takes five bits a character: after its prefix it is random in 32 letters and digits. So at
most one key in 2^30 can be written down in so many bits less."""

_ORDERS = ("01234567890123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "98765432109876543210")
_MADE_UP = re.compile(
    "|".join(
        (
            r"(.)\1\1",
            *_SHORT,
            *dict.fromkeys(o[i : i + 3] for o in _ORDERS for i in range(len(o) - 2)),
        )
    )
)
"""The pieces without which no text is shorter to describe than to spell."""


def is_user_id(identity_id: str | None) -> bool:
    """Whether it is a user's unique id, which no other user ever gets (§9); no mask of one."""
    known = _USER_ID.fullmatch(identity_id or "") is not None
    return known and not is_stand_in(identity_id or "")


def is_access_key(text: object) -> bool:
    """Whether the text identifies one credential of AWS's, long-term or temporary.

    Masks of a key's form are none: `ASIAREDACTEDREDACTED`, `ASIAXXXXXX1234XXXXXX`,
    `ASIAFOOBARFOOBARFOOB`, `ASIAREDACTREDACT7Q2X`. A real key is taken for one of these less than
    once in 30 million: some 25 words of seven letters at ten places (250 in 32^7), of longer words
    fewer, eight of one character (9 in 32^7), six that come again (15 in 32^6), three or more three
    times over (8 in 32^6), and `_SPARED`. Digits that AWS does not use (0, 1, 8, 9) say nothing:
    published logs have them, where ids were randomised.
    """
    return isinstance(text, str) and _KEY.fullmatch(text) is not None and not _is_mask(text)


@lru_cache(10_000)
def _is_mask(text: str) -> bool:
    rest = text[4:]
    return (
        _MASKED.search(text) is not None
        or rest.startswith(_DOCUMENTATION)
        or any(word in rest for word in _TELLING)
        or _repeats(rest)
        or _comes_again(rest, _COMES_AGAIN)
        or any(len(set(unit)) > 2 for unit in _THRICE.findall(rest))
        or any("".join(runs) in order for runs in _RUNS.findall(rest) for order in _ORDERS)
        or _is_made_up(rest)
    )


@lru_cache(10_000)
def is_doubtful_key(text: str) -> bool:
    """Whether what has a key's form and may be one looks like what is written over a key: it is
    compared, and what rests on it is told with that doubt. So looks one real key of 700,000.
    """
    rest = text[4:]
    return any(word in rest for word in _DOUBTFUL) or _comes_again(rest, _MAY_COME_AGAIN)


def _comes_again(rest: str, size: int) -> bool:
    """Whether a piece of so many characters, of three different ones at least, is there twice."""
    pieces = (rest[begin : begin + size] for begin in range(len(rest) - 2 * size + 1))
    return any(
        len(set(piece)) > 2 and piece in rest[begin + size :] for begin, piece in enumerate(pieces)
    )


def _repeats(rest: str) -> bool:
    """Whether the text is one unit over and over, twice at least, the last time perhaps in part."""
    longest = min(_UNIT, len(rest) // 2)
    return any(rest[unit:] == rest[:-unit] for unit in range(1, longest + 1))


def _is_made_up(rest: str) -> bool:
    """Whether words, runs and counting describe the text in far fewer bits than a key takes."""
    if _MADE_UP.search(rest) is None:
        return False
    shortest = [0.0]
    for end in range(1, len(rest) + 1):
        ways = [shortest[end - 1] + _PLAIN]
        ways += [
            shortest[end - len(word)] + _NAMED for word in _SHORT if rest.endswith(word, 0, end)
        ]
        ways += [
            shortest[begin] + cost
            for begin in range(max(0, end - _LONGEST), end - 2)
            if (cost := _cost(rest[begin:end])) is not None
        ]
        shortest.append(min(ways))
    return shortest[-1] <= 5 * len(rest) - _SPARED


def _cost(piece: str) -> float | None:
    """The bits that a run of one character, or of some in order, takes; None if it is no run."""
    if len(set(piece)) == 1:
        return _RUN
    return _COUNTED if any(piece in order for order in _ORDERS) else None


_WRITTEN_OVER = re.compile(
    r"[*•]|…|###|%\{\[|^[xX]{3,}$|^(?i:HIDDEN_DUE_TO)|^A(?:KIA|SIA|ROA|IDA)[A-Z0-9]*\.\.\."
    r"|^A(?:KIA|SIA|ROA|IDA)[xX]{8,}(?::|$)"
)
"""A character that no id or name of AWS's has, or three in its place. Dots alone are a name: a
session may be called "...", and whoever calls it so must not become nobody by it.
"""


def is_stand_in(text: object) -> bool:
    """Whether the text, a key, an id or a name, only stands where the real one was masked."""
    if not isinstance(text, str):
        return False
    bare = text.strip().strip("<>[](){}\"'").casefold()
    return bare in STAND_INS or _WRITTEN_OVER.search(text) is not None
