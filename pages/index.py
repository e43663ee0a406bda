"""Index: what is indexed, what could not be read, and adding more."""

from __future__ import annotations

from ui import index_page, session

user = session.require("viewer")

index_page.show()
