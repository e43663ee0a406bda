"""The SQL condition that picks the events of one alert's principal ("the entity", §9).

A user or root is its ARN or its principal id. A role is its id (`AROA…`), else its name in its
account; its events are filtered to the alert's session name or source IP (the original's
role-aware filter), which scope "whole_role" drops. Others:

- `FederatedUser`, `SAMLUser`, `WebIdentityUser`, `Directory`, `Unknown`: principal id or ARN,
  else user name and account, else access key;
- `AWSService`: the service (`invoked_by`) in the alert's account;
- `AWSAccount`: a caller of another account, by the id it shows; a role session there is a role;
- `IdentityCenterUser`: the Identity Center user id, also where a role session acts for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from alerts.alert import Alert, Principal
from enrich.facts.session_names import INSTANCE
from enrich.sql_text import like_text, of_that_name, values_in
from enrich.words import listed
from trail.access_keys import is_access_key, is_stand_in, is_user_id
from trail.counted import counted
from trail.store import Query, Store

Scope = Literal["entity", "whole_role"]

ROLE_TYPES = frozenset({"AssumedRole", "Role"})

_ACCOUNT_ID = re.compile(r"\d{12}")


@dataclass(frozen=True)
class Match:
    """A condition over the event table's columns, to stand in parentheses after `and`.

    `parameters` all begin with `entity_`. `scope` is what was matched in the end: a role alert
    without session name and source IP has no filter to apply, and matches its whole role.
    """

    sql: str
    parameters: Mapping[str, Any]
    scope: Scope
    is_role: bool = False
    known_id: str | None = None
    """The identity id, where the alert states it."""
    other_ids: str | None = None
    """The part of the condition that may hold for other identity ids too (by ARN or name)."""
    role_filter: str | None = None
    """The session-or-IP part of the condition, in scope "entity" of a role."""
    namesakes: tuple[str, ...] = ()
    """Unique ids of other users whose ARN was the same: users that were deleted and made again."""
    shares_ids: bool = False
    """Whether `other_ids` is also met by calls under ids that others have too: a permission set's
    role, which acts for each of its Identity Center users."""


def entity_match(alert: Alert, principal: Principal, *, scope: Scope = "entity") -> Match | None:
    """The condition for the principal's events, or None when the alert has nothing to match on.

    It holds whatever the index knows; `by_identity_id` makes the faster form for one window.
    """
    if principal.type in ROLE_TYPES or _role_id(principal) is not None:
        return _role(alert, principal, scope)
    if principal.type == "Root":
        return _root(alert, principal)
    if principal.type == "AWSService":
        return _service(alert, principal)
    if principal.type == "IdentityCenterUser":
        user_id = principal.principal_id or principal.user_name
        if user_id is not None:
            return Match(
                "(identity_id = $entity_id or on_behalf_of = $entity_id)",
                {"entity_id": user_id},
                "entity",
                known_id=user_id,
                other_ids="on_behalf_of = $entity_id",
                shares_ids=True,
            )
    return _by_id_or_arn(alert, principal)


def by_identity_id(
    match: Match, store: Store, first: datetime, last: datetime
) -> tuple[Match, tuple[Query, ...]]:
    """The same condition by identity ids, which the index is sorted by, and the look-up behind it.

    An `or` over two columns reads every row group of a window. Asking first which ids the ARN
    had there reads one narrow column, and lets everything after it skip by statistics. All calls
    by those ids meet the new condition, but where others share them: there those alone that met the
    old one.
    """
    if match.other_ids is None:
        return match, ()
    found = store.query(
        # Exact for a window over several days: on its first day a row's last event counts, on its
        # last day a row's first.
        f"""
        select distinct identity_id from daily
        where last >= $window_first and first <= $window_last
          and ({match.other_ids}) and identity_id is not null
        """,
        {
            **values_in(match.other_ids, match.parameters),
            "window_first": first,
            "window_last": last,
        },
        first=first,
        last=last,
    )
    ids = {row["identity_id"] for row in found.rows} | {match.known_id} - {None}
    if match.known_id is None and not ids:
        return match, (found.query,)
    users = tuple(sorted(one for one in map(str, ids) if is_user_id(one)))
    match = replace(match, namesakes=users if len(users) > 1 else ())
    names = {f"entity_id_{n}": value for n, value in enumerate(sorted(map(str, ids)))}
    condition = f"identity_id in ({', '.join('$' + name for name in names)})"
    parameters: dict[str, Any] = dict(names)
    if match.shares_ids:
        condition = f"({condition} and {match.sql})"
        parameters |= match.parameters
    elif match.role_filter is not None:
        condition = f"({condition} and {match.role_filter})"
        parameters |= values_in(match.role_filter, match.parameters)
    return (
        replace(match, sql=condition, parameters=parameters, other_ids=None),
        (found.query,),
    )


def namesakes_caveats(match: Match) -> tuple[str, ...]:
    """What is to be said where one ARN was that of several users, one after the other: they count
    as one identity, by its ARN (§9), and what one did need not have been the other's doing.
    """
    if not match.namesakes:
        return ()
    return (
        f"{counted(len(match.namesakes), 'user')} had this ARN, one after the other"
        f" ({listed(match.namesakes)}), since a user of that name was deleted and made again: what"
        " each of them did is counted.",
    )


def instance_of(principal: Principal) -> str | None:
    """The EC2 instance whose role session this is: EC2 names the session by the instance."""
    name = principal.session_name or ""
    return name if INSTANCE.fullmatch(name) else None


def role_name_of(principal: Principal) -> str | None:
    """The role's name without its path, from the issuer's or the session's ARN."""
    if principal.role_arn is not None and ":role/" in principal.role_arn:
        return principal.role_arn.rpartition("/")[2] or None
    if principal.arn is not None and ":assumed-role/" in principal.arn:
        return principal.arn.partition(":assumed-role/")[2].partition("/")[0] or None
    return None


def account_of(alert: Alert, principal: Principal) -> str | None:
    """The account whose trail records the principal's calls: its own, else the alert's; none where
    it was masked, as that of all accounts of an export is.
    """
    return next((one for one in _accounts(alert, principal) if one and not is_stand_in(one)), None)


def has_masked_account(alert: Alert, principal: Principal) -> bool:
    """Whether the account is only known to have been masked."""
    return account_of(alert, principal) is None and any(
        one is not None and is_stand_in(one) for one in _accounts(alert, principal)
    )


def is_of_unnamed_account(principal: Principal) -> bool:
    """Whether it is a caller of another account than the alert's, and of which is not told."""
    own = (_account_in(principal.role_arn), _account_in(principal.arn), principal.account_id)
    return principal.type == "AWSAccount" and not any(own)


def _accounts(alert: Alert, principal: Principal) -> tuple[str | None, ...]:
    return (
        _account_in(principal.role_arn),
        _account_in(principal.arn),
        principal.account_id,
        None if is_of_unnamed_account(principal) else alert.account_id,
    )


def _role(alert: Alert, principal: Principal, scope: Scope) -> Match | None:
    role_id = _role_id(principal)
    parameters: dict[str, Any] = {}
    parts = []
    if role_id is not None:
        parts.append("identity_id = $entity_id")
        parameters["entity_id"] = role_id
    by_name = None
    name = role_name_of(principal)
    account = _account_in(principal.role_arn or principal.arn) or principal.account_id
    if name is not None and account is not None:
        parameters["entity_account"] = account
        parameters["entity_sessions"] = (
            f"arn:%:sts::{account}:assumed-role/{like_text(name.lower())}/%"
        )
        # Exports often have the ARN alone: there the session's own tells the role's name.
        named = (
            "identity_id between $entity_arns_from and $entity_arns_to"
            f" and principal_id is null and {_BY_SESSION_ARN}"
        )
        if role_id is not None:
            parameters |= _FILED_UNDER_ARNS
        else:
            named, bound = of_that_name("issuer_arn", "entity_role", account, "role", name)
            named = f"{named} or {_BY_SESSION_ARN}"
            parameters |= bound
        by_name = f"(account_id = $entity_account and ({named}))"
        parts.append(by_name)
    if not parts:
        return _by_id_or_arn(alert, principal)

    filters = []
    if scope == "entity":
        if principal.session_name is not None:
            filters.append("session_name = $entity_session")
            parameters["entity_session"] = principal.session_name
        if alert.source_ip_address is not None:
            filters.append("source_ip_address = $entity_ip")
            parameters["entity_ip"] = alert.source_ip_address
    who = f"({' or '.join(parts)})"
    role_filter = f"({' or '.join(filters)})" if filters else None
    return Match(
        f"({who} and {role_filter})" if role_filter else who,
        parameters,
        "entity" if role_filter else "whole_role",
        is_role=True,
        known_id=role_id,
        other_ids=by_name,
        role_filter=role_filter,
    )


_BY_SESSION_ARN = "(issuer_arn is null and lower(principal_arn) like $entity_sessions escape '!')"
"""A session's record that names no issuer: of an export, or a switch or sign-in to the console,
which have no session context (§2.2).
"""
_FILED_UNDER_ARNS = {"entity_arns_from": "arn:", "entity_arns_to": "arn:\U0010ffff"}
"""Between which their identity ids are: they are filed under their ARN, for want of an id. Bound as
values, so that the store opens no more segments than those that have such ids."""


def _root(alert: Alert, principal: Principal) -> Match | None:
    account = (
        _account_in(principal.arn)
        or principal.account_id
        or principal.principal_id
        or alert.account_id
    )
    if account is None:
        return None
    # A caller of another account that shows no id is filed under its account id as well.
    return Match(
        """(identity_id = $entity_id and (identity_type = 'Root'
            or (identity_type = 'AWSAccount' and principal_id = $entity_id)))""",
        {"entity_id": account},
        "entity",
        known_id=account,
    )


def _service(alert: Alert, principal: Principal) -> Match | None:
    service = principal.principal_id or principal.user_name or principal.arn
    if service is None and (alert.source_ip_address or "").endswith(".amazonaws.com"):
        service = alert.source_ip_address
    if service is None:
        return None
    parameters = {"entity_id": service}
    condition = "identity_id = $entity_id"
    if alert.account_id is not None:
        condition += " and recipient_account_id = $entity_account"
        parameters["entity_account"] = alert.account_id
    return Match(f"({condition})", parameters, "entity", known_id=service)


def _by_id_or_arn(alert: Alert, principal: Principal) -> Match | None:
    if principal.principal_id is not None and _ACCOUNT_ID.fullmatch(principal.principal_id):
        if principal.type == "AWSAccount":
            return _root(alert, principal)
        return _by_account_id(principal)
    if principal.principal_id is not None and principal.arn is not None:
        return Match(
            "(identity_id = $entity_id or principal_arn = $entity_arn)",
            {"entity_id": principal.principal_id, "entity_arn": principal.arn},
            "entity",
            known_id=principal.principal_id,
            other_ids="principal_arn = $entity_arn",
        )
    if principal.principal_id is not None:
        return Match(
            "(identity_id = $entity_id)",
            {"entity_id": principal.principal_id},
            "entity",
            known_id=principal.principal_id,
        )
    if principal.arn is not None:
        return Match(
            "(principal_arn = $entity_arn)",
            {"entity_arn": principal.arn},
            "entity",
            other_ids="principal_arn = $entity_arn",
        )
    account = principal.account_id or alert.account_id
    if principal.user_name is not None and account is not None:
        condition = "(account_id = $entity_account and user_name = $entity_user)"
        return Match(
            condition,
            {"entity_account": account, "entity_user": principal.user_name},
            "entity",
            other_ids=condition,
        )
    if is_access_key(principal.access_key_id):
        condition = "(access_key_id = $entity_key)"
        return Match(condition, {"entity_key": principal.access_key_id}, "entity")
    if principal.type == "AWSAccount" and principal.account_id is not None:
        return Match(
            "(identity_id = $entity_id and identity_type = 'AWSAccount')",
            {"entity_id": principal.account_id},
            "entity",
            known_id=principal.account_id,
        )
    return None


def _by_account_id(principal: Principal) -> Match:
    """Somebody filed under an account's id, which is the root user's and not theirs."""
    condition = "principal_id = $entity_id and coalesce(identity_type, 'Unknown') = $entity_type"
    parameters = {"entity_id": principal.principal_id, "entity_type": principal.type}
    if principal.user_name is not None:
        condition += " and user_name = $entity_user"
        parameters["entity_user"] = principal.user_name
    return Match(f"({condition})", parameters, "entity")


def _role_id(principal: Principal) -> str | None:
    """`AROA…` of a role or role session, without the session."""
    if principal.principal_id is None or not principal.principal_id.startswith("AROA"):
        return None
    return principal.principal_id.partition(":")[0]


def _account_in(arn: str | None) -> str | None:
    parts = (arn or "").split(":", 5)
    return parts[4] or None if len(parts) == 6 else None
