"""One card per question: what was found, how, on which evidence, and with which query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from alerts.alert import Alert
from enrich.answer import Answer
from trail.errors import BacktrailError
from trail.store import Store
from ui import (
    card_baseline,
    card_calls,
    card_roles,
    card_services,
    data,
    evidence,
    phrases,
    text,
)
from ui.badges import card_id, status_mark
from ui.markup import Node, draw, el
from ui.pieces import notes

_TABLES: Mapping[str, Callable[[Mapping[str, Any]], Node | None]] = {
    "assumed_by": card_roles.chain_table,
    "roles_assumed": card_roles.roles_table,
    "interesting_calls": card_calls.calls_table,
}
"""Bodies that are elements and nothing else: made once per answer."""
_CHARTS: Mapping[str, Callable[[Alert, Mapping[str, Any], str], None]] = {
    "services_used": card_services.show,
    "baseline": card_baseline.show,
}


def card(alert: Alert, answer: Answer, store: Store, of_what: str) -> None:
    """The card of one answer. What was not looked at has no chart, and is never drawn as zero.

    `of_what` is `ui.data.asked_of` of the question: what is drawn is made once for it.
    """
    with st.container(border=True):
        told = answer.status not in ("not_covered", "failed")
        caveats = notes(answer.caveats, "mute") if answer.caveats else None
        if told and answer.name in _CHARTS:
            draw(f"card-{answer.name}", _heading(answer))
            _CHARTS[answer.name](alert, answer.data, of_what)
            if caveats:
                draw(f"caveats-{answer.name}", caveats)
        else:
            table = _TABLES.get(answer.name) if told else None
            body = data.kept(of_what, answer.name, partial(table, answer.data)) if table else None
            draw(f"card-{answer.name}", el("div", "stack", _heading(answer), body, caveats))
        _proof(answer, store)


def _heading(answer: Answer) -> Node:
    return el(
        "div",
        "stack",
        el(
            "div",
            "row",
            el("h2", "card-title", answer.question, id=card_id(answer)),
            status_mark(answer.status),
            _window(answer.data),
        ),
        el("p", "sentence", answer.sentence),
    )


@st.fragment
def _proof(answer: Answer, store: Store) -> None:
    """The events and the queries behind the answer, each folded away until asked for.

    A fragment: opening them redraws this much and not the page.
    """
    with st.container(horizontal=True, gap="medium"):
        show_events = bool(answer.evidence) and st.toggle(
            "Evidence", key=f"evidence-of-{answer.name}"
        )
        show_queries = bool(answer.queries) and st.toggle("Query", key=f"queries-of-{answer.name}")
    if show_events:
        try:
            evidence.show(answer, store)
        except BacktrailError as error:
            text.say_problem(f"no-{answer.name}", "The evidence could not be listed.", error)
    if show_queries:
        for query in answer.queries:
            st.text(f"{phrases.count(query.rows, 'row')} in {query.elapsed_ms:.0f} ms")
            text.show_query(query)


def _window(found: Mapping[str, Any]) -> Node | None:
    if not found.get("from") or not found.get("to"):
        return None
    return el("span", "mute small", phrases.window(found["from"], found["to"]))
