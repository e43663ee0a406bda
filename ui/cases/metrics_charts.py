"""The lead's charts, built with Altair. No pies: bars can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from cases.metrics import Ageing, Group, Precision, Spread
from ui.kit import phrases
from ui.kit.charts import chart_name
from ui.kit.specification import Spec, finished, rows

MEDIAN, P95 = "#2a9d8f", "#c98a2b"
VERDICTS = {
    "true_positive": ("True positive", "#d1495b"),
    "benign": ("Benign", "#2a9d8f"),
    "false_positive": ("False positive", "#5b6f9e"),
    "undetermined": ("Undetermined", "#c98a2b"),
}
LATE, IN_TIME, LIMIT = "#d1495b", "#2a9d8f", "#84918f"
VOLUMES = {
    "alerts": "#84918f",
    "cases opened": "#2a9d8f",
    "of them closed": "#5b6f9e",
    "of them reopened": "#d1495b",
}
MOST_AGEING = 12


def unit_of(spreads: Sequence[Spread]) -> tuple[str, float]:
    """The unit that times are drawn in, by the longest of them, and its seconds."""
    longest = max((one.p95_s or 0.0 for one in spreads), default=0.0)
    if longest < 2 * 3600:
        return "minutes", 60.0
    return ("hours", 3600.0) if longest < 96 * 3600 else ("days", 86400.0)


def times(groups: Sequence[Group], measure: str, *, upright: bool) -> Spec:
    """Median and 95th percentile of one measure, side by side for each group."""
    spreads = [getattr(group, measure) for group in groups]
    unit, seconds = unit_of(spreads)
    values = [
        {
            "group": chart_name(group.name),
            "which": which,
            "time": value / seconds,
            "cases": spread.count,
        }
        for group, spread in zip(groups, spreads, strict=True)
        for which, value in (("median", spread.median_s), ("p95", spread.p95_s))
        if value is not None
    ]
    names = [chart_name(group.name) for group in groups]
    of_time = alt.Axis(title=unit, tickCount=4)
    pair = ["median", "p95"]
    base = (
        alt.Chart(rows(values))
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            color=_colour("which", dict(zip(pair, (MEDIAN, P95), strict=True))),
            tooltip=[
                alt.Tooltip("group:N", title="group"),
                alt.Tooltip("which:N", title="which"),
                alt.Tooltip("time:Q", title=unit, format=".1f"),
                alt.Tooltip("cases:Q", title="cases"),
            ],
        )
    )
    if upright:
        chart = base.encode(
            x=alt.X("group:N", sort=names, axis=_weeks()),
            xOffset=alt.XOffset("which:N", sort=pair),
            y=alt.Y("time:Q", axis=of_time),
        ).properties(height=210)
    else:
        chart = base.encode(
            y=alt.Y("group:N", sort=names, axis=_labels(150)),
            yOffset=alt.YOffset("which:N", sort=pair),
            x=alt.X("time:Q", axis=of_time),
        ).properties(height=alt.Step(13))
    return finished(chart)


def volumes(groups: Sequence[Group], alerts: Mapping[str, int]) -> Spec:
    """Alerts that came, cases opened, closed and reopened, per week."""
    by_week = {group.name: group for group in groups}
    weeks = sorted({*by_week, *alerts})
    kinds = list(VOLUMES)
    values = []
    for week in weeks:
        group = by_week.get(week)
        counts = (
            alerts.get(week, 0),
            group.opened if group else 0,
            group.closed if group else 0,
            group.reopened if group else 0,
        )
        values += [
            {"week": week, "kind": kind, "count": count}
            for kind, count in zip(kinds, counts, strict=True)
        ]
    chart = (
        alt.Chart(rows(values))
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X("week:N", sort=weeks, axis=_weeks()),
            xOffset=alt.XOffset("kind:N", sort=kinds),
            y=alt.Y("count:Q", axis=alt.Axis(title="count", tickMinStep=1, tickCount=4)),
            color=_colour("kind", VOLUMES),
            tooltip=["week:N", "kind:N", "count:Q"],
        )
        .properties(height=230)
    )
    return finished(chart)


def verdicts(groups: Sequence[Group]) -> Spec:
    """How cases ended, stacked per group, in counts."""
    values = [
        {
            "group": chart_name(group.name),
            "verdict": words,
            "cases": group.verdicts[name],
            "order": order,
        }
        for group in groups
        for order, (name, (words, _)) in enumerate(VERDICTS.items())
        if group.verdicts.get(name)
    ]
    chart = (
        alt.Chart(rows(values))
        .mark_bar(height=15)
        .encode(
            y=alt.Y("group:N", sort=[chart_name(group.name) for group in groups], axis=_labels()),
            x=alt.X("cases:Q", axis=alt.Axis(title="cases", tickMinStep=1, tickCount=4)),
            color=_colour("verdict", dict(VERDICTS.values()), columns=2),
            order=alt.Order("order:Q"),
            tooltip=["group:N", "verdict:N", "cases:Q"],
        )
        .properties(height=alt.Step(24))
    )
    return finished(chart)


def precision(found: Sequence[Precision]) -> Spec:
    """The part of decided cases that was a true positive, per finding type."""
    decided = [row for row in found if row.rate is not None]
    ordered = sorted(decided, key=lambda row: (-(row.rate or 0.0), -row.decided))
    values = [
        {
            "type": chart_name(phrases.shortened(row.finding_type, 70)),
            "rate": row.rate,
            "label": f"{row.true_positives} of {row.decided}",
        }
        for row in ordered
    ]
    base = alt.Chart(rows(values)).encode(
        y=alt.Y("type:N", sort=[str(value["type"]) for value in values], axis=_labels(330)),
        x=alt.X(
            "rate:Q",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(title="true positives among decided cases", format="%", tickCount=5),
        ),
    )
    bars = base.mark_bar(height=14, cornerRadiusEnd=2, color="#d1495b").encode(
        tooltip=[
            alt.Tooltip("type:N", title="finding type"),
            alt.Tooltip("label:N", title="true positives"),
        ]
    )
    numbers = base.mark_text(align="left", dx=5, fontSize=11, clip=False).encode(text="label:N")
    return finished(alt.layer(bars, numbers).properties(height=alt.Step(24)))


def ageing(found: Sequence[Ageing]) -> Spec:
    """Each unclosed case's age as a part of its clock; beyond the line it is late."""
    values = [
        {
            "case": f"case {row.case_id}",
            "part": min(row.age_s / row.sla_s, 3.0),
            "state": "late" if row.left_s < 0 else "in time",
        }
        for row in found[:MOST_AGEING]
    ]
    bars = (
        alt.Chart(rows(values))
        .mark_bar(height=13, cornerRadiusEnd=2)
        .encode(
            y=alt.Y("case:N", sort=[str(value["case"]) for value in values], axis=_labels()),
            x=alt.X(
                "part:Q",
                axis=alt.Axis(
                    title="age as part of the clock (cut at 300 %)", format="%", tickCount=4
                ),
                scale=alt.Scale(domainMin=0),
            ),
            color=_colour("state", {"in time": IN_TIME, "late": LATE}),
            tooltip=["case:N", alt.Tooltip("part:Q", format=".0%")],
        )
    )
    limit = (
        alt.Chart(rows([{"part": 1}]))
        .mark_rule(strokeDash=[4, 3], color=LIMIT)
        .encode(x=alt.X("part:Q"))
    )
    return finished(alt.layer(bars, limit).properties(height=alt.Step(22)))


def _labels(limit: int = 220, **more: Any) -> alt.Axis:
    return alt.Axis(labelLimit=limit, title=None, domain=False, ticks=False, **more)


def _weeks() -> alt.Axis:
    """Beside each other "W40", "W41": the year stands in the table and at the pointer."""
    return _labels(labelAngle=0, labelExpr="slice(datum.label, 5)")


def _colour(field: str, colours: Mapping[str, str], **legend: Any) -> alt.Color:
    return alt.Color(
        f"{field}:N",
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=alt.Legend(orient="top", title=None, labelLimit=200, offset=6, padding=0, **legend),
    )
