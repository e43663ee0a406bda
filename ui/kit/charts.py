"""Vega-Lite specifications of our charts, as plain data.

Building one through Altair takes 10 ms of server time, drawing it on a rerun again and again;
written out, a specification costs nothing and can be cached and sent as it is. Colours are
left to the theme except where they mean something: failures have their own, in both themes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ui.kit import markup, phrases

Spec = dict[str, Any]

WORKED, FAILED, ALERT = "#2a9d8f", "#e2603f", "#d1495b"
_OWN_OR_OTHERS = {
    "field": "which",
    "type": "nominal",
    "scale": {"domain": ["the alert's", "others"], "range": [ALERT, "#8a9a98"]},
    "legend": None,
}
_TIME_UNITS = {
    "minute": "utcyearmonthdatehoursminutes",
    "hour": "utcyearmonthdatehours",
    "day": "utcyearmonthdate",
}
OTHERS = "other sessions of the role"
_LABELS = {"labelLimit": 170, "title": None, "domain": False, "ticks": False}


def service_bars(services: Sequence[Mapping[str, Any]], most: int = 12) -> Spec:
    """Calls per service, the failed ones apart. The busiest `most` services."""
    shown = sorted(services, key=lambda row: -int(row["count"]))[:most]
    values = [
        {"service": _name_of(row), "calls": calls, "result": result, "order": order}
        for row in shown
        for order, (result, calls) in enumerate(
            (("succeeded", row["count"] - row["failed"]), ("failed", row["failed"]))
        )
        if calls
    ]
    return _sized(
        {"step": 24},
        {
            "data": {"values": values},
            "mark": {"type": "bar", "height": 15, "cornerRadiusEnd": 2},
            "encoding": {
                "y": {
                    "field": "service",
                    "type": "nominal",
                    "sort": [_name_of(row) for row in shown],
                    "axis": _LABELS,
                },
                "x": {
                    "field": "calls",
                    "type": "quantitative",
                    "axis": {"title": "calls", "tickMinStep": 1, "tickCount": 5, "format": "~s"},
                },
                "color": _result_colour(),
                "order": {"field": "order"},
                "tooltip": [
                    {"field": "service", "title": "service"},
                    {"field": "result", "title": "result"},
                    {"field": "calls", "title": "calls", "format": ","},
                ],
            },
        },
    )


def seen_bars(counts: Mapping[str, int], of_the_alert: str | None, most: int = 6) -> Spec:
    """How often each value was seen in the baseline, the alert's own marked, be it never seen."""
    shown = sorted(counts, key=lambda value: (-counts[value], value))[:most]
    if of_the_alert is not None and of_the_alert not in shown:
        shown = [*shown[: most - 1], of_the_alert]
    values = [
        {
            "value": chart_name(phrases.shortened(value, 60)),
            "events": counts.get(value, 0),
            "which": "the alert's" if value == of_the_alert else "others",
            "label": phrases.number(counts[value]) if value in counts else "never seen",
        }
        for value in shown
    ]
    most_events = max((counts.get(value, 0) for value in shown), default=0)
    y = {"field": "value", "type": "nominal", "sort": None, "axis": _LABELS}
    return _sized(
        {"step": 24},
        {
            "data": {"values": values},
            "encoding": {"y": y},
            "layer": [
                {
                    "mark": {"type": "bar", "height": 14, "cornerRadiusEnd": 2},
                    "encoding": {
                        "x": {
                            "field": "events",
                            "type": "quantitative",
                            "axis": None,  # every bar has its number written beside it
                            "scale": {"domain": [0, most_events * 1.25 or 1]},
                        },
                        "color": _OWN_OR_OTHERS,
                        "tooltip": [
                            {"field": "value", "title": "value"},
                            {"field": "label", "title": "events"},
                        ],
                    },
                },
                {
                    "mark": {
                        "type": "text",
                        "align": "left",
                        "dx": 5,
                        "fontSize": 11,
                    },
                    "encoding": {
                        "x": {"field": "events", "type": "quantitative"},
                        "text": {"field": "label"},
                        "color": _OWN_OR_OTHERS,
                    },
                },
            ],
        },
    )


def hour_bars(hours: Mapping[int, int], own: int | None) -> Spec:
    """Events per hour of the day, 0 to 23 UTC, the alert's hour in its own colour."""
    values = [
        {
            "hour": hour,
            "events": hours.get(hour, 0),
            "which": "the alert's" if hour == own else "others",
        }
        for hour in range(24)
    ]
    x = {
        "field": "hour",
        "type": "ordinal",
        "axis": {
            "title": None,
            "labelAngle": 0,
            "values": list(range(0, 24, 3)),
            "ticks": False,
        },
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "bar", "cornerRadiusEnd": 1},
            "encoding": {
                "x": x,
                "y": {
                    "field": "events",
                    "type": "quantitative",
                    "axis": {"title": None, "tickMinStep": 1, "tickCount": 3, "format": "~s"},
                },
                "color": _OWN_OR_OTHERS,
                "tooltip": [
                    {"field": "hour", "title": "hour (UTC)"},
                    {"field": "events", "title": "events", "format": ","},
                ],
            },
        }
    ]
    if own is not None:
        layers.append(
            {
                "data": {"values": [{"hour": own}]},
                "mark": {"type": "point", "shape": "triangle-down", "filled": True, "size": 70,
                         "color": ALERT, "y": 4},
                "encoding": {"x": x},
            }
        )  # fmt: skip
    return _sized(150, {"data": {"values": values}, "layer": layers})


def timeline(
    buckets: Sequence[Mapping[str, Any]],
    unit: str,
    alert_first: datetime | None,
    alert_last: datetime | None,
    span: tuple[datetime, datetime],
) -> Spec:
    """Events per hour or day, failures in their own colour, the alert's time marked."""
    values = [
        {"at": phrases.iso(row["at"]), "events": calls, "result": result, "order": order}
        for row in buckets
        for order, (result, calls) in enumerate(
            (
                ("failed", row["failed"]),
                ("succeeded", row["events"] - row["failed"]),
                (OTHERS, row["others"]),
            )
        )
        if calls
    ]
    has_others = any(row["others"] for row in buckets)
    domain = [phrases.iso(span[0]), phrases.iso(span[1])]
    layers: list[Spec] = []
    if alert_first is not None and alert_last is not None:
        marked = {"values": [{"from": phrases.iso(alert_first), "to": phrases.iso(alert_last)}]}
        layers += [
            {
                "data": marked,
                "mark": {"type": "rect", "color": ALERT, "opacity": 0.16},
                "encoding": {
                    "x": {"field": "from", "type": "temporal"},
                    "x2": {"field": "to"},
                },
            },
            {
                "data": marked,
                "mark": {"type": "rule", "color": ALERT, "strokeWidth": 2, "strokeDash": [4, 3]},
                "encoding": {"x": {"field": "from", "type": "temporal"}},
            },
            {
                "data": marked,
                "mark": {
                    "type": "text",
                    "color": ALERT,
                    "align": "right",
                    "dx": -6,
                    "y": 8,
                    "text": "alert",
                    "fontWeight": 600,
                },
                "encoding": {"x": {"field": "from", "type": "temporal"}},
            },
        ]
    return {
        "height": 170,
        "layer": [
            *layers,
            {
                "data": {"values": values},
                "mark": {"type": "bar", "binSpacing": 0, "clip": True},
                "encoding": {
                    "x": {
                        "field": "at",
                        "type": "temporal",
                        "timeUnit": _TIME_UNITS[unit],
                        "scale": {"type": "utc", "domain": domain},
                        "axis": {
                            "title": None,
                            "tickCount": 8,
                            "format": "%d %b" if unit == "day" else "%d %b %H:%M",
                            "grid": False,
                            "labelOverlap": True,
                        },
                    },
                    "y": {
                        "field": "events",
                        "type": "quantitative",
                        "axis": {
                            "title": f"events per {unit}",
                            "tickMinStep": 1,
                            "tickCount": 4,
                            "format": "~s",
                        },
                    },
                    "color": _result_colour(OTHERS) if has_others else _result_colour(),
                    "order": {"field": "order"},
                    "tooltip": [
                        {
                            "field": "at",
                            "type": "temporal",
                            "title": "from (UTC)",
                            "format": "%d %b %Y %H:%M",
                            "timeUnit": _TIME_UNITS[unit],
                        },
                        {"field": "result", "title": "result"},
                        {"field": "events", "title": "events", "format": ","},
                    ],
                },
            },
        ],
    }


def coverage_map(cells: Sequence[Mapping[str, Any]]) -> Spec:
    """Days × places (account and region), darker for more events; a gap is a gap."""
    return _sized(
        {"step": 20},
        {
            "data": {"values": list(cells)},
            "mark": {"type": "rect", "cornerRadius": 2},
            "encoding": {
                "x": {
                    "field": "day",
                    "type": "ordinal",
                    "timeUnit": "utcyearmonthdate",
                    "axis": {
                        "title": None,
                        "format": "%d %b",
                        "labelOverlap": True,
                        "ticks": False,
                        "domain": False,
                        "labelAngle": 0,
                    },
                    "scale": {"paddingInner": 0.12},
                },
                "y": {
                    "field": "place",
                    "type": "nominal",
                    "axis": _LABELS,
                    "scale": {"paddingInner": 0.12},
                },
                "color": {
                    "field": "events",
                    "type": "quantitative",
                    "scale": {"type": "symlog", "scheme": "teals"},
                    "legend": {"title": "events", "orient": "right", "gradientLength": 90},
                },
                "tooltip": [
                    {
                        "field": "day",
                        "type": "temporal",
                        "title": "day",
                        "timeUnit": "utcyearmonthdate",
                    },
                    {"field": "place", "title": "account and region"},
                    {"field": "events", "title": "events", "format": ","},
                ],
            },
        },
    )


def titled(words: str, chart: Spec) -> Spec:
    """The chart under a title in words of ours."""
    return {"title": {"text": words, "anchor": "start", "fontSize": 15, "offset": 10}, **chart}


def _sized(height: int | Mapping[str, int], chart: Spec) -> Spec:
    """The chart as the only layer of a sized one.

    Streamlit takes values at the top of a specification through pandas and Arrow, 2 ms a chart
    on every rerun; inside a layer they stay the few numbers that they are.
    """
    return {"height": height, "layer": [chart]}


def _result_colour(*more: str) -> Spec:
    return {
        "field": "result",
        "type": "nominal",
        "scale": {
            "domain": ["succeeded", "failed", *more],
            "range": [WORKED, FAILED, "#9aa8a6"][: 2 + len(more)],
        },
        "legend": {"title": None, "orient": "top", "padding": 0, "offset": 4},
    }


def _name_of(row: Mapping[str, Any]) -> str:
    named = str(row.get("service") or phrases.service(row["event_source"]))
    return chart_name(phrases.shortened(named, 40))


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
