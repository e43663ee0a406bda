"""Whose session a chain is about to explain: what an alert, a record or a mint's caller says of it.

A finding knows less than a record: a key without its creation date, a role without its path. The
events made with the same credential fill the gaps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alerts.alert import Alert, Principal
from enrich.interface import SERVICE_HOST, json_object
from enrich.mints import MintReader
from enrich.role_name import role_arn_of, role_named, session_in
from enrich.sql_text import like_text
from trail.events import SIGN_IN_SOURCES

LONGEST_SESSION = timedelta(hours=36)
"""GetSessionToken and GetFederationToken reach 36 hours; nothing lasts longer (§3.2)."""

ROLE_SESSION_TYPES = frozenset({"AssumedRole", "Role"})

_IDS_OF_OTHERS = ("AIDA", "AROA", "AGPA", "AIPA", "ANPA", "ANVA")
"""How the ids of users, roles and the like begin: some services log one for the access key."""


@dataclass(frozen=True)
class Session:
    """One credential in use, first at `seen` and last at `seen_until`; `created` its creation."""

    type: str
    access_key_id: str | None = None
    principal_id: str | None = None
    arn: str | None = None
    role_arn: str | None = None
    session_name: str | None = None
    created: datetime | None = None
    account_id: str | None = None
    user_name: str | None = None
    source_identity: str | None = None
    on_behalf_of: str | None = None
    sign_in_session_arn: str | None = None
    seen: datetime | None = None
    seen_until: datetime | None = None
    from_console: bool = False
    user_agent: str | None = None
    invoked_by: str | None = None
    user_identity: str | None = None
    """The whole `userIdentity` of one of its events, as JSON text."""
    event_id: str | None = None
    """The credential event, at `seen`, that this was read from without its `userIdentity`."""

    @property
    def identity_id(self) -> str | None:
        """As `trail.events.identity_id_of` files it, where that can be told."""
        if self.type == "Root":
            return self.account_id or self.principal_id
        if self.principal_id is None:
            return self.arn
        if self.on_behalf_of is not None and self.principal_id == self.account_id:
            return self.on_behalf_of
        prefix = self.principal_id.partition(":")[0]
        return prefix if prefix.startswith("AROA") else self.principal_id

    @property
    def is_role(self) -> bool:
        return self.type in ROLE_SESSION_TYPES or (self.principal_id or "").startswith("AROA")

    @property
    def has_long_term_key(self) -> bool:
        # A role never signs with one: AWS's own examples show AKIA keys on assumed roles.
        of_a_session = self.is_role or self.type == "FederatedUser"
        return not of_a_session and (self.access_key_id or "").startswith("AKIA")


@dataclass(frozen=True)
class Uses:
    """What the index shows of one credential in use: groups of events, the largest first."""

    groups: Sequence[Mapping[str, Any]] = ()

    @property
    def events(self) -> int:
        return sum(int(group["events"]) for group in self.groups)

    def identity_field(self, *path: str) -> Any:
        """The first value at a path of `userIdentity` that any of the events has."""
        for group in self.groups:
            value: Any = json_object(group["user_identity"])
            for name in path:
                value = value.get(name) if isinstance(value, Mapping) else None
            if value not in (None, "", {}, []):
                return value
        return None


def session_of_alert(alert: Alert, principal: Principal) -> Session:
    """The session as the alert itself states it."""
    arn = principal.arn
    principal_id = principal.principal_id or None
    session_name = principal.session_name or session_in(arn)
    if principal_id is not None and principal_id.startswith("AROA") and session_name is not None:
        principal_id = f"{principal_id.partition(':')[0]}:{session_name}"
    record = record_in(alert)
    identity = record.get("userIdentity")
    return Session(
        type=principal.type,
        access_key_id=_key(principal.access_key_id),
        principal_id=principal_id,
        arn=arn,
        role_arn=principal.role_arn or role_arn_of(arn),
        session_name=session_name or _after_colon(principal_id),
        created=principal.session_created,
        account_id=principal.account_id or alert.account_id,
        user_name=principal.user_name,
        source_identity=principal.source_identity,
        sign_in_session_arn=principal.sign_in_session_arn,
        seen=alert.first_seen or alert.last_seen or principal.session_created,
        seen_until=alert.last_seen or alert.first_seen or principal.session_created,
        user_agent=alert.user_agent,
        invoked_by=_service_of(alert, principal),
        # What calls these is the console session itself, whatever client is to borrow it (§2.2).
        from_console=alert.event_source in SIGN_IN_SOURCES
        or str(record.get("sessionCredentialFromConsole")).lower() == "true",
        user_identity=json.dumps(identity) if isinstance(identity, dict) else None,
        on_behalf_of=_user_in(identity),
    )


def session_of_caller(row: Mapping[str, Any]) -> Session:
    """The session that made an indexed call."""
    arn = row["principal_arn"]
    principal_id = row["principal_id"]
    kind = row["identity_type"] or "Unknown"
    if kind == "AWSAccount" and str(principal_id or "").startswith("AROA"):
        kind = "AssumedRole"
    return Session(
        type=kind,
        access_key_id=_key(row["access_key_id"]),
        principal_id=principal_id,
        arn=arn,
        role_arn=row["issuer_arn"] if role_named(row["issuer_arn"]) else role_arn_of(arn),
        session_name=row["session_name"],
        created=row["session_created"],
        account_id=row["account_id"],
        user_name=row["user_name"],
        source_identity=row["source_identity"],
        on_behalf_of=row["on_behalf_of"],
        sign_in_session_arn=row["sign_in_session_arn"],
        seen=row["event_time"],
        seen_until=row["event_time"],
        from_console=bool(row["session_from_console"]),
        user_agent=row["user_agent"],
        invoked_by=row["invoked_by"],
        user_identity=row["user_identity"],
        event_id=row["event_id"] if row["user_identity"] is None else None,
    )


def find_uses(session: Session, alert: Alert, reader: MintReader) -> Uses:
    """The events made with the session's credential around the alert, grouped."""
    if session.seen is None or alert.sample:
        return Uses()
    conditions, parameters = _same_credential(session)
    if not conditions:
        return Uses()
    first = session.seen - LONGEST_SESSION
    if session.created is not None and session.created <= session.seen:
        first = max(first, session.created - timedelta(seconds=2))
    last = max(session.seen_until or session.seen, session.seen) + timedelta(hours=1)
    rows = reader.find(
        f"""
        select identity_type, principal_id, principal_arn, account_id, access_key_id, user_name,
          issuer_arn, session_name, session_created, session_from_console, source_identity,
          on_behalf_of, sign_in_session_arn, ec2_role_delivery, invoked_by, source_ip_address,
          count(*) as events, min(event_time) as first, max(event_time) as last,
          min(user_agent) as user_agent, max(user_identity) as user_identity
        from events
        where {" and ".join(conditions)} and event_time >= $first and event_time <= $last
        group by identity_type, principal_id, principal_arn, account_id, access_key_id, user_name,
          issuer_arn, session_name, session_created, session_from_console, source_identity,
          on_behalf_of, sign_in_session_arn, ec2_role_delivery, invoked_by, source_ip_address
        order by count(*) desc, first limit 200
        """,
        {**parameters, "first": first, "last": last},
        first=first,
        last=last,
    )
    return Uses(rows)


def completed(session: Session, uses: Uses, alert: Alert) -> Session:
    """The session with its gaps filled from events that carry the same key, else the same name."""
    same_key = [
        group
        for group in uses.groups
        if session.access_key_id is not None and group["access_key_id"] == session.access_key_id
    ]
    if not same_key and session.created is None and session.access_key_id is not None:
        # Events of the same name alone do not say which session this key is of.
        return session
    groups = same_key or uses.groups
    if not groups:
        return session
    here = [
        group for group in groups if group["source_ip_address"] == alert.source_ip_address
    ] or groups
    best = here[0]
    created = session.created
    if created is None and len({group["session_created"] for group in here}) == 1:
        created = best["session_created"]
    arn = session.arn or best["principal_arn"]
    kind = session.type if session.type != "Unknown" else best["identity_type"] or "Unknown"
    issuer = best["issuer_arn"] if role_named(best["issuer_arn"]) else None
    agrees = session.role_arn is None or role_named(session.role_arn) == role_named(issuer)
    return replace(
        session,
        type=kind,
        principal_id=session.principal_id or best["principal_id"],
        arn=arn,
        # The issuer's ARN has the path that the finding's lacks.
        role_arn=issuer if issuer is not None and agrees else session.role_arn,
        session_name=session.session_name or best["session_name"],
        created=created,
        account_id=best["account_id"] or session.account_id,
        user_name=session.user_name or best["user_name"],
        source_identity=session.source_identity or best["source_identity"],
        on_behalf_of=session.on_behalf_of or best["on_behalf_of"],
        sign_in_session_arn=session.sign_in_session_arn or best["sign_in_session_arn"],
        from_console=session.from_console
        or any(bool(group["session_from_console"]) for group in here),
        user_agent=session.user_agent or here[0]["user_agent"],
        seen=_first_use(session, here),
        invoked_by=here[0]["invoked_by"],
        user_identity=max(
            (session.user_identity or "", *(group["user_identity"] or "" for group in groups)),
            key=lambda text: ("inScopeOf" in text, "ec2RoleDelivery" in text, text),
        )
        or None,
    )


def record_in(alert: Alert) -> Mapping[str, Any]:
    """The CloudTrail record that the alert is, so that it need not be indexed to be read."""
    record = json_object(alert.raw)
    inner = record.get("detail", record)
    if isinstance(inner, Mapping) and inner.get("eventID") == alert.event_id and alert.event_id:
        return inner
    return {}


def _service_of(alert: Alert, principal: Principal) -> str | None:
    """The AWS service that acted, by the name it gave or else by its host."""
    if principal.type != "AWSService":
        return None
    host = alert.source_ip_address
    named = principal.principal_id or principal.user_name
    return named or (host if host is not None and SERVICE_HOST.match(host) else None)


def _key(text: str | None) -> str | None:
    """An access key id; none where a record says "Unknown" or shows another kind of id."""
    if not text or text.casefold() == "unknown" or text.startswith(_IDS_OF_OTHERS):
        return None
    return text


def _user_in(identity: object) -> str | None:
    behalf = identity.get("onBehalfOf") if isinstance(identity, Mapping) else None
    user = behalf.get("userId") if isinstance(behalf, Mapping) else None
    return user if isinstance(user, str) and user else None


def _first_use(session: Session, groups: Sequence[Mapping[str, Any]]) -> datetime | None:
    """When the credential was used first within the alert: a window may open before the session."""
    first: datetime | None = min((group["first"] for group in groups), default=None)
    if first is None or session.seen is None or session.seen_until is None:
        return session.seen
    return first if session.seen <= first <= session.seen_until else session.seen


def _same_credential(session: Session) -> tuple[list[str], dict[str, Any]]:
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
    if session.access_key_id is not None and session.created is None:
        conditions.append("access_key_id = $key")
        parameters["key"] = session.access_key_id
    elif session.created is not None and conditions:
        # A console session's keys change with every request; its creation date does not.
        conditions.append("session_created = $created")
        parameters["created"] = session.created
    elif session.access_key_id is not None:
        conditions.append("access_key_id = $key")
        parameters["key"] = session.access_key_id
    elif session.session_name is not None and (role := role_named(session.role_arn)):
        conditions += ["session_name = $session_name", "account_id = $account_id"]
        conditions.append("lower(issuer_arn) like $role_end escape '!'")
        parameters |= {
            "session_name": session.session_name,
            "account_id": role.account_id,
            "role_end": f"%/{like_text(role.name)}",
        }
    elif not session.is_role and session.arn is not None and not conditions:
        conditions.append("principal_arn = $arn")
        parameters["arn"] = session.arn
    return conditions, parameters


def _after_colon(principal_id: str | None) -> str | None:
    if principal_id is None or not principal_id.startswith("AROA"):
        return None
    return principal_id.partition(":")[2] or None
