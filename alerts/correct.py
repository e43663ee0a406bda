"""An alert as the analyst corrects it before the questions run."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from alerts.alert import Alert, Principal
from alerts.arns import principal_of_arn
from alerts.json_place import sane_span
from alerts.kinds.free_text import ACCESS_KEY, UNIQUE_ID
from alerts.times.time_window import answered
from alerts.times.time_zones import meanings
from alerts.times.written_times import ORDERS, written_times
from trail.access_keys import is_access_key
from trail.errors import BacktrailError

CORRECTED = "corrected by the analyst"
_TEXTS = ("event_name", "event_source", "user_agent", "error_code", "region")
_TIMES = ("first_seen", "last_seen")


class CorrectionRefused(BacktrailError):
    """A correction that cannot be right; the message says what is expected."""


def correct(alert: Alert, **fields: Any) -> Alert:
    """The alert with these fields replaced, their origins saying so.

    Takes `principal` (a `Principal`, or an ARN, access key id or unique id as text) or
    `principals`, `first_seen`, `last_seen` (times, or text of them), `source_ip_address`,
    `account_id`, `event_name`, `event_source`, `user_agent`, `error_code` and `region`; blank
    text means none. `time_zone` and `date_order` answer the alert's `time_question`, and say
    nothing where it has none. Raises `CorrectionRefused`.
    """
    alert = _with_answers(alert, fields.pop("time_zone", None), fields.pop("date_order", None))
    changes: dict[str, Any] = {}
    spans: dict[str, tuple[datetime | None, datetime | None]] = {}
    for name, value in fields.items():
        given = value.strip() or None if isinstance(value, str) else value
        if name == "principal":
            changes["principals"] = (_principal(given),) if given is not None else ()
        elif name == "principals":
            changes["principals"] = tuple(_principal(one) for one in given or ())
        elif name in _TIMES:
            spans[name] = _span(name, given)
            changes[name] = spans[name][0 if name == "first_seen" else 1]
        elif name == "source_ip_address":
            changes[name] = _address(given)
        elif name == "account_id":
            if given is not None and not (str(given).isascii() and str(given).isdigit()):
                raise CorrectionRefused(f"{given} is no account id: give its 12 digits.")
            if given is not None and len(str(given)) != 12:
                raise CorrectionRefused(f"{given} is no account id: give its 12 digits.")
            changes[name] = str(given) if given is not None else None
        elif name in _TEXTS:
            changes[name] = str(given) if given is not None else None
        else:
            raise CorrectionRefused(f"{name} of an alert cannot be corrected.")
    source = changes.get("event_source")
    if source is not None and "." not in source:
        changes["event_source"] = f"{source.lower()}.amazonaws.com"
    if set(changes) & set(_TIMES):
        changes |= _window(alert, spans)
        changes |= {"time_is_fallback": False, "time_question": None, "unread_times": ()}
    kept = {
        name: path
        for name, path in alert.origins.items()
        if not (name.startswith("principals[") and "principals" in changes)
    }
    corrected = [name for name in changes if not name.startswith(("time_", "unread_"))]
    origins = kept | dict.fromkeys(corrected, CORRECTED)
    return replace(alert, **changes, origins=origins)


def _with_answers(alert: Alert, zone: Any, order: Any) -> Alert:
    """The alert by the analyst's answers to what its times leave open."""
    zone = str(zone).strip() if zone else None
    if zone is not None and not meanings(zone, datetime(2026, 1, 1)):
        raise CorrectionRefused(
            f"{zone[:80]} is no time zone: give it as UTC-07:00, PDT or America/Los_Angeles."
        )
    if order and order not in ORDERS:
        raise CorrectionRefused(f"{str(order)[:80]} is no order: say {' or '.join(ORDERS)}.")
    if alert.time_question is None or not (zone or order):
        return alert
    window = answered(alert.time_question, zone=zone, order=order or None)
    if window is None:
        raise CorrectionRefused("The times cannot be in that zone: give them in full.")
    notes = tuple(note for note in alert.notes if note != alert.time_question.text)
    if window.question is not None:
        notes = (*notes, window.question.text)
    return replace(
        alert,
        first_seen=window.first,
        last_seen=window.last,
        time_question=window.question,
        notes=notes,
        origins={**alert.origins, "first_seen": CORRECTED, "last_seen": CORRECTED},
    )


def principal_from(text: str) -> Principal:
    """The identity that an ARN, an access key id or a unique id names."""
    stripped = text.strip()
    if (person := principal_of_arn(stripped)) is not None:
        return person
    if ACCESS_KEY.fullmatch(stripped) and is_access_key(stripped):
        return Principal("Unknown", access_key_id=stripped)
    if UNIQUE_ID.fullmatch(stripped):
        kind = "IAMUser" if stripped.startswith("AIDA") else "AssumedRole"
        session = stripped.partition(":")[2] or None
        return Principal(kind, principal_id=stripped, session_name=session)
    raise CorrectionRefused(
        f"{stripped[:80]} names no identity: give an IAM or STS ARN, an access key id (AKIA…, "
        "ASIA…) or a unique id (AIDA…, AROA…)."
    )


def _principal(given: Any) -> Principal:
    if isinstance(given, Principal):
        return given
    return principal_from(str(given))


def _span(name: str, given: Any) -> tuple[datetime | None, datetime | None]:
    """The first and last second of what is given: a time without seconds is a minute."""
    if given is None:
        return None, None
    text = given.isoformat() if isinstance(given, datetime) else given
    span = sane_span(text)
    if span is None:
        given_text, words = str(given)[:80], name.replace("_", " ")
        wrong = "can mean several times" if written_times(given_text) else "is no time"
        raise CorrectionRefused(
            f"{given_text} {wrong} for {words}: give it as 2026-03-10T12:00:00Z."
        )
    return span


def _address(given: Any) -> str | None:
    """The address, or a service's name as CloudTrail writes it in that place."""
    if given is None:
        return None
    text = str(given)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if text.endswith(".amazonaws.com") or text.startswith("AWS Internal"):
            return text
        raise CorrectionRefused(f"{text[:80]} is no IP address.") from None


def _window(
    alert: Alert, given: Mapping[str, tuple[datetime | None, datetime | None]]
) -> dict[str, Any]:
    """Both ends: one that is given alone moves the other only where it must."""
    both = len(given) == 2
    alone = None if both else next(iter(given.values()))
    first = given["first_seen"][0] if "first_seen" in given else alert.first_seen
    last = given["last_seen"][1] if "last_seen" in given else alert.last_seen
    if alone is not None and (alert.time_is_fallback or alert.time_question or alert.unread_times):
        # The other end is no better known than what was just put right.
        first, last = alone
    if first is not None and last is not None and last < first:
        if alone is None:
            raise CorrectionRefused("The last time seen is before the first: exchange them.")
        first, last = alone
    if alone is not None and (first is None or last is None):
        first, last = first or alone[0], last or alone[1]
    return {"first_seen": first or last, "last_seen": last or first}
