"""Statements over everything that is indexed, whatever its day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trail.store import Store


def rows_anywhere(store: Store, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a statement finds in all days; nothing in an empty index."""
    summary = store.summary()
    if summary.first is None or summary.last is None:
        return []
    return store.query(sql, parameters, first=summary.first, last=summary.last).rows
