"""What was made and undone: by whom, when, and what is never said to be gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from enrich import ask_all
from enrich.data.ledger import Ledger, LedgerEntry
from enrich.ledger.find import find_ledger
from enrich.ledger.words import became_words, made_words
from enrich.verdict.next_steps import Step, next_steps
from tests.an_alert import an_alert
from tests.an_event import ACCOUNT, a_key, a_role_session, a_user, an_assumption, an_event
from tests.memory_store import MemoryStore

KEY = "AKIAMADEBYALICE0QQQ1"
ALERT = an_event(eventTime="2026-03-10T12:00:00Z", awsRegion="us-east-1")
END = an_event(
    eventTime="2026-03-10T18:00:00Z", awsRegion="us-east-1", userIdentity=a_user("carol")
)
"""The last event of the logs."""


def iam(time: str, name: str, request: Any, response: Any = None, **changes: Any) -> dict[str, Any]:
    """A call to IAM by alice on the alert's day."""
    return an_event(
        eventTime=f"2026-03-10T{time}Z", eventSource="iam.amazonaws.com", eventName=name,
        awsRegion="us-east-1", readOnly=False, requestParameters=request,
        responseElements=response, **changes,
    )  # fmt: skip


def make_user(time: str = "12:01:00", **changes: Any) -> dict[str, Any]:
    return iam(time, "CreateUser", {"userName": "eve"}, {"user": {"userName": "eve"}}, **changes)


def make_key(time: str = "12:02:00", **changes: Any) -> dict[str, Any]:
    made = {"accessKey": {"accessKeyId": KEY, "userName": "eve", "status": "Active"}}
    return iam(time, "CreateAccessKey", {"userName": "eve"}, made, **changes)


def delete_user(time: str = "12:30:00", **changes: Any) -> dict[str, Any]:
    return iam(time, "DeleteUser", {"userName": "eve"}, **changes)


def ledger_of(*records: dict[str, Any], alert: dict[str, Any] = ALERT) -> Ledger:
    asked = an_alert(alert)
    store = MemoryStore([alert, END, *records])
    answers = ask_all(asked, asked.principals[0], store)
    ledger, queries = find_ledger(asked, asked.principals[0], answers, store)
    assert queries
    return ledger


def entry(ledger: Ledger, kind: str) -> LedgerEntry:
    (found,) = [one for one in ledger.entries if one.kind == kind]
    return found


def steps_of(*records: dict[str, Any], alert: dict[str, Any] = ALERT) -> list[Step]:
    asked = an_alert(alert)
    principal = asked.principals[0]
    store = MemoryStore([alert, END, *records])
    answers = ask_all(asked, principal, store)
    return next_steps(asked, principal, answers, find_ledger(asked, principal, answers, store)[0])


def test_what_was_made_and_deleted_is_gone_with_both_times() -> None:
    deletion = iam("12:28:24", "DeleteAccessKey", {"userName": "eve", "accessKeyId": KEY})
    making = make_key()
    key = entry(ledger_of(making, deletion), "access key")
    assert (key.name, key.made, key.event_ids) == (
        KEY, "2026-03-10T12:02:00Z", (making["eventID"],)
    )  # fmt: skip
    assert key.undone is not None
    assert key.is_gone
    assert key.undone.event_id == deletion["eventID"]
    assert became_words(key) == "deleted 2026-03-10 12:28:24"


def test_what_nobody_deleted_is_told_with_the_end_of_the_logs() -> None:
    user = entry(ledger_of(make_user()), "user")
    assert not user.is_gone
    assert became_words(user) == "no deletion in the logs until 2026-03-10 18:00:00"


def test_a_failed_deletion_undoes_nothing() -> None:
    denied = delete_user(errorCode="AccessDenied", errorMessage="denied")
    assert not entry(ledger_of(make_user(), denied), "user").is_gone


def test_deleting_a_user_takes_its_keys_and_password_along() -> None:
    password = iam("12:03:00", "CreateLoginProfile", {"userName": "eve"},
                   {"loginProfile": {"userName": "eve"}})  # fmt: skip
    ledger = ledger_of(make_user(), make_key(), password, delete_user())
    assert {one.kind for one in ledger.entries if one.is_gone} == {
        "user", "access key", "console password"
    }  # fmt: skip
    assert became_words(entry(ledger, "access key")) == "deleted 2026-03-10 12:30:00 with its user"


def test_a_user_that_was_made_again_is_there_and_its_old_key_is_not() -> None:
    again = make_user("13:00:00", userIdentity=a_user("bob"))
    ledger = ledger_of(make_user(), make_key(), delete_user(), again)
    user = entry(ledger, "user")
    assert not user.is_gone
    assert became_words(user) == "made again 2026-03-10 13:00:00 by user/bob"
    assert user.again_event_id == again["eventID"]
    assert entry(ledger, "access key").is_gone


def test_one_that_it_made_again_itself_is_there() -> None:
    user = entry(ledger_of(make_user(), delete_user(), make_user("13:00:00")), "user")
    assert not user.is_gone
    assert len(user.event_ids) == 2


def test_made_again_and_deleted_again_is_gone() -> None:
    ledger = ledger_of(
        make_user(), delete_user(), make_user("13:00:00", userIdentity=a_user("bob")),
        delete_user("14:00:00"),
    )  # fmt: skip
    assert became_words(entry(ledger, "user")) == "deleted 2026-03-10 14:00:00"


def test_who_else_deleted_it_is_said() -> None:
    ledger = ledger_of(make_user(), delete_user(userIdentity=a_user("bob")))
    user = entry(ledger, "user")
    assert became_words(user) == "deleted 2026-03-10 12:30:00, by user/bob"
    assert ledger.sentence == (
        "Made or changed: 1 thing of the kinds that are followed, 1 of them undone by 2026-03-10"
        " 12:30:00, by others."
    )


@pytest.mark.parametrize(
    "other",
    [
        {"requestParameters": {"userName": "eve2"}},
        {"recipientAccountId": "444455556666", "userIdentity": a_user("bob", "444455556666")},
        {"eventTime": "2026-03-10T11:59:00Z"},
        {"eventSource": "sso-directory.amazonaws.com"},
        {"eventName": "DeleteUserPolicy"},
    ],
    ids=["another name", "another account", "before it was made", "another service", "other call"],
)
def test_what_is_not_its_own_deletion_undoes_nothing(other: dict[str, Any]) -> None:
    assert not entry(ledger_of(make_user(), delete_user() | other), "user").is_gone


def test_iam_names_are_one_whatever_their_case() -> None:
    deletion = delete_user() | {"requestParameters": {"userName": "EVE"}}
    assert entry(ledger_of(make_user(), deletion), "user").is_gone


def test_of_one_second_no_order_is_told() -> None:
    user = entry(ledger_of(make_user("12:30:00"), delete_user("12:30:00")), "user")
    assert not user.is_gone
    assert became_words(user) == (
        "deleted in the same second, 2026-03-10 12:30:00: which came first is in no record"
    )
    # An id that AWS gave cannot have been deleted before it was made.
    deletion = iam("12:02:00", "DeleteAccessKey", {"accessKeyId": KEY})
    assert entry(ledger_of(make_key(), deletion), "access key").is_gone


def test_a_key_that_was_switched_off_is_gone_until_it_is_switched_on() -> None:
    def switched(time: str, status: str) -> dict[str, Any]:
        return iam(time, "UpdateAccessKey", {"accessKeyId": KEY, "status": status})

    off = switched("12:10:00", "Inactive")
    assert became_words(entry(ledger_of(make_key(), off), "access key")).startswith("switched off")
    on = switched("12:20:00", "Active")
    assert not entry(ledger_of(make_key(), off, on), "access key").is_gone
    assert entry(ledger_of(make_key(), on), "access key").undone is None


def ec2(time: str, name: str, request: Any, response: Any = None, **more: Any) -> dict[str, Any]:
    return an_event(
        eventTime=f"2026-03-10T{time}Z", eventName=name, readOnly=False,
        requestParameters=request, responseElements=response, **more,
    )  # fmt: skip


RULE = {"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "cidrIp": "0.0.0.0/0"}  # fmt: skip


def test_an_opened_port_is_closed_by_the_same_rule_alone() -> None:
    ids = [{"securityGroupRuleId": "sgr-1"}, {"securityGroupRuleId": "sgr-2"}]
    response = {"securityGroupRuleSet": {"items": ids}}
    opened = ec2("12:01:00", "AuthorizeSecurityGroupIngress", RULE, response)
    kind = "ingress rules of a security group"
    other = ec2("12:02:00", "RevokeSecurityGroupIngress", RULE | {"fromPort": 80, "toPort": 80})
    assert not entry(ledger_of(opened, other), kind).is_gone
    one = ec2("12:03:00", "RevokeSecurityGroupIngress",
              {"groupId": "sg-1", "securityGroupRuleIds": ["sgr-1"]})  # fmt: skip
    assert not entry(ledger_of(opened, one), kind).is_gone
    both = ec2("12:03:00", "RevokeSecurityGroupIngress",
               {"groupId": "sg-1", "securityGroupRuleIds": ["sgr-1", "sgr-2"]})  # fmt: skip
    assert entry(ledger_of(opened, both), kind).is_gone
    same = ec2("12:03:00", "RevokeSecurityGroupIngress", RULE)
    assert entry(ledger_of(opened, same), kind).is_gone
    elsewhere = ec2("12:03:00", "RevokeSecurityGroupIngress", RULE, awsRegion="eu-west-3")
    assert not entry(ledger_of(opened, elsewhere), kind).is_gone


def test_each_account_that_a_snapshot_was_shared_with_is_a_share_of_its_own() -> None:
    def share(time: str, way: str, *users: str) -> dict[str, Any]:
        permission = {way: {"items": [{"userId": user} for user in users]}}
        request = {"snapshotId": "snap-1", "createVolumePermission": permission}
        return ec2(time, "ModifySnapshotAttribute", request)

    ledger = ledger_of(
        share("12:01:00", "add", "111111111111", "222222222222"),
        share("12:05:00", "remove", "111111111111"),
    )
    became = {one.name: one.is_gone for one in ledger.entries}
    assert became == {"snap-1 / 111111111111": True, "snap-1 / 222222222222": False}


def test_instances_of_one_launch_end_one_by_one() -> None:
    items = [{"instanceId": "i-1"}, {"instanceId": "i-2"}]
    launched = ec2("12:01:00", "RunInstances", {}, {"instancesSet": {"items": items}})
    ended = ec2("12:09:00", "TerminateInstances", {"instancesSet": {"items": items[:1]}})
    became = {one.name: became_words(one) for one in ledger_of(launched, ended).entries}
    assert became["i-1"] == "terminated 2026-03-10 12:09:00"
    assert became["i-2"].startswith("no deletion in the logs until")


def test_a_version_of_a_function_is_not_the_function() -> None:
    def function(time: str, name: str, **request: str) -> dict[str, Any]:
        return ec2(time, name, {"functionName": "f", **request},
                   eventSource="lambda.amazonaws.com")  # fmt: skip

    made = function("12:01:00", "CreateFunction20150331")
    version = function("12:02:00", "DeleteFunction20150331", qualifier="3")
    assert not entry(ledger_of(made, version), "function").is_gone
    whole = function("12:03:00", "DeleteFunction20150331")
    by_arn = whole | {
        "requestParameters": {"functionName": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"}
    }
    assert entry(ledger_of(made, whole), "function").is_gone
    assert entry(ledger_of(made, by_arn), "function").is_gone


def test_what_a_session_of_it_made_counts_too() -> None:
    minted = an_assumption(eventTime="2026-03-10T11:58:00Z", userIdentity=a_user("alice"))
    making = make_user(userIdentity=a_role_session(created="2026-03-10T11:58:00Z"))
    ledger = ledger_of(minted, making)
    assert entry(ledger, "user").made_by == (f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/work")


def test_what_was_made_of_kinds_that_are_not_followed_is_named() -> None:
    queue = ec2("12:03:00", "CreateQueue", {"queueName": "q"}, eventSource="sqs.amazonaws.com")
    denied = ec2("12:04:00", "CreateCluster", {}, errorCode="AccessDenied", errorMessage="no")
    others = ec2("12:05:00", "CreateTopic", {}, userIdentity=a_user("bob"))
    ledger = ledger_of(make_user(), delete_user(), queue, denied, others)
    assert ledger.not_followed == ("CreateQueue",)
    assert ledger.sentence == (
        "Made or changed: 1 thing of the kinds that are followed, 1 of them undone by 2026-03-10"
        " 12:30:00, by the same identity. What was made by CreateQueue is not followed."
    )


def test_a_key_alone_is_looked_up_where_the_rollup_has_no_keys() -> None:
    by_key = {"userIdentity": {"type": "Unknown", "accessKeyId": KEY}}
    asked = an_alert(ALERT | by_key)
    store = MemoryStore([ALERT | by_key, END, make_user(**by_key), delete_user()])
    principal = replace(
        asked.principals[0], type="Unknown", arn=None, principal_id=None, user_name=None,
        access_key_id=KEY,
    )  # fmt: skip
    ledger = find_ledger(asked, principal, [], store)[0]
    assert entry(ledger, "user").is_gone
    assert ledger.not_followed == ()


def test_what_was_changed_twice_has_both_times() -> None:
    def written(time: str) -> dict[str, Any]:
        return iam(time, "PutUserPolicy", {"userName": "eve", "policyName": "p"})

    twice = entry(ledger_of(written("12:24:11"), written("12:28:24")), "inline policy of a user")
    assert (twice.first_made, twice.made) == ("2026-03-10T12:24:11Z", "2026-03-10T12:28:24Z")
    assert made_words(twice) == (
        "written 2 times, first 2026-03-10 12:24:11, last 2026-03-10 12:28:24"
    )
    once = entry(ledger_of(written("12:24:11")), "inline policy of a user")
    assert made_words(once) == "written 2026-03-10 12:24:11"


def test_a_secret_is_gone_by_its_name_or_its_arn_until_it_is_restored() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf"

    def secret(time: str, name: str, request: Any, response: Any = None) -> dict[str, Any]:
        return ec2(time, name, request, response, eventSource="secretsmanager.amazonaws.com")

    made = secret("12:01:00", "CreateSecret", {"name": "prod/db"}, {"arn": arn})
    by_name = secret("12:02:00", "DeleteSecret", {"secretId": "prod/db"})
    by_arn = secret("12:02:00", "DeleteSecret", {"secretId": arn}, {"aRN": arn, "name": "prod/db"})
    other = secret("12:02:00", "DeleteSecret", {"secretId": "prod/db2"}, {"name": "prod/db2"})
    back = secret("12:03:00", "RestoreSecret", {"secretId": "prod/db"})
    assert entry(ledger_of(made, by_name), "secret").is_gone
    assert entry(ledger_of(made, by_arn), "secret").is_gone
    assert not entry(ledger_of(made, other), "secret").is_gone
    assert not entry(ledger_of(made, by_arn, back), "secret").is_gone


def test_what_another_made_is_not_its_own() -> None:
    ledger = ledger_of(make_user(userIdentity=a_user("bob")))
    assert (ledger.status, ledger.entries) == ("nothing", ())


def test_next_steps_do_not_stop_what_is_gone_and_say_so() -> None:
    key = a_key("alice")
    before = {step.title for step in steps_of()}
    assert "Switch the access key off" in before
    deletion = iam("12:40:00", "DeleteAccessKey", {"userName": "alice", "accessKeyId": key},
                   userIdentity=a_user("bob"))  # fmt: skip
    steps = steps_of(deletion)
    assert "Switch the access key off" not in {step.title for step in steps}
    (said,) = [step.text for step in steps if "the key is gone" in step.title]
    assert "deleted 2026-03-10 12:40:00, by user/bob" in said


def test_roles_that_are_gone_are_not_revoked() -> None:
    first = an_assumption("one", key="ASIAONESESSION000QQ1", eventTime="2026-03-10T11:50:00Z")
    second = an_assumption("two", key="ASIATWOSESSION000QQ2", eventTime="2026-03-10T11:51:00Z")
    gone = iam("12:30:00", "DeleteRole", {"roleName": "one"}, userIdentity=a_user("bob"))
    (revoke,) = [s for s in steps_of(first, second, gone) if s.title.startswith("Revoke the sess")]
    assert "1 role that it assumed was deleted by 2026-03-10 12:30:00: nothing to revoke" in (
        revoke.text
    )
    assert [command.split("--role-name ")[1].split()[0] for command in revoke.commands] == ["two"]
    also = iam("12:31:00", "DeleteRole", {"roleName": "two"}, userIdentity=a_user("bob"))
    (said,) = [s for s in steps_of(first, second, gone, also) if "roles it assumed" in s.title]
    assert said.text.startswith("2 roles that it assumed were deleted by 2026-03-10 12:31:00")
    assert said.commands == ()
    # Made again, and so there is something to revoke.
    again = iam("12:45:00", "CreateRole", {"roleName": "two"}, userIdentity=a_user("bob"))
    (revoke,) = [
        s for s in steps_of(first, second, gone, also, again) if s.title.startswith("Revoke the")
    ]
    assert len(revoke.commands) == 1


INSTANCE = "i-0dbc91f429e48eeed"
ON_INSTANCE = a_role_session("web", INSTANCE)


def steps_while_it_went_on(*records: dict[str, Any]) -> dict[str, Step]:
    """Of an alert about the instance's session that goes on from 12:00 to 17:00."""
    called = an_event(eventTime="2026-03-10T12:00:00Z", userIdentity=ON_INSTANCE)
    asked = replace(an_alert(called), last_seen=datetime(2026, 3, 10, 17, tzinfo=UTC))
    principal = asked.principals[0]
    store = MemoryStore([called, END, *records])
    answers = ask_all(asked, principal, store)
    ledger = find_ledger(asked, principal, answers, store)[0]
    return {step.title: step for step in next_steps(asked, principal, answers, ledger)}


def test_what_went_while_the_alert_went_on_is_gone() -> None:
    by = {"userIdentity": a_user("bob")}
    ended = ec2("12:08:06", "TerminateInstances",
                {"instancesSet": {"items": [{"instanceId": INSTANCE}]}}, **by)  # fmt: skip
    deleted = iam("12:08:39", "DeleteRole", {"roleName": "web"}, **by)
    assert {"Isolate the instance", "Stop this session"} <= steps_while_it_went_on().keys()
    steps = steps_while_it_went_on(ended, deleted)
    assert steps["Nothing to isolate: the instance is gone"].text == (
        f"Instance {INSTANCE} was terminated 2026-03-10 12:08:06, by user/bob. Volumes and"
        " snapshots of it may be left."
    )
    assert "Nothing to revoke: the role is gone" in steps
    commands = [command for step in steps.values() for command in step.commands]
    assert not [one for one in commands if "put-role-policy" in one or "modify-instance" in one]
    # Each of the two may be there without the other.
    steps = steps_while_it_went_on(deleted)
    assert steps["Isolate the instance"].text.startswith("Its role is gone, and whoever is on")
    steps = steps_while_it_went_on(ended)
    assert {"Stop this session", "Nothing to isolate: the instance is gone"} <= steps.keys()
    # Before the alert began it was there, whatever was deleted then.
    early = deleted | {"eventTime": "2026-03-10T11:00:00Z"}
    assert "Stop this session" in steps_while_it_went_on(early)


def test_its_own_user_and_key_that_went_while_the_alert_went_on_are_gone() -> None:
    asked = replace(an_alert(ALERT), last_seen=datetime(2026, 3, 10, 17, tzinfo=UTC))
    request = {"userName": "alice", "accessKeyId": a_key("alice")}
    deletion = iam("12:40:00", "DeleteAccessKey", request, userIdentity=a_user("bob"))
    store = MemoryStore([ALERT, END, deletion])
    ledger = find_ledger(asked, asked.principals[0], [], store)[0]
    assert [(one.kind, one.name) for one in ledger.used] == [("access key", a_key("alice"))]


def test_what_is_left_is_named_by_the_steps() -> None:
    steps = {step.title: step.text for step in steps_of(make_user(), make_key())}
    assert "access key AKIAMADEBYALICE0QQQ1 and user eve" in steps["Undo what it made"]
    steps = {step.title: step.text for step in steps_of(make_user(), make_key(), delete_user())}
    assert "Undo what it made" not in steps
    assert any(title.startswith("What it made is gone") for title in steps)


def test_hostile_names_are_cut_and_stay_one_line() -> None:
    name = "x\n" + "y" * 300
    steps = steps_of(make_user() | {"requestParameters": {"userName": name}})
    (said,) = [step.text for step in steps if step.title == "Undo what it made"]
    assert "\n" not in said
    assert "y" * 100 not in said


@pytest.mark.parametrize("request_parameters", [None, "text", [1], {"userName": {"a": 1}}, {}])
def test_records_of_any_form_are_no_failure(request_parameters: Any) -> None:
    odd = make_user() | {"requestParameters": request_parameters}
    assert ledger_of(odd, delete_user()).status in ("answered", "nothing")


def test_an_index_of_nothing_but_the_alert_made_nothing() -> None:
    ledger = ledger_of()
    assert ledger.status == "nothing"
    assert ledger.used == ()
