"""Alerts of one actor within a day are one row of the queue, and nobody else's are among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from alerts.alert import Alert
from cases import enrichment, inbox
from cases.database import Database
from cases.inbox import Badge, Incidents
from enrich.verdict.chips import Chip
from tests.a_case import (
    START,
    a_case,
    a_chain_answer,
    a_role_principal,
    a_user_principal,
    an_alert,
    an_answer,
    an_id,
    put_in_inbox,
)
from tests.a_case_page import a_page_for, queue_ids, queue_rows, read
from tests.a_page import links
from ui.kit.markup import texts

pytest_plugins = ("tests.case_databases", "tests.case_pages")


def one(number: int, hours: float = 0.0, **changes: Any) -> Alert:
    """An alert of alice's from an address of its own, so many hours after START."""
    at = START + timedelta(hours=hours)
    fields: dict[str, Any] = {
        "id": an_id(number),
        "title": f"Alert {number}",
        "first_seen": at,
        "last_seen": at,
        "source_ip_address": f"203.0.113.{number}",
        "principals": (a_user_principal("alice"),),
    }
    return an_alert(**{**fields, **changes})


def by(name: str, **changes: Any) -> dict[str, Any]:
    return {"principals": (a_user_principal(name, **changes),)}


def of_a_session(number: int, key: str | None, hours: float = 0.0, **changes: Any) -> Alert:
    """An alert of a session of the role reader that anybody may have called "deploy"."""
    principal = a_role_principal("deploy", access_key_id=key)
    return one(number, hours, principals=(principal,), **changes)


masked = a_user_principal(
    "********",
    arn="arn:aws:iam::************:user/********",
    principal_id="AIDA****************",
    access_key_id="AKIA****************",
)


def groups(found: Incidents) -> list[list[str]]:
    """The titles' numbers, row by row."""
    return [[alert.title.removeprefix("Alert ") for alert in row.alerts] for row in found.incidents]


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        # One user; within a day, each of the next.
        ((one(1), one(2, 23)), [["1", "2"]]),
        ((one(1), one(2, 25)), [["2"], ["1"]]),
        ((one(1), one(2, 40), one(3, 20)), [["1", "3", "2"]]),
        # One access key under two names.
        (
            (one(1), one(2, 1, **by("bob", access_key_id=a_user_principal("alice").access_key_id))),
            [["1", "2"]],
        ),
        # One role, two people's sessions of it.
        (
            (
                one(1, principals=(a_role_principal("bob", access_key_id="ASIABOBBOBBOBBOB0001"),)),
                one(2, principals=(a_role_principal("eve", access_key_id="ASIAEVEEVEEVEEVE0001"),)),
            ),
            [["1"], ["2"]],
        ),
        # One role and session name, by the same key, or from one address; from two nothing says so.
        ((of_a_session(1, "ASIAQ7ZK5N2V4XW3RJT1"), of_a_session(2, "ASIAQ7ZK5N2V4XW3RJT1")),
         [["1", "2"]]),
        ((of_a_session(1, None, source_ip_address="203.0.113.9"),
          of_a_session(2, None, hours=20, source_ip_address="203.0.113.9")), [["1", "2"]]),
        ((of_a_session(1, None), of_a_session(2, None)), [["1"], ["2"]]),
        # Equal masks are no equal people.
        ((one(1, principals=(masked,)), one(2, principals=(masked,))), [["1"], ["2"]]),
        # One address: six hours, whoever it was; not where every network has it, nor a service's.
        (
            (one(1, source_ip_address="203.0.113.9"),
             one(2, 5, source_ip_address="203.0.113.9", **by("bob"))),
            [["1", "2"]],
        ),
        (
            (one(1, source_ip_address="203.0.113.9"),
             one(2, 7, source_ip_address="203.0.113.9", **by("bob"))),
            [["2"], ["1"]],
        ),
        *(
            (
                (one(1, source_ip_address=shared), one(2, 1, source_ip_address=shared, **by("b"))),
                [["2"], ["1"]],
            )
            for shared in ("10.0.0.7", "100.64.1.1", "fd00::1", "cloudtrail.amazonaws.com")
        ),
        # A sample is about nobody.
        ((one(1), one(2, 1, sample=True)), [["2"], ["1"]]),
    ],
)  # fmt: skip
def test_what_is_one_incident(
    database: Database, alerts: tuple[Alert, ...], expected: list[list[str]]
) -> None:
    put_in_inbox(database, *alerts)
    found = inbox.by_incident(database)
    assert sorted(groups(found)) == sorted(expected)
    assert (found.total, found.alerts) == (len(expected), len(alerts))


def test_order_of_arrival_does_not_matter(database: Database) -> None:
    put_in_inbox(database, one(3, 40), one(1), one(2, 20))
    assert groups(inbox.by_incident(database)) == [["1", "2", "3"]]


def test_an_alert_that_is_seen_again_joins_what_it_now_reaches(database: Database) -> None:
    put_in_inbox(database, one(1), one(2, 60))
    assert len(inbox.by_incident(database).incidents) == 2
    put_in_inbox(database, one(1, last_seen=START + timedelta(hours=48)))
    assert groups(inbox.by_incident(database)) == [["1", "2"]]


def test_the_answers_chain_joins_a_session_with_who_assumed_it(database: Database) -> None:
    session = one(1, principals=(a_role_principal(),))
    ids = put_in_inbox(database, session, one(2))
    assert len(inbox.by_incident(database).incidents) == 2
    enrichment.save_answers(database, ids[0], "v1", [[a_chain_answer()]])  # alice's key minted it
    assert groups(inbox.by_incident(database)) == [["1", "2"]]


def test_a_chain_joins_as_far_as_it_is_sure(database: Database) -> None:
    """Who may have been one of several, or stands behind a guess, is nobody's actor."""
    session, lone = one(1, principals=(a_role_principal(access_key_id=None),)), one(2)
    ids = put_in_inbox(database, session, lone)
    sure = a_chain_answer()
    (hop, *behind) = sure.data.chain
    for doubtful in (
        msgspec.structs.replace(hop, confidence="medium"),
        msgspec.structs.replace(hop, candidates=("a", "b")),
    ):
        data = msgspec.structs.replace(sure.data, chain=(doubtful, *behind))
        enrichment.save_answers(database, ids[0], "v1", [[replace(sure, data=data)]])
        assert len(inbox.by_incident(database).incidents) == 2
    enrichment.save_answers(database, ids[0], "v1", [[sure]])
    assert len(inbox.by_incident(database).incidents) == 1


def test_the_worst_comes_first_then_the_one_with_most_signs(database: Database) -> None:
    ids = put_in_inbox(
        database,
        one(1, severity=8.9),
        one(2, severity=7.0, **by("bob")),
        one(3, severity=2.0, **by("bob")),
        one(4, severity=9.0, **by("carol")),
        one(5, severity=None, **by("dan")),
    )
    with database.write() as connection:
        answer = an_answer()
        enrichment._save_answers(
            connection,
            database.now(),
            ids[1],
            "v1",
            [[answer]],
            [{answer.name: Chip("new: IP", "for")}],
        )
    found = inbox.by_incident(database)
    # Critical; then high, where bob has a sign and alice none though hers is 8.9; then unrated.
    assert groups(found) == [["4"], ["2", "3"], ["1"], ["5"]]
    assert [row.lead.title for row in found.incidents] == ["Alert 4", "Alert 2", "Alert 1",
                                                           "Alert 5"]  # fmt: skip
    badge = found.incidents[1].lead.badges[0]
    assert isinstance(badge, Badge)
    assert badge.way == "for"


def test_pages_hold_whole_incidents(database: Database) -> None:
    put_in_inbox(
        database,
        *(one(number, hours=number, severity=5.0) for number in range(1, 5)),
        *(one(10 + n, severity=4.0 - n / 10, **by(f"user{n}")) for n in range(4)),
    )
    first = inbox.by_incident(database, limit=2)
    second = inbox.by_incident(database, limit=2, offset=2)
    assert (first.total, first.alerts) == (5, 8)
    assert groups(first)[0] == ["1", "2", "3", "4"]
    assert [len(row.alerts) for row in (*first.incidents, *second.incidents)] == [4, 1, 1, 1]


def test_a_filter_says_what_it_leaves_out(database: Database) -> None:
    held = a_case(database, one(1))
    put_in_inbox(database, one(2, 1), one(3, 2, severity=2.0))
    (row,) = inbox.by_incident(database, states=("new",), severity_at_least=4.0).incidents
    assert [alert.title for alert in row.alerts] == ["Alert 2"]
    assert (row.left_out, row.elsewhere) == (2, (held.id,))


# On the page


def test_the_inbox_shows_an_incident_as_one_row_with_its_story(page_database: Database) -> None:
    ids = put_in_inbox(
        page_database,
        one(2, 1, title="Key for another user", severity=7.0),
        one(1, title="Sign-in without MFA", severity=4.0),
        one(3, 2, title="Snapshot made public", severity=5.0),
        one(9, **by("bob")),
    )
    at = a_page_for("ann", "inbox")
    assert not at.exception
    assert queue_ids(at) == [ids[0], ids[3]]
    assert texts(queue_rows(at)[0]["rows"])[1] == "Key for another user"  # the gravest leads
    told = "".join(texts(queue_rows(at)[0]["rows"]))
    assert (
        "3 alerts of one incident: Sign-in without MFA → Key for another user"
        " → Snapshot made public"
    ) in told
    for alert in ids[:3]:
        assert f"triage?alert={alert}" in [to for _, to in links(at)] or alert in str(
            queue_rows(at)[0]["rows"]
        )
    assert "4 alerts in 2 incidents" in read(at)
    # The row's times are those of all of it: 12:00 to 14:00.
    assert "10 Mar 2026 14:00:00over 2.0 h" in told


def test_one_by_one_is_a_link_away(page_database: Database) -> None:
    put_in_inbox(page_database, one(1), one(2, 1))
    at = a_page_for("ann", "inbox")
    assert ("Show each alert by itself", "inbox?each=1") in links(at)
    at = a_page_for("ann", "inbox", {"each": "1"})
    assert len(queue_ids(at)) == 2
    assert ("Join the alerts of one incident", "inbox") in links(at)


def test_hostile_titles_in_a_story_stay_text(page_database: Database) -> None:
    hostile = "![x](http://evil.example/a.png)<img src=x onerror=alert(1)>"
    put_in_inbox(page_database, one(1, title=hostile), replace(one(2, 1), title="Plain"))
    at = a_page_for("ann", "inbox")
    assert hostile in read(at)
    assert not any("evil.example" in str(found.value) for found in at.markdown)
