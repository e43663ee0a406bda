"""The hour of the day as people write it: 06:06, 6:06 pm, 下午 3:06, 15時06分, noon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from alerts.times.halves_of_day import AFTER, BEFORE, before, hour_of_day
from alerts.times.sane_times import WHOLE_HOUR, WHOLE_MINUTE

CLOCK = rf"""(?:
    (?P<h>\d\d?)(?:[:：h]|\sh\s|\.(?=\d\d\s?[ap]\.?m\b))(?P<mi>\d\d)(?:[:：](?P<s>\d\d)(?:[.,](?P<f>\d{{1,9}}))?)?(?!\d|:\d\d)
    (?:\s(?:Uhr|hrs|hours)\b)?(?:(?:,?\s{{0,2}}(?P<ap>{AFTER})|(?P<a_p>[ap])\b(?![:.]\w))(?!\s\d\d?\.))?(?:\s(?:Uhr|hrs|hours)\b)?
  | (?P<h3>\d\d?)\s?[时時点點시]\s?(?P<mi3>\d\d?)\s?[分분](?:\s?(?P<s3>\d\d?)\s?[秒초])?
  | (?P<h2>\d\d?)\s?(?P<ap2>[ap]\.?m\b\.?)
  | (?:(?:00|12)(?::00)?\s)?\b(?P<word>noon|midday|midnight)\b
)"""
HALF_AND_CLOCK = rf"(?:(?P<half>{BEFORE})\s?)?{CLOCK}"
"""Patterns for use with `re.I` and `re.X`, of whose groups `parts_of` makes one meaning."""


def parts_of(text: str, match: re.Match[str]) -> dict[str, str | None]:
    """What was matched, by name; a half of the day that stands before what begins with a clock is
    its too."""
    parts = match.groupdict()
    for name in ("h", "mi", "s"):
        parts[name] = parts.get(name) or parts.get(f"{name}3")
    if parts.get("half") is None and any(
        name in match.re.groupindex and match.start(name) == match.start()
        for name in ("h", "h2", "h3", "from_h")
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
