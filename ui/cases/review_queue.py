"""The closed cases that wait for a lead, each with why, and the one that is being decided."""

from __future__ import annotations

import streamlit as st

from cases.case import Case, Review, State, find_cases, get_case
from cases.database import Database
from cases.errors import NotFound
from ui.cases import review_panel
from ui.kit import links, phrases
from ui.kit.case_words import case_severity, lasting, review_mark, verdict_mark
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import link, notes, notice, table
from ui.shell.session import User


def waiting(database: Database) -> int:
    return len(_queued(database))


def _queued(database: Database) -> list[Case]:
    closed: tuple[State, ...] = ("closed",)
    requested: tuple[Review, ...] = ("requested",)
    return find_cases(database, states=closed, reviews=requested)


def show(database: Database, user: User) -> None:
    asked = st.query_params.get("case", "")
    cases = _queued(database)
    chosen = _chosen(database, asked) or (cases[0] if cases else None)
    if chosen is None:
        draw(
            "none-to-review",
            notice(
                "No case waits for review.",
                "Cases of high severity, slow ones, and those closed as benign against strong "
                "evidence come here by themselves; an analyst can ask for a review too.",
                link("See the closed cases", "cases?state=closed"),
            ),
        )
        return
    left, right = st.columns([13, 8], gap="large")
    with left:
        if cases:
            draw("review-queue", _table(cases, chosen))
        else:
            draw("review-queue-done", notice("No other case waits for review.", tone="good"))
    with right:
        with st.container(border=True):
            draw("chosen-case", _chosen_case(chosen))
        review_panel.show(database, user, chosen)


def _chosen(database: Database, asked: str) -> Case | None:
    if not asked.isdecimal() or len(asked) > 9:
        return None
    try:
        return get_case(database, int(asked))
    except NotFound:
        return None


def _table(cases: list[Case], chosen: Case | None) -> Node:
    return table(
        ("Case", "Severity", "Title", "Verdict", "Closed by", "Took", "Why"),
        [
            (
                link(
                    f"▸ {case.id}" if chosen is not None and chosen.id == case.id else f"{case.id}",
                    links.address("review", {"case": str(case.id)}),
                    "nowrap",
                ),
                case_severity(case.severity),
                link(case.title, links.address("review", {"case": str(case.id)}), "queue-open"),
                verdict_mark(case.verdict),
                case.closed_by,
                el("span", "nowrap", _took(case)),
                el("ul", "plain small", *(el("li", "", why) for why in case.review_reasons)),
            )
            for case in cases
        ],
        caption="Cases that wait for review",
        tall=True,
    )


def _took(case: Case) -> str:
    if case.closed_at is None:
        return "–"
    return lasting((case.closed_at - case.opened_at).total_seconds())


def _chosen_case(case: Case) -> Node:
    return el(
        "div",
        "stack",
        el("h3", "panel-title", f"Case {case.id}"),
        el("p", "sentence", case.title),
        el(
            "div",
            "row",
            case_severity(case.severity),
            verdict_mark(case.verdict),
            review_mark(case.review),
        ),
        el("p", "kept-lines", case.reason),
        notes(case.review_reasons) if case.review == "requested" else None,
        el("p", "small mute", f"Sealed with {case.seal}") if case.seal else None,
        el(
            "p",
            "small mute",
            f"Closed {phrases.when(case.closed_at)} UTC by {case.closed_by}. "
            if case.closed_by
            else "It is in work again. ",
            link("Read the whole case", links.address("case", {"id": str(case.id)})),
        ),
    )
