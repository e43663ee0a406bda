"""Byte streams with bounded memory: files, gzip, and the members of zip and tar archives."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from isal import igzip_lib, isal_zlib

BLOCK = 4 << 20
"""How much is read, or unpacked, at a time."""

BOMB_RATIO = 250
BOMB_BYTES = 256 << 20
"""A stream that unpacks to more than this, and to more than 250 times its own size, is a bomb:
CloudTrail's own files shrink 10 to 30 times."""

_DAMAGED: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment] # its stub says instance
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MEMBERS_AT_MOST = 1_000_000


class BrokenStream(Exception):
    """The rest of a stream cannot be read; what came before is good. `str()` is the reason."""


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Blocks:
    """A stream that can be looked into before it is read.

    `read` gives at most `BLOCK` bytes at a time and b"" at the end; it raises `BrokenStream`
    once, after everything that could still be read was handed out.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._ahead = b""
        self._broken: BrokenStream | None = None

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and self._broken is None:
            try:
                more = self._read(BLOCK)
            except BrokenStream as error:
                self._broken = error
                break
            if not more:
                break
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int = BLOCK, /) -> bytes:
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        if self._broken is not None:
            broken, self._broken = self._broken, None
            self._read = _nothing
            raise broken
        try:
            return self._read(size)
        except BrokenStream:
            self._read = _nothing
            raise


def _nothing(_: int) -> bytes:
    return b""


def is_gzip(head: bytes) -> bool:
    return head[:2] == _GZIP


def is_zip(head: bytes) -> bool:
    return head[:4] in _ZIP


def is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def from_file(file: Readable) -> Blocks:
    """The bytes of an open file."""

    def read(size: int) -> bytes:
        try:
            return file.read(size)
        except OSError as error:
            raise BrokenStream(f"cannot be read further: {error.strerror or error}") from error

    return Blocks(read)


def gunzip(packed: Blocks) -> Blocks:
    """The unpacked bytes of a gzip stream, of one member or several."""
    state = _Gunzip(packed)
    return Blocks(state.read)


class _Gunzip:
    def __init__(self, packed: Blocks) -> None:
        self._packed = packed
        self._member = isal_zlib.decompressobj(wbits=31)
        self._left = b""
        self._in = 0
        self._out = 0

    def read(self, size: int) -> bytes:
        while True:
            if self._member.eof:
                rest = self._member.unused_data or self._next()
                rest = rest.lstrip(b"\0")
                if not rest:
                    return b""
                if not is_gzip(rest):
                    raise BrokenStream("followed by bytes that are not gzip")
                self._member = isal_zlib.decompressobj(wbits=31)
                self._left = rest
            data = self._left or self._next()
            if not data:
                raise BrokenStream(f"gzip ends early, after {self._out:,} unpacked bytes")
            try:
                unpacked = self._member.decompress(data, size)
            except _DAMAGED as error:
                raise BrokenStream(
                    f"damaged gzip after {self._out:,} unpacked bytes ({error})"
                ) from error
            self._left = self._member.unconsumed_tail
            self._out += len(unpacked)
            if self._out > BOMB_BYTES and self._out > BOMB_RATIO * self._in:
                raise BrokenStream(
                    f"unpacks to more than {BOMB_RATIO} times its size: a gzip bomb; stopped "
                    f"after {self._out:,} bytes"
                )
            if unpacked:
                return unpacked

    def _next(self) -> bytes:
        data = self._packed.read(BLOCK)
        self._in += len(data)
        return data


def unpack_small(data: bytes, limit: int) -> bytes | None:
    """A gzip's content in one go, or None where that is too large, damaged or in several parts."""
    member = isal_zlib.decompressobj(wbits=31)
    try:
        unpacked = member.decompress(data, limit)
    except _DAMAGED:
        return None
    return unpacked if member.eof and not member.unused_data else None


def zip_members(file: io.BufferedIOBase) -> Iterator[tuple[str, Blocks]]:
    """(name, content) of each file in a zip archive."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BrokenStream(f"damaged zip archive ({error})") from error
    named = _Names()
    with archive:
        for info in archive.infolist()[:_MEMBERS_AT_MOST]:
            if not info.is_dir():
                yield named.unique(info.filename), _zip_member(archive, info)


class _Names:
    """Archives may hold a name twice; a record's place must be unique."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def unique(self, name: str) -> str:
        count = self._seen[name] = self._seen.get(name, 0) + 1
        return name if count == 1 else f"{name}#{count}"


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Blocks:
    opened: list[Readable] = []
    out = 0

    def read(size: int) -> bytes:
        nonlocal out
        try:
            if not opened:
                opened.append(archive.open(info))
            data = opened[0].read(size)
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error) as error:
            raise BrokenStream(f"damaged zip member ({error})") from error
        except (RuntimeError, NotImplementedError) as error:
            raise BrokenStream(f"zip member cannot be opened ({error})") from error
        except ValueError as error:
            raise BrokenStream(f"damaged zip archive ({error})") from error
        out += len(data)
        if out > BOMB_BYTES and out > BOMB_RATIO * max(1, info.compress_size):
            raise BrokenStream(f"unpacks to more than {BOMB_RATIO} times its size: a zip bomb")
        return data

    return Blocks(read)


def tar_members(stream: Blocks) -> Iterator[tuple[str, Blocks]]:
    """(name, content) of each regular file in a tar archive, read once from front to back."""
    broken: list[BrokenStream] = []
    named = _Names()

    class _Whole:
        """tarfile wants reads of exactly the size asked for, short only at the end."""

        def read(self, size: int) -> bytes:
            parts: list[bytes] = []
            missing = size
            while missing > 0:
                try:
                    data = stream.read(missing)
                except BrokenStream as error:
                    broken.append(error)
                    break
                if not data:
                    break
                parts.append(data)
                missing -= len(data)
            return b"".join(parts)

    try:
        with tarfile.open(fileobj=_Whole(), mode="r|") as archive:  # type: ignore[call-overload] # typeshed wants more methods than the stream mode uses
            for member in archive:
                if member.isfile():
                    content = archive.extractfile(member)
                    if content is not None:
                        yield named.unique(member.name), _tar_member(content, broken)
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        reason = str(broken[0]) if broken else str(error)
        raise BrokenStream(f"damaged tar archive ({reason})") from error
    if broken:
        raise broken[0]


def _tar_member(content: Readable, broken: list[BrokenStream]) -> Blocks:
    def read(size: int) -> bytes:
        try:
            return content.read(size)
        except (tarfile.TarError, OSError, EOFError) as error:
            raise BrokenStream(f"damaged tar archive ({broken[0] if broken else error})") from error

    return Blocks(read)
