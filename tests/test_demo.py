"""The demo: the same bytes for the same seed, CloudTrail's own layout, nobody real in it."""

from __future__ import annotations

import gzip
import hashlib
import ipaddress
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

import demo
from demo.__main__ import main
from demo.ids import access_key, unique_id
from trail.errors import BacktrailError

EVENTS = 5_000
ROOT = Path(__file__).parent.parent
LOG_NAME = re.compile(
    r"AWSLogs/(?:o-exampleorg1/)?(\d{12})/CloudTrail/([a-z0-9-]+)/(\d{4})/(\d\d)/(\d\d)/"
    r"(\d{12})_CloudTrail_([a-z0-9-]+)_(\d{8}T\d{4})Z_[A-Za-z0-9]{16}\.json\.gz"
)
DOCUMENTATION = [
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
PRIVATE = ipaddress.ip_network("10.0.0.0/8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> demo.Summary:
    return demo.generate(tmp_path_factory.mktemp("demo"), events=EVENTS)


@pytest.fixture(scope="module")
def logs(made: demo.Summary) -> dict[str, list[dict[str, Any]]]:
    """Key → records, digests left out."""
    return {
        path.relative_to(made.folder / "logs").as_posix(): json.loads(
            gzip.decompress(path.read_bytes())
        )["Records"]
        for path in sorted((made.folder / "logs").rglob("*.json.gz"))
        if "CloudTrail-Digest" not in path.as_posix()
    }


def every(logs: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for records in logs.values():
        yield from records


def of_the_organization(logs: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [r for key, records in logs.items() if "/o-exampleorg1/" in key for r in records]


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            whole.update(path.relative_to(folder).as_posix().encode())
            whole.update(path.read_bytes())
    return whole.hexdigest()


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def test_same_seed_gives_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    for hash_seed in ("1", "2"):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "demo",
                "--out",
                tmp_path / hash_seed,
                "--events",
                str(EVENTS),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": f"Etc/GMT+{hash_seed}"},
            check=True,
            capture_output=True,
        )
    assert digest(tmp_path / "1") == digest(tmp_path / "2")


def test_another_seed_gives_other_events(tmp_path: Path, made: demo.Summary) -> None:
    other = demo.generate(tmp_path / "other", seed=7, events=EVENTS)
    ids = {alert["chain"][0]["event_id"] for alert in made.truth if alert["chain"]}
    others = {alert["chain"][0]["event_id"] for alert in other.truth if alert["chain"]}
    assert not ids & others


def test_files_lie_where_cloudtrail_puts_them(logs: dict[str, list[dict[str, Any]]]) -> None:
    assert len(logs) > 300
    for key, records in logs.items():
        found = LOG_NAME.fullmatch(key)
        assert found, key
        account, region, year, month, day, name_account, name_region, delivered = found.groups()
        assert (account, region) == (name_account, name_region)
        assert delivered.startswith(f"{year}{month}{day}")
        when = datetime.strptime(delivered, "%Y%m%dT%H%M")
        for record in records:
            assert record["recipientAccountId"] == account
            assert record["awsRegion"] == region
            happened = datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ")
            assert timedelta(0) < when - happened <= timedelta(hours=5)


def test_bodies_are_one_line_and_gzip_holds_no_time(made: demo.Summary) -> None:
    for path in sorted((made.folder / "logs").rglob("*.json.gz"))[:50]:
        packed = path.read_bytes()
        assert packed[4:8] == b"\0\0\0\0"
        body = gzip.decompress(packed)
        assert b"\n" not in body
        json.loads(body)


def test_some_late_events_lie_in_the_next_days_folder(
    made: demo.Summary, logs: dict[str, list[dict[str, Any]]]
) -> None:
    late = sum(
        record["eventTime"][:10].replace("-", "/") not in key
        for key, records in logs.items()
        for record in records
        if "/o-exampleorg1/" in key
    )
    assert late == made.late > 50


def test_the_summary_counts_what_is_there(
    made: demo.Summary, logs: dict[str, list[dict[str, Any]]]
) -> None:
    assert made.events == len(of_the_organization(logs))
    assert made.files == len(logs)
    assert made.duplicates == sum(map(len, logs.values())) - made.events
    assert abs(made.events - EVENTS) < EVENTS * 0.05
    assert (made.first_day, made.last_day) == ("2026-03-02", "2026-03-31")
    days = {record["eventTime"][:10] for record in every(logs)}
    assert len(days) == 30


def test_the_second_trail_repeats_events_and_nothing_else_does(
    made: demo.Summary, logs: dict[str, list[dict[str, Any]]]
) -> None:
    assert made.duplicates > 20
    counts = Counter(record["eventID"] for record in every(logs))
    assert set(counts.values()) == {1, 2}
    twice = {event_id for event_id, count in counts.items() if count == 2}
    assert len(twice) == made.duplicates
    first = {record["eventID"]: record for record in of_the_organization(logs)}
    for key, records in logs.items():
        if "/o-exampleorg1/" not in key:
            assert all(record == first[record["eventID"]] for record in records)


def test_digests_are_beside_the_logs(made: demo.Summary) -> None:
    digests = list((made.folder / "logs").rglob("*_CloudTrail-Digest_*.json.gz"))
    assert len(digests) == made.digests > 0
    assert "Records" not in json.loads(gzip.decompress(digests[0].read_bytes()))


def test_every_record_is_shaped_like_cloudtrails(
    logs: dict[str, list[dict[str, Any]]],
) -> None:
    for record in every(logs):
        assert {
            "eventVersion",
            "userIdentity",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
            "userAgent",
            "requestParameters",
            "responseElements",
            "eventID",
            "readOnly",
            "eventType",
            "managementEvent",
            "recipientAccountId",
            "eventCategory",
        } <= record.keys()
        assert record["eventVersion"] in ("1.08", "1.09", "1.10", "1.11")
        assert record["managementEvent"] == (record["eventCategory"] == "Management")
        if "errorCode" in record:
            assert record["responseElements"] is None
        if record["sourceIPAddress"].endswith(("amazonaws.com", "AWS Internal")):
            assert "tlsDetails" not in record
    kinds = Counter(record["userIdentity"]["type"] for record in every(logs))
    assert set(kinds) == {
        "AWSAccount",
        "AWSService",
        "AssumedRole",
        "IAMUser",
        "IdentityCenterUser",
        "SAMLUser",
        "WebIdentityUser",
    }


def test_both_copies_of_a_cross_account_call_are_there(
    logs: dict[str, list[dict[str, Any]]],
) -> None:
    shared: dict[str, list[dict[str, Any]]] = {}
    for record in of_the_organization(logs):
        if record["eventName"] == "AssumeRole" and "sharedEventID" in record:
            shared.setdefault(record["sharedEventID"], []).append(record)
    pairs = [pair for pair in shared.values() if len(pair) == 2]
    assert len(pairs) > 30
    for pair in pairs:
        owner, caller = sorted(pair, key=lambda r: r["userIdentity"]["type"] != "AWSAccount")
        assert owner["userIdentity"].keys() == {"type", "principalId", "accountId"}
        assert owner["userIdentity"]["principalId"] == caller["userIdentity"]["principalId"]
        assert owner["requestID"] == caller["requestID"]
        assert owner["eventID"] != caller["eventID"]
        assert owner["recipientAccountId"] != caller["recipientAccountId"]
        assert owner["responseElements"] == caller["responseElements"]
        assert owner["requestParameters"]["roleArn"].split(":")[4] == owner["recipientAccountId"]
        assert "tlsDetails" in owner or owner["sourceIPAddress"] == "AWS Internal"


def test_denied_assumptions_name_their_role_in_the_message_alone(
    logs: dict[str, list[dict[str, Any]]],
) -> None:
    refused = [r for r in every(logs) if r["eventName"] == "AssumeRole" and "errorCode" in r]
    assert len(refused) > 30
    for record in refused:
        assert record["requestParameters"] is None
        assert "resources" not in record
        assert re.search(r"on resource: arn:aws:iam::\d{12}:role/", record["errorMessage"])


def test_sessions_begin_when_they_are_minted(logs: dict[str, list[dict[str, Any]]]) -> None:
    """creationDate is the eventTime of a mint of the same principal, and the key is the minted
    one except where AWS itself hides it: Identity Center, the console, forwarded calls."""
    mints: dict[tuple[str, str], set[str]] = {}
    lives: dict[tuple[str, str], timedelta] = {}
    for record in every(logs):
        answer = record["responseElements"] or {}
        if "assumedRoleUser" in answer:
            place = (answer["assumedRoleUser"]["assumedRoleId"], record["eventTime"])
            mints.setdefault(place, set()).add(answer["credentials"]["accessKeyId"])
            lives[place] = timedelta(seconds=record["requestParameters"]["durationSeconds"])
    checked = Counter[str]()
    for record in every(logs):
        identity = record["userIdentity"]
        if identity["type"] != "AssumedRole" or "sessionContext" not in identity:
            continue
        created = identity["sessionContext"]["attributes"]["creationDate"]
        keys = mints[identity["principalId"], created]
        hidden = (
            "onBehalfOf" in identity
            or "sessionCredentialFromConsole" in record
            or identity.get("invokedBy") == "cloudformation.amazonaws.com"
        )
        assert (identity["accessKeyId"] in keys) != hidden
        age = moment(record["eventTime"]) - moment(created)
        assert timedelta(0) <= age <= lives[identity["principalId"], created]
        checked["hidden" if hidden else "seen"] += 1
    assert checked["hidden"] > 100
    assert checked["seen"] > 1_000


def test_only_documentation_addresses_and_example_names(
    made: demo.Summary, logs: dict[str, list[dict[str, Any]]]
) -> None:
    alerts = [json.loads(p.read_text()) for p in (made.folder / "alerts").glob("*.json")]
    addresses = set()
    for record in [*every(logs), *alerts]:
        known = {**record} if isinstance(record, dict) else {"list": record}
        known.pop("userAgent", None)
        for text in strings(known):
            if "Mozilla/" in text or "aws-cli/" in text or "Boto3/" in text:
                continue
            addresses.update(re.findall(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", text))
            for mail in re.findall(r"[\w.+-]+@[\w.-]+", text):
                assert mail.endswith("@example.com")
    assert len(addresses) > 30
    for record in every(logs):
        source = record["sourceIPAddress"]
        if not source.endswith("amazonaws.com") and source != "AWS Internal":
            addresses.add(source)
        for bucket in [(record["requestParameters"] or {}).get("bucketName", "example")]:
            assert bucket.startswith("example")
    for address in map(ipaddress.ip_address, addresses):
        assert address in PRIVATE or any(address in network for network in DOCUMENTATION)
    accounts = {
        account
        for record in every(logs)
        for text in strings(record)
        for account in re.findall(r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):", text)
    }
    assert all(len(set(account)) <= 4 for account in accounts), accounts


def test_private_addresses_come_with_their_vpc_endpoint(
    logs: dict[str, list[dict[str, Any]]],
) -> None:
    private = [r for r in every(logs) if r["sourceIPAddress"].startswith("10.")]
    with_endpoint = [r for r in private if r.get("vpcEndpointId", "").startswith("vpce-")]
    assert len(with_endpoint) > 100
    assert {r["eventName"] for r in private if r not in with_endpoint} <= {
        "AssumeRoleForPodIdentity"
    }


def test_the_weekend_is_quieter_and_people_sleep(tmp_path: Path) -> None:
    big = demo.generate(tmp_path / "rhythm", events=20_000)
    days, hours = Counter[int](), Counter[int]()
    for path in (big.folder / "logs" / "AWSLogs" / "o-exampleorg1").rglob("*_CloudTrail_*.gz"):
        for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
            if "onBehalfOf" in record["userIdentity"]:
                when = datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ")
                days[when.weekday()] += 1
                hours[when.hour] += 1
    assert days[5] + days[6] < days[2] / 2
    assert hours[2] + hours[3] < hours[10] / 10


def test_the_index_lists_every_alert(made: demo.Summary) -> None:
    index = json.loads((made.folder / "alerts.json").read_text())
    files = {path.name for path in (made.folder / "alerts").glob("*.json")}
    assert {entry["file"] for entry in index} == files
    assert len({entry["id"] for entry in index}) == len(index) == made.alerts >= 8
    assert len({entry["story"] for entry in index}) >= 6
    assert {entry["form"] for entry in index} >= {
        "CloudTrail record",
        "GuardDuty EventBridge",
        "GuardDuty GetFindings",
        "GuardDuty S3 export",
    }
    for entry in index:
        assert entry["title"]
        assert "\n" not in entry["description"]


def test_progress_ends_at_one(tmp_path: Path) -> None:
    seen: list[float] = []
    demo.generate(tmp_path / "p", events=1, progress=lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[0] == 0.0
    assert seen[-1] == 1.0


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    first = demo.generate(tmp_path / "again", events=4_500)
    before = digest(first.folder)
    demo.generate(tmp_path / "again", seed=3, events=4_000)
    assert digest(first.folder) != before
    demo.generate(tmp_path / "again", events=4_500)
    assert digest(first.folder) == before


def test_a_folder_with_other_things_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["--out", str(tmp_path)]) == 2
    assert "Give --out an empty or new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_too_few_days_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BacktrailError, match="25 or more"):
        demo.generate(tmp_path / "short", days=10)
    assert not (tmp_path / "short").exists()


@pytest.mark.parametrize("account", ["111122223333", "888899990000", "000000000001"])
def test_keys_and_ids_hold_their_account(account: str) -> None:
    """Decoded as the domain reference says: base32, 6 bytes, mask, shift."""

    def account_in(text: str) -> str:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        number = 0
        for character in text[4:20]:
            number = number * 32 + alphabet.index(character)
        head = number >> 32
        assert head >> 47 == 1
        return f"{(head & 0x7FFFFFFFFF80) >> 7:012d}"

    assert account_in("ASIAY34FZKBOKMUTVV7A") == "609629065308"  # a published pair
    key = access_key(account, Random(1))
    assert len(key) == 20
    assert account_in(key) == account
    role_id = unique_id("AROA", account, "reader")
    assert len(role_id) == 21
    assert account_in(role_id) == account
