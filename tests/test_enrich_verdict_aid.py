"""The verdict aid: lines for and against on cited events, and next steps that are safe to copy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore

from alerts import parse_alerts
from alerts.alert import Alert, Principal
from enrich import ask_all
from enrich.verdict.next_steps import Step, next_steps
from enrich.verdict.weighing import Weight, weigh

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


def at(moment: datetime, **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=moment.strftime("%Y-%m-%dT%H:%M:%SZ"), **changes)


def history(**changes: Any) -> list[dict[str, Any]]:
    """Two calls a day on the thirteen days before, at noon."""
    return [
        at(NOON - timedelta(days=n + 1, minutes=m), **changes) for n in range(13) for m in (0, 5)
    ]


def every_day(days: int = 15) -> list[dict[str, Any]]:
    """One event of somebody else on each day, so that no logs are missing."""
    return [at(NOON - timedelta(days=n, hours=-1), userIdentity=a_user("bob")) for n in range(days)]


def weighed(
    alert_record: dict[str, Any], *records: dict[str, Any]
) -> tuple[Sequence[Weight], set[str], str]:
    alert = parse_alerts(json.dumps(alert_record))[0]
    principal = alert.principals[0]
    answers = ask_all(alert, principal, MemoryStore([alert_record, *records]))
    assert not [answer.sentence for answer in answers if answer.status == "failed"]
    lines = weigh(alert, principal, answers).lines
    return (
        lines,
        {record["eventID"] for record in (alert_record, *records)},
        alert_record["eventID"],
    )


def test_a_call_that_only_the_finding_tells_of_is_new_and_never_cleared() -> None:
    """CloudTrail delivers late: the logs hold two weeks of alice's own calls, and not this one."""
    usual = history(userIdentity=a_user("alice"))
    record = at(NOON, userIdentity=a_user("alice"), sourceIPAddress="203.0.113.200",
                userAgent="python-requests/2.31.0")  # fmt: skip
    finding = replace(parse_alerts(json.dumps(record))[0], raw="{}", event_id=None, event_ids=())
    store = MemoryStore([*usual, *every_day()])
    answers = ask_all(finding, finding.principals[0], store)
    weighing = weigh(finding, finding.principals[0], answers)
    said = [line.sentence for line in weighing.for_]
    assert any("source IP 203.0.113.200 is not among" in text for text in said)
    assert weighing.against == ()
    assert weighing.not_weighed[0].question == "The alert's own call"
    assert "is not in the logs that were looked at" in weighing.not_weighed[0].why

    indexed = MemoryStore([*usual, *every_day(), record])
    answers = ask_all(finding, finding.principals[0], indexed)
    known = weigh(finding, finding.principals[0], answers)
    assert [line.sentence for line in known.for_] == said
    assert all(line.event_ids for line in known.lines)
    assert not [one for one in known.not_weighed if one.question == "The alert's own call"]


def sentences(lines: Sequence[Weight], side: str) -> list[str]:
    return [line.sentence for line in lines if line.side == side]


def test_a_usual_call_speaks_against_and_nothing_speaks_for() -> None:
    lines, _, _ = weighed(at(NOON), *history(), *every_day())
    assert sentences(lines, "for") == []
    assert sentences(lines, "against") == [
        "The same call came 26 times from this IP with this user agent in the 14 days before.",
        "Nothing about the alert is new (source IP, user agent, call, service and region) against"
        " 26 calls on 13 days by this identity in the 14 days before.",
    ]


def test_what_rests_on_missing_logs_speaks_against_nothing_and_is_named() -> None:
    alert_record = at(NOON)
    alert = parse_alerts(json.dumps(alert_record))[0]
    store = MemoryStore([alert_record, *history()])  # no event on the first of the 14 days
    weighing = weigh(alert, alert.principals[0], ask_all(alert, alert.principals[0], store))
    assert weighing.against == ()
    why = {one.answer: one.why for one in weighing.not_weighed}
    assert why["baseline"] == "logs are missing: nothing against is taken from it"


def test_an_intruder_who_was_there_before_the_gap_does_not_look_normal() -> None:
    # His address shows up for the first time five days before the alert, and then all the time.
    mine = history()
    his = [
        at(NOON - timedelta(days=5, minutes=n), sourceIPAddress="203.0.113.66") for n in range(20)
    ]
    alert = at(NOON, sourceIPAddress="203.0.113.66")
    lines, _, _ = weighed(alert, *mine, *his, *every_day())
    assert sentences(lines, "against") == []


def test_that_peers_made_the_same_call_is_no_counter_evidence() -> None:
    peers = [
        at(NOON - timedelta(days=n + 1), userIdentity=a_role_session(session=f"peer-{n}"))
        for n in range(13)
    ]
    stranger = a_role_session(session="stranger")
    alert = at(NOON, userIdentity=stranger, sourceIPAddress="203.0.113.66")
    lines, _, _ = weighed(alert, *peers, *every_day())
    assert sentences(lines, "against") == []
    assert any("203.0.113.66 is not among 13 calls" in said for said in sentences(lines, "for"))


def test_a_new_address_and_a_persistent_key_speak_for() -> None:
    alert = at(
        NOON,
        sourceIPAddress="203.0.113.66",
        eventSource="iam.amazonaws.com",
        eventName="CreateAccessKey",
    )
    lines, known, own = weighed(alert, *history())
    told = sentences(lines, "for")
    assert any(sentence.startswith("The source IP 203.0.113.66 is not among") for sentence in told)
    assert any(
        sentence.startswith(
            "CreateAccessKey succeeded 1 time, never in 26 events from 2026-03-07 on, before the"
            " alert's day"
            " (persistence, T1098.001)"
        )
        for sentence in told
    )
    assert any(
        sentence.startswith("IAM was called 1 time on the alert's day, and never in 26 events")
        for sentence in told
    )
    for line in lines:
        assert line.event_ids
        assert set(line.event_ids) <= known
    assert own in lines[0].event_ids


def _switch(moment: datetime) -> dict[str, Any]:
    """How the console writes a switch into a role: an id, an ARN, and no session context."""
    session = a_role_session()
    return at(
        moment,
        eventSource="signin.amazonaws.com",
        eventName="SwitchRole",
        eventType="AwsConsoleSignIn",
        userIdentity={name: session[name] for name in ("type", "principalId", "arn", "accountId")},
    )


BY_ARN = f"{NOON:%Y-%m-%dT%H:%M:%SZ} arn:aws:sts::{ACCOUNT}:assumed-role/reader/work did it"


def _told_of_sign_in(*records: dict[str, Any]) -> list[str]:
    (alert,) = parse_alerts(BY_ARN)
    principal = alert.principals[0]
    assert principal.principal_id is None
    lines = weigh(alert, principal, ask_all(alert, principal, MemoryStore(records))).lines
    return [said for said in sentences(lines, "for") if "AWS Sign-In" in said]


def test_a_role_known_by_arn_alone_did_sign_in_before() -> None:
    mine = history(userIdentity=a_role_session())
    switches = [_switch(NOON - timedelta(days=n, minutes=1)) for n in range(13)]
    assert _told_of_sign_in(*mine, *every_day(), *switches) == []


def test_a_new_service_counts_the_calls_of_the_alerts_day() -> None:
    mine = history(userIdentity=a_role_session())
    switches = [_switch(NOON - timedelta(minutes=n)) for n in range(1, 4)]
    assert _told_of_sign_in(*mine, *every_day(), *switches) == [
        "AWS Sign-In / console was called 3 times on the alert's day, and never in 26 events of the"
        " whole role from 2026-03-06 on, before it. Credentials can be turned into a console"
        " session."
    ]


def test_what_was_never_before_tells_which_days_have_no_logs() -> None:
    """Logs begin on the 7th, and neither the 9th nor the 10th has any."""
    mine = [one for one in history() if one["eventTime"][8:10] not in ("09", "10")]
    alert = at(NOON, eventSource="iam.amazonaws.com", eventName="CreateAccessKey")
    lines, _, _ = weighed(alert, *mine)
    (said,) = [one for one in sentences(lines, "for") if one.startswith("CreateAccessKey")]
    assert said.startswith(
        "CreateAccessKey succeeded 1 time, never in 22 events from 2026-03-07 on (2 days without"
        " logs), before the alert's day"
    )


def test_what_the_identity_does_every_day_speaks_against() -> None:
    deploys = history(eventSource="lambda.amazonaws.com", eventName="UpdateFunctionCode20150331v2")
    alert = at(NOON, eventSource="lambda.amazonaws.com", eventName="UpdateFunctionCode20150331v2")
    lines, _, _ = weighed(alert, *deploys, *every_day())
    assert sentences(lines, "for") == []
    assert (
        "Each of its high-signal calls also succeeded on earlier days of the week:"
        " UpdateFunctionCode 13 times on 7 days."
    ) in sentences(lines, "against")


def test_a_call_has_one_name_for_people_in_every_sentence() -> None:
    lambdas = {"eventSource": "lambda.amazonaws.com"}
    dated = "UpdateFunctionConfiguration20150331v2"
    record = at(NOON, eventName=dated, **lambdas)
    (alert,) = parse_alerts(json.dumps(record))
    principal = alert.principals[0]
    answers = ask_all(alert, principal, MemoryStore([record, *history(), *every_day()]))
    said = [answer.sentence for answer in answers]
    said += [line.sentence for line in weigh(alert, principal, answers).lines]
    said += [step.text for step in next_steps(alert, principal, answers)]
    assert [one for one in said if "UpdateFunctionConfiguration" in one]
    assert [one for one in said if "20150331" in one] == []


def test_an_intruder_of_two_days_has_no_everyday_work() -> None:
    key = {"eventSource": "iam.amazonaws.com", "eventName": "CreateAccessKey"}
    yesterday = at(NOON - timedelta(days=1), **key)
    lines, _, _ = weighed(at(NOON, **key), yesterday, *history(), *every_day())
    assert not any("earlier days of the week" in said for said in sentences(lines, "against"))


def test_thin_history_says_nothing_about_what_is_new() -> None:
    alert = at(NOON, sourceIPAddress="203.0.113.66")
    lines, _, _ = weighed(alert, at(NOON - timedelta(days=3)))
    assert [line for line in lines if line.answer == "baseline"] == []


def test_that_everything_failed_clears_nobody() -> None:
    alert = at(NOON, eventName="GetPasswordData", errorCode="Client.UnauthorizedOperation")
    lines, _, _ = weighed(alert, *every_day())
    assert sentences(lines, "against") == []


def test_many_different_denials_speak_for() -> None:
    denied = [
        at(NOON - timedelta(minutes=n), eventName=f"List{n}", errorCode="AccessDenied")
        for n in range(1, 13)
    ]
    lines, _, _ = weighed(at(NOON), *denied)
    assert (
        "Denied 12 times over 12 different calls in the week: looks like permission probing."
        in sentences(lines, "for")
    )


@pytest.mark.parametrize(
    ("agent", "side", "words"),
    [
        ("TruffleHog", "for", "names TruffleHog"),
        ("python-requests/2.31.0", "for", "plain HTTP client's (python-requests)"),
        ("Boto3/1.34 Python/3.11 Linux/6.6.9-kali1-amd64 Botocore/1.34", "for", "Kali Linux"),
        ("stratus-red-team_3f7c", "for", "attack simulation"),
    ],
)
def test_telling_user_agents(agent: str, side: str, words: str) -> None:
    lines, _, _ = weighed(at(NOON, userAgent=agent), *every_day())
    assert any(words in sentence for sentence in sentences(lines, side))
    assert sentences(lines, "against") == []  # anybody can write any user agent


def test_a_plain_http_client_that_is_always_used_is_no_sign() -> None:
    client = {"userAgent": "python-requests/2.31.0"}
    lines, _, _ = weighed(at(NOON, **client), *history(**client))
    assert not any("HTTP client" in said for said in sentences(lines, "for"))


def test_an_address_inside_aws_speaks_for_nobody() -> None:
    internal = {"sourceIPAddress": "AWS Internal", "userAgent": "AWS Internal"}
    lines, _, _ = weighed(at(NOON) | an_assumption(eventTime="2026-03-20T12:00:00Z", **internal))
    assert sentences(lines, "against") == []
    # Whoever holds a stolen key can have a service make the call.
    service = {"sourceIPAddress": "cloudformation.amazonaws.com"}
    lines, _, _ = weighed(at(NOON, **service), *every_day())
    assert sentences(lines, "against") == []


def test_a_role_that_only_its_service_can_use_speaks_against() -> None:
    path = "/aws-service-role/autoscaling.amazonaws.com/"
    identity = a_role_session("AWSServiceRoleForAutoScaling", "AutoScaling", path=path)
    lines, _, _ = weighed(at(NOON, userIdentity=identity), *every_day())
    assert sentences(lines, "against") == [
        "AWSServiceRoleForAutoScaling is a service-linked role: only the AWS service that it"
        " belongs to can use it."
    ]


@pytest.mark.parametrize("began_at", ["203.0.113.9", None])
def test_where_a_borrowed_session_was_borrowed_is_not_where_it_began(began_at: str | None) -> None:
    identity = a_user(accessKeyId="ASIALOGIN0Q0Q0Q0Q01")
    identity["sessionContext"] = {"attributes": {"creationDate": "2026-03-20T11:30:00Z"}}
    sign_in = {"eventSource": "signin.amazonaws.com", "userIdentity": identity}
    token = at(NOON - timedelta(minutes=20), eventName="CreateOAuth2Token", **sign_in)
    login = at(NOON - timedelta(minutes=30), eventName="ConsoleLogin", **sign_in)
    login |= {"sourceIPAddress": began_at, "responseElements": {"ConsoleLogin": "Success"}}
    lines, _, _ = weighed(at(NOON, userIdentity=identity), token, *([login] if began_at else []))
    assert not any("The session was issued to the address" in line.sentence for line in lines)
    made = f"The session was issued to {began_at} and used from 198.51.100.7."
    assert (made in sentences(lines, "for")) is (began_at is not None)


def test_a_finding_without_event_ids_cites_the_events_of_its_call() -> None:
    mine = at(NOON, sourceIPAddress="203.0.113.66")
    alert = parse_alerts(json.dumps(mine))[0]
    finding = Alert(**(dict(alert.__dict__) | {"event_id": None, "event_ids": ()}))
    principal = alert.principals[0]
    answers = ask_all(finding, principal, MemoryStore([mine, *history()]))
    line = weigh(finding, principal, answers).lines[0]
    assert line.sentence.startswith("The source IP 203.0.113.66 is not among")
    assert line.event_ids[0] == mine["eventID"]


def test_an_alert_without_any_event_behind_it_makes_no_bare_claims() -> None:
    alert = Alert(
        id="x",
        source="text",
        title="t",
        severity=None,
        first_seen=NOON,
        last_seen=NOON,
        account_id=ACCOUNT,
        region=None,
        source_ip_address=None,
        user_agent="TruffleHog",
        event_source=None,
        event_name=None,
        principals=(),
        raw="",
    )
    root = Principal("Root", principal_id=ACCOUNT)
    assert weigh(alert, root, ask_all(alert, root, MemoryStore([at(NOON)]))).lines == ()


def steps_of(principal: Principal, **changes: Any) -> list[Step]:
    alert = parse_alerts(json.dumps(at(NOON)))[0]
    fields = dict(alert.__dict__) | changes
    return next_steps(Alert(**fields), principal, [])


def commands(steps: list[Step]) -> list[str]:
    return [command for step in steps for command in step.commands]


def test_a_long_lived_key_is_switched_off_and_its_sessions_are_ended() -> None:
    steps = steps_of(Principal("IAMUser", user_name="alice", access_key_id="AKIAALICEXQXQXQXQXQX"))
    assert commands(steps)[0] == (
        "aws iam update-access-key --status Inactive --access-key-id AKIAALICEXQXQXQXQXQX"
        " --user-name alice"
    )
    deny = next(one for one in commands(steps) if "put-user-policy" in one)
    policy = json.loads(shlex.split(deny)[-1])
    assert policy["Statement"] == [
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-03-20T12:00:00Z"}},
        }
    ]


def test_a_role_session_is_denied_by_its_id_and_by_its_age() -> None:
    identity = a_role_session()
    principal = Principal(
        "AssumedRole",
        principal_id=identity["principalId"],
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/team/reader",
        session_name="work",
        access_key_id="ASIAROLESESSION00001",
    )
    first, second = [one for one in commands(steps_of(principal)) if "put-role-policy" in one]
    assert shlex.split(first)[4] == "reader"
    assert json.loads(shlex.split(first)[-1])["Statement"][0]["Condition"] == {
        "StringEquals": {"aws:userid": identity["principalId"]}
    }
    assert "aws:TokenIssueTime" in second
    assert not any("update-access-key" in one for one in commands(steps_of(principal)))


def test_no_step_replaces_what_another_denied() -> None:
    """IAM replaces an inline policy by one of the same name: one name, one document."""
    role = f"arn:aws:iam::{ACCOUNT}:role/reader"
    documents: dict[tuple[str, str], set[str]] = {}
    for session in ("work", "play"):
        for moment in (NOON, NOON + timedelta(hours=1)):
            principal = Principal(
                "AssumedRole",
                principal_id=f"AROAREADERQXQXQXQXQXQ:{session}",
                role_arn=role,
                session_name=session,
            )
            for one in commands(steps_of(principal, first_seen=moment, last_seen=moment)):
                words = shlex.split(one)
                if words[:3] == ["aws", "iam", "put-role-policy"]:
                    document = words[words.index("--policy-document") + 1]
                    name = words[words.index("--policy-name") + 1]
                    documents.setdefault((words[4], name), set()).add(document)
    assert len(documents) == 4  # two sessions, two times
    assert all(len(one) == 1 for one in documents.values())


def test_what_stays_behind_is_read_of_every_kind_and_what_is_left_out_is_said() -> None:
    kinds = ["CreateUser", "CreateRole", "PutUserPolicy", "AttachUserPolicy", "CreateAccessKey"]
    kinds += ["UpdateAssumeRolePolicy", "CreateLoginProfile", "PutRolePolicy", "AttachRolePolicy"]
    records = [
        at(NOON - timedelta(minutes=n, seconds=k), eventSource="iam.amazonaws.com", eventName=name)
        for n in range(5)
        for k, name in enumerate(kinds)
    ]
    alert = parse_alerts(json.dumps(records[0]))[0]
    answers = ask_all(alert, alert.principals[0], MemoryStore(records))
    (step,) = (
        one
        for one in next_steps(alert, alert.principals[0], answers)
        if one.title == "Check what stays behind"
    )
    names = {r["eventName"] for r in records if r["eventID"] in step.commands[0]}
    read = sum(record["eventID"] in step.commands[0] for record in records)
    told = {row.event_name for row in answers[3].data.calls} & names
    assert names == told
    assert len(names) > 5
    made = sum(record["eventName"] in names for record in records)
    assert f"The query reads {read} of {made} of them, of each kind at least the newest." in (
        step.text
    )


def test_roles_that_cannot_be_edited_get_no_such_command() -> None:
    for role in ("AWSReservedSSO_Admin_0123456789abcdef", "AWSServiceRoleForSupport"):
        principal = Principal(
            "AssumedRole",
            principal_id="AROAX:me",
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            session_name="me",
        )
        assert not any("aws iam" in command for command in commands(steps_of(principal)))


def test_an_instance_is_isolated() -> None:
    principal = Principal(
        "AssumedRole",
        principal_id="AROAX:i-0123456789abcdef0",
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/web",
        session_name="i-0123456789abcdef0",
    )
    assert any(
        "--instance-id i-0123456789abcdef0" in command for command in commands(steps_of(principal))
    )


def test_the_key_that_made_the_session_is_switched_off_too() -> None:
    minted = an_assumption(eventTime="2026-03-20T11:50:00Z")
    record = at(NOON, userIdentity=a_role_session(created="2026-03-20T11:50:00Z"))
    alert = parse_alerts(json.dumps(record))[0]
    principal = alert.principals[0]
    answers = ask_all(alert, principal, MemoryStore([minted, record]))
    assert (
        "aws iam update-access-key --status Inactive --access-key-id AKIAALICEXQXQXQXQXQX"
        " --user-name alice"
    ) in commands(next_steps(alert, principal, answers))


def test_what_was_made_and_missing_logs_are_steps() -> None:
    record = at(NOON, eventSource="iam.amazonaws.com", eventName="CreateUser")
    alert = parse_alerts(json.dumps(record))[0]
    answers = ask_all(alert, alert.principals[0], MemoryStore([record]))
    titles = [step.title for step in next_steps(alert, alert.principals[0], answers)]
    assert "Check what stays behind" in titles
    assert "Add the missing logs" in titles


def test_a_sample_finding_asks_for_nothing() -> None:
    (step,) = steps_of(Principal("IAMUser", user_name="GeneratedFindingUserName"), sample=True)
    assert step.commands == ()


@given(
    st.one_of(
        st.text(min_size=1, max_size=30),
        st.sampled_from(
            ["$(reboot)", "a; rm -rf /", "'; drop table x; --", "`id`", "a\nb", "\x1b[2J"]
        ),
    )
)
@settings(max_examples=60, deadline=None)
def test_an_attackers_names_stay_single_words_of_the_command(name: str) -> None:
    user = Principal("IAMUser", user_name=name, access_key_id="AKIA" + name)
    role = Principal(
        "AssumedRole",
        principal_id=f"AROAX:{name}",
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        session_name=name,
        access_key_id="ASIA" + name,
    )
    shown = "".join(c if c.isprintable() else "?" for c in name)
    for principal in (user, role):
        for command in commands(steps_of(principal, source_ip_address=name)):
            assert command.isprintable()
            if command.startswith("aws "):
                words = shlex.split(command)
                options = [word for word in words[1:] if word.startswith("--")]
                assert len(words) >= 3 + len(options)
            elif command.startswith("select "):
                # Outside its literals the text holds nothing of the attacker's.
                outside = "".join(command.replace("''", "").split("'")[::2])
                assert ";" not in outside
                assert "--" not in outside
    key_command = commands(steps_of(user))[0]
    if key_command.startswith("aws iam update-access-key"):
        assert shlex.split(key_command)[-1] == shown
        assert shlex.split(key_command)[-3] == "AKIA" + shown


def test_a_weighing_of_the_same_answers_is_the_same() -> None:
    record = at(NOON, userIdentity=a_user())
    alert = parse_alerts(json.dumps(record))[0]
    answers = ask_all(alert, alert.principals[0], MemoryStore([record, *history()]))
    assert weigh(alert, alert.principals[0], answers) == weigh(alert, alert.principals[0], answers)
