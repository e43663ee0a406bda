"""Sign-in as people have it: Chromium, a real provider, TLS by nginx, two replicas."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select, update
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from cases import tables, users
from tests.a_case import a_case, add_people
from tests.a_dashboard import ROOT, chromium
from tests.a_signed_in_dashboard import (
    SOON_MS,
    Deployment,
    a_browser,
    deployment,
    see,
    sign_in,
    signed_in,
    trusting,
)
from tests.an_event import an_event
from trail.index.build import add

pytestmark = pytest.mark.browser

SIGN_IN_PAGE = "Sign in to Backtrail"
REPLICA = "__Host-backtrail-replica"
"""nginx's cookie, which keeps a browser with its replica."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    logs = folder / "logs.json"
    logs.write_text(json.dumps({"Records": [an_event(eventName="ListBuckets")]}))
    add([logs], folder / "index")
    with deployment(folder, replicas=2) as made:
        yield made


@pytest.fixture
def somebody(browser: Browser) -> Iterator[BrowserContext]:
    with a_browser(browser) as context:
        yield context


def sign_out(page: Page) -> None:
    """By the button on the page, and then the provider's own question."""
    page.locator(".st-key-who button").first.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("https://127.0.0.1*/**", timeout=SOON_MS)
    page.locator("form button").first.click()
    page.wait_for_url("https://localhost*/**", timeout=SOON_MS)
    see(page, SIGN_IN_PAGE)


def copied_into(browser: Browser, cookies: Any, address: str) -> str:
    """What a browser with these cookies shows at the address, once it shows anything."""
    with a_browser(browser) as thief:
        thief.add_cookies(cookies)
        page = thief.new_page()
        page.goto(address)
        page.get_by_text(re.compile(f"{SIGN_IN_PAGE}|·")).first.wait_for(timeout=SOON_MS)
        return page.inner_text("body")


# Getting in


@pytest.mark.parametrize(
    ("subject", "path", "sees", "bar"),
    [
        ("s-lea", "review", "No case waits for review", {"Triage", "Cases", "Review", "Index"}),
        ("s-ann", "review", "Metrics", {"Triage", "Cases", "Review", "Index"}),
        ("s-ann", "index", "Event index", {"Triage", "Cases", "Review", "Index"}),
        ("s-vic", "", "There is no case yet", {"Cases", "Review"}),
        ("s-vic", "events", "This page is not open to your role", {"Cases", "Review"}),
    ],
)
def test_the_provider_s_groups_say_who_sees_what(
    deployed: Deployment,
    somebody: BrowserContext,
    subject: str,
    path: str,
    sees: str,
    bar: set[str],
) -> None:
    page = signed_in(deployed, somebody, subject, path)
    see(page, sees)
    links = set(page.locator("[data-testid=stTopNavLink]").all_inner_texts())
    names = {name for name in bar | {"Triage", "Index"} if any(name in one for one in links)}
    assert names == bar


def test_nobody_without_a_role_gets_in(deployed: Deployment, somebody: BrowserContext) -> None:
    page = somebody.new_page()
    sign_in(page, "s-eve", f"{deployed.home}/cases")
    see(page, "You have no role in Backtrail")
    assert "eve@example.com" in page.inner_text("body")
    database = deployed.database()
    assert "Eve Elsewhere" not in [one.name for one in users.users(database)]
    database.close()


def test_whoever_is_first_has_the_role_that_the_provider_says_and_no_other(
    deployed: Deployment, somebody: BrowserContext
) -> None:
    signed_in(deployed, somebody, "s-ann")
    database = deployed.database()
    (ann,) = [one for one in users.users(database) if one.name == "Ann Analyst"]
    assert (ann.role, ann.issuer, ann.subject, ann.email) == (
        "analyst", deployed.provider, "s-ann", "ann@example.com"
    )  # fmt: skip
    database.close()


def test_a_link_leads_to_its_page_after_signing_in(
    deployed: Deployment, somebody: BrowserContext
) -> None:
    page = signed_in(deployed, somebody, "s-ann", "events?call=ListBuckets&result=succeeded")
    see(page, "1 event")
    assert page.evaluate("location.href") == (
        f"{deployed.home}/events?call=ListBuckets&result=succeeded"
    )


def test_the_page_is_remembered_for_somebody_whose_sign_in_has_ended(deployed: Deployment) -> None:
    dead = {"Cookie": "__Host-backtrail=made-up-or-ended"}
    _, cookies = status(f"{deployed.home}/events?call=ListBuckets", **dead)
    assert [one for one in cookies if one.startswith("__Host-backtrail-return=")]


def test_signing_in_that_failed_says_so_and_leads_on(
    deployed: Deployment, somebody: BrowserContext
) -> None:
    page = somebody.new_page()
    page.goto(f"{deployed.home}/events?call=ListBuckets")
    see(page, SIGN_IN_PAGE)
    page.goto(f"{deployed.home}/oauth2callback?error=access_denied&state=made-up")
    see(page, "Signing in failed.")
    assert "Your identity provider refused" in page.inner_text("body")
    page.goto(f"{deployed.home}/oauth2callback?code=1&state=made-up")
    see(page, "The way back from your identity provider was too old")
    # From there they come to the page that they wanted.
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("https://127.0.0.1*/**", timeout=SOON_MS)


def test_local_users_are_off(deployed: Deployment, browser: Browser) -> None:
    database = deployed.database()
    if "local-lea" not in [one.name for one in users.users(database)]:
        with database.write() as connection:
            connection.execute(
                tables.users.insert().values(
                    name="local-lea", role="lead", active=True, created_at=datetime.now(UTC)
                )
            )
    database.close()
    chosen = {"name": "backtrail_user", "value": "local-lea", "url": deployed.home}
    said = copied_into(browser, [chosen], f"{deployed.home}/review?view=people")
    assert SIGN_IN_PAGE in said
    assert "local-lea" not in said


# The six holes


def test_1_a_copied_cookie_ends_with_its_sign_in_on_every_replica_and_after_a_restart(
    deployed: Deployment, browser: Browser, somebody: BrowserContext
) -> None:
    page = signed_in(deployed, somebody, "s-ann", "cases")
    copied = somebody.cookies()
    address = f"{deployed.home}/cases"
    assert "Ann Analyst" in copied_into(browser, copied, address)  # a copy is as good as the first
    sign_out(page)
    others = [one for one in copied if one["name"] != REPLICA]
    for replica in "ab":
        sent = [*others, {"name": REPLICA, "value": replica, "url": deployed.home, "secure": True}]
        assert SIGN_IN_PAGE in copied_into(browser, sent, address)
    page = signed_in(deployed, somebody, "s-ann", "cases")
    holds = somebody.cookies()
    deployed.stop_dashboards()
    for number in range(2):
        deployed.start_dashboard(number)
    assert SIGN_IN_PAGE in copied_into(browser, copied, address)
    assert "Ann Analyst" in copied_into(browser, holds, address)


def test_1_streamlit_s_own_cookie_lets_nobody_in(deployed: Deployment, browser: Browser) -> None:
    """Such a cookie, kept from before, was good for 30 days; even one with our claim is not."""
    database = deployed.database()
    with database.read() as connection:
        ids = connection.execute(select(tables.sign_ins.c.id)).scalars().all()
    database.close()
    claims = {
        "origin": deployed.home, "is_logged_in": True, "provider": "default", "sub": "s-lea",
        "backtrail_sign_in": ids[-1] if ids else "x",
    }  # fmt: skip
    made = create_signed_value(deployed.cookie_secret, "_streamlit_user", json.dumps(claims))
    cookie = {"name": "_streamlit_user", "value": made.decode(), "url": deployed.home}
    assert SIGN_IN_PAGE in copied_into(browser, [cookie], f"{deployed.home}/cases")


def test_2_a_sign_in_ends_when_its_token_does(
    deployed: Deployment, somebody: BrowserContext
) -> None:
    page = signed_in(deployed, somebody, "s-lea", "cases")
    database = deployed.database()
    of = tables.sign_ins
    newest = of.c.signed_in_at.desc()
    with database.read() as connection:
        row = connection.execute(select(of).order_by(newest).limit(1)).one()
    # The provider's tokens hold for an hour, our own limit is twelve.
    assert row.subject == "s-lea"
    assert timedelta(minutes=55) < row.expires_at - row.signed_in_at <= timedelta(minutes=60)
    with database.write() as connection:  # an hour later
        connection.execute(update(of).where(of.c.id == row.id).values(expires_at=datetime.now(UTC)))
    database.close()
    see(page, SIGN_IN_PAGE)  # nobody touched the page
    assert "Your sign-in has run out" in page.inner_text("body")


def test_3_signing_out_ends_every_tab(deployed: Deployment, somebody: BrowserContext) -> None:
    first = signed_in(deployed, somebody, "s-ann", "events?call=ListBuckets")
    others = [somebody.new_page() for _ in range(2)]
    for tab in others:
        tab.goto(f"{deployed.home}/events?call=ListBuckets")
        see(tab, "1 event")
    sign_out(first)
    for tab in others:
        see(tab, SIGN_IN_PAGE)  # by itself
        assert "1 event" not in tab.inner_text("body")


def test_4_cookies_are_for_tls_and_this_host_alone(
    deployed: Deployment, somebody: BrowserContext
) -> None:
    page = somebody.new_page()
    page.goto(f"{deployed.home}/cases")
    see(page, SIGN_IN_PAGE)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("https://127.0.0.1*/**", timeout=SOON_MS)
    on_the_way = {one["name"]: one for one in somebody.cookies(deployed.home)}
    assert {"__Host-backtrail-flow", "__Host-backtrail-return"} <= set(on_the_way)
    page.get_by_role("button", name="s-ann", exact=True).click()
    see(page, "Ann Analyst")
    inside = {one["name"]: one for one in somebody.cookies(deployed.home)}
    assert inside["__Host-backtrail"]["sameSite"] == "Strict"
    for name, cookie in (on_the_way | inside).items():
        assert cookie["secure"], name
        assert cookie["path"] == "/"
        assert cookie["sameSite"] in ("Strict", "Lax")
        assert cookie["httpOnly"] or name == "_streamlit_xsrf"  # which a script has to read
        assert name.startswith("__Host-") or name == "_streamlit_xsrf"
        assert not name.startswith("_streamlit_user")


def test_5_no_token_is_in_any_address(deployed: Deployment, somebody: BrowserContext) -> None:
    asked: list[str] = []
    somebody.on("request", lambda request: asked.append(request.url))
    page = signed_in(deployed, somebody, "s-ann", "cases")
    before = len(asked)
    sign_out(page)
    ending = [one for one in asked[before:] if "/end_session?" in one]
    assert ending
    assert all("client_id=backtrail" in one for one in ending)
    nginx = (deployed.folder / "nginx-access.log").read_text()
    for log in (*asked, nginx, deployed.provider_log()):
        # Streamlit's own, good for two minutes, which says by which provider: it names nobody.
        said = re.sub(r"/auth/login\?provider=[\w.-]+", "", log)
        assert "id_token" not in said
        assert "eyJ" not in said  # how any token begins


def test_6_a_page_that_forgets_to_ask_shows_nothing(browser: Browser, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("alerts", "cases", "demo", "enrich", "trail", "ui", ".streamlit", "app.py"):
        (copy / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "pages", copy / "pages")
    forgetful = "import streamlit as st\nst.text('WHAT IS BEHIND')\n"
    (copy / "pages" / "events.py").write_text(forgetful)
    (copy / "pages" / "unknown.py").write_text(forgetful)
    for asked_first in ("events", "unknown"):
        folder = tmp_path / asked_first
        folder.mkdir()
        with deployment(folder, root=copy) as made:
            with a_browser(browser) as stranger:
                page = stranger.new_page()
                page.goto(f"{made.home}/{asked_first}")  # the first that this server is asked
                see(page, SIGN_IN_PAGE)
                assert "WHAT IS BEHIND" not in page.inner_text("body")
            for subject, sees in (
                ("s-vic", "This page is not open to your role"),
                ("s-ann", "WHAT IS BEHIND"),
            ):
                if asked_first == "unknown":
                    continue
                with a_browser(browser) as context:
                    page = signed_in(made, context, subject, asked_first)
                    see(page, sees)
                    if subject == "s-vic":
                        assert "WHAT IS BEHIND" not in page.inner_text("body")


# What one role is shown stays with it


def test_no_answer_that_is_kept_reaches_another_role(
    deployed: Deployment, browser: Browser, somebody: BrowserContext
) -> None:
    path = "events?call=ListBuckets"
    see(signed_in(deployed, somebody, "s-ann", path), "1 event")
    for subject in ("s-vic", "s-eve"):
        with a_browser(browser) as context:
            page = context.new_page()
            heard: list[bytes] = []
            page.on("websocket", _listener(heard))
            sign_in(page, subject, f"{deployed.home}/{path}")
            see(page, "not open to your role" if subject == "s-vic" else "You have no role")
            assert heard
            assert not [one for one in heard if b"ListBuckets" in one]


def _listener(heard: list[bytes]) -> Callable[[Any], None]:
    def listen(socket: Any) -> None:
        socket.on("framereceived", lambda frame: heard.append(bytes(frame)))

    return listen


# Requests that no page makes


def status(address: str, **headers: str) -> tuple[int, list[str]]:
    asked = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=30, context=trusting()) as answer:
            return answer.status, answer.headers.get_all("set-cookie") or []
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_all("set-cookie") or []


@pytest.mark.parametrize(
    "path",
    ["media/abc.json", "media/abc.png", "_stcore/upload_file/a/b", "_stcore/upload_file/a/b.png"],
)
def test_files_are_for_those_who_are_in(deployed: Deployment, path: str) -> None:
    assert status(f"{deployed.home}/{path}")[0] == 403
    assert status(f"{deployed.home}/{path}", Cookie="__Host-backtrail=made-up")[0] == 403


def test_a_report_under_the_ending_of_a_picture_is_for_those_who_are_in_too(
    browser: Browser, tmp_path: Path
) -> None:
    with deployment(tmp_path) as made, a_browser(browser) as context:
        database = made.database()
        add_people(database)
        a_case(database)
        database.close()
        page = signed_in(made, context, "s-ann", "case?id=1")
        with page.expect_download() as started:
            page.get_by_role("button", name="Markdown").click()
        where = started.value.url
        assert where.endswith(".md")
        assert b"# Case 1" in Path(started.value.path()).read_bytes()
        for ending in ("md", "png", "txt", ""):
            assert status(f"{where.removesuffix('md')}{ending}")[0] == 403
        with a_browser(browser) as stranger:
            page = stranger.new_page()
            page.goto(f"{made.home}/cases")
            see(page, SIGN_IN_PAGE)
            logo = page.locator("[data-testid=stHeaderLogo]")  # they have our picture all the same
            logo.wait_for(timeout=SOON_MS)
            page.wait_for_function("one => one.naturalWidth > 0", arg=logo.element_handle())


def test_forwarded_headers_of_strangers_change_nothing(deployed: Deployment) -> None:
    inner = f"http://127.0.0.1:{deployed.inner_ports[0]}"
    claims = {
        "Host": f"localhost:{deployed.port}", "X-Forwarded-Proto": "http",
        "Forwarded": "proto=http", "X-Forwarded-User": "lea@example.com",
        "X-Forwarded-Host": "evil.example",
    }  # fmt: skip
    code, cookies = status(f"{inner}/_stcore/host-config", **claims)
    assert code == 200
    code, cookies = status(f"{inner}/cases?x=1", **claims)
    assert code == 200
    assert cookies
    assert all("; Secure" in one for one in cookies)
    assert not any("evil.example" in one for one in cookies)


def test_a_header_cannot_be_told_to_say_who_somebody_is(deployed: Deployment) -> None:
    started = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", "1",
         "--secrets.files", str(deployed.folder / "secrets.toml")],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, **deployed.environment,
             "STREAMLIT_SERVER_TRUSTED_USER_HEADERS": '{"X-User": "backtrail_sign_in"}'},
    )  # fmt: skip
    assert started.returncode != 0
    assert "server.trustedUserHeaders would let a header say who somebody is" in started.stderr
