"""The pages of cases: the list, one case, deciding it, two people at once, and its report."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cases import audit, case, enrichment, evidence, review
from cases.database import Database
from tests.a_case import (
    LiteralStore,
    a_case,
    a_closed_case,
    a_user_principal,
    an_alert,
    an_id,
    five_answers,
    put_in_inbox,
)
from tests.a_case_page import a_page_for, field, labels, press, queue_ids, read
from tests.a_page import links
from ui.cases import report_buttons

pytest_plugins = ("tests.case_databases", "tests.case_pages")
pytestmark = pytest.mark.usefixtures("own_folders")
EVENT = "11111111-0000-4000-8000-000000000001"


@pytest.fixture
def database(page_database: Database) -> Database:
    return page_database


# The list


def test_without_a_case_the_list_says_where_cases_come_from(database: Database) -> None:
    at = a_page_for("ann", "cases")
    assert "There is no case yet." in read(at)
    assert ("Pick alerts in the inbox and open one", "inbox") in links(at)


def test_the_list_filters_by_its_address(database: Database) -> None:
    mine = a_case(database, an_alert(id=an_id(1), title="In work, ann's"))
    other = a_case(database, an_alert(id=an_id(2), title="Severe", severity=9.0), actor="abe")
    done = a_closed_case(database, an_alert(id=an_id(3), title="Over and done"))
    case.save_case(database, "ann", mine.id, mine.version, {"tags": ["s3"]})

    def shown(**asked: str) -> set[int]:
        at = a_page_for("ann", "cases", asked)
        assert not at.exception
        return {
            int(words) for words, href in links(at) if words.isdigit() and href.startswith("case?")
        }

    assert shown() == {mine.id, other.id}
    assert shown(state="all") == {mine.id, other.id, done.id}
    assert shown(state="closed") == {done.id}
    assert shown(owner="abe") == {other.id}
    assert shown(severity="critical") == {other.id}
    assert shown(state="all", verdict="benign") == {done.id}
    assert shown(tag="s3") == {mine.id}
    assert shown(state="all", text="over and") == {done.id}
    assert shown(state="?", verdict="?", owner="nobody", page="-1") == {mine.id, other.id}


def test_the_list_is_sorted_by_its_heads(database: Database) -> None:
    a = a_case(database, an_alert(id=an_id(1), title="B", severity=2.0))
    b = a_case(database, an_alert(id=an_id(2), title="C", severity=9.0), actor="abe")
    c = a_case(database, an_alert(id=an_id(3), title="A", severity=5.0))

    def shown(**asked: str) -> list[int]:
        at = a_page_for("ann", "cases", asked)
        assert not at.exception
        return [int(words) for words, href in links(at) if words.isdigit() and "case?" in href]

    assert shown() == [c.id, b.id, a.id]
    assert shown(sort="severity") == [b.id, c.id, a.id]
    assert shown(sort="severity", order="up") == [a.id, c.id, b.id]
    assert shown(sort="title", order="up") == [c.id, a.id, b.id]
    assert shown(sort="owner", order="up")[0] == b.id
    assert shown(sort="__class__") == [c.id, b.id, a.id]
    found = dict(links(a_page_for("ann", "cases", {"sort": "title", "state": "all"})))
    assert found["Title ▼"] == "cases?state=all&sort=title&order=up"
    assert found["Owner"] == "cases?state=all&sort=owner"


# One case


@pytest.mark.parametrize("asked", [{}, {"id": "0"}, {"id": "99"}, {"id": "1; drop"}, {"id": "²"}])
def test_no_such_case_is_said_in_one_sentence(database: Database, asked: dict[str, str]) -> None:
    at = a_page_for("ann", "case", asked)
    assert not at.exception
    assert "There is no such case." in read(at)


def test_a_case_shows_what_it_holds(database: Database) -> None:
    opened = a_case(database, an_alert(title="Taken to look at"))
    case.add_note(database, "abe", opened.id, "Called alice: it was her.")
    at = a_page_for("ann", "case", {"id": str(opened.id)})
    assert not at.exception
    said = read(at)
    for words in ("Taken to look at", "Called alice: it was her.", "Audit trail (3 entries)",
                  "case opened", "note added"):  # fmt: skip
        assert words in said
    assert len(queue_ids(at)) == 1


def test_a_verdict_needs_a_reason_and_then_closes_the_case(database: Database) -> None:
    opened = a_case(database, an_alert(severity=5.0))
    at = a_page_for("ann", "case", {"id": str(opened.id)})
    field(at, "selectbox", "Verdict").set_value("benign")
    at = press(at, "Save and close the case")
    assert "Not saved." in read(at)
    assert "write one sentence on why" in read(at)
    assert case.get_case(database, opened.id).verdict is None

    field(at, "selectbox", "Verdict").set_value("benign")
    field(at, "text_area", "Reason (a verdict needs one)").set_value("Planned work, change 4711.")
    field(at, "text_input", "Tags, with commas between").set_value("s3, planned,")
    at = press(at, "Save and close the case")
    now = case.get_case(database, opened.id)
    assert (now.state, now.verdict, now.reason) == (
        "closed",
        "benign",
        "Planned work, change 4711.",
    )
    assert now.tags == ("planned", "s3")
    assert now.decided_by == "ann"
    assert "Saved and closed." in read(at)
    assert "Save" not in labels(at)  # what is closed is read, not edited


def test_saving_without_a_change_saves_nothing(database: Database) -> None:
    opened = a_case(database, an_alert())
    at = press(a_page_for("ann", "case", {"id": str(opened.id)}), "Save")
    assert "Nothing was changed" in read(at)
    assert case.get_case(database, opened.id).version == opened.version


def test_a_note_is_added_and_the_box_is_empty_again(database: Database) -> None:
    opened = a_case(database, an_alert())
    at = a_page_for("abe", "case", {"id": str(opened.id)})
    field(at, "text_area", "A new note").set_value("Looked at the bucket.")
    at = press(at, "Add the note")
    assert [note.text for note in case.case_file(database, opened.id).notes] == [
        "Looked at the bucket."
    ]
    assert field(at, "text_area", "A new note").value == ""


def test_a_reopened_case_can_be_worked_on(database: Database) -> None:
    closed = a_closed_case(database, an_alert(severity=5.0))
    at = a_page_for("ann", "case", {"id": str(closed.id)})
    at = press(at, "Reopen the case")
    assert "Say why the case is reopened." in read(at)
    field(at, "text_input", "Why?").set_value("It came again.")
    at = press(at, "Reopen the case")
    assert case.get_case(database, closed.id).state == "investigating"
    assert "Save" in labels(at)


def test_in_local_mode_the_trail_says_that_the_name_was_chosen_and_in_which_browser(
    database: Database,
) -> None:
    opened = a_case(database, an_alert())
    at = a_page_for("ann", "case", {"id": str(opened.id)})
    field(at, "text_area", "A new note").set_value("Seen.")
    at = press(at, "Add the note")
    by = audit.history(database, opened.id)[-1].by
    assert by is not None
    assert set(by) == {"names", "browser"}
    assert by["names"] == "chosen"
    assert len(by["browser"]) == 10
    assert f"chosen, not proven, browser session {by['browser']}" in read(at)


def test_a_viewer_can_change_nothing(database: Database) -> None:
    opened = a_case(database, an_alert())
    at = a_page_for("vic", "case", {"id": str(opened.id)})
    assert not at.exception
    assert not at.text_area
    assert not {"Save", "Add the note", "Pin it"} & set(labels(at))
    assert opened.title not in read(at)
    assert [one.key for one in at.get("download_button")] == [
        "redacted-md", "redacted-html", "redacted-pdf", "redacted-json"
    ]  # fmt: skip


def test_a_sealed_case_opens_again_for_a_lead_alone(database: Database) -> None:
    closed = a_closed_case(database, an_alert(severity=8.0))
    seal = review.approve(database, "lou", closed.id, closed.version, "Right.")
    asked = {"id": str(closed.id)}
    at = a_page_for("ann", "case", asked)
    assert "It is sealed: only a lead can reopen it." in read(at)
    assert seal[:16] in read(at)
    assert "Add the note" not in labels(at)
    assert "Reopen the case" in labels(a_page_for("lou", "case", asked))


# Two people at once


def test_two_who_change_the_same_field_are_shown_both_texts(database: Database) -> None:
    opened = a_case(database, an_alert())
    at = a_page_for("ann", "case", {"id": str(opened.id)})
    case.save_case(database, "abe", opened.id, opened.version, {"reason": "Abe: it was the robot."})
    field(at, "text_area", "Reason (a verdict needs one)").set_value("Ann: it was planned.")
    at = press(at, "Save")
    said = read(at)
    assert "abe saved this case while you had it open" in said
    assert "Abe: it was the robot." in said
    assert "Ann: it was planned." in said
    assert case.get_case(database, opened.id).reason == "Abe: it was the robot."

    at = press(at, "Keep both texts")
    assert case.get_case(database, opened.id).reason == (
        "Abe: it was the robot.\n\nAnn: it was planned."
    )
    assert "Keep both texts" not in labels(at)
    # Whatever had been chosen, the refused words are in the history.
    refused = [e for e in case.case_file(database, opened.id).history if "refused" in e.action]
    assert refused[0].after["yours"]["reason"] == "Ann: it was planned."


@pytest.mark.parametrize(
    ("button", "reason"),
    [("Use mine", "Ann: it was planned."), ("Use theirs", "Abe: it was the robot.")],
)
def test_a_conflict_is_settled_as_the_second_person_says(
    database: Database, button: str, reason: str
) -> None:
    opened = a_case(database, an_alert())
    at = a_page_for("ann", "case", {"id": str(opened.id)})
    case.save_case(database, "abe", opened.id, opened.version, {"reason": "Abe: it was the robot."})
    field(at, "text_area", "Reason (a verdict needs one)").set_value("Ann: it was planned.")
    at = press(press(at, "Save"), button)
    assert case.get_case(database, opened.id).reason == reason
    assert field(at, "text_area", "Reason (a verdict needs one)").value == reason


def test_two_who_change_different_fields_lose_nothing_and_are_not_bothered(
    database: Database,
) -> None:
    opened = a_case(database, an_alert())
    at = a_page_for("ann", "case", {"id": str(opened.id)})
    case.save_case(database, "abe", opened.id, opened.version, {"severity": "critical"})
    case.add_note(database, "abe", opened.id, "Raised it.")
    field(at, "text_area", "Reason (a verdict needs one)").set_value("Ann: it was planned.")
    at = press(at, "Save")
    now = case.get_case(database, opened.id)
    assert (now.severity, now.reason) == ("critical", "Ann: it was planned.")
    assert "Saved." in read(at)
    # The form shows both, so that saving again changes neither back.
    at = press(at, "Save")
    assert case.get_case(database, opened.id).severity == "critical"


# Evidence


def test_frozen_evidence_is_read_without_the_logs(database: Database) -> None:
    hostile = "![x](http://evil.example/a.png)"
    alert = an_alert(principals=(a_user_principal(),))
    opened = a_case(database, alert)
    (alert_id,) = (one.id for one in case.case_file(database, opened.id).alerts)
    record = json.dumps({"eventID": EVENT, "eventName": "AssumeRole", "userAgent": hostile})
    (frozen,) = evidence.freeze_answers(
        database,
        "ann",
        opened.id,
        alert_id,
        LiteralStore({EVENT: record}),
        answers=five_answers()[:1],
    )
    at = a_page_for("ann", "case", {"id": str(opened.id), "evidence": str(frozen.id)})
    assert not at.exception
    said = read(at)
    assert "alice assumed reader from the command line." in said
    assert f'"userAgent": "{hostile}"' in said
    assert frozen.sha256[:20] in said
    assert not any("evil.example" in str(one.value) for one in at.markdown)


def test_freezing_and_pinning_without_an_index_say_what_is_missing(database: Database) -> None:
    opened = a_case(database, an_alert())
    (alert_id,) = (one.id for one in case.case_file(database, opened.id).alerts)
    enrichment.save_answers(database, alert_id, "v1", [five_answers()])
    at = a_page_for("ann", "case", {"id": str(opened.id)})
    at = press(at, "Save the answers of 1 alert")
    assert "The answers were not saved." in read(at)
    field(at, "text_input", "Event id").set_value(EVENT)
    at = press(at, "Pin it")
    assert not at.exception
    assert "Not pinned." in read(at)
    assert [one.kind for one in case.case_file(database, opened.id).evidence] == ["alert"]


# Similar cases, related alerts, the report


def test_similar_cases_are_shown_with_how_they_were_closed(database: Database) -> None:
    before = a_closed_case(database, an_alert(id=an_id(1), title="Seen in February"))
    now = a_case(database, an_alert(id=an_id(2), title="Again"))
    at = a_page_for("ann", "case", {"id": str(now.id)})
    said = read(at)
    assert (f"Case {before.id}", f"case?id={before.id}") in links(at)
    assert before.reason in said
    assert "same role session or key" in said


def test_related_alerts_in_no_case_are_offered(database: Database) -> None:
    opened = a_case(database, an_alert(id=an_id(1)))
    (other,) = put_in_inbox(database, an_alert(id=an_id(2), title="The same session"))
    at = a_page_for("ann", "case", {"id": str(opened.id)})
    assert other in queue_ids(at)
    assert "Add to this case" in labels(at)


def test_a_report_is_made_when_it_is_clicked_and_hides_on_request(database: Database) -> None:
    opened = a_case(database, an_alert(title="Role used from 198.51.100.7 in 111122223333"))
    made = {
        redacted: report_buttons.made_when_clicked(
            database, "ann", opened.id, "md", redacted=redacted, unrecorded=[]
        )
        for redacted in (False, True)
    }
    case.add_note(database, "ann", opened.id, "Written after the buttons were drawn.")
    plain, hidden = made[False]().decode(), made[True]().decode()
    assert "111122223333" in plain
    assert "Written after the buttons were drawn" in plain
    assert "111122223333" not in hidden
    assert "198.51.100.7" not in hidden


def test_closing_shows_a_conflict_in_every_field(database: Database) -> None:
    opened = a_case(database, an_alert())
    at = a_page_for("ann", "case", {"id": str(opened.id)})
    case.save_case(database, "abe", opened.id, opened.version, {"reason": "Abe: it was the robot."})
    field(at, "selectbox", "Verdict").set_value("benign")
    field(at, "selectbox", "Severity").set_value("low")
    field(at, "text_area", "Reason (a verdict needs one)").set_value("Ann: it was planned.")
    at = press(at, "Save and close the case")
    said = read(at)
    assert "abe saved this case while you had it open" in said
    assert "Abe: it was the robot." in said
    assert case.get_case(database, opened.id).state != "closed"
    at = press(at, "Keep both texts")
    now = case.get_case(database, opened.id)
    assert (now.state, now.severity, now.verdict) == ("closed", "low", "benign")
    assert now.reason == "Abe: it was the robot.\n\nAnn: it was planned."


def test_closing_without_a_verdict_says_what_is_missing(database: Database) -> None:
    opened = a_case(database, an_alert())
    at = press(a_page_for("ann", "case", {"id": str(opened.id)}), "Save and close the case")
    assert "A case is closed with a verdict" in read(at)
    assert case.get_case(database, opened.id).version == opened.version


# From the triage page

STRATUS_EVENT = "cfdb926f-8f87-44ea-8b73-125efb2fa78a"


@pytest.fixture
def indexed(own_folders: None, stratus_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTRAIL_INDEX", str(stratus_store.index_dir))


@pytest.mark.usefixtures("indexed")
def test_an_alert_becomes_a_case_with_its_answers_frozen(database: Database) -> None:
    press(a_page_for("ann", "triage", {"event": STRATUS_EVENT}), "Open a case")
    (opened,) = case.find_cases(database)
    assert (opened.owner, opened.state) == ("ann", "investigating")
    file = case.case_file(database, opened.id)
    assert [one.kind for one in file.evidence] == ["alert", *["answer"] * 5]
    # Back on the triage page the case is named, and saving again counts no second arrival.
    at = a_page_for("abe", "triage", {"event": STRATUS_EVENT})
    assert (f"Case {opened.id}", f"case?id={opened.id}") in links(at)
    assert "Open a case" not in labels(at)
    press(at, "Save these answers to the case")
    file = case.case_file(database, opened.id)
    assert len(file.evidence) == 11
    assert [alert.count for alert in file.alerts] == [1]


@pytest.mark.usefixtures("indexed")
def test_an_alert_is_closed_with_a_verdict_in_one_step(database: Database) -> None:
    at = a_page_for("ann", "triage", {"event": STRATUS_EVENT})
    at.session_state["triage-close"] = True  # its form is sent when it is opened
    at = press(at.run(), "Open, decide and close")
    assert "A verdict needs a choice and its reason." in read(at)
    assert case.find_cases(database) == []
    at.radio(key="triage-verdict-choice").set_value("benign")
    at.text_area(key="triage-verdict-reason").set_value("An announced exercise.")
    press(at, "Open, decide and close")
    (closed,) = case.find_cases(database)
    assert (closed.state, closed.verdict, closed.reason) == (
        "closed", "benign", "An announced exercise."
    )  # fmt: skip


@pytest.mark.usefixtures("indexed")
def test_a_viewer_is_offered_no_case(database: Database) -> None:
    at = a_page_for("vic", "triage", {"event": STRATUS_EVENT})
    at.session_state["triage-close"] = True
    at.run()
    assert not at.exception
    assert "This page is not open to your role" in read(at)
    assert not labels(at)


def test_hostile_words_stay_text_on_every_page_of_cases(database: Database) -> None:
    hostile = "![x](http://evil.example/a.png) :red[SAFE] <img src=http://evil.example/b>"
    opened = a_case(database, an_alert(title=hostile))
    case.add_note(database, "ann", opened.id, hostile)
    case.save_case(
        database, "ann", opened.id, case.get_case(database, opened.id).version, {"tags": [hostile]}
    )
    for name, asked in (("cases", {}), ("case", {"id": str(opened.id)})):
        at = a_page_for("ann", name, asked)
        assert not at.exception
        assert hostile in read(at)
        parsed = [str(one.value) for kind in (at.markdown, at.error, at.warning) for one in kind]
        assert not any("evil.example" in words for words in [*parsed, *labels(at)])
