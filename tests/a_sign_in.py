"""People who have signed in, without a browser: their claims, their sign-ins and their hands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cases import sign_in
from cases.database import Database
from ui.shell import provider, who

ISSUER = "https://login.example.com"
GROUPS = {"lead": "sec-leads", "analyst": "sec-ops", "viewer": "audit", "nobody": "sales"}
ROLES = "lead=sec-leads; analyst=sec-ops; viewer=audit"


def claims(database: Database, name: str, role: str, **changes: Any) -> dict[str, Any]:
    """What a verified ID token says of somebody, who has the group that gives this role."""
    return {
        "iss": ISSUER,
        "sub": f"subject-of-{name}",
        "name": name,
        "email": f"{name}@example.com",
        "roles": ["everybody", GROUPS[role]],
        "exp": (database.now() + timedelta(hours=1)).timestamp(),
        **changes,
    }


def signed_in(database: Database, name: str, role: str, **changes: Any) -> sign_in.SignIn:
    return sign_in.begin(database, claims(database, name, role, **changes), "default")[1]


def in_the_hands_of(database: Database, name: str, role: str) -> Database:
    return database.acting_as(signed_in(database, name, role).actor)


def look_as(monkeypatch: pytest.MonkeyPatch, sign_in_id: str | None) -> None:
    """The pages' runs are those of a browser with this sign-in; of a stranger's without one."""

    def own_id() -> str:
        if sign_in_id is None:
            raise who.SignedOut("You are not signed in. Sign in again.")
        return sign_in_id

    monkeypatch.setattr(provider, "is_on", lambda: True)
    monkeypatch.setattr(provider, "names", lambda: ["default"])
    monkeypatch.setattr(who, "sign_in_id", own_id)
