"""`python -m tests.screenshots`: makes the pictures in docs/images from a fresh demo."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from demo.generate import generate
from tests.a_dashboard import chromium, dashboard, settled
from trail.index.build import add

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
MOST_BYTES = 400_000


@dataclass(frozen=True)
class Shot:
    name: str
    address: str
    width: int
    height: int
    scheme: str = "light"
    press: str | None = None
    """A button to press before the picture is taken."""
    of: str | None = None
    """The part of the page that is taken; all that is seen of it without."""


SHOTS = (
    Shot("triage", "triage?alert=switched-role", 1440, 900),
    Shot("triage-dark", "triage?alert=leaked-key-secrets", 1920, 1080, "dark"),
    Shot("triage-phone", "triage?alert=leaked-key-secrets", 390, 844),
    Shot("worked-out", "triage?alert=switched-role", 1440, 900, of=".bt-card:has(> .bt-flow)"),
    Shot("entity", "entity?of=203.0.113.77", 1440, 900),
    Shot("index", "index", 1440, 900),
    Shot("inbox", "inbox", 1440, 900, press="Take in the demo's alerts"),
    Shot("case", "triage?alert=leaked-key-secrets", 1440, 900, press="Open a case"),
)


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder / "demo")
        add([folder / "demo" / "logs"], folder / "index")
        with dashboard(folder, BACKTRAIL_USER="ann") as home, chromium() as browser:
            for shot in SHOTS:
                page = browser.new_page(
                    viewport={"width": shot.width, "height": shot.height},
                    color_scheme="dark" if shot.scheme == "dark" else "light",
                )
                page.goto(f"{home}/{shot.address}")
                if shot.press:
                    settled(page)
                    page.get_by_role("button", name=shot.press).click()
                    page.wait_for_timeout(6000)  # answers come in, pages change
                    ahead = page.get_by_text("Answering ahead")
                    ahead.wait_for(state="hidden", timeout=120_000)
                take(page, IMAGES / f"{shot.name}.png", shot.of)
                page.close()


def take(page: Page, target: Path, of: str | None = None) -> None:
    settled(page)
    page.wait_for_timeout(2500)  # charts fade in
    if of is None:
        page.screenshot(path=target)
    else:
        # What stays in sight of a page is no part of this.
        page.add_style_tag(content=".st-key-to-case { visibility: hidden; }")
        page.locator(of).screenshot(path=target)
    size = target.stat().st_size
    assert size < MOST_BYTES, f"{target.name} has {size:,} bytes"


if __name__ == "__main__":
    main()
