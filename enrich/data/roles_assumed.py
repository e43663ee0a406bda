"""What "which roles did it assume, or try to" holds (contract 4)."""

from __future__ import annotations

from typing import Literal

import msgspec

from enrich.data.found import Found, InWindow, Moment


class RoleTaken(Found, frozen=True, kw_only=True):
    """Assumptions alike in role, result, error, reason, interface, and whether after the alert."""

    role_arn: str | None = None
    """The role that was asked for, of a denied call by its error message (§5); None where neither
    says."""
    result: Literal["success", "failure"]
    """Whether a session was made."""
    error_code: str | None = None
    """`errorCode` as logged."""
    reason_class: str | None = None
    """Why it was refused, by the error's code and message: a `ReasonClass` of
    `enrich.facts.denial`; None where it was not."""
    interface: str | None = None
    """What it was asked through (§4.1): an `Interface` of `enrich.facts.interface`."""
    count: int = 0
    """How many calls."""
    first: Moment = ""
    """`eventTime` of the first."""
    last: Moment = ""
    """`eventTime` of the last."""
    source_ip_addresses: tuple[str, ...] = ()
    """`sourceIPAddress` of the calls, each once."""
    after_alert: bool = False
    """Whether they came after the alert's last moment."""
    user_agents: tuple[str, ...] = ()
    """`userAgent` of the calls, each once."""
    session_names: tuple[str, ...] = ()
    """The names that were given to the sessions, each once."""
    interface_detail: str | None = None
    """What more is known of the interface, in words: a tool, a service."""
    reason: str | None = None
    """`reason_class` in words."""
    error_message: str | None = None
    """`errorMessage` of the first refusal."""
    by_alert_key: int = 0
    """How many of the calls were made with the alert's own access key."""
    event_ids: tuple[str, ...] = ()
    """Some of the events, the first ones first."""
    from_alert_address: int = 0
    """How many of the calls came from the alert's address."""
    from_alert_address_ids: tuple[str, ...] = ()
    """Some of these events."""


class Enumeration(Found, frozen=True, kw_only=True):
    """The ten minutes with the most different roles that were refused (§3.3)."""

    targets: int = 0
    """Different roles refused."""
    calls: int = 0
    """Refused calls."""
    window_first: Moment = msgspec.field(default="", name="from")
    """The first of them."""
    window_last: Moment = msgspec.field(default="", name="to")
    """The last of them."""
    minutes: int = 0
    """From the first to the last, rounded up."""
    event_ids: tuple[str, ...] = ()
    """One call of each target."""


class RolesAssumed(InWindow, frozen=True, kw_only=True):
    """Roles that the principal assumed or tried to, what came after the alert last."""

    roles: tuple[RoleTaken, ...] = ()
    """Those assumed before those refused, the most frequent first."""
    targets_unknown: int | None = None
    """Refusals whose records name no role; None where nothing was looked at."""
    enumeration: Enumeration | None = None
    """Set when it went through the names of roles."""
    total: int | None = None
    """Calls in all; None where nothing was looked at."""
    succeeded: int | None = None
    """How many of them made a session."""
    failed: int | None = None
    """How many were refused."""
    scope: Literal["entity", "whole_role"] | None = None
    """Whose calls: the entity's (§9), or those of its role as a whole."""
