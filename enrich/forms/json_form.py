"""The command line's JSON object for one alert and its answers (contract 4 of the design)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from alerts.alert import Alert, Principal, TimeQuestion
from enrich.answer import Answer
from enrich.count import Count
from enrich.data.beside import Beside
from enrich.verdict.next_steps import next_steps
from enrich.verdict.weighing import Weighing, weigh
from enrich.window import iso
from trail.store import IndexSummary, Query
from trail.structs import by_key


@dataclass(frozen=True)
class Result:
    """One principal of an alert, and the answers for it in the questions' order."""

    principal: Principal
    answers: tuple[Answer, ...]
    beside: Beside = Beside()


def as_json(alert: Alert, results: Sequence[Result], summary: IndexSummary) -> dict[str, Any]:
    """Plain JSON values only; times are ISO-8601 UTC with "Z"."""
    return {
        "alert": {
            "id": alert.id,
            "source": alert.source,
            "title": alert.title,
            "severity": alert.severity,
            "first_seen": iso(alert.first_seen),
            "last_seen": iso(alert.last_seen),
            "account_id": alert.account_id,
            "region": alert.region,
            "source_ip_address": alert.source_ip_address,
            "user_agent": alert.user_agent,
            "event_source": alert.event_source,
            "event_name": alert.event_name,
            "error_code": alert.error_code,
            "event_id": alert.event_id,
            "finding_type": alert.finding_type,
            "sample": alert.sample,
            "shape": alert.shape,
            "notes": list(alert.notes),
            "time_is_fallback": alert.time_is_fallback,
            "time_question": _question(alert.time_question),
            "unread_times": list(alert.unread_times),
        },
        "results": [
            {
                "principal": _principal(result.principal),
                "coverage": _coverage(summary),
                "answers": [_answer(answer) for answer in result.answers],
                **_weighing(weigh(alert, result.principal, result.answers)),
                "next_steps": [
                    {"title": step.title, "text": step.text, "commands": list(step.commands)}
                    for step in next_steps(
                        alert, result.principal, result.answers, result.beside.ledger
                    )
                ],
                **_beside(result.beside),
            }
            for result in results
        ],
    }


def _question(question: TimeQuestion | None) -> dict[str, Any] | None:
    if question is None:
        return None
    return {
        "text": question.text,
        "assumed": question.assumed,
        "zones": list(question.zones),
        "orders": list(question.orders),
        "earliest": iso(question.earliest),
        "latest": iso(question.latest),
    }


def _weighing(weighing: Weighing) -> dict[str, Any]:
    return {
        "weights": [
            {
                "side": weight.side,
                "sentence": weight.sentence,
                "event_ids": list(weight.event_ids),
                "answer": weight.answer,
                "kind": weight.kind,
                "counts": [_count(count) for count in weight.counts],
            }
            for weight in weighing.lines
        ],
        "not_weighed": [asdict(one) for one in weighing.not_weighed],
    }


def _beside(beside: Beside) -> dict[str, Any]:
    """What stands beside the answers: keys of their own, since the contract's answers are five."""
    parts = {
        "ledger": beside.ledger,
        "after_alert": beside.after,
        "course": beside.course,
        "unseen": beside.unseen,
    }
    names = {"after_alert": "after"}
    return {
        name: {
            **plain(part),
            "queries": [_query(one) for one in beside.queries.get(names.get(name, name), ())],
        }
        for name, part in parts.items()
    }


def _count(count: Count) -> dict[str, Any]:
    """A number that a sentence states, and which events it counts."""
    of = count.of
    return {
        "number": count.number,
        "noun": count.noun,
        "distinct": count.distinct,
        "of": {
            "whose": of.whose,
            "from": iso(of.first),
            "to": iso(of.last),
            "open_end": of.open_end,
            "any_of": plain(of.any_of),
        },
        "event_ids": list(count.event_ids),
    }


def _principal(principal: Principal) -> dict[str, Any]:
    return {
        "type": principal.type,
        "arn": principal.arn,
        "principal_id": principal.principal_id,
        "access_key_id": principal.access_key_id,
        "role_arn": principal.role_arn,
        "session_name": principal.session_name,
        "session_created": iso(principal.session_created),
        "user_name": principal.user_name,
        "account_id": principal.account_id,
        "source_identity": principal.source_identity,
    }


def _coverage(summary: IndexSummary) -> dict[str, Any]:
    return {
        "first": iso(summary.first),
        "last": iso(summary.last),
        "events": summary.events,
        "accounts": list(summary.accounts),
        "regions": list(summary.regions),
        "records": asdict(summary.records) if summary.records is not None else None,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "name": answer.name,
        "question": answer.question,
        "status": answer.status,
        "sentence": answer.sentence,
        "caveats": list(answer.caveats),
        "evidence": list(answer.evidence),
        "elapsed_ms": round(answer.elapsed_ms, 1),
        "data": plain(answer.data),
        "queries": [_query(query) for query in answer.queries],
        "counts": [_count(count) for count in answer.counts],
    }


def _query(query: Query) -> dict[str, Any]:
    return {
        "text": query.text.strip(),
        "parameters": plain(query.parameters),
        "elapsed_ms": round(query.elapsed_ms, 1),
        "rows": query.rows,
    }


def plain(value: Any) -> Any:
    """The value in JSON's own types: times as text, tuples and sets as arrays."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, msgspec.Struct):
        return {key: plain(member) for key, member in by_key(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(member) for member in value)
    return value
