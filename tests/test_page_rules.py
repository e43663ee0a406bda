"""The page of rules: what each found, how often it was right, when they ran, what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.detections import OUR_RULES
from cases import case, inbox, rule_runs
from cases.database import Database
from tests.a_case_page import a_page_for, read
from tests.an_event import an_event
from trail.index.build import add
from trail.store import DuckStore, open_store

pytest_plugins = ("tests.case_databases", "tests.case_pages")
pytestmark = pytest.mark.usefixtures("own_folders")

OWN = """
title: "{title}"
status: test
description: Somebody's own.
logsource: {{product: aws, service: cloudtrail}}
detection:
  selection: {{{field}: StopLogging}}
  condition: selection
falsepositives: [Nothing]
level: low
"""


@pytest.fixture
def database(page_database: Database) -> Database:
    return page_database


@pytest.fixture
def store(tmp_path: Path, own_folders: None) -> Iterator[DuckStore]:
    """Logging stopped on three days."""
    events = [
        an_event(
            eventTime=f"2026-03-{day}T12:00:00Z",
            eventSource="cloudtrail.amazonaws.com",
            eventName="StopLogging",
            readOnly=False,
        )
        for day in (10, 12, 14)
    ]
    (tmp_path / "logs.json").write_text(json.dumps({"Records": events}))
    add([tmp_path / "logs.json"], tmp_path / "index")
    opened = open_store(tmp_path / "index")
    yield opened
    opened.close()


def _lines_of(said: str, title: str) -> list[str]:
    """The lines from a rule's title to the next rule's."""
    return said.split(f"{title}\n", 1)[1].splitlines()[:14]


def test_before_any_run_every_rule_is_there(database: Database) -> None:
    at = a_page_for("ann", "rules")
    assert not at.exception
    said = read(at)
    assert "not yet" in said
    assert "Logging or a detector narrowed or switched off" in said
    assert "Whoever runs these tools, at work" in said
    assert "Secret read\n" not in said  # only counted by another
    assert "verdict yet" not in said


def test_what_a_rule_found_and_how_often_it_was_right(database: Database, store: DuckStore) -> None:
    rule_runs.run_rules(database, "ann", store, (OUR_RULES,))
    queued = inbox.queue(database, limit=10).alerts
    assert len(queued) == 3
    for alert, verdict in zip(queued, ("true_positive", "benign"), strict=False):
        opened = case.open_case(database, "ann", [alert.id])
        case.close_case(
            database, "ann", opened.id, opened.version, verdict=verdict, reason="Looked."
        )
    said = read(a_page_for("ann", "rules"))
    first = said.split("Logging or a detector narrowed or switched off")[1][:900]
    assert "1 of 2 (50%)" in first
    assert "3 of 3" in said  # the days that the run read


def test_a_team_s_own_folder_is_read_again_when_it_changes(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("BACKTRAIL_RULES", str(folder))
    (folder / "a.yml").write_text(OWN.format(title="Theirs **one**", field="eventName"))
    assert "Theirs **one**" in read(a_page_for("ann", "rules"))
    (folder / "a.yml").write_text(OWN.format(title="Theirs, later", field="eventName"))
    (folder / "b.yml").write_text("title: [")
    said = read(a_page_for("ann", "rules"))
    assert "Theirs **one**" not in said
    assert "Theirs, later" in said
    assert "1 problem with rules" in said
    assert "b.yml" in said


def test_a_viewer_sees_no_rules(database: Database) -> None:
    assert "Logging or a detector" not in read(a_page_for("vic", "rules"))
