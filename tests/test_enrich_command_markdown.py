"""The ticket text: whatever an attacker wrote into a log stays words in it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from an_event import an_event
from hypothesis import example, given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore

from alerts import parse_alerts
from enrich import ask_for_every_principal
from enrich.forms.markdown import as_markdown, code, table, text
from trail.store import IndexSummary

HOSTILE = [
    "[click](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "`` ` ``` code",
    "a | b | c",
    "https://evil.example",
    "www.evil.example",
    "me@evil.example",
    "line\n# heading\n\n- item",
    "\\",
    "\\`",
    "`",
    "**bold** _it_ ~~gone~~ $x$ &lt; #1 @team",
    "[ref]: https://evil.example",
    "a\u2028b\u202ec",
]
anything = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))


def without_code_spans(line: str) -> str:
    """The line with its code spans cut out, by CommonMark's rule on equal runs of backticks."""
    out, place = [], 0
    while place < len(line):
        if line[place] == "\\" and place + 1 < len(line):
            out.append(line[place : place + 2])
            place += 2
            continue
        if line[place] != "`":
            out.append(line[place])
            place += 1
            continue
        run = re.match(r"`+", line[place:])
        assert run is not None
        ticks = run[0]
        close = re.search(rf"(?<!`){ticks}(?!`)", line[place + len(ticks) :])
        assert close is not None, f"a code span never ends: {line!r}"
        place += len(ticks) + close.end()
    return "".join(out)


def live_markup(line: str) -> str:
    """What is left to act as markup: no code spans, no escaped marks."""
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", without_code_spans(line))
    return "".join(re.findall(r"[\[\]<>`*_~&$@#|\\]|://|www\.\w", bare))


@given(anything)
@example("a|b")
@example("ends with \\")
def test_escaped_text_has_no_live_markup(value: str) -> None:
    assert live_markup(text(value)) == ""
    assert "\n" not in text(value)


@given(anything)
def test_a_code_span_holds_the_whole_value(value: str) -> None:
    span = code(value)
    assert without_code_spans(span) == ""
    assert len(span.splitlines()) <= 1


@given(st.lists(st.lists(anything, min_size=3, max_size=3), max_size=4))
def test_a_table_keeps_its_columns(rows: list[list[str]]) -> None:
    lines = table(("a", "b", "c"), [[code(a), text(b), code(c)] for a, b, c in rows])
    assert len(lines) == 2 + len(rows)
    for line in lines:
        # A table is split at every "|" that no backslash precedes, code span or not.
        assert len(re.findall(r"(?<!\\)\|", line.replace("\\\\", ""))) == 4


@settings(max_examples=15, deadline=None)
@given(st.lists(anything, min_size=5, max_size=5))
def test_a_hostile_alert_makes_a_harmless_ticket(words: list[str]) -> None:
    agent, ip, name, error, session = words
    record: dict[str, Any] = an_event(
        userAgent=agent,
        sourceIPAddress=ip,
        eventName=name or "X",
        errorCode=error,
        userIdentity={
            "type": "IAMUser",
            "principalId": session or "x",
            "arn": f"arn:aws:iam::1:user/{session}",
            "accountId": "111122223333",
        },
    )
    alert = parse_alerts(json.dumps(record))[0]
    store = MemoryStore([record])
    summary = IndexSummary(datetime(2026, 3, 1, tzinfo=UTC), None, 1, ("111122223333",), ())
    ticket = as_markdown(alert, ask_for_every_principal(alert, store), summary)
    for line in ticket.splitlines():
        markup = live_markup(line)
        if line.startswith("|"):
            markup = markup.replace("|", "")
        if line.startswith("#"):
            markup = markup.lstrip("#")
        if line.startswith("**") or re.match(r"\d+\. \*\*", line):
            markup = markup.removeprefix("****")
        if "ATT&CK" in line:
            markup = markup.replace("&", "")
        assert markup == "", line
