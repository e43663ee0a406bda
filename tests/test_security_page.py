"""SECURITY.md keeps its word: each promise names a test that exists."""

from __future__ import annotations

import ast
import re

from tests.a_dashboard import ROOT

_PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| (?!Promise|-)(.+) \| (.+) \|$", re.MULTILINE)


def test_each_promise_names_a_test_that_exists() -> None:
    rows = _ROW.findall(_PAGE)
    assert len(rows) > 20
    for promise, named in rows:
        found = re.fullmatch(r"`(tests/\w+\.py)::(test_\w+)`", named)
        assert found, promise
        tree = ast.parse((ROOT / found[1]).read_text(encoding="utf-8"))
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert found[2] in tests, promise


def test_it_says_how_to_report_and_whom_local_mode_protects() -> None:
    for heading in ("## Reporting", "## Whom we expect", "## What is not promised"):
        assert heading in _PAGE
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "protects nobody from them" in " ".join(readme.split())
    assert "SECURITY.md" in readme
