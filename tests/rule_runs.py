"""Rules run over literal records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alerts import Alert
from alerts.detections import detect
from tests.memory_store import MemoryStore

FIRST, LAST = datetime(2009, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def alerts_of(events: Iterable[dict[str, Any]], *rules: Path) -> list[Alert]:
    """The alerts of all times, none of the rules having a problem."""
    alerts, problems = detect(MemoryStore(events), FIRST, LAST, rules)
    assert problems == []
    return alerts
