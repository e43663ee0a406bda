"""The event search, the entity page and the index page: load, filter, empty, broken, outside."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.a_page import a_page, address_of, links, table, words
from tests.an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from trail.index.build import add
from trail.store import Query, open_store
from ui.explore import event_search
from ui.shell import data

pytest_plugins = ("tests.case_pages",)
pytestmark = pytest.mark.usefixtures("own_folders")


def indexed(tmp_path: Path, *records: dict[str, Any]) -> Path:
    logs = tmp_path / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "log.json").write_text(json.dumps({"Records": list(records)}))
    add([logs], tmp_path / "index")
    return logs


def button(at: AppTest, label: str) -> Any:
    return next(one for one in at.button if one.label == label)


def a_day_of_work() -> list[dict[str, Any]]:
    return [
        an_event(eventTime=f"2026-03-10T12:{minute:02}:00Z", sourceIPAddress="198.51.100.7")
        for minute in range(55)
    ] + [
        an_event(
            eventTime="2026-03-10T13:00:00Z",
            eventName="StopLogging",
            eventSource="cloudtrail.amazonaws.com",
            errorCode="AccessDenied",
            userIdentity=a_user("mallory"),
            sourceIPAddress="203.0.113.9",
        )
    ]


def test_the_search_shows_the_newest_page_first_and_turns(tmp_path: Path) -> None:
    indexed(tmp_path, *a_day_of_work())
    at = a_page("events")
    assert not at.exception
    assert "56 events, 1 failed, page 1 of 2, newest first." in words(at)
    assert "StopLogging" in words(at)
    older = next(address for text, address in links(at) if text.startswith("Older"))
    assert older == "events?page=2"
    second = a_page("events", {"page": "2"})
    assert "page 2 of 2" in words(second)
    # Six rows, and one line of the counts beside them.
    assert sum(text == "DescribeInstances" for text, _ in links(second)) == 7


@pytest.mark.parametrize(
    ("asked", "events"),
    [
        ({"principal": f"arn:aws:iam::{ACCOUNT}:user/mallory"}, 1),
        ({"principal": "user/mallory"}, 1),
        ({"principal": "alice"}, 55),
        ({"ip": "203.0.113.9"}, 1),
        ({"call": "DescribeInstances"}, 55),
        ({"service": "cloudtrail"}, 1),
        ({"service": "ec2.amazonaws.com"}, 55),
        ({"result": "failed"}, 1),
        ({"result": "succeeded"}, 55),
        ({"from": "2026-03-10T12:10:00Z", "to": "2026-03-10T12:19:00Z"}, 10),
        ({"error": "AccessDenied", "ip": "203.0.113.9"}, 1),
        ({"client": "AWS-CLI/2"}, 56),
        ({"page": "seven", "order": "sideways", "result": "' or 1=1"}, 56),
        # A date is its whole day.
        ({"from": "2026-03-10", "to": "2026-03-10"}, 56),
        ({"to": "2026-03-09"}, 0),
        # Ranges of addresses; several values; names as they are printed.
        ({"ip": "198.51.100.0/24"}, 55),
        ({"ip": "203.0.113.8/29"}, 1),
        ({"ip": "203.0.113.16/28"}, 0),
        ({"ip": "203.0.113.9, 198.51.0.0/16"}, 56),
        ({"ip": "0.0.0.0/0"}, 56),
        ({"call": "StopLogging,DescribeInstances"}, 56),
        ({"service": "CloudTrail"}, 1),
        ({"service": "EC2, cloudtrail.amazonaws.com"}, 56),
        ({"text": "MALLORY"}, 1),
    ],
)
def test_filters_come_from_the_address(tmp_path: Path, asked: dict[str, str], events: int) -> None:
    indexed(tmp_path, *a_day_of_work())
    at = a_page("events", asked)
    assert not at.exception
    noun = "event" if events == 1 else "events"
    told = f"\n{events} {noun}" if events else "No indexed event fits."
    assert told in words(at)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"from": "yesterday"}, "“yesterday” is no time"),
        ({"to": "2026-13-01"}, "“2026-13-01” is no time"),
        ({"from": "2026-03-11", "to": "2026-03-10"}, "ends before it begins"),
        ({"ip": "198.51.100.0/240"}, "“198.51.100.0/240” is no range of addresses"),
        ({"ip": "2001:db8::/33"}, "ranges of IPv6"),
        ({"call": ","}, "nothing between the commas"),
        ({"ip": "10.8.8.300"}, "“10.8.8.300” is no address"),
        ({"hour": "25"}, "is no hour of a day"),
        ({"key": ",".join(f"AKIA{n}" for n in range(51))}, "At most 50 values"),
    ],
)
def test_what_cannot_be_searched_for_is_said_and_nothing_is_shown(
    tmp_path: Path, asked: dict[str, str], said: str
) -> None:
    indexed(tmp_path, *a_day_of_work())
    at = a_page("events", asked)
    assert not at.exception
    assert "This cannot be searched for." in words(at)
    assert said in words(at)
    assert "DescribeInstances" not in words(at)


def test_beside_the_results_stands_how_often_each_value_is_among_them(tmp_path: Path) -> None:
    indexed(tmp_path, *a_day_of_work())
    at = a_page("events", {"result": "failed"})
    assert ("StopLogging", "events?result=failed&call=StopLogging") in links(at)
    assert ("CloudTrail", "events?result=failed&service=cloudtrail.amazonaws.com") in links(at)
    assert ("203.0.113.9", "events?result=failed&ip=203.0.113.9") in links(at)
    all_of_it = words(a_page("events")).splitlines()
    assert all_of_it[all_of_it.index("DescribeInstances") + 1] == "55"


def test_text_is_looked_for_in_the_newest_days_first_and_the_page_says_how_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [
        an_event(eventTime=f"2026-03-{day:02}T12:00:00Z", requestParameters={"name": f"It-{day}"})
        for day in range(1, 11)
    ]
    indexed(tmp_path, *days)
    monkeypatch.setattr(event_search, "SECONDS_LOOKED", 0.0)
    at = a_page("events", {"text": "it-"})
    assert not at.exception
    assert "Looked back to 10 Mar 2026 00:00:00 UTC so far" in words(at)
    assert "\n1 event," in words(at)
    on = next(to for said, to in links(at) if said == "Look through all of it")
    assert on == "events?text=it-&look=on"
    st.cache_data.clear()
    data.forget()
    whole = a_page("events", {"text": "it-", "look": "on"})
    assert "\n10 events," in words(whole)
    monkeypatch.setattr(event_search, "SECONDS_LOOKED", 60.0)
    data.forget()
    assert "\n10 events," in words(a_page("events", {"text": "it-"}))


def test_calls_are_found_by_the_names_that_are_printed(tmp_path: Path) -> None:
    indexed(
        tmp_path,
        an_event(eventName="UpdateFunctionConfiguration20150331v2"),
        an_event(eventName="UpdateFunctionConfiguration"),
        an_event(eventName="UpdateFunctionConfigurationX"),
    )
    at = a_page("events", {"call": "UpdateFunctionConfiguration"})
    assert "\n2 events" in words(at)


def test_an_export_holds_whole_records_and_is_named_by_its_filter(tmp_path: Path) -> None:
    request = {"name": "=cmd|' /C calc'!A0", "policyDocument": '{"Statement": []}'}
    indexed(
        tmp_path,
        an_event(eventName="PutX", requestParameters=request, userIdentity=a_role_session()),
        an_event(eventName="GetX"),
    )
    store = open_store(tmp_path / "index")
    summary = store.summary()
    assert summary.first is not None
    assert summary.last is not None
    search = event_search.search_of({"call": "PutX"}, (summary.first, summary.last))
    (row,) = event_search.export(store, search)
    (line,) = event_search.as_json_lines([row]).splitlines()
    told = json.loads(line)
    assert told["request_parameters"] == request
    assert told["session_name"] == "work"
    assert told["issuer_arn"].endswith(":role/reader")
    cells = list(csv.reader(io.StringIO(event_search.as_csv([row]))))
    by_name = dict(zip(cells[0], cells[1], strict=True))
    assert json.loads(by_name["request_parameters"]) == request
    found = event_search.Found([], 1, 1, 0, Query("", {}))
    assert event_search.file_name(search, found, "csv").startswith("events-PutX-2026")
    many = event_search.Found([], 200_000, 1, 0, Query("", {}))
    assert "newest-100000-of-200000" in event_search.file_name(search, many, "jsonl")
    odd = event_search.search_of({"principal": "../../etc/x\n=1"}, (summary.first, summary.last))
    assert "/" not in event_search.file_name(odd, found, "csv")


def test_searching_writes_the_address(tmp_path: Path) -> None:
    indexed(tmp_path, *a_day_of_work())
    at = a_page("events")
    next(box for box in at.text_input if box.label == "Call").set_value("StopLogging")
    at = button(at, "Search").click().run()
    assert not at.exception
    assert address_of(at)["call"] == "StopLogging"
    assert "1 event, 1 failed, newest first." in words(at)


def test_a_search_without_a_match_says_what_to_change(tmp_path: Path) -> None:
    indexed(tmp_path, *a_day_of_work())
    at = a_page("events", {"ip": "192.0.2.1"})
    assert not at.exception
    assert "No indexed event fits." in words(at)


def test_a_raw_record_is_read_again_from_its_file(tmp_path: Path) -> None:
    event = an_event(requestParameters={"instancesSet": {"items": [{"instanceId": "i-0abc"}]}})
    logs = indexed(tmp_path, event)
    at = a_page("events", {"event": event["eventID"]})
    assert json.loads(at.code[0].value) == event
    (logs / "log.json").unlink()
    st.cache_data.clear()
    gone = a_page("events", {"event": event["eventID"]})
    assert not gone.exception
    assert "The record cannot be read." in words(gone)


def test_a_correction_and_its_record_are_both_shown_and_count_once(tmp_path: Path) -> None:
    told = {"reason": "UPDATED_DATA", "originalEventID": "first"}
    fields: dict[str, Any] = {"eventName": "PutRolePolicy"}
    indexed(
        tmp_path,
        an_event(eventID="first", errorCode="AccessDenied", **fields),
        an_event(eventID="second", addendum=told, **fields),
    )
    at = a_page("events", {"call": "PutRolePolicy"})
    assert not at.exception
    said = words(at)
    assert "1 event (2 records: some share a call, or were replaced), newest first." in said
    assert " corrected by " in said
    assert " corrects " in said
    shown = a_page("events", {"event": "first"})
    assert "AWS corrected this record later: the correction counts." in words(shown)
    assert json.loads(shown.code[0].value)["errorCode"] == "AccessDenied"
    entity = words(a_page("entity", {"of": "PutRolePolicy"})).splitlines()
    assert entity[entity.index("Events") + 1] == "1"
    assert entity[entity.index("Failed") + 1] == "0"


def test_an_unknown_event_says_what_to_add(tmp_path: Path) -> None:
    indexed(tmp_path, an_event())
    at = a_page("events", {"event": "![x](http://203.0.113.9/)"})
    assert not at.exception
    assert "This event is not in the index." in words(at)


def test_an_entity_tells_who_when_and_what(tmp_path: Path) -> None:
    indexed(tmp_path, *a_day_of_work())
    at = a_page("entity", {"of": "203.0.113.9"})
    assert not at.exception
    said = words(at).splitlines()
    assert said[said.index("Events") + 1] == "1"
    assert said[said.index("Failed") + 1] == "1"
    assert said[said.index("First seen (UTC)") + 1] == "10 Mar 2026 13:00:00"
    assert "user/mallory" in said
    assert "cloudtrail.amazonaws.com" in said
    assert "DescribeInstances" not in said


def test_a_key_tells_how_it_came_to_be(tmp_path: Path) -> None:
    key = "ASIAROLESESSION00001"
    mint = an_assumption(key=key, eventTime="2026-03-10T11:50:00Z")
    use = an_event(userIdentity=a_role_session(key=key), eventTime="2026-03-10T11:55:00Z")
    indexed(tmp_path, mint, use)
    at = a_page("entity", {"of": key})
    assert not at.exception
    assert "How this key came to be" in words(at)
    assert ("AssumeRole", f"events?event={mint['eventID']}") not in links(at)
    assert any(address == f"events?event={mint['eventID']}" for _, address in links(at))


@pytest.mark.parametrize(
    "name",
    ["nobody", "arn:aws:iam::999999999999:role/none", "192.0.2.250", "AKIANOTINDEXED000000",
     "![x](http://203.0.113.9/)", "'; drop table events; --", "999999999999"],
)  # fmt: skip
def test_an_unknown_entity_says_so_and_lives_on(tmp_path: Path, name: str) -> None:
    indexed(tmp_path, an_event())
    at = a_page("entity", {"of": name})
    assert not at.exception
    assert "The index has no event of it." in words(at)
    assert name in words(at)


@pytest.mark.parametrize("page", ["events", "entity"])
def test_without_an_index_the_pages_offer_to_make_one(page: str) -> None:
    at = a_page(page)
    assert not at.exception
    assert "There is no index yet." in words(at)


def test_the_index_page_teaches_when_there_is_nothing() -> None:
    at = a_page("index")
    assert not at.exception
    assert "Look around in a demo company" in words(at)
    assert "Index your own logs" in words(at)
    assert button(at, "Generate the demo")


def test_the_index_page_counts_what_is_there_and_what_was_rejected(tmp_path: Path) -> None:
    indexed(tmp_path, *a_day_of_work(), {"eventName": "NoTime"})
    at = a_page("index")
    assert not at.exception
    said = words(at).splitlines()
    assert said[said.index("Events") + 1] == "56"
    assert said[said.index("Accounts") + 1] == "1"
    assert said[said.index("Rejected") + 1] == "1"
    assert "57 records read = 56 kept + 0 repeated + 1 rejected + 0 skipped" in said
    (rejected,) = [one.value for one in at.dataframe if "Where" in one.value]
    assert [path.rpartition("/")[2] for path in rejected["File"]] == ["log.json"]
    (coverage,) = [one.value for one in at.dataframe if "Days without" in one.value]
    assert coverage["Account and region"].tolist() == [f"{ACCOUNT} eu-west-1"]
    assert coverage["Events"].tolist() == [56]


def test_the_search_is_sorted_by_a_column_and_the_address_keeps_it(tmp_path: Path) -> None:
    indexed(
        tmp_path,
        an_event(eventName="B", eventTime="2026-03-10T10:00:00Z", sourceIPAddress="198.51.100.1"),
        an_event(eventName="A", eventTime="2026-03-10T11:00:00Z", sourceIPAddress="198.51.100.3"),
        an_event(eventName="C", eventTime="2026-03-10T12:00:00Z", sourceIPAddress="198.51.100.2"),
        an_event(eventName="C", eventTime="2026-03-10T13:00:00Z", errorCode="AccessDenied"),
    )

    def column(place: int, **asked: str) -> list[str]:
        at = a_page("events", asked)
        assert not at.exception
        return [row[place] for row in table(at, "Events found")]

    assert column(1) == ["C", "C", "A", "B"]
    assert column(1, sort="call", order="up") == ["A", "B", "C", "C"]
    assert column(0, sort="call")[:2] == ["10 Mar 2026 13:00:00", "10 Mar 2026 12:00:00"]
    assert column(5, sort="ip", order="up")[:2] == ["198.51.100.1", "198.51.100.2"]
    assert column(3, sort="result")[0] == "✕ AccessDenied"
    assert column(1, sort="event_id; drop", order="x") == ["C", "C", "A", "B"]
    at = a_page("events", {"call": "C", "sort": "ip", "order": "up", "page": "1"})
    heads = {words: address for words, address in links(at) if address.startswith("events?")}
    assert heads["From ▲"] == "events?call=C&sort=ip"
    assert heads["Service"] == "events?call=C&sort=service"
    assert "by from" in words(at)
    # Another search keeps the order.
    at.text_input(key=next(w.key for w in at.text_input if w.label == "Source IP")).set_value("x")
    at = button(at, "Search").click().run()
    assert address_of(at) == {"call": "C", "ip": "x", "sort": "ip", "order": "up"}


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    indexed(tmp_path, an_event())
    at = a_page("index")
    at.text_input(key="folder").set_value(str(tmp_path / "nowhere"))
    at = button(at, "Add folder").click().run()
    assert not at.exception
    assert "There is no such folder or file." in words(at)


def test_an_index_of_another_kind_is_explained(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "catalog.sqlite").write_bytes(b"not a database")
    for name in ("triage", "events", "entity", "index"):
        at = a_page(name)
        assert not at.exception, name


def test_adding_a_folder_runs_outside_the_page_and_ends_in_an_index(tmp_path: Path) -> None:
    import time

    logs = tmp_path / "elsewhere"
    logs.mkdir()
    (logs / "a.json").write_text(json.dumps({"Records": [an_event()]}))
    at = a_page("index")
    at.text_input(key="folder").set_value(str(logs))
    at = button(at, "Add folder").click().run()
    until = time.monotonic() + 30
    while "Done." not in words(at) and time.monotonic() < until:
        time.sleep(0.3)
        at = at.run()
    assert "1 event added from 1 file" in words(at)
    assert not at.exception
