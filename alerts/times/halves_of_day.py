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
BEHIND_AN_HOUR = "|".join(
    _written(word)
    for kind, place, word in _WORDS
    if place == "after" and kind not in ("am", "pm", "unsure")
)
"""What stands behind an hour alone: "11 de la noche", "3 in the morning", "11 Uhr abends"."""
_AM_PM_BEFORE = r"(?-i:AM|PM|pm|[ap]\.\s?m\.|[AP]\.\s?M\.)"
"""As it stands before a clock: in German "am" stands before a day."""
ENDS_WITH = re.compile(
    rf"(?<![^\W\d_])({BEFORE}|{_AM_PM_BEFORE})\s?$|({_pattern('both')})\s?$", re.I
)
_BEHIND = re.compile(
    rf"[\])]?[\s,(\[]{{0,2}}(?P<half>(?:{_AM_PM}|{_pattern('both', 'after')}))", re.I
)
_IN_GERMAN = re.compile(r"am\s+\w")
_TO_THE_DAY = (
    r"(?:[\s,;:(\[–—-]|\b(?:of|on|the|de|del|der|des|dem|den|vom|von|do|du|le|dell|dia|día"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch)\b)"
)
_BESIDE_THE_DAY = re.compile(
    rf"\b(?P<half>{_pattern('apart')})\b(?P<between>{_TO_THE_DAY}*)$", re.I
)
_LOOKED_BACK = 60
_OF_ANOTHER_SCRIPT = re.compile(r"[\s,]{0,2}[^\W\d_]{0,12}[^\W\d_\x00-\u024f]")


def before(text: str, place: int) -> str | None:
    """The half of the day that stands right before a place of the text."""
    found = ENDS_WITH.search(text[max(0, place - 12) : place])
    return (found[1] or found[2]) if found is not None else None


def hour_said_apart(text: str, hour: str, place: tuple[int, int], *, iso: bool) -> int | None:
    """The hour of 24 of a clock of 1 to 12 beside which no half of the day stands, by one that
    stands behind its zone or before its day; None where what is said there does not settle it.

    `place` is where the time stands, with its day and zone. What ISO 8601 writes with a T is of 24
    hours whatever is told of the afternoon.
    """
    start, end = place
    shown = int(hour)
    if not 1 <= shown <= 12:
        return shown
    behind = _BEHIND.match(text, end)
    if behind is not None and not _IN_GERMAN.match(text, behind.start("half")):
        half = behind["half"]
        if _SAYS.get(re.sub(r"\s", "", half).casefold()) != "unsure":
            said = hour_of_day(shown, half)
            return None if iso and said != shown else said
    line = text[max(0, start - _LOOKED_BACK, text.rfind("\n", 0, start) + 1) : start]
    beside = _BESIDE_THE_DAY.search(line)
    if beside is None or iso:
        return shown
    half = beside["half"]
    said = hour_of_day(shown, half)
    if said == shown or (said is None and _SAYS[half.casefold()] == "afternoon"):
        # Neither eight nor twenty is in the afternoon: that is told in another zone.
        return shown
    # In brackets it may be of another zone, and "03:06" of a clock of 24 hours.
    unsure = hour.startswith("0") or "(" in beside["between"] or "[" in beside["between"]
    return None if unsure else said


def another_word_follows(text: str, end: int) -> bool:
    """Whether a word of another script follows, which is not known: it may say the half."""
    return _OF_ANOTHER_SCRIPT.match(text, end) is not None


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
