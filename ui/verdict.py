"""What speaks for and against a true positive, and what to do next: an aid, never a verdict."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from alerts.alert import Alert, Principal
from enrich.answer import Answer
from enrich.evidence import Weight, weigh
from enrich.next_steps import Step, next_steps
from ui.markup import Node, draw, el
from ui.pieces import event_link

MOST_CITED = 3
STEPS = "next-steps"
"""Session state key: whether the next steps stand open."""


def show(alert: Alert, principal: Principal, answers: Sequence[Answer]) -> None:
    """Two short lists, every line resting on events; then the next steps, as text to copy."""
    lines = weigh(alert, principal, answers)
    steps = next_steps(alert, principal, answers)
    if lines:
        with st.container(border=True):
            draw(
                "verdict",
                el(
                    "div",
                    "columns",
                    _side("Speaks for a true positive", "for", lines),
                    _side("Speaks against it", "against", lines),
                ),
            )
    if steps:
        _steps(steps)


@st.fragment
def _steps(steps: Sequence[Step]) -> None:
    """Folded away, and sent when it is opened."""
    folded = st.expander(
        "Next steps: read before you run anything",
        icon=":material/checklist:",
        key=STEPS,
        on_change="rerun",
    )
    if not folded.open:
        return
    with folded:
        for number, step in enumerate(steps):
            draw(
                f"step-{number}",
                el(
                    "div",
                    "",
                    el("h3", "panel-title", f"{number + 1}. {step.title}"),
                    el("p", "sentence", step.text),
                ),
            )
            for command in step.commands:
                st.code(command, language=None, wrap_lines=True)


def _side(title: str, side: str, lines: Sequence[Weight]) -> Node:
    own = [line for line in lines if line.side == side]
    return el(
        "div",
        "stack",
        el("h3", "panel-title", title),
        el("ul", f"notes notes-{side}", *(_line(line) for line in own))
        if own
        else el("p", "mute", "Nothing in the logs that we looked at."),
    )


def _line(line: Weight) -> Node:
    return el(
        "li",
        "",
        f"{line.sentence} ",
        *(part for event_id in line.event_ids[:MOST_CITED] for part in (event_link(event_id), " ")),
        el("span", "mute small", f"and {len(line.event_ids) - MOST_CITED} more")
        if len(line.event_ids) > MOST_CITED
        else None,
    )
