"""A value inside parsed JSON together with where it stood: what `Alert.origins` is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from alerts.sane_times import EARLIEST, LATEST
from alerts.written_times import instant_in
from trail.events import parse_time
from trail.read import place as read

_ACCOUNT = re.compile(r"[0-9]{12}")


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
    form counts only if it says its zone.
    """
    time = parse_time(value.strip() if isinstance(value, str) else value)
    if time is not None:
        return time if EARLIEST <= time < LATEST else None
    return instant_in(value) if isinstance(value, str) else None
