"""read = kept + repeated + rejected + skipped, over whatever is added, dropped or migrated."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.an_event import an_event
from trail.index.build import add
from trail.index.catalog import Catalog, Records
from trail.index.upkeep import compact, drop_before, migrate, verify
from trail.store import open_store

AGGREGATED = {
    "eventVersion": "1.0", "accountId": "111122223333", "eventId": "7",
    "eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent", "awsRegion": "eu-west-1",
    "eventSource": "s3.amazonaws.com", "summary": {"details": []},
}  # fmt: skip
INSIGHT = {
    "eventTime": "2026-03-10T12:00:00Z", "eventType": "AwsCloudTrailInsight",
    "eventCategory": "Insight", "insightDetails": {},
}  # fmt: skip


def records_of(index: Path) -> Records:
    with Catalog(index) as catalog:
        found = catalog.records()
    assert found is not None
    return found


def write(path: Path, *records: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Records": records}))
    return path


def test_each_class_by_hand(tmp_path: Path) -> None:
    source = tmp_path / "in"
    same = an_event(eventID="1")
    write(source / "a.json", same, an_event(eventID="2"), AGGREGATED, INSIGHT, {"eventTime": "?"})
    write(source / "b.json", same, same)
    (source / "README.md").write_text("about")
    (source / "empty.json").write_text("")
    (source / "policy.json").write_text('[{"Version": "1"}, {"Version": "2"}]')
    write(source / "AWSLogs/1/CloudTrail-Digest/eu-west-1/2026/03/10/d.json", same)
    built = add([source], tmp_path / "index")
    # Kept: 1 and 2. Repeated: 1 in b, twice. Rejected: no time. Skipped: two records of a, and the
    # two things in policy.json; README, empty and the digest are files, not records.
    assert records_of(tmp_path / "index") == Records(9, 2, 2, 1, 4)
    assert (built.events_added, built.duplicates, built.rejected) == (2, 2, 1)
    assert built.skipped_files == 4  # the Aggregated record is no skipped file
    store = open_store(tmp_path / "index")
    assert [(reason, count) for _, reason, count in store.skipped_records()] == [
        ("Aggregated record: a summary of many calls, not a call", 1),
        ("Insight record: not an API call", 1),
    ]
    assert len(store.rejects()) == 1
    assert store.summary().records == records_of(tmp_path / "index")


def test_an_envelope_counts_what_it_carries(tmp_path: Path) -> None:
    carried = {"Records": [an_event(), an_event(), AGGREGATED, "?"]}
    (tmp_path / "lines.json").write_text(f"{json.dumps(an_event())}\n{json.dumps(carried)}\n")
    add([tmp_path / "lines.json"], tmp_path / "index")
    assert records_of(tmp_path / "index") == Records(5, 3, 0, 1, 1)


def test_a_folder_that_cannot_be_listed_counts_until_it_can(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source / "a.json", an_event())
    (odd := source / os.fsdecode(b"\xff.json")).write_text(json.dumps(an_event()))
    add([source], tmp_path / "index")
    add([source], tmp_path / "index")
    assert records_of(tmp_path / "index") == Records(2, 1, 0, 1, 0)
    odd.unlink()
    add([source], tmp_path / "index")
    assert records_of(tmp_path / "index") == Records(1, 1, 0, 0, 0)


def test_dropped_days_become_skipped_and_stay_so(tmp_path: Path) -> None:
    old, new = an_event(eventTime="2026-03-01T12:00:00Z"), an_event()
    path = write(tmp_path / "in" / "a.json", old, new)
    archive = tmp_path / "in" / "b.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("c.json", json.dumps({"Records": [old, old]}))
    index = tmp_path / "index"
    add([tmp_path / "in"], index)
    assert records_of(index) == Records(4, 2, 2, 0, 0)
    assert drop_before(index, date(2026, 3, 5)) == 1
    assert records_of(index) == Records(4, 1, 0, 0, 3)
    write(path, old, new, an_event())
    add([tmp_path / "in"], index)
    assert records_of(index) == Records(5, 2, 0, 0, 3)
    # The archive is not read, and still counted.
    assert migrate(index, force=True) is not None
    assert records_of(index) == Records(5, 2, 0, 0, 3)


def test_an_index_of_before_says_that_it_did_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from trail.__main__ import main

    add([write(tmp_path / "a.json", an_event())], tmp_path / "index")
    with Catalog(tmp_path / "index", create=True) as catalog:
        for statement in (
            "update meta set value = '3' where key = 'schema_version'",
            "alter table files drop column passed_over",
            "alter table skips drop column records",
            "alter table skips drop column whole",
        ):
            catalog._db.execute(statement)
    assert main(["status", "--index", str(tmp_path / "index")]) == 0
    assert "`python -m trail migrate` counts them" in capsys.readouterr().out
    assert main(["status", "--json", "--index", str(tmp_path / "index")]) == 0
    assert json.loads(capsys.readouterr().out)["read"] is None
    assert main(["migrate", "--index", str(tmp_path / "index")]) == 0
    assert records_of(tmp_path / "index") == Records(1, 1, 0, 0, 0)


# ---- any mix of files ----------------------------------------------------------------------------

an_id = st.integers(0, 5)
a_day = st.integers(8, 11)
record = st.one_of(
    st.tuples(an_id, a_day).map(
        lambda pair: an_event(eventID=f"{pair[0]}", eventTime=f"2026-03-{pair[1]:02}T12:00:00Z")
    ),
    st.just(AGGREGATED),
    st.just(INSIGHT),
    st.just({"eventName": "NoTime"}),
    st.just({"eventTime": "2026-03-10T12:00:00Z", "eventName": "NoId"}),
    st.just({"Version": "2012-10-17"}),
    st.just("text"),
    st.lists(st.just(an_event(eventID="9")), max_size=2).map(lambda some: {"Records": some}),
)
shape = st.sampled_from(["array", "lines", "gzip", "zip", "cut short", "digest", "text", "empty"])
a_file = st.tuples(st.integers(0, 3), shape, st.lists(record, max_size=5))
step = st.one_of(
    st.lists(a_file, min_size=1, max_size=4),
    st.integers(8, 12).map(lambda day: ("drop", day)),
    st.sampled_from([("compact", 0), ("migrate", 0)]),
)


def put(folder: Path, number: int, how: str, records: list[Any]) -> None:
    """One file, in the place of whatever had its number; its stamp always differs."""
    for old in folder.rglob(f"{number}.*"):
        old.unlink()
    whole = json.dumps({"Records": records})
    if how == "lines":
        (folder / f"{number}.json").write_text("".join(json.dumps(one) + "\n" for one in records))
    elif how == "gzip":
        (folder / f"{number}.json.gz").write_bytes(gzip.compress(whole.encode()))
    elif how == "zip":
        with zipfile.ZipFile(folder / f"{number}.zip", "w") as archive:
            archive.writestr("one.json", whole)
            archive.writestr("README", "about")
    elif how == "digest":
        (deep := folder / "CloudTrail-Digest").mkdir(exist_ok=True)
        (deep / f"{number}.json").write_text(whole)
    else:
        text = {"cut short": whole[:-3], "text": "about", "empty": ""}.get(how, whole)
        (folder / f"{number}.json").write_text(text)


@given(st.lists(step, min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_it_adds_up_over_any_mix(steps: list[Any]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        source, index = folder / "in", folder / "index"
        source.mkdir()
        for one in steps:
            if isinstance(one, list):
                for number, how, records in one:
                    put(source, number, how, records)
                add([source], index)
            elif not index.exists():
                continue
            elif one[0] == "drop":
                drop_before(index, date(2026, 3, one[1]))
            elif one[0] == "compact":
                compact(index)
            else:
                migrate(index, force=True)
            found = records_of(index)
            assert found.read == found.kept + found.repeated + found.rejected + found.skipped
            with Catalog(index) as catalog:
                files = catalog.files()
            assert found.read == sum(file.records for file in files)
            assert found.skipped == sum(file.passed_over for file in files)
            assert min(found.read, found.kept, found.repeated, found.rejected, found.skipped) >= 0
        if index.exists():
            assert verify(index).problems == ()
    finally:
        shutil.rmtree(folder)


def test_a_list_of_millions_of_numbers_is_counted_one_by_one(tmp_path: Path) -> None:
    """Most of them are passed over at once, across several blocks of the file."""
    (tmp_path / "list.json").write_text("[" + ",".join(map(str, range(3_000_001))) + "]")
    add([tmp_path / "list.json"], tmp_path / "index")
    assert records_of(tmp_path / "index") == Records(3_000_001, 0, 0, 0, 3_000_001)


def test_a_number_of_thousands_of_figures_is_told_in_our_words(tmp_path: Path) -> None:
    text = json.dumps(an_event()).replace('"1.11"', "9" * 5_000)
    assert "999" in text
    write(tmp_path / "good.json", an_event(eventID="2"))
    (tmp_path / "bad.json").write_text(text)
    add([tmp_path / "bad.json", tmp_path / "good.json"], tmp_path / "index")
    with Catalog(tmp_path / "index") as catalog:
        (rejected,) = catalog.rejects()
    assert rejected.reason == "malformed JSON: a number of 5,000 figures"
