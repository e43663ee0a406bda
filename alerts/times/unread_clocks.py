"""Hours beside a date that no form reads: the date is then no day of which all is meant.

"2026-03-10 from 10 to 12 UTC", "kl. 23 den 10 mars 2026": who takes the day alone for the time
drops what was said, and in another zone looks on the wrong day.
"""

from __future__ import annotations

import re

from alerts.times.halves_of_day import BEHIND_AN_HOUR
from alerts.times.stretches import BETWEEN, RANGE
from alerts.times.time_zones import NAMED

_AT = (
    rf"(?:at|around|about|{BETWEEN}|um|gegen|ab|à|vers|a\slas?|las|alle|ore|às|om|kl(?:o|ockan)?\.?"
    r"|ca\.?|time|hours?|uhrzeit|heure|hora|ora)"
)
_IN_A_ZONE = rf"(?:\s?[\[(]?(?:{NAMED}|(?-i:[A-Z]{{2,4}}T)\b))"
_HOUR = (
    # With what makes an hour of it.
    rf"(?:\d\d?(?:[:.h]\d\d){{0,2}}\s?(?:o['’]clock|uhr|[时時点點시]|[ap]\.?\s?m\b|{BEHIND_AN_HOUR})"
    rf"|\d\d?(?:[.:]\d\d){{1,2}}(?:[.,]\d{{1,9}})?(?=\s?[ap]\.?m\b|{_IN_A_ZONE})"
    rf"|\d{{4}}(?:\d\d)?(?={_IN_A_ZONE}|\s?hrs\b)"
    rf"|\d\d?(?=\s?[\[(]?{NAMED})"
    # From 10 to 12 UTC.
    rf"|\d\d?{RANGE}\d\d?(?=\s?[ap]\.?m\b|{_IN_A_ZONE}|\s?(?:uhr|h|hrs)\b))"
)
_AT_AN_HOUR = rf"(?:{_AT}[\"'\\]{{0,2}}\s?[:=]?\s?[\"'\\]{{0,2}}){{1,2}}"
_LENGTH = r"\d\d?(?:[.:]\d\d)?\s?(?:h|hrs|hours)\b"
# At 23, in words that are said of hours alone.
_BARE = (
    r"(?:\b(?:kl(?:o|ockan)?\.?|um|à|a\slas|às|alle|ore)\s\d\d?(?:[.:]\d\d)?(?![\w.:%-]|\s?\d)"
    r"(?!\s(?!(?:UTC|GMT|am|le|el|den|on)\b)[a-z]))"
)
_BEHIND = re.compile(
    rf"[\s,;:@|()\[\]·–-]{{1,3}}(?:(?:{_AT_AN_HOUR})?(?P<hour>{_HOUR})|{_AT_AN_HOUR}{_LENGTH})|[\s,]{{1,3}}(?P<bare>{_BARE})",
    re.I,
)
_TO_THE_DATE = (
    r"[\s,;|–-]{1,3}(?:(?:on|am|le|il|el|em|den|op|of|the|del?|du)\s){0,2}"
    r"(?:[^\W\d_]{2,10}\.?,?\s)?$"
)
_BEFORE = re.compile(
    rf"(?<![\w.:/@#+-])(?:(?:{_HOUR}|{_AT_AN_HOUR}{_LENGTH})\s?[\w.+:]{{0,6}}|{_BARE}"
    # Any clock from which a word or two lead to the date: none of its forms has them.
    rf"|\d\d?:\d\d(?::\d\d)?(?:[.,]\d{{1,9}})?(?:\s?\S{{1,12}}){{0,2}}){_TO_THE_DATE}",
    re.I,
)
_LOOKED_BACK = 60


def with_its_clock(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where a date at a place of the text stands with the hour beside it; None without one."""
    if (behind := _BEHIND.match(text, end)) is not None:
        return start, behind.end()
    at = max(0, start - _LOOKED_BACK)
    before = _BEFORE.search(text[at:start])
    return (at + before.start(), end) if before is not None else None
