"""What a dashboard without an index shows: what Backtrail does, and two ways to begin."""

from __future__ import annotations

import streamlit as st

from ui import jobs
from ui.markup import draw, el
from ui.pieces import link


def offer() -> None:
    draw(
        "first-steps",
        el(
            "div",
            "stack",
            el("h2", "alert-title", "One AWS alert in, five answered questions out"),
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
        if st.button("Generate the demo company", type="primary", key="demo-first"):
            jobs.start_demo()
            st.switch_page("pages/index.py")
        if st.button("Add my own logs", key="own-first"):
            st.switch_page("pages/index.py")
