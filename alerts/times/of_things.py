"""Times in a text that are of something it names, and not of the activity that it tells of.

"Access key AKIA… (created 2 January 2025)" says how old the key is: a window that begins there
counts a year of somebody's calls, and an alert of that day is about nothing. "Finding created at …"
says when it was written.
"""

from __future__ import annotations

import re
from typing import Literal

_CREDENTIAL = (
    r"(?:access[\s_-]?keys?(?:\s?ids?)?|keys?(?:\s?ids?)?|credentials?|secrets?|passwords?|mfa(?:\sdevice)?"
    r"|login\sprofile|tokens?|certificates?|(?:AKIA|ASIA)[A-Z0-9*]{4,})"
)
_OTHER = r"(?:users?|roles?|sessions?|identit(?:y|ies)|accounts?|instances?|buckets?)"
_MADE = (
    r"(?:creat(?:ed|ion)|made|dat(?:es|ed|ing)(?=\s(?:back|from))|issued|issue|rotat(?:ed|ion)|generated|provisioned|enabled|activated|registered"
    r"|(?:active|valid|enabled|exists?|in\suse)(?=\ssince)|last\s(?:rotated|changed)"
    # "Key age 433 days (2 January 2025)"
    r"|age[ds]?(?:\s?[:=]?\s?\d{1,5}\s?(?:d|days?|months?|years?))?)"
)
_TO_THE_TIME = r"(?:[\s:=,(\[“\"'|-]|\b(?:date|time|on|at|since|from|was|is|back|in|the|utc)\b)*$"
_WAS_MADE = rf"(?![\w/])[^.;!?\n]{{0,60}}?(?<![a-z]){_MADE}\b{_TO_THE_TIME}"
_OF_A_CREDENTIAL = re.compile(
    rf"(?P<new>\b(?:new|another|second|additional|further)\s(?:iam\s)?)?\b{_CREDENTIAL}{_WAS_MADE}",
    re.I,
)
_KEY_FROM = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9*]{4,}\s?[(\[]\s?(?:dated\s)?(?:from|of|since)\s$", re.I
)
"""Right behind a key in brackets: "AKIA… (from 2 January 2025)"."""
_OF_ANOTHER = re.compile(rf"(?<!:)\b{_OTHER}{_WAS_MADE}", re.I)
_IN_A_FIELD = re.compile(
    r"(?:\bcreate_?date|user_?creation_?time|(?:access_?)?key_?\d?_?(?:last_?)?(?:rotated|created|age)(?:_?(?:at|on|date))?"
    r"|password_?(?:last_?changed|enabled_?since))[\s\"'\\:=,;|]{1,6}$",
    re.I,
)
_BY_WHOM = re.compile(r"[\s)\]\"”',]{0,3}by\s", re.I)
_WRITTEN = re.compile(
    r"\b(?:finding|alert|alarm|incident|ticket|case|issue|report|message|notification|mail)\s?(?:was|were|is)?"
    r"\s?(?:first\s)?(?:creat|updat|open|rais|generat|sen[td]|receiv|publish|report|clos|fil)\w{0,4}"
    rf"(?:\s(?:date|time))?{_TO_THE_TIME}",
    re.I,
)
_EARLIER = re.compile(
    r"\b(?:last|latest|previous|prior|earlier|preceding)\s(?:known\s|successful\s|console\s|legitimate\s){0,2}"
    r"(?:log-?ins?|log-?ons?|sign-?ins?|logged\s(?:in|on)|signed\sin|us(?:ed?|age)|activity|access(?:ed)?"
    rf"|incident|alert|password\schange){_TO_THE_TIME}",
    re.I,
)
_LOOKED_BACK = 120

OfWhat = Literal["credential", "perhaps", "written", "earlier"]


def of_thing(text: str, start: int, end: int) -> OfWhat | None:
    """What the words before a time say that it is of: a credential's age; `perhaps` the age of
    something, and perhaps the news of it; when the alert was `written`; an `earlier` sign-in or
    use. None: of the activity.
    """
    before = text[max(0, start - _LOOKED_BACK) : start]
    if _IN_A_FIELD.search(before) or _KEY_FROM.search(before):
        return "credential"
    if (made := _OF_A_CREDENTIAL.search(before)) is not None:
        return "perhaps" if made["new"] or _BY_WHOM.match(text, end) else "credential"
    if _OF_ANOTHER.search(before):
        return "perhaps"
    if _EARLIER.search(before):
        return "earlier"
    return "written" if _WRITTEN.search(before) else None
