"""From a pasted alert to the five answers, a pivot, the raw event, and back again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.a_dashboard import PATIENCE_MS, chromium, dashboard, settled

pytestmark = pytest.mark.browser
EVENT = "cfdb926f-8f87-44ea-8b73-125efb2fa78a"
ASSUMED = "bbe86c7c-5981-4ac8-ad20-9248612b16c1"


@pytest.fixture(scope="module")
def home(stratus_store: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("dashboard")
    shutil.copytree(stratus_store.index_dir, folder / "index")
    with dashboard(folder) as address:
        yield address


@pytest.fixture(scope="module")
def page(home: str) -> Iterator[Page]:
    with chromium() as browser:
        one = browser.new_page(viewport={"width": 1440, "height": 900})
        one.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield one


def test_the_first_address_after_a_start_is_a_whole_page(home: str, page: Page) -> None:
    # Until st.navigation has run once, Streamlit serves a page's file without app.py.
    page.goto(f"{home}/events?call=GetPasswordData")
    settled(page)
    expect(page.get_by_role("link", name="Triage")).to_be_visible()
    expect(
        page.locator(".bt-root").get_by_text("29 events, 29 failed, newest first.")
    ).to_be_visible()
    assert "call=GetPasswordData" in page.evaluate("location.href")


def test_paste_answers_pivot_raw_event_and_back(home: str, page: Page, stratus_store: Any) -> None:
    page.goto(home)
    settled(page)
    record = stratus_store.raw_records([EVENT])[EVENT]
    page.get_by_role("textbox", name="Alert").fill(record)
    page.get_by_role("button", name="Answer the five questions").click()

    badges = page.locator(".bt-badge")
    expect(badges).to_have_count(5)
    read = [badge.inner_text() for badge in badges.all()]
    assert "bert-jan" in read[0]
    assert "by access key, certain" in read[0]
    assert "29 calls to 1 service" in read[2]
    assert "all failed" in read[2]
    assert "29 interesting calls" in read[3]
    assert "No logs for it" in read[4]
    settled(page)
    # All that decides lies above the fold, and a keyboard reaches it.
    for part in (".bt-alert", ".bt-badges", ".bt-chain", ".bt-panel-title"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, part
    badges.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#answer-assumed-by")).to_be_in_viewport()
    triage_address = page.evaluate("location.href")
    assert "text=" in triage_address

    # Pivot: the origin's own page, in the same session.
    page.locator(".bt-chain").get_by_role("link", name="bert-jan", exact=True).click()
    expect(page.locator(".bt-alert-title")).to_have_text("arn:aws:iam::123837392027:user/bert-jan")
    settled(page)
    assert "/entity?of=" in page.evaluate("location.href")

    # Back: the same answers again; then the event that proves the link, as it was logged.
    page.go_back()
    expect(page.locator(".bt-badge")).to_have_count(5)
    settled(page)
    assert page.evaluate("location.href") == triage_address
    page.locator(".bt-chain").get_by_role("link", name=re.compile("by access key")).click()
    expect(page.locator("[data-testid=stCode]").first).to_contain_text(f'"eventID": "{ASSUMED}"')
    assert page.evaluate("location.href").endswith(f"/events?event={ASSUMED}")
    page.go_back()
    expect(page.locator(".bt-badge")).to_have_count(5)


def test_a_fold_is_filled_when_it_is_opened_and_closes_no_other(home: str, page: Page) -> None:
    page.goto(f"{home}/triage?event={EVENT}")
    settled(page)
    card = page.locator(".bt-card", has=page.locator("#answer-interesting-calls"))
    card.locator("summary", has_text="Query").focus()
    page.keyboard.press("Enter")
    expect(card.locator("pre").first).to_contain_text("from")
    rows = card.get_by_role("table", name="Events behind the answer").locator("tbody tr")
    expect(rows).to_have_count(0)
    card.locator("summary", has_text="Evidence: 29 events").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(29)
    expect(card.locator("pre").first).to_be_visible()
    # Nor does a fold of another card.
    other = page.locator(".st-key-card-of-services_used")
    other.locator("summary", has_text="Evidence").click()
    expect(other.get_by_role("table", name="Events behind the answer")).to_be_visible()
    expect(rows).to_have_count(29)


def test_an_address_opens_the_same_view_in_a_new_browser(home: str, page: Page) -> None:
    fresh = page.context.browser
    assert fresh is not None
    other = fresh.new_page(viewport={"width": 390, "height": 844})
    other.goto(f"{home}/triage?event={EVENT}")
    settled(other)
    expect(other.locator(".bt-badge")).to_have_count(5, timeout=PATIENCE_MS)
    # Nothing is wider than a telephone.
    assert (
        other.evaluate(
            "Math.max(...[...document.querySelectorAll('.bt-badge, .bt-node, .bt-fact')]"
            ".map(e => e.getBoundingClientRect().right))"
        )
        <= 390
    )
    other.close()


def test_a_search_is_its_address(home: str, page: Page) -> None:
    page.goto(f"{home}/events")
    settled(page)
    page.get_by_role("textbox", name="Call", exact=True).fill("GetPasswordData")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text(re.compile("^29 events"))).to_be_visible()
    assert "call=GetPasswordData" in page.evaluate("location.href")
    with page.expect_download() as begun:
        page.get_by_role("button", name="Export as CSV").click()
    lines = Path(begun.value.path()).read_text().splitlines()
    assert len(lines) == 30
    assert lines[0].startswith("event_id,event_time")


def test_one_unbroken_string_of_megabytes_holds_up_no_tab(home: str, page: Page) -> None:
    """It took minutes to draw two million signs, and then a click was still to come."""
    page.goto(f"{home}/triage")
    settled(page)
    # As a paste does it: the value as a whole, and then React is told.
    page.locator("[class*=paste-box] textarea").evaluate(
        """box => {
          const value = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
          value.set.call(box, "A".repeat(5000000));
          box.dispatchEvent(new Event("input", {bubbles: true}));
        }"""
    )
    # Seconds on a quiet machine.
    page.get_by_role("button", name="Answer the five questions").click(timeout=90_000)
    expect(page.get_by_text("This is no alert yet.")).to_be_visible(timeout=90_000)
    expect(page.get_by_text("Paste one alert")).to_be_visible()
