"""What a call acted on, read from its record: values stand as AWS writes them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import parse_alerts
from enrich import ask_all
from enrich.calls.acted_on import in_words
from enrich.facts import techniques
from enrich.facts.targets import _REQUEST, MOST, targets_of
from tests.memory_store import MemoryStore
from tests.test_weighing import NOON, at, every_day

# What an account's mail as a whole is asked or told, by either name of the service.
_MAIL = """GetAccount GetAccountSendingEnabled GetSendQuota ListEmailIdentities ListIdentities
    UpdateAccountSendingEnabled PutAccountDetails"""
# Calls of `enrich.facts.techniques` about the account or the caller as a whole: no target.
NOTHING_TO_NAME = {
    "sts": "GetCallerIdentity GetSessionToken",
    "iam": "ListUsers ListRoles GetAccountAuthorizationDetails GenerateCredentialReport"
    " GetCredentialReport DeleteAccountPasswordPolicy UpdateAccountPasswordPolicy"
    " SimulateCustomPolicy",
    "signin": "ConsoleLogin GetSigninToken CreateOAuth2Token AuthorizeOAuth2Access"
    " PasswordRecoveryCompleted PasswordRecoveryRequested",
    "securityhub": "DisableSecurityHub",
    "macie2": "DisableMacie",
    "organizations": "DescribeOrganization ListAccounts LeaveOrganization",
    "account": "CloseAccount",
    "sso": "ListAccounts",
    "ses": _MAIL,
    "email": _MAIL,
    "ec2": "EnableSerialConsoleAccess GetEbsDefaultKmsKeyId DescribeAccountLimits",
    "bedrock": "GetModelInvocationLoggingConfiguration DeleteModelInvocationLoggingConfiguration"
    " GetUseCaseForModelAccess PutUseCaseForModelAccess ListFoundationModels"
    " ListInferenceProfiles",
    "cloudtrail": "ListTrails LookupEvents",
    "guardduty": "ListDetectors",
    "ecr": "GetAuthorizationToken",
    "ecr-public": "GetAuthorizationToken",
    "lambda": "ListFunctions",
    "sns": "SetSMSAttributes",
    "servicequotas": "ListServiceQuotas",
}
# Services whose fields say by themselves what they name ("stackName": stack).
BY_FIELD_NAMES = {
    *("access-analyzer", "amplify", "autoscaling", "backup", "batch", "bcm-data-exports"),
    *("cloudformation", "codestar", "codeartifact", "config", "datapipeline", "ebs"),
    *("ec2-instance-connect", "ecr-public", "elasticfilesystem", "gamelift", "glue", "lightsail"),
    *("macie2", "monitoring", "redshift", "redshift-serverless", "rolesanywhere", "securityhub"),
    *("signin", "waf", "waf-regional"),
}


@pytest.mark.parametrize(
    ("source", "request_parameters", "response", "expected"),
    [
        ("secretsmanager", {"secretId": "prod/db"}, None, [("secret", "prod/db")]),
        ("s3", {"bucketName": "shop", "key": "2026/a.csv"}, None, [("object", "shop/2026/a.csv")]),
        ("s3", {"bucketName": "shop", "Host": "shop.s3"}, None, [("bucket", "shop")]),
        (
            "iam",
            {"userName": "eve"},
            {"accessKey": {"userName": "eve", "accessKeyId": "AKIAEVEEVEEVEEVEEVE2"}},
            [("user", "eve"), ("access key", "AKIAEVEEVEEVEEVEEVE2")],
        ),
        (
            "iam",
            {"roleName": "Ops", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            None,
            [("role", "Ops"), ("policy", "arn:aws:iam::aws:policy/AdministratorAccess")],
        ),
        (
            "ec2",
            {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}},
            None,
            [("instance", "i-1"), ("instance", "i-2")],
        ),
        ("ssm", {"names": ["/a", "/b"]}, None, [("parameter", "/a"), ("parameter", "/b")]),
        ("rds", {"DBInstanceIdentifier": "orders"}, None, [("database", "orders")]),
        ("bedrock", {"modelId": "anthropic.claude-v2"}, None, [("model", "anthropic.claude-v2")]),
        ("lambda", {"functionName": "pay"}, None, [("function", "pay")]),
        ("elasticloadbalancing", {"loadBalancerName": "web"}, None, [("load balancer", "web")]),
        ("cloudformation", {"stackName": "net", "clientRequestToken": "x"}, None,
         [("stack", "net")]),
        ("sts", {"roleArn": "arn:aws:iam::1:role/r", "roleSessionName": "s"}, None,
         [("role", "arn:aws:iam::1:role/r")]),
        ("ec2", None, None, []),
        ("ec2", "not an object", None, []),
    ],
)  # fmt: skip
def test_what_a_call_names(
    source: str, request_parameters: Any, response: Any, expected: list[tuple[str, str]]
) -> None:
    found = targets_of(
        f"{source}.amazonaws.com",
        json.dumps(request_parameters),
        json.dumps(response) if response else None,
    )
    assert [(one.kind, one.name) for one in found] == expected
    assert not any(one.shared for one in found)


@pytest.mark.parametrize(
    ("source", "request_parameters", "whom"),
    [
        (
            "ec2",
            {
                "snapshotId": "snap-1",
                "attributeType": "CREATE_VOLUME_PERMISSION",
                "createVolumePermission": {"add": {"items": [{"userId": "999988887777"}]}},
            },
            ["999988887777"],
        ),
        (
            "ec2",
            {"imageId": "ami-1", "launchPermission": {"add": {"items": [{"group": "all"}]}}},
            ["all"],
        ),
        (
            "rds",
            {"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": ["1", "2"]},
            ["1", "2"],
        ),
        (
            "ec2",
            {
                "snapshotId": "snap-1",
                "createVolumePermission": {"remove": {"items": [{"userId": "999988887777"}]}},
            },
            [],
        ),
    ],
)
def test_with_whom_something_was_shared(
    source: str, request_parameters: dict[str, Any], whom: list[str]
) -> None:
    found = targets_of(f"{source}.amazonaws.com", json.dumps(request_parameters))
    assert [one.name for one in found if one.shared] == whom
    assert [one for one in found if not one.shared]


def test_resources_speak_where_parameters_are_silent() -> None:
    resources = [{"accountId": "1", "type": "AWS::KMS::Key", "ARN": "arn:aws:kms:::key/k"}]
    (found,) = targets_of("kms.amazonaws.com", None, None, json.dumps(resources))
    assert (found.kind, found.name) == ("key", "arn:aws:kms:::key/k")


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_any_text_is_read_or_names_nothing(request: str, response: str, resources: str) -> None:
    assert targets_of("iam.amazonaws.com", request, response, resources) == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["userName", "roleName", "name", "items", "userId", "add"])
            | st.text(max_size=8),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(st.sampled_from(["iam", "ec2", "s3", "x"]), _JSON, _JSON)
def test_whatever_stands_there_names_are_the_record_s_own(
    source: str, request: Any, response: Any
) -> None:
    found = targets_of(f"{source}.amazonaws.com", json.dumps(request), json.dumps(response))
    assert len(found) <= MOST
    texts = set(_texts(request)) | set(_texts(response))
    for one in found:
        assert one.name in texts or all(part in texts for part in one.name.split("/", 1))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def test_every_call_that_matters_has_a_table_or_a_reason() -> None:
    calls = {*techniques._HIGH, *techniques._READS}
    lacking = {
        (service, name)
        for service, name in calls
        if service not in _REQUEST
        and service not in BY_FIELD_NAMES
        and name not in NOTHING_TO_NAME.get(service, "").split()
    }
    assert lacking == set()
    for service, names in NOTHING_TO_NAME.items():
        unknown = {name for name in names.split() if (service, name) not in calls}
        assert not unknown, service


def test_interesting_calls_say_what_they_acted_on() -> None:
    read = {"eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue"}
    records = [
        at(NOON - timedelta(minutes=n), requestParameters={"secretId": name}, **read)
        for n, name in enumerate(["prod/db", "prod/db", "prod/api"], 1)
    ]
    shared = at(
        NOON,
        eventSource="ec2.amazonaws.com",
        eventName="ModifySnapshotAttribute",
        requestParameters={
            "snapshotId": "snap-1",
            "createVolumePermission": {"add": {"items": [{"userId": "999988887777"}]}},
        },
    )
    (alert,) = parse_alerts(json.dumps(shared))
    store = MemoryStore([shared, *records, *every_day()])
    data = ask_all(alert, alert.principals[0], store)[3].data
    (reads,) = [row for row in data.sensitive_reads if row.event_name == "GetSecretValue"]
    assert [(one.kind, one.name, one.count) for one in reads.targets] == [
        ("secret", "prod/db", 2),
        ("secret", "prod/api", 1),
    ]
    assert (reads.targets_total, reads.targets_of) == (2, 3)
    assert in_words(reads) == "secret prod/db, secret prod/api"
    (sharing,) = [row for row in data.calls if row.event_name == "ModifySnapshotAttribute"]
    assert in_words(sharing) == "shared with 999988887777, snapshot snap-1"


def test_of_many_calls_the_newest_are_told() -> None:
    """A call that matters to nobody is not read a thousand times for its targets."""
    puts = [
        at(
            NOON - timedelta(minutes=n),
            eventSource="dynamodb.amazonaws.com",
            eventName="PutItem",
            requestParameters={"tableName": f"t{n}"},
        )
        for n in range(1, 9)
    ]
    own = at(NOON)
    (alert,) = parse_alerts(json.dumps(own))
    store = MemoryStore([own, *puts, *every_day()])
    data = ask_all(alert, alert.principals[0], store)[3].data
    (row,) = [row for row in data.calls if row.event_name == "PutItem"]
    assert in_words(row) == "table t1, table t2, table t3 (of the newest 3 of 8)"
