"""Everything that happened: records waiting for delivery, and what the watched did.

Stories name the identities they are about. For those the ledger keeps each deed as it is
emitted, so that the truth file is what the generator knows and not what somebody computed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from demo.records import Record


class Deed(NamedTuple):
    """One call by a watched identity."""

    at: int
    who: str
    """The unique id of the user, or of the role behind the session."""
    session_name: str | None
    event_id: str
    event_source: str
    event_name: str
    error_code: str | None
    failed: bool
    ip: str
    agent: str
    role_wanted: str | None
    """The role that the call assumed or tried to, when it is an AssumeRole."""


class Parcel(NamedTuple):
    """One encoded record on its way to a log file."""

    at: int
    number: int
    body: bytes


class Ledger:
    """Takes records in any order; gives them back by account and region, a day at a time."""

    def __init__(self) -> None:
        self.emitted = 0
        self.deeds: list[Deed] = []
        self._watched: set[str] = set()
        self._waiting: dict[tuple[str, str], list[Parcel]] = defaultdict(list)
        self._taken_before = 0
        self._encode = msgspec.json.Encoder().encode

    def watch(self, ids: Iterable[str]) -> None:
        """From now on remember what the users and roles of these unique ids do."""
        self._watched.update(ids)

    def emit(self, at: int, record: Record, *, role_wanted: str | None = None) -> str:
        """Write one record down; gives its event id."""
        assert at >= self._taken_before, "this part of the logs is delivered already"
        place = (record["recipientAccountId"], record["awsRegion"])
        self._waiting[place].append(Parcel(at, self.emitted, self._encode(record)))
        self.emitted += 1
        identity = record["userIdentity"]
        who, _, session_name = identity.get("principalId", "").partition(":")
        if who in self._watched and identity["type"] in ("AssumedRole", "IAMUser"):
            self.deeds.append(
                Deed(
                    at,
                    who,
                    session_name or None,
                    record["eventID"],
                    record["eventSource"],
                    record["eventName"],
                    record.get("errorCode"),
                    "errorCode" in record or "errorMessage" in record,
                    record["sourceIPAddress"],
                    record["userAgent"],
                    role_wanted,
                )
            )
        return str(record["eventID"])

    def take_before(self, end: int) -> dict[tuple[str, str], list[Parcel]]:
        """Everything older than `end`, by (account, region), in the order it happened."""
        self._taken_before = end
        taken: dict[tuple[str, str], list[Parcel]] = {}
        for place in sorted(self._waiting):
            parcels = self._waiting[place]
            due = sorted(parcel for parcel in parcels if parcel.at < end)
            if due:
                taken[place] = due
                self._waiting[place] = [parcel for parcel in parcels if parcel.at >= end]
        return taken
