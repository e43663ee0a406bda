"""What each rule of ours on takeover, tampering, reading and destruction finds, and what not.

The records are made from AWS's documentation of each call. The rules that came first have their
cases in `test_detections`; both files together have every rule.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alerts.detections import OUR_RULES
from alerts.detections.hits import TRIED
from tests.an_event import ACCOUNT, a_role_session, a_user, an_event
from tests.rule_runs import alerts_of

Event = dict[str, Any]
OUTSIDER = "444455556666"
OURS = "777788889999"
_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
_INSTANCE = "i-0123456789abcdef0"
_PIPELINE = a_role_session("github-deploy", "GitHubActions")
_SSO = a_role_session("AWSReservedSSO_AdministratorAccess_0123456789abcdef", "ann@example.com")
_BY_SERVICE = {"userIdentity": a_role_session(invokedBy="cloudformation.amazonaws.com")}


def _at(minute: int = 0, second: int = 0, hour: int = 12, day: int = 10) -> str:
    return f"2026-03-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"


def _call(api: str, parameters: Any = None, minute: int = 0, **changes: Any) -> Event:
    source, name = api.split(":")
    return an_event(
        **{
            "eventTime": _at(minute),
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "requestParameters": parameters,
            "readOnly": False,
            **changes,
        }
    )


def _denied(event: Event) -> Event:
    return event | {"errorCode": "AccessDenied", "errorMessage": "is not authorized"}


def _many(number: int, api: str, field: str, minutes: int = 0, **parameters: Any) -> list[Event]:
    """So many calls, each of a value of its own, within the minutes."""
    return [
        _call(
            api,
            {**parameters, field: f"value-{n}"},
            eventTime=_at(n * minutes // max(number - 1, 1), n % 60),
        )
        for n in range(number)
    ]


def _policy(action: Any = "*", resource: Any = "*", **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _trust(principal: Any, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _ingress(port: int, cidr: str, **changes: Any) -> Event:
    permission = {
        "ipProtocol": "tcp",
        "fromPort": port,
        "toPort": port,
        "ipRanges": {"items": [{"cidrIp": cidr}]},
    }
    return _call(
        "ec2:AuthorizeSecurityGroupIngress",
        {"groupId": "sg-1", "ipPermissions": {"items": [permission]}},
        **changes,
    )


def _run(kind: str, count: int = 1, **changes: Any) -> Event:
    machines = {"items": [{"imageId": "ami-1", "minCount": 1, "maxCount": count}]}
    return _call("ec2:RunInstances", {"instancesSet": machines, "instanceType": kind}, **changes)


def _by_instance(api: str, address: str, minute: int = 0, day: int = 10) -> Event:
    return _call(
        api,
        eventTime=_at(minute, day=day),
        userIdentity=a_role_session("web", _INSTANCE),
        sourceIPAddress=address,
    )


def _selectors(management: bool, values: list[str]) -> Event:
    selector = {
        "readWriteType": "All",
        "includeManagementEvents": management,
        "dataResources": [{"type": "AWS::S3::Object", "values": values}],
    }
    return _call(
        "cloudtrail:PutEventSelectors", {"trailName": "trail", "eventSelectors": [selector]}
    )


def _expires(days: int) -> Event:
    rule = {"Status": "Enabled", "Expiration": {"Days": days}, "ID": "tidy"}
    return _call(
        "s3:PutBucketLifecycle", {"bucketName": "b", "LifecycleConfiguration": {"Rule": rule}}
    )


def _object(api: str, key: str, minute: int = 0, **more: Any) -> Event:
    return _call(api, {"bucketName": "data", "key": key, **more}, minute, eventCategory="Data")


def _bucket_policy(account: str) -> Event:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::data/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return _call("s3:PutBucketPolicy", {"bucketName": "data", "bucketPolicy": policy})


def _sign_in(user: str, minute: int, failed: bool = True, address: str = "203.0.113.9") -> Event:
    return an_event(
        eventTime=_at(minute),
        eventSource="signin.amazonaws.com",
        eventName="ConsoleLogin",
        eventType="AwsConsoleSignIn",
        userIdentity=a_user(user, accessKeyId=None),
        sourceIPAddress=address,
        responseElements={"ConsoleLogin": "Failure" if failed else "Success"},
        errorMessage="Failed authentication" if failed else None,
        additionalEventData={"MFAUsed": "Yes"},
    )


_LOGS_OF_OURS = an_event(recipientAccountId=OURS, eventTime=_at(hour=8))
"""An event of the company's other account, which makes it one that is known here."""

# title → (cases that are found, near misses that are not)
CASES: dict[str, tuple[dict[str, list[Event]], dict[str, list[Event]]]] = {
    "Administrator's rights given": (
        {
            "to a user": [_call("iam:AttachUserPolicy", {"userName": "x", "policyArn": _ADMIN})],
            "in vain": [
                _denied(_call("iam:AttachRolePolicy", {"roleName": "x", "policyArn": _ADMIN}))
            ],
        },
        {
            "another policy": [
                _call(
                    "iam:AttachRolePolicy",
                    {"roleName": "x", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
                )
            ],
            "taken away": [_call("iam:DetachUserPolicy", {"userName": "x", "policyArn": _ADMIN})],
            "by Identity Center, to a role of its own": [
                _call(
                    "iam:AttachRolePolicy",
                    {"roleName": "AWSReservedSSO_Admin_0123456789abcdef", "policyArn": _ADMIN},
                )
            ],
        },
    ),
    "A user gave rights to itself": (
        {
            "an inline policy": [
                _call("iam:PutUserPolicy", {"userName": "alice", "policyName": "p"})
            ],
            "a group": [_call("iam:AddUserToGroup", {"userName": "alice", "groupName": "g"})],
        },
        {
            "to another": [_call("iam:PutUserPolicy", {"userName": "bob", "policyName": "p"})],
            "by a role": [
                _call("iam:PutUserPolicy", {"userName": "alice"}, userIdentity=a_role_session())
            ],
        },
    ),
    "A role's session gave rights to its own role": (
        {
            "an inline policy": [
                _call("iam:PutRolePolicy", {"roleName": "reader"}, userIdentity=a_role_session())
            ]
        },
        {
            "to another role": [
                _call("iam:PutRolePolicy", {"roleName": "writer"}, userIdentity=a_role_session())
            ]
        },
    ),
    "Console password made or changed for another user": (
        {
            "made": [_call("iam:CreateLoginProfile", {"userName": "bob"})],
            "changed, in vain": [_denied(_call("iam:UpdateLoginProfile", {"userName": "bob"}))],
        },
        {
            "one's own": [_call("iam:UpdateLoginProfile", {"userName": "alice"})],
            "by the user, who knows the old one": [_call("iam:ChangePassword")],
            "there is one already": [
                _call(
                    "iam:CreateLoginProfile",
                    {"userName": "bob"},
                    errorCode="EntityAlreadyExistsException",
                )
            ],
        },
    ),
    "Change of rights or users denied": (
        {
            "a user": [_denied(_call("iam:CreateUser", {"userName": "x"}))],
            "a trust": [_denied(_call("iam:UpdateAssumeRolePolicy", {"roleName": "x"}))],
        },
        {
            "done": [_call("iam:CreateUser", {"userName": "x"})],
            "a look": [_denied(_call("iam:GetUser", {"userName": "x"}))],
            "one's own key": [_denied(_call("iam:CreateAccessKey", {"userName": "alice"}))],
            "not found": [
                _call("iam:PutUserPolicy", {"userName": "x"}, errorCode="NoSuchEntityException")
            ],
        },
    ),
    "User made, given rights and credentials at once": (
        {
            "in any order within the hour": [
                _call("iam:CreateUser", {"userName": "x"}),
                _call("iam:CreateAccessKey", {"userName": "x"}, 10),
                _call("iam:AddUserToGroup", {"userName": "x", "groupName": "g"}, 50),
            ]
        },
        {
            "without credentials": [
                _call("iam:CreateUser", {"userName": "x"}),
                _call("iam:AddUserToGroup", {"userName": "x", "groupName": "g"}, 1),
            ],
            "of different users": [
                _call("iam:CreateUser", {"userName": "x"}),
                _call("iam:CreateAccessKey", {"userName": "y"}, 1),
                _call("iam:AddUserToGroup", {"userName": "z", "groupName": "g"}, 2),
            ],
            "over two hours": [
                _call("iam:CreateUser", {"userName": "x"}),
                _call("iam:CreateAccessKey", {"userName": "x"}, eventTime=_at(hour=13)),
                _call("iam:AddUserToGroup", {"userName": "x"}, eventTime=_at(hour=14)),
            ],
        },
    ),
    "A user gave itself rights and a further key": (
        {
            "within the day": [
                _call("iam:PutUserPolicy", {"userName": "alice", "policyName": "p"}),
                _call("iam:CreateAccessKey", None, eventTime=_at(hour=20)),
            ]
        },
        {
            "the key alone": [_call("iam:CreateAccessKey")],
            "the key for another": [
                _call("iam:PutUserPolicy", {"userName": "alice", "policyName": "p"}),
                _call("iam:CreateAccessKey", {"userName": "bob"}, 1),
            ],
            "two people": [
                _call("iam:PutUserPolicy", {"userName": "alice", "policyName": "p"}),
                _call("iam:CreateAccessKey", None, 1, userIdentity=a_user("bob")),
            ],
        },
    ),
    "Permissions boundary or password policy taken away": (
        {"a boundary": [_call("iam:DeleteRolePermissionsBoundary", {"roleName": "x"})]},
        {"a boundary set": [_call("iam:PutRolePermissionsBoundary", {"roleName": "x"})]},
    ),
    "MFA device taken from another user": (
        {"another's": [_call("iam:DeactivateMFADevice", {"userName": "bob"})]},
        {
            "one's own": [_call("iam:DeactivateMFADevice", {"userName": "alice"})],
            "one added": [_call("iam:EnableMFADevice", {"userName": "bob"})],
        },
    ),
    "Identity provider or trust anchor made or changed": (
        {
            "a trust anchor": [_call("rolesanywhere:CreateTrustAnchor", {"name": "a"})],
            "a SAML provider": [_call("iam:CreateSAMLProvider", {"name": "a"})],
        },
        {
            "one read": [_call("iam:GetSAMLProvider")],
            "one deleted": [_call("rolesanywhere:DeleteTrustAnchor")],
        },
    ),
    "Denied, then rights given": (
        {
            "denied first": [
                _denied(_call("s3:ListBuckets")),
                _call("iam:PutUserPolicy", {"userName": "alice"}, 20),
            ],
            "in the same second": [
                _call("iam:PutUserPolicy", {"userName": "alice"}),
                _denied(_call("s3:ListBuckets")),
            ],
        },
        {
            "given first": [
                _call("iam:PutUserPolicy", {"userName": "alice"}),
                _denied(_call("s3:ListBuckets", minute=20)),
            ],
            "an hour between": [
                _denied(_call("s3:ListBuckets")),
                _call("iam:PutUserPolicy", {"userName": "alice"}, eventTime=_at(hour=13)),
            ],
            "given by somebody else": [
                _denied(_call("s3:ListBuckets")),
                _call("iam:PutUserPolicy", {"userName": "alice"}, 5, userIdentity=a_user("bob")),
            ],
            "denied again": [
                _denied(_call("s3:ListBuckets")),
                _denied(_call("iam:PutUserPolicy", {"userName": "alice"}, 5)),
            ],
        },
    ),
    "Rights looked into, then given": (
        {
            "by a script": [
                _call("iam:GetAccountAuthorizationDetails"),
                _call("iam:AttachUserPolicy", {"userName": "bob"}, 30),
            ]
        },
        {
            "in the console": [
                _call("iam:ListUserPolicies", sessionCredentialFromConsole="true"),
                _call("iam:AttachUserPolicy", {"userName": "bob"}, 30),
            ],
            "given first": [
                _call("iam:AttachUserPolicy", {"userName": "bob"}),
                _call("iam:GetAccountAuthorizationDetails", minute=30),
            ],
        },
    ),
    "Many different calls denied": (
        {
            "six": [
                _denied(_call(f"{source}:List{source.title()}", minute=n))
                for n, source in enumerate(("s3", "iam", "ec2", "kms", "sqs", "sns"))
            ]
        },
        {
            "one call many times": [_denied(_call("s3:ListBuckets", minute=n)) for n in range(9)],
            "by a service": [
                _denied(_call(f"{source}:List{source.title()}", minute=n, **_BY_SERVICE))
                for n, source in enumerate(("s3", "iam", "ec2", "kms", "sqs", "sns"))
            ],
            "not found": [
                _call(f"{source}:List{source.title()}", minute=n, errorCode="NotFoundException")
                for n, source in enumerate(("s3", "iam", "ec2", "kms", "sqs", "sns"))
            ],
        },
    ),
    "Many secrets, keys or backups deleted": (
        {"ten secrets": _many(10, "secretsmanager:DeleteSecret", "secretId", 5)},
        {
            "nine": _many(9, "secretsmanager:DeleteSecret", "secretId", 5),
            "over hours": [
                _call("kms:ScheduleKeyDeletion", {"keyId": str(n)}, eventTime=_at(hour=n))
                for n in range(12)
            ],
        },
    ),
    "Security group opened to the internet": (
        {
            "SSH": [_ingress(22, "0.0.0.0/0")],
            "a database, in vain": [_denied(_ingress(5432, "0.0.0.0/0"))],
            "the short form": [
                _call(
                    "ec2:AuthorizeSecurityGroupIngress",
                    {"groupId": "sg", "ipProtocol": "tcp", "fromPort": 3389, "cidrIp": "0.0.0.0/0"},
                )
            ],
        },
        {
            "the web": [_ingress(443, "0.0.0.0/0")],
            "one's own network": [_ingress(22, "10.0.0.0/8")],
            "closed": [_ingress(22, "0.0.0.0/0") | {"eventName": "RevokeSecurityGroupIngress"}],
        },
    ),
    "User data of an instance changed": (
        {
            "its content hidden, as AWS does": [
                _call(
                    "ec2:ModifyInstanceAttribute",
                    {"instanceId": _INSTANCE, "userData": "<sensitiveDataRemoved>"},
                )
            ]
        },
        {
            "another attribute": [
                _call(
                    "ec2:ModifyInstanceAttribute",
                    {"instanceId": _INSTANCE, "disableApiTermination": {"value": False}},
                )
            ]
        },
    ),
    "Serial console of an instance opened or used": (
        {
            "switched on": [_call("ec2:EnableSerialConsoleAccess")],
            "a key": [_call("ec2-instance-connect:SendSerialConsoleSSHPublicKey")],
        },
        {
            "looked at": [_call("ec2:GetSerialConsoleAccessStatus")],
            "off": [_call("ec2:DisableSerialConsoleAccess")],
        },
    ),
    "SSH keys pushed to several instances": (
        {"three": _many(3, "ec2-instance-connect:SendSSHPublicKey", "instanceId", 5)},
        {
            "one again and again": [
                _call("ec2-instance-connect:SendSSHPublicKey", {"instanceId": "i"}, n)
                for n in range(9)
            ]
        },
    ),
    "Shell sessions begun on several instances": (
        {"three": _many(3, "ssm:StartSession", "target", 5)},
        {
            "two": _many(2, "ssm:StartSession", "target", 5),
            "three in a day": [
                _call("ssm:StartSession", {"target": str(n)}, eventTime=_at(hour=8 + n))
                for n in range(3)
            ],
        },
    ),
    "Commands sent to several instances one by one": (
        {
            "three": [
                _call(
                    "ssm:SendCommand",
                    {"instanceIds": [f"i-{n}"], "documentName": "AWS-RunShellScript"},
                    n,
                )
                for n in range(3)
            ]
        },
        {
            "a patch": [
                _call(
                    "ssm:SendCommand",
                    {"instanceIds": [f"i-{n}"], "documentName": "AWS-RunPatchBaseline"},
                    n,
                )
                for n in range(3)
            ]
        },
    ),
    "Command sent to several instances at once": (
        {
            "named": [
                _call(
                    "ssm:SendCommand",
                    {"instanceIds": ["i-1", "i-2"], "documentName": "AWS-RunShellScript"},
                )
            ],
            "by a tag": [
                _call(
                    "ssm:SendCommand",
                    {"targets": [{"key": "tag:a"}], "documentName": "AWS-RunPowerShellScript"},
                )
            ],
        },
        {
            "one": [
                _call(
                    "ssm:SendCommand",
                    {"instanceIds": ["i-1"], "documentName": "AWS-RunShellScript"},
                )
            ],
            "a maintenance window": [
                _call(
                    "ssm:SendCommand",
                    {"instanceIds": ["i-1", "i-2"], "documentName": "AWS-RunShellScript"},
                    userIdentity=a_role_session(invokedBy="ssm.amazonaws.com"),
                )
            ],
        },
    ),
    "Unusual or many instances launched": (
        {
            "a graphics card": [_run("g5.xlarge")],
            "twenty": [_run("t3.micro", 20)],
            "stopped by the limit": [_run("p3.8xlarge", errorCode="Client.VcpuLimitExceeded")],
        },
        {
            "an ordinary one": [_run("t3.large")],
            "by a scaling group": [_run("g5.xlarge", sourceIPAddress="autoscaling.amazonaws.com")],
        },
    ),
    "Passwords of many instances asked for": (
        {"four": _many(4, "ec2:GetPasswordData", "instanceId", 2)},
        {"one, by somebody who forgot it": _many(1, "ec2:GetPasswordData", "instanceId")},
    ),
    "User data of many instances read": (
        {"five": _many(5, "ec2:DescribeInstanceAttribute", "instanceId", attribute="userData")},
        {
            "another attribute": _many(
                9, "ec2:DescribeInstanceAttribute", "instanceId", attribute="instanceType"
            )
        },
    ),
    "Code of a function overwritten by hand": (
        {"with a user's key": [_call("lambda:UpdateFunctionCode20150331v2")]},
        {
            "by a pipeline": [_call("lambda:UpdateFunctionCode20150331v2", userIdentity=_PIPELINE)],
            "by CloudFormation": [_call("lambda:UpdateFunctionCode20150331v2", **_BY_SERVICE)],
            "a dry run": [_call("lambda:UpdateFunctionCode20150331v2", {"dryRun": True})],
        },
    ),
    "Layer put on a function": (
        {
            "a layer": [
                _call("lambda:UpdateFunctionConfiguration20150331v2", {"layers": ["arn:aws:x"]})
            ]
        },
        {
            "none": [_call("lambda:UpdateFunctionConfiguration20150331v2", {"layers": []})],
            "its memory": [
                _call("lambda:UpdateFunctionConfiguration20150331v2", {"memorySize": 256})
            ],
        },
    ),
    "Function opened to another account or to everybody": (
        {
            "everybody": [_call("lambda:AddPermission20150331v2", {"principal": "*"})],
            "an account": [_call("lambda:AddPermission20150331v2", {"principal": OUTSIDER})],
            "an address without sign-in": [
                _call("lambda:CreateFunctionUrlConfig", {"authType": "NONE"})
            ],
        },
        {
            "a service": [
                _call("lambda:AddPermission20150331v2", {"principal": "s3.amazonaws.com"})
            ],
            "an address with sign-in": [
                _call("lambda:CreateFunctionUrlConfig", {"authType": "AWS_IAM"})
            ],
        },
    ),
    "Start script of a notebook changed": (
        {
            "put on": [
                _call("sagemaker:UpdateNotebookInstance", {"lifecycleConfigName": "c"}),
            ]
        },
        {"its size": [_call("sagemaker:UpdateNotebookInstance", {"instanceType": "ml.t3.large"})]},
    ),
    "Instance's credentials used from an address that a person uses": (
        {
            "of a user": [
                an_event(sourceIPAddress="203.0.113.9"),
                _by_instance("sts:GetCallerIdentity", "203.0.113.9", 30),
            ],
            "of a person, the other way round": [
                _by_instance("sts:GetCallerIdentity", "203.0.113.9"),
                an_event(eventTime=_at(30), sourceIPAddress="203.0.113.9", userIdentity=_SSO),
            ],
        },
        {
            "different addresses": [
                an_event(sourceIPAddress="203.0.113.9"),
                _by_instance("sts:GetCallerIdentity", "198.51.100.9", 30),
            ],
            "the way out that the role has used before": [
                _by_instance("sts:GetCallerIdentity", "203.0.113.9", day=7),
                an_event(sourceIPAddress="203.0.113.9"),
                _by_instance("sts:GetCallerIdentity", "203.0.113.9", 30),
            ],
            "hours between": [
                an_event(sourceIPAddress="203.0.113.9", eventTime=_at(hour=8)),
                _by_instance("sts:GetCallerIdentity", "203.0.113.9", 30),
            ],
        },
    ),
    "Account looked through with an instance's credentials": (
        {
            "five calls": [
                _by_instance(api, "203.0.113.9", n)
                for n, api in enumerate(
                    (
                        "sts:GetCallerIdentity",
                        "s3:ListBuckets",
                        "iam:ListUsers",
                        "iam:ListRoles",
                        "ec2:DescribeSnapshots",
                    )
                )
            ]
        },
        {
            "one call often": [
                _by_instance("ec2:DescribeInstances", "203.0.113.9", n) for n in range(9)
            ],
            "its own work": [
                _by_instance(api, "203.0.113.9", n)
                for n, api in enumerate(
                    ("s3:GetObject", "sqs:ReceiveMessage", "kms:Decrypt", "ssm:GetParameter")
                )
            ],
        },
    ),
    "Attempt to have a trail record less": (
        {"denied": [_denied(_selectors(False, []))]},
        {"done, which is another rule's": [_selectors(False, [])]},
    ),
    "Audit log narrowed or sent elsewhere": (
        {
            "no management events": [_selectors(False, [])],
            "one Region alone": [
                _call("cloudtrail:UpdateTrail", {"name": "t", "isMultiRegionTrail": False})
            ],
        },
        {
            "all management events": [_selectors(True, [])],
            "objects as well": [_selectors(True, ["arn:aws:s3:::"])],
            "all Regions": [
                _call("cloudtrail:UpdateTrail", {"name": "t", "isMultiRegionTrail": True})
            ],
        },
    ),
    "Bucket's objects set to expire at once": (
        {"after a day": [_expires(1)]},
        {"after a month": [_expires(31)], "after ten days": [_expires(10)]},
    ),
    "Log group deleted by somebody": (
        {"of a trail": [_call("logs:DeleteLogGroup", {"logGroupName": "aws-cloudtrail-logs"})]},
        {"of an application": [_call("logs:DeleteLogGroup", {"logGroupName": "/shop/web"})]},
    ),
    "Encryption of new disks switched off": (
        {"off": [_call("ec2:DisableEbsEncryptionByDefault")]},
        {"on": [_call("ec2:EnableEbsEncryptionByDefault")]},
    ),
    "Many objects read": (
        {"two hundred in a minute": [_object("s3:GetObject", f"{n}", n // 60) for n in range(200)]},
        {
            "by a role for data": [
                _object("s3:GetObject", f"{n}", n // 60)
                | {"userIdentity": a_role_session("etl", "job-1")}
                for n in range(200)
            ],
            "one object often": [_object("s3:GetObject", "logo", n // 60) for n in range(300)],
        },
    ),
    "Many parameters decrypted by the batch": (
        {
            "by tens": [
                _call(
                    "ssm:GetParameters",
                    {"names": [f"{n}-{m}" for m in range(10)], "withDecryption": True},
                    n,
                )
                for n in range(2)
            ],
            "all there are": [
                _call("ssm:GetParametersByPath", {"path": "/", "withDecryption": True}, n)
                for n in range(2)
            ],
        },
        {
            "an application's own": [
                _call("ssm:GetParametersByPath", {"path": "/shop/", "withDecryption": True}, n)
                for n in range(9)
            ],
            "without their text": [
                _call(
                    "ssm:GetParameters",
                    {"names": [f"{n}-{m}" for m in range(10)], "withDecryption": False},
                    n,
                )
                for n in range(2)
            ],
        },
    ),
    "Many parameters decrypted": (
        {
            "twenty": _many(20, "ssm:GetParameter", "name", 5, withDecryption=True),
        },
        {
            "one often": [
                _call("ssm:GetParameter", {"name": "/a", "withDecryption": True}, n // 6)
                for n in range(40)
            ],
            "not decrypted": _many(20, "ssm:GetParameter", "name", 5, withDecryption=False),
        },
    ),
    "Secrets read by the batch": (
        {
            "by a filter": [
                _call("secretsmanager:BatchGetSecretValue", {"filters": [{"key": "all"}]})
            ]
        },
        {
            "three by name": [
                _call("secretsmanager:BatchGetSecretValue", {"secretIdList": ["a", "b", "c"]})
            ]
        },
    ),
    "Account or organization taken apart": (
        {
            "left": [_call("organizations:LeaveOrganization")],
            "in vain": [_denied(_call("organizations:LeaveOrganization"))],
        },
        {"looked at": [_call("organizations:DescribeOrganization")]},
    ),
    "Member account's root user or a Region opened up": (
        {"a Region": [_call("account:EnableRegion", {"regionName": "af-south-1"})]},
        {"a Region closed": [_call("account:DisableRegion", {"regionName": "af-south-1"})]},
    ),
    "Data taken out by an export or a replica": (
        {
            "an image": [_call("ec2:CreateStoreImageTask", {"bucket": "b"})],
            "a database": [_call("rds:ModifyDBInstance", {"publiclyAccessible": True})],
        },
        {"a database changed": [_call("rds:ModifyDBInstance", {"publiclyAccessible": False})]},
    ),
    "Objects encrypted with a key of the caller's own": (
        {
            "five": [
                _object(
                    "s3:CopyObject",
                    f"{n}",
                    **{"x-amz-server-side-encryption-customer-algorithm": "AES256"},
                )
                for n in range(5)
            ]
        },
        {
            "with AWS's key": [
                _object("s3:CopyObject", f"{n}", **{"x-amz-server-side-encryption": "AES256"})
                for n in range(9)
            ],
        },
    ),
    "Many objects deleted one by one": (
        {"twenty-five": [_object("s3:DeleteObject", f"{n}", n // 10) for n in range(25)]},
        {
            "by S3's own rules": [
                _object("s3:DeleteObject", f"{n}") | _BY_SERVICE for n in range(40)
            ],
            "twenty-four": [_object("s3:DeleteObject", f"{n}", n // 10) for n in range(24)],
        },
    ),
    "Objects deleted or encrypted, and a note left": (
        {
            "by the batch": [
                _call("s3:DeleteObjects", {"bucketName": "data", "delete": ""}),
                _object("s3:PutObject", "HOW_TO_RECOVER.txt", 5),
            ]
        },
        {
            "an ordinary object": [
                _call("s3:DeleteObjects", {"bucketName": "data", "delete": ""}),
                _object("s3:PutObject", "2026/03/orders.parquet", 5),
            ],
            "another bucket": [
                _call("s3:DeleteObjects", {"bucketName": "other", "delete": ""}),
                _object("s3:PutObject", "HOW_TO_RECOVER.txt", 5),
            ],
        },
    ),
    "Bucket listed, then emptied by the batch": (
        {
            "its versions": [
                _call("s3:ListObjectVersions", {"bucketName": "data"}),
                _call("s3:DeleteObjects", {"bucketName": "data", "delete": ""}, 5),
            ]
        },
        {
            "another": [
                _call("s3:ListObjectVersions", {"bucketName": "other"}),
                _call("s3:DeleteObjects", {"bucketName": "data", "delete": ""}, 5),
            ]
        },
    ),
    "What protects a bucket's objects switched off": (
        {
            "suspended": [
                _call(
                    "s3:PutBucketVersioning", {"VersioningConfiguration": {"Status": "Suspended"}}
                )
            ]
        },
        {
            "on": [
                _call("s3:PutBucketVersioning", {"VersioningConfiguration": {"Status": "Enabled"}})
            ]
        },
    ),
    "SES enumerated": (
        {
            "limits and senders": [
                _call("ses:GetSendQuota"),
                _call("ses:ListIdentities", minute=1),
            ]
        },
        {
            "in the console": [
                _call("ses:GetSendQuota", sessionCredentialFromConsole="true"),
                _call("ses:ListIdentities", minute=1, sessionCredentialFromConsole="true"),
            ],
            "the quota, again and again": [_call("ses:GetSendQuota", minute=n) for n in range(9)],
        },
    ),
    "Models opened up outside the console": (
        {"by a role": [_call("bedrock:PutUseCaseForModelAccess", userIdentity=a_role_session())]},
        {
            "in the console": [
                _call("bedrock:PutUseCaseForModelAccess", sessionCredentialFromConsole="true")
            ]
        },
    ),
    "Models looked through, then called": (
        {
            "by one": [
                _call("bedrock:ListFoundationModels"),
                _call("bedrock:InvokeModel", {"modelId": "m"}, 20),
            ]
        },
        {
            "called alone": [_call("bedrock:InvokeModel", {"modelId": "m"}, n) for n in range(9)],
            "by two": [
                _call("bedrock:ListFoundationModels"),
                _call("bedrock:InvokeModel", {"modelId": "m"}, 20, userIdentity=a_user("bob")),
            ],
        },
    ),
    "Several models tried out in vain": (
        {"two": [_denied(_call("bedrock:InvokeModel", {"modelId": f"m{n}"}, n)) for n in range(2)]},
        {
            "one, throttled and refused": [
                _denied(_call("bedrock:InvokeModel", {"modelId": "m"}, n)) for n in range(9)
            ]
        },
    ),
    "Model called in several Regions": (
        {
            "three": [
                _call("bedrock:InvokeModel", {"modelId": "m"}, awsRegion=region)
                for region in ("us-east-1", "eu-west-1", "eu-west-3")
            ]
        },
        {"one": [_call("bedrock:InvokeModel", {"modelId": "m"}, n) for n in range(9)]},
    ),
    "Password of one user guessed at": (
        {"ten times": [_sign_in("alice", n // 2) for n in range(10)]},
        {
            "thrice": [_sign_in("alice", n) for n in range(3)],
            "signed in ten times": [_sign_in("alice", n // 2, failed=False) for n in range(10)],
        },
    ),
    "Passwords of several users guessed at from one address": (
        {"five users": [_sign_in(f"user{n}", n * 5) for n in range(5)]},
        {
            "one address each": [
                _sign_in(f"user{n}", n * 5, address=f"203.0.113.{n}") for n in range(5)
            ]
        },
    ),
    "Call by an attacker's tool or system": (
        {"Kali": [an_event(userAgent="aws-cli/2.15 Python/3.11 Linux/6.5.0-kali3-amd64")]},
        {"an ordinary one": [an_event()]},
    ),
    "Policy written that allows everything": (
        {
            "inline": [_call("iam:PutUserPolicy", {"userName": "x", "policyDocument": _policy()})],
            "a version": [
                _call(
                    "iam:CreatePolicyVersion",
                    {"policyArn": "p", "policyDocument": _policy(["*"], ["*"])},
                )
            ],
        },
        {
            "one bucket": [
                _call(
                    "iam:PutRolePolicy",
                    {
                        "roleName": "x",
                        "policyDocument": _policy("s3:*", "arn:aws:s3:::data/*"),
                    },
                )
            ],
            "denied": [
                _denied(_call("iam:PutUserPolicy", {"userName": "x", "policyDocument": _policy()}))
            ],
        },
    ),
    "Federation token with wide rights": (
        {
            "all": [_call("sts:GetFederationToken", {"name": "x", "policy": _policy()})],
        },
        {
            "one bucket": [
                _call(
                    "sts:GetFederationToken",
                    {"name": "x", "policy": _policy("s3:GetObject", "arn:aws:s3:::data/*")},
                )
            ]
        },
    ),
    "Role opened to outsiders": (
        {
            "an account never seen": [
                _call(
                    "iam:CreateRole",
                    {
                        "roleName": "x",
                        "assumeRolePolicyDocument": _trust(
                            {"AWS": f"arn:aws:iam::{OUTSIDER}:root"}
                        ),
                    },
                )
            ],
            "anybody": [
                _call(
                    "iam:UpdateAssumeRolePolicy",
                    {"roleName": "x", "policyDocument": _trust({"AWS": "*"})},
                )
            ],
        },
        {
            "one's own account": [
                _call(
                    "iam:CreateRole",
                    {
                        "roleName": "x",
                        "assumeRolePolicyDocument": _trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
                    },
                )
            ],
            "another account of the company's": [
                _LOGS_OF_OURS,
                _call(
                    "iam:CreateRole",
                    {
                        "roleName": "x",
                        "assumeRolePolicyDocument": _trust({"AWS": f"arn:aws:iam::{OURS}:root"}),
                    },
                ),
            ],
            "a service": [
                _call(
                    "iam:CreateRole",
                    {
                        "roleName": "x",
                        "assumeRolePolicyDocument": _trust({"Service": "ec2.amazonaws.com"}),
                    },
                )
            ],
        },
    ),
    "Data or key opened to outsiders": (
        {"a bucket": [_bucket_policy(OUTSIDER)]},
        {"to an account of the company's": [_LOGS_OF_OURS, _bucket_policy(OURS)]},
    ),
    "Credential of another kind made for a user": (
        {
            "a key that was off": [
                _call(
                    "iam:UpdateAccessKey",
                    {"userName": "bob", "accessKeyId": "AKIA1", "status": "Active"},
                )
            ]
        },
        {
            "a key switched off": [
                _call(
                    "iam:UpdateAccessKey",
                    {"userName": "bob", "accessKeyId": "AKIA1", "status": "Inactive"},
                )
            ]
        },
    ),
    "Objects written under a key of another account": (
        {
            "of an account never seen": [
                _object(
                    "s3:CopyObject",
                    "a",
                    **{
                        "x-amz-server-side-encryption": "aws:kms",
                        "x-amz-server-side-encryption-aws-kms-key-id": (
                            f"arn:aws:kms:us-east-1:{OUTSIDER}:key/1"
                        ),
                    },
                )
            ]
        },
        {
            "of one's own": [
                _object(
                    "s3:CopyObject",
                    "a",
                    **{
                        "x-amz-server-side-encryption": "aws:kms",
                        "x-amz-server-side-encryption-aws-kms-key-id": (
                            f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
                        ),
                    },
                )
            ]
        },
    ),
    "Mail opened up": (
        {
            "out of the sandbox": [
                _call(
                    "ses:PutAccountDetails",
                    {"productionAccessEnabled": True, "mailType": "MARKETING"},
                )
            ]
        },
        {"looked at": [_call("ses:GetAccount")]},
    ),
}


@cache
def _file_of(title: str) -> Path:
    (file,) = [file for file in OUR_RULES.glob("*.yml") if f"title: {title}\n" in file.read_text()]
    return file


@cache
def _found_of(title: str) -> frozenset[str]:
    """The cases of a rule in which it raises an alert, each case in a month of its own."""
    found, left = CASES[title]
    months = {f"{2010 + n // 12}-{n % 12 + 1:02d}-": n for n in range(len(found) + len(left))}
    named = [*found, *left]
    events = [
        json.loads(json.dumps(event).replace("2026-03-", month))
        for month, case in zip(months, [*found.values(), *left.values()], strict=True)
        for event in case
    ]
    return frozenset(
        named[months[f"{alert.first_seen:%Y-%m-}"]]
        for alert in alerts_of(events, _file_of(title))
        if alert.title.removesuffix(TRIED) == title
    )


@pytest.mark.parametrize(
    ("title", "case"), [(title, case) for title, (found, _) in CASES.items() for case in found]
)
def test_found(title: str, case: str) -> None:
    assert case in _found_of(title)


@pytest.mark.parametrize(
    ("title", "case"), [(title, case) for title, (_, left) in CASES.items() for case in left]
)
def test_left_alone(title: str, case: str) -> None:
    assert case not in _found_of(title)


def test_the_cases_of_a_rule_have_different_names() -> None:
    assert not [title for title, (found, left) in CASES.items() if found.keys() & left.keys()]
