"""A user's name beside a long-term key in a text: one identity only where the index says so."""

from __future__ import annotations

from alerts import parse_alerts
from alerts.alert import Alert
from enrich import ask_for_every_principal
from enrich.gaps import fill_gaps
from tests.an_event import ACCOUNT, a_role_session, a_user, an_event
from tests.memory_store import MemoryStore

KEY = "AKIAY34FZKBOKMUTVV7A"
LEE, KIM = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("lee", "kim"))
KIMS = MemoryStore(
    [
        an_event(eventID="kim", userIdentity=a_user("kim") | {"accessKeyId": KEY}),
        an_event(eventID="lee", userIdentity=a_user("lee")),
    ]
)
AT = "2026-03-10 12:30 UTC"


def completed(text: str, store: MemoryStore = KIMS) -> Alert:
    (alert,) = parse_alerts(text)
    return fill_gaps(alert, store)


def test_a_name_beside_somebody_elses_key_makes_two_identities() -> None:
    alert = completed(f"{AT} userName: lee, access key {KEY}, account {ACCOUNT}")
    assert [(one.arn, one.access_key_id) for one in alert.principals] == [(LEE, None), (KIM, KEY)]
    assert any(f"In the index that key is {KIM}'s: they are two" in note for note in alert.notes)
    sentences = [
        answer.sentence
        for result in ask_for_every_principal(alert, KIMS)
        for answer in result.answers
    ]
    assert not any("lee" in one and KEY in one for one in sentences)


def test_without_an_account_the_keys_own_user_is_asked_about_and_said() -> None:
    alert = completed(f"{AT} userName: lee, accessKeyId: {KEY}")
    assert [one.arn for one in alert.principals] == [KIM]
    assert any(note.startswith("The text names user lee beside") for note in alert.notes)


def test_the_keys_own_name_is_no_news() -> None:
    for text in (
        f"{AT} userName: kim, accessKeyId: {KEY}",
        f"{AT} userName: kim {KEY} account {ACCOUNT}",
    ):
        alert = completed(text)
        assert [(one.arn, one.access_key_id) for one in alert.principals] == [(KIM, KEY)]
        assert not any("The text names user" in note for note in alert.notes)


def test_where_the_index_does_not_know_the_key_the_text_stands() -> None:
    alert = completed(f"{AT} userName: lee {KEY} account {ACCOUNT}", MemoryStore([an_event()]))
    assert [(one.arn, one.access_key_id) for one in alert.principals] == [(LEE, KEY)]
    (parsed,) = parse_alerts(f"{AT} userName: lee, accessKeyId: {KEY}")
    assert (parsed.principals[0].type, parsed.principals[0].user_name) == ("Unknown", "lee")


def test_a_key_that_several_used_is_told_to_be_judged_by_its_newest_event() -> None:
    key = "ASIAY34FZKBOKMUTVV7B"
    events = [
        an_event(
            eventID=f"{name}-{n}",
            eventTime=f"2026-03-10T12:{n:02}:00Z",
            userIdentity=a_role_session("reader", name, key=key),
        )
        for n, name in enumerate(["other", "other", "work"])
    ]
    alert = completed(key, MemoryStore(events))
    assert alert.principals[0].session_name == "work"
    (note,) = (one for one in alert.notes if "taken from event" in one)
    other = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/other (2 events)"
    assert f"newest event of this access key; {other} used it as well" in note
    (alone,) = (n for n in completed(key, MemoryStore(events[2:])).notes if "taken from event" in n)
    assert "as well" not in alone
