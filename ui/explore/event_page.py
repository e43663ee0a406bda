"""The event page: one raw record when the address names one, else the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import streamlit as st

from enrich.facts.service_names import service_name
from enrich.facts.techniques import plain_name
from enrich.short_ids import in_full
from trail.store import Store
from ui.explore import event_search
from ui.explore.event_search import (
    COUNTED,
    MOST_EXPORTED,
    NEWEST_FIRST,
    SORTS,
    Found,
    Search,
)
from ui.explore.search_terms import TERMS
from ui.kit import boxes, links, phrases, text
from ui.kit.keeping import digest_of
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import link, notice, title_of
from ui.kit.sorting import heads
from ui.parts import evidence, timeline
from ui.shell import data
from ui.shell.session import User, guarded

ALWAYS = ("principal", "ip", "call", "service")
"""Filters that stand open; the others are one click away."""


def show(user: User, store: Store, span: tuple[datetime, datetime]) -> None:
    event_id = st.query_params.get("event")
    if event_id:
        _show_record(store, event_id)
        return
    search = event_search.search_of(st.query_params, span)
    draw("events-title", title_of("Search events"))
    _ask(search, span)
    if search.problems:
        draw(
            "events-problem",
            notice("This cannot be searched for.", *_sentences(search.problems), tone="warn"),
        )
        return
    found = event_search.find(store, search)
    if found.looked_from is not None:
        draw("events-looked", _looked(found.looked_from, search))
    if not found.events:
        draw(
            "no-events",
            notice(
                "No indexed event fits.",
                f"Indexed is {phrases.window(*span)}. Widen the time or drop a filter; names are "
                "compared whole, with upper and lower case as logged.",
            ),
        )
        return
    draw("events-count", _count(search, found))
    _over_time(store, search, found)
    labels = {name: label for name, (label, _) in SORTS.items()}
    sorts = heads("events", st.query_params.to_dict(), labels, search.sort)
    draw("events", evidence.event_table(found.rows, "Events found", tall=True, sorted_by=sorts))
    _turn(search, found)
    _take_away(user, store, search, found)


def _show_record(store: Store, event_id: str) -> None:
    event_id = in_full(event_id, store)
    rows = evidence.find_events(store, [event_id])
    row = rows[0] if rows else None
    nearby = None
    if row is not None and row["identity_id"]:
        asked = {"principal": row["identity_id"]} | event_search.around(row["event_time"])
        nearby = link("Same principal, an hour around", links.address("events", asked))
    draw(
        "record-title",
        el(
            "div",
            "stack",
            title_of(plain_name(row["event_name"]) if row else "Event"),
            el("p", "mono mute", event_id),
            evidence.event_table(rows, "The event") if rows else None,
            evidence.what_counts(rows),
            el(
                "p",
                "row",
                link("Open it as an alert", links.address("triage", {"event": event_id}))
                if row
                else None,
                nearby,
                link("Search all events", "events"),
            ),
        ),
    )
    evidence.show_raw(store, event_id)


def _ask(search: Search, span: tuple[datetime, datetime]) -> None:
    given = dict(search.values)
    state = hash((search.values, search.first, search.last, search.result, search.problems))
    with st.form("filters", border=False):
        asked: dict[str, str] = {}
        for column, name in zip(st.columns(len(ALWAYS)), ALWAYS, strict=True):
            asked[name] = _field(column, name, given, state)
        others = [name for name in TERMS if name not in ALWAYS]
        with st.expander("More filters", expanded=any(name in given for name in others)):
            columns = st.columns(4)
            for place, name in enumerate(others):
                asked[name] = _field(columns[place % 4], name, given, state)
        low, high, how, go = st.columns([3, 3, 3, 2], vertical_alignment="bottom")
        shown = {
            name: st.query_params.get(name) or phrases.iso(moment) or ""
            for name, moment in (("from", search.first), ("to", search.last))
        }
        first = boxes.line("From (UTC)", shown["from"], place=low, key=f"from-{state}")
        last = boxes.line("To (UTC)", shown["to"], place=high, key=f"to-{state}")
        result = how.selectbox(
            "Result",
            ("", "failed", "succeeded"),
            index=("", "failed", "succeeded").index(search.result),
            format_func={"": "Any", "failed": "Failed", "succeeded": "Succeeded"}.__getitem__,
            key=f"result-{state}",
        )
        sent = go.form_submit_button("Search", type="primary", width="stretch", key="events-search")
    if not sent:
        return
    asked["from"] = "" if phrases.as_time(first) == span[0].replace(microsecond=0) else first
    asked["to"] = "" if phrases.as_time(last) == span[1].replace(microsecond=0) else last
    asked["result"] = result
    if search.sort != NEWEST_FIRST:
        asked |= {"sort": search.sort.by, "order": "up" if search.sort.up else ""}
    st.query_params.from_dict({name: value.strip() for name, value in asked.items() if value})
    st.rerun()


def _field(
    where: st.delta_generator.DeltaGenerator, name: str, given: dict[str, str], state: int
) -> str:
    term = TERMS[name]
    return boxes.line(
        term.label,
        given.get(name, ""),
        place=where,
        key=f"{name}-{state}",
        placeholder=term.hint,
    )


def _sentences(said: tuple[str, ...]) -> list[Node]:
    return [el("span", "", one) for one in said]


def _looked(since: datetime, search: Search) -> Node:
    """How far back a search for text has looked, and the way to look on."""
    on = st.query_params.to_dict() | {"look": "on"}
    return notice(
        f"Looked back to {phrases.when(since)} UTC so far, the newest first.",
        f"Nothing here tells of the time from {phrases.when(search.first)} UTC to then. ",
        link("Look through all of it", links.address("events", on)),
        tone="warn",
    )


def _over_time(store: Store, search: Search, found: Found) -> None:
    """When it was, and how often each value of a field is among it: each leads to a search."""
    looked = replace(search, first=found.looked_from or search.first, page=1)
    columns = st.columns([5, 7], gap="large")
    with columns[0]:
        _when(store, looked)
    with columns[1]:
        draw("events-counts", _counts(event_search.counts(store, looked)))


def _when(store: Store, search: Search) -> None:
    of_what = f"{store.version()} {digest_of(search)}"

    def counted() -> timeline.Activity:
        condition, bound = search.condition()
        return timeline.count_over_time(store, condition, bound, search.first, search.last)

    found = data.kept(of_what, "over time", counted)
    spec = data.kept(of_what, "timeline", lambda: timeline.specification(found))
    chosen = timeline.draw_activity(found, f"events-timeline-{digest_of(search)}", spec)
    draw("events-timeline-key", timeline.timeline_key(found))
    if chosen is None:
        return
    here = {name: value for name, value in st.query_params.items() if name != "page"}
    stretch = {"from": phrases.iso(chosen[0]) or "", "to": phrases.iso(chosen[1]) or ""}
    draw(
        "events-stretch",
        link(
            f"Search {phrases.window(*chosen)} alone",
            links.address("events", {**here, **stretch}),
        ),
    )


def _counts(counted: Mapping[str, Sequence[Mapping[str, Any]]]) -> Node:
    here = {name: value for name, value in st.query_params.items() if name != "page"}
    return el(
        "div",
        "facets",
        *(
            el(
                "section",
                "",
                el("h3", "label", COUNTED[name][0]),
                el("ul", "facet", *(_one_count(name, row, here) for row in rows)),
            )
            for name, rows in counted.items()
            if rows
        ),
    )


def _one_count(name: str, row: Mapping[str, Any], here: Mapping[str, str]) -> Node:
    value = str(row["value"])
    shown = phrases.short_arn(value) if name == "principal" else value
    words = service_name(value) if name == "service" else shown
    return el(
        "li",
        "",
        el(
            "a",
            "clip",
            words,
            href=links.address("events", {**here, name: value}),
            title=value,
        ),
        el("span", "small mute nowrap", f"{row['events']:,}"),
    )


def _count(search: Search, found: Found) -> Node:
    failed = f", {found.failed:,} failed" if found.failed else ""
    where = f", page {search.page} of {found.pages:,}" if found.pages > 1 else ""
    records = ""
    if found.events != found.calls:
        records = f" ({phrases.count(found.events, 'record')}: some share a call, or were replaced)"
    told = f"{phrases.count(found.calls, 'event')}{records}"
    order = {"time True": "oldest first", "time False": "newest first"}.get(
        f"{search.sort.by} {search.sort.up}", f"by {SORTS[search.sort.by][0].lower()}"
    )
    return el("p", "mute", f"{told}{failed}{where}, {order}.")


def _turn(search: Search, found: Found) -> None:
    """The pages before and after, each with an address of its own."""
    here = st.query_params.to_dict()
    newest_first = search.sort == NEWEST_FIRST
    before, after = ("← Newer", "Older →") if newest_first else ("← Previous", "Next →")

    def page(number: int, words: str) -> Node | None:
        if not 1 <= number <= found.pages:
            return None
        return link(words, links.address("events", here | {"page": str(number)}))

    draw(
        "pages",
        el(
            "nav",
            "row",
            page(search.page - 1, before),
            page(search.page + 1, after),
            aria_label="Pages",
        ),
    )


def _take_away(user: User, store: Store, search: Search, found: Found) -> None:
    def rows() -> list[dict[str, Any]]:
        return event_search.export(store, search)

    csv = guarded(user, "export events", lambda: event_search.as_csv(rows()))
    as_json = guarded(user, "export events", lambda: event_search.as_json_lines(rows()))
    if found.events > MOST_EXPORTED:
        draw(
            "export-cut",
            notice(
                f"An export holds the newest {MOST_EXPORTED:,} of"
                f" {phrases.count(found.events, 'event')}.",
                "Narrow the search to export all of it.",
                tone="warn",
            ),
        )
    with st.container(horizontal=True):
        st.download_button(
            "Export as CSV",
            csv,
            event_search.file_name(search, found, "csv"),
            "text/csv",
            key="events-csv",
            # A rerun would replace what the browser is about to fetch: some clicks gave nothing.
            on_click="ignore",
            icon=":material/download:",
        )
        st.download_button(
            "Export as JSON Lines",
            as_json,
            event_search.file_name(search, found, "jsonl"),
            "application/x-ndjson",
            key="events-json",
            on_click="ignore",
            icon=":material/download:",
        )
        show_query = st.toggle("Query", key="events-query")
    if show_query:
        text.show_query(found.query)
