"""The comparison itself: a history's counts beside the alert.

Pure functions over what `enrich.calls.history` counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC
from typing import Any

from alerts.alert import Alert
from enrich.calls.history import SAME_CALL, Counts, History
from enrich.calls.likeness import COMPARED, value_of
from enrich.data.baseline import (
    AllCalls,
    BaselineView,
    ClientFacts,
    ErrorCount,
    HourCount,
    NetworkFacts,
    Oddity,
    Pair,
    RegionCount,
    Reported,
    SameCall,
    SeenValue,
)
from enrich.facts.error_classes import error_class
from enrich.facts.ip import ip_facts, network_of, reported_place
from enrich.facts.user_agent import normal_form, parse_user_agent
from enrich.window import iso

LEAST_EVENTS = 10
LEAST_DAYS = 2
"""Below these a history says nothing: "insufficient", never "never seen before" (§9)."""
PAIRS = 200
"""How many (IP, user agent) pairs a view lists, the most frequent first."""


CITED = 5
"""Event ids beside each of the counts of the alert's own call, the newest."""


def view_of(
    alert: Alert, history: History, counts: Counts, scope: str, pairs: Sequence[Mapping[str, Any]]
) -> BaselineView:
    """The view of one scope ("entity" or "whole"), of which `counts` are."""
    rows = [row for row in pairs if scope == "whole" or row["in_entity"]]
    same = [row for row in rows if row["same_api"]]
    events, days = counts.all.count, len(counts.days)
    form = None if alert.user_agent is None else normal_form(alert.user_agent)
    has_api = alert.event_name is not None

    seen = {
        field: SeenValue(
            value=value_of(alert, field),
            count=alike.count,
            share=round(alike.count / events, 4) if events else None,
            first=iso(alike.first),
            last=iso(alike.last),
        )
        for field, alike in counts.of.items()
    }
    merged = _merged(rows)
    shared = {name: SAME_CALL[name] for name in counts.same_call}
    shared |= {"events": ("event_name",)} if has_api else {}
    same_api = SameCall(
        same_ip_and_agent=counts.same_call.get("same_ip_and_agent"),
        same_ip=counts.same_call.get("same_ip"),
        same_agent=counts.same_call.get("same_agent"),
        pairs=_merged(same)[:PAIRS],
        events=counts.of["event_name"].count if has_api else None,
        same_agent_normal_form=None
        if form is None or not has_api
        else sum(
            row["calls"]
            for row in same
            if row["user_agent"] is not None and normal_form(row["user_agent"]) == form
        ),
        event_ids={
            name: tuple(history.ids_of(needed, scope, CITED)) for name, needed in shared.items()
        },
    )
    return BaselineView(
        events=events,
        active_days=days,
        same_api=same_api,
        all_apis=AllCalls(pairs=merged[:PAIRS], pairs_total=len(merged)),
        new=_unseen(alert, seen, rows),
        sufficient=events >= LEAST_EVENTS and days >= LEAST_DAYS,
        seen=seen,
    )


def _unseen(
    alert: Alert, seen: Mapping[str, SeenValue], rows: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """The alert's attributes that no row has; never an address that is a service's name."""
    new = [field for field in COMPARED if field in seen and not seen[field].count]
    if "source_ip_address" in new and not ip_facts(alert.source_ip_address).is_address:
        new.remove("source_ip_address")
    if "user_agent" in new and alert.user_agent is not None:
        form = normal_form(alert.user_agent)
        if any(r["user_agent"] and normal_form(r["user_agent"]) == form for r in rows):
            new.remove("user_agent")
    return tuple(new)


def agent_facts(alert: Alert, pairs: Sequence[Mapping[str, Any]]) -> ClientFacts | None:
    """How far the alert's user agent is known: as it is, in normal form, by its tool."""
    if alert.user_agent is None:
        return None
    mine = parse_user_agent(alert.user_agent)
    others = {row["user_agent"] for row in pairs if row["user_agent"] is not None}
    parsed = [parse_user_agent(agent) for agent in others]
    return ClientFacts(
        value=alert.user_agent,
        tool=mine.tool,
        kind=mine.kind,
        normal_form=mine.normal_form,
        seen=alert.user_agent in others,
        normal_form_seen=any(one.normal_form == mine.normal_form for one in parsed),
        tool_seen=any(one.tool == mine.tool for one in parsed),
        known_forms=tuple(sorted({one.normal_form for one in parsed})[:50]),
    )


def network_facts(alert: Alert, pairs: Sequence[Mapping[str, Any]]) -> NetworkFacts | None:
    """How often the alert's /24 or /64 was seen, whatever the address in it."""
    network = network_of(alert.source_ip_address)
    if network is None:
        return None
    place = reported_place(alert.raw)
    inside = [row for row in pairs if network_of(row["source_ip_address"]) == network]
    return NetworkFacts(
        network=network,
        count=sum(row["calls"] for row in inside),
        addresses=len({row["source_ip_address"] for row in inside}),
        what=ip_facts(alert.source_ip_address).sentence,
        reported=None if place is None else Reported(**asdict(place)),
    )


def hours_of(history: History) -> tuple[HourCount, ...]:
    """Calls per hour of the day (UTC)."""
    return tuple(
        HourCount(hour=hour, count=row["of_entity"], whole_role=row["calls"])
        for hour, row in enumerate(history.by_hour())
    )


def regions_of(history: History) -> tuple[RegionCount, ...]:
    """Calls per Region, the most frequent first."""
    return tuple(
        RegionCount(aws_region=row["value"], count=row["of_entity"], whole_role=row["calls"])
        for row in history.by("aws_region")
    )


def errors_of(history: History) -> tuple[ErrorCount, ...]:
    """Failed calls per error code, the most frequent first."""
    return tuple(
        ErrorCount(error_code=row["value"], kind=error_class(row["value"]), count=row["failed"])
        for row in history.by("error_code")
        if row["failed"]
    )


def unusual(
    alert: Alert,
    telling: BaselineView,
    hours: Sequence[HourCount],
    network: NetworkFacts | None,
    errors: Sequence[ErrorCount],
    *,
    only_failed: bool,
) -> tuple[Oddity, ...]:
    """What is odd without being a new value: that it succeeded where every such call had failed
    (`only_failed`), the hour, the network, the way it failed.

    All but the first only with a sufficient history. An hour counts with its two neighbours.
    """
    odd: list[Oddity] = []
    if only_failed and alert.error_code is None:
        odd.append(Oddity(what="outcome", value="succeeded, which it never had"))
    if not telling.sufficient or alert.first_seen is None:
        return tuple(odd)
    hour = alert.first_seen.astimezone(UTC).hour
    around = {(hour - 1) % 24, hour, (hour + 1) % 24}
    if not any(row.whole_role for row in hours if row.hour in around):
        odd.append(Oddity(what="hour_of_day", value=hour))
    if "source_ip_address" in telling.new and network and not network.count:
        odd.append(Oddity(what="network", value=network.network))
    known = {row.error_code for row in errors}
    if alert.error_code is not None and alert.error_code not in known:
        odd.append(Oddity(what="error_code", value=alert.error_code))
    return tuple(odd)


def _merged(rows: Sequence[Mapping[str, Any]]) -> tuple[Pair, ...]:
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
    return tuple(
        Pair(
            source_ip_address=ip,
            user_agent=agent,
            count=pair["count"],
            first=iso(pair["first"]),
            last=iso(pair["last"]),
            normal_form=None if agent is None else normal_form(agent),
        )
        for (ip, agent), pair in ordered
    )
