"""One open case database: SQLite in a file by default, PostgreSQL by one setting.

Writers take turns on both: SQLite by `begin immediate`, PostgreSQL by locking the head of the
audit chain. A write is a few milliseconds, and so every one sees all that came before it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cases.action_log import log_actions
from cases.actor import Actor
from cases.admission import ACTING, admit
from cases.errors import CaseStoreUnusable
from cases.migrations.upgrade import upgrade
from cases.permissions import Permission
from trail.private import private_file, private_folder

URL_SETTING = "BACKTRAIL_CASES_URL"
DEFAULT_FILE = Path("data") / "cases.db"
WAIT_SECONDS = 10
"""How long a write waits for those before it, which take milliseconds, and a reader for a
connection."""
READ_WAIT_MS = 2_000
"""How long a reader waits on SQLite, where only whoever locks all of it stops one."""
DOWN_SECONDS = 3.0


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass
class _Down:
    """Until when a database counts as out of reach, and why."""

    until: float = 0.0
    because: str = ""


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
        self._down = _Down()

    def now(self) -> datetime:
        return self.clock()

    def acting_as(self, actor: Actor) -> Database:
        """The same database, in their hands."""
        return self._in_hands(actor)

    def lent(self, permission: Permission) -> Database:
        """The same database in nobody's hands, for what one function of ours reads for an actor
        who may have what it makes of that. Raises `SignedOut` or `NotAllowed`."""
        with self.read(permission):
            return self._in_hands(None)

    def _in_hands(self, actor: Actor | None) -> Database:
        other = Database(self.engine, self.clock, actor)
        other._down = self._down  # one database is down for all hands
        return other

    @contextmanager
    def read(self, permission: Permission = "read") -> Iterator[Connection]:
        """A connection whose statements see one moment's data.

        Raises `CaseStoreUnusable` while the database cannot be reached, `SignedOut` or `NotAllowed`
        when there is an actor and they may not.
        """
        with self._reached(), self.engine.connect() as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("set transaction isolation level repeatable read"))
            yield self._admitted(connection, permission)

    @contextmanager
    def write(self, permission: Permission = "read") -> Iterator[Connection]:
        """The one writing transaction there is at a time: all of it happens, or none.

        Raises `CaseStoreUnusable` while the database cannot be reached or is locked, `SignedOut` or
        `NotAllowed` when there is an actor and they may not.
        """
        with self._reached(writing=True), self.engine.connect() as plain, log_actions(plain):
            connection = plain.execution_options(writing=True)
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text("select seq from audit_head where id = 1 for update"))
                yield self._admitted(connection, permission)

    def _admitted(self, connection: Connection, permission: Permission) -> Connection:
        if self.actor is None:
            return connection
        role = admit(connection, self.now(), self.actor, permission)
        return connection.execution_options(**{ACTING: (self.actor, role)})

    @contextmanager
    def _reached(self, *, writing: bool = False) -> Iterator[None]:
        """Turns what a database says that is stopped, locked or full into a sentence.

        A page asks several times, and must not wait for each: after a failure the next ones are
        told at once, for some seconds.
        """
        if time.monotonic() < self._down.until:
            raise CaseStoreUnusable(self._down.because)
        try:
            yield
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            why = _unreachable(self.engine.url, error)
            if not writing:  # what may not be written can often be read
                self._down.because, self._down.until = why, time.monotonic() + DOWN_SECONDS
            raise CaseStoreUnusable(why) from error
        except DatabaseError as error:
            unusable = _unusable(self.engine.url, error)
            if unusable is None:
                raise
            self.engine.dispose()  # a file, or a server, that is put right is opened anew
            if not writing:
                self._down.because = unusable
                self._down.until = time.monotonic() + DOWN_SECONDS
            raise CaseStoreUnusable(unusable) from error

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
    shown = shown_url(parsed)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(url, parsed.database)
    elif parsed.get_backend_name() == "postgresql":
        engine = create_engine(
            url,
            pool_size=10,
            max_overflow=20,
            pool_pre_ping=True,  # a server that was started again is used without a restart of ours
            pool_timeout=WAIT_SECONDS,
            hide_parameters=True,
            connect_args={
                "connect_timeout": 5,
                # A server that is gone without a word, and a lock that nobody gives back.
                "tcp_user_timeout": 10_000,
                "options": f"-c lock_timeout={WAIT_SECONDS}s",
            },
        )
    else:
        raise CaseStoreUnusable(f"Cases are kept on SQLite or PostgreSQL, not {shown}.")
    try:
        upgrade(engine)
    except CaseStoreUnusable:
        engine.dispose()
        raise
    except (OperationalError, DatabaseError, OSError) as error:
        engine.dispose()
        words = _words_of(error)
        raise CaseStoreUnusable(
            f"The case database {shown} cannot be opened: {words}. Check that the path or server"
            " exists and may be written to."
        ) from error
    return Database(engine, clock)


def shown_url(url: URL) -> str:
    """The address as people may see it: without a password, and without the parameters after `?`,
    of which one may be a password or the file that holds it."""
    return url.set(query={}).render_as_string(hide_password=True)


def _words_of(error: Exception) -> str:
    """What the driver said, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")


def _unreachable(url: URL, error: Exception) -> str:
    shown = shown_url(url)
    words = _words_of(error)
    if "locked" in words or "lock timeout" in words:
        return (
            f"The case database {shown} is locked: another program has been writing to it for too"
            " long. Nothing was changed; try again when it has finished."
        )
    if "full" in words or "disk I/O" in words:
        return (
            f"The case database {shown} cannot be written: {words}. Nothing was changed; look at"
            " the disk, then try again."
        )
    return (
        f"The case database {shown} cannot be reached: {words[:300]}. Nothing was changed. It is"
        " tried again by itself; the pages of the index go on meanwhile."
    )


_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_DAMAGED_STATES = frozenset({"XX001", "XX002"})  # PostgreSQL's, as the others
_CLOSED_STATES = {
    "25006": "takes no writes now, as a standby does",
    "42501": "refuses Backtrail's user what it needs",
    "42P01": "lacks a table",
    "3F000": "lacks its schema",
}


def _unusable(url: URL, error: DatabaseError) -> str | None:
    """What is the matter with a database that answers and cannot be worked with; None where it is
    the statement that was refused."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the rest says where it was seen
    state = str(getattr(error.orig, "sqlstate", ""))
    shown = shown_url(url)
    if code in _DAMAGED or state in _DAMAGED_STATES:
        return (
            f"The case database {shown} is damaged: {_words_of(error)}. Put a backup in its place"
            " (`python -m cases restore`); the pages of the index go on meanwhile."
        )
    if state in _CLOSED_STATES:
        return (
            f"The case database {shown} {_CLOSED_STATES[state]}: {_words_of(error)[:300]}. Nothing"
            " was changed. It is tried again by itself; the pages of the index go on meanwhile."
        )
    return None


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
        url,
        pool_timeout=WAIT_SECONDS,
        hide_parameters=True,  # an error goes into logs, the case's words do not
        connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say `begin` ourselves, below
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")  # what was confirmed survives power loss
        connection.execute("pragma foreign_keys = on")
        # Without this, `insert or replace` deletes a row past the triggers that guard history.
        connection.execute("pragma recursive_triggers = on")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        wait = WAIT_SECONDS * 1000 if writing else READ_WAIT_MS
        connection.exec_driver_sql(f"pragma busy_timeout = {wait}")
        connection.exec_driver_sql("begin immediate" if writing else "begin")

    return engine
