"""Pasted CSV or tab-separated text: rows whose columns are CloudTrail's, or hold records, and the
cells of any other table."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from alerts.arns import IDENTITY_ARN
from alerts.json_text import json_values, printed_values
from trail.read.tables import DELIMITERS, row_of, table_in

_LOOKED_AT = 65_536
_CUT_APART = 200_000
"""Characters of an unknown table that are cut into cells: no more is read of a text."""
_NAME = re.compile(r"(?!arn:|\d)[\w@$#%.:/(){}\[\] -]{1,80}")
_VALUE = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:.]+\s?(?:Z|UTC|[+-]\d\d:?\d\d)?|\d{12}|\d{1,3}(?:\.\d{1,3}){3}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|[a-z0-9-]+\.amazonaws\.com",
    re.IGNORECASE,
)


def table_rows(text: str) -> list[dict[str, str]]:
    """Rows by column name; an empty list if the text begins as no such table.

    One that does not say who called is an alert all the same: the analyst can say it.
    """
    stripped = text.lstrip()
    if stripped[:1] in ("{", "["):
        return []
    table = table_in(stripped[:_LOOKED_AT], "", findings=True)
    if table is None:
        return []
    lines = io.StringIO(stripped)
    for _ in range(table.before):
        lines.readline()
    try:
        rows = [table.cells(row) for row in csv.reader(lines, delimiter=table.delimiter)]
    except csv.Error:
        return []
    made = (row_of(table.header, row) for row in [row for row in rows if any(row)][1:])
    return [row for row in made if isinstance(row, dict)]


def fields_listed(text: str) -> dict[str, Any]:
    """The fields of a record that stand one a line, each with its value behind a tab; empty for any
    other text. A value may be JSON itself."""
    lines = [line for line in text.split("\n") if line.strip()][:_MOST_LISTED]
    found: dict[str, Any] = {}
    for line in lines:
        name, tab, value = line.rstrip("\r").partition("\t")
        if not tab or not _FIELD.fullmatch(name.strip()):
            return {}
        found[name.strip()] = _as_value(value.strip())
    # Two or more, or a table of two columns would be taken for it.
    return found if len(found) == len(lines) > 2 and "eventName" in found else {}


_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,80}")
_MOST_LISTED = 500


def _as_value(text: str) -> Any:
    if text in ("", "-", "null", "None"):
        return None
    if text[:1] in ("{", "["):
        return next(iter(printed_values(text) or json_values(text)), text)
    return text


def cells_apart(text: str) -> str:
    """A table of columns that nobody knows with each cell on a line of its own, behind its column's
    name; any other text as it is.

    AWS allows commas in names, so an ARN goes on into the cells behind it where these are not cut.
    """
    text, rest = text[:_CUT_APART], text[_CUT_APART:]
    if IDENTITY_ARN.search(text) is None:
        return text + rest
    for delimiter in DELIMITERS:
        rows = _rows(text, delimiter)
        if _is_table(rows):
            names, *others = rows
            lines = [
                "\n".join(f"{name}: {cell}" for name, cell in zip(names, row, strict=True))
                for row in others
            ]
            return "\n\n".join(lines) + rest
    return "\n".join(map(_line_apart, text.split("\n"))) + rest


def _rows(text: str, delimiter: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        return []
    return [[cell.strip() for cell in row] for row in rows if any(row)]


def _is_table(rows: list[list[str]]) -> bool:
    return (
        len(rows) > 1
        and len(rows[0]) > 1
        and all(len(row) == len(rows[0]) for row in rows)
        and all(map(_NAME.fullmatch, rows[0]))
        and any(IDENTITY_ARN.fullmatch(cell) for row in rows[1:] for cell in row)
    )


def _line_apart(line: str) -> str:
    """The cells of a row without its header, which is told by what else stands in it. Of what may
    part cells only a comma can be in a name."""
    if any("," in match[0] for match in IDENTITY_ARN.finditer(line)):
        for cells in _rows(line, ","):
            if any(map(IDENTITY_ARN.fullmatch, cells)) and any(map(_VALUE.fullmatch, cells)):
                return "\n".join(cells)
    return line
