"""A lead's word on a closed case: approve it, or return it with what is missing."""

from __future__ import annotations

import streamlit as st

from cases.case import Case
from cases.change import case_row
from cases.database import Database
from cases.lengths import LINE
from cases.review import approve, deed_of, of_case, request_review, return_case
from trail.errors import BacktrailError
from ui.kit import boxes, text
from ui.kit.markup import draw, el
from ui.shell.session import User


def show(database: Database, user: User, case: Case) -> None:
    """Nothing where there is nothing to review, or nobody who may."""
    if case.state != "closed" or case.seal is not None or not user.can("ask for a review"):
        return
    with st.container(border=True):
        draw("review-title", el("h3", "panel-title", "Review"))
        if not user.can("approve and seal a case"):
            _ask_for_one(database, user, case)
        elif (deed := _deed(database, case, user.name)) is not None:
            draw(
                "own-case",
                el("p", "small mute", f"You {of_case(deed, case.id)}: another lead reviews it."),
            )
            _ask_for_one(database, user, case)
        else:
            _decide(database, user, case)


def _deed(database: Database, case: Case, name: str) -> str | None:
    with database.read() as connection:
        return deed_of(connection, case_row(connection, case.id), name)


def _ask_for_one(database: Database, user: User, case: Case) -> None:
    if case.review == "requested":
        draw(
            "asked", el("p", "small mute", "It waits for a lead: " + "; ".join(case.review_reasons))
        )
        return
    with st.form(f"ask-review-{case.id}", border=False):
        why = boxes.line("What should a lead look at?", most=LINE, key=f"ask-review-{case.id}-why")
        sent = st.form_submit_button("Ask for a review", key=f"ask-review-{case.id}-send")
    if sent:
        try:
            request_review(database, user.name, case.id, why)
        except BacktrailError as error:
            text.say_problem("ask-problem", "Not asked.", error, tone="warn")
        else:
            st.rerun()


def _decide(database: Database, user: User, case: Case) -> None:
    read = f"review-{case.id}-read"  # the version that this lead has on the screen
    if f"review-{case.id}-comment" not in st.session_state:
        st.session_state[read] = case.version
    with st.form(f"review-{case.id}", border=False):
        comment = boxes.text("Comment", height=80, key=f"review-{case.id}-comment")
        with st.container(horizontal=True):
            approved = st.form_submit_button(
                "Approve and seal", type="primary", key=f"review-{case.id}-approve"
            )
            returned = st.form_submit_button("Return it", key=f"review-{case.id}-return")
    try:
        if approved:
            approve(database, user.name, case.id, st.session_state[read], comment)
        elif returned:
            return_case(database, user.name, case.id, st.session_state[read], comment)
        else:
            return
    except BacktrailError as error:
        text.say_problem("review-problem", "Not done.", error, tone="warn")
        st.session_state[read] = case.version  # now they see what the other one changed
    else:
        st.rerun()
