"""What each hop of a role chain costs: six hops beside one, in an index of 10 million events.

The chains are written as CloudTrail files and read in by the real build, so that their mints lie
among half a million others.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alerts import parse_alerts
from bench.queries import FIRST_DAY, make_index
from enrich.questions.assumed_by import ASSUMED_BY
from trail.index.build import add
from trail.store import DuckStore, open_store

CHAINS = 200
_START = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 9, tzinfo=UTC) + timedelta(25)


def role_chain(work: Path, full: bool) -> dict[str, Any]:
    """p95 of `assumed_by` over chains of six hops beside chains of one, taken in turn."""
    index = make_index(work, 10_000_000)
    records = [
        record for hops in (1, 6) for number in range(CHAINS) for record in _chain(number, hops)
    ]
    logs = work / "chains"
    logs.mkdir(exist_ok=True)
    (logs / "chains.json").write_text(json.dumps({"Records": records}))
    print("  adding the chains …", file=sys.stderr)
    add([logs], index)
    store = open_store(index)
    uses = {
        hops: [r for r in records if r["eventID"].startswith(f"use-{hops}-")] for hops in (1, 6)
    }
    took: dict[int, list[float]] = {1: [], 6: []}
    for pair in zip(uses[1], uses[6], strict=True):
        for hops, record in zip((1, 6), pair, strict=True):
            took[hops].append(_ask(store, record, hops))
    store.close()
    warm = {hops: times[10:] for hops, times in took.items()}
    p95 = {hops: statistics.quantiles(times, n=20)[-1] for hops, times in warm.items()}
    return {
        "bench": "role_chain",
        "one_hop_p95_ms": round(p95[1], 1),
        "six_hops_p95_ms": round(p95[6], 1),
        "p50_ratio": round(statistics.median(warm[6]) / statistics.median(warm[1]), 2),
        "p95_ratio": round(p95[6] / p95[1], 2),
        "goal": 3,
    }


def _ask(store: DuckStore, record: dict[str, Any], hops: int) -> float:
    """Milliseconds for one answer, which must name every hop."""
    (alert,) = parse_alerts(json.dumps(record))
    began = time.perf_counter()
    answer = ASSUMED_BY.ask(alert, alert.principals[0], store)
    elapsed = (time.perf_counter() - began) * 1000
    found = [hop.event_id for hop in answer.data.chain]
    expected = [
        record["eventID"].replace("use-", "mint-") + f"-{hop}" for hop in reversed(range(hops))
    ]
    assert found == expected, (found, expected)
    return elapsed


def _chain(number: int, hops: int) -> list[dict[str, Any]]:
    """A user's AssumeRole, each next one signed with the session before it, and one call."""
    account = "111111111111"
    started = _START + timedelta(seconds=37 * number)
    identity: dict[str, Any] = {
        "type": "IAMUser",
        "principalId": f"AIDACHAIN{number:012}",
        "arn": f"arn:aws:iam::{account}:user/chain-{number}",
        "accountId": account,
        "accessKeyId": f"AKIACHAIN7Q2J{number:07}",
        "userName": f"chain-{number}",
    }
    records = []
    for hop in range(hops):
        at = started + timedelta(minutes=hop)
        role, session = f"hop-{hops}-{hop}", f"session-{number}"
        role_id, key = f"AROAHOP{hops}X{hop:012}", f"ASIA{hops}X{hop}CHAIN7Q{number:06}"
        role_arn = f"arn:aws:iam::{account}:role/{role}"
        session_arn = f"arn:aws:sts::{account}:assumed-role/{role}/{session}"
        records.append(
            _record(
                at,
                f"mint-{hops}-{number}-{hop}",
                identity,
                eventSource="sts.amazonaws.com",
                eventName="AssumeRole",
                requestParameters={"roleArn": role_arn, "roleSessionName": session},
                responseElements={
                    "credentials": {"accessKeyId": key},
                    "assumedRoleUser": {
                        "assumedRoleId": f"{role_id}:{session}",
                        "arn": session_arn,
                    },
                },
            )
        )
        identity = {
            "type": "AssumedRole",
            "principalId": f"{role_id}:{session}",
            "arn": session_arn,
            "accountId": account,
            "accessKeyId": key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": role_id,
                    "arn": role_arn,
                    "accountId": account,
                    "userName": role,
                },
                "attributes": {"creationDate": _text(at), "mfaAuthenticated": "false"},
            },
        }
    used = started + timedelta(minutes=hops)
    return [*records, _record(used, f"use-{hops}-{number}", identity)]


def _record(at: datetime, event_id: str, identity: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": _text(at),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "DescribeInstances",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.15.0",
        "requestParameters": None,
        "responseElements": None,
        "eventID": event_id,
        "readOnly": True,
        "eventType": "AwsApiCall",
        "recipientAccountId": "111111111111",
        **more,
    }


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
