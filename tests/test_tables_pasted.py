"""Tables in mails and tickets: quoted, indented, fenced, amid text, or with cells lost."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from alerts import Alert, parse_alerts
from tests.an_event import an_event

ARN = "arn:aws:sts::111122223333:assumed-role/Deploy/kim"
IDS = [f"1a2b3c4d-0000-4000-8000-00000000000{n}" for n in range(2)]
NOW = "2026-03-10T09:00:00Z"


def as_csv(*rows: list[str]) -> str:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(rows)
    return made.getvalue()


def record(event_id: str) -> dict[str, Any]:
    return an_event(eventID=event_id, requestParameters={"userName": "lee, of, us"})


FLAT = ["eventTime", "eventName", "eventSource", "eventID", "sourceIPAddress",
        "userIdentity.type", "userIdentity.arn", "userIdentity.principalId"]  # fmt: skip
ROWS = [
    [NOW, "CreateUser", "iam.amazonaws.com", event_id, "203.0.113.9", "AssumedRole", ARN,
     "AROAQQWWEERRTTYYUUIIO:kim"]
    for event_id in IDS
]  # fmt: skip
TABLES = {
    "Splunk, _raw": as_csv(
        ["_time", "_raw", "eventName"],
        *([NOW, json.dumps(record(id_)), "GetObject"] for id_ in IDS),
    ),
    "Splunk, _raw of many lines": as_csv(
        ["_time", "_raw"], *([NOW, json.dumps(record(id_), indent=1)] for id_ in IDS)
    ),
    "Insights": as_csv(
        ["@timestamp", "@message"],
        *(["2026-03-10 09:00:00.000", json.dumps(record(id_))] for id_ in IDS),
    ),
    "columns": as_csv(FLAT, *ROWS),
    "Event history": as_csv(
        ["Event name", "Event time", "User name", "Event source", "Event ID", "AWS access key"],
        ["CreateUser", "March 10, 2026, 09:00:00 (UTC+00:00)", "lee", "iam.amazonaws.com", IDS[0],
         ""],
        ["CreateUser", "March 10, 2026, 09:00:00 (UTC+00:00)", "kim", "iam.amazonaws.com", IDS[1],
         ""],
    ),
    "drawn": "| " + " | ".join(FLAT) + " |\n" + "".join(
        "| " + " | ".join(row) + " |\n" for row in ROWS
    ),
}  # fmt: skip


def behind(mark: str) -> Callable[[str], str]:
    return lambda text: "".join(f"{mark}{line}\n" for line in text.splitlines())


def fenced(text: str) -> str:
    return f"Hi team,\nplease look at this one:\n```csv\n{text}\n```\nThanks, Zoë"


def amid(text: str) -> str:
    return f"Hi team,\n\nplease look at these events:\n\n{text}\n\nThanks, and, good night,\nZoë"


DAMAGE: dict[str, Callable[[str], str]] = {
    "quoted": behind("> "),
    "quoted twice": behind("> > "),
    "quoted without a blank": behind(">"),
    "barred": behind("| "),
    "indented": behind("    "),
    "HTML": html.escape,
    "fenced": fenced,
    "fenced and quoted": lambda text: behind("> ")(fenced(text)),
    "amid text": amid,
    "below a mail's head": lambda text: (
        "From: soc@example.com\nSubject: FW: event\nDate: Tue, 17 Mar 2026 10:00:00 +0100\n\n"
        "On Tue, Mar 17, 2026 at 9:12 AM Ops <ops@example.com> wrote:\n" + behind("> ")(text)
    ),
}


def told(alert: Alert) -> tuple[object, ...]:
    return (alert.event_id, alert.first_seen, alert.event_name, alert.account_id,
            alert.source_ip_address, alert.principals, alert.shape)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_read_as_if_nobody_had_quoted_it(table: str, damage: str) -> None:
    if table == "drawn" and damage == "barred":
        return  # which bar is whose is not told
    whole = parse_alerts(TABLES[table])
    assert [alert.event_id for alert in whole] == IDS
    assert [told(alert) for alert in parse_alerts(DAMAGE[damage](TABLES[table]))] == [
        told(alert) for alert in whole
    ]


@pytest.mark.parametrize(
    "changed",
    [lambda row: [*row, "x"], lambda row: row[:-2], lambda row: ["x", *row], lambda row: row[1:]],
    ids=["one more", "two fewer", "one before", "the first lost"],
)
def test_a_row_of_other_cells_than_its_header_is_in_no_column(
    changed: Callable[[list[str]], list[str]],
) -> None:
    (alert,) = parse_alerts(as_csv(FLAT, changed(ROWS[0])))
    assert alert.source == "text"
    assert "more or fewer cells than its header names" in alert.notes[0]
    for person in alert.principals:
        assert person.arn in (None, ARN)
        assert person.principal_id in (None, "AROAQQWWEERRTTYYUUIIO:kim")
    assert alert.source_ip_address in (None, "203.0.113.9")
    (alert,) = parse_alerts(as_csv(FLAT, ROWS[0], changed(ROWS[1])))
    assert alert.event_id == IDS[0]
    assert "1 row of the table has more or fewer cells" in alert.notes[0]
