"""What an index holds, as one JSON object or as text: coverage, gaps, rejects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from trail.counted import counted
from trail.days_in_a_row import in_a_row, span_in_words
from trail.index.catalog import Catalog, DayCoverage, Records, Reject
from trail.index.passed_over import plain

REJECTS_SHOWN = 50
SKIPS_SHOWN = 20
"""Of one reason: a file that was skipped wrongly can be found only by its name."""
DAYS_SHOWN = 62


@dataclass(frozen=True)
class Status:
    """One moment of an index."""

    counts: Mapping[str, int]
    coverage: Sequence[DayCoverage]
    rejects: Sequence[Reject]
    skips: Sequence[tuple[str, str]]
    skipped_records: Sequence[tuple[str, str, int]] = ()
    records: Records | None = None
    without_digest: tuple[int, int] = (0, 0)

    @property
    def first(self) -> datetime | None:
        return min((cell.first for cell in self.coverage), default=None)

    @property
    def last(self) -> datetime | None:
        return max((cell.last for cell in self.coverage), default=None)

    @property
    def accounts(self) -> list[str]:
        return sorted({cell.account for cell in self.coverage} - {""})

    @property
    def regions(self) -> list[str]:
        return sorted({cell.region for cell in self.coverage} - {""})

    def as_json(self) -> dict[str, Any]:
        """What `status --json` prints."""
        counts = self.counts
        return {
            "events": counts["events"],
            "duplicates": counts["duplicates"],
            "rejected": counts["rejected"],
            "skipped_files": counts["skipped_files"],
            "files": counts["files"],
            "first": _stamp(self.first),
            "last": _stamp(self.last),
            "accounts": self.accounts,
            "regions": self.regions,
            "segments": counts["segments"],
            "bytes": counts["bytes"],
            **_numbers(self.records),
            "files_without_digest": self.without_digest[0],
            "segments_without_digest": self.without_digest[1],
        }


def read_status(catalog: Catalog) -> Status:
    """The catalog's account of the index, all of one moment."""
    with catalog.snapshot():
        return Status(
            catalog.totals(),
            catalog.coverage(),
            catalog.rejects(),
            catalog.skips(),
            catalog.skipped_records(),
            catalog.records(),
            catalog.without_digest(),
        )


def _numbers(records: Records | None) -> dict[str, int | None]:
    """The equation's numbers by name; `rejected` stands there already."""
    names = ("read", "kept", "repeated", "skipped")
    return {name: None if records is None else getattr(records, name) for name in names}


def render_status(status: Status) -> str:
    """The text form. Everything in it may be pasted into a ticket: one thing per line."""
    counts = status.counts
    lines = [
        f"{counted(counts['events'], 'event')} from {counted(counts['files'], 'file')} "
        f"({counted(counts['duplicates'], 'duplicate')} left out, {counts['rejected']:,} rejected, "
        f"{counted(counts['skipped_files'], 'file')} skipped)",
        status.records.equation
        if status.records is not None
        else "An index of before schema 4 does not say what became of every record:"
        " `python -m trail migrate` counts them.",
        f"{counted(counts['segments'], 'segment')}, {counts['bytes'] / 1e6:,.1f} MB",
    ]
    if any(status.without_digest):
        files, segments = status.without_digest
        lines.append(
            f"{counted(files, 'source file')} and {counted(segments, 'segment')} have no"
            f" digest, so damage and change"
            " cannot be told: `python -m trail migrate` makes them."
        )
    if status.first is None or status.last is None:
        lines.append("Nothing is indexed yet. Add a folder: `python -m trail add FOLDER`.")
    else:
        lines.append(f"from {_stamp(status.first)} to {_stamp(status.last)}")
        lines += ["", *_coverage(status)]
    if status.rejects:
        lines += ["", f"Rejected ({counts['rejected']:,}):"]
        for reject in status.rejects[:REJECTS_SHOWN]:
            lines.append(f"  {plain(reject.path)}, {reject.position}: {plain(reject.reason)}")
        if len(status.rejects) > REJECTS_SHOWN:
            lines.append(f"  … and {len(status.rejects) - REJECTS_SHOWN:,} more")
    if status.skips:
        by_reason: dict[str, list[str]] = {}
        for path, reason in status.skips:
            by_reason.setdefault(reason, []).append(path)
        lines += ["", f"Skipped ({len(status.skips):,}):"]
        for reason, paths in sorted(by_reason.items()):
            lines.append(f"  {plain(reason)} ({len(paths):,}):")
            lines += [f"    {plain(path)}" for path in paths[:SKIPS_SHOWN]]
            if len(paths) > SKIPS_SHOWN:
                lines.append(f"    … and {len(paths) - SKIPS_SHOWN:,} more")
    if status.skipped_records:
        lines += ["", "Skipped records of files that hold events too:"]
        for path, reason, count in status.skipped_records[:REJECTS_SHOWN]:
            lines.append(f"  {plain(path)}: {plain(reason)} ({count:,})")
        if len(status.skipped_records) > REJECTS_SHOWN:
            lines.append(f"  … and {len(status.skipped_records) - REJECTS_SHOWN:,} more")
    return "\n".join(lines) + "\n"


def _coverage(status: Status) -> list[str]:
    """One line per account and region, one character per day: a dot is a gap."""
    days = sorted({cell.day for cell in status.coverage})
    first, last = days[0], days[-1]
    begin = max(first, last - timedelta(days=DAYS_SHOWN - 1))
    shown = [begin + timedelta(days=n) for n in range((last - begin).days + 1)]
    cells: dict[tuple[str, str], dict[date, int]] = {}
    for cell in status.coverage:
        cells.setdefault((cell.account, cell.region), {})[cell.day] = cell.events
    lines = [
        f"Coverage {begin} to {last}, one character a day "
        "(. none, - under 100, + under 10,000, # more):"
    ]
    if begin > first:
        lines.append(f"  (the {DAYS_SHOWN} last days; the index begins on {first})")
    for (account, region), of_day in sorted(cells.items()):
        row = "".join(_mark(of_day.get(day, 0)) for day in shown)
        total = sum(of_day.values())
        lines.append(
            f"  {plain(account) or '(no account)':<12} {plain(region) or '(no region)':<15} "
            f"{row}  {total:,}"
        )
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    gaps = [span_in_words(*run) for run in in_a_row(set(every) - set(days))]
    lines.append(f"Days without any event: {', '.join(gaps) if gaps else 'none'}")
    return lines


def _mark(events: int) -> str:
    return "." if events == 0 else "-" if events < 100 else "+" if events < 10_000 else "#"


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
