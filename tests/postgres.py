"""A PostgreSQL of the tests' own: Debian's server, on a free loopback port, in a temporary folder.

Needs Debian's package `postgresql` (server binaries and the `postgres` user, since PostgreSQL
refuses to run as root) and `util-linux` (setpriv).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

HOST = "127.0.0.1"


class PostgresMissing(RuntimeError):
    """The server's binaries are not installed."""


class Server:
    """A running server; `create` gives databases that nothing else uses."""

    def __init__(self, command: list[str], port: int, log: Path) -> None:
        self.port = port
        self._command = command
        self._log = log
        self._number = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Runs it, and waits until it can be asked."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, stdout=output, stderr=subprocess.STDOUT, cwd=self._log.parent
            )
        _wait_until_up(self._process, self.port, self._log)

    def stop(self) -> None:
        """Ends it, whoever is connected; its data stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=60)
            self._process = None

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@{HOST}:{self.port}/{name}"

    def create(self, template: str = "template1") -> str:
        """The URL of a new database, copied from the template."""
        self._number += 1
        name = f"test_{self._number}"
        with psycopg.connect(
            host=HOST, port=self.port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(
                sql.SQL("create database {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.url(name)


def _binary(name: str) -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    if found is None:
        raise PostgresMissing(
            f"PostgreSQL's {name} is not installed, and the case store is tested on PostgreSQL"
            " too. Install Debian's package `postgresql`."
        )
    return found


def _as_postgres(command: list[str]) -> list[str]:
    # The server stops with us, even if we are killed.
    wrapped = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        wrapped += ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    return [*wrapped, *command]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that is up until the block ends."""
    initdb, postgres = _binary("initdb"), _binary("postgres")
    folder = Path(tempfile.mkdtemp(prefix="backtrail-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    log = folder / "log"
    try:
        subprocess.run(
            _as_postgres(
                [initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
                + ["--locale=C.UTF-8", "--no-sync"]
            ),
            check=True,
            capture_output=True,
            cwd=folder,
        )
        port = _free_port()
        server = Server(
            _as_postgres([postgres, "-D", str(data), "-p", str(port), "-k", str(folder)])
            + ["-c", f"listen_addresses={HOST}", "-c", "max_connections=100"]
            # The machine does not lose power during a test.
            + ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB"],
            port,
            log,
        )
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(
                host=HOST, port=port, user="postgres", dbname="postgres", connect_timeout=5
            ).close()
            return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                words = log.read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL did not start:\n{words}") from error
            time.sleep(0.05)
