"""What the allowing statements of a policy give: everything, changes of permissions, any role.

Which actions manage permissions is AWS's own access level "Permissions management" of IAM and IAM
Identity Center (Service Authorization Reference), from policy_sentry's copy of it. That is opened
when a policy is first read, since it takes a third of a second and 50 MB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from alerts.content.policy_document import Policy, Statement

MOST_OF_PATTERNS = 40_000
"""Characters of action patterns that are compared. AWS takes no policy of an identity beyond 10,240
(32,768 for a permission set), so that more is no policy, and would take seconds.
"""

_SERVICES = ("iam", "sso")
_OWN_HOUSEKEEPING = frozenset(
    {
        "iam:changepassword",
        "iam:createaccountalias",
        "iam:createservicelinkedrole",
        "iam:createvirtualmfadevice",
        "iam:enablemfadevice",
        "iam:passrole",  # said by itself
        "iam:resyncmfadevice",
        "iam:setsecuritytokenservicepreferences",
        "iam:updateroledescription",
    }
)
"""Permission management by its access level that gives nobody a right: what people do with their
own password and device, and what every service's wizard needs."""

_GIVES_RIGHTS = (
    "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:PutUserPolicy",
    "iam:PutRolePolicy", "iam:PutGroupPolicy", "iam:AttachUserPolicy", "iam:AttachRolePolicy",
    "iam:AttachGroupPolicy", "iam:AddUserToGroup", "iam:UpdateAssumeRolePolicy",
    "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile",
    "iam:DeleteUserPermissionsBoundary", "iam:DeleteRolePermissionsBoundary",
)  # fmt: skip
"""Each of these on any identity makes an administrator of whoever may call it, so that they stand
first: published ways of privilege escalation in IAM (Rhino Security Labs, 2018, and since)."""

_ANY_IDENTITY = re.compile(
    r"\*|arn:[^:]*:iam::[^:]*:(?:\*|(?:user|role|group|policy)/?\*|\*/\*)", re.I
)
_ANY_ROLE = re.compile(r"\*|arn:[^:]*:iam::[^:]*:(?:\*|role/?\*|\*/\*)", re.I)


@dataclass(frozen=True)
class Given:
    """What one policy gives, in the order of weight."""

    everything: bool = False
    """Every action on every resource."""
    all_but: tuple[str, ...] = ()
    """Every action on every resource, but for these."""
    manages: tuple[str, ...] = ()
    """Actions on any identity that change permissions, those that give rights first."""
    gives_rights: bool = False
    """Whether one of these gives rights by itself."""
    every_iam_action: bool = False
    passes_any_role: bool = False
    conditions: tuple[str, ...] = ()
    """The condition keys under which the gravest of it holds; none where it holds without."""
    denies: bool = False
    """Whether the document denies something as well."""


def given_by(policy: Policy) -> Given | None:
    """What the policy gives of that; None where it gives none of it."""
    wide = [one for one in policy.allowing if one.on_everything]
    everything = [one for one in wide if one.every_action]
    if everything:
        return Given(everything=True, conditions=_conditions(everything), denies=policy.denies)
    all_but = [one for one in wide if one.not_actions]
    # What leaves out IAM leaves out the way to more: that is power use, and said as such.
    if all_but:
        least = min(all_but, key=lambda one: (len(one.not_actions), sorted(one.not_actions)))
        return Given(
            all_but=tuple(sorted(least.not_actions)),
            gives_rights=not any(_leaves_out_iam(one) for one in least.not_actions),
            conditions=_conditions([least]),
            denies=policy.denies,
        )
    over = [one for one in policy.allowing if _any(one, _ANY_IDENTITY)]
    managing = [(one, managed) for one in over if (managed := _managed(one.actions))]
    if managing:
        actions = sorted({action for _, managed in managing for action in managed})
        giving = [action for action in _GIVES_RIGHTS if action in actions]
        weighty = [one for one, managed in managing if set(managed) & set(_GIVES_RIGHTS)]
        return Given(
            manages=(*giving, *(action for action in actions if action not in giving)),
            gives_rights=bool(giving),
            every_iam_action=any("iam:*" in _folded(one.actions) for one, _ in managing),
            conditions=_conditions(weighty or [one for one, _ in managing]),
            denies=policy.denies,
        )
    passing = [
        one
        for one in policy.allowing
        if _any(one, _ANY_ROLE) and any(_covers(action, "iam:passrole") for action in one.actions)
    ]
    if passing:
        return Given(passes_any_role=True, conditions=_conditions(passing), denies=policy.denies)
    return None


def _conditions(statements: Iterable[Statement]) -> tuple[str, ...]:
    """Keys of the conditions; none where one of the statements has none."""
    every = list(statements)
    if any(not one.conditions for one in every):
        return ()
    return tuple(sorted({key for one in every for key in one.conditions}))


def _any(statement: Statement, pattern: re.Pattern[str]) -> bool:
    return bool(statement.not_resources) or any(
        pattern.fullmatch(one) for one in statement.resources
    )


def _folded(actions: Iterable[str]) -> set[str]:
    return {action.casefold() for action in actions}


def _leaves_out_iam(action: str) -> bool:
    return action.casefold() in ("iam:*", "iam:put*", "*")


def _managed(patterns: Iterable[str]) -> list[str]:
    """The permission-managing actions that the patterns cover."""
    wanted = [one for one in _folded(patterns) if one.startswith(_PREFIXES) or one[:1] == "*"]
    found: set[str] = set()
    left = MOST_OF_PATTERNS
    for pattern in sorted(wanted):
        left -= len(pattern)
        if left < 0:
            break
        found.update(_covered(pattern))
    return sorted(found)


_PREFIXES = tuple(f"{service}:" for service in _SERVICES)


def _covered(pattern: str) -> list[str]:
    return [action for folded, action in _managing().items() if _covers(pattern, folded)]


def _covers(pattern: str, action: str) -> bool:
    """Whether a pattern of IAM's (`*` and `?`, without case) covers an action in small letters.

    By hand, since a regular expression of an attacker's stars may take for ever.
    """
    pattern = pattern.casefold()
    if "*" not in pattern and "?" not in pattern:
        return pattern == action
    here = there = 0
    star, mark = -1, 0
    while there < len(action):
        if here < len(pattern) and pattern[here] == "*":
            star, mark = here, there
            here += 1
        elif here < len(pattern) and pattern[here] in ("?", action[there]):
            here += 1
            there += 1
        elif star >= 0:
            mark += 1
            here, there = star + 1, mark
        else:
            return False
    return all(left == "*" for left in pattern[here:])


@cache
def _managing() -> dict[str, str]:
    """Permission-managing actions by their names in small letters."""
    from policy_sentry.querying.actions import get_actions_with_access_level

    actions = [
        action
        for service in _SERVICES
        for action in get_actions_with_access_level(service, "Permissions management")
    ]
    named = {action.casefold(): action for action in actions}
    left = {folded: one for folded, one in named.items() if folded not in _OWN_HOUSEKEEPING}
    return {folded: one for folded, one in left.items() if not _takes_away(folded)}


def _takes_away(action: str) -> bool:
    """Deleting and detaching manages permissions, but gives none; a boundary's removal does."""
    verb = action.partition(":")[2]
    return verb.startswith(("delete", "detach", "remove", "disassociate")) and (
        "boundary" not in verb
    )
