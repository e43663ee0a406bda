"""Event search: filters in the address, pages of events, the raw record, and exports."""

from __future__ import annotations

import streamlit as st

from trail.errors import BacktrailError, IndexMissing
from ui import data, event_page, first_steps, session, text

user = session.require("viewer")

try:
    store = data.open_index()
    summary = data.summary(store)
    if summary.first is None or summary.last is None:
        raise IndexMissing("The index is empty.")
    event_page.show(store, (summary.first, summary.last))
except IndexMissing:
    first_steps.offer()
except BacktrailError as error:
    text.say_problem("index-problem", "The index cannot be asked.", error)
    st.stop()
