"""Which events belong to the alert's principal, one row of literal identities per rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from an_event import ACCOUNT, a_role_session, a_user, an_event
from memory_store import MemoryStore

from alerts.alert import Alert, Principal
from enrich.entity import Scope, by_identity_id, entity_match
from enrich.questions.baseline import BASELINE
from enrich.questions.interesting_calls import INTERESTING_CALLS
from enrich.questions.roles_assumed import ROLES_ASSUMED
from enrich.questions.services_used import SERVICES_USED

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
READER = "AROAREADERXXXXXXXXXXX"
READER_ARN = f"arn:aws:iam::{ACCOUNT}:role/reader"
ALICE_ID = "AIDAALICEXXXXXXXXXXXX"
ALICE_ARN = f"arn:aws:iam::{ACCOUNT}:user/alice"


def an_alert(**changes: Any) -> Alert:
    fields: dict[str, Any] = {
        "id": "a",
        "source": "cloudtrail",
        "title": "t",
        "severity": None,
        "first_seen": NOON,
        "last_seen": NOON,
        "account_id": ACCOUNT,
        "region": "eu-west-1",
        "source_ip_address": "198.51.100.7",
        "user_agent": None,
        "event_source": "ec2.amazonaws.com",
        "event_name": "DescribeInstances",
        "principals": (),
        "raw": "",
    }
    return Alert(**(fields | changes))


def matched(
    records: list[dict[str, Any]],
    principal: Principal,
    alert: Alert | None = None,
    scope: Scope = "entity",
) -> set[str]:
    """The matched event ids; the direct condition and the one by identity id must agree."""
    store = MemoryStore(records)
    match = entity_match(alert or an_alert(), principal, scope=scope)
    assert match is not None
    first, last = NOON - timedelta(days=1), NOON + timedelta(days=1)
    narrowed, _ = by_identity_id(match, store, first, last)
    found = []
    for one in (match, narrowed):
        rows = store.query(
            f"select event_id from events where {one.sql}", one.parameters, first=first, last=last
        ).rows
        found.append({row["event_id"] for row in rows})
    assert found[0] == found[1]
    return found[0]


def named(name: str, **changes: Any) -> dict[str, Any]:
    return an_event(eventID=name, **changes)


def test_a_user_is_its_arn_or_its_principal_id() -> None:
    records = [
        named("same", userIdentity=a_user()),
        named("renamed", userIdentity=a_user(arn=f"arn:aws:iam::{ACCOUNT}:user/alice2")),
        named("made anew", userIdentity=a_user(principalId="AIDANEW")),
        named("failed sign-in", userIdentity=a_user(arn=None, accessKeyId=None)),
        named("other", userIdentity=a_user("bob")),
    ]
    principal = Principal("IAMUser", arn=ALICE_ARN, principal_id=ALICE_ID)
    assert matched(records, principal) == {"same", "renamed", "made anew", "failed sign-in"}
    assert matched(records, Principal("IAMUser", principal_id=ALICE_ID)) == {
        "same",
        "renamed",
        "failed sign-in",
    }


def test_a_user_that_was_made_again_is_told_apart_in_words() -> None:
    """One ARN, two people: both count (§9), and the reader learns of it; nothing clears either."""
    ids = ("AIDAOLDALICE000000001", "AIDANEWALICE000000002")
    week = [
        named(
            f"{number}-{day}",
            eventTime=f"2026-03-{day:02}T11:00:00Z",
            eventName="PutObject",
            userIdentity=a_user(principalId=ids[number], accessKeyId=f"AKIA{number}"),
        )
        for day in range(1, 10)
        for number in (0, 1)
    ]
    alert = an_alert(first_seen=NOON, last_seen=NOON)
    principal = Principal("IAMUser", arn=ALICE_ARN, principal_id=ids[1])
    store = MemoryStore(week)
    for question in (SERVICES_USED, INTERESTING_CALLS, BASELINE, ROLES_ASSUMED):
        answer = question.ask(alert, principal, store)
        (said,) = [one for one in answer.caveats if "one after the other" in one]
        assert all(one in said for one in ids)
    alone = BASELINE.ask(alert, principal, MemoryStore(week[1::2]))
    assert not any("one after the other" in one for one in alone.caveats)


def test_a_user_known_by_arn_alone_keeps_its_events_under_a_new_name() -> None:
    records = [
        named("same", userIdentity=a_user()),
        named("other", userIdentity=a_user("bob")),
    ]
    assert matched(records, Principal("IAMUser", arn=ALICE_ARN)) == {"same"}
    assert matched(records, Principal("IAMUser", user_name="alice", account_id=ACCOUNT)) == {"same"}


ROLE_RECORDS = [
    named("session, other ip", userIdentity=a_role_session(), sourceIPAddress="203.0.113.9"),
    named("other session, ip", userIdentity=a_role_session(session="else")),
    named(
        "neither",
        userIdentity=a_role_session(session="else"),
        sourceIPAddress="203.0.113.9",
    ),
    named(
        "session in another case",
        userIdentity=a_role_session(session="WORK"),
        sourceIPAddress="203.0.113.9",
    ),
    named("another role, same session and ip", userIdentity=a_role_session("writer")),
    named(
        "seen from another account",
        userIdentity={
            "type": "AWSAccount",
            "principalId": f"{READER}:work",
            "accountId": ACCOUNT,
        },
        sourceIPAddress="203.0.113.9",
        recipientAccountId="444455556666",
    ),
]
READER_SESSION = Principal(
    "AssumedRole",
    arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/work",
    principal_id=f"{READER}:work",
    role_arn=READER_ARN,
    session_name="work",
)


def test_a_role_is_filtered_to_the_session_name_or_the_source_ip() -> None:
    assert matched(ROLE_RECORDS, READER_SESSION) == {
        "session, other ip",
        "other session, ip",
        "seen from another account",
    }


def test_the_whole_role_has_no_filter() -> None:
    assert matched(ROLE_RECORDS, READER_SESSION, scope="whole_role") == {
        "session, other ip",
        "other session, ip",
        "neither",
        "session in another case",
        "seen from another account",
    }


def test_a_role_alert_without_session_and_ip_is_its_whole_role() -> None:
    bare = Principal("AssumedRole", role_arn=READER_ARN)
    match = entity_match(an_alert(source_ip_address=None), bare)
    assert match is not None
    assert match.scope == "whole_role"


def test_a_role_is_found_by_name_whatever_its_path_and_case() -> None:
    records = [
        named("with a path", userIdentity=a_role_session(path="/team/")),
        named("role made anew", userIdentity=a_role_session(principalId="AROANEW:work")),
        named("longer name", userIdentity=a_role_session("my-reader")),
        named("name with a wildcard's room", userIdentity=a_role_session("rxader")),
        named(
            "other account",
            userIdentity=a_role_session(account="444455556666", principalId="AROAFAR:work"),
        ),
    ]
    # Built from a session's ARN, which never has the path (§9).
    without_path = Principal("AssumedRole", role_arn=READER_ARN, session_name="work")
    assert matched(records, without_path) == {"with a path", "role made anew"}
    in_capitals = Principal(
        "AssumedRole",
        role_arn=f"arn:aws:iam::{ACCOUNT}:role/team/READER",
        session_name="work",
    )
    assert matched(records, in_capitals) == {"with a path", "role made anew"}


def test_an_underscore_in_a_role_name_is_no_wildcard() -> None:
    records = [
        named("r_ader", userIdentity=a_role_session("r_ader", principalId="AROAONE:work")),
        named("reader", userIdentity=a_role_session(principalId="AROATWO:work")),
    ]
    principal = Principal(
        "AssumedRole", role_arn=f"arn:aws:iam::{ACCOUNT}:role/r_ader", session_name="work"
    )
    assert matched(records, principal) == {"r_ader"}


ROOT = {
    "type": "Root",
    "principalId": ACCOUNT,
    "arn": f"arn:aws:iam::{ACCOUNT}:root",
    "accountId": ACCOUNT,
}


def test_root_is_the_account_and_not_every_caller_filed_under_it() -> None:
    records = [
        named("root", userIdentity=ROOT),
        named("anonymous caller", userIdentity={"type": "AWSAccount", "accountId": ACCOUNT}),
        named(
            "root, seen from another account",
            userIdentity={"type": "AWSAccount", "accountId": ACCOUNT, "principalId": ACCOUNT},
            recipientAccountId="444455556666",
        ),
        named("user", userIdentity=a_user()),
    ]
    expected = {"root", "root, seen from another account"}
    assert matched(records, Principal("Root", arn=ROOT["arn"])) == expected
    assert matched(records, Principal("Root", principal_id=ACCOUNT)) == expected


def test_a_federated_user_keeps_the_colon_in_its_id() -> None:
    identity = {
        "type": "FederatedUser",
        "principalId": f"{ACCOUNT}:robot",
        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/robot",
        "accountId": ACCOUNT,
    }
    other = identity | {
        "principalId": f"{ACCOUNT}:person",
        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/person",
    }
    records = [named("robot", userIdentity=identity), named("person", userIdentity=other)]
    principal = Principal("FederatedUser", principal_id=f"{ACCOUNT}:robot", arn=identity["arn"])
    assert matched(records, principal) == {"robot"}


@pytest.mark.parametrize("kind", ["SAMLUser", "WebIdentityUser"])
def test_saml_and_web_identities_match_their_whole_id(kind: str) -> None:
    records = [
        named("mine", userIdentity={"type": kind, "principalId": "idp:aud:me"}),
        named("yours", userIdentity={"type": kind, "principalId": "idp:aud:you"}),
    ]
    assert matched(records, Principal(kind, principal_id="idp:aud:me")) == {"mine"}


def test_a_service_is_itself_in_the_alerts_account() -> None:
    service = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
    records = [
        named("here", userIdentity=service),
        named("elsewhere", userIdentity=service, recipientAccountId="444455556666"),
        named("other", userIdentity={"type": "AWSService", "invokedBy": "ecs.amazonaws.com"}),
    ]
    alert = an_alert(source_ip_address="ec2.amazonaws.com")
    assert matched(records, Principal("AWSService"), alert) == {"here"}


def test_an_identity_center_user_is_also_whom_a_session_acts_for() -> None:
    person = {"userId": "90677a1b-0001", "identityStoreArn": "arn:aws:identitystore::1:i/d-1"}
    records = [
        named(
            "portal",
            userIdentity={"type": "IdentityCenterUser", "onBehalfOf": person},
        ),
        named("session", userIdentity=a_role_session(onBehalfOf=person)),
        named("other", userIdentity=a_role_session()),
    ]
    store = MemoryStore(records)
    match = entity_match(an_alert(), Principal("IdentityCenterUser", principal_id="90677a1b-0001"))
    assert match is not None
    rows = store.query(f"select event_id from events where {match.sql}", match.parameters).rows
    assert {row["event_id"] for row in rows} == {"portal", "session"}


def test_another_accounts_caller_without_an_id_is_its_account() -> None:
    records = [
        named("caller", userIdentity={"type": "AWSAccount", "accountId": "444455556666"}),
        named("root of it", userIdentity=ROOT | {"accountId": "444455556666"}),
    ]
    principal = Principal("AWSAccount", account_id="444455556666")
    assert matched(records, principal) == {"caller"}


def test_an_access_key_is_enough_when_there_is_nothing_else() -> None:
    records = [named("mine"), named("other", userIdentity=a_user("bob"))]
    principal = Principal("Unknown", access_key_id="AKIAALICEXQXQXQXQXQX")
    assert matched(records, principal) == {"mine"}


def test_nothing_to_match_on_is_none() -> None:
    assert entity_match(an_alert(), Principal("Unknown")) is None
    assert entity_match(an_alert(), Principal("IAMUser")) is None
    assert entity_match(an_alert(), Principal("AssumedRole", session_name="work")) is None


def test_somebody_filed_under_the_accounts_id_is_neither_root_nor_anybody_else_there() -> None:
    someone = {"type": "Unknown", "principalId": ACCOUNT, "accountId": ACCOUNT, "userName": "ann"}
    records = [
        named("root", userIdentity=ROOT),
        named("ann", userIdentity=someone),
        named("ann again", userIdentity=someone | {"arn": ROOT["arn"]}),
        named("ben", userIdentity=someone | {"userName": "ben"}),
        named("root, from elsewhere", userIdentity=ROOT | {"type": "AWSAccount", "arn": None}),
    ]
    ann = Principal("Unknown", principal_id=ACCOUNT, arn=ROOT["arn"], user_name="ann")
    assert matched(records, ann) == {"ann", "ann again"}
    by_id = Principal("Unknown", principal_id=ACCOUNT)
    assert matched(records, by_id) == {"ann", "ann again", "ben"}
    root = {"root", "root, from elsewhere"}
    assert matched(records, Principal("Root", arn=ROOT["arn"])) == root
    assert matched(records, Principal("AWSAccount", principal_id=ACCOUNT)) == root


SWITCH = {
    "type": "AssumedRole",
    "principalId": f"{READER}:work",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/work",
    "accountId": ACCOUNT,
}
"""As SwitchRole and a SAML user's ConsoleLogin have it: an id, and no session context."""


@pytest.mark.parametrize("scope", ["entity", "whole_role"])
def test_a_role_known_by_arn_alone_has_its_switches_too(scope: Scope) -> None:
    records = [
        named("a call", userIdentity=a_role_session()),
        named(
            "its switch",
            eventSource="signin.amazonaws.com",
            eventName="SwitchRole",
            userIdentity=SWITCH,
        ),
        named(
            "another role's",
            eventSource="signin.amazonaws.com",
            eventName="SwitchRole",
            userIdentity=SWITCH
            | {
                "principalId": "AROAWRITERXXXXXXXXXXX:work",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/writer/work",
            },
        ),
    ]
    by_arn = Principal("AssumedRole", arn=SWITCH["arn"], session_name="work")
    assert matched(records, by_arn, scope=scope) == {"a call", "its switch"}
    assert matched(records, READER_SESSION, scope=scope) == {"a call", "its switch"}


def test_an_identity_center_user_has_not_its_permission_sets_other_users() -> None:
    mine = {"onBehalfOf": {"userId": "user-1", "identityStoreArn": "arn:aws:identitystore::1:x"}}
    records = [
        named("mine", userIdentity=a_role_session("AWSReservedSSO_Admin", "ann", **mine)),
        named("another's", userIdentity=a_role_session("AWSReservedSSO_Admin", "ben")),
    ]
    assert matched(records, Principal("IdentityCenterUser", principal_id="user-1")) == {"mine"}
