"""Role chains on the real logs: every answer below was read off the records by hand."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.parse import parse_alerts
from enrich.answer import Answer
from enrich.questions.assumed_by import assumed_by
from enrich.questions.roles_assumed import roles_assumed
from tests.an_alert import an_alert
from tests.answered import as_written, data_of
from trail.store import Store


@pytest.fixture(scope="module")
def stratus_records(real_data: Path) -> list[dict[str, Any]]:
    folder = real_data / "stratus-run-2023" / "CloudTrail"
    files = sorted(folder.glob("*.json"))
    return [record for file in files for record in json.loads(file.read_text())["Records"]]


@pytest.fixture(scope="module")
def ec2_records(real_data: Path) -> list[dict[str, Any]]:
    (archive,) = (real_data / "ec2-proxy-s3-2020").glob("*.zip")
    with zipfile.ZipFile(archive) as zipped:
        lines = [line for name in zipped.namelist() for line in zipped.read(name).splitlines()]
    return [json.loads(line) for line in lines if line.strip()]


def ask(records: list[dict[str, Any]], event_id: str, store: Store) -> Answer:
    record = next(record for record in records if record["eventID"] == event_id)
    alert = an_alert(record)
    return as_written(assumed_by(alert, alert.principals[0], store))


def sessions(records: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """One record of every role session: by key, else by principal and creation date."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record in records:
        identity = record["userIdentity"]
        if identity.get("type") == "AssumedRole":
            created = identity["sessionContext"]["attributes"]["creationDate"]
            key = identity.get("accessKeyId")
            found.setdefault((key, None if key else (identity["principalId"], created)), record)
    return found


def test_the_password_reader_was_assumed_by_bert_jan(stratus_records, stratus_store):
    answer = ask(stratus_records, "cfdb926f-8f87-44ea-8b73-125efb2fa78a", stratus_store)

    (hop,) = answer.data["chain"]
    assert hop["event_id"] == "bbe86c7c-5981-4ac8-ad20-9248612b16c1"
    assert (hop["method"], hop["confidence"]) == ("access_key", "certain")
    assert hop["candidates"] == [hop["event_id"]]  # the twin of the same second does not fit
    assert answer.data["origin"]["label"] == "bert-jan"
    assert answer.data["forward"]["events"] == 29


def test_the_instance_credential_and_its_twin_have_their_own_mints(stratus_records, stratus_store):
    answer = ask(stratus_records, "d3d5fd99-faa9-4959-a464-56fba613cc2e", stratus_store)

    (hop,) = answer.data["chain"]
    assert hop["event_id"] == "55e25aa9-7165-446e-aef6-815c7a79a961"
    assert hop["method"] == "access_key"
    assert answer.data["origin"]["label"] == "EC2 instance i-0dbc91f429e48eeed"
    assert answer.data["forward"]["events"] == 2  # thirteen more are the twin's
    # The instance's own calls came from 3.225.16.109 before.
    assert any("192.168.10.20" in text and "3.225.16.109" in text for text in answer.caveats)


def test_all_eight_session_keys_are_explained_by_key(stratus_records, stratus_store):
    keyed = {key: record for (key, _), record in sessions(stratus_records).items() if key}
    assert len(keyed) == 8
    for key, record in keyed.items():
        (hop,) = ask(stratus_records, record["eventID"], stratus_store).data["chain"]
        assert (hop["method"], hop["confidence"]) == ("access_key", "certain")
        assert hop["minted_access_key_id"] == key


def test_the_six_keyless_sessions_are_explained_by_creation_date(stratus_records, stratus_store):
    keyless = [record for (key, _), record in sessions(stratus_records).items() if not key]
    assert len(keyless) == 6
    fits = Counter()
    for record in keyless:
        (hop,) = ask(stratus_records, record["eventID"], stratus_store).data["chain"]
        principal = record["userIdentity"]["principalId"]
        created = record["userIdentity"]["sessionContext"]["attributes"]["creationDate"]
        mints = {
            mint["eventID"]
            for mint in stratus_records
            if mint["eventName"] == "AssumeRole"
            and mint["eventTime"] == created
            and mint["responseElements"] is not None
            and mint["responseElements"].get("assumedRoleUser", {}).get("assumedRoleId")
            == principal
        }
        assert set(hop["candidates"]) == mints
        assert (hop["method"], hop["time_distance_s"]) == ("creation_date", 0)
        # Clocks differ by up to two seconds: another mint as near leaves it open which it was.
        made_at = datetime.fromisoformat(created)
        near = [
            mint
            for mint in stratus_records
            if mint["eventName"] == "AssumeRole"
            and abs(datetime.fromisoformat(mint["eventTime"]) - made_at) <= timedelta(seconds=2)
            and (mint["responseElements"] or {}).get("assumedRoleUser", {}).get("assumedRoleId")
            == principal
        ]
        assert hop["confidence"] == ("high" if len(near) == 1 else "medium")
        fits[len(mints)] += 1
    assert fits == {1: 3, 2: 2, 3: 1}


def test_the_stolen_instance_credential_is_found_among_three_of_one_second(ec2_records, ec2_store):
    answer = ask(ec2_records, "edc2222c-5063-47fb-9fc0-c2ffb86b9d15", ec2_store)

    (hop,) = answer.data["chain"]
    assert hop["event_id"] == "a3a3dded-7c27-42c0-a42d-891cdd436278"
    assert (hop["method"], hop["confidence"]) == ("access_key", "certain")
    assert answer.data["origin"]["label"] == "EC2 instance i-0317f6c6b66ae9c40"
    # Nothing but the client's own word speaks against the instance here: it says macOS's kernel.
    assert any("Darwin" in text for text in answer.caveats)


def test_without_its_key_the_three_mints_of_one_second_are_all_listed(ec2_records, ec2_store):
    record = next(r for r in ec2_records if r["eventID"] == "edc2222c-5063-47fb-9fc0-c2ffb86b9d15")
    alert = an_alert(record, access_key_id=None)
    (hop,) = data_of(assumed_by(alert, alert.principals[0], ec2_store))["chain"]
    same_second = [
        mint["eventID"]
        for mint in ec2_records
        if mint["eventName"] == "AssumeRole"
        and mint["@timestamp"].startswith("2020-09-14T00:48:30")
        and mint["requestParameters"]["roleSessionName"] == "i-0317f6c6b66ae9c40"
    ]
    assert set(hop["candidates"]) == set(same_second)
    assert (hop["rule"], hop["confidence"]) == ("R2", "medium")


def test_bert_jan_assumed_five_roles_and_was_refused_thirteen_times(stratus_records, stratus_store):
    record = next(
        r for r in stratus_records if r["eventID"] == "8331be91-3e22-4b79-99e1-a62eb77a5963"
    )
    alert = an_alert(record)
    roles = data_of(roles_assumed(alert, alert.principals[0], stratus_store))["roles"]
    made = [role for role in roles if role["result"] == "success"]
    refused = [role for role in roles if role["result"] == "failure"]

    assert (len(made), sum(role["count"] for role in made)) == (5, 10)
    assert sum(role["count"] for role in refused) == 13
    # Every refused target stands in an error message alone.
    assert {role["role_arn"] for role in refused} == {role["role_arn"] for role in made}
    assert {role["reason_class"] for role in refused} == {"unknown"}


def test_bert_jans_console_session_leads_to_his_login_with_mfa(stratus_records, stratus_store):
    answer = ask(stratus_records, "8331be91-3e22-4b79-99e1-a62eb77a5963", stratus_store)
    (hop,) = answer.data["chain"]
    assert (hop["event_name"], hop["event_time"]) == ("ConsoleLogin", "2023-07-10T12:27:45Z")
    assert (hop["confidence"], hop["source_ip_address"]) == ("high", "10.8.8.10")


def test_a_bare_access_key_without_a_time_is_answered_by_the_record_of_its_making(stratus_store):
    (alert,) = parse_alerts("ASIATFQR7NSCWLLE7IWW")
    answer = as_written(assumed_by(alert, alert.principals[0], stratus_store))
    assert answer.status == "answered"
    assert answer.data["chain"][0]["event_id"] == "bbe86c7c-5981-4ac8-ad20-9248612b16c1"
    assert answer.data["origin"]["label"] == "bert-jan"
    assert answer.data["forward"]["events"] == 29
