"""Case: what it is about, what it rests on, what was decided, and its whole history."""

from __future__ import annotations

import streamlit as st

from trail.errors import BacktrailError
from ui.cases import case_page
from ui.kit import text
from ui.shell import session
from ui.shell.opened import case_database

user = session.require("case")

try:
    case_page.show(case_database(user.actor), user)
except BacktrailError as error:
    text.say_problem("case-problem", "The case cannot be shown.", error)
    st.stop()
