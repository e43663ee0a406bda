"""The registry of sign-ins: who is in, as what, until when, and what their hands may do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cases import audit, case, enrichment, metrics, outline, review, sign_in, tables, users
from cases.actor import Actor, known_how
from cases.backup import backup, restore
from cases.database import Database, open_database
from cases.errors import CaseRefused, NotAllowed, SettingRefused, SignedOut
from cases.report import render_report
from cases.report.made import make_report
from cases.roles import claimed_values, sign_in_settings
from cases.verify import verify
from tests.a_case import Clock, a_case, a_closed_case, an_alert, an_answer, put_in_inbox
from tests.a_sign_in import ISSUER, ROLES, claims, in_the_hands_of, signed_in

pytest_plugins = ("tests.case_databases",)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTRAIL_ROLES", ROLES)
    for name in ("ROLE_CLAIM", "SIGN_IN_IDLE_MINUTES", "SIGN_IN_HOURS"):
        monkeypatch.delenv(f"BACKTRAIL_{name}", raising=False)


# Settings


def test_roles_are_read_from_one_setting() -> None:
    found = sign_in_settings(
        {"BACKTRAIL_ROLES": " lead = CN=leads,OU=sec ;analyst=a;analyst=b; viewer=c d;"}
    )
    assert found.roles == {
        "CN=leads,OU=sec": "lead",
        "a": "analyst",
        "b": "analyst",
        "c d": "viewer",
    }
    assert found.role_of(("c d", "a", "?")) == "analyst"  # the role that may most
    assert found.role_of(("A", "")) is None
    assert (found.claim, found.idle, found.longest) == (
        "roles", timedelta(hours=1), timedelta(hours=12)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKTRAIL_ROLES", "boss=leads"),
        ("BACKTRAIL_ROLES", "lead"),
        ("BACKTRAIL_ROLES", "lead="),
        ("BACKTRAIL_ROLES", "lead=a; viewer=a"),
        ("BACKTRAIL_SIGN_IN_IDLE_MINUTES", "0"),
        ("BACKTRAIL_SIGN_IN_HOURS", "a day"),
        ("BACKTRAIL_SIGN_IN_HOURS", "nan"),
    ],
)
def test_a_setting_that_says_nothing_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingRefused, match=name):
        sign_in_settings({name: value})


@pytest.mark.parametrize(
    ("token", "claim", "values"),
    [
        ({"roles": "sec-leads"}, "roles", ("sec-leads",)),
        ({"roles": "sec-leads sec-ops"}, "roles", ("sec-leads sec-ops",)),  # one text, one value
        ({"roles": ["a", 1, None, ["sec-leads"], "b"]}, "roles", ("a", "b")),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ("a",)),
        ({"https://x.example/roles": ["a"]}, "https://x.example/roles", ("a",)),
        ({"a.b": "exact", "a": {"b": "nested"}}, "a.b", ("exact",)),
        ({"roles": True}, "roles", ()),
        ({"roles": {"sec-leads": True}}, "roles", ()),
        ({}, "realm_access.roles", ()),
    ],
)
def test_a_claim_gives_whole_texts_only(
    token: dict[str, Any], claim: str, values: tuple[str, ...]
) -> None:
    assert claimed_values(token, claim) == values


# A sign-in's life


def test_a_sign_in_holds_for_its_secret_and_until_it_is_ended(database: Database) -> None:
    secret, begun = sign_in.begin(database, claims(database, "Lea", "lead"), "okta")
    assert sign_in.id_of(secret) == begun.id
    assert secret not in begun.id
    found = sign_in.find(database, begun.id)
    assert (found.person, found.role, found.provider) == ("Lea", "lead", "okta")
    other = signed_in(database, "Lea", "lead")
    sign_in.end(database, begun.id)
    sign_in.end(database, begun.id)
    with pytest.raises(SignedOut, match="You have signed out"):
        sign_in.find(database, begun.id)
    assert sign_in.find(database, other.id).person == "Lea"
    assert sign_in.ended(database, [begun.id, other.id, "0" * 64]) == {begun.id, "0" * 64}
    with pytest.raises(SignedOut, match="You are not signed in"):
        sign_in.find(database, secret)


def test_it_ends_with_the_token_by_our_limit_and_when_nothing_is_done(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = signed_in(database, "Lea", "lead")  # the token holds for an hour
    clock.move(minutes=59, seconds=59)
    sign_in.find(database, begun.id)
    clock.move(seconds=1)
    with pytest.raises(SignedOut, match="has run out"):
        sign_in.find(database, begun.id)

    week = (database.now() + timedelta(days=7)).timestamp()
    begun = signed_in(database, "Lea", "lead", exp=week)
    assert begun.expires_at == database.now() + timedelta(hours=12)
    for _ in range(12):
        clock.move(minutes=59)
        sign_in.find(database, begun.id)  # somebody works: it stays
    clock.move(minutes=13)
    with pytest.raises(SignedOut, match="has run out"):
        sign_in.find(database, begun.id)

    monkeypatch.setenv("BACKTRAIL_SIGN_IN_IDLE_MINUTES", "10")
    begun = signed_in(database, "Lea", "lead", exp=week)
    clock.move(minutes=10)
    sign_in.find(database, begun.id)
    clock.move(minutes=10, seconds=1)
    with pytest.raises(SignedOut, match="Nothing was done here for 10 minutes"):
        sign_in.find(database, begun.id)


@pytest.mark.parametrize("changes", [{"sub": ""}, {"iss": None}, {"exp": None}, {"exp": True},
                                     {"exp": "soon"}, {"exp": 1e30}])  # fmt: skip
def test_a_token_without_what_it_takes_lets_nobody_in(
    database: Database, changes: dict[str, Any]
) -> None:
    with pytest.raises(CaseRefused):
        signed_in(database, "Lea", "lead", **changes)


def test_nobody_without_a_role_becomes_a_person(database: Database) -> None:
    known = [one.name for one in users.users(database)]
    begun = signed_in(database, "Eve", "nobody")
    assert (begun.role, begun.person) == (None, None)
    assert [one.name for one in users.users(database)] == known
    hands = database.acting_as(begun.actor)
    for read in (case.find_cases, outline.case_outlines, audit.history, metrics.metrics):
        with pytest.raises(NotAllowed):
            read(hands)


def test_what_the_setting_gives_now_counts_for_those_who_are_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = in_the_hands_of(database, "Ann", "analyst")
    assert case.find_cases(hands) == []
    monkeypatch.setenv("BACKTRAIL_ROLES", "viewer=sec-ops")
    with pytest.raises(NotAllowed, match="Ann is a viewer"):
        case.find_cases(hands)
    assert outline.case_outlines(hands) == []
    monkeypatch.setenv("BACKTRAIL_ROLES", "viewer=audit")
    with pytest.raises(NotAllowed, match="Ann has no role here"):
        outline.case_outlines(hands)


def test_two_of_one_name_stay_two_and_one_with_a_new_name_stays_one(database: Database) -> None:
    first = signed_in(database, "ann", "analyst", sub="1", email="a@example.com")
    second = signed_in(database, "ann", "analyst", sub="2", email="b@example.com")
    third = signed_in(database, "ann", "analyst", sub="1", iss="https://other.example", email="")
    # `ann` is a local user of this database: nobody who signs in takes her name over.
    assert [one.person for one in (first, second, third)] == [
        "ann (a@example.com)", "ann (b@example.com)", "ann (2)"
    ]  # fmt: skip
    again = signed_in(database, "Ann Married", "lead", sub="1", email="married@example.com")
    assert again.person == first.person
    (known,) = [one for one in users.users(database) if one.name == first.person]
    assert (known.role, known.email) == ("lead", "married@example.com")
    assert verify(database).problems == ()


def test_a_name_is_one_plain_line(database: Database) -> None:
    told = claims(database, "x", "analyst") | {"name": "  Bo\nb \u202e<b>\x00 " + "y" * 200}
    _, begun = sign_in.begin(database, told, "default")
    assert begun.name.startswith("Bo b <b> yyy")
    assert len(begun.name) <= 80


def test_a_lead_puts_somebody_out_of_action_at_once(database: Database) -> None:
    lead, ann = in_the_hands_of(database, "Lea", "lead"), signed_in(database, "Ann", "analyst")
    users.change_user(lead, "Lea", "Ann", active=False)
    with pytest.raises(SignedOut):
        sign_in.find(database, ann.id)
    assert signed_in(database, "Ann", "analyst").role is None
    with pytest.raises(CaseRefused, match="Nobody puts themselves"):
        users.change_user(lead, "Lea", "Lea", active=False)
    with pytest.raises(CaseRefused, match="the provider says"):
        users.change_user(lead, "Lea", "Ann", role="lead")
    with pytest.raises(CaseRefused, match="the provider says"):
        users.add_user(lead, "Lea", "Bob", "lead")
    assert verify(database).problems == ()


def test_old_sign_ins_are_forgotten_and_no_backup_holds_any(
    database: Database, clock: Clock, tmp_path: Path
) -> None:
    old = signed_in(database, "Lea", "lead")
    clock.move(days=31)
    new = signed_in(database, "Lea", "lead")
    with database.read() as connection:
        kept = connection.execute(select(tables.sign_ins.c.id)).scalars().all()
    assert kept == [new.id]
    assert old.id != new.id
    backup(database, tmp_path / "b.gz")
    other = open_database(str(tmp_path / "other.db"), clock)
    assert restore(other, tmp_path / "b.gz").ok
    with pytest.raises(SignedOut):
        sign_in.find(other, new.id)
    other.close()


# Hands


def test_hands_act_under_their_own_name_while_they_are_in(database: Database) -> None:
    opened = a_case(database)
    ann = signed_in(database, "Ann", "analyst")
    hands = database.acting_as(ann.actor)
    case.add_note(hands, "Ann", opened.id, "Seen.")
    for name in ("ann", "lea", "nobody"):
        with pytest.raises(NotAllowed):
            case.add_note(hands, name, opened.id, "In another's name.")
    with pytest.raises(NotAllowed, match="Ann is an analyst"):
        review.approve(hands, "Ann", opened.id, opened.version)
    sign_in.end(database, ann.id)
    with pytest.raises(SignedOut):
        case.add_note(hands, "Ann", opened.id, "After signing out.")
    with pytest.raises(SignedOut):
        case.get_case(hands, opened.id)
    stolen = Actor("lea", "proven", sign_in=signed_in(database, "Ann", "analyst").id)
    with pytest.raises(NotAllowed):
        case.find_cases(database.acting_as(stolen))
    assert [one.text for one in case.case_file(database, opened.id).notes] == ["Seen."]


def test_a_local_name_is_worth_nothing_where_it_is_a_person_s(database: Database) -> None:
    signed_in(database, "Lea", "lead")
    with pytest.raises(NotAllowed):
        case.find_cases(database.acting_as(Actor("Lea", "chosen", browser="b1")))
    with pytest.raises(NotAllowed):
        users.sign_in(database, "Lea")


def test_a_viewer_reads_what_names_nobody(database: Database) -> None:
    closed = a_closed_case(database, an_alert(title="Root of 111122223333 was used", severity=8.0))
    a_case(database, an_alert(id="f" * 32, title="alice@example.com did it"))
    viewer = in_the_hands_of(database, "Vic", "viewer")
    assert [(one.id, one.state) for one in outline.case_outlines(viewer)] == [
        (2, "open"), (1, "closed")
    ]  # fmt: skip
    numbers = metrics.metrics(viewer, owner="ann")
    assert numbers.total.opened == 2  # not ann's alone
    assert [(one.title, one.owner) for one in numbers.ageing] == [("Case 2", None)]
    assert metrics.metrics(database).ageing[0].owner == "ann"
    for form in ("md", "html", "json"):
        told = render_report(viewer, closed.id, form, redacted=True).decode()
        assert "111122223333" not in told
        with pytest.raises(NotAllowed):
            render_report(viewer, closed.id, form)
    for read in (case.find_cases, audit.history, users.users):
        with pytest.raises(NotAllowed):
            read(viewer)


def test_a_report_is_made_in_nobody_elses_name_and_a_viewers_is_recorded_too(
    database: Database,
) -> None:
    closed = a_closed_case(database)
    viewer = in_the_hands_of(database, "Vic", "viewer")
    made = make_report(viewer, "Vic", closed.id, "html", redacted=True)
    assert made.unrecorded is None
    last = audit.history(database, closed.id)[-1]
    assert (last.actor, last.action) == ("Vic", "report made")
    assert last.by is not None
    assert (last.by["names"], last.by["email"]) == ("proven", "Vic@example.com")
    assert verify(database, (), [("kept", made.content)]).ok
    for name, redacted in (("Vic", False), ("ann", True), ("Ann", True)):
        with pytest.raises(NotAllowed):
            make_report(viewer, name, closed.id, "html", redacted=redacted)
    assert audit.history(database, closed.id)[-1] == last


def test_answers_that_a_page_showed_are_kept_for_those_who_may_work(database: Database) -> None:
    (alert_id,) = put_in_inbox(database, an_alert())
    version = "aaaaaaaaaaaa-7"
    with pytest.raises(NotAllowed):
        enrichment.keep_shown(
            in_the_hands_of(database, "Vic", "viewer"), alert_id, version, 0, [an_answer()], {}
        )
    assert enrichment.stored_answers(database, alert_id) == []
    enrichment.keep_shown(
        in_the_hands_of(database, "Ann", "analyst"), alert_id, version, 0, [an_answer()], {}
    )
    assert len(enrichment.stored_answers(database, alert_id)) == 1


# What is written down


@pytest.mark.parametrize(
    ("local", "name", "email"),
    [
        ("sam", "Sam", "s@example.com"),
        ("Sam", "Sam", "s@example.com"),  # the name is taken: "Sam (s@example.com)"
        ("sam@example.com", "Samantha Doe", "Sam@example.com"),
    ],
)
def test_work_under_a_local_name_bars_who_signs_in_under_it_from_the_sign_off(
    database: Database, local: str, name: str, email: str
) -> None:
    users.add_user(database, "lea", local, "lead")
    opened = a_case(database)
    case.add_note(database, local, opened.id, "I looked.")
    now = case.get_case(database, opened.id)
    closed = case.close_case(
        database, "ann", opened.id, now.version, verdict="true_positive", reason="Stolen."
    )
    person = signed_in(database, name, "lead", sub="9", email=email)
    hands = database.acting_as(person.actor)
    with pytest.raises(NotAllowed, match="wrote a note in case 1 and cannot sign it off"):
        review.approve(hands, person.actor.name, closed.id, closed.version)
    # Of two who sign in, each is known by the provider: one name makes them not one.
    other = signed_in(database, "Lea Other", "lead", sub="10", email="other@example.com")
    seal = review.approve(
        database.acting_as(other.actor), other.actor.name, closed.id, closed.version
    )
    assert seal


def test_entries_say_how_a_name_was_known_and_nobody_can_rewrite_that(
    database: Database, clock: Clock
) -> None:
    opened = a_case(database)
    chosen = database.acting_as(Actor("abe", "chosen", browser="0123456789"))
    case.add_note(chosen, "abe", opened.id, "As I say.")
    proven = in_the_hands_of(database, "Ann", "analyst")
    case.add_note(proven, "Ann", opened.id, "As I can show.")
    said = [(one.actor, one.by) for one in audit.history(database, opened.id)]
    assert said[-2] == ("abe", {"names": "chosen", "browser": "0123456789"})
    who, by = said[-1]
    assert who == "Ann"
    assert by is not None
    assert (by["names"], by["issuer"], by["subject"], by["email"]) == (
        "proven", ISSUER, "subject-of-Ann", "Ann@example.com"
    )  # fmt: skip
    assert known_how(said[-2][1]) == "chosen, not proven, browser session 0123456789"
    assert known_how(by) == f"signed in as Ann@example.com subject-of-Ann at {ISSUER}"
    assert known_how(None) == "not recorded"
    assert verify(database).ok
    entry = audit.history(database)[-1]
    plain = [entry.seq, entry.at, entry.actor, entry.case_id, entry.case_version, entry.action,
             json.dumps({}), json.dumps({}), entry.previous]  # fmt: skip
    assert len({audit.entry_hash(*plain, by=one) for one in (None, "{}", '{"a":1}')}) == 3


def test_a_seal_covers_how_the_lead_was_known(database: Database) -> None:
    first, second = (
        a_closed_case(database, an_alert(id=one * 32, severity=8.0)) for one in ("a", "b")
    )
    chosen = database.acting_as(Actor("lou", "chosen", browser="b1"))
    review.approve(chosen, "lou", first.id, first.version, "Right.")
    proven = in_the_hands_of(database, "Lea", "lead")
    review.approve(proven, "Lea", second.id, second.version, "Right.")
    assert verify(database).problems == ()
    with database.read() as connection:
        sealed = case.get_case(database, first.id)
        approval = [one for one in audit.history(database, first.id) if one.by][-1]
        assert review.seal_of(connection, first.id, approval.by, approval.seq) == sealed.seal
        for other in (None, {"names": "proven"}, {"names": "chosen", "browser": "b2"}):
            assert review.seal_of(connection, first.id, other, approval.seq) != sealed.seal


def test_reports_say_what_names_are_worth(database: Database) -> None:
    closed = a_closed_case(database, an_alert(severity=8.0))
    chosen = database.acting_as(Actor("lou", "chosen", browser="b1b2b3"))
    review.approve(chosen, "lou", closed.id, closed.version, "Right.")
    told = render_report(database, closed.id, "md").decode()
    entries = len(audit.history(database, closed.id))
    assert f"{entries} of the {entries} entries of this case's history stand under names" in told
    assert "chosen, not proven, browser session b1b2b3" in told
    proven = in_the_hands_of(database, "Lea", "lead")
    case.reopen_case(proven, "Lea", closed.id, "Once more.")
    told = render_report(database, closed.id, "md").decode()
    assert f"{entries} of the {entries + 1} entries" in told
    assert "Lea@example.com" in told
    redacted = render_report(database, closed.id, "json", redacted=True).decode()
    assert not [one for one in ("Lea@example.com", "subject-of-Lea", ISSUER) if one in redacted]
    assert {"names": "proven"} in [one["by"] for one in json.loads(redacted)["history"]]
