"""CloudTrail records in a tool's own columns, put back into CloudTrail's spelling.

Athena and Lake lower the case, Splunk and Sentinel flatten, Elastic, Steampipe and CloudQuery
rename, UDM regroups. Each is flattened to dotted names first; one table then says which CloudTrail
field a name means. A row whose columns do not say who called is marked so: nobody's events would
answer "nothing" over logs that hold an attack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from trail.access_keys import is_stand_in
from trail.events import EARLIEST, LATEST, parse_time
from trail.placeholders import NO_ERRORS, NULLS
from trail.read.place import plain_name
from trail.read.structs import identity_in, struct_in
from trail.read.summed import Summed, summed_up

_IDENTITY = "userIdentity."
_SESSION = "userIdentity.sessionContext."
_ISSUER = "userIdentity.sessionContext.sessionIssuer."

_OWN_NAMES = (
    "eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
    "userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements",
    "additionalEventData", "requestID", "eventID", "readOnly", "resources", "eventType",
    "apiVersion", "managementEvent", "recipientAccountId", "serviceEventDetails", "sharedEventID",
    "vpcEndpointId", "vpcEndpointAccountId", "eventCategory", "sessionCredentialFromConsole",
    "addendum", "tlsDetails", "edgeDeviceDetails",
    *(_IDENTITY + name for name in (
        "type", "principalId", "arn", "accountId", "accessKeyId", "userName", "invokedBy",
        "credentialId", "identityProvider", "onBehalfOf.userId", "onBehalfOf.identityStoreArn",
        "inScopeOf.issuerType", "inScopeOf.credentialsIssuedTo", "signInSessionArn",
    )),
    *(_ISSUER + name for name in ("type", "principalId", "arn", "accountId", "userName")),
    *(_SESSION + name for name in (
        "sourceIdentity", "signInSessionArn", "ec2RoleDelivery", "assumedRoot",
        "attributes.creationDate", "attributes.mfaAuthenticated",
        "webIdFederationData.federatedProvider",
    )),
)  # fmt: skip
_SPELT = {plain_name(part): part for name in _OWN_NAMES for part in name.split(".")} | {
    plain_name(name): name for name in ("userIdentity", "sessionContext", "sessionIssuer",
                                        "attributes", "webIdFederationData", "onBehalfOf")
}  # fmt: skip
_CALLED_SO = frozenset(
    who + "arn" for who in ("caller", "actor", "user", "principal", "identity", "initiator")
)
"""What people call the column of who called; only an identity's ARN in it is taken for one."""
_NAMING = frozenset(_IDENTITY + name for name in ("arn", "principalId", "invokedBy"))
_OWN = {plain_name(name): name for name in _OWN_NAMES}
_REMAPPED = {
    "evtname": "eventName",
    "networkclientip": "sourceIPAddress",
    "httpuseragent": "userAgent",
}
"""Datadog's own attributes, by which its CloudTrail rules look for events."""
_FIELDS = (
    _OWN
    | {
        # Sentinel's AWSCloudTrail
        "timegenerated": "eventTime",
        "timegeneratedutc": "eventTime",
        "awseventid": "eventID",
        "awsrequestid": "requestID",
        "eventtypename": "eventType",
        "sessioncreationdate": _SESSION + "attributes.creationDate",
        "sessioncreationdateutc": _SESSION + "attributes.creationDate",
        "sessionmfaauthenticated": _SESSION + "attributes.mfaAuthenticated",
        "sessionissuertype": _ISSUER + "type",
        "sessionissuerprincipalid": _ISSUER + "principalId",
        "sessionissuerarn": _ISSUER + "arn",
        "sessionissueraccountid": _ISSUER + "accountId",
        "sessionissuerusername": _ISSUER + "userName",
        # Elastic's common schema
        "timestamp": "eventTime",
        "eventaction": "eventName",
        "eventprovider": "eventSource",
        "eventoriginalid": "eventID",
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
        "kibanaalertoriginaltime": "eventTime",  # @timestamp is when the rule ran
        "signaloriginaltime": "eventTime",
        # the console's event history
        "awsaccesskey": _IDENTITY + "accessKeyId",
        "username": _IDENTITY + "userName",
        # Steampipe, CloudQuery
        "usertype": _IDENTITY + "type",
        "useridentifier": _IDENTITY + "uid",
        # Splunk's add-on
        "awsaccountid": "recipientAccountId",
        "srcip": "sourceIPAddress",
        # Graylog
        "userprincipalid": _IDENTITY + "principalId",
        "userprincipalarn": _IDENTITY + "arn",
        "useraccountid": _IDENTITY + "accountId",
        "useraccesskeyid": _IDENTITY + "accessKeyId",
        "usersessioncreationdate": _SESSION + "attributes.creationDate",
        "usersessionmfaauthenticated": _SESSION + "attributes.mfaAuthenticated",
        # plaso, before it kept the whole record
        "datetime": "eventTime",
        "accesskey": _IDENTITY + "accessKeyId",
    }
    | _REMAPPED
    | dict.fromkeys(_CALLED_SO, _IDENTITY + "arn")
)
_RANKS = {
    "kibanaalertoriginaltime": 0, "signaloriginaltime": 0, "eventtime": 1, "time": 3, "datetime": 3,
}  # fmt: skip
_OF_REQUESTS = {name.lower(): name for name in (
    "roleArn", "roleSessionName", "durationSeconds", "credentials", "assumedRoleUser",
    "assumedRoleId", "federatedUser", "federatedUserId", "assumedPrincipal", "accessKey",
    "credentialSet", "ConsoleLogin", "MFAUsed", "SwitchFrom", "originalEventID", "reason",
)}  # fmt: skip
_SPELT |= _OF_REQUESTS
"""Names that the event table's columns come from, for rows whose every name is in small letters."""
_BARE = {plain_name(name): _IDENTITY + name for name in (
    "type", "principalId", "arn", "accountId", "accessKeyId", "invokedBy",
)}  # fmt: skip
"""What `select userIdentity.arn` calls its column. Taken only where nothing longer says it."""
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
_KEPT_WHOLE = {plain_name(name): name for name in (
    "requestParameters", "responseElements", "additionalEventData", "serviceEventDetails",
    "resources", "addendum", "tlsDetails", "edgeDeviceDetails",
)}  # fmt: skip
"""Their keys are the caller's or of no column, and must not be taken for the record's own."""
_CALLERS = frozenset({"useridentity", "flattened", "unmapped"})
"""Names of more that holds what a caller chose."""
_PREFIXES = ("aws.cloudtrail.", "aws_cloudtrail_")
_TYPES = frozenset(
    {
        "Root", "IAMUser", "AssumedRole", "Role", "FederatedUser", "Directory", "AWSAccount",
        "AWSService", "SAMLUser", "WebIdentityUser", "IdentityCenterUser", "Unknown",
    }
)  # fmt: skip
_MAX_LEAVES = 2_000
_UTC_COLUMN = re.compile(r"\s*\[UTC\]$")
_LOCAL_COLUMN = re.compile(r"\s*\[Local Time\]$")
"""How Log Analytics' own CSV calls a time of the zone that its user chose, and does not name."""
_SAYS_ZONE = re.compile(r"(?:Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)$|^\d{10}(?:\d{3})?(?:\.\d+)?$")
_ARN = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):(root|user|assumed-role|federated-user)/?")
_KINDS = {
    "root": "Root", "user": "IAMUser", "assumed-role": "AssumedRole",
    "federated-user": "FederatedUser",
}  # fmt: skip

WHO = (
    "userIdentity, or userIdentity.arn, userIdentity.principalId, userIdentity.accessKeyId,"
    " userIdentity.invokedBy"
)
"""Columns of which one has to be there, in words."""


@dataclass(frozen=True)
class Flat:
    """A record in CloudTrail's spelling, what it was, and the path of each of its fields there.

    `who` is False where it has no field that tells who called. `no_zone` is the column of its
    time, where that is written in a zone that is not said. `summed` is what it sums up, where it
    is about several events, with the first and the last time in a form that a reader takes.
    """

    record: dict[str, Any]
    shape: str
    spelt: Mapping[str, str]
    who: bool
    no_zone: str | None = None
    summed: Summed | None = None
    ran: str | None = None
    """The column of its time, where that is when a rule ran and found it, not when it was."""


@lru_cache(8_192)
def is_of_cloudtrail(name: str) -> bool:
    """Whether a key is a field of CloudTrail's, so that its text may be a caller's."""
    plain = plain_name(_LOCAL_COLUMN.sub("", _UTC_COLUMN.sub("", name)))
    return plain in _FIELDS or plain in _KEPT_WHOLE or plain in _CALLERS


def names_events(columns: Iterable[str]) -> bool:
    """Whether a table with these columns has an event's name, and its time or id, in each row."""
    fields = {_field_of(name, _FIELDS) for name in columns}
    return "eventName" in fields and bool({"eventTime", "eventID", "eventSource"} & fields)


def says_who(columns: Iterable[str]) -> bool:
    """Whether these columns can tell who called; a name alone cannot, since many may share it."""
    return any(
        plain_name(name) == "useridentity"
        or plain_name(name).endswith("cloudtrailuseridentity")
        or (field := _field_of(name, _FIELDS) or _BARE.get(plain_name(name))) is not None
        and field.startswith(_IDENTITY)
        and field.removeprefix(_IDENTITY) in _TELLING
        for name in columns
    )


_TELLING = frozenset({"arn", "principalId", "accessKeyId", "invokedBy", "onBehalfOf.userId", "uid"})


def flat_record(
    row: Mapping[str, Any], is_time: Callable[[object], bool] | None = None
) -> Flat | None:
    """The CloudTrail record that a tool's row stands for; None if it stands for none.

    `is_time` says what else than ISO 8601 and epochs is taken for a time. Raises `Ambiguous`.
    """
    if is_udm(row):
        inner = row.get("udm")
        udm = inner if isinstance(inner, Mapping) else row
        found = _mapped(udm, _UDM_FIELDS, "CloudTrail record in Google SecOps UDM", is_time)
        if found is not None:
            return found
    if (summed := summed_up(row)) is not None:
        return _of_several(row, summed, is_time)
    return _mapped(row, _FIELDS, _shape_of(row), is_time)


def _of_several(
    row: Mapping[str, Any], summed: Summed, is_time: Callable[[object], bool] | None
) -> Flat | None:
    """The record of what several events have in common, and when they were."""
    more = {name: place for name, place in summed.columns.items() if name not in row}
    if summed.last is not None:  # not when the search ran
        more.setdefault("eventTime", summed.last)
    columns = {name: value for name, (_, value) in more.items() if name not in row}
    whole = {**row, **columns}
    flat = _mapped(whole, _FIELDS, _shape_of(whole), is_time)
    if flat is None:
        return None

    def in_a_form(end: tuple[str, Any] | None) -> tuple[str, Any] | None:
        if end is None:
            return None
        form = _time_in("_time" if summed.is_local else end[0], end[1], is_time)
        return end[0], end[1] if form is None else form

    spelt = {
        field: more[path][0] if path in columns else path for field, path in flat.spelt.items()
    }
    ends = replace(summed, first=in_a_form(summed.first), last=in_a_form(summed.last))
    return replace(flat, spelt=spelt, summed=ends)


def day_and_account(row: Mapping[str, Any]) -> tuple[date | None, str | None]:
    """The UTC day and the account of a row's event, as far as its columns tell; of a time without
    its zone the day as it is written."""
    day = account = None
    for name, value in row.items():
        field = _own_field(str(name))
        if field == "eventTime" and day is None:
            moment = parse_time(_time_in(str(name), value, None) or _as_written(str(name), value))
            day = moment.date() if moment is not None and EARLIEST <= moment < LATEST else None
        elif field == "recipientAccountId":
            account = account or _account(value)
    return day, account


def is_of_day_or_account(name: str) -> bool:
    """Whether `day_and_account` looks at a column."""
    return _own_field(name) in ("eventTime", "recipientAccountId")


def is_udm(row: Mapping[str, Any]) -> bool:
    """Whether an object is an event in Google SecOps' own fields."""
    inner = row.get("udm")
    udm = inner if isinstance(inner, Mapping) else row
    return isinstance(udm.get("metadata"), Mapping) and (
        isinstance(udm.get("principal"), Mapping) or isinstance(udm.get("target"), Mapping)
    )


def _shape_of(row: Mapping[str, Any]) -> str:
    names = {str(key) for key in row}
    if "UserIdentityArn" in names or any(name.startswith("TimeGenerated") for name in names):
        return "CloudTrail record, Sentinel AWSCloudTrail row"
    if any(name == "aws" or name.startswith("aws.cloudtrail") for name in names):
        return "CloudTrail record, Elastic document"
    if "useridentity" in names:
        return "CloudTrail record, Athena or CloudTrail Lake row"
    if "user_identity" in names:
        return "CloudTrail record, row of an SQL tool"
    if any("." in name for name in names):
        return "CloudTrail record, flattened (Splunk)"
    if "Event name" in names or "AWS access key" in names:
        return "CloudTrail record, event history row"
    return "CloudTrail record, flattened"


def _mapped(
    row: Mapping[str, Any],
    fields: Mapping[str, str],
    shape: str,
    is_time: Callable[[object], bool] | None,
) -> Flat | None:
    record: dict[str, Any] = {}
    spelt: dict[str, str] = {}
    bare: list[tuple[str, str, Any]] = []
    loose: set[str] = set()  # paths of ids of one kind or another: a field called so says more
    around: list[tuple[str, Any]] = []
    unread: tuple[str, Any] | None = None
    for path, value in _leaves(row, ""):
        if _is_nothing(value):
            continue
        if (inner := _inside_of(path)) is not None:
            whole, keys = inner
            held = record.setdefault(whole, {})
            if isinstance(held, dict) and whole not in spelt:
                _set(held, keys, value)
            continue
        field = _field_of(path, fields)
        if field is None:
            if (name := plain_name(path.rpartition(".")[2])) in _BARE:
                bare.append((_BARE[name], path, value))
            elif name in ("timestamp", "date"):
                around.append((path, value))
            continue
        if field == "eventTime" and field in spelt and _rank(path) >= _rank(spelt[field]):
            continue
        if field in spelt and field != "eventTime" and spelt[field] not in loose:
            continue
        if field in ("eventType", "eventCategory") and not isinstance(value, str):
            continue  # Elastic's lists of the same names
        if field == "eventTime":
            stated, value = value, _time_in(path, value, is_time)
            if value is None:
                unread = unread or (path, stated)
                continue
        if field in ("errorCode", "errorMessage") and str(value).strip().lower() in NO_ERRORS:
            continue
        if isinstance(value, list) and field not in ("resources", "eventTime"):
            value = next((item for item in value if isinstance(item, str)), None)
            if value is None:
                continue
        if field.endswith("." + "uid"):
            field = _field_of_uid(str(value), fields)
            if field in spelt and not (
                spelt[field] in loose
                and _UNIQUE_ID.match(str(value))
                and not _UNIQUE_ID.match(str(record["userIdentity"]["principalId"]))
            ):
                continue
            loose.add(path)
        if field in _NAMING and (
            _is_masked(value) or (plain_name(path) in _CALLED_SO and not _is_bare("arn", value))
        ):
            continue
        if field.endswith("ccountId") and (value := _account(value)) is None:
            continue
        spelt[field] = path
        if plain_name(field) in _KEPT_WHOLE:
            value = object_in(value) if isinstance(value, str) else value
            if field == "resources" or path.islower():
                value = spelt_like_cloudtrail(value)
        _set(record, field.split("."), value)
    identity = record.get("userIdentity", {})
    if "arn" not in identity and "principalId" not in identity and "accessKeyId" not in identity:
        beside = spelt.get("eventName", "").rpartition(".")[0]
        for field, path, value in bare:
            name = field.removeprefix(_IDENTITY)
            if path.rpartition(".")[0] != beside or name in identity or not _is_bare(name, value):
                continue
            spelt[field] = path
            _set(record, field.split("."), value)
        identity = record.get("userIdentity", {})
    if "eventTime" not in record and plain_name(spelt.get("eventName", "")).endswith("evtname"):
        # Datadog takes the event's time for the log's own, which stands around its attributes.
        for path, value in around:
            if (time := _time_in(path, value, is_time)) is not None:
                spelt["eventTime"], record["eventTime"] = path, time
                break
    own = {"eventSource", "eventTime", "eventID"} & set(record)
    own |= {"eventTime"} if unread is not None and plain_name(unread[0]) == "eventtime" else set()
    if "eventName" not in record or not own:
        return None
    if unread is not None and "eventTime" not in record:
        # What is stated, and is no time, is still the record's own word.
        spelt["eventTime"], record["eventTime"] = unread
    _complete(identity, spelt)
    who = any(not is_stand_in(identity[name]) for name in _TELLING & identity.keys())
    who = who or "onBehalfOf" in identity or _is_as_aws_wrote_it(row, identity)
    no_zone = unread is not None and unread[0] == spelt.get("eventTime") and _is_local(unread[0])
    stated_at = spelt.get("eventTime")
    ran = stated_at if unread is None and _is_of_a_rule(row, stated_at) else None
    return Flat(record, shape, spelt, who, stated_at if no_zone else None, ran=ran)


def _is_of_a_rule(row: Mapping[str, Any], time_path: str | None) -> bool:
    """Whether a time is when Elastic's rule ran: the alert's `@timestamp`, which is the event's own
    only in the documents that rules look through (§3.4 rule 2)."""
    if time_path is None or plain_name(time_path) != "timestamp":
        return False
    kibana, signal = row.get("kibana"), row.get("signal")
    return (
        any(str(name).startswith(("kibana.alert.", "signal.rule.")) for name in row)
        or (isinstance(kibana, Mapping) and ("alert" in kibana or "alert.rule" in kibana))
        or (isinstance(signal, Mapping) and "rule" in signal)
    )


def _field_of_uid(value: str, fields: Mapping[str, str]) -> str:
    """What somebody's id is by its form. Where others have ids UDM has names, which many share."""
    if value.startswith("arn:"):
        return _IDENTITY + "arn"
    is_name = fields is _UDM_FIELDS and ":" not in value and not _UNIQUE_ID.match(value)
    return _IDENTITY + ("userName" if is_name else "principalId")


_UNIQUE_ID = re.compile(r"(?:AROA|AIDA)[A-Z0-9]{12,}(?![A-Z0-9])")


def _is_nothing(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() in ("", "-") or value in NULLS
    return value is None or value == [] or value == {}


_BLOTS = re.compile(r"[*#•xX\W_]+")


def _is_masked(value: Any) -> bool:
    """Whether nothing of a name is left, as in `***`; what is masked in part still tells some."""
    return isinstance(value, str) and (
        _BLOTS.fullmatch(value) is not None or ("*" not in value and is_stand_in(value))
    )


def _is_as_aws_wrote_it(row: Mapping[str, Any], identity: Mapping[str, Any]) -> bool:
    """Whether a whole `userIdentity` says as much as AWS did, which may be an account alone."""
    return (identity.get("type") in _TYPES or "accountId" in identity) and any(
        plain_name(name).endswith("useridentity")
        and isinstance(_identity_of(cell) if isinstance(cell, str) else cell, Mapping)
        for name, cell in row.items()
    )


def _account(value: Any) -> str | None:
    """An account id. Spreadsheets drop its leading zeros, or write 1.11E+11, which is none."""
    text = str(value).strip()
    if text.isascii() and text.isdigit() and 8 <= len(text) <= 12:
        return text.zfill(12)
    return text if text == "anonymous" else None


def _is_bare(name: str, value: Any) -> bool:
    """Whether a column of so short a name holds what that field of an identity would."""
    if name == "arn":
        return isinstance(value, str) and _ARN.match(value) is not None
    return isinstance(value, str | int) and (name != "type" or value in _TYPES)


def _complete(identity: dict[str, Any], spelt: dict[str, str]) -> None:
    """What follows for certain from the rest of an identity, and what tools put in wrong places."""
    arn = identity.get("arn")
    match = _ARN.match(arn) if isinstance(arn, str) else None
    if match is not None:
        identity.setdefault("type", _KINDS[match[2]])
        identity.setdefault("accountId", match[1])
    if "AssumedRole" in str(identity.get("type")):
        identity["type"] = "AssumedRole"
        identity.pop("userName", None)  # tools put the role's name, or the session's, here
        spelt.pop(_IDENTITY + "userName", None)
    if identity.get("type") == "IdentityCenterUser" and "accessKeyId" in identity:
        identity["credentialId"] = identity.pop("accessKeyId")  # OCSF has one place for both
        spelt[_IDENTITY + "credentialId"] = spelt.pop(_IDENTITY + "accessKeyId", "")


def _field_of(path: str, fields: Mapping[str, str]) -> str | None:
    return _own_field(path) if fields is _FIELDS else fields.get(plain_name(path))


@lru_cache(8_192)
def _own_field(path: str) -> str | None:
    """The CloudTrail field that a dotted name means, less what a tool put before it."""
    if path == "_time":  # Splunk's, which is the event's own
        return "eventTime"
    name = _LOCAL_COLUMN.sub("", _UTC_COLUMN.sub("", path))
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    if (field := _FIELDS.get(plain_name(name))) is not None:
        return field
    parts = name.split(".")
    for begin in range(1, len(parts)):
        if plain_name(parts[begin - 1]) in _KEPT_WHOLE:
            return None
        rest = plain_name(".".join(parts[begin:]))
        if (field := _OWN.get(rest) or _REMAPPED.get(rest)) is not None:
            return field
    return None


def _rank(path: str) -> int:
    """Which of several times is the event's own: the least."""
    return _RANKS.get(plain_name(path), 2)


@lru_cache(8_192)
def _inside_of(path: str) -> tuple[str, tuple[str, ...]] | None:
    """`requestParameters.roleArn` → ("requestParameters", ("roleArn",)): columns of such a thing
    that a tool took apart."""
    parts = path.split(".")
    for number, part in enumerate(parts[:-1]):
        if (whole := _KEPT_WHOLE.get(plain_name(part))) is not None:
            # A list's columns are `resources{}.ARN`: which belong together is not told.
            return None if "{}" in path else (whole, tuple(parts[number + 1 :]))
    return None


_AZURE = re.compile(r"\d{1,2}/\d{1,2}/\d{4}, \d{1,2}:\d\d:\d\d(?:\.\d+)? [AP]M")


def _time_in(path: str, value: Any, is_time: Callable[[object], bool] | None) -> Any:
    """The time that a column holds, in a form that a row's reader takes; else None."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str) and _is_local(path) and not _SAYS_ZONE.search(value):
        # ISO 8601 without a zone is UTC elsewhere: not so here, and whoever pasted it can say.
        return re.sub(r"[T ,]+", ", ", value, count=1) if is_time and is_time(value) else None
    if isinstance(value, str) and _AZURE.fullmatch(value) and _UTC_COLUMN.search(path):
        return _by_azure(value)
    if parse_time(value) is not None:
        return value
    if is_time is not None and isinstance(value, str) and _UTC_COLUMN.search(path):
        # The header says the zone: the order of day and month may be all that is open.
        in_utc = f"{value.strip()} UTC"
        if not _SAYS_ZONE.search(value.strip()) and is_time(in_utc):
            return in_utc
    if is_time is not None and is_time(value):
        return value
    if _FINE_EPOCH.fullmatch(str(value)):  # microseconds and finer, as plaso and SQL tools have
        return parse_time(int(str(value)[:13]))
    return None


def _by_azure(value: str) -> str | None:
    """A time of Log Analytics' own CSV: month first, always with AM or PM; UTC by its header."""
    form = "%m/%d/%Y, %I:%M:%S.%f %p" if "." in value else "%m/%d/%Y, %I:%M:%S %p"
    try:
        return datetime.strptime(value, form).isoformat() + "Z"
    except ValueError:
        return None


def _as_written(path: str, value: Any) -> Any:
    """A time of a zone that is not said, as if it were UTC."""
    if not isinstance(value, str) or not _is_local(path):
        return None
    return _by_azure(value) if _AZURE.fullmatch(value) else value


_FINE_EPOCH = re.compile(r"1\d{15}(?:\d{3})?", re.ASCII)


def _is_local(path: str) -> bool:
    """Whether a column's times are of a zone that its tool's user chose."""
    return path == "_time" or _LOCAL_COLUMN.search(path) is not None


def _leaves(value: Mapping[str, Any], path: str, left: int = 8) -> Iterator[tuple[str, Any]]:
    """Each dotted name and value, nearest first; objects in strings opened where they must be."""
    below: list[tuple[str, Mapping[str, Any]]] = []
    for number, (key, item) in enumerate(value.items()):
        if number > _MAX_LEAVES:
            break
        name = f"{path}.{key}" if path else str(key)
        plain = plain_name(name.removeprefix("aws.cloudtrail."))
        if plain == "useridentity" and isinstance(item, str):
            item = _identity_of(item)
        if isinstance(item, Mapping) and left and plain_name(key) not in _KEPT_WHOLE:
            below.append((name, item))
        else:
            yield name, item
    for name, item in below:
        yield from _leaves(item, name, left - 1)


def undotted(row: Mapping[str, Any]) -> dict[str, Any]:
    """The object that dotted keys were flattened from: `{"a.b": 1}` → `{"a": {"b": 1}}`."""
    made: dict[str, Any] = {}
    for key, value in row.items():
        _set(made, str(key).split(".", _DOTS), value)
    return made


_DOTS = 12


def _set(record: dict[str, Any], keys: Iterable[str], value: Any) -> None:
    *above, last = keys
    for key in above:
        record = record.setdefault(key, {})
        if not isinstance(record, dict):
            return
    record[last] = value


def _identity_of(text: str) -> Any:
    """What a whole `userIdentity` column holds: JSON, a struct as Athena and Java print it, or an
    ARN alone; any other text as it stands."""
    if _ARN.match(text):
        return {"arn": text}
    inner = _json(text)
    if isinstance(inner, Mapping):
        return inner
    return identity_in(text) if text.strip()[:1] == "{" else text


def object_in(text: str) -> Any:
    """What a column's text holds: JSON, or a struct as Athena and Java print it."""
    if text.strip() in ("null", "NULL", "-"):
        return None
    inner = _json(text)
    return inner if inner is not None else struct_in(text)


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def spelt_like_cloudtrail(value: Any) -> Any:
    """The same value with CloudTrail's spelling of every key that is one of its own."""
    if isinstance(value, dict):
        return {
            ("ARN" if key in ("ARN", "arn") and "type" in value and "principalid" not in value
             else _SPELT.get(plain_name(key), key)): spelt_like_cloudtrail(member)
            for key, member in value.items()
        }  # fmt: skip
    if isinstance(value, list):
        return [spelt_like_cloudtrail(member) for member in value]
    return value
