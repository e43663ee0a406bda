"""The whole job through the command line alone, on real logs: files → index → alert → answers."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
Answers = Callable[[str], dict[str, Any]]


def run(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def find_record(real_data: Path, event_id: str) -> dict[str, Any]:
    """The raw record, looked up in the files themselves rather than in our index."""
    for file in (real_data / "stratus-run-2023" / "CloudTrail").iterdir():
        for record in json.loads(file.read_text())["Records"]:
            if record["eventID"] == event_id:
                return dict(record)
    archive = zipfile.ZipFile(next((real_data / "ec2-proxy-s3-2020").glob("*.zip")))
    for line in archive.read(archive.namelist()[0]).splitlines():
        if (record := json.loads(line))["eventID"] == event_id:
            return dict(record)
    raise LookupError(event_id)


@pytest.fixture(scope="module")
def indexes(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name in ("stratus-run-2023", "ec2-proxy-s3-2020"):
        made[name] = tmp_path_factory.mktemp(name)
        added = run("trail", "add", real_data / name, "--index", made[name])
        assert added.returncode == 0, added.stderr
    return made


@pytest.fixture(scope="module")
def answers(indexes: dict[str, Path], real_data: Path) -> Callable[[str, str], dict[str, Any]]:
    def ask(event_id: str, index: str = "stratus-run-2023") -> dict[str, Any]:
        alert = json.dumps(find_record(real_data, event_id))
        asked = run("enrich", "-", "--index", indexes[index], "--json", stdin=alert)
        assert asked.returncode == 0, asked.stderr
        (line,) = asked.stdout.splitlines()
        (result,) = json.loads(line)["results"]
        return {answer["name"]: answer for answer in result["answers"]}

    return ask


@pytest.mark.parametrize(
    ("name", "events"), [("stratus-run-2023", 2900), ("ec2-proxy-s3-2020", 103)]
)
def test_real_files_are_indexed_without_loss(
    indexes: dict[str, Path], name: str, events: int
) -> None:
    status = json.loads(run("trail", "status", "--index", indexes[name], "--json").stdout)
    assert (status["events"], status["rejected"]) == (events, 0)
    assert {
        *("events", "duplicates", "rejected", "skipped_files", "files", "first", "last"),
        *("accounts", "regions", "segments", "bytes"),
    } <= set(status)


def test_a_second_run_adds_nothing(indexes: dict[str, Path], real_data: Path) -> None:
    index = indexes["stratus-run-2023"]
    before = json.loads(run("trail", "status", "--index", index, "--json").stdout)
    assert run("trail", "add", real_data / "stratus-run-2023", "--index", index).returncode == 0
    assert json.loads(run("trail", "status", "--index", index, "--json").stdout) == before


def test_a_session_is_traced_to_the_user_by_its_key_not_to_its_twin(answers: Answers) -> None:
    asked = answers("cfdb926f-8f87-44ea-8b73-125efb2fa78a")
    (hop, *_) = asked["assumed_by"]["data"]["chain"]
    assert hop["event_id"] == "bbe86c7c-5981-4ac8-ad20-9248612b16c1"
    assert (hop["method"], hop["rule"], hop["confidence"]) == ("access_key", "R1", "certain")
    assert hop["by"]["user_name"] == "bert-jan"
    assert hop["interface"] == "cli_sdk"
    (service,) = asked["services_used"]["data"]["services"]
    assert (service["event_source"], service["count"], service["failed"]) == (
        "ec2.amazonaws.com",
        29,
        29,
    )
    (call,) = asked["interesting_calls"]["data"]["calls"]
    assert (call["event_name"], call["error_code"], call["count"]) == (
        "GetPasswordData",
        "Client.UnauthorizedOperation",
        29,
    )
    assert asked["baseline"]["status"] == "not_covered"


@pytest.mark.parametrize(
    ("event_id", "mint", "index"),
    [
        (
            "d3d5fd99-faa9-4959-a464-56fba613cc2e",
            "55e25aa9-7165-446e-aef6-815c7a79a961",
            "stratus-run-2023",
        ),
        (
            "edc2222c-5063-47fb-9fc0-c2ffb86b9d15",
            "a3a3dded-7c27-42c0-a42d-891cdd436278",
            "ec2-proxy-s3-2020",
        ),
    ],
)
def test_an_instance_credential_is_traced_to_its_mint_for_ec2(
    answers: Callable[[str, str], dict[str, Any]], event_id: str, mint: str, index: str
) -> None:
    answer = answers(event_id, index)["assumed_by"]
    (hop,) = answer["data"]["chain"]
    assert (hop["event_id"], hop["method"], hop["confidence"]) == (mint, "access_key", "certain")
    assert hop["interface"] == "aws_service"
    assert mint in answer["evidence"]
    assert "i-" in answer["data"]["origin"]["label"]


def test_a_user_s_assumptions_are_counted_with_targets_from_the_error_messages(
    answers: Answers,
) -> None:
    roles = answers("8331be91-3e22-4b79-99e1-a62eb77a5963")["roles_assumed"]["data"]["roles"]
    counts = {"success": 0, "failure": 0}
    for role in roles:
        counts[role["result"]] += role["count"]
    assert counts == {"success": 10, "failure": 13}
    prefix = "arn:aws:iam::123837392027:role/stratus-red-team-"
    assert {role["role_arn"] for role in roles} == {
        prefix + name
        for name in (
            "ec2-get-password-data-role",
            "leave-org-role",
            "get-usr-data-role",
            "ec2lui-role-pcccexdthk",
            "ec2lui-role-wuzemnoeqa",
        )
    }


@pytest.mark.parametrize("kind", ["ec2", "iam", "s3"])
def test_the_sample_findings_parse_and_are_called_samples(
    indexes: dict[str, Path], real_data: Path, kind: str
) -> None:
    file = real_data / "guardduty-samples" / "events" / f"guardduty_{kind}_event.json"
    asked = run("enrich", file, "--index", indexes["stratus-run-2023"], "--json")
    assert asked.returncode == 0, asked.stderr
    shown = json.loads(asked.stdout)
    finding = json.loads(file.read_text())
    assert shown["alert"]["id"] == finding["id"]
    assert shown["alert"]["source"] == "guardduty"
    assert shown["alert"]["severity"] == finding["severity"]
    assert shown["alert"]["first_seen"] == finding["service"]["eventFirstSeen"].replace(
        ".000Z", "Z"
    )
    assert all(
        answer["status"] in ("not_applicable", "not_covered")
        for result in shown["results"]
        for answer in result["answers"]
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello there", "not json"),
        ('{"hello": "there"}', "no alert"),
        ("", "nothing here"),
        ("{", "paste"),
    ],
)
def test_text_that_is_no_alert_gets_one_clear_sentence(
    indexes: dict[str, Path], text: str, said: str
) -> None:
    asked = run("enrich", "-", "--index", indexes["stratus-run-2023"], "--json", stdin=text)
    assert (asked.returncode, asked.stdout) == (2, "")
    (sentence,) = asked.stderr.strip().splitlines()
    assert said in sentence.lower()
    assert "Traceback" not in asked.stderr


def test_without_an_index_the_command_says_how_to_make_one(tmp_path: Path, real_data: Path) -> None:
    alert = json.dumps(find_record(real_data, "cfdb926f-8f87-44ea-8b73-125efb2fa78a"))
    asked = run("enrich", "-", "--index", tmp_path / "none", "--json", stdin=alert)
    assert asked.returncode == 2
    assert "python -m trail add" in asked.stderr


def test_an_alert_outside_the_index_is_not_covered_rather_than_nothing(
    indexes: dict[str, Path], real_data: Path
) -> None:
    record = find_record(real_data, "cfdb926f-8f87-44ea-8b73-125efb2fa78a")
    record["eventTime"] = "2024-01-01T00:00:00Z"
    asked = run(
        *("enrich", "-", "--index", indexes["stratus-run-2023"], "--json"),
        stdin=json.dumps(record),
    )
    (result,) = json.loads(asked.stdout)["results"]
    statuses = {answer["name"]: answer["status"] for answer in result["answers"]}
    assert statuses["services_used"] == "not_covered"
    assert statuses["interesting_calls"] == "not_covered"
    assert statuses["baseline"] == "not_covered"
