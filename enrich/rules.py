"""The rules R0 to R4, in order: the one hop that explains a session (§3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from enrich.caller import in_order, with_name, with_person
from enrich.hop import Hop, hop_of, nearness
from enrich.mints import CLOCK_SKEW, Mint, MintReader, is_near, key_owner
from enrich.role_name import role_named
from enrich.session import LONGEST_SESSION, Session
from enrich.sign_in import (
    by_shared_sign_in,
    by_switch_role,
    sign_ins_of,
    switch_near,
    told_by_switch,
)
from enrich.workload import workload_of_session

PORTAL_DELAY = timedelta(seconds=60)
"""A sign-in portal turns a credential into a console login at once, or not at all."""


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


def explain(session: Session, reader: MintReader, caveats: list[str]) -> Hop | None:
    """The one hop that explains a session, by the first rule that does."""
    if session.type in ("AWSService", "SAMLUser", "WebIdentityUser", "IdentityCenterUser"):
        return None
    hop = None
    if session.access_key_id:
        hop = _by_key(session, reader, caveats)
    if hop is None and session.has_long_term_key:
        return None
    if hop is None and needs_explaining(session):
        if session.is_role or session.type == "FederatedUser":
            hop = _role_session(session, reader, caveats)
        elif session.type in ("IAMUser", "Root"):
            hop = _user_session(session, reader)
    if hop is None:
        return None
    if hop.by.type == "AWSService":
        # The session's own record may say which workload the service made it for.
        hop = replace(hop, session=_with_identity(session, reader))
    return in_order(with_name(with_person(hop, reader), reader))


def _with_identity(session: Session, reader: MintReader) -> Session:
    """The session with the `userIdentity` of the record that it was read from."""
    if session.event_id is None or session.seen is None:
        return session
    found = reader.user_identity(session.event_id, session.identity_id, session.seen)
    return replace(session, user_identity=found, event_id=None)


def _by_key(session: Session, reader: MintReader, caveats: list[str]) -> Hop | None:
    """R1 and R1b: the record whose response shows the very key."""
    mints = reader.by_minted_key(str(session.access_key_id))
    fitting = []
    for mint in mints:
        if mint.event_name == "CreateAccessKey":
            made_for = key_owner(mint)
            if not session.is_role and (
                session.user_name is None or made_for in (None, session.user_name)
            ):
                fitting.append(mint)
                continue
        elif _agrees(mint, session):
            fitting.append(mint)
            continue
        caveats.append(
            f"Event {mint.event_id} minted this access key, but for"
            f" {mint.role_arn or key_owner(mint) or 'another principal'}"
            f" ({mint.session_name or 'no session name'}): it was not used."
        )
    if not fitting:
        return None
    # One key may show in two records: the service's own call and the STS call behind it.
    fitting.sort(key=lambda mint: (mint.row["event_source"] != "sts.amazonaws.com", mint.time))
    best = fitting[0]
    is_birth = best.event_name == "CreateAccessKey"
    return hop_of(
        session,
        best,
        method="key_created" if is_birth else "access_key",
        rule="R1b" if is_birth else "R1",
        confidence="certain",
        candidates=[best],
        distance_from=session.seen,
        others=fitting[1:],
    )


def _agrees(mint: Mint, session: Session) -> bool:
    """Whether a mint is for the session's own principal, as far as both say (§3.1, R1)."""
    minted = mint.row["minted_principal_id"]
    if minted is not None and session.principal_id is not None:
        if ":" not in session.principal_id:
            minted = str(minted).partition(":")[0]
        return bool(minted == session.principal_id)
    if mint.event_name == "GetSessionToken":
        return (
            session.principal_id is None
            or mint.row["principal_id"] is None
            or bool(mint.row["principal_id"] == session.principal_id)
        )
    if mint.event_name == "AssumeRoot":
        return session.type in ("Root", "Unknown")
    role = role_named(session.role_arn)
    if role is not None and mint.role is not None and role != mint.role:
        return False
    if session.session_name is not None and mint.session_name is not None:
        return session.session_name == mint.session_name
    return True


def _role_session(session: Session, reader: MintReader, caveats: list[str]) -> Hop | None:
    """R2 to R4 for an assumed role or a federated user."""
    sign_ins = sign_ins_of(session, reader)
    if (hop := by_shared_sign_in(session, sign_ins)) is not None:
        return hop
    mints = _mints_for(session, reader)
    if session.created is not None:
        near = [mint for mint in mints if is_near(mint.time, session.created)]
        if (hop := _by_creation_date(session, near, sign_ins)) is not None:
            return hop
        if (hop := by_switch_role(session, sign_ins)) is not None:
            return hop
    if (hop := _most_recent(session, mints)) is not None:
        return hop
    return _inferred(_with_identity(session, reader))


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
        if any(is_near(mint.time, created) for mint in by_id):
            return by_id
    if session.role_arn is None or session.session_name is None or (by_id and created is None):
        return by_id
    by_name = reader.by_role_and_session(
        session.role_arn, session.session_name, session.principal_id, created, begin, end
    )
    if any(is_near(mint.time, created) for mint in by_name):
        return by_name
    return by_id or by_name


def _by_creation_date(
    session: Session, mints: Iterable[Mint], sign_ins: Sequence[Mapping[str, Any]]
) -> Hop | None:
    """R2 and R2b: minted for this principal at the session's creation date."""
    if session.created is None:
        return None
    created = session.created
    ranked = sorted(mints, key=lambda mint: (nearness(mint.time, created), mint.event_id))
    if not ranked:
        return None
    exact = [mint for mint in ranked if mint.time == created]
    fitting = exact or ranked
    switch = switch_near(sign_ins, created)
    hop = hop_of(
        session,
        fitting[0],
        method="creation_date",
        rule="R2" if exact else "R2b",
        confidence="high" if len(exact) == 1 else "medium",
        candidates=fitting,
        distance_from=created,
    )
    if switch is not None:
        return told_by_switch(hop, switch)
    # A console login with the minted credential, by a portal or a broker of the company's own.
    logins = [
        str(row["event_id"])
        for row in sign_ins
        if row["event_name"] == "ConsoleLogin"
        and row["principal_id"] == session.principal_id
        and timedelta(0) <= row["event_time"] - fitting[0].time <= PORTAL_DELAY
        and row["event_id"] != fitting[0].event_id
    ]
    return replace(hop, also=(*hop.also, *logins[:1])) if logins else hop


def _user_session(session: Session, reader: MintReader) -> Hop | None:
    """R0: a user's or root's temporary credential: a console login, GetSessionToken, AssumeRoot."""
    sign_ins = sign_ins_of(session, reader)
    if (hop := by_shared_sign_in(session, sign_ins)) is not None:
        return hop
    mints = [
        Mint(row, (str(row["event_id"]),))
        for row in sign_ins
        if row["event_name"] in ("ConsoleLogin", "GetSessionToken")
    ]
    if session.created is not None:
        near = [mint for mint in mints if is_near(mint.time, session.created)]
        if not near and session.type == "Root" and session.account_id is not None:
            near = reader.root_mints(
                session.account_id, session.created - CLOCK_SKEW, session.created + CLOCK_SKEW
            )
        hop = _by_creation_date(session, near, sign_ins)
        return replace(hop, rule="R0") if hop is not None else None
    if session.seen is None:
        return None
    # No creation date: the last sign-in that can still have lasted.
    possible = [
        mint
        for mint in mints
        if mint.time <= (session.seen_until or session.seen) + CLOCK_SKEW
        and mint.latest_end >= session.seen
    ]
    return _guess(session, possible)


def _latest_mint(session: Session, used: datetime) -> datetime:
    """When the session must have been made at the latest: a session does not begin before that."""
    latest = (session.seen_until or used) + CLOCK_SKEW
    return latest if session.created is None else min(latest, session.created + CLOCK_SKEW)


def _most_recent(session: Session, mints: Iterable[Mint]) -> Hop | None:
    """R3: the last assumption of that role session which can still have lasted. A guess."""
    used = session.seen or session.created
    if used is None:
        return None
    begin, end = used - LONGEST_SESSION, _latest_mint(session, used)
    hop = _guess(
        session, [mint for mint in mints if begin <= mint.time <= end and mint.latest_end >= used]
    )
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
        apart = abs(int((session.created - hop.mint.time).total_seconds()))
        hop = replace(
            hop,
            caveats=(
                *hop.caveats,
                f"The guessed call is {_span(apart)} from the session's own creation date, so it"
                " made another session of the same name; the call that made this one is not"
                " indexed.",
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
        confidence="low",
        candidates=ranked,
        distance_from=session.seen or session.created,
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
        confidence="low",
        mint=None,
        by=Session(
            type=found.type,
            arn=found.arn,
            invoked_by=found.invoked_by,
            principal_id=found.invoked_by,
        ),
        by_label_field=found.field,
        guess=found.label,
        role_arn=session.role_arn,
        session_name=session.session_name,
    )


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
