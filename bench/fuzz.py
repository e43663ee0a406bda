"""What anyone can give us, made up and damaged without end: it is read or refused, soon.

`python -m bench fuzz --minutes N` draws examples of five kinds in turn with Hypothesis, which makes
any failure small before it is told: pasted alerts, records, containers (gzip, zip, tar, Parquet and
CSV in each other), addresses as functions read them, and addresses as whole pages answer them. The
tests run a few seconds of each (tests/test_fuzz.py).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

from alerts import parse_alerts
from alerts.correct import CorrectionRefused, correct
from tests.a_page import a_page
from tests.an_event import a_role_session, an_assumption, an_event
from trail.errors import AlertUnrecognised, BacktrailError
from trail.index.build import add
from trail.index.catalog import Catalog
from trail.index.ingest import Task, read_task
from trail.read.formats import Bad, Chunk, Loose, Skipped, read_source
from trail.store import DuckStore, open_store
from ui.explore import event_search, search_terms
from ui.kit import links
from ui.triage import intake
from ui.triage.intake import CORRECTABLE

SECONDS = 10.0
"""CPU time in which each example must be read or refused."""
_SPAN = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC))


@dataclass
class Place:
    """A folder of ours, and an index in it to ask."""

    folder: Path
    store: DuckStore


@contextmanager
def a_place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "log.json").write_text(json.dumps({"Records": _RECORDS}))
        add([folder / "log.json"], folder / "index", workers=0)
        with open_store(folder / "index") as store:
            yield Place(folder, store)


_RECORDS = [
    an_event(eventID="event-1"),
    an_assumption(eventID="event-2"),
    an_event(eventID="event-3", userIdentity=a_role_session(), errorCode="AccessDenied"),
]
_FINDING = {
    "Id": "f", "AccountId": "111122223333", "Region": "eu-west-1", "Severity": 5, "Title": "t",
    "Type": "Recon:IAMUser/UserPermissions",
    "Resource": {"AccessKeyDetails": {"AccessKeyId": "ASIAROLESESSION00001",
                 "PrincipalId": "AROAREADERXXXXXXXXXXX:work", "UserName": "reader",
                 "UserType": "AssumedRole"}},
    "Service": {"EventFirstSeen": "2026-03-10T12:00:00Z", "EventLastSeen": "2026-03-10T12:00:00Z",
                "Action": {"ActionType": "AWS_API_CALL", "AwsApiCallAction": {
                    "Api": "ListBuckets", "ServiceName": "s3.amazonaws.com",
                    "RemoteIpDetails": {"IpAddressV4": "198.51.100.7"}}}},
}  # fmt: skip

# ---- what is drawn ------------------------------------------------------------------------------

_WORDS = [
    "", " ", "constructor", "__proto__", "²", "١", "\u202e", "\0", "\ud83d", "null", "NaN", "1e999",
    "-1", "0x1", "9" * 400, "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59",
    "2026-03-10T12:00:00Z", "2026-02-30", "arn:aws:iam::111122223333:user/alice",
    "arn:aws:sts::1:assumed-role//", "ASIAROLESESSION00001", "event-1", "198.51.100.7", "::ffff:1",
    "%00", "%", "../..", "'; drop table events --", "$1", "{", "[", '"', "\\", "\\ud800", "😀" * 99,
    "sts.amazonaws.com", "session", "H4sIAAAAAAAAAA",
]  # fmt: skip
TEXTS: SearchStrategy[str] = st.one_of(
    st.sampled_from(_WORDS),
    st.text(max_size=30),
    st.lists(st.sampled_from(_WORDS), max_size=4).map("".join),
)
_VALUES: SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), TEXTS,
        st.integers(-(10**30), 10**30),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


def _changed(data: DataObject, value: Any) -> Any:
    """The JSON value with some of its parts replaced, dropped, doubled or wrapped."""
    match data.draw(st.integers(0, 11)):
        case 0:
            return data.draw(_VALUES)
        case 1:
            return [value]
        case 2:
            return json.dumps(value, default=str)
        case 3:
            return {data.draw(TEXTS): value}
    if isinstance(value, dict):
        made = {key: value[key] for key in value}
        for key in data.draw(
            st.lists(st.sampled_from(sorted(value)), max_size=3) if value else st.just([])
        ):
            if data.draw(st.booleans()):
                made.pop(key, None)
            else:
                made[key] = _changed(data, value[key])
        return made
    if isinstance(value, list) and value:
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], _changed(data, value[at]), *value[at:]]
    return value


def _damaged(data: DataObject, content: bytes) -> bytes:
    """The bytes with some of them changed, cut out, doubled or put in."""
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        size = data.draw(st.sampled_from([1, 1, 2, 4, 8, 64, 512]))
        piece = data.draw(st.one_of(st.binary(max_size=8), st.sampled_from(_PIECES)))
        match data.draw(st.integers(0, 3)):
            case 0:
                content = content[:at] + piece + content[at + len(piece) :]
            case 1:
                content = content[:at] + content[at + size :]
            case 2:
                content = content[:at] + piece + content[at:]
            case _:
                content = content[:at] + content[at : at + size] * 3 + content[at + size :]
    return content


_PIECES = [
    b"\xff" * 4, b"\xff" * 8, b"\0" * 8, b"\x7f\xff\xff\xff", b"\x80", b"{", b"}", b"[", b"]", b'"',
    b"\\", b"\n", b",", b'{"eventVersion":', b'{"Records":[', b"PK\x05\x06",
    b"\x1f\x8b\x08", b"PAR1",
]  # fmt: skip


def _container(data: DataObject) -> tuple[str, bytes]:
    """(ending, content) of records in a form that we read, in up to three more layers."""
    records = data.draw(st.lists(st.sampled_from(_RECORDS), max_size=6))
    form = data.draw(
        st.sampled_from(["records", "lines", "array", "values", "csv", "parquet", "log"])
    )
    lines = [json.dumps(record) for record in records]
    content = {
        "records": json.dumps({"Records": records}),
        "lines": "\n".join(lines),
        "array": json.dumps(records),
        "values": "".join(lines),
        "log": "".join(f"2026-03-10T12:00:00.000Z {line}\n" for line in lines),
    }.get(form, "").encode()
    if form == "csv":
        content = _csv_of(records)
    elif form == "parquet":
        content = _parquet_of(records)
    if data.draw(st.booleans()):
        content = _damaged(data, content)
    ending = ".parquet" if form == "parquet" else ".json"
    for _ in range(data.draw(st.integers(0, 3))):
        layer = data.draw(st.sampled_from(["gz", "zip", "tar"]))
        content = _wrapped(layer, content)
        ending = f".{layer}"
        if data.draw(st.integers(0, 3)) == 0:
            content = _damaged(data, content)
    return ending, content


def _csv_of(records: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    names = ["eventid", "eventname", "eventtime", "eventsource", "useridentity"]
    rows = csv.writer(text)
    rows.writerow(names)
    for record in records:
        rows.writerow([
            record["eventID"], record["eventName"], record["eventTime"], record["eventSource"],
            json.dumps(record["userIdentity"]),
        ])  # fmt: skip
    return text.getvalue().encode()


def _parquet_of(records: list[dict[str, Any]]) -> bytes:
    names = ("eventID", "eventName", "eventTime", "eventSource")
    rows = [{name: record[name] for name in names} for record in records]
    file = io.BytesIO()
    schema = pa.schema([(name, pa.string()) for name in names])
    pq.write_table(pa.Table.from_pylist(rows, schema), file)
    return file.getvalue()


def _wrapped(layer: str, content: bytes) -> bytes:
    if layer == "gz":
        return gzip.compress(content, mtime=0)
    packed = io.BytesIO()
    if layer == "zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.json", content)
    else:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            info = tarfile.TarInfo("a.json")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


# ---- what must hold -----------------------------------------------------------------------------


def recognition(data: DataObject, _: Place) -> None:
    """Pasted text: alerts, or `AlertUnrecognised`."""
    sample = data.draw(st.sampled_from([_FINDING, *_RECORDS, {"Records": _RECORDS}]))
    form = data.draw(st.integers(0, 4))
    given_: str | bytes
    if form == 0:
        given_ = data.draw(st.lists(TEXTS, max_size=12).map(" ".join))
    else:
        given_ = json.dumps(_changed(data, sample), default=str)
    if form >= 3:
        given_ = _damaged(data, given_.encode("utf-8", "surrogatepass"))
    if form == 4:
        given_ = gzip.compress(given_, mtime=0) if isinstance(given_, bytes) else given_
    try:
        found = parse_alerts(given_)
    except AlertUnrecognised:
        return
    assert found


def records(data: DataObject, place: Place) -> None:
    """Records as a file of them: each an event, or a reject with its place."""
    made = [_changed(data, record) for record in data.draw(st.permutations(_RECORDS))]
    path = place.folder / "fuzzed.json"
    text = json.dumps({"Records": made}, default=str)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    index = place.folder / "scratch"
    result = read_task(Task(str(index), [str(path)]))
    for segment in result.segments:
        (index / segment.name).unlink()
    assert result.error is None
    (of_file,) = result.files
    assert all(position and reason for _, position, reason in of_file.rejects)


def containers(data: DataObject, place: Place) -> None:
    """Files, whole and damaged: what is in them or why not, and never an exception."""
    ending, content = _container(data)
    path = place.folder / f"fuzzed{ending}"
    path.write_bytes(content)
    for found in read_source(path):
        assert isinstance(found, Chunk | Loose | Bad | Skipped)
        if isinstance(found, Bad):
            assert found.position
            assert found.reason


_NAMES = sorted(
    {"event", "alert", "text", "which", "who", "all", "check", "of", "page", "from", "to", "result",
     "id", "view", "state", "sort", "order", "severity", "related", *search_terms.TERMS,
     *intake.CORRECTABLE}
)  # fmt: skip
_ADDRESSES = st.dictionaries(st.sampled_from(_NAMES), TEXTS, max_size=5)


def addresses(data: DataObject, place: Place) -> None:
    """Parameters of an address: what they ask for, a sentence, or nothing."""
    asked = data.draw(_ADDRESSES)
    search = event_search.search_of(asked, _SPAN)
    condition, bound = search.condition()
    with suppress(BacktrailError):
        place.store.query(
            f"select event_id from events where {condition} limit 5", bound,
            first=search.first, last=search.last,
        )  # fmt: skip
    with suppress(AlertUnrecognised):
        intake.unpack(asked.get("text", ""))
    (alert,) = parse_alerts(json.dumps(_RECORDS[2]))
    changes = {field: asked[name] for name, field in CORRECTABLE.items() if asked.get(name)}
    with suppress(CorrectionRefused):
        correct(alert, **changes)
    links.address("events", asked)
    with suppress(BacktrailError):
        place.store.raw_records([text for text in asked.values() if text][:2])


def pages(data: DataObject, place: Place) -> None:
    """Whole pages at any address: drawn, without an exception."""
    name = data.draw(st.sampled_from(["triage", "events", "entity", "inbox", "cases", "case",
                                      "review", "index"]))  # fmt: skip
    asked = {key: text for key, text in data.draw(_ADDRESSES).items() if _may_be_sent(text)}
    with patch.dict(
        "os.environ",
        BACKTRAIL_INDEX=str(place.folder / "index"),
        BACKTRAIL_DEMO=str(place.folder / "demo"),
        BACKTRAIL_CASES_URL=str(place.folder / "cases.db"),
        BACKTRAIL_USER="lea",
    ):
        at = a_page(name, asked)
    assert not at.exception, [one.message for one in at.exception]


def _may_be_sent(text: str) -> bool:
    """Whether a browser can send it: an address has no half of a pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


Check = Callable[[DataObject, Place], None]
CHECKS: dict[str, Check] = {
    "recognition": recognition,
    "records": records,
    "containers": containers,
    "addresses": addresses,
    "pages": pages,
}
_SLOW = {"pages": 20}
"""Of these, so many times fewer examples."""


def run(check: Check, place: Place, examples: int, number: int) -> int:
    """How many examples were tried; raises what the smallest failing one raises."""
    tried = 0

    def one(data: DataObject) -> None:
        nonlocal tried
        tried += 1
        began = time.process_time()
        check(data, place)
        took = time.process_time() - began
        assert took < SECONDS, f"took {took:.0f} s"

    fuzzing = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(fuzzing(given(data=st.data())(one)))()
    return tried


@dataclass
class _Told:
    examples: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHECKS, 0))
    failures: list[str] = field(default_factory=list)


def fuzz(work: Path, full: bool, minutes: float = 30.0) -> dict[str, Any]:
    """Alerts, records, containers and addresses made up for half an hour (`--minutes`)."""
    told = _Told()
    began = time.monotonic()
    number = int(time.time())
    with a_place() as place:
        with Catalog(place.folder / "scratch", create=True):
            pass
        while time.monotonic() - began < minutes * 60:
            for name, check in CHECKS.items():
                if time.monotonic() - began >= minutes * 60:
                    break
                number += 1
                try:
                    told.examples[name] += run(check, place, 200 // _SLOW.get(name, 1), number)
                except Exception:
                    told.failures.append(f"{name}, seed {number}: {traceback.format_exc()[-3000:]}")
    (work / "fuzz.log").write_text("\n\n".join(told.failures), "utf-8", "backslashreplace")
    return {
        "name": "fuzz",
        "minutes": round((time.monotonic() - began) / 60, 1),
        "examples": told.examples,
        "failures": len(told.failures),
        "gates": {"failures": {"value": len(told.failures), "limit": 0, "met": not told.failures}},
    }
