"""The two weeks before the alert: edges, the role's two views, what is new, and thin history."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from an_event import ACCOUNT, a_role_session, a_user, an_event
from answered import as_written
from memory_store import MemoryStore

from alerts import parse_alerts
from enrich.answer import Answer
from enrich.data.baseline import Baseline
from enrich.forms.json_form import plain
from enrich.questions.baseline import ask
from trail.store import Store

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
START = NOON - timedelta(days=14)
END = NOON - timedelta(hours=12)
SECOND = timedelta(seconds=1)
CLI = "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64"


def at(moment: datetime, **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=moment.strftime("%Y-%m-%dT%H:%M:%SZ"), **changes)


def bobs_days(days: int = 16) -> list[dict[str, Any]]:
    """Somebody else on every day: the window is covered, and the identity has no part in it."""
    bob = {"userIdentity": a_user("bob"), "awsRegion": "us-east-1"}
    return [at(NOON - timedelta(days=n), **bob) for n in range(days)]


def history(days: int = 6, **changes: Any) -> list[dict[str, Any]]:
    """Two calls on each of so many days: enough of a history with its six days."""
    return [
        at(NOON - timedelta(days=n + 1, minutes=m), **changes) for n in range(days) for m in (0, 5)
    ]


def baseline_of(alert: dict[str, Any], *records: dict[str, Any], covered: bool = True) -> Answer:
    parsed = parse_alerts(json.dumps(alert))[0]
    store = MemoryStore([alert, *records, *(bobs_days() if covered else [])])
    return as_written(ask(parsed, parsed.principals[0], store))


def test_the_window_includes_its_start_and_leaves_out_its_end() -> None:
    answer = baseline_of(at(NOON), at(START), at(START - SECOND), at(END), at(END - SECOND))
    assert (answer.data["from"], answer.data["to"]) == (
        "2026-03-06T12:00:00Z",
        "2026-03-20T00:00:00Z",
    )
    assert (answer.data["events"], answer.data["active_days"]) == (2, 2)
    assert answer.data["same_api"]["same_ip_and_agent"] == 2


def test_the_three_counts_of_the_same_call() -> None:
    answer = baseline_of(
        at(NOON),
        *history(5),
        *history(3, sourceIPAddress="203.0.113.5"),
        *history(2, userAgent="Boto3/1.34.0"),
        *history(1, eventName="DescribeImages"),
    )
    same = answer.data["same_api"]
    assert answer.data["events"] == 22
    assert same["events"] == 20
    assert (same["same_ip_and_agent"], same["same_ip"], same["same_agent"]) == (10, 14, 16)
    assert [(p["source_ip_address"], p["user_agent"], p["count"]) for p in same["pairs"]] == [
        ("198.51.100.7", CLI, 10),
        ("203.0.113.5", CLI, 6),
        ("198.51.100.7", "Boto3/1.34.0", 4),
    ]
    assert [p["count"] for p in answer.data["all_apis"]["pairs"]] == [12, 6, 4]
    assert answer.data["new"] == []
    assert answer.sentence == (
        "22 calls on 5 days by this identity in the 14 days before the alert, 16 from this IP"
        " and 18 with this user agent; 20 of them DescribeInstances, 10 of these from this IP"
        " with this user agent."
        " Nothing about the alert is new."
    )


def test_without_a_user_agent_its_counts_are_null() -> None:
    answer = baseline_of(at(NOON, userAgent=None), *history())
    same = answer.data["same_api"]
    assert (same["same_ip_and_agent"], same["same_ip"], same["same_agent"]) == (None, 12, None)
    assert "12 of these from this IP." in answer.sentence


def test_without_an_api_there_is_no_same_call() -> None:
    alert = {
        "schemaVersion": "2.0",
        "accountId": ACCOUNT,
        "region": "eu-west-1",
        "id": "0123456789abcdef0123456789abcdef",
        "type": "Recon:IAMUser/UserPermissions",
        "severity": 5,
        "title": "t",
        "description": "d",
        "resource": {
            "resourceType": "AccessKey",
            "accessKeyDetails": {
                "accessKeyId": "AKIAALICEXQXQXQXQXQX",
                "principalId": a_user()["principalId"],
                "userName": "alice",
                "userType": "IAMUser",
            },
        },
        "service": {
            "eventFirstSeen": "2026-03-20T12:00:00Z",
            "eventLastSeen": "2026-03-20T12:00:00Z",
        },
        "createdAt": "2026-03-20T12:10:00Z",
    }
    parsed = parse_alerts(json.dumps(alert))[0]
    answer = as_written(ask(parsed, parsed.principals[0], MemoryStore([*history(), *bobs_days()])))
    same = answer.data["same_api"]
    assert answer.data["events"] == 12
    assert (same["same_ip_and_agent"], same["same_ip"], same["same_agent"]) == (None, None, None)
    assert same["pairs"] == []
    assert len(answer.data["all_apis"]["pairs"]) == 1


def test_what_the_alert_has_and_the_history_has_not_is_new() -> None:
    alert = at(
        NOON,
        sourceIPAddress="203.0.113.77",
        userAgent="python-requests/2.31.0",
        eventSource="iam.amazonaws.com",
        eventName="CreateUser",
        awsRegion="us-east-1",
    )
    answer = baseline_of(alert, *history())
    assert answer.data["new"] == [
        "source_ip_address",
        "user_agent",
        "event_name",
        "event_source",
        "aws_region",
    ]
    assert answer.sentence.endswith(
        "Not seen: source IP 203.0.113.77, user agent python-requests 2.31,"
        " API call CreateUser, service IAM and region us-east-1."
    )
    # The same name at another service is another call.
    other = baseline_of(alert, *history(eventName="CreateUser"))
    assert "event_name" in other.data["new"]


def test_a_patch_version_or_a_command_makes_no_new_agent() -> None:
    mine = (
        "aws-cli/2.15.9 md/awscrt#0.19.19 ua/2.0 os/linux#6.1.0-18 md/arch#x86_64"
        " lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe"
        " md/command#ec2.describe-instances"
    )
    before = (
        "aws-cli/2.15.2 md/awscrt#0.19.19 ua/2.0 os/linux#6.1.0-17 md/arch#x86_64"
        " lang/python#3.11.6 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe"
        " md/command#s3.ls"
    )
    answer = baseline_of(at(NOON, userAgent=mine), *history(userAgent=before))
    assert "user_agent" not in answer.data["new"]
    facts = answer.data["user_agent"]
    assert (facts["seen"], facts["normal_form_seen"], facts["tool_seen"]) == (False, True, True)
    # The counts of the original compare the text as it stands.
    assert answer.data["same_api"]["same_agent"] == 0
    assert answer.data["same_api"]["same_agent_normal_form"] == 12

    newer = baseline_of(at(NOON, userAgent=mine.replace("2.15.9", "2.31.0")), *history())
    assert "user_agent" in newer.data["new"]
    assert newer.data["user_agent"]["tool_seen"] is True


def test_an_aws_services_name_is_never_a_new_ip() -> None:
    for name in ("cloudformation.amazonaws.com", "AWS Internal"):
        answer = baseline_of(at(NOON, sourceIPAddress=name), *history())
        assert "source_ip_address" not in answer.data["new"]


ROLE = a_role_session(session="work", created="2026-03-20T11:50:00Z")
PEER = a_role_session(session="peer")


def test_a_role_has_two_views() -> None:
    alert = at(NOON, userIdentity=ROLE)
    answer = baseline_of(
        alert,
        *history(6, userIdentity=ROLE, sourceIPAddress="203.0.113.5"),
        *history(4, userIdentity=PEER, sourceIPAddress="203.0.113.6", userAgent="Boto3/1.34.0"),
        *history(1, userIdentity=PEER),
    )
    assert answer.data["scope"] == "entity"
    # By session: 12; by address: 2.
    assert answer.data["events"] == 14
    assert answer.data["whole_role"]["events"] == 22
    assert answer.data["whole_role"]["active_days"] == 6
    assert answer.data["whole_role"]["same_api"]["same_ip"] == 2
    assert answer.data["peers"]["sessions"] == 2
    assert answer.data["peers"]["source_ip_address"] == 1
    assert "by this session name or source IP" in answer.sentence


def test_a_role_with_a_thin_entity_rests_on_the_whole_role_and_says_so() -> None:
    alert = at(NOON, userIdentity=a_role_session(session="i-0new"), sourceIPAddress="203.0.113.9")
    answer = baseline_of(alert, *history(6, userIdentity=PEER))
    assert (answer.data["events"], answer.data["sufficient"]) == (0, False)
    assert answer.data["scope"] == "whole_role"
    assert answer.data["whole_role"]["new"] == ["source_ip_address"]
    assert answer.sentence == (
        "12 calls on 6 days by the whole role in the 14 days before the alert (only 0 calls on 0"
        " days by this session name or source IP), 0 from this IP and 12 with this user agent; 12"
        " of them DescribeInstances, 0 of these from this IP with this user agent (0 from this IP,"
        " 12 with this user agent). Not seen: source IP 203.0.113.9."
    )


def test_history_is_sufficient_from_ten_events_on_two_days() -> None:
    nine = [at(END - timedelta(days=n, minutes=1)) for n in range(9)]
    assert baseline_of(at(NOON), *nine).data["sufficient"] is False
    ten = baseline_of(at(NOON), *nine, at(END - timedelta(minutes=2)))
    assert ten.data["sufficient"] is True
    one_day = [at(END - timedelta(minutes=n + 1)) for n in range(20)]
    thin = baseline_of(at(NOON), *one_day)
    assert thin.data["sufficient"] is False
    assert thin.data["scope"] == "entity"
    assert thin.sentence.startswith("Insufficient history: 20 calls on 1 day by this identity")


def test_copies_in_two_accounts_count_once() -> None:
    owner = {"type": "AWSAccount", "principalId": a_user()["principalId"], "accountId": ACCOUNT}
    shared = at(END - SECOND, sharedEventID="s-1")
    copy = at(
        END - SECOND, sharedEventID="s-1", userIdentity=owner, recipientAccountId="444455556666"
    )
    answer = baseline_of(at(NOON), shared, copy)
    assert answer.data["events"] == 1
    assert answer.data["same_api"]["same_ip_and_agent"] == 1


def test_a_guardduty_name_matches_the_dated_name_of_the_log() -> None:
    alert = at(NOON, eventSource="lambda.amazonaws.com", eventName="ListFunctions")
    answer = baseline_of(
        alert,
        *history(eventSource="lambda.amazonaws.com", eventName="ListFunctions20150331"),
        *history(eventSource="lambda.amazonaws.com", eventName="ListFunctionsByCodeSigningConfig"),
    )
    assert answer.data["same_api"]["events"] == 12
    assert "event_name" not in answer.data["new"]


def test_a_call_of_long_ago_is_said_to_be_older() -> None:
    alert = at(NOON, sourceIPAddress="203.0.113.9")
    answer = baseline_of(alert, *history(), at(START - timedelta(days=20), **_from_there()))
    assert answer.data["new"] == ["source_ip_address"]
    assert answer.data["earlier"]["last"]["source_ip_address"] == "2026-02-14T12:00:00Z"


def _from_there() -> dict[str, Any]:
    return {"sourceIPAddress": "203.0.113.9"}


def test_an_intruder_of_several_days_does_not_hide_in_the_baseline() -> None:
    alert = at(NOON, sourceIPAddress="203.0.113.9")
    intruder = [at(NOON - timedelta(days=2, minutes=n), **_from_there()) for n in range(3)]
    answer = baseline_of(alert, *history(6), *history(12), *intruder)
    assert answer.data["new"] == []
    dwell = answer.data["before_dwell"]
    assert dwell["to"] == "2026-03-18T11:58:00Z"
    assert dwell["new"] == ["source_ip_address"]
    assert any("before that, unseen: source IP" in caveat for caveat in answer.caveats)
    # An address known from the first week on is no such sign.
    known = baseline_of(at(NOON), *history(12))
    assert known.data["before_dwell"] is None


def test_hours_regions_and_errors_of_the_day() -> None:
    answer = baseline_of(
        at(NOON),
        *history(3),
        at(NOON - timedelta(days=2, hours=4), errorCode="AccessDenied", awsRegion="us-east-1"),
    )
    hours = {row["hour"]: row["count"] for row in answer.data["hours"] if row["count"]}
    assert hours == {12: 3, 11: 3, 8: 1}
    assert [(r["aws_region"], r["count"]) for r in answer.data["regions"]] == [
        ("eu-west-1", 6),
        ("us-east-1", 1),
    ]
    assert answer.data["errors"] == [{"error_code": "AccessDenied", "class": "denied", "count": 1}]


def test_a_neighbouring_address_is_the_same_network() -> None:
    answer = baseline_of(at(NOON, sourceIPAddress="198.51.100.200"), *history())
    assert answer.data["new"] == ["source_ip_address"]
    network = answer.data["network"]
    assert (network["network"], network["count"]) == ("198.51.100.0/24", 12)


def test_nothing_not_covered_and_partial() -> None:
    nothing = baseline_of(at(NOON))
    assert nothing.status == "nothing"
    assert nothing.data["events"] == 0
    assert "nothing to compare with" in nothing.sentence

    not_covered = baseline_of(at(NOON), covered=False)
    assert not_covered.status == "not_covered"
    assert not_covered.data["events"] is None
    assert not_covered.data["new"] == []
    assert set(not_covered.data) == set(plain(Baseline()))

    partial = baseline_of(at(NOON), *history(3), covered=False)
    assert partial.status == "partial"
    assert partial.data["events"] == 6


def test_the_day_that_starts_at_the_windows_end_is_not_missed() -> None:
    """The window ends at midnight, open: logs of that day are not needed to cover it."""
    days = [at(NOON - timedelta(days=n), userIdentity=a_user("bob")) for n in range(1, 16)]
    parsed = parse_alerts(json.dumps(at(NOON)))[0]
    answer = as_written(ask(parsed, parsed.principals[0], MemoryStore([*history(), *days])))
    assert answer.status == "answered"


def test_logs_that_begin_after_the_window_on_its_last_day_do_not_cover_it() -> None:
    alert = at(NOON + timedelta(hours=10))  # the window ends on the alert's own day, at 10:00
    parsed = parse_alerts(json.dumps(alert))[0]
    later = [alert, at(NOON), at(NOON + timedelta(hours=1))]
    assert ask(parsed, parsed.principals[0], MemoryStore(later)).status == "not_covered"
    earlier = at(NOON - timedelta(hours=3), userIdentity=a_user("bob"))
    answer = as_written(ask(parsed, parsed.principals[0], MemoryStore([*later, earlier])))
    assert answer.status == "partial"
    # Another account's logs of those hours are none of this account's.
    foreign = earlier | {"recipientAccountId": "444455556666"}
    answer = as_written(ask(parsed, parsed.principals[0], MemoryStore([*later, foreign])))
    assert answer.status == "not_covered"


def test_the_real_run_of_an_hour_has_no_baseline(real_data: Path, stratus_store: Store) -> None:
    folder = real_data / "stratus-run-2023" / "CloudTrail"
    record = next(
        record
        for path in folder.glob("*.json")
        for record in json.loads(path.read_bytes())["Records"]
        if record["eventID"].startswith("cfdb926f")
    )
    alert = parse_alerts(json.dumps(record))[0]
    assert ask(alert, alert.principals[0], stratus_store).status == "not_covered"


def test_a_new_call_from_the_usual_place_says_that_the_place_is_usual() -> None:
    """All of its calls came from that address and client: no zero may say otherwise."""
    alert = at(NOON, eventSource="iam.amazonaws.com", eventName="CreateUser")
    answer = baseline_of(alert, *history())
    assert answer.sentence == (
        "12 calls on 6 days by this identity in the 14 days before the alert, 12 from this IP and"
        " 12 with this user agent; 0 of them CreateUser. Not seen: API call CreateUser and service"
        " IAM."
    )


def test_fourteen_days_touch_fifteen_calendar_days() -> None:
    late = NOON + timedelta(hours=11, minutes=30)
    days = [at(NOON - timedelta(days=n)) for n in range(1, 14)]
    ends = [at(late - timedelta(days=14) + timedelta(minutes=1)), at(late - timedelta(hours=13))]
    answer = baseline_of(at(late), *days, *ends)
    assert answer.sentence.startswith("15 calls on ")
    days_told = answer.sentence.partition(" on ")[2].partition(" by ")[0]
    assert days_told == "15 calendar days"


def test_a_first_success_is_new_where_every_such_call_had_failed() -> None:
    refused = history(6, errorCode="AccessDenied")
    answer = baseline_of(at(NOON), *refused)
    assert answer.data["new"] == []
    assert [odd["what"] for odd in answer.data["unusual"]] == ["outcome"]
    assert answer.sentence.endswith(" Nothing about the alert is new but that the call succeeded.")
    few = baseline_of(at(NOON), *refused[:4])
    assert few.sentence.endswith(" Nothing about the alert is new but that the call succeeded.")

    for alert, before in (
        (at(NOON, errorCode="AccessDenied"), refused),
        (at(NOON), [*refused, *history(1)]),
        (at(NOON), history(6, eventName="ListUsers", errorCode="AccessDenied")),
    ):
        odd = baseline_of(alert, *before).data["unusual"]
        assert "outcome" not in [one["what"] for one in odd]


def test_an_odd_hour_or_error_is_not_called_nothing_new() -> None:
    late = at(NOON + timedelta(hours=6), errorCode="AccessDenied")
    answer = baseline_of(late, *history())
    assert answer.data["new"] == []
    assert answer.sentence.endswith(
        " Nothing about the alert is new but its hour of the day and its error."
    )
