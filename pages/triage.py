"""Triage: one alert in, five answered questions out, each with its proof."""

from __future__ import annotations

from alerts.correct import CorrectionRefused
from trail.errors import AlertUnrecognised, BacktrailError, IndexMissing
from trail.store import Store
from ui.kit import text
from ui.parts import first_steps
from ui.shell import data, session
from ui.triage import intake
from ui.triage import page as triage

user = session.require("triage")


def show(store: Store) -> None:
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


try:
    store = data.open_index()
    if data.summary(store).is_empty:
        raise IndexMissing("The index is empty.")
    show(store)
except IndexMissing:
    first_steps.offer(user)
except BacktrailError as error:
    text.say_problem("index-problem", "The index cannot be asked.", error)
