"""What evidence is made of, kept once however often it is frozen, compressed, and never changed.

The same raw record is cited by several answers, and by the cases of several alerts: it is kept
under the SHA-256 of its bytes, which is what evidence then names.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from sqlalchemy import Connection, insert, select

from cases import tables
from cases.errors import CaseStoreUnusable

_AT_ONCE = 200


def name_of(content: bytes) -> str:
    """The name under which these bytes are kept: their SHA-256, in hex."""
    return hashlib.sha256(content).hexdigest()


def packed(content: bytes) -> bytes:
    """The bytes as they are stored: zlib's, which every database's other tools can read."""
    return zlib.compress(content, 6)


def keep(connection: Connection, contents: Iterable[bytes]) -> None:
    """Has the bytes kept, those that are not yet. Call it inside `Database.write`."""
    by_name = {name_of(content): content for content in contents}
    of = tables.blobs.c
    for names in _lots(by_name):
        held = set(connection.execute(select(of.sha256).where(of.sha256.in_(names))).scalars())
        fresh = [
            {"sha256": name, "size": len(by_name[name]), "packed": packed(by_name[name])}
            for name in names
            if name not in held
        ]
        if fresh:
            connection.execute(insert(tables.blobs), fresh)


def read(connection: Connection, names: Iterable[str]) -> dict[str, bytes]:
    """Name → bytes, of those that are there and are what their name says."""
    found: dict[str, bytes] = {}
    for some in _lots(dict.fromkeys(names)):
        for row in connection.execute(select(tables.blobs).where(tables.blobs.c.sha256.in_(some))):
            content = _unpacked(row.packed, row.size)
            if content is not None and name_of(content) == row.sha256:
                found[row.sha256] = content
    return found


def one(contents: Mapping[str, bytes], name: str) -> bytes:
    """The bytes of that name. Raises `CaseStoreUnusable` where `read` did not find them."""
    if name not in contents:
        raise CaseStoreUnusable(
            "A piece of evidence is damaged in the case database. `python -m cases verify` says"
            " which; restore a backup made before."
        )
    return contents[name]


def _unpacked(content: bytes, size: int) -> bytes | None:
    """Not more than what was kept: whoever can write to the database must not fill our memory."""
    try:
        reader = zlib.decompressobj()
        whole = reader.decompress(content, size + 1)
    except zlib.error:
        return None
    return whole if len(whole) == size else None


def _lots(names: Iterable[str]) -> Iterator[list[str]]:
    coming = iter(names)
    while lot := list(islice(coming, _AT_ONCE)):
        yield lot
