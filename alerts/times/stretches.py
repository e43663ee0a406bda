"""The other end of a stretch of time, where only one of them says its whole date.

"10–12 March 2026", "from March 10 to March 12, 2026", "12:00, 13:00 and 14:00 UTC on …", "… for 3
hours", "… ±5 min". What stands beside a time that was read and is a part of the same stretch counts
with it: the last end alone would leave out when it began.
"""

from __future__ import annotations

import re
from datetime import timedelta

from alerts.times.time_zones import NAMED

AND = r"(?:and|und|et|y|e|en|och|i)"
RANGE = (
    r"(?:\s?[-–—/→]\s?|\s?(?:\.{2,3}|…|->)\s?"
    rf"|,?\s(?:to|{AND}|until|till|through|bis|à|a[lu]?|alle|hasta|até|tot|jusqu['’]?(?:\s?à)?)\s"
    r"(?:(?:the|à|las|alle|les?|um|am|den|el)\s)?)"
)
"""A pattern of what stands between the two ends of a stretch of time."""
BETWEEN = r"(?:between|from|zwischen|von|entre|de|du|tra|fra|dal(?:le)?|desde|tussen|van|mellan)"
"""A pattern of what stands before the first of them."""
BOTH_ENDS = re.compile(r"\b(?:between|zwischen|entre|tra|fra|tussen|mellan)\b", re.I)
"""A word by which the second is later, and not one of two times of one day."""
IS_AND = re.compile(rf",?\s{AND}\s", re.I)

_ORDINAL = r"(?:st|nd|rd|th|er|º|\.)?"
DAYS = rf"(?:\d\d?{_ORDINAL}(?:,\s?\d\d?{_ORDINAL}){{0,8}}{RANGE})"
"""A pattern of days of a month that stand before another: "8, 9 and " of "8, 9 and 10 March"."""
_SPACED = re.compile(r"\s[-–—/]\s$")
_MAY_BEGIN = re.compile(
    rf"(?:^|[\n:;,.(\[“\"'|]|\b(?:{BETWEEN}|on|am|le|el|dates?|days?))\s?$", re.I
)


def first_day(text: str, start: int, days: str, last: int) -> int | None:
    """The first of the days that stand before the `last`; None if they are none: in "Severity 2 -
    10 March" the number is of something else."""
    numbers = [int(one) for one in re.findall(r"\d+", days)]
    before = text[max(0, start - 20) : start]
    if not 1 <= min(numbers) < last or (_SPACED.search(days) and not _MAY_BEGIN.search(before)):
        return None
    return min(numbers)


_A_CLOCK = r"\d\d?:\d\d(?::\d\d)?(?:\s?[ap]\.?m\b\.?)?"
_IN_ZONE = rf"(?:\s?[\[(]?{NAMED}[\])]?)?"
CLOCKS_BEFORE = re.compile(
    rf"(?<![\w.:/-])(?:{_A_CLOCK}{_IN_ZONE}(?:,\s(?:{AND}\s)?|{RANGE})){{1,8}}$", re.I
)
"""Clock times that stand before one with its date: "12:00, 13:00 and "."""
ONE_CLOCK = re.compile(
    r"(?P<h>\d\d?):(?P<mi>\d\d)(?::(?P<s>\d\d))?(?:\s?(?P<ap>[ap]\.?m\b\.?))?"
    rf"(?:\s?[\[(]?(?P<zone>{NAMED}))?",
    re.I,
)
CLOCKS_BETWEEN = re.compile(
    rf"(?:,\s{_A_CLOCK}{_IN_ZONE}){{1,8}}(?=(?:,\s(?:{AND}\s)?|{RANGE})\d)", re.I
)
"""Those between the first of a list and its last: ", 13:00" of "12:00, 13:00 and 14:00"."""
ANOTHER_STRETCH = re.compile(
    rf"(?:,\s(?:{AND}\s)?|,?\s{AND}\s)(?={_A_CLOCK}{_IN_ZONE}{RANGE}\d)", re.I
)
"""Between two stretches of one day: "10:00-11:00 and 14:00-15:00"."""

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LENGTH = (
    rf"(?P<number>\d{{1,4}}|an?\b|half\san\b|{'|'.join(_NUMBERS)})\s?"
    r"(?P<unit>s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?)\b\.?"
)
LASTING = re.compile(
    r"/PT(?=\d)(?:(?P<hours>\d{1,3})H)?(?:(?P<minutes>\d{1,4})M)?(?:(?P<seconds>\d{1,5})S)?(?!\w)"
    r"|,?\s\(?(?:for|lasting|over)\s(?:(?:about|approximately|approx\.?|the\snext|some|at\sleast)\s)?"
    rf"{_LENGTH}\)?",
    re.I,
)
"""How long a stretch of time lasts of which only the beginning is told."""
MARGIN = re.compile(
    rf"\s?\(?(?:\+\s?/\s?[-–−]|±|(?:plus\sor\sminus|give\sor\stake)\s)\s?{_LENGTH}\)?", re.I
)
"""How far on either side a time may be."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def length_of(match: re.Match[str]) -> timedelta:
    parts = match.groupdict()
    if (unit := parts.get("unit")) is None:
        return timedelta(**{n: int(parts[n] or 0) for n in ("hours", "minutes", "seconds")})
    said = str(parts["number"]).lower()
    if said.isdigit():
        number = float(said)
    elif said in _NUMBERS:
        number = _NUMBERS.index(said) + 1
    else:
        number = 0.5 if said.startswith("half") else 1
    return timedelta(seconds=number * _SECONDS[unit[0].lower()])


_SINCE = re.compile(
    r"\b(?:since|seit|depuis|desde|sinds|(?:starting|beginning)(?:\s(?:at|on|from))?)\s"
    r"(?:(?:the|le|dem|el|about|around)\s)?[(\[“\"']?$",
    re.I,
)
_ONWARDS = re.compile(
    r",?\s(?:onwards?|and\s(?:later|after(?:wards)?)|until\snow|bis\sheute)\b", re.I
)
_UNTIL = re.compile(
    r"(?<!or )\b(?:until|till|up\sto|before|prior\sto|bis(?:\szum)?|hasta|jusqu['’]au)\s"
    r"(?:the\s)?[(\[“\"']?$",
    re.I,
)


def without_an_end(text: str, start: int, end: int) -> str | None:
    """Which end is not told of a stretch of which a time is the other: "end" or "beginning"."""
    before = text[max(0, start - 40) : start]
    if _SINCE.search(before) or _ONWARDS.match(text, end):
        return "end"
    return "beginning" if _UNTIL.search(before) else None
