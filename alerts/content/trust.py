"""Who may assume a role, by the trust policy that CreateRole or UpdateAssumeRolePolicy wrote."""

from __future__ import annotations

from collections.abc import Iterator

from alerts.content.call import Call, listing, named
from alerts.content.let_in import let_in, other_accounts, under
from alerts.content.policy_document import Policy, Statement, read_policy
from alerts.content.readers import Readers, readers
from alerts.content.sign import ContentSign

KINDS = {
    "trust_anyone": "A role may be assumed by anybody in AWS.",
    "trust_outside": "A role may be assumed from another account.",
    "trust_any_subject": "A role may be assumed through an identity provider that many share, by"
    " whichever of its subjects.",
}

_TECHNIQUES = ("T1098.003",)
_SHARED_PROVIDERS = (
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "api.bitbucket.org",
    "oidc.circleci.com",
    "accounts.google.com",
    "graph.facebook.com",
    "www.amazon.com",
    "agent.buildkite.com",
    "app.pulumi.com",
    "oidc.vercel.com",
)
"""Providers whose tokens anybody can have: only a condition on the subject tells tenants apart (IAM
User Guide, "Create a role for OpenID Connect federation": each such provider needs one)."""
_NO_SUBJECT = frozenset({"*", "repo:*", "repo:*/*", "repo:*:*", "repo:*/*:*"})
_TELL_SUBJECTS = ("sub", "job_workflow_ref", "repository", "repository_owner", "project_path")


def _trust(call: Call) -> Iterator[ContentSign]:
    field = "assumeRolePolicyDocument" if call.name == "CreateRole" else "policyDocument"
    policy = read_policy(call.value(field))
    if policy is None:
        return
    role = named("role", call.given("roleName"))
    found = let_in(policy, call)
    if found.everybody or found.everybody_under:
        yield ContentSign(
            "trust_anyone",
            "for",
            found.everybody,
            f"{call.name} lets anybody in AWS assume {role}{under(found.everybody_under)}.",
            _TECHNIQUES,
            about=role,
        )
    if found.accounts:
        yield ContentSign(
            "trust_outside",
            "for",
            True,
            f"{call.name} lets {other_accounts(found.accounts, call)} assume"
            f" {role}{under(found.accounts_under)}.",
            _TECHNIQUES,
            found.accounts,
            role,
        )
    if providers := _without_subject(policy):
        yield ContentSign(
            "trust_any_subject",
            "for",
            True,
            f"{call.name} lets any subject of {listing(providers)} assume {role}: no condition says"
            " whose.",
            ("T1098.003", "T1484.002"),
            about=role,
        )


def _without_subject(policy: Policy) -> list[str]:
    return sorted(
        {
            provider
            for statement in policy.allowing
            for kind, value in statement.principals
            if kind.casefold() == "federated"
            for provider in _SHARED_PROVIDERS
            if value.casefold().rpartition("oidc-provider/")[2].startswith(provider)
            and not _tells_subjects(statement, provider)
        }
    )


def _tells_subjects(statement: Statement, provider: str) -> bool:
    return any(
        key.startswith(provider)
        and key.rpartition(":")[2] in _TELL_SUBJECTS
        and not values <= _NO_SUBJECT
        for key, values in statement.condition_values.items()
    )


READERS: Readers = readers(("iam", "CreateRole UpdateAssumeRolePolicy", _trust))
