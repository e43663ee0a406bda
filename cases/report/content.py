"""What a report says, as one JSON document: the frozen answers first, else those kept ahead."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cases import enrichment
from cases.canonical import iso, plain
from cases.case import CaseFile, case_file
from cases.database import Database
from cases.documents import ASKED_ABOUT
from cases.evidence import Evidence
from cases.inbox import get_alert
from cases.report.credentials import without_credentials
from cases.verify import verify
from enrich.facts.techniques import plain_name

FORMAT = "backtrail-report-1"


def report_document(
    database: Database, case_id: int, index_id: str | None = None
) -> dict[str, Any]:
    """The case as of now, with the chain's head and what `verify` says of the whole database.

    Answers that were not saved to it are those of the index `index_id` where it has given any, else
    of the one that answered last.

    Secrets that a record or an alert shows are masked in it (see `cases.report.credentials`).
    """
    file = case_file(database, case_id, index_id)
    verification = verify(database)
    answers = _answers(database, file, index_id)
    document = {
        "format": FORMAT,
        "generated_at": iso(database.now()),
        "redacted": False,
        "case": plain(file.case),
        "alerts": _alerts(file),
        "chains": [chain for answer in answers if (chain := _chain(answer)) is not None],
        "answers": answers,
        "pinned": [_pinned(one) for one in file.evidence if one.kind == "event"],
        "timeline": _timeline(file, answers),
        "notes": plain(file.notes),
        "history": plain(file.history),
        "head": {"seq": file.head.seq, "hash": file.head.hash, "text": str(file.head)},
        "verification": {"ok": verification.ok, "problems": list(verification.problems)},
    }
    return without_credentials(document)


def without_identities(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document, whose history says whether names were proven, and not at which provider."""
    history = [
        {**entry, "by": entry["by"] and {"names": entry["by"]["names"]}}
        for entry in document["history"]
    ]
    return {**document, "history": history}


def _alerts(file: CaseFile) -> list[dict[str, Any]]:
    frozen = {one.alert_id: one for one in file.evidence if one.kind == "alert"}
    found = []
    for alert in file.alerts:
        document = plain(alert)
        for gone in ("badges", "enrichment", "enrichment_error", "enriched_at", "case_ids"):
            del document[gone]
        evidence = frozen.get(alert.id)
        if evidence is not None:
            document["principals"] = evidence.document["principals"]
            document["raw"] = evidence.document["raw"]
            document["user_agent"] = evidence.document["user_agent"]
            document["event_source"] = evidence.document["event_source"]
            document["event_name"] = evidence.document["event_name"]
            document["sha256"] = evidence.sha256
        found.append(document)
    return found


def _answers(database: Database, file: CaseFile, index_id: str | None) -> list[dict[str, Any]]:
    frozen = [one for one in file.evidence if one.kind == "answer"]
    # Saved twice, the later one is what the case stands on; the earlier stays in the evidence.
    latest: dict[tuple[str | None, int | None, str], Evidence] = {
        (one.alert_id, one.principal, str(one.document.get("name"))): one for one in frozen
    }
    found = [_frozen_answer(one) for one in latest.values()]
    for alert in file.alerts:
        with database.read() as connection:
            kept_ahead = enrichment.answers_for(connection, alert.id, index_id)
        for kept in kept_ahead:
            if (alert.id, kept.principal, kept.name) not in latest:
                found.append(
                    {
                        **_answer(kept.document),
                        "alert_id": alert.id,
                        "principal": kept.principal,
                        "frozen": False,
                        "index_version": kept.index_version,
                        "records": {},
                        "missing": [],
                        "coverage": {},
                    }
                )
    return found


def _answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """The answer alone: the alert that it is about has a place of its own in the report."""
    return {key: value for key, value in document.items() if key != ASKED_ABOUT}


def _frozen_answer(one: Evidence) -> dict[str, Any]:
    return {
        **_answer(one.document),
        "sources": _sources(one),
        "alert_id": one.alert_id,
        "principal": one.principal,
        "frozen": True,
        "frozen_at": iso(one.frozen_at),
        "frozen_by": one.frozen_by,
        "evidence_id": one.id,
        "sha256": one.sha256,
        "index_version": one.index_version,
        "coverage": one.coverage,
        "records": one.records,
        "missing": list(one.missing),
    }


def _sources(one: Evidence) -> dict[str, Any]:
    """Event id → what its source file was when it was indexed, and whether it still was so when
    this was frozen. Without the file's path, which tells of the machine rather than of the case."""
    found: Mapping[str, Any] = one.document.get("sources") or {}
    kept = ("sha256", "source_ordinal", "checked", "sha256_now", "file_changed")
    return {  # what was frozen by an older version has not all of them
        event_id: {name: source[name] for name in kept if name in source}
        for event_id, source in found.items()
    }


def known_of(database: Database, case_id: int) -> list[Any]:
    """What else the case's own data names: a redacted report must not name them in a person's text.

    Every piece of evidence with its records, earlier savings of an answer too, and each alert as
    it stands in the inbox.
    """
    file = case_file(database, case_id)
    known: list[Any] = [
        (
            plain(one.document),
            # A record is quoted JSON, whatever its event is.
            [{"raw": record} for record in one.records.values()],
        )
        for one in file.evidence
    ]
    for alert in file.alerts:
        whole = get_alert(database, alert.id)
        known.append({"principals": plain(whole.principals), "raw": whole.raw})
    return known


def _pinned(one: Evidence) -> dict[str, Any]:
    return {
        "event_id": one.document["event_id"],
        "event_name": one.event_name,
        "comment": one.document["comment"],
        "sources": _sources(one),
        "records": one.records,
        "frozen_at": iso(one.frozen_at),
        "frozen_by": one.frozen_by,
        "evidence_id": one.id,
        "sha256": one.sha256,
    }


def rows_in(data: Any, key: str) -> list[Mapping[str, Any]]:
    """The list of objects under that key, whatever an answer of another version holds there."""
    listed = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return []
    return [one for one in listed if isinstance(one, Mapping)]


def _chain(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The hops from the origin down to the alert's session, in the order in which they happened."""
    hops = rows_in(answer.get("data"), "chain")
    if answer.get("name") != "assumed_by" or not hops:
        return None
    origin = answer["data"].get("origin")
    nodes: list[dict[str, Any]] = []
    if isinstance(origin, Mapping):
        nodes.append(
            {
                "kind": "origin",
                "label": origin.get("label") or origin.get("arn") or origin.get("type"),
                "detail": origin.get("arn"),
            }
        )
    for place in range(len(hops) - 1, -1, -1):
        hop = hops[place]
        by = hop.get("by")
        # A sign-in makes a session that has neither role nor key: the next hop's caller is it.
        made = hops[place - 1].get("by") if place else None
        nodes.append(
            {
                "kind": "hop",
                "label": hop.get("role_arn")
                or hop.get("minted_access_key_id")
                or (made.get("arn") if isinstance(made, Mapping) else None),
                "detail": hop.get("session_name"),
                "by": by.get("arn") if isinstance(by, Mapping) else None,
                "event_name": hop.get("event_name"),
                "event_time": hop.get("event_time"),
                "event_id": hop.get("event_id"),
                "interface": hop.get("interface"),
                "method": hop.get("method"),
                "confidence": hop.get("confidence"),
                "source_ip_address": hop.get("source_ip_address"),
            }
        )
    return {
        "alert_id": answer["alert_id"],
        "principal": answer["principal"],
        "sentence": answer.get("sentence"),
        "nodes": nodes,
    }


def _timeline(file: CaseFile, answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def put(at: Any, what: str, detail: Any) -> None:
        if isinstance(at, str) and at:
            found.append({"at": at, "what": what, "detail": "" if detail is None else str(detail)})

    for alert in file.alerts:
        if alert.first_seen is not None:
            put(iso(alert.first_seen), "alert first seen", alert.title)
        if alert.last_seen is not None and alert.last_seen != alert.first_seen:
            put(iso(alert.last_seen), "alert last seen", alert.title)
        put(iso(alert.first_arrival), "alert arrived", alert.title)
    for answer in answers:
        data = answer.get("data")
        for hop in rows_in(data, "chain"):
            put(hop.get("event_time"), str(hop.get("event_name")), hop.get("role_arn"))
        for role in rows_in(data, "roles"):
            put(role.get("first"), f"role assumed: {role.get('result')}", role.get("role_arn"))
        for call in rows_in(data, "calls"):
            name = f"{call.get('event_source')} {call.get('event_name')}"
            put(call.get("first"), "interesting call", name)
    for pinned in file.evidence:
        if pinned.kind == "event":
            put(_event_time(pinned), "pinned event", _call_of(pinned))
    for entry in file.history:
        put(entry.at, entry.action, entry.actor)
    # Fixed-width and short ISO forms mix: compare them to the second, then by their order here.
    return sorted(found, key=lambda one: one["at"][:19])


def _call_of(pinned: Evidence) -> str:
    """ "GetSecretValue 1f0c…": an id alone says nothing to whoever reads."""
    called = plain_name(pinned.event_name) if pinned.event_name else None
    return " ".join((*((called,) if called else ()), pinned.document["event_id"]))


def _event_time(pinned: Evidence) -> str | None:
    for record in pinned.records.values():
        try:
            document = json.loads(record)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict) and isinstance(document.get("eventTime"), str):
            return str(document["eventTime"])
    return None
