"""A name that may stand where another was: looked up, told, and never surely."""

from __future__ import annotations

import json

import pytest

from alerts import parse_alerts
from enrich import ask_all
from tests.an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from tests.answered import data_of
from tests.memory_store import MemoryStore
from trail.masks import could_be_a_name, is_written_over_an_id, may_be_mask
from trail.placeholders import is_no_id


@pytest.mark.parametrize(
    "name",
    ["***", "…", "xxxx", "REDACTED", "redacted-user", "EXAMPLEe3b6", "masked_7", "anonymised",
     "aaaa", "hidden", "unknown", "kim lee", "用户"],
)  # fmt: skip
def test_masks(name: str) -> None:
    assert may_be_mask(name)


@pytest.mark.parametrize(
    "name", ["kim", "example-app", "hidden-zone-updater", "i-0abc", "...", "aaa"]
)
def test_names(name: str) -> None:
    assert not may_be_mask(name)
    assert could_be_a_name(name)


def test_an_ids_words_are_more_than_a_names() -> None:
    assert is_written_over_an_id("example-0001")
    assert is_no_id("EXAMPLE-0001") and is_no_id("removed")  # noqa: PT018
    assert not is_no_id("deadbeef-0000-4000-8000-000000000001")


def _asked(session: str) -> tuple[tuple[str, ...], list[dict[str, object]], int]:
    """The alert's notes, the chain and the number of calls, of a session whose key was masked."""
    identity = a_role_session("reader", session) | {"accessKeyId": "ASIA****************"}
    own = an_event(eventID="own", userIdentity=identity)
    others = [
        an_event(
            eventID=f"other-{n}",
            userIdentity=a_role_session("reader", "kim"),
            sourceIPAddress="203.0.113.99",
        )
        for n in range(3)
    ]
    store = MemoryStore([an_assumption("reader", session, eventID="mint"), own, *others])
    (alert,) = parse_alerts(json.dumps(own))
    chain, _, services, *_ = ask_all(alert, alert.principals[0], store)
    return alert.notes, data_of(chain)["chain"], int(data_of(services)["total"])


@pytest.mark.parametrize("session", ["REDACTED", "unknown", "xxxx", "EXAMPLEsession"])
def test_a_session_of_such_a_name_is_found_and_never_surely(session: str) -> None:
    notes, chain, calls = _asked(session)
    assert calls == 1  # its own, not all of its role's
    assert [hop["event_id"] for hop in chain] == ["mint"]
    assert chain[0]["confidence"] in ("medium", "low")
    assert any(f"“{session}” may be a session's name" in note for note in notes)


def test_any_other_session_is_sure_and_nothing_is_said() -> None:
    notes, chain, calls = _asked("kim2")
    assert (calls, chain[0]["confidence"]) == (1, "high")
    assert not any("may be a session's name" in note for note in notes)


def test_what_says_none_is_no_name() -> None:
    (alert,) = parse_alerts(json.dumps(an_event(userIdentity=a_role_session("reader", "null"))))
    assert alert.principals[0].session_name is None


def test_a_users_name_that_may_be_a_mask_is_said() -> None:
    (alert,) = parse_alerts(json.dumps(an_event(userIdentity=a_user("REDACTED"))))
    assert alert.principals[0].arn == f"arn:aws:iam::{ACCOUNT}:user/REDACTED"
    assert any("“REDACTED” may be a user's name" in note for note in alert.notes)
