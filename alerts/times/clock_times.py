"""The hour of the day as people write it: 06:06, 6:06 pm, 下午 3:06, 15時06分, noon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from alerts.times.halves_of_day import AFTER, BEFORE, BEHIND_AN_HOUR, before, hour_of_day
from alerts.times.sane_times import WHOLE_HOUR, WHOLE_MINUTE
from alerts.times.time_zones import NAMED

_HOURS = r"(?:Uhr|hrs|hours|h)\b"
# What makes digits an hour that have no colon between them.
_SURELY = rf"\s?(?:[ap]\.?\s?m\b|{_HOURS}|[\[(]?{NAMED})"
CLOCK = rf"""(?:
    (?P<h>\d\d?)(?:[:：h]|\sh\s|\.(?=\d\d{_SURELY}))(?P<mi>\d\d)(?:[:：](?P<s>\d\d)(?:[.,](?P<f>\d{{1,9}}))?)?(?!\d|:\d\d)
    (?:\s{_HOURS})?(?:(?:,?\s{{0,2}}(?P<ap>{AFTER})|(?P<a_p>[ap])\b(?![:.]\w))(?!\s\d\d?\.))?(?:\s{_HOURS})?
  | (?P<h3>\d\d?)\s?[时時点點시]
    (?:\s?(?P<mi3>\d\d?)\s?[分분](?:\s?(?P<s3>\d\d?)\s?[秒초])?)?(?![半\d])
  # As Oracle writes it.
  | (?P<h5>\d\d)\.(?P<mi5>\d\d)\.(?P<s5>\d\d)(?:[.,](?P<f5>\d{{1,9}}))?(?={_SURELY}|\s[+-]\d\d:\d\d)
    (?:\s?(?P<ap5>[ap]\.?m\b\.?))?
  | (?P<h4>[01]\d|2[0-3])(?P<mi4>[0-5]\d)(?P<s4>[0-5]\d)?
    (?=\s?(?:{_HOURS}|[\[(]?{NAMED}))(?:\s?{_HOURS})?
  | (?P<h6>\d\d?)\sUhr\b(?:\s(?P<mi6>\d\d)(?![\d.]))?(?:\s(?P<ap6>{BEHIND_AN_HOUR}))?
  | (?P<h7>\d\d?)\s?h(?=\s?[\[(]?{NAMED})
  | (?P<h2>\d\d?)\s?(?:o['’]clock,?\s)?(?P<ap2>[ap]\.?m\b\.?|{BEHIND_AN_HOUR})
  | (?:(?:00|12)(?::00)?\s)?\b(?P<word>noon|midday|midnight)\b
)"""
HALF_AND_CLOCK = rf"(?:(?P<half>{BEFORE})\s?)?{CLOCK}"
"""Patterns for use with `re.I` and `re.X`, of whose groups `parts_of` makes one meaning."""


def parts_of(text: str, match: re.Match[str]) -> dict[str, str | None]:
    """What was matched, by name; a half of the day that stands before what begins with a clock is
    its too."""
    parts = match.groupdict()
    for name in ("h", "mi", "s", "f", "ap"):
        others = (parts.get(f"{name}{form}") for form in ("3", "4", "5", "6", "7"))
        parts[name] = parts.get(name) or next((one for one in others if one), None)
    if parts.get("half") is None and any(
        name in match.re.groupindex and match.start(name) == match.start()
        for name in ("h", "h2", "h3", "h4", "h5", "h6", "h7", "from_h")
    ):
        parts["half"] = before(text, match.start())
    return parts


def lasts_of(parts: Mapping[str, str | None]) -> timedelta:
    """How much later the last second of a clock time is than its first."""
    if parts.get("s") is not None:
        return timedelta()
    to_the_minute = parts.get("mi") is not None or parts.get("word") is not None
    return WHOLE_MINUTE if to_the_minute else WHOLE_HOUR


def clock_of(parts: Mapping[str, str | None]) -> timedelta | None:
    if (word := parts.get("word")) is not None:
        return timedelta(hours=0 if word.lower() == "midnight" else 12)
    hour = int(parts.get("h") or parts.get("h2") or 0)
    minute, second = int(parts.get("mi") or 0), int(parts.get("s") or 0)
    if half := parts.get("ap") or parts.get("a_p") or parts.get("ap2") or parts.get("half"):
        if parts.get("h2") and not 1 <= hour <= 12:
            return None
        of_day = hour_of_day(hour, half)
        if of_day is None:
            return None
        hour = of_day
    if hour > 23 or minute > 59 or second > 60:
        return None
    micros = int((parts.get("f") or "0")[:6].ljust(6, "0"))
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59), microseconds=micros)
