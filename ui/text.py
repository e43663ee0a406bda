"""Log text on the screen, safely: the only renderers that a page may hand it to.

Streamlit parses most of what it is given as Markdown, where an image in a log makes the
analyst's browser call the attacker at once. These renderers, `ui.markup.draw` and a plain
dataframe column do not; a test holds the pages to them.
"""

from __future__ import annotations

import json

import streamlit as st

from trail.errors import BacktrailError
from trail.store import Query
from ui.markup import draw
from ui.pieces import Tone, notice


def say_problem(key: str, title: str, error: BacktrailError, tone: Tone = "bad") -> None:
    """One card: our title, and the error's own words as text (they may hold log text)."""
    draw(key, notice(title, str(error), tone=tone))


def show_record(text: str) -> None:
    """One raw record, pretty-printed, with a button to copy it."""
    try:
        pretty = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        pretty = text
    st.code(_encodable(pretty), language=None, wrap_lines=True)


def show_query(query: Query) -> None:
    """The statement as it was run, and the values bound to it."""
    st.code(_unindented(query.text), language=None, wrap_lines=True)
    if query.parameters:
        bound = {name: _plain(value) for name, value in query.parameters.items()}
        shown = json.dumps(bound, indent=2, ensure_ascii=False)
        st.code(_encodable(shown), language=None, wrap_lines=True)


def _encodable(text: str) -> str:
    """The text with half surrogate pairs written out: JSON can say them, a message cannot."""
    return text.encode("utf-8", "backslashreplace").decode()


def _unindented(sql: str) -> str:
    lines = [line.rstrip() for line in sql.strip("\n").splitlines() if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return "\n".join(line[margin:] for line in lines)


def _plain(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
