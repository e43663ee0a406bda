"""The case database, opened once per process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st
from sqlalchemy import make_url

from cases import users
from cases.actor import Actor
from cases.database import Database, database_url, open_database


def case_database(actor: Actor) -> Database:
    """The database in the actor's hands. Raises `CaseStoreUnusable` with what to do next.

    In local mode the first becomes its lead. Nobody who signs in becomes anything by being first.
    """
    database = unguarded()
    if not actor.sign_in and not users.users(database):
        users.add_user(database.acting_as(actor), actor.name, actor.name, "lead")
    return database.acting_as(actor)


def unguarded() -> Database:
    """The database in nobody's hands: to find out who somebody is, and nothing else."""
    return _opened(database_url())


def unguarded_if_any() -> Database | None:
    """The same when there is one already: looking at a page must not make a file."""
    url = database_url()
    is_file, file = _place(url)
    return None if is_file and not (file and file.exists()) else _opened(url)


@lru_cache(maxsize=8)
def _place(url: str) -> tuple[bool, Path | None]:
    """Whether the cases are kept in a file, and which; one in memory is in none."""
    parts = make_url(url)
    return parts.get_backend_name() == "sqlite", Path(parts.database) if parts.database else None


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(url: str) -> Database:
    return open_database(url)
