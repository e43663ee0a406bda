"""The half of the day in other languages, and times that name two zones: right, or a question."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts import Alert, correct, parse_alerts

WHO = "arn:aws:iam::111122223333:user/alice"


def _pasted(times: str) -> Alert:
    (alert,) = parse_alerts(f"{WHO} was used. {times}")
    return alert


def _on_the_tenth(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, 10, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-10 下午 3:06 UTC",
        "下午 3:06 UTC 2026-03-10",
        "2026-03-10 3:06下午 UTC",
        "2026年3月10日 下午3:06 UTC",
        "2026年3月10日 星期二 下午3:06 UTC",
        "2026年3月10日(火) 午後3時06分 UTC",
        "2026年3月10日 15時06分 UTC",
        "2026年3月10日（火）15：06 UTC",
        "2026/03/11 午前0:06 JST",
        "2026. 3. 10. 오후 3:06 UTC",
        "2026년 3월 10일 화요일 오후 3:06 UTC",
        "10.03.2026 3:06 μ.μ. UTC",
        "10.03.2026 3:06 م UTC",
        "10.03.2026 3:06 ب.ظ. UTC",
        "2026-03-10 3:06 ÖS UTC",
        "2026-03-10 3:06 PTG UTC",
        "2026. 3. 10. du. 3:06 UTC",
        "2026-03-10 3:06 e pasdites UTC",
        "2026-03-10 3:06 Uhr nachmittags UTC",
        "10.03.2026 um 3:06 nachmittags UTC",
        "10 de marzo de 2026 a las 3:06 de la tarde UTC",
        "10 de março de 2026 às 3:06 da tarde UTC",
        "10 mars 2026 à 3 h 06 de l’après-midi UTC",
        "10 marzo 2026 ore 3:06 del pomeriggio UTC",
        "March 10, 2026 at 3:06 in the afternoon UTC",
        "2026-03-10 3:06p UTC",
        "2026-03-10 3:06 p. m. UTC",
        "2026-03-10 (Tue) 3:06 PM UTC",
    ],
)
def test_three_in_the_afternoon_is_never_three_in_the_night(written: str) -> None:
    alert = _pasted(written)
    assert (alert.first_seen, alert.last_seen) == (_on_the_tenth(15, 6), _on_the_tenth(15, 6, 59))
    assert alert.time_is_sure


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2026-03-10 上午 3:06 UTC", 3),
        ("2026-03-10 凌晨 3:06 UTC", 3),
        ("2026-03-10 中午 12:06 UTC", 12),
        ("2026-03-10 晚上 9:06 UTC", 21),
        ("2026-03-10 at 9:06 at night UTC", 21),
        ("2026-03-10 at 3:06 at night UTC", 3),
        ("2026-03-10 午前0:06 UTC", 0),
        ("2026-03-10 午後0:06 UTC", 12),
        ("2026-03-10 3:06a UTC", 3),
    ],
)
def test_a_word_for_a_part_of_the_day_is_read_with_its_hour(written: str, hour: int) -> None:
    assert _pasted(written).first_seen == _on_the_tenth(hour, 6)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-10 12:06 at night UTC",  # of this night or of the next
        "2026-03-10 3:06 SA UTC",  # Vietnam's morning, and a country
        "2026-03-10 15:06 AM UTC",
        "下午 3:06 UTC",  # of no day
    ],
)
def test_what_can_be_either_half_is_told_as_unread(written: str) -> None:
    alert = _pasted(written)
    assert alert.unread_times
    assert alert.first_seen is None
    assert not alert.time_is_sure


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-10 07:06 EDT (11:06 UTC)",
        "2026-03-10 07:06 EDT (= 11:06 UTC)",
        "2026-03-10 07:06 EDT, i.e. 11:06 UTC",
        "2026-03-10 07:06 EDT (11:06 UTC, 12:06 CET)",
        "2026-03-10 11:06 UTC (07:06 EDT)",
        "2026-03-10 07:06 (11:06 UTC)",
        "07:06 EDT (11:06 UTC) on 2026-03-10",
        # "IST" is India's, Israel's and Ireland's: the other statement says which.
        "2026-03-10 16:36 IST (11:06 UTC)",
        "2026-03-10 07:06 -0400 EDT",
        "2026-03-10 12:06 +01:00[Europe/Berlin]",
    ],
)
def test_two_statements_that_agree_are_one_time(written: str) -> None:
    alert = _pasted(written)
    assert (alert.first_seen, alert.last_seen) == (_on_the_tenth(11, 6), _on_the_tenth(11, 6, 59))
    assert alert.time_is_sure


def test_the_other_statement_may_be_of_the_next_day() -> None:
    alert = _pasted("2026-03-09 23:06 EDT (03:06 UTC)")
    assert alert.first_seen == _on_the_tenth(3, 6)
    assert alert.time_is_sure


@pytest.mark.parametrize(
    ("written", "utc", "other"),
    [
        ("2026-03-10 07:06 EDT (10:06 UTC)", (10, 6), (11, 6)),
        ("10:06 UTC (07:06 EDT) on 2026-03-10", (10, 6), (11, 6)),
        ("2026-03-10 10:06 UTC (07:06 EDT)", (10, 6), (11, 6)),
        ("2026-03-10 07:06 EDT (UTC)", (7, 6), (11, 6)),
        ("2026-03-10 07:06 EDT UTC", (7, 6), (11, 6)),
        ("2026-03-10T07:06:00Z EDT", (7, 6), (11, 6)),
        ("First seen (UTC): 2026-03-10 07:06 EDT", (7, 6), (11, 6)),
        ("All times are in UTC. 2026-03-10 07:06 EDT", (7, 6), (11, 6)),
    ],
)
def test_two_statements_that_contradict_each_other_are_a_question(
    written: str, utc: tuple[int, int], other: tuple[int, int]
) -> None:
    alert = _pasted(written)
    assert alert.first_seen == _on_the_tenth(*utc)  # until it is answered
    question = alert.time_question
    assert question is not None
    assert not alert.time_is_sure
    assert "contradicts itself" in question.text
    assert (question.earliest, question.latest) == (
        min(_on_the_tenth(*utc), _on_the_tenth(*other)),
        max(question.latest, _on_the_tenth(*other)),
    )
    assert question.zones == ("UTC", "UTC-04:00 (US Eastern)")
    answered = correct(alert, time_zone="UTC-04:00 (US Eastern)")
    assert answered.first_seen == _on_the_tenth(*other)
    assert answered.time_question is None
    answered = correct(alert, time_zone="UTC")
    assert answered.first_seen == _on_the_tenth(*utc)
    assert answered.time_question is None


def test_an_offset_of_the_next_time_contradicts_nothing() -> None:
    alert = _pasted("Between 2026-03-10 06:06 UTC and 07:15 UTC, by 10.0.0.1 (EU)")
    assert (alert.first_seen, alert.last_seen) == (_on_the_tenth(6, 6), _on_the_tenth(7, 15, 59))
    assert alert.time_is_sure


@pytest.mark.parametrize(
    "written",
    [
        "in the afternoon of 10 March 2026 at 3:06 UTC",
        "on the afternoon of 10 March 2026 at 4:06 CET",
        "la tarde del 10 de marzo de 2026, a las 3:06 UTC",
        "am Nachmittag des 10. März 2026 um 3:06 Uhr UTC",
        "Tuesday afternoon, March 10, 2026, 3:06 UTC",
        "2026-03-10 3:06 UTC PM",
        "2026-03-10 3:06 UTC p.m.",
        "2026-03-10 3:06 UTC, PM",
        "2026-03-10 4:06 CET nachmittags",
        "2026-03-10 3:06 GMT 下午",
        "PM 3:06 2026-03-10 UTC",
        "2026-03-10 3:06 tarde UTC",
        "2026-03-10 3:06 chiều UTC",
        "2026-03-10 3:06 אחה״צ UTC",
    ],
)
def test_a_half_of_the_day_apart_from_the_clock_counts(written: str) -> None:
    alert = _pasted(written)
    assert (alert.first_seen, alert.last_seen) == (_on_the_tenth(15, 6), _on_the_tenth(15, 6, 59))
    assert alert.time_is_sure


@pytest.mark.parametrize(
    "written",
    [
        "this afternoon (2026-03-10 3:06 UTC)",  # the writer's afternoon, or that of UTC
        "in the afternoon of 2026-03-10 03:06 UTC",
        "2026-03-10 3:06 बजे शाम UTC",  # no evening begins at three
        "2026-03-10 3:06 ತಡವಾಗಿ UTC",
        "2026-03-10T03:06:00Z PM",
        "on the afternoon of 10 March 2026 between 1:00 and 3:00 CET",
    ],
)
def test_a_half_of_the_day_that_settles_nothing_leaves_the_time_unread(written: str) -> None:
    alert = _pasted(written)
    assert alert.first_seen is None
    assert alert.unread_times


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("in the evening of 10 March 2026 at 7:06 UTC", 19),
        ("in the evening of 10 March 2026 at 19:06 UTC", 19),
        ("am 10. März 2026 um 12:06 Uhr UTC", 12),
        ("12:06 UTC am 10.03.2026", 12),
        ("2026-03-10 12:06 UTC am Server", 12),
        ("this morning (2026-03-10 3:06 UTC)", 3),
        ("this afternoon, 2026-03-10 11:06 UTC", 11),  # that of another zone: no 23:06 either
        ("this evening (2026-03-10T03:06:00Z)", 3),
        ("2026-03-10 12:06 UTC AM", 0),
    ],
)
def test_what_a_half_apart_says_of_other_hours(written: str, hour: int) -> None:
    alert = _pasted(written)
    assert alert.first_seen == _on_the_tenth(hour, 6)
    assert alert.time_is_sure


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-10 12:06 UTC / 08:06 EDT",
        "2026-03-10 12:06 UTC / 08:06 EDT / 13:06 CET",
        "2026-03-10 21:06 JST / 12:06 UTC",
        "2026-03-10 12:06 UTC | 08:06 EDT",
        "Time (UTC): 2026-03-10 12:06\nTime (local, PDT): 2026-03-10 05:06",
    ],
)
def test_one_time_told_in_two_zones_is_one_time(written: str) -> None:
    alert = _pasted(written)
    assert (alert.first_seen, alert.last_seen) == (_on_the_tenth(12, 6), _on_the_tenth(12, 6, 59))
    assert alert.time_is_sure


@pytest.mark.parametrize(
    "written", ["2026-03-10 11:06 UTC / 13:06 EDT", "2026-03-10T07:06:00-04:00 UTC"]
)
def test_two_zones_that_contradict_each_other_are_a_question(written: str) -> None:
    alert = _pasted(written)
    assert alert.time_question is not None
    assert "contradicts itself" in alert.time_question.text


def test_a_stroke_between_two_hours_of_one_zone_is_a_stretch_of_time() -> None:
    alert = _pasted("2026-03-10 06:06 UTC / 07:15 UTC")
    assert (alert.first_seen, alert.last_seen) == (_on_the_tenth(6, 6), _on_the_tenth(7, 15, 59))
