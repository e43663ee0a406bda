"""GuardDuty findings in every form, and as Security Hub hands them on."""

from __future__ import annotations

import gzip
import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alerts import parse_alerts
from enrich import ask_all
from tests.an_event import a_user, an_event
from trail.errors import AlertUnrecognised
from trail.index.build import add
from trail.store import open_store

FINDING: dict[str, Any] = {
    "schemaVersion": "2.0",
    "accountId": "111122223333",
    "region": "eu-west-1",
    "partition": "aws",
    "id": "e0c1f2a3b4d5e6f708192a3b4c5d6e7f",
    "arn": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/"
    "e0c1f2a3b4d5e6f708192a3b4c5d6e7f",
    "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    "resource": {
        "resourceType": "AccessKey",
        "accessKeyDetails": {
            "accessKeyId": "ASIAROLESESSION00001",
            "principalId": "AROAREADERXXXXXXXXXXX:i-0123456789abcdef0",
            "userName": "reader",
            "userType": "AssumedRole",
        },
    },
    "service": {
        "serviceName": "guardduty",
        "detectorId": "d1",
        "action": {
            "actionType": "AWS_API_CALL",
            "awsApiCallAction": {
                "api": "GetObject",
                "serviceName": "s3.amazonaws.com",
                "callerType": "Remote IP",
                "errorCode": "AccessDenied",
                "userAgent": "aws-cli/2.15.0",
                "remoteIpDetails": {
                    "ipAddressV4": "203.0.113.9",
                    "organization": {"asn": "64500", "asnOrg": "EXAMPLE", "isp": "Example"},
                    "country": {"countryName": "Nowhere"},
                },
                "affectedResources": {},
            },
        },
        "resourceRole": "TARGET",
        "additionalInfo": {"type": "default", "value": "{}"},
        "eventFirstSeen": "2026-03-10T12:00:00.000Z",
        "eventLastSeen": "2026-03-10T13:30:00.000Z",
        "archived": False,
        "count": 7,
    },
    "severity": 8,
    "createdAt": "2026-03-10T14:00:00.000Z",
    "updatedAt": "2026-03-10T14:00:00.000Z",
    "title": "Credentials of an instance role were used from outside AWS.",
    "description": "…",
}


def _pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _pascal(item) for key, item in value.items()}
    return [_pascal(item) for item in value] if isinstance(value, list) else value


def _hybrid(finding: dict[str, Any]) -> dict[str, Any]:
    """Capitals on the outer levels only, as a playbook that renames what it uses leaves them."""
    hybrid = {key[0].upper() + key[1:]: value for key, value in finding.items()}
    hybrid["Service"] = {key[0].upper() + key[1:]: v for key, v in finding["service"].items()}
    return hybrid


def _changed(**paths: Any) -> dict[str, Any]:
    """The finding with values at dotted paths ("resource__accessKeyDetails") replaced."""
    finding = deepcopy(FINDING)
    for path, value in paths.items():
        *parents, last = path.split("__")
        target = finding
        for parent in parents:
            target = target[parent]
        target[last] = value
    return finding


def _one(finding: object) -> Any:
    (alert,) = parse_alerts(json.dumps(finding))
    return alert


EVENTBRIDGE = {
    "version": "0",
    "id": "c8c4daa7-a20c-2f03-0070-b7393dd542ad",
    "detail-type": "GuardDuty Finding",
    "source": "aws.guardduty",
    "account": "111122223333",
    "time": "2026-03-10T14:00:00Z",
    "region": "eu-west-1",
    "resources": [],
    "detail": FINDING,
}

FORMS: dict[str, tuple[object, str]] = {
    "S3 export line": (FINDING, "GuardDuty finding, export form"),
    "API": (_pascal(FINDING), "GuardDuty finding, API form"),
    "GetFindings": (
        {"Findings": [_pascal(FINDING)]},
        "GuardDuty finding, API form, in GetFindings response",
    ),
    "EventBridge": (
        EVENTBRIDGE,
        "GuardDuty finding, EventBridge form, in EventBridge event",
    ),
    "SOAR hybrid": (_hybrid(FINDING), "GuardDuty finding, mixed-case form of a SOAR tool"),
    "EventBridge in SNS": (
        {"Type": "Notification", "Message": json.dumps(EVENTBRIDGE)},
        "GuardDuty finding, EventBridge form, in EventBridge event, in SNS message",
    ),
    "Panther": (
        FINDING | {"p_log_type": "AWS.GuardDuty"},
        "GuardDuty finding, export form, in Panther",
    ),
    "Elastic event.original": (
        {"_source": {"event": {"original": json.dumps(FINDING), "dataset": "aws.guardduty"}}},
        "GuardDuty finding, export form, in Elastic's event.original, in Elastic document",
    ),
    "Splunk _raw": (
        {"result": {"_raw": json.dumps(FINDING)}},
        "GuardDuty finding, export form, in Splunk's _raw, in Splunk result",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_finding_reads_alike_in_every_form(form: str) -> None:
    pasted, shape = FORMS[form]
    alert = _one(pasted)

    assert alert.shape == shape
    assert (alert.source, alert.id) == ("guardduty", FINDING["id"])
    assert alert.finding_type == FINDING["type"]
    assert alert.title == FINDING["title"]
    assert alert.severity == 8.0
    assert (alert.account_id, alert.region) == ("111122223333", "eu-west-1")
    assert alert.first_seen == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 3, 10, 13, 30, tzinfo=UTC)
    assert (alert.event_source, alert.event_name) == ("s3.amazonaws.com", "GetObject")
    assert alert.error_code == "AccessDenied"
    assert alert.source_ip_address == "203.0.113.9"
    assert alert.user_agent == "aws-cli/2.15.0"
    assert alert.sample is False
    assert alert.event_id is None
    (person,) = alert.principals
    assert person.type == "AssumedRole"
    assert person.arn == "arn:aws:sts::111122223333:assumed-role/reader/i-0123456789abcdef0"
    assert person.role_arn == "arn:aws:iam::111122223333:role/reader"
    assert person.principal_id == "AROAREADERXXXXXXXXXXX:i-0123456789abcdef0"
    assert person.access_key_id == "ASIAROLESESSION00001"
    assert person.session_name == "i-0123456789abcdef0"
    assert person.user_name is None
    assert any("carries no ARN" in note for note in alert.notes)


def test_export_lines_become_one_alert_each() -> None:
    lines = "\n".join(json.dumps(FINDING | {"id": f"finding-{n}"}) for n in range(3))
    alerts = parse_alerts(gzip.compress(lines.encode()))
    assert [alert.id for alert in alerts] == ["finding-0", "finding-1", "finding-2"]


def test_origins_are_spelt_as_pasted() -> None:
    assert _one(_pascal(FINDING)).origins["source_ip_address"] == (
        "Service.Action.AwsApiCallAction.RemoteIpDetails.IpAddressV4"
    )
    assert _one(EVENTBRIDGE).origins["principals[0].access_key_id"] == (
        "detail.resource.accessKeyDetails.accessKeyId"
    )


@pytest.mark.parametrize(
    ("details", "arn"),
    [
        (
            {"userType": "IAMUser", "userName": "alice", "principalId": "AIDAALICEXXXXXXXXXXXX"},
            "arn:aws:iam::111122223333:user/alice",
        ),
        (
            {"userType": "Root", "userName": "Root", "principalId": "111122223333"},
            "arn:aws:iam::111122223333:root",
        ),
        (
            {"userType": "FederatedUser", "userName": "bob", "principalId": "111122223333:bob"},
            "arn:aws:sts::111122223333:federated-user/bob",
        ),
        ({"userType": "AWSAccount", "principalId": "444455556666"}, None),
    ],
)
def test_the_principal_of_other_kinds_of_identity(details: dict[str, str], arn: str | None) -> None:
    person = _one(_changed(resource__accessKeyDetails=details)).principals[0]
    assert (person.type, person.arn) == (details["userType"], arn)
    assert person.principal_id == details["principalId"]


def _snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {re.sub("(?<!^)(?=[A-Z])", "_", k).lower(): _snake(v) for k, v in value.items()}
    return [_snake(item) for item in value] if isinstance(value, list) else value


def _dotted(value: dict[str, Any], before: str) -> dict[str, Any]:
    """As tools flatten it: each leaf under its path."""
    found: dict[str, Any] = {}
    for key, member in value.items():
        below = _dotted(member, f"{before}{key}.") if isinstance(member, dict) else None
        found |= {before + key: member} if below is None else below
    return found


def _by_elastic() -> dict[str, Any]:
    """With the names of Elastic's integration."""
    finding = _snake(FINDING)
    service = finding["service"]
    service["event"] = {
        "first_seen": service.pop("event_first_seen"), "last_seen": service.pop("event_last_seen")
    }  # fmt: skip
    return finding | {"severity": {"code": 8, "value": "High"}}


FLATTENED: dict[str, Any] = {
    "Splunk": {"result": _dotted(FINDING, "")},
    "Splunk, an event": {"result": _dotted(FINDING, "detail.")},
    "Wazuh": {"_source": _dotted(FINDING, "data.aws.")},
    "Elastic": {"@timestamp": "x", "aws": {"guardduty": _by_elastic()}},
    "Elastic, dotted": _dotted(_by_elastic(), "aws.guardduty."),
    "Elastic, fields": {"fields": {
        name: [value] for name, value in _dotted(_by_elastic(), "aws.guardduty.").items()}},
}  # fmt: skip


@pytest.mark.parametrize("tool", FLATTENED)
def test_a_finding_that_a_tool_flattened_is_the_same(tool: str) -> None:
    alert, expected = _one(FLATTENED[tool]), _one(FINDING)
    assert alert.principals == expected.principals
    assert (alert.first_seen, alert.last_seen) == (expected.first_seen, expected.last_seen)
    for name in ("id", "event_name", "source_ip_address", "account_id", "severity", "source"):
        assert getattr(alert, name) == getattr(expected, name)


OLD_ID = "AIDAIEXTERNAL7T2QZ5LM"
"""Of before ids held their account."""
NEW_ID = "AIDA2XMBSVPTN5BKSBAXW"
"""By its first 40 bits of account 737395518438."""


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_caller_of_another_account_is_not_of_the_findings_own(wrapped: bool) -> None:
    details = {"userType": "AWSAccount", "principalId": OLD_ID, "userName": "", "accessKeyId": ""}
    finding = _changed(resource__accessKeyDetails=details)
    if wrapped:
        finding = EVENTBRIDGE | {"detail": {**finding, "accountId": None, "arn": None}}
    alert = _one(finding)
    (person,) = alert.principals
    assert (person.principal_id, person.account_id, person.arn) == (OLD_ID, None, None)
    assert alert.account_id == "111122223333"
    assert any("another account, which the finding does not name" in note for note in alert.notes)


def test_a_caller_of_another_account_may_show_it_in_its_id() -> None:
    details = {"userType": "AWSAccount", "principalId": NEW_ID}
    (person,) = _one(_changed(resource__accessKeyDetails=details)).principals
    assert person.account_id == "737395518438"
    details = {"userType": "AWSAccount", "principalId": "444455556666"}
    (person,) = _one(_changed(resource__accessKeyDetails=details)).principals
    assert person.account_id == "444455556666"


def test_nothing_is_not_said_of_a_caller_of_an_account_that_nobody_knows(tmp_path: Path) -> None:
    days = [f"2026-03-{day:02d}T{hour:02d}:00:00Z" for day in range(2, 12) for hour in (0, 12, 23)]
    log = tmp_path / "log.json"
    log.write_text(json.dumps({"Records": [
        an_event(eventTime=time, eventID=f"e-{n}", userIdentity=a_user("bob"))
        for n, time in enumerate(days)]}))  # fmt: skip
    add([log], tmp_path / "index")
    store = open_store(tmp_path / "index")
    details = {"userType": "AWSAccount", "principalId": OLD_ID}
    alert = _one(_changed(resource__accessKeyDetails=details))
    answers = {one.name: one for one in ask_all(alert, alert.principals[0], store)}
    assert {answers[name].status for name in ("services_used", "roles_assumed")} == {"partial"}
    said = " ".join(answers["services_used"].caveats)
    assert "another account, which the alert does not name" in said
    assert not any(answer.status == "nothing" for answer in answers.values())


def test_arns_are_of_the_findings_partition() -> None:
    person = _one(_changed(partition="aws-cn")).principals[0]
    assert person.role_arn == "arn:aws-cn:iam::111122223333:role/reader"


def test_without_times_those_of_the_finding_stand_in_and_are_marked() -> None:
    finding = deepcopy(FINDING)
    del finding["service"]["eventFirstSeen"], finding["service"]["eventLastSeen"]
    finding |= {"createdAt": "2026-03-10T13:35:00Z", "updatedAt": "2026-03-10T14:00:00Z"}
    alert = _one(finding)
    assert alert.time_is_fallback
    assert alert.first_seen == datetime(2026, 3, 10, 13, 35, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 3, 10, 14, tzinfo=UTC)
    assert alert.used_between == (None, alert.last_seen)
    assert (alert.origins["first_seen"], alert.origins["last_seen"]) == ("createdAt", "updatedAt")
    assert any("does not say when the activity was" in note for note in alert.notes)
    assert not _one(FINDING).time_is_fallback


@pytest.mark.parametrize(
    ("envelope", "path"),
    [
        ({"detail-type": "GuardDuty Finding", "time": "2026-03-10T14:00:00Z"}, "time"),
        ({"Type": "Notification", "Timestamp": "2026-03-10T14:00:00.000Z"}, "Timestamp"),
        ({"attributes": {"SentTimestamp": "1773151200000"}}, "attributes.SentTimestamp"),
    ],
)
def test_without_any_time_that_of_the_envelope_stands_in(
    envelope: dict[str, Any], path: str
) -> None:
    finding = deepcopy(FINDING)
    del finding["service"]["eventFirstSeen"], finding["service"]["eventLastSeen"]
    for name in ("createdAt", "updatedAt"):
        finding.pop(name, None)
    key = "detail" if "time" in envelope else "Message" if "Type" in envelope else "body"
    (alert,) = parse_alerts(json.dumps(envelope | {key: json.dumps(finding)}))
    assert alert.first_seen == alert.last_seen == datetime(2026, 3, 10, 14, tzinfo=UTC)
    assert alert.time_is_fallback
    assert alert.origins["first_seen"] == path
    alone = _one(finding)
    assert alone.first_seen is None
    assert any("give the time" in note for note in alone.notes)


def test_an_ipv6_caller() -> None:
    remote = {"ipAddressV6": "2001:db8::7", "ipAddressV4": ""}
    path = "service__action__awsApiCallAction__remoteIpDetails"
    assert _one(_changed(**{path: remote})).source_ip_address == "2001:db8::7"


def test_an_older_anomaly_has_its_user_agent_in_the_additional_information() -> None:
    finding = deepcopy(FINDING)
    del finding["service"]["action"]["awsApiCallAction"]["userAgent"]
    inner = {"userAgent": {"fullUserAgent": "Boto3/1.26", "userAgentCategory": "Boto3"}}
    finding["service"]["additionalInfo"] = {"type": "default", "value": json.dumps(inner)}
    alert = _one(finding)
    assert alert.user_agent == "Boto3/1.26"
    assert alert.origins["user_agent"] == ("service.additionalInfo.value → userAgent.fullUserAgent")


def test_an_account_id_written_as_a_number_gets_its_zeros_back() -> None:
    assert _one(_changed(accountId=11122223333)).account_id == "011122223333"


def test_a_severity_off_the_scale_is_none() -> None:
    assert _one(_changed(severity=8000)).severity is None


def test_an_instance_finding_points_to_its_roles_session() -> None:
    resource = {
        "resourceType": "Instance",
        "instanceDetails": {
            "instanceId": "i-0123456789abcdef0",
            "iamInstanceProfile": {
                "arn": "arn:aws:iam::111122223333:instance-profile/web/web-role",
                "id": "AIPAWEBROLEXXXXXXXXXX",
            },
        },
    }
    action = {
        "actionType": "NETWORK_CONNECTION",
        "networkConnectionAction": {"remoteIpDetails": {"ipAddressV4": "203.0.113.66"}},
    }
    alert = _one(_changed(resource=resource, service__action=action))
    (person,) = alert.principals
    assert person.type == "AssumedRole"
    assert person.role_arn == "arn:aws:iam::111122223333:role/web-role"
    assert person.arn == "arn:aws:sts::111122223333:assumed-role/web-role/i-0123456789abcdef0"
    assert person.session_name == "i-0123456789abcdef0"
    assert person.principal_id is None  # AIPA… names the profile, not the role
    assert any("instance profile" in note for note in alert.notes)
    assert any("far end of a network connection" in note for note in alert.notes)
    assert alert.event_name is None


def test_a_lambda_finding_points_to_the_functions_role() -> None:
    resource = {
        "resourceType": "Lambda",
        "lambdaDetails": {
            "functionName": "resize",
            "role": "arn:aws:iam::111122223333:role/service-role/resize-role",
        },
    }
    (person,) = _one(_changed(resource=resource)).principals
    assert person.role_arn == "arn:aws:iam::111122223333:role/service-role/resize-role"
    assert person.arn == "arn:aws:sts::111122223333:assumed-role/resize-role/resize"
    assert person.session_name == "resize"


def of_a_cluster(**user: Any) -> dict[str, Any]:
    finding = deepcopy(FINDING)
    finding["resource"] = {
        "resourceType": "EKSCluster",
        "kubernetesDetails": {"kubernetesUserDetails": user},
    }
    finding["service"]["action"] = {
        "actionType": "KUBERNETES_API_CALL",
        "kubernetesApiCallAction": {"verb": "list", "sourceIps": ["203.0.113.9", "10.0.0.1"]},
    }
    return finding


ROLE_UID = "aws-iam-authenticator:111122223333:AROAREADERXXXXXXXXX7Q"


@pytest.mark.parametrize(
    ("user", "arn", "principal_id", "kind", "session"),
    [
        ({"username": "arn:aws:sts::111122223333:assumed-role/Deploy/kim", "uid": ROLE_UID},
         "arn:aws:sts::111122223333:assumed-role/Deploy/kim", "AROAREADERXXXXXXXXX7Q:kim",
         "AssumedRole", "kim"),
        ({"username": "admin", "uid": ROLE_UID, "sessionName": ["kim"]},
         None, "AROAREADERXXXXXXXXX7Q:kim", "AssumedRole", "kim"),
        ({"username": "arn:aws:iam::111122223333:user/kim",
          "uid": "heptio-authenticator-aws:111122223333:AIDAKIMXXXXXXXXXXX7QR"},
         "arn:aws:iam::111122223333:user/kim", "AIDAKIMXXXXXXXXXXX7QR", "IAMUser", None),
        ({"username": "arn:aws:iam::111122223333:role/Deploy", "uid": ROLE_UID,
          "sessionName": ["kim"]},
         "arn:aws:iam::111122223333:role/Deploy", "AROAREADERXXXXXXXXX7Q:kim", "AssumedRole",
         "kim"),
        ({"username": "system:anonymous", "uid": ""}, None, None, "Unknown", None),
    ],
)  # fmt: skip
def test_a_kubernetes_user_is_the_iam_identity_that_its_cluster_names(
    user: dict[str, Any], arn: str | None, principal_id: str | None, kind: str, session: str | None
) -> None:
    (alert,) = parse_alerts(json.dumps(of_a_cluster(**user)))

    (principal,) = alert.principals
    assert (principal.arn, principal.principal_id, principal.type, principal.session_name) == (
        arn, principal_id, kind, session,
    )  # fmt: skip
    assert alert.source_ip_address == "203.0.113.9"


def test_an_ecs_finding_gives_the_tasks_session() -> None:
    task = "arn:aws:ecs:eu-west-1:111122223333:task/shop/0f0e0d0c0b0a09080706050403020100"
    resource = {
        "resourceType": "ECSCluster",
        "ecsClusterDetails": {"name": "shop", "taskDetails": {"arn": task}},
    }
    (person,) = _one(_changed(resource=resource)).principals
    assert person.session_name == "0f0e0d0c0b0a09080706050403020100"
    assert person.role_arn is None


@pytest.mark.parametrize("part", ["service", "resource"])
def test_a_shortened_finding_is_known_by_its_type(part: str) -> None:
    short = {key: value for key, value in FINDING.items() if key not in (part, "schemaVersion")}
    alert = _one(short)
    assert (alert.source, alert.finding_type) == ("guardduty", FINDING["type"])


def test_a_ticket_with_a_type_and_a_resource_is_no_finding() -> None:
    with pytest.raises(AlertUnrecognised):
        parse_alerts(json.dumps({"type": "incident", "resource": {"name": "x"}}))


def test_a_role_without_an_account_is_named_all_the_same() -> None:
    finding = {key: value for key, value in FINDING.items() if key not in ("accountId", "arn")}
    assert any("names the role reader" in note for note in _one(finding).notes)


def test_a_finding_without_an_identity_asks_for_one() -> None:
    alert = _one(_changed(resource={"resourceType": "S3Bucket", "s3BucketDetails": []}))
    assert alert.principals == ()
    assert any("give the principal" in note for note in alert.notes)


SEQUENCE = _changed(
    type="AttackSequence:IAM/CompromisedCredentials",
    severity=9,
    resource={"resourceType": "AttackSequence"},
    service={
        "serviceName": "guardduty",
        "eventFirstSeen": "2026-03-10T10:00:00.000Z",
        "eventLastSeen": "2026-03-10T12:00:00.000Z",
        "count": 5,
        "detection": {
            "sequence": {
                "uid": "s-1",
                "actors": [
                    {
                        "id": "user:AssumedRole:AROAREADERXXXXXXXXXXX:work",
                        "user": {
                            "name": "reader",
                            "uid": "AROAREADERXXXXXXXXXXX:work",
                            "type": "AssumedRole",
                            "credentialUid": "ASIAROLESESSION00001",
                            "account": {"uid": "444455556666", "account": "other"},
                        },
                        "session": {
                            "uid": "work",
                            "createdTime": "2026-03-10T09:50:00Z",
                            "mfaStatus": "DISABLED",
                        },
                    },
                    {
                        "id": "user:IAMUser:AIDAALICEXXXXXXXXXXXX",
                        "user": {
                            "name": "alice",
                            "uid": "AIDAALICEXXXXXXXXXXXX",
                            "type": "IAMUser",
                            "credentialUid": "AKIAALICEXQXQXQXQXQX",
                            "account": {"uid": "111122223333"},
                        },
                    },
                ],
                "endpoints": [{"id": "e1", "ip": "203.0.113.9"}, {"id": "e2", "ip": "203.0.113.8"}],
                "signals": [
                    {
                        "uid": "g1",
                        "type": "CLOUD_TRAIL",
                        "firstSeenAt": "2026-03-10T10:00:00Z",
                        "lastSeenAt": "2026-03-10T12:00:00Z",
                        "activities": [
                            {
                                "api": {
                                    "operation": "StopLogging",
                                    "service": "cloudtrail.amazonaws.com",
                                    "userAgent": "Boto3/1.34",
                                }
                            },
                            {"api": {"operation": "PutObject", "service": "s3.amazonaws.com"}},
                        ],
                    }
                ],
            }
        },
    },
)


DESCRIBED = (
    "A sequence of actions involving 4 signals indicating a possible credential compromise was "
    "observed for {} in account 444455556666\nbetween eventFirstSeen and eventLastSeen with the "
    "following behaviors:\n  - 4 sensitive APIs called: cloudtrail:DeleteTrail"
)


@pytest.mark.parametrize(
    ("named", "kind", "arn", "principal_id"),
    [
        (
            "IAMUser/alice with principalId AIDAALICEQXQXQXQXQXQX",
            "IAMUser",
            "arn:aws:iam::444455556666:user/alice",
            "AIDAALICEQXQXQXQXQXQX",
        ),
        (
            "AssumedRole/reader with principalId AROAREADERQXQXQXQXQXQ:work",
            "AssumedRole",
            "arn:aws:sts::444455556666:assumed-role/reader/work",
            "AROAREADERQXQXQXQXQXQ:work",
        ),
        ("Root/prod", "Root", "arn:aws:iam::444455556666:root", None),
    ],
)
@pytest.mark.parametrize("form", ["camel", "pascal"])
def test_an_attack_sequence_without_its_sequence_is_of_whom_its_description_names(
    named: str, kind: str, arn: str, principal_id: str | None, form: str
) -> None:
    finding = _changed(
        type="AttackSequence:IAM/CompromisedCredentials",
        description=DESCRIBED.format(named),
        resource={"resourceType": "AttackSequence"},
        service={"eventFirstSeen": "2026-03-10 10:00:00.000000000"},
    )
    alert = _one(finding if form == "camel" else _pascal(finding))
    (person,) = alert.principals
    assert (person.type, person.arn, person.principal_id) == (kind, arn, principal_id)
    assert person.account_id == "444455556666"
    assert any("escription" in note for note in alert.notes)


def test_a_description_that_names_a_session_by_its_own_name_gives_no_role() -> None:
    said = "AssumedRole/kim with principalId AROAREADERXQXQXQXQXQX:kim"
    finding = SEQUENCE | {"description": DESCRIBED.format(said)}
    finding["service"] = {**finding["service"], "detection": {}}
    (person,) = _one(finding).principals
    assert (person.type, person.session_name) == ("AssumedRole", "kim")
    assert person.principal_id == "AROAREADERXQXQXQXQXQX:kim"
    assert (person.arn, person.role_arn) == (None, None)


def test_the_title_names_whom_the_description_does_not() -> None:
    finding = _changed(
        description="Potential compromise.",
        title="Potential credential compromise of IAMUser/alice indicated by a sequence.",
        resource={"resourceType": "AttackSequence"},
        service={"eventFirstSeen": "2026-03-10T10:00:00Z"},
    )
    (person,) = _one(finding).principals
    assert person.arn == "arn:aws:iam::111122223333:user/alice"


def test_the_key_of_the_resource_and_each_actor_of_the_sequence_are_kept() -> None:
    both = deepcopy(SEQUENCE)
    both["resource"]["accessKeyDetails"] = {
        "accessKeyId": "ASIAOTHERSESSIONQ001",
        "principalId": "AROAREADERXXXXXXXXXXX:other",
        "userName": "reader",
        "userType": "AssumedRole",
    }
    keys = [person.access_key_id for person in _one(both).principals]
    assert keys == ["ASIAOTHERSESSIONQ001", "ASIAROLESESSION00001", "AKIAALICEXQXQXQXQXQX"]
    # The same key twice is one identity, told as fully as either tells it.
    both["resource"]["accessKeyDetails"] = {
        "accessKeyId": "AKIAALICEXQXQXQXQXQX",
        "userName": "alice",
        "userType": "IAMUser",
    }
    user, role = _one(both).principals
    assert (user.access_key_id, user.principal_id) == (
        "AKIAALICEXQXQXQXQXQX",
        "AIDAALICEXXXXXXXXXXXX",
    )
    assert role.access_key_id == "ASIAROLESESSION00001"


@pytest.mark.parametrize("finding", [SEQUENCE, _pascal(SEQUENCE)], ids=["camel", "pascal"])
def test_an_attack_sequence_names_every_actor(finding: dict[str, Any]) -> None:
    alert = _one(finding)
    role, user = alert.principals
    assert role.arn == "arn:aws:sts::444455556666:assumed-role/reader/work"
    assert role.access_key_id == "ASIAROLESESSION00001"
    assert role.session_created == datetime(2026, 3, 10, 9, 50, tzinfo=UTC)
    assert (user.type, user.user_name) == ("IAMUser", "alice")
    assert user.access_key_id == "AKIAALICEXQXQXQXQXQX"
    assert alert.source_ip_address == "203.0.113.9"
    assert (alert.event_source, alert.event_name) == ("cloudtrail.amazonaws.com", "StopLogging")
    assert any("203.0.113.8" in note for note in alert.notes)
    assert any("2 principals" in note for note in alert.notes)
    assert any("PutObject" in note for note in alert.notes)


# --- Samples --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "address", "call", "key"),
    [
        (
            "guardduty_iam_event.json",
            "Recon:IAMUser/MaliciousIPCaller.Custom",
            "198.51.100.0",
            "GeneratedFindingAPIName",
            "GeneratedFindingAccessKeyId",
        ),
        (
            "guardduty_s3_event.json",
            "PenTest:S3/ParrotLinux",
            "198.51.100.0",
            "GeneratedFindingAPIName",
            "GeneratedFindingAccessKeyId",
        ),
        ("guardduty_ec2_event.json", "Canary:EC2/Stateless.IntegTest", "0.0.0.0", None, None),
    ],
)
def test_awss_own_sample_findings(
    real_data: Path, name: str, kind: str, address: str, call: str | None, key: str | None
) -> None:
    (alert,) = parse_alerts((real_data / "guardduty-samples" / "events" / name).read_bytes())
    assert alert.sample is True
    assert any("sample finding" in note for note in alert.notes)
    assert (alert.finding_type, alert.severity) == (kind, 5.0)
    assert (alert.source_ip_address, alert.event_name) == (address, call)
    assert alert.account_id == "123456789012"
    assert [person.access_key_id for person in alert.principals] == ([key] if key else [])
    assert all(person.arn is None for person in alert.principals)


@pytest.mark.parametrize(
    "finding",
    [
        _changed(title="[SAMPLE] Something"),
        _changed(service__additionalInfo={"sample": True}),
        _changed(service__additionalInfo={"type": "default", "value": '{"sample":true}'}),
    ],
)
def test_samples_are_told_by_what_guardduty_writes(finding: dict[str, Any]) -> None:
    assert _one(finding).sample is True


def test_an_attacker_cannot_make_a_finding_pass_for_a_sample() -> None:
    details = FINDING["resource"]["accessKeyDetails"] | {
        "userName": "GeneratedFindingUserName",
        "principalId": "AROAREADERXXXXXXXXXXX:GeneratedFinding",
    }
    finding = _changed(
        resource__accessKeyDetails=details,
        service__action__awsApiCallAction__userAgent="GeneratedFinding [SAMPLE]",
    )
    assert _one(finding).sample is False


# --- Security Hub ---------------------------------------------------------------------------------

ASFF: dict[str, Any] = {
    "SchemaVersion": "2018-10-08",
    "Id": FINDING["arn"],
    "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/guardduty",
    "ProductName": "GuardDuty",
    "GeneratorId": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1",
    "AwsAccountId": "111122223333",
    "Region": "eu-west-1",
    "Types": [
        "TTPs/Initial Access/UnauthorizedAccess:IAMUser-InstanceCredentialExfiltration.OutsideAWS"
    ],
    "FirstObservedAt": "2026-03-10T12:00:00.000Z",
    "LastObservedAt": "2026-03-10T13:30:00.000Z",
    "CreatedAt": "2026-03-10T14:00:00.000Z",
    "Severity": {"Product": 8, "Label": "HIGH", "Normalized": 70},
    "Title": FINDING["title"],
    "ProductFields": {
        "aws/guardduty/service/action/actionType": "AWS_API_CALL",
        "aws/guardduty/service/action/awsApiCallAction/api": "GetObject",
        "aws/guardduty/service/action/awsApiCallAction/serviceName": "s3.amazonaws.com",
        "aws/guardduty/service/action/awsApiCallAction/remoteIpDetails/ipAddressV4": "203.0.113.9",
        "aws/guardduty/service/additionalInfo/value": "{}",
    },
    "Resources": [
        {
            "Type": "AwsIamAccessKey",
            "Id": "AWS::IAM::AccessKey:ASIAROLESESSION00001",
            "Partition": "aws",
            "Region": "eu-west-1",
            "Details": {
                "AwsIamAccessKey": {
                    "PrincipalId": "AROAREADERXXXXXXXXXXX:i-0123456789abcdef0",
                    "PrincipalType": "AssumedRole",
                    "PrincipalName": "reader",
                }
            },
        }
    ],
}


@pytest.mark.parametrize(
    "pasted",
    [
        ASFF,
        {"Findings": [ASFF]},
        {
            "source": "aws.securityhub",
            "detail-type": "Security Hub Findings - Imported",
            "detail": {"findings": [ASFF]},
        },
    ],
    ids=["bare", "GetFindings", "EventBridge"],
)
def test_a_guardduty_finding_by_security_hub_is_the_same_alert(pasted: dict[str, Any]) -> None:
    alert = _one(pasted)
    direct = _one(FINDING)
    assert alert.source == "securityhub"
    assert alert.shape.endswith("from GuardDuty")
    for field in ("id", "finding_type", "severity", "title", "first_seen", "last_seen", "region"):
        assert getattr(alert, field) == getattr(direct, field), field
    for field in ("account_id", "source_ip_address", "event_source", "event_name", "principals"):
        assert getattr(alert, field) == getattr(direct, field), field


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("TTPs/Discovery/Recon:IAMUser-TorIPCaller", "Recon:IAMUser/TorIPCaller"),
        ("TTPs/PenTest:IAMUser/KaliLinux", "PenTest:IAMUser/KaliLinux"),
        (
            "TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS",
            "Backdoor:EC2/C&CActivity.B!DNS",
        ),
        ("PenTest:IAMUser/KaliLinux", "PenTest:IAMUser/KaliLinux"),
        ("TTPs/Discovery", "TTPs/Discovery"),
    ],
)
def test_asff_gives_guarddutys_own_finding_type(written: str, expected: str) -> None:
    assert _one(ASFF | {"Types": [written]}).finding_type == expected


def test_asff_severity_without_the_products_own() -> None:
    assert _one(ASFF | {"Severity": {"Normalized": 40, "Label": "MEDIUM"}}).severity == 4.0
    assert _one(ASFF | {"Severity": {"Label": "CRITICAL"}}).severity == 9.0


def test_asff_of_another_product_names_the_resource() -> None:
    finding = ASFF | {
        "Id": "arn:aws:securityhub:eu-west-1:111122223333:subscription/x/finding/1",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/securityhub",
        "ProductName": "Security Hub",
        "ProductFields": {},
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "Resources": [{"Type": "AwsIamUser", "Id": "arn:aws:iam::111122223333:user/alice"}],
    }
    alert = _one(finding)
    assert alert.principals[0].user_name == "alice"
    assert alert.finding_type == (
        "Software and Configuration Checks/Industry and Regulatory Standards"
    )


def test_an_asff_sample_is_a_sample() -> None:
    assert _one(ASFF | {"Sample": True}).sample is True


OCSF = {
    "class_uid": 2004,
    "class_name": "Detection Finding",
    "metadata": {"product": {"name": "GuardDuty", "uid": "guardduty"}, "uid": "m-1"},
    "finding_info": {
        "uid": FINDING["arn"],
        "title": FINDING["title"],
        "types": [FINDING["type"]],
        "first_seen_time_dt": "2026-03-10T12:00:00.000Z",
        "last_seen_time_dt": "2026-03-10T13:30:00.000Z",
        "created_time_dt": "2026-03-10T14:00:00.000Z",
    },
    "severity": "High",
    "severity_id": 4,
    "cloud": {"account": {"uid": "111122223333"}, "region": "eu-west-1", "provider": "AWS"},
    "resources": [{"uid": "ASIAROLESESSION00001", "type": "AWS::IAM::AccessKey"}],
    "evidences": [
        {
            "api": {"operation": "GetObject", "service": {"name": "s3.amazonaws.com"}},
            "src_endpoint": {"ip": "203.0.113.9"},
            "actor": {
                "user": {
                    "uid": "AROAREADERXXXXXXXXXXX:i-0123456789abcdef0",
                    "type": "AssumedRole",
                    "name": "reader",
                    "credential_uid": "ASIAROLESESSION00001",
                    "account": {"uid": "111122223333"},
                }
            },
        }
    ],
}


@pytest.mark.parametrize(
    "pasted",
    [OCSF, {"detail-type": "Findings Imported V2", "detail": {"findings": [OCSF]}}],
    ids=["bare", "EventBridge"],
)
def test_security_hub_v2(pasted: dict[str, Any]) -> None:
    alert = _one(pasted)
    direct = _one(FINDING)
    assert (alert.source, alert.severity) == ("securityhub", 7.0)
    for field in ("id", "finding_type", "first_seen", "last_seen", "event_name", "principals"):
        assert getattr(alert, field) == getattr(direct, field), field
    assert alert.source_ip_address == "203.0.113.9"


@pytest.mark.parametrize("as_text", [True, False])
def test_security_hub_v2_with_the_key_as_a_resource(as_text: bool) -> None:
    details = {
        "AwsIamAccessKey": {
            "PrincipalId": "AROAREADERXXXXXXXXXXX:i-0123456789abcdef0",
            "PrincipalName": "reader",
            "PrincipalType": "AssumedRole",
        }
    }
    finding = deepcopy(OCSF)
    finding["evidences"] = [{"src_endpoint": {"ip": "203.0.113.9"}}]
    finding["resources"] = [
        {
            "type": "AwsIamAccessKey",
            "uid": "AWS::IAM::AccessKey:ASIAROLESESSION00001",
            "data": json.dumps(details) if as_text else details,
        }
    ]
    assert _one(finding).principals == _one(FINDING).principals
    finding["resources"] = [{"type": "AwsIamAccessKey", "data": "{"}]
    assert _one(finding).principals == ()


# Masks and placeholders (§3.4 rule 1)


@pytest.mark.parametrize(
    "masked", ["AKIA****************", "***", "REDACTED", "<redacted>", "AKIAIOSFODNN7EXAMPLE"]
)
def test_what_stands_where_a_key_was_is_no_key(masked: str) -> None:
    finding = deepcopy(FINDING)
    finding["resource"]["accessKeyDetails"]["accessKeyId"] = masked
    alert = _one(finding)
    (person,) = alert.principals
    assert person.access_key_id is None
    assert person.arn == "arn:aws:sts::111122223333:assumed-role/reader/i-0123456789abcdef0"
    assert any(f"“{masked}” is no access key" in note for note in alert.notes)


def test_a_masked_account_makes_no_arn() -> None:
    finding = deepcopy(FINDING)
    finding |= {"accountId": "***", "arn": "arn:aws:guardduty:eu-west-1:***:detector/1/finding/2"}
    details = finding["resource"]["accessKeyDetails"]
    details |= {"accessKeyId": "***", "principalId": "***"}
    alert = _one(finding)
    assert alert.account_id is None
    (person,) = alert.principals
    assert (person.arn, person.role_arn, person.account_id, person.principal_id) == (None,) * 4
    assert any("“***” is a mask or a placeholder: it names none" in note for note in alert.notes)


@pytest.mark.parametrize(
    "role", ["arn:aws:iam::***:role/worker", "arn:aws:iam::444455556666:role/***"]
)
def test_a_masked_role_of_a_workload_makes_no_arn(role: str) -> None:
    resource = {"resourceType": "Lambda", "lambdaDetails": {"role": role, "functionName": "resize"}}
    (person,) = _one(_changed(resource=resource)).principals
    assert (person.arn, person.role_arn) == (None, None)


# The older Security Hub form (§7.8)


def _older_asff(details: dict[str, Any], key: str, **fields: str) -> dict[str, Any]:
    return {
        "SchemaVersion": "2018-10-08",
        "Id": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/guardduty",
        "GeneratorId": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1",
        "AwsAccountId": "111122223333",
        "Types": ["TTPs/Discovery/Recon:IAMUser-TorIPCaller"],
        "FirstObservedAt": "2020-03-29T13:41:57Z",
        "LastObservedAt": "2020-03-29T13:42:01Z",
        "Severity": {"Product": 5, "Normalized": 50},
        "Title": "API ListUsers was invoked from a Tor exit node.",
        "ProductFields": {
            "action/actionType": "AWS_API_CALL",
            "action/awsApiCallAction/api": "ListUsers",
            "action/awsApiCallAction/serviceName": "iam.amazonaws.com",
            "action/awsApiCallAction/remoteIpDetails/ipAddressV4": "203.0.113.9",
            "action/awsApiCallAction/errorCode": "null",
            **fields,
        },
        "Resources": [
            {
                "Type": "AwsIamAccessKey",
                "Id": f"AWS::IAM::AccessKey:{key}",
                "Partition": "aws",
                "Details": {"AwsIamAccessKey": details},
            }
        ],
    }


def test_the_older_security_hub_form_is_read() -> None:
    alert = _one(_older_asff({"UserName": "alice", "Status": "null"}, "AKIAALICEXQXQXQXQXQX"))
    assert (alert.event_source, alert.event_name) == ("iam.amazonaws.com", "ListUsers")
    assert (alert.source_ip_address, alert.error_code) == ("203.0.113.9", None)
    (person,) = alert.principals
    assert (person.type, person.user_name) == ("IAMUser", "alice")
    assert person.arn == "arn:aws:iam::111122223333:user/alice"
    assert person.access_key_id == "AKIAALICEXQXQXQXQXQX"


def test_the_older_form_does_not_say_whether_a_temporary_keys_name_is_a_users_or_a_roles() -> None:
    (person,) = _one(_older_asff({"UserName": "deploy"}, "ASIAROLESESSION00001")).principals
    assert (person.type, person.arn, person.user_name) == ("Unknown", None, "deploy")
    (root,) = _one(_older_asff({"UserName": "Root"}, "ASIAROLESESSION00001")).principals
    assert (root.type, root.arn) == ("Root", "arn:aws:iam::111122223333:root")


def test_the_word_null_is_no_value() -> None:
    nothing = {"UserName": "null", "PrincipalId": "null", "PrincipalType": "null"}
    alert = _one(_older_asff(nothing, "null", **{"action/awsApiCallAction/api": "null"}))
    assert alert.event_name is None
    assert alert.principals == ()
    assert any("names no AWS identity" in note for note in alert.notes)


def test_zeros_over_an_account_that_the_findings_arn_names_make_no_arn() -> None:
    finding = {
        "schemaVersion": "2.0", "accountId": "000000000000", "region": "us-east-1", "id": "94f",
        "arn": "arn:aws:guardduty:us-east-1:210987654321:detector/12/finding/94f",
        "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
            "accessKeyId": "000000000000", "principalId": "000000000000",
            "userType": "AssumedRole", "userName": "Deploy"}},
        "service": {"serviceName": "guardduty", "eventFirstSeen": "2026-03-10T09:00:00Z"},
    }  # fmt: skip
    (alert,) = parse_alerts(json.dumps(finding))
    assert alert.account_id == "210987654321"
    (person,) = alert.principals
    assert (person.principal_id, person.access_key_id, person.arn) == (None, None, None)
    assert person.role_arn == "arn:aws:iam::210987654321:role/Deploy"
    assert any("“000000000000” is a mask" in note for note in alert.notes)
    # Where nothing else names the account, it may be a local stack's.
    finding["arn"] = None
    assert parse_alerts(json.dumps(finding))[0].account_id == "000000000000"
