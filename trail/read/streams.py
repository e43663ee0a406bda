"""Byte streams with bounded memory: files, gzip, and the members of zip and tar archives."""

from __future__ import annotations

import io
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol

from isal import igzip_lib, isal_zlib

from trail.counted import counted

BLOCK = 4 << 20
"""How much is read, or unpacked, at a time."""

BOMB_RATIO = 200
BOMB_BYTES = 64 << 20
"""A file that unpacks to more than this, and to more than 200 times its own size, all its layers
and members taken together, is a bomb: CloudTrail's own files shrink 10 to 30 times."""

_DAMAGED: tuple[type[Exception], ...] = (igzip_lib.IsalError, zlib.error)  # type: ignore[assignment] # its stub says instance
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_WINDOW = 16 << 10
_LONGEST_HEADER = 1 << 20
"""Of a tar archive, in bytes: a name, or a list of attributes."""
_DIRECTORY_BYTES = 64 << 20
"""The longest list of members that a zip archive may have: of a million files."""


_SHORT_DIRECTORY = 1 << 20
"""So long a list may be in any archive."""


class Allowance:
    """What one file on disk may unpack to, whatever it claims: bytes, and members of archives.

    Taken from by all of its layers. `size` is the file's own, in bytes. `until` is when reading
    must have ended, as `time.monotonic` counts; None: it may take what it takes.
    """

    def __init__(self, size: int, until: float | None = None) -> None:
        self._until = until
        self.most_bytes = BOMB_BYTES + BOMB_RATIO * size
        self.bytes = 0
        # A member needs some 100 bytes of an archive, and far fewer only where that is packed.
        self.members = 20_000 + size // 64
        self.empty_members = 5_000 + size // 4_096
        self.fruitless_members = 5_000 + size // 512
        self.holds_records = False
        """Whether the file within that was read last held any record: its reader says so."""

    def take(self, size: int) -> None:
        """Raises `BrokenStream` when more was unpacked than is allowed."""
        self.bytes += size
        self.in_time()
        if self.spent:
            raise BrokenStream(
                f"unpacks to more than {BOMB_RATIO} times its size: a bomb; stopped after "
                f"{self.bytes:,} bytes"
            )

    def in_time(self) -> None:
        """Raises `BrokenStream` when reading took longer than it may."""
        if self._until is not None and time.monotonic() > self._until:
            raise BrokenStream("reading it took too long")

    def take_member(self, size: int | None = None) -> None:
        """One more file within; `size` is what it says of its own, where it does."""
        self.members -= 1
        if size is not None and size < _NOTHING:
            self.empty_members -= 1
        if self.members < 0:
            raise BrokenStream(TOO_MANY_MEMBERS)
        if self.empty_members < 0:
            self.members = -1
            raise BrokenStream("holds thousands of files with nothing in them: not read further")

    def member_read(self) -> None:
        """That one file within was read: `holds_records` says whether to any use. Opening one
        takes as long as reading dozens of records: files without any, thousands more than there is
        room for, are given up. Raises `BrokenStream`."""
        self.fruitless_members -= not self.holds_records
        if self.fruitless_members < 0:
            self.members = -1
            raise BrokenStream(
                "holds thousands of small files without a record in them: not read further"
            )

    def may_hold(self, table: Any, size: int) -> None:
        """Raises `BrokenStream` where what a Parquet file of `size` bytes says of its rows is more
        than it has room for: before any page is unpacked, since a row group may be all of them."""
        if too_many(table.num_rows, size):
            raise BrokenStream(few_bytes(table.num_rows, size))
        unpacked = sum(
            max(0, table.row_group(n).total_byte_size) for n in range(table.num_row_groups)
        )
        if self.bytes + unpacked > self.most_bytes:
            raise BrokenStream(
                f"says of itself that it unpacks to {counted(unpacked, 'byte')}, more than"
                f" {BOMB_RATIO} times its size: a bomb, not read"
            )

    @property
    def spent(self) -> bool:
        return self.bytes > self.most_bytes or self.members < 0


TOO_MANY_MEMBERS = "holds more files than its size has room for: a bomb"
_NOTHING = 16
"""Bytes of a file that holds not even one record's id."""


_LEAST_RECORD = 16
"""Bytes that a record takes however it is packed: its eventID alone is a random number of 16."""
_RECORDS = 65_536
"""So many are read whatever the size."""


def too_many(records: int, size: int) -> bool:
    """Whether a file of `size` bytes cannot hold so many records, each with an id of its own."""
    return records > _RECORDS and records > _RECORDS + size // _LEAST_RECORD


def few_bytes(records: int, size: int) -> str:
    """That it cannot, in words."""
    return (
        f"{counted(records, 'record')} in {size:,} bytes on disk, too few for so many: not read"
        " further"
    )


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


def from_file(file: Readable, allowance: Allowance | None = None) -> Blocks:
    """The bytes of an open file, for as long as the allowance lets it be read."""

    def read(size: int) -> bytes:
        if allowance is not None:
            allowance.in_time()
        try:
            return file.read(size)
        except OSError as error:
            raise BrokenStream(f"cannot be read further: {error.strerror or error}") from error

    return Blocks(read)


def gunzip(packed: Blocks, allowance: Allowance) -> Blocks:
    """The unpacked bytes of a gzip stream, of one member or several."""
    state = _Gunzip(packed, allowance)
    return Blocks(state.read)


class _Gunzip:
    def __init__(self, packed: Blocks, allowance: Allowance) -> None:
        self._packed = packed
        self._allowance = allowance
        self._member: Any = isal_zlib.decompressobj(wbits=31)
        self._block = b""
        self._at = 0  # what of the block was handed to a member
        self._left = b""  # what the member gave back
        self._window = BLOCK
        self._out = self._out_before = 0

    def read(self, size: int) -> bytes:
        while True:
            if self._member.eof:
                rest = (self._member.unused_data or self._next()).lstrip(b"\0")
                while not rest and (more := self._next()):
                    rest = more.lstrip(b"\0")
                if not rest:
                    return b""
                if len(rest) == 1:
                    rest += self._next()
                if not is_gzip(rest):
                    raise BrokenStream("followed by bytes that are not gzip")
                self._allowance.take_member()
                # There may be many tiny ones: to make a reader of zlib's takes far less time, and
                # what a member leaves is copied.
                small = self._out - self._out_before < _WINDOW
                self._member = (zlib if small else isal_zlib).decompressobj(wbits=31)
                self._out_before = self._out
                self._left = rest
                self._window = _WINDOW
            data = self._left or self._next()
            if not data:
                raise BrokenStream(f"gzip ends early, after {counted(self._out, 'unpacked byte')}")
            try:
                unpacked = self._member.decompress(data, size)
            except _DAMAGED as error:
                raise BrokenStream(
                    f"damaged gzip after {counted(self._out, 'unpacked byte')} ({error})"
                ) from error
            self._left = self._member.unconsumed_tail
            self._out += len(unpacked)
            self._allowance.take(len(unpacked))
            if unpacked:
                return bytes(unpacked)

    def _next(self) -> bytes:
        if self._at >= len(self._block):
            self._block, self._at = self._packed.read(BLOCK), 0
        data = self._block[self._at : self._at + self._window]
        self._at += len(data)
        self._window = min(BLOCK, 2 * self._window)
        return data


def unpack_small(data: bytes, limit: int) -> bytes | None:
    """A gzip's content in one go, or None where that is too large, damaged or in several parts."""
    member = isal_zlib.decompressobj(wbits=31)
    try:
        unpacked = member.decompress(data, limit)
    except _DAMAGED:
        return None
    return unpacked if member.eof and not member.unused_data else None


def zip_members(file: IO[bytes], allowance: Allowance) -> Iterator[tuple[str, Blocks]]:
    """(name, content) of each file in a zip archive."""
    try:
        archive = zipfile.ZipFile(_Limited(file))
    except _TooManyMembers as error:
        raise BrokenStream(TOO_MANY_MEMBERS) from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BrokenStream(f"damaged zip archive ({error})") from error
    named = _Names()
    with archive:
        for info in archive.infolist():
            allowance.take_member(None if info.is_dir() else info.file_size)
            if not info.is_dir():
                yield named.unique(info.filename), _zip_member(archive, info, allowance)


class _TooManyMembers(zipfile.BadZipFile):
    """An archive's list of members is longer than what they could hold."""


class _Limited:
    """A file of which nobody reads more at once than a list of members may take."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        # Each member's entry is there twice, beside its content: where the list of them is nearly
        # half of the archive, they hold nothing. A million entries take seconds to read.
        self._most = min(_DIRECTORY_BYTES, _SHORT_DIRECTORY + size * 2 // 5) + 1

    def read(self, size: int = -1) -> bytes:
        # What is claimed is not made room for.
        data = self._file.read(min(size, self._most) if size >= 0 else self._most)
        if len(data) == self._most:
            raise _TooManyMembers("its list of files is too long")
        return data


class _Names:
    """Archives may hold a name twice; a record's place must be unique."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def unique(self, name: str) -> str:
        count = self._seen[name] = self._seen.get(name, 0) + 1
        return name if count == 1 else f"{name}#{count}"


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance) -> Blocks:
    opened: list[Readable] = []

    def read(size: int) -> bytes:
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
        allowance.take(len(data))
        return data

    return Blocks(read)


def tar_members(stream: Blocks, allowance: Allowance) -> Iterator[tuple[str, Blocks]]:
    """(name, content) of each regular file in a tar archive, read once from front to back."""
    broken: list[BrokenStream] = []
    ended = False
    named = _Names()

    class _Whole:
        """tarfile wants reads of exactly the size asked for, short only at the end."""

        def read(self, size: int) -> bytes:
            nonlocal ended
            # A header may claim any size: what is not there is not asked for again and again.
            if ended:
                raise EOFError("it ends early")
            if size > _LONGEST_HEADER:
                raise tarfile.ReadError("a header of impossible length")
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
            ended = not parts
            return b"".join(parts)

    try:
        with tarfile.open(fileobj=_Whole(), mode="r|") as archive:  # type: ignore[call-overload] # typeshed wants more methods than the stream mode uses
            for member in archive:
                allowance.take_member(member.size if member.isfile() else None)
                archive.members.clear()  # it would remember a million
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
