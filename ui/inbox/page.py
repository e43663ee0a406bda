"""The inbox page: its filters in the address, the queue, and what to do with what is picked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import get_args

import streamlit as st

from cases import enrichment, inbox
from cases.database import Database
from cases.errors import NotFound
from cases.inbox import AlertState, Filters, Incident, Incidents, Sort
from trail.errors import BacktrailError
from ui.inbox import background, bring_in
from ui.kit import asked as address
from ui.kit import links, phrases
from ui.kit.dress import dress, heading, tabs
from ui.kit.markup import GO, Node, draw, el
from ui.kit.pieces import link, notice
from ui.parts import pick_case as pick
from ui.parts.queue_table import SORTS, draw_queue
from ui.shell import data, session
from ui.shell.session import User

PAGE = 25
LIVE_SECONDS = 1.5
MOST_RELATED = 50
ONE_BY_ONE = "each"
"""In the address: rows are alerts, and not the incidents that they belong to."""
STATES: Mapping[str, tuple[str, tuple[AlertState, ...]]] = {
    "new": ("New", ("new",)),
    "in_case": ("In a case", ("in_case",)),
    "closed": ("Closed", ("closed",)),
    "all": ("All", ()),
}
SEVERITIES = {"": "Any", "4": "Medium and up", "7": "High and up", "9": "Critical"}
AGES = {"": "Any time", "1": "Last day", "7": "Last 7 days", "30": "Last 30 days", "90": "90 days"}


def show(database: Database, user: User) -> None:
    dress()
    _answer_ahead(database)
    if not inbox.queue(database, limit=1).total and not background.running():
        draw("inbox-title", heading("Inbox"))
        bring_in.say_what_came()
        bring_in.begin(database, user)
        return
    left, right = st.columns([6, 1], vertical_alignment="bottom")
    with left:
        draw("inbox-title", heading("Inbox"))
    with right:
        if user.can("bring alerts in"):
            bring_in.more(database, user)
    bring_in.say_what_came()
    if "related" in st.query_params:
        _show_related(database, user, st.query_params["related"])
        return
    working = background.running()
    # Always a fragment, and drawn again by itself only while answers come in: were it one only
    # then, the rows of both forms would stand on the page for a moment.
    session.fragment(
        "inbox", lambda: _body(database, user, working), LIVE_SECONDS if working else None
    )


def _body(database: Database, user: User, working: bool) -> None:
    """States, filters and rows. The whole page runs again when a link or the last job asks."""
    if GO in st.session_state or (working and not background.running()):
        st.rerun()
    state = st.query_params.get("state", "new")
    state = state if state in STATES else "new"
    draw("inbox-states", _tabs(database, state))
    filters = _filters()
    bring_in.progress()
    if not bring_in.has_index():
        draw(
            "no-index",
            el(
                "p",
                "small mute",
                "There is no index yet: the five answers come once logs are on the ",
                link("index page", "index"),
                ".",
            ),
        )
    _queue(database, user, state, filters)


def _tabs(database: Database, state: str) -> Node:
    return tabs(
        "State",
        [
            (
                words,
                links.address("inbox", address.kept("state", "page") | {"state": name}),
                inbox.queue(database, states=states, limit=1).total,
                name == state,
            )
            for name, (words, states) in STATES.items()
        ],
    )


def _queue(database: Database, user: User, state: str, filters: dict[str, str]) -> None:
    try:
        page = address.page_number()
        found = find(database, state, filters, page)
    except BacktrailError as error:
        draw("queue-problem", notice("The queue cannot be read.", str(error), tone="bad"))
        return
    if not found.incidents:
        _nothing(state, filters)
        return
    draw("inbox-order", _order(found))
    may_work = user.may("work")
    leads = [incident.lead for incident in found.incidents]
    picked = draw_queue(
        "inbox-queue",
        leads,
        st.query_params,
        {},
        may_pick=may_work,
        incidents={incident.lead.id: incident for incident in found.incidents},
    )
    _turn(found, page)
    if may_work:
        members = {incident.id: incident.alerts for incident in found.incidents}
        pick.act(database, user, [alert.id for one in picked for alert in members[one]])


def find(database: Database, state: str, filters: Mapping[str, str], page: int) -> Incidents:
    """One page of the incidents that the address asks for, or of its alerts one by one."""
    sort, days = st.query_params.get("sort", ""), filters["age"]
    wanted: Filters = {
        "states": STATES[state][1],
        "severity_at_least": float(filters["severity"]) if filters["severity"] else None,
        "account_id": filters["account"] or None,
        "principal": filters["principal"] or None,
        "text": filters["text"] or None,
        "seen_since": datetime.now(UTC) - timedelta(days=int(days)) if days else None,
    }
    known: Sort | None = sort if sort in get_args(Sort) and sort in SORTS else None  # type: ignore[assignment] # checked just there
    descending, offset = st.query_params.get("order") != "up", (page - 1) * PAGE
    if ONE_BY_ONE not in st.query_params:
        return inbox.by_incident(
            database,
            index_id=data.index_id(),
            sort=known,
            descending=descending,
            limit=PAGE,
            offset=offset,
            **wanted,
        )
    found = inbox.queue(
        database,
        index_id=data.index_id(),
        sort=known or "severity",
        descending=descending,
        limit=PAGE,
        offset=offset,
        **wanted,
    )
    alone = tuple(Incident(alert.id, (alert,), alert) for alert in found.alerts)
    return Incidents(alone, found.total, found.total)


def _order(found: Incidents) -> Node:
    """What a row is, in what order they stand, and the way to the other view."""
    joined = ONE_BY_ONE not in st.query_params
    other = address.kept(ONE_BY_ONE, "page") | ({ONE_BY_ONE: "1"} if joined else {})
    words = "Show each alert by itself" if joined else "Join the alerts of one incident"
    said = phrases.count(found.alerts, "alert")
    if joined and found.total != found.alerts:
        said += (
            f" in {phrases.count(found.total, 'incident')}: those that share a key, a person or an"
            " address within a day are one row"
        )
    if joined and not st.query_params.get("sort"):
        said += ". The most severe come first, and of these those with the most signs for an attack"
    return el("p", "row small mute", f"{said}.", link(words, links.address("inbox", other)))


def _filters() -> dict[str, str]:
    columns = st.columns([2, 2, 3, 2.4, 4])
    return {
        "severity": address.choice(columns[0], "severity", "Severity", SEVERITIES, "inbox"),
        "age": address.choice(columns[1], "age", "Last seen", AGES, "inbox"),
        "principal": address.words(columns[2], "principal", "Principal contains", "inbox"),
        "account": address.words(columns[3], "account", "Account", "inbox"),
        "text": address.words(
            columns[4], "text", "Search", "inbox", "title, finding type, id, address"
        ),
    }


def _nothing(state: str, filters: Mapping[str, str]) -> None:
    if any(filters.values()):
        fewer = link(
            "Clear the filters", links.address("inbox", {"state": state if state != "new" else ""})
        )
        draw("no-alert", notice("No alert fits these filters.", fewer))
        return
    new = "Nothing new: every alert is in a case or closed."
    if background.running():
        new = "Nothing new yet: alerts are being brought in."
    words = {
        "new": new,
        "in_case": "No alert is in a case yet. Pick alerts under New, and open a case with them.",
        "closed": "No alert has been closed yet: an alert closes with its case.",
        "all": "The inbox is empty.",
    }
    draw("no-alert", notice(words[state], link("See all alerts", "inbox?state=all")))


def _turn(found: Incidents, page: int) -> None:
    pages = max(1, -(-found.total // PAGE))
    if pages == 1:
        return

    def to(number: int, words: str) -> Node:
        return link(words, links.address("inbox", address.kept("page") | {"page": str(number)}))

    draw(
        "inbox-pages",
        el(
            "p",
            "row small",
            el("span", "mute", f"page {page} of {pages}"),
            to(page - 1, "Previous") if page > 1 else None,
            to(page + 1, "Next") if page < pages else None,
        ),
    )


def _show_related(database: Database, user: User, alert_id: str) -> None:
    """The alerts that share an identity or a session with one, and the reason of each."""
    try:
        about = inbox.queued_alert(database, alert_id, data.index_id())
        found = inbox.related_alerts(database, alert_id, MOST_RELATED)
    except NotFound:
        draw(
            "no-such-alert",
            notice(
                "That alert is not in the inbox.",
                "A lead may have deleted it, or the address was cut. ",
                link("See the inbox", "inbox"),
                tone="warn",
            ),
        )
        return
    draw(
        "related-title",
        el("p", "", link("← Inbox", "inbox")),
        el("h3", "panel-title", "Related alerts"),
        el(
            "p",
            "mute small",
            "Alerts of the same principal, of the same session or key, or of sessions that one "
            "chain links. The first row is the alert itself.",
        ),
    )
    reasons = {one.alert.id: one.reason for one in found} | {about.id: "this alert"}
    picked = draw_queue(
        "related-queue",
        [about, *(one.alert for one in found)],
        {},
        reasons,
        may_pick=user.may("work"),
    )
    if not found:
        draw("none-related", notice("No other alert shares its principal or a session with it."))
    if user.may("work"):
        pick.act(database, user, picked)


def _answer_ahead(database: Database) -> None:
    """Starts answering what waits, unless that runs already or has just failed."""
    if background.jobs():
        return
    try:
        waiting = enrichment.pending_count(database, data.open_index().version())
    except BacktrailError:
        return  # without an index there is nothing to ask: the rows say that they wait
    if waiting:
        background.answer_ahead()
