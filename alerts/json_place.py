"""A value inside parsed JSON together with where it stood: what `Alert.origins` is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from alerts.times.epoch_times import epoch_time
from alerts.times.sane_times import EARLIEST, LATEST, WHOLE_DAY, WHOLE_HOUR, WHOLE_MINUTE
from alerts.times.written_times import span_in, written_times
from trail.events import parse_time
from trail.read import place as read

_ACCOUNT = re.compile(r"[0-9]{12}")
_LINE_END = re.compile(r"\s*\n\s*")


class Place(read.Place):
    """A place of an alert: what it holds is also read as a number, an account or a time."""

    @property
    def number(self) -> float | None:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float | str):
            return None
        try:
            number = float(self.value)
        except (ValueError, OverflowError):
            return None
        return number if -1e9 < number < 1e9 else None

    @property
    def account(self) -> str | None:
        """A 12-digit account id; tools that write it as a number drop its leading zeros."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return f"{self.value:012d}" if 0 < self.value < 10**12 else None
        text = self.text
        return text if text is not None and _ACCOUNT.fullmatch(text) else None

    @property
    def severity(self) -> float | None:
        """A number on GuardDuty's scale; None off the scale."""
        number = self.number
        return number if number is not None and 0 < number <= 10 else None

    @property
    def time(self) -> datetime | None:
        return sane_time(self.value)

    @property
    def time_until(self) -> datetime | None:
        """The last second of what `time` is the first of: a time without seconds is a minute."""
        span = sane_span(self.value)
        return span[1] if span is not None else None

    @property
    def is_true(self) -> bool:
        return self.value is True or (
            isinstance(self.value, str) and self.value.strip().lower() == "true"
        )


NOWHERE = Place(None)


def first_text(places: Iterable[Place]) -> Place:
    """The first place that holds text, else NOWHERE."""
    return next((place for place in places if place.text is not None), NOWHERE)


def first_time(places: Iterable[Place]) -> Place:
    """The first place that holds a time, else NOWHERE."""
    return next((place for place in places if place.time is not None), NOWHERE)


def sane_time(value: object) -> datetime | None:
    """A UTC time between 2006 and 2200, else None: no window around it can then overflow.

    ISO 8601 without a zone is UTC, as AWS and the tools that index its logs write it. Any other
    form counts only if it says its zone. A number is seconds since 1970, or thousandths and less.
    """
    span = sane_span(value)
    return span[0] if span is not None else None


def sane_span(value: object) -> tuple[datetime, datetime] | None:
    """The first and last second of what `sane_time` reads: a date alone is all of its day."""
    if isinstance(value, str) and "\n" in value:
        value = _LINE_END.sub("", value)  # a mail wraps its lines anywhere
    if (epoch := epoch_time(value)) is not None:
        return epoch.instant, epoch.instant
    if isinstance(value, int | float):
        return None
    time = parse_time(value.strip() if isinstance(value, str) else value)
    if time is not None:
        if not EARLIEST <= time < LATEST:
            return None
        return time, time + (_lasts(value) if isinstance(value, str) else timedelta())
    return span_in(value) if isinstance(value, str) else None


def is_readable_time(value: object) -> bool:
    """Whether it is a time, or can be several."""
    return sane_time(value) is not None or (
        isinstance(value, str) and bool(written_times(value[:80]))
    )


_ISO_ENDS = (
    (re.compile(r"\d{4}-?(?:\d\d-?\d\d|W\d\d(?:-?\d)?)"), WHOLE_DAY),
    (re.compile(r"[\dW-]{7,10}[T ]\d\d(?:[Z+-].*)?"), WHOLE_HOUR),
    (re.compile(r"[\dW-]{7,10}[T ]\d\d:?\d\d(?:[Z+-].*)?"), WHOLE_MINUTE),
)


def _lasts(iso: str) -> timedelta:
    text = iso.strip().removesuffix(" UTC")
    return next((lasts for form, lasts in _ISO_ENDS if form.fullmatch(text)), timedelta())
