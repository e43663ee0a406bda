"""What happened in the stretch of a timeline that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from trail.errors import BacktrailError
from trail.store import Store
from ui.kit import links, phrases
from ui.kit.markup import Node, el
from ui.kit.pieces import link, notice
from ui.parts.evidence import event_table
from ui.parts.timeline import MOST_LISTED, Activity, events_between
from ui.shell import data

Stretch = tuple[datetime, datetime]


def listed(
    store: Store, found: Activity, chosen: Stretch, of_what: str, filters: Mapping[str, str] | None
) -> Node:
    """The oldest events of the stretch, and the search of them all where it has `filters`."""
    try:
        events = data.kept(
            of_what,
            f"events from {chosen[0].isoformat()} to {chosen[1].isoformat()}",
            lambda: events_between(store, found, *chosen),
        )
    except BacktrailError as error:
        return notice("The events could not be listed.", str(error), tone="bad")
    failed = f", {events.failed:,} failed" if events.failed else ""
    cut = f"; the first {MOST_LISTED} listed" if events.events > len(events.rows) else ""
    search = within(filters, chosen) if filters else None
    return el(
        "div",
        "stack",
        el(
            "p",
            "row",
            el("strong", "", phrases.window(*chosen)),
            el("span", "mute", f"{phrases.count(events.events, 'event')}{failed}{cut}."),
            link("Search them", search) if search and events.events else None,
            el("span", "mute small", "A double click on the chart ends it."),
        ),
        event_table(events.rows, "Events of the chosen stretch") if events.rows else None,
    )


def within(filters: Mapping[str, str | None], stretch: Stretch) -> str:
    """The event search of a stretch, whose last instant is not part of it (as the search's is)."""
    last = stretch[1] - timedelta(microseconds=1)
    ends = {"from": phrases.iso(stretch[0]), "to": phrases.iso(last)}
    return links.address("events", {**filters, **ends})
