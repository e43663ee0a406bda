"""Services of the seven days to the alert: window edges, copies, failures, coverage, wording."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from an_event import ACCOUNT, a_role_session, a_user, an_event
from answered import as_written
from memory_store import MemoryStore

from alerts import parse_alerts
from alerts.alert import Alert, Principal
from enrich.answer import Answer
from enrich.data.services_used import ServicesUsed
from enrich.forms.json_form import plain
from enrich.questions.services_used import ask
from trail.store import Store

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def services_of(records: list[dict[str, Any]], alert_record: dict[str, Any]) -> Answer:
    alert = parse_alerts(json.dumps(alert_record))[0]
    return as_written(ask(alert, alert.principals[0], MemoryStore(records)))


def at(moment: datetime, **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=moment.strftime("%Y-%m-%dT%H:%M:%SZ"), **changes)


def every_day(days: int = 9) -> list[dict[str, Any]]:
    """One event of somebody else on each day, so that every day is covered."""
    bob = {"userIdentity": a_user("bob"), "awsRegion": "us-east-1"}
    return [at(NOON - timedelta(days=n), **bob) for n in range(days)]


def test_both_ends_of_the_window_and_the_alerts_own_event_count() -> None:
    alert = at(NOON)
    second = timedelta(seconds=1)
    week = timedelta(days=7)
    records = [
        *every_day(),
        alert,
        at(NOON - week),
        at(NOON - week - second, eventSource="s3.amazonaws.com"),
        at(NOON + second, eventSource="kms.amazonaws.com"),
    ]
    answer = services_of(records, alert)
    assert answer.status == "answered"
    assert answer.data["from"] == "2026-03-03T12:00:00Z"
    assert answer.data["to"] == "2026-03-10T12:00:00Z"
    assert answer.data["total"] == 2
    assert [(row["event_source"], row["count"]) for row in answer.data["services"]] == [
        ("ec2.amazonaws.com", 2)
    ]
    row = answer.data["services"][0]
    assert (row["first"], row["last"]) == ("2026-03-03T12:00:00Z", "2026-03-10T12:00:00Z")
    assert set(answer.evidence) == {alert["eventID"], records[-3]["eventID"]}


def test_a_finding_over_hours_includes_up_to_its_last_event() -> None:
    alert = Alert(
        id="f",
        source="guardduty",
        title="t",
        severity=5.0,
        first_seen=NOON,
        last_seen=NOON + timedelta(hours=3),
        account_id=ACCOUNT,
        region=None,
        source_ip_address=None,
        user_agent=None,
        event_source=None,
        event_name=None,
        principals=(),
        raw="",
    )
    records = [
        at(NOON + timedelta(hours=3)),
        at(NOON + timedelta(hours=3, seconds=1)),
    ]
    user = Principal("IAMUser", arn=f"arn:aws:iam::{ACCOUNT}:user/alice")
    answer = as_written(ask(alert, user, MemoryStore(records)))
    assert answer.data["total"] == 1


def test_a_call_logged_in_two_accounts_counts_once() -> None:
    alert = at(NOON)
    shared = {"sharedEventID": "shared-1", "eventSource": "sts.amazonaws.com"}
    caller = at(NOON, eventName="AssumeRole", **shared)
    owner = at(
        NOON,
        eventName="AssumeRole",
        recipientAccountId="444455556666",
        userIdentity={
            "type": "AWSAccount",
            "principalId": a_user()["principalId"],
            "accountId": ACCOUNT,
        },
        **shared,
    )
    answer = services_of([alert, caller, owner, *every_day()], alert)
    assert {row["event_source"]: row["count"] for row in answer.data["services"]} == {
        "ec2.amazonaws.com": 1,
        "sts.amazonaws.com": 1,
    }
    assert answer.data["total"] == 2
    assert len(answer.evidence) == 3


def test_failures_are_apart_and_a_failed_sign_in_is_one() -> None:
    alert = at(NOON, errorCode="Client.UnauthorizedOperation")
    sign_in = at(
        NOON - timedelta(hours=1),
        eventSource="signin.amazonaws.com",
        eventName="ConsoleLogin",
        eventType="AwsConsoleSignIn",
        errorMessage="Failed authentication",
        responseElements={"ConsoleLogin": "Failure"},
    )
    fine = at(NOON - timedelta(hours=2))
    answer = services_of([alert, sign_in, fine, *every_day()], alert)
    rows = {row["service"]: (row["count"], row["failed"]) for row in answer.data["services"]}
    assert rows == {"EC2": (2, 1), "AWS Sign-In / console": (1, 1)}
    assert answer.data["failed"] == 2
    assert answer.sentence.startswith(
        "3 calls to 2 services in the 7 days to the alert, 2 failed: EC2 2 and"
    )


def test_days_of_the_week_and_services_never_used_before_are_marked() -> None:
    alert = at(NOON)
    records = [
        *every_day(),
        alert,
        at(NOON - timedelta(days=1)),
        at(NOON - timedelta(hours=1), eventSource="secretsmanager.amazonaws.com"),
        # Used long ago: not in the week, and still no novelty.
        at(NOON - timedelta(hours=2), eventSource="iam.amazonaws.com"),
        at(NOON - timedelta(days=30), eventSource="iam.amazonaws.com"),
    ]
    rows = {row["event_source"]: row for row in services_of(records, alert).data["services"]}
    assert [(day["day"], day["count"]) for day in rows["ec2.amazonaws.com"]["days"]] == [
        ("2026-03-09", 1),
        ("2026-03-10", 1),
    ]
    assert rows["ec2.amazonaws.com"]["on_alert_day"] == 1
    never = {source: row["never_before"] for source, row in rows.items()}
    assert never == {
        "ec2.amazonaws.com": False,
        "secretsmanager.amazonaws.com": True,
        "iam.amazonaws.com": False,
    }
    assert rows["secretsmanager.amazonaws.com"]["valuable"]
    assert (
        "Not used before the alert's day: Secrets Manager." in services_of(records, alert).sentence
    )


def test_without_any_earlier_event_nothing_is_called_new() -> None:
    alert = at(NOON)
    answer = services_of([alert, *every_day()], alert)
    assert [row["never_before"] for row in answer.data["services"]] == [None]
    assert "Not used before" not in answer.sentence


def test_a_roles_service_is_not_new_when_another_session_used_it_before() -> None:
    alert = at(NOON, userIdentity=a_role_session(), sourceIPAddress="203.0.113.4")
    other = a_role_session(session="colleague")
    records = [
        alert,
        at(NOON - timedelta(days=3), userIdentity=other),
        *every_day(),
    ]
    answer = services_of(records, alert)
    assert answer.data["total"] == 1
    assert [row["never_before"] for row in answer.data["services"]] == [False]


def test_nothing_is_said_apart_from_not_covered_and_partial() -> None:
    alert = at(NOON, eventCategory="Data", managementEvent=False)
    nothing = services_of(every_day(), alert)
    assert nothing.status == "nothing"
    assert nothing.data["total"] == 0
    assert nothing.sentence == "No calls by this identity in the 7 days to the alert."

    not_covered = services_of([at(NOON - timedelta(days=30))], alert)
    assert not_covered.status == "not_covered"
    assert not_covered.data["total"] is None
    assert not_covered.data["from"] == "2026-03-03T12:00:00Z"
    assert ACCOUNT in not_covered.sentence

    gap = [record for record in every_day() if "2026-03-05" not in record["eventTime"]]
    partial = services_of([*gap, alert], alert)
    assert partial.status == "partial"
    assert partial.caveats == (
        f"The index holds no logs of account {ACCOUNT} on 2026-03-05 (UTC).",
    )
    empty = services_of(gap, alert)
    assert empty.status == "partial"
    assert empty.sentence == (
        "No calls by this identity in the indexed part of the 7 days to the alert (some of its days"
        " are not indexed)."
    )


def test_another_accounts_logs_do_not_cover_the_window() -> None:
    alert = at(NOON)
    far = [
        at(NOON - timedelta(days=n), recipientAccountId="444455556666", userIdentity=a_user("bob"))
        for n in range(9)
    ]
    assert services_of(far, alert).status == "not_covered"


def test_samples_and_alerts_without_time_or_identity_do_not_apply() -> None:
    record = at(NOON)
    alert = parse_alerts(json.dumps(record))[0]
    user = alert.principals[0]
    store = MemoryStore([record])
    nobody = Principal("Unknown")
    fields = dict(alert.__dict__)
    sample = Alert(**(fields | {"sample": True}))
    timeless = Alert(**(fields | {"first_seen": None, "last_seen": None}))
    for one, principal, status, word in (
        (sample, user, "not_applicable", "placeholders"),
        (timeless, user, "not_covered", "no time"),
        (alert, nobody, "not_applicable", "no identity"),
    ):
        answer = as_written(ask(one, principal, store))
        assert answer.status == status
        assert word in answer.sentence
        assert answer.data == plain(ServicesUsed())


def test_evidence_is_capped_and_says_so() -> None:
    alert = at(NOON)
    many = [at(NOON - timedelta(minutes=n + 1)) for n in range(250)]
    answer = services_of([alert, *many, *every_day()], alert)
    assert answer.data["total"] == 251
    assert len(answer.evidence) == 200
    assert answer.evidence[0] == alert["eventID"]
    told = "The evidence lists 200 of 251 events: of each kind of call the newest few of a day."
    assert told in answer.caveats


def real_records(real_data: Path) -> list[dict[str, Any]]:
    return [
        record
        for path in sorted((real_data / "stratus-run-2023" / "CloudTrail").glob("*.json"))
        for record in json.loads(path.read_bytes())["Records"]
    ]


def test_the_failed_password_reads_of_the_real_run(real_data: Path, stratus_store: Store) -> None:
    record = next(r for r in real_records(real_data) if r["eventID"].startswith("cfdb926f"))
    alert = parse_alerts(json.dumps(record))[0]
    answer = as_written(ask(alert, alert.principals[0], stratus_store))
    assert answer.status == "partial"
    assert answer.sentence == (
        "29 calls to 1 service in the indexed part of the 7 days to the alert (the logs begin"
        " 12 min before the alert), all failed: EC2 29."
    )
    assert len(answer.evidence) == 29


def test_a_real_users_counts_equal_a_plain_recount(real_data: Path, stratus_store: Store) -> None:
    records = real_records(real_data)
    record = next(r for r in records if r["eventID"].startswith("8331be91"))
    alert = parse_alerts(json.dumps(record))[0]
    mine = record["userIdentity"]
    counts, failed = Counter[str](), Counter[str]()
    for one in records:
        who = one["userIdentity"]
        if mine["arn"] != who.get("arn") and mine["principalId"] != who.get("principalId"):
            continue
        if one["eventTime"] <= record["eventTime"]:
            counts[one["eventSource"]] += 1
            failed[one["eventSource"]] += "errorCode" in one
    answer = as_written(ask(alert, alert.principals[0], stratus_store))
    rows = answer.data["services"]
    assert {row["event_source"]: row["count"] for row in rows} == counts
    assert {row["event_source"]: row["failed"] for row in rows} == failed
    assert answer.data["total"] == counts.total()
