"""Cards, badges, tables and links in which any text is safe, because it is never parsed.

A page builds a tree of `el(…)`; `draw` sends it to the browser as data, and `markup.js` makes
the elements with `createElement` and `textContent`. No text ever passes through an HTML or
Markdown parser: an image, a link or a badge that an attacker wrote into a log stays text.
Addresses cannot carry an attack either: a link leads to a page of our own or nowhere, and is
followed in the browser, so that Back and Ctrl-click work as anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import streamlit as st

from cases.visible import visible
from ui.kit import boxes

Node = dict[str, Any]
"""One element, as `markup.js` reads it: t(ag), c(lass), a(ttributes), k(ids)."""

_HERE = Path(__file__).parent
_tree = st.components.v2.component(
    "backtrail_markup",
    js=boxes.script() + (_HERE / "markup.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)

GO = "go_to"
"""Session state key: an address that a component's click asked for, until `ui.kit.links.follow`."""


def el(
    tag: str,
    look: str = "",
    *children: Node | str | None,
    href: str | None = None,
    **attributes: str | float | None,
) -> Node:
    """An element of class `look` with children in order; text is text, None is left out.

    Characters that hide or reorder what stands around them are written out, as in reports.
    """
    known = {
        name: shown(value) if isinstance(value, str) and name in _READ else value
        for name, value in attributes.items()
        if value is not None
    }
    if href is not None:
        known["href"] = href
    node: Node = {"t": tag}
    if look:
        node["c"] = look
    if known:
        node["a"] = known
    kids = [
        shown(child) if isinstance(child, str) else child for child in children if child is not None
    ]
    if kids:
        node["k"] = kids
    return node


_READ = frozenset({"title", "aria_label", "tab"})
"""Attributes that people read; the others are names and addresses."""


def shown(text: str) -> str:
    """The text as it may stand on the screen: nothing in it is invisible, nor is all of it."""
    plain = visible(text, newlines=True)
    return plain if not plain.isspace() or len(plain) < 2 else "␣" * len(plain)


def draw(key: str, *nodes: Node | None) -> None:
    """Draws the elements under each other. `key` is unique on the page."""
    draw_encoded(key, encoded(*nodes))


def draw_encoded(key: str, drawing: bytes) -> None:
    """Draws what `encoded` gave. What is made once and drawn often is kept in that form."""
    _tree(key=key, data=drawing, height="content", on_open_change=_nothing)


def encoded(*nodes: Node | None) -> bytes:
    """The trees as JSON. Given a list, Streamlit would write it out twice, and ten times slower."""
    known = [node for node in nodes if node is not None]
    try:
        return msgspec.json.encode(known)
    except UnicodeEncodeError:  # half a surrogate pair, which a log may hold
        return json.dumps(known).encode("ascii")


def asked_for(key: str) -> frozenset[str]:
    """The `later` parts of the drawing that its reader has opened: draw them in full from now on.

    They come from the browser: compare them with names of ours, and use them for nothing else.
    """
    state = st.session_state.get(key)
    names = state.get(OPEN) if isinstance(state, Mapping) else None
    return frozenset(name for name in names or () if isinstance(name, str))


OPEN = "open"


def _nothing() -> None:
    """Streamlit keeps a component's state only if someone is to be called when it changes."""


def texts(nodes: Iterable[Node | str]) -> list[str]:
    """Every text in the trees, in reading order: what a test reads."""
    found: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            found.append(node)
        elif isinstance(node, Mapping):
            found.extend(texts(node.get("k", ())))
    return found
