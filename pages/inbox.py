"""Inbox: every alert that came, sorted, filtered, and answered before anyone opens it."""

from __future__ import annotations

import streamlit as st

from trail.errors import BacktrailError
from ui.inbox import page
from ui.kit import text
from ui.shell import session
from ui.shell.opened import case_database

user = session.require("inbox")

try:
    page.show(case_database(user.actor), user)
except BacktrailError as error:
    text.say_problem("inbox-problem", "The inbox cannot be shown.", error)
    st.stop()
