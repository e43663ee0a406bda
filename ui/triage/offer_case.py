"""What becomes of the alert on the triage page: a new case, an open one, or a verdict at once."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from alerts.alert import Alert
from cases import inbox
from cases.case import (
    VERDICTS,
    Case,
    add_alert,
    close_case,
    find_cases,
    get_case,
    open_case,
)
from cases.database import Database
from cases.enrichment import keep_shown
from cases.errors import CaseRefused, NotFound
from cases.evidence import freeze_answers
from cases.fingerprint import fingerprint
from cases.inbox import QueuedAlert
from enrich import NOBODY, QUESTIONS
from enrich.answer import Answer
from enrich.verdict.chips import chips_of
from trail.errors import BacktrailError
from trail.index.index_version import index_of
from trail.store import Store
from ui.kit import boxes, case_words, deed, links, text
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import link
from ui.parts.pick_case import choose_case, joinable
from ui.shell.opened import case_database
from ui.shell.session import User, cases_if_any
from ui.triage.intake import Chosen


def offer_case(found: Chosen, answers: Sequence[Answer], store: Store, user: User) -> None:
    """The case that the alert is in, or the ways into one."""
    try:
        database = cases_if_any()
        known = _known(database, found.received) if database is not None else None
        held = None
        if database is not None and known is not None and known.case_ids:
            held = get_case(database, known.case_ids[-1])
    except BacktrailError as error:
        text.say_problem("case-store-problem", "The cases cannot be read.", error, tone="warn")
        return
    work = _Work(found, answers, store, user)
    deed.say_refusal("to-case-problem")
    if held is not None:
        draw("in-case", _in_case(held))
    if user.can("open a case"):
        if held is None or held.state == "closed":
            _ways(work, database, known)
        else:
            deed.button(
                "Save these answers to the case",
                "triage-save",
                lambda: work.into(held.id).id,
                icon=":material/push_pin:",
                primary=False,
            )
    if known is not None and database is not None:
        others = inbox.related_alerts(database, known.id, 20)
        if others:
            draw(
                "related-alerts",
                link(
                    f"{len(others)} related in the inbox",
                    links.address("inbox", {"related": known.id}),
                    "small",
                ),
            )


class _Work:
    """The alert and its answers on their way into a case."""

    def __init__(
        self,
        found: Chosen,
        answers: Sequence[Answer],
        store: Store,
        user: User,
    ) -> None:
        # What the inbox keeps is the alert as it came: it is completed again when it is asked.
        self.alert, self.answers, self.store, self.user = found.received, answers, store, user
        self.position = found.who
        self.asked_about = found.alert
        self.principal = found.principal or NOBODY

    def into(self, case_id: int | None) -> Case:
        """The case with the alert in it and these answers frozen; a new one without an id."""
        database = case_database(self.user.actor)
        known = _known(database, self.alert)
        # Looking at an alert is no arrival: one that the inbox has is not counted again.
        alert_id = (
            known.id
            if known is not None
            else inbox.receive(database, self.user.name, [self.alert])[0].id
        )
        if case_id is None:
            case_id = open_case(database, self.user.name, [alert_id]).id
        else:
            add_alert(database, self.user.name, case_id, alert_id)
        freeze_answers(
            database,
            self.user.name,
            case_id,
            alert_id,
            self.store,
            principal=self.position,
            answers=self.answers,
            asked=(self.asked_about, self.principal),
        )
        self._keep(database, alert_id)
        return get_case(database, case_id)

    def _keep(self, database: Database, alert_id: str) -> None:
        """The case shows what was just shown here, and waits for nothing. Not of an alert that
        was corrected on the page: the inbox holds another one.
        """
        names = [answer.name for answer in self.answers]
        if names == [question.name for question in QUESTIONS] and (
            inbox.get_alert(database, alert_id) == self.alert
        ):
            version = self.store.version()
            found = chips_of(self.asked_about, self.principal, self.answers)
            asked = (self.asked_about, self.principal)
            keep_shown(database, alert_id, version, self.position, self.answers, found, asked)


def _known(database: Database, alert: Alert) -> QueuedAlert | None:
    try:
        return inbox.queued_alert(database, fingerprint(alert))
    except NotFound:
        return None


def _in_case(case: Case) -> Node:
    return el(
        "span",
        "row",
        link(f"Case {case.id}", links.address("case", {"id": str(case.id)})),
        case_words.state_mark(case.state),
        case_words.verdict_mark(case.verdict),
        el("span", "small mute", case.owner or "no owner"),
    )


def _ways(work: _Work, database: Database | None, known: QueuedAlert | None) -> None:
    deed.button(
        "Open a case",
        "triage-open",
        lambda: work.into(None).id,
        icon=":material/create_new_folder:",
    )
    if database is not None and find_cases(database, states=("open", "investigating"), limit=1):
        _join(work, database, known)
    of_alert = fingerprint(work.alert)
    st.button(
        "Close with a verdict",
        icon=":material/gavel:",
        key="triage-close-open",
        on_click=_decide,
        args=(of_alert,),
    )
    if st.session_state.get(DECIDING) in (True, of_alert):
        _beside(work)


DECIDING = "triage-close"
"""Session state key: the alert whose verdict is being written. Another alert's form stays shut."""


def _decide(of_alert: str | None) -> None:
    st.session_state[DECIDING] = of_alert


def _beside(work: _Work) -> None:
    """The verdict's form, beside what it rests on and not over it."""
    with st.container(key="verdict-beside"):
        draw("verdict-title", el("h2", "card-title", "Close with a verdict", arrive=1))
        _verdict_form(work)
        st.button("Not now", key="triage-verdict-not", on_click=_decide, args=(None,))


def _verdict_form(work: _Work) -> None:
    with st.form("triage-verdict", border=False):
        st.radio(
            "Verdict",
            VERDICTS,
            index=None,
            format_func=lambda one: case_words.VERDICTS[one][0],
            key=VERDICT,
        )
        boxes.text("Reason", height=80, key=REASON)
        st.form_submit_button(
            "Open, decide and close",
            type="primary",
            key="triage-verdict-send",
            on_click=deed.into_case,
            args=(lambda: _closed(work),),
        )


def _join(work: _Work, database: Database, known: QueuedAlert | None) -> None:
    """The cases that it can be added to, looked for when that is opened."""
    drawer = st.popover(
        "Add to a case", icon=":material/drive_file_move:", key="triage-add", on_change="rerun"
    )
    if not drawer.open:
        return
    with drawer:
        number = choose_case(joinable(database, known.id if known else None), "triage")
        deed.button("Add to it", "triage-join", lambda: work.into(number).id)


VERDICT, REASON = "triage-verdict-choice", "triage-verdict-reason"


def _closed(work: _Work) -> int:
    verdict, reason = st.session_state.get(VERDICT), st.session_state.get(REASON, "")
    if verdict is None or not reason.strip():
        raise CaseRefused("A verdict needs a choice and its reason.")
    case = work.into(None)
    database = case_database(work.user.actor)
    number = close_case(
        database,
        work.user.name,
        case.id,
        case.version,
        verdict=verdict,
        reason=reason,
        index_id=index_of(work.store.version()),
    ).id
    _decide(None)
    return number
