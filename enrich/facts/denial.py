"""Why an assumption failed: target, action and reason class out of the error message (§5).

The message is the only place that names the target of a denied AssumeRole. It ends at 1 KB, may
lack a reason (old records, and other accounts' details), and holds names of the caller's choice:
a role name cannot contain spaces, so the sentence around it can be trusted, the names cannot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

ReasonClass = Literal[
    "trust_policy",
    "identity_policy",
    "scp",
    "rcp",
    "boundary",
    "session_policy",
    "vpc_endpoint",
    "resource_policy",
    "mfa",
    "root",
    "duration",
    "federation",
    "expired",
    "invalid_token",
    "validation",
    "policy_size",
    "region_disabled",
    "unknown",
]

REASON_WORDS: dict[str, str] = {
    "trust_policy": "the role's trust policy",
    "identity_policy": "the caller's identity policy",
    "scp": "a service control policy",
    "rcp": "a resource control policy",
    "boundary": "a permissions boundary",
    "session_policy": "a session policy",
    "vpc_endpoint": "a VPC endpoint policy",
    "resource_policy": "a resource policy",
    "mfa": "a wrong or unknown MFA code",
    "root": "root may not assume roles",
    "duration": "too long a session asked for",
    "federation": "the identity provider's token or the trust in it",
    "expired": "expired credentials",
    "invalid_token": "invalid credentials",
    "validation": "a malformed request",
    "policy_size": "session policy or tags too large or malformed",
    "region_disabled": "STS is off in that region",
    "unknown": "the record does not say why",
}


@dataclass(frozen=True)
class Denial:
    """What a failed assumption's record says. Each part is None where the message lacks it."""

    target_role_arn: str | None
    caller_arn: str | None
    action: str | None
    reason: str | None
    reason_class: ReasonClass
    explicit: bool
    """An explicit deny, rather than nothing that allows."""


_TARGET = re.compile(
    r'on resource:\s*"?(arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]*[\w+=@/-])', re.ASCII
)
_CALLER = re.compile(r"^User:\s*(arn:.+?) is not authorized to perform:")
_ACTION = re.compile(r"(?:to perform:?|perform)\s+(sts:\w+)")
_REASON = re.compile(
    r"(because no .+? allows|with an explicit deny in (?:an?|the) .+?)(?= the |:\s|:$|$)"
)

# The clause named first decides: "in a VPC endpoint policy transitively through a service control
# policy" is the endpoint's.
_CLAUSES: tuple[tuple[str, ReasonClass], ...] = (
    ("service control polic", "scp"),
    ("resource control polic", "rcp"),
    ("role trust policy", "trust_policy"),
    ("assume role policy", "trust_policy"),
    ("permissions boundar", "boundary"),
    ("vpc endpoint polic", "vpc_endpoint"),
    ("session polic", "session_policy"),
    ("sessions polic", "session_policy"),
    ("identity-based polic", "identity_policy"),
    ("resource-based polic", "resource_policy"),
)
_MESSAGES: tuple[tuple[str, ReasonClass], ...] = (
    ("roles may not be assumed by root accounts", "root"),
    ("multifactorauthentication failed", "mfa"),
    ("durationseconds exceeds", "duration"),
    ("'durationseconds' failed to satisfy constraint", "duration"),
    ("not authorized to perform sts:assumerolewithwebidentity", "federation"),
    ("not authorized to perform sts:assumerolewithsaml", "federation"),
    ("not authorized to perform: sts:assumerolewithwebidentity", "federation"),
    ("not authorized to perform: sts:assumerolewithsaml", "federation"),
    ("token included in the request is expired", "expired"),
    ("token included in the request is invalid", "invalid_token"),
    ("sts is not activated in this region", "region_disabled"),
    ("failed to satisfy constraint", "validation"),
)
_CODES: dict[str, ReasonClass] = {
    "expiredtoken": "expired",
    "requestexpired": "expired",
    "invalidclienttokenid": "invalid_token",
    "unrecognizedclient": "invalid_token",
    "signaturedoesnotmatch": "invalid_token",
    "packedpolicytoolarge": "policy_size",
    "malformedpolicydocument": "policy_size",
    "regiondisabled": "region_disabled",
    "idprejectedclaim": "federation",
    "invalididentitytoken": "federation",
    "idpcommunicationerror": "federation",
    "validationerror": "validation",
    "validation": "validation",
}


def parse_denial(error_code: str | None, error_message: str | None) -> Denial:
    """The parts of one failed assumption. Never fails: what is not there is None or "unknown"."""
    message = error_message or ""
    target = _TARGET.search(message)
    caller = _CALLER.search(message)
    action = _ACTION.search(message)
    # The reason is looked for behind the names, which the caller chose.
    rest = message[target.end() :] if target else message[action.end() :] if action else message
    reason = _REASON.search(rest)
    return Denial(
        target_role_arn=target[1] if target else None,
        caller_arn=caller[1] if caller else None,
        action=action[1] if action else None,
        reason=reason[1] if reason else None,
        reason_class=_reason_class(error_code, message, rest),
        explicit=bool(reason and reason[1].startswith("with an explicit deny")),
    )


def normal_code(error_code: str | None) -> str:
    """The error code as every service would write it: no `Client.`, no `Exception`, lower case."""
    code = (error_code or "").removeprefix("Client.").removeprefix("Server.")
    return code.removesuffix("Exception").lower()


def _reason_class(error_code: str | None, message: str, rest: str) -> ReasonClass:
    lowered_rest = rest.lower()
    if "because no " in lowered_rest or "explicit deny" in lowered_rest:
        places = [(lowered_rest.find(words), reason) for words, reason in _CLAUSES]
        named = [(place, reason) for place, reason in places if place >= 0]
        if named:
            return min(named)[1]
    lowered = message.lower()
    for words, reason in _MESSAGES:
        if lowered.startswith(words) or words in lowered_rest or words in lowered[:200]:
            return reason
    return _CODES.get(normal_code(error_code), "unknown")
