"""What speaks for and against a true positive, and what to do next: an aid, never a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.alert import Alert, Principal
from enrich.answer import Answer
from enrich.data.ledger import Ledger
from enrich.verdict.next_steps import Step, next_steps
from enrich.verdict.weight import NotWeighed, Weighing, Weight, not_weighed_words
from trail.counted import counted
from ui.kit.markup import Node, el
from ui.kit.pieces import cited, code, more

MOST_SHOWN = 4
"""Lines of a side that stand open: with the others folded, both sides are above the fold."""


def in_one_line(weighing: Weighing) -> Node | None:
    """How many signs there are on either side, and the strongest in words."""
    strongest = weighing.strongest
    if strongest is None:
        return None
    signs = counted(len(weighing.for_), "sign")
    return el(
        "p",
        f"weighed weighed-{strongest.side}",
        el("strong", "", f"{signs} for a true positive, {len(weighing.against):,} against."),
        f" {strongest.sentence}",
    )


def both_sides(weighing: Weighing) -> Node | None:
    """Two short lists, every line resting on events, the strongest first."""
    if not (weighing.lines or weighing.not_weighed):
        return None
    return el(
        "section",
        "card stack",
        _side("Speaks for a true positive", "for", weighing.for_),
        _side("Speaks against it", "against", weighing.against),
        _not_weighed(weighing.not_weighed),
    )


def what_next(
    alert: Alert, principal: Principal, answers: Sequence[Answer], ledger: Ledger
) -> Node | None:
    """The next steps, as text to copy; what is gone is not stopped again."""
    steps = next_steps(alert, principal, answers, ledger)
    if not steps:
        return None
    folded = more("Next steps: read before you run anything", *_steps(steps))
    return el("section", "card steps", folded)


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
        el("ul", f"notes notes-{side}", *(_line(line) for line in lines[:MOST_SHOWN]))
        if lines
        else el("p", "mute", "Nothing in the logs that we looked at."),
        more(
            f"{len(lines) - MOST_SHOWN} more",
            el("ul", f"notes notes-{side}", *(_line(line) for line in lines[MOST_SHOWN:])),
        )
        if len(lines) > MOST_SHOWN
        else None,
    )


def _line(line: Weight) -> Node:
    return el("li", "", f"{line.sentence} ", cited(line.event_ids))
