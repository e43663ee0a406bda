"""Pasted CSV or tab-separated text: rows whose columns are CloudTrail's, or hold records, and the
cells of any other table."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from typing import Any

from alerts.arns import IDENTITY_ARN
from alerts.json_text import json_values, printed_values
from trail.read.mend import escaped_whole
from trail.read.tables import DELIMITERS, Table, row_of, table_in

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


@dataclass(frozen=True)
class PastedTable:
    """A table's rows by column name, what was mended to read them, and how many more rows there
    are that do not have a cell for each column: whose their cells are is not known."""

    rows: list[dict[str, str]]
    how: tuple[str, ...] = ()
    misfits: int = 0

    @property
    def is_whole(self) -> bool:
        return bool(self.rows) and not self.misfits and all(self.rows[0])

    @property
    def order(self) -> tuple[bool, bool, int]:
        """The least is that of the table that is meant: a greeting with a comma has one, too."""
        return not self.rows, not all(self.rows[0]) if self.rows else False, self.misfits


def table_pasted(text: str) -> PastedTable | None:
    """The table that the text begins with, or that stands in it, as quoted by a reply, indented,
    or between fences; None if it holds no such table.

    One that does not say who called is an alert all the same: the analyst can say it.
    """
    if text.lstrip()[:1] in ("{", "["):
        return None
    how: tuple[str, ...] = ()
    if (plain := escaped_whole(text)) is not None:
        text, how = plain, ("HTML entities decoded",)
    lines = text.split("\n")
    best: PastedTable | None = None
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    for at, line in enumerate(lines[: first + _LINES_LOOKED_AT]):
        if not line.strip() or not (at == first or _MAY_BE_HEADER.search(line[:_LOOKED_AT])):
            continue
        for words, mark in _MARKS:
            if (marked := mark.match(line)) is None:
                continue
            head = _unmarked(lines[: at + _LINES_LOOKED_AT], at, mark, marked[0])
            table = table_in("\n".join(head)[:_LOOKED_AT], "", findings=True)
            if table is None or (words == _BARS and table.delimiter == "|"):
                continue
            found = _rows_of(table, _unmarked(lines, at, mark, marked[0]))
            if found is None or (best is not None and best.order <= found.order):
                continue
            best = replace(found, how=(*how, words) if words else how)
            if best.is_whole:
                return best
    return best


_LINES_LOOKED_AT = 200
_MAY_BE_HEADER = re.compile(r"(?=.*[,\t;|]).*(?:ev(?:en)?t|_raw|message|record|log|service)", re.I)
_BARS = "“|” before its lines taken out"
_MARKS = (
    ("“>” before its lines taken out", re.compile(r"[ \t]*(?:>[ \t]?)+")),
    (_BARS, re.compile(r"[ \t]*\|[ \t]?(?!\|)")),
    ("", re.compile(r"[ \t]*")),
)
"""What stands before each line of a table, and what to say of it. Columns may be drawn with "|"."""
_PROSE = 2
"""Commas that a sentence below a table may have."""
_FENCE = re.compile(r"\s*(?:```|~~~)")


def _unmarked(lines: list[str], at: int, mark: re.Pattern[str], first: str) -> list[str]:
    """The lines from `at` on without their marks, to where these or a fence end."""
    is_fenced = at > 0 and _FENCE.match(mark.sub("", lines[at - 1], count=1)) is not None
    block: list[str] = []
    for line in lines[at:]:
        if first.strip():
            if (marked := mark.match(line)) is None:
                if line.strip():
                    break
                bare = line
            else:
                bare = line[marked.end() :]
        else:
            bare = line.removeprefix(first)
        if is_fenced and _FENCE.match(bare):
            break
        block.append(bare)
    return block


def _rows_of(table: Table, lines: list[str]) -> PastedTable | None:
    rows: list[dict[str, str]] = []
    misfits = 0
    header: list[str] | None = None
    after_blank = False
    try:
        for row in csv.reader(
            (line + "\n" for line in lines[table.before :]), delimiter=table.delimiter
        ):
            cells = table.cells(row)
            if not any(cells):
                after_blank = header is not None
            elif header is None:
                header = cells
            elif len(cells) == len(header):
                if isinstance(made := row_of(table.header, cells), dict):
                    rows.append(made)
            elif not after_blank or len(cells) > _PROSE:
                misfits += 1
    except csv.Error:
        return None
    return PastedTable(rows, misfits=misfits)


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
