"""Counts from the day rollup and a window's edges, beside a plain count of the window's events."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from an_event import a_role_session, an_event
from hypothesis import example, given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore

from enrich import newest
from enrich.calls_sql import bounds, calls_in, counted_calls
from enrich.newest import Found, Groups, newest_events, newest_of_each
from enrich.window import Window

MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ROLE = a_role_session("reader", "work")
COPY = {
    "type": "AWSAccount",
    "accountId": ROLE["accountId"],
    "principalId": ROLE["principalId"],
}
MINE = "identity_id = $entity_id"
ME = {"entity_id": ROLE["principalId"].partition(":")[0]}

moments = st.tuples(
    st.integers(0, 4), st.sampled_from([0, 0, 1, 43_200, 82_800, 86_399]), st.sampled_from([0, 500])
).map(lambda t: MIDNIGHT + timedelta(days=t[0], seconds=t[1], milliseconds=t[2]))
one_event = st.fixed_dictionaries(
    {
        "at": moments,
        "who": st.sampled_from([ROLE, ROLE, COPY, a_role_session("writer", "work")]),
        "source": st.sampled_from(["ec2.amazonaws.com", "s3.amazonaws.com", None]),
        "error": st.sampled_from([None, None, "AccessDenied"]),
        "message": st.sampled_from([None, "no", "not authorized"]),
        "ip": st.sampled_from(["198.51.100.7", None]),
        "agent": st.sampled_from(["Boto3/1.34.0", None]),
        "shared": st.sampled_from([None, None, None, "a", "b"]),
    }
)


def record_of(event: dict[str, Any]) -> dict[str, Any]:
    return an_event(
        eventID=event["id"],
        eventTime=event["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        userIdentity=event["who"],
        eventSource=event["source"],
        errorCode=event["error"],
        errorMessage=event["message"],
        sourceIPAddress=event["ip"],
        userAgent=event["agent"],
        sharedEventID=event["shared"],
        recipientAccountId="444455556666" if event["who"] is COPY else ROLE["accountId"],
    )


def a_history(events: list[dict[str, Any]]) -> tuple[MemoryStore, list[dict[str, Any]]]:
    """The store, and the role's own events."""
    numbered = [event | {"id": f"id-{number:03}"} for number, event in enumerate(events)]
    store = MemoryStore(map(record_of, numbered))
    return store, [event for event in numbered if event["who"] in (ROLE, COPY)]


def once(events: list[dict[str, Any]]) -> int:
    """How many calls: those with one shared id are one."""
    alone = [event for event in events if event["shared"] is None]
    return len(alone) + len({event["shared"] for event in events} - {None})


CALL = {
    "at": MIDNIGHT + timedelta(days=1, seconds=1),
    "who": ROLE,
    "source": "s3.amazonaws.com",
    "error": "AccessDenied",
    "message": "no",
    "ip": None,
    "agent": "Boto3/1.34.0",
    "shared": "a",
}
FIVE_DAYS = (MIDNIGHT, MIDNIGHT + timedelta(days=5))


@example([CALL, CALL | {"who": COPY}], *FIVE_DAYS, True)
@example([CALL, CALL | {"who": COPY, "at": MIDNIGHT}, CALL], *FIVE_DAYS, False)
@given(st.lists(one_event, max_size=30), moments, moments, st.booleans())
@settings(max_examples=60, deadline=None)
def test_counts_are_those_of_the_events(
    events: list[dict[str, Any]], one_end: datetime, other_end: datetime, open_end: bool
) -> None:
    store, mine = a_history(events)
    window = Window(min(one_end, other_end), max(one_end, other_end))
    inside: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for event in mine:
        if window.first <= event["at"] < window.last or (
            event["at"] == window.last and not open_end
        ):
            inside[event["source"], event["ip"], event["at"].date()].append(event)

    rows = store.query(
        counted_calls(
            {"source": "event_source", "ip": "source_ip_address", "day": "day"},
            {"failed": "failed", "by_agent": "user_agent is not null"},
            calls_in(MINE, open_end=open_end),
        ),
        ME | bounds(MINE, window),
    ).rows
    assert {
        (row["source"], row["ip"], row["day"]): (
            row["events"],
            row["calls"],
            row["failed"],
            row["by_agent"],
            row["first"],
            row["last"],
            row["a_message"],
        )
        for row in rows
    } == {
        key: (
            len(found),
            once(found),
            once([event for event in found if event["error"]]),
            once([event for event in found if event["agent"]]),
            min(event["at"] for event in found),
            max(event["at"] for event in found),
            max((event["message"] for event in found if event["message"]), default=None),
        )
        for key, found in inside.items()
    }

    by_hour: dict[int, int] = defaultdict(int)
    for event in sum(inside.values(), []):
        by_hour[event["at"].hour] += 1
    rows = store.query(
        "select hour, sum(n)::bigint as n from"
        f" {calls_in(MINE, open_end=open_end, by_hour=True)} as calls group by hour",
        ME | bounds(MINE, window),
    ).rows
    assert {row["hour"]: row["n"] for row in rows} == by_hour


@pytest.mark.parametrize("at_once", [1, 50_000])
@given(events=st.lists(one_event, min_size=1, max_size=60), limit=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_newest_ids_are_the_newest(at_once: int, events: list[dict[str, Any]], limit: int) -> None:
    store, mine = a_history(events)
    newest_first = sorted(mine, key=lambda event: (-event["at"].timestamp(), event["id"]))
    of_source: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in newest_first:
        of_source[event["source"] or ""].append(event)
    found = {
        (source,): Found(len(members), members[-1]["at"], members[0]["at"])
        for source, members in of_source.items()
    }
    groups = Groups(limit, lambda row: (row["event_source"] or "",), "event_source", "event_source")
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(newest, "AT_ONCE", at_once)
        rows, _ = newest_events(store, MINE, ME, list(found.values()), limit)
        ids, _ = newest_of_each(store, MINE, ME, groups, found, rows)
    assert [row["event_id"] for row in rows] == [event["id"] for event in newest_first[:limit]]
    assert ids == {
        (source,): [event["id"] for event in members[:limit]]
        for source, members in of_source.items()
    }
