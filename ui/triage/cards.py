"""One card per question: what was found, how, on which evidence, and with which query.

What stands between two charts is one drawing: on a rerun each element costs as much as its text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import streamlit as st

from alerts.alert import Alert, Principal
from enrich import QUESTIONS
from enrich.answer import Answer, Bar
from enrich.data.assumed_by import AssumedBy
from enrich.data.baseline import Baseline
from enrich.data.found import Found, InWindow, Moment
from enrich.data.interesting_calls import InterestingCalls
from enrich.data.ledger import Ledger
from enrich.data.roles_assumed import RolesAssumed
from enrich.data.services_used import ServicesUsed
from enrich.entity import Scope
from enrich.questions.every import question_named
from enrich.verdict.chips import Chip
from trail.errors import BacktrailError
from trail.store import Store
from ui.kit import links, phrases, text
from ui.kit.badges import card_id, found_marks, plain_names, query_id
from ui.kit.markup import Node, asked_for, draw_encoded, el, encoded
from ui.kit.pieces import later, more, notes, notice, table
from ui.parts import evidence
from ui.parts.own_search import own_filters
from ui.shell import data
from ui.triage import card_baseline, card_calls, card_calls_bars, card_roles, card_services
from ui.triage.leading import Leading


@dataclass(frozen=True)
class Asked:
    """What the cards are about. `of_what` is its `data.asked_of`: drawings are kept by it."""

    alert: Alert
    principal: Principal
    store: Store
    of_what: str
    chips: Mapping[str, Chip]
    stretch: tuple[datetime, datetime] | None = None
    """The stretch of the timeline that was chosen: the evidence is cut to it."""
    ledger: Ledger | None = None
    """What became of roles and keys that the answers list; None where that was not looked up."""


def cards(
    asked: Asked,
    answers: Sequence[Answer],
    following: Mapping[str, Callable[[], None]] | None = None,
) -> None:
    """The cards of the answers, in their order; neighbours without charts are drawn together.

    `following` draws what follows an answer's card, by its name.
    """
    together: list[Answer] = []
    for answer in answers:
        bars = question_named(answer.name).bars(answer.data)
        if (bars or isinstance(answer.data, Baseline)) and _told(answer):
            _plain(asked, together)
            together = []
            _charted(asked, answer, bars)
        else:
            together.append(answer)
        if following is not None and answer.name in following:
            _plain(asked, together)
            together = []
            following[answer.name]()
    _plain(asked, together)


def _plain(asked: Asked, answers: Sequence[Answer]) -> None:
    if answers:
        _draw(
            asked,
            f"cards-from-{answers[0].name}",
            lambda opened: [
                el("section", "card stack", _heading(asked, answer), *_rest(asked, answer, opened))
                for answer in answers
            ],
        )


def _charted(asked: Asked, answer: Answer, bars: Sequence[Bar]) -> None:
    with st.container(border=True, key=f"card-of-{answer.name}"):
        _draw(asked, f"heading-of-{answer.name}", lambda _: [_heading(asked, answer)])
        try:
            _charts(asked, answer, bars)
        except BacktrailError as error:
            text.say_problem(f"problem-of-{answer.name}", "No charts could be drawn.", error)
        _draw(
            asked,
            f"rest-of-{answer.name}",
            lambda opened: [el("div", "stack", *_rest(asked, answer, opened))],
        )


def _charts(asked: Asked, answer: Answer, bars: Sequence[Bar]) -> None:
    """Those between the heading and the table."""
    leading = _leading(asked, answer)
    if isinstance(answer.data, Baseline):
        card_baseline.charts_of(asked.alert, answer.data, asked.of_what, leading)
    elif bars:
        what = question_named(answer.name).bar
        card_calls_bars.draw(what, bars, asked.of_what, leading)


def _draw(asked: Asked, key: str, make: Callable[[frozenset[str]], Sequence[Node]]) -> None:
    """Draws what `make` makes, once for the question and for what was opened of it."""
    opened = asked_for(key) & _evidences()
    name = " ".join([key, *sorted(opened), *(_stretch_of(asked) if opened else ())])
    try:
        drawing = data.kept(asked.of_what, name, lambda: encoded(*make(opened)))
    except BacktrailError as error:
        problem = notice("The evidence could not be listed.", str(error), tone="bad")
        drawing = encoded(*make(frozenset()), problem)
    draw_encoded(key, drawing)


def _heading(asked: Asked, answer: Answer) -> Node:
    return el(
        "div",
        "stack",
        el(
            "div",
            "row",
            el("h2", "card-title", answer.question, id=card_id(answer)),
            *found_marks(answer, asked.chips[answer.name]),
            _window(answer.data),
        ),
        el("p", "sentence", plain_names(answer.sentence)),
    )


def _rest(asked: Asked, answer: Answer, opened: frozenset[str]) -> list[Node | None]:
    """What follows the heading. What was not looked at is never drawn as zero."""
    return [
        _table(asked, answer) if _told(answer) else None,
        notes(answer.caveats, "mute") if answer.caveats else None,
        _proof(asked, answer, opened),
    ]


def _table(asked: Asked, answer: Answer) -> Node | None:
    match answer.data:
        case RolesAssumed():
            return card_roles.roles_table(answer.data, asked.ledger)
        case ServicesUsed():
            return card_services.services_table(answer.data, _leading(asked, answer))
        case InterestingCalls():
            return card_calls.calls_table(answer.data)
        case Baseline():
            return card_baseline.tables(answer.data)
        case AssumedBy():
            return card_roles.chain_table(answer.data, asked.ledger)
        case _:
            return _listing(answer)


def _listing(answer: Answer) -> Node | None:
    """The table of a question that has no drawing of its own."""
    listing = question_named(answer.name).listing(answer.data)
    if not listing.rows:
        return None
    numbers = {
        head
        for place, head in enumerate(listing.heads)
        if all(isinstance(row[place], int) for row in listing.rows)
    }
    return table(listing.heads, listing.rows, caption=answer.question, numbers=frozenset(numbers))


def _leading(asked: Asked, answer: Answer) -> Leading:
    """Where the answer's numbers lead: the event search with the answer's window and filters."""

    def to(scope: Scope, **more: str | None) -> str | None:
        first, last = map(phrases.as_time, _ends(answer.data))
        if first is None or last is None:
            return None
        filters = data.kept(
            asked.of_what,
            f"filters of {answer.name} {scope}",
            lambda: own_filters(asked.store, asked.alert, asked.principal, (first, last), scope),
        )
        if not filters:
            return None
        if answer.name == "baseline":  # its last instant is not part of it
            last -= timedelta(microseconds=1)
        ends = {"from": phrases.iso(first), "to": phrases.iso(last)}
        return links.address("events", {**filters, **more, **ends})

    return to


def _stretch_of(asked: Asked) -> list[str]:
    return [end.isoformat() for end in asked.stretch or ()]


def _proof(asked: Asked, answer: Answer, opened: frozenset[str]) -> Node:
    """The events and the queries behind the answer, each folded away."""
    name = _evidence_of(answer.name)
    listed = None
    if name in opened:
        make = partial(evidence.behind, answer, asked.store, asked.stretch)
        listed = data.kept(asked.of_what, " ".join([name, *_stretch_of(asked)]), make)
    words = f"Evidence: {phrases.count(len(answer.evidence), 'event')}"
    return el(
        "div",
        "proof",
        later(words, name, listed) if answer.evidence else None,
        more("Query", *map(text.query_node, answer.queries), id=query_id(answer))
        if answer.queries
        else None,
    )


def _evidence_of(name: str) -> str:
    return f"evidence-of-{name}"


def _evidences() -> set[str]:
    return {_evidence_of(question.name) for question in QUESTIONS}


def _told(answer: Answer) -> bool:
    return answer.status not in ("not_covered", "failed")


def _window(found: Found) -> Node | None:
    first, last = _ends(found)
    if not first or not last:
        return None
    return el("span", "mute small", phrases.window(first, last))


def _ends(found: Found) -> tuple[Moment | None, Moment | None]:
    """The window's first and last moment, where the question has a window."""
    if isinstance(found, InWindow):
        return found.window_first, found.window_last
    return None, None
