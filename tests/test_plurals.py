"""One is one: every count of things is said by `trail.counted`, never by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trail.counted import counted, times

ROOT = Path(__file__).resolve().parents[1]
NOUNS = (
    "accounts|addresses|alerts|bytes|calls|cases|days|duplicates|entries|events|files|hours"
    "|hits|identities|keys|lines|minutes|notes|principals|problems|records|regions|reports"
    "|roles|rows|seconds|segments|sessions|times|users|values|weeks"
)
BY_HAND = re.compile(rf"(?<!\{{)\{{([^{{}}]+)\}} (?:[a-z-]+ ){{0,2}}(?:{NOUNS})\b")
ALWAYS_MANY = re.compile(
    # Constants, and lists that the line before found to be of several.
    r"[A-Z_]+(?::[,\d]*)?|self\.limit.*|timeout:g|SECONDS:g|PATIENCE_S:.*"
    r"|len\(draft\.principals\)|len\(found\.alerts\)|len\(found\.alert\.principals\)|len\(found\):,"
    r"|len\(text\):,|len\(first\.candidates\)|len\(first\.callers\)|len\(callers\)"
    r"|len\(hop\.callers\)|len\(mints\)|hours:\.1f|days|alert\.count:,|size:,|len\(content\):,"
    r"|GAP // timedelta\(hours=1\)|whose|self\.bytes:,|sizes\[0\]:,|time_zone|.*counted\(.*"
    r"|index|value\.strip\(\)!r"
)
IN_SQL = re.compile(r"\b(?:select|from|join|interval|as calls|as events)\b")


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (2900, "2,900 days")]
)
def test_a_count_and_its_noun_agree(number: int, said: str) -> None:
    assert counted(number, "day") == said
    assert times(number) == {1: "once"}.get(number, said.replace("day", "time"))
    assert counted(number, "entry", "entries").endswith("entry" if number == 1 else "entries")


def test_no_plural_is_built_by_hand() -> None:
    found = []
    for folder in ("trail", "alerts", "enrich", "cases", "ui", "pages"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
                if 'f"' not in line or IN_SQL.search(line):
                    continue
                found += [
                    f"{file.relative_to(ROOT)}:{number}: {match[0]}"
                    for match in BY_HAND.finditer(line)
                    if not ALWAYS_MANY.fullmatch(match[1])
                ]
                if "(s)" in line and "label(s)" not in line:
                    found.append(f"{file.relative_to(ROOT)}:{number}: (s)")
    assert found == []
