"""Whether the calls counted for a role's session are all other sessions' of the role.

A session's calls are those of its name or from the alert's address (§9). Where none is of its name,
what others did from that address must not pass for its own.
"""

from __future__ import annotations

from alerts.alert import Principal
from enrich.entity import Match, role_name_of
from enrich.sql_text import values_in
from enrich.window import Window
from enrich.words import listed, short
from trail.access_keys import is_stand_in
from trail.store import Query, Store

MOST_NAMED = 6


def all_of_others(
    match: Match, principal: Principal, store: Store, window: Window
) -> tuple[tuple[str, ...], tuple[Query, ...]]:
    """The caveat that says so, with whose the calls are; none where one is the session's own."""
    session, address = (match.parameters.get(f"entity_{name}") for name in ("session", "ip"))
    if match.role_filter is None or session is None or address is None or is_stand_in(session):
        return (), ()
    sql = f"""
        select session_name, count(*) as events from events
        where event_time >= $window_first and event_time <= $window_last and {match.sql}
        group by session_name
        order by coalesce(session_name = $entity_session, false) desc, events desc, session_name
        limit {MOST_NAMED}
    """
    bound = {**match.parameters, "window_first": window.first, "window_last": window.last}
    found = store.query(sql, values_in(sql, bound), first=window.first, last=window.last)
    names = [row["session_name"] for row in found.rows]
    if not names or any(name is None or name == session or is_stand_in(name) for name in names):
        return (), (found.query,)
    role = role_name_of(principal)
    of_role = f" of role {short(role)}" if role else ""
    return (
        f"Session {short(str(session))}{of_role} made none of these calls: other sessions of the"
        f" role did ({listed(map(short, names))}), from the alert's address {short(str(address))}.",
    ), (found.query,)
