"""What the logs cannot show: kinds of events by account and Region, since when, and where it is
said."""

from __future__ import annotations

from typing import Any

from enrich import ask_all
from enrich.answer import Answer
from enrich.data.unseen import Unseen
from enrich.unseen.kinds import find_unseen
from tests.an_alert import an_alert
from tests.an_event import ACCOUNT, a_user, an_event
from tests.memory_store import MemoryStore

ALERT = an_event(eventTime="2026-03-10T12:00:00Z", eventName="RunInstances", readOnly=False)


def at(time: str, **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=f"{time}Z", **changes)


def an_object_read(time: str, **changes: Any) -> dict[str, Any]:
    fields = {"eventSource": "s3.amazonaws.com", "eventName": "GetObject", "eventCategory": "Data",
              "managementEvent": False, "userIdentity": a_user("carol")}  # fmt: skip
    return at(time, **{**fields, **changes})


LOGS = [at(f"2026-03-{day:02}T0{hour}:00:00") for day in range(1, 11) for hour in (1, 9)]
BUCKETS = at("2026-03-09T10:00:00", eventSource="s3.amazonaws.com", eventName="ListBuckets")


def kinds(*records: dict[str, Any], account: str = ACCOUNT) -> Unseen:
    return find_unseen(account, MemoryStore(records))[0]


def told(*records: dict[str, Any]) -> dict[str, Answer]:
    alert = an_alert(ALERT)
    store = MemoryStore([ALERT, *LOGS, *records])
    return {one.name: one for one in ask_all(alert, alert.principals[0], store)}


def about_objects(answer: Answer) -> list[str]:
    return [one for one in answer.caveats if "S3 object" in one]


def test_the_first_of_each_kind_is_told_by_region() -> None:
    found = kinds(
        *LOGS,
        an_object_read("2026-03-05T03:00:00"),
        an_object_read("2026-03-04T03:00:00"),
        an_object_read("2026-03-07T03:00:00", awsRegion="us-east-1"),
        at("2026-03-06T03:00:00", eventSource="lambda.amazonaws.com", eventName="Invoke",
           eventCategory="Data"),
        at("2026-03-08T03:00:00", eventCategory="NetworkActivity", eventType="AwsVpceEvent"),
    )  # fmt: skip
    assert [(one.words, one.aws_region, one.first) for one in found.kinds] == [
        ("management event", "eu-west-1", "2026-03-01T01:00:00Z"),
        ("S3 object event", "eu-west-1", "2026-03-04T03:00:00Z"),
        ("S3 object event", "us-east-1", "2026-03-07T03:00:00Z"),
        ("Lambda invocation event", "eu-west-1", "2026-03-06T03:00:00Z"),
        ("network activity event", "eu-west-1", "2026-03-08T03:00:00Z"),
    ]


def test_what_is_nowhere_is_said_once() -> None:
    found = kinds(*LOGS)
    assert found.lines == (
        "The first management event indexed: eu-west-1 2026-03-01 01:00 UTC. Nothing of that kind"
        " before is in these logs.",
        "No S3 object events are indexed: reads, writes and deletes of objects cannot be seen.",
        "No Lambda invocation events are indexed: invocations of functions cannot be seen.",
        "No network activity events are indexed: calls that a VPC endpoint refused cannot be seen.",
    )


def test_another_account_s_events_are_not_this_one_s() -> None:
    other = "444455556666"
    foreign = an_object_read(
        "2026-03-04T03:00:00", recipientAccountId=other, userIdentity=a_user("zoe", other)
    )
    assert [one.first for one in kinds(*LOGS, foreign).kinds if one.event_source][0] is None
    assert kinds(*LOGS, account=other).status == "not_covered"


def test_a_call_of_a_new_name_counts_by_its_category() -> None:
    """S3 may get calls that nobody here knows: the record says itself that it is a data event."""
    new = an_object_read("2026-03-02T03:00:00", eventName="FrobObject")
    found = kinds(*LOGS, new, an_object_read("2026-03-05T03:00:00"))
    assert [one.first for one in found.kinds if one.event_source == "s3.amazonaws.com"] == [
        "2026-03-02T03:00:00Z"
    ]


def test_a_record_that_does_not_say_its_category_counts_by_its_name() -> None:
    old = an_object_read("2026-03-04T03:00:00", eventCategory=None, managementEvent=None)
    found = kinds(*LOGS, old)
    assert [one.first for one in found.kinds if one.event_source == "s3.amazonaws.com"] == [
        "2026-03-04T03:00:00Z"
    ]


def test_answers_say_that_object_events_begin_within_their_window() -> None:
    answers = told(an_object_read("2026-03-07T03:00:00"))
    said = (
        f"The first S3 object event of account {ACCOUNT} indexed is in eu-west-1 of"
        " 2026-03-07 03:00 UTC: reads, writes and deletes of objects before then are not in these"
        " logs."
    )
    for name in ("services_used", "interesting_calls", "baseline"):
        assert about_objects(answers[name]) == [said], name
    assert about_objects(answers["assumed_by"]) == about_objects(answers["roles_assumed"]) == []


def test_object_events_that_were_there_before_are_not_news() -> None:
    answers = told(BUCKETS, an_object_read("2026-03-01T02:00:00"))
    assert about_objects(answers["services_used"]) == []
    # To the fourteen days of the baseline the logs themselves begin late: an hour after them.
    assert about_objects(answers["baseline"]) == [
        f"The first S3 object event of account {ACCOUNT} indexed is in eu-west-1 of"
        " 2026-03-01 02:00 UTC: reads, writes and deletes of objects before then are not in these"
        " logs."
    ]


def test_that_there_are_none_is_said_to_whoever_called_s3() -> None:
    said = (
        f"No S3 object events of account {ACCOUNT} are indexed: reads, writes and deletes of"
        " objects cannot be seen."
    )
    assert about_objects(told(BUCKETS)["interesting_calls"]) == [said]
    assert about_objects(told()["interesting_calls"]) == []
    other = {**BUCKETS, "userIdentity": a_user("carol"), "eventID": "another"}
    assert about_objects(told(other)["interesting_calls"]) == []


def test_what_is_said_shows_how_it_was_looked_up() -> None:
    queries = [query.text for query in told(BUCKETS)["services_used"].queries]
    assert any("event_category = 'Data'" in text for text in queries)


def test_real_logs_without_data_events_say_so(stratus_store: Any) -> None:
    found, _ = find_unseen("123837392027", stratus_store)
    assert "No S3 object events are indexed" in " ".join(found.lines)
    (management,) = [one for one in found.kinds if one.kind == "management"]
    assert (management.aws_region, management.first) == (
        "us-east-1", stratus_store.summary().first.isoformat().replace("+00:00", "Z")
    )  # fmt: skip


def test_real_logs_of_before_categories_have_their_object_events(ec2_store: Any) -> None:
    """The run of 2020: its trail had object events, and its records do not say their category."""
    account = ec2_store.summary().accounts[0]
    found, _ = find_unseen(account, ec2_store)
    rows = ec2_store.query(
        "select min(event_time) as first from events where event_source = 's3.amazonaws.com'"
        " and event_name in ('GetObject', 'ListObjects', 'HeadBucket', 'PutObject', 'HeadObject')"
        " and event_time >= $a and event_time <= $b",
        {"a": ec2_store.summary().first, "b": ec2_store.summary().last},
        first=ec2_store.summary().first,
        last=ec2_store.summary().last,
    ).rows
    firsts = [one.first for one in found.kinds if one.event_source == "s3.amazonaws.com"]
    assert firsts == [rows[0]["first"].isoformat().replace("+00:00", "Z")]
