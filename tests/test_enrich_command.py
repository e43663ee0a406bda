"""`python -m enrich`: the JSON of contract 4, and one clear sentence when something is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from an_event import ACCOUNT, an_event
from memory_store import MemoryStore

import enrich
from alerts import parse_alerts
from alerts.alert import Alert, Principal
from enrich import QUESTIONS, ask_all
from enrich.__main__ import main
from enrich.answer import Answer, Enrichment
from trail.errors import QueryFailed
from trail.index.build import add
from trail.store import Store

ROOT = Path(__file__).resolve().parents[1]
NAMES = ["assumed_by", "roles_assumed", "services_used", "interesting_calls", "baseline"]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    records = [
        an_event(eventTime="2026-03-10T12:00:00Z"),
        an_event(eventTime="2026-03-10T11:00:00Z", eventName="CreateTags"),
    ]
    (folder / "events.json").write_text(json.dumps({"Records": records}))
    index = tmp_path_factory.mktemp("index")
    add([folder], index)
    return index


@pytest.fixture
def alert_file(tmp_path: Path) -> Path:
    path = tmp_path / "alert.json"
    path.write_text(json.dumps(an_event(eventTime="2026-03-10T12:00:00Z")))
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_json_has_the_contracts_keys(
    capsys: pytest.CaptureFixture[str], index: Path, alert_file: Path
) -> None:
    status, out, _ = run(capsys, alert_file, "--index", index, "--json")
    assert status == 0
    (line,) = out.splitlines()
    document = json.loads(line)
    assert set(document) == {"alert", "results"}
    alert = document["alert"]
    for key in ("id", "source", "title", "severity", "first_seen", "last_seen", "account_id"):
        assert key in alert
    assert alert["severity"] is None
    assert alert["first_seen"] == alert["last_seen"] == "2026-03-10T12:00:00Z"
    assert (alert["event_source"], alert["event_name"]) == (
        "ec2.amazonaws.com",
        "DescribeInstances",
    )
    assert (alert["region"], alert["source_ip_address"]) == ("eu-west-1", "198.51.100.7")
    (result,) = document["results"]
    assert result["principal"] | {"type": "IAMUser", "user_name": "alice"} == result["principal"]
    for key in ("arn", "principal_id", "access_key_id", "role_arn", "session_name"):
        assert key in result["principal"]
    assert result["principal"]["session_created"] is None
    assert result["coverage"] == {
        "first": "2026-03-10T11:00:00Z",
        "last": "2026-03-10T12:00:00Z",
        "events": 2,
        "accounts": [ACCOUNT],
        "regions": ["eu-west-1"],
        "records": {"read": 2, "kept": 2, "repeated": 0, "rejected": 0, "skipped": 0},
    }
    assert [answer["name"] for answer in result["answers"]] == NAMES
    for answer in result["answers"]:
        for key in ("question", "status", "sentence", "caveats", "evidence", "data"):
            assert key in answer
        assert answer["elapsed_ms"] > 0
        assert answer["status"] != "failed", answer["sentence"]
    services = next(a for a in result["answers"] if a["name"] == "services_used")
    assert services["data"]["from"] == "2026-03-03T12:00:00Z"
    assert services["data"]["total"] == 2
    assert services["queries"][0]["parameters"]["window_last"] == "2026-03-10T12:00:00Z"


def test_several_alerts_are_one_line_each(
    capsys: pytest.CaptureFixture[str], index: Path, tmp_path: Path
) -> None:
    both = tmp_path / "both.json"
    both.write_text(json.dumps([an_event(eventName="One"), an_event(eventName="Two")]))
    _, out, _ = run(capsys, both, "--index", index, "--json")
    assert [json.loads(line)["alert"]["event_name"] for line in out.splitlines()] == ["One", "Two"]


def test_a_pipe_through_the_real_command(index: Path, alert_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "enrich", "-", "--index", str(index), "--json"],
        input=alert_file.read_bytes(),
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stderr == b""
    assert json.loads(done.stdout)["results"][0]["answers"][2]["data"]["total"] == 2


def test_an_identity_that_is_only_a_key_goes_by_it(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "alert.txt"
    path.write_text("Key ASIA2GDPCIYTPURG5NQJ was used on 2026-03-10T12:00:00Z")
    for form in ([], ["--markdown"]):
        _, out, _ = run(capsys, path, "--index", index, *form)
        assert "ASIA2GDPCIYTPURG5NQJ" in out
        assert "\n  Unknown\n" not in out
        assert "Unknown (" not in out


@pytest.mark.parametrize(
    ("argument", "redirection", "words"),
    [("-", "<&-", "Standard input is closed"), ("$ALERT", "> /dev/full", "cannot be written")],
)
def test_a_closed_input_and_a_full_disk_are_one_sentence(
    index: Path, alert_file: Path, argument: str, redirection: str, words: str
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no full disk to write to")
    done = subprocess.run(
        f'"$PYTHON" -m enrich "{argument}" --index "$INDEX" {redirection}',
        shell=True,  # a closed stream is the shell's to give
        env={"PYTHON": sys.executable, "INDEX": str(index), "ALERT": str(alert_file)},
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    error = done.stderr.decode()
    assert done.returncode == 2
    assert words in error
    assert error.count("\n") == 1


def test_names_that_the_terminal_cannot_show_are_escaped(index: Path, tmp_path: Path) -> None:
    path = tmp_path / "alert.json"
    path.write_text(json.dumps(an_event(userIdentity={"type": "IAMUser", "userName": "Zoë"})))
    done = subprocess.run(
        [sys.executable, "-m", "enrich", str(path), "--index", str(index)],
        env={"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert b"Zo\\xeb" in done.stdout


def test_an_alert_outside_the_index_is_answered_not_covered(
    capsys: pytest.CaptureFixture[str], index: Path, tmp_path: Path
) -> None:
    path = tmp_path / "alert.json"
    path.write_text(json.dumps(an_event(eventTime="2024-01-01T00:00:00Z")))
    status, out, _ = run(capsys, path, "--index", index, "--json")
    assert status == 0
    answers = {a["name"]: a for a in json.loads(out)["results"][0]["answers"]}
    for name in ("services_used", "interesting_calls", "baseline"):
        assert answers[name]["status"] == "not_covered"
    assert answers["services_used"]["data"]["services"] == []
    assert answers["interesting_calls"]["data"]["calls"] == []
    assert answers["baseline"]["data"]["same_api"]["pairs"] == []


def test_status_1_when_every_answer_failed(
    capsys: pytest.CaptureFixture[str],
    alert_file: Path,
    index: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(alert: Alert, principal: Principal, store: Store) -> Answer:
        raise QueryFailed("The index cannot be read.")

    broken = tuple(Enrichment(one.name, one.question, fail, one.empty_data) for one in QUESTIONS)
    monkeypatch.setattr(enrich, "QUESTIONS", broken[:4] + QUESTIONS[4:])
    assert run(capsys, alert_file, "--index", index, "--json")[0] == 0
    monkeypatch.setattr(enrich, "QUESTIONS", broken)
    status, out, err = run(capsys, alert_file, "--index", index, "--json")
    assert status == 1
    assert [a["status"] for a in json.loads(out)["results"][0]["answers"]] == ["failed"] * 5
    assert err == "All questions failed for 1 identity: the answers say why.\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{ not json", "not JSON"),
        ("", "nothing here"),
        ('{"hello": "world"}', "alert"),
    ],
)
def test_what_is_no_alert_is_one_sentence_and_status_2(
    capsys: pytest.CaptureFixture[str], index: Path, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "bad"
    path.write_text(text)
    status, out, err = run(capsys, path, "--index", index, "--json")
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_no_index_and_an_empty_index_say_what_to_do(
    capsys: pytest.CaptureFixture[str], alert_file: Path, tmp_path: Path
) -> None:
    status, _, err = run(capsys, alert_file, "--index", tmp_path / "none", "--json")
    assert status == 2
    assert "python -m trail add" in err
    empty = tmp_path / "logs"
    empty.mkdir()
    add([empty], tmp_path / "empty")
    status, _, err = run(capsys, alert_file, "--index", tmp_path / "empty", "--json")
    assert status == 2
    assert "python -m trail add" in err


def test_a_missing_alert_file_is_one_sentence(
    capsys: pytest.CaptureFixture[str], index: Path
) -> None:
    status, _, err = run(capsys, "/does/not/exist.json", "--index", index)
    assert status == 2
    assert "cannot be read" in err


def test_without_a_form_it_prints_five_lines_of_answers(
    capsys: pytest.CaptureFixture[str], index: Path, alert_file: Path
) -> None:
    _, out, _ = run(capsys, alert_file, "--index", index)
    for name in NAMES:
        assert f"{name} [" in out


def test_an_alert_that_names_nobody_says_so_five_times(
    capsys: pytest.CaptureFixture[str], index: Path, tmp_path: Path
) -> None:
    path = tmp_path / "alert.json"
    path.write_text(json.dumps(an_event(userIdentity={})))
    status, out, _ = run(capsys, path, "--index", index, "--json")
    assert status == 0
    (result,) = json.loads(out)["results"]
    assert {answer["status"] for answer in result["answers"]} == {"not_applicable"}


def test_one_failing_question_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(alert: Alert, principal: Principal, store: Store) -> Answer:
        raise KeyError("no such\x1b[31m thing")

    def refused(alert: Alert, principal: Principal, store: Store) -> Answer:
        raise QueryFailed("The query was stopped. Ask again.")

    def empty() -> dict[str, Any]:
        return {"kept": []}

    third = QUESTIONS[2]
    monkeypatch.setattr(
        enrich,
        "QUESTIONS",
        (
            Enrichment("first", "First?", breaks, empty),
            Enrichment("second", "Second?", refused, empty),
            third,
        ),
    )
    record = an_event()
    alert = parse_alerts(json.dumps(record))[0]
    answers = ask_all(alert, alert.principals[0], MemoryStore([record]))
    assert [answer.status for answer in answers] == ["failed", "failed", "partial"]
    assert answers[0].data == {"kept": []}
    assert "KeyError" in answers[0].sentence
    assert "\x1b" not in answers[0].sentence
    assert answers[1].sentence.endswith("The query was stopped. Ask again.")
    assert answers[2].name == "services_used"


def test_the_list_of_questions_is_in_the_order_of_the_page() -> None:
    assert [question.name for question in QUESTIONS] == NAMES
