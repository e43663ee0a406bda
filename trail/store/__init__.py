"""The store: the read contract that questions are asked through, and DuckDB behind it."""

from __future__ import annotations

from trail.store.contract import Coverage, IndexSummary, Query, QueryResult, Store
from trail.store.duck import DuckStore, open_store

__all__ = ["Coverage", "DuckStore", "IndexSummary", "Query", "QueryResult", "Store", "open_store"]
