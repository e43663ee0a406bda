"""The public Stratus Red Team techniques for AWS, and what of each our rules find.

The records are made from what each technique's documentation says that it calls, and AWS's
documentation of those calls; no log of a run is in here. A technique's `denied` records are the
same calls when they are refused. `blind` says why there is no alert where there is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.an_event import ACCOUNT, a_role_session, a_user, an_event

Event = dict[str, Any]
OUTSIDER = "444455556666"
_AGENT = "aws-sdk-go-v2/1.30.3 os/macos lang/go#1.22.5 md/GOOS#darwin md/GOARCH#arm64"
_ATTACKER = a_role_session("attacker", "aws-go-sdk-1726000000000000001")


@dataclass(frozen=True)
class Technique:
    """One technique: its calls, and the titles of the rules that find them."""

    name: str
    calls: tuple[Event, ...]
    found_by: tuple[str, ...] = ()
    denied_found_by: tuple[str, ...] = ()
    blind: str = ""


def _call(
    api: str, parameters: Any = None, *, second: int = 0, minute: int = 0, **changes: Any
) -> Event:
    source, name = api.split(":")
    return an_event(
        **{
            "eventTime": f"2026-03-10T12:{minute:02d}:{second:02d}Z",
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "requestParameters": parameters,
            "userAgent": _AGENT,
            "userIdentity": _ATTACKER,
            "readOnly": name.startswith(("Get", "List", "Describe")),
            **changes,
        }
    )


def denied(calls: Iterable[Event]) -> list[Event]:
    """The calls as they are recorded when the caller may not make them."""
    return [
        call
        | {
            "errorCode": "Client.UnauthorizedOperation"
            if call["eventSource"] == "ec2.amazonaws.com"
            else "AccessDenied",
            "errorMessage": "is not authorized to perform this action",
            "responseElements": None,
        }
        for call in calls
    ]


def _each(number: int, make: Callable[[int], Event]) -> tuple[Event, ...]:
    return tuple(make(each) for each in range(number))


def _instance(number: int) -> str:
    return f"i-0123456789abcde{number:02x}"


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


_TRUST_OUTSIDER = _policy(
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OUTSIDER}:root"},
        "Action": "sts:AssumeRole",
    },
)
_ALL = _policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
_BY_INSTANCE = a_role_session("web", _instance(1))
_DISCOVERY = (
    "sts:GetCallerIdentity",
    "s3:ListBuckets",
    "iam:GetAccountSummary",
    "iam:ListRoles",
    "iam:ListUsers",
    "iam:GetAccountAuthorizationDetails",
    "ec2:DescribeSnapshots",
    "cloudtrail:DescribeTrails",
    "guardduty:ListDetectors",
)
_DATA = {"eventCategory": "Data", "managementEvent": False}
_BUCKET = {"bucketName": "victim", "Host": "victim.s3.us-east-1.amazonaws.com"}
_SSE_C = {"x-amz-server-side-encryption-customer-algorithm": "AES256"}
_NOTE = _call("s3:PutObject", {**_BUCKET, "key": "FILES-DELETED.txt"}, minute=3, **_DATA)
_VERSIONS = _call("s3:ListObjectVersions", {**_BUCKET, "versions": ""}, **_DATA)
_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
_CHANGE_DENIED = "Change of rights or users denied"

TECHNIQUES = (
    Technique(
        "aws.initial-access.console-login-without-mfa",
        (
            an_event(
                eventSource="signin.amazonaws.com",
                eventName="ConsoleLogin",
                eventType="AwsConsoleSignIn",
                awsRegion="us-east-1",
                userIdentity=a_user("victim", accessKeyId=None),
                responseElements={"ConsoleLogin": "Success"},
                additionalEventData={"MFAUsed": "No", "MobileVersion": "No"},
                readOnly=False,
            ),
        ),
        ("Console sign-in without MFA",),
        blind="one sign-in with a wrong password is everyday; ten within ten minutes are found",
    ),
    Technique(
        "aws.execution.ec2-launch-unusual-instances",
        (
            _call(
                "ec2:RunInstances",
                {
                    "instancesSet": {
                        "items": [{"imageId": "ami-1", "minCount": 1, "maxCount": 10}]
                    },
                    "instanceType": "p2.xlarge",
                },
            ),
        ),
        ("Unusual or many instances launched",),
        ("Unusual or many instances launched",),
    ),
    Technique(
        "aws.execution.ec2-user-data",
        (
            _call("ec2:StopInstances", {"instancesSet": {"items": [{"instanceId": _instance(1)}]}}),
            _call(
                "ec2:ModifyInstanceAttribute",
                {"instanceId": _instance(1), "userData": "<sensitiveDataRemoved>"},
                minute=1,
            ),
            _call(
                "ec2:StartInstances",
                {"instancesSet": {"items": [{"instanceId": _instance(1)}]}},
                minute=2,
            ),
        ),
        ("User data of an instance changed",),
        ("User data of an instance changed",),
    ),
    Technique(
        "aws.execution.sagemaker-update-lifecycle-config",
        (
            _call(
                "sagemaker:CreateNotebookInstanceLifecycleConfig",
                {"notebookInstanceLifecycleConfigName": "config", "onStart": [{"content": "…"}]},
            ),
            _call("sagemaker:StopNotebookInstance", {"notebookInstanceName": "book"}, second=2),
            _call(
                "sagemaker:UpdateNotebookInstance",
                {"notebookInstanceName": "book", "lifecycleConfigName": "config"},
                minute=2,
            ),
            _call("sagemaker:StartNotebookInstance", {"notebookInstanceName": "book"}, minute=4),
        ),
        ("Start script of a notebook changed",),
        ("Start script of a notebook changed",),
    ),
    Technique(
        "aws.execution.ssm-send-command",
        (
            _call(
                "ssm:SendCommand",
                {
                    "instanceIds": [_instance(n) for n in range(3)],
                    "documentName": "AWS-RunShellScript",
                    "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS",
                    "interactive": False,
                },
            ),
        ),
        ("Command sent to several instances at once",),
        ("Command sent to several instances at once",),
    ),
    Technique(
        "aws.execution.ssm-start-session",
        _each(3, lambda n: _call("ssm:StartSession", {"target": _instance(n)}, second=n)),
        ("Shell sessions begun on several instances",),
        ("Shell sessions begun on several instances",),
    ),
    Technique(
        "aws.persistence.iam-backdoor-role",
        (
            _call(
                "iam:UpdateAssumeRolePolicy",
                {"roleName": "victim", "policyDocument": _TRUST_OUTSIDER},
            ),
        ),
        ("Role opened to outsiders",),
        (_CHANGE_DENIED,),
    ),
    Technique(
        "aws.persistence.iam-backdoor-user",
        (
            _call(
                "iam:CreateAccessKey",
                {"userName": "victim"},
                responseElements={"accessKey": {"accessKeyId": "AKIANEWKEYXQXQXQXQXQ"}},
            ),
        ),
        ("Access key made for another user",),
        (_CHANGE_DENIED,),
    ),
    Technique(
        "aws.persistence.iam-create-admin-user",
        (
            _call("iam:CreateUser", {"userName": "malicious"}),
            _call("iam:AttachUserPolicy", {"userName": "malicious", "policyArn": _ADMIN}, second=1),
            _call("iam:CreateAccessKey", {"userName": "malicious"}, second=2),
        ),
        (
            "Administrator's rights given",
            "Access key made for another user",
            "User made, given rights and credentials at once",
        ),
        ("Administrator's rights given", _CHANGE_DENIED),
    ),
    Technique(
        "aws.persistence.iam-create-backdoor-role",
        (
            _call(
                "iam:CreateRole",
                {"roleName": "backdoor", "assumeRolePolicyDocument": _TRUST_OUTSIDER},
            ),
            _call("iam:AttachRolePolicy", {"roleName": "backdoor", "policyArn": _ADMIN}, second=1),
        ),
        ("Role opened to outsiders", "Administrator's rights given"),
        (_CHANGE_DENIED, "Administrator's rights given"),
    ),
    Technique(
        "aws.persistence.iam-create-user-login-profile",
        (_call("iam:CreateLoginProfile", {"userName": "victim", "passwordResetRequired": False}),),
        ("Console password made or changed for another user",),
        ("Console password made or changed for another user",),
    ),
    Technique(
        "aws.persistence.lambda-backdoor-function",
        (
            _call(
                "lambda:AddPermission20150331v2",
                {
                    "functionName": "victim",
                    "statementId": "backdoor",
                    "action": "lambda:InvokeFunction",
                    "principal": "*",
                },
            ),
        ),
        ("Function opened to another account or to everybody",),
        ("Function opened to another account or to everybody",),
    ),
    Technique(
        "aws.persistence.lambda-layer-extension",
        (
            _call(
                "lambda:UpdateFunctionConfiguration20150331v2",
                {
                    "functionName": "victim",
                    "layers": [f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:extension:1"],
                },
            ),
        ),
        ("Layer put on a function",),
        ("Layer put on a function",),
    ),
    Technique(
        "aws.persistence.lambda-overwrite-code",
        (
            _call(
                "lambda:UpdateFunctionCode20150331v2",
                {"functionName": "victim", "publish": True, "dryRun": False},
            ),
        ),
        ("Code of a function overwritten by hand",),
        ("Code of a function overwritten by hand",),
    ),
    Technique(
        "aws.persistence.rolesanywhere-create-trust-anchor",
        (
            _call(
                "rolesanywhere:CreateTrustAnchor",
                {
                    "name": "anchor",
                    "enabled": True,
                    "source": {
                        "sourceType": "CERTIFICATE_BUNDLE",
                        "sourceData": {"x509CertificateData": "-----BEGIN CERTIFICATE-----"},
                    },
                },
            ),
        ),
        ("Identity provider or trust anchor made or changed",),
        ("Identity provider or trust anchor made or changed",),
    ),
    Technique(
        "aws.persistence.sts-federation-token",
        (
            _call(
                "sts:GetFederationToken",
                {"name": "anything", "policy": _ALL},
                userIdentity=a_user("victim"),
                responseElements={"credentials": {"accessKeyId": "ASIAFEDERATED0000001"}},
            ),
        ),
        ("Federation token with wide rights", "Console session minted from a long-term key"),
        blind="a federation token that was denied gives nothing, and denials of one call are"
        " everyday",
    ),
    Technique(
        "aws.privilege-escalation.iam-update-user-login-profile",
        (_call("iam:UpdateLoginProfile", {"userName": "victim"}),),
        ("Console password made or changed for another user",),
        ("Console password made or changed for another user",),
    ),
    Technique(
        "aws.defense-evasion.cloudtrail-delete",
        (_call("cloudtrail:DeleteTrail", {"name": "trail"}),),
        ("Logging or a detector narrowed or switched off",),
        ("Logging or a detector narrowed or switched off",),
    ),
    Technique(
        "aws.defense-evasion.cloudtrail-event-selectors",
        (
            _call(
                "cloudtrail:PutEventSelectors",
                {
                    "trailName": "trail",
                    "eventSelectors": [
                        {
                            "readWriteType": "ReadOnly",
                            "includeManagementEvents": False,
                            "dataResources": [{"type": "AWS::S3::Object", "values": []}],
                        }
                    ],
                },
            ),
        ),
        ("Audit log narrowed or sent elsewhere",),
        ("Attempt to have a trail record less",),
    ),
    Technique(
        "aws.defense-evasion.cloudtrail-lifecycle-rule",
        (
            _call(
                "s3:PutBucketLifecycle",
                {
                    "bucketName": "trail-bucket",
                    "lifecycle": "",
                    "LifecycleConfiguration": {
                        "Rule": {
                            "Status": "Enabled",
                            "Filter": {"Prefix": "*"},
                            "Expiration": {"Days": 1},
                            "ID": "nuke",
                        }
                    },
                },
            ),
        ),
        ("Bucket's objects set to expire at once",),
        ("Bucket's objects set to expire at once",),
    ),
    Technique(
        "aws.defense-evasion.cloudtrail-stop",
        (_call("cloudtrail:StopLogging", {"name": "trail"}),),
        ("Logging or a detector narrowed or switched off",),
        ("Logging or a detector narrowed or switched off",),
    ),
    Technique(
        "aws.defense-evasion.dns-delete-logs",
        (
            _call(
                "route53resolver:DeleteResolverQueryLogConfig",
                {"resolverQueryLogConfigId": "rqlc-1"},
            ),
        ),
        ("Logging or a detector narrowed or switched off",),
        ("Logging or a detector narrowed or switched off",),
    ),
    Technique(
        "aws.defense-evasion.organizations-leave",
        (_call("organizations:LeaveOrganization", awsRegion="us-east-1"),),
        ("Account or organization taken apart",),
        ("Account or organization taken apart",),
    ),
    Technique(
        "aws.defense-evasion.vpc-remove-flow-logs",
        (
            _call(
                "ec2:DeleteFlowLogs",
                {"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-1"}}},
            ),
        ),
        ("Logging or a detector narrowed or switched off",),
        ("Logging or a detector narrowed or switched off",),
    ),
    Technique(
        "aws.credential-access.ec2-get-password-data",
        _each(30, lambda n: _call("ec2:GetPasswordData", {"instanceId": _instance(n)}, second=n)),
        ("Passwords of many instances asked for",),
        ("Passwords of many instances asked for",),
    ),
    Technique(
        "aws.credential-access.ec2-steal-instance-credentials",
        (
            _call(
                "ssm:SendCommand",
                {"instanceIds": [_instance(1)], "documentName": "AWS-RunShellScript"},
                userIdentity=a_user(),
            ),
            _call("sts:GetCallerIdentity", second=9, userIdentity=_BY_INSTANCE),
            _call("ec2:DescribeInstances", second=10, userIdentity=_BY_INSTANCE),
        ),
        ("Instance's credentials used from an address that a person uses",),
        ("Instance's credentials used from an address that a person uses",),
    ),
    Technique(
        "aws.credential-access.secretsmanager-batch-retrieve-secrets",
        _each(
            2,
            lambda n: _call(
                "secretsmanager:BatchGetSecretValue",
                {"filters": [{"key": "tag-key", "values": ["!none"]}], "maxResults": 10},
                second=n,
            ),
        ),
        ("Secrets read by the batch",),
        ("Secrets read by the batch",),
    ),
    Technique(
        "aws.credential-access.secretsmanager-retrieve-secrets",
        _each(
            20,
            lambda n: _call("secretsmanager:GetSecretValue", {"secretId": f"s-{n}"}, second=n),
        ),
        ("Many secrets read",),
        ("Many secrets read",),
    ),
    Technique(
        "aws.credential-access.ssm-retrieve-securestring-parameters",
        (
            _call("ssm:DescribeParameters"),
            *_each(
                5,
                lambda n: _call(
                    "ssm:GetParameters",
                    {
                        "names": [f"/credentials/{n}-{m}" for m in range(10)],
                        "withDecryption": True,
                    },
                    second=n,
                ),
            ),
        ),
        ("Many parameters decrypted by the batch",),
        ("Many parameters decrypted by the batch",),
    ),
    Technique(
        "aws.discovery.ec2-enumerate-from-instance",
        tuple(
            _call(api, second=n, userIdentity=_BY_INSTANCE, sourceIPAddress="203.0.113.9")
            for n, api in enumerate(_DISCOVERY)
        ),
        ("Account looked through with an instance's credentials",),
        ("Account looked through with an instance's credentials",),
    ),
    Technique(
        "aws.discovery.ec2-download-user-data",
        _each(
            15,
            lambda n: _call(
                "ec2:DescribeInstanceAttribute",
                {"instanceId": _instance(n), "attribute": "userData"},
                second=n,
            ),
        ),
        ("User data of many instances read",),
        ("User data of many instances read",),
    ),
    Technique(
        "aws.discovery.ses-enumerate",
        (
            _call("ses:ListIdentities", {"maxItems": 10}),
            _call("ses:GetSendQuota", second=1),
        ),
        ("SES enumerated",),
        ("SES enumerated",),
    ),
    Technique(
        "aws.lateral-movement.ec2-serial-console-send-ssh-public-key",
        (
            _call("ec2:EnableSerialConsoleAccess", {"EnableSerialConsoleAccessRequest": ""}),
            *_each(
                3,
                lambda n: _call(
                    "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
                    {"instanceId": _instance(n), "serialPort": 0},
                    second=n,
                ),
            ),
        ),
        ("Serial console of an instance opened or used",),
        ("Serial console of an instance opened or used",),
    ),
    Technique(
        "aws.lateral-movement.ec2-instance-connect",
        _each(
            3,
            lambda n: _call(
                "ec2-instance-connect:SendSSHPublicKey",
                {"instanceId": _instance(n), "instanceOSUser": "ec2-user"},
                second=n,
            ),
        ),
        ("SSH keys pushed to several instances",),
        ("SSH keys pushed to several instances",),
    ),
    Technique(
        "aws.exfiltration.ec2-security-group-open-port-22-ingress",
        (
            _call(
                "ec2:AuthorizeSecurityGroupIngress",
                {
                    "groupId": "sg-1",
                    "ipPermissions": {},
                    "ipProtocol": "tcp",
                    "fromPort": 22,
                    "toPort": 22,
                    "cidrIp": "0.0.0.0/0",
                },
            ),
        ),
        ("Security group opened to the internet",),
        ("Security group opened to the internet",),
    ),
    Technique(
        "aws.exfiltration.ec2-share-ami",
        (
            _call(
                "ec2:ModifyImageAttribute",
                {
                    "imageId": "ami-1",
                    "attributeType": "launchPermission",
                    "launchPermission": {"add": {"items": [{"userId": OUTSIDER}]}},
                },
            ),
        ),
        ("Snapshot or image shared with another account",),
        ("Snapshot or image shared with another account",),
    ),
    Technique(
        "aws.exfiltration.ec2-share-ebs-snapshot",
        (
            _call(
                "ec2:ModifySnapshotAttribute",
                {
                    "snapshotId": "snap-1",
                    "attributeType": "CREATE_VOLUME_PERMISSION",
                    "createVolumePermission": {"add": {"items": [{"userId": OUTSIDER}]}},
                },
            ),
        ),
        ("Snapshot or image shared with another account",),
        ("Snapshot or image shared with another account",),
    ),
    Technique(
        "aws.exfiltration.rds-share-snapshot",
        (
            _call(
                "rds:ModifyDBSnapshotAttribute",
                {
                    "dBSnapshotIdentifier": "exfiltration",
                    "attributeName": "restore",
                    "valuesToAdd": [OUTSIDER],
                },
            ),
        ),
        ("Snapshot or image shared with another account",),
        ("Snapshot or image shared with another account",),
    ),
    Technique(
        "aws.exfiltration.s3-backdoor-bucket-policy",
        (
            _call(
                "s3:PutBucketPolicy",
                {
                    **_BUCKET,
                    "policy": "",
                    "bucketPolicy": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": {"AWS": f"arn:aws:iam::{OUTSIDER}:root"},
                                "Action": ["s3:GetObject", "s3:ListBucket"],
                                "Resource": ["arn:aws:s3:::victim/*", "arn:aws:s3:::victim"],
                            }
                        ],
                    },
                },
            ),
        ),
        ("Data or key opened to outsiders", "Bucket policy that names another account"),
        ("Bucket policy that names another account",),
    ),
    Technique(
        "aws.impact.bedrock-invoke-model",
        (
            _call("bedrock:ListFoundationModels"),
            _call("bedrock:InvokeModel", {"modelId": "anthropic.claude-v2"}, second=3),
        ),
        ("Models looked through, then called",),
        ("Models looked through, then called",),
    ),
    Technique(
        "aws.impact.s3-ransomware-batch-deletion",
        (
            _VERSIONS,
            _call(
                "s3:DeleteObjects",
                {**_BUCKET, "delete": "", "x-id": "DeleteObjects"},
                minute=1,
                **_DATA,
            ),
            _NOTE,
        ),
        (
            "Objects deleted or encrypted, and a note left",
            "Bucket listed, then emptied by the batch",
        ),
        (
            "Objects deleted or encrypted, and a note left",
            "Bucket listed, then emptied by the batch",
        ),
    ),
    Technique(
        "aws.impact.s3-ransomware-client-side-encryption",
        (
            _VERSIONS,
            *_each(
                40,
                lambda n: _call(
                    "s3:CopyObject",
                    {**_BUCKET, **_SSE_C, "key": f"file-{n}"},
                    second=n,
                    **_DATA,
                ),
            ),
            _NOTE,
        ),
        (
            "Objects encrypted with a key of the caller's own",
            "Objects deleted or encrypted, and a note left",
        ),
        (
            "Objects encrypted with a key of the caller's own",
            "Objects deleted or encrypted, and a note left",
        ),
    ),
    Technique(
        "aws.impact.s3-ransomware-individual-deletion",
        (
            _VERSIONS,
            *_each(
                40,
                lambda n: _call(
                    "s3:DeleteObject", {**_BUCKET, "key": f"file-{n}"}, second=n, **_DATA
                ),
            ),
            _NOTE,
        ),
        ("Many objects deleted one by one", "Objects deleted or encrypted, and a note left"),
        ("Many objects deleted one by one", "Objects deleted or encrypted, and a note left"),
    ),
    Technique(
        "aws.discovery.bedrock-enumerate-models-multiple-regions",
        tuple(
            _call(
                "bedrock:InvokeModel",
                {"modelId": "anthropic.claude-3-sonnet-20240229-v1:0"},
                second=n,
                awsRegion=region,
            )
            for n, region in enumerate(("us-east-1", "us-west-2", "eu-west-2", "eu-west-3"))
        ),
        ("Model called in several Regions",),
        ("Model called in several Regions",),
    ),
    Technique(
        "aws.defense-evasion.bedrock-guardrail-delete",
        (_call("bedrock:DeleteGuardrail", {"guardrailIdentifier": "guardrail"}),),
        ("Logging or a detector narrowed or switched off",),
        ("Logging or a detector narrowed or switched off",),
    ),
    Technique(
        "aws.defense-evasion.bedrock-model-invocation-logging-delete",
        (_call("bedrock:DeleteModelInvocationLoggingConfiguration"),),
        ("Logging or a detector narrowed or switched off",),
        ("Logging or a detector narrowed or switched off",),
    ),
)
"""By the names of the project's public list; the last three are in its repository beside it."""


def recall_table() -> str:
    """The table in docs/detections.md."""
    lines = ["| Technique | Found by | When denied |", "|---|---|---|"]
    for one in TECHNIQUES:
        refused = "; ".join(one.denied_found_by) or f"no alert: {one.blind}"
        lines.append(f"| `{one.name}` | {'; '.join(one.found_by)} | {refused} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(recall_table(), end="")
