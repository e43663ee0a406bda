"""What people write about an alert, as they write it."""

from __future__ import annotations

import json

import pytest

from alerts import parse_alerts
from alerts.alert import Alert
from tests.an_event import a_role_session, an_event
from trail.errors import AlertUnrecognised

LEE = "arn:aws:iam::210987654321:user/lee"
SESSION = "arn:aws:sts::210987654321:assumed-role/Deploy/kim"


def the_alert(text: str) -> Alert:
    (alert,) = parse_alerts(text)
    return alert


@pytest.mark.parametrize("dot", ["[.]", "(.)", "[dot]"])
def test_a_defanged_address(dot: str) -> None:
    alert = the_alert(f"{LEE} from 203.0.113.9 via hxxps://x".replace("113.9", f"113{dot}9"))
    assert alert.source_ip_address == "203.0.113.9"


@pytest.mark.parametrize(
    "words", ["account 2109-8765-4321", "AWS account: 210987654321", "Account number 210987654321"]
)
def test_an_account_with_and_without_dashes(words: str) -> None:
    assert the_alert(f"In {words} the key ASIAQQQQWWWWEEEERRRR was used").account_id == (
        "210987654321"
    )


def test_five_spellings_of_one_identity_are_one() -> None:
    (person,) = the_alert(
        f"{SESSION} (AROAQQWWEERRTTYYUUIIO:kim, key ASIAQQQQWWWWEEEERRRR), that is role "
        "arn:aws:iam::210987654321:role/teams/Deploy, AROAQQWWEERRTTYYUUIIO."
    ).principals
    assert (person.arn, person.principal_id) == (SESSION, "AROAQQWWEERRTTYYUUIIO:kim")
    assert (person.access_key_id, person.session_name) == ("ASIAQQQQWWWWEEEERRRR", "kim")


def test_two_identities_are_two() -> None:
    alert = the_alert(f"{LEE} and {LEE.replace('lee', 'max')}")
    assert [person.user_name for person in alert.principals] == ["lee", "max"]
    assert any("names 2 identities" in note for note in alert.notes)


def test_a_template_of_a_finding_without_ids_gives_what_it_has() -> None:
    alert = the_alert(
        json.dumps(
            [
                {
                    "title": "GuardDuty finding with severity 8/10",
                    "type": "UnauthorizedAccess:IAMUser/ConsoleLogin/AccessKey",
                    "info": "https://x/guardduty/home?#/findings?search=id%3D" + "ab" * 16,
                    "account_id": "210987654321",
                    "region": "us-east-1",
                }
            ]
        )
    )
    assert alert.finding_type == alert.title == "UnauthorizedAccess:IAMUser/ConsoleLogin"
    assert (alert.id, alert.severity) == ("ab" * 16, 8)
    assert (alert.account_id, alert.region) == ("210987654321", "us-east-1")
    assert any("names no identity" in note for note in alert.notes)


def test_an_id_that_a_line_break_stands_in_is_not_used() -> None:
    record = an_event(userIdentity=a_role_session(session="a\nb", key="ASIAROLE\tSESSION001"))
    (person,) = the_alert(json.dumps(record)).principals
    assert person.access_key_id is None
    assert person.principal_id is None
    assert person.session_name is None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (json.dumps(an_event())[:-40], "cut off at its end"),
        ('{"arn": "arn:aws:iam::210987654321:user/lee" "b": 1}', "line 1, column 46"),
    ],
)
def test_where_json_breaks_is_said(text: str, where: str) -> None:
    alert = the_alert(text)
    assert any(where in note for note in alert.notes)
    assert alert.title not in ("{", "[")


def test_a_bracket_is_no_alert() -> None:
    with pytest.raises(AlertUnrecognised):
        parse_alerts("{")
