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
from ui import phrases
from ui.markup import Node, draw, el
from ui.pieces import Tone, code, notice


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
    for part in _as_run(query):
        st.code(part, language=None, wrap_lines=True)


def query_node(query: Query) -> Node:
    """The same as elements of a drawing, with how much it gave and how long it took."""
    return el(
        "div",
        "stack",
        el("p", "mute small", f"{phrases.count(query.rows, 'row')} in {query.elapsed_ms:.0f} ms"),
        *(code(part) for part in _as_run(query)),
    )


def _as_run(query: Query) -> list[str]:
    """The statement, then the bound values as JSON when there are any."""
    parts = [_unindented(query.text)]
    if query.parameters:
        bound = {name: _plain(value) for name, value in query.parameters.items()}
        parts.append(_encodable(json.dumps(bound, indent=2, ensure_ascii=False)))
    return parts


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
