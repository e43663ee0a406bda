"""JSON that mails, pages and word processors damaged, each kind after each other, is read whole."""

from __future__ import annotations

import html
import json
import quopri
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from alerts import parse_alerts
from tests.test_alert_guardduty import EVENTBRIDGE


def quoted(text: str) -> str:
    return "".join(f"> {line}\n" for line in text.splitlines())


def wrapped(text: str) -> str:
    lines = [line[at : at + 76] for line in text.splitlines() for at in range(0, len(line), 76)]
    return "\n".join(lines)


def wrapped_at_blanks(text: str) -> str:
    def fill(line: str) -> str:
        return textwrap.fill(line, 72, break_long_words=False, break_on_hyphens=False)

    return "\n".join(fill(line) if len(line) > 72 else line for line in text.splitlines())


def in_a_mail(text: str) -> str:
    return f"From: x@example.com\nSubject: alert\n\nHi,\n\n{text}\n\nThanks,\nKim\n"


DAMAGE: dict[str, Callable[[str], str]] = {
    "quoted": quoted,
    "wrapped": wrapped,
    "wrapped at blanks": wrapped_at_blanks,
    "quoted-printable": lambda text: quopri.encodestring(text.encode()).decode(),
    "HTML": lambda text: f"<pre>{html.escape(text)}</pre>",
    "non-breaking blanks": lambda text: text.replace("  ", "\u00a0\u00a0"),
    "curly quotes": lambda text: text.replace('"', "\u201d"),
    "a comma too many": lambda text: text.rstrip()[:-1].rstrip() + ",\n}",
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "in a mail": in_a_mail,
}


@pytest.mark.parametrize("first", DAMAGE)
def test_a_finding_damaged_twice_is_read_whole(first: str) -> None:
    once = DAMAGE[first](json.dumps(EVENTBRIDGE, indent=2))
    pastes = {then: damage(once) for then, damage in DAMAGE.items() if then != first}
    if first.startswith("wrapped"):  # at two widths: where a line was cut is not certain
        pastes = {then: text for then, text in pastes.items() if not then.startswith("wrapped")}
    for then, text in {"": once, **pastes}.items():
        (alert,) = parse_alerts(text)
        assert (alert.source, alert.event_name) == ("guardduty", "GetObject"), then
        (person,) = alert.principals
        assert person.principal_id == "AROAREADERXXXXXXXXXXX:i-0123456789abcdef0", then
        assert person.access_key_id == "ASIAROLESESSION00001", then
        assert alert.first_seen == datetime(2026, 3, 10, 12, tzinfo=UTC), then
