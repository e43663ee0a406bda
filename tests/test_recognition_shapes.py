"""The ledger of shapes: what an analyst may paste, each with a sample and what is read from it.

Every CloudTrail shape carries the same call, so that every one must read alike.
"""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from alerts import Alert, parse_alerts
from tests.an_event import a_role_session, a_user, an_event
from trail.errors import AlertUnrecognised

EVENT_ID = "8d0b1c2e-3f4a-4b5c-9d6e-7f8091a2b3c4"
RECORD = an_event(
    userIdentity=a_role_session(path="/teams/"),
    eventTime="2026-03-10T12:00:00Z",
    eventSource="ec2.amazonaws.com",
    eventName="GetPasswordData",
    errorCode="Client.UnauthorizedOperation",
    errorMessage="You are not authorized to perform this operation.",
    requestParameters={"instanceId": "i-0123456789abcdef0"},
    eventID=EVENT_ID,
)


def _eventbridge(detail: dict[str, Any], kind: str, source: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": kind,
        "source": source,
        "account": "111122223333",
        "time": "2026-03-10T12:00:05Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
    }


CLOUDTRAIL_EVENTBRIDGE = _eventbridge(RECORD, "AWS API Call via CloudTrail", "aws.ec2")
LOOKUP_EVENTS = {
    "Events": [
        {
            "EventId": EVENT_ID,
            "EventName": "GetPasswordData",
            "ReadOnly": "true",
            "AccessKeyId": "ASIAROLESESSION00001",
            "EventTime": 1773144000.0,
            "EventSource": "ec2.amazonaws.com",
            "Username": "work",
            "Resources": [],
            "CloudTrailEvent": json.dumps(RECORD),
        }
    ]
}
_LOG_EVENTS = {
    "messageType": "DATA_MESSAGE",
    "owner": "111122223333",
    "logGroup": "aws-cloudtrail-logs",
    "logStream": "111122223333_CloudTrail_eu-west-1",
    "subscriptionFilters": ["all"],
    "logEvents": [{"id": "3829", "timestamp": 1773144000000, "message": json.dumps(RECORD)}],
}
ATHENA_STRUCT = (
    "{type=AssumedRole, principalid=AROAREADERXXXXXXXXXXX:work, "
    "arn=arn:aws:sts::111122223333:assumed-role/reader/work, accountid=111122223333, "
    "invokedby=null, accesskeyid=ASIAROLESESSION00001, username=null, "
    "sessioncontext={attributes={mfaauthenticated=false, creationdate=2026-03-10T11:50:00Z}, "
    "sessionissuer={type=Role, principalid=AROAREADERXXXXXXXXXXX, "
    "arn=arn:aws:iam::111122223333:role/teams/reader, accountid=111122223333, username=reader}}}"
)
ATHENA_ROW = {
    "eventversion": "1.11",
    "useridentity": ATHENA_STRUCT,
    "eventtime": "2026-03-10T12:00:00Z",
    "eventsource": "ec2.amazonaws.com",
    "eventname": "GetPasswordData",
    "awsregion": "eu-west-1",
    "sourceipaddress": "198.51.100.7",
    "useragent": "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64",
    "errorcode": "Client.UnauthorizedOperation",
    "requestparameters": '{"instanceId":"i-0123456789abcdef0"}',
    "eventid": EVENT_ID,
    "readonly": "true",
    "resources": "[{arn=arn:aws:ec2:x, accountid=111122223333, type=AWS::EC2::Instance}]",
    "recipientaccountid": "111122223333",
}


def _csv(row: dict[str, str]) -> str:
    def quoted(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'

    return "\n".join(
        (",".join(map(quoted, row)), ",".join(quoted(value) for value in row.values()))
    )


SPLUNK_FLAT = {
    "eventTime": "2026-03-10T12:00:00Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "GetPasswordData",
    "eventID": EVENT_ID,
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "198.51.100.7",
    "userAgent": "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64",
    "errorCode": "Client.UnauthorizedOperation",
    "recipientAccountId": "111122223333",
    "sourcetype": "aws:cloudtrail",
    "userIdentity.type": "AssumedRole",
    "userIdentity.principalId": "AROAREADERXXXXXXXXXXX:work",
    "userIdentity.arn": "arn:aws:sts::111122223333:assumed-role/reader/work",
    "userIdentity.accountId": "111122223333",
    "userIdentity.accessKeyId": "ASIAROLESESSION00001",
    "userIdentity.sessionContext.attributes.creationDate": "2026-03-10T11:50:00Z",
    "userIdentity.sessionContext.sessionIssuer.arn": (
        "arn:aws:iam::111122223333:role/teams/reader"
    ),
}
ELASTIC = {
    "@timestamp": "2026-03-10T12:00:00.000Z",
    "event": {
        "action": "GetPasswordData",
        "category": ["host"],
        "dataset": "aws.cloudtrail",
        "id": EVENT_ID,
        "outcome": "failure",
        "provider": "ec2.amazonaws.com",
        "type": ["info"],
    },
    "source": {"address": "198.51.100.7", "ip": "198.51.100.7"},
    "user_agent": {"original": "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64"},
    "cloud": {"account": {"id": "111122223333"}, "region": "eu-west-1", "provider": "aws"},
    "user": {"id": "AROAREADERXXXXXXXXXXX:work", "name": "reader"},
    "aws": {
        "cloudtrail": {
            "event_type": "AwsApiCall",
            "event_version": "1.11",
            "error_code": "Client.UnauthorizedOperation",
            "recipient_account_id": "111122223333",
            "request_parameters": "{instanceId=i-0123456789abcdef0}",
            "user_identity": {
                "type": "AssumedRole",
                "arn": "arn:aws:sts::111122223333:assumed-role/reader/work",
                "access_key_id": "ASIAROLESESSION00001",
                "account_id": "111122223333",
                "principal_id": "AROAREADERXXXXXXXXXXX:work",
                "session_context": {
                    "creation_date": "2026-03-10T11:50:00.000Z",
                    "mfa_authenticated": "false",
                    "session_issuer": {
                        "arn": "arn:aws:iam::111122223333:role/teams/reader",
                        "principal_id": "AROAREADERXXXXXXXXXXX",
                        "type": "Role",
                    },
                },
            },
        }
    },
}
SENTINEL = {
    "TenantId": "d0d0d0d0-1111-4222-8333-444444444444",
    "TimeGenerated": "2026-03-10T12:00:00Z",
    "AwsEventId": EVENT_ID,
    "EventVersion": "1.11",
    "EventSource": "ec2.amazonaws.com",
    "EventTypeName": "AwsApiCall",
    "EventName": "GetPasswordData",
    "UserIdentityType": "AssumedRole",
    "UserIdentityPrincipalid": "AROAREADERXXXXXXXXXXX:work",
    "UserIdentityArn": "arn:aws:sts::111122223333:assumed-role/reader/work",
    "UserIdentityAccountId": "111122223333",
    "UserIdentityAccessKeyId": "ASIAROLESESSION00001",
    "UserIdentityUserName": "",
    "SessionMfaAuthenticated": False,
    "SessionCreationDate": "2026-03-10T11:50:00Z",
    "SessionIssuerType": "Role",
    "SessionIssuerPrincipalId": "AROAREADERXXXXXXXXXXX",
    "SessionIssuerArn": "arn:aws:iam::111122223333:role/teams/reader",
    "SessionIssuerAccountId": "111122223333",
    "SessionIssuerUserName": "reader",
    "AWSRegion": "eu-west-1",
    "SourceIpAddress": "198.51.100.7",
    "UserAgent": "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64",
    "ErrorCode": "Client.UnauthorizedOperation",
    "RequestParameters": '{"instanceId":"i-0123456789abcdef0"}',
    "ResponseElements": "null",
    "ReadOnly": True,
    "RecipientAccountId": "111122223333",
    "Type": "AWSCloudTrail",
}
PANTHER = RECORD | {
    "eventTime": "2026-03-10 12:00:00.000000000",
    "p_log_type": "AWS.CloudTrail",
    "p_rule_id": "AWS.EC2.GetPasswordData",
    "p_alert_id": "c0ffee",
    "p_any_ip_addresses": ["198.51.100.7"],
}
OCSF_API = {
    "class_uid": 6003,
    "class_name": "API Activity",
    "time": 1773144000000,
    "metadata": {"uid": EVENT_ID, "product": {"name": "CloudTrail", "version": "1.11"}},
    "api": {
        "operation": "GetPasswordData",
        "service": {"name": "ec2.amazonaws.com"},
        "response": {"error": "Client.UnauthorizedOperation", "message": "Not authorized."},
        "request": {"uid": "r-1", "data": '{"instanceId":"i-0123456789abcdef0"}'},
    },
    "cloud": {"region": "eu-west-1", "account": {"uid": "111122223333"}},
    "src_endpoint": {"ip": "198.51.100.7"},
    "http_request": {"user_agent": "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64"},
    "actor": {
        "user": {
            "type": "AssumedRole",
            "uid": "arn:aws:sts::111122223333:assumed-role/reader/work",
            "uid_alt": "AROAREADERXXXXXXXXXXX:work",
            "credential_uid": "ASIAROLESESSION00001",
            "account": {"uid": "111122223333"},
        },
        "session": {
            "created_time": 1773143400000,
            "issuer": "arn:aws:iam::111122223333:role/teams/reader",
            "is_mfa": False,
        },
    },
}

SAME_CALL: dict[str, Any] = {
    "CloudTrail record": RECORD,
    "CloudTrail log file": {"Records": [RECORD]},
    "CloudTrail array": [RECORD],
    "CloudTrail in EventBridge": CLOUDTRAIL_EVENTBRIDGE,
    "EventBridge in SNS": {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": "arn:aws:sns:eu-west-1:111122223333:alerts",
        "Message": json.dumps(CLOUDTRAIL_EVENTBRIDGE),
    },
    "EventBridge in SNS in SQS": {
        "Messages": [
            {
                "MessageId": "m-2",
                "ReceiptHandle": "h",
                "Body": json.dumps(
                    {"Type": "Notification", "Message": json.dumps(CLOUDTRAIL_EVENTBRIDGE)}
                ),
            }
        ]
    },
    "SNS event of a Lambda function": {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "Sns": {"Type": "Notification", "Message": json.dumps(CLOUDTRAIL_EVENTBRIDGE)},
            }
        ]
    },
    "SQS event of a Lambda function": {
        "Records": [
            {
                "messageId": "m-3",
                "body": json.dumps(CLOUDTRAIL_EVENTBRIDGE),
                "eventSource": "aws:sqs",
                "awsRegion": "eu-west-1",
            }
        ]
    },
    "LookupEvents": LOOKUP_EVENTS,
    "CloudWatch Logs export": _LOG_EVENTS,
    "CloudWatch Logs events": {"events": [{"timestamp": 1, "message": json.dumps(RECORD)}]},
    "CloudWatch Logs subscription": {
        "awslogs": {
            "data": base64.b64encode(gzip.compress(json.dumps(_LOG_EVENTS).encode())).decode()
        }
    },
    "Athena row": ATHENA_ROW,
    "Athena CSV": _csv(ATHENA_ROW),
    "CloudTrail Lake row": ATHENA_ROW | {"eventtime": "2026-03-10 12:00:00.000"},
    "Splunk _raw": {"preview": False, "result": {"_raw": json.dumps(RECORD), "host": "h"}},
    "Splunk HEC": {"sourcetype": "aws:cloudtrail", "event": RECORD},
    "Splunk flattened": {"result": SPLUNK_FLAT},
    "Elastic event.original": {
        "_index": "logs-aws",
        "_source": {"event": {"original": json.dumps(RECORD), "dataset": "aws.cloudtrail"}},
    },
    "Elastic search result": {"hits": {"total": 1, "hits": [{"_id": "1", "_source": ELASTIC}]}},
    "Elastic aws.cloudtrail": ELASTIC,
    "Panther": PANTHER,
    "Sentinel AWSCloudTrail": SENTINEL,
    "Sigma match": {
        "rule": {"title": "Password data read", "level": "high"},
        "logsource": {"product": "aws", "service": "cloudtrail"},
        "event": RECORD,
    },
    "OCSF API Activity (Security Lake)": OCSF_API,
    "unknown envelope": {"ticket": {"evidence": [{"log": RECORD}]}},
    "JSON with escaped quotes": json.dumps(json.dumps(RECORD))[1:-1],
    "JSON in a JSON string": json.dumps(json.dumps(RECORD)),
    "dict as Python prints it": repr(CLOUDTRAIL_EVENTBRIDGE),
    "JSON amid prose": "Please look at this:\n" + json.dumps(RECORD) + "\nThanks, Bob",
}

KNOWN_GAPS = {
    "Macie sensitive data finding": "names no identity: a note says so",
    "Insights record": "names no caller: a note says so",
    "Google SecOps UDM": "call, address, time and names; no session, since UDM has no one place",
    "AWS CLI's YAML or table output": "read as plain text: paste its JSON output",
    "OCSF classes other than API Activity and findings": "read as plain text",
    "event history CSV": "no identity type, ARN or session: those columns are not in it",
    "Lake row with several accounts' copies": "each row is an alert of its own",
}
"""Shapes of which less is read than a CloudTrail record would give, and why."""


def _pasted(sample: Any) -> str:
    return sample if isinstance(sample, str) else json.dumps(sample)


@pytest.mark.parametrize("name", SAME_CALL)
def test_the_same_call_reads_alike_in_every_shape(name: str) -> None:
    (alert,) = parse_alerts(_pasted(SAME_CALL[name]))

    assert alert.source == "cloudtrail"
    assert alert.id == alert.event_id == EVENT_ID
    assert alert.event_ids == (EVENT_ID,)
    assert alert.title == "GetPasswordData failed with Client.UnauthorizedOperation"
    assert alert.first_seen == alert.last_seen == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert (alert.account_id, alert.region) == ("111122223333", "eu-west-1")
    assert (alert.event_source, alert.event_name) == ("ec2.amazonaws.com", "GetPasswordData")
    assert alert.error_code == "Client.UnauthorizedOperation"
    assert alert.source_ip_address == "198.51.100.7"
    assert alert.user_agent == "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64"
    assert alert.severity is None
    (person,) = alert.principals
    assert person.type == "AssumedRole"
    assert person.arn == "arn:aws:sts::111122223333:assumed-role/reader/work"
    assert person.principal_id == "AROAREADERXXXXXXXXXXX:work"
    assert person.access_key_id == "ASIAROLESESSION00001"
    assert person.role_arn == "arn:aws:iam::111122223333:role/teams/reader"
    assert person.session_name == "work"
    assert person.session_created == datetime(2026, 3, 10, 11, 50, tzinfo=UTC)
    assert person.user_name is None
    assert alert.raw.strip() == _pasted(SAME_CALL[name]).strip()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CloudTrail record", "CloudTrail record"),
        ("CloudTrail in EventBridge", "CloudTrail record, in EventBridge event"),
        (
            "EventBridge in SNS in SQS",
            "CloudTrail record, in EventBridge event, in SNS message, in SQS message, "
            "in SQS messages",
        ),
        ("LookupEvents", "CloudTrail record, in LookupEvents, in LookupEvents response"),
        ("Athena CSV", "CloudTrail record, Athena or CloudTrail Lake row"),
        ("Panther", "CloudTrail record, in Panther"),
        ("Sentinel AWSCloudTrail", "CloudTrail record, Sentinel AWSCloudTrail row"),
    ],
)
def test_the_shape_is_said_in_words(name: str, words: str) -> None:
    assert parse_alerts(_pasted(SAME_CALL[name]))[0].shape == words


def test_origins_are_paths_into_what_was_pasted() -> None:
    (plain,) = parse_alerts(json.dumps(CLOUDTRAIL_EVENTBRIDGE))
    assert plain.origins["source_ip_address"] == "detail.sourceIPAddress"
    assert plain.origins["principals[0].role_arn"] == (
        "detail.userIdentity.sessionContext.sessionIssuer.arn"
    )
    (nested,) = parse_alerts(json.dumps(LOOKUP_EVENTS))
    assert nested.origins["event_name"] == "Events[0].CloudTrailEvent → eventName"
    (flat,) = parse_alerts(json.dumps(SENTINEL))
    assert flat.origins["principals[0].arn"] == "UserIdentityArn"
    assert flat.origins["first_seen"] == "TimeGenerated"


def test_a_file_of_many_records_becomes_many_alerts_in_its_order() -> None:
    records = [an_event(eventName=name) for name in ("ListUsers", "ListRoles", "ListKeys")]
    as_file = json.dumps({"Records": records})
    as_lines = "\n".join(json.dumps(record) for record in records)
    for pasted in (as_file, as_lines, gzip.compress(as_file.encode()), as_lines.encode("utf-16")):
        alerts = parse_alerts(pasted)
        assert [alert.event_name for alert in alerts] == ["ListUsers", "ListRoles", "ListKeys"]
        assert [json.loads(alert.raw)["eventID"] for alert in alerts] == [
            record["eventID"] for record in records
        ]


@pytest.mark.parametrize("name", SAME_CALL)
def test_the_raw_text_of_an_alert_is_that_alert_again(name: str) -> None:
    (alert,) = parse_alerts(_pasted(SAME_CALL[name]))
    assert parse_alerts(alert.raw) == [alert]


def test_an_exact_repetition_is_one_alert() -> None:
    assert len(parse_alerts(json.dumps([RECORD, RECORD]))) == 1


def test_records_and_findings_may_be_mixed() -> None:
    asff = {"SchemaVersion": "2018-10-08", "Id": "x", "Resources": [{"Type": "Other"}]}
    kinds = [alert.source for alert in parse_alerts(json.dumps([RECORD, asff]))]
    assert kinds == ["cloudtrail", "securityhub"]


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (a_user(), ("IAMUser", "alice", None)),
        ({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}, ("AWSService", None, None)),
        (
            {"type": "AWSAccount", "accountId": "444455556666", "principalId": "AROAX:s"},
            ("AWSAccount", None, "s"),
        ),
        ({"accountId": "111122223333"}, ("Unknown", None, None)),
        ({}, ("Unknown", None, None)),
    ],
)
def test_who_the_principal_is(
    identity: dict[str, Any], expected: tuple[str, str | None, str | None]
) -> None:
    (alert,) = parse_alerts(json.dumps(an_event() | {"userIdentity": identity}))
    person = alert.principals[0]
    assert (person.type, person.user_name, person.session_name) == expected


@pytest.mark.parametrize(
    ("identity", "expected", "path"),
    [
        (
            {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
            "ec2.amazonaws.com",
            "userIdentity.invokedBy",
        ),
        (
            {"type": "IdentityCenterUser", "onBehalfOf": {"userId": "544894e8-80c1-101e"}},
            "544894e8-80c1-101e",
            "userIdentity.onBehalfOf.userId",
        ),
    ],
)
def test_whoever_has_no_principal_id_is_known_by_what_aws_gives_instead(
    identity: dict[str, Any], expected: str, path: str
) -> None:
    (alert,) = parse_alerts(json.dumps(an_event() | {"userIdentity": identity}))
    assert alert.principals[0].principal_id == expected
    assert alert.origins["principals[0].principal_id"] == path


def test_an_eventbridge_event_gives_the_account_and_region_that_its_detail_lacks() -> None:
    detail = {
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "userIdentity": {"type": "IAMUser", "userName": "admin"},
    }
    event = _eventbridge(detail, "AWS Console Sign In via CloudTrail", "aws.signin")
    (alert,) = parse_alerts(json.dumps(event))
    assert (alert.account_id, alert.region) == ("111122223333", "eu-west-1")
    assert alert.principals[0].account_id == "111122223333"
    assert alert.origins["account_id"] == "account"


def test_what_stands_beside_the_alerts_and_is_none_is_counted() -> None:
    pasted = "\n".join(json.dumps(one) for one in (RECORD, {"findings": []}, {"hello": "world"}))
    (alert,) = parse_alerts(pasted)
    assert alert.event_id == EVENT_ID
    assert "2 of the 3 JSON objects here hold no alert that Backtrail knows." in alert.notes
    assert not any("hold no alert" in note for note in parse_alerts(json.dumps([RECORD]))[0].notes)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_a_file_may_be_in_any_unicode_encoding(encoding: str) -> None:
    (alert,) = parse_alerts(json.dumps(RECORD).encode(encoding))
    assert alert.event_id == EVENT_ID
    (by_name,) = parse_alerts("arn:aws:iam::111122223333:user/alice".encode(encoding))
    assert by_name.principals[0].user_name == "alice"


def test_without_a_recipient_the_account_is_the_callers() -> None:
    (alert,) = parse_alerts(json.dumps(an_event(recipientAccountId=None)))
    assert alert.account_id == "111122223333"
    assert alert.origins["account_id"] == "userIdentity.accountId"


def test_a_failed_console_login_says_so_without_an_error_code() -> None:
    record = an_event(
        eventSource="signin.amazonaws.com",
        eventName="ConsoleLogin",
        eventType="AwsConsoleSignIn",
        errorMessage="Failed authentication",
        responseElements={"ConsoleLogin": "Failure"},
    )
    assert parse_alerts(json.dumps(record))[0].title == "ConsoleLogin failed: Failed authentication"


def test_a_record_without_a_time_has_none_and_says_so() -> None:
    (alert,) = parse_alerts(json.dumps(RECORD | {"eventTime": "yesterday"}))
    assert alert.first_seen is None
    assert any("no readable time" in note for note in alert.notes)


@pytest.mark.parametrize("call", [{}, {"eventName": "CreateUser"}])
def test_an_insights_record_names_no_caller(call: dict[str, str]) -> None:
    record = call | {
        "eventVersion": "1.07",
        "eventTime": "2026-03-10T12:00:00Z",
        "awsRegion": "eu-west-1",
        "eventID": EVENT_ID,
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": "111122223333",
        "insightDetails": {
            "state": "Start",
            "eventSource": "iam.amazonaws.com",
            "eventName": "CreateUser",
            "insightType": "ApiCallRateInsight",
        },
        "eventCategory": "Insight",
    }
    (alert,) = parse_alerts(json.dumps(record))
    assert alert.event_name == "CreateUser"
    assert alert.principals[0].type == "Unknown"
    assert any("names no caller" in note for note in alert.notes)


def test_a_struct_cannot_be_overwritten_by_a_name_inside_it() -> None:
    struct = (
        "{type=WebIdentityUser, principalid=idp:aud:sub, arn=null, accountid=111122223333, "
        "username=eve, type=Root, accountid=999999999999}"
    )
    row = ATHENA_ROW | {"useridentity": struct}
    person = parse_alerts(json.dumps(row))[0].principals[0]
    assert (person.type, person.account_id) == ("WebIdentityUser", "111122223333")


def test_keys_inside_a_request_are_not_the_records_own() -> None:
    row = dict(ATHENA_ROW)
    row["requestparameters"] = '{"sourceIPAddress":"203.0.113.66","eventName":"Innocent"}'
    del row["sourceipaddress"]
    (alert,) = parse_alerts(json.dumps(row))
    assert alert.source_ip_address is None
    assert alert.event_name == "GetPasswordData"


def test_json_in_a_callers_text_is_never_unwrapped() -> None:
    forged = json.dumps(an_event(eventName="Innocent"))
    (alert,) = parse_alerts(json.dumps(RECORD | {"userAgent": forged}))
    assert alert.event_name == "GetPasswordData"
    assert alert.user_agent == forged


def test_google_secops_udm() -> None:
    udm = {
        "metadata": {
            "eventTimestamp": "2026-03-10T12:00:00Z",
            "productEventType": "GetPasswordData",
            "productLogId": EVENT_ID,
            "vendorName": "AMAZON",
        },
        "principal": {
            "ip": ["198.51.100.7"],
            "user": {"userid": "AROAREADERXXXXXXXXXXX:work", "userDisplayName": "reader"},
        },
        "target": {"application": "ec2.amazonaws.com"},
        "network": {"http": {"userAgent": "aws-cli/2.15.0"}},
    }
    for pasted in (udm, {"udm": udm}):
        (alert,) = parse_alerts(json.dumps(pasted))
        assert alert.event_name == "GetPasswordData"
        assert alert.source_ip_address == "198.51.100.7"
        assert alert.principals[0].principal_id == "AROAREADERXXXXXXXXXXX:work"


def test_the_consoles_event_history_csv() -> None:
    pasted = (
        "Event name,Event time,User name,Event source,Resource type,Resource name,Event ID,"
        "AWS access key,Source IP address,Error code\n"
        f'StopLogging,"2026-03-10T12:00:00Z",alice,cloudtrail.amazonaws.com,,,{EVENT_ID},'
        "AKIAALICEXQXQXQXQXQX,198.51.100.7,\n"
    )
    (alert,) = parse_alerts(pasted)
    assert (alert.event_name, alert.event_id) == ("StopLogging", EVENT_ID)
    assert alert.principals[0].access_key_id == "AKIAALICEXQXQXQXQXQX"
    assert alert.principals[0].type == "Unknown"


# --- Findings of other products -------------------------------------------------------------------


def test_macie_policy_finding() -> None:
    finding = {
        "schemaVersion": "1.0",
        "id": "macie-1",
        "accountId": "111122223333",
        "region": "eu-west-1",
        "type": "Policy:IAMUser/S3BucketPublic",
        "title": "The S3 bucket is publicly accessible",
        "severity": {"score": 3, "description": "High"},
        "resourcesAffected": {"s3Bucket": {"name": "example"}},
        "policyDetails": {
            "action": {
                "actionType": "AWS_API_CALL",
                "apiCallDetails": {
                    "api": "PutBucketPolicy",
                    "apiServiceName": "s3.amazonaws.com",
                    "firstSeen": "2026-03-10T12:00:00.000Z",
                    "lastSeen": "2026-03-10T12:05:00.000Z",
                },
            },
            "actor": {
                "ipAddressDetails": {"ipAddressV4": "198.51.100.7"},
                "userIdentity": {
                    "type": "AssumedRole",
                    "assumedRole": {
                        "principalId": "AROAREADERXXXXXXXXXXX:work",
                        "arn": "arn:aws:sts::111122223333:assumed-role/reader/work",
                        "accountId": "111122223333",
                        "accessKeyId": "ASIAROLESESSION00001",
                    },
                },
            },
        },
    }
    event = _eventbridge(finding, "Macie Finding", "aws.macie")
    (alert,) = parse_alerts(json.dumps(event))
    assert (alert.source, alert.severity) == ("macie", 7.0)
    assert alert.event_name == "PutBucketPolicy"
    assert alert.first_seen == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 3, 10, 12, 5, tzinfo=UTC)
    assert alert.principals[0].access_key_id == "ASIAROLESESSION00001"
    assert alert.origins["principals[0].arn"] == (
        "detail.policyDetails.actor.userIdentity.assumedRole.arn"
    )


def test_config_compliance_change_of_an_iam_user() -> None:
    detail = {
        "resourceId": "AIDAALICEXXXXXXXXXXX1",
        "awsRegion": "us-east-1",
        "awsAccountId": "111122223333",
        "configRuleName": "iam-user-mfa-enabled",
        "resourceType": "AWS::IAM::User",
        "newEvaluationResult": {
            "complianceType": "NON_COMPLIANT",
            "resultRecordedTime": "2026-03-10T12:00:00.000Z",
        },
    }
    event = _eventbridge(detail, "Config Rules Compliance Change", "aws.config")
    (alert,) = parse_alerts(json.dumps(event))
    assert alert.source == "config"
    assert alert.principals[0].principal_id == "AIDAALICEXXXXXXXXXXX1"
    assert alert.account_id == "111122223333"


def test_access_analyzer_finding() -> None:
    detail = {
        "version": "1.0",
        "id": "aa-1",
        "status": "ACTIVE",
        "resourceType": "AWS::IAM::Role",
        "resource": "arn:aws:iam::111122223333:role/reader",
        "createdAt": "2026-03-10T12:00:00Z",
        "analyzedAt": "2026-03-10T12:00:00Z",
        "accountId": "111122223333",
        "region": "eu-west-1",
        "principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "action": ["sts:AssumeRole"],
        "isPublic": False,
    }
    event = _eventbridge(detail, "Access Analyzer Finding", "aws.access-analyzer")
    (alert,) = parse_alerts(json.dumps(event))
    assert alert.source == "access-analyzer"
    assert alert.principals[0].account_id == "444455556666"


# --- What is no alert -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "There is nothing here"),
        ("  \n\t ", "There is nothing here"),
        ("what happened last night?", "not JSON"),
        ('{"hello": "world"}', "holds no alert"),
        ("[1, 2, 3]", "holds no alert"),
        ("[" * 5000, "nested"),
        ('{"a":' * 200 + "1" + "}" * 200, "nested"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x1f\x8bnot really", "damaged"),
        (gzip.compress(json.dumps(RECORD).encode())[:-20], "gzip ends early"),
        (
            json.dumps(
                {
                    "Records": [
                        {
                            "eventVersion": "2.1",
                            "eventSource": "aws:s3",
                            "eventTime": "2026-03-10T12:00:00.000Z",
                            "eventName": "ObjectCreated:Put",
                            "userIdentity": {"principalId": "AWS:AIDAALICEXXXXXXXXXXX1"},
                            "s3": {"object": {"key": "AWSLogs/1/x.json.gz"}},
                        }
                    ]
                }
            ),
            "S3's notice",
        ),
    ],
)
def test_what_is_no_alert_is_said_in_a_sentence_with_the_next_step(
    pasted: str | bytes, said: str
) -> None:
    with pytest.raises(AlertUnrecognised) as raised:
        parse_alerts(pasted)
    message = str(raised.value)
    assert said in message
    assert any(verb in message for verb in ("Paste", "paste", "Unpack", "Index"))


def test_too_many_records_are_for_the_index() -> None:
    small = {"eventName": "A", "eventSource": "b", "userIdentity": None}
    with pytest.raises(AlertUnrecognised, match="trail add"):
        parse_alerts(json.dumps([small] * 10_001))


# --- Plain text -----------------------------------------------------------------------------------


def test_plain_text_gives_what_stands_in_it() -> None:
    (alert,) = parse_alerts(
        "SOC ticket 4711\n"
        "arn:aws:sts::111122223333:assumed-role/reader/work used key ASIAROLESESSION00001\n"
        "from 203.0.113.9 to call s3:GetObject in eu-west-1, between 2026-03-10T12:00:00Z and\n"
        f"2026-03-10 12:30 UTC. See event {EVENT_ID}."
    )
    assert (alert.source, alert.title) == ("text", "SOC ticket 4711")
    assert alert.first_seen == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 3, 10, 12, 30, 59, tzinfo=UTC)
    assert (alert.event_source, alert.event_name) == ("s3.amazonaws.com", "GetObject")
    assert (alert.source_ip_address, alert.region) == ("203.0.113.9", "eu-west-1")
    assert (alert.event_id, alert.account_id) == (EVENT_ID, "111122223333")
    (person,) = alert.principals
    assert person.arn == "arn:aws:sts::111122223333:assumed-role/reader/work"
    assert person.role_arn == "arn:aws:iam::111122223333:role/reader"
    assert (person.access_key_id, person.session_name) == ("ASIAROLESESSION00001", "work")


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE was seen",
        f"event {EVENT_ID} please",
        "203.0.113.9",
        "2001:db8::7 called us",
        "who is arn:aws:iam::111122223333:user/teams/alice?",
    ],
)
def test_one_thing_to_look_for_is_enough(text: str) -> None:
    (alert,) = parse_alerts(text)
    assert alert.source == "text"
    assert alert.raw == text


def test_text_with_several_identities_lets_the_analyst_choose() -> None:
    (alert,) = parse_alerts("keys AKIAALICEXQXQXQXQXQX and ASIAROLESESSION00001")
    assert [person.access_key_id for person in alert.principals] == [
        "AKIAALICEXQXQXQXQXQX",
        "ASIAROLESESSION00001",
    ]


def test_a_chat_message_about_a_finding_gives_its_account() -> None:
    (alert,) = parse_alerts(
        "GuardDuty: UnauthorizedAccess from 203.0.113.9\n"
        "arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1"
    )
    assert (alert.account_id, alert.region) == ("111122223333", "eu-west-1")
    assert alert.principals == ()


@pytest.mark.parametrize("words", ["Account: 444455556666 (prod)", "account id = 444455556666"])
def test_a_chat_message_may_give_the_account_in_words(words: str) -> None:
    (alert,) = parse_alerts(f"High: key AKIAALICEXQXQXQXQXQX used from 203.0.113.9\n{words}")
    assert alert.account_id == "444455556666"
    assert alert.origins["account_id"] == "the text's first account id"


def test_elastics_user_id_is_the_principal_id() -> None:
    document = {
        "@timestamp": "2026-03-10T12:00:00.000Z",
        "aws": {"cloudtrail": {"user_identity": {"type": "AssumedRole"}}},
        "event": {"action": "AssumeRole", "provider": "sts.amazonaws.com", "id": EVENT_ID},
        "user": {"id": "AROAREADERXXXXXXXXXXX:work", "name": "reader"},
    }
    (alert,) = parse_alerts(json.dumps(document))
    person = alert.principals[0]
    assert (person.principal_id, person.session_name) == ("AROAREADERXXXXXXXXXXX:work", "work")


def test_ocsf_of_another_product_is_no_cloudtrail_record() -> None:
    activity = {
        "class_uid": 6003,
        "api": {"operation": "create", "version": "v1"},
        "metadata": {"product": {"name": "Amazon EKS", "vendor_name": "AWS"}},
        "time": 1773144000000,
        "cloud": {"account": {"uid": "arn:aws:sts::111122223333:assumed-role/node/i-0123456789"}},
    }
    (alert,) = parse_alerts(json.dumps(activity))
    assert alert.source == "text"
    assert alert.account_id == "111122223333"


def test_an_identity_center_users_credential_is_no_access_key() -> None:
    activity = {
        "class_uid": 3002,
        "api": {"operation": "CredentialChallenge", "service": {"name": "signin.amazonaws.com"}},
        "metadata": {"product": {"name": "CloudTrail"}, "uid": EVENT_ID},
        "time": 1773144000000,
        "actor": {
            "user": {
                "type": "IdentityCenterUser",
                "credential_uid": "da3f6703-d424",
                "uid_alt": "e3644802-3061-7018",
            }
        },
    }
    (alert,) = parse_alerts(json.dumps(activity))
    person = alert.principals[0]
    assert (person.principal_id, person.access_key_id) == ("e3644802-3061-7018", None)


def test_unknown_json_with_an_identity_is_read_as_text() -> None:
    (alert,) = parse_alerts('{"who": "arn:aws:iam::111122223333:user/alice", "ip": "203.0.113.9"}')
    assert alert.shape == "unknown JSON, read as plain text"
    assert alert.principals[0].user_name == "alice"


def test_the_ledger_names_every_gap_with_its_reason() -> None:
    assert all(reason for reason in KNOWN_GAPS.values())
    assert not set(KNOWN_GAPS) & set(SAME_CALL)


def test_alerts_are_frozen() -> None:
    alert: Alert = parse_alerts(json.dumps(RECORD))[0]
    with pytest.raises(AttributeError):
        alert.id = "other"  # type: ignore[misc]  # that it cannot be set is the point
