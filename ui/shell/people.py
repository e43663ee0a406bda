"""Who is at the screen, in local mode: one of the case database's users, chosen per browser.

A choice is no proof. It says whose name goes into the audit trail among people who trust each
other on one machine. Where people sign in, none of this is asked (`ui.shell.who`).
"""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

import streamlit as st

from cases import users
from trail.errors import BacktrailError
from ui.kit.markup import draw, el
from ui.kit.pieces import title_of
from ui.shell.opened import unguarded_if_any

CHOSEN = "chosen_user"
COOKIE = "backtrail_user"
SHEET = Path(__file__).parent / "people.css"
_PLAIN_NAME = re.compile(r"[\w .@'-]+")
_remember = st.components.v2.component(
    "backtrail_remember",
    js=(Path(__file__).parent / "remember.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True)
class Present:
    """Whoever is at the screen. Without a name they have not said it yet."""

    name: str
    role: users.Role


def present() -> Present:
    """The user this browser chose, or `login()` while they are alone or will be the first.

    Where the cases cannot be read, an analyst: the logs can still be asked.
    """
    try:
        return _present(_active())
    except BacktrailError:
        return Present(login(), "analyst")


def _present(active: Sequence[users.User]) -> Present:
    known = {user.name: user for user in active}
    if not known:
        return Present(login(), "lead")
    names = [
        st.session_state.get(CHOSEN),
        unquote(st.context.cookies.get(COOKIE, "")),
        os.environ.get("BACKTRAIL_USER"),
    ]
    if len(known) == 1:
        names.append(login())  # alone, and the one who made the database: nothing to ask
    for name in names:
        if name in known:
            return Present(name, known[name].role)
    return Present("", "viewer")


def login() -> str:
    """`BACKTRAIL_USER`, else whoever started the server on this machine."""
    return os.environ.get("BACKTRAIL_USER") or _started_by()


@lru_cache(maxsize=1)
def _started_by() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return "local"


def ask() -> None:
    """The first screen of a new browser when there are several users."""
    draw(
        "who-are-you",
        title_of("Who is working?"),
        el(
            "p",
            "sentence",
            "Everything that is done to a case is kept under the name chosen here.",
        ),
    )
    for user in _active():
        if st.button(label(user.name, user.role), key=f"i-am-{user.name}"):
            _choose(user.name)
            st.rerun()


def menu() -> None:
    """Whose name is in use, at the top of every page, and changing it."""
    try:
        active = _active()
    except BacktrailError:
        return
    now = _present(active)
    if not now.name or len(active) < 2:
        return
    with st.container(key="who-menu"):
        st.html(SHEET)
        drawer = st.popover(
            label(now.name, now.role), icon=":material/person:", key="who", on_change="rerun"
        )
        if drawer.open:  # who else there is, few look at
            with drawer:
                _others(active, now)
        _remember(key="remember-user", data={"cookie": COOKIE, "name": now.name}, height="content")


def _others(active: Sequence[users.User], now: Present) -> None:
    for user in active:
        st.button(
            label(user.name, user.role),
            key=f"become-{user.name}",
            disabled=user.name == now.name,
            width="stretch",
            on_click=_choose,
            args=(user.name,),
        )


def _choose(name: str) -> None:
    st.session_state[CHOSEN] = name


def _active() -> list[users.User]:
    database = unguarded_if_any()
    if database is None:
        return []
    return [user for user in users.users(database) if user.active and user.issuer is None]


def label(name: str, role: str) -> str:
    """A button's label is Markdown: a name that could be more than a name is not shown there."""
    shown = name if _PLAIN_NAME.fullmatch(name) else "(a name with symbols)"
    return f"{shown} · {role}"
