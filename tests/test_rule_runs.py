"""A repeated run of the rules reads the days that are new or changed, and finds what a whole run
finds."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.detections import OUR_RULES, detect
from alerts.detections.correlation import sequences
from cases import case, inbox, rule_runs, users
from cases.database import Database, open_database
from tests.a_case import Clock, add_people
from tests.an_event import a_role_session, a_user, an_event
from trail.index.build import add
from trail.store import DuckStore, open_store

Event = dict[str, Any]
RULES = (OUR_RULES,)


def _stop(day: int, hour: int = 12, user: str = "alice") -> Event:
    return an_event(
        eventTime=f"2026-03-{day:02d}T{hour:02d}:00:00Z",
        eventSource="cloudtrail.amazonaws.com",
        eventName="StopLogging",
        userIdentity=a_user(user),
        readOnly=False,
    )


class Index:
    """An index that grows file by file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, 0
        (folder / "logs").mkdir()

    def grow(self, *events: Event) -> DuckStore:
        self.files += 1
        file = self.folder / "logs" / f"{self.files}.json.gz"
        file.write_bytes(gzip.compress(json.dumps({"Records": events}).encode()))
        add([file], self.folder / "index")
        return open_store(self.folder / "index")


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return Index(tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    opened = open_database(f"sqlite:///{tmp_path / 'cases.db'}", Clock())
    add_people(opened)
    return opened


def _run(database: Database, store: DuckStore, rules: tuple[Path, ...] = RULES) -> rule_runs.Run:
    return rule_runs.run_rules(database, "ann", store, rules)


def _ids(database: Database) -> set[str]:
    return {alert.alert_id for alert in inbox.queue(database, limit=500).alerts}


def test_a_second_run_reads_no_day_twice(index: Index, database: Database) -> None:
    store = index.grow(_stop(3), _stop(10))
    first = _run(database, store)
    assert (first.days_read, first.days, first.new) == (2, 2, 2)
    again = _run(database, store)
    assert (again.days_read, again.days, again.found) == (0, 2, 0)


def test_a_late_file_has_its_old_day_read_again(index: Index, database: Database) -> None:
    _run(database, index.grow(_stop(3), _stop(10), _stop(20)))
    late = _run(database, index.grow(_stop(10, 15, "bob")))
    assert late.days_read == 1
    assert (late.found, late.new) == (2, 1)  # alice's alert of that day once more, and bob's


def test_the_day_after_is_read_too_for_what_crosses_midnight(
    index: Index, database: Database
) -> None:
    denied = [
        an_event(
            eventTime=f"2026-03-{day:02d}T{hour:02d}:{minute:02d}:00Z",
            eventSource="sts.amazonaws.com",
            eventName="AssumeRole",
            errorCode="AccessDenied",
            requestParameters={"roleArn": f"arn:aws:iam::111122223333:role/r{minute}"},
        )
        for day, hour, minute in (
            (10, 23, 57), (10, 23, 58), (10, 23, 59), (11, 0, 0), (11, 0, 1)
        )
    ]  # fmt: skip
    _run(database, index.grow(*denied[3:]))
    assert "Roles enumerated by refused assumptions" not in _titles(database)
    late = _run(database, index.grow(*denied[:3]))
    assert late.days_read == 2
    assert "Roles enumerated by refused assumptions" in _titles(database)


def _titles(database: Database) -> set[str]:
    return {alert.title for alert in inbox.queue(database, limit=500).alerts}


def test_runs_day_by_day_find_what_one_run_finds(index: Index, database: Database) -> None:
    """A stolen credential is used from two addresses for three days, through both midnights."""

    def used(day: int, hour: int, address: str) -> Event:
        return an_event(
            eventTime=f"2026-03-{day:02d}T{hour:02d}:00:00Z",
            userIdentity=a_role_session("web", "i-0123456789abcdef0"),
            sourceIPAddress=address,
        )

    calls = [
        used(day, hour, address)
        for day in (10, 11, 12)
        for hour in range(0, 24, 3)
        for address in ("198.51.100.7", "203.0.113.9")
    ]
    for day in (10, 11, 12):
        store = index.grow(
            _stop(day), *(c for c in calls if c["eventTime"].startswith(f"2026-03-{day}"))
        )
        _run(database, store)
    summary = store.summary()
    assert summary.first is not None
    assert summary.last is not None
    whole, _ = detect(store, summary.first, summary.last)
    assert len(whole) > 3
    assert _ids(database) == {alert.id for alert in whole}


def test_another_rule_has_every_day_read_again(
    index: Index, database: Database, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    store = index.grow(_stop(3), _stop(10))
    _run(database, store, (OUR_RULES, theirs))
    (theirs / "rule.yml").write_text(
        "title: Theirs\nstatus: test\nlogsource: {product: aws, service: cloudtrail}\n"
        "detection:\n  selection: {eventName: StopLogging}\n  condition: selection\nlevel: low\n"
    )
    ran = _run(database, store, (OUR_RULES, theirs))
    assert ran.days_read == 2
    assert "Theirs" in _titles(database)
    (theirs / "rule.yml").write_text("title: [")
    ran = _run(database, store, (OUR_RULES, theirs))
    assert [problem.file for problem in ran.problems] == ["rule.yml"]
    # A run that reads nothing runs no rule, and what was wrong still is.
    assert _run(database, store, (OUR_RULES, theirs)).problems == ran.problems


def test_another_case_database_or_an_older_copy_is_filled_from_the_start(
    index: Index, database: Database, tmp_path: Path
) -> None:
    store = index.grow(_stop(3))
    users.add_user(database, "lea", "late", "analyst")
    _run(database, store)
    later = Clock()
    later.move(minutes=1)
    empty = open_database(f"sqlite:///{tmp_path / 'other.db'}", later)
    add_people(empty)
    assert _run(empty, store).new == 1
    assert _run(database, store).days_read == 1  # the file is the other database's now


def test_what_is_no_file_of_a_run_is_as_if_there_were_none(
    index: Index, database: Database, tmp_path: Path
) -> None:
    store = index.grow(_stop(3))
    assert rule_runs.last_run(store) is None
    _run(database, store)
    ran = rule_runs.last_run(store)
    assert ran is not None
    assert ran.found == 1
    (tmp_path / "jobs" / "last-run-of-rules.json").write_text("{")
    assert rule_runs.last_run(store) is None
    assert _run(database, store).days_read == 1


def test_what_came_of_a_rule_s_alerts(index: Index, database: Database) -> None:
    _run(database, index.grow(*(_stop(day) for day in (3, 4, 5, 6))))
    (key,) = rule_runs.records_by_rule(database)
    queued = inbox.queue(database, limit=10).alerts
    for number, verdict in enumerate(("true_positive", "benign", "undetermined")):
        opened = case.open_case(database, "ann", [queued[number].id])
        case.close_case(
            database, "ann", opened.id, opened.version, verdict=verdict, reason="Looked."
        )
    record = rule_runs.records_by_rule(database)[key]
    assert (record.found, record.waiting) == (4, 1)
    assert (record.true_positives, record.decided, record.undetermined) == (1, 2, 1)
    assert record.rate == 0.5
    assert record.last_found == datetime(2026, 3, 6, 12, tzinfo=UTC)


def test_a_rule_that_raised_nothing_has_no_rate() -> None:
    assert rule_runs.RuleRecord().rate is None


# --- One after another ----------------------------------------------------------------------------

Rows = list[tuple[int, int, str]]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2), st.sampled_from("ab")), max_size=10),
    st.booleans(),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_sequence_is_every_window_in_which_all_happened(calls: Rows, ordered: bool) -> None:
    """Against every choice of one row a rule, tried out plainly."""
    start, span = datetime(2026, 3, 10, 12, tzinfo=UTC), 8
    rows = [
        {
            "event_time": start + timedelta(minutes=minute),
            "held": [rule == n for n in range(3)],
            "key": who,
            "number": number,
        }
        for number, (minute, rule, who) in enumerate(sorted(calls))
    ]
    expected = set()
    for who in "ab":
        times = {
            rule: [minute for minute, r, w in calls if (r, w) == (rule, who)] for rule in range(3)
        }
        for a in times[0]:
            for b in times[1]:
                for c in times[2]:
                    within = max(a, b, c) - min(a, b, c) <= span
                    if within and (not ordered or a <= b <= c):
                        expected.add((who, max(a, b, c)))
    found = sequences(
        rows,
        group_by=("key",),
        rules=3,
        ordered=ordered,
        timespan=timedelta(minutes=span),
    )
    assert bool(found) is bool(expected)
    turned = {
        (stretch.turning["key"], (stretch.turning["event_time"] - start).seconds // 60)
        for stretch in found
    }
    assert turned <= expected
    for who in "ab":
        mine = [minute for w, minute in expected if w == who]
        if mine:
            assert (who, min(mine)) in turned
