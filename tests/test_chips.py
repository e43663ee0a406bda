"""The words of an answer's chip, and which way they point."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from alerts import parse_alerts
from enrich import ask_all
from enrich.verdict.chips import _NEW, _SIGNS, Chip, chips
from enrich.verdict.weighing import Weighing, weigh
from enrich.verdict.weight import STRONGEST_FIRST
from tests.a_page import a_page, words
from tests.an_event import an_event
from tests.memory_store import MemoryStore
from tests.test_weighing import NOON, SECRET, a_denial, an_assumed, at, every_day, history
from trail.index.build import add

pytest_plugins = ("tests.case_pages",)
ROOT = Path(__file__).resolve().parents[1]


def chips_of(record: dict[str, Any], *records: dict[str, Any]) -> dict[str, Chip]:
    (alert,) = parse_alerts(json.dumps(record))
    principal = alert.principals[0]
    answers = ask_all(alert, principal, MemoryStore([record, *records]))
    return chips(answers, weigh(alert, principal, answers))


def test_a_harmless_day_is_calm_and_says_what_was_found() -> None:
    # In the Region in which the global endpoint of STS is logged: "nothing" is said of that.
    world = [one | {"awsRegion": "us-east-1"} for one in (at(NOON), *history(), *every_day())]
    found = chips_of(*world)
    assert found["baseline"] == Chip("usual call, 26×, nothing new", "against")
    assert found["services_used"] == Chip("1 service", "neither")
    assert found["roles_assumed"] == Chip("nothing found", "neither")
    assert {chip.way for chip in found.values()} == {"against", "neither"}


def test_refused_roles_are_an_alarm_with_their_number() -> None:
    denied = [a_denial(role, NOON - timedelta(minutes=n)) for n, role in enumerate("aab", 5)]
    made = [an_assumed("deploy", NOON - timedelta(minutes=1))]
    found = chips_of(at(NOON), *denied, *made, *every_day())
    assert found["roles_assumed"] == Chip("2 roles denied", "for")


def test_what_is_new_is_named_in_one_chip() -> None:
    stranger = at(NOON, sourceIPAddress="203.0.113.9", userAgent="Boto3/1.34 strange")
    found = chips_of(stranger, *history(), *every_day())
    assert found["baseline"].way == "for"
    assert re.fullmatch(r"new: [a-zA-Z, ]+", found["baseline"].words)
    assert {"IP", "network"} <= set(found["baseline"].words.removeprefix("new: ").split(", "))


def test_secrets_are_counted_and_many_signs_are_not_listed_whole() -> None:
    reads = [at(NOON - timedelta(minutes=n), **SECRET) for n in range(1, 5)]
    grave = [
        at(NOON - timedelta(minutes=10), eventSource="iam.amazonaws.com", eventName=name)
        for name in ("CreateAccessKey", "CreateLoginProfile")
    ]
    denied = [
        at(NOON - timedelta(minutes=20 + n), eventName=f"Create{n}", errorCode="AccessDenied")
        for n in range(12)
    ]
    chip = chips_of(at(NOON), *reads, *grave, *denied, *every_day())["interesting_calls"]
    assert chip == Chip("2 high-signal calls, secrets read 4 times, and 1 more", "for")


def test_no_logs_is_no_finding() -> None:
    alone = an_event(eventTime="2026-03-20T12:00:00Z")
    (alert,) = parse_alerts(json.dumps(alone))
    store = MemoryStore([])
    answers = ask_all(alert, alert.principals[0], store)
    found = chips(answers, Weighing())
    assert {answer.status for answer in answers} <= {"not_covered", "not_applicable"}
    assert {found[a.name].words for a in answers if a.status == "not_covered"} == {"no logs"}


def test_every_kind_of_line_has_its_words_and_its_place() -> None:
    """A line without them would break the page: kinds are named where lines are made."""
    made = {
        kind
        for file in (ROOT / "enrich" / "verdict").glob("of_*.py")
        for kind in re.findall(r'Weight\(\s*"([a-z_]+)"', file.read_text(encoding="utf-8"))
    }
    of_the_alert = {"root", "telling_client", "telling_system", "service_linked_role"}
    assert made - of_the_alert <= {*_SIGNS, *_NEW}
    against = {"usual_call", "nothing_new", "everyday_calls", "by_aws_services",
               "used_where_issued", "service_linked_role", "content_against"}  # fmt: skip
    assert made - against <= {*STRONGEST_FIRST}


def test_the_page_says_what_was_found_and_the_strongest_sign_first(
    own_folders: None, tmp_path: Path
) -> None:
    denied = [a_denial(role, NOON - timedelta(minutes=n)) for n, role in enumerate("aab", 5)]
    event = at(NOON)
    (tmp_path / "logs").mkdir()
    records = [event, *denied, *every_day()]
    (tmp_path / "logs" / "log.json").write_text(json.dumps({"Records": records}))
    add([tmp_path / "logs"], tmp_path / "index")
    said = words(a_page("triage", {"event": event["eventID"]})).splitlines()
    assert said.count("▲ 2 roles denied") == 2  # on the badge and on the card
    assert "● nothing found" not in said[: said.index("▲ 2 roles denied")]
    (line,) = [one for one in said if re.match(r"\d+ signs? for a true positive", one)]
    assert re.match(r"\d+ signs? for a true positive, 0 against\.", line)
    assert "Assuming a role was denied 3 times on 2 roles" in "".join(said[said.index(line) :][:2])
