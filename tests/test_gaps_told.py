"""What the index lacks of a window is told to the hour where logs begin or end within a day."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import Alert, parse_alerts
from enrich import ask_all
from enrich.__main__ import _summary
from enrich.answer import Answer
from enrich.forms.json_form import Result
from enrich.forms.markdown import as_markdown
from enrich.gaps import fill_gaps
from enrich.words import age
from tests.an_event import ACCOUNT, a_role_session, a_user, an_event
from tests.memory_store import MemoryStore

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
WHO = "arn:aws:iam::111122223333:user/alice"


def _at(moment: datetime, **changes: Any) -> dict[str, Any]:
    return an_event(
        **{"eventTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "awsRegion": "us-east-1", **changes}
    )


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
        "2026-03-20, nor on 2026-03-14 before 12:00 (UTC)."
    )


def test_a_quiet_hour_among_covered_days_is_no_gap() -> None:
    records = [_at(NOON - timedelta(days=n), userIdentity=a_user("bob")) for n in range(1, 8)]
    records.append(_at(NOON + timedelta(hours=1)))
    answer = _asked(f"{WHO} at 2026-03-20 12:00:00 UTC", *records)["services_used"]
    assert (answer.status, answer.caveats) == ("nothing", ())


def test_the_roles_answer_names_its_own_window() -> None:
    answer = _asked(f"{WHO} at 2026-03-20 12:00:00 UTC", _at(NOON))["roles_assumed"]
    assert answer.status == "partial"
    assert "from 7 days before the alert to it" in answer.sentence
    assert answer.caveats[1] == "The index holds no logs of account 111122223333 after the alert."
    assert "week before" not in answer.sentence


QUESTIONS = ["roles_assumed", "services_used", "interesting_calls", "baseline"]


def _every(hours: int, first: datetime, last: datetime) -> list[dict[str, Any]]:
    """An event of the account, not of alice, every so many hours."""
    count = (last - first) // timedelta(hours=hours) + 1
    return [
        _at(first + timedelta(hours=hours) * n, userIdentity=a_user("bob")) for n in range(count)
    ]


def test_logs_that_end_on_the_alerts_day_before_it() -> None:
    """Each day has an event; of the alert's own the logs have midnight alone."""
    midnight = datetime(2026, 3, 20, tzinfo=UTC)
    logs = _every(3, midnight - timedelta(days=19), midnight)
    answers = _asked(f"{WHO} at 2026-03-20 23:30:00 UTC", *logs)
    for name in QUESTIONS:
        assert answers[name].status == "partial", name
        assert "(the logs end 23 h before the alert)" in answers[name].sentence
        assert answers[name].caveats[0] == (
            "The index holds no logs of account 111122223333 on 2026-03-20 after 00:00 (UTC): they"
            " end 23 h before the alert."
        )


def test_logs_that_begin_within_the_first_day_of_the_window() -> None:
    logs = _every(1, NOON - timedelta(days=7) + timedelta(hours=9), NOON + timedelta(days=1))
    answer = _asked(f"{WHO} at 2026-03-20 12:00:00 UTC", *logs)["services_used"]
    assert answer.status == "partial"
    assert answer.caveats == (
        "The index holds no logs of account 111122223333 on 2026-03-13 before 21:00 (UTC).",
    )
    assert "(the logs begin 6 days before the alert)" in answer.sentence


@pytest.mark.parametrize(
    ("every", "silent", "status"),
    [
        (6, 5, "nothing"),  # as silent as it always is
        (1, 5, "partial"),  # it never is: the logs end
        (1, 0, "nothing"),
        (11, 13, "partial"),  # more than 12 hours is never taken for a silence
    ],
)
def test_a_quiet_account_is_measured_by_its_own_silence(
    every: int, silent: int, status: str
) -> None:
    end = datetime(2026, 3, 20, 22, tzinfo=UTC) - timedelta(hours=silent)
    logs = _every(every, end - timedelta(hours=every) * (24 * 16 // every), end)
    answers = _asked(f"{WHO} at 2026-03-20 22:00:00 UTC", *logs)
    assert answers["services_used"].status == status
    assert answers["roles_assumed"].status == status


def test_the_account_and_not_the_identity_goes_on_after_the_alert() -> None:
    """Real events on both sides: nobody acted for five hours, and the logs are there."""
    logs = _every(1, NOON - timedelta(days=16), NOON - timedelta(hours=5))
    after = _at(NOON + timedelta(hours=6), userIdentity=a_user("bob"))
    text = f"{WHO} at 2026-03-20 12:00:00 UTC"
    assert _asked(text, *logs, after)["services_used"].status == "nothing"
    foreign = after | {"recipientAccountId": "444455556666"}
    assert _asked(text, *logs, foreign)["services_used"].status == "partial"


def test_the_roles_answer_says_to_when_the_logs_reach() -> None:
    logs = _every(1, NOON - timedelta(days=16), NOON + timedelta(days=2))
    text = f"{WHO} at 2026-03-20 12:00:00 UTC"
    answer = _asked(text, *logs)["roles_assumed"]
    assert "from 7 days before the alert to a day after" in answer.sentence
    assert (answer.status, answer.caveats) == ("nothing", ())
    short = [one for one in logs if one["eventTime"] <= "2026-03-20T15:00:00Z"]
    answer = _asked(text, *short)["roles_assumed"]
    assert "from 7 days before the alert to 3 h after" in answer.sentence
    assert answer.status == "nothing"
    assert answer.caveats == (
        "The logs of account 111122223333 end 3 h after the alert: the rest of the day after it was"
        " not looked at.",
    )


def test_an_answer_with_a_count_says_what_of_the_window_it_is_of() -> None:
    records = [_at(NOON - timedelta(hours=2)), _at(NOON)]
    answer = _asked(f"{WHO} at 2026-03-20 12:00:00 UTC", *records)["services_used"]
    assert answer.sentence == (
        "2 calls to 1 service in the indexed part of the 7 days to the alert (the logs begin 2 h"
        " before the alert): EC2 2."
    )


def test_the_baselines_window_is_named_where_it_has_no_logs() -> None:
    logs = _every(1, NOON - timedelta(hours=5), NOON)
    answer = _asked(f"{WHO} at 2026-03-20 12:00:00 UTC", *logs)["baseline"]
    assert answer.status == "not_covered"
    assert "are indexed from 14 days to 12 hours before the alert" in answer.sentence


@pytest.mark.parametrize("account", ["111122223333", "999999999999"])
def test_an_arn_alone_that_the_index_does_not_know_is_not_covered(account: str) -> None:
    arn = f"arn:aws:iam::{account}:user/nobody"
    answers = _asked(arn, _at(NOON))
    for name in QUESTIONS:
        assert answers[name].status == "not_covered"
        assert answers[name].sentence == (
            "The alert states no time, so there is no window to look in."
        )
    (note,) = (n for n in _completed(arn, _at(NOON)).notes if "in no indexed event" in n)
    held = "The index holds 1 event from 2026-03-20 to 2026-03-20, of 1 account"
    nothing = ", and no logs of account 999999999999" if account == "999999999999" else ""
    assert note == f"{arn} acts in no indexed event. {held}{nothing}."


def _completed(text: str, *records: dict[str, Any]) -> Alert:
    (alert,) = parse_alerts(text)
    return fill_gaps(alert, MemoryStore(records))


@pytest.mark.parametrize("when", ["", " at 2026-03-20 12:00:00 UTC"])
def test_a_role_that_is_known_elsewhere_is_named_once(when: str) -> None:
    known = _at(NOON) | {"userIdentity": a_role_session("reader", path="/team/")}
    asked = "arn:aws:iam::999988887777:role/Reader"
    completed = _completed(f"{asked}{when}", known)
    (note,) = (n for n in completed.notes if "in no indexed event" in n)
    assert note.endswith(
        "and no logs of account 999988887777. It knows"
        f" arn:aws:iam::{ACCOUNT}:role/team/reader by that name."
    )
    same = _completed(f"arn:aws:iam::{ACCOUNT}:role/reader{when}", known)
    assert not any("in no indexed event" in n for n in same.notes)


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
