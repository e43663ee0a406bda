"""No file, whatever it claims, nests or repeats, keeps a build busy for long.

Time is counted in CPU seconds of a process of its own, and the limits are far above what is needed
here: what they catch took minutes or never ended.
"""

from __future__ import annotations

import gzip
import io
import json
import resource
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.an_event import an_event
from trail.index.build import add
from trail.read.formats import RECORD_BYTES, Bad, Chunk, Found, Loose, read_source
from trail.store import open_store

ROOT = Path(__file__).parents[1]
CPU_SECONDS = 40
"""A hundred times what the slowest of these takes alone."""


def _read(path: Path) -> list[tuple[str, str, str]]:
    """(file, position, reason) of what could not be read, found by a process of its own that is
    ended when it takes too long."""
    script = (
        "import json, sys; from trail.read.formats import Bad, read_source;"
        "bad = [(f.source_file, f.position, f.reason) for f in read_source(sys.argv[1])"
        " if isinstance(f, Bad)]; print(json.dumps(bad[:2] + bad[-2:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(  # noqa: PLW1509 # no thread of ours holds a lock
            resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS)
        ),
    )  # fmt: skip
    assert done.returncode == 0, f"ended by {done.returncode}: {done.stderr[-500:]}"
    return [tuple(one) for one in json.loads(done.stdout)]


def _nested(begin: bytes, end: bytes, depth: int) -> bytes:
    return begin * depth + b"1" + end * depth


RECORD = b'{"eventID":'
NESTS = {
    "records, not closed": RECORD * 4_000,
    "records, not closed, in an array": b"[" + RECORD * 4_000,
    "records": _nested(RECORD, b"}", 4_000),
    "records in Records": b'{"Records":[' + _nested(RECORD, b"}", 4_000) + b"]}",
    "Records": _nested(b'{"Records":[', b"]}", 4_000),
    "Records, not closed": b'{"Records":[' * 4_000,
    "arrays": _nested(b"[", b"]", 24_000),
    "braces": b"{" * 48_000,
}


@pytest.mark.parametrize("what", NESTS)
def test_nesting_is_told_at_once(what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(NESTS[what])
    bad = _read(path)
    assert bad
    assert {file for file, _, _ in bad} == {str(path)}
    assert all(position for _, position, _ in bad)


BROKEN = {
    "no quote closed": b"[" + b'{"eventID":"a,"x":1},' * 20_000 + b"]",
    "no bracket closed": b"[" + b'{"eventID":"a","x":{},' * 20_000 + b"]",
    "one string without end": b'{"eventID":"' + b'\\"' * 4_000_000,
    "strings for records": b"[" + b'"a",' * 500_000 + b"1]",
    "numbers for records": b"[" + b"1," * 1_000_000 + b"1]",
    "blanks in an object": b"{" + b" " * 40_000_000,
    "a string after the array": b'{"logEvents":[],"x":"' + b"a" * 40_000_000,
    "a string of escapes after it": b'{"logEvents":[],"x":"' + b'\\"' * 4_000_000,
    "half of each record": b"".join(b'{"eventID":"%d","a":[' % n for n in range(30_000)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_over_and_over_is_read_once(what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(BROKEN[what])
    _read(path)


def _zip_of(name: str, content: bytes, times: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(times):
            archive.writestr(f"{number}-{name}", content)
    return packed.getvalue()


def _zips_in_zips(leaf: bytes) -> bytes:
    """12 files in each of 12 zips in each of 12 zips in one."""
    return _zip_of("c.zip", _zip_of("b.zip", _zip_of("a.json", leaf, 12), 12), 12)


def _tar_of(name: str, content: bytes, times: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for number in range(times):
            member = tarfile.TarInfo(f"{number}-{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _tar_claiming(size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    claimed = tarfile.TarInfo("a.json")
    claimed.size, claimed.type = size, kind
    return claimed.tobuf(tarfile.GNU_FORMAT) + b"{}" * 1_000


def _zip_claiming() -> bytes:
    """An archive whose list of members should be 4 GB long."""
    packed = bytearray(_zip_of("a.json", b"{}", 1))
    at = packed.rindex(b"PK\5\6")
    packed[at + 12 : at + 16] = (0xFFFFFFF0).to_bytes(4, "little")
    return bytes(packed)


def _gzip_again(data: bytes, times: int) -> bytes:
    return reduce(lambda inner, _: gzip.compress(inner, 9), range(times), data)


CSV_HEAD = b"eventid,eventname,eventtime,eventsource,useridentity\n"
PACKED: dict[str, tuple[Callable[[], bytes], str]] = {
    "tar that claims an exabyte": (lambda: _tar_claiming(1 << 60), "damaged tar"),
    "tar that claims 8 GB": (lambda: _tar_claiming(1 << 33), "damaged tar"),
    "tar with a name of 8 GB": (
        lambda: _tar_claiming(1 << 33, tarfile.GNUTYPE_LONGNAME), "damaged tar"),
    "zip that claims a long list": (_zip_claiming, "damaged zip"),
    "gzip in gzip": (lambda: _gzip_again(b"{}", 10), "nested more than 4 deep"),
    "gzip of a string in gzip": (
        lambda: _gzip_again(RECORD + b'"' + b"a" * 100_000_000, 3), "a bomb"),
    "zips in zips": (lambda: _zips_in_zips(b" " * 30_000_000), "a bomb"),
    "zips of few records in zips": (lambda: _zips_in_zips(b"{}\n" * 100), "not read further"),
    "zip of many files in a zip": (
        lambda: _zip_of("a.zip", _zip_of("a.json", b"", 30_000), 1), "nothing in them"),
    "zip of files with nothing in them": (
        lambda: _zip_of("a.json", b"", 6_000), "nothing in them"),
    "zip that is a list of files": (
        lambda: _zip_of("a" * 100, b"", 40_000), "more files than its size"),
    "tar of files with nothing in them": (lambda: _tar_of("a.json", b"{}", 6_000), "nothing in"),
    "zip of files without a record": (
        lambda: _zip_of("a.json", b'{"a": "1234567890123"}', 9_000), "without a record"),
    "tar of files without a record": (
        lambda: _tar_of("a.json", b'{"a": "1234567890123"}', 9_000), "without a record"),
    "zips of files without a record": (
        lambda: _zip_of("a.zip", _zip_of("a.txt", b"no log at all, a text", 1_000), 30),
        "without a record"),
    "gzip of many empty objects": (lambda: gzip.compress(b"{}\n" * 4_000_000), "not read further"),
    "gzip of many records": (
        lambda: gzip.compress(b'{"eventName":"a","eventTime":"2026-03-10T12:00:00Z"}\n' * 400_000),
        "not read further"),
    "gzip of many rows": (lambda: gzip.compress(CSV_HEAD + b"1,2,3,4,5\n" * 2_000_000),
                          "not read further"),
    "gzip of blank lines": (lambda: gzip.compress(CSV_HEAD + b"\n" * 50_000_000), "blank lines"),
    "gzip of exported blank lines": (
        lambda: gzip.compress(b"2026-03-10T12:00:00Z {}" + b"\n" * 50_000_000 + b"x"),
        "no CloudTrail"),
    "gzip of many tiny gzips": (lambda: gzip.compress(b"") * 60_000, "more files than"),
}  # fmt: skip


@pytest.mark.parametrize("what", PACKED)
def test_few_bytes_that_unpack_to_many_are_given_up(what: str, tmp_path: Path) -> None:
    make, reason = PACKED[what]
    path = tmp_path / "a.json.gz"
    path.write_bytes(make())
    bad = _read(path)
    assert any(reason in why for _, _, why in bad), bad
    assert all(file.startswith(str(path)) for file, _, _ in bad)


def test_an_archive_of_as_many_files_with_records_is_read_whole(tmp_path: Path) -> None:
    """One small record each, and other kinds of log files between them."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6_000):
            event = an_event(eventID=f"e{number}")
            archive.writestr(f"{number}.json", json.dumps({"Records": [event]}))
            if number % 2:
                archive.writestr(f"CloudTrail-Digest/{number}.json", json.dumps({"digest": event}))
    assert add([tmp_path / "a.zip"], tmp_path / "index").events_added == 6_000


def test_parquet_of_few_bytes_and_many_rows_is_given_up(tmp_path: Path) -> None:
    rows = 3_000_000
    one = {
        "eventID": "1",
        "eventName": "X",
        "eventTime": "2026-03-10T12:00:00Z",
        "eventSource": "s",
        "userIdentity.arn": "arn:aws:iam::111122223333:user/a",
    }
    columns = {
        name: pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int8()), [value])
        for name, value in one.items()
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    found = _read(tmp_path / "a.parquet")
    (file, position, reason) = found[0]
    assert (file, position) == (str(tmp_path / "a.parquet"), "row 0")  # before any was unpacked
    assert reason.startswith("3,000,000 records in ")
    assert reason.endswith(" bytes on disk, too few for so many: not read further")
    assert set(map(tuple, found)) == {(file, position, reason)}


def test_parquet_that_says_it_unpacks_to_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    """One column of equal long values, each written out, in few bytes of zstd."""
    rows = 3_000
    columns = {
        "eventID": pa.array([str(n) for n in range(rows)]),
        "eventName": pa.array(["X"] * rows),
        "eventTime": pa.array(["2026-03-10T12:00:00Z"] * rows),
        "userIdentity.arn": pa.array(["arn:aws:iam::111122223333:user/a"] * rows),
        "requestParameters": pa.array(["x" * 40_000] * rows),
    }
    pq.write_table(
        pa.table(columns), tmp_path / "a.parquet", compression="zstd", use_dictionary=False
    )
    size = (tmp_path / "a.parquet").stat().st_size
    assert size * 200 + (64 << 20) < rows * 40_000
    ((_, position, reason),) = set(_read(tmp_path / "a.parquet"))
    assert position == "row 0"
    assert reason.startswith("says of itself that it unpacks to 12")


def test_parquet_whose_rows_repeat_one_long_value_is_given_up(tmp_path: Path) -> None:
    rows = 60_000
    columns = {
        "eventID": pa.array([str(n) for n in range(rows)]),
        "eventName": pa.array(["X"] * rows),
        "eventTime": pa.array(["2026-03-10T12:00:00Z"] * rows),
        "userIdentity.arn": pa.array(["arn:aws:iam::111122223333:user/a"] * rows),
        "requestParameters": pa.DictionaryArray.from_arrays(
            pa.array([0] * rows, pa.int8()), ["x" * (2 << 20)]
        ),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", compression="zstd")
    (_, position, reason) = _read(tmp_path / "a.parquet")[-1]
    assert position == "row 0"
    assert "a bomb" in reason or "impossible size" in reason


@pytest.mark.parametrize("layout", ["Records", "lines", "values", "csv", "exported"])
def test_a_record_too_long_costs_itself(layout: str, tmp_path: Path) -> None:
    before, after = an_event(eventID="before"), an_event(eventID="after")
    long = json.dumps(an_event(eventID="long", requestParameters={"x": ['y{[\\"' * 10] * 400_000}))
    assert len(long) > RECORD_BYTES + (4 << 20)
    one, other = json.dumps(before), json.dumps(after)
    header = "eventid,eventname,eventtime,useridentity.principalid"
    text = {
        "Records": f'{{"Records":[{one},{long},{other}]}}',
        "lines": f"{one}\n{long}\n{other}\n",
        "values": f"{json.dumps(before, indent=1)}\n{long} {json.dumps(after, indent=1)}\n",
        "csv": f"{header}\nbefore,X,2026-03-10T12:00:00Z,s\nlong,{'x' * (20 << 20)},t,s\n"
        "after,X,2026-03-10T12:00:00Z,s\n",
        "exported": "".join(f"2026-03-10T12:00:00Z {text}\n" for text in (one, long, other)),
    }[layout]
    path = tmp_path / ("a.csv" if layout == "csv" else "a.log")
    path.write_text(text)
    assert add([path], tmp_path / "index").events_added == 2
    store = open_store(tmp_path / "index")
    found = {row["event_id"] for row in store.query("select event_id from events").rows}
    assert found == {"before", "after"}
    (reject,) = store.rejects()
    assert f"of more than {RECORD_BYTES:,} bytes" in reject.reason


def test_a_record_too_long_whose_quote_is_open_costs_what_lies_in_it(tmp_path: Path) -> None:
    records = [json.dumps(an_event(eventID=f"{n}")) for n in range(4)]
    broken = '{"eventVersion":"1.09","eventID":"' + "x" * (RECORD_BYTES + (5 << 20)) + "}"
    path = tmp_path / "a.json"
    path.write_text('{"Records":[' + ",".join([records[0], broken, *records[1:]]) + "]}")
    found = list(read_source(path))
    ids = [record["eventID"] for record in _records(found)]
    assert ids[0] == "0"
    assert ids[-1] == "3"
    assert len(ids) >= 3
    assert [bad.reason for bad in found if isinstance(bad, Bad)][0].startswith("a record of more")


def _records(found: list[Found]) -> list[dict[str, object]]:
    records: list[dict[str, object]] = []
    for one in found:
        if isinstance(one, Chunk):
            text = json.loads(one.data)
            records += text["Records"] if isinstance(text, dict) else text
        elif isinstance(one, Loose):
            records.append(one.record)
    return records


def test_thousands_of_broken_records_cost_only_themselves(tmp_path: Path) -> None:
    """As an exporter writes that does not escape quotes."""
    good = [json.dumps(an_event(eventID=f"{n}")) for n in range(2_000)]
    bad = [text.replace('"eu-west-1"', '"eu-west-1') for text in good]
    mixed = [one for pair in zip(good, bad, strict=True) for one in pair]
    path = tmp_path / "a.json"
    path.write_text('{"Records":[' + ",".join(mixed) + "]}")
    built = add([path], tmp_path / "index")
    assert (built.events_added, built.rejected) == (2_000, 2_000)
