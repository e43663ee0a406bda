"""Which columns of its relations a statement reads, told by DuckDB's own parser.

DuckDB plans for as long per column that a relation has as for several that a statement uses, so
a relation of some seventy columns is better defined with those few alone.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

import duckdb
import msgspec

_lock = threading.Lock()
_parser: duckdb.DuckDBPyConnection | None = None


@lru_cache(2_000)
def columns_read(sql: str, relations: Collection[str]) -> frozenset[str] | None:
    """The names of columns (in lower case) that the statement may read of the `relations`, with
    names of other things among them; None where it may be any column.

    It may be any for a star, for a row taken as one value, for joins by whatever names are
    shared, and for what the parser does not understand.
    """
    nodes = list(_nodes(_parsed(sql)))
    names: set[str] = set()
    rows = set(relations)
    for node in nodes:
        if node.get("type") == "BASE_TABLE" and node["table_name"].lower() in relations:
            rows.add(node["alias"].lower())
            if node["column_name_alias"]:
                return None
    for node in nodes:
        kind = node.get("type")
        if kind in ("STAR", "SHOW_REF", "PIVOT") or node.get("ref_type") == "NATURAL":
            return None
        if kind == "COLUMN_REF":
            path = [name.lower() for name in node["column_names"]]
            if len(path) == 1 and path[0] in rows:
                return None
            names.update(path)
        names.update(name.lower() for name in node.get("using_columns") or ())
    return frozenset(names) if nodes else None


def _parsed(sql: str) -> Any:
    global _parser
    with _lock:
        if _parser is None:
            _parser = duckdb.connect(config={"threads": 1})
        found = _parser.execute("select json_serialize_sql($sql::varchar)", {"sql": sql}).fetchone()
    tree = msgspec.json.decode(found[0]) if found is not None else {"error": True}
    return None if tree["error"] else tree["statements"]


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of the tree, at any depth."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
