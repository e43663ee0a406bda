"""What of an alert a call can share, as SQL, and the reads of the principal's calls beside it.

All windows here are half-open: their first instant is in them, their last is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alerts.alert import Alert
from enrich.calls.calls_sql import COUNTED, bounds, calls_in, grouped_calls
from enrich.calls.history import History, one_copy_each
from enrich.calls.replaced import replaced_caveats
from enrich.entity import Match
from enrich.facts.techniques import plain_name
from enrich.sql_text import like_text, values_in
from enrich.window import Window
from trail.store import Query, Store

COMPARED = ("source_ip_address", "user_agent", "event_name", "event_source", "aws_region")
"""The event table's columns in which an alert is compared with a history."""


@dataclass(frozen=True)
class Likeness:
    """An alert beside its principal's calls: the entity's, and the whole role's around them."""

    alert: Alert
    store: Store
    entity: Match
    whole: Match

    @property
    def in_entity(self) -> str:
        """Whether a row of the whole role is the entity's, never null."""
        if not self.whole.is_role or self.entity.role_filter is None:
            return "true"
        return f"coalesce({self.entity.role_filter}, false)"

    @property
    def conditions(self) -> dict[str, str]:
        """What makes a row equal to the alert, for each attribute the alert has."""
        return alike(self.alert)[0]

    def parameters(self, *texts: str) -> dict[str, Any]:
        """The values that the texts mention, and the principal's."""
        values = {**alike(self.alert)[1], **self.entity.parameters}
        return values_in(" ".join(texts), values) | dict(self.whole.parameters)

    def history(self, window: Window) -> tuple[History, Query]:
        """The principal's calls, each group beside the alert."""
        found = self.store.query(
            sql := grouped_calls(
                {
                    "day": "day",
                    "in_entity": self.in_entity,
                    "session_name": "session_name",
                    "source_ip_address": "source_ip_address",
                    "user_agent": "user_agent",
                    "aws_region": "aws_region",
                    "error_code": "error_code",
                    "failed": "failed",
                    **{f"is_{f}": f"coalesce({sql}, false)" for f, sql in self.conditions.items()},
                },
                calls_in(self.whole.sql, open_end=True),
            ),
            self.parameters(sql) | bounds(self.whole.sql, window),
            first=window.first,
            last=window.last,
        )
        groups = one_copy_each(found.rows)
        caveats = replaced_caveats(found.rows, self.whole, self.store, window)
        return History(tuple(self.conditions), groups, caveats), found.query

    def last_seen(self, window: Window) -> tuple[dict[str, Any], Query]:
        """`events`, and when each of the alert's attributes was last seen: `<column>_last`."""
        alone = "coalesce(sum(n) filter (where call_id is null), 0)"
        columns = [f"cast({alone} + count(distinct call_id) as bigint) as events"]
        for field, condition in self.conditions.items():
            columns.append(f"max(last_time) filter (where {condition}) as {field}_last")
        relation = calls_in(self.whole.sql, open_end=True)
        found = self.store.query(
            sql := f"select {', '.join(columns)} from {relation} as calls where {COUNTED}",
            self.parameters(sql) | bounds(self.whole.sql, window),
            first=window.first,
            last=window.last,
        )
        return found.rows[0], found.query


def alike(alert: Alert) -> tuple[dict[str, str], dict[str, Any]]:
    """The condition that a row is like the alert, for each attribute the alert has; the values."""
    conditions = {}
    if alert.source_ip_address is not None:
        conditions["source_ip_address"] = "source_ip_address = $alert_ip"
    if alert.user_agent is not None:
        conditions["user_agent"] = "user_agent = $alert_agent"
    if alert.event_name is not None:
        # GuardDuty names the API without the version date that Lambda logs it with.
        name = "(event_name = $alert_name or event_name like $alert_dated escape '!')"
        if alert.event_source is not None:
            name = f"({name} and event_source = $alert_source)"
        conditions["event_name"] = name
    if alert.event_source is not None:
        conditions["event_source"] = "event_source = $alert_source"
    if alert.region is not None:
        conditions["aws_region"] = "aws_region = $alert_region"
    plain = plain_name(alert.event_name or "")
    return conditions, {
        "alert_ip": alert.source_ip_address,
        "alert_agent": alert.user_agent,
        "alert_name": plain,
        "alert_dated": f"{like_text(plain)}20______%",
        "alert_source": alert.event_source,
        "alert_region": alert.region,
    }


def value_of(alert: Alert, column: str) -> Any:
    """The alert's own value for one of the `COMPARED` columns."""
    return getattr(alert, "region" if column == "aws_region" else column)
