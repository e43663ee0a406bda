"""What AWS refuses, or the network breaks: one sentence that says what to do, and nothing lost."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.an_s3 import ACCOUNT, SECRET, AnS3, Answer, Request, log, refusal
from trail.__main__ import main
from trail.errors import SourceUnreachable, SourceUnreadable
from trail.index.build import add
from trail.index.catalog import Catalog
from trail.index.upkeep import verify
from trail.read.aws import Bucket, ObjectRefused
from trail.read.s3 import Access, Bounds, Reading, listed, parsed

pytest_plugins = ("tests.aws_settings",)

ROOT = Path(__file__).parents[1]
BUCKET = "trail-logs"
ADDRESS = f"s3://{BUCKET}/AWSLogs"


def put(s3: AnS3, count: int = 3) -> list[str]:
    """Objects of one event each; their keys."""
    logs = dict(log(f"20260301T{n // 60:02}{n % 60:02}Z", f"e{n}") for n in range(count))
    s3.put(BUCKET, {f"AWSLogs/{key}": body for key, body in logs.items()})
    return [f"AWSLogs/{key}" for key in logs]


def said(capsys: pytest.CaptureFixture[str], index: Path, *options: str) -> str:
    """The one sentence with which `trail add` ends that could not."""
    assert main(["add", ADDRESS, "--index", str(index), *options]) == 1
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err + captured.out
    assert SECRET not in captured.err + captured.out
    return captured.err


def at_listing(answer: Answer) -> Any:
    return lambda r: answer if r.action == "s3:ListBucket" and r.prefix is not None else None


REFUSALS = {
    "ExpiredToken": (400, "The AWS credentials have expired. Sign in again"),
    "InvalidAccessKeyId": (403, "AWS does not accept the credentials (InvalidAccessKeyId)"),
    "SignatureDoesNotMatch": (403, "AWS does not accept the credentials"),
    "AccessDenied": (403, f"may not s3:ListBucket on s3://{BUCKET}. Their policy needs"),
    "NoSuchBucket": (404, f"There is no bucket {BUCKET}. Check its name"),
    "PermanentRedirect": (301, f"The bucket {BUCKET} is in another Region than us-east-1"),
    "AuthorizationHeaderMalformed": (400, "is in another Region than us-east-1"),
    "RequestTimeTooSkewed": (403, "this machine's clock is wrong"),
    "MethodNotAllowed": (405, "S3 answered MethodNotAllowed for"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refused_listing_is_told_in_one_sentence(
    s3: AnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    status, sentence = REFUSALS[code]
    s3.put(BUCKET, {})
    s3.fault = at_listing(refusal(status, code))
    assert sentence in said(capsys, tmp_path / "index")


def test_a_denied_listing_names_who_may_not_what(
    s3: AnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With IAM enforced: a user whose policy has only half of what is needed."""
    put(s3)
    keys = a_user_who_may(s3, "s3:GetObject")
    s3.enforce_iam(True)
    told = said(capsys, tmp_path / "index", *signed_in(tmp_path, keys))
    assert f"arn:aws:iam::123456789012:user/reader may not s3:ListBucket on s3://{BUCKET}." in told
    assert f'"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{BUCKET}"' in told
    assert keys["SecretAccessKey"] not in told


def test_with_the_whole_policy_all_is_read(s3: AnS3, tmp_path: Path) -> None:
    put(s3)
    keys = a_user_who_may(s3, "s3:GetObject", "s3:ListBucket")
    s3.enforce_iam(True)
    assert main(["add", ADDRESS, "--index", str(tmp_path / "i"), *signed_in(tmp_path, keys)]) == 0


def test_keys_that_aws_does_not_know(
    s3: AnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(s3)
    s3.enforce_iam(True)
    told = said(capsys, tmp_path / "index")
    assert "AWS does not accept the credentials (InvalidAccessKeyId)" in told


def a_user_who_may(s3: AnS3, *actions: str) -> dict[str, str]:
    iam = s3.client("iam")
    iam.create_user(UserName="reader")
    allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=policy)
    keys: dict[str, str] = iam.create_access_key(UserName="reader")["AccessKey"]
    return keys


def signed_in(tmp_path: Path, keys: dict[str, str]) -> list[str]:
    """Options that name a profile with these keys."""
    file = tmp_path / "credentials"
    file.write_text(
        f"[reader]\naws_access_key_id = {keys['AccessKeyId']}\n"
        f"aws_secret_access_key = {keys['SecretAccessKey']}\n"
    )
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(file)  # the fixture puts it back
    return ["--profile", "reader"]


def test_no_credentials_a_profile_that_is_not_there_and_a_refused_role(
    s3: AnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = said(capsys, tmp_path / "i", "--profile", "nobody")
    assert "There is no AWS profile nobody." in told
    s3.fault = lambda r: (
        Answer(
            403,
            b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>"
            b"</ErrorResponse>",
        )
        if r.action == "sts:AssumeRole"
        else None
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/reader"
    told = said(capsys, tmp_path / "i", "--role-arn", role)
    assert f"The role {role} may not be taken (sts:AssumeRole)" in told
    assert "--external-id" in told
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    told = said(capsys, tmp_path / "i")
    assert "No AWS credentials were found. Name a profile with --profile" in told


def test_connection_refused(
    s3: AnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    told = said(capsys, tmp_path / "index")
    assert told.startswith("127.0.0.1:9 cannot be reached. Check the network")


def test_what_is_no_address(s3: AnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    s3.put(BUCKET, {"a//b.json": b"{}"})
    for address, sentence in (
        ("s3://", "names no S3 bucket"),
        ("s3://Trail_Logs/x", "names no S3 bucket"),
        ("s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/p", "Use its alias"),
        (f"s3://{BUCKET}/nothing", f"There is nothing below s3://{BUCKET}/nothing/ that"),
        (f"s3://{BUCKET}/a", "holds a folder that has no name ('a//"),
        ("s3://no-such-bucket", "There is no bucket no-such-bucket."),
    ):
        assert main(["add", address, "--index", str(tmp_path / "index")]) == 1
        assert sentence in capsys.readouterr().err
    assert parsed("s3://bucket/a/b/") == ("bucket", "a/b")


def test_slow_down_and_cut_connections_are_got_over(s3: AnS3, tmp_path: Path) -> None:
    """Every object fails once, in one of three ways."""
    keys = put(s3, 9)
    failed: set[str] = set()

    def once(request: Request) -> Answer | None:
        if request.action != "s3:GetObject" or request.key in failed:
            return None
        failed.add(request.key)
        ways = (
            refusal(503, "SlowDown"),
            Answer(body=b"x" * 400, cut=True),
            refusal(500, "InternalError"),
        )
        return ways[keys.index(request.key) % 3]

    s3.fault = once
    built = add([ADDRESS], tmp_path / "index")
    assert (built.events_added, built.files_read, built.rejected) == (9, 9, 0)
    assert failed == set(keys)
    assert verify(tmp_path / "index").problems == ()


def test_credentials_that_expire_in_the_middle_keep_what_was_read(
    s3: AnS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(s3, 40)
    monkeypatch.setattr("trail.index.build._FETCHED_FILES", 10)

    def later(request: Request) -> Answer | None:
        if request.action == "s3:GetObject" and len(s3.fetched()) > 25:
            return refusal(400, "ExpiredToken")
        return None

    s3.fault = later
    told = said(capsys, tmp_path / "index")
    assert "The AWS credentials have expired. Sign in again" in told
    kept = len(s3.fetched()) and files_of(tmp_path / "index")
    assert f"What was read before is kept: {kept} events of {kept} files." in told
    assert 20 <= kept < 40

    s3.fault = lambda _: None
    built = add([ADDRESS], tmp_path / "index")
    assert (built.files_unchanged, built.files_read) == (kept, 40 - kept)
    assert verify(tmp_path / "index").problems == ()


def files_of(index: Path) -> int:
    with Catalog(index) as catalog:
        return sum(file.size >= 0 for file in catalog.files())


DENIED = {
    "KMS": (refusal(403, "AccessDenied", "not authorized to perform: kms:Decrypt"), "kms:Decrypt"),
    "gone": (refusal(404, "NoSuchKey"), "is not there any more"),
    "Glacier": (refusal(403, "InvalidObjectState"), "is archived in Glacier: restore it"),
    "denied": (refusal(403, "AccessDenied"), "may not s3:GetObject on"),
}


@pytest.mark.parametrize("way", DENIED)
def test_one_object_that_cannot_be_had_keeps_no_other_back(
    s3: AnS3, tmp_path: Path, way: str
) -> None:
    answer, sentence = DENIED[way]
    keys = put(s3)
    s3.fault = lambda r: answer if r.key == keys[0] and r.action == "s3:GetObject" else None
    built = add([ADDRESS], tmp_path / "index")
    assert (built.events_added, built.rejected) == (2, 1)
    assert sentence in built.passed_over[0].reason
    with Catalog(tmp_path / "index") as catalog:
        (reject,) = catalog.rejects()
        assert reject.path == f"s3://{BUCKET}/{keys[0]}"
    # It is tried again each time, and is no reject once it can be had.
    s3.fault = lambda _: None
    built = add([ADDRESS], tmp_path / "index")
    assert (built.events_added, built.files_unchanged, built.rejected) == (1, 2, 0)
    with Catalog(tmp_path / "index") as catalog:
        assert catalog.rejects() == []


def test_where_every_object_is_denied_it_stops_before_the_last(
    s3: AnS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(s3, 120)
    s3.fault = lambda r: refusal(403, "AccessDenied") if r.action == "s3:GetObject" else None
    told = said(capsys, tmp_path / "index")
    assert "may not s3:GetObject on" in told
    assert "50 objects were refused one after the other" in told
    assert "What was read before is kept: 0 events of 0 files." in told
    assert len(s3.fetched()) < 120


def test_a_file_that_is_no_log_is_passed_over_as_on_disk(s3: AnS3, tmp_path: Path) -> None:
    s3.put(BUCKET, {"AWSLogs/x.json.gz": b"x"})
    name = f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/03/01/x.json.gz"
    s3.put(BUCKET, {name: gzip.compress(b'{"Records": [')[:-4]})
    built = add([ADDRESS], tmp_path / "index")
    assert (built.files_read, built.rejected) == (1, 1)
    assert built.passed_over[0].example.startswith(f"s3://{BUCKET}/{name}")


def test_a_throttled_look_ends_with_a_sentence(s3: AnS3) -> None:
    s3.put(BUCKET, {})
    bucket = Bucket(BUCKET, Access(), patience=2)
    s3.fault = at_listing(refusal(503, "SlowDown"))
    with pytest.raises(SourceUnreachable, match="S3 kept on answering SlowDown"):
        list(listed(bucket, "", Bounds()))
    s3.fault = lambda r: Answer(body=b"x" * 400, cut=True) if r.key else None
    with pytest.raises(SourceUnreachable, match="was cut off while"):
        bucket.fetch("some/key", Path(os.devnull))


def test_no_credential_is_kept(s3: AnS3, tmp_path: Path) -> None:
    """How a bucket is reached is kept, so that its records can be shown; no key of anybody's is."""
    put(s3)
    role = s3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    index = tmp_path / "index"
    done = subprocess.run(
        [sys.executable, "-m", "trail", "add", ADDRESS, "--index", str(index),
         "--role-arn", role, "--external-id", "them"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    with Catalog(index) as catalog:
        assert json.loads(catalog.buckets()[BUCKET]) == {"role_arn": role, "external_id": "them"}
    everything = done.stdout + done.stderr
    for file in index.rglob("*"):
        everything += file.read_bytes().decode("latin-1") if file.is_file() else ""
    assert SECRET not in everything
    assert "AKIAIOSFODNN7EXAMPLE" not in everything
    assert "ASIA" not in everything


def test_an_object_s_refusal_is_no_reason_to_stop() -> None:
    assert issubclass(ObjectRefused, SourceUnreadable)
    assert not issubclass(ObjectRefused, SourceUnreachable)


def test_an_unreachable_source_leaves_the_index_as_it_was(s3: AnS3, tmp_path: Path) -> None:
    put(s3)
    add([ADDRESS], tmp_path / "index")
    s3.fault = at_listing(refusal(403, "AccessDenied"))
    with pytest.raises(SourceUnreachable):
        add([ADDRESS], tmp_path / "index", s3=Reading())
    assert files_of(tmp_path / "index") == 3
    assert verify(tmp_path / "index").problems == ()
