"""What an answer must say when the alert's time is not sure: a fall-back, or an open question.

A window around a wrong time is empty, and an empty window clears an attacker: "nothing found" is
said only of a time that the alert states beyond doubt (§3.4 rule 7).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from alerts.alert import Alert
from enrich.answer import Answer
from enrich.words import clock, listed, short

FALLBACK = (
    "The alert does not say when the activity was: its windows are measured from a time that "
    "stands in for it, such as when it was sent (the alert's notes say which)."
)


def time_caveats(alert: Alert) -> tuple[str, ...]:
    """The sentences that belong beside each answer; none for a time that is sure."""
    if alert.sample:
        return ()
    unread = (unread_words(alert),) if alert.unread_times else ()
    if alert.first_seen is None:
        return unread
    asked = (alert.time_question.text,) if alert.time_question is not None else ()
    fallback = (FALLBACK,) if alert.time_is_fallback and not unread else ()
    return (*unread, *fallback, *asked)


def unread_words(alert: Alert) -> str:
    """What an alert states as its time and is none, and what the answers rest on instead."""
    stated = listed(f"“{short(text)}”" for text in alert.unread_times)
    said = f"The alert states the time {stated}, which cannot be read"
    if alert.first_seen is None:
        return f"{said}: no window is looked at before the time is given."
    first, last = clock(alert.first_seen), clock(alert.last_seen)
    when = first if first == last else f"{first} to {last}"
    return f"{said}: the answers rest on another time, {when} (the alert's notes say which)."


def on_its_basis(answer: Answer, alert: Alert) -> Answer:
    """The answer with what it rests on; `nothing` becomes `partial` where the time is not sure."""
    caveats = time_caveats(alert)
    if not caveats or answer.status in ("failed", "not_applicable"):
        return answer
    sentence = answer.sentence
    if alert.time_question is not None:
        sentence = f"{sentence} This rests on an assumed time ({alert.time_question.assumed})."
    return replace(
        answer,
        status="partial" if answer.status == "nothing" else answer.status,
        sentence=sentence,
        caveats=tuple(dict.fromkeys((*caveats, *answer.caveats))),
    )


def shared_caveats(answers: Sequence[Answer]) -> tuple[str, ...]:
    """The caveats that several answers have, which a text says once, above them."""
    met = Counter(caveat for answer in answers for caveat in set(answer.caveats))
    every = dict.fromkeys(caveat for answer in answers for caveat in answer.caveats)
    return tuple(caveat for caveat in every if met[caveat] > 1)
