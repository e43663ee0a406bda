"""The words that a team wants gone from every redacted report: projects, products, its own name."""

from __future__ import annotations

import os
from pathlib import Path

from cases.errors import CaseRefused

WORDS_SETTING = "BACKTRAIL_REDACTED_WORDS"


def listed_words(path: Path | None = None) -> tuple[str, ...]:
    """The lines of that file, else of the one that `BACKTRAIL_REDACTED_WORDS` names.

    Empty lines and those that begin with `#` are passed over. Raises `CaseRefused` where the file
    cannot be read: a report must not go out with words in it that somebody meant to be gone.
    """
    named = path or os.environ.get(WORDS_SETTING)
    if not named:
        return ()
    try:
        lines = Path(named).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CaseRefused(
            f"The list of words to redact, {named}, cannot be read: {reason}."
        ) from error
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
