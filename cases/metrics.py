"""The lead's numbers: how long things take, how they end, what is late, and what is worth having.

Times are in seconds. Triage runs from the first alert's arrival to the first action on its case;
decide and close run from the case's opening to its first verdict and to its (last) closing.
The 95th percentile is the nearest rank: a time that some case really took.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from cases import tables
from cases.admission import ACTING
from cases.database import Database
from cases.permissions import may
from cases.redaction import redact
from cases.settings import Settings


@dataclass(frozen=True)
class Spread:
    """How long something took, over `count` cases. None where there was no case."""

    count: int
    median_s: float | None
    p95_s: float | None


@dataclass(frozen=True)
class Group:
    """The cases of one week, severity or finding type."""

    name: str
    opened: int
    closed: int
    reopened: int
    triage: Spread
    decide: Spread
    close: Spread
    verdicts: dict[str, int]


@dataclass(frozen=True)
class Ageing:
    """An unclosed case against its clock: seconds since its first alert came, and what is left
    (negative when it is late)."""

    case_id: int
    title: str
    severity: str
    owner: str | None
    state: str
    age_s: float
    sla_s: float
    left_s: float


@dataclass(frozen=True)
class Precision:
    """How often a finding type was a true positive, among its decided cases.

    Undetermined cases are counted beside, and not as either; the rate is None without a decision.
    """

    finding_type: str
    true_positives: int
    decided: int
    undetermined: int
    rate: float | None


@dataclass(frozen=True)
class Metrics:
    """Everything that the lead's page draws, for the cases that match its filters."""

    total: Group
    by_week: tuple[Group, ...]
    by_severity: tuple[Group, ...]
    by_finding_type: tuple[Group, ...]
    precision: tuple[Precision, ...]
    ageing: tuple[Ageing, ...]
    alerts_by_week: dict[str, int]
    alerts_by_state: dict[str, int]
    reviews: dict[str, int]


@dataclass(frozen=True)
class _Measured:
    row: Any
    arrived: datetime
    finding_types: tuple[str, ...]


def metrics(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    severities: Collection[str] = (),
    finding_types: Collection[str] = (),
    owner: str | None = None,
    settings: Settings | None = None,
) -> Metrics:
    """The numbers for cases opened in the window (alerts: arrived in it).

    For an actor who may read redacted alone they name no case's title, no owner and no owner's
    share, and finding types with stand-ins for what identifies.
    """
    chosen = settings or Settings()
    with database.read("read_redacted") as connection:
        acting = connection.get_execution_options().get(ACTING)
        named = acting is None or may(acting[1], "read")
        measured = [
            one
            for one in _measured(connection)
            if (since is None or one.row.opened_at >= since)
            and (until is None or one.row.opened_at < until)
            and (not severities or one.row.severity in severities)
            and (not finding_types or set(one.finding_types) & set(finding_types))
            and (owner is None or not named or one.row.owner == owner)
        ]
        arrivals = connection.execute(
            select(tables.alerts.c.first_arrival, tables.alerts.c.state)
        ).all()
    if not named:
        types = {"finding_type": sorted({name for one in measured for name in one.finding_types})}
        shown = dict(zip(types["finding_type"], redact(types)["finding_type"], strict=True))
        measured = [
            replace(one, finding_types=tuple(shown[name] for name in one.finding_types))
            for one in measured
        ]
    arrived = [
        row
        for row in arrivals
        if (since is None or row.first_arrival >= since)
        and (until is None or row.first_arrival < until)
    ]
    return Metrics(
        total=_group("all", measured),
        by_week=_groups(measured, lambda one: [week_of(one.row.opened_at)]),
        by_severity=_groups(measured, lambda one: [one.row.severity]),
        by_finding_type=_groups(measured, lambda one: one.finding_types),
        precision=_precision(measured),
        ageing=_ageing(measured, database.now(), chosen, named=named),
        alerts_by_week=dict(sorted(Counter(week_of(r.first_arrival) for r in arrived).items())),
        alerts_by_state=dict(Counter(str(row.state) for row in arrived)),
        reviews=dict(Counter(str(one.row.review) for one in measured)),
    )


def week_of(moment: datetime) -> str:
    """The ISO week, in UTC: `2026-W11`."""
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02d}"


def _measured(connection: Connection) -> Iterable[_Measured]:
    held = tables.case_alerts.c
    first: dict[int, datetime] = {}
    for case_id, arrival in connection.execute(
        select(held.case_id, func.min(tables.alerts.c.first_arrival))
        .join(tables.alerts, tables.alerts.c.id == held.alert_id)
        .group_by(held.case_id)
    ):
        first[case_id] = arrival
    types: dict[int, set[str]] = {}
    for case_id, finding_type, source in connection.execute(
        select(held.case_id, tables.alerts.c.finding_type, tables.alerts.c.source).join(
            tables.alerts, tables.alerts.c.id == held.alert_id
        )
    ):
        types.setdefault(case_id, set()).add(finding_type or f"({source} without a type)")
    for row in connection.execute(select(tables.cases).order_by(tables.cases.c.id)):
        # An alert may have come again long before this case: it waited from its first arrival.
        arrived = min(first.get(row.id, row.opened_at), row.opened_at)
        yield _Measured(row, arrived, tuple(sorted(types.get(row.id, ()))))


def _spread(durations: Iterable[float]) -> Spread:
    ordered = sorted(durations)
    if not ordered:
        return Spread(0, None, None)
    rank = math.ceil(0.95 * len(ordered))
    return Spread(len(ordered), statistics.median(ordered), ordered[rank - 1])


def _seconds(start: datetime, end: datetime | None) -> list[float]:
    return [] if end is None else [(end - start).total_seconds()]


def _group(name: str, measured: Sequence[_Measured]) -> Group:
    rows = [one.row for one in measured]
    return Group(
        name=name,
        opened=len(rows),
        closed=sum(row.state == "closed" for row in rows),
        reopened=sum(row.reopened > 0 for row in rows),
        triage=_spread(s for m in measured for s in _seconds(m.arrived, m.row.triaged_at)),
        decide=_spread(s for row in rows for s in _seconds(row.opened_at, row.decided_at)),
        close=_spread(s for row in rows for s in _seconds(row.opened_at, row.closed_at)),
        verdicts=dict(Counter(str(row.verdict) for row in rows if row.verdict is not None)),
    )


def _groups(
    measured: Sequence[_Measured], names: Callable[[_Measured], Iterable[str]]
) -> tuple[Group, ...]:
    """One group per name; a case with several finding types counts in each of them."""
    members: dict[str, list[_Measured]] = {}
    for one in measured:
        for name in names(one):
            members.setdefault(name, []).append(one)
    return tuple(_group(name, members[name]) for name in sorted(members))


def _precision(measured: Sequence[_Measured]) -> tuple[Precision, ...]:
    verdicts: dict[str, Counter[str]] = {}
    for one in measured:
        if one.row.verdict is not None:
            for finding_type in one.finding_types:
                verdicts.setdefault(finding_type, Counter())[one.row.verdict] += 1
    found = []
    for finding_type, counts in sorted(verdicts.items()):
        undetermined = counts["undetermined"]
        decided = counts.total() - undetermined
        rate = counts["true_positive"] / decided if decided else None
        found.append(Precision(finding_type, counts["true_positive"], decided, undetermined, rate))
    return tuple(found)


def _ageing(
    measured: Sequence[_Measured], now: datetime, settings: Settings, *, named: bool
) -> tuple[Ageing, ...]:
    found = []
    for one in measured:
        if one.row.state == "closed":
            continue
        age = (now - one.arrived).total_seconds()
        sla = settings.sla[one.row.severity].total_seconds()
        found.append(
            Ageing(
                one.row.id,
                one.row.title if named else f"Case {one.row.id}",
                one.row.severity,
                one.row.owner if named else None,
                one.row.state,
                age,
                sla,
                sla - age,
            )
        )
    return tuple(sorted(found, key=lambda one: one.left_s))
