"""The ways in which a text can stand inside another, undone: what can still be read in it."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
MAX_DEPTH = 64
HEX = re.compile(r"(?:[0-9a-fA-F]{2}){4,}")
_ESCAPED_CHARACTER = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\(.)", re.DOTALL)


def _unescape(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        if code:
            return chr(int(code, 16))
        return {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}.get(match[3], match[3])

    return _ESCAPED_CHARACTER.sub(character, text)


def decoded(text: str) -> str:
    """The text with percent, HTML and backslash encodings undone, however often applied."""
    for _ in range(6):
        undone = text
        if "%" in undone:
            undone = unquote(undone)
        if "&" in undone:
            undone = html.unescape(undone)
        if "\\" in undone:
            undone = _unescape(undone)
        if undone == text:
            break
        text = undone
    return unquote_plus(text) if "+" in text and "%" in text else text


def unpacked(token: str) -> Iterator[str]:
    """What the token may be base64 or hex of, from any offset that it may have been glued at."""
    bare = token.rstrip("=")
    standard = bare.replace("-", "+").replace("_", "/")
    for offset in range(4):
        piece = standard[offset:]
        piece = piece[: len(piece) - (len(piece) % 4 == 1)]
        try:
            yield from texts_of(base64.b64decode(piece + "=" * (-len(piece) % 4)))
        except (binascii.Error, ValueError):
            continue
    if HEX.fullmatch(bare):
        yield from texts_of(bytes.fromhex(bare))


def texts_of(decoded: bytes) -> Iterator[str]:
    """The bytes as the texts that they may be."""
    yield decoded.decode("utf-8", "ignore")
    yield decoded.decode("latin-1")
    if b"\0" in decoded:  # UTF-16, as PowerShell encodes its commands
        for start in (0, 1):
            yield decoded[start:].decode("utf-16-le", "ignore")


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


def variants(original: str) -> set[str]:
    """How the original is written in the encodings that leave it readable in place."""
    # Half a surrogate pair can be in any JSON string, and has no UTF-8.
    quoted = quote(original, safe="", errors="replace")
    return {
        original,
        quoted,
        quote(original, errors="replace"),
        quote_plus(original, errors="replace"),
        quote(quoted, safe=""),
        html.escape(original),
        html.escape(original).replace("&#x27;", "&#39;"),
        json.dumps(original)[1:-1],
        json.dumps(original, ensure_ascii=False)[1:-1],
    }
