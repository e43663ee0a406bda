"""What the suspect did: its calls in their order, in sentences, apart from the identity's own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from enrich.calls.deeds import find_deeds, suspect_of, targets_of_alert
from tests.a_page import a_page, table, words
from tests.an_alert import an_alert
from tests.an_event import a_role_session, an_event
from tests.memory_store import MemoryStore
from trail.events import parse_time
from trail.index.build import add
from ui.kit.markup import texts
from ui.triage.strip import MOST_LINES, strip

pytest_plugins = ("tests.case_pages",)

THIEF, HOME = "203.0.113.66", "10.4.1.27"
SESSION = a_role_session(role="web", session="i-0123456789abcdef0", key="ASIAOFTHEINSTANCE0Q1")


def a_call(at: str, name: str, source: str = "s3.amazonaws.com", **changes: Any) -> dict[str, Any]:
    return an_event(
        eventTime=f"2026-03-10T{at}Z", eventName=name, eventSource=source, userIdentity=SESSION,
        **{"sourceIPAddress": THIEF, **changes},
    )  # fmt: skip


def an_object(key: str) -> dict[str, str]:
    return {"bucketName": "shop-orders", "key": key}


CALLS = [
    a_call("02:41:07", "GetCallerIdentity", "sts.amazonaws.com"),
    a_call("02:42:00", "ListRoles", "iam.amazonaws.com", errorCode="AccessDenied"),
    a_call("02:42:30", "DescribeInstances", "ec2.amazonaws.com"),
    a_call("02:48:34", "GetSecretValue", "secretsmanager.amazonaws.com",
           requestParameters={"secretId": "shop/prod/db"}, errorCode="AccessDenied"),
    *(a_call(f"02:5{minute}:10", "GetObject",
             requestParameters=an_object(f"2026/03/{minute}.csv")) for minute in range(5)),
    a_call("02:54:30", "AssumeRole", "sts.amazonaws.com", errorCode="AccessDenied",
           requestParameters={"roleArn": "arn:aws:iam::111122223333:role/Ops"}),
    *(a_call(f"02:5{minute}:20", "GetObject",
             requestParameters=an_object(f"2026/03/{minute}.csv")) for minute in range(5, 7)),
    *(a_call(f"01:{minute}:00", "GetObject", sourceIPAddress=HOME,
             requestParameters=an_object("x")) for minute in range(10, 30)),
]  # fmt: skip


def test_the_strip_is_the_thief_s_calls_in_sentences_and_none_of_the_instance_s() -> None:
    alert = an_alert(CALLS[4])
    found = find_deeds(alert, alert.principals[0], MemoryStore(CALLS))
    assert found is not None
    assert (found.by, found.value) == ("address", THIEF)
    assert (found.calls, found.others) == (12, 20)
    assert [(f"{deed.first:%H:%M:%S}", deed.count, deed.failed, deed.words)
            for deed in found.deeds] == [
        ("02:41:07", 1, 0, "asked who it is"),
        ("02:42:00", 1, 1, "tried to call ListRoles"),
        ("02:42:30", 1, 0, "looked: DescribeInstances"),
        ("02:48:34", 1, 1, "tried to read secret shop/prod/db"),
        ("02:50:10", 7, 0, "read 7 objects below shop-orders/2026/03/"),
        ("02:54:30", 1, 1, "tried to become role arn:aws:iam::111122223333:role/Ops"),
    ]  # fmt: skip


def test_a_look_around_is_one_line_and_what_is_done_between_parts_two() -> None:
    looks = [
        a_call(f"02:42:{second:02}", f"Describe{name}", "ec2.amazonaws.com")
        for second, name in enumerate(["Vpcs", "Subnets", "Vpcs", "Images"])
    ]
    made = a_call("02:43:00", "CreateKeyPair", "ec2.amazonaws.com",
                  requestParameters={"keyName": "backup"}, readOnly=False)  # fmt: skip
    later = a_call("02:43:10", "DescribeKeyPairs", "ec2.amazonaws.com")
    every = [*looks, made, later]
    alert = an_alert(made)
    found = find_deeds(alert, alert.principals[0], MemoryStore(every))
    assert found is not None
    assert [deed.words for deed in found.deeds] == [
        "looked around: DescribeVpcs, DescribeSubnets and DescribeImages",
        "made key pair backup",
        "looked: DescribeKeyPairs",
    ]
    assert [deed.matters for deed in found.deeds] == [False, True, False]


@pytest.mark.parametrize(
    ("name", "source", "request_parameters", "response", "said"),
    [
        ("CreateAccessKey", "iam", {"userName": "backup"},
         {"accessKey": {"accessKeyId": "AKIA2GDPCIYTPURG5NQJ", "userName": "backup"}},
         "made access key AKIA2GDPCIYTPURG5NQJ (user backup)"),
        ("CreateUser", "iam", {"userName": "backup"}, None, "made user backup"),
        ("CreateLoginProfile", "iam", {"userName": "backup"}, None,
         "called CreateLoginProfile on user backup"),
        ("AttachUserPolicy", "iam",
         {"userName": "backup", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, None,
         "called AttachUserPolicy on user backup,"
         " policy arn:aws:iam::aws:policy/AdministratorAccess"),
        ("StopLogging", "cloudtrail", {"name": "main"}, None, "called StopLogging on trail main"),
        ("CreateTags", "ec2", None, None, "called CreateTags"),
        ("PutObject", "s3", an_object("a.csv"), None, "wrote object shop-orders/a.csv"),
    ],
)  # fmt: skip
def test_a_call_does_to_a_thing_only_what_it_is_named_after(
    name: str, source: str, request_parameters: Any, response: Any, said: str
) -> None:
    made = a_call("02:00:00", name, f"{source}.amazonaws.com", readOnly=False,
                  requestParameters=request_parameters, responseElements=response)  # fmt: skip
    alert = an_alert(made)
    found = find_deeds(alert, alert.principals[0], MemoryStore([made]))
    assert found is not None
    assert [deed.words for deed in found.deeds] == [said]


def test_a_run_that_pauses_for_long_begins_again() -> None:
    every = [a_call(at, "PutObject", requestParameters=an_object(at), readOnly=False)
             for at in ("02:00:00", "02:09:00", "02:30:00")]  # fmt: skip
    alert = an_alert(every[0])
    found = find_deeds(alert, alert.principals[0], MemoryStore(every))
    assert found is not None
    assert [deed.count for deed in found.deeds] == [2, 1]


def test_what_the_suspect_is_known_by() -> None:
    alert = an_alert(CALLS[0])
    person = alert.principals[0]
    assert suspect_of(alert, person) == ("address", THIEF)
    by_service = replace(alert, source_ip_address="ec2.amazonaws.com")
    assert suspect_of(by_service, person) == ("key", "ASIAOFTHEINSTANCE0Q1")
    masked = replace(person, access_key_id="ASIA****************")
    assert suspect_of(by_service, masked) == ("client", alert.user_agent)
    assert suspect_of(replace(by_service, user_agent=None), masked) is None
    untimed = replace(alert, first_seen=None)
    assert find_deeds(untimed, person, MemoryStore(CALLS)) is None


def test_the_alert_s_call_acted_on_what_its_calls_in_its_time_name() -> None:
    alert = replace(an_alert(CALLS[4]), raw="")
    alert = replace(alert, last_seen=parse_time("2026-03-10T02:52:00Z"))
    found = find_deeds(alert, alert.principals[0], MemoryStore(CALLS))
    assert [one.name for one in targets_of_alert(alert, found)] == [
        "shop-orders/2026/03/0.csv", "shop-orders/2026/03/1.csv",
    ]  # fmt: skip
    assert targets_of_alert(replace(alert, event_name=None), found) == ()


def test_a_stretch_brushed_in_the_timeline_cuts_the_lines() -> None:
    alert = an_alert(CALLS[4])
    found = find_deeds(alert, alert.principals[0], MemoryStore(CALLS))
    assert found is not None
    stretch = parse_time("2026-03-10T02:50:00Z"), parse_time("2026-03-10T02:53:00Z")
    assert stretch[0] is not None
    assert stretch[1] is not None
    said = texts([strip(found, (stretch[0], stretch[1]))])
    assert "3 calls in the chosen 10 Mar 02:50:00 to 10 Mar 2026 02:53:00 UTC" in said
    assert "read 3 objects below shop-orders/2026/03/" in said
    assert "3 × GetObject" in said
    assert "asked who it is" not in said


def test_what_is_cut_leads_to_the_whole() -> None:
    alert = an_alert(CALLS[4])
    found = find_deeds(alert, alert.principals[0], MemoryStore(CALLS))
    assert found is not None
    words = "Every call of that time from it"
    assert words not in texts([strip(found)])
    many = replace(found, deeds=found.deeds * MOST_LINES)
    drawn = strip(many)
    (said,) = [one for one in texts([drawn]) if one.startswith("The first ")]
    assert said == f"The first {MOST_LINES} of {len(many.deeds)} lines."
    assert f"ip={THIEF}" in str(drawn)
    cut = strip(replace(found, calls=found.shown + 1))
    assert words in texts([cut])
    assert not any(one.startswith("The first ") for one in texts([cut]))


@pytest.mark.usefixtures("own_folders")
def test_the_page_has_it_beside_the_chain(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.json").write_text(json.dumps({"Records": CALLS}))
    add([tmp_path / "logs"], tmp_path / "index")
    at = a_page("triage", {"event": CALLS[4]["eventID"]})
    assert not at.exception
    rows = table(at, "What the suspect did")
    assert [row[0] for row in rows] == [
        "10 Mar 02:41:07", "02:42:00", "02:42:30", "02:48:34", "02:50:10 – 02:56:20", "02:54:30",
    ]  # fmt: skip
    assert rows[4][1:] == ["read 7 objects below shop-orders/2026/03/", "▲ succeeded",
                           "7 × GetObject"]  # fmt: skip
    assert "12 calls within a day of the alert; 20 other calls of the identity left out" in words(
        at
    )


def test_a_sessions_own_switch_is_told_as_its_arrival() -> None:
    """The console writes it as made by the session that came of it (§2.2)."""
    switch = an_event(
        eventTime="2026-03-10T02:00:00Z",
        eventSource="signin.amazonaws.com",
        eventName="SwitchRole",
        sourceIPAddress=THIEF,
        userIdentity={name: SESSION[name] for name in ("type", "principalId", "arn", "accountId")},
    )
    alert = an_alert(CALLS[4])
    found = find_deeds(alert, alert.principals[0], MemoryStore([switch, *CALLS]))
    assert found is not None
    assert found.deeds[0].words == "switched into the role"
