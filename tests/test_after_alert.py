"""What follows the alert: the same calls as before it, and three answers where there are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrich import ask_all, ask_beside
from enrich.after.calls import find_after
from enrich.answer import data_among
from enrich.data.after import AfterAlert
from enrich.data.interesting_calls import InterestingCalls
from tests.an_alert import an_alert
from tests.an_event import ACCOUNT, a_user, an_event
from tests.memory_store import MemoryStore
from trail.errors import QueryFailed
from trail.store import QueryResult, Store

ALERT = an_event(eventTime="2026-03-10T12:00:00Z", eventName="RunInstances", readOnly=False)


def at(time: str, name: str = "RunInstances", **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=f"{time}Z", eventName=name, readOnly=False, **changes)


def other(time: str) -> dict[str, Any]:
    return at(time, "DescribeInstances", userIdentity=a_user("carol"))


def after(*records: dict[str, Any], store: Store | None = None) -> AfterAlert:
    alert = an_alert(ALERT)
    return find_after(alert, alert.principals[0], store or MemoryStore([ALERT, *records]))[0]


def test_calls_after_the_alert_are_told_and_the_alert_s_own_is_not_among_them() -> None:
    made = at("2026-03-10T12:20:00", "CreateAccessKey", eventSource="iam.amazonaws.com")
    denied = at("2026-03-10T12:21:00", "StopInstances", errorCode="AccessDenied")
    found = after(made, denied, at("2026-03-10T12:22:00", "DescribeVolumes"))
    assert found.status == "answered"
    assert (found.found.total, found.found.failed) == (2, 1)
    assert {row.event_name for row in found.found.calls} == {"CreateAccessKey", "StopInstances"}
    assert set(found.evidence) == {made["eventID"], denied["eventID"]}
    assert found.sentence == (
        "2 interesting calls in the 22 min from the alert to the end of the logs, 1 failed:"
        " CreateAccessKey 1 and StopInstances 1."
    )


def test_with_the_calls_up_to_the_alert_it_makes_all_calls() -> None:
    """The two windows meet: no call is in both, none in neither."""
    calls = [at(f"2026-03-{day:02}T{hour}:00:00") for day in (9, 10, 11) for hour in (11, 12, 13)]
    store = MemoryStore([ALERT, *calls])
    alert = an_alert(ALERT)
    before = data_among(ask_all(alert, alert.principals[0], store), InterestingCalls)
    assert before is not None
    total = (before.total or 0) + (after(store=store).found.total or 0)
    assert total == len(calls) + 1


def test_nothing_found_no_logs_and_failed_are_three_answers() -> None:
    nothing = after(other("2026-03-11T12:00:00"))
    assert (nothing.status, nothing.sentence) == (
        "nothing", "No interesting calls in the 24 h from the alert to the end of the logs."
    )  # fmt: skip
    none = after(other("2026-03-10T11:00:00"))
    assert (none.status, none.sentence) == (
        "not_covered", f"No logs of account {ACCOUNT} after the alert are indexed."
    )  # fmt: skip

    class Broken(MemoryStore):
        def query(self, *asked: Any, **more: Any) -> QueryResult:
            raise QueryFailed("The engine said no.")

    alert = an_alert(ALERT)
    store = Broken([ALERT, other("2026-03-11T12:00:00")])
    beside = ask_beside(alert, alert.principals[0], [], store)
    assert beside.after.status == "failed"
    assert "The engine said no." in beside.after.sentence
    assert beside.ledger.status == beside.course.status == beside.unseen.status == "failed"


def test_logs_of_another_account_are_no_logs_after_it() -> None:
    foreign = an_event(
        eventTime="2026-03-10T13:00:00Z", recipientAccountId="444455556666",
        userIdentity=a_user("zoe", "444455556666"),
    )  # fmt: skip
    assert after(foreign).status == "not_covered"


def test_seven_days_are_looked_at_and_no_more() -> None:
    last = at("2026-03-17T12:00:00", "StopInstances")
    later = at("2026-03-17T12:00:01", "TerminateInstances")
    found = after(*(other(f"2026-03-{day}T12:00:00") for day in range(11, 19)), last, later)
    assert [row.event_name for row in found.found.calls] == ["StopInstances"]
    assert found.window_last == "2026-03-17T12:00:00Z"
    assert found.logs_end is None
    assert found.sentence.startswith("1 interesting call in the 7 days after the alert")


def test_days_without_logs_between_are_named() -> None:
    found = after(other("2026-03-11T12:00:00"), other("2026-03-14T12:00:00"))
    assert found.status == "partial"
    assert found.caveats == (
        f"The index holds no logs of account {ACCOUNT} on 2026-03-12 to 2026-03-13 (UTC).",
    )


def test_what_it_had_not_done_before_the_alert_is_new() -> None:
    usual = [at(f"2026-03-0{day}T12:0{n}:00", "StopInstances") for day in (5, 6) for n in range(5)]
    found = after(
        *usual, at("2026-03-10T12:01:00", "StopInstances"), at("2026-03-10T12:02:00", "CreateVpc")
    )
    assert {row.event_name: row.never_before for row in found.found.calls} == {
        "StopInstances": False, "CreateVpc": True,
    }  # fmt: skip


def test_an_alert_without_a_time_has_no_time_after_it() -> None:
    alert = replace(an_alert(ALERT), first_seen=None, last_seen=None)
    found, queries = find_after(alert, alert.principals[0], MemoryStore([ALERT]))
    assert (found.status, queries) == ("not_applicable", ())
    assert found.sentence


def test_an_alert_over_hours_begins_its_time_after_at_its_end() -> None:
    end = datetime(2026, 3, 10, 15, tzinfo=UTC)
    alert = replace(an_alert(ALERT), last_seen=end)
    store = MemoryStore([ALERT, at("2026-03-10T14:59:59"), at("2026-03-10T15:00:01")])
    found, _ = find_after(alert, alert.principals[0], store)
    assert found.found.total == 1
    assert found.window_first == (end + timedelta(microseconds=1)).isoformat().replace(
        "+00:00", "Z"
    )


def test_the_real_run_s_calls_after_an_alert_are_all_those_of_its_records(
    stratus_store: Any,
) -> None:
    from alerts import parse_alerts
    from enrich.gaps import fill_gaps

    key = "8c282c0b-00d1-4369-95b7-cb50b6eee620"
    (pasted,) = parse_alerts(key)
    alert = fill_gaps(pasted, stratus_store)
    found, _ = find_after(alert, alert.principals[0], stratus_store)
    summary = stratus_store.summary()
    rows = stratus_store.query(
        "select event_name, failed from events"
        " where event_time > $at and event_time <= $last and identity_id = $of",
        {"at": alert.last_seen, "last": summary.last, "of": alert.principals[0].principal_id},
        first=alert.last_seen,
        last=summary.last,
    ).rows
    looks = ("Get", "List", "Head", "Describe")
    told = [
        row for row in rows
        if row["failed"] or not row["event_name"].startswith(looks)
        or row["event_name"] == "GetPasswordData"
    ]  # fmt: skip
    assert found.found.total == len(told) == 124
    assert found.found.failed == sum(row["failed"] for row in told)


@pytest.mark.parametrize("key", ["ledger", "after_alert", "course", "unseen"])
def test_the_json_has_them_beside_the_five_answers(key: str) -> None:
    from enrich import as_json, ask_for_every_principal

    alert = an_alert(ALERT)
    store = MemoryStore([ALERT, at("2026-03-10T12:30:00")])
    (result,) = as_json(alert, ask_for_every_principal(alert, store), store.summary())["results"]
    assert len(result["answers"]) == 5
    assert "status" in result[key]
    assert isinstance(result[key]["queries"], list)
