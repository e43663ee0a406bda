"""Which role a provider's claim gives, and how long a sign-in holds: a deployment's settings.

`BACKTRAIL_ROLES` reads `lead=sec-leads; analyst=sec-ops; analyst=sec-interns; viewer=audit`: our
role first, so that a group's name may hold `=` and `,` as directory names do. Whoever has none of
these values has no role, and gets in nowhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cases.errors import SettingRefused
from cases.permissions import ROLES, Role, highest

CLAIM_SETTING = "BACKTRAIL_ROLE_CLAIM"
ROLES_SETTING = "BACKTRAIL_ROLES"
IDLE_SETTING = "BACKTRAIL_SIGN_IN_IDLE_MINUTES"
LONGEST_SETTING = "BACKTRAIL_SIGN_IN_HOURS"


@dataclass(frozen=True)
class SignInSettings:
    """The claim that holds a person's roles, what its values mean, and the limits in time."""

    claim: str
    roles: Mapping[str, Role]
    idle: timedelta
    """Without a run of any page for this long, a sign-in ends."""
    longest: timedelta
    """A sign-in ends after this long, or when its token expires if that is sooner."""

    def role_of(self, values: tuple[str, ...]) -> Role | None:
        """The role that may most among those that the values give."""
        return highest(frozenset(self.roles[one] for one in values if one in self.roles))


def sign_in_settings(environment: Mapping[str, str] | None = None) -> SignInSettings:
    """As the environment says. Raises `SettingRefused` with what is wrong in which variable."""
    given = os.environ if environment is None else environment
    return SignInSettings(
        claim=given.get(CLAIM_SETTING) or "roles",
        roles=_roles(given.get(ROLES_SETTING, "")),
        idle=timedelta(minutes=_number(given, IDLE_SETTING, 60)),
        longest=timedelta(hours=_number(given, LONGEST_SETTING, 12)),
    )


def _roles(setting: str) -> dict[str, Role]:
    found: dict[str, Role] = {}
    for part in filter(None, (one.strip() for one in setting.split(";"))):
        name, equals, value = part.partition("=")
        role = next((one for one in ROLES if one == name.strip()), None)
        if role is None or not equals or not value.strip():
            raise SettingRefused(
                f"{ROLES_SETTING} says {part!r}. Write one of {', '.join(ROLES)}, an equals sign,"
                " and a value of the claim; several with semicolons between."
            )
        if found.setdefault(value.strip(), role) != role:
            raise SettingRefused(f"{ROLES_SETTING} gives {value.strip()!r} two roles: choose one.")
    return found


def _number(given: Mapping[str, str], name: str, otherwise: float) -> float:
    text = given.get(name, "")
    if not text:
        return otherwise
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 10_000:
        raise SettingRefused(f"{name} says {text!r}. Write a number above 0.")
    return found


def claimed_values(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """What the token's claim holds: one text, or several. Anything else gives nothing.

    A name with points that is no claim itself leads into objects: `realm_access.roles`.
    """
    found: Any = claims.get(claim)
    if found is None and "." in claim:
        found = claims
        for step in claim.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return (found,)
    if isinstance(found, list | tuple):
        return tuple(one for one in found if isinstance(one, str))
    return ()
