"""The events behind an answer: one line each, and the raw record re-read from its source file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cases.canonical import plain
from enrich.answer import Answer
from enrich.facts.targets import JSON_COLUMNS, with_targets
from enrich.words import listed
from trail.calls import CORRECTED, NETWORK_TWIN
from trail.errors import BacktrailError, SourceUnreadable
from trail.events import EVENT_SCHEMA
from trail.store import Store
from ui.kit import phrases, text
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import Head, acted_on, call, client, event_link, mark, notice, pivot, table
from ui.shell import data

MOST = 50
"""Events listed under one answer; the event search has no such limit."""


def behind(answer: Answer, store: Store, stretch: tuple[datetime, datetime] | None = None) -> Node:
    """The answer's events, newest first, each leading to its raw record.

    With a stretch of time, those from its first to before its last instant.
    """
    known = phrases.count(len(answer.evidence), "event")
    if stretch is None:
        rows = find_events(store, answer.evidence[:MOST])
        cut = f"The first {MOST} of {known}." if len(answer.evidence) > MOST else None
    else:
        within = [
            row
            for row in find_events(store, answer.evidence)
            if stretch[0] <= row["event_time"] < stretch[1]
        ]
        rows = within[:MOST]
        more = f", the first {MOST} shown" if len(within) > MOST else ""
        cut = f"{len(within):,} of {known} in {phrases.window(*stretch)}{more}."
    return el(
        "div",
        "stack",
        el("p", "mute small", cut) if cut else None,
        event_table(rows, "Events behind the answer"),
    )


def event_table(
    rows: Sequence[dict[str, Any]],
    caption: str,
    *,
    tall: bool = False,
    sorted_by: Mapping[str, Head] | None = None,
) -> Node:
    return table(
        (
            "When (UTC)",
            "Call",
            "Acted on",
            "Service",
            "Result",
            "Principal",
            "From",
            "Client",
            "Event",
        ),
        [
            (
                el("span", "time", phrases.when(row["event_time"])),
                call(row["event_name"]),
                acted_on(row["targets"]),
                pivot(row["event_source"], phrases.service(row["event_source"])),
                mark(row["error_code"] or "failed", "bad", "✕") if row["failed"] else el("span"),
                pivot(
                    row["principal_arn"] or row["identity_id"],
                    phrases.short_arn(row["principal_arn"]) if row["principal_arn"] else None,
                ),
                pivot(row["source_ip_address"]),
                client(row["user_agent"]),
                el("span", "", event_link(row["event_id"]), _replaced(row)),
            )
            for row in rows
        ],
        caption=caption,
        tall=tall,
        sorted_by=sorted_by,
        sparse=frozenset({"Acted on"} if sorted_by else {"Acted on", "Result"}),
    )


def _replaced(row: Mapping[str, Any]) -> Node | None:
    """Which record stands for this one, or which one this stands for."""
    if row["replaced_by"] is not None:
        how = "corrected by" if row["replaced"] == CORRECTED else "counts with"
        return el("span", "mute small", f" {how} ", event_link(row["replaced_by"]))
    if row["original_event_id"] is not None:
        return el("span", "mute small", " corrects ", event_link(row["original_event_id"]))
    return None


def what_counts(rows: Sequence[Mapping[str, Any]]) -> Node | None:
    """Why the record of an event does not count by itself, in words."""
    if any(row["replaced"] == CORRECTED for row in rows):
        return el("p", "mute small", "AWS corrected this record later: the correction counts.")
    if any(row["replaced"] == NETWORK_TWIN for row in rows):
        return el(
            "p",
            "mute small",
            "Network activity of a VPC endpoint: it counts together with the record of the same"
            " call. That both share account, request id, service and API is assumed: AWS does not"
            " document it.",
        )
    if len(names := {str(row["event_name"]) for row in rows}) > 1:
        return el(
            "p",
            "mute small",
            f"Records of unlike calls have this id, and each counts: {listed(sorted(names))}. The"
            " raw record below is one of them, as its eventName says.",
        )
    if len(rows) > 1:
        return el("p", "mute small", "Several records have this id: they count as one call.")
    return None


def find_events(store: Store, event_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Their lines in the event table, newest first."""
    summary = data.summary(store)
    if not event_ids or summary.first is None or summary.last is None:
        return []
    rows = store.query(
        f"""
        select event_id, event_time, event_source, event_name, error_code, failed, principal_arn,
               identity_id, source_ip_address, user_agent, replaced, replaced_by,
               original_event_id, {JSON_COLUMNS}
        from events
        where event_time >= $first and event_time <= $last and list_contains($ids, event_id)
        order by event_time desc, event_id
        """,
        {"first": summary.first, "last": summary.last, "ids": list(event_ids)},
        first=summary.first,
        last=summary.last,
    ).rows
    return [with_targets(row) for row in rows]


def show_raw(store: Store, event_id: str) -> None:
    """The raw record of one event, or why it cannot be shown and what the index has of it."""
    try:
        record = store.read_again([event_id]).get(event_id)
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
    if isinstance(record, SourceUnreadable):
        text.say_problem("raw-problem", "The record cannot be read.", record)
        _show_columns(store, event_id)
        return
    if record.remark is not None:
        remark = (
            notice("Read from a copy.", record.remark)
            if record.read_from
            else notice("Not as it was indexed.", record.remark, tone="warn")
        )
        draw("raw-remark", remark)
    text.show_record(record.text)


def _show_columns(store: Store, event_id: str) -> None:
    """What the index still knows of an event: its row, JSON columns opened."""
    try:
        rows = store.query(
            f"select {', '.join(EVENT_SCHEMA.names)} from events where event_id = $id"
            " order by event_time, recipient_account_id limit 1",
            {"id": event_id},
        ).rows
    except BacktrailError:
        return
    for row in rows:
        draw("raw-columns", el("p", "mute small", "What the index holds of it:"))
        known = {name: plain(value) for name, value in row.items() if value is not None}
        text.show_record(json.dumps(known))
