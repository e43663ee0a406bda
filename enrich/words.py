"""Small pieces of the sentences: counted nouns, and strings from logs cut to a readable length."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 60


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """ "1 call", "2,900 calls"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def short(text: str, longest: int = LONGEST) -> str:
    """The text on one line, its middle left out when it is long: an attacker chose it."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= longest:
        return line
    head = longest * 2 // 3
    return f"{line[:head]}…{line[-(longest - head - 1) :]}"


def listed(items: Iterable[str], *, at_most: int = 5) -> str:
    """ "a, b and c", or "a, b and 7 more"."""
    every = list(items)
    if len(every) > at_most:
        every = [*every[: at_most - 1], f"{len(every) - at_most + 1} more"]
    if len(every) > 1:
        return f"{', '.join(every[:-1])} and {every[-1]}"
    return every[0] if every else ""
