"""Security Lake's OCSF events → CloudTrail records (§1.3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from trail.read.flat import object_in, spelt_like_cloudtrail

_DOTS = 8
"""How deep a dotted name is taken apart: more than any field of CloudTrail's."""
PATHS = {
    "eventVersion": "metadata.product.version",
    "eventTime": "time",
    "eventSource": "api.service.name",
    "eventName": "api.operation",
    "awsRegion": "cloud.region",
    "sourceIPAddress": "src_endpoint.ip",
    "userAgent": "http_request.user_agent",
    "errorCode": "api.response.error",
    "errorMessage": "api.response.message",
    "requestParameters": "api.request.data",
    "responseElements": "api.response.data",
    "requestID": "api.request.uid",
    "eventID": "metadata.uid",
    "recipientAccountId": "cloud.account.uid",
    "userIdentity.type": "actor.user.type",
    "userIdentity.principalId": "actor.user.uid_alt",
    "userIdentity.arn": "actor.user.uid",
    "userIdentity.accountId": "actor.user.account.uid",
    "userIdentity.accessKeyId": "actor.user.credential_uid",
    "userIdentity.userName": "actor.user.name",
    "userIdentity.invokedBy": "actor.invoked_by",
    "userIdentity.sessionContext.sessionIssuer.arn": "actor.session.issuer",
    "userIdentity.sessionContext.attributes.creationDate": "actor.session.created_time",
    "userIdentity.sessionContext.attributes.mfaAuthenticated": "actor.session.is_mfa",
}
"""CloudTrail field → where OCSF has it."""


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
            "eventTime": at("time", "time_dt"),
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
            "creationDate": at("actor.session.created_time", "actor.session.created_time_dt"),
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
    return _merged(spelt_like_cloudtrail(unmapped.get("userIdentity")), _kept(known))


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
    return object_in(value) if isinstance(value, str) else value


def _kept(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", {})}
