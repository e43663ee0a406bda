"""Sentences that said more than their evidence, found by reading what alerts give."""

from __future__ import annotations

import json
from dataclasses import replace

from alerts import parse_alerts
from alerts.alert import Principal
from enrich import ask_all
from tests.an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from tests.memory_store import MemoryStore


def test_what_made_other_sessions_of_the_name_was_not_done_to_this_one() -> None:
    """Tina's and Sam's sessions of one name are two: neither acted upon the other's."""
    own = an_event(userIdentity=a_role_session("reader", "work"))
    mints = [
        an_assumption("reader", "work", eventID=name, userIdentity=a_user(name), requestID=name,
                      eventTime=f"2026-03-10T11:{50 + n}:00Z", key=f"ASIAROLESESSION0000{n}")
        for n, name in enumerate(("tina", "sam"))
    ]  # fmt: skip
    (alert,) = parse_alerts(json.dumps(own))
    services = ask_all(alert, alert.principals[0], MemoryStore([own, *mints]))[2]
    assert "Sessions of this role and name were acted upon in 2 events: AssumeRole" in (
        services.sentence
    )
    assert " It was acted upon" not in services.sentence


def test_that_another_identity_of_the_alert_may_have_made_its_call_is_said() -> None:
    lee = [
        an_event(eventID=f"lee-{day}-{n}", eventTime=f"2026-03-{day:02}T09:{n:02}:00Z",
                 userIdentity=a_user("lee"))
        for day in range(1, 10) for n in range(3)
    ]  # fmt: skip
    kims = an_event(
        eventID="own", eventName="CreateUser", eventSource="iam.amazonaws.com",
        userIdentity=a_user("kim"),
    )  # fmt: skip
    store = MemoryStore([*lee, kims])
    (alert,) = parse_alerts(json.dumps(kims))
    other = Principal("IAMUser", arn=f"arn:aws:iam::{ACCOUNT}:user/lee", account_id=ACCOUNT)
    both = replace(alert, event_id=None, event_ids=(), principals=(alert.principals[0], other))
    of_lee = ask_all(both, other, store)[4]
    assert any("this one called CreateUser then" in caveat for caveat in of_lee.caveats)
    of_kim = ask_all(both, alert.principals[0], store)[4]
    assert not any("called CreateUser then" in caveat for caveat in of_kim.caveats)


def test_a_service_is_not_said_to_act_for_itself() -> None:
    record = an_event(userIdentity={"type": "AWSService", "invokedBy": "lambda.amazonaws.com"})
    (alert,) = parse_alerts(json.dumps(record))
    assumed = ask_all(alert, alert.principals[0], MemoryStore([record]))[0]
    assert assumed.sentence == "Not an assumed role: lambda.amazonaws.com made the call."
    assert "An AWS service made this call: the record names no session behind it." in alert.notes
