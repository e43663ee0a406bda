"""Whose the events are that a text cites: an identity that it names beside an event's id need not
be the one that made it.
"""

from __future__ import annotations

from dataclasses import replace

from alerts import parse_alerts
from alerts.alert import Alert, Principal
from enrich.key_and_name import called, is_same, owners_of
from enrich.words import listed, short
from trail.access_keys import is_access_key
from trail.errors import AlertUnrecognised, SourceUnreadable
from trail.store import Store

MOST_CITED = 5
"""Events of one text that are looked at."""


def with_cited_identities(alert: Alert, store: Store) -> Alert:
    """The alert with whoever made the events that its text cites, where it names others alone."""
    cited = list(dict.fromkeys([*filter(None, [alert.event_id]), *alert.event_ids]))[:MOST_CITED]
    if alert.source != "text" or alert.sample or not alert.principals or not cited:
        return alert
    principals, notes = list(alert.principals), list(alert.notes)
    for event_id in cited:
        try:
            record = store.raw_records([event_id]).get(event_id)
            found = parse_alerts(record)[0].principals if record is not None else ()
        except (SourceUnreadable, AlertUnrecognised) as error:
            notes.append(str(error))
            continue
        if not found or any(is_own(found[0], one) for one in principals):
            continue
        others = [_by_its_key(one, store) for one in principals]
        if any(is_own(found[0], one) for one in others):
            continue  # with another key of the same user
        principals = [*others, found[0]]
        notes.append(
            f"Event {short(event_id)} in the index was made by {_with_its_key(found[0])}, and not"
            f" by {listed(_with_its_key(one) for one in others)}, whom the text names beside it:"
            " each is asked about."
        )
    if principals == list(alert.principals) and notes == list(alert.notes):
        return alert
    return replace(
        alert, principals=tuple(dict.fromkeys(principals)), notes=tuple(dict.fromkeys(notes))
    )


def is_own(maker: Principal, named: Principal) -> bool:
    """Whether what a text names is, or can be, the identity that made an event. Two sessions of a
    role that share a name are two: their keys tell them apart."""
    keys = [one.access_key_id for one in (maker, named) if is_access_key(one.access_key_id)]
    if len(keys) == 2 and keys[0] == keys[1]:
        return True
    same = is_same(maker, named)
    if len(keys) == 2 and (same is None or maker.type == "AssumedRole"):
        return False
    return same is not False


def _by_its_key(principal: Principal, store: Store) -> Principal:
    """The principal in full, where the text names it by its key alone and that is one user's or
    session's."""
    key = principal.access_key_id
    if key is None or not is_access_key(key) or principal.arn or principal.principal_id:
        return principal
    owners = owners_of(key, store)
    return owners[0] if len(owners) == 1 else principal


def _with_its_key(one: Principal) -> str:
    key = one.access_key_id
    if key is None or not is_access_key(key):
        return called(one)
    if not (one.arn or one.principal_id or one.role_arn or one.user_name):
        return f"access key {short(key)}"
    return f"{called(one)} with access key {short(key)}"
