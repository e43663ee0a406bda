"""CloudTrail's field names, as Sigma rules write them, and where the event table has them."""

from __future__ import annotations

import re

import pyarrow as pa

from trail.events import EVENT_SCHEMA

COLUMNS = {
    "eventID": "event_id",
    "eventTime": "event_time",
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
    "errorMessage": "error_message",
    "readOnly": "read_only",
    "requestID": "request_id",
    "sharedEventID": "shared_event_id",
    "vpcEndpointId": "vpc_endpoint_id",
    "sessionCredentialFromConsole": "session_from_console",
    "userIdentity.type": "identity_type",
    "userIdentity.principalId": "principal_id",
    "userIdentity.arn": "principal_arn",
    "userIdentity.accountId": "account_id",
    "userIdentity.accessKeyId": "access_key_id",
    "userIdentity.userName": "user_name",
    "userIdentity.invokedBy": "invoked_by",
    "userIdentity.onBehalfOf.userId": "on_behalf_of",
    "userIdentity.credentialId": "credential_id",
    "userIdentity.sessionContext.sessionIssuer.arn": "issuer_arn",
    "userIdentity.sessionContext.sessionIssuer.principalId": "issuer_id",
    "userIdentity.sessionContext.sourceIdentity": "source_identity",
    "userIdentity.sessionContext.ec2RoleDelivery": "ec2_role_delivery",
    "userIdentity": "user_identity",
    "requestParameters": "request_parameters",
    "responseElements": "response_elements",
    "additionalEventData": "additional_event_data",
    "serviceEventDetails": "service_event_details",
    "resources": "resources",
}
"""CloudTrail's field → the column of the event table that has it."""
_BY_LOWER_NAME = {name.lower(): column for name, column in COLUMNS.items()}
_NESTED = {
    name.lower(): COLUMNS[name]
    for name in (
        "userIdentity",
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "serviceEventDetails",
    )
}
# What a step of a JSON path may be made of: no quotes or backslashes, so that a path, which is
# written into the SQL, cannot leave its literal.
_NAME = r"[\w $@:/+#-]+"
_SEGMENT = re.compile(rf"{_NAME}(?:\[\d+\])?")
_PATH = re.compile(rf'\$(?:\[\*\])?(?:\.(?:"{_NAME}"|[\w-]+)(?:\[(?:\d+|\*)\])?)*')
_JSON_COLUMNS = frozenset({*_NESTED.values(), "resources"})


def target_of(field: str | None) -> str:
    """Where a field is: `column`, or `column:JSON path`; the name itself if it is nowhere.

    The event table's own column names are fields too. A target gives itself.
    """
    name = field or ""
    if is_target(name):
        return name
    lower = name.lower()
    if lower in _BY_LOWER_NAME:
        return _BY_LOWER_NAME[lower]
    first, _, rest = name.partition(".")
    segments = rest.split(".")
    if not all(_SEGMENT.fullmatch(segment) for segment in segments):
        return name
    if first.lower() == "resources":
        return "resources:$[*]" + "".join(map(_step, segments))
    if first.lower() in _NESTED:
        return f"{_NESTED[first.lower()]}:$" + "".join(map(_step, segments))
    return name


def is_target(name: str) -> bool:
    """Whether the name may stand in SQL: a column, or each step of its path is of a known form."""
    column, colon, path = name.partition(":")
    if not colon:
        return column in EVENT_SCHEMA.names
    return column in _JSON_COLUMNS and _PATH.fullmatch(path) is not None


def text_sql(target: str) -> str:
    """SQL of a target's single value as text; of several, JSON text of the list."""
    column, _, path = target.partition(":")
    if not path:
        kind = EVENT_SCHEMA.field(column).type
        if column == "event_time":
            return "strftime(event_time, '%Y-%m-%dT%H:%M:%SZ')"
        return column if kind == pa.string() else f"cast({column} as varchar)"
    if "[*]" in path:
        return f"nullif(array_to_string(json_extract_string({column}, '{path}'), ','), '')"
    return f"json_extract_string({column}, '{path}')"


def list_sql(target: str) -> str | None:
    """SQL of the list of values at a target, when there may be several; None for a column."""
    column, _, path = target.partition(":")
    if not path:
        return None
    listed = path if path.endswith("[*]") else path + "[*]"
    if "[*]" in path:
        return f"json_extract_string({column}, '{path}')"
    return f"json_extract_string({column}, '{listed}')"


def _step(segment: str) -> str:
    """One step of a JSON path. EC2 writes every list as `{"items": […]}` (§6.5)."""
    name, bracket, number = segment.partition("[")
    return f'."{name}"' + (bracket + number) + ("[*]" if name == "items" and not bracket else "")
