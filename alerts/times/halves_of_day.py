"""Which half of the day a clock of twelve hours shows, as the world writes it beside the clock.

"下午 3:06", "3:06 μ.μ.", "오후 3:06", "3:06 de la tarde", "3:06 ÖS", "3:06 at night". A word that
means either half with that hour, or is another word as well, leaves the time unread: three in the
afternoon that is silently taken for three in the night clears an attacker.
"""

from __future__ import annotations

import re
from pathlib import Path

_LINES = Path(__file__).with_name("halves_of_day.txt").read_text("utf-8").splitlines()
_WORDS = [
    (kind, place, word.strip())
    for kind, place, words in (line.split(";", 2) for line in _LINES if line[:1] not in ("", "#"))
    for word in words.split(",")
]
_SAYS = {re.sub(r"\s", "", word).casefold(): kind for kind, _, word in _WORDS}

_AM_PM = r"[ap]\.?\s?m\b\.?"


def _pattern(*places: str) -> str:
    words = sorted({word for _, place, word in _WORDS if place in places}, key=lambda w: -len(w))
    return "|".join(map(_written, words))


def _written(word: str) -> str:
    """A pattern of the word. Of two capitals it is no word in small letters: "TO", not "to"."""
    found = r"\s?".join(map(re.escape, word.split()))
    return (f"(?-i:{found})" if word.isascii() and word.isupper() else found) + _end(word)


def _end(word: str) -> str:
    """A word of letters that are written side by side ends with them; "午後" needs no blank."""
    return r"(?!\w)" if word[-1].isalpha() and not _stands_alone(word) else ""


def _stands_alone(word: str) -> bool:
    return any("\u3040" <= sign <= "\ud7af" for sign in word)


BEFORE = rf"(?:{_pattern('both', 'before')})"
"""What stands before a clock; a pattern for use with `re.I`."""
AFTER = rf"(?:{_AM_PM}|{_pattern('both', 'after')})"
"""What stands behind one, "pm" included."""
ENDS_WITH = re.compile(rf"(?<![^\W\d_])({BEFORE})\s?$|({_pattern('both')})\s?$", re.I)


def before(text: str, place: int) -> str | None:
    """The half of the day that stands right before a place of the text."""
    found = ENDS_WITH.search(text[max(0, place - 12) : place])
    return (found[1] or found[2]) if found is not None else None


def hour_of_day(hour: int, half: str) -> int | None:
    """The hour of 24 that a clock of twelve hours shows; None where the words leave it open, or
    contradict the hour."""
    said = _SAYS.get(re.sub(r"\s", "", half).casefold())
    if said is None:
        said = "am" if half[:1].lower() == "a" else "pm"
    if hour > 12:
        return None if said in ("am", "morning", "early", "unsure", "noon") else hour
    match said:
        case "am":
            return hour % 12
        case "pm":
            return hour % 12 + 12
        case "morning":
            return hour if 1 <= hour < 12 else None
        case "afternoon":
            return hour % 12 + 12 if hour == 12 or hour < 8 else None
        case "evening":
            return hour + 12 if 4 <= hour < 12 else None
        case "night":
            # Eleven at night is of the day's end, three at night of its beginning.
            return hour + 12 if 6 <= hour < 12 else (hour if hour < 6 else None)
        case "early":
            return hour if hour < 9 else None
        case "noon":
            return hour if hour in (11, 12) else (hour + 12 if hour in (1, 2) else None)
        case _:
            return None
