"""Who is looking: one function, so that a sign-in can take its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from ui import log
from ui.cases import people

Role = Literal["viewer", "analyst", "lead"]
_RANKS: dict[Role, int] = {"viewer": 0, "analyst": 1, "lead": 2}


@dataclass(frozen=True)
class User:
    """Whoever has the dashboard open, by the name that goes into the audit trail."""

    name: str
    role: Role


def current_user() -> User:
    """The user of the case database whom this browser chose; no name while none is chosen."""
    present = people.present()
    return User(present.name, present.role)


def require(role: Role) -> User:
    """The user, when they may see the page; else one sentence, and the page ends.

    The first statement of every page. Streamlit could run a page's file without app.py ever
    having run (`server.pages_through_app`), so a check there would not guard it.
    """
    user = current_user()
    log.run_by(user.name)
    if not user.name:
        people.ask()
        st.stop()
    if _RANKS[user.role] < _RANKS[role]:
        st.error("This page is not open to your role. Ask whoever runs Backtrail for access.")
        st.stop()
    return user
