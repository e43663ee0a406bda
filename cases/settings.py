"""The thresholds that a team sets for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

_SLA = MappingProxyType(
    {
        "critical": timedelta(hours=4),
        "high": timedelta(hours=8),
        "medium": timedelta(hours=24),
        "low": timedelta(hours=72),
        "unknown": timedelta(hours=24),
    }
)


@dataclass(frozen=True)
class Settings:
    """When a case counts as slow, what is reviewed always, and the SLA clock by severity."""

    slow_after: timedelta = timedelta(hours=24)
    """Opened to closed; a case that took longer is put up for review."""
    review_severities: frozenset[str] = frozenset({"high", "critical"})
    sla: Mapping[str, timedelta] = field(default_factory=lambda: _SLA)
    """First arrival of the alert to the closing of its case."""
