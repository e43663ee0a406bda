"""What lies on disk already, closed to others when the server starts: index, jobs, cases."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from cases.database import database_url
from trail.index.catalog import CATALOG
from trail.private import close_all, private_file
from ui.shell import data


def close_what_is_there() -> list[Path]:
    """The index, job files, uploads and case database; what others may still read comes back."""
    index = data.index_dir().resolve()
    open_still: list[Path] = []
    for folder in (index.parent / "jobs", index.parent / "uploads"):
        if folder.is_dir():
            open_still += close_all(folder)
    if (index / CATALOG).is_file():
        open_still += close_all(index)
    try:
        url = make_url(database_url())
    except ArgumentError:  # whoever opens the cases says so
        return open_still
    if url.get_backend_name() == "sqlite" and url.database and Path(url.database).is_file():
        file = Path(url.database)
        private_file(file)
        open_still += [file] if file.stat().st_mode & 0o007 else []
    return open_still
