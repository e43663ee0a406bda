"""CloudTrail records → Arrow columns, many at a time, by the rules of `trail.events`.

Two ways in, one result. `add_chunk` takes records that msgspec decoded into `TypedRecord`, whose
sub-objects are still the raw bytes of the file: nothing is parsed that no column needs, and each
distinct `userIdentity` is parsed once. `add_row` takes what `event_row` made of any other record.

Some eight thousand records at a time become plain columns, and their objects go before the
next ones come; all that can be worked out of columns is worked out of many lots at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

from trail.events import (
    EARLIEST,
    EVENT_SCHEMA,
    IDENTITY_COLUMNS,
    LATEST,
    asked_for,
    asks_for_role,
    corrected_event,
    has_failed,
    mfa_at_sign_in,
    minted,
    target_role,
    text_of,
    told,
)
from trail.placeholders import are_plain_ids
from trail.read.identities import IDENTITIES, flags, identities_of, json_object, naive, told_of
from trail.read.sources import owner

Text = str | None
_MISSING = msgspec.Raw()
"""What the record does not have; JSON's null is four bytes long."""


class TypedRecord(msgspec.Struct, gc=False):
    """A record in its usual types. One that does not decode into this goes through `event_row`."""

    eventID: Text = None
    eventTime: Text = None
    eventSource: Text = None
    eventName: Text = None
    eventType: Text = None
    eventCategory: Text = None
    eventVersion: Text = None
    awsRegion: Text = None
    recipientAccountId: Text = None
    sourceIPAddress: Text = None
    userAgent: Text = None
    errorCode: Text = None
    errorMessage: Text = None
    requestID: Text = None
    sharedEventID: Text = None
    addendum: msgspec.Raw = _MISSING
    vpcEndpointId: Text = None
    readOnly: bool | str | None = None
    sessionCredentialFromConsole: bool | str | None = None
    signInSessionArn: Text = None
    userIdentity: msgspec.Raw = _MISSING
    requestParameters: msgspec.Raw = _MISSING
    responseElements: msgspec.Raw = _MISSING
    additionalEventData: msgspec.Raw = _MISSING
    serviceEventDetails: msgspec.Raw = _MISSING
    resources: msgspec.Raw = _MISSING


_REPEATING = {
    "eventSource": "event_source",
    "eventName": "event_name",
    "eventType": "event_type",
    "eventCategory": "event_category",
    "eventVersion": "event_version",
    "awsRegion": "aws_region",
    "recipientAccountId": "recipient_account_id",
    "sourceIPAddress": "source_ip_address",
    "userAgent": "user_agent",
    "errorCode": "error_code",
    "vpcEndpointId": "vpc_endpoint_id",
}
_UNIQUE = {
    "eventID": "event_id",
    "errorMessage": "error_message",
    "requestID": "request_id",
    "sharedEventID": "shared_event_id",
}
_RAW = {
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_event_data",
    "serviceEventDetails": "service_event_details",
    "resources": "resources",
}
_INTERNED = (*IDENTITY_COLUMNS, "user_identity", "source_file")
DICTIONARY_COLUMNS = (
    *_REPEATING.values(),
    *(n for n in _INTERNED if EVENT_SCHEMA.field(n).type == pa.string()),
    "target_role_arn",
    "target_session_name",
    "minted_principal_id",
)
"""Columns whose values repeat; the others are written plain, and only compressed."""


NOT_CALLS = {
    "Insight": "Insight record: not an API call",
    "AwsCloudTrailInsight": "AwsCloudTrailInsight record: not an API call",
    "Aggregated": "Aggregated record: a summary of many calls, not a call",
    "AwsAggregatedEvent": "AwsAggregatedEvent record: a summary of many calls, not a call",
    "aws:s3": "aws:s3 record: not an API call",
}
"""Values of `eventCategory`, `eventType` or `eventSource` of records that are no API call, and why
they are skipped (§1.3)."""


class NotTyped(Exception):
    """These records need `event_row`: one has no id or name, or a time that is not plain ISO."""


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """Consecutive records of one source file.

    `data` is the JSON they were decoded from: an array, an object whose `Records` is one, or with
    `lines` one record per line.
    """

    source_file: str
    first_ordinal: int
    records: Sequence[TypedRecord]
    data: bytes
    lines: bool = False


class Columns:
    """Rows on their way into segments; `sorted_table` hands them over and starts afresh.

    `again` is called with a chunk whose records turned out to need `event_row` one by one.
    """

    def __init__(self, again: Callable[[Chunk], None]) -> None:
        self._again = again
        self.file_days: dict[str, set[int]] = {}
        """Of the last sorted table: source file → days since 1970 that it has events of."""
        self._reset()

    def _reset(self) -> None:
        self.rows = 0
        self.bytes = 0
        self._pending: list[Chunk] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._lots: list[_Lot] = []
        self._files: list[str] = []
        self._loose: list[dict[str, Any]] = []
        self._loose_parts: list[tuple[pa.RecordBatch, pa.RecordBatch]] = []

    def add_chunk(self, chunk: Chunk) -> None:
        """Takes records as they were decoded. Their text must be valid UTF-8."""
        if not chunk.records:
            return
        self._pending.append(chunk)
        self._pending_rows += len(chunk.records)
        self._pending_bytes += len(chunk.data)
        self.rows += len(chunk.records)
        if self._pending_rows >= _AT_ONCE or self._pending_bytes >= _BYTES_AT_ONCE:
            self.pack()

    def pack(self) -> None:
        """Turns everything taken so far into columns, so that `rows` and rejects are final."""
        chunks, self._pending = self._pending, []
        self._pending_rows = self._pending_bytes = 0
        try:
            self._take(chunks)
        except NotTyped:
            for chunk in chunks:
                try:
                    self._take([chunk])
                except NotTyped:
                    self.rows -= len(chunk.records)
                    self._again(chunk)
        if self._loose:
            self._pack_loose()

    def _take(self, chunks: Sequence[Chunk]) -> None:
        """Takes all records of the chunks, or raises `NotTyped` and takes none."""
        if not chunks:
            return
        lot = _Lot(list(chain.from_iterable(chunk.records for chunk in chunks)))
        lot.places = [
            (self._file(chunk.source_file), chunk.first_ordinal, len(chunk.records))
            for chunk in chunks
        ]
        self._lots.append(lot)
        self.bytes += lot.weight

    def add_row(self, row: dict[str, Any], source_file: str, ordinal: int) -> None:
        """Takes one row as `event_row` makes it."""
        row = row | {"source_file": source_file, "source_ordinal": ordinal}
        if row["recipient_account_id"] is None:
            row["recipient_account_id"] = owner(source_file)[0]
        if row["aws_region"] is None:
            row["aws_region"] = owner(source_file)[1]
        self._loose.append(row)
        self.rows += 1
        self.bytes += 400 + sum(len(v) for v in row.values() if isinstance(v, str))
        if len(self._loose) >= 5_000:
            self._pack_loose()

    def _file(self, source_file: str) -> int:
        if not self._files or self._files[-1] != source_file:
            self._files.append(source_file)
        return len(self._files) - 1

    def _pack_loose(self) -> None:
        """Turns loose rows into columns of the same form as typed ones, and their identities."""
        rows, self._loose = self._loose, []
        whos: dict[str, tuple[Any, ...]] = {}
        identity: list[int] = []
        codes: dict[str, int] = {}
        for row in rows:
            who = tuple(naive(row[name]) for name in IDENTITIES.names)
            key = repr(who)
            whos.setdefault(key, who)
            identity.append(codes.setdefault(key, len(codes)))
        self.bytes += 2_000 * len(whos)
        columns: dict[str, pa.Array] = {
            "identity": pa.array(identity, pa.int32()),
            "file": pa.array([self._file(row["source_file"]) for row in rows], pa.int32()),
            "console": pa.nulls(len(rows), pa.bool_()),
            "sign_in": pa.nulls(len(rows), pa.string()),
            "mfa_used": pa.nulls(len(rows), pa.bool_()),
        }
        for name in _PART_NAMES:
            if name not in columns:
                kind = _PART_SCHEMA.field(name).type
                columns[name] = pa.array([naive(row[name]) for row in rows], kind)
        part = pa.RecordBatch.from_arrays([columns[n] for n in _PART_NAMES], schema=_PART_SCHEMA)
        identities = pa.RecordBatch.from_arrays(
            [
                pa.array(values, field.type)
                for values, field in zip(zip(*whos.values(), strict=True), IDENTITIES, strict=True)
            ],
            schema=IDENTITIES,
        )
        self._loose_parts.append((part, identities))

    def sorted_table(self) -> pa.Table:
        """Everything taken so far, by day, then `identity_id` (nulls last), then time."""
        self.pack()
        parts, identities = self._parts_and_identities()
        files = self._files
        self._reset()
        self.file_days = {}

        code = parts["identity"].combine_chunks().to_numpy()
        micros = parts["event_time"].combine_chunks().cast(pa.int64()).to_numpy()
        day = micros // _DAY
        order = np.lexsort((micros, _ranks(identities["identity_id"])[code], day))
        file = parts["file"].combine_chunks().to_numpy().astype(np.int64)
        pairs = (file << 32) + day
        # Runs first: a file's events stand together, so there is little to sort.
        pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
        for pair in np.unique(pairs).tolist():
            self.file_days.setdefault(files[pair >> 32], set()).add(pair & 0xFFFFFFFF)
        parts = parts.take(pa.array(order))
        code = code[order]

        columns: dict[str, Any] = {n: parts[n] for n in EVENT_SCHEMA.names if n in _PART_NAMES}
        for name in IDENTITIES.names:
            columns[name] = _spread(identities[name].combine_chunks(), code)
        columns["source_file"] = pa.DictionaryArray.from_arrays(
            parts["file"].combine_chunks(), pa.array(files, pa.string())
        )
        columns["session_from_console"] = pc.coalesce(
            parts["console"], columns["session_from_console"]
        )
        if parts["sign_in"].null_count < len(parts):
            columns["sign_in_session_arn"] = pc.coalesce(
                columns["sign_in_session_arn"].cast(pa.string()), parts["sign_in"]
            )
        columns["mfa"] = pc.coalesce(columns["mfa"], parts["mfa_used"])
        return pa.table({name: columns[name] for name in EVENT_SCHEMA.names})

    def _parts_and_identities(self) -> tuple[pa.Table, pa.Table]:
        """Rows with the places of their identities, and these, each in as few pieces as can be."""
        tables: list[pa.Table] = []
        of_whom: list[pa.Table] = []
        if self._lots:
            part, whos = _part_of(self._lots, self._files)
            tables.append(part)
            of_whom.append(whos)
        for batch, identities in self._loose_parts:
            moved = pc.add(batch["identity"], pa.scalar(sum(map(len, of_whom)), pa.int32()))
            column = _PART_NAMES.index("identity")
            tables.append(pa.Table.from_batches([batch.set_column(column, "identity", moved)]))
            of_whom.append(pa.Table.from_batches([identities]))
        if not tables:
            return _PART_SCHEMA.empty_table(), IDENTITIES.empty_table()
        parts = pa.concat_tables(tables)
        return parts.unify_dictionaries().combine_chunks(), pa.concat_tables(of_whom)


class _Lot:
    """What the records of some chunks say, each by itself, in columns.

    `places` say of each chunk: its file's number, its first ordinal, its records.
    """

    places: Sequence[tuple[int, int, int]] = ()

    def __init__(self, records: Sequence[TypedRecord]) -> None:
        """Raises `NotTyped`."""
        self.count = len(records)
        transposed = zip(*map(astuple, records), strict=True)
        values = dict(zip(TypedRecord.__struct_fields__, transposed, strict=True))
        ids, names = values["eventID"], values["eventName"]
        if not all(ids) or not all(names) or not are_plain_ids(ids):
            raise NotTyped
        identity = _Raw(values["userIdentity"])
        if not identity.lengths.all():
            raise NotTyped  # a row of a tool, whose identity has other names
        if any(identity[row].startswith((b'"{', b'"arn:')) for row in identity.rows_of_text()):
            raise NotTyped  # a tool's text of it, which `trail.read.flat` reads
        columns: dict[str, pa.Array] = {"event_time": _times(values["eventTime"])}
        for field, name in _REPEATING.items():
            texts = told_of(values[field]) if field in _WORDS else values[field]
            columns[name] = pa.array(texts, _DICTIONARY)
        for name in ("event_source", "event_type", "event_category"):
            if not NOT_CALLS.keys().isdisjoint(columns[name].dictionary.to_pylist()):
                raise NotTyped
        for field, name in _UNIQUE.items():
            texts = told_of(values[field]) if field in _WORDS else values[field]
            columns[name] = pa.array(texts, pa.string())
        raw = {name: _Raw(values[field]) for field, name in _RAW.items()}
        columns |= {name: texts.column for name, texts in raw.items()}
        columns["identity"] = identity.column.dictionary_encode()
        columns["read_only"] = flags(values["readOnly"])
        columns["console"] = flags(values["sessionCredentialFromConsole"])
        extra = raw["additional_event_data"]
        mfa = {row: mfa_at_sign_in(json_object(extra[row])) for row in extra.rows_with(b"MFAUsed")}
        columns["mfa_used"] = _sparse(mfa, self.count, pa.bool_())
        sign_in = list(values["signInSessionArn"])
        for row in extra.rows_with(b"signInSessionArn"):
            sign_in[row] = sign_in[row] or text_of(json_object(extra[row]).get("signInSessionArn"))
        columns["sign_in"] = pa.array(sign_in, pa.string())
        addenda = _Raw(values["addendum"])
        corrects = {
            row: corrected_event(_any.decode(addenda[row]))
            for row in np.flatnonzero(addenda.lengths).tolist()
        }
        columns["original_event_id"] = _sparse(corrects, self.count, pa.string())
        self.columns = columns | _credentials(values, raw, columns)
        self.weight = (
            300 * self.count
            + sum(len(texts.data) for texts in raw.values())
            + columns["identity"].dictionary.nbytes
            + 300 * len(columns["identity"].dictionary)
        )


def _credentials(
    values: Mapping[str, Sequence[Any]],
    raw: Mapping[str, _Raw],
    columns: Mapping[str, pa.Array],
) -> dict[str, pa.Array]:
    """What responses minted, requests asked for, and whether each call failed."""
    names, messages = values["eventName"], values["errorMessage"]
    response, request = raw["response_elements"], raw["request_parameters"]
    made = {
        row: minted(names[row], json_object(response[row]))
        for row in response.rows_with(
            b"ccessKeyId", b"assumedRoleId", b"federatedUserId", b"assumedPrincipal"
        )
    }
    failed = columns["error_code"].is_valid()
    sign_ins = _rows_where(columns["event_source"], lambda v: v == "signin.amazonaws.com")
    sign_ins |= _rows_where(columns["event_type"], lambda v: v.lower() == "awsconsolesignin")
    sign_ins |= set(response.rows_with(b"ConsoleLogin"))
    if sign_ins:
        flags_of = failed.to_pylist()
        for row in sign_ins:
            flags_of[row] = flags_of[row] or has_failed(
                values["eventSource"][row] or None,
                values["eventType"][row] or None,
                None,
                told(messages[row]),
                json_object(response[row]),
            )
        failed = pa.array(flags_of, pa.bool_())
    asked = {
        row: asked_for(json_object(request[row]))
        for row in request.rows_with(b"roleSessionName", b"durationSeconds")
    }
    targets = {
        row: target_role(
            names[row],
            json_object(request[row]),
            _any.decode(raw["resources"][row] or b"null"),
            told(messages[row]),
        )
        for row in _rows_where(columns["event_name"], asks_for_role)
    }
    count, text = len(names), pa.string()
    return {
        "failed": failed,
        "minted_access_key_id": _sparse({n: m[0] for n, m in made.items()}, count, text),
        "minted_principal_id": _sparse({n: m[1] for n, m in made.items()}, count, text),
        "target_role_arn": _sparse(targets, count, text),
        "target_session_name": _sparse({n: a[0] for n, a in asked.items()}, count, text),
        "duration_seconds": _sparse({n: a[1] for n, a in asked.items()}, count, pa.int64()),
    }


def _part_of(lots: Sequence[_Lot], files: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """All rows of some lots, with what follows from who called and from the path, and their
    identities.
    """
    names = list(lots[0].columns)
    table = pa.Table.from_batches(
        [pa.RecordBatch.from_arrays(list(lot.columns.values()), names=names) for lot in lots]
    ).unify_dictionaries()
    columns = {name: table[name] for name in names}
    for name in _REPEATING.values():
        columns[name] = _no_empty(columns[name].combine_chunks())
    for name in (*_UNIQUE.values(), "sign_in"):
        columns[name] = _texts(columns[name])

    code = columns["identity"].combine_chunks()
    identities = identities_of(code.dictionary)
    if code.null_count:
        nobody = identities_of(pa.nulls(1, _TEXT))
        identities = pa.concat_tables([identities, nobody])
    columns["identity"] = code.indices.fill_null(len(identities) - 1)

    places = chain.from_iterable(lot.places for lot in lots)
    file, first, lengths = (np.array(each, np.int64) for each in zip(*places, strict=True))
    begins = np.cumsum(lengths) - lengths
    columns["file"] = pa.array(np.repeat(file.astype(np.int32), lengths))
    columns["source_ordinal"] = pa.array(np.arange(len(table)) + np.repeat(first - begins, lengths))
    chunk = pa.array(np.repeat(np.arange(len(lengths)), lengths))
    accounts, regions = zip(*(owner(files[number]) for number in file), strict=True)
    if columns["aws_region"].null_count:
        columns["aws_region"] = _first_known(
            columns["aws_region"], pa.array(regions, pa.string()).take(chunk)
        )
    if columns["recipient_account_id"].null_count:
        columns["recipient_account_id"] = _first_known(
            columns["recipient_account_id"],
            identities["account_id"].combine_chunks().take(columns["identity"]),
            pa.array(accounts, pa.string()).take(chunk),
        )
    return pa.table([columns[name] for name in _PART_NAMES], schema=_PART_SCHEMA), identities


def only_used(table: pa.Table) -> pa.Table:
    """The same rows, with long dictionaries cut down to the values that these rows have.

    A part of a table keeps the dictionaries of the whole, and Parquet would write them whole.
    """
    columns = []
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            part = column.combine_chunks()
            if len(part.dictionary) > _SHORT:
                codes = part.indices.fill_null(0).to_numpy()
                used = np.zeros(len(part.dictionary), np.bool_)
                used[codes] = True
                place = np.cumsum(used, dtype=np.int32) - np.int32(1)
                column = pa.DictionaryArray.from_arrays(
                    pc.if_else(part.indices.is_valid(), pa.array(place[codes]), None)
                    if part.indices.null_count
                    else pa.array(place[codes]),
                    part.dictionary.take(pa.array(np.flatnonzero(used))),
                )
        columns.append(column)
    return pa.table(columns, names=table.column_names)


_SHORT = 64
_AT_ONCE = 8_192
"""So many that what each lot costs in any case is little on files of 8 as well."""
_BYTES_AT_ONCE = 32 << 20
_DAY = 86_400_000_000
_any = msgspec.json.Decoder()
_TEXT = pa.string()
_DICTIONARY = pa.dictionary(pa.int32(), _TEXT)
_WORDS = frozenset({"recipientAccountId", "errorCode", "errorMessage"})
"""Fields in which a tool's word for nothing is nothing."""
_PART_SCHEMA = pa.schema(
    [
        pa.field(field.name, _DICTIONARY) if field.name in _REPEATING.values() else field
        for field in EVENT_SCHEMA
        if field.name not in _INTERNED
    ]
    + [
        pa.field("identity", pa.int32()),
        pa.field("file", pa.int32()),
        pa.field("console", pa.bool_()),
        pa.field("sign_in", _TEXT),
        pa.field("mfa_used", pa.bool_()),
    ]
)
_PART_NAMES = _PART_SCHEMA.names
_EARLIEST = naive(EARLIEST)
_LATEST = naive(LATEST)


def _times(texts: Sequence[Text]) -> pa.Array:
    if not all(texts):
        raise NotTyped
    try:
        times = pa.array(texts, _TEXT).cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid as error:
        raise NotTyped from error
    plain = times.cast(pa.timestamp("us"))
    bounds = pc.min_max(plain)
    if bounds["min"].as_py() < _EARLIEST or bounds["max"].as_py() >= _LATEST:
        raise NotTyped
    return plain


def _no_empty(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """The same column with null for ""."""
    empty = pc.index(column.dictionary, "").as_py()
    if empty < 0:
        return column
    indices = pc.if_else(pc.equal(column.indices, empty), None, column.indices)
    return pa.DictionaryArray.from_arrays(indices, column.dictionary)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same column with null for ""."""
    lengths = pc.binary_length(column)
    if pc.min(lengths).as_py() != 0:
        return column
    return pc.if_else(pc.equal(lengths, 0), None, column)


def _first_known(column: pa.DictionaryArray, *others: pa.Array) -> pa.DictionaryArray:
    """The same column with the first of the others that is known where it is null."""
    return pc.coalesce(column.cast(_TEXT), *others).dictionary_encode()


class _Raw:
    """JSON texts of one column, one after another; null, and what is missing, is no text."""

    def __init__(self, values: Sequence[msgspec.Raw]) -> None:
        self.data = b"".join(values)
        self.lengths = np.fromiter(map(len, values), np.int32, len(values))
        self._offsets = np.zeros(len(values) + 1, np.int32)
        np.cumsum(self.lengths, out=self._offsets[1:])
        known = self.lengths > 0
        # Of all that JSON has and is four bytes long, only null begins with n.
        four = np.flatnonzero(self.lengths == 4)
        known[four] = self._signs()[self._offsets[four]] != ord("n")
        # The file was UTF-8 as a whole, so it need not be checked value by value.
        self.column = pa.Array.from_buffers(
            _TEXT,
            len(values),
            [pa.array(known).buffers()[1], pa.py_buffer(self._offsets), pa.py_buffer(self.data)],
        )

    def __getitem__(self, row: int) -> bytes:
        return self.data[self._offsets[row] : self._offsets[row + 1]]

    def _signs(self) -> np.ndarray[Any, Any]:
        return np.frombuffer(self.data, np.uint8)

    def rows_of_text(self) -> list[int]:
        """The rows that are a string of JSON; none may be missing."""
        begins = self._signs()[self._offsets[:-1]]
        rows: list[int] = np.flatnonzero(begins == ord('"')).tolist()
        return rows

    def rows_with(self, *words: bytes) -> list[int]:
        """The rows whose text has one of the words (or seems to, across the gap to the next)."""
        found = []
        for word in words:
            place = self.data.find(word)
            while place >= 0:
                found.append(place)
                place = self.data.find(word, place + len(word))
        if not found:
            return []
        ends = self._offsets[1:]
        rows: list[int] = np.unique(np.searchsorted(ends, found, "right")).tolist()
        return rows


def _sparse(values: Mapping[int, Any], count: int, kind: pa.DataType) -> pa.Array:
    """A column that is null but in some rows."""
    if not values:
        return pa.nulls(count, kind)
    column: list[Any] = [None] * count
    for row, value in values.items():
        column[row] = value
    return pa.array(column, kind)


def _rows_where(column: pa.DictionaryArray, test: Callable[[str], bool]) -> set[int]:
    wanted = [n for n, v in enumerate(column.dictionary.to_pylist()) if v is not None and test(v)]
    if not wanted:
        return set()
    mask = pc.is_in(column.indices, pa.array(wanted, column.indices.type))
    return set(np.flatnonzero(mask.to_numpy(zero_copy_only=False)).tolist())


def _ranks(ids: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """The place of each among the ids in order, as every engine compares text: by its UTF-8
    bytes; what is null comes last."""
    encoded = ids.combine_chunks().dictionary_encode()
    ranks = np.empty(len(encoded.dictionary) + 1, np.int32)
    ranks[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(encoded.dictionary))
    ranks[-1] = len(encoded.dictionary)
    of_row: np.ndarray[Any, Any] = ranks[encoded.indices.fill_null(-1).to_numpy()]
    return of_row


def _spread(distinct: pa.Array, codes: np.ndarray[Any, Any]) -> pa.Array:
    """One value per row out of one per identity: as dictionary indices where it is text that
    repeats."""
    rows = pa.array(codes)
    if distinct.type != _TEXT or _mostly_differ(distinct, len(codes)):
        return distinct.take(rows)
    encoded = distinct.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(rows), encoded.dictionary)


def _mostly_differ(values: pa.Array, rows: int) -> bool:
    """Whether so many values would make a dictionary that is no smaller than what it is for; told
    by a part of them."""
    if 2 * len(values) < rows:
        return False
    some = values.slice(0, _AT_ONCE)
    return 2 * len(some.unique()) > len(some)
