"""Index: what is indexed, what could not be read, and adding more."""

from __future__ import annotations

from trail.errors import BacktrailError
from ui import index_page, session, text

user = session.require("index")

try:
    index_page.show(user)
except BacktrailError as error:
    text.say_problem("index-problem", "That was not done.", error, tone="warn")
