"""Every chart we can draw, held against Vega-Lite's own schema; and what stands in it of a log."""

from __future__ import annotations

import copy
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import altair
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.exceptions import ValidationError

from cases.metrics import Ageing, Group, Precision, Spread
from enrich.answer import Bar
from ui.cases import metrics_charts
from ui.kit import charts
from ui.kit.hatching import band_strokes, strokes
from ui.kit.specification import Spec, finished, milliseconds, rows, rows_in

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SPAN = (NOON - timedelta(days=1), NOON)
names = st.text(max_size=90)
counts = st.integers(0, 10**9)
times = st.datetimes(datetime(2013, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


def valid(spec: Spec) -> Spec:
    """The specification, once Altair has read it whole and what it says is plain JSON."""
    altair.Chart.from_dict(spec, validate=True).to_dict(validate=True, context={})
    json.dumps(spec, allow_nan=False)
    assert "data" not in spec, "Streamlit would take it through pandas"
    assert "datasets" not in spec
    only_known_fields(spec, None)
    return spec


MADE_THERE = {"result", "events", "order"}
"""Fields that the timeline's own transforms make."""


def only_known_fields(part: Any, row: dict[str, Any] | None) -> None:
    """Fails for an encoding of a field that the rows it is drawn over do not have."""
    if isinstance(part, dict):
        if "data" in part:
            values = json.loads(part["data"]["values"])
            made = dict.fromkeys(MADE_THERE) if "transform" in part else {}
            row = (values[0] | made) if values else None
        named = [part["field"]] if "field" in part and "data" not in part else []
        assert row is None or all(name in row for name in named), (named, row)
        for key, inner in part.items():
            if key != "data":
                only_known_fields(inner, row)
    elif isinstance(part, list):
        for inner in part:
            only_known_fields(inner, row)


def services(found: list[tuple[str, int, int]]) -> list[Bar]:
    return [Bar(source, source, ok + failed, failed) for source, ok, failed in found]


@settings(max_examples=5, deadline=None)
@given(st.lists(st.tuples(names.filter(bool), counts, counts), max_size=20))
def test_bars_of_services(found: list[tuple[str, int, int]]) -> None:
    bars = charts.call_bars("service", services(found))
    drawn = rows_in(valid(bars.spec))[0]
    assert [row["n"] for row in drawn] == list(range(len(bars.of)))
    # The busiest twelve, from the raw pairs: who failed how often, and who did not.
    busiest = sorted(found, key=lambda one: -(one[1] + one[2]))[:12]
    assert Counter(zip(bars.of, (row["calls"] for row in drawn), strict=True)) == Counter(
        ((source, result), number)
        for source, ok, failed in busiest
        for result, number in (("succeeded", ok), ("failed", failed))
        if number
    )
    assert [row["failed"] for row in rows_in(bars.spec)[1]] == [
        f"✕ {failed:,}" for _, _, failed in busiest if failed
    ]


@settings(max_examples=5, deadline=None)
@given(st.dictionaries(names, counts, max_size=12), st.none() | names)
def test_bars_of_what_was_seen(seen: dict[str, int], own: str | None) -> None:
    bars = charts.seen_bars("Seen", seen, own)
    drawn = rows_in(valid(bars.spec))[0]
    assert [row["events"] for row in drawn] == [seen.get(value, 0) for value in bars.of]
    assert own is None or own in bars.of
    assert [row["which"] == "the alert's" for row in drawn] == [value == own for value in bars.of]
    assert all((row["label"] == "never seen") == (value not in seen)
               for row, value in zip(drawn, bars.of, strict=True))  # fmt: skip


@settings(max_examples=5, deadline=None)
@given(st.dictionaries(st.integers(0, 23), counts), st.none() | st.integers(0, 23))
def test_bars_of_hours(hours: dict[int, int], own: int | None) -> None:
    bars = charts.hour_bars("Hours", hours, own)
    drawn = rows_in(valid(bars.spec))[0]
    assert {row["hour"]: row["events"] for row in drawn if row["events"]} == {
        hour: number for hour, number in hours.items() if number
    }
    assert bars.of == tuple(range(24))


@settings(max_examples=5, deadline=None)
@given(
    st.dictionaries(times, st.tuples(counts, counts, counts), max_size=10),
    st.sampled_from(["minute", "hour", "day"]),
    st.none() | times,
    st.lists(times, max_size=2),
)
def test_timelines(
    buckets: dict[datetime, tuple[int, int, int]],
    unit: str,
    alert: datetime | None,
    gaps: list[datetime],
) -> None:
    found = [
        {"at": at, "events": ok + failed, "failed": failed, "others": others}
        for at, (ok, failed, others) in buckets.items()
    ]
    hour = timedelta(hours=1)
    marked = charts.Marked(
        alert=None if alert is None else (alert, alert + hour),
        baseline=None if alert is None else (alert - 14 * hour, alert - 12 * hour),
        skipped=None if alert is None else (alert - 12 * hour, alert),
        no_logs=tuple((gap, gap + 30 * hour) for gap in gaps),
    )
    spec = valid(charts.timeline(found, unit, SPAN, marked))
    (drawn,) = [part for part in rows_in(spec) if part and "succeeded" in part[0]] or [[]]
    assert {row["at"]: (row["succeeded"], row["failed"], row["others"]) for row in drawn} == {
        milliseconds(at): kinds for at, kinds in buckets.items() if any(kinds)
    }


@settings(max_examples=5, deadline=None)
@given(st.dictionaries(st.tuples(st.dates(), names), counts, max_size=10))
def test_coverage_maps(cells: dict[tuple[date, str], int]) -> None:
    spec = valid(charts.coverage_map([(day, place, n) for (day, place), n in cells.items()]))
    gaps, _, held = rows_in(spec)
    assert {(row["at"], row["place"]): row["events"] for row in held} == {
        (int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000), place): n
        for (day, place), n in cells.items()
    }
    # Each place's days and gaps together are all the days of the map, each once.
    day_ms = 86_400_000
    covered = Counter(
        (row["place"], at)
        for row in (*held, *(gap for gap in gaps if gap["until"] - gap["at"] < 400 * day_ms))
        for at in range(row["at"], row["until"], day_ms)
    )
    assert set(covered.values()) <= {1}


def test_a_map_tells_days_without_logs_from_quiet_ones() -> None:
    spec = charts.coverage_map(
        [(date(2025, 12, 30), "a", 5), (date(2026, 1, 2), "a", 1), (date(2025, 12, 31), "b", 7)]
    )
    gaps, lines, held = rows_in(spec)
    assert len(held) == 3
    assert [(row["place"], row["at"], row["until"]) for row in gaps] == [
        ("a", ms("2025-12-31"), ms("2026-01-02")),
        ("b", ms("2025-12-30"), ms("2025-12-31")),
        ("b", ms("2026-01-01"), ms("2026-01-03")),
    ]
    assert all(row["logs"] == "no logs" for row in gaps)
    assert {(row["place"]) for row in lines} == {"a", "b"}


def ms(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1000)


@given(st.lists(st.tuples(times, st.integers(1, 10**6)), max_size=4))
def test_hatching_stays_within_its_gap(gaps: list[tuple[datetime, int]]) -> None:
    stretches = [(start, start + timedelta(seconds=long)) for start, long in gaps]
    first = min((start for start, _ in stretches), default=NOON)
    span = (first, max((end for _, end in stretches), default=first + timedelta(days=1)))
    lines = strokes(stretches, span, 170)
    within = [(milliseconds(start), milliseconds(end)) for start, end in stretches]
    assert all(any(a <= line["at"] <= line["until"] <= b for a, b in within) for line in lines)
    assert all(0 <= line["high"] <= line["low"] <= 170 for line in lines)
    assert len(lines) <= (70 + 4) * max(1, len(stretches))
    bands = band_strokes(stretches, span)
    assert all(any(a <= one["at"] <= one["until"] <= b for a, b in within) for one in bands)
    assert {one["at"] for one in bands} >= {a for a, _ in within}


# The lead's charts ----------------------------------------------------------------------------


def a_group(name: str, *seconds: float) -> Group:
    spread = Spread(len(seconds), *((seconds[0], seconds[-1]) if seconds else (None, None)))
    return Group(name, 3, 2, 1, spread, spread, spread, {"true_positive": 2, "benign": 1})


@pytest.mark.parametrize("upright", [True, False])
def test_the_leads_charts(upright: bool) -> None:
    groups = [a_group("2026-W10", 60.0, 3600.0), a_group("constructor"), a_group("\u202ex", 9.0)]
    drawn = rows_in(valid(metrics_charts.times(groups, "triage", upright=upright)))[0]
    assert [(row["group"], row["which"], row["time"]) for row in drawn] == [
        ("2026-W10", "median", 1.0), ("2026-W10", "p95", 60.0),
        ("\\u{202E}x", "median", 0.15), ("\\u{202E}x", "p95", 0.15),
    ]  # fmt: skip
    volumes = rows_in(valid(metrics_charts.volumes(groups[:1], {"2026-W10": 7, "2026-W11": 2})))[0]
    assert [row["count"] for row in volumes] == [7, 3, 2, 1, 2, 0, 0, 0]
    ended = rows_in(valid(metrics_charts.verdicts(groups)))[0]
    assert [(row["verdict"], row["cases"]) for row in ended] == [
        ("True positive", 2), ("Benign", 1)
    ] * 3  # fmt: skip
    found = [Precision("Recon:x", 1, 2, 0, 0.5), Precision("Other", 0, 0, 1, None)]
    (row,) = rows_in(valid(metrics_charts.precision(found)))[0]
    assert (row["rate"], row["label"]) == (0.5, "1 of 2")


def test_a_late_case_is_drawn_no_longer_than_three_clocks() -> None:
    rows_of = [
        Ageing(1, "x", "high", "ann", "open", 7200.0, 3600.0, -3600.0),
        Ageing(2, "x", "low", "ann", "open", 36e5, 3600.0, -36e5),
        Ageing(3, "x", "low", "ann", "open", 900.0, 3600.0, 2700.0),
    ]
    drawn = rows_in(valid(metrics_charts.ageing(rows_of)))[0]
    assert [(row["case"], row["part"], row["state"]) for row in drawn] == [
        ("case 1", 2.0, "late"), ("case 2", 3.0, "late"), ("case 3", 0.25, "in time"),
    ]  # fmt: skip


# What a log says ------------------------------------------------------------------------------

HOSTILE = [
    "![x](http://203.0.113.9/x.png)", "datum.x", "constructor", "__proto__", "a.b[0]", "'\"\\",
    "half \ud83d pair", "\u202egnp.exe", "javascript:alert(1)", "toString", "{\"mark\":\"image\"}",
]  # fmt: skip


def test_text_of_a_log_stands_in_rows_and_in_sort_orders_alone() -> None:
    specs = [
        charts.call_bars("service", services([(text, 2, 1) for text in HOSTILE])).spec,
        charts.seen_bars("Seen", dict.fromkeys(HOSTILE, 3), "![y](http://203.0.113.9/y)").spec,
        charts.coverage_map([(date(2026, 3, 1), text, 2) for text in HOSTILE]),
        metrics_charts.times([a_group(text, 5.0) for text in HOSTILE], "triage", upright=False),
        metrics_charts.precision([Precision(text, 1, 2, 0, 0.5) for text in HOSTILE]),
    ]
    for spec in specs:
        valid(spec)
        bare = json.dumps(_without_values(spec), ensure_ascii=False)
        assert not [text for text in HOSTILE if len(text) > 7 and text in bare]
        assert not {"href", "url", "image"} & set(_keys(spec))
        json.dumps(spec).encode("ascii")  # it goes over the wire whatever it holds


def _without_values(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            key: _without_values(inner)
            for key, inner in part.items()
            if key not in ("data", "sort")
        }
    return [_without_values(inner) for inner in part] if isinstance(part, list) else part


def _keys(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [*part, *(key for inner in part.values() for key in _keys(inner))]
    return [key for inner in part for key in _keys(inner)] if isinstance(part, list) else []


# The checks themselves ------------------------------------------------------------------------


def test_the_check_itself_finds_a_mistake() -> None:
    spec = copy.deepcopy(charts.hour_bars("Hours", {1: 2}, None).spec)
    spec["layer"][0]["layer"][0]["encoding"]["x"]["type"] = "ordinary"
    with pytest.raises(ValidationError, match="ordinary"):
        valid(spec)
    spec = copy.deepcopy(charts.hour_bars("Hours", {1: 2}, None).spec)
    spec["layer"][0]["layer"][0]["encoding"]["x"]["field"] = "our"
    with pytest.raises(AssertionError, match="our"):
        valid(spec)
    with pytest.raises(AssertionError, match="pandas"):
        valid(altair.Chart(rows([])).mark_bar().to_dict())


def test_rows_never_stand_where_streamlit_would_unpack_them() -> None:
    one = altair.Chart(rows([{"x": 1}])).mark_bar().encode(x="x:Q")
    for chart in (one, altair.layer(one), altair.layer(one, one.mark_text())):
        spec = finished(chart)
        assert set(spec) == {"layer"}
        assert rows_in(spec) == [[{"x": 1}]]
