"""What "who assumed the role" holds (contract 4): the chain back, and what came out of it."""

from __future__ import annotations

import msgspec

from enrich.data.found import Found, Moment


class WhoActs(Found, frozen=True, kw_only=True):
    """Who acts with a credential: an `Actor` of `enrich.facts.actor`."""

    kind: str = "not_known"
    """An `ActorKind`: a human, automation, an AWS service, an AI agent."""
    field: str | None = None
    """The record's field that says so; None where none does."""
    why: str | None = None
    """What the field says, in words of ours."""
    asserted: bool = False
    """Whether AWS wrote it; else it is what the caller chose to be called."""
    words: str = ""
    """All of it as a phrase."""


class Caller(Found, frozen=True, kw_only=True):
    """Who made the call of a hop: `userIdentity` of its record."""

    type: str | None = None
    """`type` as logged."""
    arn: str | None = None
    """`arn` as logged, or found in other events of the same id."""
    principal_id: str | None = None
    """`principalId` as logged."""
    access_key_id: str | None = None
    """`accessKeyId` that signed the call."""
    user_name: str | None = None
    """`userName` as logged."""
    account_id: str | None = None
    """`accountId` as logged."""
    session_name: str | None = None
    """The session's name, of one that is a role's."""
    invoked_by: str | None = None
    """`invokedBy` as logged: an AWS service."""
    field: str | None = None
    """The record's field that names the caller."""
    actor: WhoActs | None = None
    """Who acts with the caller's credential."""


class PossibleCaller(Found, frozen=True, kw_only=True):
    """One of several callers of the calls that fit a hop."""

    type: str | None = None
    """`type` as logged."""
    arn: str | None = None
    """`arn` as logged."""
    principal_id: str | None = None
    """`principalId` as logged."""
    user_name: str | None = None
    """`userName` as logged."""
    invoked_by: str | None = None
    """`invokedBy` as logged."""
    count: int = 0
    """How many of the calls are this caller's."""
    last: Moment | None = None
    """`eventTime` of one of them."""
    event_id: str | None = None
    """That event."""


class ChainHop(Found, frozen=True, kw_only=True):
    """How one session of the chain came to be: the record, by whom, and how surely."""

    event_id: str | None = None
    """The record that made the session; None where none is indexed."""
    event_time: Moment | None = None
    """Its `eventTime`."""
    event_name: str | None = None
    """Its `eventName`."""
    method: str | None = None
    """How it was matched: a `Method` of `enrich.chain.hop`."""
    rule: str | None = None
    """By which rule of §3: "R1"."""
    confidence: str | None = None
    """How surely: "certain", "high", "medium" or "low" (docs/claims.md)."""
    time_distance_s: int | None = None
    """Seconds: by creation date, mint minus creation date; else from the mint to the use."""
    candidates: tuple[str, ...] = ()
    """Every event that fits as well as the record does, itself among them."""
    interface: str | None = None
    """What the session was asked through (§4.1)."""
    interface_detail: str | None = None
    """What more is known of that, in words."""
    role_arn: str | None = None
    """The role that the session is of."""
    session_name: str | None = None
    """The session's name."""
    minted_access_key_id: str | None = None
    """The key that was handed out."""
    source_ip_address: str | None = None
    """`sourceIPAddress` of whoever asked."""
    user_agent: str | None = None
    """`userAgent` of whoever asked."""
    address_event_id: str | None = None
    """The event that these two are from: a person's own sign-in, where it is not the record."""
    by: Caller = Caller()
    """Who made the call."""
    callers: tuple[PossibleCaller, ...] = ()
    """Every caller of the calls that fit, where there are several."""
    also: tuple[str, ...] = ()
    """Further events that support the hop: other copies, the console's own record."""
    account_id: str | None = None
    """`recipientAccountId` of the record."""
    aws_region: str | None = None
    """`awsRegion` of the record."""
    matched: str | None = None
    """`method` in words."""
    acting: bool = True
    """Whether it is on the way to who acted; else it only tells how an old key was made."""


class Origin(Found, frozen=True, kw_only=True):
    """The human or workload at the far end, as far as the records tell."""

    type: str | None = None
    """What it is, in `userIdentity`'s own words, or "SourceIdentity"."""
    arn: str | None = None
    """Its ARN."""
    label: str | None = None
    """Who it is, for people: its name as recorded, or words about it ("EC2 instance i-…")."""
    name: str | None = None
    """The name alone under which the logs know it, where they do: an instance's id, a token's
    subject."""
    field: str | None = None
    """The record's field that the name was read from."""
    detail: str | None = None
    """The same in words for a sentence."""
    confidence: str | None = None
    """That of the weakest hop on the way."""

    @property
    def known_as(self) -> str | None:
        """What to look it up by: a workload by its sessions' name, others by ARN where they have
        one.
        """
        return self.name or self.arn if self.type == "AWSService" else self.arn or self.name


class SessionInTree(Found, frozen=True, kw_only=True):
    """A session of the tree, and where it came from."""

    id: int | None = None
    """Its number in the tree; the root is 0."""
    parent: int | None = None
    """The number of the session that made it."""
    depth: int | None = None
    """How many sessions lie between it and the root, and one."""
    access_key_id: str | None = None
    """The key that it has."""
    principal_id: str | None = None
    """`principalId` that it shows."""
    role_arn: str | None = None
    """The role that it is of."""
    session_name: str | None = None
    """Its name."""
    user_name: str | None = None
    """Whose long-term key it is, where it is one."""
    created: Moment | None = None
    """When it was made."""
    event_id: str | None = None
    """The event that made it."""
    event_time: Moment | None = None
    """`eventTime` of that."""
    event_name: str | None = None
    """`eventName` of that."""
    narrowed: bool = False
    """Whether it is its parent's session again, narrowed (`GetScopedCredentials`)."""
    interface: str | None = None
    """What it was asked through (§4.1)."""
    source_ip_address: str | None = None
    """`sourceIPAddress` of whoever asked for it."""
    first: Moment | None = None
    """`eventTime` of its first call."""
    last: Moment | None = None
    """`eventTime` of the last."""
    source_ip_addresses: tuple[str, ...] = ()
    """Addresses that it called from, each once."""
    sessions: tuple[ForwardSession, ...] = ()
    """The sessions that it made."""


class ForwardSession(SessionInTree, frozen=True, kw_only=True):
    """A session that came out of another one, and what it did."""

    events: int = 0
    """Calls that it made."""
    failed: int = 0
    """How many of them failed."""


class ForwardTree(SessionInTree, frozen=True, kw_only=True):
    """What the alert's session went on to assume: itself, the root, and the sessions below it.

    Of the root nothing is said that the chain says: whose key it has, and what made it.
    """

    events: int | None = None
    """Calls of the root; None where nothing was looked at."""
    failed: int | None = None
    """How many of them failed."""
    window_first: Moment | None = msgspec.field(default=None, name="from")
    """Where the time that was looked at begins."""
    window_last: Moment | None = msgspec.field(default=None, name="to")
    """Where it ends."""
    total: int | None = None
    """Sessions below the root; None where nothing was looked at."""
    renewals: int | None = None
    """How many of them renew a role that they came from."""
    cut: bool = False
    """Whether there are more than are told."""
    unchecked_keys: int = 0
    """Keys of calls that count as the session's own without having been looked up."""
    limit: int = 60
    """At most so many sessions are told."""


class Juggling(Found, frozen=True, kw_only=True):
    """Roles that come up again on the chain: access that renews itself (§3.2)."""

    role_arns: tuple[str, ...] = ()
    """These roles."""
    renewals: int = 0
    """How often one was assumed again."""
    first_mint: Moment | None = None
    """`eventTime` of the first call that made one of their sessions."""
    cycle: bool = False
    """Whether the records go round in a cycle, which a true chain cannot."""


class LeftInstance(Found, frozen=True, kw_only=True):
    """An instance's credentials in use from another place (§3.2)."""

    instance: str = ""
    """The instance's id."""
    source_ip_address: str = ""
    """Where they were used."""
    event_ids: tuple[str, ...] = ()
    """Uses from there."""
    earlier_addresses: tuple[str, ...] = ()
    """Where sessions of the same instance had been used before."""
    earlier_event_ids: tuple[str, ...] = ()
    """Uses from there."""
    system: str | None = None
    """The operating system that the client names, where that alone gives it away."""
    sentence: str = ""
    """All of it in words."""


class WouldBeIn(Found, frozen=True, kw_only=True):
    """Which logs would hold the event that is missing (R5)."""

    account_id: str | None = None
    """The account's; None where it is not known."""
    regions: str = "any"
    """Of which Regions."""
    window_first: Moment | None = msgspec.field(default=None, name="from")
    """From when."""
    window_last: Moment | None = msgspec.field(default=None, name="to")
    """To when."""
    coverage: str | None = None
    """How much of them is indexed: "covered", "partial", "not_covered"."""
    looked_at: tuple[str, ...] = ()
    """The Regions of which some are."""
    missing: tuple[str, ...] = ()
    """What is missing, in words."""


class AssumedBy(Found, frozen=True, kw_only=True):
    """Who is behind the alert's session."""

    chain: tuple[ChainHop, ...] = ()
    """The hops, nearest first."""
    origin: Origin = Origin()
    """Who stands at the far end."""
    forward: ForwardTree = ForwardTree()
    """What the session went on to assume."""
    juggling: Juggling | None = None
    """Set when roles renew themselves."""
    left_instance: LeftInstance | None = None
    """Set when an instance's credentials seem to be used elsewhere."""
    would_be_in: WouldBeIn | None = None
    """Set when an event is missing that would explain more."""
    derived_account: str | None = None
    """The account that an id was made in, by calculation from the id alone."""
    actor: WhoActs | None = None
    """Who acts in the alert's session."""

    @property
    def acting(self) -> tuple[ChainHop, ...]:
        """The hops up to who acted. The others only tell how an old key was made."""
        return tuple(hop for hop in self.chain if hop.acting)
