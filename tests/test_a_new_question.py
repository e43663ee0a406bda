"""A question that is added is asked and shown everywhere, without a word about it elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts import parse_alerts
from alerts.alert import Alert
from cases import enrichment, users
from cases.case import open_case
from cases.database import Database, open_database
from cases.documents import answer_document, read_answer
from cases.inbox import queued_alert, receive
from cases.redaction import redact
from cases.report import render_report
from enrich import as_json, ask_all, ask_for_every_principal
from enrich.forms.markdown import as_markdown
from enrich.verdict.chips import chips_of
from tests.a_page import a_page, links, trees
from tests.an_event import a_user, an_event
from tests.an_example_question import NAME, QUESTION, RegionsUsed, asked_too
from trail.index.build import add
from trail.store import DuckStore, open_store
from ui.kit.markup import texts
from ui.shell import data as shown

REGIONS = ("eu-west-1", "eu-west-1", "eu-west-1", "us-east-1", "ap-south-1", "us-east-1")
EVENTS = [
    an_event(
        eventID=f"00000000-0000-4000-8000-{number:012}",
        eventTime=f"2026-03-{14 + number}T10:00:00Z",
        userIdentity=a_user("alice"),
        awsRegion=region,
        eventName="RunInstances",
        **({"errorCode": "AccessDenied"} if number == 4 else {}),
    )
    for number, region in enumerate(REGIONS)
]
SENTENCE = "6 calls in 3 Regions: eu-west-1 3, us-east-1 2 and ap-south-1 1."


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DuckStore]:
    asked_too(monkeypatch)
    for name, path in (("INDEX", "index"), ("DEMO", "demo"), ("CASES_URL", "cases.db")):
        monkeypatch.setenv(f"BACKTRAIL_{name}", str(tmp_path / path))
    monkeypatch.setenv("BACKTRAIL_USER", "lea")
    (tmp_path / "logs.json").write_text(json.dumps({"Records": EVENTS}))
    add([tmp_path / "logs.json"], tmp_path / "index")
    shown.forget()
    with open_store(tmp_path / "index") as opened:
        yield opened
    shown.forget()


@pytest.fixture
def alert() -> Alert:
    return parse_alerts(json.dumps(EVENTS[-1]))[0]


def a_database(folder: Path) -> Database:
    database = open_database(str(folder / "cases.db"))
    users.add_user(database, "lea", "lea", "lead")
    return database


def test_it_is_answered_with_its_json(store: DuckStore, alert: Alert) -> None:
    answer = ask_all(alert, alert.principals[0], store)[-1]
    assert (answer.name, answer.status) == (NAME, "partial")
    assert answer.sentence == SENTENCE
    assert set(answer.evidence) == {record["eventID"] for record in EVENTS}
    found = as_json(alert, ask_for_every_principal(alert, store), store.summary())
    told = found["results"][0]["answers"][-1]
    assert told["question"] == QUESTION
    assert told["data"]["regions"][2] == {
        "region": "ap-south-1",
        "count": 1,
        "failed": 1,
        "first": "2026-03-18T10:00:00Z",
        "last": "2026-03-18T10:00:00Z",
    }


def test_it_stands_in_a_ticket(store: DuckStore, alert: Alert) -> None:
    ticket = as_markdown(alert, ask_for_every_principal(alert, store), store.summary())
    assert f"### {QUESTION}" in ticket
    assert "| Region | Calls | Failed | First | Last |" in ticket
    assert "| `ap-south-1` | 1 | 1 | 2026-03-18T10:00:00Z | 2026-03-18T10:00:00Z |" in ticket
    assert "the Regions it acted in" in ticket  # among what the missing logs leave open


def test_it_comes_back_from_the_database(store: DuckStore, alert: Alert) -> None:
    answer = ask_all(alert, alert.principals[0], store)[-1]
    again = read_answer(json.loads(json.dumps(answer_document(answer))))
    assert isinstance(again.data, RegionsUsed)
    assert again.data == answer.data


def test_its_card_is_drawn(store: DuckStore, alert: Alert) -> None:
    at = a_page("triage", {"event": str(EVENTS[-1]["eventID"])})
    assert not at.exception
    words = "\n".join(text for tree in trees(at) for text in texts([tree]))
    assert QUESTION in words
    assert SENTENCE in words
    assert "7 days, to the alert; partly covered" in words.lower()
    answer = ask_all(alert, alert.principals[0], store)[-1]
    chips = chips_of(alert, alert.principals[0], ask_all(alert, alert.principals[0], store))
    assert (chips[answer.name].words, chips[answer.name].way) == ("3 Regions", "neither")
    assert "#query-of-regions-used" in [address for _, address in links(at)]
    charts = [str(one.proto) for one in at.get("vega_lite_chart")]
    assert any("Calls per Region" in chart for chart in charts)


def test_the_inbox_has_its_column(store: DuckStore, alert: Alert, tmp_path: Path) -> None:
    database = a_database(tmp_path)
    (one,) = receive(database, "lea", [alert])
    assert enrichment.enrich_pending(database, store, ask_all) == 1
    badges = queued_alert(database, one.id).badges
    assert [badge.name for badge in badges][-1] == NAME
    at = a_page("inbox")
    assert not at.exception
    words = json.dumps([str(element.proto) for element in at.get("bidi_component")])
    assert "Regions" in words
    assert "3 Regions" in words


@pytest.mark.parametrize("redacted", [False, True])
def test_a_report_has_its_table(
    store: DuckStore, alert: Alert, tmp_path: Path, *, redacted: bool
) -> None:
    database = a_database(tmp_path)
    (one,) = receive(database, "lea", [alert])
    enrichment.enrich_pending(database, store, ask_all)
    case = open_case(database, "lea", [one.id])
    text = render_report(database, case.id, "md", redacted=redacted).decode()
    assert QUESTION in text
    rows = [line.split()[:3] for line in text.splitlines()]
    assert ["Region", "Calls", "Failed"] in rows
    assert ["ap-south-1", "1", "1"] in rows
    assert ("alice" in text) is not redacted


def test_redaction_leaves_its_keys_and_numbers(store: DuckStore, alert: Alert) -> None:
    answer = ask_all(alert, alert.principals[0], store)[-1]
    plain = answer_document(answer)
    redacted = redact(plain)
    assert redacted["data"]["regions"] == plain["data"]["regions"]
    assert redacted["data"].keys() == plain["data"].keys()
