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


def test_what_the_index_does_not_know_stays_as_it_is_and_says_so() -> None:
    unknown = filled("please look at bbbbbbbb-0000-4000-8000-000000000009", EARLY)
    assert unknown.first_seen is None
    assert any("is not in the index" in note for note in unknown.notes)
    key = filled("leaked: AKIANOBODYXQXQXQXQXQ", EARLY)
    assert key.first_seen is None


def test_an_alert_that_says_enough_is_left_alone() -> None:
    (alert,) = parse_alerts(json.dumps(LATE))
    assert fill_gaps(alert, MemoryStore([EARLY, LATE])) is alert
