"""A verdict goes up for review by what the triage page shows for and against it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from an_event import a_user, an_event
from memory_store import MemoryStore

from alerts import parse_alerts
from cases import case, enrichment, evidence, inbox, review
from cases.actor import Actor
from cases.database import Database
from cases.errors import NotAllowed
from cases.report.content import report_document
from cases.weighed import weighed
from enrich import ask_all, fill_gaps
from enrich.verdict.weighing import weigh
from tests.a_case import LiteralStore, a_case, an_alert, an_answer, five_answers, put_in_inbox
from trail.index.build import add
from trail.store import open_store
from ui.shell.who import User
from ui.triage import offer_case
from ui.triage.intake import Chosen

pytest_plugins = ("tests.case_databases",)

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
EVENT = "11111111-0000-4000-8000-000000000001"


def at(moment: datetime, **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=f"{moment:%Y-%m-%dT%H:%M:%SZ}", **changes)


OTHERS = [at(NOON - timedelta(days=n, hours=-1), userIdentity=a_user("bob")) for n in range(-2, 40)]
LIKE_EVERY_DAY = [
    at(NOON - timedelta(days=n + 1, minutes=m)) for n in range(13) for m in range(0, 50, 10)
]
KEY_MADE = at(
    NOON,
    eventSource="iam.amazonaws.com",
    eventName="CreateAccessKey",
    sourceIPAddress="203.0.113.99",
    userAgent="curl/8.5",
    requestParameters={"userName": "root-helper"},
)


def closed_as(
    database: Database, verdict: Any, record: dict[str, Any], *records: dict[str, Any]
) -> tuple[case.Case, tuple[str, ...], tuple[str, ...]]:
    """The closed case of that alert, and the page's lines for and against it."""
    (alert,) = parse_alerts(json.dumps(record))
    answers = ask_all(alert, alert.principals[0], MemoryStore([record, *records, *OTHERS]))
    opened = a_case(database, alert)
    enrichment.save_answers(database, inbox.queue(database).alerts[0].id, "v1", [list(answers)])
    closed = case.close_case(
        database, "ann", opened.id, opened.version, verdict=verdict, reason="So I think."
    )
    weighing = weigh(alert, alert.principals[0], answers)
    return (
        closed,
        tuple(line.sentence for line in weighing.for_),
        tuple(line.sentence for line in weighing.against),
    )


@pytest.mark.parametrize("verdict", ["benign", "false_positive"])
def test_a_verdict_against_what_the_page_shows_is_put_up_in_the_pages_words(
    sqlite_database: Database, verdict: str
) -> None:
    closed, for_, against = closed_as(sqlite_database, verdict, KEY_MADE, *LIKE_EVERY_DAY)
    assert len(for_) > len(against)
    assert closed.review == "requested"
    (why,) = closed.review_reasons
    assert why.startswith(f"{verdict.replace('_', ' ')}, although {len(for_)} speak")
    assert for_[0] in why


def test_a_harmless_case_is_not_put_up(sqlite_database: Database) -> None:
    closed, for_, against = closed_as(sqlite_database, "benign", at(NOON), *LIKE_EVERY_DAY)
    assert for_ == ()
    assert against
    assert (closed.review, closed.review_reasons) == ("none", ())


def test_an_alert_that_said_too_little_is_weighed_as_it_was_asked_about(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event id alone: what the index added is not in the inbox, and the page weighed by it."""
    monkeypatch.setattr(offer_case, "case_database", sqlite_database.acting_as)
    event_id = "0c0ffee0-1111-4222-8333-444455556666"
    log = tmp_path / "log.json"
    log.write_text(json.dumps({"Records": [KEY_MADE | {"eventID": event_id}, *LIKE_EVERY_DAY]}))
    add([log], tmp_path / "index")
    (pasted,) = parse_alerts(event_id)
    assert (pasted.first_seen, pasted.principals) == (None, ())
    with open_store(tmp_path / "index") as store:
        alert = fill_gaps(pasted, store)
        (principal,) = alert.principals
        answers = ask_all(alert, principal, store)
        weighing = weigh(alert, principal, answers)
        user = User("ann", "analyst", Actor("ann", "chosen"))
        opened = offer_case._Work(
            Chosen((pasted,), pasted, alert, principal), answers, store, user
        ).into(None)
        with sqlite_database.read() as connection:
            saved = weighed(connection, opened.id)
        # The inbox asks about the same.
        (alert_id,) = put_in_inbox(sqlite_database, parse_alerts(event_id[:8])[0])
        enrichment.enrich_pending(sqlite_database, store, ask_all)
        other = case.open_case(sqlite_database, "ann", [alert_id])
        with sqlite_database.read() as connection:
            ahead = weighed(connection, other.id)
    said = tuple(line.sentence for line in weighing.for_)
    assert len(said) > len(weighing.against)
    for found in (saved, ahead):
        assert found.for_ == said
        assert found.against == tuple(line.sentence for line in weighing.against)
    closed = case.close_case(
        sqlite_database, "ann", opened.id, opened.version, verdict="benign", reason="So I think."
    )
    assert said[0] in closed.review_reasons[0]


def test_answers_about_what_is_not_known_any_more_are_said_not_to_be_weighed(
    sqlite_database: Database,
) -> None:
    """As an older version kept them of an alert without a time."""
    opened = a_case(sqlite_database, an_alert(first_seen=None, last_seen=None, principals=()))
    alert_id = inbox.queue(sqlite_database).alerts[0].id
    enrichment.save_answers(sqlite_database, alert_id, "v1", [five_answers()])
    closed = case.close_case(
        sqlite_database, "ann", opened.id, opened.version, verdict="benign", reason="ok"
    )
    (why,) = closed.review_reasons
    assert "5 kept answers are of an older version and cannot be weighed" in why


def test_a_case_is_weighed_and_told_by_the_index_that_its_page_shows(
    sqlite_database: Database,
) -> None:
    """Another dashboard's index, asked later, has no logs of it."""
    made = KEY_MADE | {"userAgent": "aws-cli/2.15.0"}
    (alert,) = parse_alerts(json.dumps(made))
    principal = alert.principals[0]
    here = MemoryStore([made, *LIKE_EVERY_DAY, *OTHERS])
    closed = []
    for reads, index_id in (("here", "aaaaaaaaaaaa"), ("there", "dddddddddddd")):
        opened = a_case(sqlite_database, replace(alert, id=reads))
        (alert_id,) = [
            one.id for one in inbox.queue(sqlite_database).alerts if one.state != "closed"
        ]
        for store, version in ((here, "aaaaaaaaaaaa-7"), (MemoryStore([]), "dddddddddddd-7")):
            answers = ask_all(alert, principal, store)
            enrichment.save_answers(sqlite_database, alert_id, version, [list(answers)])
        told = report_document(sqlite_database, opened.id, index_id)["answers"]
        assert {one["index_version"] for one in told} == {f"{index_id}-7"}
        closed.append(
            case.close_case(
                sqlite_database,
                "ann",
                opened.id,
                opened.version,
                verdict="benign",
                reason="So I think.",
                index_id=index_id,
            )
        )
    assert [one.review for one in closed] == ["requested", "none"]


def test_every_true_positive_is_reviewed(sqlite_database: Database) -> None:
    closed, _, _ = closed_as(sqlite_database, "true_positive", at(NOON), *LIKE_EVERY_DAY)
    assert closed.review == "requested"
    assert closed.review_reasons == ("true positive: every one is reviewed",)


def test_answers_of_an_older_version_are_said_not_to_be_weighed(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    alert_id = inbox.queue(sqlite_database).alerts[0].id
    odd = [an_answer("baseline", data={"new": None}), an_answer("assumed_by", data={})]
    enrichment.save_answers(sqlite_database, alert_id, "v1", [odd])
    closed = case.close_case(
        sqlite_database, "ann", opened.id, opened.version, verdict="benign", reason="ok"
    )
    (why,) = closed.review_reasons
    assert "2 kept answers are of an older version" in why


# Who may sign off: nobody whose own work it is


def a_lead_who(deed: str, database: Database) -> case.Case:
    """A case of ann's, closed by her, to which the lead lea did one thing."""
    opened = a_case(database)
    alert_id = inbox.queue(database).alerts[0].id
    enrichment.save_answers(database, alert_id, "v1", [five_answers()])
    store = LiteralStore({EVENT: json.dumps(an_event(eventID=EVENT))})
    if deed == "reason":
        case.save_case(database, "lea", opened.id, opened.version, {"reason": "Mine."})
    elif deed == "verdict":
        case.save_case(
            database, "lea", opened.id, opened.version, {"verdict": "benign", "reason": "ok"}
        )
    elif deed == "note":
        case.add_note(database, "lea", opened.id, "I looked.")
    elif deed == "pin":
        evidence.pin_event(database, "lea", opened.id, EVENT, store, "this one")
    elif deed == "saved":
        evidence.freeze_answers(database, "lea", opened.id, alert_id, store)
    elif deed == "added":
        inbox.receive(database, "ann", [an_alert(id="another")])
        added = next(one.id for one in inbox.queue(database).alerts if one.id != alert_id)
        case.add_alert(database, "lea", opened.id, added)
    now = case.get_case(database, opened.id)
    if now.owner != "ann":
        case.save_case(database, "ann", now.id, now.version, {"owner": "ann"})
        now = case.get_case(database, opened.id)
    return case.close_case(
        database, "ann", now.id, now.version, verdict="true_positive", reason="Ann's own."
    )


WORDS = {
    "reason": "lea wrote the reason of case 1|lea owned case 1",
    "verdict": "lea (wrote the verdict of|decided|owned) case 1",
    "note": "lea wrote a note in case 1|lea owned case 1",
    "pin": "lea pinned evidence in case 1|lea owned case 1",
    "added": "lea added an alert to case 1|lea owned case 1",
    "saved": "lea saved evidence in case 1|lea owned case 1",
}


@pytest.mark.parametrize("deed", WORDS)
def test_whoever_wrote_or_pinned_does_not_sign_off(sqlite_database: Database, deed: str) -> None:
    closed = a_lead_who(deed, sqlite_database)
    with pytest.raises(NotAllowed, match=WORDS[deed]):
        review.approve(sqlite_database, "lea", closed.id, closed.version)
    # Returning it is a review as well.
    with pytest.raises(NotAllowed, match="Ask another lead"):
        review.return_case(sqlite_database, "lea", closed.id, closed.version, "more")
    assert case.get_case(sqlite_database, closed.id).seal is None


def test_a_lead_that_only_returned_it_may_sign_it_off(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    closed = case.close_case(
        sqlite_database, "ann", opened.id, opened.version, verdict="true_positive", reason="So."
    )
    review.return_case(sqlite_database, "lea", closed.id, closed.version, "Who used the key?")
    now = case.get_case(sqlite_database, opened.id)
    again = case.close_case(sqlite_database, "ann", now.id, now.version)
    assert review.approve(sqlite_database, "lea", again.id, again.version)
