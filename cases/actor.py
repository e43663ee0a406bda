"""Who acts on cases, and how that is known: it goes into the audit trail with every change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Names = Literal["proven", "chosen", "command line"]
"""Whether a name was proven by a sign-in, chosen from a list, or typed beside a command."""

SHOWN_ID = 16
"""Characters of an id of a sign-in that are enough to tell two apart."""


@dataclass(frozen=True)
class Actor:
    """Somebody, by the name that cases keep, for as long as one browser session.

    `browser` is an id of that session, and no secret. With a proven name, `sign_in` is the id of
    the sign-in in the registry, and `issuer` and `subject` are the provider's: a provider never
    gives a subject to two people, while names and e-mail addresses change hands.
    """

    name: str
    names: Names
    browser: str = ""
    sign_in: str = ""
    issuer: str = ""
    subject: str = ""
    email: str = ""

    def document(self) -> dict[str, Any]:
        """What an audit entry keeps beside the name."""
        if self.names == "proven":
            return {
                "names": self.names,
                "issuer": self.issuer,
                "subject": self.subject,
                "email": self.email,
                "sign_in": self.sign_in[:SHOWN_ID],
            }
        return {"names": self.names, **({"browser": self.browser} if self.browser else {})}


def known_how(by: Mapping[str, Any] | None) -> str:
    """How an audit entry's actor is known, in words."""
    if not by:
        return "not recorded"
    if by.get("names") == "proven":
        who = " ".join(str(by[name]) for name in ("email", "subject") if by.get(name))
        at = f" at {by['issuer']}" if by.get("issuer") else ""
        return f"signed in{f' as {who}' if who else ''}{at}"
    if by.get("names") == "command line":
        return "named on the command line"
    browser = f", browser session {by['browser']}" if by.get("browser") else ""
    return f"chosen, not proven{browser}"
