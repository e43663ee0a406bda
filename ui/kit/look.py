"""The dashboard's own look: logo, and the style sheet of the elements that `ui.kit.markup` draws."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
ICON = str(_HERE / "icon.png")  # a named icon would be fetched from the network
LOGO = str(_HERE / "logo.png")
_SHEET = _HERE / "look.css"


def dress() -> None:
    """Puts the style sheet on the page: a file of ours, with no data in it."""
    st.html(_SHEET)
