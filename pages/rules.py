"""Rules: the detection rules, what each found, how often it was right, and its problems."""

from __future__ import annotations

from trail.errors import BacktrailError
from ui.kit import text
from ui.rules import rules_page
from ui.shell import session
from ui.shell.opened import case_database

user = session.require("rules")

try:
    rules_page.show(case_database(user.actor), user)
except BacktrailError as error:
    text.say_problem("rules-problem", "The rules cannot be shown.", error)
