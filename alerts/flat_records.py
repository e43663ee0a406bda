"""CloudTrail records in a tool's own columns, put back into CloudTrail's spelling.

Athena and Lake lower the case, Splunk and Sentinel flatten, Elastic renames, OCSF and UDM regroup.
Each is flattened to dotted names first; one table then says which CloudTrail field a name means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alerts.json_place import Place, is_readable_time, plain_name
from alerts.json_text import json_in

_IDENTITY = "userIdentity."
_SESSION = "userIdentity.sessionContext."
_ISSUER = "userIdentity.sessionContext.sessionIssuer."

# CloudTrail fields that every tool spells like CloudTrail, but for case and punctuation.
_OWN_NAMES = (
    *[
        "eventVersion",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "sourceIPAddress",
        "userAgent",
        "errorCode",
    ],
    *[
        "errorMessage",
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "requestID",
        "eventID",
    ],
    *[
        "readOnly",
        "resources",
        "eventType",
        "recipientAccountId",
        "serviceEventDetails",
        "sharedEventID",
    ],
    *["vpcEndpointId", "eventCategory", "sessionCredentialFromConsole"],
    *(
        _IDENTITY + name
        for name in (
            "type",
            "principalId",
            "arn",
            "accountId",
            "accessKeyId",
            "userName",
            "invokedBy",
            "credentialId",
            "identityProvider",
            "onBehalfOf.userId",
        )
    ),
    *(_ISSUER + name for name in ("type", "principalId", "arn", "accountId", "userName")),
    *(
        _SESSION + name
        for name in (
            "sourceIdentity",
            "signInSessionArn",
            "ec2RoleDelivery",
            "attributes.creationDate",
            "attributes.mfaAuthenticated",
        )
    ),
)
_FIELDS = {plain_name(name): name for name in _OWN_NAMES}
# Names of Sentinel's AWSCloudTrail table, of Elastic's common schema and of the console's CSV.
_FIELDS |= {
    "timegenerated": "eventTime",
    "awseventid": "eventID",
    "awsrequestid": "requestID",
    "eventtypename": "eventType",
    "sessioncreationdate": _SESSION + "attributes.creationDate",
    "sessionmfaauthenticated": _SESSION + "attributes.mfaAuthenticated",
    "sessionissuertype": _ISSUER + "type",
    "sessionissuerprincipalid": _ISSUER + "principalId",
    "sessionissuerarn": _ISSUER + "arn",
    "sessionissueraccountid": _ISSUER + "accountId",
    "sessionissuerusername": _ISSUER + "userName",
    "useridentityaccountid": _IDENTITY + "accountId",
    "kibanaalertoriginaltime": "eventTime",
    "signaloriginaltime": "eventTime",
    "timestamp": "eventTime",
    "eventaction": "eventName",
    "eventprovider": "eventSource",
    "sourceip": "sourceIPAddress",
    "sourceaddress": "sourceIPAddress",
    "useragentoriginal": "userAgent",
    "cloudregion": "awsRegion",
    "cloudaccountid": "recipientAccountId",
    "useridentitysessioncontextcreationdate": _SESSION + "attributes.creationDate",
    "useridentitysessioncontextmfaauthenticated": _SESSION + "attributes.mfaAuthenticated",
    "flattenedrequestparameters": "requestParameters",
    "flattenedresponseelements": "responseElements",
    "userid": _IDENTITY + "uid",
    "awsaccesskey": _IDENTITY + "accessKeyId",
    "username": _IDENTITY + "userName",
}
_OCSF_FIELDS = {
    "apioperation": "eventName",
    "apiservicename": "eventSource",
    "apirequestuid": "requestID",
    "apiresponseerror": "errorCode",
    "apiresponsemessage": "errorMessage",
    "apiresponseerrormessage": "errorMessage",
    "apirequestdata": "requestParameters",
    "apiresponsedata": "responseElements",
    "metadatauid": "eventID",
    "metadataproductversion": "eventVersion",
    "timedt": "eventTime",
    "time": "eventTime",
    "cloudregion": "awsRegion",
    "cloudaccountuid": "recipientAccountId",
    "srcendpointip": "sourceIPAddress",
    "srcendpointdomain": "sourceIPAddress",
    "httprequestuseragent": "userAgent",
    "actorusertype": _IDENTITY + "type",
    "actoruseruid": _IDENTITY + "uid",
    "actoruseruidalt": _IDENTITY + "uid",
    "actorusername": _IDENTITY + "userName",
    "actoruseraccountuid": _IDENTITY + "accountId",
    "actorusercredentialuid": _IDENTITY + "accessKeyId",
    "actorinvokedby": _IDENTITY + "invokedBy",
    "actorsessionissuer": _ISSUER + "arn",
    "actorsessioncreatedtimedt": _SESSION + "attributes.creationDate",
    "actorsessioncreatedtime": _SESSION + "attributes.creationDate",
    "actorsessionismfa": _SESSION + "attributes.mfaAuthenticated",
}
_UDM_FIELDS = {
    "metadataproducteventtype": "eventName",
    "metadataproductlogid": "eventID",
    "metadataeventtimestamp": "eventTime",
    "targetapplication": "eventSource",
    "principalip": "sourceIPAddress",
    "networkhttpuseragent": "userAgent",
    "principaluserproductobjectid": _IDENTITY + "uid",
    "principaluseruserid": _IDENTITY + "uid",
    "principaluseruserdisplayname": _IDENTITY + "userName",
    "principalusergroupidentifiers": _IDENTITY + "uid",
    "principallocationname": "awsRegion",
    "targetlocationname": "awsRegion",
}

# Kept whole: their keys are the caller's, and must not be taken for the record's own.
_KEPT_WHOLE = frozenset(
    [
        "requestparameters",
        "responseelements",
        "additionaleventdata",
        "serviceeventdetails",
        "resources",
    ]
)
_PREFIXES = ("aws.cloudtrail.", "aws_cloudtrail_")
_MAX_LEAVES = 2_000


@dataclass(frozen=True)
class FlatRecord:
    """A record in CloudTrail's spelling, what it was, and the path of each of its fields there."""

    record: dict[str, Any]
    shape: str
    spelt: Mapping[str, str]


def flat_record(place: Place) -> FlatRecord | None:
    """The CloudTrail record that a tool's row stands for; None if it stands for none."""
    row = place.value
    if place.at("class_uid").value is not None and place.at("api").is_object:
        product = place.at("metadata", "product", "name").text
        if product is not None and "cloudtrail" not in product.lower():
            return None  # another API's activity: Kubernetes', say
        return _mapped(row, _OCSF_FIELDS, "CloudTrail record in OCSF (Security Lake)")
    udm = place.at("udm") if place.at("udm").is_object else place
    if udm.at("metadata", "productEventType").text is not None and (
        udm.at("principal").is_object or udm.at("target").is_object
    ):
        return _mapped(udm.value, _UDM_FIELDS, "CloudTrail record in Google SecOps UDM")
    return _mapped(row, _FIELDS, _shape_of(row))


def _shape_of(row: Mapping[str, Any]) -> str:
    names = {str(key) for key in row}
    if "TimeGenerated" in names or "UserIdentityArn" in names:
        return "CloudTrail record, Sentinel AWSCloudTrail row"
    if any(name == "aws" or name.startswith("aws.cloudtrail") for name in names):
        return "CloudTrail record, Elastic document"
    if "useridentity" in names:
        return "CloudTrail record, Athena or CloudTrail Lake row"
    if any("." in name for name in names):
        return "CloudTrail record, flattened (Splunk)"
    if "Event name" in names or "AWS access key" in names:
        return "CloudTrail record, event history row"
    return "CloudTrail record, flattened"


def _mapped(row: Mapping[str, Any], fields: Mapping[str, str], shape: str) -> FlatRecord | None:
    record: dict[str, Any] = {}
    spelt: dict[str, str] = {}
    unread: tuple[str, Any] | None = None
    for path, value in sorted(_leaves(row, ""), key=lambda leaf: not _is_original(leaf[0])):
        name = path
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        field = fields.get(plain_name(name))
        if field is None or field in spelt or value in (None, "", "-", "null", [], {}):
            continue
        if field in ("eventType", "eventCategory") and not isinstance(value, str):
            continue  # Elastic's lists of the same names
        if field == "eventTime" and not is_readable_time(value):
            unread = unread or (path, value)
            continue
        if isinstance(value, list) and field not in ("resources", "eventTime"):
            value = next((item for item in value if isinstance(item, str)), None)
            if value is None:
                continue
        if field.endswith("." + "uid"):
            field = _IDENTITY + ("arn" if str(value).startswith("arn:") else "principalId")
            if field in spelt:
                continue
        spelt[field] = path
        if plain_name(field) in _KEPT_WHOLE and isinstance(value, str):
            value = _object_in(value)
        _set(record, field.split("."), value)
    identity = record.get("userIdentity", {})
    own = {"eventSource", "eventTime", "eventID"} & set(record)
    own |= {"eventTime"} if unread is not None and plain_name(unread[0]) == "eventtime" else set()
    if "eventName" not in record or not own:
        return None
    if unread is not None and "eventTime" not in record:
        # What is stated, and is no time, is still the record's own word.
        spelt["eventTime"], record["eventTime"] = unread
    if "AssumedRole" in str(identity.get("type")):
        identity["type"] = "AssumedRole"
        identity.pop("userName", None)  # tools put the role's name, or the session's, here
        spelt.pop(_IDENTITY + "userName", None)
    if identity.get("type") == "IdentityCenterUser" and "accessKeyId" in identity:
        identity["credentialId"] = identity.pop("accessKeyId")  # OCSF has one place for both
        spelt[_IDENTITY + "credentialId"] = spelt.pop(_IDENTITY + "accessKeyId", "")
    return FlatRecord(record, shape, spelt)


def _is_original(path: str) -> bool:
    """Whether it is the time of what a rule found, beside the time at which the rule ran."""
    return plain_name(path).endswith(("alertoriginaltime", "signaloriginaltime"))


def _leaves(value: Mapping[str, Any], path: str, left: int = 8) -> Iterator[tuple[str, Any]]:
    """Each dotted name and value, nearest first; objects in strings opened where they must be."""
    below: list[tuple[str, Mapping[str, Any]]] = []
    for number, (key, item) in enumerate(value.items()):
        if number > _MAX_LEAVES:
            break
        name = f"{path}.{key}" if path else str(key)
        plain = plain_name(name.removeprefix("aws.cloudtrail."))
        if plain == "useridentity" and isinstance(item, str):
            item = _object_in(item)
        if isinstance(item, Mapping) and left and plain not in _KEPT_WHOLE:
            below.append((name, item))
        else:
            yield name, item
    for name, item in below:
        yield from _leaves(item, name, left - 1)


def _set(record: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        record = record.setdefault(key, {})
        if not isinstance(record, dict):
            return
    record[keys[-1]] = value


def _object_in(text: str) -> Any:
    """What a column's text holds: JSON, or a struct as Athena and Java print it."""
    inner = json_in(text)
    return inner if inner is not None else struct_in(text)


_STRUCT_KEY = re.compile(r"\s*([A-Za-z_][\w.-]*)=")
_NEXT = re.compile(r",\s*(?=[A-Za-z_][\w.-]*=)|,\s*(?=[\[{])|[{}\[\]]")
_MAX_STRUCT_DEPTH = 20


def struct_in(text: str) -> Any:
    """The value of `{a=1, b={c=2}, d=[…]}`; the text itself if it is nothing of that kind.

    Nothing in such text is quoted, so a value may pretend to be the next key: of two equal keys
    the first counts, which AWS wrote before any name that a caller chose.
    """
    stripped = text.strip()
    if stripped[:1] not in ("{", "["):
        return text
    value, end = _struct(stripped, 0, 0)
    return value if end == len(stripped) else text


def _struct(text: str, position: int, depth: int) -> tuple[Any, int]:
    """The value that starts at `position`, and where it ends; end -1 if it never does."""
    if depth > _MAX_STRUCT_DEPTH:
        return None, -1
    if text[position : position + 1] == "{":
        fields: dict[str, Any] = {}
        position += 1
        while position < len(text) and text[position] != "}":
            key = _STRUCT_KEY.match(text, position)
            if key is None:
                return None, -1
            value, position = _struct(text, key.end(), depth + 1)
            if position < 0:
                return None, -1
            fields.setdefault(key[1], value)
            position = _past_comma(text, position)
        return fields, (position + 1 if position < len(text) else -1)
    if text[position : position + 1] == "[":
        items: list[Any] = []
        position += 1
        while position < len(text) and text[position] != "]":
            item, after = _struct(text, position, depth + 1)
            if after <= position:
                return None, -1
            items.append(item)
            position = _past_comma(text, after)
        return items, (position + 1 if position < len(text) else -1)
    end = _NEXT.search(text, position)
    stop = end.start() if end else len(text)
    bare = text[position:stop].strip()
    return (None if bare in ("null", "") else bare), stop


def _past_comma(text: str, position: int) -> int:
    if text[position : position + 1] == ",":
        position += 1
        while text[position : position + 1] == " ":
            position += 1
    return position
