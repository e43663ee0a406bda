"""How fast the five questions are answered at 10 and 100 million events.

The events are made in SQL, day by day, and go through the index's own segment writer, rollup and
catalog. One identity in all makes 30 % of the events; the others share the rest, and ten times
the events means ten times the identities over the same days.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from alerts.alert import Alert, Principal
from bench.ingest import ROOT, tree_of
from enrich import ask_all
from trail.events import EVENT_SCHEMA
from trail.index.build import publish, settle_days
from trail.index.catalog import Catalog, Publication, monday_of
from trail.index.segments import Merger, in_groups, write_run
from trail.store import DuckStore, open_store

FIRST_DAY = date(2026, 3, 1)
DAYS = 30
EVENTS_PER_IDENTITY = 5_000
ALERTS = 200
_CALLS = [
    ("ec2", "DescribeInstances"), ("ec2", "DescribeVolumes"), ("ec2", "CreateTags"),
    ("s3", "GetObject"), ("s3", "PutObject"), ("s3", "ListBuckets"), ("kms", "Decrypt"),
    ("kms", "GenerateDataKey"), ("logs", "CreateLogStream"), ("lambda", "ListFunctions20150331"),
    ("dynamodb", "DescribeTable"), ("iam", "GetRole"), ("iam", "ListUsers"),
    ("secretsmanager", "GetSecretValue"), ("ssm", "GetParameter"), ("monitoring", "PutMetricData"),
    ("ecr", "BatchGetImage"), ("sts", "GetCallerIdentity"), ("rds", "DescribeDBInstances"),
]  # fmt: skip

_ROWS = """
with numbered as (
    select i, hash(i, $day::varchar) as h, hash(i, $day::varchar, 'more') as g
    from range($events) t(i)
), who as (
    select *, (case when h % 10 < 3 then 0 else 1 + (h // 10) % $identities end)::bigint as n,
        ($day::date + to_seconds(((g // 7) % 86400)::bigint))::timestamp as t
    from numbered
), calls as (
    select *, ((h // 1000) % 5)::bigint as s, hour(t) // 6 as b,
        (1 + (n * 7 + g % 6) % len($sources))::bigint as c,
        false as mint
    from who
), mints as (
    select i, hash(i, $day::varchar, 'mint') as h, i::ubigint as g, i // 20 as n,
        ($day::date + to_hours((i % 4 * 6)::bigint))::timestamp as t, (i // 4) % 5 as s,
        i % 4 as b, 1 as c, true as mint
    from range(($identities + 1) * 20) t(i)
), every as (
    select *, 'ASIA' || lpad(
            n || 'S' || s || 'D' || strftime($day::date, '%d') || 'B' || b, 16, 'Q7'
        ) as key
    from (select * from calls union all by name select * from mints)
)
select
    case when mint then 'mint-' else 'call-' end || $day || '-' || i || '-' || h as event_id,
    t as event_time,
    case when mint then 'sts.amazonaws.com' else $sources[c] || '.amazonaws.com' end
        as event_source,
    case when mint then 'AssumeRole' else $names[c] end as event_name,
    'AwsApiCall' as event_type, 'Management' as event_category, '1.11' as event_version,
    ['us-east-1', 'eu-west-1'][1 + n % 2] as aws_region,
    lpad((n % 40)::varchar, 12, '1') as recipient_account_id,
    '198.51.100.' || (n * 3 + s) % 250 as source_ip_address,
    'Boto3/1.34.' || (n + s) % 30 || ' md/Botocore#1.34.11 lang/python#3.11' as user_agent,
    case when not mint and h % 25 = 1 then 'AccessDenied' end as error_code,
    case when not mint and h % 25 = 1 then 'not authorized' end as error_message,
    not mint and h % 25 = 1 as failed,
    g % 3 > 0 as read_only,
    'r-' || h as request_id,
    case when mint then 'IAMUser' else 'AssumedRole' end as identity_type,
    case when mint then 'AIDA' || lpad((n % 97)::varchar, 17, '0')
        else 'AROA' || lpad(n::varchar, 17, '0') end as identity_id,
    case when mint then 'AIDA' || lpad((n % 97)::varchar, 17, '0')
        else 'AROA' || lpad(n::varchar, 17, '0') || ':session-' || s end as principal_id,
    case when mint then 'arn:aws:iam::' || recipient_account_id || ':user/user-' || n % 97
        else 'arn:aws:sts::' || recipient_account_id || ':assumed-role/role-' || n || '/session-'
            || s end as principal_arn,
    recipient_account_id as account_id,
    case when mint then 'AKIA' || lpad((n % 97)::varchar, 16, '0Q')
        else key end as access_key_id,
    case when mint then 'user-' || n % 97 end as user_name,
    case when not mint then 'arn:aws:iam::' || recipient_account_id || ':role/role-' || n end
        as issuer_arn,
    case when not mint then 'AROA' || lpad(n::varchar, 17, '0') end as issuer_id,
    case when not mint then 'session-' || s end as session_name,
    case when not mint then ($day::date + to_hours((b * 6)::bigint))::timestamp end
        as session_created,
    case when mint then key end as minted_access_key_id,
    case when mint then 'AROA' || lpad(n::varchar, 17, '0') || ':session-' || s end
        as minted_principal_id,
    case when mint then 'arn:aws:iam::' || recipient_account_id || ':role/role-' || n end
        as target_role_arn,
    case when mint then 'session-' || s end as target_session_name,
    '{"type":"AssumedRole","n":' || n || '}' as user_identity,
    '{"item":"' || g % 5000 || '"}' as request_parameters,
    'made.json' as source_file,
    i + case when mint then 1000000000 else 0 end as source_ordinal
from every
"""


def make_index(work: Path, events: int) -> Path:
    """An index of about `events` events (kept between runs)."""
    index = work / f"index-{events}"
    done = index / "whole"
    if done.is_file():
        return index
    print(f"  making {events:,} events …", file=sys.stderr)
    columns = ", ".join(
        f"rows.{name}" if f" as {name}" in _ROWS else f"null::{_sql_type(name)} as {name}"
        for name in EVENT_SCHEMA.names
    )
    with Catalog(index, create=True) as catalog, Merger(index) as merger:
        # As much memory as it takes: what is measured is not how the rows were made up.
        db = duckdb.connect(config={"threads": 2, "memory_limit": "8GB",
                                    "temp_directory": str(work / "spill")})  # fmt: skip
        days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
        # A round a week: of the 100 million, a build of files would settle 2 million at a time.
        for _, of_week in groupby(days, monday_of):
            fresh = []
            for day in of_week:
                table = db.sql(
                    f"select {columns} from ({_ROWS}) rows order by identity_id, event_time",
                    params={
                        "day": str(day), "events": events // DAYS,
                        "identities": events // EVENTS_PER_IDENTITY,
                        "sources": [call[0] for call in _CALLS],
                        "names": [call[1] for call in _CALLS],
                    },
                ).to_arrow_table()  # fmt: skip
                fresh += write_run(
                    index, "events", day, in_groups(table.cast(EVENT_SCHEMA), "events")
                )
                del table
                print(f"    {day}", file=sys.stderr)
            change = Publication()
            settle_days(catalog, merger, change, fresh, frozenset(), set())
            publish(catalog, change)
            print("    settled", file=sys.stderr)
        db.close()
    done.write_text("")
    return index


def _sql_type(name: str) -> str:
    kind = str(EVENT_SCHEMA.field(name).type)
    return {"string": "varchar", "timestamp[us]": "timestamp", "bool": "boolean"}.get(
        kind, "bigint"
    )


@dataclass(frozen=True)
class _Case:
    alert: Alert
    principal: Principal


def _cases(store: DuckStore, identities: list[int], count: int, seed: int) -> list[_Case]:
    """Alerts about random events of those identities, in the last third of the days."""
    dice = random.Random(seed)
    cases: list[_Case] = []
    while len(cases) < count:
        day = FIRST_DAY + timedelta(days=dice.randrange(20, DAYS - 1))
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        number = dice.choice(identities)
        rows = store.query(
            "select * from events where identity_id = $id and not failed"
            " order by hash(event_id, $salt) limit 1",
            {"id": f"AROA{number:017}", "salt": dice.random()},
            first=moment,
            last=moment,
        ).rows
        if rows:
            cases.append(_case(rows[0]))
    return cases


def _case(row: dict[str, Any]) -> _Case:
    principal = Principal(
        "AssumedRole",
        arn=row["principal_arn"],
        principal_id=row["principal_id"],
        access_key_id=row["access_key_id"],
        role_arn=row["issuer_arn"],
        session_name=row["session_name"],
        session_created=row["session_created"],
        account_id=row["account_id"],
    )
    alert = Alert(
        id=row["event_id"],
        source="cloudtrail",
        title=row["event_name"],
        severity=None,
        first_seen=row["event_time"],
        last_seen=row["event_time"],
        account_id=row["recipient_account_id"],
        region=row["aws_region"],
        source_ip_address=row["source_ip_address"],
        user_agent=row["user_agent"],
        event_source=row["event_source"],
        event_name=row["event_name"],
        principals=(principal,),
        raw="{}",
        event_id=row["event_id"],
    )
    return _Case(alert, principal)


def _times(store: DuckStore, cases: list[_Case]) -> list[float]:
    """Milliseconds that all five answers took, per alert."""
    took = []
    for case in cases:
        began = time.perf_counter()
        answers = ask_all(case.alert, case.principal, store)
        took.append((time.perf_counter() - began) * 1000)
        failed = [answer.name for answer in answers if answer.status == "failed"]
        assert not failed, (failed, [answer.sentence for answer in answers])
    return took


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def queries(work: Path, full: bool) -> dict[str, Any]:
    """Five answers at 10 million events (and 100 million with --scale full)."""
    found: dict[str, Any] = {"bench": "queries"}
    scales = [10_000_000, 100_000_000] if full else [10_000_000]
    for events in scales:
        store = open_store(make_index(work, events))
        identities = events // EVENTS_PER_IDENTITY
        ordinary = _cases(store, list(range(1, identities)), ALERTS, 1)
        huge = _cases(store, [0], 20, 2)
        unknown = [
            _Case(
                replace(case.alert, event_id=None, id=f"unknown-{number}"),
                Principal("AssumedRole", access_key_id=f"ASIANOBODYKNOWS{number:05}"),
            )
            for number, case in enumerate(ordinary[:50])
        ]
        _times(store, _cases(store, list(range(1, identities)), 5, 3))  # warm
        label = f"{events // 1_000_000}M"
        usual = _times(store, ordinary)
        found[f"{label}_ordinary_p50_ms"] = round(statistics.median(usual), 1)
        found[f"{label}_ordinary_p95_ms"] = round(_p95(usual), 1)
        heavy, nobody = _times(store, huge), _times(store, unknown)
        found[f"{label}_huge_p50_ms"] = round(statistics.median(heavy), 1)
        found[f"{label}_unknown_p50_ms"] = round(statistics.median(nobody), 1)
        found[f"{label}_huge_times_ordinary"] = round(
            statistics.median(heavy) / statistics.median(usual), 2
        )
        found[f"{label}_unknown_times_ordinary"] = round(
            statistics.median(nobody) / statistics.median(usual), 2
        )
        totals = store.totals()
        found[f"{label}_bytes_per_event"] = round(totals["bytes"] / totals["events"], 1)
        found[f"{label}_segments"] = totals["segments"]
        store.close()
    if full:
        found["growth_p95"] = round(found["100M_ordinary_p95_ms"] / found["10M_ordinary_p95_ms"], 2)
    return found


_RAW_QUESTIONS = (
    # who assumed the role
    "select count(*) from r where eventName like 'AssumeRole%'"
    " and responseElements.credentials.accessKeyId = $key",
    # which roles did the identity assume
    "select requestParameters.roleArn, count(*) from r where eventName like 'AssumeRole%'"
    " and userIdentity.principalId = $id group by all",
    # which services did it use
    "select eventSource, count(*) from r where userIdentity.principalId = $id group by all",
    # which interesting calls did it make
    "select eventSource, eventName, errorCode, count(*) from r where userIdentity.principalId = $id"
    " and (errorCode is not null or not regexp_matches(eventName, '^(Get|List|Head|Describe)'))"
    " group by all",
    # what is its baseline
    "select sourceIPAddress, userAgent, count(*) from r where userIdentity.principalId = $id"
    " group by all",
)


def raw_questions(work: Path, full: bool) -> dict[str, Any]:
    """Five answers from the index beside a DuckDB scan of the raw files each, 2 million events."""
    tree, _, _ = tree_of(work, 2_000_000, 160)
    index = work / "index-of-2000000"
    subprocess.run(
        [sys.executable, "-m", "trail", "add", str(tree), "--index", str(index)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    # As it comes: on two cores two questions at a time with a thread each, two threads in all.
    store = open_store(index)
    rows = store.query(
        "select * from events where identity_type = 'AssumedRole' and event_time >= $from"
        " order by hash(event_id) limit 45",
        {"from": datetime(2026, 3, 20, tzinfo=UTC)},
    ).rows
    cases = [_case(row) for row in rows]
    _times(store, cases[:5])
    mine = statistics.median(_times(store, cases[5:]))  # each asked for the first time
    asked = {
        "key": cases[0].principal.access_key_id,
        "id": cases[0].principal.principal_id,
    }
    db = duckdb.connect(config={"threads": 2})
    scans = []
    for question in _RAW_QUESTIONS:
        began = time.perf_counter()
        db.execute(
            "with r as (select unnest(Records, max_depth := 2) from"
            f" read_json_auto('{tree}/**/*.json.gz', maximum_object_size = 200000000))" + question,
            {name: value for name, value in asked.items() if f"${name}" in question},
        ).fetchall()
        scans.append((time.perf_counter() - began) * 1000)
        print(f"  raw scan {scans[-1] / 1000:8.2f} s", file=sys.stderr)
    return {
        "bench": "raw_questions",
        "index_ms": round(mine, 1),
        "raw_ms": round(sum(scans), 1),
        "times_raw": round(sum(scans) / mine),
        "goal": 1000,
    }


if __name__ == "__main__":
    print(json.dumps(queries(Path(sys.argv[1]), "full" in sys.argv[2:])))
