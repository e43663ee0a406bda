"""What to do with the alerts that were picked, by their ids: a new case, or one that there is."""

from __future__ import annotations

import streamlit as st

from cases import inbox
from cases.case import Case, add_alert, find_cases, open_case
from cases.database import Database
from cases.similar import SimilarCase, similar_cases
from trail.errors import BacktrailError
from ui.kit import deed, text
from ui.kit.markup import draw, el
from ui.parts.similar_list import similar_list
from ui.shell.session import User

MOST_OFFERED = 30


def act(database: Database, user: User, picked: list[str]) -> None:
    """The line of actions under the queue; nothing while nothing is picked."""
    if not picked:
        return
    with st.container(border=True, key="picked"):
        deed.say_refusal("pick-problem")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{len(picked)} picked**")
            deed.button(
                "Open a case with them",
                "inbox-open",
                lambda: open_case(database, user.name, picked).id,
                icon=":material/create_new_folder:",
            )
            offered = joinable(database, picked[0])
            if offered:
                with st.popover("Add to a case", icon=":material/drive_file_move:"):
                    _join(database, user, picked, offered)
            if user.can("delete an alert"):
                _delete(database, user, picked)
        similar = similar_list(similar_cases(database, picked[0], 3))
        if similar is not None:
            draw("picked-similar", similar)


def joinable(database: Database, alert_id: str | None) -> list[SimilarCase | Case]:
    """Cases that can be joined: the similar ones first, then every other one in work."""
    similar = similar_cases(database, alert_id) if alert_id else []
    found: list[SimilarCase | Case] = [one for one in similar if one.can_be_joined]
    known = {case_number(one) for one in found}
    others = find_cases(database, states=("open", "investigating"), limit=MOST_OFFERED)
    return [*found, *(case for case in others if case.id not in known)][:MOST_OFFERED]


def case_number(case: SimilarCase | Case) -> int:
    return case.case_id if isinstance(case, SimilarCase) else case.id


def choose_case(offered: list[SimilarCase | Case], of: str) -> int:
    """The number of one of the offered cases, whose titles stand above the choice."""
    draw(
        f"{of}-offered-cases",
        el(
            "ul",
            "notes",
            *(
                el(
                    "li",
                    "",
                    el("strong", "", f"Case {case_number(case)} "),
                    case.title,
                    el("span", "mute small", f" {', '.join(case.reasons)}")
                    if isinstance(case, SimilarCase)
                    else None,
                )
                for case in offered
            ),
        ),
    )
    # The open list of a select box may be parsed: it shows numbers, and no title.
    chosen: int = st.selectbox(
        "Case",
        [case_number(case) for case in offered],
        format_func=lambda one: f"Case {one}",
        key=f"{of}-join-case",
    )
    return chosen


def _join(
    database: Database, user: User, picked: list[str], offered: list[SimilarCase | Case]
) -> None:
    number = choose_case(offered, "inbox")

    def join() -> int:
        for alert_id in picked:
            add_alert(database, user.name, number, alert_id)
        return number

    deed.button("Add to it", "inbox-join", join)


def _delete(database: Database, user: User, picked: list[str]) -> None:
    with st.popover("Delete", icon=":material/delete:"):
        st.write("They leave the inbox; the audit trail keeps what they said.")
        if st.button("Delete them", key="delete-picked"):
            try:
                for alert_id in picked:
                    inbox.delete_alert(database, user.name, alert_id)
            except BacktrailError as error:
                text.say_problem("delete-problem", "Not deleted.", error, tone="warn")
            else:
                st.rerun()
