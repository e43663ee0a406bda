"""The lead's numbers, on cases whose times are known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cases import case, inbox, review
from cases.database import Database
from cases.metrics import Metrics, Spread, metrics
from cases.settings import Settings
from tests.a_case import START, Clock, a_case, an_alert, an_id

pytest_plugins = ("tests.case_databases",)


def work(
    database: Database,
    clock: Clock,
    number: int,
    *,
    triage: float,
    decide: float,
    close: float,
    verdict: Any = "benign",
    **alert: Any,
) -> int:
    """A case worked on with these minutes from arrival to triage, and from then on."""
    (received,) = inbox.receive(database, "ann", [an_alert(id=an_id(number), **alert)])
    clock.move(minutes=triage)
    opened = case.open_case(database, "ann", [received.id])
    clock.move(minutes=decide)
    decided = case.save_case(
        database, "ann", opened.id, opened.version, {"verdict": verdict, "reason": "Because."}
    )
    clock.move(minutes=close - decide)
    case.close_case(database, "ann", opened.id, decided.version)
    return opened.id


def test_times_are_median_and_95th_percentile(database: Database, clock: Clock) -> None:
    # Triage takes 1, 2, … 20 minutes: the median is 10.5, the 95th percentile the 19th of 20.
    for number in range(1, 21):
        work(database, clock, number, triage=number, decide=2 * number, close=3 * number)
    total = metrics(database).total
    assert total.triage == Spread(20, 10.5 * 60, 19 * 60)
    assert total.decide == Spread(20, 21 * 60, 38 * 60)
    assert total.close == Spread(20, 31.5 * 60, 57 * 60)
    assert (total.opened, total.closed, total.reopened) == (20, 20, 0)


def four_cases(database: Database, clock: Clock) -> Metrics:
    """Two in the first week (one high, one of two types), two in the next (one open)."""
    work(database, clock, 1, triage=10, decide=20, close=30, severity=8.0)
    reopened = work(
        database,
        clock,
        2,
        triage=30,
        decide=40,
        close=50,
        verdict="true_positive",
        finding_type="Stealth:IAMUser/CloudTrailLoggingDisabled",
    )
    case.reopen_case(database, "ann", reopened, "More came.")
    clock.move(days=7)
    work(database, clock, 3, triage=60, decide=60, close=60, verdict="undetermined")
    a_case(database, an_alert(id=an_id(4), severity=None, finding_type=None, source="text"))
    return metrics(database)


def test_groups_by_week_severity_and_finding_type(database: Database, clock: Clock) -> None:
    found = four_cases(database, clock)
    # 2026-03-10 is a Tuesday of ISO week 11.
    assert [(g.name, g.opened, g.closed, g.reopened) for g in found.by_week] == [
        ("2026-W11", 2, 1, 1),
        ("2026-W12", 2, 1, 0),
    ]
    assert {g.name: g.triage.median_s for g in found.by_severity} == {
        "high": 600,
        "medium": 45 * 60,
        "unknown": 0,
    }
    assert [g.name for g in found.by_finding_type] == [
        "(text without a type)",
        "Discovery:S3/AnomalousBehavior",
        "Stealth:IAMUser/CloudTrailLoggingDisabled",
    ]
    assert found.total.verdicts == {"benign": 1, "true_positive": 1, "undetermined": 1}
    assert found.alerts_by_week == {"2026-W11": 2, "2026-W12": 2}
    assert found.alerts_by_state == {"closed": 2, "in_case": 2}
    assert found.reviews == {"requested": 1, "none": 3}
    # A reopened case is not closed: it has no closing time, and is not counted as quick.
    assert found.total.close.count == 2


def test_what_a_finding_type_was_worth(database: Database, clock: Clock) -> None:
    found = {one.finding_type: one for one in four_cases(database, clock).precision}
    trail = found["Stealth:IAMUser/CloudTrailLoggingDisabled"]
    assert (trail.true_positives, trail.decided, trail.rate) == (1, 1, 1.0)
    usual = found["Discovery:S3/AnomalousBehavior"]
    assert (usual.true_positives, usual.decided, usual.undetermined, usual.rate) == (0, 1, 1, 0.0)
    assert "(text without a type)" not in found


def test_open_cases_age_against_the_clock_of_their_severity(
    database: Database, clock: Clock
) -> None:
    slow = a_case(database, an_alert(id=an_id(1), severity=2.0))
    late = a_case(database, an_alert(id=an_id(2), severity=9.5))
    clock.move(hours=6)
    ageing = metrics(database).ageing
    assert [(one.case_id, one.left_s) for one in ageing] == [
        (late.id, -2 * 3600),  # critical: 4 hours
        (slow.id, 66 * 3600),  # low: 72 hours
    ]
    own = Settings(sla={**Settings().sla, "low": timedelta(hours=1)})
    assert metrics(database, settings=own).ageing[0].case_id == slow.id


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"since": START + timedelta(days=3)}, 2),
        ({"until": START + timedelta(days=3)}, 2),
        ({"severities": ["high"]}, 1),
        ({"finding_types": ["Stealth:IAMUser/CloudTrailLoggingDisabled"]}, 1),
        ({"owner": "abe"}, 0),
    ],
    ids=str,
)
def test_the_same_filters_as_the_page(
    sqlite_database: Database, clock: Clock, filters: dict[str, Any], expected: int
) -> None:
    four_cases(sqlite_database, clock)
    assert metrics(sqlite_database, **filters).total.opened == expected


def test_nothing_measured_is_none_and_not_nought(sqlite_database: Database) -> None:
    found = metrics(sqlite_database)
    assert found.total.triage == Spread(0, None, None)
    assert (found.by_week, found.ageing, found.precision) == ((), (), ())


def test_an_approved_case_counts_as_reviewed(sqlite_database: Database, clock: Clock) -> None:
    case_id = work(sqlite_database, clock, 1, triage=1, decide=1, close=1)
    version = case.get_case(sqlite_database, case_id).version
    review.approve(sqlite_database, "lea", case_id, version)
    assert metrics(sqlite_database).reviews == {"approved": 1}
