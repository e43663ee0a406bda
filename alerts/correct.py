"""An alert as the analyst corrects it before the questions run."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import datetime
from typing import Any

from alerts.alert import Alert, Principal
from alerts.arns import principal_of_arn
from alerts.free_text import ACCESS_KEY, UNIQUE_ID
from alerts.json_place import sane_time
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
    text means none. Raises `CorrectionRefused`.
    """
    changes: dict[str, Any] = {}
    for name, value in fields.items():
        given = value.strip() or None if isinstance(value, str) else value
        if name == "principal":
            changes["principals"] = (_principal(given),) if given is not None else ()
        elif name == "principals":
            changes["principals"] = tuple(_principal(one) for one in given or ())
        elif name in _TIMES:
            changes[name] = _time(name, given)
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
        changes |= _window(alert, changes)
    kept = {
        name: path
        for name, path in alert.origins.items()
        if not (name.startswith("principals[") and "principals" in changes)
    }
    origins = kept | dict.fromkeys(changes, CORRECTED)
    return replace(alert, **changes, origins=origins)


def principal_from(text: str) -> Principal:
    """The identity that an ARN, an access key id or a unique id names."""
    stripped = text.strip()
    if (person := principal_of_arn(stripped)) is not None:
        return person
    if ACCESS_KEY.fullmatch(stripped):
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


def _time(name: str, given: Any) -> datetime | None:
    if given is None:
        return None
    text = given.isoformat() if isinstance(given, datetime) else given
    time = sane_time(text)
    if time is None:
        words = name.replace("_", " ")
        raise CorrectionRefused(
            f"{str(given)[:80]} is no time for {words}: give it as 2026-03-10T12:00:00Z."
        )
    return time


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


def _window(alert: Alert, changes: dict[str, Any]) -> dict[str, Any]:
    """Both ends: one that is given alone moves the other only where it must."""
    first = changes.get("first_seen", alert.first_seen)
    last = changes.get("last_seen", alert.last_seen)
    if first is not None and last is not None and last < first:
        if "first_seen" in changes and "last_seen" in changes:
            raise CorrectionRefused("The last time seen is before the first: exchange them.")
        first = last = first if "first_seen" in changes else last
    return {"first_seen": first or last, "last_seen": last or first}
