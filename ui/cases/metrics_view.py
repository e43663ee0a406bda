"""The lead's numbers: tiles, charts with their tables, and filters in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

import streamlit as st

from cases import users
from cases.database import Database
from cases.metrics import Ageing, Group, Metrics, Spread, metrics
from ui.cases import metrics_charts as charts
from ui.kit import asked as address
from ui.kit import links, phrases
from ui.kit.case_words import case_severity, lasting
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import link, mark, more, notice, table
from ui.kit.specification import Spec
from ui.parts import frames
from ui.shell import data
from ui.shell.session import User

PERIODS = {"": "All time", "4": "Last 4 weeks", "13": "Last 13 weeks", "52": "Last 52 weeks"}
SEVERITIES = {"": "Any", "critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
RANKS = ("critical", "high", "medium", "low", "unknown")
GROUPS = {"week": "Week", "severity": "Severity", "type": "Finding type"}
MEASURES = {"triage": "Time to triage", "decide": "Time to decide", "close": "Time to close"}
ABOUT = {
    "triage": "from the first alert to the first action",
    "decide": "from opening the case to its first verdict",
    "close": "from opening the case to closing it",
}


def show(database: Database, user: User) -> None:
    found, by = _asked(database, user)
    if not found.total.opened and not found.alerts_by_week:
        draw(
            "no-metrics",
            notice(
                "There is nothing to count yet.",
                "Numbers come from alerts that arrived and cases that were opened in the chosen "
                "time. ",
                link("Clear the filters", "review?view=metrics"),
            ),
        )
        return
    draw("metrics-tiles", _tiles(found))
    groups: Sequence[Group] = {
        "week": found.by_week,
        "severity": sorted(found.by_severity, key=lambda group: RANKS.index(group.name)),
        "type": found.by_finding_type,
    }[by]
    draw("only-one", _only_one(groups, by))
    _times(groups, by, user)
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        _volumes(found, user)
    with right, st.container(border=True, height="stretch"):
        _verdicts(groups, by, user)
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        _precision(found, user)
    with right, st.container(border=True, height="stretch"):
        _ageing(found.ageing)


def _asked(database: Database, user: User) -> tuple[Metrics, str]:
    owners = {"": "Anyone"}
    if user.may("read"):  # a viewer's numbers are nobody's in particular
        owners |= {one.name: one.name for one in users.users(database)}
    columns = st.columns([2, 2, 2, 4, 2])
    weeks = address.choice(columns[0], "weeks", "Opened in", PERIODS, "metrics")
    severity = address.choice(columns[1], "severity", "Severity", SEVERITIES, "metrics")
    owner = address.choice(columns[2], "owner", "Owner", owners, "metrics")
    kind = address.words(columns[3], "type", "Finding type, whole", "metrics")
    by = address.choice(columns[4], "by", "Grouped by", GROUPS, "metrics")
    found = metrics(
        database,
        since=database.now() - timedelta(weeks=int(weeks)) if weeks else None,
        severities=[severity] if severity else (),
        finding_types=[kind] if kind else (),
        owner=owner or None,
    )
    return found, by


def _tiles(found: Metrics) -> Node:
    late = sum(one.left_s < 0 for one in found.ageing)
    return el(
        "div",
        "tiles",
        *(
            _tile(label, lasting(spread.median_s), f"median; 95 % within {lasting(spread.p95_s)}")
            for label, spread in (
                (words, getattr(found.total, name)) for name, words in MEASURES.items()
            )
        ),
        _tile("Cases", phrases.number(found.total.opened), f"{found.total.closed} closed"),
        _tile("Reopened", phrases.number(found.total.reopened), "at least once"),
        _tile(
            "Past their clock",
            phrases.number(late),
            f"of {phrases.count(len(found.ageing), 'unclosed case')}",
            "bad" if late else "",
        ),
    )


def _tile(label: str, value: str, small: str, tone: str = "") -> Node:
    return el(
        "div",
        f"tile is-{tone}" if tone else "tile",
        el("span", "label", label),
        el("strong", "tile-value", value),
        el("span", "small mute", small),
    )


def _times(groups: Sequence[Group], by: str, user: User) -> None:
    for column, (measure, words) in zip(st.columns(3, gap="medium"), MEASURES.items(), strict=True):
        with column, st.container(border=True, height="stretch"):
            draw(
                f"times-{measure}",
                el("h3", "panel-title", words),
                el("p", "small mute", f"{ABOUT[measure]}; p95: 95 of 100 took no longer"),
            )
            measured = [group for group in groups if getattr(group, measure).count]
            if not measured:
                draw(f"no-{measure}", el("p", "mute small", "No case has come so far."))
                continue
            _draw(
                f"times-{measure}",
                "Median and 95th percentile per group.",
                (measured, by),
                partial(charts.times, measured, measure, upright=by == "week"),
                partial(_times_table, measured, measure, by),
                user,
            )


def _draw(
    name: str,
    about: str,
    drawn: object,
    chart: Callable[[], Spec],
    table_of: Callable[[], frames.Frame],
    user: User,
    formats: Mapping[str, str] | None = None,
) -> None:
    """A chart and, folded away, the same as a table. Both are made once for what is `drawn`."""
    what = (name, drawn)
    st.vega_lite_chart(
        data.kept_by_content(what, "chart", chart),
        key=f"chart-{name}",
        width="stretch",
        alt=f"{about} The table below has the same numbers.",
    )
    with st.expander("The same as a table", key=f"table-{name}"):
        frames.show(
            data.kept_by_content(what, "table", table_of),
            name,
            about,
            user,
            "export numbers",
            formats,
        )


def _times_table(groups: Sequence[Group], measure: str, by: str) -> frames.Frame:
    spreads: list[Spread] = [getattr(group, measure) for group in groups]
    unit, seconds = charts.unit_of(spreads)

    def in_unit(value: float | None) -> float | None:
        return None if value is None else round(value / seconds, 2)

    return frames.frame_of(
        {
            GROUPS[by]: [group.name for group in groups],
            "Cases": [spread.count for spread in spreads],
            f"Median, {unit}": [in_unit(spread.median_s) for spread in spreads],
            f"95th percentile, {unit}": [in_unit(spread.p95_s) for spread in spreads],
        }
    )


def _only_one(groups: Sequence[Group], by: str) -> Node | None:
    """Each severity or finding type leads to its own numbers."""
    if by == "week":
        return None
    name = "severity" if by == "severity" else "type"
    kept = address.kept(name) | {"view": "metrics"}
    return el(
        "p",
        "row small",
        el("span", "mute", "Only one:"),
        *(link(one.name, links.address("review", kept | {name: one.name})) for one in groups),
    )


def _volumes(found: Metrics, user: User) -> None:
    draw("volumes-title", el("h3", "panel-title", "Volumes by week"))
    by_week = {group.name: group for group in found.by_week}
    weeks = sorted({*by_week, *found.alerts_by_week})

    def counted(of: Callable[[Group], int]) -> list[int]:
        return [of(by_week[week]) if week in by_week else 0 for week in weeks]

    _draw(
        "volumes",
        "Alerts and cases per week.",
        (found.by_week, sorted(found.alerts_by_week.items())),
        partial(charts.volumes, found.by_week, found.alerts_by_week),
        lambda: frames.frame_of(
            {
                "Week": weeks,
                "Alerts": [found.alerts_by_week.get(week, 0) for week in weeks],
                "Cases opened": counted(lambda group: group.opened),
                "Of them closed": counted(lambda group: group.closed),
                "Of them reopened": counted(lambda group: group.reopened),
            }
        ),
        user,
    )


def _verdicts(groups: Sequence[Group], by: str, user: User) -> None:
    draw("verdicts-title", el("h3", "panel-title", "How cases ended"))
    decided = [group for group in groups if group.verdicts]
    if not decided:
        draw("no-verdicts", el("p", "mute small", "No case has a verdict yet."))
        return
    _draw(
        "verdicts",
        "Verdicts per group.",
        (decided, by),
        partial(charts.verdicts, decided),
        lambda: frames.frame_of(
            {GROUPS[by]: [group.name for group in decided]}
            | {
                words: [group.verdicts.get(name, 0) for group in decided]
                for name, (words, _) in charts.VERDICTS.items()
            }
        ),
        user,
    )


def _precision(found: Metrics, user: User) -> None:
    draw("precision-title", el("h3", "panel-title", "True positives per finding type"))
    if not any(row.rate is not None for row in found.precision):
        draw("no-precision", el("p", "mute small", "No decided case yet."))
        return
    _draw(
        "precision",
        "True-positive rate per finding type.",
        found.precision,
        partial(charts.precision, found.precision),
        lambda: frames.frame_of(
            {
                "Finding type": [row.finding_type for row in found.precision],
                "True positives": [row.true_positives for row in found.precision],
                "Decided": [row.decided for row in found.precision],
                "Undetermined": [row.undetermined for row in found.precision],
                "Rate": [row.rate for row in found.precision],
            }
        ),
        user,
        {"Rate": "percent"},
    )


def _ageing(rows: Sequence[Ageing]) -> None:
    draw(
        "ageing-title",
        el("h3", "panel-title", "Unclosed cases against their clock"),
        el("p", "small mute", "The latest first; the clock runs from the first alert's arrival."),
    )
    if not rows:
        draw("no-ageing", el("p", "mute small", "Every case is closed."))
        return
    # Made anew when a bar's length would change by a hundredth of its clock.
    drawn = [(row.case_id, row.left_s < 0, round(row.age_s / row.sla_s, 2)) for row in rows]
    st.vega_lite_chart(
        data.kept_by_content(drawn, "ageing", lambda: charts.ageing(rows)),
        key="chart-ageing",
        width="stretch",
        alt="Age of unclosed cases. The table below has the same numbers.",
    )
    draw(
        "table-ageing",
        more(
            "The same as a table",
            table(
                ("Case", "Severity", "Owner", "Age", "Clock", "Left"),
                [
                    (
                        link(f"{row.case_id}", links.address("case", {"id": str(row.case_id)})),
                        case_severity(row.severity),
                        row.owner,
                        lasting(row.age_s),
                        lasting(row.sla_s),
                        mark(f"late by {lasting(-row.left_s)}", "bad")
                        if row.left_s < 0
                        else lasting(row.left_s),
                    )
                    for row in rows
                ],
                caption="Unclosed cases",
                numbers=frozenset({"Age", "Clock"}),
            ),
        ),
    )
