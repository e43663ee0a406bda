"""A folder or file of this machine, as somebody wrote its path."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def of_this_machine(written: str) -> Path | None:
    """The whole path of what is there; None where there is nothing, or where it cannot be one."""
    with suppress(OSError, RuntimeError, ValueError):  # too long, nobody's home, with a NUL in it
        path = Path(written.strip()).expanduser()
        if written.strip() and path.exists():
            return path.resolve()
    return None
