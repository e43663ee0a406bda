"""Times as a count of seconds since 1970, or of thousandths of one and less."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from alerts.times.sane_times import EARLIEST, LATEST

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (
    ("seconds", 0),
    ("milliseconds", 3),
    ("microseconds", 6),
    ("nanoseconds", 9),
)


@dataclass(frozen=True)
class EpochTime:
    """An instant, and what it was counted in: "seconds", "milliseconds"…"""

    instant: datetime
    unit: str

    def in_words(self, stated: object) -> str:
        """What is said of a number that was taken for a time."""
        return (
            f"“{str(stated).strip()[:40]}” is read as epoch {self.unit}:"
            f" {self.instant:%Y-%m-%d %H:%M:%S} UTC."
        )


def epoch_time(value: object) -> EpochTime | None:
    """The time that a number, or digits in text, count; None for any that is no sane time.

    No two units give the same number a year between 2006 and 2200.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip()
    if not text.isascii() or len(text) > 30 or not text.replace(".", "", 1).isdigit():
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    for unit, digits in _UNITS:
        micros = int(number.scaleb(6 - digits))
        if micros < 1e16 and (instant := _EPOCH + timedelta(microseconds=micros)) >= EARLIEST:
            return EpochTime(instant, unit) if instant < LATEST else None
    return None
