"""Role chains whatever the order, the duplicates and the days: the same chain, and it ends."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.an_alert import who_assumed
from tests.an_event import a_role_session, a_user, an_assumption, an_event

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@st.composite
def chains(draw):
    """A true chain of one to six hops ending in a use, and the ids of its mints, nearest first."""
    length = draw(st.integers(1, 6))
    moment = datetime(2026, 3, 9, draw(st.integers(0, 23)), draw(st.integers(0, 59)), tzinfo=UTC)
    keyless = draw(st.booleans())
    who, mints = a_user(), []
    for n in range(length):
        role, session, key = f"role-{n}", f"s{n}", f"ASIACHAIN0000000000{n}"
        mints.append(an_assumption(role, session, key=key, userIdentity=who, eventTime=at(moment)))
        who = a_role_session(role, session, key=key, created=at(moment))
        moment += timedelta(minutes=draw(st.integers(0, 59)))
    if keyless:
        who = {**who, "accessKeyId": "ASIACONSOLE000000001"}
    use = an_event(userIdentity=who, eventTime=at(moment))
    return use, mints, [mint["eventID"] for mint in reversed(mints)]


@st.composite
def deliveries(draw):
    """The chain's records with noise, in any order, some delivered twice."""
    use, mints, expected = draw(chains())
    noise = [
        an_assumption(
            mint["requestParameters"]["roleArn"].rpartition("/")[2],
            "noise",
            key=f"ASIANOISE0000000000{n}",
            userIdentity=a_user("bob"),
            eventTime=mint["eventTime"],
        )
        for n, mint in enumerate(mints)
    ]
    records = [use, *mints, *noise]
    twice = draw(st.lists(st.sampled_from(records), max_size=4))
    return use, draw(st.permutations([*records, *copy.deepcopy(twice)])), expected


@SLOW
@given(deliveries())
def test_order_and_duplicates_and_days_do_not_change_the_chain(delivery):
    use, records, expected = delivery
    answer = who_assumed(use, records)

    assert [hop["event_id"] for hop in answer.data["chain"]] == expected
    assert all(len(hop["candidates"]) == 1 for hop in answer.data["chain"])
    assert answer.data["origin"]["label"] == "alice"
    assert answer.status == "answered"


@SLOW
@given(st.data())
def test_any_tangle_of_mints_ends(data):
    """Keys that mint each other at random, cycles included: an answer, and no event twice."""
    names = [f"ASIATANGLE000000000{n}" for n in range(5)]
    records = []
    for _ in range(data.draw(st.integers(1, 12))):
        caller, made = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
        minute = data.draw(st.integers(0, 59))
        records.append(
            an_assumption(
                "tangle",
                "s",
                key=made,
                userIdentity=a_role_session("tangle", "s", key=caller),
                eventTime=f"2026-03-10T11:{minute:02}:00Z",
            )
        )
    use = an_event(userIdentity=a_role_session("tangle", "s", key=names[0]))

    answer = who_assumed(use, [*records, use])

    ids = [hop["event_id"] for hop in answer.data["chain"] if hop["event_id"]]
    assert len(ids) == len(set(ids))
    assert answer.data["forward"]["total"] <= 60


_HOSTILE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.text(max_size=5))
)


@SLOW
@given(
    st.dictionaries(
        st.sampled_from(
            ["userIdentity", "requestParameters", "responseElements", "additionalEventData",
             "sourceIPAddress", "userAgent", "resources", "errorMessage", "serviceEventDetails"]
        ),
        _HOSTILE,
    )
)  # fmt: skip
def test_a_mint_of_any_shape_never_stops_the_question(changes):
    broken = {**an_assumption(), **changes}
    use = an_event(userIdentity=a_role_session())
    answer = who_assumed(use, [broken, use])
    assert answer.status in {"answered", "partial", "nothing", "not_covered"}
