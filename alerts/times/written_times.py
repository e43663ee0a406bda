"""Times as people, mail programs and consoles write them, with all that each of them can mean.

"2026-03-10 06:06 PDT", "March 10, 2026 at 6:06 AM (UTC-07:00)", "Tue, 10 Mar 2026 01:05:00 -0800",
"10.03.2026 um 07:06 Uhr MEZ", a date alone, an ISO week's day, an epoch time, and stretches of
time. Nothing is guessed here: a time without a zone, one whose zone has several places, and a date
whose day and month may be exchanged have several readings, and whoever asked must say so. What is
written to the minute means all of that minute, a date alone all of that day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from alerts.times.clock_times import CLOCK, HALF_AND_CLOCK, clock_of, lasts_of, parts_of
from alerts.times.doubts import doubt
from alerts.times.epoch_times import epoch_time
from alerts.times.halves_of_day import another_word_follows, hour_said_apart
from alerts.times.of_things import of_thing
from alerts.times.said_again import (
    SaidAgain,
    is_told_in_another_zone,
    overlaps,
    said_again,
)
from alerts.times.sane_times import EARLIEST, LATEST, WHOLE_DAY, WHOLE_HOUR, WHOLE_MINUTE
from alerts.times.spans import Spans
from alerts.times.stretches import (
    ANOTHER_STRETCH,
    BETWEEN,
    BOTH_ENDS,
    CLOCKS_BEFORE,
    CLOCKS_BETWEEN,
    DAYS,
    IS_AND,
    LASTING,
    MARGIN,
    ONE_CLOCK,
    RANGE,
    first_day,
    length_of,
    without_an_end,
)
from alerts.times.time_zones import COMMON, WIDEST, ZONE, meanings
from alerts.times.unread_clocks import with_its_clock

Order = Literal["month first", "day first"]
ORDERS: tuple[Order, Order] = ("month first", "day first")

# A line for each month in English, German, French, Spanish, Italian, Portuguese and Dutch. They are
# no literals here, since Jan, April and August are people's names as well, and what stands in our
# sources counts as ours when a report is redacted.
_MONTHS = Path(__file__).with_name("months.txt").read_text("utf-8").splitlines()
_MONTH_OF = {name: n for n, names in enumerate(_MONTHS, start=1) for name in names.split()}
MONTH = "|".join(sorted(_MONTH_OF, key=lambda name: (-len(name), name)))
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = re.compile(rf"\b({'|'.join(_WEEKDAYS)})[a-z]{{0,6}}\.?,?\s{{0,2}}$", re.I)

# A year of two digits is one where an hour follows: else "1.3.26" is a version.
_HOUR_FOLLOWS = r"(?=,?\s(?:(?:at|um)\s)?\d\d?[:h]\d\d)"
_DATE = rf"""(?:
    (?P<y1>\d{{4}})(?P<s1>[-/.])(?P<m1>\d\d?)(?P=s1)(?P<d1>\d\d?)(?!\d)
  | (?P<a2>\d\d?)(?P<s2>[/-])(?P<b2>\d\d?)(?P=s2)(?P<y2>\d{{4}}|\d\d)(?!\d)
  | (?P<d3>\d\d?)\.\s?(?P<m3>\d\d?)\.\s?(?P<y3>\d{{4}}|\d\d{_HOUR_FOLLOWS})(?!\d)
  | (?P<days4>{DAYS})?(?P<d4>\d\d?)(?:st|nd|rd|th|er|º|\.)?[\s/-]{{0,2}}(?:(?:of|de|di)\s)?
    (?P<n4>{MONTH})\b\.?[\s,/-]{{0,2}}(?:(?:de|del)\s)?(?P<y4>\d{{4}}|(?<=-)\d\d|['’]\d\d|\d\d{_HOUR_FOLLOWS})(?!\d)
  | (?P<n5>{MONTH})\b\.?\s{{1,2}}(?P<days5>{DAYS})?(?P<d5>\d\d?)(?:st|nd|rd|th)?,?\s{{1,2}}
    (?P<y5>\d{{4}}|['’]\d\d)(?!\d)
  | (?P<y7>\d{{4}})-?W(?P<week>\d\d)-?(?P<d7>[1-7])(?!\d)
  | (?P<y6>\d{{4}})\s?[年년]\s?(?P<m6>\d\d?)\s?[月월]\s?(?P<d6>\d\d?)\s?[日일]
  | (?P<y8>\d{{4}})\.\s(?P<m8>\d\d?)\.\s(?P<d8>\d\d?)(?:\.|(?!\d))
)"""
_FIELD = r"[\s,;|\"'\\]{{1,5}}\b(?:{})[\"'\\]{{0,2}}\s{{0,2}}[:=]\s{{0,2}}[\"'\\]{{0,2}}"
_ZONE = (
    r"(?:(?:\s(?:local(?:\stime)?|ortszeit)[\s,]{1,2}[\[(]?|\s?[\[(]?"
    rf"|{_FIELD.format('tz|time[ _-]?zone|zone')})(?P<zone>{ZONE})[\])]?)?"
)
_DAY_OF_WEEK = (
    r"(?:[\s,]{0,2}(?:[(（]\s?)?(?:(?:星期|周|週|礼拜|禮拜)[一二三四五六日天]|[月火水木金土日]曜日?"
    r"|[월화수목금토일]요일|(?<=[(（])[月火水木金土日월화수목금토일](?=[)）])"
    r"|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?)(?:\s?[)）])?(?=[\s,]|[^a-z]))?"
)
_ABOUT = r"(?:\b(?:around|about|approx(?:imately|\.)?|circa|ca\.?|roughly|gegen)(?!\w)|~|≈)"
ABOUT = timedelta(minutes=15)
"""How far on either side a time may be that is said to be about right: our reading of "around"."""
_ABOUT_WORD = re.compile(_ABOUT, re.I)
_ABOUT_BEFORE = re.compile(rf"{_ABOUT}\s?$", re.I)
_BETWEEN = (
    rf"(?:\s?T|{_FIELD.format('time|hour|uhrzeit|heure|hora|ora')}|{_DAY_OF_WEEK}"
    r"[\s,;:@|·–-]{0,4}"
    rf"(?:(?:at|{BETWEEN}|um|à|a\slas|las|alle|ore|às|om|klo?\.?)\s(?:les?\s|las\s)?)?"
    rf"(?:{_ABOUT}\s?)?)"
)
_FROM = (
    rf"(?:\b(?P<between>{BETWEEN})\s(?:(?:las|les|le)\s)?)?(?<![\d.:/-])"
    r"(?:\b(?P<from_word>noon|midday|midnight)\b|(?P<from_h>\d\d?)(?:[:h](?P<from_mi>\d\d)"
    r"(?::(?P<from_s>\d\d)(?:[.,]\d{1,9})?)?)?(?![\d:])(?:\s?(?P<from_ap>[ap]\.?m\b\.?))?)"
    # "06:06 -07:00 on" is a time and its offset.
    r"(?!\s?(?:UTC|GMT|UT)?[+\-\u2212]\d\d:?[0134][05](?![\d:])(?!\s?(?-i:Z|[A-Z]{2,5})\b))"
    rf"(?:\s?[\[(]?(?P<from_zone>{ZONE})[\])]?)?{RANGE}"
)
_BEFORE_DATE = r"[\s,;|–-]{1,3}(?:(?:on|am|le|il|el|em|den|op)\s)?(?:[^\W\d_]{2,10}\.?,?\s)?"
_FORMS = tuple(
    re.compile(form, re.I | re.X)
    for form in (
        # What an ISO time, a mail header, a log, a console and a person put first: the date.
        rf"(?<![\d.])(?<!\d[:/-]){_DATE}{_BETWEEN}{HALF_AND_CLOCK}{_ZONE}",
        # The basic form of ISO 8601.
        r"(?<![\w.:/-])(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)"
        r"T(?P<h>\d\d)(?:(?P<mi>\d\d)(?:(?P<s>\d\d)(?:\.(?P<f>\d{1,9}))?)?)?"
        rf"{_ZONE}(?![\w:])",
        # ISO 8601 to the hour.
        rf"(?<![\w.:/-])(?P<y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d)T(?P<h>\d\d){_ZONE}(?![\w:.])",
        # Unix `date` and `git log`: Tue Mar 10 06:06:00 PDT 2026, Tue Mar 10 06:06:00 2026 -0700.
        rf"(?<!\w)(?P<n>{MONTH})\s{{1,2}}(?P<d>\d\d?)\s{CLOCK}{_ZONE}\s(?P<y>\d{{4}})(?!\d)"
        rf"(?P<after>\s?[\[(]?{ZONE}[\])]?)?",
        # Between 06:06 and 07:15 PDT on March 10, 2026.
        rf"{_FROM}(?P<end>{CLOCK}){_ZONE}{_BEFORE_DATE}{_DATE}(?P<after>\s?[\[(]?{ZONE}[\])]?)?",
        # 06:06 PDT on March 10, 2026.
        rf"(?<![\d.:/-]){CLOCK}{_ZONE}{_BEFORE_DATE}{_DATE}(?P<after>\s?[\[(]?{ZONE}[\])]?)?",
    )
)
# A day without a clock time; what is followed by one is a time that could not be read.
DAY = re.compile(
    rf"(?<![\w.:@#+-])(?<!(?<!\d\d\d\d-\d\d-\d\d)/){_DATE}{_ZONE}(?![\d:-]|/(?!\d{{4}}-\d\d-)|\w|[T,\s]{{0,2}}(?:at\s|um\s|à\s)?\d\d?[:h]\d)",
    re.I | re.X,
)
_VERSION = re.compile(r"version[\s\"'\\:=]{0,6}$", re.I)
"""Before the date that names a version of an API or of the policy language, 2012-10-17."""
_SEEN = re.compile(
    r"(?:\b(?:first|last|seen|since|from|until|till|between|start(?:ed)?|end(?:ed)?|observed"
    r"|detected|occurred|happened|when|date|on)|time(?:stamp)?)[\s\"'\\:=(]{1,4}$",
    re.I,
)
"""Before a date that says when, also where other times have their hour."""
_EPOCH = re.compile(
    r"(?<![\w.:/@#+-])1(?:\d{9}(?:\.\d{1,9})?|\d{12}|\d{15}|\d{18})(?![\w:/@-]|\.\d)"
)
_EPOCH_LABEL = re.compile(
    r"(?:time(?:stamp)?|date|epoch|unix|seen|since|from|until|when|\bat|\bts|@)"
    r"[\w\s\"'\\:=()\[\]]{0,20}$",
    re.I,
)
OF_THE_SESSION = re.compile(
    r"(?:creation_?date|session_?created|password[_\s]?last[_\s]?used)[\s\"'\\:=]{1,6}$", re.I
)
"""Before a time that is a session's or a password's, and not when a call was made."""
_MESSAGE_S_OWN = re.compile(
    r"\"(?:ts|event_ts|date|_time|TimeGenerated|sent(?:_?at)?|posted_?at|last_?updated)\\?\"\s{0,3}:\s{0,3}\\?\"?$",
    re.I,
)
"""Before a time that says when the message was sent (Slack's `ts`, Datadog's `date`, Splunk's and
Sentinel's own)."""
# What a label or a sentence says of every time: "First seen (UTC)", "All times are in PDT".
_STATED = re.compile(
    rf"(?:\b(?:\w*time(?:stamp|s)?|date|when|seen|observed|generated|created|updated|started|ended)"
    rf"\s?[\[(]\s?(?:in\s|local(?:\stime)?,?\s)?(?P<label>{ZONE})\s?[\])]"
    rf"|\btime\s?zone\s?(?:is|are|:|=)?\s?(?P<zone>{ZONE})(?![\w:])"
    rf"|\btimes?\s(?:(?:are|is|shown|given|listed|stated|in|the|as)\s){{1,4}}(?P<said>{ZONE})(?![\w:]))",
    re.I,
)
_HEADER = re.compile(
    r"[\s>*]{0,6}(?:Date|Sent|Received|Resent-Date|Gesendet|Datum|Envoyé|Enviado|Inviato)\*?\s?:",
    re.I,
)
_OTHER_HEADER = re.compile(
    r"^[\s>*]{0,6}(?:From|To|Subject|Received|Message-ID|Von|An|Betreff|De|À|Objet)\*?\s?:",
    re.I | re.M,
)
_REPLY = re.compile(
    r"[^\n]{0,80}\n?[^\n]{0,40}\b(?:wrote|writes|schrieb|a écrit|escribió|ha scritto)\b", re.I
)
_LABEL = re.compile(
    rf"(?:[\[(]\s?(?:in\s|local(?:\stime)?,?\s)?(?P<label>{ZONE})\s?[\])][\s:=|,'\"]{{0,6}}|\b(?P<bare>{ZONE})(?:\stime)?\s?[:=]\s?)$",
    re.I,
)
_UNTIL = re.compile(rf"{RANGE}{HALF_AND_CLOCK}{_ZONE}", re.I | re.X)
_BEGINS = re.compile(
    rf"(?<![\w.:/-])(?:(?P<n>{MONTH})\b\.?\s{{1,2}}(?P<d>\d\d?)(?:st|nd|rd|th)?"
    rf"|(?P<d2>\d\d?)(?:st|nd|rd|th|er|º|\.)?\s(?:(?:of|de|di)\s)?(?P<n2>{MONTH})\b\.?)"
    rf"(?:{_BETWEEN}{HALF_AND_CLOCK}{_ZONE})?{RANGE}(?:[^\W\d_]{{2,10}}\.?,?\s)?$",
    re.I | re.X,
)
"""What a stretch begins with that says its year at its end: "Dec 31 23:00 to Jan 1 2026 01:00"."""
_JOINED = re.compile(rf"{RANGE}(?:[^\W\d_]{{2,10}}\.?,?\s)?", re.I)


@dataclass(frozen=True)
class Reading:
    """One thing that a written time can mean. `order` is none where the date is sure."""

    order: Order | None
    zone: str
    instant: datetime
    local: datetime
    """Without a zone, as it is written."""


@dataclass(frozen=True)
class WrittenTime:
    """A time as it stands in a text: one reading if it is sure, else the likeliest first."""

    text: str
    plain: str
    """The same for `written_times` alone, without what its text says elsewhere of its date."""
    readings: tuple[Reading, ...]
    any_zone: bool = False
    """No zone is known, so that every zone is possible; the readings take it for UTC."""
    sent: bool = False
    """It is a mail's own time: when it was sent, not when what it tells of happened."""
    lasts: timedelta = timedelta()
    """How much later its last second is: what is written to the minute means all of it."""
    unit: str | None = None
    """Of an epoch time: "seconds", "milliseconds"…"""
    at: tuple[int, int] = (0, 0)
    """Where in the text it stands."""
    of_thing: bool = False
    """It is of something that the text names, and no time of the activity."""
    of_earlier: bool = False
    """What it is of is an earlier sign-in or use; else it says how old something is."""
    contradicts_itself: bool = False
    """It names two zones, or itself again in another one, and the two are unlike."""
    about: timedelta = timedelta()
    """How far off it is said to be at most: on either side that is meant as well."""
    without: str | None = None
    """The end that is not told of the stretch of which it is the other: "end" or "beginning"."""
    note: str | None = None
    """How its stretch was read, where that is to be told."""
    doubt: str | None = None
    """What stands beside it, speaks of its zone and is not understood: then no zone is known."""

    @property
    def is_open(self) -> bool:
        return self.any_zone or len(self.readings) > 1

    @property
    def earliest(self) -> datetime:
        earliest = min(reading.instant for reading in self.readings)
        return earliest - WIDEST[1] if self.any_zone else earliest

    @property
    def latest(self) -> datetime:
        latest = max(reading.instant for reading in self.readings) + self.lasts
        return latest - WIDEST[0] if self.any_zone else latest


def written_times(
    text: str, *, zone: str | None = None, order: Order | None = None
) -> list[WrittenTime]:
    """Every time that stands in the text with its date, in the text's order.

    `zone` and `order` are the answers to what the text leaves open, and decide nothing else.
    """
    found = [one for one in _found(text) if not OF_THE_SESSION.search(_before(text, one.start))]
    statements = list(_STATED.finditer(text))
    of_every_time = {said for m in statements if (said := m["zone"] or m["said"]) is not None}
    stated = of_every_time | {m["label"] for m in statements if m["label"] is not None}
    for_all = next(iter(stated)) if len(stated) == 1 else None
    orders = {written.order for written in found if written.order is not None}
    if len(orders) == 1:
        order = order or next(iter(orders))  # one text writes its dates in one way
    is_mail = _OTHER_HEADER.search(text) is not None
    begins = {one.start for one in found}
    times = []
    for written in found:
        label = _label_before(text, written.start)
        own = written.zone or label or for_all
        readings, any_zone = _readings(written, own, zone, order)
        again, end = list[SaidAgain](), written.end
        if written.unit is None and written.lasts < WHOLE_DAY:
            again, end = said_again(text, written.start, written.end, written.zone)
            if written.zone is not None:
                again += [SaidAgain(said, words=said) for said in {label, *of_every_time} if said]
        open_still = len(readings)
        readings, any_zone = _with_what_is_said_again(written, readings, any_zone, again)
        contradicts = len(readings) > open_still
        in_doubt = None
        is_utc = any(one.zone == COMMON[0] for one in readings)
        goes_on = written.end in begins
        said = doubt(text, written.start, end, written.zone, is_utc=is_utc, goes_on=goes_on)
        if written.unit is None and said is not None:
            in_doubt, own, again = said[0], None, []
            end = max(end, said[1])
            readings, any_zone = _readings(written, None, zone, order)
            contradicts = False
        if zone is not None and contradicts:
            readings = [one for one in readings if one.zone == zone] or readings
        if readings:
            sent = is_mail and _is_sent(text, written.start, written.end)
            plain = _plain(written, own, order)
            if again:
                plain += f" ({again[0].words})" + "".join(f" = {one.words}" for one in again[1:])
            times.append(
                WrittenTime(
                    written.text + text[written.end : end],
                    plain,
                    tuple(readings),
                    any_zone,
                    sent,
                    written.lasts,
                    written.unit,
                    (written.start, end),
                    contradicts_itself=contradicts and len(readings) > 1,
                    without=without_an_end(text, written.start, end),
                    note=written.note,
                    doubt=in_doubt,
                )
            )
    times = [_about(text, time) for time in _without_ages(text, _without_sending(text, times))]
    if any(not time.sent and not time.of_thing and time.lasts < WHOLE_DAY for time in times):
        # Beside times with an hour, a date alone may be of anything.
        times = [
            time
            for time in times
            if time.lasts < WHOLE_DAY or _SEEN.search(_before(text, time.at[0]))
        ]
    return times


def _without_sending(text: str, times: list[WrittenTime]) -> list[WrittenTime]:
    """The times, those marked as sent that a chat's, a SIEM's or a monitor's message has of itself
    beside others: alone, they may be the event's."""
    own = [_MESSAGE_S_OWN.search(_before(text, time.at[0])) is not None for time in times]
    if all(own):
        return times
    return [
        replace(time, sent=time.sent or is_own) for time, is_own in zip(times, own, strict=True)
    ]


def _without_ages(text: str, times: list[WrittenTime]) -> list[WrittenTime]:
    """The times, those marked that say how old something is, or when the alert was written. Where
    there is no other, "user lee created at …" may be what the alert is about. A "last login" is
    told apart where it is more than a day before all others.
    """
    kinds = [of_thing(text, *time.at) for time in times]
    told = [
        time.readings[0].instant
        for kind, time in zip(kinds, times, strict=True)
        if kind is None and not time.sent
    ]

    def is_earlier(kind: str | None, time: WrittenTime) -> bool:
        # Of the same day, it may well be a part of the story.
        return kind == "earlier" and bool(told) and time.latest < min(told) - _A_DAY

    return [
        replace(
            time,
            sent=time.sent or kind == "written",
            of_thing=kind == "credential"
            or (kind == "perhaps" and bool(told))
            or is_earlier(kind, time),
            of_earlier=is_earlier(kind, time),
        )
        for kind, time in zip(kinds, times, strict=True)
    ]


_A_DAY = timedelta(days=1)


def _about(text: str, time: WrittenTime) -> WrittenTime:
    """The time with what "around" or "±5 min" adds to it, where it says that."""
    if time.unit is not None or time.lasts >= WHOLE_DAY:
        return time
    stated = MARGIN.match(text, time.at[1])
    is_about = _ABOUT_BEFORE.search(_before(text, time.at[0])) or _ABOUT_WORD.search(time.text)
    if stated is None and is_about is None:
        return time
    margin = length_of(stated) if stated is not None else ABOUT
    if margin > _LONGEST:
        return time
    date, _, clock = time.plain.partition(" ")
    return replace(
        time,
        text=time.text + (stated[0] if stated is not None else ""),
        plain=f"{time.plain}{stated[0]}" if stated is not None else f"{date} about {clock}",
        readings=tuple(replace(one, instant=one.instant - margin) for one in time.readings),
        lasts=time.lasts + 2 * margin,
        at=(time.at[0], stated.end() if stated is not None else time.at[1]),
        about=margin,
    )


def _before(text: str, place: int) -> str:
    return text[max(0, place - 40) : place]


def instant_in(text: str) -> datetime | None:
    """The time that is all of the text, in UTC; None if it is none or can mean several."""
    span = span_in(text)
    return span[0] if span is not None else None


def span_in(text: str) -> tuple[datetime, datetime] | None:
    """The first and last second of the time that is all of the text, as `instant_in` reads it."""
    stripped = text.strip()
    if len(stripped) > 80:
        return None
    times = written_times(stripped)
    if len(times) != 1 or times[0].is_open:
        return None
    rest = stripped.replace(times[0].text, "", 1)
    if rest.strip(" .)") and not _WEEKDAY.fullmatch(rest):
        return None
    instant = times[0].readings[0].instant
    return instant, instant + times[0].lasts


@dataclass(frozen=True)
class _Found:
    """A date and a clock time side by side, not yet in any zone."""

    start: int
    end: int
    text: str
    locals: tuple[tuple[Order | None, datetime], ...]
    """The naive time for each order of day and month that the date can be in."""
    zone: str | None
    order: Order | None = None
    """The order that a date of two numbers has beyond doubt: it speaks for the others."""
    lasts: timedelta = timedelta()
    unit: str | None = None
    note: str | None = None


def _found(text: str) -> Iterator[_Found]:
    taken = Spans()
    found: list[_Found] = []
    for form in _FORMS:
        for match in form.finditer(text):
            if taken.overlap(*match.span()):
                continue
            hour = _hour_said_apart(text, match)
            if hour is None:
                taken.add(*match.span())  # three in the night, or in the afternoon: not read
                continue
            written = _read(text, match, hour)
            if written is None:
                continue
            began = None
            if (both := _both_ends(match, written)) is not None:
                began, written = both
            elif "end" in match.groupdict():
                # Its beginning may be on the day before, or none: that is not known here.
                written = replace(written, start=match.start("end"))
            taken.add(*match.span())
            found += _earlier(text, match, began or written)
            found += [began] if began is not None else []
            found += _with_its_end(text, written)
    for match in DAY.finditer(text):
        if taken.overlap(*match.span()) or _VERSION.search(_before(text, match.start())):
            continue
        with_clock = with_its_clock(text, *match.span())
        if with_clock is not None and not taken.overlap(*with_clock):
            continue  # told as unread, with its hour
        if (written := _read(text, match)) is not None:
            taken.add(*match.span())
            found += [*_earlier(text, match, written), written]
    # Of unlabelled numbers none is sure to be a time: they count where nothing else is one.
    epochs = [match for match in _EPOCH.finditer(text) if not taken.overlap(*match.span())]
    labelled = [one for one in epochs if _EPOCH_LABEL.search(_before(text, one.start()))]
    for match in labelled or ([] if found else epochs):
        if (read := epoch_time(match[0])) is not None:
            instant = read.instant.replace(tzinfo=None)
            found.append(_Found(*match.span(), match[0], ((None, instant),), "UTC", unit=read.unit))
    yield from _in_one_zone(text, sorted(found, key=lambda one: one.start))


def _in_one_zone(text: str, found: list[_Found]) -> Iterator[_Found]:
    """The times, each beginning of a stretch that names no zone in that of its end."""
    for one, following in zip_longest(found, found[1:]):
        if (
            following is not None
            and one.zone is None
            and following.zone is not None
            and one.end <= following.start
            and _JOINED.fullmatch(text[one.end : following.start])
        ):
            one = replace(one, zone=following.zone)
        yield one


def _earlier(text: str, match: re.Match[str], written: _Found) -> Iterator[_Found]:
    """What stands before a time and is the beginning of its stretch: other days of the month,
    a day of the same year, clock times of the same day."""
    parts = match.groupdict()
    has_clock = written.lasts < WHOLE_DAY
    for form in ("4", "5"):
        days = parts.get(f"days{form}")
        if days is None:
            continue
        first = first_day(text, match.start(f"days{form}"), days, int(parts[f"d{form}"]))
        if first is not None:
            yield replace(
                written,
                locals=tuple(
                    (order, datetime(local.year, local.month, first))
                    for order, local in written.locals
                ),
                lasts=timedelta() if has_clock else WHOLE_DAY,
            )
            return
    before = text[max(0, written.start - _LOOKED_BACK) : written.start]
    if not _MAY_GO_ON.search(before[-20:]):
        return
    if (begins := _BEGINS.search(before)) is not None:
        named = parts_of(before, begins)
        clocked = any(named.get(name) is not None for name in ("h", "h2", "word"))
        clock = clock_of(named) if clocked else timedelta()
        month = _MONTH_OF[str(named["n"] or named["n2"]).lower()]
        of_month = int(named["d"] or named["d2"] or 0)
        locals_ = []
        for order, local in written.locals:
            day = _day(local.year, month, of_month)
            if day is not None and clock is not None and day + clock > local:
                day = _day(local.year - 1, month, of_month)
            if day is not None and clock is not None:
                locals_.append((order, day + clock))
        if locals_:
            yield replace(
                written,
                start=written.start - len(begins[0]),
                text=f"{begins[0]}{written.text}".strip(),
                locals=tuple(locals_),
                zone=named["zone"] or written.zone,
                lasts=lasts_of(named) if clocked else (timedelta() if has_clock else WHOLE_DAY),
            )
        return
    clocks = CLOCKS_BEFORE.search(before) if has_clock and _CLOCK_FIRST.match(match[0]) else None
    for one in ONE_CLOCK.finditer(clocks[0]) if clocks is not None else ():
        named = one.groupdict()
        clock = clock_of(named)
        begins_at = [
            (order, datetime(local.year, local.month, local.day) + clock)
            for order, local in written.locals
            if clock is not None
        ]
        # Of which half of the day it is, or of which day, is not said where it is the later.
        if begins_at and all(
            at <= local for (_, at), (_, local) in zip(begins_at, written.locals, strict=True)
        ):
            yield replace(
                written,
                start=written.start - len(clocks[0]) if clocks is not None else written.start,
                text=f"{one[0]} ({written.text})",
                locals=tuple(begins_at),
                zone=named["zone"] or written.zone,
                lasts=lasts_of(named),
            )


_LOOKED_BACK = 100
_MAY_GO_ON = re.compile(rf"(?:, |{RANGE})(?:[^\W\d_]{{2,10}}\.?,?\s)?$", re.I)
_CLOCK_FIRST = re.compile(r"[^\W\d_]{0,8}\s?\d\d?(?:[:h]\d\d|\s?[ap]\.?m\b|[-–—])", re.I)


def _hour_said_apart(text: str, match: re.Match[str]) -> int | None:
    """The hour of the time by a half of the day that stands apart from the clock; None where it is
    open; -1 where the clock says all itself."""
    parts = parts_of(text, match)
    if parts.get("h") is None or any(parts.get(name) for name in ("ap", "a_p", "ap2", "half")):
        return -1
    written = str(parts["h"])
    iso = re.search(rf"\dT{written}", match[0]) is not None
    hour = hour_said_apart(text, written, match.span(), iso=iso)
    if (
        "zone" in match.re.groupindex
        and parts["zone"] is None
        and another_word_follows(text, match.end())
    ):
        hour = None if 1 <= int(written) <= 12 else hour
    if hour == int(written):
        return -1
    # The other end of a stretch would be of the half that is said before the first.
    stretch = "end" in match.re.groupindex or _UNTIL.match(text, match.end()) is not None
    return None if stretch else hour


def _read(text: str, match: re.Match[str], hour: int = -1) -> _Found | None:
    parts = parts_of(text, match)
    if hour >= 0:
        parts["h"] = f"{hour}"
    has_clock = any(parts.get(name) is not None for name in ("h", "h2", "word"))
    clock = clock_of(parts) if has_clock else timedelta()
    if clock is None:
        return None
    dates: list[tuple[Order | None, datetime]] = []
    order: Order | None = None
    if parts.get("a2"):
        first, second = int(parts["a2"] or 0), int(parts["b2"] or 0)
        year = _year(parts["y2"])
        month_first, day_first = _day(year, first, second), _day(year, second, first)
        if month_first is not None and day_first is not None and month_first != day_first:
            weekday = _WEEKDAY.search(text[max(0, match.start() - 14) : match.start()])
            possible: list[tuple[Order, datetime]] = [
                (order, day)
                for order, day in zip(ORDERS, (month_first, day_first), strict=True)
                if weekday is None or day.weekday() == _WEEKDAYS.index(weekday[1].lower())
            ] or [("month first", month_first), ("day first", day_first)]
            if len(possible) == 1:
                order = possible[0][0]
                dates = [(None, possible[0][1])]
            else:
                dates = list(possible)
        elif month_first is not None:
            order = "month first" if day_first is None else None
            dates = [(None, month_first)]
        elif day_first is not None:
            order = "day first"
            dates = [(None, day_first)]
    elif (day := _sure_day(parts)) is not None:
        dates = [(None, day)]
    locals_ = tuple((known, day + clock) for known, day in dates)
    if not locals_:
        return None
    return _Found(
        match.start(),
        match.end(),
        match[0].strip(),
        locals_,
        parts.get("zone") or parts.get("after"),
        order,
        lasts_of(parts) if has_clock else WHOLE_DAY,
    )


def _sure_day(parts: Mapping[str, str | None]) -> datetime | None:
    """Midnight of a date that can be read in one way only."""
    if (week := parts.get("week")) is not None:
        try:
            of_week = date.fromisocalendar(int(parts["y7"] or 0), int(week), int(parts["d7"] or 0))
        except ValueError:
            return None
        return _day(of_week.year, of_week.month, of_week.day)
    for number in ("", "1", "3", "4", "5", "6", "8"):
        year, day = parts.get(f"y{number}"), parts.get(f"d{number}")
        month, name = parts.get(f"m{number}"), parts.get(f"n{number}")
        if year is not None and day is not None and (month is not None or name is not None):
            of_year = int(month) if month is not None else _MONTH_OF[(name or "").lower()]
            return _day(_year(year), of_year, int(day))
    return None


def _year(digits: str | None) -> int:
    year = int((digits or "0").strip("'’"))
    return year + 2000 if year < 100 else year


def _day(year: int, month: int, day: int) -> datetime | None:
    """Midnight of a day in the years in which there is CloudTrail, and can be an alert."""
    try:
        return datetime(year, month, day) if EARLIEST.year <= year < LATEST.year else None
    except ValueError:
        return None


def _both_ends(match: re.Match[str], written: _Found) -> tuple[_Found, _Found] | None:
    """What "between 06:06 and 07:15 PDT on 10 March 2026" begins and ends with.

    One that goes over midnight begins on the day that it names: so says its note. None where the
    first is no time, or may be of either half of the day.
    """
    parts = parts_of(match.string, match)
    if "end" not in parts:
        return None
    if parts["from_h"] and not any(parts[n] for n in ("from_mi", "from_ap", "between", "ap2")):
        return None  # "in 10 - 07:15"
    own = parts["from_ap"] or parts.get("half") or ""
    of_end = parts.get("ap") or parts.get("ap2") or ""
    for half in dict.fromkeys((own or of_end, own)):
        # "6:06 to 7:15 PM" begins in the evening, "11:30 to 1:15 PM" in the morning.
        first = {name: parts[f"from_{name}"] for name in ("h", "mi", "s", "word")} | {"ap": half}
        clock = clock_of(first)
        if clock is None:
            continue
        begins = replace(
            written,
            locals=tuple((order, _midnight(end) + clock) for order, end in written.locals),
            zone=parts["from_zone"] or written.zone,
            lasts=lasts_of(first),
        )
        until = match.string[match.start() : match.start("end")]
        if begins.locals <= written.locals or (
            IS_AND.search(until) and not BOTH_ENDS.search(until)
        ):
            return begins, written
    if clock is None or (of_end and not own and not parts["from_word"]):
        return None
    ends = tuple((order, end + timedelta(days=1)) for order, end in written.locals)
    note = (
        f"“{written.text}” goes over midnight: it is taken to begin on the day that it names, and"
        " to end on the next."
    )
    return begins, replace(written, locals=ends, note=note)


def _midnight(local: datetime) -> datetime:
    return datetime(local.year, local.month, local.day)


def _with_its_end(text: str, written: _Found) -> Iterator[_Found]:
    """The time, and the one that "06:06 to 07:15 PDT" ends with, on the same day or the next."""
    if (lasting := LASTING.match(text, written.end)) is not None:
        span = length_of(lasting)
        yield written
        if span <= _LONGEST:
            yield replace(
                written,
                end=lasting.end(),
                text=f"{written.text}{lasting[0]}",
                locals=tuple((order, local + span) for order, local in written.locals),
                lasts=timedelta(),
            )
        return
    ends = list[_Found]()
    one, begins_another = written, False
    for _ in range(_MOST_ENDS):
        if (end := _its_end(text, one)) is None:
            break
        ends.append(end)
        more = ANOTHER_STRETCH.match(text, end.end)
        if more is None and not begins_another:
            break
        one, begins_another = end, more is not None
    zone = written.zone or next((end.zone for end in ends if end.zone is not None), None)
    yield replace(written, zone=zone)
    yield from (replace(end, zone=end.zone or zone) for end in ends)


_LONGEST = timedelta(days=31)
_MOST_ENDS = 6
_OFFSET_OR_END = re.compile(r"[-\u2212](?:0\d|1[0-2]):(?:00|15|30|45)")
"""Right behind a zone: "23:00Z-05:00" may be either, and is asked."""


def _its_end(text: str, written: _Found) -> _Found | None:
    """What follows a time and is the end of its stretch, or the last of several of its day."""
    between = CLOCKS_BETWEEN.match(text, written.end)
    until = _UNTIL.match(text, between.end() if between is not None else written.end)
    clock = clock_of(parts_of(text, until)) if until is not None else None
    if until is None or clock is None or is_told_in_another_zone(text, written.end, written.zone):
        return None
    if written.zone is not None and _OFFSET_OR_END.fullmatch(until[0]):
        return None
    zone = written.zone or until["zone"]
    # "At 06:06 and 05:15" are two times of one day, "between 06:06 and 05:15" ends on the next.
    one_day = between is not None or (
        IS_AND.match(until[0])
        and not BOTH_ENDS.search(text[max(0, written.start - 12) : written.end])
    )
    ends = tuple(
        (order, end if end >= local or one_day else end + timedelta(days=1))
        for order, local in written.locals
        for end in [_midnight(local) + clock]
    )
    return _Found(
        until.start(),
        until.end(),
        f"{written.text}{text[written.end : until.end()]}",
        ends,
        until["zone"] or zone,
        lasts=lasts_of(parts_of(text, until)),
    )


def _readings(
    written: _Found, own: str | None, zone: str | None, order: Order | None
) -> tuple[list[Reading], bool]:
    """What the time can mean, and whether its zone is not known at all."""
    readings: list[Reading] = []
    any_zone = False
    for known, local in written.locals:
        if known is not None and order is not None and known != order:
            continue
        found = meanings(own, local) if own is not None else []
        if zone is not None and len(found) != 1:
            found = [one for one in found if one[0] == zone] or meanings(zone, local) or found
        if not found:
            any_zone, found = True, [(COMMON[0], local.replace(tzinfo=UTC))]
        still_open = known if order is None else None
        readings += [
            Reading(still_open, name, instant, local)
            for name, instant in found
            if EARLIEST <= instant < LATEST
        ]
    return readings, any_zone


def _with_what_is_said_again(
    written: _Found, readings: list[Reading], any_zone: bool, again: Sequence[SaidAgain]
) -> tuple[list[Reading], bool]:
    """The readings that what else is said of the time agrees with; where none does, its own too."""
    for said in again:
        if any_zone:
            meant = [
                replace(one, zone=zone, instant=instant)
                for one in readings
                for zone, instant in said.meant(one.local, None)
            ]
            readings, any_zone = meant or readings, not meant
            continue
        found = [(one, said.meant(one.local, one.instant)) for one in readings]
        agreed = [
            one
            for one, meant in found
            if any(overlaps(one.instant, written.lasts, at, said.lasts) for _, at in meant)
        ]
        unlike = dict.fromkeys(
            replace(one, zone=zone, instant=at)
            for one, meant in found
            for zone, at in meant
            if zone not in {other.zone for other in readings} and EARLIEST <= at < LATEST
        )
        # UTC is the likeliest of what contradicts each other: what AWS shows is in it.
        readings = agreed or sorted([*readings, *unlike], key=lambda one: one.zone != "UTC")
    return readings, any_zone


def _plain(written: _Found, own: str | None, order: Order | None) -> str:
    locals_ = [local for known, local in written.locals if order is None or known in (None, order)]
    if written.unit is not None:
        return written.text
    # No finer than it was written, for what it leaves out is meant as a whole.
    clock = {WHOLE_DAY: "", WHOLE_HOUR: " %I %p", WHOLE_MINUTE: " %H:%M"}.get(
        written.lasts, " %H:%M:%S.%f"
    )
    date = "%m/%d/%Y" if len(locals_) > 1 else "%Y-%m-%d"
    return f"{locals_[0]:{date}{clock}} {own or ''}".strip()


def _label_before(text: str, start: int) -> str | None:
    """The zone of a label that stands right before a time: "First seen (UTC): ", "UTC: "."""
    line = text[max(0, start - 60, text.rfind("\n", 0, start) + 1) : start]
    label = _LABEL.search(line)
    return label["label"] or label["bare"] if label is not None else None


def _is_sent(text: str, start: int, end: int) -> bool:
    """Whether the time stands in a mail's own header, or above the reply that it quotes."""
    if _REPLY.match(text, end):
        return True
    at = start
    for _ in range(6):  # a long header goes on in indented lines
        at = text.rfind("\n", 0, at) + 1
        if _HEADER.match(text, at):
            return True
        if at == 0 or text[at : at + 1] not in (" ", "\t"):
            return False
        at -= 1
    return False
