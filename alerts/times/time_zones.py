"""What a zone written after a time means: an offset, a name, or an abbreviation of several."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

WIDEST = (timedelta(hours=-12), timedelta(hours=14))
"""The offsets from UTC between which every zone of the world lies."""

_Meaning = tuple[int, str, str | None]
"""Minutes from UTC, where that is, and the zone whose clocks change there."""


def _rows(kind: str) -> list[list[str]]:
    lines = Path(__file__).with_name("time_zones.txt").read_text("utf-8").splitlines()
    return [line.split(";")[1:] for line in lines if line.startswith(f"{kind};")]


_ABBREVIATIONS: dict[str, tuple[_Meaning, ...]] = {}
for _name, _minutes, _place, _clock in _rows("abbreviation"):
    _known_so_far = _ABBREVIATIONS.get(_name, ())
    _ABBREVIATIONS[_name] = (*_known_so_far, (int(_minutes), _place, _clock or None))
_BY_DATE = {name: clock for name, clock in _rows("by date")}
_BARE = {name: (standard, summer, at) for name, standard, summer, at in _rows("written out")}
_BY_WINDOWS = {name: (standard, summer, at) for name, standard, summer, at in _rows("by windows")}
_WRITTEN_OUT = _BARE | _BY_WINDOWS
COMMON = tuple(name for (name,) in _rows("common"))
"""What is offered where nothing is known of a zone, the assumed one first."""

_NAMES = "|".join(
    sorted(map(re.escape, [*_ABBREVIATIONS, *_BY_DATE]), key=lambda name: (-len(name), name))
)
NAMED = rf"(?-i:UTC|GMT|UT|Z|{_NAMES})(?![\w/])"
"""A pattern of the zones that are named by capitals."""
_PLACES, _OF_WINDOWS = (
    "|".join(sorted(map(re.escape, names), key=lambda name: (-len(name), name)))
    for names in (_BARE, _BY_WINDOWS)
)
_HOURS = {word: n for n, word in enumerate(_rows("hours")[0][0].split(","), start=1)}
_NO_THINGS = r"(?!\s?[\d:.%]|\s?(?!h(?:ou)?rs?\b|(?:from|by|on|at|in|and|or|was|with|to|for)\b)\w)"
"""Behind an hour in words: "UTC plus 2" is an offset, "12:00 UTC plus 2 calls" is none."""
ZONE = (
    # As people say an offset: "UTC plus 2", "UTC - 5", "UTC offset -5", "UTC minus five".
    rf"(?:(?:UTC|GMT|UT)(?:\s(?:plus|minus)\s|\s[+\-\u2212]\s|\s\(?offset(?:\sof|:)?\s[+\-\u2212])"
    rf"(?:(?<!\s[+\-\u2212]\s)\d{{1,2}}:\d\d|\d{{1,2}}|{'|'.join(_HOURS)}){_NO_THINGS}\)?"
    # An offset, with "UTC" or without; hours alone only where two digits or "UTC" make them sure.
    r"|(?:UTC|GMT|UT)\s?(?:\+(?:0?\d|1[0-4])|[\-\u2212](?:0?\d|1[0-2]))(?::?\d\d)?(?![\d:])"
    # Where another zone follows, "06:06-07:15 PDT" is no offset but a stretch of time, though never
    # behind the seconds of ISO 8601.
    rf"|[+\-\u2212]\d\d(?::?[0134][05])?(?![\d:])(?:(?<=\s.{{3}})|(?<=\s.{{5}})|(?<=\s.{{6}})"
    r"|(?<=T\d\d:\d\d:\d\d.{5})|(?<=T\d\d:\d\d:\d\d.{6})"
    rf"|(?!\s?(?:UTC|GMT|(?-i:{_NAMES}))\b|,?\s(?:and|und|et|y)\s\d\d?:\d\d))"
    rf"|(?:{_OF_WINDOWS})\s(?:standard|daylight|summer)(?:\stime)?\b"
    # Behind a stroke a date says that it is ISO 8601's stretch of time, and no zone's name.
    r"|(?:UTC|GMT|UT|Z)(?!\w|/(?!\d\d|PT?\d))"
    rf"|(?-i:{_NAMES})(?![\w/])"
    rf"|(?:{_PLACES})(?:\s(?:standard|daylight|summer))?(?:\stime)?\b"
    r"|(?-i:[A-Z][A-Za-z]{1,20}(?:/[A-Z][A-Za-z_+-]{1,20}){1,2}))"
)
"""A pattern, for use with `re.I`, of everything that `meanings` may know."""

_OFFSET = re.compile(
    r"(?:UTC|GMT|UT)?\s?(?:\(?offset(?:\sof|:)?\s)?(?P<sign>[+\-\u2212]|plus|minus)\s?"
    rf"(?P<hours>\d{{1,2}}|{'|'.join(_HOURS)})(?::?(?P<minutes>\d\d))?(?:\)|\s?\(.{{1,60}}\))?",
    re.I,
)
_WRITTEN = re.compile(
    rf"({_PLACES}|{_OF_WINDOWS})(?:\s(standard|daylight|summer))?(?:\stime)?", re.I
)


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
        hours = offset["hours"].lower()
        minutes = (_HOURS.get(hours) or int(hours)) * 60 + int(offset["minutes"] or 0)
        east = offset["sign"].lower() in ("+", "plus")
        if minutes > (14 if east else 12) * 60 or minutes % 15:
            return []
        return _by_offsets([minutes if east else -minutes], local, "")
    if said := _WRITTEN.fullmatch(written):
        standard, summer, by_date = _WRITTEN_OUT[said[1].lower()]
        kind = (said[2] or "").lower()
        if not kind:
            return _by_clock(by_date, local)
        written = standard if kind == "standard" else summer
        if written not in _ABBREVIATIONS:
            return _with_its_clocks(meanings(written, local), by_date, local)
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
        found = _with_its_clocks(found, clock, local, place)
    return found


def _with_its_clocks(
    found: list[tuple[str, datetime]], clock: str, local: datetime, place: str | None = None
) -> list[tuple[str, datetime]]:
    """What was found, and what the place's clocks showed, where that is another time: by "EST" in
    July either that offset is meant or New York's clock."""
    by_clock = [instant for _, instant in _by_clock(clock, local)]
    if not found or found[0][1] in by_clock:
        return found
    where = f"({place or clock}, as its clocks were)"
    return found + [(f"{_named(instant, local)} {where}", instant) for instant in by_clock]


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
