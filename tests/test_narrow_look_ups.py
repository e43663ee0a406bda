"""What a question looks up beside its own events opens few segments of a large index, and finds the
same: a role known by its session's ARN alone, a temporary key, the alert's own event.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import trail.index.segments
from alerts import parse_alerts
from enrich.calls.acted_upon import acted_upon
from enrich.entity import by_identity_id, entity_match
from enrich.own_event import missing_own_event
from tests.an_event import ACCOUNT, a_role_session, a_user, an_assumption, an_event
from tests.memory_store import MemoryStore
from trail.index.build import add
from trail.index.catalog import Catalog
from trail.store import DuckStore

FIRST, LAST = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)
BY_ARN_ALONE = {
    "type": "AssumedRole",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/work",
    "accountId": ACCOUNT,
}
KEY = "ASIAQ3EGXK7PL5N2WZTB"
RECORDS = [
    *(
        an_event(
            eventID=f"user-{number:02}",
            eventTime=f"2026-03-{9 + number % 2:02}T{number % 24:02}:00:00Z",
            userIdentity=a_user(f"user{number}"),
        )
        for number in range(30)
    ),
    an_event(eventID="by-id", userIdentity=a_role_session("reader")),
    an_event(eventID="by-arn", userIdentity=BY_ARN_ALONE, eventTime="2026-03-10T13:00:00Z"),
    an_assumption(eventID="mint", key=KEY),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Segments of two rows at most."""
    folder = tmp_path_factory.mktemp("narrow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trail.index.segments, "ROW_GROUP", 1)
        patch.setattr(trail.index.segments, "_ROW_GROUPS", 2)
        (folder / "a.json").write_text(json.dumps({"Records": RECORDS}))
        add([folder / "a.json"], folder / "index")
    return folder / "index"


@pytest.fixture
def store(index: Path) -> DuckStore:
    return DuckStore(index)


def _files_opened(store: DuckStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counts: list[int] = []
    real = DuckStore._run

    def run(of: DuckStore, sql: str, *rest: object) -> object:
        counts.append(sql.count(".parquet"))
        return real(of, sql, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(DuckStore, "_run", run)
    return counts


def test_a_role_is_also_found_by_its_sessions_arn_in_few_segments(
    store: DuckStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alert,) = parse_alerts(json.dumps(an_event(userIdentity=a_role_session("reader"))))
    match = entity_match(alert, alert.principals[0], scope="whole_role")
    assert match is not None
    with Catalog(store.index_dir) as catalog:
        held = len(catalog.segments("events"))
    narrow, (query,) = by_identity_id(match, store, FIRST, LAST)
    opened = _files_opened(store, monkeypatch)
    # The same condition over events, which are in many more segments here.
    store.query(
        query.text.replace("from daily", "from events")
        .replace("last >=", "event_time >=")
        .replace("first <=", "event_time <="),
        query.parameters,
        first=FIRST,
        last=LAST,
    )
    (some,) = opened
    assert 0 < some <= 2
    assert held > 10
    found = store.query(
        f"select event_id from events where {narrow.sql} order by all",
        narrow.parameters,
        first=FIRST,
        last=LAST,
    )
    assert [row["event_id"] for row in found.rows] == ["by-arn", "by-id"]


@pytest.mark.parametrize(
    ("low", "high"), [("arn:", "arn;"), ("A", "B"), ("AROA", "zz"), ("z", "a")]
)
def test_rows_between_two_values_are_those_of_all_segments(
    store: DuckStore, low: str, high: str
) -> None:
    for relation in ("events", "daily", "credentials"):
        sql = "select count(*) as n from {} where {} between $low and $high"
        bound = {"low": low, "high": high}
        # Joined with nothing, it is no such column: every segment is read.
        plain = store.query(
            sql.format(relation, "(identity_id || '')"), bound, first=FIRST, last=LAST
        )
        found = store.query(sql.format(relation, "identity_id"), bound, first=FIRST, last=LAST)
        assert found.rows == plain.rows


def test_a_temporary_key_is_looked_up_where_it_was_made(
    store: DuckStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = _files_opened(store, monkeypatch)
    found = acted_upon(KEY, store, FIRST, LAST, about_identities=True)
    assert [row["event_id"] for row in found.newest] == ["mint"]
    assert sum(opened) <= 2
    assert acted_upon(KEY, MemoryStore(RECORDS), FIRST, LAST, about_identities=True).events == 1
    assert acted_upon(KEY[:-1] + "7", store, FIRST, LAST, about_identities=True).events == 0


def test_the_alerts_own_event_is_found_among_its_principals_or_anywhere(
    store: DuckStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own,) = parse_alerts(json.dumps(RECORDS[3]))
    opened = _files_opened(store, monkeypatch)
    assert missing_own_event(own, store) is None
    assert len(opened) == 1 and opened[0] <= 3  # noqa: PT018
    other = an_event(eventID="user-05", userIdentity=a_user("somebody"))
    (told_otherwise,) = parse_alerts(json.dumps(other))
    assert missing_own_event(told_otherwise, store) is None
    (unknown,) = parse_alerts(json.dumps(an_event(eventID="nowhere")))
    assert "(nowhere) is not in the index" in str(missing_own_event(unknown, store))


def test_what_each_day_and_region_has_is_known_without_reading(
    store: DuckStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = _files_opened(store, monkeypatch)
    cells = store.days_of(ACCOUNT, FIRST, LAST)
    assert not opened
    plain = sorted(MemoryStore(RECORDS).days_of(ACCOUNT, FIRST, LAST), key=lambda cell: cell.day)
    assert sorted(cells, key=lambda cell: cell.day) == plain
    assert {(cell.day.day, cell.events) for cell in cells} == {(9, 15), (10, 18)}
    assert store.days_of("999988887777", FIRST, LAST) == []
    assert store.days_of(None, FIRST, FIRST + timedelta(hours=1)) == plain[:1]
