"""Boxes that people write into, each of which takes so many characters and says so.

`boxes.js` refuses a longer paste in the browser, with a sentence beside the box. What a browser
sends all the same is refused where it would be used: an alert in `ui.shell.read_apart`, a case's
words in `cases.lengths`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cases.lengths import TEXT

PASTE = 500_000
"""Characters that a box for alerts takes, and so the most of any box: the longest alert has some
hundred thousand. A browser takes one to two seconds to lay out half a megabyte."""
NAME = 2_048
"""Characters of what is looked up, or stands in the address: an ARN has no more."""

LONG = (
    "This has {} characters, and no box takes more than "
    f"{PASTE:,}: it was left out. Give what is longer as a file."
)
FULL = "That is longer than this box takes, so it was left out."


def script() -> str:
    """What the page does with boxes: JavaScript, to stand in a module."""
    said = json.dumps({"most": PASTE, "long": LONG, "full": FULL})
    return (Path(__file__).parent / "boxes.js").read_text(encoding="utf-8") + f"boxes({said});\n"


def line(
    label: str,
    value: str = "",
    *,
    place: DeltaGenerator | None = None,
    most: int = NAME,
    **more: Any,
) -> str:
    """One line. What stands in it already stays, however long it is."""
    make = st.text_input if place is None else place.text_input
    written: str = make(label, value, max_chars=max(most, len(value)), **more)
    return written


def text(label: str, value: str = "", *, most: int = TEXT, **more: Any) -> str:
    """Some lines, in `more` with a height. What stands in them already stays."""
    written: str = st.text_area(label, value, max_chars=max(most, len(value)), **more)
    return written


def paste(label: str, **more: Any) -> str:
    """A place for alerts. The browser refuses what is too long; the server says why it does."""
    pasted: str = st.text_area(label, **more)
    return pasted
