"""Digests: what tells bytes and rows that changed from those that were written.

Each source file has one (SHA-256, over its bytes as stored), so that a record that is read again
can be told from one that replaced it. Each segment has one, and beside it a CRC-32, which readers
check before they first use it: it finds any single flipped bit and costs a sixth. The catalog has
a sum of its rows' digests for each table, which each transaction keeps up to date by what it
changed, and once nobody writes any more one over its bytes.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from isal import isal_zlib

if TYPE_CHECKING:
    from trail.index.catalog import Segment
    from trail.read.streams import Readable

_BLOCK = 4 << 20
_MODULUS = 1 << 256


class Hashed:
    """An open file whose bytes are hashed as they are read from front to back."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._sha256.update(data)
        return data

    def rest(self) -> bytes:
        """The digest of the whole file, after what nobody read was read too; b"" where that
        cannot be."""
        try:
            while self.read(_BLOCK):
                pass
        except OSError:
            return b""
        return self._sha256.digest()


def of_bytes(data: bytes) -> bytes:
    """The digest of a source file that was read whole."""
    return hashlib.sha256(data).digest()


def of_segment(path: Path) -> tuple[bytes, int]:
    """(SHA-256, CRC-32) of a segment that was just written."""
    sha256, crc = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while data := file.read(_BLOCK):
            sha256.update(data)
            crc = isal_zlib.crc32(data, crc)
    return sha256.digest(), crc


def of_row(table: str, values: Iterable[Any]) -> int:
    """The digest of one row of the catalog, as a number: those of a table are summed up.

    A sum, because it changes by what changed, whatever else there is and in whatever order.
    """
    data = msgspec.msgpack.encode((table, *values))
    return int.from_bytes(hashlib.sha256(data).digest(), "big")


class RowSums:
    """The sums of the digests of each table's rows, modulo 2²⁵⁶."""

    def __init__(self, told: str | None = None) -> None:
        read = msgspec.json.decode(told, type=dict[str, str]) if told else {}
        self.of: dict[str, int] = {table: int(total, 16) for table, total in read.items()}

    def change(self, table: str, by: int) -> None:
        self.of[table] = (self.of.get(table, 0) + by) % _MODULUS

    def told(self) -> str:
        """As the catalog keeps them."""
        return msgspec.json.encode(
            {table: f"{total:064x}" for table, total in sorted(self.of.items())}
        ).decode()


# ---- segments before their first use -----------------------------------------------------------

_sound: dict[str, tuple[int, int, int]] = {}
"""Path → (mtime_ns, size, CRC-32) of segments that this process found as they were written."""
_checking = threading.Lock()


def damaged(index_dir: Path, segments: Iterable[Segment]) -> Segment | None:
    """The first of the segments whose bytes are not those that were written; None if all are.

    Each is read once in this process, until the file changes. One that is missing, or was written
    before there were digests, is not called damaged.
    """
    folder = f"{index_dir}{os.sep}"
    for segment in segments:
        if segment.crc is None:
            continue
        path = folder + segment.name
        try:
            if _is_sound(path, segment.crc):
                continue
            with _checking:  # several questions ask at once: the same is read once
                if not _is_sound(path, segment.crc) and not _check(path, segment.crc):
                    return segment
        except FileNotFoundError:
            continue
        except OSError:
            return segment
    return None


def _is_sound(path: str, crc: int) -> bool:
    stat = os.stat(path)  # noqa: PTH116 # a Path per segment is felt
    return _sound.get(path) == (stat.st_mtime_ns, stat.st_size, crc)


def _check(path: str, crc: int) -> bool:
    found = 0
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        stat = os.fstat(file.fileno())
        while data := file.read(_BLOCK):
            found = isal_zlib.crc32(data, found)
    if found == crc:
        if len(_sound) > 200_000:  # of indexes that are long gone
            _sound.clear()
        _sound[path] = (stat.st_mtime_ns, stat.st_size, crc)
    return found == crc
