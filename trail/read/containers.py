"""What stands between bytes and text: encodings other than UTF-8, and base64."""

from __future__ import annotations

import base64
import binascii
import codecs
import io
import json
import re

from trail.streams import BLOCK, Blocks, BrokenStream, from_file

_MARKS = ((b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"),
          (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))  # fmt: skip
_BASE64_BYTES = 24 << 20
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]+={0,2}\s*")
_LEAST_BASE64 = 64


def encoding_of(head: bytes) -> str | None:
    """The encoding of a text that is not UTF-8, by its mark or by where its zero bytes are."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" not in head[:4]:
        return None
    found = json.detect_encoding(head[:4]).removesuffix("-sig")
    if found == "utf-8":
        return None
    start = head[: len(head) // 4 * 4].decode(found, "replace").lstrip()
    # NUL bytes alone are no text.
    return found if start[:1] in ("{", "[", '"') or start[:40].isprintable() and start else None


def as_utf8(stream: Blocks, encoding: str) -> Blocks:
    """The stream as UTF-8, without its mark. Raises `BrokenStream` where it is not what it said."""
    decoder = codecs.getincrementaldecoder(encoding)()
    started = False

    def read(size: int) -> bytes:
        nonlocal started
        while data := stream.read(size):
            text = _decoded(decoder, data, final=False)
            if not started:
                text = text.removeprefix("\ufeff")
                started = True
            if text:
                return text.encode("utf-8", "replace")
        return _decoded(decoder, b"", final=True).encode("utf-8", "replace")

    return Blocks(read)


def _decoded(decoder: codecs.IncrementalDecoder, data: bytes, *, final: bool) -> str:
    try:
        return decoder.decode(data, final)
    except UnicodeDecodeError as error:
        raise BrokenStream(f"not the text that its first bytes promise ({error.reason})") from error


def unwrapped_base64(stream: Blocks) -> Blocks | None:
    """What a text that is base64 as a whole holds, where that is gzip, zip or JSON; else None.

    The stream is looked into, and not read.
    """
    head = stream.peek(_LEAST_BASE64)
    if len(head) < _LEAST_BASE64 or not _BASE64.fullmatch(head):
        return None
    text = stream.peek(_BASE64_BYTES + 1)
    if len(text) > _BASE64_BYTES or not _BASE64.fullmatch(text):
        return None
    try:
        data = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return None
    if data[:2] != b"\x1f\x8b" and data[:2] != b"PK" and data.lstrip()[:1] not in (b"{", b"["):
        return None
    while stream.read(BLOCK):
        pass
    return from_file(io.BytesIO(data))
