"""A record read again from its source file, and whether it is the one that was indexed.

Two things say so. The file's digest: while its bytes are those that were indexed, so is each record
in it. Where the file is gone or has changed, another file that the catalog names may have these
bytes, under another name or as a copy, and is read instead. And the record's row, made again by the
code that made the indexed one: where only a changed file is left, a record whose row is the same in
every column may be shown, if no other record there has that row, with the remark that what no
column holds is not proven, and with the file's digest of now beside that of then. Anything else is
refused, so nothing but a record that the index describes in full is ever shown of a file.

What stands there now may be anything: a file of far more bytes than were indexed is not read, and
one that has changed only for `SECONDS`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from trail.counted import counted
from trail.errors import SourceUnreadable
from trail.events import EVENT_SCHEMA, Unreadable, event_row
from trail.index.catalog import SourceFile
from trail.read.columns import Chunk, Columns, TypedRecord
from trail.read.formats import CARRIED, Loose, is_clean, read_source, take_apart, text_of

Row = Mapping[str, Any]

SECONDS = 10.0
"""How long a file that is not as it was indexed is searched for a record."""
GROWN_BYTES = 64 << 20
"""A file that is still written may have grown by so much, or to twice its size."""
OTHERS = 20
"""How many files of the same digest are tried."""
_typed = msgspec.json.Decoder(TypedRecord)


@dataclass(frozen=True)
class RawRecord:
    """One record's JSON text, and why it is taken for the one that was indexed.

    `checked` is "file" where the source file's bytes are those that were indexed, "columns" where
    only the record's row is the same, in every column. `sha256` is the file's digest when it was
    indexed ("" in an index of before there were digests), `source_ordinal` where the record stood
    in it then, `found_at` where it stands now. `sha256_now` is the digest of the file that was read
    for this: the source file, or the one of the same bytes that `read_from` names.
    """

    text: str
    source_file: str
    source_ordinal: int
    found_at: int
    sha256: str
    checked: Literal["file", "columns"]
    sha256_now: str = ""
    read_from: str = ""

    @property
    def remark(self) -> str | None:
        """What to say beside it; None where the file is as it was indexed."""
        if self.read_from:
            return (
                "Its source file is gone, has changed or cannot be reached. The record was read"
                f" from another indexed file of the same bytes (SHA-256): {self.read_from}"
            )
        if self.checked == "file":
            return None
        if not self.sha256:
            return (
                "The index has no digest of the source file (`python -m trail migrate` makes one)."
                " The record agrees with the index in every column; what no column holds is not"
                " proven."
            )
        moved = "" if self.found_at == self.source_ordinal else "stands elsewhere in it and "
        return (
            f"The source file has changed since it was indexed. The record {moved}agrees with the"
            " index in every column; what no column holds is not proven."
        )

    def provenance(self) -> dict[str, Any]:
        """What frozen evidence says of where it is from."""
        return {
            "source_file": self.source_file,
            "source_ordinal": self.source_ordinal,
            "sha256": self.sha256 or None,
            "sha256_now": (self.sha256 if self.checked == "file" else self.sha256_now) or None,
            "file_changed": (
                (self.checked != "file") if self.sha256 and not self.read_from else None
            ),
            "checked": self.checked,
            "read_from": self.read_from or None,
            "remark": self.remark,
        }


def paths_on_disk(source_file: str) -> Iterator[str]:
    """What the file may be called that holds a source file: it may be a member of an archive."""
    yield source_file
    path = source_file
    while "!/" in path:
        path = path.rpartition("!/")[0]
        yield path


def read_again(
    file: SourceFile,
    source_file: str,
    rows: Sequence[Row],
    *,
    elsewhere: str | None = None,
    at: str | None = None,
    others: Iterable[tuple[str, str]] = (),
) -> list[RawRecord | SourceUnreadable]:
    """The record behind each indexed row of a source file, or why it cannot be had.

    `file` is what the catalog says of the file on disk: no other is ever opened. Where its path
    leads to a file that the catalog does not name, by a link that may not have been there when it
    was indexed, `elsewhere` is that: nothing is shown of it but what the digest vouches for. Of an
    object in S3, a copy lies `at` a path of ours. The `others` (name in the catalog, path of its
    bytes) had the same digest when they were indexed: they are tried before a file that changed.
    """
    at_path = at or file.path
    is_there = Path(at_path).is_file()
    if is_there and (found := _as_indexed(file, at_path, source_file, rows)) is not None:
        return found
    if (found := read_other(file, source_file, rows, others)) is not None:
        return found
    if not is_there:
        gone = SourceUnreadable(
            f"{source_file} is not there any more, so its raw records cannot be shown. "
            "The index keeps their columns."
        )
        return [gone for _ in rows]
    return _of_another(file, at_path, source_file, rows, elsewhere)


def read_other(
    file: SourceFile, source_file: str, rows: Sequence[Row], others: Iterable[tuple[str, str]]
) -> list[RawRecord | SourceUnreadable] | None:
    """The records as they stand in the first of the other files whose bytes are still those of the
    source file when it was indexed; None where none has them."""
    if not file.sha256:
        return None
    tried = 0
    for name, at in others:
        if name == file.path or not _has_size(at, file.size):
            continue
        tried += 1
        if tried > OTHERS:
            return None
        if (found := _as_indexed(file, at, source_file, rows)) is not None:
            return [
                replace(one, read_from=name) if isinstance(one, RawRecord) else one for one in found
            ]
    return None


def _has_size(at: str, size: int) -> bool:
    try:
        return Path(at).is_file() and Path(at).stat().st_size == size
    except OSError:
        return False


def _as_indexed(
    file: SourceFile, at: str, source_file: str, rows: Sequence[Row]
) -> list[RawRecord | SourceUnreadable] | None:
    """The records of a file `at` a path whose bytes are those that were indexed; else None."""
    try:
        if _as_it_was(file, at) is False:
            return None
    except OSError:  # it went meanwhile, or may not be read
        return None
    standing: dict[int, Loose] = {}
    wanted = {row["source_ordinal"] for row in rows}
    digest: list[bytes] = []
    reading = _records(
        file.path, at, source_file, lambda chunk: _holds(chunk, wanted), digest.append
    )
    for loose in reading:
        if loose.ordinal in wanted:
            standing[loose.ordinal] = loose
            if len(standing) == len(wanted):
                break
    reading.close()  # now the digest is told
    if not file.sha256 or digest != [file.sha256]:
        return None
    return [_unmoved(standing.get(row["source_ordinal"]), row, file, source_file) for row in rows]


def _as_it_was(file: SourceFile, at: str) -> bool | None:
    """Whether the file is the one that was indexed, as far as its stamp says, or where that is
    another one its digest; None where reading it must show it."""
    now = Path(at).stat()
    if _outgrew(file, now.st_size):
        return False
    if (now.st_size, now.st_mtime_ns) == (file.size, file.mtime_ns) or not file.sha256:
        return None
    with Path(at).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest() == file.sha256


def _of_another(
    file: SourceFile, at: str, source_file: str, rows: Sequence[Row], elsewhere: str | None
) -> list[RawRecord | SourceUnreadable]:
    """What can be had of a file that is not as it was indexed."""
    if elsewhere is not None:
        led = SourceUnreadable(
            f"{source_file} leads to another file now ({elsewhere}), which the catalog does not"
            " name, and is not as it was indexed, so the raw record cannot be shown. The index"
            " keeps its columns."
        )
        return [led for _ in rows]
    size = Path(at).stat().st_size
    if _outgrew(file, size):
        why = f"it has {counted(size, 'byte')} now and had {file.size:,}, so it is not read again"
        return [_unread(source_file, why) for _ in rows]
    return _in_changed(file, at, source_file, rows)


def _outgrew(file: SourceFile, size: int) -> bool:
    return file.size >= 0 and size > max(2 * file.size, file.size + GROWN_BYTES)


def _unread(source_file: str, why: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"{source_file} has changed since it was indexed: {why}. The index keeps its columns."
        " `python -m trail add` over its folder reads the file as it is now."
    )


def _unmoved(
    loose: Loose | None, row: Row, file: SourceFile, source_file: str
) -> RawRecord | SourceUnreadable:
    """The record of a file that is as it was indexed."""
    if loose is not None and _is_row(loose, row):
        return _found(loose, row, file, "file", file.sha256)
    return SourceUnreadable(
        f"{source_file} is as it was indexed, and yet its record {row['source_ordinal']} is not"
        " what the index says of it: the index is damaged. `python -m trail verify` says where."
    )


def _in_changed(
    file: SourceFile, at: str, source_file: str, rows: Sequence[Row]
) -> list[RawRecord | SourceUnreadable]:
    """The records of a file that has changed, wherever they stand in it now: of two that the
    columns do not tell apart neither, since one of them was never indexed."""
    wanted = {row["event_id"] for row in rows}
    equal: list[list[Loose]] = [[] for _ in rows]
    there: set[str] = set()
    digest: list[bytes] = []
    until = time.monotonic() + SECONDS
    for loose in _records(
        file.path, at, source_file, lambda chunk: _may_name(chunk, wanted), digest.append, until
    ):
        if time.monotonic() > until:
            break
        named = loose.record.get("eventID")
        if named not in wanted and named not in (None, ""):
            continue
        for row, found in zip(rows, equal, strict=True):
            if named not in (row["event_id"], None, ""):
                continue
            if _is_row(loose, row, anywhere=True):
                if all(loose.record != one.record for one in found):
                    found.append(loose)
            elif named:
                there.add(row["event_id"])
    if time.monotonic() > until:  # another record with that row may be in what was not read
        why = f"to read what stands there now takes more than {SECONDS:g} seconds"
        return [_unread(source_file, why) for _ in rows]
    now = digest[0] if digest else b""
    return [
        _found(found[0], row, file, "columns", now)
        if len(found) == 1
        else _changed(file, source_file, row["event_id"], bool(found), row["event_id"] in there)
        for row, found in zip(rows, equal, strict=True)
    ]


def _changed(
    file: SourceFile, source_file: str, event_id: str, several: bool, is_there: bool
) -> SourceUnreadable:
    if several:
        what = f"it holds several records of event {event_id} that the index cannot tell apart"
    elif is_there:
        what = f"its record of event {event_id} says something else now"
    else:
        what = f"it no longer holds event {event_id}"
    changed = "has changed since it was indexed" if file.sha256 else "may have changed"
    return SourceUnreadable(
        f"{source_file} {changed}: {what}, so the raw record cannot be shown. The index keeps"
        " its columns. `python -m trail add` over its folder reads the file as it is now."
    )


def _found(
    loose: Loose, row: Row, file: SourceFile, checked: Literal["file", "columns"], now: bytes
) -> RawRecord:
    return RawRecord(
        text_of(loose),
        row["source_file"],
        row["source_ordinal"],
        loose.ordinal,
        file.sha256.hex(),
        checked,
        now.hex(),
    )


def _records(
    path: str,
    at: str,
    source_file: str,
    worth: Callable[[Chunk], bool],
    digested: Callable[[bytes], None] = lambda _: None,
    until: float | None = None,
) -> Generator[Loose]:
    """The records of a source file one by one, those of chunks that are not `worth` it left out."""
    reading = read_source(path, digested=digested, until=until, at=at)
    try:
        for found in reading:
            if isinstance(found, Loose) and found.source_file == source_file:
                yield found
            elif isinstance(found, Chunk) and found.source_file == source_file and worth(found):
                yield from (one for one in take_apart(found) if isinstance(one, Loose))
    finally:
        reading.close()


def _holds(chunk: Chunk, ordinals: Collection[int]) -> bool:
    inside = range(chunk.first_ordinal, chunk.first_ordinal + len(chunk.records))
    return any(ordinal % CARRIED in inside for ordinal in ordinals)


def _may_name(chunk: Chunk, event_ids: Collection[str]) -> bool:
    return any(record.eventID in event_ids or not record.eventID for record in chunk.records)


def _is_row(loose: Loose, row: Row, *, anywhere: bool = False) -> bool:
    """Whether the record's row, made again, is the indexed one in every column; with `anywhere`
    but for its place in the file."""
    compared = [n for n in EVENT_SCHEMA.names if not (anywhere and n == "source_ordinal")]
    return any(
        all(_plain(made[name]) == _plain(row[name]) for name in compared)
        for made in _rows_of(loose)
    )


def _rows_of(loose: Loose) -> Iterator[Row]:
    """The record's row by both of ingest's ways, of which it took one."""
    if loose.text is not None and is_clean(loose.text):
        apart: list[Chunk] = []
        columns = Columns(apart.append)
        try:
            record = _typed.decode(loose.text)
            columns.add_chunk(
                Chunk(loose.source_file, loose.ordinal, [record], loose.text, lines=True)
            )
            columns.pack()
            if not apart:
                yield columns.sorted_table().to_pylist()[0]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    columns = Columns(lambda _: None)
    try:
        columns.add_row(event_row(loose.record), loose.source_file, loose.ordinal)
    except Unreadable:
        return
    yield columns.sorted_table().to_pylist()[0]


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if _is_aware(value) else value


def _is_aware(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None
