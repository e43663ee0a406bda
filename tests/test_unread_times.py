"""What an alert states as its time and is none is told everywhere, and nothing passes for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts import Alert, correct, parse_alerts
from cases.documents import alert_document, read_alert
from enrich import ask_all
from enrich.__main__ import main
from enrich.gaps import fill_gaps
from tests.a_page import a_page, words
from tests.an_event import a_role_session, an_event
from tests.answered import data_of
from tests.memory_store import MemoryStore
from trail.index.build import add
from ui.triage.intake import pack

pytest_plugins = ("tests.case_pages",)

WHO = "arn:aws:iam::111122223333:user/alice"
KEY = "AKIAALICEXQXQXQXQXQX"
LATER = an_event(eventTime="2026-03-20T10:00:00Z", eventID="aaaaaaaa-0000-4000-8000-000000000002")


def _utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def _one(text: str) -> Alert:
    (alert,) = parse_alerts(text)
    return alert


def _finding(**service: Any) -> dict[str, Any]:
    return {
        "schemaVersion": "2.0",
        "id": "f1",
        "type": "Recon:IAMUser/UserPermissions",
        "resource": {"accessKeyDetails": {"accessKeyId": KEY, "userName": "alice"}},
        "service": service,
        "createdAt": "2026-03-10T06:16:00Z",
    }


@pytest.mark.parametrize(
    "stated",
    [
        "2026-03-10T25:61:00Z",
        "2026-13-10 10:05 UTC",
        "2026-02-30",
        "31/02/2026 10:05",
        "yesterday at 10:05",
        "last Tuesday, 10:05 PDT",
        "10:05 yesterday",
        "March 10 at 10:05 UTC",
        "10 March 10:05",
        "2 hours ago",
        "10:05:00Z",
        "this morning",
    ],
)
def test_a_time_that_cannot_be_read_is_kept_and_no_events_time_passes_for_it(stated: str) -> None:
    alert = _one(f"{WHO} made a call: {stated}.")
    assert alert.first_seen is None
    (unread,) = alert.unread_times
    assert stated.startswith(unread)
    assert len(unread) >= len(stated) - 4  # all but a zone that no rule knows
    # The index knows a call of the user, at a time that is not the one stated.
    filled = fill_gaps(alert, MemoryStore([LATER]))
    assert filled.first_seen == _utc(2026, 3, 20, 10)
    assert filled.time_is_fallback
    answers = ask_all(filled, filled.principals[0], MemoryStore([LATER]))
    for answer in answers:
        assert answer.status not in ("nothing",)
        if answer.status != "not_applicable":
            assert any(unread in caveat for caveat in answer.caveats), answer.name


@pytest.mark.parametrize("stated", ["July 2023", "2023-W28", "2023-07", "Q3 2023", "midnight"])
def test_a_time_of_weeks_or_without_its_day_is_told_and_not_absent(stated: str) -> None:
    (alert,) = parse_alerts(f"arn:aws:iam::111122223333:user/alice was used, {stated}.")
    assert alert.first_seen is None
    assert alert.unread_times == (stated,)


@pytest.mark.parametrize(
    "stated",
    [
        "2026-03-10 from 10 to 12 UTC",
        "kl. 23 den 10 mars 2026 CET",
        "2026-03-10 um 23 MEZ",
        "10 March 2026, 11 o'clock EST",
        "2026-03-10 at 23 EST",
        "23:00 QQX on March 10, 2026",
        "on the 10th, i.e. 2026-03-10, 23.30 QQT",
    ],
)
def test_a_date_beside_an_hour_that_is_not_read_is_no_whole_day(stated: str) -> None:
    alert = _one(f"{WHO} made a call. All times are in UTC. {stated}")
    assert alert.first_seen is None
    (unread,) = alert.unread_times
    assert unread in f"{stated} "
    assert any(hour in unread for hour in ("10 to", "23", "11"))


def test_an_hour_that_stands_apart_from_its_day_is_told() -> None:
    alert = _one(f"On 2026-03-10 UTC {WHO} made a call at 23:00 EST from 203.0.113.9.")
    assert alert.first_seen == _utc(2026, 3, 10)
    assert alert.unread_times == ("23:00 EST",)


def test_a_key_alone_with_an_unreadable_time_is_no_surer() -> None:
    alert = fill_gaps(_one(f"{KEY} was used at 2026-03-10T25:61:00Z"), MemoryStore([LATER]))
    assert alert.first_seen == _utc(2026, 3, 20, 10)
    assert alert.time_is_fallback
    assert alert.used_between == (None, _utc(2026, 3, 20, 10))
    (_, roles, *_) = ask_all(alert, alert.principals[0], MemoryStore([LATER]))
    assert roles.status == "partial"
    assert any("2026-03-10T25:61:00Z" in caveat for caveat in roles.caveats)


@pytest.mark.parametrize(
    "stated",
    ["2026-03-10T25:61:00Z", "yesterday at 10:05", "soon", "0001-01-01T00:00:00Z",
     "2150-01-01T00:00:00Z", True, {"at": "noon"}],
)  # fmt: skip
def test_a_cloudtrail_record_whose_time_cannot_be_read_is_a_cloudtrail_record(stated: Any) -> None:
    record = an_event(userIdentity=a_role_session()) | {"eventTime": stated}
    alert = _one(json.dumps(record))
    assert (alert.source, alert.shape) == ("cloudtrail", "CloudTrail record")
    if stated == "2150-01-01T00:00:00Z":  # a time that an alert can have, if no event of an index
        return
    assert alert.first_seen is None
    assert alert.unread_times
    assert any("cannot be read" in note for note in alert.notes)


def test_what_stands_beside_an_unreadable_event_time_does_not_pass_for_it() -> None:
    record = an_event() | {"eventTime": "2026-03-10T25:61:00Z"}
    elastic = _one(json.dumps(record | {"@timestamp": "2026-03-10T06:06:00Z"}))
    assert elastic.first_seen == _utc(2026, 3, 10, 6, 6)
    assert elastic.time_is_fallback
    assert elastic.unread_times == ("2026-03-10T25:61:00Z",)
    event = {"detail-type": "x", "time": "2026-03-10T06:06:00Z", "detail": record}
    sent = _one(json.dumps(event))
    assert (sent.first_seen, sent.time_is_fallback) == (_utc(2026, 3, 10, 6, 6), True)
    assert sent.unread_times == ("2026-03-10T25:61:00Z",)
    assert any("cannot be read. Its times here are" in note for note in sent.notes)
    flat = {"eventtime": "25 o'clock", "eventname": "CreateUser", "eventsource": "iam",
            "useridentity": "{type=IAMUser, arn=" + WHO + "}"}  # fmt: skip
    athena = _one(json.dumps(flat))
    assert (athena.source, athena.first_seen) == ("cloudtrail", None)
    assert athena.unread_times == ("25 o'clock",)


def test_one_end_of_a_finding_that_cannot_be_read() -> None:
    finding = _finding(eventFirstSeen="2026-03-10T25:00:00Z", eventLastSeen="2026-03-10T06:06:00Z")
    alert = _one(json.dumps(finding))
    assert alert.first_seen == alert.last_seen == _utc(2026, 3, 10, 6, 6)
    assert alert.used_between == (None, _utc(2026, 3, 10, 6, 6))
    assert alert.unread_times == ("2026-03-10T25:00:00Z",)
    created = _one(json.dumps(_finding(eventFirstSeen="soon", eventLastSeen="soon")))
    assert created.first_seen == _utc(2026, 3, 10, 6, 16)
    assert created.time_is_fallback
    assert created.unread_times == ("soon",)
    assert _one(json.dumps(_finding(eventFirstSeen="", eventLastSeen=None))).unread_times == ()


def test_a_sessions_creation_date_in_text_is_no_time_of_a_call() -> None:
    cut = '{"eventVersion": "1.08", "userIdentity": {"type": "AssumedRole", "arn": '
    cut += '"arn:aws:sts::111122223333:assumed-role/reader/work", "sessionContext": {"attributes": '
    cut += '{"creationDate": "2026-03-10T05:00:00Z"}}}, "eventTime": "2026-03-10T25:61:00Z", "ev'
    alert = _one(cut)
    assert alert.first_seen is None
    assert alert.unread_times == ("2026-03-10T25:61:00Z",)


def test_a_readable_time_stays_and_the_other_is_told() -> None:
    text = f"{WHO}: first 2026-03-10 06:06:00 UTC, last 2026-03-10 26:06:00 UTC"
    alert = _one(text)
    assert alert.first_seen == alert.last_seen == _utc(2026, 3, 10, 6, 6)
    assert alert.unread_times == ("2026-03-10 26:06:00 UTC",)
    # Words of the same story beside a time that says all.
    assert _one(f"{WHO}: 2026-03-10 06:06 UTC (2 hours ago, at 06:06)").unread_times == ()


def test_the_cited_events_own_time_is_used_and_both_are_told() -> None:
    text = f"event {LATER['eventID']} by {WHO}, yesterday at 10:05"
    alert = fill_gaps(_one(text), MemoryStore([LATER]))
    assert (alert.first_seen, alert.time_is_fallback) == (_utc(2026, 3, 20, 10), False)
    assert any(f"event {LATER['eventID']}" in note for note in alert.notes)
    for answer in ask_all(alert, alert.principals[0], MemoryStore([LATER]))[1:]:
        assert any("yesterday at 10:05" in caveat for caveat in answer.caveats)


def test_a_given_time_settles_it_and_a_case_keeps_it_open() -> None:
    alert = _one(f"{WHO}: yesterday at 10:05")
    given = correct(alert, first_seen="2026-03-10T10:05:00Z")
    assert given.unread_times == ()
    assert given.first_seen == given.last_seen == _utc(2026, 3, 10, 10, 5)
    kept = read_alert(json.loads(json.dumps(alert_document(alert), default=str)), alert.raw)
    assert kept.unread_times == alert.unread_times


# The page, the command line and the JSON


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    logs, folder = tmp_path / "logs.json", tmp_path / "index"
    logs.write_text(json.dumps({"Records": [LATER]}))
    add([logs], folder)
    monkeypatch.setenv("BACKTRAIL_INDEX", str(folder))
    monkeypatch.setenv("BACKTRAIL_CASES", f"sqlite:///{tmp_path / 'cases.db'}")
    return folder


TEXT = f"{KEY} was used yesterday at 10:05"


def test_the_command_line_says_it_in_every_form(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "alert.txt"
    file.write_text(TEXT)
    for form in ([], ["--markdown"], ["--json"]):
        assert main([str(file), "--index", str(index), *form]) == 0
        said = capsys.readouterr().out
        assert "yesterday at 10:05" in said, form
        assert "cannot be read" in said, form
        assert "before running" not in said
    document = json.loads(said)
    assert document["alert"]["unread_times"] == ["yesterday at 10:05"]
    for answer in document["results"][0]["answers"]:
        if answer["status"] != "not_applicable":
            assert any("yesterday at 10:05" in one for one in answer["caveats"]), answer["name"]


def test_the_page_says_it(index: Path) -> None:
    at = a_page("triage", {"text": pack(f"{WHO} made a call yesterday at 10:05")})
    assert "“yesterday at 10:05”" in words(at)
    assert "cannot be read" in words(at)
    finding = _finding(eventFirstSeen="25 o'clock", eventLastSeen="2026-03-20T10:00:00Z")
    at = a_page("triage", {"text": pack(json.dumps(finding))})
    assert "The time that the alert states cannot be read." in words(at)
    assert "“25 o'clock”" in words(at)


# What can be read, though it does not look like a time


@pytest.mark.parametrize("number", ["1773122760", "1773122760.5", "1773122760000",
                                    "1773122760000000", "1773122760000000000"])  # fmt: skip
def test_epoch_times_are_converted_and_told(number: str) -> None:
    # 2026-03-10 06:06:00 UTC, by `date -u -d @1773122760`
    told = "is read as epoch"
    text = _one(f"{WHO} was used at {number}")
    record = _one(json.dumps(an_event() | {"eventTime": json.loads(number)}))
    quoted = _one(json.dumps(_finding(eventFirstSeen=number, eventLastSeen=number)))
    for alert in (text, record, quoted):
        assert alert.first_seen is not None
        assert alert.first_seen.replace(microsecond=0) == _utc(2026, 3, 10, 6, 6)
        assert alert.first_seen == alert.last_seen
        assert alert.time_is_sure
        assert any(f"“{number}”" in note and told in note for note in alert.notes)


def test_a_number_is_no_time_beside_one_unless_it_is_called_so() -> None:
    alert = _one(f"Ticket 1773122760: {WHO} was used 2026-03-11 06:06:00 UTC")
    assert alert.first_seen == alert.last_seen == _utc(2026, 3, 11, 6, 6)
    alert = _one(f"{WHO} was used 2026-03-11 06:06:00 UTC, first seen 1773122760")
    assert alert.first_seen == _utc(2026, 3, 10, 6, 6)


def test_a_time_without_seconds_is_all_of_its_minute() -> None:
    call = an_event(eventTime="2026-03-10T06:06:42Z", eventName="CreateUser")
    alert = _one(f"{WHO} was used at 2026-03-10 06:06 UTC")
    assert (alert.first_seen, alert.last_seen) == (
        _utc(2026, 3, 10, 6, 6),
        _utc(2026, 3, 10, 6, 6, 59),
    )
    answers = {one.name: one for one in ask_all(alert, alert.principals[0], MemoryStore([call]))}
    assert data_of(answers["interesting_calls"])["total"] == 1
    hour = _one(f"{WHO} was used March 10, 2026 6 AM UTC")
    assert hour.last_seen == _utc(2026, 3, 10, 6, 59, 59)
    to_the_second = _one(f"{WHO} was used at 2026-03-10 06:06:00 UTC")
    assert to_the_second.first_seen == to_the_second.last_seen


@pytest.mark.parametrize(
    "day", ["2026-03-10", "10 March 2026", "March 10th, 2026", "10.03.2026", "2026/03/10"]
)
def test_a_date_alone_is_all_of_its_day(day: str) -> None:
    call = an_event(eventTime="2026-03-10T23:59:58Z", eventName="CreateUser")
    alert = _one(f"{WHO} was used on {day} from 203.0.113.9. All times are in UTC.")
    assert (alert.first_seen, alert.last_seen) == (
        _utc(2026, 3, 10),
        _utc(2026, 3, 10, 23, 59, 59),
    )
    assert alert.time_question is None
    answers = {one.name: one for one in ask_all(alert, alert.principals[0], MemoryStore([call]))}
    assert data_of(answers["interesting_calls"])["total"] == 1
    # In no zone that is known it is asked, and an answer moves the whole day.
    alert = _one(f"{WHO} was used on {day}")
    assert alert.time_question is not None
    moved = correct(alert, time_zone="America/Los_Angeles")
    assert (moved.first_seen, moved.last_seen) == (
        _utc(2026, 3, 10, 7),
        _utc(2026, 3, 11, 6, 59, 59),
    )


def test_a_span_of_days_and_dates_that_say_nothing_of_when() -> None:
    alert = _one(f"{WHO} was used between 2026-03-09 and 2026-03-11 (all times in UTC)")
    assert (alert.first_seen, alert.last_seen) == (
        _utc(2026, 3, 9),
        _utc(2026, 3, 11, 23, 59, 59),
    )
    policy = f'{WHO} put {{"Version": "2012-10-17"}} on 2026-03-10 06:06:00 UTC, policy 2024-01-01'
    assert _one(policy).first_seen == _one(policy).last_seen == _utc(2026, 3, 10, 6, 6)


@pytest.mark.parametrize(
    ("stated", "lasts"),
    [
        ("2026-03-10", timedelta(hours=23, minutes=59, seconds=59)),
        ("2026-03-10T06", timedelta(minutes=59, seconds=59)),
        ("2026-03-10T06:06Z", timedelta(seconds=59)),
        ("2026-03-10 06:06", timedelta(seconds=59)),
        ("2026-03-10T07:06+01:00", timedelta(seconds=59)),
        ("March 10, 2026 6:06 AM UTC", timedelta(seconds=59)),
        ("2026-03-10T06:06:00Z", timedelta()),
        ("20260310T060600Z", timedelta()),
        ("2026-03-10T06:06:00.123+0000", timedelta()),
    ],
)
def test_a_records_time_means_no_less_than_it_says(stated: str, lasts: timedelta) -> None:
    alert = _one(json.dumps(an_event() | {"eventTime": stated}))
    assert alert.first_seen is not None
    assert alert.last_seen is not None
    assert alert.last_seen - alert.first_seen == lasts
    given = correct(_one(json.dumps(LATER)), first_seen="2026-03-10", last_seen=stated)
    assert given.last_seen == alert.last_seen


def test_the_time_of_what_a_rule_found_goes_before_the_time_of_the_rule() -> None:
    found = {
        "@timestamp": "2026-03-10T09:06:00Z",
        "kibana.alert.original_time": "2026-03-10T09:00:00Z",
        "event": {"action": "CreateUser", "provider": "iam.amazonaws.com"},
        "aws": {"cloudtrail": {"user_identity": {"type": "IAMUser", "arn": WHO}}},
    }
    assert _one(json.dumps(found)).first_seen == _utc(2026, 3, 10, 9)


@pytest.mark.parametrize("nested", [False, True])
def test_when_a_rule_ran_is_not_when_its_call_was(nested: bool) -> None:
    rule = {"kibana": {"alert": {"rule": {"name": "x"}}}} if nested else {
        "kibana.alert.rule.name": "x"
    }  # fmt: skip
    call = {
        "@timestamp": "2026-03-10T09:06:00Z",
        "event": {"action": "CreateUser", "provider": "iam.amazonaws.com"},
        "aws": {"cloudtrail": {"user_identity": {"type": "IAMUser", "arn": WHO}}},
    }
    alert = _one(json.dumps(call | rule))
    assert (alert.first_seen, alert.time_is_fallback) == (_utc(2026, 3, 10, 9, 6), True)
    assert any("when the rule ran (@timestamp)" in note for note in alert.notes)
    plain = _one(json.dumps(call))
    assert (plain.first_seen, plain.time_is_fallback) == (_utc(2026, 3, 10, 9, 6), False)


def test_a_time_with_a_mails_line_end_in_it_is_read() -> None:
    wrapped = _finding(
        eventFirstSeen="2026-0\n 3-10T09:00:00Z", eventLastSeen="2026-03-\n10T09:05Z"
    )
    alert = _one(json.dumps(wrapped))
    assert (alert.first_seen, alert.last_seen) == (
        _utc(2026, 3, 10, 9),
        _utc(2026, 3, 10, 9, 5, 59),
    )
    assert alert.time_is_sure


@pytest.mark.parametrize(
    "age",
    [
        "access_key_1_last_rotated,2025-01-02T03:04:05+00:00",
        "Key AKIAALICEXQXQXQXQXQX was made on 2 January 2025.",
        "Access key AKIAALICEXQXQXQXQXQX dates from 2 January 2025.",
        "AKIAALICEXQXQXQXQXQX (from 2 January 2025)",
    ],
)
def test_the_age_of_a_key_is_no_time_of_the_alert(age: str) -> None:
    (alone,) = parse_alerts(f"arn:aws:iam::111122223333:user/alice was used.\n{age}")
    assert alone.first_seen is None
    (dated,) = parse_alerts(
        f"arn:aws:iam::111122223333:user/alice was used 2026-03-10 12:00:00 UTC.\n{age}"
    )
    assert f"{dated.first_seen:%Y-%m-%d %H:%M}" == "2026-03-10 12:00"
