"""A text from a log as it stands inside a sentence: on one line and of a readable length."""

from __future__ import annotations

LONGEST = 60


def short(text: str, longest: int = LONGEST) -> str:
    """The text on one line, its middle left out when it is long: an attacker chose it."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= longest:
        return line
    head = longest * 2 // 3
    return f"{line[:head]}…{line[-(longest - head - 1) :]}"
