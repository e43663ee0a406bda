"""Interesting calls: the original rule to the letter, and what today's knowledge adds to it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from an_event import ACCOUNT, a_role_session, a_user, an_event
from answered import as_written
from memory_store import MemoryStore

from alerts import parse_alerts
from enrich.answer import Answer
from enrich.facts.error_classes import error_class
from enrich.facts.techniques import high_signal, plain_name, sensitive_read
from enrich.questions.interesting_calls import ask
from trail.store import Store

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def at(moment: datetime, **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=moment.strftime("%Y-%m-%dT%H:%M:%SZ"), **changes)


def every_day(days: int = 9) -> list[dict[str, Any]]:
    bob = {"userIdentity": a_user("bob"), "awsRegion": "us-east-1"}
    return [at(NOON - timedelta(days=n), **bob) for n in range(days)]


def calls_of(*records: dict[str, Any], alert: dict[str, Any] | None = None) -> Answer:
    record = alert or at(NOON)
    parsed = parse_alerts(json.dumps(record))[0]
    return as_written(
        ask(parsed, parsed.principals[0], MemoryStore([record, *records, *every_day()]))
    )


def rows_of(answer: Answer, key: str = "calls") -> dict[tuple[str, str | None], int]:
    return {(row["event_name"], row["error_code"]): row["count"] for row in answer.data[key]}


@pytest.mark.parametrize(
    ("name", "interesting"),
    [
        ("GetObject", False),
        ("GetPasswordData", True),
        ("GetPasswordDataOther", False),
        ("ListBuckets", False),
        ("HeadBucket", False),
        ("DescribeInstances", False),
        ("Getaway", False),
        ("getObject", True),
        ("listThings", True),
        ("BatchGetItem", True),
        ("AssumeRole", True),
        ("ConsoleLogin", True),
        ("LookupEvents", True),
        ("CreateUser", True),
    ],
)
def test_the_original_rule_goes_by_the_names_beginning_case_and_all(
    name: str, interesting: bool
) -> None:
    answer = calls_of(at(NOON - timedelta(hours=1), eventName=name))
    assert rows_of(answer) == ({(name, None): 1} if interesting else {})
    assert answer.data["total"] == int(interesting)


def test_a_failed_read_is_interesting() -> None:
    denied = at(NOON - timedelta(hours=1), eventName="ListBuckets", errorCode="AccessDenied")
    fine = at(NOON - timedelta(hours=1), eventName="ListBuckets")
    answer = calls_of(denied, fine)
    assert rows_of(answer) == {("ListBuckets", "AccessDenied"): 1}
    assert (answer.data["total"], answer.data["failed"], answer.data["denied"]) == (1, 1, 1)
    assert answer.data["calls"][0]["reasons"] == ["denied"]


def test_a_failed_sign_in_without_a_code_is_a_failure_beside_a_good_one() -> None:
    sign_in = {
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "eventType": "AwsConsoleSignIn",
    }
    answer = calls_of(
        at(NOON - timedelta(hours=2), responseElements={"ConsoleLogin": "Failure"}, **sign_in),
        at(NOON - timedelta(hours=1), responseElements={"ConsoleLogin": "Success"}, **sign_in),
    )
    assert rows_of(answer) == {("ConsoleLogin", None): 2}
    row = answer.data["calls"][0]
    assert (row["count"], row["failed"], row["failure"]) == (2, 1, "sign_in")


def test_window_edges_and_copies_in_two_accounts() -> None:
    week = timedelta(days=7)
    shared = {"sharedEventID": "s-1", "eventSource": "sts.amazonaws.com"}
    owner = {"type": "AWSAccount", "principalId": a_user()["principalId"], "accountId": ACCOUNT}
    answer = calls_of(
        at(NOON - week, eventName="CreateUser"),
        at(NOON - week - timedelta(seconds=1), eventName="CreateUser"),
        at(NOON + timedelta(seconds=1), eventName="CreateUser"),
        at(NOON, eventName="AssumeRole", **shared),
        at(
            NOON,
            eventName="AssumeRole",
            userIdentity=owner,
            recipientAccountId="444455556666",
            **shared,
        ),
    )
    assert rows_of(answer) == {("CreateUser", None): 1, ("AssumeRole", None): 1}
    assert answer.data["total"] == 2


def test_names_are_reported_as_logged_and_known_without_their_date() -> None:
    answer = calls_of(
        at(
            NOON - timedelta(hours=1),
            eventSource="lambda.amazonaws.com",
            eventName="UpdateFunctionCode20150331v2",
        ),
        at(
            NOON - timedelta(hours=1),
            eventSource="lambda.amazonaws.com",
            eventName="ListFunctions20150331",
        ),
    )
    (row,) = answer.data["calls"]
    assert row["event_name"] == "UpdateFunctionCode20150331v2"
    assert row["techniques"] == ["T1648"]
    (read,) = answer.data["sensitive_reads"]
    assert read["event_name"] == "ListFunctions20150331"
    assert read["why"] == "Shows code and environment variables."


def test_sensitive_reads_stand_apart_and_change_no_total() -> None:
    answer = calls_of(
        at(
            NOON - timedelta(hours=1),
            eventSource="secretsmanager.amazonaws.com",
            eventName="GetSecretValue",
        ),
        at(
            NOON - timedelta(hours=1),
            eventSource="secretsmanager.amazonaws.com",
            eventName="GetSecretValue",
            errorCode="AccessDeniedException",
        ),
    )
    assert rows_of(answer) == {("GetSecretValue", "AccessDeniedException"): 1}
    assert rows_of(answer, "sensitive_reads") == {("GetSecretValue", None): 1}
    assert answer.data["total"] == 1
    assert answer.data["calls"][0]["reasons"] == ["sensitive read", "denied"]


def test_what_succeeded_and_matters_comes_first() -> None:
    answer = calls_of(
        *(at(NOON - timedelta(minutes=n + 1), eventName="CreateTags") for n in range(5)),
        at(
            NOON - timedelta(hours=1),
            eventSource="cloudtrail.amazonaws.com",
            eventName="StopLogging",
        ),
        at(
            NOON - timedelta(hours=2),
            eventSource="iam.amazonaws.com",
            eventName="CreateUser",
            errorCode="AccessDenied",
        ),
    )
    assert [row["event_name"] for row in answer.data["calls"]] == [
        "StopLogging",
        "CreateUser",
        "CreateTags",
    ]
    assert answer.data["high_signal"] == 2
    assert answer.sentence == (
        "7 interesting calls in the 7 days to the alert, 1 failed:"
        " StopLogging 1, CreateUser 1 and CreateTags 5."
        " Weightiest that succeeded: StopLogging (defence evasion)."
    )


def test_a_services_routine_is_folded_last_and_still_counted() -> None:
    by_service = a_user(invokedBy="autoscaling.amazonaws.com")
    in_console = a_user(invokedBy="signin.amazonaws.com")
    answer = calls_of(
        at(
            NOON - timedelta(hours=1),
            eventSource="kms.amazonaws.com",
            eventName="GenerateDataKey",
            userIdentity=by_service,
        ),
        at(NOON - timedelta(hours=1), eventName="CreateTags", userIdentity=in_console),
    )
    assert answer.data["total"] == 2
    assert [(row["event_name"], row["routine"]) for row in answer.data["calls"]] == [
        ("CreateTags", False),
        ("GenerateDataKey", True),
    ]
    assert answer.data["by_service"] == 1


def test_an_invalid_model_call_is_a_probe() -> None:
    answer = calls_of(
        at(
            NOON - timedelta(hours=1),
            eventSource="bedrock.amazonaws.com",
            eventName="InvokeModel",
            errorCode="ValidationException",
        )
    )
    assert any("probe" in reason for reason in answer.data["calls"][0]["reasons"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"eventName": "RunInstances", "requestParameters": {"userData": "<sensitiveData>"}},
            "with start-up code: 1",
        ),
        (
            {"eventName": "RunInstances", "requestParameters": {"instanceType": "p4d.24xlarge"}},
            "large or GPU machines: 1",
        ),
        (
            {"eventName": "RunInstances", "requestParameters": {"instanceType": "c5.18xlarge"}},
            "large or GPU machines: 1",
        ),
        ({"eventName": "RunInstances", "requestParameters": {"instanceType": "t3.micro"}}, None),
        (
            {
                "eventName": "UpdateDetector",
                "eventSource": "guardduty.amazonaws.com",
                "requestParameters": {"detectorId": "d", "enable": False},
            },
            "switched off: 1",
        ),
        (
            {
                "eventName": "AuthorizeSecurityGroupIngress",
                "requestParameters": {
                    "ipPermissions": {"items": [{"ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}
                },
            },
            "open to the whole internet: 1",
        ),
        (
            {
                "eventName": "ConsoleLogin",
                "eventSource": "signin.amazonaws.com",
                "responseElements": {"ConsoleLogin": "Success"},
                "additionalEventData": {"MFAUsed": "No"},
            },
            "without a second factor: 1",
        ),
        (
            {
                "eventName": "ConsoleLogin",
                "eventSource": "signin.amazonaws.com",
                "responseElements": {"ConsoleLogin": "Success"},
                "additionalEventData": {"MFAUsed": "No"},
                "userIdentity": a_role_session(principalId=a_user()["principalId"]),
            },
            None,
        ),
    ],
)
def test_parameters_that_matter_are_told(changes: dict[str, Any], words: str | None) -> None:
    answer = calls_of(at(NOON - timedelta(hours=1), **changes))
    (row,) = answer.data["calls"]
    told = [reason for reason in row["reasons"] if reason.endswith(": 1")]
    assert told == ([] if words is None else [words])


def test_a_call_never_made_before_is_marked_and_comes_first() -> None:
    snapshot = {"eventName": "ModifySnapshotAttribute"}
    answer = calls_of(
        at(NOON - timedelta(hours=1), eventName="CreateImage"),
        at(NOON - timedelta(days=2), eventName="CreateImage"),
        at(NOON - timedelta(hours=2), eventName="CreateUser", eventSource="iam.amazonaws.com"),
        # Long before the window, and no first for that.
        at(NOON - timedelta(days=30), eventName="CreateUser", eventSource="iam.amazonaws.com"),
        at(NOON - timedelta(hours=3), **snapshot),
    )
    assert [(row["event_name"], row["never_before"]) for row in answer.data["calls"]] == [
        ("ModifySnapshotAttribute", True),
        ("CreateUser", False),
        ("CreateImage", False),
    ]
    assert answer.sentence.endswith(
        "Weightiest that succeeded: ModifySnapshotAttribute"
        " (exfiltration, not seen before the alert's day)."
    )


def test_console_calls_are_folded_per_second_and_still_counted() -> None:
    browser = {"sessionCredentialFromConsole": "true", "userAgent": "Mozilla/5.0 Firefox/140.0"}
    one = NOON - timedelta(hours=1)
    answer = calls_of(
        *(at(one, eventName=f"Describe{n}", **browser) for n in range(20)),
        at(one + timedelta(seconds=1), eventName="CreateTags", **browser),
    )
    console = answer.data["console"]
    assert (console["calls"], console["clicks"]) == (21, 2)
    assert [click["count"] for click in console["newest"]] == [1, 20]
    assert console["newest"][0]["event_names"] == ["CreateTags"]
    assert answer.data["total"] == 1
    assert calls_of().data["console"] is None


def test_only_reads_is_nothing_and_no_logs_is_not_covered() -> None:
    answer = calls_of()
    assert answer.status == "nothing"
    assert (answer.data["total"], answer.data["calls"]) == (0, [])
    assert answer.sentence == "No interesting calls in the 7 days to the alert."

    alert = parse_alerts(json.dumps(at(NOON)))[0]
    far = MemoryStore([at(NOON - timedelta(days=40))])
    not_covered = as_written(ask(alert, alert.principals[0], far))
    assert not_covered.status == "not_covered"
    assert not_covered.data["total"] is None
    assert not_covered.data["calls"] == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDenied", "denied"),
        ("AccessDeniedException", "denied"),
        ("Client.UnauthorizedOperation", "denied"),
        ("AuthorizationErrorException", "denied"),
        ("ForbiddenException", "denied"),
        ("InvalidClientTokenId", "denied"),
        ("ExpiredTokenException", "denied"),
        ("403", "denied"),
        ("ThrottlingException", "throttled"),
        ("Client.RequestLimitExceeded", "throttled"),
        ("TooManyRequestsException", "throttled"),
        ("NoSuchBucket", "not_found"),
        ("ResourceNotFoundException", "not_found"),
        ("EntityAlreadyExistsException", "exists"),
        ("ValidationException", "validation"),
        ("Client.InvalidParameterValue", "validation"),
        ("Client.DryRunOperation", "dry_run"),
        ("InternalFailure", "other"),
        (None, "sign_in"),
    ],
)
def test_error_codes_fall_into_kinds(code: str | None, kind: str) -> None:
    assert error_class(code) == kind


def test_a_message_can_tell_a_denial_its_code_does_not() -> None:
    message = "User: x is not authorized to perform: y"
    assert error_class("InternalFailure", message) == "denied"


def test_a_call_is_known_by_its_service_as_well() -> None:
    assert high_signal("sns.amazonaws.com", "Publish") is not None
    assert high_signal("events.amazonaws.com", "Publish") is None
    assert sensitive_read("organizations.amazonaws.com", "ListAccounts") is not None
    assert sensitive_read("iam.amazonaws.com", "ListAccounts") is None
    assert plain_name("20150331") == "20150331"


def test_a_real_users_calls_equal_a_plain_recount(real_data: Path, stratus_store: Store) -> None:
    records = [
        record
        for path in sorted((real_data / "stratus-run-2023" / "CloudTrail").glob("*.json"))
        for record in json.loads(path.read_bytes())["Records"]
    ]
    record = next(r for r in records if r["eventID"].startswith("8331be91"))
    mine = record["userIdentity"]
    expected = Counter[tuple[str, str, str | None]]()
    for one in records:
        who, name = one["userIdentity"], one["eventName"]
        if mine["arn"] != who.get("arn") and mine["principalId"] != who.get("principalId"):
            continue
        if one["eventTime"] > record["eventTime"]:
            continue
        dull = name.startswith(("Get", "List", "Head", "Describe")) and name != "GetPasswordData"
        if not dull or "errorCode" in one:
            expected[one["eventSource"], name, one.get("errorCode")] += 1
    alert = parse_alerts(json.dumps(record))[0]
    answer = as_written(ask(alert, alert.principals[0], stratus_store))
    assert expected == {
        (row["event_source"], row["event_name"], row["error_code"]): row["count"]
        for row in answer.data["calls"]
    }
    assert answer.data["total"] == expected.total()
    assert answer.data["failed"] == sum(n for key, n in expected.items() if key[2])


def test_the_failed_password_reads_of_the_real_run(real_data: Path, stratus_store: Store) -> None:
    folder = real_data / "stratus-run-2023" / "CloudTrail"
    record = next(
        record
        for path in folder.glob("*.json")
        for record in json.loads(path.read_bytes())["Records"]
        if record["eventID"].startswith("cfdb926f")
    )
    alert = parse_alerts(json.dumps(record))[0]
    answer = as_written(ask(alert, alert.principals[0], stratus_store))
    assert answer.status == "partial"
    assert rows_of(answer) == {("GetPasswordData", "Client.UnauthorizedOperation"): 29}
    assert answer.data["sensitive_reads"] == []


def test_a_sessions_own_switch_is_an_arrival_and_no_other_role() -> None:
    """The console writes it as made by the session that came of it (§2.2)."""
    session = a_role_session()
    switch = at(
        NOON - timedelta(minutes=5),
        eventSource="signin.amazonaws.com",
        eventName="SwitchRole",
        userIdentity={name: session[name] for name in ("type", "principalId", "arn", "accountId")},
    )
    answer = calls_of(switch, alert=at(NOON, userIdentity=session))
    (row,) = [row for row in answer.data["calls"] if row["event_name"] == "SwitchRole"]
    assert row["why"] == (
        "Somebody switched into this role in the console: it is how its session began."
    )
    assert row["signal"] == "lateral movement"
