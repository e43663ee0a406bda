"""The rows of pasted CSV or tab-separated text whose columns are CloudTrail's, or hold records."""

from __future__ import annotations

import csv
import io

from trail.read.tables import table_in

_LOOKED_AT = 65_536


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
        rows = list(csv.reader(lines, delimiter=table.delimiter))
    except csv.Error:
        return []
    names = [name.strip() for name in table.header]
    return [dict(zip(names, row, strict=False)) for row in rows[1:] if any(row)]
