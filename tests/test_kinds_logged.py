"""What "nothing" may claim of logs that have no events of the kind or place that was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import parse_alerts
from enrich import ask_all
from enrich.answer import Answer
from enrich.gaps import fill_gaps
from tests.an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from tests.answered import as_written
from tests.memory_store import MemoryStore

QUESTIONS = ("roles_assumed", "services_used", "interesting_calls", "baseline")
WHO = f"arn:aws:iam::{ACCOUNT}:user/alice at 2026-03-20 12:00:00 UTC"
DATA = {"eventCategory": "Data", "managementEvent": False}
NETWORK = {"eventCategory": "NetworkActivity", "eventType": "AwsVpceEvent"}


def asked(alert: str | dict[str, Any], records: list[dict[str, Any]]) -> dict[str, Answer]:
    (one,) = parse_alerts(alert if isinstance(alert, str) else json.dumps(alert))
    store = MemoryStore(records)
    filled = fill_gaps(one, store)
    answers = ask_all(filled, filled.principals[0], store)
    return {answer.name: as_written(answer) for answer in answers}


def logs(
    *regions: str, without: tuple[str, str] = ("2026-01-01", "2026-01-01"), **changes: Any
) -> Iterator[dict[str, Any]]:
    """Events of bob every 6 hours from 18 days before the alert to 2 days after it; of us-east-1
    none between the two moments."""
    begin, end = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in without)
    for number in range(20 * 4):
        at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=6) * number
        for region in regions:
            if region != "us-east-1" or not begin < at < end:
                yield an_event(
                    eventTime=f"{at:%Y-%m-%dT%H:%M:%SZ}",
                    awsRegion=region,
                    userIdentity=a_user("bob"),
                    **changes,
                )


BOTH = ("us-east-1", "eu-west-1")


def test_whole_logs_still_tell_that_there_is_nothing() -> None:
    answers = asked(WHO, list(logs(*BOTH)))
    for name in QUESTIONS:
        assert (answers[name].status, answers[name].caveats) == ("nothing", ()), name
    # The Region of IAM alone is the account's only one, or its busiest.
    answers = asked(WHO, list(logs("us-east-1")))
    assert {answers[name].status for name in QUESTIONS} == {"nothing"}


@pytest.mark.parametrize("kind", [DATA, NETWORK])
def test_logs_without_management_events_tell_of_no_role_and_no_call(kind: dict[str, Any]) -> None:
    answers = asked(WHO, list(logs(*BOTH, **kind)))
    roles = answers["roles_assumed"]
    assert roles.status == "not_covered"
    assert roles.data["total"] is None
    assert roles.sentence == (
        f"The logs of account {ACCOUNT} have no management events, which an AssumeRole is one of:"
        " whether it assumed roles is unknown."
    )
    for name in QUESTIONS[1:]:
        assert answers[name].status == "partial", name
        assert "(the logs have no management events)" in answers[name].sentence
        assert f"The logs of account {ACCOUNT} have no management events." in answers[name].caveats


def test_reads_of_objects_do_not_show_that_nothing_was_written() -> None:
    get = an_event(
        eventTime="2026-03-20T11:00:00Z", eventSource="s3.amazonaws.com", eventName="GetObject",
        **DATA,
    )  # fmt: skip
    answer = asked(WHO, [*logs(*BOTH, **DATA), get])["interesting_calls"]
    assert answer.status == "partial"
    assert answer.sentence == (
        "Only reads in the indexed part of the 7 days to the alert (the logs have no management"
        " events), among them 1 sensitive read (GetObject 1)."
    )


def test_logs_without_us_east_1_lack_iam_and_the_global_endpoint() -> None:
    answers = asked(WHO, list(logs("eu-west-1")))
    for name in QUESTIONS:
        assert answers[name].status == "partial", name
        assert "(the logs have nothing of us-east-1)" in answers[name].sentence
    # Those of another partition have their global services elsewhere.
    answers = asked(
        WHO.replace("arn:aws:", "arn:aws-cn:"), list(logs("cn-north-1", "cn-northwest-1"))
    )
    assert {answers[name].status for name in QUESTIONS} == {"nothing"}


def test_a_day_without_us_east_1_is_told() -> None:
    """Its last event before the pause is of 18:00, the first after it of 18:00 the day after."""
    pause = ("2026-03-18T18:00:00", "2026-03-19T18:00:00")
    answers = asked(WHO, list(logs(*BOTH, without=pause)))
    for name in QUESTIONS:
        assert answers[name].status == "partial", name
        assert (
            "the logs have nothing of us-east-1 from 2026-03-18 18:00 to 2026-03-19 18:00 UTC"
        ) in answers[name].sentence
    # The same pause in the week before: us-east-1 is as silent as it is at times.
    usual = [
        one
        for one in logs(*BOTH, without=pause)
        if one["awsRegion"] != "us-east-1"
        or not "2026-03-11T18:00:00Z" < one["eventTime"] < "2026-03-12T18:00:00Z"
    ]
    assert {asked(WHO, usual)[name].status for name in QUESTIONS} == {"nothing"}
    shorter = ("2026-03-18T18:00:00", "2026-03-19T12:00:00")
    answers = asked(WHO, list(logs(*BOTH, without=shorter)))
    assert {answers[name].status for name in QUESTIONS} == {"nothing"}


def test_a_trail_that_leaves_out_the_reads_does_not_cover_an_assumption() -> None:
    writes = list(logs(*BOTH, readOnly=False, eventName="RunInstances"))
    use = an_event(
        eventTime="2026-03-20T12:00:00Z",
        eventName="RunInstances",
        readOnly=False,
        userIdentity=a_role_session("reader", created="2026-03-20T11:50:00Z"),
    )
    answers = asked(use, [*writes, use])
    assert answers["assumed_by"].status == "partial"
    assert (
        f"the logs of account {ACCOUNT} have no read events, which an AssumeRole is one of"
    ) in answers["assumed_by"].sentence
    assert answers["roles_assumed"].status == "not_covered"
    assert "have no read events" in answers["roles_assumed"].sentence
    # One read in that week, and both are told as before.
    read = an_event(eventTime="2026-03-17T12:00:00Z", userIdentity=a_user("bob"))
    answers = asked(use, [*writes, read, use])
    assert answers["assumed_by"].status == "nothing"
    assert answers["roles_assumed"].status == "nothing"


def test_what_was_found_is_an_answer_whatever_the_logs_lack() -> None:
    made = an_assumption(eventTime="2026-03-20T11:00:00Z")
    answers = asked(WHO, [*logs("eu-west-1", readOnly=False), made])
    assert answers["roles_assumed"].status == "answered"
    assert answers["services_used"].status == "answered"


def test_the_baseline_says_that_the_last_hours_are_left_out() -> None:
    """Two calls of alice 3 and 2 hours before the alert are none of its baseline."""
    late = [an_event(eventTime=f"2026-03-20T{hour}:00:00Z") for hour in ("09", "10")]
    answer = asked(WHO, [*logs(*BOTH), *late])["baseline"]
    assert answer.status == "nothing"
    assert answer.sentence == (
        "No calls by this identity in the 14 days before the alert, the last 12 hours left out:"
        " nothing to compare with."
    )
