"""What was made and what became of it: the ledger beside an alert's answers."""

from __future__ import annotations

from typing import Literal

from enrich.data.found import Found, InWindow, Moment


class Undoing(Found, frozen=True, kw_only=True):
    """The call after which a thing is not there any more, or works no more."""

    word: str = "deleted"
    """What it did, in a word of ours: "deleted", "detached", "switched off"."""
    time: Moment | None = None
    """Its `eventTime`."""
    event_id: str | None = None
    """The event."""
    event_name: str | None = None
    """Its `eventName`."""
    by: str | None = None
    """Who made it: `userIdentity.arn`, else the identity's id."""
    by_another: bool = False
    """Whether that is somebody else than who made the thing."""
    along_with: str | None = None
    """The kind of thing that was deleted and took this one along: "user"."""
    same_second: bool = False
    """Whether it is of the making's own second: then no record says which came first."""


class LedgerEntry(Found, frozen=True, kw_only=True):
    """One thing that was made, changed or used, and what became of it."""

    kind: str = ""
    """What it is, in words of ours: "access key"."""
    name: str = ""
    """What tells it from others of its kind, as logged."""
    account_id: str | None = None
    """`recipientAccountId` of its making."""
    aws_region: str | None = None
    """`awsRegion` of its making."""
    word: str = "made"
    """What was done to it, in a word of ours."""
    made: Moment | None = None
    """When the identity did that last; None of what it only used."""
    first_made: Moment | None = None
    """When it did that first, in the time looked at; the same where it did it once."""
    made_by: str | None = None
    """By which of its sessions."""
    event_ids: tuple[str, ...] = ()
    """The calls that did it, newest first; all of them."""
    undone: Undoing | None = None
    """The first call that undid it after it was last made; None where no event says so."""
    again: Moment | None = None
    """When somebody else made or wrote it again after that; None where nobody did."""
    again_event_id: str | None = None
    """That event."""
    again_by: str | None = None
    """Who that was."""
    looked_until: Moment | None = None
    """The last event of its account and Region: nothing is known of the time after."""

    @property
    def is_gone(self) -> bool:
        """Whether it was undone, and not made again in the logs."""
        return self.undone is not None and not self.undone.same_second


class Ledger(InWindow, frozen=True, kw_only=True):
    """What an identity and its sessions made or changed, and what of it was undone by whom."""

    status: Literal["answered", "nothing", "not_covered", "not_applicable", "failed"] = (
        "not_applicable"
    )
    """As of an answer: "nothing" is that they made nothing in that time."""
    sentence: str = ""
    """All of it in a sentence."""
    entries: tuple[LedgerEntry, ...] = ()
    """What they made or changed: what is not undone first, then the newest."""
    used: tuple[LedgerEntry, ...] = ()
    """Roles, keys and the user that they acted with, where these were undone."""
    not_followed: tuple[str, ...] = ()
    """Calls whose names begin with Create, by the identity itself and in those days, that made
    things of which no undoing is looked for."""
    cut: bool = False
    """Whether there is more than was read: then no thing is said to be there."""

    def gone(self, kind: str, name: str | None, account_id: str | None = None) -> Undoing | None:
        """What undid a thing that was made or used, of that account where it is given; None where
        it is not known to be gone."""
        every = (*self.entries, *self.used)
        alike = [one for one in every if (one.kind, one.name) == (kind, name)]
        if account_id is not None:
            alike = [one for one in alike if one.account_id == account_id]
        if not alike or not all(one.is_gone for one in alike):
            return None
        return alike[0].undone
