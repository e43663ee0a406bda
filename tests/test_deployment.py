"""What docs/deploy promises: nginx with its very file, two replicas, one PostgreSQL, real browsers.

Building the image needs a container engine; what the container, compose and unit files promise
about users, file systems and secrets is read from the files themselves.
"""

from __future__ import annotations

import configparser
import http.client
import json
import re
import shutil
import socket
import ssl
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, expect
from websockets.sync.client import connect

from cases import users
from tests.a_case import a_case
from tests.a_dashboard import ROOT, chromium
from tests.a_signed_in_dashboard import (
    SOON_MS,
    Deployment,
    a_browser,
    deployment,
    see,
    signed_in,
    stop,
    trusting,
)
from tests.an_event import an_event
from tests.postgres import running_server
from trail.index.build import add
from ui.shell.headers import FIXED

DEPLOY = ROOT / "docs" / "deploy"
REPLICA = "__Host-backtrail-replica"
PROGRAM = ("alerts", "cases", "demo", "enrich", "pages", "trail", "ui", ".streamlit", "app.py")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the container holds, in which everything that is written can be seen."""
    copy = tmp_path_factory.mktemp("program")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in PROGRAM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def deployed(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    logs = folder / "logs.json"
    logs.write_text(json.dumps({"Records": [an_event(eventName="ListBuckets")]}))
    add([logs], folder / "index")
    with running_server() as server:
        url = server.create()
        with deployment(
            folder,
            replicas=2,
            root=program,
            BACKTRAIL_CASES_URL=url,
            PYTHONDONTWRITEBYTECODE="1",
        ) as made:
            yield made


@pytest.fixture
def somebody(browser: Browser) -> Iterator[BrowserContext]:
    with a_browser(browser) as context:
        yield context


def stays_with(deployed: Deployment, context: BrowserContext, replica: str) -> None:
    context.add_cookies([{"name": REPLICA, "value": replica, "url": deployed.home, "secure": True}])


def asked(
    deployed: Deployment, path: str, **headers: str
) -> tuple[int, http.client.HTTPMessage, str]:
    """The status, headers and text that nginx answers; the path is sent as it is written."""
    connection = http.client.HTTPSConnection(
        "localhost", deployed.port, timeout=60, context=trusting()
    )
    connection.putrequest("GET", path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, answer.headers, text


# --- nginx, with the file that a site copies -----------------------------------------------


def test_only_tls_and_only_its_new_versions(deployed: Deployment) -> None:
    with socket.create_connection(("127.0.0.1", deployed.port), timeout=30) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert plain.recv(64).startswith(b"HTTP/1.1 400")
    old = trusting()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", deployed.port), timeout=30) as raw,
        pytest.raises(ssl.SSLError),
    ):
        old.wrap_socket(raw, server_hostname="localhost")


@pytest.mark.parametrize("path", ["/", "/cases", "/_stcore/health", "/static/none.js"])
def test_the_headers_of_the_dashboard_and_one_of_tls(deployed: Deployment, path: str) -> None:
    _, headers, _ = asked(deployed, path)
    assert headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]
    assert headers["Server"] == "nginx"  # and no version
    for name, value in FIXED.items():
        assert headers.get_all(name) == [value]
    (policy,) = headers.get_all("Content-Security-Policy") or [""]
    assert f"wss://localhost:{deployed.port}" in policy


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/script-health-check/",
        "/_stcore/metrics?x=1", "//_stcore/metrics", "/_stcore/./metrics", "/x/../_stcore/metrics",
        "/%5fstcore/metrics",
    ],
)  # fmt: skip
def test_what_is_not_for_browsers_is_not_there(deployed: Deployment, path: str) -> None:
    status, headers, text = asked(deployed, path)
    assert status == 404
    assert "active_sessions" not in text
    assert headers["Strict-Transport-Security"]
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/_stcore/host-config", "/_stcore//host-config?x=1"])
def test_the_server_s_set_up_is_not_told(deployed: Deployment, path: str) -> None:
    status, headers, text = asked(deployed, path)
    assert headers["Strict-Transport-Security"]
    assert "frame-ancestors 'none'" in str(headers["Content-Security-Policy"])
    told = json.loads(text)
    assert status == 200  # Streamlit's page does not start without it
    assert told["allowedOrigins"] == []
    # The dashboard itself would tell more, and Streamlit's page knows no other name.
    inner = f"http://127.0.0.1:{deployed.inner_ports[0]}/_stcore/host-config"
    host = {"Host": f"localhost:{deployed.port}"}
    with urllib.request.urlopen(urllib.request.Request(inner, headers=host)) as answer:
        behind = json.loads(answer.read())
    assert behind["allowedOrigins"]
    assert told.keys() == behind.keys()


def test_health_is_answered_to_this_machine(deployed: Deployment) -> None:
    status, _, text = asked(deployed, "/health")
    assert (status, json.loads(text)["status"]) == (200, "ok")
    nginx = (DEPLOY / "nginx/backtrail.conf").read_text()
    rules = re.search(r"location = /health \{(.*?)\}", nginx, re.DOTALL)
    assert rules is not None
    assert re.findall(r"(allow|deny)\s+(\S+);", rules[1]) == [
        ("allow", "127.0.0.0/8"), ("allow", "::1"), ("deny", "all"),
    ]  # fmt: skip


def test_a_name_that_is_not_ours_is_refused(deployed: Deployment) -> None:
    raw = socket.create_connection(("127.0.0.1", deployed.port), timeout=30)
    with trusting().wrap_socket(raw, server_hostname="localhost") as wrapped:
        wrapped.sendall(b"GET /cases HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        answer = b""
        while more := wrapped.recv(4096):
            answer += more
    assert answer.startswith(b"HTTP/1.1 403")


def test_websockets_of_our_pages_pass_and_others_do_not(deployed: Deployment) -> None:
    address = deployed.home.replace("https", "wss") + "/_stcore/stream"
    with connect(address, origin=deployed.home, ssl=trusting(), open_timeout=60):  # type: ignore[arg-type]
        pass
    with pytest.raises(Exception, match="403"):
        connect(address, origin="https://evil.example", ssl=trusting(), open_timeout=60)  # type: ignore[arg-type]


def test_what_a_browser_claims_of_its_way_is_overwritten(deployed: Deployment) -> None:
    _, headers, _ = asked(
        deployed, "/cases", **{"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example",
                               "Forwarded": "host=evil.example;proto=http"},
    )  # fmt: skip
    cookies = headers.get_all("Set-Cookie") or []
    assert cookies
    assert all("; Secure" in one and "evil.example" not in one for one in cookies)


def test_uploads_pass_as_large_as_the_dashboard_takes_them() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    limit = re.search(
        r"client_max_body_size\s+(\d+)m;", (DEPLOY / "nginx/backtrail.conf").read_text()
    )
    assert limit is not None
    assert (
        settings["server"]["maxUploadSize"]
        < int(limit[1])
        < settings["server"]["maxUploadSize"] * 1.1
    )


def test_addresses_are_logged_without_what_was_searched(deployed: Deployment) -> None:
    asked(deployed, "/events?call=SecretSearch")
    log = (deployed.folder / "nginx-access.log").read_text()
    assert '"GET /events" 200' in log
    assert "SecretSearch" not in log


# --- Two replicas on one PostgreSQL ----------------------------------------------------------


def test_a_browser_stays_with_its_replica(deployed: Deployment) -> None:
    """Both are drawn; whoever has met one is not given another."""
    drawn = set()
    for _ in range(40):
        _, headers, _ = asked(deployed, "/health")
        (cookie,) = [one for one in headers.get_all("Set-Cookie") or [] if REPLICA in one]
        assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")
        drawn.add(cookie.removeprefix(f"{REPLICA}=")[0])
    assert drawn == {"a", "b"}
    for sent in (f"{REPLICA}=a", f"other=1; {REPLICA}=b; more=2"):
        _, headers, _ = asked(deployed, "/health", Cookie=sent)
        assert not [one for one in headers.get_all("Set-Cookie") or [] if REPLICA in one]
    _, headers, _ = asked(deployed, "/health", Cookie=f"x{REPLICA}=a")
    assert [one for one in headers.get_all("Set-Cookie") or [] if REPLICA in one]


def test_what_is_done_on_one_replica_stands_on_the_other(
    deployed: Deployment, browser: Browser, somebody: BrowserContext
) -> None:
    stays_with(deployed, somebody, "a")
    ann = signed_in(deployed, somebody, "s-ann", "cases")
    database = deployed.database()
    name = next(one.name for one in users.users(database) if one.subject == "s-ann")
    opened = a_case(database, actor=name)
    database.close()
    ann.goto(f"{deployed.home}/case?id={opened.id}")
    ann.get_by_label("A new note", exact=True).fill("Written on the first replica.")
    ann.get_by_label("A new note", exact=True).blur()
    ann.get_by_role("button", name="Add the note", exact=True).click()
    expect(ann.get_by_text("Notes (1)")).to_be_visible(timeout=SOON_MS)
    with a_browser(browser) as other:
        stays_with(deployed, other, "b")
        lea = signed_in(deployed, other, "s-lea", f"case?id={opened.id}")
        see(lea, "Written on the first replica.")


def test_a_replica_that_dies_is_covered_by_the_other(
    deployed: Deployment, browser: Browser
) -> None:
    """The person stays signed in, and goes on where the address says."""
    for number, replica in enumerate("ab"):
        with a_browser(browser) as context:
            stays_with(deployed, context, replica)
            page = signed_in(deployed, context, "s-ann", "events?call=ListBuckets")
            see(page, "1 event")
            died = deployed.dashboards[number]
            stop(died)
            page.reload()
            see(page, "1 event")
            assert "Ann Analyst" in page.inner_text("body")
            deployed.dashboards.remove(died)
            deployed.start_dashboard(number)
            started = deployed.dashboards.pop()
            deployed.dashboards.insert(number, started)


# --- What may be written, and what is told ---------------------------------------------------


def test_z_nothing_was_written_into_the_program(deployed: Deployment, program: Path) -> None:
    """So that its root can be read-only. Runs over what the tests before have done, if they did."""
    assert asked(deployed, "/cases")[0] == 200
    expected = {
        path.relative_to(ROOT): path.read_bytes()
        for name in PROGRAM
        for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {
        path.relative_to(program): path.read_bytes()
        for path in program.rglob("*")
        if path.is_file()
    }
    assert found == expected


def test_the_container_is_nobody_in_particular_and_can_write_nothing() -> None:
    compose: dict[str, Any] = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())
    assert set(compose["services"]) == {"dashboard-a", "dashboard-b", "database", "nginx"}
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        if name != "nginx":
            assert "ports" not in service, name  # nobody reaches them but through nginx
            assert not service["user"].startswith("0"), name
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["services"]["database"]["networks"] == ["inside"]
    assert "inside" not in compose["services"]["nginx"]["networks"]
    images = [one.get("image") for one in compose["services"].values()]
    assert not [one for one in images if str(one).endswith(":latest")]
    container = (DEPLOY / "container/Containerfile").read_text()
    assert re.findall(r"^USER (\S+)$", container, re.MULTILINE) == ["10001"]
    assert "--require-hashes" in container
    copied = set(re.findall(r"^COPY (?!--from)(\S+) ", container, re.MULTILINE))
    assert copied == {*PROGRAM, "requirements.txt"} - {".streamlit"} | {".streamlit/config.toml"}
    # A new volume takes owner and mode from here; else nobody but root could make an index in it.
    assert "install -d -o 10001 -g 10001 -m 0700 /data" in container
    assert container.index("install -d") < container.index("VOLUME /data")


def test_nothing_but_the_program_reaches_the_builder() -> None:
    """Secrets, keys, logs and cases lie in the same folder."""
    first, *rest = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert first == "*"
    let_in = {line.removeprefix("!") for line in rest if line.startswith("!")}
    assert let_in == {*PROGRAM, "requirements.txt"} - {".streamlit"} | {".streamlit/config.toml"}


def test_no_file_holds_a_secret() -> None:
    """They are read from files that a site makes; what stands here names those files."""
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not re.search(
                r"(?i)(password|secret)\s*[=:]\s*['\"]?[\w-]{6,}['\"]?\s*$", text
            ), path
            assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", text), path  # a password in an address


def test_the_unit_has_no_rights() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "systemd/backtrail@.service")
    service = unit["Service"]
    assert service["User"] == "backtrail"
    for name in (
        "NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables",
        "ProtectKernelModules", "ProtectControlGroups", "RestrictNamespaces", "LockPersonality",
    ):  # fmt: skip
        assert service[name] == "yes", name
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["UMask"] == "0077"
    assert "--server.address 127.0.0.1" in service["ExecStart"]
    assert int(service["LimitNOFILE"]) >= 4096
