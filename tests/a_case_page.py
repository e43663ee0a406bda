"""The pages about cases as one user would read them, over a case database of the test's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.a_page import APP, trees
from ui.kit.markup import texts
from ui.shell.people import CHOSEN


def a_page_for(user: str, name: str, asked: Mapping[str, str] | None = None) -> AppTest:
    """The page at the address, after `user` was chosen in this browser."""
    at = AppTest.from_file(str(APP), default_timeout=30)
    at.session_state[CHOSEN] = user
    at.run()
    at.switch_page(f"pages/{name}.py")
    for key, value in (asked or {}).items():
        at.query_params[key] = value
    return at.run()


def queue_rows(at: AppTest, of: str = "backtrail_queue") -> list[dict[str, Any]]:
    """The rows of the page's queues, in order: their ids and trees."""
    found: list[dict[str, Any]] = []
    for element in at.get("bidi_component"):
        if element.proto.component_name.endswith(of):
            found += json.loads(element.proto.json)["rows"]
    return found


def queue_ids(at: AppTest) -> list[str]:
    return [row["id"] for row in queue_rows(at)]


def read(at: AppTest) -> str:
    """Everything on the page that a reader sees, one piece a line."""
    said = texts(trees(at))
    for row in queue_rows(at):
        said += texts(row["rows"])
    for kind in (at.text, at.code, at.error, at.warning, at.markdown):
        said += [str(one.value) for one in kind]
    return "\n".join(said)


def labels(at: AppTest) -> list[str]:
    """The words on every button."""
    return [one.label for one in at.button]


def press(at: AppTest, label: str) -> AppTest:
    """The page after the button of that label, which there is once, was pressed."""
    (button,) = [one for one in at.button if one.label == label]
    return button.click().run()


def field(at: AppTest, kind: str, label: str) -> Any:
    """The one widget of the kind with that label."""
    (found,) = [one for one in at.get(kind) if one.label == label]
    return found
