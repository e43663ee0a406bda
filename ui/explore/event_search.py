"""The event search: filters that live in the address, pages of events, and their export."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from enrich.calls.calls_sql import calls
from enrich.facts.targets import JSON_COLUMNS, in_words, with_targets
from trail.store import Query, Store
from ui.kit import phrases
from ui.kit.keeping import digest_of
from ui.kit.sorting import Sort, sort_of
from ui.parts import frames
from ui.parts.own_search import OR
from ui.shell import data

PAGE = 50
MOST_EXPORTED = 10_000

FILTERS: Mapping[str, tuple[str, str]] = {
    "principal": (
        "Principal",
        "(principal_arn = $principal or identity_id = $principal or principal_id = $principal"
        " or user_name = $principal or on_behalf_of = $principal)",
    ),
    "key": ("Access key", "(access_key_id = $key or minted_access_key_id = $key)"),
    "ip": ("Source IP", "source_ip_address = $ip"),
    "call": ("Call", "event_name = $call"),
    "service": ("Service", "(event_source = $service or event_source = $service_host)"),
    "role": ("Role ARN", "(issuer_arn = $role or target_role_arn = $role)"),
    "session": ("Session name", "(session_name = $session or target_session_name = $session)"),
    "either": (
        "Session name, or source IP",
        "(session_name = $either_session or source_ip_address = $either_ip)",
    ),
    "account": ("Account", "(recipient_account_id = $account or account_id = $account)"),
    "region": ("Region", "aws_region = $region"),
    "client": ("Client contains", "contains(lower(user_agent), lower($client))"),
    "error": ("Error code", "error_code = $error"),
    "hour": ("Hour of day (UTC)", "cast(hour(event_time) as varchar) = $hour"),
    "ids": ("Event ids, with commas", "list_contains($ids, event_id)"),
}
"""Address name → label and condition. Values are bound, never written into the statement."""


SORTS: Mapping[str, tuple[str, str]] = {
    "time": ("When (UTC)", "event_time"),
    "call": ("Call", "event_name"),
    "service": ("Service", "event_source"),
    "result": ("Result", "coalesce(error_code, case when failed then 'failed' end)"),
    "principal": ("Principal", "coalesce(principal_arn, identity_id)"),
    "ip": ("From", "source_ip_address"),
    "client": ("Client", "user_agent"),
}
"""Column that results are sorted by → its head in the table, and what it is in SQL."""
NEWEST_FIRST = Sort("time", up=False)

COLUMNS = (
    "event_id, event_time, event_source, event_name, aws_region, recipient_account_id, failed, "
    "error_code, error_message, identity_type, identity_id, principal_arn, access_key_id, "
    "source_ip_address, user_agent, call_id, replaced, replaced_by, original_event_id"
)
TARGETS = "targets"
"""The column beside them: what each call acted on, read from its JSON."""
_LONGEST_JSON = 20_000
"""Characters of a JSON column that are read for that: ten thousand calls may be exported."""
_JSON = ", ".join(
    f"case when length({name}) <= {_LONGEST_JSON} then {name} end as {name}"
    for name in JSON_COLUMNS.split(", ")
)


@dataclass(frozen=True)
class Search:
    """What is searched for, as the address says it."""

    values: tuple[tuple[str, str], ...]
    first: datetime
    last: datetime
    result: str
    """ "failed", "succeeded", or "" for both."""
    page: int
    sort: Sort = NEWEST_FIRST

    def condition(self) -> tuple[str, dict[str, Any]]:
        parts = ["event_time >= $span_first and event_time <= $span_last"]
        bound: dict[str, Any] = {"span_first": self.first, "span_last": self.last}
        for name, value in self.values:
            if name == "principal" and "/" in value and not value.startswith("arn:"):
                # As the list shows it: an ARN without its beginning.
                parts.append("ends_with(principal_arn, $principal)")
                bound[name] = f":{value}"
                continue
            parts.append(FILTERS[name][1])
            if name == "either":
                session, _, ip = value.rpartition(OR)
                bound["either_session"], bound["either_ip"] = session or ip, ip
                continue
            bound[name] = value
            if name == "ids":
                bound["ids"] = [one.strip() for one in value.split(",") if one.strip()]
            if name == "service":
                bound["service_host"] = f"{value}.amazonaws.com"
        if self.result:
            parts.append("failed" if self.result == "failed" else "not failed")
        return "\n  and ".join(parts), bound


@dataclass(frozen=True)
class Found:
    """`events` are records; `calls` and `failed` are counted as `trail.calls` says."""

    rows: list[dict[str, Any]]
    events: int
    calls: int
    failed: int
    query: Query

    @property
    def pages(self) -> int:
        return max(1, -(-self.events // PAGE))


def search_of(asked: Mapping[str, str], span: tuple[datetime, datetime]) -> Search:
    """The search an address asks for, within what is indexed; odd values count as not given."""
    first = phrases.as_time(asked.get("from")) or span[0]
    last = phrases.as_time(asked.get("to")) or span[1]
    page = asked.get("page", "")
    result = asked.get("result", "")
    return Search(
        tuple((name, asked[name]) for name in FILTERS if asked.get(name)),
        first,
        max(first, last),
        result if result in ("failed", "succeeded") else "",
        int(page) if page.isdecimal() and len(page) < 7 and int(page) else 1,
        sort_of(asked, SORTS, NEWEST_FIRST),
    )


def find(store: Store, search: Search) -> Found:
    """One page of events, and how many there are in all."""
    of_what = f"{store.version()} {digest_of(search)}"
    return data.kept(of_what, "events", lambda: _find(store, search))


def _find(store: Store, search: Search) -> Found:
    condition, bound = search.condition()
    counted = (
        f"select count(*) as events, {calls()} as calls, {calls('failed')} as failed from events"
    )
    totals = store.query(
        f"{counted}\nwhere {condition}",
        bound,
        first=search.first,
        last=search.last,
    ).rows[0]
    found = store.query(
        statement(search),
        bound,
        first=search.first,
        last=search.last,
    )
    rows = [with_targets(row) for row in found.rows]
    return Found(rows, totals["events"], totals["calls"], totals["failed"], found.query)


def statement(search: Search, most: int = PAGE) -> str:
    """One page in the order that is asked for; with another `most`, the newest so many."""
    condition, _ = search.condition()
    skipped, sort = ((search.page - 1) * PAGE, search.sort) if most == PAGE else (0, NEWEST_FIRST)
    order = f"{SORTS[sort.by][1]} {'asc' if sort.up else 'desc'}"
    newest = "" if sort.by == "time" else ", event_time desc"
    return (
        f"select {COLUMNS}, {_JSON}\nfrom events\nwhere {condition}\n"
        f"order by {order} nulls last{newest}, event_id\nlimit {most} offset {skipped}"
    )


def export(store: Store, search: Search) -> list[dict[str, Any]]:
    """The newest events of the search, at most `MOST_EXPORTED`."""
    _, bound = search.condition()
    rows = store.query(
        statement(search, MOST_EXPORTED), bound, first=search.first, last=search.last
    ).rows
    told = map(with_targets, rows)
    return [{**row, TARGETS: in_words(row[TARGETS])} for row in told]


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows for a spreadsheet, where no cell can be a formula."""
    listed = list(rows)
    names = [*(name.strip() for name in COLUMNS.split(",")), TARGETS]
    return frames.as_csv({name: [row.get(name) for row in listed] for name in names})


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    plain = [
        {k: phrases.iso(v) if isinstance(v, datetime) else v for k, v in row.items()}
        for row in rows
    ]
    return json.dumps(plain, indent=1, ensure_ascii=False)


def around(at: object, hours: int = 1) -> dict[str, str]:
    """Address parameters for an hour around a time."""
    moment = phrases.as_time(at)
    if moment is None:
        return {}
    return {
        "from": phrases.iso(moment - timedelta(hours=hours)) or "",
        "to": phrases.iso(moment + timedelta(hours=hours)) or "",
    }
