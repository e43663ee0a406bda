"""Who assumed the role: one test per edge case of the domain reference (§3.2), and the rules."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from enrich.chain.juggling import juggling_sentence
from enrich.data.assumed_by import Juggling
from tests.an_alert import an_alert, who_assumed
from tests.an_event import (
    ACCOUNT,
    IN_CONSOLE,
    MASKED,
    a_role_session,
    a_user,
    an_assumption,
    an_event,
    around,
)

OTHER = "444455556666"


def a_use(identity: dict, **changes):
    return an_event(userIdentity=identity, **changes)


def hops(answer):
    return [
        (hop["event_id"], hop["method"], hop["rule"], hop["confidence"])
        for hop in answer.data["chain"]
    ]


def by_service(service: str) -> dict:
    return {
        "userIdentity": {"type": "AWSService", "invokedBy": service},
        "sourceIPAddress": service,
        "userAgent": service,
    }


def on_an_instance(identity: dict) -> dict:
    """The identity of a session whose credentials the instance's metadata service delivered."""
    identity["sessionContext"]["ec2RoleDelivery"] = "2.0"
    return identity


# R1: by access key ---------------------------------------------------------------------------


def test_an_access_key_finds_its_own_mint_and_not_the_twin_of_the_same_second():
    twin = an_assumption(key="ASIATWIN0Q0Q0Q0Q0Q01", userIdentity=a_user("mallory"))
    own = an_assumption(key="ASIAOWN0Q0Q0Q0Q0Q0Q1")
    use = a_use(a_role_session(key="ASIAOWN0Q0Q0Q0Q0Q0Q1"))

    answer = who_assumed(use, [twin, own, use])

    assert answer.status == "answered"
    (hop,) = answer.data["chain"]
    assert hop["event_id"] == own["eventID"]
    assert (hop["method"], hop["rule"], hop["confidence"]) == ("access_key", "R1", "certain")
    assert hop["candidates"] == [own["eventID"]]
    assert hop["by"]["user_name"] == "alice"
    assert hop["time_distance_s"] == 600  # minted 11:50, used 12:00
    assert answer.data["origin"]["type"] == "IAMUser"
    assert answer.data["origin"]["label"] == "alice"
    assert answer.evidence == (own["eventID"],)
    assert "IAM user alice" in answer.sentence
    assert "by access key" in answer.sentence


def test_a_key_match_for_another_role_is_a_conflict_and_is_not_used():
    wrong = an_assumption(
        role="payroll", session="work", key="ASIAOWN0Q0Q0Q0Q0Q0Q1", eventTime="2026-03-10T11:40:00Z"
    )
    right = an_assumption(key="ASIAELSE0Q0Q0Q0Q0Q01")
    use = a_use(a_role_session(key="ASIAOWN0Q0Q0Q0Q0Q0Q1"))

    answer = who_assumed(use, [wrong, right, use])

    assert hops(answer) == [(right["eventID"], "creation_date", "R2", "medium")]
    assert any(wrong["eventID"] in caveat and "not used" in caveat for caveat in answer.caveats)


# R2: by creation date ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minted_at", "rule", "confidence", "distance"),
    [
        ("2026-03-10T11:50:00Z", "R2", "high", 0),
        ("2026-03-10T11:49:59Z", "R2b", "medium", -1),
        ("2026-03-10T11:50:02Z", "R2b", "medium", 2),
        ("2026-03-10T11:49:58Z", "R2b", "medium", -2),
    ],
)
def test_a_creation_date_matches_within_two_seconds(minted_at, rule, confidence, distance):
    mint = an_assumption(key=MASKED, eventTime=minted_at)
    use = a_use(a_role_session(key="ASIACONSOLE0Q0Q0Q0Q1"))

    (hop,) = who_assumed(use, [mint, use]).data["chain"]

    assert (hop["event_id"], hop["method"]) == (mint["eventID"], "creation_date")
    assert (hop["rule"], hop["confidence"]) == (rule, confidence)
    assert hop["time_distance_s"] == distance


@pytest.mark.parametrize("minted_at", ["2026-03-10T11:49:57Z", "2026-03-10T11:50:03Z"])
def test_three_seconds_from_the_creation_date_is_no_match(minted_at):
    mint = an_assumption(key="ASIAMINTED0Q0Q0Q0Q01", eventTime=minted_at)
    use = a_use(a_role_session(key="ASIACONSOLE0Q0Q0Q0Q1"))

    answer = who_assumed(use, [mint, use])

    assert all(hop["method"] == "most_recent" for hop in answer.data["chain"])
    assert all(hop["confidence"] == "low" for hop in answer.data["chain"])


def test_the_nearest_second_is_preferred_exact_then_before_then_after():
    times = ["11:50:02", "11:49:58", "11:50:01", "11:49:59"]
    mints = [
        an_assumption(key=f"ASIAMINTED0Q0Q0Q0Q0{n}", eventTime=f"2026-03-10T{at}Z")
        for n, at in enumerate(times)
    ]
    use = a_use(a_role_session(key="ASIACONSOLE0Q0Q0Q0Q1"))

    (hop,) = who_assumed(use, [*mints, use]).data["chain"]

    assert hop["event_id"] == mints[3]["eventID"]
    assert hop["confidence"] == "medium"
    assert set(hop["candidates"]) == {mint["eventID"] for mint in mints}


def test_a_mint_at_the_very_second_goes_before_one_a_second_away_whose_caller_is_listed():
    exact = an_assumption(key=MASKED)
    near = an_assumption(
        key=MASKED,
        userIdentity=a_user("bob"),
        eventTime="2026-03-10T11:50:01Z",
    )
    use = a_use(a_role_session(key="ASIACONSOLE0Q0Q0Q0Q1"))

    answer = who_assumed(use, [near, exact, use])

    # Clocks differ by up to two seconds, so the other one cannot be ruled out.
    assert hops(answer) == [(exact["eventID"], "creation_date", "R2", "medium")]
    (hop,) = answer.data["chain"]
    assert hop["candidates"] == [exact["eventID"]]
    assert [caller["user_name"] for caller in hop["callers"]] == ["alice", "bob"]


def test_several_mints_in_one_second_are_all_listed_and_only_medium():
    mints = [
        an_assumption(key=f"ASIAMINTED0Q0Q0Q0Q0{n}", userIdentity=a_user(name))
        for n, name in enumerate(["alice", "bob", "carol"])
    ]
    use = a_use(a_role_session(key="ASIACONSOLE0Q0Q0Q0Q1"))

    answer = who_assumed(use, [*mints, use])

    (hop,) = answer.data["chain"]
    assert hop["confidence"] == "medium"
    assert set(hop["candidates"]) == {mint["eventID"] for mint in mints}
    assert {caller["user_name"] for caller in hop["callers"]} == {"alice", "bob", "carol"}
    assert set(answer.evidence) == set(hop["candidates"])
    assert answer.data["origin"]["confidence"] == "medium"
    assert "3 calls fit" in answer.sentence
    assert "3 different callers" in answer.sentence
    # None of them is named as the one.
    assert answer.sentence.startswith("Which of")
    assert answer.data["origin"]["arn"] is None
    assert {"alice", "bob", "carol"} <= set(
        answer.data["origin"]["detail"].replace(",", "").split()
    )


def test_a_creation_date_in_basic_form_is_the_same_moment():
    mint = an_assumption(key=MASKED)
    use = a_use(a_role_session(key="ASIACONSOLE0Q0Q0Q0Q1", created="20260310T115000Z"))

    assert hops(who_assumed(use, [mint, use])) == [(mint["eventID"], "creation_date", "R2", "high")]


def test_keyless_service_linked_sessions_are_matched_by_creation_date():
    mint = an_assumption(
        role="AWSServiceRoleForRDS",
        session="SLRManagement",
        path="/aws-service-role/rds.amazonaws.com/",
        key="ASIAMINTED0Q0Q0Q0Q01",
        **by_service("rds.amazonaws.com"),
    )
    identity = a_role_session(
        role="AWSServiceRoleForRDS",
        session="SLRManagement",
        path="/aws-service-role/rds.amazonaws.com/",
        invokedBy="rds.amazonaws.com",
    )
    del identity["accessKeyId"]

    answer = who_assumed(a_use(identity), [mint])

    assert hops(answer) == [(mint["eventID"], "creation_date", "R2", "high")]
    assert answer.data["chain"][0]["interface"] == "aws_service"
    assert answer.data["origin"]["label"] == "AWS service rds.amazonaws.com"


# R3: most recent -----------------------------------------------------------------------------


def a_finding_without_key_or_date(session: str = "terraform"):
    use = a_use(a_role_session(session=session, key="ASIAUNKNOWN0Q0Q0Q0Q1"))
    return an_alert(use, access_key_id=None, session_created=None)


def test_a_shared_session_name_is_a_guess_that_shows_every_caller():
    mints = [
        an_assumption(
            session="terraform",
            key=f"ASIAMINTED0Q0Q0Q0Q0{n}",
            userIdentity=a_user(name),
            eventTime=f"2026-03-10T11:{minute}:00Z",
        )
        for n, (name, minute) in enumerate([("alice", 10), ("bob", 40), ("alice", 30)])
    ]

    answer = who_assumed(a_finding_without_key_or_date(), mints)

    (hop,) = answer.data["chain"]
    assert (hop["method"], hop["rule"], hop["confidence"]) == ("most_recent", "R3", "low")
    assert hop["event_id"] == mints[1]["eventID"]
    assert [(caller["user_name"], caller["count"]) for caller in hop["callers"]] == [
        ("bob", 1),
        ("alice", 2),
    ]
    assert set(hop["candidates"]) == {mint["eventID"] for mint in mints}
    assert "guess" in answer.sentence
    assert "2 different callers" in answer.sentence


def test_the_most_recent_must_still_have_been_alive():
    hour_default = an_assumption(session="terraform", eventTime="2026-03-10T10:59:00Z")
    answer = who_assumed(a_finding_without_key_or_date(), [hour_default])
    assert answer.data["chain"] == []

    request = {**hour_default["requestParameters"], "durationSeconds": 7200}
    two_hours = an_assumption(
        session="terraform", eventTime="2026-03-10T10:59:00Z", requestParameters=request
    )
    answer = who_assumed(a_finding_without_key_or_date(), [two_hours])
    assert hops(answer) == [(two_hours["eventID"], "most_recent", "R3", "low")]


def test_a_chained_session_lives_an_hour_whatever_was_asked():
    mint = an_assumption(
        session="terraform",
        userIdentity=a_role_session("hub"),
        eventTime="2026-03-10T10:59:00Z",
        requestParameters={
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/reader",
            "roleSessionName": "terraform",
            "durationSeconds": 43200,
        },
    )
    assert who_assumed(a_finding_without_key_or_date(), [mint]).data["chain"] == []


def test_a_guess_never_lies_after_the_use():
    later = an_assumption(session="terraform", eventTime="2026-03-10T12:00:05Z")
    assert who_assumed(a_finding_without_key_or_date(), [later]).data["chain"] == []


def test_a_guess_that_contradicts_the_creation_date_says_so():
    earlier = an_assumption(key="ASIAMINTED0Q0Q0Q0Q01", eventTime="2026-03-10T11:30:00Z")
    use = a_use(a_role_session(key="ASIAELSE0Q0Q0Q0Q0Q01"))

    answer = who_assumed(use, [earlier, use])

    assert hops(answer) == [(earlier["eventID"], "most_recent", "R3", "low")]
    assert any("20 min from the session's own creation date" in text for text in answer.caveats)


def test_a_mint_after_the_creation_date_is_not_even_a_guess():
    later = an_assumption(key="ASIAMINTED0Q0Q0Q0Q01", eventTime="2026-03-10T11:55:00Z")
    use = a_use(a_role_session(key="ASIAELSE0Q0Q0Q0Q0Q01"))
    assert who_assumed(use, [later, use]).data["chain"] == []


# A finding's gaps ----------------------------------------------------------------------------


def test_a_finding_with_a_key_alone_takes_the_rest_from_any_event_with_that_key():
    mint = an_assumption(key="ASIAMINTED0Q0Q0Q0Q01", path="/team/")
    activity = a_use(
        a_role_session(key="ASIACONSOLE0Q0Q0Q0Q1", path="/team/"), eventTime="2026-03-10T11:58:00Z"
    )
    finding = an_alert(
        a_use(a_role_session(key="ASIACONSOLE0Q0Q0Q0Q1")),
        type="Unknown",
        arn=None,
        principal_id=None,
        role_arn=None,
        session_name=None,
        session_created=None,
        user_name=None,
    )

    assert hops(who_assumed(finding, [mint, activity])) == [
        (mint["eventID"], "creation_date", "R2", "medium")
    ]


def test_an_earlier_session_of_the_same_name_lends_nothing():
    earlier = a_role_session(key="ASIAEARLIER0Q0Q0Q0Q1", created="2026-03-10T10:00:00Z")
    earlier["sessionContext"]["sourceIdentity"] = "bob@example.com"
    mint = an_assumption(key="ASIAOWN0Q0Q0Q0Q0Q0Q1")
    unindexed = a_use(a_role_session(key="ASIAOWN0Q0Q0Q0Q0Q0Q1"))

    origin = who_assumed(unindexed, [a_use(earlier, eventTime="2026-03-10T11:55:00Z"), mint]).data[
        "origin"
    ]

    assert origin["label"] == "alice"


def test_the_window_of_a_finding_may_open_before_its_session_does():
    mint = an_assumption(key="ASIAOWN0Q0Q0Q0Q0Q0Q1", eventTime="2026-03-10T11:50:00Z")
    use = a_use(a_role_session(key="ASIAOWN0Q0Q0Q0Q0Q0Q1"), eventTime="2026-03-10T11:55:00Z")
    alert = an_alert(use)
    opened = alert.first_seen.replace(hour=9)
    wide = type(alert)(**{**vars(alert), "first_seen": opened})

    answer = who_assumed(wide, [mint, use])

    assert answer.data["chain"][0]["time_distance_s"] == 300
    assert not answer.caveats


# §3.2, row by row ----------------------------------------------------------------------------


def test_role_chaining_over_accounts_and_regions_is_followed_to_the_user():
    first = an_assumption(
        role="hub", session="hop1", key="ASIAHOP10Q0Q0Q0Q0Q01", eventTime="2026-03-10T11:40:00Z"
    )
    second = an_assumption(
        role="spoke",
        session="hop2",
        account=OTHER,
        key="ASIAHOP20Q0Q0Q0Q0Q01",
        userIdentity=a_role_session(
            "hub", "hop1", key="ASIAHOP10Q0Q0Q0Q0Q01", created="2026-03-10T11:40:00Z"
        ),
        eventTime="2026-03-10T11:45:00Z",
        awsRegion="us-east-1",
    )
    third = an_assumption(
        role="vault",
        session="hop3",
        account=OTHER,
        key="ASIAHOP30Q0Q0Q0Q0Q01",
        userIdentity=a_role_session(
            "spoke",
            "hop2",
            account=OTHER,
            key="ASIAHOP20Q0Q0Q0Q0Q01",
            created="2026-03-10T11:45:00Z",
        ),
        eventTime="2026-03-10T11:50:00Z",
        awsRegion="ap-southeast-2",
    )
    use = a_use(
        a_role_session("vault", "hop3", account=OTHER, key="ASIAHOP30Q0Q0Q0Q0Q01"),
        awsRegion="eu-north-1",
        recipientAccountId=OTHER,
    )

    answer = who_assumed(use, [third, first, use, second])

    assert [hop["event_id"] for hop in answer.data["chain"]] == [
        third["eventID"],
        second["eventID"],
        first["eventID"],
    ]
    assert {hop["confidence"] for hop in answer.data["chain"]} == {"certain"}
    assert answer.data["origin"]["label"] == "alice"
    assert answer.data["juggling"] is None
    assert "3 hops" in answer.sentence


def test_a_role_that_renews_itself_is_reported_as_juggling():
    mints = [
        an_assumption(
            role="loop",
            session="keep",
            key=f"ASIALOOP0Q0Q0Q0Q0Q0{n}",
            eventTime=f"2026-03-10T{8 + n:02}:00:00Z",
            **(
                {}
                if n == 0
                else {
                    "userIdentity": a_role_session(
                        "loop",
                        "keep",
                        key=f"ASIALOOP0Q0Q0Q0Q0Q0{n - 1}",
                        created=f"2026-03-10T{7 + n:02}:00:00Z",
                    ),
                    # Only roles on an old allow-list may assume themselves, and say so.
                    "additionalEventData": {"explicitTrustGrant": False},
                }
            ),
        )
        for n in range(4)
    ]
    use = a_use(
        a_role_session("loop", "keep", key="ASIALOOP0Q0Q0Q0Q0Q03", created="2026-03-10T11:00:00Z")
    )

    answer = who_assumed(use, [*mints, use])

    assert [hop["event_id"] for hop in answer.data["chain"]] == [
        mint["eventID"] for mint in reversed(mints)
    ]
    assert answer.data["juggling"]["renewals"] == 3
    assert answer.data["juggling"]["first_mint"] == "2026-03-10T08:00:00Z"
    assert answer.data["juggling"]["cycle"] is False
    assert (
        "Role juggling: loop was assumed again from itself or back 3 times, after a first call"
        " at 2026-03-10T08:00:00Z."
    ) in answer.caveats
    assert answer.data["origin"]["label"] == "alice"


def test_two_roles_that_assume_each_other_are_juggling_too():
    def renewed(role: str, other: str, n: int):
        return an_assumption(
            role=role,
            session="s",
            key=f"ASIASWAP0Q0Q0Q0Q0Q0{n}",
            userIdentity=a_role_session(
                other, "s", key=f"ASIASWAP0Q0Q0Q0Q0Q0{n - 1}", created=f"2026-03-10T11:0{n - 1}:00Z"
            ),
            eventTime=f"2026-03-10T11:0{n}:00Z",
        )

    start = an_assumption(
        role="ping", session="s", key="ASIASWAP0Q0Q0Q0Q0Q0Q", eventTime="2026-03-10T11:00:00Z"
    )
    records = [start, renewed("pong", "ping", 1), renewed("ping", "pong", 2)]
    use = a_use(
        a_role_session("ping", "s", key="ASIASWAP0Q0Q0Q0Q0Q02", created="2026-03-10T11:02:00Z")
    )

    juggling = who_assumed(use, [*records, use]).data["juggling"]

    assert juggling["role_arns"] == [f"arn:aws:iam::{ACCOUNT}:role/ping"]
    assert juggling["renewals"] == 1
    assert juggling_sentence(msgspec.convert(juggling, Juggling)) == (
        "Role juggling: ping was assumed again from itself or back once, after a first call"
        f" at {juggling['first_mint']}."
    )


def test_several_roles_that_come_up_again_are_said_in_the_plural():
    juggling = {
        "role_arns": [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("ping", "pong")],
        "renewals": 2,
        "first_mint": "2026-03-10T11:00:00Z",
        "cycle": False,
    }
    assert juggling_sentence(msgspec.convert(juggling, Juggling)) == (
        "Role juggling: ping and pong were assumed again from themselves or back 2 times, after a"
        " first call at 2026-03-10T11:00:00Z."
    )


def test_records_that_form_a_true_cycle_end_and_are_called_a_cycle():
    one = an_assumption(
        role="a",
        session="s",
        key="ASIACYCLE0Q0Q0Q0Q0Q1",
        userIdentity=a_role_session("b", "s", key="ASIACYCLE0Q0Q0Q0Q0Q2"),
    )
    two = an_assumption(
        role="b",
        session="s",
        key="ASIACYCLE0Q0Q0Q0Q0Q2",
        userIdentity=a_role_session("a", "s", key="ASIACYCLE0Q0Q0Q0Q0Q1"),
    )
    use = a_use(a_role_session("a", "s", key="ASIACYCLE0Q0Q0Q0Q0Q1"))

    answer = who_assumed(use, [one, two, use])

    assert [hop["event_id"] for hop in answer.data["chain"]] == [one["eventID"], two["eventID"]]
    assert answer.data["juggling"]["cycle"] is True
    assert "Role juggling: the records go round in a cycle." in answer.caveats
    assert any("cycle" in caveat for caveat in answer.caveats)


def test_more_than_twenty_renewals_still_lead_to_the_user():
    def key(n: int) -> str:
        return f"ASIALONG0Q0Q0Q0Q0Q{n:02}"

    mints = []
    for n in range(48):
        at = f"2026-03-10T{n // 4:02}:{n % 4 * 15:02}:00Z"
        before = f"2026-03-10T{(n - 1) // 4:02}:{(n - 1) % 4 * 15:02}:00Z"
        identity = a_role_session("loop", "keep", key=key(n - 1), created=before)
        mints.append(
            an_assumption(
                role="loop",
                session="keep",
                key=key(n),
                eventTime=at,
                userIdentity=identity if n else a_user(),
            )
        )
    use = a_use(a_role_session("loop", "keep", key=key(47), created="2026-03-10T11:45:00Z"))

    answer = who_assumed(use, [*mints, use])

    assert len(answer.data["chain"]) == 48
    assert answer.data["origin"]["label"] == "alice"
    assert answer.data["juggling"]["first_mint"] == "2026-03-10T00:00:00Z"


def test_overlapping_mints_of_one_instance_are_told_apart_by_creation_date():
    def ec2(at: str, key: str):
        return an_assumption(
            role="web",
            session="i-0123456789abcdef0",
            key=key,
            eventTime=at,
            **by_service("ec2.amazonaws.com"),
        )

    mints = [
        ec2("2026-03-10T06:00:00Z", "ASIAEC20Q0Q0Q0Q0Q0Q1"),
        ec2("2026-03-10T11:30:00Z", "ASIAEC20Q0Q0Q0Q0Q0Q2"),
        ec2("2026-03-10T11:55:00Z", "ASIAEC20Q0Q0Q0Q0Q0Q3"),
    ]
    session = a_role_session(
        "web", "i-0123456789abcdef0", key="ASIAEC2OTHER0Q0Q0Q01", created="2026-03-10T11:30:00Z"
    )
    use = a_use(on_an_instance(session))

    assert hops(who_assumed(use, [*mints, use])) == [
        (mints[1]["eventID"], "creation_date", "R2", "high")
    ]


def test_an_old_ec2_mint_without_assumed_role_user_is_matched_on_what_was_asked_for():
    mint = an_assumption(
        role="web",
        session="i-0123456789abcdef0",
        path="/servers/",
        responseElements={"credentials": {"accessKeyId": "ASIAEC20Q0Q0Q0Q0Q0Q1"}},
        **by_service("ec2.amazonaws.com"),
    )
    other_role = an_assumption(
        role="db",
        session="i-0123456789abcdef0",
        responseElements={"credentials": {"accessKeyId": "ASIAEC20Q0Q0Q0Q0Q0Q2"}},
        **by_service("ec2.amazonaws.com"),
    )
    session = a_role_session("web", "i-0123456789abcdef0", key="ASIAUSED0Q0Q0Q0Q0Q01")
    identity = on_an_instance(session)
    # As a finding knows it: the session's ARN, which has no path.
    finding = an_alert(a_use(identity), role_arn=f"arn:aws:iam::{ACCOUNT}:role/web")

    answer = who_assumed(finding, [other_role, mint])

    assert hops(answer) == [(mint["eventID"], "creation_date", "R2", "high")]
    assert answer.data["chain"][0]["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/servers/web"
    assert answer.data["origin"]["label"] == "EC2 instance i-0123456789abcdef0"


def test_a_session_name_that_imitates_an_instance_does_not_make_one():
    mint = an_assumption(session="i-0123456789abcdef0", userIdentity=a_user("mallory"))
    use = a_use(a_role_session(session="i-0123456789abcdef0"))

    answer = who_assumed(use, [mint, use])

    assert answer.data["origin"]["type"] == "IAMUser"
    assert answer.data["origin"]["label"] == "mallory"


def test_without_any_record_a_session_name_is_an_inference_and_says_so():
    use = a_use(a_role_session(session="i-0123456789abcdef0"))

    answer = who_assumed(use, [use])

    (hop,) = answer.data["chain"]
    assert (hop["event_id"], hop["method"], hop["rule"]) == (None, "inferred", "R4")
    assert hop["confidence"] == "low"
    assert answer.data["origin"]["label"] == "EC2 instance i-0123456789abcdef0"
    assert answer.data["origin"]["field"] == "userIdentity.principalId"
    assert "inferred" in answer.sentence


def test_an_instance_credential_used_elsewhere_is_not_reported_as_benign():
    mint = an_assumption(
        role="web",
        session="i-0123456789abcdef0",
        key="ASIAEC20Q0Q0Q0Q0Q0Q1",
        **by_service("ec2.amazonaws.com"),
    )
    identity = a_role_session("web", "i-0123456789abcdef0", key="ASIAEC20Q0Q0Q0Q0Q0Q1")
    at_home = a_use(identity, eventTime="2026-03-10T11:52:00Z", sourceIPAddress="10.0.4.7")
    stolen = a_use(identity, sourceIPAddress="203.0.113.9")

    answer = who_assumed(stolen, [mint, at_home, stolen])

    assert any("203.0.113.9" in text and "10.0.4.7" in text for text in answer.caveats)
    assert "may have left" in answer.sentence
    assert "may have left" not in who_assumed(at_home, [mint, at_home]).sentence

    # The far end of a connection that the instance made, or that probed it, called nothing.
    connection = replace(
        an_alert(at_home), event_name=None, event_source=None, source_ip_address="203.0.113.250"
    )
    assert who_assumed(connection, [mint, at_home]).data["left_instance"] is None


def test_an_instance_credential_used_elsewhere_is_told_by_the_sessions_own_events():
    """Also where the alert is about the instance's own call, or has no address at all."""
    mint = an_assumption(
        role="web",
        session="i-0123456789abcdef0",
        key="ASIAEC20Q0Q0Q0Q0Q0Q1",
        **by_service("ec2.amazonaws.com"),
    )
    identity = a_role_session("web", "i-0123456789abcdef0", key="ASIAEC20Q0Q0Q0Q0Q0Q1")
    other_key = identity | {"accessKeyId": "ASIAEC20Q0Q0Q0Q0Q0Q2"}  # of the same creation date
    at_home = a_use(identity, eventTime="2026-03-10T11:52:00Z", sourceIPAddress="192.0.2.4")
    stolen = a_use(other_key, eventTime="2026-03-10T12:10:00Z", sourceIPAddress="203.0.113.9")
    for alert in (at_home, replace(an_alert(at_home), source_ip_address=None)):
        answer = who_assumed(alert, [mint, at_home, stolen])
        left = answer.data["left_instance"]
        assert (left["source_ip_address"], left["earlier_addresses"]) == (
            "203.0.113.9",
            ["192.0.2.4"],
        )
        assert left["event_ids"] == [stolen["eventID"]]
        assert "may have left" in answer.sentence
    # Started again, an instance has a new address, with a new credential.
    again = a_role_session(
        "web", "i-0123456789abcdef0", key="ASIAEC20Q0Q0Q0Q0Q0Q3", created="2026-03-10T12:05:00Z"
    )
    moved = a_use(again, eventTime="2026-03-10T12:10:00Z", sourceIPAddress="203.0.113.9")
    assert who_assumed(at_home, [mint, at_home, moved]).data["left_instance"] is None


def a_cross_account_call(**changes):
    """The two copies of alice's call into the other account: caller's and owner's."""
    common = {
        "role": "spoke",
        "session": "work",
        "account": OTHER,
        "key": "ASIACROSS0Q0Q0Q0Q0Q1",
    }
    fields = {
        "requestID": "7b2a2f0e-5b41-4a5c-8f5d-1d2f3a4b5c6d",
        "sharedEventID": "0e9c7a1b-2d3e-4f50-9a6b-7c8d9e0f1a2b",
        **changes,
    }
    # The owner's copy comes first in every order: it must not win by that.
    owners = an_assumption(
        **common,
        recipientAccountId=OTHER,
        userIdentity={
            "type": "AWSAccount",
            "principalId": a_user()["principalId"],
            "accountId": ACCOUNT,
        },
        **fields,
    )
    callers = an_assumption(**common, recipientAccountId=ACCOUNT, **fields)
    use = a_use(
        a_role_session("spoke", "work", account=OTHER, key="ASIACROSS0Q0Q0Q0Q0Q1"),
        recipientAccountId=OTHER,
    )
    return callers, owners, use


@pytest.mark.parametrize("shared", ["0e9c7a1b-2d3e-4f50-9a6b-7c8d9e0f1a2b", None])
def test_both_copies_of_a_cross_account_call_are_one_hop_told_by_the_caller(shared):
    callers, owners, use = a_cross_account_call(
        sharedEventID=shared, **({"requestID": None} if shared else {})
    )

    answer = who_assumed(use, [owners, use, callers])

    (hop,) = answer.data["chain"]
    assert hop["event_id"] == callers["eventID"]
    assert hop["by"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"
    assert hop["candidates"] == [callers["eventID"]]
    assert set(answer.evidence) == {callers["eventID"], owners["eventID"]}


@pytest.mark.parametrize("shared", ["0e9c7a1b-2d3e-4f50-9a6b-7c8d9e0f1a2b", None])
def test_both_copies_are_one_candidate_for_a_creation_date(shared):
    callers, owners, use = a_cross_account_call(sharedEventID=shared)
    use["userIdentity"]["accessKeyId"] = "ASIACONSOLE0Q0Q0Q0Q1"
    use |= IN_CONSOLE
    for copy in (callers, owners):
        copy |= {"sourceIPAddress": "AWS Internal", "userAgent": "AWS Internal"}

    answer = who_assumed(use, [owners, callers, use])

    assert hops(answer) == [(callers["eventID"], "creation_date", "R2", "high")]
    assert answer.data["chain"][0]["candidates"] == [callers["eventID"]]


def test_without_the_callers_log_the_owner_copy_names_the_account_that_would_answer():
    _, owners, use = a_cross_account_call()

    answer = who_assumed(use, [owners, use])

    (hop,) = answer.data["chain"]
    assert hop["by"]["principal_id"] == a_user()["principalId"]
    assert hop["by"]["account_id"] == ACCOUNT
    assert a_user()["principalId"] in answer.data["origin"]["label"]
    assert any(f"account {ACCOUNT}" in text for text in answer.caveats)


def test_other_events_of_the_same_id_name_the_caller_of_an_owner_copy():
    _, owners, use = a_cross_account_call()
    known = an_event(eventTime="2026-03-10T10:00:00Z")  # alice, with her ARN

    (hop,) = who_assumed(use, [owners, known, use]).data["chain"]

    assert hop["by"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"


def test_the_callers_copy_alone_suffices():
    callers, _, use = a_cross_account_call()
    (hop,) = who_assumed(use, [callers, use]).data["chain"]
    assert (hop["event_id"], hop["confidence"]) == (callers["eventID"], "certain")


def test_a_role_caller_seen_only_by_id_is_a_gap_that_names_its_account():
    owners = an_assumption(
        role="spoke",
        account=OTHER,
        key="ASIACROSS0Q0Q0Q0Q0Q1",
        userIdentity={
            "type": "AWSAccount",
            "principalId": "AROAVENDOR00000000001:scan",
            "accountId": "999988887777",
        },
    )
    use = a_use(
        a_role_session("spoke", account=OTHER, key="ASIACROSS0Q0Q0Q0Q0Q1"), recipientAccountId=OTHER
    )

    answer = who_assumed(use, [owners, use])

    assert len(answer.data["chain"]) == 1
    assert answer.status == "partial"
    assert any("999988887777" in text for text in answer.caveats)
    assert "AROAVENDOR00000000001:scan" in answer.data["origin"]["label"]


def test_a_federated_console_session_uses_other_keys_than_the_minted_one():
    mint = an_assumption(key="ASIAMINTED0Q0Q0Q0Q01", eventName="AssumeRoleWithSAML")
    uses = [
        a_use(
            a_role_session(key=f"ASIACONSOLE0Q0Q0Q0Q{n}"),
            eventTime=f"2026-03-10T12:0{n}:00Z",
            **IN_CONSOLE,
        )
        for n in range(3)
    ]
    for use in uses:
        assert hops(who_assumed(use, [mint, *uses])) == [
            (mint["eventID"], "creation_date", "R2", "high")
        ]


def test_a_call_that_a_service_makes_for_the_session_is_of_the_same_session():
    mint = an_assumption(key="ASIAOWN0Q0Q0Q0Q0Q0Q1")
    own = a_use(a_role_session(key="ASIAOWN0Q0Q0Q0Q0Q0Q1"))
    forwarded = a_use(
        a_role_session(key="ASIAFORWARDED0000001", invokedBy="cloudformation.amazonaws.com"),
        sourceIPAddress="cloudformation.amazonaws.com",
        userAgent="cloudformation.amazonaws.com",
    )

    answer = who_assumed(forwarded, [mint, own, forwarded])
    assert hops(answer) == [(mint["eventID"], "creation_date", "R2", "high")]

    forward = who_assumed(own, [mint, own, forwarded]).data["forward"]
    assert forward["events"] == 2


def test_a_use_one_second_before_its_mint_is_still_explained():
    mint = an_assumption(key="ASIAOWN0Q0Q0Q0Q0Q0Q1", eventTime="2026-03-10T12:00:01Z")
    use = a_use(a_role_session(key="ASIAOWN0Q0Q0Q0Q0Q0Q1", created="2026-03-10T12:00:01Z"))

    answer = who_assumed(use, [mint, use])

    assert hops(answer) == [(mint["eventID"], "access_key", "R1", "certain")]
    assert answer.data["chain"][0]["time_distance_s"] == -1
    assert not answer.caveats


def test_a_failed_call_never_explains_a_session():
    failed = an_assumption(errorCode="AccessDenied", errorMessage="no")
    use = a_use(a_role_session())

    answer = who_assumed(use, [failed, use, *around()])

    assert answer.data["chain"] == []
    assert answer.status == "nothing"


def test_a_role_made_again_under_its_old_name_is_another_role():
    old = an_assumption(session="terraform", eventTime="2026-03-10T11:55:00Z")
    old["responseElements"]["assumedRoleUser"]["assumedRoleId"] = "AROAOLDROLE0000000001:terraform"

    assert who_assumed(a_finding_without_key_or_date(), [old]).data["chain"] == []


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-iso-b"])
def test_every_partition_is_understood(partition):
    def there(record):
        import json

        return json.loads(json.dumps(record).replace("arn:aws:", f"arn:{partition}:"))

    mint = there(
        an_assumption(
            session="i-0123456789abcdef0",
            responseElements={"credentials": {"accessKeyId": "ASIAEC20Q0Q0Q0Q0Q0Q1"}},
            **by_service("ec2.amazonaws.com"),
        )
    )
    session = a_role_session(session="i-0123456789abcdef0", key="ASIAUSED0Q0Q0Q0Q0Q01")
    use = there(a_use(on_an_instance(session)))

    assert hops(who_assumed(use, [mint, use])) == [(mint["eventID"], "creation_date", "R2", "high")]


def test_a_mint_of_the_evening_explains_a_use_of_the_morning():
    mint = an_assumption(key="ASIAOWN0Q0Q0Q0Q0Q0Q1", eventTime="2026-03-09T23:59:30Z")
    use = a_use(
        a_role_session(key="ASIAOWN0Q0Q0Q0Q0Q0Q1", created="2026-03-09T23:59:30Z"),
        eventTime="2026-03-10T00:10:00Z",
    )
    assert hops(who_assumed(use, [mint, use])) == [(mint["eventID"], "access_key", "R1", "certain")]


# R5: what is not known -----------------------------------------------------------------------


def test_nothing_is_said_with_the_log_that_would_hold_the_event():
    use = a_use(a_role_session("payroll"))

    answer = who_assumed(use, [use, *around()])

    assert answer.status == "nothing"
    assert answer.data["chain"] == []
    assert answer.data["would_be_in"]["account_id"] == ACCOUNT
    assert answer.data["would_be_in"]["coverage"] == "covered"
    assert any("2026-03-10 11:50:00 UTC" in text and ACCOUNT in text for text in answer.caveats)


def test_no_logs_of_the_roles_account_is_not_nothing():
    use = a_use(a_role_session("payroll"))
    elsewhere = an_event(userIdentity=a_user(account=OTHER), recipientAccountId=OTHER)

    answer = who_assumed(use, [elsewhere])

    assert answer.status == "not_covered"
    assert ACCOUNT in answer.sentence
    assert set(answer.data) >= {"chain", "origin", "forward"}


def test_an_empty_index_is_not_covered():
    answer = who_assumed(a_use(a_role_session("payroll")), [])
    assert answer.status == "not_covered"
    assert answer.data["chain"] == []


def test_an_unexplained_session_close_to_the_newest_event_may_be_explained_later():
    use = a_use(a_role_session("payroll", created="2026-03-10T11:59:58Z"))
    assert any("half an hour" in text for text in who_assumed(use, [use]).caveats)

    long_after = an_event(eventTime="2026-03-11T11:50:00Z")
    assert not any("half an hour" in text for text in who_assumed(use, [use, long_after]).caveats)


def test_an_account_calculated_from_a_key_is_only_offered_where_nothing_is_recorded():
    # A key of account 609629065308, by the domain reference.
    finding = an_alert(
        a_use(a_role_session(key="ASIAY34FZKBOKMUTVV7A")),
        type="Unknown",
        arn=None,
        principal_id=None,
        role_arn=None,
        session_name=None,
        session_created=None,
        account_id=None,
    )
    answer = who_assumed(type(finding)(**{**vars(finding), "account_id": None}), [an_event()])

    assert answer.data["chain"] == []
    assert answer.data["derived_account"] == "609629065308"
    assert any("609629065308, by calculation" in text for text in answer.caveats)
    mint = an_assumption(key="ASIAY34FZKBOKMUTVV7A")
    assert hops(who_assumed(finding, [mint])) == [(mint["eventID"], "access_key", "R1", "certain")]


def test_an_iam_user_with_a_long_term_key_was_not_assumed():
    answer = who_assumed(an_event(), [an_event()])

    assert answer.status == "not_applicable"
    assert "IAM user alice" in answer.sentence
    assert a_user()["accessKeyId"] in answer.sentence
    assert answer.data["origin"]["label"] == "alice"


def test_a_call_by_a_service_was_not_assumed():
    answer = who_assumed(an_event(**by_service("ec2.amazonaws.com")), [])
    assert answer.status == "not_applicable"
    assert "ec2.amazonaws.com" in answer.sentence


@pytest.mark.parametrize("key", ["Unknown", "AIDAALICEXXXXXXXXXXXX"])
def test_what_stands_for_a_key_and_is_none_is_not_called_one(key):
    answer = who_assumed(an_event(userIdentity={"type": "Unknown", "accessKeyId": key}), [])
    assert answer.status == "not_applicable"
    assert key not in answer.sentence


def test_a_service_is_called_by_its_own_name_and_not_by_an_address():
    finding = an_alert(an_event(userIdentity={"type": "AWSService"}), principal_id=None)
    assert "198.51.100.7" not in who_assumed(finding, []).sentence
    named = an_event(userIdentity={"type": "AWSService", "invokedBy": "config.amazonaws.com"})
    assert "config.amazonaws.com made the call" in who_assumed(named, []).sentence


def test_a_role_session_with_what_looks_like_a_long_term_key_is_still_a_session():
    """AWS's documentation and redacted logs show AKIA keys on assumed roles."""
    mint = an_assumption(key="ASIAMINTED0Q0Q0Q0Q01")  # the documented key is no other one: no key
    use = a_use(a_role_session(key="AKIAIOSFODNN7EXAMPLE"))
    made = an_event(
        eventSource="iam.amazonaws.com",
        eventName="CreateAccessKey",
        responseElements={
            "accessKey": {"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "alice"}
        },
    )
    assert hops(who_assumed(use, [mint, use, made])) == [
        (mint["eventID"], "creation_date", "R2", "high")
    ]
    answer = who_assumed(use, [use, *around()])
    assert answer.status == "nothing"
    assert "Not an assumed role" not in answer.sentence


def test_an_owner_copy_as_the_alert_is_told_by_the_callers_copy():
    callers, owners, _ = a_cross_account_call()

    answer = who_assumed(owners, [owners, callers])

    assert answer.sentence.startswith("Not an assumed role: IAM user alice with long-term")
    assert answer.data["origin"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"
    assert any(callers["eventID"] in text for text in answer.caveats)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"requestID": "9d1f5a34-0c5e-4d0a-9b1e-6f2a7c3d8e90"},
        {"eventName": "DescribeInstances", "eventSource": "ec2.amazonaws.com"},
        {"userIdentity": a_user(account="999988887777", principalId=a_user("bob")["principalId"])},
    ],
)
def test_a_stranger_s_record_of_its_shared_id_is_no_copy_of_the_alert(changes):
    """Bob's id, as the owner's copy shows it; the record that shares its id is by alice."""
    other, owners, _ = a_cross_account_call()
    owners["userIdentity"]["principalId"] = a_user("bob")["principalId"]
    other |= changes

    answer = who_assumed(owners, [owners, other])

    assert "alice" not in answer.sentence
    assert answer.data["origin"]["arn"] is None
    assert any(
        f"Event {other['eventID']} has the alert's sharedEventID, but is another call" in text
        for text in answer.caveats
    )


def test_another_call_of_the_same_caller_is_no_copy_of_the_alert():
    other, owners, _ = a_cross_account_call()
    other |= {"eventName": "DescribeInstances", "eventSource": "ec2.amazonaws.com"}
    answer = who_assumed(owners, [owners, other])
    assert any("but is another call" in text for text in answer.caveats)


def test_an_owner_copy_by_a_role_session_leads_on_to_whoever_assumed_that():
    hub = a_role_session(
        "hub", "deploy", key="ASIAHUB0Q0Q0Q0Q0Q0Q1", created="2026-03-10T11:00:00Z"
    )
    first = an_assumption(
        "hub", "deploy", key="ASIAHUB0Q0Q0Q0Q0Q0Q1", eventTime="2026-03-10T11:00:00Z"
    )
    callers, owners, _ = a_cross_account_call()
    callers["userIdentity"] = hub
    owners["userIdentity"]["principalId"] = hub["principalId"]

    answer = who_assumed(owners, [first, owners, callers])

    assert hops(answer) == [(first["eventID"], "access_key", "R1", "certain")]
    assert answer.data["origin"]["label"] == "alice"


def test_other_events_of_its_id_name_the_caller_of_an_owner_copy_that_is_the_alert():
    _, owners, _ = a_cross_account_call()
    known = an_event(eventTime="2026-03-10T10:00:00Z")  # alice, with her ARN
    answer = who_assumed(owners, [owners, known])
    assert answer.data["origin"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"
    answer = who_assumed(owners, [owners])
    assert a_user()["principalId"] in answer.sentence
    assert any(f"The logs of account {ACCOUNT}" in text for text in answer.caveats)


def test_of_two_copies_that_show_the_caller_the_callers_own_account_keeps_the_cited_one():
    callers, owners, use = a_cross_account_call()
    owners["userIdentity"] = callers["userIdentity"]  # as where both trails show who it was
    owners["eventID"] = "00000000-0000-4000-8000-000000000000"
    (hop,) = who_assumed(use, [owners, callers, use]).data["chain"]
    assert hop["event_id"] == callers["eventID"]


def test_a_sentence_is_no_surer_than_the_hop_to_the_person_it_names():
    # By its key the session was surely made by another role's session; who made that one is a
    # guess, and the person whom the sentence names stands behind the guess.
    guessed = an_assumption(
        "outer", "way", key="ASIAOTHERKEY0Q0Q0Q01", eventTime="2026-03-10T11:40:00Z"
    )
    between = a_role_session("outer", "way", key="ASIABETWEEN0Q0Q0Q001", created=None)
    own = an_assumption("reader", "work", key="ASIAOWN0Q0Q0Q0Q0Q0Q1", userIdentity=between)
    use = a_use(a_role_session("reader", "work", key="ASIAOWN0Q0Q0Q0Q0Q0Q1"))

    answer = who_assumed(use, [guessed, own, use])

    first, last = answer.data["chain"]
    assert (first["method"], first["confidence"]) == ("access_key", "certain")
    assert last["event_id"] == guessed["eventID"]
    assert last["confidence"] == "low"
    assert "alice" in answer.sentence
    assert "(by access key, low" in answer.sentence
    assert answer.sentence.startswith("Probably assumed by IAM user alice")
    assert "certain" not in answer.sentence
