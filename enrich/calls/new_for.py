"""New for whom: the alert's address, call, service and client, at four levels.

This identity, its peers (the other sessions of its role, of which a permission set is one), its
account, and everything indexed. Whole days of the baseline's window, from the rollup alone: for the
reader's eye, beside the baseline's own exact counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from alerts.alert import Alert, Principal
from enrich.calls.calls_sql import COUNTED
from enrich.entity import account_of, by_identity_id, entity_match
from enrich.sql_text import values_in
from trail.store import Query, Store

_TRAITS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "source_ip_address": ("source_ip_address = $own_ip", ("own_ip",)),
    "event_name": ("event_source = $own_source and event_name = $own_call",
                   ("own_source", "own_call")),
    "event_source": ("event_source = $own_source", ("own_source",)),
    "user_agent": ("user_agent = $own_agent", ("own_agent",)),
}  # fmt: skip
"""A property of the alert → its condition, and the values that it needs."""


@dataclass(frozen=True)
class Level:
    """How often one property was seen before, at each level; None where nothing can be said."""

    own: int | None
    peers: int | None
    """Sessions of the same role, by another name, that had it."""
    account: int | None
    everything: int | None


@dataclass(frozen=True)
class Levels:
    """`peers` is how many other session names the role had, None for whom has none."""

    first: date
    last: date
    """The last whole day, included."""
    peers: int | None
    of: Mapping[str, Level]
    query: Query


def find_levels(
    alert: Alert, principal: Principal, store: Store, first: datetime, end: datetime
) -> Levels | None:
    """For the whole days within `first` and before `end`; None where there are none, or nobody."""
    whole = entity_match(alert, principal, scope="whole_role")
    begin, stop = (first + timedelta(days=1) - timedelta(microseconds=1)).date(), end.date()
    if whole is None or begin >= stop or alert.sample or "access_key_id" in whole.sql:
        return None
    whole, _ = by_identity_id(whole, store, first, end)
    values = {
        "own_ip": alert.source_ip_address,
        "own_source": alert.event_source,
        "own_call": alert.event_name,
        "own_agent": alert.user_agent,
    }
    traits = {
        name: condition
        for name, (condition, needs) in _TRAITS.items()
        if all(values[one] for one in needs)
    }
    session = principal.session_name if whole.is_role else None
    own = f"({whole.sql})" + (" and session_name = $own_session" if session else "")
    other = f"({whole.sql}) and session_name <> $own_session" if session else None
    account = account_of(alert, principal)
    counts = [*_counted("true", "total", own, other, account is not None)]
    for name, condition in traits.items():
        counts += _counted(f"({condition})", name, own, other, account is not None)
    statement = f"""
        select {", ".join(counts)}
        from daily
        where day >= $day_first and day < $day_end and {COUNTED}
    """
    bound: dict[str, Any] = {
        **whole.parameters, **values, "own_session": session, "own_account": account,
        "day_first": begin, "day_end": stop,
    }  # fmt: skip
    found = store.query(statement, values_in(statement, bound), first=first, last=end)
    row = found.rows[0]
    peers = row["total_peers"] if other is not None else None
    return Levels(
        begin,
        stop - timedelta(days=1),
        peers,
        {name: _level(row, name, peers) for name in traits},
        found.query,
    )


def _counted(met: str, name: str, own: str, other: str | None, has_account: bool) -> list[str]:
    """The four counts of what meets a condition, under names that begin with `name`."""

    def calls(more: str) -> str:
        return f"cast(coalesce(sum(count) filter (where {met} and {more}), 0) as bigint)"

    return [
        f"{calls(own)} as {name}_own",
        f"count(distinct session_name) filter (where {met} and {other}) as {name}_peers"
        if other is not None
        else f"0 as {name}_peers",
        f"{calls('recipient_account_id = $own_account' if has_account else 'false')}"
        f" as {name}_account",
        f"{calls('true')} as {name}_everything",
    ]


def _level(row: Mapping[str, Any], name: str, peers: int | None) -> Level:
    """What was counted where there was anything to be counted at all."""

    def known(level: str) -> int | None:
        return int(row[f"{name}_{level}"]) if row[f"total_{level}"] else None

    return Level(
        known("own"), int(row[f"{name}_peers"]) if peers else None,
        known("account"), known("everything"),
    )  # fmt: skip
