"""Five badges: one per question, a status word and one sentence, leading to the card below."""

from __future__ import annotations

from collections.abc import Iterable

from enrich.answer import Answer, Status
from ui.markup import Node, el
from ui.pieces import Tone, mark

STATUS_WORDS: dict[Status, tuple[str, Tone, str]] = {
    "answered": ("Answered", "good", "●"),
    "partial": ("Partly covered", "warn", "◐"),
    "nothing": ("Nothing found", "mute", "○"),
    "not_covered": ("No logs for it", "warn", "◌"),
    "not_applicable": ("Does not apply", "mute", "–"),
    "failed": ("Could not look", "bad", "✕"),
}
"""Looked and found nothing, had no logs, and could not look are three different words."""


def badges(answers: Iterable[Answer]) -> Node:
    return el("div", "badges", *(_badge(answer) for answer in answers))


def status_mark(status: Status) -> Node:
    word, tone, shape = STATUS_WORDS[status]
    return mark(word, tone, shape)


def card_id(answer: Answer) -> str:
    return "answer-" + answer.name.replace("_", "-")


def _badge(answer: Answer) -> Node:
    _, tone, _ = STATUS_WORDS[answer.status]
    return el(
        "a",
        f"badge is-{tone}",
        el("span", "badge-question", answer.question),
        el("span", "", status_mark(answer.status)),
        el("span", "badge-sentence", answer.sentence),
        href="#" + card_id(answer),
        title=answer.sentence,
    )
