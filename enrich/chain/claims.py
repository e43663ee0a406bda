"""What a match may claim (§3.4): the one place where an answer about an assumption gets its
confidence.

A rule (R0 to R4) finds records. Whether one of them can have made the session at all is `misfit`'s
to say, and how surely it did is one of the `by_…` functions'. Nothing else makes a `Claim`, and no
hop is made without one. `certain` and `high` are never wrong about the event or the person; what
cannot be known is said in the claim's caveats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from enrich.chain.mints import CLOCK_SKEW, Mint, is_near
from enrich.chain.session import LONGEST_SESSION, Session
from enrich.facts.interface import is_console_call, is_service_call, json_object
from enrich.facts.role_name import role_named
from enrich.words import age
from trail.access_keys import is_doubtful_key, is_stand_in
from trail.masks import may_be_mask

Confidence = Literal["certain", "high", "medium", "low"]
_ORDER: tuple[Confidence, ...] = ("certain", "high", "medium", "low")

LONGEST_ROLE_SESSION = timedelta(hours=12)
KEPT_FINDINGS = timedelta(days=90)
"""How long GuardDuty keeps a finding, and adds to it (§10)."""
CONSOLE_DELAY = timedelta(seconds=60)
"""A sign-in portal turns a credential into a console login at once, or not at all."""
SIGN_IN_LINK = timedelta(minutes=15)
"""How long a link lives that signs in to the console with a credential (`GetSigninToken`): until
then a login may be with what was made at its beginning."""


@dataclass(frozen=True)
class Claim:
    """How surely one record explains a session, and what has to be said with it."""

    confidence: Confidence
    caveats: tuple[str, ...] = ()

    def at_most(self, confidence: Confidence, caveat: str | None = None) -> Claim:
        """The claim, lowered to a confidence if it was above, with one more caveat."""
        lower = max(self.confidence, confidence, key=_ORDER.index)
        return Claim(lower, (*self.caveats, caveat) if caveat else self.caveats)


GUESSED = Claim("low")
"""R3 and R4: the likeliest of what is possible, or what a name suggests."""


@dataclass(frozen=True)
class Misfit:
    """Why a record cannot have made a session."""

    why: str
    by_time: bool = False
    """It was made too long before the use, or after it."""


# Which records can have made a session -------------------------------------------------------


def misfit(mint: Mint, session: Session, *, shows_key: bool = False) -> Misfit | None:
    """Why the mint cannot have made the session; None when it can.

    `shows_key` is for R1: the key itself outweighs who may assume what, but neither time nor whom
    AWS names as the issuer. A guess (R3) need not agree with the creation date: it is known to have
    made another session of the name, and says so.
    """
    if (untimely := _untimely(mint, session)) is not None:
        return Misfit(untimely, by_time=True)
    if shows_key:
        if not _agrees_with_date(mint, session):
            created = f"{session.created:%Y-%m-%d %H:%M:%S} UTC" if session.created else ""
            return Misfit(f"was issued {age(_apart(mint, session))} from the session's own creation"
                          f" date, {created}", by_time=True)  # fmt: skip
        against = _against_its_issuer(mint, session)
        return None if against is None else Misfit(against)
    if (why := against_awss_words(mint, session)) is not None:
        return Misfit(why)
    caller = mint.row["session_created"]
    if caller is not None and mint.time < caller - CLOCK_SKEW:
        return Misfit("is older than the session that made it")
    return None


def _untimely(mint: Mint, session: Session) -> str | None:
    """Rule 2: a mint precedes its use and outlives it. The use is a window, first to last seen."""
    last = session.seen_until or session.seen
    if last is not None and mint.time - CLOCK_SKEW > last:
        return f"was issued {age(mint.time - last)} after its use"
    if session.only_before or mint.event_name == "CreateAccessKey":
        return None
    first = session.seen or session.seen_until
    if first is None:
        return None
    issued = f"was issued {age(first - mint.time)} before its use, and what it gave out"
    if _has_expired(mint, session, first):
        return f"{issued} had expired {age(first - (mint.expires or first))} before its use"
    longest = longest_life(mint, session)
    if first > mint.time + longest + CLOCK_SKEW:
        return f"{issued} lived {age(longest)} at most"
    return None


def _has_expired(mint: Mint, session: Session, used: datetime) -> bool:
    """Whether the response itself says that it had ended; the console renews what it holds."""
    if mint.expires is None or used <= mint.expires + CLOCK_SKEW:
        return False
    return (mint.key is not None and mint.key == session.access_key_id) or not (
        mint.event_name in ("SwitchRole", "RenewRole") or is_of_console(session)
    )


def longest_life(mint: Mint, session: Session | None = None) -> timedelta:
    """How long what a mint made can have lived: as asked for, else the most that the call allows.

    The console renews what it holds, so a session of the console may outlive what was asked for.
    """
    row = mint.row
    asked = row["duration_seconds"]
    stated = timedelta(seconds=min(max(asked, 0), 36 * 3600)) if asked else None
    name = mint.event_name
    if name == "AssumeRoot":
        return min(stated or timedelta(minutes=15), timedelta(minutes=15))
    if name in ("ConsoleLogin", "SwitchRole", "RenewRole") or (
        session is not None and is_of_console(session)
    ):
        return max(stated or LONGEST_ROLE_SESSION, LONGEST_ROLE_SESSION)
    if name == "AssumeRole" and _is_chained(row):
        return min(stated or timedelta(hours=1), timedelta(hours=1))
    if stated is not None:
        return stated
    return LONGEST_ROLE_SESSION if name.startswith("AssumeRole") else LONGEST_SESSION


def _is_chained(row: Mapping[str, Any]) -> bool:
    return bool(row["identity_type"] == "AssumedRole")


def _agrees_with_date(mint: Mint, session: Session) -> bool:
    """Rule 2: the creation date, where the use has one, is the mint's within two seconds.

    What `GetScopedCredentials` made may show its own date or that of the session it narrowed.
    """
    created = session.created
    if created is None or mint.event_name == "CreateAccessKey" or is_near(mint.time, created):
        return True
    if not is_narrowing(mint):
        return False
    narrowed = mint.row["session_created"]
    return is_near(created, narrowed) if narrowed is not None else created <= mint.time


def _apart(mint: Mint, session: Session) -> timedelta:
    return abs(mint.time - session.created) if session.created is not None else timedelta(0)


def is_narrowing(mint: Mint) -> bool:
    """Whether the call made the same session again, narrowed (§2.1): never a role assumed anew."""
    return mint.event_name == "GetScopedCredentials"


def against_awss_words(mint: Mint, session: Session) -> str | None:
    """Rule 6: what AWS itself says of a session wins over a match by time."""
    role_arn = _role_arn_of(mint, session)
    role = role_named(role_arn)
    by_service = mint.row["identity_type"] == "AWSService"
    if role is not None and not is_narrowing(mint):
        is_linked = is_linked_role(role_arn)
        if is_linked and not (by_service or is_service_call(mint.row)):
            return (
                "was not made by an AWS service, and nobody else can assume a service-linked role"
            )
        if (
            role.name.startswith("awsreservedsso_")
            and mint.event_name != "AssumeRoleWithSAML"
            and not by_service
        ):
            return "is no sign-in by Identity Center, the only way into a role of that name"
    return (
        _against_its_issuer(mint, session)
        or _against_its_role(mint, session)
        or _against_its_source_identity(mint, session)
        or _against_its_delivery(mint, session)
    )


def _against_its_issuer(mint: Mint, session: Session) -> str | None:
    """AWS names who issued a federated user's session."""
    issuer = issuer_of(session) if session.type == "FederatedUser" else None
    for name, known in (
        ("arn", mint.row["principal_arn"]),
        ("principalId", mint.row["principal_id"]),
        ("userName", mint.row["user_name"]),
    ):
        stated = issuer.get(name) if issuer is not None else None
        if stated and known and stated != known:
            return f"was made by another user than {stated}, whom the session's record names"
    return None


def _against_its_role(mint: Mint, session: Session) -> str | None:
    """AWS names the role that a session is of, as `sessionIssuer` (§1.2)."""
    stated, made = role_named(session.role_arn), mint.role
    if stated is None or made is None or stated == made or is_narrowing(mint):
        return None
    return f"is of {mint.role_arn}, and the session's own record names {session.role_arn}"


def _against_its_source_identity(mint: Mint, session: Session) -> str | None:
    """A source identity is set at an assumption, by the request or the caller's session, and shows
    in every record of what was made since (§1.2)."""
    if session.source_identity_open:
        return None
    asked = json_object(mint.row["request_parameters"]).get("sourceIdentity")
    given = (asked if isinstance(asked, str) else None) or mint.row["source_identity"]
    known = session.source_identity
    if given and known and given != known:
        return "was made under another source identity, which no session can change"
    has_record = session.user_identity is not None or session.event_id is not None
    if given and not known and session.is_role and session.created is not None and has_record:
        return "gave a source identity, and the session's own record shows none"
    if known and not given and mint.row["identity_type"] == "IAMUser":
        return "gave no source identity, and the session's own record shows one"
    return None


def _against_its_delivery(mint: Mint, session: Session) -> str | None:
    """The session's own record may say how its credentials were delivered (§1.2)."""
    if is_narrowing(mint) or mint.row["identity_type"] == "AWSService":
        return None
    identity = json_object(session.user_identity)
    context = identity.get("sessionContext")
    said = context if isinstance(context, Mapping) else {}
    if session.ec2_role_delivery or said.get("ec2RoleDelivery"):
        return "was not made by EC2, whose metadata service delivered these credentials"
    if identity.get("inScopeOf"):
        return "was not made by an AWS service, which issued these credentials to a workload"
    federation = said.get("webIdFederationData")
    provider = federation.get("federatedProvider") if isinstance(federation, Mapping) else None
    if provider and mint.made_by_sts and mint.event_name != "AssumeRoleWithWebIdentity":
        return "is no sign-in by the identity provider that the session's own record names"
    return None


def is_linked_role(role_arn: str) -> bool:
    """Whether a role is linked to a service, which alone can assume it."""
    role = role_named(role_arn)
    return "/aws-service-role/" in role_arn or (
        role is not None and role.name.startswith("awsservicerolefor")
    )


def _role_arn_of(mint: Mint, session: Session) -> str:
    """The role's ARN in its fullest form: those of sessions lack the path."""
    arns = [str(mint.role_arn or ""), str(session.role_arn or "")]
    return next((arn for arn in arns if ":role/aws-" in arn), arns[0] or arns[1])


def issuer_of(session: Session) -> Mapping[str, Any] | None:
    """Whom a federated user's own record names as the issuing user: AWS's word, not a match."""
    context = json_object(session.user_identity).get("sessionContext")
    issuer = context.get("sessionIssuer") if isinstance(context, Mapping) else None
    found = dict(issuer) if isinstance(issuer, Mapping) else {}
    if session.issuer_arn and not found.get("arn"):
        found["arn"] = session.issuer_arn
    return found if any(found.get(name) for name in ("arn", "userName", "principalId")) else None


def named_by_switch(mint: Mint, source_arn: str, known_arn: str | None = None) -> bool:
    """Whether the caller is the one that `SwitchRole` names (rule 6).

    The role owner's copy shows its caller by account and id alone: it is that one's if the console
    made the call, for an identity of that kind whom nothing indexed calls otherwise. `known_arn` is
    what other events call it.
    """
    arn = mint.row["principal_arn"] or known_arn
    if arn is not None:
        return bool(arn == source_arn)
    if mint.row["identity_type"] not in ("AWSAccount", "AssumedRole") or source_arn.count(":") < 5:
        return False
    account, resource = source_arn.split(":", 5)[4:]
    caller, _, session = str(mint.row["principal_id"] or "").partition(":")
    by_role = resource.startswith("assumed-role/")
    return (
        mint.row["account_id"] == account
        and is_console_call(mint.row)
        and caller.startswith("AROA") == by_role
        and (not by_role or session == resource.rpartition("/")[2])
    )


def against_the_switch(
    session: Session,
    switch: Mapping[str, Any],
    rivals: Sequence[Mint],
    sign_ins: Sequence[Mapping[str, Any]],
) -> str | None:
    """Why the use may be of another session than the one that was switched to in those seconds.

    `SwitchFrom` tells who switched, and not that the use is of that session: somebody else may have
    made one of the same role and name, and brought it to the console by a sign-in of their own.
    `rivals` are the calls of that time by others than it names. Only a use from where the roles
    were switched, and from where none of those was made, is of that one: what the console calls
    does not show where its user was.
    """
    for row in sign_ins:
        apart = row["event_time"] - switch["event_time"]
        if (
            row["event_name"] in ("ConsoleLogin", "GetSigninToken")
            and row["principal_id"] == session.principal_id
            and -2 * CLOCK_SKEW <= apart <= SIGN_IN_LINK
            and (row["session_created"] is None or is_near(row["session_created"], session.created))
        ):
            return (
                f"Event {row['event_id']} ({row['event_name']}) began another console session of"
                " this role and name, which no switch of roles does: whether the use is of that"
                " one or of the one that was switched to cannot be told."
            )
    if not rivals:
        return None
    there = switch["source_ip_address"]
    here = [
        mint
        for mint in rivals
        if mint.row["source_ip_address"] == session.address or is_console_call(mint.row)
    ]
    if session.address is not None and session.address == there and not here:
        return None
    rival = (here or rivals)[0]
    came = "Where the use came from is not known"
    if session.address is not None:
        came = f"The use came from {session.address}"
    made = f"made at {rival.row['source_ip_address']}"
    if is_console_call(rival.row):
        made = "made by the console for somebody else"
    return (
        f"{came}; event {rival.event_id}, {made}, began a session"
        f" of this role and name as well, and the roles were switched at {there}: which of the two"
        " it is of cannot be told."
    )


# How surely ----------------------------------------------------------------------------------


def by_key(session: Session, mint: Mint, mints: Sequence[Mint], elsewhere: Sequence[Mint]) -> Claim:
    """R1 and R1b: the record shows the very key. `mints` are all that do and fit, `elsewhere` those
    by or for somebody else that show it and do not.
    """
    claim = Claim("certain")
    if is_doubtful_key(str(session.access_key_id)):
        claim = claim.at_most(
            "medium",
            f"{session.access_key_id} may be what was written over a key: then it stands for many.",
        )
    if len(mints) > 1:
        claim = claim.at_most(
            "medium",
            f"{len(mints)} records show this access key being made, and no key is made twice: some"
            " of them are not what they seem.",
        )
    if elsewhere:
        # What decides between them is the session's time or role: good, but no longer the key.
        claim = _as_dated(claim.at_most("high"), session)
    if (why := against_awss_words(mint, session)) is not None:
        claim = claim.at_most(
            "medium",
            f"Event {mint.event_id} shows this very access key, but {why}: one of the two records"
            " is not what it seems.",
        )
    if is_out_of_reach(mint, session):
        claim = claim.at_most("medium")
    return _as_dated(claim.at_most("high"), session) if session.key_is_borrowed else claim


def by_date(
    session: Session,
    mint: Mint,
    candidates: Sequence[Mint],
    sign_ins: Sequence[Mapping[str, Any]],
    rivals: Sequence[Mint] = (),
    doubt: str | None = None,
) -> Claim:
    """R2, R2b, R0: made for this principal at the session's creation date. `doubt` is what
    `against_the_switch` says."""
    claim = Claim("high")
    if doubt is not None:
        claim = claim.at_most("medium", doubt)
    if mint.time != session.created or len(candidates) > 1 or rivals:
        claim = claim.at_most("medium")
    if _is_masked(session):
        claim = claim.at_most(
            "medium",
            "The role or the name of the session is masked: another session that reads the same may"
            " have begun in that second.",
        )
    if (odd := _other_credential(session, mint, sign_ins)) is not None:
        claim = claim.at_most("medium", odd)
    if (unlike := _against_its_mfa(session, mint)) is not None:
        claim = claim.at_most("medium", unlike)
    return _as_dated(claim, session)


def _against_its_mfa(session: Session, mint: Mint) -> str | None:
    """A role that is assumed with a device's code makes a session that says so (§1.2)."""
    context = json_object(session.user_identity).get("sessionContext")
    attributes = context.get("attributes") if isinstance(context, Mapping) else None
    said = attributes.get("mfaAuthenticated") if isinstance(attributes, Mapping) else None
    with_device = json_object(mint.row["request_parameters"]).get("serialNumber")
    if not with_device or str(said).lower() != "false" or is_narrowing(mint):
        return None
    return (
        f"Event {mint.event_id} was made with an MFA device, and the session's own record says that"
        " it was not: another session of this name may have begun in the same second."
    )


def _is_masked(session: Session) -> bool:
    """Rule 1 for sessions: whether what a mint is compared with is a mask. Equal masks of two
    roles, or of two sessions' names, are no equal sessions."""
    if session.type == "FederatedUser":
        return may_be_mask((session.arn or session.principal_id or "").rpartition("/")[2])
    if not session.is_role:
        return False  # a user whose record is masked is nobody by name (`of_nameless`)
    if session.session_name is not None and may_be_mask(session.session_name):
        return True
    role_id = (session.principal_id or "").partition(":")[0]
    role = role_named(session.role_arn)
    return (not role_id or is_stand_in(role_id)) and (role is None or may_be_mask(role.name))


def by_switch(session: Session, switches: int, doubt: str | None = None) -> Claim:
    """R2c: `SwitchRole` at the session's creation date names its source. `doubt` is what
    `against_the_switch` says."""
    claim = Claim("high")
    if doubt is not None:
        claim = claim.at_most("medium", doubt)
    if switches > 1:
        claim = claim.at_most(
            "medium", f"The console recorded {switches} switches to this session in those seconds."
        )
    if session.access_key_id is not None and not is_of_console(session):
        claim = claim.at_most(
            "medium",
            "The use does not look like the console's: another session of this name may have been"
            " made in the same seconds.",
        )
    if _is_masked(session):
        claim = claim.at_most(
            "medium",
            "The role or the name of the session is masked: the console may have switched to"
            " another one that reads the same.",
        )
    return _as_dated(claim, session)


def by_sign_in(session: Session, *, same_arn: bool, tokens: int) -> Claim:
    """R2d: a command line or CloudShell that borrowed a console session."""
    claim = Claim("high" if same_arn and tokens == 1 else "medium")
    if session.client_is_borrowed:
        claim = claim.at_most("medium", _OTHER_CLIENT)
    return _as_dated(claim, session)


def of_nameless(claim: Claim, mint: Mint) -> Claim:
    """Rule 1 for people: the record does not show who called. Equal masks are no equal people."""
    return claim.at_most(
        "medium",
        f"Event {mint.event_id} does not show who called: name and id are masked or missing.",
    )


def of_contradicted(claim: Claim, mint: Mint, others: Sequence[Mint]) -> Claim:
    """Rule 3, of a call of which `others`, further records of it, name other callers."""
    if any(other.event_id in mint.event_ids for other in others):
        claim = claim.at_most(
            "medium",
            f"Another record of event {mint.event_id} names another caller, and no event is logged"
            " twice with two: one of the two was changed.",
        )
    for other in others:
        if other.event_id not in mint.event_ids:
            claim = claim.at_most(
                "medium",
                f"Event {mint.event_id} corrects event {other.event_id}, which names another"
                " caller: which of the two it was cannot be told.",
            )
    return claim


_OTHER_CLIENT = (
    "No indexed event shows the access key used: whether the console made the call, or a program"
    " that shares its session, is taken from other calls of the same creation date."
)


def by_own_words() -> Claim:
    """Rule 6: no record, but AWS's own word for who issued the session. The event stays unknown."""
    return Claim("medium")


def as_maker_of_key(confidence: str | None) -> str | None:
    """What may be claimed of whoever made a user's key shortly before: that they also used it is
    likely where somebody wants to stay, and wrong where keys are handed out."""
    return as_named_by_caller(confidence)


def as_named_by_caller(confidence: str | None) -> str | None:
    """What may be claimed of a person whom only a source identity names: whoever assumed first
    chose it."""
    return max(confidence, "medium", key=list(_ORDER).index) if confidence in _ORDER else confidence


def behind(claim: Claim, before: Sequence[Claim]) -> Claim:
    """The claim of a hop that stands behind others: no surer than the weakest of them.

    However sure it is who made the session that a guess named, it is a guess that this session is
    part of the alert's story.
    """
    return replace(claim, confidence=weakest([claim.confidence, *(c.confidence for c in before)]))


def weakest(confidences: Sequence[Confidence]) -> Confidence:
    return max(confidences, key=_ORDER.index)


def _as_dated(claim: Claim, session: Session) -> Claim:
    """Rule 4: what a creation date that the alert itself does not have may carry."""
    if session.dated_by == "own":
        return claim
    if session.contested:
        return claim.at_most(
            "medium",
            "The alert does not say which session it is about, and another session of the same role"
            " and name was in use then.",
        )
    if session.dated_by == "own_call":
        return claim
    return claim.at_most(
        "medium",
        "The alert does not state when its session was made: that was taken from other calls of the"
        " same session.",
    )


def _other_credential(
    session: Session, mint: Mint, sign_ins: Sequence[Mapping[str, Any]]
) -> str | None:
    """Rule 5: a caveat where the mint of that second made another credential than the one used,
    or one of another kind, and nothing explains it.
    """
    if mint.row["identity_type"] == "AWSService" or is_service_call(mint.row):
        return _other_than_the_service_s(session, mint)
    if is_service_call({"invoked_by": session.invoked_by}):
        return None  # a call that a service made for the session has a key of its own
    if _is_of_identity_center(session, mint):
        return None
    in_console = is_of_console(session)
    for_console = _made_for_console(session, mint, sign_ins)
    if in_console and (for_console or mint.event_name == "AssumeRoleWithSAML"):
        return _OTHER_CLIENT if session.client_is_borrowed else None
    if is_narrowable(session, mint, sign_ins):
        return (
            "The session was narrowed by GetScopedCredentials as well: whether the call was made"
            " with the narrowed credential cannot be told."
        )
    if session.access_key_id is not None and mint.key not in (None, session.access_key_id):
        return (
            f"Event {mint.event_id} made another access key ({mint.key}) than the one used: two"
            " sessions of one name can begin in the same second, and the call that made the key"
            " used is not indexed."
        )
    if in_console or (for_console and session.user_agent is not None):
        kinds = ("the console", "programs") if in_console else ("a program", "the console")
        return (
            f"The call came from {kinds[0]}, and event {mint.event_id} made a session for"
            f" {kinds[1]}: another session of this name may have begun in the same second."
        )
    return None


def _other_than_the_service_s(session: Session, mint: Mint) -> str | None:
    """Rule 5 for what a service fetched, which renews it for its workload: that the keys differ is
    explained where the session's own record says that a service delivered them. Without such a
    word somebody else may have taken the workload's session name, in that very second.
    """
    if mint.key is None or session.access_key_id in (None, mint.key) or _is_delivered(session):
        return None
    return (
        f"Event {mint.event_id} made another access key ({mint.key}) than the one used, and no"
        " record of the session says that an AWS service delivered it: somebody else may have begun"
        " a session of that name in the same second."
    )


def _is_delivered(session: Session) -> bool:
    """Whether the session's own record says that AWS handed the credentials to a workload."""
    identity = json_object(session.user_identity)
    context = identity.get("sessionContext")
    delivered = isinstance(context, Mapping) and context.get("ec2RoleDelivery")
    return bool(
        session.ec2_role_delivery
        or delivered
        or identity.get("inScopeOf")
        or is_linked_role(str(session.role_arn or ""))
    )


def is_narrowable(session: Session, mint: Mint, sign_ins: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the session was also narrowed before its use, and the use may be of either."""
    if is_narrowing(mint):
        return False
    if session.access_key_id is not None and mint.key == session.access_key_id:
        return False
    last = session.seen_until or session.seen
    return any(
        row["event_name"] == "GetScopedCredentials"
        and row["principal_id"] == session.principal_id
        and row["session_created"] is not None
        and is_near(row["session_created"], mint.time)
        and (last is None or row["event_time"] <= last + CLOCK_SKEW)
        for row in sign_ins
    )


def is_of_console(session: Session) -> bool:
    """Whether the use was the console's, or borrowed from it (`aws login`, CloudShell)."""
    return (
        session.from_console
        or session.sign_in_session_arn is not None
        or "exec-env/CloudShell" in (session.user_agent or "")
        or is_console_call({"user_agent": session.user_agent, "invoked_by": session.invoked_by})
    )


def _made_for_console(session: Session, mint: Mint, sign_ins: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the mint began a console session: the console's own call, or a sign-in with it."""
    if mint.event_name in ("ConsoleLogin", "SwitchRole") or is_console_call(mint.row):
        return True
    # What a program got is brought there by way of a sign-in token (§2.1): without one the login
    # may be with a session of that second whose making is not indexed.
    logins = logins_with(session, mint, sign_ins)
    by_token = any(
        row["event_name"] == "GetSigninToken"
        and row["principal_id"] == session.principal_id
        and -CLOCK_SKEW <= row["event_time"] - mint.time <= CONSOLE_DELAY
        for row in sign_ins
    )
    return bool(logins and by_token) or any(
        row["event_name"] == "SwitchRole"
        and row["principal_id"] == session.principal_id
        and is_near(row["event_time"], mint.time)
        for row in sign_ins
    )


def logins_with(
    session: Session, mint: Mint, sign_ins: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Console logins of the session's principal right after the mint: a portal's or a broker's."""
    return [
        row
        for row in sign_ins
        if row["event_name"] == "ConsoleLogin"
        and row["principal_id"] == session.principal_id
        and timedelta(0) <= row["event_time"] - mint.time <= CONSOLE_DELAY
        and row["event_id"] != mint.event_id
    ]


def _is_of_identity_center(session: Session, mint: Mint) -> bool:
    role = role_named(session.role_arn) or mint.role
    return mint.event_name == "AssumeRoleWithSAML" and (
        session.on_behalf_of is not None
        or (role is not None and role.name.startswith("awsreservedsso_"))
    )


def alarm(mint: Mint, session: Session, why: str) -> str:
    """Rule 8: what a record that shows the very key, but at an impossible time, is worth saying."""
    whose = "this very access key"
    if session.key_is_borrowed:
        whose = "the access key of the alert's call, by that call's record"
    return (
        f"Event {mint.event_id} shows {whose}, but {why}: the key, the record or a clock is not"
        " what it seems, so it was not used."
    )


def alarm_of_age(mint: Mint, session: Session) -> str | None:
    """Rule 8 where only a time is known by which the key had been used, such as when a finding was
    written: an age then that no session gets to. None for one that a session can have.
    """
    old = _age_by_alert(mint, session)
    if old is None or old <= LONGEST_SESSION + CLOCK_SKEW:
        return None
    found = (
        f"Event {mint.event_id} shows this very access key, but was issued {age(old)} before the"
        " time that the alert has, and no session lives so long"
    )
    if not is_out_of_reach(mint, session):
        return f"{found}: its use was days before that time."
    return f"{found}: the key, the record or a clock is not what it seems."


def is_out_of_reach(mint: Mint, session: Session) -> bool:
    """Whether not even a finding that was written again and again can be about what was minted."""
    old = _age_by_alert(mint, session)
    return old is not None and old > LONGEST_SESSION + KEPT_FINDINGS


def _age_by_alert(mint: Mint, session: Session) -> timedelta | None:
    last = session.seen_until or session.seen
    if not session.only_before or last is None or mint.event_name == "CreateAccessKey":
        return None
    return last - mint.time


def earliest_use(session: Session) -> datetime | None:
    """From when on the session can have been in use; None where only a fall-back bounds it."""
    return None if session.only_before else session.seen
