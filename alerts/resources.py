"""What a finding names besides identities: the instance, database, cluster, function or bucket.

GuardDuty's form, Security Hub's (ASFF) and OCSF's are read, in any spelling of their keys. It is
read from the alert's raw text when it is wanted, and is no part of the alert: no question asks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts.alert import Alert
from alerts.json_place import NOWHERE, Place, first_text
from alerts.json_text import json_in, json_values
from trail.errors import AlertUnrecognised

MOST = 20
"""Resources of one finding that are listed; an attack sequence may have hundreds."""
_DEPTH = 8
"""Envelopes around a finding: SNS in SQS in a SOAR's ticket is six."""


@dataclass(frozen=True)
class Resource:
    """One thing that a finding is about. `name` is what logs call it."""

    kind: str
    name: str
    detail: str = ""
    """What else the finding says of it, in its own words."""


def resources_of(alert: Alert) -> tuple[Resource, ...]:
    """Every resource that the finding names, each once, in its order; none of any other text."""
    found: dict[tuple[str, str], Resource] = {}
    for finding in _findings(alert.raw):
        for one in _resources(finding):
            found.setdefault((one.kind, one.name), one)
    return tuple(found.values())[:MOST]


def described(alert: Alert) -> str | None:
    """The finding's own description, as text of its author's."""
    for finding in _findings(alert.raw):
        told = first_text((finding.at("description"), finding.at("finding_info", "desc")))
        if told.text is not None:
            return told.text
    return None


def action_of(alert: Alert) -> str | None:
    """What a finding without an AWS call says happened: "network connection, outbound, TCP, remote
    port 22 (SSH)"."""
    for finding in _findings(alert.raw):
        action = finding.at("service", "action")
        if not action.is_object:
            action = finding.at("action")
        for key, words, fields in _ACTIONS:
            told = action.at(key)
            if told.is_object:
                return ", ".join([words, *_said(told, fields)])
    return None


_ACTIONS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "networkConnectionAction",
        "network connection",
        (("", "connectionDirection"), ("", "protocol"), ("local port", "localPortDetails.port"),
         ("remote port", "remotePortDetails.port")),
    ),
    ("portProbeAction", "port probe", (("blocked", "blocked"),)),
    ("dnsRequestAction", "DNS request", (("for", "domain"), ("", "protocol"))),
    (
        "kubernetesApiCallAction",
        "Kubernetes API call",
        (("", "verb"), ("", "requestUri"), ("namespace", "namespace"),
         ("status", "statusCode")),
    ),
    ("rdsLoginAttemptAction", "database login", ()),
)  # fmt: skip
"""What GuardDuty calls an action that is no AWS call → our words, and which of its fields tell."""


def _said(told: Place, fields: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for label, path in fields:
        value = told.at(*path.split(".")).text
        if value is not None:
            # Constants of GuardDuty's ("OUTBOUND") are words, a path or a verb is as it was sent.
            shown = value.lower() if path == "connectionDirection" else value
            yield f"{label} {shown}".strip()


def _findings(raw: str) -> list[Place]:
    """The findings in the text an alert was read from, which may be inside of envelopes."""
    try:
        return [found for value in json_values(raw) for found in _within(Place(value), _DEPTH)]
    except AlertUnrecognised:  # nested deeper than anything that was read as an alert
        return []


def _within(place: Place, left: int) -> Iterator[Place]:
    if isinstance(place.value, str):
        text = place.value.lstrip()
        if left and text[:1] in ("{", "[") and (inner := json_in(text)) is not None:
            yield from _within(place.inside(inner), left - 1)
        return
    if isinstance(place.value, list):
        for item in place.items() if left else ():
            yield from _within(item, left - 1)
        return
    if not place.is_object:
        return
    if place.at("resource").is_object or place.at("resources").items():
        yield place
        return
    for key in place.value if left else ():
        yield from _within(place.at(key), left - 1)


def _resources(finding: Place) -> Iterator[Resource]:
    native = finding.at("resource")
    if native.is_object:
        yield from _of_guardduty(native)
    for place in finding.at("resources").items():
        if (one := _of_a_list(place)) is not None:
            yield one


_GUARDDUTY: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("EC2 instance", "instanceDetails", ("instanceId",), ("instanceType", "imageId")),
    ("database", "rdsDbInstanceDetails", ("dbInstanceIdentifier",),
     ("engine", "dbClusterIdentifier")),
    ("database", "rdsLimitlessDbDetails", ("dbShardGroupIdentifier",), ("engine",)),
    ("database user", "rdsDbUserDetails", ("user",), ("database", "application", "authMethod")),
    ("EKS cluster", "eksClusterDetails", ("name", "arn"), ("status",)),
    ("ECS cluster", "ecsClusterDetails", ("name", "arn"), ()),
    ("Lambda function", "lambdaDetails", ("functionName", "functionArn"), ()),
    ("container", "containerDetails", ("name", "id"), ("image",)),
)  # fmt: skip
"""What it is, GuardDuty's object, the fields that name it, and those that say more."""


def _of_guardduty(resource: Place) -> Iterator[Resource]:
    for kind, key, names, more in _GUARDDUTY:
        details = resource.at(key)
        name = first_text(details.at(one) for one in names).text
        if name is not None:
            yield Resource(kind, name, _detail(details, more))
    kubernetes = resource.at("kubernetesDetails")
    user = kubernetes.at("kubernetesUserDetails")
    if (name := user.at("username").text) is not None:
        groups = ", ".join(one.text for one in user.at("groups").items() if one.text)
        yield Resource("Kubernetes user", name, groups)
    workload = kubernetes.at("kubernetesWorkloadDetails")
    if (name := workload.at("name").text) is not None:
        yield Resource("Kubernetes workload", name, _detail(workload, ("type", "namespace")))
    task = resource.at("ecsClusterDetails", "taskDetails", "arn").text
    if task is not None:
        yield Resource("ECS task", task)
    for bucket in resource.at("s3BucketDetails").items():
        if (name := first_text((bucket.at("name"), bucket.at("arn"))).text) is not None:
            yield Resource("bucket", name, _detail(bucket, ("type",)))
    for interface in resource.at("instanceDetails", "networkInterfaces").items():
        for key in ("publicIp", "privateIpAddress"):
            if (address := interface.at(key).text) is not None:
                yield Resource("address of the instance", address)
    for volume in resource.at("ebsVolumeDetails", "scannedVolumeDetails").items():
        if (name := volume.at("volumeArn").text) is not None:
            yield Resource("volume", name)


def _detail(details: Place, names: tuple[str, ...]) -> str:
    told = [details.at(name).text for name in names]
    tags = [
        tag.at("value").text for tag in details.at("tags").items() if tag.at("key").text == "Name"
    ]
    return ", ".join(one for one in (*told, *tags) if one)


_AWS_TYPES = {
    "AwsEc2Instance": "EC2 instance",
    "AwsRdsDbInstance": "database",
    "AwsEksCluster": "EKS cluster",
    "AwsEcsCluster": "ECS cluster",
    "AwsLambdaFunction": "Lambda function",
    "AwsS3Bucket": "bucket",
    "Container": "container",
}
"""Security Hub's type → our word."""
_IDENTITIES = ("AwsIam", "AWS::IAM", "AwsAccount", "AWS::::Account", "AccessKey")


def _of_a_list(place: Place) -> Resource | None:
    """One of Security Hub's or OCSF's list; none where it is an identity, which is told as such."""
    kind = place.at("type").text
    named = first_text((place.at("id"), place.at("uid"), place.at("name"), NOWHERE)).text
    if kind is None or named is None or kind.startswith(_IDENTITIES):
        return None
    return Resource(_AWS_TYPES.get(kind, kind), _last_name(named), kind)


def _last_name(named: str) -> str:
    """What an ARN's resource is called by itself ("i-0abc", "shop-orders"); others as they are."""
    parts = named.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return named
    rest = parts[5]
    if parts[2] == "s3":
        return rest
    return rest.rpartition("/")[2] or rest.rpartition(":")[2] or named
