"""Alerts and answers as the JSON documents that the database keeps, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from alerts.alert import Alert, Principal, TimeQuestion
from cases.canonical import from_iso, plain

if TYPE_CHECKING:  # they bring DuckDB and pandas along, two seconds for the command line
    from enrich.answer import Answer


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_iso(text)


def alert_document(alert: Alert) -> dict[str, Any]:
    """The alert without its raw text, which has a column of its own."""
    document: dict[str, Any] = plain(alert)
    del document["raw"]
    return document


def read_alert(document: Mapping[str, Any], raw: str) -> Alert:
    """The alert that `alert_document` wrote. Keys of a newer version are passed over."""
    values = {f.name: document[f.name] for f in fields(Alert) if f.name in document}
    values["principals"] = tuple(_read_principal(one) for one in document["principals"])
    values["first_seen"] = _moment(document["first_seen"])
    values["last_seen"] = _moment(document["last_seen"])
    for name in ("event_ids", "notes", "unread_times"):
        if name in values:
            values[name] = tuple(values[name])
    if (question := values.get("time_question")) is not None:
        values["time_question"] = _read_question(question)
    return Alert(**values, raw=raw)


def _read_question(document: Mapping[str, Any]) -> TimeQuestion:
    values = {f.name: document[f.name] for f in fields(TimeQuestion)}
    for name in ("times", "zones", "orders"):
        values[name] = tuple(values[name])
    for name in ("earliest", "latest"):
        values[name] = from_iso(values[name])
    return TimeQuestion(**values)


def _read_principal(document: Mapping[str, Any]) -> Principal:
    values = {f.name: document[f.name] for f in fields(Principal) if f.name in document}
    values["session_created"] = _moment(values.get("session_created"))
    return Principal(**values)


ASKED_ABOUT = "asked_about"
"""Beside a kept answer's own keys: the alert and the principal that it was given about."""


def answer_document(
    answer: Answer, asked_about: tuple[Alert, Principal] | None = None
) -> dict[str, Any]:
    """The answer under the names that `python -m enrich --json` prints, and its queries.

    `asked_about` is kept with it where it is given: the inbox keeps an alert as it came, and the
    questions are asked about what the index adds to one that says too little.
    """
    document: dict[str, Any] = plain(answer)
    if asked_about is not None:
        alert, principal = asked_about
        document[ASKED_ABOUT] = {"alert": alert_document(alert), "principal": plain(principal)}
    return document


def asked_about_in(document: Mapping[str, Any]) -> tuple[Alert, Principal] | None:
    """What the answer that `answer_document` wrote was given about, where that was kept."""
    about = document.get(ASKED_ABOUT)
    if about is None:
        return None
    return read_alert(about["alert"], ""), _read_principal(about["principal"])


def read_answer(document: Mapping[str, Any]) -> Answer:
    """The answer that `answer_document` wrote, without its queries and counts.

    Of data that another version wrote, keys that are not known any more are passed over, and those
    that it lacks are as if not looked up. Raises `ValueError` where a value is of another form.
    """
    from enrich import QUESTIONS
    from enrich.answer import Answer
    from enrich.data.found import Found

    kinds = {question.name: type(question.empty_data()) for question in QUESTIONS}
    kind = kinds.get(document["name"], Found)  # of a question that is asked no more, nothing
    return Answer(
        name=document["name"],
        question=document["question"],
        status=document["status"],
        sentence=document["sentence"],
        data=msgspec.convert(document["data"], kind),
        evidence=tuple(document["evidence"]),
        caveats=tuple(document["caveats"]),
    )
