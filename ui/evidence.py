"""The events behind an answer: one line each, and the raw record re-read from its source file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from enrich.answer import Answer
from trail.errors import BacktrailError
from trail.store import Store
from ui import data, phrases, text
from ui.markup import Node, draw, el
from ui.pieces import event_link, mark, notice, pivot, table

MOST = 50
"""Events listed under one answer; the event search has no such limit."""


def behind(answer: Answer, store: Store) -> Node:
    """The answer's events, newest first, each leading to its raw record."""
    rows = find_events(store, answer.evidence[:MOST])
    known = phrases.count(len(answer.evidence), "event")
    cut = el("p", "mute small", f"The first {MOST} of {known}.")
    return el(
        "div",
        "stack",
        cut if len(answer.evidence) > MOST else None,
        event_table(rows, "Events behind the answer"),
    )


def event_table(rows: Sequence[dict[str, Any]], caption: str, *, tall: bool = False) -> Node:
    return table(
        ("When (UTC)", "Call", "Service", "Result", "Principal", "From", "Client", "Event"),
        [
            (
                el("span", "time", phrases.when(row["event_time"])),
                pivot(row["event_name"]),
                pivot(row["event_source"], phrases.service(row["event_source"])),
                mark(row["error_code"] or "failed", "bad", "✕") if row["failed"] else el("span"),
                pivot(
                    row["principal_arn"] or row["identity_id"],
                    phrases.short_arn(row["principal_arn"]) if row["principal_arn"] else None,
                ),
                pivot(row["source_ip_address"]),
                el("span", "clip", phrases.text(row["user_agent"]), title=row["user_agent"]),
                event_link(row["event_id"]),
            )
            for row in rows
        ],
        caption=caption,
        tall=tall,
    )


def find_events(store: Store, event_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Their lines in the event table, newest first."""
    summary = data.summary(store)
    if not event_ids or summary.first is None or summary.last is None:
        return []
    return store.query(
        """
        select event_id, event_time, event_source, event_name, error_code, failed, principal_arn,
               identity_id, source_ip_address, user_agent
        from events
        where event_time >= $first and event_time <= $last and list_contains($ids, event_id)
        order by event_time desc, event_id
        """,
        {"first": summary.first, "last": summary.last, "ids": list(event_ids)},
        first=summary.first,
        last=summary.last,
    ).rows


def show_raw(store: Store, event_id: str) -> None:
    """The raw record of one event, or why it cannot be shown."""
    try:
        record = store.raw_records([event_id]).get(event_id)
    except BacktrailError as error:
        text.say_problem("raw-problem", "The record cannot be read.", error)
        return
    if record is None:
        draw(
            "raw-missing",
            notice(
                "This event is not in the index.",
                "Add the logs of its account and day on the index page, then open this link again.",
            ),
        )
        return
    text.show_record(record)
