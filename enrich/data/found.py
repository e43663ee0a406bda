"""What the data of all answers have in common, how they become JSON, and how they come back.

A field's name, or the `name` it is given where that is a word of Python's, is its key in the JSON
(contract 4), in which keys are only ever added. Each has a value for "not looked up", so that
what an older version kept can be read: keys that it lacks are that, those that nobody knows any
more are passed over.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Moment: TypeAlias = str
"""A time: ISO 8601 in UTC with "Z", to the second unless it is known more finely."""

Day: TypeAlias = str
"""A UTC day, "2026-03-10"."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an answer found: its data as a whole, or a part of it."""


class InWindow(Found, frozen=True, kw_only=True):
    """Data of a question that looks at a window of time."""

    window_first: Moment | None = msgspec.field(default=None, name="from")
    """The window's first instant; None where the alert has no time, or names nobody."""
    window_last: Moment | None = msgspec.field(default=None, name="to")
    """Its last instant."""
    namesakes: tuple[str, ...] = ()
    """Unique ids of the users whose calls are counted, where one ARN was that of several."""


class Earlier(Found, frozen=True, kw_only=True):
    """How much is known of the principal (a role as a whole) before the alert's day."""

    events: int = 0
    """Calls indexed in that time."""
    window_first: Moment = msgspec.field(default="", name="from")
    """The midnight that was looked back to."""
    window_last: Moment = msgspec.field(default="", name="to")
    """The midnight that the alert's day begins with, which is not part of it."""
    sufficient: bool = False
    """Whether it may be said that something never happened before (§9)."""
    logs_from: Day | None = None
    """The first UTC day of that time of which logs of the principal's account are indexed."""
    days_missing: int = 0
    """How many of the days after it have none."""
