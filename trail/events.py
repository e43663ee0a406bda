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

from trail.placeholders import NULLS, is_no_id

SCHEMA_VERSION = 5
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
        ("aws_region", _TEXT),  # else that of the path
        ("recipient_account_id", _TEXT),  # else userIdentity.accountId, else that of the path
        ("source_ip_address", _TEXT),
        ("user_agent", _TEXT),
        ("error_code", _TEXT),
        ("error_message", _TEXT),
        ("failed", _FLAG),  # see `has_failed`; never null
        ("read_only", _FLAG),
        ("request_id", _TEXT),
        ("shared_event_id", _TEXT),
        ("original_event_id", _TEXT),  # the record that this one corrects, see `corrected_event`
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

ROLLUP_IDS = 3
"""Events that a row of the rollup names as its evidence. More would make it as large as the rest
of the index (an id is random: it hardly compresses)."""

DAILY_SCHEMA = pa.schema(
    [
        ("day", pa.date32()),
        # One row per day and combination of these and of having failed; null like any value.
        ("identity_id", _TEXT),
        ("identity_type", _TEXT),
        ("principal_id", _TEXT),
        ("principal_arn", _TEXT),
        ("account_id", _TEXT),
        ("user_name", _TEXT),
        ("on_behalf_of", _TEXT),
        ("invoked_by", _TEXT),
        ("issuer_arn", _TEXT),
        ("session_name", _TEXT),
        ("session_from_console", _FLAG),
        ("recipient_account_id", _TEXT),
        ("event_source", _TEXT),
        ("event_name", _TEXT),
        ("aws_region", _TEXT),
        ("source_ip_address", _TEXT),
        ("user_agent", _TEXT),
        ("error_code", _TEXT),
        ("call_id", _TEXT),  # what counts as one call: see `trail.calls`
        ("replaced", _TEXT),
        # What happened in it.
        ("count", pa.int64()),
        ("failed", pa.int64()),  # all of them or none
        ("first", _TIME),
        ("last", _TIME),
        ("error_message", _TEXT),  # the greatest of them
        ("hours", _TEXT),  # how many in each hour of the day, a list of 24 numbers as text
        ("event_ids", pa.list_(_TEXT)),  # of the newest `ROLLUP_IDS` of them, newest first
    ]
)
"""The day rollup: built from a whole day's events at once, never incremented."""

SIGN_IN_SOURCES = frozenset({"signin.amazonaws.com", "cloudshell.amazonaws.com"})
"""Services whose every event says something of how a console session came about (§2.2)."""

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
            "GetScopedCredentials",
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


EARLIEST = datetime(2006, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""An `eventTime` outside these is a broken clock or a broken export, not an event: AWS began in
2006, and one event of 1970 would stretch every coverage map by half a century."""

KEYS_SCHEMA = pa.schema([("day", pa.date32()), ("access_key_id", _TEXT), ("identity_id", _TEXT)])
"""Which identities used an access key (null: none was stated) on a day."""

IDENTITY_COLUMNS = (
    "identity_type", "identity_id", "principal_id", "principal_arn", "account_id",
    "access_key_id", "user_name", "invoked_by", "issuer_arn", "issuer_id", "session_name",
    "session_created", "session_from_console", "source_identity", "on_behalf_of",
    "credential_id", "sign_in_session_arn", "mfa", "ec2_role_delivery",
)  # fmt: skip
"""What `userIdentity` alone decides; the event's own fields come first for three of them."""


def event_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """The event-table row of one CloudTrail record, without `source_file` and `source_ordinal`.

    Unknown keys are ignored, wrong types become null. Raises `Unreadable` when the record has no
    time or no event name: such a thing is not a CloudTrail event.
    """
    event_time = time_of_event(record)
    event_name = text_of(record.get("eventName"))
    if event_name is None:
        raise Unreadable("no eventName")

    identity = _object(record.get("userIdentity"))
    request = _object(record.get("requestParameters"))
    response = _object(record.get("responseElements"))
    error_code = told(record.get("errorCode"))
    error_message = told(record.get("errorMessage"))
    event_source = text_of(record.get("eventSource"))
    event_type = text_of(record.get("eventType"))
    minted_key, minted_principal = minted(event_name, response)
    session_asked, seconds_asked = asked_for(request)
    who = identity_columns(identity)
    from_console = flag_of(record.get("sessionCredentialFromConsole"))
    if from_console is not None:
        who["session_from_console"] = from_console
    if who["sign_in_session_arn"] is None:
        who["sign_in_session_arn"] = text_of(record.get("signInSessionArn"))
    additional = _object(record.get("additionalEventData"))
    if who["sign_in_session_arn"] is None:
        who["sign_in_session_arn"] = text_of(additional.get("signInSessionArn"))
    if who["mfa"] is None:
        who["mfa"] = mfa_at_sign_in(additional)
    return {
        "event_id": event_id_of(record) or content_id(record),
        "event_time": event_time,
        "event_source": event_source,
        "event_name": event_name,
        "event_type": event_type,
        "event_category": text_of(record.get("eventCategory")),
        "event_version": text_of(record.get("eventVersion")),
        "aws_region": text_of(record.get("awsRegion")),
        "recipient_account_id": account_of(record.get("recipientAccountId")) or who["account_id"],
        "source_ip_address": text_of(record.get("sourceIPAddress")),
        "user_agent": text_of(record.get("userAgent")),
        "error_code": error_code,
        "error_message": error_message,
        "failed": has_failed(event_source, event_type, error_code, error_message, response),
        "read_only": flag_of(record.get("readOnly")),
        "request_id": text_of(record.get("requestID")),
        "shared_event_id": text_of(record.get("sharedEventID")),
        "original_event_id": corrected_event(record.get("addendum")),
        "vpc_endpoint_id": text_of(record.get("vpcEndpointId")),
        **who,
        "minted_access_key_id": minted_key,
        "minted_principal_id": minted_principal,
        "target_role_arn": target_role(event_name, request, record.get("resources"), error_message),
        "target_session_name": session_asked,
        "duration_seconds": seconds_asked,
        "user_identity": json_text(record.get("userIdentity")),
        "request_parameters": json_text(record.get("requestParameters")),
        "response_elements": json_text(record.get("responseElements")),
        "additional_event_data": json_text(record.get("additionalEventData")),
        "service_event_details": json_text(record.get("serviceEventDetails")),
        "resources": json_text(record.get("resources")),
    }


def event_id_of(record: Mapping[str, Any]) -> str | None:
    """The event's own id; None where it has none, or only a mask that others have as well."""
    stated = text_of(record.get("eventID"))
    return None if stated is None or is_no_id(stated) else stated


def time_of_event(record: Mapping[str, Any]) -> datetime:
    """When the call completed: `eventTime`, or `@timestamp` where an exporter left only that."""
    stated = record.get("eventTime")
    if stated is None:
        stated = record.get("@timestamp")
    event_time = parse_time(stated)
    if event_time is None:
        said = "no eventTime" if stated is None else f"eventTime {str(stated)[:40]!r} is no time"
        raise Unreadable(said)
    if not EARLIEST <= event_time < LATEST:
        raise Unreadable(
            f"eventTime {event_time:%Y-%m-%d} is outside {EARLIEST:%Y} to {LATEST.year - 1}"
        )
    return event_time


def identity_columns(identity: Mapping[str, Any]) -> dict[str, Any]:
    """`IDENTITY_COLUMNS` of one `userIdentity`."""
    session = _object(identity.get("sessionContext"))
    issuer = _object(session.get("sessionIssuer"))
    attributes = _object(session.get("attributes"))
    principal_id = told(identity.get("principalId"))
    return {
        "identity_type": told(identity.get("type")),
        "identity_id": identity_id_of(identity),
        "principal_id": principal_id,
        "principal_arn": told(identity.get("arn")),
        "account_id": account_of(identity.get("accountId")),
        "access_key_id": told(identity.get("accessKeyId")),
        "user_name": text_of(identity.get("userName")),
        "invoked_by": told(identity.get("invokedBy")),
        "issuer_arn": told(issuer.get("arn")),
        "issuer_id": told(issuer.get("principalId")),
        "session_name": session_name_of(
            principal_id, identity.get("arn"), told(identity.get("type"))
        ),
        "session_created": time_in_range(attributes.get("creationDate")),
        "session_from_console": flag_of(attributes.get("sessionCredentialFromConsole")),
        "source_identity": text_of(session.get("sourceIdentity")),
        "on_behalf_of": told(_object(identity.get("onBehalfOf")).get("userId")),
        "credential_id": told(identity.get("credentialId")),
        "sign_in_session_arn": text_of(session.get("signInSessionArn"))
        or text_of(identity.get("signInSessionArn")),
        "mfa": flag_of(attributes.get("mfaAuthenticated")),
        "ec2_role_delivery": text_of(session.get("ec2RoleDelivery")),
    }


_NAMED_BY_PROVIDER = frozenset({"FederatedUser", "SAMLUser", "WebIdentityUser"})
"""Types whose principal id an identity provider or a caller chose, so it may look like any id."""


def identity_id_of(identity: Mapping[str, Any]) -> str | None:
    """The stable id of whoever made the call, the same for every session of a role (§1.2)."""
    return identity_id(
        kind=told(identity.get("type")),
        principal_id=told(identity.get("principalId")),
        account=account_of(identity.get("accountId")),
        person=told(_object(identity.get("onBehalfOf")).get("userId")),
        arn=told(identity.get("arn")),
        invoked_by=told(identity.get("invokedBy")),
        user_name=text_of(identity.get("userName")),
    )


def identity_id(
    kind: str | None,
    principal_id: str | None,
    account: str | None,
    person: str | None,
    arn: str | None,
    invoked_by: str | None,
    user_name: str | None,
) -> str | None:
    """`identity_id_of`, from what it looks at.

    An assumed role (or another account's role session) is its `AROA…` before the colon; root its
    account id; a service its `invokedBy`. Anyone else is the whole principal id, else the ARN:
    federated users, SAML and web identities contain ":" and must not be cut. Identity Center once
    gave everyone the account's id as principal id: there the person tells them apart.
    """
    if kind == "Root" and account is not None:
        return account
    if kind == "AWSService" and invoked_by is not None:
        return invoked_by
    if principal_id is not None:
        if kind != "Root" and principal_id == account and person is not None:
            return person
        if kind in _NAMED_BY_PROVIDER or not principal_id.startswith("AROA"):
            return principal_id
        return principal_id.partition(":")[0]
    return arn or person or invoked_by or user_name or account


def session_name_of(
    principal_id: str | None, arn: object = None, identity_type: str | None = None
) -> str | None:
    """The role session's name, from `AROA…:name`, else from an assumed-role ARN; else null."""
    if identity_type in _NAMED_BY_PROVIDER:
        return None
    if principal_id is not None and principal_id.startswith("AROA"):
        return principal_id.partition(":")[2] or None
    if isinstance(arn, str) and ":assumed-role/" in arn:
        parts = arn.partition(":assumed-role/")[2].split("/", 1)
        return text_of(parts[1]) if len(parts) == 2 else None
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
        or row["event_source"] in SIGN_IN_SOURCES
        or (row["event_source"], row["event_name"]) in CREDENTIAL_EVENTS
    )


_EPOCH = re.compile(r"\d{10}(?:\.\d{1,9})?|\d{13}", re.ASCII)
_BEFORE_ZONE = re.compile(r" (?=(?:UTC|Z|[+-]\d\d:?\d\d)$)")
"""A blank that SQL engines print there, and ISO 8601 has not."""


def parse_time(value: object) -> datetime | None:
    """A UTC datetime from any form CloudTrail and its exports write, else null.

    Accepts extended and basic ISO-8601 (§1.2 creationDate), blanks for the "T" and before the
    zone and up to nine decimals (Athena, Snowflake, Panther, §8), and epoch seconds, with a part
    of one, or milliseconds (LookupEvents, OCSF).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            seconds = value / 1000 if abs(value) >= 1e11 else value
            return datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    if isinstance(value, datetime):  # a table's own kind of time
        value = value.isoformat()
    if not isinstance(value, str):
        return None
    value = value.strip()
    if _EPOCH.fullmatch(value):
        return parse_time(float(value) if "." in value else int(value))
    text = re.sub(r"(\.\d{6})\d+", r"\1", _BEFORE_ZONE.sub("", value).removesuffix("UTC"))
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
    try:
        canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), default=str)
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except ValueError as error:
        raise Unreadable("a number that JSON cannot hold") from error
    return "content-" + hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def minted(event_name: str, response: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The key id and principal id that a response shows (§2.1, §2.3), each null if not there."""
    key = text_of(_object(response.get("credentials")).get("accessKeyId"))
    if event_name == "CreateAccessKey":
        key = text_of(_object(response.get("accessKey")).get("accessKeyId"))
    credential_set = response.get("credentialSet")
    if key is None and isinstance(credential_set, list) and credential_set:
        key = text_of(_object(_object(credential_set[0]).get("credentials")).get("accessKeyId"))
    principal = (
        text_of(_object(response.get("assumedRoleUser")).get("assumedRoleId"))
        or text_of(_object(response.get("federatedUser")).get("federatedUserId"))
        or text_of(_object(response.get("assumedPrincipal")).get("principalId"))
    )
    return key, principal


def asks_for_role(event_name: str) -> bool:
    """Whether a call of this name has a role as its target."""
    return event_name.startswith("AssumeRole") or event_name == "CreateSession"


def target_role(
    event_name: str, request: Mapping[str, Any], resources: object, error_message: str | None
) -> str | None:
    """The role an assumption asked for: request, then `resources`, then the message (§5.2)."""
    if not asks_for_role(event_name):
        return None
    if (arn := text_of(request.get("roleArn"))) is not None:
        return arn
    for resource in resources if isinstance(resources, list) else []:
        entry = _object(resource)
        if entry.get("type") == "AWS::IAM::Role":
            return text_of(entry.get("ARN")) or text_of(entry.get("arn"))
    match = _ROLE_IN_MESSAGE.search(error_message or "")
    return match[1] if match else None


def corrected_event(addendum: object) -> str | None:
    """The id of the record that an `addendum` corrects. One for a late delivery corrects none."""
    told = _object(addendum)
    if told.get("reason") != "UPDATED_DATA":
        return None
    return text_of(told.get("originalEventID"))


def mfa_at_sign_in(additional: Mapping[str, Any]) -> bool | None:
    """What a console sign-in says about MFA, where the session itself says nothing."""
    used = additional.get("MFAUsed")
    return used == "Yes" if used in ("Yes", "No") else None


def asked_for(request: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """The session name and the lifetime in seconds that a request asked for."""
    return text_of(request.get("roleSessionName")), _integer(request.get("durationSeconds"))


def text_of(value: object) -> str | None:
    """Text as it stands; numbers as text; empty strings and all else as null.

    Half a surrogate pair has no UTF-8 form, so no engine could hold it: it becomes "?".
    """
    if value is None:
        return None
    if isinstance(value, str):
        if not value.isascii():
            value = value.encode("utf-8", "replace").decode()
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value) if not isinstance(value, int) or abs(value) < 2**63 else None
    return None


def told(value: object) -> str | None:
    """`text_of`, where a tool's word for nothing ("null") is nothing as well."""
    text = text_of(value)
    return None if text in NULLS else text


def account_of(value: object) -> str | None:
    """An account id as text. Exporters that write it as a number lose its leading zeros."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12:
        return f"{value:012d}"
    return told(value)


def flag_of(value: object) -> bool | None:
    """A boolean, also from the text "true" or "false" as many exports write it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return None


def json_text(value: object) -> str | None:
    """A value as compact JSON text that every engine can read back; null for null."""
    if value is None:
        return None
    try:
        # `str`: a table may hold times, bytes and decimals where CloudTrail has text.
        text = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str
        )
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except ValueError as error:
        raise Unreadable("a number that JSON cannot hold") from error
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def time_in_range(value: object) -> datetime | None:
    """A session's creation date, or null where it cannot be one."""
    moment = parse_time(value)
    return moment if moment is not None and EARLIEST <= moment < LATEST else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        number = int(float(value)) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and abs(number) < 2**63 else None
