"""Entity: anything with a name, who it is, when it was seen, and what it did."""

from __future__ import annotations

import streamlit as st

from trail.errors import BacktrailError, IndexMissing
from ui import data, entity_page, first_steps, session, text

user = session.require("viewer")

try:
    store = data.open_index()
    summary = data.summary(store)
    if summary.first is None or summary.last is None:
        raise IndexMissing("The index is empty.")
    entity_page.show(store, (summary.first, summary.last))
except IndexMissing:
    first_steps.offer()
except BacktrailError as error:
    text.say_problem("index-problem", "The index cannot be asked.", error)
    st.stop()
