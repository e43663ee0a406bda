"""An alert that says too little, completed from the index: an event id, a key or an ARN alone.

Pasted text often names one thing and no time. The event it names, or the newest event of the
identity it names, then says who, when and what; a note on the alert says that it was filled in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from alerts import parse_alerts
from alerts.alert import Alert, Principal
from alerts.parse import NO_TIME
from enrich.anywhere import rows_anywhere
from enrich.calls.acted_upon import at_what_was_done_to_it
from enrich.cited_identity import is_own, with_cited_identities
from enrich.cited_time import with_its_events_time
from enrich.facts.interface import json_object
from enrich.facts.role_name import role_named
from enrich.key_and_name import is_same, with_identities_apart
from enrich.path_of_user import with_indexed_paths
from enrich.short_ids import is_short, which, whole_ids
from enrich.unknown_names import with_unknown_names
from enrich.words import listed, short
from trail.access_keys import is_access_key, is_doubtful_key, is_stand_in
from trail.counted import counted
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
    """The alert itself when it states a time and an identity, or when the index cannot help.

    Page, inbox and command line ask about what this gives, so that one text has one set of answers.
    """
    return with_unknown_names(_filled(alert, store), store)


def _filled(alert: Alert, store: Store) -> Alert:
    alert = with_its_events_time(_with_whole_id(alert, store), store)
    alert = with_indexed_paths(alert, store)
    alert = with_identities_apart(_with_sessions(alert, store), store)
    alert = with_cited_identities(alert, store)
    if alert.sample or (alert.first_seen is not None and _is_named(alert.principals)):
        return alert
    cited = alert.event_id or next(iter(alert.event_ids), None)
    event_id, names_session = (cited, True) if cited else _newest_event(alert, store)
    if event_id is None:
        return at_what_was_done_to_it(_with_owners(alert, store), store)
    try:
        found = _alert_of(event_id, store)
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
    if not cited and names_session:
        note = " ".join([note, *_others_of_its_key(alert, found, store)])
    filled = replace(
        alert,
        **missing,
        principals=_in_full(alert, found.principals),
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
        principals=tuple(
            one
            if any(is_same(shown, one) is False for shown in found.principals)
            else _named_by(one, found.principals)
            for one in alert.principals
        ),
        time_is_fallback=True,
    )


def _in_full(alert: Alert, found: Sequence[Principal]) -> tuple[Principal, ...]:
    """The alert's identities with the one that a record names in full: a text's own mention is a
    part of it. Others that the text names stay."""
    if alert.source != "text" or not found or len(alert.principals) < 2:
        return tuple(found)
    principals = (found[0] if is_own(found[0], one) else one for one in alert.principals)
    return tuple(dict.fromkeys(principals))


def _with_sessions(alert: Alert, store: Store) -> Alert:
    """The alert with the sessions of roles that it names by their access keys alone, as findings do
    whose principal id is masked or missing: a key is one session's.
    """
    if alert.sample or alert.first_seen is None:
        return alert
    principals, notes = [], list(alert.notes)
    for principal in alert.principals:
        key, role = _key(principal), role_named(principal.role_arn)
        if key is None or role is None or principal.principal_id or principal.session_name:
            principals.append(principal)
            continue
        event_id = None if is_doubtful_key(key) else _event_with(key, store)
        try:
            shown = None if event_id is None else _alert_of(event_id, store)
        except (SourceUnreadable, AlertUnrecognised) as error:
            notes.append(str(error))
            shown = None
        found = () if shown is None else shown.principals
        if not found or role_named(found[0].role_arn) != role or is_stand_in(found[0].session_name):
            principals.append(principal)
            continue
        principals.append(_named_by(principal, found))
        notes.append(
            f"Which session of the role it was is told by event {event_id} in the index, which"
            " shows the same access key."
        )
    if notes == list(alert.notes):
        return alert
    return replace(alert, principals=tuple(principals), notes=tuple(dict.fromkeys(notes)))


def _alert_of(event_id: str, store: Store) -> Alert | None:
    """An indexed event as an alert; None where it is not indexed. Raises `SourceUnreadable` and
    `AlertUnrecognised`."""
    record = store.raw_records([event_id]).get(event_id)
    return None if record is None else parse_alerts(record)[0]


def _event_with(key: str, store: Store) -> str | None:
    """The newest event that was made with an access key; None where several made such."""
    found = rows_anywhere(
        store,
        "select principal_id, max_by(event_id, row(event_time, event_id)) as event_id from events"
        " where access_key_id = $value group by principal_id limit 2",
        {"value": key},
    )
    return str(found[0]["event_id"]) if len(found) == 1 else None


def _with_owners(alert: Alert, store: Store) -> Alert:
    """The alert with the users whose long-term keys it names alone, where no event shows a key in
    use and the record of its creation says whose it is."""
    principals, notes = [], list(alert.notes)
    for principal in alert.principals:
        key = _key(principal)
        if key is None or not key.startswith("AKIA") or _is_named([principal]):
            principals.append(principal)
            continue
        found = store.query(
            """
            select event_id, principal_arn, recipient_account_id, response_elements
            from credentials
            where minted_access_key_id = $key and event_name = 'CreateAccessKey' and not failed
            order by event_time, event_id limit 20
            """,
            {"key": key},
        )
        owners = {(_owner(row["response_elements"]), row["recipient_account_id"]): row
                  for row in found.rows}  # fmt: skip
        ((name, account), row) = next(iter(owners.items()), ((None, None), {}))
        if len(owners) != 1 or name is None or account is None or is_stand_in(name):
            principals.append(principal)
            continue
        partition = str(row["principal_arn"] or "arn:aws:").split(":")[1]
        arn = f"arn:{partition}:iam::{account}:user/{name}"
        principals.append(
            replace(principal, type="IAMUser", user_name=name, account_id=account, arn=arn)
        )
        notes.append(
            f"No event shows {short(key)} in use. Event {row['event_id']} created it for IAM user"
            f" {short(name)}: the ARN was built from that, without the path that a user may have."
        )
    return replace(alert, principals=tuple(principals), notes=tuple(dict.fromkeys(notes)))


def _owner(response: object) -> str | None:
    key = json_object(response).get("accessKey")
    name = key.get("userName") if isinstance(key, Mapping) else None
    return name if isinstance(name, str) and name else None


def _with_whole_id(alert: Alert, store: Store) -> Alert:
    """An alert that cites an event by the first eight characters of its id, with all of them."""
    if alert.event_id is None or not is_short(alert.event_id):
        return alert
    found = whole_ids(alert.event_id, store)
    if len(found) != 1:
        note = which(alert.event_id, found)
        return replace(alert, event_id=None, event_ids=(), notes=_with(alert, note))
    return replace(alert, event_id=found[0], event_ids=(found[0],))


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


def _others_of_its_key(alert: Alert, found: Alert, store: Store) -> list[str]:
    """That others used the key which the alert gives as well, if so: a key is one session's, or
    one user's, and the newest event speaks for none of the others."""
    key = next((one for one in map(_key, alert.principals) if one is not None), None)
    if key is None:
        return []
    rows = rows_anywhere(
        store,
        "select coalesce(principal_arn, principal_id) as who, count(*) as events from events"
        " where access_key_id = $key group by 1 order by events desc, who limit 6",
        {"key": key},
    )
    if len(rows) < 2:
        return []
    own = next((one.arn or one.principal_id for one in found.principals), None)
    others = [
        f"{short(str(row['who'] or 'somebody without a name'))} ({counted(row['events'], 'event')})"
        for row in rows
        if row["who"] != own
    ]
    return [
        f"That is the newest event of this access key; {listed(others)} used it as well, which no"
        " key of one session or user is: what follows is of the newest event's identity alone."
    ]


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
    for principal in alert.principals:
        key = _key(principal)
        for column, value in (
            ("access_key_id", key),
            ("principal_arn", principal.arn),
            ("issuer_arn", principal.role_arn),
        ):
            if value is None or is_stand_in(value) or (key is not None and value != key):
                continue
            found = rows_anywhere(
                store,
                f"select event_id from events where {column} = $value"
                # Of a key that several used, the named one's.
                " order by coalesce(principal_arn = $arn, false) desc, event_time desc, event_id"
                " limit 1",
                {"value": value, "arn": principal.arn},
            )
            if found:
                return str(found[0]["event_id"]), column == "access_key_id"
    return None, False
