"""Role chains whatever the order, the duplicates and the days: the same chain, and it ends."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enrich.questions.assumed_by import ASSUMED_BY
from tests.an_alert import an_alert, who_assumed
from tests.an_event import a_role_session, a_user, an_assumption, an_event
from tests.answered import as_written
from trail.index.build import add
from trail.store import Store, open_store

SLOW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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
        role, session, key = f"role-{n}", f"s{n}", f"ASIACHAIN0Q0Q0Q0Q0Q{n}"
        mints.append(an_assumption(role, session, key=key, userIdentity=who, eventTime=at(moment)))
        who = a_role_session(role, session, key=key, created=at(moment))
        moment += timedelta(minutes=draw(st.integers(0, 59)))
    if keyless:
        who = {**who, "accessKeyId": "ASIACONSOLE0Q0Q0Q0Q1"}
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
            key=f"ASIANOISE0Q0Q0Q0Q0Q{n}",
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
    names = [f"ASIATANGLE0Q0Q0Q0Q0{n}" for n in range(5)]
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


def on_disk(records, folder: Path) -> Store:
    """A real index of the records, delivered as one file for each of their days."""
    by_day: dict[str, list[dict]] = {}
    for record in records:
        by_day.setdefault(record["eventTime"][:10], []).append(record)
    logs = folder / "logs"
    logs.mkdir()
    for day, of_day in by_day.items():
        (logs / f"{day}.json").write_text(json.dumps({"Records": of_day}))
    add([logs], folder / "index")
    return open_store(folder / "index")


def test_a_console_chain_over_midnight_is_the_same_on_a_real_index(tmp_path):
    created = "2026-03-09T22:00:00Z"
    console = a_user(
        accessKeyId="ASIACONSOLE0Q0Q0Q0Q1",
        sessionContext={"sessionIssuer": {}, "attributes": {"creationDate": created}},
    )
    login = an_event(
        eventTime=created,
        eventSource="signin.amazonaws.com",
        eventName="ConsoleLogin",
        responseElements={"ConsoleLogin": "Success"},
        userIdentity=a_user(accessKeyId=None),
    )
    mint = an_assumption(
        "admin",
        "alice",
        key="ASIAMINTED0Q0Q0Q0Q01",
        userIdentity={**console, "invokedBy": "AWS Internal"},
        eventTime="2026-03-09T23:59:58Z",
        sourceIPAddress="AWS Internal",
        userAgent="AWS Internal",
    )
    session = a_role_session(
        "admin", "alice", key="ASIACONSOLE0Q0Q0Q0Q2", created="2026-03-09T23:59:58Z"
    )
    chained = an_assumption(
        "vault", "z", key="ASIAVAULT0Q0Q0Q0Q0Q1", userIdentity=session,
        eventTime="2026-03-10T00:20:00Z",
    )  # fmt: skip
    vault = a_role_session("vault", "z", key="ASIAVAULT0Q0Q0Q0Q0Q1", created="2026-03-10T00:20:00Z")
    uses = [
        an_event(userIdentity=session, eventTime="2026-03-10T00:10:00Z"),
        an_event(userIdentity=vault, eventTime="2026-03-10T23:50:00Z"),
    ]
    store = on_disk([login, mint, chained, *uses], tmp_path)
    alert = an_alert(uses[0])

    answer = as_written(ASSUMED_BY.ask(alert, alert.principals[0], store))

    assert [(hop["event_id"], hop["rule"]) for hop in answer.data["chain"]] == [
        (mint["eventID"], "R2"),
        (login["eventID"], "R0"),
    ]
    assert answer.data["origin"]["label"] == "alice"
    (branch,) = answer.data["forward"]["sessions"]
    assert (branch["event_id"], branch["events"]) == (chained["eventID"], 1)


def test_each_further_hop_costs_one_look_up():
    def queries(length: int) -> int:
        who, mints = a_user(), []
        for n in range(length):
            key, created = f"ASIACOST0Q0Q0Q0Q0Q0{n}", f"2026-03-10T11:0{n}:00Z"
            mints.append(an_assumption(f"r{n}", "s", key=key, userIdentity=who, eventTime=created))
            who = a_role_session(f"r{n}", "s", key=key, created=created)
        answer = who_assumed(an_event(userIdentity=who), mints)
        assert len(answer.data["chain"]) == length
        return len(answer.queries)

    assert queries(6) == queries(1) + 5
