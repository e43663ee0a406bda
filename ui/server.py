"""The web server under the pages: Streamlit's own, and everything of its inside that we rely on.

`streamlit run app.py` finds an `st.App` in app.py, imports the file once to get it (`start` runs
then, before the first request is answered), and runs it as a script for every page.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from streamlit import config, net_util
from streamlit.web.server import server_util


def start() -> None:
    """Once per process, before anything is served."""
    call_nobody()


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Around the server's life: what is served is ready, and the port is known."""
    print(f"\n  Backtrail is at {own_address()}\n", file=sys.stderr, flush=True)
    yield


def own_address() -> str:
    """Where a browser on this machine finds the dashboard."""
    address = config.get_option("server.address") or ""
    return server_util.get_url(f"[{address}]" if ":" in address else address or "localhost")


def call_nobody() -> None:
    """Streamlit never looks up this machine's addresses.

    To compare an Origin with them it asks a public service for the external one, in the event
    loop, so that any web page's script could make the server call out and stand still.
    """
    net_util.get_external_ip = _unknown
    net_util.get_internal_ip = _unknown


def _unknown() -> str | None:
    return None
