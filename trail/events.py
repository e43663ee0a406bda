"""THE event table: one flat row per CloudTrail event, and how a record becomes a row.

Every question, whatever engine answers it, is asked against `EVENT_SCHEMA`. Names are AWS's own
in snake_case. Times are UTC; in Parquet they are plain timestamps, because every engine then
reads them alike. Rules cite the domain reference (CLOUDTRAIL.md, "§").
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 1
"""Written into every segment. Raise it when a column's meaning changes."""

_TEXT = pa.string()
_TIME = pa.timestamp("us")
_FLAG = pa.bool_()

EVENT_SCHEMA = pa.schema(
    [
        # The event itself (§1.1).
        ("event_id", _TEXT),  # eventID; "content-<hash>" for version 1.0 records, which have none
        ("event_time", _TIME),
        ("event_source", _TEXT),
        ("event_name", _TEXT),
        ("event_type", _TEXT),
        ("event_category", _TEXT),
        ("event_version", _TEXT),
        ("aws_region", _TEXT),
        ("recipient_account_id", _TEXT),  # else userIdentity.accountId
        ("source_ip_address", _TEXT),
        ("user_agent", _TEXT),
        ("error_code", _TEXT),
        ("error_message", _TEXT),
        ("failed", _FLAG),  # see `has_failed`; never null
        ("read_only", _FLAG),
        ("request_id", _TEXT),
        ("shared_event_id", _TEXT),
        ("vpc_endpoint_id", _TEXT),
        # Who (§1.2).
        ("identity_type", _TEXT),
        ("identity_id", _TEXT),  # see `identity_id_of`; the index is clustered by it
        ("principal_id", _TEXT),
        ("principal_arn", _TEXT),
        ("account_id", _TEXT),
        ("access_key_id", _TEXT),
        ("user_name", _TEXT),
        ("invoked_by", _TEXT),
        ("issuer_arn", _TEXT),
        ("issuer_id", _TEXT),
        ("session_name", _TEXT),  # what follows ":" in an assumed role's principal id
        ("session_created", _TIME),  # sessionContext.attributes.creationDate
        ("session_from_console", _FLAG),
        ("source_identity", _TEXT),
        ("on_behalf_of", _TEXT),  # the Identity Center user id
        ("credential_id", _TEXT),
        ("sign_in_session_arn", _TEXT),
        ("mfa", _FLAG),
        ("ec2_role_delivery", _TEXT),
        # What a credential-minting call made or asked for (§2, §5.2).
        ("minted_access_key_id", _TEXT),
        ("minted_principal_id", _TEXT),
        ("target_role_arn", _TEXT),  # with its path; from the request, resources or error message
        ("target_session_name", _TEXT),
        ("duration_seconds", pa.int64()),
        # The rest, as JSON text; null where the record has null or nothing.
        ("user_identity", _TEXT),
        ("request_parameters", _TEXT),
        ("response_elements", _TEXT),
        ("additional_event_data", _TEXT),
        ("service_event_details", _TEXT),
        ("resources", _TEXT),
        # Where the raw record is.
        ("source_file", _TEXT),
        ("source_ordinal", pa.int64()),  # 0-based position among the file's records
    ]
)

CREDENTIAL_EVENTS = frozenset(
    {
        ("sts.amazonaws.com", name)
        for name in (
            "AssumeRole",
            "AssumeRoleWithSAML",
            "AssumeRoleWithWebIdentity",
            "AssumeRoot",
            "GetSessionToken",
            "GetFederationToken",
            "GetDelegatedAccessToken",
        )
    }
    | {
        ("signin.amazonaws.com", name)
        for name in (
            "ConsoleLogin",
            "SwitchRole",
            "ExitRole",
            "RenewRole",
            "GetSigninToken",
            "AuthorizeOAuth2Access",
            "CreateOAuth2Token",
        )
    }
    | {
        ("iam.amazonaws.com", "CreateAccessKey"),
        ("sso.amazonaws.com", "GetRoleCredentials"),
        ("sso.amazonaws.com", "Federate"),
        ("eks-auth.amazonaws.com", "AssumeRoleForPodIdentity"),
        ("rolesanywhere.amazonaws.com", "CreateSession"),
        ("cognito-identity.amazonaws.com", "GetCredentialsForIdentity"),
        ("s3express.amazonaws.com", "CreateSession"),
        ("account-access-runtime.amazonaws.com", "GetRoleCredentials"),
        ("ssm.amazonaws.com", "RequestManagedInstanceRoleToken"),
        ("ssm.amazonaws.com", "GetAccessToken"),
    }
)
"""Calls that make, move or end a credential, successful or not (§2). With every row that shows a
minted key, these are the `credentials` side table, which has the event table's own columns."""

_ROLE_IN_MESSAGE = re.compile(
    r'on resource:\s*"?(arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]*[\w+=@/-])'
)


class Unreadable(ValueError):
    """Why a record cannot be a row, as a short reason for the reject list."""


def event_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """The event-table row of one CloudTrail record, without `source_file` and `source_ordinal`.

    Unknown keys are ignored, wrong types become null. Raises `Unreadable` when the record has no
    time or no event name: such a thing is not a CloudTrail event.
    """
    event_time = parse_time(record.get("eventTime"))
    if event_time is None:
        event_time = parse_time(record.get("@timestamp"))
    if event_time is None:
        raise Unreadable("no eventTime")
    event_name = _text(record.get("eventName"))
    if event_name is None:
        raise Unreadable("no eventName")

    identity = _object(record.get("userIdentity"))
    session = _object(identity.get("sessionContext"))
    issuer = _object(session.get("sessionIssuer"))
    attributes = _object(session.get("attributes"))
    request = _object(record.get("requestParameters"))
    response = _object(record.get("responseElements"))
    additional = _object(record.get("additionalEventData"))
    identity_type = _text(identity.get("type"))
    principal_id = _text(identity.get("principalId"))
    error_code = _text(record.get("errorCode"))
    error_message = _text(record.get("errorMessage"))
    account_id = _text(identity.get("accountId"))
    event_source = _text(record.get("eventSource"))
    event_type = _text(record.get("eventType"))
    minted_key, minted_principal = _minted(event_name, request, response)
    return {
        "event_id": _text(record.get("eventID")) or content_id(record),
        "event_time": event_time,
        "event_source": event_source,
        "event_name": event_name,
        "event_type": event_type,
        "event_category": _text(record.get("eventCategory")),
        "event_version": _text(record.get("eventVersion")),
        "aws_region": _text(record.get("awsRegion")),
        "recipient_account_id": _text(record.get("recipientAccountId")) or account_id,
        "source_ip_address": _text(record.get("sourceIPAddress")),
        "user_agent": _text(record.get("userAgent")),
        "error_code": error_code,
        "error_message": error_message,
        "failed": has_failed(event_source, event_type, error_code, error_message, response),
        "read_only": _flag(record.get("readOnly")),
        "request_id": _text(record.get("requestID")),
        "shared_event_id": _text(record.get("sharedEventID")),
        "vpc_endpoint_id": _text(record.get("vpcEndpointId")),
        "identity_type": identity_type,
        "identity_id": identity_id_of(identity),
        "principal_id": principal_id,
        "principal_arn": _text(identity.get("arn")),
        "account_id": account_id,
        "access_key_id": _text(identity.get("accessKeyId")),
        "user_name": _text(identity.get("userName")),
        "invoked_by": _text(identity.get("invokedBy")),
        "issuer_arn": _text(issuer.get("arn")),
        "issuer_id": _text(issuer.get("principalId")),
        "session_name": session_name_of(principal_id, identity.get("arn")),
        "session_created": parse_time(attributes.get("creationDate")),
        "session_from_console": _flag(
            record.get("sessionCredentialFromConsole")
            or attributes.get("sessionCredentialFromConsole")
        ),
        "source_identity": _text(session.get("sourceIdentity")),
        "on_behalf_of": _text(_object(identity.get("onBehalfOf")).get("userId")),
        "credential_id": _text(identity.get("credentialId")),
        "sign_in_session_arn": _text(session.get("signInSessionArn"))
        or _text(identity.get("signInSessionArn"))
        or _text(record.get("signInSessionArn")),
        "mfa": _mfa(attributes, additional),
        "ec2_role_delivery": _text(session.get("ec2RoleDelivery")),
        "minted_access_key_id": minted_key,
        "minted_principal_id": minted_principal,
        "target_role_arn": _target_role(event_name, request, record, error_message),
        "target_session_name": _text(request.get("roleSessionName")),
        "duration_seconds": _integer(request.get("durationSeconds")),
        "user_identity": _json(record.get("userIdentity")),
        "request_parameters": _json(record.get("requestParameters")),
        "response_elements": _json(record.get("responseElements")),
        "additional_event_data": _json(record.get("additionalEventData")),
        "service_event_details": _json(record.get("serviceEventDetails")),
        "resources": _json(record.get("resources")),
    }


def identity_id_of(identity: Mapping[str, Any]) -> str | None:
    """The stable id of whoever made the call, the same for every session of a role (§1.2).

    An assumed role (or another account's role session) is its `AROA…` before the colon; root its
    account id; a service its `invokedBy`. Anyone else is the whole principal id, else the ARN:
    federated users, SAML and web identities contain ":" and must not be cut.
    """
    kind = _text(identity.get("type"))
    principal_id = _text(identity.get("principalId"))
    if kind == "Root":
        return _text(identity.get("accountId")) or principal_id
    if kind == "AWSService":
        return _text(identity.get("invokedBy")) or principal_id
    if principal_id is not None:
        prefix = principal_id.partition(":")[0]
        return prefix if prefix.startswith("AROA") else principal_id
    return (
        _text(identity.get("arn"))
        or _text(_object(identity.get("onBehalfOf")).get("userId"))
        or _text(identity.get("invokedBy"))
        or _text(identity.get("userName"))
        or _text(identity.get("accountId"))
    )


def session_name_of(principal_id: str | None, arn: object = None) -> str | None:
    """The role session's name, from `AROA…:name`, else from an assumed-role ARN; else null."""
    if principal_id is not None and principal_id.startswith("AROA"):
        return principal_id.partition(":")[2] or None
    if isinstance(arn, str) and ":assumed-role/" in arn:
        parts = arn.partition(":assumed-role/")[2].split("/", 1)
        return parts[1] if len(parts) == 2 else None
    return None


def has_failed(
    event_source: str | None,
    event_type: str | None,
    error_code: str | None,
    error_message: str | None,
    response: Mapping[str, Any],
) -> bool:
    """Whether the call failed: an error code, or a sign-in's own way of saying so (§1.1, §6.4)."""
    if error_code is not None:
        return True
    if response.get("ConsoleLogin") == "Failure":
        return True
    is_sign_in = event_source == "signin.amazonaws.com" or (event_type or "").lower() == (
        "awsconsolesignin"
    )
    return is_sign_in and error_message is not None


def is_credential_event(row: Mapping[str, Any]) -> bool:
    """Whether the row belongs to the `credentials` side table."""
    return (
        row["minted_access_key_id"] is not None
        or (row["event_source"], row["event_name"]) in CREDENTIAL_EVENTS
    )


def parse_time(value: object) -> datetime | None:
    """A UTC datetime from any form CloudTrail and its exports write, else null.

    Accepts extended and basic ISO-8601 (§1.2 creationDate), a space for the "T" and up to nine
    decimals (Athena, Panther, §8), and epoch seconds or milliseconds (LookupEvents, OCSF).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        seconds = value / 1000 if abs(value) >= 1e11 else value
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    if not isinstance(value, str):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", value.strip().removesuffix(" UTC"))
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:
        return None


def content_id(record: Mapping[str, Any]) -> str:
    """A stand-in event id for records without one: the same content gives the same id."""
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), default=str)
    return "content-" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _minted(
    event_name: str, request: Mapping[str, Any], response: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """The key id and principal id that a response shows (§2.1, §2.3), each null if not there."""
    key = _text(_object(response.get("credentials")).get("accessKeyId"))
    if event_name == "CreateAccessKey":
        key = _text(_object(response.get("accessKey")).get("accessKeyId"))
    credential_set = response.get("credentialSet")
    if key is None and isinstance(credential_set, list) and credential_set:
        key = _text(_object(_object(credential_set[0]).get("credentials")).get("accessKeyId"))
    principal = (
        _text(_object(response.get("assumedRoleUser")).get("assumedRoleId"))
        or _text(_object(response.get("federatedUser")).get("federatedUserId"))
        or _text(_object(response.get("assumedPrincipal")).get("principalId"))
    )
    return key, principal


def _target_role(
    event_name: str,
    request: Mapping[str, Any],
    record: Mapping[str, Any],
    error_message: str | None,
) -> str | None:
    """The role an assumption asked for: request, then `resources`, then the message (§5.2)."""
    if not (event_name.startswith("AssumeRole") or event_name == "CreateSession"):
        return None
    if (arn := _text(request.get("roleArn"))) is not None:
        return arn
    resources = record.get("resources")
    for resource in resources if isinstance(resources, list) else []:
        entry = _object(resource)
        if entry.get("type") == "AWS::IAM::Role":
            return _text(entry.get("ARN")) or _text(entry.get("arn"))
    match = _ROLE_IN_MESSAGE.search(error_message or "")
    return match[1] if match else None


def _mfa(attributes: Mapping[str, Any], additional: Mapping[str, Any]) -> bool | None:
    stated = _flag(attributes.get("mfaAuthenticated"))
    if stated is None and (used := additional.get("MFAUsed")) in ("Yes", "No"):
        return bool(used == "Yes")
    return stated


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    """Text as it stands; numbers as text; empty strings and all else as null."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def _flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return None


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return int(float(value)) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _json(value: object) -> str | None:
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
