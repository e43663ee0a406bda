"""Dashboards over two indexes, and two over one, share a case database."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.a_dashboard import PATIENCE_MS, chromium, dashboard, settled
from tests.an_event import a_user, an_event
from trail.index.build import add
from ui.parts.queue_table import OTHER_INDEX

pytestmark = pytest.mark.browser

EVENT = "0c0ffee0-1111-4222-8333-444455556666"
KEY_MADE = an_event(
    eventID=EVENT,
    eventTime="2026-03-20T12:00:00Z",
    eventSource="iam.amazonaws.com",
    eventName="CreateAccessKey",
    sourceIPAddress="203.0.113.99",
    requestParameters={"userName": "root-helper"},
)
BEFORE = [
    an_event(eventID=f"b{day}", eventTime=f"2026-03-{day:02}T10:00:00Z") for day in range(1, 20)
]
ELSEWHERE = [
    an_event(
        eventID=f"e{day}",
        eventTime=f"2025-01-{day:02}T10:00:00Z",
        userIdentity=a_user("zed"),
        recipientAccountId="999900001111",
    )
    for day in range(1, 9)
]
Kept = dict[tuple[str, str], str]


@dataclass
class Two:
    """The addresses of a dashboard with the logs and of one without, and their case database."""

    with_logs: str
    without: str
    again: str
    """Another dashboard over the index of the first."""
    cases: Path

    def answers(self) -> Kept:
        """(index, question) → what is kept."""
        with sqlite3.connect(self.cases) as db:
            rows = db.execute("select index_id, alert_id, name, sentence from answers").fetchall()
        db.close()
        return {(index, f"{alert} {name}"): sentence for index, alert, name, sentence in rows}

    def wait_for(self, answers: int) -> Kept:
        until = time.monotonic() + 120
        while len(found := self.answers()) < answers:
            assert time.monotonic() < until, found
            time.sleep(0.2)
        return found


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    for name, events in (("with", [KEY_MADE, *BEFORE]), ("without", ELSEWHERE), ("again", [])):
        (folder / name).mkdir()
        if events:
            (folder / name / "log.json").write_text(json.dumps({"Records": events}))
            add([folder / name / "log.json"], folder / name / "index")
    cases = {"BACKTRAIL_CASES_URL": f"sqlite:///{folder / 'cases.db'}"}
    with ExitStack() as stack:
        with_logs = stack.enter_context(dashboard(folder / "with", **cases))
        without = stack.enter_context(dashboard(folder / "without", **cases))
        same = {**cases, "BACKTRAIL_INDEX": str(folder / "with" / "index")}
        again = stack.enter_context(dashboard(folder / "again", **same))
        yield Two(with_logs, without, again, folder / "cases.db")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium() as browser:
        one = browser.new_page()
        one.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield one


def read(page: Page, address: str) -> str:
    page.goto(address)
    settled(page)
    return page.locator("body").inner_text()


def test_neither_overwrites_the_other_s_answers_and_a_page_says_whose_a_case_is(
    two: Two, page: Page
) -> None:
    read(page, f"{two.with_logs}/triage?event={EVENT}")
    page.get_by_role("button", name="Open a case").click()
    page.wait_for_url("**/case?**")
    settled(page)
    case = page.evaluate("location.search")
    # The case keeps what was just shown.
    shown = page.locator("body").inner_text()
    assert "grave change" in shown
    assert "aiting for its answers" not in shown
    before = two.answers()
    assert len(before) == 5

    elsewhere = read(page, f"{two.without}/case{case}")
    assert OTHER_INDEX in elsewhere
    assert "This case belongs to another index." in elsewhere

    # Answered ahead there too, since its inbox was opened: side by side.
    read(page, f"{two.without}/inbox")
    after = two.wait_for(10)
    assert {key: after[key] for key in before} == before
    elsewhere = read(page, f"{two.without}/case{case}")
    assert "No logs for it" in elsewhere
    assert "This case belongs to another index." in elsewhere
    for address in (two.with_logs, two.again):
        here = read(page, f"{address}/case{case}")
        assert "grave change" in here
        assert "another index" not in here
    assert two.answers() == after


def test_two_over_one_index_share_the_work(two: Two, page: Page) -> None:
    before = two.answers()
    read(page, f"{two.with_logs}/inbox")
    page.get_by_text("Add alerts").first.click()
    box = page.get_by_role("textbox", name="Paste one or many")
    box.fill("\n".join(json.dumps(one) for one in BEFORE[:8]))
    page.get_by_role("button", name="Take them in").click()
    with page.context.browser.new_page() as other:  # type: ignore[union-attr]
        other.goto(f"{two.again}/inbox")
        two.wait_for(len(before) + 5 * 8)
    with sqlite3.connect(two.cases) as db:
        states = db.execute("select distinct enrichment from alerts").fetchall()
    db.close()
    assert states == [("done",)]
    after = two.answers()
    assert {key: after[key] for key in before} == before
