"""The form of a case: verdict with its reason, severity, owner, tags, and closing it.

What a form shows is kept as it was opened. When someone else saves meanwhile, what only one of
the two changed is joined; where both changed the same field, `ui.cases.conflict` shows both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cases import users
from cases.case import SEVERITIES, VERDICTS, Case, close_case, reopen_case, save_case
from cases.database import Database
from cases.errors import CaseConflict
from cases.lengths import LINE
from trail.errors import BacktrailError
from ui.cases import conflict
from ui.kit import boxes, case_words, text
from ui.kit.markup import draw, el
from ui.kit.pieces import notice
from ui.shell import data
from ui.shell.session import User

FIELDS = ("verdict", "reason", "severity", "owner", "tags", "title", "summary")
UNDECIDED = "undecided"
NOBODY = ""


def show(database: Database, user: User, case: Case) -> None:
    draw("decision-title", el("h3", "panel-title", "Decision"))
    said = st.session_state.pop(f"case-{case.id}-said", None)
    if said:
        draw("decision-said", notice(said, tone="good"))
    if case.seal is not None or case.state == "closed" or not user.can("save a case"):
        _read_only(case)
        if case.state == "closed" and user.can("reopen a case"):
            _reopen(database, user, case)
        return
    base, prefix = _opened(case)
    if not conflict.is_open(case.id):
        _say_moved(base, case)
    wanted, close = _form(database, case, base, prefix)
    if wanted is not None:
        _save(database, user, case, base, wanted, close=close)


def changed(base: Case, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the form that differ from what it was opened with."""
    return {name: value for name, value in wanted.items() if value != getattr(base, name)}


def both_changed(base: Case, now: Case, mine: Mapping[str, Any]) -> set[str]:
    """The fields that the user and somebody else changed, to different values."""
    return {
        name
        for name, value in mine.items()
        if getattr(now, name) != getattr(base, name) and getattr(now, name) != value
    }


def _opened(case: Case) -> tuple[Case, str]:
    """The case as this form was opened with it, and the prefix of the form's keys.

    The keys stay while the form is on the page: text that was typed and not yet sent must
    survive whatever else is clicked.
    """
    count_key, base_key = f"case-{case.id}-draft", f"case-{case.id}-base"
    count = st.session_state.get(count_key, 0)
    base = st.session_state.get(base_key)
    if not isinstance(base, Case) or f"case-{case.id}-{count}-reason" not in st.session_state:
        count, base = count + 1, case
        st.session_state[count_key], st.session_state[base_key] = count, base
    return base, f"case-{case.id}-{count}"


def start_over(case_id: int) -> None:
    """The form shows the case as it is now, when it is drawn next."""
    st.session_state.pop(f"case-{case_id}-base", None)


def _form(
    database: Database, case: Case, base: Case, prefix: str
) -> tuple[dict[str, Any] | None, bool]:
    people = [one.name for one in users.users(database) if one.may("work")]
    owners = [NOBODY, *people]
    if base.owner and base.owner not in owners:
        owners.append(base.owner)
    with st.form(f"{prefix}-form", border=False):
        left, right = st.columns(2)
        verdict = left.selectbox(
            "Verdict",
            [UNDECIDED, *VERDICTS],
            index=0 if base.verdict is None else 1 + VERDICTS.index(base.verdict),
            format_func=lambda one: case_words.VERDICTS.get(one, ("Undecided",))[0],
            key=f"{prefix}-verdict",
        )
        severity = right.selectbox(
            "Severity",
            list(reversed(SEVERITIES)),
            index=list(reversed(SEVERITIES)).index(base.severity),
            format_func=lambda one: "Not rated" if one == "unknown" else one.capitalize(),
            key=f"{prefix}-severity",
        )
        reason = boxes.text(
            "Reason (a verdict needs one)", base.reason, height=110, key=f"{prefix}-reason"
        )
        left, right = st.columns(2)
        owner = left.selectbox(
            "Owner",
            owners,
            index=owners.index(base.owner or NOBODY),
            format_func=lambda one: one or "Nobody",
            key=f"{prefix}-owner",
        )
        tags = boxes.line(
            "Tags, with commas between", ", ".join(base.tags), place=right, key=f"{prefix}-tags"
        )
        with st.expander("Title and summary"):
            title = boxes.line("Title", base.title, most=LINE, key=f"{prefix}-title")
            summary = boxes.text("Summary, for the report", base.summary, key=f"{prefix}-summary")
        with st.container(horizontal=True):
            save = st.form_submit_button("Save", type="primary", key=f"{prefix}-save")
            close = st.form_submit_button("Save and close the case", key=f"{prefix}-close")
    if not (save or close):
        return None, False
    wanted = {
        "verdict": None if verdict == UNDECIDED else verdict,
        "reason": reason,
        "severity": severity,
        "owner": owner or None,
        "tags": tuple(sorted({tag.strip() for tag in tags.split(",")} - {""})),
        "title": title,
        "summary": summary,
    }
    return wanted, close


def _save(
    database: Database,
    user: User,
    case: Case,
    base: Case,
    wanted: Mapping[str, Any],
    *,
    close: bool,
) -> None:
    if close and wanted["verdict"] is None:
        draw(
            "no-verdict",
            notice(
                "Not saved.",
                "A case is closed with a verdict: choose one, and give its reason.",
                tone="warn",
            ),
        )
        return
    mine = changed(base, wanted)
    # Refused at the version that was opened, so that both texts go into the history.
    version = base.version if both_changed(base, case, mine) else case.version
    if not mine and not close:
        draw("nothing-changed", notice("Nothing was changed, so nothing was saved."))
        return
    try:
        save_fields(database, user, case.id, version, mine, close=close)
    except CaseConflict as found:
        conflict.keep(found, mine, close=close)
        st.rerun()
    except BacktrailError as error:
        text.say_problem("save-problem", "Not saved.", error, tone="warn")
        return
    start_over(case.id)
    st.session_state[f"case-{case.id}-said"] = "Saved and closed." if close else "Saved."
    st.rerun()


def save_fields(
    database: Database,
    user: User,
    case_id: int,
    version: int,
    mine: Mapping[str, Any],
    *,
    close: bool,
) -> None:
    """Saves the fields, all at once, and then closes the case if asked to."""
    values: dict[str, Any] = {name: list(v) if name == "tags" else v for name, v in mine.items()}
    if values:
        version = save_case(database, user.name, case_id, version, values).version
    if close:
        close_case(database, user.name, case_id, version, index_id=data.index_id())


def _say_moved(base: Case, case: Case) -> None:
    moved = [name for name in FIELDS if getattr(base, name) != getattr(case, name)]
    if moved:
        draw(
            "case-moved",
            notice(
                "Someone saved this case while you had it open.",
                f"They changed: {', '.join(moved)}. Your words stay; what both changed will be "
                "shown side by side when you save.",
                tone="warn",
            ),
        )


def _read_only(case: Case) -> None:
    draw(
        "decision-read",
        el(
            "div",
            "stack",
            case_words.verdict_mark(case.verdict),
            el("p", "sentence", case.reason or "No reason was given yet."),
            el("p", "small mute", case.summary) if case.summary else None,
            el(
                "p",
                "small mute",
                f"Sealed by {case.reviewer}: {case.review_comment or 'approved without a comment'}",
            )
            if case.seal
            else None,
        ),
    )


def _reopen(database: Database, user: User, case: Case) -> None:
    if case.seal is not None and not user.can("reopen a sealed case"):
        draw("sealed", el("p", "small mute", "It is sealed: only a lead can reopen it."))
        return
    with st.popover("Reopen", icon=":material/undo:"), st.form(f"reopen-{case.id}", border=False):
        why = boxes.line("Why?", most=LINE, key=f"reopen-{case.id}-why")
        sent = st.form_submit_button(
            "Reopen the case",
            key=f"reopen-sealed-{case.id}-send" if case.seal else f"reopen-{case.id}-send",
        )
    if sent:
        try:
            reopen_case(database, user.name, case.id, why)
        except BacktrailError as error:
            text.say_problem("reopen-problem", "Not reopened.", error, tone="warn")
            return
        start_over(case.id)
        st.rerun()
