"""Whether the history is as it was written, also against the reports that were signed."""

from __future__ import annotations

import streamlit as st

from cases import audit
from cases.database import Database
from cases.errors import NotFound
from cases.kept_reports import Status
from cases.verify import Verification, heads_in, verify
from ui.cases.case_history import history_table
from ui.kit import boxes, phrases
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import Tone, fact, notes, notice
from ui.shell.session import User

SHOWN = 100

_STATUS: dict[Status, tuple[str, Tone]] = {
    "holds": ("holds", "good"),
    "does not hold": ("does not hold", "bad"),
    "unchecked": ("could not be checked", "warn"),
}


def show(database: Database, user: User) -> None:
    entries = audit.history(database)
    left, right = st.columns([13, 8], gap="large")
    with right, st.container(border=True):
        draw(
            "verify-title",
            el("h3", "panel-title", "Verify"),
            el(
                "p",
                "small mute",
                "Works everything out again: the chain of hashes, every case, note, piece of "
                "evidence and seal against it. A report that was kept elsewhere also gives away "
                "a history that was rewritten as a whole.",
            ),
        )
        with st.form("verify", border=False):
            reports = st.file_uploader(
                "Kept reports",
                accept_multiple_files=True,
                max_upload_size=50,
                key="verify-reports",
            )
            typed = boxes.line(
                "or the head a report prints", placeholder="12:9f86d0…", key="verify-head"
            )
            sent = st.form_submit_button("Verify", type="primary", key="verify-send")
        if sent:
            files = [(file.name, file.getvalue()) for file in reports or ()]
            try:
                found = verify(database, heads_in(typed), files)
            except NotFound as refused:
                draw("verified", notice(str(refused), tone="bad"))
            else:
                draw("verified", _result(found, given=bool(typed.strip())))
    with left:
        draw(
            "all-history",
            el(
                "p",
                "small mute",
                f"{phrases.count(len(entries), 'entry', 'entries')}"
                + (f", the newest {SHOWN} of them" if len(entries) > SHOWN else ""),
            ),
            history_table(entries[-SHOWN:], tall=True),
        )


def _result(found: Verification, *, given: bool) -> Node:
    lines: list[str] = list(found.problems[:20])
    if given and not found.heads_checked:
        lines.append("What was given prints no head of a history, so it was not compared.")
    return el(
        "div",
        "stack",
        notice(
            "The history was tampered with."
            if found.problems
            else "Nothing contradicts the history.",
            notes(lines),
            tone="bad" if found.problems else "good",
        ),
        *(
            notice(
                f"{one.name} {_STATUS[one.status][0]}.",
                notes([*one.problems, *one.lines]),
                tone=_STATUS[one.status][1],
            )
            for one in found.reports
        ),
        el(
            "div",
            "facts",
            fact("Entries", phrases.number(found.entries)),
            fact("Cases", phrases.number(found.cases)),
            fact("Evidence", phrases.number(found.evidence)),
            fact("Compared with reports", phrases.number(len(found.heads_checked))),
        ),
        el("p", "small", "Head: ", el("code", "", str(found.head))),
    )
