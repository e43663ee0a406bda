"""The server's log: JSON lines that say who did what, and nothing that was in a log or searched."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from cases.database import open_database
from cases.errors import NotAllowed
from cases.users import add_user
from tests.a_dashboard import PATIENCE_MS, chromium, dashboard, settled
from ui.shell import log

NEEDLE = "needle-in-the-search"


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What was logged, as it was written."""
    monkeypatch.setenv("BACKTRAIL_LOG", str(tmp_path / "log.jsonl"))
    ours = logging.getLogger("backtrail")
    before = (list(ours.handlers), ours.propagate, ours.level)
    to = log.handler()
    log.configure(to)
    yield lambda: [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    to.close()
    ours.handlers, ours.propagate = before[0], before[1]
    ours.setLevel(before[2])


def test_a_line_says_what_when_and_how_long(lines: Any, tmp_path: Path) -> None:
    with log.timed("page", session="s") as line:
        line["page"] = "triage"
    (written,) = lines()
    assert {name: written[name] for name in ("level", "what", "session", "page")} == {
        "level": "info", "what": "page", "session": "s", "page": "triage",
    }  # fmt: skip
    assert written["ms"] >= 0
    assert written["at"].endswith("+00:00")
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o077 == 0


def test_an_error_is_its_kind_and_our_line_and_not_its_words(lines: Any) -> None:
    with pytest.raises(ValueError, match="secret"), log.timed("page"):
        raise ValueError("secret of the log")
    text = json.dumps(lines())
    assert "secret" not in text
    assert lines()[-1]["error"] == "ValueError"
    assert lines()[-1]["error_at"].startswith("tests/test_server_log.py:")


def test_a_library_s_traceback_and_arguments_stay_out(lines: Any) -> None:
    to = logging.getLogger("backtrail").handlers[0]
    library = logging.getLogger("a.library")
    library.handlers, library.propagate = [to], False
    try:
        raise KeyError("secret")
    except KeyError:
        library.exception("it failed with %s", "secret")
    (written,) = lines()
    assert written["what"] == "a.library"
    assert written["said"] == "it failed with %s"
    assert written["error"] == "KeyError"
    assert "secret" not in json.dumps(written)


def test_no_text_forges_a_line(lines: Any) -> None:
    log.say("page", page='x\n{"what": "forged"}\u2028')
    assert [line["what"] for line in lines()] == ["page"]


def test_less_is_written_by_setting(
    lines: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BACKTRAIL_LOG_LEVEL", "warning")
    log.configure(logging.getLogger("backtrail").handlers[0])
    log.say("page")
    log.say("refused", logging.WARNING)
    assert [line["what"] for line in lines()] == ["refused"]


def test_strangers_do_not_fill_the_disk() -> None:
    sparing = log.Sparing(lines=3, seconds=3600)
    assert [sparing.may_write() for _ in range(10)] == [True] * 3 + [False] * 7
    assert (sparing.left_out(), sparing.left_out()) == (7, 0)


def test_what_is_done_to_a_case_is_logged_once_it_is_certain(lines: Any, tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "cases.db"))
    add_user(database, "ann", "ann", "lead")
    with pytest.raises(NotAllowed):
        add_user(database, "nobody", "bob", "lead")
    database.close()
    written = [line for line in lines() if line["what"] == "case"]
    assert [(line.get("who"), line["action"], line.get("error")) for line in written] == [
        ("ann", "user added", None),
        (None, "change", "NotAllowed"),
    ]


@pytest.mark.browser
def test_a_served_dashboard_logs_pages_and_refusals_and_no_search(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    with (
        dashboard(tmp_path, BACKTRAIL_LOG=str(file), BACKTRAIL_USER="ann") as address,
        chromium(
            "--no-proxy-server", "--host-resolver-rules=MAP evil.example 127.0.0.1"
        ) as browser,
    ):
        page = browser.new_page()
        page.goto(f"{address}/events?call={NEEDLE}&text={NEEDLE}")
        settled(page)
        expect(page.locator(".bt-root").first).to_be_visible(timeout=PATIENCE_MS)
        page.goto(address.replace("127.0.0.1", "evil.example"))
        until = time.monotonic() + 30
        while "refused" not in file.read_text() and time.monotonic() < until:
            time.sleep(0.1)
    written = [json.loads(line) for line in file.read_text().splitlines()]
    kinds = {line["what"] for line in written}
    assert {"started", "page", "refused", "stopped"} <= kinds
    (ran, *_) = (line for line in written if line["what"] == "page")
    assert (ran["page"], ran["who"]) == ("events", "ann")
    assert ran["ms"] > 0
    assert len(ran["session"]) == 10
    refused = next(line for line in written if line["what"] == "refused")
    assert (refused["reason"], refused["from"]) == ("host", "127.0.0.1")
    for text in (file.read_text(), (tmp_path / "server.log").read_text()):
        assert NEEDLE not in text
        assert "evil.example" not in text
