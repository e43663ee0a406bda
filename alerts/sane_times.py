"""The years that an alert can be of."""

from __future__ import annotations

from datetime import UTC, datetime

EARLIEST = datetime(2006, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""No window around a time between these can overflow; there was no AWS before the first."""
