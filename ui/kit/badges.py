"""Five badges: one per question, a status word and one sentence, leading to the card below."""

from __future__ import annotations

import re
from collections.abc import Iterable

from enrich.answer import Answer, Status
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, mark

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
        el("span", "badge-sentence", in_a_badge(answer.sentence, answer.question)),
        href="#" + card_id(answer),
        title=answer.sentence,
    )


LONGEST = 225
"""Characters that a badge has room for above the fold; the card has the whole sentence."""
_WINDOWS = re.compile(r" in the \d+ days (?:to|before) the alert(?='s)?")
_ASIDES = re.compile(r" \([^()]*\)")


def in_a_badge(sentence: str, question: str) -> str:
    """The sentence without what its question says already, cut between words of a list."""
    said = sentence
    for window in _WINDOWS.findall(sentence):
        if window.removeprefix(" in").removeprefix(" the").split(" days")[0] in question:
            said = said.replace(window, "", 1)
    if len(said) > LONGEST:
        said = _ASIDES.sub("", said)
    if len(said) <= LONGEST:
        return said
    room = said[: LONGEST - 2]
    end = max(room.rfind(mark) for mark in (". ", "; ", ", ", " and "))
    return room[: end if end > LONGEST // 2 else room.rfind(" ")].rstrip(" .,;") + " …"
