"""Where the numbers of an answer lead: the event search with the filters of what they count."""

from __future__ import annotations

from typing import Protocol

from enrich.entity import Scope


class Leading(Protocol):
    """The address of the search of what a number counts, if there can be one."""

    def __call__(self, scope: Scope, **more: str | None) -> str | None: ...
