"""What "is this normal for the identity" holds (contract 4): the alert beside its history."""

from __future__ import annotations

from typing import Literal

import msgspec

from enrich.data.found import Found, InWindow, Moment


class Pair(Found, frozen=True, kw_only=True):
    """Calls from one address with one user agent."""

    source_ip_address: str | None = None
    """`sourceIPAddress` as logged."""
    user_agent: str | None = None
    """`userAgent` as logged."""
    count: int = 0
    """How many calls."""
    first: Moment | None = None
    """`eventTime` of the first."""
    last: Moment | None = None
    """`eventTime` of the last."""
    normal_form: str | None = None
    """The user agent without what changes with every patch (§8)."""


class SameCall(Found, frozen=True, kw_only=True):
    """Calls of the alert's own API. A count is None where the alert lacks what it goes by."""

    same_ip_and_agent: int | None = None
    """Those from the alert's address with its user agent."""
    same_ip: int | None = None
    """Those from its address."""
    same_agent: int | None = None
    """Those with its user agent."""
    pairs: tuple[Pair, ...] = ()
    """From where and with what, the most frequent first; a part of them where there are many."""
    events: int | None = None
    """How many in all."""
    same_agent_normal_form: int | None = None
    """Those whose user agent has the same normal form."""
    event_ids: dict[str, tuple[str, ...]] = {}
    """For `events` and each count that is not None, the newest few of its events."""


class AllCalls(Found, frozen=True, kw_only=True):
    """Calls of whatever API."""

    pairs: tuple[Pair, ...] = ()
    """From where and with what, the most frequent first; a part of them where there are many."""
    pairs_total: int | None = None
    """How many pairs there are."""


class SeenValue(Found, frozen=True, kw_only=True):
    """How often one thing about the alert was seen."""

    value: str | None = None
    """The alert's value."""
    count: int = 0
    """Calls that had it."""
    share: float | None = None
    """Of all calls, from 0 to 1; None where there were none."""
    first: Moment | None = None
    """The first of them."""
    last: Moment | None = None
    """The last of them."""


class BaselineView(Found, frozen=True, kw_only=True):
    """The alert beside the calls of one scope: the entity's, or the whole role's."""

    events: int | None = None
    """Calls in the window."""
    active_days: int | None = None
    """UTC days with any."""
    same_api: SameCall = SameCall()
    """Those of the alert's API."""
    all_apis: AllCalls = AllCalls()
    """Those of any."""
    new: tuple[str, ...] = ()
    """The columns in which the alert's value was never seen."""
    sufficient: bool | None = None
    """Whether there is enough to say that something is new (§9)."""
    seen: dict[str, SeenValue] = {}
    """Column that the alert states → how often its value was seen."""


class ClientFacts(Found, frozen=True, kw_only=True):
    """How far the alert's user agent is known."""

    value: str = ""
    """`userAgent` as logged."""
    tool: str | None = None
    """The program that it names."""
    kind: str | None = None
    """What kind of program that is (`enrich.facts.user_agent`)."""
    normal_form: str = ""
    """The user agent without what changes with every patch (§8)."""
    seen: bool = False
    """Whether exactly it was seen."""
    normal_form_seen: bool = False
    """Whether one of that normal form was."""
    tool_seen: bool = False
    """Whether one of that program was."""
    known_forms: tuple[str, ...] = ()
    """Normal forms that were seen."""


class Reported(Found, frozen=True, kw_only=True):
    """Where GuardDuty says that the finding's remote address is (§7)."""

    ip_address: str | None = None
    """The address."""
    country: str | None = None
    """Its country's name."""
    city: str | None = None
    """Its city's name."""
    asn: str | None = None
    """The number of its autonomous system."""
    organization: str | None = None
    """Whose that is."""


class NetworkFacts(Found, frozen=True, kw_only=True):
    """How often the alert's /24 or /64 was seen, whatever the address in it."""

    network: str = ""
    """The network."""
    count: int = 0
    """Calls from it."""
    addresses: int = 0
    """Different addresses in it that they came from."""
    what: str | None = msgspec.field(default=None, name="is")
    """What kind of address the alert's is, as a sentence of ours (§7)."""
    reported: Reported | None = None
    """What the finding itself says of it."""


class HourCount(Found, frozen=True, kw_only=True):
    """Calls in one hour of the day."""

    hour: int
    """0 to 23, UTC."""
    count: int = 0
    """The entity's."""
    whole_role: int = 0
    """The whole role's."""


class RegionCount(Found, frozen=True, kw_only=True):
    """Calls in one Region."""

    aws_region: str | None = None
    """`awsRegion` as logged."""
    count: int = 0
    """The entity's."""
    whole_role: int = 0
    """The whole role's."""


class ErrorCount(Found, frozen=True, kw_only=True):
    """Failed calls with one error code."""

    error_code: str | None = None
    """`errorCode` as logged."""
    kind: str | None = msgspec.field(default=None, name="class")
    """What kind of failure that is (§6.4): an `ErrorClass` of `enrich.facts.error_classes`."""
    count: int = 0
    """How many, of the whole role."""


class LastSeen(Found, frozen=True, kw_only=True):
    """When what is new was last seen before the window: a monthly job is rare, not new."""

    window_first: Moment | None = msgspec.field(default=None, name="from")
    """How far back was looked, from the window's beginning."""
    events: int = 0
    """Calls indexed in that time."""
    last: dict[str, Moment | None] = {}
    """Column that the alert states → the last call that had its value."""


class BeforeDwell(Found, frozen=True, kw_only=True):
    """The comparison with a shorter time, up to the first sign of this session or address."""

    until: Moment | None = msgspec.field(default=None, name="to")
    """That first sign."""
    reason: str = ""
    """What it was, in words of ours."""
    events: int | None = None
    """Calls before it."""
    active_days: int | None = None
    """UTC days with any."""
    sufficient: bool | None = None
    """Whether there is enough to say that something is new (§9)."""
    new: tuple[str, ...] = ()
    """The columns in which the alert's value was not seen before it."""


class Oddity(Found, frozen=True, kw_only=True):
    """What is odd about the alert without being a new value of a column."""

    what: str
    """"outcome", "hour_of_day", "network" or "error_code"."""
    value: str | int
    """What it is: the hour (UTC), the network, the code."""


class OwnEvent(Found, frozen=True, kw_only=True):
    """An event that the alert itself is about."""

    event_id: str
    """`eventID`."""
    event_time: Moment = ""
    """`eventTime`."""


class Baseline(InWindow, frozen=True, kw_only=True):
    """The comparison. The window's last instant is not part of it.

    The entity's view stands among the keys themselves, as the contract has it: `of_entity`.
    """

    scope: Literal["entity", "whole_role"] = "entity"
    """Which view the sentence rests on."""
    events: int | None = None
    """Of the entity: see `BaselineView`."""
    active_days: int | None = None
    """Of the entity: see `BaselineView`."""
    same_api: SameCall = SameCall()
    """Of the entity: see `BaselineView`."""
    all_apis: AllCalls = AllCalls()
    """Of the entity: see `BaselineView`."""
    new: tuple[str, ...] = ()
    """Of the entity: see `BaselineView`."""
    sufficient: bool | None = None
    """Of the entity: see `BaselineView`."""
    seen: dict[str, SeenValue] = {}
    """Of the entity: see `BaselineView`."""
    whole_role: BaselineView = BaselineView()
    """The whole role's view; empty where the principal is no role."""
    user_agent: ClientFacts | None = None
    """The alert's client; None where it states none."""
    network: NetworkFacts | None = None
    """The alert's network; None where it states no address."""
    hours: tuple[HourCount, ...] = ()
    """Calls per hour of the day."""
    regions: tuple[RegionCount, ...] = ()
    """Calls per Region, the most frequent first."""
    errors: tuple[ErrorCount, ...] = ()
    """Failed calls per error code, the most frequent first."""
    peers: dict[str, int] | None = None
    """Of a role: how many `sessions` (names) it had, and for each column that the alert states how
    many of them had its value."""
    earlier: LastSeen | None = None
    """What was seen before the window, where something is new in it."""
    before_dwell: BeforeDwell | None = None
    """Set when the session or its address is older than the 12 hours that are left out."""
    unusual: tuple[Oddity, ...] = ()
    """What else is odd about the alert."""
    own_events: tuple[OwnEvent, ...] = ()
    """The alert's own events, the earliest first."""
    pairs_cut: bool | None = None
    """Whether there are more pairs of address and user agent than are compared."""

    @property
    def of_entity(self) -> BaselineView:
        """The entity's view."""
        return BaselineView(
            events=self.events,
            active_days=self.active_days,
            same_api=self.same_api,
            all_apis=self.all_apis,
            new=self.new,
            sufficient=self.sufficient,
            seen=self.seen,
        )

    @property
    def telling(self) -> BaselineView:
        """The view that the sentence rests on."""
        return self.whole_role if self.scope == "whole_role" else self.of_entity
