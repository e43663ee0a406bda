"""The order of a break-in, told only where it is in the events."""

from __future__ import annotations

from typing import Any

import pytest

from enrich.after.course import find_course
from enrich.data.after import Course
from tests.an_alert import an_alert
from tests.an_event import a_role_session, an_event
from tests.memory_store import MemoryStore


def call(time: str, name: str, source: str = "ec2", **changes: Any) -> dict[str, Any]:
    return an_event(
        eventTime=f"2026-03-10T{time}Z", eventName=name, eventSource=f"{source}.amazonaws.com",
        readOnly=name.startswith(("List", "Describe", "Get")), **changes,
    )  # fmt: skip


def denied(time: str, name: str, source: str = "iam", **changes: Any) -> dict[str, Any]:
    return call(time, name, source, errorCode="AccessDenied", errorMessage="denied", **changes)


LOOKS = [call(f"11:0{minute}:00", "DescribeInstances") for minute in (2, 3, 4)]
DENIALS = [denied(f"11:0{minute}:30", "CreateAccessKey") for minute in (5, 6, 9)]
CHANGE = call("11:10:00", "PutUserPolicy", "iam", requestParameters={"userName": "alice"})
DONE = call("11:12:00", "CreateAccessKey", "iam")
WHOLE = [*LOOKS, *DENIALS, CHANGE, DONE]


def course(*records: dict[str, Any], alert: dict[str, Any] = DONE) -> Course:
    asked = an_alert(alert)
    store = MemoryStore([*records, alert])
    return find_course(asked, asked.principals[0], store)[0]


def test_the_order_is_told_in_a_line_with_each_step_s_events() -> None:
    found = course(*WHOLE)
    assert found.status == "answered"
    assert found.sentence == (
        "Looked around from 2026-03-10 11:02:00 (3 calls that only looked), denied 3 times until"
        " 11:09:30, PutUserPolicy 11:10:00 on itself, then CreateAccessKey 11:12:00, which had been"
        " denied."
    )
    assert [(one.kind, one.count) for one in found.stages] == [
        ("looked around", 3), ("denied", 3), ("escalated", 1), ("succeeded", 1),
    ]  # fmt: skip
    assert [one.event_ids for one in found.stages] == [
        tuple(one["eventID"] for one in LOOKS),
        tuple(one["eventID"] for one in DENIALS),
        (CHANGE["eventID"],),
        (DONE["eventID"],),
    ]


@pytest.mark.parametrize("missing", [LOOKS, DENIALS, [CHANGE], [DONE]])
def test_without_one_of_the_steps_nothing_is_told(missing: list[dict[str, Any]]) -> None:
    left = [one for one in WHOLE if one not in missing]
    found = course(*left, alert=call("11:11:00", "DescribeVpcs"))
    assert (found.status, found.stages) == ("nothing", ())


def test_another_order_is_no_such_order() -> None:
    late = [{**one, "eventTime": "2026-03-10T11:11:00Z"} for one in DENIALS]
    assert course(*LOOKS, *late, CHANGE, DONE).status == "nothing"
    looks = [{**one, "eventTime": "2026-03-10T11:09:45Z"} for one in LOOKS]
    assert course(*looks, *DENIALS, CHANGE, DONE).status == "nothing"


def test_a_change_that_was_denied_is_none() -> None:
    change = CHANGE | {"errorCode": "AccessDenied", "errorMessage": "denied"}
    assert course(*LOOKS, *DENIALS, change, DONE).status == "nothing"


def test_of_one_second_there_is_no_order() -> None:
    done = DONE | {"eventTime": CHANGE["eventTime"]}
    assert course(*LOOKS, *DENIALS, CHANGE, done, alert=done).status == "nothing"


def test_a_pause_begins_another_stretch() -> None:
    early = [{**one, "eventTime": "2026-03-10T08:00:00Z"} for one in LOOKS]
    assert course(*early, *DENIALS, CHANGE, DONE).status == "nothing"


def test_what_was_not_denied_before_is_not_said_to_have_been() -> None:
    done = call("11:12:00", "CreateLoginProfile", "iam")
    found = course(*LOOKS, *DENIALS, CHANGE, done, alert=done)
    assert found.sentence.endswith("on itself, then CreateLoginProfile 11:12:00.")


@pytest.mark.parametrize(
    ("request_parameters", "on"),
    [
        ({"userName": "bob"}, "on user bob"),
        ({"userName": "ALICE"}, "on itself"),
        (None, "on what the record does not name"),
    ],
)
def test_on_whom_permissions_were_changed(request_parameters: Any, on: str) -> None:
    change = CHANGE | {"requestParameters": request_parameters}
    assert f"PutUserPolicy 11:10:00 {on}, then" in course(*LOOKS, *DENIALS, change, DONE).sentence


def test_a_role_s_own_role_is_itself() -> None:
    who = {"userIdentity": a_role_session()}
    change = call("11:10:00", "PutRolePolicy", "iam", requestParameters={"roleName": "reader"})
    records = [{**one, **who} for one in (*LOOKS, *DENIALS, change, DONE)]
    assert "PutRolePolicy 11:10:00 on itself" in course(*records, alert=records[-1]).sentence


def test_others_steps_are_not_its_own() -> None:
    others = [{**one, "userIdentity": a_role_session()} for one in DENIALS]
    assert course(*LOOKS, *others, CHANGE, DONE).status == "nothing"


def test_hostile_names_are_cut() -> None:
    change = CHANGE | {"requestParameters": {"userName": "<b>\n" + "x" * 300}}
    said = course(*LOOKS, *DENIALS, change, DONE).sentence
    assert "\n" not in said
    assert len(said) < 400
