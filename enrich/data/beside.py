"""What stands beside the five answers of an identity."""

from __future__ import annotations

from dataclasses import dataclass, field

from enrich.data.after import AfterAlert, Course
from enrich.data.ledger import Ledger
from enrich.data.unseen import Unseen
from trail.store import Query


@dataclass(frozen=True)
class Beside:
    """No answers to questions of the contract, and no weight rests on them."""

    ledger: Ledger = Ledger()
    """What it made or changed, and what became of that."""
    after: AfterAlert = AfterAlert()
    """The interesting calls after the alert."""
    course: Course = Course()
    """The order of what it did, where that is a break-in's."""
    unseen: Unseen = Unseen()
    """Which kinds of events the logs of its account have, and since when."""
    queries: dict[str, tuple[Query, ...]] = field(default_factory=dict)
    """By the names of the above, how it was looked up."""
