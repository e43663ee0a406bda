"""Who has the dashboard open in this run: signed in, or chosen in local mode."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cases import permissions, sign_in
from cases.actor import Actor
from cases.errors import SignedOut
from cases.permissions import Permission, Role
from ui.shell import people, provider, run
from ui.shell.opened import unguarded
from ui.shell.permissions import ACTIONS


@dataclass(frozen=True)
class User:
    """Whoever has the dashboard open. Without a role they see one page, which says so."""

    name: str
    role: Role | None
    actor: Actor

    def may(self, permission: Permission) -> bool:
        return permissions.may(self.role, permission)

    def can(self, action: str) -> bool:
        """Whether they may do what `ui.shell.permissions` calls that."""
        return self.may(ACTIONS[action].permission)


def current() -> User | None:
    """The user; None while no name was chosen. Asked anew in every run, and by every action.

    Raises `SignedOut` when people sign in here and this browser has no sign-in that holds.
    """
    if not provider.is_on():
        present = people.present()
        if not present.name:
            return None
        actor = Actor(present.name, "chosen", browser=run.session_tag())
        return User(present.name, present.role, actor)
    found = sign_in.find(unguarded(), sign_in_id())
    return User(found.actor.name, found.role, found.actor)


def sign_in_id() -> str:
    """The id of this browser's sign-in. Raises `SignedOut` when it has none."""
    kept = st.user.get(provider.CLAIM) if get_script_run_ctx() is not None else None
    if not isinstance(kept, str):
        raise SignedOut("You are not signed in. Sign in again.")
    return kept


def sign_out() -> None:
    """Ends the sign-in in every tab and with every copy of its cookie, then the provider's."""
    with suppress(SignedOut):
        sign_in.end(unguarded(), sign_in_id())
    st.logout()
