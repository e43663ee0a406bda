"""Every public Stratus Red Team technique raises an alert, or it is said why it does not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.detections import detect
from alerts.detections.hits import TRIED
from tests.memory_store import MemoryStore
from tests.stratus_techniques import TECHNIQUES, Technique, denied, recall_table

Event = dict[str, Any]
Found = dict[str, set[str]]
FIRST = date(2026, 3, 10)


def _name(technique: Technique) -> str:
    return technique.name.removeprefix("aws.")


def _on_a_day_of_its_own(events: Iterable[Event], number: int) -> list[Event]:
    text = json.dumps(list(events))
    day = FIRST + timedelta(days=2 * number)
    text = text.replace(f"{FIRST}T", f"{day}T").replace("198.51.100.7", f"198.51.{number}.7")
    return list(json.loads(text))


def _found(calls: dict[str, Iterable[Event]]) -> Found:
    """By technique, the titles of the alerts; each technique is run alone on its own day."""
    days = {FIRST + timedelta(days=2 * n): name for n, name in enumerate(calls)}
    events = [
        event
        for number, made in enumerate(calls.values())
        for event in _on_a_day_of_its_own(made, number)
    ]
    start = datetime(2026, 3, 1, tzinfo=UTC)
    alerts, problems = detect(MemoryStore(events), start, start + timedelta(days=200))
    assert problems == []
    found: Found = {name: set() for name in calls}
    for alert in alerts:
        assert alert.first_seen is not None
        found[days[alert.first_seen.date()]].add(alert.title.removesuffix(TRIED))
    return found


@pytest.fixture(scope="module")
def made() -> Found:
    return _found({one.name: one.calls for one in TECHNIQUES})


@pytest.fixture(scope="module")
def refused() -> Found:
    return _found({one.name: denied(one.calls) for one in TECHNIQUES})


@pytest.mark.parametrize("technique", TECHNIQUES, ids=_name)
def test_a_technique_is_found(technique: Technique, made: Found) -> None:
    assert technique.found_by
    assert made[technique.name] >= set(technique.found_by)


@pytest.mark.parametrize("technique", TECHNIQUES, ids=_name)
def test_an_attempt_that_was_denied_is_found_or_it_is_said_why_not(
    technique: Technique, refused: Found
) -> None:
    found = refused[technique.name]
    assert found >= set(technique.denied_found_by)
    assert bool(found) is bool(technique.denied_found_by)
    assert bool(technique.blind) is not bool(technique.denied_found_by)


def test_the_documentation_has_the_table() -> None:
    text = (Path(__file__).parents[1] / "docs" / "detections.md").read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- techniques -->\n")
    written, _, _ = rest.partition("<!-- /techniques -->")
    assert written == recall_table(), (
        "run python -m tests.stratus_techniques and put it between the marks"
    )
