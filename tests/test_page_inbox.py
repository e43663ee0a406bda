"""The inbox page: fills, sorts, filters, shows answers made ahead, and keeps to the user's role."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts import parse_alerts
from cases import enrichment, inbox, users
from cases.database import Database, open_database
from enrich import ask_all
from tests.a_case import (
    a_case,
    a_user_principal,
    an_alert,
    an_id,
    five_answers,
    put_in_inbox,
)
from tests.a_case_page import a_page_for, labels, press, queue_ids, read
from tests.a_page import a_page, address_of, links
from tests.an_event import a_role_session, an_event
from tests.test_weighing import NOON, a_denial, at, every_day
from trail.index.build import add
from trail.store import Store, open_store
from ui.inbox import ahead
from ui.kit.markup import texts
from ui.parts import queue_table
from ui.shell import kept, load

pytest_plugins = ("tests.case_databases", "tests.case_pages")
pytestmark = pytest.mark.usefixtures("own_folders")


@pytest.fixture
def database(page_database: Database) -> Database:
    return page_database


def three_alerts(database: Database) -> dict[str, str]:
    """Alerts of severity 9, 5 and none, by alice, the role reader and bob, each from elsewhere."""
    ids = put_in_inbox(
        database,
        an_alert(id=an_id(1), title="Medium one"),
        an_alert(
            id=an_id(2),
            title="Critical one",
            severity=9.0,
            account_id="444455556666",
            source_ip_address="198.51.100.8",
            principals=(a_user_principal("alice"),),
        ),
        an_alert(
            id=an_id(3),
            title="Unrated one",
            severity=None,
            source_ip_address="198.51.100.9",
            principals=(a_user_principal("bob"),),
        ),
    )
    return dict(zip(("medium", "critical", "unrated"), ids, strict=True))


# Empty, and filling it


def test_an_empty_inbox_says_how_to_fill_it(database: Database) -> None:
    at = a_page_for("ann", "inbox")
    assert not at.exception
    said = read(at)
    for way in ("Alerts you have", "Alerts from your logs", "Alerts of the demo company"):
        assert way in said
    assert ("index page", "index") in links(at)  # where the demo is generated
    detect = next(one for one in at.button if one.label == "Find alerts in my logs")
    assert detect.disabled  # there is no index to look through


def test_without_any_user_the_first_to_come_is_the_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTRAIL_USER", "someone")
    at = a_page("inbox")
    assert not at.exception
    at.text_area(key="inbox-paste-box").set_value(json.dumps(an_event()))
    at = press(at, "Take them in")
    assert "1 new alert." in read(at)
    opened = open_database()
    assert [(one.name, one.role) for one in users.users(opened)] == [("someone", "lead")]
    opened.close()


def test_several_users_and_no_choice_yet_asks_who_is_working(database: Database) -> None:
    at = a_page("inbox")
    assert "Who is working?" in read(at)
    at = press(at, "ann · analyst")
    assert "Alerts you have" in read(at)


def test_pasted_alerts_come_in_and_the_same_again_is_counted(database: Database) -> None:
    two = json.dumps({"Records": [an_event(), an_event(eventName="GetCallerIdentity")]})
    at = a_page_for("ann", "inbox", {"each": "1"})
    at.text_area(key="inbox-paste-box").set_value(two)
    at = press(at, "Take them in")
    assert "2 new alerts." in read(at)
    assert len(queue_ids(at)) == 2
    assert at.text_area(key="inbox-paste-box1").value == ""
    at.text_area(key="inbox-paste-box1").set_value(two)
    at = press(at, "Take them in")
    said = read(at)
    assert "2 alerts came, 0 of them new." in said
    assert said.count("came 2 times") == 2


def test_what_is_no_alert_is_refused_in_one_sentence(database: Database) -> None:
    at = a_page_for("ann", "inbox")
    at.text_area(key="inbox-paste-box").set_value("![x](http://evil.example/a.png) hello")
    at = press(at, "Take them in")
    assert not at.exception
    assert "No alert was taken in." in read(at)
    assert at.text_area(key="inbox-paste-box").value.endswith(" hello")  # to be mended
    assert inbox.queue(database).total == 0
    assert not any("evil.example" in one.value for one in at.markdown)


def test_a_folder_that_is_not_there_is_named_as_the_problem(database: Database) -> None:
    at = a_page_for("lea", "inbox")
    at.text_input(key="inbox-folder").set_value("/no/such/folder")
    at = press(at, "Take them in")
    assert "There is no such folder or file." in read(at)


@pytest.mark.parametrize("odd", ["~nobody-is-called-so/x", "a" * 2_000, "/tmp/\0"])
def test_a_path_that_cannot_be_one_loses_nothing(database: Database, odd: str) -> None:
    at = a_page_for("lea", "inbox")
    at.text_input(key="inbox-folder").set_value(odd)
    at.text_area(key="inbox-paste-box").set_value(json.dumps(an_event()))
    at = press(at, "Take them in")
    assert not at.exception
    assert "There is no such folder or file." in read(at)
    assert at.text_area(key="inbox-paste-box").value
    assert inbox.queue(database).total == 0


# The queue


def test_the_severest_comes_first_and_unrated_last(database: Database) -> None:
    ids = three_alerts(database)
    at = a_page_for("ann", "inbox")
    assert queue_ids(at) == [ids["critical"], ids["medium"], ids["unrated"]]
    assert ("New 3", "inbox?state=new") in links(at)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"sort": "title", "order": "up"}, ["critical", "medium", "unrated"]),
        ({"sort": "title"}, ["unrated", "medium", "critical"]),
        ({"severity": "7"}, ["critical"]),
        ({"severity": "4"}, ["critical", "medium"]),
        ({"principal": "BOB"}, ["medium", "unrated"]),  # user bob, and the session bob@example.com
        ({"account": "444455556666"}, ["critical"]),
        ({"text": "unrated"}, ["unrated"]),
        ({"state": "closed"}, []),
        # What is no filter of ours counts as not given.
        ({"sort": "raw", "severity": "1; drop", "page": "x", "state": "?"},
         ["critical", "medium", "unrated"]),
    ],
)  # fmt: skip
def test_the_address_sorts_and_filters(
    database: Database, asked: dict[str, str], expected: list[str]
) -> None:
    ids = three_alerts(database)
    at = a_page_for("ann", "inbox", asked)
    assert not at.exception
    assert queue_ids(at) == [ids[name] for name in expected]


def test_a_chosen_filter_goes_into_the_address(database: Database) -> None:
    three_alerts(database)
    at = a_page_for("ann", "inbox", {"page": "2"})
    at = at.selectbox(key="inbox-severity").set_value("9").run()
    assert address_of(at) == {"severity": "9"}
    assert len(queue_ids(at)) == 1
    at = at.selectbox(key="inbox-severity").set_value("").run()
    assert address_of(at) == {}


def test_age_is_measured_from_now(database: Database) -> None:
    three_alerts(database)  # all last seen in March
    assert queue_ids(a_page_for("ann", "inbox", {"age": "7"})) == []


def test_the_five_answers_made_ahead_stand_in_the_row(database: Database) -> None:
    ids = three_alerts(database)
    enrichment.save_answers(
        database,
        ids["medium"],
        "v1",
        [five_answers(roles_assumed="nothing", baseline="not_covered", services_used="failed")],
    )
    said = read(a_page_for("ann", "inbox", {"text": "Medium one"}))
    for word in ("● Answered", "○ Nothing found", "◌ No logs for it", "✕ Could not look"):
        assert word in said
    assert "alice assumed reader from the command line." in said


def test_alerts_without_answers_say_that_they_wait(database: Database) -> None:
    three_alerts(database)
    assert "waiting for its answers" in read(a_page_for("ann", "inbox"))


def test_an_alert_in_a_case_leads_to_it(database: Database) -> None:
    case = a_case(database, an_alert(id=an_id(7), title="Taken"))
    at = a_page_for("ann", "inbox", {"state": "in_case"})
    assert len(queue_ids(at)) == 1
    assert f"case {case.id}" in read(at)


def test_related_alerts_are_shown_with_the_reason(database: Database) -> None:
    ids = three_alerts(database)
    (fourth,) = put_in_inbox(
        database,
        an_alert(id=an_id(4), title="Alice again", principals=(a_user_principal("alice"),)),
    )
    at = a_page_for("ann", "inbox", {"related": ids["critical"]})
    assert queue_ids(at) == [ids["critical"], fourth]
    assert "↔ same role session or key" in read(at)  # alice's access key


@pytest.mark.parametrize("asked", ["no-such-alert", "'; drop table alerts", ""])
def test_related_to_no_alert_of_ours_says_so(database: Database, asked: str) -> None:
    three_alerts(database)
    at = a_page_for("ann", "inbox", {"related": asked})
    assert not at.exception
    assert "That alert is not in the inbox." in read(at)


def test_hostile_titles_stay_text(database: Database) -> None:
    hostile = "![x](http://evil.example/a.png) **bold** <img src=x onerror=alert(1)>"
    put_in_inbox(database, an_alert(title=hostile, principals=(a_user_principal(hostile),)))
    at = a_page_for("ann", "inbox")
    assert hostile in read(at)
    assert not any("evil.example" in str(one.value) for one in at.markdown)
    assert not any("evil.example" in one for one in labels(at))


def test_the_inbox_is_closed_to_a_viewer(database: Database) -> None:
    three_alerts(database)
    at = a_page_for("vic", "inbox")
    assert "This page is not open to your role" in read(at)
    assert not queue_ids(at)
    assert not labels(at)


def test_a_database_that_cannot_be_opened_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("this is no database, but text of some length" * 50)
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(broken))
    at = a_page("inbox")
    assert not at.exception
    assert "The inbox cannot be shown." in read(at)


# Opening one, and the work outside the session


def test_an_inbox_alert_is_found_by_its_id(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTRAIL_USER", "ann")
    ids = three_alerts(database)
    found = load.alert_by_id(ids["critical"])
    assert found is not None
    assert found.title == "Critical one"
    assert load.alert_by_id("stolen-instance-role") is None


@pytest.fixture
def stratus_index(stratus_store: Any, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("BACKTRAIL_INDEX", str(stratus_store.index_dir))
    store: Store = stratus_store
    return store


STRATUS_EVENT = "cfdb926f-8f87-44ea-8b73-125efb2fa78a"


def test_the_job_takes_in_a_folder_and_answers_ahead(
    database: Database,
    stratus_index: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "alerts"
    folder.mkdir()
    record = stratus_index.raw_records([STRATUS_EVENT])[STRATUS_EVENT]
    (folder / "good.json").write_text(record)
    (folder / "empty.json").write_text("{}")
    assert ahead.main(["--actor", "ann", "--", str(folder)]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[-1]["done"] is True
    assert (said[-1]["alerts"], said[-1]["new"], said[-1]["answered"]) == (1, 1, 1)
    assert len(said[-1]["problems"]) == 1
    assert said[-1]["problems"][0].startswith("empty.json: ")
    (kept,) = inbox.queue(database).alerts
    assert kept.enrichment == "done"
    assert [badge.name for badge in kept.badges] == [
        "assumed_by", "roles_assumed", "services_used", "interesting_calls", "baseline"
    ]  # fmt: skip
    # Opened on the triage page by its inbox id, it is the same alert with the same answers.
    at = a_page_for("ann", "triage", {"alert": kept.id})
    assert not at.exception
    assert kept.badges[2].sentence in read(at)


def test_the_job_refuses_an_unknown_user(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(an_event(userIdentity=a_role_session())))
    assert parse_alerts(file.read_text())
    assert ahead.main(["--actor", "nobody", "--", str(file)]) == 1
    assert "nobody" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert inbox.queue(database).total == 0


def test_detections_over_the_index_fill_the_inbox(
    database: Database, stratus_index: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ahead.main(["--detect", "--actor", "ann"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    found = inbox.queue(database, limit=500)
    assert last["new"] == found.total > 0
    assert {alert.source for alert in found.alerts} == {"sigma"}


def test_a_team_s_own_rules_run_beside_ours_and_unusable_ones_are_named(
    database: Database,
    stratus_index: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rule = """
title: {title}
status: test
logsource: {{product: aws, service: cloudtrail}}
detection:
  selection: {{{field}: GetPasswordData}}
  condition: selection
level: low
"""
    (tmp_path / "ours.yml").write_text(rule.format(title="Passwords asked", field="eventName"))
    (tmp_path / "odd.yml").write_text(rule.format(title="Odd field", field="noSuchField"))
    monkeypatch.setenv("BACKTRAIL_RULES", str(tmp_path))
    assert ahead.main(["--detect", "--actor", "ann"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    titles = {alert.title for alert in inbox.queue(database, limit=500).alerts}
    assert any("Passwords asked" in title for title in titles)
    assert any("Odd field" in problem for problem in last["problems"])


def test_someone_else_at_a_database_of_one_user_is_asked_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = open_database()
    users.add_user(opened, "lea", "lea", "lead")
    opened.close()
    monkeypatch.setenv("BACKTRAIL_USER", "mallory")
    assert "Who is working?" in read(a_page("inbox"))
    monkeypatch.setenv("BACKTRAIL_USER", "lea")
    assert "Alerts you have" in read(a_page("inbox"))


def test_answers_made_ahead_are_the_ones_that_asking_gives(
    database: Database, stratus_index: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTRAIL_USER", "ann")
    (alert,) = parse_alerts(stratus_index.raw_records([STRATUS_EVENT])[STRATUS_EVENT])
    inbox.receive(database, "ann", [alert])
    version, (principal,) = stratus_index.version(), alert.principals
    assert kept.answers_ahead(version, alert, 0) is None  # none yet
    enrichment.enrich_pending(database, stratus_index, ask_all)
    ahead_of_time = kept.answers_ahead(version, alert, 0)
    assert ahead_of_time is not None
    asked = ask_all(alert, principal, stratus_index)
    assert [(a.name, a.status, a.sentence, a.evidence, a.caveats) for a in ahead_of_time] == [
        (a.name, a.status, a.sentence, a.evidence, a.caveats) for a in asked
    ]
    assert [a.data for a in ahead_of_time] == [a.data for a in asked]
    # Not for an alert that was corrected, nor from another index.
    moved = replace(alert, source_ip_address="203.0.113.9")
    assert kept.answers_ahead(version, moved, 0) is None
    assert kept.answers_ahead("another", alert, 0) is None


def test_the_queue_says_what_was_found_news_first(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTRAIL_USER", "ann")
    denied = [
        a_denial(role, NOON - timedelta(minutes=n)) for n, role in enumerate(["a", "a", "b"], 5)
    ]
    event = at(NOON)
    (tmp_path / "logs").mkdir()
    records = [event, *denied, *every_day()]
    (tmp_path / "logs" / "log.json").write_text(json.dumps({"Records": records}))
    add([tmp_path / "logs"], tmp_path / "index")
    inbox.receive(database, "ann", parse_alerts(json.dumps(event)))
    with open_store(tmp_path / "index") as store:
        enrichment.enrich_pending(database, store, ask_all)
    (queued,) = inbox.queue(database).alerts
    by_name = {badge.name: (badge.found, badge.way) for badge in queued.badges}
    assert by_name["roles_assumed"] == ("2 roles denied", "for")
    drawn = "\n".join(texts([queue_table.ahead(queued)]))
    assert drawn.index("▲ 2 roles denied") < drawn.index("Who")
    assert "Answered" not in drawn
