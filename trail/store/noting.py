"""What a store was asked while something was made, and whether it would say the same again.

An index that is extended every minute gets a version each time, and most of what was worked out
before still holds: the days and identities that it rests on did not change. So whoever keeps
something beyond one version notes what was asked for it, and asks again before using it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from trail.errors import BacktrailError

Told = TypeVar("Told")

Notes = Mapping[Hashable, Callable[[], bool]]
"""What was asked → whether the same would be answered now."""

_notes: ContextVar[dict[Hashable, Callable[[], bool]] | None] = ContextVar("notes", default=None)
"""Of what is being made in this context; None while nobody notes. Threads that ask on its behalf
are given a copy of the context, and write into the same notes."""


def is_noting() -> bool:
    """Whether somebody wants to know what is asked."""
    return _notes.get() is not None


def note(asked: Hashable, still: Callable[[], bool]) -> None:
    """Adds something that was asked to the notes of what is being made, if anybody takes any."""
    taken = _notes.get()
    if taken is not None:
        taken[asked] = still


def told(asked: Hashable, answer: Callable[[], Told]) -> Told:
    """What is answered, noted as something that still holds as long as the same is answered."""
    found = answer()
    note(asked, lambda: answer() == found)
    return found


def note_all(notes: Notes) -> None:
    """Adds what was asked for a part that was made before."""
    taken = _notes.get()
    if taken is not None:
        taken.update(notes)


def begin() -> None:
    """Notes from here on what is asked in this context, and nothing of before."""
    _notes.set({})


@contextmanager
def noted() -> Iterator[Notes]:
    """What is asked within, and before it by whoever notes around it: what is made within may hold
    what was found then. They are told at its end, also when it failed.
    """
    around = _notes.get()
    mine = dict(around or {})
    before = _notes.set(mine)
    try:
        yield mine
    finally:
        _notes.reset(before)
        note_all(mine)


def still_holds(notes: Notes, known: set[Callable[[], bool]] | None = None) -> bool:
    """Whether the same would be answered to everything that was asked; not where that fails.

    `known` are those that were found to hold a moment ago; others that do are added.
    """
    known = set() if known is None else known
    before = _notes.set(None)  # asking again is no part of what is made around it
    try:
        for still in notes.values():
            if still not in known:
                if not still():
                    return False
                known.add(still)
        return True
    except BacktrailError:
        return False
    finally:
        _notes.reset(before)
