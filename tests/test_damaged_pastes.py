"""JSON that mails, pages and word processors damaged, each kind after each other, is read whole."""

from __future__ import annotations

import html
import json
import quopri
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from alerts import parse_alerts
from tests.an_event import an_event
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


LISTED = an_event(errorCode=None, requestParameters={"a": "it's", "b": None, "c": [True, 1]})


def listed(print_value: Callable[[Any], str]) -> str:
    """A record as a field a line, its value behind a tab."""
    return "\n".join(
        f"{name}\t{print_value(value) if isinstance(value, dict | list) else value}"
        for name, value in LISTED.items()
    )


@pytest.mark.parametrize(
    "pasted",
    [
        listed(json.dumps),
        listed(repr),
        listed(json.dumps).replace("\n", "\r\n"),
        "\n".join([repr(LISTED)] * 2),
        json.dumps(LISTED),
    ],
    ids=["fields", "fields of Python's", "fields with CR", "Python's, one a line", "JSON"],
)
def test_a_record_as_tools_print_it_is_that_record(pasted: str) -> None:
    (alert,) = parse_alerts(pasted)
    assert alert.event_id == LISTED["eventID"]
    assert alert.error_code is None
    assert alert.principals[0].arn == LISTED["userIdentity"]["arn"]
    assert alert.shape.startswith("CloudTrail record")


@pytest.mark.parametrize(
    "name", ["requestID", "RequestId", "request id", "'requestID'", "sharedEventID", '"requestId"']
)
@pytest.mark.parametrize("between", [": ", "=", "\t", " "])
def test_an_id_that_says_what_it_is_of_is_no_event_s(name: str, between: str) -> None:
    other = "0c0ffee0-1111-4222-8333-444455556666"
    text = f"{name}{between}{other} by arn:aws:iam::111122223333:user/alice"
    (alert,) = parse_alerts(text)
    assert alert.event_id is None
    (alert,) = parse_alerts(f"{text}, event {LISTED['eventID']}")
    assert (alert.event_id, alert.event_ids) == (LISTED["eventID"], (LISTED["eventID"],))


@pytest.mark.parametrize(
    ("pasted", "where"),
    [
        ("{'a' 1, arn:aws:iam::111122223333:user/alice}", "line 1, column 2: a name in double"),
        (
            '{"a": 01, "b": "arn:aws:iam::111122223333:user/alice"}',
            "column 8: a comma or a closing",
        ),
        ('{"a"\n 1, "b": "arn:aws:iam::111122223333:user/alice"}', "line 2, column 2: the colon"),
        ('{"a": nil, "b": "arn:aws:iam::111122223333:user/alice"}', "column 7: a value is missing"),
        ('{"a": "\\q", "b": "arn:aws:iam::111122223333:user/alice"}', "column 8: a backslash"),
    ],
)
def test_where_json_breaks_is_told_in_our_words(pasted: str, where: str) -> None:
    (alert,) = parse_alerts(pasted)
    (said,) = [note for note in alert.notes if "The JSON breaks at" in note]
    assert where in said
    assert "xpecting" not in said


FINDING = json.dumps(EVENTBRIDGE)


def cut(text: str, width: int, before: str = "", behind: str = "") -> str:
    """The text cut at a width, with blanks of the cutter's own at each break."""
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return f"{behind}\n{before}".join(lines) + behind


@pytest.mark.parametrize(
    ("before", "behind"),
    [("", " "), ("  ", ""), ("    ", ""), (" ", ""), ("\t", ""), ("  ", " "), ("", "")],
    ids=["flowed", "2 blanks", "4 blanks", "1 blank", "a tab", "both", "nothing"],
)
def test_blanks_that_a_cut_put_at_its_breaks_are_in_no_value(before: str, behind: str) -> None:
    (whole,) = parse_alerts(FINDING)
    for width in range(60, 100):
        (alert,) = parse_alerts(cut(FINDING, width, before, behind))
        assert alert.principals == whole.principals, width
        assert (alert.id, alert.account_id, alert.title) == (
            whole.id, whole.account_id, whole.title
        ), width  # fmt: skip
        assert alert.first_seen == whole.first_seen, width
        assert "is not known" not in alert.notes[0], width


def test_an_id_that_was_broken_at_a_blank_is_whole_or_not_used() -> None:
    record = json.dumps(an_event(userAgent="aws-cli/2.15 Python/3.11"))
    person = parse_alerts(record)[0].principals[0]
    for id_ in (person.principal_id, person.access_key_id, person.arn):
        assert id_ is not None
        broken = record.replace(id_, f"{id_[:9]} \n  {id_[9:]}")
        assert broken != record
        assert parse_alerts(broken)[0].principals == (person,)
        (alert,) = parse_alerts(record.replace(id_, f"{id_[:9]} {id_[9:]}"))
        assert f"{id_[:9]} {id_[9:]}" not in repr(alert.principals)
        assert any("broken by a blank: it is not used" in note for note in alert.notes) or (
            "is no access key" in " ".join(alert.notes)
        )


def test_what_may_hold_a_blank_stays_doubtful_and_is_said() -> None:
    text = json.dumps(an_event(userAgent="Mozilla"), indent=1).replace("Mozilla", "Moz\nilla")
    (alert,) = parse_alerts(text)
    assert "whether a blank stood where “userAgent” was broken is not known" in alert.notes[0]


@pytest.mark.parametrize("width", [60, 66, 72, 76, 90, 99])
@pytest.mark.parametrize("keeps_blanks", [True, False])
def test_records_wrapped_at_blanks_within_a_string_are_all_read(
    width: int, keeps_blanks: bool
) -> None:
    message = "You are not allowed to do this, since a policy of the organization denies it to all"
    records = [an_event(eventID=f"1a2b3c4d-0000-4000-8000-00000000000{n}") for n in range(3)]
    records[1] |= {"errorCode": "AccessDenied", "errorMessage": message}
    text = "\n".join(
        textwrap.wrap(
            json.dumps({"Records": records}), width, break_on_hyphens=False,
            drop_whitespace=not keeps_blanks,
        )
    )  # fmt: skip
    alerts = parse_alerts(text)
    assert [alert.event_id for alert in alerts] == [record["eventID"] for record in records]
    assert json.loads(alerts[1].raw)["errorMessage"] == message


def test_what_a_break_runs_through_and_is_not_mended_is_said() -> None:
    records = [an_event(eventID=f"1a2b3c4d-0000-4000-8000-00000000000{n}") for n in range(2)]
    text = json.dumps({"Records": records}).replace('"eventName": ', '"eventName" ', 1)
    (alert,) = parse_alerts(text)
    assert alert.event_id == records[1]["eventID"]
    assert "a record that the break runs through was not" in alert.notes[-1]
