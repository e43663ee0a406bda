"""The order of a break-in, told only where it is in the events."""

from __future__ import annotations

from typing import Any

import pytest

from alerts import parse_alerts
from enrich.after.course import find_course
from enrich.data.after import Course
from enrich.gaps import fill_gaps
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
        "Looked around from 2026-03-10 11:02:00 (3 calls that only looked), CreateAccessKey denied"
        " 3 times until 11:09:30, PutUserPolicy 11:10:00 on itself, then CreateAccessKey 11:12:00,"
        " which had been denied."
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


def test_what_was_not_denied_before_is_told_as_no_more_than_an_order() -> None:
    done = call("11:12:00", "CreateLoginProfile", "iam")
    found = course(*LOOKS, *DENIALS, CHANGE, done, alert=done)
    assert found.sentence == (
        "Looked around from 2026-03-10 11:02:00 (3 calls that only looked), denied 3 times until"
        " 11:09:30 (CreateAccessKey), PutUserPolicy 11:10:00 on itself, then CreateLoginProfile"
        " 11:12:00, which was not tried before in the time looked at. That the change allowed it is"
        " in no event."
    )
    # Of another's permissions, or of what was made before, that order says nothing.
    for_bob = CHANGE | {"requestParameters": {"userName": "bob"}}
    assert course(*LOOKS, *DENIALS, for_bob, done, alert=done).status == "nothing"
    early = call("11:01:00", "CreateLoginProfile", "iam")
    assert course(early, *LOOKS, *DENIALS, CHANGE, done, alert=done).status == "nothing"


def role(name: str) -> dict[str, Any]:
    return {"requestParameters": {"roleArn": f"arn:aws:iam::111122223333:role/x/{name}"}}


REFUSED = [denied(f"11:0{minute}:30", "AssumeRole", "sts", **role("vault")) for minute in (5, 9)]
ASSUMED = call("11:12:00", "AssumeRole", "sts", **role("vault"))


def trust(time: str, name: str, **changes: Any) -> dict[str, Any]:
    request = {"requestParameters": {"roleName": name}}
    return call(time, "UpdateAssumeRolePolicy", "iam", **request, **changes)


def test_a_change_of_the_role_that_was_denied_is_told_with_that_role_s_denials_alone() -> None:
    others = [denied("11:05:40", "AssumeRole", "sts", **role("other"))]
    late = call("11:07:00", "DescribeVpcs")
    found = course(*LOOKS, *REFUSED, *others, late, trust("11:10:00", "Vault"), alert=ASSUMED)
    assert found.sentence == (
        "Looked around from 2026-03-10 11:02:00 (3 calls that only looked), AssumeRole (role vault)"
        " denied 2 times until 11:09:30, UpdateAssumeRolePolicy 11:10:00 on role Vault, then"
        " AssumeRole 11:12:00, which had been denied."
    )


@pytest.mark.parametrize(
    "changed",
    [
        trust("11:10:00", "other"),
        # The role of that name in another account is another role.
        trust("11:10:00", "vault", recipientAccountId="444455556666"),
    ],
    ids=["another role", "another account's"],
)
def test_a_change_of_another_role_hangs_together_with_nothing(changed: dict[str, Any]) -> None:
    assert course(*LOOKS, *REFUSED, changed, alert=ASSUMED).status == "nothing"


def test_a_denial_without_a_request_is_of_what_its_message_names() -> None:
    """As STS and IAM write them."""

    def said(name: str) -> str:
        message = (
            "User: arn:aws:iam::111122223333:user/alice is not authorized to perform:"
            f" sts:AssumeRole on resource: arn:aws:iam::111122223333:role/x/{name}"
        )
        refused = [{**one, "requestParameters": None, "errorMessage": message} for one in REFUSED]
        return course(*LOOKS, *refused, trust("11:10:00", "vault"), alert=ASSUMED).sentence

    assert "AssumeRole (role vault) denied 2 times until 11:09:30, UpdateAssume" in said("vault")
    assert said("other").startswith("No order of")
    for_itself = "not authorized to perform: iam:CreateAccessKey on resource: user alice"
    own = [{**one, "errorMessage": for_itself} for one in DENIALS]
    assert "CreateAccessKey denied 3 times" in course(*LOOKS, *own, CHANGE, DONE).sentence


def test_another_target_s_success_is_not_what_was_denied() -> None:
    done = ASSUMED | role("other")
    assert course(*LOOKS, *REFUSED, trust("11:10:00", "vault"), alert=done).status == "nothing"


@pytest.mark.parametrize("time", ["11:09:30", "11:09:50", "11:10:00"])
def test_what_succeeded_before_the_change_had_not_waited_for_it(time: str) -> None:
    already = ASSUMED | {"eventTime": f"2026-03-10T{time}Z", "eventID": "before"}
    records = (*LOOKS, *REFUSED, already, trust("11:10:00", "vault"))
    assert course(*records, alert=ASSUMED).status == "nothing"


def test_a_denial_after_the_change_is_told_and_a_change_after_that_is_the_one() -> None:
    more = denied("11:11:00", "AssumeRole", "sts", **role("vault"))
    first = trust("11:10:00", "vault")
    said = course(*LOOKS, *REFUSED, first, more, alert=ASSUMED).sentence
    assert "UpdateAssumeRolePolicy 11:10:00 on role vault, denied once more, then" in said
    second = trust("11:11:30", "vault")
    said = course(*LOOKS, *REFUSED, first, more, second, alert=ASSUMED).sentence
    assert "denied 3 times until 11:11:00, UpdateAssumeRolePolicy 11:11:30 on role vault, " in said


def test_looking_between_the_denials_is_not_looking_before_them() -> None:
    between = [{**one, "eventTime": "2026-03-10T11:07:00Z"} for one in LOOKS]
    assert course(*between, *DENIALS, CHANGE, DONE).status == "nothing"


@pytest.mark.parametrize(
    ("request_parameters", "told"),
    [({"userName": "bob"}, False), ({"userName": "ALICE"}, True), (None, False)],
)
def test_on_whom_permissions_were_changed(request_parameters: Any, told: bool) -> None:
    change = CHANGE | {"requestParameters": request_parameters}
    found = course(*LOOKS, *DENIALS, change, DONE)
    assert ("PutUserPolicy 11:10:00 on itself, then" in found.sentence) is told
    assert (found.status == "answered") is told


def test_a_role_s_own_role_is_itself() -> None:
    who = {"userIdentity": a_role_session()}
    change = call("11:10:00", "PutRolePolicy", "iam", requestParameters={"roleName": "reader"})
    records = [{**one, **who} for one in (*LOOKS, *DENIALS, change, DONE)]
    assert "PutRolePolicy 11:10:00 on itself" in course(*records, alert=records[-1]).sentence


def test_others_steps_are_not_its_own() -> None:
    others = [{**one, "userIdentity": a_role_session()} for one in DENIALS]
    assert course(*LOOKS, *others, CHANGE, DONE).status == "nothing"


def test_hostile_names_are_cut() -> None:
    name = {"requestParameters": {"userName": "<b>\n" + "x" * 300}}
    records = [one | name for one in (*DENIALS, CHANGE, DONE)]
    said = course(*LOOKS, *records, alert=records[-1]).sentence
    assert "on user <b>" in said
    assert "\n" not in said
    assert len(said) < 500


def test_real_roles_that_have_nothing_to_do_with_one_another_are_no_order(
    stratus_store: Any,
) -> None:
    """AssumeRole of three roles, of which each was denied until its own trust had spread."""
    (pasted,) = parse_alerts("8c282c0b-00d1-4369-95b7-cb50b6eee620")
    alert = fill_gaps(pasted, stratus_store)
    found = find_course(alert, alert.principals[0], stratus_store)[0]
    assert (found.status, found.stages) == ("nothing", ())
