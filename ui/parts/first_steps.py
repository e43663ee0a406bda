"""What a dashboard without an index shows: what Backtrail does, and two ways to begin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from trail.errors import BacktrailError, IndexMissing
from trail.store import Store
from ui.kit import text
from ui.kit.markup import draw, el
from ui.kit.pieces import link, title_of
from ui.shell import data, jobs
from ui.shell.session import User


def show_or_offer(
    user: User, show: Callable[[User, Store, tuple[datetime, datetime]], None]
) -> None:
    """A page of the index and the span of its events; the first steps when there are none yet."""
    try:
        store = data.open_index()
        summary = data.summary(store)
        if summary.first is None or summary.last is None:
            raise IndexMissing("The index is empty.")
        show(user, store, (summary.first, summary.last))
    except IndexMissing:
        offer(user)
    except BacktrailError as error:
        text.say_problem("index-problem", "The index cannot be asked.", error)
        st.stop()


def offer(user: User) -> None:
    draw(
        "first-steps",
        el(
            "div",
            "stack",
            title_of("One AWS alert in, five answered questions out"),
            el(
                "p",
                "sentence",
                "Backtrail reads the CloudTrail files you already have. Paste an alert, and it "
                "says who is really behind it, what they touched, and whether that is normal, "
                "with the events that prove each answer.",
            ),
            el(
                "p",
                "sentence",
                "There is no index yet. ",
                link("Begin on the index page", "index"),
                ": add your own logs, or look around in the demo company first.",
            ),
        ),
    )
    with st.container(horizontal=True):
        if user.can("make the demo") and st.button(
            "Generate the demo company", type="primary", key="demo-first"
        ):
            jobs.start_demo()
            st.switch_page("pages/index.py")
        if st.button("Add my own logs", key="own-first"):
            st.switch_page("pages/index.py")
