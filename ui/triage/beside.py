"""What stands beside the five answers: after the alert, made and undone, what logs cannot show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.alert import Alert, Principal
from enrich import ask_beside
from enrich.answer import Answer
from enrich.data.after import AfterAlert, Course
from enrich.data.beside import Beside
from trail.store import Query, Store
from ui.kit import phrases, text
from ui.kit.markup import Node, draw_encoded, el, encoded
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


@dataclass(frozen=True)
class Found:
    """Some of what stands beside the answers; drawings of it are kept under `of_what`."""

    of_what: str
    beside: Beside


def found_above(
    store: Store, alert: Alert, principal: Principal, of_what: str, answers: Sequence[Answer]
) -> Found:
    """What is shown above the fold: the ledger, and the order of things."""
    return _found(store, alert, principal, of_what, answers, ("ledger", "course"))


def draw_following(
    store: Store,
    alert: Alert,
    principal: Principal,
    above: Found,
    answers: Sequence[Answer],
) -> None:
    """The cards that follow the interesting calls. What they show is asked when all that decides
    has been drawn."""
    found = _found(store, alert, principal, above.of_what, answers, ("after", "unseen"))

    def cards() -> bytes:
        after, ledger = found.beside, above.beside
        return encoded(
            _after(after.after, after.queries.get("after", ())),
            ledger_card(ledger.ledger, ledger.queries.get("ledger", ())),
            unseen_card(after.unseen),
        )

    draw_encoded("following", data.kept(found.of_what, "following", cards))


def _found(
    store: Store,
    alert: Alert,
    principal: Principal,
    of_what: str,
    answers: Sequence[Answer],
    parts: tuple[str, ...],
) -> Found:
    def has_failed(beside: Beside) -> bool:
        every = (beside.ledger, beside.after, beside.course, beside.unseen)
        return any(part.status == "failed" for part in every)

    return Found(
        *data.kept_unless_failed(
            of_what,
            " ".join(["beside", *parts]),
            lambda: ask_beside(alert, principal, answers, store, parts),
            has_failed,
        )
    )


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
        calls_table(after.found, when=" after the alert"),
        notes(after.caveats, "mute"),
        el(
            "div",
            "proof",
            el("span", "small", "Evidence: ", cited(after.evidence)) if after.evidence else None,
            more("Query", *map(text.query_node, queries)) if queries else None,
        ),
    )
