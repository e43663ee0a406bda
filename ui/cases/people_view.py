"""Who may do what: the local users and their roles, changed by a lead."""

from __future__ import annotations

import streamlit as st

from cases import users
from cases.database import Database
from trail.errors import BacktrailError
from ui.kit import boxes, phrases, text
from ui.kit.markup import draw, el
from ui.kit.pieces import mark, table
from ui.shell.session import User

MAY = {
    "viewer": "sees redacted reports and the numbers",
    "analyst": "reads everything; works on the index, the inbox and cases",
    "lead": "reviews, reopens sealed cases, deletes alerts, and changes who is who",
}
LOCAL = (
    "This is local mode: everyone chooses their name at the first visit. It says whose hand did "
    "what among people who trust each other; it keeps nobody out."
)
SIGNED_IN = (
    "People sign in, and their role comes from the provider. Local users cannot be chosen. Putting "
    "somebody out of action ends all their sign-ins at once."
)


def show(database: Database, user: User) -> None:
    people = users.users(database)
    left, right = st.columns([13, 8], gap="large")
    with left:
        draw(
            "people",
            table(
                ("Name", "Known by", "Role", "May", "Since (UTC)", "State"),
                [
                    (
                        one.name,
                        (one.email or one.subject) if one.issuer else "a choice",
                        one.role.capitalize(),
                        MAY[one.role],
                        phrases.when(one.created_at),
                        mark("Active", "good") if one.active else mark("Put out of action", "mute"),
                    )
                    for one in people
                ],
                caption="Users",
                tall=True,
            ),
            el(
                "p",
                "small mute",
                SIGNED_IN if user.actor.sign_in else LOCAL,
            ),
        )
    with right:
        if not user.actor.sign_in:
            with st.container(border=True):
                _add(database, user)
        with st.container(border=True):
            _change(database, user, people)


def _add(database: Database, user: User) -> None:
    draw("add-user", el("h3", "panel-title", "Add someone"))
    with st.form("add-user-form", border=False, clear_on_submit=True):
        name = boxes.line("Name", most=100, key="add-user-name")
        role = st.selectbox("Role", users.ROLES, index=1, key="add-user-role")
        sent = st.form_submit_button("Add", type="primary", key="add-user-send")
    if sent:
        try:
            users.add_user(database, user.name, name, role)
        except BacktrailError as error:
            text.say_problem("add-user-problem", "Not added.", error, tone="warn")
        else:
            st.rerun()


def _change(database: Database, user: User, people: list[users.User]) -> None:
    draw("change-user", el("h3", "panel-title", "Change a role"))
    with st.form("change-user-form", border=False):
        name = st.selectbox("Who", [one.name for one in people], key="change-user-name")
        role: users.Role = "viewer"
        changed = False
        if not user.actor.sign_in:
            role = st.selectbox("New role", users.ROLES, index=1, key="change-user-role")
        with st.container(horizontal=True):
            if not user.actor.sign_in:
                changed = st.form_submit_button("Change", key="change-user-send")
            ended = st.form_submit_button("Put out of action", key="change-user-end")
            back = st.form_submit_button("Put into action", key="change-user-back")
    if not (changed or ended or back):
        return
    try:
        if changed:
            users.change_user(database, user.name, name, role=role)
        else:
            users.change_user(database, user.name, name, active=back)
    except BacktrailError as error:
        text.say_problem("change-user-problem", "Not changed.", error, tone="warn")
    else:
        st.rerun()
