"""A page as a user would read it: run through app.py by Streamlit's own test driver."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from ui.kit.markup import texts

APP = Path(__file__).resolve().parents[1] / "app.py"


def a_page(name: str = "triage", asked: Mapping[str, str] | None = None) -> AppTest:
    """The page after its first run, opened at the given address."""
    at = AppTest.from_file(str(APP), default_timeout=30)
    at.run()
    at.switch_page(f"pages/{name}.py")
    for key, value in (asked or {}).items():
        at.query_params[key] = value
    return at.run()


def address_of(at: AppTest) -> dict[str, str]:
    """The parameters of the page's address."""
    return {
        name: value if isinstance(value, str) else value[0]
        for name, value in dict(at.query_params).items()
    }


def trees(at: AppTest) -> list[Any]:
    """What `ui.kit.markup.draw` was given, in the page's order."""
    drawn = []
    for element in at.get("bidi_component"):
        if element.proto.component_name.endswith("backtrail_markup"):
            drawn += json.loads(element.proto.bytes or b"[]")
    return drawn


def links(at: AppTest) -> list[tuple[str, str]]:
    """(words, address) of every link on the page."""
    found: list[tuple[str, str]] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            href = node.get("a", {}).get("href")
            if href is not None:
                found.append(("".join(texts([node])), href))
            for child in node.get("k", ()):
                walk(child)

    for tree in trees(at):
        walk(tree)
    return found


def words(at: AppTest) -> str:
    """Everything that can be read on the page, one piece a line."""
    said = texts(trees(at))
    for kind in (at.text, at.code, at.error, at.warning, at.subheader, at.button):
        said += [str(getattr(one, "value", "") or getattr(one, "label", "")) for one in kind]
    return "\n".join(said)


def table(at: AppTest, caption: str) -> list[list[str]]:
    """The rows of the table with this caption, each cell as its text; none when it is not there."""
    rows: list[list[str]] = []

    def walk(node: Any, *, inside: bool) -> None:
        if not isinstance(node, dict):
            return
        is_it = node["t"] == "table" and node.get("a", {}).get("aria_label") == caption
        if inside and node["t"] == "tr":
            cells = node.get("k", [])
            if cells and cells[0]["t"] == "td":
                rows.append(["".join(texts([cell])) for cell in cells])
        for child in node.get("k", ()):
            walk(child, inside=inside or is_it)

    for tree in trees(at):
        walk(tree, inside=False)
    return rows


def texts_of(at: AppTest, tag: str) -> list[str]:
    """What each element of a kind says, as drawn on the page and in its order."""
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node["t"] == tag:
                found.append("".join(texts([node])))
            for child in node.get("k", ()):
                walk(child)

    for tree in trees(at):
        walk(tree)
    return found
