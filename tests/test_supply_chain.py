"""The bill of materials names what the lock names; an audit that cannot ask says so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.a_dashboard import ROOT


def test_the_bill_of_materials_names_every_locked_package(tmp_path: Path) -> None:
    out = tmp_path / "build" / "sbom.json"
    subprocess.run([sys.executable, ".ci/sbom.py", str(out)], cwd=ROOT, check=True)
    bill = json.loads(out.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    locked = re.findall(
        r"^([\w.\[\]-]+)==([\w.+!-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    assert len(locked) > 40
    listed = {(one["name"], one["version"]) for one in bill["components"]}
    assert listed == {(name.partition("[")[0], version) for name, version in locked}
    assert all(one["externalReferences"][0]["hashes"] for one in bill["components"])


def test_an_audit_without_its_service_says_so(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    proxies = {name: nowhere for name in (*names, *map(str.lower, names))}
    asked = subprocess.run(
        [sys.executable, ".ci/audit.py"],
        cwd=ROOT,
        env={**os.environ, **proxies, "NO_PROXY": "", "no_proxy": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert asked.returncode == 3
    assert "cannot be reached from here" in asked.stderr
    assert asked.stdout == ""


def test_the_licence_is_the_standard_one() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
