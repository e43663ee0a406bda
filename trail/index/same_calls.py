"""Finds the records that do not count by themselves (`trail.calls`), as they come.

Whatever is new is compared with what was there: ids with those of the days around, network
activity with the calls of its day and the two beside it, corrections with the ids of all days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa

from trail.calls import CALLS_SCHEMA, CORRECTED, NETWORK_TWIN, SHARED_EVENT_ID
from trail.index.catalog import Segment, monday_of
from trail.index.segments import CALLS, CREDENTIAL_CALLS, Merger, Run, is_credential

REACH = timedelta(days=15)
"""How far apart the days of one event id may be that is counted once: farther than the days of any
question's window, whose alert is one moment. All days would be compared with all in every build."""

_ONE_DAY = timedelta(days=1)
_AT_ONCE = 50
_ID = "event_id, recipient_account_id, identity_id"


@dataclass
class SameCalls:
    """The segments that say which records do not count by themselves.

    `now` are those of each week, by its Monday; `add` and `remove` the change, and `days` the days
    of whose records something else is said than before.
    """

    now: dict[date, list[Segment]] = field(default_factory=dict)
    add: list[Segment] = field(default_factory=list)
    remove: list[Segment] = field(default_factory=list)
    days: set[date] = field(default_factory=set)


class _Record(NamedTuple):
    day: date
    event_id: str
    account: str | None
    identity_id: str | None
    is_credential: bool
    call_id: str | None
    original: str | None = None
    event_time: datetime | None = None

    @property
    def key(self) -> tuple[str | None, str]:
        return self.account, self.event_id


def told_before(segments: Iterable[Segment]) -> SameCalls:
    """What is known already, of an index's segments."""
    found = SameCalls()
    for segment in segments:
        if segment.kind == CALLS and segment.day is not None:
            found.now.setdefault(segment.day, []).append(segment)
    return found


def find_same_calls(
    merger: Merger,
    old: Sequence[Segment],
    arrived: Sequence[Segment],
    events: Mapping[date, Sequence[Segment]],
    afresh: set[date],
) -> SameCalls:
    """What is to be said now that the `arrived` segments are among the `events` of each day, and
    all of the days `afresh` arrived anew, or went. `old` are the live segments that said it before.
    """
    found = told_before(old)
    before = [segment for of_week in found.now.values() for segment in of_week]
    db = merger.db
    empty = CALLS_SCHEMA.empty_table()
    db.register("no_calls", empty)
    db.execute("create or replace temp table told as from no_calls")
    if before:
        db.execute(f"insert into told from {merger.relation(before)}")
    db.execute("create or replace temp table telling as from no_calls")
    seen = {day for segment in arrived if (day := segment.day) is not None}
    if arrived:
        _with_a_day(merger, arrived, _between(events, seen, REACH))
        _network_twins(merger, _between(events, seen, _ONE_DAY))
    gone = ", ".join(f"date '{day}'" for day in sorted(afresh)) or "null"
    stays = f"coalesce(day not in ({gone}), true) and coalesce(other_day not in ({gone}), true)"
    db.execute(
        "insert into telling from told where corrects is null"
        f" and replaced is distinct from '{CORRECTED}' and {stays}"
    )
    _corrections(merger, arrived, events, f"coalesce(day not in ({gone}), true)")
    db.execute("create or replace temp table telling as select distinct * from telling")
    found.days = {
        day
        for (day,) in db.execute(
            "select distinct day from ((from telling except from told)"
            " union all (from told except from telling))"
        ).fetchall()
    }
    for monday in sorted({monday_of(day) for day in found.days}):
        week = f"day >= date '{monday}' and day < date '{monday + 7 * _ONE_DAY}'"
        found.remove += [s for s in old if s.day == monday]
        found.now[monday] = []
        order = "order by identity_id nulls last, event_id"
        for kind, some in ((CALLS, week), (CREDENTIAL_CALLS, f"{week} and is_credential")):
            made = merger.copy(f"from telling where {some} {order}", kind, monday, Run())
            found.add += made
            if kind == CALLS:
                found.now[monday] = made
    for table in ("told", "telling"):
        db.execute(f"drop table {table}")
    return found


def _between(
    events: Mapping[date, Sequence[Segment]], days: set[date], reach: timedelta
) -> list[Segment]:
    """The events of all days no farther than that from one of the days."""
    near = {day + n * _ONE_DAY for day in days for n in range(-reach.days, reach.days + 1)}
    return [segment for day in sorted(near & events.keys()) for segment in events[day]]


def _with_a_day(merger: Merger, arrived: Sequence[Segment], near: Sequence[Segment]) -> None:
    """Ids of one API that came with several days: those of each count as one call."""
    # By the id alone: half the work, and what shares one is looked at again.
    keyed = "select hash(event_id) as h, cast(event_time as date) as day"
    every = f"({keyed} from {merger.relation(near)})"
    if sum(s.rows for s in near) <= sum(s.rows for s in arrived):  # all of them are new
        twice = f"select h from {every} group by h having min(day) <> max(day)"
    else:
        new = f"({keyed} from {merger.relation(arrived)})"
        twice = (
            f"select distinct every.h from {every} as every join {new} as new"
            " on every.h = new.h and every.day <> new.day"
        )
    db = merger.db
    db.execute(f"create or replace temp table twice as {twice}")
    if (db.execute("select count(*) from twice").fetchone() or (0,))[0]:
        rows = (
            f"select cast(event_time as date) as day, {_ID}, event_name,"
            f" {is_credential()} as is_credential from {merger.relation(near)}"
            " where hash(event_id) in (from twice)"
        )
        db.execute(
            f"""insert into telling
            with copies as materialized ({rows})
            select distinct one.day, one.event_id, one.recipient_account_id, one.identity_id,
                coalesce(one.is_credential, false),
                one.event_id || ' ' || coalesce(one.recipient_account_id, ''),
                null, null, other.day, null, null
            from copies as one join copies as other on one.event_id = other.event_id
                and one.recipient_account_id is not distinct from other.recipient_account_id
                and one.event_name is not distinct from other.event_name
                and one.day <> other.day
                and abs(one.day - other.day) <= {REACH.days}"""
        )
    db.execute("drop table twice")


def _network_twins(merger: Merger, near: Sequence[Segment]) -> None:
    """Network activity records with a twin: the twin counts."""
    is_network = "event_category = 'NetworkActivity'"
    db = merger.db
    # Mostly there is none, which statistics say.
    some = f"select 1 from {merger.relation(near)} where {is_network} limit 1"
    if db.execute(some).fetchone() is None:
        return
    relation = merger.relation(near)
    columns = (
        f"cast(event_time as date) as day, {_ID}, request_id, event_source, event_name,"
        f" coalesce({is_credential()}, false) as is_credential"
    )
    db.execute(
        f"""insert into telling
        select record.day, record.event_id, record.recipient_account_id,
            any_value(record.identity_id), any_value(record.is_credential), null,
            '{NETWORK_TWIN}', min(twin.event_id), min_by(twin.day, twin.event_id), null, null
        from (select {columns} from {relation} where {is_network}) as record
        join (select {columns} from {relation} where not coalesce({is_network}, false)) as twin
            on twin.request_id = record.request_id and twin.event_source = record.event_source
            and twin.event_name = record.event_name
            and twin.recipient_account_id = record.recipient_account_id
            and abs(twin.day - record.day) <= 1
        group by record.day, record.event_id, record.recipient_account_id"""
    )


def _corrections(
    merger: Merger,
    arrived: Sequence[Segment],
    events: Mapping[date, Sequence[Segment]],
    stays: str,
) -> None:
    """Corrections, and the records that one of them is counted in place of."""
    columns = f"day, {_ID}, is_credential"
    read = f"select cast(event_time as date), {_ID}, coalesce({is_credential()}, false)"
    db = merger.db

    def records(sql: str, parameters: object = None) -> list[_Record]:
        return [_Record(*row) for row in db.execute(sql, parameters).fetchall()]

    # Of a correction no call's id is told but its original's, found afresh each time: that one may
    # have gone. Its own is in its record, and goes before.
    known = records(
        f"select {columns}, null, corrects, event_time from told"
        f" where corrects is not null and {stays}"
    )
    new: list[_Record] = []
    if arrived:
        new = records(
            f"{read}, null, original_event_id, event_time from {merger.relation(arrived)}"
            " where original_event_id is not null and original_event_id <> event_id"
        )
    corrections = [*known, *new]
    if not corrections:
        return
    wanted = pa.table({"event_id": pa.array({c.original for c in corrections}, pa.string())})
    originals = records(
        f"select {columns}, call_id from told where replaced = '{CORRECTED}' and {stays}"
    )
    if arrived:
        db.register("wanted", wanted)
        originals += records(
            f"{read}, {SHARED_EVENT_ID} from {merger.relation(arrived)}"
            " where event_id in (from wanted)"
        )
        db.unregister("wanted")
    everywhere = [segment for of_day in events.values() for segment in of_day]
    named = sorted({str(c.original) for c in new})
    for begin in range(0, len(named), _AT_ONCE):
        # As constants: equality is what the event ids' bloom filters can answer.
        listed = ", ".join(
            "'" + one.replace("'", "''") + "'" for one in named[begin : begin + _AT_ONCE]
        )
        originals += records(
            f"{read}, {SHARED_EVENT_ID} from {merger.relation(everywhere)}"
            f" where event_id in ({listed})"
        )

    instead = _counted_instead(corrections)
    days = {c.key: c.day for c in corrections}
    shared = {one.key: one.call_id for one in originals if one.call_id is not None}
    rows: list[tuple[Any, ...]] = [
        (c.day, c.event_id, c.account, c.identity_id, c.is_credential,
         shared.get((c.account, str(c.original))), None, None, None, c.original, c.event_time)
        for c in corrections
    ]  # fmt: skip
    rows += [
        (one.day, one.event_id, one.account, one.identity_id, one.is_credential, one.call_id,
         CORRECTED, instead[one.key][1], days[instead[one.key]], None, None)
        for one in {one[:5]: one for one in [*corrections, *originals]}.values()
        if one.key in instead
    ]  # fmt: skip
    columns_of = zip(*rows, strict=True)
    table = pa.table(
        [pa.array(c, f.type) for c, f in zip(columns_of, CALLS_SCHEMA, strict=True)],
        schema=CALLS_SCHEMA,
    )
    db.register("corrected", table)
    db.execute("insert into telling from corrected")
    db.unregister("corrected")


Key = tuple[str | None, str]


def _counted_instead(corrections: Sequence[_Record]) -> dict[Key, Key]:
    """Record → the correction that counts instead of it: the last of those that name it.

    Corrections of one record stand in for each other; those that name each other in a circle for
    all but the last of them.
    """
    when: dict[Key, tuple[datetime, str]] = {}
    of: dict[Key, list[Key]] = {}
    for c in corrections:
        stated = (c.event_time or datetime.min, c.event_id)
        when[c.key] = max(when.get(c.key, stated), stated)
        of.setdefault((c.account, str(c.original)), []).append(c.key)
    instead: dict[Key, Key] = {}
    for original, named_by in of.items():
        last = max(named_by, key=lambda key: when[key])
        instead[original] = last
        for other in named_by:
            if other != last and other not in of:
                instead[other] = last
    for start in sorted(instead, key=str):
        path: dict[Key, None] = {}
        node: Key | None = start
        while node is not None and node not in path:
            path[node] = None
            node = instead.get(node)
        if node is not None:
            circle = list(path)[list(path).index(node) :]
            del instead[max(circle, key=lambda key: when[key])]
    return instead
