"""Alerts from the logs themselves: what each of our rules finds, and what it leaves alone."""

from __future__ import annotations

import importlib
import json
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import Alert
from alerts.detections import OUR_RULES, detect
from alerts.detections.hits import TRIED
from tests.an_event import ACCOUNT, a_role_session, a_user, an_event
from tests.memory_store import MemoryStore
from tests.test_rules import CASES as LATER_CASES
from trail.store import Store

# The package gives the name to its function.
detect_module = importlib.import_module("alerts.detections.detect")

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
LAST = datetime(2026, 4, 1, tzinfo=UTC)

Event = dict[str, Any]


def _titles(*events: Event) -> list[str]:
    alerts, problems = detect(MemoryStore(events), FIRST, LAST)
    assert problems == []
    return [alert.title for alert in alerts]


@cache
def _file_of(title: str) -> Path:
    """The file of ours that the rule is in; every one of ours runs in the other tests."""
    (file,) = [file for file in OUR_RULES.glob("*.yml") if f"title: {title}\n" in file.read_text()]
    return file


def _hits(title: str, events: list[Event]) -> list[Alert]:
    alerts, problems = detect(MemoryStore(events), FIRST, LAST, [_file_of(title)])
    assert problems == []
    return [alert for alert in alerts if alert.title.removesuffix(TRIED) == title]


def _at(minute: int, second: int = 0) -> str:
    return f"2026-03-10T12:{minute:02d}:{second:02d}Z"


def _login(**changes: Any) -> Event:
    return an_event(
        **{
            "eventSource": "signin.amazonaws.com",
            "eventName": "ConsoleLogin",
            "eventType": "AwsConsoleSignIn",
            "userIdentity": a_user(accessKeyId=None),
            "responseElements": {"ConsoleLogin": "Success"},
            "additionalEventData": {"MFAUsed": "No", "MobileVersion": "No"},
            "readOnly": False,
            **changes,
        }
    )


def _root(**changes: Any) -> dict[str, Any]:
    return {
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT,
        **changes,
    }


def _new_key(for_user: str | None, **changes: Any) -> Event:
    return an_event(
        **{
            "eventSource": "iam.amazonaws.com",
            "eventName": "CreateAccessKey",
            "requestParameters": {"userName": for_user} if for_user else None,
            "responseElements": {"accessKey": {"accessKeyId": "AKIANEWKEYXQXQXQXQXQ"}},
            "readOnly": False,
            **changes,
        }
    )


def _refused(role: str, minute: int, user: str = "alice") -> Event:
    return an_event(
        eventTime=_at(minute),
        userIdentity=a_user(user),
        eventSource="sts.amazonaws.com",
        eventName="AssumeRole",
        errorCode="AccessDenied",
        errorMessage=(
            f"User: arn:aws:iam::{ACCOUNT}:user/{user} is not authorized to perform: "
            f"sts:AssumeRole on resource: arn:aws:iam::{ACCOUNT}:role/{role}"
        ),
    )


def test_a_title_says_where_nothing_that_was_tried_succeeded() -> None:
    def shared(minute: int, **changes: Any) -> Event:
        return an_event(
            eventTime=_at(minute),
            eventSource="organizations.amazonaws.com",
            eventName="LeaveOrganization",
            readOnly=False,
            **changes,
        )

    denied = {"errorCode": "AccessDenied", "errorMessage": "no"}
    (refused,), _ = detect(MemoryStore([shared(0, **denied), shared(1, **denied)]), FIRST, LAST)
    assert refused.title.endswith(TRIED)
    (left,), _ = detect(MemoryStore([shared(0, **denied), shared(1)]), FIRST, LAST)
    assert left.title == refused.title.removesuffix(TRIED)
    assert left.id == refused.id
    assert any(
        "1 event of them failed; the first that succeeded was at 2026-03-10 12:01:00 UTC." in note
        for note in left.notes
    )
    (emptied,), _ = detect(MemoryStore([_refused(f"r{n}", n) for n in range(12)]), FIRST, LAST)
    assert not emptied.title.endswith(TRIED)  # its own title says that they were refused


def _by_instance(address: str, minute: int = 0, session: str = "i-0123456789abcdef0") -> Event:
    return an_event(
        eventTime=_at(minute),
        userIdentity=a_role_session("web", session),
        sourceIPAddress=address,
    )


def _secret(number: int, minute: int = 0, user: str = "alice") -> Event:
    return an_event(
        eventTime=_at(minute, number % 60),
        userIdentity=a_user(user),
        eventSource="secretsmanager.amazonaws.com",
        eventName="GetSecretValue",
        requestParameters={"secretId": f"prod/secret-{number}"},
    )


def _parameter(number: int, **changes: Any) -> Event:
    return an_event(
        eventTime=_at(0, number),
        eventSource="ssm.amazonaws.com",
        eventName="GetParameter",
        requestParameters={"name": f"/p/{number}", "withDecryption": True} | changes,
    )


def _ec2(name: str, permission: str, change: dict[str, Any]) -> Event:
    return an_event(
        eventName=name,
        requestParameters={"attributeType": "x", permission: change},
        readOnly=False,
    )


def _s3(name: str, **parameters: Any) -> Event:
    return an_event(
        eventSource="s3.amazonaws.com",
        eventName=name,
        requestParameters={"bucketName": "example", **parameters},
        readOnly=False,
    )


def _policy(principal: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject"}
    return {"bucketPolicy": {"Version": "2012-10-17", "Statement": [statement]}}


def _bedrock(name: str, **changes: Any) -> Event:
    return an_event(**{"eventSource": "bedrock.amazonaws.com", "eventName": name, **changes})


def _ses(name: str, **changes: Any) -> Event:
    return an_event(**{"eventSource": "ses.amazonaws.com", "eventName": name, **changes})


# title → (cases that are found, near misses that are not)
CASES: dict[str, tuple[dict[str, list[Event]], dict[str, list[Event]]]] = {
    "Console sign-in without MFA": (
        {"an IAM user with a password alone": [_login()]},
        {
            "with a second factor": [_login(additionalEventData={"MFAUsed": "Yes"})],
            "refused": [
                _login(
                    responseElements={"ConsoleLogin": "Failure"},
                    errorMessage="Failed authentication",
                )
            ],
            "by federation": [_login(userIdentity=a_role_session(accessKeyId=None))],
        },
    ),
    "Root user active": (
        {"a call by root": [an_event(userIdentity=_root())]},
        {
            "a service for root": [
                an_event(userIdentity=_root(invokedBy="backup.amazonaws.com")),
            ],
            "an event of AWS's own": [
                an_event(userIdentity=_root(), eventType="AwsServiceEvent"),
            ],
            "a user called root": [an_event(userIdentity=a_user("root"))],
        },
    ),
    "Logging or a detector narrowed or switched off": (
        {
            "the trail stopped": [
                an_event(eventSource="cloudtrail.amazonaws.com", eventName="StopLogging")
            ],
            "the detector deleted, refused": [
                an_event(
                    eventSource="guardduty.amazonaws.com",
                    eventName="DeleteDetector",
                    errorCode="AccessDenied",
                )
            ],
            "model invocation logging deleted": [
                _bedrock("DeleteModelInvocationLoggingConfiguration"),
            ],
        },
        {
            "the trail read": [
                an_event(eventSource="cloudtrail.amazonaws.com", eventName="GetTrailStatus")
            ],
            "the same name at another service": [
                an_event(eventSource="example.amazonaws.com", eventName="StopLogging")
            ],
        },
    ),
    "Access key made for another user": (
        {
            "by a user": [_new_key("bob")],
            "by a role, for a user of the role's session name": [
                _new_key("work", userIdentity=a_role_session())
            ],
        },
        {
            "for oneself, by name": [_new_key("alice")],
            "for oneself, without a name": [_new_key(None)],
            "refused": [_new_key("bob", errorCode="AccessDenied", responseElements=None)],
        },
    ),
    "Roles enumerated by refused assumptions": (
        {"five roles in nine minutes": [_refused(f"role-{n}", n * 2) for n in range(5)]},
        {
            "four roles": [_refused(f"role-{n}", n) for n in range(4)],
            "one role many times": [_refused("role", n) for n in range(9)],
            "five roles in an hour": [_refused(f"role-{n}", n * 12) for n in range(5)],
            "five users, one role each": [_refused(f"role-{n}", n, f"user{n}") for n in range(5)],
        },
    ),
    "EC2 instance's credentials used from several addresses": (
        {"its own and a foreign one": [_by_instance("198.51.100.7"), _by_instance("203.0.113.9")]},
        {
            "its own alone": [_by_instance("198.51.100.7"), _by_instance("198.51.100.7", 5)],
            "its own and a private one": [_by_instance("198.51.100.7"), _by_instance("10.0.0.5")],
            "its own and a service": [
                _by_instance("198.51.100.7"),
                _by_instance("cloudformation.amazonaws.com"),
            ],
            "two instances": [
                _by_instance("198.51.100.7"),
                _by_instance("203.0.113.9", session="i-0fedcba9876543210"),
            ],
            "a person's session": [
                _by_instance("198.51.100.7", session="alice"),
                _by_instance("203.0.113.9", session="alice"),
            ],
        },
    ),
    "EC2 instance's credentials used for one service from several addresses": (
        {
            "through the endpoint and from outside": [
                _by_instance("10.0.0.5"),
                _by_instance("203.0.113.9", 5),
            ],
        },
        {
            "through the endpoint of one service, by the gateway to another": [
                _by_instance("10.0.0.5"),
                _by_instance("198.51.100.7") | {"eventSource": "iam.amazonaws.com"},
            ],
            "two days apart": [
                _by_instance("10.0.0.5"),
                _by_instance("203.0.113.9") | {"eventTime": "2026-03-12T12:00:00Z"},
            ],
        },
    ),
    "Console session minted from a long-term key": (
        {
            "the trade": [
                an_event(eventSource="sts.amazonaws.com", eventName="GetFederationToken")
            ],
            "the arrival": [
                _login(
                    userIdentity={
                        "type": "FederatedUser",
                        "principalId": f"{ACCOUNT}:support",
                        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/support",
                        "accountId": ACCOUNT,
                    }
                )
            ],
        },
        {
            "refused": [
                an_event(
                    eventSource="sts.amazonaws.com",
                    eventName="GetFederationToken",
                    errorCode="AccessDenied",
                )
            ],
            "a session token": [
                an_event(eventSource="sts.amazonaws.com", eventName="GetSessionToken")
            ],
            "a role at the console": [
                _login(userIdentity=a_role_session(), eventName="GetSigninToken")
            ],
        },
    ),
    "Many secrets read": (
        {"ten secrets in a minute": [_secret(n) for n in range(10)]},
        {
            "nine secrets": [_secret(n) for n in range(9)],
            "one secret many times": [_secret(1, n) for n in range(30)],
            "ten secrets in ten hours": [
                _secret(n) | {"eventTime": f"2026-03-10T{n:02d}:00:00Z"} for n in range(10)
            ],
            "ten people, one secret each": [_secret(n, 0, f"user{n}") for n in range(10)],
        },
    ),
    "Many parameters decrypted": (
        {"twenty decrypted parameters": [_parameter(n) for n in range(20)]},
        {
            "nineteen": [_parameter(n) for n in range(19)],
            "not decrypted": [_parameter(n, withDecryption=False) for n in range(20)],
        },
    ),
    "Snapshot or image made public": (
        {
            "a disk": [
                _ec2(
                    "ModifySnapshotAttribute",
                    "createVolumePermission",
                    {"add": {"items": [{"userId": ACCOUNT}, {"group": "all"}]}},
                )
            ],
            "a database": [
                an_event(
                    eventSource="rds.amazonaws.com",
                    eventName="ModifyDBSnapshotAttribute",
                    requestParameters={"attributeName": "restore", "valuesToAdd": ["all"]},
                )
            ],
        },
        {
            "taken back": [
                _ec2(
                    "ModifySnapshotAttribute",
                    "createVolumePermission",
                    {"remove": {"items": [{"group": "all"}]}},
                )
            ],
        },
    ),
    "Snapshot or image shared with another account": (
        {
            "an image": [
                _ec2(
                    "ModifyImageAttribute",
                    "launchPermission",
                    {"add": {"items": [{"userId": "444455556666"}]}},
                )
            ],
            "a database": [
                an_event(
                    eventSource="rds.amazonaws.com",
                    eventName="ModifyDBClusterSnapshotAttribute",
                    requestParameters={"attributeName": "restore", "valuesToAdd": ["444455556666"]},
                )
            ],
        },
        {
            "taken back": [
                _ec2(
                    "ModifyImageAttribute",
                    "launchPermission",
                    {"remove": {"items": [{"userId": "444455556666"}]}},
                )
            ],
            "a description": [_ec2("ModifyImageAttribute", "description", {"value": "x"})],
        },
    ),
    "Bucket opened to the public": (
        {
            "a policy for everybody": [_s3("PutBucketPolicy", **_policy("*"))],
            "a policy for any account": [_s3("PutBucketPolicy", **_policy({"AWS": "*"}))],
            "a canned list": [_s3("PutBucketAcl", **{"x-amz-acl": ["public-read"]})],
            "the block deleted": [_s3("DeleteBucketPublicAccessBlock")],
            "the block lowered": [
                _s3(
                    "PutBucketPublicAccessBlock",
                    PublicAccessBlockConfiguration={
                        "BlockPublicAcls": True,
                        "BlockPublicPolicy": False,
                    },
                )
            ],
        },
        {
            "a policy for a service": [
                _s3("PutBucketPolicy", **_policy({"Service": "cloudtrail.amazonaws.com"})),
            ],
            "a private list": [_s3("PutBucketAcl", **{"x-amz-acl": ["private"]})],
            "the block raised": [
                _s3(
                    "PutBucketPublicAccessBlock",
                    PublicAccessBlockConfiguration={"BlockPublicAcls": True},
                )
            ],
        },
    ),
    "Bucket policy that names another account": (
        {
            "by ARN": [
                _s3("PutBucketPolicy", **_policy({"AWS": "arn:aws:iam::444455556666:root"}))
            ],
            "in a list": [_s3("PutBucketPolicy", **_policy({"AWS": ["444455556666"]}))],
        },
        {
            "a service": [
                _s3("PutBucketPolicy", **_policy({"Service": "cloudtrail.amazonaws.com"})),
            ],
        },
    ),
    "Bedrock probed or opened up with a long-term key": (
        {
            "refused a model": [_bedrock("InvokeModel", errorCode="AccessDenied")],
            "asked for access": [_bedrock("PutUseCaseForModelAccess")],
        },
        {
            "a model used": [_bedrock("InvokeModel")],
            "by a role": [
                _bedrock("InvokeModel", errorCode="AccessDenied", userIdentity=a_role_session())
            ],
        },
    ),
    "SES probed or opened up with a long-term key": (
        {"asked for the quota": [_ses("GetSendQuota")], "a sender": [_ses("CreateEmailIdentity")]},
        {
            "mail sent": [_ses("SendEmail")],
            "by a role": [_ses("GetSendQuota", userIdentity=a_role_session())],
        },
    ),
}


@pytest.mark.parametrize(
    ("title", "case"), [(title, case) for title, (found, _) in CASES.items() for case in found]
)
def test_found(title: str, case: str) -> None:
    (alert,) = _hits(title, CASES[title][0][case])
    assert (alert.finding_type or "").startswith("T1")
    assert alert.severity is not None


@pytest.mark.parametrize(
    ("title", "case"), [(title, case) for title, (_, left) in CASES.items() for case in left]
)
def test_left_alone(title: str, case: str) -> None:
    assert _hits(title, CASES[title][1][case]) == []


def _documents() -> list[dict[str, Any]]:
    return [
        document
        for file in sorted(OUR_RULES.glob("*.yml"))
        for document in yaml.safe_load_all(file.read_text())
    ]


def _raising() -> list[dict[str, Any]]:
    """The rules of ours that raise alerts: those that no other counts."""
    documents = _documents()
    counted = {name for one in documents for name in one.get("correlation", {}).get("rules", ())}
    return [one for one in documents if one["name"] not in counted]


def test_every_rule_of_ours_has_its_cases() -> None:
    assert {one["title"] for one in _raising()} == set(CASES) | set(LATER_CASES)


def test_every_rule_of_ours_says_what_it_rests_on() -> None:
    for one in _raising():
        assert any(ref.startswith("https://") for ref in one["references"]), one["title"]
        assert any(tag.startswith("attack.t1") for tag in one["tags"]), one["title"]
        assert one["falsepositives"], one["title"]
        assert one["level"] in ("low", "medium", "high"), one["title"]


def test_no_two_rules_of_ours_share_an_id_or_a_name() -> None:
    documents = _documents()
    for key in ("id", "name", "title"):
        values = [one[key] for one in documents]
        assert len(values) == len(set(values))


def test_a_team_that_switches_logging_on_raises_nothing() -> None:
    selectors = [
        {
            "readWriteType": "All",
            "includeManagementEvents": True,
            "dataResources": [{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}],
        }
    ]
    calls = {
        "CreateTrail": {"name": "trail", "s3BucketName": "logs", "isMultiRegionTrail": True},
        "StartLogging": {"name": "trail"},
        "PutEventSelectors": {"trailName": "trail", "eventSelectors": selectors},
        "UpdateTrail": {"name": "trail", "isMultiRegionTrail": True},
        "PutInsightSelectors": {"trailName": "trail"},
    }
    assert (
        _titles(
            *(
                an_event(
                    eventSource="cloudtrail.amazonaws.com",
                    eventName=name,
                    requestParameters=parameters,
                    readOnly=False,
                )
                for name, parameters in calls.items()
            ),
            an_event(
                eventSource="guardduty.amazonaws.com",
                eventName="CreateDetector",
                requestParameters={"enable": True},
                readOnly=False,
            ),
            an_event(eventName="CreateFlowLogs", readOnly=False),
        )
        == []
    )


def test_ordinary_work_raises_nothing() -> None:
    assert _titles(an_event(), an_event(userIdentity=a_role_session())) == []


def test_a_corrected_record_is_no_second_hit() -> None:
    fields = {"eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging"}
    told = {"reason": "UPDATED_DATA", "originalEventID": "first"}
    events = [an_event(eventID="first", **fields), an_event(addendum=told, **fields)]
    (alert,), _ = detect(MemoryStore(events), FIRST, LAST)
    assert alert.event_id == events[1]["eventID"]


def test_a_hit_is_a_full_alert() -> None:
    event = an_event(
        eventSource="cloudtrail.amazonaws.com",
        eventName="StopLogging",
        userIdentity=a_role_session(path="/teams/"),
        readOnly=False,
    )
    (alert,), _ = detect(MemoryStore([event, an_event()]), FIRST, LAST)
    assert alert.source == "sigma"
    assert alert.severity == 7.0  # level high
    assert alert.first_seen == alert.last_seen == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert (alert.account_id, alert.region) == (ACCOUNT, "eu-west-1")
    assert (alert.event_source, alert.event_name) == ("cloudtrail.amazonaws.com", "StopLogging")
    assert alert.source_ip_address == "198.51.100.7"
    assert alert.event_id == event["eventID"]
    assert alert.event_ids == (event["eventID"],)
    assert alert.finding_type == "T1562.008, T1562.001"
    assert any("T1562.008" in note for note in alert.notes)
    (person,) = alert.principals
    assert person.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/work"
    assert person.role_arn == f"arn:aws:iam::{ACCOUNT}:role/teams/reader"
    assert person.access_key_id == "ASIAROLESESSION00001"


def test_a_sessions_hits_of_one_day_are_one_alert_with_one_id_in_every_run() -> None:
    events = [
        an_event(eventTime=f"2026-03-{day}T{hour}:00:00Z", userIdentity=_root())
        for day, hour in (("10", "08"), ("10", "20"), ("11", "08"))
    ]
    store = MemoryStore(events)
    once, _ = detect(store, FIRST, LAST)
    assert [len(alert.event_ids) for alert in once] == [2, 1]
    assert once[0].last_seen == datetime(2026, 3, 10, 20, tzinfo=UTC)
    again, _ = detect(store, datetime(2026, 3, 10, 12, tzinfo=UTC), LAST)
    assert [alert.id for alert in again] == [alert.id for alert in once]


def test_a_counting_alert_is_about_the_call_that_made_it_enough() -> None:
    own = [_by_instance("10.0.0.5", minute) for minute in range(3)]
    stolen = _by_instance("203.0.113.9", 30)
    events = [*own, stolen, _by_instance("10.0.0.5", 40)]
    (alert,), _ = detect(MemoryStore(events), FIRST, LAST)
    assert alert.source_ip_address == "203.0.113.9"
    assert alert.event_id == stolen["eventID"]
    assert alert.first_seen == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 3, 10, 12, 40, tzinfo=UTC)
    assert len(alert.principals) == 1


def test_stretches_of_one_session_on_one_day_are_one_alert() -> None:
    morning = [_refused(f"role-{n}", n) for n in range(5)]
    evening = [
        _refused(f"role-{n}", n) | {"eventTime": f"2026-03-10T20:0{n}:00Z"} for n in range(5)
    ]
    next_day = [
        _refused(f"role-{n}", n) | {"eventTime": f"2026-03-11T08:0{n}:00Z"} for n in range(5)
    ]
    alerts, _ = detect(MemoryStore([*morning, *evening, *next_day]), FIRST, LAST)
    assert [len(alert.event_ids) for alert in alerts] == [10, 5]


def test_a_counting_alert_cites_what_it_counted() -> None:
    events = [_refused(f"role-{n}", n) for n in range(6)]
    late = _refused("role-9", 59)
    (alert,), _ = detect(MemoryStore([*events, late]), FIRST, LAST)
    assert alert.event_ids == tuple(event["eventID"] for event in events)
    assert alert.last_seen == datetime(2026, 3, 10, 12, 5, tzinfo=UTC)
    assert any("6 different values" in note for note in alert.notes)


def test_only_the_asked_time_is_looked_at() -> None:
    event = an_event(userIdentity=_root(), eventTime="2026-02-28T23:59:59Z")
    assert _titles(event) == []


# --- A team's own rules, and the public ones ------------------------------------------------------

_HEAD = """
title: {title}
id: 99999999-0000-4000-8000-{number:012d}
status: test
logsource: {{product: aws, service: cloudtrail}}
level: low
detection:
"""


def _detected(tmp_path: Path, detection: str, *events: Event) -> list[str]:
    """The event ids that a rule of this detection finds."""
    (tmp_path / "rule.yml").write_text(_HEAD.format(title="Theirs", number=1) + detection)
    alerts, problems = detect(MemoryStore(events), FIRST, LAST, [tmp_path])
    assert problems == []
    return [event_id for alert in alerts for event_id in alert.event_ids]


_REQUEST = {
    "name": "Alice's 100%_sure",
    "count": 7,
    "flag": True,
    "tags": ["red", "green"],
    "x-amz-acl": "private",
    "policyDocument": '{"Effect": "Allow", "Action": "*"}',
    "groups": {"items": [{"id": "sg-1", "cidrs": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]},
}


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ("eventName: DescribeInstances", True),
        ("eventName: describeinstances", True),  # Sigma compares without case
        ("eventName|cased: describeinstances", False),
        ("eventname: DescribeInstances", True),
        ("eventName: Describe*", True),
        ("eventName: Describe?nstances", True),
        ("eventName: DescribeInstance_", False),  # an underscore is no wildcard
        ("eventName|startswith: Desc", True),
        ("eventName|endswith: Desc", False),
        ("eventName|contains: beInst", True),
        ("eventName|re: '^Describe.*s$'", True),
        ("eventName|re: '^describe'", False),
        ("eventName|re|i: '^describe'", True),
        ("eventName: [ListUsers, DescribeInstances]", True),
        ("requestParameters.name: Alice's 100%_sure", True),
        ("requestParameters.name: Alice's 100%xsure", False),
        ("requestParameters.name|contains: '00%_'", True),
        ("requestParameters.count: 7", True),
        ("requestParameters.count|gt: 6", True),
        ("requestParameters.count|gte: 8", False),
        ("requestParameters.flag: true", True),
        ("requestParameters.flag: 'true'", True),
        ("requestParameters.flag: false", False),
        ("requestParameters.tags: green", True),
        ("requestParameters.tags|startswith: gre", True),
        ("requestParameters.tags: blue", False),
        ("requestParameters.x-amz-acl: private", True),
        ('requestParameters.policyDocument|contains|all: [\'"Allow"\', \'"Action": "*"\']', True),
        ("requestParameters.groups.items.cidrs.items.cidrIp: 0.0.0.0/0", True),
        ("requestParameters.groups.items.id|exists: true", True),
        ("requestParameters.groups.items.none|exists: true", False),
        ("requestParameters|contains: sg-1", True),
        ("requestParameters.missing: null", True),
        ("requestParameters.count: null", False),
        ("requestParameters.missing|exists: false", True),
        ("sourceIPAddress|cidr: 198.51.100.0/24", True),
        ("sourceIPAddress|cidr: 203.0.113.0/24", False),
        ("userIdentity.userName|fieldref: userIdentity.type", False),
        ("userIdentity.type|fieldref: userIdentity.type", True),
        ("userIdentity.arn|contains: ':user/'", True),
        ("failed: false", True),
        ("readOnly: true", True),
        ("eventTime|hour: 12", True),
        ("resources.type: AWS::EC2::Instance", True),
        ("resources.ARN|startswith: 'arn:aws:ec2'", True),
    ],
)
def test_what_a_condition_means(
    one_event: MemoryStore, tmp_path: Path, condition: str, matches: bool
) -> None:
    for number, word in enumerate(("", "not ")):
        (tmp_path / f"{number}.yml").write_text(
            _HEAD.format(title=f"{word}matched", number=number)
            + f"  selection:\n    {condition}\n  condition: {word}selection\n"
        )
    alerts, problems = detect(one_event, FIRST, LAST, [tmp_path])
    assert problems == []
    assert [alert.title for alert in alerts] == ["matched" if matches else "not matched"]


@pytest.fixture(scope="module")
def one_event() -> MemoryStore:
    event = an_event(
        requestParameters=_REQUEST,
        resources=[
            {"type": "AWS::EC2::Vpc", "ARN": "arn:aws:other"},
            {"type": "AWS::EC2::Instance", "ARN": "arn:aws:ec2:x"},
        ],
    )
    return MemoryStore([event])


def test_keywords_are_looked_for_everywhere(tmp_path: Path) -> None:
    event = an_event(requestParameters={"deep": {"er": "needle"}})
    detection = "  keywords: ['needle']\n  condition: keywords\n"
    assert _detected(tmp_path, detection, event, an_event()) == [event["eventID"]]


def test_lists_of_maps_and_counts_of_selections(tmp_path: Path) -> None:
    kept = an_event(eventName="StopLogging")
    detection = (
        "  selection:\n    eventName|startswith: Stop\n"
        "  filter_one:\n    - userIdentity.type: AWSService\n"
        "    - sourceIPAddress: 'AWS Internal'\n"
        "  condition: 1 of selection* and not 1 of filter_*\n"
    )
    other = an_event(eventName="StopLogging", sourceIPAddress="AWS Internal")
    assert _detected(tmp_path, detection, kept, other) == [kept["eventID"]]


def test_a_value_cannot_become_sql(tmp_path: Path) -> None:
    detection = '  selection:\n    eventName: "x\' or 1=1 --"\n  condition: selection\n'
    assert _detected(tmp_path, detection, an_event()) == []


@pytest.mark.parametrize(
    "field",
    [
        "request_parameters:$') is not null or 1=1 --",
        "request_parameters:$.name') or true --",
        "resources:$[*].\"type\"', ''), ',') is not null or true --",
        'request_parameters:$."a\'b"',
        'request_parameters:$."a\\"b"',
        "request_parameters:$.a..b",
        "request_parameters:$.a[1;2]",
        "event_name:$.a",  # not JSON
        "event_name) or (true",
        "requestParameters.a') or true --",
        "requestParameters.a[1]') or true --",
        "userIdentity.a\\'",
    ],
)
def test_a_field_name_cannot_become_sql(tmp_path: Path, field: str) -> None:
    (tmp_path / "theirs.yml").write_text(
        json.dumps(
            {
                "title": "T",
                "logsource": {"product": "aws", "service": "cloudtrail"},
                "detection": {"selection": {field: "x"}, "condition": "selection"},
            }
        )
    )
    alerts, problems = detect(MemoryStore([an_event()]), FIRST, LAST, [tmp_path])
    assert alerts == []
    (problem,) = problems
    assert problem.rule == "T"
    assert "not one that the event table keeps" in problem.reason


@pytest.mark.parametrize("field", ["request_parameters:$.name", 'request_parameters:$."name"'])
def test_a_path_in_a_column_is_a_field(one_event: MemoryStore, tmp_path: Path, field: str) -> None:
    (tmp_path / "theirs.yml").write_text(
        _HEAD.format(title="T", number=1)
        + f"  selection:\n    '{field}|startswith': Alice\n  condition: selection\n"
    )
    alerts, problems = detect(one_event, FIRST, LAST, [tmp_path])
    assert problems == []
    assert len(alerts) == 1


@pytest.mark.parametrize(
    ("identity", "principal_id"),
    [
        ({"type": "AWSService", "invokedBy": "ecs-tasks.amazonaws.com"}, "ecs-tasks.amazonaws.com"),
        (
            {
                "type": "IdentityCenterUser",
                "onBehalfOf": {"userId": "u-1", "identityStoreArn": "a"},
            },
            "u-1",
        ),
    ],
)
def test_whoever_has_no_principal_id_is_named_by_what_identifies_them(
    tmp_path: Path, identity: dict[str, Any], principal_id: str
) -> None:
    (tmp_path / "theirs.yml").write_text(
        _HEAD.format(title="Assumed", number=1)
        + "  selection:\n    eventName: AssumeRole\n  condition: selection\n"
    )
    event = an_event(eventSource="sts.amazonaws.com", eventName="AssumeRole", userIdentity=identity)
    alerts, problems = detect(MemoryStore([event]), FIRST, LAST, [tmp_path])
    assert problems == []
    assert [alert.principals[0].principal_id for alert in alerts] == [principal_id]


def test_whatever_one_rule_does_the_others_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, title in enumerate(("Breaks", "Counts", "Good")):
        (tmp_path / f"{number}.yml").write_text(
            _HEAD.format(title=title, number=number)
            + "  selection:\n    eventName: DescribeInstances\n  condition: selection\n"
        )
    real = detect_module.alert_of

    def alert_of(rule: Any, *arguments: Any) -> Alert:
        if rule.title == "Breaks":
            raise LookupError("column")
        return real(rule, *arguments)

    monkeypatch.setattr(detect_module, "alert_of", alert_of)
    alerts, problems = detect(MemoryStore([an_event()]), FIRST, LAST, [tmp_path])
    assert sorted(alert.title for alert in alerts) == ["Counts", "Good"]
    (problem,) = problems
    assert (problem.rule, problem.file) == ("Breaks", "0.yml")
    assert "LookupError" in problem.reason


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("title: " + "[" * 5_000, "it is nested too deeply"),
        ("title: " + "9" * 5_000, "a number in it has thousands of figures"),
        ("title: [", "cannot be read"),
        ("just text", "cannot be read"),
        ("", "no rule in it"),
        (
            "title: T\nlogsource: {product: windows, category: process_creation}\n"
            "detection:\n  selection: {Image: x}\n  condition: selection\n",
            "windows",
        ),
        (
            "title: T\nlogsource: {product: aws, service: cloudtrail}\n"
            "detection:\n  selection: {tlsDetails.tlsVersion: TLSv1}\n  condition: selection\n",
            "tlsDetails.tlsVersion",
        ),
        (
            "title: T\nlogsource: {product: aws, service: cloudtrail}\n"
            'detection:\n  selection: {"requestParameters.a\'b": x}\n  condition: selection\n',
            "not one that the event table keeps",
        ),
        (
            "title: T\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n"
            "  selection: {eventName: x}\n"
            "  condition: selection | count() by userIdentity.arn > 20\n",
            "",
        ),
        (
            "title: T\ncorrelation:\n  type: event_count\n  rules: [absent]\n"
            "  group-by: [eventName]\n  timespan: 1h\n  condition: {gte: 3}\n",
            "counts",
        ),
        (
            "title: T\ncorrelation:\n  type: temporal\n  rules: [base]\n"
            "  group-by: [eventName]\n  timespan: 1h\n  condition: base and not base\n---\n"
            "title: B\nname: base\nlogsource: {product: aws, service: cloudtrail}\n"
            "detection:\n  selection: {eventName: x}\n  condition: selection\n",
            "its condition names rules",
        ),
        ("title: T\nlogsource: !!python/object:os.system {}\n", "has a YAML tag"),
        ("title: T\ndetection: !secret x\n", "has a YAML tag"),
        ("title: T\ndetection: [a\n", "not valid YAML at line 3, column 1"),
    ],
)
def test_a_rule_that_cannot_be_run_is_named_with_the_reason(
    tmp_path: Path, rule: str, reason: str
) -> None:
    (tmp_path / "theirs.yml").write_text(rule)
    (tmp_path / "good.yaml").write_text(
        _HEAD.format(title="Good", number=2)
        + "  selection:\n    eventName: DescribeInstances\n  condition: selection\n"
    )
    alerts, problems = detect(MemoryStore([an_event()]), FIRST, LAST, [tmp_path])
    assert [alert.title for alert in alerts] == ["Good"]
    assert problems
    assert {problem.file for problem in problems} == {"theirs.yml"}
    assert all(problem.rule in ("T", "theirs") for problem in problems)
    assert any(reason in problem.reason for problem in problems)


def test_a_correlation_may_count_a_rule_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(
        "title: Often\ncorrelation:\n  type: event_count\n  rules: [described]\n"
        "  group-by: [userIdentity.arn]\n  timespan: 5m\n  condition: {gt: 2}\n"
    )
    (tmp_path / "b.yml").write_text(
        "title: Described\nname: described\nlogsource: {product: aws, service: cloudtrail}\n"
        "detection:\n  selection: {eventName: DescribeInstances}\n  condition: selection\n"
    )
    events = [an_event(eventTime=_at(minute)) for minute in (0, 1, 2, 30, 31)]
    alerts, problems = detect(MemoryStore(events), FIRST, LAST, [tmp_path])
    assert problems == []
    assert [(alert.title, len(alert.event_ids)) for alert in alerts] == [("Often", 3)]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    alerts, problems = detect(MemoryStore([an_event()]), FIRST, LAST, [tmp_path / "none"])
    assert alerts == []
    assert problems[0].rule == "none"


def test_ours_and_theirs_run_together(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(
        _HEAD.format(title="Theirs", number=1)
        + "  selection:\n    eventName: StopLogging\n  condition: selection\n"
    )
    event = an_event(eventSource="cloudtrail.amazonaws.com", eventName="StopLogging")
    alerts, _ = detect(MemoryStore([event]), FIRST, LAST, [OUR_RULES, tmp_path])
    assert {alert.title for alert in alerts} == {
        "Theirs",
        "Logging or a detector narrowed or switched off",
    }


# --- Real logs ------------------------------------------------------------------------------------


def test_the_stratus_run_raises_what_it_did(stratus_store: Store) -> None:
    first, last = datetime(2023, 7, 10, tzinfo=UTC), datetime(2023, 7, 11, tzinfo=UTC)
    alerts, problems = detect(stratus_store, first, last)
    assert problems == []

    def by_title(title: str) -> list[Alert]:
        return [alert for alert in alerts if alert.title.removesuffix(TRIED) == title]

    # Stratus Red Team's techniques: twenty secrets each time, three times over; a user without MFA;
    # an image, a disk and a database shared; a trail deleted; keys for other users.
    (secrets,) = by_title("Many secrets read")
    assert len(secrets.event_ids) == 60
    (login,) = by_title("Console sign-in without MFA")
    assert login.principals[0].user_name == "stratus-red-team-nmfalu-gfjyeaypjt"
    (shared,) = by_title("Snapshot or image shared with another account")
    assert len(shared.event_ids) == 3
    (tampering,) = by_title("Logging or a detector narrowed or switched off")
    assert tampering.event_name == "DeleteTrail"
    (keys,) = by_title("Access key made for another user")
    assert keys.principals[0].user_name == "bert-jan"


# --- Counting ---------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from("ab"), st.integers(1, 4)),
        max_size=14,
    ),
    st.integers(2, 4),
    st.sampled_from([3, 10]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_counting_finds_exactly_the_crowded_stretches(
    calls: list[tuple[int, str, int]], enough: int, minutes: int
) -> None:
    """Against a plain recount: a call is cited if a window around it has enough values."""
    events = [
        an_event(
            eventTime=_at(minute),
            userIdentity=a_user(user),
            eventName="GetThing",
            requestParameters={"thing": f"t{thing}"},
        )
        for minute, user, thing in calls
    ]
    by_time = sorted(zip(calls, events, strict=True), key=lambda pair: pair[0][0])
    expected = set()
    for start, user, _ in calls:
        inside = [
            (call, event)
            for call, event in by_time
            if call[1] == user and start <= call[0] <= start + minutes
        ]
        if len({call[2] for call, _ in inside}) >= enough:
            expected |= {event["eventID"] for _, event in inside}
    rule = (
        "title: Things\ncorrelation:\n  type: value_count\n  rules: [one]\n"
        f"  group-by: [userIdentity.arn]\n  timespan: {minutes}m\n"
        f"  condition: {{gte: {enough}, field: requestParameters.thing}}\n---\n"
        "title: One\nname: one\nlogsource: {product: aws, service: cloudtrail}\n"
        "detection:\n  selection: {eventName: GetThing}\n  condition: selection\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rule.yml"
        file.write_text(rule)
        alerts, problems = detect(MemoryStore(events), FIRST, LAST, [file])
    assert problems == []
    assert {event_id for alert in alerts for event_id in alert.event_ids} == expected


def test_a_pattern_that_the_engine_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(
        _HEAD.format(title="Looks ahead", number=1)
        + "  selection:\n    eventName|re: '^(?=Get)'\n  condition: selection\n"
    )
    alerts, (problem,) = detect(MemoryStore([an_event()]), FIRST, LAST, [tmp_path])
    assert alerts == []
    assert problem.rule == "Looks ahead"
    assert "invalid" in str(problem)
