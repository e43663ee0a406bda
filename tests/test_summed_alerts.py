"""Alerts that sum up several events: they are read as alerts, and never indexed as an event."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from alerts import parse_alerts
from alerts.alert import Alert
from tests.shapes import table
from trail.index.build import add
from trail.store import open_store

SESSION = "arn:aws:sts::210987654321:assumed-role/Deploy/kim"
NINE = datetime(2026, 3, 10, 9, tzinfo=UTC)
EIGHT = NINE.replace(hour=8)
TERMS = [
    {"field": "aws.cloudtrail.user_identity.arn", "value": SESSION},
    {"field": "event.action", "value": "ListUsers"},
]
KIBANA: dict[str, Any] = {
    "@timestamp": "2026-03-10T09:06:00.000Z",
    "kibana.alert.rule.name": "Enumeration",
    "kibana.alert.original_time": "2026-03-10T09:00:00.000Z",
    "event.provider": "iam.amazonaws.com",
    "cloud.account.id": "210987654321",
}
FROM = "2026-03-10T08:00:00.000Z"
RESULT = {"count": 5, "from": FROM, "terms": TERMS}
KIBANA_FORMS: dict[str, dict[str, Any]] = {
    "document": KIBANA | {"kibana.alert.threshold_result": RESULT},
    "nested": {
        **{name: value for name, value in KIBANA.items() if not name.startswith("kibana")},
        "kibana": {"alert": {"original_time": KIBANA["kibana.alert.original_time"],
                             "threshold_result": RESULT}},
    },
    "signal": KIBANA | {"signal": {"threshold_result": RESULT}},
    "fields": KIBANA | {
        "kibana.alert.threshold_result.from": [FROM],
        "kibana.alert.threshold_result.terms.field": [term["field"] for term in TERMS],
        "kibana.alert.threshold_result.terms.value": [term["value"] for term in TERMS],
    },
    "texts": KIBANA | {
        "kibana.alert.threshold_result.from": [FROM],
        "kibana.alert.threshold_result.terms": [json.dumps(term) for term in TERMS],
    },
}  # fmt: skip
SPLUNK = {
    "_time": "2026-03-10T09:20:00.000+00:00", "search_name": "Many calls",
    "signature": "CreateUser", "dest": "iam.amazonaws.com", "user": SESSION, "src": "203.0.113.9",
    "user_agent": "aws-cli/2", "vendor_account": "210987654321", "vendor_region": "us-east-1",
    "count": "7", "firstTime": "1773129600", "lastTime": "1773133200",
}  # fmt: skip


def the_alert(pasted: object) -> Alert:
    (alert,) = parse_alerts(pasted if isinstance(pasted, str) else json.dumps(pasted))
    return alert


@pytest.mark.parametrize("form", KIBANA_FORMS)
def test_a_threshold_alert_is_about_what_its_terms_say(form: str) -> None:
    alert = the_alert(KIBANA_FORMS[form])
    assert (alert.source, alert.event_name) == ("cloudtrail", "ListUsers")
    assert alert.event_source == "iam.amazonaws.com"
    assert (alert.first_seen, alert.last_seen) == (EIGHT, NINE)
    (person,) = alert.principals
    assert (person.arn, person.session_name) == (SESSION, "kim")
    assert "threshold_result" in alert.origins["event_name"]
    assert any("sums up several events" in note for note in alert.notes)


def test_a_notable_of_splunk_is_of_its_first_to_its_last_event() -> None:
    alert = the_alert({"result": SPLUNK})
    assert (alert.first_seen, alert.last_seen) == (EIGHT, NINE)
    assert (alert.event_name, alert.event_source) == ("CreateUser", "iam.amazonaws.com")
    assert (alert.account_id, alert.region) == ("210987654321", "us-east-1")
    assert (alert.source_ip_address, alert.user_agent) == ("203.0.113.9", "aws-cli/2")
    assert alert.principals[0].arn == SESSION
    assert alert.origins["first_seen"].endswith("firstTime")
    assert alert.origins["event_name"].endswith("signature")


def test_a_notable_with_cloudtrails_own_names() -> None:
    alert = the_alert({"result": {
        "_time": "2026-03-10T09:20:00.000+00:00", "user_arn": SESSION, "src": "203.0.113.9",
        "firstTime": "1773129600", "lastTime": "1773133200", "aws_account_id": "210987654321",
        "eventName": "CreateUser"}})  # fmt: skip
    assert (alert.first_seen, alert.last_seen) == (EIGHT, NINE)
    assert (alert.principals[0].arn, alert.source_ip_address) == (SESSION, "203.0.113.9")


def test_times_of_splunks_own_zone_are_asked_about() -> None:
    alert = the_alert(
        {"result": SPLUNK | {"firstTime": "2026-03-10T08:00:00", "lastTime": "2026-03-10T09:00:00"}}
    )
    assert (alert.first_seen, alert.last_seen) == (EIGHT, NINE)
    assert alert.time_question is not None


def test_none_of_them_is_an_event_of_a_log(tmp_path: Path) -> None:
    rows = [*KIBANA_FORMS.values(), SPLUNK]
    (tmp_path / "rows.json").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "rows.csv").write_text(
        table(SPLUNK | {"eventName": "CreateUser", "user_arn": SESSION})
    )
    built = add([tmp_path / "rows.json", tmp_path / "rows.csv"], tmp_path / "index")
    assert (built.events_added, built.rejected) == (0, len(rows) + 1)
    store = open_store(tmp_path / "index")
    assert all("sums up several events" in reject.reason for reject in store.rejects())
    coverage = store.coverage(["210987654321"], EIGHT, NINE)
    assert coverage.unread == (date(2026, 3, 10),)
