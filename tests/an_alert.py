"""An alert for tests: a literal record put through the real parser, and the questions of chains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from alerts.alert import Alert
from alerts.parse import parse_alerts
from enrich.answer import Answer
from enrich.questions.assumed_by import ASSUMED_BY
from enrich.questions.roles_assumed import ROLES_ASSUMED
from tests.answered import as_written
from tests.memory_store import MemoryStore


def an_alert(record: Mapping[str, Any], **principal: Any) -> Alert:
    """The alert of one CloudTrail record; `principal` replaces fields of its principal."""
    (alert,) = parse_alerts(json.dumps(record))
    return replace(alert, principals=(replace(alert.principals[0], **principal),))


def who_assumed(alert: Mapping[str, Any] | Alert, records: Iterable[Mapping[str, Any]]) -> Answer:
    """`assumed_by` for a record or an alert, asked of an index of exactly these records."""
    asked = alert if isinstance(alert, Alert) else an_alert(alert)
    return as_written(ASSUMED_BY.ask(asked, asked.principals[0], MemoryStore(records)))


def which_roles(alert: Mapping[str, Any] | Alert, records: Iterable[Mapping[str, Any]]) -> Answer:
    """`roles_assumed` for a record or an alert, asked of an index of exactly these records."""
    asked = alert if isinstance(alert, Alert) else an_alert(alert)
    return as_written(ROLES_ASSUMED.ask(asked, asked.principals[0], MemoryStore(records)))
