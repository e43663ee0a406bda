"""The section numbers that comments cite are headings of docs/cloudtrail.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CITED = re.compile(r"§ ?(\d+(?:\.\d+)?)")
ROOMS = ("trail", "alerts", "enrich", "cases", "ui", "pages", "bench", "demo", "tests", "docs")


def headings() -> set[str]:
    text = (ROOT / "docs/cloudtrail.md").read_text(encoding="utf-8")
    return set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", text, re.MULTILINE))


def test_every_section_that_is_cited_is_there() -> None:
    known = headings()
    cited = {
        f"{path.relative_to(ROOT)}: §{number}"
        for room in ROOMS
        for suffix in ("*.py", "*.md")
        for path in (ROOT / room).rglob(suffix)
        for number in CITED.findall(path.read_text(encoding="utf-8"))
        if number not in known
    }
    assert cited == set()
    assert len(known) > 30, "the headings are read"


def test_the_eight_rules_are_there() -> None:
    text = (ROOT / "docs/cloudtrail.md").read_text(encoding="utf-8")
    rules = text.split("### 3.4 ")[1].split("\n## ")[0]
    assert re.findall(r"^(\d)\. ", rules, re.MULTILINE) == list("12345678")
