"""Literal alerts, answers, stores and cases for the tests of `cases`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from alerts.alert import Alert, Principal
from cases import case, inbox, users
from cases.database import Database
from enrich import QUESTIONS
from enrich.answer import Answer, Status
from tests.an_event import a_key
from trail.errors import SourceUnreadable
from trail.store import Coverage, IndexSummary, Query, QueryResult
from trail.store.reread import RawRecord

START = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ACCOUNT = "111122223333"
FINDING = "3cb8a1d2e4f5061728394a5b6c7d8e9f"


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


def add_people(database: Database) -> None:
    users.add_user(database, "lea", "lea", "lead")
    users.add_user(database, "lea", "lou", "lead")
    users.add_user(database, "lea", "ann", "analyst")
    users.add_user(database, "lea", "abe", "analyst")
    users.add_user(database, "lea", "vic", "viewer")


def a_role_principal(session: str = "bob@example.com", **changes: Any) -> Principal:
    """A session of the role reader."""
    fields: dict[str, Any] = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/{session}",
        "principal_id": f"AROAREADERXXXXXXXXXXX:{session}",
        "access_key_id": "ASIAROLESESSION00001",
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/reader",
        "session_name": session,
        "session_created": START - timedelta(minutes=10),
        "account_id": ACCOUNT,
    }
    return Principal(**{**fields, **changes})


def a_user_principal(name: str = "alice", **changes: Any) -> Principal:
    """An IAM user with a long-term key."""
    fields: dict[str, Any] = {
        "type": "IAMUser",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "principal_id": f"AIDA{name.upper():X<17}",
        "access_key_id": a_key(name),
        "user_name": name,
        "account_id": ACCOUNT,
    }
    return Principal(**{**fields, **changes})


def an_alert(**changes: Any) -> Alert:
    """A GuardDuty finding of severity 5 on a session of the role reader."""
    fields: dict[str, Any] = {
        "id": FINDING,
        "source": "guardduty",
        "title": "The role reader was used from an unusual place",
        "severity": 5.0,
        "first_seen": START - timedelta(hours=2),
        "last_seen": START - timedelta(hours=1),
        "account_id": ACCOUNT,
        "region": "eu-west-1",
        "source_ip_address": "198.51.100.7",
        "user_agent": None,
        "event_source": "s3.amazonaws.com",
        "event_name": "ListBuckets",
        "principals": (a_role_principal(),),
        "raw": json.dumps({"Id": changes.get("id", FINDING), "Type": "Discovery:S3/Anomalous"}),
        "finding_type": "Discovery:S3/AnomalousBehavior",
    }
    return Alert(**{**fields, **changes})


def an_id(number: int) -> str:
    """A GuardDuty finding id."""
    return f"{number:032x}"


def an_answer(name: str = "services_used", **changes: Any) -> Answer:
    """An answered question with one event of evidence."""
    fields: dict[str, Any] = {
        "name": name,
        "question": f"What about {name}?",
        "status": "answered",
        "sentence": f"{name} was looked at.",
        "data": {},
        "evidence": ("11111111-0000-4000-8000-000000000001",),
        "queries": (Query("select 1 from events where event_id = $id", {"id": "e1"}, 1.5, 1),),
        "elapsed_ms": 2.5,
    }
    return Answer(**{**fields, **changes})


def a_chain_answer() -> Answer:
    """bob@example.com's session of reader was minted by alice's long-term key."""
    return an_answer(
        "assumed_by",
        question="Who assumed this role?",
        sentence="alice assumed reader from the command line.",
        data=_read(
            "assumed_by",
            {
                "chain": [
                    {
                        "event_id": "11111111-0000-4000-8000-000000000001",
                        "event_time": "2026-03-10T11:50:00Z",
                        "event_name": "AssumeRole",
                        "method": "access_key",
                        "rule": "R1",
                        "confidence": "certain",
                        "time_distance_s": 0,
                        "candidates": [],
                        "interface": "cli_sdk",
                        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/reader",
                        "session_name": "bob@example.com",
                        "minted_access_key_id": "ASIAROLESESSION00001",
                        "source_ip_address": "198.51.100.7",
                        "user_agent": "aws-cli/2.15.0",
                        "by": {
                            "type": "IAMUser",
                            "arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
                            "principal_id": "AIDAALICEXXXXXXXXXXXX",
                            "access_key_id": "AKIAALICEXQXQXQXQXQX",
                            "user_name": "alice",
                        },
                    }
                ],
                "origin": {
                    "type": "IAMUser",
                    "arn": f"arn:aws:iam::{ACCOUNT}:user/alice",
                    "label": "alice",
                    "field": "by.arn",
                },
                "forward": {},
            },
        ),
    )


def five_answers(**statuses: Status) -> list[Answer]:
    """One answer to each of the five questions, true to the contract's keys."""
    window = {"from": "2026-03-03T10:00:00Z", "to": "2026-03-10T11:00:00Z"}
    call = {
        "event_source": "s3.amazonaws.com",
        "event_name": "PutBucketPolicy",
        "error_code": None,
        "count": 2,
        "first": "2026-03-10T10:01:00Z",
        "last": "2026-03-10T10:05:00Z",
        "reasons": ["changes access"],
        "techniques": [],
    }
    pair = {
        "source_ip_address": "198.51.100.7",
        "user_agent": "aws-cli/2.15.0",
        "count": 3,
        "first": "2026-02-26T10:00:00Z",
        "last": "2026-03-09T10:00:00Z",
    }
    datas: dict[str, Mapping[str, Any]] = {
        "roles_assumed": {
            **window,
            "roles": [
                {
                    "role_arn": f"arn:aws:iam::{ACCOUNT}:role/admin",
                    "result": "failure",
                    "error_code": "AccessDenied",
                    "reason_class": "not_trusted",
                    "interface": "cli_sdk",
                    "count": 4,
                    "first": "2026-03-10T10:10:00Z",
                    "last": "2026-03-10T10:12:00Z",
                    "source_ip_addresses": ["198.51.100.7"],
                    "after_alert": False,
                }
            ],
            "targets_unknown": 0,
            "enumeration": None,
        },
        "services_used": {
            **window,
            "total": 12,
            "services": [
                {
                    "event_source": "s3.amazonaws.com",
                    "service": "S3",
                    "count": 12,
                    "failed": 1,
                    "first": "2026-03-10T10:00:00Z",
                    "last": "2026-03-10T10:59:00Z",
                }
            ],
        },
        "interesting_calls": {
            **window,
            "total": 2,
            "failed": 0,
            "calls": [call],
            "sensitive_reads": [],
        },
        "baseline": {
            **window,
            "scope": "entity",
            "events": 40,
            "active_days": 5,
            "same_api": {
                "same_ip_and_agent": 3,
                "same_ip": 3,
                "same_agent": 3,
                "pairs": [pair],
            },
            "all_apis": {"pairs": [pair]},
            "new": [],
            "whole_role": {},
        },
    }
    chain = a_chain_answer()
    rest = [an_answer(name, data=_read(name, data)) for name, data in datas.items()]
    return [
        an_answer(
            a.name,
            question=a.question,
            sentence=a.sentence,
            data=a.data,
            evidence=a.evidence,
            status=statuses.get(a.name, "answered"),
        )
        for a in [chain, *rest]
    ]


def _read(name: str, data: Mapping[str, Any]) -> Any:
    """The data as that question's answer holds them."""
    empty = next(one.empty_data() for one in QUESTIONS if one.name == name)
    return msgspec.convert(data, type(empty))


class LiteralStore:
    """An index that holds exactly the given raw records, and no more than `Store` promises."""

    def __init__(
        self, records: Mapping[str, str] | None = None, *, gone: Collection[str] = ()
    ) -> None:
        self.records = dict(records or {})
        self.gone = set(gone)
        self.index_version = "v1"

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        first: datetime | None = None,
        last: datetime | None = None,
    ) -> QueryResult:
        return QueryResult([], Query(sql, parameters or {}))

    def coverage(
        self, account_ids: Collection[str] | None, first: datetime, last: datetime
    ) -> Coverage:
        days = (first.date(), last.date())
        return Coverage(first, last, days, (), len(self.records))

    def summary(self) -> IndexSummary:
        return IndexSummary(START, START, len(self.records), (ACCOUNT,), ("eu-west-1",))

    def version(self) -> str:
        return self.index_version

    def raw_records(self, event_ids: Sequence[str]) -> dict[str, str]:
        if self.gone & set(event_ids):
            raise SourceUnreadable("A source file has gone.")
        return {one: self.records[one] for one in event_ids if one in self.records}

    def read_again(self, event_ids: Sequence[str]) -> dict[str, RawRecord | SourceUnreadable]:
        found: dict[str, RawRecord | SourceUnreadable] = {}
        for n, one in enumerate(event_ids):
            if one in self.gone:
                found[one] = SourceUnreadable("A source file has gone.")
            elif one in self.records:
                found[one] = RawRecord(self.records[one], "/logs/a.json", n, n, "ab" * 32, "file")
        return found


def put_in_inbox(database: Database, *alerts: Alert, actor: str = "ann") -> list[str]:
    """The inbox ids of the given alerts (of the usual one, if none is given)."""
    return [one.id for one in inbox.receive(database, actor, alerts or (an_alert(),))]


def a_case(database: Database, *alerts: Alert, actor: str = "ann") -> case.Case:
    """An open case on the given alerts."""
    return case.open_case(database, actor, put_in_inbox(database, *alerts, actor=actor))


def a_closed_case(database: Database, *alerts: Alert, verdict: Any = "benign") -> case.Case:
    """A case that ann closed as benign."""
    opened = a_case(database, *alerts)
    return case.close_case(
        database, "ann", opened.id, opened.version, verdict=verdict, reason="A planned change."
    )
