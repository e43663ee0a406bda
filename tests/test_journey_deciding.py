"""What decides, in a real browser: the strip, a long chain, narrowing calls, focus and contrast."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.a_dashboard import PATIENCE_MS, chromium, dashboard, settled
from tests.an_event import a_role_session, a_user, an_assumption, an_event
from trail.index.build import add

pytestmark = pytest.mark.browser

HOPS = 10
THIEF = "203.0.113.66"


def key(number: int) -> str:
    return f"ASIAHOPNUMBERQXQ{number:02}X1"


def a_chain() -> list[dict[str, Any]]:
    """Alice assumes r1, which assumes r2, and so on; the last session reads and makes things."""
    records = []
    caller: dict[str, Any] = a_user()
    for number in range(1, HOPS + 1):
        at = f"2026-03-10T10:{number:02}:00Z"
        mint = an_assumption(role=f"r{number}", session=f"s{number}", key=key(number))
        records.append({**mint, "eventTime": at, "userIdentity": caller})
        caller = a_role_session(f"r{number}", f"s{number}", key=key(number), created=at)
    calls = [
        an_event(eventName=name, eventSource=source, userIdentity=caller, readOnly=False,
                 sourceIPAddress=THIEF, eventTime=f"2026-03-10T10:{20 + minute}:00Z", **more)
        for minute, (name, source, more) in enumerate([
            ("GetCallerIdentity", "sts.amazonaws.com", {}),
            ("CreateAccessKey", "iam.amazonaws.com", {"requestParameters": {"userName": "eve"}}),
            ("StopLogging", "cloudtrail.amazonaws.com", {"errorCode": "AccessDenied"}),
            *((f"CreateThing{letter}", "ec2.amazonaws.com", {}) for letter in "ABCDEFGHIJKLMNO"),
        ])
    ]  # fmt: skip
    return [*records, *calls]


RECORDS = a_chain()
ALERT = RECORDS[-1]  # calls after the alert are none of its week's


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("deciding")
    (folder / "logs").mkdir()
    (folder / "logs" / "log.json").write_text(json.dumps({"Records": RECORDS}))
    add([folder / "logs"], Path(folder) / "index")
    with dashboard(folder) as address:
        yield address


@pytest.fixture(scope="module")
def page(home: str) -> Iterator[Page]:
    with chromium() as browser:
        one = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="dark")
        one.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield one


def test_pasting_moves_the_focus_to_the_title_and_names_the_tab(home: str, page: Page) -> None:
    page.goto(home)
    settled(page)
    expect(page).to_have_title("Triage · Backtrail")
    page.get_by_role("textbox", name="Alert").fill(json.dumps(ALERT))
    page.get_by_role("button", name="Answer the five questions").click()
    heading = page.locator("h1")
    expect(heading).to_have_count(1)
    expect(page.locator(".bt-badge")).to_have_count(5)
    expect(heading).to_be_focused()
    named = heading.inner_text()
    assert named != "Paste an alert"
    expect(page).to_have_title(f"{named} · Backtrail")


def test_ten_hops_show_both_ends_and_the_middle_opens(page: Page) -> None:
    chain = page.locator(".bt-chain").first
    expect(chain).to_be_visible()
    box = chain.bounding_box()
    assert box is not None
    assert chain.evaluate("one => one.scrollWidth <= one.clientWidth + 1")
    for ends in (".bt-node-origin", ".bt-node-alert"):
        end = chain.locator(ends).bounding_box()
        assert end is not None
        assert box["x"] <= end["x"]
        assert end["x"] + end["width"] <= box["x"] + box["width"] + 1
    fold = chain.get_by_text(f"{HOPS - 2} more hops")
    expect(chain.get_by_text("r5", exact=True)).not_to_be_visible()
    fold.press("Enter")
    expect(chain.get_by_text("r5", exact=True)).to_be_visible()


def test_the_strip_lists_what_the_address_did(page: Page) -> None:
    strip = page.get_by_role("table", name="What the suspect did")
    expect(strip.get_by_text("asked who it is")).to_be_visible()
    expect(strip.get_by_text("called CreateAccessKey on user eve")).to_be_visible()
    expect(strip.get_by_text("tried to call StopLogging")).to_be_visible()


def test_calls_are_narrowed_and_all_shown_by_keyboard(page: Page) -> None:
    rows = page.get_by_role("table", name="Interesting calls").locator("tbody tr:visible")
    every = page.get_by_role("button", name="Show all")
    every.scroll_into_view_if_needed()
    before = rows.count()
    every.press("Enter")
    expect(every).to_have_attribute("aria-pressed", "true")
    after = rows.count()
    assert after > before
    assert f"{after}" in every.inner_text()
    failed = page.get_by_role("button", name="Failed 1")
    failed.press("Enter")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("StopLogging")
    failed.press("Enter")
    expect(rows).to_have_count(after)


def test_words_on_primary_buttons_can_be_read_in_the_dark(page: Page) -> None:
    ratio = page.get_by_role("button", name="Open a case").evaluate(
        """button => {
          const channels = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
          const light = (text) => channels(text)
            .map((one) => one / 255)
            .map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
            .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
          const words = button.querySelector("p") ?? button;
          const both = [light(getComputedStyle(words).color),
                        light(getComputedStyle(button).backgroundColor)].sort((a, b) => b - a);
          return (both[0] + 0.05) / (both[1] + 0.05);
        }"""
    )
    assert ratio >= 4.5
