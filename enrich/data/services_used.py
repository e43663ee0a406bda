"""What "which services were used" holds (contract 4): calls per service in the seven days."""

from __future__ import annotations

from typing import Literal

import msgspec

from enrich.data.found import Day, Earlier, Found, InWindow, Moment


class UseOnDay(Found, frozen=True, kw_only=True):
    """One service on one day that it was called on."""

    day: Day
    """The UTC day."""
    count: int = 0
    """Calls on it."""
    failed: int = 0
    """How many of them have an error, or are sign-ins that failed."""


class ServiceUse(Found, frozen=True, kw_only=True):
    """One service that was called in the window."""

    event_source: str | None = None
    """`eventSource` as logged: "s3.amazonaws.com"."""
    service: str = ""
    """The service's name as people say it; the event source where that is not known."""
    count: int = 0
    """Calls in the window; what counts as one is said in `trail.calls`."""
    failed: int = 0
    """How many of them have an error, or are sign-ins that failed."""
    first: Moment | None = None
    """`eventTime` of the first."""
    last: Moment | None = None
    """`eventTime` of the last."""
    on_alert_day: int = 0
    """Calls on the alert's day."""
    never_before: bool | None = None
    """Whether the principal (a role as a whole) made no call to it before the alert's day, back
    to `looked_back_to`; None where nothing of that time is indexed."""
    last_before: Moment | None = None
    """The last call to it before the alert's day."""
    event_ids: tuple[str, ...] = ()
    """The newest few of its events, newest first."""
    valuable: str | None = None
    """Why an intruder would value it, as a sentence of ours; None for most services."""
    days: tuple[UseOnDay, ...] = ()
    """The days that it was called on, in their order."""


class NamedInEvents(Found, frozen=True, kw_only=True):
    """Events of others that name an identity which made few calls itself or none."""

    events: int = 0
    """How many were found."""
    event_ids: tuple[str, ...] = ()
    """The newest of them, newest first."""
    looked_from: Moment | None = msgspec.field(default=None, name="from")
    """How far back was looked, for it is given up after a second."""


class ServicesUsed(InWindow, frozen=True, kw_only=True):
    """The services that the principal called, most calls first."""

    total: int | None = None
    """Calls in the window; None where no logs of it are indexed."""
    services: tuple[ServiceUse, ...] = ()
    """One row per event source."""
    failed: int | None = None
    """How many of the calls failed."""
    scope: Literal["entity", "whole_role"] | None = None
    """Whose calls: the entity's (§9), or those of its role as a whole."""
    alert_day: Day | None = None
    """The UTC day on which the alert's window opens."""
    days: tuple[Day, ...] = ()
    """Every UTC day of the window, with calls or without."""
    looked_back_to: Moment | None = None
    """How far back "never before" looked."""
    acted_upon: NamedInEvents | None = None
    """What others did to an identity with hardly a call of its own; None for all others."""
    before: Earlier | None = None
    """How much is indexed of the time before the alert's day."""
