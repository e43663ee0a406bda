"""Alerts into the inbox, and one out of it again by its id."""

from __future__ import annotations

from dataclasses import dataclass

from alerts import parse_alerts
from alerts.alert import Alert
from cases import inbox
from cases.database import Database
from cases.errors import CaseStoreUnusable, NotFound
from trail.counted import counted
from trail.errors import AlertUnrecognised
from ui.shell import data
from ui.shell.session import cases_if_any


@dataclass(frozen=True)
class Arrived:
    """How many alerts came, and how many of them were not in the inbox before."""

    alerts: int
    new: int

    def sentence(self) -> str:
        if self.alerts == self.new:
            return f"{counted(self.new, 'new alert')}."
        return (
            f"{counted(self.alerts, 'alert')} came, {self.new:,} of them new. The others"
            f" were known: their "
            "count and last time were brought up to date."
        )


def alert_by_id(alert_id: str) -> Alert | None:
    """The alert of that inbox id; None when the inbox has none, or cannot be read."""
    try:
        database = cases_if_any()
        return None if database is None else inbox.get_alert(database, alert_id)
    except (NotFound, CaseStoreUnusable):
        return None


def receive_text(database: Database, actor: str, text: str) -> Arrived:
    """Keeps every alert in the text. Raises `AlertUnrecognised` when there is none."""
    return _arrived(inbox.receive(database, actor, parse_alerts(text)))


def receive_demo(database: Database, actor: str) -> Arrived:
    """Keeps the demo's alerts, as many as its folder has."""
    found: list[Alert] = []
    for story in data.stories():
        try:
            found += parse_alerts(story.path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, AlertUnrecognised):
            continue  # a file that someone changed: the others still come
    return _arrived(inbox.receive(database, actor, found))


def _arrived(received: list[inbox.Received]) -> Arrived:
    return Arrived(len(received), sum(one.new for one in received))
