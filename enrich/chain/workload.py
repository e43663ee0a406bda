"""Which workload holds a credential: an instance, a function, a task, a pod (§2.3, §2.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enrich.chain.mints import Mint
from enrich.chain.session import Session
from enrich.facts.interface import json_object
from enrich.facts.session_names import (
    CLOUD_FORMATION,
    CODE_BUILD,
    EMAIL,
    HYBRID_NODE,
    INSTANCE,
    POD,
    SERVICE_ROLE,
    TASK,
)


@dataclass(frozen=True)
class Workload:
    """A guess from a session's own fields: what holds it, and the field that says so."""

    type: str
    label: str
    name: str | None
    """What of the label is a name that records bear: an instance's id, a session's name."""
    field: str
    arn: str | None = None
    invoked_by: str | None = None


_SSO_ROLE = re.compile(r":role/aws-reserved/sso\.amazonaws\.com/(?:.*/)?AWSReservedSSO_(.+)_\w+$")

_NAMES: tuple[tuple[re.Pattern[str], str, str | None], ...] = (
    (INSTANCE, "EC2 instance {}", "ec2.amazonaws.com"),
    (HYBRID_NODE, "Systems Manager node {}", "ssm.amazonaws.com"),
    (TASK, "ECS task {}", "ecs-tasks.amazonaws.com"),
    (POD, "EKS pod of session {}", "pods.eks.amazonaws.com"),
    (CODE_BUILD, "CodeBuild ({})", "codebuild.amazonaws.com"),
    (re.compile(r"^awslambda_\d+_\d+$"), "Lambda ({})", "lambda.amazonaws.com"),
    (CLOUD_FORMATION, "CloudFormation", "cloudformation.amazonaws.com"),
    (re.compile(r"^GlueJobRunnerSession$"), "a Glue job", "glue.amazonaws.com"),
    (re.compile(r"^SageMaker$"), "SageMaker", "sagemaker.amazonaws.com"),
    (
        re.compile(r"^CognitoIdentityCredentials$"),
        "a Cognito identity",
        "cognito-identity.amazonaws.com",
    ),
)


def workload_of_mint(mint: Mint, session: Session) -> tuple[str, str, str]:
    """The label, the name in it and the field for a credential that an AWS service fetched."""
    service = str(mint.row["invoked_by"] or mint.row["principal_id"] or "")
    name = mint.session_name or session.session_name or ""
    by_name = "requestParameters.roleSessionName"
    issued_to = _in_scope(session)
    if issued_to is not None:
        return issued_to.label, issued_to.name or service, issued_to.field
    if service.startswith("pods.eks."):
        label, field = _pod(mint) or (f"EKS pod of session {name}", by_name)
        return label, name or service, field
    if service.startswith("ec2.") and name:
        return f"EC2 instance {name}", name, by_name
    if service.startswith("lambda.") and name:
        return f"Lambda function {name}", name, by_name
    if service.startswith("ecs-tasks.") and name:
        return f"ECS task {name}", name, by_name
    if service.startswith("ssm.") and name.startswith(("i-", "mi-")):
        return f"Systems Manager node {name}", name, by_name
    if service.startswith("rolesanywhere.") and name:
        return f"Roles Anywhere certificate {name}", name, by_name
    return f"AWS service {service}", service, "userIdentity.invokedBy"


def workload_of_session(session: Session) -> Workload | None:
    """R4: who a session seems to be, by the strongest of its own fields; None when silent."""
    issued_to = _in_scope(session)
    if issued_to is not None:
        return issued_to
    identity = json_object(session.user_identity)
    context = _object(identity.get("sessionContext"))
    name = session.session_name or ""
    if ":assumed-role/aws:ec2-instance/" in (session.arn or ""):
        return Workload(
            "AWSService",
            f"EC2 instance {name}",
            name,
            "userIdentity.arn",
            None,
            "ec2.amazonaws.com",
        )
    if context.get("ec2RoleDelivery") and INSTANCE.match(name):
        return Workload(
            "AWSService",
            f"EC2 instance {name}",
            name,
            "sessionContext.ec2RoleDelivery",
            None,
            "ec2.amazonaws.com",
        )
    if session.on_behalf_of:
        return Workload(
            "IdentityCenterUser",
            f"Identity Center user {name or session.on_behalf_of}",
            name or session.on_behalf_of,
            "userIdentity.onBehalfOf.userId",
        )
    if match := _SSO_ROLE.search(session.role_arn or ""):
        return Workload(
            "IdentityCenterUser",
            f"Identity Center user {name}, permission set {match[1]}",
            name or None,
            "sessionContext.sessionIssuer.arn",
        )
    if match := SERVICE_ROLE.search(session.role_arn or ""):
        return Workload(
            "AWSService",
            f"AWS service {match[1]}",
            match[1],
            "sessionContext.sessionIssuer.arn",
            None,
            match[1],
        )
    provider = _object(context.get("webIdFederationData")).get("federatedProvider")
    if isinstance(provider, str) and provider:
        return Workload(
            "WebIdentityUser",
            f"web identity of {provider.rpartition('oidc-provider/')[2]}, session {name}",
            name or None,
            "sessionContext.webIdFederationData.federatedProvider",
        )
    if session.source_identity:
        stated = session.source_identity
        return Workload("SourceIdentity", stated, stated, "sessionContext.sourceIdentity")
    for pattern, label, service in _NAMES:
        if pattern.match(name):
            return Workload(
                "AWSService", label.format(name), name, "userIdentity.principalId", None, service
            )
    if EMAIL.match(name):
        return Workload("Unknown", f"someone named {name}", name, "userIdentity.principalId")
    return None


def _in_scope(session: Session) -> Workload | None:
    """`inScopeOf`: AWS's own word for which workload the credentials were issued to."""
    scope = _object(json_object(session.user_identity).get("inScopeOf"))
    issued_to = scope.get("credentialsIssuedTo")
    if not isinstance(issued_to, str) or not issued_to:
        return None
    kind = str(scope.get("issuerType") or "")
    word = {
        "AWS::Lambda::Function": "Lambda function",
        "AWS::EC2::Instance": "EC2 instance",
    }.get(kind, kind or "workload")
    short = issued_to.rpartition(":")[2].rpartition("/")[2]
    service = {
        "AWS::Lambda::Function": "lambda.amazonaws.com",
        "AWS::EC2::Instance": "ec2.amazonaws.com",
    }.get(kind)
    return Workload(
        "AWSService",
        f"{word} {short}",
        short or None,
        "userIdentity.inScopeOf.credentialsIssuedTo",
        issued_to if issued_to.startswith("arn:") else None,
        service,
    )


def _pod(mint: Mint) -> tuple[str, str] | None:
    tags: dict[str, str] = {}
    stated = json_object(mint.row["request_parameters"]).get("tags")
    for tag in stated if isinstance(stated, list) else []:
        entry = _object(tag)
        if isinstance(entry.get("key"), str) and isinstance(entry.get("value"), str):
            tags[entry["key"]] = entry["value"]
    pod = tags.get("kubernetes-pod-name")
    if pod is None:
        return None
    namespace = tags.get("kubernetes-namespace")
    account = tags.get("kubernetes-service-account")
    cluster = tags.get("eks-cluster-name") or tags.get("eks-cluster-arn", "").rpartition("/")[2]
    label = f"pod {namespace}/{pod}" if namespace else f"pod {pod}"
    label += f" (service account {account})" if account else ""
    return label + (f" in cluster {cluster}" if cluster else ""), "requestParameters.tags"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
