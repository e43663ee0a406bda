"""The queue as a table: one alert in two lines, the second with its five answers in short."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from cases.inbox import Badge, Incident, QueuedAlert
from enrich import QUESTIONS
from enrich.questions.every import question_named
from ui.kit import links, markup, phrases
from ui.kit.badges import STATUS_WORDS, WAYS
from ui.kit.case_words import lasting, severity_mark
from ui.kit.markup import Node, el
from ui.kit.pieces import Tone, link, mark
from ui.kit.sorting import Sort, heads

_HERE = Path(__file__).parent
_MAKER = (Path(markup.__file__).parent / "markup.js").read_text(encoding="utf-8")
# The safe maker of elements is markup.js's own; only what it exports is ours instead.
_table = st.components.v2.component(
    "backtrail_queue",
    js=_MAKER.partition("export default")[0]
    + (_HERE / "queue_table.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)

SORTS: Mapping[str, str] = {
    "severity": "Severity",
    "title": "Alert",
    "principal": "Principal",
    "account_id": "Account",
    "last_seen": "Last seen (UTC)",
    "state": "State",
}
"""Sort key of the inbox → its column's head."""
NOT_BRIEF = ("account_id", "state")
STORY = 4
"""Titles that the line of an incident tells, of the others it says how many."""
MOST_TOLD = 50
"""Alerts that an incident lists when it is opened."""

_WORDS: Mapping[str, tuple[str, Tone, str]] = {str(k): v for k, v in STATUS_WORDS.items()}
_STATUS_FIRST = ("not_covered", "failed")
"""Nothing was found because nobody could look."""
STATES: Mapping[str, tuple[str, Tone]] = {
    "new": ("New", "warn"),
    "in_case": ("In a case", "good"),
    "closed": ("Closed", "mute"),
}


def draw_queue(
    key: str,
    alerts: Sequence[QueuedAlert],
    asked: Mapping[str, str],
    reasons: Mapping[str, str],
    *,
    may_pick: bool,
    brief: bool = False,
    incidents: Mapping[str, Incident] | None = None,
) -> list[str]:
    """Draws the rows; gives back the ids picked among them. `reasons`: id → why it is related.

    A `brief` one, beside other things, has no account and no state, and cannot be sorted.
    `incidents`: id of an alert → the incident that its row stands for, and whose id the row has.
    """
    stands_for = incidents or {}
    shown = [stands_for[one.id].id if one.id in stands_for else one.id for one in alerts]
    picked = [one for one in st.session_state.get(key, {}).get("picked") or [] if one in shown]
    result = _table(
        key=key,
        data={
            "head": _head(asked, brief=brief),
            "rows": [
                _row(row_id, alert, reasons.get(alert.id), stands_for.get(alert.id), brief=brief)
                for row_id, alert in zip(shown, alerts, strict=True)
            ],
            "picked": picked,
            "may_pick": may_pick,
        },
        default={"picked": []},
        height="content",
        on_picked_change=lambda: None,
        on_go_change=lambda: _note_click(key),
    )
    return _known(result.get("picked"), shown)


def _known(picked: Any, shown: Collection[str]) -> list[str]:
    """What the browser says was picked, as far as it is on the page, in the page's order."""
    return [one for one in shown if one in picked] if isinstance(picked, list) else []


def _note_click(key: str) -> None:
    clicked = st.session_state[key].get("go")
    if isinstance(clicked, str):
        st.session_state[markup.GO] = clicked


def _head(asked: Mapping[str, str], *, brief: bool) -> Node:
    now = Sort(asked.get("sort", ""), asked.get("order") == "up")
    sorting = {} if brief else heads("inbox", asked, SORTS, now)

    def column(name: str, label: str) -> Node | None:
        if brief and name in NOT_BRIEF:
            return None
        shown, sorted_by = sorting.get(label, (label, None))
        return el("th", "", shown, scope="col", aria_sort=sorted_by)

    return el(
        "thead",
        "",
        el(
            "tr",
            "",
            el("th", "", "", scope="col", aria_label="Selection"),
            *(column(name, label) for name, label in SORTS.items()),
        ),
    )


def _row(
    row_id: str,
    alert: QueuedAlert,
    reason: str | None,
    incident: Incident | None,
    *,
    brief: bool,
) -> dict[str, Any]:
    first, last = _span(alert, incident)
    return {
        "id": row_id,
        "label": markup.shown(alert.title or alert.id),
        "rows": [
            el(
                "tr",
                "queue-line",
                el("td", "nowrap", severity_mark(alert.severity)),
                el("td", "queue-title", _title(alert, reason)),
                el("td", "", _principal(alert)),
                None if brief else el("td", "", _pivot(alert.account_id)),
                el("td", "time", phrases.when(last), _lasted(first, last)),
                None if brief else el("td", "", _state(alert)),
            ),
            el(
                "tr",
                "queue-ahead",
                el(
                    "td",
                    "",
                    ahead(alert, brief=brief),
                    _story(incident) if incident is not None else None,
                    colspan=4 if brief else 6,
                ),
            ),
        ],
    }


def _title(alert: QueuedAlert, reason: str | None) -> Node:
    small: list[Node | str] = []
    if alert.finding_type:
        small.append(el("span", "", alert.finding_type))
    if alert.count > 1:
        small.append(el("span", "", f"came {alert.count:,} times"))
    if len(alert.sources) > 1:
        small.append(el("span", "", "by " + " and ".join(alert.sources)))
    if alert.sample:
        small.append(el("span", "", "sample finding"))
    if reason:
        small.append(mark(reason, "warn", "↔"))
    else:
        small.append(link("related", links.address("inbox", {"related": alert.id})))
    return el(
        "div",
        "",
        link(alert.title or alert.id, links.address("triage", {"alert": alert.id}), "queue-open"),
        el("div", "row small mute", *small),
    )


def _story(incident: Incident) -> Node | None:
    """The alerts of an incident in their order, each a link; nothing where there is one alone."""
    alerts = incident.alerts
    left = _left_out(incident)
    if len(alerts) == 1:
        return el("p", "small mute", *left) if left else None
    titles = list(dict.fromkeys(alert.title or alert.id for alert in alerts))
    more = f" → and {len(titles) - STORY:,} more titles" if len(titles) > STORY else ""
    shown = alerts[:MOST_TOLD]
    rest = len(alerts) - len(shown)
    return el(
        "details",
        "story",
        el(
            "summary",
            "",
            el("strong", "", f"{phrases.count(len(alerts), 'alert')} of one incident: "),
            " → ".join(titles[:STORY]) + more,
        ),
        el("ol", "story-list", *(_told(alert) for alert in shown)),
        el("p", "small mute", f"and {rest:,} more, later") if rest else None,
        el("p", "small mute", *left) if left else None,
    )


def _told(alert: QueuedAlert) -> Node:
    return el(
        "li",
        "",
        el("span", "time", phrases.when(alert.first_seen)),
        " ",
        severity_mark(alert.severity),
        " ",
        link(alert.title or alert.id, links.address("triage", {"alert": alert.id})),
        el("span", "small mute", f" {phrases.short_arn(alert.principal)}")
        if alert.principal
        else None,
    )


def _left_out(incident: Incident) -> list[Node | str]:
    if not incident.left_out:
        return []
    said: list[Node | str] = [
        f"{phrases.count(incident.left_out, 'more alert')} of this incident are not in this list"
        if incident.left_out > 1
        else "1 more alert of this incident is not in this list"
    ]
    for number in incident.elsewhere:
        said += [": " if len(said) == 1 else ", "]
        said.append(link(f"case {number}", links.address("case", {"id": str(number)})))
    return said


def _principal(alert: QueuedAlert) -> Node | str:
    if not alert.principal:
        return el("span", "mute", "none named")
    named = phrases.short_arn(alert.principal).removeprefix("assumed-role/")
    name, _, session = named.partition("/")
    if not alert.principal.startswith("arn:") or "assumed-role/" not in alert.principal:
        name, session = named, ""
    return el(
        "div",
        "",
        el("a", "clip", name, href=links.entity(alert.principal), title=alert.principal),
        el("div", "small mute clip", session) if session else None,
    )


def _pivot(value: str | None) -> Node | str:
    return link(value, links.entity(value), "nowrap") if value else "–"


def _span(alert: QueuedAlert, incident: Incident | None) -> tuple[datetime | None, datetime | None]:
    """When it began and ended: of an incident, all of its alerts."""
    alerts = incident.alerts if incident is not None else (alert,)
    return (
        min((one.first_seen for one in alerts if one.first_seen), default=None),
        max((one.last_seen for one in alerts if one.last_seen), default=None),
    )


def _lasted(first: datetime | None, last: datetime | None) -> Node | None:
    if first is None or last is None:
        return None
    lasted = (last - first).total_seconds()
    return el("div", "small mute", f"over {lasting(lasted)}") if lasted >= 60 else None


def _state(alert: QueuedAlert) -> Node:
    word, tone = STATES[alert.state]
    return el(
        "div",
        "",
        mark(word, tone),
        *(
            el("div", "small", link(f"case {one}", links.address("case", {"id": str(one)})))
            for one in alert.case_ids[-2:]
        ),
    )


OTHER_INDEX = "These answers belong to another index. Open the alert to ask this one."


def ahead(alert: QueuedAlert, *, brief: bool = False) -> Node:
    """Five badges, or why there are none yet. Brief ones keep their sentence for the pointer."""
    if alert.enrichment == "failed":
        return el("div", "small", mark("Could not look", "bad", "✕"), " ", _why(alert))
    # News first: what alarms stands at the left, wherever its question has its place.
    first = sorted(
        (badge for badge in alert.badges if badge.principal == 0),
        key=lambda badge: badge.way != "for",
    )
    if first:
        look = "ahead ahead-brief" if brief else "ahead"
        told = el("p", "small mute", OTHER_INDEX) if alert.other_index else None
        return el("div", look, *(_badge(badge, brief=brief) for badge in first), told)
    if alert.enrichment == "done":
        return el("div", "small mute", "It names no principal: open it to give one.")
    word = "Being answered" if alert.enrichment == "running" else "Waiting for its answers"
    return el(
        "div",
        "ahead",
        *(
            el(
                "div",
                "ahead-badge is-mute",
                el("span", "label", q.short),
                el("span", "mute small", f"… {word.lower()}"),
            )
            for q in QUESTIONS
        ),
    )


def _why(alert: QueuedAlert) -> str:
    return alert.enrichment_error or "The index could not be asked."


def _badge(badge: Badge, *, brief: bool) -> Node:
    word, tone, shape = _WORDS.get(badge.status, (badge.status, "mute", "○"))
    if badge.found is not None and badge.way is not None and badge.status not in _STATUS_FIRST:
        word, (tone, shape) = badge.found, WAYS[badge.way]
    return el(
        "div",
        f"ahead-badge is-{tone}",
        el(
            "div",
            "ahead-top",
            el("span", "label", question_named(badge.name).short),
            el("span", "ahead-word", f"{shape} {word}"),
        ),
        None if brief else el("div", "ahead-sentence", badge.sentence),
        title=badge.sentence,
    )
