"""What stands between bytes and text: archives, encodings other than UTF-8, and base64."""

from __future__ import annotations

import base64
import binascii
import codecs
import io
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from trail.read.others import kind_skipped_by_path
from trail.read.streams import (
    BLOCK,
    Allowance,
    Blocks,
    BrokenStream,
    from_file,
    gunzip,
    is_gzip,
    is_tar,
    is_zip,
    tar_members,
    zip_members,
)

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


ARCHIVES = 4
"""How deep archives are opened in one another."""
TOO_DEEP = f"archives nested more than {ARCHIVES} deep"


@dataclass(frozen=True)
class Text:
    """A text in UTF-8, without its mark; `name` is its file's, with those of archives before it."""

    name: str
    stream: Blocks


@dataclass(frozen=True)
class Parquet:
    """A Parquet file, open until the next is asked for."""

    name: str
    file: IO[bytes]


@dataclass(frozen=True)
class Unopened:
    """What cannot be unpacked, or no further, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class LeftOut:
    """What is no log by its name, and what it is."""

    name: str
    reason: str


Content = Text | Parquet | Unopened | LeftOut


def contents(stream: Blocks, name: str, allowance: Allowance, depth: int = 0) -> Iterator[Content]:
    """What a stream holds, whatever it is packed in, in its order. Each text has to be read before
    the next is asked for."""
    if (reason := kind_skipped_by_path(name)) is not None:
        yield LeftOut(name, reason)
        return
    head = stream.peek(512)
    if depth > ARCHIVES:
        yield Unopened(name, TOO_DEEP)
    elif is_gzip(head):
        yield from contents(gunzip(stream, allowance), name, allowance, depth + 1)
    elif is_zip(head) or is_parquet(head):
        with tempfile.TemporaryFile() as copy:
            try:
                while data := stream.read():
                    copy.write(data)
            except BrokenStream as error:
                yield Unopened(name, str(error))
            copy.seek(0)
            yield from contents_of_file(copy, name, allowance, depth)
    elif is_tar(head):
        yield from _of_members(tar_members(stream, allowance), name, allowance, depth)
    else:
        if (encoding := encoding_of(head)) is not None:
            stream = as_utf8(stream, encoding)
        elif head.startswith(codecs.BOM_UTF8):
            stream.read(len(codecs.BOM_UTF8))
        if (inner := unwrapped_base64(stream)) is not None:
            yield from contents(inner, name, allowance, depth + 1)
        else:
            yield Text(name, stream)


def contents_of_file(
    file: IO[bytes], name: str, allowance: Allowance, depth: int = 0
) -> Iterator[Content]:
    """What a file holds that is not read from front to back: a zip archive, or Parquet."""
    head = file.read(4)
    file.seek(0)
    if is_zip(head):
        yield from _of_members(zip_members(file, allowance), name, allowance, depth)
    else:
        yield Parquet(name, file)


def is_parquet(head: bytes) -> bool:
    return head[:4] == b"PAR1"


def _of_members(
    members: Iterator[tuple[str, Blocks]], name: str, allowance: Allowance, depth: int
) -> Iterator[Content]:
    any_held = False
    try:
        for member, content in members:
            allowance.holds_records = False
            yield from contents(content, f"{name}!/{member}", allowance, depth + 1)
            if allowance.spent:  # the member has said so
                return
            allowance.member_read()
            any_held = any_held or allowance.holds_records
        allowance.holds_records = any_held
    except BrokenStream as error:
        yield Unopened(name, str(error))


def texts_in(data: bytes, most: int) -> list[bytes]:
    """The texts that a file of any container holds, in its order; rows of Parquet as JSON lines.

    At most `most` bytes together, and no more than a file of that size may unpack to. Raises
    `BrokenStream`. What an operating system left beside them is left out.
    """
    allowance = Allowance(len(data))
    allowance.most_bytes = min(allowance.most_bytes, most)
    texts: list[bytes] = []
    for found in contents(from_file(io.BytesIO(data)), "", allowance):
        allowance.holds_records = True  # whether they are alerts is looked at later
        if isinstance(found, Text):
            texts.append(_whole(found.stream))
        elif isinstance(found, Parquet):
            texts.append(_rows_as_lines(found.file, allowance))
        elif isinstance(found, Unopened):
            raise BrokenStream(found.reason)
    return texts


def _whole(stream: Blocks) -> bytes:
    parts = []
    while data := stream.read(BLOCK):
        parts.append(data)
    return b"".join(parts)


def _rows_as_lines(file: IO[bytes], allowance: Allowance) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lines: list[str] = []
    try:
        table = pq.ParquetFile(file)
        allowance.may_hold(table.metadata, file.seek(0, io.SEEK_END))
        for batch in table.iter_batches(batch_size=256):
            for row in batch.to_pylist():
                lines.append(json.dumps(row, default=str))
                allowance.take(len(lines[-1]))
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise BrokenStream(f"damaged Parquet ({str(error).partition(chr(10))[0]})") from error
    return "\n".join(lines).encode("utf-8", "replace")
