"""What people write about an alert, as they write it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from alerts import parse_alerts
from alerts.alert import Alert
from tests.an_event import a_role_session, an_event
from tests.shapes import table
from trail.errors import AlertUnrecognised

LEE = "arn:aws:iam::210987654321:user/lee"
SESSION = "arn:aws:sts::210987654321:assumed-role/Deploy/kim"


def the_alert(text: str) -> Alert:
    (alert,) = parse_alerts(text)
    return alert


@pytest.mark.parametrize("dot", ["[.]", "(.)", "[dot]"])
def test_a_defanged_address(dot: str) -> None:
    alert = the_alert(f"{LEE} from 203.0.113.9 via hxxps://x".replace("113.9", f"113{dot}9"))
    assert alert.source_ip_address == "203.0.113.9"


@pytest.mark.parametrize(
    "where",
    ["hxxp://203[.]0[.]113[.]9/", "hxxps://203[.]0[.]113[.]9:8443/x?y=1", "http://203.0.113.9",
     "203.0.113.9:443", "203[.]0[.]113[.]9"],
)  # fmt: skip
def test_an_address_in_a_link_or_with_its_port(where: str) -> None:
    assert the_alert(f"{LEE} came from {where} , twice").source_ip_address == "203.0.113.9"
    assert the_alert(f"{LEE} with tool/203.0.113.9 in 203.0.113.0/24").source_ip_address is None


def test_an_ipv6_address_in_a_link() -> None:
    assert the_alert(f"{LEE} came from hxxp://[2001:db8::1]/").source_ip_address == "2001:db8::1"


@pytest.mark.parametrize(
    ("words", "arn"),
    [
        ("role Deploy (session kim) in account 210987654321 made calls.", SESSION),
        ("assumed-role/Deploy/kim in account 210987654321 did CreateUser", SESSION),
        ("Session: kim, role: Deploy, account: 2109-8765-4321", SESSION),
        ("the session kim of role Deploy in account 210987654321", SESSION),
        ("User: lee, Account: 2109-8765-4321", LEE),
        ("User: lee\nAccount: 2109-8765-4321\nIP: 203.0.113.9", LEE),
        ("User lee in 210987654321 called", LEE),
        ("IAM user lee of account 210987654321", LEE),
    ],
)
def test_an_identity_in_words_beside_its_account(words: str, arn: str) -> None:
    (principal,) = the_alert(words).principals
    assert (principal.arn, principal.account_id) == (arn, "210987654321")


@pytest.mark.parametrize(
    ("words", "users"),
    [
        ("IAM user carl or IAM user bob in account 210987654321", ["carl", "bob"]),
        ("IAM user carl and IAM user bob in account 210987654321", ["carl", "bob"]),
        ("IAM user carl or bob in account 210987654321", ["carl", "bob"]),
        (
            "In account 210987654321 the IAM users carl, bob and max made keys",
            ["carl", "bob", "max"],
        ),
        ("users carl and bob of account 210987654321", ["carl", "bob"]),
        ("IAM users: carl, bob and max (account 210987654321)", ["carl", "bob", "max"]),
        ("users: carl; bob in account 210987654321", ["carl", "bob"]),
        ("IAM user carl, then gone, in account 210987654321", ["carl"]),
        ("IAM user carl and the root user in account 210987654321", ["carl"]),
        ("IAM user carl signed in, and left account 210987654321", ["carl"]),
    ],
)
def test_several_identities_in_words_are_all_offered(words: str, users: list[str]) -> None:
    alert = the_alert(words)
    assert [person.user_name for person in alert.principals] == users
    assert any("choose one" in note for note in alert.notes) is (len(users) > 1)


@pytest.mark.parametrize(
    "words",
    ["User: lee and nothing else", "The IAM user was deleted in account 210987654321",
     "User: lee, Account: 210987654321, moved to account 111122223333"],
)  # fmt: skip
def test_words_that_leave_the_identity_open_name_none(words: str) -> None:
    with pytest.raises(AlertUnrecognised):
        parse_alerts(words)


def test_the_user_of_a_temporary_key_need_not_be_an_iam_user() -> None:
    words = "Account: 210987654321\nUser: Deploy\nAccess key: ASIAQQQQWWWWEEEERRRR"
    (person,) = the_alert(words).principals
    assert (person.arn, person.access_key_id) == (None, "ASIAQQQQWWWWEEEERRRR")
    (person,) = the_alert(words.replace("ASIA", "AKIA")).principals
    assert person.arn == "arn:aws:iam::210987654321:user/Deploy"


@pytest.mark.parametrize(
    "words", ["account 2109-8765-4321", "AWS account: 210987654321", "Account number 210987654321"]
)
def test_an_account_with_and_without_dashes(words: str) -> None:
    assert the_alert(f"In {words} the key ASIAQQQQWWWWEEEERRRR was used").account_id == (
        "210987654321"
    )


def test_five_spellings_of_one_identity_are_one() -> None:
    (person,) = the_alert(
        f"{SESSION} (AROAQQWWEERRTTYYUUIIO:kim, key ASIAQQQQWWWWEEEERRRR), that is role "
        "arn:aws:iam::210987654321:role/teams/Deploy, AROAQQWWEERRTTYYUUIIO."
    ).principals
    assert (person.arn, person.principal_id) == (SESSION, "AROAQQWWEERRTTYYUUIIO:kim")
    assert (person.access_key_id, person.session_name) == ("ASIAQQQQWWWWEEEERRRR", "kim")


def test_two_identities_are_two() -> None:
    alert = the_alert(f"{LEE} and {LEE.replace('lee', 'max')}")
    assert [person.user_name for person in alert.principals] == ["lee", "max"]
    assert any("names 2 identities" in note for note in alert.notes)


def test_a_template_of_a_finding_without_ids_gives_what_it_has() -> None:
    alert = the_alert(
        json.dumps(
            [
                {
                    "title": "GuardDuty finding with severity 8/10",
                    "type": "UnauthorizedAccess:IAMUser/ConsoleLogin/AccessKey",
                    "info": "https://x/guardduty/home?#/findings?search=id%3D" + "ab" * 16,
                    "account_id": "210987654321",
                    "region": "us-east-1",
                }
            ]
        )
    )
    assert alert.finding_type == alert.title == "UnauthorizedAccess:IAMUser/ConsoleLogin"
    assert (alert.id, alert.severity) == ("ab" * 16, 8)
    assert (alert.account_id, alert.region) == ("210987654321", "us-east-1")
    assert any("names no identity" in note for note in alert.notes)


def test_an_id_that_a_line_break_stands_in_is_not_used() -> None:
    record = an_event(userIdentity=a_role_session(session="a\nb", key="ASIAROLE\tSESSION001"))
    (person,) = the_alert(json.dumps(record)).principals
    assert person.access_key_id is None
    assert person.principal_id is None
    assert person.session_name is None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (json.dumps(an_event())[:-40], "cut off at its end"),
        ('{"arn": "arn:aws:iam::210987654321:user/lee" "b": 1}', "line 1, column 46"),
        (json.dumps(an_event())[25:], "cut off at its start"),
    ],
)
def test_where_json_breaks_is_said(text: str, where: str) -> None:
    alert = the_alert(text)
    assert any(where in note for note in alert.notes)
    assert alert.title not in ("{", "[")


def test_a_bracket_is_no_alert() -> None:
    with pytest.raises(AlertUnrecognised):
        parse_alerts("{")


FROM_203 = ("2026-03-10T09:30:00", "203.0.113.9")


@pytest.mark.parametrize(
    "text",
    [
        f"time=2026-03-10T09:30:00Z src=203.0.113.9 user {SESSION}",
        f"arn={SESSION}\neventTime=2026-03-10T09:30:00Z\nsourceIPAddress=203.0.113.9\n",
        f"https://siem.example/a?id=3D4A&time=2026-03-10T09:30:00Z {SESSION} at 203.0.113.9",
        f"errorCode=\ntime=2026-03-10T09:30:00Z\nsrc=203.0.113.9 {SESSION}",
        f"LEEF:1.0|Amazon|AWS CloudTrail|1.0|CreateUser|\tdevTime=2026-03-10T09:30:00Z"
        f"\tsrc=203.0.113.9\tusrName=kim\tarn={SESSION}",
    ],
    ids=["pairs", "lines", "a link", "a field without a value", "LEEF"],
)
def test_pairs_of_key_and_value_are_no_coded_mail(text: str) -> None:
    alert = the_alert(text)
    assert alert.first_seen is not None
    assert (f"{alert.first_seen:%Y-%m-%dT%H:%M:%S}", alert.source_ip_address) == FROM_203
    assert [person.arn for person in alert.principals] == [SESSION]


@pytest.mark.parametrize("event_id", ["3038EBD2-C98A-4C65-9B6E-E22506292313"])
def test_an_id_is_never_decoded(event_id: str) -> None:
    alert = the_alert(f"id=3D3838 eventID={event_id}")
    assert alert.event_id == event_id.lower()


@pytest.mark.parametrize(
    "mail",
    [
        "Content-Transfer-Encoding: quoted-printable\n\n"
        f"time=3D2026-03-10T09:30:00Z src=3D203.0.113.9=20\n{SESSION[:30]}=\n{SESSION[30:]}",
        f"The address=20203.0.113.9=20was used at=202026-03-10T09:30:00Z by the session=20{'':3}=\n"
        f"{SESSION[:40]}=\n{SESSION[40:]}",
        f"time=3D2026-03-10T09:30:00Z src=3D203.0.113.9 arn=3D{SESSION}",
    ],
    ids=["by its header", "by its line breaks", "by its coded signs"],
)
def test_coded_mail_is_read_and_said(mail: str) -> None:
    alert = the_alert(mail)
    assert alert.first_seen is not None
    assert (f"{alert.first_seen:%Y-%m-%dT%H:%M:%S}", alert.source_ip_address) == FROM_203
    assert [person.arn for person in alert.principals] == [SESSION]
    assert any("quoted-printable" in note for note in alert.notes)


@pytest.mark.parametrize(
    "text",
    [
        f"userIdentity.arn,eventName,count,values(src)\n{SESSION},CreateUser,17,203.0.113.9\n",
        f"Date;Service;@evt.name;@arn;@ip\n2026-03-10T09:30:00Z;x;CreateUser;{SESSION};203.0.113.9",
        f"2026-03-10T09:30:00Z,cloudtrail,CreateUser,{SESSION},203.0.113.9,ASIAQQQQWWWWEEEERRRR",
        f"_time\tuser_arn\tcommand\tsrc\n2026-03-10T09:30:00Z\t{SESSION}\tCreateUser\t203.0.113.9",
        f"{SESSION},203.0.113.9",
    ],
    ids=["counts", "semicolons", "without a header", "tabs", "two cells"],
)
def test_no_cell_is_glued_onto_an_arn(text: str) -> None:
    alert = the_alert(text)
    (person,) = alert.principals
    assert (person.arn, person.session_name) == (SESSION, "kim")
    assert alert.source_ip_address == "203.0.113.9"


def test_a_comma_in_a_sessions_name_is_kept() -> None:
    text = f"The session {SESSION},a=b was used on 2026-03-10, twice, by 203.0.113.9"
    (person,) = the_alert(text).principals
    assert person.session_name == "kim,a=b"


def test_a_code_that_a_line_break_cuts_in_two() -> None:
    record = an_event(userIdentity=a_role_session(session="work="))
    text = json.dumps(record).replace("=", "=3D")
    at = text.index("=3D")
    for cut in (at + 1, at + 2):
        (person,) = the_alert(f"{text[:cut]}=\r\n{text[cut:]}").principals
        assert person.session_name == "work="


def test_what_was_escaped_twice_is_read() -> None:
    text = json.dumps(an_event(eventName="CreateUser")).replace('"', "&amp;quot;")
    alert = the_alert(text)
    assert (alert.source, alert.event_name) == ("cloudtrail", "CreateUser")
    assert any("HTML" in note for note in alert.notes)


def flattened(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, member in value.items():
        name = f"{before}{key}"
        found |= flattened(member, f"{name}.") if isinstance(member, dict) else {name: member}
    return found


FINDING = {
    "schemaVersion": "2.0", "accountId": "210987654321", "region": "us-east-1", "id": "ab" * 16,
    "type": "Recon:IAMUser/TorIPCaller", "severity": 5, "title": "t",
    "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
        "accessKeyId": "ASIAQQQQWWWWEEEERRRR", "principalId": "AROAQQWWEERRTTYYUUIIO:kim",
        "userType": "AssumedRole", "userName": "Deploy"}},
    "service": {
        "action": {"actionType": "AWS_API_CALL", "awsApiCallAction": {
            "api": "ListUsers", "serviceName": "iam.amazonaws.com",
            "remoteIpDetails": {"ipAddressV4": "203.0.113.9"}}},
        "eventFirstSeen": "2026-03-10T09:00:00Z", "eventLastSeen": "2026-03-10T09:00:00Z"},
}  # fmt: skip


@pytest.mark.parametrize(
    "shown",
    [
        json.dumps(flattened(FINDING)),
        json.dumps({"result": flattened({"detail": FINDING})}),
        table(flattened(FINDING)),
        table(["_time", "_raw"], ["x", json.dumps(FINDING)]),
        json.dumps({"attachments": [{"fields": [{"value": json.dumps(FINDING)}]}]}),
        json.dumps({"messages": [{"incident": {"details": FINDING}}]}),
        json.dumps({"data": {"integration": "aws", "aws": FINDING}}),
    ],
    ids=["dotted", "dotted in Splunk", "CSV", "CSV of _raw", "Slack", "PagerDuty", "Wazuh"],
)
def test_a_finding_as_a_tool_hands_it_out(shown: str) -> None:
    alert = the_alert(shown)
    assert (alert.source, alert.id) == ("guardduty", "ab" * 16)
    assert (alert.event_name, alert.source_ip_address) == ("ListUsers", "203.0.113.9")
    (person,) = alert.principals
    assert (person.principal_id, person.session_name) == ("AROAQQWWEERRTTYYUUIIO:kim", "kim")
    assert person.access_key_id == "ASIAQQQQWWWWEEEERRRR"


KEY = "AKIAY34FZKBOKMUTVV7A"
USED = "2026-03-10T07:06:00Z"


@pytest.mark.parametrize(
    "age",
    [
        "access key created 2025-01-02 03:04 UTC",
        f"Access key {KEY} (created 2025-01-02 03:04 UTC)",
        f"{KEY} issued 2025-01-02 03:04 UTC",
        "The key was created on 2 January 2025 at 03:04 UTC",
        "The key, created at 2025-01-02 03:04 UTC",
        "Key age: 432 days (2025-01-02)",
        "key active since 2025-01-02",
        "Key created: 2025-01-02T03:04:05Z",
        "CreateDate: 2025-01-02T03:04:05Z",
        "access_key_1_last_rotated: 2025-01-02T03:04:05Z",
        "Password last changed 2025-01-02 03:04 UTC",
        "Password last used 2025-01-02 03:04 UTC",
        "MFA enabled 2025-01-02 03:04 UTC",
    ],
)
def test_how_old_a_credential_is_is_no_time_of_the_alert(age: str) -> None:
    beside = the_alert(f"{LEE} was used at {USED}. {age}.")
    assert beside.first_seen == beside.last_seen == datetime(2026, 3, 10, 7, 6, tzinfo=UTC)
    before = the_alert(f"{LEE} {age}; it was seen at {USED}")
    assert before.first_seen == before.last_seen == datetime(2026, 3, 10, 7, 6, tzinfo=UTC)
    alone = the_alert(f"{LEE} {age}")
    assert (alone.first_seen, alone.time_question) == (None, None)


def test_what_a_time_was_not_taken_for_is_said() -> None:
    (note,) = (one for one in the_alert(f"{KEY} (created {USED})").notes if "alert's time" in one)
    assert note.startswith(f"“{USED}” is when something that the text names was made")


@pytest.mark.parametrize(
    "told",
    [
        f"New access key created {USED} for {LEE}",
        f"{LEE}: access key created {USED} by kim",
        f"The user {LEE} created at {USED}",
        f"{LEE} created an access key at {USED}",
        f"The key {KEY} created 2 users at {USED}",
        f"Key {KEY} last used {USED}",
        f"{LEE} called CreateAccessKey at {USED}",
    ],
)
def test_the_news_that_something_was_made_is_of_its_time(told: str) -> None:
    assert the_alert(told).first_seen == datetime(2026, 3, 10, 7, 6, tzinfo=UTC)


def test_somebodys_age_beside_a_time_of_an_activity_is_none() -> None:
    alert = the_alert(f"{LEE} made a call at {USED}. User created 2025-01-02 03:04 UTC.")
    assert alert.first_seen == alert.last_seen


def test_when_an_alert_was_written_is_not_when_it_happened() -> None:
    alert = the_alert(f"{LEE} at {USED}. Finding created 2026-03-10T09:00:00Z")
    assert alert.first_seen == alert.last_seen
    assert not alert.time_is_fallback
    alone = the_alert(f"{LEE}. Incident opened at 2026-03-10T09:00:00Z")
    assert alone.time_is_fallback
