"""Alerts found in the index by Sigma rules: ours, a team's own, or the public ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sigma.conversion.state import ConversionState
from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaCorrelationType,
)
from sigma.rule import SigmaRule

from alerts.alert import Alert
from alerts.detections.correlation import HOLDS, Stretch, bursts, sequences
from alerts.detections.event_query import (
    MAX_EVENTS,
    Condition,
    Counting,
    Rows,
    Scope,
    find_calls,
    find_crowded,
    find_events,
    find_together,
)
from alerts.detections.fields import COLUMNS, is_target
from alerts.detections.hits import alert_of, by_session_and_day, merged
from alerts.detections.own_fields import DAYS_BEFORE, Content, OwnFields, own_fields
from alerts.detections.possible import Call, names_a_call, possible_calls
from alerts.detections.rule_files import (
    OUR_RULES,
    RuleProblem,
    RuleSet,
    read_rules,
)
from alerts.detections.sigma_sql import EventTableBackend, cloudtrail_pipeline
from trail.errors import QueryFailed
from trail.store import Store

_COUNTED = (SigmaCorrelationType.EVENT_COUNT, SigmaCorrelationType.VALUE_COUNT)
_TEMPORAL = (SigmaCorrelationType.TEMPORAL, SigmaCorrelationType.TEMPORAL_ORDERED)


@dataclass(frozen=True)
class _Ready:
    """A rule about single events, with its condition and the names of the calls it may be about."""

    rule: SigmaRule
    condition: Condition
    names: frozenset[str] | None
    """Of the calls in the index; None where it may be any."""
    own: OwnFields


def detect(
    store: Store,
    first: datetime,
    last: datetime,
    rules: Sequence[Path] = (OUR_RULES,),
) -> tuple[list[Alert], list[RuleProblem]]:
    """The alerts of all rules between two times, oldest first, and the rules that did not run.

    What a rule finds of one session (or user) on one UTC day is one alert, so that running again,
    over these days or some of them, gives the same alerts with the same ids. A correlation cites
    the events that were crowded, those shortly before `first` among them.
    """
    rule_set = read_rules(rules)
    calls = find_calls(store, first, last)
    ready = _ready(rule_set, calls)
    alerts: list[Alert] = []
    ours = store.summary().accounts
    plain = [ready[id(rule)] for rule in rule_set.rules if id(rule) in ready and rule._output]
    for one, rows in _found(plain, store, (first, last), rule_set):
        with rule_set.alone(one.rule):
            file = rule_set.files[id(one.rule)]
            rows = _within_limit(rows, one.rule, rule_set)
            if one.own.content is not None:
                rows = _read(one.own.content, rows, ours)
            groups = by_session_and_day(rows)
            alerts += [alert_of(one.rule, group, file) for group in groups]
    for rule in rule_set.rules:
        with rule_set.alone(rule):
            if isinstance(rule, SigmaCorrelationRule):
                alerts += _correlated(rule, ready, store, (first, last), rule_set)
    return sorted(alerts, key=_when), rule_set.problems


def _ready(rule_set: RuleSet, calls: Sequence[Call]) -> dict[int, _Ready]:
    backend = EventTableBackend(cloudtrail_pipeline())
    backend.init_processing_pipeline()
    ready: dict[int, _Ready] = {}
    for rule in rule_set.rules:
        with rule_set.alone(rule):
            # Also to a correlation: its fields become targets.
            backend.last_processing_pipeline.apply(rule)
            if isinstance(rule, SigmaRule):
                own = own_fields(rule, COLUMNS)
                condition = _condition(rule, backend)
                if own.unless_seen_before is not None:
                    condition = replace(condition, sql=f"({condition.sql}) and {own.condition}")
                ready[id(rule)] = _Ready(rule, condition, _names(rule, calls), own)
    return ready


def _names(rule: SigmaRule, calls: Sequence[Call]) -> frozenset[str] | None:
    if not names_a_call(rule):
        return None
    names = {name for _, name in possible_calls(rule, calls)}
    return None if None in names else frozenset(name for name in names if name is not None)


def _condition(rule: SigmaRule, backend: EventTableBackend) -> Condition:
    state = ConversionState(processing_state={"parameters": {}})
    parts = [
        f"({backend.convert_condition(condition.parsed, state)})"
        for condition in rule.detection.parsed_condition
    ]
    return Condition(" or ".join(parts), dict(state.processing_state["parameters"]))


Window = tuple[datetime, datetime]


def _found(
    rules: Sequence[_Ready], store: Store, window: Window, rule_set: RuleSet
) -> Iterable[tuple[_Ready, Rows]]:
    """What each rule found. All rules that name their calls share one reading of those, the others
    one of all: what is read once for one rule is read for all of them.
    """
    groups: dict[tuple[bool, ...], list[_Ready]] = {}
    for one in rules:
        if one.names is None or one.names:
            by_content, by_past = one.own.content is not None, one.own.unless_seen_before
            groups.setdefault((one.names is None, by_content, by_past is not None), []).append(one)
    for together in groups.values():
        further = together[0].own.content.columns if together[0].own.content else ()
        try:
            rows = find_events(store, _conditions(together), _scope(together, window), further)
        except QueryFailed:
            rows = None  # by one of them: each on its own says by which
        if rows is not None and len(rows) <= MAX_EVENTS:
            for number, one in enumerate(together):
                yield one, [row for row in rows if row["held"][number]]
            continue
        for one in together:
            with rule_set.alone(one.rule):
                yield one, find_events(store, [one.condition], _scope([one], window), further)


def _read(content: Content, rows: Rows, ours: Collection[str]) -> Rows:
    """Those of the calls whose content has what is asked for, and what it says."""
    read = ({**row, "said": content.found_in(row, ours)} for row in rows)
    return [row for row in read if row["said"]]


def _conditions(rules: Iterable[_Ready]) -> list[Condition]:
    return [one.condition for one in rules]


def _scope(rules: Sequence[_Ready], window: Window) -> Scope:
    first, last = window
    past = any(one.own.unless_seen_before is not None for one in rules)
    read_from = first - timedelta(days=DAYS_BEFORE) if past else None
    names: set[str] = set()
    for one in rules:
        if one.names is None:
            return Scope(first, last, None, read_from)
        names |= one.names
    return Scope(first, last, tuple(sorted(names)), read_from)


def _correlated(
    rule: SigmaCorrelationRule,
    ready: Mapping[int, _Ready],
    store: Store,
    window: Window,
    rule_set: RuleSet,
) -> list[Alert]:
    if rule.type not in (*_COUNTED, *_TEMPORAL):
        rule_set.problem(rule, f"it is a {rule.type.name.lower()} correlation: only counts are run")
        return []
    counting = rule.condition
    if not isinstance(counting, SigmaCorrelationCondition):
        rule_set.problem(rule, "its condition names rules, which is not supported")
        return []
    if len(rule.aliases) or counting.op not in HOLDS:
        rule_set.problem(rule, "it uses aliases or an upper limit, which are not supported")
        return []
    counted = [ready.get(id(reference.rule)) for reference in rule.rules or []]
    usable = [one for one in counted if one is not None]
    if not usable or len(usable) < len(counted):
        rule_set.problem(rule, "a rule that it counts cannot be used")
        return []
    if any(one.own.content is not None for one in usable):
        rule_set.problem(rule, "a rule that it counts has `content`, which is not read for counts")
        return []
    temporal = rule.type in _TEMPORAL
    if temporal and counting.count != len(usable):
        rule_set.problem(rule, "it asks for some of its rules, which is not supported")
        return []
    named = str(counting.fieldref) if isinstance(counting.fieldref, str) else None
    by_value = rule.type is SigmaCorrelationType.VALUE_COUNT
    if by_value and named is None:
        rule_set.problem(rule, "it counts the values of no field, or of several")
        return []
    group_by = tuple(rule.group_by or ())
    targets = [*group_by, *([str(named)] if by_value else [])]
    if unknown := [target for target in targets if not is_target(target)]:
        rule_set.problem(rule, f"its field {unknown[0]!r} is not one that the event table keeps")
        return []
    needed = [one for one in usable if one.names is None or one.names]
    if not needed or (temporal and len(needed) < len(usable)):
        return []  # the index has none of their calls
    first, last = window
    timespan = timedelta(seconds=max(rule.timespan.seconds, 1))
    since = (first - timespan, last)
    file = rule_set.files[id(rule)]
    counted_column = "counted" if by_value else None
    if temporal:
        scopes = [(one.condition, _scope([one], since)) for one in needed]
        rows = find_together(store, scopes, group_by)
        stretches: list[Stretch] = sequences(
            _within_limit(rows, rule, rule_set),
            group_by=tuple(f"key_{number}" for number in range(len(group_by))),
            rules=len(needed),
            ordered=rule.type is SigmaCorrelationType.TEMPORAL_ORDERED,
            timespan=timespan,
            since=first,
        )
    else:
        what = Counting(
            group_by=group_by,
            distinct=named if by_value else None,
            seconds=max(rule.timespan.seconds, 1),
            at_least=counting.count,
        )
        rows = find_crowded(store, _conditions(needed), what, _scope(needed, since))
        limit, holds = counting.count, HOLDS[counting.op]
        stretches = bursts(
            _within_limit(rows, rule, rule_set),
            group_by=what.keys,
            distinct=counted_column,
            timespan=timespan,
            holds=lambda count: holds(count, limit),
            since=first,
        )
    return [
        alert_of(rule, stretch.rows, file, counted_column, stretch.turning)
        for stretch in merged(stretches)
    ]


def _within_limit(rows: Rows, rule: SigmaRule | SigmaCorrelationRule, rule_set: RuleSet) -> Rows:
    """The rows that are used; says so if they are not all."""
    if len(rows) > MAX_EVENTS:
        rule_set.problem(
            rule,
            f"it found more than {MAX_EVENTS:,} events, and only the first ones were used: "
            "run it over a shorter time",
        )
    return rows[:MAX_EVENTS]


def _when(alert: Alert) -> tuple[str, str]:
    return (alert.first_seen.isoformat() if alert.first_seen else "", alert.id)
