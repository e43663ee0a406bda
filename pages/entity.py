"""Entity: anything with a name, who it is, when it was seen, and what it did."""

from __future__ import annotations

from ui.explore import entity_page
from ui.parts import first_steps
from ui.shell import session

user = session.require("entity")

first_steps.show_or_offer(user, entity_page.show)
