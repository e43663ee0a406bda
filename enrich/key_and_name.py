"""A long-term key that a text names beside a user: whose the index says it is.

"userName: lee, access key AKIA…" is taken for one identity. Where events show that key with another
user, the two are two: neither passes for the other.
"""

from __future__ import annotations

from dataclasses import replace

from alerts.alert import Alert, Principal
from enrich.words import listed, short
from trail.access_keys import is_access_key, is_stand_in
from trail.store import Store


def with_the_keys_own_user(alert: Alert, store: Store) -> Alert:
    """The alert with each key of its text at the user that the index shows it with, and a note
    where that is another than the text names beside it. What a finding names is AWS's own word.
    """
    if alert.source != "text" or alert.sample:
        return alert
    principals: list[Principal] = []
    notes = list(alert.notes)
    for principal in alert.principals:
        key, name = principal.access_key_id, principal.user_name
        owners = _users_of(key, store) if name and key and key.startswith("AKIA") else []
        if not owners or any(_is(owner, principal) for owner in owners):
            principals.append(principal)
            continue
        principals += [replace(principal, access_key_id=None)] if principal.arn else []
        principals += owners
        apart = ": they are two identities, and each is asked about" if principal.arn else ""
        shown = listed(short(one.arn or one.user_name or "somebody") for one in owners)
        notes.append(
            f"The text names user {short(str(name))} beside access key {short(str(key))}. In the"
            f" index that key is {shown}'s{apart}."
        )
    if len(notes) == len(alert.notes):
        return alert
    return replace(alert, principals=tuple(dict.fromkeys(principals)), notes=tuple(notes))


def _is(owner: Principal, principal: Principal) -> bool:
    if owner.arn and principal.arn:
        # Built from words, the ARN lacks the user's path.
        of_one = owner.arn.split(":")[4] == principal.arn.split(":")[4]
        return of_one and _last(owner.arn) == _last(principal.arn)
    return owner.user_name is None or owner.user_name == principal.user_name


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]


def _users_of(key: str | None, store: Store) -> list[Principal]:
    """Those with whom events show a key, in use."""
    summary = store.summary()
    if not is_access_key(key) or summary.first is None or summary.last is None:
        return []
    found = store.query(
        """
        select distinct identity_type, principal_arn, principal_id, user_name, account_id
        from events where access_key_id = $key order by all limit 3
        """,
        {"key": key},
        first=summary.first,
        last=summary.last,
    )
    return [
        Principal(
            row["identity_type"] or "Unknown",
            arn=row["principal_arn"],
            principal_id=row["principal_id"],
            access_key_id=key,
            user_name=row["user_name"],
            account_id=row["account_id"],
        )
        for row in found.rows
        if not is_stand_in(row["user_name"])
        and not is_stand_in(row["principal_arn"])
        and (row["principal_arn"] or row["user_name"])
    ]
