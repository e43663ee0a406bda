"""Runs of the detection rules over the index: what they read, and what came of each rule's alerts.

What the last run read lies in a file beside the index, since it says something of that index. It
names the case database that took its alerts in: with another one, or an older copy of it, all days
are read again, as if there had been no run.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from cases import inbox, tables
from cases.database import Database
from trail.private import private_folder
from trail.store import DuckStore

if TYPE_CHECKING:  # pySigma is 0.4 s of imports that only a run needs
    from alerts.detections import LastRun

MAX_PROBLEMS = 200
"""Rules with a problem that the file names."""


class Problem(msgspec.Struct, frozen=True):
    """A rule that was not run, or not in full."""

    rule: str
    file: str
    reason: str

    def __str__(self) -> str:
        return f"The rule {self.rule!r} ({self.file}) was not run in full: {self.reason}."


class Run(msgspec.Struct, frozen=True):
    """One run, as it is told on the page of rules."""

    at: datetime
    seconds: float
    days_read: int
    days: int
    found: int
    new: int
    problems: tuple[Problem, ...]


class _Kept(msgspec.Struct, frozen=True):
    run: Run
    database: str
    entries: int
    """How many entries the audit trail had: a database with fewer is an older copy."""
    rules: str
    index: str
    read: dict[str, str]


@dataclass(frozen=True)
class RuleRecord:
    """What came of the alerts that one rule raised."""

    found: int = 0
    waiting: int = 0
    last_found: datetime | None = None
    """When the newest of them happened."""
    true_positives: int = 0
    decided: int = 0
    undetermined: int = 0

    @property
    def rate(self) -> float | None:
        """True positives among the decided; None without a decision."""
        return self.true_positives / self.decided if self.decided else None


def run_rules(
    database: Database,
    actor: str,
    store: DuckStore,
    rules: Sequence[Path],
    told: Callable[[int, int], None] = lambda read, of: None,
) -> Run:
    """Runs the rules over the days that are new since the last run, and takes their alerts in."""
    from alerts.detections import LastRun, detect_new

    began = database.now()
    file = _file(store)
    kept = _read(file)
    which, entries = _database(database)
    last = None
    if kept is not None and kept.database == which and kept.entries <= entries:
        last = LastRun(kept.rules, kept.index, kept.read)
    days = [0, 0]

    def heard(read: int, of: int) -> None:
        days[:] = [read, of]
        told(read, of)

    found, problems, now = detect_new(store, rules, last, heard)
    received = inbox.receive(database, actor, found)
    run = Run(
        at=began,
        seconds=(database.now() - began).total_seconds(),
        days_read=days[0],
        days=days[1],
        found=len(received),
        new=sum(one.new for one in received),
        # Where nothing was read, no rule was run: what was wrong with them still is.
        problems=kept.run.problems
        if kept is not None and last is not None and not days[0]
        else tuple(Problem(p.rule, p.file, p.reason) for p in problems[:MAX_PROBLEMS]),
    )
    _write(file, _kept(run, now, *_database(database)))
    return run


def last_run(store: DuckStore) -> Run | None:
    """The newest run over the store's index; None before the first."""
    kept = _read(_file(store))
    return kept.run if kept is not None else None


def records_by_rule(database: Database) -> dict[str, RuleRecord]:
    """Rule's id, or title where it has none → what came of its alerts that are in the inbox or in
    cases. An alert's verdict is that of its newest case that has one.
    """
    held, alerts, cases = tables.case_alerts.c, tables.alerts.c, tables.cases.c
    with database.read() as connection:
        rows = connection.execute(
            select(alerts.id, alerts.raw, alerts.state, alerts.last_seen).where(
                alerts.source == "sigma"
            )
        ).all()
        verdicts = {
            row.alert_id: row.verdict
            for row in connection.execute(
                select(held.alert_id, cases.verdict)
                .join(tables.cases, cases.id == held.case_id)
                .where(cases.verdict.is_not(None))
                .order_by(cases.id)
            )
        }
    records: dict[str, RuleRecord] = {}
    for row in rows:
        key = _rule_of(row.raw)
        if key is None:
            continue
        known, verdict = records.get(key, RuleRecord()), verdicts.get(row.id)
        newest = [one for one in (known.last_found, row.last_seen) if one is not None]
        records[key] = RuleRecord(
            found=known.found + 1,
            waiting=known.waiting + (row.state == "new"),
            last_found=max(newest, default=None),
            true_positives=known.true_positives + (verdict == "true_positive"),
            decided=known.decided + (verdict is not None and verdict != "undetermined"),
            undetermined=known.undetermined + (verdict == "undetermined"),
        )
    return records


def _rule_of(raw: str) -> str | None:
    """The rule that an alert's own evidence names; none in an alert of another making."""
    try:
        rule = json.loads(raw)["rule"]
        key = rule["id"] or rule["title"]
    except (ValueError, KeyError, TypeError):
        return None
    return key if isinstance(key, str) else None


def _database(database: Database) -> tuple[str, int]:
    """What tells this case database from others, and how many entries its audit trail has."""
    with database.read() as connection:
        first = connection.execute(
            select(tables.audit.c.hash).where(tables.audit.c.seq == 1)
        ).scalar_one_or_none()
        entries = connection.execute(select(tables.audit_head.c.seq)).scalar_one_or_none()
    return first or "", entries or 0


def _file(store: DuckStore) -> Path:
    return store.index_dir.resolve().parent / "jobs" / "last-run-of-rules.json"


def _kept(run: Run, now: LastRun, database: str, entries: int) -> _Kept:
    return _Kept(run, database, entries, now.rules, now.index, now.days)


def _read(file: Path) -> _Kept | None:
    """What the file holds; None where there is none, or one of another version or half a one."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None


def _write(file: Path, kept: _Kept) -> None:
    """Whole or not at all, whoever else writes it now."""
    private_folder(file.parent)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".last-run-")
    with os.fdopen(handle, "wb") as out:
        out.write(msgspec.json.encode(kept))
    Path(name).replace(file)
