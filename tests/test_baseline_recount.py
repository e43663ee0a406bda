"""Random histories: three questions against a plain recount that shares none of their code."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from an_event import a_role_session, an_event
from answered import data_of
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore

from alerts import parse_alerts
from enrich.questions import baseline, interesting_calls, services_used

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
EDGES = [
    timedelta(days=14),
    timedelta(days=7),
    timedelta(hours=12),
    timedelta(0),
]
IPS = ["198.51.100.7", "198.51.100.8", "203.0.113.5"]
AGENTS = ["aws-cli/2.15.0 Python/3.11.6 Linux/6.1", "Boto3/1.34.0", None]
CALLS = [
    ("ec2.amazonaws.com", "DescribeInstances"),
    ("ec2.amazonaws.com", "GetPasswordData"),
    ("s3.amazonaws.com", "GetObject"),
    ("iam.amazonaws.com", "CreateUser"),
    ("lambda.amazonaws.com", "ListFunctions20150331"),
]

before = st.one_of(
    st.tuples(st.sampled_from(EDGES), st.integers(-1, 1)).map(
        lambda pair: pair[0] + timedelta(seconds=pair[1])
    ),
    st.integers(0, 20 * 24).map(lambda hours: timedelta(hours=hours)),
)
one_call = st.fixed_dictionaries(
    {
        "before": before,
        "role": st.sampled_from(["reader", "reader", "reader", "writer"]),
        "session": st.sampled_from(["work", "peer", "other"]),
        "ip": st.sampled_from(IPS),
        "agent": st.sampled_from(AGENTS),
        "call": st.sampled_from(CALLS),
        "error": st.sampled_from([None, None, "AccessDenied"]),
        "twice": st.booleans(),
    }
)


def records_of(number: int, call: dict[str, Any]) -> list[dict[str, Any]]:
    """The call's record, and the other account's copy of it where it is logged twice."""
    source, name = call["call"]
    identity = a_role_session(call["role"], call["session"])
    fields: dict[str, Any] = {
        "eventTime": (NOON - call["before"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": source,
        "eventName": name,
        "sourceIPAddress": call["ip"],
        "userAgent": call["agent"],
    }
    if call["error"]:
        fields["errorCode"] = call["error"]
    if not call["twice"]:
        return [an_event(userIdentity=identity, **fields)]
    fields["sharedEventID"] = f"shared-{number}"
    owner = {
        "type": "AWSAccount",
        "accountId": identity["accountId"],
        "principalId": identity["principalId"],
    }
    return [
        an_event(userIdentity=owner, recipientAccountId="444455556666", **fields),
        an_event(userIdentity=identity, **fields),
    ]


@given(st.lists(one_call, max_size=25))
@settings(max_examples=25, deadline=None)
def test_every_count_equals_a_plain_recount(history: list[dict[str, Any]]) -> None:
    alert_call = {
        "before": timedelta(0),
        "role": "reader",
        "session": "work",
        "ip": IPS[0],
        "agent": AGENTS[0],
        "call": CALLS[0],
        "error": None,
        "twice": False,
    }
    everything = [alert_call, *history]
    records = [record for n, call in enumerate(everything) for record in records_of(n, call)]
    alert = parse_alerts(json.dumps(records[0]))[0]
    principal, store = alert.principals[0], MemoryStore(records)

    of_role = [call for call in everything if call["role"] == "reader"]
    mine = [call for call in of_role if call["session"] == "work" or call["ip"] == IPS[0]]
    week = [call for call in mine if timedelta(0) <= call["before"] <= timedelta(days=7)]

    services = data_of(services_used.ask(alert, principal, store))
    counted = Counter(call["call"][0] for call in week)
    failed = Counter(call["call"][0] for call in week if call["error"])
    assert {row["event_source"]: row["count"] for row in services["services"]} == counted
    assert {row["event_source"]: row["failed"] for row in services["services"]} == {
        source: failed[source] for source in counted
    }
    assert services["total"] == len(week)
    per_day: dict[str, Counter[str]] = defaultdict(Counter)
    for call in week:
        per_day[call["call"][0]][f"{(NOON - call['before']).date()}"] += 1
    for row in services["services"]:
        assert {day["day"]: day["count"] for day in row["days"]} == per_day[row["event_source"]]

    calls = data_of(interesting_calls.ask(alert, principal, store))
    dull = ("DescribeInstances", "GetObject", "ListFunctions20150331")
    expected = Counter(
        (*call["call"], call["error"])
        for call in week
        if call["error"] or call["call"][1] not in dull
    )
    assert expected == {
        (row["event_source"], row["event_name"], row["error_code"]): row["count"]
        for row in calls["calls"]
    }
    assert (calls["total"], calls["failed"]) == (
        expected.total(),
        sum(count for key, count in expected.items() if key[2]),
    )

    data = data_of(baseline.ask(alert, principal, store))
    for view, members in ((data, mine), (data["whole_role"], of_role)):
        old = [
            call for call in members if timedelta(hours=12) < call["before"] <= timedelta(days=14)
        ]
        if data["events"] is None:  # nothing at all is indexed for the window
            assert not old
            continue
        like = [call for call in old if call["call"] == CALLS[0]]
        assert view["events"] == len(old)
        assert view["active_days"] == len({(NOON - call["before"]).date() for call in old})
        same = view["same_api"]
        assert same["same_ip"] == sum(call["ip"] == IPS[0] for call in like)
        assert same["same_agent"] == sum(call["agent"] == AGENTS[0] for call in like)
        assert same["same_ip_and_agent"] == sum(
            call["ip"] == IPS[0] and call["agent"] == AGENTS[0] for call in like
        )
        for pairs, among in ((same["pairs"], like), (view["all_apis"]["pairs"], old)):
            assert {
                (pair["source_ip_address"], pair["user_agent"]): pair["count"] for pair in pairs
            } == Counter((call["ip"], call["agent"]) for call in among)
        unseen = {
            "source_ip_address": not any(call["ip"] == IPS[0] for call in old),
            "user_agent": not any(call["agent"] == AGENTS[0] for call in old),
            "event_name": not like,
            "event_source": not any(call["call"][0] == CALLS[0][0] for call in old),
            "aws_region": not old,
        }
        assert view["new"] == [field for field, is_new in unseen.items() if is_new]
