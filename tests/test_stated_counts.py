"""A sentence and its evidence agree: every number stated is counted again from the raw records, and
every event cited is one of those that the words are about.
"""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore
from recount import check, stated

from alerts import parse_alerts
from alerts.alert import Alert
from enrich import ask_all
from trail.store import Store

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
OTHER = "444455556666"
IPS = ["198.51.100.7", "198.51.100.8", "203.0.113.66", "AWS Internal"]
AGENTS = ["aws-cli/2.15.0 Python/3.11.6 Linux/6.1", "curl/8.5.0", "Boto3/1.34 kali", None]
ERRORS = [None, None, None, "AccessDenied", "ThrottlingException"]
SOURCES = {
    "DescribeInstances": "ec2",
    "RunInstances": "ec2",
    "ConsoleLogin": "signin",
    "CreateAccessKey": "iam",
    "StopLogging": "cloudtrail",
    "GetSecretValue": "secretsmanager",
    "GetParameter": "ssm",
    "ListFunctions20150331": "lambda",
    "AssumeRole": "sts",
}
burst = st.fixed_dictionaries(
    {
        "name": st.sampled_from([*SOURCES, "ConsoleLogin", "AssumeRole", "AssumeRole", "Probe"]),
        # Most of it around the alert, the rest over five weeks.
        "before": st.one_of(
            st.integers(0, 24 * 60), st.integers(0, 15 * 24 * 60), st.integers(0, 50 * 24 * 60)
        ).map(lambda minutes: timedelta(minutes=minutes)),
        "times": st.sampled_from([1, 1, 2, 3, 7, 12, 30]),
        "apart": st.sampled_from([1, 5, 60, 24 * 3600]),
        "session": st.sampled_from(["work", "peer"]),
        "ip": st.sampled_from(IPS),
        "agent": st.sampled_from(AGENTS),
        "error": st.sampled_from(ERRORS),
        "named": st.booleans(),
        "twice": st.booleans(),
    }
)


def a_call(of: dict[str, Any], number: int, who: str) -> list[dict[str, Any]]:
    """One call of a burst: its record, and the other account's copy where it is logged twice."""
    name, moment = of["name"], NOON - of["before"] - timedelta(seconds=number * of["apart"])
    time = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    identity = a_user() if who == "user" else a_role_session("reader", of["session"])
    fields: dict[str, Any] = {
        "eventTime": time,
        "userIdentity": identity,
        "sourceIPAddress": of["ip"],
        "userAgent": of["agent"],
        "errorCode": of["error"],
        "errorMessage": "no" if of["error"] else None,
    }
    if name == "Probe":
        fields |= {"eventName": f"List{chr(65 + number % 26)}Things", "errorCode": "AccessDenied"}
        return [an_event(**fields)]
    fields |= {"eventName": name, "eventSource": f"{SOURCES[name]}.amazonaws.com"}
    if name == "ConsoleLogin":
        outcome = "Failure" if of["error"] else "Success"
        fields |= {"responseElements": {"ConsoleLogin": outcome}, "errorCode": None}
        fields |= {"additionalEventData": {"MFAUsed": "Yes" if of["named"] else "No"}}
        fields |= {"errorMessage": "Failed authentication" if of["error"] else None}
    if name == "RunInstances" and of["named"]:
        fields |= {"requestParameters": {"userData": "c2VjcmV0", "instanceType": "t3.micro"}}
    if name == "AssumeRole":
        return _an_assumption(of, number, fields)
    records = [an_event(**fields)]
    if of["twice"]:
        shared = f"shared-{records[0]['eventID']}"
        twin = an_event(**fields, recipientAccountId=OTHER)
        records = [one | {"sharedEventID": shared} for one in (records[0], twin)]
    return records


def _an_assumption(of: dict[str, Any], number: int, fields: dict[str, Any]) -> list[dict[str, Any]]:
    # The same name in many accounts, or many names in one; a refusal may not say which.
    account, name = (f"{number % 30:012}", "admin") if of["named"] else (ACCOUNT, f"r{number % 9}")
    if of["error"] is None:
        fields |= {"responseElements": None}
        return [an_assumption(name, "next", account=account, key=f"ASIANEXT{number:012}") | {
            key: fields[key] for key in ("eventTime", "userIdentity", "sourceIPAddress")
        } | {"recipientAccountId": ACCOUNT}]  # fmt: skip
    target = f" on resource: arn:aws:iam::{account}:role/team/{name}"
    if of["twice"] and number % 3 == 0:
        target = ""
    said = f"User: somebody is not authorized to perform: sts:AssumeRole{target}"
    return [an_event(**fields | {"errorMessage": said})]


USUAL: dict[str, Any] = {
    "before": timedelta(days=1),
    "session": "work",
    "ip": IPS[0],
    "agent": AGENTS[0],
    "error": None,
    "named": False,
    "twice": False,
    "apart": 12 * 3600,
}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Alert, list[dict[str, Any]]]:
    """An alert, as a record or as a finding over hours, and the records of an index around it."""
    who = draw(st.sampled_from(["user", "role"]))
    bursts = draw(st.lists(burst, max_size=9))
    records = [one for of in bursts for n in range(of["times"]) for one in a_call(of, n, who)]
    # A history that something can be new against, or usual in.
    habit = draw(st.sampled_from([None, "DescribeInstances", "CreateAccessKey", "GetSecretValue"]))
    if habit is not None:
        records += [r for n in range(30) for r in a_call({**USUAL, "name": habit}, n, who)]
    if draw(st.sampled_from([True, True, False])):  # every day is covered
        records += [
            an_event(
                eventTime=f"{NOON - timedelta(days=n, hours=1):%Y-%m-%dT%H:%M:%SZ}",
                userIdentity=a_user("bob"),
            )
            for n in range(-2, 60)
        ]
    mine = {**draw(burst), "before": timedelta(0), "twice": False}
    if habit is not None and draw(st.booleans()):
        mine = {**USUAL, "name": habit, "before": timedelta(0)}
    (record,) = a_call(mine, 0, who)
    (alert,) = parse_alerts(json.dumps(record))
    if draw(st.booleans()):
        alert = replace(
            alert,
            event_id=None,
            event_ids=(),
            source="guardduty",
            first_seen=NOON - timedelta(hours=draw(st.integers(0, 30))),
            user_agent=draw(st.sampled_from([alert.user_agent, None])),
        )
    return alert, [*records, record]


MET: Counter[str] = Counter()


@given(worlds())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # What fails is named by its sentence; shrinking a world of hundreds of events takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_every_number_is_counted_again_and_every_event_fits(
    world: tuple[Alert, list[dict[str, Any]]],
) -> None:
    alert, records = world
    principal = alert.principals[0]
    answers = ask_all(alert, principal, MemoryStore(records))
    MET.update(check(alert, principal, answers, records))


def test_numbers_that_count_are_told_from_those_that_name() -> None:
    assert stated("2,900 calls to S3 and 1 to EC2 from 203.0.113.9 since 2026-03-20") == [
        "2,900",
        "1",
    ]
    assert stated("UpdateFunctionCode20150331v2 13 times (T1098.001) in the 7 days") == ["13"]


def _real(folder: Path) -> list[dict[str, Any]]:
    records = []
    for path in sorted(folder.rglob("*.json")):
        records += json.loads(path.read_bytes())["Records"]
    for path in sorted(folder.rglob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json") and "__MACOSX" not in name:
                    lines = archive.read(name).decode().splitlines()
                    records += [json.loads(line) for line in lines if line.strip()]
    # One set came through Logstash, which kept the time under a name of its own.
    return [{"eventTime": record.get("@timestamp"), **record} for record in records]


@pytest.mark.parametrize(
    ("folder", "name"), [("stratus-run-2023", "stratus_store"), ("ec2-proxy-s3-2020", "ec2_store")]
)
def test_the_real_logs_sentences_hold(
    folder: str, name: str, real_data: Path, request: pytest.FixtureRequest
) -> None:
    store: Store = request.getfixturevalue(name)
    records = _real(real_data / folder)
    # One alert of each identity and call that succeeded, and of each that failed.
    kinds: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in sorted(records, key=lambda one: one["eventTime"], reverse=True):
        identity = record["userIdentity"]
        if identity.get("type") in ("IAMUser", "AssumedRole", "Root") and identity.get("arn"):
            key = (identity["principalId"], record["eventSource"], "errorCode" in record)
            kinds.setdefault(key, record)
    asked = list(kinds.values())[:: max(1, len(kinds) // 10)]
    assert asked
    for record in asked:
        (alert,) = parse_alerts(json.dumps(record))
        principal = alert.principals[0]
        check(alert, principal, ask_all(alert, principal, store), records)
