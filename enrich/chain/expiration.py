"""When a credential ends, as the response that gave it out says (`credentials.expiration`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
# "Jul 10, 2023, 6:30:22 PM" (older records have no second comma), in UTC as all of CloudTrail.
_PRINTED = re.compile(
    r"([A-Za-z]{3})[a-z]* (\d{1,2}), (\d{4}),? (\d{1,2}):(\d{2}):(\d{2})\s?([AP]M)", re.I
)
_EPOCH = re.compile(r"\d{9,10}(\.\d+)?|\d{12,13}")


def expiration_of(stated: object) -> datetime | None:
    """The time in UTC, from any of the forms that AWS prints it in; None where it is none of them.

    Its API printed it "Jul 10, 2023, 6:30:22 PM", in ISO 8601, or as seconds or milliseconds.
    """
    if isinstance(stated, bool) or not isinstance(stated, str | int | float):
        return None
    text = " ".join(str(stated).split()).rstrip(",")  # also a no-break space before AM and PM
    try:
        if (printed := _PRINTED.fullmatch(text)) is not None:
            name, day, year, hour, minute, second, half = printed.groups()
            clock = int(hour) % 12 + (12 if half.upper() == "PM" else 0)
            month = _MONTHS.index(name.lower()) + 1
            return datetime(int(year), month, int(day), clock, int(minute), int(second), tzinfo=UTC)
        if _EPOCH.fullmatch(text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
