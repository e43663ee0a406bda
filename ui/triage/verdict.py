"""What speaks for and against a true positive, and what to do next: an aid, never a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.alert import Alert, Principal
from enrich.answer import Answer
from enrich.verdict.next_steps import Step, next_steps
from enrich.verdict.weighing import NotWeighed, Weight, weigh
from enrich.verdict.weight import not_weighed_words
from ui.kit.markup import Node, el
from ui.kit.pieces import code, event_link, more

MOST_CITED = 3


def verdict(alert: Alert, principal: Principal, answers: Sequence[Answer]) -> list[Node]:
    """Two short lists, every line resting on events; then the next steps, as text to copy."""
    weighing = weigh(alert, principal, answers)
    steps = next_steps(alert, principal, answers)
    drawn: list[Node] = []
    if weighing.lines or weighing.not_weighed:
        drawn.append(
            el(
                "section",
                "card stack",
                el(
                    "div",
                    "columns",
                    _side("Speaks for a true positive", "for", weighing.for_),
                    _side("Speaks against it", "against", weighing.against),
                ),
                _not_weighed(weighing.not_weighed),
            )
        )
    if steps:
        folded = more("Next steps: read before you run anything", *_steps(steps))
        drawn.append(el("section", "card steps", folded))
    return drawn


def _steps(steps: Sequence[Step]) -> list[Node]:
    return [
        el(
            "div",
            "stack",
            el("h3", "panel-title", f"{number}. {step.title}"),
            el("p", "sentence", step.text),
            *(code(command) for command in step.commands),
        )
        for number, step in enumerate(steps, 1)
    ]


def _not_weighed(answers: Sequence[NotWeighed]) -> Node | None:
    """Which answers say too little: an empty side is not a clear one."""
    if not answers:
        return None
    said = "; ".join(not_weighed_words(answers))
    return el("p", "mute small", f"Not weighed, or in part: {said}.")


def _side(title: str, side: str, lines: Sequence[Weight]) -> Node:
    return el(
        "div",
        "stack",
        el("h3", "panel-title", title),
        el("ul", f"notes notes-{side}", *(_line(line) for line in lines))
        if lines
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
