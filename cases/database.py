"""One open case database: SQLite in a file by default, PostgreSQL by one setting.

Writers take turns on both: SQLite by `begin immediate`, PostgreSQL by locking the head of the
audit chain. A write is a few milliseconds, and so every one sees all that came before it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from cases.action_log import log_actions
from cases.actor import Actor
from cases.admission import ACTING, admit
from cases.errors import CaseStoreUnusable
from cases.migrations.upgrade import upgrade
from cases.permissions import Permission
from trail.private import private_file, private_folder

URL_SETTING = "BACKTRAIL_CASES_URL"
DEFAULT_FILE = Path("data") / "cases.db"
BUSY_TIMEOUT_MS = 30_000


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class Database:
    """An engine and a clock, for somebody in particular or for nobody. Safe between threads.

    With an actor, every transaction begins by asking whether they may, by the registry and the
    users as they are then. Without one, whoever has the file or the URL may read everything.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime] = utc_now,
        actor: Actor | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.actor = actor

    def now(self) -> datetime:
        return self.clock()

    def acting_as(self, actor: Actor) -> Database:
        """The same database, in their hands."""
        return Database(self.engine, self.clock, actor)

    def lent(self, permission: Permission) -> Database:
        """The same database in nobody's hands, for what one function of ours reads for an actor
        who may have what it makes of that. Raises `SignedOut` or `NotAllowed`."""
        with self.read(permission):
            return Database(self.engine, self.clock)

    @contextmanager
    def read(self, permission: Permission = "read") -> Iterator[Connection]:
        """A connection whose statements see one moment's data.

        Raises `SignedOut` or `NotAllowed` when there is an actor and they may not.
        """
        with self.engine.connect() as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("set transaction isolation level repeatable read"))
            yield self._admitted(connection, permission)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one writing transaction there is at a time: all of it happens, or none."""
        with self.engine.connect() as plain, log_actions(plain):
            connection = plain.execution_options(writing=True)
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text("select seq from audit_head where id = 1 for update"))
                yield self._admitted(connection, "read")

    def _admitted(self, connection: Connection, permission: Permission) -> Connection:
        if self.actor is None:
            return connection
        role = admit(connection, self.now(), self.actor, permission)
        return connection.execution_options(**{ACTING: (self.actor, role)})

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def database_url(setting: str | None = None) -> str:
    """The given URL or path, else the environment's setting, else the file in `data/`."""
    chosen = setting or os.environ.get(URL_SETTING) or str(DEFAULT_FILE)
    if "://" not in chosen:
        return f"sqlite:///{chosen}"
    # A bare postgresql:// would look for another driver than the one that we install.
    for prefix in ("postgres://", "postgresql://"):
        if chosen.startswith(prefix):
            return "postgresql+psycopg://" + chosen.removeprefix(prefix)
    return chosen


def open_database(setting: str | None = None, clock: Callable[[], datetime] = utc_now) -> Database:
    """The database, created or brought up to date. `setting` is a file path or an URL."""
    url = database_url(setting)
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise CaseStoreUnusable(
            f"{URL_SETTING} is not a database URL. Give a file path, or"
            " postgresql://user@host/name."
        ) from error
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(url, parsed.database)
    elif parsed.get_backend_name() == "postgresql":
        engine = create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True)
    else:
        raise CaseStoreUnusable(f"Cases are kept on SQLite or PostgreSQL, not {shown}.")
    try:
        upgrade(engine)
    except CaseStoreUnusable:
        engine.dispose()
        raise
    except (OperationalError, DatabaseError, OSError) as error:
        engine.dispose()
        words = str(getattr(error, "orig", error)).strip()
        raise CaseStoreUnusable(
            f"The case database {shown} cannot be opened: {words}. Check that the path or server"
            " exists and may be written to."
        ) from error
    return Database(engine, clock)


def _sqlite(url: str, file: str | None) -> Engine:
    if not file or file == ":memory:":
        raise CaseStoreUnusable("Cases need a file: a database in memory forgets them.")
    try:
        if not Path(file).parent.exists():
            private_folder(Path(file).parent)
    except OSError as error:
        raise CaseStoreUnusable(
            f"The folder of the case database {file} cannot be made: {error.strerror}."
        ) from error
    with suppress(OSError):  # SQLite says better what it cannot open
        private_file(Path(file))
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say `begin` ourselves, below
        connection.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")  # what was confirmed survives power loss
        connection.execute("pragma foreign_keys = on")
        # Without this, `insert or replace` deletes a row past the triggers that guard history.
        connection.execute("pragma recursive_triggers = on")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("begin immediate" if writing else "begin")

    return engine
