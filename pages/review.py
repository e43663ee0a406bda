"""Review: the lead's queue, numbers, people, and the proof that history is whole."""

from __future__ import annotations

import streamlit as st

from trail.errors import BacktrailError
from ui.cases import review_page
from ui.kit import text
from ui.shell import session
from ui.shell.opened import case_database

user = session.require("review")

try:
    review_page.show(case_database(user.actor), user)
except BacktrailError as error:
    text.say_problem("review-problem", "The review cannot be shown.", error)
    st.stop()
