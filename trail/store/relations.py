"""Statements over the relations of the read contract, as statements over Parquet files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from trail.calls import CALL_COLUMNS, with_calls
from trail.events import DAILY_SCHEMA, EVENT_SCHEMA, KEYS_SCHEMA
from trail.index.catalog import CREDENTIAL_KINDS, SORTED_BY
from trail.store.columns_read import Bounds, Sought, reading

RELATIONS = ("events", "edges", "credentials", "daily", "repeats")


@dataclass(frozen=True)
class Statement:
    """A statement, the relations that it reads, and the columns that it may read of each."""

    columns: dict[str, tuple[str, ...]]
    sought: dict[str, frozenset[str | None]]
    """Relation → the parameters, one of whose values each of its rows must have in the column that
    its segments are sorted by (None: null). Absent where the statement says no such thing."""
    between: dict[str, Bounds]
    """Relation → the parameters that this column lies between in each of its rows."""
    keys: dict[str, frozenset[str | None]]
    """The same of the access key that its rows were made with, for relations not in `sought`."""
    times: dict[str, Bounds]
    """Relation → the parameters that the times of its rows lie between."""
    credentials_kind: str
    """Which copy of the credentials is sorted by what the statement looks for."""
    beginning: str
    """`with` or `with recursive`."""
    rest: str
    """What follows the definitions of the relations."""

    def over(self, definitions: Iterable[str]) -> str:
        """The statement with each of its relations defined (see `definition`)."""
        return f"{self.beginning} {', '.join(definitions)}{self.rest}"


@lru_cache(2_000)
def statement_of(sql: str) -> Statement:
    """What of the relations the SQL text reads, and where their definitions go in it."""
    read = reading(sql, RELATIONS)
    kind = _sorted_for(sql, read.of("credentials"))
    sought = {
        relation: read.of(relation)[column]
        for relation, column in (*_SORTED_BY.items(), ("credentials", SORTED_BY[kind]))
        if column in read.of(relation)
    }
    between = {
        relation: read.bounds[relation][column]
        for relation, column in (*_SORTED_BY.items(), ("credentials", SORTED_BY[kind]))
        if column in read.bounds.get(relation, {})
    }
    columns = {
        relation: tuple(n for n in names if read.columns is None or n in read.columns) or names[:1]
        for relation, names in _COLUMNS.items()
        if re.search(rf"\b(?:from|join|,)\s*{relation}\b", sql, re.IGNORECASE)
    }
    keys = {
        relation: read.of(relation)["access_key_id"]
        for relation in ("events", "edges", "credentials")
        if relation not in sought and "access_key_id" in read.of(relation)
    }
    times = {
        relation: found["event_time"]
        for relation, found in read.bounds.items()
        if "event_time" in found
    }
    own = re.match(r"\s*with\s+(recursive\s+)?", sql, re.IGNORECASE)
    if own is None:
        return Statement(columns, sought, between, keys, times, kind, "with", f" {sql}")
    beginning = "with recursive" if own[1] else "with"
    rest = f", {sql[own.end() :]}"
    return Statement(columns, sought, between, keys, times, kind, beginning, rest)


def definition(
    relation: str,
    columns: Sequence[str],
    paths: Iterable[str],
    condition: str = "",
    calls: Iterable[str] = (),
) -> str:
    """The relation, with those columns, of the rows of Parquet files that meet a condition, and of
    `calls` files that say which of them count. Where there are no files, it needs the
    `EMPTY_TABLES`.
    """
    source = _files(paths) or _EMPTY[relation]
    where = f" where {condition}" if condition else ""
    select = f"select {', '.join(columns)} from {source}{where}"
    told = _files(calls)
    if relation == "credentials" and told is not None:
        # Also where the statement does not ask: what was corrected proves nothing.
        select = f"{with_calls(source, told, columns, where)} where told.replaced is null"
    elif not {*CALL_COLUMNS}.isdisjoint(columns) and relation in _CALLED:
        select = with_calls(source, told, columns, where)
    return f"{relation} as not materialized ({select})"


def _files(paths: Iterable[str]) -> str | None:
    files = ", ".join(map(quoted, paths))
    return f"read_parquet([{files}])" if files else None


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


_CALLED = ("events", "edges", "credentials")
_COLUMNS = {
    **{relation: (*EVENT_SCHEMA.names, *CALL_COLUMNS) for relation in _CALLED},
    "repeats": tuple(EVENT_SCHEMA.names),
    "daily": tuple(DAILY_SCHEMA.names),
}


_SORTED_BY = {
    "events": SORTED_BY["events"],
    "edges": SORTED_BY["events"],
    "daily": SORTED_BY["daily"],
}


def _sorted_for(sql: str, sought: Sought) -> str:
    by_key, by_role, by_caller = CREDENTIAL_KINDS
    for kind in (by_key, by_caller, by_role):
        if SORTED_BY[kind] in sought:
            return kind
    if "access_key_id" in sought:  # of which it is known who used them
        return by_caller
    if re.search(r"\bminted_access_key_id\s*(=|in\b)", sql, re.IGNORECASE):
        return by_key
    return by_caller if re.search(r"\bidentity_id\s*(=|in\b)", sql, re.IGNORECASE) else by_role


_SQL_TYPES = {
    pa.string(): "varchar",
    pa.timestamp("us"): "timestamp",
    pa.bool_(): "boolean",
    pa.int64(): "bigint",
    pa.date32(): "date",
    pa.list_(pa.string()): "varchar[]",
}


def _empty(name: str, schema: pa.Schema) -> str:
    columns = ", ".join(f"{field.name} {_SQL_TYPES[field.type]}" for field in schema)
    return f"create table {name} ({columns})"


_EMPTY = {
    **dict.fromkeys(RELATIONS, "no_events"),
    "daily": "no_days",
    "keys": "no_keys",
}
EMPTY_TABLES = (
    _empty("no_events", EVENT_SCHEMA),
    _empty("no_days", DAILY_SCHEMA),
    _empty("no_keys", KEYS_SCHEMA),
)
"""What makes the tables that a relation without segments is read from."""
