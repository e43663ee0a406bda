"""Rows of Athena, CloudTrail Lake and Security Lake → CloudTrail records.

Athena lowers the case of every name and prints structs as `{type=IAMUser, arn=…}`, which is not
JSON; Lake prints maps the same way. Security Lake renames everything (OCSF, §1.3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

_NAMES = {
    name.lower(): name
    for name in (
        "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion",
        "sourceIPAddress", "userAgent", "errorCode", "errorMessage", "requestParameters",
        "responseElements", "additionalEventData", "requestID", "eventID", "eventType",
        "apiVersion", "managementEvent", "readOnly", "resources", "recipientAccountId",
        "serviceEventDetails", "sharedEventID", "vpcEndpointId", "eventCategory", "addendum",
        "sessionCredentialFromConsole", "edgeDeviceDetails", "tlsDetails", "type", "principalId",
        "arn", "accountId", "accessKeyId", "userName", "invokedBy", "sessionContext",
        "attributes", "creationDate", "mfaAuthenticated", "sessionIssuer", "webIdFederationData",
        "federatedProvider", "sourceIdentity", "ec2RoleDelivery", "onBehalfOf", "userId",
        "identityStoreArn", "credentialId", "identityProvider", "inScopeOf", "signInSessionArn",
        "assumedRoot",
    )
}  # fmt: skip
_STRUCTS = frozenset(
    {
        "userIdentity", "requestParameters", "responseElements", "additionalEventData",
        "resources", "serviceEventDetails", "addendum", "tlsDetails", "edgeDeviceDetails",
    }
)  # fmt: skip
_NEXT_KEY = re.compile(r",\s*(?=[\w.:-]+=)")
_DEPTH = 64
_DOTS = 8
"""How deep a dotted name is taken apart: more than any field of CloudTrail's."""


def is_cloudtrail_header(names: list[str]) -> bool:
    """Whether a table with these columns holds one CloudTrail event per row."""
    lower = {_plain(name) for name in names}
    return "eventname" in lower and "eventtime" in lower


def is_console_header(names: list[str]) -> bool:
    """Whether it is the console's Event history: it names who, but shows no `userIdentity`."""
    return {"Event name", "Event time", "User name"} <= {n.strip().strip('"') for n in names}


def table_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """The record behind one row: CloudTrail's spelling, structs as objects, "" left out."""
    record: dict[str, Any] = {}
    for column, value in row.items():
        if value is None or value == "" or not isinstance(column, str):
            continue
        name = _NAMES.get(_plain(column), column)
        if name in _STRUCTS and isinstance(value, str):
            value = _parsed(value)
        record[name] = _spelled(value) if name in ("userIdentity", "resources") else value
    return record


def _plain(name: str) -> str:
    return name.strip().strip('"').replace("_", "").lower()


def _parsed(text: str) -> Any:
    """A struct column's value from JSON, from the engine's own print of it, or as plain text."""
    stripped = text.strip()
    if stripped in ("null", "NULL", "-"):
        return None
    try:
        return json.loads(stripped)
    except (ValueError, RecursionError):
        pass
    if stripped[:1] in "{[" and stripped[-1:] in "}]":
        try:
            return _printed(stripped, 0)
        except ValueError:
            return text
    return text


def _printed(text: str, depth: int) -> Any:
    """`{a=b, c={d=e}}` or `[{a=b}]` as objects and lists."""
    if depth > _DEPTH:
        raise ValueError("nested too deeply")
    if text in ("null", ""):
        return None
    if text[0] == "{" and text[-1] == "}":
        found: dict[str, Any] = {}
        for part in _parts(text[1:-1]):
            key, equals, value = part.partition("=")
            if equals:
                found[key.strip()] = _printed(value.strip(), depth + 1)
        return found
    if text[0] == "[" and text[-1] == "]":
        return [_printed(part.strip(), depth + 1) for part in _parts(text[1:-1], keys=False)]
    return text


def _parts(text: str, *, keys: bool = True) -> list[str]:
    """The text cut at the commas that separate entries, not at those inside values."""
    parts, depth, start, n = [], 0, 0, 0
    while n < len(text):
        character = text[n]
        if character in "{[":
            depth += 1
        elif character in "}]":
            depth = max(0, depth - 1)
        elif character == "," and depth == 0:
            cut = _NEXT_KEY.match(text, n) if keys else re.compile(r",\s*").match(text, n)
            if cut is not None:
                parts.append(text[start:n])
                start = n = cut.end()
                continue
        n += 1
    parts.append(text[start:])
    return [part for part in parts if part.strip()]


def _spelled(value: Any) -> Any:
    """The same value with CloudTrail's spelling of every key."""
    if isinstance(value, dict):
        return {
            ("ARN" if key == "ARN" else _NAMES.get(_plain(key), key)): _spelled(member)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [_spelled(member) for member in value]
    return value


def is_ocsf(names: Collection[str]) -> bool:
    """Whether a table or object with these columns is Security Lake's."""
    return {"metadata", "class_uid", "api"} <= set(names) or {"metadata", "actor", "time"} <= set(
        names
    )


def ocsf_of_another(row: Mapping[str, Any]) -> str | None:
    """The product that wrote an OCSF event, where it is named and is not CloudTrail."""
    product = _Path(row)("metadata.product.name")
    return None if product is None or product == "CloudTrail" else str(product)[:80]


def ocsf_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """The CloudTrail record behind one OCSF event (§1.3), as far as OCSF keeps it."""
    at = _Path(row)
    unmapped = _unmapped(row.get("unmapped"))
    operation = at("api.operation")
    error, response = _ocsf_outcome(at, operation, unmapped)
    return _kept(
        {
            "eventVersion": at("metadata.product.version"),
            "userIdentity": _ocsf_identity(at, unmapped),
            "eventTime": at("time"),
            "eventSource": at("api.service.name"),
            "eventName": operation,
            "awsRegion": at("cloud.region"),
            "sourceIPAddress": at("src_endpoint.ip", "src_endpoint.domain"),
            "userAgent": at("http_request.user_agent"),
            "errorCode": error,
            "errorMessage": at("api.response.error_message", "api.response.message"),
            "requestParameters": _json(at("api.request.data"))
            or _json(unmapped.get("requestParameters")),
            "responseElements": response,
            "additionalEventData": _json(unmapped.get("additionalEventData")),
            "serviceEventDetails": _json(unmapped.get("serviceEventDetails")),
            "requestID": at("api.request.uid"),
            "eventID": at("metadata.uid"),
            "eventType": unmapped.get("eventType") or at("metadata.event_code"),
            "eventCategory": unmapped.get("eventCategory"),
            "readOnly": unmapped.get("readOnly"),
            "sessionCredentialFromConsole": unmapped.get("sessionCredentialFromConsole"),
            "recipientAccountId": unmapped.get("recipientAccountId") or at("cloud.account.uid"),
            "sharedEventID": unmapped.get("sharedEventID"),
            "vpcEndpointId": unmapped.get("vpcEndpointId") or at("src_endpoint.uid"),
            "resources": [
                _kept(
                    {
                        "ARN": entry.get("uid"),
                        "type": entry.get("type"),
                        "accountId": entry.get("account_uid") or _Path(entry)("owner.account.uid"),
                    }
                )
                for entry in _list(row.get("resources"))
                if isinstance(entry, dict)
            ]
            or None,
        }
    )


def _ocsf_identity(at: _Path, unmapped: Mapping[str, Any]) -> dict[str, Any]:
    """Who called. Which of a user's ids is the ARN has changed with OCSF's versions (uid, then
    uid_alt, and uuid before either), so each is known by its form."""
    kind = at("actor.user.type")
    ids = [i for name in ("uid", "uid_alt", "uuid") if (i := at(f"actor.user.{name}")) is not None]
    arn = next((i for i in ids if isinstance(i, str) and i.startswith("arn:")), None)
    principal_id = next((i for i in ids if i != arn), None)
    if kind == "WebIdentityUser" and principal_id is None:
        arn, principal_id = None, arn  # its principal id begins with the provider's ARN
    of_store = kind == "IdentityCenterUser"
    credential = at("actor.user.credential_uid")
    # One place for two things: Identity Center's credential ids are UUIDs, access keys are not.
    is_key = not of_store and not (isinstance(credential, str) and "-" in credential)
    issuer = _kept({"arn": at("actor.session.issuer")})
    attributes = _kept(
        {
            "creationDate": at("actor.session.created_time"),
            "mfaAuthenticated": at("actor.session.is_mfa", "actor.session.mfa", "is_mfa", "mfa"),
        }
    )
    known = {
        "type": kind,
        "principalId": None if of_store else principal_id,
        "arn": arn,
        "accountId": at("actor.user.account.uid", "actor.user.account_uid"),
        "accessKeyId": credential if is_key else None,
        "credentialId": None if is_key else credential,
        "userName": at("actor.user.name"),
        "invokedBy": at("actor.invoked_by"),
        "onBehalfOf": _kept({"userId": principal_id, "identityStoreArn": at("actor.idp.uid")})
        if of_store
        else None,
        "sessionContext": _kept({"sessionIssuer": issuer, "attributes": attributes}),
    }
    return _merged(_spelled(unmapped.get("userIdentity")), _kept(known))


def _ocsf_outcome(
    at: _Path, operation: object, unmapped: Mapping[str, Any]
) -> tuple[Any, dict[str, Any] | None]:
    """(error code, response). A failure that only `status_id` tells must not read as success."""
    response = _json(at("api.response.data")) or _json(unmapped.get("responseElements"))
    error = at("api.response.error")
    if error is None and at("status_id") == 2:
        if operation != "ConsoleLogin":
            return at("status_code", "status") or "Failure", response
        if not isinstance(response, dict) or "ConsoleLogin" not in response:
            return None, {"ConsoleLogin": "Failure"}
    return error, response


class _Path:
    """Reads dotted paths out of nested rows: the first that leads somewhere."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row

    def __call__(self, *paths: str) -> Any:
        for path in paths:
            value: Any = self._row
            for name in path.split("."):
                value = value.get(name) if isinstance(value, dict) else None
            if value is not None and value != "":
                return value
        return None


def _unmapped(value: object) -> dict[str, Any]:
    """OCSF's `unmapped`, its dotted names as objects in objects.

    A map comes out of Parquet as a list of pairs.
    """
    pairs = list(value.items()) if isinstance(value, dict) else _list(value)
    found: dict[str, Any] = {}
    for pair in pairs:
        if isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str):
            nested: Any = pair[1]
            for name in reversed(pair[0].split(".", _DOTS)):
                nested = {name: nested}
            found = _merged(found, nested)
    return found


def _merged(one: object, other: dict[str, Any]) -> dict[str, Any]:
    """Both objects in one; what both state is `other`'s, unless both are objects."""
    found = dict(one) if isinstance(one, dict) else {}
    for name, value in other.items():
        found[name] = _merged(found.get(name), value) if isinstance(value, dict) else value
    return found


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _json(value: Any) -> Any:
    return _parsed(value) if isinstance(value, str) else value


def _kept(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", {})}
