"""The case database, opened once per process."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from sqlalchemy import make_url

from cases import users
from cases.database import Database, database_url, open_database


def case_database(first_user: str) -> Database:
    """The database; `first_user` becomes its lead when it has no users yet.

    Raises `CaseStoreUnusable` with what to do next.
    """
    database = _opened(database_url())
    if not users.users(database):
        users.add_user(database, first_user, first_user, "lead")
    return database


def database_if_any() -> Database | None:
    """The database when there is one already: looking at a page must not make a file."""
    url = make_url(database_url())
    if url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).exists()):
        return None
    return _opened(database_url())


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(url: str) -> Database:
    return open_database(url)
