"""What calls acted on, where events are listed: evidence, event search, exports, alert line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enrich.facts.targets import Target, in_words, with_targets
from tests.a_page import a_page, table, words
from tests.an_event import an_event
from trail.index.build import add
from trail.store import open_store
from ui.explore import event_search

pytest_plugins = ("tests.case_pages",)

SHARED = an_event(
    eventName="ModifySnapshotAttribute", readOnly=False,
    requestParameters={"snapshotId": "snap-0123456789abcdef0", "attributeType":
                       "CREATE_VOLUME_PERMISSION", "createVolumePermission":
                       {"add": {"items": [{"userId": "999988887777"}]}}},
)  # fmt: skip
PLAIN = an_event()


@pytest.fixture
def indexed(tmp_path: Path, own_folders: None) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.json").write_text(json.dumps({"Records": [SHARED, PLAIN]}))
    add([tmp_path / "logs"], tmp_path / "index")
    return tmp_path / "index"


def test_a_row_has_its_targets_in_place_of_the_json_that_says_so() -> None:
    row = with_targets(
        {"event_source": "s3.amazonaws.com", "request_parameters": '{"bucketName": "b"}',
         "response_elements": None, "resources": None, "event_id": "1"}
    )  # fmt: skip
    assert row == {"event_source": "s3.amazonaws.com", "event_id": "1",
                   "targets": (Target("bucket", "b"),)}  # fmt: skip
    assert in_words((Target("bucket", "b"), Target("account", "9", True))) == (
        "bucket b; shared with 9"
    )


@pytest.mark.usefixtures("indexed")
def test_the_event_search_and_a_record_s_page_say_what_was_acted_on() -> None:
    at = a_page("events", {"call": "ModifySnapshotAttribute"})
    ((_, _, on, *_),) = table(at, "Events found")
    assert on == "shared with 999988887777snapshot snap-0123456789abcdef0"
    at = a_page("events", {"event": SHARED["eventID"]})
    assert "snap-0123456789abcdef0" in table(at, "The event")[0][2]
    # A column in which nothing stands is none.
    at = a_page("events", {"call": "DescribeInstances"})
    assert table(at, "Events found")[0][2] == "ec2"


@pytest.mark.usefixtures("indexed")
def test_the_alert_line_says_what_the_alert_s_call_acted_on() -> None:
    said = words(a_page("triage", {"event": SHARED["eventID"]})).splitlines()
    place = said.index("Acted on")
    assert said[place + 1 : place + 5] == [
        "shared with ", "999988887777", "snapshot ", "snap-0123456789abcdef0",
    ]  # fmt: skip


def test_exports_have_what_was_acted_on(indexed: Path) -> None:
    store = open_store(indexed)
    span = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    search = event_search.search_of({"call": "ModifySnapshotAttribute"}, span)
    rows = event_search.export(store, search)
    assert [row["targets"] for row in rows] == [
        "snapshot snap-0123456789abcdef0; shared with 999988887777"
    ]
    assert event_search.as_csv(rows).splitlines()[0].endswith(",targets")
    assert json.loads(event_search.as_json_lines(rows))["targets"] == rows[0]["targets"]
