"""What app.py serves, built in the test's own process: its middleware and its routes."""

from __future__ import annotations

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute
from streamlit import config
from streamlit.runtime import Runtime

from tests.a_page import APP
from ui.shell import server


def the_app(monkeypatch: pytest.MonkeyPatch) -> Starlette:
    """The application as app.py makes it. It is never started, and leaves no runtime behind."""
    monkeypatch.setattr(Runtime, "_instance", None)
    monkeypatch.setattr(config, "_main_script_path", str(APP))
    app = st.App(str(APP), middleware=server.middleware(), routes=server.routes())
    return app._build_starlette_app()


def addresses(app: Starlette) -> list[tuple[str, str]]:
    """A method and an address for every route; parts that vary are `x`."""
    found = []
    for route in app.routes:
        if isinstance(route, Route | WebSocketRoute | Mount):
            path = "/".join(
                "x" if part.startswith("{") else part for part in (route.path or "/").split("/")
            )
            for method in sorted(getattr(route, "methods", None) or {"GET"}):
                found.append((method, path or "/"))
    return found
