"""The rules R0 to R4, in order: the one hop that explains a session (§3.1).

They find the records; what a found record may claim is `enrich.chain.claims`'s to say (§3.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from enrich.chain import claims
from enrich.chain.caller import in_order, with_name, with_person
from enrich.chain.hop import Hop, distinct_callers, hop_of, merged_callers, nearness
from enrich.chain.mints import (
    CLOCK_SKEW,
    Mint,
    MintReader,
    have_unlike_callers,
    is_near,
    key_owner,
    root_account,
)
from enrich.chain.session import LONGEST_SESSION, Session
from enrich.chain.sign_in import (
    by_shared_sign_in,
    by_switch_role,
    not_named_by,
    sign_ins_of,
    switch_near,
    switch_source,
    told_by_switch,
)
from enrich.chain.workload import workload_of_session
from enrich.facts.interface import is_service_call
from enrich.facts.role_name import role_named
from enrich.words import age


@dataclass
class Said:
    """What has to be told beside the hops of a chain, as the rules come upon it."""

    caveats: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    """What belongs into the sentence itself (§3.4 rule 8)."""
    has_misfits: bool = False
    """Whether a record shows the key being made, and cannot be what made it."""


def needs_explaining(session: Session) -> bool:
    """Whether somebody must have made this session: it is a temporary credential's."""
    if session.type in ("AWSService", "SAMLUser", "WebIdentityUser", "IdentityCenterUser"):
        return False
    if session.has_long_term_key:
        return False
    if session.is_role or session.type == "FederatedUser":
        return True
    return (session.access_key_id or "").startswith("ASIA") or (
        session.created is not None and session.type in ("IAMUser", "Root")
    )


def explain(session: Session, reader: MintReader, said: Said) -> Hop | None:
    """The one hop that explains a session, by the first rule that does."""
    if session.type in ("AWSService", "SAMLUser", "WebIdentityUser", "IdentityCenterUser"):
        return None
    hop = None
    if session.access_key_id:
        hop = _by_key(session, reader, said)
    if hop is None and session.has_long_term_key:
        return None
    if hop is None and needs_explaining(session):
        if session.is_role or session.type == "FederatedUser":
            hop = _role_session(session, reader, said)
        elif session.type in ("IAMUser", "Root"):
            hop = _user_session(session, reader, said)
    if hop is None:
        return None
    if hop.by.type == "AWSService":
        # The session's own record may say which workload the service made it for.
        hop = replace(hop, session=_with_identity(session, reader))
    return in_order(with_name(with_person(hop, reader), reader))


def contradicted(hop: Hop, others: Sequence[Mint]) -> Hop:
    """The hop, lowered: `others` are further records of its very event, or what it corrects,
    by other callers."""
    if hop.mint is None:
        return hop
    claim = claims.of_contradicted(hop.claim, hop.mint, others)
    return replace(
        hop,
        claim=claim,
        caveats=(*hop.caveats, *claim.caveats[len(hop.claim.caveats) :]),
        callers=merged_callers(hop.callers, distinct_callers([hop.mint, *others])),
    )


def _with_identity(session: Session, reader: MintReader) -> Session:
    """The session with the `userIdentity` of the record that it was read from."""
    if session.event_id is None or session.seen is None:
        return session
    found = reader.user_identity(session.event_id, session.identity_id, session.seen)
    return replace(session, user_identity=found, event_id=None)


def _by_key(session: Session, reader: MintReader, said: Said) -> Hop | None:
    """R1 and R1b: the record whose response shows the very key."""
    fitting: list[Mint] = []
    others: list[Mint] = []
    for mint in reader.by_minted_key(str(session.access_key_id)):
        if not _is_for(mint, session):
            others.append(mint)
            said.has_misfits = True
            said.caveats.append(_for_another(mint))
        elif (misfit := claims.misfit(mint, session, shows_key=True)) is not None:
            others.append(mint)
            said.has_misfits = True
            said.alarms.append(claims.alarm(mint, session, misfit.why))
        else:
            fitting.append(mint)
    if not fitting:
        return None
    # One key may show in two records: the service's own call and the STS call behind it.
    fitting.sort(key=lambda mint: _likeness(mint, session))
    best = fitting[0]
    same = [mint for mint in fitting[1:] if _is_same_making(mint, best)]
    unlike = [mint for mint in fitting if mint not in same]
    if (too_old := claims.alarm_of_age(best, session)) is not None:
        said.alarms.append(too_old)
    elsewhere = [mint for mint in others if _is_another_s(mint, best)]
    is_birth = best.event_name == "CreateAccessKey"
    method = "key_created" if is_birth else "access_key"
    return hop_of(
        session,
        best,
        method="scoped" if claims.is_narrowing(best) else method,  # type: ignore[arg-type]
        rule="R1b" if is_birth else "R1",
        claim=claims.by_key(session, best, unlike, elsewhere),
        candidates=unlike,
        distance_from=session.seen,
        others=same,
    )


def _for_another(mint: Mint) -> str:
    if mint.event_name == "CreateAccessKey":
        return (
            f"Event {mint.event_id} created this access key, but for IAM user {_made_for(mint)}: it"
            " was not used."
        )
    name = f" ({mint.session_name})" if mint.session_name else ""
    return (
        f"Event {mint.event_id} minted this access key, but for {_made_for(mint)}{name}: it was not"
        " used."
    )


def _made_for(mint: Mint) -> str:
    account = root_account(mint)
    if account is not None:
        return f"the root user of account {account}"
    return mint.role_arn or key_owner(mint) or "another principal"


def _is_another_s(mint: Mint, best: Mint) -> bool:
    """Whether two records of one key are not of one call: another caller's, or for another role."""
    targets = ((mint.role, best.role), (mint.session_name, best.session_name))
    return have_unlike_callers(mint.row, best.row) or any(
        None not in pair and pair[0] != pair[1] for pair in targets
    )


def _likeness(mint: Mint, session: Session) -> tuple[float, bool, float]:
    """Sorts the likeliest of several records of one key first: nearest the creation date, STS's
    own, the newest."""
    apart = abs(mint.time - session.created).total_seconds() if session.created else 0.0
    return (
        apart if apart > CLOCK_SKEW.total_seconds() else 0.0,
        not mint.made_by_sts,
        (mint.time.timestamp()),
    )


def _is_same_making(mint: Mint, best: Mint) -> bool:
    """Whether two records are a service's own call and the STS call behind it, which the service
    makes for itself or with what an identity provider vouches for (§2.3)."""
    sts, own = (mint, best) if mint.made_by_sts else (best, mint)
    by_a_service = is_service_call(sts.row) or sts.row["identity_type"] in (
        "AWSService",
        "WebIdentityUser",
    )
    return (
        sts.made_by_sts
        and not own.made_by_sts
        and "CreateAccessKey" not in (mint.event_name, best.event_name)
        and abs(mint.time - best.time) <= CLOCK_SKEW
        and (by_a_service or not have_unlike_callers(sts.row, own.row))
    )


def _is_for(mint: Mint, session: Session) -> bool:
    """Whether a mint is for the session's own principal, as far as both say (§3.1, R1)."""
    if mint.event_name == "CreateAccessKey":
        made_for = key_owner(mint)
        return not session.is_role and (
            session.user_name is None or made_for in (None, session.user_name)
        )
    minted = mint.row["minted_principal_id"]
    if minted is not None and session.principal_id is not None:
        if ":" not in session.principal_id:
            minted = str(minted).partition(":")[0]
        return bool(minted == session.principal_id)
    if mint.event_name in ("GetSessionToken", "GetScopedCredentials"):
        return (
            session.principal_id is None
            or mint.row["principal_id"] is None
            or bool(mint.row["principal_id"] == session.principal_id)
        )
    if mint.event_name == "AssumeRoot":
        made_for = root_account(mint)
        return session.type in ("Root", "Unknown") and (
            None in (made_for, session.account_id) or made_for == session.account_id
        )
    role = role_named(session.role_arn)
    if role is not None and mint.role is not None and role != mint.role:
        return False
    if session.session_name is not None and mint.session_name is not None:
        return session.session_name == mint.session_name
    return True


def _role_session(session: Session, reader: MintReader, said: Said) -> Hop | None:
    """R2 to R4 for an assumed role or a federated user."""
    sign_ins = sign_ins_of(session, reader)
    if (hop := by_shared_sign_in(session, sign_ins)) is not None:
        return hop
    mints = _mints_for(session, reader)
    fitting = _fitting(mints, session, said)
    if session.created is not None:
        near = [mint for mint in fitting if is_near(mint.time, session.created)]
        near += _fitting(_narrowings(session, sign_ins), session, said)
        if (hop := _by_creation_date(session, near, sign_ins, reader)) is not None:
            return hop
        if (hop := by_switch_role(session, sign_ins, near, reader)) is not None:
            return hop
    if (hop := _by_own_words(session, reader)) is not None:
        return hop
    if (hop := _most_recent(session, fitting)) is not None:
        if not session.issuers:
            return hop
        return replace(hop, callers=merged_callers(hop.callers, session.issuers))
    if session.issuers:
        return _by_one_of(session)
    return _inferred(_with_identity(session, reader))


def weighed(session: Session, reader: MintReader) -> Session:
    """A session with a borrowed creation date, against others that were alive then (rule 4).

    Where the date is not from the alert's own call, any other makes it unknown again.
    """
    if session.created is None or session.dated_by not in ("own_call", "same_address"):
        return session
    if session.access_key_id is not None and not session.key_is_borrowed:
        return session  # its key says which session it is
    undated = replace(
        session,
        created=None,
        dated_by="own",
        contested=False,
        access_key_id=None if session.key_is_borrowed else session.access_key_id,
        key_is_borrowed=False,
    )
    if session.issuers:
        undated = replace(undated, issuer_arn=None, user_identity=None)
    if session.dated_by == "same_address" and _had_expired(session, reader):
        return undated
    if not session.contested and not any(
        not is_near(mint.time, session.created) and _is_alive(mint, undated)
        for mint in _mints_for(undated, reader)
    ):
        return session
    return undated if session.dated_by == "same_address" else replace(session, contested=True)


def _had_expired(session: Session, reader: MintReader) -> bool:
    """Whether the session that lent its creation date and key was over before the alert's use, by
    the record that made it: then the use is of another session.
    """
    mints = [mint for mint in _mints_for(session, reader) if is_near(mint.time, session.created)]
    if session.key_is_borrowed:
        mints += reader.by_minted_key(str(session.access_key_id))
    misfits = [claims.misfit(mint, session, shows_key=True) for mint in mints]
    return bool(misfits) and all(one is not None and one.by_time for one in misfits)


def _fitting(mints: Iterable[Mint], session: Session, said: Said) -> list[Mint]:
    fitting = []
    for mint in mints:
        misfit = claims.misfit(mint, session)
        if misfit is None:
            fitting.append(mint)
        elif any(mint.event_id in alarm for alarm in said.alarms):
            pass  # told already, by the key that it shows
        elif not misfit.by_time and is_near(mint.time, session.created):
            said.caveats.append(f"Event {mint.event_id} {misfit.why}: it was not used.")
    return fitting


def _narrowings(session: Session, sign_ins: Sequence[Mapping[str, Any]]) -> list[Mint]:
    """The calls that made this very session narrowed, at its creation date."""
    return [
        Mint(row, (str(row["event_id"]),))
        for row in sign_ins
        if row["event_name"] == "GetScopedCredentials"
        and row["principal_id"] == session.principal_id
        and is_near(row["event_time"], session.created)
    ]


def _mints_for(session: Session, reader: MintReader) -> list[Mint]:
    """The calls that may have made the session: near its creation date, else the ones before."""
    used = session.seen or session.created
    if used is None:
        return []
    begin, end = used - LONGEST_SESSION, _latest_mint(session, used)
    created = session.created
    if created is not None:
        begin, end = min(begin, created - CLOCK_SKEW), max(end, created + CLOCK_SKEW)
    by_id: list[Mint] = []
    if session.principal_id is not None:
        by_id = reader.by_minted_principal(session.principal_id, created, begin, end)
    if session.role_arn is None or (by_id and created is None):
        return by_id
    if session.session_name is None and not session.is_role:
        return by_id
    # Some records do not show whom they made: one that does is no reason to overlook them.
    by_name = reader.by_role_and_session(
        session.role_arn, session.session_name, session.principal_id, created, begin, end
    )
    known = {mint.event_id for mint in by_id}
    both = [*by_id, *(mint for mint in by_name if mint.event_id not in known)]
    if any(is_near(mint.time, created) for mint in both):
        return [mint for mint in both if is_near(mint.time, created)]
    return by_id or by_name


def _by_creation_date(
    session: Session,
    mints: Iterable[Mint],
    sign_ins: Sequence[Mapping[str, Any]],
    reader: MintReader,
) -> Hop | None:
    """R2 and R2b: minted for this principal at the session's creation date."""
    if session.created is None:
        return None
    created = session.created
    switch = switch_near(sign_ins, session)
    source = switch_source(switch) if switch is not None else None
    ranked = sorted(mints, key=lambda mint: (nearness(mint.time, created), mint.event_id))
    unnamed: list[Mint] = []
    if source is not None:
        unnamed = not_named_by(source, ranked, reader)
        ranked = [mint for mint in ranked if mint not in unnamed]
    if not ranked:
        return None
    exact = [mint for mint in ranked if mint.time == created]
    fitting = exact or ranked
    rivals = [mint for mint in ranked if mint not in fitting]
    doubt = None
    if switch is not None and source is not None:
        doubt = claims.against_the_switch(session, switch, unnamed, sign_ins)
        rivals += unnamed if doubt is not None else []
    best = fitting[0]
    hop = hop_of(
        session,
        best,
        method="scoped" if claims.is_narrowing(best) else "creation_date",
        rule="R2" if exact else "R2b",
        claim=claims.by_date(session, best, fitting, sign_ins, rivals, doubt),
        candidates=fitting,
        distance_from=created,
        rivals=rivals,
    )
    if switch is not None:
        return told_by_switch(hop, switch)
    # A console login with the minted credential, by a portal or a broker of the company's own.
    logins = claims.logins_with(session, best, sign_ins)
    return replace(hop, also=(*hop.also, str(logins[0]["event_id"]))) if logins else hop


def _user_session(session: Session, reader: MintReader, said: Said) -> Hop | None:
    """R0: a user's or root's temporary credential: a console login, GetSessionToken, AssumeRoot."""
    sign_ins = sign_ins_of(session, reader)
    if (hop := by_shared_sign_in(session, sign_ins)) is not None:
        return hop
    mints = [
        Mint(row, (str(row["event_id"]),))
        for row in sign_ins
        if row["event_name"] in ("ConsoleLogin", "GetSessionToken", "GetScopedCredentials")
    ]
    mints = _fitting(mints, session, said)
    if session.created is not None:
        near = [mint for mint in mints if is_near(mint.time, session.created)]
        if not near and session.type == "Root" and session.account_id is not None:
            roots = reader.root_mints(
                session.account_id, session.created - CLOCK_SKEW, session.created + CLOCK_SKEW
            )
            near = _fitting(roots, session, said)
        hop = _by_creation_date(session, near, sign_ins, reader)
        return replace(hop, rule="R0") if hop is not None else None
    # No creation date: the last sign-in that can still have lasted.
    sign_in = [mint for mint in mints if not claims.is_narrowing(mint)]
    return _guess(session, [mint for mint in sign_in if _is_alive(mint, session)])


def _latest_mint(session: Session, used: datetime) -> datetime:
    """When the session must have been made at the latest: a session does not begin before that."""
    latest = (session.seen_until or used) + CLOCK_SKEW
    return latest if session.created is None else min(latest, session.created + CLOCK_SKEW)


def _is_alive(mint: Mint, session: Session) -> bool:
    """Whether what a mint made can be what was used, by its usual lifetime (R3b)."""
    used = session.seen or session.created
    if used is None:
        return False
    begin = claims.earliest_use(session) or used - LONGEST_SESSION
    return (
        used - LONGEST_SESSION <= mint.time <= _latest_mint(session, used)
        and mint.latest_end >= begin
    )


def _most_recent(session: Session, mints: Iterable[Mint]) -> Hop | None:
    """R3: the last assumption of that role session which can still have lasted. A guess."""
    hop = _guess(session, [mint for mint in mints if _is_alive(mint, session)])
    key = session.access_key_id
    if hop is not None and hop.mint is not None and key and hop.mint.key not in (None, key):
        hop = replace(
            hop,
            caveats=(
                *hop.caveats,
                "The guessed call made another access key than the one used: it fits only a"
                " session of the console or of Identity Center, where keys change.",
            ),
        )
    if hop is not None and session.created is not None and hop.mint is not None:
        hop = replace(
            hop,
            caveats=(
                *hop.caveats,
                f"The guessed call is {age(session.created - hop.mint.time)} from the"
                " session's own creation date, so it made another session of the same name; the"
                " call that made this one is not indexed.",
            ),
        )
    return hop


def _guess(session: Session, mints: Iterable[Mint]) -> Hop | None:
    ranked = sorted(mints, key=lambda mint: (-mint.time.timestamp(), mint.event_id))
    if not ranked:
        return None
    return hop_of(
        session,
        ranked[0],
        method="most_recent",
        rule="R3",
        claim=claims.GUESSED,
        candidates=ranked,
        distance_from=session.seen or session.created,
    )


def _by_own_words(session: Session, reader: MintReader) -> Hop | None:
    """R4 for a federated user: AWS itself names who issued it, whatever record is missing."""
    if session.type != "FederatedUser":
        return None
    if session.issuers and session.created is None:
        return None
    known = _with_identity(session, reader)
    issuer = claims.issuer_of(known)
    if issuer is None:
        return None
    arn = issuer.get("arn")
    name = issuer.get("userName") or str(arn or "").rpartition("/")[2] or None
    kind = str(issuer.get("type") or ("Root" if str(arn).endswith(":root") else "IAMUser"))
    named = next(name for name in ("arn", "userName", "principalId") if issuer.get(name))
    return Hop(
        session=known,
        method="inferred",
        rule="R4",
        claim=claims.by_own_words(),
        mint=None,
        by=Session(
            type=kind,
            arn=arn,
            principal_id=issuer.get("principalId"),
            user_name=name if kind == "IAMUser" else None,
            account_id=issuer.get("accountId") or session.account_id,
        ),
        by_label_field=f"userIdentity.sessionContext.sessionIssuer.{named}",
    )


def _by_one_of(session: Session) -> Hop:
    """R4 for a federated user of whom several sessions can be meant, by unlike issuers."""
    return Hop(
        session=session,
        method="inferred",
        rule="R4",
        claim=claims.GUESSED,
        mint=None,
        by=Session(type="Unknown"),
        by_label_field="userIdentity.sessionContext.sessionIssuer.arn",
        callers=session.issuers,
    )


def _inferred(session: Session) -> Hop | None:
    """R4: no record at all; what the session's own name and fields give away."""
    found = workload_of_session(session)
    if found is None:
        return None
    return Hop(
        session=session,
        method="inferred",
        rule="R4",
        claim=claims.GUESSED,
        mint=None,
        by=Session(
            type=found.type,
            arn=found.arn,
            invoked_by=found.invoked_by,
            principal_id=found.invoked_by,
        ),
        by_label_field=found.field,
        guess=found.label,
        guess_name=found.name,
        role_arn=session.role_arn,
        session_name=session.session_name,
    )
