"""One case on one page: what it is about on the left, what is decided on the right."""

from __future__ import annotations

import streamlit as st

from cases.actor import known_how
from cases.case import CaseFile, case_file
from cases.database import Database
from cases.errors import NotFound
from cases.review import APPROVED
from cases.similar import SimilarCase, similar_cases
from trail.index.index_version import index_of
from ui.cases import (
    case_alerts,
    case_evidence,
    case_history,
    case_notes,
    conflict,
    decision,
    outline_page,
    report_buttons,
    review_panel,
)
from ui.kit import links, phrases
from ui.kit.case_words import case_severity, review_mark, state_mark, verdict_mark
from ui.kit.dress import dress
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import fact, link, notes, notice, title_of
from ui.parts.similar_list import similar_list
from ui.shell import data
from ui.shell.session import User


def show(database: Database, user: User) -> None:
    dress()
    asked = st.query_params.get("id", "")
    try:
        if not asked.isdecimal() or len(asked) > 9:
            raise NotFound("The address names no case.")
        if not user.may("read"):
            outline_page.show_case(database, user, asked)
            return
        here = data.index_id()
        file = case_file(database, int(asked), here)
    except NotFound:
        draw(
            "no-such-case",
            notice(
                "There is no such case.",
                "The address was cut, or it is of another case database. ",
                link("See all cases", "cases?state=all"),
                tone="warn",
            ),
        )
        return
    case = file.case
    draw("case-head", _head(file), _of_another_index(file, here))
    conflict.show(database, user, case)
    left, right = st.columns([13, 8], gap="large")
    with left:
        case_alerts.show(database, user, file)
        case_evidence.show(database, user, file)
        case_notes.show(database, user, file)
        case_history.show(file)
    with right:
        with st.container(border=True):
            decision.show(database, user, case)
        review_panel.show(database, user, case)
        with st.container(border=True):
            report_buttons.show(database, user, case.id)
        found = _similar(database, file)
        if found:
            with st.container(border=True):
                draw("case-similar", similar_list(found))


def _head(file: CaseFile) -> Node:
    case = file.case
    why = [*case.review_reasons] if case.review == "requested" else []
    return el(
        "section",
        "alert",
        el("p", "small", link("← Cases", "cases")),
        el(
            "div",
            "row",
            el("span", "alert-title mute", f"Case {case.id}"),
            title_of(case.title, tab=f"Case {case.id}: {case.title}"),
        ),
        el(
            "div",
            "row",
            case_severity(case.severity),
            state_mark(case.state),
            verdict_mark(case.verdict),
            review_mark(case.review),
            *(
                link(f"#{tag}", links.address("cases", {"tag": tag, "state": "all"}), "small")
                for tag in case.tags
            ),
        ),
        el(
            "div",
            "facts",
            fact("Owner", case.owner or "nobody yet"),
            fact("Opened (UTC)", f"{phrases.when(case.opened_at)} by {case.opened_by}"),
            fact("Decided", f"{phrases.when(case.decided_at)} by {case.decided_by}")
            if case.decided_by
            else None,
            fact("Closed", f"{phrases.when(case.closed_at)} by {case.closed_by}")
            if case.closed_by
            else None,
            fact("Reopened", phrases.count(case.reopened, "time")) if case.reopened else None,
            fact("Reviewed", f"{phrases.when(case.reviewed_at)} by {case.reviewer}")
            if case.reviewer
            else None,
            fact("Seal", el("code", "", case.seal[:16] + "…"), title=case.seal)
            if case.seal
            else None,
            fact("The sealing name was", _sealed_how(file)) if case.seal else None,
        ),
        notes([f"Up for review: {one}" for one in why]),
        notice(f"Returned by {case.reviewer}", case.review_comment, tone="warn")
        if case.review == "returned"
        else None,
    )


def _of_another_index(file: CaseFile, here: str | None) -> Node | None:
    """That what is saved to the case is not of the index that this dashboard has open, whose own
    answers stand beside the case's alerts."""
    saved = [index_of(one.index_version) for one in file.evidence if one.index_version]
    others = sum(one != here for one in saved)
    if here is None or not others:
        return None
    all_of_it = others == len(saved)
    return notice(
        "This case belongs to another index." if all_of_it else "Part of it is another index's.",
        f"{'All' if all_of_it else 'Some'} of its saved answers and events are of another index"
        " than the one that is open here. What stands beside its alerts is this index's.",
        tone="warn",
    )


def _sealed_how(file: CaseFile) -> str:
    """What the name under the seal is worth."""
    approvals = [entry for entry in file.history if entry.action == APPROVED]
    return known_how(approvals[-1].by if approvals else None)


def _similar(database: Database, file: CaseFile) -> list[SimilarCase]:
    best: dict[int, SimilarCase] = {}
    for alert in file.alerts[:5]:
        for one in similar_cases(database, alert.id, 6):
            known = best.get(one.case_id)
            if one.case_id != file.case.id and (known is None or one.score > known.score):
                best[one.case_id] = one
    return sorted(best.values(), key=lambda one: -one.score)[:6]
