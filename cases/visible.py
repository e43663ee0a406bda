"""Text that shows what is in it: characters that hide, reorder or control become `\\u{…}`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, formats (bidi overrides, zero-width), surrogates, private, unassigned, separators."""


_PLAIN = re.compile(r"[ -~\n]*+")


def visible(
    text: str, *, newlines: bool = False, drawable: Callable[[str], bool] | None = None
) -> str:
    """The text with nothing invisible in it; line breaks stay only if asked for.

    `drawable` says which characters a font has: the others are spelled out, never lost.
    """
    if text.isascii() and (text.isprintable() or (newlines and _PLAIN.fullmatch(text))):
        return text
    return "".join(_shown(one, newlines, drawable) for one in text)


def _shown(one: str, newlines: bool, drawable: Callable[[str], bool] | None) -> str:
    if one == "\n" and newlines:
        return one
    if one == "\t":
        return "    " if newlines else " "
    if unicodedata.category(one) in _HIDDEN or (drawable is not None and not drawable(one)):
        return f"\\u{{{ord(one):X}}}"
    return one
