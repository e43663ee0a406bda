"""The text that a PDF of ours shows: enough of a reader for built-in fonts."""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(
    rb"\(((?:\\.|[^\\()])*)\) ?Tj|\[((?:\((?:\\.|[^\\()])*\)|[-0-9. ])*)\] ?TJ", re.S
)
_PIECE = re.compile(rb"\(((?:\\.|[^\\()])*)\)", re.DOTALL)


def pdf_text(content: bytes) -> str:
    """What is drawn, in the order of drawing; lines are joined by a line break."""
    lines: list[str] = []
    for stream in _STREAM.findall(content):
        try:
            drawn = zlib.decompress(stream)
        except zlib.error:
            continue
        for one, several in _SHOWN.findall(drawn):
            pieces = [one] if one else _PIECE.findall(several)
            lines.append("".join(_unescaped(piece) for piece in pieces))
    return "\n".join(lines)


def _unescaped(piece: bytes) -> str:
    plain = re.sub(rb"\\(.)", lambda m: {b"n": b"\n", b"r": b"\r"}.get(m[1], m[1]), piece)
    return plain.decode("cp1252", "replace")
