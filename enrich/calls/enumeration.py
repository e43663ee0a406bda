"""Whether a principal went through role names to see which let it in.

STS answers alike for a role that is missing and one that is forbidden, so guessing names shows
as many distinct denied targets within minutes (§3.3).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from enrich.data.roles_assumed import Enumeration
from enrich.entity import Match
from enrich.facts.denial import parse_denial
from enrich.facts.role_name import role_named
from enrich.window import Window, iso
from trail.store import Query, Store

WITHIN = timedelta(minutes=10)
LEAST_TARGETS = 5
"""So many distinct refused roles within `WITHIN` is no longer a slip."""
DENIALS_READ = 20_000
SHOWN = 20
"""Event ids listed, one of each target."""


def find_enumeration(
    match: Match, store: Store, window: Window
) -> tuple[Enumeration | None, Query]:
    """The densest stretch of refused role names, or None; and the query."""
    found = store.query(
        f"""
        select event_id, event_time, target_role_arn, error_code, error_message, call_id
        from credentials
        where event_time >= $window_first and event_time <= $window_last
          and event_source = 'sts.amazonaws.com' and event_name like 'AssumeRo%'
          and failed and {match.sql}
        order by event_time, event_id limit {DENIALS_READ}
        """,
        {**match.parameters, "window_first": window.first, "window_last": window.last},
    )
    denied = []
    seen: set[str] = set()
    for row in found.rows:
        if row["call_id"] is not None:
            if row["call_id"] in seen:
                continue
            seen.add(row["call_id"])
        denial = parse_denial(row["error_code"], row["error_message"])
        target = row["target_role_arn"] or denial.target_role_arn
        role = role_named(target)
        if role is not None:
            denied.append((row["event_time"], role, row["event_id"]))
    return densest(denied), found.query


def densest(denied: Iterable[tuple[datetime, object, str]]) -> Enumeration | None:
    """The `WITHIN` with the most distinct targets, when there are `LEAST_TARGETS` or more; of the
    (time, target, event id) in it, `event_ids` names one call of each target.
    """
    within: deque[tuple[datetime, object, str]] = deque()
    targets: Counter[object] = Counter()
    most: Enumeration | None = None
    for call in sorted(denied, key=lambda one: one[0]):
        moment, target, _ = call
        within.append(call)
        targets[target] += 1
        while moment - within[0][0] > WITHIN:
            _, gone, _ = within.popleft()
            targets[gone] -= 1
            if not targets[gone]:
                del targets[gone]
        if len(targets) >= LEAST_TARGETS and (most is None or len(targets) > most.targets):
            seconds = (moment - within[0][0]).total_seconds()
            of_targets = {refused: event_id for _, refused, event_id in reversed(within)}
            most = Enumeration(
                targets=len(targets),
                calls=len(within),
                window_first=iso(within[0][0]),
                window_last=iso(moment),
                minutes=max(1, -(-int(seconds) // 60)),
                event_ids=tuple([*of_targets.values()][::-1][:SHOWN]),
            )
    return most
