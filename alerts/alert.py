"""What an alert is, whatever it came as (contract 2 of the design)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Principal:
    """An identity that an alert names. Every field may be missing except by `type` "Unknown"."""

    type: str
    """`IAMUser`, `AssumedRole`, `Root`, `FederatedUser`, … as CloudTrail's `userIdentity.type`."""
    arn: str | None = None
    principal_id: str | None = None
    access_key_id: str | None = None
    role_arn: str | None = None
    """The session issuer's ARN, with its path; built without a path where the alert has no ARN."""
    session_name: str | None = None
    session_created: datetime | None = None
    user_name: str | None = None
    account_id: str | None = None
    source_identity: str | None = None
    sign_in_session_arn: str | None = None


@dataclass(frozen=True)
class TimeQuestion:
    """What pasted times leave open: their zone, or which of two numbers is the month.

    Until the analyst has answered (`alerts.correct` with `time_zone` or `date_order`), the
    alert's times rest on `assumed`.
    """

    text: str
    """The question, in a sentence that quotes a time."""
    times: tuple[str, ...]
    """The times as they were written, the first and the last of each kind; in UTC where certain."""
    assumed: str
    """What stands for an answer until there is one: "UTC", "month first, UTC"."""
    zones: tuple[str, ...]
    """Names of the zones to choose from, the assumed one first; none where the zone is certain."""
    orders: tuple[str, ...]
    """Which part of a date comes first, the assumed one first; none where the date is certain."""
    earliest: datetime
    latest: datetime
    """All that the times can mean lies between these."""


@dataclass(frozen=True)
class Alert:
    """One alert, with the window and the call it is about. Times are aware UTC.

    `first_seen` and `last_seen` are equal for a single event. `origins` says, for each field,
    the JSON path it was taken from (`{"source_ip_address": "Service.Action…ipAddressV4"}`).
    """

    id: str
    source: str
    """`cloudtrail`, `guardduty`, `securityhub`, `eventbridge`, `text`, `sigma`, …"""
    title: str
    severity: float | None
    """GuardDuty's scale, 1 to 10; null where the source has none (a bare CloudTrail event)."""
    first_seen: datetime | None
    last_seen: datetime | None
    account_id: str | None
    region: str | None
    source_ip_address: str | None
    user_agent: str | None
    event_source: str | None
    event_name: str | None
    principals: tuple[Principal, ...]
    raw: str
    error_code: str | None = None
    event_id: str | None = None
    """The CloudTrail event behind the alert, when the alert is one."""
    event_ids: tuple[str, ...] = ()
    """Every CloudTrail event that the alert cites (detections, attack sequences)."""
    finding_type: str | None = None
    sample: bool = False
    """A generated sample finding: its placeholders are never looked up."""
    shape: str = ""
    """What was recognised, in words: "GuardDuty finding, EventBridge form"."""
    notes: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    time_is_fallback: bool = False
    """The alert does not say when the activity was: its times are when it was written or sent."""
    time_question: TimeQuestion | None = None
    unread_times: tuple[str, ...] = ()
    """What the alert states as its time, as far as it cannot be read: nothing else is that time."""

    @property
    def time_is_sure(self) -> bool:
        """Whether the alert says when the activity was, in times that can be read in one way."""
        return (
            self.first_seen is not None
            and not self.time_is_fallback
            and self.time_question is None
            and not self.unread_times
        )

    @property
    def used_between(self) -> tuple[datetime | None, datetime | None]:
        """The earliest and latest that the activity can have been; None where nothing bounds it.

        A fall-back bounds it above only (§3.4 rule 2); an open question by its widest readings.
        """
        if self.time_question is not None:
            earliest, latest = self.time_question.earliest, self.time_question.latest
            return (None if self.time_is_fallback else earliest), latest
        return (None if self.time_is_fallback else self.first_seen), self.last_seen
