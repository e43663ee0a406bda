"""The layout's promises: imports run one way, and only the top of the flow knows streamlit."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOW = ["trail", "alerts", "enrich", "cases", "ui", "pages"]
SOURCES = [
    file for package in [*FLOW, "demo", "bench"] for file in sorted((ROOT / package).rglob("*.py"))
]


def imported_packages(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("package", FLOW)
def test_imports_run_one_way(package: str) -> None:
    above = set(FLOW[FLOW.index(package) + 1 :]) | {"app", "bench", "tests"}
    for file in (ROOT / package).rglob("*.py"):
        wrong = imported_packages(file) & above
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}, which stands above it"


# Within a package too: a room knows the rooms that stand before it, and no other. What lies in the
# package's own folder knows them all, and is known to them where it imports none of them.
ROOMS = {
    "trail": ["read", "index", "store"],
    "alerts": ["times", "kinds", "content", "detections"],
    "enrich": [
        "data",
        "facts",
        "calls",
        "chain",
        "ledger",
        "unseen",
        "questions",
        "after",
        "verdict",
        "forms",
    ],
    "cases": ["migrations", "redaction", "report"],
    "ui": ["kit", "shell", "parts"],
}
PAGE_ROOMS = ["triage", "inbox", "cases", "explore", "rules"]
"""One page's drawing knows kit, shell and parts, and never another page's."""


def imported_modules(file: Path) -> set[str]:
    """Full names of the modules of ours that `file` imports, or imports names from."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize(
    ("package", "room"), [(package, room) for package, rooms in ROOMS.items() for room in rooms]
)
def test_rooms_know_only_those_before_them(package: str, room: str) -> None:
    before = ROOMS[package][: ROOMS[package].index(room) + 1]
    _knows_only(package, room, before)


@pytest.mark.parametrize("room", PAGE_ROOMS)
def test_no_page_s_room_knows_another_page_s(room: str) -> None:
    _knows_only("ui", room, [*ROOMS["ui"], room])


def test_every_folder_is_a_room() -> None:
    for package in [*ROOMS]:
        rooms = {folder.parent.name for folder in (ROOT / package).glob("*/__init__.py")}
        known = {*ROOMS[package], *(PAGE_ROOMS if package == "ui" else [])}
        assert rooms == known, package


def _knows_only(package: str, room: str, rooms: list[str]) -> None:
    folders = {folder.parent.name for folder in (ROOT / package).glob("*/__init__.py")}
    for file in (ROOT / package / room).rglob("*.py"):
        for name in imported_modules(file):
            at, _, rest = name.partition(".")
            stem = rest.partition(".")[0]
            wrong = at == package and stem in folders and stem not in rooms
            assert not wrong, f"{file.relative_to(ROOT)} imports {name}: another room"


def test_streamlit_is_known_only_to_the_dashboard() -> None:
    for file in SOURCES:
        if file.relative_to(ROOT).parts[0] not in ("ui", "pages"):
            assert "streamlit" not in imported_packages(file), file


def test_the_demo_knows_nothing_of_what_it_tests() -> None:
    """Its truth file would prove nothing if our own rules had written it. Errors are words."""
    for file in (ROOT / "demo").rglob("*.py"):
        text = file.read_text(encoding="utf-8").replace("from trail.errors import", "")
        assert not re.search(r"^\s*(from|import) (trail|alerts|enrich|cases|ui)\b", text, re.M), (
            file
        )


def test_made_up_worlds_know_nothing_of_what_they_test() -> None:
    """Who tells the truth must not have read it from our answers; one module there asks us."""
    for file in (ROOT / "bench" / "truth").glob("*.py"):
        ours = imported_packages(file) & {*FLOW, "demo", "tests"}
        assert file.name == "running.py" or not ours, f"{file.name} imports {ours}"
        others = re.findall(r"^\s*from bench\.truth\.(\w+)", file.read_text("utf-8"), re.M)
        assert "running" not in others, f"{file.name} knows who asks"


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "common", "manager", "service", "misc", "base"}
    assert not [file for file in SOURCES if file.stem in empty_words]


# One question, one rule: whatever it does, it is named and the others go on.
SWALLOWING = {"enrich/__init__.py", "alerts/detections/rule_files.py"}


def test_only_what_is_named_here_swallows_every_exception() -> None:
    catching = {
        str(file.relative_to(ROOT))
        for file in SOURCES
        if file.relative_to(ROOT).parts[0] != "bench"  # it restarts a killed build and reports
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
        )
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
    }
    assert catching <= SWALLOWING, "a broad except hides what went wrong"


def test_nothing_committed_names_a_machine_s_path_or_a_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    # Any path below the folders that are ours alone, and the registries' hosts.
    forbidden = re.compile(r"/(?:work|root)/[\w.]|(?:pypi|npmjs)[.]org")
    for name in filter(None, listed.stdout.split("\0")):
        file = ROOT / name
        if file.suffix in {".png", ".ico", ".woff2"} or not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        assert forbidden.search(text) is None, name
