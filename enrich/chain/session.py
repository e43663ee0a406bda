"""Whose session a chain is about to explain: what an alert, a record or a mint's caller says of it.

A finding knows less than a record: a key without its creation date, a role without its path. What
other records add is `enrich.chain.uses`'s part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from alerts.alert import Alert, Principal
from enrich.entity import is_of_unnamed_account
from enrich.facts.actor import Acting, Actor, actor_of
from enrich.facts.interface import SERVICE_HOST, json_object
from enrich.facts.role_name import role_arn_of, role_named, session_in
from trail.access_keys import is_access_key, is_stand_in
from trail.events import SIGN_IN_SOURCES

LONGEST_SESSION = timedelta(hours=36)
"""GetSessionToken and GetFederationToken reach 36 hours; nothing lasts longer (§3.2)."""

ROLE_SESSION_TYPES = frozenset({"AssumedRole", "Role"})

DatedBy = Literal["own", "own_call", "same_key", "same_address"]
"""Where a session's creation date is from (§3.4 rule 4): the alert or record itself; the record of
the very call that the alert is about; other records of the same key, or of the same session and
address."""


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
    source_identity_open: bool = False
    """Whether the events that it can be of have several, or only some of them any."""
    on_behalf_of: str | None = None
    sign_in_session_arn: str | None = None
    seen: datetime | None = None
    seen_until: datetime | None = None
    from_console: bool = False
    address: str | None = None
    """Where the use came from, as its record or the alert has it."""
    user_agent: str | None = None
    invoked_by: str | None = None
    user_identity: str | None = None
    """The whole `userIdentity` of one of its events, as JSON text."""
    event_id: str | None = None
    """The credential event, at `seen`, that this was read from without its `userIdentity`."""
    ec2_role_delivery: str | None = None
    mfa: bool = False
    """Whether the record says that the session was signed in to with MFA."""
    issuer_arn: str | None = None
    """Of a federated user: the user whom AWS names as the one that issued the session."""
    issuers: tuple[Mapping[str, Any], ...] = ()
    """Of a federated user of whom several sessions can be meant: whom their own records name as
    who issued them, each as a caller, where that is more than one."""
    dated_by: DatedBy = "own"
    key_is_borrowed: bool = False
    """The key is not the alert's own word, but that of the record of the alert's call."""
    client_is_borrowed: bool = False
    """Whether the use was the console's, a command line's or a service's is only known of other
    calls of its creation date, made with other keys than the alert's."""
    contested: bool = False
    """`created` is not the alert's own, and other sessions of the name were in use then."""
    only_before: bool = False
    """`seen` and `seen_until` are only a time by which the session was in use: a fall-back."""

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
    def is_nameless(self) -> bool:
        """Whether nothing says whose it is: a record shows neither a name nor an id, or masks."""
        if self.type in ("AWSService", "SAMLUser", "WebIdentityUser", "Root"):
            return False  # told by what the record was asked for, or by an account
        named = self.arn or self.principal_id or self.user_name or self.on_behalf_of
        return not (named or role_named(self.role_arn))

    @property
    def is_role(self) -> bool:
        return self.type in ROLE_SESSION_TYPES or (self.principal_id or "").startswith("AROA")

    @property
    def has_long_term_key(self) -> bool:
        # A role never signs with one: AWS's own examples show AKIA keys on assumed roles.
        of_a_session = self.is_role or self.type == "FederatedUser"
        return not of_a_session and (self.access_key_id or "").startswith("AKIA")


def session_of_alert(alert: Alert, principal: Principal) -> Session:
    """The session as the alert itself states it."""
    arn = principal.arn
    principal_id = _id(principal.principal_id)
    session_name = principal.session_name or session_in(arn)
    if principal_id is not None and principal_id.startswith("AROA") and session_name is not None:
        principal_id = f"{principal_id.partition(':')[0]}:{session_name}"
    record = record_in(alert)
    identity = record.get("userIdentity")
    earliest, latest = alert.used_between
    first, last = earliest or latest, latest or earliest
    created = principal.session_created
    if created is None and _began_it(record):
        created = first
    return Session(
        type=principal.type,
        access_key_id=_key(principal.access_key_id),
        principal_id=principal_id,
        arn=arn,
        role_arn=principal.role_arn if role_named(principal.role_arn) else role_arn_of(arn),
        session_name=session_name or _after_colon(principal_id),
        created=created,
        account_id=principal.account_id
        or (None if is_of_unnamed_account(principal) else alert.account_id),
        user_name=principal.user_name,
        source_identity=principal.source_identity,
        sign_in_session_arn=principal.sign_in_session_arn,
        seen=first or principal.session_created,
        seen_until=last or principal.session_created,
        only_before=earliest is None and latest is not None,
        address=alert.source_ip_address,
        user_agent=alert.user_agent,
        invoked_by=_service_of(alert, principal) or _invoker_in(identity),
        issuer_arn=_issuer(principal.type, principal.role_arn),
        # What calls these is the console session itself, whatever client is to borrow it (§2.2).
        from_console=alert.event_source in SIGN_IN_SOURCES
        or str(record.get("sessionCredentialFromConsole")).lower() == "true",
        user_identity=json.dumps(identity) if isinstance(identity, dict) else None,
        on_behalf_of=_user_in(identity),
    )


def session_of_caller(row: Mapping[str, Any]) -> Session:
    """The session that made an indexed call."""
    arn = _arn(row["principal_arn"])
    principal_id = _id(row["principal_id"])
    kind = row["identity_type"] or "Unknown"
    if kind == "AWSAccount" and str(principal_id or "").startswith("AROA"):
        kind = "AssumedRole"
    return Session(
        type=kind,
        access_key_id=_key(row["access_key_id"]),
        principal_id=principal_id,
        arn=arn,
        role_arn=row["issuer_arn"] if role_named(row["issuer_arn"]) else role_arn_of(arn),
        session_name=_id(row["session_name"]),
        created=row["session_created"],
        account_id=row["account_id"],
        user_name=_id(row["user_name"]),
        source_identity=row["source_identity"],
        on_behalf_of=row["on_behalf_of"],
        sign_in_session_arn=row["sign_in_session_arn"],
        seen=row["event_time"],
        seen_until=row["event_time"],
        from_console=bool(row["session_from_console"]),
        address=row["source_ip_address"],
        user_agent=row["user_agent"],
        invoked_by=row["invoked_by"],
        ec2_role_delivery=row["ec2_role_delivery"],
        mfa=bool(row.get("mfa")),
        issuer_arn=_issuer(kind, row["issuer_arn"]),
        user_identity=row["user_identity"],
        event_id=row["event_id"] if row["user_identity"] is None else None,
    )


def actor_in(session: Session, event_name: str | None = None) -> Actor:
    """Who acts in a session, by its own fields; `event_name` where it is one call's."""
    identity = json_object(session.user_identity)
    return actor_of(
        Acting(
            type=session.type,
            identity=identity,
            arn=session.arn,
            role_arn=session.role_arn,
            session_name=session.session_name,
            source_identity=session.source_identity,
            on_behalf_of=session.on_behalf_of,
            invoked_by=session.invoked_by,
            from_console=session.from_console,
            ec2_role_delivery=session.ec2_role_delivery,
            mfa=session.mfa,
            source_ip_address=session.address,
            user_agent=session.user_agent,
            event_name=event_name,
        )
    )


def record_in(alert: Alert) -> Mapping[str, Any]:
    """The CloudTrail record that the alert is, so that it need not be indexed to be read."""
    record = json_object(alert.raw)
    inner = record.get("detail", record)
    if isinstance(inner, Mapping) and inner.get("eventID") == alert.event_id and alert.event_id:
        return inner
    return {}


def _began_it(record: Mapping[str, Any]) -> bool:
    """Whether the alert is the console's own record of the switch that began its session, which
    shows no creation date (§2.2)."""
    return (
        record.get("eventSource") in SIGN_IN_SOURCES
        and record.get("eventName") == "SwitchRole"
        and record.get("errorCode") is None
        and json_object(record.get("responseElements")).get("SwitchRole") == "Success"
    )


def _service_of(alert: Alert, principal: Principal) -> str | None:
    """The AWS service that acted, by the name it gave or else by its host."""
    if principal.type != "AWSService":
        return None
    host = alert.source_ip_address
    named = principal.principal_id or principal.user_name
    return named or (host if host is not None and SERVICE_HOST.match(host) else None)


def _key(text: str | None) -> str | None:
    """An access key id; none where a record shows a mask, a word or another kind of id."""
    return text if is_access_key(text) else None


def _id(text: str | None) -> str | None:
    """A principal id; none where it was masked: equal masks are no equal principals."""
    return None if not text or is_stand_in(text) else text


def _arn(text: str | None) -> str | None:
    """An ARN; none where it, or the name at its end, was masked."""
    return None if not text or is_stand_in(text.rpartition("/")[2]) else _id(text)


def _issuer(kind: str, arn: str | None) -> str | None:
    return arn if kind == "FederatedUser" and arn and not is_stand_in(arn) else None


def _invoker_in(identity: object) -> str | None:
    invoked_by = identity.get("invokedBy") if isinstance(identity, Mapping) else None
    return invoked_by if isinstance(invoked_by, str) and invoked_by else None


def _user_in(identity: object) -> str | None:
    behalf = identity.get("onBehalfOf") if isinstance(identity, Mapping) else None
    user = behalf.get("userId") if isinstance(behalf, Mapping) else None
    return user if isinstance(user, str) and user else None


def _after_colon(principal_id: str | None) -> str | None:
    if principal_id is None or not principal_id.startswith("AROA"):
        return None
    return principal_id.partition(":")[2] or None
