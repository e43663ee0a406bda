"""What of an alert a call can share, as SQL, and the reads that count the principal's calls by it.

All windows here are half-open: their first instant is in them, their last is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alerts.alert import Alert
from enrich.calls_sql import bounds, calls_in, grouped_calls
from enrich.entity import Match, values_in
from enrich.newest import Found, newest_events
from enrich.techniques import plain_name
from enrich.window import Window
from trail.store import Query, Store

COMPARED = ("source_ip_address", "user_agent", "event_name", "event_source", "aws_region")
"""The event table's columns in which an alert is compared with a history."""

SAME_CALL = {
    "same_ip_and_agent": ("event_name", "source_ip_address", "user_agent"),
    "same_ip": ("event_name", "source_ip_address"),
    "same_agent": ("event_name", "user_agent"),
}
"""The counts of the alert's own call, and what a call must share to be in each."""

GROUPS = 5_000
"""How many (IP, user agent) pairs are compared at all; past that a caveat says so."""


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
        alert, conditions = self.alert, {}
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
        return conditions

    def parameters(self, *texts: str) -> dict[str, Any]:
        """The values that the texts mention, and the principal's."""
        alert, name = self.alert, plain_name(self.alert.event_name or "")
        escaped = name.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        values = {
            "alert_ip": alert.source_ip_address,
            "alert_agent": alert.user_agent,
            "alert_name": name,
            "alert_dated": f"{escaped}20______%",
            "alert_source": alert.event_source,
            "alert_region": alert.region,
            **self.entity.parameters,
        }
        return values_in(" ".join(texts), values) | dict(self.whole.parameters)

    def totals(self, window: Window) -> tuple[dict[str, Any], Query]:
        """Every count that the answer needs, in one row: `entity_…` and `whole_…`."""
        same = self.conditions
        keys = {
            "day": "day",
            "session_name": "session_name",
            "in_entity": self.in_entity,
            **{f"is_{field}": f"coalesce({sql}, false)" for field, sql in same.items()},
        }
        sums, firsts, lasts, days = {}, {}, {}, {}
        for scope, base in (("entity", "in_entity"), ("whole", "true")):
            days[f"{scope}_active_days"] = base
            for field, condition in {
                "events": base,
                **{f: f"{base} and is_{f}" for f in same},
            }.items():
                sums[f"{scope}_{field}"] = condition
                firsts[f"{scope}_{field}_first"] = lasts[f"{scope}_{field}_last"] = condition
            for name, fields in SAME_CALL.items():
                # Without the API, the address or the agent there is nothing to count by: null.
                if all(field in same for field in fields):
                    sums[f"{scope}_{name}"] = " and ".join([base, *(f"is_{f}" for f in fields)])
        # By session first: distinct counts of sessions would take longer to plan than to run.
        of_each = [
            *(f"{_sum(sql)} as {name}" for name, sql in sums.items()),
            *(f"min(first_time) filter (where {sql}) as {name}" for name, sql in firsts.items()),
            *(f"max(last_time) filter (where {sql}) as {name}" for name, sql in lasts.items()),
            *(f"bit_or({_DAY}) filter (where {sql}) as {name}" for name, sql in days.items()),
            *(f"bool_or(is_{field}) as has_{field}" for field in same),
        ]
        columns = [
            *(f"cast(coalesce(sum({name}), 0) as bigint) as {name}" for name in sums),
            *(f"min({name}) as {name}" for name in firsts),
            *(f"max({name}) as {name}" for name in lasts),
            *(f"coalesce(bit_count(bit_or({name})), 0) as {name}" for name in days),
            "count(session_name) as sessions",
            *(f"count(session_name) filter (where has_{f}) as sessions_{f}" for f in same),
        ]
        relation = grouped_calls(keys, calls_in(self.whole.sql, open_end=True))
        rows, query = self._ask(
            f"""
            select {", ".join(columns)} from (
                select session_name, {", ".join(of_each)} from {relation} as calls
                group by session_name
            ) as sessions
            """,
            window,
        )
        return rows[0], query

    def pairs(self, window: Window) -> tuple[list[dict[str, Any]], Query]:
        """(IP, user agent) with counts, apart by scope and by whether the API is the alert's."""
        keys = {
            "in_entity": self.in_entity,
            "same_api": f"coalesce({self.conditions.get('event_name', 'false')}, false)",
            "source_ip_address": "source_ip_address",
            "user_agent": "user_agent",
        }
        return self.groups(
            f"{', '.join(keys)}, {_sum()} as calls,"
            " min(first_time) as first, max(last_time) as last",
            keys,
            window,
            f"group by 1, 2, 3, 4 order by calls desc, 3, 4, 1, 2 limit {GROUPS}",
        )

    def rhythm(self, window: Window) -> tuple[list[dict[str, Any]], Query]:
        """Calls per hour of the day (UTC), or region, or error code, told apart by `no_…`."""
        keys = {
            "hour": "hour",
            "aws_region": "aws_region",
            "error_code": "error_code",
            "failed": "failed",
            "in_entity": self.in_entity,
        }
        return self.groups(
            "hour, aws_region, error_code, grouping(hour) as no_hour,"
            f" grouping(aws_region) as no_region, {_sum()} as calls,"
            f" {_sum('in_entity')} as of_entity, {_sum('failed')} as failed",
            keys,
            window,
            "group by grouping sets ((hour), (aws_region), (error_code))",
            by_hour=True,
        )

    def last_seen(self, window: Window) -> tuple[dict[str, Any], Query]:
        """`events`, and when each of the alert's attributes was last seen: `<column>_last`."""
        columns = [f"{_sum()} as events"]
        for field in self.conditions:
            columns.append(f"max(last_time) filter (where is_{field}) as {field}_last")
        keys = {f"is_{field}": condition for field, condition in self.conditions.items()}
        rows, query = self.groups(", ".join(columns), keys, window)
        return rows[0], query

    def newest(
        self, totals: Mapping[str, Any], limit: int
    ) -> tuple[tuple[str, ...], tuple[Query, ...]]:
        """The newest events that are like the alert: the same API, else the same address.

        `totals` says how many there are and between which times.
        """
        same = self.conditions
        field = next((f for f in ("event_name", "source_ip_address") if f in same), "events")
        count, first, last = (totals[f"whole_{field}{end}"] for end in ("", "_first", "_last"))
        found = [Found(count, first, last)] if count else []
        like = f"{self.whole.sql} and {same.get(field, 'true')}"
        rows, queries = newest_events(self.store, like, self.parameters(like), found, limit)
        return tuple(row["event_id"] for row in rows), queries

    def groups(
        self,
        columns: str,
        keys: Mapping[str, str],
        window: Window,
        ending: str = "",
        *,
        by_hour: bool = False,
    ) -> tuple[list[dict[str, Any]], Query]:
        """Columns over the calls of a half-open window, grouped by keys first (`grouped_calls`)."""
        relation = calls_in(self.whole.sql, open_end=True, by_hour=by_hour)
        return self._ask(
            f"select {columns} from {grouped_calls(keys, relation)} as calls {ending}",
            window,
        )

    def _ask(self, sql: str, window: Window) -> tuple[list[dict[str, Any]], Query]:
        found = self.store.query(
            sql,
            self.parameters(sql) | bounds(self.whole.sql, window),
            first=window.first,
            last=window.last,
        )
        return found.rows, found.query


def value_of(alert: Alert, column: str) -> Any:
    """The alert's own value for one of the `COMPARED` columns."""
    return getattr(alert, "region" if column == "aws_region" else column)


_DAY = "(1::bigint << cast(day - cast($window_first as date) as integer))"
"""A bit for each day of a window."""


def _sum(condition: str = "true") -> str:
    return f"cast(coalesce(sum(n) filter (where {condition}), 0) as bigint)"
