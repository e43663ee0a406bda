"""The chain of assumptions behind one session, hop by hop, by the rules R0 to R5 in order (§3).

A hop is one record that explains one session, or (R4) a guess from the session's own fields. The
caller of that record is the next session to explain. Paths are told apart by access key and event,
never by role: roles may renew themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from enrich.interface import is_console_call, json_object
from enrich.mints import CLOCK_SKEW, Mint, MintReader, key_owner
from enrich.role_name import role_arn_of, role_named, session_in
from enrich.session import LONGEST_SESSION, Session, session_of_caller
from enrich.workload import workload_of_session

Method = Literal[
    "access_key",
    "creation_date",
    "switch_role",
    "signin_session",
    "key_created",
    "most_recent",
    "inferred",
]
Confidence = Literal["certain", "high", "medium", "low"]

LONGEST_CHAIN = 100
"""Hops. Renewing a 15-minute session for a day makes 96; a real chain rarely has five."""

PORTAL_DELAY = timedelta(seconds=60)
"""A sign-in portal turns a credential into a console login at once, or not at all."""

LONGEST_ROLE_SESSION = timedelta(hours=12)


@dataclass(frozen=True)
class Hop:
    """How one session came to be: the record, by whom, and how surely it is the one."""

    session: Session
    method: Method
    rule: str
    confidence: Confidence
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
    also: tuple[str, ...] = ()
    """Further event ids that support the hop: other copies, the console's own record."""
    caveats: tuple[str, ...] = ()
    console: bool = False
    role_arn: str | None = None
    session_name: str | None = None
    guess: str | None = None
    """Who it seems to have been, in words, when inferred."""
    person: Mapping[str, Any] | None = None
    """The Identity Center user behind a SAML sign-in, with the field that names them."""


@dataclass
class Chain:
    """The hops found, nearest first, and the session where it ended."""

    hops: list[Hop] = field(default_factory=list)
    end: Session | None = None
    stopped: Literal["origin", "unexplained", "cycle", "too_long"] = "origin"
    caveats: list[str] = field(default_factory=list)


def resolve_chain(session: Session, reader: MintReader) -> Chain:
    """Every hop from the session back to whoever started it. Always ends."""
    chain = Chain(end=session)
    seen_events: set[str] = set()
    current = session
    for _ in range(LONGEST_CHAIN):
        hop = explain(current, reader, chain.caveats)
        if hop is None:
            chain.end = current
            chain.stopped = "unexplained" if needs_explaining(current) else "origin"
            return chain
        ids = {hop.mint.event_id} if hop.mint is not None else set()
        if ids & seen_events:
            chain.stopped = "cycle"
            chain.caveats.append(
                "The records form a cycle, which a true chain cannot: the chain is cut where the"
                " same event came up again."
            )
            return chain
        seen_events |= ids
        chain.hops.append(hop)
        chain.caveats.extend(hop.caveats)
        chain.end = hop.by
        if hop.mint is None:
            chain.end, chain.stopped = current, "unexplained"
            return chain
        current = hop.by
    chain.stopped = "too_long"
    chain.caveats.append(f"The chain is cut after {LONGEST_CHAIN} hops.")
    return chain


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
    return _in_order(_with_name(_with_person(hop, reader), reader))


def _by_key(session: Session, reader: MintReader, caveats: list[str]) -> Hop | None:
    """R1 and R1b: the record whose response shows the very key."""
    mints = reader.by_minted_key(str(session.access_key_id))
    fitting = []
    for mint in mints:
        if mint.event_name == "CreateAccessKey":
            made_for = key_owner(mint)
            if session.user_name is None or made_for in (None, session.user_name):
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
    return _hop(
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
    sign_ins = _sign_ins(session, reader)
    if (hop := _shared_sign_in(session, sign_ins)) is not None:
        return hop
    if session.created is not None:
        first, last = session.created - CLOCK_SKEW, session.created + CLOCK_SKEW
        mints = _mints_for(session, reader, first, last)
        if (hop := _by_creation_date(session, mints, sign_ins)) is not None:
            return hop
        if (hop := _by_switch_role(session, sign_ins)) is not None:
            return hop
    if (hop := _most_recent(session, reader)) is not None:
        return hop
    return _inferred(session)


def _mints_for(session: Session, reader: MintReader, first: datetime, last: datetime) -> list[Mint]:
    mints: list[Mint] = []
    if session.principal_id is not None:
        mints = reader.by_minted_principal(session.principal_id, first, last)
    if not mints and session.role_arn is not None and session.session_name is not None:
        mints = reader.by_role_and_session(
            session.role_arn, session.session_name, session.principal_id, first, last
        )
    return mints


def _by_creation_date(
    session: Session, mints: Iterable[Mint], sign_ins: Sequence[Mapping[str, Any]]
) -> Hop | None:
    """R2 and R2b: minted for this principal at the session's creation date."""
    if session.created is None:
        return None
    created = session.created
    ranked = sorted(mints, key=lambda mint: (_nearness(mint.time, created), mint.event_id))
    if not ranked:
        return None
    exact = [mint for mint in ranked if mint.time == created]
    fitting = exact or ranked
    switch = _switch_near(sign_ins, created)
    hop = _hop(
        session,
        fitting[0],
        method="creation_date",
        rule="R2" if exact else "R2b",
        confidence="high" if len(exact) == 1 else "medium",
        candidates=fitting,
        distance_from=created,
    )
    if switch is not None:
        return _told_by_switch(hop, switch)
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


def _told_by_switch(hop: Hop, switch: Mapping[str, Any]) -> Hop:
    """The hop with what only `SwitchRole` shows: the person's address, and the caller's ARN."""
    by, by_field = hop.by, hop.by_label_field
    source = _switch_source(switch)
    if by.arn is None and source is not None:
        by = _switched_from(source, switch)
        by = replace(by, principal_id=hop.by.principal_id or by.principal_id)
        by_field = "SwitchRole additionalEventData.SwitchFrom"
    return replace(
        hop,
        by=by,
        by_label_field=by_field,
        source_ip_address=switch["source_ip_address"],
        user_agent=switch["user_agent"],
        also=(*hop.also, str(switch["event_id"])),
        console=True,
    )


def _by_switch_role(session: Session, sign_ins: Sequence[Mapping[str, Any]]) -> Hop | None:
    """R2c: the console's `SwitchRole` names its source, even without the caller's own log."""
    if session.created is None:
        return None
    switch = _switch_near(sign_ins, session.created)
    if switch is None:
        return None
    source = _switch_source(switch)
    if source is None:
        return None
    mint = Mint(switch, (str(switch["event_id"]),))
    return replace(
        _hop(
            session,
            mint,
            method="switch_role",
            rule="R2c",
            confidence="high",
            candidates=[mint],
            distance_from=session.created,
        ),
        by=_switched_from(source, switch),
        by_label_field="additionalEventData.SwitchFrom",
        console=True,
        role_arn=session.role_arn,
        session_name=session.session_name,
    )


def _switch_near(
    sign_ins: Sequence[Mapping[str, Any]], created: datetime
) -> Mapping[str, Any] | None:
    switches = [
        row
        for row in sign_ins
        if row["event_name"] in ("SwitchRole", "RenewRole")
        and abs(row["event_time"] - created) <= CLOCK_SKEW
    ]
    return min(
        switches,
        key=lambda row: (_nearness(row["event_time"], created), row["event_id"]),
        default=None,
    )


def _switch_source(switch: Mapping[str, Any]) -> str | None:
    source = json_object(switch["additional_event_data"]).get("SwitchFrom")
    return source if isinstance(source, str) and source.startswith("arn:") else None


def _switched_from(arn: str, switch: Mapping[str, Any]) -> Session:
    parts = arn.split(":", 5)
    resource = parts[5] if len(parts) == 6 else ""
    kind = "Unknown"
    if resource.startswith("assumed-role/"):
        kind = "AssumedRole"
    elif resource.startswith("user/"):
        kind = "IAMUser"
    elif resource == "root":
        kind = "Root"
    elif resource.startswith("federated-user/"):
        kind = "FederatedUser"
    return Session(
        type=kind,
        arn=arn,
        role_arn=role_arn_of(arn),
        session_name=session_in(arn),
        account_id=parts[4] if len(parts) == 6 else None,
        user_name=resource.rpartition("/")[2] if kind == "IAMUser" else None,
        seen=switch["event_time"],
        seen_until=switch["event_time"],
        from_console=True,
    )


def _shared_sign_in(session: Session, sign_ins: Sequence[Mapping[str, Any]]) -> Hop | None:
    """R2d: a command line or CloudShell that borrowed a console session of the same person.

    The borrowed credential keeps the console session's principal and creation date, so it is only
    looked for when the use itself did not come from the console (§0 fact 7).
    """
    by_console = {"user_agent": session.user_agent, "invoked_by": session.invoked_by}
    if session.from_console or is_console_call(by_console):
        return None
    agent = session.user_agent or ""
    in_cloudshell = "exec-env/CloudShell" in agent
    names = (
        ("PutCredentials", "CreateSession")
        if in_cloudshell
        else ("CreateOAuth2Token", "AuthorizeOAuth2Access")
    )
    fitting = []
    for row in sign_ins:
        if row["event_name"] not in names:
            continue
        if (row["event_source"] == "cloudshell.amazonaws.com") != in_cloudshell:
            continue
        if session.seen_until is not None and row["event_time"] > session.seen_until + CLOCK_SKEW:
            continue
        same_arn = (
            session.sign_in_session_arn is not None
            and row["sign_in_session_arn"] == session.sign_in_session_arn
        )
        same_date = session.created is not None and row["session_created"] == session.created
        if same_arn or same_date:
            fitting.append((row, same_arn))
    # The token's own call is the nearest; its authorisation in the browser stands behind it.
    fitting.sort(
        key=lambda fit: (
            fit[0]["event_name"] != names[0],
            not fit[1],
            -fit[0]["event_time"].timestamp(),
            fit[0]["event_id"],
        )
    )
    if not fitting:
        return None
    row, same_arn = fitting[0]
    mint = Mint(row, (str(row["event_id"]),))
    hop = _hop(
        session,
        mint,
        method="signin_session",
        rule="R2d",
        confidence="high" if same_arn else "medium",
        candidates=[
            Mint(other, (str(other["event_id"]),))
            for other, _ in fitting
            if other["event_name"] == row["event_name"]
        ],
        distance_from=session.seen,
    )
    browser = [other for other, _ in fitting if other["event_name"] == "AuthorizeOAuth2Access"]
    caveats: tuple[str, ...] = ()
    if browser and browser[0]["source_ip_address"] != row["source_ip_address"]:
        caveats = (
            "The browser that authorised this command-line login was at"
            f" {browser[0]['source_ip_address']}, the command line at"
            f" {row['source_ip_address']}: a sign of phishing where they should be one machine.",
        )
    caller = session_of_caller(row)
    return replace(
        hop,
        # The console session that was borrowed, which is explained next.
        by=replace(
            caller,
            principal_id=caller.principal_id or session.principal_id,
            arn=caller.arn or session.arn,
            role_arn=caller.role_arn or session.role_arn,
            session_name=caller.session_name or session.session_name,
            created=caller.created or session.created,
            from_console=True,
        ),
        also=tuple(str(other["event_id"]) for other in browser[:1] if other is not row),
        caveats=caveats,
        role_arn=session.role_arn,
        session_name=session.session_name,
    )


def _sign_ins(session: Session, reader: MintReader) -> list[dict[str, Any]]:
    """The sign-in events of the session's own identity over its lifetime so far."""
    end = session.seen_until or session.created
    if end is None or session.identity_id is None:
        return []
    longest = LONGEST_ROLE_SESSION if session.is_role else LONGEST_SESSION
    start = session.created if session.created is not None else end - longest
    start = max(start, end - LONGEST_SESSION) if start <= end else end
    if session.created is not None:
        start = min(start, session.created)
    return reader.sign_ins([session.identity_id], start - CLOCK_SKEW, end + CLOCK_SKEW)


def _user_session(session: Session, reader: MintReader) -> Hop | None:
    """R0: a user's or root's temporary credential: a console login, GetSessionToken, AssumeRoot."""
    sign_ins = _sign_ins(session, reader)
    if (hop := _shared_sign_in(session, sign_ins)) is not None:
        return hop
    mints = [
        Mint(row, (str(row["event_id"]),))
        for row in sign_ins
        if row["event_name"] in ("ConsoleLogin", "GetSessionToken")
    ]
    if session.created is not None:
        near = [mint for mint in mints if abs(mint.time - session.created) <= CLOCK_SKEW]
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


def _most_recent(session: Session, reader: MintReader) -> Hop | None:
    """R3: the last assumption of that role session which can still have lasted. A guess."""
    end = session.seen or session.created
    if end is None:
        return None
    latest = (session.seen_until or end) + CLOCK_SKEW
    if session.created is not None:
        # A session does not begin before its mint.
        latest = min(latest, session.created + CLOCK_SKEW)
    mints = _mints_for(session, reader, end - LONGEST_SESSION, latest)
    hop = _guess(session, [mint for mint in mints if mint.latest_end >= end])
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
    return _hop(
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


def _hop(
    session: Session,
    mint: Mint,
    *,
    method: Method,
    rule: str,
    confidence: Confidence,
    candidates: Sequence[Mint],
    distance_from: datetime | None,
    others: Sequence[Mint] = (),
) -> Hop:
    by = session_of_caller(mint.row)
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
        confidence=confidence,
        mint=mint,
        by=by,
        by_label_field=_label_field(by),
        time_distance_s=distance,
        candidates=tuple(candidate.event_id for candidate in candidates),
        callers=_distinct_callers(candidates) if len(candidates) > 1 else (),
        source_ip_address=mint.row["source_ip_address"],
        user_agent=mint.row["user_agent"],
        also=(*mint.event_ids[1:], *(other.event_id for other in others)),
        console=is_console_call(mint.row) or mint.event_name == "ConsoleLogin",
        role_arn=_fuller_role_arn(mint.role_arn, session.role_arn),
        session_name=mint.session_name or (session.session_name if session.is_role else None),
    )


def _in_order(hop: Hop) -> Hop:
    """The hop, with a caveat where its times cannot all be true (§3.2)."""
    if hop.mint is None or hop.method == "signin_session":
        return hop
    caveats = []
    caller = hop.by.created
    if caller is not None and hop.mint.time < caller - CLOCK_SKEW:
        caveats.append(
            f"Event {hop.mint.event_id} is older than the session that made it: its times or its"
            " identity were changed, or the logs were."
        )
    used = hop.session.seen_until
    if used is not None and hop.mint.time > used + CLOCK_SKEW:
        caveats.append(
            f"Event {hop.mint.event_id} made this credential after it was used: look for an"
            " earlier use of the same session, or for changed times."
        )
    return replace(hop, caveats=(*hop.caveats, *caveats)) if caveats else hop


def _with_name(hop: Hop, reader: MintReader) -> Hop:
    """The hop with its caller's ARN, where only the role owner's copy of the call is indexed.

    That copy has an id without a name (§0 fact 9); other events of the same id may name it.
    """
    by = hop.by
    if hop.mint is None or by.arn is not None or by.type not in ("AWSAccount", "AssumedRole"):
        return hop
    where = f"account {by.account_id}" if by.account_id else "the caller's account"
    request = hop.mint.row["request_id"]
    caveat = (
        f"Only the role owner's copy of event {hop.mint.event_id} is indexed. The logs of {where}"
        f" have the caller's own copy, with its name and key (request {request})."
    )
    named = None
    if by.identity_id is not None and by.principal_id is not None:
        named = reader.name_of(by.identity_id, hop.mint.time)
    if named is None:
        return replace(hop, caveats=(*hop.caveats, caveat))
    if by.is_role:
        role = named["issuer_arn"] if role_named(named["issuer_arn"]) else None
        by = replace(by, role_arn=role or role_arn_of(named["principal_arn"]))
        if session_in(named["principal_arn"]) == by.session_name:
            by = replace(by, arn=named["principal_arn"])
    else:
        by = replace(
            by,
            type=named["identity_type"] or by.type,
            arn=named["principal_arn"],
            user_name=named["user_name"],
        )
    return replace(
        hop,
        by=by,
        by_label_field="userIdentity.principalId, named by other events",
        caveats=(*hop.caveats, caveat),
    )


def _with_person(hop: Hop, reader: MintReader) -> Hop:
    """The hop with the Identity Center user that a SAML mint of a permission set was for (§2.2)."""
    mint = hop.mint
    if mint is None or mint.event_name != "AssumeRoleWithSAML":
        return hop
    role = mint.role
    if role is None or not role.name.startswith("awsreservedsso_"):
        return hop
    return replace(hop, **_identity_center_user(mint, reader))


def _identity_center_user(mint: Mint, reader: MintReader) -> dict[str, Any]:
    role = mint.role
    if role is None:
        return {}
    permission_set = role.name.removeprefix("awsreservedsso_").rpartition("_")[0]
    rows = reader.identity_center_calls(mint.time - CLOCK_SKEW, mint.time + CLOCK_SKEW)
    fitting = []
    for row in rows:
        details = json_object(row["service_event_details"])
        wanted = json_object(row["request_parameters"])
        account = details.get("account_id") or wanted.get("accountId") or wanted.get("account_id")
        name = details.get("role_name") or wanted.get("roleName") or wanted.get("role_name")
        if str(account) == role.account_id and str(name or "").lower() == permission_set:
            fitting.append(row)
    if not fitting:
        return {}
    best = min(fitting, key=lambda row: (_nearness(row["event_time"], mint.time), row["event_id"]))
    users = {row["on_behalf_of"] or row["user_name"] for row in fitting}
    if len(users) > 1:
        return {
            "caveats": (
                f"{len(users)} Identity Center users asked for this permission set within two"
                " seconds: which of them is told by the session name alone.",
            ),
            "also": tuple(str(row["event_id"]) for row in fitting),
        }
    return {
        "person": {
            "user_id": best["on_behalf_of"],
            "user_name": best["user_name"],
            "field": f"{best['event_name']} userIdentity.onBehalfOf.userId"
            if best["on_behalf_of"]
            else f"{best['event_name']} userIdentity.userName",
        },
        "source_ip_address": best["source_ip_address"],
        "user_agent": best["user_agent"],
        "also": tuple(str(row["event_id"]) for row in fitting),
    }


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


def _distinct_callers(mints: Sequence[Mint]) -> tuple[Mapping[str, Any], ...]:
    callers: dict[object, dict[str, Any]] = {}
    for mint in mints:
        by = session_of_caller(mint.row)
        who = by.arn or by.principal_id or by.invoked_by or by.type
        known = callers.setdefault(
            who,
            {
                "type": by.type,
                "arn": by.arn,
                "principal_id": by.principal_id,
                "user_name": by.user_name,
                "invoked_by": by.invoked_by,
                "count": 0,
                "last": mint.time,
                "event_id": mint.event_id,
            },
        )
        known["count"] += 1
    return tuple(callers.values())


def _nearness(time: datetime, created: datetime) -> tuple[float, bool]:
    """Sorts 0 s first, then one second before, one after, two before… (R2b)."""
    apart = (time - created).total_seconds()
    return abs(apart), apart > 0


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
