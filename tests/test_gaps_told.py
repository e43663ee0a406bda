"""What the index lacks of a window is told to the hour where logs begin or end within a day."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import parse_alerts
from enrich import ask_all
from enrich.__main__ import _summary
from enrich.answer import Answer
from enrich.gaps import fill_gaps
from enrich.json_form import Result
from enrich.markdown import as_markdown
from enrich.words import age
from tests.an_event import ACCOUNT, a_user, an_event
from tests.memory_store import MemoryStore

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
WHO = "arn:aws:iam::111122223333:user/alice"


def _at(moment: datetime, **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=f"{moment:%Y-%m-%dT%H:%M:%SZ}", **changes)


def _asked(text: str, *records: dict[str, Any]) -> dict[str, Answer]:
    (alert,) = parse_alerts(text)
    store = MemoryStore(records)
    filled = fill_gaps(alert, store)
    return {one.name: one for one in ask_all(filled, filled.principals[0], store)}


def test_logs_that_begin_on_the_alerts_own_day() -> None:
    records = [_at(NOON), _at(NOON - timedelta(hours=1), userIdentity=a_user("bob"))]
    answer = _asked(f"{WHO} at 2026-03-20 12:00:00 UTC", *records)["services_used"]
    assert answer.status == "partial"
    assert answer.caveats[0] == (
        "The index holds no logs of account 111122223333 on 2026-03-13 to 2026-03-19, nor on "
        "2026-03-20 before 11:00 (UTC)."
    )


def test_logs_that_begin_after_the_alert_are_none_of_its_day() -> None:
    records = [_at(NOON + timedelta(hours=1)), _at(NOON - timedelta(days=6))]
    answer = _asked(f"{WHO} at 2026-03-20 12:00:00 UTC", *records)["services_used"]
    assert answer.caveats[0] == (
        "The index holds no logs of account 111122223333 on 2026-03-13 and 2026-03-15 to "
        "2026-03-20 (UTC)."
    )


def test_a_quiet_hour_among_covered_days_is_no_gap() -> None:
    records = [_at(NOON - timedelta(days=n), userIdentity=a_user("bob")) for n in range(1, 8)]
    records.append(_at(NOON + timedelta(hours=1)))
    answer = _asked(f"{WHO} at 2026-03-20 12:00:00 UTC", *records)["services_used"]
    assert (answer.status, answer.caveats) == ("nothing", ())


def test_the_roles_answer_names_its_own_window() -> None:
    answer = _asked(f"{WHO} at 2026-03-20 12:00:00 UTC", _at(NOON))["roles_assumed"]
    assert answer.status == "partial"
    assert "from 7 days before the alert to a day after" in answer.sentence
    assert "week before" not in answer.sentence


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_texts_show_the_alerts_notes_and_each_caveat_once(form: str) -> None:
    (alert,) = parse_alerts(f"who is {WHO} ?")
    store = MemoryStore([_at(NOON)])
    filled = fill_gaps(alert, store)
    results = [Result(filled.principals[0], tuple(ask_all(filled, filled.principals[0], store)))]
    summary = store.summary()
    draw = as_markdown if form == "markdown" else _summary
    said = draw(filled, results, summary).replace("\\", "")
    assert "What the alert does not state was taken from event" in said
    assert "give the time" not in said
    assert "before running" not in said
    caveats = {one for answer in results[0].answers for one in answer.caveats}
    assert any("does not say when the activity was" in one for one in caveats)
    said = said.partition("### Not weighed")[0]  # there it is why an answer was not
    for caveat in caveats:
        assert said.count(caveat) == 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"),
     (172_799, "47 h"), (172_800, "2 days"), (-86400 * 1500, "1,500 days")],
)  # fmt: skip
def test_a_length_of_time_has_one_form(seconds: int, said: str) -> None:
    assert age(timedelta(seconds=seconds)) == said


def test_a_record_that_is_the_indexed_one_takes_nothing_from_itself() -> None:
    record = an_event(
        userIdentity={"accountId": ACCOUNT, "invokedBy": "secretsmanager.amazonaws.com"}
    )
    (alert,) = parse_alerts(json.dumps(record))
    assert fill_gaps(alert, MemoryStore([record])).notes == alert.notes
