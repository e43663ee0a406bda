"""One card per question: what was found, how, on which evidence, and with which query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from alerts.alert import Alert
from enrich.answer import Answer
from trail.errors import BacktrailError
from trail.store import Store
from ui import card_baseline, card_calls, card_roles, card_services, evidence, phrases, text
from ui.badges import card_id, status_mark
from ui.markup import Node, draw, el
from ui.pieces import notes

_BODIES: Mapping[str, Callable[[Alert, Mapping[str, Any]], None]] = {
    "assumed_by": card_roles.show_chain,
    "roles_assumed": card_roles.show_roles,
    "services_used": card_services.show,
    "interesting_calls": card_calls.show,
    "baseline": card_baseline.show,
}


def card(alert: Alert, answer: Answer, store: Store) -> None:
    """The card of one answer. What was not looked at has no chart, and is never drawn as zero."""
    with st.container(border=True):
        draw(
            f"card-{answer.name}",
            el(
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
            ),
        )
        if answer.status not in ("not_covered", "failed") and answer.name in _BODIES:
            _BODIES[answer.name](alert, answer.data)
        if answer.caveats:
            draw(f"caveats-{answer.name}", notes(answer.caveats, "mute"))
        _proof(answer, store)


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


def _window(data: Mapping[str, Any]) -> Node | None:
    if not data.get("from") or not data.get("to"):
        return None
    return el("span", "mute small", phrases.window(data["from"], data["to"]))
