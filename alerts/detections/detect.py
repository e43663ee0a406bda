"""Alerts found in the index by Sigma rules: ours, a team's own, or the public ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from alerts.detections.correlation import HOLDS, bursts
from alerts.detections.event_query import (
    MAX_EVENTS,
    Condition,
    Counting,
    Rows,
    either,
    find_crowded,
    find_events,
)
from alerts.detections.fields import is_target
from alerts.detections.hits import alert_of, by_session_and_day, merged
from alerts.detections.rule_files import (
    OUR_RULES,
    RuleProblem,
    RuleSet,
    read_rules,
)
from alerts.detections.sigma_sql import EventTableBackend, cloudtrail_pipeline
from trail.store import Store

_COUNTED = (SigmaCorrelationType.EVENT_COUNT, SigmaCorrelationType.VALUE_COUNT)


def detect(
    store: Store,
    first: datetime,
    last: datetime,
    rules: Sequence[Path] = (OUR_RULES,),
) -> tuple[list[Alert], list[RuleProblem]]:
    """The alerts of all rules between two times, oldest first, and the rules that did not run.

    What a rule finds of one session (or user) on one UTC day is one alert, so that running again
    gives the same alerts with the same ids. A correlation cites the events that were crowded.
    """
    rule_set = read_rules(rules)
    backend = EventTableBackend(cloudtrail_pipeline())
    backend.init_processing_pipeline()
    conditions: dict[int, Condition] = {}
    for rule in rule_set.rules:
        if isinstance(rule, SigmaRule):
            with rule_set.alone(rule):
                conditions[id(rule)] = _condition(rule, backend)
    alerts: list[Alert] = []
    for rule in rule_set.rules:
        with rule_set.alone(rule):
            if isinstance(rule, SigmaCorrelationRule):
                alerts += _correlated(rule, backend, conditions, store, (first, last), rule_set)
            elif id(rule) in conditions and rule._output:
                rows = find_events(store, conditions[id(rule)], first, last)
                file = rule_set.files[id(rule)]
                groups = by_session_and_day(_within_limit(rows, rule, rule_set))
                alerts += [alert_of(rule, group, file) for group in groups]
    return sorted(alerts, key=_when), rule_set.problems


def _condition(rule: SigmaRule, backend: EventTableBackend) -> Condition:
    backend.last_processing_pipeline.apply(rule)
    state = ConversionState(processing_state={"parameters": {}})
    parts = [
        f"({backend.convert_condition(condition.parsed, state)})"
        for condition in rule.detection.parsed_condition
    ]
    return Condition(" or ".join(parts), dict(state.processing_state["parameters"]))


def _correlated(
    rule: SigmaCorrelationRule,
    backend: EventTableBackend,
    conditions: Mapping[int, Condition],
    store: Store,
    window: tuple[datetime, datetime],
    rule_set: RuleSet,
) -> list[Alert]:
    counting = rule.condition
    if rule.type not in _COUNTED or not isinstance(counting, SigmaCorrelationCondition):
        rule_set.problem(rule, f"it is a {rule.type.name.lower()} correlation: only counts are run")
        return []
    if len(rule.aliases) or counting.op not in HOLDS:
        rule_set.problem(rule, "it uses aliases or an upper limit, which are not supported")
        return []
    counted = [conditions.get(id(reference.rule)) for reference in rule.rules or []]
    usable = [condition for condition in counted if condition is not None]
    if not usable or len(usable) < len(counted):
        rule_set.problem(rule, "a rule that it counts cannot be used")
        return []
    backend.last_processing_pipeline.apply(rule)
    by_value = rule.type is SigmaCorrelationType.VALUE_COUNT
    named = counting.fieldref
    if by_value and not isinstance(named, str):
        rule_set.problem(rule, "it counts the values of no field, or of several")
        return []
    targets = [*(rule.group_by or []), *([str(named)] if by_value else [])]
    if unknown := [target for target in targets if not is_target(target)]:
        rule_set.problem(rule, f"its field {unknown[0]!r} is not one that the event table keeps")
        return []
    counting_what = Counting(
        group_by=tuple(rule.group_by or ()),
        distinct=str(named) if by_value else None,
        seconds=max(rule.timespan.seconds, 1),
        at_least=counting.count,
    )
    rows = find_crowded(store, either(usable), counting_what, *window)
    limit, holds = counting.count, HOLDS[counting.op]
    counted_column = "counted" if by_value else None
    stretches = bursts(
        _within_limit(rows, rule, rule_set),
        group_by=counting_what.keys,
        distinct=counted_column,
        timespan=timedelta(seconds=counting_what.seconds),
        holds=lambda count: holds(count, limit),
    )
    file = rule_set.files[id(rule)]
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
