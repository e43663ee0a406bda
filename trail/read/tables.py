"""Whether a text is a table of events, and how its cells are kept apart."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trail.read.flat import names_events, says_who

DELIMITERS = ",\t;|"
_RECORD_IN_CELL = re.compile(
    r"\s*(?:<\d{1,3}>[^{\n]{1,200})?[{\[].{0,2000}?"
    r'"(?:eventVersion|eventName|eventTime|userIdentity|Records|logEvents'
    r'|CloudTrailEvent|detail-type|schemaVersion|SchemaVersion|Findings|class_uid)"',
    re.DOTALL,
)
_ROWS_LOOKED_AT = 4
FLATTENED = re.compile(
    r"(?P<before>(?:[\w@-]{1,60}\.){0,6}?)(?:service\.action|resource\.access_?key_?details)\.",
    re.I,
)
"""A column of a finding of GuardDuty's whose nested keys were made dotted ones, as by Splunk, and
what a tool put before them ("detail.", "aws.guardduty.")."""
_SEPARATOR = re.compile(r'"?sep=."?\r?\n', re.IGNORECASE)
"""What Excel wants before a table: a line that names its separator."""


@dataclass(frozen=True)
class Table:
    """A table's first line as cells, what separates them, and how many lines stand before.

    `refused` says why none of its rows is an event, in words.
    """

    header: tuple[str, ...]
    delimiter: str
    before: int = 0
    refused: str | None = None

    def cells(self, row: list[str]) -> list[str]:
        """A line's cells; none of a line that only rules off. Columns that are drawn with "|" have
        blanks around their cells, and a border at each side."""
        if self.delimiter != "|":
            return row
        return _drawn(row)


def _drawn(row: list[str]) -> list[str]:
    cells = [cell.strip() for cell in row]
    if len(cells) > 4 and not any((*cells[1::2], cells[0], cells[-1])):  # Jira's "||name||name||"
        return cells[2:-2:2]
    if all(_RULE.fullmatch(cell) for cell in cells):
        return []
    if len(cells) > 2 and not cells[0] and not cells[-1]:
        return cells[1:-1]
    return cells


_RULE = re.compile(r"[-:=+]*|\(\d+ rows?\)")
"""A line that rules off, or with which psql ends a table."""


def row_of(names: Sequence[str], cells: Sequence[str]) -> dict[str, str] | str:
    """A table's row by column name; why it is none, where one name has cells that differ."""
    row: dict[str, str] = {}
    for name, cell in zip(map(str.strip, names), cells, strict=False):
        if row.get(name) and cell and row[name] != cell:
            return "a table with two columns of one name, whose cells differ"
        row[name] = row.get(name) or cell
    return row


def table_in(start: str, nobody: str, *, findings: bool = False) -> Table | None:
    """The table that a text begins with, or after a title; None if it is none of events. `nobody`
    is what to say of one that has no column for who called. With `findings` also one of findings,
    flattened."""
    for before in range(_TITLE_LINES + 1):
        if (table := _table_at(start, nobody, findings)) is not None:
            return replace(table, before=table.before + before)
        title, ended, start = start.partition("\n")
        if not ended or len(title) > _TITLE or any(one in title for one in DELIMITERS):
            break
    return None


_TITLE_LINES, _TITLE = 3, 200
"""Lines above a table's header, with none of what keeps cells apart, and how long one may be."""


def _table_at(start: str, nobody: str, findings: bool) -> Table | None:
    if (said := _SEPARATOR.match(start)) is not None:
        start = start[said.end() :]
    for delimiter in DELIMITERS:
        rows = _first_rows(start, delimiter)
        if not rows:
            return None
        if delimiter == "|":
            rows = [cells for row in rows if (cells := _drawn(row))]
            if not rows:
                continue
        header = tuple(rows[0])
        if any(cell.lstrip()[:1] in ("{", "[") for cell in header):
            continue  # records, not names
        holds = any(
            len(row) == len(header) and any(map(_RECORD_IN_CELL.match, row)) for row in rows[1:]
        )
        if findings and any(map(FLATTENED.match, header)):
            return Table(header, delimiter, 0 if said is None else 1)
        if not holds and (len(header) < 2 or not names_events(header)):
            continue
        skip = 0 if said is None else 1
        if is_console_header(header):
            refused = (
                "the console's Event history as CSV, which lacks who called, with what and from "
                "which session: download it as JSON"
            )
            return Table(header, delimiter, skip, refused)
        if not holds and not says_who(header):
            return Table(header, delimiter, skip, f"a table that {nobody}")
        return Table(header, delimiter, skip)
    return None


def is_console_header(names: tuple[str, ...]) -> bool:
    """Whether it is the console's Event history: it names who, but shows no `userIdentity`."""
    return {"Event name", "Event time", "User name"} <= {n.strip().strip('"') for n in names}


def _first_rows(start: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(start), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) == _ROWS_LOOKED_AT:
                break
    except csv.Error:
        pass
    return rows
