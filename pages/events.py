"""Event search: filters in the address, pages of events, the raw record, and exports."""

from __future__ import annotations

from ui.explore import event_page
from ui.parts import first_steps
from ui.shell import session

user = session.require("events")

first_steps.show_or_offer(user, event_page.show)
