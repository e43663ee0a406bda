"""What stands around every page: the browser tab, the logo, the way around, the style sheet."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui import garbage, links, look, loops, sockets
from ui.cases import people

_entered = False


def enter() -> StreamlitPage:
    """Draws the frame and gives back the page that the address names. app.py runs it."""
    global _entered
    st.set_page_config(page_title="Backtrail", page_icon=look.ICON, layout="wide")
    st.logo(look.LOGO, size="large")
    page = st.navigation(list(_pages(_main_script())), position="top")
    _entered = True
    loops.make_on_demand()
    sockets.send_at_once()
    garbage.spare_the_libraries()
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


def _main_script() -> str:
    context = get_script_run_ctx()
    return context.main_script_path if context else ""


def enter_if_skipped() -> None:
    """Starts the page over inside the frame, when Streamlit ran its file without app.py.

    It does so for the first address that is asked for after a start, if that is not the bare
    one: until `st.navigation` was called once, it finds the pages by their folder.
    """
    context = get_script_run_ctx()
    if _entered or context is None or Path(context.main_script_path).name != "app.py":
        return
    name = urlsplit(st.context.url or "").path.rpartition("/")[2]
    asked = st.query_params.to_dict()
    enter()
    if name in links.PAGES:
        st.switch_page(links.PAGES[name], query_params=asked)
