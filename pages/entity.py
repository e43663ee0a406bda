"""Entity: anything with a name, who it is, when it was seen, and what it did."""

from __future__ import annotations

from ui import entity_page, first_steps, session

user = session.require("entity")

first_steps.show_or_offer(user, entity_page.show)
