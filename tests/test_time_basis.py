"""Answers that rest on a time that is not sure say so, and never say that there is nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from answered import data_of

from alerts import Alert, correct, parse_alerts
from cases import inbox
from cases.database import Database
from cases.documents import alert_document, read_alert
from enrich import as_json, ask_for_every_principal
from enrich.forms.markdown import as_markdown
from enrich.gaps import fill_gaps
from tests.a_case import put_in_inbox
from tests.a_page import a_page, address_of, links, words
from tests.an_event import a_user, an_event
from tests.memory_store import MemoryStore
from trail.index.build import add
from ui.triage import intake

pytest_plugins = ("tests.case_databases", "tests.case_pages")

MALLORY = "arn:aws:iam::111122223333:user/mallory"
# 06:06 in Los Angeles, where it is summer time by then.
THEFT = an_event(
    eventTime="2026-03-10T13:06:00Z",
    eventName="StopLogging",
    eventSource="cloudtrail.amazonaws.com",
    userIdentity=a_user("mallory"),
    eventID="aaaaaaaa-0000-4000-8000-000000000009",
)
EARLIER = [an_event(eventTime=f"2026-03-{day:02}T01:00:00Z") for day in range(1, 12)]


def _asked(text: str) -> tuple[Alert, dict[str, Any], str]:
    store = MemoryStore([*EARLIER, THEFT])
    (pasted,) = parse_alerts(text)
    alert = fill_gaps(pasted, store)
    results = ask_for_every_principal(alert, store)
    summary = store.summary()
    return alert, as_json(alert, results, summary), as_markdown(alert, results, summary)


def _services(document: dict[str, Any]) -> dict[str, Any]:
    (result,) = document["results"]
    (answer,) = [one for one in result["answers"] if one["name"] == "services_used"]
    return dict(answer)


def test_the_zone_of_a_pasted_time_finds_the_attacker() -> None:
    _, document, _ = _asked(f"{MALLORY} at 2026-03-10 06:06 PDT")
    assert _services(document)["status"] == "answered"
    assert _services(document)["data"]["total"] == 1
    assert document["alert"]["time_question"] is None


def test_without_a_zone_nothing_is_never_nothing() -> None:
    alert, document, markdown = _asked(f"{MALLORY} at 2026-03-10 06:06")
    question = document["alert"]["time_question"]
    assert question["assumed"] == "UTC"
    assert question["earliest"] == "2026-03-09T16:06:00Z"
    (result,) = document["results"]
    assert "nothing" not in {answer["status"] for answer in result["answers"]}
    for answer in result["answers"]:
        if answer["status"] in ("answered", "partial", "not_covered"):
            assert answer["caveats"][0] == question["text"]
            assert answer["sentence"].endswith("This rests on an assumed time (UTC).")
    assert _services(document)["status"] == "partial"
    assert "The time is not sure" in markdown
    answered = correct(alert, time_zone="America/Los_Angeles")
    results = ask_for_every_principal(answered, MemoryStore([*EARLIER, THEFT]))
    services = next(one for one in results[0].answers if one.name == "services_used")
    assert (services.status, data_of(services)["total"]) == ("answered", 1)
    assert "assumed" not in services.sentence


def test_a_fall_back_time_is_a_caveat_of_every_answer() -> None:
    finding = {
        "schemaVersion": "2.0",
        "accountId": "111122223333",
        "region": "eu-west-1",
        "id": "f1",
        "type": "Stealth:IAMUser/CloudTrailLoggingDisabled",
        "resource": {
            "resourceType": "AccessKey",
            "accessKeyDetails": {"userType": "IAMUser", "userName": "mallory"},
        },
        "service": {"serviceName": "guardduty"},
        "createdAt": "2026-03-10T13:20:00Z",
    }
    _, document, markdown = _asked(json.dumps(finding))
    assert document["alert"]["time_is_fallback"] is True
    assert document["alert"]["first_seen"] == "2026-03-10T13:20:00Z"
    services = _services(document)
    assert services["data"]["total"] == 1
    assert "a time that stands in for it" in services["caveats"][0]
    assert "a time that stands in for it" in markdown


def test_the_event_that_a_text_cites_says_when_it_was() -> None:
    alert, _, _ = _asked(f"{MALLORY} at 2026-03-10 06:06, event {THEFT['eventID']}")
    assert alert.time_question is None
    assert alert.first_seen == alert.last_seen == datetime(2026, 3, 10, 13, 6, tzinfo=UTC)
    assert any("time is that of event" in note for note in alert.notes)


# Kept in the inbox


@pytest.mark.parametrize("times", ["03/10/2026 06:06 IST", "2026-03-10 06:06", "2026-03-10 06:06Z"])
def test_the_question_outlives_the_inbox(times: str) -> None:
    (alert,) = parse_alerts(f"{MALLORY} at {times}")
    document = json.loads(json.dumps(alert_document(alert)))
    assert read_alert(document, alert.raw) == alert


def test_a_sure_time_wins_over_a_fall_back_of_the_same_finding(database: Database) -> None:
    finding = {
        "schemaVersion": "2.0",
        "accountId": "111122223333",
        "id": "0123456789abcdef0123456789abcdef",
        "type": "Stealth:IAMUser/CloudTrailLoggingDisabled",
        "resource": {"accessKeyDetails": {"userType": "IAMUser", "userName": "mallory"}},
        "service": {
            "eventFirstSeen": "2026-03-10T13:06:00Z",
            "eventLastSeen": "2026-03-10T13:07:00Z",
        },
        "updatedAt": "2026-03-11T00:00:00Z",
    }
    (sure,) = parse_alerts(json.dumps(finding))
    (unsure,) = parse_alerts(json.dumps(finding | {"service": {"serviceName": "guardduty"}}))
    assert unsure.time_is_fallback
    (alert_id, same) = put_in_inbox(database, unsure, sure)
    assert alert_id == same
    kept = inbox.get_alert(database, alert_id)
    assert (kept.first_seen, kept.last_seen) == (sure.first_seen, sure.last_seen)


# On the page


@pytest.fixture
def an_index(own_folders: None, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "log.json").write_text(json.dumps({"Records": [*EARLIER, THEFT]}))
    add([logs], tmp_path / "index")


@pytest.mark.usefixtures("an_index")
def test_the_triage_page_asks_for_the_zone_and_takes_the_answer() -> None:
    packed = intake.pack(f"{MALLORY} at 2026-03-10 06:06")
    at = a_page("triage", {"text": packed})
    assert not at.exception
    assert "When was it? The alert does not say for sure." in words(at)
    assert "This rests on an assumed time (UTC)." in words(at)
    answer = next(href for said, href in links(at) if said == "America/Los_Angeles")
    assert f"text={packed}" in answer
    at = a_page("triage", {"text": packed, "zone": "America/Los_Angeles"})
    assert not at.exception
    assert "When was it?" not in words(at)
    assert "13:06:00" in words(at)
    assert "assumed time" not in words(at)
    assert address_of(at)["zone"] == "America/Los_Angeles"


@pytest.mark.usefixtures("an_index")
def test_a_zone_that_is_none_in_the_address_is_refused_in_words() -> None:
    packed = intake.pack(f"{MALLORY} at 2026-03-10 06:06")
    at = a_page("triage", {"text": packed, "zone": "<script>"})
    assert not at.exception
    assert "is no time zone" in words(at)
