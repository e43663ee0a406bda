"""CloudTrail files for measuring: many, believable, and the same for the same seed.

Roles have sessions of an hour, users long-term keys, services act by themselves; one call in
thirty mints a credential, one in twenty-five fails. The mix decides what compression and
interning can do: the benches also run on real files, and on sessions of one call each.
"""

# ruff: noqa: E501 # one template is one line, however long

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from isal import igzip

_ACCOUNTS = [f"{n}0{n}0{n}0{n}0{n}0{n}0" for n in range(1, 10)]
_REGIONS = ["us-east-1", "eu-west-1", "eu-central-1", "us-west-2"]
_AGENTS = [
    "aws-cli/2.15.{} md/awscrt#0.19.19 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.6",
    "Boto3/1.34.{} md/Botocore#1.34.11 ua/2.0 os/linux#5.10 md/arch#aarch64 lang/python#3.10.12",
    "APN/1.0 HashiCorp/1.0 Terraform/1.6.{} terraform-provider-aws/5.31.0 aws-sdk-go-v2/1.24.0",
    "aws-sdk-java/2.20.{} Linux/5.10.205 OpenJDK_64-Bit_Server_VM/17.0.9 vendor/Amazon.com io/sync",
    "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.{} Linux/5.10.201 OpenJDK_64-Bit_Server_VM]",
]
_TLS = (
    '"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",'
    '"clientProvidedHostHeader":"%s.%s.amazonaws.com"}'
)
_CALLS: list[tuple[str, str, bool, str, str]] = [
    ("ec2", "DescribeInstances", True, '{"maxResults":100,"instancesSet":{},"filterSet":{"items":[{"name":"tag:Name","valueSet":{"items":[{"value":"web-%(n)d"}]}}]}}', "null"),
    ("ec2", "DescribeVolumes", True, '{"maxResults":500,"volumeSet":{},"filterSet":{}}', "null"),
    ("ec2", "DescribeSecurityGroups", True, '{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-%(x)s"}]},"filterSet":{}}', "null"),
    ("ec2", "CreateTags", False, '{"resourcesSet":{"items":[{"resourceId":"i-%(x)s%(x)s"}]},"tagSet":{"items":[{"key":"team","value":"blue"},{"key":"build","value":"%(n)d"}]}}', '{"requestId":"%(u)s","_return":true}'),
    ("s3", "GetObject", True, '{"bucketName":"example-data-%(m)d","Host":"example-data-%(m)d.s3.eu-west-1.amazonaws.com","key":"exports/2026/03/part-%(n)d.parquet"}', "null"),
    ("s3", "PutObject", False, '{"bucketName":"example-logs-%(m)d","Host":"example-logs-%(m)d.s3.eu-west-1.amazonaws.com","key":"app/%(x)s.json.gz","x-amz-server-side-encryption":"AES256"}', '{"x-amz-server-side-encryption":"AES256"}'),
    ("s3", "ListBuckets", True, '{"Host":"s3.amazonaws.com"}', "null"),
    ("kms", "Decrypt", True, '{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::example-data-%(m)d"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}', "null"),
    ("kms", "GenerateDataKey", True, '{"encryptionContext":{"SecretARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-%(m)d"},"keyId":"%(u)s","keySpec":"AES_256"}', "null"),
    ("logs", "DescribeLogGroups", True, '{"limit":50,"logGroupNamePrefix":"/aws/lambda/job-%(m)d"}', "null"),
    ("logs", "CreateLogStream", False, '{"logGroupName":"/aws/lambda/job-%(m)d","logStreamName":"2026/03/10/[$LATEST]%(x)s%(x)s"}', "null"),
    ("lambda", "ListFunctions20150331", True, '{"maxItems":50}', "null"),
    ("lambda", "GetFunction20150331v2", True, '{"functionName":"arn:aws:lambda:eu-west-1:111122223333:function:job-%(m)d"}', "null"),
    ("dynamodb", "DescribeTable", True, '{"tableName":"orders-%(m)d"}', "null"),
    ("iam", "GetRole", True, '{"roleName":"app-role-%(m)d"}', "null"),
    ("iam", "ListAttachedRolePolicies", True, '{"roleName":"app-role-%(m)d"}', "null"),
    ("secretsmanager", "GetSecretValue", True, '{"secretId":"db-%(m)d"}', "null"),
    ("ssm", "GetParameter", True, '{"name":"/app/%(m)d/config","withDecryption":true}', "null"),
    ("ssm", "UpdateInstanceInformation", False, '{"agentVersion":"3.2.2086.0","agentStatus":"Active","platformType":"Linux","instanceId":"i-%(x)s%(x)s","computerName":"ip-10-0-%(m)d-7.ec2.internal"}', "null"),
    ("monitoring", "DescribeAlarms", True, '{"alarmNamePrefix":"svc-%(m)d","maxRecords":100}', "null"),
    ("ecr", "BatchGetImage", True, '{"registryId":"111122223333","repositoryName":"service-%(m)d","imageIds":[{"imageTag":"build-%(n)d"}]}', "null"),
    ("sts", "GetCallerIdentity", True, "null", "null"),
    ("cloudformation", "DescribeStacks", True, '{"stackName":"stack-%(m)d"}', "null"),
    ("rds", "DescribeDBInstances", True, '{"dBInstanceIdentifier":"db-%(m)d"}', "null"),
]  # fmt: skip


def write_tree(
    folder: Path,
    events: int,
    per_file: int,
    *,
    seed: int = 7,
    days: int = 30,
    identities: int = 400,
    start: datetime = datetime(2026, 3, 1, tzinfo=UTC),
    own_keys: bool = False,
) -> tuple[int, int]:
    """(files, bytes) of a tree in the S3 layout below `folder`, gzip, `per_file` events each.

    With `own_keys` each event is a role session's of its own: console use and short sessions.
    """
    dice = random.Random(seed)
    kind = _OneCall if own_keys else _Identity
    people = [kind(dice, number) for number in range(identities)]
    weights = [1 / (rank + 3) for rank in range(identities)]
    files = size = 0
    total = max(1, events // per_file)
    for number in range(total):
        begins = start + timedelta(seconds=days * 86_400 * number / total)
        account = dice.choice(_ACCOUNTS)
        region = dice.choice(_REGIONS[: 1 + int(account[0]) % len(_REGIONS)])
        present = dice.choices(
            people[int(account[0]) - 1 :: len(_ACCOUNTS)],
            weights[int(account[0]) - 1 :: len(_ACCOUNTS)],
            k=max(2, per_file // 12),
        )
        body = ",".join(
            _event(dice, dice.choice(present), begins, account, region) for _ in range(per_file)
        )
        data = igzip.compress(f'{{"Records":[{body}]}}'.encode(), compresslevel=3)
        day = folder / "AWSLogs" / account / "CloudTrail" / region / f"{begins:%Y/%m/%d}"
        day.mkdir(parents=True, exist_ok=True)
        name = f"{account}_CloudTrail_{region}_{begins:%Y%m%dT%H%MZ}_{dice.getrandbits(80):020x}"
        (day / f"{name[:-4]}.json.gz").write_bytes(data)
        files += 1
        size += len(data)
    return files, size


def records(events: int, *, seed: int = 7, start: datetime) -> Iterator[str]:
    """JSON texts of single events, 100 a second from `start`: for one endless file."""
    dice = random.Random(seed)
    people = [_Identity(dice, number) for number in range(400)]
    for number in range(events):
        moment = start + timedelta(seconds=number // 100)
        yield _event(dice, people[dice.randrange(400)], moment, _ACCOUNTS[0], _REGIONS[0])


class _Identity:
    def __init__(self, dice: random.Random, number: int) -> None:
        self.number = number
        self.agent = _AGENTS[number % len(_AGENTS)].format(number % 17)
        self.address = f"198.51.100.{number % 250}"
        self.kind = "service" if number % 9 == 8 else "user" if number % 5 == 4 else "role"
        self._id = f"{number:017X}"
        self._cached: tuple[object, str] | None = None

    def json(self, moment: datetime, account: str) -> str:
        if self.kind == "service":
            return f'{{"type":"AWSService","invokedBy":"svc{self.number % 12}.amazonaws.com"}}'
        hour = (moment.date(), moment.hour, account)
        if self._cached is not None and self._cached[0] == hour:
            return self._cached[1]
        if self.kind == "user":
            name = f"user-{self.number}"
            text = json.dumps(
                {
                    "type": "IAMUser",
                    "principalId": "AIDA" + self._id,
                    "arn": f"arn:aws:iam::{account}:user/{name}",
                    "accountId": account,
                    "accessKeyId": "AKIA" + self._id[:16],
                    "userName": name,
                },
                separators=(",", ":"),
            )
        else:
            role, session = f"app-role-{self.number}", f"session-{self.number % 7}"
            issuer = {
                "type": "Role",
                "principalId": "AROA" + self._id,
                "arn": f"arn:aws:iam::{account}:role/service/{role}",
                "accountId": account,
                "userName": role,
            }
            text = json.dumps(
                {
                    "type": "AssumedRole",
                    "principalId": f"AROA{self._id}:{session}",
                    "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
                    "accountId": account,
                    "accessKeyId": f"ASIA{moment:%Y%m%d%H}{self.number:06d}",
                    "sessionContext": {
                        "sessionIssuer": issuer,
                        "webIdFederationData": {},
                        "attributes": {
                            "creationDate": moment.strftime("%Y-%m-%dT%H:00:07Z"),
                            "mfaAuthenticated": "false",
                        },
                    },
                },
                separators=(",", ":"),
            )
        self._cached = (hour, text)
        return text


class _OneCall(_Identity):
    """A role of which every call has a key and a creation date of its own: half of them people in
    the console, who keep their name, the others sessions that are named anew each time."""

    def __init__(self, dice: random.Random, number: int) -> None:
        super().__init__(dice, number)
        self._dice = dice

    def json(self, moment: datetime, account: str) -> str:
        own = f"{self._dice.getrandbits(80):020x}"
        role = f"app-role-{self.number}"
        session = f"job-{own[:12]}" if self.number % 2 else f"person.{self.number}@example.com"
        created = moment - timedelta(seconds=int(own[:4], 16) % 3_600)
        return json.dumps(
            {
                "type": "AssumedRole",
                "principalId": f"AROA{self._id}:{session}",
                "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
                "accountId": account,
                "accessKeyId": f"ASIA{own[:16].upper()}",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROA" + self._id,
                        "arn": f"arn:aws:iam::{account}:role/service/{role}",
                        "accountId": account,
                        "userName": role,
                    },
                    "webIdFederationData": {},
                    "attributes": {
                        "creationDate": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "mfaAuthenticated": "false",
                    },
                },
            },
            separators=(",", ":"),
        )


def _event(dice: random.Random, who: _Identity, begins: datetime, account: str, region: str) -> str:
    bits = dice.getrandbits(128)
    unique = f"{bits:032x}"
    event_id = f"{unique[:8]}-{unique[8:12]}-{unique[12:16]}-{unique[16:20]}-{unique[20:]}"
    request_id = f"{unique[24:]}-{unique[:4]}-{unique[4:8]}-{unique[8:12]}-{unique[12:24]}"
    when = (begins + timedelta(seconds=bits % 300)).strftime("%Y-%m-%dT%H:%M:%SZ")
    error = ""
    if bits % 30 == 0:
        service, name, read_only = "sts", "AssumeRole", True
        role = f"app-role-{bits % 97}"
        arn = f"arn:aws:iam::{account}:role/service/{role}"
        request = (
            f'{{"roleArn":"{arn}","roleSessionName":"session-{bits % 7}","durationSeconds":3600}}'
        )
        response = (
            f'{{"credentials":{{"accessKeyId":"ASIA{unique[:16].upper()}","sessionToken":'
            f'"{unique * 4}","expiration":"Mar 10, 2026, 12:50:00 PM"}},"assumedRoleUser":'
            f'{{"assumedRoleId":"AROA{bits % 97:017X}:session-{bits % 7}",'
            f'"arn":"arn:aws:sts::{account}:assumed-role/{role}/session-{bits % 7}"}}}}'
        )
        extra = f',"resources":[{{"accountId":"{account}","type":"AWS::IAM::Role","ARN":"{arn}"}}]'
    else:
        # Everybody has some calls of their own, and makes any other one now and then.
        habit = who.number + bits % 6 if bits % 20 else bits // 20
        service, name, read_only, request, response = _CALLS[habit % len(_CALLS)]
        values = {"n": bits % 9973, "m": bits % 41, "x": unique[:8], "u": event_id}
        request, response = request % values, response % values
        extra = ""
        if service == "s3":
            extra = (
                ',"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":'
                '"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0,"AuthenticationMethod":'
                f'"AuthHeader","x-amz-id-2":"{unique}{unique[:20]}=","bytesTransferredOut":{bits % 4096}}}'
            )
        if bits % 25 == 1:
            response = "null"
            error = (
                '"errorCode":"AccessDenied","errorMessage":"User: arn:aws:iam::'
                f'{account}:user/x is not authorized to perform: {service}:{name}",'
            )
    tls = _TLS % (service, region)
    return (
        f'{{"eventVersion":"1.09","userIdentity":{who.json(begins, account)},"eventTime":"{when}",'
        f'"eventSource":"{service}.amazonaws.com","eventName":"{name}","awsRegion":"{region}",'
        f'"sourceIPAddress":"{who.address}","userAgent":"{who.agent}",{error}'
        f'"requestParameters":{request},"responseElements":{response}{extra},'
        f'"requestID":"{request_id}","eventID":"{event_id}","readOnly":{str(read_only).lower()},'
        f'"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}",'
        f'"eventCategory":"Management",{tls}}}'
    )
