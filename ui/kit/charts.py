"""The charts of alerts and of the index, built with Altair.

Each comes back finished (`ui.kit.specification`), to be kept and sent again. Those whose bars lead
somewhere say what each bar stands for, by the number that a click gives back. Colours are left to
the theme except where they mean something; those are visible on both themes' backgrounds (3:1).
Words beside marks take the theme's own colour: none of ours could be read on both (4.5:1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import altair as alt

from enrich.answer import Bar
from ui.kit import markup, phrases
from ui.kit.hatching import band_strokes, strokes
from ui.kit.specification import Spec, built_once, finished, milliseconds, rows

WORKED, FAILED, ALERT, OTHER = "#2a9d8f", "#e2603f", "#d1495b", "#84918f"
GAP, BASELINE, SKIPPED = "#84918f", "#5b6f9e", "#5b6f9e"
BAR, BRUSH = "bar", "brush"
"""The names of our selections: a bar that was clicked, and a stretch of time."""

OWN = "the alert's"
OTHERS = "other sessions of the role"
"""In words; in a chart's rows they are "others"."""
TIMELINE_HEIGHT = 170
ONE_DAY = timedelta(days=1)
_Unit = Literal["utcyearmonthdatehoursminutes", "utcyearmonthdatehours", "utcyearmonthdate"]
_UNITS: Mapping[str, _Unit] = {
    "minute": "utcyearmonthdatehoursminutes",
    "hour": "utcyearmonthdatehours",
    "day": "utcyearmonthdate",
}
_DAY_AND_YEAR = "[utcFormat(datum.value, '%d %b'), utcFormat(datum.value, '%Y')]"
_TIME_AND_DAY = "[utcFormat(datum.value, '%H:%M'), utcFormat(datum.value, '%d %b %Y')]"


MOST_BARS = 12
"""Bars of calls that are drawn, those with most calls."""


@dataclass(frozen=True)
class Bars:
    """A chart whose bars can be clicked; `of` says what bar number n stands for."""

    spec: Spec
    of: tuple[Any, ...]


@dataclass(frozen=True)
class Marked:
    """What is marked on a timeline: stretches of time, from and to."""

    alert: tuple[datetime, datetime] | None = None
    baseline: tuple[datetime, datetime] | None = None
    skipped: tuple[datetime, datetime] | None = None
    """Between the baseline and the alert, compared with neither."""
    no_logs: tuple[tuple[datetime, datetime], ...] = ()


@built_once
def call_bars(what: str, counted: Sequence[Bar], most: int = MOST_BARS) -> Bars:
    """Calls per `what`, the failed ones apart; bars stand for (key, result).

    The busiest `most`. How many failed is written out as well: one of a thousand is no pixel wide.
    """
    shown = sorted(counted, key=lambda bar: -bar.calls)[:most]
    bars: list[tuple[str, str]] = []
    values = []
    for bar in shown:
        for order, (result, calls) in enumerate(
            (("succeeded", bar.calls - bar.failed), ("failed", bar.failed))
        ):
            if calls:
                named = {"label": _name_of(bar), "calls": calls, "result": result}
                values.append(named | {"order": order, "n": len(bars)})
                bars.append((bar.key, result))
    failures = [
        {"label": _name_of(bar), "failed": f"✕ {bar.failed:,}"} for bar in shown if bar.failed
    ]
    longest = max((bar.calls for bar in shown), default=0) or 1
    y = alt.Y("label:N", sort=[_name_of(bar) for bar in shown], axis=_labels(), title=None)
    calls_made = (
        alt.Chart(rows(values), name="calls")
        .mark_bar(height=15, cornerRadiusEnd=2, cursor="pointer")
        .encode(
            y=y,
            x=alt.X(
                "calls:Q",
                # Room at the end for the number of those that failed.
                scale=alt.Scale(domain=[0, longest * (1.3 if failures else 1)], nice=False),
                axis=alt.Axis(title="calls", tickMinStep=1, tickCount=4, format="~s"),
            ),
            color=_result_colour(),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("label:N", title=what),
                alt.Tooltip("result:N", title="result"),
                alt.Tooltip("calls:Q", title="calls", format=","),
            ],
        )
        .add_params(_clicked())
    )
    failed = (
        alt.Chart(rows(failures))
        .mark_text(align="right", fontSize=11)
        .encode(y=y, x=alt.value("width"), text=alt.Text("failed:N"))
    )
    return Bars(finished(alt.layer(calls_made, failed).properties(height=alt.Step(24))), (*bars,))


@built_once
def seen_bars(words: str, counts: Mapping[str, int], own: str | None, most: int = 6) -> Bars:
    """How often each value was seen in the baseline, under a title in `words` of ours.

    The alert's own value is marked, be it never seen. Bars stand for their values.
    """
    shown = sorted(counts, key=lambda value: (-counts[value], value))[:most]
    if own is not None and own not in shown:
        shown = [*shown[: most - 1], own]
    values = [
        {
            "value": chart_name(phrases.shortened(value, 60)),
            "events": counts.get(value, 0),
            "which": OWN if value == own else "others",
            "label": phrases.number(counts[value]) if value in counts else "never seen",
            "n": n,
        }
        for n, value in enumerate(shown)
    ]
    most_events = max((counts.get(value, 0) for value in shown), default=0)
    base = alt.Chart(rows(values)).encode(
        y=alt.Y("value:N", sort=None, axis=_labels(), title=None),
        x=alt.X(
            "events:Q",
            axis=None,  # every bar has its number written beside it
            scale=alt.Scale(domain=[0, most_events * 1.4 or 1], nice=False),
        ),
    )
    bars = (
        base.mark_bar(height=14, cornerRadiusEnd=2, cursor="pointer")
        .encode(
            color=_own_or_others(),
            tooltip=[
                alt.Tooltip("value:N", title="value"),
                alt.Tooltip("label:N", title="events"),
            ],
        )
        .properties(name="seen")
        .add_params(_clicked())
    )
    numbers = base.mark_text(align="left", dx=5, fontSize=11).encode(text="label:N")
    chart = alt.layer(bars, numbers).properties(height=alt.Step(24), title=_title(words))
    return Bars(finished(chart), (*shown,))


@built_once
def hour_bars(words: str, hours: Mapping[int, int], own: int | None) -> Bars:
    """Events per hour of the day, 0 to 23 UTC, the alert's hour marked. Bars stand for hours."""
    values = [
        {
            "hour": hour,
            "events": hours.get(hour, 0),
            "which": OWN if hour == own else "others",
            "n": hour,
        }
        for hour in range(24)
    ]
    x = alt.X(
        "hour:O", axis=alt.Axis(title=None, labelAngle=0, values=[*range(0, 24, 3)], ticks=False)
    )
    bars = (
        alt.Chart(rows(values), name="hours")
        .mark_bar(cornerRadiusEnd=1, cursor="pointer")
        .encode(
            x=x,
            y=alt.Y("events:Q", axis=alt.Axis(title=None, tickMinStep=1, tickCount=3, format="~s")),
            color=_own_or_others(),
            tooltip=[
                alt.Tooltip("hour:O", title="hour (UTC)"),
                alt.Tooltip("events:Q", title="events", format=","),
            ],
        )
        .add_params(_clicked())
    )
    parts = [bars]
    if own is not None:
        parts.append(
            alt.Chart(rows([{"hour": own}]))
            .mark_point(shape="triangle-down", filled=True, size=70, color=ALERT)
            .encode(x=x, y=alt.value(4))
        )
    chart = alt.layer(*parts).properties(height=150, title=_title(words))
    return Bars(finished(chart), (*range(24),))


@built_once
def timeline(
    buckets: Sequence[Mapping[str, Any]],
    unit: str,
    span: tuple[datetime, datetime],
    marked: Marked,
) -> Spec:
    """Events per minute, hour or day, the failed ones apart and marked once more at the foot.

    A stretch of it can be chosen (`BRUSH`). What is not drawn for want of logs is hatched.
    """
    values = [
        {
            "at": milliseconds(row["at"]),
            "failed": row["failed"],
            "succeeded": row["events"] - row["failed"],
            "others": row["others"],
        }
        for row in buckets
        if row["events"] or row["others"]
    ]
    kinds = ["failed", "succeeded", *(["others"] if any(row["others"] for row in buckets) else [])]
    long = span[1] - span[0] > timedelta(days=4)
    x = alt.X(
        "at:T",
        timeUnit=_UNITS[unit],
        scale=alt.Scale(type="utc", domain=[phrases.iso(moment) for moment in span], nice=False),
        axis=alt.Axis(
            title=None,
            tickCount=8,
            labelExpr=_DAY_AND_YEAR if long else _TIME_AND_DAY,
            grid=False,
            labelOverlap=True,
        ),
    )
    bars = (
        alt.Chart(rows(values), name="timeline")
        .transform_fold([*kinds], ["result", "events"])
        .transform_filter("datum.events > 0")
        .transform_calculate(order=f"indexof({kinds}, datum.result)")
        .mark_bar(binSpacing=0, clip=True)
        .encode(
            x=x,
            y=alt.Y(
                "events:Q",
                axis=alt.Axis(title=f"events per {unit}", tickMinStep=1, tickCount=4, format="~s"),
            ),
            color=alt.Color(
                "result:N",
                scale=alt.Scale(
                    domain=["succeeded", "failed", "others"], range=[WORKED, FAILED, OTHER]
                ),
                legend=None,  # `timeline_key` says it, with all that is marked
            ),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip(
                    "at:T", title="from (UTC)", format="%d %b %Y %H:%M", timeUnit=_UNITS[unit]
                ),
                alt.Tooltip("result:N", title="result"),
                alt.Tooltip("events:Q", title="events", format=","),
            ],
        )
        .add_params(alt.selection_interval(name=BRUSH, encodings=["x"]))
    )
    failures = [{"at": milliseconds(row["at"])} for row in buckets if row["failed"]]
    at_the_foot = (
        alt.Chart(rows(failures))
        .mark_tick(color=FAILED, thickness=2, height=7, clip=True)
        .encode(x=alt.X("at:T", timeUnit=_UNITS[unit]), y=alt.value(TIMELINE_HEIGHT - 4))
    )
    layers = [*_without_logs(marked.no_logs, span), *_stretches(marked), bars]
    if failures:
        layers.append(at_the_foot)
    return finished(alt.layer(*layers).properties(height=TIMELINE_HEIGHT))


@built_once
def coverage_map(cells: Sequence[tuple[date, str, int]]) -> Spec:
    """Days × places (account and region), darker for more events; days without are hatched."""
    known = [
        (datetime(day.year, day.month, day.day, tzinfo=UTC), place, events)
        for day, place, events in cells
    ]
    first = min((day for day, _, _ in known), default=datetime(2000, 1, 1, tzinfo=UTC))
    last = max((day for day, _, _ in known), default=first) + ONE_DAY
    by_place: dict[str, set[datetime]] = {}
    for day, place, _ in known:
        by_place.setdefault(place, set()).add(day)
    gaps = {place: _gaps_between(days, first, last) for place, days in by_place.items()}
    x = alt.X(
        "at:T",
        scale=alt.Scale(type="utc", nice=False),  # days and gaps cover all of it
        axis=alt.Axis(
            title=None,
            tickCount=min(8, (last - first).days),
            labelExpr=_DAY_AND_YEAR,
            labelOverlap=True,
            ticks=False,
            domain=False,
            grid=False,
        ),
    )
    y = alt.Y("place:N", axis=_labels(), title=None, sort=sorted(by_place))
    held = (
        alt.Chart(
            rows(
                {**_stretch((day, day + ONE_DAY)), "place": place, "events": events}
                for day, place, events in known
            )
        )
        .mark_rect(height=alt.RelativeBandSize(0.84))
        .encode(
            x=x,
            x2=alt.X2("until"),
            y=y,
            color=alt.Color(
                "events:Q",
                scale=alt.Scale(type="symlog", scheme="teals"),
                legend=alt.Legend(title="events", orient="top", gradientLength=120, format=",.0f"),
            ),
            tooltip=[
                alt.Tooltip("at:T", title="day", format="%d %b %Y", timeUnit="utcyearmonthdate"),
                alt.Tooltip("place:N", title="account and region"),
                alt.Tooltip("events:Q", title="events", format=","),
            ],
        )
    )
    missing = (
        alt.Chart(
            rows(
                {**_stretch(gap), "place": place, "logs": "no logs"}
                for place, all_gaps in gaps.items()
                for gap in all_gaps
            )
        )
        .mark_rect(height=alt.RelativeBandSize(0.84), color=GAP, opacity=0.12)
        .encode(
            x=alt.X("at:T"),
            x2=alt.X2("until"),
            y=y,
            tooltip=[
                alt.Tooltip("logs:N", title="events"),
                alt.Tooltip("at:T", title="from", format="%d %b %Y", timeUnit="utcyearmonthdate"),
                alt.Tooltip("place:N", title="account and region"),
            ],
        )
    )
    hatched = (
        alt.Chart(
            rows(
                {**line, "place": place}
                for place, all_gaps in gaps.items()
                for line in band_strokes(all_gaps, (first, last))
            )
        )
        .mark_rule(color=GAP, opacity=0.7, strokeWidth=1)
        .encode(
            x=alt.X("at:T"),
            x2=alt.X2("until"),
            y=alt.Y("place:N", bandPosition=0.86, sort=sorted(by_place)),
            y2=alt.Y2("place", bandPosition=0.14),
        )
    )
    return finished(alt.layer(missing, hatched, held).properties(height=alt.Step(20)))


def _gaps_between(
    days: Collection[datetime], first: datetime, last: datetime
) -> list[tuple[datetime, datetime]]:
    """The stretches from `first` to `last` that none of the days covers."""
    gaps = []
    covered_to = first
    for day in sorted(days):
        if day > covered_to:
            gaps.append((covered_to, day))
        covered_to = day + ONE_DAY
    return [*gaps, (covered_to, last)] if covered_to < last else gaps


def _without_logs(
    gaps: Sequence[tuple[datetime, datetime]], span: tuple[datetime, datetime]
) -> list[alt.Chart]:
    """Time of which there are no logs: hatched, and labelled where a label fits in."""
    if not gaps:
        return []
    stretches = [_stretch(gap) for gap in gaps]
    lines = strokes(gaps, span, TIMELINE_HEIGHT)
    wide = [
        {"at": milliseconds(start + (end - start) / 2)}
        for start, end in gaps
        if end - start > (span[1] - span[0]) / 6
    ]
    at = alt.X("at:T")
    layers = [
        alt.Chart(rows(stretches)).mark_rect(color=GAP, opacity=0.1, clip=True)
        .encode(x=at, x2=alt.X2("until")),
        alt.Chart(rows(lines)).mark_rule(color=GAP, opacity=0.55, strokeWidth=1, clip=True)
        .encode(
            x=at,
            x2=alt.X2("until"),
            y=alt.Y("low:Q", scale=None, axis=None),
            y2=alt.Y2("high"),
        ),
    ]  # fmt: skip
    if wide:
        layers.append(
            alt.Chart(rows(wide))
            .mark_text(text="no logs", fontWeight=600, clip=True)
            .encode(x=at, y=alt.value(TIMELINE_HEIGHT / 2))
        )
    return layers


def _stretches(marked: Marked) -> list[alt.Chart]:
    """The baseline's window, the hours that are compared with neither, and the alert's time."""
    layers: list[alt.Chart] = []
    at, above = alt.X("at:T"), alt.value(-7)

    def shaded(stretch: tuple[datetime, datetime], colour: str, strength: float) -> alt.Chart:
        return (
            alt.Chart(rows([_stretch(stretch)]))
            .mark_rect(color=colour, opacity=strength, clip=True)
            .encode(x=at, x2=alt.X2("until"))
        )

    def named(moment: datetime, words: str, side: Any, dx: int) -> alt.Chart:
        return (
            alt.Chart(rows([{"at": milliseconds(moment)}]))
            .mark_text(text=words, align=side, dx=dx, fontSize=11)
            .encode(x=at, y=above)
        )

    if marked.baseline:
        layers += [
            shaded(marked.baseline, BASELINE, 0.15),
            named(marked.baseline[0], "baseline, 14 days", "left", 2),
        ]
    if marked.skipped:
        layers += [
            shaded(marked.skipped, SKIPPED, 0.32),
            named(marked.skipped[1], "12 h skipped", "right", -4),
        ]
    if marked.alert:
        line = alt.Chart(rows([_stretch(marked.alert)])).encode(x=at)
        layers += [
            shaded(marked.alert, ALERT, 0.16),
            line.mark_rule(color=ALERT, strokeWidth=2, strokeDash=[4, 3], clip=True),
            named(marked.alert[0], "alert", "left", 3),
        ]
    return layers


def _stretch(stretch: tuple[datetime, datetime]) -> dict[str, int]:
    return {"at": milliseconds(stretch[0]), "until": milliseconds(stretch[1])}


def _clicked() -> alt.Parameter:
    """A bar answers a click by its number, which is ours: no text comes back from a browser."""
    return alt.selection_point(name=BAR, fields=["n"], on="click", clear=False, toggle=False)


def _title(words: str) -> alt.TitleParams:
    return alt.TitleParams(words, anchor="start", fontSize=15, offset=10)


def _labels(limit: int = 150) -> alt.Axis:
    return alt.Axis(labelLimit=limit, title=None, domain=False, ticks=False)


def _legend() -> alt.Legend:
    return alt.Legend(title=None, orient="top", padding=0, offset=4)


def _result_colour() -> alt.Color:
    return alt.Color(
        "result:N",
        scale=alt.Scale(domain=["succeeded", "failed"], range=[WORKED, FAILED]),
        legend=_legend(),
    )


def _own_or_others() -> alt.Color:
    return alt.Color(
        "which:N",
        scale=alt.Scale(domain=[OWN, "others"], range=[ALERT, OTHER]),
        legend=_legend(),
    )


def _name_of(bar: Bar) -> str:
    return chart_name(phrases.shortened(bar.label, 40))


def chart_name(text: str) -> str:
    """A name as a chart may carry it. Vega files bars under their names in plain objects, where
    some names stand for something already: those get a blank that nobody sees behind them."""
    named = markup.shown(text)
    return f"{named}\u00a0" if named in _MEMBERS else named


_MEMBERS = frozenset(
    {
        "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString",
        "toString", "valueOf", "__proto__", "__defineGetter__", "__defineSetter__",
        "__lookupGetter__", "__lookupSetter__",
    }
)  # fmt: skip
"""What every object of JavaScript has."""
