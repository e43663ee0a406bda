"""Tables as pandas frames: what a grid and a spreadsheet are given of hostile text and numbers."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from tests.a_dashboard import chromium, dashboard, settled
from tests.an_event import an_event
from trail.index.build import add
from ui.parts import frames


def test_numbers_and_times_stay_what_they_are() -> None:
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    frame = frames.frame_of(
        {"n": [3, None], "part": [0.5, 1], "at": [noon, None], "day": [date(2026, 3, 1)] * 2,
         "text": ["a", None]}
    )  # fmt: skip
    assert [str(kind) for kind in frame.dtypes] == [
        "Int64", "Float64", "datetime64[us, UTC]", "object", "object"
    ]  # fmt: skip
    assert list(csv.reader(io.StringIO(frames.as_csv(frame)))) == [
        ["n", "part", "at", "day", "text"],
        ["3", "0.5", "2026-03-10T12:00:00Z", "2026-03-01", "a"],
        ["", "1.0", "", "2026-03-01", ""],
    ]


@given(st.lists(st.text(max_size=30) | st.just("half \ud83d pair\u202e"), max_size=5))
def test_any_text_can_be_drawn_and_nothing_in_it_hides(texts: list[str]) -> None:
    import pyarrow

    frame = frames.frame_of({"text": texts})
    pyarrow.Table.from_pandas(frame)  # what Streamlit makes of it
    assert not [one for one in frame["text"] if "\u202e" in one or "\ud83d" in one]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_no_cell_of_an_export_is_a_formula(texts: list[str]) -> None:
    frame = frames.frame_of({"text": texts})
    for cell in frame["text"].map(frames.cell):
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert frames.as_csv({"text": ["=1+1", -5, -0.5]}).split("\r\n") == [
        "text", "'=1+1", "-5", "-0.5", ""
    ]  # fmt: skip


@pytest.mark.browser
def test_a_hostile_cell_is_text_in_the_grid_and_its_export_is_ours(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    name = "=1+1 [x](http:203.0.113.9) ![y](z).json"
    (logs / name).write_text(json.dumps({"Records": [an_event(), {"eventName": "NoTime"}]}))
    add([logs], tmp_path / "index")
    asked: list[str] = []
    with dashboard(tmp_path, BACKTRAIL_USER="ann") as home, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900}, accept_downloads=True)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{home}/index")
        settled(page)
        grid = page.locator("[data-testid=stDataFrame]").last  # the first is folded away
        grid.scroll_into_view_if_needed()
        expect(grid.locator("canvas").first).to_be_visible()
        # The grid's own twin for screen readers has the cell as text.
        cells = grid.locator("[role=gridcell]")
        expect(cells.filter(has_text="=1+1 [x](http:203.0.113.9) ![y](z).json")).not_to_have_count(
            0, timeout=30_000
        )
        assert grid.locator("a, img").count() == 0
        grid.hover()
        page.wait_for_timeout(300)
        toolbar = page.locator("[data-testid=stElementToolbar]")
        assert "Download as CSV" not in " ".join(
            one.get_attribute("aria-label") or "" for one in toolbar.locator("button").all()
        )
        grid.click(position={"x": 200, "y": 50})
        page.wait_for_timeout(300)
        assert page.url.startswith(home)
        with page.expect_download() as download:
            page.locator(".st-key-index-rejects-csv button").click()
        text = Path(download.value.path()).read_text(encoding="utf-8")
    ((_, where, why),) = list(csv.reader(io.StringIO(text)))[1:]
    assert "2" in where or where
    assert why
    assert not [url for url in asked if "203.0.113.9" in url]
