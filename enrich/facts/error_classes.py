"""What kind of failure an error code is: denied, throttled, not found… (§6.4)."""

from __future__ import annotations

import re
from typing import Literal

ErrorClass = Literal[
    "denied", "dry_run", "throttled", "not_found", "exists", "validation", "sign_in", "other"
]

_DENIED = frozenset(
    {
        "accessdenied",
        "accessdeniedfault",
        "accessdeniedfordependency",
        "accountproblem",
        "allaccessdisabled",
        "authfailure",
        "authorizationerror",
        "expiredtoken",
        "forbidden",
        "403",
        "idprejectedclaim",
        "insufficientprivileges",
        "invalidclienttokenid",
        "invalididentitytoken",
        "invalidtoken",
        "kmsaccessdenied",
        "missingauthenticationtoken",
        "notauthorized",
        "operationnotpermitted",
        "optinrequired",
        "regiondisabled",
        "requestexpired",
        "signaturedoesnotmatch",
        "subscriptionrequired",
        "unauthorized",
        "unauthorizedaccess",
        "unauthorizedoperation",
        "unrecognizedclient",
        "vpceaccessdenied",
    }
)
_THROTTLED = ("throttl", "requestlimitexceeded", "slowdown", "toomanyrequests")
_DENIED_MESSAGE = re.compile(
    r"is not authorized to perform|access denied|you are not authorized", re.IGNORECASE
)


def normal_code(error_code: str) -> str:
    """The code without `Client.`/`Server.` and `Exception`, in lower case, for comparison."""
    code = error_code.strip().lower()
    for prefix in ("client.", "server."):
        code = code.removeprefix(prefix)
    return code.removesuffix("exception")


def error_class(error_code: str | None, error_message: str | None = None) -> ErrorClass:
    """The kind of a failed call. Without a code only a sign-in fails, by its message."""
    if error_code is None:
        return "sign_in"
    code = normal_code(error_code)
    if code == "dryrunoperation":
        return "dry_run"
    if code in _DENIED or _DENIED_MESSAGE.search(error_message or ""):
        return "denied"
    if code.startswith(_THROTTLED):
        return "throttled"
    if code.startswith("nosuch") or "notfound" in code or "doesnotexist" in code:
        return "not_found"
    if "alreadyexist" in code or "duplicate" in code or code == "entityexists":
        return "exists"
    if "validation" in code or code.startswith(("invalid", "malformed", "missing")):
        return "validation"
    return "other"
