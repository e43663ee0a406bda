"""Through what a role was assumed: SAML, web identity, console, AWS service, CLI or SDK (§4).

The copy of a cross-account call in the role's account lacks `invokedBy`, so the address and the
user agent speak too. A user agent is the caller's own word: it refines, it never proves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

Interface = Literal["saml", "web_identity", "console", "aws_service", "cli_sdk"]

INTERFACE_WORDS: Mapping[str, str] = {
    "saml": "SAML",
    "web_identity": "web identity",
    "console": "the console",
    "aws_service": "an AWS service",
    "cli_sdk": "CLI or SDK",
}

PORTAL = "sso.amazonaws.com"
"""Identity Center's portal: it hands out what it fetches by AssumeRoleWithSAML (§2.2)."""

CONSOLE_INVOKERS = frozenset({"AWS Internal", "signin.amazonaws.com"})

# §4.2, without the forms that AWS backends share with the console ("Coral/…", "aws-internal/3"):
# they count only together with an address that is AWS's own.
_CONSOLE_AGENT = re.compile(
    r"^(signin\.amazonaws\.com|console(\.[\w-]+)?\.amazonaws\.com"
    r"|AWS Signin, aws-internal/3\b|S3Console/|Jersey/\$\{project\.version\}|Mozilla/5\.0"
    r"|AWS-Console-Mobile)",
    re.IGNORECASE,
)
_BACKEND_AGENT = re.compile(
    r"^(AWS Internal(/\d+)?$|Coral/|(\w+, )?aws-internal/3\b)", re.IGNORECASE
)
_INTERNAL_ADDRESS = re.compile(r"^AWS Internal(/\d+)?$")
SERVICE_HOST = re.compile(r"^[\w.-]+\.(amazonaws\.com(\.cn)?|aws\.internal)$")

_WEB_PROVIDERS = (
    ("oidc.eks.", "EKS service account (IRSA)"),
    ("token.actions.githubusercontent.com", "GitHub Actions"),
    ("gitlab", "GitLab"),
    ("cognito-identity.amazonaws.com", "Cognito"),
    ("accounts.google.com", "Google"),
)


def interface_of(event: Mapping[str, Any]) -> Interface:
    """The interface of one AssumeRole-like row of the event table, by the tests of §4.1 in order.

    `SwitchRole` within two seconds, which also proves the console, is another event: whoever
    holds it decides.
    """
    name = event.get("event_name")
    if name == "AssumeRoleWithSAML" or event.get("event_source") == PORTAL:
        return "saml"
    if name == "AssumeRoleWithWebIdentity":
        return "web_identity"
    if is_console_call(event):
        return "console"
    if is_service_call(event):
        return "aws_service"
    return "cli_sdk"


def interface_detail(event: Mapping[str, Any]) -> str | None:
    """A finer word for the interface, where the record has one: the provider, the service."""
    identity = json_object(event.get("user_identity"))
    role = str(event.get("target_role_arn") or "")
    if event.get("event_name") == "AssumeRoleWithSAML":
        issuer = str(json_object(event.get("response_elements")).get("issuer") or "")
        if "portal.sso." in issuer or "/aws-reserved/sso.amazonaws.com/" in role:
            return "IAM Identity Center"
        return issuer or None
    if event.get("event_source") == PORTAL:
        return "IAM Identity Center"
    if event.get("event_name") == "AssumeRoleWithWebIdentity":
        provider = str(
            json_object(event.get("response_elements")).get("provider")
            or identity.get("identityProvider")
            or ""
        )
        for part, word in _WEB_PROVIDERS:
            if part in provider:
                return word
        return provider or None
    if is_service_call(event) and not is_console_call(event):
        return _text(event.get("invoked_by")) or _text(event.get("source_ip_address"))
    return None


def is_console_call(event: Mapping[str, Any]) -> bool:
    """Whether the console made the call for its user."""
    if event.get("session_from_console"):
        return True
    if event.get("identity_type") == "AWSService":
        return False
    if event.get("invoked_by") in CONSOLE_INVOKERS:
        return True
    agent = str(event.get("user_agent") or "").strip().removeprefix("[")
    if _CONSOLE_AGENT.match(agent):
        return True
    address = str(event.get("source_ip_address") or "")
    return bool(_INTERNAL_ADDRESS.match(address)) and (
        not agent or bool(_BACKEND_AGENT.match(agent))
    )


def is_service_call(event: Mapping[str, Any]) -> bool:
    """Whether an AWS service made the call, for itself or on someone's behalf."""
    if event.get("identity_type") == "AWSService":
        return True
    invoked_by = str(event.get("invoked_by") or "")
    if invoked_by.endswith(".amazonaws.com") and invoked_by not in CONSOLE_INVOKERS:
        return True
    return any(
        SERVICE_HOST.match(str(event.get(field) or ""))
        for field in ("source_ip_address", "user_agent")
    )


def json_object(text: object) -> Mapping[str, Any]:
    """The JSON object in a text column, else an empty one."""
    if isinstance(text, Mapping):
        return text
    if not isinstance(text, str):
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
