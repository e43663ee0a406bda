"""One text has one set of answers: on the page, on the command line and in the inbox."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from alerts import parse_alerts
from cases import enrichment, inbox
from cases.database import Database
from cases.fingerprint import fingerprint
from enrich import ask_all
from tests.a_page import a_page, words
from tests.an_event import a_role_session, a_user, an_assumption, an_event, around
from trail.index.build import add
from trail.store import open_store

pytest_plugins = ("tests.case_databases", "tests.case_pages")

ROOT = Path(__file__).resolve().parents[1]
EVENT = "5a1e77e5-0001-4000-8000-000000000001"
TWINS = ("77777777-0001-4000-8000-000000000001", "77777777-0002-4000-8000-000000000002")
TEXTS = {
    "an ARN": "arn:aws:iam::111122223333:user/alice",
    "a role": "arn:aws:iam::111122223333:role/reader",
    "a key": "AKIAALICE0000000KEY1",
    "an event id": EVENT,
    "the id as our screens cut it": "5a1e77e5…",
    "the same in words": "please look at event 5a1e77e5, thanks",
}


@pytest.fixture
def database(page_database: Database) -> Database:
    return page_database


@pytest.fixture
def index(own_folders: None, tmp_path: Path) -> Path:
    alice = a_user("alice", accessKeyId="AKIAALICE0000000KEY1")
    records = [
        *around("us-east-1"),
        an_event(eventID=EVENT, eventName="DeleteTrail", userIdentity=alice),
        *(an_event(eventID=one, userIdentity=alice) for one in TWINS),
        an_assumption(userIdentity=alice),
        an_event(eventName="PutObject", userIdentity=a_role_session()),
    ]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.json").write_text(json.dumps({"Records": records}))
    add([tmp_path / "logs"], tmp_path / "index")
    return tmp_path / "index"


def on_the_command_line(text: str, index: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "enrich", "-", "--index", str(index), "--json"],
        input=text, capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    (result,) = json.loads(done.stdout.splitlines()[0])["results"]
    return [answer["sentence"] for answer in result["answers"]]


def in_the_inbox(text: str, index: Path, database: Database) -> list[str]:
    (received,) = inbox.receive(database, "ann", parse_alerts(text))
    with open_store(index) as store:
        assert enrichment.enrich_pending(database, store, ask_all) == 1
        kept = enrichment.stored_answers(database, received.id, store.version())
    return [answer.sentence for answer in kept]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_page_command_line_and_inbox_answer_alike(
    text: str, index: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTRAIL_USER", "ann")
    sentences = on_the_command_line(text, index)
    assert len(sentences) == 5
    assert in_the_inbox(text, index, database) == sentences
    at = a_page()
    at.text_area(key="paste-box").set_value(text)
    next(b for b in at.button if b.label == "Answer the five questions").click().run()
    assert not at.exception
    said = words(at)
    for sentence in sentences:
        assert sentence in said


def test_what_was_completed_goes_into_a_case_as_it_came(
    index: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKTRAIL_USER", "ann")
    at = a_page()
    at.text_area(key="paste-box").set_value(TEXTS["an ARN"])
    next(b for b in at.button if b.label == "Answer the five questions").click().run()
    at.button(key="triage-open").click().run()
    assert not at.exception
    row_id = fingerprint(parse_alerts(TEXTS["an ARN"])[0])
    kept = inbox.get_alert(database, row_id)
    assert kept == parse_alerts(TEXTS["an ARN"])[0]
    with open_store(index) as store:
        answers = enrichment.stored_answers(database, row_id, store.version())
    assert [one.sentence for one in answers] == on_the_command_line(TEXTS["an ARN"], index)


@pytest.mark.usefixtures("index")
def test_a_short_id_of_two_events_is_neither() -> None:
    at = a_page()
    at.text_area(key="paste-box").set_value("77777777")
    next(b for b in at.button if b.label == "Answer the five questions").click().run()
    said = words(at)
    assert "Several events of the index have ids that begin with 77777777" in said
    assert all(one in said for one in TWINS)


@pytest.mark.usefixtures("index")
def test_a_short_id_of_no_event_says_so() -> None:
    at = a_page()
    at.text_area(key="paste-box").set_value("0badc0de")
    next(b for b in at.button if b.label == "Answer the five questions").click().run()
    assert "No event of the index has an id that begins with 0badc0de." in words(at)


@pytest.mark.usefixtures("index")
def test_a_short_id_in_the_address_opens_its_event() -> None:
    assert "DeleteTrail" in words(a_page("triage", {"event": EVENT[:8]}))
    assert "DeleteTrail" in words(a_page("events", {"event": EVENT[:8]}))
