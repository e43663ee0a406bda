"""Index: what is indexed, what could not be read, and adding more."""

from __future__ import annotations

from trail.errors import BacktrailError
from ui.explore import index_page
from ui.kit import text
from ui.shell import session

user = session.require("index")

try:
    index_page.show(user)
except BacktrailError as error:
    text.say_problem("index-problem", "That was not done.", error, tone="warn")
