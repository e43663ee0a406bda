"""The ledger in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from enrich.data.ledger import LedgerEntry, Undoing
from enrich.words import listed, short
from trail.counted import counted


def made_words(entry: LedgerEntry) -> str:
    """ "made 2026-03-10 12:24:50"; "changed 2 times, first 2026-03-10 12:24:11, last …"; "used" of
    what was only used."""
    if entry.made is None:
        return entry.word
    often = len(entry.event_ids)
    if often < 2:
        return f"{entry.word} {moment(entry.made)}"
    if entry.first_made is None or entry.first_made == entry.made:
        return f"{entry.word} {counted(often, 'time')}, last {moment(entry.made)}"
    return (
        f"{entry.word} {counted(often, 'time')}, first {moment(entry.first_made)}, last"
        f" {moment(entry.made)}"
    )


def became_words(entry: LedgerEntry, *, cut: bool = False) -> str:
    """ "deleted 2026-03-10 12:28:24 with its user, by user/bob"; how far the logs go where no
    event says so. It quotes log text."""
    undone = entry.undone
    if undone is not None and undone.same_second:
        return (
            f"{undone.word} in the same second, {moment(undone.time)}: which came first is in no"
            " record"
        )
    if undone is not None:
        return undoing_words(undone)
    if entry.again is not None:
        by = f" by {short(_named(entry.again_by))}" if entry.again_by else ""
        return f"{entry.word} again {moment(entry.again)}{by}"
    if cut:
        return "not all of the later calls were looked at"
    if entry.looked_until is None:
        return "no deletion in the logs"
    return f"no deletion in the logs until {moment(entry.looked_until)}"


def undoing_words(undone: Undoing) -> str:
    """ "deleted 2026-03-10 12:28:24 with its user, by user/bob"."""
    along = f" with its {undone.along_with}" if undone.along_with else ""
    by = f", by {short(_named(undone.by))}" if undone.by_another and undone.by else ""
    return f"{undone.word} {moment(undone.time)}{along}{by}"


FOLLOWED = "of the kinds that are followed"


def summed_up(
    entries: Sequence[LedgerEntry], *, cut: bool, not_followed: Sequence[str] = ()
) -> str:
    """How many things were made and how many of them undone, and what of it is not followed."""
    said = _summed_up(entries, cut=cut)
    if not not_followed:
        return said
    calls = listed(map(short, not_followed), at_most=6)
    return f"{said} What was made by {calls} is not followed."


def _summed_up(entries: Sequence[LedgerEntry], *, cut: bool) -> str:
    if not entries:
        return "It made or changed nothing of which a later call could tell that it was undone."
    gone = [entry for entry in entries if entry.is_gone]
    made = f"Made or changed: {counted(len(entries), 'thing')} {FOLLOWED}"
    if not gone:
        rest = "" if cut else until_words(entries)
        return f"{made}, none of them undone in the logs{rest}."
    last = max(str(entry.undone.time) for entry in gone if entry.undone is not None)
    by = _by_whom(gone)
    said = f"{made}, {len(gone):,} of them undone by {moment(last)}{by}"
    if len(gone) == len(entries):
        return f"{said}."
    left = [entry for entry in entries if not entry.is_gone]
    told = listed((f"{one.kind} {short(one.name)}" for one in left), at_most=4)
    rest = "" if cut else until_words(left)
    return f"{said}; not undone{rest}: {told}."


def _by_whom(gone: Sequence[LedgerEntry]) -> str:
    others = sum(entry.undone is not None and entry.undone.by_another for entry in gone)
    if not others:
        return ", by the same identity"
    if others == len(gone):
        return ", by others"
    return f", {others:,} of these by others"


def until_words(entries: Sequence[LedgerEntry]) -> str:
    """ " until 2026-03-10 13:00:00", where the logs of what is left end."""
    ends = [entry.looked_until for entry in entries if entry.looked_until is not None]
    return f" until {moment(min(ends))}" if ends else ""


def moment(iso: str | None) -> str:
    """ "2026-03-10 12:28:24"."""
    if iso is None:
        return "at an unknown time"
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S}"


def _named(arn: str | None) -> str:
    return (arn or "").split(":", 5)[-1]
