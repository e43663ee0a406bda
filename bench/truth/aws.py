"""Ids, keys and CloudTrail records as AWS writes them (domain reference, sections 1 and 2)."""

from __future__ import annotations

import base64
import random
from datetime import datetime
from typing import Any

Json = dict[str, Any]

CLI_AGENTS = (
    "aws-cli/2.17.32 md/awscrt#0.21.2 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.11.9",
    "Boto3/1.34.51 md/Botocore#1.34.51 ua/2.0 os/linux#6.1.0 lang/python#3.12.2",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 aws-sdk-go-v2/1.30.3 os/linux",
    "aws-sdk-go/1.44.298 (go1.20.5; linux; amd64)",
)
BROWSER = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/134.0.0.0 Safari/537.36"
)
CLOUDSHELL_AGENT = "aws-cli/2.17.32 exec-env/CloudShell md/arch#x86_64 lang/python#3.11.9"
INTERNAL = "AWS Internal"

CALLS: tuple[tuple[str, str, bool, Json | None], ...] = (
    ("iam.amazonaws.com", "CreateUser", False, {"userName": "backup-svc"}),
    ("ec2.amazonaws.com", "DescribeInstances", True, {"instancesSet": {}, "filterSet": {}}),
    ("s3.amazonaws.com", "ListBuckets", True, {"Host": "s3.amazonaws.com"}),
    ("secretsmanager.amazonaws.com", "GetSecretValue", True, {"secretId": "prod/db"}),
    ("iam.amazonaws.com", "ListUsers", True, None),
    ("kms.amazonaws.com", "Decrypt", True, {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
    ("ec2.amazonaws.com", "RunInstances", False, {"instanceType": "p3.16xlarge"}),
    ("cloudtrail.amazonaws.com", "StopLogging", False, {"name": "main"}),
)
"""What sessions do, as source, name, readOnly and requestParameters."""

REGIONS = ("us-east-1", "eu-west-1", "us-west-2", "ap-southeast-2")


def account(rng: random.Random) -> str:
    return f"{rng.randrange(10**11, 10**12)}"


def unique_id(prefix: str, of_account: str, rng: random.Random, length: int = 16) -> str:
    """A modern key or unique id: the first six bytes after the prefix hold the account (§2.5)."""
    head = (1 << 47) | (int(of_account) << 7) | rng.getrandbits(7)
    text = base64.b32encode(head.to_bytes(6, "big") + rng.randbytes(4)).decode()
    more = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(length - 16))
    return prefix + text + more


def guid(rng: random.Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def address(rng: random.Random) -> str:
    return f"{rng.choice((198, 203, 185, 91))}.{rng.randrange(1, 255)}.{rng.randrange(1, 255)}." + (
        f"{rng.randrange(1, 255)}"
    )


def aws_address(rng: random.Random) -> str:
    return f"54.{rng.randrange(64, 250)}.{rng.randrange(1, 255)}.{rng.randrange(1, 255)}"


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def record(
    rng: random.Random,
    at: datetime,
    source: str,
    name: str,
    identity: Json,
    *,
    recipient: str,
    region: str,
    ip: str,
    agent: str,
    request: Json | None = None,
    response: Json | None = None,
    read_only: bool = True,
    **more: Any,
) -> Json:
    """One management event; `more` replaces or adds top-level fields."""
    return {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": stamp(at),
        "eventSource": source,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": ip,
        "userAgent": agent,
        "requestParameters": request,
        "responseElements": response,
        "requestID": guid(rng),
        "eventID": guid(rng),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": recipient,
        "eventCategory": "Management",
        **more,
    }


def expiration(moment: datetime) -> str:
    return f"{moment:%b} {moment.day}, {moment.year}, {moment:%I:%M:%S %p}"
