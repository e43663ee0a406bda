"""Bytes → records, for every shape that CloudTrail is found in.

A source file is opened up layer by layer (gzip, tar, zip), its text recognised by how it begins,
and its records handed on in chunks that msgspec decoded at once. Where that fails, the same text
is taken apart record by record, so that one bad record costs only itself. Memory is bounded by
`BLOCK` and `RECORD_BYTES`, whatever the size of the file.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trail.counted import counted
from trail.days_unread import unread_of
from trail.digests import Hashed, of_bytes
from trail.read.breaks import breaks_at
from trail.read.columns import Chunk, TypedRecord
from trail.read.containers import (
    Content,
    Parquet,
    Text,
    Unopened,
    contents,
    contents_of_file,
    is_parquet,
)
from trail.read.flat import (
    day_and_account,
    is_of_cloudtrail,
    is_of_day_or_account,
    names_events,
    says_who,
)
from trail.read.ocsf import is_ocsf
from trail.read.others import kind_of_text, kind_skipped_by_path
from trail.read.place import plain_name
from trail.read.records import (
    NOBODY,
    NoCall,
    Outcome,
    Record,
    Refused,
    decoded,
    is_whole,
    no_call,
    no_record,
    outcomes_in,
    row_outcome,
)
from trail.read.sources import owner
from trail.read.streams import (
    BLOCK,
    Allowance,
    Blocks,
    BrokenStream,
    few_bytes,
    from_file,
    is_gzip,
    is_zip,
    too_many,
    unpack_small,
)
from trail.read.tables import Table, row_of, table_in
from trail.read.walk import ORIGINALS
from trail.read.yaml_text import LONGEST, TooLong, is_yaml, yaml_values

RECORD_BYTES = 16 << 20
"""The longest single record, line or message that is read. AWS's own limit is 256 KB."""

_SMALL = 24 << 20
CARRIED = 1 << 32
"""Ordinals of the records in one piece of text: the piece's own, plus this for each further one."""


@dataclass(frozen=True)
class Loose:
    """One record that goes through `event_row`. `text` is its JSON where the source has it."""

    source_file: str
    ordinal: int
    record: dict[str, Any]
    text: bytes | None = None


@dataclass(frozen=True)
class Bad:
    """Something that could not be read. `foreign`: it is no CloudTrail event at all.

    `lost`: part of the file is unread, so it counts even where nothing else is a record. `more` of
    the same follow it, which nobody tells one by one.
    """

    source_file: str
    position: str
    reason: str
    foreign: bool = False
    lost: bool = False
    more: int = 0


@dataclass(frozen=True)
class Skipped:
    """What is recognised as no per-call event, and need not be one: a file or archive member as a
    whole, or one `record` among others.
    """

    source_file: str
    reason: str
    record: bool = False


Found = Chunk | Loose | Bad | Skipped


class _CloudTrailFile(msgspec.Struct):
    Records: list[TypedRecord]


class _RawFile(msgspec.Struct):
    Records: list[msgspec.Raw]


_file = msgspec.json.Decoder(_CloudTrailFile)
_raw_file = msgspec.json.Decoder(_RawFile)
_array = msgspec.json.Decoder(list[TypedRecord])
_raw_array = msgspec.json.Decoder(list[msgspec.Raw])
_lines = msgspec.json.Decoder(TypedRecord)
_any = msgspec.json.Decoder()

_LOG_NAME = re.compile(
    r"\.(?:json|jsonl|ndjson|log|csv|parquet)(?:\.gz)?$|\.(?:gz|tgz|zip|tar)$", re.IGNORECASE
)
_JSON_NAME = re.compile(r"\.(?:json|jsonl|ndjson)(?:\.gz)?$", re.IGNORECASE)
_PACKED = (
    (re.compile(rb"BZh[1-9]1AY&SY"), "bzip2"),
    (re.compile(rb"\xfd7zXZ\0"), "xz"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "7-Zip"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "zstd"),
    (re.compile(rb"Rar!\x1a\x07"), "RAR"),
)
"""How archives begin that are not opened: they may be full of logs, so they are no other files."""
_ARRAY_IN_OBJECT = re.compile(rb'\s*\{\s*"(?:Records|records|Events|events|logEvents)"\s*:\s*\[')
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("|\Z|(?=\\\Z))|[{}\[\]]', re.DOTALL)
"""A bracket, or a string; one that is not closed goes up to the end, less a last backslash."""
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+("|\Z|(?=\\\Z))', re.DOTALL)
_JSON_IN_STRING = re.compile(rb'"(?:\\")?\s*[{\[]\s*(?:\\+["nrt]|[}\]])')
_QUOTE = ord('"')
_ANY_BEGIN = re.compile(rb'\{\s*"event(?:Version|Time|ID)"\s*:')
_SPACE = b" \t\r\n"
_BLANKS_AND_COMMAS = re.compile(rb"(?:[ \t\r\n,\x1e]++|\xef\xbb\xbf)*+")
"""Between values, with the byte order mark of a file that was put behind another."""
_BLANK_LINES = re.compile(rb"\n[ \t\r\n]*\n")
_ITEM_END = re.compile(rb"[,\]]")
_NO_SCALAR = re.compile(rb"[{\[\]]")
_SCALARS = 1_000
_NESTED = 1_100
"""No decoder goes as deep as this."""
_DEEP = "nested too deeply"
_NO_OBJECT = "not a JSON object"
_UNCLOSED = "malformed JSON: its brackets or quotes do not close"
_TOO_LONG = f"a record of more than {RECORD_BYTES:,} bytes"
_PREFIXES = 3
_GATHERED = 1 << 20
_SCANNED_TWICE = 32 << 20


def read_source(
    path: str | Path,
    opened: Callable[[os.stat_result], None] = lambda _: None,
    digested: Callable[[bytes], None] = lambda _: None,
    until: float | None = None,
    *,
    at: str | None = None,
) -> Generator[Found]:
    """Everything in one source file, archives opened. Never raises for what the file holds, and
    ends within a time that the file's size on disk bounds, whatever it unpacks to or claims.


    `opened` is told the file's stamp, from before anything was read; `digested` the SHA-256 of its
    bytes, also where the caller stops early: then when it does. What is not read `until` then, as
    `time.monotonic` counts, is a `Bad` that says so. Its bytes lie `at` another path than its own
    where it is no file of this machine.
    """
    name = str(path)
    sizes: list[int] = []

    def stamped(stat: os.stat_result) -> None:
        sizes.append(stat.st_size)
        opened(stat)

    count = 0
    with closing(_read_source(name, at or name, stamped, digested, until)) as everything:
        for found in everything:
            yield found
            count += len(found.records) if isinstance(found, Chunk) else 1
            if sizes and too_many(count, sizes[0]):
                reason = f"more than {few_bytes(count - 1, sizes[0])}"
                yield Bad(found.source_file, f"after record {count - 1}", reason, lost=True)
                return


def _read_source(
    name: str,
    at: str,
    opened: Callable[[os.stat_result], None],
    digested: Callable[[bytes], None],
    until: float | None,
) -> Generator[Found]:
    if (reason := kind_skipped_by_path(name)) is not None:
        yield Skipped(name, reason)
        return
    try:
        handle = os.open(at, os.O_RDONLY | os.O_CLOEXEC)
        try:
            stat = os.fstat(handle)
            opened(stat)
            allowance = Allowance(stat.st_size, until)
            if stat.st_size < _SMALL:
                # Almost every file is small: no streaming machinery for it. One byte more than
                # is there is asked for, to see whether it has grown since.
                packed = os.read(handle, stat.st_size + 1)
                if len(packed) == stat.st_size and not is_zip(packed) and not is_parquet(packed):
                    whole = unpack_small(packed, _SMALL) if is_gzip(packed) else packed
                    if whole is not None and len(whole) < _SMALL:
                        digested(of_bytes(packed))
                        if (chunk := _usual(whole, name)) is not None:
                            yield chunk
                        else:
                            stream = from_file(io.BytesIO(whole))
                            yield from _found_in(contents(stream, name, allowance), allowance)
                        return
                del packed
                os.lseek(handle, 0, os.SEEK_SET)
            with open(handle, "rb", buffering=0, closefd=False) as file:
                head = file.read(4)
                file.seek(0)
                if is_zip(head) or is_parquet(head):
                    digested(Hashed(file).rest())
                    file.seek(0)
                    yield from _found_in(contents_of_file(file, name, allowance), allowance)
                else:
                    hashed = Hashed(file)
                    stream = from_file(hashed, allowance)
                    try:
                        yield from _found_in(contents(stream, name, allowance), allowance)
                    except GeneratorExit:
                        digested(hashed.rest())
                        raise
                    digested(hashed.rest())
        finally:
            os.close(handle)
    except OSError as error:
        yield Bad(name, "file", f"cannot be opened: {error.strerror or error}", lost=True)


def text_of(loose: Loose) -> str:
    """The record's JSON: the source's own text, or made of the row of a table."""
    if loose.text is not None:
        return loose.text.decode("utf-8", "replace")
    return json.dumps(loose.record, ensure_ascii=False, default=str)


def take_apart(chunk: Chunk) -> Iterator[Loose | Bad | Skipped]:
    """The same records one by one, each decoded by itself, envelopes opened."""
    data = chunk.data
    pieces: Sequence[bytes]
    if chunk.lines:
        pieces = [line for line in data.split(b"\n") if line.strip(_SPACE)]
        if len(pieces) != len(chunk.records):  # run together, or pretty-printed
            pieces = [data[begin:end] for begin, end in _spans(data)[0]]
    elif data.lstrip(_SPACE)[:1] == b"[":
        pieces = _raw_array.decode(data)
    else:
        pieces = _raw_file.decode(data).Records
    for number, piece in enumerate(pieces, chunk.first_ordinal):
        nth = 0
        for found in _unwrapped(bytes(piece), chunk.source_file, number):
            if isinstance(found, Loose):
                # One piece may carry several records: each needs a place of its own.
                yield replace(found, ordinal=number + nth * CARRIED)
                nth += 1
            elif isinstance(found, Bad | Skipped):
                yield found


# ---- layers ------------------------------------------------------------------------------------


def _found_in(found: Iterator[Content], allowance: Allowance) -> Iterator[Found]:
    """What the texts and tables of a file hold."""
    for content in found:
        if isinstance(content, Text):
            yield from _noted(_text_stream(content.stream, content.name), allowance)
        elif isinstance(content, Parquet):
            yield from _noted(_parquet(content.file, content.name, allowance), allowance)
        elif isinstance(content, Unopened):
            yield Bad(content.name, "file", content.reason, lost=True)
        else:
            yield Skipped(content.name, content.reason)


def _noted(found: Iterator[Found], allowance: Allowance) -> Iterator[Found]:
    for one in found:
        allowance.holds_records = allowance.holds_records or not isinstance(one, Bad | Skipped)
        yield one


def _parquet(file: Any, name: str, allowance: Allowance) -> Iterator[Found]:
    ordinal = 0
    try:
        table = pq.ParquetFile(file)
        # Said by its last bytes, before any page is unpacked: a row group may be one of millions.
        allowance.may_hold(table.metadata, file.seek(0, io.SEEK_END))
        names = list(table.schema_arrow.names)
        if not is_ocsf(names) and not names_events(names) and not _may_hold_records(names):
            yield Skipped(name, "Parquet, but neither Security Lake nor CloudTrail columns")
            return
        if names_events(names) and not says_who(names) and not _may_hold_records(names):
            named = [column for column in names if is_of_day_or_account(column)] or names[:1]
            rows = _rows_of(table, allowance, named)
            yield from _refused(rows, name, f"a table that {NOBODY}")
            return
        for row in _rows_of(table, allowance):
            for found in _row(row, name, ordinal):
                yield found
                ordinal += 1
    except BrokenStream as error:
        yield Bad(name, f"row {ordinal}", str(error), lost=True)
    except (
        pa.ArrowException, OSError, ValueError, AttributeError, TypeError, OverflowError,
        MemoryError,
    ) as error:  # fmt: skip
        reason = str(error).strip().partition("\n")[0]
        yield Bad(name, f"row {ordinal}", f"damaged Parquet ({reason})", lost=True)


def _rows_of(
    table: pq.ParquetFile, allowance: Allowance, columns: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    """The rows, of some columns or all. Raises `BrokenStream` where they are too large."""
    # Few at a time: a value that is kept once may stand in every row.
    for batch in table.iter_batches(batch_size=_PARQUET_ROWS, columns=columns):
        weight = sum(map(_weight, batch.columns))
        allowance.take(weight)
        if weight > _PARQUET_ROWS * _PARQUET_ROW:
            raise BrokenStream("rows of an impossible size")
        yield from batch.to_pylist()


_PARQUET_ROWS = 256
_PARQUET_ROW = 1 << 20
"""Bytes that the rows of a batch may take on average."""


def _weight(column: pa.Array) -> int:
    """The bytes of a column's values, where those that say nothing count as one each."""
    inner: list[pa.Array] = []
    if isinstance(column, pa.DictionaryArray):  # each row will have the value for itself
        each: int = max(1, column.dictionary.nbytes // max(1, len(column.dictionary)))
        if pa.types.is_string(column.dictionary.type):
            sizes = pc.binary_length(column.dictionary).take(column.indices)
            total: int | None = pc.sum(sizes).as_py()
            return len(column) + (total or 0)
        return len(column) * each
    if isinstance(column, pa.ListArray | pa.LargeListArray | pa.MapArray | pa.FixedSizeListArray):
        inner = [column.values]
    elif isinstance(column, pa.StructArray):
        inner = [column.field(number) for number in range(column.type.num_fields)]
    return len(column) + (sum(map(_weight, inner)) if inner else column.nbytes)


def _row(row: Mapping[str, Any], name: str, ordinal: int) -> Iterator[Found]:
    """What one row of a table stands for; the whole record in one of its cells, if one has it."""
    try:
        if any(
            isinstance(cell, str)
            and cell.lstrip()[:1] in ("{", "[", "<")
            and not is_of_cloudtrail(column)
            for column, cell in row.items()
        ):
            # Its columns are a tool's, and no record as AWS wrote it, whatever they are called.
            others = {c: cell for c, cell in row.items() if plain_name(c) != "useridentity"}
            found = list(_outcomes(others, name, ordinal))
            if any(not isinstance(one, Bad) or not one.foreign for one in found):
                yield from found
                return
        outcome = row_outcome(row)
    except RecursionError:
        yield Bad(name, f"record {ordinal}", _DEEP)
        return
    if outcome is None:
        yield Bad(name, f"record {ordinal}", "a row without an event's name and time")
    else:
        yield _as_found(outcome, name, ordinal)


def _may_hold_records(columns: Sequence[str]) -> bool:
    """Whether a column is called as tools call the one that keeps the whole record."""
    return any(plain_name(column) in ORIGINALS for column in columns)


# ---- text --------------------------------------------------------------------------------------


def _usual(data: bytes, name: str) -> Chunk | None:
    """All records of the usual text, decoded at once; None for anything else."""
    if not is_clean(data):
        return None
    try:
        if data[:1] == b"{" or data[:256].lstrip(_SPACE)[:1] == b"{":
            if data.find(b'"Records"', 0, 4096) >= 0:
                return Chunk(name, 0, _file.decode(data).Records, data)
        elif data[:256].lstrip(_SPACE)[:1] == b"[":
            records = _array.decode(data)
            if records and records[0].eventName is not None:
                return Chunk(name, 0, records, data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return None


def is_clean(data: bytes) -> bool:
    """UTF-8 without escaped surrogates: half a pair would poison every query that reads it."""
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
    return b"\\" not in data or not (b"\\ud" in data or b"\\uD" in data)


def _text_stream(stream: Blocks, name: str) -> Iterator[Found]:
    """Recognises a text by how it begins, and takes its records out."""
    start = stream.peek(64 << 10).lstrip(_SPACE)
    if not start:
        try:
            while data := stream.read():
                if data.strip(_SPACE):
                    yield Bad(name, "file", "begins with 64 KB of blanks", lost=True)
                    return
        except BrokenStream as error:
            yield Bad(name, "file", str(error), lost=True)
            return
        yield Skipped(name, "empty")
    elif start[:1] in b"{[" or _JSON_IN_STRING.match(start):
        yield from _Json(stream, name).found()
    elif is_yaml(start.decode("utf-8", "replace")):
        yield from _yaml(stream, name)
    elif _PRINTED_TABLE.match(start):
        yield from _printed_table(stream, name)
    elif (reason := kind_of_text(start)) is not None:
        yield Skipped(name, reason)
    elif (table := table_in(start.decode("utf-8", "replace"), NOBODY)) is not None:
        yield from _csv(stream, name, table)
    elif _is_prefixed(start):
        yield from _prefixed_lines(stream, name)
    elif packed := next((by for begin, by in _PACKED if begin.match(start)), None):
        yield Bad(name, "byte 0", f"packed with {packed}: unpack it first", lost=True)
    elif _LOG_NAME.search(name) and not _is_text_about(name):
        if _JSON_NAME.search(name) or b"\0" in start[:4096] or _may_hold(start):
            yield Bad(name, "byte 0", _unlike(start), lost=True)
        else:
            yield Skipped(name, "text of another kind: neither JSON nor a table of events")
    else:
        yield Skipped(name, "not a log file")


def _yaml(stream: Blocks, name: str) -> Iterator[Found]:
    """What `--output yaml` printed, of a size that a person asks for."""
    parts: list[bytes] = []
    size = 0
    try:
        while size <= YAML_BYTES and (data := stream.read()):
            parts.append(data)
            size += len(data)
        while stream.read():  # an archive goes on behind it
            pass
        values = yaml_values(b"".join(parts).decode("utf-8", "replace"))
    except BrokenStream as error:
        yield Bad(name, "file", str(error), lost=True)
        return
    except TooLong as error:
        yield Bad(name, "line 1", str(error), lost=True)
        return
    if not values:
        yield Bad(name, "line 1", "YAML that cannot be read: ask for JSON", lost=True)
    ordinal = 0
    for value in values:
        for found in _outcomes(value, name, ordinal):
            yield found
            ordinal += 1


YAML_BYTES = 4 * LONGEST


def _is_text_about(name: str) -> bool:
    return bool(re.search(r"(?:^|/)(?:README|LICENSE|NOTICE|CHANGELOG)[^/]*$", name, re.IGNORECASE))


def _unlike(start: bytes) -> str:
    if b"\0" in start[:4096]:
        return "binary data (NUL bytes), not JSON, CSV or Parquet"
    return "neither JSON nor CSV with CloudTrail's columns"


class _Lines:
    """A stream's lines for `csv`; what is too long is left out, and said by `_LineTooLong`."""

    def __init__(self, stream: Blocks) -> None:
        self._stream = stream
        self._lines: Iterator[bytes] = iter(())
        self._rest = b""
        self._too_long = False
        self._ended = False
        self.number = 0
        self.broken: BrokenStream | None = None

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        while (line := next(self._lines, None)) is None:
            if self._ended:
                if not self._rest:
                    raise StopIteration
                line, self._rest = self._rest, b""
                break
            self._more()
            if self._too_long:
                self.number += 1
                self._too_long = False
                raise _LineTooLong
        self.number += 1
        return line.decode("utf-8", "replace")

    def _more(self) -> None:
        parts = [self._rest]
        size = len(self._rest)
        while not self._ended:
            data = self._read()
            end = data.rfind(b"\n") + 1
            if end:
                lines = b"".join((*parts, data[:end]))
                if self._too_long:
                    lines = lines[lines.index(b"\n") + 1 :]
                self._lines = iter(io.BytesIO(lines))
                self._rest = data[end:]
                return
            size += len(data)
            if size > RECORD_BYTES:
                self._too_long = True
                parts = []
            else:
                parts.append(data)
        self._rest = b"" if self._too_long else b"".join(parts)

    def _read(self) -> bytes:
        try:
            data = self._stream.read()
        except BrokenStream as error:
            self.broken = error
            data = b""
        self._ended = not data
        return data


class _LineTooLong(Exception):
    """A line longer than `RECORD_BYTES` was left out."""


def _csv(stream: Blocks, name: str, table: Table) -> Iterator[Found]:
    rows = _csv_rows(stream, name, table)
    if table.refused is not None:
        yield from _refused(rows, name, table.refused)
        return
    ordinal = 0
    for row in rows:
        for found in (row,) if isinstance(row, Bad) else _row(row, name, ordinal):
            yield found
            ordinal += 1


def _refused(rows: Iterable[Mapping[str, Any] | Bad], name: str, reason: str) -> Iterator[Bad]:
    """A table of which no row is an event, told once for each day and account of its rows: what
    was called then is not all indexed."""
    lost: dict[str, tuple[int, int]] = {}  # what a position says of them → the first, how many
    for ordinal, row in enumerate(rows):
        day, account = (None, None) if isinstance(row, Bad) else day_and_account(row)
        told = "" if day is None else unread_of(day, account or owner(name)[0])
        if told not in lost and len(lost) >= _DAYS_TOLD:
            told = ""
        first, count = lost.get(told, (ordinal, 0))
        lost[told] = first, count + 1
    for told, (first, count) in lost.items():
        position = f"record {first}{told}" if told else "line 1"
        yield Bad(name, position, reason, lost=True, more=count - 1)
    if not lost:
        yield Bad(name, "line 1", reason, lost=True)


_DAYS_TOLD = 4_000
"""Days and accounts of a table that are told apart: eleven years of one account."""


def _csv_rows(stream: Blocks, name: str, table: Table) -> Iterator[dict[str, str] | Bad]:
    """The rows by column name, and why there is none of a line."""
    lines = _Lines(stream)
    left = table.before
    while left and (line := next(lines, None)) is not None:
        # Blank lines at the beginning are not counted.
        left -= bool(line.strip()) or left < table.before
    csv.field_size_limit(RECORD_BYTES)
    blank = 0
    reader = csv.reader(lines, delimiter=table.delimiter)
    header: list[str] | None = None
    while blank < _BLANK_ROWS:
        try:
            cells = next(reader)
            cells = table.cells(cells)
            if header is None:
                header = cells or None
            elif len(cells) == len(header):
                row = row_of(header, cells)
                yield Bad(name, f"line {lines.number}", row) if isinstance(row, str) else row
            elif cells:
                reason = f"{len(cells)} cells under {len(header)} columns"
                yield Bad(name, f"line {lines.number}", reason)
            else:
                blank += 1
        except StopIteration:
            break
        except _LineTooLong:
            reason = f"a line of more than {RECORD_BYTES:,} bytes"
            yield Bad(name, f"line {lines.number}", reason, lost=True)
        except csv.Error as error:
            yield Bad(name, f"line {lines.number}", f"damaged CSV ({error})", lost=True)
    else:
        yield Bad(
            name,
            f"line {lines.number}",
            f"{counted(blank, 'blank line')}: not read further",
            lost=True,
        )
        return
    if lines.broken is not None:
        yield Bad(name, f"line {lines.number}", str(lines.broken), lost=True)


_BLANK_ROWS = 100_000


_PREFIX = re.compile(rb"[^\n{\[]{1,400}(?=\{)")
_EXPORTED = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+Z?\s+\{")
_NO_RECORD_LINE = re.compile(rb"RESOURCES?\t|NEXTTOKEN\t|SEARCHEDLOGSTREAMS\t")


def _is_prefixed(start: bytes) -> bool:
    """Whether lines carry a record behind something: a time (CloudWatch Logs exported to S3, `aws
    logs tail`), a syslog header, the columns that `--output text` prints."""
    line = start.partition(b"\n")[0]
    match = _PREFIX.match(line)
    return match is not None and bool(
        _EXPORTED.match(line) or _RECORD_BEGINS.match(line, match.end())
    )


_RECORD_BEGINS = re.compile(
    rb'\{.{0,4000}?"(?:eventVersion|eventName|eventTime|userIdentity|Records|logEvents)"', re.DOTALL
)


def _prefixed_lines(stream: Blocks, name: str) -> Iterator[Found]:
    ordinal = 0
    for line in _split_lines(stream, name):
        if isinstance(line, Bad):
            yield line
            continue
        if _NO_RECORD_LINE.match(line):
            continue
        match = _PREFIX.match(line)
        text = line[match.end() :] if match else line
        spans, _ = _spans(text)
        for found in _unwrapped(text[slice(*spans[0])] if spans else text, name, ordinal):
            yield found
            ordinal += 1


_PRINTED_TABLE = re.compile(rb"-{20,}\r?\n\|")
"""How `--output table` begins."""


def _printed_table(stream: Blocks, name: str) -> Iterator[Found]:
    """The records in the cells of what the AWS CLI prints for people, where it has whole ones."""
    ordinal = 0
    for line in _split_lines(stream, name):
        if isinstance(line, Bad):
            yield line
            continue
        begin = line.find(b"{")
        if begin < 0 or not _RECORD_BEGINS.match(line, begin):
            continue
        spans, _ = _spans(line[begin:])
        text = line[begin:].rstrip(b"\r |")
        for found in _unwrapped(text[slice(*spans[0])] if spans else text, name, ordinal):
            yield found
            ordinal += 1
    if not ordinal:
        reason = "a table for people, without whole events: ask for JSON (`--output json`)"
        yield Bad(name, "line 1", reason, lost=True)


def _split_lines(stream: Blocks, name: str) -> Iterator[bytes | Bad]:
    rest = b""
    number = 0
    too_long = False
    while True:
        try:
            data = stream.read()
        except BrokenStream as error:
            if rest.strip():
                yield rest
            yield Bad(name, f"line {number}", str(error), lost=True)
            return
        if not data:
            break
        blanks = data.count(b"\n")
        lines = _BLANK_LINES.sub(b"\n", rest + data).split(b"\n")
        rest = lines.pop()
        if too_long and lines:
            lines.pop(0)
            too_long = False
        for line in lines:
            if line.strip():
                yield line
        number += blanks
        if too_long:
            rest = b""
        elif len(rest) > RECORD_BYTES:
            reason = f"a line of more than {RECORD_BYTES:,} bytes"
            yield Bad(name, f"line {number}", reason, lost=True)
            rest, too_long = b"", True
    if rest.strip():
        yield rest


# ---- JSON --------------------------------------------------------------------------------------


class _Json:
    """Takes records out of JSON text of any size: arrays, lines, or values one after another.

    Every byte is looked at a fixed number of times, however the text is nested or broken.
    """

    def __init__(self, stream: Blocks, name: str) -> None:
        self._stream = stream
        self._name = name
        self._buffer = b""
        self._at = 0  # what of the buffer was taken already
        self._offset = 0  # of the buffer's first byte in the text
        self._ended = False
        self._told_end = False
        self._broken: BrokenStream | None = None
        self._ordinal = 0
        self._scanned_twice = 0
        self._looked_from = self._looked_to = 0
        self._next_begin: int | None = None
        # How the first record begins, and how one ends before another: where to cut.
        self._begin: re.Pattern[bytes] = _ANY_BEGIN
        self._anchor: re.Pattern[bytes] | None = None

    def found(self) -> Iterator[Found]:
        while self._more_text():
            if match := _ARRAY_IN_OBJECT.match(self._buffer, self._at):
                self._at = match.end()
                yield from self._array_items()
                self._close()
            elif self._next() == b"[":
                self._at += 1
                yield from self._array_items()
            elif self._next() == b"{":
                yield from self._values()
            elif self._next() == b'"' and (text := self._string()) is not None:
                for found in _unwrapped(text, self._name, self._ordinal):
                    yield found
                    self._ordinal += 1
            else:
                yield Bad(self._name, f"byte {self._position}", "not JSON from here on", lost=True)
                self._give_up()
        if self._broken is not None:
            yield Bad(self._name, f"after record {self._ordinal - 1}", str(self._broken), lost=True)

    def _next(self) -> bytes:
        return self._buffer[self._at : self._at + 1]

    @property
    def _left(self) -> int:
        return len(self._buffer) - self._at

    @property
    def _position(self) -> int:
        """Of what comes next, in the text."""
        return self._offset + self._at

    def _fill(self) -> bool:
        """Reads one block more; False at the end."""
        if self._ended:
            return False
        parts = [self._buffer[self._at :]]
        self._offset += self._at
        self._at = 0
        came = 0
        try:
            # A stream may come in tiny pieces: the buffer is not put together for each.
            while came < _GATHERED and (data := self._stream.read()):
                parts.append(data)
                came += len(data)
        except BrokenStream as error:
            self._broken = error
        if came < _GATHERED:
            self._ended = True
        self._buffer = b"".join(parts)
        return came > 0

    def _give_up(self) -> None:
        """Takes no more from the text, and reads it to its end: an archive goes on behind it."""
        self._at = len(self._buffer)
        while self._fill():
            self._at = len(self._buffer)

    def _skip_blanks(self) -> None:
        """Blanks, and commas between values."""
        if (blanks := _BLANKS_AND_COMMAS.match(self._buffer, self._at)) is not None:
            self._at = blanks.end()

    def _more_text(self) -> bool:
        """Whether anything but blanks (and commas between values) is left."""
        while True:
            self._skip_blanks()
            if self._left:
                if self._left < 256:
                    self._fill()
                return True
            if not self._fill():
                return False

    def _close(self) -> None:
        """Reads over the rest of the object that the array stood in."""
        brackets = _Brackets(depth=1)
        most = self._position + RECORD_BYTES
        while (end := brackets.end(self._buffer, self._at, len(self._buffer))) < 0:
            self._at = brackets.at
            if self._position > most or not self._fill():
                self._at = len(self._buffer)
                return
        self._at = end

    # -- arrays

    def _array_items(self) -> Iterator[Found]:
        while True:
            self._skip_blanks()
            if not self._left:
                if not self._fill():
                    yield from self._cut_short("array")
                    return
                continue
            if self._next() == b"]":
                self._at += 1
                return
            if self._left < BLOCK and self._fill():
                continue
            if (chunk := self._fast_chunk()) is not None:
                yield chunk
            else:
                yield from self._slow_items()

    def _fast_chunk(self) -> Chunk | None:
        """As many whole records as the buffer begins with, decoded at once; None if unclear."""
        buffer = self._buffer[self._at :]
        if self._anchor is None:
            first = re.match(rb'\{\s*("[^"\\]{1,64}"\s*:)', buffer)
            if first is None:
                return None
            begin = rb"\{\s*" + re.escape(first[1])
            self._anchor = re.compile(rb"\}\s*,\s*(?=" + begin + rb")")
            self._begin = re.compile(begin)
            self._looked_from = self._looked_to = 0
        if not _is_clean_prefix(buffer):
            return None
        tail = max(0, len(buffer) - (256 << 10))
        ends = [match.start() + 1 for match in self._anchor.finditer(buffer, tail)][-8:]
        if not ends and tail:
            ends = [match.start() + 1 for match in self._anchor.finditer(buffer)][-8:]
        for end in reversed(ends):
            data = b"[" + buffer[:end] + b"]"
            try:
                records = _array.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if records[0].eventName is None:
                return None
            chunk = Chunk(self._name, self._ordinal, records, data)
            self._ordinal += len(records)
            self._at += end
            return chunk
        return None

    def _slow_items(self) -> Iterator[Found]:
        """The items of about one block, one by one."""
        until = self._offset + len(self._buffer)
        scalars = 0
        while self._position < until:
            self._skip_blanks()
            if not self._left or self._next() == b"]":
                return
            if self._next() in (b"{", b"["):
                yield from self._object()
                continue
            if self._next() == b'"' and (text := self._string()) is not None:
                for found in _unwrapped(text, self._name, self._ordinal):
                    yield found
                    self._ordinal += 1
                continue
            # A scalar, or something that is no value at all: read over it.
            cut = _ITEM_END.search(self._buffer, self._at + 1)
            while cut is None and self._left < RECORD_BYTES and self._fill():
                cut = _ITEM_END.search(self._buffer, self._at + 1)
            yield Bad(self._name, f"record {self._ordinal}", _NO_OBJECT, foreign=True)
            self._ordinal += 1
            self._at = cut.start() if cut else len(self._buffer)
            scalars += 1
            if scalars > _SCALARS:  # no log: the rest of the block in one
                other = _NO_SCALAR.search(self._buffer, self._at)
                end = other.start() if other else len(self._buffer)
                # Up to the last comma: the item behind it may go on in the next block.
                last = self._buffer.rfind(b",", self._at, end)
                passed = self._buffer.count(b",", self._at, max(last, self._at))
                if passed:
                    at = f"record {self._ordinal}"
                    yield Bad(self._name, at, _NO_OBJECT, foreign=True, more=passed - 1)
                    self._ordinal += passed
                    self._at = last

    def _string(self) -> bytes | None:
        """The JSON in a string that begins here, gone past; None where it is no such string.

        `--query 'Events[].CloudTrailEvent'` prints a list of these.
        """
        if not _JSON_IN_STRING.match(self._buffer, self._at):
            return None
        while True:
            match = _STRING_REST.match(self._buffer, self._at + 1)
            if match is not None and match[1] == b'"':
                break
            if self._left > RECORD_BYTES or not self._fill():
                return None
        try:
            inner = decoded(self._buffer[self._at : match.end()])
        except (ValueError, RecursionError):
            return None
        self._at = match.end()
        return str(inner).encode("utf-8", "surrogatepass")

    def _object(self) -> Iterator[Found]:
        """The record that begins here, found by its brackets; or why there is none, gone past.

        A record that an unclosed quote or bracket makes look longer than it is has to end where
        the next one begins: there it is seen that its text cannot be JSON.
        """
        brackets = _Brackets(most=_NESTED)
        inside: list[int] = []  # where other records seem to begin within, counted from our begin
        counted = 0  # how far the brackets are, likewise
        while True:
            other = None
            if len(inside) < _PREFIXES:
                other = self._beginning(self._at + (inside[-1] if inside else 0) + 1)
            stop = len(self._buffer) if other is None else other
            end = brackets.end(self._buffer, self._at + counted, stop)
            if end >= 0:
                yield from self._closed(self._buffer[self._at : end], inside)
                return
            counted = brackets.at - self._at
            if brackets.too_deep:
                yield self._rejected(_DEEP)
                self._past(brackets)
                return
            if other is not None:
                inside.append(other - self._at)
                if not _may_go_on(self._buffer[self._at : other + 1]):
                    yield self._rejected(_UNCLOSED)
                    self._at = other
                    return
            elif self._left > RECORD_BYTES:
                yield self._rejected(_TOO_LONG, lost=True)
                self._past(brackets)
                return
            elif not self._fill():
                if inside:
                    yield from self._inside_of(counted, inside[0])
                    return
                yield from self._cut_short(f"record {self._ordinal}")
                self._at = len(self._buffer)
                return

    def _beginning(self, at: int) -> int | None:
        """Where from there on the next record seems to begin, as far as the buffer goes."""
        sought = self._offset + at
        known = self._looked_from <= sought < self._looked_to
        if not known or self._next_begin is None or self._next_begin < sought:
            start = self._looked_to - self._offset if known and self._next_begin is None else at
            found = self._begin.search(self._buffer, max(at, start))
            self._looked_from = sought
            self._next_begin = None if found is None else self._offset + found.start()
            # One that the buffer's end cuts in two is not seen yet.
            end = len(self._buffer) - 128 if found is None else found.end()
            self._looked_to = self._offset + max(at, end)
        return None if self._next_begin is None else self._next_begin - self._offset

    def _closed(self, text: bytes, inside: list[int]) -> Iterator[Found]:
        """What an object of this text is; where it is none, reading goes on inside it."""
        if inside:
            one = _one(text, self._name, self._ordinal)
            if isinstance(one, Bad) and not one.foreign and one.reason != _DEEP:
                yield from self._inside_of(len(text), inside[0])
                return
        self._at += len(text)
        yield from self._unwrap(text)

    def _inside_of(self, size: int, first: int) -> Iterator[Found]:
        """Goes on with the first record that seems to begin inside of one that is none."""
        self._scanned_twice += size
        if self._scanned_twice > _SCANNED_TWICE + self._position:
            yield self._rejected("too much malformed JSON: not read further", lost=True)
            self._told_end = True
            self._give_up()
            return
        yield self._rejected(_UNCLOSED)
        self._at += first

    def _rejected(self, reason: str, *, lost: bool = False) -> Bad:
        bad = Bad(self._name, f"record {self._ordinal}, byte {self._position}", reason, lost=lost)
        self._ordinal += 1
        return bad

    def _past(self, brackets: _Brackets) -> None:
        """Reads over the rest of an object, to its end, or to what begins like a record behind
        another's end: a quote may be open."""
        behind = re.compile(rb"\}[\s,]*(?=" + self._begin.pattern + rb")")
        brackets.most = None
        self._at = brackets.at
        counted = self._offset + brackets.at
        while True:
            other = behind.search(self._buffer, self._at)
            stop = len(self._buffer) if other is None else other.end()
            end = brackets.end(self._buffer, counted - self._offset, stop)
            if end >= 0 or other is not None:
                self._at = end if end >= 0 else stop
                return
            counted = self._offset + brackets.at
            self._at = min(brackets.at, max(self._at, len(self._buffer) - 256))
            if not self._fill():
                self._at = len(self._buffer)
                return

    def _cut_short(self, what: str) -> Iterator[Found]:
        if self._broken is None and not self._told_end:
            self._told_end = True
            yield Bad(
                self._name,
                f"record {self._ordinal}, byte {self._position}",
                f"the text ends inside {'the ' if what == 'array' else ''}{what}",
                lost=True,
            )

    # -- values one after another

    def _values(self) -> Iterator[Found]:
        """JSON lines, or objects pretty-printed or run together, until an array object begins."""
        by_line = self._is_by_line()
        while self._more_text():
            if self._next() != b"{" or _ARRAY_IN_OBJECT.match(self._buffer, self._at):
                return
            if self._left < BLOCK and self._fill():
                continue
            if (chunk := self._fast_lines()) is not None:
                yield chunk
            elif by_line:
                yield from self._slow_lines()
            else:
                yield from self._slow_values()

    def _is_by_line(self) -> bool:
        """Whether each line is a value of its own, to be judged without its neighbours."""
        while (
            self._buffer.find(b"\n", self._at) < 0 and self._left <= RECORD_BYTES and self._fill()
        ):
            pass
        first, _, rest = self._buffer[self._at :].partition(b"\n")
        try:
            decoded(first)
        except (ValueError, RecursionError):
            return rest.startswith(b"{") and not first.rstrip().endswith((b"{", b","))
        return True

    def _slow_lines(self) -> Iterator[Found]:
        end = len(self._buffer) if self._ended else self._buffer.rfind(b"\n", self._at) + 1
        if end == 0:
            if self._left > RECORD_BYTES:
                yield self._rejected(_TOO_LONG, lost=True)
                self._past_line()
            else:
                self._fill()
            return
        data = self._buffer[self._at : end]
        self._at = end
        for line in _BLANK_LINES.sub(b"\n", data).split(b"\n"):
            if text := line.strip(_SPACE + b",\x1e\0\xef\xbb\xbf"):
                spans, closed = _spans(text)
                if closed and len(spans) > 1 and not text[spans[-1][1] :].strip(_SPACE):
                    for begin, stop in spans:
                        yield from self._unwrap(text[begin:stop])
                else:
                    yield from self._unwrap(text)

    def _past_line(self) -> None:
        """Reads over the rest of a line."""
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            self._at = len(self._buffer)
            if not self._fill():
                return
        self._at = end + 1

    def _slow_values(self) -> Iterator[Found]:
        until = self._offset + len(self._buffer)
        while self._position < until:
            self._skip_blanks()
            if self._next() != b"{" or _ARRAY_IN_OBJECT.match(self._buffer, self._at):
                return
            yield from self._object()

    def _fast_lines(self) -> Chunk | None:
        """Whole lines, each one record, decoded at once; None if unclear."""
        end = len(self._buffer) if self._ended else self._buffer.rfind(b"\n", self._at) + 1
        data = self._buffer[self._at : end]
        if not data or not is_clean(data):
            return None
        try:
            records = _lines.decode_lines(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if not records or records[0].eventName is None:
            return None
        chunk = Chunk(self._name, self._ordinal, records, data, lines=True)
        self._ordinal += len(records)
        self._at = end
        return chunk

    def _unwrap(self, text: bytes) -> Iterator[Found]:
        for found in _unwrapped(text, self._name, self._ordinal):
            yield found
            if isinstance(found, Chunk):
                self._ordinal = found.first_ordinal + len(found.records)
            elif isinstance(found, Loose):
                self._ordinal = found.ordinal + 1
            else:
                self._ordinal += 1


class _Brackets:
    """Where a value ends whose brackets are counted, through any number of pieces of its text."""

    def __init__(self, depth: int = 0, most: int | None = None) -> None:
        self.depth = depth
        self.most = most
        self.at = 0
        """Where in the last piece counting stopped: at its end, or before a backslash there."""
        self._in_string = False

    @property
    def too_deep(self) -> bool:
        return self.most is not None and self.depth > self.most

    def end(self, text: bytes, at: int, stop: int) -> int:
        """The place behind the bracket that closes the value; -1 where none does before `stop`,
        or it is too deep by then."""
        if self._in_string:
            rest = _STRING_REST.match(text, at, stop)
            self.at = rest.end() if rest is not None else at
            if rest is None or rest[1] != b'"':
                return -1
            at, self._in_string = self.at, False
        self.at = max(at, stop)
        for token in _TOKEN.finditer(text, at, stop):
            kind = token[0]
            if kind[0] == _QUOTE:
                if token[1] != b'"':
                    self._in_string = True
                    self.at = token.end()
                    return -1
            elif kind in b"{[":
                self.depth += 1
                if self.too_deep:
                    self.at = token.end()
                    return -1
            else:
                self.depth -= 1
                if self.depth <= 0:
                    return token.end()
        return -1


def _may_go_on(prefix: bytes) -> bool:
    """Whether more text could make this valid JSON."""
    try:
        _any.decode(prefix)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except UnicodeDecodeError:
        return False
    except RecursionError:
        return True
    return True


def _is_clean_prefix(data: bytes) -> bool:
    """`is_clean` for a text that may stop in the middle of a character."""
    return is_clean(data) or any(is_clean(data[:-cut]) for cut in (1, 2, 3))


def _spans(text: bytes) -> tuple[list[tuple[int, int]], bool]:
    """(begin, end) of each object that the text begins with, and whether no object is open.

    Stops at the first bracket that closes what was open before, or at anything that is not an
    object: the caller looks at what is there.
    """
    spans: list[tuple[int, int]] = []
    depth = begin = last = 0
    for token in _TOKEN.finditer(text):
        kind = token[0]
        if kind[0] == _QUOTE:
            if depth == 0:
                break
            continue
        if kind in b"{[":
            if depth == 0:
                begin = token.start()
                if text[last:begin].strip(_SPACE + b",\x1e"):
                    break
            depth += 1
        else:
            depth -= 1
            if depth < 0:
                depth = 0
                break
            if depth == 0:
                last = token.end()
                spans.append((begin, last))
    return spans, depth == 0


def _one(text: bytes, name: str, ordinal: int) -> Loose | Bad | Skipped:
    """One record's own text, decoded by itself."""
    position = f"record {ordinal}"
    try:
        value = decoded(text)
    except UnicodeDecodeError as error:
        return Bad(name, position, f"not UTF-8 at byte {error.start} of the record")
    except RecursionError:
        return Bad(name, position, _DEEP)
    except ValueError as error:
        said = breaks_at(error) if isinstance(error, json.JSONDecodeError) else str(error)[:120]
        reason = f"malformed JSON: {said}"
        return Bad(name, position, reason, foreign=not _may_hold(text))
    if not isinstance(value, dict):
        return Bad(name, position, _NO_OBJECT, foreign=True)
    if (why := no_call(value)) is not None:
        return Skipped(name, why, record=True)
    return Loose(name, ordinal, value, text)


def _unwrapped(text: bytes, name: str, ordinal: int) -> Iterator[Found]:
    """The records inside one JSON value: itself, or what its envelope carries."""
    one = _one(text, name, ordinal)
    if isinstance(one, Bad) and one.reason == _NO_OBJECT:
        yield from _outcomes(decoded(text), name, ordinal, text)
    elif not isinstance(one, Loose) or (
        is_whole(one.record) and _ENVELOPE_KEYS.isdisjoint(one.record)
    ):
        yield one
    else:
        yield from _outcomes(one.record, name, ordinal, text)


_ENVELOPE_KEYS = frozenset({"_raw", "CloudTrailEvent", "event.original", "event", "detail"})
"""Keys of objects that may look like a record and hold the record itself."""


_HELD = (
    b"event", b"identity", b"cloudtrail", b"amazonaws", b"class_uid", b"h4si", b"eyj",
    b"digests3object", b"control_message", b"[]",
)  # fmt: skip
"""Of these JSON has one in it, in small letters, that holds a record in whatever shape, or is told
apart from one."""


def _may_hold(text: bytes) -> bool:
    lower = text.lower()
    return any(word in lower for word in _HELD)


def _outcomes(value: object, name: str, ordinal: int, text: bytes | None = None) -> Iterator[Found]:
    """What a value of any kind carries, each with a place of its own."""
    carried = False
    for outcome in outcomes_in(value) if text is None or _may_hold(text) else ():
        yield _as_found(outcome, name, ordinal)
        ordinal += 1
        carried = True
    if not carried:
        refused = no_record(value) if isinstance(value, dict) else Refused(_NO_OBJECT, foreign=True)
        yield _as_found(refused, name, ordinal)


def _as_found(outcome: Outcome, name: str, ordinal: int) -> Loose | Bad | Skipped:
    if isinstance(outcome, Record):
        text = outcome.text
        return Loose(
            name, ordinal, outcome.record,
            None if text is None else text.encode("utf-8", "surrogatepass"),
        )  # fmt: skip
    if isinstance(outcome, NoCall):
        return Skipped(name, outcome.reason, record=True)
    position = f"record {ordinal}"
    if outcome.day is not None:
        position += unread_of(outcome.day, outcome.account or owner(name)[0])
    return Bad(name, position, outcome.reason, foreign=outcome.foreign)
