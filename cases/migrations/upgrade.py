"""Brings a database to the newest schema, once, however many processes open it at the same time."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from cases.errors import CaseStoreUnusable

NEWEST = "0007"
"""The revision that `cases.tables` describes."""

_LOCK = 0x6261636B  # any number that is ours alone


def upgrade(engine: Engine) -> None:
    """Run what is missing. Raises `CaseStoreUnusable` on a database from a newer Backtrail."""
    with engine.connect() as connection, connection.begin():
        if revision_of(connection) == NEWEST:
            return
    with engine.connect() as plain:
        connection = plain.execution_options(writing=True)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            found = revision_of(connection)
            if found != NEWEST:
                _run(connection, found)


def revision_of(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("select version_num from alembic_version")).scalar()
    return None if found is None else str(found)


def _run(connection: Connection, found: str | None) -> None:
    # Imported here: it costs a third of a second, which only a new database has to pay.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise CaseStoreUnusable(
            f"The case database has schema {found}, which this Backtrail does not know: it was"
            " written by a newer one. Install that version, or restore a backup made before it."
        )
    command.upgrade(config, NEWEST)
