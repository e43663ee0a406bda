"""The numbers that sentences state, each beside the events that it counts.

A sentence is put together from these, never the other way round: nobody has to read English to
check it. `Events` is a condition as plain data, so that a test (or a page) can find the events
again in its own way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from trail.counted import counted

Whose = Literal["entity", "whole_role", "alert", "anyone"]
"""Of the alert's entity (§9), of its role as a whole, the alert's own, or of whoever."""

Where = Mapping[str, tuple[str | bool | None, ...]]
"""Columns of the event table, each with the values that it may have.

Beside the table's own: `api` (the event name without its version date), `day` (UTC, as ISO),
`interesting` (by the original rule, §6.1), `by_service` (made by an AWS service on the caller's
behalf), `assumption` (asks for a role's session), `role` ("account/name" of the role that is asked
for) and `role_name`, `detail` (one of the phrases of `enrich.calls.call_details`), `content` (a
kind of sign that the content has, `alerts.content`), `bucket` (that an S3 request names).
"""


@dataclass(frozen=True)
class Events:
    """The events from `first` to `last`, both included, that meet one of the conditions."""

    whose: Whose
    first: datetime | None = None
    last: datetime | None = None
    open_end: bool = False
    """Whether the instant `last` is not part of it."""
    any_of: tuple[Where, ...] = ({},)
    """No condition at all is met by nothing; an empty one by everything."""

    def where(self, **columns: str | bool | None) -> Events:
        """Those of them whose columns have these values as well."""
        more = {name: (value,) for name, value in columns.items()}
        return replace(self, any_of=tuple({**one, **more} for one in self.any_of))

    def one_of(self, conditions: Iterable[Where]) -> Events:
        """Those of them that meet one of the conditions."""
        given = list(conditions)
        both = ({**mine, **one} for mine in self.any_of for one in given)
        return replace(self, any_of=tuple(both))


@dataclass(frozen=True)
class Cited:
    """Some of the events that a statement rests on. Each of them is one of `of`."""

    of: Events
    event_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Count(Cited):
    """How many calls `of` holds, each counted once; with `distinct`, how many values of a column.

    In a sentence it stands as its words: "1 call", "2,900 calls".
    """

    number: int = 0
    noun: str = "call"
    plural: str | None = None
    distinct: str | None = None

    def __str__(self) -> str:
        return counted(self.number, self.noun, self.plural)
