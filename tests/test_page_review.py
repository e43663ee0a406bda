"""The lead's page: what waits for review, the numbers, the people, and the proof of history."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cases import audit, case, review, users
from cases.database import Database
from cases.errors import NotAllowed
from tests.a_case import (
    Clock,
    a_case,
    a_closed_case,
    a_user_principal,
    an_alert,
    an_id,
    put_in_inbox,
)
from tests.a_case_page import a_page_for, field, labels, press, read
from tests.a_page import address_of
from ui.cases import metrics_charts

pytest_plugins = ("tests.case_databases", "tests.case_pages")
pytestmark = pytest.mark.usefixtures("own_folders")


@pytest.fixture
def page_clock(clock: Clock) -> Clock:
    return clock


@pytest.fixture
def database(page_database: Database) -> Database:
    return page_database


@pytest.mark.parametrize("who", ["ann", "vic"])
@pytest.mark.parametrize("view", ["", "queue", "people", "history"])
def test_all_but_leads_see_the_numbers_alone(database: Database, who: str, view: str) -> None:
    a_closed_case(database, an_alert(title="Root was used", severity=8.0))
    at = a_page_for(who, "review", {"view": view} if view else {})
    assert not at.exception
    said = read(at)
    assert "Metrics" in said
    assert "Time to triage" in said
    assert not {"For review", "People", "History", "Root was used"} & set(said.splitlines())
    assert not labels(at)


def test_with_nothing_to_review_it_says_what_comes_here(database: Database) -> None:
    at = a_page_for("lea", "review")
    assert not at.exception
    assert "No case waits for review." in read(at)


def test_a_severe_case_comes_up_with_its_reason_and_is_approved(database: Database) -> None:
    closed = a_closed_case(database, an_alert(title="Root was used", severity=8.0))
    at = a_page_for("lou", "review")
    said = read(at)
    assert "Root was used" in said
    assert "severity high" in said
    field(at, "text_area", "Comment").set_value("Agreed, seen the change.")
    at = press(at, "Approve and seal")
    now = case.get_case(database, closed.id)
    assert (now.review, now.reviewer) == ("approved", "lou")
    assert now.seal is not None
    assert "No case waits for review." in read(at)


def test_a_case_is_returned_only_with_what_is_missing(database: Database) -> None:
    closed = a_closed_case(database, an_alert(severity=8.0))
    at = a_page_for("lou", "review", {"case": str(closed.id)})
    at = press(at, "Return it")
    assert "Say what is missing" in read(at)
    field(at, "text_area", "Comment").set_value("Who confirmed it?")
    at = press(at, "Return it")
    assert case.get_case(database, closed.id).state == "investigating"
    page = a_page_for("ann", "case", {"id": str(closed.id)})
    assert "Returned by lou" in read(page)
    assert "Who confirmed it?" in read(page)


def test_a_lead_cannot_approve_their_own_case(database: Database) -> None:
    opened = a_case(database, an_alert(severity=8.0), actor="lea")
    case.close_case(database, "lea", opened.id, opened.version, verdict="benign", reason="Mine.")
    at = a_page_for("lea", "review")
    assert f"You owned case {opened.id}: another lead reviews it." in read(at)
    assert "Approve and seal" not in labels(at)
    with pytest.raises(NotAllowed):  # and hiding the button is not all that stands in the way
        review.approve(database, "lea", opened.id, case.get_case(database, opened.id).version)


def test_a_lead_who_read_an_older_version_is_told(database: Database) -> None:
    closed = a_closed_case(database, an_alert(severity=8.0))
    at = a_page_for("lou", "review", {"case": str(closed.id)})
    case.add_note(database, "abe", closed.id, "One more thing: the key is still active.")
    at = press(at, "Approve and seal")
    assert "Not done." in read(at)
    assert case.get_case(database, closed.id).seal is None
    press(at, "Approve and seal")  # having seen it, they may
    assert case.get_case(database, closed.id).seal is not None


# Numbers


def timed_cases(database: Database, clock: Clock) -> None:
    """Three cases: closed after 10, 30 and not at all; the third is 20 hours old and high."""
    for number, minutes, verdict in ((1, 10, "benign"), (2, 30, "true_positive")):
        put_in_inbox(
            database, an_alert(id=an_id(number), principals=(a_user_principal(f"u{number}"),))
        )
        clock.move(minutes=4)
        opened = a_case(
            database, an_alert(id=an_id(number), principals=(a_user_principal(f"u{number}"),))
        )
        clock.move(minutes=minutes)
        case.close_case(
            database, "ann", opened.id, opened.version, verdict=verdict, reason="Looked."
        )  # type: ignore[arg-type] # one of the verdicts
    a_case(database, an_alert(id=an_id(3), severity=8.0, finding_type="Recon:IAMUser/TorIPCaller"),
           actor="abe")  # fmt: skip
    clock.move(hours=20)


def tiles(said: str) -> dict[str, list[str]]:
    """Label → the tile's value and its small print."""
    lines = said.split("\n")
    names = ("Time to decide", "Time to close", "Cases", "Reopened", "Past their clock")
    return {name: lines[lines.index(name) + 1 : lines.index(name) + 3] for name in names}


def test_the_numbers_are_medians_and_percentiles(database: Database, clock: Clock) -> None:
    timed_cases(database, clock)
    at = a_page_for("lea", "review", {"view": "metrics"})
    assert not at.exception
    shown = tiles(read(at))
    # Of 10 and 30 minutes: 20 in the middle, 30 the time that 95 of 100 stay within.
    assert shown["Time to decide"] == ["20 min", "median; 95 % within 30 min"]
    assert shown["Time to close"] == ["20 min", "median; 95 % within 30 min"]
    assert shown["Cases"] == ["3", "2 closed"]
    # The real clock is years or months behind or ahead of the test's: only the count is sure.
    assert shown["Past their clock"][1] == "of 1 unclosed case"
    assert "The same as a table" in [one.label for one in at.expander]
    charts = [one.proto.spec for one in at.get("vega_lite_chart") if hasattr(one.proto, "spec")]
    assert len(charts) >= 6


def test_the_numbers_filter_by_the_address(database: Database, clock: Clock) -> None:
    timed_cases(database, clock)
    at = a_page_for("lea", "review", {"view": "metrics", "owner": "abe"})
    assert tiles(read(at))["Cases"] == ["1", "0 closed"]
    at = a_page_for("lea", "review", {"view": "metrics", "type": "Discovery:S3/AnomalousBehavior"})
    assert tiles(read(at))["Cases"] == ["2", "2 closed"]
    at = at.selectbox(key="metrics-by").set_value("type").run()
    assert address_of(at)["by"] == "type"
    # Each type leads to its own numbers.
    assert "Discovery:S3/AnomalousBehavior" in read(at)
    at = a_page_for("lea", "review", {"view": "metrics", "weeks": "x", "by": "?", "severity": "?"})
    assert not at.exception
    assert tiles(read(at))["Cases"] == ["3", "2 closed"]


def test_the_table_twins_say_what_the_charts_draw(database: Database, clock: Clock) -> None:
    timed_cases(database, clock)
    at = a_page_for("lea", "review", {"view": "metrics"})
    (precision,) = [one.value for one in at.dataframe if "Finding type" in one.value]
    # One of the two decided cases of the type was a true positive.
    assert precision.to_dict("records") == [
        {
            "Finding type": "Discovery:S3/AnomalousBehavior",
            "True positives": 1,
            "Decided": 2,
            "Undetermined": 0,
            "Rate": 0.5,
        }
    ]
    (decide,) = [one.value for one in at.dataframe if "Median, minutes" in one.value][:1]
    assert "95th percentile, minutes" in decide


def test_no_chart_is_a_pie(database: Database) -> None:
    source = Path(metrics_charts.__file__).read_text()
    assert '"arc"' not in source
    assert "theta" not in source


def test_without_anything_to_count_it_says_so(database: Database) -> None:
    at = a_page_for("lea", "review", {"view": "metrics"})
    assert not at.exception
    assert "There is nothing to count yet." in read(at)


# People


def test_a_lead_adds_a_user_who_can_then_work(database: Database) -> None:
    at = a_page_for("lea", "review", {"view": "people"})
    field(at, "text_input", "Name").set_value("kim")
    at = press(at, "Add")
    assert {one.name: one.role for one in users.users(database)}["kim"] == "analyst"
    assert "kim" in read(at)
    assert "Alerts you have" in read(a_page_for("kim", "inbox"))


def test_the_last_lead_stays(database: Database) -> None:
    users.change_user(database, "lea", "lou", role="analyst")
    at = a_page_for("lea", "review", {"view": "people"})
    field(at, "selectbox", "Who").set_value("lea")
    at = press(at, "Put out of action")
    assert "lea is the last lead." in read(at)


def test_a_role_taken_away_counts_at_once(database: Database) -> None:
    at = a_page_for("lou", "review")
    assert "For review" in read(at)
    users.change_user(database, "lea", "lou", role="viewer")
    at = at.run()
    assert "For review" not in read(at)
    assert "Metrics" in read(at)


# History


def test_an_untouched_history_verifies(database: Database) -> None:
    a_closed_case(database, an_alert())
    at = press(a_page_for("lea", "review", {"view": "history"}), "Verify")
    assert "Nothing contradicts the history." in read(at)


def test_a_history_rewritten_behind_the_program_is_found_out(
    database: Database, tmp_path: Path
) -> None:
    closed = a_closed_case(database, an_alert())
    signed = str(audit.head(database))
    behind = sqlite3.connect(tmp_path / "cases.db")
    behind.execute("update cases set verdict = 'false_positive' where id = ?", (closed.id,))
    behind.commit()
    behind.close()
    at = a_page_for("lea", "review", {"view": "history"})
    field(at, "text_input", "or the head a report prints").set_value(signed)
    at = press(at, "Verify")
    assert not at.exception
    assert "The history was tampered with." in read(at)


def test_what_is_no_head_is_said_to_be_none(database: Database) -> None:
    at = a_page_for("lea", "review", {"view": "history"})
    field(at, "text_input", "or the head a report prints").set_value("twelve")
    at = press(at, "Verify")
    assert "What was given prints no head of a history" in read(at)
