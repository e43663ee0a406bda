"""Two people saved one case: both texts side by side, and three ways on. No word is lost.

The store has put the refused words into the case's history already; here the second person
decides what the case shall say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cases.case import Case
from cases.database import Database
from cases.errors import CaseConflict
from trail.errors import BacktrailError
from ui.cases import decision
from ui.kit import case_words, text
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import mark, table
from ui.shell.session import User

JOINED = ("reason", "summary")


def keep(found: CaseConflict, mine: Mapping[str, Any], *, close: bool) -> None:
    """Remembers the conflict for the page's next run."""
    st.session_state[_key(found.case_id)] = (found, dict(mine), close)


def is_open(case_id: int) -> bool:
    """Whether both texts stand on the page, waiting for a word."""
    return _key(case_id) in st.session_state


def show(database: Database, user: User, case: Case) -> None:
    """Nothing while there is no conflict."""
    kept = st.session_state.get(_key(case.id))
    if kept is None:
        return
    found, mine, close = kept
    with st.container(border=True, key="conflict"):
        draw("conflict-table", _difference(found, user))
        with st.container(horizontal=True):
            if st.button("Keep both texts", type="primary", key="conflict-both"):
                _settle(database, user, case, joined(case, mine), close=close)
            if st.button("Use mine", key="conflict-mine"):
                _settle(database, user, case, mine, close=close)
            if st.button("Use theirs", key="conflict-theirs"):
                _forget(case.id)
                st.rerun()


def joined(now: Case, mine: Mapping[str, Any]) -> dict[str, Any]:
    """Mine over theirs, but texts one after the other and all the tags of both."""
    found = dict(mine)
    for name in JOINED:
        theirs = getattr(now, name)
        if name in found and theirs and theirs not in str(found[name]):
            found[name] = f"{theirs}\n\n{found[name]}"
    if "tags" in found:
        found["tags"] = tuple(sorted({*now.tags, *found["tags"]}))
    return found


def _settle(
    database: Database, user: User, case: Case, wanted: Mapping[str, Any], *, close: bool
) -> None:
    try:
        decision.save_fields(database, user, case.id, case.version, wanted, close=close)
    except CaseConflict as again:
        keep(again, wanted, close=close)
    except BacktrailError as error:
        text.say_problem("conflict-problem", "Not saved.", error, tone="warn")
        return
    else:
        _forget(case.id)
        st.session_state[f"case-{case.id}-said"] = "Saved."
    st.rerun()


def _forget(case_id: int) -> None:
    st.session_state.pop(_key(case_id), None)
    decision.start_over(case_id)


def _key(case_id: int) -> str:
    return f"case-{case_id}-conflict"


def _difference(found: CaseConflict, user: User) -> Node:
    others = [name for name in found.saved_by if name != user.name]
    who = ", ".join(others) or "Someone else"
    return el(
        "div",
        "stack",
        el("h3", "panel-title", f"{who} saved this case while you had it open"),
        el(
            "p",
            "small mute",
            "Nothing was overwritten. Both texts are in the case's history too.",
        ),
        table(
            ("Field", "When you opened it", f"Saved by {who}", "Yours"),
            [
                (
                    el(
                        "span",
                        "",
                        one.field.capitalize(),
                        " ",
                        mark("both changed it", "warn", "⇄") if one.overlaps else None,
                    ),
                    _value(one.field, one.was),
                    _value(one.field, one.theirs),
                    _value(one.field, one.yours),
                )
                for one in found.differences
            ],
            caption="Both versions of every field that differs",
            tall=True,
        ),
    )


def _value(field: str, value: Any) -> Node | str:
    if value is None or value == "" or value == []:
        return el("span", "mute", "nothing")
    if field == "verdict":
        return case_words.VERDICTS.get(str(value), (str(value),))[0]
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return el("span", "kept-lines", str(value))
