"""The triage page: loads, answers, corrects, and lives on whatever it is given."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from enrich import QUESTIONS
from tests.a_page import a_page, address_of, links, table, texts_of, words
from tests.an_event import a_role_session, an_assumption, an_event
from trail.index.build import add
from ui.triage import intake

pytest_plugins = ("tests.case_pages",)
pytestmark = pytest.mark.usefixtures("own_folders")
STRATUS_EVENT = "cfdb926f-8f87-44ea-8b73-125efb2fa78a"
CHIPS = {"▲ ", "✓ ", "● ", "◌ "}
"""Alarming, reassuring, neither, no logs; what they say is tested in test_chips.py."""


@pytest.fixture
def stratus(own_folders: None, stratus_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTRAIL_INDEX", str(stratus_store.index_dir))


def indexed(tmp_path: Path, *records: dict[str, Any]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "log.json").write_text(json.dumps({"Records": list(records)}))
    add([logs], tmp_path / "index")


def pasted(at: AppTest, text: str) -> AppTest:
    at.text_area(key="paste-box").set_value(text)
    submit = next(b for b in at.button if b.label == "Answer the five questions")
    return submit.click().run()


@pytest.mark.usefixtures("stratus")
def test_an_indexed_event_is_answered_at_its_own_address() -> None:
    at = a_page("triage", {"event": STRATUS_EVENT})
    assert not at.exception
    said = words(at)
    assert "bert-jan" in said
    assert "by access key" in said
    assert "certain" in said
    # A question stands on its badge, and again on its card, each time with what was found; and
    # where it is told how that was worked out.
    lines = said.splitlines()
    for question in QUESTIONS:
        places = [number for number, line in enumerate(lines) if line == question.question]
        assert len(places) == 3
        assert sum(lines[place + 1][:2] in CHIPS for place in places) == 2
    assert "GetPasswordData" in said


@pytest.mark.usefixtures("stratus")
def test_pasting_gives_the_answers_and_an_address_that_gives_them_again(
    stratus_store: Any,
) -> None:
    record = stratus_store.raw_records([STRATUS_EVENT])[STRATUS_EVENT]
    at = pasted(a_page(), record)
    assert not at.exception
    assert "bert-jan" in words(at)
    again = a_page("triage", address_of(at))
    assert words(again) == words(at)


@pytest.mark.usefixtures("stratus")
def test_what_the_page_links_to_is_ours() -> None:
    at = a_page("triage", {"event": STRATUS_EVENT})
    found = links(at)
    assert ("bert-jan", "entity?of=arn%3Aaws%3Aiam%3A%3A123837392027%3Auser%2Fbert-jan") in found
    pages = {address.partition("?")[0] for _, address in found if not address.startswith("#")}
    assert pages <= {"triage", "events", "entity", "index", "inbox", "cases", "case", "review"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is nothing here"),
        ("the printer is on fire", "This text is not JSON"),
        ('{"weather": "rain"}', "holds no alert that Backtrail knows"),
        ("[1, 2, 3]", "Paste"),
    ],
)
@pytest.mark.usefixtures("stratus")
def test_text_that_is_no_alert_gets_one_sentence_and_the_page_lives_on(
    text: str, said: str
) -> None:
    at = pasted(a_page(), text)
    assert not at.exception
    assert said in words(at)
    assert at.text_area(key="paste-box").value == text


@pytest.mark.usefixtures("stratus")
def test_an_address_of_an_unknown_event_says_what_to_add() -> None:
    at = a_page("triage", {"event": "00000000-0000-4000-8000-000000000000"})
    assert not at.exception
    assert "is not in the index" in words(at)
    assert at.text_area(key="paste-box") is not None


@pytest.mark.usefixtures("stratus")
def test_a_cut_address_says_so() -> None:
    at = a_page("triage", {"text": intake.pack(json.dumps(an_event()))[:-20]})
    assert not at.exception
    assert "address of this page is incomplete" in words(at)


@pytest.mark.usefixtures("stratus")
def test_an_alert_outside_the_index_says_which_logs_are_missing() -> None:
    at = pasted(a_page(), json.dumps(an_event()))
    assert not at.exception
    said = words(at)
    assert "The alert lies outside the index." in said
    assert "No logs for it" in said
    assert "10 Jul" in said  # what is indexed


def test_without_an_index_the_page_offers_to_make_one() -> None:
    at = a_page()
    assert not at.exception
    assert "There is no index yet." in words(at)
    assert ("Begin on the index page", "index") in links(at)


def test_an_empty_index_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.json").write_text('{"Records": []}')
    add([tmp_path / "logs"], tmp_path / "index")
    at = a_page()
    assert not at.exception
    assert "There is no index yet." in words(at)


def test_a_question_that_breaks_costs_its_own_card_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import enrich

    def broken(*_: object) -> enrich.Answer:
        raise RuntimeError("![x](http://203.0.113.9/)")

    broken_one = enrich.Enrichment(
        "services_used",
        enrich.QUESTIONS[2].question,
        broken,
        enrich.QUESTIONS[2].empty_data,
    )
    questions = (*enrich.QUESTIONS[:2], broken_one, *enrich.QUESTIONS[3:])
    monkeypatch.setattr(enrich, "QUESTIONS", questions)
    event = an_event()
    indexed(tmp_path, event)
    at = a_page("triage", {"event": event["eventID"]})
    assert not at.exception
    said = words(at)
    assert said.count("Could not look") == 2  # the badge and the card
    assert "DescribeInstances" in said


def test_several_principals_can_be_chosen_between(tmp_path: Path) -> None:
    indexed(tmp_path, an_event())
    two = [an_event(), an_event(eventName="StopLogging")]
    at = pasted(a_page(), json.dumps(two))
    assert "2 alerts in this text" in words(at)
    chosen = next(address for text, address in links(at) if "StopLogging" in text and "which=1"
                  in address)  # fmt: skip
    assert chosen.startswith("triage?")


def test_every_principal_of_an_attack_sequence_can_be_seen_at_once(tmp_path: Path) -> None:
    first, second = an_event(), an_event(userIdentity=a_role_session())
    indexed(tmp_path, first, second)
    actors = [
        {"id": f"user:{kind}:{who}", "user": {"uid": who, "type": kind, "credentialUid": key,
         "name": name, "account": {"uid": "111122223333"}}}
        for kind, who, key, name in (
            ("IAMUser", first["userIdentity"]["principalId"],
             first["userIdentity"]["accessKeyId"], "alice"),
            ("AssumedRole", second["userIdentity"]["principalId"],
             second["userIdentity"]["accessKeyId"], "reader"),
        )
    ]  # fmt: skip
    sequence = {
        "schemaVersion": "2.0", "accountId": "111122223333", "region": "eu-west-1", "id": "s" * 32,
        "type": "AttackSequence:IAM/CompromisedCredentials", "severity": 9, "title": "A sequence",
        "resource": {"resourceType": "AttackSequence"},
        "service": {"eventFirstSeen": "2026-03-10T12:00:00Z",
                    "eventLastSeen": "2026-03-10T12:00:00Z",
                    "detection": {"sequence": {"actors": actors, "signals": []}}},
    }  # fmt: skip
    at = pasted(a_page(), json.dumps(sequence))
    everyone = next(address for text, address in links(at) if text == "all of them at once")
    assert "all=1" in everyone
    at.query_params["all"] = "1"
    at.run()
    assert not at.exception
    said = words(at)
    assert said.count("Who assumed the role?") == 2
    assert "alice" in said
    assert "reader" in said


def test_next_steps_are_text_to_copy(tmp_path: Path) -> None:
    event = an_event()
    indexed(tmp_path, event)
    at = a_page("triage", {"event": event["eventID"]})
    assert any("aws iam " in block and "alice" in block for block in preformatted(at))


def preformatted(at: AppTest) -> list[str]:
    """The blocks of the page that can be copied: queries and commands."""
    return texts_of(at, "pre")


def opened_correction(asked: dict[str, str]) -> AppTest:
    at = a_page("triage", asked)
    assert not at.text_input  # it is sent when it is opened
    at.session_state["what-was-read"] = True
    return at.run()


def test_a_correction_is_asked_again_and_stays_in_the_address(tmp_path: Path) -> None:
    mint = an_assumption(key="ASIAOTHERKEY0Q0Q0Q01", session="other")
    use = an_event(
        userIdentity=a_role_session(session="other", key="ASIAOTHERKEY0Q0Q0Q01"),
        eventTime="2026-03-10T11:55:00Z",
    )
    plain = an_event()
    indexed(tmp_path, mint, use, plain)
    at = opened_correction({"event": plain["eventID"]})
    arn = next(box for box in at.text_input if box.label.startswith("Principal"))
    arn.set_value("arn:aws:sts::111122223333:assumed-role/reader/other")
    at = next(b for b in at.button if b.label == "Ask again with these").click().run()
    assert not at.exception
    assert address_of(at)["arn"] == "arn:aws:sts::111122223333:assumed-role/reader/other"
    assert "reader / other" in words(at)


def test_an_impossible_correction_is_refused_in_words(tmp_path: Path) -> None:
    event = an_event()
    indexed(tmp_path, event)
    at = opened_correction({"event": event["eventID"]})
    next(box for box in at.text_input if box.label == "Source IP").set_value("not an address")
    at = next(b for b in at.button if b.label == "Ask again with these").click().run()
    assert not at.exception
    assert "is no IP address" in words(at)


def test_every_answer_shows_its_query_and_its_evidence_on_demand(tmp_path: Path) -> None:
    event = an_event(eventName="StopInstances", readOnly=False)
    indexed(tmp_path, event)
    at = a_page("triage", {"event": event["eventID"]})
    queries = [block for block in preformatted(at) if "from " in block]
    assert any("$window_first" in query for query in queries)
    assert any('"window_first": "2026-03-03' in block for block in preformatted(at))
    assert words(at).splitlines().count("Query") == len(QUESTIONS)
    assert not table(at, "Events behind the answer")
    for key in ("cards-from-interesting_calls", "rest-of-services_used"):
        name = f"evidence-of-{key.rpartition('-')[2]}"
        at.session_state[key] = {"open": [name, "another-name", 7]}
        at.run()
        assert not at.exception
    ((first, *_),) = [table(at, "Events behind the answer")]
    assert first[1] == "StopInstances"
    assert any(address == f"events?event={event['eventID']}" for _, address in links(at))


def test_a_half_surrogate_pair_in_a_log_does_not_break_a_page(tmp_path: Path) -> None:
    event = an_event(userAgent="half \ud800 pair", errorMessage="x", errorCode="\ud800")
    at = pasted(indexed_page(tmp_path), json.dumps(event))
    assert not at.exception
    assert "DescribeInstances" in words(at)


def indexed_page(tmp_path: Path) -> AppTest:
    indexed(tmp_path, an_event())
    return a_page()


@pytest.mark.usefixtures("stratus")
def test_what_is_read_can_be_checked_before_anything_is_asked(stratus_store: Any) -> None:
    record = stratus_store.raw_records([STRATUS_EVENT])[STRATUS_EVENT]
    at = a_page()
    at.text_area(key="paste-box").set_value(record)
    at = next(b for b in at.button if b.label == "Check what is read first").click().run()
    said = words(at)
    assert "Recognised: CloudTrail record" in said
    assert "sourceIPAddress" in said
    assert "bert-jan" not in said
    at = at.button(key="is-right").click().run()
    assert not at.exception
    assert "bert-jan" in words(at)


@pytest.mark.usefixtures("stratus")
def test_an_uploaded_file_may_be_gzipped(stratus_store: Any) -> None:
    record = stratus_store.raw_records([STRATUS_EVENT])[STRATUS_EVENT]
    at = a_page()
    at.file_uploader(key="alert-file").set_value(
        [("alert.json.gz", gzip.compress(record.encode()), "application/gzip")]
    )
    at = next(b for b in at.button if b.label == "Answer the five questions").click().run()
    assert not at.exception
    assert "bert-jan" in words(at)
