"""What pages drew, kept for the next rerun and shared by all sessions.

Of an index that is extended every few seconds each version would leave its own drawings behind, and
fifty sessions would all make the next ones at once. So only the newest two versions' are kept (a
rerun may still be at work on the one before), and what one session makes the others wait for.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

Made = TypeVar("Made")
Given = ParamSpec("Given")

VERSIONS = 2
ANY_VERSION = ""
"""Of what does not depend on an index."""


def digest_of(content: object) -> str:
    """The same for the same values, as far as their `repr` says what they are."""
    return hashlib.sha256(ascii(content).encode()).hexdigest()


class Keeper:
    """Things made once for a version of the index, what they are about and their name."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: OrderedDict[tuple[str, str, str], _Thing] = OrderedDict()
        self._versions: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def get(self, version: str, of_what: str, name: str, make: Callable[[], Made]) -> Made:
        """What `make` makes, made by whoever asks first. What it raises is raised, and not kept."""
        key = (version, of_what, name)
        with self._lock:
            thing = self._of.setdefault(key, _Thing())
            self._of.move_to_end(key)
            self._drop(version)
        with thing.lock:
            if not thing.is_made:
                thing.made = make()
                thing.is_made = True
            made: Made = thing.made
            return made

    def _drop(self, version: str) -> None:
        if version != ANY_VERSION and version not in self._versions:
            self._versions[version] = None
            while len(self._versions) > VERSIONS:
                gone, _ = self._versions.popitem(last=False)
                for key in [key for key in self._of if key[0] == gone]:
                    del self._of[key]
        while len(self._of) > self._most:
            self._of.popitem(last=False)

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


class _Thing:
    """Something that one session makes at a time."""

    __slots__ = ("is_made", "lock", "made")

    def __init__(self) -> None:
        self.lock = Lock()
        self.is_made = False
        self.made: Any = None
