"""Addresses of our own pages, and following the one that was clicked.

Every view has an address that reproduces it; a link in a card is one of these, so that a click
with Ctrl opens a tab and a plain click stays in the session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from ui.kit.markup import GO

PAGES = {
    "triage": "pages/triage.py",
    "events": "pages/events.py",
    "entity": "pages/entity.py",
    "rules": "pages/rules.py",
    "index": "pages/index.py",
    "inbox": "pages/inbox.py",
    "cases": "pages/cases.py",
    "case": "pages/case.py",
    "review": "pages/review.py",
}


def address(page: str, parameters: Mapping[str, str | None] | None = None) -> str:
    """A relative address, so that it also holds under a base path: "entity?of=…"."""
    known = {name: value for name, value in (parameters or {}).items() if value}
    # A log may hold half a surrogate pair, which no address can.
    return f"{page}?{urlencode(known, errors='replace')}" if known else page


def entity(value: str) -> str:
    """Where anything with a name of its own is told about: an ARN, a key, an IP, an API."""
    return address("entity", {"of": value})


def event(event_id: str) -> str:
    """Where one raw record is shown."""
    return address("events", {"event": event_id})


MOST_LISTED = 60
"""Events that an address lists by their ids: browsers and proxies cut what is longer."""


def events(event_ids: Sequence[str]) -> str:
    """Where these events are listed; the first `MOST_LISTED` of them."""
    return address("events", {"ids": ",".join(event_ids[:MOST_LISTED])})


def follow() -> None:
    """Goes to the page that was clicked in the last run, if any. Ends the run when it does."""
    clicked = st.session_state.pop(GO, None)
    if clicked is None:
        return
    page, _, query = clicked.partition("?")
    if page in PAGES:
        st.switch_page(PAGES[page], query_params=dict(parse_qsl(query)))
