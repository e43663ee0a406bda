"""Files and folders that only their owner may read: CloudTrail logs name a company's every key.

A folder that others may not enter protects whatever is in it, half-written files and SQLite's
companions too. So folders come first, and files follow for whoever copies them elsewhere.
`BACKTRAIL_READABLE_BY=group` lets the owner's group read, where one user builds the index and
another serves it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

READABLE_BY_SETTING = "BACKTRAIL_READABLE_BY"
_SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")


def _closed_to() -> int:
    """The mode bits that nothing of ours has."""
    return 0o027 if os.environ.get(READABLE_BY_SETTING) == "group" else 0o077


def keep_private() -> None:
    """Has whatever this process makes be its owner's alone. For `main`s, at their start."""
    os.umask(_closed_to())


def private_folder(folder: Path) -> None:
    """Makes the folder, and those missing above it, for their owner; closes it if it is there."""
    for one in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        one.mkdir(mode=0o777 & ~_closed_to(), exist_ok=True)
    close_to_others(folder)


def private_file(file: Path) -> None:
    """Makes the file empty, for its owner, or closes the one that is there; its companions too."""
    if not file.exists():
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o666 & ~_closed_to()))
    for one in (file, *(file.with_name(file.name + end) for end in _SQLITE_COMPANIONS)):
        if one.exists():
            close_to_others(one)


def close_to_others(path: Path) -> bool:
    """Takes away what others may do with a file or folder. False where it is not ours to change.

    A link or a device stays as it is, and so does a folder of everybody's (`/tmp`).
    """
    mode = path.lstat().st_mode
    if mode & stat.S_ISVTX:
        return False
    if not mode & _closed_to() or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return True
    try:
        path.chmod(stat.S_IMODE(mode) & ~_closed_to())
    except OSError:
        return False
    return True


def close_all(folder: Path) -> list[Path]:
    """Closes a folder of ours and all that is in it; what could not be closed comes back.

    One that is closed already is not walked: nobody else can reach what is in it.
    """
    try:
        if not folder.lstat().st_mode & _closed_to():
            return []
        return [one for one in (folder, *_inside(folder)) if not close_to_others(one)]
    except OSError:  # gone, or somebody else's
        return [folder] if folder.exists() else []


def _inside(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(parent, name)
