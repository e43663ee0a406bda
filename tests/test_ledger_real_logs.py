"""Made and undone in real logs: a red team's run that cleaned up after itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from alerts import parse_alerts
from enrich import ask_all
from enrich.data.ledger import Ledger
from enrich.gaps import fill_gaps
from enrich.ledger.find import find_ledger
from enrich.verdict.next_steps import next_steps

# CreateAccessKey for malicious-iam-user, 12:24:50; GetPasswordData by a role session.
KEY_MADE = "8c282c0b-00d1-4369-95b7-cb50b6eee620"
BY_ROLE = "cfdb926f-8f87-44ea-8b73-125efb2fa78a"


@cache
def _asked(store: Any, event_id: str) -> tuple[Any, Any, Any, Ledger]:
    (pasted,) = parse_alerts(event_id)
    alert = fill_gaps(pasted, store)
    principal = alert.principals[0]
    answers = ask_all(alert, principal, store)
    return alert, principal, answers, find_ledger(alert, principal, answers, store)[0]


def test_the_user_its_key_and_the_backdoor_role_are_gone(stratus_store: Any) -> None:
    *_, ledger = _asked(stratus_store, KEY_MADE)
    became = {
        (one.kind, one.name): (one.made, one.undone and one.undone.time) for one in ledger.entries
    }
    at_once = "2023-07-10T12:28:24Z"
    assert became["user", "malicious-iam-user"] == ("2023-07-10T12:24:49Z", at_once)
    assert became["access key", "AKIATFQR7NSCQLA2F4OD"] == ("2023-07-10T12:24:50Z", at_once)
    assert became["role", "stratus-red-team-backdoor-r-role"] == (
        "2023-07-10T12:24:07Z", "2023-07-10T12:28:35Z",
    )  # fmt: skip
    assert became["share of an image", "ami-0aa1d83d0b0985c86 / 012345678901"] == (
        "2023-07-10T12:11:01Z", "2023-07-10T12:11:57Z",
    )  # fmt: skip
    # Counted by plain Python over the raw records: of its 20 secrets, 42 parameters, 7 VPCs and
    # 10 subnets, these have no deletion.
    assert len(ledger.entries) == 183
    assert {(one.kind, one.name) for one in ledger.entries if not one.is_gone} == {
        ("subnet group of databases", "stratus-red-team-share-snap-vpc"),
        ("VPC", "vpc-07b33857c7ad1c027"),
        ("subnet", "subnet-0cac13291c6f317ec"),
        ("subnet", "subnet-0c8a70cf4fd24084f"),
        *(("parameter", f"/credentials/stratus-red-team/credentials-{n}") for n in (10, 32)),
        *(("secret", f"stratus-red-team-retrieve-secret-{n}") for n in (6, 13, 16)),
    }
    assert ledger.not_followed == ("CreateNetworkInterface", "CreateTags")
    assert not any(one.undone.by_another for one in ledger.entries if one.undone)


def test_the_attack_s_own_time_stands_beside_the_repair_s(stratus_store: Any) -> None:
    *_, ledger = _asked(stratus_store, KEY_MADE)
    times = {one.kind: (one.first_made, one.made) for one in ledger.entries}
    assert times["trust policy of a role"] == ("2023-07-10T12:24:11Z", "2023-07-10T12:28:24Z")
    assert times["code of a function"] == ("2023-07-10T12:26:56Z", "2023-07-10T12:28:24Z")
    assert times["event selectors of a trail"] == (
        "2023-07-10T12:00:08Z", "2023-07-10T12:07:49Z",
    )  # fmt: skip


def test_every_undoing_names_what_was_made(stratus_store: Any) -> None:
    """Each cited record, read as it is, has the thing's name in it and did not fail."""
    *_, ledger = _asked(stratus_store, KEY_MADE)
    every = [one for one in (*ledger.entries, *ledger.used) if one.is_gone]
    assert len(every) == 174 + 5
    ids = [one.undone.event_id for one in every if one.undone is not None]
    raw = stratus_store.raw_records(ids)
    for one in every:
        assert one.undone is not None
        record = raw[str(one.undone.event_id)]
        assert '"errorCode"' not in record
        first = one.name.split(" / ")[0].rpartition(":")[2]
        along = one.undone.along_with in ("user", "policy")  # named by its user, or its policy
        assert first in record or along, (one.kind, one.name)


def test_next_steps_revoke_no_role_that_is_gone(stratus_store: Any) -> None:
    alert, principal, answers, ledger = _asked(stratus_store, KEY_MADE)
    steps = next_steps(alert, principal, answers, ledger)
    said = " ".join(step.text for step in steps)
    assert "5 roles that it assumed were deleted by 2023-07-10 12:12:05: nothing to revoke" in said
    assert not [c for step in steps for c in step.commands if "put-role-policy" in c]
    without = next_steps(alert, principal, answers)
    assert sum("put-role-policy" in c for step in without for c in step.commands) == 5
    # Its own key was never deleted: that is still to be switched off.
    assert steps[0].title == "Switch the access key off"


def test_a_role_s_alert_says_that_the_role_is_gone(stratus_store: Any) -> None:
    alert, principal, answers, ledger = _asked(stratus_store, BY_ROLE)
    (role,) = ledger.used
    assert role.undone is not None
    assert role.undone.time == "2023-07-10T12:07:59Z"
    assert role.undone.by_another
    steps = next_steps(alert, principal, answers, ledger)
    assert steps[0].title == "Nothing to revoke: the role is gone"


def test_an_instance_and_its_role_that_went_within_the_alert_s_time_are_gone(
    stratus_store: Any,
) -> None:
    """i-0dbc91f429e48eeed: TerminateInstances 12:08:06, DeleteRole of its role 12:08:39."""
    summary = stratus_store.summary()
    (row,) = stratus_store.query(
        "select event_id from events where principal_arn like '%/i-0dbc91f429e48eeed'"
        " and event_time >= $a and event_time <= $b order by event_time, event_id limit 1",
        {"a": summary.first, "b": summary.last},
        first=summary.first,
        last=summary.last,
    ).rows
    (pasted,) = parse_alerts(row["event_id"])
    alert = fill_gaps(pasted, stratus_store)
    alert = replace(alert, last_seen=datetime(2023, 7, 10, 12, 29, 9, tzinfo=UTC))
    principal = alert.principals[0]
    answers = ask_all(alert, principal, stratus_store)
    ledger = find_ledger(alert, principal, answers, stratus_store)[0]
    assert {(one.kind, one.undone.time) for one in ledger.used if one.undone is not None} == {
        ("instance", "2023-07-10T12:08:06Z"), ("role", "2023-07-10T12:08:39Z"),
    }  # fmt: skip
    steps = next_steps(alert, principal, answers, ledger)
    assert [step.title for step in steps[:2]] == [
        "Nothing to revoke: the role is gone", "Nothing to isolate: the instance is gone",
    ]  # fmt: skip
    commands = [command for step in steps for command in step.commands]
    assert not [one for one in commands if "put-role-policy" in one or "modify-instance" in one]


def test_a_stolen_instance_role_made_nothing(ec2_store: Any) -> None:
    """The run of 2020 only read: there is nothing to undo, and nothing is said to be gone."""
    rows = ec2_store.query(
        "select event_id from events where event_name = 'GetObject' and identity_type ="
        " 'AssumedRole' and event_time >= $a and event_time <= $b order by event_time limit 1",
        {"a": ec2_store.summary().first, "b": ec2_store.summary().last},
        first=ec2_store.summary().first,
        last=ec2_store.summary().last,
    ).rows
    *_, ledger = _asked(ec2_store, rows[0]["event_id"])
    assert (ledger.status, ledger.entries, ledger.used) == ("nothing", (), ())
