"""Cases: the list, with its filters in the address."""

from __future__ import annotations

import streamlit as st

from trail.errors import BacktrailError
from ui.cases import list_page
from ui.kit import text
from ui.shell import session
from ui.shell.opened import case_database

user = session.require("cases")

try:
    list_page.show(case_database(user.actor), user)
except BacktrailError as error:
    text.say_problem("cases-problem", "The cases cannot be shown.", error)
    st.stop()
