"""How cases and alerts are put in words and marks, the same on every page about them."""

from __future__ import annotations

from ui.kit.markup import Node
from ui.kit.pieces import Tone, mark

SEVERITIES: dict[str, Tone] = {
    "critical": "bad",
    "high": "bad",
    "medium": "warn",
    "low": "mute",
    "unknown": "mute",
}
STATES: dict[str, tuple[str, Tone]] = {
    "open": ("Open", "warn"),
    "investigating": ("Investigating", "good"),
    "closed": ("Closed", "mute"),
}
VERDICTS: dict[str, tuple[str, Tone, str]] = {
    "true_positive": ("True positive", "bad", "▲"),
    "benign": ("Benign", "good", "●"),
    "false_positive": ("False positive", "good", "○"),
    "undetermined": ("Undetermined", "warn", "◐"),
}
REVIEWS: dict[str, tuple[str, Tone, str]] = {
    "requested": ("Review asked for", "warn", "◐"),
    "returned": ("Returned", "bad", "↩"),
    "approved": ("Approved and sealed", "good", "✓"),
}


def severity_mark(score: float | None) -> Node:
    """GuardDuty's words for its scale, with the number; "Not rated" where there is none."""
    if score is None:
        return mark("Not rated", "mute")
    for floor, word, tone in ((9, "Critical", "bad"), (7, "High", "bad"), (4, "Medium", "warn")):
        if score >= floor:
            return mark(f"{word} {score:g}", "bad" if tone == "bad" else "warn")
    return mark(f"Low {score:g}", "mute")


def case_severity(severity: str) -> Node:
    word = "Not rated" if severity == "unknown" else severity.capitalize()
    return mark(word, SEVERITIES.get(severity, "mute"))


def state_mark(state: str) -> Node:
    word, tone = STATES.get(state, (state, "mute"))
    return mark(word, tone)


def verdict_mark(verdict: str | None) -> Node:
    if verdict is None:
        return mark("Undecided", "mute")
    word, tone, shape = VERDICTS.get(verdict, (verdict, "mute", "○"))
    return mark(word, tone, shape)


def review_mark(review: str) -> Node | None:
    if review not in REVIEWS:
        return None
    word, tone, shape = REVIEWS[review]
    return mark(word, tone, shape)


def lasting(seconds: float | None) -> str:
    """ "45 s", "12 min", "3.5 h", "4 d"; "–" for what was not measured."""
    if seconds is None:
        return "–"
    size = abs(seconds)
    if size < 90:
        return f"{seconds:.0f} s"
    if size < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if size < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} d"
