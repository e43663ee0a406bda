"""Rows of Athena, CloudTrail Lake and Security Lake → CloudTrail records.

Athena lowers the case of every name and prints structs as `{type=IAMUser, arn=…}`, which is not
JSON; Lake prints maps the same way. Security Lake renames everything (OCSF, §1.3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
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


def is_cloudtrail_header(names: list[str]) -> bool:
    """Whether a table with these columns holds one CloudTrail event per row."""
    lower = {_plain(name) for name in names}
    return "eventname" in lower and "eventtime" in lower


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


def is_ocsf(names: list[str]) -> bool:
    """Whether a Parquet table with these columns is Security Lake's."""
    return {"metadata", "class_uid", "api"} <= set(names) or {"metadata", "actor", "time"} <= set(
        names
    )


def ocsf_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """The CloudTrail record behind one OCSF event (§1.3), as far as OCSF keeps it."""
    at = _Path(row)
    identity: dict[str, Any] = {
        "type": at("actor.user.type"),
        "principalId": at("actor.user.uid"),
        "arn": at("actor.user.uid_alt"),
        "accountId": at("actor.user.account.uid", "actor.user.account_uid"),
        "accessKeyId": at("actor.user.credential_uid"),
        "userName": at("actor.user.name"),
        "invokedBy": at("actor.invoked_by"),
    }
    session = {
        "sessionIssuer": _kept({"arn": at("actor.session.issuer")}),
        "attributes": _kept(
            {
                "creationDate": at("actor.session.created_time"),
                "mfaAuthenticated": at("actor.session.is_mfa", "actor.session.mfa"),
            }
        ),
    }
    if (session := _kept(session)) != {}:
        identity["sessionContext"] = session
    unmapped = _pairs(row.get("unmapped"))
    return _kept(
        {
            "eventVersion": at("metadata.product.version"),
            "userIdentity": _kept(identity),
            "eventTime": at("time"),
            "eventSource": at("api.service.name"),
            "eventName": at("api.operation"),
            "awsRegion": at("cloud.region"),
            "sourceIPAddress": at("src_endpoint.ip", "src_endpoint.domain"),
            "userAgent": at("http_request.user_agent"),
            "errorCode": at("api.response.error"),
            "errorMessage": at("api.response.error_message", "api.response.message"),
            "requestParameters": _json(at("api.request.data", "unmapped.requestParameters"))
            or _json(unmapped.get("requestParameters")),
            "responseElements": _json(at("api.response.data"))
            or _json(unmapped.get("responseElements")),
            "additionalEventData": _json(unmapped.get("additionalEventData")),
            "requestID": at("api.request.uid"),
            "eventID": at("metadata.uid"),
            "eventType": unmapped.get("eventType") or at("metadata.event_code"),
            "readOnly": unmapped.get("readOnly"),
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
                for entry in row.get("resources") or []
                if isinstance(entry, dict)
            ]
            or None,
        }
    )


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


def _pairs(unmapped: object) -> dict[str, Any]:
    """OCSF's `unmapped`: a map comes out of Parquet as a list of pairs."""
    if isinstance(unmapped, dict):
        return unmapped
    if isinstance(unmapped, list):
        return {p[0]: p[1] for p in unmapped if isinstance(p, tuple | list) and len(p) == 2}
    return {}


def _json(value: Any) -> Any:
    return _parsed(value) if isinstance(value, str) else value


def _kept(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", {})}
