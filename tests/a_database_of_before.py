"""A case database with an older schema, filled with what a present one holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Boolean, inspect, text

from cases import blobs
from cases.canonical import canonical
from cases.database import Database, open_database
from cases.migrations import upgrade
from cases.tables import metadata


def as_of(database: Database, where: str, revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same cases as that revision kept them: in "0001" evidence holds its own content."""
    with monkeypatch.context() as patched:
        patched.setattr(upgrade, "NEWEST", revision)
        old = open_database(where)
    with database.read() as source, old.engine.connect() as target, target.begin():
        target.execute(text("delete from audit_head"))
        present = inspect(target)
        tables = set(present.get_table_names())
        for table in metadata.sorted_tables:
            if table.name not in tables:
                continue
            there = {one["name"]: one["type"] for one in present.get_columns(table.name)}
            for row in source.execute(text(f"select * from {table.name}")):
                values: dict[str, Any] = {
                    name: bool(value) if isinstance(there[name], Boolean) else value
                    for name, value in row._mapping.items()
                    if name in there
                }
                if table.name == "evidence" and "blobs" not in tables:
                    values |= _unpacked(source, values)
                marks = ", ".join(f":{name}" for name in values)
                target.execute(
                    text(f"insert into {table.name} ({', '.join(values)}) values ({marks})"), values
                )
    old.close()


def _unpacked(source: Any, values: dict[str, Any]) -> dict[str, str]:
    names = json.loads(values["records"])
    found = blobs.read(source, [values["document"], *names.values()])
    records = {i: found[n].decode("utf-8", "surrogatepass") for i, n in names.items()}
    return {"document": found[values["document"]].decode("ascii"), "records": canonical(records)}
