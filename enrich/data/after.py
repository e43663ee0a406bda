"""What the alert's identity did after the alert, and the order of what it did."""

from __future__ import annotations

from typing import Literal

from enrich.data.found import Found, InWindow, Moment
from enrich.data.interesting_calls import InterestingCalls


class AfterAlert(InWindow, frozen=True, kw_only=True):
    """The interesting calls after the alert's last moment, which is not among them."""

    status: Literal["answered", "partial", "nothing", "not_covered", "not_applicable", "failed"] = (
        "not_applicable"
    )
    """As of an answer: `nothing` is that it made none, `not_covered` that no logs of the time after
    are indexed."""
    sentence: str = ""
    """What was found, in a sentence."""
    logs_end: Moment | None = None
    """The last event of the account, where the logs end within the window."""
    found: InterestingCalls = InterestingCalls()
    """The calls, as "which interesting calls were made" has them."""
    evidence: tuple[str, ...] = ()
    """The newest few events of each kind of call."""
    caveats: tuple[str, ...] = ()
    """What was not looked at."""


class Stage(Found, frozen=True, kw_only=True):
    """One step of the order: what was done in it, and by which events."""

    kind: Literal["looked around", "denied", "escalated", "succeeded"] = "looked around"
    """Which step."""
    count: int = 0
    """How many calls."""
    first: Moment | None = None
    """`eventTime` of the first."""
    last: Moment | None = None
    """`eventTime` of the last."""
    event_name: str | None = None
    """The call, where it is one."""
    event_ids: tuple[str, ...] = ()
    """The calls' events, the earliest first; at most 50."""


class Course(InWindow, frozen=True, kw_only=True):
    """That the identity looked around, was denied, changed permissions, and then succeeded."""

    status: Literal["answered", "nothing", "not_applicable", "failed"] = "not_applicable"
    """`nothing`: that order is not in the logs that were looked at."""
    sentence: str = ""
    """The order in a line."""
    stages: tuple[Stage, ...] = ()
    """The four steps; none where the order is not there."""
