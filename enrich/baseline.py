"""How the alert compares with what the principal did in the two weeks before it.

Window [first_seen - 14 d, first_seen - 12 h): its end is not part of it. For a role there are
two views: "entity" (the alert's session name or source IP) and the whole role; for others the
whole-role view is empty. With fewer than 10 events or 2 active days the entity says nothing, and
the sentence rests on the whole role. `new` names what of the alert is unseen in that view; a
user agent is compared in its normal form, so that a patch version is no news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.alert import Alert, Principal
from enrich.answer import Answer, Enrichment
from enrich.calls_sql import calls, grouped_calls
from enrich.entity import Match, by_identity_id, entity_match, values_in
from enrich.error_classes import error_class
from enrich.ip import ip_facts, network_of, reported_place
from enrich.service_names import service_name
from enrich.techniques import plain_name
from enrich.user_agent import normal_form, parse_user_agent
from enrich.window import NO_ONE, Looked, Window, iso, look, why_not_looked_up
from enrich.words import counted, listed, short
from trail.store import Query, Store

NAME = "baseline"
QUESTION = "Is this normal for the identity, by the 14 days before?"
DAYS = 14
GAP = timedelta(hours=12)
LEAST_EVENTS = 10
LEAST_DAYS = 2
PAIRS = 200
"""How many (IP, user agent) pairs a view lists, the most frequent first."""
GROUPS = 5_000
"""How many pairs are compared at all; past that a caveat says so."""
LOOK_BACK = timedelta(days=35)
"""How far before the window something new is looked for: past the last run of a monthly job."""
EVIDENCE = 200

_COMPARED = ("source_ip_address", "user_agent", "event_name", "event_source", "aws_region")


def empty_view() -> dict[str, Any]:
    return {
        "events": None,
        "active_days": None,
        "same_api": {
            "same_ip_and_agent": None,
            "same_ip": None,
            "same_agent": None,
            "pairs": [],
            "events": None,
            "same_agent_normal_form": None,
        },
        "all_apis": {"pairs": [], "pairs_total": None},
        "new": [],
        "sufficient": None,
        "seen": {},
    }


def empty_data() -> Mapping[str, Any]:
    return {
        "from": None,
        "to": None,
        "scope": "entity",
        **empty_view(),
        "whole_role": empty_view(),
        "user_agent": None,
        "network": None,
        "hours": [],
        "regions": [],
        "errors": [],
        "peers": None,
        "earlier": None,
        "before_dwell": None,
        "unusual": [],
    }


def ask(alert: Alert, principal: Principal, store: Store) -> Answer:
    """The comparison, with the (IP, user agent) pairs it rests on."""
    reason = why_not_looked_up(alert)
    entity = None if reason else entity_match(alert, principal)
    whole = None if reason else entity_match(alert, principal, scope="whole_role")
    if entity is None or whole is None:
        return Answer(NAME, QUESTION, "not_applicable", reason or NO_ONE, empty_data())
    assert alert.first_seen is not None
    window = Window(alert.first_seen - timedelta(days=DAYS), alert.first_seen - GAP)
    looked = look(alert, principal, store, window, open_end=True)
    whole, queries = by_identity_id(whole, store, window.first, window.last)
    scene = _Scene(alert, store, entity, whole)

    totals, query = scene.totals(window)
    queries += (query,)
    data = dict(empty_data()) | {"from": iso(window.first), "to": iso(window.last)}
    status = looked.status(totals["whole_events"])
    if status == "not_covered":
        whose = f"account {looked.account_id}" if looked.account_id else "any account"
        sentence = (
            f"No logs of {whose} are indexed for the {DAYS} days before the alert:"
            " add them to compare with."
        )
        return Answer(NAME, QUESTION, status, sentence, data, (), looked.caveats(), queries)

    pairs, query = scene.pairs(window)
    queries += (query,)
    view = scene.view(totals, "entity", pairs)
    role_view = scene.view(totals, "whole", pairs) if whole.is_role else empty_view()
    rests_on_role = whole.is_role and (entity.role_filter is None or not view["sufficient"])
    data |= view | {
        "whole_role": role_view,
        "scope": "whole_role" if rests_on_role else "entity",
        "user_agent": scene.agent_facts(pairs),
        "network": scene.network_facts(pairs),
        "peers": scene.peers(totals) if whole.is_role else None,
    }
    rhythm, query = scene.rhythm(window)
    queries += (query,)
    data |= rhythm
    telling = role_view if rests_on_role else view
    data["unusual"] = scene.unusual(data, telling)
    if telling["new"] or not telling["sufficient"]:
        data["earlier"], query = scene.earlier(window)
        queries += (query,)
    data["before_dwell"], more = scene.before_dwell(principal, window, totals)
    queries += more
    evidence, query = scene.evidence(window)
    queries += (query,)

    caveats = looked.caveats() + _caveats(pairs, telling, data, evidence)
    sentence = _sentence(alert, entity, data, looked)
    return Answer(NAME, QUESTION, status, sentence, data, evidence, caveats, queries)


@dataclass(frozen=True)
class _Scene:
    """The alert's own attributes, and what the principal's events are compared with them for."""

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

    def groups(
        self, columns: str, keys: Mapping[str, str], window: Window, ending: str = ""
    ) -> tuple[list[dict[str, Any]], Query]:
        """Columns over the calls of a half-open window, grouped by keys first (`grouped_calls`)."""
        condition = (
            f"event_time >= $window_first and event_time < $window_last and {self.whole.sql}"
        )
        sql = f"select {columns} from {grouped_calls(keys, condition)} as calls {ending}"  # noqa: S608 - own pieces, bound
        found = self.store.query(
            sql,
            {**self.parameters(sql), "window_first": window.first, "window_last": window.last},
            first=window.first,
            last=window.last,
        )
        return found.rows, found.query

    def totals(self, window: Window) -> tuple[dict[str, Any], Query]:
        """Every count that the answer needs, in one row: `entity_…` and `whole_…`."""
        same = self.conditions
        keys = {
            "day": "cast(event_time as date)",
            "session_name": "session_name",
            "in_entity": self.in_entity,
            **{f"is_{field}": f"coalesce({sql}, false)" for field, sql in same.items()},
        }
        columns = []
        for scope, base in (("entity", "in_entity"), ("whole", "true")):
            columns += [
                f"{_sum(base)} as {scope}_events",
                f"count(distinct day) filter (where {base}) as {scope}_active_days",
            ]
            for field in same:
                both = f"{base} and is_{field}"
                columns += [
                    f"{_sum(both)} as {scope}_{field}",
                    f"min(first_time) filter (where {both}) as {scope}_{field}_first",
                    f"max(last_time) filter (where {both}) as {scope}_{field}_last",
                ]
            for name, fields in _SAME.items():
                # Without the API, the address or the agent there is nothing to count by: null.
                if all(field in same for field in fields):
                    together = " and ".join([base, *(f"is_{field}" for field in fields)])
                    columns.append(f"{_sum(together)} as {scope}_{name}")
        columns.append("count(distinct session_name) as sessions")
        columns += [
            f"count(distinct session_name) filter (where is_{field}) as sessions_{field}"
            for field in same
        ]
        rows, query = self.groups(", ".join(columns), keys, window)
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

    def view(
        self, totals: Mapping[str, Any], scope: str, pairs: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """The contract's keys for one scope."""
        rows = [row for row in pairs if scope == "whole" or row["in_entity"]]
        same = [row for row in rows if row["same_api"]]
        events, days = totals[f"{scope}_events"], totals[f"{scope}_active_days"]
        alert = self.alert
        form = None if alert.user_agent is None else normal_form(alert.user_agent)
        has_api = alert.event_name is not None

        seen = {
            field: {
                "value": getattr(alert, _ALERT_FIELD.get(field, field)),
                "count": totals[f"{scope}_{field}"],
                "share": round(totals[f"{scope}_{field}"] / events, 4) if events else None,
                "first": iso(totals[f"{scope}_{field}_first"]),
                "last": iso(totals[f"{scope}_{field}_last"]),
            }
            for field in self.conditions
        }
        merged = _merged(rows)
        return {
            "events": events,
            "active_days": days,
            "same_api": {
                **{name: totals.get(f"{scope}_{name}") for name in _SAME},
                "pairs": _merged(same)[:PAIRS],
                "events": totals[f"{scope}_event_name"] if has_api else None,
                "same_agent_normal_form": None
                if form is None or not has_api
                else sum(
                    row["calls"]
                    for row in same
                    if row["user_agent"] is not None and normal_form(row["user_agent"]) == form
                ),
            },
            "all_apis": {"pairs": merged[:PAIRS], "pairs_total": len(merged)},
            "new": self.unseen(seen, rows),
            "sufficient": events >= LEAST_EVENTS and days >= LEAST_DAYS,
            "seen": seen,
        }

    def unseen(
        self, seen: Mapping[str, Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
    ) -> list[str]:
        """The alert's attributes that no row has; never an address that is a service's name."""
        new = [field for field in _COMPARED if field in seen and not seen[field]["count"]]
        if "source_ip_address" in new and not ip_facts(self.alert.source_ip_address).is_address:
            new.remove("source_ip_address")
        if "user_agent" in new and self.alert.user_agent is not None:
            form = normal_form(self.alert.user_agent)
            if any(r["user_agent"] and normal_form(r["user_agent"]) == form for r in rows):
                new.remove("user_agent")
        return new

    def agent_facts(self, pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
        """How far the alert's user agent is known: as it is, in normal form, by its tool."""
        if self.alert.user_agent is None:
            return None
        mine = parse_user_agent(self.alert.user_agent)
        others = {row["user_agent"] for row in pairs if row["user_agent"] is not None}
        parsed = [parse_user_agent(agent) for agent in others]
        return {
            "value": self.alert.user_agent,
            "tool": mine.tool,
            "kind": mine.kind,
            "normal_form": mine.normal_form,
            "seen": self.alert.user_agent in others,
            "normal_form_seen": any(one.normal_form == mine.normal_form for one in parsed),
            "tool_seen": any(one.tool == mine.tool for one in parsed),
            "known_forms": sorted({one.normal_form for one in parsed})[:50],
        }

    def network_facts(self, pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
        """How often the alert's /24 or /64 was seen, whatever the address in it."""
        network = network_of(self.alert.source_ip_address)
        if network is None:
            return None
        place = reported_place(self.alert.raw)
        inside = [row for row in pairs if network_of(row["source_ip_address"]) == network]
        return {
            "network": network,
            "count": sum(row["calls"] for row in inside),
            "addresses": len({row["source_ip_address"] for row in inside}),
            "is": ip_facts(self.alert.source_ip_address).sentence,
            "reported": None if place is None else asdict(place),
        }

    def peers(self, totals: Mapping[str, Any]) -> dict[str, Any]:
        """Sessions of the same role: how many there were, and how many had what the alert has."""
        return {
            "sessions": totals["sessions"],
            **{field: totals[f"sessions_{field}"] for field in self.conditions},
        }

    def rhythm(self, window: Window) -> tuple[dict[str, Any], Query]:
        """Calls per hour of the day (UTC), region and error code, by the view's whole role."""
        keys = {
            "hour": "extract(hour from event_time)",
            "aws_region": "aws_region",
            "error_code": "error_code",
            "failed": "failed",
            "in_entity": self.in_entity,
        }
        rows, query = self.groups(
            "hour, aws_region, error_code, grouping(hour) as no_hour,"
            f" grouping(aws_region) as no_region, {_sum()} as calls,"
            f" {_sum('in_entity')} as of_entity, {_sum('failed')} as failed",
            keys,
            window,
            "group by grouping sets ((hour), (aws_region), (error_code))",
        )
        rows.sort(key=lambda row: -row["calls"])
        hours = {row["hour"]: row for row in rows if row["no_hour"] == 0}
        none = {"calls": 0, "of_entity": 0}
        return {
            "hours": [
                {
                    "hour": hour,
                    "count": hours.get(hour, none)["of_entity"],
                    "whole_role": hours.get(hour, none)["calls"],
                }
                for hour in range(24)
            ],
            "regions": [
                {
                    "aws_region": row["aws_region"],
                    "count": row["of_entity"],
                    "whole_role": row["calls"],
                }
                for row in rows
                if row["no_region"] == 0
            ],
            "errors": [
                {
                    "error_code": row["error_code"],
                    "class": error_class(row["error_code"]),
                    "count": row["failed"],
                }
                for row in rows
                if row["no_hour"] == 1 and row["no_region"] == 1 and row["failed"]
            ],
        }, query

    def unusual(self, data: Mapping[str, Any], telling: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What is odd without being a new value: the hour, the network, the way it failed.

        Only with a sufficient history. An hour counts with its two neighbours.
        """
        if not telling["sufficient"] or self.alert.first_seen is None:
            return []
        odd: list[dict[str, Any]] = []
        hour = self.alert.first_seen.astimezone(UTC).hour
        around = {(hour - 1) % 24, hour, (hour + 1) % 24}
        if not any(row["whole_role"] for row in data["hours"] if row["hour"] in around):
            odd.append({"what": "hour_of_day", "value": hour})
        network = data["network"]
        if "source_ip_address" in telling["new"] and network and not network["count"]:
            odd.append({"what": "network", "value": network["network"]})
        known = {row["error_code"] for row in data["errors"]}
        if self.alert.error_code is not None and self.alert.error_code not in known:
            odd.append({"what": "error_code", "value": self.alert.error_code})
        return odd

    def earlier(self, window: Window) -> tuple[dict[str, Any], Query]:
        """When what is new was last seen before the window: a monthly job is rare, not new."""
        before = Window(window.first - LOOK_BACK, window.first)
        same = self.conditions
        columns = [f"{calls()} as events"]
        for field, condition in same.items():
            columns.append(f"max(event_time) filter (where {condition}) as {field}_last")
        rows, query = self.rows(", ".join(columns), before)
        return {
            "from": iso(before.first),
            "events": rows[0]["events"],
            "last": {field: iso(rows[0][f"{field}_last"]) for field in same},
        }, query

    def before_dwell(
        self, principal: Principal, window: Window, totals: Mapping[str, Any]
    ) -> tuple[dict[str, Any] | None, tuple[Query, ...]]:
        """The comparison up to the first sign of this session or address, when that is older.

        An intruder who was there before the 12 hours is in the baseline and looks normal. The
        session's own start, or an address that shows up first in the window's second week, ends
        a shorter window.
        """
        signs: list[tuple[datetime, str]] = []
        created = principal.session_created
        if created is not None and window.first < created < window.last:
            signs.append((created, "the session began then"))
        first_ip = totals.get("whole_source_ip_address_first")
        if (
            first_ip is not None
            and ip_facts(self.alert.source_ip_address).is_address
            and first_ip >= window.first + timedelta(days=DAYS / 2)
        ):
            signs.append((first_ip, "the source IP was first seen then"))
        if not signs:
            return None, ()
        until, reason = min(signs)
        shorter = Window(window.first, until)
        counts, query = self.totals(shorter)
        pairs, pairs_query = self.pairs(shorter)
        view = self.view(counts, "whole", pairs)
        return {
            "to": iso(until),
            "reason": reason,
            "events": view["events"],
            "active_days": view["active_days"],
            "sufficient": view["sufficient"],
            "new": view["new"],
        }, (query, pairs_query)

    def evidence(self, window: Window) -> tuple[tuple[str, ...], Query]:
        """The newest events that are like the alert: the same API, else the same address."""
        same = self.conditions
        like = same.get("event_name") or same.get("source_ip_address") or "true"
        rows, query = self.rows(
            "event_id",
            window,
            f"and {like} order by event_time desc, event_id limit {EVIDENCE}",
        )
        return tuple(row["event_id"] for row in rows), query

    def rows(
        self, columns: str, window: Window, ending: str = ""
    ) -> tuple[list[dict[str, Any]], Query]:
        """Columns over the events of a half-open window as they are."""
        found = self.store.query(
            f"""
            select {columns} from events
            where event_time >= $window_first and event_time < $window_last and {self.whole.sql}
            {ending}
            """,  # noqa: S608 - own pieces, bound
            {
                **self.parameters(columns, ending),
                "window_first": window.first,
                "window_last": window.last,
            },
            first=window.first,
            last=window.last,
        )
        return found.rows, found.query


def _sum(condition: str = "true") -> str:
    return f"cast(coalesce(sum(n) filter (where {condition}), 0) as bigint)"


_SAME = {
    "same_ip_and_agent": ("event_name", "source_ip_address", "user_agent"),
    "same_ip": ("event_name", "source_ip_address"),
    "same_agent": ("event_name", "user_agent"),
}
_ALERT_FIELD = {"aws_region": "region"}


def _merged(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows per (IP, user agent), most calls first."""
    merged: dict[tuple[str | None, str | None], dict[str, Any]] = {}
    for row in rows:
        key = (row["source_ip_address"], row["user_agent"])
        pair = merged.setdefault(key, {"count": 0, "first": row["first"], "last": row["last"]})
        pair["count"] += row["calls"]
        pair["first"] = min(pair["first"], row["first"])
        pair["last"] = max(pair["last"], row["last"])
    ordered = sorted(
        merged.items(), key=lambda item: (-item[1]["count"], item[0][0] or "", item[0][1] or "")
    )
    return [
        {
            "source_ip_address": ip,
            "user_agent": agent,
            "count": pair["count"],
            "first": iso(pair["first"]),
            "last": iso(pair["last"]),
            "normal_form": None if agent is None else normal_form(agent),
        }
        for (ip, agent), pair in ordered
    ]


def _caveats(
    pairs: Sequence[Mapping[str, Any]],
    telling: Mapping[str, Any],
    data: Mapping[str, Any],
    evidence: Sequence[str],
) -> tuple[str, ...]:
    caveats: tuple[str, ...] = ()
    if len(pairs) == GROUPS:
        caveats += (f"Only the {GROUPS:,} most frequent pairs of IP and user agent are compared.",)
    if telling["all_apis"]["pairs_total"] > PAIRS:
        caveats += (
            f"The {PAIRS} most frequent of {telling['all_apis']['pairs_total']:,} pairs of IP"
            " and user agent are listed.",
        )
    if len(evidence) == EVIDENCE:
        caveats += (f"The evidence lists the {EVIDENCE} newest events like the alert.",)
    if (dwell := data["before_dwell"]) is not None:
        caveats += (
            f"Activity like the alert's may be older than 12 hours ({dwell['reason']},"
            f" {dwell['to']}); before that, unseen: {listed(_words(dwell['new'])) or 'nothing'}.",
        )
    return caveats


_ATTRIBUTE = {
    "source_ip_address": "source IP",
    "user_agent": "user agent",
    "event_name": "API call",
    "event_source": "service",
    "aws_region": "region",
}


def _words(fields: Sequence[str]) -> list[str]:
    return [_ATTRIBUTE.get(field, field) for field in fields]


def _sentence(alert: Alert, entity: Match, data: Mapping[str, Any], looked: Looked) -> str:
    on_role = data["scope"] == "whole_role"
    view = data["whole_role"] if on_role else data
    part = "" if looked.coverage.status == "covered" else "the indexed part of "
    span = f"{part}the {DAYS} days before the alert"
    who = "this identity"
    if on_role:
        who = "the whole role"
    elif entity.role_filter is not None:
        who = "this session name or source IP"
    found = (
        f"{counted(view['events'], 'call')} on {counted(view['active_days'], 'day')}"
        f" by {who} in {span}"
    )
    if not view["events"]:
        return f"No calls by {who} in {span}: nothing to compare with."
    few = ""
    if on_role and entity.role_filter is not None:
        few = (
            f" (only {counted(data['events'], 'call')} on {counted(data['active_days'], 'day')}"
            " by this session name or source IP)"
        )
    lead = "" if view["sufficient"] else "Insufficient history: "
    sentence = f"{lead}{found}{few}"
    same = view["same_api"]
    if alert.event_name is not None:
        name = short(plain_name(alert.event_name), 40)
        sentence += f"; {same['events'] or 0:,} of them {name}"
        if same["same_ip_and_agent"] is not None:
            sentence += f", {same['same_ip_and_agent']:,} from this IP with this user agent"
        elif same["same_ip"] is not None:
            sentence += f", {same['same_ip']:,} from this IP"
    values = [
        f"{_ATTRIBUTE[field]} {short(_value(alert, field), 45)}"
        for field in view["new"]
        # A new service makes its call new as well: said once.
        if not (field == "event_name" and "event_source" in view["new"])
    ]
    unseen = f" Not seen: {listed(values)}." if values else " Nothing about the alert is new."
    return f"{sentence}.{unseen}"


def _value(alert: Alert, field: str) -> str:
    if field == "user_agent":
        return normal_form(alert.user_agent or "")
    if field == "event_source":
        return service_name(alert.event_source)
    value = getattr(alert, _ALERT_FIELD.get(field, field))
    return plain_name(value) if field == "event_name" else str(value)


BASELINE = Enrichment(NAME, QUESTION, ask, empty_data)
