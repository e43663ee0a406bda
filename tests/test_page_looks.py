"""One heading a page, what was pasted side by side, corrections to undo, tables to narrow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.a_page import a_page, address_of, links, table, texts_of, words
from tests.an_event import an_event
from trail.index.build import add
from ui.kit.markup import el, texts
from ui.kit.pieces import cited, sifted
from ui.kit.pieces import table as a_table

pytest_plugins = ("tests.case_pages",)


def headings(at: AppTest) -> list[str]:
    return texts_of(at, "h1")


FIRST, SECOND = an_event(), an_event(eventName="StopLogging", readOnly=False)


@pytest.fixture
def indexed(tmp_path: Path, own_folders: None) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.json").write_text(json.dumps({"Records": [FIRST, SECOND]}))
    add([tmp_path / "logs"], tmp_path / "index")


@pytest.mark.parametrize(
    ("name", "asked", "heading"),
    [
        ("triage", {}, "Paste an alert"),
        ("triage", {"event": FIRST["eventID"]}, "DescribeInstances"),
        ("triage", {"event": FIRST["eventID"], "check": "1"}, "DescribeInstances"),
        ("inbox", {}, "Inbox"),
        ("cases", {}, "Cases"),
        ("review", {}, "Review"),
        ("events", {}, "Search events"),
        ("events", {"event": FIRST["eventID"]}, "DescribeInstances"),
        ("entity", {}, "Look up an entity"),
        ("entity", {"of": "198.51.100.7"}, "198.51.100.7"),
        ("index", {}, "Event index"),
    ],
)
@pytest.mark.usefixtures("indexed")
def test_every_page_has_one_first_heading(name: str, asked: dict[str, str], heading: str) -> None:
    at = a_page(name, asked)
    assert not at.exception
    (found,) = headings(at)
    assert heading in found


@pytest.mark.usefixtures("indexed")
def test_pasted_alerts_switch_above_the_alert_line() -> None:
    at = a_page()
    at.text_area(key="paste-box").set_value(json.dumps([FIRST, SECOND]))
    at = next(b for b in at.button if b.label == "Answer the five questions").click().run()
    said = words(at).splitlines()
    assert said.index("2 alerts in this text") < said.index("Who")
    (other,) = [address for _, address in links(at) if "which=1" in address]
    assert other.startswith("triage?")


@pytest.mark.usefixtures("indexed")
def test_what_was_corrected_says_so_and_can_be_undone() -> None:
    at = a_page("triage", {"event": FIRST["eventID"], "ip": "203.0.113.9"})
    at.session_state["what-was-read"] = True
    at.run()
    assert not at.exception
    row = next(row for row in table(at, "What was read from the alert") if row[0] == "Source IP")
    assert row[1] == "203.0.113.9"
    assert "corrected by you" in row[2]
    (undo,) = [address for said, address in links(at) if said == "undo"]
    assert undo == f"triage?event={FIRST['eventID']}"


@pytest.mark.usefixtures("indexed")
def test_a_verdict_is_written_in_a_panel_of_its_alert_alone() -> None:
    at = a_page("triage", {"event": FIRST["eventID"]})
    assert "triage-verdict-reason" not in {box.key for box in at.text_area}
    at.button(key="triage-close-open").click().run()
    assert at.text_area(key="triage-verdict-reason") is not None
    at.query_params["event"] = SECOND["eventID"]
    at.run()
    assert "triage-verdict-reason" not in {box.key for box in at.text_area}
    at.query_params["event"] = FIRST["eventID"]
    at.run()
    at.button(key="triage-verdict-not").click().run()
    assert "triage-verdict-reason" not in {box.key for box in at.text_area}


@pytest.mark.usefixtures("indexed")
def test_events_are_searched_by_their_ids() -> None:
    ids = f"{SECOND['eventID']}, {FIRST['eventID']}"
    at = a_page("events", {"ids": ids})
    assert not at.exception
    assert {row[1] for row in table(at, "Events found")} == {"DescribeInstances", "StopLogging"}
    at = a_page("events", {"ids": SECOND["eventID"]})
    assert [row[1] for row in table(at, "Events found")] == ["StopLogging"]
    assert address_of(at) == {"ids": SECOND["eventID"]}


def test_one_link_stands_for_all_the_events_of_a_line() -> None:
    assert cited([]) is None
    one = cited(["11111111-0000-4000-8000-000000000001"])
    assert one is not None
    assert one["a"]["href"] == "events?event=11111111-0000-4000-8000-000000000001"
    two = cited(["a", "b"])
    assert two is not None
    assert (texts([two]), two["a"]["href"]) == (["2 events"], "events?ids=a%2Cb")


def test_columns_without_anything_are_left_out_where_that_is_asked_for() -> None:
    rows = [("a", "", 1), ("b", el("span"), 2)]
    whole = a_table(("A", "B", "C"), rows, caption="t")
    assert "B" in texts([whole])
    narrow = a_table(("A", "B", "C"), rows, caption="t", sparse=frozenset({"B", "C"}))
    assert texts([narrow]) == ["A", "C", "a", "1", "b", "2"]


def test_rows_wait_and_are_known_by_kinds() -> None:
    shown = a_table(("A",), [("a",), ("b",)], caption="t", kinds=["new", ""], open_rows=1)
    rows = [row for row in _rows(shown) if row.get("a")]
    assert [row["a"] for row in rows] == [{"of": "new"}, {"of": "", "rest": 1}]
    whole = sifted(shown, [("new", "New 1")], "Show all 2")
    assert texts([whole])[:2] == ["New 1", "Show all 2"]
    assert sifted(shown, []) is shown


def _rows(node: Any) -> list[Any]:
    found = [node] if node["t"] == "tr" else []
    return found + [one for kid in node.get("k", ()) if isinstance(kid, dict) for one in _rows(kid)]


@pytest.mark.parametrize(("services", "said"), [(12, False), (14, True)])
@pytest.mark.usefixtures("own_folders")
def test_a_chart_says_where_it_shows_some_of_the_services_alone(
    tmp_path: Path, services: int, said: bool
) -> None:
    (tmp_path / "logs").mkdir()
    calls = [an_event(eventSource=f"svc{number}.amazonaws.com") for number in range(services)]
    (tmp_path / "logs" / "log.json").write_text(json.dumps({"Records": calls}))
    add([tmp_path / "logs"], tmp_path / "index")
    at = a_page("triage", {"event": calls[0]["eventID"]})
    assert not at.exception
    told = "The busiest 12 of 14: the table has all of them."
    assert (told in words(at)) == said
