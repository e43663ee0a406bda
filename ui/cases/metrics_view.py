"""The lead's numbers: tiles, charts with their tables, and filters in the address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

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
    _times(groups, by)
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        _volumes(found)
    with right, st.container(border=True, height="stretch"):
        _verdicts(groups, by)
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        _precision(found)
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


def _times(groups: Sequence[Group], by: str) -> None:
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
            st.vega_lite_chart(
                charts.times(measured, measure, upright=by == "week"),
                key=f"chart-{measure}",
                width="stretch",
                alt="Median and 95th percentile per group. The table below has the same numbers.",
            )
            draw(f"table-{measure}", _times_table(measured, measure, by, words))


def _times_table(groups: Sequence[Group], measure: str, by: str, words: str) -> Node:
    spreads: list[tuple[Group, Spread]] = [(group, getattr(group, measure)) for group in groups]
    return more(
        "The same as a table",
        table(
            (GROUPS[by], "Cases", "Median", "95th percentile"),
            [
                (
                    _group_name(group, by),
                    spread.count,
                    lasting(spread.median_s),
                    lasting(spread.p95_s),
                )
                for group, spread in spreads
            ],
            caption=words,
            numbers=frozenset({"Cases", "Median", "95th percentile"}),
        ),
    )


def _group_name(group: Group, by: str) -> Node | str:
    """A severity or a finding type leads to its own numbers."""
    if by == "week":
        return group.name
    kept = address.kept("severity" if by == "severity" else "type") | {"view": "metrics"}
    return link(
        group.name,
        links.address("review", kept | {("severity" if by == "severity" else "type"): group.name}),
    )


def _volumes(found: Metrics) -> None:
    draw("volumes-title", el("h3", "panel-title", "Volumes by week"))
    st.vega_lite_chart(
        charts.volumes(found.by_week, found.alerts_by_week),
        key="chart-volumes",
        width="stretch",
        alt="Alerts and cases per week. The table below has the same numbers.",
    )
    by_week = {group.name: group for group in found.by_week}
    weeks = sorted({*by_week, *found.alerts_by_week})
    draw(
        "table-volumes",
        more(
            "The same as a table",
            table(
                ("Week", "Alerts", "Cases opened", "Of them closed", "Of them reopened"),
                [
                    (
                        week,
                        found.alerts_by_week.get(week, 0),
                        by_week[week].opened if week in by_week else 0,
                        by_week[week].closed if week in by_week else 0,
                        by_week[week].reopened if week in by_week else 0,
                    )
                    for week in weeks
                ],
                caption="Volumes by week",
                numbers=frozenset({"Alerts", "Cases opened", "Of them closed", "Of them reopened"}),
            ),
        ),
    )


def _verdicts(groups: Sequence[Group], by: str) -> None:
    draw("verdicts-title", el("h3", "panel-title", "How cases ended"))
    decided = [group for group in groups if group.verdicts]
    if not decided:
        draw("no-verdicts", el("p", "mute small", "No case has a verdict yet."))
        return
    st.vega_lite_chart(
        charts.verdicts(decided),
        key="chart-verdicts",
        width="stretch",
        alt="Verdicts per group. The table below has the same numbers.",
    )
    heads = [words for words, _ in charts.VERDICTS.values()]
    draw(
        "table-verdicts",
        more(
            "The same as a table",
            table(
                (GROUPS[by], *heads),
                [
                    (_group_name(one, by), *(one.verdicts.get(name, 0) for name in charts.VERDICTS))
                    for one in decided
                ],
                caption="Verdicts",
                numbers=frozenset(heads),
            ),
        ),
    )


def _precision(found: Metrics) -> None:
    draw("precision-title", el("h3", "panel-title", "True positives per finding type"))
    if not any(row.rate is not None for row in found.precision):
        draw("no-precision", el("p", "mute small", "No decided case yet."))
        return
    st.vega_lite_chart(
        charts.precision(found.precision),
        key="chart-precision",
        width="stretch",
        alt="True-positive rate per finding type. The table below has the same numbers.",
    )
    draw(
        "table-precision",
        more(
            "The same as a table",
            table(
                ("Finding type", "True positives", "Decided", "Undetermined", "Rate"),
                [
                    (
                        row.finding_type,
                        row.true_positives,
                        row.decided,
                        row.undetermined,
                        "–" if row.rate is None else f"{row.rate:.0%}",
                    )
                    for row in found.precision
                ],
                caption="True positives per finding type",
                numbers=frozenset({"True positives", "Decided", "Undetermined", "Rate"}),
            ),
        ),
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
    st.vega_lite_chart(
        charts.ageing(rows),
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
