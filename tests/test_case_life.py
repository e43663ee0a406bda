"""A case from its first alert to its seal: states, owner, verdict, review, evidence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from cases import audit, case, enrichment, evidence, inbox, review, tables, users
from cases.database import Database
from cases.errors import CaseConflict, CaseRefused, NotAllowed, NotFound
from cases.settings import Settings
from cases.similar import similar_cases
from cases.verify import verify
from enrich.answer import Answer
from tests.a_case import (
    ACCOUNT,
    START,
    Clock,
    LiteralStore,
    a_case,
    a_closed_case,
    a_role_principal,
    a_user_principal,
    an_alert,
    an_answer,
    an_id,
    five_answers,
    put_in_inbox,
)
from tests.answered import data_of

pytest_plugins = ("tests.case_databases",)

EVENT = "11111111-0000-4000-8000-000000000001"
RECORD = json.dumps({"eventID": EVENT, "eventName": "AssumeRole", "odd": "\u202e \x00 中"})


def test_opening_takes_ownership_and_the_alerts_severity(database: Database) -> None:
    opened = a_case(database, an_alert(), an_alert(id=an_id(2), severity=8.4))
    assert (opened.state, opened.owner, opened.severity) == ("open", "ann", "high")
    assert opened.title == an_alert().title
    assert {one.state for one in inbox.queue(database).alerts} == {"in_case"}


@pytest.mark.parametrize(
    ("score", "expected"),
    [(None, "unknown"), (1, "low"), (3.9, "low"), (4, "medium"), (6.9, "medium")]
    + [(7, "high"), (8.9, "high"), (9, "critical")],
)
def test_severities_are_named_as_guardduty_names_them(score: float | None, expected: str) -> None:
    assert case.severity_of(score) == expected


def test_the_first_to_act_on_an_untaken_case_owns_it(database: Database, clock: Clock) -> None:
    ids = put_in_inbox(database)
    opened = case.open_case(database, "lea", ids, take=False)
    assert (opened.owner, opened.triaged_at) == (None, None)
    clock.move(minutes=20)

    case.add_note(database, "abe", opened.id, "I have it.")

    taken = case.get_case(database, opened.id)
    assert (taken.owner, taken.state) == ("abe", "investigating")
    assert taken.triaged_at == START + timedelta(minutes=20)
    case.add_note(database, "ann", opened.id, "I help.")
    assert case.get_case(database, opened.id).owner == "abe"


def test_a_case_is_closed_with_a_verdict_and_its_reason_only(database: Database) -> None:
    opened = a_case(database)
    with pytest.raises(CaseRefused, match="with a verdict"):
        case.close_case(database, "ann", opened.id, opened.version)
    with pytest.raises(CaseRefused, match="needs its reason"):
        case.close_case(database, "ann", opened.id, opened.version, verdict="benign", reason="  ")

    closed = case.close_case(
        database, "ann", opened.id, opened.version, verdict="benign", reason="Planned."
    )

    assert (closed.state, closed.verdict, closed.reason) == ("closed", "benign", "Planned.")
    assert (closed.closed_by, closed.decided_by) == ("ann", "ann")
    assert inbox.queue(database).alerts[0].state == "closed"


def test_a_verdict_cannot_lose_its_reason(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    saved = case.save_case(
        sqlite_database,
        "ann",
        opened.id,
        opened.version,
        {"verdict": "true_positive", "reason": "Seen it."},
    )
    with pytest.raises(CaseRefused):
        case.save_case(sqlite_database, "ann", opened.id, saved.version, {"reason": ""})


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "probably"},
        {"severity": "huge"},
        {"title": " "},
        {"state": "closed"},
        {"seal": "0" * 64},
        {"owner": "nobody"},
        {"owner": "vic"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    sqlite_database: Database, changes: dict[str, Any]
) -> None:
    opened = a_case(sqlite_database)
    with pytest.raises((CaseRefused, NotAllowed)):
        case.save_case(sqlite_database, "ann", opened.id, opened.version, changes)
    assert case.get_case(sqlite_database, opened.id) == opened


def test_saving_a_form_without_a_change_is_no_version(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    form: dict[str, object] = {"title": opened.title, "tags": [], "verdict": None, "owner": "ann"}
    assert case.save_case(sqlite_database, "ann", opened.id, opened.version, form) == opened


def test_tags_are_found_whole(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    case.save_case(
        sqlite_database, "ann", opened.id, opened.version, {"tags": [" phishing ", "phishing", ""]}
    )
    assert case.get_case(sqlite_database, opened.id).tags == ("phishing",)
    assert [one.id for one in case.find_cases(sqlite_database, tag="phishing")] == [opened.id]
    assert case.find_cases(sqlite_database, tag="phish") == []


def test_cases_are_found_by_their_fields(database: Database) -> None:
    closed = a_closed_case(database, an_alert(id=an_id(1), title="Odd 100% case"))
    opened = a_case(database, an_alert(id=an_id(2)), actor="abe")

    def ids(**filters: Any) -> list[int]:
        return [one.id for one in case.find_cases(database, **filters)]

    assert ids() == [opened.id, closed.id]
    assert ids(states=["closed"]) == [closed.id]
    assert ids(owner="abe") == [opened.id]
    assert ids(verdicts=["benign", "undetermined"]) == [closed.id]
    assert ids(text="100%") == [closed.id]
    assert ids(reviews=["requested"]) == []
    assert ids(severities=["medium"]) == [opened.id, closed.id]


def test_tags_with_quotes_and_other_letters_are_found_whole(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    tags = ['a"b', "Phishing", "größe", "50%", "_"]
    case.save_case(sqlite_database, "ann", opened.id, opened.version, {"tags": tags})
    for tag in tags:
        assert [one.id for one in case.find_cases(sqlite_database, tag=tag)] == [opened.id]
    for tag in ("b", 'a"', "phishing", "%", "groesse", 'b", "Phishing', ""):
        assert case.find_cases(sqlite_database, tag=tag) == []


def test_a_page_of_cases_in_each_order(database: Database) -> None:
    """As sorting in Python does: equal ones newest first."""
    severities = [1.0, 8.0, 5.0, 8.0, None, 5.0, 1.0]
    titles = ["b", "A", "c", "B", "a", "C", "b"]
    made = [
        a_case(database, an_alert(id=an_id(n), title=title, severity=severity))
        for n, (title, severity) in enumerate(zip(titles, severities, strict=True), 1)
    ]
    rank = {name: n for n, name in enumerate(case.SEVERITIES)}
    keys = {
        "case": lambda one: one.id,
        "severity": lambda one: rank[one.severity],
        "title": lambda one: one.title.lower(),
        "verdict": lambda one: one.verdict or "",
        "owner": lambda one: (one.owner or "").lower(),
        "opened": lambda one: one.opened_at,
    }
    newest = sorted(made, key=lambda one: -one.id)
    for order, key in keys.items():
        for up in (False, True):
            right = sorted(newest, key=key, reverse=not up)
            pages = [
                case.find_cases(database, order=order, up=up, offset=first, limit=3)
                for first in (0, 3, 6, 9)
            ]
            assert [one.id for page in pages for one in page] == [one.id for one in right], order
            assert [len(page) for page in pages] == [3, 3, 1, 0]


def test_cases_are_counted_by_state(database: Database) -> None:
    a_closed_case(database, an_alert(id=an_id(1), title="Odd"))
    a_case(database, an_alert(id=an_id(2)), actor="abe")
    a_case(database, an_alert(id=an_id(3)), actor="abe")
    assert case.count_cases(database) == {"closed": 1, "open": 2}
    assert case.count_cases(database, owner="abe") == {"open": 2}
    assert case.count_cases(database, text="ODD") == {"closed": 1}
    assert case.count_cases(database, owner="nobody") == {}


def test_an_alert_is_worked_on_in_one_open_case_only(database: Database) -> None:
    first = a_case(database)
    second = a_case(database, an_alert(id=an_id(2)))
    (alert_id,) = put_in_inbox(database)
    with pytest.raises(CaseRefused, match=f"in case {first.id}"):
        case.add_alert(database, "ann", second.id, alert_id)
    with pytest.raises(CaseRefused):
        case.open_case(database, "abe", [alert_id])
    assert len(case.find_cases(database)) == 2

    same = case.add_alert(database, "ann", first.id, alert_id)
    assert same.version == first.version


def test_an_alert_of_a_closed_case_can_join_another_which_blocks_reopening(
    database: Database,
) -> None:
    old = a_closed_case(database)
    (alert_id,) = put_in_inbox(database)
    new = case.open_case(database, "abe", [alert_id])
    with pytest.raises(CaseRefused, match=f"in case {new.id}"):
        case.reopen_case(database, "ann", old.id, "It came again.")


def test_a_case_about_nothing_is_refused(sqlite_database: Database) -> None:
    with pytest.raises(CaseRefused):
        case.open_case(sqlite_database, "ann", [])
    with pytest.raises(NotFound):
        case.open_case(sqlite_database, "ann", ["guardduty-none"])
    assert case.find_cases(sqlite_database) == []
    with pytest.raises(NotFound, match="no case 7"):
        case.get_case(sqlite_database, 7)


def test_a_closed_case_takes_notes_but_no_changes_until_it_is_reopened(
    database: Database,
) -> None:
    closed = a_closed_case(database)
    case.add_note(database, "lea", closed.id, "Good work.")
    now = case.get_case(database, closed.id)
    with pytest.raises(CaseRefused, match="Reopen it first"):
        case.save_case(database, "ann", closed.id, now.version, {"verdict": "true_positive"})

    reopened = case.reopen_case(database, "ann", closed.id, "New facts.")

    assert (reopened.state, reopened.reopened, reopened.closed_at) == ("investigating", 1, None)
    assert reopened.verdict == "benign"
    assert inbox.queue(database).alerts[0].state == "in_case"
    assert audit.history(database, closed.id)[-1].after["reason"] == "New facts."


# Evidence


def frozen_case(database: Database, store: LiteralStore) -> tuple[int, str]:
    """A case with five frozen answers, and its alert."""
    opened = a_case(database)
    alert_id = inbox.queue(database).alerts[0].id
    enrichment.save_answers(database, alert_id, "v1", [five_answers()])
    evidence.freeze_answers(database, "ann", opened.id, alert_id, store)
    return opened.id, alert_id


def test_a_frozen_answer_stands_when_logs_index_and_inbox_have_moved_on(
    database: Database,
) -> None:
    store = LiteralStore({EVENT: RECORD})
    case_id, alert_id = frozen_case(database, store)
    expected = {a.name: a for a in five_answers()}

    store.records.clear()
    store.index_version = "v2"
    enrichment.save_answers(database, alert_id, "v2", [[an_answer(sentence="Something else.")]])
    put_in_inbox(database, an_alert(title="Another title"))

    kept = {one.document["name"]: one for one in case.case_file(database, case_id).evidence[1:]}
    assert kept.keys() == expected.keys()
    for name, one in kept.items():
        assert one.document["sentence"] == expected[name].sentence
        assert one.document["data"] == data_of(expected[name])
        assert one.records == {EVENT: RECORD}
        assert one.index_version == "v1"
        assert one.coverage["window"]["status"] == "covered"
        assert one.coverage["index"]["events"] == 1
    alert = case.case_file(database, case_id).evidence[0]
    assert (alert.kind, alert.document["title"]) == ("alert", an_alert().title)
    assert alert.document["raw"] == an_alert().raw


def test_records_that_cannot_be_read_are_named_and_cost_none_of_the_others(
    database: Database,
) -> None:
    opened = a_case(database)
    alert_id = inbox.queue(database).alerts[0].id
    enrichment.save_answers(
        database, alert_id, "v1", [[an_answer(evidence=(EVENT, "gone", "absent"))]]
    )
    store = LiteralStore({EVENT: RECORD, "gone": "{}"}, gone={"gone"})

    (kept,) = evidence.freeze_answers(database, "ann", opened.id, alert_id, store)

    assert kept.records == {EVENT: RECORD}
    assert kept.missing == ("gone", "absent")


def test_only_the_asked_answers_of_the_asked_principal_are_frozen(
    sqlite_database: Database,
) -> None:
    opened = a_case(sqlite_database)
    alert_id = inbox.queue(sqlite_database).alerts[0].id
    answers: list[list[Answer]] = [[an_answer("a"), an_answer("b")], [an_answer("c")]]
    enrichment.save_answers(sqlite_database, alert_id, "v1", answers)
    store = LiteralStore()
    kept = evidence.freeze_answers(sqlite_database, "ann", opened.id, alert_id, store, names=["b"])
    assert [one.document["name"] for one in kept] == ["b"]
    kept = evidence.freeze_answers(sqlite_database, "ann", opened.id, alert_id, store, principal=1)
    assert [one.document["name"] for one in kept] == ["c"]
    with pytest.raises(NotFound, match="no answers to save"):
        evidence.freeze_answers(sqlite_database, "ann", opened.id, alert_id, store, principal=2)


def test_answers_of_a_stranger_alert_are_not_frozen_into_a_case(
    sqlite_database: Database,
) -> None:
    opened = a_case(sqlite_database)
    (other,) = put_in_inbox(sqlite_database, an_alert(id=an_id(5)))
    with pytest.raises(CaseRefused, match="Add it first"):
        evidence.freeze_answers(
            sqlite_database, "ann", opened.id, other, LiteralStore(), answers=[an_answer()]
        )


def test_an_event_is_pinned_with_its_record(database: Database) -> None:
    opened = a_case(database)
    store = LiteralStore({EVENT: RECORD})
    pinned = evidence.pin_event(database, "ann", opened.id, EVENT, store, "The first step.")
    assert pinned.document["sources"][EVENT]["sha256"] == "ab" * 32
    assert pinned.records == {EVENT: RECORD}
    assert pinned.document["comment"] == "The first step."
    with pytest.raises(NotFound):
        evidence.pin_event(database, "ann", opened.id, "unknown", store)


# Similar cases


def test_similar_cases_are_offered_with_how_they_were_closed(database: Database) -> None:
    same_session = a_closed_case(database, an_alert(id=an_id(1)))
    by_role = a_case(
        database,
        an_alert(
            id=an_id(2),
            finding_type="Other:IAMUser/Thing",
            source_ip_address="203.0.113.9",
            principals=(a_role_principal("zoe", access_key_id=None),),
        ),
    )
    a_case(  # only the account in common: not worth a line
        database,
        an_alert(
            id=an_id(3),
            finding_type="Else:IAMUser/Thing",
            source_ip_address="203.0.113.10",
            principals=(a_user_principal("mallory"),),
        ),
    )
    (alert_id,) = put_in_inbox(database, an_alert(id=an_id(4)))

    found = similar_cases(database, alert_id)

    assert [one.case_id for one in found] == [same_session.id, by_role.id]
    assert (found[0].verdict, found[0].reason) == ("benign", "A planned change.")
    assert not found[0].can_be_joined
    assert "same role session or key" in found[0].reasons
    assert found[1].can_be_joined
    assert found[1].reasons == ("same role", "same account")


def test_the_case_that_holds_the_alert_comes_first(sqlite_database: Database) -> None:
    a_closed_case(sqlite_database, an_alert(id=an_id(1)))
    held = a_closed_case(sqlite_database)
    (alert_id,) = put_in_inbox(sqlite_database)
    first = similar_cases(sqlite_database, alert_id)[0]
    assert (first.case_id, first.reasons[0]) == (held.id, "same alert")


# Review


def test_a_case_is_never_reviewed_by_those_who_worked_on_it(database: Database) -> None:
    ids = put_in_inbox(database)
    opened = case.open_case(database, "lea", ids)
    given = case.save_case(database, "lea", opened.id, opened.version, {"owner": "ann"})
    closed = case.close_case(
        database, "ann", opened.id, given.version, verdict="undetermined", reason="No logs."
    )
    with pytest.raises(NotAllowed, match="lea owned case 1 and cannot sign it off"):
        review.approve(database, "lea", closed.id, closed.version)
    with pytest.raises(NotAllowed):
        review.approve(database, "abe", closed.id, closed.version)
    review.approve(database, "lou", closed.id, closed.version, "Agreed.")
    approved = case.get_case(database, closed.id)
    assert (approved.review, approved.reviewer) == ("approved", "lou")


def refused_to_sign(database: Database, case_id: int, deed: str) -> None:
    version = case.get_case(database, case_id).version
    with pytest.raises(NotAllowed, match=f"lou {deed} case {case_id} and cannot sign it off"):
        review.approve(database, "lou", case_id, version)


@pytest.mark.parametrize("was_sealed", [False, True])
def test_who_gave_the_reason_for_reopening_does_not_sign_it_off(
    database: Database, was_sealed: bool
) -> None:
    closed = a_closed_case(database)
    if was_sealed:
        review.approve(database, "lea", closed.id, closed.version)
    reopened = case.reopen_case(database, "lou", closed.id, "It is benign, because of X.")
    case.close_case(database, "ann", closed.id, reopened.version)
    refused_to_sign(database, closed.id, "gave the reason for reopening")
    review.approve(database, "lea", closed.id, case.get_case(database, closed.id).version)


def test_who_wrote_words_that_a_conflict_refused_does_not_sign_off(database: Database) -> None:
    opened = a_case(database)
    case.save_case(database, "ann", opened.id, opened.version, {"reason": "Hers."})
    with pytest.raises(CaseConflict):
        case.save_case(database, "lou", opened.id, opened.version, {"reason": "His."})
    merged = {"reason": "Hers. His.", "verdict": "benign"}
    version = case.get_case(database, opened.id).version
    merged_case = case.save_case(database, "ann", opened.id, version, merged)
    case.close_case(database, "ann", opened.id, merged_case.version)
    refused_to_sign(database, opened.id, "wrote the reason of")


def test_names_that_differ_in_case_are_one_for_the_sign_off(database: Database) -> None:
    with pytest.raises(CaseRefused, match=r"There is a user 'lou' already, who differs from 'Lou'"):
        users.add_user(database, "lea", "Lou", "lead")
    # One from before that was refused.
    closed = a_closed_case(database)
    with database.write() as connection:
        connection.execute(
            sa.update(tables.cases).where(tables.cases.c.id == closed.id).values(closed_by="Lou")
        )
    refused_to_sign(database, closed.id, "closed")


@pytest.mark.parametrize(
    "name",
    ["lo\u200bu", "lou\u2060", "l\u00adou", "lou\ufe0f", "lo\u034fu", "lou\u3164", "\u202elou"],
)
def test_names_that_differ_in_what_nobody_sees_are_one_for_the_sign_off(
    sqlite_database: Database, name: str
) -> None:
    with pytest.raises(CaseRefused, match="no characters that nobody sees"):
        users.add_user(sqlite_database, "lea", name, "lead")
    # One from before that was refused.
    closed = a_closed_case(sqlite_database)
    with sqlite_database.write() as connection:
        connection.execute(
            sa.update(tables.cases).where(tables.cases.c.id == closed.id).values(closed_by=name)
        )
    refused_to_sign(sqlite_database, closed.id, "closed")


def test_an_approved_case_is_sealed_until_a_lead_reopens_it(database: Database) -> None:
    store = LiteralStore({EVENT: RECORD})
    case_id, alert_id = frozen_case(database, store)
    (another,) = put_in_inbox(database, an_alert(id=an_id(7)))
    version = case.get_case(database, case_id).version
    closed = case.close_case(
        database, "ann", case_id, version, verdict="true_positive", reason="Stolen key."
    )
    seal = review.approve(database, "lea", case_id, closed.version)
    sealed = case.get_case(database, case_id)
    assert sealed.seal == seal

    attempts: list[Callable[[], Any]] = [
        lambda: case.save_case(database, "ann", case_id, sealed.version, {"title": "x"}),
        lambda: case.add_note(database, "ann", case_id, "more"),
        lambda: case.add_alert(database, "ann", case_id, another),
        lambda: evidence.pin_event(database, "ann", case_id, EVENT, store),
        lambda: evidence.freeze_answers(database, "ann", case_id, alert_id, store),
        lambda: review.return_case(database, "lou", case_id, sealed.version, "no"),
        lambda: review.request_review(database, "ann", case_id, "again"),
    ]
    for attempt in attempts:
        with pytest.raises(CaseRefused, match="sealed"):
            attempt()
    with pytest.raises(NotAllowed):
        case.reopen_case(database, "ann", case_id, "I want to.")
    assert case.get_case(database, case_id) == sealed
    assert verify(database).ok

    reopened = case.reopen_case(database, "lea", case_id, "The customer called.")

    assert (reopened.seal, reopened.review) == (None, "none")
    assert verify(database).ok


def test_a_returned_case_is_in_work_again_with_what_is_missing(database: Database) -> None:
    closed = a_closed_case(database, an_alert(severity=9.5))
    with pytest.raises(CaseRefused):
        review.return_case(database, "lea", closed.id, closed.version, " ")

    review.return_case(database, "lea", closed.id, closed.version, "Who used the key?")

    returned = case.get_case(database, closed.id)
    assert (returned.state, returned.review) == ("investigating", "returned")
    assert returned.review_comment == "Who used the key?"
    assert inbox.queue(database).alerts[0].state == "in_case"
    again = case.close_case(database, "ann", closed.id, returned.version)
    assert again.review == "requested"


def test_only_closed_cases_are_reviewed(sqlite_database: Database) -> None:
    opened = a_case(sqlite_database)
    with pytest.raises(CaseRefused, match="only closed"):
        review.approve(sqlite_database, "lea", opened.id, opened.version)


def test_slow_and_severe_cases_are_put_up_for_review(
    sqlite_database: Database, clock: Clock
) -> None:
    quick = a_closed_case(sqlite_database, an_alert(id=an_id(1)))
    assert (quick.review, quick.review_reasons) == ("none", ())
    severe = a_closed_case(sqlite_database, an_alert(id=an_id(2), severity=7.0))
    assert severe.review_reasons == ("severity high",)
    slow = a_case(sqlite_database, an_alert(id=an_id(3)))
    clock.move(hours=3)
    closed = case.close_case(
        sqlite_database,
        "ann",
        slow.id,
        slow.version,
        verdict="benign",
        reason="ok",
        settings=Settings(slow_after=timedelta(hours=2)),
    )
    assert closed.review_reasons == ("slow: 3.0 hours, more than 2.0",)


def test_a_review_can_be_asked_for(sqlite_database: Database) -> None:
    closed = a_closed_case(sqlite_database)
    review.request_review(sqlite_database, "ann", closed.id, "I am not sure.")
    asked = case.get_case(sqlite_database, closed.id)
    assert (asked.review, asked.review_reasons) == ("requested", ("asked: I am not sure.",))
    assert asked.owner == "ann"


# Rights

WRITES: dict[str, Callable[[Database, str, int, str], Any]] = {
    "receive": lambda d, who, c, a: inbox.receive(d, who, [an_alert(id=an_id(8))]),
    "open": lambda d, who, c, a: case.open_case(d, who, [a]),
    "add alert": lambda d, who, c, a: case.add_alert(d, who, c, a),
    "note": lambda d, who, c, a: case.add_note(d, who, c, "words"),
    "save": lambda d, who, c, a: case.save_case(d, who, c, 2, {"title": "x"}),
    "start": lambda d, who, c, a: case.start_investigating(d, who, c, 2),
    "close": lambda d, who, c, a: case.close_case(d, who, c, 2, verdict="benign", reason="x"),
    "reopen": lambda d, who, c, a: case.reopen_case(d, who, c, "x"),
    "freeze": lambda d, who, c, a: evidence.freeze_answers(
        d, who, c, a, LiteralStore(), answers=[an_answer()]
    ),
    "pin": lambda d, who, c, a: evidence.pin_event(d, who, c, EVENT, LiteralStore({EVENT: "{}"})),
    "ask for review": lambda d, who, c, a: review.request_review(d, who, c, "x"),
    "approve": lambda d, who, c, a: review.approve(d, who, c, 2),
    "return": lambda d, who, c, a: review.return_case(d, who, c, 2, "x"),
    "delete alert": lambda d, who, c, a: inbox.delete_alert(d, who, a),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("who", ["vic", "nobody", ""])
def test_viewers_and_strangers_write_nothing(
    sqlite_database: Database, write: str, who: str
) -> None:
    opened = a_case(sqlite_database)
    (other,) = put_in_inbox(sqlite_database, an_alert(id=an_id(2)))
    before = (case.case_file(sqlite_database, opened.id), inbox.queue(sqlite_database))
    with pytest.raises(NotAllowed):
        WRITES[write](sqlite_database, who, opened.id, other)
    assert (case.case_file(sqlite_database, opened.id), inbox.queue(sqlite_database)) == before


@pytest.mark.parametrize("write", ["approve", "return", "delete alert"])
def test_what_is_a_leads_is_not_an_analysts(sqlite_database: Database, write: str) -> None:
    opened = a_case(sqlite_database)
    (other,) = put_in_inbox(sqlite_database, an_alert(id=an_id(2)))
    with pytest.raises(NotAllowed):
        WRITES[write](sqlite_database, "abe", opened.id, other)


def test_nothing_but_the_inbox_has_a_delete() -> None:
    from cases import backup, change, database, metrics, similar, users

    modules = [audit, backup, case, change, database, evidence, metrics, review, similar, users]
    names = [name for module in modules for name in vars(module) if not name.startswith("_")]
    suspicious = [n for n in names if "delete" in n.lower() or "remove" in n.lower()]
    assert suspicious == []


def test_the_account_of_the_alert_bounds_the_recorded_coverage(sqlite_database: Database) -> None:
    asked: list[Any] = []

    class Listening(LiteralStore):
        def coverage(self, account_ids: Any, first: Any, last: Any) -> Any:
            asked.append((account_ids, first, last))
            return super().coverage(account_ids, first, last)

    frozen_case(sqlite_database, Listening({EVENT: RECORD}))
    seen = START - timedelta(hours=2), START - timedelta(hours=1)
    assert asked == [([ACCOUNT], seen[0] - timedelta(days=14), seen[1] + timedelta(hours=24))]
