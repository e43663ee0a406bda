"""Counts from the day rollup and a window's edges, beside a plain count of the window's events."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from an_event import a_role_session, an_event
from hypothesis import example, given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore

from enrich.calls.calls_sql import bounds, calls_in, counted_calls, each_call_once, grouped_calls
from enrich.calls.history import History, one_copy_each
from enrich.window import Window
from trail.events import ROLLUP_IDS

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
    numbered = [
        event
        | {"id": f"id-{number:03}"}
        # Of a call in two accounts the earliest record counts: no two are as early.
        | ({"at": event["at"] + timedelta(microseconds=number)} if event["shared"] else {})
        for number, event in enumerate(events)
    ]
    store = MemoryStore(map(record_of, numbered))
    return store, [event for event in numbered if event["who"] in (ROLE, COPY)]


Groups = dict[tuple[Any, ...], list[dict[str, Any]]]


def one_group_each(groups: Groups) -> tuple[Groups, Counter[tuple[Any, ...]]]:
    """Of each shared id the records in one group alone: with the caller's record, if there is one,
    else with the earliest. And how many records are told of in that group instead of in theirs.
    """
    kept: Groups = {key: [e for e in found if e["shared"] is None] for key, found in groups.items()}
    told_of = Counter[tuple[Any, ...]]()
    for shared in ("a", "b"):
        having = {key: [e for e in found if e["shared"] == shared] for key, found in groups.items()}
        having = {key: found for key, found in having.items() if found}
        if having:
            best = min(
                having,
                key=lambda key: (
                    all(event["who"] is COPY for event in having[key]),
                    min(event["at"] for event in having[key]),
                ),
            )
            kept[best] += having[best]
            told_of[best] += sum(len(found) for key, found in having.items() if key != best)
    return {key: found for key, found in kept.items() if found}, told_of


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
    inside: Groups = defaultdict(list)
    for event in mine:
        if window.first <= event["at"] < window.last or (
            event["at"] == window.last and not open_end
        ):
            inside[event["source"], event["ip"], event["at"].date()].append(event)

    keys = {"source": "event_source", "ip": "source_ip_address", "day": "day"}
    conditions = {"failed": "failed", "by_agent": "user_agent is not null"}
    counted = store.query(
        counted_calls(keys, conditions, calls_in(MINE, open_end=open_end)),
        ME | bounds(MINE, window),
    ).rows
    rows = each_call_once(counted, keys, conditions)
    counts, told_of = one_group_each(inside)
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
            len(found) + told_of[key],
            once(found),
            once([event for event in found if event["error"]]),
            once([event for event in found if event["agent"]]),
            min(event["at"] for event in found),
            max(event["at"] for event in found),
            max((event["message"] for event in found if event["message"]), default=None),
        )
        for key, found in counts.items()
    }

    for row in rows:
        key = (row["source"], row["ip"], row["day"])
        found = counts[key]
        ids = row["event_ids"]
        elsewhere = {event["id"] for events in inside.values() for event in events}
        assert set(ids) <= ({event["id"] for event in found} if not told_of[key] else elsewhere)
        # The newest first; all of them while no more than the rollup names of one kind.
        if not any(event["shared"] for event in found):
            assert max(found, key=lambda event: (event["at"], event["id"]))["id"] == ids[0]
        assert len(ids) == len(found) + told_of[key] or len(ids) >= ROLLUP_IDS


@given(st.lists(one_event, max_size=30), moments, moments)
@settings(max_examples=60, deadline=None)
def test_a_history_is_that_of_the_calls(
    events: list[dict[str, Any]], one_end: datetime, other_end: datetime
) -> None:
    events = [event | {"shared": None} for event in events]
    store, mine = a_history(events)
    window = Window(min(one_end, other_end), max(one_end, other_end))
    inside = [event for event in mine if window.first <= event["at"] < window.last]
    keys = {
        "day": "day",
        "source_ip_address": "source_ip_address",
        "user_agent": "user_agent",
        "session_name": "session_name",
        "error_code": "error_code",
        "failed": "failed",
        "in_entity": "source_ip_address is not null",
        "is_event_source": "coalesce(event_source = 's3.amazonaws.com', false)",
    }
    rows = store.query(
        grouped_calls(keys, calls_in(MINE, open_end=True)), ME | bounds(MINE, window)
    ).rows
    history = History(("event_source",), one_copy_each(rows))
    to_s3 = [event for event in inside if event["source"] == "s3.amazonaws.com"]
    for scope, found in (("whole", inside), ("entity", [e for e in inside if e["ip"]])):
        counts = history.counts(scope)
        assert counts.all.count == len(found)
        assert counts.all.first == min((event["at"] for event in found), default=None)
        assert counts.all.last == max((event["at"] for event in found), default=None)
        assert counts.days == {event["at"].date() for event in found}
        assert counts.of["event_source"].count == len([e for e in found if e in to_s3])
    hours = Counter(event["at"].hour for event in inside)
    assert [row["calls"] for row in history.by_hour()] == [hours[hour] for hour in range(24)]
    errors = Counter(event["error"] for event in inside)
    assert {row["value"]: row["calls"] for row in history.by("error_code")} == errors
    pairs = Counter((event["ip"], event["agent"]) for event in inside)
    told: Counter[Any] = Counter()
    for pair in history.pairs():
        told[pair["source_ip_address"], pair["user_agent"]] += pair["calls"]
    assert told == pairs
    assert set(history.like_the_alert("whole")) <= {event["id"] for event in inside}


def test_a_call_in_two_accounts_counts_once_in_one_hour() -> None:
    late = CALL | {"who": COPY, "at": CALL["at"] + timedelta(hours=2)}
    store, _ = a_history([CALL, late])
    rows = store.query(
        grouped_calls({"in_entity": "true", "failed": "failed"}, calls_in(MINE, open_end=True)),
        ME | bounds(MINE, Window(*FIVE_DAYS)),
    ).rows
    history = History((), one_copy_each(row | {"day": None, "session_name": None} for row in rows))
    assert history.counts("whole").all.count == 1
    assert [hour for hour, row in enumerate(history.by_hour()) if row["calls"]] == [0]
    assert history.like_the_alert("whole") == ["id-000"]  # the caller's own copy
