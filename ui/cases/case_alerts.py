"""The alerts of a case, and related ones that could join it."""

from __future__ import annotations

import streamlit as st

from cases.case import CaseFile, add_alert
from cases.database import Database
from cases.inbox import QueuedAlert, RelatedAlert, related_alerts
from trail.errors import BacktrailError
from ui.kit import text
from ui.kit.markup import draw, el
from ui.parts.queue_table import draw_queue
from ui.shell.session import User

MOST_RELATED = 10


def show(database: Database, user: User, file: CaseFile) -> None:
    draw("case-alerts-title", el("h3", "panel-title", f"Alerts ({len(file.alerts)})"))
    draw_queue("case-alerts", file.alerts, {}, {}, may_pick=False, brief=True)
    related = _related(database, file)
    may_add = user.can("add an alert to a case") and file.case.state != "closed"
    if not related:
        return
    with st.expander(f"Related alerts that are in no case ({len(related)})"):
        picked = draw_queue(
            "case-related",
            [one.alert for one in related],
            {},
            {one.alert.id: one.reason for one in related},
            may_pick=may_add,
            brief=True,
        )
        if may_add and st.button("Add to this case", key="add-related", disabled=not picked):
            _add(database, user, file.case.id, picked)


def _related(database: Database, file: CaseFile) -> list[RelatedAlert]:
    own = {alert.id for alert in file.alerts}
    found: dict[str, RelatedAlert] = {}
    for alert in file.alerts[:10]:
        for one in related_alerts(database, alert.id, MOST_RELATED):
            if one.alert.id not in own and _is_free(one.alert):
                found.setdefault(one.alert.id, one)
    return list(found.values())[:MOST_RELATED]


def _is_free(alert: QueuedAlert) -> bool:
    return alert.state != "in_case"


def _add(database: Database, user: User, case_id: int, picked: list[str]) -> None:
    try:
        for alert_id in picked:
            add_alert(database, user.name, case_id, alert_id)
    except BacktrailError as error:
        text.say_problem("add-problem", "Not added.", error, tone="warn")
    else:
        st.rerun()
