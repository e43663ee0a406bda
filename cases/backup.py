"""Backup and restore: the whole database in one file that either database can be restored from.

A gzip file of JSON lines: what it is, then every row of every table as it is stored, then a hash
over all of that. It is read in one transaction and appears under its name only when complete.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    LargeBinary,
    String,
    column,
    insert,
    select,
    table,
    text,
    type_coerce,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from cases import tables
from cases.audit import Head, read_head
from cases.canonical import canonical
from cases.database import Database
from cases.errors import CaseStoreUnusable
from cases.migrations.upgrade import NEWEST
from cases.verify import Verification, verify
from trail.private import private_file, private_folder

FORMAT = "backtrail-cases-1"
_BATCH = 500


@dataclass(frozen=True)
class Backup:
    """What a backup file holds."""

    file: Path
    rows: dict[str, int]
    head: Head


def backup(database: Database, file: Path) -> Backup:
    """The finished backup. An older file of that name is replaced only when the new is whole."""
    unfinished = file.with_name(file.name + ".part")
    rows: dict[str, int] = {}
    hashed = hashlib.sha256()
    try:
        if not file.parent.exists():
            private_folder(file.parent)
        private_file(unfinished)
        with unfinished.open("wb") as plain, database.read() as connection:
            head = read_head(connection)
            with gzip.GzipFile(fileobj=plain, mode="wb", mtime=0, filename="") as packed:

                def put(value: Any) -> None:
                    line = canonical(value).encode("ascii") + b"\n"
                    hashed.update(line)
                    packed.write(line)

                put({"format": FORMAT, "schema": NEWEST, "head": str(head)})
                for name, row in _stored_rows(connection):
                    rows[name] = rows.get(name, 0) + 1
                    put([name, row])
                packed.write(canonical({"sha256": hashed.hexdigest()}).encode("ascii") + b"\n")
            plain.flush()
            os.fsync(plain.fileno())
        unfinished.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise CaseStoreUnusable(
            f"The backup {file} cannot be written: {error.strerror}. Choose another place."
        ) from error
    return Backup(file, rows, head)


def _stored(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The column's type without our conversions: the value as the database holds it."""
    return String() if isinstance(kind, TypeDecorator) else kind


def _stored_rows(connection: Connection) -> Iterator[tuple[str, list[Any]]]:
    for one in tables.metadata.sorted_tables:
        if one.name in tables.NOT_KEPT:
            continue
        columns = [type_coerce(c, _stored(c.type)).label(c.name) for c in one.c]
        statement = select(*columns).order_by(*one.primary_key.columns)
        for row in connection.execution_options(yield_per=_BATCH).execute(statement):
            yield one.name, [_as_text(value) for value in row]


def _as_text(value: Any) -> Any:
    """Bytes as base64: a line of the backup is JSON."""
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def restore(database: Database, file: Path) -> Verification:
    """What `verify` says of the restored database. Only an empty database is restored into."""
    rows = list(_read(file))
    with database.write() as connection:
        for one in tables.metadata.sorted_tables:
            if one.name != "audit_head" and connection.execute(select(one).limit(1)).first():
                raise CaseStoreUnusable(
                    "This case database is not empty, and a restore never overwrites: give a new"
                    " file or an empty PostgreSQL database."
                )
        connection.execute(text("delete from audit_head"))
        for one in tables.metadata.sorted_tables:
            target = table(one.name, *(column(c.name, _stored(c.type)) for c in one.c))
            names = [c.name for c in one.c]
            kinds = [c.type for c in one.c]
            found = [
                {
                    name: _from_text(value, kind)
                    for name, value, kind in zip(names, row, kinds, strict=True)
                }
                for table_name, row in rows
                if table_name == one.name
            ]
            for start in range(0, len(found), _BATCH):
                connection.execute(insert(target), found[start : start + _BATCH])
        if connection.dialect.name == "postgresql":
            for name in ("cases", "notes", "evidence"):
                # Rows came with their numbers; the next one has to follow the highest.
                connection.execute(
                    text(
                        f"select setval(pg_get_serial_sequence('{name}', 'id'),"
                        f" (select coalesce(max(id), 0) + 1 from {name}), false)"
                    )
                )
    return verify(database)


def _from_text(value: Any, kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, Boolean) and value is not None:
        return bool(value)
    return base64.b64decode(value) if isinstance(kind, LargeBinary) else value


def _read(file: Path) -> Iterator[tuple[str, list[Any]]]:
    damaged = CaseStoreUnusable(
        f"{file} is not a whole backup of cases (it is damaged, cut short or something else)."
        " Use another backup."
    )
    hashed = hashlib.sha256()
    try:
        with gzip.open(file, "rb") as lines:
            header = lines.readline()
            hashed.update(header)
            what = json.loads(header)
            if not isinstance(what, dict) or what.get("format") != FORMAT:
                raise damaged
            if what["schema"] != NEWEST:
                raise CaseStoreUnusable(
                    f"{file} has schema {what['schema']}, this Backtrail {NEWEST}. Restore it with"
                    " the version that made it, then open the database with this one."
                )
            for line in lines:
                value = json.loads(line)
                if isinstance(value, dict):
                    if value.get("sha256") != hashed.hexdigest() or lines.read(1):
                        raise damaged
                    return
                hashed.update(line)
                yield value[0], value[1]
    except FileNotFoundError as error:
        raise CaseStoreUnusable(f"There is no backup {file}.") from error
    except (OSError, EOFError, zlib.error, ValueError, KeyError, IndexError) as error:
        raise damaged from error
    raise damaged
