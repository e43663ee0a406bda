"""What stands around every page: the browser tab, the logo, the way around, the style sheet."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import lru_cache

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ui import links, look, server
from ui.cases import people


def enter() -> StreamlitPage:
    """Draws the frame and gives back the page that the address names. app.py runs it."""
    st.set_page_config(page_title="Backtrail", page_icon=look.ICON, layout="wide")
    st.logo(look.LOGO, size="large")
    page = st.navigation(list(_pages(server.main_script())), position="top")
    server.spare_the_libraries()
    look.dress()
    people.menu()
    links.follow()
    return page


def _pages(main_script: str) -> Iterator[StreamlitPage]:
    """Copies of the pages: whichever is run changes, and other sessions run theirs meanwhile."""
    return map(copy, _made_pages(main_script))


@lru_cache(maxsize=4)
def _made_pages(main_script: str) -> tuple[StreamlitPage, ...]:
    """The pages beside this script, made once: each asks the disk about its file."""
    return (
        st.Page("pages/triage.py", title="Triage", icon=":material/radar:"),
        st.Page("pages/inbox.py", title="Inbox", icon=":material/inbox:"),
        st.Page("pages/cases.py", title="Cases", icon=":material/folder_open:"),
        st.Page("pages/case.py", title="Case", visibility="hidden"),
        st.Page("pages/review.py", title="Review", icon=":material/verified:"),
        st.Page("pages/events.py", title="Events", icon=":material/manage_search:"),
        st.Page("pages/entity.py", title="Entity", icon=":material/fingerprint:"),
        st.Page("pages/index.py", title="Index", icon=":material/database:"),
        # The first page once more: the bare address opens it, "/triage?…" is its permanent one.
        st.Page(
            "pages/triage.py",
            title="Backtrail",
            url_path="home",
            default=True,
            visibility="hidden",
        ),
    )
