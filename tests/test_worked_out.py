"""How this was worked out: the steps that an alert took are lit, and a question opens its query."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alerts.alert import Alert
from enrich import ask_all
from tests.an_alert import an_alert
from tests.an_event import a_role_session, a_user, an_assumption, an_event
from tests.memory_store import MemoryStore
from ui.kit.markup import texts
from ui.triage.worked_out import worked_out


def lit(alert: Alert, records: list[dict[str, Any]]) -> list[str]:
    """The words of the lit steps, in reading order."""
    answers = ask_all(alert, alert.principals[0], MemoryStore(records))
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "step-lit" in node.get("c", ""):
                found.append(texts([node])[0])
            for child in node.get("k", ()):
                walk(child)

    walk(worked_out(alert, alert.principals[0], answers))
    return found


MINT = an_assumption(key="ASIAOTHERKEY0Q0Q0Q01", session="work")
USE = an_event(
    userIdentity=a_role_session(session="work", key="ASIAOTHERKEY0Q0Q0Q01"),
    eventTime="2026-03-10T11:55:00Z",
)


def test_a_role_session_by_its_key() -> None:
    steps = lit(an_alert(USE), [MINT, USE])
    assert steps[:4] == [
        "CloudTrail record", "Role session", "1. The access key",
        "The role's, of the session name or the address",
    ]  # fmt: skip
    assert "Who assumed the role?" in steps
    assert steps[-1] == "5 answers"


def test_a_user_needs_no_rule_and_no_filter_of_roles() -> None:
    use = an_event(userIdentity=a_user())
    steps = lit(replace(an_alert(use), source="guardduty"), [use])
    assert steps[:4] == [
        "GuardDuty finding", "IAM user or root", "Nothing matched, or none was needed",
        "Its ARN or id",
    ]  # fmt: skip
    assert "Who assumed the role?" not in steps  # it does not apply


def test_a_question_leads_to_its_query() -> None:
    alert = an_alert(USE)
    answers = ask_all(alert, alert.principals[0], MemoryStore([MINT, USE]))
    tree = worked_out(alert, alert.principals[0], answers)
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            found.extend([node["a"]["href"]] if node.get("a", {}).get("href") else [])
            for child in node.get("k", ()):
                walk(child)

    walk(tree)
    assert "#query-of-services-used" in found
    assert len(found) == 5
