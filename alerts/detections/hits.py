"""Events that a rule found → the `Alert`s that they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule

from alerts.alert import Alert, Principal
from alerts.cloudtrail import principal_of_row

MAX_CITED = 200
"""Event ids that one alert cites: its first ones."""

SEVERITIES = {"informational": 1.0, "low": 2.0, "medium": 5.0, "high": 7.0, "critical": 9.0}
"""Sigma's levels on GuardDuty's scale: the lower end of each of its bands."""

Row = Mapping[str, Any]


def by_session_and_day(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each session, or user, on each UTC day."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = (
            row["recipient_account_id"],
            row["identity_id"],
            row["session_name"],
            row["event_time"].date(),
        )
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def alert_of(
    rule: SigmaRule | SigmaCorrelationRule,
    rows: Sequence[Row],
    file: str,
    distinct: str | None = None,
) -> Alert:
    """One alert for all of the rows, which are in order of time; the first gives its call.

    `distinct` names the column whose different values a correlation counted.
    """
    start, end = rows[0], rows[-1]
    techniques = [tag.name.upper() for tag in rule.tags if _is_technique(tag.namespace, tag.name)]
    tactics = [
        tag.name.replace("_", "-")
        for tag in rule.tags
        if tag.namespace == "attack" and tag.name.upper() not in techniques
    ]
    event_ids = tuple(dict.fromkeys(row["event_id"] for row in rows))
    principals: list[Principal] = []
    for row in rows:
        principal, _ = principal_of_row(row)
        if principal not in principals and len(principals) < 20:
            principals.append(principal)
    level = rule.level.name.lower() if rule.level is not None else ""
    counted = f"{len(event_ids)} event" + ("s" if len(event_ids) != 1 else "")
    if distinct is not None:
        counted += f" with {len({row[distinct] for row in rows})} different values"
    notes = [f"Found by the Sigma rule {rule.title!r}: {counted}."]
    if rule.description:
        notes.append(" ".join(rule.description.split()))
    if techniques or tactics:
        notes.append("ATT&CK: " + ", ".join([*techniques, *tactics]) + ".")
    if len(event_ids) > MAX_CITED:
        notes.append(f"Only the first {MAX_CITED} of its events are cited.")
    evidence = {
        "rule": {"title": rule.title, "id": str(rule.id or ""), "file": file, "level": level},
        "techniques": techniques,
        "first_seen": start["event_time"].isoformat(),
        "last_seen": end["event_time"].isoformat(),
        "event_ids": list(event_ids[:MAX_CITED]),
    }
    return Alert(
        id=_id_of(rule, start, whole_day=not isinstance(rule, SigmaCorrelationRule)),
        source="sigma",
        title=rule.title,
        severity=SEVERITIES.get(level),
        first_seen=start["event_time"],
        last_seen=end["event_time"],
        account_id=start["recipient_account_id"],
        region=start["aws_region"],
        source_ip_address=start["source_ip_address"],
        user_agent=start["user_agent"],
        event_source=start["event_source"],
        event_name=start["event_name"],
        principals=tuple(principals),
        raw=json.dumps(evidence, ensure_ascii=False, indent=2),
        error_code=start["error_code"],
        event_id=start["event_id"],
        event_ids=event_ids[:MAX_CITED],
        finding_type=", ".join(techniques) or None,
        shape=f"Sigma rule ({file})",
        notes=tuple(notes),
        origins={
            name: f"event {start['event_id']}"
            for name in ("source_ip_address", "user_agent", "event_name", "principals[0]")
        },
    )


def _is_technique(namespace: str, name: str) -> bool:
    return namespace == "attack" and name[:1] in "tT" and name[1:5].isdigit()


def _id_of(rule: SigmaRule | SigmaCorrelationRule, row: Row, *, whole_day: bool) -> str:
    time = row["event_time"]
    parts = (
        str(rule.id or rule.title),
        str(row["recipient_account_id"]),
        str(row["identity_id"]),
        str(row["session_name"]),
        str(time.date() if whole_day else time),
    )
    return "sigma-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
