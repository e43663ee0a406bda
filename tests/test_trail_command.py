"""`python -m trail`, as a user meets it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.an_event import an_event
from trail.__main__ import main
from trail.index.build import Progress
from trail.index.progress import render_progress

ROOT = Path(__file__).parents[1]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKTRAIL_INDEX", str(tmp_path / "index"))
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.json").write_text(
        json.dumps(
            {
                "Records": [
                    an_event(eventID="1", eventTime="2026-03-01T00:00:00Z"),
                    an_event(eventID="1", eventTime="2026-03-01T00:00:00Z"),
                    an_event(eventTime="2026-03-04T00:00:00Z", recipientAccountId="999988887777"),
                    {"eventName": "\x1b[31mred", "eventTime": "\x1b[31mnever"},
                ]
            }
        )
    )
    (source / "README.md").write_text("about")
    return tmp_path / "index"


def test_add_then_status(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", str(index.parent / "in")]) == 0
    said = capsys.readouterr()
    assert "2 events added from 2 files" in said.out
    assert "1 duplicate, 1 rejected, 1 skipped" in said.out
    assert said.err == ""  # no progress bar where there is no terminal

    assert main(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.pop("bytes") > 0
    assert found.pop("segments") > 0
    assert found == {
        "events": 2, "duplicates": 1, "rejected": 1, "skipped_files": 1, "files": 1,
        "first": "2026-03-01T00:00:00Z", "last": "2026-03-04T00:00:00Z",
        "accounts": ["111122223333", "999988887777"], "regions": ["eu-west-1"],
        "read": 4, "kept": 2, "repeated": 1, "skipped": 0,
        "files_without_digest": 0, "segments_without_digest": 0,
    }  # fmt: skip

    assert main(["status"]) == 0
    text = capsys.readouterr().out
    assert "111122223333 eu-west-1       -...  1" in text
    assert "999988887777 eu-west-1       ...-  1" in text
    assert "Days without any event: 2026-03-02 to 2026-03-03" in text
    assert "\n4 records read = 2 kept + 1 repeated + 1 rejected + 0 skipped\n" in text
    assert f"{index.parent}/in/a.json, record 3: " in text
    assert "\x1b" not in text  # a log cannot move the reader's cursor


def test_status_names_what_was_skipped(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(23):
        (index.parent / "in" / f"note{number:02}.txt").write_text("about")
    (index.parent / "in" / "policy.json").write_text('{"Version": "2012-10-17"}')
    main(["add", str(index.parent / "in")])
    capsys.readouterr()
    main(["status"])
    text = capsys.readouterr().out
    folder = index.parent / "in"
    assert f"  no CloudTrail record (1):\n    {folder}/policy.json\n" in text
    assert f"  not a log file (24):\n    {folder}/README.md\n    {folder}/note00.txt\n" in text
    assert f"{folder}/note18.txt\n    … and 4 more\n" in text


def test_names_that_the_terminal_cannot_show_are_escaped(index: Path) -> None:
    (index.parent / "in" / "über.txt").write_text("about")
    main(["add", str(index.parent / "in")])
    done = subprocess.run(
        [sys.executable, "-m", "trail", "status"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"}, cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert b"/in/\\xfcber.txt\n" in done.stdout


def test_full_disk_and_closed_pipe_end_quietly(index: Path) -> None:
    main(["add", str(index.parent / "in")])
    if not Path("/dev/full").exists():
        pytest.skip("this system has no full disk to write to")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "trail", "status"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(b"The output cannot be written (No space left")
    assert done.stderr.count(b"\n") == 1
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "trail", "status"],
        cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify"], "agree with the catalog"),
        (["compact"], "segments are now"),
        (["drop", "--before", "2026-03-02"], "1 event of days before 2026-03-02 dropped"),
        (["migrate"], "has this version's schema already"),
        (["migrate", "--force"], "2 events added"),
    ],
)
def test_upkeep_commands(
    index: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["add", str(index.parent / "in")])
    assert main(arguments) == 0
    assert said in capsys.readouterr().out


def test_no_index_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--index", str(tmp_path / "none")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("There is no index at")
    assert said.count("\n") == 1


def test_wrong_date_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["drop", "--before", "yesterday"])
    assert "'yesterday' is not a date like 2026-03-31" in capsys.readouterr().err


def test_progress_line() -> None:
    line = render_progress(Progress(50, 200, 30_000_000, 120_000_000, 123_456, 10.0))
    assert line == "[#####...............]  25%  50/200 files  123,456 events  3.0 MB/s  0:30 left"


def test_progress_bar_on_a_terminal(index: Path) -> None:
    outer, inner = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "trail", "add", str(index.parent / "in")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=inner, check=True,
    )  # fmt: skip
    os.close(inner)
    drawn = os.read(outer, 65_536).decode()
    os.close(outer)
    assert "2/2 files" in drawn
    assert drawn.endswith("\r")
    assert b"2 events added" in done.stdout


def test_a_run_that_adds_nothing_says_why_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "table.csv").write_text("eventTime,eventName,eventSource\n2026-03-10T12:00:00Z,A,b\n")
    (logs / "e.log").write_text("h2 2026-03-10T12:00:00Z app/x 198.51.100.7:1 - 0 0 0 200\n")
    arguments = ["add", str(logs), "--index", str(tmp_path / "index")]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "0 events added from 2 files" in said
    assert "1 rejected: a table that does not say who called" in said
    assert "userIdentity.arn" in said
    assert "1 skipped: a load balancer log: no CloudTrail" in said
    assert "No events were added. Give CloudTrail's own files" in said
    assert main(arguments) == 0
    assert "every file was read before" in capsys.readouterr().out


def test_a_run_that_reads_what_is_known_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    events = [an_event() for _ in range(3)]
    for name in ("a.json", "b.json"):
        (logs / name).write_text(json.dumps({"Records": events}))
    arguments = ["add", str(logs), "--index", str(tmp_path / "index")]
    assert main(arguments) == 0
    assert "3 events added from 2 files" in capsys.readouterr().out
    os.utime(logs / "a.json", (1, 1))
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "0 events added from 1 file " in said
    assert "1 file unchanged, 3 duplicates, 0 rejected, 0 skipped." in said
    assert "No new events were added: the index had every one of these before." in said
    assert "Give CloudTrail's own" not in said
    assert main(["status", "--index", str(tmp_path / "index")]) == 0
    assert "6 records read = 3 kept + 3 repeated + 0 rejected + 0 skipped" in (
        capsys.readouterr().out
    )
    for name in ("a.json", "b.json"):
        (logs / name).write_text(json.dumps({"Records": events[1:]}))
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "0 events added from 2 files" in said
    assert "0 files unchanged, 4 duplicates" in said
    assert "1 event was taken out: the files that gave it have changed." in said


def test_what_is_skipped_beside_events_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "good.json").write_text(json.dumps({"Records": [an_event()]}))
    (tmp_path / "logs" / "w.log").write_text(
        '{"timestamp":1,"webaclId":"x","action":"ALLOW","httpRequest":{}}\n' * 3
    )
    assert main(["add", str(tmp_path / "logs"), "--index", str(tmp_path / "index")]) == 0
    said = capsys.readouterr().out
    assert "1 event added" in said
    assert "0 rejected" in said
    assert "3 skipped: a WAF log: no CloudTrail" in said
    assert "docs/shapes.md" in said
