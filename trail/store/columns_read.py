"""What a statement reads of its relations, told by DuckDB's own parser.

Which columns: DuckDB plans for as long per column that a relation has as for several that a
statement uses, so a relation of some seventy columns is better defined with those few alone. And
which values it looks for, so that segments without them need not be opened.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import duckdb
import msgspec

_lock = threading.Lock()
_parser: duckdb.DuckDBPyConnection | None = None

Sought = Mapping[str, frozenset[str | None]]
"""Column (in lower case) → the parameters one of whose values each row must have in it; None among
them stands for null."""


@dataclass(frozen=True)
class Bounds:
    """The parameters that a column lies between: in each row it is one of `after` or more, and one
    of `before` or less. Empty where the statement says no such thing."""

    after: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()


_AFTER = {"COMPARE_GREATERTHAN", "COMPARE_GREATERTHANOREQUALTO"}
_BEFORE = {"COMPARE_LESSTHAN", "COMPARE_LESSTHANOREQUALTO"}

_ANY_COLUMN = frozenset({"STAR", "POSITIONAL_REFERENCE", "SHOW_REF", "PIVOT"})


@dataclass(frozen=True)
class Reading:
    """What a statement reads. `columns` are names (in lower case) of all columns that it may read
    of any relation, with names of other things among them; None where it may be any column.
    """

    columns: frozenset[str] | None
    sought: Mapping[str, Sought]
    bounds: Mapping[str, Mapping[str, Bounds]]
    """Relation → column (in lower case) → its bounds, wherever the relation is read."""

    def of(self, relation: str) -> Sought:
        """The values that it looks for in the relation, wherever it reads it."""
        return self.sought.get(relation, {})


def columns_read(sql: str, relations: tuple[str, ...]) -> frozenset[str] | None:
    """The `columns` of a statement's `Reading`."""
    return reading(sql, relations).columns


_NONE: Mapping[str, Any] = {"events": {}, "daily": {}}
_CANARIES = {
    "select user_name from events where (identity_id in ($a, $b) or failed) and ip is null"
    " and event_time >= $from and $to > event_time and $day = day"
    " union all select ip from daily as d where d.day = $day": Reading(
        frozenset({"user_name", "identity_id", "failed", "ip", "event_time", "d", "day"}),
        {
            "events": {"ip": frozenset({None}), "day": frozenset({"day"})},
            "daily": {"day": frozenset({"day"})},
        },
        {
            "events": {"event_time": Bounds(frozenset({"from"}), frozenset({"to"}))},
            "daily": {},
        },
    ),
    "select ip from events where ip in ($a, $b) and event_time > $c and event_time <= $d"
    " and event_id between $e and $f": Reading(
        frozenset({"ip", "event_time", "event_id"}),
        {"events": {"ip": frozenset({"a", "b"})}, "daily": {}},
        {
            "events": {
                "event_time": Bounds(frozenset({"c"}), frozenset({"d"})),
                "event_id": Bounds(frozenset({"e"}), frozenset({"f"})),
            },
            "daily": {},
        },
    ),
    "select * from events": Reading(None, _NONE, _NONE),
    "select e from daily join events e using (day)": Reading(None, _NONE, _NONE),
    "select day from daily natural join events": Reading(None, _NONE, _NONE),
    "select e.day from daily e join events using (ip)": Reading(
        frozenset({"e", "day", "ip"}), _NONE, _NONE
    ),
}
"""What is read in statements that have every form which is looked for in the tree."""


@lru_cache(2_000)
def reading(sql: str, relations: tuple[str, ...]) -> Reading:
    """What the statement reads of these relations; anything, where the parser refuses it, or tells
    it in a form that is not known here: another release of DuckDB costs time then, and no answer.
    """
    found = _told(sql, relations) if _is_understood() else None
    return found or Reading(None, {}, {})


@cache
def _is_understood() -> bool:
    """Whether statements are told as they were by the release that this was written for."""
    return all(_told(sql, ("events", "daily")) == read for sql, read in _CANARIES.items())


def _told(sql: str, relations: tuple[str, ...]) -> Reading | None:
    try:
        return _read_from(list(_nodes(_parsed(sql))), relations)
    except (LookupError, TypeError, AttributeError, ValueError, duckdb.Error):
        return None


def _read_from(nodes: Sequence[Mapping[str, Any]], relations: tuple[str, ...]) -> Reading:
    return Reading(
        _columns(nodes, relations),
        {relation: _sought(nodes, relation) for relation in relations},
        {relation: _bounds(nodes, relation) for relation in relations},
    )


def _columns(nodes: Sequence[Mapping[str, Any]], relations: Sequence[str]) -> frozenset[str] | None:
    """It may be any column for a star, for a row taken as one value, for a column that is named by
    its position, and for joins by whatever names are shared."""
    names: set[str] = set()
    rows = set(relations)
    for node in nodes:
        if node.get("type") == "BASE_TABLE" and node["table_name"].lower() in relations:
            rows.add(node["alias"].lower())
            if node["column_name_alias"]:
                return None
    for node in nodes:
        kind = node.get("type")
        if kind in _ANY_COLUMN or node.get("ref_type") == "NATURAL":
            return None
        if kind == "COLUMN_REF":
            path = [name.lower() for name in node["column_names"]]
            if len(path) == 1 and path[0] in rows:
                return None
            names.update(path)
        names.update(name.lower() for name in node.get("using_columns") or ())
    return frozenset(names) if nodes else None


def _sought(nodes: Sequence[Mapping[str, Any]], relation: str) -> Sought:
    """What is looked for wherever the relation is read: nothing, if it is read anywhere else than
    alone after a `from`, or with a column list.
    """
    found = [_conditions(where, names) for where, names in _reads(nodes, relation)]
    if not found:
        return {}
    return {
        column: frozenset().union(*(conditions[column] for conditions in found))
        for column in found[0]
        if all(column in conditions for conditions in found)
    }


def _bounds(nodes: Sequence[Mapping[str, Any]], relation: str) -> dict[str, Bounds]:
    """The columns' bounds wherever the relation is read; a side that one reading leaves open is."""
    found = [_between(where, names) for where, names in _reads(nodes, relation)]
    shared = set.intersection(*map(set, found)) if found else set()
    return {
        column: Bounds(
            _each([one[column].after for one in found]),
            _each([one[column].before for one in found]),
        )
        for column in shared
    }


def _each(sides: Sequence[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sides) if all(sides) else frozenset()


def _reads(nodes: Sequence[Mapping[str, Any]], relation: str) -> list[tuple[Any, set[str]]]:
    """The conditions under which the relation is read, and the names it goes by in each; none if
    it is read anywhere else than alone after a `from`. A column list hides its columns' names.
    """
    found: list[tuple[Any, set[str]]] = []
    for node in nodes:
        table = node.get("from_table") if node.get("type") == "SELECT_NODE" else None
        if isinstance(table, dict) and _is_table(table, relation):
            listed = bool(table["column_name_alias"])
            names = {"", table["alias"].lower() or relation}
            found.append((None if listed else node["where_clause"], names))
    return found if len(found) >= sum(_is_table(node, relation) for node in nodes) else []


def _is_table(node: Mapping[str, Any], name: str) -> bool:
    return node.get("type") == "BASE_TABLE" and node["table_name"].lower() == name


def _conditions(where: Any, names: set[str]) -> dict[str, frozenset[str | None]]:
    """The columns that a condition wants equal to parameters, one of them, or null. `names` are
    those that the table goes by."""
    if not isinstance(where, dict):
        return {}
    if where["type"] == "CONJUNCTION_AND":
        found: dict[str, frozenset[str | None]] = {}
        for child in where["children"]:
            found = _conditions(child, names) | found
        return found
    if where["type"] == "COMPARE_EQUAL":
        sides = (where["left"], where["right"])
        for column, value in (sides, sides[::-1]):
            if (name := _column(column, names)) and value["type"] == "VALUE_PARAMETER":
                return {name: frozenset({value["identifier"]})}
    if where["type"] == "COMPARE_IN":
        column, *values = where["children"]
        if (name := _column(column, names)) and all(
            value["type"] == "VALUE_PARAMETER" for value in values
        ):
            return {name: frozenset(value["identifier"] for value in values)}
    if where["type"] == "OPERATOR_IS_NULL" and (name := _column(where["children"][0], names)):
        return {name: frozenset({None})}
    return {}


def _between(where: Any, names: set[str]) -> dict[str, Bounds]:
    """The columns that a condition wants to be parameters or more, or less."""
    if not isinstance(where, dict):
        return {}
    if where["type"] == "CONJUNCTION_AND":
        found: dict[str, Bounds] = {}
        for part in (_between(child, names) for child in where["children"]):
            for column, one in part.items():
                known = found.get(column, Bounds())
                # Of several that must hold any one is a bound.
                found[column] = Bounds(known.after or one.after, known.before or one.before)
        return found
    if where["type"] == "COMPARE_BETWEEN":
        name = _column(where["input"], names)
        bounds = Bounds(_parameter(where["lower"]), _parameter(where["upper"]))
        return {name: bounds} if name else {}
    if where["type"] not in _AFTER | _BEFORE:
        return {}
    sides = (where["left"], where["right"])
    for turned, (column, value) in enumerate((sides, sides[::-1])):
        if (name := _column(column, names)) and (named := _parameter(value)):
            is_after = (where["type"] in _AFTER) != bool(turned)
            return {name: Bounds(after=named) if is_after else Bounds(before=named)}
    return {}


def _parameter(node: Mapping[str, Any]) -> frozenset[str]:
    """Its name; empty for what is none."""
    is_one = node["type"] == "VALUE_PARAMETER"
    return frozenset({str(node["identifier"])}) if is_one else frozenset()


def _column(node: Mapping[str, Any], names: set[str]) -> str | None:
    if node["type"] != "COLUMN_REF":
        return None
    *table, column = (name.lower() for name in node["column_names"])
    return column if ".".join(table) in names else None


def _parsed(sql: str) -> Any:
    global _parser
    with _lock:
        if _parser is None:
            _parser = duckdb.connect(config={"threads": 1})
        found = _parser.execute("select json_serialize_sql($sql::varchar)", {"sql": sql}).fetchone()
    try:
        tree = msgspec.json.decode(found[0]) if found is not None else {"error": True}
    except RecursionError:  # DuckDB takes deeper expressions than Python
        return None
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
