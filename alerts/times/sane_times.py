"""The years that an alert can be of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2006, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""No window around a time between these can overflow; there was no AWS before the first."""

WHOLE_MINUTE = timedelta(seconds=59)
WHOLE_HOUR = timedelta(minutes=59, seconds=59)
WHOLE_DAY = timedelta(hours=23, minutes=59, seconds=59)
"""From its first second to its last: what a time written no finer means. CloudTrail's times are of
whole seconds."""
