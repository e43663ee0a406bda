"""Vega-Lite specifications of the lead's charts, as plain data. No pies: bars can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cases.metrics import Ageing, Group, Precision, Spread
from ui.kit import phrases
from ui.kit.charts import chart_name

Spec = dict[str, Any]

MEDIAN, P95 = "#2a9d8f", "#c98a2b"
VERDICTS = {
    "true_positive": ("True positive", "#d1495b"),
    "benign": ("Benign", "#2a9d8f"),
    "false_positive": ("False positive", "#7fb8ad"),
    "undetermined": ("Undetermined", "#c98a2b"),
}
LATE, IN_TIME = "#d1495b", "#2a9d8f"
_LABELS: Spec = {"labelLimit": 220, "title": None, "domain": False, "ticks": False}
_WEEKS = {**_LABELS, "labelAngle": 0, "labelExpr": "slice(datum.label, 5)"}
"""Under each other "W40", "W41": the year stands in the table and at the pointer."""
_LEGEND = {"orient": "top", "title": None, "labelLimit": 200, "offset": 6, "padding": 0}


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
    labels = {**_LABELS, "labelLimit": 150}
    of_group = {"field": "group", "type": "nominal", "sort": names, "axis": labels}
    of_time = {"field": "time", "type": "quantitative", "axis": {"title": unit, "tickCount": 4}}
    offset = {"field": "which", "sort": ["median", "p95"]}
    encoding: Spec = (
        {
            "x": {**of_group, "axis": _WEEKS},
            "xOffset": offset,
            "y": of_time,
        }
        if upright
        else {"y": of_group, "yOffset": offset, "x": of_time}
    )
    return {
        "data": {"values": values},
        "height": 210 if upright else {"step": 13},
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {
            **encoding,
            "color": {
                "field": "which",
                "type": "nominal",
                "scale": {"domain": ["median", "p95"], "range": [MEDIAN, P95]},
                "legend": _LEGEND,
            },
            "tooltip": [
                {"field": "group", "title": "group"},
                {"field": "which", "title": "which"},
                {"field": "time", "title": unit, "format": ".1f"},
                {"field": "cases", "title": "cases"},
            ],
        },
    }


def volumes(groups: Sequence[Group], alerts: Mapping[str, int]) -> Spec:
    """Alerts that came, cases opened, closed and reopened, per week."""
    by_week = {group.name: group for group in groups}
    weeks = sorted({*by_week, *alerts})
    kinds = ("alerts", "cases opened", "of them closed", "of them reopened")
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
    return {
        "data": {"values": values},
        "height": 230,
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {
            "x": {
                "field": "week",
                "type": "nominal",
                "sort": weeks,
                "axis": _WEEKS,
            },
            "xOffset": {"field": "kind", "sort": list(kinds)},
            "y": {
                "field": "count",
                "type": "quantitative",
                "axis": {"title": "count", "tickMinStep": 1, "tickCount": 4},
            },
            "color": {
                "field": "kind",
                "type": "nominal",
                "scale": {
                    "domain": list(kinds),
                    "range": ["#8a9a98", "#2a9d8f", "#5b6f9e", "#d1495b"],
                },
                "legend": _LEGEND,
            },
            "tooltip": [{"field": "week"}, {"field": "kind"}, {"field": "count"}],
        },
    }


def verdicts(groups: Sequence[Group]) -> Spec:
    """How cases ended, stacked per group, in counts."""
    names = [chart_name(group.name) for group in groups]
    domain = [words for words, _ in VERDICTS.values()]
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
    return {
        "data": {"values": values},
        "height": {"step": 24},
        "mark": {"type": "bar", "height": 15},
        "encoding": {
            "y": {"field": "group", "type": "nominal", "sort": names, "axis": _LABELS},
            "x": {
                "field": "cases",
                "type": "quantitative",
                "axis": {"title": "cases", "tickMinStep": 1, "tickCount": 4},
            },
            "color": {
                "field": "verdict",
                "type": "nominal",
                "scale": {"domain": domain, "range": [colour for _, colour in VERDICTS.values()]},
                "legend": {**_LEGEND, "columns": 2},
            },
            "order": {"field": "order"},
            "tooltip": [{"field": "group"}, {"field": "verdict"}, {"field": "cases"}],
        },
    }


def precision(rows: Sequence[Precision]) -> Spec:
    """The part of decided cases that was a true positive, per finding type."""
    decided = [row for row in rows if row.rate is not None]
    ordered = sorted(decided, key=lambda row: (-(row.rate or 0.0), -row.decided))
    values = [
        {
            "type": chart_name(phrases.shortened(row.finding_type, 70)),
            "rate": row.rate,
            "label": f"{row.true_positives} of {row.decided}",
        }
        for row in ordered
    ]
    y = {
        "field": "type",
        "type": "nominal",
        "sort": [value["type"] for value in values],
        "axis": {**_LABELS, "labelLimit": 330},
    }
    x = {
        "field": "rate",
        "type": "quantitative",
        "scale": {"domain": [0, 1]},
        "axis": {"title": "true positives among decided cases", "format": "%", "tickCount": 5},
    }
    return {
        "data": {"values": values},
        "height": {"step": 24},
        "encoding": {"y": y, "x": x},
        "layer": [
            {
                "mark": {
                    "type": "bar",
                    "height": 14,
                    "cornerRadiusEnd": 2,
                    "color": "#d1495b",
                },
                "encoding": {
                    "tooltip": [
                        {"field": "type", "title": "finding type"},
                        {"field": "label", "title": "true positives"},
                    ]
                },
            },
            {
                "mark": {
                    "type": "text",
                    "align": "left",
                    "dx": 5,
                    "fontSize": 11,
                    "color": "#84918f",
                    "clip": False,
                },
                "encoding": {"text": {"field": "label"}},
            },
        ],
    }


def ageing(rows: Sequence[Ageing], most: int = 12) -> Spec:
    """Each unclosed case's age as a part of its clock; beyond the line it is late."""
    values = [
        {
            "case": f"case {row.case_id}",
            "part": min(row.age_s / row.sla_s, 3.0),
            "state": "late" if row.left_s < 0 else "in time",
        }
        for row in rows[:most]
    ]
    return {
        "data": {"values": values},
        "height": {"step": 22},
        "layer": [
            {
                "mark": {"type": "bar", "height": 13, "cornerRadiusEnd": 2},
                "encoding": {
                    "y": {
                        "field": "case",
                        "type": "nominal",
                        "sort": [value["case"] for value in values],
                        "axis": _LABELS,
                    },
                    "x": {
                        "field": "part",
                        "type": "quantitative",
                        "axis": {
                            "title": "age as part of the clock (cut at 300 %)",
                            "format": "%",
                            "tickCount": 4,
                        },
                        "scale": {"domainMin": 0},
                    },
                    "color": {
                        "field": "state",
                        "type": "nominal",
                        "scale": {"domain": ["in time", "late"], "range": [IN_TIME, LATE]},
                        "legend": _LEGEND,
                    },
                    "tooltip": [{"field": "case"}, {"field": "part", "format": ".0%"}],
                },
            },
            {
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#84918f"},
                "encoding": {"x": {"datum": 1}},
            },
        ],
    }
