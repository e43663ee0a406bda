"""A principal's calls before an alert, in groups that tell how each is like the alert, and counted.

Pure functions over rows that were read once: the answer counts them in a dozen ways, and an
engine plans each of those for longer than counting takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from enrich.calls.calls_sql import EVIDENCE, newest_ids, one_of_each_call

SAME_CALL = {
    "same_ip_and_agent": ("event_name", "source_ip_address", "user_agent"),
    "same_ip": ("event_name", "source_ip_address"),
    "same_agent": ("event_name", "user_agent"),
}
"""The counts of the alert's own call, and what a call must share to be in each."""

PAIRS_COMPARED = 5_000
"""How many (IP, user agent) pairs are compared at all; past that a caveat says so."""


def one_copy_each(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Groups of calls as `enrich.calls.calls_sql.grouped_calls` gives them, with one copy of each
    call that was logged twice (see `enrich.calls.calls_sql.one_of_each_call`).
    """
    return [row if row["call_id"] is None else {**row, "n": 1} for row in one_of_each_call(rows)]


@dataclass
class Seen:
    """How many calls there were, and the times of the first and the last of them."""

    count: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, group: Mapping[str, Any]) -> None:
        self.count += group["n"]
        first, last = group["first"], group["last"]
        self.first = first if self.first is None or first < self.first else self.first
        self.last = last if self.last is None or last > self.last else self.last


@dataclass
class Counts:
    """One scope's counts: all calls, and those that share each attribute of the alert."""

    all: Seen = field(default_factory=Seen)
    days: set[Any] = field(default_factory=set)
    of: dict[str, Seen] = field(default_factory=dict)
    same_call: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """Groups of calls, and the names of the `attributes` that they are compared with an alert in.

    Each group (see `one_copy_each`) has `n` calls alike in `day`, `in_entity`, `session_name`,
    `source_ip_address`, `user_agent`, `aws_region`, `error_code`, `failed` and `is_<attribute>`.
    """

    attributes: Sequence[str]
    groups: Sequence[Mapping[str, Any]]
    caveats: tuple[str, ...] = ()
    """About records that do not count by themselves."""

    def counts(self, scope: str) -> Counts:
        """What the scope ("entity" or "whole") did."""
        counts = Counts(
            of={name: Seen() for name in self.attributes},
            # Without the API, the address or the agent there is nothing to count by: absent.
            same_call={n: 0 for n, shared in SAME_CALL.items() if {*shared} <= {*self.attributes}},
        )
        like = [(f"is_{name}", seen) for name, seen in counts.of.items()]
        shared = {name: [f"is_{one}" for one in SAME_CALL[name]] for name in counts.same_call}
        for group in self.groups:
            if scope == "entity" and not group["in_entity"]:
                continue
            counts.all.add(group)
            counts.days.add(group["day"])
            for is_like, seen in like:
                if group[is_like]:
                    seen.add(group)
            for name, needed in shared.items():
                if all(group[is_like] for is_like in needed):
                    counts.same_call[name] += group["n"]
        return counts

    def pairs(self) -> list[dict[str, Any]]:
        """(IP, user agent), apart by scope and by whether the API is the alert's, the most
        frequent first: `in_entity`, `same_api`, `calls`, `first`, `last`.
        """
        seen: dict[tuple[Any, ...], Seen] = {}
        for group in self.groups:
            key = (
                group["source_ip_address"],
                group["user_agent"],
                group["in_entity"],
                bool(group.get("is_event_name")),
            )
            seen.setdefault(key, Seen()).add(group)
        ordered = sorted(
            seen.items(), key=lambda pair: (-pair[1].count, *(str(part) for part in pair[0]))
        )
        return [
            {
                "source_ip_address": ip,
                "user_agent": agent,
                "in_entity": in_entity,
                "same_api": same_api,
                "calls": pair.count,
                "first": pair.first,
                "last": pair.last,
            }
            for (ip, agent, in_entity, same_api), pair in ordered[:PAIRS_COMPARED]
        ]

    def sessions(self) -> dict[str, int]:
        """How many session names there were, and how many of them had what the alert has."""
        named = [group for group in self.groups if group["session_name"] is not None]
        return {
            "sessions": len({group["session_name"] for group in named}),
            **{
                name: len({g["session_name"] for g in named if g[f"is_{name}"]})
                for name in self.attributes
            },
        }

    def by(self, column: str) -> list[dict[str, Any]]:
        """Calls by a column's values, the most frequent first: `value`, `calls`, `of_entity` and
        `failed`.
        """
        calls, of_entity, failed = Counter[Any](), Counter[Any](), Counter[Any]()
        for group in self.groups:
            value, n = group[column], group["n"]
            calls[value] += n
            of_entity[value] += n if group["in_entity"] else 0
            failed[value] += n if group["failed"] else 0
        ordered = sorted(calls, key=lambda value: (-calls[value], str(value)))
        return [
            {
                "value": value,
                "calls": calls[value],
                "of_entity": of_entity[value],
                "failed": failed[value],
            }
            for value in ordered
        ]

    def by_hour(self) -> list[dict[str, int]]:
        """Calls in each of the 24 hours of the day (UTC): `calls` and `of_entity`."""
        texts, of_entity_too, one_of_two = Counter[str](), Counter[str](), []
        for group in self.groups:
            if group["call_id"] is not None:
                one_of_two.append(group)
                continue
            texts.update(group["hours"])
            if group["in_entity"]:
                of_entity_too.update(group["hours"])
        calls, of_entity = [0] * 24, [0] * 24
        for text, times in texts.items():
            for hour, n in _hours_in(text):
                if n:
                    calls[hour] += n * times
                    of_entity[hour] += n * of_entity_too[text]
        for group in one_of_two:
            hour = min(hour for text in group["hours"] for hour, n in _hours_in(text) if n)
            calls[hour] += 1
            of_entity[hour] += 1 if group["in_entity"] else 0
        return [{"calls": calls[hour], "of_entity": of_entity[hour]} for hour in range(24)]

    def ids_of(self, shared: Iterable[str], scope: str, limit: int = EVIDENCE) -> list[str]:
        """The newest event ids of the scope's calls that share all these attributes."""
        needed = [f"is_{name}" for name in shared]
        return newest_ids(
            (
                group
                for group in self.groups
                if (scope == "whole" or group["in_entity"]) and all(group[one] for one in needed)
            ),
            limit,
        )

    def only_failed(self, scope: str) -> bool:
        """Whether there were calls of the alert's API, and every one of them failed."""
        like = [
            group["failed"]
            for group in self.groups
            if group.get("is_event_name") and (scope == "whole" or group["in_entity"])
        ]
        return bool(like) and all(like)

    def like_the_alert(self, scope: str) -> list[str]:
        """The newest event ids of the alert's API, else of its address, else of any call."""
        named = (n for n in ("event_name", "source_ip_address") if n in self.attributes)
        return self.ids_of(list(named)[:1], scope)


def _hours_in(text: str) -> Iterable[tuple[int, int]]:
    """(hour, how many events), from one of the `hours` of `calls_in`."""
    return enumerate(_numbers.decode(text)) if text.startswith("[") else ((int(text), 1),)


_numbers = msgspec.json.Decoder(list[int])
