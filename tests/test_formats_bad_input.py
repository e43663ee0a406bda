"""What cannot be read is counted and located, and everything beside it is indexed."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.an_event import an_event
from trail.events import Unreadable, event_row
from trail.index.build import add
from trail.index.catalog import Catalog
from trail.read.formats import Bad, Loose, read_source, take_apart
from trail.store import open_store

ROOT = Path(__file__).parents[1]


def _text(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()


def _three(middle: bytes) -> bytes:
    """A log file whose second record is `middle`."""
    return b'{"Records":[' + b",".join([_text(an_event()), middle, _text(an_event())]) + b"]}"


BAD_RECORDS = {
    "NUL byte": (_text(an_event()).replace(b"Describe", b"Desc\0ribe"), "malformed JSON"),
    "not UTF-8": (_text(an_event()).replace(b"Describe", b"Desc\xffribe"), "not UTF-8"),
    "unquoted value": (_text(an_event()).replace(b'"eu-west-1"', b"eu-west-1"), "malformed JSON"),
    "quote not closed": (_text(an_event()).replace(b'"eu-west-1"', b'"eu-west-1'), "malformed"),
    "bracket not closed": (_text(an_event())[:-1], "malformed JSON"),
    "NaN": (_text(an_event()).replace(b"true", b"NaN", 1), "malformed JSON"),
    "nested too deeply": (
        _text(an_event()).replace(b"null", b"[" * 90_000 + b"]" * 90_000, 1), "nested too deeply"),
    "number": (b"7", "not a JSON object"),
    "no time": (_text(an_event(eventTime=None)), "no eventTime"),
    "no name": (_text(an_event(eventName=None)), "no eventName"),
    "time is no time": (_text(an_event(eventTime="soon")), "'soon' is no time"),
    "1970": (_text(an_event(eventTime="1970-01-01T00:00:00Z")), "outside 2006 to 2099"),
    "2262": (_text(an_event(eventTime="2262-04-12T00:00:00Z")), "outside 2006 to 2099"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_RECORDS)
@pytest.mark.parametrize("layout", ["one line", "lines"])
def test_bad_record_costs_only_itself(what: str, layout: str, tmp_path: Path) -> None:
    middle, reason = BAD_RECORDS[what]
    data = _three(middle)
    if layout == "lines":
        data = b"\n".join([_text(an_event()), middle, _text(an_event())]) + b"\n"
    path = tmp_path / "log.json"
    path.write_bytes(data)
    built = add([path], tmp_path / "index")
    assert (built.events_added, built.rejected) == (2, 1)
    (reject,) = open_store(tmp_path / "index").rejects()
    assert reject.path == str(path)
    assert reject.position.startswith("record 1")
    assert reason in reject.reason


@pytest.mark.parametrize(
    ("record", "column", "value"),
    [
        (_text(an_event()).replace(b'"eventName":', b'"eventName":"First","eventName":'),
         "event_name", "DescribeInstances"),
        (_text(an_event(readOnly="true")), "read_only", True),
        (_text(an_event(eventVersion=1.08)), "event_version", "1.08"),
        (_text(an_event(requestParameters={"durationSeconds": "900"})), "duration_seconds", 900),
        (_text(an_event(userAgent="half \ud800 pair")), "user_agent", "half ? pair"),
        (_text(an_event(userAgent="nul \0 inside")), "user_agent", "nul \0 inside"),
        (_text(an_event(surprise={"unknown": [1]})), "event_name", "DescribeInstances"),
        (_text(an_event(userIdentity="a string")), "identity_id", None),
    ],
    ids=["duplicate keys", "text flag", "number as version", "number as text",
         "half a surrogate pair", "escaped NUL", "unknown key", "identity of a wrong type"],
)  # fmt: skip
def test_odd_records_are_kept(record: bytes, column: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(_three(record))
    built = add([path], tmp_path / "index")
    assert (built.events_added, built.rejected) == (3, 0)
    store = open_store(tmp_path / "index")
    rows = store.query(f"select {column} as v from events where source_ordinal = 1").rows
    assert rows == [{"v": value}]
    # and no JSON column can stop a query
    store.query("select json_extract_string(user_identity, '$.a'), json(request_parameters)"
                " from events")  # fmt: skip


def test_half_a_surrogate_pair_inside_json_stops_no_query(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(_three(_text(an_event(requestParameters={"a": "x\ud800y"}))))
    assert add([path], tmp_path / "index").events_added == 3
    rows = open_store(tmp_path / "index").query(
        "select json_extract_string(request_parameters, '$.a') as a from events where"
        " request_parameters is not null"
    )
    assert rows.rows == [{"a": "x?y"}]


def test_truncated_gzip_keeps_what_could_be_read(tmp_path: Path) -> None:
    records = [an_event(requestParameters={"noise": os.urandom(300).hex()}) for _ in range(200)]
    packed = gzip.compress(json.dumps({"Records": records}).encode())
    path = tmp_path / "log.json.gz"
    path.write_bytes(packed[: len(packed) // 2])
    built = add([path], tmp_path / "index")
    assert 60 < built.events_added < 140
    assert built.rejected == 1
    (reject,) = open_store(tmp_path / "index").rejects()
    assert "gzip ends early" in reject.reason
    assert reject.position == f"after record {built.events_added - 1}"


def test_truncated_text_keeps_what_could_be_read(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(_three(_text(an_event()))[:-100])
    built = add([path], tmp_path / "index")
    assert (built.events_added, built.rejected) == (2, 1)
    assert "ends inside" in open_store(tmp_path / "index").rejects()[0].reason


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", b"\0" * 5_000, "NUL"),
        ("a.json", b"certainly not JSON", "neither JSON nor CSV"),
        ("a.json.gz", b"\x1f\x8b\x08\x00garbage", "gzip"),
        ("a.json", b"\xff\xfe{\0\0\xd8", "not the text that its first bytes promise"),
        ("a.zip", b"PK\x03\x04" + b"\0" * 100, "damaged zip"),
        ("a.parquet", b"PAR1" + b"\0" * 100, "damaged Parquet"),
        ("a.json.bz2", bz2.compress(b"{}"), "packed with bzip2: unpack it first"),
        ("a.json.xz", lzma.compress(b"{}"), "packed with xz: unpack it first"),
        ("logs.7z", b"7z\xbc\xaf\x27\x1c\0\4", "packed with 7-Zip: unpack it first"),
        ("event_history.csv", b"Event name,Event time,User name,Event source\na,b,c,d\n",
         "Event history as CSV, which lacks who called"),
        ("a.tar", b"x" * 257 + b"ustar" + b"\0" * 2_000, "damaged tar"),
    ],
)  # fmt: skip
def test_unreadable_files_are_located(
    name: str, content: bytes, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "in" / "good.json").write_bytes(_three(_text(an_event())))
    built = add([tmp_path / "in"], tmp_path / "index")
    assert (built.events_added, built.rejected) == (3, 1)
    (reject,) = open_store(tmp_path / "index").rejects()
    assert reject.path == str(tmp_path / "in" / name)
    assert reason in reject.reason


def test_archive_member_is_named_in_its_reject(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good.json", _three(_text(an_event())))
        archive.writestr("in/bad.json", _three(b"{"))
    built = add([tmp_path / "a.zip"], tmp_path / "index")
    assert (built.events_added, built.rejected) == (5, 1)
    (reject,) = open_store(tmp_path / "index").rejects()
    assert reject.path == f"{tmp_path}/a.zip!/in/bad.json"


def _in_limited_process(folder: Path, memory: int) -> dict[str, Any]:
    """What `add` and `status` say, in a process that may not use more than `memory` bytes.

    Its peak is read from `/proc`: `ru_maxrss` keeps what the process was before it ran this
    program, which is the test worker that started it and may be larger.
    """
    code = (
        "import json, sys; from trail.index.build import add; from trail.store import *;"
        "built = add([sys.argv[1] + '/in'], sys.argv[1] + '/index', workers=0);"
        "told = dict(line.split(':', 1) for line in open('/proc/self/status'));"
        "peak = int(told['VmHWM'].split()[0]) * 1024;"
        "rejects = [r.reason for r in open_store(sys.argv[1] + '/index').rejects()];"
        "print(json.dumps([built.events_added, built.rejected, rejects, peak]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, check=True
    )
    events, rejected, rejects, peak = json.loads(done.stdout)
    assert peak < memory, f"{peak / 2**20:,.0f} MiB"
    return {"events": events, "rejected": rejected, "rejects": rejects}


def test_gzip_bombs_end_early_and_within_memory(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.json").write_bytes(_three(_text(an_event())))
    block = b"\0" * (1 << 20)
    with gzip.open(tmp_path / "in" / "nuls.json.gz", "wb", compresslevel=1) as file:
        for _ in range(400):
            file.write(block)
    with gzip.open(tmp_path / "in" / "string.json.gz", "wb", compresslevel=6) as file:
        file.write(b'{"Records":[{"eventName":"')
        for _ in range(400):
            file.write(b"a" * (1 << 20))
    found = _in_limited_process(tmp_path, 600 << 20)
    assert found["events"] == 3
    # The string is a record too long, and what follows it a bomb.
    assert [reason.partition(";")[0] for reason in found["rejects"]] == [
        "binary data (NUL bytes), not JSON, CSV or Parquet",
        "a record of more than 16,777,216 bytes",
        "unpacks to more than 200 times its size: a bomb",
    ]


def test_200_megabytes_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    before, after = _text(an_event(eventID="@@", requestParameters={"x": "y" * 8_000})).split(
        b"@@", 1
    )
    count = 0
    with (tmp_path / "in" / "one-line.json").open("wb") as file:
        file.write(b'{"Records":[')
        while file.tell() < 200 << 20:
            file.write((b"," if count else b"") + before + b"%d" % count + after)
            count += 1
        file.write(b"]}")
    found = _in_limited_process(tmp_path, 900 << 20)
    assert found == {"events": count, "rejected": 0, "rejects": []}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own is for one user alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def test_folder_and_file_without_permission(open_folder: Path) -> None:
    source = open_folder / "in"
    (source / "closed").mkdir(parents=True)
    (source / "closed" / "hidden.json").write_bytes(_three(_text(an_event())))
    (source / "closed").chmod(0)
    (source / "shut.json").write_bytes(_three(_text(an_event())))
    (source / "shut.json").chmod(0)
    (source / "good.json").write_bytes(_three(_text(an_event())))

    def add_as_nobody() -> list[Any]:
        code = (
            "import json, os, sys; from trail.index.build import add;"
            "from trail.store import open_store;"
            "os.geteuid() or os.setuid(65534);"
            "built = add([sys.argv[1] + '/in'], sys.argv[1] + '/index');"
            "print(json.dumps([built.events_added, built.rejected,"
            " [r.path for r in open_store(sys.argv[1] + '/index').rejects()]]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(open_folder)],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        answer: list[Any] = json.loads(done.stdout)
        return answer

    assert add_as_nobody() == [3, 2, [str(source / "closed"), str(source / "shut.json")]]
    # Permission given, everything is there at the next run, and the rejects are gone.
    (source / "closed").chmod(0o755)
    (source / "shut.json").chmod(0o644)
    assert add_as_nobody() == [6, 0, []]


def test_names_that_are_no_utf8_stop_nothing(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "gut-ü.json").write_bytes(_three(_text(an_event())))
    for name in (b"a\xff.json", b"folder\xfe"):
        odd = Path(os.fsdecode(os.fsencode(source) + b"/" + name))
        if name.endswith(b".json"):
            odd.write_bytes(_three(_text(an_event())))
        else:
            odd.mkdir()
            (odd / "inside.json").write_bytes(_three(_text(an_event())))
    for again in (False, True):
        built = add([source], tmp_path / "index")
        assert (built.events_added, built.rejected) == (0 if again else 3, 2)
        rejects = open_store(tmp_path / "index").rejects()
        assert [r.path for r in rejects] == [f"{source}/a\\xff.json", f"{source}/folder\\xfe"]
        assert all("not UTF-8" in r.reason for r in rejects)
    # Named outright, it is said as well; renamed, it is read and its reject is gone.
    odd = Path(os.fsdecode(os.fsencode(source) + b"/a\xff.json"))
    assert add([odd], tmp_path / "other").rejected == 1
    odd.rename(source / "a.json")
    assert add([source], tmp_path / "index").events_added == 3
    assert len(open_store(tmp_path / "index").rejects()) == 1


def test_odd_names_inside_archives(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", encoding="latin-1") as archive:
        info = tarfile.TarInfo("\xff.json")
        data = _three(_text(an_event()))
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    (tmp_path / "a.tar").write_bytes(packed.getvalue())
    built = add([tmp_path / "a.tar"], tmp_path / "index")
    assert (built.events_added, built.rejected) == (3, 0)


def test_deep_objects_in_converted_rows_stop_nothing(tmp_path: Path) -> None:
    deep = "[" * 400 + "]" * 400
    row = (
        '{"metadata":{"uid":"1"},"class_uid":6003,"time":1773144000000,"api":{"operation":"X"},'
        f'"unmapped":{{"userIdentity.x":{deep},"{"a." * 5_000}b":1}}}}'
    )
    objects = '{"a":' * 900 + "1" + "}" * 900
    other = f'{{"metadata":{{}},"class_uid":6003,"api":{{}},"unmapped":{objects}}}'
    (tmp_path / "a.json").write_text(row + "\n" + other + "\n")
    (tmp_path / "b.json").write_bytes(_three(_text(an_event())))
    built = add([tmp_path / "a.json", tmp_path / "b.json"], tmp_path / "index")
    assert built.events_added + built.rejected == 5


def test_values_of_a_table_that_json_has_not(tmp_path: Path) -> None:
    row = {
        "eventTime": datetime(2026, 3, 10, 12, tzinfo=UTC),
        "eventName": "X",
        "eventID": "1",
        "userIdentity": {"type": "IAMUser", "principalId": "AIDA1"},
        "requestParameters": {"when": datetime(2026, 3, 1), "raw": b"x", "sum": Decimal("1.5")},
    }
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    assert add([tmp_path / "a.parquet"], tmp_path / "index").events_added == 1
    (found,) = open_store(tmp_path / "index").query("select * from events").rows
    assert found["event_time"] == row["eventTime"]
    assert json.loads(found["request_parameters"])["sum"] == "1.5"


def test_link_loops_end(tmp_path: Path) -> None:
    source = tmp_path / "in" / "deeper"
    source.mkdir(parents=True)
    (source / "a.json").write_bytes(_three(_text(an_event())))
    (source / "up").symlink_to(tmp_path / "in")
    (source / "self").symlink_to(source / "self")
    (source / "nowhere").symlink_to(tmp_path / "nothing")
    built = add([tmp_path / "in"], tmp_path / "index")
    assert built.events_added == 3


_any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.text(max_size=8)
        | st.sampled_from(["Records", "Events", "logEvents", "message", "eventName", "eventTime",
                           "detail", "detail-type", "awslogs", "data", "CloudTrailEvent",
                           "records", "hits", "_source", "result", "_raw", "event", "original"]),
        inner,
        max_size=4,
    ),
    max_leaves=25,
)  # fmt: skip
_near_ocsf = st.fixed_dictionaries(
    {"metadata": _any_json, "class_uid": _any_json, "api": _any_json},
    optional={
        "time": st.just(1773144000000) | _any_json,
        "actor": st.fixed_dictionaries(
            {},
            optional={
                "user": st.dictionaries(
                    st.sampled_from(
                        ["type", "uid", "uid_alt", "uuid", "credential_uid", "account"]
                    ),
                    st.sampled_from(["arn:x", "AROAX:s", "IdentityCenterUser", "WebIdentityUser"])
                    | _any_json,
                ),
                "session": _any_json,
                "idp": _any_json,
            },
        )
        | _any_json,
        "unmapped": st.dictionaries(
            st.sampled_from(
                ["userIdentity", "userIdentity.type", "userIdentity.type.x", ".", "a..b"]
            ),
            _any_json,
        )
        | st.lists(st.tuples(st.text(max_size=3), _any_json), max_size=3)
        | _any_json,
        "resources": _any_json,
        "status_id": st.just(2) | _any_json,
    },
)


def _read(path: Path) -> int:
    """How many records the reader found; it must always come to an end."""
    records = 0
    for found in read_source(path):
        if hasattr(found, "records"):
            records += sum(isinstance(one, Loose | Bad) for one in take_apart(found))
        if isinstance(found, Loose):
            records += 1
            with suppress(Unreadable):
                event_row(found.record)
    return records


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(value=_any_json | _near_ocsf, indent=st.sampled_from([None, 2]), packed=st.booleans())
def test_any_json_is_read_to_its_end(
    value: Any, indent: int | None, packed: bool, tmp_path: Path
) -> None:
    data = json.dumps(value, indent=indent).encode()
    path = tmp_path / "any.json"
    path.write_bytes(gzip.compress(data) if packed else data)
    _read(path)


def test_line_broken_in_two_costs_only_itself(tmp_path: Path) -> None:
    """A first line cut inside a quote says nothing of the layout, and must not eat the others."""
    lines = [_text(an_event()) + b"\n" for _ in range(6)]
    path = tmp_path / "broken.json"
    path.write_bytes(lines[0][:20] + b"\n" + lines[0][22:] + b"".join(lines[1:]))
    built = add([path], tmp_path / "index")
    assert built.events_added == 5
    assert built.rejected >= 1


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_damage_anywhere_loses_at_most_its_neighbours(data: Any, tmp_path: Path) -> None:
    records = [an_event() for _ in range(6)]
    text = json.dumps({"Records": records}).encode()
    if data.draw(st.booleans(), "as lines"):
        text = b"".join(_text(record) + b"\n" for record in records)
    at = data.draw(st.integers(20, len(text) - 1), "at")
    junk = data.draw(st.binary(max_size=6), "junk")
    path = tmp_path / "damaged.json"
    path.write_bytes(text[:at] + junk + text[at + data.draw(st.integers(0, 6), "cut") :])
    assert _read(path) >= 4


def test_a_reject_says_in_our_words_where_its_json_breaks(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_text('{"Records":[{"eventID": 01}]}')
    add([log], tmp_path / "index")
    with Catalog(tmp_path / "index") as catalog:
        (rejected,) = catalog.rejects()
    assert rejected.reason == (
        "malformed JSON: line 1, column 14: a comma or a closing bracket is missing"
    )
