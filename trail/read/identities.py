"""`userIdentity` texts → `IDENTITY_COLUMNS`, many at a time, by the rules of `trail.events`.

Where every call has an access key of its own, in the console and in short sessions, there are as
many identities as events: they are decoded typed and become columns together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from trail.events import (
    EARLIEST,
    EVENT_SCHEMA,
    IDENTITY_COLUMNS,
    LATEST,
    flag_of,
    identity_columns,
    identity_id,
    session_name_of,
    time_in_range,
)
from trail.placeholders import NULLS

Text = str | None
IDENTITIES = pa.schema([EVENT_SCHEMA.field(name) for name in (*IDENTITY_COLUMNS, "user_identity")])
"""One row for each identity: its columns, and the text that they come from."""


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


_one = msgspec.json.Decoder(_Identity)
_many = msgspec.json.Decoder(list[_Identity])
_any = msgspec.json.Decoder()
_NO_SESSION, _NO_ISSUER, _NO_ATTRIBUTES = _Session(), _Issuer(), _Attributes()
_NOBODY = _Person()
_AT_ONCE = 2_048
"""Few enough that their objects stay in the processor's cache until they are columns."""


def identities_of(texts: pa.Array) -> pa.Table:
    """The identities that JSON texts tell, in their order; that of a null text says nothing."""
    batches = [_batch(texts.slice(begin, _AT_ONCE)) for begin in range(0, len(texts), _AT_ONCE)]
    return pa.Table.from_batches(batches, IDENTITIES)


def _batch(texts: pa.Array) -> pa.RecordBatch:
    told = [text or b"{}" for text in texts.cast(pa.binary()).to_pylist()]
    try:
        columns = _columns(_many.decode(b"[%b]" % b",".join(told)))
    except msgspec.DecodeError:
        columns = _columns_of_any(told)
    return pa.RecordBatch.from_arrays(
        [*(columns[name] for name in IDENTITY_COLUMNS), texts], schema=IDENTITIES
    )


def _columns_of_any(texts: Sequence[bytes]) -> dict[str, pa.Array]:
    """The columns of identities of which some have other types."""
    typed: list[_Identity] = []
    others: dict[int, Mapping[str, Any]] = {}
    for row, text in enumerate(texts):
        try:
            typed.append(_one.decode(text))
        except msgspec.DecodeError:
            typed.append(_Identity())
            others[row] = identity_columns(json_object(text))
    columns = _columns(typed)
    for name, column in columns.items():
        values = column.to_pylist()
        for row, other in others.items():
            values[row] = naive(other[name])
        columns[name] = pa.array(values, column.type)
    return columns


def _columns(identities: Sequence[_Identity]) -> dict[str, pa.Array]:
    sessions = [one.sessionContext or _NO_SESSION for one in identities]
    issuers = [one.sessionIssuer or _NO_ISSUER for one in sessions]
    attributes = [one.attributes or _NO_ATTRIBUTES for one in sessions]
    kinds = told_of([one.type for one in identities])
    principals = told_of([one.principalId for one in identities])
    arns = told_of([one.arn for one in identities])
    accounts = told_of([one.accountId for one in identities])
    names = [one.userName or None for one in identities]
    services = told_of([one.invokedBy for one in identities])
    persons = told_of([(one.onBehalfOf or _NOBODY).userId for one in identities])
    texts: dict[str, Sequence[Text]] = {
        "identity_type": kinds,
        "identity_id": list(
            map(identity_id, kinds, principals, accounts, persons, arns, services, names)
        ),
        "principal_id": principals,
        "principal_arn": arns,
        "account_id": accounts,
        "access_key_id": told_of([one.accessKeyId for one in identities]),
        "user_name": names,
        "invoked_by": services,
        "issuer_arn": told_of([one.arn for one in issuers]),
        "issuer_id": told_of([one.principalId for one in issuers]),
        "session_name": list(map(session_name_of, principals, arns, kinds)),
        "source_identity": [one.sourceIdentity or None for one in sessions],
        "on_behalf_of": persons,
        "credential_id": told_of([one.credentialId for one in identities]),
        "sign_in_session_arn": [
            session.signInSessionArn or one.signInSessionArn or None
            for session, one in zip(sessions, identities, strict=True)
        ],
        "ec2_role_delivery": [one.ec2RoleDelivery or None for one in sessions],
    }
    columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    columns["session_created"] = _times_or_none([one.creationDate for one in attributes])
    columns["session_from_console"] = flags(
        [one.sessionCredentialFromConsole for one in attributes]
    )
    columns["mfa"] = flags([one.mfaAuthenticated for one in attributes])
    return columns


def _times_or_none(texts: Sequence[Text]) -> pa.Array:
    """Creation dates, each null where it cannot be one."""
    kind = pa.timestamp("us")
    if all(text is None or (len(text) == 20 and text[-1] == "Z") for text in texts):
        try:
            times = pa.array(texts, pa.string()).cast(pa.timestamp("us", "UTC")).cast(kind)
        except pa.ArrowInvalid:
            pass
        else:
            bounds = pc.min_max(times)
            first, last = bounds["min"].as_py(), bounds["max"].as_py()
            if first is None or (naive(EARLIEST) <= first and last < naive(LATEST)):
                return times
    return pa.array([None if text is None else _created(text) for text in texts], kind)


@lru_cache(16_384)
def _created(text: str) -> object:
    return naive(time_in_range(text))


def naive(value: Any) -> Any:
    """A time as the index has it, in UTC without saying so; all else as it is."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def told_of(values: Sequence[Text]) -> Sequence[Text]:
    """The same values, null for "" and for words for nothing, as `trail.events.told`."""
    if NULLS.isdisjoint(values) and "" not in values:
        return values
    return [None if not value or value in NULLS else value for value in values]


def flags(values: Sequence[bool | str | None]) -> pa.Array:
    """Booleans, also from the texts "true" and "false"."""
    try:
        return pa.array(values, pa.bool_())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        told = {value: flag_of(value) for value in set(values)}
        return pa.array([told[value] for value in values], pa.bool_())


def json_object(text: bytes | str) -> dict[str, Any]:
    """The object that a JSON text is; an empty one for any other value, and for no text."""
    try:
        value = _any.decode(text)
    except msgspec.DecodeError:  # a number that no float holds: Python takes it for infinite
        value = json.loads(text) if text else None
    return value if isinstance(value, dict) else {}
