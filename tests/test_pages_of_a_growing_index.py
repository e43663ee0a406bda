"""What a page shows after the index has grown is what it would show if nothing had been kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.a_page import a_page, trees
from tests.an_event import a_user, an_event
from trail.index.build import add
from ui.shell import data

ALICE = a_user("alice")
ADDRESS = "198.51.100.7"


def event(
    number: int, when: str, name: str = "RunInstances", **changes: object
) -> dict[str, object]:
    return an_event(
        eventID=f"00000000-0000-4000-8000-{number:012}",
        eventTime=when,
        eventName=name,
        **{"userIdentity": ALICE, "sourceIPAddress": ADDRESS, **changes},
    )


ALERT = event(1, "2026-03-20T10:00:00Z")
GROWTH: Mapping[str, list[dict[str, object]]] = {
    "other days, others' calls": [
        event(20, "2026-05-01T10:00:00Z", userIdentity=a_user("bob")),
    ],
    "the suspect's own": [
        event(21, "2026-03-20T10:05:00Z", "DeleteTrail", eventSource="cloudtrail.amazonaws.com"),
    ],
    "a day of the baseline": [
        event(22, "2026-03-12T10:00:00Z"),
        event(23, "2026-03-12T11:00:00Z", "GetUser", sourceIPAddress="203.0.113.9"),
    ],
    "a peer's with the same address": [
        event(24, "2026-03-13T11:00:00Z", userIdentity=a_user("carol")),
    ],
    "a failed call": [
        event(25, "2026-03-19T11:00:00Z", "CreateUser", errorCode="AccessDenied"),
    ],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKTRAIL_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("BACKTRAIL_DEMO", str(tmp_path / "demo"))
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(tmp_path / "cases.db"))
    put(tmp_path, "first", [ALERT, *(event(n, f"2026-03-{n:02}T09:00:00Z") for n in range(7, 12))])
    return tmp_path


def put(folder: Path, name: str, records: list[dict[str, object]]) -> None:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"Records": records}))
    add([path], folder / "index")


def shown(page: str, asked: Mapping[str, str]) -> str:
    at = a_page(page, asked)
    assert not at.exception
    assert trees(at)
    return json.dumps(trees(at), indent=1)


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("triage", {"event": str(ALERT["eventID"])}),
        ("entity", {"of": "arn:aws:iam::111122223333:user/alice"}),
        ("entity", {"of": ADDRESS}),
        ("events", {"ip": ADDRESS}),
    ],
    ids=["triage", "principal", "address", "events"],
)
def test_a_page_of_a_growing_index(folder: Path, page: str, asked: dict[str, str]) -> None:
    seen = [shown(page, asked)]
    for number, records in enumerate(GROWTH.values()):
        put(folder, f"more-{number}", records)
        kept = shown(page, asked)
        data.forget()
        assert kept == shown(page, asked)
        seen.append(kept)
    assert len(set(seen)) > 3, "the page does not change with the index"


def test_another_index_has_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that one index said is taken for what another says to the same."""
    asked = {"event": str(ALERT["eventID"])}
    first = shown("triage", asked), shown("index", {})
    other = folder / "other"
    other.mkdir()
    monkeypatch.setenv("BACKTRAIL_INDEX", str(other / "index"))
    put(other, "first", [ALERT])
    second = shown("triage", asked), shown("index", {})
    assert first[0] != second[0]
    assert first[1] != second[1]
    data.forget()
    assert second == (shown("triage", asked), shown("index", {}))
