"""Any pasted or received text becomes `Alert`s; detections find alerts in the event table."""

from __future__ import annotations

from alerts.account_of_key import account_of_key
from alerts.alert import Alert, Principal, TimeQuestion
from alerts.correct import CorrectionRefused, correct, principal_from
from alerts.parse import parse_alerts

__all__ = [
    "Alert",
    "CorrectionRefused",
    "Principal",
    "TimeQuestion",
    "account_of_key",
    "correct",
    "parse_alerts",
    "principal_from",
]
