"""Whether a person, automation, an AWS service or an AI agent acts with a credential, and which
field says so.

What AWS wrote into the record comes first. What the caller chose (session name, source identity,
user agent: §3.2, §4.3) comes last and is marked as the caller's word. A field says whom a
credential was issued to, never whose hands it is in now. Where no field says anything, it is not
known: a command line or an SDK is used by people and by programs alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from enrich.data.assumed_by import WhoActs
from enrich.facts.interface import CONSOLE_INVOKERS, SERVICE_HOST
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
from enrich.facts.user_agent import parse_user_agent

ActorKind = Literal["human", "automation", "aws_service", "ai_agent", "not_known"]

KIND_WORDS: Mapping[ActorKind, str] = {
    "human": "human",
    "automation": "automation",
    "aws_service": "AWS service",
    "ai_agent": "AI agent",
    "not_known": "human or automation: not known",
}


@dataclass(frozen=True)
class Actor:
    """Who acts. `field` is the record's field that says so, None where none does."""

    kind: ActorKind
    field: str | None = None
    why: str | None = None
    """What the field says, in words of ours: "issued to an EC2 instance"."""
    asserted: bool = False
    """Whether AWS wrote it; else it is what the caller chose to be called."""

    @property
    def words(self) -> str:
        """ "automation: issued to an EC2 instance (sessionContext.ec2RoleDelivery)"."""
        if self.field is None:
            return KIND_WORDS[self.kind]
        own_word = "" if self.asserted else ", the caller's own word"
        return f"{KIND_WORDS[self.kind]}: {self.why} ({self.field}{own_word})"

    def told(self) -> WhoActs:
        """The same as an answer holds it."""
        return WhoActs(
            kind=self.kind,
            field=self.field,
            why=self.why,
            asserted=self.asserted,
            words=self.words,
        )


NOT_KNOWN = Actor("not_known")


@dataclass(frozen=True)
class Acting:
    """What a record, or an alert, says of a session that acts. Everything may be missing."""

    type: str | None = None
    identity: Mapping[str, Any] | None = None
    """The whole `userIdentity`."""
    arn: str | None = None
    role_arn: str | None = None
    session_name: str | None = None
    source_identity: str | None = None
    on_behalf_of: str | None = None
    invoked_by: str | None = None
    from_console: bool = False
    ec2_role_delivery: str | None = None
    mfa: bool = False
    source_ip_address: str | None = None
    user_agent: str | None = None
    event_name: str | None = None

    def at(self, *keys: str) -> object:
        """What stands there in `userIdentity`."""
        value: object = self.identity
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def agent_or_host_is(self, host: str) -> str | None:
        """The field that names that host of AWS's, if one does."""
        for field, value in (
            ("userIdentity.invokedBy", self.invoked_by),
            ("sourceIPAddress", self.source_ip_address),
            ("userAgent", self.user_agent),
        ):
            if (value or "").strip("[] ").lower().startswith(host):
                return field
        return None


def actor_of(acting: Acting) -> Actor:
    """The first rule that any field meets."""
    return next((found for rule in _RULES if (found := rule(acting)) is not None), NOT_KNOWN)


_MCP = "aws-mcp."
"""AWS's own MCP server, which acts for AI agents (§4.3; seen by third parties)."""
_CONSOLE_SIGN_IN = frozenset({"ConsoleLogin", "SwitchRole"})
_SSO_ROLE = re.compile(r":role/aws-reserved/sso\.amazonaws\.com/|AWSReservedSSO_\w+_[0-9a-f]{16}")
_WORKLOAD_PROVIDERS = (
    ("oidc.eks.", "an EKS service account"),
    ("token.actions.githubusercontent.com", "a GitHub Actions job"),
    ("gitlab", "a GitLab job"),
)
"""Providers that vouch for programs. Others (Cognito, Google) vouch for people, or for apps."""


def _ai_agent(acting: Acting) -> Actor | None:
    field = acting.agent_or_host_is(_MCP)
    if field is None:
        return None
    return Actor("ai_agent", field, "through AWS's MCP server", field != "userAgent")


def _service(acting: Acting) -> Actor | None:
    if acting.type == "AWSService":
        name = acting.invoked_by or "an AWS service"
        return Actor("aws_service", "userIdentity.type", f"{name} by itself", True)
    found = SERVICE_ROLE.search(acting.role_arn or "")
    if found is not None:
        words = f"the service-linked role of {found[1]}"
        return Actor("aws_service", "sessionContext.sessionIssuer.arn", words, True)
    invoker = acting.invoked_by or ""
    if invoker not in CONSOLE_INVOKERS and SERVICE_HOST.match(invoker):
        return Actor("aws_service", "userIdentity.invokedBy", f"{invoker} on its behalf", True)
    return None


def _workload(acting: Acting) -> Actor | None:
    issued_to = acting.at("inScopeOf", "credentialsIssuedTo")
    if isinstance(issued_to, str) and issued_to:
        kind = str(acting.at("inScopeOf", "issuerType") or "")
        what = {
            "AWS::Lambda::Function": "a Lambda function",
            "AWS::EC2::Instance": "an EC2 instance",
        }.get(kind, "a workload")
        field = "userIdentity.inScopeOf.credentialsIssuedTo"
        return Actor("automation", field, f"issued to {what}", True)
    if acting.ec2_role_delivery or acting.at("sessionContext", "ec2RoleDelivery"):
        field = "sessionContext.ec2RoleDelivery"
        return Actor("automation", field, "issued to an EC2 instance", True)
    if ":assumed-role/aws:ec2-instance/" in (acting.arn or ""):
        return Actor("automation", "userIdentity.arn", "issued to an EC2 instance", True)
    provider = acting.at("sessionContext", "webIdFederationData", "federatedProvider")
    field = "sessionContext.webIdFederationData.federatedProvider"
    if acting.type == "WebIdentityUser":
        provider, field = acting.at("identityProvider"), "userIdentity.identityProvider"
    for part, what in _WORKLOAD_PROVIDERS:
        if part in str(provider or ""):
            return Actor("automation", field, f"issued to {what}", True)
    return None


def _person(acting: Acting) -> Actor | None:
    if acting.event_name in _CONSOLE_SIGN_IN:
        return Actor("human", "eventName", "signed in to the console", True)
    if acting.from_console:
        return Actor("human", "sessionCredentialFromConsole", "a console session", True)
    if acting.on_behalf_of or acting.type == "IdentityCenterUser":
        field = "userIdentity.onBehalfOf.userId" if acting.on_behalf_of else "userIdentity.type"
        return Actor("human", field, "an Identity Center user", True)
    if _SSO_ROLE.search(acting.role_arn or acting.arn or ""):
        field = "sessionContext.sessionIssuer.arn" if acting.role_arn else "userIdentity.arn"
        return Actor("human", field, "a permission set of Identity Center", True)
    stated = acting.at("sessionContext", "attributes", "mfaAuthenticated")
    if acting.mfa or str(stated).lower() == "true":
        return Actor("human", "sessionContext.attributes.mfaAuthenticated", "signed with MFA", True)
    if acting.type == "SAMLUser":
        return Actor("human", "userIdentity.type", "signed in through SAML", True)
    if acting.invoked_by in CONSOLE_INVOKERS and acting.type != "AWSService":
        return Actor("human", "userIdentity.invokedBy", "by way of the console", True)
    return None


_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (INSTANCE, "named like an EC2 instance's"),
    (HYBRID_NODE, "named like a Systems Manager node's"),
    (TASK, "named like an ECS task's"),
    (POD, "named like a pod's"),
    (CODE_BUILD, "named like CodeBuild's"),
    (re.compile(r"GitHubActions"), "named like a GitHub Actions job's"),
    (CLOUD_FORMATION, "named like CloudFormation's"),
)


def _by_name(acting: Acting) -> Actor | None:
    told = acting.source_identity or ""
    if told.startswith("CN="):
        return Actor("automation", "sessionContext.sourceIdentity", "named by a certificate")
    if EMAIL.fullmatch(told):
        return Actor("human", "sessionContext.sourceIdentity", "named by an e-mail address")
    name = acting.session_name or ""
    for pattern, words in _NAMES:
        if pattern.fullmatch(name):
            return Actor("automation", "session name", words)
    if EMAIL.fullmatch(name):
        return Actor("human", "session name", "named by an e-mail address")
    return None


_IN_A_WORKLOAD = re.compile(r"AWS_(?:Lambda|ECS)|EC2$", re.IGNORECASE)


def _by_client(acting: Acting) -> Actor | None:
    if not acting.user_agent:
        return None
    agent = parse_user_agent(acting.user_agent)
    if agent.kind == "browser":
        return Actor("human", "userAgent", "a browser")
    if (agent.environment or "").lower() == "cloudshell":
        return Actor("human", "userAgent", "CloudShell")
    if _IN_A_WORKLOAD.match(agent.environment or "") or agent.tool == "SSM agent":
        return Actor("automation", "userAgent", f"runs in {agent.environment or agent.tool}")
    return None


_RULES: tuple[Callable[[Acting], Actor | None], ...] = (
    _ai_agent,
    _service,
    _workload,
    _person,
    _by_name,
    _by_client,
)
