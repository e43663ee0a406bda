"""What speaks for and against, line by line: what each rests on, and what says nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from memory_store import MemoryStore

from alerts import parse_alerts
from enrich import ask_all
from enrich.forms.json_form import Result, as_json
from enrich.verdict.weighing import Weighing, Weight, weigh

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
SECRET = {"eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue"}


def at(moment: datetime, **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=f"{moment:%Y-%m-%dT%H:%M:%SZ}", **changes)


def every_day(days: int = 60) -> list[dict[str, Any]]:
    """One event of somebody else on each day, so that no logs are missing."""
    return [
        at(NOON - timedelta(days=n, hours=-1), userIdentity=a_user("bob")) for n in range(-2, days)
    ]


def history(days: int = 13, **changes: Any) -> list[dict[str, Any]]:
    return [
        at(NOON - timedelta(days=n + 1, minutes=m), **changes) for n in range(days) for m in (0, 5)
    ]


def weighed(alert_record: dict[str, Any], *records: dict[str, Any]) -> Weighing:
    (alert,) = parse_alerts(json.dumps(alert_record))
    principal = alert.principals[0]
    return weigh(alert, principal, ask_all(alert, principal, MemoryStore([alert_record, *records])))


def of_kind(lines: Sequence[Weight], kind: str) -> Weight:
    (line,) = (line for line in lines if line.kind == kind)
    return line


def kinds(lines: Sequence[Weight]) -> set[str]:
    return {line.kind for line in lines}


def a_sign_in(moment: datetime, *, fails: bool = False) -> dict[str, Any]:
    return at(
        moment,
        eventSource="signin.amazonaws.com",
        eventName="ConsoleLogin",
        responseElements={"ConsoleLogin": "Failure" if fails else "Success"},
        errorMessage="Failed authentication" if fails else None,
        additionalEventData={"MFAUsed": "No"},
    )


def test_a_successful_sign_in_cites_no_failed_one() -> None:
    good = [a_sign_in(NOON - timedelta(minutes=n)) for n in (50, 40)]
    bad = [a_sign_in(NOON - timedelta(minutes=n), fails=True) for n in (30, 20, 10)]
    line = of_kind(weighed(at(NOON), *good, *bad).for_, "high_signal_call")
    assert line.sentence == (
        "ConsoleLogin succeeded 2 times (initial access, T1078.004, without a second factor: 2):"
        " A way into the console."
    )
    assert set(line.event_ids) == {record["eventID"] for record in good}


INSTANCE = "i-0123456789abcdef0"


def an_instance(**changes: Any) -> dict[str, Any]:
    return a_role_session("web", INSTANCE, key="ASIAEC2XXQ7Z4M2K8V5T", **changes)


def test_credentials_of_an_instance_in_use_elsewhere_speak_for() -> None:
    created = "2026-03-20T11:50:00Z"
    mint = an_assumption(
        role="web",
        session=INSTANCE,
        key="ASIAEC2XXQ7Z4M2K8V5T",
        eventTime=created,
        userIdentity={"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
        sourceIPAddress="ec2.amazonaws.com",
        userAgent="ec2.amazonaws.com",
    )
    identity = an_instance(created=created)
    home = at(NOON - timedelta(minutes=5), userIdentity=identity, sourceIPAddress="192.0.2.4")
    stolen = at(NOON, userIdentity=identity, sourceIPAddress="203.0.113.9")
    line = of_kind(weighed(stolen, mint, home, *every_day()).for_, "left_instance")
    assert INSTANCE in line.sentence
    assert "from 203.0.113.9, while" in line.sentence
    assert "192.0.2.4" in line.sentence
    assert set(line.event_ids) == {stolen["eventID"], home["eventID"]}
    assert "left_instance" in kinds(weighed(home, mint, home, stolen, *every_day()).for_)
    assert "left_instance" not in kinds(weighed(home, mint, home, *every_day()).for_)


def a_denial(role: str, moment: datetime) -> dict[str, Any]:
    said = "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: sts:AssumeRole"
    return at(
        moment,
        eventSource="sts.amazonaws.com",
        eventName="AssumeRole",
        errorCode="AccessDenied",
        errorMessage=f"{said} on resource: arn:aws:iam::{ACCOUNT}:role/{role}",
    )


def an_assumed(role: str, moment: datetime) -> dict[str, Any]:
    return an_assumption(role, eventTime=f"{moment:%Y-%m-%dT%H:%M:%SZ}", key=f"ASIA{role.upper()}")


def test_denied_and_succeeded_assumptions_of_the_session_speak_for() -> None:
    denied = [a_denial(role, NOON - timedelta(minutes=n)) for n, role in enumerate("aab", 5)]
    made = [an_assumed("deploy", NOON - timedelta(minutes=n)) for n in (1, 2)]
    weighing = weighed(at(NOON), *denied, *made, *every_day())
    line = of_kind(weighing.for_, "denied_assumptions")
    assert line.sentence == (
        "Assuming a role was denied 3 times on 2 roles not tried earlier in the week, and succeeded"
        " 2 times on 1 role: deploy."
    )
    assert set(line.event_ids) <= {record["eventID"] for record in (*denied, *made)}
    assert {count.number for count in line.counts} == {1, 2, 3}


def test_a_denial_of_every_day_is_routine() -> None:
    denied = [a_denial("a", NOON - timedelta(days=n, minutes=5)) for n in range(5)]
    assert "denied_assumptions" not in kinds(weighed(at(NOON), *denied, *every_day()).lines)


def test_a_role_that_is_new_to_the_week_speaks_for_and_a_usual_one_does_not() -> None:
    usual = [an_assumed("deploy", NOON - timedelta(days=n, minutes=5)) for n in range(5)]
    later = an_assumed("vault", NOON + timedelta(hours=1))
    weighing = weighed(at(NOON), *usual, later, *history(), *every_day())
    assert of_kind(weighing.for_, "new_roles").sentence == (
        "Assumed 1 role not assumed earlier in the week, 1 time after the alert: vault."
    )
    assert "new_roles" not in kinds(weighed(at(NOON), *usual, *history(), *every_day()).for_)


@pytest.mark.parametrize(("today", "speaks"), [(6, True), (5, False), (4, False)])
def test_more_reads_of_secrets_than_usual_speak_for(today: int, speaks: bool) -> None:
    # Three on each of five days before: twice as many are more than usual.
    before = [
        at(NOON - timedelta(days=n, minutes=m), **SECRET) for n in range(1, 6) for m in (1, 2, 3)
    ]
    now = [at(NOON - timedelta(minutes=n), **SECRET) for n in range(today)]
    weighing = weighed(now[0], *now[1:], *before, *history(), *every_day())
    assert ("secrets_read_beyond_usual" in kinds(weighing.for_)) is speaks
    if speaks:
        line = of_kind(weighing.for_, "secrets_read_beyond_usual")
        assert line.sentence == (
            "GetSecretValue read secrets or parameters 6 times on 2026-03-20, at most 3 on any of"
            " the 5 earlier days that had any."
        )
        assert set(line.event_ids) <= {record["eventID"] for record in now}


def test_another_session_of_the_role_is_measured_by_what_the_role_reads() -> None:
    before = [
        at(
            NOON - timedelta(days=n, minutes=m),
            userIdentity=a_role_session(session="app"),
            **SECRET,
        )
        for n in range(1, 13)
        for m in (1, 2)
    ]
    mine = a_role_session(session="stranger")
    there = {"userIdentity": mine, "sourceIPAddress": "203.0.113.9", **SECRET}
    now = [at(NOON - timedelta(minutes=n), **there) for n in range(4)]
    line = of_kind(
        weighed(now[0], *now[1:], *before, *every_day()).for_, "secrets_read_beyond_usual"
    )
    assert line.sentence == (
        "GetSecretValue read secrets or parameters 4 times on 2026-03-20, at most 2 on any of the"
        " 12 earlier days that had any."
    )


def test_a_usual_role_assumed_from_a_new_address_speaks_for() -> None:
    usual = [an_assumed("deploy", NOON - timedelta(days=n, minutes=5)) for n in range(1, 7)]
    there = {"sourceIPAddress": "203.0.113.9"}
    taken = an_assumed("deploy", NOON - timedelta(minutes=2)) | there
    weighing = weighed(at(NOON, **there), taken, *usual, *history(), *every_day())
    line = of_kind(weighing.for_, "assumed_from_a_new_address")
    assert line.sentence == "Assumed 1 role 1 time from 203.0.113.9, which is new: deploy."
    assert line.event_ids == (taken["eventID"],)
    denied = a_denial("vault", NOON - timedelta(minutes=1)) | there
    both = weighed(at(NOON, **there), taken, denied, *usual, *history(), *every_day())
    assert of_kind(both.for_, "denied_assumptions").sentence == (
        "Assuming a role was denied 1 time on 1 role not tried earlier in the week, and succeeded"
        " 1 time on 1 role from 203.0.113.9, which is new: deploy."
    )


def a_made_session(made_at: str, used_at: str, **history_at: Any) -> Weighing:
    created = "2026-03-20T11:50:00Z"
    mint = an_assumption(eventTime=created, sourceIPAddress=made_at)
    identity = a_role_session(created=created)
    before = history(userIdentity=a_role_session(created="2026-03-01T00:00:00Z"), **history_at)
    alert = at(NOON, userIdentity=identity, sourceIPAddress=used_at)
    return weighed(alert, mint, *before, *every_day())


def test_a_session_used_where_it_was_issued_clears_only_at_a_known_address() -> None:
    home = a_made_session("198.51.100.7", "198.51.100.7", sourceIPAddress="198.51.100.7")
    assert of_kind(home.against, "used_where_issued").sentence == (
        "The session was issued to the address that it was used from, 198.51.100.7, known from 26"
        " calls in the 14 days before."
    )
    # Whoever stole the key that made it made it where he uses it.
    thief = a_made_session("203.0.113.9", "203.0.113.9", sourceIPAddress="198.51.100.7")
    assert "used_where_issued" not in kinds(thief.against)


@pytest.mark.parametrize(
    ("used_at", "elsewhere"),
    [
        ("203.0.113.9", True),
        ("198.51.100.200", False),  # the same network
        ("10.0.4.7", False),  # through a VPC endpoint of the same machine, it may be
        ("2001:db8::7", False),  # the same machine may speak both
    ],
)
def test_a_session_used_elsewhere_speaks_for(used_at: str, elsewhere: bool) -> None:
    weighing = a_made_session("198.51.100.7", used_at)
    assert ("used_elsewhere" in kinds(weighing.for_)) is elsewhere


def test_a_guessed_hop_is_no_evidence() -> None:
    # No creation date and no key: the most recent assumption of that name, a guess.
    mint = an_assumption(eventTime="2026-03-20T11:50:00Z", sourceIPAddress="203.0.113.9")
    identity = a_role_session(key="")
    del identity["sessionContext"]["attributes"]
    weighing = weighed(at(NOON, userIdentity=identity), mint, *every_day())
    assert "used_elsewhere" not in kinds(weighing.for_)


def test_the_json_says_which_events_a_number_counts() -> None:
    record = at(NOON, **SECRET)
    (alert,) = parse_alerts(json.dumps(record))
    principal = alert.principals[0]
    store = MemoryStore([record])
    answers = tuple(ask_all(alert, principal, store))
    result = as_json(alert, [Result(principal, answers)], store.summary())["results"][0]
    (line,) = (one for one in result["weights"] if one["kind"] == "secrets_read")
    assert line["counts"][0] == {
        "number": 1,
        "noun": "time",
        "distinct": None,
        "of": {
            "whose": "entity",
            "from": "2026-03-13T12:00:00Z",
            "to": "2026-03-20T12:00:00Z",
            "open_end": False,
            "any_of": [
                {
                    "failed": [False],
                    "event_source": ["secretsmanager.amazonaws.com"],
                    "event_name": ["GetSecretValue"],
                }
            ],
        },
        "event_ids": [record["eventID"]],
    }
    assert {one["answer"] for one in result["not_weighed"]} >= {"baseline"}
