"""Triage: one alert in, five answered questions out, each with its proof."""

from __future__ import annotations

import streamlit as st

from alerts.correct import CorrectionRefused
from trail.errors import AlertUnrecognised, BacktrailError, IndexMissing
from ui import data, first_steps, intake, session, text, triage

user = session.require("triage")

try:
    store = data.open_index()
    is_empty = data.summary(store).events == 0
except IndexMissing:
    is_empty = True
except BacktrailError as error:
    text.say_problem("index-problem", "The index cannot be opened.", error)
    st.stop()

if is_empty:
    first_steps.offer(user)
    st.stop()

try:
    found = intake.chosen(store)
except AlertUnrecognised as error:
    text.say_problem("no-alert", "No alert to answer.", error, tone="warn")
    found = None
except CorrectionRefused as error:
    text.say_problem("refused", "This correction cannot be right.", error, tone="warn")
    found = None

if found is None:
    triage.ask_for_an_alert(store)
else:
    triage.show(found, store, user)
