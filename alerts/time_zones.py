"""What a zone written after a time means: an offset, a name, or an abbreviation of several."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

COMMON = (
    "UTC",
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Helsinki",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
)
"""What is offered where nothing is known of a zone; any other can be given by its name."""

WIDEST = (timedelta(hours=-12), timedelta(hours=14))
"""The offsets from UTC between which every zone of the world lies."""

_Meaning = tuple[int, str, str | None]
"""Minutes from UTC, where that is, and the zone whose clocks change there."""

# The assumed meaning first. Several stand where a security team of either place writes so.
_ABBREVIATIONS: Mapping[str, tuple[_Meaning, ...]] = {
    "PST": ((-480, "US Pacific", "America/Los_Angeles"),),
    "PDT": ((-420, "US Pacific", "America/Los_Angeles"),),
    "MST": ((-420, "US Mountain", "America/Denver"),),
    "MDT": ((-360, "US Mountain", "America/Denver"),),
    "CST": ((-360, "US Central", "America/Chicago"), (480, "China", None), (-300, "Cuba", None)),
    "CDT": ((-300, "US Central", "America/Chicago"), (-240, "Cuba", None)),
    "EST": ((-300, "US Eastern", "America/New_York"),),
    "EDT": ((-240, "US Eastern", "America/New_York"),),
    "AKST": ((-540, "Alaska", "America/Anchorage"),),
    "AKDT": ((-480, "Alaska", "America/Anchorage"),),
    "HST": ((-600, "Hawaii", None),),
    "AST": ((-240, "Atlantic", "America/Halifax"), (180, "Arabia", None)),
    "ADT": ((-180, "Atlantic", "America/Halifax"),),
    "NST": ((-210, "Newfoundland", "America/St_Johns"),),
    "NDT": ((-150, "Newfoundland", "America/St_Johns"),),
    "BRT": ((-180, "Brasília", None),),
    "ART": ((-180, "Argentina", None),),
    "WET": ((0, "Western Europe", "Europe/Lisbon"),),
    "WEST": ((60, "Western Europe", "Europe/Lisbon"),),
    "CET": ((60, "Central Europe", "Europe/Berlin"),),
    "CEST": ((120, "Central Europe", "Europe/Berlin"),),
    "MEZ": ((60, "Central Europe", "Europe/Berlin"),),
    "MESZ": ((120, "Central Europe", "Europe/Berlin"),),
    "EET": ((120, "Eastern Europe", "Europe/Helsinki"),),
    "EEST": ((180, "Eastern Europe", "Europe/Helsinki"),),
    "BST": ((60, "Britain", "Europe/London"), (360, "Bangladesh", None)),
    "IST": (
        (330, "India", None),
        (60, "Ireland", "Europe/Dublin"),
        (120, "Israel", "Asia/Jerusalem"),
    ),
    "IDT": ((180, "Israel", "Asia/Jerusalem"),),
    "MSK": ((180, "Moscow", None),),
    "TRT": ((180, "Turkey", None),),
    "SAST": ((120, "South Africa", None),),
    "CAT": ((120, "Central Africa", None),),
    "EAT": ((180, "East Africa", None),),
    "WAT": ((60, "West Africa", None),),
    "GST": ((240, "Gulf", None), (-120, "South Georgia", None)),
    "PKT": ((300, "Pakistan", None),),
    "NPT": ((345, "Nepal", None),),
    "ICT": ((420, "Indochina", None),),
    "WIB": ((420, "Western Indonesia", None),),
    "SGT": ((480, "Singapore", None),),
    "MYT": ((480, "Malaysia", None),),
    "HKT": ((480, "Hong Kong", None),),
    "PHT": ((480, "Philippines", None),),
    "AWST": ((480, "Western Australia", None),),
    "JST": ((540, "Japan", None),),
    "KST": ((540, "Korea", None),),
    "SST": ((-660, "Samoa", None), (480, "Singapore", None)),
    "ACST": ((570, "Central Australia", "Australia/Adelaide"),),
    "ACDT": ((630, "Central Australia", "Australia/Adelaide"),),
    "AEST": ((600, "Eastern Australia", "Australia/Sydney"),),
    "AEDT": ((660, "Eastern Australia", "Australia/Sydney"),),
    "NZST": ((720, "New Zealand", "Pacific/Auckland"),),
    "NZDT": ((780, "New Zealand", "Pacific/Auckland"),),
}
# Summer or winter by the date.
_BY_DATE: Mapping[str, str] = {
    "PT": "America/Los_Angeles",
    "MT": "America/Denver",
    "CT": "America/Chicago",
    "ET": "America/New_York",
}
# Windows, browsers and people write zones out: "Pacific Daylight Time", "Central European Time".
_WRITTEN_OUT: Mapping[str, tuple[str, str, str]] = {
    "pacific": ("PST", "PDT", "America/Los_Angeles"),
    "mountain": ("MST", "MDT", "America/Denver"),
    "central": ("CST", "CDT", "America/Chicago"),
    "eastern": ("EST", "EDT", "America/New_York"),
    "central european": ("CET", "CEST", "Europe/Berlin"),
    "central europe": ("CET", "CEST", "Europe/Berlin"),
    "w. europe": ("CET", "CEST", "Europe/Berlin"),
    "eastern european": ("EET", "EEST", "Europe/Helsinki"),
    "western european": ("WET", "WEST", "Europe/Lisbon"),
    "greenwich mean": ("UTC", "UTC", "UTC"),
    "coordinated universal": ("UTC", "UTC", "UTC"),
    "india": ("UTC+05:30", "UTC+05:30", "Asia/Kolkata"),
    "japan": ("JST", "JST", "Asia/Tokyo"),
    "singapore": ("SGT", "SGT", "Asia/Singapore"),
    "china": ("UTC+08:00", "UTC+08:00", "Asia/Shanghai"),
    "israel": ("UTC+02:00", "IDT", "Asia/Jerusalem"),
    "british": ("UTC", "UTC+01:00", "Europe/London"),
    "australian eastern": ("AEST", "AEDT", "Australia/Sydney"),
}

_NAMES = "|".join(
    sorted(map(re.escape, [*_ABBREVIATIONS, *_BY_DATE]), key=lambda name: (-len(name), name))
)
_PLACES = "|".join(sorted(map(re.escape, _WRITTEN_OUT), key=lambda name: (-len(name), name)))
ZONE = (
    # An offset, with "UTC" or without; hours alone only where two digits or "UTC" make them sure.
    r"(?:(?:UTC|GMT|UT)\s?[+\-\u2212]\d{1,2}(?::?\d\d)?(?![\d:])"
    # Where another zone follows, "06:06-07:15 PDT" is no offset but a stretch of time.
    rf"|[+\-\u2212]\d\d(?::?[0134][05])?(?![\d:])(?:(?<=\s.{{3}})|(?<=\s.{{5}})|(?<=\s.{{6}})"
    rf"|(?!\s?(?:UTC|GMT|(?-i:{_NAMES}))\b))"
    r"|(?:UTC|GMT|UT|Z)(?![\w/])"
    rf"|(?-i:{_NAMES})(?![\w/])"
    rf"|(?:{_PLACES})(?:\s(?:standard|daylight|summer))?\stime\b"
    r"|(?-i:[A-Z][A-Za-z]{1,20}(?:/[A-Z][A-Za-z_+-]{1,20}){1,2}))"
)
"""A pattern, for use with `re.I`, of everything that `meanings` may know."""

_OFFSET = re.compile(
    r"(?:UTC|GMT|UT)?\s?([+\-\u2212])(\d{1,2})(?::?(\d\d))?(?:\s?\(.{1,60}\))?", re.I
)
_WRITTEN = re.compile(rf"({_PLACES})(?:\s(standard|daylight|summer))?\stime", re.I)


def meanings(zone: str, local: datetime) -> list[tuple[str, datetime]]:
    """Each thing that the zone can mean for a naive local time: its name, and the time in UTC.

    The likeliest first; an empty list if the zone is not known. Several: the abbreviation is used
    in several places, or not at that time of the year ("EST" in July), or the clocks went back.
    """
    written = zone.strip()
    if written[:1] in ("(", "["):
        written = written[1:-1].strip()
    if written.upper() in ("Z", "UTC", "GMT", "UT"):
        return [("UTC", local.replace(tzinfo=UTC))]
    if offset := _OFFSET.fullmatch(written):
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes > 14 * 60 or minutes % 15:
            return []
        return _by_offsets([-minutes if offset[1] != "+" else minutes], local, "")
    if said := _WRITTEN.fullmatch(written):
        standard, summer, by_date = _WRITTEN_OUT[said[1].lower()]
        kind = (said[2] or "").lower()
        if not kind:
            return _by_clock(by_date, local)
        written = standard if kind == "standard" else summer
        if written not in _ABBREVIATIONS:
            return meanings(written, local)
        # Written out, it is the first place alone.
        return _of_places(_ABBREVIATIONS[written][:1], local)
    if written in _ABBREVIATIONS:
        return _of_places(_ABBREVIATIONS[written], local)
    if written in _BY_DATE:
        return _by_clock(_BY_DATE[written], local)
    return _by_clock(written, local) if written in _known() else []


def _of_places(places: tuple[_Meaning, ...], local: datetime) -> list[tuple[str, datetime]]:
    found: list[tuple[str, datetime]] = []
    for minutes, place, clock in places:
        found += _by_offsets([minutes], local, place)
        if clock is None or len(places) > 1:
            continue
        by_clock = [instant for _, instant in _by_clock(clock, local)]
        if found[0][1] not in by_clock:
            # "EST" in July: what was meant is either that offset or New York's clock.
            found += [
                (f"{_named(instant, local)} ({place}, as its clocks were)", instant)
                for instant in by_clock
            ]
    return found


def _by_clock(name: str, local: datetime) -> list[tuple[str, datetime]]:
    """By a place's clocks: twice where they were put back and showed the time twice."""
    place = ZoneInfo(name)
    instants = dict.fromkeys(
        local.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)
    )
    if len(instants) == 1:
        return [(name, instant) for instant in instants]
    return [(f"{_named(instant, local)} ({name})", instant) for instant in instants]


def _by_offsets(offsets: list[int], local: datetime, place: str) -> list[tuple[str, datetime]]:
    found = []
    for minutes in offsets:
        instant = (local - timedelta(minutes=minutes)).replace(tzinfo=UTC)
        name = _named(instant, local)
        found.append((f"{name} ({place})" if place else name, instant))
    return found


def _named(instant: datetime, local: datetime) -> str:
    minutes = round((local - instant.replace(tzinfo=None)).total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '-'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())
