"""Which roles Identity Center's portal handed out: its records name a permission set, not a role.

The role itself is in the AssumeRoleWithSAML of the same seconds, in the role's account (§2.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from enrich.chain.mints import CLOCK_SKEW
from enrich.facts.interface import PORTAL, json_object
from enrich.facts.role_name import role_named
from enrich.sql_text import bound_list, bound_values
from enrich.window import Window
from trail.store import Query, Store

RESERVED = "awsreservedsso_"
"""How the names of the roles begin that permission sets become, in lower case."""


class Handed(NamedTuple):
    """What the portal was asked for: an account, and the permission set as it was written."""

    account_id: str
    permission_set: str

    def fits(self, role_arn: str | None) -> bool:
        """Whether the role is this permission set's in this account."""
        role = role_named(role_arn)
        return (
            role is not None
            and role.account_id == self.account_id
            and role.name.startswith(RESERVED)
            and permission_set_of(role.name) == self.permission_set.lower()
        )


def permission_set_of(role_name: str) -> str:
    """The permission set in a reserved role's lower-cased name, which ends in a hash."""
    return role_name.removeprefix(RESERVED).rpartition("_")[0]


def asked_of_portal(*fields: object) -> Handed | None:
    """What `serviceEventDetails` or, where that has nothing, `requestParameters` ask for."""
    given = [json_object(field) for field in fields]
    account = _first(given, "account_id", "accountId")
    name = _first(given, "role_name", "roleName")
    if account is None or name is None:
        return None
    return Handed(account, name)


def handed_out(kind: Mapping[str, Any]) -> str | None:
    """The role of a portal's row as an ARN that leaves open what the portal leaves open."""
    asked = asked_of_portal(kind["handed_out"])
    if asked is None:
        return None
    path = "aws-reserved/sso.amazonaws.com"
    return f"arn:aws:iam::{asked.account_id}:role/{path}/AWSReservedSSO_{asked.permission_set}_*"


def roles_behind(
    kinds: Sequence[Mapping[str, Any]], store: Store, window: Window
) -> tuple[list[dict[str, Any]], Query]:
    """The rows, those of the portal with the role assumed for them and the event that did it."""
    asked = {id(kind): asked_of_portal(kind["handed_out"]) for kind in kinds}
    portal = [kind for kind in kinds if kind["event_source"] == PORTAL and asked[id(kind)]]
    ids = sorted({event_id for kind in portal for event_id in kind["event_ids"]})
    seconds = int(CLOCK_SKEW.total_seconds())
    found = store.query(
        f"""
        with handed as (
          select event_id, event_time from events
          where event_id in {bound_list("handed", ids)}
            and event_time >= $window_first and event_time <= $window_last
        )
        select handed.event_id as handed_id, minted.event_id, minted.target_role_arn
        from handed join credentials as minted
          on minted.event_time between handed.event_time - interval {seconds} seconds
            and handed.event_time + interval {seconds} seconds
        where minted.event_name = 'AssumeRoleWithSAML' and not minted.failed
        order by handed.event_id, minted.event_time, minted.event_id
        """,
        {
            **bound_values("handed", ids),
            "window_first": window.first,
            "window_last": window.last,
        },
        first=window.first,
        last=window.last,
    )
    named = []
    for kind in kinds:
        wanted = asked[id(kind)]
        behind = [
            row
            for row in found.rows
            if wanted is not None
            and row["handed_id"] in kind["event_ids"]
            and wanted.fits(row["target_role_arn"])
        ]
        row = dict(kind)
        if behind:
            row["target_role_arn"] = behind[0]["target_role_arn"]
            row["event_ids"] = [*kind["event_ids"], *(one["event_id"] for one in behind)]
        named.append(row)
    return named, found.query


def _first(given: Sequence[Mapping[str, Any]], *names: str) -> str | None:
    values = (fields.get(name) for fields in given for name in names)
    return next((str(value) for value in values if isinstance(value, str | int) and value), None)
