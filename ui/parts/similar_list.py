"""Cases like this one: in what they are like it, and how they were closed."""

from __future__ import annotations

from collections.abc import Sequence

from cases.similar import SimilarCase
from ui.kit import links, phrases
from ui.kit.case_words import state_mark, verdict_mark
from ui.kit.markup import Node, el
from ui.kit.pieces import link


def similar_list(found: Sequence[SimilarCase], but: int | None = None) -> Node | None:
    """Nothing when there are none. `but` is the case that the page is about."""
    shown = [one for one in found if one.case_id != but]
    if not shown:
        return None
    return el(
        "div",
        "stack",
        el("h3", "panel-title", "Similar cases"),
        el("ul", "similar", *(_one(one) for one in shown)),
    )


def _one(one: SimilarCase) -> Node:
    ended = (
        [verdict_mark(one.verdict), el("span", "small", one.reason) if one.reason else None]
        if one.state == "closed"
        else [state_mark(one.state), el("span", "small mute", f"owned by {one.owner or 'nobody'}")]
    )
    return el(
        "li",
        "",
        el(
            "div",
            "",
            link(f"Case {one.case_id}", links.address("case", {"id": str(one.case_id)})),
            f" {one.title}",
        ),
        el("div", "row", *ended),
        el(
            "div",
            "small mute",
            f"{', '.join(one.reasons)}; opened {phrases.when(one.opened_at)}",
        ),
    )
