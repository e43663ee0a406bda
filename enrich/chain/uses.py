"""What other records add to an alert's session, and which of them may lend it a creation date.

Two people behind one address can use one session name at the same time, so a creation date is
borrowed only from the records of the alert's own call, of its own key, or of the same session and
address (§3.4 rule 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alerts.alert import Alert
from enrich.chain.claims import LONGEST_ROLE_SESSION
from enrich.chain.mints import CLOCK_SKEW, MintReader
from enrich.chain.session import LONGEST_SESSION, DatedBy, Session
from enrich.facts.role_name import role_named
from enrich.sql_text import like_text
from trail.access_keys import is_access_key, is_stand_in

_GROUPED = """identity_type, principal_id, principal_arn, account_id, access_key_id, user_name,
 issuer_arn, session_name, session_created, session_from_console, source_identity, on_behalf_of,
 sign_in_session_arn, ec2_role_delivery, invoked_by, source_ip_address"""

Group = Mapping[str, Any]
"""Events that are alike in all of `_GROUPED`: how many, how many of them are the alert's own."""


@dataclass(frozen=True)
class Uses:
    """What the index shows of one session in use: groups of events, the likest to the alert first.

    They are of the session's principal, and of its key or creation date where it has one.
    """

    groups: Sequence[Group] = ()


def find_uses(session: Session, alert: Alert, reader: MintReader) -> Uses:
    """The events made under the session's name, or with its key, around the alert."""
    if session.seen is None or alert.sample:
        return Uses()
    conditions, parameters = _same_session(session)
    if not conditions:
        return Uses()
    first = session.seen - LONGEST_SESSION
    if session.created is not None and session.created <= session.seen:
        first = max(first, session.created - CLOCK_SKEW)
    last = max(session.seen_until or session.seen, session.seen) + timedelta(hours=1)
    own, own_parameters = _own_call(session, alert)
    rows = reader.find(
        f"""
        select {_GROUPED}, count(*) filter (where {own}) as own,
          count(*) as events, min(event_time) as first, max(event_time) as last,
          min(user_agent) as user_agent, max(user_identity) as user_identity,
          min(event_id) as event_id
        from events
        where {" and ".join(conditions)} and event_time >= $first and event_time <= $last
        group by {_GROUPED}
        order by count(*) filter (where {own}) > 0 desc,
          coalesce(access_key_id = $used_key, false) desc,
          coalesce(source_ip_address = $address, false) desc, count(*) desc, first limit 200
        """,
        {
            **parameters,
            **own_parameters,
            "used_key": session.access_key_id or "",
            "address": alert.source_ip_address or "",
            "first": first,
            "last": last,
        },
        first=first,
        last=last,
    )
    return Uses(rows)


def completed(session: Session, uses: Uses, alert: Alert) -> Session:
    """The session with its gaps filled from the records that may fill them."""
    if session.created is not None:
        # A key tells sessions of one second apart; without one, they are alike.
        same_key = _with_key(uses.groups, session.access_key_id)
        filled = _filled(session, same_key or uses.groups, uses, alert)
        borrows = session.access_key_id is not None and not same_key and session.user_agent is None
        return replace(filled, client_is_borrowed=borrows)
    lent = _lenders(session, uses, alert)
    if session.type == "FederatedUser":
        session = replace(session, issuers=_issuers(session, uses))
    if lent is None:
        known_alone = session.access_key_id is None or _with_key(uses.groups, session.access_key_id)
        return _of_the_role(session, uses) if known_alone else session
    groups, dated_by = lent
    dates = {group["session_created"] for group in groups}
    created = next(iter(dates)) if len(dates) == 1 else None
    key = session.access_key_id
    keys = {group["access_key_id"] for group in groups if is_access_key(group["access_key_id"])}
    borrows_key = key is None and len(keys) == 1 and dated_by != "same_key"
    session = _filled(session, groups, uses, alert)
    return replace(
        session,
        created=created,
        dated_by=dated_by if created is not None else "own",
        access_key_id=next(iter(keys)) if borrows_key else key,
        key_is_borrowed=borrows_key,
        # The key itself says which session it is, where the alert states it.
        contested=key is None and _contested(session, uses, created),
    )


def _lenders(session: Session, uses: Uses, alert: Alert) -> tuple[Sequence[Group], DatedBy] | None:
    """The groups that may say more of the session than the alert does, and by what right.

    None is later than the alert, and all agree on which session it was: else nobody knows.
    """
    key = session.access_key_id
    last = session.seen_until or session.seen
    possible = [
        group
        for group in uses.groups
        if last is None
        or group["session_created"] is None
        or group["session_created"] <= last + CLOCK_SKEW
    ]
    same_key = _with_key(possible, key)
    own = [group for group in (same_key if key else possible) if group["own"]]
    here = [
        group
        for group in possible
        if alert.source_ip_address is not None
        and group["source_ip_address"] == alert.source_ip_address
        and not _had_ended(session, group)
    ]
    is_moment = session.seen == session.seen_until and not session.only_before
    for groups, dated_by in (
        (own, "own_call" if key or is_moment else "same_address"),
        (same_key, "same_key"),
        ([] if key else here, "same_address"),
    ):
        if groups:
            # The first that has anything decides: what it leaves open, others only guess.
            told = {(group["session_created"], group["issuer_arn"]) for group in groups}
            alike = len(told) == 1
            return (groups, dated_by) if alike else None  # type: ignore[return-value]
    return None


def _issuers(session: Session, uses: Uses) -> tuple[Mapping[str, Any], ...]:
    """Whom the records of the sessions that can be meant name as who issued them; nobody where
    all name one."""
    last = session.seen_until or session.seen
    found: dict[str, dict[str, Any]] = {}
    for group in uses.groups:
        created, arn = group["session_created"], group["issuer_arn"]
        late = created is not None and last is not None and created > last + CLOCK_SKEW
        if not arn or is_stand_in(arn) or late or _had_ended(session, group):
            continue
        known = found.setdefault(
            arn,
            {
                "type": "Root" if arn.endswith(":root") else "IAMUser",
                "arn": arn,
                "principal_id": None,
                "user_name": None if arn.endswith(":root") else arn.rpartition("/")[2],
                "invoked_by": None,
                "count": 0,
                "last": group["last"],
                "event_id": group["event_id"],
            },
        )
        known["count"] += group["events"]
        known["last"] = max(known["last"], group["last"])
    return tuple(found.values()) if len(found) > 1 else ()


def _had_ended(session: Session, group: Group) -> bool:
    """Whether a session of that creation date was over, whatever made it, before the alert's use.

    A session name comes again: the next day's use from one address is of another session.
    """
    created = group["session_created"]
    if created is None or session.seen is None or session.only_before:
        return False
    longest = LONGEST_ROLE_SESSION if session.is_role else LONGEST_SESSION
    return bool(session.seen > created + longest + CLOCK_SKEW)


def _contested(session: Session, uses: Uses, created: datetime | None) -> bool:
    """Whether another session of the same name can have made the call as well."""
    first, last = session.seen, session.seen_until or session.seen
    if created is None or first is None or last is None:
        return False
    return any(
        group["session_created"] not in (None, created)
        and first - LONGEST_ROLE_SESSION <= group["session_created"] <= last + CLOCK_SKEW
        for group in uses.groups
    )


def _with_key(groups: Sequence[Group], key: str | None) -> list[Group]:
    return [group for group in groups if key is not None and group["access_key_id"] == key]


def _of_the_role(session: Session, uses: Uses) -> Session:
    """The session with what all sessions of its name share, and nothing of any one of them."""
    if not uses.groups:
        return session
    best = uses.groups[0]
    if session.type == "FederatedUser" and len({one["issuer_arn"] for one in uses.groups}) > 1:
        return session  # several users gave out sessions of this name
    issuer = best["issuer_arn"] if role_named(best["issuer_arn"]) else None
    agrees = session.role_arn is None or role_named(session.role_arn) == role_named(issuer)
    return replace(
        session,
        type=session.type if session.type != "Unknown" else best["identity_type"] or "Unknown",
        principal_id=session.principal_id or best["principal_id"],
        arn=_arn_of(session, best),
        # The issuer's ARN has the path that the finding's lacks.
        role_arn=issuer if issuer is not None and agrees else session.role_arn,
        session_name=session.session_name or best["session_name"],
        account_id=best["account_id"] or session.account_id,
        user_name=session.user_name or best["user_name"],
        issuer_arn=session.issuer_arn
        or (best["issuer_arn"] if best["identity_type"] == "FederatedUser" else None),
        # An instance's or a function's sessions follow each other under one name.
        user_identity=session.user_identity or _telling_identity(uses.groups),
    )


def _arn_of(session: Session, best: Group) -> str | None:
    """The record's ARN, where the alert is none and both have one id: a finding's was built from
    a name, and lacks the path that a user may have."""
    recorded: str | None = best["principal_arn"]
    if recorded is None or is_stand_in(recorded.rpartition("/")[2]):
        return session.arn
    same = session.principal_id is not None and session.principal_id == best["principal_id"]
    return recorded if same and session.user_identity is None else session.arn or recorded


def _filled(session: Session, groups: Sequence[Group], uses: Uses, alert: Alert) -> Session:
    """The session with what these groups of its own events say."""
    if not groups:
        return session
    here = [
        group for group in groups if group["source_ip_address"] == alert.source_ip_address
    ] or list(groups)
    best = here[0]
    session = _of_the_role(session, Uses([best, *groups]))
    is_record = session.dated_by == "own" and session.user_identity is not None
    # Two sessions of one name can begin in one second: what tells them apart is nobody's then.
    own = [group for group in here if group["own"]] or here
    identities = {group["source_identity"] for group in own}
    mixed = session.source_identity is None and len(identities) > 1
    return replace(
        session,
        source_identity=session.source_identity or (None if mixed else best["source_identity"]),
        source_identity_open=mixed,
        on_behalf_of=session.on_behalf_of or best["on_behalf_of"],
        sign_in_session_arn=session.sign_in_session_arn or best["sign_in_session_arn"],
        from_console=session.from_console
        or (not is_record and any(bool(group["session_from_console"]) for group in here)),
        user_agent=session.user_agent or best["user_agent"],
        invoked_by=session.invoked_by or (None if is_record else best["invoked_by"]),
        seen=_first_use(session, here),
        user_identity=_telling_identity(groups, session.user_identity),
    )


def _telling_identity(groups: Sequence[Group], own: str | None = None) -> str | None:
    """The `userIdentity` that says most of the workload behind it."""
    texts = [own or "", *(group["user_identity"] or "" for group in groups)]
    return (
        max(texts, key=lambda text: ("inScopeOf" in text, "ec2RoleDelivery" in text, text)) or None
    )


def _first_use(session: Session, groups: Sequence[Group]) -> datetime | None:
    """When the credential was used first within the alert: a window may open before the session."""
    first: datetime | None = min((group["first"] for group in groups), default=None)
    if first is None or session.seen is None or session.seen_until is None:
        return session.seen
    return first if session.seen <= first <= session.seen_until else session.seen


def _own_call(session: Session, alert: Alert) -> tuple[str, dict[str, Any]]:
    """The condition that an event is the alert's own call: API, time and address; or its id."""
    ids = [alert.event_id] if alert.event_id is not None else list(alert.event_ids[:20])
    if ids:
        names = [f"own_{number}" for number in range(len(ids))]
        listed = ", ".join(f"${name}" for name in names)
        return f"event_id in ({listed})", dict(zip(names, ids, strict=True))
    if alert.event_name is None or alert.source_ip_address is None or session.only_before:
        return "false", {}
    condition = """(event_name = $api or event_name like $dated_api escape '!')
            and source_ip_address = $address
            and event_time >= $seen and event_time <= $seen_until"""
    parameters = {
        "api": alert.event_name,
        "dated_api": f"{like_text(alert.event_name)}20______%",  # Lambda's, §1.1
        "seen": session.seen,
        "seen_until": session.seen_until or session.seen,
    }
    if alert.event_source is not None and alert.event_source.endswith(".amazonaws.com"):
        condition += " and event_source = $api_source"
        parameters["api_source"] = alert.event_source
    return condition, parameters


def _same_session(session: Session) -> tuple[list[str], dict[str, Any]]:
    """The condition that an event is of the same session, or else of one of the same name."""
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    if session.principal_id is not None and session.identity_id is not None:
        conditions.append("identity_id = $identity_id")
        parameters["identity_id"] = session.identity_id
    if session.is_role and conditions:
        if ":" in str(session.principal_id):
            conditions.append("principal_id = $principal_id")
            parameters["principal_id"] = session.principal_id
        elif session.session_name is not None:
            conditions.append("session_name = $session_name")
            parameters["session_name"] = session.session_name
    if session.created is not None and conditions:
        # A console session's keys change with every request; its creation date does not.
        conditions.append("session_created = $created")
        parameters["created"] = session.created
    elif session.access_key_id is not None and not (conditions and session.is_role):
        conditions.append("access_key_id = $key")
        parameters["key"] = session.access_key_id
    elif conditions:
        pass
    elif session.session_name is not None and (role := role_named(session.role_arn)):
        conditions += ["session_name = $session_name", "account_id = $account_id"]
        conditions.append("lower(issuer_arn) like $role_end escape '!'")
        parameters |= {
            "session_name": session.session_name,
            "account_id": role.account_id,
            "role_end": f"%/{like_text(role.name)}",
        }
    elif not session.is_role and session.arn is not None:
        conditions.append("principal_arn = $arn")
        parameters["arn"] = session.arn
    return conditions, parameters
