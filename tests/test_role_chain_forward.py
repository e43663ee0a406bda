"""What a session went on to assume: the tree of sessions, with the activity of each."""

from __future__ import annotations

import pytest

from tests.an_alert import who_assumed
from tests.an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event

ROOT_KEY = "ASIAROOTSESSION00001"
ROOT = a_role_session("hub", "start", key=ROOT_KEY, created="2026-03-10T11:00:00Z")
USE = an_event(userIdentity=ROOT)


def a_child(role: str, session: str, key: str, by: dict, at: str = "2026-03-10T11:10:00Z"):
    return an_assumption(role, session, key=key, userIdentity=by, eventTime=at)


def calls(count: int, identity: dict, at: str = "2026-03-10T11:20:00Z", **changes):
    return [an_event(userIdentity=identity, eventTime=at, **changes) for _ in range(count)]


def forward(records, use=USE):
    return who_assumed(use, [use, *records]).data["forward"]


def test_the_tree_has_every_session_with_its_own_activity():
    one = a_role_session("one", "a", key="ASIAONE0Q0Q0Q0Q0Q0Q1", created="2026-03-10T11:10:00Z")
    two = a_role_session("two", "b", key="ASIATWO0Q0Q0Q0Q0Q0Q1", created="2026-03-10T11:15:00Z")
    records = [
        a_child("one", "a", "ASIAONE0Q0Q0Q0Q0Q0Q1", ROOT),
        a_child("two", "b", "ASIATWO0Q0Q0Q0Q0Q0Q1", one, "2026-03-10T11:15:00Z"),
        a_child("three", "c", "ASIATHREE0Q0Q0Q0Q0Q1", ROOT, "2026-03-10T11:30:00Z"),
        *calls(3, one),
        *calls(5, two, sourceIPAddress="203.0.113.3"),
        *calls(2, two, errorCode="AccessDenied"),
    ]

    tree = forward(records)

    assert tree["total"] == 3
    assert tree["cut"] is False
    # Its own: the alert's call and the two assumptions.
    assert (tree["access_key_id"], tree["events"]) == (ROOT_KEY, 3)
    first, third = tree["sessions"]
    assert first["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/one"
    assert (first["event_id"], first["session_name"]) == (records[0]["eventID"], "a")
    assert (first["events"], first["failed"]) == (4, 0)  # three calls and the next assumption
    (second,) = first["sessions"]
    assert (second["access_key_id"], second["events"]) == ("ASIATWO0Q0Q0Q0Q0Q0Q1", 7)
    assert second["failed"] == 2
    assert second["source_ip_addresses"] == ["198.51.100.7", "203.0.113.3"]
    assert (third["events"], third["sessions"]) == (0, [])


def test_people_filed_under_their_accounts_id_have_their_own_activity():
    """Identity Center did so with everyone before the summer of 2025."""
    ann, ben = (
        {
            "type": "Unknown",
            "principalId": ACCOUNT,
            "accountId": ACCOUNT,
            "userName": name,
            "onBehalfOf": {"userId": f"90677f4b-1111-7000-8000-{name}"},
        }
        for name in ("ann", "ben")
    )
    use, more, others = calls(1, ann), calls(3, ann), calls(5, ben)
    assert forward([*more, *others], use[0])["events"] == 4


def test_more_strange_keys_than_are_looked_up_are_said():
    """Sessions of one name and second are told apart by their keys, if those are looked up."""
    alike = [
        an_event(userIdentity={**ROOT, "accessKeyId": f"ASIASTRANGE{number:09}"})
        for number in range(502)
    ]
    for count, said in ((500, False), (502, True)):
        answer = who_assumed(USE, [USE, *alike[:count]])
        assert answer.data["forward"]["unchecked_keys"] == count - 500
        assert any("2 further access keys" in text for text in answer.caveats) is said


def test_sessions_of_others_of_the_same_role_are_not_in_the_tree():
    stranger = a_role_session("hub", "other", key="ASIASTRANGER0Q0Q0Q01")
    assert forward([a_child("one", "a", "ASIAONE0Q0Q0Q0Q0Q0Q1", stranger)])["total"] == 0


def test_the_twin_of_the_same_second_has_its_own_activity():
    twin_key = "ASIATWIN0Q0Q0Q0Q0Q01"
    twin = {**ROOT, "accessKeyId": twin_key}
    mints = [
        an_assumption("hub", "start", key=ROOT_KEY, eventTime="2026-03-10T11:00:00Z"),
        an_assumption("hub", "start", key=twin_key, eventTime="2026-03-10T11:00:00Z"),
    ]
    assert forward([*mints, *calls(9, twin)])["events"] == 1


def test_a_console_session_is_counted_over_all_its_changing_keys():
    use = an_event(userIdentity={**ROOT, "accessKeyId": "ASIACONSOLE0Q0Q0Q0Q1"})
    records = [
        an_event(userIdentity={**ROOT, "accessKeyId": f"ASIACONSOLE0Q0Q0Q01{n}"}) for n in range(4)
    ]
    mint = an_assumption(
        "hub", "start", key="ASIANEVERUSED0000001", eventTime="2026-03-10T11:00:00Z"
    )
    assert forward([*records, mint], use)["events"] == 5


def test_new_access_keys_and_session_tokens_are_branches_too():
    new_key = an_event(
        eventTime="2026-03-10T11:05:00Z",
        eventSource="iam.amazonaws.com",
        eventName="CreateAccessKey",
        userIdentity=ROOT,
        responseElements={
            "accessKey": {"accessKeyId": a_user("backdoor")["accessKeyId"], "userName": "backdoor"}
        },
    )
    later = a_child("vault", "z", "ASIAVAULT0Q0Q0Q0Q0Q1", a_user("backdoor"))

    tree = forward([new_key, later, *calls(2, a_user("backdoor"))])

    (branch,) = tree["sessions"]
    assert (branch["event_name"], branch["events"]) == ("CreateAccessKey", 3)
    assert branch["user_name"] == "backdoor"
    assert branch["sessions"][0]["session_name"] == "z"


def test_a_long_term_keys_tree_covers_the_week_before():
    use = an_event()
    inside = a_child("one", "a", "ASIAONE0Q0Q0Q0Q0Q0Q1", a_user(), "2026-03-04T11:00:00Z")
    outside = a_child("two", "b", "ASIATWO0Q0Q0Q0Q0Q0Q1", a_user(), "2026-03-01T11:00:00Z")
    answer = who_assumed(use, [use, inside, outside])
    assert answer.status == "not_applicable"
    assert [node["session_name"] for node in answer.data["forward"]["sessions"]] == ["a"]


def test_both_copies_of_a_cross_account_call_are_one_branch():
    shared = {"sharedEventID": "0e9c7a1b-2d3e-4f50-9a6b-7c8d9e0f1a2b"}
    callers = a_child("spoke", "a", "ASIASPOKE0Q0Q0Q0Q0Q1", ROOT) | shared
    owners = a_child(
        "spoke",
        "a",
        "ASIASPOKE0Q0Q0Q0Q0Q1",
        {"type": "AWSAccount", "principalId": ROOT["principalId"], "accountId": ACCOUNT},
    ) | {**shared, "recipientAccountId": "444455556666"}

    tree = forward([owners, callers])

    assert [node["event_id"] for node in tree["sessions"]] == [callers["eventID"]]


@pytest.mark.parametrize(("children", "total", "cut"), [(60, 60, False), (61, 60, True)])
def test_sixty_sessions_are_shown_and_more_are_said_to_be_cut(children, total, cut):
    records = [
        a_child(f"r{n}", "a", f"ASIAMANY0Q0Q0Q0Q0Q{n:02}", ROOT, f"2026-03-10T11:{n % 60:02}:30Z")
        for n in range(children)
    ]
    answer = who_assumed(USE, [USE, *records])

    assert answer.data["forward"]["total"] == total
    assert answer.data["forward"]["cut"] is cut
    assert any("cut at 60" in text for text in answer.caveats) is cut


def test_sessions_that_renew_each_other_end():
    one = a_role_session("hub", "start", key="ASIALOOP0Q0Q0Q0Q0Q01", created="2026-03-10T11:10:00Z")
    records = [
        a_child("hub", "start", "ASIALOOP0Q0Q0Q0Q0Q01", ROOT),
        a_child("hub", "start", ROOT_KEY, one, "2026-03-10T11:20:00Z"),
    ]
    answer = who_assumed(USE, [USE, *records])
    assert answer.data["forward"]["total"] == 1
    assert answer.data["forward"]["renewals"] == 1
    assert any("juggling" in text for text in answer.caveats)
