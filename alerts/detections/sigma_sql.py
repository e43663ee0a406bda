"""Sigma conditions as DuckDB SQL over the event table, every value bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.conversion.base import Backend
from sigma.conversion.state import ConversionState
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import FieldFunctionTransformation
from sigma.types import (
    CompareOperators,
    SigmaRegularExpressionFlag,
    SigmaString,
    SpecialChars,
    TimestampPart,
)

from alerts.detections.fields import is_target, list_sql, target_of, text_sql

_OPERATORS = {
    CompareOperators.LT: "<",
    CompareOperators.LTE: "<=",
    CompareOperators.GT: ">",
    CompareOperators.GTE: ">=",
    CompareOperators.NEQ: "<>",
}
_REGEX_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_TIME_PARTS = {
    TimestampPart.MINUTE: "minute",
    TimestampPart.HOUR: "hour",
    TimestampPart.DAY: "day",
    TimestampPart.WEEK: "week",
    TimestampPart.MONTH: "month",
    TimestampPart.YEAR: "year",
}
# Where a keyword without a field is looked for.
_EVERYWHERE = (
    "concat_ws(' ', event_source, event_name, user_identity, source_ip_address, user_agent, "
    "error_code, error_message, request_parameters, response_elements, additional_event_data, "
    "service_event_details, resources)"
)


def _no_correlation(*arguments: object) -> list[str]:
    raise _unsupported("this kind of correlation")


_REFUSED: Any = _no_correlation

Equals = ConditionFieldEqualsValueExpression


def cloudtrail_pipeline() -> ProcessingPipeline:
    """Turns CloudTrail's field names into targets in the event table."""
    return ProcessingPipeline(
        name="CloudTrail fields to the event table",
        items=[ProcessingItem(FieldFunctionTransformation(mapping={}, transform_func=target_of))],
    )


class EventTableBackend(Backend):
    """A condition's SQL; its values gather in the state's `parameters`.

    Every comparison is false, never null, for a field that an event lacks: "not" then means what
    Sigma says it means.
    """

    name = "DuckDB over Backtrail's event table"
    formats = {"default": "SQL condition"}
    requires_pipeline = True

    def convert_condition_or(self, cond: ConditionOR, state: ConversionState) -> str:
        return self._joined(" or ", cond.args, state)

    def convert_condition_and(self, cond: ConditionAND, state: ConversionState) -> str:
        return self._joined(" and ", cond.args, state)

    def convert_condition_not(self, cond: ConditionNOT, state: ConversionState) -> str:
        return f"not ({self.convert_condition(cond.args[0], state)})"

    def _joined(self, word: str, conditions: list[Any], state: ConversionState) -> str:
        return "(" + word.join(self.convert_condition(arg, state) for arg in conditions) + ")"

    def convert_condition_as_in_expression(
        self, cond: ConditionOR | ConditionAND, state: ConversionState
    ) -> str:
        raise _unsupported("an in-list")

    # --- One field ---------------------------------------------------------------------------

    def convert_condition_field_eq_val_str(self, cond: Equals, state: ConversionState) -> str:
        value = cond.value
        assert isinstance(value, SigmaString)
        return _any(cond.field, _like(value, state, cased=False))

    def convert_condition_field_eq_val_str_case_sensitive(
        self, cond: Equals, state: ConversionState
    ) -> str:
        value = cond.value
        assert isinstance(value, SigmaString)
        return _any(cond.field, _like(value, state, cased=True))

    def convert_condition_field_eq_val_num(self, cond: Equals, state: ConversionState) -> str:
        bound = _bind(state, float(getattr(cond.value, "number", 0)))
        return _any(cond.field, lambda value: f"try_cast({value} as double) = {bound}")

    def convert_condition_field_eq_val_bool(self, cond: Equals, state: ConversionState) -> str:
        bound = _bind(state, "true" if cond.value else "false")
        return _any(cond.field, lambda value: f"lower({value}) = {bound}")

    def convert_condition_field_eq_val_re(self, cond: Equals, state: ConversionState) -> str:
        expression: Any = cond.value
        pattern = _bind(state, str(expression.regexp))
        flags = _bind(state, "".join(sorted(_REGEX_FLAGS[flag] for flag in expression.flags)))
        return _any(cond.field, lambda value: f"regexp_matches({value}, {pattern}, {flags})")

    def convert_condition_field_eq_val_cidr(self, cond: Equals, state: ConversionState) -> str:
        network: Any = cond.value
        likes = [_like(SigmaString(text), state, cased=False) for text in network.expand()]
        return _any(cond.field, lambda value: " or ".join(like(value) for like in likes))

    def convert_condition_field_compare_op_val(self, cond: Equals, state: ConversionState) -> str:
        compared: Any = cond.value
        bound = _bind(state, float(compared.number.number))
        operator = _OPERATORS[compared.op]
        return _any(cond.field, lambda value: f"try_cast({value} as double) {operator} {bound}")

    def convert_condition_field_eq_val_timestamp_part(
        self, cond: Equals, state: ConversionState
    ) -> str:
        if cond.field != "event_time":
            raise _unsupported(f"a time's part in {cond.field}")
        part: Any = cond.value
        bound = _bind(state, int(part.number))
        return f"(date_part('{_TIME_PARTS[part.timestamp_part]}', event_time) = {bound})"

    def convert_condition_field_eq_field(self, cond: Equals, state: ConversionState) -> str:
        other: Any = cond.value
        left, right = text_sql(_known(cond.field)), text_sql(_known(target_of(other.field)))
        if other.starts_with:
            return f"coalesce(starts_with(lower({left}), lower({right})), false)"
        if other.ends_with:
            return f"coalesce(ends_with(lower({left}), lower({right})), false)"
        return f"coalesce(lower({left}) = lower({right}), false)"

    def convert_condition_field_eq_val_null(self, cond: Equals, state: ConversionState) -> str:
        return f"({text_sql(_known(cond.field))} is null)"

    def convert_condition_field_exists(self, cond: Equals, state: ConversionState) -> str:
        return f"({text_sql(_known(cond.field))} is not null)"

    def convert_condition_field_not_exists(self, cond: Equals, state: ConversionState) -> str:
        return f"({text_sql(_known(cond.field))} is null)"

    def convert_condition_field_eq_query_expr(self, cond: Equals, state: ConversionState) -> str:
        raise _unsupported("a look-up list")

    # --- No field: keywords ------------------------------------------------------------------

    def convert_condition_val_str(
        self, cond: ConditionValueExpression, state: ConversionState
    ) -> str:
        value = cond.value
        assert isinstance(value, SigmaString)
        anywhere = SpecialChars.WILDCARD_MULTI + value + SpecialChars.WILDCARD_MULTI
        return f"coalesce({_like(anywhere, state, cased=False)(_EVERYWHERE)}, false)"

    def convert_condition_val_num(
        self, cond: ConditionValueExpression, state: ConversionState
    ) -> str:
        text = SigmaString(f"*{cond.value}*")
        return f"coalesce({_like(text, state, cased=False)(_EVERYWHERE)}, false)"

    def convert_condition_val_re(
        self, cond: ConditionValueExpression, state: ConversionState
    ) -> str:
        expression: Any = cond.value
        pattern = _bind(state, str(expression.regexp))
        return f"coalesce(regexp_matches({_EVERYWHERE}, {pattern}), false)"

    def convert_condition_query_expr(
        self, cond: ConditionValueExpression, state: ConversionState
    ) -> str:
        raise _unsupported("a look-up list")

    # --- Correlations are counted by `correlation`, not in SQL ---------------------------------

    convert_correlation_event_count_rule = _REFUSED
    convert_correlation_value_count_rule = _REFUSED
    convert_correlation_temporal_rule = _REFUSED
    convert_correlation_temporal_ordered_rule = _REFUSED
    convert_correlation_extended_temporal_rule = _REFUSED
    convert_correlation_extended_temporal_ordered_rule = _REFUSED
    convert_correlation_value_sum_rule = _REFUSED
    convert_correlation_value_avg_rule = _REFUSED
    convert_correlation_value_percentile_rule = _REFUSED
    convert_correlation_value_median_rule = _REFUSED


def _known(field: str | None) -> str:
    name = field or ""
    if not is_target(name):
        raise SigmaFeatureNotSupportedByBackendError(
            f"its field {name!r} is not one that the event table keeps"
        )
    return name


def _unsupported(what: str) -> SigmaFeatureNotSupportedByBackendError:
    return SigmaFeatureNotSupportedByBackendError(f"it uses {what}, which is not supported")


def _any(field: str | None, test: Callable[[str], str]) -> str:
    """SQL for: the value, or one of the values if there are several, passes the test."""
    target = _known(field)
    values = list_sql(target)
    single = f"coalesce({test(text_sql(target))}, false)"
    if values is None:
        return single
    several = f"coalesce(len(list_filter({values}, lambda value: {test('value')})) > 0, false)"
    return several if "[*]" in target else f"({single} or {several})"


def _like(value: SigmaString, state: ConversionState, *, cased: bool) -> Callable[[str], str]:
    """A test for the pattern: equality without wildcards, else `like`."""
    if value.contains_placeholder():
        raise _unsupported("a placeholder")
    pattern = ""
    special = False
    for part in value.s:
        if part is SpecialChars.WILDCARD_MULTI:
            pattern, special = pattern + "%", True
        elif part is SpecialChars.WILDCARD_SINGLE:
            pattern, special = pattern + "_", True
        else:
            text = str(part)
            pattern += text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if special:
        bound = _bind(state, pattern)
        word = "like" if cased else "ilike"
        return lambda found: f"{found} {word} {bound} escape '\\'"
    plain = "".join(str(part) for part in value.s)
    bound = _bind(state, plain if cased else plain.lower())
    return lambda found: f"{found} = {bound}" if cased else f"lower({found}) = {bound}"


def _bind(state: ConversionState, value: Any) -> str:
    parameters: dict[str, Any] = state.processing_state["parameters"]
    name = f"p{len(parameters)}"
    parameters[name] = value
    return f"${name}"
