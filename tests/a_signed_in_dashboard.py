"""A deployment in small: a provider, nginx with TLS in front, and dashboards behind it.

All of it listens on loopback, on free ports, with a certificate and secrets of this run alone.
Browsers know the dashboard as `localhost` and the provider as `127.0.0.1`, which are two sites to
them, as the two are in a deployment.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, BrowserContext, Page

from cases.database import Database, open_database
from tests.a_dashboard import PATIENCE_MS, ROOT
from tests.a_provider import PEOPLE, ROLES

SOON_MS = 60_000
"""How long a busy machine may take for what takes seconds."""
START_S = 90.0
"""Patience for a server to answer: a busy machine takes its time."""

DEPLOYED_NGINX = ROOT / "docs" / "deploy" / "nginx"
"""What a site copies; the tests start nginx with it, and write only the small files of a site."""

NGINX = """
pid {folder}/nginx.pid;
daemon off;
master_process off;
events {{ worker_connections 512; }}
http {{
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-f;
  uwsgi_temp_path {folder}/nginx-u;
  scgi_temp_path {folder}/nginx-s;
  include {deployed}/backtrail.conf;
}}
"""


@dataclass
class Deployment:
    """Where everything is, and how to start a dashboard again."""

    folder: Path
    port: int
    provider_port: int
    inner_ports: Sequence[int]
    cookie_secret: str
    environment: dict[str, str]
    root: Path = ROOT
    dashboards: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def home(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def provider(self) -> str:
        return f"https://127.0.0.1:{self.provider_port}"

    def database(self) -> Database:
        return open_database(self.environment["BACKTRAIL_CASES_URL"])

    def provider_log(self) -> str:
        return (self.folder / "provider.log").read_text(errors="replace")

    def start_dashboard(self, number: int = 0) -> None:
        port = self.inner_ports[number]
        log = self.folder / f"dashboard-{number}.log"
        with log.open("ab") as out:
            started = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
                 "--secrets.files", str(self.folder / "secrets.toml")],
                cwd=self.root, env={**os.environ, **self.environment},
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.dashboards.append(started)
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", started, log, f"localhost:{self.port}")

    def stop_dashboards(self) -> None:
        for one in self.dashboards:
            stop(one)
        self.dashboards.clear()


@contextmanager
def deployment(
    folder: Path,
    *,
    replicas: int = 1,
    token_seconds: int = 3600,
    root: Path = ROOT,
    **environment: str,
) -> Iterator[Deployment]:
    """Everything started, and stopped again by its own process ids."""
    port, provider_port, *inner = _free_ports(2 + replicas)
    _certificate(folder)
    made = Deployment(
        folder=folder,
        port=port,
        provider_port=provider_port,
        inner_ports=inner,
        root=root,
        cookie_secret=secrets.token_hex(32),
        environment={
            "BACKTRAIL_INDEX": str(folder / "index"),
            "BACKTRAIL_CASES_URL": f"sqlite:///{folder / 'cases.db'}",
            "BACKTRAIL_DEMO": str(folder / "demo"),
            "BACKTRAIL_ROLE_CLAIM": "groups",
            "BACKTRAIL_ROLES": ROLES,
            "BACKTRAIL_PROXIES": "127.0.0.1",
            "SSL_CERT_FILE": str(folder / "certificate.pem"),
            **environment,
        },
    )
    (folder / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "{made.home}/oauth2callback"
cookie_secret = "{made.cookie_secret}"
client_id = "backtrail"
client_secret = "{secrets.token_hex(16)}"
server_metadata_url = "{made.provider}/.well-known/openid-configuration"
"""
    )
    _configure_nginx(folder, port, inner)
    with ExitStack() as stack:
        log = folder / "provider.log"
        with log.open("wb") as out:
            provider = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.a_provider", str(provider_port),
                 str(folder / "certificate.pem"), str(folder / "key.pem"), str(token_seconds)],
                cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        stack.callback(stop, provider)
        stack.callback(made.stop_dashboards)
        for number in range(replicas):
            made.start_dashboard(number)
        nginx = subprocess.Popen(
            [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(folder / "nginx.conf"),
             "-p", str(folder), "-e", str(folder / "nginx-error.log")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(stop, nginx)
        wait_for(f"{made.provider}/.well-known/openid-configuration", provider, log)
        wait_for(f"{made.home}/_stcore/health", nginx, folder / "nginx-error.log")
        yield made


@contextmanager
def a_browser(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody's browser, with cookies of its own; it takes our certificate."""
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context
    finally:
        context.close()


def sign_in(page: Page, subject: str, address: str) -> None:
    """Opens the address as a stranger, and signs in as the provider's person of that subject."""
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=subject, exact=True).click()
    page.wait_for_url("https://localhost*/**")
    page.wait_for_selector("[data-testid=stApp]")


def signed_in(made: Deployment, context: BrowserContext, subject: str, path: str = "") -> Page:
    """A page of somebody who has just signed in at the path, and is named on it."""
    page = context.new_page()
    sign_in(page, subject, f"{made.home}/{path}")
    see(page, str(PEOPLE[subject]["name"]))
    return page


def see(page: Page, words: str) -> None:
    page.get_by_text(words).first.wait_for(timeout=SOON_MS)


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(15)


def trusting() -> ssl.SSLContext:
    """For requests of the test itself."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path, host: str = "") -> None:
    until = time.monotonic() + START_S
    asked = urllib.request.Request(address, headers={"Host": host} if host else {})
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        try:
            with urllib.request.urlopen(asked, timeout=5, context=trusting()) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer: {log.read_text(errors='replace')[-3000:]}")


def _configure_nginx(folder: Path, port: int, inner: Sequence[int]) -> None:
    """The site's small files, beside an nginx.conf that holds the deployment's own file."""
    site = folder / "backtrail"
    site.mkdir()
    for name in ("forward.conf", "own.conf"):  # which no site changes
        shutil.copy(DEPLOYED_NGINX / "backtrail" / name, site)
    (site / "listen.conf").write_text(f"listen 127.0.0.1:{port} ssl;\n")
    (site / "names.conf").write_text("server_name localhost;\n")
    (site / "tls.conf").write_text(
        f"ssl_certificate {folder}/certificate.pem;\nssl_certificate_key {folder}/key.pem;\n"
    )
    (site / "log.conf").write_text(f"access_log {folder}/nginx-access.log backtrail;\n")
    pairs = (("a", inner[0], inner[-1]), ("b", inner[-1], inner[0]))
    (site / "replicas.conf").write_text(
        "".join(
            f"upstream backtrail_{name} {{ server 127.0.0.1:{first} max_fails=2 fail_timeout=5s; "
            + (f"server 127.0.0.1:{second} backup; " if second != first else "")
            + "}\n"
            for name, first, second in pairs
        )
    )
    text = NGINX.format(folder=folder, deployed=DEPLOYED_NGINX)
    (folder / "nginx.conf").write_text(text)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "key.pem").chmod(0o600)
