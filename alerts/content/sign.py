"""One thing that a call's content says, beyond the call's name."""

from __future__ import annotations

from typing import Literal

import msgspec


class ContentSign(msgspec.Struct, frozen=True):
    """What a call did, to what and for whom, as read from its parameters and response."""

    kind: str
    """A stable id, one of `KINDS`."""
    speaks: Literal["for", "against"]
    """For a true positive, or against it."""
    grave: bool
    """Whether it is worth an alert by itself."""
    sentence: str
    """What was done, to what, for whom. Log text in it is cut short and on one line."""
    techniques: tuple[str, ...] = ()
    """ATT&CK techniques."""
    accounts: tuple[str, ...] = ()
    """Accounts other than the record's own that were let in or given something. Whether they are
    the team's, known or new, only the index can say."""
    about: str = ""
    """The one thing acted on ("secret prod/db"), for lists of many such calls."""
