"""What can be read inside encodings, found in one pass over a text however long it is.

Base64 is found by what it hides: three bytes of text leave their mark on four characters, wherever
in a longer run of letters they begin. Only such places are decoded, so that a megabyte of prose
costs no more than being read. Base32 is found the same way, as a word of its own. Names that leave
no such mark, because they are short or not in ASCII, are searched for as they are written in base64
and in hex (`encoded_forms`).
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

_64 = r"[A-Za-z0-9+/_-]"
# Three bytes below 128 as base64: the top bit of each stands in the first, the second and the
# third character (RFC 4648, section 4).
_ASCII_GROUP = rf"[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589]{_64}"
# UTF-16, little endian: a letter, a zero, a letter; then a zero, a letter, a zero.
_WIDE_GROUPS = rf"[I-Za-f][AQgw][AB]{_64}A[C-H][AEIMQUYcgkosw048]A"
_HIDDEN_64 = re.compile(rf"(?:{_ASCII_GROUP}){{2,}}|(?:{_WIDE_GROUPS})+")
# Five bytes below 128 as base32 (section 6): their top bits stand in five of eight characters. What
# is base32 stands alone, as a word does, and all of it says something.
_32 = r"[A-Z2-7]"
_ASCII_GROUP_32 = (
    rf"[A-P][ABEFIJMNQRUVYZ45]{_32}[A-HQ-X][ACEGIKMOQSUWY246]{_32}[A-DI-LQ-TYZ23]{_32}"
)
_ASCII_32 = rf"(?:{_ASCII_GROUP_32})+{_32}{{0,7}}"
_HIDDEN_32 = re.compile(rf"(?<![A-Za-z0-9])(?:{_ASCII_32}|{_ASCII_32.lower()})(?![A-Za-z0-9])")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){4,}")
_HEX_BYTES = re.compile(rf"(?<!{_64})(?:[0-9a-fA-F]{{2}}[ :]){{3,}}[0-9a-fA-F]{{2}}(?!{_64})")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.I)
_BREAK = r"(?:\r?\n[ \t]*|(?:\\r)?\\n)"
_RUN = re.compile(rf"{_64}{{8,}}={{0,6}}")
# Lines of one length, and a last one, as mail and `base64` wrap them: one run.
_WRAPPED = re.compile(
    rf"(?<![A-Za-z0-9+/_-])({_64}{{16,}})(?:{_BREAK}{_64}{{16,}})*{_BREAK}{_64}+={{0,2}}"
)

LONGEST = 4_096
"""Characters of base64 or hex that are decoded; a longer run is a file, and goes whole."""
ALL_RUNS = 65_536
"""Characters of all the runs of one text that are decoded. What is more is a file in pieces: each
further run goes whole. Prose has far fewer that could hide anything."""


@dataclass(frozen=True)
class Run:
    """Characters of a text that may hide another: where they stand, and what they are joined."""

    start: int
    end: int
    text: str
    is_file: bool
    """Or a piece of one: nobody decodes it."""


@lru_cache(maxsize=8)  # each text is looked at some times in a row, and a long one takes long
def encoded_runs(text: str) -> tuple[Run, ...]:
    """The runs of characters that may hide a text, in its order."""
    return tuple(_encoded_runs(text))


def _encoded_runs(text: str) -> Iterator[Run]:
    spent = 0
    for start, end, run in _runs(text):
        if len(run) == 36 and _UUID.fullmatch(run):
            continue  # six bytes between two dashes at the most: no name that is not found as it is
        if len(run) > LONGEST:
            yield Run(start, end, run, True)
        elif _HIDDEN_64.search(run) or _HEX.search(run):
            spent += end - start
            yield Run(start, end, run, spent > ALL_RUNS)
        elif _HIDDEN_32.search(run):
            yield Run(start, end, run, False)


def _runs(text: str) -> Iterator[tuple[int, int, str]]:
    apart = list(_wrapped(text)) if "\n" in text or "\\n" in text else []
    if " " in text or ":" in text:
        apart += [
            (*match.span(), re.sub("[ :]", "", match[0])) for match in _HEX_BYTES.finditer(text)
        ]
    at = 0
    for start, end, joined in (*sorted(apart), (len(text), len(text), "")):
        for match in _RUN.finditer(text, at, start):
            yield match.start(), match.end(), match[0]
        if joined:
            yield start, end, joined
        at = end


_BREAKS = re.compile(_BREAK)


def _wrapped(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, joined) of each run that is wrapped into lines."""
    for match in _WRAPPED.finditer(text):
        lines: list[tuple[int, int]] = []
        at = match.start()
        for broken in _BREAKS.finditer(text, match.start(), match.end()):
            lines.append((at, broken.start()))
            at = broken.end()
        lines.append((at, match.end()))
        first = 0
        while first < len(lines) - 1:
            width = lines[first][1] - lines[first][0]
            last = first
            while last + 1 < len(lines) and lines[last][1] - lines[last][0] == width:
                last += 1
                if lines[last][1] - lines[last][0] > width:
                    last -= 1
                    break
            pieces = [text[begin:end] for begin, end in lines[first : last + 1]]
            # Event ids and digests, one a line, are a list.
            if last > first and not all(_UUID.fullmatch(p) or _HASH.fullmatch(p) for p in pieces):
                yield lines[first][0], lines[last][1], "".join(pieces)
            first = last + 1


@lru_cache(maxsize=8)
def hidden_in(text: str) -> tuple[str, bool]:
    """Everything that the runs of a text may say, once each, on lines of their own, and whether
    there are others, which nobody decodes."""
    runs = dict.fromkeys((run.text, run.is_file) for run in encoded_runs(text))
    hidden = (said for run, is_file in runs if not is_file for said in hidden_texts(run))
    return "\n".join(dict.fromkeys(hidden)), any(is_file for _, is_file in runs)


def hidden_texts(run: str) -> Iterator[str]:
    """What one run may say as base64 or hex, in UTF-8 and in UTF-16, or as base32 in ASCII; nothing
    for a file."""
    if len(run) > LONGEST:
        return
    # It may have been glued to what stands before it ("x/y/" and then base64).
    for begin in sorted({match.start() % 4 for match in _HIDDEN_64.finditer(run)}):
        yield from _texts(_from_base64(run[begin:]))
    for match in _HEX.finditer(run):
        yield from _texts(bytes.fromhex(match[0]))
    for match in _HIDDEN_32.finditer(run):
        yield from _texts(_from_base32(match[0]))


def texts_of(data: bytes) -> Iterator[str]:
    """The bytes as the texts that they may be."""
    yield from _texts(data)


def _from_base64(token: str) -> bytes:
    bare = token.rstrip("=").replace("-", "+").replace("_", "/")
    bare = bare[: len(bare) - (len(bare) % 4 == 1)]
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        return b""


def _from_base32(token: str) -> bytes:
    bare = token[: len(token) - (len(token) % 8 in (1, 3, 6))].upper()
    return base64.b32decode(bare + "=" * (-len(bare) % 8))


def _texts(decoded: bytes) -> Iterator[str]:
    if not decoded:
        return
    yield decoded.decode("utf-8", "ignore")
    if b"\0" in decoded:  # UTF-16, as PowerShell encodes its commands
        for start in (0, 1):  # from 1 it is the big-endian one, whose last byte has lost its zero
            yield (decoded + b"\0")[start:].decode("utf-16-le", "ignore")
    elif any(byte > 127 for byte in decoded):
        yield decoded.decode("latin-1")


MAX_DEPTH = 64
_ESCAPED_CHARACTER = re.compile(
    r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\u\{([0-9a-fA-F]{1,6})\}|\\U([0-9a-fA-F]{8})"
    r"|\\([0-3][0-7]{2})|\\(.)",
    re.DOTALL,
)
_PERCENT_U = re.compile(r"%u([0-9a-fA-F]{4})")  # JavaScript's escape()
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_PRINTABLE = re.compile(r"(?:=[0-9A-F]{2})+|=\r?\n")  # quoted-printable, as mail has it


_DEFANGED = re.compile(
    r"(?<=[\w\])}>])\s?[\[({<]\s?(?:(\.)|(@)|(::?)|(dot|punkt)|(at))\s?[\])}>]\s?(?=[\w\[({<])",
    re.I,
)


def refanged(text: str) -> str:
    """The text with addresses as they are, which were written so that nobody clicks them."""
    if not any(bracket in text for bracket in "[({<"):
        return text
    return _DEFANGED.sub(_refanged, text)


def _refanged(match: re.Match[str]) -> str:
    """The sign in `203[.]0[.]113[.]5` or `ann[at]acme[dot]example`, which nobody shall click."""
    if match[1] or match[4]:
        return "."
    return match[3] or "@"


def _unescape(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3] or match[4]
        if code:
            number = int(code, 16)
            return chr(number) if number <= sys.maxunicode else match[0]
        if match[5]:
            return chr(int(match[5], 8))
        return {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}.get(match[6], match[6])

    return _ESCAPED_CHARACTER.sub(character, text)


def _from_percent(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "replace")


def _from_printable(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("=", "").strip()).decode("utf-8", "replace")


def _plain(text: str) -> str:
    """One spelling of each character: composed, of usual width, and nothing of no width."""
    normal = unicodedata.normalize("NFKC", text)
    unseen = {ord(one): None for one in set(normal) if unicodedata.category(one) == "Cf"}
    return normal.translate(unseen) if unseen else normal


def decoded(text: str) -> str:
    """The text with percent, HTML, backslash and mail encodings undone, however often applied, and
    each character in its usual spelling."""
    for _ in range(6):
        undone = text
        if "%" in undone:
            undone = _PERCENT_U.sub(lambda found: chr(int(found[1], 16)), undone)
            undone = _PERCENT.sub(_from_percent, undone)
        if "=" in undone:
            undone = _PRINTABLE.sub(_from_printable, undone)
        if not undone.isascii():
            undone = _plain(undone)
        undone = refanged(undone)
        if "&" in undone:
            undone = html.unescape(undone)
        if "\\" in undone:
            undone = _unescape(undone)
        if undone == text:
            break
        text = undone
    if "+" in text and "%" in text:
        return _PERCENT.sub(_from_percent, text.replace("+", " "))
    return text


def as_json(text: str) -> Any:
    """The object or list that the text is, or None."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict | list) and _is_shallow(document) else None


def _is_shallow(document: Any) -> bool:
    """Whether it can be walked: thousands of brackets in a name are no document, but text."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return True
    return False


_MARKED = 9
"""Characters of ASCII that leave two whole groups in base64, wherever they begin."""


def encoded_forms(original: str) -> tuple[set[str], set[str]]:
    """(base64, hex) of a name that decoding does not find by its marks: the characters that do not
    depend on what stands around it. Base64 in its case, hex in lower case."""
    if (original.isascii() and len(original) >= _MARKED) or len(original) < 3:
        return set(), set()
    in_64: set[str] = set()
    in_hex: set[str] = set()
    spelt = {original, original.lower(), original.upper(), original.title(), original.capitalize()}
    spelt |= {unicodedata.normalize(form, one) for form in ("NFC", "NFD") for one in set(spelt)}
    for raw in {raw for one in spelt for raw in _bytes_of(one)}:
        in_hex.add(raw.hex())
        for shift in range(3):
            whole = base64.b64encode(b"\0" * shift + raw).decode()
            part = whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
            in_64 |= {part, part.replace("+", "-").replace("/", "_")}
    return in_64, in_hex


def _bytes_of(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
        try:
            yield text.encode(encoding)
        except UnicodeEncodeError:  # half a surrogate pair; no Latin letter
            continue


_SAME_IN_ALL = re.compile(r"[A-Za-z0-9_.~-]+")


def variants(original: str) -> set[str]:
    """How the original is written in the encodings that leave it readable in place."""
    if _SAME_IN_ALL.fullmatch(original) and original.isascii():
        return {original}
    spelt = {original, original.casefold()}  # GROSSMANN is großmann
    return {variant for one in spelt for variant in _variants(one)}


def _variants(original: str) -> set[str]:
    # Half a surrogate pair can be in any JSON string, and has no UTF-8.
    quoted = quote(original, safe="", errors="replace")
    return {
        original,
        _plain(original),
        quoted,
        quote(original, errors="replace"),
        quote_plus(original, errors="replace"),
        quote(quoted, safe=""),
        html.escape(original),
        html.escape(original).replace("&#x27;", "&#39;"),
        json.dumps(original)[1:-1],
        json.dumps(original, ensure_ascii=False)[1:-1],
    }
