"""What the drawings say: the chain, what is new, addresses, searches and counts over time."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import parse_alerts
from alerts.alert import Alert, Principal
from enrich import ask_all
from enrich.answer import Bar
from enrich.chain.words import distance_words
from enrich.data.assumed_by import AssumedBy
from tests.an_event import a_role_session, a_user, an_assumption, an_event
from tests.answered import data_of
from tests.memory_store import MemoryStore
from trail.errors import AlertUnrecognised
from ui.explore import event_search
from ui.explore.entity_facts import kind_of
from ui.kit import charts, links, phrases
from ui.kit.badges import in_a_badge
from ui.kit.markup import el, texts
from ui.kit.specification import rows_in
from ui.parts import evidence, timeline
from ui.parts.own_search import either, own_filters
from ui.shell import data
from ui.triage import intake
from ui.triage.chain import chain_drawing
from ui.triage.chain_notes import fitting_notes, inferences, making_of_the_key
from ui.triage.newness import newness


def alert_of(record: dict[str, Any]) -> Alert:
    return parse_alerts(json.dumps(record))[0]


# The chain ------------------------------------------------------------------------------------


def a_chain(length: int) -> list[dict[str, Any]]:
    """alice → role-1 → … → role-n, each link by access key; then a call with the last key."""
    records: list[dict[str, Any]] = []
    caller: dict[str, Any] | None = None
    for number in range(1, length + 1):
        role, key = f"role-{number}", f"ASIACHAIN7Q2J{number:07}"
        at = f"2026-03-10T11:{number:02}:00Z"
        changes: dict[str, Any] = {} if caller is None else {"userIdentity": caller}
        records.append(an_assumption(role, f"s{number}", key=key, eventTime=at, **changes))
        caller = a_role_session(role, f"s{number}", key=key, created=at)
    records.append(an_event(**({} if caller is None else {"userIdentity": caller})))
    return records


def drawn(records: list[dict[str, Any]]) -> tuple[list[str], Any]:
    alert = alert_of(records[-1])
    principal = alert.principals[0]
    data = next(
        answer.data
        for answer in ask_all(alert, principal, MemoryStore(records))
        if answer.name == "assumed_by"
    )
    tree = chain_drawing(alert, principal, data)
    return texts([tree]), tree


@pytest.mark.parametrize("length", [0, 1, 2, 6, 40])
def test_a_chain_is_drawn_from_its_origin_to_the_alert(length: int) -> None:
    words, _ = drawn(a_chain(length))
    places = [words.index("alice")]
    places += [words.index(f"role-{number}") for number in range(1, length + 1)]
    places.append(words.index("DescribeInstances"))
    assert places == sorted(places)
    assert words.count("by access key") == length
    assert words.count("certain") == length
    assert all(words.count(f"role-{number}") == 1 for number in range(1, length + 1))


def test_a_call_is_drawn_beside_whoever_made_it_and_nobody_else() -> None:
    """An alert that names several, one of whom made its call."""
    of_one = alert_of(an_event(userIdentity=a_user("alice")))
    other = alert_of(an_event(userIdentity=a_user("bob"))).principals[0]
    both = replace(of_one, principals=(*of_one.principals, other), title="Two at once")
    empty = AssumedBy()

    def said(alert: Alert, principal: Principal) -> list[str]:
        return texts([chain_drawing(alert, principal, empty)])

    assert "made the call" in said(of_one, of_one.principals[0])
    found = replace(both, source="sigma")
    assert "made the call" in said(found, found.principals[0])
    for words in (said(found, other), said(both, other), said(both, both.principals[0])):
        assert "named in the alert" in words
        assert "Two at once" in words
        assert "DescribeInstances" not in words
    later = replace(of_one, last_seen=of_one.first_seen + timedelta(minutes=5))  # type: ignore[operator]
    assert any(" to " in one for one in said(later, later.principals[0]))


def hops(tree: Any) -> list[str]:
    return [child["c"] for child in tree["k"] if child.get("c", "").startswith("hop")]


def test_a_certain_link_is_solid_and_a_guess_dashed() -> None:
    records = a_chain(1)
    _, tree = drawn(records)
    assert not any("hop-guess" in look for look in hops(tree))
    # Without key and creation date only role and session name are left: the most recent fits.
    vague = a_role_session("role-1", "s1", key="ASIAUNKNOWN0Q0Q0Q0Q1")
    del vague["sessionContext"]["attributes"]["creationDate"]
    words, tree = drawn([*records[:-1], an_event(userIdentity=vague)])
    assert "most recent: a guess" in words
    assert "hop-guess" in hops(tree)[0]


def a_hop(**changes: Any) -> dict[str, Any]:
    """A link as `assumed_by` gives it, certain and by key."""
    return {
        "event_id": "11111111-aaaa-4aaa-8aaa-000000000001",
        "event_time": "2026-03-10T11:00:00Z",
        "event_name": "AssumeRole",
        "method": "access_key",
        "confidence": "certain",
        "candidates": ["11111111-aaaa-4aaa-8aaa-000000000001"],
        "callers": [],
        "role_arn": "arn:aws:iam::111122223333:role/web",
        "session_name": "i-0abc",
        "minted_access_key_id": "ASIAWEB0Q0Q0Q0Q0Q0Q1",
        "source_ip_address": "ec2.amazonaws.com",
        "by": {"type": "AWSService", "invoked_by": "ec2.amazonaws.com"},
        "acting": True,
        **changes,
    }


def told(data: dict[str, Any]) -> AssumedBy:
    return msgspec.convert(data, AssumedBy)


def hrefs(tree: Any) -> list[str]:
    own = [tree["a"]["href"]] if tree.get("a", {}).get("href") else []
    return own + [ref for kid in tree.get("k", ()) if isinstance(kid, dict) for ref in hrefs(kid)]


def test_a_service_that_assumes_a_role_for_a_workload_is_named() -> None:
    alert = alert_of(an_event(userIdentity=a_role_session("web", "i-0abc")))
    data: dict[str, Any] = {
        "chain": [a_hop()],
        "origin": {"type": "AWSService", "label": "EC2 instance i-0abc", "field": "x"},
    }
    words = texts([chain_drawing(alert, alert.principals[0], told(data))])
    assert words[:3] == ["AWS service", "EC2 instance i-0abc", "ec2.amazonaws.com"]
    del data["origin"]["label"]
    words = texts([chain_drawing(alert, alert.principals[0], told(data))])
    assert words[:2] == ["AWS service", "ec2.amazonaws.com"]
    assert "unknown caller" not in words


def test_a_click_on_a_link_leads_to_its_event() -> None:
    alert = alert_of(an_event(userIdentity=a_role_session("web", "i-0abc")))
    tree = chain_drawing(alert, alert.principals[0], told({"chain": [a_hop()]}))
    (hop,) = [kid for kid in tree["k"] if kid["t"] == "a"]
    assert hop["a"]["href"] == "events?event=11111111-aaaa-4aaa-8aaa-000000000001"


def test_who_made_an_old_key_is_a_note_and_not_the_origin() -> None:
    alert = alert_of(an_event())
    made = a_hop(
        method="key_created",
        event_name="CreateAccessKey",
        role_arn=None,
        session_name=None,
        minted_access_key_id="AKIAIOSFODNN7EXAMPLE",
        by={"type": "IAMUser", "user_name": "carol", "arn": "arn:aws:iam::111122223333:user/carol"},
        acting=False,
    )
    data = {"chain": [made], "origin": {"label": "alice", "field": "userIdentity.arn"}}
    words = texts([chain_drawing(alert, alert.principals[0], told(data))])
    assert "carol" not in words
    assert words[:2] == ["IAM user", "alice"]
    note = making_of_the_key(told(data))
    assert note is not None
    assert texts([note])[:2] == ["How the key was made:", "carol"]
    assert "events?event=11111111-aaaa-4aaa-8aaa-000000000001" in hrefs(note)
    # A key that somebody else made the day before is a way in: then the maker is the origin.
    words = texts(
        [
            chain_drawing(
                alert, alert.principals[0], told({**data, "chain": [{**made, "acting": True}]})
            )
        ]
    )
    assert words.index("by key creation") < words.index("alice", words.index("by key creation"))


def test_every_event_and_caller_that_fits_a_link_can_be_reached() -> None:
    events = [f"11111111-aaaa-4aaa-8aaa-{number:012}" for number in range(3)]
    callers = [
        {"type": "IAMUser", "user_name": name, "count": 1, "last": None, "event_id": event}
        for name, event in zip(("alice", "carol"), events, strict=False)
    ]
    hop = a_hop(confidence="medium", candidates=events, callers=callers)
    note = fitting_notes(told({"chain": [hop, a_hop()]}))
    assert note is not None
    assert {f"events?event={event}" for event in events} <= set(hrefs(note))
    words = texts([note])
    assert words[0].startswith("3 events fit the link to web by access key, by 2 different callers")
    assert {"alice", "carol"} <= set(words)
    assert fitting_notes(told({"chain": [a_hop()]})) is None


def test_what_was_worked_out_says_so() -> None:
    alert = alert_of(an_event(userIdentity=a_role_session("web", "i-0abc")))
    data = {
        "chain": [],
        "origin": {},
        "juggling": {"role_arns": ["arn:aws:iam::111122223333:role/web"], "renewals": 3,
                     "first_mint": "2026-03-10T11:00:00Z", "cycle": False},
        "would_be_in": {"account_id": "111122223333", "from": "2026-03-10T11:00:00Z",
                        "to": "2026-03-10T11:00:02Z", "coverage": "not_covered"},
        "derived_account": "444455556666",
    }  # fmt: skip
    note = inferences(told(data))
    assert note is not None
    words = texts([note])
    assert [word for word in words if word[0] in "◐◌"] == ["◐ Pattern", "◌ Missing", "◌ Inferred"]
    assert "account 444455556666: calculated, no record says so" in " ".join(words)
    drawn = texts([chain_drawing(alert, alert.principals[0], told(data))])
    assert "would be in the logs of account 111122223333" in drawn
    assert "hop-guess" in hops(chain_drawing(alert, alert.principals[0], told(data)))[0]


@given(st.text(alphabet="abcde ,.;()0", max_size=900))
def test_a_badge_cuts_between_words(sentence: str) -> None:
    shown = in_a_badge(sentence, "Which?")
    assert len(shown) <= 225
    if shown != sentence and "…" in shown and " " in shown.removesuffix(" …"):
        last = re.split(r"[ ,.;()]+", shown.removesuffix(" …"))[-1]
        assert last in re.split(r"[ ,.;()]+", sentence)


def test_a_badge_leaves_out_what_its_question_says() -> None:
    said = "260 calls to 3 services in the 7 days to the alert, 11 failed."
    assert (
        in_a_badge(said, "Which services were used in the 7 days to the alert?")
        == "260 calls to 3 services, 11 failed."
    )
    assert in_a_badge(said, "Which services were used?") == said


# What is new ----------------------------------------------------------------------------------


def test_new_is_said_of_what_was_never_seen_and_of_nothing_else() -> None:
    before = [
        an_event(eventTime=f"2026-03-{day:02}T09:{minute:02}:00Z")
        for day in range(1, 9)
        for minute in range(5)
    ]
    record = an_event(sourceIPAddress="203.0.113.9", eventName="StopInstances")
    alert = alert_of(record)
    baseline = next(
        answer
        for answer in ask_all(alert, alert.principals[0], MemoryStore([*before, record]))
        if answer.name == "baseline"
    )
    words = texts([newness(alert, baseline)])
    said = {label: words[words.index(label) - 1] for label in ("IP address", "Client", "API call",
                                                               "Service", "Region")}  # fmt: skip
    assert said["IP address"] == "▲ New"
    assert said["API call"] == "▲ New"
    assert said["Client"] == said["Service"] == said["Region"] == "● Seen 40×"
    assert any("Against 40 events on 8 days by this principal" in line for line in words)


def test_without_logs_nothing_is_called_new() -> None:
    record = an_event()
    alert = alert_of(record)
    baseline = next(
        answer
        for answer in ask_all(alert, alert.principals[0], MemoryStore([record]))
        if answer.name == "baseline"
    )
    assert "▲ New" not in texts([newness(alert, baseline)])


# Addresses ------------------------------------------------------------------------------------


@given(st.text(max_size=2000))
def test_a_text_survives_its_address(text: str) -> None:
    assert intake.unpack(intake.pack(text)) == text


@given(st.text(max_size=200), st.integers(1, 30))
def test_a_cut_address_is_refused_in_words(text: str, cut: int) -> None:
    with pytest.raises(AlertUnrecognised, match="incomplete"):
        intake.unpack(intake.pack(text)[:-cut])


def test_an_address_cannot_fill_the_memory() -> None:
    with pytest.raises(AlertUnrecognised):
        intake.unpack(intake.pack("0" * 50_000_000))


def test_drawings_of_an_index_that_has_changed_are_dropped() -> None:
    made: list[str] = []

    def drawn(version: str, alert: str) -> str:
        return data.kept(f"{version} {alert}", "chart", lambda: made.append(version) or version)

    assert [drawn("i-1.a", "x"), drawn("i-1.a", "x"), drawn("i-1.a", "y")] == ["i-1.a"] * 3
    assert made == ["i-1.a"] * 2
    assert drawn("i-2.b", "x") == "i-2.b"
    # One of each is kept, and here, where nobody notes what was asked, of one version.
    assert drawn("i-1.a", "x") == "i-1.a"
    assert made == ["i-1.a", "i-1.a", "i-2.b", "i-1.a"]


@given(st.text(min_size=1, max_size=50) | st.just("\ud800"))
def test_a_link_never_leaves_the_dashboard(name: str) -> None:
    page, _, query = links.entity(name).partition("?of=")
    assert page == "entity"
    assert not set(query) & set(" <>\"'\\:/#&?")


def test_an_element_carries_text_as_text() -> None:
    node = el("p", "mute", "<b>x</b>", None, title="<i>")
    assert node == {"t": "p", "c": "mute", "a": {"title": "<i>"}, "k": ["<b>x</b>"]}


# Searches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t", "\r", "\n"])
def test_no_exported_cell_is_a_formula(start: str) -> None:
    columns = [name.strip() for name in event_search.EXPORTED.split(",")] + [event_search.TARGETS]
    row: dict[str, Any] = dict.fromkeys(columns, f'{start}HYPERLINK("http://203.0.113.9")')
    row["event_time"] = datetime(2026, 3, 10, 12, tzinfo=UTC)
    cells = list(csv.reader(io.StringIO(event_search.as_csv([row]))))[1]
    assert cells[columns.index("event_time")] == "2026-03-10T12:00:00Z"
    others = [cell for place, cell in enumerate(cells) if columns[place] != "event_time"]
    assert all(cell.startswith("'") for cell in others)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("arn:aws:iam::111122223333:user/alice", "Principal"),
        ("arn:aws:iam::111122223333:role/team/reader", "Role"),
        ("arn:aws-cn:sts::111122223333:assumed-role/reader/work", "Role session"),
        ("arn:aws:s3:::a-bucket", "Name"),
        ("AKIAIOSFODNN7EXAMPLE", "Access key"),
        ("ASIAROLESESSION00001", "Access key"),
        ("AROAREADERXXXXXXXXXXX:work", "Principal"),
        ("198.51.100.7", "IP address"),
        ("2001:db8::7", "IP address"),
        ("111122223333", "AWS account"),
        ("ec2.amazonaws.com", "Service"),
        ("AWS Internal", "Name"),
        ("alice@example.com", "Name"),
        ("", "Name"),
    ],
)
def test_a_name_is_known_by_its_form(name: str, kind: str) -> None:
    assert kind_of(name).words == kind


# Counts over time -----------------------------------------------------------------------------


def test_the_timeline_counts_what_the_files_hold(real_data: Path, stratus_store: Any) -> None:
    user = "arn:aws:iam::123837392027:user/bert-jan"
    minutes: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    seen: set[str] = set()
    for file in (real_data / "stratus-run-2023" / "CloudTrail").rglob("*.json"):
        for record in json.loads(file.read_text())["Records"]:
            if record["userIdentity"].get("arn") != user or record["eventID"] in seen:
                continue
            seen.add(record["eventID"])
            minute = record["eventTime"][:16]
            minutes[minute] += 1
            failed[minute] += "errorCode" in record
    first = datetime(2023, 7, 10, 11, 30, tzinfo=UTC)
    found = timeline.count_over_time(
        stratus_store,
        "principal_arn = $arn",
        {"arn": user},
        first,
        first + timedelta(hours=2),
    )
    assert found.unit == "minute"
    assert {f"{row['at']:%Y-%m-%dT%H:%M}": row["events"] for row in found.buckets} == minutes
    assert sum(row["failed"] for row in found.buckets) == sum(failed.values())


def test_a_roles_other_sessions_are_counted_apart() -> None:
    records = [
        an_event(userIdentity=a_role_session(session="work"), eventTime="2026-03-10T11:00:00Z"),
        an_event(
            userIdentity=a_role_session(session="other", key="ASIAOTHERSESSION0001"),
            eventTime="2026-03-09T11:00:00Z",
            sourceIPAddress="203.0.113.9",
        ),
    ]
    alert = replace(alert_of(records[0]))
    store = MemoryStore(records)
    found = timeline.activity(store, alert, alert.principals[0])
    assert found is not None
    assert (found.events, found.others) == (1, 1)
    listed = timeline.events_between(store, found, found.first, found.last)
    assert [row["event_id"] for row in listed.rows] == [records[0]["eventID"]]
    assert (listed.events, listed.failed) == (1, 0)
    # Days without logs of the account: all but those two of the 15 that it looks at.
    assert len(found.no_logs) == 14
    spec = json.dumps(timeline.specification(found, alert))
    for words in ("no logs", "12 h skipped", "baseline, 14 days"):
        assert words in spec
    key = texts([timeline.timeline_key(found, alert)])
    assert key == [
        "succeeded",
        "other sessions of the role",
        "the alert",
        "baseline, 14 days",
        "12 hours skipped: compared with neither",
        "no logs",
    ]


def test_a_stretch_is_hatched_for_each_run_of_days_without_logs() -> None:
    records = [an_event(eventTime=f"2026-03-{day:02}T09:00:00Z") for day in (1, 2, 5, 6, 9, 10)]
    alert = alert_of(records[-1])
    found = timeline.activity(MemoryStore(records), alert, alert.principals[0])
    assert found is not None
    gaps = rows_in(timeline.specification(found, alert))[0]
    days = [
        (f"{datetime.fromtimestamp(gap['at'] / 1000, UTC):%d %H}",
         f"{datetime.fromtimestamp(gap['until'] / 1000, UTC):%d %H}")
        for gap in gaps
    ]  # fmt: skip
    # The window is from 24 February 09:00 to 11 March 09:00; its last hour is drawn whole.
    assert days == [("24 09", "01 00"), ("03 00", "05 00"), ("07 00", "09 00"), ("11 00", "11 10")]


# Where bars lead ------------------------------------------------------------------------------


def test_a_bar_leads_to_exactly_the_events_that_an_answer_counts() -> None:
    key = "ASIAROLESESSION00002"
    records = [
        an_event(userIdentity=a_role_session(session="work")),
        # The role in another session from the same address, which counts, …
        an_event(userIdentity=a_role_session(session="else", key=key), errorCode="AccessDenied"),
        # … from another one, which does not, and another identity there, which does not either.
        an_event(
            userIdentity=a_role_session(session="else", key=key), sourceIPAddress="203.0.113.9"
        ),
        an_event(),
        an_event(userIdentity=a_role_session(session="work"), eventSource="s3.amazonaws.com"),
    ]
    alert = alert_of(records[0])
    store = MemoryStore(records)
    span = alert.first_seen - timedelta(days=7), alert.last_seen  # type: ignore[operator]
    filters = own_filters(store, alert, alert.principals[0], span)  # type: ignore[arg-type]
    assert filters == {
        "principal": records[0]["userIdentity"]["principalId"].partition(":")[0],
        "either": "work or 198.51.100.7",
    }
    asked = {**filters, "service": "ec2.amazonaws.com"}
    search = event_search.search_of(asked, span)  # type: ignore[arg-type]
    condition, bound = search.condition()
    found = store.query(f"select event_id from events where {condition}", bound).rows
    assert {row["event_id"] for row in found} == {record["eventID"] for record in records[:2]}
    answer = next(
        one for one in ask_all(alert, alert.principals[0], store) if one.name == "services_used"
    )
    assert {row["event_source"]: row["count"] for row in data_of(answer)["services"]} == {
        "ec2.amazonaws.com": 2,
        "s3.amazonaws.com": 1,
    }


@pytest.mark.parametrize(
    ("session", "ip", "value", "bound"),
    [
        ("work", "198.51.100.7", "work or 198.51.100.7", ("work", "198.51.100.7")),
        ("this or that", "198.51.100.7", "this or that or 198.51.100.7",
         ("this or that", "198.51.100.7")),
        ("work", None, "work", ("work", "work")),
        (None, "198.51.100.7", "198.51.100.7", ("198.51.100.7", "198.51.100.7")),
    ],
)  # fmt: skip
def test_a_session_or_an_address_is_one_filter(
    session: str | None, ip: str | None, value: str, bound: tuple[str, str]
) -> None:
    assert either(session, ip) == value
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    _, parameters = event_search.search_of({"either": value}, (noon, noon)).condition()
    assert (parameters["either_session"], parameters["either_ip"]) == bound


@pytest.mark.parametrize(("hour", "many"), [("9", 2), ("12", 1), ("09", 2)])
def test_an_hour_of_the_day_is_a_filter(hour: str, many: int) -> None:
    records = [
        an_event(eventTime=f"2026-03-{day:02}T{at}:30:00Z")
        for day, at in ((1, "09"), (2, "09"), (2, "12"))
    ]
    span = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)
    condition, bound = event_search.search_of({"hour": hour}, span).condition()
    found = MemoryStore(records).query(f"select event_id from events where {condition}", bound)
    assert len(found.rows) == many


def test_a_chart_draws_failures_in_their_own_colour_and_drops_nothing() -> None:
    bars = charts.call_bars(
        "service",
        [Bar("EC2", "ec2.amazonaws.com", 29, 29), Bar("S3", "s3.amazonaws.com", 10, 3)],
    )
    values, failures = rows_in(bars.spec)
    assert {(v["label"], v["result"]): v["calls"] for v in values} == {
        ("EC2", "failed"): 29,
        ("S3", "succeeded"): 7,
        ("S3", "failed"): 3,
    }
    assert [bars.of[v["n"]] for v in values] == [
        ("ec2.amazonaws.com", "failed"),
        ("s3.amazonaws.com", "succeeded"),
        ("s3.amazonaws.com", "failed"),
    ]
    # However short their bars are.
    assert failures == [{"label": "EC2", "failed": "✕ 29"}, {"label": "S3", "failed": "✕ 3"}]


def test_the_alerts_own_value_is_drawn_even_when_never_seen() -> None:
    counts = {f"198.51.100.{n}": n for n in range(1, 12)}
    values = rows_in(charts.seen_bars("IPs", counts, "203.0.113.9").spec)[0]
    assert values[-1]["value"] == "203.0.113.9"
    assert values[-1]["label"] == "never seen"
    assert values[0]["events"] == 11


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2026-03-10T12:00:05Z", "10 Mar 2026 12:00:05"),
        (datetime(2026, 3, 1, 2, 3, 4, tzinfo=UTC), "1 Mar 2026 02:03:04"),
        (None, "–"),
        ("soon", "–"),
    ],
)
def test_times_are_written_one_way(value: object, said: str) -> None:
    assert phrases.when(value) == said


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (
            "2026-03-03T12:00:05Z",
            "2026-03-10T12:00:05Z",
            "3 Mar 12:00:05 to 10 Mar 2026 12:00:05 UTC",
        ),
        (
            "2025-12-28T12:00:05Z",
            "2026-01-04T12:00:05Z",
            "28 Dec 2025 12:00:05 to 4 Jan 2026 12:00:05 UTC",
        ),
    ],
)
def test_a_range_names_each_year_that_is_not_plain(first: str, last: str, said: str) -> None:
    assert phrases.window(first, last) == said
    assert phrases.clock(first, beside=last) == said.partition(" to ")[0]


@pytest.mark.parametrize(
    ("method", "seconds", "said"),
    [
        ("access_key", 111, "used 111 s after it was issued"),
        ("access_key", -1, "used 1 s before it was issued"),
        ("most_recent", 5400, "used 90 min after it was issued"),
        ("key_created", 572 * 86400, "used 572 days after it was created"),
        ("creation_date", 0, "issued in the second of its creation date"),
        ("switch_role", 2, "issued 2 s after its creation date"),
        ("inferred", None, None),
    ],
)
def test_a_distance_says_what_it_measures(method: str, seconds: int | None, said: str) -> None:
    assert distance_words(method, seconds) == said


def test_a_call_s_version_date_is_not_read_out() -> None:
    said = "3 calls: UpdateFunctionConfiguration20150331v2 2 and ListFunctions20150331 1."
    assert in_a_badge(said, "Which?") == (
        "3 calls: UpdateFunctionConfiguration 2 and ListFunctions 1."
    )
    assert in_a_badge("Role Ops2024 was refused.", "Which?") == "Role Ops2024 was refused."


def a_long_chain(many: int) -> dict[str, Any]:
    """Each session assumed the next role; nearest hop first, as the answer lists them."""
    return {
        "chain": [
            a_hop(
                event_id=f"11111111-aaaa-4aaa-8aaa-{number:012d}",
                role_arn=f"arn:aws:iam::111122223333:role/r{number}",
                session_name=f"s{number}",
            )
            for number in range(many, 0, -1)
        ],
        "origin": {"label": "alice", "type": "IAMUser"},
    }


@pytest.mark.parametrize("many", [3, 10])
def test_a_long_chain_shows_both_ends_and_folds_the_middle(many: int) -> None:
    alert = alert_of(an_event())
    tree = chain_drawing(alert, alert.principals[0], told(a_long_chain(many)))
    (fold,) = [kid for kid in tree["k"] if kid["t"] == "details"]
    seen = "\n".join(texts([kid for kid in tree["k"] if kid is not fold]))
    assert "alice" in seen
    assert f"r{many}" in seen
    assert "r1\n" not in seen
    hidden = "\n".join(texts([fold]))
    assert f"{many - 2} more hop" in hidden
    assert all(f"r{number}" in hidden for number in range(1, many))


def test_two_hops_stand_open() -> None:
    alert = alert_of(an_event())
    tree = chain_drawing(alert, alert.principals[0], told(a_long_chain(2)))
    assert not [kid for kid in tree["k"] if kid["t"] == "details"]


def test_the_page_of_an_id_that_unlike_calls_share_says_so() -> None:
    row = {"replaced": None, "event_name": "CreateUser"}
    node = evidence.what_counts([row, row | {"event_name": "DeleteTrail"}])
    assert node is not None
    assert "CreateUser and DeleteTrail" in " ".join(texts([node]))
    assert "each counts" in " ".join(texts([node]))
    same = evidence.what_counts([row, row])
    assert same is not None
    assert "count as one call" in " ".join(texts([same]))
