"""Every chart we can draw, held against Vega-Lite's own schema by Altair."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import altair
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.exceptions import ValidationError

from ui.kit import charts

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
names = st.text(max_size=90)
counts = st.integers(0, 10**9)
times = st.datetimes(datetime(2013, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


def valid(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification, once Altair has read it whole and what it says is plain JSON."""
    read = altair.Chart.from_dict(spec, validate=True).to_dict(validate=True, context={})
    assert read["layer"]
    json.dumps(spec, allow_nan=False)
    only_known_fields(spec, None)
    return read


def only_known_fields(part: Any, row: dict[str, Any] | None) -> None:
    """Fails for an encoding of a field that the rows it is drawn over do not have."""
    if isinstance(part, dict):
        values = part.get("data", {}).get("values")
        row = row if values is None else (values[0] if values else None)
        named = [part["field"]] if "field" in part and "data" not in part else []
        assert row is None or all(name in row for name in named), (named, row)
        for key, inner in part.items():
            if key != "data":
                only_known_fields(inner, row)
    elif isinstance(part, list):
        for inner in part:
            only_known_fields(inner, row)


def services(rows: list[tuple[str, int, int]]) -> list[dict[str, Any]]:
    return [
        {"event_source": source, "service": None, "count": ok + failed, "failed": failed}
        for source, ok, failed in rows
    ]


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(names.filter(bool), counts, counts), max_size=20))
def test_bars_of_services(rows: list[tuple[str, int, int]]) -> None:
    valid(charts.service_bars(services(rows)))


@settings(max_examples=6, deadline=None)
@given(st.dictionaries(names, counts, max_size=12), st.none() | names)
def test_bars_of_what_was_seen(seen: dict[str, int], own: str | None) -> None:
    valid(charts.seen_bars(seen, own))


@settings(max_examples=6, deadline=None)
@given(st.dictionaries(st.integers(0, 23), counts), st.none() | st.integers(0, 23))
def test_bars_of_hours(hours: dict[int, int], own: int | None) -> None:
    valid(charts.hour_bars(hours, own))


@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.tuples(times, counts, counts, counts), max_size=10),
    st.sampled_from(["minute", "hour", "day"]),
    st.none() | times,
)
def test_timelines(
    buckets: list[tuple[datetime, int, int, int]], unit: str, alert: datetime | None
) -> None:
    rows = [
        {"at": at, "events": ok + failed, "failed": failed, "others": others}
        for at, ok, failed, others in buckets
    ]
    until = None if alert is None else alert + timedelta(minutes=5)
    valid(charts.timeline(rows, unit, alert, until, (NOON - timedelta(days=1), NOON)))


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(st.dates(), names, counts), max_size=10))
def test_coverage_maps(cells: list[tuple[Any, str, int]]) -> None:
    valid(
        charts.coverage_map(
            [{"day": day.isoformat(), "place": place, "events": n} for day, place, n in cells]
        )
    )


def test_the_check_itself_finds_a_mistake() -> None:
    spec = charts.hour_bars({1: 2}, None)
    spec["layer"][0]["layer"][0]["encoding"]["x"]["type"] = "ordinary"
    with pytest.raises(ValidationError, match="ordinary"):
        valid(spec)
    spec = charts.hour_bars({1: 2}, None)
    spec["layer"][0]["layer"][0]["encoding"]["x"]["field"] = "our"
    with pytest.raises(AssertionError, match="our"):
        valid(spec)
