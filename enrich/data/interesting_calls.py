"""What "which interesting calls were made" holds (contract 4): calls grouped by API and error."""

from __future__ import annotations

from typing import Literal

import msgspec

from enrich.data.found import Day, Earlier, Found, InWindow, Moment


class Detail(Found, frozen=True, kw_only=True):
    """What the parameters of some calls say (§6.5)."""

    words: str
    """A phrase of ours: "with start-up code"."""
    calls: int = 0
    """How many calls it holds for."""
    failed: int = 0
    """How many of these failed."""

    @property
    def told(self) -> str:
        """ "with start-up code: 2"."""
        return f"{self.words}: {self.calls:,}"

    @property
    def succeeded(self) -> Detail | None:
        """The same of the calls that succeeded, None when there are none."""
        done = self.calls - self.failed
        return Detail(words=self.words, calls=done) if done else None


class TargetCount(Found, frozen=True, kw_only=True):
    """One thing that calls acted on, by their parameters, responses or `resources`."""

    kind: str
    """What it is: "bucket", "secret", "account"."""
    name: str
    """Its name or ARN as logged."""
    shared: bool = False
    """Whether something was shared with it."""
    count: int = 0
    """In how many of the records that were read it is named."""


class UsualCalls(Found, frozen=True, kw_only=True):
    """How often the principal (a role as a whole) made a call before the alert's day."""

    events: int = 0
    """How often in all."""
    days: int = 0
    """On how many days."""
    most: int = 0
    """How often on the busiest of them."""
    most_on: Day = ""
    """That day."""


class CallsOnDay(Found, frozen=True, kw_only=True):
    """One call on one day that it was made on."""

    day: Day
    """The UTC day."""
    succeeded: int = 0
    """How many succeeded."""
    failed: int = 0
    """How many failed."""
    succeeded_ids: tuple[str, ...] = ()
    """The newest that succeeded, newest first."""


class CallGroup(Found, frozen=True, kw_only=True):
    """The calls of one API that ended alike."""

    event_source: str | None = None
    """`eventSource` as logged."""
    event_name: str = ""
    """`eventName` as logged, with its version date where it has one."""
    error_code: str | None = None
    """`errorCode` as logged; None of those that succeeded, and of failed sign-ins."""
    count: int = 0
    """Calls in the window; what counts as one is said in `trail.calls`."""
    first: Moment | None = None
    """`eventTime` of the first."""
    last: Moment | None = None
    """`eventTime` of the last."""
    reasons: tuple[str, ...] = ()
    """Why the row stands here, in words of ours, the weightiest first."""
    techniques: tuple[str, ...] = ()
    """ATT&CK techniques that the call may serve."""
    failed: int = 0
    """How many of the calls failed."""
    failure: str | None = None
    """What kind of failure that was (§6.4): an `ErrorClass` of `enrich.facts.error_classes`."""
    by_service: int = 0
    """How many an AWS service made on the identity's behalf, by `invokedBy`."""
    service: str = ""
    """The service's name as people say it."""
    signal: str | None = None
    """Why such a call matters at all (§6.3): a tactic of ATT&CK's, or "sensitive read"."""
    why: str | None = None
    """The same as a sentence."""
    routine: bool = False
    """Whether services and agents make it all day (§6.2), and did so here."""
    never_before: bool | None = None
    """Whether the principal (a role as a whole) did not make it before the alert's day; None where
    nothing of that time is indexed."""
    details: tuple[str, ...] = ()
    """`detail_counts` in words."""
    targets: tuple[TargetCount, ...] = ()
    """Some of what the calls acted on: whom something was shared with, then the most frequent."""
    targets_total: int = 0
    """How many different things the records that were read name."""
    targets_of: int = 0
    """How many records were read for that: the newest, where there are many."""
    event_ids: tuple[str, ...] = ()
    """The newest few events, newest first."""
    detail_counts: tuple[Detail, ...] = ()
    """What the parameters say, where that is looked for."""
    before: UsualCalls | None = None
    """How often it was made before the alert's day."""
    succeeded_ids: tuple[str, ...] = ()
    """The newest few that succeeded."""
    failed_ids: tuple[str, ...] = ()
    """The newest few that failed."""
    days: tuple[CallsOnDay, ...] = ()
    """The days that it was made on, in their order."""

    @property
    def succeeded_details(self) -> list[Detail]:
        """What the parameters of the successful calls say."""
        details = (one.succeeded for one in self.detail_counts)
        return [detail for detail in details if detail is not None]


class ContentFound(Found, frozen=True, kw_only=True):
    """What the content of successful calls of one API says (`alerts.content`)."""

    kind: str = ""
    """The kind of sign, one of `alerts.content.KINDS`."""
    speaks: Literal["for", "against"] = "for"
    """For a true positive, or against it."""
    grave: bool = False
    """Whether it is worth an alert by itself."""
    sentences: tuple[str, ...] = ()
    """What was done, to what, for whom: a sentence of each call, the grave and the newest first;
    of more than three that differ, only the first."""
    techniques: tuple[str, ...] = ()
    """ATT&CK techniques."""
    accounts: tuple[str, ...] = ()
    """Accounts other than the record's own that were let in or given something."""
    event_source: str | None = None
    """`eventSource` of the calls."""
    event_name: str = ""
    """`eventName` of the calls, as logged."""
    count: int = 0
    """How many calls say so."""
    first: Moment | None = None
    """`eventTime` of the first."""
    last: Moment | None = None
    """`eventTime` of the last."""
    about: tuple[str, ...] = ()
    """Some of the things that the calls acted on, the newest first."""
    about_total: int = 0
    """How many different things that were."""
    event_ids: tuple[str, ...] = ()
    """The newest few events, newest first."""


class OutsideAccount(Found, frozen=True, kw_only=True):
    """An account that was let in or given something, and whether it is known here."""

    account: str = ""
    """Its id."""
    logged: bool = False
    """Whether events recorded in that account are indexed before the alert's day."""
    events: int = 0
    """Calls that its identities made before the alert's day, in what was looked through."""
    logs_from: Day | None = None
    """The first day that was looked through."""


class BulkRead(Found, frozen=True, kw_only=True):
    """Objects that were read from one bucket."""

    bucket: str = ""
    """The bucket, as the requests name it."""
    count: int = 0
    """How many reads succeeded."""
    size: int | None = msgspec.field(default=None, name="bytes")
    """Bytes that they sent (`bytesTransferredOut`); None where no record says."""
    first: Moment | None = None
    """`eventTime` of the first."""
    last: Moment | None = None
    """`eventTime` of the last."""
    event_ids: tuple[str, ...] = ()
    """The newest few events, newest first."""


class Click(Found, frozen=True, kw_only=True):
    """The console's calls of one second."""

    time: Moment | None = None
    """That second."""
    count: int = 0
    """How many calls."""
    failed: int = 0
    """How many of them failed."""
    event_names: tuple[str, ...] = ()
    """Some of their names, in the alphabet's order."""


class Clicks(Found, frozen=True, kw_only=True):
    """The console's calls, reads and all: one click of a person is many."""

    calls: int = 0
    """How many there were."""
    clicks: int = 0
    """In how many seconds."""
    newest: tuple[Click, ...] = ()
    """The newest seconds."""


class InterestingCalls(InWindow, frozen=True, kw_only=True):
    """The calls that were more than looking around."""

    total: int | None = None
    """Calls by the original rule (§6.1); None where no logs of the window are indexed."""
    failed: int | None = None
    """How many of them failed."""
    calls: tuple[CallGroup, ...] = ()
    """Their groups, the gravest first."""
    sensitive_reads: tuple[CallGroup, ...] = ()
    """Successful reads that the rule leaves out and that matter; they are in no total."""
    scope: Literal["entity", "whole_role"] | None = None
    """Whose calls: the entity's (§9), or those of its role as a whole."""
    denied: int | None = None
    """How many of the calls were denied."""
    failures: dict[str, int] = {}
    """Kind of failure → calls, the most frequent first."""
    high_signal: int | None = None
    """How many of the calls have a `signal`."""
    by_service: int | None = None
    """How many of them an AWS service made on the identity's behalf."""
    console: Clicks | None = None
    """What was done in the console; None where nothing was."""
    alert_day: Day | None = None
    """The UTC day on which the alert's window opens."""
    content: tuple[ContentFound, ...] = ()
    """What the content of the calls that succeeded says, the gravest first."""
    content_unread: int = 0
    """Successful calls whose content was not read, since there are too many of their name."""
    outside_accounts: tuple[OutsideAccount, ...] = ()
    """The accounts that the content names, and whether they are known."""
    bulk_reads: tuple[BulkRead, ...] = ()
    """Buckets of which many objects were read, the most first."""
    before: Earlier | None = None
    """How much is indexed of the time before the alert's day; None where there are no calls."""
