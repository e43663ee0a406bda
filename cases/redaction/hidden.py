"""What can be read inside encodings, found in one pass over a text however long it is.

Base64 is found by what it hides: three bytes of text leave their mark on four characters, wherever
in a longer run of letters they begin. Only such places are decoded, so that a megabyte of prose
costs no more than being read.
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
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

_64 = r"[A-Za-z0-9+/_-]"
# Three bytes below 128 as base64: the top bit of each stands in the first, the second and the
# third character (RFC 4648, section 4).
_ASCII_GROUP = rf"[A-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589]{_64}"
# UTF-16, little endian: a letter, a zero, a letter; then a zero, a letter, a zero.
_WIDE_GROUPS = rf"[I-Za-f][AQgw][AB]{_64}A[C-H][AEIMQUYcgkosw048]A"
_HIDDEN_64 = re.compile(rf"(?:{_ASCII_GROUP}){{2,}}|(?:{_WIDE_GROUPS})+")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){4,}")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_RUN = re.compile(rf"{_64}{{8,}}={{0,2}}")

LONGEST = 4_096
"""Characters of base64 or hex that are decoded; a longer run is a file, and goes whole."""
ALL_RUNS = 65_536
"""Characters of all the runs of one text that are decoded. What is more is a file in pieces: each
further run goes whole. Prose has far fewer that could hide anything."""


def encoded_runs(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """The runs of characters that may hide a text, and whether each is a file or a piece of one,
    which nobody decodes."""
    spent = 0
    for match in _RUN.finditer(text):
        size = match.end() - match.start()
        if size > LONGEST:
            yield match, True
        elif _HIDDEN_64.search(match[0]) or _HEX.search(match[0]):
            if _UUID.fullmatch(match[0]) is None:  # a list of event ids is no file
                spent += size
            yield match, spent > ALL_RUNS


def hidden_in(text: str) -> tuple[str, bool]:
    """Everything that the runs of a text may say, once each, on lines of their own, and whether
    there are others, which nobody decodes."""
    runs = dict.fromkeys((match[0], is_file) for match, is_file in encoded_runs(text))
    hidden = (said for run, is_file in runs if not is_file for said in hidden_texts(run))
    return "\n".join(dict.fromkeys(hidden)), any(is_file for _, is_file in runs)


def hidden_texts(run: str) -> Iterator[str]:
    """What one run may say as base64 or hex, in UTF-8 and in UTF-16; nothing for a file."""
    if len(run) > LONGEST:
        return
    # It may have been glued to what stands before it ("x/y/" and then base64).
    for begin in sorted({match.start() % 4 for match in _HIDDEN_64.finditer(run)}):
        yield from _texts(_from_base64(run[begin:]))
    for match in _HEX.finditer(run):
        yield from _texts(bytes.fromhex(match[0]))


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


def _texts(decoded: bytes) -> Iterator[str]:
    if not decoded:
        return
    yield decoded.decode("utf-8", "ignore")
    if b"\0" in decoded:  # UTF-16, as PowerShell encodes its commands
        for start in (0, 1):
            yield decoded[start:].decode("utf-16-le", "ignore")
    elif any(byte > 127 for byte in decoded):
        yield decoded.decode("latin-1")


MAX_DEPTH = 64
_ESCAPED_CHARACTER = re.compile(
    r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\u\{([0-9a-fA-F]{1,6})\}|\\U([0-9a-fA-F]{8})"
    r"|\\([0-3][0-7]{2})|\\(.)",
    re.DOTALL,
)
_PERCENT_U = re.compile(r"%u([0-9a-fA-F]{4})")  # JavaScript's escape()
_PRINTABLE = re.compile(r"(?:=[0-9A-F]{2})+|=\r?\n")  # quoted-printable, as mail has it


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


def _from_printable(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("=", "").strip()).decode("utf-8", "replace")


def _plain(text: str) -> str:
    """One spelling of each character: composed, of usual width, and nothing of no width."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(one for one in normal if unicodedata.category(one) != "Cf")


def decoded(text: str) -> str:
    """The text with percent, HTML, backslash and mail encodings undone, however often applied, and
    each character in its usual spelling."""
    for _ in range(6):
        undone = text
        if "%" in undone:
            undone = unquote(_PERCENT_U.sub(lambda found: chr(int(found[1], 16)), undone))
        if "=" in undone:
            undone = _PRINTABLE.sub(_from_printable, undone)
        if not undone.isascii():
            undone = _plain(undone)
        if "&" in undone:
            undone = html.unescape(undone)
        if "\\" in undone:
            undone = _unescape(undone)
        if undone == text:
            break
        text = undone
    return unquote_plus(text) if "+" in text and "%" in text else text


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


_SAME_IN_ALL = re.compile(r"[A-Za-z0-9_.~-]+")


def variants(original: str) -> set[str]:
    """How the original is written in the encodings that leave it readable in place."""
    if _SAME_IN_ALL.fullmatch(original) and original.isascii():
        return {original}
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
