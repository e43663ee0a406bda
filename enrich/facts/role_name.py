"""Which role an ARN names: account and role name, whatever the ARN's form, path and partition.

Assumed-role ARNs drop the role's path (§1.2), so two ARNs of one role are compared by account and
name. Role names are unique in an account without regard to case (§9).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ROLE = re.compile(r"^arn:aws[a-z-]*:iam::(\d{12}):role/(?:.*/)?([^/]+)$")
_SESSION = re.compile(r"^arn:aws[a-z-]*:sts::(\d{12}):assumed-role/([^/]+)(?:/(.+))?$", re.DOTALL)


class RoleName(NamedTuple):
    """A role by account and lower-cased name: what two ARNs of one role share."""

    account_id: str
    name: str


def role_named(arn: str | None) -> RoleName | None:
    """The role of a role ARN or an assumed-role ARN, else None."""
    match = _ROLE.match(arn or "") or _SESSION.match(arn or "")
    return RoleName(match[1], match[2].lower()) if match else None


def role_arn_of(arn: str | None) -> str | None:
    """The role ARN behind an assumed-role ARN, without the path that such ARNs drop."""
    match = _SESSION.match(arn or "")
    if match is None:
        return arn if _ROLE.match(arn or "") else None
    partition = (arn or "").split(":", 2)[1]
    return f"arn:{partition}:iam::{match[1]}:role/{match[2]}"


def session_in(arn: str | None) -> str | None:
    """The session name in an assumed-role ARN."""
    match = _SESSION.match(arn or "")
    return match[3] if match else None


def short_name(arn: str | None) -> str | None:
    """The last part of a role's ARN as written: what people call the role."""
    match = _ROLE.match(arn or "") or _SESSION.match(arn or "")
    return match[2] if match else arn
