"""A user's name beside a long-term key in a text: one identity only where the index says so."""

from __future__ import annotations

import json

from alerts import parse_alerts
from alerts.alert import Alert
from enrich import Result, ask_for_every_principal
from enrich.gaps import fill_gaps
from tests.an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event, around
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


STS, AT_12 = f"arn:aws:sts::{ACCOUNT}:assumed-role", "2026-03-10T12:00:00Z"
TEMPORARY = "ASIAY34FZKBOKMUTVV7C"
KIM_IS, LEE_IS = a_user("kim"), a_user("lee")
ONE_SESSION = [
    *around(),
    an_assumption("dev", "work", key=TEMPORARY, userIdentity=KIM_IS, eventID="the mint"),
    an_event(
        eventID="the use",
        eventSource="iam.amazonaws.com",
        eventName="CreateUser",
        readOnly=False,
        requestParameters={"userName": "evil"},
        userIdentity=a_role_session("dev", "work", key=TEMPORARY),
    ),
    an_event(eventName="ListUsers", eventTime="2026-03-10T11:45:00Z", userIdentity=KIM_IS),
    an_event(eventName="ListRoles", eventTime="2026-03-10T11:46:00Z", userIdentity=LEE_IS),
]
"""Session work of role dev, which kim assumed, and an hour of kim and lee."""


def shown(alert: Alert) -> list[tuple[str | None, str | None]]:
    return [(one.arn or one.principal_id, one.access_key_id) for one in alert.principals]


def assumed_by(text: str, store: MemoryStore) -> dict[str | None, str]:
    """Who assumed each identity of the text, in the answer's words."""
    asked: list[Result] = ask_for_every_principal(completed(text, store), store)
    return {one.principal.arn or one.principal.principal_id: one.answers[0].sentence
            for one in asked}  # fmt: skip


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


def test_a_temporary_key_beside_a_user_is_at_its_session_and_nobody_assumed_the_user() -> None:
    store = MemoryStore(ONE_SESSION)
    for user, text in (
        ("evil", f"Access key {TEMPORARY} created user {{}} at {AT_12} from 198.51.100.7"),
        ("kim", f"{{}} used {TEMPORARY} iam:CreateUser {AT_12} 198.51.100.7"),
        ("lee", f"{{}} used access key {TEMPORARY} at {AT_12} from 198.51.100.7"),
    ):
        arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
        alert = completed(text.format(arn), store)
        assert shown(alert) == [(arn, None), (f"{STS}/dev/work", TEMPORARY)]
        assert any(
            f"names {arn} beside access key {TEMPORARY}. In the index that key is {STS}/dev/work's:"
            " they are two identities" in note
            for note in alert.notes
        )
        said = assumed_by(text.format(arn), store)
        assert said[arn].startswith(f"Not an assumed role: IAM user {user}")
        assert said[f"{STS}/dev/work"].startswith("Assumed by IAM user kim at 2026-03-10 11:50:00")


def test_a_temporary_key_that_only_its_making_shows_is_at_the_session_it_was_made_for() -> None:
    store = MemoryStore(ONE_SESSION[:-3])
    alert = completed(f"{LEE} used {TEMPORARY} {AT_12}", store)
    assert shown(alert) == [(LEE, None), (f"{STS}/dev/work", TEMPORARY)]


def test_a_temporary_key_of_the_user_itself_makes_no_second_identity() -> None:
    own = an_event(userIdentity=a_user("lee", accessKeyId=TEMPORARY))
    made = an_event(
        eventSource="sts.amazonaws.com",
        eventName="GetSessionToken",
        userIdentity=LEE_IS,
        responseElements={"credentials": {"accessKeyId": TEMPORARY}},
    )
    for store in (MemoryStore([own]), MemoryStore([made]), MemoryStore([an_event()])):
        alert = completed(f"{LEE} used {TEMPORARY} {AT_12}", store)
        assert shown(alert) == [(LEE, TEMPORARY)]


def test_a_session_beside_the_key_of_another_session_of_its_role_is_two_identities() -> None:
    store = MemoryStore(ONE_SESSION)
    text = f"{STS}/dev/ghost {TEMPORARY} {AT_12} 198.51.100.7"
    assert shown(completed(text, store)) == [
        (f"{STS}/dev/ghost", None),
        (f"{STS}/dev/work", TEMPORARY),
    ]
    said = assumed_by(text, store)
    assert said[f"{STS}/dev/ghost"].startswith("No indexed event explains session ghost")
    # The role's ARN as it is written with the path, and its own session, are no contradiction.
    alert = completed(f"{STS}/dev/work {TEMPORARY} {AT_12}", store)
    assert shown(alert) == [(f"{STS}/dev/work", TEMPORARY)]
    assert not any("beside" in note for note in alert.notes)


def test_a_long_term_key_beside_root_a_role_or_a_session_is_its_own_users() -> None:
    store = MemoryStore(ONE_SESSION)
    key = KIM_IS["accessKeyId"]
    for arn in (
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:role/dev",
        f"{STS}/dev/work",
    ):
        alert = completed(f"{arn} {key} {AT_12} 198.51.100.7", store)
        assert [(one.arn, one.access_key_id) for one in alert.principals] == [
            (arn, None),
            (KIM, key),
        ]
        caveats = [
            caveat
            for result in ask_for_every_principal(alert, store)
            for answer in result.answers
            for caveat in answer.caveats
        ]
        assert not any("juggling" in caveat for caveat in caveats)


def test_a_long_term_key_is_no_sessions_even_where_the_index_does_not_know_it() -> None:
    alert = completed(f"{STS}/dev/work {KEY} {AT_12}", MemoryStore(ONE_SESSION))
    assert shown(alert) == [(f"{STS}/dev/work", None), (None, KEY)]
    assert any("No session of a role" in note for note in alert.notes)


def test_a_masked_user_beside_a_key_is_the_keys_user() -> None:
    arn, key = f"arn:aws:iam::{ACCOUNT}:user/REDACTED", KIM_IS["accessKeyId"]
    alert = completed(f"{arn} key {key} {AT_12}", MemoryStore(ONE_SESSION))
    assert shown(alert) == [(KIM, key)]
    assert any(f"is {KIM}'s, who is asked about" in note for note in alert.notes)


def test_one_assumption_is_no_role_juggling_where_a_record_shows_a_users_key_on_the_role() -> None:
    # As AWS's own examples do; the session is told by its role alone.
    identity = a_role_session("dev", "work", key=KIM_IS["accessKeyId"])
    del identity["sessionContext"]["attributes"], identity["principalId"], identity["arn"]
    use = an_event(userIdentity=identity)
    store = MemoryStore([*ONE_SESSION[:-3], use])
    (alert,) = parse_alerts(json.dumps(use))
    (result,) = ask_for_every_principal(fill_gaps(alert, store), store)
    assert not any("juggling" in caveat for caveat in result.answers[0].caveats)


def test_of_a_key_of_several_users_the_named_one_is_asked_about() -> None:
    users = ("aa", "bb", "cc", "dd", "zz")
    store = MemoryStore(
        [an_event(userIdentity=a_user(name, accessKeyId=KEY)) for name in users]
        + [an_event(userIdentity=a_user("aa", accessKeyId=KEY), eventTime="2026-03-10T12:10:00Z")]
    )
    zz = f"arn:aws:iam::{ACCOUNT}:user/zz"
    for text in (f"userName: zz, access key {KEY}", f"{zz}, access key {KEY}"):
        for time in (f"\n{AT_12}", ""):
            alert = completed(text + time, store)
            assert shown(alert) == [(zz, KEY)]
            note = next(note for note in alert.notes if "as well" in note)
            assert note.startswith(f"arn:aws:iam::{ACCOUNT}:user/aa, ")
            assert "/cc and 1 other used" in note


def test_a_user_beside_the_unique_id_of_another_is_two_identities() -> None:
    store = MemoryStore(ONE_SESSION)
    alert = completed(f"{LEE} {KIM_IS['principalId']} {AT_12}", store)
    assert [(one.arn, one.principal_id) for one in alert.principals] == [
        (LEE, None),
        (KIM, KIM_IS["principalId"]),
    ]
    assert any(f"In the index that id is {KIM}'s: they are two" in note for note in alert.notes)
    alert = completed(f"{LEE} {LEE_IS['principalId']} {AT_12}", store)
    assert [one.principal_id for one in alert.principals] == [LEE_IS["principalId"]]


def test_the_unique_id_of_one_user_beside_the_key_of_another_is_two_identities() -> None:
    store, key = MemoryStore(ONE_SESSION), KIM_IS["accessKeyId"]
    alert = completed(f"principal {LEE_IS['principalId']} key {key} at {AT_12}", store)
    assert shown(alert) == [(LEE_IS["principalId"], None), (KIM, key)]
    alert = completed(f"principal {KIM_IS['principalId']} key {key} at {AT_12}", store)
    assert shown(alert) == [(KIM_IS["principalId"], key)]


def test_somebody_beside_the_id_of_anothers_event_is_told_whose_it_is() -> None:
    use = an_event(userIdentity=a_role_session("dev", "work", key=TEMPORARY))
    store = MemoryStore([*ONE_SESSION, use])
    event_id, work = use["eventID"], f"{STS}/dev/work"
    for arn in (LEE, f"{STS}/ops/job"):
        for text in (f"{arn} event {event_id}", f"{arn} event id {event_id} {AT_12} 198.51.100.7"):
            alert = completed(text, store)
            assert shown(alert) == [(arn, None), (work, TEMPORARY)]
            said = f"{event_id} in the index was made by {work} with access key {TEMPORARY}, and not by {arn},"  # noqa: E501
            assert any(said in note for note in alert.notes)
    for text in (f"{work} event {event_id}", f"{work} {TEMPORARY} event {event_id} {AT_12}"):
        alert = completed(text, store)
        assert [one.arn for one in alert.principals] == [work]
        assert not any("was made by" in note for note in alert.notes)


def test_a_key_beside_the_id_of_anothers_event_is_not_dropped() -> None:
    other = "ASIAY34FZKBOKMUTVV7D"
    use = an_event(userIdentity=a_role_session("dev", "work", key=TEMPORARY))
    its = an_event(userIdentity=a_role_session("dev", "other", key=other))
    for events in ([use, its], [use]):
        alert = completed(f"event {use['eventID']} key {other}", MemoryStore(events))
        assert [one.access_key_id for one in alert.principals] == [other, TEMPORARY]
        assert alert.principals[0].arn == (f"{STS}/dev/other" if its in events else None)
        assert any("was made by" in note and other in note for note in alert.notes)


def test_what_an_event_says_of_one_identity_is_not_said_of_the_others_of_a_text() -> None:
    store = MemoryStore([an_event(userIdentity=KIM_IS), an_event(userIdentity=LEE_IS)])
    alert = completed(f"{LEE} and {KIM}", store)
    assert [(one.arn, one.principal_id or None) for one in alert.principals] in (
        [(LEE, LEE_IS["principalId"]), (KIM, None)],
        [(LEE, None), (KIM, KIM_IS["principalId"])],
    )


def test_a_user_told_without_its_path_or_with_another_is_asked_about_as_indexed() -> None:
    zoe = f"arn:aws:iam::{ACCOUNT}:user/eng/zoe"
    store = MemoryStore([*around(), an_event(userIdentity=a_user("zoe", arn=zoe))])
    key = a_user("zoe")["accessKeyId"]
    for told in (
        f"arn:aws:iam::{ACCOUNT}:user/zoe key {key}",
        f"arn:aws:iam::{ACCOUNT}:user/ops/zoe key {key}",
        f"arn:aws:iam::{ACCOUNT}:user/Zoe",
        f"IAM user zoe in account {ACCOUNT}",
    ):
        for time in (f" {AT_12} 198.51.100.7", ""):
            alert = completed(told + time, store)
            (result,) = ask_for_every_principal(alert, store)
            assert result.principal.arn == zoe
            assert any(f"as {zoe}, which is asked about" in note for note in alert.notes)
            services = next(one for one in result.answers if one.name == "services_used")
            assert services.sentence.startswith("1 call to 1 service")
    # One of another account, and one whose ARN is just so, are nobody else.
    other = "arn:aws:iam::444455556666:user/zoe"
    assert [one.arn for one in completed(f"{other} {AT_12}", store).principals] == [other]
    assert not any("which is asked" in note for note in completed(f"{zoe} {AT_12}", store).notes)


def test_what_other_sessions_of_its_role_did_is_told_as_theirs() -> None:
    store = MemoryStore(ONE_SESSION)
    text = f"{STS}/dev/other at {AT_12} from 198.51.100.7"
    (asked,) = ask_for_every_principal(completed(text, store), store)
    told = {one.name: one.caveats for one in asked.answers}
    said = (
        "Session other of role dev made none of these calls: other sessions of the role did"
        " (work), from the alert's address 198.51.100.7."
    )
    assert said in told["services_used"]
    assert said in told["interesting_calls"]
    assert said not in told["roles_assumed"]  # which has none
    (asked,) = ask_for_every_principal(completed(text.replace("other", "work"), store), store)
    assert not any("none of these calls" in c for one in asked.answers for c in one.caveats)
