"""Times as people and programs write them: one instant where it is sure, a question where not."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import Alert, CorrectionRefused, correct, parse_alerts
from alerts.times.written_times import written_times
from tests.an_event import an_event

WHO = "arn:aws:iam::111122223333:user/alice"


def _utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def _pasted(times: str) -> Alert:
    (alert,) = parse_alerts(f"{WHO} was used. {times}")
    return alert


@pytest.mark.parametrize(
    ("written", "hour", "minute"),
    [
        ("2026-03-10 06:06 PDT", 13, 6),
        ("2026-03-10T06:06:00Z", 6, 6),
        ("2026-03-10 06:06:00 UTC", 6, 6),
        ("2026-03-10T06:06:00+01:00[Europe/Berlin]", 5, 6),
        ("2026-03-10 06:06:00.123 -0700 PDT", 13, 6),
        ("2026-03-10 06:06 CET", 5, 6),
        ("10. Mrz. 2026 um 06:06 Uhr (MEZ)", 5, 6),
        ("10.3.26 06:06 MEZ", 5, 6),
        ("10 Mar 26 06:06 GMT+1", 5, 6),
        ("10 Mar '26 06:06 UTC", 6, 6),
        ("Mar 10 '26 at 06:06 UTC", 6, 6),
        ("2026-03-10 6.06am Pacific", 13, 6),
        ("6.06 am Pacific on March 10, 2026", 13, 6),
        ("2026-03-10 06:06 ET", 10, 6),  # New York's summer time began on 8 March
        ("2026-03-10 06:06 America/Los_Angeles", 13, 6),
        ("2026-03-10, 06:06:00 (UTC-07:00) Pacific Time (US & Canada)", 13, 6),
        ("10 Mar 2026 09:00:00 +0100", 8, 0),
        ("Tue, 10 Mar 2026 01:05:00 -0800", 9, 5),
        ("Tue, 10 Mar 2026 01:05:00 GMT", 1, 5),
        ("March 10, 2026 6:06 AM PDT", 13, 6),
        ("March 10th, 2026 at 6:06 p.m. Eastern Daylight Time", 22, 6),
        ("Mar 10 2026 6pm PT", 1, 0),
        ("12 AM UTC, 10 March 2026", 0, 0),
        ("12:30 PM UTC on March 10, 2026", 12, 30),
        ("06:06 PDT on Tuesday, March 10, 2026", 13, 6),
        ("Tue Mar 10 06:06:00 PDT 2026", 13, 6),
        ("Tue Mar 10 06:06:00 2026 -0700", 13, 6),
        ("Mar 10 06:06:00 2026 PDT", 13, 6),
        ("Tue Mar 10 2026 06:06:00 GMT-0700 (Pacific Daylight Time)", 13, 6),
        ("Mar 10, 2026 @ 06:06:00.000 UTC", 6, 6),
        ("10/Mar/2026:06:06:00 +0000", 6, 6),
        ("20260310T060600Z", 6, 6),
        ("Tue 03/10/2026 06:06 UTC", 6, 6),  # 3 October is a Saturday
        ("13/03/2026 06:06 UTC is not it, but 10/03/2026 06:06 UTC", 6, 6),
        ("10.03.2026 um 07:06 Uhr MEZ", 6, 6),
        ("10. März 2026, 07:06 MEZ", 6, 6),
        ("le 10 mars 2026 à 7h06 CET", 6, 6),
        ("10 de marzo de 2026 a las 7:06 CET", 6, 6),
        ("10 marzo 2026 alle 7:06 CET", 6, 6),
        ("10 maart 2026 om 7:06 CET", 6, 6),
        ("2026年3月10日 15:06 JST", 6, 6),
        ("First seen (UTC): 2026-03-10 06:06", 6, 6),
        ("2026-03-10 06:06\nAll times are in UTC.", 6, 6),
        ("Time zone: America/Los_Angeles\n2026-03-09 23:06", 6, 6),
        ("10.03.2026, 07.06 Uhr MEZ", 6, 6),
        ("10.03.2026 07.06 CET", 6, 6),
        ("2026-03-10 0706 CET", 6, 6),
        ("2026-03-10 0706 hrs CET", 6, 6),
        ("10-MAR-26 07.06.00.000000 AM +01:00", 6, 6),
        ("10-MAR-26 07.06.00.000 AM CET", 6, 6),
        ("2026年3月10日 午後3時06分 JST", 6, 6),
        ("date: 2026-03-10, time: 07:06:00, tz: CET", 6, 6),
        ("2026-03-10 T06:06Z", 6, 6),
        ("2026-03-10 08:06 UTC plus 2", 6, 6),
        ("2026-03-10 01:06 UTC minus five", 6, 6),
        ("2026-03-10 01:06 UTC offset -5", 6, 6),
        ("2026-03-10 01:06 UTC - 5", 6, 6),
        ("2026-03-10 08:06 local time (UTC+2)", 6, 6),
        ("2026-03-10 15:06 Tokyo Standard Time", 6, 6),
        ("2026-03-10 06:06 GMT Standard Time", 6, 6),
        ("2026-03-10 07:06 Romance Standard Time", 6, 6),
        ("3/10/2026, 6:06:00\u202fAM UTC on a Tuesday; 3/31/2026, 6:06 AM UTC", 6, 6),
    ],
)
def test_a_time_that_says_its_zone_is_converted(written: str, hour: int, minute: int) -> None:
    readings = [time.readings for time in written_times(written)]
    assert all(len(one) == 1 for one in readings)
    assert not any(time.any_zone for time in written_times(written))
    day = 11 if "6pm" in written else 10
    instants = {one[0].instant.replace(second=0, microsecond=0) for one in readings}
    assert _utc(2026, 3, day, hour, minute) in instants


@pytest.mark.parametrize(
    "written", ["2026-03-10 06:06-07:15 PDT", "2026-03-10, 06:06 to 07:15 PDT"]
)
def test_a_stretch_of_time_has_both_ends_in_its_zone(written: str) -> None:
    alert = _pasted(written)
    assert alert.time_question is None
    assert (alert.first_seen, alert.last_seen) == (
        _utc(2026, 3, 10, 13, 6),
        _utc(2026, 3, 10, 14, 15, 59),
    )


FORMS: list[Callable[[datetime, str], str]] = [
    lambda t, zone: f"{t:%Y-%m-%d %H:%M:%S} {zone}",
    lambda t, zone: f"{t:%Y-%m-%dT%H:%M:%S.%f} {zone}",
    lambda t, zone: f"{t:%d %b %Y %H:%M:%S} {zone}",
    lambda t, zone: f"{t:%a, %d %B %Y, %I:%M:%S %p} {zone}",
    lambda t, zone: f"{t:%B %d, %Y at %I:%M:%S %p} {zone}",
    lambda t, zone: f"{t:%A, %b} {t.day}, {t:%Y %I:%M:%S%p} ({zone})",
    lambda t, zone: f"{t:%d.%m.%Y %H:%M:%S} {zone}",
    lambda t, zone: f"{t:%Y/%m/%d %H:%M:%S} [{zone}]",
    lambda t, zone: f"{t:%H:%M:%S} {zone} on {t:%B} {t.day}, {t:%Y}",
    lambda t, zone: (
        f"{t:%a %m/%d/%Y %H:%M:%S} {zone}"
        if datetime(t.year, t.month, t.day).weekday() != _exchanged(t)
        else f"{t:%Y-%m-%d %H:%M:%S} {zone}"
    ),
]


def _exchanged(time: datetime) -> int | None:
    """The weekday of the date with day and month exchanged; None if that is no date."""
    try:
        return datetime(time.year, time.day, time.month).weekday()
    except ValueError:
        return None


ZONES = st.sampled_from(
    ["America/Los_Angeles", "America/New_York", "America/Denver", "Europe/Berlin"]
    + ["Europe/Helsinki", "Australia/Sydney", "Asia/Tokyo", "Pacific/Auckland"]
)
TIMES = st.datetimes(datetime(2006, 1, 3), datetime(2037, 1, 1)).map(
    lambda time: time.replace(microsecond=0, tzinfo=UTC)
)


@given(TIMES, ZONES, st.sampled_from(FORMS))
def test_any_time_in_any_form_with_its_zones_abbreviation(
    time: datetime, zone: str, form: Callable[[datetime, str], str]
) -> None:
    local = time.astimezone(ZoneInfo(zone))
    (read,) = written_times(form(local, local.strftime("%Z")))
    assert not read.is_open
    assert read.readings[0].instant == time


@given(TIMES, st.integers(-48, 56), st.sampled_from(FORMS), st.sampled_from(["", "UTC", "GMT"]))
def test_any_time_in_any_form_with_an_offset(
    time: datetime, quarters: int, form: Callable[[datetime, str], str], prefix: str
) -> None:
    local = time.astimezone(timezone(timedelta(minutes=15 * quarters)))
    (read,) = written_times(form(local, f"{prefix}{local.isoformat()[-6:]}"))
    assert not read.is_open
    assert read.readings[0].instant == time


@given(TIMES, st.integers(-48, 56))
def test_any_time_as_a_mail_writes_it(time: datetime, quarters: int) -> None:
    local = time.astimezone(timezone(timedelta(minutes=15 * quarters)))
    (read,) = written_times(format_datetime(local))
    assert not read.is_open
    assert read.readings[0].instant == time


@given(TIMES, st.sampled_from(FORMS))
def test_any_time_without_a_zone_is_a_question(
    time: datetime, form: Callable[[datetime, str], str]
) -> None:
    local = time.replace(tzinfo=None)
    alert = _pasted(form(local, "").replace("()", "").replace("[]", ""))
    question = alert.time_question
    assert question is not None
    assert question.assumed == "UTC"
    assert alert.first_seen == time
    assert question.earliest == time - timedelta(hours=14)
    assert question.latest == time + timedelta(hours=12)
    tokyo = correct(alert, time_zone="Asia/Tokyo")
    assert tokyo.first_seen == tokyo.last_seen == time - timedelta(hours=9)
    assert tokyo.time_question is None


@given(st.datetimes(datetime(2006, 2, 1), datetime(2037, 1, 1)), st.booleans())
def test_a_date_of_two_numbers_is_one_date_or_a_question(time: datetime, month_first: bool) -> None:
    form = "%m/%d/%Y %H:%M" if month_first else "%d/%m/%Y %H:%M"
    (read,) = written_times(f"{time.strftime(form)} UTC")
    ambiguous = time.day <= 12 and time.day != time.month
    assert read.is_open == ambiguous
    instants = {reading.instant for reading in read.readings}
    assert time.replace(second=0, microsecond=0, tzinfo=UTC) in instants
    assert len(instants) == 1 + ambiguous


@given(st.text(alphabet="0123456789-/:. TZ+APMapmJanuryFebMachESCDTUG()[],\n", max_size=120))
def test_any_text_has_times_or_none(text: str) -> None:
    for time in written_times(text):
        assert time.earliest <= time.readings[0].instant <= time.latest


def test_hostile_text_is_read_in_time_that_grows_with_it() -> None:
    for piece in (
        "2026-03-10 ",
        "06:06 ",
        "10 mar ",
        "(UTC",
        "time time ",
        "1/1/",
        "Date: ",
        "Jan ",
        "10 March 2026 ",
        "10 and ",
        "12:00, ",
        "2026-03-10 12:00 UTC (",
        "March 10 to ",
    ):
        written_times(piece * (50_000 // len(piece)))


# What is open

# Capitals that name no zone, no month, no half of a day, and nothing that stands behind times.
MADE_UP = st.text("BCDFGHJKLQRVWXYZ", min_size=2, max_size=4).map(lambda word: f"Q{word}")


@given(
    TIMES,
    MADE_UP,
    st.sampled_from(FORMS),
    st.sampled_from(["{}", "All times are in UTC.\n{}", "First seen (UTC): {}"]),
)
def test_a_zone_that_nobody_knows_is_never_utc_in_silence(
    time: datetime, word: str, form: Callable[[datetime, str], str], label: str
) -> None:
    alert = _pasted(label.format(form(time, word)))
    assert not alert.time_is_sure


BESIDE_UTC = [
    "UTC plus 2 or so, local", "UTC local", "UTC (local)", "UTC (local; UTC-5)", "UTC, local time",
    "UTC DST", "UTC summer time", "GMT daylight", "UTC (summer)", "UTC Berlin", "UTC QQBT",
    "UTC, Springfield Standard Time", "Z-05:00", "Z+02:00", "Z+0530", "Z -0500", "Z-5",
    "UTC + 5.5 h", "UTC, 2 hours ahead", "UTC, offset +2", "UTC (offset: 5)", "GMT +5h30",
    "(not UTC)", "(UTC?)", "UTC (EST)", "UTC EST",
]  # fmt: skip


@pytest.mark.parametrize("said", BESIDE_UTC)
@pytest.mark.parametrize("form", FORMS)
def test_what_speaks_of_the_zone_beside_utc_is_never_dropped(
    form: Callable[[datetime, str], str], said: str
) -> None:
    time = _utc(2026, 7, 14, 21, 30, 5)
    alert = _pasted(form(time, said))
    assert not alert.time_is_sure or alert.first_seen not in (time, _utc(2026, 7, 14))


@pytest.mark.parametrize("said", ["not UTC: ", "Not in UTC: ", "convert to UTC: "])
def test_a_label_that_denies_its_zone_names_none(said: str) -> None:
    alert = _pasted(f"{said}2026-03-10 06:06")
    assert alert.time_question is not None
    answered = correct(alert, time_zone="America/Los_Angeles")
    assert answered.first_seen == _utc(2026, 3, 10, 13, 6)
    assert answered.time_question is None


def test_what_is_not_understood_stands_in_the_question() -> None:
    alert = _pasted("2026-03-10T23:00:00Z-05:00")
    assert alert.time_question is not None
    assert alert.time_question.text.startswith(
        "The time “2026-03-10T23:00:00Z-05:00” leaves its zone open: “-05:00” beside it is not"
        " understood."
    )
    assert alert.time_question.latest == _utc(2026, 3, 11, 11)
    answered = correct(alert, time_zone="UTC-05:00")
    assert answered.first_seen == answered.last_seen == _utc(2026, 3, 11, 4)


@pytest.mark.parametrize(
    "prose",
    [
        "from 203.0.113.9", "203.0.113.9", "5 calls were made", "- 5 calls were made", ", 3 users",
        "plus 2 others", "IAM user kim", "AWS GuardDuty", "(GuardDuty)", "(Berlin)", "in Berlin",
        "INFO started", "GET /x", "ROOT LOGIN", "by the local admin", "local admin kim",
        ". Local time is not known.", "\nResponse Time: 5", "| HIGH | x", ", severity 5", "?",
        "(2 hours ago)", "and 2 more", "to S3", "for 3 users", "for user kim", "over 3 regions",
        ", in 10 minutes", "EVENT X", "-- x", "Alice", "(finding 12:00 UTC)", "us-east-1", "A user",
        "\nLocal time: 14:00", ", local time 14:00", "(local 14:00)",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["2026-03-10 12:00 UTC {}", "2026-03-10T12:00Z {}"])
def test_prose_behind_a_time_leaves_it_sure(form: str, prose: str) -> None:
    alert = _pasted(form.format(prose).replace(" ,", ",").replace(" .", "."))
    assert (alert.first_seen, alert.last_seen) == (
        _utc(2026, 3, 10, 12),
        _utc(2026, 3, 10, 12, 0, 59),
    )
    assert alert.time_is_sure


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("between 11:54 and 11:57 UTC on 2023-07-10", (11, 54, 0), (11, 57, 59)),
        ("from 11:54 to 11:57 UTC on 10 July 2023", (11, 54, 0), (11, 57, 59)),
        ("on 2023-07-10 from 11:54 to 11:57 UTC", (11, 54, 0), (11, 57, 59)),
        ("2023-07-10 between 11:54 and 11:57 UTC", (11, 54, 0), (11, 57, 59)),
        ("11:54-11:57 UTC on 2023-07-10", (11, 54, 0), (11, 57, 59)),
        ("from 4:54 to 5:57 AM PDT on July 10, 2023", (11, 54, 0), (12, 57, 59)),
        ("from 4:54 to 5:57 PM CEST on July 10, 2023", (14, 54, 0), (15, 57, 59)),
        ("9-11 am UTC on 2023-07-10", (9, 0, 0), (11, 59, 59)),
        ("noon to 1 pm UTC on 2023-07-10", (12, 0, 0), (13, 59, 59)),
        ("2023-07-10T12:00Z/2023-07-10T12:05Z", (12, 0, 0), (12, 5, 59)),
        ("2023-07-10T12:00Z/12:05Z", (12, 0, 0), (12, 5, 59)),
        ("2023-07-10T12:00:00Z/PT5M", (12, 0, 0), (12, 5, 0)),
        ("2023-07-10 12:30 and 11:54 UTC", (11, 54, 0), (12, 30, 59)),
        ("2023-07-10T12Z", (12, 0, 0), (12, 59, 59)),
        ("2023-07-10T12+02:00", (10, 0, 0), (10, 59, 59)),
        ("20230710T12Z", (12, 0, 0), (12, 59, 59)),
        ("2023-W28-1T12:04Z", (12, 4, 0), (12, 4, 59)),
        ("2023-W28-1 UTC", (0, 0, 0), (23, 59, 59)),
        ("noon UTC on 2023-07-10", (12, 0, 0), (12, 0, 59)),
        ("2023-07-10 at noon UTC", (12, 0, 0), (12, 0, 59)),
        ("midnight UTC on 2023-07-10", (0, 0, 0), (0, 0, 59)),
    ],
)
def test_both_ends_of_a_stretch_and_times_no_finer_than_an_hour(
    written: str, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    alert = _pasted(written)
    assert (alert.first_seen, alert.last_seen) == (
        _utc(2023, 7, 10, *first),
        _utc(2023, 7, 10, *last),
    )
    assert alert.time_question is None
    assert alert.unread_times == ()


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("10–12 March 2026 UTC", (10,), (12, 23, 59, 59)),
        ("10-12 March 2026 UTC", (10,), (12, 23, 59, 59)),
        ("from 10 to 12 March 2026 UTC", (10,), (12, 23, 59, 59)),
        ("du 10 au 12 mars 2026 UTC", (10,), (12, 23, 59, 59)),
        ("vom 10. bis 12. März 2026 UTC", (10,), (12, 23, 59, 59)),
        ("on 8, 9 and 10 March 2026 UTC", (8,), (10, 23, 59, 59)),
        ("March 10-12, 2026 UTC", (10,), (12, 23, 59, 59)),
        ("March 8, 9 and 10, 2026 UTC", (8,), (10, 23, 59, 59)),
        ("from March 10 to March 12, 2026 UTC", (10,), (12, 23, 59, 59)),
        ("10 March to 12 March 2026 UTC", (10,), (12, 23, 59, 59)),
        ("2026-03-08/2026-03-10 (all times in UTC)", (8,), (10, 23, 59, 59)),
        ("2026-03-08 .. 2026-03-10 UTC", (8,), (10, 23, 59, 59)),
        ("2026-03-08 10:00 to 2026-03-10 12:00 UTC", (8, 10), (10, 12, 0, 59)),
        ("from Mar 9 23:00 to Mar 10 2026 01:00 UTC", (9, 23), (10, 1, 0, 59)),
        ("8-10 March 2026 12:00 UTC", (8,), (10, 12, 0, 59)),
        ("entre 10:00 et 12:00 UTC le 10 mars 2026", (10, 10), (10, 12, 0, 59)),
        ("entre las 10:00 y las 12:00 UTC del 10 de marzo de 2026", (10, 10), (10, 12, 0, 59)),
        ("zwischen 10:00 und 12:00 UTC am 10.03.2026", (10, 10), (10, 12, 0, 59)),
        ("12:00, 13:00 and 14:00 UTC on 2026-03-10", (10, 12), (10, 14, 0, 59)),
        ("2026-03-10 12:00, 13:00 and 14:00 UTC", (10, 12), (10, 14, 0, 59)),
        ("10:00-11:00 and 14:00-15:00 UTC on 2026-03-10", (10, 10), (10, 15, 0, 59)),
        ("2026-03-10 10:00-11:00 and 14:00-15:00 UTC", (10, 10), (10, 15, 0, 59)),
        ("at 13:00 and 12:00 UTC on 2026-03-10", (10, 12), (10, 13, 0, 59)),
        ("2026-03-10 12:00 UTC for 3 hours", (10, 12), (10, 15)),
        ("2026-03-10 12:00 UTC (for 90 minutes)", (10, 12), (10, 13, 30)),
        ("2026-03-10 12:00:00 UTC +/- 5 min", (10, 11, 55), (10, 12, 5)),
        ("2026-03-10 12:00:00 UTC ± 2 h", (10, 10), (10, 14)),
    ],
)
def test_a_stretch_that_names_its_day_or_month_once_has_both_ends(
    written: str, first: tuple[int, ...], last: tuple[int, ...]
) -> None:
    alert = _pasted(written)
    assert (alert.first_seen, alert.last_seen) == (_utc(2026, 3, *first), _utc(2026, 3, *last))
    assert alert.time_question is None
    assert alert.unread_times == ()


def test_a_stretch_from_one_year_to_the_next() -> None:
    alert = _pasted("from Dec 31 23:00 to Jan 1 2026 01:00 UTC")
    assert alert.first_seen == _utc(2025, 12, 31, 23)
    assert alert.last_seen == _utc(2026, 1, 1, 1, 0, 59)


@pytest.mark.parametrize(
    "written",
    [
        "Severity 2 - 10 March 2026 UTC",
        "Severity 5, 10 March 2026 UTC",
        "port 22 – 10 March 2026 UTC",
    ],
)
def test_a_number_of_something_else_is_no_day(written: str) -> None:
    assert _pasted(written).first_seen == _utc(2026, 3, 10)


@pytest.mark.parametrize(
    "written",
    [
        "between 11 PM and 1 AM EST on January 10, 2026",
        "23:00-01:00 EST on 2026-01-10",
        "2026-01-10 23:00 to 01:00 EST",
    ],
)
def test_a_stretch_over_midnight_begins_on_the_day_that_it_names(written: str) -> None:
    alert = _pasted(written)
    assert alert.first_seen == _utc(2026, 1, 11, 4)
    assert alert.last_seen is not None
    assert alert.last_seen.replace(minute=0, second=0) == _utc(2026, 1, 11, 6)
    assert alert.unread_times == ()
    if not written.startswith("2026"):
        assert any("goes over midnight" in note for note in alert.notes)


def test_an_end_that_is_not_named_is_told() -> None:
    (said,) = [note for note in _pasted("since 2026-03-08 UTC").notes if "names no" in note]
    assert said.startswith("“2026-03-08 UTC” names no end: the window ends with it.")
    (said,) = [note for note in _pasted("until 2026-03-08 12:00 UTC").notes if "names no" in note]
    assert "names no beginning" in said
    both = _pasted("since 2026-03-08 UTC, last seen 2026-03-10 12:00 UTC")
    assert both.last_seen == _utc(2026, 3, 10, 12, 0, 59)
    assert not any("names no" in note for note in both.notes)


def test_times_of_weeks_apart_are_told() -> None:
    alert = _pasted("2026-03-10 12:00 UTC, and before that 2026-02-01 08:00 UTC")
    assert alert.first_seen == _utc(2026, 2, 1, 8)
    assert any("are 37 days apart" in note for note in alert.notes)


def test_an_earlier_sign_in_is_no_beginning_of_the_activity() -> None:
    alert = _pasted("2026-03-10 12:00 UTC (last login 2026-02-01 08:00 UTC)")
    assert alert.first_seen == _utc(2026, 3, 10, 12)
    assert any("earlier sign-in" in note for note in alert.notes)
    alone = _pasted("last login 2026-02-01 08:00 UTC")
    assert alone.first_seen == _utc(2026, 2, 1, 8)
    same_day = _pasted("2026-03-10 12:00 UTC (last login 2026-03-10 08:00 UTC)")
    assert same_day.first_seen == _utc(2026, 3, 10, 8)


@pytest.mark.parametrize(
    "own", ['"ts": 1773135600', '"date": "1773135600000"', '"_time": "2026-03-10T09:40:00Z"',
            '"TimeGenerated": "2026-03-10T09:40:00Z"'],
)  # fmt: skip
def test_when_a_message_was_sent_is_no_end_of_the_activity(own: str) -> None:
    alert = _pasted(f'{{"first": "2026-03-10T09:00:00Z", "last": "2026-03-10T09:10:00Z", {own}}}')
    assert (alert.first_seen, alert.last_seen) == (_utc(2026, 3, 10, 9), _utc(2026, 3, 10, 9, 10))
    alone = _pasted(f"{{{own}}}")
    assert alone.first_seen == _utc(2026, 3, 10, 9, 40)


@pytest.mark.parametrize(
    "written",
    [
        "On 2026-03-10 around 13:06 UTC.",
        "10 March 2026 at about 1:06 pm UTC",
        "Around 13:06 UTC on March 10, 2026",
        "2026-03-10 ~13:06Z",
        "2026-03-10 approx. 06:06 PDT",
        "am 10.03.2026 gegen 14:06 Uhr CET",
    ],
)
def test_a_time_that_is_about_right_means_a_quarter_of_an_hour_on_either_side(written: str) -> None:
    alert = _pasted(written)
    assert alert.time_question is None
    assert alert.first_seen == _utc(2026, 3, 10, 12, 51)
    assert alert.last_seen == _utc(2026, 3, 10, 13, 21, 59)
    (note,) = [note for note in alert.notes if "about right" in note]
    assert "15 minutes on either side" in note


def test_about_a_user_says_nothing_of_a_time_and_an_open_zone_stays_one() -> None:
    (alert,) = parse_alerts(f"about {WHO} 2026-03-10T13:06:00Z")
    assert alert.first_seen == alert.last_seen == _utc(2026, 3, 10, 13, 6)
    asked = _pasted("On 2026-03-10 around 13:06.")
    assert asked.time_question is not None
    answered = correct(asked, time_zone="PDT")
    assert answered.first_seen == _utc(2026, 3, 10, 19, 51)
    assert answered.last_seen == _utc(2026, 3, 10, 20, 21, 59)


def test_a_year_of_two_digits_without_an_hour_is_a_version() -> None:
    assert written_times("botocore 1.3.26, then 10 Mar 26 of them") == []
    (day,) = written_times("on Mar 10 '26")
    assert (day.readings[0].instant, day.lasts) == (_utc(2026, 3, 10), timedelta(seconds=86399))


@pytest.mark.parametrize("zone", ["-00:15", "UTC-00:15", "GMT-0015"])
def test_an_offset_is_no_end_of_a_stretch(zone: str) -> None:
    (read,) = written_times(f"06:06:00 {zone} on March 10, 2026")
    assert read.readings[0].instant == _utc(2026, 3, 10, 6, 21)


def test_a_zone_that_is_not_known_is_asked_for() -> None:
    alert = _pasted("2026-03-10 06:06 QQQT")
    assert alert.time_question is not None
    assert "2026-03-10 06:06" in alert.time_question.text
    assert alert.time_question.text in alert.notes
    assert "America/Los_Angeles" in alert.time_question.zones


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("2026-03-10 06:06 IST", {-5.5, -1, -2}),  # India, Ireland, Israel
        ("2026-03-10 06:06 CST", {6, -8, 5}),  # Chicago, China, Cuba
        ("2026-07-10 06:06 BST", {-1, -6}),  # Britain, Bangladesh
        ("2026-07-10 06:06 EST", {5, 4}),  # as written, and as New York's clocks were
        ("2026-07-10 06:06 GMT Standard Time", {0, -1}),  # as written, and as London's clocks were
        ("2026-11-01 01:30 ET", {4, 5}),  # the hour that was twice
    ],
)
def test_an_abbreviation_of_several_zones_is_a_question(written: str, hours: set[float]) -> None:
    alert = _pasted(written)
    assert alert.time_question is not None
    local = datetime.fromisoformat(written[:16]).replace(tzinfo=UTC)
    answers = {correct(alert, time_zone=zone).first_seen for zone in alert.time_question.zones}
    assert answers == {local + timedelta(hours=one) for one in hours}
    assert alert.first_seen == correct(alert, time_zone=alert.time_question.zones[0]).first_seen
    assert (alert.time_question.earliest, alert.time_question.latest) == (
        local + timedelta(hours=min(hours)),
        local + timedelta(hours=max(hours), seconds=59),
    )


def test_day_and_month_that_may_be_exchanged_are_a_question() -> None:
    alert = _pasted("03/10/2026, 06:06:00 AM")
    question = alert.time_question
    assert question is not None
    assert "10 March 2026 or 3 October 2026" in question.text
    assert question.assumed == "month first, UTC"
    half = correct(alert, date_order="day first")
    assert half.first_seen == _utc(2026, 10, 3, 6, 6)
    assert half.time_question is not None
    assert half.time_question.orders == ()
    whole = correct(alert, date_order="day first", time_zone="PDT")
    assert whole.first_seen == _utc(2026, 10, 3, 13, 6)
    assert whole.time_question is None


def test_a_time_that_is_cut_off_is_a_question() -> None:
    alert = _pasted('{"eventFirstSeen": "2026-03-10T09:00:0')
    assert alert.first_seen == _utc(2026, 3, 10, 9)
    assert alert.time_question is not None


def test_an_answer_decides_nothing_that_the_text_says() -> None:
    alert = _pasted("2026-03-10 06:06 PDT, then 2026-03-10 15:00")
    assert alert.first_seen == _utc(2026, 3, 10, 13, 6)
    answered = correct(alert, time_zone="Europe/Berlin")
    assert (answered.first_seen, answered.last_seen) == (
        _utc(2026, 3, 10, 13, 6),
        _utc(2026, 3, 10, 14, 0, 59),
    )


def test_what_bounds_the_activity_goes_by_every_reading() -> None:
    alert = _pasted("2026-03-10 06:06")
    assert alert.used_between == (_utc(2026, 3, 9, 16, 6), _utc(2026, 3, 10, 18, 6, 59))
    sure = _pasted("2026-03-10 06:06 UTC")
    assert sure.used_between == (_utc(2026, 3, 10, 6, 6), _utc(2026, 3, 10, 6, 6, 59))


# Corrections


def test_a_correction_may_be_written_in_any_sure_form() -> None:
    alert = _pasted("no time")
    assert correct(alert, first_seen="March 10, 2026 6:06 AM PDT").first_seen == _utc(
        2026, 3, 10, 13, 6
    )
    with pytest.raises(CorrectionRefused, match="can mean several times"):
        correct(alert, first_seen="03/10/2026 06:06 IST")
    with pytest.raises(CorrectionRefused, match="is no time zone"):
        correct(alert, time_zone="Mars/Olympus")
    with pytest.raises(CorrectionRefused, match="is no order"):
        correct(alert, date_order="year first")


def test_a_corrected_time_is_in_question_no_more() -> None:
    alert = _pasted("2026-03-10 06:06")
    corrected = correct(alert, first_seen="2026-03-10T01:00:00Z")
    assert corrected.time_question is None
    assert (corrected.first_seen, corrected.last_seen) == (
        _utc(2026, 3, 10, 1),
        _utc(2026, 3, 10, 1),
    )


# Mails


def test_when_a_mail_was_sent_is_not_when_it_happened() -> None:
    mail = (
        "From: soc@example.com\nSubject: alert\nDate: Tue, 10 Mar 2026 12:00:00 +0100\n\n"
        f"{WHO} made a call at 2026-03-10 06:06 UTC."
    )
    (alert,) = parse_alerts(mail)
    assert alert.first_seen == _utc(2026, 3, 10, 6, 6)
    assert alert.last_seen == _utc(2026, 3, 10, 6, 6, 59)
    assert not alert.time_is_fallback
    (alert,) = parse_alerts(mail.partition(" at 2026")[0])
    assert alert.first_seen == _utc(2026, 3, 10, 11)
    assert alert.time_is_fallback
    assert alert.used_between == (None, _utc(2026, 3, 10, 11))


# Records whose tool wrote the time in words


def test_a_record_with_a_time_in_words_is_read_or_asked_about() -> None:
    row: dict[str, Any] = an_event()
    (alert,) = parse_alerts(json.dumps(row | {"eventTime": "March 10, 2026 6:06 AM PDT"}))
    assert alert.first_seen == _utc(2026, 3, 10, 13, 6)
    assert alert.time_question is None
    (alert,) = parse_alerts(json.dumps(row | {"eventTime": "Mar 10, 2026 @ 06:06:00.000"}))
    assert alert.first_seen == _utc(2026, 3, 10, 6, 6)
    assert alert.time_question is not None
    assert correct(alert, time_zone="UTC-07:00").first_seen == _utc(2026, 3, 10, 13, 6)


def test_iso_times_of_records_are_in_utc_with_or_without_a_z() -> None:
    (alert,) = parse_alerts(json.dumps(an_event() | {"eventTime": "2026-03-10 06:06:00.000"}))
    assert alert.first_seen == _utc(2026, 3, 10, 6, 6)
    assert alert.time_question is None
