"""Who may see a page or do something on it: asked by each page first, and by each action again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from cases.database import Database
from cases.errors import NotAllowed, SignedOut
from trail.errors import BacktrailError
from trail.store import noting
from ui.kit import text
from ui.shell import log, people, provider, sign_in_page
from ui.shell.opened import unguarded_if_any
from ui.shell.permissions import ACTIONS, PAGES, first_page
from ui.shell.who import User, current

__all__ = [
    "User",
    "action",
    "admit",
    "cases_if_any",
    "current",
    "fragment",
    "guarded",
    "may_read",
    "require",
]

Made = TypeVar("Made")


def require(name: str) -> User:
    """The user, when they may see the page of that name; else one sentence, and the run ends.

    The first statement of every page. Streamlit could run a page's file without app.py ever
    having run (`server.pages_through_app`), so a check there alone would not guard it. What the
    page asks of the index is noted from here on, for what it keeps (`data.kept`).
    """
    noting.begin()
    try:
        user = current()
    except SignedOut as error:
        sign_in_page.ask(error)
        st.stop()
    except BacktrailError as error:
        if provider.is_on():
            # Whoever this is may be a stranger, whom it does not concern where the database is.
            log.say("sign-in not checked", logging.ERROR, error=type(error).__name__)
            error = BacktrailError(
                "The case database, which holds the sign-ins, does not answer. Try again in a"
                " moment."
            )
        text.say_problem("sign-in-problem", "Your sign-in cannot be checked.", error)
        st.stop()
    log.run_by(user.name if user else "")
    if user is None:
        people.ask()
        st.stop()
    if user.role is None:
        sign_in_page.say_no_role(user)
        st.stop()
    if name not in PAGES or not user.may(PAGES[name]):
        sign_in_page.say_closed(user)
        st.stop()
    return user


def admit(chosen: StreamlitPage) -> None:
    """The same before a page's file is run at all: one that forgets to ask shows nothing."""
    name = chosen.url_path
    if name in ("", "home"):
        name = first_page(may_read=_may_read())
    require(name)


def _may_read() -> bool:
    try:
        user = current()
    except BacktrailError:
        return False
    return user is not None and user.may("read")


def action(name: str) -> User:
    """The user, who may do what `permissions` calls that. Raises `NotAllowed`, `SignedOut`."""
    user = current()
    if user is None or not user.can(name):
        shown = user.name if user else "Nobody"
        raise NotAllowed(f"{shown} may not {name}. Ask a lead.")
    return user


def may_read() -> None:
    """Raises `NotAllowed` or `SignedOut` unless logs may be shown in this run."""
    user = current()
    if user is None or not user.may("read"):
        raise NotAllowed("Logs are open to analysts and leads alone.")


def guarded(user: User, name: str, make: Callable[[], Made]) -> Callable[[], Made]:
    """`make`, which asks again when it is called: a file is made long after its button was drawn,
    and outside of any run."""

    def made() -> Made:
        database = unguarded_if_any()
        if database is not None:
            with database.acting_as(user.actor).read(ACTIONS[name].permission):
                pass
        return make()

    return made


def fragment(page_name: str, draw: Callable[[], None], run_every: float | None) -> None:
    """A part of a page that runs by itself, and so has to ask for itself."""

    def asked() -> None:
        try:
            user = current()
        except BacktrailError:
            user = None
        if user is None or not user.may(PAGES[page_name]):
            st.rerun()  # the page says what is the matter
        draw()

    st.fragment(asked, run_every=run_every)()


def cases_if_any() -> Database | None:
    """The case database in the user's hands; None while there is none yet."""
    database = unguarded_if_any()
    if database is None:
        return None
    user = current()
    if user is None:
        raise NotAllowed("Say who you are first.")
    return database.acting_as(user.actor)
