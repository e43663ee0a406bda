"""Files and folders that only their owner may read: CloudTrail logs name a company's every key.

A folder that others may not enter protects whatever is in it, SQLite's companion files and
half-written ones too; so folders come first, and the files follow for those who move them.
"""

from __future__ import annotations

import os
from pathlib import Path

_OTHERS = 0o077


def keep_private() -> None:
    """Has every file and folder that this process makes be its owner's alone. For `main`s."""
    os.umask(_OTHERS)


def private_folder(folder: Path) -> None:
    """Makes the folder, for its owner alone; one that is there already is closed to others.

    One of somebody else is left as it is. Folders above it that are missing are made likewise.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
    close_to_others(folder)


def private_file(file: Path) -> None:
    """Makes the file if it is missing, for its owner alone, and closes it to others if not."""
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    close_to_others(file)


def close_to_others(path: Path) -> bool:
    """Takes away what group and others may do with it. False where it is not ours to change."""
    mode = path.stat().st_mode
    if not mode & _OTHERS:
        return True
    try:
        path.chmod(mode & 0o7777 & ~_OTHERS)
    except PermissionError:
        return False
    return True
