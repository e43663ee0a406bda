"""What is asked for is what is locked, with hashes, and nothing names a package registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_asked_version_is_locked_with_hashes_and_has_a_reason(name: str) -> None:
    locked = (ROOT / f"{name}.txt").read_text()
    for line in (ROOT / f"{name}.in").read_text().splitlines():
        if not line.strip() or line.startswith(("#", "-r")):
            continue
        asked, _, reason = line.partition("#")
        package, version = asked.strip().split("==")
        package = re.sub(r"\[.*\]", "", package)
        assert re.search(
            rf"^{re.escape(package)}(\[.*\])?=={re.escape(version)}\b.*\\\n\s+--hash=sha256:",
            locked,
            re.MULTILINE | re.IGNORECASE,
        ), f"{package} {version} is not locked in {name}.txt: run ./backtrail lock"
        assert len(reason.strip()) > 10, f"{package} has no reason in {name}.in"


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_lock_names_no_registry(name: str) -> None:
    assert "://" not in (ROOT / f"{name}.txt").read_text()
