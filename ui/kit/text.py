"""Log text on the screen, safely: the only renderers that a page may hand it to.

Streamlit parses most of what it is given as Markdown, where an image in a log makes the
analyst's browser call the attacker at once. These renderers, `ui.kit.markup.draw` and a plain
dataframe column do not; a test holds the pages to them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import streamlit as st

from cases.visible import visible
from trail.errors import BacktrailError
from trail.store import Query
from ui.kit import phrases
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import Tone, code, notice

_HIDDEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff\ufff0-\ufffb"
    "\U000110bd\U000110cd\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)
"""Controls, bidi marks, what takes no room, half surrogate pairs and private characters."""


def say_problem(key: str, title: str, error: BacktrailError, tone: Tone = "bad") -> None:
    """One card: our title, and the error's own words as text (they may hold log text)."""
    draw(key, notice(title, str(error), tone=tone))


def show_record(text: str) -> None:
    """One raw record, pretty-printed, with a button to copy it."""
    try:
        pretty = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        pretty = text
    st.code(_HIDDEN.sub(_escaped, pretty), language=None, wrap_lines=True)


def _escaped(hidden: re.Match[str]) -> str:
    """As JSON writes it, so that what is copied is still the record."""
    return "".join(f"\\u{unit:04x}" for unit in _utf16(hidden[0]))


def _utf16(text: str) -> Iterator[int]:
    units = text.encode("utf-16-be", "surrogatepass")
    return (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))


def show_query(query: Query) -> None:
    """The statement as it was run, and the values bound to it."""
    for part in _as_run(query):
        st.code(visible(part, newlines=True), language=None, wrap_lines=True)


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
