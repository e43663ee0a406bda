"""What a viewer sees of cases: numbers, states and times, and a report that names nobody."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cases.database import Database
from cases.errors import NotFound
from cases.outline import CaseOutline, case_outlines
from ui.cases import report_buttons
from ui.kit import links, phrases
from ui.kit.case_words import case_severity, review_mark, state_mark, verdict_mark
from ui.kit.dress import dress, heading
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import link, notice, table
from ui.shell.session import User

MOST = 500


def show_list(database: Database) -> None:
    """Every case, newest first."""
    dress()
    found = case_outlines(database)
    draw("cases-title", heading("Cases"))
    if not found:
        draw("no-case", notice("There is no case yet."))
        return
    draw("case-outlines", _table(found[:MOST]))
    if len(found) > MOST:
        draw("more-cases", el("p", "small mute", f"The newest {MOST} of {len(found):,}."))


def show_case(database: Database, user: User, asked: str) -> None:
    """The case of that number, as its redacted report has it. Raises `NotFound`."""
    dress()
    found = [one for one in case_outlines(database) if str(one.id) == asked]
    if not found:
        raise NotFound("There is no such case.")
    draw(
        "case-outline",
        el("p", "small", link("← Cases", "cases")),
        heading(f"Case {found[0].id}"),
        _table(found),
    )
    with st.container(border=True):
        report_buttons.show(database, user, found[0].id)


def _table(cases: Sequence[CaseOutline]) -> Node:
    return table(
        ("Case", "Severity", "State", "Verdict", "Review", "Opened (UTC)", "Closed (UTC)"),
        [
            (
                link(f"Case {case.id}", links.address("case", {"id": str(case.id)}), "nowrap"),
                case_severity(case.severity),
                state_mark(case.state),
                verdict_mark(case.verdict),
                review_mark(case.review) or el("span", "mute", "–"),
                el("span", "time", phrases.when(case.opened_at)),
                el("span", "time", phrases.when(case.closed_at) if case.closed_at else "–"),
            )
            for case in cases
        ],
        caption="Cases",
        tall=True,
    )
