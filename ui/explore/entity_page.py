"""The entity page: who it is, first and last seen, sessions, services, IPs, its own timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from enrich.facts.ip import network_of
from enrich.unseen.kinds import find_unseen
from trail.store import Store
from ui.explore.entity_facts import IP, MOST, PANELS, SERVICE, Facts, Kind, facts
from ui.kit import address_words, boxes, links, phrases, text
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import bar, call, event_link, fact, link, mark, notice, pivot, table, title_of
from ui.parts import chosen_events, timeline
from ui.parts.unseen_kinds import unseen_card
from ui.shell import data
from ui.shell.session import User


def show(_: User, store: Store, span: tuple[datetime, datetime]) -> None:
    name = st.query_params.get("of", "").strip()
    with st.form("entity", border=False):
        left, right = st.columns([6, 1], vertical_alignment="bottom")
        asked = boxes.line(
            "ARN, access key, principal id, IP address, account, API call, session or user name",
            name,
            place=left,
            key=f"entity-{hash(name)}",
        )
        if (
            right.form_submit_button("Look up", type="primary", width="stretch", key="look-up")
            and asked.strip()
        ):
            st.query_params.from_dict({"of": asked.strip()})
            st.rerun()
    if not name:
        draw(
            "entity-none",
            title_of("Look up an entity"),
            notice(
                "Nothing looked up yet.",
                "Write a name above, or click any ARN, key, IP or call on another page.",
            ),
        )
        return
    found = facts(store, name, *span)
    draw("entity-head", _head(name, found))
    if not found.events and not found.made_by:
        _only_named(found, span)
        _unseen(store, found)
        return
    if found.made_by:
        with st.container(border=True):
            draw(
                "entity-made",
                el("h3", "panel-title", "How this key came to be"),
                _made_by(found.made_by),
            )
    if found.activity is not None and found.activity.events:
        with st.container(border=True):
            _activity(store, name, found.kind, found.activity)
    if found.sessions:
        with st.container(border=True):
            draw(
                "entity-sessions",
                el("h3", "panel-title", "Sessions"),
                _sessions(found.sessions),
                _cut(found.sessions, name, found),
            )
    shown = [panel for panel in PANELS if _says_something(panel, name, found)]
    for place in range(0, len(shown), 2):
        for where, panel in zip(
            st.columns(2, gap="medium"), shown[place : place + 2], strict=False
        ):
            with where, st.container(border=True, height="stretch"):
                rows = found.panels[panel]
                draw(
                    f"panel-{panel}",
                    el("h3", "panel-title", PANELS[panel][0]),
                    _panel(PANELS[panel][0], rows[:MOST]),
                    _cut(rows, name, found),
                )
    _unseen(store, found)
    _queries(found)


def _unseen(store: Store, found: Facts) -> None:
    """Which kinds of events the logs of its account do not have, folded away."""
    for number, account in enumerate(found.accounts):
        unseen, _ = data.kept(
            f"{store.version()} unseen {account}",
            "unseen",
            partial(find_unseen, account, store),
        )
        if (said := unseen_card(unseen)) is not None:
            draw(f"unseen-{number}", said)


def _activity(store: Store, name: str, kind: Kind, found: timeline.Activity) -> None:
    """The timeline of it, and the events of the stretch that is chosen there."""
    of_what = f"{store.version()} entity {name}"
    draw(
        "entity-activity",
        el("h3", "panel-title", "Activity"),
        el("p", "mute small", "Drag over it to list the events of a stretch."),
        timeline.timeline_key(found),
    )
    spec = data.kept(of_what, "timeline", lambda: timeline.specification(found))
    chosen = timeline.draw_activity(found, "entity-timeline", spec)
    if chosen is not None:
        filters = {kind.search: name} if kind.search else None
        draw("entity-chosen", chosen_events.listed(store, found, chosen, of_what, filters))


def _only_named(found: Facts, span: tuple[datetime, datetime]) -> None:
    """Something without events of its own: what others did to it, or that there is nothing."""
    named = found.named
    limit = (" ".join(named.caveats) or None) if named is not None else None
    if named is None or not named.events:
        draw(
            "entity-unknown",
            notice(
                "The index has no event of it.",
                "It acted in no event, and none names it in a request, a response or a resource.",
                limit,
                f"Indexed is {phrases.window(*span)}. Check the spelling (case counts), or add the "
                "logs of its account and time on the index page.",
            ),
        )
        _queries(found)
        return
    with st.container(border=True):
        draw(
            "entity-named",
            el("h3", "panel-title", "What others did to it"),
            el("p", "", f"It {named.sentence}."),
            _named(named.newest),
            el("p", "mute small", f"The newest {MOST} only.") if named.events > MOST else None,
            el("p", "mute small", limit) if limit else None,
        )
    _queries(found)


def _named(rows: Sequence[Mapping[str, Any]]) -> Node:
    return table(
        ("When (UTC)", "By", "Call", "Result", "From", "Event"),
        [
            (
                el("span", "time", phrases.when(row["event_time"])),
                pivot(
                    row["principal_arn"] or row["identity_id"],
                    phrases.short_arn(row["principal_arn"] or row["identity_id"]),
                ),
                call(row["event_name"]),
                mark("failed", "bad", "✕") if row["failed"] else "succeeded",
                pivot(row["source_ip_address"]),
                event_link(row["event_id"]),
            )
            for row in rows[:MOST]
        ],
        caption="Events that name it",
    )


def _queries(found: Facts) -> None:
    if st.toggle("Query", key="entity-query"):
        for query in found.queries:
            text.show_query(query)


def _says_something(panel: str, name: str, found: Facts) -> bool:
    rows = found.panels.get(panel, [])
    return bool(rows) and [row["value"] for row in rows] != [name]


def _head(name: str, found: Facts) -> Node:
    search = links.address("events", {found.kind.search: name}) if found.kind.search else None
    return el(
        "section",
        "alert",
        el("div", "label", found.kind.words),
        title_of(name),
        el(
            "div",
            "facts",
            *_about_address(name, found),
            *_counts(found),
            fact("All events", link("Search them", search)) if search and found.events else None,
        ),
    )


def _counts(found: Facts) -> list[Node]:
    if found.named is not None and found.named.events:
        return [
            fact("Acted in", "0 events"),
            fact("Was acted upon in", phrases.count(found.named.events, "event")),
            fact("Last (UTC)", phrases.when(found.named.last)),
        ]
    return [
        fact("Events", phrases.number(found.events)),
        fact("Failed", phrases.number(found.failed)),
        fact("First seen (UTC)", phrases.when(found.first)),
        fact("Last seen (UTC)", phrases.when(found.last)),
    ]


def _about_address(name: str, found: Facts) -> list[Node]:
    """What an address is, and the network around it, without asking anybody."""
    if found.kind not in (IP, SERVICE):
        return []
    about, network = address_words.about_address(name), network_of(name)
    return [
        *([fact("What it is", about)] if about else []),
        *([fact("Network", network)] if network else []),
    ]


def _made_by(rows: list[dict[str, Any]]) -> Node:
    return table(
        ("When (UTC)", "By", "Call", "Role", "Session", "From", "Event"),
        [
            (
                el("span", "time", phrases.when(row["event_time"])),
                pivot(row["principal_arn"] or row["identity_id"]),
                call(row["event_name"]),
                pivot(row["target_role_arn"]),
                pivot(row["target_session_name"]),
                pivot(row["source_ip_address"]),
                event_link(row["event_id"]),
            )
            for row in rows
        ],
        caption="Events that made the key",
    )


def _sessions(rows: list[dict[str, Any]]) -> Node:
    return table(
        ("Began (UTC)", "Session", "Events", "Failed", "First (UTC)", "Last (UTC)", "From"),
        [
            (
                el("span", "time", phrases.when(row["session_created"])),
                pivot(row["principal_arn"], phrases.short_arn(row["principal_arn"])),
                row["events"],
                row["failed"],
                el("span", "time", phrases.when(row["first"])),
                el("span", "time", phrases.when(row["last"])),
                el(
                    "span",
                    "",
                    pivot(row["an_ip"]),
                    f" and {row['ips'] - 1} more" if row["ips"] > 1 else None,
                ),
            )
            for row in rows[:MOST]
        ],
        caption="Sessions",
        numbers=frozenset({"Events", "Failed"}),
    )


def _panel(title: str, rows: list[dict[str, Any]]) -> Node:
    most = max((row["events"] for row in rows), default=1)
    return table(
        (title, "Events", "", "Failed", "First (UTC)", "Last (UTC)"),
        [
            (
                pivot(row["value"], phrases.short_arn(row["value"])),
                row["events"],
                bar(100 * row["events"] / most),
                mark(phrases.number(row["failed"]), "bad", "✕") if row["failed"] else "",
                el("span", "time", phrases.when(row["first"])),
                el("span", "time", phrases.when(row["last"])),
            )
            for row in rows
        ],
        caption=title,
        numbers=frozenset({"Events"}),
    )


def _cut(rows: list[Any], name: str, found: Facts) -> Node | None:
    if len(rows) <= MOST:
        return None
    return el("p", "mute small", f"The first {MOST} only.")
