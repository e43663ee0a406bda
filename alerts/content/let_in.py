"""Whom a policy of a resource or a role lets in: everybody, other accounts, identity providers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alerts.content.call import Call, account_in, listing
from alerts.content.policy_document import Policy, Statement

_NARROWS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpcsourceip",
        "aws:userid",
        "kms:calleraccount",
        "s3:dataaccesspointaccount",
        "sts:externalid",
    }
)
"""Condition keys that say whose calls or from where: with one, "everybody" is not everybody (AWS's
global condition keys; the ones of S3's "public" and of KMS's default policies)."""
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0", "*"})


@dataclass(frozen=True)
class LetIn:
    """Who may come in by the allowing statements."""

    everybody: bool = False
    """Anybody at all, without a condition that says whose calls or from where."""
    everybody_under: tuple[str, ...] = ()
    """The condition keys of "everybody under conditions"."""
    accounts: tuple[str, ...] = ()
    """Accounts other than the record's own."""
    accounts_under: tuple[str, ...] = ()
    """The condition keys where every statement for them has some."""
    actions: tuple[str, ...] = ()
    """What they may do."""


def let_in(policy: Policy, call: Call) -> LetIn:
    """Whom the policy lets in besides the record's own account."""
    open_to_all = [one for one in policy.allowing if _is_everybody(one)]
    free = [one for one in open_to_all if not _narrowed(one)]
    for_others = [
        (one, call.outsiders(_accounts(one)))
        for one in policy.allowing
        if call.outsiders(_accounts(one))
    ]
    counted = free or [one for one, _ in for_others] or open_to_all
    return LetIn(
        everybody=bool(free),
        everybody_under=() if free else _keys(open_to_all),
        accounts=tuple(sorted({account for _, accounts in for_others for account in accounts})),
        accounts_under=_keys(one for one, _ in for_others),
        actions=tuple(sorted({action for one in counted for action in one.actions})),
    )


def under(keys: tuple[str, ...]) -> str:
    """ ", only under conditions (…)", or nothing."""
    return f", only under conditions ({listing(keys)})" if keys else ""


def other_accounts(accounts: tuple[str, ...], call: Call) -> str:
    """ "account 999988887777 (outside account 111122223333)"."""
    noun = "account" if len(accounts) == 1 else "accounts"
    return f"{noun} {listing(accounts)} (outside account {call.account})"


def _is_everybody(statement: Statement) -> bool:
    by_name = any(
        value == "*" and kind.casefold() in ("*", "aws") for kind, value in statement.principals
    )
    return by_name or bool(statement.not_principals)


def _narrowed(statement: Statement) -> bool:
    return any(
        key in _NARROWS and not values & _EVERYWHERE
        for key, values in statement.condition_values.items()
    )


def _accounts(statement: Statement) -> list[str]:
    by_name = [
        account_in(value) for kind, value in statement.principals if kind.casefold() == "aws"
    ]
    if _is_everybody(statement):  # then the conditions say whose
        by_name += [
            account_in(value)
            for key in ("aws:principalaccount", "aws:principalarn", "kms:calleraccount")
            for value in statement.condition_values.get(key, ())
        ]
    return [account for account in by_name if account]


def _keys(statements: Iterable[Statement]) -> tuple[str, ...]:
    every = list(statements)
    if any(not one.conditions for one in every):
        return ()
    return tuple(sorted({key for one in every for key in one.conditions}))
