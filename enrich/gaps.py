"""An alert that says too little, completed from the index: an event id, a key or an ARN alone.

Pasted text often names one thing and no time. The event it names, or the newest event of the
identity it names, then says who, when and what; a note on the alert says that it was filled in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from alerts import parse_alerts
from alerts.alert import Alert, Principal
from alerts.parse import NO_TIME
from enrich.calls.acted_upon import at_what_was_done_to_it
from enrich.cited_time import with_its_events_time
from trail.access_keys import is_access_key, is_stand_in
from trail.errors import AlertUnrecognised, SourceUnreadable
from trail.store import Store

_FILLED = (
    "first_seen",
    "last_seen",
    "account_id",
    "region",
    "source_ip_address",
    "user_agent",
    "event_source",
    "event_name",
    "error_code",
    "event_id",
)


def fill_gaps(alert: Alert, store: Store) -> Alert:
    """The alert itself when it states a time and an identity, or when the index cannot help."""
    alert = with_its_events_time(alert, store)
    if alert.sample or (alert.first_seen is not None and _is_named(alert.principals)):
        return alert
    cited = alert.event_id or next(iter(alert.event_ids), None)
    event_id, names_session = (cited, True) if cited else _newest_event(alert, store)
    if event_id is None:
        return at_what_was_done_to_it(alert, store)
    try:
        record = store.raw_records([event_id]).get(event_id)
        found = parse_alerts(record)[0] if record is not None else None
    except (SourceUnreadable, AlertUnrecognised) as error:
        return replace(alert, notes=(*alert.notes, str(error)))
    if found is None:
        note = f"Event {event_id} is not in the index, so it could not be looked up."
        return replace(alert, notes=_with(alert, note))
    # Another event of the same key says who it is, and nothing about the time that was stated.
    taken = _FILLED if cited or alert.first_seen is None else ("account_id",)
    missing = {name: getattr(found, name) for name in taken if getattr(alert, name) is None}
    given = any(value is not None for value in missing.values())
    if not given and found.principals == alert.principals:
        return alert  # it is the record itself
    note = f"What the alert does not state was taken from event {event_id} in the index."
    filled = replace(
        alert,
        **missing,
        # The record names its identity in full; the text's own mention is a part of it.
        principals=found.principals,
        notes=_with(alert, note, timed="first_seen" in missing),
        origins={**alert.origins, **dict.fromkeys(missing, f"event {event_id}")},
    )
    if names_session:
        # What the alert itself says of its time is not this event's, unless it cites it.
        unread = bool(alert.unread_times) and not cited and "first_seen" in missing
        return replace(filled, time_is_fallback=True) if unread else filled
    # Any event of its name says who it is, and neither which of its sessions nor when it was.
    return replace(
        filled,
        principals=tuple(_named_by(one, found.principals) for one in alert.principals),
        time_is_fallback=True,
    )


def _with(alert: Alert, note: str, *, timed: bool = False) -> tuple[str, ...]:
    """The alert's notes with one more; that it has no time is said only while it has none."""
    kept = (one for one in alert.notes if not (timed and one == NO_TIME))
    return tuple(dict.fromkeys([*kept, note]))


def _is_named(principals: Sequence[Principal]) -> bool:
    # A name of unknown kind may be a user's or a role's: the events of its key say which.
    return any(
        one.arn or one.principal_id or one.role_arn or (one.user_name and one.type != "Unknown")
        for one in principals
    )


_OF_ONE_SESSION = frozenset(
    {"access_key_id", "session_created", "source_identity", "sign_in_session_arn"}
)


def _named_by(principal: Principal, found: Sequence[Principal]) -> Principal:
    """The principal with what an event of its name says of all its sessions."""
    if not found:
        return principal
    known = {
        one.name: getattr(found[0], one.name)
        for one in fields(Principal)
        if getattr(principal, one.name) is None and one.name not in _OF_ONE_SESSION
    }
    if principal.type == "Unknown":
        known["type"] = found[0].type
    # A role's ARN is what its sessions are called by in records.
    if principal.arn is not None and principal.arn == found[0].role_arn:
        known["arn"] = found[0].arn
    return replace(principal, **known)


def _key(principal: Principal) -> str | None:
    return principal.access_key_id if is_access_key(principal.access_key_id) else None


def _newest_event(alert: Alert, store: Store) -> tuple[str | None, bool]:
    """The newest event of the key, ARN or role that the alert names, and whether it must be of
    the alert's own session: a key's is, a role's is any.

    Of a key that no event shows, events of its owner do not say when it was used.
    """
    summary = store.summary()
    if summary.first is None or summary.last is None:
        return None, False
    for principal in alert.principals:
        key = _key(principal)
        for column, value in (
            ("access_key_id", key),
            ("principal_arn", principal.arn),
            ("issuer_arn", principal.role_arn),
        ):
            if value is None or is_stand_in(value) or (key is not None and value != key):
                continue
            found = store.query(
                f"select event_id from events where {column} = $value"
                " order by event_time desc, event_id limit 1",
                {"value": value},
                first=summary.first,
                last=summary.last,
            )
            if found.rows:
                return str(found.rows[0]["event_id"]), column == "access_key_id"
    return None, False
