"""S3, STS and IAM over HTTP on loopback: moto's server, and before it a recorder that can fail.

Everything that is sent to AWS goes through the recorder, so `requests` is what AWS would have seen.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import boto3

from tests.an_event import a_user, an_event

ACCOUNT, OTHER, ORG = "111122223333", "444455556666", "o-exampleorg1"


class Request(NamedTuple):
    """One request as AWS would have seen it: `action` is that of AWS's policies."""

    action: str
    bucket: str
    key: str
    prefix: str
    payer: str


class Answer(NamedTuple):
    """What the recorder answers instead of S3; with `cut`, it closes after half of the body."""

    status: int = 200
    body: bytes = b""
    cut: bool = False


Fault = Callable[[Request], Answer | None]


def refusal(status: int, code: str, message: str = "no") -> Answer:
    """An error in S3's form."""
    said = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, f'<?xml version="1.0"?>{said}'.encode())


class AnS3:
    """The server that a test talks to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._clients: dict[str, Any] = {}
        self.requests: list[Request] = []
        self.fault: Fault = lambda _: None
        self._http = _Quiet(("127.0.0.1", 0), _handler(self, port))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def reset(self) -> None:
        """As if it had just been started."""
        self.fault = lambda _: None
        self._moto("reset", b"")
        self.enforce_iam(False)
        self.requests.clear()

    def enforce_iam(self, on: bool) -> None:
        """Whether policies count."""
        self._moto("reset-auth", b"0" if on else b"1000000000")

    def _moto(self, what: str, body: bytes) -> None:
        url = f"http://127.0.0.1:{self._port}/moto-api/{what}"
        plain = {"Content-Type": "text/plain"}  # a form would be no body to moto
        asked = urllib.request.Request(url, body, plain, method="POST")
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 200

    def environment(self) -> dict[str, str]:
        """The AWS settings of somebody who reads from it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def client(self, service: str = "s3") -> Any:
        """Straight to moto: what a test does itself is not recorded."""
        if service not in self._clients:  # each takes half a second to make
            self._clients[service] = boto3.client(
                service, endpoint_url=f"http://127.0.0.1:{self._port}", region_name="us-east-1",
                aws_access_key_id="AKIATHETESTITSELF000", aws_secret_access_key="its own",
            )  # fmt: skip
        return self._clients[service]

    def put(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Makes the bucket, if need be, and puts objects into it."""
        client = self.client()
        client.create_bucket(Bucket=bucket)
        for key, body in objects.items():
            client.put_object(Bucket=bucket, Key=key, Body=body)

    def fetched(self) -> list[str]:
        """The keys whose bytes were asked for since `requests` was cleared."""
        return sorted(r.key for r in self.requests if r.action == "s3:GetObject")


SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SETTINGS = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE",
)  # fmt: skip
"""Of the machine that the tests run on: none of its own may be used."""


@contextmanager
def an_s3() -> Iterator[AnS3]:
    """Starts moto's server and the recorder; ends both."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    moto = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path(__file__).parent,
    )  # fmt: skip
    try:
        give_up = time.monotonic() + 120
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 1):
                    break
            except OSError:
                assert moto.poll() is None, "moto's server ended"
                assert time.monotonic() < give_up, "moto's server does not listen"
                time.sleep(0.1)
        server = AnS3(port)
        try:
            yield server
        finally:
            server.close()
    finally:
        os.kill(moto.pid, signal.SIGTERM)
        try:
            moto.wait(20)
        except subprocess.TimeoutExpired:
            moto.kill()
            moto.wait()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that is killed, or gives up, is what some tests are about."""


def _handler(server: AnS3, port: int) -> type[BaseHTTPRequestHandler]:
    class Recorder(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = _as_request(self.command, self.path, body, self.headers)
            server.requests.append(request)
            answer = server.fault(request)
            if answer is None:
                there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                there.request(self.command, self.path, body, dict(self.headers.items()))
                got = there.getresponse()
                status, headers, content = got.status, got.getheaders(), got.read()
                there.close()
            else:
                status, headers, content = answer.status, [], answer.body
                if answer.cut:
                    headers = _object_headers()
            self.send_response_only(status)
            length = str(len(content))
            for name, value in headers:
                if name.lower() == "content-length":
                    length = value
                elif name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command == "HEAD":
                return
            if answer is not None and answer.cut:
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Recorder


def _object_headers() -> list[tuple[str, str]]:
    return [("ETag", '"cut"'), ("Last-Modified", "Sun, 01 Mar 2026 00:00:00 GMT")]


def _as_request(method: str, path: str, body: bytes, headers: Any) -> Request:
    split = urlsplit(path)
    query = parse_qs(split.query, keep_blank_values=True)
    bucket, _, key = unquote(split.path.lstrip("/")).partition("/")
    payer = headers.get("x-amz-request-payer", "")
    if method == "POST" and not bucket:
        return Request(f"sts:{parse_qs(body.decode())['Action'][0]}", "", "", "", payer)
    reading = {"GET": "s3:GetObject", "HEAD": "s3:GetObject"} if key else {
        "HEAD": "s3:ListBucket",
        **({"GET": "s3:ListBucket"} if "list-type" in query else {}),
    }  # fmt: skip
    action = reading.get(method, f"{method} {path}")
    return Request(action, bucket, key, query.get("prefix", [""])[0], payer)


# ---- what lies in the buckets --------------------------------------------------------------------


def log(
    moment: str, *event_ids: str, account: str = ACCOUNT, region: str = "eu-west-1", of: str = ""
) -> tuple[str, bytes]:
    """(`ACCOUNT/CloudTrail/REGION/…` key, gzip) of a log file delivered at `20260301T0005Z`, with
    an event of that minute for each id. `of` sets files of one minute apart."""
    day = f"{moment[:4]}/{moment[4:6]}/{moment[6:8]}"
    name = f"{account}_CloudTrail_{region}_{moment}_{of or event_ids[0]}.json.gz"
    when = f"{day.replace('/', '-')}T{moment[9:11]}:{moment[11:13]}:00Z"
    records = [
        an_event(
            eventID=one, requestID=one, eventTime=when, awsRegion=region,
            recipientAccountId=account, userIdentity=a_user("ana", account),
        )
        for one in event_ids
    ]  # fmt: skip
    body = gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)
    return f"{account}/CloudTrail/{region}/{day}/{name}", body
