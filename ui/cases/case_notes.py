"""What people wrote into a case, oldest first, and the box for the next note."""

from __future__ import annotations

import streamlit as st

from cases.case import CaseFile, add_note
from cases.database import Database
from trail.errors import BacktrailError
from ui.kit import boxes, phrases, text
from ui.kit.markup import draw, el
from ui.shell.session import User


def show(database: Database, user: User, file: CaseFile) -> None:
    draw(
        "case-notes",
        el("h3", "panel-title", f"Notes ({len(file.notes)})"),
        el(
            "ul",
            "case-notes",
            *(
                el(
                    "li",
                    "",
                    el(
                        "div",
                        "row small",
                        el("strong", "", note.author),
                        el("span", "mute", f"{phrases.when(note.written_at)} UTC"),
                    ),
                    el("div", "kept-lines", note.text),
                )
                for note in file.notes
            ),
        )
        if file.notes
        else el("p", "small mute", "Nothing yet. Notes are kept for good, under your name."),
    )
    if not user.can("write a note") or file.case.seal is not None:
        return
    with st.form(f"note-{file.case.id}", border=False, clear_on_submit=False):
        key = f"note-{file.case.id}-{len(file.notes)}"  # an empty box once the note is there
        written = boxes.text(
            "A new note",
            height=80,
            key=key,
            label_visibility="collapsed",
            placeholder="What you looked at, asked, or found",
        )
        sent = st.form_submit_button("Add the note", key=f"note-{file.case.id}-send")
    if sent:
        try:
            add_note(database, user.name, file.case.id, written)
        except BacktrailError as error:
            text.say_problem("note-problem", "The note was not kept.", error, tone="warn")
        else:
            st.rerun()
