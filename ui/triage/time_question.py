"""What the alert's times leave open, asked above everything that rests on them."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.alert import Alert
from alerts.correct import CorrectionRefused, correct
from enrich.time_basis import FALLBACK, unread_words
from ui.kit import links, phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import link, notice

ELSEWHERE = "Any other time can be given under “What was read, and correct it”."


def time_question(alert: Alert, asked: Mapping[str, str]) -> Node | None:
    """The question with an answer to click for each reading, or the word that nothing is known.

    `asked` is the page's address, which an answer is added to. None where the times are sure.
    """
    if alert.unread_times:
        question = alert.time_question
        return notice(
            "When was it? The time that the alert states cannot be read.",
            unread_words(alert),
            *((question.text,) if question is not None else ()),
            ELSEWHERE,
            tone="warn",
        )
    if alert.time_question is not None:
        question = alert.time_question
        return el(
            "div",
            "notice asks is-warn",
            el("div", "notice-title", "When was it? The alert does not say for sure."),
            el(
                "p",
                "",
                f"{question.text} Every answer below rests on that. With each choice stands what "
                "the time is in UTC.",
            ),
            _answers(alert, asked, "zone", "time_zone", question.zones),
            _answers(alert, asked, "order", "date_order", question.orders),
            el("p", "mute small", ELSEWHERE),
            role="status",
        )
    if alert.time_is_fallback:
        return notice("When was it? The alert does not say.", FALLBACK, ELSEWHERE, tone="warn")
    return None


def _answers(
    alert: Alert, asked: Mapping[str, str], parameter: str, field: str, choices: tuple[str, ...]
) -> Node | None:
    """Each reading as a link, with the time that it would be in UTC; none if nothing is open."""
    rows = []
    for number, choice in enumerate(choices):
        try:
            read = correct(alert, **{field: choice})
        except CorrectionRefused:
            continue
        when = f" {phrases.clock(read.first_seen)}"
        rows.append(
            el(
                "li",
                "",
                link(choice, links.address("triage", {**asked, parameter: choice})),
                el("span", "mute small", f"{when}, assumed now" if not number else when),
            )
        )
    return el("ul", "choices", *rows) if rows else None
