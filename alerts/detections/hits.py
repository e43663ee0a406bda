"""Events that a rule found → the `Alert`s that they are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule

from alerts.alert import Alert, Principal
from alerts.detections.correlation import Row, Stretch
from alerts.kinds.cloudtrail import principal_of_row
from trail.counted import counted

MAX_CITED = 200
"""Event ids that one alert cites: all, or those from the turning event on."""
MAX_PRINCIPALS = 20
TRIED = " (tried, and failed)"
"""What a title says of calls none of which succeeded, unless the rule's own does."""
_SAYS_SO = re.compile(r"denied|refused|failed|tried", re.I)
MAX_SAID = 5
"""Sentences on the content of its calls that one alert has."""

SEVERITIES = {"informational": 1.0, "low": 2.0, "medium": 5.0, "high": 7.0, "critical": 9.0}
"""Sigma's levels on GuardDuty's scale: the lower end of each of its bands."""


def by_session_and_day(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each session, or user, on each UTC day."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(_session_and_day(row), []).append(row)
    return list(groups.values())


def merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The stretches of each session, or user, that turned on one UTC day, as one, in its order."""
    groups: dict[tuple[Any, ...], list[Stretch]] = {}
    for stretch in stretches:
        key = (*_session(stretch.rows[0]), stretch.turning["event_time"].date())
        groups.setdefault(key, []).append(stretch)
    found: list[Stretch] = []
    for members in groups.values():
        rows = {row["event_id"]: row for stretch in members for row in stretch.rows}
        turning = min((stretch.turning for stretch in members), key=_order)
        found.append(Stretch(sorted(rows.values(), key=_order), turning))
    return found


def _order(row: Row) -> tuple[Any, ...]:
    return (row["event_time"], row["event_id"])


def _session_and_day(row: Row) -> tuple[Any, ...]:
    return (*_session(row), row["event_time"].date())


def _session(row: Row) -> tuple[Any, ...]:
    return (row["recipient_account_id"], row["identity_id"], row["session_name"])


def alert_of(
    rule: SigmaRule | SigmaCorrelationRule,
    rows: Sequence[Row],
    file: str,
    distinct: str | None = None,
    turning: Row | None = None,
) -> Alert:
    """One alert for all of the rows, which are in order of time.

    The turning row gives its call, address and first principal: the first row, or for a
    correlation the one that made them enough, since what came before it may be ordinary.
    `distinct` names the column whose different values a correlation counted.
    """
    start, end = rows[0], rows[-1]
    turning = turning or start
    techniques, tactics = techniques_of(rule), tactics_of(rule)
    event_ids = list(dict.fromkeys(row["event_id"] for row in rows))
    position = event_ids.index(turning["event_id"])
    cited = tuple(event_ids[max(0, min(position, len(event_ids) - MAX_CITED)) :][:MAX_CITED])
    principals: dict[tuple[str | None, str | None], Principal] = {}
    for row in (turning, *rows):
        principal, _ = principal_of_row(row)
        if len(principals) < MAX_PRINCIPALS:
            principals.setdefault((principal.arn, principal.principal_id), principal)
    level = rule.level.name.lower() if rule.level is not None else ""
    found = counted(len(event_ids), "event")
    if distinct is not None:
        found += f" with {counted(len({row[distinct] for row in rows}), 'different value')}"
    notes = [f"Found by the Sigma rule {rule.title!r}: {found}."]
    done = [row for row in rows if not row["failed"]]
    if done and len(done) < len(rows):
        notes.append(
            f"{counted(len(rows) - len(done), 'event')} of them failed; the first that succeeded"
            f" was at {done[0]['event_time']:%Y-%m-%d %H:%M:%S} UTC."
        )
    said = list(dict.fromkeys(one for row in rows for one in row.get("said", ())))
    notes += said[:MAX_SAID]
    if len(said) > MAX_SAID:
        notes.append(f"{counted(len(said) - MAX_SAID, 'more call')} of the kind.")
    if rule.description:
        notes.append(" ".join(rule.description.split()))
    if techniques or tactics:
        notes.append("ATT&CK: " + ", ".join([*techniques, *tactics]) + ".")
    if len(event_ids) > MAX_CITED:
        notes.append(f"Only {MAX_CITED} of its events are cited.")
    evidence = {
        "rule": {"title": rule.title, "id": str(rule.id or ""), "file": file, "level": level},
        "techniques": techniques,
        "first_seen": start["event_time"].isoformat(),
        "last_seen": end["event_time"].isoformat(),
        "event_ids": list(cited),
    }
    return Alert(
        id=_id_of(rule, start, turning),
        source="sigma",
        title=rule.title + (TRIED if not done and not _SAYS_SO.search(rule.title) else ""),
        severity=SEVERITIES.get(level),
        first_seen=start["event_time"],
        last_seen=end["event_time"],
        account_id=turning["recipient_account_id"],
        region=turning["aws_region"],
        source_ip_address=turning["source_ip_address"],
        user_agent=turning["user_agent"],
        event_source=turning["event_source"],
        event_name=turning["event_name"],
        principals=tuple(principals.values()),
        raw=json.dumps(evidence, ensure_ascii=False, indent=2),
        error_code=turning["error_code"],
        event_id=turning["event_id"],
        event_ids=cited,
        finding_type=", ".join(techniques) or None,
        shape=f"Sigma rule ({file})",
        notes=tuple(notes),
        origins={
            name: f"event {turning['event_id']}"
            for name in ("source_ip_address", "user_agent", "event_name", "principals[0]")
        },
    )


def techniques_of(rule: SigmaRule | SigmaCorrelationRule) -> list[str]:
    """The ATT&CK techniques that the rule's tags name."""
    return [tag.name.upper() for tag in rule.tags if _is_technique(tag.namespace, tag.name)]


def tactics_of(rule: SigmaRule | SigmaCorrelationRule) -> list[str]:
    """The ATT&CK tactics that the rule's tags name."""
    return [
        tag.name.replace("_", "-")
        for tag in rule.tags
        if tag.namespace == "attack" and not _is_technique(tag.namespace, tag.name)
    ]


def _is_technique(namespace: str, name: str) -> bool:
    return namespace == "attack" and name[:1] in "tT" and name[1:5].isdigit()


def _id_of(rule: SigmaRule | SigmaCorrelationRule, start: Row, turning: Row) -> str:
    day = turning["event_time"].date()
    parts = (str(rule.id or rule.title), *map(str, _session(start)), str(day))
    return "sigma-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
