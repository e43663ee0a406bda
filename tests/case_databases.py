"""Fixtures for the tests of `cases`: a fresh database, on SQLite and on PostgreSQL.

A test module asks for them with `pytest_plugins = ("tests.case_databases",)`, and imports nothing
from here. Every test that takes `database` runs twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cases.database import Database, open_database
from tests.a_case import Clock, add_people
from tests.postgres import Server, running_server


def _prepare(where: str) -> None:
    opened = open_database(where, Clock())
    add_people(opened)
    opened.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server) -> str:
    url = postgres.create()
    _prepare(url)
    return url.rsplit("/", 1)[1]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("cases") / "cases.db"
    _prepare(str(file))
    return file.read_bytes()


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a database of its own is, with the newest schema and the usual people."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        return server.create(request.getfixturevalue("migrated_postgres"))
    file = tmp_path / "cases.db"
    file.write_bytes(request.getfixturevalue("migrated_sqlite"))
    return f"sqlite:///{file}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(fresh_url: str, clock: Clock) -> Iterator[Database]:
    """An open database with the leads lea and lou, analysts ann and abe, and the viewer vic."""
    opened = open_database(fresh_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_database(tmp_path: Path, clock: Clock, migrated_sqlite: bytes) -> Iterator[Database]:
    """The same on SQLite alone, for tests of what no database takes part in."""
    file = tmp_path / "cases.db"
    file.write_bytes(migrated_sqlite)
    opened = open_database(str(file), clock)
    yield opened
    opened.close()
