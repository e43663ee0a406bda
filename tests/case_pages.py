"""What the tests of the pages share: folders, and a case database, of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from cases.database import Database, open_database
from tests.a_case import Clock


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the index, demo, cases or name of another, nor Streamlit's caches of them."""
    monkeypatch.setenv("BACKTRAIL_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(tmp_path / "cases.db"))
    monkeypatch.delenv("BACKTRAIL_DEMO", raising=False)
    monkeypatch.delenv("BACKTRAIL_USER", raising=False)
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def page_clock() -> Clock | None:
    """The time of day; a module whose tests move a clock by hand gives that."""
    return None


@pytest.fixture
def page_database(
    own_folders: None, tmp_path: Path, migrated_sqlite: bytes, page_clock: Clock | None
) -> Iterator[Database]:
    """The pages' database: the leads lea and lou, the analysts ann and abe, the viewer vic."""
    (tmp_path / "cases.db").write_bytes(migrated_sqlite)
    opened = open_database(clock=page_clock) if page_clock else open_database()
    yield opened
    opened.close()
