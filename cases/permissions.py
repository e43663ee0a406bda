"""What each role may do. Roles are the same however somebody came to theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["viewer", "analyst", "lead"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the one that may least to the one that may most."""

Permission = Literal["read_redacted", "read", "work", "review", "delete", "administer", "operate"]
"""`read_redacted`: redacted reports, and numbers that name nobody. `read`: logs, alerts and cases
as they are. `work` on cases, the inbox and the index; `review` and reopen sealed cases; `delete`
an alert that no case holds; `administer` users; `operate`: have the server read its own folders,
or write the demo. Nobody may delete a case or anything in it."""

MAY: Mapping[Role, frozenset[Permission]] = {
    "viewer": frozenset({"read_redacted"}),
    "analyst": frozenset({"read_redacted", "read", "work"}),
    "lead": frozenset(get_args(Permission)),
}


def may(role: Role | None, permission: Permission) -> bool:
    """Whether the role permits it; without a role nothing is permitted."""
    return role is not None and permission in MAY[role]


def highest(roles: frozenset[Role]) -> Role | None:
    """The role that may most; None of none."""
    return max(roles, key=ROLES.index, default=None)
