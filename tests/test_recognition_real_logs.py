"""Recognition on real CloudTrail files, read in place."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts import Alert, parse_alerts


@pytest.fixture(scope="module")
def stratus_alerts(real_data: Path) -> dict[str, Alert]:
    files = sorted((real_data / "stratus-run-2023" / "CloudTrail").glob("*.json"))
    return {alert.id: alert for file in files for alert in parse_alerts(file.read_bytes())}


def test_every_record_of_the_stratus_run_is_an_alert(stratus_alerts: dict[str, Alert]) -> None:
    assert len(stratus_alerts) == 2900
    assert all(alert.first_seen is not None for alert in stratus_alerts.values())
    assert {alert.source for alert in stratus_alerts.values()} == {"cloudtrail"}


def test_a_refused_call_by_a_role(stratus_alerts: dict[str, Alert]) -> None:
    alert = stratus_alerts["cfdb926f-8f87-44ea-8b73-125efb2fa78a"]
    assert alert.title == "GetPasswordData failed with Client.UnauthorizedOperation"
    assert alert.event_source == "ec2.amazonaws.com"
    (person,) = alert.principals
    role = "stratus-red-team-ec2-get-password-data-role"
    assert person.type == "AssumedRole"
    assert person.role_arn == f"arn:aws:iam::123837392027:role/{role}"
    assert person.arn == (f"arn:aws:sts::123837392027:assumed-role/{role}/{person.session_name}")
    assert person.session_created is not None


def test_the_caller_of_an_assumption_is_its_principal(stratus_alerts: dict[str, Alert]) -> None:
    (person,) = stratus_alerts["8331be91-3e22-4b79-99e1-a62eb77a5963"].principals
    assert (person.type, person.user_name) == ("IAMUser", "bert-jan")


def test_an_export_with_another_time_field(real_data: Path) -> None:
    archive = real_data / "ec2-proxy-s3-2020" / "ec2_proxy_s3_exfiltration.zip"
    with zipfile.ZipFile(archive) as unpacked:
        (name,) = [name for name in unpacked.namelist() if name.endswith(".json")]
        alerts = {alert.id: alert for alert in parse_alerts(unpacked.read(name))}
    assert len(alerts) == 103
    stolen = alerts["edc2222c-5063-47fb-9fc0-c2ffb86b9d15"]
    assert stolen.event_name == "GetObject"
    assert stolen.first_seen is not None
    assert stolen.first_seen.astimezone(UTC) > datetime(2020, 1, 1, tzinfo=UTC)
    assert stolen.origins["first_seen"] == "@timestamp"
    assert stolen.principals[0].type == "AssumedRole"
    assert {alert.id for alert in parse_alerts(archive.read_bytes())} == set(alerts)
