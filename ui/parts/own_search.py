"""The event search's filters that find the events of an alert's principal: what bars lead to."""

from __future__ import annotations

from datetime import datetime

from alerts.alert import Alert, Principal
from enrich.entity import Scope, by_identity_id, entity_match
from trail.store import Store

OR = " or "
"""Between the session and the address of the filter `either`."""


def own_filters(
    store: Store,
    alert: Alert,
    principal: Principal,
    window: tuple[datetime, datetime],
    scope: Scope = "entity",
) -> dict[str, str]:
    """The filters for the events that the answers count (§9), by one identity where that is known.

    A role that several identity ids of the window fit is searched by the alert's session.
    """
    match = entity_match(alert, principal, scope=scope)
    if match is None:
        return {}
    found, _ = by_identity_id(match, store, *window)
    bound = {name: str(value) for name, value in found.parameters.items()}
    ids = [value for name, value in bound.items() if name.startswith("entity_id")]
    filters: dict[str, str] = {}
    if len(ids) == 1:
        filters["principal"] = ids[0]
    elif key := bound.get("entity_key"):
        filters["key"] = key
    else:
        name = bound.get("entity_arn") or bound.get("entity_user")
        filters["principal"] = name or principal.arn or principal.principal_id or ""
    session, ip = bound.get("entity_session"), bound.get("entity_ip")
    if session or ip:
        filters["either"] = either(session, ip)
    return {name: value for name, value in filters.items() if value}


def either(session: str | None, ip: str | None) -> str:
    """The filter of that name: the session, the address, or whichever of both an event has."""
    return OR.join(value for value in (session, ip) if value)
