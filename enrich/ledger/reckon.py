"""From the records of makings and undoings to what became of each thing: no index is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from enrich.data.ledger import LedgerEntry, Undoing
from enrich.facts.made_and_undone import (
    GLOBAL,
    THINGS,
    End,
    Thing,
    event_names,
    makes,
    source_of,
    undoes,
)
from enrich.ledger.named import Names, Record, in_one_place
from enrich.window import iso

Row = Mapping[str, Any]


@dataclass
class Made:
    """One thing, told apart by what names it in its place, and the calls that made it."""

    thing: Thing
    name: Names
    shown: str
    makings: list[Record] = field(default_factory=list)

    @property
    def last(self) -> Record:
        return self.makings[-1]


@dataclass
class Used:
    """A thing that was used at a time, whoever made it: it was there then."""

    thing: Thing
    name: Names
    shown: str
    row: Row
    """`event_time`, `recipient_account_id` and `aws_region` of its use, as of an event."""


class Calls:
    """Records of anybody, by what they called."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_call: dict[tuple[str, str], list[Record]] = defaultdict(list)
        for row in rows:
            self._by_call[row["event_source"], row["event_name"]].append(Record(row))

    def about(self, thing: Thing) -> list[Record]:
        """Those that may undo such a thing or make it again, oldest first."""
        names = dict.fromkeys((*undoes(thing), *makes(thing)))
        found = (self._by_call.get((source_of(thing), name), ()) for name in names)
        every = (record for records in found for record in records)
        return sorted(every, key=lambda one: (one.row["event_time"], one.row["event_id"]))


_BY_MAKE: Mapping[tuple[str, str], Sequence[Thing]]
_made: dict[tuple[str, str], list[Thing]] = defaultdict(list)
for _thing in THINGS:
    for _name in makes(_thing):
        _made[source_of(_thing), _name].append(_thing)
_BY_MAKE = dict(_made)


def things_made(rows: Iterable[Row]) -> list[Made]:
    """What the rows (oldest first) made, each thing once."""
    found: dict[tuple[Any, ...], Made] = {}
    for row in rows:
        record = Record(row)
        for thing in _BY_MAKE.get((row["event_source"], row["event_name"]), ()):
            place = (thing.kind, row["recipient_account_id"])
            region = None if thing.source in GLOBAL else row["aws_region"]
            for name, shown in record.shown(thing).items():
                known = found.setdefault(
                    (*place, region, thing.source, name), Made(thing, name, shown)
                )
                known.makings.append(record)
    return list(found.values())


def became_of(made: Made, calls: Calls, until: Callable[[Row], datetime | None]) -> LedgerEntry:
    """The thing's entry. `until` tells where the logs of a row's account and Region end."""
    others = calls.about(made.thing)
    last = made.last
    again = _made_again(made, others)
    basis = again if again is not None else last
    undone = _undone(made.thing, basis.row, lambda end: _names_made(made, end, again), others)
    row = last.row
    is_after = again is not None and undone is None
    return LedgerEntry(
        kind=made.thing.kind,
        name=made.shown,
        account_id=row["recipient_account_id"],
        aws_region=row["aws_region"],
        word=made.thing.word,
        made=iso(row["event_time"]),
        first_made=iso(made.makings[0].row["event_time"]),
        made_by=_who(row),
        event_ids=tuple(one.row["event_id"] for one in reversed(made.makings)),
        undone=undone and _told(made.thing, undone, basis.row, row),
        again=iso(again.row["event_time"]) if is_after and again is not None else None,
        again_event_id=again.row["event_id"] if is_after and again is not None else None,
        again_by=_who(again.row) if is_after and again is not None else None,
        looked_until=iso(until(row)),
    )


def became_of_used(used: Used, calls: Calls) -> LedgerEntry | None:
    """The entry of a thing that was undone after its use, and not made again; None of others."""
    others = calls.about(used.thing)
    basis = used.row
    for record in others:
        if (
            (record.row["event_source"], record.row["event_name"])
            in [(source_of(used.thing), name) for name in makes(used.thing)]
            and record.row["event_time"] > basis["event_time"]
            and in_one_place(used.thing, record.row, used.row)
            and used.name in record.shown(used.thing)
        ):
            basis = record.row
    wanted = {paths_of(used.thing): frozenset({used.name})}
    undone = _undone(used.thing, basis, lambda end: wanted.get(paths_of(end), frozenset()), others)
    if undone is None:
        return None
    return LedgerEntry(
        kind=used.thing.kind,
        name=used.shown,
        account_id=used.row["recipient_account_id"],
        aws_region=used.row["aws_region"],
        word="used",
        undone=_told(used.thing, undone, basis, used.row),
    )


def paths_of(what: Thing | End) -> tuple[str, ...]:
    """The paths of a making record that name a thing, or that an undoing one must match."""
    return what.name if isinstance(what, Thing) else tuple(path for path, _ in what.same)


def _made_again(made: Made, others: Sequence[Record]) -> Record | None:
    """The newest making by a record that is not one of the thing's own, after all of these."""
    if not made.thing.reused:
        return None
    own = {one.row["event_id"] for one in made.makings}
    last: Record | None = None
    for record in others:
        row = record.row
        if (
            made.thing in _BY_MAKE.get((row["event_source"], row["event_name"]), ())
            and row["event_id"] not in own
            and row["event_time"] > made.last.row["event_time"]
            and in_one_place(made.thing, row, made.last.row)
            and made.name in record.shown(made.thing)
        ):
            last = record
    return last


def _names_made(made: Made, end: End, again: Record | None) -> frozenset[Names]:
    """What the undoing record has to name, by its own paths."""
    paths = paths_of(end)
    if paths == made.thing.name:
        return frozenset({made.name})
    return (again or made.last).names(made.thing, paths)


def _undone(
    thing: Thing,
    basis: Row,
    wanted: Callable[[End], frozenset[Names]],
    others: Sequence[Record],
) -> tuple[Record, End] | None:
    """The first record after the last making that undoes it and that nothing took back."""
    found: tuple[Record, End] | None = None
    at_once: tuple[Record, End] | None = None
    for record in others:
        row = record.row
        if row["event_time"] < basis["event_time"] or not in_one_place(thing, row, basis):
            continue
        if found is not None and any(_does(thing, e, wanted(e), record) for e in thing.revived_by):
            found = None
            continue
        end = next((one for one in thing.ends if _does(thing, one, wanted(one), record)), None)
        if end is None or (found is not None and not _says_more(end, row, found)):
            continue
        if _in_its_second(thing, row, basis):
            at_once = (record, end)
        else:
            found = (record, end)
    return found or at_once


def _says_more(end: End, row: Row, found: tuple[Record, End]) -> bool:
    """Whether a call undid the thing itself, in the second in which what it was part of went."""
    known, by = found
    at_once = row["event_time"] == known.row["event_time"]
    return bool(at_once) and by.along_with is not None and end.along_with is None


def _in_its_second(thing: Thing, row: Row, basis: Row) -> bool:
    """A name may have been freed and taken in one second: that order is in no record. An id that
    AWS gave is of one thing, which was made before it was deleted."""
    return thing.reused and bool(row["event_time"] == basis["event_time"])


def _does(thing: Thing, end: End, wanted: frozenset[Names], record: Record) -> bool:
    row = record.row
    if row["event_source"] != source_of(thing):
        return False
    if row["event_name"] not in event_names(thing, (end.api,)):
        return False
    if end.where is not None and end.where[1] not in record.values(end.where[0]):
        return False
    if end.unless is not None and record.values(end.unless):
        return False
    named = record.names(thing, tuple(path for _, path in end.same))
    return bool(wanted) and wanted <= named


def _told(thing: Thing, undone: tuple[Record, End], made: Row, of: Row) -> Undoing:
    record, end = undone
    row = record.row
    return Undoing(
        word=end.word,
        time=iso(row["event_time"]),
        event_id=row["event_id"],
        event_name=row["event_name"],
        by=_who(row),
        by_another=row["identity_id"] != of["identity_id"],
        along_with=end.along_with,
        same_second=_in_its_second(thing, row, made),
    )


def _who(row: Row) -> str | None:
    who = row["principal_arn"] or row["identity_id"]
    return None if who is None else str(who)
