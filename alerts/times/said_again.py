"""A time that says its zone twice, or itself again in another one: "07:06 EDT (11:06 UTC)".

Where both agree, what was open of the first is settled. Where they do not, no one of them is taken
in silence: the time has both as its readings, UTC first, and whoever asked must say which.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.times.clock_times import CLOCK, HALF_AND_CLOCK, clock_of, lasts_of, parts_of
from alerts.times.time_zones import WIDEST, ZONE, meanings

_THAT_IS = r"(?:i\.?e\.?|aka|or|that\sis),?\s"
_OPENS = rf"(?:\s?[(\[]\s?(?:=|{_THAT_IS})?|\s?=|,?\s{_THAT_IS})\s?"
_IN_ZONE = rf"\s?[\[(]?(?P<zone>{ZONE})"
_CLOCK_AGAIN = re.compile(rf"{_OPENS}{HALF_AND_CLOCK}{_IN_ZONE}", re.I | re.X)
_WITH_A_STROKE = re.compile(rf"\s?[/|]\s?{HALF_AND_CLOCK}{_IN_ZONE}", re.I | re.X)
_AND_AGAIN = re.compile(rf"\s?[,;/|=]\s?{HALF_AND_CLOCK}{_IN_ZONE}", re.I | re.X)
_ZONE_AGAIN = re.compile(
    rf"\s?(?:[(\[]\s?(?:in\s)?(?P<in_brackets>{ZONE})\s?[)\]]|(?=\s(?-i:[A-Z]{{2,5}})\b)\s(?P<zone>{ZONE}))",
    re.I,
)
"""A name of letters, or whatever stands in brackets: a bare offset may begin something else."""
_CLOCK_BEFORE = re.compile(
    rf"(?<![\w.:/-]){CLOCK}\s?(?P<zone>{ZONE})\s?(?:[(\[=]|,?\sor)\s?$", re.I | re.X
)
_LOOKED_BACK = 60


@dataclass(frozen=True)
class SaidAgain:
    """A clock time in a zone, or a zone alone, that stands beside a time and is about it."""

    zone: str
    clock: timedelta | None = None
    lasts: timedelta = timedelta()
    words: str = ""

    def meant(self, local: datetime, near: datetime | None) -> list[tuple[str, datetime]]:
        """What it can mean beside a local time: `near` tells which day its clock is of."""
        if self.clock is None:
            return meanings(self.zone, local)
        day = datetime(local.year, local.month, local.day) + self.clock
        found = [
            meaning
            for days in (-1, 0, 1)
            for meaning in meanings(self.zone, day + timedelta(days=days))
        ]
        if near is None:
            # The first has no zone that is known: any that there is, and no other day.
            return [
                (zone, instant)
                for zone, instant in found
                if WIDEST[0] <= local - instant.replace(tzinfo=None) <= WIDEST[1]
                and not (local - instant.replace(tzinfo=None)) % timedelta(minutes=15)
            ]
        nearest = min((abs(instant - near) for _, instant in found), default=None)
        return [meaning for meaning in found if abs(meaning[1] - near) == nearest]


def is_told_in_another_zone(text: str, end: int, zone: str | None) -> bool:
    """Whether a stroke and a clock of another zone follow: "11:06 UTC / 07:06 EDT" is one time, and
    "11:06 UTC / 12:06 UTC" a stretch of it."""
    again = _WITH_A_STROKE.match(text, end) if zone is not None else None
    return again is not None and again["zone"].upper() != str(zone).upper()


def said_again(
    text: str, start: int, end: int, zone: str | None = None
) -> tuple[list[SaidAgain], int]:
    """What else the text says of the time in a zone between two places, and where that ends."""
    found: list[SaidAgain] = []
    if (match := _ZONE_AGAIN.match(text, end)) is not None:
        zone = match["in_brackets"] or match["zone"]
        found.append(SaidAgain(zone, words=zone))
        end = match.end()
    pattern = _WITH_A_STROKE if is_told_in_another_zone(text, end, zone) else _CLOCK_AGAIN
    while (match := pattern.match(text, end)) is not None:
        if (clock := _of(text, match)) is None:
            break
        found.append(clock)
        end, pattern = match.end(), _AND_AGAIN
    if text[end : end + 1] in (")", "]") and found:
        end += 1
    at = max(0, start - _LOOKED_BACK)
    if (match := _CLOCK_BEFORE.search(text[at:start])) is not None and (
        clock := _of(text[at:start], match)
    ) is not None:
        found.append(clock)
    return found, end


def _of(text: str, match: re.Match[str]) -> SaidAgain | None:
    parts = parts_of(text, match)
    clock = clock_of(parts)
    if clock is None:
        return None
    minutes, seconds = divmod(int(clock.total_seconds()), 60)
    shown = f"{minutes // 60:02d}:{minutes % 60:02d}"
    if parts["s"] is not None:
        shown += f":{seconds:02d}"
    return SaidAgain(match["zone"], clock, lasts_of(parts), f"{shown} {match['zone']}")


def overlaps(first: datetime, lasts: timedelta, second: datetime, again: timedelta) -> bool:
    """Whether two times, each no finer than it was written, can be one."""
    return first <= second + again and second <= first + lasts
