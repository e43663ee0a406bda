"""What stands beside the five answers: after the alert, made and undone, what logs cannot show."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from alerts.alert import Alert, Principal
from enrich import ask_beside
from enrich.answer import Answer
from enrich.data.after import AfterAlert, Course
from enrich.data.beside import Beside
from trail.store import Query, Store
from ui.kit import phrases, text
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, cited, mark, more, notes
from ui.parts.unseen_kinds import unseen_card
from ui.shell import data
from ui.triage.card_calls import calls_table
from ui.triage.ledger_card import ledger_card

AFTER_ID = "after-the-alert"
_MARKS: dict[str, tuple[str, Tone]] = {
    "nothing": ("Nothing found", "mute"),
    "not_covered": ("No logs after it", "warn"),
    "partial": ("Partly covered", "warn"),
    "failed": ("Query failed", "bad"),
}
"""Statuses that are news; that something was found is told by what was found."""


class _Failed(Exception):
    """A part could not be had: nothing of this is kept, the next run asks again."""

    def __init__(self, beside: Beside) -> None:
        super().__init__("a part failed")
        self.beside = beside


_failures = count()


def found_beside(
    store: Store, alert: Alert, principal: Principal, of_what: str, answers: Sequence[Answer]
) -> tuple[str, Beside]:
    """What drawings of it are kept under, and what was found."""

    def ask() -> Beside:
        beside = ask_beside(alert, principal, answers, store)
        parts = (beside.ledger, beside.after, beside.course, beside.unseen)
        if any(part.status == "failed" for part in parts):
            raise _Failed(beside)
        return beside

    try:
        return of_what, data.kept(of_what, "beside", ask)
    except _Failed as error:
        return f"{of_what} beside {next(_failures)}", error.beside


def course_line(course: Course) -> Node | None:
    """The order of a break-in in one line, with the events of each step."""
    if not course.stages:
        return None
    ids = [one for stage in course.stages for one in stage.event_ids]
    return el(
        "section",
        "card",
        el("h3", "panel-title", "The order of it"),
        el("p", "sentence", f"{course.sentence} ", cited(ids)),
    )


def following(beside: Beside) -> list[Node | None]:
    """The cards that follow the interesting calls."""
    return [
        _after(beside.after, beside.queries.get("after", ())),
        ledger_card(beside.ledger, beside.queries.get("ledger", ())),
        unseen_card(beside.unseen),
    ]


def _after(after: AfterAlert, queries: Sequence[Query]) -> Node | None:
    if after.status == "not_applicable":
        return None
    words, tone = _MARKS.get(after.status, ("", "mute"))
    return el(
        "section",
        "card stack",
        el(
            "div",
            "row",
            el("h2", "card-title", "After the alert", id=AFTER_ID),
            mark(words, tone) if words else None,
            el("span", "mute small", phrases.window(after.window_first, after.window_last))
            if after.window_first
            else None,
        ),
        el("p", "sentence", after.sentence),
        calls_table(after.found),
        notes(after.caveats, "mute"),
        el(
            "div",
            "proof",
            el("span", "small", "Evidence: ", cited(after.evidence)) if after.evidence else None,
            more("Query", *map(text.query_node, queries)) if queries else None,
        ),
    )
