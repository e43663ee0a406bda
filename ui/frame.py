"""What stands around every page: the browser tab, the logo, the way around, the style sheet."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui import garbage, links, look
from ui.cases import people

_entered = False


def enter() -> StreamlitPage:
    """Draws the frame and gives back the page that the address names. app.py runs it."""
    global _entered
    st.set_page_config(page_title="Backtrail", page_icon=look.ICON, layout="wide")
    st.logo(look.LOGO, size="large")
    page = st.navigation(
        [
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
        ],
        position="top",
    )
    _entered = True
    garbage.spare_the_libraries()
    look.dress()
    people.menu()
    links.follow()
    return page


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
