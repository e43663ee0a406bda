"""Which finding an alert is, however it came: one finding, one row in the inbox."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from alerts.alert import Alert
from cases.canonical import canonical, plain

# A GuardDuty finding id is 32 hex digits; Security Hub names it inside an ARN:
# arn:aws:guardduty:<region>:<account>:detector/<detector>/finding/<id>
_FINDING_ARN = re.compile(
    r"arn:aws[a-z-]*:guardduty:[a-z0-9-]*:[0-9]*:detector/[0-9a-zA-Z]+/finding/([0-9a-zA-Z-]+)"
)
_FINDING_ID = re.compile(r"[0-9a-f]{32}")
_ID_KEYS = ("id", "Id", "uid", "Arn", "arn", "aws/securityhub/FindingId")
_NESTED = ("detail", "finding_info", "metadata", "ProductFields")


def fingerprint(alert: Alert) -> str:
    """The same text for the same finding, from GuardDuty or through Security Hub.

    Safe in a URL. GuardDuty findings go by their finding id, CloudTrail events by account and
    event id, anything else by its source and id; without an id, by its content.
    """
    finding = _guardduty_id(alert)
    if finding:
        return f"guardduty-{finding}"
    # A detection's hit names its event too, but one event may be hit by several rules.
    if alert.event_id and alert.source != "sigma":
        return f"event-{_short([alert.account_id, alert.event_id])}"
    if alert.id:
        return f"alert-{_short([alert.source, alert.account_id, alert.id])}"
    document = plain(alert)
    return f"alert-{_short([alert.source, document['principals'], alert.raw])}"


def _short(parts: list[Any]) -> str:
    return hashlib.sha256(canonical(parts).encode("ascii")).hexdigest()[:32]


def _guardduty_id(alert: Alert) -> str | None:
    found = _FINDING_ARN.search(alert.id)
    if found:
        return found[1].lower()
    if alert.source == "guardduty" and alert.id:
        return _as_id(alert.id)
    if alert.source not in ("securityhub", "guardduty"):
        return None
    # Security Hub may have been given an id of another form; the ARN is then in the finding.
    for text in _ids_in(alert.raw):
        found = _FINDING_ARN.search(text)
        if found:
            return found[1].lower()
    is_guardduty = "guardduty" in alert.raw.lower()
    if is_guardduty and _FINDING_ID.fullmatch(alert.id.lower()):
        return alert.id.lower()
    return None


def _as_id(text: str) -> str:
    plain_id = text.lower()
    return plain_id if re.fullmatch(r"[0-9a-z-]{1,64}", plain_id) else _short([text])


def _ids_in(raw: str) -> list[str]:
    """The id-like values of the finding in the raw text, when it holds exactly one finding."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return []
    found: list[str] = []
    pending: list[Any] = [document]
    while pending:
        one = pending.pop()
        if not isinstance(one, dict):
            continue
        found += [one[key] for key in _ID_KEYS if isinstance(one.get(key), str)]
        pending += [one[key] for key in _NESTED if key in one]
        for key in ("findings", "Findings"):
            inner = one.get(key)
            if isinstance(inner, list) and len(inner) == 1:
                pending.append(inner[0])
    return found
