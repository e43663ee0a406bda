"""The server of one machine: who may talk to it, what it answers with, and whom it calls."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.a_dashboard import PATIENCE_MS, ROOT, chromium, dashboard, settled
from tests.the_app import addresses, the_app
from ui.shell.headers import FIXED

# Loaded by the server before anything else: writes down each address that Python connects to or
# looks up. Loopback is allowed (asyncio talks to itself through a pair of sockets).
_WATCH = """
import json, os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        where = arguments[1] if event != "socket.getaddrinfo" else arguments[:2]
        with open(os.environ["CALLS"], "a") as out:
            out.write(json.dumps([event, str(where)]) + "\\n")
sys.addaudithook(watch)
"""
PAGES = (
    "triage",
    "inbox",
    "cases",
    "case",
    "review",
    "events",
    "entity",
    "rules",
    "index",
    "home",
    "",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("closed")
    (made / "watch").mkdir()
    (made / "watch" / "sitecustomize.py").write_text(_WATCH)
    (made / "calls.jsonl").touch()
    return made


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with dashboard(
        folder,
        PYTHONPATH=str(folder / "watch"),
        CALLS=str(folder / "calls.jsonl"),
        BACKTRAIL_HOSTS="backtrail.example.org",
    ) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for which evil.example is this machine, as after DNS rebinding."""
    with chromium(
        "--no-proxy-server", "--host-resolver-rules=MAP evil.example 127.0.0.1"
    ) as started:
        yield started


def _knock(address: str, origin: str | None) -> tuple[int, dict[str, str]]:
    """The status that a websocket from this origin gets, and its headers; 101 when let in."""
    try:
        with connect(
            address.replace("http:", "ws:") + "/_stcore/stream",
            origin=origin,  # type: ignore[arg-type]
            open_timeout=30,
        ):
            return 101, {}
    except InvalidStatus as refused:
        return refused.response.status_code, dict(refused.response.headers.items())


def _request(
    address: str, method: str, path: str, headers: dict[str, str]
) -> tuple[int, dict[str, str], str]:
    """The status, headers (names in lower case) and text; `Host` is ours unless it is given."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in ({"Host": urlsplit(address).netloc} | headers).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def _has_all_headers(headers: dict[str, str]) -> bool:
    policy = headers.get("content-security-policy", "")
    return "frame-ancestors 'none'" in policy and all(
        headers.get(name.lower()) == value for name, value in FIXED.items()
    )


# --- Nobody in -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def every_address() -> list[tuple[str, str]]:
    """Every route of ours and of Streamlit's, what its static files answer, and nonsense."""
    with pytest.MonkeyPatch.context() as patch:
        found = addresses(the_app(patch))
    assert ("GET", "/_stcore/health") in found
    return [
        *found,
        *(("GET", f"/{page}") for page in PAGES),
        ("GET", "/index.html"), ("GET", "/favicon.png"), ("GET", "/static/js/none.js"),
        ("GET", "//evil.example"), ("GET", "/../../etc/passwd"), ("GET", "/%2e%2e/x"),
        ("POST", "/"), ("TRACE", "/"), ("OPTIONS", "/"), ("GET", "/triage/?id=1"),
    ]  # fmt: skip


def test_every_route_refuses_strangers_and_says_why(
    address: str, every_address: list[tuple[str, str]]
) -> None:
    port = urlsplit(address).port
    for strange, word in (
        ({"Host": f"evil.example:{port}"}, "name in this address"),  # rebinding
        ({"Host": f"127.0.0.1:{(port or 0) + 1}"}, "name in this address"),
        ({"Origin": "null"}, "its own pages only"),
        ({"Origin": "https://evil.example"}, "its own pages only"),
        ({"Origin": "http://127.0.0.1:3000"}, "its own pages only"),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "script"}, "not built in"),
    ):
        for method, path in every_address:
            status, headers, text = _request(address, method, path, strange)
            assert status == 403, (strange, method, path)
            assert _has_all_headers(headers), (strange, method, path)
            assert headers["content-type"] == "text/plain; charset=utf-8"
            if method != "HEAD":
                assert word in text


def test_every_answer_has_the_headers(address: str, every_address: list[tuple[str, str]]) -> None:
    answered = {}
    for method, path in every_address:
        status, headers, _ = _request(address, method, path, {})
        assert _has_all_headers(headers), (method, path, status, headers)
        assert status != 403 or method in ("PUT", "DELETE", "POST"), (method, path)
        answered[method, path] = status
    assert answered["GET", "/_stcore/health"] == 200
    assert answered["GET", "/health"] == 200
    assert answered["HEAD", "/health"] == 200
    assert answered["GET", "//evil.example"] == 400  # Streamlit's own refusal
    assert answered["GET", "/triage"] == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://198.51.100.7", "null", "file://", "http://localhost"]
)
def test_a_websocket_of_a_stranger_is_refused_with_the_headers(address: str, origin: str) -> None:
    status, headers = _knock(address, origin)
    assert status == 403
    assert _has_all_headers({name.lower(): value for name, value in headers.items()})


def test_no_other_address_speaks_websocket(address: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(address.replace("http:", "ws:") + "/cases", origin=address, open_timeout=30)  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
    headers = {name.lower(): value for name, value in refused.value.response.headers.items()}
    assert _has_all_headers(headers)


def test_our_own_page_s_websocket_is_let_in(address: str) -> None:
    assert _knock(address, address)[0] == 101


def test_a_deployment_s_name_is_let_in_by_streamlit_too(address: str) -> None:
    host, port = urlsplit(address).hostname, urlsplit(address).port
    with socket.create_connection((host, port), timeout=30) as raw:
        raw.sendall(
            b"GET /_stcore/stream HTTP/1.1\r\nHost: backtrail.example.org\r\n"
            b"Origin: https://backtrail.example.org\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert raw.recv(64).startswith(b"HTTP/1.1 101")


def test_a_request_without_any_host_is_refused(address: str) -> None:
    host, port = urlsplit(address).hostname, urlsplit(address).port
    with socket.create_connection((host, port), timeout=30) as raw:
        raw.sendall(b"GET /_stcore/health HTTP/1.0\r\n\r\n")
        answer = b""
        while more := raw.recv(4096):
            answer += more
    assert answer.startswith(b"HTTP/1.1 403")
    assert answer.endswith(b"BACKTRAIL_HOSTS.\n")


# --- In a real browser -----------------------------------------------------------------------


@pytest.mark.browser
def test_a_rebound_name_reads_nothing(address: str, browser: Browser) -> None:
    page = browser.new_page()
    evil = f"http://evil.example:{urlsplit(address).port}"
    shown = page.goto(evil)
    assert shown is not None
    assert shown.status == 403
    assert "does not answer to the name" in page.inner_text("body")
    statuses = page.evaluate(
        """async () => {
            const found = [];
            for (const path of ["/", "/_stcore/health", "/_stcore/host-config", "/media/x"])
                found.push((await fetch(path)).status);
            return found;
        }"""
    )
    assert statuses == [403] * 4
    assert _opens_a_websocket(page, evil) is False
    page.close()


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[str]:
    """Another server on this machine: to a browser, another port is nearly the same site."""
    (tmp_path / "index.html").write_text("<!doctype html><title>elsewhere</title>")
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None: ...


def _opens_a_websocket(page: Page, address: str) -> bool:
    opened: bool = page.evaluate(
        """address => new Promise(done => {
            const socket = new WebSocket(address);
            socket.onopen = () => done(true);
            socket.onerror = () => done(false);
        })""",
        address.replace("http:", "ws:") + "/_stcore/stream",
    )
    return opened


@pytest.mark.browser
def test_another_page_opens_no_websocket_and_loads_nothing(
    address: str, browser: Browser, foreign: str
) -> None:
    page = browser.new_page()
    page.goto(foreign)
    assert _opens_a_websocket(page, address) is False
    loaded = page.evaluate(
        """async address => {
            const load = (kind, path) => new Promise(done => {
                const one = document.createElement(kind);
                one.onload = () => done(true);
                one.onerror = () => done(false);
                one.src = address + path;
                document.body.append(one);
            });
            const read = path => fetch(address + path).then(() => true, () => false);
            return [await load("img", "/favicon.png"), await load("script", "/favicon.png"),
                    await read("/_stcore/health"), await read("/")];
        }""",
        address,
    )
    assert loaded == [False] * 4
    page.close()


@pytest.mark.browser
def test_nobody_frames_us(address: str, browser: Browser, foreign: str) -> None:
    page = browser.new_page()
    page.goto(foreign)
    page.evaluate(
        """address => new Promise(done => {
            const frame = document.createElement("iframe");
            frame.onload = done;
            frame.src = address;
            document.body.append(frame);
        })""",
        address,
    )
    framed = page.frames[1]
    assert not framed.url.startswith(address) or "Backtrail may be opened" in framed.content()
    assert framed.query_selector("[data-testid=stApp]") is None
    page.close()


@pytest.mark.browser
def test_a_link_from_elsewhere_opens_the_page(address: str, browser: Browser, foreign: str) -> None:
    page = browser.new_page()
    page.goto(foreign)
    page.evaluate(
        """address => {
            const link = document.createElement("a");
            link.href = address + "/events";
            document.body.append(link);
            link.click();
        }""",
        address,
    )
    page.wait_for_selector("[data-testid=stApp]", timeout=PATIENCE_MS)
    settled(page)
    page.close()


@pytest.mark.browser
def test_our_pages_keep_to_the_policy(address: str, browser: Browser) -> None:
    """The content policy stops nothing that a page of ours does, and the page is whole."""
    context = browser.new_context()
    context.add_init_script(
        "window.broken = []; document.addEventListener('securitypolicyviolation',"
        " e => window.broken.push(e.effectiveDirective + ' ' + e.blockedURI));"
    )
    page = context.new_page()
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in PAGES:
        page.goto(f"{address}/{name}")
        settled(page)
        assert page.evaluate("window.broken") == [], name
    assert failed == []
    ours = (address, "data:", f"blob:{address}")
    assert [url for url in asked if not url.startswith(ours)] == []
    context.close()


# --- Nothing out -----------------------------------------------------------------------------


def test_the_server_calls_nobody_while_strangers_knock(address: str, folder: Path) -> None:
    for origin in ("https://evil.example", "http://198.51.100.7", "null", "file://"):
        assert _knock(address, origin)[0] == 403
        _request(address, "GET", "/_stcore/health", {"Origin": origin})
    assert _knock(address, address)[0] == 101
    made = [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]
    assert [call for call in made if "127.0.0.1" not in call[1]] == []


# --- No open address without sign-in ---------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        (["--server.address", "0.0.0.0"], {}),
        (["--server.address", "::"], {}),
        (["--server.address", ""], {}),
        ([], {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}),
    ],
)
def test_an_open_address_is_refused_with_a_sentence(
    tmp_path: Path, flags: list[str], environment: dict[str, str]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    calls = tmp_path / "calls.jsonl"
    calls.touch()
    (tmp_path / "sitecustomize.py").write_text(_WATCH)
    ended = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *flags],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "CALLS": str(calls), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode != 0
    assert "without sign-in" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    made = [json.loads(line) for line in calls.read_text().splitlines()]
    assert [call for call in made if "127.0.0.1" not in call[1]] == []
