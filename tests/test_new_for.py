"""New for whom: this identity, its peers, the account, everything indexed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from alerts.alert import Alert
from enrich.calls.new_for import Level, Levels, find_levels
from tests.an_alert import an_alert
from tests.an_event import a_role_session, a_user, an_event
from tests.memory_store import MemoryStore
from ui.kit.markup import texts
from ui.triage.newness import levels_table

OTHER = "444455556666"


def at(day: int, **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=f"2026-03-{day:02}T09:00:00Z", **changes)


def of_session(name: str) -> dict[str, Any]:
    return a_role_session(role="ops", session=name, key=f"ASIAOFSESSION{name.upper():Q<7}")


HERE, THERE = "198.51.100.7", "203.0.113.66"
ALERT = at(20, userIdentity=of_session("ann"), sourceIPAddress=THERE, eventName="StopLogging",
           eventSource="cloudtrail.amazonaws.com")  # fmt: skip
RECORDS = [
    ALERT,
    *(at(day, userIdentity=of_session("ann"), sourceIPAddress=HERE) for day in (10, 11)),
    at(12, userIdentity=of_session("bob"), sourceIPAddress=THERE),
    at(13, userIdentity=of_session("cat"), sourceIPAddress=HERE),
    # Another identity of the account stopped logging; another account's used the address.
    at(14, userIdentity=a_user("dan"), eventName="StopLogging",
       eventSource="cloudtrail.amazonaws.com"),
    at(15, userIdentity=a_user("eve", OTHER), recipientAccountId=OTHER, sourceIPAddress=THERE),
    # Before the window, and on its last day, which is none of the whole ones.
    at(1, userIdentity=of_session("ann"), sourceIPAddress=THERE),
    at(19, userIdentity=of_session("ann"), sourceIPAddress=THERE),
]  # fmt: skip


def levels_of(record: dict[str, Any], *further: dict[str, Any]) -> tuple[Alert, Levels]:
    """The alert of a record, and its levels among `RECORDS` over the baseline's window."""
    alert = an_alert(record)
    assert alert.first_seen is not None
    window = alert.first_seen - timedelta(days=14), alert.first_seen - timedelta(hours=12)
    found = find_levels(alert, alert.principals[0], MemoryStore([*RECORDS, *further]), *window)
    assert found is not None
    return alert, found


def test_each_property_is_counted_at_four_levels() -> None:
    _, found = levels_of(ALERT)
    assert (found.first, found.last, found.peers) == (date(2026, 3, 7), date(2026, 3, 18), 2)
    assert found.of["source_ip_address"] == Level(own=0, peers=1, account=1, everything=2)
    assert found.of["event_name"] == Level(own=0, peers=0, account=1, everything=1)
    assert found.of["event_source"] == Level(own=0, peers=0, account=1, everything=1)
    assert found.of["user_agent"] == Level(own=2, peers=2, account=5, everything=6)


def test_a_level_without_history_says_nothing() -> None:
    """A user has no peers; of whom nothing was seen before, nothing is called new."""
    record = at(20, userIdentity=a_user("zoe"))
    _, found = levels_of(record, record)
    assert found.peers is None
    assert found.of["source_ip_address"].own is None
    assert found.of["source_ip_address"].peers is None
    assert found.of["source_ip_address"].account is not None


def test_the_table_says_new_and_how_many_peers() -> None:
    alert, found = levels_of(ALERT)
    said = texts([levels_table(alert, found)])
    # The address for it; call and service for it and for its peers.
    assert said.count("▲ new") == 5
    assert "1 of 2" in said
