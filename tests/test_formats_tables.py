"""Tables that tools export: what their columns say, what they leave out, and how they are drawn."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alerts import parse_alerts
from enrich import ask_all
from tests.an_event import ACCOUNT, a_role_session, a_user, an_event
from tests.shapes import table
from trail.errors import AlertUnrecognised
from trail.index.build import add
from trail.store import open_store

KIM = "arn:aws:sts::111122223333:assumed-role/reader/work"
AT = "2026-03-10T09:30:00Z"


def indexed(text: str, tmp_path: Path, name: str = "log.csv") -> tuple[list[dict[str, Any]], str]:
    """The events of a file in their order, and the reasons of its rejects."""
    path = tmp_path / name
    path.write_text(text)
    add([path], tmp_path / "index")
    store = open_store(tmp_path / "index")
    rows = store.query(
        "select strftime(event_time, '%Y-%m-%dT%H:%M:%S') as at, event_name, event_id, error_code,"
        " failed, identity_type, principal_arn, account_id, session_created, recipient_account_id"
        " from events order by source_ordinal"
    ).rows
    return rows, "; ".join(reject.reason for reject in store.rejects())


NO_ERRORS = ["success", "Success", "None", "NULL", "null", "N/A", "0", "false", "-", "", "no error"]


def test_a_column_that_says_there_was_no_error_is_no_failure(tmp_path: Path) -> None:
    call = [AT, "CreateUser", "iam.amazonaws.com", KIM]
    rows, rejects = indexed(
        table(
            ["eventTime", "eventName", "eventSource", "userIdentity.arn", "errorCode", "eventID"],
            *([*call, word, f"id-{n}"] for n, word in enumerate([*NO_ERRORS, "AccessDenied"])),
        ),
        tmp_path,
    )
    assert rejects == ""
    told = [(row["error_code"], row["failed"]) for row in rows]
    assert told == [(None, False)] * len(NO_ERRORS) + [("AccessDenied", True)]


def test_a_record_keeps_its_error_code_unless_it_is_a_word_for_nothing(tmp_path: Path) -> None:
    records = [an_event(errorCode=code) for code in ("success", "null", "None", "AccessDenied")]
    for layout in (json.dumps({"Records": records}), "\n".join(map(json.dumps, records))):
        folder = tmp_path / layout[:9].strip('{"')
        folder.mkdir()
        rows, _ = indexed(layout, folder, "log.json")
        assert [row["error_code"] for row in rows] == ["success", None, None, "AccessDenied"]
        assert [row["failed"] for row in rows] == [True, False, False, True]


WITH_WHO = ["eventtime", "eventname", "eventsource", "recipientaccountid", "useridentity"]


def test_a_struct_whose_date_has_a_blank_is_read(tmp_path: Path) -> None:
    who = (
        "{type=AssumedRole, principalid=AROAREADERXXXXXXXXXXX:work, arn=" + KIM + ", accountid="
        "111122223333, accesskeyid=ASIAROLESESSION00001, username=null, sessioncontext={attributes="
        "{creationdate=2026-03-10 09:00:00.000, mfaauthenticated=false}, sessionissuer={type=Role, "
        "principalid=AROAREADERXXXXXXXXXXX, arn=arn:aws:iam::111122223333:role/reader, accountid="
        "111122223333, username=reader}}, invokedby=null, identityprovider=null}"
    )
    rows, rejects = indexed(
        table(WITH_WHO, [AT, "CreateUser", "iam.amazonaws.com", ACCOUNT, who]), tmp_path
    )
    assert rejects == ""
    (row,) = rows
    assert (row["principal_arn"], row["session_created"].isoformat()[:19]) == (
        KIM,
        "2026-03-10T09:00:00",
    )


def test_an_arn_alone_says_who_called(tmp_path: Path) -> None:
    text = table(WITH_WHO, [AT, "CreateUser", "iam.amazonaws.com", ACCOUNT, KIM])
    rows, rejects = indexed(text, tmp_path)
    assert rejects == ""
    assert [(row["identity_type"], row["principal_arn"], row["account_id"]) for row in rows] == [
        ("AssumedRole", KIM, ACCOUNT)
    ]
    lines = json.dumps(an_event(userIdentity=KIM)) + "\n"
    (tmp_path / "lines").mkdir()
    rows, _ = indexed(lines, tmp_path / "lines", "log.json")
    assert [row["principal_arn"] for row in rows] == [KIM]


UNREADABLE = {
    "row": f"row(AssumedRole, AROAREADERXXXXXXXXXXX:work, {KIM}, 111122223333)",
    "list": f"[AssumedRole, AROAREADERXXXXXXXXXXX:work, {KIM}]",
    "values": "{AssumedRole, AROAREADERXXXXXXXXXXX:work, " + KIM + "}",
    "Python's row": f"Row(type='AssumedRole', arn='{KIM}')",
    "pairs": f"type=AssumedRole; arn={KIM}",
    "name": "work",
    "empty object": "{}",
    "mask": "***",
    "masked object": '{"type": "***", "arn": "***", "principalId": "REDACTED"}',
    "nothing": "",
}


def test_a_row_whose_identity_cannot_be_read_is_refused(tmp_path: Path) -> None:
    cells = [AT, "CreateUser", "iam.amazonaws.com", ACCOUNT]
    readable = json.dumps(a_role_session())
    rows, rejects = indexed(
        table(WITH_WHO, *([*cells, who] for who in [*UNREADABLE.values(), readable])), tmp_path
    )
    assert [row["principal_arn"] for row in rows] == [KIM]
    assert rejects.count("userIdentity") >= rejects.count(";") + 1 == len(UNREADABLE)


def test_a_masked_arn_is_nobodys(tmp_path: Path) -> None:
    masks = ["***", "REDACTED", "<redacted>", "xxxxx", "-"]
    text = table(["eventTime", "eventName", "eventSource", "userIdentity.arn"],
                 *([AT, "CreateUser", "iam.amazonaws.com", mask] for mask in masks))  # fmt: skip
    rows, rejects = indexed(text, tmp_path)
    assert rows == []
    assert rejects.count("masked") == len(masks)


def test_an_account_that_aws_calls_by_nothing_else_is_somebody(tmp_path: Path) -> None:
    service = '{"accountId": "111122223333", "invokedBy": "ec2.amazonaws.com"}'
    login = '{"type": "IAMUser", "accountId": "111122223333", "accessKeyId": "", "userName": "al"}'
    rows, rejects = indexed(
        table(WITH_WHO, *([AT, "X", "s", ACCOUNT, who] for who in (service, login))), tmp_path
    )
    assert rejects == ""
    assert [row["account_id"] for row in rows] == [ACCOUNT, ACCOUNT]


def test_an_arn_in_a_column_of_another_name(tmp_path: Path) -> None:
    for column in ("Caller ARN", "user_arn", "actorArn", "Principal ARN"):
        text = table(["eventTime", column, "eventName", "eventSource"],
                     [AT, KIM, "CreateUser", "iam.amazonaws.com"])  # fmt: skip
        (alert,) = parse_alerts(text)
        assert [person.arn for person in alert.principals] == [KIM]
        (tmp_path / column).mkdir()
        rows, rejects = indexed(text, tmp_path / column)
        assert rejects == ""
        assert [row["principal_arn"] for row in rows] == [KIM]


def test_no_other_arn_is_taken_for_the_callers(tmp_path: Path) -> None:
    text = table(["eventTime", "User ARN", "eventName", "eventSource"],
                 [AT, "arn:aws:s3:::logs", "CreateUser", "iam.amazonaws.com"])  # fmt: skip
    rows, rejects = indexed(text, tmp_path)
    assert rows == []
    assert "who called" in rejects


MASKED_IDS = ["REDACTED", "***", "null", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
              "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx", "00000000-0000-0000-0000-000000000000",
              "EXAMPLE8-9621-4d00-b913-beca2EXAMPLE"]  # fmt: skip


@pytest.mark.parametrize("layout", ["Records", "lines", "columns"])
def test_events_that_share_a_masked_id_are_not_repeats(layout: str, tmp_path: Path) -> None:
    names = ["CreateUser", "DeleteUser", "ListUsers"]
    records = [an_event(eventName=name, eventID=mask) for mask in MASKED_IDS for name in names]
    records += records[:3]  # the same record again is a repeat
    if layout == "columns":
        cells = [[AT, r["eventName"], "s", KIM, r["eventID"], r["requestID"]] for r in records]
        header = ["eventTime", "eventName", "eventSource", "userIdentity.arn", "eventID"]
        text = table([*header, "requestID"], *cells)
    elif layout == "lines":
        text = "\n".join(map(json.dumps, records))
    else:
        text = json.dumps({"Records": records})
    rows, _ = indexed(text, tmp_path, "log.csv" if layout == "columns" else "log.json")
    assert [row["event_name"] for row in rows] == names * len(MASKED_IDS)
    assert len({row["event_id"] for row in rows}) == len(rows)
    assert all(row["event_id"].startswith("content-") for row in rows)


def test_a_masked_id_is_no_alerts_event() -> None:
    for mask in MASKED_IDS:
        (alert,) = parse_alerts(json.dumps(an_event(eventID=mask)))
        assert alert.event_id is None


def test_another_exporters_id_is_an_id(tmp_path: Path) -> None:
    ids = ["9531985d-5d9d-49f8-9818-e811892f902b", "evt-17", "11111111-0000-4000-8000-00",
           "nothing-special", "a", "49590338271490256608559692538361571095"]  # fmt: skip
    rows, _ = indexed(json.dumps([an_event(eventID=one) for one in ids]), tmp_path, "log.json")
    assert [row["event_id"] for row in rows] == ids


def test_null_in_words_is_no_identity(tmp_path: Path) -> None:
    who = {"type": "null", "arn": "null", "principalId": "null", "accountId": "null"}
    for layout in ("Records", "loose"):
        record = an_event(userIdentity=who, recipientAccountId="null")
        if layout == "loose":
            record["eventTime"] = "2026-03-10 09:30:00.000 Z"
        (tmp_path / layout).mkdir()
        (row,), _ = indexed(json.dumps({"Records": [record]}), tmp_path / layout, "log.json")
        assert row["identity_type"] is row["principal_arn"] is row["account_id"] is None
        assert row["recipient_account_id"] is None


TIMES = {
    "1773135000": AT, "1773135000.5": AT, "1773135000000": AT, "2026-03-10 09:30:00.000 Z": AT,
    "2026-03-10 09:30:00 UTC": AT, "2026-03-10T10:30:00+01:00": AT, "2026-03-10 10:30:00 +0100": AT,
}  # fmt: skip


def test_both_sides_read_the_same_times(tmp_path: Path) -> None:
    columns = ["eventTime", "eventName", "eventSource", "userIdentity.arn", "eventID"]
    cells = [[written, "CreateUser", "s", KIM, f"id-{n}"] for n, written in enumerate(TIMES)]
    text = table(columns, *cells)
    rows, rejects = indexed(text, tmp_path)
    assert rejects == ""
    assert [row["at"] + "Z" for row in rows] == list(TIMES.values())
    alerts = parse_alerts(text)
    seen = [alert.first_seen for alert in alerts if alert.first_seen is not None]
    assert [f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in seen] == list(TIMES.values())
    assert [alert.time_question for alert in alerts] == [None] * len(TIMES)


TIME_COLUMNS = [
    ("_time", "2026-03-10T10:30:00.000+0100", True),
    ("_time", "1773135000.000", True),
    ("_time", "3/10/26 9:30:00.000 AM", False),
    ("_time", "2026-03-10 09:30:00", False),
    ("TimeGenerated [UTC]", "3/10/2026, 9:30:00.000 AM", True),
    ("TimeGenerated [Local Time]", "3/10/2026, 9:30:00.000 AM", False),
]


@pytest.mark.parametrize(("column", "written", "says_zone"), TIME_COLUMNS)
def test_a_time_of_the_exporters_zone_is_refused_or_asked_about(
    column: str, written: str, says_zone: bool, tmp_path: Path
) -> None:
    text = table([column, "eventName", "eventSource", "userIdentity.arn"],
                 [written, "CreateUser", "iam.amazonaws.com", KIM])  # fmt: skip
    rows, rejects = indexed(text, tmp_path)
    (alert,) = parse_alerts(text)
    if says_zone:
        assert rejects == ""
        assert [row["at"] + "Z" for row in rows] == [AT]
        assert alert.time_question is None
    else:
        assert rows == []
        assert "zone" in rejects
        assert alert.time_question is not None


@pytest.mark.parametrize(
    ("column", "at"),
    [("_time", "2026-03-10T09:30:00.000"), ("TimeGenerated [Local Time]", "3/10/2026, 9:30:00 AM")],
)
def test_a_time_without_its_zone_marks_its_day(column: str, at: str, tmp_path: Path) -> None:
    head = [column, "eventName", "eventSource", "recipientAccountId", "userIdentity.arn"]
    rows, rejects = indexed(table(head, [at, "CreateUser", "s", ACCOUNT, KIM]), tmp_path)
    assert rows == []
    assert "without its zone" in rejects
    day = datetime(2026, 3, 10, tzinfo=UTC)
    unread = open_store(tmp_path / "index").coverage([ACCOUNT], day, day).unread
    assert unread == (date(2026, 3, 10),)


def test_what_a_rule_found_is_not_indexed_at_the_time_when_it_ran(tmp_path: Path) -> None:
    head = ["@timestamp", "kibana.alert.rule.name", "event.action", "event.provider",
            "aws.cloudtrail.user_identity.arn"]  # fmt: skip
    row = [AT, "x", "CreateUser", "iam.amazonaws.com", KIM]
    rows, rejects = indexed(table(head, row), tmp_path)
    assert rows == []
    assert "its time is when a rule ran" in rejects
    (alert,) = parse_alerts(table(head, row))
    assert alert.time_is_fallback


@pytest.mark.parametrize(
    ("written", "at", "asked"),
    [
        ("13.03.2026 09:30:00", "2026-03-13T09:30:00Z", False),
        ("10 Mar 2026 09:30:00", AT, False),
        ("03/10/2026 09:30:00", AT, True),
    ],
)
def test_the_zone_that_a_header_says_is_not_asked_for(written: str, at: str, asked: bool) -> None:
    (alert,) = parse_alerts(
        table(["TimeGenerated [UTC]", "EventName", "EventSource", "UserIdentityArn"],
              [written, "CreateUser", "iam.amazonaws.com", KIM])
    )  # fmt: skip
    assert alert.first_seen == datetime.fromisoformat(at)
    assert (alert.time_question is not None) == asked
    assert not any("time zone" in note for note in alert.notes)


def test_the_events_own_time_is_preferred_to_splunks(tmp_path: Path) -> None:
    text = table(["_time", "eventTime", "eventName", "eventSource", "userIdentity.arn"],
                 ["2026-03-11T00:00:00Z", AT, "CreateUser", "iam.amazonaws.com", KIM])  # fmt: skip
    rows, _ = indexed(text, tmp_path)
    assert [row["at"] + "Z" for row in rows] == [AT]


def test_a_table_drawn_in_markdown(tmp_path: Path) -> None:
    text = (
        "| eventTime | eventName | eventSource | userIdentity.arn |\n|---|:---|---|---:|\n"
        f"| {AT} | CreateUser | iam.amazonaws.com | {KIM} |\n"
    )
    rows, rejects = indexed(text, tmp_path)
    assert rejects == ""
    assert [(row["event_name"], row["principal_arn"]) for row in rows] == [("CreateUser", KIM)]
    (alert,) = parse_alerts(text)
    assert alert.title == "CreateUser (iam.amazonaws.com)"
    assert [person.arn for person in alert.principals] == [KIM]


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("shape", ["text in text", "below an object", "in rows"])
def test_a_record_in_texts_of_any_depth(depth: int, shape: str, tmp_path: Path) -> None:
    text = json.dumps(an_event(eventName="CreateUser"))
    for level in range(depth):
        text = json.dumps({f"k{level}": text})
    value = {"a": text} if shape == "text in text" else {"a": {"b": text}}
    whole = json.dumps({"rows": [value]} if shape == "in rows" else value)
    rows, _ = indexed(whole, tmp_path, "log.json")
    assert [row["event_name"] for row in rows] == ["CreateUser"]
    assert [alert.event_name for alert in parse_alerts(whole)] == ["CreateUser"]


@pytest.mark.parametrize("column", ["@message", "_raw"])
def test_a_record_that_was_cut_off_in_its_cell_is_damage(column: str, tmp_path: Path) -> None:
    whole = json.dumps(an_event(eventName="CreateUser"))
    text = table(["@timestamp", column], [AT, whole[:300]], [AT, whole])
    rows, rejects = indexed(text, tmp_path)
    assert [row["event_name"] for row in rows] == ["CreateUser"]
    assert "cut off" in rejects


def printed(*cells: tuple[str, str]) -> str:
    """As `--output table` prints."""
    width = max(len(cell) for _, cell in cells) + 2
    lines = [f"||  {name:15} |  {cell:{width}} ||" for name, cell in cells]
    rule = "-" * len(lines[0])
    title = f"|{'LookupEvents':^{len(rule) - 2}}|"
    return "\n".join([rule, title, f"+{rule[2:]}+", *lines, rule, ""])


def test_a_table_printed_for_people(tmp_path: Path) -> None:
    record = json.dumps(an_event(eventName="CreateUser"))
    rows, rejects = indexed(
        printed(("AccessKeyId", "AKIA"), ("CloudTrailEvent", record)), tmp_path, "events.txt"
    )
    assert rejects == ""
    assert [row["event_name"] for row in rows] == ["CreateUser"]
    (tmp_path / "without").mkdir()
    rows, rejects = indexed(printed(("EventName", "CreateUser")), tmp_path / "without", "e.txt")
    assert rows == []
    assert "--output json" in rejects


def test_columns_of_one_name_that_differ_are_refused(tmp_path: Path) -> None:
    header = "eventTime,eventName,eventSource,userIdentity.arn,userIdentity.arn\n"
    other = "arn:aws:iam::111122223333:user/other"
    rows, rejects = indexed(
        f"{header}{AT},CreateUser,iam.amazonaws.com,{KIM},{other}\n"
        f"{AT},DeleteUser,iam.amazonaws.com,{KIM},{KIM}\n"
        f"{AT},ListUsers,iam.amazonaws.com,,{KIM}\n",
        tmp_path,
    )
    assert [(row["event_name"], row["principal_arn"]) for row in rows] == [
        ("DeleteUser", KIM),
        ("ListUsers", KIM),
    ]
    assert "two columns of one name" in rejects


def test_a_cell_of_several_events_is_refused(tmp_path: Path) -> None:
    rows, rejects = indexed(
        table(["eventTime", "eventName", "eventSource", "userIdentity.arn"],
              [AT, "CreateUser\nDeleteUser", "iam.amazonaws.com", KIM]),
        tmp_path,
    )  # fmt: skip
    assert rows == []
    assert "several values" in rejects


def test_a_day_whose_records_say_of_nobody_is_not_covered_as_a_whole(tmp_path: Path) -> None:
    other = json.dumps(a_user("bob"))
    cells = [[f"2026-03-{day:02d}T{hour}:00:00Z", "ListUsers", "s", ACCOUNT, other, f"{day}-{hour}"]
             for day in range(2, 11) for hour in ("00", "12", "23")]  # fmt: skip
    lost = ["2026-03-10T09:30:00Z", "CreateUser", "s", ACCOUNT, UNREADABLE["row"], "lost"]
    rows, _ = indexed(table([*WITH_WHO, "eventid"], *cells, lost), tmp_path)
    assert len(rows) == 27
    store = open_store(tmp_path / "index")
    march = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 10, 23, tzinfo=UTC)
    mine = store.coverage([ACCOUNT], *march)
    assert (mine.unread, mine.status) == ((date(2026, 3, 10),), "partial")
    assert store.coverage(["999988887777"], *march).unread == ()
    assert store.coverage(None, *march).unread == mine.unread
    assert store.coverage([ACCOUNT], march[0], march[0]).status == "covered"

    (alert,) = parse_alerts(f"{KIM} at 2026-03-10 10:00:00 UTC")
    answers = {one.name: one for one in ask_all(alert, alert.principals[0], store)}
    for name in ("services_used", "roles_assumed", "interesting_calls"):
        assert answers[name].status == "partial"
        assert (
            answers[name]
            .caveats[0]
            .startswith(f"Records of account {ACCOUNT} on 2026-03-10 (UTC) could not be read")
        )


NO_WHO = ["eventTime", "eventName", "eventSource", "recipientAccountId"]
HISTORY = ["Event name", "Event time", "User name", "Event source", "Event ID", "AWS access key"]


def test_the_days_of_a_table_without_who_are_not_covered_as_a_whole(tmp_path: Path) -> None:
    cells = [[f"2026-03-{day:02d}T{hour}:00:00Z", "ListUsers", "s", ACCOUNT, json.dumps(a_user())]
             for day in range(2, 12) for hour in ("00", "12", "23")]  # fmt: skip
    lost = [[f"2026-03-{day:02d}T09:00:00Z", "CreateUser", "s", ACCOUNT] for day in (4, 4, 6)]
    history = ["CreateUser", "2026-03-08T09:00:00Z", "kim", "iam.amazonaws.com", "x", ""]
    (tmp_path / "lost.csv").write_text(table(NO_WHO, *lost))
    (tmp_path / "history.csv").write_text(table(HISTORY, history))
    columns = {name: [row[n] for row in [*lost, ["2026-03-09T09:00:00Z", "X", "s", ACCOUNT]]]
               for n, name in enumerate(NO_WHO)}  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "lost.parquet")
    (tmp_path / "good.csv").write_text(table(WITH_WHO, *cells))
    built = add([tmp_path], tmp_path / "index")
    assert (built.events_added, built.rejected) == (30, 3 + 1 + 4)
    store = open_store(tmp_path / "index")
    march = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 11, 23, tzinfo=UTC)
    days = tuple(date(2026, 3, day) for day in (4, 6, 8, 9))
    assert store.coverage([ACCOUNT], *march).unread == days
    # Whose the console's history is is not told: it may be anybody's.
    assert store.coverage(["999988887777"], *march).unread == (date(2026, 3, 8),)
    (alert,) = parse_alerts(f"{KIM} at 2026-03-10 10:00:00 UTC")
    answers = {one.name: one for one in ask_all(alert, alert.principals[0], store)}
    assert answers["services_used"].status == "partial"


def test_every_day_and_account_of_many_rejects_is_told(tmp_path: Path) -> None:
    cells = [[AT, "CreateUser", "s", ACCOUNT, "kim"]] * 1_100
    other = ["2026-03-11T09:30:00Z", "CreateUser", "s", "999988887777", "kim"]
    nobodys = ["2026-03-12T09:30:00Z", "CreateUser", "s", "", "kim"]
    indexed(table(WITH_WHO, *cells, other, nobodys), tmp_path)
    store = open_store(tmp_path / "index")
    march = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    assert store.coverage(["999988887777"], *march).unread == (
        date(2026, 3, 11),
        date(2026, 3, 12),
    )


def test_events_that_show_only_an_arn_are_their_roles(tmp_path: Path) -> None:
    other = "arn:aws:iam::111122223333:user/bob"
    cells = [[f"2026-03-{day:02d}T{hour}:00:00Z", "ListUsers", "iam.amazonaws.com", ACCOUNT, other]
             for day in range(1, 12) for hour in ("00", "12", "23")]  # fmt: skip
    mine = ["2026-03-10T09:30:00Z", "CreateUser", "iam.amazonaws.com", ACCOUNT, KIM]
    else_ = [*mine[:4], KIM.replace("reader", "readers")]
    indexed(table(WITH_WHO, *cells, mine, else_), tmp_path)
    store = open_store(tmp_path / "index")
    event = an_event(userIdentity=a_role_session(), eventTime="2026-03-10T10:00:00Z")
    for text in (f"{KIM} at 2026-03-10 10:00:00 UTC", json.dumps(event)):
        (alert,) = parse_alerts(text)
        answers = {one.name: one for one in ask_all(alert, alert.principals[0], store)}
        assert answers["services_used"].status == "answered"
        assert "1 call to 1 service" in answers["services_used"].sentence
        assert "CreateUser" in answers["interesting_calls"].sentence


def test_an_export_without_responses_does_not_clear_a_session(tmp_path: Path) -> None:
    bob = json.dumps(a_user("bob"))
    cells = [[f"2026-03-10T{hour}:00:00Z", "ListUsers", "iam.amazonaws.com", "us-east-1", ACCOUNT,
              bob] for hour in ("06", "08", "14")]  # fmt: skip
    mint = ["2026-03-10T11:50:00Z", "AssumeRole", "sts.amazonaws.com", "us-east-1", ACCOUNT, bob]
    used = ["2026-03-10T12:00:00Z", "CreateUser", "iam.amazonaws.com", "us-east-1", ACCOUNT,
            json.dumps(a_role_session())]  # fmt: skip
    columns = [*WITH_WHO[:3], "awsregion", *WITH_WHO[3:]]
    indexed(table(columns, *cells, mint, used), tmp_path)
    store = open_store(tmp_path / "index")
    event = an_event(userIdentity=a_role_session(), awsRegion="us-east-1")
    (alert,) = parse_alerts(json.dumps(event))
    answers = {one.name: one for one in ask_all(alert, alert.principals[0], store)}
    assert answers["assumed_by"].status == "partial"
    assert "responseElements" in " ".join(answers["assumed_by"].caveats)


def test_yaml_is_the_value_that_its_json_would_be(tmp_path: Path) -> None:
    text = (
        "eventVersion: '1.11'\nuserIdentity:\n  type: AWSAccount\n  principalId: AIDAFAR\n"
        "  accountId: 012345670123\neventTime: 2026-03-10T09:30:00Z\neventName: CreateUser\n"
        "eventSource: iam.amazonaws.com\nrecipientAccountId: 012345670123\nreadOnly: false\n"
    )
    (row,), rejects = indexed(text, tmp_path, "event.yaml")
    assert rejects == ""
    assert (row["account_id"], row["recipient_account_id"]) == ("012345670123", "012345670123")
    assert (row["at"], row["event_name"]) == ("2026-03-10T09:30:00", "CreateUser")
    (alert,) = parse_alerts(text)
    assert (alert.account_id, alert.event_name) == ("012345670123", "CreateUser")


def test_a_finding_in_yaml() -> None:
    (alert,) = parse_alerts(
        "Findings:\n- AccountId: '111122223333'\n  Id: abc\n  SchemaVersion: '2.0'\n"
        "  Type: Recon:IAMUser/TorIPCaller\n  Severity: 5.0\n  Resource:\n"
        "    AccessKeyDetails:\n      AccessKeyId: ASIAQQQQWWWWEEEERRRR\n"
        "      PrincipalId: AROAREADERXXXXXXXXXXX:work\n      UserName: reader\n"
        "      UserType: AssumedRole\n    ResourceType: AccessKey\n  Service:\n"
        "    EventFirstSeen: '2026-03-10T09:30:00Z'\n    EventLastSeen: '2026-03-10T09:30:00Z'\n"
    )
    assert (alert.source, alert.finding_type) == ("guardduty", "Recon:IAMUser/TorIPCaller")
    assert [person.session_name for person in alert.principals] == ["work"]


@pytest.mark.parametrize(
    "bomb",
    [
        "eventName: &a [x, x]\n" + "".join(
            f"k{n}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)),
        "eventName: " + "[" * 50_000,
        "eventName: !!python/object/apply:os.system ['true']\nx: 1\n",
        "eventName: x\nuserIdentity:\n" + "a: b\n" * 400_000,
    ],
    ids=["aliases", "deep", "tags", "long"],
)  # fmt: skip
def test_yaml_that_would_unfold_is_refused(bomb: str, tmp_path: Path) -> None:
    text = f"eventVersion: '1.11'\n{bomb}"
    rows, rejects = indexed(text, tmp_path, "event.yaml")
    assert rows == []
    assert "YAML" in rejects
    with pytest.raises(AlertUnrecognised):
        parse_alerts(text)


@pytest.mark.parametrize(
    "title", ["CloudTrail export\n", "CloudTrail export\n\n", "\n\n# exported\n# by kim\n", "\n\n"]
)
def test_a_table_below_a_title(title: str, tmp_path: Path) -> None:
    head = ["eventTime", "eventName", "eventSource", "userIdentity.arn"]
    text = title + table(head, [AT, "CreateUser", "iam.amazonaws.com", KIM])
    rows, rejects = indexed(text, tmp_path)
    assert (len(rows), rejects) == (1, "")
    (alert,) = parse_alerts(text)
    assert (alert.source, alert.event_name) == ("cloudtrail", "CreateUser")


def test_a_table_as_jira_writes_it(tmp_path: Path) -> None:
    text = (
        "||eventTime||eventName||eventSource||userIdentity.arn||\n"
        f"|{AT}|CreateUser|iam.amazonaws.com|{KIM}|\n"
    )
    rows, rejects = indexed(text, tmp_path)
    assert ([row["principal_arn"] for row in rows], rejects) == ([KIM], "")


def test_files_put_behind_each_other_keep_their_byte_order_marks(tmp_path: Path) -> None:
    lines = [json.dumps(an_event(eventID=f"e-{n}")) for n in range(3)]
    whole = [json.dumps({"Records": [an_event(eventID=f"w-{n}")]}) for n in range(3)]
    for name, parts in (("lines", lines), ("whole", whole)):
        folder = tmp_path / name
        folder.mkdir()
        rows, rejects = indexed("".join(f"\ufeff{part}\n" for part in parts), folder, "log.json")
        assert (len(rows), rejects) == (3, "")


DELIVERED = (
    "AWSLogs/{0}/CloudTrail/eu-west-1/2026/03/10/{0}_CloudTrail_eu-west-1_20260310T0905Z_x.json.gz"
)


@pytest.mark.parametrize("damage", ["cut", "empty of JSON", "one record", "whole"])
def test_a_damaged_file_marks_the_day_that_its_name_tells(damage: str, tmp_path: Path) -> None:
    records = [an_event(eventID=f"e-{n}", eventTime="2026-03-10T09:00:00Z") for n in range(20)]
    packed = gzip.compress(json.dumps({"Records": records}).encode())
    path = tmp_path / DELIVERED.format(ACCOUNT)
    path.parent.mkdir(parents=True)
    broken = json.dumps({"Records": [*records, {"eventName": "X", "eventVersion": "1.11"}]})
    path.write_bytes(
        {
            "cut": packed[:-60],
            "empty of JSON": gzip.compress(b"\0" * 99),
            "one record": gzip.compress(broken.encode()),
            "whole": packed,
        }[damage]
    )
    elsewhere = tmp_path / "2026" / "03" / "12" / "notes.json.gz"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes(packed[:-60])
    built = add([tmp_path], tmp_path / "index")
    assert built.rejected == (1 if damage == "whole" else 2)
    store = open_store(tmp_path / "index")
    march = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 13, tzinfo=UTC)
    unread = () if damage == "whole" else (date(2026, 3, 10),)
    assert store.coverage([ACCOUNT], *march).unread == unread
    assert store.coverage(["999988887777"], *march).unread == ()
