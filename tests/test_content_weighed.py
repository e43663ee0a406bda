"""What the content of calls comes to in the weighing: told for whom, once, and never overdone."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from an_event import ACCOUNT, a_user
from memory_store import MemoryStore
from test_weighing import NOON, at, every_day, history, kinds, of_kind, weighed

from alerts import parse_alerts
from enrich import ask_all
from enrich.answer import data_among
from enrich.data.interesting_calls import InterestingCalls
from enrich.facts.techniques import high_signal
from enrich.verdict.weighing import Weighing, weigh
from trail.store import Store
from ui.kit.markup import texts
from ui.triage.card_calls import calls_table

OTHER = "999988887777"
IAM = {"eventSource": "iam.amazonaws.com", "readOnly": False}
TRAIL = {"eventSource": "cloudtrail.amazonaws.com", "readOnly": False}
ADMIN = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
NARROW = json.dumps({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}})


def ago(minutes: float, **changes: Any) -> dict[str, Any]:
    return at(NOON - timedelta(minutes=minutes), **changes)


def an_inline_policy(minutes: float, document: str, user: str = "mallory") -> dict[str, Any]:
    request = {"userName": user, "policyName": "p", "policyDocument": document}
    return ago(minutes, **IAM, eventName="PutUserPolicy", requestParameters=request)


def a_trust(minutes: float, account: str) -> dict[str, Any]:
    document = {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
                              "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}}  # fmt: skip
    request = {"roleName": "ops", "policyDocument": json.dumps(document)}
    return ago(minutes, **IAM, eventName="UpdateAssumeRolePolicy", requestParameters=request)


def said_of(weighing: Weighing, *words: str) -> list[str]:
    return [line.sentence for line in weighing.lines if all(one in line.sentence for one in words)]


def test_an_inline_policy_of_everything_is_told_once_and_first() -> None:
    policy = an_inline_policy(5, ADMIN, "alice")
    weighing = weighed(at(NOON), policy, *history(), *every_day())
    line = of_kind(weighing.for_, "content_grave")
    assert line.sentence.startswith(
        "PutUserPolicy gave user alice (the caller) every action on every resource (Allow * on *):"
        " inline policy p (T1098.003, the call never made in "
    )
    assert line.event_ids[0] == policy["eventID"]
    assert weighing.strongest is line
    assert said_of(weighing, "PutUserPolicy") == [line.sentence]


def test_a_policy_that_gives_little_is_said_by_its_name_alone() -> None:
    weighing = weighed(at(NOON), an_inline_policy(5, NARROW), *every_day())
    assert "content_grave" not in kinds(weighing.for_)
    assert "PutUserPolicy succeeded" in of_kind(weighing.for_, "high_signal_call").sentence


def test_the_table_of_calls_says_what_they_did_in_place_of_why_their_name_matters() -> None:
    failed = an_inline_policy(4, ADMIN) | {"errorCode": "AccessDenied", "errorMessage": "no"}
    records = [
        at(NOON),
        an_inline_policy(5, ADMIN, "alice"),
        failed,
        ago(6, **IAM, eventName="CreateUser"),
    ]
    (alert,) = parse_alerts(json.dumps(records[0]))
    answers = ask_all(alert, alert.principals[0], MemoryStore(records))
    found = data_among(answers, InterestingCalls)
    assert found is not None
    drawn = calls_table(found)
    assert drawn is not None
    said = texts([drawn])
    gave = "PutUserPolicy gave user alice (the caller) every action on every resource"
    assert sum(one.startswith(gave) for one in said) == 1  # of the call that succeeded
    by_name = high_signal("iam.amazonaws.com", "CreateUser")
    assert by_name is not None
    assert any(by_name.why in one for one in said)


def test_a_grave_call_is_found_among_hundreds_like_it() -> None:
    many = [an_inline_policy(10 + n / 100, NARROW, f"u{n}") for n in range(600)]
    weighing = weighed(at(NOON), *many, an_inline_policy(9, ADMIN), *every_day())
    assert "user mallory" in of_kind(weighing.for_, "content_grave").sentence


def test_a_failed_call_says_nothing_by_its_content() -> None:
    failed = an_inline_policy(5, ADMIN) | {"errorCode": "AccessDenied", "errorMessage": "no"}
    assert "content_grave" not in kinds(weighed(at(NOON), failed, *every_day()).for_)


def test_switching_the_log_on_is_no_accusation() -> None:
    made = ago(1, **TRAIL, eventName="CreateTrail", requestParameters={"name": "main"})
    started = at(NOON, **TRAIL, eventName="StartLogging", requestParameters={"name": "main"})
    weighing = weighed(started, made, *history(), *every_day())
    assert [one for one in weighing.for_ if one.answer == "interesting_calls"] == []
    (line,) = [one for one in weighing.against if one.kind == "content_against"]
    assert line.sentence.startswith("StartLogging started trail main")
    assert "whoever may make it can do so to look harmless" in line.sentence
    assert line.event_ids == (started["eventID"],)


def test_nothing_is_excused_beside_something_grave() -> None:
    started = at(NOON, **TRAIL, eventName="StartLogging", requestParameters={"name": "main"})
    stopped = ago(5, **TRAIL, eventName="StopLogging", requestParameters={"name": "main"})
    weighing = weighed(started, stopped, *every_day())
    assert "content_against" not in kinds(weighing.against)
    assert "StopLogging stopped trail main" in of_kind(weighing.for_, "content_grave").sentence


def selectors(**changes: Any) -> dict[str, Any]:
    selector = {"readWriteType": "All", "includeManagementEvents": True, "dataResources": []}
    request = {"trailName": "main", "eventSelectors": [{**selector, **changes}]}
    return ago(5, **TRAIL, eventName="PutEventSelectors", requestParameters=request)


def test_selectors_that_widen_are_not_accused_and_those_that_narrow_are() -> None:
    objects = [{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}]
    wide = weighed(at(NOON), selectors(dataResources=objects), *every_day())
    assert not [line for line in wide.for_ if "PutEventSelectors" in line.sentence]
    assert "data events of AWS::S3::Object" in of_kind(wide.against, "content_against").sentence
    narrow = weighed(at(NOON), selectors(includeManagementEvents=False), *every_day())
    assert "all management events" in of_kind(narrow.for_, "content_grave").sentence
    both = weighed(
        at(NOON), selectors(dataResources=objects), selectors(readWriteType="ReadOnly"),
        *every_day(),
    )  # fmt: skip
    assert "content_against" not in kinds(both.against)


def test_an_outside_account_is_said_to_be_known_or_not() -> None:
    unknown = weighed(at(NOON), a_trust(5, OTHER), *every_day())
    line = of_kind(unknown.for_, "content_grave")
    assert (
        f"no indexed event of account {OTHER} from 2026-02-11 to the alert's day" in line.sentence
    )
    here = [ago(60 * 24 * n, recipientAccountId=OTHER, userIdentity=a_user("eve", OTHER))
            for n in range(1, 5)]  # fmt: skip
    ours = weighed(at(NOON), a_trust(5, OTHER), *here, *every_day())
    assert "content_grave" not in kinds(ours.for_)
    told = of_kind(ours.for_, "content").sentence
    assert f"logs of account {OTHER} are indexed here" in told


def test_many_deletions_are_one_line_with_their_number() -> None:
    gone = [
        ago(5 + n, eventSource="secretsmanager.amazonaws.com", eventName="DeleteSecret",
            requestParameters={"secretId": f"s{n}", "forceDeleteWithoutRecovery": True})
        for n in range(17)
    ]  # fmt: skip
    weighing = weighed(at(NOON), *gone, *every_day())
    assert of_kind(weighing.for_, "destruction").sentence == (
        "Deleting data, copies, databases, secrets or keys succeeded 17 times:"
        " DeleteSecret 17 (secret s0, secret s1 and 15 more) (T1485)."
    )
    assert len(said_of(weighing, "DeleteSecret")) == 1


def reads(number: int, minutes: float = 5, bucket: str = "backups") -> list[dict[str, Any]]:
    return [
        ago(minutes + n / 60, eventSource="s3.amazonaws.com", eventName="GetObject",
            requestParameters={"bucketName": bucket, "key": f'"bucketName":"x"{n}'},
            additionalEventData={"bytesTransferredOut": 20_000.0})
        for n in range(number)
    ]  # fmt: skip


def test_bulk_reads_are_told_with_bytes_and_time() -> None:
    weighing = weighed(at(NOON), *reads(121), *every_day())
    assert of_kind(weighing.for_, "bulk_read").sentence == (
        "Objects of bucket backups were read 121 times, 2.4 MB in 2 min (T1530)."
    )
    assert "bulk_read" not in kinds(weighed(at(NOON), *reads(90), *every_day()).for_)


def test_who_reads_as_much_every_day_reads_nothing_in_bulk() -> None:
    daily = [one for day in range(1, 14) for one in reads(110, day * 24 * 60)]
    usual = weighed(at(NOON), *reads(121), *daily, *every_day())
    assert "bulk_read" not in kinds(usual.for_)
    more = weighed(at(NOON), *reads(600), *daily, *every_day())
    assert "at most 110 on a day before" in of_kind(more.for_, "bulk_read").sentence


def a_deployment(minutes: float) -> dict[str, Any]:
    return ago(minutes, eventSource="lambda.amazonaws.com", readOnly=False,
               eventName="UpdateFunctionCode20150331v2",
               requestParameters={"functionName": "f", "dryRun": False})  # fmt: skip


def test_everyday_work_is_not_told_by_its_content() -> None:
    daily = [a_deployment(day * 24 * 60) for day in range(1, 14)]
    assert "content" not in kinds(weighed(at(NOON), a_deployment(5), *daily, *every_day()).for_)
    assert "content" in kinds(weighed(at(NOON), a_deployment(5), *history(), *every_day()).for_)


def test_calls_alike_are_one_line_that_counts_them() -> None:
    keys = [
        ago(n, **IAM, eventName="CreateAccessKey", requestParameters={"userName": f"u{n}"})
        for n in range(1, 7)
    ]
    line = of_kind(weighed(at(NOON), *keys, *every_day()).for_, "content_grave")
    assert line.sentence == (
        "CreateAccessKey succeeded 6 times (user u1, user u2, user u3, user u4, user u5 and 1"
        " more), such as: CreateAccessKey made an access key for user u1 (T1098.001)."
    )
    assert {count.number for count in line.counts} == {6}


def test_the_data_says_what_was_found_and_a_call_logged_twice_counts_once() -> None:
    policy = an_inline_policy(5, ADMIN)
    twin = {**policy, "eventID": "99999999-0000-4000-8000-000000000009", "sharedEventID": "s-1"}
    records = [at(NOON), policy | {"sharedEventID": "s-1"}, twin, *every_day()]
    (alert,) = parse_alerts(json.dumps(records[0]))
    answers = ask_all(alert, alert.principals[0], MemoryStore(records))
    data = data_among(answers, InterestingCalls)
    assert data is not None
    (found,) = data.content
    assert (found.kind, found.grave, found.count) == ("policy_allows_all", True, 1)
    assert found.about == ("user mallory",)


def weighed_in(record: dict[str, Any], store: Store) -> Weighing:
    (alert,) = parse_alerts(json.dumps(record))
    principal = alert.principals[0]
    return weigh(alert, principal, ask_all(alert, principal, store))


@pytest.fixture(scope="module")
def stratus_records(real_data: Any) -> list[dict[str, Any]]:
    files = sorted((real_data / "stratus-run-2023" / "CloudTrail").glob("*.json"))
    return [record for file in files for record in json.loads(file.read_text())["Records"]]


def the(records: list[dict[str, Any]], name: str, **about: str) -> dict[str, Any]:
    return next(
        one
        for one in records
        if one["eventName"] == name
        and not one.get("errorCode")
        and about.items() <= (one["requestParameters"] or {}).items()
    )


def test_the_run_s_backdoors_are_told_in_row_one(
    stratus_records: list[dict[str, Any]], stratus_store: Store
) -> None:
    weighing = weighed_in(the(stratus_records, "CreateTrustAnchor"), stratus_store)
    told = " ".join(line.sentence for line in weighing.for_ if line.kind == "content_grave")
    assert weighing.for_[0].sentence.startswith("CreateTrustAnchor made trust anchor malicious-")
    for words in (
        "AttachUserPolicy gave user malicious-iam-user every right",
        "AttachRolePolicy gave role stratus-red-team-backdoor-r-role every right",
        "lets account 193672423079 (outside account 123837392027) assume role stratus-red-team-",
        "for user malicious-iam-user",
        "ModifySnapshotAttribute",
        "AddPermission20150331v2"[:13],
    ):
        assert words in told
    (gone,) = [line for line in weighing.for_ if line.kind == "destruction"]
    assert "DeleteSecret 17 (" in gone.sentence


def test_the_run_s_start_of_a_log_is_not_what_accuses(
    stratus_records: list[dict[str, Any]], stratus_store: Store
) -> None:
    weighing = weighed_in(the(stratus_records, "StartLogging"), stratus_store)
    assert not said_of(weighing, "StartLogging")
    assert not said_of(weighing, "CreateTrail")


def test_a_run_that_only_read_has_no_content(real_data: Any, ec2_store: Store) -> None:
    (archive,) = (real_data / "ec2-proxy-s3-2020").glob("*.zip")
    with zipfile.ZipFile(archive) as zipped:
        lines = [line for name in zipped.namelist() for line in zipped.read(name).splitlines()]
    records = [json.loads(line) for line in lines if line.strip()]
    record = next(one for one in records if one["eventName"] == "GetObject")
    weighing = weighed_in(record, ec2_store)
    assert not {"content", "content_grave", "destruction", "bulk_read"} & kinds(weighing.lines)


def test_the_account_of_a_record_is_the_one_that_was_called() -> None:
    own = weighed(at(NOON), a_trust(5, ACCOUNT), *every_day())
    assert "content_grave" not in kinds(own.for_)


def calls_of(*records: dict[str, Any]) -> InterestingCalls:
    (alert,) = parse_alerts(json.dumps(records[0]))
    data = data_among(ask_all(alert, alert.principals[0], MemoryStore(records)), InterestingCalls)
    assert data is not None
    return data


def test_grave_content_stands_before_a_graver_name_and_what_adds_to_logs_behind() -> None:
    objects = [{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}]
    anywhere = {"ipProtocol": "-1", "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}
    request = {"groupId": "sg-1", "ipPermissions": {"items": [anywhere]}}
    api = {"eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress"}
    opened = ago(3, **api, readOnly=False, requestParameters=request)
    made = ago(4, **IAM, eventName="CreateUser", requestParameters={"userName": "eve"})
    data = calls_of(at(NOON), selectors(dataResources=objects), made, opened, *every_day())
    assert [row.event_name for row in data.calls] == [
        "AuthorizeSecurityGroupIngress", "CreateUser", "PutEventSelectors",
    ]  # fmt: skip


def test_what_was_too_much_to_read_is_counted() -> None:
    few = [an_inline_policy(10 + n / 100, NARROW) for n in range(3)]
    assert calls_of(at(NOON), *few, *every_day()).content_unread == 0
    many = [an_inline_policy(10 + n / 100, NARROW) for n in range(2_010)]
    assert calls_of(at(NOON), *many, *every_day()).content_unread == 2_007


def test_names_accuse_nobody_of_adding_to_logs() -> None:
    for name in ("StartLogging", "CreateTrail"):
        assert high_signal("cloudtrail.amazonaws.com", name) is None
    either = high_signal("cloudtrail.amazonaws.com", "PutEventSelectors")
    assert either is not None
    assert "widen" in either.why
    deleted = high_signal("secretsmanager.amazonaws.com", "DeleteSecret")
    assert deleted is not None
    assert deleted.kind == "impact"
