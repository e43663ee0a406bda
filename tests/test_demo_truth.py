"""The truth file says what the raw logs say: recomputed here in plain Python from the files."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import demo

Record = dict[str, Any]
STORIES = {
    "stolen-instance-role",
    "leaked-build-key",
    "switched-role",
    "shared-snapshot",
    "model-hijack",
    "graphics-cards",
    "travelling-engineer",
}


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


class Logs:
    """All raw records, each once."""

    def __init__(self, folder: Path) -> None:
        self.by_id: dict[tuple[str, str], Record] = {}
        for path in sorted((folder / "logs").rglob("*_CloudTrail_*.json.gz")):
            for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
                self.by_id[record["eventID"], record["recipientAccountId"]] = record
        self.named: dict[str, list[Record]] = {}
        for record in self.by_id.values():
            self.named.setdefault(record["eventID"], []).append(record)
        self.records = sorted(self.by_id.values(), key=lambda record: record["eventTime"])

    def event(self, event_id: str) -> Record:
        (found,) = self.named[event_id]
        return found

    def of(self, principal: dict[str, Any]) -> list[Record]:
        """What the user, or all sessions of the role, did; the owners' copies left out."""
        wanted = principal["principal_id"].split(":")[0]
        return [
            record
            for record in self.records
            if record["userIdentity"].get("principalId", "").split(":")[0] == wanted
            and record["userIdentity"]["type"] != "AWSAccount"
        ]


@pytest.fixture(scope="module", params=[1, 5_000], ids=["stories only", "5,000 events"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.generate(tmp_path_factory.mktemp("demo"), events=request.param).folder


@pytest.fixture(scope="module")
def logs(folder: Path) -> Logs:
    return Logs(folder)


@pytest.fixture(scope="module")
def truth(folder: Path) -> list[dict[str, Any]]:
    alerts = json.loads((folder / "truth.json").read_text())["alerts"]
    return [*alerts, *(other for alert in alerts for other in alert["also"])]


def entity(alert: dict[str, Any], records: list[Record]) -> list[Record]:
    name = alert["principal"]["session_name"]
    if name is None:
        return records
    return [
        record
        for record in records
        if record["userIdentity"]["principalId"].endswith(f":{name}")
        or record["sourceIPAddress"] == alert["source_ip_address"]
    ]


def between(records: list[Record], start: datetime, end: datetime) -> list[Record]:
    return [record for record in records if start <= at(record["eventTime"]) <= end]


def is_failed(record: Record) -> bool:
    return "errorCode" in record or "errorMessage" in record


def test_every_story_is_told(truth: list[dict[str, Any]], folder: Path) -> None:
    assert {alert["story"] for alert in truth} == STORIES
    for alert in truth:
        assert (folder / alert["alert"]).is_file()


def test_every_window_is_covered(truth: list[dict[str, Any]], logs: Logs) -> None:
    first, last = at(logs.records[0]["eventTime"]), at(logs.records[-1]["eventTime"])
    for alert in truth:
        assert at(alert["first_seen"]) - first >= timedelta(days=15)
        assert last - at(alert["last_seen"]) >= timedelta(hours=30)


def test_cited_events_exist_and_are_the_principals(truth: list[dict[str, Any]], logs: Logs) -> None:
    for alert in truth:
        for event_id in alert["event_ids"]:
            record = logs.event(event_id)
            assert record["userIdentity"]["principalId"] == alert["principal"]["principal_id"]
            assert record["eventSource"] == alert["event_source"]
            assert alert["first_seen"] <= record["eventTime"] <= alert["last_seen"]
            if record["eventName"] == alert["event_name"]:
                assert record["userIdentity"]["arn"] == alert["principal"]["arn"]
        cited = [logs.event(event_id) for event_id in alert["event_ids"]]
        if cited:
            assert alert["event_name"] in {record["eventName"] for record in cited}
            assert alert["principal"]["access_key_id"] in {
                record["userIdentity"]["accessKeyId"] for record in cited
            }
            assert alert["source_ip_address"] in {record["sourceIPAddress"] for record in cited}


def test_alert_files_hold_what_the_truth_says(
    truth: list[dict[str, Any]], folder: Path, logs: Logs
) -> None:
    for alert in truth:
        text = (folder / alert["alert"]).read_text()
        for value in (
            alert["principal"]["access_key_id"],
            alert["principal"]["principal_id"],
            alert["source_ip_address"],
            alert["first_seen"],
            alert["event_name"],
        ):
            assert json.dumps(value) in text, (alert["id"], value)
        if alert["form"] == "CloudTrail record":
            assert json.loads(text) == logs.event(alert["event_ids"][0])


def test_chains_lead_from_the_alert_to_the_origin(truth: list[dict[str, Any]], logs: Logs) -> None:
    methods = Counter[str]()
    for alert in truth:
        identity = {
            "principal_id": alert["principal"]["principal_id"],
            "access_key_id": alert["principal"]["access_key_id"],
        }
        for hop in alert["chain"]:
            mint = logs.event(hop["event_id"])
            methods[hop["method"]] += 1
            assert mint["eventName"] == hop["event_name"]
            assert mint["eventTime"] == hop["event_time"]
            answer = mint["responseElements"]
            caller = mint["userIdentity"]
            if hop["method"] == "key_created":
                assert answer["accessKey"]["accessKeyId"] == identity["access_key_id"]
            elif hop["event_name"] == "ConsoleLogin":
                assert caller["principalId"] == identity["principal_id"]
                assert hop["minted_access_key_id"] is None
            else:
                assert answer["assumedRoleUser"]["assumedRoleId"] == identity["principal_id"]
                assert answer["credentials"]["accessKeyId"] == hop["minted_access_key_id"]
                same_key = hop["minted_access_key_id"] == identity["access_key_id"]
                assert same_key == (hop["method"] == "access_key")
            if hop["method"] == "creation_date":
                used = [
                    record
                    for record in logs.records
                    if record["userIdentity"].get("accessKeyId") == identity["access_key_id"]
                ]
                assert {
                    record["userIdentity"]["sessionContext"]["attributes"]["creationDate"]
                    for record in used
                } == {hop["event_time"]}
            if hop["copy_event_id"]:
                copy = logs.event(hop["copy_event_id"])
                assert copy["sharedEventID"] == mint["sharedEventID"]
                assert copy["userIdentity"]["type"] == "AWSAccount"
            if hop["sign_in_event_id"]:
                assert logs.event(hop["sign_in_event_id"])["eventSource"].startswith(
                    ("sso.", "signin.")
                )
            assert caller["type"] == hop["by"]["type"]
            assert caller.get("arn") == hop["by"]["arn"]
            identity = {
                "principal_id": caller.get("principalId"),
                "access_key_id": caller.get("accessKeyId"),
            }
        if alert["chain"] and alert["chain"][0]["method"] != "key_created":
            origin, by = alert["origin"], alert["chain"][-1]["by"]
            if origin["type"] == "IdentityCenterUser":
                assert by["type"] == "SAMLUser"
                portal = logs.event(alert["chain"][-1]["sign_in_event_id"])["userIdentity"]
                assert portal["type"] == "IdentityCenterUser"
                used = logs.event(alert["event_ids"][0])["userIdentity"]
                assert used["onBehalfOf"] == portal["onBehalfOf"]
            else:
                assert by["type"] == origin["type"]
            assert by["type"] == "AWSService" or by["user_name"] == origin["label"]
    assert methods.keys() == {"access_key", "creation_date", "key_created"}


def test_services_are_what_the_files_say(truth: list[dict[str, Any]], logs: Logs) -> None:
    for alert in truth:
        records = logs.of(alert["principal"])
        window = (at(alert["first_seen"]) - timedelta(days=7), at(alert["last_seen"]))
        for scope, rows in (("entity", entity(alert, records)), ("whole_role", records)):
            rows = between(rows, *window)
            counts = Counter(record["eventSource"] for record in rows)
            failed = Counter(record["eventSource"] for record in rows if is_failed(record))
            assert alert["services_used"][scope] == [
                {"event_source": name, "count": counts[name], "failed": failed[name]}
                for name in sorted(counts)
            ], alert["id"]
            assert counts


def test_interesting_calls_are_what_the_files_say(truth: list[dict[str, Any]], logs: Logs) -> None:
    for alert in truth:
        records = logs.of(alert["principal"])
        window = (at(alert["first_seen"]) - timedelta(days=7), at(alert["last_seen"]))
        for scope, rows in (("entity", entity(alert, records)), ("whole_role", records)):
            expected = Counter(
                (record["eventSource"], record["eventName"], record.get("errorCode"))
                for record in between(rows, *window)
                if is_failed(record)
                or record["eventName"] == "GetPasswordData"
                or record["eventName"][:3] != "Get"
                and record["eventName"][:4] not in ("List", "Head")
                and record["eventName"][:8] != "Describe"
            )
            told = {
                (call["event_source"], call["event_name"], call["error_code"]): call["count"]
                for call in alert["interesting_calls"][scope]
            }
            assert told == expected, alert["id"]


def test_baselines_are_what_the_files_say(truth: list[dict[str, Any]], logs: Logs) -> None:
    for alert in truth:
        records = logs.of(alert["principal"])
        start = at(alert["first_seen"]) - timedelta(days=14)
        end = at(alert["first_seen"]) - timedelta(hours=12)
        for scope, rows in (("entity", entity(alert, records)), ("whole_role", records)):
            rows = [r for r in between(rows, start, end) if at(r["eventTime"]) < end]
            told = alert["baseline"][scope]
            assert told["events"] == len(rows)
            assert told["active_days"] == len({record["eventTime"][:10] for record in rows})
            assert told["knows_ip"] == any(
                record["sourceIPAddress"] == alert["source_ip_address"] for record in rows
            )
            assert told["ips"] == sorted({record["sourceIPAddress"] for record in rows})
            same = [r for r in rows if r["eventName"] == alert["event_name"]]
            by_ip = [r for r in same if r["sourceIPAddress"] == alert["source_ip_address"]]
            agent = alert["user_agent"]
            assert told["same_api"] == {
                "events": len(same),
                "same_ip": len(by_ip),
                "same_agent": None if not agent else sum(r["userAgent"] == agent for r in same),
                "same_ip_and_agent": None
                if not agent
                else sum(r["userAgent"] == agent for r in by_ip),
            }


def test_assumed_roles_are_what_the_files_say(truth: list[dict[str, Any]], logs: Logs) -> None:
    for alert in truth:
        start = at(alert["first_seen"]) - timedelta(days=7)
        end = at(alert["last_seen"]) + timedelta(days=1)
        expected = Counter[tuple[str, str | None, bool]]()
        for record in between(entity(alert, logs.of(alert["principal"])), start, end):
            if record["eventName"] == "AssumeRole":
                target = (record["requestParameters"] or {}).get("roleArn") or record[
                    "errorMessage"
                ].split("on resource: ")[1].split(" ")[0]
                after = at(record["eventTime"]) > at(alert["last_seen"])
                expected[target, record.get("errorCode"), after] += 1
        told = {
            (role["role_arn"], role["error_code"], role["after_alert"]): role["count"]
            for role in alert["roles_assumed"]["roles"]
        }
        assert told == expected, alert["id"]
    tried = next(alert for alert in truth if alert["id"] == "leaked-key-enumeration")
    failures = [r for r in tried["roles_assumed"]["roles"] if r["result"] == "failure"]
    assert len(failures) == 36
    assert sum(role["count"] for role in failures) == 37


def test_the_history_tells_attack_from_habit(truth: list[dict[str, Any]]) -> None:
    knows = {
        alert["id"]: (
            alert["baseline"]["whole_role"]["knows_ip"],
            alert["baseline"]["whole_role"]["knows_agent"],
            alert["baseline"]["whole_role"]["same_api"]["events"] > 0,
        )
        for alert in truth
    }
    assert knows["stolen-instance-role"] == (False, False, True)
    assert knows["leaked-key-secrets"] == (False, False, True)
    assert knows["switched-role"] == (False, False, False)
    assert knows["model-hijack"] == (False, False, True)
    assert knows["graphics-cards"] == (False, False, False)
    assert knows["shared-snapshot"] == (True, True, False)  # an insider: only the call is new
    assert knows["travelling-engineer"] == (True, True, True)
    verdicts = {alert["id"]: alert["verdict"] for alert in truth}
    assert [name for name, verdict in verdicts.items() if verdict == "benign"] == [
        "travelling-engineer"
    ]


def test_the_stories_own_events_do_not_depend_on_the_size(
    truth: list[dict[str, Any]], tmp_path: Path
) -> None:
    other = demo.generate(tmp_path / "other", events=3_500, days=26)
    for here, there in zip(truth, other.truth, strict=False):
        for same in ("event_ids", "principal", "chain", "first_seen", "last_seen"):
            assert here[same] == json.loads(json.dumps(there[same]))
