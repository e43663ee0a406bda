"""Text that names one thing and no time is answered from what the index knows of that thing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from an_event import a_role_session, an_event
from memory_store import MemoryStore

from alerts import parse_alerts
from alerts.alert import Alert
from enrich.gaps import fill_gaps

EARLY = an_event(eventTime="2026-03-10T09:00:00Z", eventID="aaaaaaaa-0000-4000-8000-000000000001")
LATE = an_event(
    eventTime="2026-03-11T10:00:00Z",
    eventID="aaaaaaaa-0000-4000-8000-000000000002",
    eventName="CreateTags",
    sourceIPAddress="203.0.113.8",
)


def filled(text: str, *records: dict[str, Any]) -> Alert:
    (alert,) = parse_alerts(text)
    return fill_gaps(alert, MemoryStore(records))


def test_an_event_id_stands_for_its_event() -> None:
    alert = filled(f"please look at {EARLY['eventID']}", EARLY, LATE)
    assert alert.first_seen == datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert (alert.event_source, alert.event_name) == ("ec2.amazonaws.com", "DescribeInstances")
    assert [principal.user_name for principal in alert.principals] == ["alice"]
    assert any(EARLY["eventID"] in note for note in alert.notes)


@pytest.mark.parametrize(
    "text",
    ["leaked: AKIAALICEXQXQXQXQXQX", "who is arn:aws:iam::111122223333:user/alice ?"],
)
def test_a_key_or_an_arn_alone_stands_for_its_newest_event(text: str) -> None:
    alert = filled(text, EARLY, LATE)
    assert alert.first_seen == alert.last_seen == datetime(2026, 3, 11, 10, tzinfo=UTC)
    assert (alert.event_name, alert.source_ip_address) == ("CreateTags", "203.0.113.8")
    assert alert.principals[0].principal_id == EARLY["userIdentity"]["principalId"]


def test_a_role_alone_stands_for_the_newest_event_of_its_sessions() -> None:
    use = an_event(
        eventTime="2026-03-11T10:00:00Z",
        eventName="CreateTags",
        userIdentity=a_role_session("reader", "work", path="/team/"),
    )
    alert = filled("who used arn:aws:iam::111122223333:role/team/reader ?", EARLY, use)
    assert alert.first_seen == datetime(2026, 3, 11, 10, tzinfo=UTC)
    assert (alert.event_name, alert.principals[0].session_name) == ("CreateTags", "work")


def test_a_key_with_a_time_keeps_its_time_and_gains_its_owner() -> None:
    alert = filled("AKIAALICEXQXQXQXQXQX used at 2026-03-10T12:30:00Z", EARLY, LATE)
    assert alert.first_seen == datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
    assert alert.principals[0].arn == EARLY["userIdentity"]["arn"]
    assert (alert.event_name, alert.source_ip_address) == (None, None)


def a_finding(**details: Any) -> str:
    """A GuardDuty finding of 12:00 about a session of the role reader, by its key."""
    return json.dumps(
        {
            "schemaVersion": "2.0", "accountId": "111122223333", "region": "eu-west-1",
            "partition": "aws", "id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "arn": "arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/0f",
            "type": "Persistence:IAMUser/AnomalousBehavior", "severity": 8, "title": "Odd",
            "createdAt": "2026-03-11T13:00:00Z", "updatedAt": "2026-03-11T13:00:00Z",
            "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
                "accessKeyId": "ASIA2GDPCIYTPURG5NQJ", "userName": "reader",
                "userType": "AssumedRole", **details}},
            "service": {"count": 1, "eventFirstSeen": "2026-03-11T12:00:00Z",
                        "eventLastSeen": "2026-03-11T12:00:00Z",
                        "action": {"actionType": "AWS_API_CALL", "awsApiCallAction": {
                            "api": "CreateTags", "serviceName": "ec2.amazonaws.com",
                            "remoteIpDetails": {"ipAddressV4": "203.0.113.200"}}}},
        }
    )  # fmt: skip


@pytest.mark.parametrize("details", [{}, {"principalId": "AROAXXXXXXXXXXXXXXXXX:work"}])
def test_a_key_says_which_session_of_a_role_a_finding_is_about(details: dict[str, str]) -> None:
    """Without, only calls from the finding's address would be the identity's: none."""
    use = an_event(
        eventTime="2026-03-11T10:00:00Z",
        userIdentity=a_role_session("reader", "work", key="ASIA2GDPCIYTPURG5NQJ"),
    )
    other = an_event(
        eventTime="2026-03-11T10:30:00Z",
        userIdentity=a_role_session("reader", "else", key="ASIA2GDPCIYTGHHRQVTJ"),
    )
    (principal,) = filled(a_finding(**details), EARLY, use, other).principals
    assert principal.session_name == "work"
    assert principal.principal_id == use["userIdentity"]["principalId"]
    assert principal.session_created is None  # the alert's own call is another

    elsewhere = use | {"userIdentity": a_role_session("admin", "x", key="ASIA2GDPCIYTPURG5NQJ")}
    (principal,) = filled(a_finding(), EARLY, elsewhere).principals
    assert (principal.principal_id, principal.session_name) == (None, None)


def test_what_the_index_does_not_know_stays_as_it_is_and_says_so() -> None:
    unknown = filled("please look at bbbbbbbb-0000-4000-8000-000000000009", EARLY)
    assert unknown.first_seen is None
    assert any("is not in the index" in note for note in unknown.notes)
    key = filled("leaked: AKIANOBODYXQXQXQXQXQ", EARLY)
    assert key.first_seen is None


def test_an_alert_that_says_enough_is_left_alone() -> None:
    (alert,) = parse_alerts(json.dumps(LATE))
    assert fill_gaps(alert, MemoryStore([EARLY, LATE])) is alert
