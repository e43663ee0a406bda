"""What acted in no event and is named in others' is told as that, and never as unknown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answered import data_of

from alerts import parse_alerts
from enrich import ask_all
from enrich.calls.acted_upon import acted_upon
from enrich.gaps import fill_gaps
from tests.a_page import a_page, words
from tests.an_event import ACCOUNT, a_user, an_assumption, an_event
from tests.memory_store import MemoryStore
from trail.errors import QueryFailed, QueryTimedOut
from trail.index.build import add
from trail.store import open_store

pytest_plugins = ("tests.case_pages",)

GHOST = f"arn:aws:iam::{ACCOUNT}:user/ghost"
GHOST_ID = "AIDAGHOSTQXQXQXQXQXQX"
CALLS = ["CreateUser", "AttachUserPolicy", "CreateLoginProfile", "CreateAccessKey"]
CALLS += ["DeleteLoginProfile", "DetachUserPolicy", "DeleteUser"]


def _on(user: str, call: str, minute: int, **changes: Any) -> dict[str, Any]:
    response = None
    if call == "CreateUser":
        arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
        response = {"user": {"userName": user, "userId": GHOST_ID, "arn": arn}}
    return an_event(
        eventName=call,
        eventSource="iam.amazonaws.com",
        eventTime=f"2026-03-10T12:{minute:02}:00Z",
        eventID=f"aaaaaaaa-0000-4000-8000-{minute:012}",
        requestParameters={"userName": user},
        responseElements=response,
        **changes,
    )


LIFE = [_on("ghost", call, minute) for minute, call in enumerate(CALLS)]
OTHERS = [
    _on("ghost2", "CreateUser", 20),
    an_event(eventTime="2026-03-10T12:30:00Z", requestParameters={"groupName": "ghost"}),
    # The same name in another account is another user.
    _on("ghost", "GetUser", 40, recipientAccountId="999988887777"),
]
FIRST, LAST = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "events"),
    [
        (GHOST, 7),
        (GHOST_ID, 2),  # the two CreateUser of this made-up world share it
        (f"arn:aws:iam::{ACCOUNT}:user/gho", 0),
        (f"arn:aws:iam::{ACCOUNT}:role/ghost", 0),
        ("ghost", 9),  # a bare name is anything's
    ],
)
def test_what_others_did_to_it_is_counted(name: str, events: int) -> None:
    store = MemoryStore([*LIFE, *OTHERS])
    found = acted_upon(name, store, FIRST, LAST)
    assert found.events == len(found.newest) == events
    assert found.whole
    assert found.limit is None


def test_damage_fails_it_and_a_limit_of_time_does_not(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_text(json.dumps({"Records": LIFE}))
    add([log], tmp_path / "index")
    store = open_store(tmp_path / "index")
    alert = fill_gaps(parse_alerts(f"{GHOST} did something odd".encode())[0], store)
    (path,) = (tmp_path / "index").rglob("*-events-*.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with pytest.raises(QueryFailed, match="damaged"):
        acted_upon(GHOST, store, FIRST, LAST)
    answers = {a.name: a for a in ask_all(alert, alert.principals[0], open_store(store.index_dir))}
    assert answers["services_used"].status == "failed"
    assert "damaged" in answers["services_used"].sentence

    class Slow(MemoryStore):
        def query(self, *_: Any, **__: Any) -> Any:
            raise QueryTimedOut("The query was stopped.")

    found = acted_upon(GHOST, Slow(LIFE), FIRST, LAST)
    assert (found.events, found.whole) == (0, False)


def test_its_own_calls_are_no_calls_of_others() -> None:
    own = an_event(
        eventName="GetUser",
        eventSource="iam.amazonaws.com",
        requestParameters={"userName": "alice"},
    )
    assert acted_upon(own["userIdentity"]["arn"], MemoryStore([own]), FIRST, LAST).events == 0


def test_a_search_that_took_too_long_says_how_far_back_it_went() -> None:
    old = _on("ghost", "CreateUser", 50) | {"eventTime": "2025-03-10T12:00:00Z"}
    store = MemoryStore([*LIFE, old])
    found = acted_upon(GHOST, store, datetime(2025, 1, 1, tzinfo=UTC), LAST, seconds=0)
    assert not found.whole
    assert found.looked_from == datetime(2026, 3, 30, tzinfo=UTC)
    assert found.limit is not None
    assert "2026-03-30 00:00 UTC only" in found.limit
    assert found.events == 0


def test_a_week_is_read_at_once_where_it_holds_few_events_and_by_days_where_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit of time holds between the stretches that are read: one of many has to be short."""
    week = LAST - timedelta(days=7)
    store = MemoryStore([*LIFE, *OTHERS, an_event(eventTime="2026-03-30T12:00:00Z")])
    assert acted_upon(GHOST, store, week, LAST, seconds=0, about_identities=True).whole
    monkeypatch.setattr("enrich.calls.acted_upon._AT_ONCE", 0)
    found = acted_upon(GHOST, store, week, LAST, seconds=0, about_identities=True)
    assert found.looked_from == LAST - timedelta(days=1)


def test_spaces_in_a_tools_json_hide_nothing() -> None:
    spaced = an_event(
        eventName="DeleteUser",
        eventSource="iam.amazonaws.com",
        requestParameters={"userName": "ghost"},
    )
    store = MemoryStore([spaced])
    assert acted_upon(GHOST, store, FIRST, LAST).events == 1


def test_the_answer_about_it_says_what_others_did() -> None:
    (alert,) = parse_alerts(f"{GHOST} was seen at 2026-03-10 13:00 UTC")
    store = MemoryStore([*LIFE, *OTHERS])
    services = next(
        a for a in ask_all(alert, alert.principals[0], store) if a.name == "services_used"
    )
    assert services.sentence.startswith("No calls by this identity")
    assert "It was acted upon in 7 events: " in services.sentence
    assert data_of(services)["acted_upon"]["events"] == 7
    assert set(services.evidence) == {event["eventID"] for event in LIFE}


def test_an_arn_alone_is_asked_about_at_the_time_of_what_others_did() -> None:
    (pasted,) = parse_alerts(f"who is {GHOST} ?")
    alert = fill_gaps(pasted, MemoryStore([*LIFE, *OTHERS]))
    assert alert.first_seen == datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 3, 10, 12, 6, tzinfo=UTC)
    assert alert.time_is_fallback
    assert [principal.arn for principal in alert.principals] == [GHOST]
    assert any("acted in 0 events, was acted upon in 7" in note for note in alert.notes)


@pytest.mark.usefixtures("own_folders")
def test_the_entity_page_of_it_tells_its_life(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    # As a pretty-printed log has it: with spaces inside.
    (logs / "log.json").write_text(json.dumps({"Records": [*LIFE, *OTHERS]}, indent=1))
    add([logs], tmp_path / "index")
    at = a_page("entity", {"of": GHOST})
    assert not at.exception
    said = words(at)
    assert "The index has no event of it" not in said
    assert "acted in 0 events, was acted upon in 7" in said
    for call in CALLS:
        assert call in said
    at = a_page("entity", {"of": f"arn:aws:iam::{ACCOUNT}:user/nobody"})
    assert "The index has no event of it." in words(at)
    assert "none names it in a request, a response or a resource" in words(at)


def test_who_acted_upon_it_is_named_also_beside_a_call_of_its_own() -> None:
    own = an_event(
        eventTime="2026-03-10T12:05:30Z",
        eventName="ListBuckets",
        eventSource="s3.amazonaws.com",
        userIdentity={"type": "IAMUser", "principalId": GHOST_ID, "arn": GHOST,
                      "accountId": ACCOUNT, "userName": "ghost"},
    )  # fmt: skip
    store = MemoryStore([*LIFE, own])
    (alert,) = parse_alerts(f"{GHOST} at 2026-03-10 13:00:00 UTC")
    services = next(
        a for a in ask_all(alert, alert.principals[0], store) if a.name == "services_used"
    )
    assert data_of(services)["total"] == 1
    assert "It was acted upon in 7 events: " in services.sentence
    assert "; by user/alice." in services.sentence


def test_the_time_of_somebody_acted_upon_is_from_the_first_event_to_the_last() -> None:
    # More than are kept: the first of all is told, not the first of the kept.
    many = [
        _on("ghost", "GetUser", 0) | {"eventTime": f"2026-03-0{day}T12:{minute:02}:00Z",
                                      "eventID": f"bbbbbbbb-0000-4000-8000-{day}{minute:011}"}
        for day in range(1, 6) for minute in range(60)
    ]  # fmt: skip
    (alert,) = parse_alerts(f"who is {GHOST} ?")
    filled = fill_gaps(alert, MemoryStore(many))
    assert filled.first_seen == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert filled.last_seen == datetime(2026, 3, 5, 12, 59, tzinfo=UTC)
    assert any(
        "acted in 0 events, was acted upon in 300: GetUser; by user/alice. The time here is from"
        " the first of these events, 2026-03-01 12:00:00 UTC, to the last, 2026-03-05 12:59:00 UTC"
        in note
        for note in filled.notes
    )


def test_what_it_was_given_is_named_before_what_was_taken_and_looked_at() -> None:
    calls = ["CreateUser", "AttachUserPolicy", "CreateAccessKey", "DeleteAccessKey", "DeleteUser"]
    looked = ["ListAccessKeys", "GetUser", "ListUserPolicies", "ListGroupsForUser"]
    life = [_on("ghost", call, minute) for minute, call in enumerate([*looked, *calls])]
    more = [_on("ghost", "ListAccessKeys", 20 + n) for n in range(9)]
    found = acted_upon(GHOST, MemoryStore([*life, *more]), FIRST, LAST)
    assert found.sentence == (
        "acted in 0 events, was acted upon in 18: CreateUser, AttachUserPolicy, CreateAccessKey,"
        " DeleteAccessKey, DeleteUser, ListAccessKeys, GetUser and 2 more; by user/alice"
    )


def test_copies_corrections_and_twins_of_one_call_count_once(tmp_path: Path) -> None:
    """Ten records of six calls: a correction, a cross-account pair with and one without its
    `sharedEventID`, one that only looks like a pair, and a network activity twin."""
    session = {"accountId": ACCOUNT, "type": "AWS::STS::AssumedRole", "ARN": GHOST}
    owner = {"type": "AWSAccount", "accountId": ACCOUNT, "principalId": a_user()["principalId"]}
    other = {**owner, "principalId": "AIDAOTHERQXQXQXQXQXQX"}

    def assumed(minute: int, key: str, **changes: Any) -> dict[str, Any]:
        return an_assumption(
            key=key,
            eventTime=f"2026-03-10T13:{minute:02}:00Z",
            resources=[session],
            requestID=f"00000000-0000-4000-9000-{minute:012}",
            **changes,
        )

    wrong = _on("ghost", "CreateUser", 1, userIdentity=a_user("bob"))
    right = _on("ghost", "CreateUser", 2, userIdentity=a_user("carl")) | {
        "eventTime": wrong["eventTime"],
        "addendum": {"reason": "UPDATED_DATA", "originalEventID": wrong["eventID"]},
    }
    shared = {"sharedEventID": "22222222-0000-4000-8000-000000000001"}
    api = _on("ghost", "TagUser", 5, requestID="00000000-0000-4000-9000-000000000099")
    twin = {**api, "eventID": "aaaaaaaa-0000-4000-8000-000000000077",
            "eventCategory": "NetworkActivity", "eventType": "AwsVpceEvent"}  # fmt: skip
    records = [
        wrong,
        right,
        assumed(1, "ASIA2GDPCIYTPURG5NQJ", **shared),
        assumed(1, "ASIA2GDPCIYTPURG5NQJ", userIdentity=owner, recipientAccountId="999988887777",
                **shared),
        assumed(2, "ASIA2GDPCIYTGHHRQVTJ"),
        assumed(2, "ASIA2GDPCIYTGHHRQVTJ", userIdentity=owner, recipientAccountId="999988887777"),
        assumed(3, "ASIA2GDPCIYTBCF2Z7LK"),
        assumed(3, "ASIA2GDPCIYTBCF2Z7LK", userIdentity=other, recipientAccountId="999988887777"),
        api,
        twin,
    ]  # fmt: skip
    (tmp_path / "logs.json").write_text(json.dumps({"Records": records}))
    add([tmp_path / "logs.json"], tmp_path / "index", workers=1)
    store = open_store(tmp_path / "index")
    try:
        found = acted_upon(GHOST, store, FIRST, LAST)
    finally:
        store.close()

    assert found.events == 6
    callers = sorted(str(row["principal_arn"] or row["identity_id"]) for row in found.newest)
    alice, carl = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("alice", "carl"))
    assert callers == sorted([carl, alice, alice, alice, alice, "AIDAOTHERQXQXQXQXQXQX"])


def test_a_masked_caller_is_nobody_by_name() -> None:
    masked = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/***", "accountId": ACCOUNT,
              "userName": "***"}  # fmt: skip
    store = MemoryStore([_on("ghost", "CreateUser", 0, userIdentity=masked)])
    found = acted_upon(GHOST, store, FIRST, LAST)
    assert "a caller whose name is masked" in found.how
    assert "***" not in found.how


def test_a_correction_is_counted_once_and_told() -> None:
    corrected = _on(
        "ghost", "CreateUser", 1, addendum={
            "reason": "UPDATED_DATA", "originalEventID": LIFE[0]["eventID"],
            "updatedFields": "responseElements",
        },
    ) | {"eventID": "bbbbbbbb-0000-4000-8000-000000000001"}  # fmt: skip
    store = MemoryStore([LIFE[0], corrected])
    found = acted_upon(GHOST, store, FIRST, LAST)
    assert [row["event_id"] for row in found.newest] == [corrected["eventID"]]
    assert found.caveats == (
        "Of what was done to it, 1 record is AWS's own correction: what was corrected does not"
        " count as well.",
    )
    assert acted_upon(GHOST, MemoryStore(LIFE), FIRST, LAST).caveats == ()


@pytest.mark.parametrize(
    ("caller", "words"),
    [
        ({"type": "SAMLUser", "principalId": "E3b6=:kim", "userName": "kim"}, "SAML user kim"),
        ({"type": "SAMLUser", "principalId": "E3b6=:kim"}, "SAML user kim"),
        ({"type": "WebIdentityUser", "principalId": "idp.example:app:77"}, "web identity 77"),
        ({"type": "AWSAccount", "principalId": "AIDAQ3EGXK7PL5N2WZTBV", "accountId": "9" * 12},
         "AIDAQ3EGXK7PL5N2WZTBV of account 999999999999"),
        ({"type": "SAMLUser", "principalId": "E3b6=:***"}, "a SAML user whose name is masked"),
    ],
)  # fmt: skip
def test_a_caller_without_an_arn_is_told_by_what_it_is(caller: dict[str, Any], words: str) -> None:
    store = MemoryStore([LIFE[0] | {"userIdentity": caller}])
    assert acted_upon(GHOST, store, FIRST, LAST).how == f": CreateUser; by {words}"
