"""One link of a chain: which record explains a session, by whom, and how surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from enrich.chain.claims import Claim, Confidence, of_nameless
from enrich.chain.mints import Mint
from enrich.chain.session import Session, session_of_caller
from enrich.facts.interface import is_console_call
from enrich.facts.role_name import role_arn_of

Method = Literal[
    "access_key",
    "creation_date",
    "switch_role",
    "signin_session",
    "key_created",
    "scoped",
    "most_recent",
    "inferred",
]


@dataclass(frozen=True)
class Hop:
    """How one session came to be: the record, by whom, and how surely it is the one."""

    session: Session
    method: Method
    rule: str
    claim: Claim
    mint: Mint | None
    """None when inferred."""
    by: Session
    by_label_field: str
    """The record's field that names the caller."""
    time_distance_s: int | None = None
    candidates: tuple[str, ...] = ()
    callers: tuple[Mapping[str, Any], ...] = ()
    """Every distinct caller among the candidates, when more than one fits."""
    source_ip_address: str | None = None
    user_agent: str | None = None
    address_event_id: str | None = None
    """The record that these two are from, where it is not the mint: a person's own sign-in."""
    also: tuple[str, ...] = ()
    """Further event ids that support the hop: other copies, the console's own record."""
    caveats: tuple[str, ...] = ()
    console: bool = False
    role_arn: str | None = None
    session_name: str | None = None
    guess: str | None = None
    """Who it seems to have been, in words, when inferred."""
    guess_name: str | None = None
    """The same as the name alone that the logs know it by."""
    person: Mapping[str, Any] | None = None
    """The Identity Center user behind a SAML sign-in, with the field that names them."""

    @property
    def confidence(self) -> Confidence:
        return self.claim.confidence

    @property
    def is_narrowing(self) -> bool:
        """Whether it is the same session, narrowed: what it came from is to be told instead."""
        return self.method == "scoped"


def hop_of(
    session: Session,
    mint: Mint,
    *,
    method: Method,
    rule: str,
    claim: Claim,
    candidates: Sequence[Mint],
    distance_from: datetime | None,
    others: Sequence[Mint] = (),
    rivals: Sequence[Mint] = (),
) -> Hop:
    """The hop of a mint; `candidates` fit as well as it does, `rivals` nearly as well."""
    by = session_of_caller(mint.row)
    if by.is_nameless:
        claim = of_nameless(claim, mint)
    distance = None
    if distance_from is not None:
        # R2: mint time minus creation date; the others: use minus mint time.
        apart = (mint.time - distance_from).total_seconds()
        by_date = method in ("creation_date", "switch_role")
        if not by_date and apart > 0 and session.seen_until is not None:
            # An alert's window may open before the session does.
            apart = min(apart, (mint.time - session.seen_until).total_seconds())
        distance = int(apart if by_date else -apart)
    return Hop(
        session=session,
        method=method,
        rule=rule,
        claim=claim,
        mint=mint,
        by=by,
        by_label_field=_label_field(by),
        time_distance_s=distance,
        candidates=tuple(candidate.event_id for candidate in candidates),
        callers=distinct_callers([*candidates, *rivals]),
        source_ip_address=mint.row["source_ip_address"],
        user_agent=mint.row["user_agent"],
        also=(*mint.event_ids[1:], *(other.event_id for other in others)),
        caveats=claim.caveats,
        console=is_console_call(mint.row) or mint.event_name == "ConsoleLogin",
        role_arn=_fuller_role_arn(mint.role_arn, session.role_arn),
        session_name=mint.session_name or (session.session_name if session.is_role else None),
    )


def nearness(time: datetime, created: datetime) -> tuple[float, bool]:
    """Sorts 0 s first, then one second before, one after, two before… (R2b)."""
    apart = (time - created).total_seconds()
    return abs(apart), apart > 0


def _label_field(by: Session) -> str:
    if by.type == "AWSService":
        return "userIdentity.invokedBy"
    if by.type in ("SAMLUser", "WebIdentityUser"):
        return "userIdentity.userName"
    return "userIdentity.arn" if by.arn else "userIdentity.principalId"


def _fuller_role_arn(minted: str | None, known: str | None) -> str | None:
    if minted is None or ":assumed-role/" in minted:
        return known or role_arn_of(minted)
    return minted


def distinct_callers(
    mints: Sequence[Mint], *, alone: bool = False
) -> tuple[Mapping[str, Any], ...]:
    """Every caller of these calls, the first one's first; nobody when it is all one call, unless
    they stand beside others (`alone`)."""
    if len(mints) < 2 and not alone:
        return ()
    callers: dict[object, dict[str, Any]] = {}
    for mint in mints:
        by = session_of_caller(mint.row)
        caller = {
            "type": by.type,
            "arn": by.arn,
            "principal_id": by.principal_id,
            "user_name": by.user_name,
            "invoked_by": by.invoked_by,
            "count": 0,
            "last": mint.time,
            "event_id": mint.event_id,
        }
        # Of two whom their records do not show, nobody knows whether they are one.
        who = by.access_key_id or _who(caller) if by.is_nameless else _who(caller)
        known = callers.setdefault(who, caller)
        known["count"] += 1
    return tuple(callers.values())


def merged_callers(
    some: Sequence[Mapping[str, Any]], more: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """The callers of both lists, each once."""
    known = {_who(caller): caller for caller in (*more, *some)}
    first = dict.fromkeys(_who(caller) for caller in (*some, *more))
    return tuple(known[who] for who in first)


def _who(caller: Mapping[str, Any]) -> object:
    named = caller["arn"] or caller["principal_id"] or caller["user_name"] or caller["invoked_by"]
    return named or (caller["event_id"], caller["type"])
