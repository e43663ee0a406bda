"""CloudTrail records → Arrow columns, many at a time, by the rules of `trail.events`.

Two ways in, one result. `add_chunk` takes records that msgspec decoded into `TypedRecord`, whose
sub-objects are still the raw bytes of the file: nothing is parsed that no column needs, and each
distinct `userIdentity` is parsed once. `add_row` takes what `event_row` made of any other record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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
    flag_of,
    has_failed,
    identity_columns,
    mfa_at_sign_in,
    minted,
    target_role,
    text_of,
)

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


NOT_CALLS = frozenset({"Insight", "AwsCloudTrailInsight", "aws:s3"})
"""Values of `eventCategory`, `eventType` or `eventSource` of records that are no API call."""


class NotTyped(Exception):
    """These records need `event_row`: one has no id or name, or a time that is not plain ISO."""


@dataclass(frozen=True)
class Chunk:
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
        self._identities: list[dict[str, Any]] = []
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
        if not all(event_id) or not all(event_name):
            raise NotTyped
        fields: dict[str, list[Any]] = {
            "eventSource": [r.eventSource for r in records],
            "eventName": event_name,
            "eventType": [r.eventType for r in records],
            "eventCategory": [r.eventCategory for r in records],
            "eventVersion": [r.eventVersion for r in records],
            "awsRegion": [r.awsRegion for r in records],
            "recipientAccountId": [r.recipientAccountId for r in records],
            "sourceIPAddress": [r.sourceIPAddress for r in records],
            "userAgent": [r.userAgent for r in records],
            "errorCode": [r.errorCode for r in records],
            "vpcEndpointId": [r.vpcEndpointId for r in records],
            "eventID": event_id,
            "errorMessage": [r.errorMessage for r in records],
            "requestID": [r.requestID for r in records],
            "sharedEventID": [r.sharedEventID for r in records],
        }
        columns: dict[str, pa.Array] = {"event_time": _times([r.eventTime for r in records])}
        for field, name in _REPEATING.items():
            columns[name] = _no_empty(pa.array(fields[field], pa.string()).dictionary_encode())
        for name in ("event_source", "event_type", "event_category"):
            if not NOT_CALLS.isdisjoint(columns[name].dictionary.to_pylist()):
                raise NotTyped
        for field, name in _UNIQUE.items():
            columns[name] = _texts(fields[field])
        raw = {
            "request_parameters": _raw([r.requestParameters for r in records]),
            "response_elements": _raw([r.responseElements for r in records]),
            "additional_event_data": _raw([r.additionalEventData for r in records]),
            "service_event_details": _raw([r.serviceEventDetails for r in records]),
            "resources": _raw([r.resources for r in records]),
        }
        for name, texts in raw.items():
            # `add_chunk` was promised UTF-8, so it need not be checked value by value.
            columns[name] = pa.array(texts, pa.binary()).view(pa.string())
            self.bytes += columns[name].nbytes

        codes = self._identity_codes
        identity: list[int] = []
        for text in map(bytes, [r.userIdentity for r in records]):
            code = codes.get(text)
            identity.append(self._new_identity(text) if code is None else code)
        columns["identity"] = pa.array(identity, pa.int32())
        own = fields["recipientAccountId"]
        if None in own or "" in own:
            columns["recipient_account_id"] = pa.array(
                [
                    account or self._identities[code]["account_id"]
                    for account, code in zip(own, identity, strict=True)
                ],
                pa.string(),
            ).dictionary_encode()

        columns["read_only"] = _flags([r.readOnly for r in records])
        columns["console"] = _flags([r.sessionCredentialFromConsole for r in records])
        mfa: list[bool | None] = [None] * count
        sign_in = [r.signInSessionArn or None for r in records]
        for row, extra in enumerate(raw["additional_event_data"]):
            if extra is None:
                continue
            if b"MFAUsed" in extra:
                mfa[row] = mfa_at_sign_in(_object(extra))
            if b"signInSessionArn" in extra and sign_in[row] is None:
                sign_in[row] = text_of(_object(extra).get("signInSessionArn"))
        columns["sign_in"] = pa.array(sign_in, pa.string())
        columns["mfa_used"] = pa.array(mfa, pa.bool_())
        columns |= self._credentials(fields, raw, columns, count)
        columns["file"] = pa.array(
            np.repeat(
                np.array([self._file(c.source_file) for c in chunks], np.int32),
                [len(c.records) for c in chunks],
            )
        )
        columns["source_ordinal"] = pa.array(
            np.concatenate(
                [
                    np.arange(c.first_ordinal, c.first_ordinal + len(c.records), dtype=np.int64)
                    for c in chunks
                ]
            )
        )
        self._parts.append(
            pa.RecordBatch.from_arrays([columns[n] for n in _PART_NAMES], names=_PART_NAMES)
        )
        self.bytes += 300 * count

    def _credentials(
        self,
        fields: dict[str, list[Any]],
        raw: dict[str, list[bytes | None]],
        columns: dict[str, pa.Array],
        count: int,
    ) -> dict[str, pa.Array]:
        """What responses minted, requests asked for, and whether each call failed."""
        keys: list[Text] = [None] * count
        principals: list[Text] = [None] * count
        failed: list[bool] = [code is not None and code != "" for code in fields["errorCode"]]
        names = fields["eventName"]
        sign_ins = _rows_where(columns["event_source"], lambda v: v == "signin.amazonaws.com")
        sign_ins |= _rows_where(columns["event_type"], lambda v: v.lower() == "awsconsolesignin")
        for row, text in enumerate(raw["response_elements"]):
            if text is None:
                continue
            if (
                b"ccessKeyId" in text
                or b"assumedRoleId" in text
                or b"federatedUserId" in text
                or b"assumedPrincipal" in text
            ):
                keys[row], principals[row] = minted(names[row], _object(text))
            if b"ConsoleLogin" in text:
                sign_ins.add(row)
        for row in sign_ins:
            failed[row] = has_failed(
                fields["eventSource"][row] or None,
                fields["eventType"][row] or None,
                fields["errorCode"][row] or None,
                fields["errorMessage"][row] or None,
                _object(raw["response_elements"][row]),
            )
        sessions: list[Text] = [None] * count
        seconds: list[int | None] = [None] * count
        for row, text in enumerate(raw["request_parameters"]):
            if text is not None and (b"roleSessionName" in text or b"durationSeconds" in text):
                sessions[row], seconds[row] = asked_for(_object(text))
        targets: list[Text] = [None] * count
        for row in _rows_where(columns["event_name"], asks_for_role):
            about = raw["resources"][row]
            targets[row] = target_role(
                names[row],
                _object(raw["request_parameters"][row]),
                _any.decode(about) if about is not None else None,
                fields["errorMessage"][row] or None,
            )
        return {
            "failed": pa.array(failed, pa.bool_()),
            "minted_access_key_id": pa.array(keys, pa.string()),
            "minted_principal_id": pa.array(principals, pa.string()),
            "target_role_arn": pa.array(targets, pa.string()),
            "target_session_name": pa.array(sessions, pa.string()),
            "duration_seconds": pa.array(seconds, pa.int64()),
        }

    def add_row(self, row: dict[str, Any], source_file: str, ordinal: int) -> None:
        """Takes one row as `event_row` makes it."""
        self._loose.append(row | {"source_file": source_file, "source_ordinal": ordinal})
        self.rows += 1
        self.bytes += 400 + sum(len(v) for v in row.values() if isinstance(v, str))
        if len(self._loose) >= 5_000:
            self._pack_loose()

    def _new_identity(self, text: bytes) -> int:
        who = identity_columns(_object(None if text == b"null" else text))
        return self._keep_identity(text, who | {"user_identity": _valid(text)})

    def _keep_identity(self, key: bytes | str, who: dict[str, Any]) -> int:
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
            who = {name: row[name] for name in (*IDENTITY_COLUMNS, "user_identity")}
            key = repr(tuple(who.values()))
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
        ids = [who["identity_id"] for who in identities]
        ranked = {v: n for n, v in enumerate(sorted({v for v in ids if v is not None}, key=_utf8))}
        rank = np.array([ranked.get(v, len(ranked)) for v in ids], np.int32)
        micros = parts["event_time"].combine_chunks().cast(pa.int64()).to_numpy()
        day = micros // 86_400_000_000
        order = np.lexsort((micros, rank[code], day))
        file = parts["file"].combine_chunks().to_numpy().astype(np.int64)
        for pair in np.unique((file << 32) + day).tolist():
            self.file_days.setdefault(files[pair >> 32], set()).add(pair & 0xFFFFFFFF)
        parts = parts.take(pa.array(order))
        code = code[order]

        columns: dict[str, Any] = {n: parts[n] for n in EVENT_SCHEMA.names if n in _PART_NAMES}
        for name in (*IDENTITY_COLUMNS, "user_identity"):
            columns[name] = _spread([who[name] for who in identities], code, name)
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


_AT_ONCE = 8_192
_BYTES_AT_ONCE = 32 << 20
_any = msgspec.json.Decoder()
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


def _texts(values: list[Text]) -> pa.Array:
    if "" in values:
        values = [value or None for value in values]
    return pa.array(values, pa.string())


def _raw(values: Sequence[msgspec.Raw]) -> list[bytes | None]:
    return [None if text == b"null" else text for text in map(bytes, values)]


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


def _object(text: bytes | None) -> dict[str, Any]:
    value = _any.decode(text) if text is not None else None
    return value if isinstance(value, dict) else {}


def _valid(text: bytes) -> str | None:
    return None if text == b"null" else text.decode()


def _naive(value: object) -> object:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _utf8(text: str) -> bytes:
    """Sorts text as every engine compares it: by its UTF-8 bytes."""
    return text.encode()


def _spread(values: list[Any], codes: np.ndarray[Any, Any], name: str) -> pa.Array:
    """One value per row out of one per identity, as dictionary indices where it is text."""
    kind = EVENT_SCHEMA.field(name).type
    distinct = pa.array([_naive(value) for value in values], kind)
    if kind != pa.string():
        return distinct.take(pa.array(codes))
    encoded = distinct.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(codes)), encoded.dictionary)
