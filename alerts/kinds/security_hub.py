"""Findings as Security Hub hands them on: ASFF (with CSPM) and OCSF (version 2)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from alerts.alert import Alert
from alerts.arns import partition_of, principal_of_arn
from alerts.draft import Draft
from alerts.json_place import NOWHERE, Place, first_text
from alerts.json_text import json_in
from alerts.kinds.guardduty import (
    account_in,
    add_instance_principal,
    add_key_principal,
    add_workload,
    is_placeholder,
    note_sample,
    read_sequence,
)

LABELS = {
    "informational": 1.0,
    "low": 2.0,
    "medium": 5.0,
    "high": 7.0,
    "critical": 9.0,
    "fatal": 10.0,
}
"""Severity words on GuardDuty's scale: the lower end of each of its bands."""
_OCSF_SEVERITIES = {1: 1.0, 2: 2.0, 3: 5.0, 4: 7.0, 5: 9.0, 6: 10.0}

_OCSF_WRITTEN = ("created", "modified")

_TYPE = re.compile(r"(?:^|/)([A-Za-z]+):([A-Za-z0-9]+)[-:/](.+)$")


def is_asff(place: Place) -> bool:
    return place.at("Resources").items() != [] and (
        place.at("SchemaVersion").text == "2018-10-08"
        or (place.at("ProductArn").text is not None and place.at("GeneratorId").text is not None)
    )


def read_asff(place: Place, shape: str) -> Alert:
    draft = Draft()
    place = Place(_without_nulls(place.value), place.path)
    fields = place.at("ProductFields")
    from_guardduty = "guardduty" in (
        (place.at("ProductArn").text or "") + (place.at("ProductName").text or "")
    ).lower() or any(str(key).startswith("aws/guardduty") for key in _keys(fields))
    draft.take("id", place.at("Id"), read=_finding_id)
    draft.take("title", place.at("Title"))
    kinds = place.at("Types").items()
    draft.take("finding_type", *kinds[:1], read=_guardduty_type if from_guardduty else _text)
    if from_guardduty and "finding_type" in draft.fields:
        draft.note("The finding's type was put back together from Security Hub's Types.")
    severity = place.at("Severity")
    draft.take(
        "severity",
        severity.at("Product"),
        severity.at("Original"),
        read=lambda found: found.severity,
    )
    if "severity" not in draft.fields:
        draft.take("severity", severity.at("Normalized"), read=_tenth)
    if "severity" not in draft.fields:
        draft.take("severity", severity.at("Label"), read=_label)
    draft.take_account(place.at("AwsAccountId"), account_in(place.at("Id")))
    draft.take("region", place.at("Region"), *(r.at("Region") for r in _resources(place)))
    draft.take_times([place.at("FirstObservedAt")], [place.at("LastObservedAt")])
    note_sample(draft, _is_sample(place, fields))
    _take_call(draft, place.at("Action", "AwsApiCallAction"), fields, from_guardduty)
    sequence = place.at("Detection", "Sequence")
    if sequence.is_object:
        _add_keys(draft, place)
        partition = partition_of(draft.fields.get("region"))
        read_sequence(draft, sequence, partition, place.at("Description"), place.at("Title"))
    else:
        _add_resources(draft, place)
    if "first_seen" not in draft.fields:
        draft.fall_back_on(
            [place.at(name) for name in ("CreatedAt", "UpdatedAt", "ProcessedAt")],
            "when the finding was created, or last updated",
        )
    alert = draft.alert("securityhub", shape, place.value)
    product = "GuardDuty" if from_guardduty else place.at("ProductName").text
    return replace(alert, shape=f"{shape}, from {product}") if product else alert


def is_ocsf_finding(place: Place) -> bool:
    return place.at("class_uid").value is not None and place.at("finding_info").is_object


def read_ocsf(place: Place, shape: str) -> Alert:
    draft = Draft()
    info = place.at("finding_info")
    draft.take("id", info.at("uid"), place.at("metadata", "uid"), read=_finding_id)
    draft.take("title", info.at("title"))
    draft.take("finding_type", *info.at("types").items()[:1], read=_guardduty_type)
    draft.take("severity", place.at("severity_id"), read=_ocsf_severity)
    if "severity" not in draft.fields:
        draft.take("severity", place.at("severity"), read=_label)
    resources = place.at("resources").items()
    draft.take_account(
        place.at("cloud", "account", "uid"),
        *(resource.at("owner", "account", "uid") for resource in resources),
    )
    draft.take("region", place.at("cloud", "region"), *(r.at("region") for r in resources))
    first = (info.at("first_seen_time_dt"), info.at("first_seen_time"))
    last = (info.at("last_seen_time_dt"), info.at("last_seen_time"))
    if not draft.take_times(first, last, epoch_is_usual=True):  # OCSF's own form
        created = [info.at(f"{name}_time{dt}") for name in _OCSF_WRITTEN for dt in ("_dt", "")]
        draft.fall_back_on(
            [*created, place.at("time_dt"), place.at("time")],
            "when the finding was created, or last changed",
        )
    evidences = place.at("evidences").items()
    keys = [evidence.at("actor", "user", "credential_uid") for evidence in evidences]
    title = draft.fields.get("title", "")
    note_sample(draft, title.startswith("[SAMPLE]") or any(map(is_placeholder, keys)))
    for evidence in evidences:
        if "event_name" not in draft.fields:
            draft.take("event_name", evidence.at("api", "operation"))
            draft.take("event_source", evidence.at("api", "service", "name"))
            response = evidence.at("api", "response")
            draft.take("error_code", response.at("error"))
        if "source_ip_address" not in draft.fields:
            draft.take("source_ip_address", evidence.at("src_endpoint", "ip"))
        if "user_agent" not in draft.fields:
            draft.take("user_agent", evidence.at("http_request", "user_agent"))
        _add_ocsf_user(draft, evidence.at("actor"))
    for resource in resources if not draft.principals else []:
        _add_ocsf_key(draft, resource)
        _add_arn(draft, resource.at("uid"))
    if not draft.principals:
        draft.note("The finding names no AWS identity: give the principal to look for.")
    product = place.at("metadata", "product", "name").text
    alert = draft.alert("securityhub", shape, place.value)
    return replace(alert, shape=f"{shape}, from {product}") if product else alert


def _add_ocsf_key(draft: Draft, resource: Place) -> None:
    """Adds the principal of an access key that is a resource, with ASFF's details as its data."""
    if resource.at("type").text not in ("AwsIamAccessKey", "AWS::IAM::AccessKey"):
        return
    data, named = resource.at("data"), resource.at("uid")
    details = (data.inside(json_in(data.text)) if data.text else data).at("AwsIamAccessKey")
    key = Place((named.text or "").rpartition(":")[2], named.path)
    name, principal_id = details.at("PrincipalName"), details.at("PrincipalId")
    if first_text((key, name, principal_id)) is NOWHERE:
        return
    add_key_principal(
        draft,
        kind=details.at("PrincipalType"),
        name=name,
        principal_id=principal_id,
        key=key,
        account=draft.fields.get("account_id"),
        partition=resource.at("cloud_partition").text or "aws",
    )


def _add_ocsf_user(draft: Draft, actor: Place) -> None:
    user = actor.at("user")
    ids = [user.at("uid"), user.at("uid_alt")]
    arn = next((found for found in ids if (found.text or "").startswith("arn:")), NOWHERE)
    unique = next((found for found in ids if found.text and found != arn), NOWHERE)
    key = user.at("credential_uid")
    if first_text((arn, unique, key, user.at("name"))) is NOWHERE:
        return
    person = principal_of_arn(arn.text) if arn.text else None
    if person is not None:
        draft.add_principal(
            replace(
                person,
                principal_id=unique.text or person.principal_id,
                access_key_id=key.text,
            ),
            arn=arn.path,
            access_key_id=key.path,
        )
        return
    add_key_principal(
        draft,
        kind=user.at("type"),
        name=user.at("name"),
        principal_id=unique,
        key=key,
        account=user.at("account", "uid").account or draft.fields.get("account_id"),
        partition=partition_of(draft.fields.get("region")),
    )


_CALL_KEYS = tuple(
    f"{prefix}{{}}"
    for prefix in (
        "aws/guardduty/service/action/awsApiCallAction/",
        "action/awsApiCallAction/",  # findings of before 2020 (§7.8)
        "",
    )
)


def _take_call(draft: Draft, action: Place, fields: Place, from_guardduty: bool) -> None:
    def flat(name: str) -> list[Place]:
        return [fields.at(key.format(name)) for key in _CALL_KEYS] if from_guardduty else []

    remote = action.at("RemoteIpDetails")
    draft.take("event_name", action.at("Api"), *flat("api"))
    draft.take("event_source", action.at("ServiceName"), *flat("serviceName"))
    draft.take("error_code", action.at("ErrorCode"), *flat("errorCode"))
    draft.take("user_agent", action.at("UserAgent"), *flat("userAgent"))
    draft.take(
        "source_ip_address",
        remote.at("IpAddressV4"),
        remote.at("IpAddressV6"),
        *flat("remoteIpDetails/ipAddressV4"),
        *flat("remoteIpDetails/ipAddressV6"),
    )


def _add_keys(draft: Draft, place: Place) -> None:
    """Adds the principal of each access key among a finding's resources."""
    for resource in _resources(place):
        if resource.at("Type").text != "AwsIamAccessKey":
            continue
        details = resource.at("Details", "AwsIamAccessKey")
        named = Place((resource.at("Id").text or "").rpartition(":")[2], resource.at("Id").path)
        key = first_text((details.at("AccessKeyId"), named))
        name = first_text((details.at("PrincipalName"), details.at("UserName")))
        add_key_principal(
            draft,
            kind=first_text((details.at("PrincipalType"), _type_by(key, name))),
            name=name,
            principal_id=details.at("PrincipalId"),
            key=key,
            account=details.at("AccountId").account or draft.fields.get("account_id"),
            partition=resource.at("Partition").text or "aws",
        )


def _type_by(key: Place, name: Place) -> Place:
    """What a finding of the older form leaves unsaid: a long-term key is the root's or a user's.

    The name beside a temporary key is a user's or a role's, and only the index can tell.
    """
    if name.text == "Root":
        return Place("Root", name.path)
    return Place("IAMUser" if (key.text or "").startswith("AKIA") else None, key.path)


def _add_resources(draft: Draft, place: Place) -> None:
    account = draft.fields.get("account_id")
    resources = _resources(place)
    _add_keys(draft, place)
    for resource in resources if not draft.principals else []:
        kind = resource.at("Type").text
        details = resource.at("Details", kind or "")
        if kind in ("AwsIamUser", "AwsIamRole"):
            _add_arn(draft, resource.at("Id"))
        elif kind == "AwsEc2Instance":
            found = resource.at("Id")
            instance = Place((found.text or "").rpartition("/")[2], found.path)
            add_instance_principal(draft, instance, details.at("IamInstanceProfileArn"), account)
        elif kind == "AwsLambdaFunction" and details.at("Role").text is not None:
            name = details.at("FunctionName")
            add_workload(draft, details.at("Role"), name, "Lambda function", "name", account)
    if not draft.principals:
        draft.note("The finding names no AWS identity: give the principal to look for.")


def _add_arn(draft: Draft, found: Place) -> None:
    person = principal_of_arn(found.text) if found.text else None
    if person is not None:
        draft.add_principal(person, arn=found.path)


def _is_sample(place: Place, fields: Place) -> bool:
    value = fields.at("aws/guardduty/service/additionalInfo/value").text
    inner = Place(json_in(value) if value else None)
    keys = [
        resource.at("Details", "AwsIamAccessKey", name)
        for resource in _resources(place)
        for name in ("AccessKeyId", "PrincipalId")
    ] + [
        fields.at(key.format(f"remoteIpDetails/organization/{name}"))
        for key in _CALL_KEYS
        for name in ("asnOrg", "isp", "org")
    ]
    return (
        place.at("Sample").is_true
        or (place.at("Title").text or "").startswith("[SAMPLE]")
        or fields.at("aws/guardduty/service/additionalInfo/sample").is_true
        or fields.at("additionalInfo/sample").is_true
        or inner.at("sample").is_true
        or any(map(is_placeholder, keys))
    )


def _resources(place: Place) -> list[Place]:
    return place.at("Resources").items()


def _without_nulls(value: Any, left: int = 12) -> Any:
    """The value without the word "null", which GuardDuty's findings have for no value (§7.8)."""
    if isinstance(value, dict) and left:
        return {
            key: _without_nulls(inner, left - 1) for key, inner in value.items() if inner != "null"
        }
    if isinstance(value, list) and left:
        return [_without_nulls(inner, left - 1) for inner in value]
    return value


def _keys(place: Place) -> list[Any]:
    return list(place.value) if isinstance(place.value, dict) else []


def _text(found: Place) -> str | None:
    return found.text


def _finding_id(found: Place) -> str | None:
    """GuardDuty's own id out of a finding's ARN, so that both ways of arrival give one id."""
    text = found.text
    if text is not None and ":guardduty:" in text and "/finding/" in text:
        return text.rpartition("/finding/")[2] or text
    return text


def _guardduty_type(found: Place) -> str | None:
    """`TTPs/Discovery/Recon:IAMUser-TorIPCaller` → `Recon:IAMUser/TorIPCaller`.

    `TTPs/PenTest:IAMUser/KaliLinux` has no category, and is the type's own spelling.
    """
    text = found.text
    if text is None:
        return None
    match = _TYPE.search(text)
    if match is not None:
        return f"{match[1]}:{match[2]}/{match[3]}"
    return text.split("/", 2)[2] if text.count("/") >= 2 else text


def _tenth(found: Place) -> float | None:
    number = found.number
    return round(number / 10, 1) if number is not None and 0 < number <= 100 else None


def _label(found: Place) -> float | None:
    return LABELS.get((found.text or "").lower())


def _ocsf_severity(found: Place) -> float | None:
    number = found.number
    return _OCSF_SEVERITIES.get(int(number)) if number is not None else None
