"""Since when an account's logs have which kind of event, Region by Region.

CloudTrail does not say what a trail was told to log: what is told is the first event of a kind
that is indexed, never that a trail began (decision 2). The day rollup says it by the calls' names;
that a kind is nowhere, or not before, is looked for once more by the records' own category.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import structs

from enrich.data.unseen import KindLogged, Unseen
from enrich.facts.data_events import DATA_KINDS, LAMBDA, S3_OBJECTS
from enrich.sql_text import bound_list, bound_values
from enrich.window import iso
from enrich.words import listed, short
from trail.store import Query, Store

_ALWAYS = (S3_OBJECTS, LAMBDA)
"""Kinds that are told where none is indexed as well."""
_Firsts = dict[tuple[str, str], datetime]


def find_unseen(account: str, store: Store) -> tuple[Unseen, tuple[Query, ...]]:
    """The kinds of one account's events, and the queries behind that."""
    summary = store.summary()
    if summary.first is None or summary.last is None:
        return Unseen(status="not_covered", account_id=account), ()
    if not store.days_of(account, summary.first, summary.last):
        none = f"No logs of account {short(account)} are indexed."
        return Unseen(status="not_covered", account_id=account, lines=(none,)), ()
    firsts, query = _by_name(account, store, summary.first, summary.last)
    queries: tuple[Query, ...] = (query,)
    management = {region: at for (source, region), at in firsts.items() if not source}
    begin = min(management.values(), default=summary.first)
    data = {key: at for key, at in firsts.items() if key[0]}
    more, query = _by_category(account, store, data, begin, summary.last)
    queries = (*queries, query)
    for key, at in more.items():
        data[key] = min(at, data.get(key, at))
    network, query = _network(account, store, summary.first, summary.last)
    kinds = [
        KindLogged(
            kind="management",
            words="management event",
            unseen="calls that change or describe resources",
            aws_region=region or None,
            first=iso(at),
        )
        for region, at in sorted(management.items())
    ]
    for kind in DATA_KINDS:
        there = {region: at for (source, region), at in data.items() if source == kind.source}
        if there or kind in _ALWAYS:
            one = KindLogged(event_source=kind.source, words=kind.words, unseen=kind.unseen)
            kinds += _by_region(one, there)
    one = KindLogged(
        kind="network activity",
        words="network activity event",
        unseen="calls that a VPC endpoint refused",
    )
    kinds += _by_region(one, network)
    found = Unseen(
        status="answered", account_id=account, kinds=tuple(kinds), lines=tuple(lines_of(kinds))
    )
    return found, (*queries, query)


def _by_region(kind: KindLogged, there: Mapping[str, datetime]) -> list[KindLogged]:
    """The kind in each Region that has it; once without one where none has."""
    return [
        structs.replace(kind, aws_region=region or None, first=iso(at))
        for region, at in sorted(there.items())
    ] or [kind]


def lines_of(kinds: Sequence[KindLogged]) -> list[str]:
    """Each kind in a sentence: where it is there and since when, or that it is nowhere."""
    told: dict[str, list[KindLogged]] = {}
    for kind in kinds:
        told.setdefault(kind.words, []).append(kind)
    lines = []
    for words, alike in told.items():
        if alike[0].first is None:
            lines.append(f"No {words}s are indexed: {alike[0].unseen} cannot be seen.")
            continue
        by_time = sorted(alike, key=lambda one: str(one.first))
        since = (f"{one.aws_region or 'no Region'} {_minute(one.first)}" for one in by_time)
        begin = "The first" if len(alike) == 1 else "In each Region the first"
        lines.append(
            f"{begin} {words} indexed: {listed(since, at_most=6)} UTC. Nothing of that kind before"
            " is in these logs."
        )
    return lines


def _minute(moment: str | None) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M}" if moment else "at an unknown time"


def _by_name(account: str, store: Store, first: datetime, last: datetime) -> tuple[_Firsts, Query]:
    bound: dict[str, Any] = {"account": account}
    cases = []
    for number, kind in enumerate(DATA_KINDS):
        names = sorted(kind.names)
        bound |= {f"source_{number}": kind.source} | bound_values(f"names_{number}", names)
        cases.append(
            f"when event_source = $source_{number}"
            f" and event_name in {bound_list(f'names_{number}', names)} then event_source"
        )
    found = store.query(
        f"""
        select case {" ".join(cases)} else '' end as source, coalesce(aws_region, '') as region,
          min(first) as first
        from daily where recipient_account_id = $account
        group by 1, 2
        """,
        bound,
        first=first,
        last=last,
    )
    return _firsts(found.rows), found.query


def _by_category(
    account: str, store: Store, known: Mapping[tuple[str, str], datetime], begin: datetime,
    last: datetime,
) -> tuple[_Firsts, Query]:  # fmt: skip
    """What the names did not find: data events before the first that they did."""
    sources = sorted(kind.source for kind in DATA_KINDS)
    until = {
        source: min((at for (of, _), at in known.items() if of == source), default=last)
        for source in sources
    }
    conditions = " or ".join(
        f"(event_source = $source_{number} and event_time <= $until_{number})"
        for number in range(len(until))
    )
    bound: dict[str, Any] = {"account": account, "begin": begin}
    for number, (source, at) in enumerate(until.items()):
        bound |= {f"source_{number}": source, f"until_{number}": at}
    end = max(until.values())
    found = store.query(
        f"""
        select event_source as source, coalesce(aws_region, '') as region,
          min(event_time) as first
        from events
        where event_category = 'Data' and recipient_account_id = $account
          and event_time >= $begin and ({conditions})
        group by 1, 2
        """,
        bound,
        first=begin,
        last=end,
    )
    return _firsts(found.rows), found.query


def _network(
    account: str, store: Store, first: datetime, last: datetime
) -> tuple[dict[str, datetime], Query]:
    found = store.query(
        """
        select '' as source, coalesce(aws_region, '') as region, min(event_time) as first
        from events
        where event_time >= $first and event_time <= $last
          and event_category = 'NetworkActivity' and recipient_account_id = $account
        group by 1, 2
        """,
        {"account": account, "first": first, "last": last},
        first=first,
        last=last,
    )
    return {region: at for (_, region), at in _firsts(found.rows).items()}, found.query


def _firsts(rows: list[dict[str, Any]]) -> _Firsts:
    return {(row["source"], row["region"]): row["first"] for row in rows}
