"""A number and what it counts: the one place where singular and plural are told apart."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """ "1 call", "2,900 calls"; "1 entry", "2 entries" with the plural given."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def times(number: int) -> str:
    """ "once", "2,900 times"."""
    return "once" if number == 1 else counted(number, "time")
