"""What an answer must say when the alert's time is not sure: a fall-back, or an open question.

A window around a wrong time is empty, and an empty window clears an attacker: "nothing found" is
said only of a time that the alert states beyond doubt (§3.4 rule 7).
"""

from __future__ import annotations

from dataclasses import replace

from alerts.alert import Alert
from enrich.answer import Answer

FALLBACK = (
    "The alert does not say when the activity was: its windows are measured from a time that "
    "stands in for it, such as when it was sent (the alert's notes say which)."
)


def time_caveats(alert: Alert) -> tuple[str, ...]:
    """The sentences that belong beside each answer; none for a time that is sure."""
    if alert.first_seen is None or alert.sample:
        return ()
    asked = (alert.time_question.text,) if alert.time_question is not None else ()
    return (FALLBACK, *asked) if alert.time_is_fallback else asked


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
        caveats=(*caveats, *answer.caveats),
    )
