"""The fast way from records to columns: shared texts, sparse columns, dictionaries cut down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.an_event import an_event
from trail.events import event_row
from trail.read.columns import Chunk, Columns, only_used
from trail.read.formats import read_source

_TEXTS = st.none() | st.sampled_from(["a", "b", "é", "a longer one"])


def _columns_of(records: list[dict[str, Any]], tmp_path: Path) -> dict[str, list[Any]]:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"Records": records}))
    (chunk,) = read_source(path)
    assert isinstance(chunk, Chunk)
    columns = Columns(lambda _: pytest.fail("went record by record"))
    columns.add_chunk(chunk)
    table = columns.sorted_table().sort_by("source_ordinal")
    found: dict[str, list[Any]] = table.to_pydict()
    return found


@settings(deadline=None)  # the first array imports pandas
@given(
    values=st.lists(_TEXTS, min_size=1, max_size=200),
    begin=st.integers(0, 100),
    size=st.integers(0, 100),
)
def test_a_part_keeps_its_rows_and_only_their_values(
    values: list[str | None], begin: int, size: int
) -> None:
    # 100 values that no row has make the dictionary long.
    unused = [f"unused {number}" for number in range(100)]
    column = pa.array(unused + values).dictionary_encode().slice(100)
    part = pa.table({"text": column, "plain": pa.array(values)}).slice(begin, size)
    cut = only_used(part)
    assert cut["text"].to_pylist() == values[begin : begin + size]
    assert cut["plain"].to_pylist() == values[begin : begin + size]
    assert cut.schema == part.schema
    kept = cut["text"].combine_chunks().dictionary.to_pylist()
    wanted = {value for value in values[begin : begin + size] if value is not None}
    # Null stands on the dictionary's first value, which is then kept as well.
    assert wanted <= set(kept) <= wanted | {"unused 0"}


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"type": "", "principalId": "", "arn": "", "accountId": ""},
        {"type": "IAMUser", "accountId": 111122223333, "principalId": 17, "userName": "bob"},
        {"type": "AssumedRole", "principalId": "AROAEXAMPLE:s", "sessionContext": None},
        {"type": "AssumedRole", "principalId": "AROAEXAMPLE:s", "sessionContext": "none"},
        {"type": "AssumedRole", "sessionContext": {"attributes": None, "sessionIssuer": []}},
        {"sessionContext": {"attributes": {"creationDate": "20260310T120000Z",
                                           "mfaAuthenticated": True}}},
        {"sessionContext": {"attributes": {"creationDate": "1970-01-01T00:00:00Z",
                                           "mfaAuthenticated": "maybe"}}},
        {"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}, "credentialId": "c-1",
         "accountId": "111122223333", "principalId": "111122223333"},
        {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
    ],
)  # fmt: skip
def test_the_fast_way_reads_an_identity_as_event_row_does(identity: object, tmp_path: Path) -> None:
    record = an_event(userIdentity=identity)
    expected = event_row(record)
    found = _columns_of([record], tmp_path)
    for name in ("identity_type", "identity_id", "principal_id", "principal_arn", "account_id",
                 "user_name", "invoked_by", "session_name", "session_from_console", "mfa",
                 "on_behalf_of", "credential_id", "recipient_account_id"):  # fmt: skip
        assert found[name] == [expected[name]], name
    created = expected["session_created"]
    assert found["session_created"] == [created and created.replace(tzinfo=None)]


def test_a_word_across_two_records_is_in_neither(tmp_path: Path) -> None:
    # The texts stand one after another: the end of one and the begin of the next are no word.
    records = [
        an_event(eventID="1", responseElements="accessKey"),
        an_event(eventID="2", responseElements="Id"),
        an_event(eventID="3", responseElements={"credentials": {"accessKeyId": "ASIAEXAMPLE"}}),
        an_event(eventID="4", responseElements=None),
    ]
    found = _columns_of(records, tmp_path)
    assert found["event_id"] == ["1", "2", "3", "4"]
    assert found["minted_access_key_id"] == [None, None, "ASIAEXAMPLE", None]
    assert found["response_elements"][0] == '"accessKey"'
    assert found["response_elements"][3] is None


def test_a_number_that_no_float_holds_costs_nothing_but_itself(tmp_path: Path) -> None:
    # msgspec hands the object on unread, and then cannot decode it.
    request = '{"roleSessionName": "s", "durationSeconds": 1e999}'
    record = json.dumps(an_event(eventName="AssumeRole", requestParameters="ITS REQUEST"))
    path = tmp_path / "a.json"
    record = record.replace('"ITS REQUEST"', request)
    path.write_text(f'{{"Records": [{record}]}}')
    (chunk,) = read_source(path)
    assert isinstance(chunk, Chunk)
    columns = Columns(lambda _: pytest.fail("went record by record"))
    columns.add_chunk(chunk)
    found = columns.sorted_table().sort_by("source_ordinal").to_pydict()
    assert found["target_session_name"] == ["s"]
    assert found["duration_seconds"] == [None]
    assert found["request_parameters"] == [request]


def test_a_region_comes_from_the_path_whatever_its_neighbours_say(tmp_path: Path) -> None:
    folder = tmp_path / "AWSLogs/111122223333/CloudTrail/eu-west-1"
    folder.mkdir(parents=True)
    for regions in (["", "us-east-1"], ["", None]):
        records = [
            an_event(eventID=str(number), awsRegion=region) for number, region in enumerate(regions)
        ]
        found = _columns_of(records, folder)
        assert found["aws_region"] == [region or "eu-west-1" for region in regions]


def test_identities_of_any_types_stand_among_usual_ones(tmp_path: Path) -> None:
    identities: list[dict[str, Any] | None] = [
        {"type": "AssumedRole", "principalId": f"AROAEXAMPLE:s{number}", "accountId": "1" * 12,
         "sessionContext": {"attributes": {"creationDate": f"2026-03-10T12:00:{number:02}Z",
                                           "mfaAuthenticated": str(number % 2 == 0).lower()}}}
        for number in range(60)
    ]  # fmt: skip
    identities[7] = {"type": "IAMUser", "accountId": 17, "principalId": 4, "userName": "bob"}
    identities[8] = None
    identities[9] = {"sessionContext": {"attributes": {"creationDate": "20260310T120000Z"}}}
    identities[10] = {"sessionContext": {"attributes": {"creationDate": "1970-01-01T00:00:00Z"}}}
    records = [
        an_event(eventID=str(number)) | {"userIdentity": identity}
        for number, identity in enumerate(identities)
    ]
    found = _columns_of(records, tmp_path)
    for number, record in enumerate(records):
        row = event_row(record)
        for name in ("identity_type", "identity_id", "principal_id", "account_id", "user_name",
                     "session_name", "session_created", "mfa", "recipient_account_id"):  # fmt: skip
            expected = row[name]
            if name == "session_created" and expected is not None:
                expected = expected.replace(tzinfo=None)
            assert found[name][number] == expected, (number, name)
