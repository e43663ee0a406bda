"""The case store's errors, all `BacktrailError`s: what happened, and what to do next.

CaseStoreUnusable     the database cannot be opened, or was written by a newer Backtrail
SettingRefused        a setting of the sign-in cannot be read
NotAllowed            the user's role does not permit this, or the user is unknown
SignedOut             the sign-in was ended, ran out, or never was
NotFound              no such case, alert, user or evidence
CaseRefused           the case is in no state for this (sealed, closed, without a verdict, …)
CaseConflict          someone saved the case first; carries both versions of every field
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trail.errors import BacktrailError


class CaseStoreUnusable(BacktrailError):
    """The database cannot be used as it is."""


class NotAllowed(BacktrailError):
    """The acting user may not do this."""


class SignedOut(NotAllowed):
    """There is no sign-in that holds: the person has to sign in, again or at all."""


class SettingRefused(BacktrailError):
    """A setting does not say what it has to."""


class NotFound(BacktrailError):
    """What was asked for is not in the database."""


class CaseRefused(BacktrailError):
    """The case's state, or what was given, does not permit this change."""


@dataclass(frozen=True)
class FieldDifference:
    """One field as it was when the second person opened the case, as it is now, and as they
    wanted it. `overlaps` when both changed it; otherwise `yours` can simply be saved again."""

    field: str
    was: Any
    theirs: Any
    yours: Any
    overlaps: bool


class CaseConflict(BacktrailError):
    """Someone else saved first. Nothing was overwritten, and the refused words are in the audit
    trail as well as here."""

    def __init__(
        self,
        case_id: int,
        your_version: int,
        current_version: int,
        saved_by: tuple[str, ...],
        differences: tuple[FieldDifference, ...],
    ) -> None:
        self.case_id = case_id
        self.your_version = your_version
        self.current_version = current_version
        self.saved_by = saved_by
        self.differences = differences
        fields = ", ".join(d.field for d in differences) or "no field that you changed"
        super().__init__(
            f"Case {case_id} was saved by {', '.join(saved_by) or 'someone else'} while you had it"
            f" open (differs in: {fields}). Compare both texts, then save again."
        )
