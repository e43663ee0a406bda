"""What stands around every page: the browser tab, the logo, the way around, the style sheet."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import lru_cache
from typing import Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from trail.errors import BacktrailError
from ui.kit import links, look
from ui.shell import people, provider, run, server, sign_in_page, who
from ui.shell.permissions import PAGES, first_page


def enter() -> StreamlitPage:
    """Draws the frame and gives back the page that the address names. app.py runs it."""
    st.set_page_config(page_title="Backtrail", page_icon=look.ICON, layout="wide")
    st.logo(look.LOGO, size="large")
    user = _user()
    page = st.navigation(
        list(_pages(run.main_script(), user)),
        position="top" if user and user.role else "hidden",
    )
    server.spare_the_libraries()
    look.dress()
    if not provider.is_on():
        people.menu()
    elif user is not None and user.role is not None:
        sign_in_page.menu(user)
    links.follow()
    return page


def _user() -> who.User | None:
    """The user, if it can be told who they are; else the page itself says what is the matter."""
    try:
        return who.current()
    except BacktrailError:
        return None


def _pages(main_script: str, user: who.User | None) -> Iterator[StreamlitPage]:
    """Copies of the pages: whichever is run changes, and other sessions run theirs meanwhile.

    Those that the user may not open are there without standing in the bar: their address answers
    with a sentence, where a page that is not there would open another.
    """
    closed = {name for name, need in PAGES.items() if user is None or not user.may(need)}
    return map(copy, _made_pages(main_script, frozenset(closed)))


@lru_cache(maxsize=16)
def _made_pages(main_script: str, closed: frozenset[str]) -> tuple[StreamlitPage, ...]:
    """The pages beside this script, made once: each asks the disk about its file."""

    def a_page(name: str, title: str, icon: str) -> StreamlitPage:
        shown: Literal["visible", "hidden"] = "hidden" if name in closed else "visible"
        return st.Page(f"pages/{name}.py", title=title, icon=icon, visibility=shown)

    return (
        a_page("triage", "Triage", ":material/radar:"),
        a_page("inbox", "Inbox", ":material/inbox:"),
        a_page("cases", "Cases", ":material/folder_open:"),
        st.Page("pages/case.py", title="Case", visibility="hidden"),
        a_page("review", "Review", ":material/verified:"),
        a_page("events", "Events", ":material/manage_search:"),
        a_page("entity", "Entity", ":material/fingerprint:"),
        a_page("rules", "Rules", ":material/rule:"),
        a_page("index", "Index", ":material/database:"),
        # The first page once more: the bare address opens it, "/triage?…" is its permanent one.
        st.Page(
            f"pages/{first_page(may_read='triage' not in closed)}.py",
            title="Backtrail",
            url_path="home",
            default=True,
            visibility="hidden",
        ),
    )
