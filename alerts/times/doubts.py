"""Words and numbers beside a time that speak of its zone, and are not understood.

"23:00 UTC local", "23:00Z-05:00", "not UTC: 23:00", "All times in UTC … 23:00 QQT". What they mean
may be asked: the zone that stands there too is not taken in silence.
"""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

from alerts.times.time_zones import NAMED, ZONE

_HOURS = r"(?:\d{1,2}(?:[:.]\d\d?)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_NO_THING = (
    r"(?![\w.:%/-])(?!\s(?!(?:h|hrs?|hours?|from|by|on|at|in|and|or|was|with|to|for)\b)[a-z\d])"
)
_OPENS = r"[ \t]{0,2}(?:[,;/|][ \t]?)?[(\[]?[ \t]?"
_OFFSET = (
    # "Z-05:00", "UTC +0530": whatever follows.
    r"(?:(?:[\-\u2212](?:0\d|1[0-2])|\+(?:0\d|1[0-4])):?(?:00|15|30|45)(?![\d:])"
    # "-5", "+ 5 h", "plus 2", "minus five hours", "offset -5".
    rf"|(?:[+\-\u2212]\s(?!\d\d?:)|(?<=\w)\s?[+\-\u2212](?!\d\d?:)|\+|(?:plus|minus)\s)"
    rf"{_HOURS}(?:\s?(?:h|hrs?|hours?)\b)?{_NO_THING}"
    rf"|offset\b[\s:=of]{{0,5}}[+\-\u2212]?\s?{_HOURS}\b"
    rf"|{_HOURS}\s?(?:h|hrs?|hours?)\s(?:ahead|behind|off|before|after|east|west)\b)"
)
_LOCAL = (
    r"(?:(?:in|my|our|their|your|his|her|the|is|user['’]?s?)\s){0,3}"
    # Not "local admin".
    r"(?:local(?:ly)?(?:[ -]?(?:time|tz|zone|clock)(?!\s?[:=]?\s?\d)"
    r"|(?=\s?(?:[;,.)\]\n]|$)|\s(?-i:[A-Z])))"
    r"|(?:DST|(?-i:LT)|daylight|summer[ -]?time|winter[ -]?time|(?:summer|winter)(?=\s?[)\]])"
    r"|standard[ -]time|sommerzeit|winterzeit|ortszeit|heure\s(?:locale|d['’]été|d['’]hiver|de\s)"
    r"|hora\s(?:local|de\s)|ora\s(?:locale|legale|di\s))(?![\w-]))"
)
_UNKNOWN_PLACE = (
    r"(?-i:(?!(?:First|Last|Event|Start|End|Creation|Update|Response|Real|Run|Detection|Total|Alert)\b)"
    r"(?:[A-Z][\w.]{1,20}\s){1,4}(?:(?:[Ss]tandard|[Dd]aylight|[Ss]ummer|[Ll]ocal)\s)?[Tt]ime\b)"
)
_BEHIND = re.compile(
    rf"{_OPENS}(?:(?P<said>{_OFFSET}|\?(?=[)\]]))"
    rf"|(?P<place>{_LOCAL}|{_UNKNOWN_PLACE})|(?P<denies>(?:not|nicht|pas|no|non)\s(?:in\s)?(?P<no>{NAMED})))",
    re.I,
)
_ABBREVIATION = re.compile(r"[ \t]{1,2}(?:in[ \t])?[(\[]?(?P<said>[A-Z]{2,4}T)\b(?![-/:.]\w)")
"""What stands for a zone as their abbreviations do; with a zone before it, only so."""
_CAPITALS = re.compile(
    r"[ \t]{1,2}(?:in[ \t])?[(\[]?(?P<said>[A-Z]{2,5}|[A-Z]\b(?!\.))\b(?![-/:.@]\w)"
)
_NO_ZONES = frozenset(
    # What else is written in capitals behind a time.
    ("GET", "PUT", "POST", "NOT", "BUT", "ROOT", "HOST", "ALERT", "EVENT", "EXIT", "INIT", "LIST")
    + (
        "REST",
        "TEXT",
        "UNIT",
        "CERT",
        "SHUT",
        "PORT",
        "BOT",
        "IOT",
        "JWT",
        "VPT",
        "IT",
        "AT",
        "OUT",
    )
    + ("AM", "PM", "AWS", "IAM", "STS", "KMS", "VPC", "EC", "IP", "ID", "ARN", "API", "CLI", "SSO")
    + (
        "MFA",
        "SDK",
        "SOC",
        "SIEM",
        "TOR",
        "VPN",
        "URL",
        "TTP",
        "CVE",
        "EDR",
        "UI",
        "OS",
        "DNS",
        "USER",
    )
    + ("HIGH", "LOW", "INFO", "WARN", "ERROR", "DEBUG", "FATAL", "OK", "ID", "NEW", "OLD", "A", "I")
    + ("BY", "ON", "IN", "OF", "TO", "FROM", "FOR", "AND", "OR", "THE", "WITH", "VIA", "WAS", "DID")
    + (
        "IS",
        "AS",
        "HAS",
        "USED",
        "ALL",
        "US",
        "EU",
        "UK",
        "HEAD",
        "PATCH",
        "NOTE",
        "SRC",
        "DST",
        "ASIA",
    )
)
_IN_BRACKETS = re.compile(r"[ \t]?[(\[](?P<said>[^()\[\]\n]{1,60})[)\]]")
_A_ZONE = re.compile(
    rf"(?<!\w)(?:(?:UTC|GMT)\s?[+\-\u2212]\s?\d|[+\-\u2212]\d\d:\d\d(?!\d)|(?!(?-i:UTC|GMT|UT|Z)(?!\w)){ZONE}"
    r"|local(?:\stime)?(?=\s?(?:[;,]|$)))",
    re.I,
)
_A_CLOCK = re.compile(r"\d\d?[:h]\d\d")
_NEGATED = re.compile(
    rf"\b(?:not|isn['’]t|aren['’]t|no|non|nicht|kein|pas|never|(?<!ed )(?:to|into))\s"
    rf"(?:in\s|as\s|yet\s)?(?P<zone>{NAMED})"
    r"(?:\stime)?[)\]]?\s?[:=]\s?$",
    re.I,
)
_CITY = re.compile(
    r"[ \t]{1,2}(?:in[ \t])?[(\[]?(?P<said>[A-Z][a-z]{2,}(?:[ _][A-Z][a-z]{2,}){0,2})\b"
    r"(?!\s?[:=@/]|['’])"
)


def doubt(
    text: str, start: int, end: int, zone: str | None, *, is_utc: bool, goes_on: bool
) -> tuple[str, int] | None:
    """What is said of a time's zone beside the `zone` that stands there, and where that ends; None
    if all of it is understood.

    `is_utc`: the zone, or what is said of every time, is UTC. Behind another a place's name says
    the same again: "(UTC+02:00) Amsterdam". `goes_on`: the end of its stretch follows.
    """
    if (negated := _NEGATED.search(text[max(0, start - 40) : start])) is not None:
        return " ".join(negated[0].split()).rstrip(" :=)]"), end
    may_be_a_place = zone is None or is_utc
    if not goes_on and (behind := _BEHIND.match(text, end)) is not None:
        denied = behind["no"]
        if denied is not None and (zone is None or denied.upper() == zone.upper()):
            return _told(text, behind, "denies")
        if behind["said"] is not None:
            return _told(text, behind, "said")
        if behind["place"] is not None and may_be_a_place:
            return _told(text, behind, "place")
    if (brackets := _IN_BRACKETS.match(text, end)) is not None and may_be_a_place:
        said = brackets["said"]
        if _A_ZONE.search(said) and not _A_CLOCK.search(_SIGNED.sub("", said)):
            return _told(text, brackets, "said")
    found = (_ABBREVIATION if zone is not None else _CAPITALS).match(text, end)
    if found is not None and found["said"] not in _NO_ZONES and not _is_shouted(text, found):
        return _told(text, found, "said")
    city = _CITY.match(text, end) if may_be_a_place else None
    if city is not None and (zone is None or not _WHERE.match(city[0])):
        words = re.split(r"[ _]", city["said"])
        if any("_".join(words[:n]) in _cities() for n in range(1, len(words) + 1)):
            return _told(text, city, "said")
    return None


_WHERE = re.compile(r"\s+(?:in\b|[(\[])")
"""Behind a zone "in Berlin" and "(Berlin)" say where somebody was."""
_SIGNED = re.compile(r"[+\-\u2212]\d\d:?\d\d")


def _told(text: str, match: re.Match[str], name: str) -> tuple[str, int]:
    end = match.end(name)
    opened = re.search(r"[(\[]", text[match.start() : end])
    if opened is not None and (closed := _CLOSES.match(text, end)) is not None:
        end = closed.end()
    return " ".join(match[name].split()), end


_CLOSES = re.compile(r"[^()\[\]\n]{0,60}[)\]]")


def _is_shouted(text: str, match: re.Match[str]) -> bool:
    """Whether what follows is in capitals too: a text, and no name of a zone."""
    return re.match(r"\s[A-Z]{2,}", text[match.end() : match.end() + 4]) is not None


@cache
def _cities() -> frozenset[str]:
    """The last parts of the names of zones, but for those that are other words too."""
    regions = ("Africa", "America", "Asia", "Atlantic", "Europe", "Indian", "Pacific")
    parts = (name.split("/") for name in available_timezones())
    return frozenset(names[-1] for names in parts if names[0] in regions) - {"Center", "Easter"}
