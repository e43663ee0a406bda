"""Index, cases and job files are their owner's alone, those that lie there already too."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cases.database import open_database
from cases.users import add_user
from tests.a_dashboard import ROOT, dashboard
from tests.an_event import an_event
from trail.index.build import add
from trail.private import close_all, close_to_others, private_file, private_folder
from ui.shell import private_data


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def _open_to_others(folder: Path) -> dict[str, str]:
    """Every file and folder in and at the folder that group or others have any bit of."""
    return {
        str(path.relative_to(folder.parent)): oct(_mode(path))
        for path in (folder, *folder.rglob("*"))
        if _mode(path) & 0o077
    }


@pytest.fixture
def loose_umask() -> object:
    """As on a machine where everybody may read what everybody makes."""
    before = os.umask(0o002)
    yield
    os.umask(before)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    file = tmp_path / "logs" / "one.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"Records": [an_event(), an_event()]}))
    return file.parent


def _run(*command: str, umask: int = 0o002, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        umask=umask,
    )
    assert done.returncode == 0, done.stderr


def test_an_index_is_its_owner_s(tmp_path: Path, logs: Path) -> None:
    index = tmp_path / "data" / "index"
    _run("trail", "add", str(logs), "--index", str(index))
    assert list(index.rglob("*.parquet"))
    assert _open_to_others(tmp_path / "data") == {}


def test_an_index_from_before_is_closed_by_the_next_build(tmp_path: Path, logs: Path) -> None:
    index = tmp_path / "index"
    add([logs], index)
    for path in (index, *index.rglob("*")):
        path.chmod(0o775 if path.is_dir() else 0o664)
    _run("trail", "add", str(logs), "--index", str(index))
    assert _open_to_others(index) == {}


@pytest.mark.usefixtures("loose_umask")
def test_the_folder_is_closed_whatever_the_umask(tmp_path: Path, logs: Path) -> None:
    add([logs], tmp_path / "index")
    assert _mode(tmp_path / "index") == 0o700
    assert _mode(tmp_path / "index" / "catalog.sqlite") == 0o600


@pytest.mark.usefixtures("loose_umask")
def test_a_folder_that_holds_other_things_is_left_as_it_is(tmp_path: Path, logs: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "readme.txt").write_text("not ours")
    shared.chmod(0o755)
    add([logs], shared)
    assert (_mode(shared), _mode(shared / "readme.txt")) == (0o755, 0o664)
    assert _mode(shared / "segments") == 0o700
    assert _mode(shared / "catalog.sqlite") == 0o600


def test_a_group_may_be_let_in(tmp_path: Path, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index"
    monkeypatch.setenv("BACKTRAIL_READABLE_BY", "group")
    _run("trail", "add", str(logs), "--index", str(index))
    assert _mode(index) == 0o750
    assert {_mode(path) for path in index.rglob("*") if path.is_file()} <= {0o640, 0o600}


@pytest.mark.usefixtures("loose_umask")
def test_cases_are_their_owner_s_with_what_sqlite_puts_beside(tmp_path: Path) -> None:
    file = tmp_path / "data" / "cases.db"
    database = open_database(str(file))
    add_user(database, "ann", "ann", "lead")
    assert (tmp_path / "data" / "cases.db-wal").is_file()
    assert _open_to_others(tmp_path / "data") == {}
    database.close()
    assert _open_to_others(tmp_path / "data") == {}


def test_cases_from_before_are_closed_when_they_are_opened(tmp_path: Path) -> None:
    file = tmp_path / "cases.db"
    open_database(str(file)).close()
    file.chmod(0o664)
    open_database(str(file)).close()
    assert _mode(file) == 0o600


def test_backups_and_reports_are_their_owner_s(tmp_path: Path) -> None:
    url = str(tmp_path / "cases.db")
    database = open_database(url)
    add_user(database, "ann", "ann", "lead")
    database.close()
    _run("cases", "backup", str(tmp_path / "kept" / "backup.gz"), BACKTRAIL_CASES_URL=url)
    assert _open_to_others(tmp_path / "kept") == {}


def test_the_dashboard_closes_what_it_finds(tmp_path: Path, logs: Path) -> None:
    add([logs], tmp_path / "index")
    open_database(str(tmp_path / "cases.db")).close()
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "1.log").write_text("{}")
    (tmp_path / "uploads" / "1").mkdir(parents=True)
    ours = [tmp_path / name for name in ("index", "jobs", "uploads", "cases.db")]
    for top in ours:
        for path in (top, *top.rglob("*")):
            path.chmod(0o775 if path.is_dir() else 0o664)
    with dashboard(tmp_path):
        assert [_open_to_others(top) for top in ours] == [{}] * 4


def test_what_others_can_still_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jobs").mkdir(mode=0o777)
    (tmp_path / "jobs").chmod(0o1777)  # as everybody's folders are; not ours to change
    monkeypatch.setenv("BACKTRAIL_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("BACKTRAIL_CASES_URL", str(tmp_path / "none.db"))
    assert private_data.close_what_is_there() == [tmp_path / "jobs"]


def test_devices_and_links_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    assert close_to_others(tmp_path / "link")
    assert close_to_others(Path("/dev/null"))
    assert _mode(Path("/dev/null")) == 0o666


def test_folders_and_files_as_they_are_made(tmp_path: Path) -> None:
    private_folder(tmp_path / "a" / "b")
    assert (_mode(tmp_path / "a"), _mode(tmp_path / "a" / "b")) == (0o700, 0o700)
    private_file(tmp_path / "a" / "file")
    assert _mode(tmp_path / "a" / "file") == 0o600
    assert close_all(tmp_path / "none") == []
