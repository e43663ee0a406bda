"""Which alert the page is about: from its address, the paste box, a file, or the demo.

The address is the truth: what is pasted goes into it (compressed), so that a reload, a bookmark
and a colleague's browser show the same. Corrections go into it as well.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from alerts.alert import Alert, Principal
from alerts.correct import correct
from alerts.json_text import text_of
from enrich import fill_gaps
from enrich.short_ids import in_full
from trail.errors import AlertUnrecognised, SourceUnreadable
from trail.store import Store
from ui.kit import phrases
from ui.shell import data
from ui.shell.load import alert_by_id
from ui.shell.read_apart import alerts_in, refuse_too_long

LONGEST_ADDRESS = 6000
"""Characters of a pasted alert that an address carries; a longer one lives in the session."""
MOST_ALERTS = 200
"""Alerts of one paste that the page lets choose among."""
PASTED = "pasted_alert"
IN_SESSION = "session"


@dataclass(frozen=True)
class Chosen:
    """The alert and principal to ask about, and what else could have been chosen."""

    alerts: tuple[Alert, ...]
    received: Alert
    """As it came, with what the analyst corrected: what the inbox and cases keep."""
    alert: Alert
    """The same, with what the index adds to one that says too little: what is asked about."""
    principal: Principal | None
    which: int = 0
    who: int = 0


def chosen(store: Store) -> Chosen | None:
    """What the address asks for; None when it asks for nothing.

    Raises `AlertUnrecognised` with what to do next when it asks for something that is not there.
    """
    asked = st.query_params
    kept = alert_by_id(asked["alert"]) if asked.get("alert") else None
    if kept is not None:
        found: tuple[Alert, ...] = (kept,)
    else:
        text = _asked_text(store, asked)
        if text is None:
            return None
        found = tuple(_parsed(text))
    which = _position(asked.get("which"), len(found))
    received = corrected(found[which], asked)
    alert = _completed(received, store)
    # The others are only named: each may be a look-up.
    found = (*found[:which], alert, *found[which + 1 :])
    who = _position(asked.get("who"), len(alert.principals))
    principal = alert.principals[who] if alert.principals else None
    return Chosen(found, received, alert, principal, which, who)


def open_text(given: str | bytes, *, check: bool = False) -> None:
    """Makes what was pasted or uploaded what the page is about. Raises `AlertUnrecognised`.

    With `check` the page first shows what was read, and asks nothing yet.
    """
    text = text_of(given)
    refuse_too_long(text)  # before it is hashed, kept or compressed
    _parsed(text)
    packed = pack(text)
    if len(packed) > LONGEST_ADDRESS:
        st.session_state[PASTED] = text
        packed = IN_SESSION
    st.query_params.from_dict({"text": packed} | ({"check": "1"} if check else {}))


def pack(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpack(packed: str) -> str:
    """The text again. Raises `AlertUnrecognised` when the address was cut or made up."""
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        inflater = zlib.decompressobj()
        text = inflater.decompress(raw, 4_000_000)  # an address must not be able to fill memory
        if inflater.unconsumed_tail or not inflater.eof:
            raise ValueError
        return text.decode()
    except (ValueError, binascii.Error, zlib.error):
        raise AlertUnrecognised(
            "The address of this page is incomplete. Ask for the whole link, or paste the alert."
        ) from None


CORRECTABLE = {
    "arn": "principal",
    "from": "first_seen",
    "to": "last_seen",
    "ip": "source_ip_address",
    "source": "event_source",
    "call": "event_name",
    "zone": "time_zone",
    "order": "date_order",
}
"""Address parameter → the field of the alert that it corrects."""


def corrected(alert: Alert, asked: Mapping[str, str]) -> Alert:
    """The alert with what the analyst corrected. Raises `CorrectionRefused`."""
    changes = {field: asked[name] for name, field in CORRECTABLE.items() if asked.get(name)}
    return correct(alert, **changes) if changes else alert


def _asked_text(store: Store, asked: Mapping[str, str]) -> str | None:
    if asked.get("event"):
        return _event_text(store, asked["event"])
    if asked.get("alert"):
        return _story_text(asked["alert"])
    if asked.get("text") == IN_SESSION:
        text = st.session_state.get(PASTED)
        if isinstance(text, str):
            return text
        raise AlertUnrecognised(
            "This alert was too long for an address and lived in another session. Paste it again."
        )
    return unpack(asked["text"]) if asked.get("text") else None


def _event_text(store: Store, event_id: str) -> str:
    event_id = in_full(event_id, store)
    try:
        record = store.raw_records([event_id]).get(event_id)
    except SourceUnreadable as error:
        raise AlertUnrecognised(str(error)) from error
    if record is None:
        raise AlertUnrecognised(
            f"Event {event_id} is not in the index. Add the logs of its account and day on the "
            "index page, or paste the record itself."
        )
    return record


def _story_text(story_id: str) -> str:
    for story in data.stories():
        if story.id == story_id:
            return story.path.read_text(encoding="utf-8")
    raise AlertUnrecognised(
        f"There is no alert called {phrases.shortened(story_id)} here. Generate the demo on the "
        "index page if it is one of its alerts, or paste the alert."
    )


@st.cache_data(ttl="1h", max_entries=64, show_spinner=False)
def _parsed(text: str) -> list[Alert]:
    found = alerts_in(text)
    if len(found) > MOST_ALERTS:
        raise AlertUnrecognised(
            f"This holds {len(found):,} alerts or records, and this page is about one. Give them "
            "to the inbox, or paste the one."
        )
    return found


def _completed(alert: Alert, store: Store) -> Alert:
    """What the command line and the inbox ask about, too; looked up once per index version."""
    return data.kept(data.asked_of(store, alert), "completed", lambda: fill_gaps(alert, store))


def _position(text: str | None, of: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 6 and int(text) < of else 0
