"""The window of an alert whose times are written in words, and what they leave to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.alert import TimeQuestion
from alerts.times.epoch_times import EpochTime
from alerts.times.time_zones import COMMON
from alerts.times.written_times import Order, WrittenTime, written_times
from trail.counted import counted


@dataclass(frozen=True)
class TimeWindow:
    """From the first to the last of some written times, as they are read for now."""

    first: datetime
    last: datetime
    is_fallback: bool = False
    """Only a mail's own times: when it was sent."""
    question: TimeQuestion | None = None
    notes: tuple[str, ...] = ()
    """What was taken for a time without looking like one: the count of an epoch's seconds. And
    which times are only about right."""


def window_of(times: Sequence[WrittenTime]) -> TimeWindow | None:
    """None if there are none. A mail's own times count only where there is no other.

    What is written no finer than the minute, the hour or the day means all of it.
    """
    times = [time for time in times if not time.of_thing]
    told = [time for time in times if not time.sent]
    used = told or times
    if not used:
        return None
    return TimeWindow(
        min(time.readings[0].instant for time in used),
        max(time.readings[0].instant + time.lasts for time in used),
        not told,
        _question(used),
        tuple(
            EpochTime(time.readings[0].instant, time.unit).in_words(time.text)
            for time in used
            if time.unit is not None
        )
        + tuple(
            f"The text calls “{time.text}” about right: {_in_words(time.about)} on either side were"
            " added."
            for time in used
            if time.about
        )
        + tuple(time.note for time in used if time.note is not None)
        + _what_it_leaves_open(used),
    )


_LONG = timedelta(days=7)


def _what_it_leaves_open(used: Sequence[WrittenTime]) -> tuple[str, ...]:
    """What is said of a window one of whose ends nothing names, and of a long one."""
    first = min(used, key=lambda time: time.readings[0].instant)
    last = max(used, key=lambda time: time.readings[0].instant + time.lasts)
    notes = [
        f"“{time.text}” names no {time.without}: the window {does} with it. Give the {end} time to"
        " look further."
        for time, end, does in ((last, "last", "ends"), (first, "first", "begins"))
        if time.without == ("end" if end == "last" else "beginning")
    ]
    apart = last.readings[0].instant + last.lasts - first.readings[0].instant
    if apart > _LONG and first is not last:
        notes.append(
            f"The text's times are {counted(apart.days, 'day')} apart, from “{first.text}” to"
            f" “{last.text}”: the window is all of that."
        )
    return tuple(dict.fromkeys(notes))


def _in_words(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    size, unit = next(one for one in _UNITS if seconds % one[0] == 0)
    return counted(seconds // size, unit)


_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def answered(
    question: TimeQuestion, *, zone: str | None = None, order: Order | None = None
) -> TimeWindow | None:
    """The window by the analyst's answers, with a question where something is still open."""
    return window_of(written_times("\n".join(question.times), zone=zone, order=order))


def _question(times: Sequence[WrittenTime]) -> TimeQuestion | None:
    opened = [time for time in times if time.is_open]
    if not opened:
        return None
    one = opened[0]
    any_zone = any(time.any_zone for time in opened)
    zones = _zones(opened)
    orders = tuple(
        dict.fromkeys(r.order for time in opened for r in time.readings if r.order is not None)
    )
    likeliest = one.readings[0]
    assumed = [said for said in (likeliest.order, *zones[:1]) if said is not None]
    return TimeQuestion(
        text=_words(one, len({time.text for time in opened}) - 1, ", ".join(assumed)),
        times=tuple(_extremes(times)),
        assumed=", ".join(assumed),
        zones=tuple(dict.fromkeys((*zones, *(COMMON if any_zone else ())))),
        orders=orders,
        earliest=min(time.earliest for time in times),
        latest=max(time.latest for time in times),
    )


def _zones(opened: Iterable[WrittenTime]) -> list[str]:
    """The zones that the open times can be in, as far as they are not certain."""
    found: dict[str, None] = {}
    for time in opened:
        for order in {reading.order for reading in time.readings}:
            names = [reading.zone for reading in time.readings if reading.order == order]
            if len(names) > 1 or time.any_zone:
                found |= dict.fromkeys(names)
    return list(found)


def _extremes(times: Iterable[WrittenTime]) -> list[str]:
    """The first and last of each kind: whatever the answer, the window is between them."""
    kinds: dict[tuple[object, ...], list[WrittenTime]] = {}
    for time in times:
        if time.is_open:
            kind = (time.any_zone, *((reading.order, reading.zone) for reading in time.readings))
        else:
            kind = ()
        kinds.setdefault(kind, []).append(time)
    kept: dict[str, None] = {}
    for kind, members in kinds.items():
        for place in range(len(members[0].readings) if kind else 1):
            instants = [(one.readings[place].instant, one) for one in members]
            first, earliest = min(instants, key=lambda pair: pair[0])
            ends = [(time + one.lasts, one) for time, one in instants]
            last, latest = max(ends, key=lambda pair: pair[0])
            if kind:
                kept |= {earliest.plain: None, latest.plain: None}
            else:
                kept |= {f"{time:%Y-%m-%d %H:%M:%S.%f}Z": None for time in (first, last)}
    return list(kept)


def _words(one: WrittenTime, more: int, assumed: str) -> str:
    said = []
    dates = {reading.order: reading.local for reading in one.readings}
    if len(dates) > 1:
        days = " or ".join(f"{local.day} {local:%B %Y}" for local in dates.values())
        said.append(f"can be {days}")
    names = _zones([one])
    if one.doubt is not None:
        said.append(f"leaves its zone open: “{one.doubt[:60]}” beside it is not understood")
    elif one.any_zone:
        said.append("names no time zone that is known")
    elif one.contradicts_itself:
        said.append(f"contradicts itself: it can be in {', '.join(names[:-1])} or {names[-1]}")
    elif names:
        said.append(f"can be in {', '.join(names[:-1])} or {names[-1]}" if names[1:] else names[0])
    others = f" (and {more:,} more)" if more > 0 else ""
    return (
        f"The time “{one.text}”{others} {' and '.join(said)}. Until that is answered it is taken "
        f"for {assumed}."
    )
