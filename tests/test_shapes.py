"""Each shape of `docs/shapes.md` is read as its line says, by both sides."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts import parse_alerts
from tests.shapes import EVENT_ID, RECORD, SHAPES, WHO
from trail.index.build import add
from trail.store import open_store

ROOT = Path(__file__).resolve().parents[1]
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WORDS = {
    "read": "read",
    "columns": "what its columns say",
    "refused": "refused, with the reason",
    "skipped": "skipped by name",
    "text": "read as text, with a note",
    "": "–",
}


def test_the_documentation_has_each_shape_with_its_state() -> None:
    lines = (ROOT / "docs" / "shapes.md").read_text().splitlines()
    begin = lines.index("| Shape | For example | As a log | As an alert |")
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[begin + 2 :]]
    said = {row[0]: (row[1].strip("`"), row[2], row[3]) for row in rows}
    assert said == {
        name: (shape.example.replace("`", ""), WORDS[shape.log], WORDS[shape.alert])
        for name, shape in SHAPES.items()
    }


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.log])
def test_as_a_log(name: str, tmp_path: Path) -> None:
    made = SHAPES[name].make()
    path = tmp_path / "from a tool.log"
    path.write_bytes(made if isinstance(made, bytes) else made.encode())
    built = add([path], tmp_path / "index")
    state = SHAPES[name].log
    if state == "refused":
        assert (built.events_added, built.rejected, built.skipped_files) == (0, 1, 0)
        return
    if state == "skipped":
        assert (built.events_added, built.rejected, built.skipped_files) == (0, 0, 1)
        return
    assert (built.events_added, built.rejected) == (1, 0)
    store = open_store(tmp_path / "index")
    (row,) = store.query("select * from events").rows
    assert row["event_id"] == EVENT_ID
    assert (row["event_name"], row["event_source"]) == ("GetPasswordData", "ec2.amazonaws.com")
    assert row["event_time"] == NOON
    assert (row["identity_type"], row["session_name"]) == ("AssumedRole", "work")
    assert (row["principal_arn"], row["principal_id"]) == (WHO["arn"], WHO["principalId"])
    if state == "read":
        assert row["issuer_arn"] == "arn:aws:iam::111122223333:role/teams/reader"
        assert row["access_key_id"] == WHO["accessKeyId"]
        assert json.loads(row["request_parameters"]) == RECORD["requestParameters"]
        assert row["user_agent"] == RECORD["userAgent"]
    assert list(store.raw_records([EVENT_ID])) == [EVENT_ID]


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.alert])
def test_as_an_alert(name: str) -> None:
    made = SHAPES[name].make()
    state = SHAPES[name].alert
    (alert,) = parse_alerts(made)
    if state == "text":
        assert alert.source == "text"
        assert any("cut off" in note for note in alert.notes)
        return
    assert alert.source == "cloudtrail"
    assert (alert.event_name, alert.event_source) == ("GetPasswordData", "ec2.amazonaws.com")
    assert alert.first_seen == alert.last_seen == NOON
    (person,) = alert.principals
    if SHAPES[name].log == "refused" and state == "columns":
        return  # it does not say who, which the analyst may
    assert alert.event_id == EVENT_ID
    assert (person.arn, person.principal_id) == (WHO["arn"], WHO["principalId"])
    assert (person.type, person.session_name) == ("AssumedRole", "work")
    if state == "read":
        assert person.access_key_id == WHO["accessKeyId"]
        assert person.role_arn == "arn:aws:iam::111122223333:role/teams/reader"
