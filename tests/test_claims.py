"""What a match may claim: the eight rules of §3.4, each broken by the logs that it is there for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from alerts.alert import Alert
from alerts.parse import parse_alerts
from enrich import ask_all
from enrich.gaps import fill_gaps
from enrich.questions.assumed_by import ASSUMED_BY
from tests.an_alert import an_alert, which_roles, who_assumed
from tests.an_event import (
    ACCOUNT,
    IN_CONSOLE,
    MASKED,
    a_role_session,
    a_user,
    an_assumption,
    an_event,
    around,
    by_the_console,
)
from tests.answered import as_written
from tests.memory_store import MemoryStore
from trail.index.build import add
from trail.store import open_store

K1, K2, K3 = "ASIA2GDPCIYTPURG5NQJ", "ASIA2GDPCIYTGHHRQVTJ", "ASIA2GDPCIYTBCF2Z7LK"
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/134.0.0.0 Safari/537.36"


def the_hop(answer) -> tuple[str | None, str, str]:
    hop = answer.data["chain"][0]
    return hop["event_id"], hop["method"], hop["confidence"]


def a_use(identity: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return an_event(userIdentity=identity, **changes)


def a_finding(
    record: Mapping[str, Any],
    *,
    first: str | None = None,
    last: str | None = None,
    **principal: Any,
) -> Alert:
    """What a GuardDuty finding says of a record: no creation date, no record to read it from."""
    alert = an_alert(record, session_created=None, **principal)
    return replace(
        alert,
        raw="{}",
        event_id=None,
        event_ids=(),
        first_seen=datetime.fromisoformat(first) if first else alert.first_seen,
        last_seen=datetime.fromisoformat(last) if last else alert.last_seen,
    )


def keyless(record: Mapping[str, Any], **times: str) -> Alert:
    return a_finding(record, access_key_id=None, **times)


# Rule 1: a key is a key ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "mask",
    [
        "REDACTED",
        MASKED,
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAXXXXXXXXXXXXXXXX",
        "null",
        "ASIAREDACTEDREDACTED",
        "ASIAANONYMIZED000001",
        "ASIAXXXXXX1234XXXXXX",
        "ASIAREPLACEMEREPLACE",
        "ASIAREDACTREDACT7Q2X",
    ],
)
def test_equal_placeholders_prove_nothing(mask):
    other = an_assumption(key=mask, eventTime="2026-03-10T11:20:00Z", userIdentity=a_user("bob"))
    own = an_assumption(key=mask)
    use = a_use(a_role_session(key=mask))

    answer = who_assumed(use, [other, own, use])

    assert the_hop(answer) == (own["eventID"], "creation_date", "high")
    assert answer.data["origin"]["label"] == "alice"
    assert answer.data["chain"][0]["minted_access_key_id"] is None


def test_a_key_that_may_be_a_mask_is_medium_at_most():
    key = "ASIAREDACT7Q2XWJ4RNZ"
    mint = an_assumption(key=key)
    use = a_use(a_role_session(key=key))

    answer = who_assumed(use, [mint, use])

    assert the_hop(answer) == (mint["eventID"], "access_key", "medium")
    assert any("may be what was written over a key" in caveat for caveat in answer.caveats)


def test_a_masked_key_of_a_caller_leads_nowhere():
    """The callers' keys are masked alike: the next hop is found by its date, not by the mask."""
    hub = a_role_session("hub", "one", key="REDACTED", created="2026-03-10T11:00:00Z")
    first = an_assumption("hub", "one", key="REDACTED", eventTime="2026-03-10T11:00:00Z")
    stray = an_assumption(
        "hub", "one", key="REDACTED", eventTime="2026-03-10T10:58:00Z", userIdentity=a_user("bob")
    )
    second = an_assumption(key="REDACTED", userIdentity=hub)
    use = a_use(a_role_session(key="REDACTED"))

    answer = who_assumed(use, [stray, first, second, use])

    assert [hop["event_id"] for hop in answer.data["chain"]] == [
        second["eventID"],
        first["eventID"],
    ]
    assert answer.data["origin"]["label"] == "alice"


MASKED_CALLERS = [
    {"userName": "***", "arn": f"arn:aws:iam::{ACCOUNT}:user/***", "principalId": "***"},
    {"userName": "REDACTED", "arn": f"arn:aws:iam::{ACCOUNT}:user/REDACTED",
     "principalId": "REDACTED"},
    {"userName": None, "arn": None, "principalId": None},
    {"userName": "HIDDEN_DUE_TO_SECURITY_REASONS", "arn": None, "principalId": "null"},
]  # fmt: skip


@pytest.mark.parametrize("masks", MASKED_CALLERS)
def test_a_caller_whose_name_is_masked_is_nobody_in_particular(masks):
    mint = an_assumption(key=K1, userIdentity=a_user("bob", accessKeyId="***") | masks)
    use = a_use(a_role_session(key=K1))

    answer = who_assumed(use, [mint, use])

    assert the_hop(answer) == (mint["eventID"], "access_key", "medium")
    assert "by a caller whose name is masked" in answer.sentence
    assert answer.data["origin"]["label"] == "a caller whose name is masked"
    by = answer.data["chain"][0]["by"]
    assert (by["arn"], by["principal_id"], by["user_name"]) == (None, None, None)
    assert any("does not show who called" in caveat for caveat in answer.caveats)


def test_an_id_that_a_record_shows_names_its_caller_whatever_else_is_masked():
    hidden = a_user("bob", userName="HIDDEN_DUE_TO_SECURITY_REASONS", arn=None)
    mint = an_assumption(key=K1, userIdentity=hidden)
    use = a_use(a_role_session(key=K1))

    answer = who_assumed(use, [mint, use])

    assert the_hop(answer)[2] == "certain"
    assert answer.data["origin"]["label"] == a_user("bob")["principalId"]


def test_two_masked_callers_are_not_one_person():
    masked = a_user("bob", accessKeyId="***") | MASKED_CALLERS[0]
    mints = [an_assumption(key="***", userIdentity=masked) for _ in range(2)]
    use = a_use(a_role_session(key="***"))

    answer = who_assumed(use, [*mints, use])

    assert the_hop(answer)[2] == "medium"
    assert len(answer.data["chain"][0]["callers"]) == 2
    assert "Which of 2 possible callers" in answer.sentence
    assert "2 callers whose names are masked" in answer.sentence


def test_of_a_role_alone_every_caller_of_its_sessions_is_possible():
    """The finding's principal is masked, and so is which of the role's sessions it was."""
    alices = an_assumption(session="one", key=K1, eventTime="2026-03-10T11:40:00Z")
    bobs = an_assumption(session="two", key=K2, userIdentity=a_user("bob"))
    other = an_assumption("writer", "one", key=K3, userIdentity=a_user("carl"))
    finding = keyless(a_use(a_role_session()), first="2026-03-10T12:00:00+00:00")
    (principal,) = finding.principals
    masked = replace(principal, principal_id=None, arn=None, session_name=None)
    finding = replace(finding, principals=(masked,))

    answer = who_assumed(finding, [alices, bobs, other, *around("us-east-1", "eu-west-1")])

    assert the_hop(answer) == (bobs["eventID"], "most_recent", "low")
    (hop,) = answer.data["chain"]
    assert [caller["user_name"] for caller in hop["callers"]] == ["bob", "alice"]
    assert "Which of 2 different callers assumed a session of role reader" in answer.sentence


def test_a_masked_key_finds_no_stranger_s_events():
    stranger = a_use(a_user("mallory", accessKeyId="REDACTED"), eventTime="2026-03-10T12:30:00Z")
    alert = replace(keyless(an_event()), principals=(), first_seen=None, last_seen=None)
    masked = replace(
        alert, principals=(replace(an_alert(an_event()).principals[0], arn=None,
        principal_id=None, user_name=None, access_key_id="REDACTED"),)
    )  # fmt: skip
    filled = fill_gaps(masked, MemoryStore([stranger]))
    assert filled.first_seen is None


def test_masked_ids_of_calls_make_no_copies_of_strangers():
    """A masked `sharedEventID` or `requestID` is shared by all records of an export."""
    hidden = {"sharedEventID": "REDACTED", "requestID": "REDACTED"}
    mints = [
        an_assumption(key="REDACTED", userIdentity=a_user(name), **hidden)
        for name in ("alice", "bob")
    ]
    use = a_use(a_role_session(key="REDACTED"))

    answer = who_assumed(use, [*mints, use])

    (hop,) = answer.data["chain"]
    assert hop["confidence"] == "medium"
    assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "bob"}


def test_the_tree_of_masked_sessions_has_each_of_them_once():
    hub = a_role_session("hub", "one", key=MASKED, created="2026-03-10T11:00:00Z")
    children = [
        an_assumption(f"spoke{n}", "two", key=MASKED, userIdentity=hub,
                      eventTime=f"2026-03-10T11:1{n}:00Z")
        for n in range(3)
    ]  # fmt: skip
    use = a_use(hub, eventTime="2026-03-10T11:30:00Z")
    tree = who_assumed(use, [*children, use]).data["forward"]
    assert sorted(node["event_id"] for node in tree["sessions"]) == sorted(
        child["eventID"] for child in children
    )


# Rule 2: a mint precedes its use and outlives it ---------------------------------------------


@pytest.mark.parametrize(
    ("minted", "seconds", "fits"),
    [
        ("2026-03-10T12:00:02Z", 3600, True),  # two clocks
        ("2026-03-10T12:00:03Z", 3600, False),
        ("2026-03-10T11:00:00Z", 3600, True),
        ("2026-03-10T10:59:58Z", 3600, True),
        ("2026-03-10T10:59:57Z", 3600, False),
        ("2026-03-10T00:00:00Z", None, True),  # no duration is shown: a role's longest is 12 hours
        ("2026-03-09T23:59:57Z", None, False),
        ("2026-04-16T12:00:00Z", 3600, False),
        ("2024-08-15T12:00:00Z", 3600, False),
    ],
)
def test_a_key_s_mint_fits_only_within_its_lifetime(minted, seconds, fits):
    request = {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/reader", "roleSessionName": "work"}
    request |= {"durationSeconds": seconds} if seconds else {}
    mint = an_assumption(key=K1, eventTime=minted, requestParameters=request)
    if seconds is None:
        del mint["responseElements"]["credentials"]["expiration"]
    answer = who_assumed(a_finding(a_use(a_role_session(key=K1))), [mint])
    if fits:
        assert the_hop(answer) == (mint["eventID"], "access_key", "certain")
    else:
        assert answer.data["chain"] == []
        assert answer.status != "answered"


def test_a_window_of_hours_may_be_of_its_latest_activity():
    """GuardDuty sends a finding again with a higher count: the key may be the last call's."""
    use = a_use(a_role_session(key=K1))
    finding = a_finding(use, first="2026-03-10T03:00:00Z", last="2026-03-10T12:00:00Z")
    mint = an_assumption(key=K1, eventTime="2026-03-10T11:50:00Z")
    assert the_hop(who_assumed(finding, [mint])) == (mint["eventID"], "access_key", "certain")


def test_a_creation_date_that_differs_is_another_session():
    mint = an_assumption(key=K1, eventTime="2026-03-10T11:40:00Z")
    use = a_use(a_role_session(key=K1, created="2026-03-10T11:50:00Z"))

    answer = who_assumed(use, [mint, use])

    assert all(hop["confidence"] == "low" for hop in answer.data["chain"])
    assert "10 min from the session's own creation date" in answer.sentence


def test_a_session_token_lives_as_long_as_was_asked():
    def a_token(seconds: int):
        return an_event(
            eventTime="2026-03-09T04:00:00Z",
            eventSource="sts.amazonaws.com",
            eventName="GetSessionToken",
            requestParameters={"durationSeconds": seconds},
            responseElements={"credentials": {"accessKeyId": K1}},
        )

    identity = a_user(accessKeyId=K1, sessionContext={
        "attributes": {"creationDate": "2026-03-09T04:00:00Z", "mfaAuthenticated": "true"}
    })  # fmt: skip
    use = a_use(identity)  # 32 hours later
    assert who_assumed(use, [a_token(36 * 3600), use]).data["chain"]
    assert not who_assumed(use, [a_token(12 * 3600), use]).data["chain"]


def test_a_long_term_key_need_only_be_older_than_its_use():
    def made(at: str):
        return an_event(
            eventTime=at,
            eventSource="iam.amazonaws.com",
            eventName="CreateAccessKey",
            userIdentity=a_user("root-admin"),
            responseElements={
                "accessKey": {"accessKeyId": a_user()["accessKeyId"], "userName": "alice"}
            },
        )

    old, later = made("2023-01-01T00:00:00Z"), made("2026-03-10T12:00:03Z")
    assert the_hop(who_assumed(an_event(), [old])) == (old["eventID"], "key_created", "certain")
    answer = who_assumed(an_event(), [later])
    assert answer.data["chain"] == []
    assert "issued 3 s after its use" in answer.sentence


LONG = "AKIA2GDPCIYTBCF2Z7LK"


def a_birth(by: str, of: str = "lee", **changes: Any) -> dict[str, Any]:
    return an_event(**{
        "eventSource": "iam.amazonaws.com", "eventName": "CreateAccessKey",
        "eventTime": "2026-03-10T09:01:00Z", "userIdentity": a_user(by),
        "requestParameters": {"userName": of},
        "responseElements": {"accessKey": {"userName": of, "accessKeyId": LONG}},
        **changes,
    })  # fmt: skip


def test_of_two_who_created_a_key_neither_is_named_as_the_one():
    use = a_use(a_user("lee", accessKeyId=LONG))
    answer = who_assumed(use, [a_birth("bob"), a_birth("carl"), use])
    assert the_hop(answer)[1:] == ("key_created", "medium")
    assert "Which of 2 different callers created that key is not known" in answer.sentence
    assert "IAM user carl" in answer.sentence
    assert "IAM user bob" in answer.sentence


def test_a_key_s_record_that_cannot_be_its_own_is_not_called_missing():
    """Created after the use, or for somebody else."""
    use = a_use(a_user("lee", accessKeyId=LONG))
    late = a_birth("bob", eventTime="2026-03-11T09:01:00Z")
    others = a_birth("bob", of="other")
    for record in (late, others):
        answer = who_assumed(use, [record, use])
        assert answer.data["chain"] == []
        assert "no CreateAccessKey in the index that fits" in answer.sentence
    text = f"Event {others['eventID']} created this access key, but for IAM user other"
    assert any(text in caveat for caveat in answer.caveats)


def test_a_key_that_nobody_used_is_its_owner_s_by_the_record_of_its_creation():
    """A user made, given a key and deleted: the key alone is pasted, and never signed a call."""
    life = [
        an_event(eventSource="iam.amazonaws.com", eventName=name, userIdentity=a_user("bob"),
                 eventTime=f"2026-03-10T09:0{minute}:00Z", requestParameters={"userName": "ghost"})
        for name, minute in (("CreateUser", 0), ("DeleteUser", 5))
    ]  # fmt: skip
    (pasted,) = parse_alerts(f"Key {LONG} reported 2026-03-10 12:00 UTC")
    store = MemoryStore([*life, a_birth("bob", of="ghost")])

    alert = fill_gaps(pasted, store)

    (principal,) = alert.principals
    assert (principal.type, principal.user_name) == ("IAMUser", "ghost")
    assert principal.arn == f"arn:aws:iam::{ACCOUNT}:user/ghost"
    answers = ask_all(alert, principal, store)
    assert answers[0].sentence.startswith(
        f"Not an assumed role: IAM user ghost with long-term key {LONG}, which IAM user bob created"
    )
    assert "acted upon in 3 events: CreateUser, CreateAccessKey and DeleteUser" in (
        answers[2].sentence
    )


def test_a_fall_back_for_the_time_bounds_the_mint_above_only():
    use = a_use(a_role_session(key=K1))
    alert = replace(a_finding(use), time_is_fallback=True)
    days_before = an_assumption(key=K1, eventTime="2026-03-06T11:50:00Z")
    after = an_assumption(key=K1, eventTime="2026-03-10T12:30:00Z")

    answer = who_assumed(alert, [days_before])

    assert the_hop(answer) == (days_before["eventID"], "access_key", "certain")
    assert any("does not say when the activity was" in caveat for caveat in answer.caveats)
    answer = who_assumed(alert, [after])
    assert answer.data["chain"] == []
    assert answer.status == "partial"  # never "nothing": the moment is not known


# Rule 3: several mints of one key ------------------------------------------------------------


def test_several_unlike_mints_of_one_key_are_never_certain():
    mints = [
        an_assumption(key=K1, userIdentity=a_user(name), eventTime=f"2026-03-10T11:{minute}:00Z")
        for name, minute in (("alice", 50), ("bob", 40))
    ]
    answer = who_assumed(a_finding(a_use(a_role_session(key=K1))), mints)

    (hop,) = answer.data["chain"]
    assert hop["confidence"] == "medium"
    assert set(hop["candidates"]) == {mint["eventID"] for mint in mints}
    assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "bob"}
    assert any("no key is made twice" in caveat for caveat in answer.caveats)
    assert "is not known" in answer.sentence


def test_a_key_pasted_alone_with_several_mints_is_of_none_in_particular():
    mints = [
        an_assumption(key=K1, userIdentity=a_user(name), eventTime=f"2026-0{n}-10T11:50:00Z")
        for n, name in enumerate(("alice", "bob"), 2)
    ]
    alert = replace(
        a_finding(a_use(a_role_session(key=K1)), arn=None, principal_id=None, type="Unknown",
                  role_arn=None, session_name=None),
        first_seen=None, last_seen=None,
    )  # fmt: skip
    (hop,) = who_assumed(alert, mints).data["chain"]
    assert hop["confidence"] == "medium"
    assert len(hop["callers"]) == 2


def test_a_record_replayed_a_year_later_is_no_second_making():
    own = an_assumption(key=K1)
    replayed = {**own, "eventID": "22222222-0000-4000-8000-000000000001",
                "eventTime": "2027-03-10T11:50:00Z"}  # fmt: skip
    use = a_use(a_role_session(key=K1))
    answer = who_assumed(use, [own, replayed, use])
    assert the_hop(answer) == (own["eventID"], "access_key", "certain")
    assert "365 days" in answer.sentence or "364 days" in answer.sentence


SHARED = "0e9c7a1b-2d3e-4f50-9a6b-7c8d9e0f1a2b"


@pytest.mark.parametrize("same", ["requestID", "sharedEventID"])
def test_calls_that_share_an_id_by_different_callers_are_no_copies_of_one(same):
    """Whoever wrote one of the two records, nobody knows which is true."""
    mints = [
        an_assumption(key=K1, userIdentity=a_user(name), **{same: SHARED})
        for name in ("alice", "mallory")
    ]
    use = a_use(a_role_session(key=K1))

    answer = who_assumed(use, [*mints, use])

    (hop,) = answer.data["chain"]
    assert hop["confidence"] == "medium"
    assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "mallory"}
    assert answer.data["origin"]["arn"] is None


@pytest.mark.parametrize("owner_shows", ["AIDAALICEXXXXXXXXXXXX", None, "***"])
def test_the_two_copies_of_a_cross_account_call_are_one_where_each_fits(owner_shows):
    """The role owner's copy shows the caller's account and id alone, or less."""
    other = "444455556666"
    alice = a_user("alice", other)
    owner = {"type": "AWSAccount", "accountId": other, "principalId": owner_shows}
    callers = an_assumption(key=K1, userIdentity=alice, recipientAccountId=other,
                            sharedEventID=SHARED)  # fmt: skip
    owners = {**callers, "userIdentity": owner, "recipientAccountId": ACCOUNT,
              "eventID": "22222222-0000-4000-8000-000000000007"}  # fmt: skip
    use = a_use(a_role_session(key=K1))

    answer = who_assumed(use, [owners, callers, use])

    assert the_hop(answer) == (callers["eventID"], "access_key", "certain")
    assert answer.data["chain"][0]["also"] == [owners["eventID"]]
    assert answer.data["origin"]["label"] == "alice"


def test_a_copy_in_the_role_s_account_by_another_caller_is_no_copy():
    other = "444455556666"
    callers = an_assumption(key=K1, userIdentity=a_user("alice", other), recipientAccountId=other,
                            sharedEventID=SHARED)  # fmt: skip
    stranger = {"type": "AWSAccount", "accountId": other, "principalId": "AIDAMALLORYXXXXXXXXXX"}
    owners = {**callers, "userIdentity": stranger, "recipientAccountId": ACCOUNT,
              "eventID": "22222222-0000-4000-8000-000000000008"}  # fmt: skip
    use = a_use(a_role_session(key=K1))

    (hop,) = who_assumed(use, [owners, callers, use]).data["chain"]

    assert hop["confidence"] == "medium"
    assert len(hop["callers"]) == 2


@pytest.mark.parametrize("masked", [False, True])
def test_one_event_id_with_two_callers_is_of_neither_for_sure(masked, tmp_path):
    """The index keeps the first record of an event id, and knows of the other."""
    key = "REDACTED" if masked else K1
    kept = an_assumption(key=key)
    other = {**kept, "userIdentity": a_user("mallory")}
    use = a_use(a_role_session(key=key))
    for number, record in enumerate((kept, other, use)):
        text = json.dumps({"Records": [record]})
        (tmp_path / "logs").mkdir(exist_ok=True)
        (tmp_path / "logs" / f"{number}.json").write_text(text)
    add([tmp_path / "logs"], tmp_path / "index", workers=1)

    for store in (MemoryStore([kept, other, use]), open_store(tmp_path / "index")):
        alert = an_alert(use)
        answer = as_written(ASSUMED_BY.ask(alert, alert.principals[0], store))
        (hop,) = answer.data["chain"]
        assert hop["confidence"] == "medium"
        assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "mallory"}
        assert any("another caller" in caveat for caveat in answer.caveats)


def a_correction(of: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    told = {"reason": "UPDATED_DATA", "originalEventID": of["eventID"]}
    return {**of, "eventID": an_event()["eventID"], "addendum": told, **changes}


def test_a_correction_that_names_another_caller_leaves_both():
    mint = an_assumption(key=K1)
    by_bob = a_correction(mint, userIdentity=a_user("bob"))
    use = a_use(a_role_session(key=K1))

    answer = who_assumed(use, [mint, by_bob, use])

    assert the_hop(answer) == (by_bob["eventID"], "access_key", "medium")
    (hop,) = answer.data["chain"]
    assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "bob"}
    assert answer.data["origin"]["arn"] is None
    assert any(
        f"Event {by_bob['eventID']} corrects event {mint['eventID']}" in text
        for text in answer.caveats
    )

    same = a_correction(mint)
    answer = who_assumed(use, [mint, same, use])
    assert the_hop(answer) == (same["eventID"], "access_key", "certain")
    assert answer.data["origin"]["label"] == "alice"


def test_a_repeat_by_the_same_caller_or_a_masked_one_takes_nothing_away():
    kept = an_assumption(key=K1)
    masked = {**kept, "userIdentity": {"type": "IAMUser", "principalId": "***", "arn": "***",
                                       "accessKeyId": MASKED, "userName": "REDACTED"}}  # fmt: skip
    use = a_use(a_role_session(key=K1))
    answer = who_assumed(use, [kept, dict(kept), masked, use])
    assert the_hop(answer) == (kept["eventID"], "access_key", "certain")


@pytest.mark.parametrize(
    ("dated", "confidence", "callers"), [(True, "high", 0), (False, "medium", 2)]
)
def test_two_mints_of_one_key_a_minute_apart_by_two_callers(dated, confidence, callers):
    """The session's own creation date decides between them; the key no longer does."""
    own = an_assumption(key=K1)
    other = an_assumption(key=K1, userIdentity=a_user("mallory"), eventTime="2026-03-10T11:51:00Z")
    use = a_use(a_role_session(key=K1))
    alert = an_alert(use) if dated else a_finding(use)

    answer = who_assumed(alert, [own, other])

    hop = answer.data["chain"][0]
    assert (hop["confidence"], len(hop["callers"])) == (confidence, callers)
    if dated:
        assert hop["event_id"] == own["eventID"]
        assert other["eventID"] in answer.sentence


@pytest.mark.parametrize("changes", [{"eventTime": "2026-04-16T11:50:00Z"}, {}])
def test_another_s_record_of_the_key_leaves_it_uncertain_even_where_it_cannot_be(changes):
    """37 days later, or for another role: time or role decide, and the key is in doubt."""
    own = an_assumption(key=K1)
    role = "reader" if changes else "writer"
    other = an_assumption(role, key=K1, userIdentity=a_user("mallory"), **changes)
    use = a_use(a_role_session(key=K1))
    answer = who_assumed(use, [own, other, use])
    assert the_hop(answer) == (own["eventID"], "access_key", "high")


def test_a_user_s_own_call_beside_another_user_s_is_no_service_s():
    """Only what a service asks for itself is one making with the call that it wraps."""
    own = an_assumption(key=K1)
    beside = an_event(
        eventTime="2026-03-10T11:50:00Z", eventSource="s3express.amazonaws.com",
        eventName="CreateSession", userIdentity=a_user("mallory"),
        responseElements={"credentials": {"accessKeyId": K1}},
    )  # fmt: skip
    use = a_use(a_role_session(key=K1))
    (hop,) = who_assumed(use, [own, beside, use]).data["chain"]
    assert hop["confidence"] == "medium"
    assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "mallory"}


# Rule 4: whose creation date -----------------------------------------------------------------


def two_behind_one_address():
    """bea and carl, each with a session called terraform, from one address."""
    sessions, mints = {}, {}
    for name, key, at in (("bea", K1, "11:00:00"), ("carl", K2, "11:30:00")):
        created = f"2026-03-10T{at}Z"
        sessions[name] = a_role_session("deploy", "terraform", key=key, created=created)
        mints[name] = an_assumption(
            "deploy", "terraform", key=key, userIdentity=a_user(name), eventTime=created
        )
    return sessions, mints


def test_the_alert_s_own_record_lends_its_date_and_key():
    own = a_use(a_role_session(key=K1), eventName="CreateUser", eventSource="iam.amazonaws.com")
    mint = an_assumption(key=K1)
    assert the_hop(who_assumed(keyless(own), [mint, own])) == (
        mint["eventID"],
        "access_key",
        "high",
    )


def test_a_key_lends_its_date_at_most_medium_where_the_call_itself_is_missing():
    mint = an_assumption(key=MASKED)
    other_call = a_use(a_role_session(key=K1), eventTime="2026-03-10T11:55:00Z")
    finding = a_finding(a_use(a_role_session(key=K1)))
    assert the_hop(who_assumed(finding, [mint, other_call])) == (
        mint["eventID"],
        "creation_date",
        "medium",
    )


def test_the_same_session_and_address_lend_a_date_at_most_medium():
    mint = an_assumption(key=MASKED)
    other_call = a_use(
        a_role_session(key=MASKED), eventTime="2026-03-10T11:55:00Z", eventName="ListBuckets"
    )
    finding = keyless(a_use(a_role_session()))
    assert the_hop(who_assumed(finding, [mint, other_call])) == (
        mint["eventID"],
        "creation_date",
        "medium",
    )
    elsewhere = other_call | {"sourceIPAddress": "203.0.113.200"}
    assert the_hop(who_assumed(finding, [mint, elsewhere]))[1:] == ("most_recent", "low")


def test_a_session_made_after_the_alert_lends_nothing():
    sessions, mints = two_behind_one_address()
    later = a_use(sessions["carl"], eventTime="2026-03-10T11:40:00Z")
    finding = keyless(a_use(sessions["bea"], eventTime="2026-03-10T11:15:00Z"))

    answer = who_assumed(finding, [*mints.values(), later])

    assert the_hop(answer) == (mints["bea"]["eventID"], "most_recent", "low")
    assert "carl" not in answer.sentence


@pytest.mark.parametrize("seen", ["bea", "carl", "both"])
def test_of_two_behind_one_address_none_is_named(seen):
    sessions, mints = two_behind_one_address()
    uses = [
        a_use(sessions[name], eventName="ListBuckets", eventTime="2026-03-10T11:45:00Z")
        for name in ("bea", "carl")
        if seen in (name, "both")
    ]
    finding = keyless(a_use(sessions["bea"], eventName="CreateUser"))

    answer = who_assumed(finding, [*mints.values(), *uses])

    (hop,) = answer.data["chain"]
    assert (hop["method"], hop["confidence"]) == ("most_recent", "low")
    assert {caller["user_name"] for caller in hop["callers"]} == {"bea", "carl"}
    assert answer.sentence.startswith("Which of 2 different callers")
    assert answer.data["origin"]["arn"] is None


def test_the_own_call_tells_two_behind_one_address_apart_but_not_surely():
    sessions, mints = two_behind_one_address()
    own = a_use(sessions["carl"], eventName="CreateUser")
    answer = who_assumed(keyless(own), [*mints.values(), own])
    assert the_hop(answer) == (mints["carl"]["eventID"], "access_key", "medium")
    assert any("another session of the same role" in caveat for caveat in answer.caveats)


def test_two_own_calls_in_a_window_of_hours_are_of_nobody_in_particular():
    sessions, mints = two_behind_one_address()
    own = [
        a_use(sessions[name], eventName="CreateUser", eventTime=f"2026-03-10T11:{at}:00Z")
        for name, at in (("bea", 40), ("carl", 50))
    ]
    finding = keyless(own[0], first="2026-03-10T11:35:00Z", last="2026-03-10T11:59:00Z")
    (hop,) = who_assumed(finding, [*mints.values(), *own]).data["chain"]
    assert hop["confidence"] == "low"
    assert {caller["user_name"] for caller in hop["callers"]} == {"bea", "carl"}


def test_a_chain_ends_where_several_callers_are_possible():
    """What lies behind one of them is nobody's past."""
    hub = a_role_session("hub", "x", key=K3, created="2026-03-10T11:00:00Z")
    behind = an_assumption("hub", "x", key=K3, eventTime="2026-03-10T11:00:00Z")
    mints = [an_assumption(key=MASKED, userIdentity=who) for who in (hub, a_user("bob"))]
    answer = who_assumed(a_use(a_role_session(key=MASKED)), [behind, *mints])
    (hop,) = answer.data["chain"]
    assert len(hop["callers"]) == 2
    assert "alice" not in answer.sentence
    assert " or " in answer.data["origin"]["label"]


def test_a_key_that_no_event_shows_is_kept_and_not_dated_by_its_owner_s_others():
    mint = an_assumption(key=K1)
    newer = a_use(a_role_session(key=K2, created="2026-03-10T15:00:00Z"),
                  eventTime="2026-03-10T15:10:00Z")  # fmt: skip
    store = MemoryStore([mint, newer])
    alert = replace(a_finding(a_use(a_role_session(key=K1))), first_seen=None, last_seen=None)
    filled = fill_gaps(alert, store)
    assert filled.principals[0].access_key_id == K1
    answer = as_written(ASSUMED_BY.ask(filled, filled.principals[0], store))
    assert the_hop(answer) == (mint["eventID"], "access_key", "certain")


def test_an_arn_alone_is_of_no_session_in_particular():
    sessions, mints = two_behind_one_address()
    newest = a_use(sessions["carl"])
    store = MemoryStore([*mints.values(), newest])
    alert = replace(keyless(newest, ), first_seen=None, last_seen=None, event_name=None,
                    source_ip_address=None)  # fmt: skip
    filled = fill_gaps(alert, store)
    answer = as_written(ASSUMED_BY.ask(filled, filled.principals[0], store))
    (hop,) = answer.data["chain"]
    assert hop["confidence"] == "low"
    assert len(hop["callers"]) == 2


# Rule 5: the same second is not the same credential ------------------------------------------


def test_another_key_of_the_same_second_is_medium_with_that_caveat():
    twin = an_assumption(key=K1, userIdentity=a_user("dora"))
    use = a_use(a_role_session(key=K2))

    answer = who_assumed(use, [twin, use])

    assert the_hop(answer) == (twin["eventID"], "creation_date", "medium")
    assert any(f"another access key ({K1})" in caveat for caveat in answer.caveats)
    assert "probably" in answer.sentence.lower()


def test_the_console_explains_why_keys_differ_but_only_for_its_own_sessions():
    by_console = an_assumption(key=K1, **by_the_console())
    by_cli = an_assumption(key=K1)
    in_console = a_use(a_role_session(key=K2), **IN_CONSOLE)
    in_shell = a_use(a_role_session(key=K2))
    for mint, use, confidence in (
        (by_console, in_console, "high"),
        (by_cli, in_console, "medium"),
        (by_console, in_shell, "medium"),
        (by_cli, in_shell, "medium"),
    ):
        assert the_hop(who_assumed(use, [mint, use]))[2] == confidence


def test_identity_center_and_cloudshell_explain_why_keys_differ():
    sso = "AWSReservedSSO_PowerUser_0123456789abcdef"
    saml = {"eventName": "AssumeRoleWithSAML", "userIdentity": {"type": "SAMLUser"}}
    for role, mint_changes, use_changes, confidence in (
        (sso, saml, {}, "high"),
        ("okta", saml, {}, "medium"),
        ("okta", saml, {"userAgent": "aws-cli/2.15 exec-env/CloudShell"}, "high"),
        ("okta", saml, {"userAgent": BROWSER, **IN_CONSOLE}, "high"),
    ):
        mint = an_assumption(role, key=K1, **mint_changes)
        use = a_use(a_role_session(role, key=K2), **use_changes)
        assert the_hop(who_assumed(use, [mint, use])) == (
            mint["eventID"],
            "creation_date",
            confidence,
        )


DELIVERED = {"ec2RoleDelivery": "2.0"}
LAMBDA = {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": "arn:aws:lambda:x"}


@pytest.mark.parametrize(
    ("used", "context", "fields", "changes", "confidence"),
    [
        (K2, DELIVERED, {}, {}, "high"),
        (K2, {}, {"inScopeOf": LAMBDA}, {}, "high"),
        # Nothing says that a service delivered it: somebody may have taken the name just then.
        (K2, {}, {}, {}, "medium"),
        (K2, {}, {"invokedBy": "cloudformation.amazonaws.com"},
         {"sourceIPAddress": "cloudformation.amazonaws.com"}, "medium"),
        (K1, {}, {}, {}, "certain"),
        (MASKED, {}, {}, {}, "high"),
    ],
)  # fmt: skip
def test_a_service_explains_why_keys_differ_where_the_session_says_that_it_delivered_them(
    used, context, fields, changes, confidence
):
    service = {
        "userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
        "sourceIPAddress": "ec2.amazonaws.com",
        "userAgent": "ec2.amazonaws.com",
    }
    mint = an_assumption("web", "orders", key=K1, **service)
    identity = a_role_session("web", "orders", key=used, **fields)
    identity["sessionContext"] |= context
    use = a_use(identity, **changes)

    answer = who_assumed(use, [mint, use])

    assert (the_hop(answer)[0], the_hop(answer)[2]) == (mint["eventID"], confidence)
    assert (confidence == "medium") == any(
        "no record of the session says that an AWS service" in text for text in answer.caveats
    )


def test_a_call_of_that_second_that_does_not_show_whom_it_made_is_a_rival_too():
    """Old records lack `assumedRoleUser`; the role and the session name are the same."""
    shows = an_assumption(key=MASKED)
    lacks = an_assumption(key=MASKED, userIdentity=a_user("bob"))
    del lacks["responseElements"]["assumedRoleUser"]
    use = a_use(a_role_session(key=MASKED))

    (hop,) = who_assumed(use, [shows, lacks, use]).data["chain"]

    assert hop["confidence"] == "medium"
    assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "bob"}


def test_what_client_it_was_is_not_known_of_other_keys_for_sure():
    """A sequence names a key that no event shows. A command line shares the console session, its
    date and address: the use may be its own or the console's."""
    arn = f"arn:aws:signin:us-east-1:{ACCOUNT}:session/{SHARED}"
    created = {"attributes": {"creationDate": "2026-03-10T11:50:00Z"}, "signInSessionArn": arn}
    alice = a_user(sessionContext=created)
    handed = an_event(
        eventSource="signin.amazonaws.com", eventName="CreateOAuth2Token",
        eventTime="2026-03-10T11:55:00Z", userIdentity={**alice, "accessKeyId": None},
    )  # fmt: skip
    by_cli = a_use({**alice, "accessKeyId": K1}, eventTime="2026-03-10T11:56:00Z")
    shown = an_alert(by_cli)
    finding = replace(shown, raw="{}", event_id=None, event_ids=(), user_agent=None)

    assert the_hop(who_assumed(finding, [handed, by_cli])) == (
        handed["eventID"], "signin_session", "high",
    )  # fmt: skip
    unknown = replace(finding, principals=(replace(finding.principals[0], access_key_id=K3),))
    answer = who_assumed(unknown, [handed, by_cli])
    assert the_hop(answer) == (handed["eventID"], "signin_session", "medium")
    assert any("No indexed event shows the access key used" in text for text in answer.caveats)


# Rule 6: AWS's own words ---------------------------------------------------------------------


def a_federated_user(key: str = K1, **issuer: str) -> dict[str, Any]:
    return {
        "type": "FederatedUser",
        "principalId": f"{ACCOUNT}:contractor",
        "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/contractor",
        "accountId": ACCOUNT,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "IAMUser",
                "principalId": a_user("bob")["principalId"],
                "arn": f"arn:aws:iam::{ACCOUNT}:user/bob",
                "accountId": ACCOUNT,
                "userName": "bob",
                **issuer,
            },
            "attributes": {"creationDate": "2026-03-10T11:50:00Z", "mfaAuthenticated": "false"},
        },
    }


def a_federation(user: str, key: str = K2) -> dict[str, Any]:
    return an_event(
        eventTime="2026-03-10T11:50:00Z",
        eventSource="sts.amazonaws.com",
        eventName="GetFederationToken",
        userIdentity=a_user(user),
        responseElements={
            "credentials": {"accessKeyId": key},
            "federatedUser": {"federatedUserId": f"{ACCOUNT}:contractor"},
        },
    )


def test_a_federated_user_s_own_record_names_who_issued_it():
    use = a_use(a_federated_user())

    answer = who_assumed(use, [use])

    (hop,) = answer.data["chain"]
    assert (hop["event_id"], hop["method"], hop["rule"]) == (None, "inferred", "R4")
    assert hop["confidence"] == "medium"  # who is AWS's word; which call is not known
    assert hop["by"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/bob"
    assert hop["by"]["field"] == "userIdentity.sessionContext.sessionIssuer.arn"
    assert answer.data["origin"]["label"] == "bob"
    assert "sessionContext.sessionIssuer.arn" in answer.sentence


@pytest.mark.parametrize("address", ["198.51.100.7", "203.0.113.77"])
def test_of_two_federated_sessions_of_one_name_either_issuer_is_possible(address):
    """Their GetFederationToken is missing; which of the two the finding is about, nothing says."""
    carls = a_federated_user(K1, arn=f"arn:aws:iam::{ACCOUNT}:user/carl", userName="carl")
    bobs = a_federated_user(K2)
    uses = [
        a_use(carls, eventTime="2026-03-10T11:52:00Z", eventName="ListBuckets"),
        a_use(bobs, eventTime="2026-03-10T11:53:00Z", eventName="ListBuckets",
              sourceIPAddress=address),
    ]  # fmt: skip
    bobs["sessionContext"]["attributes"]["creationDate"] = "2026-03-10T11:51:00Z"

    answer = who_assumed(keyless(a_use(carls)), uses)

    assert the_hop(answer) == (None, "inferred", "low")
    (hop,) = answer.data["chain"]
    assert {caller["user_name"] for caller in hop["callers"]} == {"bob", "carl"}
    assert "Which of 2 different users issued federated user" in answer.sentence
    assert "IAM user carl or IAM user bob" in answer.sentence
    assert answer.data["origin"]["arn"] is None


def test_a_federation_of_that_second_by_another_user_is_not_the_one():
    use = a_use(a_federated_user(), **IN_CONSOLE)
    answer = who_assumed(use, [a_federation("mallory"), use])
    assert answer.data["chain"][0]["method"] == "inferred"
    assert answer.data["origin"]["label"] == "bob"
    assert any("another user" in caveat for caveat in answer.caveats)
    own = a_federation("bob")
    assert (
        who_assumed(use, [a_federation("mallory"), own, use]).data["chain"][0]["event_id"]
        == (own["eventID"])
    )


def test_a_name_that_two_users_gave_out_is_of_neither():
    other = {"arn": f"arn:aws:iam::{ACCOUNT}:user/eve", "userName": "eve",
             "principalId": a_user("eve")["principalId"]}  # fmt: skip
    uses = [
        a_use(a_federated_user(MASKED), eventTime="2026-03-10T11:55:00Z"),
        a_use(a_federated_user(MASKED, **other), eventTime="2026-03-10T11:56:00Z"),
    ]
    finding = keyless(a_use(a_federated_user()), role_arn=None)
    (hop,) = who_assumed(finding, uses).data["chain"]
    assert (hop["event_id"], hop["confidence"]) == (None, "low")
    assert {caller["user_name"] for caller in hop["callers"]} == {"bob", "eve"}
    assert who_assumed(finding, uses[:1]).data["origin"]["label"] == "bob"


def a_switch(source: str, session: str = "alice", **changes: Any) -> dict[str, Any]:
    identity = a_role_session("admin", session)
    del identity["accessKeyId"], identity["sessionContext"]
    return an_event(
        **{
            "eventTime": "2026-03-10T11:50:01Z",
            "eventSource": "signin.amazonaws.com",
            "eventName": "SwitchRole",
            "userIdentity": identity,
            "userAgent": BROWSER,
            "responseElements": {"SwitchRole": "Success"},
            "additionalEventData": {"SwitchFrom": source},
            **changes,
        }
    )


def test_switch_from_wins_over_another_caller_of_that_second_who_was_elsewhere():
    by_cli = an_assumption(
        "admin", "alice", key=K1, userIdentity=a_user("mallory"), sourceIPAddress=THERE
    )
    switch = a_switch(f"arn:aws:iam::{ACCOUNT}:user/alice")
    use = a_use(a_role_session("admin", "alice", key=K2), **IN_CONSOLE)

    answer = who_assumed(use, [by_cli, switch, use])

    assert the_hop(answer) == (switch["eventID"], "switch_role", "high")
    assert answer.data["origin"]["label"] == "alice"


HERE, THERE = "198.51.100.7", "203.0.113.9"


def a_broker_s(name: str, address: str, *events: str) -> list[dict[str, Any]]:
    """Somebody's AssumeRole on a command line, and how it came to the console."""
    mint = an_assumption("admin", "alice", key=K1, userIdentity=a_user(name),
                         sourceIPAddress=address)  # fmt: skip
    signed_in = [
        an_event(
            eventTime="2026-03-10T11:50:02Z", eventSource="signin.amazonaws.com", eventName=event,
            userIdentity=a_role_session("admin", "alice", key=K1), sourceIPAddress=address,
            responseElements={"ConsoleLogin": "Success"} if event == "ConsoleLogin" else None,
        )
        for event in events
    ]  # fmt: skip
    return [mint, *signed_in]


@pytest.mark.parametrize("events", [("GetSigninToken", "ConsoleLogin"), ("ConsoleLogin",),
                                    ("GetSigninToken",), ()])  # fmt: skip
@pytest.mark.parametrize("console_call", [True, False])
def test_a_switch_does_not_outweigh_another_way_into_the_console(events, console_call):
    """Alice switches roles, and bob signs in with what he assumed, in one second: the use came from
    bob's address. With the console's AssumeRole for alice (R2) and without it (R2c)."""
    records = a_broker_s("bob", THERE, *events)
    switch = a_switch(f"arn:aws:iam::{ACCOUNT}:user/alice")
    if console_call:
        records.append(an_assumption("admin", "alice", key=K3, **by_the_console()))
    use = a_use(a_role_session("admin", "alice", key=K2), sourceIPAddress=THERE, **IN_CONSOLE)

    answer = who_assumed(use, [*records, switch, use])

    hop = answer.data["chain"][0]
    assert hop["confidence"] == "medium"
    assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "bob"}
    assert answer.data["origin"]["arn"] is None
    assert "is not known" in answer.sentence


def both_are_open(answer) -> dict[str, Any]:
    hop = answer.data["chain"][0]
    assert hop["confidence"] == "medium"
    assert len(hop["callers"]) == 2
    assert answer.data["origin"]["arn"] is None
    assert "is not known" in answer.sentence
    return hop


@pytest.mark.parametrize("console_call", [True, False])
@pytest.mark.parametrize("second", ["00", "01"])
def test_a_switch_and_a_call_from_behind_one_address_are_told_apart_by_nothing(
    console_call, second
):
    """Both behind one NAT, and no sign-in is indexed."""
    records = [a_switch(f"arn:aws:iam::{ACCOUNT}:user/alice", eventTime="2026-03-10T11:50:00Z")]
    if console_call:
        records.append(an_assumption("admin", "alice", key=K3, **by_the_console()))
    by_cli = an_assumption("admin", "alice", key=K1, userIdentity=a_user("bob"),
                           eventTime=f"2026-03-10T11:50:{second}Z")  # fmt: skip
    use = a_use(a_role_session("admin", "alice", key=K2), **IN_CONSOLE)

    hop = both_are_open(who_assumed(use, [*records, by_cli, use]))

    assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "bob"}


@pytest.mark.parametrize("with_own_call", [True, False])
def test_a_switch_does_not_outweigh_the_console_s_own_call_for_somebody_else(with_own_call):
    """Two accounts have an alice each, who switch in one second: of the second one the SwitchRole
    is not indexed, and what the console calls does not show where she was."""
    other = by_the_console(
        userIdentity=a_user("alice", "777788889999", invokedBy="AWS Internal", accessKeyId=MASKED)
    )
    records = [
        a_switch(f"arn:aws:iam::{ACCOUNT}:user/alice"),
        an_assumption("admin", "alice", key=K3, **other),
    ]
    if with_own_call:
        records.append(an_assumption("admin", "alice", key=K1, **by_the_console()))
    use = a_use(a_role_session("admin", "alice", key=K2), **IN_CONSOLE)

    answer = who_assumed(use, [*records, use])

    assert {caller["arn"] for caller in both_are_open(answer)["callers"]} == {
        f"arn:aws:iam::{account}:user/alice" for account in (ACCOUNT, "777788889999")
    }
    assert f"IAM user alice of account {ACCOUNT}" in answer.sentence
    assert "IAM user alice of account 777788889999" in answer.sentence


@pytest.mark.parametrize(
    ("role", "session", "changes", "confidence"),
    [
        ("reader", "****", {}, "medium"),
        ("reader", "REDACTED", {}, "medium"),
        ("reader", "<session>", {}, "medium"),
        ("reader", "████", {}, "medium"),
        ("reader", "redacted@example.com", {}, "medium"),
        ("reader", "00000000", {}, "medium"),
        ("reader", "ana.b+c=d,e@example.com", {}, "high"),
        ("[role]", "work", {"principalId": "AROA****************:work"}, "medium"),
        ("REDACTED", "work", {"principalId": "REDACTED:work"}, "medium"),
        ("REDACTED", "work", {"principalId": "AROAXXXXXXXXXXXXXXXXX:work"}, "medium"),
        ("REDACTED", "work", {"principalId": "AROA2GDPCIYTPURG5NQJX:work"}, "high"),
        ("reader", "work", {"principalId": "AROA****************:work"}, "high"),
    ],
)
def test_a_masked_role_or_session_name_is_no_sure_match_by_time(role, session, changes, confidence):
    """Bob's call of that second shows the same masks; whose session it made they do not tell."""
    mint = an_assumption(role, session, key=MASKED, userIdentity=a_user("bob"))
    use = a_use(a_role_session(role, session, key=MASKED, **changes))
    if changes:
        mint["responseElements"]["assumedRoleUser"]["assumedRoleId"] = changes["principalId"]

    answer = who_assumed(use, [mint, use])

    assert the_hop(answer) == (mint["eventID"], "creation_date", confidence)
    assert any("is masked" in caveat for caveat in answer.caveats) == (confidence == "medium")


def test_a_masked_federated_user_is_no_sure_match_by_time():
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/****"
    mint = an_event(
        eventTime="2026-03-10T11:50:00Z", eventSource="sts.amazonaws.com",
        eventName="GetFederationToken", userIdentity=a_user("bob"),
        requestParameters={"name": "****"},
        responseElements={
            "credentials": {"accessKeyId": MASKED},
            "federatedUser": {"arn": arn, "federatedUserId": f"{ACCOUNT}:****"},
        },
    )  # fmt: skip
    created = a_role_session()["sessionContext"]["attributes"]
    use = a_use({
        "type": "FederatedUser", "principalId": f"{ACCOUNT}:****", "arn": arn,
        "accountId": ACCOUNT, "accessKeyId": MASKED,
        "sessionContext": {"sessionIssuer": {}, "attributes": created},
    })  # fmt: skip

    assert the_hop(who_assumed(use, [mint, use])) == (mint["eventID"], "creation_date", "medium")


@pytest.mark.parametrize(("login", "confidence"), [("12:04:59", "medium"), ("12:05:30", "high")])
def test_a_sign_in_link_lives_fifteen_minutes(login, confidence):
    """Bob's login is minutes after his call of 11:50:00; only the switch was where the use was."""
    mint, signed_in = a_broker_s("bob", THERE, "ConsoleLogin")
    signed_in["eventTime"] = f"2026-03-10T{login}Z"
    del signed_in["userIdentity"]["sessionContext"]
    switch = a_switch(f"arn:aws:iam::{ACCOUNT}:user/alice")
    own = an_assumption("admin", "alice", key=K3, **by_the_console())
    use = a_use(
        a_role_session("admin", "alice", key=K2), eventTime="2026-03-10T12:10:00Z", **IN_CONSOLE
    )
    answer = who_assumed(use, [mint, signed_in, switch, own, use])
    assert answer.data["chain"][0]["confidence"] == confidence


@pytest.mark.parametrize("at", [THERE, "192.0.2.50"])
@pytest.mark.parametrize(
    "caller",
    [
        {"type": "SAMLUser", "principalId": "abc=:ben", "userName": "ben", "identityProvider": "a"},
        {
            "type": "WebIdentityUser",
            "principalId": "p:sts.amazonaws.com:repo:evil/x:ref:refs/heads/main",
            "userName": "repo:evil/x:ref:refs/heads/main",
            "identityProvider": "p",
        },
        {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"},
        {"type": "AWSAccount", "principalId": "AIDABOB1234567890ABCD", "accountId": "444455556666"},
    ],
)
def test_a_caller_without_an_arn_is_not_the_one_who_switched(caller, at):
    """The use is from where that one called, or from a third address."""
    names = {"SAMLUser": "AssumeRoleWithSAML", "WebIdentityUser": "AssumeRoleWithWebIdentity"}
    mint = an_assumption("admin", "alice", key=K1, userIdentity=caller, sourceIPAddress=THERE,
                         eventName=names.get(caller["type"], "AssumeRole"))  # fmt: skip
    alice = "arn:aws:iam::444455556666:user/alice"
    switch = a_switch(alice, eventTime="2026-03-10T11:50:00Z")
    use = a_use(a_role_session("admin", "alice", key=K2), sourceIPAddress=at, **IN_CONSOLE)

    hop = both_are_open(who_assumed(use, [switch, mint, use]))

    assert hop["event_id"] == switch["eventID"]
    assert {caller["arn"] for caller in hop["callers"]} == {alice, None}
    assert hop["by"]["arn"] == alice


def test_the_owner_s_copy_of_the_console_s_call_is_the_one_s_who_switched():
    """An id alone, unless other events call it somebody else."""
    alice = "arn:aws:iam::444455556666:user/alice"
    caller = {"type": "AWSAccount", "principalId": "AIDA2GDPCIYTBMRU64M4H",
              "accountId": "444455556666"}  # fmt: skip
    own = an_assumption("admin", "alice", key=K3, **by_the_console(userIdentity=caller))
    switch = a_switch(alice, eventTime="2026-03-10T11:50:00Z")
    use = a_use(a_role_session("admin", "alice", key=K2), **IN_CONSOLE)
    answer = who_assumed(use, [own, switch, use])
    assert the_hop(answer) == (own["eventID"], "creation_date", "high")
    assert answer.data["origin"]["arn"] == alice

    named = a_use(a_user("bob", "444455556666", principalId=caller["principalId"]))
    answer = who_assumed(use, [own, switch, named, use])
    assert answer.data["chain"][0]["event_id"] == switch["eventID"]

    owner = {**caller, "principalId": "AROA2GDPCIYTBMRU64M4H:dev"}
    own = an_assumption("admin", "alice", key=K3, **by_the_console(userIdentity=owner))
    assert who_assumed(use, [own, switch, use]).data["chain"][0]["event_id"] == switch["eventID"]


def test_a_sign_in_that_no_call_explains_leaves_a_switch_in_doubt():
    """A console login by the session's own name is no switch's: bob's AssumeRole is missing."""
    _, login = a_broker_s("bob", HERE, "ConsoleLogin")
    switch = a_switch(f"arn:aws:iam::{ACCOUNT}:user/alice")
    own = an_assumption("admin", "alice", key=K3, **by_the_console())
    use = a_use(a_role_session("admin", "alice", key=K2), **IN_CONSOLE)
    assert who_assumed(use, [own, switch, use]).data["chain"][0]["confidence"] == "high"
    answer = who_assumed(use, [own, switch, login, use])
    assert answer.data["chain"][0]["confidence"] == "medium"
    assert any(login["eventID"] in caveat for caveat in answer.caveats)


@pytest.mark.parametrize(
    ("events", "confidence"),
    [(("GetSigninToken", "ConsoleLogin"), "high"), (("ConsoleLogin",), "medium"), ((), "medium")],
)
def test_a_login_is_with_what_a_program_got_only_by_a_sign_in_token(events, confidence):
    """A sign-in by SAML of the same second, whose own record is missing, looks the same."""
    records = a_broker_s("bob", HERE, *events)
    use = a_use(
        a_role_session("admin", "alice", key=MASKED), sourceIPAddress=HERE, userAgent=BROWSER
    )
    answer = who_assumed(use, [*records, use])
    assert the_hop(answer) == (records[0]["eventID"], "creation_date", confidence)
    assert any("another session of this name" in said for said in answer.caveats) == (
        confidence == "medium"
    )


def test_a_finding_s_user_has_the_arn_that_records_give():
    """A finding has a name and no path; the record of the same principal id has both."""
    recorded = a_user("alice") | {"arn": f"arn:aws:iam::{ACCOUNT}:user/staff/alice"}
    use = a_use(recorded)
    finding = a_finding(use, arn=f"arn:aws:iam::{ACCOUNT}:user/alice")
    for records, arn in (([use], recorded["arn"]), ([], f"arn:aws:iam::{ACCOUNT}:user/alice")):
        answer = as_written(ASSUMED_BY.ask(finding, finding.principals[0], MemoryStore(records)))
        assert answer.data["origin"]["arn"] == arn


@pytest.mark.parametrize("with_own_call", [True, False])
def test_a_switch_that_is_the_alert_names_its_own_source(with_own_call):
    source = "arn:aws:iam::444455556666:user/alice"
    switch = a_switch(source)
    records = [switch, *around()]
    if with_own_call:
        caller = a_user("alice", "444455556666", invokedBy="AWS Internal", accessKeyId=MASKED)
        records.append(
            an_assumption("admin", "alice", key=K3, **by_the_console(userIdentity=caller))
        )

    answer = who_assumed(switch, records)

    assert answer.data["origin"]["arn"] == source
    assert answer.status == "answered"
    refused = a_switch(source, responseElements={"SwitchRole": "Failure"})
    assert who_assumed(refused, [refused, *around()]).data["chain"] == []


def test_a_switch_to_another_session_of_the_role_is_somebody_else_s():
    use = a_use(a_role_session("admin", "alice", key=K2), **IN_CONSOLE)
    switch = a_switch(f"arn:aws:iam::{ACCOUNT}:user/bob", session="bob")
    assert who_assumed(use, [switch, use]).data["chain"] == []


def test_two_switches_that_name_different_sources_name_nobody():
    switches = [a_switch(f"arn:aws:iam::{ACCOUNT}:user/{name}") for name in ("alice", "bob")]
    use = a_use(a_role_session("admin", "alice", key=K2), **IN_CONSOLE)
    answer = who_assumed(use, [*switches, use])
    assert answer.data["chain"][0]["confidence"] == "medium"
    assert {caller["user_name"] for caller in answer.data["chain"][0]["callers"]} == {
        "alice",
        "bob",
    }
    assert answer.data["origin"]["arn"] is None


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("AWSServiceRoleForRDS", "/aws-service-role/rds.amazonaws.com/"),
        ("AWSReservedSSO_Admin_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/"),
    ],
)
def test_what_only_aws_may_assume_was_not_assumed_by_a_user(role, path):
    forged = an_assumption(role, path=path, key=MASKED, userIdentity=a_user("mallory"))
    use = a_use(a_role_session(role, path=path, key=K2))

    answer = who_assumed(use, [forged, use])

    assert all(hop["event_id"] != forged["eventID"] for hop in answer.data["chain"])
    assert any(forged["eventID"] in caveat for caveat in answer.caveats)
    real = an_assumption(role, path=path, key=MASKED, userIdentity={
        "type": "AWSService", "invokedBy": "account-access.amazonaws.com"
    })  # fmt: skip
    assert the_hop(who_assumed(use, [forged, real, use])) == (
        real["eventID"],
        "creation_date",
        "high",
    )


@pytest.mark.parametrize(
    ("role", "path"),
    [("AWSServiceRoleForEMRCleanup", "/aws-service-role/elasticmapreduce.amazonaws.com/"),
     ("AWSReservedSSO_Admin_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/")],
)  # fmt: skip
def test_a_key_does_not_make_a_user_s_what_only_aws_may_assume(role, path):
    mint = an_assumption(role, key=K1, path=path, userIdentity=a_user("mallory"))
    use = a_use(a_role_session(role, key=K1, path=path))
    answer = who_assumed(use, [mint, use])
    assert the_hop(answer) == (mint["eventID"], "access_key", "medium")
    assert any("one of the two records is not what it seems" in text for text in answer.caveats)


def test_a_key_s_record_of_another_role_than_the_session_names_is_in_doubt():
    """The same role id, and another name: one of the two records was changed."""
    mint = an_assumption(key=K1)
    mint["requestParameters"]["roleArn"] = f"arn:aws:iam::{ACCOUNT}:role/writer"
    use = a_use(a_role_session(key=K1))
    answer = who_assumed(use, [mint, use])
    assert the_hop(answer) == (mint["eventID"], "access_key", "medium")
    assert any("role/writer" in text and "role/reader" in text for text in answer.caveats)


def test_a_federated_user_s_issuer_wins_over_another_user_s_record_of_the_key():
    """AWS names bob; the record that shows the very key says that mallory made it."""
    mint = a_federation("mallory", K1)
    use = a_use(a_federated_user(K1))
    answer = who_assumed(use, [mint, use])
    (hop,) = answer.data["chain"]
    assert (hop["method"], hop["confidence"]) == ("inferred", "medium")
    assert answer.data["origin"]["label"] == "bob"
    assert mint["eventID"] in answer.sentence
    assert not any(mint["eventID"] in caveat for caveat in answer.caveats)  # said once


def test_another_source_identity_is_another_session():
    identity = a_role_session(key=MASKED)
    identity["sessionContext"]["sourceIdentity"] = "ana"
    hub = a_role_session("hub", "x", key=K3, created="2026-03-10T11:00:00Z")
    hub["sessionContext"]["sourceIdentity"] = "bob"
    mint = an_assumption(key=MASKED, userIdentity=hub)
    use = a_use(identity)
    assert all(hop["event_id"] is None for hop in who_assumed(use, [mint, use]).data["chain"])


@pytest.mark.parametrize(
    ("asked", "shown", "fits"),
    [("bob", "ana", False), ("bob", None, False), (None, "ana", False), ("ana", "ana", True),
     (None, None, True)],
)  # fmt: skip
def test_a_source_identity_that_was_asked_for_shows_in_the_session(asked, shown, fits):
    mint = an_assumption(key=MASKED)
    if asked is not None:
        mint["requestParameters"]["sourceIdentity"] = asked
    identity = a_role_session(key=MASKED)
    if shown is not None:
        identity["sessionContext"]["sourceIdentity"] = shown
    use = a_use(identity)

    chain = who_assumed(use, [mint, use]).data["chain"]

    named = [hop["event_id"] for hop in chain if hop["event_id"] is not None]
    assert named == ([mint["eventID"]] if fits else [])


@pytest.mark.parametrize(
    ("context", "fields"),
    [
        ({"ec2RoleDelivery": "2.0"}, {}),
        ({}, {"inScopeOf": {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": "arn"}}),
        ({"webIdFederationData": {"federatedProvider": "arn:aws:iam::1:oidc-provider/x"}}, {}),
    ],
)
def test_how_credentials_were_delivered_wins_over_a_user_s_call_of_that_second(context, fields):
    """Masked keys, the workload's own mint missing, and somebody who takes its role and name."""
    forged = an_assumption("web", "i-0123456789abcdef0", key=MASKED, userIdentity=a_user("mallory"))
    identity = a_role_session("web", "i-0123456789abcdef0", key=MASKED, **fields)
    identity["sessionContext"] |= context
    use = a_use(identity)

    answer = who_assumed(use, [forged, use])

    assert all(hop["event_id"] != forged["eventID"] for hop in answer.data["chain"])
    assert answer.data["origin"]["label"] != "mallory"


def test_how_a_caller_s_credentials_were_delivered_is_known_inside_a_chain():
    name = "i-0123456789abcdef0"
    forged = an_assumption(
        "web", name, key=MASKED, userIdentity=a_user("mallory"), eventTime="2026-03-10T11:00:00Z"
    )
    node = a_role_session("web", name, key=MASKED, created="2026-03-10T11:00:00Z")
    node["sessionContext"]["ec2RoleDelivery"] = "2.0"
    mint = an_assumption(key=K1, userIdentity=node)
    use = a_use(a_role_session(key=K1))

    chain = who_assumed(use, [forged, mint, use]).data["chain"]

    assert chain[0]["event_id"] == mint["eventID"]
    assert all(hop["event_id"] is None for hop in chain[1:])


def test_the_portal_s_user_never_wins_over_the_session_s_own_name():
    role = "AWSReservedSSO_PowerUser_0123456789abcdef"
    path = "/aws-reserved/sso.amazonaws.com/"
    mint = an_assumption(
        role,
        "ana@example.com",
        key=K1,
        path=path,
        eventName="AssumeRoleWithSAML",
        userIdentity={"type": "SAMLUser"},
    )
    portal = an_event(
        eventTime="2026-03-10T11:50:00Z",
        eventSource="sso.amazonaws.com",
        eventName="GetRoleCredentials",
        userIdentity={"type": "Unknown", "accountId": ACCOUNT, "userName": "bob@example.com"},
        serviceEventDetails={"account_id": ACCOUNT, "role_name": "PowerUser"},
    )
    use = a_use(a_role_session(role, "ana@example.com", key=K1, path=path))
    answer = who_assumed(use, [mint, portal, use])
    assert answer.data["origin"]["label"] == "ana@example.com"
    assert portal["eventID"] not in answer.evidence


def test_a_source_identity_alone_is_its_callers_own_word():
    identity = a_role_session(key=K1)
    identity["sessionContext"]["sourceIdentity"] = "ana@example.com"
    hub = a_role_session("hub", "x", key=K3, created="2026-03-10T11:00:00Z")
    mint = an_assumption(key=K1, userIdentity=hub)
    origin = who_assumed(a_use(identity), [mint]).data["origin"]
    assert origin["type"] == "SourceIdentity"
    assert origin["confidence"] == "medium"


# Rule 7: covered where the mint would be -----------------------------------------------------


def coverage(records, alert=None):
    use = a_use(a_role_session("payroll"), eventTime="2026-03-10T11:52:00Z")
    dated = replace(an_alert(use), raw="{}", event_id=None, event_ids=())
    return who_assumed(alert or dated, records)


def at(time: str, region: str = "us-east-1", **changes: Any) -> dict[str, Any]:
    return an_event(eventTime=f"2026-03-{time}Z", awsRegion=region, **changes)


def test_logs_that_begin_after_the_moment_do_not_cover_it():
    """The day is there, its morning is not."""
    answer = coverage([at("10T11:52:00"), at("10T11:52:00", "eu-west-1"), at("10T13:00:00")])
    assert answer.status == "partial"
    assert f"the logs of account {ACCOUNT} begin 2 min later" in answer.sentence


def test_every_region_whose_sts_the_account_uses_has_to_be_there():
    sts = an_assumption("other", eventTime="2026-02-20T10:00:00Z", awsRegion="ap-southeast-2")
    answer = coverage([*around(), sts])
    assert answer.status == "partial"
    assert f"no logs of account {ACCOUNT} in ap-southeast-2" in answer.sentence
    assert answer.data["would_be_in"]["looked_at"] == ["ap-southeast-2", "eu-west-1", "us-east-1"]

    answer = coverage([*around("ap-southeast-2"), sts])
    assert answer.status == "nothing"
    assert any("Looked at ap-southeast-2, eu-west-1 and us-east-1" in text
               for text in answer.caveats)  # fmt: skip


def test_the_global_region_and_the_alert_s_own_have_to_be_there():
    for absent in ("us-east-1", "eu-west-1"):
        kept = [record for record in around() if record["awsRegion"] != absent]
        answer = coverage(kept)
        assert answer.status == "partial"
        assert absent in answer.sentence


def test_twelve_hours_and_a_second_away_is_not_near():
    near = [at("09T23:50:00"), at("10T23:50:00"), at("10T11:00:00", "eu-west-1"),
            at("10T12:00:00", "eu-west-1")]  # fmt: skip
    assert coverage(near).status == "nothing"
    far = [at("09T23:49:59"), *near[1:]]
    assert coverage(far).status == "partial"


def a_day(region: str, *times: str) -> list[dict[str, Any]]:
    """Events alike in all that a day's rows tell apart: one row of theirs spans them."""
    return [at(f"10T{time}", region) for time in times]


def test_a_day_s_rows_do_not_say_where_their_events_are():
    """The moment is 11:50. One row from 04:50 to 23:59, twelve hours and more after it: the events
    at 11:49 and 12:00 between them are near on both sides. Without the later, the logs pause from a
    minute before on, and not from seven hours."""
    regions = ("us-east-1", "eu-west-1")
    near = [
        one for r in regions for one in a_day(r, "04:50:00", "11:49:00", "12:00:00", "23:59:00")
    ]
    assert coverage(near).status == "nothing"
    ended = [one for r in regions for one in a_day(r, "04:50:00", "11:49:00", "23:59:00")]
    answer = coverage(ended)
    assert answer.status == "partial"
    pause = "have nothing from 2026-03-10 11:49 to 2026-03-10 23:59 UTC"
    assert f"the logs of account {ACCOUNT} {pause}" in answer.sentence


def test_logs_that_begin_within_the_hours_of_an_undated_session_do_not_cover_it():
    """Made between 00:10 and 12:10; the logs begin at 11:42, and nobody knows what was before."""
    finding = a_finding(a_use(a_role_session("payroll"), eventTime="2026-03-10T12:10:00Z"))
    logs = [
        at(f"10T{time}:00", region)
        for region in ("us-east-1", "eu-west-1")
        for time in ("11:42", "12:05", "13:00")
    ]
    answer = coverage(logs, finding)
    assert answer.status == "partial"
    assert f"the logs of account {ACCOUNT} begin only at 2026-03-10 11:42 UTC" in answer.sentence
    earlier = [at("09T23:00:00"), at("09T23:30:00", "eu-west-1")]
    night = [at("10T06:00:00"), at("10T11:15:00", "eu-west-1")]
    assert coverage([*logs, *earlier, *night], finding).status == "nothing"


@pytest.mark.parametrize("hole", ["both", "eu-west-1"])
def test_a_hole_within_the_hours_of_an_undated_session_is_told(hole):
    """Made between 00:00 and 12:00. Events at 13:00 the day before and at 23:00 that day are within
    12 hours of either end, and say nothing of the 34 hours between."""
    finding = a_finding(a_use(a_role_session("payroll")))
    regions = ("us-east-1", "eu-west-1")
    logs = [at(time, region) for region in regions for time in ("09T13:00:00", "10T23:00:00")]
    if hole != "both":
        logs += [at(f"10T{hour}:00:00") for hour in ("00", "11")]
    where = "" if hole == "both" else " in eu-west-1"
    answer = coverage(logs, finding)
    assert answer.status == "partial"
    assert (
        f"the logs of account {ACCOUNT}{where} have nothing from 2026-03-09 13:00 to"
        " 2026-03-10 23:00 UTC"
    ) in answer.sentence
    assert "although" not in answer.sentence

    whole = [at(f"10T{hour}:00:00", region) for region in regions for hour in ("00", "11")]
    assert coverage([*logs, *whole], finding).status == "nothing"


def test_every_moment_of_the_hours_has_events_within_twelve_hours_of_it():
    """At 11:00 an event at 22:59:59 is too far back; one at 23:00 is not."""
    finding = a_finding(a_use(a_role_session("payroll")))
    for before, status in (("09T22:59:59", "partial"), ("09T23:00:00", "nothing")):
        logs = [at(time, region) for region in ("us-east-1", "eu-west-1")
                for time in (before, "10T11:00:00", "10T12:30:00")]  # fmt: skip
        assert coverage(logs, finding).status == status


def test_an_own_event_that_is_not_indexed_says_that_logs_are_missing():
    """The logs have events on both sides of the moment, and lack the alert's own."""
    use = a_use(a_role_session("payroll"), eventTime="2026-03-10T11:52:00Z")
    logs = around("us-east-1", "eu-west-1")
    assert who_assumed(use, [*logs, use]).status == "nothing"

    answer = who_assumed(use, logs)
    assert answer.status == "partial"
    missing = f"the alert's own event ({use['eventID']}) is not in the index"
    assert missing in answer.sentence
    assert answer.data["would_be_in"]["missing"] == [missing]

    alert = an_alert(use)
    calls = ask_all(alert, alert.principals[0], MemoryStore(logs))[2]
    assert (calls.name, calls.status) == ("services_used", "partial")
    assert any(f"{missing[1:]}: logs of its time are missing" in text for text in calls.caveats)
    every = ask_all(alert, alert.principals[0], MemoryStore(logs))
    assert {one.name for one in every if one.status == "partial" and missing in one.sentence} == {
        one.name for one in every if one.name != "baseline"
    }

    of_data = {**use, "eventCategory": "Data", "managementEvent": False}
    assert who_assumed(of_data, logs).status == "nothing"


def test_a_chain_that_no_record_explains_further_says_what_is_missing_there():
    """The hop's caller is a session whose own making is of before the logs begin."""
    caller = a_role_session("deploy", "kim", key=K2)
    mint = an_assumption("admin", "kim", key=K1, userIdentity=caller,
                         eventTime="2026-03-10T11:50:00Z")  # fmt: skip
    use = a_use(a_role_session("admin", "kim", key=K1))
    answer = who_assumed(use, [mint, use])
    assert answer.status == "partial"
    assert "No indexed event explains session kim of role deploy: " in answer.sentence
    assert answer.data["would_be_in"]["missing"][0] in answer.sentence


def test_accounts_whose_ids_are_masked_are_not_one_that_is_covered():
    masked = "************"
    identity = a_role_session("payroll", account=masked)
    use = an_event(userIdentity=identity, eventTime="2026-03-10T11:52:00Z",
                   recipientAccountId=masked)  # fmt: skip
    logs = around("us-east-1", "eu-west-1", account=masked)

    answer = who_assumed(use, [*logs, use])

    assert answer.status == "partial"
    assert "which account's logs would hold it is not known" in answer.sentence
    alert = an_alert(use)
    roles = ask_all(alert, alert.principals[0], MemoryStore([*logs, use]))[1]
    assert (roles.name, roles.status) == ("roles_assumed", "partial")
    assert any("The account's id is masked" in caveat for caveat in roles.caveats)


def test_logs_that_pause_do_not_begin_there():
    """Events of days before, and of the next day: the logs neither begin nor end near the moment,
    11:50, which has but one Region with an event after it."""
    days = ["05T09:00:00", "06T09:00:00", "12T08:00:00"]
    logs = [at(time, region) for region in ("us-east-1", "eu-west-1") for time in days]
    answer = coverage([*logs, at("10T11:55:00"), at("10T11:56:00", "eu-west-1")])
    assert answer.status == "partial"
    assert (
        f"the logs of account {ACCOUNT} have nothing from 2026-03-06 09:00 to 2026-03-10 11:55 UTC"
    ) in answer.sentence
    assert "begin" not in answer.sentence


def test_a_region_without_events_near_names_its_own_on_both_sides():
    logs = [at(f"{day}T09:00:00", "eu-west-1") for day in ("06", "13")]
    answer = coverage([*[one for one in around() if one["awsRegion"] == "us-east-1"], *logs])
    assert (
        f"the logs of account {ACCOUNT} in eu-west-1 have nothing from 2026-03-06 09:00 to"
        " 2026-03-13 09:00 UTC"
    ) in answer.sentence


def test_events_without_a_region_are_the_account_s_too():
    """Flat exports lack the Region: the logs of the account go on, those of the Regions do not."""
    logs = [at(f"10T{time}:00", region) for time in ("08:00", "09:00")
            for region in ("us-east-1", "eu-west-1")]  # fmt: skip
    flat = at("10T12:00:00")
    del flat["awsRegion"]
    answer = coverage([*logs, flat])
    assert f"the logs of account {ACCOUNT} in eu-west-1 and us-east-1 end" in answer.sentence


def test_data_events_are_no_logs_in_which_a_call_to_sts_can_be():
    data = {"eventSource": "s3.amazonaws.com", "eventName": "GetObject", "managementEvent": False,
            "eventCategory": "Data"}  # fmt: skip
    answer = coverage([{**record, **data} for record in around()])
    assert answer.status == "partial"
    assert "data events alone" in answer.sentence

    one = [r if r["awsRegion"] == "us-east-1" else {**r, **data} for r in around()]
    answer = coverage(one)
    assert answer.status == "partial"
    assert f"the logs of account {ACCOUNT} in eu-west-1 have data events alone" in answer.sentence


@pytest.mark.parametrize("begin", ["11:50:00", "11:49:59"])
def test_logs_that_begin_with_the_session_do_not_cover_what_made_it(begin):
    logs = [at(f"10T{time}", region) for region in ("us-east-1", "eu-west-1")
            for time in (begin, "13:00:00")]  # fmt: skip
    answer = coverage(logs)
    assert answer.status == "partial"
    assert f"the logs of account {ACCOUNT} begin only at {begin} UTC" in answer.sentence


def test_no_events_of_the_account_within_half_a_day_is_not_covered():
    answer = coverage([at("08T10:00:00"), at("13T10:00:00")])
    assert answer.status == "not_covered"


def test_an_alert_without_a_time_is_never_nothing():
    alert = replace(keyless(a_use(a_role_session("payroll"))), first_seen=None, last_seen=None)
    answer = who_assumed(alert, around())
    assert answer.status == "not_covered"
    assert "no time" in answer.sentence


def test_a_root_session_may_have_been_made_in_the_management_account():
    root = {
        "type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT, "accessKeyId": K1,
        "sessionContext": {"attributes": {"creationDate": "2026-03-10T11:50:00Z"}},
    }  # fmt: skip
    answer = who_assumed(a_use(root), around())
    assert answer.status == "partial"
    assert "management account" in answer.sentence


# Rule 8: an impossible age is an alarm -------------------------------------------------------


def test_an_impossible_age_is_said_in_the_sentence():
    use = a_use(a_role_session(key=K1))
    for at_time, words in (
        ("2024-08-15T12:00:00Z", "issued 572 days before its use"),
        ("2026-04-16T12:00:00Z", "issued 37 days after its use"),
    ):
        mint = an_assumption(key=K1, eventTime=at_time, userIdentity=a_user("mallory"))
        answer = who_assumed(use, [mint, use])
        assert words in answer.sentence
        assert mint["eventID"] in answer.sentence
        assert "mallory" not in answer.sentence
        assert answer.data["chain"] == []


@pytest.mark.parametrize(
    "stated",
    ["Mar 10, 2026, 6:30:22 PM", "Mar 10, 2026 6:30:22 PM", "2026-03-10T18:30:22Z",
     "2026-03-10T18:30:22.000Z", 1773167422, 1773167422000],
)  # fmt: skip
def test_a_use_after_the_expiration_that_the_response_states_is_an_alarm(stated):
    """An EC2 credential asks for no duration; its response says when it ends."""
    mint = an_assumption(key=K1, userIdentity={"type": "AWSService",
                                               "invokedBy": "ec2.amazonaws.com"})  # fmt: skip
    mint["responseElements"]["credentials"]["expiration"] = stated
    in_time = a_use(a_role_session(key=K1), eventTime="2026-03-10T18:30:24Z")  # the clocks' skew
    answer = who_assumed(in_time, [mint, in_time])
    assert the_hop(answer) == (mint["eventID"], "access_key", "certain")
    late = a_use(a_role_session(key=K1), eventTime="2026-03-10T23:00:00Z")
    answer = who_assumed(late, [mint, late, *around()])
    assert answer.data["chain"] == []
    assert "had expired 4 h before its use" in answer.sentence
    assert mint["eventID"] in answer.sentence


@pytest.mark.parametrize(
    "stated", ["soon", "Mar 10, 2020, 6:30:22 PM", "Mar 30, 2026, 6:30:22 PM", None, True, 1e300]
)
def test_an_expiration_that_no_session_can_have_says_nothing(stated):
    mint = an_assumption(key=K1)
    mint["responseElements"]["credentials"]["expiration"] = stated
    use = a_use(a_role_session(key=K1), eventTime="2026-03-10T16:00:00Z")
    assert the_hop(who_assumed(use, [mint, use])) == (mint["eventID"], "access_key", "certain")


@pytest.mark.parametrize("later", ["2026-03-11T11:00:00Z", "2026-03-10T15:00:00Z"])
def test_the_key_of_another_days_call_is_not_called_the_alerts_own(later):
    """A finding without a key, at the address of a call made long before by a session of its name:
    that session was over, and its key and creation date are not the finding's.
    """
    mint = an_assumption(key=K1)
    use = a_use(a_role_session(key=K1))
    finding = replace(keyless(use, first=later, last=later), event_name="ListBuckets")
    answer = who_assumed(finding, [mint, use])
    assert "access key" not in answer.sentence
    assert mint["eventID"] not in answer.sentence
    assert answer.status == "partial"
    assert "the logs of account 111122223333" in answer.sentence
    assert answer.data["would_be_in"]["to"] > "2026-03-10T15:00:00"


# GetScopedCredentials ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "words", "confidence"),
    [
        ("2026-03-11T23:00:00Z", None, "certain"),  # 35 hours: some sessions live so long
        ("2026-03-20T11:50:00Z", "issued 10 days before the time that the alert has", "certain"),
        ("2027-10-19T11:50:00Z", "issued 588 days before the time that the alert has", "medium"),
    ],
)
def test_an_age_that_no_session_has_is_said_by_whichever_time_it_is_known(
    written, words, confidence
):
    """A finding with `updatedAt` alone: it may be written days after its use, never a year."""
    mint = an_assumption(key=K1)
    finding = replace(
        a_finding(a_use(a_role_session(key=K1)), first=written, last=written), time_is_fallback=True
    )
    answer = who_assumed(finding, [mint])
    assert the_hop(answer) == (mint["eventID"], "access_key", confidence)
    if words is None:
        assert "before the time" not in answer.sentence
    else:
        assert words in answer.sentence


def a_narrowing(
    parent: Mapping[str, Any], key: str, when: str = "2026-03-10T11:55:00Z", **changes: Any
) -> dict[str, Any]:
    return an_event(
        **{
            "eventTime": when,
            "eventSource": "sts.amazonaws.com",
            "eventName": "GetScopedCredentials",
            "userIdentity": dict(parent),
            "requestParameters": {"durationSeconds": 900, "policy": "{}"},
            "responseElements": {
                "credentials": {"accessKeyId": key},
                "sessionInfo": {"scopedSessionId": "s-0123"},
            },
            **changes,
        }
    )


PARENT = a_role_session(key=K1)


@pytest.mark.parametrize("created", ["2026-03-10T11:50:00Z", "2026-03-10T11:55:00Z"])
def test_a_narrowed_session_is_a_hop_of_its_own_behind_which_the_assumption_stands(created):
    """The child may show either creation date: the session's, or that of its narrowing."""
    mint = an_assumption(key=K1)
    narrowing = a_narrowing(PARENT, K2)
    use = a_use(a_role_session(key=K2, created=created))

    answer = who_assumed(use, [mint, narrowing, use])

    assert [
        (hop["event_id"], hop["method"], hop["confidence"]) for hop in answer.data["chain"]
    ] == [
        (narrowing["eventID"], "scoped", "certain"),
        (mint["eventID"], "access_key", "certain"),
    ]
    assert answer.data["chain"][0]["matched"] == "same session, narrowed"
    assert answer.data["juggling"] is None
    assert answer.data["origin"]["label"] == "alice"
    # The assumption and its time are the AssumeRole's.
    assert "assumed by IAM user alice at 2026-03-10 11:50:00 UTC" in answer.sentence.replace(
        "Assumed", "assumed"
    )
    assert "narrowed by GetScopedCredentials at 2026-03-10 11:55:00 UTC" in answer.sentence


@pytest.mark.parametrize(("narrowed", "confidence"), [(K2, "medium"), (MASKED, "high")])
def test_the_sentence_is_no_surer_than_a_narrowing_on_its_way(narrowed, confidence):
    """The use's key is none that a record shows; the narrowing is found by its date."""
    records = [an_assumption(key=K1), a_narrowing(PARENT, narrowed)]
    use = a_use(a_role_session(key=K3, created="2026-03-10T11:55:00Z"))

    answer = who_assumed(use, [*records, use])

    assert [(hop["method"], hop["confidence"]) for hop in answer.data["chain"]] == [
        ("scoped", confidence),
        ("access_key", "certain"),
    ]
    assert answer.data["origin"]["confidence"] == confidence
    assert f"(by access key, {confidence}, through 2 hops" in answer.sentence
    assert answer.sentence.startswith("Probably") == (confidence == "medium")


def test_narrowing_the_narrowed_is_still_one_session():
    mint = an_assumption(key=K1)
    once = a_narrowing(PARENT, K2)
    twice = a_narrowing({**PARENT, "accessKeyId": K2}, K3, "2026-03-10T11:57:00Z")
    use = a_use(a_role_session(key=K3))

    answer = who_assumed(use, [mint, once, twice, use])

    assert [hop["event_id"] for hop in answer.data["chain"]] == [
        twice["eventID"],
        once["eventID"],
        mint["eventID"],
    ]
    assert answer.data["juggling"] is None
    assert not any("juggling" in caveat for caveat in answer.caveats)


def test_a_failed_narrowing_explains_nothing_and_is_no_juggling():
    mint = an_assumption(key=K1)
    failed = a_narrowing(PARENT, K2, errorCode="AccessDenied", responseElements=None)
    use = a_use(PARENT)
    records = [mint, failed, use]

    answer = who_assumed(use, records)

    assert [hop["event_id"] for hop in answer.data["chain"]] == [mint["eventID"]]
    assert answer.data["juggling"] is None
    assert answer.data["forward"]["total"] == 0
    roles = which_roles(use, records)
    assert roles.data["roles"] == []  # no role was asked for


def test_the_tree_shows_narrowing_with_the_calls_of_either():
    narrowing = a_narrowing(PARENT, K2)
    narrowed = a_role_session(key=K2)
    onward = an_assumption(
        "spoke", "two", key=K3, userIdentity=narrowed, eventTime="2026-03-10T11:58:00Z"
    )
    records = [
        an_assumption(key=K1),
        narrowing,
        onward,
        a_use(PARENT, eventTime="2026-03-10T11:52:00Z"),
        a_use(narrowed, eventTime="2026-03-10T11:57:00Z"),
    ]

    tree = who_assumed(records[3], records).data["forward"]

    assert tree["renewals"] == 0
    assert tree["events"] == 2  # one call, and the narrowing itself
    (node,) = tree["sessions"]
    assert (node["narrowed"], node["event_name"]) == (True, "GetScopedCredentials")
    assert (node["access_key_id"], node["role_arn"]) == (
        K2,
        PARENT["sessionContext"]["sessionIssuer"]["arn"],
    )
    assert node["events"] == 2
    (after,) = node["sessions"]
    assert (after["narrowed"], after["event_id"]) == (False, onward["eventID"])


def test_a_masked_narrowing_is_found_by_its_own_date_or_leaves_it_open():
    mint = an_assumption(key=MASKED)
    parent = {**PARENT, "accessKeyId": MASKED}
    narrowing = a_narrowing(parent, MASKED)
    own_date = a_use(a_role_session(key=MASKED, created="2026-03-10T11:55:00Z"))
    assert [hop["event_id"] for hop in who_assumed(own_date, [mint, narrowing]).data["chain"]] == [
        narrowing["eventID"],
        mint["eventID"],
    ]
    session_date = a_use(a_role_session(key=MASKED))
    answer = who_assumed(session_date, [mint, narrowing])
    assert the_hop(answer) == (mint["eventID"], "creation_date", "medium")
    assert any("narrowed" in caveat for caveat in answer.caveats)


def test_a_narrowed_session_whose_beginning_is_missing_is_not_explained():
    use = a_use(a_role_session(key=K2))
    answer = who_assumed(use, [a_narrowing(PARENT, K2), use, *around()])
    assert answer.status == "nothing"
    assert "no indexed event explains the session itself" in answer.sentence


# The cases kept beside the project, and the shape of the code --------------------------------


CASES = {
    "redacted-key-same-role": ("creation_date", {"high"}, "tina"),
    "gd-no-key-session-made-after-the-alert": ("most_recent", {"low", "medium"}, "bea"),
    "same-second-other-key-cli": ("creation_date", {"low", "medium"}, "dora"),
    "key-minted-30-days-after-use": (None, set(), None),
}


@pytest.mark.parametrize("name", CASES)
def test_the_chains_that_claimed_too_much(chain_cases: Path, tmp_path: Path, name: str):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "logs.json.gz").write_bytes((chain_cases / name / "logs.json.gz").read_bytes())
    add([logs], tmp_path / "index")
    store = open_store(tmp_path / "index")
    (alert,) = parse_alerts((chain_cases / name / "alert.json").read_text())
    answer = as_written(ASSUMED_BY.ask(alert, alert.principals[0], store))
    method, confidences, user = CASES[name]
    if method is None:
        assert answer.data["chain"] == []
        return
    hop = answer.data["chain"][0]
    assert hop["method"] == method
    assert hop["confidence"] in confidences
    assert hop["by"]["user_name"] == user


def test_only_one_module_says_how_sure_a_match_is():
    """No rule can give a confidence by itself: `enrich/chain/claims.py` alone makes a `Claim`."""
    folder = Path(__file__).resolve().parents[1] / "enrich"
    for module in folder.rglob("*.py"):
        if module.name != "claims.py":
            text = module.read_text()
            assert not re.search(r"\bClaim\(", text), module.name
            assert not re.search(r"""confidence\s*=\s*["']""", text), module.name
