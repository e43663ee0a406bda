"""One build at a time: a lock that ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trail.errors import IndexBusy


@contextmanager
def write_lock(index_dir: Path) -> Iterator[None]:
    """Holds the index for writing. Raises `IndexBusy` at once when another process has it."""
    with (index_dir / "build.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read(20).strip() or "unknown"
            raise IndexBusy(
                f"Process {holder} is building {index_dir} right now. Wait until it has finished, "
                "then run this again; readers are not affected."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
