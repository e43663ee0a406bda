"""How much one person may write into one place of a case.

What people write is kept for good, hashed into the history, and stands in every report. Ten pages
are a long note; a megabyte is a file that somebody pasted.
"""

from __future__ import annotations

from cases.errors import CaseRefused
from trail.counted import counted

TEXT = 20_000
"""Characters of a note, a reason, a summary or a comment."""
LINE = 1_000
"""Characters of a title, and of why something is done."""
TAG = 100
"""Characters of a tag."""
TAGS = 50
"""Tags of a case."""


def refuse_longer(what: str, text: str, most: int) -> None:
    """Raises `CaseRefused` where the text has more than `most` characters."""
    if len(text) > most:
        raise CaseRefused(
            f"{what} has {counted(len(text), 'character')}, and may have {most:,}. Keep what is"
            " longer as a file, and say here where it is."
        )


def refuse_tags(tags: list[str]) -> None:
    """Raises `CaseRefused` for more, or longer, tags than a case may have."""
    if len(tags) > TAGS:
        raise CaseRefused(f"These are {counted(len(tags), 'tag')}, and a case may have {TAGS}.")
    for tag in tags:
        refuse_longer("A tag", tag, TAG)
