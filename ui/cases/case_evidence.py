"""What a case rests on: answers and events as they were frozen, readable without the logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cases.canonical import plain
from cases.case import CaseFile
from cases.database import Database
from cases.enrichment import StoredAnswer, answers_for
from cases.evidence import Evidence, freeze_answers, pin_event
from cases.lengths import LINE
from enrich.facts.techniques import plain_name
from trail.counted import counted
from trail.errors import BacktrailError
from ui.kit import asked as address
from ui.kit import boxes, links, phrases, text
from ui.kit.badges import STATUS_WORDS
from ui.kit.markup import Node, draw, el
from ui.kit.pieces import Tone, event_link, fact, link, mark, more, notes, notice, table
from ui.shell import data
from ui.shell.session import User, guarded

KINDS = {"alert": "Alert", "answer": "Answer", "event": "Event"}
MOST_RECORDS = 40
_WORDS: Mapping[str, tuple[str, Tone, str]] = {str(k): v for k, v in STATUS_WORDS.items()}


def show(database: Database, user: User, file: CaseFile) -> None:
    shown = st.query_params.get("evidence", "")
    draw(
        "case-evidence",
        el(
            "div",
            "row",
            el("h3", "panel-title", f"Pinned evidence ({len(file.evidence)})"),
            el("span", "small mute", "frozen as it was; nobody can change it, nor delete it"),
        ),
        _list(file, shown),
    )
    for one in file.evidence:
        if str(one.id) == shown:
            with st.container(border=True, key="evidence"):
                _open(user, file, one)
    if user.may("work") and file.case.seal is None:
        _add(database, user, file)


def _list(file: CaseFile, shown: str) -> Node:
    return table(
        ("What", "It says", "Records", "Frozen (UTC)", ""),
        [
            (
                KINDS.get(one.kind, one.kind),
                el(
                    "div",
                    "",
                    el("strong", "", one.title),
                    " ",
                    _status(one),
                    el("div", "small mute", _says(one)),
                ),
                _records(one),
                el("span", "time", f"{phrases.when(one.frozen_at)} by {one.frozen_by}"),
                link("Close", _at(file, None))
                if str(one.id) == shown
                else link("Open", _at(file, one.id)),
            )
            for one in file.evidence
        ],
        caption="Pinned evidence",
        numbers=frozenset({"Records"}),
    )


def _at(file: CaseFile, evidence_id: int | None) -> str:
    kept = address.kept("evidence", "id") | {"id": str(file.case.id)}
    return links.address("case", kept | ({"evidence": str(evidence_id)} if evidence_id else {}))


def _says(one: Evidence) -> str:
    if one.kind == "answer":
        return str(one.document.get("sentence") or "–")
    if one.kind == "event":
        called = plain_name(one.event_name) if one.event_name else None
        said = (called, one.document.get("comment"))
        return ": ".join(str(part) for part in said if part) or "–"
    return ", ".join(
        str(one.document[name])
        for name in ("finding_type", "account_id", "region", "source_ip_address")
        if one.document.get(name)
    )


def _status(one: Evidence) -> Node | None:
    """Whether an answer was whole, in part or none; nothing for what is no answer."""
    word, tone, shape = _WORDS.get(str(one.document.get("status")), ("", "mute", "○"))
    return mark(word, tone, shape) if word else None


def _records(one: Evidence) -> Node | str:
    if one.kind == "alert":
        return "its own text"
    if one.missing:
        return mark(f"{len(one.records)} of {len(one.records) + len(one.missing)}", "warn")
    return phrases.number(len(one.records))


def _open(user: User, file: CaseFile, one: Evidence) -> None:
    document = one.document
    draw(
        "evidence-open",
        el(
            "div",
            "stack",
            el(
                "div",
                "row",
                el("h3", "panel-title", one.title),
                _status(one),
            ),
            el("p", "sentence", _says(one)),
            notes([str(caveat) for caveat in document.get("caveats") or ()], "mute"),
            el(
                "div",
                "facts",
                fact("Frozen (UTC)", phrases.when(one.frozen_at)),
                fact("By", one.frozen_by),
                *_coverage(one.coverage),
                fact("SHA-256", el("code", "", one.sha256[:20] + "…"), title=one.sha256),
            ),
            notice(
                "Not all cited records could be read when it was frozen.",
                ", ".join(one.missing[:20]),
                tone="warn",
            )
            if one.missing
            else None,
            *_only_by_columns(one),
            *_raw_records(one),
            more("The whole of it as JSON", _code(_without_raw(document))),
            more("The alert as it came", _code(document.get("raw")))
            if one.kind == "alert"
            else None,
        ),
    )
    st.download_button(
        "This evidence as JSON",
        data=guarded(user, "take evidence away", lambda: json.dumps(plain(one), indent=1).encode()),
        file_name=f"case-{file.case.id}-evidence-{one.id}.json",
        mime="application/json",
        key="evidence-json",
        icon=":material/download:",
        on_click="ignore",
    )


def _coverage(coverage: Mapping[str, Any]) -> list[Node | None]:
    """What the index held then: the whole of it, and the part that the answers needed."""
    index, window = coverage.get("index"), coverage.get("window")
    found: list[Node | None] = []
    if isinstance(index, Mapping) and index.get("events") is not None:
        found.append(
            fact(
                "Indexed then",
                f"{phrases.count(index['events'], 'event')}, "
                f"{phrases.window(index.get('first'), index.get('last'))}",
            )
        )
    if isinstance(window, Mapping):
        found.append(fact("Of its window", str(window.get("status") or "–")))
    return found


def _only_by_columns(one: Evidence) -> list[Node]:
    """What to know of records whose file was not as it was indexed when they were frozen."""
    remarks = {
        (bool(source.get("read_from")), str(source.get("remark")))
        for source in (one.document.get("sources") or {}).values()
        if source.get("remark")
    }
    return [
        notice("Read from a copy.", remark)
        if from_copy
        else notice("Not checked by their file's digest.", remark, tone="warn")
        for from_copy, remark in sorted(remarks)
    ]


def _raw_records(one: Evidence) -> list[Node | None]:
    ids = list(one.records)
    shown: list[Node | None] = [
        more(
            f"{_name_of(one.records[event_id])}  {event_id}",
            el("p", "small", event_link(event_id, "Look for it in the index")),
            _code(one.records[event_id]),
        )
        for event_id in ids[:MOST_RECORDS]
    ]
    if len(ids) > MOST_RECORDS:
        shown.append(
            el(
                "p",
                "small mute",
                f"The first {MOST_RECORDS} of {counted(len(ids), 'record')}; the file"
                f" below has all.",
            )
        )
    return shown


def _name_of(record: str) -> str:
    try:
        read = json.loads(record)
    except ValueError:
        return "record"
    if not isinstance(read, dict):
        return "record"
    return f"{phrases.clock(read.get('eventTime'))}  {read.get('eventName') or 'record'}"


def _code(value: Any) -> Node:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return el("pre", "record", value)
    return el("pre", "record", json.dumps(value, indent=2, ensure_ascii=False))


def _without_raw(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "raw"}


def _add(database: Database, user: User, file: CaseFile) -> None:
    open_answers = [alert.id for alert in file.alerts if _unfrozen(database, file, alert.id)]
    with st.container(horizontal=True):
        if open_answers and st.button(
            f"Save the answers of {phrases.count(len(open_answers), 'alert')}",
            icon=":material/push_pin:",
            key="freeze-answers",
        ):
            _freeze(database, user, file, open_answers)
        with (
            st.popover("Pin an event", icon=":material/keep:"),
            st.form(f"pin-{file.case.id}", border=False),
        ):
            event_id = boxes.line("Event id", key="pin-event-id")
            why = boxes.line("Why it matters", most=LINE, key="pin-event-why")
            sent = st.form_submit_button("Pin it", key="pin-event-send")
    if sent:
        try:
            pin_event(
                database, user.name, file.case.id, event_id.strip(), data.open_index(), why.strip()
            )
        except BacktrailError as error:
            text.say_problem("pin-problem", "Not pinned.", error, tone="warn")
        else:
            st.rerun()


def _kept(database: Database, alert_id: str) -> list[StoredAnswer]:
    with database.read() as connection:
        return answers_for(connection, alert_id, data.index_id())


def _unfrozen(database: Database, file: CaseFile, alert_id: str) -> bool:
    """Whether the inbox keeps answers of the alert from an index that none was frozen from."""
    frozen = {
        (one.document.get("name"), one.index_version)
        for one in file.evidence
        if one.kind == "answer" and one.alert_id == alert_id
    }
    kept = {(one.name, one.index_version) for one in _kept(database, alert_id)}
    return bool(kept - frozen)


def _freeze(database: Database, user: User, file: CaseFile, alert_ids: list[str]) -> None:
    try:
        store = data.open_index()
        for alert_id in alert_ids:
            for principal in sorted({a.principal for a in _kept(database, alert_id)}):
                freeze_answers(
                    database, user.name, file.case.id, alert_id, store, principal=principal
                )
    except BacktrailError as error:
        text.say_problem("freeze-problem", "The answers were not saved.", error, tone="warn")
    else:
        st.rerun()
