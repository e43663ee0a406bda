"""Five badges: one per question, what it found in a word or two and one sentence, leading to the
card below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from enrich.answer import Answer, Status
from enrich.verdict.chips import Chip, Way
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


WAYS: Mapping[Way, tuple[Tone, str]] = {
    "for": ("bad", "▲"),
    "against": ("good", "✓"),
    "neither": ("mute", "●"),
}
"""Where the weighing points → tone and shape: alarming, reassuring, and neither."""
_SAID_BY_THE_CHIP: frozenset[Status] = frozenset({"answered", "nothing", "not_applicable"})


def badges(answers: Iterable[Answer], chips: Mapping[str, Chip]) -> Node:
    return el("div", "badges", *(_badge(answer, chips[answer.name]) for answer in answers))


def found_marks(answer: Answer, chip: Chip) -> list[Node]:
    """What the answer found; and its status, where that is news by itself."""
    tone, shape = WAYS[chip.way]
    found = mark(chip.words, tone, shape)
    if answer.status in _SAID_BY_THE_CHIP:
        return [found]
    word, tone, shape = STATUS_WORDS[answer.status]
    status = mark(word, tone, shape)
    return [found, status] if answer.status == "partial" else [status]


def card_id(answer: Answer) -> str:
    return "answer-" + answer.name.replace("_", "-")


def query_id(answer: Answer) -> str:
    """The id of the fold with the answer's queries."""
    return "query-of-" + answer.name.replace("_", "-")


def _badge(answer: Answer, chip: Chip) -> Node:
    tone = _tone(answer, chip)
    return el(
        "a",
        f"badge is-{tone}",
        el("span", "badge-question", answer.question),
        el("span", "row", *found_marks(answer, chip)),
        el("span", "badge-sentence", in_a_badge(answer.sentence, answer.question)),
        href="#" + card_id(answer),
        title=answer.sentence,
    )


def _tone(answer: Answer, chip: Chip) -> Tone:
    """An alarm is one although logs are missing; nothing else is clear where they are."""
    if chip.way == "for" or answer.status in _SAID_BY_THE_CHIP:
        return WAYS[chip.way][0]
    return STATUS_WORDS[answer.status][1]


_DATED = re.compile(r"\b([A-Z][A-Za-z]+)20\d{6}(?:v\d+)?\b")


def plain_names(sentence: str) -> str:
    """The sentence with calls' names without their version dates ("…20150331v2")."""
    return _DATED.sub(r"\1", sentence)


LONGEST = 225
"""Characters that a badge has room for above the fold; the card has the whole sentence."""
_WINDOWS = re.compile(r" in the \d+ days (?:to|before) the alert(?='s)?")
_ASIDES = re.compile(r" \([^()]*\)")


def in_a_badge(sentence: str, question: str) -> str:
    """The sentence without what its question says already, cut between words of a list."""
    said = plain_names(sentence)
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
