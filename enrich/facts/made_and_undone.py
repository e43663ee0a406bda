"""What calls make or change, and which later calls take it back: one table (data).

For each thing: the calls that make it, where their records name it, and the calls that undo it,
each with the fields that must say the same. A path is a field of `requestParameters`; ">" before it
says `responseElements`. "=" is all of `requestParameters` but descriptions, "*sgr-" every text in
them that begins so. Fields are those of AWS's API reference as CloudTrail spells them (the first
letter small; EC2's lists have `items`), and a test holds them to AWS's own service models and to
real records. Lambda's names carry version dates (`VERSIONS`).

Deleting a user, role or group takes with it what AWS wants gone before: keys, passwords, inline
policies, attachments and memberships (IAM API reference, DeleteUser, DeleteRole and DeleteGroup);
deleting a managed policy wants it detached everywhere (DeletePolicy).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

Pair = tuple[str, str]
"""A path in the making record, and the one in the undoing record that must say the same."""


@dataclass(frozen=True)
class End:
    """A call that undoes a thing."""

    api: str
    same: tuple[Pair, ...]
    word: str = "deleted"
    along_with: str | None = None
    """The kind of thing that is deleted and takes this one along: "user"."""
    where: Pair | None = None
    """A path of the undoing record and the value that it must have."""
    unless: str | None = None
    """A path that it must not have."""


@dataclass(frozen=True)
class Thing:
    """What some calls make. `name` has the paths that tell one from another."""

    kind: str
    source: str
    """The service, as `eventSource` begins."""
    apis: tuple[str, ...]
    name: tuple[str, ...]
    ends: tuple[End, ...]
    word: str = "made"
    reused: bool = True
    """Whether a later one may have the same name; the ids that AWS gives are never given twice."""
    overwritten: bool = False
    """Whether the same call again replaces what this one wrote."""
    revived_by: tuple[End, ...] = ()
    """Calls that bring it back."""


GLOBAL = frozenset({"iam", "s3"})
"""Services whose names are the same in every Region."""


def _same(*paths: str) -> tuple[Pair, ...]:
    """Fields that both records call alike; `a~b` where they do not."""
    pairs = (path.partition("~") for path in paths)
    return tuple((made, undone or made) for made, _, undone in pairs)


def _with(kind: str, api: str, *paths: str) -> End:
    return End(api, _same(*paths), along_with=kind)


def _iam(
    kind: str,
    apis: str,
    name: str,
    *ends: End,
    word: str = "made",
    reused: bool = True,
    overwritten: bool = False,
) -> Thing:
    return Thing(
        kind, "iam", tuple(apis.split()), tuple(name.split()), ends, word, reused, overwritten
    )


def _attached(whose: Literal["User", "Role", "Group"]) -> tuple[Thing, Thing]:
    kind, field = whose.lower(), f"{whose.lower()}Name"
    gone = _with(kind, f"Delete{whose}", field)
    inline = _iam(
        f"inline policy of a {kind}",
        f"Put{whose}Policy",
        f"{field} policyName",
        End(f"Delete{whose}Policy", _same(field, "policyName")),
        gone,
        word="written",
        overwritten=True,
    )
    attachment = _iam(
        f"policy attached to a {kind}",
        f"Attach{whose}Policy",
        f"{field} policyArn",
        End(f"Detach{whose}Policy", _same(field, "policyArn"), "detached"),
        gone,
        _with("policy", "DeletePolicy", "policyArn"),
        word="attached",
    )
    return inline, attachment


USER = _iam("user", "CreateUser", "userName", End("DeleteUser", _same("userName")))
ROLE = _iam("role", "CreateRole", "roleName", End("DeleteRole", _same("roleName")))
ACCESS_KEY = Thing(
    "access key",
    "iam",
    ("CreateAccessKey",),
    (">accessKey.accessKeyId",),
    (
        End("DeleteAccessKey", _same(">accessKey.accessKeyId~accessKeyId")),
        _with("user", "DeleteUser", ">accessKey.userName~userName"),
        End(
            "UpdateAccessKey",
            _same(">accessKey.accessKeyId~accessKeyId"),
            "switched off",
            where=("status", "Inactive"),
        ),
    ),
    reused=False,
    revived_by=(
        End(
            "UpdateAccessKey",
            _same(">accessKey.accessKeyId~accessKeyId"),
            "switched on again",
            where=("status", "Active"),
        ),
    ),
)

INSTANCE = Thing(
    "instance",
    "ec2",
    ("RunInstances",),
    (">instancesSet.items.instanceId",),
    (
        End(
            "TerminateInstances",
            _same(">instancesSet.items.instanceId~instancesSet.items.instanceId"),
            "terminated",
        ),
    ),
    "launched",
    reused=False,
)

_IAM: tuple[Thing, ...] = (
    USER,
    ROLE,
    ACCESS_KEY,
    _iam(
        "console password",
        "CreateLoginProfile UpdateLoginProfile",
        "userName",
        End("DeleteLoginProfile", _same("userName")),
        _with("user", "DeleteUser", "userName"),
        word="set",
    ),
    _iam(
        "trust policy of a role",
        "UpdateAssumeRolePolicy",
        "roleName",
        _with("role", "DeleteRole", "roleName"),
        word="changed",
        overwritten=True,
    ),
    *_attached("User"),
    *_attached("Role"),
    *_attached("Group"),
    _iam("group", "CreateGroup", "groupName", End("DeleteGroup", _same("groupName"))),
    _iam(
        "membership of a group",
        "AddUserToGroup",
        "userName groupName",
        End("RemoveUserFromGroup", _same("userName", "groupName"), "taken away"),
        _with("user", "DeleteUser", "userName"),
        _with("group", "DeleteGroup", "groupName"),
        word="given",
    ),
    _iam(
        "policy", "CreatePolicy", ">policy.arn", End("DeletePolicy", _same(">policy.arn~policyArn"))
    ),
    _iam(
        "policy version",
        "CreatePolicyVersion",
        "policyArn >policyVersion.versionId",
        End("DeletePolicyVersion", _same("policyArn", ">policyVersion.versionId~versionId")),
        _with("policy", "DeletePolicy", "policyArn"),
    ),
    _iam(
        "instance profile",
        "CreateInstanceProfile",
        "instanceProfileName",
        End("DeleteInstanceProfile", _same("instanceProfileName")),
    ),
    _iam(
        "role of an instance profile",
        "AddRoleToInstanceProfile",
        "instanceProfileName roleName",
        End(
            "RemoveRoleFromInstanceProfile", _same("instanceProfileName", "roleName"), "taken away"
        ),
        _with("instance profile", "DeleteInstanceProfile", "instanceProfileName"),
        _with("role", "DeleteRole", "roleName"),
        word="given",
    ),
    _iam(
        "SAML provider",
        "CreateSAMLProvider",
        ">sAMLProviderArn",
        End("DeleteSAMLProvider", _same(">sAMLProviderArn~sAMLProviderArn")),
    ),
    _iam(
        "OpenID Connect provider",
        "CreateOpenIDConnectProvider",
        ">openIDConnectProviderArn",
        End(
            "DeleteOpenIDConnectProvider",
            _same(">openIDConnectProviderArn~openIDConnectProviderArn"),
        ),
    ),
    _iam(
        "service-specific credential",
        "CreateServiceSpecificCredential",
        ">serviceSpecificCredential.serviceSpecificCredentialId",
        End(
            "DeleteServiceSpecificCredential",
            _same(
                ">serviceSpecificCredential.serviceSpecificCredentialId~serviceSpecificCredentialId"
            ),
        ),
        _with("user", "DeleteUser", "userName"),
        reused=False,
    ),
    _iam(
        "SSH key",
        "UploadSSHPublicKey",
        ">sSHPublicKey.sSHPublicKeyId",
        End("DeleteSSHPublicKey", _same(">sSHPublicKey.sSHPublicKeyId~sSHPublicKeyId")),
        _with("user", "DeleteUser", "userName"),
        reused=False,
    ),
    _iam(
        "signing certificate",
        "UploadSigningCertificate",
        ">certificate.certificateId",
        End("DeleteSigningCertificate", _same(">certificate.certificateId~certificateId")),
        _with("user", "DeleteUser", "userName"),
        reused=False,
    ),
    _iam(
        "MFA device",
        "CreateVirtualMFADevice",
        ">virtualMFADevice.serialNumber",
        End("DeleteVirtualMFADevice", _same(">virtualMFADevice.serialNumber~serialNumber")),
    ),
    _iam(
        "MFA device of a user",
        "EnableMFADevice",
        "userName serialNumber",
        End("DeactivateMFADevice", _same("userName", "serialNumber"), "switched off"),
        _with("user", "DeleteUser", "userName"),
        word="enabled",
    ),
)


def _ec2(kind: str, api: str, made: str, undone: str, end: str, word: str = "deleted") -> Thing:
    """A part of EC2 that AWS gives an id of its own."""
    ends = (End(end, ((f">{made}", undone),), word),)
    return Thing(kind, "ec2", (api,), (f">{made}",), ends, reused=False)


_EC2_PARTS: tuple[Thing, ...] = (
    _ec2("volume", "CreateVolume", "volumeId", "volumeId", "DeleteVolume"),
    _ec2("VPC", "CreateVpc", "vpc.vpcId", "vpcId", "DeleteVpc"),
    _ec2("subnet", "CreateSubnet", "subnet.subnetId", "subnetId", "DeleteSubnet"),
    _ec2(
        "route table",
        "CreateRouteTable",
        "routeTable.routeTableId",
        "routeTableId",
        "DeleteRouteTable",
    ),
    Thing(
        "route",
        "ec2",
        ("CreateRoute",),
        ("routeTableId", "destinationCidrBlock"),
        (
            End("DeleteRoute", _same("routeTableId", "destinationCidrBlock")),
            _with("route table", "DeleteRouteTable", "routeTableId"),
        ),
    ),
    _ec2(
        "internet gateway",
        "CreateInternetGateway",
        "internetGateway.internetGatewayId",
        "internetGatewayId",
        "DeleteInternetGateway",
    ),
    # Calls of later versions of the API stand in an element of their own.
    _ec2(
        "NAT gateway",
        "CreateNatGateway",
        "CreateNatGatewayResponse.natGateway.natGatewayId",
        "DeleteNatGatewayRequest.NatGatewayId",
        "DeleteNatGateway",
    ),
    _ec2(
        "flow log",
        "CreateFlowLogs",
        "CreateFlowLogsResponse.flowLogIdSet.item",
        "DeleteFlowLogsRequest.FlowLogId.content",
        "DeleteFlowLogs",
    ),
    _ec2(
        "elastic address",
        "AllocateAddress",
        "allocationId",
        "allocationId",
        "ReleaseAddress",
        "released",
    ),
)

_OTHERS: tuple[Thing, ...] = (
    Thing("trail", "cloudtrail", ("CreateTrail",), ("name",), (End("DeleteTrail", _same("name")),)),
    Thing(
        "event selectors of a trail",
        "cloudtrail",
        ("PutEventSelectors",),
        ("trailName",),
        (_with("trail", "DeleteTrail", "trailName~name"),),
        "changed",
        overwritten=True,
    ),
    Thing(
        "logging of a trail",
        "cloudtrail",
        ("StopLogging",),
        ("name",),
        (End("StartLogging", _same("name"), "started again"),),
        "stopped",
    ),
    Thing(
        "security group",
        "ec2",
        ("CreateSecurityGroup",),
        (">groupId",),
        (
            End("DeleteSecurityGroup", _same(">groupId~groupId")),
            End("DeleteSecurityGroup", _same("groupName"), unless="groupId"),
        ),
        reused=False,
    ),
    *(
        Thing(
            f"{way.lower()} rules of a security group",
            "ec2",
            (f"AuthorizeSecurityGroup{way}",),
            ("groupId", "="),
            (
                End(f"RevokeSecurityGroup{way}", _same("="), "revoked"),
                End(
                    f"RevokeSecurityGroup{way}",
                    _same(">securityGroupRuleSet.items.securityGroupRuleId~*sgr-"),
                    "revoked",
                ),
                _with("security group", "DeleteSecurityGroup", "groupId"),
            ),
            "opened",
        )
        for way in ("Ingress", "Egress")
    ),
    Thing(
        "snapshot",
        "ec2",
        ("CreateSnapshot", "CopySnapshot"),
        (">snapshotId",),
        (End("DeleteSnapshot", _same(">snapshotId~snapshotId")),),
        reused=False,
    ),
    Thing(
        "snapshot",
        "ec2",
        ("CreateSnapshots",),
        (">snapshotSet.items.snapshotId",),
        (End("DeleteSnapshot", _same(">snapshotSet.items.snapshotId~snapshotId")),),
        reused=False,
    ),
    *(
        Thing(
            "share of a snapshot",
            "ec2",
            ("ModifySnapshotAttribute",),
            ("snapshotId", f"createVolumePermission.add.items.{whom}"),
            (
                End(
                    "ModifySnapshotAttribute",
                    _same(
                        "snapshotId",
                        f"createVolumePermission.add.items.{whom}"
                        f"~createVolumePermission.remove.items.{whom}",
                    ),
                    "taken back",
                ),
                End("ResetSnapshotAttribute", _same("snapshotId"), "taken back"),
                _with("snapshot", "DeleteSnapshot", "snapshotId"),
            ),
            "given",
        )
        for whom in ("userId", "group")
    ),
    Thing(
        "image",
        "ec2",
        ("CreateImage", "RegisterImage", "CopyImage"),
        (">imageId",),
        (End("DeregisterImage", _same(">imageId~imageId"), "deregistered"),),
        reused=False,
    ),
    *(
        Thing(
            "share of an image",
            "ec2",
            ("ModifyImageAttribute",),
            ("imageId", f"launchPermission.add.items.{whom}"),
            (
                End(
                    "ModifyImageAttribute",
                    _same(
                        "imageId",
                        f"launchPermission.add.items.{whom}~launchPermission.remove.items.{whom}",
                    ),
                    "taken back",
                ),
                End("ResetImageAttribute", _same("imageId"), "taken back"),
                _with("image", "DeregisterImage", "imageId"),
            ),
            "given",
        )
        for whom in ("userId", "group")
    ),
    Thing(
        "key pair",
        "ec2",
        ("CreateKeyPair", "ImportKeyPair"),
        ("keyName",),
        (
            End("DeleteKeyPair", _same("keyName")),
            End("DeleteKeyPair", _same(">keyPairId~keyPairId")),
        ),
    ),
    INSTANCE,
    Thing(
        "bucket",
        "s3",
        ("CreateBucket",),
        ("bucketName",),
        (End("DeleteBucket", _same("bucketName")),),
    ),
    *(
        Thing(
            f"{what} of a bucket",
            "s3",
            (f"PutBucket{api}",),
            ("bucketName",),
            (
                End(f"DeleteBucket{api}", _same("bucketName")),
                _with("bucket", "DeleteBucket", "bucketName"),
            ),
            "written",
            overwritten=True,
        )
        for what, api in (
            ("policy", "Policy"),
            ("lifecycle", "Lifecycle"),
            ("replication", "Replication"),
        )
    ),
    Thing(
        "function",
        "lambda",
        ("CreateFunction",),
        ("functionName",),
        # With a qualifier a version goes, and the function stays.
        (End("DeleteFunction", _same("functionName"), unless="qualifier"),),
    ),
    Thing(
        "permission on a function",
        "lambda",
        ("AddPermission",),
        ("functionName", "statementId"),
        (
            End("RemovePermission", _same("functionName", "statementId"), "removed"),
            End(
                "DeleteFunction",
                _same("functionName"),
                along_with="function",
                unless="qualifier",
            ),
        ),
        "given",
    ),
    Thing(
        "code of a function",
        "lambda",
        ("UpdateFunctionCode",),
        ("functionName",),
        (
            End(
                "DeleteFunction",
                _same("functionName"),
                along_with="function",
                unless="qualifier",
            ),
        ),
        "changed",
        overwritten=True,
    ),
    Thing(
        "address of a function",
        "lambda",
        ("CreateFunctionUrlConfig",),
        ("functionName",),
        (
            End("DeleteFunctionUrlConfig", _same("functionName"), unless="qualifier"),
            End(
                "DeleteFunction",
                _same("functionName"),
                along_with="function",
                unless="qualifier",
            ),
        ),
    ),
    *_EC2_PARTS,
    Thing(
        "secret",
        "secretsmanager",
        ("CreateSecret",),
        ("name",),
        # A request may give the name or the ARN; the response has the name.
        (
            End("DeleteSecret", _same("name~>name"), "marked for deletion"),
            End("DeleteSecret", _same("name~secretId"), "marked for deletion"),
        ),
        revived_by=(
            End("RestoreSecret", _same("name~>name"), "restored"),
            End("RestoreSecret", _same("name~secretId"), "restored"),
        ),
    ),
    Thing(
        "parameter",
        "ssm",
        ("PutParameter",),
        ("name",),
        (
            End("DeleteParameter", _same("name")),
            End("DeleteParameters", _same("name~names")),
        ),
        "written",
        overwritten=True,
    ),
    Thing(
        "log group",
        "logs",
        ("CreateLogGroup",),
        ("logGroupName",),
        (End("DeleteLogGroup", _same("logGroupName")),),
    ),
    Thing(
        "database",
        "rds",
        ("CreateDBInstance", "CreateDBInstanceReadReplica", "RestoreDBInstanceFromDBSnapshot"),
        ("dBInstanceIdentifier",),
        (End("DeleteDBInstance", _same("dBInstanceIdentifier")),),
    ),
    Thing(
        "subnet group of databases",
        "rds",
        ("CreateDBSubnetGroup",),
        ("dBSubnetGroupName",),
        (End("DeleteDBSubnetGroup", _same("dBSubnetGroupName")),),
    ),
    Thing(
        "database snapshot",
        "rds",
        ("CreateDBSnapshot",),
        ("dBSnapshotIdentifier",),
        (End("DeleteDBSnapshot", _same("dBSnapshotIdentifier")),),
    ),
    Thing(
        "share of a database snapshot",
        "rds",
        ("ModifyDBSnapshotAttribute",),
        ("dBSnapshotIdentifier", "valuesToAdd"),
        (
            End(
                "ModifyDBSnapshotAttribute",
                _same("dBSnapshotIdentifier", "valuesToAdd~valuesToRemove"),
                "taken back",
            ),
            _with("database snapshot", "DeleteDBSnapshot", "dBSnapshotIdentifier"),
        ),
        "given",
    ),
    Thing(
        "trust anchor",
        "rolesanywhere",
        ("CreateTrustAnchor",),
        (">trustAnchor.trustAnchorId",),
        (End("DeleteTrustAnchor", _same(">trustAnchor.trustAnchorId~trustAnchorId")),),
        reused=False,
    ),
    Thing(
        "Roles Anywhere profile",
        "rolesanywhere",
        ("CreateProfile",),
        (">profile.profileId",),
        (End("DeleteProfile", _same(">profile.profileId~profileId")),),
        reused=False,
    ),
)

THINGS: tuple[Thing, ...] = (*_IAM, *_OTHERS)

VERSIONS = ("", "20150331", "20150331v2")
"""What Lambda's event names end with: `CreateFunction20150331`."""


def source_of(thing: Thing) -> str:
    """ "iam.amazonaws.com"."""
    return f"{thing.source}.amazonaws.com"


@cache
def event_names(thing: Thing, apis: tuple[str, ...]) -> tuple[str, ...]:
    """The calls as CloudTrail names them."""
    endings = VERSIONS if thing.source == "lambda" else ("",)
    return tuple(f"{api}{ending}" for api in apis for ending in endings)


def makes(thing: Thing) -> tuple[str, ...]:
    """Event names of what makes it."""
    return event_names(thing, thing.apis)


def undoes(thing: Thing) -> tuple[str, ...]:
    """Event names of what undoes it, or brings it back."""
    apis = dict.fromkeys(end.api for end in (*thing.ends, *thing.revived_by))
    return event_names(thing, tuple(apis))
