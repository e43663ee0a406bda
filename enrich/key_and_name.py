"""What a text names side by side, an ARN or a name, a unique id and an access key: one identity
only where the index does not say otherwise.

"userName: lee, access key AKIA…" and "key ASIA… created user …:user/evil" are taken for one
identity each when they are read. Where events show the key with another, the two are two: neither
passes for the other. What a record or a finding states is AWS's own word, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from alerts.alert import Alert, Principal
from alerts.arns import assumed_role_arn
from enrich.anywhere import rows_anywhere
from enrich.facts.role_name import role_named, session_in
from enrich.words import listed, short
from trail.access_keys import is_access_key, is_stand_in
from trail.counted import counted
from trail.store import Store

MOST_OWNERS = 3
"""Of a key that is not the named identity's, so many of those who used it are asked about."""


def with_identities_apart(alert: Alert, store: Store) -> Alert:
    """The alert with each key and unique id of its text at the identity that the index shows it
    with, and a note where that is another than the text names beside it.
    """
    if alert.source != "text" or alert.sample:
        return alert
    principals: list[Principal] = []
    notes = list(alert.notes)
    for principal in alert.principals:
        parts, said = _by_id(principal, store)
        key = principal.access_key_id
        if key is not None and is_access_key(key):
            parts, told = _with_key(parts, key, store)
            said += told
        elif len(parts) == 1:
            parts = [principal]
        principals += parts
        notes += said
    if principals == list(alert.principals) and notes == list(alert.notes):
        return alert
    return replace(
        alert, principals=tuple(dict.fromkeys(principals)), notes=tuple(dict.fromkeys(notes))
    )


def is_same(one: Principal, other: Principal) -> bool | None:
    """Whether both are the same identity; None where what they show cannot be compared.

    Users and roles go by account and name, which are unique there whatever the path and case; a
    role's sessions by their names too; those without a name by their unique ids.
    """
    named = (_name(one), _name(other))
    if None not in named:
        return named[0] == named[1] and _session_fits(one, other)
    ids = (_unique_id(one), _unique_id(other))
    if ids[0] is not None and ids[1] is not None:
        (id_of_one, _, _), (id_of_other, _, _) = (text.partition(":") for text in ids if text)
        return id_of_one == id_of_other and _session_fits(one, other)
    kinds = {kind for kind in map(_kind, (one, other)) if kind is not None}
    if len(kinds) > 1:
        return False
    users = (one.user_name, other.user_name)
    if users[0] and users[1] and not any(map(is_stand_in, users)):
        return users[0].lower() == users[1].lower()
    return None


def owners_of(key: str, store: Store) -> list[Principal]:
    """Those with whom events show a key in use, the busiest first; else whom the calls that made
    it gave it to. None where the records have masks for them.
    """
    found = rows_anywhere(
        store,
        """
        select identity_type, principal_arn, principal_id, user_name, account_id, issuer_arn,
          session_name, count(*) as events
        from events where access_key_id = $key
        group by all order by events desc, principal_arn, principal_id limit 1000
        """,
        {"key": key},
    )
    used = [
        _as_recorded(row, key)
        for row in found
        if not is_stand_in(row["user_name"])
        and not is_stand_in(row["principal_arn"])
        and (row["principal_arn"] or row["user_name"])
    ]
    return used if found else _given_to(key, store)


def _as_recorded(row: Mapping[str, Any], key: str) -> Principal:
    """The caller of a record as its identity with the key."""
    return Principal(
        row["identity_type"] or "Unknown",
        arn=row["principal_arn"],
        principal_id=row["principal_id"],
        access_key_id=key,
        role_arn=row["issuer_arn"],
        session_name=row["session_name"],
        user_name=row["user_name"],
        account_id=row["account_id"],
    )


def _given_to(key: str, store: Store) -> list[Principal]:
    """Whom the calls that made a key gave it to, where that is a role's session or their caller."""
    found = store.query(
        """
        select distinct event_name, identity_type, principal_arn, principal_id, user_name,
          account_id, issuer_arn, session_name, minted_principal_id, target_role_arn,
          target_session_name
        from credentials where minted_access_key_id = $key and not failed
        order by all limit 20
        """,
        {"key": key},
    )
    owners: list[Principal] = []
    for row in found.rows:
        role = role_named(row["target_role_arn"])
        session = row["target_session_name"]
        if str(row["event_name"]).startswith("AssumeRole"):
            if role is None or session is None or is_stand_in(session):
                continue
            partition, name = row["target_role_arn"].split(":", 2)[1], row["target_role_arn"]
            owners.append(
                Principal(
                    "AssumedRole",
                    arn=assumed_role_arn(
                        role.account_id, name.rpartition("/")[2], session, partition
                    ),
                    principal_id=row["minted_principal_id"],
                    access_key_id=key,
                    role_arn=name,
                    session_name=session,
                    account_id=role.account_id,
                )
            )
        elif row["event_name"] == "GetSessionToken" and row["principal_arn"]:
            owners.append(_as_recorded(row, key))
    return list(dict.fromkeys(owners))


def _by_id(principal: Principal, store: Store) -> tuple[list[Principal], list[str]]:
    """The identity of the name and that of the unique id: one, or two and why. Without the key."""
    principal = replace(principal, access_key_id=None)
    unique = _unique_id(principal)
    named = replace(principal, principal_id=None)
    if unique is None or not _says_who(named):
        return [principal], []
    owner = _owner_of_id(unique, store) or Principal(
        "AssumedRole" if unique.startswith("AROA") else "IAMUser", principal_id=unique
    )
    if is_same(replace(owner, principal_id=None), named) is not False:
        return [principal], []
    whose = f" In the index that id is {called(owner)}'s" if _says_who(owner) else (
        f" Such an id is a {'role' if unique.startswith('AROA') else 'user'}'s"
    )  # fmt: skip
    note = (
        f"The text names {called(named)} beside the unique id {short(unique)}.{whose}: they are"
        " two identities, and each is asked about."
    )
    return [named, owner], [note]


def _owner_of_id(unique: str, store: Store) -> Principal | None:
    """The user or the role, or its session where the id names one, that events show with an id."""
    identity, _, session = unique.partition(":")
    of_a_role = identity.startswith("AROA")
    found = rows_anywhere(
        store,
        f"""
        select distinct identity_type, {"issuer_arn" if of_a_role else "principal_arn"} as arn,
          {"null" if of_a_role else "user_name"} as user_name, account_id
        from daily where identity_id = $id order by all limit 2
        """,
        {"id": identity},
    )
    rows = [row for row in found if row["arn"] and not is_stand_in(row["arn"])]
    if len(rows) != 1:
        return None
    arn, account = rows[0]["arn"], rows[0]["account_id"]
    if not of_a_role:
        return Principal("IAMUser", arn, unique, user_name=rows[0]["user_name"], account_id=account)
    return Principal(
        "AssumedRole" if session else "Role",
        principal_id=unique,
        role_arn=arn,
        session_name=session or None,
        account_id=account,
    )


def _with_key(parts: list[Principal], key: str, store: Store) -> tuple[list[Principal], list[str]]:
    """The identities of a text with its key at the one whose it is, which may be another again."""
    owners = owners_of(key, store)
    nameless = [one for one in parts if not _says_who(one) and _unique_id(one) is None]
    if nameless or not owners:
        return _with_strange_key(parts, key)
    for number, part in enumerate(parts):
        own = [one for one in owners if is_same(one, part) is not False]
        if not own:
            continue
        masked = part.arn is not None and _name(part) is None
        # A name alone may be anybody's of any account, and of several users the newest.
        bare = not (part.arn or part.role_arn or part.principal_id) and len(owners) > 1
        full = masked or bare
        part_with_key = own[0] if full else replace(part, access_key_id=key)
        said = []
        if masked:
            said.append(
                f"{short(str(part.arn))} is a mask or a placeholder. In the index access key"
                f" {short(key)} is {called(own[0])}'s, who is asked about."
            )
        others = [one for one in owners if is_same(one, part) is False]
        if others:
            said.append(
                f"{_listed(others)} used access key {short(key)} as well, which no key of one"
                f" session or user is: {called(part)} is asked about, whom the text names."
            )
        return [*parts[:number], part_with_key, *parts[number + 1 :]], said
    known = [one for one in parts if one.arn or one.role_arn or one.principal_id]
    apart = ""
    if known:
        two = len(known) + len(owners) == 2
        apart = ": they are two identities" if two else ": they are different identities"
        apart += ", and each is asked about"
    note = (
        f"The text names {listed(map(called, parts))} beside access key {short(key)}. In the index"
        f" that key is {_listed(owners)}'s{apart}."
    )
    return [*known, *owners[:MOST_OWNERS]], [note]


def _with_strange_key(parts: list[Principal], key: str) -> tuple[list[Principal], list[str]]:
    """The same, with a key of which the index knows nothing: the text says whose it is."""
    of_roles = [_kind(one) == "role" or one.type == "FederatedUser" for one in parts]
    if len(parts) == 1 and not (key.startswith("AKIA") and of_roles[0]):
        return [replace(parts[0], access_key_id=key)], []
    beside = listed(map(called, parts))
    why = (
        "No session of a role or federated user has a long-term key"
        if all(of_roles)
        else "No event says whose of them it is"
    )
    note = f"The text names {beside} beside access key {short(key)}. {why}: each is asked about."
    return [*parts, Principal("Unknown", access_key_id=key)], [note]


def called(principal: Principal) -> str:
    """What a note calls an identity by: its ARN, where that is known."""
    if principal.user_name and principal.arn is None:
        return f"user {short(principal.user_name)}"
    role, session = principal.role_arn, principal.session_name
    if principal.arn is None and role is not None:
        return f"{short(role)}, session {short(session)}" if session else short(role)
    return short(principal.arn or principal.principal_id or "somebody")


def _listed(people: Sequence[Principal]) -> str:
    shown = [called(one) for one in people[:MOST_OWNERS]]
    left = len(people) - len(shown)
    return listed([*shown, counted(left, "other")] if left else shown)


def _says_who(principal: Principal) -> bool:
    return bool(principal.arn or principal.role_arn or principal.user_name)


def _unique_id(principal: Principal) -> str | None:
    unique = principal.principal_id or ""
    return unique if unique.startswith(("AIDA", "AROA")) and not is_stand_in(unique) else None


def _kind(principal: Principal) -> str | None:
    """ "user", "role" or "root", where the type or the id says so."""
    unique = _unique_id(principal)
    if unique is not None:
        return "role" if unique.startswith("AROA") else "user"
    kinds = {"IAMUser": "user", "AssumedRole": "role", "Role": "role", "Root": "root"}
    return kinds.get(principal.type)


def _name(principal: Principal) -> tuple[str, ...] | None:
    """(kind, account, lower-cased name) of what an ARN names; None where it is masked."""
    role = role_named(principal.role_arn) or role_named(principal.arn)
    if role is not None:
        return None if is_stand_in(role.name) else ("role", *role)
    parts = (principal.arn or "").split(":", 5)
    if len(parts) < 6 or not parts[4].isdecimal():
        return None
    kind, _, rest = parts[5].partition("/")
    name = rest.rpartition("/")[2] if kind == "user" else rest
    return None if is_stand_in(name) and kind != "root" else (kind, parts[4], name.lower())


def _session_fits(one: Principal, other: Principal) -> bool:
    names = [_session(one), _session(other)]
    return any(name is None or is_stand_in(name) for name in names) or names[0] == names[1]


def _session(principal: Principal) -> str | None:
    in_id = (_unique_id(principal) or "").partition(":")[2]
    return principal.session_name or session_in(principal.arn) or in_id or None
