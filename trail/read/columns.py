"""CloudTrail records → Arrow columns, many at a time, by the rules of `trail.events`.

Two ways in, one result. `add_chunk` takes records that msgspec decoded into `TypedRecord`, whose
sub-objects are still the raw bytes of the file: nothing is parsed that no column needs, and each
distinct `userIdentity` is parsed once. `add_row` takes what `event_row` made of any other record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trail.events import (
    EARLIEST,
    EVENT_SCHEMA,
    IDENTITY_COLUMNS,
    LATEST,
    asked_for,
    asks_for_role,
    corrected_event,
    flag_of,
    has_failed,
    identity_columns,
    identity_id,
    mfa_at_sign_in,
    minted,
    session_name_of,
    target_role,
    text_of,
    time_in_range,
    told,
)
from trail.placeholders import NULLS, are_plain_ids
from trail.read.sources import owner

Text = str | None
_NOTHING = msgspec.Raw(b"null")


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
    addendum: msgspec.Raw = _NOTHING
    vpcEndpointId: Text = None
    readOnly: bool | str | None = None
    sessionCredentialFromConsole: bool | str | None = None
    signInSessionArn: Text = None
    userIdentity: msgspec.Raw = _NOTHING
    requestParameters: msgspec.Raw = _NOTHING
    responseElements: msgspec.Raw = _NOTHING
    additionalEventData: msgspec.Raw = _NOTHING
    serviceEventDetails: msgspec.Raw = _NOTHING
    resources: msgspec.Raw = _NOTHING


class _Issuer(msgspec.Struct, gc=False):
    arn: Text = None
    principalId: Text = None


class _Attributes(msgspec.Struct, gc=False):
    creationDate: Text = None
    mfaAuthenticated: bool | str | None = None
    sessionCredentialFromConsole: bool | str | None = None


class _Session(msgspec.Struct, gc=False):
    sessionIssuer: _Issuer | None = None
    attributes: _Attributes | None = None
    sourceIdentity: Text = None
    signInSessionArn: Text = None
    ec2RoleDelivery: Text = None


class _Person(msgspec.Struct, gc=False):
    userId: Text = None


class _Identity(msgspec.Struct, gc=False):
    """A `userIdentity` in its usual types. Any other goes through `identity_columns`."""

    type: Text = None
    principalId: Text = None
    arn: Text = None
    accountId: Text = None
    accessKeyId: Text = None
    userName: Text = None
    invokedBy: Text = None
    credentialId: Text = None
    signInSessionArn: Text = None
    sessionContext: _Session | None = None
    onBehalfOf: _Person | None = None


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
        self._parts: list[pa.RecordBatch] = []
        self._identity_codes: dict[bytes | str, int] = {}
        self._identities: list[tuple[Any, ...]] = []
        self._files: list[str] = []
        self._loose: list[dict[str, Any]] = []

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
            self._pack_typed(chunks)
        except NotTyped:
            for chunk in chunks:
                try:
                    self._pack_typed([chunk])
                except NotTyped:
                    self.rows -= len(chunk.records)
                    self._again(chunk)
        if self._loose:
            self._pack_loose()

    def _pack_typed(self, chunks: Sequence[Chunk]) -> None:
        """Takes all records of the chunks, or raises `NotTyped` and takes none."""
        records = [record for chunk in chunks for record in chunk.records]
        if not records:
            return
        count = len(records)
        event_id = [r.eventID for r in records]
        event_name = [r.eventName for r in records]
        if not all(event_id) or not all(event_name) or not are_plain_ids(event_id):
            raise NotTyped
        if any(r.userIdentity is _NOTHING for r in records):
            raise NotTyped  # a row of a tool, whose identity has other names
        fields: dict[str, list[Any]] = {
            "eventSource": [r.eventSource for r in records],
            "eventName": event_name,
            "eventType": [r.eventType for r in records],
            "eventCategory": [r.eventCategory for r in records],
            "eventVersion": [r.eventVersion for r in records],
            "awsRegion": [r.awsRegion for r in records],
            "recipientAccountId": _told([r.recipientAccountId for r in records]),
            "sourceIPAddress": [r.sourceIPAddress for r in records],
            "userAgent": [r.userAgent for r in records],
            "errorCode": _told([r.errorCode for r in records]),
            "vpcEndpointId": [r.vpcEndpointId for r in records],
            "eventID": event_id,
            "errorMessage": _told([r.errorMessage for r in records]),
            "requestID": [r.requestID for r in records],
            "sharedEventID": [r.sharedEventID for r in records],
        }
        if None in fields["awsRegion"]:
            regions = [
                region for c in chunks for region in [owner(c.source_file)[1]] * len(c.records)
            ]
            fields["awsRegion"] = [
                own or region for own, region in zip(fields["awsRegion"], regions, strict=True)
            ]
        columns: dict[str, pa.Array] = {"event_time": _times([r.eventTime for r in records])}
        for field, name in _REPEATING.items():
            columns[name] = _no_empty(pa.array(fields[field], pa.string()).dictionary_encode())
        for name in ("event_source", "event_type", "event_category"):
            if not NOT_CALLS.keys().isdisjoint(columns[name].dictionary.to_pylist()):
                raise NotTyped
        for field, name in _UNIQUE.items():
            columns[name] = _texts(fields[field])
        raw = {
            "request_parameters": _Raw([r.requestParameters for r in records]),
            "response_elements": _Raw([r.responseElements for r in records]),
            "additional_event_data": _Raw([r.additionalEventData for r in records]),
            "service_event_details": _Raw([r.serviceEventDetails for r in records]),
            "resources": _Raw([r.resources for r in records]),
        }
        for name, texts in raw.items():
            columns[name] = texts.column
            self.bytes += len(texts.data)

        corrects = {
            row: corrected_event(_any.decode(r.addendum))
            for row, r in enumerate(records)
            if r.addendum is not _NOTHING
        }
        columns["original_event_id"] = _sparse(corrects, count, pa.string())

        columns["identity"] = self._identity_of(_Raw([r.userIdentity for r in records]).column)
        own = fields["recipientAccountId"]
        if None in own or "" in own:
            columns["recipient_account_id"] = pa.array(
                [
                    account or self._identities[code][_ACCOUNT] or of_path
                    for account, code, of_path in zip(
                        own,
                        columns["identity"].to_pylist(),
                        (a for c in chunks for a in [owner(c.source_file)[0]] * len(c.records)),
                        strict=True,
                    )
                ],
                pa.string(),
            ).dictionary_encode()

        columns["read_only"] = _flags([r.readOnly for r in records])
        columns["console"] = _flags([r.sessionCredentialFromConsole for r in records])
        extra = raw["additional_event_data"]
        mfa = {row: mfa_at_sign_in(_object(extra[row])) for row in extra.rows_with(b"MFAUsed")}
        columns["mfa_used"] = _sparse(mfa, count, pa.bool_())
        sign_in: dict[int, Text] = {
            row: r.signInSessionArn for row, r in enumerate(records) if r.signInSessionArn
        }
        for row in extra.rows_with(b"signInSessionArn"):
            if row not in sign_in:
                sign_in[row] = text_of(_object(extra[row]).get("signInSessionArn"))
        columns["sign_in"] = _sparse(sign_in, count, pa.string())
        columns |= self._credentials(fields, raw, columns, count)
        lengths = np.array([len(c.records) for c in chunks])
        begins = np.cumsum(lengths) - lengths
        first = np.array([c.first_ordinal for c in chunks], np.int64)
        file = np.array([self._file(c.source_file) for c in chunks], np.int32)
        columns["file"] = pa.array(np.repeat(file, lengths))
        columns["source_ordinal"] = pa.array(np.arange(count) + np.repeat(first - begins, lengths))
        self._parts.append(
            pa.RecordBatch.from_arrays([columns[n] for n in _PART_NAMES], names=_PART_NAMES)
        )
        self.bytes += 300 * count

    def _credentials(
        self,
        fields: dict[str, list[Any]],
        raw: dict[str, _Raw],
        columns: dict[str, pa.Array],
        count: int,
    ) -> dict[str, pa.Array]:
        """What responses minted, requests asked for, and whether each call failed."""
        names = fields["eventName"]
        response, request = raw["response_elements"], raw["request_parameters"]
        made = {
            row: minted(names[row], _object(response[row]))
            for row in response.rows_with(
                b"ccessKeyId", b"assumedRoleId", b"federatedUserId", b"assumedPrincipal"
            )
        }
        failed = columns["error_code"].is_valid()
        sign_ins = _rows_where(columns["event_source"], lambda v: v == "signin.amazonaws.com")
        sign_ins |= _rows_where(columns["event_type"], lambda v: v.lower() == "awsconsolesignin")
        sign_ins |= set(response.rows_with(b"ConsoleLogin"))
        if sign_ins:
            flags = failed.to_pylist()
            for row in sign_ins:
                flags[row] = has_failed(
                    fields["eventSource"][row] or None,
                    fields["eventType"][row] or None,
                    fields["errorCode"][row] or None,
                    fields["errorMessage"][row] or None,
                    _object(response[row]),
                )
            failed = pa.array(flags, pa.bool_())
        asked = {
            row: asked_for(_object(request[row]))
            for row in request.rows_with(b"roleSessionName", b"durationSeconds")
        }
        targets = {
            row: target_role(
                names[row],
                _object(request[row]),
                _any.decode(raw["resources"][row]),
                fields["errorMessage"][row] or None,
            )
            for row in _rows_where(columns["event_name"], asks_for_role)
        }
        text = pa.string()
        return {
            "failed": failed,
            "minted_access_key_id": _sparse({n: m[0] for n, m in made.items()}, count, text),
            "minted_principal_id": _sparse({n: m[1] for n, m in made.items()}, count, text),
            "target_role_arn": _sparse(targets, count, text),
            "target_session_name": _sparse({n: a[0] for n, a in asked.items()}, count, text),
            "duration_seconds": _sparse({n: a[1] for n, a in asked.items()}, count, pa.int64()),
        }

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

    def _identity_of(self, texts: pa.Array) -> pa.Array:
        """Each text's place among the identities, new ones taken in."""
        encoded = texts.dictionary_encode(null_encoding="encode")
        places = []
        for text in encoded.dictionary.cast(pa.binary()).to_pylist():
            place = self._identity_codes.get(text or b"")
            if place is None:
                place = self._keep_identity(text or b"", (*_identity(text), text))
            places.append(place)
        return pa.array(places, pa.int32()).take(encoded.indices)

    def _keep_identity(self, key: bytes | str, who: tuple[Any, ...]) -> int:
        code = self._identity_codes[key] = len(self._identities)
        self._identities.append(who)
        self.bytes += 2 * len(key) + 2_000
        return code

    def _file(self, source_file: str) -> int:
        if not self._files or self._files[-1] != source_file:
            self._files.append(source_file)
        return len(self._files) - 1

    def _pack_loose(self) -> None:
        """Turns loose rows into a part of the same form as typed ones."""
        rows, self._loose = self._loose, []
        identity: list[int] = []
        for row in rows:
            who = tuple(_naive(row[name]) for name in (*IDENTITY_COLUMNS, "user_identity"))
            key = repr(who)
            code = self._identity_codes.get(key)
            identity.append(self._keep_identity(key, who) if code is None else code)
        empty = [None] * len(rows)
        columns: dict[str, pa.Array] = {
            "identity": pa.array(identity, pa.int32()),
            "file": pa.array([self._file(row["source_file"]) for row in rows], pa.int32()),
            "console": pa.array(empty, pa.bool_()),
            "sign_in": pa.array(empty, pa.string()),
            "mfa_used": pa.array(empty, pa.bool_()),
        }
        for name in _PART_NAMES:
            if name not in columns:
                kind = EVENT_SCHEMA.field(name).type
                column = pa.array([_naive(row[name]) for row in rows], kind)
                columns[name] = (
                    column.dictionary_encode() if name in _REPEATING.values() else column
                )
        self._parts.append(
            pa.RecordBatch.from_arrays([columns[n] for n in _PART_NAMES], names=_PART_NAMES)
        )

    def sorted_table(self) -> pa.Table:
        """Everything taken so far, by day, then `identity_id` (nulls last), then time."""
        self.pack()
        parts = pa.Table.from_batches(self._parts).unify_dictionaries().combine_chunks()
        identities, files = self._identities, self._files
        self._reset()
        self.file_days = {}

        code = parts["identity"].combine_chunks().to_numpy()
        of_identities = dict(
            zip(
                (*IDENTITY_COLUMNS, "user_identity"),
                zip(*identities, strict=True),
                strict=True,
            )
        )
        ids = of_identities["identity_id"]
        ranked = {v: n for n, v in enumerate(sorted({v for v in ids if v is not None}, key=_utf8))}
        rank = np.array([ranked.get(v, len(ranked)) for v in ids], np.int32)
        micros = parts["event_time"].combine_chunks().cast(pa.int64()).to_numpy()
        day = micros // 86_400_000_000
        order = np.lexsort((micros, rank[code], day))
        file = parts["file"].combine_chunks().to_numpy().astype(np.int64)
        pairs = (file << 32) + day
        # Runs first: a file's events stand together, so there is little to sort.
        pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
        for pair in np.unique(pairs).tolist():
            self.file_days.setdefault(files[pair >> 32], set()).add(pair & 0xFFFFFFFF)
        parts = parts.take(pa.array(order))
        code = code[order]

        columns: dict[str, Any] = {n: parts[n] for n in EVENT_SCHEMA.names if n in _PART_NAMES}
        for name in (*IDENTITY_COLUMNS, "user_identity"):
            columns[name] = _spread(of_identities[name], code, name)
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
_BYTES_AT_ONCE = 32 << 20
_any = msgspec.json.Decoder()
_identities = msgspec.json.Decoder(_Identity)
_NO_SESSION, _NO_ISSUER, _NO_ATTRIBUTES = _Session(), _Issuer(), _Attributes()
_ACCOUNT = IDENTITY_COLUMNS.index("account_id")
_PART_NAMES = [
    *(n for n in EVENT_SCHEMA.names if n not in _INTERNED),
    "identity", "file", "console", "sign_in", "mfa_used",
]  # fmt: skip
_EARLIEST = EARLIEST.replace(tzinfo=None)
_LATEST = LATEST.replace(tzinfo=None)


def _times(texts: Sequence[Text]) -> pa.Array:
    if not all(texts):
        raise NotTyped
    try:
        times = pa.array(texts, pa.string()).cast(pa.timestamp("us", "UTC"))
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


def _told(values: list[Text]) -> list[Text]:
    """The same values without words for nothing, as `trail.events.told`."""
    if NULLS.isdisjoint(values):
        return values
    return [None if value in NULLS else value for value in values]


def _texts(values: list[Text]) -> pa.Array:
    if "" in values:
        values = [value or None for value in values]
    return pa.array(values, pa.string())


class _Raw:
    """JSON texts of one column, one after another; null, and what is missing, is no text."""

    def __init__(self, values: Sequence[msgspec.Raw]) -> None:
        self.data = b"".join(values)
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        self._ends = np.cumsum(lengths)
        self._begins = self._ends - lengths
        # Of all that JSON has, only null begins with n.
        known = np.frombuffer(self.data, np.uint8)[self._begins] != ord("n")
        offsets = np.zeros(len(values) + 1, np.int32)
        offsets[1:] = self._ends
        # The file was UTF-8 as a whole, so it need not be checked value by value.
        self.column = pa.Array.from_buffers(
            pa.string(),
            len(values),
            [pa.array(known).buffers()[1], pa.py_buffer(offsets), pa.py_buffer(self.data)],
        )

    def __getitem__(self, row: int) -> bytes:
        return self.data[self._begins[row] : self._ends[row]]

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
        rows: list[int] = np.unique(np.searchsorted(self._ends, found, "right")).tolist()
        return rows


def _sparse(values: dict[int, Any], count: int, kind: pa.DataType) -> pa.Array:
    """A column that is null but in some rows."""
    if not values:
        return pa.nulls(count, kind)
    column: list[Any] = [None] * count
    for row, value in values.items():
        column[row] = value
    return pa.array(column, kind)


def _flags(values: Sequence[bool | str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.bool_())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([flag_of(value) for value in values], pa.bool_())


def _rows_where(column: pa.DictionaryArray, test: Callable[[str], bool]) -> set[int]:
    wanted = [n for n, v in enumerate(column.dictionary.to_pylist()) if v is not None and test(v)]
    if not wanted:
        return set()
    mask = pc.is_in(column.indices, pa.array(wanted, column.indices.type))
    return set(np.flatnonzero(mask.to_numpy(zero_copy_only=False)).tolist())


def _object(text: bytes) -> dict[str, Any]:
    value = _any.decode(text)
    return value if isinstance(value, dict) else {}


def _identity(text: bytes | None) -> tuple[Any, ...]:
    """`IDENTITY_COLUMNS` of a `userIdentity`, by the rules of `identity_columns`."""
    if text is not None and text.startswith((b'"{', b'"arn:')):
        raise NotTyped  # a tool's text of it, which `trail.read.flat` reads
    try:
        who = _identities.decode(text or b"{}")
    except msgspec.DecodeError:
        loose = identity_columns(_object(text or b"{}"))
        return tuple(_naive(loose[name]) for name in IDENTITY_COLUMNS)
    session = who.sessionContext or _NO_SESSION
    issuer = session.sessionIssuer or _NO_ISSUER
    attributes = session.attributes or _NO_ATTRIBUTES
    kind, principal_id, arn = told(who.type), told(who.principalId), told(who.arn)
    account, user_name = told(who.accountId), who.userName or None
    invoked_by = told(who.invokedBy)
    person = told(who.onBehalfOf.userId) if who.onBehalfOf is not None else None
    return (
        kind,
        identity_id(kind, principal_id, account, person, arn, invoked_by, user_name),
        principal_id,
        arn,
        account,
        told(who.accessKeyId),
        user_name,
        invoked_by,
        told(issuer.arn),
        told(issuer.principalId),
        session_name_of(principal_id, arn, kind),
        None if attributes.creationDate is None else _created(attributes.creationDate),
        flag_of(attributes.sessionCredentialFromConsole),
        session.sourceIdentity or None,
        person,
        told(who.credentialId),
        session.signInSessionArn or who.signInSessionArn or None,
        flag_of(attributes.mfaAuthenticated),
        session.ec2RoleDelivery or None,
    )


@lru_cache(16_384)
def _created(text: str) -> object:
    return _naive(time_in_range(text))


def _naive(value: object) -> object:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _utf8(text: str) -> bytes:
    """Sorts text as every engine compares it: by its UTF-8 bytes."""
    return text.encode()


def _spread(values: Sequence[Any], codes: np.ndarray[Any, Any], name: str) -> pa.Array:
    """One value per row out of one per identity, as dictionary indices where it is text."""
    kind = EVENT_SCHEMA.field(name).type
    distinct = pa.array(values, kind)
    if kind != pa.string():
        return distinct.take(pa.array(codes))
    encoded = distinct.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(codes)), encoded.dictionary)
