"""What mail, chats and ticket systems do to pasted JSON, undone where that is certain.

Nothing is guessed: a step is taken only where the text has what that kind of damage leaves, and
what it gives counts only where it is JSON afterwards, without an exception.
"""

from __future__ import annotations

import html
import json
import quopri
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trail.read.breaks import breaks_at
from trail.read.unwrap import unwrapped

LONGEST = 2_000_000
"""Characters of a text that is mended at all."""

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_QUOTED_LINE = re.compile(r"(?m)^[ \t]*(?:>[ \t]?)+")
_CODED_MAIL = re.compile(
    r"^[ \t>]*Content-Transfer-Encoding:[ \t]*quoted-printable[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_SOFT_BREAK = re.compile(r"^[^\r\n]{40,75}=[ \t]*\r?$", re.MULTILINE)
"""A mail's lines have 76 characters at most (RFC 2045, 6.7). Shorter ones that end in "=" are
fields without a value."""
_JOINT = re.compile(r"=[ \t]*\r?\n")
_CODED_SIGN = re.compile(r"=3D")
_CODED_JSON = re.compile(r"=(?:22|7B|20|C2=A0|[ \t]*\r?$)", re.MULTILINE)
_NO_CODE = re.compile(
    r"=(?![ \t]*\r?$|3D|0[9AD]|[89A-F][0-9A-F]|2[0-4]|40|5[B-E]|60|7[B-E])", re.MULTILINE
)
"""A sign that no mail program writes: it codes "=" itself, what is no ASCII, blanks and, some of
them, what EBCDIC lacks (RFC 2045, 6.7)."""
_TELLING = re.compile(
    r"(?<!\w)(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|\d{12}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}|\d{4}-\d\d-\d\d(?:T\d\d)?|1\d{9}(?:\d{3})?"
    r"|\d{1,3}(?:\.\d{1,3}){3})(?!\w)",
    re.IGNORECASE,
)
"""An id, a date or an address, which nothing may be decoded out of."""
_TAG = re.compile(r"</?(?:pre|code|p|div|span|br|body|html|td|tr|table|tbody|a|b|i|font)\b[^>]*>")
_QUOTE_ENTITY = re.compile(r"&(?:amp;)*(?:quot|#34|#x22);")
_BREAK = re.compile(r"<(?:br|/p|/div)\b[^>]*>")
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]")
_CURLY = re.compile("[\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb]")
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")


@dataclass(frozen=True)
class Mended:
    """The text after some steps, and what they were, in words."""

    text: str
    how: tuple[str, ...]


def mended(text: str) -> Iterator[Mended]:
    """The text after each further step that its damage calls for; nothing where there is none."""
    if len(text) > LONGEST:
        return
    damaged = text
    for steps in (_STEPS, _CODED_LAST):
        text, how = damaged, list[str]()
        for words, step in steps:
            changed = step(text)
            if changed is not None and changed != text:
                how.append(words + _in_doubt(text) if step is _unwrapped else words)
                text = changed
                yield Mended(text, tuple(how))
        if _DECODED not in how and _UNESCAPED not in how:
            return


def as_text(text: str) -> Mended:
    """The text as its writer meant it, where a mail's own coding still stands in it."""
    how: list[str] = []
    for words, step in ((_DECODED, _from_mail), (_UNESCAPED, _unescaped)):
        if (changed := step(text)) is not None and changed != text:
            text = changed
            how.append(words)
    return Mended(_QUOTED_LINE.sub("", text), tuple(how))


def escaped_whole(text: str) -> str | None:
    """Text of which every quote is one of HTML's entities, decoded; None for any other."""
    return _unescaped(text) if '"' not in text else None


def where_it_breaks(text: str) -> str | None:
    """Where text of JSON stops being it, and what became of the rest, in sentences; None for any
    other text."""
    stripped = text.strip()
    if _MEMBER.match(stripped):
        return "The JSON is cut off at its start: what is left was read as plain text."
    if stripped[:1] not in ("{", "["):
        return None
    try:
        json.JSONDecoder().raw_decode(stripped)
    except json.JSONDecodeError as error:
        if error.pos >= len(stripped) or error.msg.startswith("Unterminated string"):
            return f"The JSON is cut off at its end, after {len(stripped):,} characters. {_READ}"
        return f"The JSON breaks at {breaks_at(error)}. {_READ}"
    except RecursionError:
        return None
    return None


_MEMBER = re.compile(r'"[\w.@-]{1,80}"\s*:\s*(?:["{\[\d]|true|false|null)')
_READ = "What stands before was read as plain text."


def _unquoted(text: str) -> str | None:
    """Without the "> " that a reply puts before each line."""
    lines = text.splitlines()
    quoted = [number for number, line in enumerate(lines) if _QUOTED_LINE.match(line)]
    if not any("{" in lines[number] or "[" in lines[number] for number in quoted):
        return None
    plain = "\n".join(_QUOTED_LINE.sub("", lines[number]) for number in quoted)
    if _begins_with_json(plain):
        return plain
    # What stands between has no mark where lines were wrapped after they were quoted.
    within = lines[quoted[0] : quoted[-1] + 1]
    return "\n".join(_QUOTED_LINE.sub("", line) for line in within)


def _begins_with_json(text: str) -> bool:
    begin = re.search(r"[{\[]", text)
    try:
        return begin is not None and bool(json.JSONDecoder().raw_decode(text, begin.start()))
    except (ValueError, RecursionError):
        return False


def _printable(text: str) -> str | None:
    """JSON out of quoted-printable, as mails are written."""
    return _from_mail(text, _CODED_JSON)


def _from_mail(text: str, sign: re.Pattern[str] | None = None) -> str | None:
    """The text out of quoted-printable, where it surely is that: a header says so, or a line is
    broken as mail programs do, or "=" is coded, or `sign` stands in it, and nothing speaks against
    it. Text of the kind `key=value` is none: `src=203.0.113.9` has an address and no blank."""
    if (header := _CODED_MAIL.search(text)) is not None:
        return text[: header.end()] + _decoded(text[header.end() :])
    if not any(one.search(text) for one in (_SOFT_BREAK, _CODED_SIGN, sign) if one is not None):
        return None
    if _NO_CODE.search(_JOINT.sub("", text)):
        return None
    decoded = _decoded(text)
    lost = set(_TELLING.findall(text)) - set(_TELLING.findall(decoded))
    # What a line's end cut in two is whole now, and holds what seemed to be a whole one.
    return decoded if len(lost) < 100 and all(one in decoded for one in lost) else None


def _decoded(text: str) -> str:
    # Lines are put together first: whatever broke them may have cut a code in two.
    return quopri.decodestring(_JOINT.sub("", text).encode()).decode("utf-8", "replace")


def _unescaped(text: str) -> str | None:
    """HTML's entities, and the tags that a mail or a ticket puts around a block."""
    if not _QUOTE_ENTITY.search(text):
        return None
    plain = html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))
    # Escaped twice, by the ticket system and by the mail of it: no quote is left after one round.
    return html.unescape(plain) if '"' not in plain and _QUOTE_ENTITY.search(plain) else plain


def _straight(text: str) -> str | None:
    """Straight quotes, where a word processor curled those that JSON needs."""
    if not _CURLY.search(text) or re.search(r'[{,]\s*"', text):
        return None
    return _CURLY.sub('"', text)


def _plain_blanks(text: str) -> str | None:
    """Ordinary blanks between tokens; inside strings they are kept."""
    if not _BLANKS.search(text):
        return None
    return _outside_strings(text, lambda part: _BLANKS.sub(" ", part))


def _unwrapped(text: str) -> str | None:
    """Without line breaks inside strings."""
    made = unwrapped(text)
    return None if made is None else made.text


def _in_doubt(text: str) -> str:
    """The words for the names of values of which it is not known what stood at their breaks."""
    made = unwrapped(text)
    if made is None or not made.doubtful:
        return ""
    names = ", ".join(f"“{name[:40]}”" for name in made.doubtful[:5])
    return f" (whether a blank stood where {names} was broken is not known)"


def _no_trailing_commas(text: str) -> str | None:
    if not _TRAILING_COMMA.search(text):
        return None
    # A comma and its bracket stand in one part, for a string would be between them.
    return _outside_strings(text, lambda part: _TRAILING_COMMA.sub("", part))


def _outside_strings(text: str, change: Callable[[str], str]) -> str:
    parts: list[str] = []
    at = 0
    for string in _STRING.finditer(text):
        parts += [change(text[at : string.start()]), string[0]]
        at = string.end()
    parts.append(change(text[at:]))
    return "".join(parts)


_DECODED = "quoted-printable decoded"
_UNESCAPED = "HTML entities decoded"
_STEPS: tuple[tuple[str, Callable[[str], str | None]], ...] = (
    ("“>” before its lines taken out", _unquoted),
    (_DECODED, _printable),
    (_UNESCAPED, _unescaped),
    ("curly quotes made straight", _straight),
    ("odd blanks between its parts made ordinary", _plain_blanks),
    ("line breaks inside its strings taken out", _unwrapped),
    ("commas before closing brackets taken out", _no_trailing_commas),
)
_CODED_LAST = (*_STEPS[1:3], _STEPS[0], *_STEPS[3:])
"""For text that was quoted before it was coded for a mail or a page."""
