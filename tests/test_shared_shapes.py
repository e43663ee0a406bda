"""Every case of the shapes that tools hand logs and alerts out in gives what is right."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from answered import data_of

from alerts import parse_alerts
from alerts.alert import Alert
from enrich import ask_all
from trail.index.build import BuildSummary, add
from trail.store import DuckStore, open_store

ACCOUNT = "210987654321"
ROLE = "AROAQQWWEERRTTYYUUIIO"
KEY = "ASIAQQQQWWWWEEEERRRR"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/kim"
NINE = datetime(2026, 3, 10, 9, tzinfo=UTC)

EVENTS = {
    "07-aggregated": 1,
    "08-network-activity": 3,
    "10-logs-insights-csv": 2,
    "11-logs-insights-api": 2,
    "13-splunk-csv-raw": 2,
    "15-splunk-csv-flat": 2,
    "16-athena-session-spoof": 4,
    "17-lake-eventjson": 3,
    "18-lookup-text": 6,
    "19-utf16": 1,
    "22-firehose-cwl": 5,
    "23-eventbridge-no-recipient": 1,
    "24-path-account": 1,
    "26-elastic-no-original": 1,
    "27-wazuh-archive": 1,
    "29-addendum": 2,
    "36-sentinel-csv": 1,
    "37-mac-zip": 1,
    "91-lowercase-ndjson": 2,
    "95-bucket-mix": 1,
    "106-insights-fields-csv": 1,
    "108-splunk-flat-covered": 21,
}
"""Of each case of logs, the events that it holds."""

BY_KIM = (
    "10-logs-insights-csv", "11-logs-insights-api", "13-splunk-csv-raw", "15-splunk-csv-flat",
    "27-wazuh-archive", "91-lowercase-ndjson", "36-sentinel-csv",
)  # fmt: skip
"""Of these every event was made in kim's session of the role."""


def indexed(cases: Path, name: str, tmp_path: Path) -> tuple[BuildSummary, DuckStore]:
    built = add([cases / name / "in"], tmp_path / "index")
    return built, open_store(tmp_path / "index")


def rows_of(store: DuckStore) -> list[dict[str, Any]]:
    return store.query("select * from events order by event_id").rows


@pytest.mark.parametrize("name", EVENTS)
def test_the_events_of_a_log(name: str, shape_cases: Path, tmp_path: Path) -> None:
    built, store = indexed(shape_cases, name, tmp_path)
    assert (built.events_added, built.rejected) == (EVENTS[name], 0)
    rows = rows_of(store)
    assert all(row["recipient_account_id"] == ACCOUNT for row in rows)
    # and each is found again where the index says it is
    assert len(store.raw_records([row["event_id"] for row in rows])) == EVENTS[name]


@pytest.mark.parametrize("name", BY_KIM)
def test_an_event_has_its_whole_identity(name: str, shape_cases: Path, tmp_path: Path) -> None:
    _, store = indexed(shape_cases, name, tmp_path)
    for row in rows_of(store):
        assert row["identity_id"] == ROLE
        assert row["session_name"] == "kim"
        assert row["principal_arn"] == SESSION
        assert row["access_key_id"] == ("ASIA1" if name == "36-sentinel-csv" else KEY)
        assert row["issuer_arn"] == f"arn:aws:iam::{ACCOUNT}:role/Deploy"


def test_columns_of_identity_alone(shape_cases: Path, tmp_path: Path) -> None:
    _, store = indexed(shape_cases, "106-insights-fields-csv", tmp_path)
    (row,) = rows_of(store)
    assert row["identity_type"] == "AssumedRole"
    assert row["principal_arn"] == SESSION
    assert row["session_name"] == "kim"
    assert row["error_code"] == "AccessDenied"


def test_a_name_forges_nothing(shape_cases: Path, tmp_path: Path) -> None:
    _, store = indexed(shape_cases, "16-athena-session-spoof", tmp_path)
    sessions = []
    for row in rows_of(store):
        assert (row["identity_type"], row["identity_id"]) == ("AssumedRole", ROLE)
        assert (row["account_id"], row["access_key_id"]) == (ACCOUNT, KEY)
        assert row["principal_arn"].endswith(f":assumed-role/Deploy/{row['session_name']}")
        sessions.append(row["session_name"])
    assert sessions[:3] == [
        "kim", "a,type=Root,accountid=999999999999", "job=7,accesskeyid=AKIAFAKEFAKEFAKEFAKE"
    ]  # fmt: skip


def test_elastics_document_without_the_original(shape_cases: Path, tmp_path: Path) -> None:
    _, store = indexed(shape_cases, "26-elastic-no-original", tmp_path)
    (row,) = rows_of(store)
    assert row["event_id"] == "00000000-0000-0000-0000-00000000000d"
    assert (row["event_name"], row["event_source"]) == ("CreateUser", "iam.amazonaws.com")
    assert row["principal_arn"] == SESSION
    assert row["access_key_id"] == KEY
    assert row["source_ip_address"] == "203.0.113.9"
    assert row["request_parameters"] == '{"userName":"x"}'
    assert row["event_time"] == NINE


def test_what_is_no_cloudtrail_is_skipped_by_name(shape_cases: Path, tmp_path: Path) -> None:
    _, store = indexed(shape_cases, "95-bucket-mix", tmp_path)
    reasons = {Path(file).name: reason for file, reason in store.skips()}
    assert "load balancer" in reasons["e.log.gz"].lower()
    assert "WAF" in reasons["w.log.gz"]
    assert "VPC flow" in reasons["f.log.gz"]
    assert "DNS" in reasons["x.log.gz"]
    assert "S3 access" in reasons["2026-03-10-09-00-00-ABCDEF"]


ALERTS = (
    "51-email-quoted", "53-nbsp", "54-html-escaped", "55-wrapped-lines", "72-sentinel-gd",
    "75-opsgenie",
)  # fmt: skip


def the_alert(cases: Path, name: str, file: str = "alert.txt") -> Alert:
    (alert,) = parse_alerts((cases / name / "in" / file).read_bytes())
    return alert


@pytest.mark.parametrize("name", ALERTS)
def test_a_finding_however_it_was_pasted(name: str, shape_cases: Path) -> None:
    alert = the_alert(shape_cases, name)
    assert alert.source == "guardduty"
    assert alert.id == "aabbccddeeff00112233445566778899"
    assert (alert.account_id, alert.region) == (ACCOUNT, "us-east-1")
    assert (alert.event_name, alert.source_ip_address) == ("CreateUser", "203.0.113.9")
    assert alert.first_seen is not None
    (principal,) = alert.principals
    assert (principal.access_key_id, principal.principal_id) == (KEY, f"{ROLE}:kim")
    assert principal.session_name == "kim"


def test_a_sentence_without_ids(shape_cases: Path) -> None:
    alert = the_alert(shape_cases, "58-transformer-text")
    assert alert.account_id == ACCOUNT
    assert alert.finding_type == (
        "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
    )
    assert alert.severity == 8
    assert alert.id == "aabbccddeeff00112233445566778899"
    assert alert.title == alert.finding_type
    assert any("names no identity" in note for note in alert.notes)


def test_cut_off_json_says_so(shape_cases: Path) -> None:
    alert = the_alert(shape_cases, "77-truncated")
    (principal,) = alert.principals
    assert (principal.access_key_id, principal.principal_id) == (KEY, f"{ROLE}:kim")
    assert any("cut off" in note for note in alert.notes)
    assert alert.title != "{"


def test_masks_make_no_arn(shape_cases: Path) -> None:
    alert = the_alert(shape_cases, "78-redacted")
    assert all("*" not in str(value) for one in alert.principals for value in vars(one).values())
    assert any("mask" in note for note in alert.notes)


def test_the_consoles_csv(shape_cases: Path) -> None:
    alert = the_alert(shape_cases, "79-console-history-csv", "alert.csv")
    assert (alert.source, alert.first_seen) == ("cloudtrail", NINE)


def test_an_elastic_alerts_time_is_the_events(shape_cases: Path) -> None:
    alert = the_alert(shape_cases, "80-elastic-alert")
    assert (alert.source, alert.first_seen, alert.last_seen) == ("cloudtrail", NINE, NINE)


def test_a_logs_insights_result_is_an_alert(shape_cases: Path) -> None:
    alert = the_alert(shape_cases, "83-cw-insights")
    assert alert.source == "cloudtrail"
    assert alert.principals[0].principal_id == f"{ROLE}:kim"


def test_the_attack_in_a_flat_table_is_listed(shape_cases: Path, tmp_path: Path) -> None:
    _, store = indexed(shape_cases, "108-splunk-flat-covered", tmp_path)
    (alert,) = parse_alerts((shape_cases / "108-splunk-flat-covered" / "alert.json").read_bytes())
    answers = {one.name: one for one in ask_all(alert, alert.principals[0], store)}
    listed = json.dumps(data_of(answers["interesting_calls"]))
    for name in ("CreateUser", "CreateAccessKey", "AttachUserPolicy"):
        assert name in listed
    assert answers["interesting_calls"].status == "answered"
