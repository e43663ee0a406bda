"""Every shape that CloudTrail is found in gives the same events."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.an_event import a_role_session, an_event
from trail.index.build import add
from trail.store import open_store

EVENTS = [
    an_event(eventName="ListBuckets", userAgent='quote " brace { backslash \\ and ü'),
    an_event(
        eventName="RunInstances",
        userIdentity=a_role_session(),
        requestParameters={"nested": [{"a": "},{"}, {"eventVersion": 1}]},
    ),
    an_event(eventName="GetObject", readOnly=False),
]
NAMES = sorted(event["eventName"] for event in EVENTS)


def _lines(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def _zip(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def _tar(members: dict[str, bytes], mode: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def _event_bridge(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.s3", "account": "1", "time": "2026-03-10T12:00:00Z", "detail": record,
    }  # fmt: skip


def _looked_up(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "EventId": record["eventID"], "EventName": record["eventName"], "ReadOnly": "true",
        "EventTime": 1773144000.0, "CloudTrailEvent": json.dumps(record),
    }  # fmt: skip


def _log_events(records: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s",
        "subscriptionFilters": ["f"],
        "logEvents": [
            {"id": str(n), "timestamp": 1773144000000, "message": json.dumps(record)}
            for n, record in enumerate(records)
        ],
    }  # fmt: skip


FILE = json.dumps({"Records": EVENTS}).encode()
SHAPES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "Records": ("a.json", lambda: FILE),
    "Records, gzip": ("a.json.gz", lambda: gzip.compress(FILE)),
    "Records, gzip without its name": ("a", lambda: gzip.compress(FILE)),
    "Records, gzip of two members": (
        "a.json.gz", lambda: gzip.compress(FILE[:100]) + gzip.compress(FILE[100:])),
    "Records, byte order mark": ("a.json", lambda: b"\xef\xbb\xbf" + FILE),
    "Records after another key": (
        "a.json", lambda: json.dumps({"x": [1], "Records": EVENTS}).encode()),
    "pretty-printed": ("a.json", lambda: json.dumps({"Records": EVENTS}, indent=4).encode()),
    "array": ("a.json", lambda: json.dumps(EVENTS).encode()),
    "array, pretty-printed": ("a.json", lambda: json.dumps(EVENTS, indent=2).encode()),
    "lines": ("a.jsonl", lambda: _lines(EVENTS)),
    "lines, no last newline": ("a.json", lambda: _lines(EVENTS).rstrip()),
    "lines of Records": ("a.json", lambda: b"".join(
        json.dumps({"Records": [e]}).encode() + b"\n" for e in EVENTS)),
    "run together": ("a.json", lambda: _lines(EVENTS).replace(b"\n", b"")),
    "files run together": ("a.json", lambda: b"".join(
        json.dumps({"Records": [e]}).encode() for e in EVENTS)),
    "objects, pretty-printed": ("a.json", lambda: "\n".join(
        json.dumps(e, indent=2) for e in EVENTS).encode()),
    "zip": ("a.zip", lambda: _zip({"x/1.json": FILE})),
    "zip of gzip and lines": ("a.zip", lambda: _zip({
        "1.json.gz": gzip.compress(json.dumps({"Records": EVENTS[:1]}).encode()),
        "2.jsonl": _lines(EVENTS[1:])})),
    "zip that has a name twice": ("a.zip", lambda: _zip_twice()),
    "zip in a zip": ("a.zip", lambda: _zip({"b.zip": _zip({"c.json": FILE})})),
    "tar": ("a.tar", lambda: _tar({"1.json": FILE}, "w")),
    "tar.gz": ("a.tar.gz", lambda: _tar({"1.json.gz": gzip.compress(FILE)}, "w:gz")),
    "records in small letters": ("a.json", lambda: json.dumps({"records": EVENTS}).encode()),
    "Elastic documents": ("a.json", lambda: _lines(
        [{"@timestamp": "x", "event": {"original": json.dumps(e)}} for e in EVENTS])),
    "Elastic documents, flat": ("a.json", lambda: json.dumps(
        [{"event.original": json.dumps(e)} for e in EVENTS]).encode()),
    "Elastic search result": ("a.json", lambda: json.dumps({"took": 1, "hits": {"hits": [
        {"_id": "1", "_source": {"event": {"original": json.dumps(e)}}} for e in EVENTS
    ]}}).encode()),
    "Elastic hits of plain records": ("a.json", lambda: json.dumps({"hits": [
        {"_source": e} for e in EVENTS]}, indent=1).encode()),
    "Splunk export": ("a.json", lambda: _lines([
        {"preview": False, "result": {"_raw": json.dumps(e), "eventName": "x"}}
        for e in EVENTS])),
    "Splunk rows": ("a.json", lambda: _lines([{"_raw": json.dumps(e)} for e in EVENTS])),
    "EventBridge": ("a.json", lambda: _lines([_event_bridge(e) for e in EVENTS])),
    "EventBridge, one": ("a.json", lambda: json.dumps(
        [_event_bridge(e) for e in EVENTS], indent=1).encode()),
    "LookupEvents": ("a.json", lambda: json.dumps(
        {"Events": [_looked_up(e) for e in EVENTS], "NextToken": "t"}, indent=4).encode()),
    "LookupEvents, token first": ("a.json", lambda: json.dumps(
        {"NextToken": "t", "Events": [_looked_up(e) for e in EVENTS]}).encode()),
    "LookupEvents, lines": ("a.json", lambda: _lines([_looked_up(e) for e in EVENTS])),
    "CloudWatch Logs export": ("000000.gz", lambda: gzip.compress(b"".join(
        b"2026-03-10T12:00:00.000Z " + json.dumps(e).encode() + b"\n" for e in EVENTS))),
    "CloudWatch Logs subscription": ("a.json", lambda: json.dumps(_log_events(EVENTS)).encode()),
    "CloudWatch Logs subscriptions run together": ("firehose-1", lambda: b"".join(
        json.dumps(_log_events([e])).encode() for e in EVENTS)),
    "CloudWatch Logs handed to Lambda": ("a.json", lambda: json.dumps({"awslogs": {"data":
        base64.b64encode(gzip.compress(json.dumps(_log_events(EVENTS)).encode())).decode()
        }}).encode()),
    "filter-log-events": ("a.json", lambda: json.dumps(
        {"events": _log_events(EVENTS)["logEvents"], "searchedLogStreams": []}).encode()),
}  # fmt: skip


def _zip_twice() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile rightly dislikes what this test is about
        for event in EVENTS:
            archive.writestr("same.json", json.dumps({"Records": [event]}))
    return packed.getvalue()


@pytest.mark.parametrize("shape", SHAPES)
def test_shape(shape: str, tmp_path: Path) -> None:
    name, make = SHAPES[shape]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(make())
    built = add([tmp_path / "in"], tmp_path / "index")
    assert (built.events_added, built.rejected, built.duplicates) == (3, 0, 0)
    store = open_store(tmp_path / "index")
    rows = store.query(
        "select event_id, event_name, user_agent, request_parameters from events order by 2"
    ).rows
    assert [row["event_name"] for row in rows] == NAMES
    assert rows[1]["user_agent"] == EVENTS[0]["userAgent"]
    assert json.loads(rows[2]["request_parameters"]) == EVENTS[1]["requestParameters"]
    # and each raw record is found again where the index says it is
    raw = store.raw_records([row["event_id"] for row in rows])
    assert {key: json.loads(text) for key, text in raw.items()} == {
        event["eventID"]: event for event in EVENTS
    }
    store.close()


def _table(header: list[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def test_athena_result(tmp_path: Path) -> None:
    identity = (
        "{type=AssumedRole, principalid=AROAX:work, arn=arn:aws:sts::1:assumed-role/r/work, "
        "accountid=111122223333, invokedby=null, accesskeyid=ASIA1, username=null, "
        "sessioncontext={attributes={mfaauthenticated=false, creationdate=2026-03-10T11:50:00Z}, "
        "sessionissuer={type=Role, principalid=AROAX, arn=arn:aws:iam::1:role/p/r, "
        "accountid=1, username=r}}}"
    )
    header = [
        "eventversion", "useridentity", "eventtime", "eventsource", "eventname", "awsregion",
        "sourceipaddress", "useragent", "errorcode", "requestparameters", "resources",
        "requestid", "eventid", "readonly", "recipientaccountid",
    ]  # fmt: skip
    row = [
        "1.08", identity, "2026-03-10T12:00:00Z", "s3.amazonaws.com", "GetObject", "eu-west-1",
        "198.51.100.7", "[a, b=c]", "", '{"bucketName":"b, c=d"}',
        "[{arn=arn:aws:s3:::b, accountid=1, type=AWS::S3::Bucket}]", "r", "e", "true",
        "111122223333",
    ]  # fmt: skip
    (tmp_path / "result.csv").write_bytes(_table(header, [row]))
    add([tmp_path / "result.csv"], tmp_path / "index")
    (found,) = open_store(tmp_path / "index").query("select * from events").rows
    assert found["identity_id"] == "AROAX"
    assert found["session_name"] == "work"
    assert found["session_created"].isoformat() == "2026-03-10T11:50:00+00:00"
    assert found["issuer_arn"] == "arn:aws:iam::1:role/p/r"
    assert found["user_name"] is None
    assert found["error_code"] is None
    assert found["read_only"] is True
    assert found["user_agent"] == "[a, b=c]"
    assert json.loads(found["request_parameters"]) == {"bucketName": "b, c=d"}
    assert json.loads(found["resources"])[0]["type"] == "AWS::S3::Bucket"


def test_lake_result(tmp_path: Path) -> None:
    header = ["eventTime", "eventName", "eventID", "userIdentity", "requestParameters"]
    row = [
        "2026-03-10 12:00:00.000", "AssumeRole", "e1",
        "{type=IAMUser, principalid=AIDA1, arn=arn:aws:iam::1:user/a}",
        "{roleArn=arn:aws:iam::1:role/x, roleSessionName=s}",
    ]  # fmt: skip
    (tmp_path / "result_1.csv.gz").write_bytes(gzip.compress(_table(header, [row, row[:3]])))
    built = add([tmp_path / "result_1.csv.gz"], tmp_path / "index")
    (found,) = open_store(tmp_path / "index").query("select * from events").rows
    assert found["target_role_arn"] == "arn:aws:iam::1:role/x"
    assert found["identity_id"] == "AIDA1"
    assert built.rejected == 1  # the short row


def test_security_lake(tmp_path: Path) -> None:
    row = {
        "metadata": {"uid": "e1", "product": {"version": "1.09"}},
        "class_uid": 6003,
        "time": 1773144000000,
        "cloud": {"region": "eu-west-1", "account": {"uid": "111122223333"}},
        "api": {
            "operation": "AssumeRole",
            "service": {"name": "sts.amazonaws.com"},
            "request": {"uid": "r1", "data": '{"roleArn":"arn:aws:iam::1:role/x"}'},
            "response": {
                "error": "AccessDenied",
                "message": "no",
                "data": '{"credentials":{"accessKeyId":"ASIANEW"}}',
            },
        },
        "actor": {
            "invoked_by": None,
            "user": {
                "type": "AssumedRole", "uid": "AROAX:work", "uid_alt": "arn:s",
                "credential_uid": "ASIA1", "account": {"uid": "111122223333"},
            },
            "session": {"issuer": "arn:aws:iam::1:role/p/r", "created_time": 1773143400000,
                        "is_mfa": True},
        },
        "src_endpoint": {"ip": "198.51.100.7", "domain": None},
        "http_request": {"user_agent": "agent"},
    }  # fmt: skip
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.gz.parquet")
    built = add([tmp_path / "a.gz.parquet"], tmp_path / "index")
    assert built.events_added == 1
    (found,) = open_store(tmp_path / "index").query("select * from events").rows
    assert found["event_name"] == "AssumeRole"
    assert found["event_time"].isoformat() == "2026-03-10T12:00:00+00:00"
    assert found["session_created"].isoformat() == "2026-03-10T11:50:00+00:00"
    assert found["failed"] is True
    assert found["minted_access_key_id"] == "ASIANEW"
    assert found["target_role_arn"] == "arn:aws:iam::1:role/x"
    assert found["issuer_arn"] == "arn:aws:iam::1:role/p/r"
    assert found["identity_id"] == "AROAX"
    assert found["mfa"] is True
    assert found["recipient_account_id"] == "111122223333"


def _ocsf(user: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A ListBuckets as Security Lake writes it."""
    return {
        "metadata": {"uid": "e1", "product": {"name": "CloudTrail", "version": "1.08"}},
        "class_uid": 6003,
        "time": 1773144000000,
        "cloud": {"region": "eu-west-1", "account": {"uid": "111122223333"}},
        "api": {"operation": "ListBuckets", "service": {"name": "s3.amazonaws.com"}},
        "actor": {"user": user},
        "src_endpoint": {"ip": "198.51.100.7"},
        "status_id": 1,
        **changes,
    }


SESSION_ARN = "arn:aws:sts::111122223333:assumed-role/Admin/bob"
OCSF_USERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "1.1 calls the ARN uid": (
        {"type": "AssumedRole", "uid": SESSION_ARN, "uid_alt": "AROAADMIN:bob",
         "credential_uid": "ASIA1"},
        {"identity_id": "AROAADMIN", "principal_arn": SESSION_ARN, "session_name": "bob",
         "access_key_id": "ASIA1", "credential_id": None}),
    "others call the ARN uid_alt": (
        {"type": "AssumedRole", "uid": "AROAADMIN:bob", "uid_alt": SESSION_ARN},
        {"identity_id": "AROAADMIN", "principal_arn": SESSION_ARN, "session_name": "bob"}),
    "1.0.0-rc.2 calls the ARN uuid": (
        {"type": "IAMUser", "uid": "AIDABOB", "uuid": "arn:aws:iam::111122223333:user/bob",
         "credential_uid": "AKIABOB", "account_uid": "111122223333"},
        {"identity_id": "AIDABOB", "principal_arn": "arn:aws:iam::111122223333:user/bob",
         "access_key_id": "AKIABOB", "account_id": "111122223333"}),
    "Identity Center": (
        {"type": "IdentityCenterUser", "uid_alt": "e3644802-3061-7018-86c3-1f9bc62c0000",
         "credential_uid": "da3f6703-d424-4a5f-848d-b0f338468164", "name": "test"},
        {"identity_id": "e3644802-3061-7018-86c3-1f9bc62c0000", "principal_arn": None,
         "on_behalf_of": "e3644802-3061-7018-86c3-1f9bc62c0000", "access_key_id": None,
         "credential_id": "da3f6703-d424-4a5f-848d-b0f338468164", "principal_id": None}),
    "web identity": (
        {"type": "WebIdentityUser", "uid_alt": "arn:aws:iam::1:oidc-provider/t:aud:sub"},
        {"identity_id": "arn:aws:iam::1:oidc-provider/t:aud:sub", "principal_arn": None}),
}  # fmt: skip


@pytest.mark.parametrize("form", ["Parquet", "JSON lines", "JSON array"])
@pytest.mark.parametrize("user", OCSF_USERS)
def test_security_lake_users(user: str, form: str, tmp_path: Path) -> None:
    written, expected = OCSF_USERS[user]
    row = _ocsf(written)
    if form == "Parquet":
        path = tmp_path / "a.gz.parquet"
        pq.write_table(pa.Table.from_pylist([row]), path)
    else:
        path = tmp_path / "a.json"
        path.write_bytes(_lines([row]) if form == "JSON lines" else json.dumps([row]).encode())
    add([path], tmp_path / "index")
    (found,) = open_store(tmp_path / "index").query("select * from events").rows
    assert {name: found[name] for name in expected} == expected


UNMAPPED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"api": {"operation": "ConsoleLogin", "service": {"name": "signin.amazonaws.com"}},
      "unmapped": {"responseElements.ConsoleLogin": "Failure",
                   "additionalEventData.MFAUsed": "Yes"}},
     {"failed": True, "mfa": True, "response_elements": '{"ConsoleLogin":"Failure"}'}),
    ({"api": {"operation": "ConsoleLogin", "service": {"name": "signin.amazonaws.com"}},
      "status_id": 2},
     {"failed": True, "error_code": None}),
    ({"api": {"operation": "SwitchRole", "service": {"name": "signin.amazonaws.com"}},
      "unmapped": {"additionalEventData.SwitchFrom": "arn:aws:iam::1:user/bob"}},
     {"failed": False, "additional_event_data": '{"SwitchFrom":"arn:aws:iam::1:user/bob"}'}),
    ({"status_id": 2, "status": "Failure"}, {"failed": True, "error_code": "Failure"}),
    ({"unmapped": {"userIdentity.sessionContext.sourceIdentity": "carol", "readOnly": "true",
                   "sharedEventID": "s1"}},
     {"source_identity": "carol", "read_only": True, "shared_event_id": "s1",
      "identity_id": "AROAADMIN"}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), UNMAPPED)
@pytest.mark.parametrize("as_pairs", [True, False], ids=["Parquet map", "JSON"])
def test_security_lake_keeps_what_it_did_not_map(
    changes: dict[str, Any], expected: dict[str, Any], as_pairs: bool, tmp_path: Path
) -> None:
    row = _ocsf({"type": "AssumedRole", "uid": SESSION_ARN, "uid_alt": "AROAADMIN:bob"}, **changes)
    if as_pairs:
        table = pa.Table.from_pylist([row])
        if "unmapped" in row:
            kind = pa.map_(pa.string(), pa.string())
            pairs = pa.array([list(row["unmapped"].items())], kind)
            table = table.set_column(table.schema.get_field_index("unmapped"), "unmapped", pairs)
        path = tmp_path / "a.parquet"
        pq.write_table(table, path)
    else:
        path = tmp_path / "a.json"
        path.write_bytes(_lines([row]))
    add([path], tmp_path / "index")
    (found,) = open_store(tmp_path / "index").query("select * from events").rows
    assert {name: found[name] for name in expected} == expected


def test_ocsf_of_another_service_is_no_cloudtrail(tmp_path: Path) -> None:
    of_eks = _ocsf({"uid": "x"}, metadata={"uid": "e2", "product": {"name": "Amazon EKS"}})
    (tmp_path / "a.json").write_bytes(_lines([of_eks]))
    pq.write_table(pa.Table.from_pylist([of_eks]), tmp_path / "b.parquet")
    built = add([tmp_path / "a.json", tmp_path / "b.parquet"], tmp_path / "index")
    assert (built.events_added, built.rejected, built.skipped_files) == (0, 0, 2)
    said = {reason for _, reason in open_store(tmp_path / "index").skips()}
    assert said == {"an OCSF event of Amazon EKS, not CloudTrail"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("README.md", b"# about\n", "not a log file"),
        ("LICENSE", b"Permission is hereby granted", "not a log file"),
        ("AWSLogs/1/CloudTrail-Digest/eu-west-1/2026/03/10/1_CloudTrail-Digest_x.json.gz",
         gzip.compress(b'{"awsAccountId":"1"}', mtime=0), "Digest"),
        ("AWSLogs/1/CloudTrail-Insight/eu-west-1/2026/03/10/x.json.gz", FILE, "Insight"),
        ("AWSLogs/1/CloudTrail-Aggregated/eu-west-1/2026/03/10/x.json.gz", FILE, "Aggregated"),
        ("moved.json", b'{"awsAccountId":"1","digestS3Object":"k","logFiles":[]}', "Digest"),
        ("insight.json", json.dumps({"Records": [
            {"eventTime": "2026-03-10T12:00:00Z", "eventType": "AwsCloudTrailInsight",
             "eventCategory": "Insight", "insightDetails": {}}]}).encode(), "Insight"),
        ("policy.json", b'{"Version":"2012-10-17","Statement":[]}', "an IAM policy: no CloudTrail"),
        ("numbers.json", b"[1, 2, 3]", "not a JSON object"),
        ("empty.json", b"", "empty"),
        ("empty.json.gz", gzip.compress(b" \n", mtime=0), "empty"),
        ("control.json", b'{"messageType":"CONTROL_MESSAGE","logEvents":[]}', "control message"),
    ],
)  # fmt: skip
def test_other_files_are_skipped_with_a_reason(
    name: str, content: bytes, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    (tmp_path / "in" / "good.json").write_bytes(FILE)
    built = add([tmp_path / "in"], tmp_path / "index")
    assert (built.events_added, built.rejected, built.skipped_files) == (3, 0, 1)
    ((skipped, said),) = open_store(tmp_path / "index").skips()
    assert skipped == str(path)
    assert reason in said


def test_time_falls_back_to_at_timestamp(tmp_path: Path) -> None:
    record = an_event(eventTime=None) | {"@timestamp": "2026-03-10T12:00:00.000Z"}
    (tmp_path / "a.json").write_bytes(_lines([record]))
    assert add([tmp_path / "a.json"], tmp_path / "index").events_added == 1


@pytest.mark.parametrize(
    ("folder", "events"), [("stratus-run-2023", 2_900), ("ec2-proxy-s3-2020", 103)]
)
def test_real_logs_lose_nothing(real_data: Path, folder: str, events: int, tmp_path: Path) -> None:
    built = add([real_data / folder], tmp_path / "index")
    assert (built.events_added, built.rejected) == (events, 0)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("costs.csv", b"month,service,usd\n2026-03,EC2,1.5\n", "text of another kind"),
        ("app.log", b"2026-03-10 12:00:00 INFO started\n", "text of another kind"),
        ("settings.json", b'{"a": 1, // a comment\n "b": 2}', "malformed JSON"),
        ("flow.log", b"version account-id interface-id srcaddr\n2 1 eni-1 10.0.0.1\n", "VPC flow"),
        ("w.json", b'{"webaclId":"x","action":"ALLOW","httpRequest":{}}\n', "WAF"),
        ("access", b'79a5 b [10/Mar/2026:09:00:00 +0000] 203.0.113.9 - R GET k "-"\n', "S3 access"),
        ("c.json", b'{"configurationItems": [], "fileVersion": "1.0"}', "AWS Config"),
        ("__MACOSX/._a.json", b"\0\5\x16\7", "an operating system left behind"),
        (".DS_Store", b"\0\0\0\1Bud1", "an operating system left behind"),
        ("AWSLogs/111122223333/elasticloadbalancing/x.log.gz", b"", "load balancer"),
    ],
)
def test_files_about_something_else_are_skipped_and_never_called_damaged(
    name: str, content: bytes, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    (tmp_path / "in" / "good.json").write_bytes(FILE)
    built = add([tmp_path / "in"], tmp_path / "index")
    assert (built.events_added, built.rejected, built.skipped_files) == (3, 0, 1)
    ((_, said),) = open_store(tmp_path / "index").skips()
    assert reason in said


@pytest.mark.parametrize("stated", [True, False])
def test_account_and_region_are_the_records_else_the_paths(stated: bool, tmp_path: Path) -> None:
    record = an_event(
        userIdentity={"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
        recipientAccountId="444455556666" if stated else None,
        awsRegion="eu-central-1" if stated else None,
    )
    for folder in ("AWSLogs/o-abc123defg/210987654321", "AWSLogs/210987654321"):
        path = tmp_path / folder / "CloudTrail/us-gov-west-1/2026/03/10/a.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"Records": [record]}))
    add([tmp_path / "AWSLogs"], tmp_path / "index")
    (row,) = open_store(tmp_path / "index").query("select * from events").rows
    expected = ("444455556666", "eu-central-1") if stated else ("210987654321", "us-gov-west-1")
    assert (row["recipient_account_id"], row["aws_region"]) == expected
