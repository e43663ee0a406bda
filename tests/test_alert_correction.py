"""What an analyst may correct on an alert before the questions run; accounts told from key ids."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from alerts import CorrectionRefused, account_of_key, correct, parse_alerts, principal_from
from tests.an_event import a_role_session, an_event


def _alert() -> Any:
    return parse_alerts(json.dumps(an_event(userIdentity=a_role_session())))[0]


def test_a_correction_gives_a_new_alert_and_says_where_the_field_is_from() -> None:
    alert = _alert()
    corrected = correct(alert, source_ip_address="203.0.113.9", event_name="ListUsers")
    assert corrected.source_ip_address == "203.0.113.9"
    assert corrected.event_name == "ListUsers"
    assert corrected.origins["source_ip_address"] == "corrected by the analyst"
    assert corrected.origins["region"] == "awsRegion"
    assert alert.source_ip_address == "198.51.100.7"
    assert (corrected.id, corrected.raw) == (alert.id, alert.raw)


def test_a_principal_may_be_given_as_an_arn_a_key_or_an_id() -> None:
    (person,) = correct(_alert(), principal="arn:aws:iam::111122223333:user/teams/bob").principals
    assert (person.type, person.user_name) == ("IAMUser", "bob")
    assert principal_from(" ASIAROLESESSION00001 ").access_key_id == "ASIAROLESESSION00001"
    session = principal_from("AROAREADERXXXXXXXXXXX:work")
    assert (session.type, session.session_name) == ("AssumedRole", "work")
    assert correct(_alert(), principal=session).principals == (session,)


def test_old_origins_of_a_replaced_principal_go() -> None:
    corrected = correct(_alert(), principal="AKIAALICEXQXQXQXQXQX")
    assert not any(name.startswith("principals[") for name in corrected.origins)
    assert corrected.origins["principals"] == "corrected by the analyst"


def test_one_end_of_the_window_moves_the_other_only_where_it_must() -> None:
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    later = correct(_alert(), last_seen="2026-03-10T15:00:00+01:00")
    assert (later.first_seen, later.last_seen) == (noon, datetime(2026, 3, 10, 14, tzinfo=UTC))
    moved = correct(_alert(), first_seen="2026-03-11 08:00")
    assert moved.first_seen == datetime(2026, 3, 11, 8, tzinfo=UTC)
    assert moved.last_seen == datetime(2026, 3, 11, 8, 0, 59, tzinfo=UTC)  # all of that minute


def test_a_service_may_be_given_by_its_short_name() -> None:
    assert correct(_alert(), event_source="S3").event_source == "s3.amazonaws.com"


def test_blank_means_none() -> None:
    corrected = correct(_alert(), source_ip_address="  ", user_agent="")
    assert (corrected.source_ip_address, corrected.user_agent) == (None, None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"source_ip_address": "300.1.1.1"}, "no IP address"),
        ({"first_seen": "yesterday"}, "no time"),
        ({"first_seen": "2026-03-11", "last_seen": "2026-03-10"}, "before the first"),
        ({"principal": "bob"}, "names no identity"),
        ({"account_id": "42"}, "12 digits"),
        ({"raw": "x"}, "cannot be corrected"),
    ],
)
def test_what_cannot_be_right_is_refused_with_what_is_expected(
    fields: dict[str, str], said: str
) -> None:
    with pytest.raises(CorrectionRefused, match=said):
        correct(_alert(), **fields)


@pytest.mark.parametrize(
    ("key", "account"),
    [
        ("ASIAY34FZKBOKMUTVV7A", "609629065308"),
        ("ASIA52RQV423TWB3UWEE", "950363612855"),
        ("ASIAY24FZKAOLBRPB3V3", "607481581596"),
        ("AROAY24FZKAOBPJTH2BSF", "607481581596"),
        ("AROA52RQV4237EYPOIPDF:session", "950363612855"),
        ("AROA37QFXJP5LOO5CGXEC", "823571991546"),
        ("AKIAIOSFODNN7EXAMPLE", None),  # older ids hold no account
        ("GeneratedFindingAccessKeyId", None),
        ("asiay34fzkbokmutvv7a", None),
        ("ASIAY34FZKBOKMUTVV7", None),
        ("", None),
        (None, None),
    ],
)
def test_the_account_of_a_key(key: str | None, account: str | None) -> None:
    assert account_of_key(key) == account
