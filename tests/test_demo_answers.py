"""Every number of questions 2 to 5 on the demo's alerts, counted again from its raw files.

The recount is plain Python over the JSON as written, with none of our row rules or SQL: who is
meant by a principal, what a window is and what counts as failed is stated here a second time.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from answered import data_of
from recount import check

from alerts import Alert, Principal, parse_alerts
from demo import generate
from enrich import ask_all
from trail.index.build import add
from trail.store import Store, open_store

Record = dict[str, Any]
READS = ("Get", "List", "Head", "Describe")


@dataclass(frozen=True)
class Demo:
    records: list[Record]
    store: Store
    alerts: dict[str, list[Alert]]


def at(record: Record) -> datetime:
    return datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def raw_records(logs: Path) -> Iterator[Record]:
    """Each event once for each account that got it, digests left out."""
    seen = set()
    for file in sorted(logs.rglob("*.json.gz")):
        for record in json.loads(gzip.decompress(file.read_bytes())).get("Records", []):
            key = (record["eventID"], record["recipientAccountId"])
            if key not in seen:
                seen.add(key)
                yield record


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("company")
    generate(out, events=25_000)
    add([out / "logs"], out / "index")
    listed = json.loads((out / "alerts.json").read_text())
    alerts = {
        entry["id"]: parse_alerts((out / "alerts" / entry["file"]).read_text()) for entry in listed
    }
    return Demo(list(raw_records(out / "logs")), open_store(out / "index"), alerts)


def entity(alert: Alert, principal: Principal) -> Callable[[Record], bool]:
    """Whether a record is the principal's: design, "the entity" for a role, a user, root."""
    role_id = (principal.principal_id or "").partition(":")[0]

    def is_the_role_s(record: Record) -> bool:
        identity = record["userIdentity"]
        its_id, _, its_session = identity.get("principalId", "").partition(":")
        return its_id == role_id and (
            its_session == principal.session_name
            or record["sourceIPAddress"] == alert.source_ip_address
        )

    def is_the_user_s(record: Record) -> bool:
        identity = record["userIdentity"]
        return identity.get("principalId") == principal.principal_id or (
            principal.arn is not None and identity.get("arn") == principal.arn
        )

    return is_the_role_s if role_id.startswith("AROA") else is_the_user_s


def has_failed(record: Record) -> bool:
    if record.get("errorCode"):
        return True
    response = record.get("responseElements") or {}
    return response.get("ConsoleLogin") == "Failure" or (
        record["eventSource"] == "signin.amazonaws.com" and "errorMessage" in record
    )


def is_interesting(record: Record) -> bool:
    name = record["eventName"]
    return has_failed(record) or name == "GetPasswordData" or not name.startswith(READS)


def calls(records: list[Record]) -> int:
    """How many calls: one logged in two accounts counts once."""
    return len({record.get("sharedEventID") or record["eventID"] for record in records})


def per(records: list[Record], *fields: str) -> dict[tuple[Any, ...], int]:
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple(record.get(field) for field in fields), []).append(record)
    return {key: calls(group) for key, group in groups.items()}


def every_principal(company: Demo) -> Iterator[tuple[str, Alert, Principal]]:
    for name, alerts in company.alerts.items():
        for alert in alerts:
            for principal in alert.principals:
                yield name, alert, principal


def test_every_story_s_alert_is_answered(company: Demo) -> None:
    assert len(company.alerts) >= 6
    for name, alert, principal in every_principal(company):
        for answer in ask_all(alert, principal, company.store):
            assert answer.status in ("answered", "nothing", "not_applicable"), (name, answer)


def test_services_and_interesting_calls_equal_a_recount(company: Demo) -> None:
    for name, alert, principal in every_principal(company):
        assert alert.first_seen is not None
        assert alert.last_seen is not None
        belongs = entity(alert, principal)
        inside = [
            record
            for record in company.records
            if alert.first_seen - timedelta(days=7) <= at(record) <= alert.last_seen
            and belongs(record)
        ]
        answers = {a.name: data_of(a) for a in ask_all(alert, principal, company.store)}
        services = answers["services_used"]
        assert inside, f"{name}: the recount itself found nothing"
        assert services["total"] == calls(inside), name
        assert {(row["event_source"],): row["count"] for row in services["services"]} == per(
            inside, "eventSource"
        ), name
        failed = per([record for record in inside if has_failed(record)], "eventSource")
        assert {
            (row["event_source"],): row["failed"] for row in services["services"] if row["failed"]
        } == failed, name

        interesting = [record for record in inside if is_interesting(record)]
        shown = answers["interesting_calls"]
        assert shown["total"] == calls(interesting), name
        assert shown["failed"] == calls([r for r in interesting if has_failed(r)]), name
        assert {
            (row["event_source"], row["event_name"], row["error_code"]): row["count"]
            for row in shown["calls"]
        } == per(interesting, "eventSource", "eventName", "errorCode"), name


def test_baselines_equal_a_recount(company: Demo) -> None:
    for name, alert, principal in every_principal(company):
        assert alert.first_seen is not None
        belongs = entity(alert, principal)
        before = [
            record
            for record in company.records
            if alert.first_seen - timedelta(days=14)
            <= at(record)
            < alert.first_seen - timedelta(hours=12)
            and belongs(record)
        ]
        same_api = [
            record
            for record in before
            if (record["eventSource"], record["eventName"])
            == (alert.event_source, alert.event_name)
        ]
        (answer,) = [a for a in ask_all(alert, principal, company.store) if a.name == "baseline"]
        data = data_of(answer)
        assert data["events"] == calls(before), name
        assert data["active_days"] == len({at(record).date() for record in before}), name

        def pairs(records: list[Record]) -> dict[tuple[Any, ...], int]:
            return per(records, "sourceIPAddress", "userAgent")

        def shown(part: dict[str, Any]) -> dict[tuple[Any, ...], int]:
            return {
                (pair["source_ip_address"], pair["user_agent"]): pair["count"]
                for pair in part["pairs"]
            }

        assert shown(data["all_apis"]) == pairs(before), name
        if alert.event_name is not None:
            assert shown(data["same_api"]) == pairs(same_api), name
            by_ip = [r for r in same_api if r["sourceIPAddress"] == alert.source_ip_address]
            assert data["same_api"]["same_ip"] == calls(by_ip), name
            if alert.user_agent is None:
                assert data["same_api"]["same_agent"] is None, name
                assert data["same_api"]["same_ip_and_agent"] is None, name
            else:
                by_agent = [r for r in same_api if r["userAgent"] == alert.user_agent]
                both = [r for r in by_ip if r["userAgent"] == alert.user_agent]
                assert data["same_api"]["same_agent"] == calls(by_agent), name
                assert data["same_api"]["same_ip_and_agent"] == calls(both), name


def test_roles_assumed_equal_a_recount(company: Demo) -> None:
    for name, alert, principal in every_principal(company):
        assert alert.first_seen is not None
        assert alert.last_seen is not None
        belongs = entity(alert, principal)
        asked = [
            record
            for record in company.records
            if alert.first_seen - timedelta(days=7)
            <= at(record)
            <= alert.last_seen + timedelta(days=1)
            and record["eventSource"] == "sts.amazonaws.com"
            and record["eventName"].startswith("AssumeRole")
            and belongs(record)
        ]
        expected: Counter[str] = Counter()
        for failed in (True, False):
            group = [record for record in asked if has_failed(record) is failed]
            expected["failure" if failed else "success"] += calls(group)
        (answer,) = [
            a for a in ask_all(alert, principal, company.store) if a.name == "roles_assumed"
        ]
        shown: Counter[str] = Counter()
        for row in data_of(answer)["roles"]:
            shown[row["result"]] += row["count"]
        assert +shown == +expected, name


def test_every_sentence_and_every_line_for_and_against_holds(company: Demo) -> None:
    met = set[str]()
    for _, alert, principal in every_principal(company):
        answers = ask_all(alert, principal, company.store)
        met.update(check(alert, principal, answers, company.records))
    # What the stories are about speaks for them.
    assert met >= {"left_instance", "denied_assumptions", "role_enumeration", "high_signal_call"}
