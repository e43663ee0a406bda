"""Inbox: every alert that came, sorted, filtered, and answered before anyone opens it."""

from __future__ import annotations

import streamlit as st

from trail.errors import BacktrailError
from ui import session, text
from ui.cases.opened import case_database
from ui.inbox import page

user = session.require("inbox")

try:
    page.show(case_database(user.actor), user)
except BacktrailError as error:
    text.say_problem("inbox-problem", "The inbox cannot be shown.", error)
    st.stop()
