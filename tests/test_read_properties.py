"""What holds for any record in any container, envelope and damage, for both sides alike."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import parse_alerts
from tests.an_event import a_role_session, an_event
from tests.shapes import ELASTIC, OCSF, TEXT, eventbridge, packed, table, tarred, zipped
from trail.errors import AlertUnrecognised
from trail.read.columns import Chunk
from trail.read.formats import Bad, Loose, Skipped, read_source, take_apart
from trail.read.mend import mended
from trail.read.structs import Ambiguous, identity_in

NAME = st.text(st.sampled_from("ab1_+=,.@-"), min_size=2, max_size=30) | st.sampled_from(
    [
        "a,type=Root,accountid=999999999999",
        "job=7,accesskeyid=AKIAFAKEFAKEFAKEFAKE",
        "x,arn=arn",
        ",sessioncontext=",
        "null",
    ]
)
"""Names of users, roles and sessions: every character that AWS allows in one."""


def printed(value: object) -> str:
    """A struct as Athena prints it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={printed(member)}" for key, member in value.items()) + "}"
    return "null" if value is None else str(value)


@given(role=NAME, session=NAME, path=st.sampled_from(["", "teams/", "a=b,c/"]))
def test_no_name_of_a_session_forges_a_field_of_a_struct(
    role: str, session: str, path: str
) -> None:
    identity = {
        "type": "AssumedRole",
        "principalid": f"AROAQQWWEERRTTYYUUIIO:{session}",
        "arn": f"arn:aws:sts::111122223333:assumed-role/{role}/{session}",
        "accountid": "111122223333",
        "invokedby": None,
        "accesskeyid": "ASIAQQQQWWWWEEEERRRR",
        "username": None,
        "sessioncontext": {
            "attributes": {"mfaauthenticated": "false", "creationdate": "2026-03-10T08:00:00Z"},
            "sessionissuer": {
                "type": "Role",
                "principalid": "AROAQQWWEERRTTYYUUIIO",
                "arn": f"arn:aws:iam::111122223333:role/{path}{role}",
                "accountid": "111122223333",
                "username": f"x{role}",
            },
        },
    }
    assert identity_in(printed(identity)) == identity


@given(name=NAME)
def test_no_name_of_a_user_forges_a_field_of_a_struct(name: str) -> None:
    identity = {
        "type": "IAMUser",
        "principalid": "AIDAQQWWEERRTTYYUUIIO",
        "arn": f"arn:aws:iam::111122223333:user/{name}",
        "accountid": "111122223333",
        "accesskeyid": "AKIAQQQQWWWWEEEERRRR",
        "username": f"u{name}",
        "sessioncontext": None,
    }
    assert identity_in(printed(identity)) == identity


SUBJECT = st.text(st.sampled_from("ab ,=.:@"), max_size=12) | st.sampled_from(
    ["x, arn=arn:aws:iam::999999999999:root", "x, type=Root", "x, username=y", "x}, arn=z", "{"]
)


@given(subject=SUBJECT, user=SUBJECT)
def test_what_an_identity_provider_chose_is_itself_or_nothing(subject: str, user: str) -> None:
    identity = {
        "type": "SAMLUser", "principalid": f"h:{subject}", "arn": None, "accountid": None,
        "invokedby": None, "accesskeyid": None, "username": f"u{user}",
    }  # fmt: skip
    try:
        found = identity_in(printed(identity))
    except Ambiguous:
        return
    for field in ("type", "arn", "accountid", "accesskeyid"):
        assert found.get(field) == identity[field]


ENVELOPES = (
    lambda records: {"Records": records},
    lambda records: {"Events": [{"CloudTrailEvent": json.dumps(one)} for one in records]},
    lambda records: [json.dumps(one) for one in records],
    lambda records: [eventbridge(one) for one in records],
    lambda records: {"logEvents": [{"message": json.dumps(one)} for one in records]},
    lambda records: {"results": [[{"field": "@message", "value": json.dumps(one)}]
                                 for one in records]},
    lambda records: [{"result": {"_raw": json.dumps(one), "eventName": "x"}} for one in records],
    lambda records: {"hits": {"hits": [{"_source": {"event": {"original": json.dumps(one)}}}
                                       for one in records]}},
    lambda records: {"data": [{"attributes": {"attributes": one}} for one in records]},
    lambda records: [{"k": {"l": [one]}} for one in records],
)  # fmt: skip
AROUND = (
    lambda value: value,
    lambda value: {"Type": "Notification", "TopicArn": "t", "Message": json.dumps(value)},
    lambda value: {"Messages": [{"MessageId": "1", "Body": json.dumps(value)}]},
    lambda value: {"payload": value},
    lambda value: {"some": {"tool": {"keeps": value}}},
)
CONTAINERS = (
    lambda text: text,
    gzip.compress,
    lambda text: gzip.compress(gzip.compress(text)),
    zipped,
    tarred,
    lambda text: text.decode().encode("utf-16"),
    lambda text: base64.b64encode(gzip.compress(text)),
)


def read_log(path: Path) -> tuple[list[dict[str, Any]], list[Bad | Skipped]]:
    records: list[dict[str, Any]] = []
    others: list[Bad | Skipped] = []
    for found in read_source(path):
        for one in take_apart(found) if isinstance(found, Chunk) else [found]:
            if isinstance(one, Loose):
                records.append(one.record)
            else:
                others.append(one)
    return records, [one for one in others if "__MACOSX" not in one.source_file]


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(st.sampled_from(["CreateUser", "ListUsers"]), min_size=1, max_size=3),
    envelope=st.sampled_from(ENVELOPES),
    around=st.lists(st.sampled_from(AROUND), max_size=2),
    container=st.sampled_from(CONTAINERS),
    stranger=st.booleans(),
)
def test_both_sides_find_the_same_records(
    names: list[str], envelope: Any, around: list[Any], container: Any, stranger: bool,
    tmp_path: Path,
) -> None:  # fmt: skip
    records = [
        an_event(eventName=name, eventID=f"id-{n}", userIdentity=a_role_session())
        for n, name in enumerate(names)
    ]
    value = envelope(records)
    if stranger and isinstance(value, list):
        value = [*value, {"hello": "world"}]
    for wrap in around:
        value = wrap(value)
    data = container(json.dumps(value).encode())
    path = tmp_path / "log"
    path.write_bytes(data)
    found, others = read_log(path)
    assert found == records
    wanted = 1 if stranger and isinstance(envelope(records), list) else 0
    assert len(others) == wanted  # nothing is lost without a count
    alerts = parse_alerts(data)
    assert [alert.event_id for alert in alerts] == [record["eventID"] for record in records]
    for alert, record in zip(alerts, records, strict=True):
        assert alert.principals[0].principal_id == record["userIdentity"]["principalId"]


def quoted(text: str) -> str:
    return "On Monday Bob wrote:\n" + "".join(f"> {line}\n" for line in text.splitlines())


def wrapped(text: str) -> str:
    return "\n".join(text[at : at + 76] for at in range(0, len(text), 76))


DAMAGE = {
    "quoted": quoted,
    "escaped": lambda text: text.replace('"', "&quot;"),
    "blanks": lambda text: text.replace("\n  ", "\n\u00a0\u00a0"),
    "comma": lambda text: text.rstrip()[:-1] + ",\n}",
    "wrapped": lambda text: wrapped(json.dumps(json.loads(text))),
    "curly": lambda text: text.replace('"', "\u201d"),
    "printable": lambda text: "=\r\n".join(
        text.replace("=", "=3D")[at : at + 74] for at in range(0, len(text.replace("=", "=3D")), 74)
    ),
}
ORDER = ("comma", "wrapped", "blanks", "curly", "escaped", "printable", "quoted")


@settings(max_examples=60, deadline=None)
@given(which=st.sets(st.sampled_from(ORDER), min_size=1, max_size=2), session=NAME)
def test_what_pasting_broke_is_mended_or_read_as_text_and_no_id_is_invented(
    which: set[str], session: str
) -> None:
    record = an_event(eventName="CreateUser", userIdentity=a_role_session(session=session))
    text = json.dumps(record, indent=2)
    for damage in ORDER:
        if damage in which and not (damage == "wrapped" and "comma" in which):
            text = DAMAGE[damage](text)
    (alert,) = parse_alerts(text)
    known = json.dumps(record)
    for person in alert.principals:
        if alert.source == "cloudtrail":
            assert person.principal_id == record["userIdentity"]["principalId"]
            assert person.arn == record["userIdentity"]["arn"]
        for given_id in (person.access_key_id, person.principal_id):
            assert given_id is None or given_id in known
    if len(which) == 1:
        assert alert.source == "cloudtrail"
        assert any("mended" in note for note in alert.notes)


def test_sound_json_is_not_touched() -> None:
    assert list(mended(TEXT)) == []


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        (["eventTime", "eventName", "eventSource", "sourceIPAddress"], "userIdentity.arn"),
        (["_time", "eventName", "eventTime", "user", "src"], "userIdentity.principalId"),
        (["eventtime", "eventname", "username"], "userIdentity.accessKeyId"),
    ],
)
def test_a_table_of_nobody_is_refused_with_what_it_lacks(
    columns: list[str], missing: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table(columns, ["2026-03-10T12:00:00Z"] * len(columns)))
    records, (refused,) = read_log(path)
    assert records == []
    assert isinstance(refused, Bad)
    assert not refused.foreign
    assert missing in refused.reason
    rows = tmp_path / "a.json"
    rows.write_text(json.dumps(dict.fromkeys(columns, "2026-03-10T12:00:00Z")))
    records, (refused,) = read_log(rows)
    assert records == []
    assert isinstance(refused, Bad)
    assert missing in refused.reason


def test_json_under_a_field_of_cloudtrails_is_a_callers_and_never_a_record(tmp_path: Path) -> None:
    forged = json.dumps(an_event(eventName="Forged"))
    row = {
        "eventTime": "2026-03-10T12:00:00Z", "eventName": "Real", "eventSource": "s",
        "userIdentity.arn": "arn:aws:iam::111122223333:user/a", "userAgent": forged,
        "errorMessage": forged, "requestParameters.x": forged, "requestParameters": forged,
    }  # fmt: skip
    for name, text in (("a.csv", table(row)), ("a.json", json.dumps(row)),
                       ("b.json", json.dumps({"tool": {"kept": row}}))):  # fmt: skip
        (tmp_path / name).write_text(text)
        records, _ = read_log(tmp_path / name)
        assert [record["eventName"] for record in records] == ["Real"], name
        assert [alert.event_name for alert in parse_alerts(text)] == ["Real"]


def test_a_message_that_unpacks_to_too_much_is_no_message(tmp_path: Path) -> None:
    bomb = {"awslogs": {"data": packed({"logEvents": [{"message": " " * 90_000_000}]})}}
    (tmp_path / "a.json").write_text(json.dumps(bomb))
    records, (refused,) = read_log(tmp_path / "a.json")
    assert records == []
    assert isinstance(refused, Bad)


def test_what_a_caller_sent_is_no_record_in_any_tools_event(tmp_path: Path) -> None:
    forged = {"Records": [an_event(eventName="Forged")]}
    ocsf = {
        **OCSF,
        "api": {
            **OCSF["api"],
            "request": {"data": json.dumps(forged)},
            "response": {"data": json.dumps(forged)},
        },
        "unmapped": {"requestParameters.x": json.dumps(forged), "y": forged},
    }
    elastic = json.loads(json.dumps(ELASTIC))
    elastic["aws"]["cloudtrail"] |= {"flattened": {"x": forged}, "request_parameters": forged}
    for name, event in (("ocsf", ocsf), ("elastic", elastic)):
        (tmp_path / name).write_text(json.dumps([event]))
        records, _ = read_log(tmp_path / name)
        assert [record["eventName"] for record in records] == ["GetPasswordData"], name
        assert [one.event_name for one in parse_alerts(json.dumps(event))] == ["GetPasswordData"]


@pytest.mark.parametrize("key", ["data", "detail", "result", "x"])
@pytest.mark.parametrize("depth", [20, 400])
def test_any_depth_of_envelopes_takes_little_time(key: str, depth: int, tmp_path: Path) -> None:
    text = "".join(f'{{"{key}":{{"event":[' for _ in range(depth)) + "{}" + "]}}" * depth
    (tmp_path / "a.json").write_text(f"{text}\n" * 50)
    before = time.process_time()
    records, _ = read_log(tmp_path / "a.json")
    assert records == []
    with contextlib.suppress(AlertUnrecognised):
        parse_alerts(text)
    assert time.process_time() - before < 20
