"""What a call acted on: the secret, bucket, user, snapshot, role that its record names.

One table per service says which parameters name a thing, and what kind of thing; a field that no
table knows is taken by its own name ("loadBalancerName": load balancer). What a call makes is named
by its response. `resources` speaks where both are silent. Field names are those of CloudTrail's
records, compared without case: services write `dBInstanceIdentifier`, `DBInstanceIdentifier` alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrich.facts.interface import json_object
from enrich.facts.service_names import service_label

MOST = 20
"""Targets of one call that are read; a call may name a thousand objects."""
LONGEST = 512
"""Characters of a name; what is longer is content and no name."""


@dataclass(frozen=True)
class Target:
    """`kind` is a word of ours, `name` what the record says. `shared` marks accounts (or "all")
    that something was shared with: they are targets of another sort.
    """

    kind: str
    name: str
    shared: bool = False


# Service label → (kind, dotted paths; a list on the way is gone through). Several paths are joined
# by "/": an object is bucket and key. The first that is there is the target's name.
_Rules = tuple[tuple[str, tuple[str, ...]], ...]

_SHARED: _Rules = (
    ("account", ("createVolumePermission.add.items.userId",)),
    ("account", ("createVolumePermission.add.items.group",)),
    ("account", ("launchPermission.add.items.userId",)),
    ("account", ("launchPermission.add.items.group",)),
    ("account", ("valuesToAdd",)),
    ("account", ("principals",)),
)
"""Who something is shared with: snapshots, images (EC2, RDS), resource shares (RAM)."""

_REQUEST: Mapping[str, _Rules] = {
    "account": (("account", ("accountId",)), ("Region", ("regionName",))),
    "bedrock": (
        ("model", ("modelId",)),
        ("model", ("foundationModelId",)),
        ("agent", ("agentId",)),
        ("knowledge base", ("knowledgeBaseId",)),
    ),
    "cloudtrail": (
        ("trail", ("trailName",)),
        ("trail", ("name",)),
        ("event data store", ("eventDataStore",)),
        ("trail", ("trailNameList",)),
    ),
    "codebuild": (("project", ("projectName",)), ("project", ("name",))),
    "ec2": (
        ("instance", ("instancesSet.items.instanceId",)),
        ("instance", ("instanceId",)),
        ("instance", ("instanceIds",)),
        ("instance", ("associateIamInstanceProfileRequest.instanceId",)),
        ("snapshot", ("snapshotId",)),
        ("snapshot", ("snapshotSet.items.snapshotId",)),
        ("snapshot", ("sourceSnapshotId",)),
        ("snapshot", ("snapshotIds",)),
        ("image", ("imageId",)),
        ("image", ("instancesSet.items.imageId",)),
        ("volume", ("volumeId",)),
        ("security group", ("groupId",)),
        ("security group", ("groupName",)),
        ("key pair", ("keyName",)),
        ("instance type", ("instanceType",)),
        ("launch template", ("launchTemplateId",)),
        ("route table", ("routeTableId",)),
        ("VPC", ("vpcId",)),
        ("instance profile", ("iamInstanceProfile.name",)),
        ("instance profile", ("iamInstanceProfile.arn",)),
    ),
    "ecr": (("repository", ("repositoryName",)),),
    "ecs": (
        ("cluster", ("cluster",)),
        ("cluster", ("clusterName",)),
        ("task definition", ("taskDefinition",)),
        ("task definition", ("family",)),
        ("service", ("serviceName",)),
    ),
    "eks": (
        ("cluster", ("name",)),
        ("cluster", ("clusterName",)),
        ("principal", ("principalArn",)),
    ),
    "email": (
        ("identity", ("emailIdentity",)),
        ("sender", ("source",)),
        ("sender", ("fromEmailAddress",)),
    ),
    "events": (("rule", ("name",)), ("rule", ("rule",))),
    "guardduty": (("detector", ("detectorId",)), ("filter", ("name",))),
    "iam": (
        ("user", ("userName",)),
        ("role", ("roleName",)),
        ("group", ("groupName",)),
        ("access key", ("accessKeyId",)),
        ("policy", ("policyArn",)),
        ("policy", ("policyName",)),
        ("permissions boundary", ("permissionsBoundary",)),
        ("MFA device", ("serialNumber",)),
        ("MFA device", ("virtualMFADeviceName",)),
        ("identity provider", ("sAMLProviderArn",)),
        ("identity provider", ("openIDConnectProviderArn",)),
        ("identity provider", ("url",)),
        ("identity provider", ("name",)),
        ("instance profile", ("instanceProfileName",)),
        ("policy source", ("policySourceArn",)),
    ),
    "kms": (("key", ("keyId",)), ("key", ("destinationKeyId",))),
    "lambda": (("function", ("functionName",)), ("layer", ("layerName",))),
    "logs": (("log group", ("logGroupName",)), ("log stream", ("logStreamName",))),
    "organizations": (
        ("account", ("accountId",)),
        ("account", ("target.id",)),
        ("policy", ("policyId",)),
        ("target", ("targetId",)),
    ),
    "ram": (("resource share", ("name",)), ("resource", ("resourceArns",))),
    "rds": (
        ("database", ("dBInstanceIdentifier",)),
        ("database cluster", ("dBClusterIdentifier",)),
        ("snapshot", ("dBSnapshotIdentifier",)),
        ("snapshot", ("dBClusterSnapshotIdentifier",)),
        ("snapshot", ("snapshotIdentifier",)),
        ("global cluster", ("globalClusterIdentifier",)),
        ("source", ("sourceArn",)),
        ("bucket", ("s3BucketName",)),
    ),
    "route53resolver": (("query log config", ("resolverQueryLogConfigId",)),),
    "s3": (("object", ("bucketName", "key")), ("bucket", ("bucketName",))),
    "s3control": (("access point", ("name",)), ("account", ("accountId",))),
    "sagemaker": (
        ("notebook instance", ("notebookInstanceName",)),
        ("domain", ("domainId",)),
        ("training job", ("trainingJobName",)),
        ("endpoint", ("endpointName",)),
        ("lifecycle config", ("notebookInstanceLifecycleConfigName",)),
    ),
    "secretsmanager": (
        ("secret", ("secretId",)),
        ("secret", ("secretIdList",)),
        ("secret", ("name",)),
    ),
    "servicequotas": (("quota", ("serviceCode", "quotaCode")), ("service", ("serviceCode",))),
    "ses": (("identity", ("identity",)), ("identity", ("emailAddress",)), ("identity", ("domain",)),
            ("identity", ("emailIdentity",)), ("sender", ("source",))),
    "sns": (("topic", ("topicArn",)), ("phone number", ("phoneNumber",))),
    "sqs": (("queue", ("queueUrl",)),),
    "ssm": (
        ("parameter", ("name",)),
        ("parameter", ("names",)),
        ("parameters below", ("path",)),
        ("instance", ("target",)),
        ("instance", ("instanceIds",)),
        ("document", ("documentName",)),
    ),
    "sso": (
        ("permission set", ("permissionSetArn",)),
        ("permission set", ("name",)),
        ("account", ("targetId",)),
        ("principal", ("principalId",)),
        ("account", ("accountId",)),
        ("role", ("roleName",)),
    ),
    "states": (("state machine", ("stateMachineArn",)),),
    "sts": (
        ("role", ("roleArn",)),
        ("federated user", ("name",)),
        ("account", ("targetPrincipal",)),
    ),
    "wafv2": (("web ACL", ("name",)),),
}  # fmt: skip

_RESPONSE: Mapping[str, _Rules] = {
    "iam": (
        ("access key", ("accessKey.accessKeyId",)),
        ("credential", ("serviceSpecificCredential.serviceSpecificCredentialId",)),
        ("identity provider", ("openIDConnectProviderArn",)),
        ("identity provider", ("sAMLProviderArn",)),
        ("MFA device", ("virtualMFADevice.serialNumber",)),
    ),
    "ec2": (
        ("instance", ("instancesSet.items.instanceId",)),
        ("snapshot", ("snapshotId",)),
        ("snapshot", ("snapshotSet.items.snapshotId",)),
        ("image", ("imageId",)),
        ("key pair", ("keyPairId",)),
    ),
    "rolesanywhere": (("trust anchor", ("trustAnchor.trustAnchorArn",)),),
    "guardduty": (("detector", ("detectorId",)),),
}
"""What a call made, beside what it was given."""


def targets_of(
    event_source: str | None,
    request_parameters: str | None,
    response_elements: str | None = None,
    resources: str | None = None,
) -> tuple[Target, ...]:
    """What the record of one call names, at most `MOST`; JSON text as the event table holds it.

    Text that is no JSON names nothing.
    """
    label = service_label(event_source)
    request, response = json_object(request_parameters), json_object(response_elements)
    found = [
        *_by_rules(request, _REQUEST.get(label, ())),
        *_by_rules(response, _RESPONSE.get(label, ())),
    ]
    found = found or list(_by_field_names(request)) or list(_by_resources(resources))
    shared = [Target(one.kind, one.name, True) for one in _by_rules(request, _SHARED)]
    return tuple(dict.fromkeys([*found, *shared]))[:MOST]


JSON_COLUMNS = "request_parameters, response_elements, resources"
"""What of an event is read for its targets."""


def targets_in(row: Mapping[str, Any]) -> tuple[Target, ...]:
    """The same for a row of the event table with `JSON_COLUMNS`."""
    return targets_of(
        row["event_source"], row["request_parameters"], row["response_elements"], row["resources"]
    )


def with_targets(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with what it acted on as `targets`, in place of the JSON that says so."""
    read = {name.strip() for name in JSON_COLUMNS.split(",")}
    kept = {name: value for name, value in row.items() if name not in read}
    return {**kept, "targets": targets_in(row)}


def in_words(targets: Sequence[Target]) -> str:
    """ "secret prod/db; shared with 444455556666": for exports. It quotes log text."""
    return "; ".join(f"{'shared with' if one.shared else one.kind} {one.name}" for one in targets)


def _by_rules(value: Mapping[str, Any], rules: _Rules) -> Iterator[Target]:
    taken: set[str] = set()
    for kind, paths in rules:
        parts = [list(texts_at(value, path.casefold().split("."))) for path in paths]
        if not all(parts):
            continue
        names = parts[0] if len(parts) == 1 else ["/".join(part[0] for part in parts)]
        # "object" stands for its bucket, too: what a longer rule took is not said again.
        if set(paths) <= taken:
            continue
        taken.update(paths)
        yield from (Target(kind, name) for name in names if len(name) <= LONGEST)


def texts_at(value: Any, path: Sequence[str], most: int | None = MOST) -> Iterator[str]:
    """The texts and numbers at a path of small letters, whatever lists stand on the way; of each
    list the first so many."""
    if isinstance(value, list):
        for one in value[:most]:
            yield from texts_at(one, path, most)
    elif path and isinstance(value, Mapping):
        for key, below in value.items():
            if key.casefold() == path[0]:
                yield from texts_at(below, path[1:], most)
    elif not path and isinstance(value, str | int) and not isinstance(value, bool) and value != "":
        yield str(value)


_NAMES_A_THING = re.compile(r"(?P<what>\w+?)_?(?:Name|Id|Arn|Identifier|ARN|ID)s?")
_NO_THING = re.compile(
    r"(?:client|request|idempotency|creation|next|max|session|token|region|owner|event|service"
    r"|change|caller|trace|correlation)\w*",
    re.I,
)
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


def _by_field_names(request: Mapping[str, Any]) -> Iterator[Target]:
    """Fields called …Name, …Id or …Arn, by the words before it; of a bare `name`, "name"."""
    for field, value in request.items():
        named = _NAMES_A_THING.fullmatch(field)
        if named and not _NO_THING.fullmatch(named["what"]):
            kind = " ".join(word.lower() for word in _WORDS.findall(named["what"]))
        elif field.casefold() in ("name", "arn", "identifier"):
            kind = "name"
        else:
            continue
        yield from (Target(kind, name) for name in texts_at(value, ()) if len(name) <= LONGEST)


def _by_resources(resources: str | None) -> Iterator[Target]:
    """`resources` lists ARNs with their types: "AWS::S3::Bucket" is a bucket."""
    try:
        listed = json.loads(resources) if resources else []
    except (ValueError, RecursionError):
        return
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, Mapping):
            continue
        arn = next((one[key] for key in ("ARN", "arn") if isinstance(one.get(key), str)), None)
        kind = str(one.get("type") or "resource").rpartition("::")[2]
        if arn and len(arn) <= LONGEST:
            yield Target(" ".join(w.lower() for w in _WORDS.findall(kind)) or "resource", arn)
