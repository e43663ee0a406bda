"""What a button does to the cases, done before anything else of the rerun that it starts.

Streamlit forgets which button was pressed when another rerun overtakes the one that the click
began, and a browser starts reruns of its own. A callback has run by then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from trail.errors import BacktrailError
from ui.kit import links
from ui.kit.markup import GO, draw
from ui.kit.pieces import notice

REFUSED = "refused_deed"
"""Session state key: why the last deed was refused, until it is said."""


def button(
    label: str, key: str, act: Callable[[], int], *, icon: str | None = None, primary: bool = True
) -> None:
    """A button that does something which ends in a case, and gives that case's number."""
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    st.button(label, type=kind, icon=icon, key=key, on_click=into_case, args=(act,))


def into_case(act: Callable[[], int]) -> None:
    """For `on_click`: does it, and has the case it gives shown; keeps why when it is refused."""
    try:
        number = act()
    except BacktrailError as error:
        st.session_state[REFUSED] = str(error)
    else:
        st.session_state[GO] = links.address("case", {"id": str(number)})


def say_refusal(key: str) -> None:
    """One card with the reason, if the last deed was refused."""
    reason = st.session_state.pop(REFUSED, None)
    if reason is not None:
        draw(key, notice("That was refused.", str(reason), tone="warn"))
