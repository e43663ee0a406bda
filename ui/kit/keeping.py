"""What pages drew, kept for the next rerun and shared by all sessions.

An index that is extended every few seconds gets a version each time, and what was drawn of the one
before mostly still holds. So everything is kept with what the store was asked for it, and made anew
only where the store would now answer otherwise. What one session makes the others wait for.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from trail.store.noting import Notes, is_noting, note_all, noted, still_holds

Made = TypeVar("Made")
Given = ParamSpec("Given")

ANY_VERSION = ""
"""Of what does not depend on an index."""


def digest_of(content: object) -> str:
    """The same for the same values, as far as their `repr` says what they are."""
    return hashlib.sha256(ascii(content).encode()).hexdigest()


class Keeper:
    """Things made of an index, known by what they are about and their name.

    Where what is asked is noted, they outlive their version, with everything asked since the notes
    began: with the run of a page (`ui.shell.session.require`). Elsewhere only their version tells.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: OrderedDict[tuple[str, str], _Thing] = OrderedDict()
        self._lock = Lock()
        self._known: tuple[str, set[Callable[[], bool]]] = ANY_VERSION, set()

    def get(self, version: str, of_what: str, name: str, make: Callable[[], Made]) -> Made:
        """What `make` makes, made by whoever asks first, and again for a version of which the store
        would answer otherwise. What it raises is raised, and not kept.
        """
        key = (of_what, name)
        with self._lock:
            thing = self._of.setdefault(key, _Thing())
            self._of.move_to_end(key)
            while len(self._of) > self._most:
                self._of.popitem(last=False)
        with thing.lock:
            if thing.is_made and (thing.version == version or self._holds(thing.notes, version)):
                note_all(thing.notes)
            else:
                thing.is_made = False
                if is_noting():
                    with noted() as thing.notes:
                        thing.made = make()
                else:
                    thing.notes, thing.made = _OF_ITS_VERSION, make()
                thing.is_made = True
            thing.version = version
            made: Made = thing.made
            return made

    def _holds(self, notes: Notes, version: str) -> bool:
        """Much of a page rests on the same: each of it is asked once for a version."""
        if self._known[0] != version:
            self._known = version, set()
        return still_holds(notes, self._known[1])

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._of.clear()

    def __len__(self) -> int:
        return len(self._of)


def made_once(keeper: Keeper) -> Callable[[Callable[Given, Made]], Callable[Given, Made]]:
    """Makes a function of values alone look first what it made of the same ones."""

    def of(make: Callable[Given, Made]) -> Callable[Given, Made]:
        @wraps(make)
        def kept(*args: Given.args, **kwargs: Given.kwargs) -> Made:
            if any(isinstance(value, Iterator) for value in (*args, *kwargs.values())):
                raise TypeError("an iterator has no content to be known by")
            content = digest_of((args, kwargs))
            return keeper.get(ANY_VERSION, content, make.__name__, lambda: make(*args, **kwargs))

        return kept

    return of


_OF_ITS_VERSION: Notes = {"its version": lambda: False}


class _Thing:
    """Something that one session makes at a time."""

    __slots__ = ("is_made", "lock", "made", "notes", "version")

    def __init__(self) -> None:
        self.lock = Lock()
        self.is_made = False
        self.made: Any = None
        self.notes: Notes = {}
        self.version = ANY_VERSION
