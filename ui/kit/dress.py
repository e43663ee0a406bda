"""The style sheet of these pages, and the line of tabs they share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from ui.kit import phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import title_of

_SHEET = Path(__file__).parent / "cases.css"


def dress() -> None:
    """Puts the style sheet on the page: a file of ours, with no data in it."""
    st.html(_SHEET)


def tabs(label: str, choices: Sequence[tuple[str, str, int | None, bool]]) -> Node:
    """Links side by side: (words, address, how many, is it this one)."""
    return el(
        "nav",
        "tabs",
        *(
            el(
                "a",
                "tab tab-here" if here else "tab",
                words,
                el("span", "tab-count", f" {phrases.number(count)}") if count is not None else None,
                href=href,
            )
            for words, href, count, here in choices
        ),
        aria_label=label,
    )


def heading(words: str, *beside: Node | str | None) -> Node:
    return el("div", "row", title_of(words), *beside)
