"""The event search: filters that live in the address, pages of events, and their export."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from enrich.calls.calls_sql import calls, midnight
from enrich.facts.targets import JSON_COLUMNS, in_words, with_targets
from trail.store import Query, Store
from ui.explore.counted_by import counted_by
from ui.explore.search_terms import TERMS, span_of, terms_of
from ui.kit import phrases
from ui.kit.keeping import digest_of
from ui.kit.sorting import Sort, sort_of
from ui.parts import frames
from ui.shell import data

PAGE = 50
MOST_EXPORTED = 100_000
SECONDS_LOOKED = 2.0
"""How long a search for text goes on looking, day by day from the newest, before it asks."""
MOST_COUNTED = 6
"""Values of a field that are counted beside the results, the most frequent first."""

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


COUNTED: Mapping[str, tuple[str, str]] = {
    "call": ("Calls", "event_name"),
    "service": ("Services", "event_source"),
    "principal": ("Principals", "coalesce(principal_arn, identity_id)"),
    "ip": ("Source IPs", "source_ip_address"),
    "region": ("Regions", "aws_region"),
    "error": ("Error codes", "error_code"),
}
"""Field that is counted beside the results, by its filter → its head, and what it is in SQL."""
EXPORTED = (
    f"{COLUMNS}, issuer_arn, session_name, session_created, target_role_arn, request_id,"
    " user_identity, request_parameters, response_elements, additional_event_data, resources"
)
"""What an export holds: all but what an event's own page alone shows, its record as it was."""


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
    look_on: bool = False
    """Whether a search for text looks at all days, however long that takes."""
    problems: tuple[str, ...] = ()
    """What of the address cannot be searched for, in sentences: then nothing is."""

    def condition(self) -> tuple[str, dict[str, Any]]:
        """SQL over the event table, its own time bounds among it, and the values that it binds."""
        parts = ["event_time >= $span_first and event_time <= $span_last"]
        bound: dict[str, Any] = {"span_first": self.first, "span_last": self.last}
        for sql, values in terms_of(self.values)[0]:
            parts.append(sql)
            bound |= values
        if self.result:
            parts.append("failed" if self.result == "failed" else "not failed")
        return "\n  and ".join(parts), bound

    @property
    def is_slow(self) -> bool:
        """Whether it reads the texts of every event, and the newest days come first."""
        return any(name == "text" for name, _ in self.values) and self.sort == NEWEST_FIRST


@dataclass(frozen=True)
class Found:
    """`events` are records; `calls` and `failed` are counted as `trail.calls` says."""

    rows: list[dict[str, Any]]
    events: int
    calls: int
    failed: int
    query: Query
    looked_from: datetime | None = None
    """From when on events were looked at, where that is not the whole of the search."""

    @property
    def pages(self) -> int:
        return max(1, -(-self.events // PAGE))


def search_of(asked: Mapping[str, str], span: tuple[datetime, datetime]) -> Search:
    """The search an address asks for, within what is indexed. Its `problems` are what cannot be
    searched for; an odd page, order or result counts as not given.
    """
    when = span_of(asked, span)
    page = asked.get("page", "")
    result = asked.get("result", "")
    values = tuple((name, asked[name]) for name in TERMS if asked.get(name))
    return Search(
        values,
        when.first,
        when.last,
        result if result in ("failed", "succeeded") else "",
        int(page) if page.isdecimal() and len(page) < 7 and int(page) else 1,
        sort_of(asked, SORTS, NEWEST_FIRST),
        asked.get("look") == "on",
        (*when.problems, *terms_of(values)[1]),
    )


def find(store: Store, search: Search) -> Found:
    """One page of events, and how many there are in all."""
    of_what = f"{store.version()} {digest_of(search)}"
    make = _find_by_days if search.is_slow and not search.look_on else _find
    return data.kept(of_what, "events", lambda: make(store, search))


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


def _find_by_days(store: Store, search: Search) -> Found:
    """The same over the newest days alone, further back each time, until the page is full or the
    time is up."""
    began = time.monotonic()
    first = midnight(search.last)
    while True:
        first = max(first, search.first)
        found = _find(store, replace(search, first=first))
        if first == search.first:
            return found
        if found.events >= search.page * PAGE or time.monotonic() - began > SECONDS_LOOKED:
            return replace(found, looked_from=first)
        first = midnight(first - max(search.last - first, timedelta(days=1)))


def statement(search: Search) -> str:
    """One page in the order that is asked for."""
    condition, _ = search.condition()
    order = f"{SORTS[search.sort.by][1]} {'asc' if search.sort.up else 'desc'}"
    newest = "" if search.sort.by == "time" else ", event_time desc"
    return (
        f"select {COLUMNS}, {_JSON}\nfrom events\nwhere {condition}\n"
        f"order by {order} nulls last{newest}, event_id\n"
        f"limit {PAGE} offset {(search.page - 1) * PAGE}"
    )


def export(store: Store, search: Search) -> list[dict[str, Any]]:
    """The newest events of the search, at most `MOST_EXPORTED`, and what each acted on."""
    condition, bound = search.condition()
    rows = store.query(
        f"select {EXPORTED}\nfrom events\nwhere {condition}\n"
        f"order by event_time desc, event_id\nlimit {MOST_EXPORTED}",
        bound,
        first=search.first,
        last=search.last,
    ).rows
    return [{**row, TARGETS: in_words(with_targets(dict(row))[TARGETS])} for row in rows]


def file_name(search: Search, found: Found, ending: str) -> str:
    """What an export is called: by its filters, and by how much of them it holds."""
    words = [value for _, value in search.values] + ([search.result] if search.result else [])
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(words)).strip("-.")[:60].strip("-.")
    cut = f"newest-{MOST_EXPORTED}-of-{found.events}" if found.events > MOST_EXPORTED else ""
    days = f"{search.first:%Y%m%d}-{search.last:%Y%m%d}"
    return "-".join(part for part in ("events", plain, days, cut) if part) + f".{ending}"


def counts(store: Store, search: Search) -> dict[str, list[dict[str, Any]]]:
    """Field of `COUNTED` → its most frequent values in all that is found: `value`, `events`,
    `failed`.
    """
    of_what = f"{store.version()} {digest_of(search)}"
    return data.kept(of_what, "counts", lambda: _counts(store, search))


def _counts(store: Store, search: Search) -> dict[str, list[dict[str, Any]]]:
    condition, bound = search.condition()
    fields = {name: sql for name, (_, sql) in COUNTED.items()}
    span = search.first, search.last
    return counted_by(store, fields, condition, bound, span, MOST_COUNTED)[0]


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows for a spreadsheet, where no cell can be a formula."""
    listed = list(rows)
    names = [*(name.strip() for name in EXPORTED.split(",")), TARGETS]
    return frames.as_csv({name: [row.get(name) for row in listed] for name in names})


def as_json_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """One event a line; what stands in JSON in the record stands in JSON here."""
    return "".join(f"{json.dumps(_plain(row), ensure_ascii=False)}\n" for row in rows)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: phrases.iso(value)
        if isinstance(value, datetime)
        else _parsed(value)
        if name in _PARSED
        else value
        for name, value in row.items()
    }


_PARSED = frozenset(
    {
        "user_identity",
        "request_parameters",
        "response_elements",
        "additional_event_data",
        "resources",
    }
)


def _parsed(value: Any) -> Any:
    """The value of a JSON text; the text where it is none, as of a record cut off."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def around(at: object, hours: int = 1) -> dict[str, str]:
    """Address parameters for an hour around a time."""
    moment = phrases.as_time(at)
    if moment is None:
        return {}
    return {
        "from": phrases.iso(moment - timedelta(hours=hours)) or "",
        "to": phrases.iso(moment + timedelta(hours=hours)) or "",
    }
