"""What the index knows of anything that has a name: an ARN, a key, an IP, an API, a session."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from enrich.calls.acted_upon import ActedUpon, acted_upon
from enrich.calls.calls_sql import calls
from trail.store import Query, Store
from ui.explore.counted_by import counted_by
from ui.kit.keeping import digest_of
from ui.parts.timeline import Activity, count_over_time
from ui.shell import data

MOST = 25
"""Values listed per panel; the event search shows them all."""


@dataclass(frozen=True)
class Kind:
    """A kind of name: what to call it, and the condition that finds its events.

    `search` is the event search's filter of the same meaning, where there is one.
    """

    words: str
    condition: str
    search: str | None = None


KEY = Kind("Access key", "(access_key_id = $of or minted_access_key_id = $of)", "key")
IP = Kind("IP address", "source_ip_address = $of", "ip")
ACCOUNT = Kind("AWS account", "(recipient_account_id = $of or account_id = $of)", "account")
SERVICE = Kind(
    "Service", "(event_source = $of or invoked_by = $of or source_ip_address = $of)", "service"
)
ROLE = Kind("Role", "(issuer_arn = $of or target_role_arn = $of)", "role")
SESSION = Kind("Role session", "principal_arn = $of", "principal")
PRINCIPAL = Kind(
    "Principal",
    "(principal_arn = $of or identity_id = $of or principal_id = $of or user_name = $of)",
    "principal",
)
CALL = Kind("API call", "event_name = $of", "call")
NAME = Kind(
    "Name",
    "(user_name = $of or session_name = $of or target_session_name = $of or source_identity = $of"
    " or on_behalf_of = $of or identity_id = $of or principal_arn = $of or user_agent = $of"
    " or source_ip_address = $of or contains(resources, $of))",
)

_KEY = re.compile(r"(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}")
_ID = re.compile(r"(AIDA|AROA|AGPA|ANPA)[A-Z0-9]{6,}(:.*)?", re.DOTALL)
_CALL = re.compile(r"[A-Z][A-Za-z]+[A-Za-z0-9_]*")


def kind_of(name: str) -> Kind:
    """What sort of thing a name is, by its form alone."""
    if name.startswith("arn:"):
        if ":assumed-role/" in name:
            return SESSION
        return (
            ROLE
            if ":role/" in name
            else PRINCIPAL
            if ":iam:" in name or ":sts:" in name
            else (NAME)
        )
    if _KEY.fullmatch(name):
        return KEY
    if _ID.fullmatch(name):
        return PRINCIPAL
    if name.isdigit() and len(name) == 12:
        return ACCOUNT
    if name.endswith((".amazonaws.com", ".amazonaws.com.cn", ".aws.internal")):
        return SERVICE
    if _is_ip(name):
        return IP
    return NAME


@dataclass(frozen=True)
class Facts:
    kind: Kind
    events: int
    failed: int
    first: datetime | None
    last: datetime | None
    panels: Mapping[str, list[dict[str, Any]]]
    sessions: list[dict[str, Any]]
    made_by: list[dict[str, Any]]
    activity: Activity | None
    named: ActedUpon | None
    """What others' events say of it; only looked for where it has no events of its own."""
    queries: tuple[Query, ...]
    accounts: tuple[str, ...] = ()
    """Whose logs have its events, those with the most first, a few of them."""


PANELS: Mapping[str, tuple[str, str]] = {
    "identities": ("Who", "coalesce(principal_arn, identity_id, identity_type)"),
    "services": ("Services", "event_source"),
    "calls": ("Calls", "event_name"),
    "ips": ("IP addresses", "source_ip_address"),
    "clients": ("Clients", "user_agent"),
    "errors": ("Errors", "error_code"),
    "regions": ("Regions", "aws_region"),
    "keys": ("Access keys", "access_key_id"),
}


def facts(store: Store, name: str, first: datetime, last: datetime) -> Facts:
    """Everything the page shows of a name, over all that is indexed."""
    of_what = f"{store.version()} {digest_of((name, first, last))}"
    return data.kept(of_what, "facts", lambda: _facts(store, name, first, last))


def _facts(store: Store, name: str, first: datetime, last: datetime) -> Facts:
    kind = kind_of(name)
    if kind is NAME and _CALL.fullmatch(name):
        # A bare word may be a call or a user: calls are looked for first.
        called = _totals(store, CALL, name, first, last)
        if called["events"]:
            kind = CALL
    totals = _totals(store, kind, name, first, last)
    queries: list[Query] = [totals["query"]]
    panels: dict[str, list[dict[str, Any]]] = {}
    sessions: list[dict[str, Any]] = []
    made_by: list[dict[str, Any]] = []
    shown: Activity | None = None
    if totals["events"]:
        bound = {"of": name, "span_first": first, "span_last": last}
        panels, query = _panels(store, kind, bound, first, last)
        queries.append(query)
        sessions, query = _sessions(store, kind, bound, first, last)
        queries.append(query)
        seen = totals["first"], totals["last"]
        accounts = [name] if kind is ACCOUNT else None
        shown = replace(
            count_over_time(store, kind.condition, {"of": name}, *seen),
            no_logs=store.coverage(accounts, *seen).missing,
        )
    if kind is KEY:
        found = store.query(
            """
            select event_id, event_time, event_name, event_source, principal_arn, identity_id,
                   source_ip_address, target_role_arn, target_session_name
            from credentials where minted_access_key_id = $of
            order by event_time
            """,
            {"of": name},
        )
        made_by = found.rows
        queries.append(found.query)
    whose = _in(name)
    if totals["events"] and not whose:
        whose, query = _accounts(store, kind, name, first, last)
        queries.append(query)
    named = None
    if not totals["events"] and not made_by:
        named = acted_upon(name, store, first, last)
        queries += named.queries
    return Facts(
        kind,
        totals["events"],
        totals["failed"],
        totals["first"],
        totals["last"],
        panels,
        sessions,
        made_by,
        shown,
        named,
        tuple(queries),
        whose,
    )


MOST_ACCOUNTS = 3
_ACCOUNT = re.compile(r"arn:[^:]*:[^:]*:[^:]*:(\d{12}):.*|(\d{12})", re.DOTALL)


def _in(name: str) -> tuple[str, ...]:
    """The account that a name tells."""
    match = _ACCOUNT.fullmatch(name)
    return () if match is None else (match[1] or match[2],)


def _accounts(
    store: Store, kind: Kind, name: str, first: datetime, last: datetime
) -> tuple[tuple[str, ...], Query]:
    """Whose logs have its events."""
    found = store.query(
        f"""
        select recipient_account_id as account, count(*) as events from events
        where event_time >= $span_first and event_time <= $span_last and {kind.condition}
          and recipient_account_id is not null
        group by 1 order by events desc, account limit {MOST_ACCOUNTS}
        """,
        {"of": name, "span_first": first, "span_last": last},
        first=first,
        last=last,
    )
    return tuple(row["account"] for row in found.rows), found.query


def _totals(store: Store, kind: Kind, name: str, first: datetime, last: datetime) -> dict[str, Any]:
    found = store.query(
        f"""
        select {calls()} as events, {calls("failed")} as failed,
               min(event_time) as first, max(event_time) as last
        from events
        where event_time >= $span_first and event_time <= $span_last and {kind.condition}
        """,
        {"of": name, "span_first": first, "span_last": last},
        first=first,
        last=last,
    )
    return found.rows[0] | {"query": found.query}


def _panels(
    store: Store, kind: Kind, bound: Mapping[str, Any], first: datetime, last: datetime
) -> tuple[dict[str, list[dict[str, Any]]], Query]:
    """Counts by each panel's property; of one value more than is shown, to tell that there is."""
    fields = {name: sql for name, (_, sql) in PANELS.items()}
    condition = f"event_time >= $span_first and event_time <= $span_last and {kind.condition}"
    return counted_by(store, fields, condition, bound, (first, last), MOST + 1)


def _sessions(
    store: Store, kind: Kind, bound: Mapping[str, Any], first: datetime, last: datetime
) -> tuple[list[dict[str, Any]], Query]:
    """Sessions told apart by principal and creation time, newest first."""
    found = store.query(
        f"""
        select principal_arn, session_name, session_created, {calls()} as events,
               {calls("failed")} as failed, min(event_time) as first,
               max(event_time) as last, min(source_ip_address) as an_ip,
               count(distinct source_ip_address) as ips
        from events
        where event_time >= $span_first and event_time <= $span_last and {kind.condition}
          and session_created is not null
        group by all
        order by session_created desc, principal_arn
        limit {MOST + 1}
        """,
        bound,
        first=first,
        last=last,
    )
    return found.rows, found.query


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
