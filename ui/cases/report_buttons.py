"""The case's report in four forms, with or without stand-ins for what identifies anyone."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence

import streamlit as st

from cases.database import Database
from cases.errors import CaseRefused
from cases.redaction.listed import listed_words
from cases.report import FORMATS, MEDIA_TYPES, Format
from cases.report.made import make_report
from trail.counted import counted
from ui.kit.markup import draw, el
from ui.shell import data
from ui.shell.session import User

UNRECORDED = "reports-unrecorded"

LABELS: dict[Format, str] = {"md": "Markdown", "html": "HTML", "pdf": "PDF", "json": "JSON"}


def show(database: Database, user: User, case_id: int) -> None:
    draw("report-title", el("h3", "panel-title", "Report"))
    redacted = not user.can("take a report away") or st.toggle(
        "Redacted: stand-ins for accounts, names, keys and addresses",
        key=f"redact-{case_id}",
    )
    if redacted:
        try:
            words = listed_words()
        except CaseRefused as refused:
            draw("redacted-note", el("p", "small bad", str(refused)))
            return
        listed = f" {counted(len(words), 'listed word')} of your own go too." if words else ""
        draw(
            "redacted-note",
            el(
                "p",
                "small mute",
                "The files below have one stand-in throughout for each account, name, key and"
                " address that the case's alerts, answers, records and history show, also where a"
                " reason or a note names it. Whom only such a text names stays in it: read those"
                " before you send them." + listed,
            ),
        )
    of_index = data.index_id()
    unrecorded: list[str] = st.session_state.setdefault(UNRECORDED, [])
    if unrecorded:
        draw("report-unrecorded", el("p", "small bad", unrecorded[-1]))
    ending = "-redacted" if redacted else ""
    with st.container(horizontal=True, gap="small"):
        for form in FORMATS:
            st.download_button(
                LABELS[form],
                data=made_when_clicked(
                    database,
                    user.name,
                    case_id,
                    form,
                    redacted=redacted,
                    unrecorded=unrecorded,
                    index_id=of_index,
                ),
                file_name=f"case-{case_id}{ending}.{form}",
                mime=MEDIA_TYPES[form],
                key=f"redacted-{form}" if redacted else f"report-{form}",
                icon=":material/download:",
                on_click="ignore",
            )


def made_when_clicked(
    database: Database,
    actor: str,
    case_id: int,
    form: Format,
    *,
    redacted: bool,
    unrecorded: MutableSequence[str],
    index_id: str | None = None,
) -> Callable[[], bytes]:
    """What a click downloads. Why the history does not tell of it goes into `unrecorded`, which
    the page shows when it is drawn again: a download cannot draw.
    """

    def make() -> bytes:
        made = make_report(database, actor, case_id, form, redacted=redacted, index_id=index_id)
        unrecorded[:] = [made.unrecorded] if made.unrecorded else []
        return made.content

    return make
