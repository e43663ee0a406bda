"""Since when which kinds of events are in an account's logs: what they cannot show."""

from __future__ import annotations

from typing import Literal

from enrich.data.found import Found, Moment


class KindLogged(Found, frozen=True, kw_only=True):
    """One kind of event in one Region, or in none."""

    kind: Literal["management", "data", "network activity"] = "data"
    """CloudTrail's category."""
    event_source: str | None = None
    """Of data events, `eventSource`."""
    words: str = ""
    """What one is called, in words of ours: "S3 object event"."""
    unseen: str = ""
    """What cannot be seen without them."""
    aws_region: str | None = None
    """The Region; None of a kind that no Region has."""
    first: Moment | None = None
    """`eventTime` of the first one indexed; None where none is."""


class Unseen(Found, frozen=True, kw_only=True):
    """What the indexed logs of an account have of each kind of event, and since when."""

    status: Literal["answered", "not_covered", "not_applicable", "failed"] = "not_applicable"
    """`not_covered`: nothing of the account is indexed."""
    account_id: str | None = None
    """The account; None: all of them together."""
    kinds: tuple[KindLogged, ...] = ()
    """By Region, what is there; kinds that are nowhere once."""
    lines: tuple[str, ...] = ()
    """All of it in sentences."""
