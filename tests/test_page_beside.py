"""The triage and entity pages: after the alert, made and undone, what the logs cannot show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.a_page import a_page, links, table, texts_of, words
from tests.an_event import a_user, an_assumption, an_event
from trail.index.build import add

pytest_plugins = ("tests.case_pages",)
pytestmark = pytest.mark.usefixtures("own_folders")
KEY_MADE = "8c282c0b-00d1-4369-95b7-cb50b6eee620"


@pytest.fixture
def stratus(own_folders: None, stratus_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKTRAIL_INDEX", str(stratus_store.index_dir))


def indexed(tmp_path: Path, *records: dict[str, Any]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "log.json").write_text(json.dumps({"Records": list(records)}))
    add([logs], tmp_path / "index")


def iam(time: str, name: str, **changes: Any) -> dict[str, Any]:
    return an_event(
        eventTime=f"2026-03-10T{time}Z", eventSource="iam.amazonaws.com", eventName=name,
        awsRegion="us-east-1", readOnly=False, **changes,
    )  # fmt: skip


@pytest.mark.usefixtures("stratus")
def test_what_was_made_stands_with_what_became_of_it() -> None:
    at = a_page("triage", {"event": KEY_MADE})
    assert not at.exception
    assert "Made and undone" in texts_of(at, "h2")
    rows = {(what, name): became for what, name, became, *_ in table(at, "Made or changed")}
    assert len(rows) == 183
    assert rows["user", "malicious-iam-user"].startswith("✕ deleted 10 Jul 12:28:24")
    # Beside the chain, and leading to the card.
    said = (
        "183 things of the kinds that are followed made or changed, 174 of them undone; 5 things"
        " that it used are gone"
    )
    assert (said, "#made-and-undone") in links(at)
    made = {(what, name): made for what, name, _, made, *_ in table(at, "Made or changed")}
    assert made["trust policy of a role", "stratus-red-team-backdoor-r-role"] == (
        "changed first 10 Jul 12:24:11, last 10 Jul 12:28:24 (2 times)"
    )


@pytest.mark.usefixtures("stratus")
def test_roles_and_keys_that_are_gone_are_marked_where_they_are_listed() -> None:
    at = a_page("triage", {"event": KEY_MADE})
    roles = [row[1] for row in table(at, "Roles assumed")]
    assert len(roles) == 5
    assert all("✕ role deleted 2023-07-10 12:" in role for role in roles)
    tree = [one for one in texts_of(at, "li") if one.startswith("AKIATFQR7NSCQLA2F4OD")]
    assert tree
    assert all("✕ deleted 2023-07-10 12:28:24" in one for one in tree)


@pytest.mark.usefixtures("stratus")
def test_the_calls_after_the_alert_have_their_own_card_and_table() -> None:
    at = a_page("triage", {"event": KEY_MADE})
    heads = texts_of(at, "h2")
    interesting = "Which interesting API calls were made in the 7 days to the alert?"
    assert heads.index("After the alert") == heads.index(interesting) + 1
    assert "124 interesting calls in the 13 min from the alert to the end of the logs" in words(at)


@pytest.mark.usefixtures("stratus")
def test_what_the_logs_cannot_show_is_folded_on_triage_and_entity_pages() -> None:
    for page, asked in (
        ("triage", {"event": KEY_MADE}),
        ("entity", {"of": "arn:aws:iam::123837392027:user/bert-jan"}),
        ("entity", {"of": "192.168.10.20"}),
    ):
        at = a_page(page, asked)
        assert not at.exception
        rows = table(at, "Since when each kind of event is in the logs")
        assert ["S3 object event", "–", "none indexed", "reads, writes and deletes of objects"] in (
            rows
        ), (page, asked)


def test_nothing_found_and_no_logs_are_said_apart(tmp_path: Path) -> None:
    alert = iam("12:00:00", "CreateUser", requestParameters={"userName": "eve"})
    early = an_event(eventTime="2026-03-10T11:00:00Z", userIdentity=a_user("carol"))
    indexed(tmp_path, alert, early)
    at = a_page("triage", {"event": alert["eventID"]})
    assert "◐ No logs after it" in words(at)
    late = an_event(eventTime="2026-03-10T13:00:00Z", userIdentity=a_user("carol"))
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "log.json").write_text(json.dumps({"Records": [late]}))
    add([tmp_path / "more"], tmp_path / "index")
    at = a_page("triage", {"event": alert["eventID"]})
    said = words(at)
    assert "○ Nothing found" in said
    assert "No logs after it" not in said
    ((what, name, became, *_),) = table(at, "Made or changed")
    assert (what, name) == ("user", "eve")
    assert "no deletion in the logs until 2026-03-10 12:00:00" in became


def test_the_order_of_a_break_in_is_one_line(tmp_path: Path) -> None:
    looks = [an_event(eventTime=f"2026-03-10T11:0{n}:00Z") for n in (2, 3, 4)]
    denied = iam("11:05:00", "CreateAccessKey", errorCode="AccessDenied", errorMessage="no")
    change = iam("11:10:00", "PutUserPolicy", requestParameters={"userName": "alice"})
    done = iam("11:12:00", "CreateAccessKey")
    indexed(tmp_path, *looks, denied, change, done)
    at = a_page("triage", {"event": done["eventID"]})
    assert not at.exception
    assert "The order of it" in texts_of(at, "h3")
    assert "denied once, at 11:05:00, PutUserPolicy 11:10:00 on itself" in words(at)


HOSTILE = "[x](javascript:alert(1)) <img src=x onerror=alert(1)> $\\alpha$ :material/bolt: `a`"


def test_hostile_names_stand_letter_by_letter(tmp_path: Path) -> None:
    made = iam("12:00:00", "CreateUser", requestParameters={"userName": HOSTILE})
    gone = iam(
        "12:30:00", "DeleteUser", requestParameters={"userName": HOSTILE},
        userIdentity=a_user("bob") | {"arn": f"arn:aws:iam::111122223333:user/{HOSTILE}"},
    )  # fmt: skip
    minted = an_assumption(
        role=HOSTILE, eventTime="2026-03-10T11:55:00Z", userIdentity=a_user("alice")
    )
    indexed(tmp_path, made, gone, minted)
    at = a_page("triage", {"event": made["eventID"]})
    assert not at.exception
    rows = {row[1]: row for row in table(at, "Made or changed")}
    assert HOSTILE in rows
    assert HOSTILE in rows[HOSTILE][2]
    drawn = [one.value for kind in (at.markdown, at.caption, at.info) for one in kind]
    assert not [one for one in drawn if "onerror" in str(one)]


def test_an_account_s_id_may_be_any_text(tmp_path: Path) -> None:
    record = an_event(recipientAccountId=HOSTILE, userIdentity=a_user("alice", HOSTILE))
    indexed(tmp_path, record)
    at = a_page("entity", {"of": "198.51.100.7"})
    assert not at.exception
    assert f"of account {HOSTILE}." in words(at)
