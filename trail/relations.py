"""Statements over the relations of the read contract, as statements over Parquet files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from trail.catalog import CREDENTIAL_KINDS
from trail.columns_read import columns_read
from trail.events import DAILY_SCHEMA, EVENT_SCHEMA

RELATIONS = ("events", "edges", "credentials", "daily")


@dataclass(frozen=True)
class Statement:
    """A statement, the relations that it reads, and the columns that it may read of each."""

    columns: dict[str, tuple[str, ...]]
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
    read = columns_read(sql, RELATIONS)
    columns = {
        relation: tuple(name for name in names if read is None or name in read) or names[:1]
        for relation, names in _COLUMNS.items()
        if re.search(rf"\b(?:from|join|,)\s*{relation}\b", sql, re.IGNORECASE)
    }
    own = re.match(r"\s*with\s+(recursive\s+)?", sql, re.IGNORECASE)
    if own is None:
        return Statement(columns, _sorted_for(sql), "with", f" {sql}")
    beginning = "with recursive" if own[1] else "with"
    return Statement(columns, _sorted_for(sql), beginning, f", {sql[own.end() :]}")


def definition(
    relation: str, columns: Iterable[str], paths: Iterable[str], condition: str = ""
) -> str:
    """The relation, with those columns, of the rows of Parquet files that meet a condition."""
    names = ", ".join(columns)
    files = ", ".join(map(quoted, paths))
    source = f"read_parquet([{files}])" if files else _nothing(relation)
    where = f" where {condition}" if condition else ""
    return f"{relation} as not materialized (select {names} from {source}{where})"


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _schema(relation: str) -> pa.Schema:
    return DAILY_SCHEMA if relation == "daily" else EVENT_SCHEMA


_COLUMNS = {relation: tuple(_schema(relation).names) for relation in RELATIONS}


def _sorted_for(sql: str) -> str:
    by_key, by_role, by_caller = CREDENTIAL_KINDS
    if re.search(r"\bminted_access_key_id\s*(=|in\b)", sql, re.IGNORECASE):
        return by_key
    return by_caller if re.search(r"\bidentity_id\s*(=|in\b)", sql, re.IGNORECASE) else by_role


def _nothing(relation: str) -> str:
    columns = ", ".join(f"null::{_SQL_TYPES[f.type]} as {f.name}" for f in _schema(relation))
    return f"(select {columns} limit 0)"


_SQL_TYPES = {
    pa.string(): "varchar",
    pa.timestamp("us"): "timestamp",
    pa.bool_(): "boolean",
    pa.int64(): "bigint",
    pa.date32(): "date",
    pa.list_(pa.string()): "varchar[]",
}
