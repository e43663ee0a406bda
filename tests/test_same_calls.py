"""What counts as one call: corrections, network activity, one id on two days, in any order."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import parse_alerts
from enrich.answer import Answer
from enrich.questions import baseline, interesting_calls, roles_assumed, services_used
from tests.an_event import ACCOUNT, a_role_session, an_assumption, an_event
from tests.answered import as_written
from tests.memory_store import say_what_counts
from trail.events import event_row
from trail.index.build import add
from trail.index.same_calls import REACH
from trail.index.upkeep import compact, drop_before, migrate, verify
from trail.store import DuckStore, open_store

ROLE = a_role_session("deploy", "kim")
LATER = "2026-03-10T12:00:00Z"


def a_call(**changes: Any) -> dict[str, Any]:
    return an_event(userIdentity=ROLE, eventTime="2026-03-10T09:00:00Z", **changes)


def a_correction(of: str | None, reason: str = "UPDATED_DATA", **changes: Any) -> dict[str, Any]:
    told = {"reason": reason, "originalRequestID": "R", "originalEventID": of}
    return a_call(addendum=told, **changes)


def network_activity(**changes: Any) -> dict[str, Any]:
    fields = {
        "eventCategory": "NetworkActivity", "eventType": "AwsVpceEvent", "userAgent": None,
        "requestID": "SAME", "vpcEndpointId": "vpce-1",
    }  # fmt: skip
    return a_call(**(fields | changes))


def index_of(folder: Path, *lots: list[dict[str, Any]]) -> Path:
    """The index of the lots, each a file of its own that is added after the others."""
    for number, lot in enumerate(lots):
        write(folder, number, lot)
        add([folder / "in"], folder / "index")
    return folder / "index"


def write(folder: Path, number: int, lot: list[dict[str, Any]]) -> None:
    (folder / "in").mkdir(exist_ok=True)
    (folder / "in" / f"{number}.json").write_text(json.dumps({"Records": lot}))


def asked(index: Path, question: Any, at: str = LATER) -> Answer:
    """The role's answer, about an alert that is none of the calls."""
    alert = parse_alerts(json.dumps(an_event(userIdentity=ROLE, eventTime=at)))[0]
    store = open_store(index)
    answer = question(alert, alert.principals[0], store)
    store.close()
    assert isinstance(answer, Answer)
    return as_written(answer)


def called(index: Path, at: str = LATER) -> dict[str, int]:
    """Calls per name: by the interesting calls, once all of them are interesting."""
    rows = asked(index, interesting_calls.ask, at).data["calls"]
    counts = Counter[str]()
    for row in rows:
        counts[row["event_name"]] += row["count"]
    services = asked(index, services_used.ask, at).data
    assert services["total"] == counts.total()
    assert sum(day["count"] for one in services["services"] for day in one["days"]) == (
        counts.total()
    )
    return dict(counts)


ORIGINAL = a_call(eventID="c8", eventName="PutRolePolicy", errorCode="AccessDenied")
CORRECTION = a_correction("c8", eventID="c9", eventName="PutRolePolicy")


@pytest.mark.parametrize(
    "lots",
    [
        [[ORIGINAL, CORRECTION]],
        [[ORIGINAL], [CORRECTION]],
        [[CORRECTION], [ORIGINAL]],
        [[CORRECTION], [a_call(eventID="0", eventName="RunInstances")], [ORIGINAL]],
    ],
)
def test_a_correction_counts_in_place_of_its_record(
    tmp_path: Path, lots: list[list[dict[str, Any]]]
) -> None:
    index = index_of(tmp_path, *lots)
    answer = asked(index, interesting_calls.ask)
    (row,) = [one for one in answer.data["calls"] if one["event_name"] == "PutRolePolicy"]
    assert (row["count"], row["failed"], row["error_code"], row["event_ids"]) == (
        1,
        0,
        None,
        ["c9"],
    )
    assert any("1 record that AWS corrected later counts as" in said for said in answer.caveats)
    store = open_store(index)
    rows = store.query("select event_id, replaced, replaced_by from events order by 1").rows
    told = {row["event_id"]: (row["replaced"], row["replaced_by"]) for row in rows}
    assert told["c8"] == ("corrected", "c9")  # and both are there
    assert told["c9"] == (None, None)
    assert set(store.raw_records(["c8", "c9"])) == {"c8", "c9"}
    assert verify(index).problems == ()


def test_two_corrections_of_one_record_are_one_record_corrected(tmp_path: Path) -> None:
    again = a_correction("c8", eventID="d0", eventName="PutRolePolicy")
    other = a_call(eventID="e1", eventName="PutRolePolicy")
    index = index_of(tmp_path, [ORIGINAL, CORRECTION, again])
    for question in (interesting_calls.ask, services_used.ask):
        said = asked(index, question).caveats
        assert any(text.startswith("1 record that AWS corrected later counts") for text in said)
    of_other = a_correction("e1", eventID="e2", eventName="PutRolePolicy")
    index = index_of(tmp_path, [ORIGINAL, CORRECTION, again, other, of_other])
    said = asked(index, services_used.ask).caveats
    assert any(text.startswith("2 records that AWS corrected later count") for text in said)


@pytest.mark.parametrize("reason", ["DELIVERY_DELAY", "SERVICE_OUTAGE"])
def test_a_late_record_is_an_ordinary_one(tmp_path: Path, reason: str) -> None:
    late = a_correction("c8", reason, eventID="c9", eventName="PutRolePolicy")
    assert called(index_of(tmp_path, [ORIGINAL, late])) == {"PutRolePolicy": 2}


def test_a_correction_of_a_record_that_is_not_there_counts(tmp_path: Path) -> None:
    other_account = ORIGINAL | {"recipientAccountId": "444455556666"}
    assert called(index_of(tmp_path, [CORRECTION, other_account])) == {"PutRolePolicy": 2}
    itself = a_correction("i", eventID="i", eventName="RunInstances")
    assert called(index_of(tmp_path, [itself])) == {"RunInstances": 1}


def test_the_last_of_several_corrections_counts(tmp_path: Path) -> None:
    again = CORRECTION | {"eventID": "d1", "eventTime": "2026-03-10T09:00:01Z"}
    of_the_correction = a_correction("d1", eventID="d2", eventName="DeleteRolePolicy")
    index = index_of(tmp_path, [CORRECTION, again])
    assert called(index) == {"PutRolePolicy": 1}
    write(tmp_path, 5, [ORIGINAL])
    add([tmp_path / "in"], index)
    assert called(index) == {"PutRolePolicy": 1}
    write(tmp_path, 6, [of_the_correction])
    add([tmp_path / "in"], index)
    assert called(index) == {"DeleteRolePolicy": 1}


def test_records_that_correct_each_other_in_a_circle_count_once(tmp_path: Path) -> None:
    one = a_correction("2", eventID="1", eventName="RunInstances")
    two = a_correction("1", eventID="2", eventName="RunInstances")
    assert called(index_of(tmp_path, [one], [two])) == {"RunInstances": 1}


def test_a_corrected_record_of_another_day_is_recounted(tmp_path: Path) -> None:
    old = ORIGINAL | {"eventTime": "2026-02-20T09:00:00Z"}
    index = index_of(tmp_path, [old, a_call(eventName="RunInstances")], [CORRECTION])
    assert called(index, "2026-02-21T00:00:00Z") == {}
    assert called(index) == {"PutRolePolicy": 1, "RunInstances": 1}
    # Whoever takes the correction away has the original back.
    write(tmp_path, 1, [])
    add([tmp_path / "in"], index)
    assert called(index, "2026-02-21T00:00:00Z") == {"PutRolePolicy": 1}
    assert verify(index).problems == ()


def test_a_dropped_original_leaves_its_correction(tmp_path: Path) -> None:
    old = ORIGINAL | {"eventTime": "2026-03-09T09:00:00Z"}
    early = CORRECTION | {"eventTime": "2026-03-09T09:00:00Z"}
    index = index_of(tmp_path, [old, CORRECTION])
    drop_before(index, date(2026, 3, 10))
    assert called(index) == {"PutRolePolicy": 1}
    other = index_of(tmp_path, [early, ORIGINAL])
    assert called(other) == {"PutRolePolicy": 1}
    drop_before(other, date(2026, 3, 10))
    assert called(other) == {"PutRolePolicy": 1}
    assert verify(other).problems == ()


TWIN = a_call(eventID="m", eventName="PutObject", requestID="SAME", userAgent="aws-cli/2.15.0")
ACTIVITY = network_activity(eventID="n", eventName="PutObject")


@pytest.mark.parametrize("lots", [[[ACTIVITY, TWIN]], [[ACTIVITY], [TWIN]], [[TWIN], [ACTIVITY]]])
def test_network_activity_counts_with_its_twin(
    tmp_path: Path, lots: list[list[dict[str, Any]]]
) -> None:
    index = index_of(tmp_path, *lots)
    assert called(index) == {"PutObject": 1}
    answer = asked(index, services_used.ask)
    assert any("is assumed, AWS does not document it" in said for said in answer.caveats)
    at = "2026-03-11T12:00:00Z"
    data = asked(index, baseline.ask, at).data["whole_role"]
    assert data["events"] == 1
    assert [pair["user_agent"] for pair in data["all_apis"]["pairs"]] == ["aws-cli/2.15.0"]
    assert any("is assumed" in said for said in asked(index, baseline.ask, at).caveats)


@pytest.mark.parametrize(
    "change",
    [
        {"requestID": "OTHER"},
        {"requestID": None},
        {"eventName": "PutObjectAcl"},
        {"eventSource": "s3.amazonaws.com"},
        {"recipientAccountId": "444455556666"},
    ],
)
def test_network_activity_without_a_twin_counts(tmp_path: Path, change: dict[str, Any]) -> None:
    alone = network_activity(eventID="n", eventName="PutObject", errorCode="VpceAccessDenied")
    index = index_of(tmp_path, [TWIN, alone | change])
    assert sum(called(index).values()) == 2
    assert not any("network" in said for said in asked(index, services_used.ask).caveats)


def test_twins_meet_across_midnight(tmp_path: Path) -> None:
    before = ACTIVITY | {"eventTime": "2026-03-09T23:59:59Z"}
    after = TWIN | {"eventTime": "2026-03-10T00:00:00Z"}
    assert called(index_of(tmp_path, [before], [after])) == {"PutObject": 1}


def test_the_network_activity_case(tmp_path: Path) -> None:
    listed = {"eventSource": "s3.amazonaws.com", "eventName": "ListBuckets"}
    denied = {"eventSource": "s3.amazonaws.com", "eventName": "PutObject", "requestID": "R3"}
    index = index_of(
        tmp_path,
        [
            network_activity(**listed),
            a_call(requestID="SAME", **listed),
            network_activity(errorCode="VpceAccessDenied", **denied),
        ],
    )
    assert open_store(index).summary().events == 3
    assert asked(index, services_used.ask).data["total"] == 2
    assert called_of(index, "ListBuckets") == 1


def called_of(index: Path, name: str) -> int:
    """How often a call was made, by the baseline's own count of the alert's call."""
    record = a_call(eventName=name, eventSource="s3.amazonaws.com")
    alert = parse_alerts(json.dumps(record | {"eventTime": "2026-03-11T12:00:00Z"}))[0]
    answer = as_written(baseline.ask(alert, alert.principals[0], open_store(index)))
    count = answer.data["same_api"]["events"]
    assert isinstance(count, int)
    return count


@pytest.mark.parametrize("together", [True, False])
def test_one_id_on_two_days_counts_once_where_both_are_seen(tmp_path: Path, together: bool) -> None:
    first = a_call(eventID="1", eventName="RunInstances")
    second = first | {"eventTime": "2026-03-08T01:00:00Z"}
    index = index_of(tmp_path, *([[first, second]] if together else [[first], [second]]))
    assert open_store(index).summary().events == 2
    assert called(index) == {"RunInstances": 1}
    # One id is one event, and the evidence has it.
    for question in (interesting_calls.ask, services_used.ask):
        answer = asked(index, question)
        assert answer.evidence == ("1",)
        assert not any("The evidence lists" in text for text in answer.caveats)
    # A window with one of them alone counts it.
    assert called(index, "2026-03-08T12:00:00Z") == {"RunInstances": 1}
    assert called(index, "2026-03-16T12:00:00Z") == {"RunInstances": 1}
    assert asked(index, baseline.ask, "2026-03-12T12:00:00Z").data["events"] == 1
    far = first | {"eventTime": (datetime(2026, 3, 10, 9) + REACH).isoformat() + "Z"}
    index = index_of(tmp_path, [first, far])
    assert called(index, "2026-03-25T12:00:00Z") == {"RunInstances": 1}


def test_a_third_day_goes_and_two_still_count_once(tmp_path: Path) -> None:
    days = [
        a_call(eventID="1", eventName="RunInstances") | {"eventTime": f"2026-03-{day:02}T01:00:00Z"}
        for day in (8, 9, 10)
    ]
    index = index_of(tmp_path, *[[one] for one in days])
    assert called(index) == {"RunInstances": 1}
    write(tmp_path, 2, [])
    add([tmp_path / "in"], index)
    assert called(index) == {"RunInstances": 1}
    write(tmp_path, 1, [])
    add([tmp_path / "in"], index)
    rows = open_store(index).query("select call_id from events").rows
    assert [row["call_id"] for row in rows] == [None]


def test_roles_assumed_count_once(tmp_path: Path) -> None:
    made = an_assumption("target", userIdentity=ROLE, eventID="1", eventTime="2026-03-10T09:00:00Z")
    corrected = made | {
        "eventID": "2", "requestID": "other",
        "addendum": {"reason": "UPDATED_DATA", "originalEventID": "1"},
    }  # fmt: skip
    shown = network_activity(
        eventSource="sts.amazonaws.com", eventName="AssumeRole", requestID=made["requestID"],
        requestParameters=made["requestParameters"],
    )  # fmt: skip
    index = index_of(tmp_path, [made], [corrected], [shown])
    roles = asked(index, roles_assumed.roles_assumed).data["roles"]
    assert [(one["count"], one["event_ids"]) for one in roles] == [(1, ["2"])]
    rows = open_store(index).query("select event_id from credentials").rows
    assert [row["event_id"] for row in rows] == ["2"]


# ---- any history, beside the rules in plain Python -----------------------------------------------

ACCOUNTS = [ACCOUNT, ACCOUNT, "444455556666"]
IDS = 9
CORRECTABLE = 3
"""Of the ids, the first few may be corrected, and the others correct: none in a circle."""
about_an_id = st.fixed_dictionaries(
    {
        "account": st.sampled_from(ACCOUNTS),
        "category": st.sampled_from(["Management", "NetworkActivity"]),
        "request": st.sampled_from(["a", "b", None]),
        "name": st.sampled_from(["RunInstances", "CreateUser"]),
        "corrects": st.sampled_from([None, *range(CORRECTABLE)]),
        "shared": st.sampled_from([None, None, "x"]),
        "role": st.sampled_from(["deploy", "writer"]),
    }
)
copies = st.lists(st.tuples(st.integers(0, IDS - 1), st.sampled_from([0, 0, 1, 5, 21])), max_size=8)


def record_of(number: int, day: int, about: dict[str, Any]) -> dict[str, Any]:
    """A record of the id with that number; the same whenever it is of the same day."""
    at = datetime(2026, 3, 3, tzinfo=UTC) + timedelta(days=day, seconds=number)
    corrects = about["corrects"] if number >= CORRECTABLE else None
    return an_event(
        eventID=f"id-{number}",
        eventTime=f"{at:%Y-%m-%dT%H:%M:%SZ}",
        userIdentity=a_role_session(about["role"], "kim"),
        recipientAccountId=about["account"],
        eventCategory=about["category"],
        requestID=about["request"],
        eventName=about["name"],
        sharedEventID=about["shared"],
        addendum=None
        if corrects is None
        else {"reason": "UPDATED_DATA", "originalEventID": f"id-{corrects}"},
    )


def expected(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in records:
        row = event_row(record)
        key = (row["event_id"], row["recipient_account_id"], row["event_time"].date())
        rows.setdefault(key, row)
    found = list(rows.values())
    say_what_counts(found)
    for row in found:  # no farther than REACH apart
        alike = [
            other
            for other in found
            if other["event_id"] == row["event_id"]
            and other["recipient_account_id"] == row["recipient_account_id"]
            and 0 < abs((other["event_time"].date() - row["event_time"].date()).days) <= REACH.days
        ]
        if not alike and " " in (row["call_id"] or ""):
            row["call_id"] = None
    return found


def assert_told(store: DuckStore, records: list[dict[str, Any]]) -> None:
    rows = expected(records)
    columns = "event_id, recipient_account_id, cast(event_time as date) as day"
    told = store.query(f"select {columns}, call_id, replaced, replaced_by from events").rows
    assert {
        (r["event_id"], r["recipient_account_id"], r["day"]): (
            r["call_id"], r["replaced"], r["replaced_by"]
        )
        for r in told
    } == {
        (r["event_id"], r["recipient_account_id"], r["event_time"].date()): (
            r["call_id"], r["replaced"], r["replaced_by"]
        )
        for r in rows
    }  # fmt: skip
    daily = store.query(
        "select day, identity_id, call_id, replaced, sum(count)::bigint as n from daily"
        " group by all"
    ).rows
    assert {(r["day"], r["identity_id"], r["call_id"], r["replaced"]): r["n"] for r in daily} == (
        Counter(
            (r["event_time"].date(), r["identity_id"], r["call_id"], r["replaced"]) for r in rows
        )
    )


@given(
    st.lists(about_an_id, min_size=IDS, max_size=IDS),
    st.lists(st.tuples(st.integers(0, 2), copies), min_size=1, max_size=4),
    st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_what_counts_is_told_by_the_rules_however_it_comes(
    about: list[dict[str, Any]],
    lots: list[tuple[int, list[tuple[int, int]]]],
    compacted: bool,
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        held: dict[int, list[dict[str, Any]]] = {}
        for place, lot in lots:  # a later lot of the same place takes away what the earlier gave
            held[place] = [record_of(number, day, about[number]) for number, day in lot]
            write(folder, place, held[place])
            add([folder / "in"], folder / "index")
            if compacted:
                compact(folder / "index")
            store = open_store(folder / "index")
            assert_told(store, [record for place in sorted(held) for record in held[place]])
            store.close()
            assert verify(folder / "index").problems == ()
    finally:
        shutil.rmtree(folder)


def test_a_call_taken_over_from_a_corrected_record_goes_with_it(tmp_path: Path) -> None:
    original = ORIGINAL | {"sharedEventID": "x"}
    late = CORRECTION | {"eventTime": "2026-03-11T09:00:00Z"}
    index = index_of(tmp_path, [original], [late])
    told = "select call_id from events where event_id = 'c9'"
    assert [row["call_id"] for row in open_store(index).query(told).rows] == ["x"]
    write(tmp_path, 0, [])
    add([tmp_path / "in"], index)
    assert_told(open_store(index), [late])


def test_migrating_tells_the_same(tmp_path: Path) -> None:
    index = index_of(tmp_path, [ORIGINAL, TWIN], [CORRECTION, ACTIVITY])
    before = called(index)
    assert migrate(index, force=True) is not None
    assert called(index) == before == {"PutRolePolicy": 1, "PutObject": 1}
