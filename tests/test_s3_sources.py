"""`s3://` as a source: what is listed and fetched, and that the index is that of the same files.

Against moto's server over HTTP, with a recorder before it (tests/an_s3.py).
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import botocore.handlers
import pytest

from enrich.__main__ import main as ask
from tests.an_s3 import ACCOUNT, ORG, OTHER, AnS3, Request, log
from trail.__main__ import main
from trail.index.build import add
from trail.index.catalog import Catalog
from trail.index.upkeep import migrate, verify
from trail.read.s3 import Access, Bounds, Reading
from trail.store import open_store

pytest_plugins = ("tests.aws_settings",)

ROOT = Path(__file__).parents[1]
BUCKET = "trail-logs"
LAYOUTS = {
    "account": "AWSLogs/",
    "with a prefix": "security/prod/AWSLogs/",
    "organisation": f"AWSLogs/{ORG}/",
    "Control Tower": f"{ORG}/AWSLogs/{ORG}/",
    "Control Tower of before": f"{ORG}/AWSLogs/",
}


def logs() -> dict[str, bytes]:
    """Two accounts, two Regions and three days around the end of a month."""
    return dict(
        [
            log("20260227T1200Z", "feb"),
            log("20260228T2355Z", "last"),
            log("20260301T0003Z", "late-of-last", "first"),
            log("20260301T1200Z", "us", region="us-east-1"),
            log("20260302T1200Z", "mar"),
            log("20260301T1200Z", "other", account=OTHER),
        ]
    )


def beside(root: str) -> dict[str, bytes]:
    """What else such a bucket holds, none of it CloudTrail's events."""
    return {
        f"{root}{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/03/01/d.json.gz": b"x",
        f"{root}{ACCOUNT}/CloudTrail-Insight/eu-west-1/2026/03/01/i.json.gz": b"x",
        f"{root}{ACCOUNT}/Config/eu-west-1/2026/3/1/c.json.gz": b"x",
        f"{root}{ACCOUNT}/elasticloadbalancing/eu-west-1/2026/03/01/e.log.gz": b"x",
        f"{root}{ACCOUNT}/": b"",
    }


def put_logs(s3: AnS3, root: str = "AWSLogs/") -> None:
    s3.put(BUCKET, {root + key: body for key, body in logs().items()} | beside(root))


def events_of(index: Path) -> list[str]:
    return [row["event_id"] for row in all_rows(index)]


def all_rows(index: Path) -> list[dict[str, Any]]:
    with open_store(index) as store:
        return store.query(
            "select * from events order by event_id",
            first=_moment("2020-01-01"), last=_moment("2030-01-01"),
        ).rows  # fmt: skip


def _moment(day: str) -> Any:
    from datetime import UTC, datetime

    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@pytest.mark.parametrize("root", LAYOUTS.values(), ids=LAYOUTS)
def test_the_layouts_are_found_from_the_bucket_s_root(s3: AnS3, tmp_path: Path, root: str) -> None:
    put_logs(s3, root)
    built = add([f"s3://{BUCKET}"], tmp_path / "index")
    assert events_of(tmp_path / "index") == [
        "feb", "first", "last", "late-of-last", "mar", "other", "us",
    ]  # fmt: skip
    assert (built.files_read, built.rejected, built.skipped_files) == (6, 0, 0)
    assert len(s3.fetched()) == 6
    listed = {r.prefix for r in s3.requests if r.action == "s3:ListBucket"}
    assert not [one for one in listed if "Digest" in one or "Insight" in one or "Config" in one]


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        (Bounds(since=date(2026, 3, 1)), ["first", "late-of-last", "mar", "other", "us"]),
        # What the next day delivers in its first hour holds the day's last events.
        (Bounds(until=date(2026, 2, 28)), ["feb", "first", "last", "late-of-last"]),
        (Bounds(date(2026, 2, 28), date(2026, 2, 28)), ["first", "last", "late-of-last"]),
        (Bounds(accounts=frozenset({OTHER})), ["other"]),
        (Bounds(regions=frozenset({"us-east-1"})), ["us"]),
        (Bounds(date(2024, 1, 1), date(2025, 6, 30)), []),
    ],
)
def test_bounds_prune_what_is_listed(
    s3: AnS3, tmp_path: Path, bounds: Bounds, found: list[str]
) -> None:
    put_logs(s3, f"AWSLogs/{ORG}/")
    add([f"s3://{BUCKET}/AWSLogs"], tmp_path / "index", s3=Reading(bounds=bounds))
    assert events_of(tmp_path / "index") == found
    listed = [r.prefix for r in s3.requests if r.action == "s3:ListBucket"]
    for account in {ACCOUNT, OTHER} - (bounds.accounts or {ACCOUNT, OTHER}):
        assert not [one for one in listed if account in one]
    for region in {"eu-west-1", "us-east-1"} - (bounds.regions or {"eu-west-1", "us-east-1"}):
        assert not [one for one in listed if region in one]
    if bounds.since == bounds.until == date(2026, 2, 28):
        assert not [one for one in listed if "/02/27" in one or "/03/02" in one]
    if bounds.until == date(2025, 6, 30):
        assert not [one for one in listed if "/2026/" in one]


def test_bounds_of_the_command_line(
    s3: AnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_logs(s3)
    command = ["add", f"s3://{BUCKET}/", "--index", str(tmp_path / "index")]
    bounds = ["--since", "2026-03-01", "--until", "2026-03-01", "--account", ACCOUNT]
    assert main([*command, *bounds, "--region", "us-east-1", "--region", "eu-west-1"]) == 0
    assert "3 events added from 2 files" in capsys.readouterr().out
    assert (
        main(["add", str(tmp_path), "--since", "2026-03-01", "--index", str(tmp_path / "i")]) == 1
    )
    assert "for s3:// addresses" in capsys.readouterr().err


def test_a_folder_a_day_and_a_single_object(s3: AnS3, tmp_path: Path) -> None:
    put_logs(s3)
    day = f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/02"
    assert add([f"s3://{BUCKET}/{day}/27/"], tmp_path / "a").events_added == 1
    assert add([f"s3://{BUCKET}/{day}"], tmp_path / "b").events_added == 2
    key = next(key for key in logs() if "/02/27/" in key)
    assert add([f"s3://{BUCKET}/AWSLogs/{key}"], tmp_path / "c").events_added == 1


def test_logs_outside_of_cloudtrail_s_folders(s3: AnS3, tmp_path: Path) -> None:
    """An export under names of somebody's own, odd ones too, is read whole."""
    bodies = list(logs().values())
    names = ["export/a b+c #1%25.json.gz", "export/deep/er/é.json.gz", "export/deep/2.json.gz"]
    s3.put(BUCKET, dict(zip(names, bodies, strict=False)))
    assert add([f"s3://{BUCKET}/export"], tmp_path / "index").events_added == 4
    assert add([f"s3://{BUCKET}/export"], tmp_path / "index").files_unchanged == 3


def test_only_what_is_new_or_changed_is_fetched(s3: AnS3, tmp_path: Path) -> None:
    put_logs(s3)
    address, index = [f"s3://{BUCKET}"], tmp_path / "index"
    add(address, index)
    s3.requests.clear()
    again = add(address, index)
    assert (again.files_read, again.files_unchanged) == (0, 6)
    assert s3.fetched() == []

    # Late: the same minute as one that is known, and a name that sorts before it.
    late, body = log("20260302T1200Z", "late", of="AAAA")
    changed, with_more = log("20260227T1200Z", "feb", "feb-2", of="feb")
    s3.put(BUCKET, {f"AWSLogs/{late}": body, f"AWSLogs/{changed}": with_more})
    built = add(address, index)
    assert (built.files_read, built.files_unchanged, built.events_added) == (2, 5, 2)
    assert s3.fetched() == sorted([f"AWSLogs/{late}", f"AWSLogs/{changed}"])
    assert "late" in events_of(index)
    assert verify(index).problems == ()


def test_the_same_size_and_time_with_another_etag_is_another_object(
    s3: AnS3, tmp_path: Path
) -> None:
    """S3 tells times to the second: two versions of one size may share it."""
    s3.put(BUCKET, {"logs/a.json": json_log("one")})
    add([f"s3://{BUCKET}/logs"], tmp_path / "index")
    (file,) = files(tmp_path / "index")
    s3.put(BUCKET, {"logs/a.json": json_log("two")})
    add([f"s3://{BUCKET}/logs"], tmp_path / "index")
    (now,) = files(tmp_path / "index")
    assert (file.size, file.etag != now.etag) == (now.size, True)
    assert events_of(tmp_path / "index") == ["two"]


def json_log(event_id: str) -> bytes:
    from tests.an_event import an_event

    record = an_event(eventID=event_id, requestID="r", eventTime="2026-03-01T00:00:00Z")
    return json.dumps({"Records": [record]}).encode()


def files(index: Path) -> list[Any]:
    with Catalog(index) as catalog:
        return catalog.files()


def test_the_index_is_that_of_the_same_files_on_disk(
    s3: AnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_logs(s3, f"AWSLogs/{ORG}/")
    for key, body in logs().items():
        file = tmp_path / "disk" / "AWSLogs" / ORG / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    add([f"s3://{BUCKET}"], tmp_path / "remote")
    add([tmp_path / "disk"], tmp_path / "local")
    assert rows_of(tmp_path / "remote", f"s3://{BUCKET}/") == rows_of(
        tmp_path / "local", f"{tmp_path}/disk/"
    )
    with Catalog(tmp_path / "remote") as remote, Catalog(tmp_path / "local") as local:
        assert remote.coverage() == local.coverage()
        assert remote.records() == local.records()
        assert [f.sha256 for f in remote.files()] == [f.sha256 for f in local.files()]

    alert = tmp_path / "alert.json"
    alert.write_text(json.dumps({"detail": json.loads(json_log("first"))["Records"][0]}))
    answers = []
    for index in ("remote", "local"):
        assert ask([str(alert), "--json", "--index", str(tmp_path / index)]) == 0
        answers.append(re.sub(r'"elapsed_ms": [\d.]+', "", capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert '"answers"' in answers[0]


def rows_of(index: Path, root: str) -> list[Mapping[str, Any]]:
    return [row | {"source_file": row["source_file"].removeprefix(root)} for row in all_rows(index)]


def many(count: int) -> dict[str, bytes]:
    """Files of three events, over some days, two events in each pair of files alike."""
    made = {}
    for n in range(count):
        moment = f"202603{n % 9 + 1:02}T{n // 60 % 24:02}{n % 60:02}Z"
        key, body = log(moment, f"{n}-a", f"{n}-b", f"{n}-c", of=f"f{n:05}")
        made[f"AWSLogs/{key}"] = body
    return made


@pytest.mark.parametrize("readers", [0, 2])
def test_killed_in_the_middle_and_again_nothing_is_lost_or_doubled(
    s3: AnS3, tmp_path: Path, readers: int
) -> None:
    s3.put(BUCKET, many(120))
    index = tmp_path / "index"
    arrived = threading.Event()

    def slow_after(request: Request) -> None:
        if request.action == "s3:GetObject" and len(s3.fetched()) > 50:
            arrived.set()
            time.sleep(0.2)

    # Small rounds, so that some were published by then.
    script = (
        "import sys; import trail.index.build as build; build._FETCHED_FILES = 20\n"
        f"build._ALONE_BYTES = {0 if readers else 1 << 30}\n"
        "build.add([sys.argv[1]], sys.argv[2], round_bytes=100_000)"
    )
    s3.fault = slow_after
    build = subprocess.Popen(
        [sys.executable, "-c", script, f"s3://{BUCKET}", str(index)], cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip
    assert arrived.wait(120)
    os.killpg(build.pid, signal.SIGKILL)
    build.wait()
    assert build.returncode == -signal.SIGKILL
    with Catalog(index) as catalog:
        published = len(catalog.files())
    assert 0 < published < 120

    s3.fault = lambda _: None
    s3.requests.clear()
    built = add([f"s3://{BUCKET}"], index)
    assert (built.files_unchanged, built.files_read) == (published, 120 - published)
    assert len(s3.fetched()) == 120 - published
    assert len(events_of(index)) == len(set(events_of(index))) == 360
    assert verify(index).problems == ()
    assert not (index / "fetched").exists()


def test_a_raw_record_is_fetched_again(s3: AnS3, tmp_path: Path) -> None:
    put_logs(s3)
    add([f"s3://{BUCKET}"], tmp_path / "index")
    store = open_store(tmp_path / "index")
    try:
        record = store.read_again(["first"])["first"]
        assert json.loads(record.text)["eventID"] == "first"
        assert record.checked == "file"
        assert record.source_file == f"s3://{BUCKET}/AWSLogs/" + next(
            k for k in logs() if "T0003" in k
        )

        # Changed meanwhile: shown with that remark, since the index describes it in full.
        key = next(k for k in logs() if "T0003" in k)
        _, other = log("20260301T0003Z", "late-of-last", "new", "first", of="late-of-last")
        s3.put(BUCKET, {f"AWSLogs/{key}": other})
        moved = store.read_again(["first"])["first"]
        assert (moved.checked, moved.found_at, moved.source_ordinal) == ("columns", 2, 1)

        s3.client().delete_object(Bucket=BUCKET, Key=f"AWSLogs/{key}")
        gone = str(store.read_again(["first"])["first"])
        assert "is not there any more" in gone
        assert "The index keeps its columns." in gone
    finally:
        store.close()


def test_without_the_setting_s3_is_not_asked(
    s3: AnS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_logs(s3)
    add([f"s3://{BUCKET}"], tmp_path / "index")
    monkeypatch.delenv("BACKTRAIL_AWS")
    before = len(s3.requests)
    with open_store(tmp_path / "index") as store:
        said = str(store.read_again(["first"])["first"])
    assert "is in S3, which is asked only where BACKTRAIL_AWS=on is set" in said
    assert "The index keeps its columns." in said
    assert len(s3.requests) == before


def test_an_object_and_a_file_of_the_same_bytes_stand_in_for_each_other(
    s3: AnS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_logs(s3)
    add([f"s3://{BUCKET}"], tmp_path / "index")
    key = next(key for key in logs() if "T0003" in key)
    address = f"s3://{BUCKET}/AWSLogs/{key}"
    copy = tmp_path / "copy.json.gz"
    copy.write_bytes(logs()[key])
    add([copy], tmp_path / "index")
    with open_store(tmp_path / "index") as store:
        own = store.read_again(["first"])["first"]
        assert (own.checked, own.read_from) == ("file", "")
        monkeypatch.delenv("BACKTRAIL_AWS")
        before = len(s3.requests)
        found = store.read_again(["first"])["first"]
        assert json.loads(found.text)["eventID"] == "first"
        assert (found.checked, found.source_file, found.read_from) == ("file", address, str(copy))
        assert len(s3.requests) == before
        monkeypatch.setenv("BACKTRAIL_AWS", "on")
        s3.client().delete_object(Bucket=BUCKET, Key=f"AWSLogs/{key}")
        assert store.read_again(["first"])["first"].read_from == str(copy)

    s3.put(BUCKET, {f"AWSLogs/{key}": logs()[key]})
    add([copy], tmp_path / "other")
    add([address], tmp_path / "other")
    copy.unlink()
    with open_store(tmp_path / "other") as store:
        assert store.read_again(["first"])["first"].read_from == address
        monkeypatch.delenv("BACKTRAIL_AWS")
        assert "not there any more" in str(store.read_again(["first"])["first"])


def test_a_raw_record_while_aws_cannot_be_reached(
    s3: AnS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_logs(s3)
    add([f"s3://{BUCKET}"], tmp_path / "index")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    store = open_store(tmp_path / "index")
    try:
        found = store.read_again(["first", "feb", "mar"])
    finally:
        store.close()
    for one in found.values():
        assert str(one).startswith("127.0.0.1:9 cannot be reached. Check the network")
        assert "The index keeps its columns." in str(one)


def test_migrate_fetches_again_and_refuses_where_an_object_is_gone(
    s3: AnS3, tmp_path: Path
) -> None:
    from trail.errors import SourceUnreadable

    put_logs(s3)
    index = tmp_path / "index"
    add([f"s3://{BUCKET}"], index, s3=Reading(Access(requester_pays=True)))
    s3.requests.clear()
    assert migrate(index, force=True) is not None
    assert len(s3.fetched()) == 6
    assert len(events_of(index)) == 7
    assert {r.payer for r in s3.requests if r.action == "s3:GetObject"} == {"requester"}

    key = next(iter(logs()))
    s3.client().delete_object(Bucket=BUCKET, Key=f"AWSLogs/{key}")
    with Catalog(index) as catalog, catalog.transaction():
        catalog._db.execute("update files set sha256 = null")  # has to be migrated
    with pytest.raises(SourceUnreadable, match="is not there any more"):
        migrate(index)
    assert len(events_of(index)) == 7


def test_nothing_else_is_asked_of_aws_than_the_policy_allows(
    s3: AnS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: set[str] = set()

    def record(model: Any, **_: Any) -> None:
        called.add(f"{model.service_model.signing_name}:{model.name}")

    monkeypatch.setattr(
        botocore.handlers, "BUILTIN_HANDLERS",
        [*botocore.handlers.BUILTIN_HANDLERS, ("before-call", record)],
    )  # fmt: skip
    put_logs(s3)
    role = s3.client("iam").create_role(RoleName="reader", AssumeRolePolicyDocument="{}")["Role"]
    access = Access(role_arn=role["Arn"], external_id="them", requester_pays=True)
    add([f"s3://{BUCKET}"], tmp_path / "index", s3=Reading(access))
    key = next(iter(logs()))
    add([f"s3://{BUCKET}/AWSLogs/{key}"], tmp_path / "one", s3=Reading(access))
    open_store(tmp_path / "index").read_again(["first"])
    s3.fault = lambda request: None
    add_refused(s3, tmp_path, access)

    text = (ROOT / "docs" / "live-aws.md").read_text()
    policies = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    allowed = {
        action
        for policy in policies
        for statement in policy["Statement"]
        for action in [statement["Action"]]
        if "Principal" not in statement
    }
    assert allowed == {"s3:ListBucket", "s3:GetObject", "kms:Decrypt", "sts:AssumeRole"}
    # Head requests need the action of what they look at; who one is needs none (AWS's own list).
    needs = {
        "s3:HeadBucket": "s3:ListBucket", "sts:AssumeRole": "sts:AssumeRole",
        "sts:GetCallerIdentity": None,
    }  # fmt: skip
    assert called == set(needs)
    seen = {r.action for r in s3.requests}
    assert seen - {"sts:GetCallerIdentity"} == allowed - {"kms:Decrypt"}
    assert {need for need in needs.values() if need} <= allowed


def add_refused(s3: AnS3, tmp_path: Path, access: Access) -> None:
    """A build that is refused: who we are is asked for its sentence."""
    from tests.an_s3 import refusal
    from trail.errors import SourceUnreachable

    s3.fault = lambda r: refusal(403, "AccessDenied") if r.action == "s3:ListBucket" else None
    with pytest.raises(SourceUnreachable):
        add([f"s3://{BUCKET}"], tmp_path / "none", s3=Reading(access))


def test_nothing_of_aws_is_imported_where_s3_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(json_log("one"))
    script = (
        "import sys, trail, trail.__main__, trail.store, trail.index.upkeep, app\n"
        "from trail.index.build import add; add([sys.argv[1]], sys.argv[1] + '/index')\n"
        "print([one for one in ('boto3', 'botocore', 'obstore') if one in sys.modules])"
    )
    asked = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert asked.stdout.splitlines()[-1] == "[]"


def test_an_index_of_before_takes_objects_too(s3: AnS3, tmp_path: Path) -> None:
    """It has no tables for them, and is read and extended all the same."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.json").write_bytes(json_log("one"))
    index = tmp_path / "index"
    add([tmp_path / "logs"], index)
    with closing(sqlite3.connect(index / "catalog.sqlite")) as db:
        db.executescript("drop table objects; drop table buckets;")
    (file,) = files(index)
    assert (file.etag, events_of(index)) == ("", ["one"])
    assert open_store(index).read_again(["one"])["one"].checked == "file"

    s3.put(BUCKET, {"logs/b.json": json_log("two")})
    built = add([tmp_path / "logs", f"s3://{BUCKET}/logs"], index)
    assert (built.files_unchanged, built.files_read) == (1, 1)
    assert events_of(index) == ["one", "two"]
    assert verify(index).problems == ()


def test_an_endpoint_of_the_profile_s_own(
    s3: AnS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The standard settings name endpoints, and S3's own comes before the general one."""
    s3.put(BUCKET, {"logs/b.json": json_log("two")})
    settings = tmp_path / "config"
    settings.write_text(f"[profile lab]\nregion = eu-west-1\nendpoint_url = {s3.url}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(settings))
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    keys = tmp_path / "credentials"
    keys.write_text("[lab]\naws_access_key_id = AKIALAB\naws_secret_access_key = lab\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    reading = Reading(Access(profile="lab"))
    assert add([f"s3://{BUCKET}/logs"], tmp_path / "a", s3=reading).events_added == 1
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.url)
    assert add([f"s3://{BUCKET}/logs"], tmp_path / "b", s3=reading).events_added == 1
