"""Whether the database still says what happened: found out by computing all of it again.

Checked are the chain itself (numbers, links, hashes, its recorded end), every case, note, piece
of evidence, alert list and user against what the chain says of them, every seal, and the heads
that signed-off reports printed. A chain that was rewritten from some entry on agrees with itself;
only a head kept outside the database, in a report, gives that away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, select

from cases import tables
from cases.audit import FIRST_HASH, Head, entry_hash, read_head
from cases.canonical import plain
from cases.change import CASE_FIELDS
from cases.database import Database
from cases.evidence import evidence_digest, evidence_rows
from cases.heads import heads_in
from cases.kept_reports import KeptReport, check_report
from cases.review import seal_of
from cases.users import user_document

__all__ = ["Verification", "heads_in", "verify"]


@dataclass(frozen=True)
class Verification:
    """What was checked, and every contradiction found, in words."""

    entries: int
    cases: int
    evidence: int
    head: Head
    heads_checked: tuple[Head, ...]
    problems: tuple[str, ...]
    reports: tuple[KeptReport, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems and all(one.ok for one in self.reports)


def verify(
    database: Database, heads: Sequence[Head] = (), reports: Sequence[tuple[str, bytes]] = ()
) -> Verification:
    """What holds and what does not. `heads` and `reports`, each a name and the file's bytes, were
    kept elsewhere. `problems` are those of the database; each report has its own. `NotFound` for
    a file that is no report.
    """
    with database.read() as connection:
        rows = connection.execute(select(tables.audit).order_by(tables.audit.c.seq)).all()
        head = read_head(connection)
        told = _Told(rows)
        checks: dict[str, Callable[[], Iterable[str]]] = {
            "chain": lambda: _chain(rows, head),
            "printed heads": lambda: _printed(rows, heads),
            "entries": lambda: told.unreadable,
            "cases": lambda: _cases(connection, told),
            "notes": lambda: _notes(connection, told),
            "evidence": lambda: _evidence(connection, told),
            "alerts of cases": lambda: _case_alerts(connection, told),
            "users": lambda: _users(connection, told),
        }
        problems: list[str] = []
        for name, check in checks.items():
            try:
                problems += check()
            except (ValueError, TypeError, KeyError) as error:
                # Someone put in what the program never writes; the other checks still run.
                problems.append(f"The {name} cannot be read any more: {error}.")
        cases = _count(connection, tables.cases)
        evidence = _count(connection, tables.evidence)
        seals = {
            row.id: row.seal
            for row in connection.execute(select(tables.cases.c.id, tables.cases.c.seal))
        }
    broken = [case_id for case_id in seals if _BROKEN_SEAL.format(case_id) in problems]
    checked = tuple(check_report(*one, rows, seals, broken) for one in reports)
    compared = (*heads, *(head for one in checked for head in one.heads))
    return Verification(len(rows), cases, evidence, head, compared, tuple(problems), checked)


_BROKEN_SEAL = "Case {} does not match its seal."


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _chain(rows: Sequence[Any], head: Head) -> Iterable[str]:
    previous = FIRST_HASH
    for expected, row in enumerate(rows, start=1):
        if row.seq != expected:
            yield f"Audit entry {expected} is missing: the next one is {row.seq}."
            break
        if row.previous != previous:
            yield f"Audit entry {row.seq} does not follow from entry {row.seq - 1}."
        found = entry_hash(
            row.seq,
            row.at,
            row.actor,
            row.case_id,
            row.case_version,
            row.action,
            row.before,
            row.after,
            row.previous,
            row.by,
        )
        if found != row.hash:
            yield f"Audit entry {row.seq} was changed: its content does not have its hash."
        previous = row.hash
    last = Head(rows[-1].seq, rows[-1].hash) if rows else Head(0, FIRST_HASH)
    if last != head:
        yield (
            f"The chain ends at entry {last.seq}, but its recorded end is entry {head.seq}:"
            " entries were removed or added behind the program's back."
        )


def _printed(rows: Sequence[Any], heads: Sequence[Head]) -> Iterable[str]:
    by_seq = {row.seq: row.hash for row in rows}
    for printed in heads:
        if printed.seq == 0 and printed.hash == FIRST_HASH:
            continue
        if printed.seq not in by_seq:
            yield f"A report was signed at audit entry {printed.seq}, which is gone."
        elif by_seq[printed.seq] != printed.hash:
            yield (
                f"Audit entry {printed.seq} is not the one that a report was signed at: the"
                " history up to it was rewritten."
            )


class _Told:
    """What the history says there must be."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.cases: dict[int, dict[str, Any]] = {}
        self.versions: dict[int, int] = {}
        self.notes: dict[int, Mapping[str, Any]] = {}
        self.evidence: dict[int, tuple[int, str]] = {}
        self.alerts: set[tuple[int, str]] = set()
        self.users: dict[str, Mapping[str, Any]] = {}
        self.seals: dict[int, Any] = {}  # case → the approval's entry
        self.unreadable: list[str] = []
        for row in rows:
            try:
                self._read(row, json.loads(row.after))
            except (ValueError, TypeError, KeyError, AttributeError):
                self.unreadable.append(f"Audit entry {row.seq} does not hold a change any more.")

    def _read(self, row: Any, after: Mapping[str, Any]) -> None:
        if "user" in after:
            self.users[after["user"]["name"]] = after["user"]
        if row.case_id is None or row.case_version is None:
            return
        self.versions[row.case_id] = row.case_version
        self.cases.setdefault(row.case_id, {}).update(after.get("case", {}))
        if after.get("case", {}).get("seal"):
            self.seals[row.case_id] = row
        if "note" in after:
            self.notes[after["note"]["id"]] = {**after["note"], "case_id": row.case_id}
        if "alert" in after:
            self.alerts.add((row.case_id, after["alert"]["id"]))
        for one in after.get("evidence", ()):
            self.evidence[one["id"]] = (row.case_id, one["sha256"])


def _cases(connection: Connection, told: _Told) -> Iterable[str]:
    cases = connection.execute(select(tables.cases)).all()
    present = {row.id for row in cases}
    for case_id in sorted(set(told.cases) - present):
        yield f"Case {case_id} is gone."
    for row in cases:
        expected = told.cases.get(row.id)
        if expected is None:
            yield f"Case {row.id} has no history."
            continue
        differing = [
            name for name in CASE_FIELDS if plain(row._mapping[name]) != expected.get(name)
        ]
        if differing:
            yield (
                f"Case {row.id} was changed behind the program's back: {', '.join(differing)}"
                " differ from its history."
            )
        if row.version != told.versions[row.id]:
            yield f"Case {row.id} is at another version than its history."
        if row.seal is not None:
            approval = told.seals.get(row.id)
            if approval is None or not _is_sealed(connection, row, approval):
                yield _BROKEN_SEAL.format(row.id)


def _is_sealed(connection: Connection, row: Any, approval: Any) -> bool:
    by = None if approval.by is None else json.loads(approval.by)
    return bool(seal_of(connection, row.id, by, approval.seq) == row.seal)


def _notes(connection: Connection, told: _Told) -> Iterable[str]:
    found = {row.id: plain(dict(row._mapping)) for row in connection.execute(select(tables.notes))}
    for note_id in sorted(set(told.notes) | set(found)):
        if note_id not in found:
            yield f"Note {note_id} of case {told.notes[note_id]['case_id']} is gone."
        elif found[note_id] != told.notes.get(note_id):
            yield f"Note {note_id} of case {found[note_id]['case_id']} is not as it was written."


def _evidence(connection: Connection, told: _Told) -> Iterable[str]:
    present = set(connection.execute(select(tables.evidence.c.id)).scalars())
    for evidence_id in sorted(set(told.evidence) - present):
        yield f"Evidence {evidence_id} of case {told.evidence[evidence_id][0]} is gone."
    for row, content in evidence_rows(connection):
        if content is None:
            yield f"Evidence {row.id} of case {row.case_id} is damaged: what was frozen is gone."
            continue
        found = evidence_digest(content)
        if told.evidence.get(row.id) != (row.case_id, found) or row.sha256 != found:
            yield f"Evidence {row.id} of case {row.case_id} is not what was frozen."


def _case_alerts(connection: Connection, told: _Told) -> Iterable[str]:
    found = {(row.case_id, row.alert_id) for row in connection.execute(select(tables.case_alerts))}
    for case_id, alert_id in sorted(told.alerts ^ found):
        gone = (case_id, alert_id) in told.alerts
        yield f"Alert {alert_id} was {'taken out of' if gone else 'put into'} case {case_id}."


def _users(connection: Connection, told: _Told) -> Iterable[str]:
    found = {row.name: user_document(row) for row in connection.execute(select(tables.users))}
    for name in sorted(set(found) | set(told.users)):
        if found.get(name) != told.users.get(name):
            yield f"User {name!r} is not as the history says (role or presence differ)."
