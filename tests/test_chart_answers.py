"""Charts answer: a bar leads to its events, a brushed stretch is listed; whatever a log says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Locator, Page, expect

from tests.a_dashboard import PATIENCE_MS, chromium, dashboard, settled
from tests.an_event import a_role_session, an_event
from trail.index.build import add
from ui.kit.chart_clicks import chosen_stretch, clicked_bar

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = (NOON - timedelta(days=1), NOON)
HOSTILE = "![x](http://203.0.113.9/x.png) <b>:red[SAFE]</b>.amazonaws.com"


# What a browser says of a click ---------------------------------------------------------------


def bar(*picked: Any) -> dict[str, Any]:
    return {"selection": {"bar": list(picked)}}


def brush(*ends: Any) -> dict[str, Any]:
    return {"selection": {"brush": {"at": list(ends)}}}


@pytest.mark.parametrize(
    ("state", "number"),
    [
        (bar({"n": 0}), 0),
        (bar({"n": 4}), 4),
        (bar({"n": 5}), None),
        (bar({"n": -1}), None),
        (bar({"n": True}), None),
        (bar({"n": "1"}), None),
        (bar({"n": 1.0}), None),
        (bar({"n": 1}, {"n": 2}), None),
        (bar("n"), None),
        (bar(), None),
        ({"selection": {"bar": {}}}, None),
        ({"selection": {"bar": "triage"}}, None),
        ({"selection": []}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_click_counts_as_the_number_of_a_bar_that_was_drawn(
    state: Any, number: int | None
) -> None:
    assert clicked_bar(state, 5) == number


MINUTE = timedelta(minutes=1)


def ms(moment: datetime) -> float:
    return moment.timestamp() * 1000


@pytest.mark.parametrize(
    ("state", "stretch"),
    [
        (brush(ms(NOON - 9 * MINUTE), ms(NOON - MINUTE)), (NOON - 9 * MINUTE, NOON - MINUTE)),
        (brush(ms(NOON - MINUTE), ms(NOON - 9 * MINUTE)), (NOON - 9 * MINUTE, NOON - MINUTE)),
        (brush("2026-03-10T11:00:00Z", "2026-03-10T11:30:00Z"), (NOON - 60 * MINUTE,
                                                                 NOON - 30 * MINUTE)),
        (brush(0, 4e12), DAY),
        (brush(ms(NOON + MINUTE), ms(NOON + 2 * MINUTE)), None),
        (brush(0, 1), None),
        (brush(5), None),
        (brush(1, 2, 3), None),
        (brush(float("nan"), 1e300), None),
        (brush(True, False), None),
        (brush("x" * 100_000, "y"), None),
        (brush([], {}), None),
        ({"selection": {"brush": {"at": "ab"}}}, None),
        ({"selection": {"brush": {"a": [1, 2], "b": [1, 2]}}}, None),
        ({"selection": {"brush": []}}, None),
        (None, None),
    ],
)  # fmt: skip
def test_a_brushed_stretch_counts_as_far_as_it_lies_in_what_was_drawn(
    state: Any, stretch: tuple[datetime, datetime] | None
) -> None:
    assert chosen_stretch(state, DAY) == stretch


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["selection", "bar", "brush", "n", "at"]), inner, max_size=3
        )
    ),
)


@given(anything)
def test_nothing_that_a_browser_says_leads_elsewhere(state: Any) -> None:
    number = clicked_bar(state, 3)
    assert number is None or number in range(3)
    stretch = chosen_stretch(state, DAY)
    assert stretch is None or DAY[0] <= stretch[0] < stretch[1] <= DAY[1]


# In a browser ---------------------------------------------------------------------------------


def called(source: str, at: str, **changes: Any) -> dict[str, Any]:
    session = a_role_session("reader", "work", key="ASIACHARTS7Q2J000001")
    return an_event(userIdentity=session, eventSource=source, eventTime=at, **changes)


def some_days() -> list[dict[str, Any]]:
    """S3 calls of two weeks, a gap of three days without any logs, and the alert's day."""
    days = [f"2026-03-{day:02}" for day in range(1, 11) if day not in (4, 5, 6)]
    usual = [
        called("s3.amazonaws.com", f"{day}T09:{minute:02}:00Z", eventName="GetObject")
        for day in days
        for minute in range(4)
    ]
    odd = {"sourceIPAddress": "203.0.113.66", "userAgent": HOSTILE}
    failures = [
        called("iam.amazonaws.com", f"2026-03-10T12:{minute:02}:00Z", errorCode="AccessDenied",
               eventName="ListRoles", **odd)
        for minute in range(3)
    ]  # fmt: skip
    other = an_event(
        userIdentity=a_role_session("reader", "else", key="ASIACHARTS7Q2J000002"),
        eventSource="iam.amazonaws.com",
        eventTime="2026-03-10T12:01:30Z",
        errorCode="AccessDenied",
        sourceIPAddress="198.51.100.99",
    )
    return [*usual, *failures, other, called(HOSTILE, "2026-03-10T12:05:00Z", **odd)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The dashboard over those days, and the alert's event."""
    folder = tmp_path_factory.mktemp("charts")
    events = some_days()
    (folder / "log.json").write_text(json.dumps({"Records": events}))
    add([folder / "log.json"], folder / "index")
    with dashboard(folder, BACKTRAIL_USER="ann") as address:
        yield address, events[-1]["eventID"]


@pytest.fixture(scope="module")
def page(home: tuple[str, str]) -> Iterator[Page]:
    with chromium() as browser:
        one = browser.new_page(viewport={"width": 1440, "height": 900})
        one.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield one


def opened(home: tuple[str, str], page: Page) -> None:
    page.goto(f"{home[0]}/triage?event={home[1]}")
    settled(page)


def chart(page: Page, key: str) -> Locator:
    found = page.locator(f".st-key-{key} [data-testid=stVegaLiteChart]")
    found.locator("svg").wait_for()
    found.scroll_into_view_if_needed()
    settled(page)
    return found


def bars(page: Page, key: str, colour: str) -> Locator:
    """The marks of a colour in a chart."""
    return chart(page, key).locator(f'.mark-rect path[fill="{colour}"]')


@pytest.mark.browser
def test_a_failure_bar_leads_to_its_events_and_back(home: tuple[str, str], page: Page) -> None:
    opened(home, page)
    bars(page, "service-bars", "#e2603f").first.click()
    expect(page.locator(".bt-alert-title")).to_have_text("Search events")
    settled(page)
    address = page.evaluate("location.href")
    assert "service=iam.amazonaws.com" in address
    assert "result=failed" in address
    # Three calls of the alert's session or address; not the other session's.
    expect(
        page.locator(".bt-root").get_by_text("3 events, 3 failed, newest first.")
    ).to_be_visible()
    page.go_back()
    expect(page.locator(".bt-badge")).to_have_count(5)
    settled(page)
    assert f"/triage?event={home[1]}" in page.evaluate("location.href")
    # Back is back: the page stays, and the same bar answers again.
    bars(page, "service-bars", "#e2603f").first.click()
    expect(page.locator(".bt-alert-title")).to_have_text("Search events")


@pytest.mark.browser
def test_a_bar_of_the_baseline_leads_to_what_it_counts(home: tuple[str, str], page: Page) -> None:
    opened(home, page)
    bars(page, "baseline-bars-ip", "#84918f").first.click()
    expect(page.locator(".bt-alert-title")).to_have_text("Search events")
    settled(page)
    assert "ip=198.51.100.7" in page.evaluate("location.href")
    # The usual calls of the days before the last twelve hours: 6 days of 4.
    expect(page.locator(".bt-root").get_by_text("24 events, newest first.")).to_be_visible()


@pytest.mark.browser
def test_a_brushed_stretch_is_listed_and_the_evidence_follows(
    home: tuple[str, str], page: Page
) -> None:
    opened(home, page)
    card = page.locator(".st-key-card-of-services_used")
    card.locator("summary", has_text="Evidence").click()
    evidence = card.get_by_role("table", name="Events behind the answer").locator("tbody tr")
    expect(evidence.first).to_be_visible()
    whole = evidence.count()
    drawn = chart(page, "timeline").locator("svg").bounding_box()
    assert drawn is not None
    # From the middle of the chart (some day without logs or before) to before the alert's day.
    y = drawn["y"] + drawn["height"] * 0.4
    page.mouse.move(drawn["x"] + drawn["width"] * 0.45, y)
    page.mouse.down()
    page.mouse.move(drawn["x"] + drawn["width"] * 0.6, y, steps=5)
    page.mouse.move(drawn["x"] + drawn["width"] * 0.8, y, steps=5)
    page.mouse.up()
    listed = page.get_by_role("table", name="Events of the chosen stretch")
    expect(listed).to_be_visible()
    settled(page)
    said = page.locator(".bt-root", has=listed).inner_text()
    found = re.search(r"(\d+) events", said)
    assert found is not None
    assert listed.locator("tbody tr").count() == int(found[1])
    assert "ListRoles" not in listed.inner_text()  # those of the alert's hour are outside
    expect(card.get_by_text(re.compile(r"\d+ of \d+ events in \d+ Mar"))).to_be_visible()
    assert evidence.count() < whole
    page.locator(".bt-root", has=listed).get_by_role("link", name="Search them").click()
    expect(page.locator(".bt-alert-title")).to_have_text("Search events")
    expect(
        page.locator(".bt-root").get_by_text(f"{found[1]} events, newest first.")
    ).to_be_visible()


@pytest.mark.browser
def test_days_without_logs_are_hatched_and_say_so(home: tuple[str, str], page: Page) -> None:
    opened(home, page)
    timeline = chart(page, "timeline")
    assert timeline.locator(".mark-rule line").count() > 10
    assert "no logs" in page.locator(".bt-key-gap").inner_text()
    # What a screen reader is told of it, on the drawing and not only on the buttons beside it.
    described = page.locator(".st-key-timeline :not(button)[aria-label^='Events per hour']")
    # 24 to 28 February, 4 to 6 and 11 March.
    assert "9 days without logs are hatched" in (described.first.get_attribute("aria-label") or "")
    page.goto(f"{home[0]}/index")
    settled(page)
    coverage = page.locator("[data-testid=stVegaLiteChart]").first
    coverage.locator("svg").wait_for()
    assert coverage.locator(".mark-rule line").count() > 3
    assert "2026" in coverage.inner_text()


@pytest.mark.browser
def test_what_a_log_says_stands_in_a_chart_as_text(home: tuple[str, str], page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(home, page)
    for key in ("service-bars", "baseline-bars-client"):
        drawn = chart(page, key)
        drawn.hover()
        assert "![x](http" in drawn.inner_text()  # cut to its column, and for a client to less
        assert drawn.locator("a, img, image, b").count() == 0
    assert not [url for url in asked if "203.0.113.9/x" in url]
    # Its bar leads to its events like any other.
    bars(page, "service-bars", "#2a9d8f").last.click()
    expect(page.locator(".bt-alert-title")).to_have_text("Search events")
    settled(page)
    expect(page.get_by_role("textbox", name="Service")).to_have_value(HOSTILE)
    expect(page.locator(".bt-root").get_by_text("1 event, newest first.")).to_be_visible()
