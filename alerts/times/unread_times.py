"""What a text states as a time without being one that can be read: nothing else may pass for it.

"2026-03-10T25:61:00Z", "yesterday at 10:05", "two hours ago", "10:05" without a day.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from alerts.times.of_things import of_thing
from alerts.times.sane_times import WHOLE_DAY
from alerts.times.spans import Spans
from alerts.times.stretches import RANGE
from alerts.times.unread_clocks import with_its_clock
from alerts.times.written_times import DAY, MONTH, OF_THE_SESSION, WrittenTime

MOST = 5
_CLOCK = r"\d\d?(?:[:h]\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:\s?[ap]\.?m\b\.?)?|\s?[ap]\.?m\b\.?)"
_ZONE = r"(?:Z\b|\s?[+-]\d\d:?\d\d\b|\s(?-i:[A-Z]{2,5})\b)?"
_DAYS = r"(?:mon|tues?|wednes|thurs?|fri|satur|sun)day"
_BEFORE = (
    rf"(?:yesterday|today|tonight|(?:last|this|on|next)\s(?:night|morning|afternoon|evening|week"
    rf"|month|{_DAYS})|{_DAYS})"
)
_DATED = re.compile(
    # Numbers in the form of a date, with or without the hour, which are none.
    rf"(?<![\w.:/@#-])(?:\d{{4}}([-/.])\d\d?\1\d\d?|\d\d?([-/.])\d\d?\2\d{{4}})"
    rf"(?:T|[\s,]{{1,3}}(?:at\s)?)?(?:\d\d?[:h]\d\d(?::\d\d)?(?:[.,]\d{{1,9}})?)?{_ZONE}(?![\w/-])"
    # A day of a month, or a day by its distance, with the hour.
    rf"|\b(?:(?:{MONTH})\.?\s\d\d?(?:st|nd|rd|th)?|\d\d?\.?\s(?:(?:of|de|di)\s)?(?:{MONTH})\b\.?)"
    rf"(?:,?\s(?:(?:de|del)\s)?\d{{4}})?[\s,]{{1,2}}(?:(?:at|um|à|a\slas|alle|às)\s)?{_CLOCK}{_ZONE}"
    rf"|\b{_BEFORE}[\s,]{{1,2}}(?:at\s|around\s|about\s|@\s?|by\s)?{_CLOCK}{_ZONE}"
    rf"|\b{_CLOCK}{_ZONE}\s{_BEFORE}\b",
    re.I,
)
_UNDATED = re.compile(
    rf"\b{_BEFORE}\b"
    r"|\b(?:\d{1,4}|an?|one|two|three|a\sfew|some|several)\s"
    r"(?:sec(?:ond)?|min(?:ute)?|h(?:ou)?r|day|week|month)s?\sago\b"
    rf"|(?<![\w.:/@#+-]){_CLOCK}{_ZONE}(?!\w|:\d|\.\d|\s?%)"
    # A month, a week, a part of a year; an hour in a word.
    rf"|\b(?:{MONTH})\.?,?\s(?:19|20)\d\d\b|(?<![\w./:-])(?:19|20)\d\d-(?:0\d|1[0-2]|W\d\d|Q[1-4])(?![\w/-])"
    r"|\bQ[1-4]\s(?:19|20)\d\d\b|\b(?:noon|midday|midnight)\b",
    re.I,
)
_AN_HOUR = re.compile(r"\d\d?(?:[:h]|\s?[ap]\.?m\b)", re.I)
_OPENS = re.compile(rf"(?<![\w.:/@#+-])({_CLOCK}{_ZONE}){RANGE}$", re.I)
"""Before a time that was read: the beginning of its stretch of time, which was not."""
_FIELD = re.compile(
    r"\"(?:eventTime|eventFirstSeen|eventLastSeen|FirstObservedAt|LastObservedAt)\\?\"\s{0,3}:\s{0,3}"
    r"\\?\"([^\"\\]{1,60})\\?\"",
    re.I,
)


def unread_times(text: str, read: Sequence[WrittenTime]) -> tuple[str, ...]:
    """What the text states as times beside those that were `read` in it, the first few.

    Words and hours that name no day count only where no time of an activity was read, and hours
    beside a day alone: else they mostly say less of the same.
    """
    spans = Spans(time.at for time in read)
    found: dict[str, None] = {}
    taken = [time.at[0] for time in read]

    def take(start: int, end: int) -> None:
        of_another = OF_THE_SESSION.search(text[max(0, start - 40) : start]) or (
            of_thing(text, start, end) == "credential"
        )
        if not of_another and not spans.overlap(start, end):
            found[" ".join(text[start:end].split())] = None
            spans.add(start, end)
            taken.append(start)

    for match in _FIELD.finditer(text):
        take(*match.span(1))
    for match in DAY.finditer(text):
        if (both := with_its_clock(text, *match.span())) is not None:
            take(*both)
    for match in _DATED.finditer(text):
        take(*match.span())
    for start in tuple(taken):
        if (opens := _OPENS.search(text[max(0, start - 40) : start])) is not None:
            take(start - len(opens[0]), start - len(opens[0]) + len(opens[1]))
    of_activity = [time for time in read if not time.sent and not time.of_thing]
    if not found and all(time.lasts >= WHOLE_DAY for time in of_activity):
        for match in _UNDATED.finditer(text):
            # Beside a day "this morning" says less of the same, and an hour says more of it.
            if not of_activity or _AN_HOUR.match(match[0]):
                take(*match.span())
    return tuple(found)[:MOST]
