"""Any pasted or received text becomes `Alert`s; detections find alerts in the event table."""

from __future__ import annotations

from alerts.alert import Alert, Principal

__all__ = ["Alert", "Principal"]
