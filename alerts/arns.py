"""ARNs built for identities of which an alert gives only the parts."""

from __future__ import annotations

import re

from alerts.alert import Principal

IDENTITY_ARN = re.compile(
    r"arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):"
    r"(root|user|role|assumed-role|federated-user)(?:/([\w+=,.@/-]*[\w+=@]))?"
)


def assumed_role_arn(account_id: str, role_name: str, session: str, partition: str = "aws") -> str:
    return f"arn:{partition}:sts::{account_id}:assumed-role/{role_name}/{session}"


def role_arn(account_id: str, role_name: str, partition: str = "aws") -> str:
    """The role's ARN without the path that only IAM knows."""
    return f"arn:{partition}:iam::{account_id}:role/{role_name}"


def partition_of(region: str | None) -> str:
    """The partition that a region belongs to: the ordinary one unless its name says otherwise."""
    if region is not None and region.startswith("cn-"):
        return "aws-cn"
    if region is not None and region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws"


def principal_of_arn(arn: str) -> Principal | None:
    """The identity that an IAM or STS ARN names, as far as the ARN tells; None for other ARNs."""
    match = IDENTITY_ARN.fullmatch(arn)
    if match is None:
        return None
    account, kind, name = match[1], match[2], match[3] or ""
    partition = arn.split(":", 2)[1]
    if kind == "root":
        return Principal("Root", arn=arn, principal_id=account, account_id=account)
    if not name:
        return None
    if kind == "user":
        return Principal("IAMUser", arn=arn, user_name=name.rsplit("/", 1)[-1], account_id=account)
    if kind == "role":
        return Principal("Role", arn=arn, role_arn=arn, account_id=account)
    if kind == "federated-user":
        return Principal(
            "FederatedUser", arn=arn, principal_id=f"{account}:{name}", account_id=account
        )
    role, _, session = name.partition("/")
    return Principal(
        "AssumedRole",
        arn=arn,
        role_arn=f"arn:{partition}:iam::{account}:role/{role}",
        session_name=session or None,
        account_id=account,
    )
