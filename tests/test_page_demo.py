"""Every alert of the demo on the page, against the truth its generator wrote.

The truth file is itself recomputed from the raw log files in `test_demo_truth`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from demo.generate import generate
from enrich.facts.service_names import service_name
from tests.a_page import a_page, table, words
from trail.index.build import add

pytest_plugins = ("tests.case_pages",)
STORIES = (
    "stolen-instance-role",
    "leaked-key-enumeration",
    "leaked-key-secrets",
    "leaked-key-sequence",
    "switched-role",
    "shared-snapshot",
    "model-hijack",
    "graphics-cards",
    "travelling-engineer",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo-page")
    generate(folder / "demo", events=5_000)
    add([folder / "demo" / "logs"], folder / "index")
    return folder


@pytest.fixture(autouse=True)
def demo_index(own_folders: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTRAIL_INDEX", str(folder / "index"))


def truth_of(folder: Path, story: str) -> dict[str, Any]:
    told = json.loads((folder / "demo" / "truth.json").read_text())["alerts"]
    found: dict[str, Any] = next(one for one in told if one["id"] == story)
    return found


def test_the_page_offers_every_alert_of_the_demo(folder: Path) -> None:
    listed = json.loads((folder / "demo" / "alerts.json").read_text())
    assert {entry["id"] for entry in listed} == set(STORIES)
    said = words(a_page())
    assert all(entry["title"] in said for entry in listed)


@pytest.mark.parametrize("story", STORIES)
def test_the_page_shows_what_is_true(folder: Path, story: str) -> None:
    truth = truth_of(folder, story)
    at = a_page("triage", {"alert": story})
    assert not at.exception
    said = words(at)
    assert truth["origin"]["label"] in said

    shown = sorted(tuple(row[:3]) for row in table(at, "Calls per service"))
    assert shown == sorted(
        (service_name(row["event_source"]), f"{row['count']:,}", f"{row['failed']:,}")
        for row in truth["services_used"]["entity"]
    )

    calls = [*table(at, "Interesting calls"), *table(at, "Routine calls")]
    assert sum(int(row[3].replace(",", "")) for row in calls) == sum(
        row["count"] for row in truth["interesting_calls"]["entity"]
    )

    events = {hop["event_id"] for hop in truth["chain"]}
    links = table(at, "Every link of the role chain, nearest first")
    assert len(links) >= len(events)
    assert [row[6] for row in links if row[6] != "–"][: len(events)] == [
        hop["minted_access_key_id"] for hop in truth["chain"] if hop["minted_access_key_id"]
    ]


@pytest.mark.parametrize("story", STORIES)
def test_a_known_address_is_never_called_new(folder: Path, story: str) -> None:
    truth = truth_of(folder, story)
    said = words(a_page("triage", {"alert": story})).splitlines()
    rests_on_role = any("by the whole role, " in line and line.startswith("Against")
                        for line in said)  # fmt: skip
    baseline = truth["baseline"]["whole_role" if rests_on_role else "entity"]
    verdict = said[said.index("IP address") - 1]
    if baseline["knows_ip"]:
        assert verdict.startswith(("● Seen", "◐ Rare"))
    else:
        assert verdict == "▲ New"
