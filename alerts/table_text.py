"""The rows of pasted CSV or tab-separated text whose columns are CloudTrail's."""

from __future__ import annotations

import csv
import io

from trail.read.place import plain_name

_MARKS = {"eventname", "raw", "cloudtrailevent"}  # plain names of columns that tell


def table_rows(text: str) -> list[dict[str, str]]:
    """Rows by column name; an empty list if the first line is no header of such a table."""
    stripped = text.lstrip()
    header = stripped.partition("\n")[0]
    if header[:1] in ("{", "[") or len(header) > 20_000:
        return []
    delimiter = "\t" if "\t" in header else ","
    try:
        rows = list(csv.reader(io.StringIO(stripped), delimiter=delimiter))
    except csv.Error:
        return []
    names = [name.strip() for name in rows[0]] if rows else []
    if len(names) < 2 or not _MARKS & {plain_name(name) for name in names}:
        return []
    return [dict(zip(names, row, strict=False)) for row in rows[1:] if any(row)]
