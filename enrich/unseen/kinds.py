"""Since when an account's logs have which kind of event, Region by Region.

CloudTrail does not say what a trail was told to log: what is told is the first event of a kind
that is indexed, never that a trail began (decision 2). The day rollup says it by the calls' names;
that a kind is nowhere, or not before, is looked for once more by the records' own category.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
Firsts = dict[tuple[str, str], datetime]


def find_unseen(account: str, store: Store) -> tuple[Unseen, tuple[Query, ...]]:
    """The kinds of one account's events, and the queries behind that."""
    summary = store.summary()
    if summary.first is None or summary.last is None:
        return Unseen(status="not_covered", account_id=account), ()
    if not store.days_of(account, summary.first, summary.last):
        none = f"No logs of account {short(account)} are indexed."
        return Unseen(status="not_covered", account_id=account, lines=(none,)), ()
    firsts, query = _by_name(account, store, summary.first, summary.last, data_only=False)
    management = {region: at for (source, region), at in firsts.items() if not source}
    data, more = confirmed(
        account,
        store,
        {key: at for key, at in firsts.items() if key[0]},
        [kind.source for kind in DATA_KINDS],
    )
    queries = (query, *more)
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


def data_firsts(account: str, store: Store) -> tuple[Firsts, tuple[Query, ...]]:
    """By `eventSource` and Region the first data event that its name gives away: one look-up for
    all answers of a version of the index."""
    summary = store.summary()
    if summary.first is None or summary.last is None:
        return {}, ()
    firsts, query = _by_name(account, store, summary.first, summary.last, data_only=True)
    return firsts, (query,)


def confirmed(
    account: str, store: Store, firsts: Firsts, sources: Collection[str]
) -> tuple[Firsts, tuple[Query, ...]]:
    """The same, once more by the records' own category for these sources: before it is said that
    there is nothing, or nothing before."""
    summary = store.summary()
    if summary.first is None or summary.last is None:
        return firsts, ()
    begin = min(
        (cell.first for cell in store.days_of(account, summary.first, summary.last)),
        default=summary.first,
    )
    more, query = _by_category(account, store, firsts, begin, summary.last, sources)
    return earliest(firsts, more), (query,)


def earliest(one: Firsts, other: Firsts) -> Firsts:
    """The earlier of both, for each source and Region of either."""
    return {
        key: min(at for at in (one.get(key), other.get(key)) if at is not None)
        for key in (*one, *other)
    }


def _by_name(
    account: str, store: Store, first: datetime, last: datetime, *, data_only: bool
) -> tuple[Firsts, Query]:
    """With `data_only` nothing but data events; else what is none of them under no source."""
    bound: dict[str, Any] = {"account": account}
    cases = []
    for number, kind in enumerate(DATA_KINDS):
        names = sorted(kind.names)
        bound |= {f"source_{number}": kind.source} | bound_values(f"names_{number}", names)
        cases.append(
            f"event_source = $source_{number}"
            f" and event_name in {bound_list(f'names_{number}', names)}"
        )
    is_data = " or ".join(f"({case})" for case in cases)
    source = "event_source" if data_only else f"case when {is_data} then event_source else '' end"
    found = store.query(
        f"""
        select {source} as source, coalesce(aws_region, '') as region, min(first) as first
        from daily
        where recipient_account_id = $account {f"and ({is_data})" if data_only else ""}
        group by 1, 2
        """,
        bound,
        first=first,
        last=last,
    )
    return _firsts(found.rows), found.query


def _by_category(
    account: str,
    store: Store,
    known: Firsts,
    begin: datetime,
    last: datetime,
    sources: Collection[str],
) -> tuple[Firsts, Query]:
    """The first of these sources' data events that say so themselves, up to those known."""
    until = {
        source: min((at for (of, _), at in known.items() if of == source), default=last)
        for source in sorted(sources)
    }
    conditions = " or ".join(
        f"(event_source = $source_{number} and event_time <= $until_{number})"
        for number in range(len(until))
    )
    bound: dict[str, Any] = {"account": account, "begin": begin}
    for number, (source, at) in enumerate(until.items()):
        bound |= {f"source_{number}": source, f"until_{number}": at}
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
        last=max(until.values()),
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


def _firsts(rows: list[dict[str, Any]]) -> Firsts:
    return {(row["source"], row["region"]): row["first"] for row in rows}
