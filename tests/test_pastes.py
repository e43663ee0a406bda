"""A paste of any size is answered or refused soon, and no other session waits meanwhile."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.a_dashboard import PATIENCE_MS, chromium, dashboard, settled
from tests.a_page import a_page, words
from tests.an_event import an_event
from trail.errors import AlertUnrecognised
from trail.index.build import add
from ui.shell import read_apart
from ui.shell.read_apart import HERE, LONGEST, alerts_in

LONG = {
    "20,000 records": lambda: json.dumps({"Records": [an_event()] * 27_000}),
    "a list of millions of numbers": lambda: json.dumps(list(range(2_600_000))),
    "one unbroken string": lambda: "a" * 20_000_000,
    "quotes": lambda: '"' * 20_000_000,
    "brackets": lambda: "[{" * 10_000_000,
}


@pytest.mark.parametrize("what", LONG)
def test_twenty_megabytes_are_refused_at_once(what: str) -> None:
    text = LONG[what]()
    assert len(text) > 18_000_000
    began = time.process_time()
    with pytest.raises(AlertUnrecognised, match="Paste one alert"):
        alerts_in(text)
    assert time.process_time() - began < 1


MUCH = {
    "4,000 records": lambda: json.dumps({"Records": [an_event()] * 4_000}),
    "a list of numbers": lambda: json.dumps(list(range(500_000))),
    "a string": lambda: "a" * (LONGEST - 1),
    "quotes": lambda: '"' * (LONGEST - 1),
    "documents": lambda: "{}" * 49_500,
    "documents in lines": lambda: "{}\n" * 33_000,
    "identities": lambda: " ".join(f"arn:aws:iam::1111{i:08d}:user/u{i}" for i in range(2_600)),
    "as much as is read here": lambda: "{}" * (HERE // 2),
}


@pytest.mark.parametrize("what", MUCH)
def test_what_is_long_holds_up_nobody(what: str) -> None:
    """It is answered or refused, and takes next to nothing of this process's time."""
    text = MUCH[what]()
    began = time.process_time()
    found = 0
    with suppress(AlertUnrecognised):
        found = len(alerts_in(text))
    assert found in (0, 1, 4_000)
    assert time.process_time() - began < 2


def test_what_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_apart, "SECONDS", 0.01)
    with pytest.raises(AlertUnrecognised, match="longer than 0.01 seconds"):
        alerts_in(json.dumps([an_event()] * 400))


def test_what_is_read_apart_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_apart, "SECONDS", 60)
    text = json.dumps({"Records": [an_event(userAgent="half \ud83d " + "x" * HERE)]})
    apart = alerts_in(text)
    monkeypatch.setattr(read_apart, "HERE", len(text))
    assert alerts_in(text) == apart
    with pytest.raises(AlertUnrecognised, match="not JSON"):
        alerts_in("a" * (len(text) + 1))


@pytest.fixture
def an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.json").write_text(json.dumps({"Records": [an_event()]}))
    add([tmp_path / "log.json"], tmp_path / "index")
    monkeypatch.setenv("BACKTRAIL_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("BACKTRAIL_DEMO", str(tmp_path / "demo"))
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(tmp_path / "cases.db"))


@pytest.mark.usefixtures("an_index")
def test_the_page_says_so_and_empties_its_box() -> None:
    at = a_page("triage")
    at.text_area[0].set_value("a" * (LONGEST + 1))
    at.button[0].click().run()
    assert not at.exception
    assert "This has 4,000,001 characters" in words(at)
    assert at.text_area[0].value in ("", None)
    at.text_area[0].set_value(json.dumps(an_event()))
    at.button[0].click().run()
    assert "Who assumed the role?" in words(at) or "Is this normal" in words(at)


@pytest.mark.usefixtures("an_index")
def test_many_alerts_belong_to_the_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_apart, "SECONDS", 60)
    at = a_page("triage")
    at.text_area[0].set_value(json.dumps([an_event() for _ in range(201)]))
    at.button[0].click().run()
    assert "This holds 201 alerts or records" in words(at)


ROOM = "document.querySelector('textarea').value.length"


@pytest.mark.browser
def test_a_paste_of_20_megabytes_is_refused_in_the_browser(tmp_path: Path) -> None:
    """Beside the box, in a sentence; nothing of it is laid out there or sent to the server."""
    (tmp_path / "log.json").write_text(json.dumps({"Records": [an_event()]}))
    add([tmp_path / "log.json"], tmp_path / "index")
    with dashboard(tmp_path) as address, chromium() as browser:
        context = browser.new_context()
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        page = context.new_page()
        sent: list[int] = []
        page.on("websocket", lambda it: it.on("framesent", lambda frame: sent.append(len(frame))))
        page.goto(f"{address}/triage")
        settled(page)
        before = sum(sent)

        def paste(text: str) -> None:
            page.evaluate("text => navigator.clipboard.writeText(text)", text)
            page.locator("textarea").first.click()
            page.keyboard.press("Control+v")

        paste("a" * 20_000_000)
        refusal = page.get_by_role("alert")
        refusal.wait_for(timeout=PATIENCE_MS)
        assert "This has 20,000,000 characters, and no box takes more" in refusal.inner_text()
        assert page.evaluate(ROOM) == 0
        paste(json.dumps(an_event()))
        page.wait_for_function(f"{ROOM} > 100", timeout=PATIENCE_MS)
        assert refusal.count() == 0  # gone, as something else was written
        page.locator(".st-key-paste-go button").click()
        page.get_by_text("Who assumed the role?").first.wait_for(timeout=PATIENCE_MS)
        assert sum(sent) - before < 100_000

        # A box that is full says so, and keeps what stands in it.
        page.goto(f"{address}/entity")
        settled(page)
        box = page.locator("input[type=text]").first
        box.fill("alice")
        page.evaluate("text => navigator.clipboard.writeText(text)", "b" * 3_000)
        box.press("End")
        box.press("Control+v")
        refusal.wait_for(timeout=PATIENCE_MS)
        assert "longer than this box takes" in refusal.inner_text()
        assert box.input_value() == "alice"
